"""The filters by what people said; who has not voted on a candidate filters by nothing that others said of it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import django_filters as df
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, OuterRef, Q, QuerySet

from web_server.review.models import Decision, Label, Star, Subject, Vote
from web_server.review.visibility import visible_subjects

UNREVIEWED = Subject.State.UNREVIEWED
_CHOICES = (("", "any"), ("true", "yes"), ("false", "no"))


def yes_or_no(label: str, **options: Any) -> df.TypedChoiceFilter:
    """Return a filter of three choices.

    Parameters
    ----------
    label : str
        Of the field.
    **options
        Those of the filter.

    Returns
    -------
    django_filters.TypedChoiceFilter
        Any, yes or no.
    """
    return df.TypedChoiceFilter(choices=_CHOICES, coerce="true".__eq__, label=label, **options)


def as_choices(words: Iterable[str]) -> list[tuple[str, str]]:
    """Return words as the choices of a field.

    Parameters
    ----------
    words : iterable of str
        Words.

    Returns
    -------
    list of (str, str)
        Each once.
    """
    return [(word, word) for word in dict.fromkeys(words)]


def rows_of(rows: QuerySet[Any], subjects: QuerySet[Subject]) -> QuerySet[Any]:
    """Return the rows that belong to one of some subjects.

    Parameters
    ----------
    rows : django.db.models.QuerySet of Crossmatch
        Rows.
    subjects : django.db.models.QuerySet of Subject
        Subjects.

    Returns
    -------
    django.db.models.QuerySet
        Rows.
    """
    # few rows are judged: their objects come first, by the index of the rows' objects
    return rows.filter(Exists(_of_row(subjects)), sky_object__in=subjects.values("sky_object"))


def rows_not_of(rows: QuerySet[Any], subjects: QuerySet[Subject]) -> QuerySet[Any]:
    """Return the rows that belong to none of some subjects.

    Parameters
    ----------
    rows : django.db.models.QuerySet of Crossmatch
        Rows.
    subjects : django.db.models.QuerySet of Subject
        Subjects.

    Returns
    -------
    django.db.models.QuerySet
        Rows.
    """
    return rows.filter(~Exists(_of_row(subjects)))


def _of_row(subjects: QuerySet[Subject]) -> QuerySet[Subject]:
    return subjects.filter(sky_object=OuterRef("sky_object"), image=OuterRef("run__image"), survey=OuterRef("survey"))


class ReviewFilter(df.FilterSet):  # type: ignore[misc]
    """Filters of rows by votes and decisions. It needs the ``request``: without one, nobody has said anything.

    Parameters
    ----------
    *args, **keywords
        Those of `django_filters.FilterSet`.
    """

    tag = df.MultipleChoiceFilter(choices=(), label="tag", method="no_filter")
    reason = df.MultipleChoiceFilter(choices=(), label="reason", method="no_filter")
    reviewed_by = df.ChoiceFilter(choices=(), label="reviewed by", method="no_filter", empty_label="any")
    state = df.MultipleChoiceFilter(
        choices=[(value, label.lower()) for value, label in Subject.State.choices],
        label="state of the review",
        method="filter_state",
        help_text="As far as you may see it: what you have not voted on counts as unreviewed",
    )
    mine = yes_or_no("reviewed by me", method="filter_mine")
    starred = yes_or_no("starred by me", method="filter_starred")

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        # asked for only where they are shown, or something is chosen
        self.filters["tag"].extra["choices"] = lambda: as_choices(tag for tag, _ in self._labels)
        self.filters["reason"].extra["choices"] = lambda: as_choices(reason for _, reason in self._labels)
        self.filters["reviewed_by"].extra["choices"] = lambda: as_choices(self._people)

    @cached_property
    def _labels(self) -> list[tuple[str, str]]:
        return [*Label.objects.values_list("tag", "reason")]

    @cached_property
    def _people(self) -> list[str]:
        if not self.user.is_authenticated:
            return []
        voting = Exists(Vote.objects.filter(reviewer=OuterRef("pk"), active=True))
        deciding = Exists(Decision.objects.filter(lead=OuterRef("pk"), active=True))
        return [*User.objects.filter(voting | deciding).order_by("username").values_list("username", flat=True)]

    @property
    def user(self) -> Any:
        """Who asks."""
        return getattr(self.request, "user", None) or AnonymousUser()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows that fit, those of tag, reason and reviewer by one and the same vote or decision.

        Parameters
        ----------
        queryset : django.db.models.QuerySet
            Rows.

        Returns
        -------
        django.db.models.QuerySet
            Rows.
        """
        rows: QuerySet[Any] = super().filter_queryset(queryset)
        asked = {name: self.form.cleaned_data.get(name) for name in ("tag", "reason", "reviewed_by")}
        if not any(asked.values()):
            return rows
        said = Q(active=True, subject=OuterRef("pk"))
        if asked["tag"]:
            said &= Q(label__tag__in=asked["tag"])
        if asked["reason"]:
            said &= Q(label__reason__in=asked["reason"])
        by = asked["reviewed_by"]
        votes = Vote.objects.filter(said, **({"reviewer__username": by} if by else {}))
        decisions = Decision.objects.filter(said, **({"lead__username": by} if by else {}))
        return rows_of(rows, visible_subjects(self.user).filter(Exists(votes) | Exists(decisions)))

    def filter_state(self, rows: QuerySet[Any], name: str, value: list[str]) -> QuerySet[Any]:
        """Return the rows of which the review is in one of some states, as the user may see it.

        Parameters
        ----------
        rows : django.db.models.QuerySet
            Rows.
        name : str
            Of the filter.
        value : list of str
            States.

        Returns
        -------
        django.db.models.QuerySet
            Rows.
        """
        if not value:
            return rows
        seen = visible_subjects(self.user)
        if UNREVIEWED in value:
            return rows_not_of(rows, seen.exclude(state__in=value))
        return rows_of(rows, seen.filter(state__in=value))

    def filter_mine(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        """Return the rows that the user has voted on, or the others.

        Parameters
        ----------
        rows : django.db.models.QuerySet
            Rows.
        name : str
            Of the filter.
        value : bool
            Whether voted ones are wanted.

        Returns
        -------
        django.db.models.QuerySet
            Rows.
        """
        own = Vote.objects.filter(subject=OuterRef("pk"), reviewer=self.user.pk, active=True)
        return (rows_of if value else rows_not_of)(rows, Subject.objects.filter(Exists(own)))

    def filter_starred(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        """Return the rows whose object the user has starred, or the others.

        Parameters
        ----------
        rows : django.db.models.QuerySet
            Rows.
        name : str
            Of the filter.
        value : bool
            Whether starred ones are wanted.

        Returns
        -------
        django.db.models.QuerySet
            Rows.
        """
        starred = Star.objects.filter(user=self.user.pk).values("sky_object")
        return rows.filter(sky_object__in=starred) if value else rows.exclude(sky_object__in=starred)

    def no_filter(self, rows: QuerySet[Any], name: str, value: object) -> QuerySet[Any]:
        """Return the rows unchanged: the field belongs to another one.

        Parameters
        ----------
        rows : django.db.models.QuerySet
            Rows.
        name, value : object
            Not looked at.

        Returns
        -------
        django.db.models.QuerySet
            The same rows.
        """
        return rows
