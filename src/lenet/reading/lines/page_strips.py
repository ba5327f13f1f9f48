"""Strips out of a page: the grey picture along each row of shapes, upright, and as high as the network wants its digits.

The rows were found in the page's ink, which was straightened; the strips are taken from the picture itself, for ink that was
cut out is no longer what was written. Read by ``reader``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.reading.lines.strip import ROWS, levels
from lenet.reading.shapes.lines import Row
from lenet.reading.shapes.shape import Shape

__all__ = ["Cut", "Picture", "cuts_of", "whole"]

Levels = NDArray[np.uint8]
Floats = NDArray[np.float64]

DIGIT = 21.0  # rows of a strip that a digit of its row's height takes
ROOM = 0.8  # heights of margin at both ends of a strip
APART = 2.2  # heights: what is further from each other has strips of its own
STEEPEST = 0.15  # of a row's slope


class Cut(NamedTuple):
    """A strip and its place. level: uint8 [ROWS, w]. matrix: 2 x 3, from the strip's x, y to the page's upright pixels.

    left, right: the columns between which its own shapes stand.
    """

    level: Levels
    matrix: Floats
    left: float
    right: float

    def at(self, column: float) -> float:
        """The upright x of a column, on the strip's middle row."""
        return float(self.matrix[0] @ np.array([column, ROWS / 2, 1.0]))

    def column(self, x: float) -> float:
        """The column of an upright x, likewise."""
        return (x - float(self.matrix[0, 1]) * ROWS / 2 - float(self.matrix[0, 2])) / float(self.matrix[0, 0])


class Picture:
    """The page's picture, from which strips are taken. rgb: uint8 [H, W, 3]. scale: upright pixels a pixel of it.

    matrix: 3 x 3, from working pixels as found to upright ones. light: the ink is lighter than the paper.
    """

    def __init__(self, rgb: Levels, scale: float, matrix: Floats, light: bool) -> None:
        import cv2

        grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) if rgb.ndim == 3 else rgb, np.uint8)
        self.grey = 255 - grey if light else grey
        self._back = np.diag([1 / scale, 1 / scale, 1.0]) @ np.linalg.inv(matrix)
        self._smaller: dict[int, Levels] = {1: self.grey}

    def strip(self, matrix: Floats, width: int) -> Levels:
        """The grey strip [ROWS, width] whose pixels lie where the 2 x 3 matrix, from the strip to upright pixels, says."""
        import cv2

        whole = self._back @ np.concatenate([matrix, [[0.0, 0.0, 1.0]]])
        middle = whole @ np.array([width / 2, ROWS / 2, 1.0])
        size = float(np.sqrt(abs(np.linalg.det(whole[:2, :2])))) / abs(float(middle[2]))
        factor = max(1, int(size + 0.3))
        if factor not in self._smaller:
            h, w = self.grey.shape
            cut = self.grey[: h // factor * factor, : w // factor * factor]
            self._smaller[factor] = np.asarray(
                cv2.resize(cut, (max(w // factor, 1), max(h // factor, 1)), interpolation=cv2.INTER_AREA)
            )
        half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
        pixels = np.linalg.inv(half) @ np.diag([1 / factor, 1 / factor, 1.0]) @ whole @ half
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        small = self._smaller[factor]
        if np.abs(pixels[2, :2]).max() < 1e-9:
            out = cv2.warpAffine(
                small, pixels[:2] / pixels[2, 2], (width, ROWS), flags=flags, borderMode=cv2.BORDER_REPLICATE
            )
        else:
            out = cv2.warpPerspective(small, pixels, (width, ROWS), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(out, np.uint8)


def cuts_of(row: Row, picture: Picture, size: float = 1.0, stretch: float = 1.0) -> list[Cut]:
    """A row's strips from left to right. size, stretch: so many times as high, and as wide, as usual."""
    found = []
    for group in _groups(row):
        x0, x1 = min(s.box[0] for s in group), max(s.box[2] for s in group)
        (top0, base0), (top1, base1) = row.band(x0), row.band(x1)
        slope = ((top1 + base1) - (top0 + base0)) / 2 / max(x1 - x0, 4 * row.height)
        slope = float(np.clip(slope, -STEEPEST, STEEPEST))
        top, base = row.band((x0 + x1) / 2)
        unit = row.height / (DIGIT * size)  # upright pixels a row of the strip
        across = unit / stretch
        start = x0 - ROOM * row.height
        width = max(8, round((x1 + ROOM * row.height - start) / across))
        middle = (top + base) / 2 + slope * (start - (x0 + x1) / 2)
        matrix = np.array([[across, 0.0, start], [slope * across, unit, middle - unit * ROWS / 2]])
        strip = levels(picture.strip(matrix, width))
        found.append(Cut(strip, matrix, (x0 - start) / across, (x1 - start) / across))
    return found


def whole(picture: Picture, size: float, stretch: float, row: Row | None = None) -> Cut:
    """A picture that is one line, as a strip: all its height, or, if its row is known, as much as ``cuts_of`` takes."""
    h, w = picture.grey.shape
    unit, middle = h / (ROWS * size), h / 2
    if row is not None:
        unit, middle = row.height / (DIGIT * size), sum(row.band(w / 2)) / 2
    across = unit / stretch
    width = max(8, round(w / across))
    matrix = np.array([[across, 0.0, 0.0], [0.0, unit, middle - unit * ROWS / 2]])
    return Cut(levels(picture.strip(matrix, width)), matrix, 0.0, float(width))


def _groups(row: Row) -> list[list[Shape]]:
    """The row's shapes in runs without wide gaps."""
    groups: list[list[Shape]] = []
    end = -np.inf
    for shape in sorted(row.shapes, key=lambda s: s.box[0]):
        if not groups or shape.box[0] - end > APART * row.height:
            groups.append([])
            end = -np.inf
        groups[-1].append(shape)
        end = max(end, shape.box[2])
    return groups
