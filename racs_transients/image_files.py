"""Writing images as FITS."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.time import Time

from racs_transients.image import Image


def image_header(image: Image) -> fits.Header:
    """Return a FITS header with what the pipeline knows of an image.

    Parameters
    ----------
    image : Image
        The image.

    Returns
    -------
    astropy.io.fits.Header
        Coordinates, unit, beam, frequency and, where known, the date.
    """
    header = image.wcs.to_header(relax=True)
    header["BUNIT"], header["RESTFRQ"] = "Jy/beam", image.frequency * 1e6
    header["BMAJ"], header["BMIN"], header["BPA"] = image.beam.major / 3600, image.beam.minor / 3600, image.beam.pa
    if np.isfinite(image.epoch):
        header["MJD-OBS"], header["DATE-OBS"] = image.epoch, Time(image.epoch, format="mjd").isot
    return header


def ascii_text(text: str) -> str:
    """Return a text as a FITS header can hold it.

    Parameters
    ----------
    text : str
        May hold the name of a file.

    Returns
    -------
    str
        Printable ASCII; other characters are escaped as in Python.
    """
    return ascii(text)[1:-1] if not (text.isascii() and text.isprintable()) else text


def write_image(image: Image, path: Path, *history: str) -> None:
    """Write an image as FITS.

    Parameters
    ----------
    image : Image
        The image.
    path : pathlib.Path
        File to write.
    *history : str
        Lines on where it comes from.
    """
    header = image_header(image)
    for line in history:
        header["HISTORY"] = ascii_text(line)
    fits.PrimaryHDU(image.data, header).writeto(path, overwrite=True)
