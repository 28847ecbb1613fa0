"""Time the review page: python -m tests.benchmarks.review RESULTS_FOLDER [ROWS] [sqlite|postgresql] [SECONDS].

Pages and votes over HTTP from a gunicorn server, the next candidate's painting in Chromium, twenty reviewers at once.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from tests.benchmarks.synthetic import write_results
from tests.postgres import find_binaries, postgres_server

REQUESTS = 50
KEYS = 100
# the time from a key to the frame that shows the next candidate with its stamp
WATCH = """
    window.times = [];
    let start = 0;
    document.addEventListener("keydown", (event) => { start = event.timeStamp; }, true);
    new MutationObserver(() => {
      const from = start;
      const picture = document.querySelector("#candidate img");
      requestAnimationFrame(() => {
        const channel = new MessageChannel();
        // a message that a frame sends arrives once it is painted
        channel.port1.onmessage = () => window.times.push([performance.now() - from, picture && picture.complete]);
        channel.port2.postMessage(0);
      });
    }).observe(document.getElementById("candidate"), { childList: true });
"""


def report(words, times):
    print(f"{words:34s} {statistics.median(times):7.0f} {statistics.quantiles(times, n=20)[-1]:7.0f} {max(times):7.0f}")


def fetch(url, address, session):
    times = []
    for _ in range(REQUESTS):
        request = urllib.request.Request(url + address, headers={"Cookie": f"sessionid={session}"})
        start = time.perf_counter()
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()
        times.append(1e3 * (time.perf_counter() - start))
    return times


def paint(url, address, session):
    from playwright.sync_api import sync_playwright

    from tests.web.live import CHROMIUM, FLAGS, wait_until

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 800})
        context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector("#review[data-ready]")
        page.wait_for_load_state("networkidle")
        page.evaluate(WATCH)
        for number in range(KEYS):
            page.keyboard.press("mniexb"[number % 6])
            wait_until(page, f"window.times.length > {number}")
            # three and a half seconds a candidate is a thousand an hour; this is twelve thousand
            page.wait_for_timeout(300)
        found = page.evaluate("window.times")
        browser.close()
    assert all(complete is not False for _, complete in found), "a stamp was not there yet"
    return [ms for ms, _ in found]


def measure(url, source, n, folder, seconds):
    os.environ |= {"RACS_TRANSIENTS_TEST_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    from racs_transients.database import inject_run
    from racs_transients.dbconfig import config_from_url

    per_image = min(n, 100_000)
    for seed in range(1, n // per_image + 1):
        inject_run(write_results(source, folder / str(seed), per_image, seed=seed), config_from_url(url))
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.db import connection

    from tests.web.crowd import Reviewer, for_seconds, summary, vote_together
    from tests.web.live import session_of, site_server
    from web_server.accounts.roles import set_role
    from web_server.candidates.models import Crossmatch, Product, Run
    from web_server.review.models import Label, Vote

    run = Run.objects.order_by("finished").first()
    Run.objects.filter(pk=run.pk).update(root=str(source))
    stamps = sorted(str(path.relative_to(source)) for path in source.glob("postage-stamps/*/*.jpg"))
    chosen = [*Crossmatch.objects.filter(run=run, ratio__gte=2).order_by("-ratio", "pk")[:2000]]
    Product.objects.bulk_create(
        Product(run=run, crossmatch=row, kind="stamp", path=f"{'./' * (i // len(stamps))}{stamps[i % len(stamps)]}")
        for i, row in enumerate(chosen if stamps else [])
    )
    people = [User.objects.create_user(f"p{number}") for number in range(22)]
    for one in people:
        set_role(one, "reviewer")
    listed, everything = f"image={run.image_id}&run={run.pk}&ratio_min=2", f"image={run.image_id}&run={run.pk}"
    first, reader = chosen[0].pk, session_of(people[0])
    labels = [*Label.objects.filter(lead_only=False).values_list("pk", flat=True)]
    print(f"{connection.vendor}, {n} rows, {len(stamps)} stamps; ms: median, 95th percentile, largest")
    with site_server(folder, workers=2, threads=4) as site:
        lonely = Reviewer(people[1].pk, session_of(people[1]))
        vote_together(site, [lonely], [row.pk for row in chosen[:200]], labels, listed, for_seconds(5))
        report("vote, one reviewer", lonely.times)
        report("page, ratio ≥ 2", fetch(site, f"/review/{first}/?{listed}", reader))
        report("part, ratio ≥ 2", fetch(site, f"/review/{first}/part/?{listed}", reader))
        report("page, all of the image", fetch(site, f"/review/{first}/?{everything}", reader))
        report("part, all of the image", fetch(site, f"/review/{first}/part/?{everything}", reader))
        report("page, all images", fetch(site, f"/review/{first}/?", reader))
        report("part, all images", fetch(site, f"/review/{first}/part/?", reader))
        report("start, 200 of all images reviewed", fetch(site, "/review/?", lonely.session))
        report("key to painted candidate", paint(site, f"/review/?{listed}", reader))
        before = Vote.objects.count()
        crowd = [Reviewer(one.pk, session_of(one)) for one in people[2:]]
        vote_together(site, crowd, [row.pk for row in chosen[:500]], labels, listed, for_seconds(seconds))
        confirmed, stored = sum(len(one.given) for one in crowd), Vote.objects.filter(active=True).count()
        print(summary(crowd, seconds))
        new, kept = Vote.objects.count() - before, Vote.objects.filter(active=True, reviewer__in=people[2:]).count()
        print(f"stored {new} of {sum(len(one.times) for one in crowd)}; active {kept} of {confirmed} ({stored} in all)")


def main() -> None:
    source, n = Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    engine, seconds = sys.argv[3] if len(sys.argv) > 3 else "sqlite", float((sys.argv + ["60"] * 5)[4])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if engine == "sqlite":
            measure(f"sqlite:///{folder / 'benchmark.sqlite3'}", source, n, folder, seconds)
            return
        found = find_binaries()
        if found is None:
            sys.exit("no PostgreSQL server is installed")
        with postgres_server(*found) as server:
            measure(server.create("benchmark").url, source, n, folder, seconds)


if __name__ == "__main__":
    main()
