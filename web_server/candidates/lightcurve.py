"""Flux density against time of one object, as a picture (SVG) and as the rows of the table beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from astropy.time import Time

WIDTH, HEIGHT = 640, 300
_TOP, _BOTTOM, _LEFT, _RIGHT = 22, 252, 62, 628
# Two axes of time: decades of surveys would leave the days between ASKAP images no room
_SURVEYS, _IMAGES = (_LEFT, 212), (232, _RIGHT)
_ARROW = 16
MEASURED, SCALED, SURVEY = "measured", "scaled", "survey"
KINDS = (
    (MEASURED, "ASKAP as measured, own frequency"),
    (SCALED, "ASKAP scaled to the survey's frequency"),
    (SURVEY, "survey"),
)


@dataclass(frozen=True, slots=True)
class Point:
    """A flux density at a time.

    Parameters
    ----------
    kind : str
        ``MEASURED`` and ``SCALED`` are ASKAP's, at its own frequency and at the survey's; ``SURVEY``.
    start, end : float or None
        MJD; None where the time is unknown. They differ where only the years of a survey are known.
    flux : float
        mJy; of a limit, the limit.
    error : float or None
        1σ, mJy.
    is_limit : bool
        Whether the flux density is below `flux`.
    image : str
        Name of the image.
    survey : str
        The survey compared with.
    origin : str
        How it was measured.
    row_id, image_id : int
        Whose row it is.
    """

    kind: str
    start: float | None
    end: float | None
    flux: float
    error: float | None
    is_limit: bool
    image: str
    survey: str
    origin: str = ""
    row_id: int = 0
    image_id: int = 0

    @property
    def epoch(self) -> float | None:
        """Middle of the time, MJD."""
        return None if self.start is None or self.end is None else (self.start + self.end) / 2

    @property
    def who(self) -> str:
        """Whose flux density at which frequency."""
        words = {MEASURED: "ASKAP", SCALED: f"ASKAP, scaled to {self.survey}", SURVEY: self.survey}
        return words[self.kind]

    @property
    def value(self) -> str:
        """The flux density with its error, mJy."""
        if self.is_limit:
            return f"< {self.flux:.2f}"
        return f"{self.flux:.2f} ± {self.error:.2f}" if self.error else f"{self.flux:.2f}"

    @property
    def date(self) -> str:
        """The time in words."""
        if self.start is None or self.end is None:
            return "unknown"
        if self.start == self.end:
            return str(Time(self.start, format="mjd").to_value("iso", subfmt="date"))
        return f"{math.floor(_year(self.start))}–{math.floor(_year(self.end))}"

    @property
    def mjd(self) -> str:
        """The time as MJD; empty where only years are known."""
        return f"{self.start:.3f}" if self.start is not None and self.start == self.end else ""


def _year(mjd: float) -> float:
    return float(Time(mjd, format="mjd").jyear)


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Return round numbers inside a range.

    Parameters
    ----------
    low, high : float
        The range, not empty.
    wanted : int
        About how many.

    Returns
    -------
    list of float
        Multiples of 1, 2 or 5 times a power of ten.
    """
    rough = (high - low) / wanted
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    return [n * step for n in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def _flux_axis(points: Iterable[Point]) -> _Axis:
    """Return the axis of flux: from zero, or below it where a measurement is negative."""
    lows = [p.flux - (p.error or 0) for p in points if not p.is_limit]
    highs = [p.flux + (p.error or 0) for p in points]
    low, high = min([0.0, *lows]), max([0.0, *highs])
    span = (high - low) or 1.0
    return _Axis(low - 0.08 * span if low < 0 else 0.0, high + 0.08 * span, _BOTTOM, _TOP)


def _time_axis(points: Sequence[Point], box: tuple[int, int], least: float) -> _Axis:
    starts = [p.start for p in points if p.start is not None]
    ends = [p.end for p in points if p.end is not None]
    low, high = min(starts), max(ends)
    margin = max((high - low) * 0.08, (least - (high - low)) / 2)
    return _Axis(low - margin, high + margin, *box)


def _add(parent: ElementTree.Element, tag: str, text: str = "", **attributes: float | str) -> ElementTree.Element:
    words = {
        name.rstrip("_").replace("_", "-"): f"{value:.1f}" if isinstance(value, float) else str(value)
        for name, value in attributes.items()
    }
    element = ElementTree.SubElement(parent, tag, words)
    if text:
        element.text = text
    return element


def _line(parent: ElementTree.Element, ends: tuple[float, float, float, float], name: str) -> None:
    x1, y1, x2, y2 = (float(end) for end in ends)
    _add(parent, "line", x1=x1, y1=y1, x2=x2, y2=y2, class_=name)


def _draw_flux_axis(svg: ElementTree.Element, axis: _Axis) -> None:
    for value in ticks(axis.low, axis.high):
        y = axis(value)
        _line(svg, (_LEFT, y, _RIGHT, y), "zero" if value == 0 else "grid")
        _add(svg, "text", f"{value:g}", x=_LEFT - 8, y=y + 4, text_anchor="end")
    turned = f"translate(14 {(_TOP + _BOTTOM) / 2}) rotate(-90)"
    _add(svg, "text", "Flux density (mJy)", x=0, y=0, text_anchor="middle", transform=turned)


def _draw_time_axis(svg: ElementTree.Element, axis: _Axis, title: str, *, years: bool) -> None:
    _add(
        svg,
        "rect",
        x=float(axis.start),
        y=_TOP,
        width=float(axis.end - axis.start),
        height=_BOTTOM - _TOP,
        class_="frame",
    )
    if years:
        marks = [(year, f"{year:.0f}") for year in ticks(_year(axis.low), _year(axis.high), 3) if year == round(year)]
        places = [(axis(float(Time(year, format="jyear").mjd)), words, "") for year, words in marks]
    else:
        found = [mjd for mjd in ticks(axis.low, axis.high, 4) if mjd == round(mjd)]
        places = [(axis(mjd), f"{mjd:.0f}", Time(mjd, format="mjd").to_value("iso", subfmt="date")) for mjd in found]
    for x, words, below in places:
        _line(svg, (x, _BOTTOM, x, _BOTTOM + 5), "tick")
        _add(svg, "text", words, x=x, y=_BOTTOM + 18, text_anchor="middle")
        _add(svg, "text", below, x=x, y=_BOTTOM + 32, text_anchor="middle", class_="soft")
    _add(svg, "text", title, x=(axis.start + axis.end) / 2, y=_TOP - 8, text_anchor="middle", class_="soft")


def _draw_point(svg: ElementTree.Element, point: Point, time: _Axis, flux: _Axis) -> None:
    """Draw a point with its error or its arrow; the words appear when the pointer rests on it."""
    assert point.start is not None
    assert point.end is not None
    assert point.epoch is not None
    group = _add(svg, "g", class_=f"point {point.kind}")
    _add(group, "title", f"{point.who}: {point.value} mJy, {point.date}")
    # the scaled flux stands beside the measured one of the same image
    x = time(point.epoch) + (7 if point.kind == SCALED else 0)
    y = flux(point.flux)
    if point.end > point.start:
        _line(group, (time(point.start), y, time(point.end), y), "bar")
    if point.is_limit:
        _line(group, (x - 6, y, x + 6, y), "bar")
        _add(group, "path", d=f"M{x:.1f} {y:.1f}v{_ARROW}m-4 -5l4 5l4 -5", class_="arrow")
        return
    if point.error:
        low, high = flux(point.flux - point.error), flux(point.flux + point.error)
        _add(group, "path", d=f"M{x - 3:.1f} {low:.1f}h6m-3 0V{high:.1f}m-3 0h6", class_="bar")
    if point.kind == SURVEY:
        _add(group, "rect", x=x - 5, y=y - 5, width=10, height=10, class_="mark")
    else:
        _add(group, "circle", cx=x, cy=y, r=5, class_="mark")


def draw(points: Sequence[Point]) -> str:
    """Return the plot.

    Parameters
    ----------
    points : sequence of Point
        Those whose time is unknown are left out.

    Returns
    -------
    str
        An ``svg`` element, coloured by the classes of the page's style sheet; empty where nothing can be drawn.
    """
    timed = list(dict.fromkeys(p for p in points if p.epoch is not None and math.isfinite(p.flux)))
    if not timed:
        return ""
    svg = ElementTree.Element(
        "svg", {"viewBox": f"0 0 {WIDTH} {HEIGHT}", "class": "fluxes", "role": "img", "aria-labelledby": "fluxes-title"}
    )
    _add(svg, "title", "Flux density against time; the table beside it has the numbers", id="fluxes-title")
    flux = _flux_axis(timed)
    _draw_flux_axis(svg, flux)
    surveys, images = ([p for p in timed if (p.kind == SURVEY) is side] for side in (True, False))
    parts = [(surveys, _SURVEYS, "Surveys, year", 365.25 * 6), (images, _IMAGES, "ASKAP, MJD and date", 8.0)]
    for some, box, title, least in parts:
        if some:
            whole = box if surveys and images else (_LEFT, _RIGHT)
            time = _time_axis(some, whole, least)
            _draw_time_axis(svg, time, title, years=some is surveys)
            for point in some:
                _draw_point(svg, point, time, flux)
    return ElementTree.tostring(svg, encoding="unicode")
