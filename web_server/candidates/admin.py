"""What the pipeline wrote, in Django's administration: to look at and to delete runs, not to edit."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from web_server.candidates.models import Crossmatch, Image, Product, Run, SkyObject, SurveyRun


class WrittenByPipeline(admin.ModelAdmin):  # type: ignore[type-arg]
    """Read only; quick with a million rows."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Say no.

        Parameters
        ----------
        request : django.http.HttpRequest
            Not looked at.

        Returns
        -------
        bool
            False.
        """
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say no.

        Parameters
        ----------
        request : django.http.HttpRequest
            Not looked at.
        obj : object, optional
            Not looked at.

        Returns
        -------
        bool
            False.
        """
        return False


_LISTS: dict[type[Any], tuple[tuple[str, ...], tuple[str, ...]]] = {
    Image: (("id", "name", "ra", "dec"), ("name",)),
    Run: (("id", "image", "tag", "is_current", "finished"), ("image__name", "tag")),
    SurveyRun: (("id", "run", "survey", "n_rows", "candidates"), ()),
    SkyObject: (("id", "name", "ra", "dec"), ("name",)),
    Crossmatch: (("id", "name", "type", "survey", "ratio", "flag"), ("name",)),
    Product: (("id", "kind", "path"), ("path",)),
}
for _model, (_columns, _searched) in _LISTS.items():
    _related = tuple({"image": "image", "run": "run__image"}[name] for name in _columns if name in ("image", "run"))
    admin.site.register(
        _model,
        type(
            f"{_model.__name__}Admin",
            (WrittenByPipeline,),
            {"list_display": _columns, "search_fields": _searched, "list_select_related": _related},
        ),
    )
