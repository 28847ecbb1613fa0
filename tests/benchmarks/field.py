"""Time whole runs beside stock Aegean: ``python -m tests.benchmarks.field [SIZE] [FOLDER]``.

A simulated SUMSS field of so many pixels along a side (default 6000): stock Aegean alone, which measures its own
noise, then the pipeline without and with convolution and all postage stamps. Memory is that of all processes of a
run together, shared pages counted once, looked at twice a second (Linux). FOLDER keeps the field.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from astropy.io import fits
from astropy.wcs import WCS

from racs_transients.simulate import FieldSettings, simulate_field

DENSITY = 245.0  # sources above 1 mJy per deg², of which the finder makes some 3,100 in 6000²
IMAGE = "image.i.SIM.cont.taylor.0.restored.fits"
BIN = Path(sys.executable).parent


def memory_of(pid: int) -> int:
    """Return the memory of a process and its descendants, kB."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it has just ended
        return 0
    own = int(next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:")))
    return own + sum(memory_of(int(child)) for child in children)


def timed(words: str, command: list[object]) -> float:
    start, most = time.perf_counter(), 0
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen([str(part) for part in command], stdout=output, stderr=subprocess.STDOUT)
        while process.poll() is None:
            most = max(most, memory_of(process.pid))
            time.sleep(0.5)
        seconds = time.perf_counter() - start
        output.seek(0)
        if process.returncode:
            sys.exit(f"{words} failed:\n{output.read()}")
    print(f"{words:44s} {seconds:6.1f} s, {most / 1e6:.2f} GB", flush=True)
    return seconds


def main(size: int, field: Path, scratch: Path) -> None:
    if not (field / "truth.csv").exists():
        simulate_field(FieldSettings(size=size, density=DENSITY), field)
    image = field / IMAGE
    # stock Aegean reads two axes
    flat = scratch / "flat.fits"
    with fits.open(image) as hdus:
        header = hdus[0].header
        beam = {key: header[key] for key in ("BMAJ", "BMIN", "BPA")}
        fits.writeto(flat, hdus[0].data.squeeze(), WCS(header).celestial.to_header() + fits.Header(beam))
    settings = ["--cores", 1, "--maxsummits", 5, "--seedclip", 5, "--floodclip", 4, "--nocov"]
    stock = timed("stock Aegean", [BIN / "aegean", *settings, "--table", scratch / "stock.csv", flat])
    base = [BIN / "processASKAPimage.py", image, "--sumss-only", "--sumss-csv", field / "sumss.csv", "--transients"]
    base += ["--sumss-mosaic-dir", field / "sumss_mosaics", "--db-database", scratch / "benchmark.sqlite3"]
    for tag, words, more in (
        ("plain", "the pipeline", []),
        ("stamps", "with convolution and all stamps", ["--convolve", "--postage-stamps"]),
    ):
        seconds = timed(words, [*base, *more, "--output-dir", scratch, "--output-tag", tag])
        folder = next(scratch.glob(f"*_results_{tag}"))
        lines = (folder / f"{IMAGE.removesuffix('.fits')}_comp.csv").read_text(encoding="utf-8").count("\n") - 1
        stamps = sum(1 for _ in folder.glob("postage-stamps/[gb]*/*.jpg"))
        print(f"  {seconds / stock:.2f} × stock Aegean; {lines} sources, {stamps} stamps")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        given = sys.argv[1:]
        folder = Path(given[1]) if len(given) > 1 else Path(name) / "field"
        main(int(given[0]) if given else 6000, folder, Path(name))
