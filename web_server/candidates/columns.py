"""Model fields that take type and help text from the schema of the pipeline."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models

from racs_transients.schema import Column


class _Described:
    """A field whose wording makes no migration."""

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, _, arguments, keywords = super().deconstruct()  # type: ignore[misc]
        keywords.pop("help_text", None)
        # in a migration it is the ordinary field
        ordinary = next(c for c in type(self).__mro__ if c.__module__.startswith("django.db.models"))
        return name, f"django.db.models.{ordinary.__name__}", arguments, keywords


class FloatColumn(_Described, models.FloatField):  # type: ignore[type-arg]
    """A number; missing is NULL."""


class IntegerColumn(_Described, models.BigIntegerField):  # type: ignore[type-arg]
    """A whole number; missing is NULL."""


class TextColumn(_Described, models.TextField):  # type: ignore[type-arg]
    """Words; missing is empty."""


class BooleanColumn(_Described, models.BooleanField):  # type: ignore[type-arg]
    """Yes or no."""


_FIELDS: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "float": (FloatColumn, {"null": True}),
    "int": (IntegerColumn, {"null": True}),
    "str": (TextColumn, {"db_default": ""}),
    "bool": (BooleanColumn, {"db_default": False}),
}


class ColumnFields:
    """Makes model fields from the columns of one table of the schema.

    Parameters
    ----------
    columns : iterable of Column
        The table.
    """

    def __init__(self, columns: Iterable[Column]) -> None:
        self._columns = {column.name: column for column in columns}

    def __call__(self, name: str, **options: Any) -> Any:
        """Return the field of a column.

        Parameters
        ----------
        name : str
            Name of the column.
        **options
            Options of the field beside type, help text and missing value.

        Returns
        -------
        django.db.models.Field
            The field.
        """
        column = self._columns[name]
        kind, defaults = _FIELDS[column.dtype]
        unit = f" ({column.unit})" if column.unit else ""
        return kind(help_text=column.description + unit, blank=True, **(defaults | options))
