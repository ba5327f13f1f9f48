"""A line of writing as coverage, and where on it each thing stands: digits, signs, words, what is neither.

The canvas is HIGH pixels high, of which the outer MARGIN at the top and the bottom fall away when the line is bent. What
stands there is said by marks; what is put there is ``scenes``' business. Read by ``scenes`` and ``lines``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.reading.weights.negatives import NEGATIVES, crossed_out
from lenet.reading.weights.strokes import curve
from lenet.reading.world.hands import Hand, Sources

__all__ = [
    "COMMA",
    "GAP",
    "HIGH",
    "MARGIN",
    "MINUS",
    "OTHER",
    "POINT",
    "SLASH",
    "Mark",
    "Writing",
]

Levels = NDArray[np.uint8]
Rng = np.random.Generator

POINT, COMMA, MINUS, SLASH, OTHER, GAP = range(10, 16)
INNER, MARGIN, WIDE = 48, 8, 460
HIGH = INNER + 2 * MARGIN
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
_PLAIN = "ACEFGHJKLMNPRTVWXYacehkmnprtvwxy"  # letters that no digit looks like, where one stands alone
_UNITS = (
    "kg",
    "g",
    "cm",
    "m",
    "km",
    "mm",
    "h",
    "min",
    "€",
    "EUR",
    "£",
    "%",
    "°C",
    "°",
    "Fr.",
    "Stk",
    "pcs",
    "ml",
    "L",
    "°F",
)
_LABELS = (
    "No.",
    "Nr.",
    "Date:",
    "Total",
    "Sum",
    "Rs.",
    "€",
    "£",
    "Tel.",
    "ID",
    "Name",
    "Code:",
    "=",
    "+",
    "#",
    "Qty",
    "@",
    "USD",
)
_SIGNS = ("$", "#", "*", "=", "S/", "Rs", "A", "k", "(", ")", "**", "No", "x", "E", "M", "%", "&", "+", "USD", "kg")


class Mark(NamedTuple):
    """What stands where. label: a number of ``network.LABELS``, less the gap. box: x0, y0, x1, y1 on the canvas."""

    label: int
    box: tuple[float, float, float, float]


class Writing:
    """A canvas uint8 [HIGH, WIDE] with its marks, and where the next thing goes."""

    def __init__(self, sources: Sources, rng: Rng) -> None:
        self.sources, self.rng = sources, rng
        self.ink = np.zeros((HIGH, WIDE), np.uint8)
        self.rules = np.zeros((HIGH, WIDE), np.uint8)
        self.marks: list[Mark] = []
        share = rng.uniform(0.5, 0.98) if rng.random() < 0.75 else rng.uniform(0.36, 0.6)
        self.height = float(INNER * share)
        self.hand = Hand(sources, rng, self.height)
        self.middle = HIGH / 2 + rng.uniform(-1, 1) * (INNER - self.height) * 0.5
        self.drift = float(rng.normal(0, 0.03))
        self.x = float(rng.uniform(4, 40) if rng.random() < 0.35 else rng.uniform(2, 9))
        self.strength = rng.uniform(0.85, 1)

    @property
    def left(self) -> float:
        """Columns that are still empty."""
        return WIDE - 8 - self.x

    def level(self, x: float) -> float:
        """The middle of the line at x."""
        return self.middle + self.drift * (x - WIDE / 4)

    def put(self, coverage: Levels, x: float, middle: float, label: int | None) -> bool:
        """Lay coverage with its left side at x; whether it fits."""
        h, w = coverage.shape
        left, top = round(x), round(middle - h / 2)
        if not h or not w or left < 0 or left + w > WIDE:
            return False
        y0, y1 = max(top, 0), min(top + h, HIGH)
        if y1 <= y0:
            return False
        part = self.ink[y0:y1, left : left + w]
        np.maximum(part, coverage[y0 - top : y1 - top], out=part)
        if label is not None:
            self.marks.append(Mark(label, (left, top, left + w, top + h)))
        return True

    def stroke(
        self, points: list[tuple[float, float]], wide: float, label: int | None, onto: Levels | None = None
    ) -> None:
        """Draw a line through points; with a label it is marked."""
        import cv2

        at = np.round(np.array(points) * 16).astype(np.int32)[:, None]
        cv2.polylines(self.ink if onto is None else onto, [at], False, 255, max(1, round(wide)), cv2.LINE_AA, 4)
        if label is not None:
            p = np.array(points)
            (x0, y0), (x1, y1) = p.min(axis=0) - wide / 2, p.max(axis=0) + wide / 2
            self.marks.append(Mark(label, (float(x0), float(y0), float(x1), float(y1))))

    # ---- single things ----------------------------------------------------------------------------------------------

    def digit(self, label: int, height: float, middle: float | None = None) -> bool:
        """The next digit, at x, which moves to its right side; whether it fits."""
        glyph = self.hand.digit(label, height)
        if min(glyph.shape, default=0) < 2:
            return False
        at = self.level(self.x) if middle is None else middle
        struck = self.rng.random() < 0.008
        if struck:
            glyph = crossed_out(glyph, self.rng)
        if not self.put(glyph, self.x, at, OTHER if struck else label):
            return False
        self.x += glyph.shape[1]
        return True

    def point(self, comma: bool) -> None:
        """A decimal point or a comma on the base line."""
        import cv2

        rng, h, pen = self.rng, self.height, self.hand.stroke
        base = self.level(self.x) + 0.47 * h + rng.normal(0, 0.05) * h
        if comma:
            x = self.x + 0.1 * h
            self.stroke(
                [(x, base - 0.06 * h), (x - rng.uniform(0, 0.1) * h, base + rng.uniform(0.08, 0.2) * h)], pen, COMMA
            )
            self.x = x + pen / 2
            return
        radius = float(np.clip(rng.uniform(0.6, 1.3) * pen * 0.7, 1.0, 0.14 * h))
        x = self.x + radius + 1
        cv2.circle(self.ink, (round(x * 16), round(base * 16)), round(radius * 16), 255, -1, cv2.LINE_AA, 4)
        self.marks.append(Mark(POINT, (x - radius, base - radius, x + radius, base + radius)))
        self.x = x + radius

    def minus(self) -> None:
        """A minus or a hyphen in the middle of the line."""
        rng, h = self.rng, self.height
        y, wide = self.level(self.x) + rng.uniform(-0.12, 0.12) * h, h * rng.uniform(0.2, 0.6)
        self.stroke([(self.x, y), (self.x + wide, y + rng.normal(0, 0.04) * h)], self.hand.stroke, MINUS)
        self.x += wide

    def slash(self) -> None:
        """A slash, which is longer and leans more than a one."""
        rng, h = self.rng, self.height
        y, wide, tall = self.level(self.x), h * rng.uniform(0.35, 0.75), h * rng.uniform(0.5, 0.7)
        self.stroke([(self.x, y + tall), (self.x + wide, y - tall)], self.hand.stroke, SLASH)
        self.x += wide

    def other(self, kind: str | None = None) -> None:
        """A sign or letters that are neither digit nor part of a number."""
        rng, h = self.rng, self.height
        what = kind or ("text", "text", "scribble", "scrawl")[int(rng.integers(4))]
        if what == "scrawl":
            self.scrawl(int(rng.integers(3, 9)))
            return
        if what == "text":
            words = _SIGNS[int(rng.integers(len(_SIGNS)))]
            glyph = self.hand.text(words, h * rng.uniform(0.5, 1.2))
        else:
            glyph = NEGATIVES[what](h * rng.uniform(0.5, 1.1), rng)
        if min(glyph.shape, default=0) > 1 and self.put(
            glyph, self.x, self.level(self.x) + rng.normal(0, 0.06) * h, OTHER
        ):
            self.x += glyph.shape[1]

    def scrawl(self, count: int) -> None:
        """Joined writing that nobody can read, such as a signature: a curve to and fro between two levels, with dots."""
        rng, h = self.rng, self.height
        step, low, high = h * rng.uniform(0.12, 0.4), rng.uniform(0.1, 0.45), rng.uniform(0.1, 0.5)
        x = self.x + step * (np.arange(2 * count) * 0.5 + rng.uniform(-0.5, 0.5, 2 * count))
        tall = np.where(rng.random(2 * count) < 0.2, 1.8, 1.0) * rng.uniform(0.3, 1, 2 * count)
        y = self.level(self.x) + h * tall * np.where(np.arange(2 * count) % 2, -high, low)
        line = curve(np.stack([np.clip(x, 1, WIDE - 2), y], axis=1), 8)
        self.stroke([(float(a), float(b)) for a, b in line], self.hand.stroke, OTHER)
        self.x = float(line[:, 0].max()) + 1

    def around(self, behind: bool) -> None:
        """What is written before a number to say what it is, or behind it: a unit."""
        rng, h = self.rng, self.height
        some = _UNITS if behind else _LABELS
        own = self.hand.kind == "font" and rng.random() < 0.7
        words = some[int(rng.integers(len(some)))]
        glyph = self.hand.text(words, h * rng.uniform(0.5, 1.0), self.hand.face.path if own else None)
        if min(glyph.shape, default=0) < 2:
            return
        middle = self.level(self.x) + (h - glyph.shape[0]) * rng.uniform(0.2, 0.55)
        if self.put(glyph, self.x, middle, OTHER):
            self.x += glyph.shape[1]

    def words(self, count: int) -> None:
        """So many words of a font."""
        rng, h = self.rng, self.height
        face = self.sources.faces[int(rng.integers(len(self.sources.faces)))]
        path = (self.hand.face if self.hand.kind == "font" and rng.random() < 0.6 else face).path
        size, upper = h * rng.uniform(0.6, 1.1), rng.random() < 0.2
        for _ in range(count):
            n = int(rng.integers(3, 10)) if rng.random() < 0.8 else int(rng.integers(1, 3))
            letters = LETTERS if n > 2 else _PLAIN
            word = "".join(letters[int(k)] for k in rng.integers(len(letters), size=n))
            word = (
                word.upper()
                if upper and n > 2
                else word[0] + word[1:].lower()
                if rng.random() < 0.8 and n > 2
                else word
            )
            if rng.random() < 0.12:
                word += rng.choice([":", ".", ",", ";", "!", "?", "-"])
            glyph = self.hand.text(word, size, path)
            if min(glyph.shape, default=0) < 2 or not self.put(glyph, self.x, self.level(self.x), OTHER):
                return
            self.x += glyph.shape[1] + h * rng.uniform(0.25, 0.6)

    # ---- what numbers are made of -----------------------------------------------------------------------------------

    def number(self, n: int, between: float, signs: bool) -> None:
        """n digits; between: heights from one to the next, below 0 they run into each other."""
        rng, h = self.rng, self.height
        repeated, zeros = rng.random() < 0.3, int(rng.integers(2, 5)) if n > 2 and rng.random() < 0.35 else 0
        small = rng.uniform(0.4, 0.9) if rng.random() < 0.4 else 1.0  # zeros are often written smaller
        joined, before = rng.random() < 0.3 and between < 0.15, None
        sign = "., /-"[int(rng.choice(5, p=(0.42, 0.22, 0.22, 0.07, 0.07)))] if signs and rng.random() < 0.6 else ""
        label, spread = 0, 0.1 if not self.hand.is_print else 0.0
        ones = rng.random() < 0.1
        for k in range(n):
            label = label if repeated and k and rng.random() < 0.5 else int(rng.integers(10))
            if ones and rng.random() < 0.5:
                label = 1
            if zeros and k >= n - zeros:
                label = 0
            high = h * float(np.clip(1 + rng.normal(-0.05, spread), 0.55, 1.15))
            if label == 0 and not self.hand.is_print:
                high *= small * rng.uniform(0.9, 1.1)
            middle = self.level(self.x) + rng.normal(0, 0.4 * spread) * h
            if high < 0.8 * h:
                middle += (h - high) * 0.5 * rng.uniform(0, 1)
            start = self.x
            if not self.digit(label, high, middle):
                return
            if joined and before and rng.random() < 0.6:
                end = start + (self.x - start) * rng.uniform(0.1, 0.6), middle - high * rng.uniform(0.2, 0.5)
                self.stroke([before, end], self.hand.stroke, None)
            before = start + (self.x - start) * rng.uniform(0.5, 1), middle - high * rng.uniform(-0.4, 0.5)
            self.x += h * (between + (rng.normal(0, 0.05) if not self.hand.is_print else 0.0))
            if sign.strip() and k < n - 1 and rng.random() < 0.3:
                self.x += h * max(rng.uniform(-0.02, 0.15), -between)
                if sign in ".,":
                    self.point(sign == ",")
                elif sign == "-":
                    self.minus()
                else:
                    self.slash()
                self.x += h * rng.uniform(0.0, 0.15)

    def between(self) -> float:
        """How far digits of this hand stand apart, in heights."""
        rng = self.rng
        if self.hand.is_print:
            return rng.uniform(0.08, 0.2)
        return rng.uniform(-0.12, 0.1) if rng.random() < 0.5 else rng.uniform(0, 0.45)
