"""Writing one run: its image, comparisons, rows, objects on the sky and products, all or nothing."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, MetaData, Table, and_, delete, exists, func, insert, or_, select, text, update

from racs_transients import tables
from racs_transients.database.bulk import allocate_ids, insert_rows
from racs_transients.database.connect import LOCK, explained, open_database
from racs_transients.database.media import published
from racs_transients.database.sky_objects import join, window
from racs_transients.dbconfig import DbConfig
from racs_transients.errors import DatabaseError
from racs_transients.products import MASTER, read_results
from racs_transients.runfolder import MANIFEST
from racs_transients.schema import CROSSMATCHES, IMAGES, RUNS, SURVEY_RUNS, Column

_TABLES = ("image", "run", "surveyrun", "skyobject", "crossmatch", "product")


@dataclass(frozen=True, slots=True)
class Injection:
    """What an injection did.

    Parameters
    ----------
    run_id : str
        The run.
    rows : int
        Crossmatches written.
    new_objects : int
        Objects on the sky that no earlier row had.
    replaced : bool
        Whether the run was there before.
    """

    run_id: str
    rows: int
    new_objects: int
    replaced: bool


def inject_run(folder: Path, db: DbConfig, *, media_dir: Path | None = None) -> Injection:
    """Write a complete results folder into the database, in one transaction.

    Parameters
    ----------
    folder : pathlib.Path
        The results folder.
    db : DbConfig
        The database; missing tables are made.
    media_dir : pathlib.Path, optional
        Folder of the site that the products are copied to.

    Returns
    -------
    Injection
        What was written.

    Raises
    ------
    DatabaseError
        If the folder holds no complete run or the database cannot be written; nothing is left behind.
    SchemaError
        If the tables of the folder are of another version.
    """
    manifest = _complete_manifest(folder)
    rows = tables.empty(CROSSMATCHES)
    if MASTER in manifest["products"]:
        rows = read_results(folder)
    engine = open_database(db)
    names = [*manifest["products"], MANIFEST]
    with explained(db), published(folder, names, media_dir, manifest["run_id"]) as root, engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        return _Writer(connection, manifest, rows, root).write()


def _complete_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        state = manifest["state"]
    except FileNotFoundError as error:
        raise DatabaseError(f"{folder} is no results folder: it has no {MANIFEST}.") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatabaseError(f"{path} cannot be read ({error}).") from error
    if state != "complete":
        raise DatabaseError(f"The run in {folder} is not complete but {state}; run it again, then inject it.")
    return manifest


class _Writer:
    """One transaction: the reflected tables, and what goes into them."""

    def __init__(self, connection: Connection, manifest: Mapping[str, Any], rows: pd.DataFrame, root: Path) -> None:
        self.connection, self.manifest, self.rows, self.root = connection, manifest, rows, root
        self.is_sqlite = connection.dialect.name == "sqlite"
        metadata = MetaData()
        metadata.reflect(connection, only=self._is_ours)
        self.tables: dict[str, Table] = {name: metadata.tables[f"candidates_{name}"] for name in _TABLES}
        self.metadata = metadata
        run_id = uuid.UUID(manifest["run_id"])
        self.run_id: str | uuid.UUID = run_id.hex if self.is_sqlite else run_id

    @staticmethod
    def _is_ours(name: str, _: object) -> bool:
        return name.startswith(("candidates_", "review_", "notify_"))

    def write(self) -> Injection:
        image_id = self._image()
        before = self._remove_earlier()
        self._run(image_id)
        survey_runs = {name: self._survey_run(name, part) for name, part in self.manifest["surveys"].items()}
        objects, new_objects = self._objects()
        crossmatch_ids = self._crossmatches(survey_runs, objects, before or {})
        self._products(crossmatch_ids)
        self._forget_lonely({place for _, place in before or ()})
        if before is None:
            self._tell()
        if not self.is_sqlite:
            # the columns that the planner chooses an index by; the other hundred take seconds
            self.connection.execute(text("ANALYZE candidates_crossmatch (run_id, sky_object_id, ra, dec, ratio)"))
            self.connection.execute(text("ANALYZE candidates_skyobject"))
        return Injection(str(self.manifest["run_id"]), len(self.rows), new_objects, before is not None)

    def _image(self) -> int:
        """Insert the image, or update what is known of the same content."""
        table, image = self.tables["image"], self.manifest["image"]
        values = {
            "name": Path(image["path"]).name,
            "path": image["path"],
            **_values(image, IMAGES),
        }
        same = table.c.sha256 == image["sha256"]
        found = self.connection.execute(select(table.c.id).where(same)).scalar()
        if found is not None:
            self.connection.execute(update(table).where(same).values(values))
            return int(found)
        done = self.connection.execute(insert(table).values(sha256=image["sha256"], **values))
        return int(_primary_key(done))

    def _remove_earlier(self) -> dict[tuple[str, int], int] | None:
        """Remove an earlier injection of the same run.

        Returns
        -------
        dict or None
            The ids of its rows by survey and object, of which there is one row; None where there was none.
        """
        run, crossmatch = self.tables["run"], self.tables["crossmatch"]
        was = self.connection.execute(
            select(run.c.image_id, run.c.tag, run.c.is_current).where(run.c.id == self.run_id)
        ).first()
        if was is None:
            return None
        columns = (crossmatch.c.survey, crossmatch.c.sky_object_id, crossmatch.c.id)
        found = self.connection.execute(select(*columns).where(crossmatch.c.run_id == self.run_id))
        earlier = {(survey, place): number for survey, place, number in found}
        for name in ("product", "crossmatch", "surveyrun"):
            table = self.tables[name]
            self.connection.execute(delete(table).where(table.c.run_id == self.run_id))
        self.connection.execute(delete(run).where(run.c.id == self.run_id))
        if was.is_current:
            # the run may come back with another description: the one before it is the newest of its own again
            left = select(run.c.id).where(run.c.image_id == was.image_id, run.c.tag == was.tag)
            newest = left.order_by(run.c.finished.desc().nulls_last(), run.c.id).limit(1)
            self.connection.execute(update(run).where(run.c.id == newest.scalar_subquery()).values(is_current=True))
        return earlier

    def _run(self, image_id: int) -> None:
        table, manifest = self.tables["run"], self.manifest
        tag, finished = manifest["settings"]["database"]["db_tag"] or "", self._time(manifest["finished"])
        rivals = and_(table.c.image_id == image_id, table.c.tag == tag, table.c.is_current)
        newer = self.connection.execute(select(func.count()).where(rivals, table.c.finished > finished)).scalar()
        if not newer:
            self.connection.execute(update(table).where(rivals).values(is_current=False))
        json_columns = ("command", "settings", "versions", "inputs", "stages", "warnings")
        self.connection.execute(
            insert(table).values(
                id=self.run_id,
                image_id=image_id,
                tag=tag,
                is_current=not newer,
                root=str(self.root),
                started=self._time(manifest["started"]),
                finished=finished,
                version=manifest["version"],
                started_by=manifest["user"],
                peak_memory_mb=manifest["peak_memory_mb"],
                **_values(manifest, RUNS),
                **{name: self._json(manifest[name]) for name in json_columns},
            )
        )

    def _survey_run(self, survey: str, part: Mapping[str, Any]) -> int:
        table = self.tables["surveyrun"]
        values = _values({"survey": survey, **part.get("calibration", {}), **part}, SURVEY_RUNS)
        done = self.connection.execute(
            insert(table).values(
                run_id=self.run_id,
                counts=self._json(part.get("counts", {})),
                **values,
            )
        )
        return int(_primary_key(done))

    def _objects(self) -> tuple[NDArray[np.int64], int]:
        """Return the id of each row's object on the sky, and how many were made."""
        table, rows = self.tables["skyobject"], self.rows
        known = self._objects_near()
        index, objects = join(rows, known[["ra", "dec", "name"]])
        new = objects.iloc[len(known) :]
        ids = np.concatenate([known["id"].to_numpy(np.int64), allocate_ids(self.connection, table, len(new))])
        insert_rows(self.connection, table, new.assign(id=ids[len(known) :]))
        return ids[index], len(new)

    def _objects_near(self) -> pd.DataFrame:
        """Return the objects that a row may join: those of the image's window on the sky, not of a whole band."""
        table = self.tables["skyobject"]
        columns = [table.c.id, table.c.ra, table.c.dec, table.c.name]
        ra_low, ra_high, dec_low, dec_high = window(self.rows["ra"], self.rows["dec"])
        above, below = table.c.ra >= ra_low, table.c.ra <= ra_high
        inside = and_(above, below) if ra_low <= ra_high else or_(above, below)
        # without rows the bounds are NaN, which nothing is between
        where = and_(table.c.dec.between(dec_low, dec_high), inside)
        found = self.connection.execute(select(*columns).where(where).order_by(table.c.id)).all()
        types = {"id": "int64", "ra": "float64", "dec": "float64", "name": "str"}
        return pd.DataFrame(found, columns=list(types)).astype(types)

    def _crossmatches(
        self, survey_runs: Mapping[str, int], objects: NDArray[np.int64], earlier: Mapping[tuple[str, int], int]
    ) -> dict[int, int]:
        """Insert the rows; return their ids by match_id."""
        table = self.tables["crossmatch"]
        # what the same run had keeps its address, which is in Slack, bookmarks and open review pages
        keys = zip(self.rows["survey"].tolist(), objects.tolist(), strict=True)
        ids = np.array([earlier.get(key, 0) for key in keys], np.int64)
        ids[ids == 0] = allocate_ids(self.connection, table, int((ids == 0).sum()))
        frame = self.rows.assign(
            id=ids,
            run_id=pd.Series([uuid.UUID(self.manifest["run_id"])] * len(self.rows), dtype=object),
            survey_run_id=self.rows["survey"].map(survey_runs),
            sky_object_id=objects,
        )
        insert_rows(self.connection, table, frame)
        return dict(zip(self.rows["match_id"].tolist(), ids.tolist(), strict=True))

    def _products(self, crossmatch_ids: Mapping[int, int]) -> None:
        entries = [
            {
                "run_id": self.run_id,
                "path": name,
                "kind": product["kind"],
                "survey": product["survey"],
                "crossmatch_id": crossmatch_ids.get(product["match_id"]),
            }
            for name, product in self.manifest["products"].items()
        ]
        if entries:
            self.connection.execute(insert(self.tables["product"]), entries)

    def _tell(self) -> None:
        """Queue that a new run finished; whether anybody is told is a setting of the site's worker."""
        table, run = self.metadata.tables["notify_message"], str(uuid.UUID(self.manifest["run_id"]))
        message = {"kind": "run finished", "key": run}
        told = select(table.c.id).where(*(table.c[name] == value for name, value in message.items()))
        if self.connection.execute(told).first() is None:
            self.connection.execute(insert(table).values(payload=self._json({"run": run}), **message))

    def _forget_lonely(self, before: Iterable[int]) -> None:
        """Delete objects that only the replaced rows had; those with votes or comments stay."""
        table, ids = self.tables["skyobject"], sorted(before)
        used = [
            exists().where(key.parent == table.c.id)
            for other in self.metadata.tables.values()
            for key in other.foreign_keys
            if key.column.table is table
        ]
        for start in range(0, len(ids), 500):
            self.connection.execute(delete(table).where(table.c.id.in_(ids[start : start + 500]), ~or_(*used)))

    def _json(self, value: object) -> Any:
        clean = _without_nan(value)
        return json.dumps(clean) if self.is_sqlite else clean

    def _time(self, iso: str) -> datetime:
        """Return a time as Django keeps it: UTC, without a zone on SQLite."""
        moment = datetime.fromisoformat(iso).astimezone(UTC)
        return moment.replace(tzinfo=None) if self.is_sqlite else moment


def _primary_key(done: Any) -> int:
    return int(done.inserted_primary_key[0])


def _values(source: Mapping[str, Any], columns: Iterable[Column]) -> dict[str, Any]:
    """Return the values of columns; NaN and absent ones are missing."""
    found = {column.name: _without_nan(source.get(column.name)) for column in columns}
    return {
        column.name: "" if column.dtype == "str" and found[column.name] is None else found[column.name]
        for column in columns
    }


def _without_nan(value: Any) -> Any:
    """Return JSON-able values with null in place of NaN and infinities."""
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
