"""What the messages say, in Slack's Block Kit. The channel is public: no vote that reviewers may not see yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.urls import reverse

from web_server.candidates.display import limit_sign
from web_server.candidates.links import links_at
from web_server.candidates.models import Crossmatch, Run
from web_server.notify.models import Message
from web_server.notify.services import INVESTIGATE_TAG
from web_server.review.models import Decision, Subject
from web_server.review.services import find_subject

_LONGEST_HEADER = 150  # of Slack
_LINKED = ("SIMBAD", "NED")
_SHOWN_STATES = (Subject.State.AGREED, Subject.State.DECIDED)
Block = dict[str, Any]


class NothingToSay(Exception):  # noqa: N818 - no error: what the message was about is gone
    """What a message was about no longer holds; the text says why."""


@dataclass(frozen=True, slots=True)
class Post:
    """A message as Slack takes it.

    Parameters
    ----------
    text : str
        For notices of a telephone.
    blocks : tuple of dict
        Block Kit.
    stamp : pathlib.Path or None
        The picture for its thread.
    title : str
        Of the picture.
    """

    text: str
    blocks: tuple[Block, ...]
    stamp: Path | None = None
    title: str = ""


def compose(message: Message) -> Post:
    """Return what a message says now.

    Parameters
    ----------
    message : Message
        Of the queue.

    Returns
    -------
    Post
        The post.

    Raises
    ------
    NothingToSay
        If what it was about is gone or taken back.
    """
    return _COMPOSERS[message.kind](message)


def _candidate(message: Message) -> Post:
    run, match_id = UUID(str(message.payload["run"])), message.payload["match_id"]
    row = _rows().filter(run=run, match_id=match_id).first()
    return _about_row(row, f"Sent by {message.sender}")


def _first_investigate(message: Message) -> Post:
    subject = Subject.objects.filter(pk=message.payload["subject"]).first()
    if subject is None or not subject.votes.filter(active=True, label__tag=INVESTIGATE_TAG).exists():
        raise NothingToSay("the vote was taken back")
    return _about_row(_newest_row(subject), "A reviewer wants to investigate this")


def _decision(message: Message) -> Post:
    decisions = Decision.objects.filter(pk=message.payload["decision"], active=True)
    decision = decisions.select_related("subject", "label", "lead").first()
    if decision is None:
        raise NothingToSay("the decision was taken back or replaced")
    note = f": {decision.note}" if decision.note else ""
    return _about_row(_newest_row(decision.subject), f"Decided by {decision.lead}: {decision.label}{note}")


def _run(message: Message) -> Post:
    run = Run.objects.select_related("image").filter(pk=UUID(str(message.payload["run"]))).first()
    if run is None:
        raise NothingToSay("the run is no longer in the database")
    searched = run.survey_runs.exclude(n_rows=None)
    parts = [f"*{part.survey}* {part.candidates} candidates of {part.n_rows} rows" for part in searched]
    lines = [f"Run finished{f' ({_plain(run.tag)})' if run.tag else ''}", *(parts or ["No transient search was made."])]
    blocks: list[Block] = [_header(run.image.name), _section("\n".join(lines))]
    page = _page("image", run.image_id, query=f"?run={run.pk}")
    if page:
        blocks.append(_buttons([("Open the image", page)]))
    return Post(f"Run finished: {_plain(run.image.name)}", tuple(blocks))


_COMPOSERS: dict[str, Callable[[Message], Post]] = {
    Message.Kind.CANDIDATE: _candidate,
    Message.Kind.RUN: _run,
    Message.Kind.INVESTIGATE: _first_investigate,
    Message.Kind.DECISION: _decision,
}


def _rows() -> Any:
    return Crossmatch.objects.select_related("run__image", "sky_object")


def _newest_row(subject: Subject) -> Crossmatch | None:
    rows = _rows().filter(sky_object=subject.sky_object_id, run__image=subject.image_id, survey=subject.survey)
    found: Crossmatch | None = rows.order_by("-run__is_current", F("run__finished").desc(nulls_last=True), "id").first()
    return found


def _about_row(row: Crossmatch | None, why: str) -> Post:
    """Return a post with the documented numbers, the links, and the stamp where there is one."""
    if row is None:
        raise NothingToSay("the row is no longer in the database")
    name = row.name or row.sky_object.name or f"row {row.match_id}"
    links = [(service, address) for service, address in links_at(row.ra, row.dec) if service in _LINKED]
    page = _page("source", row.run.image_id, row.pk)
    buttons = [("Open the page", page), *links] if page else links
    blocks = (
        _header(name),
        {"type": "section", "fields": [_mrkdwn(f"*{title}*\n{_plain(text)}") for title, text in _numbers(row)]},
        {"type": "context", "elements": [_mrkdwn(_plain(f"{why} · {row.run.image.name}"))]},
        _buttons(buttons),
    )
    product = row.products.filter(kind="stamp").select_related("run").first()
    return Post(f"{_plain(name)}: {_plain(why)}", blocks, product.file() if product else None, name)


def _numbers(row: Crossmatch) -> list[tuple[str, str]]:
    """Return the documented numbers, at most the ten that Slack shows."""
    return [
        ("RA, Dec", f"{row.ra:.3f}, {row.dec:.3f} deg"),
        ("l, b", f"{_fixed(row.gal_l, 3)}, {_fixed(row.gal_b, 3)} deg"),
        ("Type and survey", f"{row.type}, {row.survey}"),
        ("Flux ratio", f"{limit_sign(row, 'ratio')}{_fixed(row.ratio)}"),
        ("Scaled ASKAP flux", f"{_fixed(row.askap_scaled_flux)} mJy"),
        (f"{row.survey} flux", f"{limit_sign(row, 'ref_flux')}{_fixed(row.ref_flux)} mJy"),
        ("Vs", _fixed(row.vs)),
        ("m", _fixed(row.m)),
        ("Pipeline flag", row.flag),
        ("Reviewers", _consensus(row)),
    ]


def _consensus(row: Crossmatch) -> str:
    subject = find_subject(row)
    if subject is None or subject.state not in _SHOWN_STATES:
        return "not agreed yet"
    return f"{subject.tag} ({subject.state})"


def _fixed(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _page(name: str, *arguments: int, query: str = "") -> str:
    """Return the public address of a page; empty where the site's own is not known."""
    return f"{settings.SITE_URL}{reverse(name, args=arguments)}{query}" if settings.SITE_URL else ""


def _plain(text: str) -> str:
    """Return text without the three signs that mean something to Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def _header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text[:_LONGEST_HEADER], "emoji": False}}


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _buttons(links: Sequence[tuple[str, str]]) -> Block:
    elements = [
        {"type": "button", "text": {"type": "plain_text", "text": words}, "url": address, "action_id": f"link{number}"}
        for number, (words, address) in enumerate(links)
    ]
    return {"type": "actions", "elements": elements}
