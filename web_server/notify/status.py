"""What became of the messages about an object, as far as its reader may know."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from web_server.accounts.roles import is_reviewer
from web_server.candidates.models import Crossmatch
from web_server.notify.models import Message
from web_server.notify.services import not_configured

MAX_SHOWN = 5


def slack_of(row: Crossmatch, user: Any, *, sees_votes: bool) -> dict[str, Any]:
    """Return what the button and the lines below it show.

    Parameters
    ----------
    row : Crossmatch
        What is shown.
    user : django.contrib.auth.models.User or AnonymousUser
        Who looks.
    sees_votes : bool
        Whether they may know what others think: that somebody else sent it is an opinion.

    Returns
    -------
    dict
        ``may_send``, ``missing`` (what Slack still needs) and ``slack_messages``.
    """
    about = Q() if sees_votes else Q(sender=user.pk, sender__isnull=False)
    found = Message.objects.filter(about, sky_object=row.sky_object_id).exclude(state=Message.State.DROPPED)
    return {
        "may_send": is_reviewer(user),
        "missing": not_configured(),
        "slack_messages": found.select_related("sender")[:MAX_SHOWN],
    }
