"""Which ink a digit that was found stands on: whole shapes, or its part of one that is more than a digit.

Read by ``reader``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lenet.reading.pages.finder import Spot
from lenet.reading.shapes.shape import MARGIN, Shape, union

__all__ = ["claim"]

WIDE, HIGH = 0.62, 0.66  # heights from a digit's middle to its sides, and to its top and foot, at most
LARGE = 1.5  # heights: a larger shape is more than a digit, and only its part about the middle is one
EDGE = 96  # from this level on a pixel is ink
LOWEST = 0.35  # heights: lower ink is no digit's, but what is left of one


def claim(spots: Sequence[Spot], shapes: Sequence[Shape]) -> tuple[list[Shape], NDArray[np.bool_]]:
    """For each spot its ink as one shape, a box of its size without any where there is none; and which shapes are taken."""
    boxes = np.array([shape.box for shape in shapes], np.float64).reshape(-1, 4)
    places = np.array([(spot.x, spot.y) for spot in spots], np.float64).reshape(-1, 2)
    claimed = np.zeros(len(shapes), bool)
    return [_claim(spot, shapes, boxes, claimed, places) for spot in spots], claimed


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
