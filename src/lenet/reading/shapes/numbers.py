"""Where the numbers of a row begin, and what the signs between digits mean there: minus or hyphen, decimal point or dot.

By the gaps between boxes alone, which are in working pixels, from left to right. Read by ``_read``.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from lenet.reading.shapes.glyphs import Glyph
from lenet.reading.shapes.lines import Row, is_dusty
from lenet.reading.shapes.shape import Box

__all__ = ["Mark", "is_apart", "marks_before", "number_breaks", "printed_sign", "signs_before", "widest_inside"]

POINTS = (".", ",", ":")
APART = "="  # a sign between numbers, which isn't printed
POINT = 0.3  # heights that a point takes between two digits
EVEN = 0.25  # heights: a dash that is so much further from the digit before it than from the next one is a minus
LEADING = 0.03, 0.35  # heights between a number and a point before it
LEAST_POINT = 0.1  # heights that such a point is wide and high
MINUS = 0.9  # heights between a number and a minus before it, at most


class Mark(NamedTuple):
    """A sign between digits. sign: one of ``. , - / : =``."""

    sign: str
    box: Box


def marks_before(glyphs: Sequence[Glyph]) -> list[list[Mark]]:
    """For each glyph of a row that is no sign: the signs before it."""
    found: list[list[Mark]] = [[]]
    for glyph in glyphs:
        if glyph.sign:
            found[-1].append(Mark(glyph.sign, glyph.shape.box))
        else:
            found.append([])
    return found[:-1]


def signs_before(row: Row, glyphs: Sequence[Glyph], starts: Sequence[bool]) -> list[str]:
    """For each glyph of a row that is no sign: what is printed before it. starts: whether a number starts with it."""
    boxes = [glyph.shape.box for glyph in glyphs if not glyph.sign]
    dusty = is_dusty(row, [glyph.shape for glyph in glyphs])
    return [
        printed_sign(marks, boxes[i - 1] if i else None, boxes[i], row.height, start, dusty)
        for i, (marks, start) in enumerate(zip(marks_before(glyphs), starts, strict=True))
    ]


def number_breaks(boxes: Sequence[Box], height: float, marks: Sequence[Sequence[Mark]] = ()) -> list[bool]:
    """For the digits of a row, left to right: whether a new number starts at each. The first is always True.

    A gap ends a number if it is clearly wider than the row's usual narrow ones; where every digit has a cell of its own,
    as on forms, the distances of their middles are compared instead. marks: the signs before each digit. A point stands
    inside a number if the gap fits, a slash always; a dash does if it is as close to the digit before it as to the next
    one: it is a hyphen then, and else a minus, which starts a number.
    """
    if not boxes:
        return []
    marks = marks or [()] * len(boxes)
    pairs = list(itertools.pairwise(boxes))
    gaps = [(b[0] - a[2]) / height for a, b in pairs]
    steps = [(b[0] + b[2] - a[0] - a[2]) / 2 / height for a, b in pairs]
    usual = sorted(steps)[len(steps) // 4] if steps else 0.0
    even = [step for step in steps if step < 1.35 * usual]
    in_cells = 1.2 < usual < 1.9 and len(even) > 2 and max(even) - min(even) < 0.35
    if in_cells:
        widest, starts = usual, [step > 1.35 * usual for step in steps]
    else:
        widest = widest_inside([gap for gap, some in zip(gaps, marks[1:], strict=True) if not some])
        starts = [gap > widest for gap in gaps]
    found = [True]
    for (before, after), some, start in zip(pairs, marks[1:], starts, strict=True):
        sign = _main(some)
        if sign == "-":
            found.append(not _is_hyphen(some, before, after, widest * height, EVEN * height))
        elif sign in POINTS and not in_cells:
            found.append(start and not _is_close(some, before, after, widest * height, POINT * height))
        else:
            found.append(sign == APART or (start and sign != "/"))
    return found


def _is_close(marks: Sequence[Mark], before: Box, after: Box, widest: float, point: float) -> bool:
    """Whether a point is close to both digits at its sides, or they are close enough to each other for one between."""
    left, right = marks[0].box[0] - before[2], after[0] - marks[-1].box[2]
    return max(left, right) <= widest or after[0] - before[2] - point <= widest


def is_apart(marks: Sequence[Mark]) -> bool:
    """Whether the signs before a digit part it from what stands before, however close that is."""
    return _main(marks) == APART


def _main(marks: Sequence[Mark]) -> str:
    """The one of several signs that says what they are: any beside a point."""
    signs = [mark.sign for mark in marks]
    return next((sign for sign in (APART, "/", "-") if sign in signs), signs[0] if signs else "")


def _is_hyphen(marks: Sequence[Mark], before: Box, after: Box, widest: float, even: float) -> bool:
    dash = next(mark.box for mark in marks if mark.sign == "-")
    left, right = dash[0] - before[2], after[0] - dash[2]
    return left <= min(widest, right + even) and right <= widest + even


def printed_sign(
    marks: Sequence[Mark], before: Box | None, after: Box, height: float, starts: bool, dusty: bool = False
) -> str:
    """What is printed before a digit of the signs that stand there. starts: whether a number starts with the digit.

    before, after: the boxes of the digit before the signs, if there is one, and of the digit itself. Inside a number it is
    the sign; before one a minus, a point or both, if they are close to it and not to the digit before. dusty: the row holds
    specks, of which one may stand where a point would.
    """
    if not starts:
        return _main(marks)
    found, edge = "", after[0]
    for sign, box in reversed(marks):
        gap = (edge - box[2]) / height
        apart = float("inf") if before is None else (box[0] - before[2]) / height
        if sign == "-" and gap <= MINUS and apart + EVEN >= gap:
            return "-" + found
        if not (found or dusty) and apart > gap and _is_leading(sign, box, after, height):
            found, edge = sign, box[0]
    return found


def _is_leading(sign: str, box: Box, after: Box, height: float) -> bool:
    """Whether a sign is a point before a number that begins with it: beside its first digit, on the line, and no speck."""
    wide, high = (box[2] - box[0]) / height, (box[3] - box[1]) / height
    gap, sinks = (after[0] - box[2]) / height, (box[3] - after[3]) / height
    if min(wide, high) < LEAST_POINT or not LEADING[0] <= gap <= LEADING[1]:
        return False
    return (sign == "." and -0.2 <= sinks <= 0.15) or (sign == "," and -0.05 <= sinks <= 0.5)


def widest_inside(gaps: Sequence[float]) -> float:
    """The widest gap that lies inside a number, in heights: 0.3 more than the usual narrow gap, from 0.35 to 0.8."""
    narrow = sorted(gap for gap in gaps if gap < 0.3) or sorted(gaps)[:1]
    usual = narrow[len(narrow) // 2] if narrow else 0.2
    return min(max(usual + 0.3, 0.35), 0.8)
