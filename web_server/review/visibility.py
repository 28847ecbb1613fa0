"""What one reviewer may see of the others: nothing, before their own vote is in.

Who votes is blind on every page, fragment, filter and export until they have voted. Viewers cannot vote and see all.
Leads see all in lists, because they decide over the votes, but on the page of a candidate they are as blind as any
reviewer until they vote or ask for the votes, which is recorded.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from web_server.accounts.roles import is_lead, is_reviewer
from web_server.review.models import Event, Subject, Vote

LOOKED = "looked at the votes"


def visible_subjects(user: Any) -> QuerySet[Subject]:
    """Return the subjects whose votes a user may see in lists, filters and exports.

    Parameters
    ----------
    user : django.contrib.auth.models.User or AnonymousUser
        Who looks.

    Returns
    -------
    django.db.models.QuerySet
        Subjects; none for who is not logged in.
    """
    if not user.is_authenticated:
        return Subject.objects.none()
    if is_lead(user) or not is_reviewer(user):
        return Subject.objects.all()
    own = Vote.objects.filter(subject=OuterRef("pk"), reviewer=user, active=True)
    return Subject.objects.filter(Exists(own))


def sees_votes(user: Any, subject: Subject | None) -> bool:
    """Return whether the page of a candidate shows a user what the others think.

    Parameters
    ----------
    user : django.contrib.auth.models.User or AnonymousUser
        Who looks.
    subject : Subject or None
        What is shown; None where nobody has judged it.

    Returns
    -------
    bool
        Whether votes, decision, consensus and comments are shown.
    """
    voted = looked = False
    if subject is not None and is_reviewer(user):
        voted = subject.votes.filter(reviewer=user, active=True).exists()
        looked = not voted and is_lead(user) and Event.objects.filter(who=user, subject=subject, what=LOOKED).exists()
    return opens(user, voted=voted, looked=looked)


def opens(user: Any, *, voted: bool, looked: bool) -> bool:
    """Return whether a user sees what the others think of a subject, by what they did with it.

    Parameters
    ----------
    user : django.contrib.auth.models.User or AnonymousUser
        Who looks.
    voted : bool
        Whether their own vote is in.
    looked : bool
        Whether they asked for the votes; it opens them to leads only.

    Returns
    -------
    bool
        Whether votes, decision, consensus and comments are shown.
    """
    if not user.is_authenticated:
        return False
    return not is_reviewer(user) or voted or (looked and is_lead(user))
