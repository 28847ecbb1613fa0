"""The stage that brings the image to a survey's resolution, and measures it there."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from racs_transients import casa
from racs_transients.beam import Beam
from racs_transients.errors import ConfigError, ImageError
from racs_transients.image import Image, read_image
from racs_transients.image_files import write_image
from racs_transients.runfolder import image_stem
from racs_transients.smoothing import Smoothing, smoothed, smoothing_to, uncovered
from racs_transients.stages.inputs import noise_maps, source_list
from racs_transients.stages.run import Field, Observation, Run
from racs_transients.surveys import Survey
from racs_transients.weights import is_elsewhere

# A ready image may differ by this fraction from the survey's beam, and by this from the image's frequency
BEAM_TOLERANCE, FREQUENCY_TOLERANCE = 0.03, 0.01


def check_convolution(image: Image, surveys: Sequence[Survey], run: Run) -> None:
    """Stop, before anything costly, where the convolution that was asked for cannot be done.

    Parameters
    ----------
    image : Image
        The image.
    surveys : sequence of Survey
        The surveys to compare with.
    run : Run
        Options.

    Raises
    ------
    ConfigError
        If there is no CASA, or one convolved image or its list is given for two surveys.
    ImageError
        If the image's beam is wider than a survey's.
    """
    options = run.config.analysis
    if not options.convolve:
        return
    given = {"--convolved-image": options.convolved_image, "--askap-csv": run.config.catalogues.askap_csv}
    names = [name for name, path in given.items() if path is not None]
    if names and len(surveys) > 1:
        raise ConfigError(
            f"Each survey has its own convolved image, so that {' and '.join(names)} cannot serve "
            f"{' and '.join(survey.name for survey in surveys)}; choose one with --sumss-only or --nvss-only."
        )
    for survey in surveys:
        smoothing_to(image, beam_for(survey, image))
    if options.convolution_engine == "casa" and options.convolved_image is None:
        casa.command(run.folder.path)


def beam_for(survey: Survey, image: Image) -> Beam:
    """Return the beam that an image is convolved to: the survey's at the image's centre.

    Parameters
    ----------
    survey : Survey
        The survey.
    image : Image
        The image.

    Returns
    -------
    Beam
        With its position angle from north at the centre.
    """
    return Beam(*(float(axis) for axis in survey.beam_axes(image.centre[1])))


def at_resolution_of(survey: Survey, native: Observation, run: Run) -> Observation:
    """Convolve the image to a survey's beam and find its sources there.

    Parameters
    ----------
    survey : Survey
        The survey; its beam at the image's centre is the target.
    native : Observation
        The image at full resolution.
    run : Run
        Options and cache.

    Returns
    -------
    Observation
        The convolved image, its noise and sources.
    """
    target = beam_for(survey, native.image)
    with run.stages(f"{survey.name} convolution") as done:
        if run.config.analysis.convolved_image is not None:
            image, words = _given(native.image, target, run)
        else:
            image, words = _made(native.image, target, survey, run)
        run.folder.survey(survey.name)["convolved_image"] = str(image.path)
        done(f"beam {image.beam.major:.1f}″ × {image.beam.minor:.1f}″, {words}")
    noise = noise_maps(image, run, survey)
    return Observation(image, noise, *source_list(image, noise, run, survey))


def field_of(native: Observation, survey: Survey, references: pd.DataFrame, bright: pd.DataFrame, run: Run) -> Field:
    """Return the two sides to compare: the image as it is or, with --convolve, at the survey's resolution.

    Parameters
    ----------
    native : Observation
        The image at full resolution.
    survey : Survey
        The survey.
    references, bright : pandas.DataFrame
        The survey's sources on the image, and the bright ones on and around it.
    run : Run
        Options and cache.

    Returns
    -------
    Field
        Both sides; ``native`` is set where the image is a convolved one.
    """
    if not run.config.analysis.convolve:
        return Field(native.image, native.noise, native.sources, survey, references, bright, native.components)
    convolved = at_resolution_of(survey, native, run)
    return Field(
        convolved.image, convolved.noise, convolved.sources, survey, references, bright, native.components, native
    )


def _made(image: Image, target: Beam, survey: Survey, run: Run) -> tuple[Image, str]:
    """Convolve the image, or take it from the cache; leave it under its documented name."""
    smoothing, engine = smoothing_to(image, target), run.config.analysis.convolution_engine
    suffix = f".convolve2{survey.name.lower()}{'_casa' if engine == 'casa' else ''}.fits"
    inputs = [run.digest, str(image.beam), run.config.analysis.boundary_value, str(target), engine]

    def produce(folder: Path) -> None:
        result = smoothed(image, smoothing) if engine == "fft" else _by_casa(image, smoothing, folder)
        write_image(result, folder / "convolved.fits", f"convolved from {image.path.name} by racs_transients, {engine}")

    cache, reused = run.folder.cached(f"{survey.name.lower()}_convolved", inputs, produce)
    # one copy on disk under two names
    product = run.folder.write(image_stem(image.path) + suffix, lambda path: _link(cache / "convolved.fits", path))
    words = f"{engine}, in {product.name}" + (", from an earlier run" if reused else "")
    return read_image(product), words


def _link(source: Path, path: Path) -> None:
    try:
        os.link(source, path)
    except OSError:  # a filesystem without links
        shutil.copyfile(source, path)


def _by_casa(image: Image, smoothing: Smoothing, folder: Path) -> Image:
    """Convolve with CASA; pixels that its zero filling spoils are blank, as those of our own engine."""
    source = folder / "image.fits"
    write_image(image, source)
    # CASA drops the frequency of an image of two axes
    convolved = read_image(casa.imsmooth(source, smoothing.beam, folder), frequency=image.frequency)
    for name in folder.iterdir():
        shutil.rmtree(name) if name.is_dir() else name.unlink()
    if convolved.data.shape != image.data.shape:
        raise ImageError(f"CASA made an image of {convolved.data.shape} of {image.path}, which is {image.data.shape}.")
    data = np.where(uncovered(image, smoothing), np.float32(np.nan), convolved.data)
    return dataclasses.replace(image, data=data, beam=smoothing.beam)


def _given(image: Image, target: Beam, run: Run) -> tuple[Image, str]:
    """Read the convolved image that was given and check that it is one of this image."""
    path = run.own(run.config.analysis.convolved_image)
    if path is None:
        raise ConfigError("Give --convolved-image.")
    run.folder.record_input("convolved_image", path)
    zero = run.config.analysis.boundary_value == "zero"
    convolved = read_image(path, frequency=image.frequency, blank="zero" if zero else "nan")
    wanted = smoothing_to(image, target).beam
    pairs = ((convolved.beam.major, wanted.major), (convolved.beam.minor, wanted.minor))
    if any(abs(found / right - 1) > BEAM_TOLERANCE for found, right in pairs):
        raise ImageError(
            f"The beam of {path} is {convolved.beam.major:.1f}″ × {convolved.beam.minor:.1f}″, not that of the survey "
            f"({wanted.major:.1f}″ × {wanted.minor:.1f}″); convolve the image to it or leave --convolved-image out."
        )
    if abs(convolved.frequency / image.frequency - 1) > FREQUENCY_TOLERANCE:
        raise ImageError(f"{path} is at {convolved.frequency:.1f} MHz, the image at {image.frequency:.1f} MHz.")
    if convolved.data.shape != image.data.shape or is_elsewhere(convolved.wcs, image):
        raise ImageError(f"{path} is not on the pixel grid of {image.path}; is it the convolution of another image?")
    # what was cropped, or is blank in the image, counts as blank at both resolutions
    data = np.where(np.isfinite(image.data), convolved.data, np.float32(np.nan))
    return dataclasses.replace(convolved, data=data), f"given as {path.name}"
