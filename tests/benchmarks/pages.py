"""Time the pages with many crossmatches: python -m tests.benchmarks.pages RESULTS_FOLDER [ROWS] [sqlite|postgresql]."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.synthetic import write_results
from tests.postgres import find_binaries, postgres_server

REQUESTS = 50


def measure(url: str, source: Path, n: int, folder: Path) -> None:
    os.environ |= {"RACS_TRANSIENTS_TEST_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    from racs_transients.database import inject_run
    from racs_transients.dbconfig import config_from_url

    per_image = min(n, 100_000)
    for seed in range(1, n // per_image + 1):
        inject_run(write_results(source, folder / str(seed), per_image, seed=seed), config_from_url(url))

    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.db import connection, reset_queries
    from django.test import Client, override_settings

    from web_server.candidates.models import Crossmatch

    client = Client(headers={"host": "localhost"})
    client.force_login(get_user_model().objects.create_user("benchmark"))
    row = Crossmatch.objects.select_related("run").order_by("pk")[n // 2]
    last = (n + 24) // 25
    base = f"/images/{row.run.image_id}/crossmatches/"
    pages = {
        "home": "/",
        "image": f"/images/{row.run.image_id}/",
        "image list": base,
        "query": "/query/",
        "query, last page": f"/query/?page={last}",
        "query by flag": "/query/?flag=Likely+double&sort=-vs",
        "query, worst sort": "/query/?sort=flag",
        "cone of 1° round RA 0": "/query/?position=0+-55&radius=1&radius_unit=deg",
        "cone of 10′": "/query/?position=120+-55&radius=10&radius_unit=arcmin",
        "ranges": "/query/?ratio_min=2&vs_abs_min=4.3&m_abs_min=1.2&ra_min=350&ra_max=10",
        "source": f"{base}{row.pk}/?sort=-ratio",
        "source of a query": f"{base}{row.pk}/?sort=-ratio&list=query",
    }
    print(f"{connection.vendor}, {n} rows: median and 95th percentile of {REQUESTS} requests, ms; queries")
    with override_settings(DEBUG=False):
        for words, address in pages.items():
            times = []
            for _ in range(REQUESTS):
                start = time.perf_counter()
                assert client.get(address).status_code == 200, address
                times.append(1e3 * (time.perf_counter() - start))
            connection.force_debug_cursor = True
            reset_queries()
            client.get(address)
            queries = len(connection.queries)
            connection.force_debug_cursor = False
            print(
                f"{words:24s} {statistics.median(times):7.0f} {statistics.quantiles(times, n=20)[-1]:7.0f} {queries:4d}"
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
