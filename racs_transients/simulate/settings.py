"""What a simulated field is like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from racs_transients.beam import Beam
from racs_transients.surveys import SURVEYS, Survey


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSettings:
    """Settings of a simulated field.

    Parameters
    ----------
    seed : int
        Same seed, same field.
    ra, dec : float
        Centre, degrees.
    size : int
        Pixels along each side.
    pixel : float
        Size of a pixel, arcsec.
    beam : Beam
        Beam of the ASKAP-like image.
    frequency : float
        MHz.
    rms : float
        Noise in the middle, mJy/beam; it triples towards the edge.
    survey : str
        ``"SUMSS"`` or ``"NVSS"``.
    density : float
        Background sources above 1 mJy, per deg²; 170 is that of a RACS tile.
    new, vanished, variable : int
        Numbers of transients of each kind.
    variable_factor : float
        Smallest factor of the variable ones.
    transient_snr : float
        Their brighter flux in both bands, in units of the larger noise, at least.
    doubles, extended : float
        Fractions of the background that are doubles (15″ to 60″ apart) and extended (20″ to 90″).
    artefacts : float
        Number of artefacts round each bright source and on each side, on average.
    ra_offset, dec_offset : float
        Astrometric offset of the ASKAP image, arcsec.
    flux_scale : float
        Flux scale of the ASKAP image.
    """

    seed: int = 1
    ra: float = 315.0
    dec: float = -55.0
    size: int = 2000
    pixel: float = 2.5
    beam: Beam = Beam(15.0, 12.0, 60.0)
    frequency: float = 887.5
    rms: float = 0.25
    survey: str = "SUMSS"
    density: float = 170.0
    new: int = 8
    vanished: int = 8
    variable: int = 8
    variable_factor: float = 3.0
    transient_snr: float = 5.0
    doubles: float = 0.08
    extended: float = 0.06
    artefacts: float = 4.0
    ra_offset: float = 0.4
    dec_offset: float = -0.3
    flux_scale: float = 1.03

    @property
    def reference(self) -> Survey:
        """The survey that the field is compared with."""
        return SURVEYS[self.survey]

    @property
    def area(self) -> float:
        """Area inside the rounded border, deg²."""
        # a square with corners cut by a circle of 0.56 sides, see observation.radial_distance
        return float(0.92 * (self.size * self.pixel / 3600) ** 2)


# Sources per deg² above a flux (mJy): RACS tiles at the faint end, SUMSS at δ < −50 above 10 mJy.
COUNTS_FLUX = np.array([1.0, 3.0, 10.0, 30.0, 100.0, 436.0, 1000.0, 5000.0])
COUNTS_ABOVE = np.array([170.0, 80.0, 26.0, 10.0, 3.0, 0.43, 0.1, 0.009])

# Quantiles of ln(ASKAP flux / survey flux at one frequency), median removed, of real pairs of steady
# sources in the VAST field around Fornax (epochs of 2,948 SUMSS and 3,619 NVSS sources). The core (5 to
# 95 %) is that of 12,568 and 2,659 pairs above 20 σ of the survey, so that the survey's noise, which
# the simulation adds, is not in it; the tails are those of all 43,831 and 6,942 pairs.
QUANTILES = np.array(
    [0, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.16, 0.25, 0.35, 0.5,
     0.65, 0.75, 0.84, 0.9, 0.95, 0.98, 0.99, 0.995, 0.9975, 0.999, 1]
)  # fmt: skip
LN_RATIO = {
    "SUMSS": np.array(
        [-2.949, -1.133, -0.956, -0.737, -0.61, -0.492, -0.211, -0.143, -0.104, -0.066, -0.037, 0.0,
         0.038, 0.067, 0.1, 0.135, 0.185, 0.363, 0.44, 0.513, 0.599, 0.708, 1.129]
    ),
    "NVSS": np.array(
        [-1.674, -1.196, -1.056, -0.968, -0.855, -0.744, -0.573, -0.397, -0.259, -0.131, -0.063, 0.0,
         0.048, 0.082, 0.124, 0.157, 0.206, 0.476, 0.594, 0.724, 0.877, 1.004, 1.461]
    ),
}  # fmt: skip
