"""The report of a run: one HTML file with everything inside, which opens anywhere and asks for nothing.

The page is an ElementTree, whose serialiser escapes every text and attribute. So no template can forget to,
and the two alternatives cost more than they give: jinja2 would be a new dependency, Django's engine needs
settings in a pipeline that otherwise starts without them.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, tostring

import numpy as np
import pandas as pd
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.time import Time
from PIL import Image as Picture

from racs_transients.config import SECTIONS
from racs_transients.flags import names_of
from racs_transients.report_style import STYLE
from racs_transients.runfolder import image_stem
from racs_transients.schema import PLOT_KINDS, PRODUCT_KINDS

# A page with more pictures than this is no longer quick to open
MAX_CARDS = 200
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
# Larger PNG files, the overlays, go in as JPEG of so many pixels
_LARGE, _PIXELS = 400_000, 1500
_KEY = (
    "North is up, east left. Ellipses: red the survey, gold the other survey of a run with two, blue ASKAP as "
    "compared, green ASKAP at full resolution beside a convolved image. Large circles: light blue the catalogue "
    "source, orange the ASKAP source; dashed where it is merely the nearest, dotted where a flux was measured "
    "without a source."
)
_WORDS = {"match": "changed", "noaskapmatch": "gone or fainter", "nocatalogmatch": "new or brighter"}


def report_html(manifest: Mapping[str, Any], rows: pd.DataFrame, folder: Path) -> str:
    """Return the report of a run.

    Parameters
    ----------
    manifest : mapping
        What ``run.json`` holds.
    rows : pandas.DataFrame
        ``schema.CROSSMATCHES``, without rows where there was no transient search.
    folder : pathlib.Path
        The results folder, for its pictures.

    Returns
    -------
    str
        An HTML page.
    """
    name = image_stem(Path(manifest["image"]["path"]))
    head = _tag(
        "head",
        _tag("meta", charset="utf-8"),
        _tag("meta", {"name": "viewport"}, content="width=device-width, initial-scale=1"),
        _tag("meta", {"http-equiv": "Content-Security-Policy"}, content=_POLICY),
        _tag("title", f"{name}: racs_transients"),
        _tag("style", STYLE),
    )
    candidates = rows[rows["is_candidate"]]
    body = _tag(
        "body",
        _tag("h1", name),
        _tag("p", _what_was_done(manifest, rows), {"class": "lead"}),
        *_warnings(manifest),
        *_section("The image", _image_facts(manifest)),
        *_section("Comparison", _comparison(manifest)),
        *_section(f"Candidates ({len(candidates)})", *_cards(candidates, manifest, folder)),
        *_section("Plots", *_plots(manifest, folder)),
        *_section("Inputs", _inputs(manifest)),
        *_section("Stages", _table(["stage", "result", "seconds"], _stage_rows(manifest))),
        *_section("Settings", *_settings(manifest)),
        *_section("Files and versions", *_files(manifest)),
    )
    page = _tag("html", head, body, lang="en")
    return "<!DOCTYPE html>\n" + tostring(page, encoding="unicode", method="html") + "\n"


def _tag(name: str, *children: Element | str | Mapping[str, str], **attributes: str) -> Element:
    """Return an element; mappings among the children are attributes that are no Python names."""
    element = Element(name, attributes)
    for child in children:
        if isinstance(child, Element):
            element.append(child)
        elif isinstance(child, str):
            if len(element):
                element[-1].tail = (element[-1].tail or "") + child
            else:
                element.text = (element.text or "") + child
        else:
            element.attrib.update(child)
    return element


def _section(title: str, *content: Element) -> tuple[Element, ...]:
    return (_tag("h2", title), *content)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Element:
    """Return a table that scrolls sideways on a narrow screen."""
    body = [_tag("tr", *(_tag("td", cell) for cell in row)) for row in rows]
    table = _tag(
        "table",
        _tag("thead", _tag("tr", *(_tag("th", cell) for cell in head))),
        _tag("tbody", *body),
    )
    return _tag("div", table, {"class": "scroll"})


def _pairs(values: Iterable[tuple[str, str]], kind: str = "facts") -> Element:
    items = [item for name, value in values for item in (_tag("dt", name), _tag("dd", value))]
    return _tag("dl", *items, {"class": kind})


def _number(value: object, digits: int = 3, unit: str = "") -> str:
    """Return a number with so many significant digits, a dash where it is missing."""
    if isinstance(value, int | np.integer):
        return f"{value:,} {unit}".strip()
    if not isinstance(value, float) or not np.isfinite(value):
        return "–"
    text = f"{value:.{digits}g}"
    if "e" in text:
        text = f"{value:,.0f}" if abs(value) >= 1 else f"{value:.1e}"
    return f"{text} {unit}".strip()


def _with_error(value: object, error: object, unit: str = "") -> str:
    """Return a number to the second significant digit of its error."""
    if not isinstance(value, float) or not isinstance(error, float) or not (np.isfinite(value) and error > 0):
        return _number(value, 3, unit)
    decimals = max(0, 1 - int(np.floor(np.log10(error))))
    return f"{value:,.{decimals}f} ± {error:,.{decimals}f} {unit}".strip()


def _what_was_done(manifest: Mapping[str, Any], rows: pd.DataFrame) -> str:
    surveys = " and ".join(manifest["surveys"])
    words = f"Compared with {surveys} by racs_transients {manifest['version']}, started {manifest['started']}"
    if manifest["settings"]["transients"]["transients"]:
        return f"{words}: {len(rows):,} rows, {int(rows['is_candidate'].sum()):,} candidates."
    return f"{words}. No transient search was asked for."


def _warnings(manifest: Mapping[str, Any]) -> tuple[Element, ...]:
    found = manifest["warnings"]
    if not found:
        return ()
    return (_tag("div", _tag("strong", "Warnings"), _tag("ul", *(_tag("li", w) for w in found)), {"class": "warn"}),)


def _image_facts(manifest: Mapping[str, Any]) -> Element:
    image = manifest["image"]
    centre = SkyCoord(image["ra"], image["dec"], unit="deg")
    epoch = image["epoch"]
    date = Time(epoch, format="mjd").to_value("iso", subfmt="date") if np.isfinite(epoch) else "unknown"
    position = centre.to_string("hmsdms", sep=" ", precision=0)
    beam = f"{image['beam_major']:.1f}″ × {image['beam_minor']:.1f}″, PA {round(image['beam_pa']) % 180}°"
    return _pairs(
        [
            (
                "Centre",
                f"{position}  ({image['ra']:.4f}°, {image['dec']:+.4f}°)",
            ),
            ("Frequency", f"{image['frequency']:.1f} MHz"),
            ("Beam", beam),
            ("Size", f"{image['width']} × {image['height']} pixels"),
            ("Observed", date),
            ("Noise (median)", _number(manifest.get("image_rms"), 3, "mJy/beam")),
            ("Sources", _number(manifest.get("askap_sources"))),
        ]
    )


def _comparison(manifest: Mapping[str, Any]) -> Element:
    def column(part: Mapping[str, Any]) -> list[str]:
        rows = part.get("rows", {})
        return [
            _number(part.get("references")),
            _number(part.get("convolved", manifest).get("askap_sources")),
            *_calibration(part.get("calibration", {})),
            *(_number(rows.get(category, 0 if rows else None)) for category in _WORDS),
            _number(part.get("askap_only_too_faint")),
            _number(part.get("askap_only_outside_survey")),
            _number(part.get("candidates")),
        ]

    names = [
        "survey sources on the image",
        "ASKAP sources at the resolution compared",
        "good pairs for flux scale and astrometry",
        "flux scale ASKAP / survey",
        "scatter of the flux ratio",
        "offset ASKAP − survey (RA cos δ, Dec)",
        *_WORDS,
        "ASKAP only, too faint for the survey",
        "ASKAP only, outside the survey",
        "candidates",
    ]
    columns = [column(part) for part in manifest["surveys"].values()]
    return _table(["", *manifest["surveys"]], ([name, *cells] for name, *cells in zip(names, *columns, strict=True)))


def _calibration(found: Mapping[str, Any]) -> list[str]:
    """Return pairs, flux scale, scatter and offset; the last three only where enough pairs measured them."""
    pairs, scatter = _number(found.get("pairs")), found.get("ln_ratio_scatter", np.nan)
    if not np.isfinite(scatter):
        return [pairs, *["not measured"] * 3]
    return [
        pairs,
        _with_error(found["flux_scale"], found["flux_scale"] * found["flux_scale_err"]),
        f"{100 * scatter:.1f} %",
        f"{found['ra_offset']:+.2f}″, {found['dec_offset']:+.2f}″",
    ]


def _cards(candidates: pd.DataFrame, manifest: Mapping[str, Any], folder: Path) -> list[Element]:
    """Return a card for each candidate, a loop because each is an element of its own."""
    if len(candidates) == 0:
        return [_tag("p", "None.")]
    stamps = {p["match_id"]: name for name, p in manifest["products"].items() if p["kind"] == "stamp_web"}
    # the rows of two surveys come one survey after the other
    shown = candidates.sort_values("ratio", ascending=False, kind="stable").head(MAX_CARDS)
    positions = SkyCoord(shown["ra"], shown["dec"], unit=u.deg).to_string("hmsdms", sep=":", precision=1)
    cards = [
        _card(row, position, stamps.get(row["match_id"]), folder)
        for row, position in zip(shown.to_dict("records"), positions, strict=True)
    ]
    across = 2 * manifest["settings"]["postagestamps"]["postage_stamp_radius"]
    key = [_tag("p", f"The stamps are {across:g}′ wide. {_KEY}", {"class": "kind"})] if stamps else []
    content = [*key, _tag("div", *cards, {"class": "cards"})]
    if len(candidates) > MAX_CARDS:
        more = len(candidates) - MAX_CARDS
        content.append(_tag("p", f"{more} more, with smaller ratios, are in transients/transients_master.csv."))
    return content


def _card(row: Mapping[Any, Any], position: str, stamp: str | None, folder: Path) -> Element:
    name, survey = str(row["name"]), str(row["survey"])
    picture = (
        _picture(folder / stamp, f"Postage stamp of {name}: {survey} and ASKAP")
        if stamp
        else _tag("p", "no postage stamp", {"class": "none"})
    )
    cautions = ", ".join(names_of(int(row["flag_bits"])))
    sign = "≥ " if row["ratio_is_limit"] else ""
    facts = [
        ("RA, Dec", position),
        ("Flux ratio", sign + _with_error(row["ratio"], row["ratio_err"])),
        ("Vs, m", f"{row['vs']:+.1f}, {row['m']:+.2f}"),
        (f"ASKAP ({row['askap_origin']})", _with_error(row["askap_flux"], row["askap_flux_err"], "mJy")),
        (f"{survey} ({row['ref_origin']})", _with_error(row["ref_flux"], row["ref_flux_err"], "mJy")),
        *([("Expected", f"{row['predicted_snr']:.0f} σ")] if np.isfinite(row["predicted_snr"]) else []),
        *([("Caution", cautions)] if cautions else []),
    ]
    return _tag(
        "article",
        _tag("h3", name, _tag("small", f" #{row['match_id']}")),
        _tag("p", f"{row['type']} · {survey} · {_WORDS.get(str(row['type']), '')}", {"class": "kind"}),
        picture,
        _pairs(facts, "small"),
        id=f"row-{row['match_id']}",
    )


def _plots(manifest: Mapping[str, Any], folder: Path) -> list[Element]:
    drawn = [(p["survey"], p["kind"], name) for name, p in manifest["products"].items() if p["kind"] in PLOT_KINDS]
    order = list(PLOT_KINDS)
    content: list[Element] = []
    for survey in manifest["surveys"]:
        own = sorted((item for item in drawn if item[0] == survey), key=lambda item: order.index(item[1]))
        figures = [
            _tag(
                "figure",
                _picture(folder / name, f"{PLOT_KINDS[kind]}, {survey}"),
                _tag("figcaption", f"{PLOT_KINDS[kind]} ({Path(name).name})"),
            )
            for _, kind, name in own
        ]
        content += [_tag("h3", survey), _tag("div", *figures, {"class": "plots"})]
    return content


def _picture(path: Path, words: str) -> Element:
    """Return a picture with its bytes inside the page."""
    content, kind = path.read_bytes(), "png" if path.suffix == ".png" else "jpeg"
    with Picture.open(BytesIO(content)) as picture:
        width, height = picture.size
        if len(content) > _LARGE:
            small = picture.convert("RGB")
            small.thumbnail((_PIXELS, _PIXELS))
            stream = BytesIO()
            small.save(stream, "JPEG", quality=82)
            content, kind, (width, height) = stream.getvalue(), "jpeg", small.size
    source = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    return _tag("img", src=source, alt=words, width=str(width), height=str(height))


def _inputs(manifest: Mapping[str, Any]) -> Element:
    inputs = {"image": manifest["image"]} | manifest["inputs"]
    return _table(["role", "file", "SHA-256"], ([role, v["path"], v["sha256"]] for role, v in inputs.items()))


def _stage_rows(manifest: Mapping[str, Any]) -> list[list[str]]:
    return [[stage["name"], stage["result"], f"{stage['seconds']:.1f}"] for stage in manifest["stages"]]


def _settings(manifest: Mapping[str, Any]) -> list[Element]:
    """Return what differs from the defaults, and all options folded away."""
    changed, everything = [], []
    for section, kind in SECTIONS.items():
        defaults = kind()
        for name, value in manifest["settings"].get(section, {}).items():
            row = [section, name, "" if value is None else str(value)]
            default = getattr(defaults, name)
            everything.append(row)
            if str(value) != str(default):
                changed.append([*row, "" if default is None else str(default)])
    return [
        _tag("p", _tag("code", " ".join(manifest["command"])), {"class": "command"}),
        _table(["section", "option", "value", "default"], changed),
        _tag("details", _tag("summary", "All options"), _table(["section", "option", "value"], everything)),
    ]


def _files(manifest: Mapping[str, Any]) -> list[Element]:
    files = [[name, PRODUCT_KINDS[p["kind"]], p["survey"]] for name, p in manifest["products"].items()]
    versions = {"racs_transients": manifest["version"]} | manifest["versions"]
    return [
        _pairs(sorted(versions.items()), "small versions"),
        _tag("details", _tag("summary", f"{len(files)} files"), _table(["file", "what it is", "survey"], files)),
    ]
