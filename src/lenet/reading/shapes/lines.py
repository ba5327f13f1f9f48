"""Shapes in reading order: rows of writing, which parts of a row may belong together, separators, and columns.

All by geometry, in the straightened frame and in working pixels, robust to a degree or two of skew that is left; the
network is asked by ``glyphs``. Read by ``_read``.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lenet.reading.shapes.shape import Box, Shape, is_large, is_line, typical_height

__all__ = ["Row", "column_gaps", "find_rows", "is_dusty", "is_flat", "joinable", "outline", "separator"]

_BODY = 0.45  # of the typical height: what is at least so high makes a row, what is smaller is given to one
_SMALL, _SPECKS = (
    0.4,
    1,
)  # of the height, and so many: more that is smaller than that and neither digit nor sign is dust
_COMMA, _NEAR = 0.65, 0.35  # of the typical height: commas are lower, and so close to a digit
_SAME_ROW = 0.5  # of the height: how far a shape's middle may lie from its row's
_FAR = 1.2  # of the height: a small shape further from every shape of its row is no part of it


@dataclass(eq=False)
class Row:
    """A line of writing. shapes: from left to right by their middles, small ones among them. height: that of its digits."""

    shapes: list[Shape]
    height: float
    bodies: list[Shape] = field(default_factory=list)

    def band(self, x: float) -> tuple[float, float]:
        """Top and base line at x: the middle values of the nearest three shapes of full height."""
        near = heapq.nsmallest(3, self.bodies, key=lambda s: (abs(s.middle[0] - x), s.box))
        tops, bases = sorted(s.box[1] for s in near), sorted(s.box[3] for s in near)
        return float(tops[len(near) // 2]), float(bases[len(near) // 2])


def find_rows(shapes: Sequence[Shape]) -> list[Row]:
    """Rows from top to bottom. Pictures, frames and remains of rules are left out, and so are small shapes of no row."""
    height = typical_height(shapes)
    usual = [s for s in shapes if not is_large(s, height)]
    height = typical_height(usual)
    usual = [s for s in usual if not is_large(s, height) and not is_line(s, height)]
    groups: list[list[Shape]] = []
    for shape in sorted((s for s in usual if s.height >= _BODY * height), key=lambda s: (s.middle[0], s.box)):
        best, least = None, 1.0
        for group in groups:
            off = _off(group, shape)
            if off < least:
                best, least = group, off
        if best is None:
            groups.append([shape])
        else:
            best.append(shape)
    rows = []
    for group in groups:
        own = typical_height(group)
        bodies = [s for s in group if s.height >= 0.6 * own]
        rows.append(Row(list(group), own, bodies))
    rows = _without_commas(rows, height)
    _give([shape for shape in usual if shape.height < _BODY * height], rows)
    for row in rows:
        row.shapes.sort(key=lambda s: (s.middle[0], s.box))
    return sorted(rows, key=lambda r: (sum(s.middle[1] for s in r.bodies) / len(r.bodies), r.bodies[0].box))


def _off(group: list[Shape], shape: Shape) -> float:
    """How far a shape is from continuing a row, 1 being too far: its middle's distance from that of the last ones."""
    last = group[-3:]
    middle = sorted(s.middle[1] for s in last)[len(last) // 2]
    high = max(max(s.height for s in last), shape.height)
    overlap = min(shape.box[3], max(s.box[3] for s in last)) - max(shape.box[1], min(s.box[1] for s in last))
    if overlap < 0.3 * min(shape.height, high):
        return 1.0
    return abs(shape.middle[1] - middle) / (_SAME_ROW * high)


def _without_commas(rows: list[Row], height: float) -> list[Row]:
    """The same rows less those of large commas alone, which become parts of the rows above them."""
    full = [row for row in rows if row.height >= _COMMA * height]
    kept = []
    for row in rows:
        homes = [] if row in full else [next((o for o in full if _is_comma(s, o)), None) for s in row.shapes]
        if not homes or None in homes:
            kept.append(row)
            continue
        for shape, home in zip(row.shapes, homes, strict=True):
            if home is not None:
                home.shapes.append(shape)
    return kept


def _is_comma(shape: Shape, row: Row) -> bool:
    """Whether a shape is a comma of a row, close to a shape of full height."""
    return separator(shape, row) == "," and min(_gap(shape.box, s.box) for s in row.bodies) < _NEAR * row.height


def _give(small: Sequence[Shape], rows: Sequence[Row]) -> None:
    """Add each small shape to the row whose band it lies in, if it lies near one of the row's large shapes."""
    large = [(shape.box[0], shape.box[2], r, _FAR * row.height) for r, row in enumerate(rows) for shape in row.shapes]
    x0, x1, of, far = np.array(large, np.float64).reshape(-1, 4).T
    for shape in small:
        (x, y), gap = shape.middle, np.maximum(x0, shape.box[0]) - np.minimum(x1, shape.box[2])
        best, least = None, 0.85
        for r in np.unique(of[gap <= far]).astype(int).tolist():
            row = rows[r]
            top, base = row.band(x)
            off = abs(y - (top + base) / 2) / max(base - top, row.height, 1.0)
            if off < least:
                best, least = row, off
        if best is not None:
            best.shapes.append(shape)


def _gap(a: Box, b: Box) -> int:
    """Empty columns between two boxes; negative: the columns they share."""
    return max(a[0], b[0]) - min(a[2], b[2])


def separator(shape: Shape, row: Row) -> str:
    """What a small shape is by its size and place: ``"."``, ``","``, ``"-"``, or ``""``: none of them."""
    high = row.height
    top, base = row.band(shape.middle[0])
    w, h = shape.width, shape.height
    low = base - 0.35 * high < shape.box[1] < base + 0.2 * high and shape.box[3] > base - 0.05 * high
    if h < 0.36 * high and w > 1.5 * h and 0.2 * high < w < 0.95 * high:
        place = (shape.middle[1] - top) / max(base - top, 1.0)
        if 0.28 < place < (0.85 if w > max(1.8 * h, 0.28 * high) else 0.72):
            return "-"
    if low and 1.25 * w < h < 0.55 * high and w < 0.4 * high and shape.box[3] > base + 0.06 * high:
        return ","
    if max(w, h) < 0.3 * high and w < 2.2 * h and h < 2.2 * w and shape.middle[1] > base - 0.25 * high:
        return "."
    return "," if low and max(0.1 * high, 0.6 * w) < h < 0.55 * high and w < 0.4 * high else ""


def is_flat(shape: Shape, row: Row) -> bool:
    """Whether a shape is so flat that it is a speck or what is left of a rule, and no part of a digit."""
    return shape.height < 0.05 * row.height or max(shape.height, 0.4 * shape.width) < 0.1 * row.height


def is_dusty(row: Row, used: Sequence[Shape]) -> bool:
    """Whether a row holds small shapes of which nothing was made. used: what its digits and signs are."""
    boxes = [shape.box for shape in used]
    small = [shape.box for shape in row.shapes if shape.height < _SMALL * row.height]
    left = sum(not any(a[0] <= b[0] and a[1] <= b[1] and a[2] >= b[2] and a[3] >= b[3] for a in boxes) for b in small)
    return left > _SPECKS


def joinable(a: Shape, b: Shape, row: Row, stroke: float) -> bool:
    """Whether two shapes of a row may be parts of one digit: above one another, or so near that a stroke was broken."""
    gap = _gap(a.box, b.box)
    wide = max(a.box[2], b.box[2]) - min(a.box[0], b.box[0])
    high = max(a.box[3], b.box[3]) - min(a.box[1], b.box[1])
    if wide > 1.25 * row.height or high > 1.6 * row.height:
        return False
    if is_flat(a, row) or is_flat(b, row):
        return False
    full = min(a.height, b.height) >= 0.75 * row.height
    if gap < 0 and -gap >= (0.5 if full else 0.25) * min(a.width, b.width):
        return True
    least = a if a.height < b.height else b
    if separator(least, row):
        return False
    return gap <= (1.0 if full else max(2.0 * stroke, 0.12 * row.height))


def column_gaps(boxes: Sequence[Box], least: float) -> list[tuple[float, float]]:
    """The page's columns as x ranges (start, end): apart by at least ``least`` pixels that no box of any row covers."""
    columns: list[tuple[float, float]] = []
    for x0, x1 in sorted((b[0], b[2]) for b in boxes):
        if columns and x0 - columns[-1][1] < least:
            columns[-1] = (columns[-1][0], max(columns[-1][1], x1))
        else:
            columns.append((x0, x1))
    return columns


def outline(boxes: Sequence[Box]) -> Box:
    """The box around boxes."""
    edges = np.array(boxes)
    (x0, y0), (x1, y1) = edges[:, :2].min(axis=0).tolist(), edges[:, 2:].max(axis=0).tolist()
    return x0, y0, x1, y1
