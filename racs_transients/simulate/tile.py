"""A given list of components painted as an image, up to the size of a full tile."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from racs_transients.simulate.field import noise_levels, write_painted
from racs_transients.simulate.observation import askap_header, tangent_wcs
from racs_transients.simulate.settings import FieldSettings


def paint_list(components: pd.DataFrame, path: Path, settings: FieldSettings) -> None:
    """Write an image of listed components in correlated noise, with bounded memory.

    Parameters
    ----------
    components : pandas.DataFrame
        ra, dec (degrees), flux_peak (mJy/beam), major, minor (arcsec, beam included), pa (degrees), as
        `finders.lists.read_raw_list` gives them.
    path : pathlib.Path
        File to write.
    settings : FieldSettings
        Centre, size, pixel, beam, frequency, noise and seed; what it says of the sky is not used.
    """
    shape, scales = (settings.size, settings.size), (settings.pixel, settings.pixel)
    wcs = tangent_wcs(settings.ra, settings.dec, shape, scales)
    header = askap_header(settings, wcs)
    write_painted(path, header, wcs, scales, shape, components, settings.beam, settings.seed, noise_levels(settings))
