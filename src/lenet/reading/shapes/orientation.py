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

__all__ = ["quarter_turns"]

Read = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

SAMPLE = 120  # shapes looked at
LEAST = 5  # shapes that tell anything
SIZES = 0.45, 2.0  # of the typical size: what is smaller or larger is no digit
SLENDER = 0.3  # width over length: a 1 is a dash on its side, and says nothing
FIRM = 3.0  # log odds that a single shape counts at most
UPRIGHT = 0.5  # of what all shapes could say: a page that says so much as it lies isn't turned
CLEAR = 0.3  # the same, that it must say when turned
MARGIN = 6.0, 1.35  # log odds, and so many times as much, by which it must say more than as it lies


def quarter_turns(ink: Ink, read: Read) -> int:
    """By how many quarters counter-clockwise a page's ink is to be turned: 0 to 3. read: uint8 [N, 28, 28] to float32 [N, 11]."""
    levels = [shape.level for shape in _sample(find_shapes(ink.level, ink.mask, ink.stroke))]
    if len(levels) < LEAST:
        return 0
    most = FIRM * len(levels)
    said = [_said(levels, read)]
    if said[0] >= UPRIGHT * most:
        return 0
    said += [_said([np.ascontiguousarray(np.rot90(level, k)) for level in levels], read) for k in (1, 2, 3)]
    best = int(np.argmax(said))
    is_clear = said[best] >= max(CLEAR * most, said[0] + MARGIN[0], MARGIN[1] * said[0])
    return best if is_clear else 0


def _sample(shapes: list[Shape]) -> list[Shape]:
    """Shapes about as large as most and not slender, evenly over the page."""
    size = typical_height([shape for shape in shapes if max(shape.width, shape.height) < 4 * typical_height(shapes)])
    low, high = (share * size for share in SIZES)
    fit = [
        s
        for s in shapes
        if low <= max(s.width, s.height) <= high and min(s.width, s.height) > SLENDER * max(s.width, s.height)
    ]
    return fit[:: -(-len(fit) // SAMPLE) or 1]


def _said(levels: list[NDArray[np.uint8]], read: Read) -> float:
    """How much shapes look like digits as they lie: their log odds, each at most FIRM and none below 0, added up."""
    answers = read(digit_forms(levels))
    none = np.clip(answers[:, NO_DIGIT].astype(np.float64), 1e-6, 1 - 1e-6)
    return float(np.clip(np.log(1 - none) - np.log(none), 0, FIRM).sum())
