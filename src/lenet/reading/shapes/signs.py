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

__all__ = ["find_slashes", "lean_of", "stacked"]

INK = 100  # from which level a pixel counts as a stroke's
PARTS = 8  # of a stroke's length, in which it is looked at
BENT, THICK = 0.05, 0.2  # of its length: how far a slash may be off the straight line, and how thick it may be
NEAR = 0.5  # heights between a slash and the digits at its sides
LEAST_LEAN = 10.0  # degrees to the right of upright
OUT = 160.0  # degrees of lean that each height is worth by which it stands out above and below both neighbours
SLASH, LOW = 54.0, -0.02  # degrees a slash leans, with what standing out is worth; heights it stands out at either end
IN_FRACTION, OUT_IN_FRACTION = 44.0, 0.02  # the same with one or two digits at either side, and no more in the number
ALIKE, FAR_OUT = 10.0, 0.1  # degrees: a stroke like one beside it is a 1 beside a 1, but if it stands out by so much
IN_DATE, LOW_IN_DATE = 18.0, -0.1  # the same for each of the two in a date
PAIR, UNLIKE = 64.0, 8.0  # what these are worth together, and by how much their leans may differ
DATES = {(a, b, c) for a in (1, 2) for b in (1, 2) for c in (2, 4)}  # digits in the parts of a date
DATES |= {(4, 2, 2)}


class Stroke(NamedTuple):
    """A straight, thin shape between two others. lean: degrees to the right of upright. out: heights by which it stands out
    of both, at the end where it does less. worth: degrees, for both."""

    lean: float
    out: float
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


def lean_of(shape: Shape) -> float | None:
    """By how many degrees to the right of upright a straight, thin stroke leans, -90 to 90; None for another shape."""
    y, x = np.nonzero(shape.level >= INK)
    if len(x) < 5 or shape.width > 1.2 * shape.height:
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
    return float(np.rad2deg(np.arctan2(along[0], -along[1])))


def find_slashes(shapes: Sequence[Shape], is_digit: Sequence[bool], height: float) -> list[bool]:
    """Which of a row's shapes, left to right, are slashes: between two digits, close to both, and no 1.

    is_digit: which may be digits. height: the row's. A 1 leans too. So a slash leans much or stands out above and below
    the digits at its sides: less in what may be a fraction, and least if it is one of two that are alike and have as many
    digits around them as a date.
    """
    near = [b.box[0] - a.box[2] <= NEAR * height for a, b in itertools.pairwise(shapes)]
    joined = [gap and a and b for gap, (a, b) in zip(near, itertools.pairwise(is_digit), strict=True)]
    between = [i for i in range(1, len(shapes) - 1) if joined[i - 1] and joined[i]]
    leans = {i: lean_of(shapes[i]) for i in sorted({k for i in between for k in (i - 1, i, i + 1)})}
    strokes = {}
    for i in between:
        lean = leans[i]
        if lean is not None and lean >= LEAST_LEAN:
            above, below = _stands_out(*(shapes[k] for k in (i - 1, i, i + 1)))
            strokes[i] = Stroke(lean, min(above, below), lean + OUT * max(above + below, 0.0))
    found: set[int] = set()
    for _, i, j in sorted(_dates(strokes, joined), reverse=True):
        if not found & set(range(i - 4, j + 5)):
            found |= {i, j}
    for i, (lean, out, worth) in sorted(strokes.items(), key=lambda item: -item[1].worth):
        least, low = (IN_FRACTION, OUT_IN_FRACTION) if _is_fraction(i, joined) else (SLASH, LOW)
        if any((other := leans[k]) is not None and abs(other - lean) <= ALIKE for k in (i - 1, i + 1)):
            low = FAR_OUT
        if worth >= least and out >= low and not found & {i - 1, i + 1}:
            found.add(i)
    return [i in found for i in range(len(shapes))]


def _is_fraction(i: int, joined: Sequence[bool]) -> bool:
    """Whether one or two shapes stand close before a shape, and as many behind it. joined: whether each is close to the next."""
    before, behind = joined[max(i - 3, 0) : i], joined[i : i + 3]
    return not (len(before) == 3 and all(before)) and not (len(behind) == 3 and all(behind))


def _stands_out(before: Shape, shape: Shape, after: Shape) -> tuple[float, float]:
    """By how many heights of its neighbours a shape stands out above both, and below; negative where it doesn't."""
    high = max(before.height, after.height)
    above = min(before.box[1], after.box[1]) - shape.box[1]
    below = shape.box[3] - max(before.box[3], after.box[3])
    return above / high, below / high


def _dates(strokes: Mapping[int, Stroke], joined: Sequence[bool]) -> Iterator[tuple[float, int, int]]:
    """Pairs of strokes that may be a date's, with what they are worth. joined: whether a shape is close to the next one."""
    likely = [i for i, stroke in strokes.items() if stroke.worth >= IN_DATE and stroke.out >= LOW_IN_DATE]
    ends = [0, *(i + 1 for i, near in enumerate(joined) if not near), len(joined) + 1]
    for start, stop in itertools.pairwise(ends):
        for i, j in itertools.combinations([k for k in likely if start < k < stop - 1], 2):
            worth, unlike = strokes[i].worth + strokes[j].worth, abs(strokes[i].lean - strokes[j].lean)
            if worth >= PAIR and unlike <= UNLIKE and (i - start, j - i - 1, stop - j - 1) in DATES:
                yield worth, i, j
