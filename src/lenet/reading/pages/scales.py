"""A page as the network sees it: grey levels counted relative to their surroundings, in several sizes.

Read by ``finder`` and ``world.pages``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["PAPER", "levels"]

PAPER, SPREAD = 80, 40  # the level of what is as dark as its surroundings, and what a standard deviation adds
FLOOR = 15.0  # grey levels that are added to the deviation: faint noise stays faint
AROUND = 63  # pixels over which surroundings, and their deviation, are taken


def levels(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A grey picture uint8 [h, w], dark ink on light paper, as levels uint8 [h, w]: dark ink is high."""
    import cv2

    values = grey.astype(np.float32)
    size = (AROUND, AROUND)
    mean = cv2.blur(values, size, borderType=cv2.BORDER_REFLECT)
    square = cv2.blur(values * values, size, borderType=cv2.BORDER_REFLECT)
    spread = np.sqrt(np.maximum(square - mean * mean, 0)) + np.float32(FLOOR)
    return np.clip(np.rint(PAPER + SPREAD * (mean - values) / spread), 0, 255).astype(np.uint8)
