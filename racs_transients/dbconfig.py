"""Which database: one description for the pipeline and the site."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from racs_transients.config import Database
from racs_transients.errors import ConfigError

URL_VARIABLE = "RACS_TRANSIENTS_DATABASE_URL"
DEFAULT_FILE = "racs_transients.sqlite3"
BUSY_TIMEOUT = 20  # seconds that a writer waits for another one
# SQLite locks are not reliable there, and its write-ahead log needs memory shared between all readers.
_NETWORK_FILESYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "gpfs", "beegfs", "ceph", "glusterfs", "afs", "9p", "fuse.sshfs"}
)


@dataclass(frozen=True, slots=True)
class DbConfig:
    """A database, by its engine and where it is.

    Parameters
    ----------
    engine : str
        ``"sqlite"`` or ``"postgresql"``.
    database : str
        Absolute path of the file, or name of the database.
    username, password, host : str
        How to reach PostgreSQL; empty ones are left to its client library (``~/.pgpass``, socket).
    port : int
        Port of PostgreSQL, 0 for its default.
    """

    engine: str
    database: str
    username: str = ""
    password: str = field(default="", repr=False)
    host: str = ""
    port: int = 0

    @property
    def url(self) -> str:
        """The address that SQLAlchemy and the environment variable take; holds the password."""
        if self.engine == "sqlite":
            return f"sqlite:///{self.database}"
        name = quote(self.username, safe="") + (f":{quote(self.password, safe='')}" if self.password else "")
        # a socket's folder is no host name
        socket = self.host.startswith("/")
        place = ("" if socket else self.host) + (f":{self.port}" if self.port else "")
        query = f"?host={quote(self.host, safe='')}" if socket else ""
        return f"postgresql+psycopg2://{name}{'@' if name else ''}{place}/{quote(self.database, safe='')}{query}"

    @property
    def path(self) -> Path | None:
        """The file of SQLite; None for PostgreSQL."""
        return Path(self.database) if self.engine == "sqlite" else None

    def describe(self) -> str:
        """Return the database in words, without the password.

        Returns
        -------
        str
            For a log line.
        """
        if self.engine == "sqlite":
            return f"SQLite file {self.database}"
        port = f":{self.port}" if self.port else ""
        return f"PostgreSQL database {self.database} on {self.host or 'the local socket'}{port}"

    def django(self) -> dict[str, Any]:
        """Return the entry of Django's ``DATABASES``.

        Returns
        -------
        dict
            For the alias ``default``.
        """
        if self.engine == "sqlite":
            return {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": self.database,
                "OPTIONS": {
                    "timeout": BUSY_TIMEOUT,
                    # a transaction that may write waits for its turn at its start, not in its middle
                    "transaction_mode": "IMMEDIATE",
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
                },
            }
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": self.database,
            "USER": self.username,
            "PASSWORD": self.password,
            "HOST": self.host,
            "PORT": self.port or "",
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            # a page's queries are too short to be worth compiling; the indexes that serve them stay in memory; a
            # bitmap of a million rows fits into its memory, so that it names rows and not whole blocks
            "OPTIONS": {"options": "-c jit=off -c random_page_cost=1.1 -c work_mem=32MB"},
        }


def sqlite_config(path: str | Path) -> DbConfig:
    """Return the description of a SQLite file.

    Parameters
    ----------
    path : str or pathlib.Path
        The file, relative to where the user stands; it need not exist.

    Returns
    -------
    DbConfig
        With an absolute path.
    """
    return DbConfig("sqlite", str(Path(path).expanduser().absolute()))


def config_from_url(url: str) -> DbConfig:
    """Return the description that an address gives.

    Parameters
    ----------
    url : str
        ``sqlite:///file``, ``sqlite:////absolute/file`` or
        ``postgresql://user:password@host:port/name`` (``?host=/folder`` for a socket).

    Returns
    -------
    DbConfig
        The database.

    Raises
    ------
    ConfigError
        If it is no such address.
    """
    scheme, separator, rest = url.partition("://")
    engine = scheme.partition("+")[0]
    if engine == "sqlite" and separator and len(rest) > 1 and rest.startswith("/"):
        return sqlite_config(unquote(rest[1:]))
    try:
        parts = urlsplit(url)
        port = parts.port or 0
    except ValueError as error:
        raise ConfigError(f"The address of the database has no valid port ({error}).") from error
    name = unquote(parts.path.strip("/"))
    if engine not in ("postgresql", "postgres") or not name:
        raise ConfigError(
            f"The address of the database is sqlite:///FILE or postgresql://USER@HOST:PORT/NAME, not one that "
            f"starts with {scheme[:20]!r} and names {name!r}; see {URL_VARIABLE}."
        )
    query = dict(item.partition("=")[::2] for item in parts.query.split("&") if item)
    return DbConfig(
        "postgresql",
        name,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        unquote(query.get("host", "")) or parts.hostname or "",
        port,
    )


def options_from_environment(environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the options that the address in the environment stands for.

    Parameters
    ----------
    environment : mapping
        Environment variables.

    Returns
    -------
    dict
        Name to value; empty where no address is set.

    Raises
    ------
    ConfigError
        If it is no address of a database.
    """
    url = environment.get(URL_VARIABLE, "")
    if not url:
        return {}
    db = config_from_url(url)
    names = ("engine", "database", "username", "password", "host", "port")
    return {f"db_{name}": getattr(db, name) for name in names}


def config_from_options(options: Database) -> DbConfig:
    """Return the database that options ask for, by default a file where the user stands.

    Parameters
    ----------
    options : Database
        The section of the configuration.

    Returns
    -------
    DbConfig
        The database.

    Raises
    ------
    ConfigError
        If PostgreSQL is asked for without the name of a database.
    """
    if options.db_engine == "postgresql":
        if options.db_database is None:
            raise ConfigError("--db-engine postgresql needs the name of the database: --db-database NAME.")
        return DbConfig(
            "postgresql",
            options.db_database,
            options.db_username,
            options.db_password or "",
            options.db_host,
            options.db_port,
        )
    return sqlite_config(options.db_database or DEFAULT_FILE)


def check_filesystem(db: DbConfig, mounts: Path = Path("/proc/self/mounts")) -> None:
    """Refuse a SQLite file on a network filesystem.

    Parameters
    ----------
    db : DbConfig
        The database.
    mounts : pathlib.Path
        Table of mounted filesystems as Linux gives it; nothing is checked where there is none.

    Raises
    ------
    ConfigError
        Naming the filesystem and what to do.
    """
    if db.path is None or not mounts.exists():
        return
    folder = db.path.parent.resolve()
    kind, longest = "", -1
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        _, mount, filesystem, *_ = line.split()
        point = Path(mount.replace("\\040", " "))
        if (folder == point or point in folder.parents) and len(point.parts) > longest:
            kind, longest = filesystem, len(point.parts)
    if kind in _NETWORK_FILESYSTEMS:
        raise ConfigError(
            f"The SQLite file {db.path} would lie on a network filesystem ({kind}), where locks are not reliable; "
            "use a local disk (--db-database FILE) or PostgreSQL (--db-engine postgresql)."
        )
