"""Component and island lists as Selavy and CASDA write them: fixed-width text, CSV, VOTable with ``col_`` ids."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

UNITS = {
    "ra_deg_cont": "deg", "dec_deg_cont": "deg", "ra_err": "arcsec", "dec_err": "arcsec", "freq": "MHz",
    "flux_peak": "mJy/beam", "flux_peak_err": "mJy/beam", "flux_int": "mJy", "flux_int_err": "mJy",
    "maj_axis": "arcsec", "min_axis": "arcsec", "pos_ang": "deg", "rms_image": "mJy/beam",
}  # fmt: skip


def write_text(table: pd.DataFrame, path: Path) -> Path:
    """Write names, units right-aligned below them in brackets, values, and an empty comment."""
    cells = table.astype("str").assign(comment=" " * 40)
    units = [f"[{UNITS[name]}]" if name in UNITS else "--" for name in cells]
    units[-1] = ""
    widths = [max(len(n), len(u), *map(len, cells[n])) for n, u in zip(cells, units, strict=True)]
    lines = [
        "#" + " ".join(word.rjust(width) for word, width in zip(words, widths, strict=True))
        for words in (list(cells), units)
    ]
    lines += [
        " " + " ".join(word.rjust(width) for word, width in zip(row, widths, strict=True))
        for row in cells.itertuples(index=False)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_votable(table: pd.DataFrame, path: Path) -> Path:
    """Write fields whose ids, not names, have ``col_`` before them, as CASDA's do."""
    number, text = 'datatype="double"', 'datatype="char" arraysize="40"'
    kinds = {name: number if table[name].dtype.kind in "fi" else text for name in table}
    fields = "".join(
        f'<FIELD name="{name}" ID="col_{name}" {kind} unit="{UNITS.get(name, "--")}"/>' for name, kind in kinds.items()
    )
    rows = "".join(
        "<TR>" + "".join(f"<TD>{value}</TD>" for value in row) + "</TR>" for row in table.itertuples(index=False)
    )
    path.write_text(
        '<?xml version="1.0"?>\n<VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">'
        f'<RESOURCE name="Component catalogue"><TABLE name="Component catalogue">{fields}<DATA><TABLEDATA>{rows}'
        "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>\n",
        encoding="utf-8",
    )
    return path


def write_csv(table: pd.DataFrame, path: Path) -> Path:
    """Write CASDA's CSV, which has ids of its own before Selavy's columns."""
    table.assign(id=range(12, 12 + len(table)), quality_level="NOT_VALIDATED").to_csv(path, index=False)
    return path


WRITERS = {".txt": write_text, ".xml": write_votable, ".csv": write_csv}
