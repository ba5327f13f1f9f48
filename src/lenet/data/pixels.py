"""How much memory a Pillow image takes while it is decoded: known from its head, before a pixel is.

A file of some kilobytes may hold a hundred million pixels of one colour, and each decoder needs its own multiple of them.
Read by whatever opens images that nobody vouches for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["weighed"]

_USUAL = 3.0  # bytes a pixel that a limit in pixels means
_NARROW = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}  # bytes of a pixel; other modes: 4

# Of decoders that hold more than the image itself: bytes a pixel in all, as measured with the versions that are tested.
_DECODER = {"WEBP": 15, "AVIF": 9, "JPEG2000": 18, "HEIF": 9}


def weighed(picture: Image, beside: float = 0.0) -> int:
    """An opened image's pixels, each counted for as many as it takes more memory than one of 8-bit colour.

    beside: bytes a pixel that whoever asks will need in addition.
    """
    return int(picture.width * picture.height * max(1.0, (_bytes_a_pixel(picture) + beside) / _USUAL))


def _bytes_a_pixel(picture: Image) -> float:
    kind, own = str(picture.format), float(_NARROW.get(picture.mode, 4))
    if kind in ("JPEG", "MPO"):
        # draft() leaves pixels out, but a progressive file's coefficients, of two bytes, are all there at once
        return 2.0 * len(picture.getbands()) if "progressive" in picture.info else 1.0
    if kind == "GIF" or (kind == "PNG" and getattr(picture, "is_animated", False)):
        return 3 * own  # a frame, what it is laid on, and what was there before
    if kind == "TIFF":
        return own + _strip(picture)
    return max(own, float(_DECODER.get(kind, 0)))


def _strip(picture: Image) -> float:
    """Bytes a pixel of the whole that a TIFF's decoder holds of it at once: a compressed strip, which may be all of it."""
    tags = getattr(picture, "tag_v2", {})
    if tags.get(259, 1) == 1:
        return 0.0
    bits, rows = tags.get(258, (8,)), tags.get(323, tags.get(278, picture.height))
    depth = max(bits) if isinstance(bits, tuple) and bits else 8
    share = min(1.0, rows / picture.height) if isinstance(rows, int) and rows > 0 else 1.0
    return share * len(picture.getbands()) * depth / 8
