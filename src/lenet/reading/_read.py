"""From an image to what is written on it: the whole way, each step of which stands in a module of its own.

    open_pages -> find_ink -> straighten -> clean -> find_shapes -> find_rows -> recognise, or recognise_strip -> Page

Here is how the steps follow one another, which of the network's answers are believed, and where numbers end. Read by the
command line and by users.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import ceil, floor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.messages.check import choice, describe, message
from lenet.reading.belief import TOLD, TOLD_ALONE, believed, in_company, is_numbers
from lenet.reading.ink.clean import clean
from lenet.reading.ink.find import SINGLE, Ink, find_ink
from lenet.reading.ink.straighten import straighten, turned
from lenet.reading.lines.columns import Columns
from lenet.reading.lines.cut import dark_on_light
from lenet.reading.lines.reader import is_strip, recognise_strip
from lenet.reading.page import TAB, Digit, Line, Number, Page
from lenet.reading.pages.reader import recognise_spots
from lenet.reading.pages.scales import upright
from lenet.reading.shapes.cells import Place, find_grid, has_cells, places
from lenet.reading.shapes.form import NO_DIGIT, digit_forms
from lenet.reading.shapes.glyphs import Glyph, reclassify, recognise
from lenet.reading.shapes.lines import Row, column_gaps, find_rows, outline
from lenet.reading.shapes.numbers import is_apart, marks_before, number_breaks, signs_before
from lenet.reading.shapes.orientation import candidate_turns, confidence
from lenet.reading.shapes.shape import Box, find_shapes
from lenet.reading.shapes.singles import find_marks
from lenet.reading.sources.source import MOST_PIXELS, Source, open_pages
from lenet.reading.table import table_lines
from lenet.reading.weights.reader import Reader

__all__ = ["LAYOUTS", "ONLY", "read", "read_all", "read_singles"]

LAYOUTS = ("lines", "table", "single")
ONLY = ("handwritten", "printed")


def read(
    image: object,
    model: object = None,
    *,
    layout: str = "lines",
    min_confidence: float | None = None,
    only: str | None = None,
    most_pixels: int = MOST_PIXELS,
) -> Page:
    """What is written on an image: its first page, if it has several (``read_all`` gives all).

    image: a path, bytes, a binary file object, a Pillow image or a numpy array, as ``open_pages`` takes it. model: None for
    the packaged weights, or as ``Reader`` takes it. layout: ``"lines"`` of numbers; ``"table"``, whose cells are one number
    each; ``"single"``, the whole image being one digit. min_confidence: 0 to 1, digits less sure are rejected; given, it
    replaces the rules by which doubtful digits, lines of prose and photographs are rejected. only: ``"handwritten"`` or
    ``"printed"`` digits; None for both. most_pixels: larger images are refused.

    Deterministic. OSError, ValueError, TypeError as ``open_pages`` raises them; ValueError for an unknown layout, a
    confidence that is none, and for ``only`` with another model than the packaged one or with layout ``"single"``.
    """
    _check(layout, min_confidence)
    reader = _reader(model)
    _check_only(only, layout, reader)
    source = next(iter(open_pages(image, most_pixels=most_pixels)))
    return _page(source, reader, layout, min_confidence, only)


def read_all(
    image: object,
    model: object = None,
    *,
    layout: str = "lines",
    min_confidence: float | None = None,
    only: str | None = None,
    most_pixels: int = MOST_PIXELS,
    animated: str = "first",
) -> Iterator[Page]:
    """Every page of an image, one by one, as ``read`` reads them. animated: ``"all"`` for every frame of an animation."""
    _check(layout, min_confidence)
    reader = _reader(model)
    _check_only(only, layout, reader)
    for source in open_pages(image, most_pixels=most_pixels, animated=animated):
        yield _page(source, reader, layout, min_confidence, only)


def read_singles(
    images: Iterable[object],
    model: object = None,
    *,
    min_confidence: float | None = None,
    most_pixels: int = MOST_PIXELS,
) -> list[Page]:
    """Many images of one digit each, the first page of each: as ``read`` with layout ``"single"``, and faster together."""
    _check("single", min_confidence)
    reader = _reader(model)
    sources = [next(iter(open_pages(image, most_pixels=most_pixels))) for image in images]
    ways = [find_marks(source.rgb) for source in sources]
    marks = [mark for some in ways for mark in some]
    forms = digit_forms([mark.shape.level for mark in marks])
    answers = reader(forms)
    odds = reader.score(answers) - np.array([mark.price for mark in marks])
    if min_confidence is None:
        rejected = odds < np.log((1 - reader.threshold) / reader.threshold)
        answers = reader.alone(answers)
        rejected |= answers[:, :NO_DIGIT].max(axis=1) < TOLD_ALONE
    else:
        rejected = answers[:, :NO_DIGIT].max(axis=1) < min_confidence
    pages, start = [], 0
    for source, some in zip(sources, ways, strict=True):
        if not some:
            pages.append(_made(source, "dark on light", (), 0.0))
            continue
        best = start + int(odds[start : start + len(some)].argmax())
        start += len(some)
        ink, shape, _ = marks[best]
        scale = ink.scale * source.scale
        x0, y0, x1, y1 = (end / scale for end in shape.box)
        digit = _digit(answers[best], _within((x0, y0, x1, y1), source), bool(rejected[best]), forms[best])
        line = Line((Number(digit.text, (digit,), digit.box),), digit.box)
        pages.append(_made(source, ink.polarity, (line,), 0.0))
    return pages


def _check(layout: str, min_confidence: float | None) -> None:
    choice("layout", layout, LAYOUTS)
    if min_confidence is None:
        return
    if isinstance(min_confidence, bool) or not isinstance(min_confidence, (int, float, np.floating, np.integer)):
        raise TypeError(message("min_confidence", describe(min_confidence), "a number from 0 to 1, or None"))
    if not 0 <= min_confidence <= 1:
        raise ValueError(message("min_confidence", min_confidence, "a number from 0 to 1", "90 % is 0.9"))


def _check_only(only: str | None, layout: str, reader: Reader) -> None:
    if only is None:
        return
    choice("only", only, ONLY)
    if layout == "single" or reader.finder is None:
        given = f'only="{only}" with {"layout single" if layout == "single" else "a model of your own"}'
        raise ValueError(message("read", given, "pages read by the packaged network", "Leave out one of them"))


def _reader(model: Any) -> Reader:
    return model if isinstance(model, Reader) else Reader(model)


class _Seen(NamedTuple):
    """A page's clean, upright ink, what the network says of it, and how it came there.

    matrix: 3 x 3, from working pixels as found to those of the ink; quarters: by how many it was turned counter-clockwise.
    """

    ink: Ink
    rows: list[Row]
    glyphs: list[list[Glyph]]
    matrix: NDArray[np.float64]
    quarters: int
    is_found: bool = False  # by the page network, which has weighed already what is writing of another kind

    @property
    def confidence(self) -> float:
        """How surely the page's shapes are digits, all together."""
        answers = [glyph.probabilities for some in self.glyphs for glyph in some if glyph.probabilities is not None]
        return confidence(np.stack(answers)) if answers else 0.0


def _page(source: Source, reader: Reader, layout: str, min_confidence: float | None, only: str | None = None) -> Page:
    """One page's reading."""
    if layout == "single":
        return read_singles([source], reader, min_confidence=min_confidence)[0]
    ink = find_ink(source.rgb)
    if reader.columns is not None and only is None and is_strip(ink.mask.shape) and ink.scale == 1:
        seen = _seen_strip(source, ink, reader.columns)
    else:
        ways = (_seen(source, ink, quarters, reader, only) for quarters in candidate_turns(ink, reader.glance))
        seen = max(ways, key=lambda way: way.confidence)
    return _believed_page(source, seen, layout, min_confidence, reader)


def _seen_strip(source: Source, ink: Ink, columns: Columns) -> _Seen:
    """What stands on a strip cut around one line, by the network that slides along it.

    On strips it does better than cutting shapes into digits, on pages it does worse (docs/decisions.md).
    """
    ink = clean(ink)
    shapes = find_shapes(ink.level, ink.mask, ink.stroke)
    grey = dark_on_light(source.rgb, ink.polarity)
    return _Seen(ink, *recognise_strip(grey, shapes, find_rows(shapes), columns), np.eye(3), 0, is_found=True)


def _seen(source: Source, ink: Ink, quarters: int, reader: Reader, only: str | None) -> _Seen:
    """What stands on a page, if it is turned by so many quarters."""
    polarity, scale = ink.polarity, ink.scale
    ink, turn = turned(ink, quarters)
    ink, straight = straighten(ink)
    ink, matrix = clean(ink), straight @ turn
    shapes = find_shapes(ink.level, ink.mask, ink.stroke)
    # Forms, tables and sudokus are the page network's; on other pages cutting shapes does better (docs/decisions.md).
    if reader.finder is not None and (only is not None or has_cells(ink.rules, shapes)):
        grey = upright(dark_on_light(source.rgb, polarity), scale, matrix, ink.mask.shape)
        found = recognise_spots(reader.finder(grey), shapes, reader, only, ink.rules)
        return _Seen(ink, *found, matrix, quarters, is_found=True)
    rows = find_rows(shapes)
    glyphs = reclassify(recognise(rows, reader.glance, ink.stroke), reader)
    return _Seen(ink, rows, glyphs, matrix, quarters)


def _believed_page(source: Source, seen: _Seen, layout: str, min_confidence: float | None, reader: Reader) -> Page:
    """What is believed of it, as lines of numbers."""
    ink, rows, glyphs = seen.ink, seen.rows, seen.glyphs
    is_small = max(ink.mask.shape) <= SINGLE  # somebody has cut it out for what it says
    frame = _Frame(source, ink, seen.matrix)
    grid = find_grid(ink.rules)
    shapes = [[glyph.shape for glyph in some if not glyph.sign] for some in glyphs]
    stand = places(rows, shapes, ink.rules, grid)
    columns = _columns(rows, glyphs) if layout == "table" and grid is None else None
    found: list[list[Number]] = []
    where: list[list[Place]] = []
    for row, some, own in zip(rows, glyphs, stand, strict=True):
        starts = _starts(row, some, columns, own)
        signs = signs_before(row, some, starts)
        answers, rejected = _answers(some, starts, min_confidence, reader if is_small else None)
        numbers = _numbers(some, starts, signs, answers, rejected, frame)
        found.append(numbers)
        where.append([place for place, start in zip(own, starts, strict=True) if start])
    kept = found if min_confidence is not None or seen.is_found else believed(found, where, is_small)
    if layout == "table" and grid is not None:
        cell_of = {
            id(n): p.cell for row, some in zip(found, where, strict=True) for n, p in zip(row, some, strict=True)
        }
        lines = table_lines([[(n, cell_of[id(n)]) for n in row] for row in kept], grid, frame.box)
    else:
        between = TAB if layout == "table" else " "
        lines = tuple(Line(tuple(row), outline([n.box for n in row]), between) for row in kept if row)
    if min_confidence is None and not seen.is_found and not is_numbers(lines, source.rgb):
        lines = ()
    notes = _notes(seen.quarters, _count(found) - _count([line.numbers for line in lines]))
    return _made(source, ink.polarity, lines, frame.skew, 90 * seen.quarters, notes)


def _made(
    source: Source, polarity: str, lines: tuple[Line, ...], skew: float, turn: int = 0, notes: tuple[str, ...] = ()
) -> Page:
    return Page(
        lines,
        source.width,
        source.height,
        polarity,
        skew,
        turn,
        name=source.name,
        number=source.number,
        notes=(*source.notes, *notes),
    )


def _count(rows: Sequence[Sequence[Number]]) -> int:
    return sum(len(number.digits) for row in rows for number in row)


def _notes(quarters: int, left_out: int) -> tuple[str, ...]:
    """What a person should know of how a page was read."""
    notes = []
    if quarters:
        way = {1: "lay on its right side", 2: "stood on its head", 3: "lay on its left side"}[quarters]
        notes.append(f"the page {way}, and was turned")
    if left_out:
        notes.append(f"{left_out:,} {'shape' if left_out == 1 else 'shapes'} left out as words")
    return tuple(notes)


class _Frame:
    """The way back: from working pixels of the straightened ink to pixels of the page as it was given.

    matrix: 3 x 3, from working pixels as found to turned and straightened ones.
    """

    def __init__(self, source: Source, ink: Ink, matrix: NDArray[np.float64]) -> None:
        self.source = source
        scale = ink.scale * source.scale
        back = np.linalg.inv(matrix)
        self.back = np.diag([1 / scale, 1 / scale, 1.0]) @ back
        rise = float(np.rad2deg(np.arctan2(-back[1, 0], back[0, 0])))
        self.skew = rise - 90 * round(rise / 90) + 0.0  # what is left but for whole quarters

    def box(self, box: Box) -> Box:
        """The upright box around what a box became, within the page and never empty."""
        x0, y0, x1, y1 = box
        corners = self.back @ np.array([[x0, x1, x1, x0], [y0, y0, y1, y1], [1, 1, 1, 1]], np.float64)
        x, y = corners[:2] / corners[2]
        return _within((float(x.min()), float(y.min()), float(x.max()), float(y.max())), self.source)


def _within(box: tuple[float, float, float, float], source: Source) -> Box:
    """A box in pixels of the page as given, in whole pixels, within the page and never empty."""
    x0, y0, x1, y1 = box
    left = min(max(floor(x0 + 0.01), 0), source.width - 1)
    top = min(max(floor(y0 + 0.01), 0), source.height - 1)
    right = max(min(ceil(x1 - 0.01), source.width), left + 1)
    bottom = max(min(ceil(y1 - 0.01), source.height), top + 1)
    return left, top, right, bottom


def _starts(
    row: Row, glyphs: Sequence[Glyph], columns: Sequence[tuple[float, float]] | None, own: Sequence[Place]
) -> list[bool]:
    """For each glyph of a row that is no sign: whether a number starts with it; where another place begins one always does."""
    boxes, marks = [glyph.shape.box for glyph in glyphs if not glyph.sign], marks_before(glyphs)
    # What stands in a cell is one number, however far apart its digits, and none goes on from one place to the next.
    at = [(place.kind, place.group, -1 if place.kind == "cell" else place.cell) for place in own]
    if columns is None:
        starts = [False] * len(boxes)
        for kind in sorted(set(at)):
            some = [i for i, place in enumerate(at) if place == kind]
            breaks = number_breaks([boxes[i] for i in some], row.height, [marks[i] for i in some])
            for i, start in zip(some, breaks, strict=True):
                starts[i] = start
    else:
        cells = [sum(first <= (b[0] + b[2]) / 2 for first, _ in columns) for b in boxes]
        starts = [i == 0 or cells[i] != cells[i - 1] for i in range(len(cells))]
    return [
        i == 0 or at[i] != at[i - 1] or (start and own[i].kind != "cell") or is_apart(marks[i])
        for i, start in enumerate(starts)
    ]


def _columns(rows: Sequence[Row], glyphs: Sequence[Sequence[Glyph]]) -> list[tuple[float, float]]:
    """A table's columns where it has no rules: apart by an empty strip wider than the gaps inside numbers."""
    boxes = [glyph.shape.box for some in glyphs for glyph in some]
    height = float(np.median([row.height for row in rows])) if rows else 1.0
    return column_gaps(boxes, 0.45 * height)


def _answers(
    glyphs: Sequence[Glyph], starts: Sequence[bool], min_confidence: float | None, reader: Reader | None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """What is said of a row's shapes, float32 [n, 11], in the company that each keeps, and which are no digits: bool [n].

    reader: of a picture that is said to show digits, whose prior there differs; else None.
    """
    found = [glyph.probabilities for glyph in glyphs if glyph.probabilities is not None]
    alone = np.stack(found) if found else np.zeros((0, NO_DIGIT + 1), np.float32)
    if reader is not None:
        alone = reader.alone(alone)
    best = alone[:, :NO_DIGIT].max(axis=1)
    if min_confidence is not None:
        return alone, best < min_confidence
    answers = in_company(alone, starts)
    return answers, (answers[:, NO_DIGIT] > 0.5) | (best < TOLD)


def _numbers(
    glyphs: Sequence[Glyph],
    starts: Sequence[bool],
    signs: Sequence[str],
    answers: NDArray[np.float32],
    rejected: NDArray[np.bool_],
    frame: _Frame,
) -> list[Number]:
    """A row's numbers. signs: what is printed before each digit."""
    found: list[tuple[str, list[Digit]]] = []
    seen = [glyph for glyph in glyphs if not glyph.sign]
    for glyph, start, sign, p, out in zip(seen, starts, signs, answers, rejected.tolist(), strict=True):
        assert glyph.image is not None
        digit = _digit(p, frame.box(glyph.shape.box), out, glyph.image, glyph.printed)
        if start:
            found.append(("", []))
        text, digits = found[-1]
        found[-1] = (text + sign + digit.text, [*digits, digit])
    return [Number(text, tuple(digits), outline([d.box for d in digits])) for text, digits in found]


def _digit(
    p: NDArray[np.float32], box: Box, rejected: bool, image: NDArray[np.uint8], printed: bool | None = None
) -> Digit:
    """The network's answer [11] as a digit."""
    first, second = np.argsort(-p[:NO_DIGIT], kind="stable")[:2].tolist()
    return Digit(box, str(first), float(p[first]), (str(second), float(p[second])), rejected, image, printed)
