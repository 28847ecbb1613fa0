"""The stages that read: image, survey, noise maps, sources, reference catalogue."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from racs_transients import sky
from racs_transients.beam import Beam
from racs_transients.catalogues import (
    bright_sources,
    check_trimmed,
    fetch_reference,
    query_radius,
    read_reference_file,
    trim_to_image,
)
from racs_transients.config import Config
from racs_transients.errors import ConfigError
from racs_transients.finders import FINDERS, ListSource, SourceFinder, good_fits, read_source_list
from racs_transients.image import Image, image_radius, read_image
from racs_transients.image_files import write_image
from racs_transients.noise import NoiseMaps, measure_noise, typical
from racs_transients.runfolder import image_stem
from racs_transients.stages.annotation import annotate_raw
from racs_transients.stages.run import Observation, Run
from racs_transients.survey_options import chosen_surveys, of_survey
from racs_transients.surveys import SURVEYS, Survey
from racs_transients.weights import cropped, read_weights


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
    return _weighted(image, run) if options.weight_crop else image


def _weighted(image: Image, run: Run) -> Image:
    """Blank the image where its weights are low, and write what is left."""
    options = run.config.analysis
    path = run.own(options.weight_crop_image, shared=True)
    if path is None:
        raise ConfigError("--weight-crop needs --weight-crop-image.")
    with run.stages("weight crop") as done:
        weights_digest = run.folder.record_input("weight_crop_image", path)
        result = cropped(image, read_weights(path, image), options.weight_crop_value)
        run.folder.manifest["image"]["crop"] = [weights_digest, options.weight_crop_value]
        name = f"{image_stem(image.path)}.weightcrop_{options.weight_crop_value:g}.fits"
        product = run.folder.write(name, lambda path: write_image(result, path, f"cropped from {image.path.name}"))
        before, after = (int(np.isfinite(data).sum()) for data in (image.data, result.data))
        done(f"{before - after} of {before} pixels blanked, in {name}")
    return dataclasses.replace(result, path=product)


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
        ra, b = image.centre[0], float(sky.galactic_latitude(*image.centre))
        raise ConfigError(
            f"{' and '.join(survey.name for survey in named)} does not cover an image centred at RA {ra:.2f}°, "
            f"Dec {dec:.2f}° (Galactic latitude {b:.1f}°); "
            f"leave {'--survey' if config.analysis.survey else f'--{named[0].name.lower()}-only'} out."
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
    return Observation(image, noise, *source_list(image, noise, run))


def noise_maps(image: Image, run: Run, survey: Survey | None = None) -> NoiseMaps:
    """Measure background and noise over the image, or take them from the cache.

    Parameters
    ----------
    image : Image
        The image.
    run : Run
        Cache.
    survey : Survey, optional
        The survey at whose resolution the image is; none for the full one.

    Returns
    -------
    NoiseMaps
        Memory-mapped.
    """

    def produce(target: Path) -> None:
        maps = measure_noise(image)
        np.save(target / "background.npy", maps.background)
        np.save(target / "rms.npy", maps.rms)

    with run.stages(_of("noise maps", survey)) as done:
        cache, reused = run.folder.cached(_cache("noise", survey), _key(image, run, survey), produce)
        background, noise = (np.load(cache / f"{name}.npy", mmap_mode="r") for name in ("background", "rms"))
        maps = NoiseMaps(background=background, rms=noise)
        rms = median_rms(maps)
        _facts(run, survey)["image_rms"] = rms
        done(f"median rms {rms:.3f} mJy/beam" + _reused(reused))
    return maps


def _of(stage: str, survey: Survey | None) -> str:
    return stage if survey is None else f"{stage} at the resolution of {survey.name}"


def _cache(stage: str, survey: Survey | None) -> str:
    return stage if survey is None else f"{survey.name.lower()}_{stage}"


def _facts(run: Run, survey: Survey | None) -> dict[str, Any]:
    """Return where the manifest keeps the facts of an image."""
    return run.folder.manifest if survey is None else run.folder.survey(survey.name).setdefault("convolved", {})


def _key(image: Image, run: Run, survey: Survey | None) -> list[str]:
    """Return what tells an image from all others of the results folder."""
    key = [run.digest, str(image.beam), run.config.analysis.boundary_value]
    if survey is None:
        return key
    given = run.folder.manifest["inputs"].get("convolved_image", {"sha256": ""})["sha256"]
    return [*key, run.config.analysis.convolution_engine, given]


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
    return typical(noise.rms) * 1e3


def _reused(reused: bool) -> str:
    return ", from an earlier run" if reused else ""


def source_list(
    image: Image, noise: NoiseMaps, run: Run, survey: Survey | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Find the sources of the image, or read the list that was given.

    Parameters
    ----------
    image : Image
        The image.
    noise : NoiseMaps
        Its noise.
    run : Run
        Options and cache.
    survey : Survey, optional
        The survey at whose resolution the image is; none for the full one.

    Returns
    -------
    sources, components : pandas.DataFrame
        ``schema.SOURCES``: those that the options let count, and all fits.
    """
    given = _given_list(run, survey)
    with run.stages(_of("ASKAP sources", survey)) as done:
        if given is not None:
            found = read_source_list(given, image, noise, flux_error=_flux_error(run))
            how = f"from {given.path.name}"
        else:
            finder = FINDERS[run.config.analysis.sourcefinder]
            settings = _finder_settings(finder, run)
            cache, reused = run.folder.cached(
                _cache("sources", survey),
                [*_key(image, run, survey), finder.name, dict(settings)],
                lambda target: finder.find(image, noise, settings, target),
            )
            found = finder.read(cache, image, noise, flux_error=_flux_error(run))
            how = f"found by {finder.name}{_reused(reused)}"
        kept = found if run.config.crossmatching.use_all_fits else good_fits(found)
        _facts(run, survey)["askap_sources"] = len(kept)
        done(f"{len(kept)} {how}, {len(found) - len(kept)} left out for the finder's flags")
    return kept, found


def _given_list(run: Run, survey: Survey | None) -> ListSource | None:
    """Return the list that the user gave for an image: --askap-csv is that of the image compared."""
    analysis, catalogues = run.config.analysis, run.config.catalogues
    section, prefix = (
        (analysis, "convolved_non_conv_askap") if analysis.convolve and survey is None else (catalogues, "askap")
    )
    files = {role: run.own(getattr(section, role)) for role in (f"{prefix}_csv", f"{prefix}_islands_csv")}
    for role, path in files.items():
        if path is not None:
            run.folder.record_input(role, path)
    components, islands = files.values()
    if components is None:
        return None
    return ListSource(components, catalogues.askap_csv_format, catalogues.askap_columns, islands)


def _finder_settings(finder: SourceFinder, run: Run) -> Mapping[str, object]:
    """Return the settings of the finder; a file's are kept beside the results."""
    path: Path | None = getattr(run.config.analysis, f"{finder.name}_settings_config")
    settings = finder.settings(path)
    if path is not None:
        run.folder.record_input(f"{finder.name}_settings_config", path)
        text = path.read_text(encoding="utf-8")
        run.folder.write(f"{finder.name}_settings_used.cfg", lambda target: target.write_text(text, encoding="utf-8"))
    return settings


def _flux_error(run: Run) -> float:
    return run.config.analysis.askap_flux_error


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
            annotate_raw(catalogue, survey, run)
        trimmed = trim_to_image(catalogue, image)
        check_trimmed(trimmed, survey, image)
        done(f"{len(catalogue)} sources, {len(trimmed)} on the image")
    return trimmed, bright_sources(catalogue, survey)
