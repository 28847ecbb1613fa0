"""What all figures share: colours that colour-blind people tell apart, robust statistics in words, saving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from astropy.visualization.wcsaxes import WCSAxes
from astropy.wcs.utils import proj_plane_pixel_scales
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import ArrayLike, NDArray
from PIL import Image as Picture

from racs_transients.beam import FloatArray
from racs_transients.crossmatch import MATCH, NO_ASKAP_MATCH, NO_CATALOGUE_MATCH

# Okabe & Ito 2008, Color Universal Design
BLUE, ORANGE, GREEN, VERMILLION, PURPLE, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#6b6b6b"
# From so many points on a figure shows their density or median instead of each of them
MANY = 1500
DPI = 100
# The lightest quarter of Blues cannot be told from the paper
DENSITY = ListedColormap(colormaps["Blues"](np.linspace(0.25, 1, 256)), name="density")


@dataclass(frozen=True, slots=True)
class Mark:
    """How a category of rows is drawn; never by its colour alone.

    Parameters
    ----------
    colour : str
        Hexadecimal.
    marker : str
        Matplotlib's sign for the shape.
    label : str
        Words of the legend.
    """

    colour: str
    marker: str
    label: str


CATEGORIES: Mapping[str, Mark] = MappingProxyType(
    {
        MATCH: Mark(BLUE, "o", "match"),
        NO_ASKAP_MATCH: Mark(VERMILLION, "v", "noaskapmatch"),
        NO_CATALOGUE_MATCH: Mark(GREEN, "^", "nocatalogmatch"),
    }
)


def new_figure(width: float = 10.0, height: float = 8.0, *, dpi: int = DPI) -> Figure:
    """Return an empty figure that belongs to no pyplot state.

    Parameters
    ----------
    width, height : float
        Inches.
    dpi : int
        Pixels per inch.

    Returns
    -------
    matplotlib.figure.Figure
        Nothing but its names keeps it in memory.
    """
    return Figure(figsize=(width, height), dpi=dpi, layout="constrained", facecolor="white")


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        From `new_figure`.
    path : pathlib.Path
        The file.
    """
    # savefig draws all twice, once to find the layout, which is a third of the time of a plot
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    Picture.fromarray(np.asarray(canvas.buffer_rgba())[..., :3]).save(
        path, "PNG", compress_level=4, dpi=(figure.dpi, figure.dpi)
    )


def median_mad(values: ArrayLike) -> tuple[float, float]:
    """Return the median and the robust standard deviation.

    Parameters
    ----------
    values : array_like, shape (n,)
        The values; NaN is left out.

    Returns
    -------
    median, mad : float
        Median, and 1.4826 × the median absolute deviation from it; NaN where there is no value.
    """
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    if len(known) == 0:
        return float("nan"), float("nan")
    median = float(np.median(known))
    return median, float(1.4826 * np.median(np.abs(known - median)))


def running_median(x: ArrayLike, y: ArrayLike, edges: ArrayLike, *, at_least: int = 10) -> NDArray[np.float64]:
    """Return the median of y in bins of x.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        The points.
    edges : array_like, shape (m + 1,)
        Edges of the bins, ascending.
    at_least : int
        Bins with fewer points have no median.

    Returns
    -------
    numpy.ndarray, shape (m,)
        The medians; NaN where there are too few points.
    """
    y, edges = np.asarray(y, float), np.asarray(edges, float)
    number = np.digitize(np.asarray(x, float), edges) - 1
    return np.array(
        [np.median(y[number == i]) if (number == i).sum() >= at_least else np.nan for i in range(len(edges) - 1)]
    )


def point_size(n: int) -> float:
    """Return the area of a marker that keeps n points apart.

    Parameters
    ----------
    n : int
        Number of points.

    Returns
    -------
    float
        Points squared.
    """
    return float(np.clip(4000 / max(n, 1), 8, 60))


def put_words(axes: Axes, words: str) -> None:
    """Write lines below the title of axes, where they hide no data.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The axes, with their title.
    words : str
        The lines.
    """
    axes.set_title(f"{axes.get_title()}\n{words}", fontsize=11)


def put_legend(figure: Figure, handles: Sequence[Artist]) -> None:
    """Put a legend below the axes, where it hides no data.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        From `new_figure`.
    handles : sequence of matplotlib.artist.Artist
        What it explains, labelled.
    """
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)


def say_empty(axes: Axes, words: str) -> None:
    """Say in the middle of empty axes why nothing is drawn.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The axes.
    words : str
        One sentence.
    """
    axes.text(
        0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", fontsize=13, color=GREY, zorder=20,
        bbox={"facecolor": "white", "edgecolor": "none"},
    )  # fmt: skip


def plain_number(value: float, _: object = None) -> str:
    """Return a label of a logarithmic axis: 1, 2 and 5 of each decade, without powers.

    Parameters
    ----------
    value : float
        Where the label stands.
    _ : object
        Its number, which matplotlib passes.

    Returns
    -------
    str
        The number, empty where there is none to be written.
    """
    if value <= 0:
        return ""
    lead = value / 10 ** np.floor(np.log10(value) + 1e-9)
    return f"{value:g}" if any(abs(lead - digit) < 1e-6 for digit in (1, 2, 5)) else ""


def log_bar(figure: Figure, shown: ScalarMappable, axes: Axes, label: str) -> None:
    """Add a logarithmic bar of colours with plain numbers.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    shown : matplotlib.cm.ScalarMappable
        What is coloured.
    axes : matplotlib.axes.Axes
        Where it is drawn.
    label : str
        What the colours mean, with the unit.
    """
    bar = figure.colorbar(shown, ax=axes, label=label)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(plain_number))
    bar.ax.yaxis.set_minor_formatter(FuncFormatter(plain_number))


def sized(values: ArrayLike, smallest: float, largest: float) -> FloatArray:
    """Return marker areas that grow with the logarithm of values, from their 5th to their 95th percentile.

    Parameters
    ----------
    values : array_like, shape (n,)
        Positive values.
    smallest, largest : float
        Areas at these percentiles, points squared.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Areas.
    """
    logs: FloatArray = np.log(np.asarray(values, float))
    if len(logs) == 0:
        return logs
    low, high = np.nanpercentile(logs, [5, 95])
    part = np.clip((logs - low) / max(high - low, 1e-9), 0, 1)
    return np.asarray(smallest + (largest - smallest) * np.nan_to_num(part))


def set_sky_axes(axes: WCSAxes, shape: tuple[int, int]) -> None:
    """Show a whole image with right ascension and declination along its sides.

    Parameters
    ----------
    axes : astropy.visualization.wcsaxes.WCSAxes
        The axes.
    shape : tuple of int
        (ny, nx) of the image.
    """
    axes.set_xlim(-0.5, shape[1] - 0.5)
    axes.set_ylim(-0.5, shape[0] - 0.5)
    along, across = proj_plane_pixel_scales(axes.wcs)
    axes.set_aspect(across / along)
    for coordinate, label in zip(axes.coords, ("Right ascension (J2000)", "Declination (J2000)"), strict=True):
        coordinate.set_axislabel(label)
        # whole labels: "00m" between 21h02m and 20h58m could be either hour
        coordinate.set_ticklabel(exclude_overlapping=True, simplify=False)
    axes.coords[0].set_major_formatter("hh:mm")
    axes.coords[1].set_major_formatter("dd:mm")
    axes.coords.grid(color="0.6", alpha=0.5, linestyle=":")
