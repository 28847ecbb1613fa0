"""A whole simulated field on disk: image, weights, survey mosaics, catalogue and truth."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from racs_transients import sky
from racs_transients.beam import Beam, FloatArray, covariance
from racs_transients.image import read_image
from racs_transients.noise import NoiseMaps
from racs_transients.photometry import forced_photometry
from racs_transients.simulate.observation import (
    askap_header,
    create_fits,
    edge_rise,
    noise_stripes,
    observed,
    paint,
    stripes,
    tangent_wcs,
)
from racs_transients.simulate.settings import FieldSettings
from racs_transients.simulate.sky import half_side, make_sky
from racs_transients.simulate.vizier import detected, merged_sources, vizier_table
from racs_transients.surveys import frequency_factor

# Noise level (Jy/beam, NaN where blank) of an image of a shape, stripe by stripe
Levels = Callable[[tuple[int, int]], Iterator[tuple[slice, FloatArray]]]

IMAGE = "image.i.SIM.cont.taylor.0.restored.fits"
WEIGHTS = "weights.i.SIM.cont.taylor.0.fits"
# Size of a survey mosaic along x and y, and how far neighbours overlap, arcsec
_MOSAIC, _OVERLAP = 4.3 * 3600, 0.3 * 3600
_SURVEY_PIXEL = {"SUMSS": 11.0, "NVSS": 15.0}


@dataclass(frozen=True, slots=True)
class SimulatedField:
    """The files of a simulated field.

    Parameters
    ----------
    image, weights : pathlib.Path
        The ASKAP-like image and its weights.
    catalogue : pathlib.Path
        The survey's catalogue, CSV with VizieR's columns.
    mosaics : pathlib.Path
        Folder of the survey's mosaics.
    truth : pathlib.Path
        CSV of every source.
    settings : FieldSettings
        What made them.
    """

    image: Path
    weights: Path
    catalogue: Path
    mosaics: Path
    truth: Path
    settings: FieldSettings


def simulate_field(settings: FieldSettings, folder: Path) -> SimulatedField:
    """Make a field and write its files.

    Parameters
    ----------
    settings : FieldSettings
        What it is like; the same settings give the same bytes.
    folder : pathlib.Path
        Where the files go; made where it does not exist.

    Returns
    -------
    SimulatedField
        The files.
    """
    survey = settings.survey.lower()
    files = SimulatedField(
        image=folder / IMAGE,
        weights=folder / WEIGHTS,
        catalogue=folder / f"{survey}.csv",
        mosaics=folder / f"{survey}_mosaics",
        truth=folder / "truth.csv",
        settings=settings,
    )
    files.mosaics.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(settings.seed)
    truth = make_sky(settings, rng, lambda x, y: settings.rms * edge_rise(settings, x, y))
    _write_image(settings, truth, files)
    _write_survey(settings, truth, files, rng)
    text = json.dumps(dataclasses.asdict(settings), indent=2)
    (folder / "settings.json").write_text(text + "\n", encoding="utf-8")
    return files


def observe_with(field: SimulatedField, survey: str) -> SimulatedField:
    """Observe the sky of a simulated field with another survey, too.

    Parameters
    ----------
    field : SimulatedField
        A field and its first survey.
    survey : str
        ``"SUMSS"`` or ``"NVSS"``.

    Returns
    -------
    SimulatedField
        The same image with the catalogue, mosaics and truth of the other survey, beside the first one's.
    """
    settings, name, folder = dataclasses.replace(field.settings, survey=survey), survey.lower(), field.image.parent
    files = dataclasses.replace(
        field,
        catalogue=folder / f"{name}.csv",
        mosaics=folder / f"{name}_mosaics",
        truth=folder / f"truth_{name}.csv",
        settings=settings,
    )
    files.mosaics.mkdir(exist_ok=True)
    factor = frequency_factor(field.settings.reference.frequency, settings.reference.frequency)
    truth = pd.read_csv(field.truth).drop(columns="in_catalogue")
    truth = truth.assign(survey_flux=truth["survey_flux"] * factor)
    rng = np.random.default_rng([settings.seed, len(name)])
    _write_survey(settings, truth, files, rng)
    return files


def _write_survey(
    settings: FieldSettings, truth: pd.DataFrame, files: SimulatedField, rng: np.random.Generator
) -> None:
    catalogue = _observe_survey(settings, truth, files.mosaics, rng)
    catalogue.drop(columns="truth_id").to_csv(files.catalogue, index=False)
    truth.assign(in_catalogue=truth["truth_id"].isin(catalogue["truth_id"])).to_csv(files.truth, index=False)


def _write_image(settings: FieldSettings, truth: pd.DataFrame, files: SimulatedField) -> None:
    shape, scales = (settings.size, settings.size), (settings.pixel, settings.pixel)
    wcs = tangent_wcs(settings.ra, settings.dec, shape, scales)
    header = askap_header(settings, wcs)
    shifted = truth[truth["askap_flux"] > 0].assign(
        ra=truth["ra"] + settings.ra_offset / 3600 / np.cos(np.deg2rad(truth["dec"])),
        dec=truth["dec"] + settings.dec_offset / 3600,
        askap_flux=truth["askap_flux"] * settings.flux_scale,
    )
    seen = observed(shifted, "askap_flux", settings.beam.covariance)
    write_painted(files.image, header, wcs, scales, shape, seen, settings.beam, settings.seed, noise_levels(settings))
    weights_header = header.copy()
    for keyword in ("BUNIT", "BMAJ", "BMIN", "BPA"):
        del weights_header[keyword]
    weights = create_fits(files.weights, weights_header, (1, 1, *shape))
    for rows, level in noise_levels(settings)(shape):
        weights[0, 0, rows] = np.nan_to_num((settings.rms * 1e-3 / level) ** 2)
    del weights


def noise_levels(settings: FieldSettings) -> Levels:
    """Return the noise level of the image of a field.

    Parameters
    ----------
    settings : FieldSettings
        The field.

    Returns
    -------
    callable
        Called with a shape; yields rows and noise level (Jy/beam), NaN outside the border.
    """

    def rows_of(shape: tuple[int, int]) -> Iterator[tuple[slice, FloatArray]]:
        x = (np.arange(shape[1], dtype=float) - (shape[1] - 1) / 2) * settings.pixel
        for rows in stripes(shape[0]):
            y = (np.arange(rows.start, rows.stop, dtype=float) - (shape[0] - 1) / 2) * settings.pixel
            yield rows, settings.rms * 1e-3 * edge_rise(settings, x[None, :], y[:, None])

    return rows_of


def write_painted(
    path: Path,
    header: fits.Header,
    wcs: WCS,
    scales: tuple[float, float],
    shape: tuple[int, int],
    components: pd.DataFrame,
    beam: Beam,
    seed: int,
    levels: Levels,
) -> None:
    """Write an image of Gaussians in correlated noise, a stripe of rows in memory at a time.

    Parameters
    ----------
    path : pathlib.Path
        File to write.
    header : astropy.io.fits.Header
        Its header, of four axes.
    wcs : astropy.wcs.WCS
        Its celestial coordinates.
    scales : tuple of float
        Size of a pixel along x and y, arcsec.
    shape : tuple of int
        (ny, nx).
    components : pandas.DataFrame
        ra, dec (degrees), flux_peak (mJy/beam), major, minor (arcsec), pa (degrees).
    beam : Beam
        Autocorrelation of the noise.
    seed : int
        Same seed, same noise.
    levels : callable
        Called with the shape; yields rows and noise level (Jy/beam), NaN where the image is blank.
    """
    pixels = create_fits(path, header, (1, 1, *shape))
    plane: NDArray[np.float32] = pixels[0, 0]
    paint(plane, wcs, scales, components)
    noise = noise_stripes(shape, scales, beam, seed)
    for (rows, unit), (_, level) in zip(noise, levels(shape), strict=True):
        plane[rows] += unit * level
    del pixels, plane


def _observe_survey(
    settings: FieldSettings, truth: pd.DataFrame, folder: Path, rng: np.random.Generator
) -> pd.DataFrame:
    """Write the survey's mosaics and return the catalogue measured on them."""
    survey = settings.reference
    objects = merged_sources(truth, survey)
    rows, names = [], []
    for number, (ra, dec, shape) in enumerate(_mosaic_grid(settings)):
        name = f"J{int(ra / 15):02d}{int(ra * 4 % 60):02d}{'M' if dec < 0 else 'P'}{abs(round(dec)):02d}_{number}"
        path = folder / f"{name}.FITS"
        _write_mosaic(settings, truth, path, ra, dec, shape, settings.seed + 1000 + number)
        image = read_image(path, frequency=survey.frequency, beam=Beam(survey.beam_fwhm, survey.beam_fwhm))
        # neighbours are fitted together, as the survey's own catalogue was made
        flat = NoiseMaps(np.zeros_like(image.data), np.full_like(image.data, survey.rms.at(dec) * 1e-3))
        peak = forced_photometry(image, flat, objects["ra"], objects["dec"], neighbours=objects)["flux"]
        found = detected(
            objects[peak.notna()].reset_index(drop=True), peak.dropna().reset_index(drop=True), survey, rng
        )
        rows.append(found.assign(distance=sky.separation(found["ra"], found["dec"], ra, dec)))
        names += [name] * len(found)
    found = pd.concat(rows, ignore_index=True).assign(mosaic=names)
    # in overlaps the mosaic with the nearer centre counts
    found = found.sort_values("distance").drop_duplicates("truth_id").sort_values("ra", ignore_index=True)
    return vizier_table(found, survey, found["mosaic"]).assign(truth_id=found["truth_id"])


def _mosaic_grid(settings: FieldSettings) -> list[tuple[float, float, tuple[int, int]]]:
    """Return centre and shape of the mosaics that cover the field and its margin."""
    side = 2 * half_side(settings)
    count = int(np.ceil((side - _OVERLAP) / (_MOSAIC - _OVERLAP)))
    size = (side - _OVERLAP) / count + _OVERLAP
    step = size - _OVERLAP
    wcs = tangent_wcs(settings.ra, settings.dec, (1, 1), (1.0, 1.0))
    centres = (np.arange(count) - (count - 1) / 2) * step
    grid = []
    for north in centres:
        for west in centres:
            ra, dec = (float(v) for v in wcs.wcs_pix2world(west, north, 0))
            scale_x, scale_y = _survey_scales(settings, dec)
            grid.append((ra % 360, dec, (int(size / scale_y), int(size / scale_x))))
    return grid


def _survey_scales(settings: FieldSettings, dec: float) -> tuple[float, float]:
    pixel = _SURVEY_PIXEL[settings.survey]
    stretch = float(settings.reference.beam_axes(dec)[0] / settings.reference.beam_fwhm)
    return pixel, pixel * stretch


def _write_mosaic(
    settings: FieldSettings, truth: pd.DataFrame, path: Path, ra: float, dec: float, shape: tuple[int, int], seed: int
) -> None:
    survey, scales = settings.reference, _survey_scales(settings, dec)
    wcs = tangent_wcs(ra, dec, shape, scales)
    centre = Beam(*(float(axis) for axis in survey.beam_axes(dec)))
    beams = covariance(*survey.beam_axes(truth["dec"]))
    seen = observed(truth, "survey_flux", beams)[(truth["survey_flux"] > 0).to_numpy()]
    header = wcs.to_header()
    header["BUNIT"], header["EPOCH"] = "Jy/beam", 2000.0
    # NVSS images carry no beam
    if survey.beam_cosec_dec:
        header["BMAJ"], header["BMIN"], header["BPA"] = centre.major / 3600, centre.minor / 3600, 0.0
    data = np.zeros(shape, np.float32)
    paint(data, wcs, scales, seen)
    for rows, unit in noise_stripes(shape, scales, centre, seed):
        data[rows] += unit * np.float32(survey.rms.at(dec) * 1e-3)
    fits.PrimaryHDU(data, header).writeto(path, overwrite=True)
