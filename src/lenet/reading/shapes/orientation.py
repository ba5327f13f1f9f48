"""Which way up a page lies: as its camera or scanner said, on its side, or on its head.

Digits turned by a quarter look like none to the network, and so do most of those on their head. It knows no rows: a sample of
the page's shapes is enough. Read by ``_read``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lenet.reading.ink.find import Ink
from lenet.reading.shapes.form import NO_DIGIT, digit_forms
from lenet.reading.shapes.shape import Shape, find_shapes, typical_height

__all__ = ["candidate_turns", "confidence"]

Read = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

SAMPLE = 120  # shapes looked at
LEAST = 5  # shapes that tell anything
WIDEST = 0.12  # of the page: larger shapes are looked at only where there are few smaller ones
SIZES = 0.45, 2.0  # of the typical size: what is smaller or larger is no digit
SLENDER = 0.3  # width over length: a 1 is a dash on its side, and says nothing
UPRIGHT = 0.7  # of what all shapes could say: a page that says so much as it lies isn't turned
CLEAR, HEAD = (
    0.28,
    0.55,
)  # the same, that it must say when turned by a quarter, and by two: letters on their head are like digits
MARGIN = 2.0, 1.8  # shapes, and so many times as many, of which it must be surer than as it lies
CLOSE = 0.75  # of the best: a way up that says so much may be the right one


def candidate_turns(ink: Ink, read: Read) -> list[int]:
    """By how many quarters counter-clockwise a page's ink may have to be turned, the likeliest first: [0] for most.

    read: uint8 [N, 28, 28] to float32 [N, 11]. Several where a sample can't tell: of those reading all of it decides.
    """
    levels = [shape.level for shape in _sample(find_shapes(ink.level, ink.mask, ink.stroke), max(ink.mask.shape))]
    if len(levels) < LEAST:
        return [0]
    most = len(levels)
    said = [_said(levels, read)]
    if said[0] >= UPRIGHT * most:
        return [0]
    said += [_said([np.ascontiguousarray(np.rot90(level, k)) for level in levels], read) for k in (1, 2, 3)]
    more = max(said[0] + MARGIN[0], MARGIN[1] * said[0])
    clear = [k for k in (1, 2, 3) if said[k] >= max((HEAD if k == 2 else CLEAR) * most, more)]
    if not clear:
        return [0]
    best = max(said[k] for k in clear)
    return sorted((k for k in clear if said[k] >= CLOSE * best), key=lambda k: -said[k])


def _sample(shapes: list[Shape], longest: int) -> list[Shape]:
    """Shapes about as large as most and not slender, evenly over a page so many pixels long."""
    usual = [shape for shape in shapes if max(shape.width, shape.height) <= WIDEST * longest]
    shapes = usual if len(usual) >= LEAST else shapes
    low, high = (share * typical_height(shapes) for share in SIZES)
    sizes = [(max(shape.width, shape.height), min(shape.width, shape.height)) for shape in shapes]
    fit = [s for s, (long, wide) in zip(shapes, sizes, strict=True) if low <= long <= high and wide > SLENDER * long]
    return fit[:: -(-len(fit) // SAMPLE) or 1]


def confidence(answers: NDArray[np.float32]) -> float:
    """How surely shapes, float32 [n, 11] each, are each one particular digit: 0 to n. On its side hardly any is."""
    return float((answers[:, :NO_DIGIT].astype(np.float64).max(axis=1, initial=0.0) ** 4).sum())


def _said(levels: list[NDArray[np.uint8]], read: Read) -> float:
    """How surely shapes are digits as they lie."""
    return confidence(read(digit_forms(levels)))
