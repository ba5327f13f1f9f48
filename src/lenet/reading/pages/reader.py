"""A page's digits as the page network finds them, put into rows: what was found claims the ink it lies on, the rest is signs.

Where a digit stands, and that it is one, the page network says; which one it is, it says together with the network that sees
the ink alone. Shapes that nothing claims are asked for signs only. Read by ``_read``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from lenet.reading.pages.finder import Spot
from lenet.reading.shapes.form import NO_DIGIT, digit_forms
from lenet.reading.shapes.glyphs import Glyph
from lenet.reading.shapes.lines import Row, find_rows, separator
from lenet.reading.shapes.shape import MARGIN, Shape, union

__all__ = ["recognise_spots"]

WIDE, HIGH = 0.62, 0.66  # heights from a digit's middle to its sides, and to its top and foot, at most
LARGE = 1.5  # heights: a larger shape is more than a digit, and only its part about the middle is one
EDGE = 96  # from this level on a pixel is ink
SMALL = 0.55  # of the height of digits: shapes that may be signs are lower
INK = 0.75  # the weight of what the ink alone says, beside that of the page network
BARE = 0.995  # so sure must it be of a digit where no ink was found
LOWEST = 0.35  # heights: lower ink is no digit's, but what is left of one

Floats = NDArray[np.float32]
Read = Callable[[NDArray[np.uint8]], Floats]


def recognise_spots(spots: Sequence[Spot], shapes: Sequence[Shape], read: Read) -> tuple[list[Row], list[list[Glyph]]]:
    """Rows of digits and signs, and the glyphs of each. shapes: of the page's ink. read: uint8 [N, 28, 28] to float32 [N, 11]."""
    boxes = np.array([shape.box for shape in shapes], np.float64).reshape(-1, 4)
    claimed = np.zeros(len(shapes), bool)
    places = np.array([(spot.x, spot.y) for spot in spots], np.float64).reshape(-1, 2)
    bodies = [_claim(spot, shapes, boxes, claimed, places) for spot in spots]
    height = float(np.median([spot.height for spot in spots])) if spots else 0.0
    kept = [k for k, (spot, shape) in enumerate(zip(spots, bodies, strict=True)) if shape.area or spot.sureness >= BARE]
    spots, bodies = [spots[k] for k in kept], [bodies[k] for k in kept]
    left = [shape for shape, taken in zip(shapes, claimed, strict=True) if not taken]
    small = [shape for shape in left if shape.height < SMALL * height and shape.width < height]
    forms = digit_forms([shape.level for shape in bodies])
    answers = _together(spots, bodies, read(forms))
    found = {
        id(shape): Glyph(shape, "", p, form, spot.is_printed)
        for spot, shape, p, form in zip(spots, bodies, answers, forms, strict=True)
    }
    rows, glyphs = [], []
    for row in find_rows([*bodies, *small]):
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


def _claim(
    spot: Spot,
    shapes: Sequence[Shape],
    boxes: NDArray[np.float64],
    claimed: NDArray[np.bool_],
    places: NDArray[np.float64],
) -> Shape:
    """The ink of a digit, as one shape; a box of its size where there is none."""
    high = spot.height
    beside = places[np.abs(places[:, 1] - spot.y) < 0.5 * high, 0] - spot.x
    left = max(-WIDE * high, 0.55 * beside[beside < -0.2 * high].max(initial=-np.inf))
    right = min(WIDE * high, 0.55 * beside[beside > 0.2 * high].min(initial=np.inf))
    x0, y0, x1, y1 = spot.x + left, spot.y - HIGH * high, spot.x + right, spot.y + HIGH * high
    near = (boxes[:, 0] < x1) & (boxes[:, 2] > x0) & (boxes[:, 1] < y1) & (boxes[:, 3] > y0)
    parts: list[Shape] = []
    for k in np.flatnonzero(near).tolist():
        shape = shapes[k]
        mx, my = shape.middle
        inside = x0 <= mx <= x1 and y0 <= my <= y1
        if inside and shape.height <= LARGE * high and shape.width <= LARGE * high:
            if claimed[k]:
                continue
            if shape.height < 0.3 * high and my > spot.y + 0.3 * high and shape.width < 0.3 * high:
                continue  # a point or a comma
            claimed[k] = True
            parts.append(shape)
        elif shape.height > LARGE * high or shape.width > LARGE * high:
            piece = _part(shape, x0, y0, x1, y1)
            if piece is not None and piece.area > 0.02 * high * high:
                parts.append(piece)
    if parts:
        whole = union(parts)
        if whole.height >= LOWEST * high:
            return whole
    a, b, c, d = (
        round(spot.x - 0.3 * high),
        round(spot.y - 0.5 * high),
        round(spot.x + 0.3 * high),
        round(spot.y + 0.5 * high),
    )
    box = max(a, 0), max(b, 0), max(c, 1), max(d, 1)
    return Shape(box, np.zeros((box[3] - box[1] + 2 * MARGIN, box[2] - box[0] + 2 * MARGIN), np.uint8), 0)


def _part(shape: Shape, x0: float, y0: float, x1: float, y1: float) -> Shape | None:
    """What of a shape lies in a box: None where it has no ink there."""
    a, b = max(int(x0), shape.box[0]), max(int(y0), shape.box[1])
    c, d = min(int(x1) + 1, shape.box[2]), min(int(y1) + 1, shape.box[3])
    if c <= a or d <= b:
        return None
    left, top = shape.box[:2]
    level = shape.level[b - top : d - top + 2 * MARGIN, a - left : c - left + 2 * MARGIN].copy()
    inner = level[MARGIN:-MARGIN, MARGIN:-MARGIN] >= EDGE
    rows, columns = np.flatnonzero(inner.any(axis=1)), np.flatnonzero(inner.any(axis=0))
    if not len(rows):
        return None
    r0, r1, c0, c1 = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    crop = np.zeros((r1 - r0 + 2 * MARGIN, c1 - c0 + 2 * MARGIN), np.uint8)
    crop[MARGIN:-MARGIN, MARGIN:-MARGIN] = level[r0 + MARGIN : r1 + MARGIN, c0 + MARGIN : c1 + MARGIN]
    return Shape((a + c0, b + r0, a + c1, b + r1), crop, int((crop >= EDGE).sum()))
