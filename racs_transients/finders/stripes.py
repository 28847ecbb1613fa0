"""Islands of emission shared out to stripes of an image, so that a serial finder uses all cores.

A finder that fits each island from its own pixels gives the same answer for an island whether it sees
the whole image or only the rows around it, as long as every island lies whole in one stripe and is
hidden in all others. Stripes also bound the memory: a finder keeps several copies of what it reads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

# Few enough to share the work evenly, enough that reading a stripe costs little beside fitting it
ISLANDS_PER_STRIPE = 100
# Aegean looks one pixel beyond an island for its peaks
_MARGIN = 2
_BLOCK = 512


@dataclass(frozen=True, slots=True, eq=False)
class Stripe:
    """Rows of an image with the islands to be fitted there.

    Parameters
    ----------
    start, stop : int
        Rows, the last one excluded.
    islands : numpy.ndarray of int
        Labels of the islands.
    """

    start: int
    stop: int
    islands: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Islands:
    """The islands of an image, shared out to stripes.

    Parameters
    ----------
    labels : numpy.ndarray of int32, shape (ny, nx)
        Label of the island of each pixel, 0 outside.
    number : int
        The highest label.
    stripes : list of Stripe
        Each island above the seed threshold is in exactly one.
    """

    labels: NDArray[np.int32]
    number: int
    stripes: list[Stripe]


def share_out(
    data: NDArray[np.float32],
    background: NDArray[np.float32],
    rms: NDArray[np.float32],
    *,
    seed: float,
    flood: float,
    islands_per_stripe: int = ISLANDS_PER_STRIPE,
) -> Islands:
    """Find islands as Aegean does, and share them out to stripes.

    Parameters
    ----------
    data, background, rms : numpy.ndarray, shape (ny, nx), float32
        Image and its noise maps in one unit; NaN where blank.
    seed, flood : float
        Signal to noise that an island must exceed somewhere, and that all its pixels reach.
    islands_per_stripe : int
        About so many islands go into one stripe.

    Returns
    -------
    Islands
        The labels and the stripes, which do not depend on the number of cores.
    """
    above, seeds = np.empty(data.shape, bool), np.empty(data.shape, bool)
    for row in range(0, len(data), _BLOCK):  # blocks keep the signal to noise of a whole tile out of memory
        some = slice(row, row + _BLOCK)
        with np.errstate(invalid="ignore", divide="ignore"):
            snr = np.abs(data[some] - background[some]) / rms[some]
        above[some], seeds[some] = snr >= flood, snr > seed
    labels, number = ndimage.label(above, structure=np.ones((3, 3)))
    seeded = np.unique(labels[seeds])
    seeded = seeded[seeded > 0].astype(np.int64)
    boxes = ndimage.find_objects(labels)
    rows = np.array([(boxes[i - 1][0].start, boxes[i - 1][0].stop) for i in seeded], dtype=np.int64).reshape(-1, 2)
    order = np.argsort(rows[:, 0], kind="stable")
    pieces = np.array_split(order, max(1, -(-len(order) // islands_per_stripe)))
    stripes = [
        Stripe(
            max(0, int(rows[piece, 0].min()) - _MARGIN),
            min(len(data), int(rows[piece, 1].max()) + _MARGIN),
            seeded[piece],
        )
        for piece in pieces
        if len(piece)
    ]
    return Islands(labels, int(number), stripes)


def stripe_data(
    data: NDArray[np.float32], background: NDArray[np.float32], islands: Islands, stripe: Stripe
) -> NDArray[np.float32]:
    """Return the rows of a stripe, with the islands of other stripes painted over with the background.

    Parameters
    ----------
    data, background : numpy.ndarray, shape (ny, nx), float32
        Image and its background.
    islands : Islands
        From `share_out`.
    stripe : Stripe
        One of its stripes.

    Returns
    -------
    numpy.ndarray, shape (stop - start, nx), float32
        A copy.
    """
    rows = slice(stripe.start, stripe.stop)
    foreign = np.ones(islands.number + 1, bool)
    foreign[0] = False
    foreign[stripe.islands] = False
    return np.where(foreign[islands.labels[rows]], background[rows], data[rows]).astype(np.float32, copy=False)
