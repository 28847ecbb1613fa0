"""The key that signs sessions: from the environment, else from a file that only the user may read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from racs_transients.dbconfig import DbConfig

VARIABLE = "RACS_TRANSIENTS_SECRET_KEY"


def key_file(db: DbConfig) -> Path:
    """Return where the key is kept.

    Parameters
    ----------
    db : DbConfig
        The site's database.

    Returns
    -------
    pathlib.Path
        Beside a SQLite file, else in the user's state folder.
    """
    if db.path is not None:
        return db.path.with_name(db.path.name + ".secret_key")
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
    return state / "racs_transients" / "secret_key"


def secret_key(db: DbConfig) -> str:
    """Return the key, made at the first use.

    Parameters
    ----------
    db : DbConfig
        The site's database.

    Returns
    -------
    str
        The same for every process of the site.

    Raises
    ------
    ImproperlyConfigured
        If the file cannot be written or read.
    """
    given = os.environ.get(VARIABLE)
    if given:
        return given
    path = key_file(db)
    try:
        return _kept(path)
    except OSError as error:
        raise ImproperlyConfigured(
            f"The key that signs sessions cannot be kept in {path} ({error.strerror or error}): set {VARIABLE}."
        ) from error


def _kept(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = secrets.token_urlsafe(50)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    if not path.exists():
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
            stream.write(made)
        try:
            # the first of several processes wins, and no one reads half a key
            os.link(part, path)
        except FileExistsError:
            pass
        finally:
            part.unlink()
    return path.read_text(encoding="utf-8")
