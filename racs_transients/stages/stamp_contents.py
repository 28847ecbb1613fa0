"""What the postage stamps show: the images around each row, the sources on them, and the words."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from racs_transients import sky
from racs_transients.crossmatch import MATCH, NO_ASKAP_MATCH, NO_CATALOGUE_MATCH
from racs_transients.cutouts import edge_distance
from racs_transients.errors import ImageError
from racs_transients.flags import GOOD
from racs_transients.image import Image
from racs_transients.mosaics import open_mosaic
from racs_transients.plots import stamp_words as words
from racs_transients.plots.stamps import (
    ASKAP,
    ASKAP_CIRCLE,
    ASKAP_NATIVE,
    BASE_CATALOGUE,
    CATALOGUE_CIRCLE,
    SECOND_CATALOGUE,
    Marks,
    Panel,
    Stamp,
)
from racs_transients.stages.run import Field, Run
from racs_transients.stages.survey_images import survey_mosaics
from racs_transients.survey_options import of_survey

logger = logging.getLogger(__name__)

_DASHED, _DOTTED = (7.0, 4.0), (2.0, 2.5)
# Radius of the circles around the two sources of a row: 1′, more on very large stamps
_CIRCLE, _CIRCLE_OF_STAMP = 60.0, 1 / 16
# The catalogue's circle is the wider one, so that both are seen where the positions agree
_WIDER = 1.25
# Pixels between an ellipse and its line; lines of lists that show the same sources lie beside each other
_CLEARANCES = {ASKAP_NATIVE: 3.0, ASKAP: 3.0, BASE_CATALOGUE: 6.0, SECOND_CATALOGUE: 9.0}


@dataclass(slots=True)
class Planes:
    """The images that panels refer to by number.

    Parameters
    ----------
    images : list of Image
        The images.
    keys : list
        What tells their content from another, JSON-able.
    """

    images: list[Image] = field(default_factory=list)
    keys: list[object] = field(default_factory=list)

    def add(self, image: Image, key: object) -> int:
        """Return the number of an image, which is added where it is new.

        Parameters
        ----------
        image : Image
            The image.
        key : object
            What tells its content from another, JSON-able.

        Returns
        -------
        int
            Its place in the list.
        """
        for number, known in enumerate(self.images):
            if known is image:
                return number
        self.images.append(image)
        self.keys.append(key)
        return len(self.images) - 1


def stamps_of(rows: pd.DataFrame, fields: Sequence[Field], run: Run, planes: Planes) -> Iterator[tuple[int, Stamp]]:
    """Return the stamps of the rows of all surveys.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``schema.CROSSMATCHES``.
    fields : sequence of Field
        One for each survey.
    run : Run
        Options.
    planes : Planes
        Receives the images.

    Yields
    ------
    int
        Place of the row in the table.
    Stamp
        What its stamp shows; its panels are survey, ASKAP and, with a convolved image, full resolution.
    """
    survey = rows["survey"].to_numpy()
    for own in fields:
        places = np.flatnonzero(survey == own.survey.name)
        others = [other for other in fields if other is not own]
        yield from zip(places, _stamps_of_field(rows.iloc[places], own, others, run, planes), strict=True)


def _stamps_of_field(rows: pd.DataFrame, own: Field, others: list[Field], run: Run, planes: Planes) -> Iterator[Stamp]:
    options = run.config.postagestamps
    radius = options.postage_stamp_radius * 60
    mosaic, absent = _mosaic_planes(rows, own, run, planes)
    askap = _askap_planes(own, run, planes)
    sources = _source_marks(rows, own, others, radius)
    circles = _circles(rows, own, radius)
    legend = _legend(own, others)
    # one picture for each row, so one step for each row
    for place, row in enumerate(rows.to_dict("records")):
        yield Stamp(
            ra=row["ra"],
            dec=row["dec"],
            radius=radius,
            contrast=options.postage_stamp_zscale_contrast,
            headline=words.headline(row),
            place=words.place(row),
            figures=words.figures(row),
            verdict=words.verdict(row),
            is_good=row["flag"] == GOOD,
            panels=_panels(row, own, planes, int(mosaic[place]), askap, absent),
            marks=(*(marks[place] for marks in sources), *(mark for marks in circles for mark in marks[place])),
            legend=legend,
        )


def _askap_planes(own: Field, run: Run, planes: Planes) -> tuple[int, int | None]:
    """Return the number of the image that is compared and of the one at full resolution."""
    made = [run.digest, run.config.to_dict()["analysis"], str(own.image.beam)]
    compared = planes.add(own.image, made)
    native = None if own.native is None else planes.add(own.native.image, [run.digest, str(own.native.image.beam)])
    return compared, native


def _mosaic_planes(rows: pd.DataFrame, own: Field, run: Run, planes: Planes) -> tuple[NDArray[np.int64], str]:
    """Return the number of the mosaic that shows each row best, -1 for none; and why there may be none."""
    survey = own.survey
    chosen = np.full(len(rows), -1)
    if of_survey(run.config, survey, "mosaic_dir") is None and not run.config.postagestamps.fetch_mosaics:
        return chosen, f"no {survey.name} mosaics were given"
    ra, dec = rows["ra"].to_numpy(), rows["dec"].to_numpy()
    farthest = np.zeros(len(rows))
    for mosaic in survey_mosaics(survey, ra, dec, run):
        near = np.flatnonzero(sky.separation(ra, dec, mosaic.ra, mosaic.dec) <= mosaic.radius * 3600)
        if len(near) == 0:
            continue
        try:
            image = open_mosaic(mosaic.path, survey)
        except ImageError as error:  # forced photometry leaves it out with the same words
            logger.warning("a mosaic is left out: %s", error)
            continue
        distance = edge_distance(image, ra[near], dec[near])
        better = distance > farthest[near]
        if better.any():
            status = mosaic.path.stat()
            chosen[near[better]] = planes.add(image, [mosaic.path.name, status.st_size, status.st_mtime_ns])
            farthest[near[better]] = distance[better]
    return chosen, f"no {survey.name} mosaic covers this position"


def _panels(
    row: words.Row, own: Field, planes: Planes, mosaic: int, askap: tuple[int, int | None], absent: str
) -> tuple[Panel, ...]:
    compared, native = askap
    name, off = own.survey.name, "blank here, or off the ASKAP image"
    frequency = f"{own.survey.frequency:.0f} MHz"
    note = words.image_note(planes.images[mosaic]) if mosaic >= 0 else frequency
    plane = mosaic if mosaic >= 0 else None
    kind = "ASKAP" if native is None else "ASKAP, convolved"
    box = words.askap_box(row, own.survey, convolved=native is not None)
    panels = [
        Panel(plane, absent, words.survey_title(row), note, name, words.survey_box(row)),
        Panel(
            compared,
            off,
            words.askap_title(row, kind),
            words.image_note(own.image),
            "ASKAP" if native is None else "ASKAP convolved",
            box,
        ),
    ]
    if native is not None and own.native is not None:
        title, note = words.askap_title(row, "ASKAP", native=True), words.image_note(own.native.image)
        panels.append(Panel(native, off, title, note, "ASKAP", words.native_box(row, own.survey)))
    return tuple(panels)


def _source_marks(rows: pd.DataFrame, own: Field, others: list[Field], radius: float) -> list[list[Marks]]:
    """Return for each source list the marks around each row."""
    lists = [(SECOND_CATALOGUE, other.references) for other in others]
    lists += [(BASE_CATALOGUE, own.references), (ASKAP, own.sources)]
    if own.native is not None:
        lists.append((ASKAP_NATIVE, own.native.sources))
    return [_marks_around(rows, colour, sources, radius) for colour, sources in lists]


def _marks_around(rows: pd.DataFrame, colour: str, sources: pd.DataFrame, radius: float) -> list[Marks]:
    ra, dec = sources["ra"].to_numpy(), sources["dec"].to_numpy()
    i, j, _ = sky.pairs_within(rows["ra"], rows["dec"], ra, dec, np.sqrt(2) * radius)
    # a source without a size is drawn as the beam
    major, minor = (sources[axis].fillna(sources[f"beam_{axis}"]).to_numpy(float) for axis in ("major", "minor"))
    pa = sources["pa"].fillna(0).to_numpy(float)
    pieces = np.split(j, np.searchsorted(i, np.arange(1, len(rows))))
    return [
        Marks(colour, ra[some], dec[some], major[some], minor[some], pa[some], clearance=_CLEARANCES[colour])
        for some in pieces[: len(rows)]
    ]


def _circles(rows: pd.DataFrame, own: Field, radius: float) -> list[list[list[Marks]]]:
    """Return for each kind of circle those of each row, none or one."""
    size = 2 * max(_CIRCLE, _CIRCLE_OF_STAMP * radius)
    kind, here = rows["type"].to_numpy(), _positions(rows, "")
    matched, vanished, new = kind == MATCH, kind == NO_ASKAP_MATCH, kind == NO_CATALOGUE_MATCH
    nearest = {side: _nearest(here, sources) for side, sources in (("askap", own.sources), ("ref", own.references))}
    measured = rows["ref_origin"].eq("forced").fillna(False).to_numpy(bool)
    beam, askap_panels = own.survey.beam_fwhm, (1, 2)
    return [
        _circle(CATALOGUE_CIRCLE, _positions(rows, "ref_"), matched, _WIDER * size),
        _circle(ASKAP_CIRCLE, _positions(rows, "askap_"), matched, size),
        _circle(CATALOGUE_CIRCLE, here, vanished, _WIDER * size),
        _circle(ASKAP_CIRCLE, nearest["askap"], vanished, size, dash=_DASHED),
        _circle(ASKAP_CIRCLE, here, vanished, beam, dash=_DOTTED, panels=askap_panels),
        _circle(ASKAP_CIRCLE, here, new, size),
        _circle(CATALOGUE_CIRCLE, nearest["ref"], new, _WIDER * size, dash=_DASHED),
        _circle(CATALOGUE_CIRCLE, here, new & measured, beam, dash=_DOTTED, panels=(0,)),
    ]


def _positions(table: pd.DataFrame, prefix: str) -> NDArray[np.float64]:
    return table[[f"{prefix}ra", f"{prefix}dec"]].to_numpy(float)


def _nearest(here: NDArray[np.float64], sources: pd.DataFrame) -> NDArray[np.float64]:
    index, _ = sky.nearest(here[:, 0], here[:, 1], sources["ra"], sources["dec"])
    found = np.vstack([_positions(sources, ""), [np.nan, np.nan]])
    return found[index]  # -1, where there is none, is the last row


def _circle(
    colour: str,
    positions: NDArray[np.float64],
    wanted: NDArray[np.bool_],
    size: float,
    *,
    dash: tuple[float, ...] | None = None,
    panels: tuple[int, ...] = (),
) -> list[list[Marks]]:
    width, across, upright = 1.6 if dash == _DOTTED else 2.6, np.array([size]), np.zeros(1)
    return [
        [Marks(colour, place[:1], place[1:], across, across, upright, width, dash, panels)] if is_wanted else []
        for place, is_wanted in zip(positions, wanted & np.isfinite(positions).all(axis=1), strict=True)
    ]


def _legend(own: Field, others: list[Field]) -> tuple[tuple[str, str, bool], ...]:
    compared = "ASKAP" if own.native is None else "ASKAP convolved"
    return (
        (BASE_CATALOGUE, own.survey.name, False),
        *((SECOND_CATALOGUE, other.survey.name, False) for other in others),
        (ASKAP, compared, False),
        *([] if own.native is None else [(ASKAP_NATIVE, "ASKAP full resolution", False)]),
        (CATALOGUE_CIRCLE, "this row's catalogue source", True),
        (ASKAP_CIRCLE, "this row's ASKAP source (dashed: merely nearest; dotted: measured here)", True),
    )
