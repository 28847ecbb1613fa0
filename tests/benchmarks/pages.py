"""Time the pages with many crossmatches: python -m tests.benchmarks.pages RESULTS_FOLDER [ROWS] [sqlite|postgresql]."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.synthetic import write_results, write_votes
from tests.postgres import find_binaries, postgres_server

REQUESTS = 50
LEADS = ("/dashboard/", "/conflicts/", "/accounts/invitations/")
# one of each filter, and usual ones together; the last ones are about votes
FILTERS = (
    "type=match&sort=-ratio",
    "survey=SUMSS&sort=ratio",
    "flag=Likely+double&sort=-vs",
    "any_flag=5",
    "no_flag=5&sort=m",
    "row=77",
    "image=field",
    "name=123",
    "is_candidate=true&sort=-vs_abs",
    "vetoed=false&vs_abs_min=4.3&m_abs_min=1.2",
    "ratio_min=2&vs_abs_min=4.3&m_abs_min=1.2&ra_min=350&ra_max=10",
    "dec_min=-30&dec_max=-29&sort=ra",
    "askap_flux_min=100",
    "ref_flux_max=1&sort=-ref_flux",
    "position=0+-55&radius=1&radius_unit=deg",
    "position=120+-55&radius=10&radius_unit=arcmin",
    "position=120+-55&radius=30&radius_unit=deg&sort=-ratio",
    "position=300+-30&frame=galactic&radius=1&radius_unit=deg",
    "tag=investigate",
    "reason=investigate&sort=-ratio",
    "reviewed_by=reviewer-3",
    "state=conflict",
    "state=unreviewed",
    "state=unreviewed&is_candidate=true&sort=-ratio",
    "state=agreed&sort=-vs",
    "mine=true",
    "mine=false",
    "mine=false&is_candidate=true&sort=-ratio",
    "starred=true",
    "starred=false",
)


def measure(url: str, source: Path, n: int, folder: Path) -> None:
    os.environ |= {"RACS_TRANSIENTS_TEST_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    from racs_transients.database import inject_run
    from racs_transients.dbconfig import config_from_url

    per_image = min(n, 100_000)
    for seed in range(1, n // per_image + 1):
        inject_run(write_results(source, folder / str(seed), per_image, seed=seed), config_from_url(url))

    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.db import connection, reset_queries
    from django.test import Client, override_settings

    from web_server.accounts.roles import set_role
    from web_server.candidates.models import Crossmatch
    from web_server.review.models import Subject

    write_votes(n // 30)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    user = User.objects.get(username="reviewer-1")
    row = Crossmatch.objects.select_related("run").order_by("pk")[n // 2]
    judged = Subject.objects.order_by("pk").first()
    assert judged is not None
    image = row.run.image_id
    base, last = f"/images/{image}/crossmatches/", (n + 24) // 25
    voted = judged.sky_object.crossmatches.first()
    review = f"image={image}&run={row.run_id}&ratio_min=2"
    first = Crossmatch.objects.filter(run=row.run, ratio__gte=2).order_by("-ratio", "pk").first()
    pages = {
        "home": "/",
        "image": f"/images/{image}/",
        "image list": base,
        "image list, worst sort": f"{base}?sort=flag",
        "image gallery": f"{base}quickview/",
        "query": "/query/",
        "query, last page": f"/query/?page={last}",
        "query, worst sort": "/query/?sort=flag",
        "query gallery, last page": f"/query/quickview/?page={(n + 59) // 60}",
        "source": f"{base}{row.pk}/?sort=-ratio",
        "source of a query": f"{base}{row.pk}/?sort=-ratio&list=query",
        "source with votes": f"/images/{voted.run.image_id}/crossmatches/{voted.pk}/",
        "its talk": f"/images/{voted.run.image_id}/crossmatches/{voted.pk}/talk/",
        "its SAMP messages": f"{base}{row.pk}/samp/",
        "its sky": f"{base}{row.pk}/sky/",
        "review, image": f"/review/{first.pk}/?{review}",
        "review part, image": f"/review/{first.pk}/part/?{review}",
        "review, all images": f"/review/{first.pk}/?",
        "start of review, all images": "/review/?is_candidate=true",
        "searches": "/searches/",
        "starred": "/starred/",
        "mentions": "/mentions/",
        "dashboard": "/dashboard/",
        "conflicts": "/conflicts/",
        "conflicts, page 20": "/conflicts/?page=20",
        "invitations": "/accounts/invitations/",
    }
    pages |= {f"query: {words}": f"/query/?{words}" for words in FILTERS}
    pages |= {f"list: {words}": f"{base}?{words}" for words in FILTERS[-12:]}
    print(f"{connection.vendor}, {n} rows: median and 95th percentile of {REQUESTS} requests, ms; queries")
    with override_settings(DEBUG=False):
        for words, address in pages.items():
            client = Client(headers={"host": "localhost"})
            set_role(user, "lead" if address.startswith(LEADS) else "reviewer")
            client.force_login(user)
            times = []
            for _ in range(REQUESTS):
                start = time.perf_counter()
                assert client.get(address).status_code in (200, 302), address
                times.append(1e3 * (time.perf_counter() - start))
            connection.force_debug_cursor = True
            reset_queries()
            client.get(address)
            queries = len(connection.queries)
            connection.force_debug_cursor = False
            print(
                f"{words:60s} {statistics.median(times):7.0f} {statistics.quantiles(times, n=20)[-1]:7.0f} {queries:4d}"
            )


def main() -> None:
    source, n = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    engine = sys.argv[3] if len(sys.argv) > 3 else "sqlite"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if engine == "sqlite":
            measure(f"sqlite:///{folder / 'benchmark.sqlite3'}", source, n, folder)
            return
        found = find_binaries()
        if found is None:
            sys.exit("no PostgreSQL server is installed")
        with postgres_server(*found) as server:
            measure(server.create("benchmark").url, source, n, folder)


if __name__ == "__main__":
    main()
