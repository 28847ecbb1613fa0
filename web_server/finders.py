"""Finds the browser libraries among the static files: each file of a short list, never a whole package."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.core import checks
from django.core.files.storage import FileSystemStorage

from web_server.vendor import LIBRARIES, Library, missing_libraries


def served_below(library: Library) -> str:
    """Return where the files of a library are served.

    Parameters
    ----------
    library : Library
        The library.

    Returns
    -------
    str
        The folder below the static files.
    """
    return f"vendor/{library.name}"


class VendorFinder(BaseFinder):
    """The finder of ``vendor/<library>/<file>``."""

    def check(self, **keywords: Any) -> list[checks.CheckMessage]:
        """Say which libraries are missing that the pages cannot do without.

        Parameters
        ----------
        **keywords
            Not looked at.

        Returns
        -------
        list of django.core.checks.CheckMessage
            One where some are missing.
        """
        words = missing_libraries()
        return [checks.Warning(words, id="web_server.W001")] if words else []

    # the name of the argument and the two kinds of answer are Django's
    def find(self, path: str, find_all: bool = False, **keywords: Any) -> Any:
        """Return the file of an address.

        Parameters
        ----------
        path : str
            Below the static files.
        find_all : bool
            Return a list.
        **keywords
            The older name of ``find_all``.

        Returns
        -------
        str or list of str
            Its path; nothing where it is not on the list or not there.
        """
        found = [
            str(library.root() / name)
            for library in LIBRARIES
            for name in library.files
            if path == f"{served_below(library)}/{name}" and (library.root() / name).is_file()
        ]
        return found if find_all or keywords.get("all") else next(iter(found), [])

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        """Yield the files that are there.

        Parameters
        ----------
        ignore_patterns : iterable of str, optional
            Not looked at: the list is short.

        Yields
        ------
        name : str
            Of the file.
        storage : django.core.files.storage.FileSystemStorage
            Where it lies.
        """
        for library in LIBRARIES:
            storage = FileSystemStorage(location=library.root())
            storage.prefix = served_below(library)  # type: ignore[attr-defined]
            for name in library.files:
                if storage.exists(name):
                    yield name, storage
