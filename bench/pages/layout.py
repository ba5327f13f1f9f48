"""Where the ink of a page goes: lines of numbers, words and doodles, as coverage of an upright sheet, with the truth.

What paper, light, camera and file do to the sheet afterwards is ``looks``' business.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.pages import fonts, glyphs, words
from bench.pages.glyphs import Array, Glyphs

Box = tuple[int, int, int, int]  # x0, y0, x1, y1; x1 and y1 are the first pixels outside


@dataclass
class Line:
    text: str = ""
    digits: list[dict[str, Any]] = field(default_factory=list)  # {"label": "1", "box": Box}
    around: Box | None = None  # where a line stands that holds nothing but digits that may be left out

    @property
    def box(self) -> Box:
        if self.around is not None and not self.digits:
            return self.around
        boxes = np.array([digit["box"] for digit in self.digits])
        return *(int(v) for v in boxes[:, :2].min(0)), *(int(v) for v in boxes[:, 2:].max(0))  # type: ignore[return-value]


@dataclass
class Sheet:
    """ink and rules: coverage uint8 [H, W] of pen and of printed lines. neighbours, touching: pairs within numbers."""

    ink: Array
    rules: Array
    size: float  # how high a digit is, pixels
    form: bool = False  # the rules are a form's, which may be printed in black; else the paper's own
    lines: list[Line] = field(default_factory=list)
    neighbours: int = 0
    touching: int = 0

    @property
    def digits(self) -> int:
        return sum(len(line.digits) for line in self.lines)


class Writer:
    """Puts ink on one sheet. pool: the glyphs that may be used, in the order of ``order``, no glyph twice in a round."""

    def __init__(
        self, rng: np.random.Generator, sheet: Sheet, pool: Glyphs, order: Array, faces: list[Path], thin: float
    ) -> None:
        self.rng, self.sheet, self.pool, self.faces, self.thin = rng, sheet, pool, faces, thin
        self.order, self.used = order, 0
        self.height, self.width = sheet.ink.shape

    def put(self, mark: Array, x: float, y: float, density: float = 1.0) -> Box | None:
        """Lays a mark down with its upper left corner at x, y; None if it doesn't fit the sheet."""
        h, w = mark.shape
        left, top = round(x), round(y)
        if left < 1 or top < 1 or left + w >= self.width or top + h >= self.height:
            return None
        under = self.sheet.ink[top : top + h, left : left + w]
        np.maximum(under, (mark * density).astype(np.uint8), out=under)
        return left, top, left + w, top + h

    def glyph(self, size: float) -> tuple[str, Array]:
        at = self.order[self.used % len(self.order)]
        self.used += 1
        mark = glyphs.digit(self.pool.images[at], size * self.rng.uniform(0.93, 1.07), self.thin)
        return str(self.pool.labels[at]), mark

    def number(self, line: Line, n: int, x: float, base: float, right: float, touch: bool = False) -> float:
        """Writes n digits from x on, standing on ``base`` with a hand's jitter; the x where it ended, x if nothing fits.

        touch: each digit is moved to the left until its ink overlaps its neighbour's.
        """
        size, start = self.sheet.size, x
        taken, marks, at = self.used, [], x
        for _ in range(n):
            label, mark = self.glyph(size)
            top = round(base - (size + mark.shape[0]) / 2 + self.rng.normal(0, 0.035) * size)
            if marks and touch:
                at = self.against(marks[-1], mark, top)
            elif marks:
                at += max(2.0, size * self.rng.uniform(0.08, 0.28))
            marks.append((label, mark, round(at), top))
            at = round(at) + mark.shape[1]
        if at > right or any(x < 1 or y < 1 or y + m.shape[0] >= self.height for _, m, x, y in marks):
            self.used = taken
            return start
        line.text += " " * bool(line.text)
        density = self.rng.uniform(0.85, 1.0)
        for label, mark, left, top in marks:
            box = self.put(mark, left, top, density)
            line.text += label
            line.digits.append({"label": label, "box": box})
        self.count(marks)
        return at

    def against(self, before: tuple[str, Array, int, int], mark: Array, top: int) -> float:
        """The x at which ``mark``, its top at ``top``, overlaps the mark before it by a little where they come closest."""
        _, other, left, other_top = before
        low, high = max(top, other_top), min(top + mark.shape[0], other_top + other.shape[0])
        a, b = other[low - other_top : high - other_top] > 128, mark[low - top : high - top] > 128
        both = a.any(axis=1) & b.any(axis=1)
        if not both.any():
            return left + other.shape[1] - 1
        ends = a.shape[1] - a[both, ::-1].argmax(axis=1)  # first column right of the ink, row by row
        starts = b[both].argmax(axis=1)
        depth = 1 + round(self.rng.uniform(0, 0.05) * self.sheet.size)
        at = int((ends - starts).max()) - depth
        return left + max(at, 0.6 * other.shape[1])  # a hand doesn't write a digit into the one before

    def count(self, marks: list[tuple[str, Array, int, int]]) -> None:
        """Adds a number's pairs of neighbours to the sheet, and how many are one component of ink."""
        if len(marks) < 2:
            return
        x0, y0 = min(x for _, _, x, _ in marks), min(y for _, _, _, y in marks)
        x1, y1 = max(x + m.shape[1] for _, m, x, _ in marks), max(y + m.shape[0] for _, m, _, y in marks)
        ink = np.zeros((y1 - y0, x1 - x0), np.uint8)
        for _, mark, x, y in marks:
            under = ink[y - y0 : y - y0 + mark.shape[0], x - x0 : x - x0 + mark.shape[1]]
            np.maximum(under, mark, out=under)
        _, parts = cv2.connectedComponents((ink > 128).astype(np.uint8), connectivity=8)
        sets = [
            set(np.unique(parts[y - y0 : y - y0 + m.shape[0], x - x0 : x - x0 + m.shape[1]][m > 128]).tolist()) - {0}
            for _, m, x, y in marks
        ]
        self.sheet.neighbours += len(marks) - 1
        self.sheet.touching += sum(bool(a & b) for a, b in itertools.pairwise(sets))

    def separated(self, line: Line, x: float, base: float, right: float) -> float:
        """A number with a minus before it or a decimal point or comma in it, which the line's text states."""
        size, rng = self.sheet.size, self.rng
        width = max(2, round(0.11 * size))
        kind = rng.choice(["-", ".", ","])
        needed = 5.5 * size
        if x + needed > right:
            return x
        if kind == "-":
            dash = np.full((width, round(0.45 * size)), 255, np.uint8)
            self.put(dash, x, base - size / 2)
            text, fresh = line.text, Line()
            end = self.number(fresh, int(rng.integers(1, 3)), x + 0.62 * size, base, right)
            line.text = f"{text} -{fresh.text}".strip()
            line.digits += fresh.digits
            return end
        at = self.number(line, int(rng.integers(1, 3)), x, base, right)
        dot = round(1.15 * width) + 1
        mark = np.zeros((dot + 2, dot + 2), np.uint8)
        cv2.circle(mark, (dot // 2 + 1, dot // 2 + 1), dot // 2, 255, -1, cv2.LINE_AA)
        if kind == ",":
            mark = np.pad(mark, ((0, dot), (dot // 2, 0)))
            tail = (dot + dot // 2, dot // 2 + 1), (dot // 2, 2 * dot)
            cv2.line(mark, *tail, 255, max(1, width // 2), cv2.LINE_AA)
        gap = 0.12 * size + 2
        box = self.put(mark, at + gap, base - 0.12 * size)
        fresh = Line()
        end = self.number(fresh, int(rng.integers(1, 3)), (box[2] if box else at) + gap, base, right)
        line.text += kind + fresh.text
        line.digits += fresh.digits
        return end

    def words(self, x: float, base: float, right: float, texts: list[str], face: Path) -> float:
        """Writes words one after another; the x where the last that fits ended."""
        size = self.sheet.size
        for text in texts:
            mark, above = glyphs.word(text, face, max(7.0, 0.95 * size))
            if x + mark.shape[1] > right:
                break
            box = self.put(mark, x, base - above)
            x = (box[2] if box else x) + size * self.rng.uniform(0.45, 0.8)
        return x


def baselines(rng: np.random.Generator, sheet: Sheet, pitch: float) -> list[float]:
    """Where lines stand: evenly down the sheet within its margins."""
    height = sheet.ink.shape[0]
    top, bottom = 0.06 * height + 1.3 * sheet.size, 0.95 * height - 0.3 * sheet.size
    return [float(y) for y in np.arange(top + rng.uniform(0, 0.3) * pitch, bottom, pitch)]


def margins(rng: np.random.Generator, sheet: Sheet) -> tuple[float, float]:
    width = sheet.ink.shape[1]
    return width * rng.uniform(0.05, 0.1), width * rng.uniform(0.9, 0.95)


def evenly(rng: np.random.Generator, rows: list[float], most: int) -> list[float]:
    """At most so many of the rows: a block of them, as a page that isn't full."""
    start = int(rng.integers(0, max(1, len(rows) - most + 1)))
    return rows[start : start + most]


def plain(writer: Writer, most: int, separators: bool = False, touch: bool = False) -> None:
    """Lines of numbers, at most ``most`` digits. touch: numbers of two to four digits that touch one another."""
    rng, sheet = writer.rng, writer.sheet
    rows = evenly(rng, baselines(rng, sheet, sheet.size * rng.uniform(1.6, 2.4)), 22)
    room = max(3, -(-most // max(1, len(rows))) + 2)  # digits a line
    for row in rows:
        left, right = margins(rng, sheet)
        line, x = Line(), left + rng.uniform(0, 0.6) * sheet.size
        slope = rng.normal(0, 0.004)
        while len(line.digits) < room and sheet.digits + len(line.digits) < most:
            n = int(rng.choice([2, 3, 4], p=[0.6, 0.25, 0.15])) if touch else int(rng.integers(1, 9))
            base = row + slope * (x - left)
            if separators and rng.random() < 0.12:
                end = writer.separated(line, x, base, right)
            else:
                end = writer.number(line, n, x, base, right, touch)
                if end == x and n > 2 and not line.digits:
                    end = writer.number(line, 2, x, base, right, touch)
            if end == x:
                break
            x = end + sheet.size * rng.uniform(0.9, 2.0)
        if line.digits:
            sheet.lines.append(line)


def rule(sheet: Sheet, start: tuple[float, float], end: tuple[float, float], thickness: int) -> None:
    a, b = ((round(p[0]), round(p[1])) for p in (start, end))
    cv2.line(sheet.rules, a, b, 255, thickness, cv2.LINE_AA if thickness == 1 else cv2.LINE_8)


def ruled(writer: Writer, most: int) -> None:
    """Writing on ruled or squared paper, in boxes of one digit each, or in the cells of a table."""
    rng, sheet = writer.rng, writer.sheet
    kind = ("lines", "squares", "boxes", "table")[int(rng.integers(4))]
    sheet.form = kind in ("boxes", "table")
    thickness = int(rng.integers(1, 4 if sheet.form and sheet.size > 40 else 3))
    height, width = sheet.ink.shape
    if kind in ("lines", "squares"):
        pitch = sheet.size * rng.uniform(1.5, 2.0)
        rows = baselines(rng, sheet, pitch)
        step = pitch if kind == "lines" else pitch / 2
        for y in np.arange(rows[0] - pitch, height, step):
            rule(sheet, (0, y), (width, y), thickness)
        if kind == "squares":
            for x in np.arange(rng.uniform(0, step), width, step):
                rule(sheet, (x, 0), (x, height), thickness)
        elif rng.random() < 0.5:
            rule(sheet, (0.06 * width, 0), (0.06 * width, height), thickness)
        rows = evenly(rng, rows, 22)
        room = max(3, -(-most // len(rows)) + 2)
        for row in rows:
            left, right = margins(rng, sheet)
            line, x = Line(), max(left, 0.075 * width) + rng.uniform(0, 0.6) * sheet.size
            while len(line.digits) < room and sheet.digits + len(line.digits) < most:
                base = row - sheet.size * rng.uniform(0.02, 0.12)
                end = writer.number(line, int(rng.integers(1, 9)), x, base, right)
                if end == x:
                    break
                x = end + sheet.size * rng.uniform(0.9, 2.0)
            if line.digits:
                sheet.lines.append(line)
    elif kind == "boxes":
        boxes(writer, most, thickness)
    else:
        table(writer, most, thickness)


def boxes(writer: Writer, most: int, thickness: int) -> None:
    """Rows of boxes, one digit in each, as forms have them; a group of boxes is a number."""
    rng, sheet = writer.rng, writer.sheet
    cell = sheet.size * rng.uniform(1.35, 1.6)
    for row in evenly(rng, baselines(rng, sheet, cell * rng.uniform(1.4, 1.9)), 18):
        (x, right), line = margins(rng, sheet), Line()
        top = row - sheet.size / 2 - cell / 2
        while sheet.digits + len(line.digits) < most:
            n = int(min(rng.integers(2, 9), (right - x) // cell))
            if n < 1:
                break
            line.text += " " * bool(line.text)
            for i in range(n + 1):
                rule(sheet, (x + i * cell, top), (x + i * cell, top + cell), thickness)
            for y in (top, top + cell):
                rule(sheet, (x, y), (x + n * cell, y), thickness)
            for i in range(n):
                one = Line()
                shift = rng.normal(0, 0.05, 2) * sheet.size
                label, mark = writer.glyph(sheet.size)
                box = writer.put(
                    mark,
                    x + (i + 0.5) * cell - mark.shape[1] / 2 + shift[0],
                    top + (cell - mark.shape[0]) / 2 + shift[1],
                )
                one.digits.append({"label": label, "box": box})
                line.text += label
                line.digits += one.digits
            x += n * cell + sheet.size * rng.uniform(1.2, 2.0)
        if line.digits:
            sheet.lines.append(line)


def table(writer: Writer, most: int, thickness: int) -> None:
    """A table with a number in most cells."""
    rng, sheet = writer.rng, writer.sheet
    (left, right), pitch = margins(rng, sheet), sheet.size * rng.uniform(1.5, 1.9)
    longest = int(np.clip((right - left) // (2 * sheet.size) - 1, 1, 5))
    columns = max(1, min(5, int((right - left) // ((longest + 0.8) * sheet.size))))
    step = (right - left) / columns
    rows = evenly(rng, baselines(rng, sheet, pitch), min(24, 1 + most // (2 * columns)))
    lower = 0.3 * sheet.size
    for y in [rows[0] - pitch, *rows]:
        rule(sheet, (left, y + lower), (right, y + lower), thickness)
    for i in range(columns + 1):
        rule(sheet, (left + i * step, rows[0] - pitch + lower), (left + i * step, rows[-1] + lower), thickness)
    for row in rows:
        line = Line()
        for i in range(columns):
            x = left + i * step + rng.uniform(0.15, 0.4) * sheet.size
            if rng.random() < 0.9 and sheet.digits + len(line.digits) < most:
                writer.number(line, int(rng.integers(1, longest + 1)), x, row, left + (i + 1) * step - 0.1 * sheet.size)
        if line.digits:
            sheet.lines.append(line)


def mixed(writer: Writer, most: int) -> None:
    """Numbers among words, and doodles between the lines and at the margin. The truth knows the numbers alone."""
    rng, sheet = writer.rng, writer.sheet
    face = writer.faces[int(rng.integers(len(writer.faces)))]
    known = [w for w in words.WORDS if fonts.draws(face)(w)] or [w.upper() for w in words.WORDS if w.isupper()]
    rows = evenly(rng, baselines(rng, sheet, sheet.size * rng.uniform(2.0, 2.6)), 24)
    room = max(3, -(-most // len(rows)) + 2)
    for row in rows:
        left, right = margins(rng, sheet)
        if rng.random() < 0.15:  # a row of doodles
            x, side = left, min(3.0, 1.6 + rng.random()) * sheet.size
            while x + side < right and rng.random() < 0.75:
                mark = glyphs.doodle(rng, round(side), 0.1 * sheet.size)
                writer.put(mark, x, row - sheet.size / 2 - mark.shape[0] / 2)
                x += side + sheet.size * rng.uniform(0.8, 3.0)
            continue
        line, x = Line(), left + rng.uniform(0, 0.6) * sheet.size
        while len(line.digits) < room and sheet.digits + len(line.digits) < most:
            some = [str(w) for w in rng.choice(known, int(rng.integers(1, 3)))] if rng.random() < 0.6 else []
            x = writer.words(x, row, right, some, face) + sheet.size * rng.uniform(0.3, 0.8)
            end = writer.number(line, int(rng.integers(1, 7)), x, row, right)
            if end == x:
                break
            x = end + sheet.size * rng.uniform(0.9, 1.6)
        if line.digits:
            sheet.lines.append(line)


def prose(writer: Writer) -> None:
    """A page of handwriting without a digit."""
    rng, sheet = writer.rng, writer.sheet
    able = [face for face in writer.faces if fonts.draws(face)("".join(fonts.LETTERS).lower())]
    face = able[int(rng.integers(len(able)))]
    text = words.PROSE[int(rng.integers(len(words.PROSE)))].split()
    at = int(rng.integers(len(text)))
    for row in baselines(rng, sheet, sheet.size * 2.0):
        left, right = margins(rng, sheet)
        x = left
        while True:
            end = writer.words(x, row, right, [text[at % len(text)]], face)
            if end == x:
                break
            x, at = end, at + 1
