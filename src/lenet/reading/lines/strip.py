"""A line of writing as the network sees it: grey, ROWS pixels high, dark ink as high values, paper about PAPER.

Grey levels count relative to the line's own paper and contrast. Read by ``network``, ``world.lines`` and ``reader``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["COLUMNS", "PAPER", "ROWS", "levels"]

ROWS, COLUMNS = 32, 36  # of the window that is looked at for each column
PAPER, SPREAD = 80, 40  # the level of the paper, and what a standard deviation adds
LEAST = 6.0  # grey levels that are added to the deviation: faint noise stays faint


def levels(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A grey strip uint8 [h, w], dark ink on light paper, as levels uint8 [h, w]."""
    values = grey.astype(np.float32)
    away = (np.float32(np.median(values)) - values) / (values.std() + np.float32(LEAST))
    return np.clip(np.rint(PAPER + SPREAD * away), 0, 255).astype(np.uint8)
