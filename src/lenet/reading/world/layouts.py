"""Kinds of pages: lines of numbers, tables, sudokus, forms, print, words, nothing; and what lies about on any of them.

How often each comes stands in KINDS. Everything is put on a ``Sheet``, a part of a page. Read by ``pages``.
"""

from __future__ import annotations

import numpy as np

from lenet.reading.world.sheet import SIDE, Sheet, letter_of

__all__ = ["KINDS", "lay_out"]

KINDS = {"numbers": 0.2, "table": 0.18, "sudoku": 0.14, "form": 0.18, "print": 0.11, "words": 0.13, "nothing": 0.06}


def lay_out(sheet: Sheet, kind: str | None = None) -> None:
    """Fill a sheet. kind: one of KINDS, or by chance."""
    kind = kind or str(sheet.rng.choice(list(KINDS), p=list(KINDS.values())))
    {
        "numbers": _numbers,
        "table": _table,
        "sudoku": _sudoku,
        "form": _form,
        "print": _print,
        "words": _words,
        "nothing": _nothing,
    }[kind](sheet)
    _about(sheet)


def _apart(sheet: Sheet) -> float:
    return sheet.between(-0.1, 0.12) if sheet.chance(0.35) else sheet.between(0.05, 0.5)


def _ruled(sheet: Sheet, first: float, pitch: float) -> None:
    wide, level = sheet.between(0.7, 2.5), round(sheet.between(70, 255))
    for y in np.arange(first, SIDE, pitch):
        sheet.rule((0, float(y)), (SIDE, float(y)), wide, level)


def _numbers(sheet: Sheet) -> None:
    """Lines of numbers by hand, with words among them or not, on ruled paper or not."""
    rng, h = sheet.rng, sheet.height
    pitch, y, apart = h * sheet.between(1.2, 2.8), sheet.between(-0.5, 1.5) * h, _apart(sheet)
    if sheet.chance(0.35):
        _ruled(sheet, y + h * sheet.between(0.45, 0.65), pitch)
    wordy = float(rng.choice([0, 0, 0.1, 0.3, 0.7]))
    face, few = sheet.face(False), sheet.chance(0.5)
    while y < SIDE + h:
        x = sheet.between(-0.5, 5) * h
        while x < SIDE:
            if sheet.chance(wordy):
                x = sheet.written(sheet.word(), x, y, h * sheet.between(0.8, 1.1), face)
            elif sheet.chance(0.05):
                x = sheet.mark(x, y, h * sheet.between(0.6, 1.2))
            elif sheet.chance(0.03):
                x = sheet.scrawl(x, y, h, int(rng.integers(3, 9)))
            else:
                x = sheet.number(int(rng.integers(1, 8)), x, y, h, apart)
                if sheet.chance(0.06):
                    x = sheet.unit(x + 0.2 * h, y, h * sheet.between(0.6, 1), face, True)
            x += h * sheet.between(0.5, 2.5)
            if few and sheet.chance(0.4):
                break
        y += pitch


def _content(sheet: Sheet, kind: str, x0: float, y0: float, wide: float, high: float) -> None:
    """What stands in one cell of a column of this kind."""
    rng, h = sheet.rng, min(sheet.height, 0.85 * high)
    middle = y0 + high / 2 + rng.normal(0, 0.06) * high
    if kind == "words":
        sheet.text(sheet.word(), x0 + 0.15 * h, middle, 0.55 * h, sheet.type.face, False)
    elif kind == "crowded":  # names in small print that runs from cell to cell
        x = x0 + 2
        while x < x0 + wide:
            x = sheet.text(sheet.word(), x, middle, 0.5 * h, sheet.type.face, False) + 0.2 * h
    elif kind == "written":
        word = sheet.word()
        sheet.written(word, x0 + 0.2 * h, middle, h * sheet.between(0.6, 0.95), sheet.face(False))
    elif kind == "marks":
        some = ("tick", "square", "question", "question", "dashes", "sign")
        sheet.mark(x0 + sheet.between(0.1, 0.4) * wide, middle, h * sheet.between(0.55, 1), some[int(rng.integers(6))])
    elif kind in ("digit", "printed"):
        printed = kind == "printed"
        x = x0 + wide / 2 + (0 if printed else rng.normal(0, 0.1) * wide)
        sheet.centred(x, y0 + high / 2 if printed else middle, h, printed)
    else:
        n = int(rng.integers(1, max(2, int(wide / h / 0.75))))
        sheet.number(n, x0 + sheet.between(0.05, 0.25) * wide, middle, 0.9 * h, 0.12, kind == "amounts", n > 2)


def _table(sheet: Sheet) -> None:
    """A table of which each column holds things of a kind: numbers, digits, ticks, words, print."""
    rng, h = sheet.rng, sheet.height
    high, y0, x = h * sheet.between(1.1, 2.2), sheet.between(-1, 2) * h, sheet.between(-2, 3) * h
    thick, level = sheet.between(0.7, 3), round(sheet.between(90, 255))
    rows = int(SIDE / high) + 2 if sheet.chance(0.7) else int(rng.integers(3, 9))
    upright, fill = sheet.chance(0.85), sheet.between(0.3, 1)
    top, left = y0, x
    some = ("words", "crowded", "written", "marks", "digit", "digit", "printed", "numbers", "numbers", "amounts")
    while x < SIDE:
        kind = some[int(rng.integers(len(some)))]
        wide = h * (sheet.between(1.2, 2.6) if kind in ("digit", "printed", "marks") else sheet.between(2.5, 9))
        if upright:
            sheet.rule((x, top), (x, top + rows * high), thick, level)
        for row in range(rows):
            if sheet.chance(fill):
                what = "marks" if kind in ("digit", "numbers") and sheet.chance(0.08) else kind
                if row == 0 and sheet.chance(0.5):
                    what = "words"
                _content(sheet, what, x, top + row * high, wide, high)
        x += wide
        if sheet.chance(0.12):
            break
    sheet.rule((x, top), (x, top + rows * high), thick, level)
    for row in range(rows + 1):
        y = top + row * high
        sheet.rule((left, y), (x, y), thick, level)


def _sudoku(sheet: Sheet) -> None:
    """Square cells, thick rules around nine of them, a digit or none in each: printed, written or both; small candidates."""
    rng, h = sheet.rng, sheet.height
    side = h * sheet.between(1.25, 2.4)
    x0, y0 = sheet.between(-4, 2) * side, sheet.between(-4, 2) * side
    n = int(rng.integers(5, 10)) if sheet.chance(0.3) else 9
    thin, thick, level = sheet.between(0.6, 1.6), sheet.between(1, 5), round(sheet.between(80, 255))
    full, printed = sheet.between(0.15, 1), float(rng.choice([0.0, 0.3, 0.5, 1.0, 1.0, 1.0]))
    candidates, crowded = (sheet.between(0, 0.4) if sheet.chance(0.12) else 0.0), sheet.chance(0.1)
    for k in range(n + 1):
        wide = thick if k % 3 == 0 else thin
        own = 255 if k % 3 == 0 else level
        sheet.rule((x0 + k * side, y0), (x0 + k * side, y0 + n * side), wide, own)
        sheet.rule((x0, y0 + k * side), (x0 + n * side, y0 + k * side), wide, own)
    for i in range(n):
        for j in range(n):
            x, y = x0 + (i + 0.5) * side, y0 + (j + 0.5) * side
            if not (-h < x < SIDE + h and -h < y < SIDE + h):
                continue
            if sheet.chance(candidates):
                for _ in range(int(rng.integers(1, 4))):
                    sheet.centred(x + sheet.between(-0.35, 0.35) * side, y - 0.3 * side, 0.3 * h)
            elif sheet.chance(full):
                if sheet.chance(printed):
                    sheet.centred(x + rng.normal(0, 0.02) * side, y + rng.normal(0, 0.02) * side, h, True)
                else:
                    off = 0.09 * side
                    sheet.centred(x + rng.normal(0, off), y + rng.normal(0, off), h * sheet.between(0.8, 1.15))
            elif crowded and sheet.chance(0.2):
                sheet.mark(x - 0.3 * side, y, 0.6 * h)
    if sheet.chance(0.5):
        y, face = y0 - sheet.between(0.6, 2) * h, sheet.type.face
        for _ in range(3):
            x = x0
            while x < SIDE and y > 0:
                x = sheet.text(sheet.word(), x, y, h * sheet.between(0.5, 0.7), face, False) + 0.3 * h
            y = y0 + n * side + sheet.between(0.8, 3) * h if y < y0 else y + 1.3 * h


def _comb(sheet: Sheet, x: float, y: float) -> float:
    """Boxes for one digit each, filled from the right or the left, with crosses or letters in some; where they end."""
    rng, h = sheet.rng, sheet.height
    wide, high = h * sheet.between(0.9, 1.9), h * sheet.between(1.15, 1.9)
    n, apart = int(rng.integers(1, 9)), sheet.between(0, 0.3) * h if sheet.chance(0.35) else 0.0
    thick, level, open_top = sheet.between(0.7, 3), round(sheet.between(90, 255)), sheet.chance(0.15)
    inner = sheet.chance(0.2)  # a frame around all, and faint rules within
    filler, letters = sheet.chance(0.25), sheet.chance(0.12)
    face, first = sheet.face(False), int(rng.integers(0, n)) if sheet.chance(0.4) else 0
    for k in range(n):
        left = x + k * (wide + apart)
        if open_top:
            cut = y + high * sheet.between(0.4, 0.7) if k else y
            sheet.rule((left, cut), (left, y + high), thick, level)
            sheet.stroke([(left, y + high), (left + wide, y + high), (left + wide, y + 0.5 * high)], thick, level=level)
        elif inner:
            sheet.rule((left, y), (left, y + high), 0.7, round(0.5 * level))
        else:
            sheet.box(left, y, left + wide, y + high, thick, level)
        middle, centre = y + high * (0.5 + rng.normal(0, 0.05)), left + wide * (0.5 + rng.normal(0, 0.07))
        if letters:
            sheet.written(letter_of(sheet.rng), centre - 0.35 * h, middle, 0.85 * h, face)
        elif k < first or sheet.chance(0.05):
            if filler:
                sheet.cross(centre, middle, 0.8 * h)
        else:
            sheet.centred(centre, middle, h * sheet.between(0.75, 1.05), sheet.chance(0.04))
    end = x + n * (wide + apart)
    if inner:
        sheet.box(x, y, end, y + high, thick, level)
    return end


def _form(sheet: Sheet) -> None:
    """Printed names of fields, boxes, lines to write on, bars, barcodes, printed numbers beside them."""
    rng, h = sheet.rng, sheet.height
    y, small, face = sheet.between(-0.5, 2) * h, h * sheet.between(0.35, 0.8), sheet.face(False)
    written = sheet.between(0.5, 0.95)
    while y < SIDE:
        x = sheet.between(0, 4) * h
        if sheet.chance(0.2):
            x = sheet.number(int(rng.integers(1, 4)), x, y + 0.7 * h, h * sheet.between(0.5, 1), 0.12, True, False) + h
        for _ in range(int(rng.integers(0, 4))):
            x = sheet.text(sheet.word(), x, y + 0.7 * h, small, sheet.type.face, False) + 0.4 * small
        x += sheet.between(0.2, 1.5) * h
        how = rng.random()
        if how < 0.5:
            while x < SIDE:
                x = _comb(sheet, x, y) + sheet.between(1, 4) * h
                if sheet.chance(0.5):
                    break
                x = sheet.text(sheet.word(), x, y + 0.7 * h, small, sheet.type.face, False) + 0.4 * small
        elif how < 0.85:
            sheet.stroke(
                [(x, y + 1.3 * h), (SIDE, y + 1.3 * h)], sheet.between(0.7, 2), level=round(sheet.between(90, 255))
            )
            if sheet.chance(0.4):
                sheet.number(int(rng.integers(1, 7)), x + h, y + 0.7 * h, h, _apart(sheet))
            else:
                while x < SIDE and sheet.chance(written):
                    x = sheet.written(sheet.word(), x, y + 0.7 * h, 0.9 * h, face) + 0.5 * h
        elif how < 0.92:
            sheet.filled(
                x, y, x + sheet.between(2, 12) * h, y + sheet.between(0.7, 1.6) * h, round(sheet.between(150, 255))
            )
        else:
            end = x + sheet.between(4, 12) * h
            while x < end:
                wide = sheet.between(1, 4)
                sheet.filled(x, y, x + wide, y + 1.4 * h)
                x += wide + sheet.between(1, 4)
        y += h * sheet.between(1.6, 3.2)
    if sheet.chance(0.4):
        a, b = sheet.between(-1, 2) * h, sheet.between(-1, 2) * h
        sheet.box(a, b, SIDE - a, SIDE - b, sheet.between(1, 4))


def _print(sheet: Sheet) -> None:
    """A printed page, with numbers on it or without, and something written between the lines."""
    rng = sheet.rng
    size, numbers = sheet.height * sheet.between(0.6, 1.1), float(rng.choice([0, 0.15, 0.5, 0.9]))
    y, start, written = sheet.between(-0.5, 1) * size, sheet.between(-2, 3) * size, sheet.chance(0.3)
    columns = sheet.chance(0.25)
    while y < SIDE + size:
        x = start
        while x < SIDE:
            if columns:
                x = max(x, float(np.ceil(x / (5 * size)) * 5 * size))
            if sheet.chance(numbers):
                x = sheet.number(int(rng.integers(1, 7)), x, y, size, 0.1, True)
                if sheet.chance(0.15):
                    x = sheet.unit(x + 0.1 * size, y, size, sheet.type.face, False)
            else:
                x = sheet.text(sheet.word(), x, y, size, sheet.type.face, False)
            x += 0.4 * size
        y += size * sheet.between(1.35, 1.9)
        if written and sheet.chance(0.2):
            y += 0.8 * sheet.height
            sheet.number(int(rng.integers(1, 7)), sheet.between(0, 250), y, sheet.height, _apart(sheet))
            y += sheet.height + 0.6 * size


def _words(sheet: Sheet) -> None:
    """A page of words by hand, in one font or as scrawls."""
    rng, h = sheet.rng, sheet.height
    y, pitch, face = sheet.between(0, 1) * h, h * sheet.between(1.3, 2.4), sheet.face(False)
    upper, scrawls = sheet.chance(0.35), sheet.chance(0.25)
    if sheet.chance(0.4):
        _ruled(sheet, y + 0.6 * h, pitch)
    while y < SIDE:
        x = sheet.between(-0.5, 2) * h
        while x < SIDE:
            word = sheet.word()
            if scrawls:
                x = sheet.scrawl(x, y, h, int(rng.integers(3, 12)))
            else:
                x = sheet.written(word.upper() if upper else word, x, y, h * sheet.between(0.85, 1), face)
            x += h * sheet.between(0.3, 0.8)
        y += pitch


def _nothing(sheet: Sheet) -> None:
    """Blank paper, doodles, figures, ticks, a few words."""
    h = sheet.height
    for _ in range(int(sheet.rng.integers(0, 12))):
        x, y = sheet.between(0, SIDE), sheet.between(0, SIDE)
        if sheet.chance(0.8):
            sheet.mark(x, y, h * sheet.between(0.5, 4))
        else:
            sheet.text(sheet.word(), x, y, h * sheet.between(0.6, 3), sheet.face(sheet.chance(0.5)), True)


def _about(sheet: Sheet) -> None:
    """What may lie on any page: marks, scrawls, torn print, blots of other sizes, faint large print behind it all."""
    import cv2

    rng, h = sheet.rng, sheet.height
    if sheet.chance(0.2):
        sheet.mark(sheet.between(0, SIDE), sheet.between(0, SIDE), h * sheet.between(0.5, 5))
    if sheet.chance(0.1):
        sheet.scrawl(
            sheet.between(0, SIDE), sheet.between(0, SIDE), h * sheet.between(0.6, 2), int(rng.integers(4, 14))
        )
    if sheet.chance(0.12):  # print that is cut to slices and shuffled
        other = Sheet(sheet.sources, rng, h)
        size, rows = h * sheet.between(0.4, 1.0), int(rng.integers(1, 5))
        for row in range(rows):
            x = 0.0
            while x < SIDE:
                x = other.text(other.word(), x, size * (1 + 1.5 * row), size, other.type.face, False) + 0.3 * size
        tall, wide = min(SIDE - 1, int(size * (1.5 * rows + 1))), int(rng.integers(2, 14))
        slices = [other.print[:tall, k : k + wide] for k in range(0, SIDE - wide, wide)]
        torn = np.concatenate([slices[int(k)] for k in rng.permutation(len(slices))], axis=1)
        torn = torn[:, : int(rng.integers(SIDE // 4, SIDE))]
        x, y = sheet.between(-30, SIDE // 2), sheet.between(0, SIDE)
        near = [t for t in sheet.things if t.label < 20 and abs((t.box[1] + t.box[3]) / 2 - y) < tall / 2 + h]
        if not near:
            sheet.put(np.ascontiguousarray(torn), x, y, 20, False)
    if sheet.chance(0.12):  # what shows through from the other side
        other = Sheet(sheet.sources, rng, h * sheet.between(0.6, 1.5))
        (_print, _words, _numbers)[int(rng.integers(3))](other)
        back = np.maximum(other.print, other.pen)[:, ::-1]
        soft = cv2.GaussianBlur(np.ascontiguousarray(back), (0, 0), sheet.between(0.5, 2.5))
        np.maximum(sheet.print, (soft * sheet.between(0.05, 0.25)).astype(np.uint8), out=sheet.print)
    if sheet.chance(0.12):
        faint = np.zeros_like(sheet.print)
        text = sheet.word().upper()
        for _ in range(int(rng.integers(1, 4))):
            at = int(sheet.between(-50, SIDE)), int(sheet.between(20, SIDE))
            cv2.putText(
                faint, text, at, int(rng.integers(8)), sheet.between(1.5, 6), 255, int(rng.integers(3, 18)), cv2.LINE_AA
            )
        faint = (faint * sheet.between(0.06, 0.25)).astype(np.uint8)
        np.maximum(sheet.print, faint, out=sheet.print)
