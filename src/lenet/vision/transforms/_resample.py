"""Resizing arrays as Paddle resizes Tensors: by formula, without smoothing, half a pixel off the corners.

Each axis is resized by a small matrix [out, in] whose rows hold the weights of the pixels that make one new pixel.
Read by ``functional`` alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet.messages.check import message

__all__ = ["resize_last_axes"]

_CUBIC = -0.75  # the slope at 1 of the cubic that Paddle and PyTorch use; Pillow takes -0.5


def resize_last_axes(array: NDArray[np.generic], size: tuple[int, int], how: str) -> NDArray[np.generic]:
    """``array`` [..., H, W] resized to ``size`` (height, width). KeyError for an unknown ``how``."""
    rows = _weights(array.shape[-2], size[0], how)
    columns = _weights(array.shape[-1], size[1], how)
    result: NDArray[np.float64] = rows @ array.astype(np.float64) @ columns.T
    return (np.rint(result) if array.dtype.kind in "iu" else result).astype(array.dtype)


def _weights(old: int, new: int, how: str) -> NDArray[np.float64]:
    """The matrix [new, old] of one axis."""
    matrix = np.zeros((new, old))
    at = np.arange(new)
    if how == "nearest":
        matrix[at, (at * (old / new)).astype(int).clip(0, old - 1)] = 1
        return matrix
    if how == "area":
        for i in at:
            first, last = i * old // new, -(-(i + 1) * old // new)
            matrix[i, first:last] = 1 / (last - first)
        return matrix
    place = (at + 0.5) * (old / new) - 0.5
    taps: tuple[int, ...]
    if how == "bilinear":
        place = place.clip(0)  # left of the first pixel's middle there is only that pixel
        taps, kernel = (0, 1), _linear
    elif how == "bicubic":
        taps, kernel = (-1, 0, 1, 2), _cubic
    else:
        raise KeyError(message("interpolation", repr(how), "nearest, bilinear, bicubic or area for a Tensor"))
    base = np.floor(place).astype(int)
    for tap in taps:
        np.add.at(matrix, (at, (base + tap).clip(0, old - 1)), kernel(place - base - tap))
    return matrix


def _linear(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """A triangle two pixels wide."""
    return 1 - np.abs(distance)


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic convolution kernel (1981)."""
    x = np.abs(distance)
    near = ((_CUBIC + 2) * x - (_CUBIC + 3)) * x * x + 1
    far = ((_CUBIC * x - 5 * _CUBIC) * x + 8 * _CUBIC) * x - 4 * _CUBIC
    return np.where(x <= 1, near, far)
