"""Ink on patterned paper: a threshold of each place's own, for small pictures such as a cheque's amount.

Where the paper's print is half as strong as the pen, no one threshold parts them, but around every stroke the pen is the
darkest there is. Read by find.py.

Source: Sauvola and Pietikäinen, "Adaptive document image binarization" (2000): the threshold lies the deeper below the local
mean, the less the place varies.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet.reading.ink.paper import U8

__all__ = ["EDGE", "local_level"]

EDGE = 96  # the level at which a stroke's edge lies: a little below half, for strokes are thin and blurred
AROUND = 0.8  # of the short side: the window around each place
DEEP = 0.25  # of the mean: so far below it the threshold lies where nothing varies
SPREADS = 0.5  # and at least so many of the place's standard deviations
BLUR = 0.6  # pixels, the Gaussian's sigma before anything is compared


def local_level(rgb: U8, polarity: str) -> tuple[U8, NDArray[np.bool_]]:
    """The level uint8 [h, w] and the mask bool [h, w] of a small picture [h, w, 3] or [h, w], as ``Ink`` has them."""
    import cv2

    grey = rgb if rgb.ndim == 2 else cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    light = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), BLUR)
    if polarity == "light on dark":
        light = 255 - light
    side = max(int(AROUND * min(light.shape)) | 1, 9)
    window, edge = (side, side), cv2.BORDER_REFLECT
    mean = cv2.blur(light, window, borderType=edge)
    spread = np.sqrt(np.maximum(cv2.blur(light * light, window, borderType=edge) - mean * mean, 0))
    threshold = mean * (1 - DEEP * (1 - spread / max(float(spread.max()), 1.0)))
    threshold = np.minimum(threshold, mean - SPREADS * spread)
    mask = light < threshold
    if not mask.any():
        return np.zeros(mask.shape, np.uint8), mask
    full = max(float(np.median((threshold - light)[mask])), 1.0)  # half of all ink is full ink
    soft = np.maximum((mean - threshold) / 2, 1.0)
    level = np.where(mask, EDGE + (255 - EDGE) * (threshold - light) / full, EDGE * (1 - (light - threshold) / soft))
    near = cv2.dilate(mask.view(np.uint8), np.ones((3, 3), np.uint8))
    return np.asarray(np.clip(level, 0, 255).astype(np.uint8) * near), mask
