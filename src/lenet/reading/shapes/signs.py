"""Signs that are more than one small shape, or as high as a digit: ``=``, ``:`` and ``/``.

Points, commas and dashes are ``lines.separator``'s; what a sign means where it stands is ``numbers``'. By geometry, in
working pixels. Read by ``glyphs``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lenet.reading.shapes.lines import Row
from lenet.reading.shapes.shape import Shape

__all__ = ["Stroke", "as_stroke", "find_slashes", "stacked"]

INK = 100  # from which level a pixel counts as a stroke's
PARTS = 8  # of a stroke's length, in which it is looked at
BENT, THICK = 0.05, 0.2  # of its length: how far a slash may be off the straight line, and how thick it may be
LOWEST = 0.9  # of the row's height: a lower stroke is no slash
ABOVE, BELOW = 100.0, 150.0  # degrees of lean that each height above the row, and below it, is worth: a 1 stands on the line
SLASH = 52.0  # degrees that a slash leans, with what its height is worth: of 1s inside numbers 2 in 1,000 do
IN_DATE, ALIKE = 18.0, 9.0  # the same of the two in a date, and by how much their leans may differ
DATES = {(a, b, c) for a in (1, 2) for b in (1, 2) for c in (2, 4)}  # digits in the parts of a date
DATES |= {(4, b, c) for b in (1, 2) for c in (1, 2)}
NEAR = 0.5  # heights between a slash and the digits at its sides


class Stroke(NamedTuple):
    """A straight, thin shape. lean: degrees to the right of upright. worth: these, and what standing out of its row adds."""

    lean: float
    worth: float


def stacked(a: Shape, b: Shape, row: Row) -> str:
    """What two shapes above one another are together: ``"="``, ``":"``, or ``""``: neither."""
    high, (upper, lower) = row.height, sorted((a, b), key=lambda shape: shape.middle[1])
    wide, narrow = max(a.width, b.width), min(a.width, b.width)
    shared = min(a.box[2], b.box[2]) - max(a.box[0], b.box[0])
    if lower.box[1] <= upper.box[1] or shared < 0.5 * narrow:
        return ""
    top, base = row.band((a.middle[0] + b.middle[0]) / 2)
    apart = (lower.middle[1] - upper.middle[1]) / high
    middle = ((lower.middle[1] + upper.middle[1]) / 2 - top) / max(base - top, 1.0)
    thick = max(a.height, b.height)
    if thick < 0.3 * high and narrow > 1.5 * thick and 0.25 * high < narrow and wide < min(1.0 * high, 1.6 * narrow):
        return "=" if 0.1 < apart < 0.6 and 0.25 < middle < 0.75 else ""
    if max(wide, thick) < 0.3 * high and wide < 2.2 * narrow and thick < 2.2 * min(a.height, b.height):
        return ":" if 0.2 < apart < 0.75 and 0.3 < middle < 0.85 and upper.middle[1] > top else ""
    return ""


def as_stroke(shape: Shape, row: Row) -> Stroke | None:
    """A shape as a stroke that may be a slash; None if it is low, broad, bent or thick."""
    if shape.height < LOWEST * row.height or not 0.15 * shape.height < shape.width < 1.2 * shape.height:
        return None
    y, x = np.nonzero(shape.level >= INK)
    if len(x) < 5:
        return None
    points = np.stack([x - x.mean(), y - y.mean()])
    along = np.linalg.eigh(points @ points.T)[1][:, 1]
    along = -along if along[1] > 0 else along  # upwards
    place, off = along @ points, np.array([-along[1], along[0]]) @ points
    length = float(np.ptp(place)) + 1
    part = np.clip((place - place.min()) / length * PARTS, 0, PARTS - 1).astype(np.int64)
    bent = np.abs(np.bincount(part, off, PARTS) / np.maximum(np.bincount(part, minlength=PARTS), 1)).max()
    if bent > BENT * length or len(x) > THICK * length * length:
        return None
    lean = float(np.rad2deg(np.arctan2(along[0], -along[1])))
    top, base = row.band(shape.middle[0])
    return Stroke(lean, lean + (ABOVE * (top - shape.box[1]) + BELOW * (shape.box[3] - base)) / row.height)


def find_slashes(shapes: Sequence[Shape], is_digit: Sequence[bool], row: Row) -> list[bool]:
    """Which of a row's shapes, left to right, are slashes: between two digits, close to both, and no 1.

    is_digit: which may be digits. A 1 leans too. So a slash must lean much or stand out above and below the row; the two
    of a date less, if they are alike and the digits around them are as many as a date has.
    """
    strokes = {
        i: stroke
        for i in range(1, len(shapes) - 1)
        if all(is_digit[i - 1 : i + 2]) and (stroke := as_stroke(shapes[i], row)) is not None
    }
    near = [b.box[0] - a.box[2] <= NEAR * row.height for a, b in itertools.pairwise(shapes)]
    strokes = {i: stroke for i, stroke in strokes.items() if near[i - 1] and near[i]}
    found: set[int] = set()
    for _, i, j in sorted(_dates(strokes, [a and b and c for a, b, c in zip(near, is_digit, is_digit[1:])]), reverse=True):
        if not found & set(range(i - 4, j + 5)):
            found |= {i, j}
    for i in sorted(strokes, key=lambda i: -strokes[i].worth):
        if strokes[i].worth >= SLASH and not found & {i - 1, i + 1}:
            found.add(i)
    return [i in found for i in range(len(shapes))]


def _dates(strokes: Mapping[int, Stroke], joined: Sequence[bool]) -> Iterator[tuple[float, int, int]]:
    """Pairs of strokes that may be a date's, with what they are worth. joined: whether a shape is close to the next one."""
    ends = [0, *(i + 1 for i, near in enumerate(joined) if not near), len(joined) + 1]
    for start, stop in itertools.pairwise(ends):
        for i, j in itertools.combinations([k for k in strokes if start < k < stop - 1], 2):
            one, other = strokes[i], strokes[j]
            if min(one.worth, other.worth) >= IN_DATE and abs(one.lean - other.lean) <= ALIKE:
                parts = i - start, j - i - 1, stop - j - 1
                if parts in DATES:
                    yield one.worth + other.worth, i, j
