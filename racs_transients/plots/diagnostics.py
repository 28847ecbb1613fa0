"""The five diagnostic plots: what the matches say of flux scale, astrometry and completeness of an image.

Each takes a table and returns a Figure. Ratios are ASKAP / survey at the survey's frequency, before any
correction of the flux scale; offsets are ASKAP − survey. A few points are drawn one by one, thousands as
their density or median. Medians come with 1.4826 × the median absolute deviation (MAD).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from astropy.wcs import WCS
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from racs_transients import sky
from racs_transients.beam import Beam, FloatArray
from racs_transients.plots.ratio_axes import NO_PAIRS, flux_norm, number_of_pairs, ratio_figure, ratio_words
from racs_transients.plots.style import (
    BLUE,
    DENSITY,
    GREY,
    MANY,
    ORANGE,
    VERMILLION,
    log_bar,
    median_mad,
    new_figure,
    plain_number,
    point_size,
    put_legend,
    put_words,
    say_empty,
    set_sky_axes,
    sized,
)
from racs_transients.surveys import Survey

# Pairs that make the median of a cell of the map, typically
_PAIRS_PER_CELL = 12


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the source counts.

    Parameters
    ----------
    label : str
        What is counted.
    count : int
        How many.
    of_survey : bool
        Whether survey sources are counted, else ASKAP's.
    """

    label: str
    count: int
    of_survey: bool


def flux_ratio_image_view(
    pairs: pd.DataFrame, wcs: WCS, shape: tuple[int, int], survey: str, *, title: str = ""
) -> Figure:
    """Draw the flux ratio over the image, which shows where the flux scale differs.

    Parameters
    ----------
    pairs : pandas.DataFrame
        Matches with askap_ra, askap_dec, degrees, and ln_ratio.
    wcs : astropy.wcs.WCS
        Coordinates of the image.
    shape : tuple of int
        (ny, nx) of the image.
    survey : str
        Name of the survey.
    title : str
        Name of the image.

    Returns
    -------
    matplotlib.figure.Figure
        Axes on the sky; triangles up are brighter in ASKAP, down in the survey, and larger for larger ratios.
    """
    figure = new_figure()
    axes = figure.add_subplot(projection=wcs)
    set_sky_axes(axes, shape)
    axes.set_title(title)
    known = pairs[np.isfinite(pairs["ln_ratio"])]
    if len(known) == 0:
        say_empty(axes, NO_PAIRS)
        return figure
    ln_ratio = known["ln_ratio"].to_numpy(float)
    x, y = wcs.wcs_world2pix(known["askap_ra"], known["askap_dec"], 0)
    median, mad = median_mad(ln_ratio)
    # medians of cells scatter less than single pairs
    reach = float(np.clip((1.5 if len(known) > MANY else 3) * np.nan_to_num(mad), np.log(1.2), np.log(2)))
    norm = Normalize(-reach, reach)
    shown = _ratio_map(axes, x, y, ln_ratio, norm, shape)
    bar = figure.colorbar(shown, ax=axes, label=f"ASKAP / {survey} flux ratio", extend="both", pad=0.02)
    _set_ratio_ticks(bar.ax, reach)
    what = "medians; beyond a factor of 2: " if len(known) > MANY else ""
    put_words(axes, f"{ratio_words(ln_ratio, median, mad)}\n{what}▲ brighter in ASKAP, ▼ fainter")
    return figure


def _ratio_map(
    axes: Axes, x: FloatArray, y: FloatArray, ln_ratio: FloatArray, norm: Normalize, shape: tuple[int, int]
) -> ScalarMappable:
    """Draw few pairs as triangles; many as medians, with triangles where the ratio is beyond a factor of two."""
    single = np.full(len(x), len(x) <= MANY)
    shown: ScalarMappable = ScalarMappable(norm, "RdBu_r")
    if len(x) > MANY:
        extent = (-0.5, shape[1] - 0.5, -0.5, shape[0] - 0.5)
        cells = int(np.clip(np.sqrt(len(x) / _PAIRS_PER_CELL), 12, 45))
        shown = axes.hexbin(
            x, y, ln_ratio, gridsize=cells, extent=extent, reduce_C_function=np.median, cmap="RdBu_r", norm=norm, lw=0
        )
        single = np.abs(ln_ratio) > np.log(2)
    area = point_size(int(single.sum())) * (0.6 + 2 * np.clip(np.abs(ln_ratio) / np.log(2), 0, 2))
    for marker, chosen in (("^", single & (ln_ratio >= 0)), ("v", single & (ln_ratio < 0))):
        axes.scatter(
            x[chosen], y[chosen], area[chosen], ln_ratio[chosen],
            marker=marker, cmap="RdBu_r", norm=norm, edgecolors="0.25", linewidths=0.5,
        )  # fmt: skip
    return shown


def _set_ratio_ticks(axes: Axes, reach: float) -> None:
    """Label an axis of ln ratio with ratios."""
    steps = [v for v in (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.4, 1.7, 2) if abs(np.log(v)) <= reach * 1.001]
    axes.yaxis.set_major_locator(FixedLocator([float(np.log(v)) for v in steps]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{np.exp(value):.2f}"))


def position_offset(pairs: pd.DataFrame, beam: Beam, survey: str, *, radius: float, title: str = "") -> Figure:
    """Draw the offsets ASKAP − survey as they lie on the sky, north up and east left.

    Parameters
    ----------
    pairs : pandas.DataFrame
        Matches with ra_offset and dec_offset, arcsec, and askap_flux_int, mJy.
    beam : Beam
        Beam of the image, drawn at the origin where it fits.
    survey : str
        Name of the survey.
    radius : float
        Match radius, arcsec.
    title : str
        Name of the image.

    Returns
    -------
    matplotlib.figure.Figure
        Scatter or density of the offsets with their medians.
    """
    figure = new_figure(9.2, 8.4)
    axes = figure.add_subplot()
    fits = beam.major < 4 * radius
    limit = max(1.15 * radius, 0.55 * beam.major if fits else 0.0)
    axes.set(
        xlim=(limit, -limit),
        ylim=(-limit, limit),
        aspect="equal",
        xlabel=f"← east    ΔRA cos δ, ASKAP − {survey} (arcsec)    west →",
        ylabel=f"ΔDec, ASKAP − {survey} (arcsec)    north →",
        title=title,
    )
    known = pairs[np.isfinite(pairs["ra_offset"]) & np.isfinite(pairs["dec_offset"])]
    if len(known) == 0:
        say_empty(axes, NO_PAIRS)
        return figure
    _offset_points(figure, axes, known, limit)
    axes.axhline(0, color="black", linestyle="--", linewidth=0.9)
    axes.axvline(0, color="black", linestyle="--", linewidth=0.9)
    axes.plot(*_ellipse(2 * radius, 2 * radius, 0), color=GREY, linestyle=":", label=f"match radius {radius:g}″")
    if fits:
        axes.plot(*_ellipse(beam.major, beam.minor, beam.pa), color="black", linewidth=1.2, label="beam (FWHM)")
    (east, east_mad), (north, north_mad) = median_mad(known["ra_offset"]), median_mad(known["dec_offset"])
    axes.axvline(east, color=VERMILLION, linestyle="-.", label="medians")
    axes.axhline(north, color=VERMILLION, linestyle="-.")
    put_words(
        axes,
        f"{number_of_pairs(len(known))}; beam {_beam_words(beam)}\n"
        f"ΔRA cos δ: median {east:+.2f}″, MAD {east_mad:.2f}″; ΔDec: median {north:+.2f}″, MAD {north_mad:.2f}″",
    )
    put_legend(figure, axes.get_legend_handles_labels()[0])
    return figure


def _offset_points(figure: Figure, axes: Axes, pairs: pd.DataFrame, limit: float) -> None:
    """Draw few pairs as points, larger and lighter for brighter ones and these on top; many as density."""
    if len(pairs) > MANY:
        extent = (-limit, limit, -limit, limit)
        density = axes.hexbin(
            pairs["ra_offset"], pairs["dec_offset"], gridsize=60, extent=extent, mincnt=1, norm=LogNorm(), cmap=DENSITY
        )
        axes.set(xlim=(limit, -limit), ylim=(-limit, limit))
        log_bar(figure, density, axes, "pairs in a cell")
        return
    ordered = pairs.sort_values("askap_flux_int")
    flux = ordered["askap_flux_int"].clip(lower=1e-3)
    size = point_size(len(ordered))
    points = axes.scatter(
        ordered["ra_offset"], ordered["dec_offset"], sized(flux, 0.5 * size, 2.5 * size), flux,
        norm=flux_norm(flux), cmap="viridis", alpha=0.85, edgecolors="0.2", linewidths=0.3,
    )  # fmt: skip
    log_bar(figure, points, axes, "ASKAP integrated flux density (mJy); larger is brighter")


def _beam_words(beam: Beam) -> str:
    return f"{beam.major:.1f}″ × {beam.minor:.1f}″, PA {round(beam.pa) % 180}°"


def _ellipse(major: float, minor: float, pa: float) -> tuple[FloatArray, FloatArray]:
    """Return east and north of an ellipse's outline from full axes, arcsec, and position angle, degrees."""
    turn, angle = np.linspace(0, 2 * np.pi, 181), np.deg2rad(pa)
    along, across = major / 2 * np.cos(turn), minor / 2 * np.sin(turn)
    return along * np.sin(angle) + across * np.cos(angle), along * np.cos(angle) - across * np.sin(angle)


def source_numbers(
    sources: pd.DataFrame, pairs: pd.DataFrame, survey: Survey, *, factor: float, snr: float, radius: float
) -> tuple[Bar, ...]:
    """Count the sources of both full lists, whatever is left out of the other diagnostic plots.

    Parameters
    ----------
    sources : pandas.DataFrame
        All ASKAP sources: ra, dec, degrees; flux_int, mJy.
    pairs : pandas.DataFrame
        Every survey source with its nearest ASKAP source: askap_source_id and separation, arcsec.
    survey : Survey
        The survey.
    factor : float
        Survey flux expected per ASKAP flux.
    snr : float
        Signal to noise in the survey from which a source is expected there.
    radius : float
        Match radius of the transient search, arcsec.

    Returns
    -------
    tuple of Bar
        ASKAP sources, those expected in the survey, those matched; survey sources, those matched.
    """
    inside = survey.contains(sources["ra"], sources["dec"])
    expected = inside & (sources["flux_int"].to_numpy(float) * factor >= snr * survey.rms.at(sources["dec"]))
    matched = pairs[pairs["separation"] <= radius]
    likely = f"ASKAP, expected in {survey.name}\n(≥ {snr:g} σ of its typical noise)"
    return (
        Bar("ASKAP sources", len(sources), of_survey=False),
        Bar(likely, int(expected.sum()), of_survey=False),
        Bar(f"ASKAP, matched within {radius:g}″", matched["askap_source_id"].nunique(), of_survey=False),
        Bar(f"{survey.name} sources", len(pairs), of_survey=True),
        Bar(f"{survey.name}, matched within {radius:g}″", len(matched), of_survey=True),
    )


def source_counts(bars: Sequence[Bar], *, title: str = "") -> Figure:
    """Draw how many sources each list has and how many are matched.

    Parameters
    ----------
    bars : sequence of Bar
        From `source_numbers`.
    title : str
        Name of the image.

    Returns
    -------
    matplotlib.figure.Figure
        Horizontal bars with their numbers; those of the survey are hatched.
    """
    figure = new_figure(10, 1.6 + 0.85 * len(bars))
    axes = figure.add_subplot()
    position = np.arange(len(bars))
    drawn = axes.barh(
        position,
        [bar.count for bar in bars],
        color=[ORANGE if bar.of_survey else BLUE for bar in bars],
        hatch=["//" if bar.of_survey else "" for bar in bars],
        edgecolor="white",
        height=0.72,
    )
    axes.bar_label(drawn, labels=[f"{bar.count:,}" for bar in bars], padding=5, fontsize=12)
    axes.set_yticks(position, [bar.label for bar in bars], fontsize=11)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set(xlabel="number of sources (full lists: no cut in separation or extent)", title=title)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def flux_ratios(pairs: pd.DataFrame, survey: str, *, title: str = "") -> Figure:
    """Draw the flux ratio against ASKAP flux.

    Parameters
    ----------
    pairs : pandas.DataFrame
        Matches with askap_flux_int, mJy, and ln_ratio.
    survey : str
        Name of the survey.
    title : str
        Name of the image.

    Returns
    -------
    matplotlib.figure.Figure
        Both axes logarithmic, with the 1:1 line, the median, its MAD and running medians.
    """
    known = pairs[np.isfinite(pairs["ln_ratio"]) & (pairs["askap_flux_int"] > 0)]
    flux = known["askap_flux_int"].to_numpy(float)
    low, high = (0.85 * float(flux.min()), 1.15 * float(flux.max())) if len(flux) else (1.0, 1000.0)
    edges = np.geomspace(low, high, 13)
    figure, axes = ratio_figure(known, flux, edges, survey, title=title, log_x=True, coloured=False)
    axes.set(xlabel="ASKAP integrated flux density (mJy, at the image's frequency)")
    axes.xaxis.set_major_formatter(FuncFormatter(plain_number))
    if high < 200 * low:
        axes.xaxis.set_minor_formatter(FuncFormatter(plain_number))
    return figure


def flux_ratios_from_centre(
    pairs: pd.DataFrame, centre: tuple[float, float], survey: str, *, title: str = ""
) -> Figure:
    """Draw the flux ratio against the distance from the centre of the image.

    Parameters
    ----------
    pairs : pandas.DataFrame
        Matches with askap_ra, askap_dec, degrees, askap_flux_int, mJy, and ln_ratio.
    centre : tuple of float
        Right ascension and declination of the centre, degrees.
    survey : str
        Name of the survey.
    title : str
        Name of the image.

    Returns
    -------
    matplotlib.figure.Figure
        With the 1:1 line, the median, its MAD and running medians.
    """
    known = pairs[np.isfinite(pairs["ln_ratio"]) & (pairs["askap_flux_int"] > 0)]
    distance = sky.separation(known["askap_ra"], known["askap_dec"], *centre) / 3600
    edges = np.linspace(0.0, 1.04 * float(distance.max()) if len(distance) else 1.0, 13)
    figure, axes = ratio_figure(known, distance, edges, survey, title=title, log_x=False, coloured=True)
    axes.set(xlabel="distance from the centre of the image (deg)")
    return figure
