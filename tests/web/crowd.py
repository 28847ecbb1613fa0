"""Many reviewers at once, each with a session of their own, voting on a served site as fast as it answers."""

from __future__ import annotations

import re
import statistics
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import cycle
from urllib.parse import urlencode, urlsplit


@dataclass
class Reviewer:
    """Somebody who votes, and what the server has confirmed."""

    number: int
    session: str
    given: dict[int, tuple[int, str]] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def for_seconds(seconds):
    """Vote until some seconds have passed."""
    end = time.monotonic() + seconds
    return lambda _: time.monotonic() < end


def up_to(n):
    """Give so many votes each."""
    return lambda one: len(one.times) < n


def vote_together(url, reviewers, rows, labels, query, goes_on):
    """Let all of them vote as long as ``goes_on(reviewer)``."""
    with ThreadPoolExecutor(len(reviewers)) as pool:
        for future in [pool.submit(_vote, url, one, rows, labels, query, goes_on) for one in reviewers]:
            future.result()


def _vote(url, reviewer, rows, labels, query, goes_on):
    connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
    cookie = f"sessionid={reviewer.session}"
    connection.request("GET", f"/review/{rows[0]}/?{query}", headers={"Cookie": cookie})
    answer = connection.getresponse()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', answer.read().decode())[1]
    cookie += "; " + answer.headers["Set-Cookie"].split(";")[0]
    headers = {
        "Cookie": cookie,
        "X-CSRFToken": token,
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    # all start with the same candidates, then go round with other labels
    for turn, row in cycle(enumerate(rows)):
        if not goes_on(reviewer):
            break
        label, note = labels[(turn + reviewer.number + len(reviewer.times)) % len(labels)], f"{len(reviewer.times)}"
        values = {"label": label, "note": note, "reviewer": reviewer.number, "token": str(uuid.uuid4())}
        start = time.perf_counter()
        connection.request("POST", f"/review/{row}/vote/?{query}", urlencode(values), headers)
        answer = connection.getresponse()
        body = answer.read()
        reviewer.times.append(1e3 * (time.perf_counter() - start))
        if answer.status == 200:
            reviewer.given[row] = (label, note)
        else:
            reviewer.failures.append(f"{answer.status}: {body[:200]!r}")
    connection.close()


def summary(reviewers, seconds):
    """Return what the crowd did, in words."""
    times = [ms for one in reviewers for ms in one.times]
    failures = sum(len(one.failures) for one in reviewers)
    return (
        f"{len(reviewers)} reviewers, {seconds:g} s: {len(times)} votes, {failures} failed; "
        f"median {statistics.median(times):.0f} ms, 95th percentile {statistics.quantiles(times, n=20)[-1]:.0f} ms"
    )
