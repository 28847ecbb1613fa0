"""The survey's images that a run has: those of a folder, and those fetched from SkyView."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from racs_transients.mosaics import Mosaic, assign_mosaics, index_mosaics
from racs_transients.skyview import fetch_tiles
from racs_transients.stages.run import Run
from racs_transients.survey_options import of_survey
from racs_transients.surveys import Survey


def survey_mosaics(survey: Survey, ra: ArrayLike, dec: ArrayLike, run: Run) -> list[Mosaic]:
    """Return the survey images that may cover positions.

    Parameters
    ----------
    survey : Survey
        The survey.
    ra, dec : array_like, shape (n,)
        Positions, degrees.
    run : Run
        Options.

    Returns
    -------
    list of Mosaic
        All of the folder, where one is given; with ``--fetch-mosaics`` also SkyView's tiles of the positions
        that none of them covers. None where there is neither.
    """
    ra, dec = np.asarray(ra, float), np.asarray(dec, float)
    folder, cache_dir = of_survey(run.config, survey, "mosaic_dir"), run.config.catalogues.cache_dir
    mosaics = [] if folder is None else index_mosaics(folder, survey, cache_dir=cache_dir)
    options = run.config.postagestamps
    lacking = assign_mosaics(mosaics, survey, ra, dec) < 0 if options.fetch_mosaics else np.zeros(len(ra), bool)
    if lacking.any():
        lacking &= survey.contains(ra, dec)
        mosaics += fetch_tiles(survey, ra[lacking], dec[lacking], cache_dir=cache_dir, url=options.skyview_url)
    return mosaics
