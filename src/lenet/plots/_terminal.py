"""An image as text: two pixels a character cell, in 24-bit greys or in shades that need no colour.

It writes nothing and asks nothing of the terminal: the caller says what it can do. Read by users and ``lenet show``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.messages.check import positive_int
from lenet.plots._images import planes

__all__ = ["terminal"]

_SHADES = " ░▒▓█"
_ASCII_SHADES = " .:-=+*#%@"


def terminal(image: NDArray[np.uint8], *, width: int = 80, colour: bool = True, ascii_only: bool = False) -> str:
    """One image as lines of text, light on dark as it is stored; each character stands for two pixels, one on the other.

    image: uint8 [H, W], [1, H, W] or [3, H, W]; coloured ones become grey. width: of the terminal, in characters; a
    wider image is made smaller by whole factors. colour: whether the terminal knows 24-bit colours; without, five shades
    of block characters, or with ``ascii_only`` ten of ASCII. TypeError or ValueError for anything but an image.
    """
    grey = _fitted(planes(image[None] if isinstance(image, np.ndarray) else image)[0], positive_int("width", width))
    if len(grey) % 2:
        grey = np.concatenate([grey, np.zeros_like(grey[:1])])
    upper, lower = grey[0::2], grey[1::2]
    if colour:
        return "\n".join(_coloured(*rows) for rows in zip(upper, lower, strict=True))
    shades = _ASCII_SHADES if ascii_only else _SHADES
    level = np.rint((upper + lower) / 2 / 255 * (len(shades) - 1)).astype(int)
    return "\n".join("".join(shades[value] for value in row) for row in level)


def _fitted(plane: NDArray[np.uint8], width: int) -> NDArray[np.float64]:
    """The plane in grey, float64 of 0 to 255, no wider than ``width``: means over whole blocks of pixels."""
    grey = plane.astype(np.float64) if plane.ndim == 2 else plane @ np.array([0.299, 0.587, 0.114])
    by = -(-grey.shape[1] // width)
    if by == 1:
        return grey
    padded = np.pad(grey, [(0, -size % by) for size in grey.shape], mode="edge")
    found: NDArray[np.float64] = padded.reshape(len(padded) // by, by, -1, by).mean(axis=(1, 3))
    return found


def _coloured(upper: NDArray[Any], lower: NDArray[Any]) -> str:
    """A line of upper half blocks: the upper pixel is the ink, the lower one the ground. A code only where it changes."""
    text, before = [], None
    for high, low in zip(upper.round().astype(int), lower.round().astype(int), strict=True):
        if (high, low) != before:
            text.append(f"\x1b[38;2;{high};{high};{high};48;2;{low};{low};{low}m")
            before = (high, low)
        text.append("▀")
    return "".join(text) + "\x1b[0m"
