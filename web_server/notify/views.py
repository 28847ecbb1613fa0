"""Sending a candidate, and the page of the queue."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from web_server.accounts.roles import admin_required, reviewer_required
from web_server.candidates.models import Crossmatch
from web_server.notify import services
from web_server.notify.models import Message
from web_server.review.back import back_to

PAGE_SIZE = 50


@require_POST
@reviewer_required
def send(request: HttpRequest, image_id: int, row_id: int) -> HttpResponse:
    """Queue a candidate for the channel.

    Parameters
    ----------
    request : django.http.HttpRequest
        ``next`` is the page to go back to.
    image_id, row_id : int
        The crossmatch; one of another image is not found.

    Returns
    -------
    django.http.HttpResponse
        Back to the page.
    """
    row = get_object_or_404(Crossmatch.objects.select_related("run"), pk=row_id, run__image_id=image_id)
    missing = services.not_configured()
    if missing:
        messages.error(request, missing)
    else:
        services.enqueue_candidate(request.user, row)  # type: ignore[arg-type]
        messages.success(request, "Queued for Slack; the state is shown beside the button.")
    return back_to(request, "source", image_id, row_id)


@require_GET
@admin_required
def queue(request: HttpRequest) -> HttpResponse:
    """Show the messages and what became of them.

    Parameters
    ----------
    request : django.http.HttpRequest
        ``state`` and ``page``.

    Returns
    -------
    django.http.HttpResponse
        The page.
    """
    found = Message.objects.select_related("sender")
    state = request.GET.get("state", "")
    if state in Message.State.values:
        found = found.filter(state=state)
    context = {
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "states": Message.State.choices,
        "state": state,
        "missing": services.not_configured(),
        "given_up": Message.objects.filter(state=Message.State.GIVEN_UP).exists(),
    }
    return render(request, "notify/queue.html", context)


@require_POST
@admin_required
def retry(request: HttpRequest, message_id: int) -> HttpResponse:
    """Queue a message again that was given up.

    Parameters
    ----------
    request : django.http.HttpRequest
        By an administrator.
    message_id : int
        The message.

    Returns
    -------
    django.http.HttpResponse
        Back to the queue.
    """
    services.retry(get_object_or_404(Message, pk=message_id))
    return redirect("slack_queue")


@require_POST
@admin_required
def retry_all(request: HttpRequest) -> HttpResponse:
    """Queue everything again that was given up.

    Parameters
    ----------
    request : django.http.HttpRequest
        By an administrator.

    Returns
    -------
    django.http.HttpResponse
        Back to the queue.
    """
    messages.success(request, f"{services.retry_all()} messages are queued again.")
    return redirect("slack_queue")
