"""Printed forms: labels, and beside or below them combs, boxes, dates, check boxes and lines, filled in by hand or not.

A field is its frame, what is printed in it and what was written there. ``lists`` draws tables; what camera and file make of a
form is ``everyday``'s business.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.pages import fonts, glyphs, layout, prints, words
from bench.pages.layout import Box, Line, Writer, rule
from bench.pages.prints import Paper, Printer

FRAMES = ("comb", "boxes", "apart", "thick", "tinted")
FIELDS = ("number", "date", "amount", "letters", "plain", "checks")


@dataclass
class Style:
    """How one form looks. cell: a box's side. thin, thick: widths of its lines. room: how far digits stray, of a cell."""

    frame: str
    cell: float
    thin: int
    thick: int
    tint: tuple[int, int, int]
    above: bool  # labels stand above their fields, else beside them
    label: float  # how high a label's capitals are
    stray: float


def chosen(rng: np.random.Generator, size: float) -> Style:
    thin = 1 if size < 28 else int(rng.integers(1, 3))
    tints = ((214, 226, 240), (245, 222, 210), (220, 236, 218), (226, 226, 226), (250, 236, 196))
    return Style(
        str(rng.choice(FRAMES)),
        size * rng.uniform(1.12, 1.55),
        thin,
        thin + int(rng.integers(1, max(2, round(0.11 * size)))),
        tints[int(rng.integers(len(tints)))],
        bool(rng.random() < 0.5),
        size * rng.uniform(0.38, 0.6),
        rng.uniform(0.03, 0.13),
    )


class Form:
    """Draws one form. fill: whether anybody writes on it."""

    def __init__(self, writer: Writer, printer: Printer, most: int, fill: bool) -> None:
        self.writer, self.printer, self.most, self.fill = writer, printer, most, fill
        self.rng, self.size = writer.rng, writer.sheet.size
        self.sheet: Paper = printer.sheet
        self.style = chosen(self.rng, self.size)
        self.written = 0

    def frame(self, x: float, top: float, n: int) -> float:
        """n cells from x on in the form's frame; where they end."""
        style, cell = self.style, self.style.cell
        bottom, right = top + cell, x + n * cell
        if style.frame == "comb":
            rule(self.sheet, (x, bottom), (right, bottom), style.thin)
            tall = cell * (0.25 + 0.3 * (int(self.size) % 5) / 4)
            for i in range(n + 1):
                high = cell * 0.8 if i in (0, n) else tall
                rule(self.sheet, (x + i * cell, bottom - high), (x + i * cell, bottom), style.thin)
        elif style.frame == "apart":
            for i in range(n):
                self.box(x + i * cell, top, x + (i + 0.86) * cell, bottom, style.thin)
        elif style.frame == "tinted":
            around = (
                round(x - 0.2 * cell),
                round(top - 0.18 * cell),
                round(right + 0.12 * cell),
                round(bottom + 0.18 * cell),
            )
            self.sheet.fills.append((around, style.tint))
            for i in range(n):
                inner = round(x + i * cell), round(top), round(x + (i + 0.9) * cell), round(bottom)
                self.sheet.fills.append((inner, (255, 255, 255)))
        else:
            for i in range(1, n):
                rule(self.sheet, (x + i * cell, top), (x + i * cell, bottom), style.thin)
            self.box(x, top, right, bottom, style.thick if style.frame == "thick" else style.thin)
        return right

    def box(self, x0: float, y0: float, x1: float, y1: float, thickness: int) -> None:
        for a, b in (((x0, y0), (x1, y0)), ((x1, y0), (x1, y1)), ((x1, y1), (x0, y1)), ((x0, y1), (x0, y0))):
            rule(self.sheet, a, b, thickness)

    def cells(self, line: Line, x: float, top: float, text: str) -> None:
        """Writes into cells: 9 a digit, A a letter, a blank nothing. The line learns of its digits."""
        cell, size, rng = self.style.cell, self.size, self.rng
        face = next((f for f in self.writer.faces if fonts.draws(f)("ABCDEF")), None)
        middle = 0.43 if self.style.frame in ("apart", "tinted") else 0.5
        for i, kind in enumerate(text):
            if kind == " ":
                continue
            if kind == "A":
                letters = "ACDEFHJKMNPRTUVWXY"
                if face is None:
                    continue
                mark, _ = glyphs.word(letters[int(rng.integers(len(letters)))], face, 0.85 * size)
                label = ""
            else:
                label, mark = self.writer.glyph(0.94 * size)
            shift = rng.normal(0, self.style.stray, 2) * cell
            left = x + (i + middle) * cell - mark.shape[1] / 2 + shift[0]
            put = self.writer.put(mark, left, top + (cell - mark.shape[0]) / 2 + shift[1])
            if put is not None and label:
                line.digits.append({"label": label, "box": put})
                line.text += label
                self.written += 1

    def part(self, line: Line) -> None:
        """A gap in the line's text before the next number."""
        if line.text and not line.text.endswith(" "):
            line.text += " "

    def number(self, line: Line, x: float, top: float, right: float) -> float:
        n = int(min(self.rng.integers(2, 10), (right - x) // self.style.cell))
        if n < 1:
            return x
        if self.fill:
            self.part(line)
            length = n if self.rng.random() < 0.6 else int(self.rng.integers(1, n + 1))
            blanks = " " * (n - length)
            self.cells(line, x, top, blanks + "9" * length if self.rng.random() < 0.7 else "9" * length + blanks)
        return self.frame(x, top, n)

    def date(self, line: Line, x: float, top: float, right: float) -> float:
        """Day, month and year in boxes, with printed signs between them or small words below."""
        cell, between = self.style.cell, str(self.rng.choice(["/", "-", ".", ""]))
        parts = ((2, "day"), (2, "month"), (4 if self.rng.random() < 0.6 else 2, "year"))
        gap = 0.55 * cell
        if x + cell * sum(n for n, _ in parts) + 2 * gap > right:
            return x
        worded = not between or self.rng.random() < 0.3
        for k, (n, name) in enumerate(parts):
            if self.fill:
                self.part(line)
                self.cells(line, x, top, "9" * n)
            end = self.frame(x, top, n)
            if worded:
                self.printer.middle(name, (x + end) / 2, top + 1.42 * cell, 0.3 * cell)
            if between and k < 2:
                self.printer.middle(
                    between, end + gap / 2, top + 0.78 * cell, 0.6 * cell if between != "." else 0.5 * cell
                )
            x = end + gap
        return x - gap

    def amount(self, line: Line, x: float, top: float, right: float) -> float:
        """Cells before and behind a printed comma."""
        cell = self.style.cell
        n = int(min(self.rng.integers(2, 6), (right - x) // cell - 3))
        if n < 1:
            return x
        if self.fill:
            self.part(line)
            self.cells(line, x, top, "9" * n)
            self.cells(line, x + (n + 0.4) * cell, top, "99")
        end = self.frame(x, top, n)
        self.printer.middle(",", end + 0.2 * cell, top + 0.9 * cell, 0.6 * cell)
        return self.frame(end + 0.4 * cell, top, 2)

    def letters(self, line: Line, x: float, top: float, right: float) -> float:
        """Capitals, sometimes with a number behind them."""
        n = int(min(self.rng.integers(5, 13), (right - x) // self.style.cell))
        if n < 3:
            return x
        if self.fill:
            digits = int(self.rng.integers(2, 4)) if self.rng.random() < 0.4 else 0
            self.part(line)
            text = "A" * int(self.rng.integers(2, n - digits + 1)) if n > digits + 1 else ""
            self.cells(line, x, top, text + "9" * digits)
        return self.frame(x, top, n)

    def plain(self, line: Line, x: float, top: float, right: float) -> float:
        """A line, or a row of dots, to write a number on."""
        length = min(right - x, self.size * self.rng.uniform(4, 9))
        if length < 2.5 * self.size:
            return x
        base = top + self.style.cell
        if self.rng.random() < 0.5:
            for dot in np.arange(x, x + length, max(4.0, 0.16 * self.size)):
                rule(self.sheet, (dot, base), (dot + 1, base), max(1, self.style.thin))
        else:
            rule(self.sheet, (x, base), (x + length, base), self.style.thin)
        if self.fill:
            n = int(self.rng.integers(1, 6))
            start = len(line.digits)
            low = self.rng.uniform(-0.02, 0.14) * self.size
            self.writer.number(line, n, x + 0.4 * self.size, base - low, x + length)
            self.written += len(line.digits) - start
        return x + length

    def checks(self, line: Line, x: float, top: float, right: float) -> float:
        """Small boxes with a word behind each; some are ticked."""
        side = self.style.cell * 0.6
        for _ in range(int(self.rng.integers(2, 5))):
            y = top + 0.3 * self.style.cell
            if x + 4.5 * side > right:
                break
            self.box(x, y, x + side, y + side, self.style.thin)
            if self.fill and self.rng.random() < 0.4:
                mark = prints.ticked(self.rng, side * self.rng.uniform(0.8, 1.2), 0.08 * self.size)
                self.writer.put(mark, x + self.rng.uniform(-0.1, 0.15) * side, y - self.rng.uniform(0, 0.2) * side)
            word = self.printer.text(
                self.printer.pick(words.CHECKS), x + 1.35 * side, y + 0.85 * side, self.style.label
            )
            x = (word[2] if word else x + 3 * side) + 1.5 * side
        return x

    def row(self, top: float, number: int) -> None:
        """One or two fields with their labels. number: the row's, printed before the first label; 0 for none."""
        width = self.sheet.ink.shape[1]
        left, right, cell, label = 0.07 * width, 0.94 * width, self.style.cell, self.style.label
        line, x = Line(), left
        seen: Box | None = None
        kinds = self.rng.choice(FIELDS, 2, p=[0.34, 0.2, 0.13, 0.1, 0.15, 0.08])
        for k, kind in enumerate(str(kind) for kind in kinds):
            base = top - 0.45 * label if self.style.above else top + 0.65 * cell
            at = x
            if number and not k and (seen := self.printer.number(number, x, base, label)):
                x = seen[2] + 0.5 * label
            box = self.printer.text(
                self.printer.pick(words.DATES if kind == "date" else words.LABELS), x, base, label, right
            )
            x = at if self.style.above else max(at + 0.22 * width, (box[2] if box else x) + 0.7 * label)
            end = getattr(self, kind)(line, x, top, right)
            x = max(end, box[2] if box else end) + self.size * self.rng.uniform(1.2, 2.2)
            if x > 0.72 * width or self.rng.random() < 0.4:
                break
        line.text = line.text.strip()
        if seen and (self.style.above or not line.digits):
            self.printer.alone(str(number), seen)
        elif seen:
            line.text = f"({number}) {line.text}"
        if line.digits:
            self.sheet.lines.append(line)


def form(writer: Writer, printer: Printer, most: int, fill: bool = True) -> None:
    """A whole form, at most about ``most`` digits written on it."""
    rng, sheet = writer.rng, printer.sheet
    made = Form(writer, printer, most, fill)
    height, width = sheet.ink.shape
    label, cell = made.style.label, made.style.cell
    y = 0.05 * height + 2 * label
    printer.heading(0.07 * width, y, label)
    y += 4 * label
    numbered = printer.numbers and rng.random() < 0.5
    number = 0
    while y + 1.7 * cell < 0.94 * height and made.written < most:
        if rng.random() < 0.08 and fill:  # what nobody may read has been blackened
            x0 = width * rng.uniform(0.07, 0.4)
            x1 = x0 + width * rng.uniform(0.2, 0.5)
            sheet.fills.append(((round(x0), round(y), round(x1), round(y + 0.8 * cell)), (14, 14, 14)))
            y += 1.4 * cell
        if rng.random() < 0.12:  # a new part of the form
            rule(sheet, (0.07 * width, y), (0.94 * width, y), made.style.thick)
            printer.text(printer.pick(words.NOTES), 0.07 * width, y + 1.7 * label, 0.9 * label)
            y += 2.8 * label
        number += numbered
        made.row(y + (1.2 * label if made.style.above else 0), number)
        y += cell * rng.uniform(1.5, 2.0) + (1.6 * label if made.style.above else 0.3 * label)
    if rng.random() < 0.3:
        layout.rule(sheet, (0.03 * width, 0.02 * height), (0.97 * width, 0.02 * height), made.style.thick)
    if rng.random() < 0.3:  # marks that a machine finds the sheet's corners by
        side = round(0.014 * width)
        for left in (0.025 * width, 0.975 * width - side):
            for top in (0.02 * height, 0.98 * height - side):
                sheet.fills.append(((round(left), round(top), round(left) + side, round(top) + side), (20, 20, 20)))
    printer.foot(0.8 * label)
