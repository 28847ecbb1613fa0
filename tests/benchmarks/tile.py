"""Take a full RACS tile through the pipeline with convolution: ``python -m tests.benchmarks.tile [SIZE]``.

The real Selavy list of one ASKAP tile, painted on so many pixels along a side (default 14332) in correlated noise,
against the real SUMSS positions; both from ../shared/data. Memory as `tests.benchmarks.field` measures it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from racs_transients.beam import Beam
from racs_transients.finders.lists import ListSource, read_raw_list
from racs_transients.simulate import FieldSettings
from racs_transients.simulate.tile import paint_list
from tests.benchmarks.field import BIN, timed
from tests.conftest import DATA

LIST = DATA / "askap_catalogues/VAST_0127-73A.EPOCH08.I.selavy.components.txt.gz"
SUMSS = DATA / "reference_catalogues/sumss_vizier_columns_derived.csv.gz"


def main(size: int, scratch: Path) -> None:
    settings = FieldSettings(ra=21.835, dec=-73.121, size=size, beam=Beam(16.98, 10.81, 0.0), rms=0.23)
    image = scratch / "tile.fits"
    paint_list(read_raw_list(ListSource(LIST)), image, settings)
    options = ["--sumss-only", "--sumss-csv", SUMSS, "--transients", "--convolve", "--output-dir", scratch]
    database = scratch / "benchmark.sqlite3"
    timed(f"{size}² with convolution", [BIN / "processASKAPimage.py", image, *options, "--db-database", database])
    print((next(scratch.glob("*_results")) / "processASKAPimage.log").read_text(encoding="utf-8"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 14332, Path(name))
