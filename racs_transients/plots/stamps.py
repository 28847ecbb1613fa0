"""Postage stamps: survey and ASKAP around one row of the crossmatch, side by side on one sky grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from astropy.visualization import ZScaleInterval
from numpy.typing import NDArray
from PIL import Image as Picture

from racs_transients import beam, sky
from racs_transients.beam import FloatArray
from racs_transients.convolve import beams_at
from racs_transients.cutouts import regrid, sky_grid
from racs_transients.image import Image
from racs_transients.plots.canvas import Canvas, ellipses, labelled, text_width
from racs_transients.plots.layout import GAP, HEAD, MARGIN, PANEL, TOP

# The colours of the earlier system, which the key of the review site repeats.
BASE_CATALOGUE, SECOND_CATALOGUE = "#d62728", "#e6b400"
ASKAP, ASKAP_NATIVE = "#1f77b4", "#11ba1c"
CATALOGUE_CIRCLE, ASKAP_CIRCLE = "#17becf", "#ff7f0e"
_GOOD, _BAD, _QUIET = "#1a7f37", "#b42318", "#555555"

_BOX, _LEGEND = 78, 26
_HEIGHT = TOP + PANEL + _BOX + _LEGEND
# Lengths a scale bar may have, arcmin
_BARS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One image of a stamp and what is written around it.

    Parameters
    ----------
    plane : int, optional
        Number of the image among those given to `draw`, None where there is none.
    absent : str
        What the panel says where the image shows nothing.
    title, note : str
        The lines above it.
    short : str
        Its name on the small picture.
    box : tuple of str
        The lines below it.
    """

    plane: int | None
    absent: str
    title: str
    note: str
    short: str
    box: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Ellipses of one style on the sky.

    Parameters
    ----------
    colour : str
        Colour of the line.
    ra, dec : numpy.ndarray, shape (n,)
        Centres, degrees.
    major, minor : numpy.ndarray, shape (n,)
        Full axes, arcsec.
    pa : numpy.ndarray, shape (n,)
        Position angle, degrees from north through east.
    width : float
        Width of the line, pixels.
    dash : tuple of float, optional
        Lengths of dashes and gaps, pixels.
    panels : tuple of int
        The panels that show them; all where empty.
    clearance : float
        Pixels between the ellipse and the line, so that the line does not cover a source of few pixels.
    """

    colour: str
    ra: FloatArray
    dec: FloatArray
    major: FloatArray
    minor: FloatArray
    pa: FloatArray
    width: float = 1.5
    dash: tuple[float, ...] | None = None
    panels: tuple[int, ...] = ()
    clearance: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Stamp:
    """All that a postage stamp shows.

    Parameters
    ----------
    ra, dec : float
        Its centre, degrees.
    radius : float
        Half its side, arcsec.
    contrast : float
        Of the zscale stretch.
    headline, place, figures : str
        The lines on top.
    verdict : str
        The flag in words.
    is_good : bool
        Whether that is no veto.
    panels : tuple of Panel
        From left to right.
    marks : tuple of Marks
        What is drawn on the panels; what lies outside is left out.
    legend : tuple of (str, str, bool)
        Colour, words and whether it is a large circle, for the key below.
    """

    ra: float
    dec: float
    radius: float
    contrast: float
    headline: str
    place: str
    figures: str
    verdict: str
    is_good: bool
    panels: tuple[Panel, ...]
    marks: tuple[Marks, ...]
    legend: tuple[tuple[str, str, bool], ...]

    @property
    def scale(self) -> float:
        """Size of a pixel of the picture, arcsec."""
        return 2 * self.radius / PANEL


def panel_left(number: int) -> int:
    """Return where a panel begins.

    Parameters
    ----------
    number : int
        Its place from the left, 0 for the first.

    Returns
    -------
    int
        Pixels from the left border of the picture.
    """
    return MARGIN + number * (PANEL + GAP)


def grey_levels(data: NDArray[np.float32], contrast: float) -> NDArray[np.uint8]:
    """Return an image as grey levels, bright sky black, between the limits of zscale.

    Parameters
    ----------
    data : numpy.ndarray, shape (ny, nx), float32
        Brightness; NaN where blank.
    contrast : float
        Of the stretch (IRAF's zscale, as in `astropy.visualization`).

    Returns
    -------
    numpy.ndarray, shape (ny, nx), uint8
        255 is faint, 0 is bright; blank pixels are 255.
    """
    sample = data[::12, ::12]
    sample = sample[np.isfinite(sample)]
    if len(sample) < 50:
        sample = data[np.isfinite(data)]
    if len(sample) == 0:
        return np.full(data.shape, 255, np.uint8)
    low, high = ZScaleInterval(n_samples=len(sample), contrast=contrast).get_limits(sample)
    span = high - low if high > low else 1.0
    scaled = (np.float32(high) - data) * np.float32(255 / span)
    np.clip(scaled, 0, 255, out=scaled)
    np.copyto(scaled, 255, where=np.isnan(scaled))
    levels: NDArray[np.uint8] = scaled.astype(np.uint8)
    return levels


def inside(stamp: Stamp, marks: Marks) -> Marks:
    """Return the marks whose centres lie on a stamp.

    Parameters
    ----------
    stamp : Stamp
        The stamp.
    marks : Marks
        Marks anywhere.

    Returns
    -------
    Marks
        Those inside.
    """
    near = sky.separation(stamp.ra, stamp.dec, marks.ra, marks.dec) < 1.5 * stamp.radius + 60
    east, north = sky.offsets(stamp.ra, stamp.dec, marks.ra, marks.dec)
    keep = near & (np.maximum(np.abs(east), np.abs(north)) < stamp.radius)
    return replace(
        marks,
        ra=marks.ra[keep],
        dec=marks.dec[keep],
        major=marks.major[keep],
        minor=marks.minor[keep],
        pa=marks.pa[keep],
    )


def outlines(stamp: Stamp, marks: Marks, left: float, top: float) -> FloatArray:
    """Return the marks as curves on a panel of the picture.

    Parameters
    ----------
    stamp : Stamp
        The stamp.
    marks : Marks
        What is to be drawn.
    left, top : float
        Upper left corner of the panel, pixels.

    Returns
    -------
    numpy.ndarray, shape (n, points, 2)
        x and y in pixels from the upper left corner of the picture.
    """
    east, north = sky.offsets(stamp.ra, stamp.dec, marks.ra, marks.dec)
    # near a pole north is not up away from the centre of the stamp; a step towards the equator shows where it is
    step = np.where(marks.dec > 0, -1, 1) / 3600
    east_of, north_of = sky.offsets(stamp.ra, stamp.dec, marks.ra, marks.dec + step)
    turn = np.rad2deg(np.arctan2((east_of - east) * step, (north_of - north) * step))
    x, y = left + PANEL / 2 - east / stamp.scale, top + PANEL / 2 - north / stamp.scale
    major, minor = (axis / stamp.scale + 2 * marks.clearance for axis in (marks.major, marks.minor))
    return ellipses(x, y, major, minor, marks.pa + turn)


def draw(stamp: Stamp, images: Sequence[Image]) -> Picture.Image:
    """Return a postage stamp as a picture.

    Parameters
    ----------
    stamp : Stamp
        What it shows.
    images : sequence of Image
        The images that its panels refer to.

    Returns
    -------
    PIL.Image.Image
        RGB.
    """
    width = panel_left(len(stamp.panels)) - GAP + MARGIN
    canvas = Canvas(width, _HEIGHT)
    _write_head(canvas, stamp, width)
    grid = sky_grid(stamp.ra, stamp.dec, stamp.radius, PANEL)
    curves = [outlines(stamp, inside(stamp, marks), 0, TOP) for marks in stamp.marks]
    for number, panel in enumerate(stamp.panels):
        left = panel_left(number)
        image = None if panel.plane is None else images[panel.plane]
        data = np.full((PANEL, PANEL), np.nan, np.float32) if image is None else regrid(image, grid, PANEL)
        _paste(canvas, data[::-1], panel, stamp, left)
        for marks, shape in zip(stamp.marks, curves, strict=True):
            if not marks.panels or number in marks.panels:
                clip, shape_here = (left, TOP, PANEL, PANEL), shape + np.array([left, 0])
                canvas.curves(shape_here, marks.colour, width=marks.width, dash=marks.dash, clip=clip)
        _write_around(canvas, panel, left)
        if image is not None:
            _draw_beam(canvas, image, stamp, left)
    _draw_scale(canvas, stamp, panel_left(0))
    _write_legend(canvas, stamp)
    return canvas.picture()


def small_picture(stamp: Stamp, picture: Picture.Image) -> Picture.Image:
    """Return the panels of a postage stamp for a web page, without the text around them.

    Parameters
    ----------
    stamp : Stamp
        What the picture shows.
    picture : PIL.Image.Image
        From `draw`.

    Returns
    -------
    PIL.Image.Image
        RGB, the panels with their names.
    """
    right = panel_left(len(stamp.panels)) - GAP
    panels = picture.crop((MARGIN, TOP, right, TOP + PANEL))
    names = [((panel_left(i) - MARGIN) / 2 + 5, 4.0, panel.short) for i, panel in enumerate(stamp.panels)]
    return labelled(panels.reduce(2), names)


def _paste(canvas: Canvas, data: NDArray[np.float32], panel: Panel, stamp: Stamp, left: int) -> None:
    """Put the pixels of a panel in place, or say that there are none."""
    blank = np.isnan(data)
    canvas.paste(left, TOP, grey_levels(data, stamp.contrast), blank)
    if blank.all():
        canvas.text(left + PANEL / 2, TOP + PANEL / 4, panel.absent, colour=_QUIET, anchor="mm", size=14)
    canvas.curves(_box(left, TOP, PANEL, PANEL), "black", width=1, halo=False)


def _box(left: float, top: float, across: float, down: float) -> FloatArray:
    corners = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
    return np.array([[(left + across * i, top + down * j) for i, j in corners]], float)


def _write_head(canvas: Canvas, stamp: Stamp, width: int) -> None:
    colour = _GOOD if stamp.is_good else _BAD
    canvas.text(MARGIN, 26, stamp.headline, size=16, bold=True)
    canvas.text(width - MARGIN, 26, stamp.place, size=13, anchor="rs", colour=_QUIET)
    canvas.text(MARGIN, 50, stamp.figures, size=14)
    canvas.text(width - MARGIN, 50, stamp.verdict, size=14, bold=True, colour=colour, anchor="rs")


def _write_around(canvas: Canvas, panel: Panel, left: int) -> None:
    canvas.text(left, HEAD + 17, panel.title, size=14, bold=True)
    canvas.text(left, HEAD + 34, panel.note, size=12, colour=_QUIET)
    for line, words in enumerate(panel.box):
        canvas.text(left + 2, TOP + PANEL + 20 + 19 * line, words, size=13)


def _draw_beam(canvas: Canvas, image: Image, stamp: Stamp, left: int) -> None:
    """Draw the beam as it is at the stamp's centre into the lower left corner of a panel, on white ground."""
    # the header's angle counts from north at the reference position, which turns towards a pole
    major, minor, pa = beam.axes(beams_at(image, image.beam, [stamp.ra], [stamp.dec]))
    major, minor = major / stamp.scale, minor / stamp.scale
    side = max(18.0, float(major[0]) + 8)
    bottom = TOP + PANEL - 6
    canvas.curves(_box(left + 6, bottom - side, side, side), "black", width=1, halo=False, fill="white")
    x, y = np.array([left + 6 + side / 2]), np.array([bottom - side / 2])
    canvas.curves(ellipses(x, y, major, minor, pa), "black", width=1, halo=False, fill="#888888")


def _draw_scale(canvas: Canvas, stamp: Stamp, left: int) -> None:
    """Draw the scale bar and the arrows to north and east into a panel."""
    length = max((bar for bar in _BARS if bar * 60 < stamp.radius * 0.6), default=_BARS[0])
    right, bottom = left + PANEL - 12, TOP + PANEL - 12
    across = length * 60 / stamp.scale
    canvas.curves(np.array([[(right - across, bottom), (right, bottom)]]), "black", width=2)
    words = f"{length:g}′" if length >= 1 else f"{length * 60:g}″"
    canvas.text(right - across / 2, bottom - 5, words, anchor="ms", bold=True, seam=True)
    corner = (left + PANEL - 12, TOP + 46)
    for (dx, dy), name in (((0, -26), "N"), ((-26, 0), "E")):
        tip = np.array([corner[0] + dx, corner[1] + dy], float)
        sideways, back = np.array([dy, dx]) * 4 / 26, np.array([dx, dy]) * 7 / 26
        arrow = np.array([corner, tip, tip - back + sideways, tip, tip - back - sideways])
        canvas.curves(arrow[None], "black", width=1.5)
        canvas.text(tip[0] + dx * 9 / 26, tip[1] + dy * 9 / 26, name, anchor="mm", size=12, bold=True, seam=True)


def _write_legend(canvas: Canvas, stamp: Stamp) -> None:
    x, y = float(MARGIN), float(_HEIGHT - 14)
    for colour, words, is_large in stamp.legend:
        size = np.array([14.0 if is_large else 9.0])
        key = ellipses(np.array([x + 8]), np.array([y]), size, size, np.zeros(1))
        canvas.curves(key, colour, width=2.5 if is_large else 1.8, halo=False)
        canvas.text(x + 20, y + 4, words, size=12, colour=_QUIET)
        x += 20 + text_width(words, 12) + 14
