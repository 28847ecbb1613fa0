"""Votes, decisions and claims: one of each holds, the rest is history, nothing is lost."""

from __future__ import annotations

import itertools
import uuid

import pytest

from tests.web.conftest import make_row, make_run
from web_server.candidates.models import Run, SurveyRun
from web_server.review import claims, services
from web_server.review.models import Claim, Decision, Event, Label, Subject, Vote
from web_server.review.services import ReviewError, find_subject
from web_server.review.visibility import LOOKED, sees_votes, visible_subjects

pytestmark = pytest.mark.django_db


@pytest.fixture
def label():
    return {label.key: label for label in Label.objects.all()}


@pytest.fixture
def row(site):
    return site["rows"][0]


def test_the_documented_labels_are_there(db):
    keys = "".join(Label.objects.values_list("key", flat=True))
    assert keys == "mnebdfcaqsotyix"
    assert sorted(Label.objects.filter(lead_only=True).values_list("tag", flat=True)) == ["maybe", "transient"]


def test_a_second_vote_replaces_the_first_which_stays_as_history(person, row, label):
    ann = person("ann")
    first = services.cast_vote(ann, row, label["m"])
    second = services.cast_vote(ann, row, label["i"], note="rises")
    votes = Vote.objects.filter(reviewer=ann)
    assert [(vote.label.key, vote.active) for vote in votes] == [("m", False), ("i", True)]
    assert second.replaces == first
    assert votes[0].ended is not None
    assert votes[0].run == row.run_id


def test_the_same_vote_twice_is_one(person, row, label):
    ann = person("ann")
    assert services.cast_vote(ann, row, label["m"]) == services.cast_vote(ann, row, label["m"])
    assert Vote.objects.count() == 1


def test_undo_brings_back_what_the_vote_replaced_step_by_step(person, row, label):
    ann = person("ann")
    for key in "mnx":
        last = services.cast_vote(ann, row, label[key])
    held = []
    while last is not None:
        held.append(last.label.key)
        last = services.withdraw_vote(ann, last)
    assert held == ["x", "n", "m"]
    assert not Vote.objects.filter(active=True).exists()
    assert Vote.objects.count() == 5
    assert find_subject(row).state == "unreviewed"


def test_nobody_takes_back_a_vote_of_others_or_one_that_no_longer_holds(person, row, label):
    ann, bob = person("ann"), person("bob")
    vote = services.cast_vote(ann, row, label["m"])
    with pytest.raises(ReviewError, match="Only the reviewer"):
        services.withdraw_vote(bob, vote)
    services.withdraw_vote(ann, vote)
    with pytest.raises(ReviewError, match="already taken back"):
        services.withdraw_vote(ann, vote)


@pytest.mark.parametrize(
    ("keys", "state", "tag"),
    [
        ("", "unreviewed", ""),
        ("m", "partial", "ignore"),
        ("mn", "agreed", "ignore"),
        ("mi", "conflict", ""),
        ("mmi", "conflict", ""),
        ("iii", "agreed", "investigate"),
    ],
)
def test_the_state_says_what_the_votes_amount_to_in_any_order(person, row, label, keys, state, tag):
    people = [person(f"p{number}") for number in range(len(keys))]
    for order in itertools.permutations(range(len(keys))):
        for number in order:
            services.cast_vote(people[number], row, label[keys[number]])
        subject = find_subject(row)
        if keys:
            assert (subject.state, subject.tag, subject.n_votes) == (state, tag, len(keys))
        else:
            assert subject is None
        for vote in Vote.objects.filter(active=True):
            services.withdraw_vote(vote.reviewer, vote)


def test_a_decision_stands_beside_the_votes(person, row, label):
    ann, lea = person("ann"), person("lea", "lead")
    services.cast_vote(ann, row, label["m"])
    decision = services.decide(lea, row, label["t"])
    subject = find_subject(row)
    assert (subject.state, subject.tag, subject.n_votes) == ("decided", "transient", 1)
    assert subject.votes.get(active=True).label == label["m"]
    services.withdraw_decision(lea, decision)
    assert find_subject(row).state == "partial"


def test_a_label_of_leads_is_no_vote_and_an_old_one_neither(person, row, label):
    Label.objects.filter(key="m").update(active=False)
    label["m"].refresh_from_db()
    for key in "tm":
        with pytest.raises(ReviewError, match="no label to vote for"):
            services.cast_vote(person(f"p{key}"), row, label[key])
    assert not Subject.objects.exists()


def test_a_new_run_of_the_image_keeps_the_votes_and_a_new_image_asks_again(person, site, row, label):
    ann = person("ann")
    services.cast_vote(ann, row, label["m"])
    rerun = Run.objects.create(id=uuid.uuid4(), image=site["run"].image, tag="again")
    comparison = SurveyRun.objects.create(run=rerun, survey=row.survey, n_rows=1, candidates=0)
    again = make_row(comparison, 1, sky_object=row.sky_object)
    other = make_row(make_run(3, survey=row.survey)[1], 1, sky_object=row.sky_object)
    assert find_subject(again) == find_subject(row)
    assert find_subject(other) is None


def test_every_change_is_recorded(person, row, label):
    ann = person("ann")
    vote = services.cast_vote(ann, row, label["m"], note="NVSS source 20″ away")
    services.withdraw_vote(ann, vote)
    given, taken = Event.objects.order_by("id")
    assert (given.who, given.what, given.before, given.after) == (
        ann, "vote", "", "ignore (is match): NVSS source 20″ away",
    )  # fmt: skip
    assert (taken.what, taken.before, taken.after) == ("vote withdrawn", given.after, "")


def test_a_reviewer_sees_others_after_voting_and_a_lead_after_asking(person, row, label):
    ann, bob, lea, vic = person("ann"), person("bob"), person("lea", "lead"), person("vic", "viewer")
    vote = services.cast_vote(ann, row, label["m"])
    subject = find_subject(row)
    assert [sees_votes(user, subject) for user in (ann, bob, lea, vic)] == [True, False, False, True]
    assert [visible_subjects(user).count() for user in (ann, bob, lea, vic)] == [1, 0, 1, 1]
    Event.objects.create(who=lea, what=LOOKED, subject=subject)
    assert sees_votes(lea, subject)
    services.withdraw_vote(ann, vote)
    assert not sees_votes(ann, subject)


def test_an_image_is_claimed_by_one(person, site):
    ann, bob, lea = person("ann"), person("bob"), person("lea", "lead")
    image = site["run"].image
    claims.claim(ann, image)
    claims.claim(ann, image)
    with pytest.raises(ReviewError, match="claimed by ann"):
        claims.claim(bob, image)
    with pytest.raises(ReviewError, match="only they or a lead"):
        claims.release(bob, image, is_lead=False)
    claims.assign(lea, image, bob)
    assert Claim.objects.get().owner == bob
    claims.release(lea, image, is_lead=True)
    assert not Claim.objects.exists()
    assert [event.what for event in Event.objects.order_by("id")] == ["claim", "assign", "release"]


def test_a_vote_that_is_sent_again_is_the_one_that_was_sent(person, row, label):
    ann, token, later = person("ann"), uuid.uuid4(), uuid.uuid4()
    first = services.cast_vote(ann, row, label["m"], token=token)
    assert services.cast_vote(ann, row, label["m"], token=token) == first
    second = services.cast_vote(ann, row, label["n"], token=later)
    # whatever became of the first meanwhile
    assert services.cast_vote(ann, row, label["m"], token=token).label == label["m"]
    assert Vote.objects.get(active=True) == second
    back = services.withdraw_vote(ann, second)
    assert (back.label, back.token) == (label["m"], token)
    assert services.cast_vote(ann, row, label["m"], token=token) == back


def test_a_decision_that_is_sent_again_is_the_one_that_was_sent(person, row, label):
    lea, token = person("lea", "lead"), uuid.uuid4()
    decision = services.decide(lea, row, label["t"], token=token)
    services.withdraw_decision(lea, decision)
    assert services.decide(lea, row, label["t"], token=token) == decision
    assert find_subject(row).state == "unreviewed"


def test_a_decision_comes_back_when_the_one_that_replaced_it_is_taken_back(person, row, label):
    lea, leo = person("lea", "lead"), person("leo", "lead")
    token, later = uuid.uuid4(), uuid.uuid4()
    services.decide(lea, row, label["t"], note="rises", token=token)
    second = services.decide(leo, row, label["y"], token=later)
    services.withdraw_decision(leo, second)
    holds = Decision.objects.get(active=True)
    assert (holds.lead, holds.label, holds.note, holds.token) == (lea, label["t"], "rises", token)
    assert (find_subject(row).state, find_subject(row).tag) == ("decided", "transient")
    last = Event.objects.first()
    assert (last.who, last.what, last.after) == (leo, "decision withdrawn", "transient (transient): rises")
    # sent again, it is the one that holds
    assert services.decide(lea, row, label["t"], note="rises", token=token) == holds
    services.withdraw_decision(lea, holds)
    assert find_subject(row).state == "unreviewed"


def test_two_leads_who_decide_the_same_have_both_decided(person, row, label):
    lea, leo = person("lea", "lead"), person("leo", "lead")
    services.decide(lea, row, label["t"])
    services.decide(leo, row, label["t"])
    services.decide(leo, row, label["t"])
    given = Decision.objects.order_by("id").values_list("lead__username", "active")
    assert [*given] == [("lea", False), ("leo", True)]
