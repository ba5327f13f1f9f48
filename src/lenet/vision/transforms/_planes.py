"""Resampling numpy images with Pillow, one plane at a time, whatever their dtype. Read by ``functional`` alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet._check import message

__all__ = ["filter_named", "through_pillow"]

_FILTERS = {
    "nearest": "NEAREST",
    "bilinear": "BILINEAR",
    "bicubic": "BICUBIC",
    "box": "BOX",
    "area": "BOX",  # OpenCV's name for it
    "lanczos": "LANCZOS",
    "hamming": "HAMMING",
}


def filter_named(interpolation: str) -> Any:
    """Pillow's filter of this name. KeyError naming them all otherwise."""
    from PIL import Image

    if interpolation not in _FILTERS:
        raise KeyError(message("interpolation", repr(interpolation), f"one of {', '.join(_FILTERS)}"))
    return Image.Resampling[_FILTERS[interpolation]]


def through_pillow(array: NDArray[Any], work: Callable[[Any, Any], Any], fill: Any = 0) -> NDArray[Any]:
    """``work(plane, fill)`` on each plane of [H, W] or [H, W, C]; the result has the same dtype and number of axes.

    A plane of uint8 is a Pillow image of mode L. Other dtypes pass through mode F, which is float32: whole numbers are
    rounded on the way back, float64 loses its last digits.
    """
    from PIL import Image

    planes = array[:, :, None] if array.ndim == 2 else array
    exact = array.dtype == np.uint8
    fills = np.broadcast_to(np.ravel(0 if fill is None else fill), planes.shape[2])
    done = []
    for channel in range(planes.shape[2]):
        plane = np.ascontiguousarray(planes[:, :, channel], np.uint8 if exact else np.float32)
        value = int(fills[channel]) if exact else float(fills[channel])
        done.append(np.asarray(work(Image.fromarray(plane), value)))
    result = np.stack(done, axis=2)
    if array.dtype.kind in "iub" and not exact:
        result = np.rint(result)
    result = result.astype(array.dtype)
    return result[:, :, 0] if array.ndim == 2 else result
