"""FITS cutouts as the pipeline writes them, with one source in the middle."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from racs_transients.beam import Beam
from racs_transients.cutouts import fits_cards, sky_grid, write_cutout
from racs_transients.image import Image
from web_server.candidates.models import Crossmatch, Product


def write_source(path: Path, ra: float, dec: float, *, peak: float, noise: float, size: int = 61) -> None:
    """Write a cutout of 5″ pixels: a source of ``peak`` mJy/beam in noise of ``noise`` mJy/beam."""
    grid = sky_grid(ra, dec, 2.5 * size, size)
    y, x = np.indices((size, size)) - (size - 1) / 2
    sky = peak * np.exp(-(x**2 + y**2) / (2 * 2.0**2))
    data = (sky + np.random.default_rng(1).normal(0, noise, (size, size))) / 1000
    image = Image(path, data.astype(np.float32), grid, 887.5, Beam(15.0, 12.0, 60.0), 58597.5)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_cutout(image, fits_cards(image), path)


def add_cutouts(row: Crossmatch, root: Path, **peaks: float) -> dict[str, Product]:
    """Give a row cutouts of kinds such as ``askap`` and ``survey`` with sources of these peaks."""
    products = {}
    for side, peak in peaks.items():
        name = f"fits/{row.pk}_{side}.fits"
        write_source(root / name, row.ra, row.dec, peak=peak, noise=1.0 if side == "survey" else 0.3)
        products[side] = Product.objects.create(run=row.run, crossmatch=row, kind=f"cutout_{side}", path=name)
    return products
