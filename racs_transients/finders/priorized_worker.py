"""The process that Aegean's priorized fit runs in: ``python -m racs_transients.finders.priorized_worker FOLDER``."""

from __future__ import annotations

import csv
import logging
import sys
from pathlib import Path

import numpy as np
from AegeanTools.models import ComponentSource
from AegeanTools.source_finder import FWHM2CC, SourceFinder
from AegeanTools.wcs_helpers import WCSHelper


def main(folder: Path) -> None:
    """Fit amplitudes at the positions of a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Holds ``image.fits``, ``background.fits``, ``rms.fits`` and ``positions.csv`` (ra, dec, peak_flux, a, b, pa in
        degrees, Jy/beam, arcsec), and receives ``fluxes.csv``: number of the position and peak flux.
    """
    # see aegean_worker
    if not hasattr(np.linalg, "linalg"):
        np.linalg.linalg = np.linalg  # type: ignore[attr-defined]
    logging.getLogger("AegeanTools").handlers.clear()
    helper = WCSHelper.from_file(str(folder / "image.fits"))
    with (folder / "positions.csv").open(encoding="utf-8", newline="") as stream:
        # a loop, because Aegean takes objects
        sources = [
            _source(number, {name: float(text) for name, text in row.items()}, helper)
            for number, row in enumerate(csv.DictReader(stream))
        ]
    fitted = SourceFinder().priorized_fit_islands(
        str(folder / "image.fits"),
        sources,
        rmsin=str(folder / "rms.fits"),
        bkgin=str(folder / "background.fits"),
        stage=1,
        ratio=1,
        outerclip=-1,
        docov=False,
        progress=False,
    )
    with (folder / "fluxes.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["number", "peak_flux"])
        writer.writerows([source.uuid, source.peak_flux] for source in fitted)


def _source(number: int, row: dict[str, float], helper: WCSHelper) -> ComponentSource:
    """Return Aegean's object for a position, where Aegean's own slip brings it to that position.

    Aegean 2.3.5 cuts the data round a source at whole pixels, but counts the position from a corner half a pixel
    farther where the cutout has an odd width, so that the fitted flux is too low (2 % at 6 pixels a beam).
    """
    position = (row["ra"], row["dec"])
    x, y, major, _, _ = helper.sky2pix_ellipse(position, row["a"] / 3600, row["b"] / 3600, row["pa"])
    half = (round(4 * major * FWHM2CC) + 1) / 2
    if half % 1:
        # at the first rows and columns the cutout is cut at whole pixels anyway
        x, y = (pixel + 0.5 if round(pixel - 1) > half else pixel for pixel in (x, y))
        position = helper.pix2sky((x, y))
    source = ComponentSource()
    source.ra, source.dec = (float(value) for value in position)
    source.peak_flux, source.a, source.b, source.pa = row["peak_flux"], row["a"], row["b"], row["pa"]
    source.psf_a, source.psf_b, source.psf_pa = source.a, source.b, source.pa
    source.uuid = number
    return source


if __name__ == "__main__":
    main(Path(sys.argv[1]))
