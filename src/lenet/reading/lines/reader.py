"""A strip cut around one line to that line's glyphs, by the line network: what stands where along it, and what is neither.

No shape is cut into digits: the picture is looked at as it is, in several sizes. Shapes serve to say where a digit's box is, and
what no digit and no sign claims is a shape of no digit. Read by ``_read``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.reading.lines.columns import PITCH, Columns
from lenet.reading.lines.cut import Cut, cut_strip
from lenet.reading.lines.decode import OTHER, Said, decode, likelihood, surest, text_of
from lenet.reading.lines.network import LABELS
from lenet.reading.shapes.form import NO_DIGIT, digit_forms
from lenet.reading.shapes.glyphs import Glyph
from lenet.reading.shapes.lines import Row
from lenet.reading.shapes.shape import MARGIN, Shape, typical_height, union

__all__ = ["is_strip", "recognise_strip"]

Floats = NDArray[np.float32]

VIEWS = ((1.0, 1.0), (0.85, 1.0), (1.0, 1.2), (1.0, 0.8))  # how high and how wide the strip is looked at, as it is
OF_ROW = VIEWS[:2]  # and with its only row as high as the network likes it best
FILLS = 0.2, 0.9  # of the strip's height, so much such a row takes
LOWEST, HIGHEST, WIDER = 24, 128, 1.25  # pixels of a strip's height, and heights that it is wide at least
HALF = 0.62  # heights from a digit's middle to its sides at most
LEAST = 0.5  # of the row's height: lower shapes that nothing claims are specks
PRICE = 2.0  # nats that each view takes off a text for each of its digits: one too many is said too soon
WORST = -60.0  # what a view may speak against a text at most, in nats
EDGE = 96  # from this level on a pixel is ink
WRITING = 0.5  # so likely must other writing be
SPOT = 2  # answers at either side of a place that are of the same thing


class _View(NamedTuple):
    """A strip and what was said of its columns."""

    cut: Cut
    answers: Floats


def is_strip(size: tuple[int, ...]) -> bool:
    """Whether a picture of this height and width is a line cut out of something: low, and wider than high."""
    high, wide = size[:2]
    return LOWEST <= high <= HIGHEST and wide >= WIDER * high


def recognise_strip(
    grey: NDArray[np.uint8], shapes: Sequence[Shape], rows: Sequence[Row], columns: Columns
) -> tuple[list[Row], list[list[Glyph]]]:
    """That line and its glyphs. grey: uint8 [h, w], dark ink on light paper. shapes, rows: of its ink, as they were found."""
    cuts = [cut_strip(grey, *view) for view in VIEWS]
    if len(rows) == 1 and FILLS[0] <= rows[0].height / len(grey) <= FILLS[1]:
        cuts += [cut_strip(grey, *view, rows[0]) for view in OF_ROW]
    views = [_View(cut, answers) for cut, answers in zip(cuts, columns([cut.level for cut in cuts]), strict=True)]
    height = typical_height(shapes) or 0.6 * len(grey)
    bodies = [shape for shape in shapes if shape.height >= 0.6 * height]
    row = Row(sorted(shapes, key=lambda s: (s.middle[0], s.box)), height, bodies)
    glyphs = _glyphs(row, _best(views), views)
    forms = digit_forms([glyph.shape.level for glyph in glyphs])
    return [row], [[replace(glyph, image=form) for glyph, form in zip(glyphs, forms, strict=True)]]


def _best(views: Sequence[_View]) -> list[tuple[Said, float]]:
    """What stands on one strip, seen in several sizes, with each thing's x: the text that all find likeliest."""
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
    found = []
    for said in ways[best]:
        x = cut.at(PITCH * said.place + 0.5)
        each = [said.probabilities] + [surest(_near(view, x, SPOT)) for k, view in enumerate(views) if k != best]
        found.append((said._replace(probabilities=np.mean(each, axis=0, dtype=np.float32)), x))
    return found


def _near(view: _View, x: float, reach: float) -> Floats:
    """What was said about the picture's x, so many answers to either side."""
    place = (view.cut.column(x) - 0.5) / PITCH
    first = int(np.clip(np.ceil(place - reach), 0, len(view.answers) - 1))
    last = int(np.clip(np.floor(place + reach), first, len(view.answers) - 1))
    return view.answers[first : last + 1]


def _glyphs(row: Row, said: Sequence[tuple[Said, float]], views: Sequence[_View]) -> list[Glyph]:
    """A row's glyphs: digits and signs with their boxes, and full-sized shapes of what all views say is other writing."""
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
        if np.mean([np.exp(_near(view, x, SPOT)[:, OTHER]).mean() for view in views]) < WRITING:
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
