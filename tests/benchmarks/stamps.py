"""How many postage stamps a second: ``python -m tests.benchmarks.stamps [stamps] [processes]``.

Three panels, distinct centres, all files written to disk, processes started within the time. Other work on
the machine spoils the clock, so the processor time of a stamp, measured in this process, stands beside it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from racs_transients.beam import Beam
from racs_transients.stages.stamps import postage_stamps
from tests.painted import CENTRE, field_of, paint, reference_table, row_table, run_in, source_table, write_mosaic


def _sky(count: int, rng: np.random.Generator) -> np.ndarray:
    ra = CENTRE[0] + rng.uniform(-0.9, 0.9, count) / np.cos(np.deg2rad(CENTRE[1]))
    return np.stack([ra, CENTRE[1] + rng.uniform(-0.9, 0.9, count), 0.003 * rng.pareto(1.0, count).clip(max=100)])


def main(count: int = 300, processes: int = 2) -> None:
    rng = np.random.default_rng(5)
    # 180 sources a square degree, as the simulated fields and RACS have
    ra, dec, peak = _sky(max(count, 600), rng)
    narrow, wide = Beam(15.0, 12.0, 60.0), Beam(76.6, 45.0, 0.0)

    def sources(beam: Beam) -> np.ndarray:
        return np.stack([ra, dec, peak, *(np.full(len(ra), axis) for axis in (beam.major, beam.minor, beam.pa))], 1)

    native = paint(sources(narrow), shape=(3000, 3000), rms=2.5e-4, psf=narrow)
    convolved = paint(sources(wide), shape=(3000, 3000), rms=6e-4, psf=wide, seed=2)
    mosaic = paint(sources(wide), shape=(420, 714), pixel=(11.0, 18.7), rms=1.2e-3, psf=wide, seed=3, frequency=843.0)
    listed, bright = source_table(ra, dec), peak > 0.006
    references = reference_table(ra[bright], dec[bright])
    rows = row_table(ra[:count], dec[:count])
    with tempfile.TemporaryDirectory() as scratch:
        write_mosaic(mosaic, Path(scratch) / "mosaics" / "J0320M36.FITS")
        field = field_of(convolved, listed, references, native)

        def make(some: pd.DataFrame, cores: int) -> tuple[float, float]:
            folder = Path(scratch) / f"results_{cores}"
            run = run_in(folder, sumss_mosaic_dir=Path(scratch) / "mosaics", postage_stamp_ncores=cores)
            start, worked = time.perf_counter(), time.process_time()
            postage_stamps([field], some, run)
            return time.perf_counter() - start, time.process_time() - worked

        seconds, _ = make(rows, processes)
        few = rows.iloc[:: max(1, count // 100)]
        each = make(few, 1)[1] / len(few)
        sizes = [path.stat().st_size for path in Path(scratch).rglob("*_postagestamps.jpg")]
    print(
        f"{count} stamps of three panels with {processes} processes: {count / seconds:.1f} a second by the clock "
        f"(load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores); {1e3 * each:.0f} ms of processor time each, so "
        f"{processes / each:.0f} a second where {processes} cores are free; largest picture {max(sizes) / 1e3:.0f} kB"
    )


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
