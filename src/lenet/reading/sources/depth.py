"""Decoded images of any depth and mode to 8 bits a channel, and smaller, in as little memory as that takes.

What is deeper than 8 bits is scaled by the range that the whole image uses. Read by ``decode``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lenet.reading.sources.pixels import to_eight_bits

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["eight_bits", "is_dim", "low_bytes", "smaller"]

_STRIP = 256  # rows of a page made smaller that are made at once
_DIM = 64  # where the high bytes of 16-bit colours stay below this, the low bytes matter


def smaller(picture: Image, factor: int) -> Image:
    """The image with 1/factor of its width and height."""
    return picture.reduce(factor) if factor > 1 else picture


def eight_bits(picture: Image, factor: int) -> Image:
    """The loaded image with 8 bits a channel, smaller by ``factor``."""
    if picture.mode not in ("I", "F") and not picture.mode.startswith("I;16"):
        return _by_strips(picture, factor, _plain_mode)
    extrema: Any = picture.getextrema()
    low, high = extrema
    return _by_strips(picture, factor, lambda strip: _from_array(_in_range(np.asarray(strip), low, high)))


def _plain_mode(picture: Image) -> Image:
    if picture.mode == "1":
        return picture.convert("L")
    if picture.mode in ("P", "PA"):
        return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    return picture


def _by_strips(picture: Image, factor: int, convert: Callable[[Image], Image]) -> Image:
    """``convert``, then smaller by ``factor``: of a large image a strip at a time, so that it is never there twice."""
    if factor == 1:
        return convert(picture)
    from PIL import Image

    whole, step = None, _STRIP * factor
    for top in range(0, picture.height, step):
        strip = picture.crop((0, top, picture.width, min(top + step, picture.height)))
        strip = convert(strip).reduce(factor)
        if whole is None:
            whole = Image.new(strip.mode, (strip.width, -(-picture.height // factor)))
            whole.info = picture.info if strip.mode == picture.mode else {}
        whole.paste(strip, (0, top // factor))
    assert whole is not None  # no image is without rows
    return whole


def _from_array(values: NDArray[np.uint8]) -> Image:
    from PIL import Image

    return Image.fromarray(values)


def is_dim(picture: Image) -> bool:
    """Whether the high bytes, which Pillow keeps of 16-bit colours, hold next to nothing."""
    ranges: Any = picture.getextrema()
    return len(picture.getbands()) > 1 and max(high for _, high in ranges[:3]) < _DIM


def low_bytes(file: IO[bytes], number: int, factor: int) -> Image | None:
    """The page with 16 bits a channel, scaled to 8 by its range; None if OpenCV sees no such page."""
    import cv2

    file.seek(0)
    pages: Any = cv2.imdecodemulti(
        np.frombuffer(file.read(), np.uint8), cv2.IMREAD_UNCHANGED, range=(number - 1, number)
    )
    if len(pages[1]) != 1 or pages[1][0].dtype != np.uint16 or pages[1][0].ndim != 3:
        return None
    blue_first: Any = pages[1][0]
    colours = blue_first[..., :3]
    low, high = int(colours.min()), int(colours.max())
    step = _STRIP * factor
    strips = []
    for top in range(0, len(blue_first), step):
        strip = blue_first[top : top + step]
        eight = to_eight_bits(strip[..., [2, 1, 0]], low, high)
        if strip.shape[2] == 4:
            eight = np.concatenate([eight, (strip[..., 3:] >> 8).astype(np.uint8)], axis=2)
        strips.append(np.asarray(smaller(_from_array(eight), factor)))
    return _from_array(np.concatenate(strips))


def _in_range(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Some of a file's deep values as 8 bits, by the lowest and the highest of all.

    Of 16 bits, and whole numbers that fit into them, by the range that they use; others are taken as 0 to 1 or 0 to 255
    where all are, else from the lowest to the highest.
    """
    if not (np.isfinite(low) and np.isfinite(high) and np.isfinite(values).all()):
        raise ValueError("it holds NaN or infinity")
    if values.dtype.kind in "iu" and low >= 0 and high <= 65535:
        if values.dtype.itemsize > 2 and high < 256:
            return values.astype(np.uint8)
        return to_eight_bits(values.astype(np.uint16, copy=False), int(low), int(high))
    if values.dtype.kind == "f" and low >= 0 and high <= 255:
        return np.rint(values * (255 if high <= 1 + 1e-6 else 1)).clip(0, 255).astype(np.uint8)
    share = (values.astype(np.float64) - low) / (high - low if high > low else 1)
    return np.rint(255 * share).astype(np.uint8)
