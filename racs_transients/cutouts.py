"""Small pieces of images: on a common grid for looking at, on their own pixels for measuring.

`reproject` is not used: it sets up a new coordinate transformation of every pixel for each of thousands
of small cutouts. Here the transformation is computed at a few nodes, and Pillow interpolates between them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from astropy.time import Time
from astropy.wcs import WCS
from numpy.typing import ArrayLike, NDArray
from PIL import Image as Picture
from scipy import ndimage

from racs_transients.beam import FloatArray
from racs_transients.image import Image
from racs_transients.image_files import ascii_text

# Within an eighth of 26′ the projections of radio images are linear to 0.002″ (five degrees from the centre)
_CELLS = 8


def sky_grid(ra: float, dec: float, radius: float, size: int) -> WCS:
    """Return a square tangent-plane grid with north up and east left.

    Parameters
    ----------
    ra, dec : float
        Centre, degrees; it lies in the middle of the array, between pixels where `size` is even.
    radius : float
        Half the side, arcsec.
    size : int
        Pixels along a side.

    Returns
    -------
    astropy.wcs.WCS
        The grid.
    """
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = [(size + 1) / 2] * 2
    wcs.wcs.cdelt = [-2 * radius / size / 3600, 2 * radius / size / 3600]
    return wcs


def regrid(image: Image, grid: WCS, size: int) -> NDArray[np.float32]:
    """Return an image on another grid, by linear interpolation between its pixels.

    Where the grid is coarser than the image by two or more, means of pixels are interpolated, so that no
    source falls between the grid's pixels.

    Parameters
    ----------
    image : Image
        The image; its data may be memory-mapped, only the part under the grid is read.
    grid : astropy.wcs.WCS
        The wanted pixels.
    size : int
        Pixels along both sides of the grid.

    Returns
    -------
    numpy.ndarray, shape (size, size), float32
        Brightness; NaN outside the image and where it is blank.
    """
    nodes = np.rint(np.linspace(0, size, _CELLS + 1)).astype(int)
    # nodes lie on corners of pixels, whose centres have whole numbers
    x, y = image.sky_to_pixel(*grid.wcs_pix2world(*np.meshgrid(nodes - 0.5, nodes - 0.5), 0))
    ny, nx = image.data.shape
    nothing = np.full((size, size), np.nan, np.float32)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return nothing
    rows, columns = _span(y, ny), _span(x, nx)
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return nothing
    step_x, step_y = (max(1, int(np.ptp(axis) / size)) for axis in (x, y))
    part = _block_means(np.asarray(image.data[rows, columns], np.float32), step_y, step_x)
    # Pillow counts from the corner of the first pixel
    corners = np.stack([(x - columns.start + 0.5) / step_x, (y - rows.start + 0.5) / step_y], -1)
    source = Picture.fromarray(part, "F") if part.size else None
    if source is None:
        return nothing
    warped = source.transform(
        (size, size), Picture.Transform.MESH, _mesh(nodes, corners), Picture.Resampling.BILINEAR, fillcolor=np.nan
    )
    return np.asarray(warped)


def _mesh(nodes: NDArray[np.int64], corners: FloatArray) -> list[tuple[tuple[int, ...], tuple[float, ...]]]:
    """Return boxes of the grid with the positions of their corners, as Pillow wants them."""
    quads = np.concatenate([corners[:-1, :-1], corners[1:, :-1], corners[1:, 1:], corners[:-1, 1:]], -1)
    edges = nodes.tolist()
    return [
        ((edges[i], edges[j], edges[i + 1], edges[j + 1]), tuple(quad))
        for j, row in enumerate(quads.tolist())
        for i, quad in enumerate(row)
    ]


def _span(positions: FloatArray, length: int) -> slice:
    return slice(max(0, int(positions.min()) - 1), min(length, int(positions.max()) + 3))


def _block_means(data: NDArray[np.float32], step_y: int, step_x: int) -> NDArray[np.float32]:
    if step_y == step_x == 1:
        return data
    ny, nx = data.shape[0] // step_y, data.shape[1] // step_x
    blocks = data[: ny * step_y, : nx * step_x].reshape(ny, step_y, nx, step_x)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def cutout(image: Image, ra: float, dec: float, radius: float) -> Image | None:
    """Return the part of an image around a position, on the image's own pixels.

    Parameters
    ----------
    image : Image
        The image.
    ra, dec : float
        Centre, degrees.
    radius : float
        Half the side, arcsec.

    Returns
    -------
    Image or None
        A copy with the position in its central pixel, NaN outside the image; None where the cutout holds
        no valid pixel.
    """
    x, y = (float(axis) for axis in image.sky_to_pixel(ra, dec))
    if not (np.isfinite(x) and np.isfinite(y)):
        return None
    # a hair less, so that a whole number of pixels stays one
    half_x, half_y = (int(np.ceil(radius / scale - 1e-6)) for scale in image.pixel_scales)
    left, bottom = round(x) - half_x, round(y) - half_y
    data = np.full((2 * half_y + 1, 2 * half_x + 1), np.nan, np.float32)
    ny, nx = image.data.shape
    rows, columns = (
        slice(max(0, first), max(0, min(length, first + extent)))
        for first, length, extent in ((bottom, ny, data.shape[0]), (left, nx, data.shape[1]))
    )
    piece = image.data[rows, columns]
    if not np.isfinite(piece).any():
        return None
    data[rows.start - bottom : rows.stop - bottom, columns.start - left : columns.stop - left] = piece
    wcs = image.wcs.deepcopy()
    wcs.wcs.crpix = wcs.wcs.crpix - np.array([left, bottom])
    return replace(image, data=data, wcs=wcs)


def fits_cards(image: Image) -> str:
    """Return what a FITS header says of an image: coordinates, unit, beam, frequency, time.

    Parameters
    ----------
    image : Image
        The image.

    Returns
    -------
    str
        Cards of 80 characters, without those that differ from cutout to cutout.
    """
    header = image.wcs.to_header()
    del header["CRPIX1"], header["CRPIX2"]
    header["BUNIT"] = "Jy/beam"
    header["BMAJ"], header["BMIN"] = image.beam.major / 3600, image.beam.minor / 3600
    header["BPA"] = image.beam.pa
    header["RESTFRQ"] = (image.frequency * 1e6, "[Hz] observing frequency")
    if np.isfinite(image.epoch):
        header["MJD-OBS"] = image.epoch
        header["DATE-OBS"] = Time(image.epoch, format="mjd").isot
    header["ORIGIN"] = "racs_transients"
    header["HISTORY"] = ascii_text(f"cutout of {image.path.name}")
    return str(header.tostring(padding=False))


def write_cutout(piece: Image, cards: str, path: Path) -> None:
    """Write a cutout as a plain two-dimensional FITS file.

    astropy takes ten times as long to write a file as small as this.

    Parameters
    ----------
    piece : Image
        From `cutout`.
    cards : str
        From `fits_cards`, of the whole image.
    path : pathlib.Path
        File to write.
    """
    ny, nx = piece.data.shape
    x, y = piece.wcs.wcs.crpix
    own = {"SIMPLE": "T", "BITPIX": -32, "NAXIS": 2, "NAXIS1": nx, "NAXIS2": ny, "CRPIX1": float(x), "CRPIX2": float(y)}
    first = "".join(f"{name:8}= {value:>20}".ljust(80) for name, value in own.items())
    data = piece.data.astype(">f4").tobytes()
    path.write_bytes(_block((first + cards).encode("ascii"), b" ") + _block(data, b"\0"))


def _block(content: bytes, fill: bytes) -> bytes:
    return content + fill * (-len(content) % 2880)


def edge_distance(image: Image, ra: ArrayLike, dec: ArrayLike) -> FloatArray:
    """Return how far positions lie inside the valid pixels of an image.

    Parameters
    ----------
    image : Image
        The image.
    ra, dec : array_like, shape (n,)
        Positions, degrees.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Distance to the nearest blank pixel or the border, arcsec; 0 on blank pixels and off the image.
    """
    x, y = image.sky_to_pixel(ra, dec)
    ny, nx = image.data.shape
    # a frame of blank pixels stands for the border
    valid = np.pad(np.isfinite(image.data), 1)
    known = np.isfinite(x) & np.isfinite(y)
    column = np.clip(np.where(known, np.rint(x), -1), -1, nx).astype(int) + 1
    row = np.clip(np.where(known, np.rint(y), -1), -1, ny).astype(int) + 1
    scale_x, scale_y = image.pixel_scales
    distance: FloatArray = ndimage.distance_transform_edt(valid, sampling=(scale_y, scale_x))
    return np.asarray(distance[row, column])
