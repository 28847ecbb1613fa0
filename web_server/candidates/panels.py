"""Grey pictures of the FITS cutouts of one row, on one sky grid and with one stretch, to be blinked."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from racs_transients.cutouts import regrid, sky_grid
from racs_transients.image import Image, quiet_fits, read_image
from racs_transients.plots.canvas import Canvas, ellipses

SIZE = 360
# In multiples of the larger noise, above which sky is black; None: up to the brightest pixel near the centre.
STRETCHES: dict[str, float | None] = {"noise": 10.0, "peak": None}
_BELOW = 3.0
_CENTRE = 0.25
_CIRCLE = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class Panels:
    """The cutouts of one row on one grid.

    Parameters
    ----------
    data : dict
        Kind of each cutout to its pixels, mJy/beam, south up and east left.
    radius : float
        Half the side of the grid, arcsec.
    """

    data: dict[str, NDArray[np.float32]]
    radius: float

    def limits(self, stretch: str) -> tuple[float, float]:
        """Return the brightness that is white and that which is black, in all panels.

        Parameters
        ----------
        stretch : str
            One of ``STRETCHES``.

        Returns
        -------
        low, high : float
            In mJy/beam.
        """
        noise = max((robust_noise(pixels) for pixels in self.data.values()), default=0.0) or 1.0
        sigmas = STRETCHES[stretch]
        if sigmas is None:
            edge = round(SIZE * _CENTRE)
            middles = [pixels[edge:-edge, edge:-edge] for pixels in self.data.values()]
            brightest = [float(np.nanmax(part)) for part in middles if np.isfinite(part).any()]
            return -_BELOW * noise, max([_BELOW * noise, *brightest])
        return -_BELOW * noise, sigmas * noise

    def png(self, kind: str, stretch: str, marks: Sequence[tuple[float, float, str]] = ()) -> bytes:
        """Return one panel as a picture, north up and bright sky black.

        Parameters
        ----------
        kind : str
            Of the cutout.
        stretch : str
            One of ``STRETCHES``.
        marks : sequence of (float, float, str)
            Offsets from the middle to the east and north, arcsec, and colour of circles of 1′.

        Returns
        -------
        bytes
            A PNG file.
        """
        low, high = self.limits(stretch)
        pixels, scale = self.data[kind][::-1], 2 * self.radius / SIZE
        blank = np.isnan(pixels)
        grey = np.where(blank, 255, np.clip((high - pixels) * (255 / (high - low)), 0, 255)).astype(np.uint8)
        canvas = Canvas(SIZE, SIZE)
        canvas.paste(0, 0, grey, blank)
        for east, north, colour in marks:
            x, y = np.array([SIZE / 2 - east / scale]), np.array([SIZE / 2 - north / scale])
            across = np.array([_CIRCLE / scale])
            canvas.curves(ellipses(x, y, across, across, np.zeros(1)), colour, width=2)
        if blank.all():
            canvas.text(SIZE / 2, SIZE / 4, "this image does not cover the place", anchor="mm", size=14)
        canvas.text(8, SIZE - 10, f"{low:.3g} … {high:.3g} mJy/beam", size=13, bold=True, seam=True)
        canvas.curves(np.array([[(SIZE - 12 - 60 / scale, SIZE - 12), (SIZE - 12.0, SIZE - 12)]]), "black", width=2)
        canvas.text(SIZE - 12 - 30 / scale, SIZE - 17, "1′", anchor="ms", bold=True, seam=True)
        file = io.BytesIO()
        canvas.picture().save(file, "PNG")
        return file.getvalue()


def robust_noise(pixels: NDArray[np.float32]) -> float:
    """Return the noise of an image from the pixels' median deviation.

    Parameters
    ----------
    pixels : numpy.ndarray
        Brightness; NaN where blank.

    Returns
    -------
    float
        1σ; 0 where nothing is known.
    """
    known = pixels[np.isfinite(pixels)]
    if len(known) == 0:
        return 0.0
    return float(1.4826 * np.median(np.abs(known - np.median(known))))


def read_panels(files: Mapping[str, Path], ra: float, dec: float) -> Panels:
    """Read the cutouts of one row.

    Parameters
    ----------
    files : mapping
        Kind of each cutout to its FITS file.
    ra, dec : float
        Position of the row, degrees: the middle of the grid.

    Returns
    -------
    Panels
        All on the grid of the smallest.

    Raises
    ------
    racs_transients.errors.ImageError
        If a file cannot be read.
    """
    images = {kind: read_image(path) for kind, path in files.items()}
    radius = min(_half_side(image) for image in images.values())
    with quiet_fits():
        grid = sky_grid(ra, dec, radius, SIZE)
        data = {kind: regrid(image, grid, SIZE) * np.float32(1000) for kind, image in images.items()}
    return Panels(data, radius)


def _half_side(image: Image) -> float:
    rows, columns = image.data.shape
    across, along = image.pixel_scales
    return float(min(across * (columns - 1), along * (rows - 1)) / 2)
