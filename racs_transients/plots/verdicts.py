"""The plots of the transient search: how much the rows changed, and why most of them are no candidates."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from racs_transients.flags import FLAGS, GOOD
from racs_transients.plots.style import CATEGORIES, GREY, MANY, Mark, new_figure, point_size, put_words, say_empty

# Thresholds of a variable source, as the review site has them; Mooley et al. 2016, ApJ 818, 105, use |Vs| ≥ 4.3
# and |m| ≥ 0.26
VS_THRESHOLD, M_THRESHOLD = 4.3, 1.2
_LOWEST_VS = 0.03
# Size of the axes of Vs against |m|, points, about
_AXES = (670.0, 500.0)
# As many candidates are named as have room, where there are few and where there are many
_NAMED, _NAMED_OF_MANY, _MANY_CANDIDATES = 12, 5, 40


def variability(
    rows: pd.DataFrame,
    *,
    vs_threshold: float = VS_THRESHOLD,
    m_threshold: float = M_THRESHOLD,
    min_ratio: float | None = None,
    title: str = "",
) -> Figure:
    """Draw |Vs| against |m|, by category and candidate.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``schema.CROSSMATCHES``.
    vs_threshold, m_threshold : float
        Dashed lines.
    min_ratio : float, optional
        Smallest flux ratio of a candidate, drawn as the |m| that it means.
    title : str
        Name of the image.

    Returns
    -------
    matplotlib.figure.Figure
        Candidates have their category's full colour and a black edge.
    """
    figure = new_figure()
    axes = figure.add_subplot()
    known = rows[np.isfinite(rows["vs_abs"]) & np.isfinite(rows["m_abs"])]
    top = max(30.0, 1.6 * float(known["vs_abs"].max())) if len(known) else 30.0
    axes.set(
        xlim=(0, 2.03), ylim=(_LOWEST_VS / 1.3, top), yscale="log", title=title,
        xlabel="|m|, change over mean flux density", ylabel="|Vs|, change over its error",
    )  # fmt: skip
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.axhline(vs_threshold, color="black", linestyle="--", linewidth=1)
    axes.axvline(m_threshold, color="black", linestyle="--", linewidth=1)
    axes.fill_between([m_threshold, 2.03], vs_threshold, top, color="0.93", zorder=0)
    axes.text(0.01, vs_threshold * 1.05, f"|Vs| = {vs_threshold:g}", fontsize=10, transform=axes.get_yaxis_transform())
    axes.text(m_threshold + 0.01, 0.02, f"|m| = {m_threshold:g}", fontsize=10, transform=axes.get_xaxis_transform())
    if min_ratio is not None and min_ratio > 1:
        m = 2 * (min_ratio - 1) / (min_ratio + 1)
        axes.axvline(m, color=GREY, linestyle=":")
        axes.text(m + 0.01, 0.02, f"ratio {min_ratio:g}", color=GREY, fontsize=10, transform=axes.get_xaxis_transform())
    if len(known) == 0:
        say_empty(axes, "No row with both fluxes")
        return figure
    for category, mark in CATEGORIES.items():
        _draw_category(axes, known[known["type"] == category], mark, len(known))
    _name_candidates(axes, known[known["is_candidate"]])
    above = known[(known["vs_abs"] >= vs_threshold) & (known["m_abs"] >= m_threshold)]
    put_words(
        axes,
        f"{len(known)} of {len(rows)} rows have both fluxes\n{len(above)} above both thresholds, "
        f"{int(above['is_candidate'].sum())} of them candidates"
        + ("\nnumbers: match_id of the most significant candidates" if known["is_candidate"].any() else ""),
    )
    legend = axes.legend(loc="lower right", framealpha=0.9, title="category", fontsize=9.5)
    for handle in legend.legend_handles:
        if isinstance(handle, PathCollection):
            handle.set_sizes([50])
            handle.set_alpha(0.9)
    return figure


def _draw_category(axes: Axes, rows: pd.DataFrame, mark: Mark, n_all: int) -> None:
    candidate = rows["is_candidate"].to_numpy(bool)
    x, y = rows["m_abs"].to_numpy(float), np.maximum(rows["vs_abs"].to_numpy(float), _LOWEST_VS)
    size = max(14.0, point_size(n_all))
    if (~candidate).any():
        axes.scatter(
            x[~candidate], y[~candidate], size, mark.colour, marker=mark.marker,
            alpha=0.55 if n_all < MANY else 0.25, linewidths=0, label=f"{mark.label} ({(~candidate).sum()})", zorder=2,
        )  # fmt: skip
    if candidate.any():
        large = float(np.clip(4000 / candidate.sum(), 22, 80))
        axes.scatter(
            x[candidate], y[candidate], large, mark.colour, marker=mark.marker, edgecolors="black",
            linewidths=1.3, label=f"{mark.label}, candidate ({candidate.sum()})", zorder=6,
        )  # fmt: skip


def _name_candidates(axes: Axes, candidates: pd.DataFrame) -> None:
    """Write the number of the row beside the most significant candidates, where it hides nothing."""
    limit = _NAMED if len(candidates) <= _MANY_CANDIDATES else _NAMED_OF_MANY
    ordered = candidates.sort_values("vs_abs", ascending=False)
    m, vs = ordered["m_abs"].to_numpy(float), ordered["vs_abs"].to_numpy(float)
    low, high = np.log(axes.get_ylim())
    points = (
        np.column_stack([m / axes.get_xlim()[1], (np.log(np.maximum(vs, _LOWEST_VS)) - low) / (high - low)]) * _AXES
    )
    # left, bottom, right and top of all that is drawn, points
    taken = np.hstack([points - 5, points + 5])
    # one by one, for where a number has room depends on those before it
    for number, x, y, (at_x, at_y) in zip(ordered["match_id"].head(limit), m, vs, points, strict=False):
        across = 6.5 * len(str(number))
        for shift, up, side in ((-6, 4, "right"), (6, 4, "left"), (-6, -14, "right"), (6, -14, "left")):
            left, bottom = at_x + shift - (across if side == "right" else 0), at_y + up
            box = np.array([left, bottom, left + across, bottom + 10])
            if ((box[:2] >= taken[:, 2:]) | (box[2:] <= taken[:, :2])).any(axis=1).all():
                axes.annotate(
                    f"{number}", (x, y), xytext=(shift, up), textcoords="offset points", fontsize=9, ha=side,
                    va="bottom", zorder=7,
                )  # fmt: skip
                taken = np.vstack([taken, box])
                break


def flag_counts(rows: pd.DataFrame) -> pd.DataFrame:
    """Count rows by category and flag.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``schema.CROSSMATCHES``.

    Returns
    -------
    pandas.DataFrame
        Columns type, flag, primary (rows whose primary flag it is) and applies (rows it applies to at all).
        Good rows are counted as ``Good, candidate`` and ``Good, no candidate``; flags without rows are left out.
    """
    bits = rows["flag_bits"].to_numpy(np.int64)
    good = ((rows["flag"] == GOOD) & ~rows["is_candidate"]).to_numpy(bool)
    kinds = {"Good, candidate": rows["is_candidate"].to_numpy(bool), "Good, no candidate": good}
    columns = [(name, mask, mask) for name, mask in kinds.items()]
    columns += [(f.name, (rows["flag"] == f.name).to_numpy(bool), (bits >> f.bit & 1).astype(bool)) for f in FLAGS]
    counted = [
        (category, name, int((primary & here).sum()), int((applies & here).sum()))
        for category in CATEGORIES
        for here in [(rows["type"] == category).to_numpy(bool)]
        for name, primary, applies in columns
    ]
    table = pd.DataFrame(counted, columns=["type", "flag", "primary", "applies"])
    used = table.groupby("flag")["applies"].transform("sum") > 0
    return table[used | table["flag"].isin(list(kinds))].reset_index(drop=True)


def counts(rows: pd.DataFrame, *, title: str = "") -> Figure:
    """Draw the number of rows by category and flag.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``schema.CROSSMATCHES``.
    title : str
        Name of the image.

    Returns
    -------
    matplotlib.figure.Figure
        One panel for each category; full bars count primary flags, outlines all rows that a flag applies to.
    """
    table = flag_counts(rows)
    names = list(dict.fromkeys(table["flag"]))
    figure = new_figure(12, 2.2 + 0.42 * len(names))
    panels = figure.subplots(1, len(CATEGORIES), sharey=True)
    position = np.arange(len(names))
    for axes, (category, mark) in zip(panels, CATEGORIES.items(), strict=True):
        part = table[table["type"] == category]
        axes.barh(position, part["applies"], height=0.74, facecolor="none", edgecolor=mark.colour, linewidth=1.2)
        axes.barh(position, part["primary"], height=0.74, color=mark.colour, alpha=0.75)
        _write_numbers(axes, part)
        axes.set_xlim(0, max(1, int(part["applies"].max())) * 1.32)
        axes.set_title(f"{mark.label} ({int((rows['type'] == category).sum())})", fontsize=12)
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlabel("rows")
    panels[0].set_yticks(position, names, fontsize=10.5)
    panels[0].invert_yaxis()
    figure.suptitle(f"{title}\nfull: the flag shown; outline: all rows it applies to", fontsize=11)
    return figure


def _write_numbers(axes: Axes, part: pd.DataFrame) -> None:
    for at, (primary, applies) in enumerate(zip(part["primary"], part["applies"], strict=True)):
        words = f"{primary}" if primary == applies else f"{primary} of {applies}"
        axes.annotate(words, (applies, at), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9.5)
