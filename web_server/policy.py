"""The Content Security Policy: what a page may load, and the named exceptions that a view can ask for.

A page loads what the site itself serves and nothing else, and runs no script and no style that stands in its text.
``@relaxed(SKY_VIEWER, SAMP)`` on a view adds to that for its pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from csp.constants import NONE, SELF
from django.http import HttpRequest, HttpResponseBase

Directives = Mapping[str, Sequence[str]]
View = Callable[..., HttpResponseBase]

# each kind is named, because an exception adds to what is named, not to default-src
STRICT: dict[str, list[str]] = {
    "default-src": [SELF],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:", "blob:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "worker-src": [SELF],
    "object-src": [NONE],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
    "form-action": [SELF],
}

# Aladin Lite 3: its WebAssembly, its workers, and what it decodes.
SKY_VIEWER: Directives = {
    "script-src": ["'wasm-unsafe-eval'"],
    "worker-src": ["blob:"],
    "connect-src": ["data:", "blob:"],
}
# The hub of the reader's own machine.
SAMP: Directives = {"connect-src": ["http://127.0.0.1:21012", "http://localhost:21012"]}


def relaxed(*exceptions: Directives) -> Callable[[View], View]:
    """Return a decorator that adds exceptions to the policy of a view's pages.

    Parameters
    ----------
    *exceptions : mapping of str to sequence of str
        Such as `SAMP`.

    Returns
    -------
    callable
        The decorator.
    """
    added: dict[str, list[str]] = {}
    for exception in exceptions:
        for kind, sources in exception.items():
            added.setdefault(kind, []).extend(sources)

    return _adding(added)


def _adding(added: dict[str, list[str]]) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def answered(request: HttpRequest, *args: Any, **keywords: Any) -> HttpResponseBase:
            response = view(request, *args, **keywords)
            response._csp_update = added  # type: ignore[attr-defined]  # what django-csp's own decorator sets
            return response

        return answered

    return decorate
