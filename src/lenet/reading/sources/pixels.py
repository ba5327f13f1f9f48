"""Pixels of any kind, as an array or a Pillow image, to 8-bit colour: uint8 [H, W, 3].

What is deeper than 8 bits is scaled by the range that it really uses; what is transparent is laid on white or black. It
opens no files: ``source`` does. Read by ``source``, and by what draws on pages for its check of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lenet.messages.check import describe, message

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["check_colours", "picture_of", "rgb_of", "to_eight_bits"]

_LEAST_RANGE = 1 / 4  # of the full range; an image that uses less is stretched
_MOST_GAIN = 16  # by no more than this: what is left of a blank page is its noise
_OPAQUE = 128  # alpha from which a pixel counts as there
_CONTRAST = 64  # grey levels between what is dark and what is light on one sheet

_SHAPES = "[height, width], or [height, width, channels] with 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) channels"


def check_colours(what: str, rgb: object) -> None:
    """ValueError unless ``rgb`` is a page's colours, uint8 [H, W, 3] with at least one pixel. what: who asks."""
    if not isinstance(rgb, np.ndarray) or rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
        raise ValueError(message(what, describe(rgb), "a page's colours, uint8 [height, width, 3]"))


def to_eight_bits(values: NDArray[Any], low: int | None = None, high: int | None = None) -> NDArray[np.uint8]:
    """Whole numbers of 0 … 65535 of any shape to 0 … 255, by the range that they use, or that of the whole: low to high.

    The full range is the least of 8, 10, 12, 14 or 16 bits that holds the largest value. An image that uses less than a
    quarter of it is stretched up to 16-fold, so that black stays black and white stays white.
    """
    low = int(values.min()) if low is None else low
    high = int(values.max()) if high is None else high
    full = next(2**bits - 1 for bits in (8, 10, 12, 14, 16) if high < 2**bits)
    used = (high - low) / full
    gain = min(_MOST_GAIN, 1 / used) if 0 < used < _LEAST_RANGE else 1.0
    foot = low / full * (1 - gain * used) / (1 - used) if gain > 1 else low / full  # where the darkest value goes
    table = foot + gain * (np.arange(low, high + 1) - low) / full
    eight: NDArray[np.uint8] = np.rint(255 * np.clip(table, 0, 1)).astype(np.uint8)
    return eight[values - low] if low else eight[values]


def picture_of(array: NDArray[Any], what: str = "image") -> Image:
    """An array as a Pillow image of 8 bits: L, LA, RGB or RGBA. ``what`` names it in errors.

    bool; whole numbers of 0 … 255 or 0 … 65535; floats of 0 … 1 or, if any is above 1, 0 … 255. TypeError for another
    kind; ValueError for another shape, for values out of range, for NaN and infinity.
    """
    from PIL import Image

    pixels = _channels_last(array, what)
    alpha = None
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        pixels, alpha = pixels[..., :-1], pixels[..., -1]
    eight = _eight(pixels, what)
    if eight.ndim == 3 and eight.shape[2] == 1:
        eight = eight[..., 0]
    picture = Image.fromarray(np.ascontiguousarray(eight))
    if alpha is not None:
        picture.putalpha(Image.fromarray(np.ascontiguousarray(_alpha(alpha, what))))
    return picture


def rgb_of(picture: Image) -> NDArray[np.uint8]:
    """A loaded Pillow image of 8 bits or less, in whatever mode, as colours: uint8 [H, W, 3].

    Where it is transparent it lies on white or on black: on that from which its opaque part stands out if this is ink,
    on that which goes with it if this is a sheet with ink on it.
    """
    from PIL import Image

    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        alpha = picture.getchannel("A")
        if alpha.getextrema()[0] != 255:
            ground = Image.new("RGB", picture.size, _ground(picture))
            ground.paste(picture.convert("RGB"), mask=alpha)
            picture = ground
    return np.asarray(picture if picture.mode == "RGB" else picture.convert("RGB"))


def _ground(picture: Image) -> tuple[int, int, int]:
    """White or black, to lay an RGBA image on."""
    step = max(1, min(picture.size) // 512)
    some = np.asarray(picture)[::step, ::step].reshape(-1, 4)
    there = some[some[:, 3] >= _OPAQUE]
    if not len(there):
        there = some
    grey = there[:, :3] @ np.array([0.299, 0.587, 0.114])
    dark, middle, light = np.percentile(grey, [2, 50, 98])
    is_sheet = 2 * len(there) > len(some) and light - dark >= _CONTRAST
    white = (middle >= 128) == is_sheet
    return (255, 255, 255) if white else (0, 0, 0)


def _channels_last(array: NDArray[Any], what: str) -> NDArray[Any]:
    shape = array.shape
    if array.ndim == 2 or (array.ndim == 3 and 1 <= shape[2] <= 4):
        if array.size:
            return array
        raise ValueError(message(what, f"an array of shape {list(shape)}, without pixels", "at least one pixel"))
    fix = ""
    if array.ndim == 3 and 1 <= shape[0] <= 4:
        fix = "Type image.transpose(1, 2, 0)"
    elif array.ndim == 4:
        fix = "Read one image after the other: image[0]"
    raise ValueError(message(what, describe(array), f"an array of shape {_SHAPES}", fix))


def _eight(pixels: NDArray[Any], what: str) -> NDArray[np.uint8]:
    """Pixel values without alpha to uint8 of the same shape."""
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype.kind in "ui":
        low, high = int(pixels.min()), int(pixels.max())
        if low < 0 or high > 65535:
            expected = "0 to 255, or 0 to 65535"
            raise ValueError(message(what, f"{pixels.dtype.name} values from {low} to {high}", expected))
        if pixels.dtype == np.uint16:
            return to_eight_bits(pixels)
        return pixels.astype(np.uint8) if high < 256 else to_eight_bits(pixels.astype(np.uint16))
    if pixels.dtype.kind != "f":
        raise TypeError(message(what, describe(pixels), "numbers: uint8, uint16, or float of 0 to 1"))
    bad = int(pixels.size - np.isfinite(pixels).sum())
    if bad:
        raise ValueError(message(what, f"NaN or infinity in {bad:,} of {pixels.size:,} values", "finite numbers"))
    least, most = float(pixels.min()), float(pixels.max())
    if least < -1e-6 or most > 255 + 1e-6:
        fix = "Type (image - image.min()) / (image.max() - image.min())"
        raise ValueError(message(what, f"float values from {least:g} to {most:g}", "0 to 1 (or 0 to 255)", fix))
    return np.rint(np.clip(pixels * (255 if most <= 1 + 1e-6 else 1), 0, 255)).astype(np.uint8)


def _alpha(alpha: NDArray[Any], what: str) -> NDArray[np.uint8]:
    """Alpha keeps its own scale: full is opaque, whatever range the picture uses."""
    if alpha.dtype == np.uint16:
        return (alpha >> 8).astype(np.uint8)
    return _eight(alpha, what)
