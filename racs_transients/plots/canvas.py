"""A raster canvas for thousands of small pictures.

A matplotlib Figure lays out and draws some hundred objects anew for every picture, which takes longer
than everything else of a postage stamp. Here curves go straight to matplotlib's Agg renderer, pixels into
its buffer, and text through Pillow, which matplotlib needs anyway and which also writes the file.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from io import BytesIO
from typing import Any, cast

import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_rgba
from matplotlib.path import Path as Curve
from matplotlib.transforms import Bbox, IdentityTransform
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from racs_transients.beam import FloatArray

_HALO = (1.0, 1.0, 1.0, 0.75)
# Red, green, blue and opacity in one number
_GREYS = np.stack([np.arange(256)] * 3 + [np.full(256, 255)], axis=1).astype(np.uint8).view(np.uint32)[:, 0]
_BLANK = np.array([222, 230, 242, 255], np.uint8).view(np.uint32)[0]
_QUALITIES = (84, 76, 66, 56, 46, 36, 26)


@lru_cache
def _font(size: int, *, bold: bool) -> ImageFont.FreeTypeFont:
    name = font_manager.FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
    return ImageFont.truetype(font_manager.findfont(name), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(1024)
def _rendered(words: str, size: int, anchor: str, *, bold: bool, width: int) -> tuple[Picture.Image, int, int]:
    """Return the coverage of a line of text, and where it lies from the anchor; most lines come again and again."""
    font = _font(size, bold=bold)
    left, top, right, bottom = (int(edge) for edge in font.getbbox(words, anchor=anchor, stroke_width=width))
    mask = Picture.new("L", (max(1, right - left + 1), max(1, bottom - top + 1)))
    ImageDraw.Draw(mask).text((-left, -top), words, font=font, fill=255, anchor=anchor, stroke_width=width)
    return mask, left, top


class Canvas:
    """A white picture to draw on; all positions are pixels from the upper left corner.

    Parameters
    ----------
    width, height : int
        Pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        self._height = height
        # 72 dots an inch, so that line widths are pixels; matplotlib states no types here
        self._renderer = cast(Any, RendererAgg)(width, height, 72)
        self._pixels = np.asarray(self._renderer.buffer_rgba())
        self._pixels[:] = 255
        self._texts: list[tuple[float, float, tuple[Picture.Image, int, int], str]] = []

    def paste(self, left: int, top: int, grey: NDArray[np.uint8], blank: NDArray[np.bool_]) -> None:
        """Put a grey image onto the canvas.

        Parameters
        ----------
        left, top : int
            Where its upper left corner goes.
        grey : numpy.ndarray, shape (ny, nx), uint8
            Brightness, first row on top.
        blank : numpy.ndarray, shape (ny, nx), bool
            Pixels without a value: they become pale blue, which no brightness has.
        """
        ny, nx = grey.shape
        # the four bytes of a pixel at once
        target = self._pixels.view(np.uint32)[top : top + ny, left : left + nx, 0]
        target[:] = _GREYS[grey]
        if blank.any():
            target[blank] = _BLANK

    def curves(
        self,
        outlines: FloatArray,
        colour: str,
        *,
        width: float = 1.5,
        dash: tuple[float, ...] | None = None,
        halo: bool = True,
        fill: str | None = None,
        clip: tuple[int, int, int, int] | None = None,
    ) -> None:
        """Draw curves of the same number of points.

        Parameters
        ----------
        outlines : numpy.ndarray, shape (n, points, 2)
            x and y of the points of n curves.
        colour : str
            Colour of the line.
        width : float
            Width of the line.
        dash : tuple of float, optional
            Lengths of dashes and gaps.
        halo : bool
            Whether a white seam keeps the line readable on dark ground.
        fill : str, optional
            Colour inside.
        clip : tuple of int, optional
            Left, top, width and height of the box outside which nothing is drawn.
        """
        count, points = outlines.shape[:2]
        if count == 0:
            return
        codes = np.full((count, points), Curve.LINETO, np.uint8)
        codes[:, 0] = Curve.MOVETO
        # Agg counts from the lower left corner
        vertices = outlines * (1, -1) + (0, self._height)
        path = Curve(vertices.reshape(-1, 2), codes.ravel())
        gc = self._renderer.new_gc()
        if clip is not None:
            left, top, across, down = clip
            gc.set_clip_rectangle(Bbox.from_bounds(left, self._height - top - down, across, down))
        seam = [(_HALO, width + 2)] if halo else []
        for stroke, thickness in (*seam, (to_rgba(colour), width)):
            gc.set_foreground(stroke)
            gc.set_linewidth(thickness)
            # the seam of a dashed line has no gaps
            if dash is not None and thickness == width:
                gc.set_dashes(0, list(dash))
            face = to_rgba(fill) if fill else None
            self._renderer.draw_path(gc, path, IdentityTransform(), face)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: int = 13,
        colour: str = "black",
        anchor: str = "ls",
        bold: bool = False,
        seam: bool = False,
    ) -> None:
        """Write one line of text.

        Parameters
        ----------
        x, y : float
            Position of the anchor.
        words : str
            The text.
        size : int
            Height of the font.
        colour : str
            Colour.
        anchor : str
            Pillow's anchor: l, m, r (left, middle, right) and s, m, t (baseline, middle, top).
        bold : bool
            Bold letters.
        seam : bool
            Whether a white seam keeps the letters readable on dark ground.
        """
        if seam:
            self._texts.append((x, y, _rendered(words, size, anchor, bold=bold, width=2), "white"))
        self._texts.append((x, y, _rendered(words, size, anchor, bold=bold, width=0), colour))

    def picture(self) -> Picture.Image:
        """Return what has been drawn, text on top.

        Returns
        -------
        PIL.Image.Image
            RGB.
        """
        picture = Picture.fromarray(self._pixels).convert("RGB")
        for x, y, (mask, left, top), colour in self._texts:
            picture.paste(colour, (round(x) + left, round(y) + top), mask)
        return picture


def text_width(words: str, size: int = 13, *, bold: bool = False) -> float:
    """Return how wide a line of text is.

    Parameters
    ----------
    words : str
        The text.
    size : int
        Height of the font.
    bold : bool
        Bold letters.

    Returns
    -------
    float
        Pixels.
    """
    return float(_font(size, bold=bold).getlength(words))


def ellipses(
    x: FloatArray, y: FloatArray, major: FloatArray, minor: FloatArray, angle: FloatArray, points: int = 0
) -> FloatArray:
    """Return outlines of ellipses.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (n,)
        Centres, pixels from the upper left corner.
    major, minor : numpy.ndarray, shape (n,)
        Full axes, pixels.
    angle : numpy.ndarray, shape (n,)
        Position angle of the major axis from up towards the left, degrees.
    points : int
        Points of an outline, the first one repeated at the end; by default enough for the largest one.

    Returns
    -------
    numpy.ndarray, shape (n, points, 2)
        x and y.
    """
    # a tenth of a pixel between curve and chord; more points cost time
    points = points or int(np.clip(12 + np.max(major, initial=0), 17, 97))
    phase = np.linspace(0, 2 * np.pi, points)
    along, across = np.asarray(major)[:, None] / 2 * np.cos(phase), np.asarray(minor)[:, None] / 2 * np.sin(phase)
    sin, cos = np.sin(np.deg2rad(angle))[:, None], np.cos(np.deg2rad(angle))[:, None]
    left, up = along * sin + across * cos, along * cos - across * sin
    return np.stack([np.asarray(x)[:, None] - left, np.asarray(y)[:, None] - up], -1)


def labelled(picture: Picture.Image, names: Iterable[tuple[float, float, str]]) -> Picture.Image:
    """Return a picture with names written into it, readable on any ground.

    Parameters
    ----------
    picture : PIL.Image.Image
        The picture.
    names : iterable of (float, float, str)
        Upper left corner in pixels and words of each.

    Returns
    -------
    PIL.Image.Image
        A copy.
    """
    result = picture.copy()
    write = ImageDraw.Draw(result)
    for left, top, words in names:
        font = _font(12, bold=True)
        write.text((left, top), words, font=font, fill="black", stroke_width=2, stroke_fill="white")
    return result


def jpeg(picture: Picture.Image, limit: int, comment: str = "") -> bytes:
    """Return a picture as JPEG, as good as a size allows.

    Parameters
    ----------
    picture : PIL.Image.Image
        The picture.
    limit : int
        Largest number of bytes.
    comment : str
        Text for the comment of the file.

    Returns
    -------
    bytes
        The file; above the limit only where even the poorest quality is.
    """
    for quality in _QUALITIES:
        stream = BytesIO()
        picture.save(stream, "JPEG", quality=quality, comment=comment.encode())
        if stream.tell() <= limit:
            break
    return stream.getvalue()
