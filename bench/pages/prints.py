"""What is printed on a sheet before anybody writes on it: labels, names, headings, row numbers, bands of colour.

``Paper`` is a sheet with print; ``Printer`` puts it there. No text holds a digit but for row and page numbers, which the truth
knows as digits that may be left out. Read by ``forms``, ``lists`` and ``everyday``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from bench.pages import glyphs, words
from bench.pages.glyphs import Array
from bench.pages.layout import Box, Line, Sheet
from bench.pages.looks import Colour


@dataclass
class Paper(Sheet):
    """A sheet with print. ``form`` of it is true.

    printed, light: coverage uint8 [H, W] of black print, and of white print on colour. fills: boxes of colour below all ink.
    marker: strokes of a highlighter over all ink, each a line, how wide, and its colour. optional: boxes of printed digits,
    which may be read or not.
    """

    printed: Array = field(default_factory=lambda: np.zeros((1, 1), np.uint8))
    light: Array = field(default_factory=lambda: np.zeros((1, 1), np.uint8))
    fills: list[tuple[Box, Colour]] = field(default_factory=list)
    marker: list[tuple[Array, int, Colour]] = field(default_factory=list)
    optional: list[Box] = field(default_factory=list)


def paper(shape: tuple[int, int], size: float) -> Paper:
    """An empty one. shape: height, width."""
    ink, rules, printed, light = (np.zeros(shape, np.uint8) for _ in range(4))
    return Paper(ink, rules, size, True, printed=printed, light=light)


class Printer:
    """Prints on one sheet in one font. numbers: whether rows and pages are numbered."""

    def __init__(self, rng: np.random.Generator, sheet: Paper, faces: list[Path], numbers: bool = True) -> None:
        self.rng, self.sheet, self.numbers = rng, sheet, numbers
        self.face = faces[int(rng.integers(len(faces)))]

    def text(self, text: str, x: float, base: float, height: float, right: float = np.inf) -> Box | None:
        """A text from x on, its capitals so high; None, and nothing printed, if it doesn't fit."""
        mark, above = glyphs.word(text, self.face, max(6.0, height))
        return self.lay(mark, x, base - above, min(right, self.sheet.ink.shape[1]))

    def middle(self, text: str, x: float, base: float, height: float, light: bool = False) -> Box | None:
        """A text whose middle is at x. light: white, on colour."""
        mark, above = glyphs.word(text, self.face, max(6.0, height))
        return self.lay(mark, x - mark.shape[1] / 2, base - above, self.sheet.ink.shape[1], light)

    def lay(self, mark: Array, x: float, y: float, right: float, light: bool = False) -> Box | None:
        h, w = mark.shape
        left, top = round(x), round(y)
        if left < 1 or top < 1 or left + w > right - 1 or top + h >= self.sheet.ink.shape[0]:
            return None
        under = (self.sheet.light if light else self.sheet.printed)[top : top + h, left : left + w]
        np.maximum(under, mark, out=under)
        return left, top, left + w, top + h

    def number(self, value: int, x: float, base: float, height: float, after: str = ".") -> Box | None:
        """A printed number, which the sheet remembers as one that may be left out."""
        box = self.text(f"{value}{after}", x, base, height)
        if box is not None:
            self.sheet.optional.append(box)
        return box

    def alone(self, texts: str, box: Box) -> None:
        """A line of the truth that holds nothing but printed digits."""
        self.sheet.lines.append(Line(f"({texts})", around=box))

    def pick(self, texts: tuple[str, ...]) -> str:
        return texts[int(self.rng.integers(len(texts)))]

    def heading(self, x: float, base: float, height: float) -> None:
        """A title, and now and then a note below it."""
        self.text(self.pick(words.TITLES), x, base, 1.5 * height)
        if self.rng.random() < 0.6:
            self.text(self.pick(words.NOTES), x, base + 1.9 * height, 0.7 * height)

    def foot(self, height: float) -> None:
        """The page's number at the bottom: "Page 1 of 2"."""
        if not self.numbers or self.rng.random() < 0.5:
            return
        h, w = self.sheet.ink.shape
        first, of = int(self.rng.integers(1, 4)), int(self.rng.integers(3, 10))
        if box := self.middle(f"Page {first} of {of}", 0.5 * w, 0.975 * h, height):
            self.sheet.optional.append(box)
            self.alone(f"{first}{of}", box)


def ticked(rng: np.random.Generator, side: float, thickness: float) -> Array:
    """A tick or a cross as a pen makes it, coverage about ``side`` pixels high."""
    wobble = rng.normal(0, 0.04, (3, 2))
    if rng.random() < 0.6:
        lines = [np.array([[0.05, 0.55], [0.35, 0.95], [0.95, 0.0]]) + wobble]
    else:
        lines = [
            np.array([[0.05, 0.05], [0.95, 0.95]]) + wobble[:2],
            np.array([[0.95, 0.05], [0.05, 0.95]]) - wobble[1:],
        ]
    return glyphs.strokes(lines, max(4, round(side)), max(1.0, thickness))


def highlighted(paper: Paper, box: Box, rng: np.random.Generator, colour: Colour) -> None:
    """A highlighter's stroke over a box, not quite straight."""
    x0, y0, x1, y1 = box
    pad = 0.25 * (y1 - y0)
    x = np.linspace(x0 - pad, x1 + pad, 6)
    y = (y0 + y1) / 2 + rng.normal(0, 0.06 * (y1 - y0), 6)
    paper.marker.append((np.stack([x, y], axis=1), round(1.15 * (y1 - y0)), colour))


def marked(image: Array, paper: Paper) -> Array:
    """The highlighter over everything: it takes from the light as a colour filter does."""
    for line, width, colour in paper.marker:
        cover = np.zeros(image.shape[:2], np.uint8)
        cv2.polylines(cover, [np.round(line).astype(np.int32)], False, 255, max(2, width), cv2.LINE_AA)
        much = cv2.GaussianBlur(cover, (0, 0), 1.2).astype(np.float32)[..., None] / 255
        image = (image * (1 - much * (1 - np.array(colour, np.float32) / 255))).astype(np.uint8)
    return image


def text_page(printer: Printer, size: float, texts: tuple[str, ...], title: bool = True) -> None:
    """A printed page of prose, under a title if need be, in one or two columns."""
    rng, (height, width) = printer.rng, printer.sheet.ink.shape
    columns = int(rng.integers(1, 3)) if width > 40 * size else 1
    gap = 2 * size
    step = (0.84 * width + gap) / columns
    if title:
        printer.text(printer.pick(words.TITLES), 0.08 * width, 0.05 * height + 2 * size, 1.7 * size)
    for column in range(columns):
        said = texts[int(rng.integers(len(texts)))].split()
        at, left = int(rng.integers(len(said))), 0.08 * width + column * step
        y = (0.08 if title else 0.13) * height + 4 * size
        while y < 0.94 * height:
            x = left
            while box := printer.text(said[at % len(said)], x, y, size, left + step - gap):
                x, at = box[2] + 0.45 * size, at + 1
            if x == left:
                return
            y += size * (3.6 if rng.random() < 0.08 else 1.9)
