"""Writing comments and stars, and the pages of one's own mentions and stars."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_POST

from web_server.accounts.roles import reviewer_required
from web_server.candidates.models import Crossmatch, Image, SkyObject
from web_server.review import comments, stars
from web_server.review.back import back_to
from web_server.review.models import Comment, Star
from web_server.review.services import ReviewError

PAGE_SIZE = 50


class CommentForm(forms.Form):
    """The text of a comment.

    Parameters
    ----------
    data : mapping, optional
        What a browser sent.
    **keywords
        Of Django's forms.
    """

    text = forms.CharField(
        label="Comment",
        max_length=comments.MAX_COMMENT,
        widget=forms.Textarea(attrs={"rows": 3, "class": "form-control", "maxlength": comments.MAX_COMMENT}),
        error_messages={"required": "A comment needs some text."},
    )

    def __init__(self, data: Any = None, **keywords: Any) -> None:
        if data is not None:
            # a browser sends two characters for the end of a line and counts one
            data = {"text": data.get("text", "").replace("\r\n", "\n")}
        super().__init__(data, **keywords)


class _Place:
    """What a comment is on: the object of a row, or an image; and the page that shows it."""

    def __init__(self, image_id: int, row_id: int | None) -> None:
        self.sky_object: SkyObject | None = None
        self.image: Image | None = None
        self.page: tuple[Any, ...] = ("image", image_id)
        if row_id is None:
            self.image = get_object_or_404(Image, pk=image_id)
            return
        rows = Crossmatch.objects.select_related("sky_object")
        self.sky_object = get_object_or_404(rows, pk=row_id, run__image_id=image_id).sky_object
        self.page = ("source", image_id, row_id)

    def comment(self, comment_id: int) -> Comment:
        found = Comment.objects.filter(sky_object=self.sky_object, image=self.image, deleted=None)
        return get_object_or_404(found, pk=comment_id)


@require_POST
@reviewer_required
def add(request: HttpRequest, image_id: int, row_id: int | None = None) -> HttpResponse:
    """Write a comment.

    Parameters
    ----------
    request : django.http.HttpRequest
        ``text``, and the page to go back to in ``next``.
    image_id : int
        The image.
    row_id : int, optional
        A row of it, whose object is commented on; else the image is.

    Returns
    -------
    django.http.HttpResponse
        Back to the page; the text again where it cannot be taken.
    """
    place, form = _Place(image_id, row_id), CommentForm(request.POST)
    if not form.is_valid():
        return _again(request, form, place)
    text = form.cleaned_data["text"]
    comments.add_comment(request.user, text, sky_object=place.sky_object, image=place.image)  # type: ignore[arg-type]
    return back_to(request, *place.page)


@require_POST
@reviewer_required
def edit(request: HttpRequest, image_id: int, comment_id: int, row_id: int | None = None) -> HttpResponse:
    """Change one's own comment.

    Parameters
    ----------
    request : django.http.HttpRequest
        ``text``, and the page to go back to in ``next``.
    image_id, comment_id : int
        The image and the comment.
    row_id : int, optional
        A row of the image, whose object is commented on.

    Returns
    -------
    django.http.HttpResponse
        Back to the page; the text again where it cannot be taken.
    """
    place, form = _Place(image_id, row_id), CommentForm(request.POST)
    comment = place.comment(comment_id)
    if not form.is_valid():
        return _again(request, form, place)
    try:
        comments.edit_comment(request.user, comment, form.cleaned_data["text"])  # type: ignore[arg-type]
    except ReviewError as error:
        messages.error(request, str(error))
    return back_to(request, *place.page)


@require_POST
@reviewer_required
def delete(request: HttpRequest, image_id: int, comment_id: int, row_id: int | None = None) -> HttpResponse:
    """Delete one's own comment, or as a lead anybody's.

    Parameters
    ----------
    request : django.http.HttpRequest
        The page to go back to in ``next``.
    image_id, comment_id : int
        The image and the comment.
    row_id : int, optional
        A row of the image, whose object is commented on.

    Returns
    -------
    django.http.HttpResponse
        Back to the page.
    """
    place = _Place(image_id, row_id)
    try:
        comments.delete_comment(request.user, place.comment(comment_id))  # type: ignore[arg-type]
    except ReviewError as error:
        messages.error(request, str(error))
    return back_to(request, *place.page)


def _again(request: HttpRequest, form: CommentForm, place: _Place) -> HttpResponse:
    context = {"form": form, "about": place.sky_object or place.image, "next": request.POST.get("next", "")}
    return render(request, "review/comment_form.html", context, status=400)


@require_GET
def mentions(request: HttpRequest) -> HttpResponse:
    """Show the comments that name the user.

    Parameters
    ----------
    request : django.http.HttpRequest
        ``page``.

    Returns
    -------
    django.http.HttpResponse
        The page.
    """
    page = Paginator(comments.mentions_of(request.user), PAGE_SIZE).get_page(request.GET.get("page"))  # type: ignore[arg-type]
    rows = stars.newest_rows(comment.sky_object_id for comment in page if comment.sky_object_id)
    context = {"page": page, "entries": [(comment, rows.get(comment.sky_object_id or 0)) for comment in page]}
    return render(request, "review/mentions.html", context)


@require_GET
def starred(request: HttpRequest) -> HttpResponse:
    """Show the objects that the user starred.

    Parameters
    ----------
    request : django.http.HttpRequest
        ``page``.

    Returns
    -------
    django.http.HttpResponse
        The page.
    """
    found = Star.objects.filter(user=request.user.pk).select_related("sky_object")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = stars.newest_rows(one.sky_object_id for one in page)
    context = {"page": page, "entries": [(one, rows.get(one.sky_object_id)) for one in page]}
    return render(request, "review/starred.html", context)


@require_POST
def star(request: HttpRequest, image_id: int, row_id: int) -> HttpResponse:
    """Star the object of a row, or take the star away.

    Parameters
    ----------
    request : django.http.HttpRequest
        ``starred`` is 1 or 0.
    image_id, row_id : int
        The row; one of another image is not found.

    Returns
    -------
    django.http.HttpResponse
        Back to the page.
    """
    place = _Place(image_id, row_id)
    change = stars.star if request.POST.get("starred") == "1" else stars.unstar
    change(request.user, place.sky_object)  # type: ignore[arg-type]
    return back_to(request, *place.page)


@require_POST
def unstar(request: HttpRequest, star_id: int) -> HttpResponse:
    """Take a star away on the page of one's stars.

    Parameters
    ----------
    request : django.http.HttpRequest
        By whose star it is.
    star_id : int
        The star; somebody else's is not found.

    Returns
    -------
    django.http.HttpResponse
        Back to the page.
    """
    mine = get_object_or_404(Star, pk=star_id, user=request.user.pk)
    stars.unstar(request.user, mine.sky_object)  # type: ignore[arg-type]
    return back_to(request, "starred")
