"""Rows of shapes to what each says: the network's answers decide which shapes make one digit and which are several.

A few calls of the network a page. First every shape alone and joined with those it may be a part of; the best path through
each row is the cheapest one (over-segmentation and a best path, after Fenrich and Hull 1990). Then shapes that may be
several digits, cut wherever they could be. Read by ``_read``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lenet.reading.ink.find import EDGE
from lenet.reading.shapes.form import NO_DIGIT, digit_forms
from lenet.reading.shapes.lines import Row, is_flat, joinable, separator
from lenet.reading.shapes.shape import Shape, union
from lenet.reading.shapes.signs import find_slashes, stacked
from lenet.reading.shapes.split import Cuts, best_path, find_cuts, pieces

__all__ = ["Glyph", "reclassify", "recognise"]

Read = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

MOST_PARTS = 4  # that a broken digit is put together from
MOST_CUT = 200  # shapes a page that are looked at as several digits
MOST_DIGITS = 6  # heights: a wider shape is no run of touching digits

# Costs are in nats: -log of a digit's probability, and what a person would pay for the unlikely.
NOTHING = 3.0  # a shape of full height that is no digit
SIGN = 0.5  # a separator
DROPPED = 1.5  # a small shape that is a speck
FLAT = 0.5  # one so flat that it is what is left of a rule
LOW = 2.0  # a shape much lower than its row
SMALL_RING = 0.3  # of a row's height: a ring at least so high is a digit, a small 0
LOOPS = (0, 6, 8, 9)
INK_CUT = 0.75  # each height of ink that a cut goes through
USUAL, WIDE = 0.95, 6.0  # each height of width beyond the usual
SHORT = 2.0  # each height that a digit in a shape lacks
NONE = 0.5  # of -log of the probability that a digit in a shape is one
MORE = 0.6  # what each digit in a shape is worth: without it a stroke beside a digit is soon taken for a part of it
SAMPLE = 48  # shapes that tell whether digits touch on a page
LIKELY, CLEAR = 0.5, 0.25  # the mean cost of digits that are likely, and beyond doubt
MOSTLY = 0.4  # so much of what is no single digit must be likely to be several: with touching digits 0.6 to 1, else below 0.25
WHOLE = 0.9  # so sure digits alone, each of which might be several as well, don't tell that digits touch
PAIR = 3.0  # heights: what is wider on such a page isn't cut: it is a word
TALL = 1.5  # heights: what is taller on such a page isn't cut: it is drawn, not written
NARROW, LETTERS = 0.7, 0.25  # a row of whose shapes below this width a larger share is no digit is words
SURE = 0.97  # of a digit: it isn't cut
LEAST_INK, LEAST_HIGH, LEAST_WIDE, WIDEST = 0.06, 0.55, 0.12, 1.2  # heights: the sizes of a digit, cut out of a shape


@dataclass(frozen=True, eq=False)
class Glyph:
    """One thing in a row: a sign if ``sign`` is not "", else something the network saw.

    probabilities: float32 [11], of 0 to 9 and of no digit. image: uint8 [28, 28]. printed: whether it is print, None if
    nobody looked.
    """

    shape: Shape
    sign: str = ""
    probabilities: NDArray[np.float32] | None = None
    image: NDArray[np.uint8] | None = None
    printed: bool | None = None


def recognise(rows: Sequence[Row], read: Read, stroke: float) -> list[list[Glyph]]:
    """For each row its glyphs from left to right. read: uint8 [N, 28, 28] to float32 [N, 11]. stroke: the ink's width."""
    arcs = [_arcs(row, stroke) for row in rows]
    seen = _classified([shape for some in arcs for shape in some.values()], read)
    found, at = [], 0
    for row, some in zip(rows, arcs, strict=True):
        glyphs = dict(zip(some, seen[at : at + len(some)], strict=True))
        at += len(some)
        found.append(_with_slashes(row, _joined(row, glyphs)))
    _cut(rows, found, read)
    return found


def reclassify(rows: Sequence[Sequence[Glyph]], read: Read) -> list[list[Glyph]]:
    """The same glyphs, all that are no signs classified anew, by a better but slower reader than the one for every piece."""
    seen = [glyph.image for row in rows for glyph in row if glyph.image is not None]
    if not seen:
        return [list(row) for row in rows]
    answers = iter(read(np.stack(seen)))
    return [
        [glyph if glyph.image is None else replace(glyph, probabilities=next(answers)) for glyph in row] for row in rows
    ]


def _classified(shapes: Sequence[Shape], read: Read) -> list[Glyph]:
    """Each shape with the network's probabilities."""
    if not shapes:
        return []
    forms = digit_forms([shape.level for shape in shapes])
    answers = read(forms)
    return [Glyph(shape, "", p, form) for shape, p, form in zip(shapes, answers, forms, strict=True)]


def _arcs(row: Row, stroke: float) -> dict[tuple[int, int], Shape]:
    """The shapes of a row alone, and runs of them that may be one digit or sign: (first, last + 1) to the shape."""
    shapes = row.shapes
    arcs = {(i, i + 1): shape for i, shape in enumerate(shapes)}
    pairs = [stacked(a, b, row) for a, b in itertools.pairwise(shapes)]
    signs = {k for i, sign in enumerate(pairs) if sign for k in (i, i + 1)}
    for first in range(len(shapes)):
        for last in range(first + 1, min(first + MOST_PARTS, len(shapes))):
            pair = last == first + 1 and pairs[first]
            if not pair and not signs.isdisjoint(range(first, last + 1)):
                break
            if not any(joinable(shapes[k], shapes[last], row, stroke) for k in range(first, last)):
                break
            whole = union(shapes[first : last + 1])
            if whole.width <= 1.35 * row.height:
                arcs[first, last + 1] = whole
    return arcs


def _best(glyph: Glyph) -> float:
    """The likeliest digit's probability."""
    assert glyph.probabilities is not None
    return float(glyph.probabilities[:NO_DIGIT].max())


def _cost(glyph: Glyph) -> float:
    """-log of the likeliest digit's probability."""
    return -float(np.log(max(_best(glyph), 1e-6)))


def _joined(row: Row, glyphs: dict[tuple[int, int], Glyph]) -> list[Glyph]:
    """The cheapest path along a row."""
    costs: dict[tuple[int, int], float] = {}
    chosen: dict[tuple[int, int], Glyph | None] = {}
    for arc, glyph in glyphs.items():
        cost, kept = min(_cost(glyph), NOTHING), glyph
        parts = row.shapes[arc[0] : arc[1]]
        sign = (
            separator(parts[0], row) if len(parts) == 1 else stacked(parts[0], parts[1], row) if len(parts) == 2 else ""
        )
        low = (
            max(glyph.shape.height, 0.7 * glyph.shape.width) < 0.55 * row.height
            or glyph.shape.height < 0.3 * row.height
        )
        if low and len(parts) == 1 and glyph.shape.height >= SMALL_RING * row.height and _is_ring(glyph):
            low, sign = False, ""
        if low:
            cost += LOW
        if sign:
            costs[arc], chosen[arc] = SIGN, Glyph(glyph.shape, sign)
        elif low and len(parts) == 1:
            costs[arc], chosen[arc] = FLAT if is_flat(glyph.shape, row) else DROPPED, None
        if cost < costs.get(arc, np.inf):
            costs[arc], chosen[arc] = cost, kept
    path = best_path(len(row.shapes) + 1, costs)
    return [one for arc in path if (one := chosen[arc]) is not None]


def _with_slashes(row: Row, glyphs: list[Glyph]) -> list[Glyph]:
    """The same, slashes as signs."""
    may_be = [g.probabilities is not None and float(g.probabilities[NO_DIGIT]) < 0.5 for g in glyphs]
    slashes = find_slashes([glyph.shape for glyph in glyphs], may_be, row.height)
    return [Glyph(glyph.shape, "/") if is_slash else glyph for glyph, is_slash in zip(glyphs, slashes, strict=True)]


def _is_ring(glyph: Glyph) -> bool:
    """Whether a small shape is likely a digit with a loop and does enclose paper, which no speck and no separator does."""
    import cv2

    assert glyph.probabilities is not None
    if float(glyph.probabilities[NO_DIGIT]) > 0.5 or int(glyph.probabilities.argmax()) not in LOOPS:
        return False
    ink = cv2.copyMakeBorder((glyph.shape.level >= EDGE).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    return cv2.connectedComponents(1 - ink, connectivity=4)[0] > 2


def _letters(glyphs: Sequence[Glyph], row: Row) -> tuple[int, int]:
    """Of the shapes that are as narrow as one digit: how many are none, and how many there are.

    Where many are none the row is words, which are not cut: in pieces, letters look like digits often enough.
    """
    narrow = [g.probabilities for g in glyphs if g.probabilities is not None and g.shape.width < NARROW * row.height]
    return sum(float(p[NO_DIGIT]) > 0.5 for p in narrow), len(narrow)


def _chance_of_several(glyph: Glyph, row: Row) -> float:
    """How likely it is that a glyph is several digits, as far as its size and its own answer say; 0 not at all."""
    if glyph.sign or glyph.probabilities is None:
        return 0.0
    wide, high = glyph.shape.width / row.height, glyph.shape.height / row.height
    if not 0.3 < wide < MOST_DIGITS or not 0.6 < high < 2.0:
        return 0.0
    best = _best(glyph)
    return 1 - best if best < SURE else 0.0


def _cut(rows: Sequence[Row], found: list[list[Glyph]], read: Read) -> None:
    """Puts in place of shapes that are several digits those digits.

    In pieces letters look like digits often enough. So a sample of the page's shapes shows first whether most of what is no
    single digit is surely several, which is so where digits touch and not where words stand; on other pages only what is
    beyond doubt is cut.
    """
    letters = [_letters(glyphs, row) for row, glyphs in zip(rows, found, strict=True)]
    candidates = sorted(
        (-doubt, r, k)
        for r, (row, glyphs) in enumerate(zip(rows, found, strict=True))
        if letters[r][0] < 2 or letters[r][0] <= LETTERS * letters[r][1]
        for k, glyph in enumerate(glyphs)
        if (doubt := _chance_of_several(glyph, row)) > 0
    )[:MOST_CUT]
    positions = [(r, k) for _, r, k in candidates]
    every = -(-len(positions) // SAMPLE) or 1
    splits = _splits(positions[::every], rows, found, read)
    apart = [split for split in splits.values() if split.is_better() or _is_none(split.glyph)]
    several = [split.glyph for split in apart if split.is_better() and split.is_below(LIKELY)]
    touching = len(several) > MOSTLY * len(apart) and any(_best(glyph) < WHOLE for glyph in several)
    usual = float(np.median([row.height for row, glyphs in zip(rows, found, strict=True) for _ in glyphs] or [0.0]))
    if touching:
        splits = _splits(positions, rows, found, read, many=True)
    else:
        rest = [(r, k) for r, k in positions if (r, k) not in splits and _may_be_pair(found[r][k], rows[r], usual)]
        splits |= _splits(rest, rows, found, read)
    for r, glyphs in enumerate(found):
        found[r] = []
        for k, glyph in enumerate(glyphs):
            split = splits.get((r, k))
            if split is not None and (split.is_better(MORE) if touching else _beyond_doubt(split, rows[r], usual)):
                found[r] += split.digits
            else:
                found[r].append(glyph)


@dataclass(frozen=True, eq=False)
class _Split:
    """A hypothesis: a shape is several digits, at this cost; whole: what it costs to take the shape for one."""

    glyph: Glyph
    digits: list[Glyph]
    cost: float
    whole: float

    def is_better(self, more: float = 0.0) -> bool:
        """Whether several digits are likelier than one, if each digit more is worth ``more``."""
        return self.cost - more * (len(self.digits) - 1) < self.whole

    def is_below(self, cost: float) -> bool:
        """Whether its digits cost less than that each."""
        return self.cost < cost * len(self.digits)


def _is_none(glyph: Glyph) -> bool:
    return glyph.probabilities is not None and float(glyph.probabilities[NO_DIGIT]) > 0.5


def _beyond_doubt(split: _Split, row: Row, usual: float) -> bool:
    """Whether a shape is to be cut on a page on which digits don't usually touch."""
    return split.is_better() and split.is_below(CLEAR) and _may_be_pair(split.glyph, row, usual)


def _may_be_pair(glyph: Glyph, row: Row, usual: float) -> bool:
    """Whether a shape is small enough to be a pair of digits on a page on which digits don't usually touch."""
    return glyph.shape.height <= TALL * usual and glyph.shape.width <= PAIR * row.height


def _splits(
    positions: Sequence[tuple[int, int]],
    rows: Sequence[Row],
    found: Sequence[Sequence[Glyph]],
    read: Read,
    many: bool = False,
) -> dict[tuple[int, int], _Split]:
    """For the glyphs at positions (row, number) the cheapest split of each into several digits; without those that can't be."""
    heights = [rows[r].height for r, _ in positions]
    cuts = find_cuts([found[r][k].shape for r, k in positions], heights, many)
    parts = [_pieces(cut, height) for cut, height in zip(cuts, heights, strict=True)]
    seen = iter(_classified([shape for some in parts for shape in some.values()], read))
    splits = {}
    for (r, k), cut, some, height in zip(positions, cuts, parts, heights, strict=True):
        glyphs = {arc: next(seen) for arc in some}
        costs = {arc: _size_cost(glyph, height) + INK_CUT * float(cut.ink[arc[0]]) for arc, glyph in glyphs.items()}
        path = best_path(len(cut), {arc: cost - MORE for arc, cost in costs.items()})
        if path:
            one = found[r][k]
            cost, whole = sum(costs[arc] for arc in path), _size_cost(one, height)
            splits[r, k] = _Split(one, [glyphs[arc] for arc in path], cost, whole)
    return splits


def _size_cost(glyph: Glyph, height: float) -> float:
    """The cost of a digit in a row of this height, by what it looks like and by its size."""
    assert glyph.probabilities is not None
    doubt = -float(np.log(max(1 - float(glyph.probabilities[NO_DIGIT]), 1e-6)))
    wide, high = glyph.shape.width / height, glyph.shape.height / height
    return _cost(glyph) + NONE * doubt + WIDE * max(0.0, wide - USUAL) + SHORT * max(0.0, 0.9 - high)


def _pieces(cuts: Cuts, height: float) -> dict[tuple[int, int], Shape]:
    """Every stretch between two cuts that may be a digit by its size, but the whole."""
    place = cuts.seams.mean(axis=1) / height
    wide, ink = place[None] - place[:, None], cuts.area[None] - cuts.area[:, None]
    fits = (ink >= LEAST_INK) & (wide < WIDEST + 0.2)
    fits[0, -1] = False
    arcs = list(zip(*(at.tolist() for at in np.nonzero(np.triu(fits, 1))), strict=True))
    return {
        arc: part
        for arc, part in zip(arcs, pieces(cuts, arcs), strict=True)
        if part is not None
        and part.height >= LEAST_HIGH * height
        and LEAST_WIDE * height <= part.width <= WIDEST * height
    }
