"""A line of writing as the network sees it: grey, ROWS pixels high, dark ink as high values, paper about PAPER.

Grey levels count relative to the line's own paper and contrast. Read by ``network``, ``world.lines`` and ``reader``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["COLUMNS", "PAPER", "ROWS", "levels"]

ROWS, COLUMNS = 32, 36  # of the window that is looked at for each column
PAPER, SPREAD = 80, 40  # the level of what is as dark as its surroundings, and what a standard deviation adds
LEAST = 6.0  # grey levels that are added to the deviation: faint noise stays faint
AROUND, WIDER = (49, 25), (97, 33)  # columns and rows over which surroundings, and their deviation, are taken
LOCAL = 0.5  # of the variance, so much is that of the surroundings, the rest of the whole strip


def levels(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A grey strip uint8 [h, w], dark ink on light paper, as levels uint8 [h, w]: shadows and bands are evened out."""
    import cv2

    values = grey.astype(np.float32)
    away = cv2.blur(values, AROUND, borderType=cv2.BORDER_REPLICATE) - values
    square = away * away
    local = cv2.blur(square, WIDER, borderType=cv2.BORDER_REPLICATE)
    spread = np.sqrt(LOCAL * local + (1 - LOCAL) * square.mean()) + np.float32(LEAST)
    return np.clip(np.rint(PAPER + SPREAD * away / spread), 0, 255).astype(np.uint8)
