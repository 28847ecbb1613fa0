"""The stages that read: image, survey, noise maps, sources, reference catalogue."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from racs_transients.beam import Beam
from racs_transients.catalogues import (
    bright_sources,
    fetch_reference,
    query_radius,
    read_reference_file,
    trim_to_image,
)
from racs_transients.config import Config
from racs_transients.errors import ConfigError
from racs_transients.finders import FINDERS, good_fits, read_source_list
from racs_transients.image import Image, image_radius, read_image
from racs_transients.noise import NoiseMaps, measure_noise
from racs_transients.stages.run import Observation, Run
from racs_transients.survey_options import chosen_surveys, of_survey
from racs_transients.surveys import SURVEYS, Survey


def load_image(path: Path, run: Run) -> Image:
    """Read the image, with what the options add to its header.

    Parameters
    ----------
    path : pathlib.Path
        The image.
    run : Run
        Options.

    Returns
    -------
    Image
        The image.
    """
    with run.stages("image") as done:
        options = run.config.analysis
        major, minor = options.beam_major, options.beam_minor or options.beam_major
        image = read_image(
            path,
            frequency=options.frequency / 1e6 if options.frequency else None,
            beam=Beam(major, minor, options.beam_pa) if major and minor else None,
            blank="zero" if options.boundary_value == "zero" else "nan",
        )
        ny, nx = image.data.shape
        run.folder.manifest["image"] |= _described(image)
        done(f"{nx} × {ny} pixels, {image.frequency:.1f} MHz, beam {image.beam.major:.1f}″ × {image.beam.minor:.1f}″")
    return image


def _described(image: Image) -> dict[str, float]:
    """Return what ``schema.IMAGES`` says of an image."""
    (ra, dec), (ny, nx) = image.centre, image.data.shape
    return {
        "ra": ra,
        "dec": dec,
        "frequency": image.frequency,
        "beam_major": image.beam.major,
        "beam_minor": image.beam.minor,
        "beam_pa": image.beam.pa,
        "epoch": image.epoch,
        "width": nx,
        "height": ny,
    }


def choose_surveys(image: Image, config: Config) -> tuple[Survey, ...]:
    """Return the surveys to compare with, the base survey first.

    Parameters
    ----------
    image : Image
        The image; the declination of its centre decides.
    config : Config
        Options.

    Returns
    -------
    tuple of Survey
        Those that an option names, else all whose declinations hold the centre. One that reaches no valid pixel
        of the image is left out.

    Raises
    ------
    ConfigError
        Where no chosen survey reaches.
    """
    dec, named = image.centre[1], chosen_surveys(config)
    usual = [survey for survey in SURVEYS.values() if survey.centre_dec[0] < dec < survey.centre_dec[1]]
    # the survey that covers the centre is the base
    chosen = named or sorted(usual, key=lambda survey: not survey.contains(*image.centre))
    if config.analysis.survey is None and named:  # --sumss-only and --nvss-only have the documented limits
        chosen = [survey for survey in named if survey in usual]
    reaching = tuple(survey for survey in chosen if _reaches(survey, image))
    if not reaching:
        raise ConfigError(
            f"{' and '.join(survey.name for survey in named)} does not cover an image centred at declination "
            f"{dec:.2f}°; leave {'--survey' if config.analysis.survey else f'--{named[0].name.lower()}-only'} out."
        )
    return reaching


def _reaches(survey: Survey, image: Image) -> bool:
    """Return whether a survey's footprint holds a valid pixel of the image, looked at on a coarse grid."""
    step = max(1, max(image.data.shape) // 200)
    y, x = np.nonzero(np.isfinite(image.data[::step, ::step]))
    return bool(survey.contains(*image.pixel_to_sky(x * step, y * step)).any())


def observe(image: Image, run: Run) -> Observation:
    """Measure the noise of the image and find its sources.

    Parameters
    ----------
    image : Image
        The image.
    run : Run
        Options and cache.

    Returns
    -------
    Observation
        The image with noise maps and sources.
    """
    noise = noise_maps(image, run)
    return Observation(image, noise, source_list(image, noise, run))


def noise_maps(image: Image, run: Run) -> NoiseMaps:
    """Measure background and noise over the image, or take them from the cache.

    Parameters
    ----------
    image : Image
        The image.
    run : Run
        Cache.

    Returns
    -------
    NoiseMaps
        Memory-mapped.
    """

    def produce(target: Path) -> None:
        maps = measure_noise(image)
        np.save(target / "background.npy", maps.background)
        np.save(target / "rms.npy", maps.rms)

    with run.stages("noise maps") as done:
        inputs = [run.digest, str(image.beam), run.config.analysis.boundary_value]
        cache, reused = run.folder.cached("noise", inputs, produce)
        background, noise = (np.load(cache / f"{name}.npy", mmap_mode="r") for name in ("background", "rms"))
        maps = NoiseMaps(background=background, rms=noise)
        rms = median_rms(maps)
        run.folder.manifest["image_rms"] = rms
        done(f"median rms {rms:.3f} mJy/beam" + _reused(reused))
    return maps


def median_rms(noise: NoiseMaps) -> float:
    """Return the median noise of an image, from every tenth pixel along each axis.

    Parameters
    ----------
    noise : NoiseMaps
        The noise.

    Returns
    -------
    float
        The median in mJy/beam.
    """
    return float(np.nanmedian(noise.rms[::10, ::10])) * 1e3


def _reused(reused: bool) -> str:
    return ", from an earlier run" if reused else ""


def source_list(image: Image, noise: NoiseMaps, run: Run) -> pd.DataFrame:
    """Find the sources of the image, or read the list that was given.

    Parameters
    ----------
    image : Image
        The image.
    noise : NoiseMaps
        Its noise.
    run : Run
        Options and cache.

    Returns
    -------
    pandas.DataFrame
        ``schema.SOURCES``.
    """
    options, flux_error = run.config.catalogues, run.config.analysis.askap_flux_error
    with run.stages("ASKAP sources") as done:
        if options.askap_csv is not None:
            run.folder.record_input("askap_csv", options.askap_csv)
            found = read_source_list(
                options.askap_csv, image, noise, kind=options.askap_csv_format, flux_error=flux_error
            )
            how = f"from {options.askap_csv.name}"
        else:
            finder = FINDERS[run.config.analysis.sourcefinder]
            settings = finder.settings(run.config.analysis.aegean_settings_config)
            inputs = [run.digest, finder.name, dict(settings), str(image.beam), run.config.analysis.boundary_value]
            cache, reused = run.folder.cached(
                "sources", inputs, lambda target: finder.find(image, noise, settings, target)
            )
            found = finder.read(cache, image, noise, flux_error=flux_error)
            how = f"found by {finder.name}{_reused(reused)}"
        kept = found if run.config.crossmatching.use_all_fits else good_fits(found)
        run.folder.manifest["askap_sources"] = len(kept)
        done(f"{len(kept)} {how}, {len(found) - len(kept)} left out for the finder's flags")
    return kept


def reference_catalogue(image: Image, survey: Survey, run: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fetch or read the survey's catalogue.

    Parameters
    ----------
    image : Image
        The image.
    survey : Survey
        The survey.
    run : Run
        Options.

    Returns
    -------
    references, bright : pandas.DataFrame
        ``schema.REFERENCES``: the sources on the image, and the bright ones on it and around.
    """
    ra, dec = image.centre
    flags, catalogues = run.config.flags, run.config.catalogues
    # artefacts reach into the image from bright sources outside it
    radius = image_radius(image) + max(flags.bright_source_radius, flags.bright_far_radius) / 60
    given = of_survey(run.config, survey, "csv")
    with run.stages(f"{survey.name} catalogue") as done:
        if given is not None:
            run.folder.record_input(f"{survey.name.lower()}_csv", given)
            catalogue = read_reference_file(given, survey, region=(ra, dec, query_radius(survey, ra, dec, radius)))
        else:
            catalogue = fetch_reference(
                survey, ra, dec, radius, cache_dir=catalogues.cache_dir, url=catalogues.vizier_url
            )
        trimmed = trim_to_image(catalogue, image)
        done(f"{len(catalogue)} sources, {len(trimmed)} on the image")
    return trimmed, bright_sources(catalogue, survey)
