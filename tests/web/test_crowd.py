"""Twenty reviewers at once lose nothing."""

from __future__ import annotations

import pytest

from tests.web.conftest import make_row, make_run
from tests.web.crowd import Reviewer, up_to, vote_together
from tests.web.live import session_of
from web_server.review.models import Event, Label, Subject, Vote

EACH = 15


@pytest.mark.slow
def test_twenty_reviewers_at_once_lose_nothing(served, person):
    run, comparison = make_run(1)
    rows = [make_row(comparison, number, is_candidate=True) for number in range(1, 11)]
    labels = [*Label.objects.filter(lead_only=False).values_list("pk", flat=True)]
    people = [person(f"p{number}") for number in range(20)]
    reviewers = [Reviewer(one.pk, session_of(one)) for one in people]
    query = f"image={run.image_id}&run={run.pk}"
    vote_together(served, reviewers, [row.pk for row in rows], labels, query, up_to(EACH))
    assert [failure for one in reviewers for failure in one.failures] == []
    given = len(people) * EACH
    # each vote that the server confirmed is there, and the last one of a reviewer on a candidate holds
    assert Vote.objects.count() == Event.objects.filter(what="vote").count() == given
    row_of = {row.sky_object_id: row.pk for row in rows}
    for one in reviewers:
        held = Vote.objects.filter(reviewer=one.number, active=True).select_related("subject")
        assert {row_of[v.subject.sky_object_id]: (v.label_id, v.note) for v in held} == one.given
    # and the states are what the votes amount to
    for subject in Subject.objects.all():
        tags = [vote.label.tag for vote in subject.votes.filter(active=True).select_related("label")]
        assert subject.n_votes == len(tags)
        agreed = "agreed" if len(tags) > 1 else "partial"
        assert subject.state == ("conflict" if len(set(tags)) > 1 else agreed)
