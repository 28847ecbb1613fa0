"""The button of the source page."""

from __future__ import annotations

from typing import Any

from django import template
from django.db.models import Q

from web_server.accounts.roles import is_reviewer
from web_server.candidates.models import Crossmatch
from web_server.notify.models import Message
from web_server.notify.services import not_configured
from web_server.review.services import find_subject
from web_server.review.visibility import sees_votes

register = template.Library()
MAX_SHOWN = 5


@register.inclusion_tag("notify/button.html", takes_context=True)
def slack_button(context: dict[str, Any], row: Crossmatch) -> dict[str, Any]:
    """Show the button that sends a row, and what became of earlier messages about its object.

    Parameters
    ----------
    context : dict
        Of the page.
    row : Crossmatch
        What is shown.

    Returns
    -------
    dict
        For the template.
    """
    request = context["request"]
    user = request.user
    found = Message.objects.filter(sky_object=row.sky_object_id).select_related("sender")
    if not sees_votes(user, find_subject(row)):
        # that somebody else sent it is an opinion
        found = found.filter(sender=user.pk) if user.pk else found.none()
    shown = found.exclude(Q(state=Message.State.DROPPED))[:MAX_SHOWN]
    return {
        "row": row,
        "request": request,
        "csrf_token": context.get("csrf_token"),
        "may_send": is_reviewer(user),
        "missing": not_configured(),
        "slack_messages": shown,
    }
