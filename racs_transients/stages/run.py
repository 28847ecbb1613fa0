"""What the stages share: the run, and the two sides that are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from racs_transients.config import Config
from racs_transients.image import Image
from racs_transients.image_lists import file_of_image
from racs_transients.logs import Stages
from racs_transients.noise import NoiseMaps
from racs_transients.runfolder import RunFolder
from racs_transients.surveys import Survey


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What a stage may use beside its tables.

    Parameters
    ----------
    config : Config
        The options.
    folder : RunFolder
        The results folder: cache of costly stages, manifest.
    stages : Stages
        Where a stage says what it did.
    """

    config: Config
    folder: RunFolder
    stages: Stages

    @property
    def digest(self) -> str:
        """SHA-256 of the image and how it was cropped: the key of everything that is cached."""
        image = self.folder.manifest["image"]
        return " ".join(str(part) for part in [image["sha256"], *image.get("crop", [])])

    def own(self, files: Sequence[Path] | None, *, shared: bool = False) -> Path | None:
        """Return which of an option's files belongs to the image.

        Parameters
        ----------
        files : sequence of pathlib.Path, optional
            One for each image, or a pattern.
        shared : bool
            Whether one may belong to all images.

        Returns
        -------
        pathlib.Path or None
            None where the option is not given.
        """
        return file_of_image(Path(self.folder.manifest["image"]["path"]), files, self.config.images, shared=shared)


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """An ASKAP image at one resolution and what was measured on it.

    Parameters
    ----------
    image : Image
        The image.
    noise : NoiseMaps
        Its background and noise.
    sources : pandas.DataFrame
        Its sources, ``schema.SOURCES``.
    components : pandas.DataFrame
        The same with the fits that are no sources because their finder flagged them: all that can blend.
    """

    image: Image
    noise: NoiseMaps
    sources: pd.DataFrame
    components: pd.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """The two sides that are compared.

    Parameters
    ----------
    image : Image
        The ASKAP image.
    noise : NoiseMaps
        Its background and noise.
    sources : pandas.DataFrame
        Its sources, ``schema.SOURCES``.
    survey : Survey
        The survey.
    references : pandas.DataFrame
        The survey's sources on the image, ``schema.REFERENCES``.
    bright : pandas.DataFrame
        The survey's bright sources on and around the image.
    components : pandas.DataFrame
        All fits of the ASKAP image at full resolution, which knows most of what blends.
    native : Observation, optional
        The ASKAP image at full resolution, where `image` is a convolved one.
    """

    image: Image
    noise: NoiseMaps
    sources: pd.DataFrame
    survey: Survey
    references: pd.DataFrame
    bright: pd.DataFrame
    components: pd.DataFrame
    native: Observation | None = None
