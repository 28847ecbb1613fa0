"""A PostgreSQL server of the tests' own: started in a short folder, thrown away afterwards.

``python -m tests.postgres COMMAND ...`` runs a command with the site's test database on such a server.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from racs_transients.dbconfig import DbConfig

USER = "racs"
PORT = 5432  # names the socket's file; nothing listens on the network
_SETTINGS = ("listen_addresses=''", "fsync=off", "synchronous_commit=off", "full_page_writes=off", f"port={PORT}")


@dataclass(frozen=True)
class PostgresServer:
    """A running server, reached through the socket in its folder."""

    folder: Path
    has_q3c: bool

    def database(self, name: str, *, user: str = USER) -> DbConfig:
        """Return how to reach a database."""
        return DbConfig("postgresql", name, user, "", str(self.folder), PORT)

    def run(self, command: str, *, database: str = "postgres") -> None:
        """Run a command of SQL outside of transactions."""
        with contextlib.closing(
            psycopg2.connect(host=str(self.folder), port=PORT, user=USER, dbname=database)
        ) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(command)

    def create(self, name: str, *, template: str = "template1") -> DbConfig:
        """Make a database anew, empty or as a copy of another one."""
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.database(name)


def find_binaries() -> tuple[Path, bool] | None:
    """Return the folder of the programs of the newest server, one with Q3C if there is one, and whether it has it."""
    found = []
    for initdb in Path("/usr/lib/postgresql").glob("*/bin/initdb"):
        major = initdb.parts[-3]
        has_q3c = Path(f"/usr/share/postgresql/{major}/extension/q3c.control").exists()
        found.append((has_q3c, int(major), initdb.parent))
    return (max(found)[2], max(found)[0]) if found else None


@contextlib.contextmanager
def postgres_server(binaries: Path, has_q3c: bool) -> Iterator[PostgresServer]:
    """Start a server; as the user postgres where the tests run as root, since the server refuses root."""
    folder = Path(tempfile.mkdtemp(prefix="racspg", dir="/tmp"))  # a socket's path has at most 107 characters
    account = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
    folder.chmod(0o755)

    def run(*command: str) -> None:
        as_user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
        with (folder / "output").open("ab") as output:
            subprocess.run(command, check=True, cwd=folder, stdout=output, stderr=output, **as_user)

    data, program = str(folder / "data"), str(binaries / "pg_ctl")
    if account is not None:
        (folder / "output").touch()
    options = " ".join(f"-c {setting}" for setting in _SETTINGS)
    try:
        run(
            str(binaries / "initdb"),
            "-D",
            data,
            "-A",
            "trust",
            "-U",
            USER,
            "--no-sync",
            "--locale=C.UTF-8",
            "-E",
            "UTF8",
        )
        run(program, "-D", data, "-w", "-l", str(folder / "data/log"), "-o", f"-k {folder} {options}", "start")
        try:
            yield PostgresServer(folder, has_q3c)
        finally:
            run(program, "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Run a command with RACS_TRANSIENTS_TEST_DATABASE_URL set; say so in one line where there is no server."""
    found = find_binaries()
    if found is None:
        print("skipped: no PostgreSQL server is installed")
        return 0
    with postgres_server(*found) as server:
        environment = os.environ | {"RACS_TRANSIENTS_TEST_DATABASE_URL": server.create("site").url}
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
