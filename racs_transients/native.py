"""The image at full resolution beside the convolved one: counterparts, and sources that convolution hid."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from racs_transients import sky
from racs_transients.comparison import FluxScaling
from racs_transients.crossmatch import Association, associate

IntArray = NDArray[np.int64]


def counterparts(
    ra: ArrayLike,
    dec: ArrayLike,
    native: pd.DataFrame,
    *,
    beam_major: float,
    reach_beams: float,
    scaling: FluxScaling,
    survey_rms: ArrayLike,
) -> pd.DataFrame:
    """Return the full-resolution source nearest to each source of the convolved image.

    Parameters
    ----------
    ra, dec : array_like, shape (n,)
        Positions in the convolved image, degrees.
    native : pandas.DataFrame
        Sources of the full-resolution image, ``schema.SOURCES``.
    beam_major : float
        FWHM of the full-resolution beam, arcsec.
    reach_beams : float
        A source farther than this is no counterpart, in those beams: then only its distance is given.
    scaling : FluxScaling
        ASKAP to survey frequency.
    survey_rms : array_like, shape (n,)
        The survey's noise, mJy/beam.

    Returns
    -------
    pandas.DataFrame
        The columns ``native_*`` of the crossmatch; the distance is infinite where there is no source at all.
    """
    index, separation = sky.nearest(ra, dec, native["ra"], native["dec"])
    near = separation < reach_beams * beam_major
    found = native.reindex(np.where(near, index, -1)).reset_index(drop=True)
    scaled, scaled_err = scaling.apply(found["flux_int"], found["flux_int_err"])
    return pd.DataFrame(
        {
            "native_source_id": found["source_id"],
            "native_name": found["name"],
            "native_origin": np.where(near, "detected", "none"),
            "native_flux": found["flux_int"],
            "native_flux_err": found["flux_int_err"],
            "native_scaled_flux": scaled,
            "native_scaled_flux_err": scaled_err,
            "native_rms": found["rms"],
            "native_separation": np.where(index < 0, np.inf, separation),
            "native_nn_separation": found["nn_separation"].fillna(np.inf).where(near),
            "native_beam_major": beam_major,
            "native_predicted_snr": scaled / np.asarray(survey_rms, float),
        }
    )


def hidden_matches(
    references: pd.DataFrame,
    sources: pd.DataFrame,
    native: pd.DataFrame,
    association: Association,
    max_separation: float,
) -> Association:
    """Match what the convolved image leaves unmatched with sources that convolution hid.

    Parameters
    ----------
    references : pandas.DataFrame
        Catalogue sources.
    sources, native : pandas.DataFrame
        Sources of the convolved and of the full-resolution image.
    association : Association
        Catalogue with the sources of the convolved image.
    max_separation : float
        Match radius, arcsec.

    Returns
    -------
    Association
        Catalogue with full-resolution sources; matched are those without a convolved source within the radius whose
        full-resolution source is not the counterpart of a convolved one that is matched already.
    """
    found = associate(references, native, max_separation)
    partner, _ = sky.nearest(sources["ra"], sources["dec"], native["ra"], native["dec"])
    taken = partner[association.source[association.matched]]
    matched = found.matched & ~association.matched & ~np.isin(found.source, taken)
    rest = np.setdiff1d(np.arange(len(native)), found.source[matched])
    return Association(found.source, found.separation, matched, rest)
