"""Sources over the image: what the finder found, and what the survey has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from astropy.visualization import ZScaleInterval
from astropy.visualization.wcsaxes import WCSAxes
from matplotlib import colormaps
from matplotlib.collections import EllipseCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from racs_transients import beam
from racs_transients.beam import FloatArray
from racs_transients.image import Image
from racs_transients.plots.style import new_figure, put_legend, put_words, set_sky_axes

# The colours of the earlier system; extended sources also have thicker lines
SOURCE, EXTENDED = "#1f77b4", "#d62728"
# Pixels along the longer side that a figure of this size shows
_PIXELS = 1600
_SIZE = (12.0, 11.4)
# An ellipse smaller than this cannot be seen, inch; thousands of that size would hide the image and each other
_SMALLEST, _SMALLEST_OF_MANY = 0.12, 0.045
# Up to so many sources have room for the larger one
_FEW = 700
_CONTRAST = 0.25
# No darker than lets a thin coloured line be seen on it
_GREYS = ListedColormap(colormaps["gray_r"](np.linspace(0, 0.78, 256)), name="light_greys")


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """Ellipses in pixels of an image.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (n,)
        0-based centres.
    major, minor : numpy.ndarray, shape (n,)
        Full axes.
    angle : numpy.ndarray, shape (n,)
        Of the major axis, degrees from +x to +y.
    """

    x: FloatArray
    y: FloatArray
    major: FloatArray
    minor: FloatArray
    angle: FloatArray


def outlines(image: Image, sources: pd.DataFrame) -> Outlines:
    """Return the ellipses of sources in pixels, whatever projection and shape of pixels the image has.

    Parameters
    ----------
    image : Image
        The image.
    sources : pandas.DataFrame
        With ra, dec, degrees; major, minor, arcsec, FWHM; pa, degrees; and the beam, taken where a size is missing.

    Returns
    -------
    Outlines
        The FWHM as ellipses.

    Notes
    -----
    The covariance C in (east, north) becomes J C Jᵀ with the Jacobian J of the pixel coordinates at the source,
    from differences over 1″.
    """
    shape = sources[["major", "minor", "pa"]].where(
        sources[["major", "minor"]].notna().all(axis=1),
        sources[["beam_major", "beam_minor", "beam_pa"]].set_axis(["major", "minor", "pa"], axis=1),
    )
    sky_covariance = beam.covariance(shape["major"], shape["minor"], shape["pa"].fillna(0.0))
    ra, dec = sources["ra"].to_numpy(float), sources["dec"].to_numpy(float)
    x, y = image.sky_to_pixel(ra, dec)
    step = 1 / 3600
    east = image.sky_to_pixel(ra + step / np.cos(np.deg2rad(dec)), dec)
    north = image.sky_to_pixel(ra, dec + step)
    jacobian = np.stack([[east[0] - x, north[0] - x], [east[1] - y, north[1] - y]]).transpose(2, 0, 1)
    # beam.axes counts its angle from the second axis towards the first
    major, minor, angle = beam.axes(jacobian @ sky_covariance @ jacobian.transpose(0, 2, 1))
    return Outlines(x, y, major, minor, 90 - angle)


def block_mean(data: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Return the mean of blocks of pixels; blank pixels are left out.

    Parameters
    ----------
    data : numpy.ndarray, shape (ny, nx)
        The image.
    factor : int
        Pixels along the side of a block.

    Returns
    -------
    numpy.ndarray, shape (ny // factor, nx // factor)
        Means, NaN where all pixels are blank; the remainder at the upper and right border is left out.
    """
    ny, nx = (length // factor for length in data.shape)
    result = np.empty((ny, nx), np.float32)
    # stripes, so that no second copy of a large image is made
    stripe = max(1, 512 // factor)
    for start in range(0, ny, stripe):
        rows = min(stripe, ny - start)
        block = data[start * factor : (start + rows) * factor, : nx * factor].reshape(rows, factor, nx, factor)
        valid = np.isfinite(block)
        total, number = np.where(valid, block, 0).sum(axis=(1, 3)), valid.sum(axis=(1, 3))
        result[start : start + rows] = np.where(number > 0, total / np.maximum(number, 1), np.nan)
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """An image made small enough to be drawn; made once for several overlays.

    Parameters
    ----------
    image : Image
        The image.
    data : numpy.ndarray, shape (ny, nx)
        Block means, mJy/beam.
    factor : int
        Pixels along the side of a block.
    limits : tuple of float
        Brightness that is white and black, mJy/beam.
    """

    image: Image
    data: NDArray[np.float32]
    factor: int
    limits: tuple[float, float]


def backdrop(image: Image) -> Backdrop:
    """Return an image with no more pixels than an overlay shows, and its zscale limits.

    Parameters
    ----------
    image : Image
        The image.

    Returns
    -------
    Backdrop
        The image itself where it is small.
    """
    factor = max(1, -(-max(image.data.shape) // _PIXELS))
    data = block_mean(image.data, factor) * np.float32(1e3)
    low, high = ZScaleInterval(contrast=_CONTRAST).get_limits(data[np.isfinite(data)])
    return Backdrop(image, data, factor, (float(low), float(high)))


def overlay(
    behind: Backdrop,
    sources: pd.DataFrame,
    *,
    name: str,
    extended: Sequence[bool] | NDArray[np.bool_] | None = None,
    title: str = "",
) -> Figure:
    """Draw the image with an ellipse at each source.

    Parameters
    ----------
    behind : Backdrop
        The image.
    sources : pandas.DataFrame
        ``schema.SOURCES`` or ``schema.REFERENCES``.
    name : str
        Whose sources they are.
    extended : sequence of bool, optional
        Which of them are drawn as extended.
    title : str
        Name of the image.

    Returns
    -------
    matplotlib.figure.Figure
        On the sky, zscale, inverted grey. Ellipses too small to be seen are drawn larger, as the title states.
    """
    figure = new_figure(*_SIZE, dpi=150)
    axes = figure.add_subplot(projection=behind.image.wcs)
    axes.set_title(title)
    _draw_image(figure, axes, behind)
    marks = outlines(behind.image, sources)
    crowding = max(_SMALLEST_OF_MANY / _SMALLEST, min(1.0, np.sqrt(_FEW / max(1, len(sources)))))
    smallest = crowding * _SMALLEST / _inches_per_pixel(behind.image)
    with np.errstate(invalid="ignore"):
        enlarged = np.fmax(1.0, smallest / np.sqrt(marks.major * marks.minor))
    is_extended = np.zeros(len(sources), bool) if extended is None else np.asarray(extended, bool)
    handles = []
    for words, colour, width, chosen in (
        (f"{name} sources", SOURCE, 1.4 * np.sqrt(crowding), ~is_extended),
        (f"{name} extended sources", EXTENDED, 2.4 * np.sqrt(crowding), is_extended),
    ):
        if chosen.any():
            axes.add_collection(
                EllipseCollection(
                    (enlarged * marks.major)[chosen], (enlarged * marks.minor)[chosen], marks.angle[chosen], units="xy",
                    offsets=np.column_stack([marks.x, marks.y])[chosen], offset_transform=axes.transData,
                    facecolors="none", edgecolors=colour, linewidths=width,
                )
            )  # fmt: skip
            handles.append(Line2D([], [], color=colour, linewidth=width, label=f"{words} ({chosen.sum()})"))
    if handles:
        put_legend(figure, handles)
    put_words(axes, _words(name, enlarged, smallest * float(np.mean(behind.image.pixel_scales))))
    return figure


def _draw_image(figure: Figure, axes: WCSAxes, behind: Backdrop) -> None:
    (ny, nx), factor, (low, high) = behind.data.shape, behind.factor, behind.limits
    extent = (-0.5, nx * factor - 0.5, -0.5, ny * factor - 0.5)
    shown = axes.imshow(
        behind.data, cmap=_GREYS, vmin=low, vmax=high, origin="lower", extent=extent, interpolation="nearest"
    )
    axes.set_facecolor("#dee6f2")
    set_sky_axes(axes, behind.image.data.shape)
    unit = "mJy/beam" + (f", means of {factor} × {factor} pixels" if factor > 1 else "")
    figure.colorbar(shown, ax=axes, label=unit, shrink=0.8, pad=0.02, extend="both")


def _inches_per_pixel(image: Image) -> float:
    # nine tenths of the figure's width are the image, about
    return float(0.85 * _SIZE[0] / max(image.data.shape))


def _words(name: str, enlarged: FloatArray, smallest: float) -> str:
    """Say what the ellipses are; the smallest size in arcsec."""
    if len(enlarged) == 0:
        return f"no {name} source on the image"
    size = f"{smallest:.0f}″" if smallest < 120 else f"{smallest / 60:.1f}′"
    return "ellipses: FWHM" + (f"; below {size} drawn as {size}" if (enlarged > 1).any() else "")
