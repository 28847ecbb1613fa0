"""Files that belong to one image each: a list in the order of the images, or a pattern with ``{image}``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from racs_transients.errors import ConfigError
from racs_transients.runfolder import image_stem

PATTERN = "{image}"


# Options whose one file may be that of all images: weights of images on one grid.
SHARED = frozenset({"weight_crop_image"})


def file_of_image(
    image: Path, files: Sequence[Path] | None, images: Sequence[Path], *, shared: bool = False
) -> Path | None:
    """Return the file that belongs to an image.

    Parameters
    ----------
    image : pathlib.Path
        The image.
    files : sequence of pathlib.Path, optional
        What the option names: as many files as images, or one whose name has ``{image}`` in it, which stands for
        the image's name without ``.fits``.
    images : sequence of pathlib.Path
        All of them.
    shared : bool
        Whether one file may belong to all of them.

    Returns
    -------
    pathlib.Path or None
        None where the option is not given.

    Raises
    ------
    ConfigError
        If there are not as many files as images.
    """
    if not files:
        return None
    is_pattern = len(files) == 1 and (shared or PATTERN in str(files[0]))
    if not is_pattern and len(files) != len(images):
        raise ConfigError(
            f"the files are {len(files)}, the images {len(images)}; give one for each image, in the same order and "
            f"separated by commas, or one name with {PATTERN} in it"
        )
    found = files[0 if is_pattern or len(images) == 1 else images.index(image)]
    return Path(str(found).replace(PATTERN, image_stem(image)))
