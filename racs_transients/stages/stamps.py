"""The stage that makes postage stamps: for each row a picture, a small one, and FITS cutouts."""

from __future__ import annotations

import logging
import mmap
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image as Picture
from PIL import UnidentifiedImageError

from racs_transients.crossmatch import MATCH, NO_ASKAP_MATCH, NO_CATALOGUE_MATCH
from racs_transients.cutouts import cutout, fits_cards, write_cutout
from racs_transients.errors import RunFolderError
from racs_transients.image import Image
from racs_transients.plots.canvas import jpeg
from racs_transients.plots.stamps import Stamp, draw, small_picture
from racs_transients.runfolder import RunFolder, digest_of
from racs_transients.stages.run import Field, Run
from racs_transients.stages.stamp_contents import Planes, stamps_of

logger = logging.getLogger(__name__)

FOLDER = "postage-stamps"
SIDES = ("survey", "askap", "native")
_MAX_BYTES, _MAX_WEB_BYTES = 250_000, 30_000
# Half the side of the FITS cutouts, arcsec: four survey beams, small enough to keep for every row
_CUTOUT = 180.0
# Part of what a stamp depends on: to be raised when the drawing changes
_DRAWING = 2
# Fewer stamps than this are not worth another process
_STAMPS_PER_PROCESS = 16
_PLANES = ".cache/stamp-planes"


@dataclass(frozen=True, slots=True, eq=False)
class StampJob:
    """One stamp and the files it goes into.

    Parameters
    ----------
    stem : str
        Name of the row's files without folder and ending.
    stamp : Stamp
        What is drawn.
    digest : str
        Of all that the files depend on; stands in the comment of the picture.
    """

    stem: str
    stamp: Stamp
    digest: str

    @property
    def picture(self) -> str:
        """Path of the picture in the results folder."""
        return f"{FOLDER}/{'good' if self.stamp.is_good else 'bad'}/{self.stem}_postagestamps.jpg"

    @property
    def web(self) -> str:
        """Path of the small picture."""
        return f"{FOLDER}/web/{self.stem}_postagestamps.jpg"

    def cutouts(self) -> Iterator[tuple[str, str, int | None]]:
        """Return the FITS cutouts.

        Yields
        ------
        str
            The side.
        str
            Path in the results folder.
        int or None
            Number of the image.
        """
        for side, panel in zip(SIDES, self.stamp.panels, strict=False):
            yield side, f"{FOLDER}/fits/{self.stem}_{side}.fits", panel.plane


def postage_stamps(fields: Sequence[Field], rows: pd.DataFrame, run: Run) -> None:
    """Make the postage stamps of the rows, where they are asked for and not there yet.

    Parameters
    ----------
    fields : sequence of Field
        One for each survey.
    rows : pandas.DataFrame
        ``schema.CROSSMATCHES``, final.
    run : Run
        Options and results folder.

    Raises
    ------
    RunFolderError
        If they cannot be written.
    """
    options = run.config.postagestamps
    if not options.postage_stamps:
        return
    with run.stages("postage stamps") as done:
        if options.postage_stamp_selection == "transients":
            rows = rows[rows["is_candidate"]]
        rows = rows.reset_index(drop=True)
        planes = Planes()
        jobs = _jobs(rows, fields, run, planes)
        missing = [job for job in jobs if not _is_made(job, run.folder.path)]
        cores = options.postage_stamp_ncores or max(1, len(os.sched_getaffinity(0)) // 2)
        _make_all(missing, planes.images, run.folder, cores)
        links = _link_transients(jobs, rows, run)
        _remove_others(jobs, links, run.folder.path)
        _note_products(jobs, rows, run.folder)
        good = sum(job.stamp.is_good for job in jobs)
        earlier = f", {len(jobs) - len(missing)} from an earlier run" if len(missing) < len(jobs) else ""
        done(f"{len(jobs)} stamps, {good} good, {len(jobs) - good} bad{earlier}")


def stamp_stems(rows: pd.DataFrame) -> pd.Series:
    """Return the names of the rows' files, different for each row.

    Parameters
    ----------
    rows : pandas.DataFrame
        name, survey and match_id.

    Returns
    -------
    pandas.Series of str
        ``source_<name>``; with the survey behind it where two rows have one name, with the number of the
        row where that is not enough.
    """
    stems = "source_" + rows["name"]
    for column in ("survey", "match_id"):
        again = stems.duplicated(keep=False)
        stems = stems.where(~again, stems + "_" + rows[column].astype(str))
    return stems.str.replace(r"[^\w.+-]", "_", regex=True)


def _jobs(rows: pd.DataFrame, fields: Sequence[Field], run: Run, planes: Planes) -> list[StampJob]:
    """Return the jobs in the order of the rows."""
    stems = stamp_stems(rows)
    jobs = {}
    for place, stamp in stamps_of(rows, fields, run, planes):
        images = [None if panel.plane is None else planes.keys[panel.plane] for panel in stamp.panels]
        # which number an image has in this run says nothing of its content
        panels = tuple(replace(panel, plane=None) for panel in stamp.panels)
        content = asdict(replace(stamp, panels=panels), dict_factory=_plain)
        jobs[place] = StampJob(stems[place], stamp, digest_of(_DRAWING, images, content))
    return [jobs[place] for place in sorted(jobs)]


def _plain(items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in items}


def _is_made(job: StampJob, folder: Path) -> bool:
    """Return whether an earlier run made the same files; the picture is written last."""
    if not (folder / job.web).exists():
        return False
    try:
        with Picture.open(folder / job.picture) as picture:
            return bool(picture.info.get("comment") == job.digest.encode())
    except (FileNotFoundError, UnidentifiedImageError):
        return False


def make_stamp(job: StampJob, images: Sequence[Image], cards: Sequence[str], folder: Path) -> None:
    """Write the files of one stamp.

    Parameters
    ----------
    job : StampJob
        What to draw and where it goes.
    images : sequence of Image
        The images that its panels refer to.
    cards : sequence of str
        `fits_cards` of each of them.
    folder : pathlib.Path
        The results folder.
    """
    writer, stamp = RunFolder(folder), job.stamp
    for _, name, plane in job.cutouts():
        piece = None if plane is None else cutout(images[plane], stamp.ra, stamp.dec, min(_CUTOUT, stamp.radius))
        if plane is not None and piece is not None:
            writer.write(name, partial(write_cutout, piece, cards[plane]))
        elif (folder / name).exists():  # of an earlier run that had a mosaic
            (folder / name).unlink()
    picture = draw(stamp, images)
    small = jpeg(small_picture(stamp, picture), _MAX_WEB_BYTES)
    writer.write(job.web, lambda path: path.write_bytes(small))
    full = jpeg(picture, _MAX_BYTES, comment=job.digest)
    writer.write(job.picture, lambda path: path.write_bytes(full))


# What a process that makes stamps works with; set once when it starts, so that images never travel with a job.
_WORK: dict[str, Any] = {}


@dataclass(frozen=True, slots=True, eq=False)
class _Stored:
    """An image whose pixels lie in a file."""

    image: Image
    path: str
    offset: int
    shape: tuple[int, ...]

    def open(self) -> Image:
        data = np.memmap(self.path, np.float32, "r", self.offset, self.shape)
        return replace(self.image, data=data)


def _start(stored: list[_Stored], cards: list[str], folder: Path) -> None:
    _WORK.update(images=[one.open() for one in stored], cards=cards, folder=folder)


def _make_one(job: StampJob) -> None:
    make_stamp(job, **_WORK)


def _make_all(jobs: list[StampJob], images: list[Image], folder: RunFolder, cores: int) -> None:
    processes = min(cores, -(-len(jobs) // _STAMPS_PER_PROCESS))
    cards = [fits_cards(image) for image in images]
    if processes <= 1:
        for job in jobs:
            make_stamp(job, images, cards, folder.path)
        return
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    try:
        with (
            _stored(images, folder.path / _PLANES) as stored,
            ProcessPoolExecutor(processes, context, initializer=_start, initargs=(stored, cards, folder.path)) as pool,
        ):
            for _ in pool.map(_make_one, jobs, chunksize=4):
                pass
    except BrokenProcessPool as error:
        raise RunFolderError(
            "A process that makes postage stamps was killed, probably for want of memory; "
            "give --postage-stamp-ncores 1. The same command goes on from there."
        ) from error


@contextmanager
def _stored(images: list[Image], scratch: Path) -> Iterator[list[_Stored]]:
    """Keep the pixels of images in files that all processes map, while the context lasts."""
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        scratch.mkdir(parents=True)
        yield [_store(image, scratch / f"{number}.f32") for number, image in enumerate(images)]
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _store(image: Image, path: Path) -> _Stored:
    data = image.data
    without = replace(image, data=np.empty((0, 0), np.float32))
    if isinstance(data, np.memmap) and isinstance(data.base, mmap.mmap) and data.dtype == np.float32:
        return _Stored(without, str(data.filename), int(data.offset), data.shape)
    np.asarray(data, np.float32).tofile(path)
    return _Stored(without, str(path), 0, data.shape)


def _link_transients(jobs: list[StampJob], rows: pd.DataFrame, run: Run) -> set[str]:
    """Give the stamps of transients ranked names in the folders of their categories; return these names."""
    large = rows["ratio"] >= run.config.flags.candidate_min_ratio
    # "askap-notseen" are, as in the earlier system, ASKAP sources that the survey has not seen
    folders = {
        "no-match": rows["type"] == NO_ASKAP_MATCH,
        "large-ratio": (rows["type"] == MATCH) & large,
        "askap-notseen": rows["type"] == NO_CATALOGUE_MATCH,
    }
    ranked = rows.sort_values(["is_candidate", "ratio"], ascending=False, na_position="last", kind="stable").index
    links = set()
    for name, chosen in folders.items():
        places = ranked[chosen[ranked]]
        digits = max(3, len(str(len(places))))
        (run.folder.path / "transients" / name).mkdir(parents=True, exist_ok=True)
        for rank, place in enumerate(places, start=1):
            job = jobs[place]
            stem = job.stem.removeprefix("source_")
            link = f"transients/{name}/{rows['type'][place]}_{rank:0{digits}d}_{stem}.jpg"
            run.folder.write(link, partial(_link, run.folder.path / job.picture))
            links.add(link)
    return links


def _link(source: Path, path: Path) -> None:
    path.unlink(missing_ok=True)
    try:
        path.hardlink_to(source)
    except OSError:  # not every filesystem has hard links
        shutil.copy2(source, path)


def _remove_others(jobs: list[StampJob], links: set[str], folder: Path) -> None:
    """Remove stamps that an earlier run made of rows that are now others, or elsewhere."""
    wanted = links | {name for job in jobs for name in (job.picture, job.web, *(cut[1] for cut in job.cutouts()))}
    patterns = [f"{FOLDER}/*/source_*_postagestamps.jpg", f"{FOLDER}/fits/source_*.fits"]
    patterns += [f"transients/{name}/*match_*.jpg" for name in ("no-match", "large-ratio", "askap-notseen")]
    for pattern in patterns:
        for path in folder.glob(pattern):
            if str(path.relative_to(folder)) not in wanted:
                path.unlink()


def _note_products(jobs: list[StampJob], rows: pd.DataFrame, folder: RunFolder) -> None:
    for job, survey, number in zip(jobs, rows["survey"], rows["match_id"], strict=True):
        files = {job.picture: "stamp", job.web: "stamp_web"}
        files |= {name: f"cutout_{side}" for side, name, _ in job.cutouts() if (folder.path / name).exists()}
        for name, kind in files.items():
            folder.add_product(name, kind, survey=str(survey), match_id=int(number))
