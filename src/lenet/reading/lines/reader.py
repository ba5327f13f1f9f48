"""Rows of shapes to glyphs, by the line network: what stands where along each row, and which shapes are no digits.

In place of cutting shapes into digits (``shapes.glyphs``) the picture along a row is looked at as it is, in several sizes. A
shape serves to say where a digit's box is, and what neither digit nor sign claims is a shape of no digit. Read by ``_read``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.reading.lines.columns import PITCH, Columns
from lenet.reading.lines.decode import OTHER, Said, decode, likelihood, surest, text_of
from lenet.reading.lines.network import LABELS
from lenet.reading.lines.page_strips import Cut, Picture, cuts_of, whole
from lenet.reading.shapes.form import NO_DIGIT, digit_forms
from lenet.reading.shapes.glyphs import Glyph
from lenet.reading.shapes.lines import Row
from lenet.reading.shapes.shape import MARGIN, Shape, typical_height, union

__all__ = ["VIEWS", "WHOLE", "is_strip", "recognise_lines", "recognise_strip"]

Floats = NDArray[np.float32]

VIEWS = ((1.0, 1.0), (0.85, 1.0), (1.0, 1.2))  # sizes and widths, relative to the usual ones
WHOLE = ((1.0, 1.0), (0.85, 1.0), (1.0, 1.2))  # the same for a picture that is one line as it is
FILLS, FEW = (
    (0.2, 0.9),
    2,
)  # of its height, what the only row of a small picture takes; and by so many views of it alone
LOWEST, HIGHEST, WIDER = 24, 128, 1.25  # pixels of a strip's height, and heights that it is wide at least
HALF = 0.62  # heights from a digit's middle to its sides at most
OUT = 0.35  # heights: what is said further beyond a strip's own shapes belongs to other strips
LEAST = 0.5  # of the row's height: lower shapes that nothing claims are specks
PRICE = 1.0  # nats that each view takes off a text for each of its digits: one too many is said too soon
WORST = -60.0  # what a view may speak against a text at most, in nats
EDGE = 96  # from this level on a pixel is ink
SURE, MOST = 0.9, 0.5  # so sure is what needs no second look; more of a stretch that is none for sure is words
SPOT = 2  # answers at either side of a place that are of the same thing


class _View(NamedTuple):
    """A strip and what was said of its columns."""

    cut: Cut
    answers: Floats


def recognise_lines(
    rows: Sequence[Row], glyphs: Sequence[Sequence[Glyph]], picture: Picture, columns: Columns
) -> list[list[Glyph]]:
    """A page's rows of glyphs, as ``shapes.glyphs`` has found them, those of doubtful stretches found anew.

    A stretch is doubtful in which some shape is neither a sure digit nor surely none; words and plain digits stay as they are.
    """
    cuts = [[cuts_of(row, picture, *view) for view in VIEWS] for row in rows]
    answers = iter(columns([cut.level for some in cuts for each in some for cut in each]))
    views = [[[_View(cut, next(answers)) for cut in each] for each in some] for some in cuts]
    found: list[list[Glyph]] = []
    for row, own, each in zip(rows, glyphs, views, strict=True):
        fresh: list[Glyph] = []
        for stretch in zip(*each, strict=True):
            span = stretch[0].cut.at(stretch[0].cut.left), stretch[0].cut.at(stretch[0].cut.right)
            inside = [glyph for glyph in own if _is_within(glyph.shape, span)]
            said = _best(stretch, row.height) if _is_doubtful(inside) else []
            if any(one.label < NO_DIGIT for one, _ in said):
                shapes = [shape for shape in row.shapes if _is_within(shape, span)]
                fresh += _glyphs(Row(shapes, row.height, row.bodies), said, ())
            else:
                fresh += inside
        found.append(sorted(fresh, key=lambda glyph: glyph.shape.middle[0]))
    return _with_images(found)


def _is_within(shape: Shape, span: tuple[float, float]) -> bool:
    return span[0] <= shape.middle[0] <= span[1]


def _is_doubtful(glyphs: Sequence[Glyph]) -> bool:
    """Whether some of the glyphs, but not most, are neither sure digits nor surely none."""
    p = [glyph.probabilities for glyph in glyphs if glyph.probabilities is not None]
    return any(float(one.max()) < SURE for one in p) and sum(float(one[NO_DIGIT]) > SURE for one in p) <= MOST * len(p)


def is_strip(size: tuple[int, ...]) -> bool:
    """Whether a picture of this height and width is a line cut out of something: low, and wider than high."""
    high, wide = size[:2]
    return LOWEST <= high <= HIGHEST and wide >= WIDER * high


def recognise_strip(
    shapes: Sequence[Shape], rows: Sequence[Row], picture: Picture, columns: Columns
) -> tuple[list[Row], list[list[Glyph]]]:
    """A picture that is one line: that line and its glyphs. shapes, rows: of its ink, as they were found."""
    cuts = [whole(picture, *view) for view in WHOLE]
    if len(rows) == 1 and FILLS[0] <= rows[0].height / len(picture.grey) <= FILLS[1]:
        cuts += [whole(picture, *view, rows[0]) for view in VIEWS[:FEW]]
    views = [_View(cut, answers) for cut, answers in zip(cuts, columns([cut.level for cut in cuts]), strict=True)]
    height = typical_height(shapes) or 0.6 * len(picture.grey)
    bodies = [shape for shape in shapes if shape.height >= 0.6 * height]
    row = Row(sorted(shapes, key=lambda s: (s.middle[0], s.box)), height, bodies)
    return [row], _with_images([_glyphs(row, _best(views, height), views)])


def _with_images(glyphs: Sequence[Sequence[Glyph]]) -> list[list[Glyph]]:
    """The same, each that is no sign with its 28 x 28 pixels."""
    forms = [glyph.shape.level for some in glyphs for glyph in some if not glyph.sign]
    images = iter(digit_forms(forms)) if forms else iter(())
    return [[glyph if glyph.sign else replace(glyph, image=next(images)) for glyph in some] for some in glyphs]


def _best(views: Sequence[_View], height: float) -> list[tuple[Said, float]]:
    """What stands on one strip, seen in several sizes, with each thing's upright x: the text that all agree on best."""
    ways = [decode(view.answers) for view in views]
    texts = [text_of(way) for way in ways]
    best = 0
    if len(set(texts)) > 1:
        worth = {
            text: sum(max(WORST, likelihood(view.answers, text)) - PRICE * len(text) for view in views)
            for text in dict.fromkeys(texts)
        }
        best = max(range(len(texts)), key=lambda k: worth[texts[k]])
    cut = views[best].cut
    room = OUT * height / float(cut.matrix[0, 0])
    found = []
    for said in ways[best]:
        column = PITCH * said.place + 0.5
        if cut.left - room <= column <= cut.right + room:
            x = cut.at(column)
            each = [said.probabilities] + [surest(_near(view, x, SPOT)) for k, view in enumerate(views) if k != best]
            found.append((said._replace(probabilities=np.mean(each, axis=0, dtype=np.float32)), x))
    return found


def _near(view: _View, x: float, reach: float) -> Floats:
    """What was said about the upright x, so many answers to either side."""
    place = (view.cut.column(x) - 0.5) / PITCH
    first = int(np.clip(np.ceil(place - reach), 0, len(view.answers) - 1))
    last = int(np.clip(np.floor(place + reach), first, len(view.answers) - 1))
    return view.answers[first : last + 1]


def _glyphs(row: Row, said: Sequence[tuple[Said, float]], views: Sequence[_View]) -> list[Glyph]:
    """A row's glyphs: digits and signs with their boxes, and full-sized shapes that are neither.

    views: if there are any, such shapes count only where they say that there is other writing.
    """
    high = row.height
    found: list[tuple[float, Glyph]] = []
    claimed = [False] * len(row.shapes)
    xs = [x for _, x in said]
    for k, (one, x) in enumerate(said):
        left = max(x - HALF * high, (xs[k - 1] + x) / 2 if k else -np.inf)
        right = min(x + HALF * high, (xs[k + 1] + x) / 2 if k + 1 < len(xs) else np.inf)
        shape = _between(row, left, right, x, claimed)
        sign = LABELS[one.label] if one.label >= NO_DIGIT else ""
        found.append((x, Glyph(shape, sign, None if sign else one.probabilities)))
    for shape, taken in zip(row.shapes, claimed, strict=True):
        if taken or shape.height < LEAST * high:
            continue
        x = shape.middle[0]
        if views and np.mean([np.exp(_near(view, x, SPOT)[:, OTHER]).mean() for view in views]) < 0.5:
            continue
        none = np.full(NO_DIGIT + 1, 0.001, np.float32)
        none[NO_DIGIT] = 0.99
        found.append((x, Glyph(shape, "", none)))
    return [glyph for _, glyph in sorted(found, key=lambda item: item[0])]


def _between(row: Row, left: float, right: float, x: float, claimed: list[bool]) -> Shape:
    """The row's ink between two columns as one shape, and marks the shapes most of which lie there as claimed."""
    x0, x1 = int(np.floor(left)), int(np.ceil(right))
    parts = []
    for k, shape in enumerate(row.shapes):
        a, b = max(shape.box[0], x0), min(shape.box[2], x1)
        if b <= a:
            continue
        if shape.box[0] - 1 <= x <= shape.box[2] + 1 or b - a > 0.5 * shape.width:
            claimed[k] = True
        if b - a == shape.width:
            parts.append(shape)
        elif b - a > 0.15 * row.height or b - a > 0.5 * shape.width:
            parts += _part(shape, a, b)
    if parts:
        return union(parts)
    top, base = row.band(x) if row.bodies else (0.0, row.height)
    wide = 0.25 * row.height
    box = round(x - wide), round(top), round(x + wide) + 1, max(round(base), round(top) + 1)
    return Shape(box, np.zeros((box[3] - box[1] + 2 * MARGIN, box[2] - box[0] + 2 * MARGIN), np.uint8), 0)


def _part(shape: Shape, a: int, b: int) -> list[Shape]:
    """What of a shape lies in columns a to b: one shape, or none where it has no ink there."""
    x0, y0 = shape.box[:2]
    level = shape.level[:, a - x0 : b - x0 + 2 * MARGIN].copy()
    level[:, :MARGIN] = 0
    level[:, -MARGIN:] = 0
    rows = np.flatnonzero(level[MARGIN:-MARGIN].max(axis=1) >= EDGE)
    if not len(rows):
        return []
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    crop = level[top : bottom + 2 * MARGIN]
    return [Shape((a, y0 + top, b, y0 + bottom), crop, int((crop >= EDGE).sum()))]
