"""What every address of the site answers, by who asks. A new address is written here, or a test fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLResolver, get_resolver

PEOPLE = ("anonymous", "viewer", "reviewer", "lead", "admin", "superuser")
TO_LOGIN = 302


@dataclass(frozen=True)
class Answers:
    """The status of a GET for each of ``PEOPLE``, and who may POST (None: nothing of a POST is looked at)."""

    get: tuple[int, ...]
    post_from: str | None = None


def _from(role: str, allowed: int, refused: int = 403) -> tuple[int, ...]:
    first = PEOPLE.index(role)
    return (TO_LOGIN, *(allowed if number >= first else refused for number in range(1, len(PEOPLE))))


def page(role: str = "viewer") -> Answers:
    """Give the answers of a page to be read from a role on."""
    return Answers(_from(role, 200))


def fixed(status: int, role: str = "viewer") -> Answers:
    """Give the answers of what is answered alike to everybody from a role on."""
    return Answers(_from(role, status))


def action(role: str) -> Answers:
    """Give the answers of what only takes a POST, from a role on."""
    return Answers(_from("viewer", 405), role)


OPEN = Answers((200,) * len(PEOPLE))

ADDRESSES = {
    "": page(),
    "query/": page(),
    "query/export.<slug:kind>": page(),
    "query/quickview/": page(),
    "images/<number:image_id>/": page(),
    "images/<number:image_id>/crossmatches/": page(),
    "images/<number:image_id>/crossmatches/export.<slug:kind>": page(),
    "images/<number:image_id>/crossmatches/<number:row_id>/": page(),
    "images/<number:image_id>/crossmatches/<number:row_id>/slack/": action("reviewer"),
    "images/<number:image_id>/crossmatches/<number:row_id>/samp/": page(),
    "images/<number:image_id>/crossmatches/<number:row_id>/sky/": page(),
    "images/<number:image_id>/crossmatches/<number:row_id>/talk/": page(),
    "images/<number:image_id>/crossmatches/<number:row_id>/comments/": action("reviewer"),
    "images/<number:image_id>/crossmatches/<number:row_id>/comments/<number:comment_id>/edit/": action("reviewer"),
    "images/<number:image_id>/crossmatches/<number:row_id>/comments/<number:comment_id>/delete/": action("reviewer"),
    "images/<number:image_id>/crossmatches/<number:row_id>/star/": action("viewer"),
    "images/<number:image_id>/crossmatches/quickview/": page(),
    "images/<number:image_id>/talk/": page(),
    "images/<number:image_id>/comments/": action("reviewer"),
    "images/<number:image_id>/comments/<number:comment_id>/edit/": action("reviewer"),
    "images/<number:image_id>/comments/<number:comment_id>/delete/": action("reviewer"),
    "images/<number:image_id>/claim/": action("reviewer"),
    "images/<number:image_id>/release/": action("reviewer"),
    "images/<number:image_id>/assign/": action("lead"),
    "mentions/": page(),
    "starred/": page(),
    "starred/<number:star_id>/remove/": action("viewer"),
    "search/": action("viewer"),
    "search/last/": fixed(302),
    "searches/": page(),
    "searches/save/": action("viewer"),
    "searches/<number:search_id>/delete/": action("viewer"),
    "dashboard/": page("lead"),
    "conflicts/": page("lead"),
    "conflicts/<number:subject_id>/decide/": action("lead"),
    "review/": fixed(302, "reviewer"),
    "review/session/": page("reviewer"),
    "review/keys/": action("reviewer"),
    "review/<number:row_id>/": page("reviewer"),
    "review/<number:row_id>/part/": page("reviewer"),
    "review/<number:row_id>/vote/": action("reviewer"),
    "review/<number:row_id>/undo/": action("reviewer"),
    "review/<number:row_id>/votes/": action("lead"),
    # a signature opens these, not a role: test_signed.py
    "signed/<str:token>/cutout.fits": Answers((404,) * len(PEOPLE)),
    "signed/<str:token>/crossmatches.vot": Answers((404,) * len(PEOPLE)),
    "objects/<number:object_id>/<number:image_id>/<str:survey>/": fixed(302),
    "products/<number:product_id>/": page(),
    "products/<number:product_id>/panel.png": page(),
    "slack/": page("admin"),
    "slack/retry/": action("admin"),
    "slack/<number:message_id>/retry/": action("admin"),
    "accounts/login/": Answers((200, *(302,) * 5)),
    "accounts/logout/": action("viewer"),
    "accounts/password/": page(),
    "accounts/password/done/": page(),
    "accounts/forgotten/": OPEN,
    "accounts/forgotten/sent/": OPEN,
    "accounts/new-password/<slug:uidb64>/<slug:token>/": OPEN,
    "accounts/new-password/done/": OPEN,
    "accounts/people/": page("admin"),
    "accounts/people/<number:user_id>/role/": action("admin"),
    "accounts/people/<number:user_id>/active/": action("admin"),
    "accounts/people/<number:user_id>/password-link/": action("admin"),
    "accounts/invitations/": page("lead"),
    "accounts/invitations/new/": action("lead"),
    "accounts/invitations/<number:invitation_id>/revoke/": action("lead"),
    "accounts/join/<slug:token>/": OPEN,
}

# Django's administration is for superusers, and its labels for admins: what it answers to these two, the first that
# fits. Others are sent away.
_ADMINISTRATION = (
    (r"(jsi18n/|password_change/(done/)?)?", (200, 200)),
    (r"review/label/(add/)?", (200, 200)),
    (r"review/label/<\w+(:\w+)?>/(history|change)/", (200, 200)),
    (r"auth/\w+/add/", (403, 200)),
    (r"\w+/\w+/add/", (403, 403)),
    # what people wrote is looked at, not removed
    (r"review/\w+/<\w+(:\w+)?>/delete/", (403, 403)),
    (r"\w+/\w+/<path:object_id>/", (302, 302)),
    (r"\w+/\w+/<\w+(:\w+)?>/(history|delete|change|password)/", (403, 200)),
    (r"\w+/\w+/", (403, 200)),
    (r"\^\(\?P<app_label>.*", (404, 200)),
    (r"autocomplete/", (403, 403)),
    (r"r/.*", (404, 404)),
    (r"\(\?P<url>\.\*\)\$", (404, 404)),
)
_SPECIAL = {
    "admin/login/": Answers((200,) * 4 + (302,) * 2),
    "admin/logout/": Answers((302,) * 4 + (405,) * 2),
}


def answers_of(route: str) -> Answers | None:
    """Return what is expected of an address, None where nobody has said it."""
    expected = ADDRESSES.get(route) or _SPECIAL.get(route)
    if expected is None and route.startswith("admin/"):
        inner = route.removeprefix("admin/")
        statuses = next((both for pattern, both in _ADMINISTRATION if re.fullmatch(pattern, inner)), None)
        expected = None if statuses is None else Answers((TO_LOGIN,) * 4 + statuses)
    return expected


def routes(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    """Return every address that the site knows, as its patterns say it."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, route)
        else:
            yield route
