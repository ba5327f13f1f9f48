"""A part of a page as coverage, and what stands where on it: digits written and printed, other writing, rules.

The canvas is SIDE pixels wide and high. What is put there, and where, is ``layouts``' business; paper and light are ``pages``'.
Read by ``layouts`` and ``pages``.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.reading.weights.negatives import NEGATIVES, crossed_out
from lenet.reading.weights.strokes import curve
from lenet.reading.world.hands import Face, Hand, Sources

__all__ = ["OTHER", "PRINTED", "SIDE", "UNCLEAR", "Sheet", "Thing", "letter_of"]

Levels = NDArray[np.uint8]
Rng = np.random.Generator
Point = tuple[float, float]

SIDE = 432
PRINTED, OTHER = 10, 20  # what a printed digit's label is raised by, and the label of other writing
UNCLEAR = 21  # the label of what may be told or not
WORN = 0.15  # of sheets have rules in pieces, which look like ones
_LOWER = "eeeeaaaaiiiittttnnnnooossssrrrllldddcccuummpphhggbbffyvkwxzqj"
_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZOSIBZEA"
_PLAIN = "ACEFGHJKLMNPRTVWXYacehkmnprtvwxy"
_ENDS = (":", ".", ",", ";", "!", "?", "-", ")", "*")
_UNITS = ("kg", "g", "cm", "m", "km", "h", "€", "EUR", "£", "$", "%", "°C", "Fr.", "pcs", "ml")


def letter_of(rng: Rng) -> str:
    """A letter that no digit looks like."""
    return _PLAIN[int(rng.integers(len(_PLAIN)))]


class Thing(NamedTuple):
    """What stands where. label: 0 to 9 written, 10 to 19 printed, OTHER, UNCLEAR. box: x0, y0, x1, y1."""

    label: int
    box: tuple[float, float, float, float]


class Sheet:
    """pen, print: coverage uint8 [SIDE, SIDE]. height: of most digits written on it, in pixels. hand: that writes here.

    worn: the share of its printed rules that is missing.
    """

    def __init__(self, sources: Sources, rng: Rng, height: float) -> None:
        self.sources, self.rng, self.height = sources, rng, height
        self.pen = np.zeros((SIDE, SIDE), np.uint8)
        self.print = np.zeros((SIDE, SIDE), np.uint8)
        self.things: list[Thing] = []
        self.hand = Hand(sources, rng, height)
        if self.hand.is_print:
            self.hand = Hand(sources, rng, height, "redrawn")
        self.type = Hand(sources, rng, height, "font")
        self.type.face = self.face(True)
        self.worn = self.between(0.1, 0.6) if self.chance(WORN) else 0.0

    def face(self, is_print: bool) -> Face:
        """One of the fonts of print, or of writing."""
        some = [face for face in self.sources.faces if face.is_print == is_print] or list(self.sources.faces)
        return some[int(self.rng.integers(len(some)))]

    def chance(self, p: float) -> bool:
        """True so often."""
        return bool(self.rng.random() < p)

    def between(self, low: float, high: float) -> float:
        """A number out of a range."""
        return float(self.rng.uniform(low, high))

    def put(self, coverage: Levels, x: float, middle: float, label: int | None, by_pen: bool = True) -> float:
        """Lay coverage with its left side at x and its middle there; where it ends. What is outside falls away."""
        h, w = coverage.shape
        left, top = round(x), round(middle - h / 2)
        x0, x1, y0, y1 = max(left, 0), min(left + w, SIDE), max(top, 0), min(top + h, SIDE)
        if x1 > x0 and y1 > y0:
            part = (self.pen if by_pen else self.print)[y0:y1, x0:x1]
            np.maximum(part, coverage[y0 - top : y1 - top, x0 - left : x1 - left], out=part)
            if label is not None:
                self.things.append(Thing(label, (left, top, left + w, top + h)))
        return left + w

    def stroke(self, points: list[Point], wide: float, by_pen: bool = False, level: int = 255) -> None:
        """A line through points."""
        import cv2

        at = np.round(np.array(points) * 16).astype(np.int32)[:, None]
        cv2.polylines(self.pen if by_pen else self.print, [at], False, level, max(1, round(wide)), cv2.LINE_AA, 4)

    def rule(self, start: Point, end: Point, wide: float, level: int = 255) -> None:
        """A printed rule; in pieces, as bad scans have them, where rules are worn."""
        if not self.worn:
            self.stroke([start, end], wide, level=level)
            return
        first, way = np.array(start), np.array(end) - np.array(start)
        long, at = max(float(np.hypot(*way)), 1.0), 0.0
        while at < long:
            to = min(at + self.height * self.between(0.2, 3) * (1 - self.worn), long)
            ends = first + way * at / long, first + way * to / long
            self.stroke([(float(x), float(y)) for x, y in ends], wide, level=level)
            at = to + self.height * self.between(0.1, 2) * self.worn

    def box(self, x0: float, y0: float, x1: float, y1: float, wide: float, level: int = 255) -> None:
        """Four rules."""
        corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
        for start, end in itertools.pairwise(corners):
            self.rule(start, end, wide, level)

    def filled(self, x0: float, y0: float, x1: float, y1: float, level: int = 255) -> None:
        """A printed bar."""
        a, b, c, d = (int(np.clip(v, 0, SIDE)) for v in (x0, y0, x1, y1))
        np.maximum(self.print[b:d, a:c], np.uint8(level), out=self.print[b:d, a:c])

    # ---- writing ----------------------------------------------------------------------------------------------------

    def digit(self, x: float, middle: float, height: float, printed: bool = False, label: int | None = None) -> float:
        """One digit with its left side at x; where it ends."""
        value = int(self.rng.integers(10)) if label is None else label
        glyph = (self.type if printed else self.hand).digit(value, height)
        if min(glyph.shape, default=0) < 2:
            return x
        said = value + PRINTED * printed
        if not printed and self.chance(0.01):
            glyph, said = crossed_out(glyph, self.rng), OTHER
        return self.put(glyph, x, middle, said, not printed)

    def centred(self, x: float, middle: float, height: float, printed: bool = False, label: int | None = None) -> None:
        """One digit with its middle at x."""
        kept = len(self.things)
        value = int(self.rng.integers(10)) if label is None else label
        glyph = (self.type if printed else self.hand).digit(value, height)
        if min(glyph.shape, default=0) > 1 and len(self.things) == kept:
            self.put(glyph, x - glyph.shape[1] / 2, middle, value + PRINTED * printed, not printed)

    def number(
        self, n: int, x: float, middle: float, height: float, apart: float, printed: bool = False, signs: bool = True
    ) -> float:
        """n digits; apart: heights from one to the next. Where they end."""
        rng, spread = self.rng, 0.0 if printed else 0.08
        sign = ("", "", ".", ",", "-", "/", " ")[int(rng.integers(7))] if signs else ""
        again = self.chance(0.25)
        label = 0
        for k in range(n):
            label = label if again and k and self.chance(0.5) else int(rng.integers(10))
            high = height * float(np.clip(1 + rng.normal(-0.03, spread), 0.6, 1.2))
            x = self.digit(x, middle + rng.normal(0, 0.5 * spread) * height, high, printed, label)
            x += height * (apart + (0 if printed else rng.normal(0, 0.05)))
            if sign and k < n - 1 and self.chance(0.3):
                x = self._sign(sign, x + 0.08 * height, middle, height, printed) + height * self.between(0.03, 0.15)
            if x > SIDE:
                break
        return x

    def _sign(self, sign: str, x: float, middle: float, height: float, printed: bool) -> float:
        """A point, a comma, a hyphen, a slash or a space between two digits."""
        pen = max(1.0, (0.1 * height if printed else self.hand.stroke))
        base = middle + 0.47 * height
        if sign == " ":
            return x + 0.3 * height
        if sign == ".":
            self.stroke([(x, base - pen / 2), (x + 0.4, base - pen / 2)], 1.2 * pen, not printed)
            return x + pen
        if sign == ",":
            self.stroke([(x + 0.08 * height, base - 2), (x, base + 0.15 * height)], pen, not printed)
            return x + 0.1 * height
        if sign == "-":
            self.stroke([(x, middle), (x + 0.3 * height, middle)], pen, not printed)
            return x + 0.35 * height
        self.stroke([(x, base), (x + 0.35 * height, middle - 0.5 * height)], pen, not printed)
        return x + 0.4 * height

    def word(self) -> str:
        """Letters, as words have them, or capitals."""
        rng, kind = self.rng, self.rng.random()
        n = int(rng.integers(1, 11))
        some = _UPPER if kind < 0.4 else _LOWER
        letters = "".join(some[int(k)] for k in rng.integers(len(some), size=n))
        if kind > 0.75:
            letters = _UPPER[int(rng.integers(len(_UPPER)))] + letters
        if n < 3 and kind < 0.4:
            letters += _UPPER[int(rng.integers(26))]
        if len(letters) == 1:  # no digit looks like these, where one stands alone
            letters = letter_of(rng)
        return letters + (_ENDS[int(rng.integers(len(_ENDS)))] if self.chance(0.15) else "")

    def text(self, words: str, x: float, middle: float, height: float, face: Face, by_pen: bool) -> float:
        """Words that hold no digit, in a font; where they end."""
        glyph = self.type.text(words, height, face.path)
        if min(glyph.shape, default=0) < 2:
            return x
        return self.put(glyph, x, middle, OTHER, by_pen)

    def spelled(self, words: str, x: float, middle: float, height: float, face: Face) -> float:
        """The same by hand, letter for letter, none of which is quite like another; where they end."""
        import cv2

        rng, first = self.rng, x
        apart, pen = self.between(0.02, 0.4) * height, int(rng.integers(-1, 3))
        low, high, lean, loose = middle, middle, rng.normal(0, 0.15), self.between(0.03, 0.12)
        for letter in words:
            glyph = self.type.text(letter, height, face.path)
            if min(glyph.shape, default=0) < 2:
                x += 0.3 * height
                continue
            if pen > 0:
                glyph = np.asarray(cv2.dilate(np.pad(glyph, pen), np.ones((pen + 1, pen + 1), np.uint8)), np.uint8)
            elif pen < 0 and height > 18:
                glyph = np.asarray(cv2.erode(glyph, np.ones((2, 2), np.uint8)), np.uint8)
            h, w = glyph.shape
            matrix = np.eye(2) + rng.normal(0, loose, (2, 2)) + np.array([[0, -lean], [0, 0]])
            corners = matrix @ np.array([[0, w, 0, w], [0, 0, h, h]], np.float64)
            least = corners.min(axis=1) - 1
            size = np.ceil(corners.max(axis=1) - least + 1).astype(int)
            affine = np.concatenate([matrix, -least[:, None]], axis=1)
            glyph = np.asarray(cv2.warpAffine(glyph, affine, (int(size[0]), int(size[1]))), np.uint8)
            base = middle + (0.5 * height - h / 2 if letter.islower() and h < 0.8 * height else 0)
            base += rng.normal(0, 0.06) * height
            x = self.put(glyph, x, base, None) + apart + rng.normal(0, 0.04) * height
            low, high = min(low, base - h / 2), max(high, base + h / 2)
            if x > SIDE:
                break
        self.things.append(Thing(OTHER, (first, low, x, high)))
        return x

    def written(self, words: str, x: float, middle: float, height: float, face: Face) -> float:
        """Words by hand, in a font as it is or letter for letter; where they end."""
        if self.chance(0.5):
            return self.spelled(words, x, middle, height, face)
        return self.text(words, x, middle, height, face, True)

    def unit(self, x: float, middle: float, height: float, face: Face, by_pen: bool) -> float:
        """A unit behind a number."""
        return self.text(_UNITS[int(self.rng.integers(len(_UNITS)))], x, middle, height, face, by_pen)

    def scrawl(self, x: float, middle: float, height: float, count: int) -> float:
        """Joined writing that nobody can read; where it ends."""
        rng = self.rng
        step = height * rng.uniform(0.15, 0.45)
        xs = x + step * (np.arange(2 * count) * 0.5 + rng.uniform(-0.5, 0.5, 2 * count))
        tall = np.where(rng.random(2 * count) < 0.2, 1.8, 1.0) * rng.uniform(0.3, 1, 2 * count)
        ys = middle + height * tall * np.where(np.arange(2 * count) % 2, -0.4, 0.35)
        line = curve(np.stack([xs, ys], axis=1), 8)
        self.stroke([(float(a), float(b)) for a, b in line], self.hand.stroke, True)
        low, high = line.min(axis=0), line.max(axis=0)
        self.things.append(Thing(OTHER, (float(low[0]), float(low[1]), float(high[0]), float(high[1]))))
        return float(high[0]) + 2

    def mark(self, x: float, middle: float, height: float, kind: str = "") -> float:
        """A tick, a square, a question mark, dashes, a figure, a scribble: nothing that is a digit; where it ends."""
        some = (
            "tick",
            "square",
            *["question"] * 4,
            "dashes",
            "sign",
            "sign",
            "scribble",
            "figure",
            "bar",
            "noise",
        )
        kind = kind or some[int(self.rng.integers(len(some)))]
        if kind == "question" and self.chance(0.3):
            return self.text("?" * (1 + self.chance(0.1)), x, middle, height, self.face(self.chance(0.2)), True)
        own = {"tick": self._tick, "square": self._square, "dashes": self._dashes, "question": self._question}
        if kind in own:
            lines = own[kind]()
            points = [np.array(line) * height + np.array([x, middle - height / 2]) for line in lines]
            for line in points:
                self.stroke([(float(a), float(b)) for a, b in line], self.hand.stroke, True)
            low, high = np.concatenate(points).min(axis=0), np.concatenate(points).max(axis=0)
            self.things.append(Thing(OTHER, (float(low[0]), float(low[1]), float(high[0]), float(high[1]))))
            return float(high[0])
        glyph = NEGATIVES[kind](height, self.rng)
        if min(glyph.shape, default=0) < 2:
            return x
        return self.put(glyph, x, middle, OTHER)

    def _tick(self) -> list[list[Point]]:
        """Down to a corner and up again, which may be bent; heights from the upper left corner."""
        between = self.between
        corner = between(0.15, 0.45), between(0.75, 1.0)
        start = corner[0] - between(0.08, 0.4), corner[1] - between(0.1, 0.5)
        end = corner[0] + between(0.35, 1.0), between(-0.1, 0.25)
        way = np.array(
            [start, corner, ((corner[0] + end[0]) / 2 + between(-0.08, 0.04), (corner[1] + end[1]) / 2), end]
        )
        line = curve(way, 8) if self.chance(0.5) else way[[0, 1, 3]]
        return [[(float(a), float(b)) for a, b in line]]

    def _square(self) -> list[list[Point]]:
        """A square or a triangle by hand, whose ends don't quite meet."""
        wide = self.between(0.7, 1.3)
        corners = [(0.0, 0.0), (wide, 0.0), (wide, 0.9), (0.0, 0.9), (0.0, 0.0)]
        if self.chance(0.15):
            corners = [(wide / 2, 0.0), (wide, 0.9), (0.0, 0.9), (wide / 2, 0.0)]
        moved = np.array(corners) + self.rng.normal(0, 0.045, (len(corners), 2))
        return [[(float(a), float(b)) for a, b in moved]]

    def _question(self) -> list[list[Point]]:
        """A hook over a dot."""
        between, wide, foot = self.between, self.between(0.35, 0.75), self.between(0.55, 0.78)
        x, low = wide * between(0.3, 0.75), between(0.25, 0.45)
        hook = [(0.0, between(0.12, 0.35)), (wide * 0.3, 0.0), (wide * 0.8, between(0.0, 0.08)), (wide, low * 0.6)]
        stem = [(wide * between(0.7, 0.95), low), (x, (low + foot) / 2), (x + between(-0.06, 0.06), foot)]
        line = curve(np.array([*hook, *stem]) + self.rng.normal(0, 0.02, (7, 2)), 6)
        dot = x + between(-0.08, 0.08), between(0.88, 1.05)
        return [[(float(a), float(b)) for a, b in line], [dot, (dot[0] + 0.02, dot[1] + between(0, 0.05))]]

    def _dashes(self) -> list[list[Point]]:
        """Flat strokes, one over another."""
        wide, n = self.between(0.5, 1.6), int(self.rng.integers(1, 5))
        first, step = self.between(0.2, 0.5), self.between(0.12, 0.3)
        return [
            [
                (self.between(0, 0.1), first + k * step),
                (wide + self.between(-0.1, 0.1), first + k * step + self.between(-0.06, 0.06)),
            ]
            for k in range(n)
        ]

    def cross(self, x: float, middle: float, height: float) -> None:
        """A cross, a dash or a ring-free filler in a box, with its middle at x."""
        half, pen = height * self.between(0.25, 0.5), self.hand.stroke
        if self.chance(0.25):
            self.stroke([(x - half, middle), (x + half, middle + self.between(-2, 2))], pen, True)
        else:
            wide = half * self.between(0.6, 1.1)
            lean = self.between(-0.2, 0.2) * half
            self.stroke([(x - wide + lean, middle - half), (x + wide, middle + half)], pen, True)
            self.stroke([(x + wide, middle - half), (x - wide + lean, middle + half)], pen, True)
        self.things.append(Thing(OTHER, (x - half, middle - half, x + half, middle + half)))
