"""The review page: one candidate of a list after the other, each with a vote."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from racs_transients.flags import FLAGS
from racs_transients.plots import layout
from web_server.accounts.roles import is_lead, reviewer_required
from web_server.candidates.display import COLUMNS, Value, sexagesimal, text_of, tooltip
from web_server.candidates.lists import place_in_list
from web_server.candidates.models import Crossmatch, Product
from web_server.review.models import MAX_NOTE, Decision, Event, Label, Preferences, Vote
from web_server.review.opinions import looked_at, opinions_on
from web_server.review.queue import ReviewList, check_parent, read_list
from web_server.review.services import (
    ReviewError,
    cast_vote,
    decide,
    find_subject,
    withdraw_decision,
    withdraw_vote,
)
from web_server.review.visibility import LOOKED

AHEAD = 3
LONGEST_LOOK = 86400.0
# as a page says it: object, image and survey
_SUBJECT = re.compile(r"(\d{1,18}) (\d{1,18}) ([^\0]+)")
# columns with their uncertainty, where they have one
KEY_NUMBERS = (
    ("ratio", "ratio_err"),
    ("vs", ""),
    ("m", ""),
    ("askap_flux", "askap_flux_err"),
    ("askap_scaled_flux", "askap_scaled_flux_err"),
    ("ref_flux", "ref_flux_err"),
    ("native_flux", "native_flux_err"),
    ("askap_snr", ""),
    ("ref_snr", ""),
    ("predicted_snr", ""),
    ("separation", ""),
    ("askap_nn_separation", ""),
    ("ref_nn_separation", ""),
    ("bright_separation", ""),
    ("bright_flux", ""),
    ("distance_from_centre", ""),
)


class JudgementForm(forms.Form):
    """What the page says with a label."""

    label = forms.ModelChoiceField(Label.objects.filter(active=True))
    note = forms.CharField(max_length=MAX_NOTE, required=False)
    seconds = forms.FloatField(min_value=0, max_value=LONGEST_LOOK, required=False)
    token = forms.UUIDField(required=False)
    reviewer = forms.IntegerField()


class UndoForm(forms.Form):
    """Which of one's own votes is taken back: that of the token or the number, else the active one."""

    token = forms.UUIDField(required=False)
    vote = forms.IntegerField(required=False)
    decision = forms.IntegerField(required=False)
    reviewer = forms.IntegerField()


@never_cache
@require_GET
@reviewer_required
def start(request: HttpRequest) -> HttpResponse:
    """Go to the first candidate of a list that the user has not reviewed, or to the one at a place.

    Parameters
    ----------
    request : django.http.HttpRequest
        The list, and ``number``.

    Returns
    -------
    django.http.HttpResponse
        A redirect to the candidate; a page where none is left.
    """
    chosen = read_list(request)
    if chosen.of_image:
        check_parent(chosen)
    if not chosen.valid:
        # the list says what is wrong with its filters
        return redirect(_list_address(chosen))
    number = request.GET.get("number", "")
    row = chosen.numbered(int(number)) if number.isdecimal() and len(number) < 10 else chosen.first(request.user)  # type: ignore[arg-type]
    if row is None:
        context = {"list": chosen, "total": chosen.rows.count(), "list_address": _list_address(chosen)}
        return render(request, "review/review_done.html", context)
    return redirect(_address("review_row", row.pk, chosen))


@never_cache
@require_GET
@reviewer_required
def review_row(request: HttpRequest, row_id: int) -> HttpResponse:
    """Show one candidate with everything around it.

    Parameters
    ----------
    request : django.http.HttpRequest
        The list.
    row_id : int
        A row of the run, or of the current runs, that the address names.

    Returns
    -------
    django.http.HttpResponse
        The page.
    """
    chosen = read_list(request)
    keys = Preferences.objects.filter(user=request.user.pk).values("keys")[:1]
    row = _row_of(chosen, row_id, keys=Subquery(keys), looked=looked_at(request.user))  # type: ignore[arg-type]
    context = _part(request, chosen, row)
    done = chosen.done(request.user)  # type: ignore[arg-type]
    # an address may name a row that its list has not
    left = max(context["total"] - done, 0)
    context |= {"left": left, "done": done, "list_address": _list_address(chosen)}
    context["keys_on"] = row.keys is not False  # type: ignore[attr-defined]
    return render(request, "review/review.html", context)


@never_cache
@require_GET
@reviewer_required
def part(request: HttpRequest, row_id: int) -> HttpResponse:
    """Return what the page changes from candidate to candidate.

    Parameters
    ----------
    request : django.http.HttpRequest
        The list.
    row_id : int
        As in `review_row`.

    Returns
    -------
    django.http.HttpResponse
        A piece of HTML.
    """
    chosen = read_list(request)
    row = _row_of(chosen, row_id, looked=looked_at(request.user))  # type: ignore[arg-type]
    return render(request, "review/review_part.html", _part(request, chosen, row))


@never_cache
@require_GET
@reviewer_required
def session(request: HttpRequest) -> JsonResponse:
    """Return who is logged in, and the token that their changes need: logging in again changes it.

    Parameters
    ----------
    request : django.http.HttpRequest
        Who asks.

    Returns
    -------
    django.http.JsonResponse
        ``reviewer`` and ``token``.
    """
    return JsonResponse({"reviewer": request.user.pk, "token": get_token(request)})


@require_POST
@reviewer_required
def vote(request: HttpRequest, row_id: int) -> HttpResponse:
    """Record a vote, or a decision where the label is one of leads.

    Parameters
    ----------
    request : django.http.HttpRequest
        The list; the fields of `JudgementForm`; ``subject`` and ``name`` as the page has them.
    row_id : int
        A row of the image, or of any, that the address names; of an earlier run too.

    Returns
    -------
    django.http.HttpResponse
        JSON for the page's script; else a redirect to the next candidate.
    """
    chosen = read_list(request)
    row = _judged_row(request, chosen, row_id)
    form = JudgementForm(request.POST)
    if not form.is_valid():
        return _refuse(request, chosen, row, _complaint(form))
    given = form.cleaned_data
    if given["reviewer"] != request.user.pk:
        return _refuse_other(request, chosen, row)
    label, words = given["label"], {"note": given["note"], "token": given["token"]}
    try:
        if label.lead_only and is_lead(request.user):
            decide(request.user, row, label, **words)  # type: ignore[arg-type]
        else:
            cast_vote(request.user, row, label, seconds=given["seconds"], **words)  # type: ignore[arg-type]
    except ReviewError as error:
        return _refuse(request, chosen, row, str(error))
    if _wants_json(request):
        return JsonResponse({"saved": True})
    here = _address("review_row", row.pk, chosen)
    messages.success(request, format_html('Saved: {}, <a href="{}">{}</a>.', label.words, here, row.name))
    ahead = chosen.ahead(request.user, row, 1)  # type: ignore[arg-type]
    return redirect(_address("review_row", ahead[0], chosen) if ahead else f"{reverse('review')}?{chosen.address}")


@require_POST
@reviewer_required
def undo(request: HttpRequest, row_id: int) -> HttpResponse:
    """Take back one's own vote or decision on a candidate.

    Parameters
    ----------
    request : django.http.HttpRequest
        The list; the fields of `UndoForm`; ``subject`` and ``name`` as in `vote`.
    row_id : int
        As in `vote`.

    Returns
    -------
    django.http.HttpResponse
        JSON for the page's script, also where it was taken back before; else a redirect to the candidate.
    """
    chosen = read_list(request)
    row = _judged_row(request, chosen, row_id)
    form = UndoForm(request.POST)
    if not form.is_valid():
        return _refuse(request, chosen, row, _complaint(form))
    if form.cleaned_data["reviewer"] != request.user.pk:
        return _refuse_other(request, chosen, row)
    token, vote_id, decision_id = (form.cleaned_data[name] for name in ("token", "vote", "decision"))
    which: dict[str, Any] = {"subject": find_subject(row), "active": True} | ({"token": token} if token else {})
    votes = Vote.objects.filter(reviewer=request.user.pk, **which).select_related("replaces")
    decisions = Decision.objects.filter(lead=request.user.pk, **which).select_related("replaces")
    if vote_id or decision_id:
        # a second click finds what was shown gone, and takes back nothing beneath it
        votes, decisions = votes.filter(pk=vote_id), decisions.filter(pk=decision_id)
    own_vote, own_decision = votes.first(), decisions.first()
    try:
        if own_vote is not None:
            withdraw_vote(request.user, own_vote)  # type: ignore[arg-type]
        elif own_decision is not None:
            withdraw_decision(request.user, own_decision)  # type: ignore[arg-type]
    except ReviewError as error:
        return _refuse(request, chosen, row, str(error))
    return JsonResponse({"saved": True}) if _wants_json(request) else redirect(_address("review_row", row.pk, chosen))


@require_POST
@reviewer_required
def look(request: HttpRequest, row_id: int) -> HttpResponse:
    """Show a lead the votes on a candidate before they voted, and record that they looked.

    Parameters
    ----------
    request : django.http.HttpRequest
        The list.
    row_id : int
        As in `review_row`.

    Returns
    -------
    django.http.HttpResponse
        A redirect to the candidate.
    """
    chosen = read_list(request)
    row = _row_of(chosen, row_id)
    if not is_lead(request.user):
        return render(request, "403.html", status=403)
    subject = find_subject(row)
    if subject is None:
        messages.info(request, "Nobody has voted on it yet.")
    else:
        Event.objects.create(
            who=request.user,  # type: ignore[misc]
            what=LOOKED,
            subject=subject,
            sky_object_id=subject.sky_object_id,
            image_id=subject.image_id,
        )
    return redirect(_address("review_row", row.pk, chosen))


@require_POST
@reviewer_required
def keys(request: HttpRequest) -> HttpResponse:
    """Switch the keys of the review page on or off for oneself.

    Parameters
    ----------
    request : django.http.HttpRequest
        ``on`` is 1 or 0; ``row`` and the list say where to go back to.

    Returns
    -------
    django.http.HttpResponse
        JSON for the page's script; else a redirect to the review page.
    """
    on = request.POST.get("on") == "1"
    Preferences.objects.update_or_create(user=request.user, defaults={"keys": on})  # type: ignore[misc]
    if _wants_json(request):
        return JsonResponse({"saved": True})
    chosen = read_list(request)
    row = request.POST.get("row", "")
    known = row.isdecimal() and len(row) < 19
    return redirect(_address("review_row", int(row), chosen) if known else reverse("review"))


def _row_of(chosen: ReviewList, row_id: int, **more: Any) -> Crossmatch:
    """Return a row that the list's run, or the current runs, have, with its postage stamp."""
    stamps = Product.objects.filter(crossmatch=OuterRef("pk"), kind="stamp")
    rows: QuerySet[Crossmatch] = chosen.within.select_related("run__image").annotate(
        stamp_id=Subquery(stamps.values("pk")[:1]), stamp_path=Subquery(stamps.values("path")[:1]), **more
    )
    return get_object_or_404(rows, pk=row_id)


def _judged_row(request: HttpRequest, chosen: ReviewList, row_id: int) -> Crossmatch:
    """Return the row that a vote is on; of a run that was written again, the one of the same subject."""
    rows = chosen.judged.select_related("run__image")
    row = rows.filter(pk=row_id).first()
    subject = _SUBJECT.fullmatch(request.POST.get("subject", ""))
    if row is None and subject:
        same = rows.filter(sky_object=int(subject[1]), run__image=int(subject[2]), survey=subject[3])
        row = same.order_by("-run__is_current", F("run__finished").desc(nulls_last=True), "pk").first()
    # another database, served at the same address, has other candidates under the same numbers
    if row is None or request.POST.get("name", row.name) != row.name:
        raise Http404("There is no such candidate.")
    return row


def _part(request: HttpRequest, chosen: ReviewList, row: Any) -> dict[str, Any]:
    stamp = Product(pk=row.stamp_id, run=row.run, path=row.stamp_path) if row.stamp_id else None
    labels = Label.objects.filter(active=True)
    offered = [label for label in labels if is_lead(request.user) or not label.lead_only]
    groups: dict[str, list[Label]] = {}
    for label in offered:
        groups.setdefault(label.group, []).append(label)
    return {
        "row": row,
        "image": row.run.image,
        "list": chosen,
        "position": sexagesimal(row.ra, row.dec),
        "flags": [flag for flag in FLAGS if row.flag_bits and row.flag_bits >> flag.bit & 1],
        "numbers": [_number(row, *names) for names in KEY_NUMBERS if getattr(row, names[0]) is not None],
        "stamp": stamp,
        "stamp_there": stamp is not None and stamp.file() is not None,
        "layout": layout,
        "groups": groups,
        "max_note": MAX_NOTE,
        "opinions": opinions_on(row, request.user, looked=row.looked),  # type: ignore[arg-type]
        "ahead": chosen.ahead(request.user, row, AHEAD),  # type: ignore[arg-type]
        **place_in_list(chosen.rows, row, chosen.order),
    }


def _number(row: Crossmatch, name: str, error: str) -> Value:
    column = COLUMNS[name]
    text = text_of(row, column)
    if error and getattr(row, error) is not None:
        text += f" ± {text_of(row, COLUMNS[error])}"
    words = name.replace("ref_", "survey ").replace("askap_", "ASKAP ").replace("native_", "full resolution ")
    return Value(words.replace("_", " "), column.unit, tooltip(column), (text,))


def _address(name: str, row_id: int, chosen: ReviewList) -> str:
    return f"{reverse(name, args=(row_id,))}?{chosen.address}"


def _list_address(chosen: ReviewList) -> str:
    query = chosen.query.copy()
    # the query's own filter also takes a part of an image's name
    page = reverse("crossmatches", args=(int(query.pop("image")[-1]),)) if chosen.of_image else reverse("query")
    return f"{page}?{query.urlencode()}"


def _wants_json(request: HttpRequest) -> bool:
    return not request.accepts("text/html")


def _complaint(form: forms.Form) -> str:
    return " ".join(f"{name}: {' '.join(map(str, errors))}" for name, errors in form.errors.items())


def _refuse(request: HttpRequest, chosen: ReviewList, row: Crossmatch, words: str) -> HttpResponse:
    """Say why nothing was saved."""
    if _wants_json(request):
        return JsonResponse({"error": words}, status=400)
    messages.error(request, words)
    return redirect(_address("review_row", row.pk, chosen))


def _refuse_other(request: HttpRequest, chosen: ReviewList, row: Crossmatch) -> HttpResponse:
    """Refuse what one person gave and another one's session sends."""
    words = (
        f"You are logged in as {request.user}; this was given by somebody else in the same browser. Nothing was saved."
    )
    if _wants_json(request):
        return JsonResponse({"error": words}, status=409)
    messages.error(request, words)
    return HttpResponseRedirect(_address("review_row", row.pk, chosen))
