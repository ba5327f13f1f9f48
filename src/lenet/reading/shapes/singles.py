"""The ink of an image of one digit: where it is, and where it can't be told from the paper, both of the ways it may be.

A digit cut out to its very edge leaves no paper around it by which ``find_ink`` knows ink; what is narrow and full of ink
looks like paper. Such an image is taken both as dark on light and as light on dark, and the network's answers decide. So is a
tiny one: a stroke of a pixel is nowhere bare paper or full ink, and all its greys say how much of each there is.
Nothing here knows the network. Read by ``_read``.

Source of the threshold, and of the measure of how well it parts two colours: Otsu (1979).
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.reading.ink.clean import clean
from lenet.reading.ink.find import EDGE, Ink, find_ink, stroke_width
from lenet.reading.shapes.shape import MARGIN, Shape, find_shapes, union

__all__ = ["Mark", "find_marks"]

SPECK = 0.03  # of the largest shape's area: smaller ones are specks beside the digit
LONGEST = 256  # the long side of an image that is looked at as it is, and at which two colours are told apart
TINY = 24  # pixels: a digit less high is looked at in the image as it was given
CONTRAST = 30.0  # the least difference between ink and paper, of 255
PARTED = 0.77  # the least share of the variance that lies between two colours: of an even change it is 0.75
CALM = 0.25  # the least share of the variance that is left in means of 3 x 3 pixels: of noise a ninth is
AS_IT_IS = 16  # up to this long side an image is taken as it is, both ways
FRAME = 4.0  # log odds of a digit that the corners of a tiny image weigh: they are paper rather than ink
BARE = 0.1  # the share of a tiny image's pixels that are paper at least
GUESS = 1.0  # by so much, in log odds of a digit, must a guess be surer than ink that was found


class Mark(NamedTuple):
    """One way to see what is on an image. shape: all of its ink as one shape. price: what it costs to believe it, in log odds
    of a digit."""

    ink: Ink
    shape: Shape
    price: float


def find_marks(rgb: NDArray[np.uint8]) -> list[Mark]:
    """The ways to see the one digit on an image uint8 [H, W, 3]: none on a blank one, mostly one, at most three.

    Where there are several, the network is to choose. A larger image is reduced to 256 pixels, at which a stroke is never
    so thick as to be taken for paper, unless its digit then is too small to tell.
    """
    scale = LONGEST / max(rgb.shape[:2])
    if scale < 1:
        marks = find_marks(_reduced(rgb))
        if any(mark.shape.height >= TINY for mark in marks):
            return [mark._replace(ink=replace(mark.ink, scale=mark.ink.scale * scale)) for mark in marks]
    tiny = _tiny(rgb) if max(rgb.shape[:2]) <= AS_IT_IS else []
    if tiny:
        return tiny
    usual = _mark(clean(find_ink(rgb)))
    if usual is not None and not _touches(usual):
        return [usual]
    return [mark for mark in (usual, *(_mark(ink, GUESS) for ink in _both_ways(rgb))) if mark is not None]


def _reduced(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An image at most LONGEST long."""
    import cv2

    h, w = rgb.shape[:2]
    scale = LONGEST / max(h, w)
    if scale >= 1:
        return rgb
    size = max(1, round(w * scale)), max(1, round(h * scale))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _mark(ink: Ink, price: float = 0.0) -> Mark | None:
    """All ink as one shape, specks left out; None if there is none."""
    shapes = find_shapes(ink.level, ink.mask, ink.stroke)
    largest = max((s.area for s in shapes), default=0)
    kept = [s for s in shapes if s.area >= SPECK * largest]
    return Mark(ink, union(kept), price) if kept else None


def _touches(mark: Mark) -> bool:
    """Whether the ink reaches the frame."""
    x0, y0, x1, y1 = mark.shape.box
    h, w = mark.ink.mask.shape
    return x0 == 0 or y0 == 0 or x1 == w or y1 == h


def _tiny(rgb: NDArray[np.uint8]) -> list[Mark]:
    """A tiny image both ways, each grey the share of a pixel that is ink; none if it is nearly of one colour."""
    along = _along_colours(rgb)
    low, high = float(along.min()), float(along.max())
    if high - low < CONTRAST:
        return []
    light = (along - low) / (high - low)
    corners = float(light[[0, 0, -1, -1], [0, -1, 0, -1]].mean())
    marks = []
    for ink, polarity, price in ((light, "light on dark", corners), (1 - light, "dark on light", 1 - corners)):
        paper = min(float(np.sort(ink, axis=None)[int(BARE * ink.size)]), 0.5)
        level = np.rint(np.clip((ink - paper) * (255 / (1 - paper)), 0, 255)).astype(np.uint8)
        mask = level >= EDGE
        down, across = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        x0, y0, x1, y1 = int(across[0]), int(down[0]), int(across[-1]) + 1, int(down[-1]) + 1
        crop = np.pad(level, MARGIN)[y0 : y1 + 2 * MARGIN, x0 : x1 + 2 * MARGIN]
        found = Ink(level, mask, polarity, stroke_width(level, mask), 1.0)
        marks.append(Mark(found, Shape((x0, y0, x1, y1), crop, int(mask.sum())), FRAME * price))
    return marks


def _both_ways(rgb: NDArray[np.uint8]) -> list[Ink]:
    """An image of two colours as light ink on dark paper and as dark ink on light; none if it isn't one of two colours."""
    import cv2

    scale = min(1.0, LONGEST / max(rgb.shape[:2]))
    rgb = _reduced(rgb)
    along = _along_colours(rgb)
    low, high = float(along.min()), float(along.max())
    if high - low < CONTRAST:
        return []
    grey = np.rint((along - low) * (255 / (high - low))).astype(np.uint8)
    threshold, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    is_dark = grey <= threshold
    darks, lights, share = grey[is_dark], grey[~is_dark], float(is_dark.mean())
    between = share * (1 - share) * float(lights.mean() - darks.mean()) ** 2
    dark, light = float(np.median(darks)), float(np.median(lights))
    variance, calm = float(grey.var()), float(cv2.blur(grey, (3, 3)).var())
    if (light - dark) * (high - low) < CONTRAST * 255 or between < PARTED * variance or calm < CALM * variance:
        return []
    level = np.rint(np.clip((grey - dark) * (255 / (light - dark)), 0, 255)).astype(np.uint8)
    inks = []
    for one, polarity in ((level, "light on dark"), (255 - level, "dark on light")):
        mask = one >= EDGE
        inks.append(Ink(one, mask, polarity, stroke_width(one, mask), scale))
    return inks


def _along_colours(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Each pixel's place along the direction in which the colours differ most, the lighter the higher: float32 [h, w].

    Of a grey image its grey levels, but for a constant.
    """
    pixels = rgb.reshape(-1, 3).astype(np.float32)
    pixels -= pixels.mean(axis=0)
    direction = np.linalg.eigh(pixels.T @ pixels)[1][:, -1]
    if direction.sum() < 0:
        direction = -direction
    along: NDArray[np.float32] = (pixels @ (direction / np.float32(3**0.5))).reshape(rgb.shape[:2])
    return along
