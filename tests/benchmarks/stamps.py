"""How many postage stamps a second: ``python -m tests.benchmarks.stamps [stamps] [processes]``.

Three panels, distinct centres, all files written to disk, processes started within the time. The time of
the processors stands beside that of the clock, which other work on the machine spoils.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from racs_transients.beam import Beam
from racs_transients.stages.stamps import postage_stamps
from tests.painted import CENTRE, field_of, paint, reference_table, row_table, run_in, source_table, write_mosaic


def _sky(count: int, rng: np.random.Generator) -> np.ndarray:
    ra = CENTRE[0] + rng.uniform(-0.9, 0.9, count) / np.cos(np.deg2rad(CENTRE[1]))
    return np.stack([ra, CENTRE[1] + rng.uniform(-0.9, 0.9, count), 0.003 * rng.pareto(1.0, count).clip(max=100)])


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


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
        run = run_in(
            Path(scratch) / "results", sumss_mosaic_dir=Path(scratch) / "mosaics", postage_stamp_ncores=processes
        )
        start, cpu = time.perf_counter(), _cpu()
        postage_stamps([field_of(convolved, listed, references, native)], rows, run)
        seconds, worked = time.perf_counter() - start, _cpu() - cpu
        sizes = [path.stat().st_size for path in Path(scratch).rglob("*_postagestamps.jpg")]
    print(
        f"{count} stamps of three panels with {processes} processes: {count / seconds:.1f} a second by the clock, "
        f"{count * processes / worked:.1f} by processor time ({1e3 * worked / count:.0f} ms each); "
        f"largest picture {max(sizes) / 1e3:.0f} kB"
    )


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
