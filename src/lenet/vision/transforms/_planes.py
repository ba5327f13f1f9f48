"""Work on images that are plain numpy arrays [H, W] or [H, W, C], and what Pillow must be told to do the same.

Padding, cropping and grey are numpy; resampling goes through Pillow, one plane at a time, whatever the dtype. It knows
neither Tensors nor transforms. Read by ``functional`` alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from lenet.messages.check import message

__all__ = [
    "GREY",
    "crop_array",
    "fill_for",
    "filter_named",
    "grey_array",
    "inverse_affine",
    "pad_array",
    "through_pillow",
]

GREY = (0.2989, 0.587, 0.114)  # Paddle's weights of red, green, blue; Pillow has its own for uint8

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


def pad_array(array: NDArray[Any], sides: tuple[int, int, int, int], fill: Any, mode: str) -> NDArray[Any]:
    """``array`` [H, W] or [H, W, C] with a border."""
    left, top, right, bottom = sides
    widths = [(top, bottom), (left, right), (0, 0)][: array.ndim]
    if mode != "constant":
        return np.pad(array, widths, cast(Any, mode))
    fills = np.ravel(fill)
    if array.ndim == 2 or fills.size == 1:
        return np.pad(array, widths, constant_values=fills[0])
    planes = [np.pad(array[..., c], widths[:2], constant_values=fills[c]) for c in range(array.shape[2])]
    return np.stack(planes, axis=2)


def crop_array(array: NDArray[Any], top: int, left: int, height: int, width: int) -> NDArray[Any]:
    """``array`` [H, W] or [H, W, C] seen through a window that may overhang."""
    seen = np.zeros((height, width, *array.shape[2:]), array.dtype)
    rows = range(max(0, top), min(array.shape[0], top + height))
    columns = range(max(0, left), min(array.shape[1], left + width))
    if rows and columns:
        seen[rows[0] - top : rows[-1] - top + 1, columns[0] - left : columns[-1] - left + 1] = array[
            rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1
        ]
    return seen


def grey_array(array: NDArray[Any]) -> NDArray[Any]:
    """[H, W] or [H, W, C] as [H, W, 1]; three channels are red, green, blue."""
    if array.ndim == 2:
        return array[:, :, None]
    if array.shape[2] != 3:
        return array[:, :, :1]
    if array.dtype == np.uint8:
        from PIL import Image

        return np.array(Image.fromarray(np.ascontiguousarray(array)).convert("L"))[:, :, None]
    grey: NDArray[Any] = (array @ np.array(GREY)).astype(array.dtype)
    return grey[:, :, None]


def fill_for(fill: Any, bands: int) -> Any:
    """``fill`` as Pillow wants it for an image of so many bands: one number, or one a band."""
    if fill is None or isinstance(fill, str):
        return fill
    values = list(np.ravel(fill).tolist())
    if len(values) == 1:
        values *= bands
    if len(values) != bands:
        raise ValueError(message("fill", f"{len(values)} numbers", f"one, or {bands} for this image"))
    return values[0] if bands == 1 else tuple(values)


def inverse_affine(
    center: tuple[float, float],
    angle: float,
    move: tuple[float, float],
    scale: float,
    shear: tuple[float, float],
) -> list[float]:
    """The six numbers that take a point of the result to the image: the inverse of move · centre · R · shear · scale.

    R · shear = [[a, b], [c, d]] has determinant 1, so its inverse is [[d, -b], [-c, a]]. The order of operations is
    Paddle's, because a rounding decides which pixel ``nearest`` takes.
    """
    turn, slant_x, slant_y = (math.radians(degrees) for degrees in (angle, *shear))
    a = math.cos(turn - slant_y) / math.cos(slant_y)
    b = -math.cos(turn - slant_y) * math.tan(slant_x) / math.cos(slant_y) - math.sin(turn)
    c = math.sin(turn - slant_y) / math.cos(slant_y)
    d = -math.sin(turn - slant_y) * math.tan(slant_x) / math.cos(slant_y) + math.cos(turn)
    xx, xy, yx, yy = d / scale, -b / scale, -c / scale, a / scale
    back_x, back_y = -center[0] - move[0], -center[1] - move[1]
    return [xx, xy, (xx * back_x + xy * back_y) + center[0], yx, yy, (yx * back_x + yy * back_y) + center[1]]
