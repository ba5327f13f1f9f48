"""Tables that somebody printed and somebody else filled in: class lists with marks, and tables with bands of colour.

Numbers are handwritten, everything else is printed. What camera and file make of a list is ``everyday``'s business.
"""

from __future__ import annotations

import cv2
import numpy as np

from bench.pages import glyphs, prints, words
from bench.pages.layout import Line, Writer, rule
from bench.pages.looks import Colour
from bench.pages.prints import Printer

GREYS: tuple[Colour, ...] = ((215, 215, 215), (190, 190, 192), (168, 168, 170), (200, 208, 220), (224, 216, 204))
PALE: tuple[Colour, ...] = ((236, 236, 236), (226, 234, 245), (240, 236, 222), (228, 240, 228), (246, 230, 228))
MARKERS: tuple[Colour, ...] = ((255, 245, 90), (150, 250, 150), (255, 170, 210), (255, 200, 110), (140, 225, 255))
LOGOS: tuple[Colour, ...] = ((170, 30, 40), (20, 70, 140), (20, 110, 70), (30, 30, 34), (230, 130, 20), (90, 40, 120))


def class_list(writer: Writer, printer: Printer) -> None:
    """20 to 30 names with a mark behind most of them, one to three columns of marks, ruled or not."""
    rng, sheet, size = writer.rng, printer.sheet, writer.sheet.size
    height, width = sheet.ink.shape
    rows = int(rng.integers(20, 31))
    left, right = width * rng.uniform(0.04, 0.1), width * rng.uniform(0.88, 0.96)
    pitch = 0.82 * height / (rows + 1)
    top = height * rng.uniform(0.09, 0.13)
    name = pitch * rng.uniform(0.24, 0.36)  # how high its capitals are
    columns = int(rng.integers(1, 4))
    mark_width = max(2.6 * size, pitch * rng.uniform(1.7, 2.6))
    first = right - columns * mark_width
    printer.heading(left, 0.04 * height + 1.4 * name, name)
    ruled = rng.random() < 0.65
    thick = int(rng.integers(1, 3))
    if rng.random() < 0.6:
        sheet.fills.append(((round(left), round(top), round(right), round(top + pitch)), GREYS[int(rng.integers(5))]))
    printer.text("Name", left + 3 * name, top + 0.65 * pitch, 1.05 * name)
    for k in range(columns):
        printer.middle(printer.pick(words.COLUMNS), first + (k + 0.5) * mark_width, top + 0.65 * pitch, 0.9 * name)
    if ruled:
        for i in range(rows + 2):
            rule(sheet, (left, top + i * pitch), (right, top + i * pitch), thick)
        across = [left, right, *(first + k * mark_width for k in range(columns))]
        for x in across if rng.random() < 0.8 else across[2:]:
            rule(sheet, (x, top), (x, top + (rows + 1) * pitch), thick)
    order = rng.integers(0, [len(words.FIRST), len(words.LAST)], (rows, 2))
    longest = 1 + int(rng.integers(1, 4)) // 2 + int(rng.random() < 0.3)
    numbered = printer.numbers and rng.random() < 0.7
    empty, other = rng.uniform(0.02, 0.25), rng.random() < 0.5
    for i in range(rows):
        base = top + (i + 1.68) * pitch
        seen = printer.number(i + 1, left + 0.6 * name, base, name, "") if numbered else None
        printer.text(f"{words.LAST[order[i, 1]]}, {words.FIRST[order[i, 0]]}", left + 3 * name, base, name, first)
        line = Line(f"({i + 1})" if seen else "")
        for k in range(columns):
            if rng.random() < empty:
                continue
            x, stands = first + k * mark_width, base + 0.08 * pitch + rng.normal(0, 0.03) * pitch
            if other and k == columns - 1 and columns > 1:  # a column of ticks
                mark = prints.ticked(rng, 0.8 * size, 0.1 * size)
                writer.put(mark, x + 0.35 * mark_width, stands - 0.85 * size)
                continue
            n = int(rng.integers(1, longest + 1))
            writer.number(line, n, x + rng.uniform(0.18, 0.5) * size, stands, x + mark_width)
        if line.digits:
            sheet.lines.append(line)
        elif seen:
            printer.alone(str(i + 1), seen)
    printer.foot(0.9 * name)


def banded(writer: Writer, printer: Printer, most: int) -> None:
    """A table under a grey head row, its rows striped, a highlighter over some numbers, a logo in a corner."""
    rng, sheet, size = writer.rng, printer.sheet, writer.sheet.size
    height, width = sheet.ink.shape
    logo(printer, size)
    left, right = width * rng.uniform(0.05, 0.09), width * rng.uniform(0.91, 0.95)
    pitch = size * rng.uniform(1.55, 2.1)
    columns = int(np.clip((right - left) // (size * rng.uniform(4.0, 6.0)), 1, 6))
    step = (right - left) / columns
    longest = int(np.clip((step - 0.6 * size) // (0.95 * size), 1, 6))
    top = max(height * rng.uniform(0.13, 0.2), 0.05 * height + 2.6 * size)
    rows = int(min((0.93 * height - top) // pitch - 1, 26, 2 + most // (2 * columns)))
    label = min(0.5 * size, 0.11 * step)
    grey = GREYS[int(rng.integers(5))]
    dark = rng.random() < 0.25
    head = (70, 74, 82) if dark else grey
    sheet.fills.append(((round(left), round(top), round(right), round(top + pitch)), head))
    for k in range(columns):
        at = left + (k + 0.5) * step, top + 0.65 * pitch
        printer.middle(printer.pick(words.COLUMNS), *at, max(8.0, label), light=dark)
    stripe = PALE[int(rng.integers(len(PALE)))] if rng.random() < 0.8 else None
    ruled = stripe is None or rng.random() < 0.4
    colour = MARKERS[int(rng.integers(len(MARKERS)))]
    lit = rng.uniform(0.05, 0.25) if rng.random() < 0.7 else 0.0
    for i in range(rows):
        y = top + (i + 1) * pitch
        if stripe is not None and i % 2:
            sheet.fills.append(((round(left), round(y), round(right), round(y + pitch)), stripe))
        if ruled:
            rule(sheet, (left, y), (right, y), 1)
        line = Line()
        for k in range(columns):
            if rng.random() < 0.12 or sheet.digits + len(line.digits) >= most:
                continue
            before = len(line.digits)
            x, base = left + k * step + rng.uniform(0.2, 0.5) * size, y + pitch / 2 + 0.5 * size
            writer.number(line, int(rng.integers(1, longest + 1)), x, base, left + (k + 1) * step - 0.1 * size)
            if line.digits[before:] and rng.random() < lit:
                prints.highlighted(sheet, Line(digits=line.digits[before:]).box, rng, colour)
        if line.digits:
            sheet.lines.append(line)
    if ruled:
        rule(sheet, (left, top + (rows + 1) * pitch), (right, top + (rows + 1) * pitch), 1)
    printer.foot(max(8.0, label))


def logo(printer: Printer, size: float) -> None:
    """A title, and beside it a block of colour with a name left open in it, or a ring."""
    rng, sheet = printer.rng, printer.sheet
    height, width = sheet.ink.shape
    printer.heading(0.07 * width, 0.05 * height + size, 0.55 * size)
    colour = LOGOS[int(rng.integers(len(LOGOS)))]
    side = height * rng.uniform(0.05, 0.085)
    x1, y0 = 0.94 * width, 0.025 * height
    x0 = x1 - side * rng.uniform(1.0, 3.0)
    sheet.fills.append(((round(x0), round(y0), round(x1), round(y0 + side)), colour))
    if rng.random() < 0.5:
        inset = round(0.18 * side)
        inner = round(x0) + inset, round(y0) + inset, round(x1) - inset, round(y0 + side) - inset
        sheet.fills.append((inner, (252, 252, 250)))
        cv2.circle(sheet.printed, (inner[0] + inset, (inner[1] + inner[3]) // 2), inset, 255, -1, cv2.LINE_AA)
    elif x1 - x0 > 1.6 * side:
        mark = glyphs.word(printer.pick(("NORA", "KRAFT", "VERMEER", "TANDEM")), printer.face, 0.42 * side)[0]
        printer.lay(mark, (x0 + x1 - mark.shape[1]) / 2, y0 + (side - mark.shape[0]) / 2, x1, light=True)
