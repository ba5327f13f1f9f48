"""Strips out of a picture of one line, as high and as wide as the network is to see them, and the way back to the picture.

They are taken from the picture itself, for ink that was cut out is no longer what was written. Read by ``reader``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.reading.lines.strip import ROWS, levels
from lenet.reading.shapes.lines import Row

__all__ = ["Cut", "cut_strip", "dark_on_light"]

Levels = NDArray[np.uint8]

DIGIT = 21.0  # rows of a strip that a digit takes, if it is known how high it is


class Cut(NamedTuple):
    """A strip and its place. level: uint8 [ROWS, w]. step: pixels of the picture from one column to the next."""

    level: Levels
    step: float

    def at(self, column: float) -> float:
        """The x of a column in the picture."""
        return column * self.step

    def column(self, x: float) -> float:
        """The column of an x of the picture."""
        return x / self.step


def dark_on_light(rgb: Levels, polarity: str) -> Levels:
    """A picture uint8 [H, W, 3] in grey, uint8 [H, W], its ink darker than its paper. polarity: as ``Ink`` has it."""
    import cv2

    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) if rgb.ndim == 3 else rgb, np.uint8)
    return 255 - grey if polarity == "light on dark" else grey


def cut_strip(grey: Levels, size: float, stretch: float, row: Row | None = None) -> Cut:
    """A grey picture of one line as a strip.

    Without a row all its height is seen, with one that row's digits are DIGIT high; ``size`` times that, and ``stretch`` times
    as wide.
    """
    import cv2

    h, w = grey.shape
    unit, middle = h / (ROWS * size), h / 2  # pixels a row of the strip
    if row is not None:
        unit, middle = row.height / (DIGIT * size), sum(row.band(w / 2)) / 2
    wide, high = max(8, round(w * stretch / unit)), max(8, round(h / unit))
    scaled = cv2.resize(grey, (wide, high), interpolation=cv2.INTER_AREA if unit > 1 else cv2.INTER_LINEAR)
    top = round(middle / unit - ROWS / 2)
    rows = np.clip(np.arange(top, top + ROWS), 0, high - 1)  # beyond its edge the picture goes on as it ends
    return Cut(levels(np.ascontiguousarray(scaled[rows])), w / wide)
