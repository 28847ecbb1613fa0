"""Find what appeared, vanished or changed between ASKAP images and SUMSS or NVSS.

From Python: ``run(Config(...))`` does what ``processASKAPimage.py`` does, ``read_results(folder)`` reads what came out,
``SURVEYS`` are the surveys that are built in.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from racs_transients.config import Config
    from racs_transients.pipeline import run_images as run
    from racs_transients.products import read_results
    from racs_transients.surveys import SURVEYS

__version__ = "0.1.0"
__all__ = ["SURVEYS", "Config", "__version__", "read_results", "run"]
# where the public names are; imported with their first use, for some take seconds
_HOMES = {
    "Config": ("config", "Config"),
    "SURVEYS": ("surveys", "SURVEYS"),
    "read_results": ("products", "read_results"),
    "run": ("pipeline", "run_images"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, there = _HOMES[name]
    return getattr(import_module(f"{__name__}.{module}"), there)
