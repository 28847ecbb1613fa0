"""The axes of flux ratios against something: points or density, medians, the 1 : 1 line."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from racs_transients.beam import FloatArray
from racs_transients.plots.style import (
    BLUE,
    DENSITY,
    MANY,
    ORANGE,
    VERMILLION,
    log_bar,
    median_mad,
    new_figure,
    point_size,
    put_legend,
    put_words,
    running_median,
    say_empty,
    sized,
)

# The axes reach to the first of these that holds most ratios; what lies beyond is drawn at the border, as triangles
# (the documented plots leave ratios above 5 out)
_LIMITS = (2.0, 3.0, 5.0)
_INSIDE = 0.97
_TICKS = (0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 5)
NO_PAIRS = "No pair within the match radius"


def ratio_limit(ln_ratio: FloatArray) -> float:
    """Return how far from 1 an axis of ratios reaches.

    Parameters
    ----------
    ln_ratio : numpy.ndarray, shape (n,)
        Logarithms of the ratios.

    Returns
    -------
    float
        The axis reaches from its inverse to this ratio.
    """
    held = [float(np.mean(np.abs(ln_ratio) <= np.log(limit))) for limit in _LIMITS] if len(ln_ratio) else [1.0]
    return next((limit for limit, part in zip(_LIMITS, held, strict=False) if part >= _INSIDE), _LIMITS[-1])


def number_of_pairs(number: int) -> str:
    """Say how many pairs there are.

    Parameters
    ----------
    number : int
        Their number.

    Returns
    -------
    str
        With the plural where it belongs.
    """
    return f"{number} {'pair' if number == 1 else 'pairs'}"


def ratio_words(ln_ratio: FloatArray, median: float, mad: float) -> str:
    """Say what the ratios are.

    Parameters
    ----------
    ln_ratio : numpy.ndarray, shape (n,)
        Logarithms of the ratios.
    median, mad : float
        Of these logarithms.

    Returns
    -------
    str
        Number, median ratio and scatter, and how many are beyond a factor of two.
    """
    beyond = int((np.abs(ln_ratio) > np.log(2)).sum())
    pairs = number_of_pairs(len(ln_ratio))
    return f"{pairs}; median {np.exp(median):.3f}, MAD {100 * mad:.1f} %; {beyond} beyond a factor of 2"


def flux_norm(flux: pd.Series) -> LogNorm:
    """Return a logarithmic scale of colours for fluxes.

    Parameters
    ----------
    flux : pandas.Series
        Positive, at least one.

    Returns
    -------
    matplotlib.colors.LogNorm
        From the smallest to the largest.
    """
    low, high = float(flux.min()), float(flux.max())
    # one value alone makes no scale
    return LogNorm(low, high) if high > low * 1.01 else LogNorm(low / 2, high * 2)


def ratio_figure(
    pairs: pd.DataFrame, x: FloatArray, edges: FloatArray, survey: str, *, title: str, log_x: bool, coloured: bool
) -> tuple[Figure, Axes]:
    """Draw ratios against something, with the 1 : 1 line, median, MAD and running medians.

    Parameters
    ----------
    pairs : pandas.DataFrame
        Matches with ln_ratio, finite, and askap_flux_int, mJy, positive.
    x : numpy.ndarray, shape (n,)
        What they are drawn against.
    edges : numpy.ndarray, shape (m + 1,)
        Bins of the running median; their ends are those of the axis.
    survey : str
        Name of the survey.
    title : str
        Name of the image.
    log_x : bool
        Whether x is on a logarithmic axis.
    coloured : bool
        Whether single points show their flux.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    matplotlib.axes.Axes
        Its axes, for the label of x.
    """
    figure = new_figure()
    axes = figure.add_subplot()
    ln_ratio = pairs["ln_ratio"].to_numpy(float)
    limit = ratio_limit(ln_ratio)
    axes.set(xscale="log" if log_x else "linear", yscale="log", ylabel=f"ASKAP / {survey} flux ratio", title=title)
    axes.axhline(1, color="black", linestyle="--", label="1 : 1", zorder=4)
    if len(pairs):
        median, mad = median_mad(ln_ratio)
        _points(figure, axes, x, pairs, (edges[0], edges[-1], limit), log_x=log_x, coloured=coloured)
        axes.axhline(np.exp(median), color=VERMILLION, linestyle="-.", label=f"median {np.exp(median):.3f}", zorder=5)
        axes.axhspan(np.exp(median - mad), np.exp(median + mad), color=ORANGE, alpha=0.25, label="± MAD", zorder=0)
        # a density covers the band
        axes.hlines(np.exp([median - mad, median + mad]), edges[0], edges[-1], ORANGE, linewidth=1, zorder=4)
        _running(axes, x, ln_ratio, edges, log_x=log_x)
        put_words(axes, ratio_words(ln_ratio, median, mad))
        put_legend(figure, axes.get_legend_handles_labels()[0])
    else:
        say_empty(axes, NO_PAIRS)
    # last, for a density sets its own limits and ticks
    axes.set(xlim=(edges[0], edges[-1]), ylim=(1 / limit, limit))
    axes.yaxis.set_major_locator(FixedLocator([t for t in _TICKS if 1 / limit <= t * 1.001 and t <= limit * 1.001]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    return figure, axes


def _running(axes: Axes, x: FloatArray, ln_ratio: FloatArray, edges: FloatArray, *, log_x: bool) -> None:
    medians = running_median(x, ln_ratio, edges)
    middles = np.sqrt(edges[1:] * edges[:-1]) if log_x else (edges[1:] + edges[:-1]) / 2
    if np.isfinite(medians).any():
        axes.plot(middles, np.exp(medians), "D-", color="black", mfc="white", ms=6, label="running median", zorder=6)


def _points(
    figure: Figure,
    axes: Axes,
    x: FloatArray,
    pairs: pd.DataFrame,
    ends: tuple[float, float, float],
    *,
    log_x: bool,
    coloured: bool,
) -> None:
    """Draw single points or their density; triangles at the border where the ratio is beyond it."""
    ratio, flux = np.exp(pairs["ln_ratio"].to_numpy(float)), pairs["askap_flux_int"].to_numpy(float)
    limit, size = ends[2], point_size(len(pairs))
    inside = (ratio <= limit) & (ratio >= 1 / limit)
    if len(pairs) > MANY:
        _density(figure, axes, x[inside], ratio[inside], ends, log_x=log_x)
    elif coloured:
        points = axes.scatter(
            x[inside], ratio[inside], sized(flux[inside], 0.5 * size, 2.5 * size), flux[inside],
            norm=flux_norm(pairs["askap_flux_int"]), cmap="viridis", edgecolors="0.2", linewidths=0.3, alpha=0.85,
            zorder=3,
        )  # fmt: skip
        log_bar(figure, points, axes, "ASKAP integrated flux density (mJy); larger is brighter")
    else:
        axes.scatter(x[inside], ratio[inside], size, BLUE, alpha=0.6, linewidths=0, zorder=3)
    for marker, beyond, edge in (("^", ratio > limit, limit / 1.02), ("v", ratio < 1 / limit, 1.02 / limit)):
        axes.scatter(x[beyond], np.full(int(beyond.sum()), edge), 30, VERMILLION, marker=marker, zorder=7)


def _density(
    figure: Figure, axes: Axes, x: FloatArray, ratio: FloatArray, ends: tuple[float, float, float], *, log_x: bool
) -> None:
    """Draw how many points lie in each cell, on a grid that is even on the axes as shown."""
    low, high = np.log10(ends[:2]) if log_x else np.asarray(ends[:2])
    reach = float(np.log10(ends[2]))
    cells = axes.hexbin(
        x, ratio, gridsize=(70, 50), extent=(float(low), float(high), -reach, reach), mincnt=1, norm=LogNorm(),
        xscale="log" if log_x else "linear", yscale="log", cmap=DENSITY, linewidths=0.1,
    )  # fmt: skip
    log_bar(figure, cells, axes, "pairs in a cell")
