"""A page as the network sees it: turned upright, its grey levels counted relative to their surroundings.

Read by ``finder``, ``world.pages`` and ``_read``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["PAPER", "levels", "upright"]

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


def upright(
    grey: NDArray[np.uint8], scale: float, matrix: NDArray[np.float64], size: tuple[int, ...]
) -> NDArray[np.uint8]:
    """A picture as the ink lies that was found in it at this scale, turned by the matrix: uint8 of this height and width."""
    import cv2

    if scale < 1:
        reduced = max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale))
        grey = np.asarray(cv2.resize(grey, reduced, interpolation=cv2.INTER_AREA), np.uint8)
    elif scale > 1:
        matrix = matrix @ np.diag([scale, scale, 1.0])
    if grey.shape == size and np.array_equal(matrix, np.eye(3)):
        return grey
    found = cv2.warpPerspective(
        grey, matrix, (size[1], size[0]), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(found, np.uint8)
