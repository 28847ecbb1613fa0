"""Time the injection of many crossmatches: python -m tests.benchmarks.injection RESULTS_FOLDER [ROWS]."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from racs_transients import products
from racs_transients.database import inject_run, open_database
from racs_transients.dbconfig import DbConfig, sqlite_config
from tests.benchmarks.synthetic import write_results
from tests.postgres import find_binaries, postgres_server


def timed(folder: Path, db: DbConfig) -> None:
    open_database(db)
    start = time.perf_counter()
    products.read_results(folder)
    print(f"reading the CSV, which is part of each: {time.perf_counter() - start:.2f} s")
    for label in ("first", "again"):
        start = time.perf_counter()
        done = inject_run(folder, db)
        print(f"{db.engine:10s} {label}: {done.rows} rows in {time.perf_counter() - start:.2f} s")


def main() -> None:
    source, n = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    with tempfile.TemporaryDirectory() as name:
        folder = write_results(source, Path(name) / "results", n)
        timed(folder, sqlite_config(Path(name) / "benchmark.sqlite3"))
        found = find_binaries()
        if found is not None:
            with postgres_server(*found) as server:
                timed(folder, server.create("benchmark"))


if __name__ == "__main__":
    main()
