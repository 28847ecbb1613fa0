"""What the addresses of the site may hold."""

from __future__ import annotations

from django.urls.converters import IntConverter


class NumberConverter(IntConverter):
    """A number of the database; longer ones than it holds fit no address."""

    regex = "[0-9]{1,18}"
