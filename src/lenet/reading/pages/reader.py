"""A page's digits as the page network finds them, put into rows: what was found claims the ink it lies on, the rest is signs.

Where a digit stands, and that it is one, the page network says; which one it is, it says together with the network that sees
the ink alone. Shapes that nothing claims are asked for signs only. Read by ``_read``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from lenet.reading.pages.believe import believed
from lenet.reading.pages.claim import claim
from lenet.reading.pages.finder import Spot
from lenet.reading.shapes.form import NO_DIGIT, digit_forms
from lenet.reading.shapes.glyphs import Glyph
from lenet.reading.shapes.lines import Row, find_rows, separator
from lenet.reading.shapes.shape import Shape

__all__ = ["recognise_spots"]

SMALL, AROUND = 0.55, 1.5  # heights: shapes that may be signs are lower, and their middles so close to that of a digit
INK = 0.75  # the weight of what the ink alone says, beside that of the page network

Floats = NDArray[np.float32]
Read = Callable[[NDArray[np.uint8]], Floats]


def recognise_spots(
    spots: Sequence[Spot],
    shapes: Sequence[Shape],
    read: Read,
    only: str | None = None,
    rules: NDArray[np.uint8] | None = None,
) -> tuple[list[Row], list[list[Glyph]]]:
    """Rows of digits and signs, and the glyphs of each. spots: what may be digits, surest first.

    shapes: of the page's ink; rules: uint8 [h, w], what was taken out of it. read: uint8 [N, 28, 28]
    to float32 [N, 11]. only: "printed" or "handwritten" digits.
    """
    spots = [
        spot for spot in believed(spots, shapes, read, rules) if only is None or spot.is_printed == (only == "printed")
    ]
    bodies, claimed = claim(spots, shapes)
    left = [shape for shape, taken in zip(shapes, claimed, strict=True) if not taken]
    forms = digit_forms([shape.level for shape in bodies])
    answers = _together(spots, bodies, read(forms))
    found = {
        id(shape): Glyph(shape, "", p, form, spot.is_printed)
        for spot, shape, p, form in zip(spots, bodies, answers, forms, strict=True)
    }
    rows, glyphs = [], []
    for row in find_rows([*bodies, *_near(spots, left)]):
        some: list[Glyph] = []
        for shape in row.shapes:
            if id(shape) in found:
                some.append(found[id(shape)])
            elif row.bodies and (sign := separator(shape, row)):
                some.append(Glyph(shape, sign))
        if any(not glyph.sign for glyph in some):
            rows.append(Row([glyph.shape for glyph in some], row.height, row.bodies))
            glyphs.append(some)
    return rows, glyphs


def _near(spots: Sequence[Spot], shapes: Sequence[Shape]) -> list[Shape]:
    """Of shapes those that may be signs: small ones close to a digit."""
    if not spots or not shapes:
        return []
    x, y, high = np.array([(spot.x, spot.y, spot.height) for spot in spots]).T
    x0, y0, x1, y1 = np.array([shape.box for shape in shapes], np.float64).T[..., None]
    near = (np.abs((x0 + x1) / 2 - x) < AROUND * high) & (np.abs((y0 + y1) / 2 - y) < AROUND * high)
    small = (near & (y1 - y0 < SMALL * high) & (x1 - x0 < high)).any(axis=1)
    return [shape for shape, one in zip(shapes, small.tolist(), strict=True) if one]


def _together(spots: Sequence[Spot], bodies: Sequence[Shape], ink: Floats) -> Floats:
    """What both networks say of each digit: of ten digits and of none, float32 [n, 11]."""
    if not spots:
        return np.zeros((0, NO_DIGIT + 1), np.float32)
    seen = np.stack([spot.written + spot.printed for spot in spots])
    alone = np.where([[shape.area > 0] for shape in bodies], ink[:, :NO_DIGIT], 1.0)
    both = np.log(np.maximum(seen, 1e-6)) + INK * np.log(np.maximum(alone, 1e-6))
    both = np.exp(both - both.max(axis=1, keepdims=True))
    sure = np.clip([[spot.sureness] for spot in spots], 0, 1 - 1e-6)
    return np.concatenate([both / both.sum(axis=1, keepdims=True) * sure, 1 - sure], axis=1).astype(np.float32)
