"""Small painted skies for the tests and the benchmark of the postage stamps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.wcs import WCS
from scipy import ndimage

from racs_transients import beam, schema, sky, tables
from racs_transients.beam import Beam
from racs_transients.config import Config, PostageStamps
from racs_transients.image import Image
from racs_transients.logs import Stages
from racs_transients.noise import NoiseMaps
from racs_transients.runfolder import RunFolder
from racs_transients.stages.run import Field, Observation, Run
from racs_transients.surveys import SUMSS

CENTRE = (50.0, -36.0)
NARROW = Beam(15.0, 12.0, 60.0)


def wcs_of(centre=CENTRE, shape=(600, 600), pixel=(2.5, 2.5), projection="SIN"):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = [f"RA---{projection}", f"DEC--{projection}"]
    wcs.wcs.crval = list(centre)
    wcs.wcs.crpix = [shape[1] / 2 + 0.5, shape[0] / 2 + 0.5]
    wcs.wcs.cdelt = [-pixel[0] / 3600, pixel[1] / 3600]
    # an image that is read from a file has had its NCP turned into SIN
    wcs.wcs.fix()
    wcs.wcs.set()
    return wcs


def paint(
    sources,
    *,
    centre=CENTRE,
    shape=(600, 600),
    pixel=(2.5, 2.5),
    projection="SIN",
    psf=NARROW,
    rms=0.0,
    frequency=887.5,
    name="image.fits",
    seed=1,
):
    """An image with Gaussians: sources are rows of ra, dec, peak (Jy/beam), major, minor, pa."""
    wcs = wcs_of(centre, shape, pixel, projection)
    rng = np.random.default_rng(seed)
    data = np.zeros(shape, np.float32)
    if rms:
        sigma = (psf.major / pixel[1] / 2.355 / 2**0.5, psf.minor / pixel[0] / 2.355 / 2**0.5)
        data = ndimage.gaussian_filter(rng.standard_normal(shape).astype(np.float32), sigma)
        data *= rms / data.std()
    image = Image(Path(name), data, wcs, frequency, psf)
    for ra, dec, peak, major, minor, pa in sources:
        x, y = (float(axis) for axis in image.sky_to_pixel(ra, dec))
        half_x, half_y = (int(4 * major / step) + 3 for step in pixel)
        rows = slice(max(0, round(y) - half_y), max(0, round(y) + half_y))
        columns = slice(max(0, round(x) - half_x), max(0, round(x) + half_x))
        yy, xx = np.mgrid[rows, columns]
        yy, xx = yy[: shape[0] - rows.start, : shape[1] - columns.start], xx[: shape[0] - rows.start]
        xx = xx[:, : shape[1] - columns.start]
        yy = yy[:, : shape[1] - columns.start]
        east, north = sky.offsets(ra, dec, *image.pixel_to_sky(xx, yy))
        data[rows, columns] += peak * beam.response(east, north, beam.covariance(major, minor, pa)).astype(np.float32)
    return image


def moments(data):
    """Centroid and covariance of a source on an empty image, in pixels."""
    y, x = np.mgrid[: data.shape[0], : data.shape[1]]
    weight = np.where(np.nan_to_num(data) > 0.02 * np.nanmax(data), np.nan_to_num(data), 0)
    weight = weight / weight.sum()
    cx, cy = (weight * x).sum(), (weight * y).sum()
    return cx, cy, (weight * (x - cx) ** 2).sum(), (weight * (y - cy) ** 2).sum(), (weight * (x - cx) * (y - cy)).sum()


def source_table(ra, dec, major=15.0, minor=12.0, pa=60.0, prefix=""):
    ra, dec = np.atleast_1d(np.asarray(ra, float)), np.atleast_1d(np.asarray(dec, float))
    frame = pd.DataFrame({"ra": ra, "dec": dec, "source_id": np.arange(len(ra))})
    frame = frame.assign(major=major, minor=minor, pa=pa, beam_major=15.0, beam_minor=12.0)
    return tables.conform(frame.assign(name=sky.iau_name(prefix, ra, dec)), schema.SOURCES)


def reference_table(ra, dec, major=76.0, minor=45.0, pa=0.0):
    ra, dec = np.atleast_1d(np.asarray(ra, float)), np.atleast_1d(np.asarray(dec, float))
    frame = pd.DataFrame({"ra": ra, "dec": dec, "source_id": np.arange(len(ra)), "survey": "SUMSS"})
    frame = frame.assign(major=major, minor=minor, pa=pa, beam_major=76.0, beam_minor=45.0)
    return tables.conform(frame.assign(name=sky.iau_name("SUMSS", ra, dec)), schema.REFERENCES)


def row_table(ra, dec, **columns):
    """Rows of the crossmatch: matches with plausible values unless columns say otherwise."""
    ra, dec = np.atleast_1d(np.asarray(ra, float)), np.atleast_1d(np.asarray(dec, float))
    plain = {
        "match_id": np.arange(1, len(ra) + 1),
        "name": sky.iau_name("", ra, dec),
        "type": "match",
        "survey": "SUMSS",
        "ra": ra,
        "dec": dec,
        "gal_l": 237.0,
        "gal_b": -54.0,
        "separation": 2.1,
        "flag": "Good",
        "ratio": 1.4,
        "ratio_err": 0.1,
        "vs": -3.2,
        "m": -0.3,
        "image_rms": 0.25,
        "is_candidate": False,
    }
    for side, origin, flux in (
        ("askap_", "detected", 20.0),
        ("native_", "detected", 19.5),
        ("ref_", "catalogued", 27.0),
    ):
        plain |= {
            f"{side}origin": origin,
            f"{side}flux": flux,
            f"{side}flux_err": 0.8,
            f"{side}scaled_flux": flux * 1.04,
            f"{side}scaled_flux_err": 0.9,
            f"{side}rms": 0.5,
        }
        if side != "native_":
            plain |= {f"{side}ra": ra, f"{side}dec": dec, f"{side}snr": 40.0, f"{side}name": sky.iau_name("", ra, dec)}
    return tables.conform(pd.DataFrame(plain | columns), schema.CROSSMATCHES)


def flat_noise(image):
    return NoiseMaps(background=np.zeros_like(image.data), rms=np.full_like(image.data, 1e-3))


def field_of(image, sources, references, native=None, survey=SUMSS):
    wide = None if native is None else Observation(native, flat_noise(native), sources, sources)
    return Field(image, flat_noise(image), sources, survey, references, references, sources, wide)


def run_in(folder, **options):
    """A run whose results folder is `folder`, with these options of [POSTAGESTAMPS]."""
    folder.mkdir(exist_ok=True)
    manifest = {"image": {"sha256": "0" * 64}, "stages": [], "counts": {}, "products": {}, "inputs": {}}
    results = RunFolder(folder, manifest)
    config = Config(postagestamps=PostageStamps(postage_stamps=True, **options))
    return Run(config, results, Stages(1, results.record_stage))


def write_mosaic(image, path):
    """Write an image as SUMSS writes its mosaics: no frequency, no epoch, an old header."""
    header = image.wcs.to_header()
    header["BUNIT"] = "JY/BEAM"
    header["BMAJ"], header["BMIN"], header["BPA"] = image.beam.major / 3600, image.beam.minor / 3600, image.beam.pa
    header["EPOCH"] = 2000.0
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.PrimaryHDU(image.data, header).writeto(path)
