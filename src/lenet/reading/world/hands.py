"""Hands: who writes a line, with which pen, and what a digit, a word or a sign of theirs looks like.

A hand keeps its kind, its pen and its slant for a whole line, as writers do. Everything is coverage, uint8 [h, w], 0 nothing
and 255 full ink. Where it goes is ``writing``'s business. Read by ``writing``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.reading.weights.hands import schooled, traced
from lenet.reading.weights.strokes import Line, curve, cut, drawn, perturbed, redrawn, resized
from lenet.reading.weights.traces import Traces

__all__ = ["Face", "Hand", "Sources", "face_of"]

Levels = NDArray[np.uint8]
Rng = np.random.Generator

FACE_PIXELS = 40  # the height of a capital at which a font's glyphs are drawn
KINDS = {"mnist": 0.21, "redrawn": 0.26, "trace": 0.1, "school": 0.29, "font": 0.14}  # of a line's hand
_OTHER = 0.08  # of a line's digits are of another kind than the rest
_THINNEST, _THICKEST = 0.03, 0.17  # of a pen, in heights of a digit
_BARRED = 0.3  # of MNIST's sevens get a bar
_MORE = 0.35  # of the digits that have more forms than ``schooled`` knows
_DIGITS = "0123456789"


class Face(NamedTuple):
    """A font. digits: coverage of 0 to 9. is_print: whether it is a font of print. path: its file."""

    digits: tuple[Levels, ...]
    is_print: bool
    path: str


class Sources(NamedTuple):
    """What hands take their digits from. by_label: MNIST's images uint8 [n, 28, 28], one array a digit."""

    by_label: tuple[Levels, ...]
    traces: Traces
    trace_of: tuple[NDArray[np.int64], ...]
    faces: tuple[Face, ...]


def face_of(path: str, is_print: bool) -> Face | None:
    """A font file as a Face; None if it lacks digits."""
    from PIL import ImageFont

    font = ImageFont.truetype(path, 2 * FACE_PIXELS)
    found = []
    for name in _DIGITS:
        mask = font.getmask(name, mode="L")
        if mask.getbbox() is None:
            return None
        found.append(cut(np.array(mask, np.uint8).reshape(mask.size[1], mask.size[0])))
    return Face(tuple(found), is_print, path)


_fonts: dict[str, Any] = {}


def _font(path: str) -> Any:
    """A font whose capital H is about FACE_PIXELS high."""
    from PIL import ImageFont

    if path not in _fonts:
        _, top, _, bottom = ImageFont.truetype(path, 100).getbbox("H")
        _fonts[path] = ImageFont.truetype(path, max(8, round(100 * FACE_PIXELS / max(bottom - top, 1))))
    return _fonts[path]


class Hand:
    """One writer of one line. height: of a digit in pixels. kind: one of KINDS, or by chance."""

    def __init__(self, sources: Sources, rng: Rng, height: float, kind: str | None = None) -> None:
        self.sources, self.rng, self.height = sources, rng, height
        self.kind = kind or str(rng.choice(list(KINDS), p=list(KINDS.values())))
        self.pen = float(np.exp(rng.uniform(np.log(_THINNEST), np.log(_THICKEST))))
        self.face = sources.faces[int(rng.integers(len(sources.faces)))]
        self.slant, self.narrow = float(rng.normal(0, 0.1)), float(np.exp(rng.normal(0, 0.12)))
        self.edge, self.is_grey = rng.uniform(0.28, 0.62), rng.random() < 0.3

    @property
    def is_print(self) -> bool:
        """Whether this is print, whose digits are all alike."""
        return self.kind == "font" and self.face.is_print

    @property
    def stroke(self) -> float:
        """The pen's width in pixels."""
        return max(1.0, self.pen * self.height)

    def digit(self, label: int, height: float) -> Levels:
        """A digit, cut to its ink, about ``height`` pixels high; other hands and pens among them."""
        kind = self.kind
        if not self.is_print and self.rng.random() < _OTHER:
            kind = ("mnist", "redrawn", "school", "trace")[int(self.rng.integers(4))]
        found = self._glyph(label, kind)
        for _ in range(3):
            if min(found.shape) > 1:
                break
            found = self._glyph(label, kind)
        if kind == "font":
            if self.is_print:
                return resized(found, height) if height < 2 * max(found.shape) else found
            return self._fitted(found, height, 0.5)
        return self._fitted(found, height, 1.0)

    def _glyph(self, label: int, kind: str) -> Levels:
        rng = self.rng
        if kind == "font":
            return self.face.digits[label]
        pen = self.pen * float(np.exp(rng.normal(0, 0.08)))
        if kind == "school":
            form = _FORMS.get(label)
            lines = perturbed(form(rng), rng) if form and rng.random() < _MORE else schooled(label, rng)
            return drawn(lines, rng, pen)
        if kind == "trace":
            some = self.sources.trace_of[label]
            return drawn(traced(self.sources.traces.points[some[int(rng.integers(len(some)))]], label, rng), rng, pen)
        digits = self.sources.by_label[label]
        glyph = digits[int(rng.integers(len(digits)))]
        if label == 7 and rng.random() < _BARRED:
            glyph = _barred(glyph, rng)
        return redrawn(glyph, rng, pen) if kind == "redrawn" else self._inked(glyph)

    def _inked(self, glyph: Levels) -> Levels:
        """One of MNIST's, enlarged; unless grey, with edges of a pixel and strokes thinner or thicker than they were."""
        import cv2

        large: Any = cv2.resize(cut(glyph), None, fx=2.5, fy=2.5, interpolation=cv2.INTER_CUBIC)
        if not self.is_grey:
            large = cv2.copyMakeBorder(large, 3, 3, 3, 3, cv2.BORDER_CONSTANT, value=0)
            large = cv2.GaussianBlur(large, (0, 0), 1.0)
            low = 255.0 * self.edge - 50
            large = np.clip(2.5 * (large.astype(np.float32) - low), 0, 255).astype(np.uint8)
        return cut(np.asarray(large, np.uint8))

    def _fitted(self, glyph: Levels, height: float, much: float) -> Levels:
        """A glyph brought to a height, slanted and stretched as the hand does, and a bit at random."""
        import cv2

        rng = self.rng
        if min(glyph.shape) < 2:
            return glyph
        down = height / glyph.shape[0]
        if max(glyph.shape) * down > 1.6 * height:  # a stroke that lies, as a badly drawn one
            down = 1.6 * height / max(glyph.shape)
        across = down * self.narrow * float(np.exp(rng.normal(0, 0.08 * much)))
        lean, rise = self.slant + rng.normal(0, 0.09 * much), rng.normal(0, 0.05 * much)
        matrix = np.array([[across, -lean * down], [rise * across, down]])
        h, w = glyph.shape
        corners = matrix @ np.array([[0, w, 0, w], [0, 0, h, h]], np.float64)
        low = corners.min(axis=1) - 1
        size = np.ceil(corners.max(axis=1) - low + 1).astype(int)
        affine = np.concatenate([matrix, -low[:, None]], axis=1)
        if down < 0.6:
            glyph = np.asarray(cv2.GaussianBlur(glyph, (0, 0), 0.3 / down), np.uint8)
        out = cv2.warpAffine(glyph, affine, (int(size[0]), int(size[1])), flags=cv2.INTER_LINEAR)
        return cut(np.asarray(out, np.uint8), 30)

    def text(self, words: str, height: float, path: str | None = None) -> Levels:
        """Words in a font, capitals about ``height`` pixels high, cut to their ink; [0, 0] if the font lacks them."""
        face = path or self.sources.faces[int(self.rng.integers(len(self.sources.faces)))].path
        mask = _font(face).getmask(words, mode="L")
        if mask.getbbox() is None:
            return np.zeros((0, 0), np.uint8)
        found = cut(np.array(mask, np.uint8).reshape(mask.size[1], mask.size[0]))
        if min(found.shape, default=0) < 2:
            return np.zeros((0, 0), np.uint8)
        scale = height / FACE_PIXELS
        return resized(found, max(found.shape) * scale)


def _barred(glyph: Levels, rng: Rng) -> Levels:
    """A seven of MNIST with a short stroke through its stem."""
    import cv2

    rows = np.flatnonzero(glyph.max(axis=1) > 128)
    y = float(rows[0] + (rows[-1] - rows[0]) * rng.uniform(0.42, 0.65))
    columns = np.flatnonzero(glyph[round(y)] > 100)
    if not len(columns):
        return glyph
    x, (left, right), rise = columns.mean(), rng.uniform(2.5, 6, 2), rng.uniform(-1.5, 1)
    ends = [np.round(np.array(end) * 16).astype(int).tolist() for end in ((x - left, y - rise), (x + right, y + rise))]
    out = glyph.copy()
    cv2.line(out, ends[0], ends[1], 255, int(rng.integers(1, 4)), cv2.LINE_AA, 4)
    return out


def _stemmed_nine(rng: Rng) -> list[Line]:
    """A 9 whose loop begins and ends at its stem, which may stand below the loop's left side."""
    high, wide, stem = rng.uniform(0.35, 0.55), rng.uniform(0.35, 0.6), rng.uniform(0.0, 0.25)
    loop = [(stem, high * rng.uniform(0.5, 0.9)), (stem * 0.6, high * 0.3), (wide * 0.5, 0.0), (wide, high * 0.45)]
    back = [(wide * 0.55, high), (stem + 0.06, high * rng.uniform(0.75, 1.0))]
    foot = stem + rng.uniform(-0.15, 0.1), 1.0
    if rng.random() < 0.5:
        return [curve(np.array([*loop, *back])), curve(np.array([loop[0], (stem, 0.7), foot]))]
    return [curve(np.array([*loop[1:], *back, (stem, high * 0.6), (stem, 0.75), foot]))]


def _hooked_four(rng: Rng) -> list[Line]:
    """An open 4 like an h or a y: a tall left side, a bow or a corner, and a short right side that goes below it."""
    wide, across = rng.uniform(0.3, 0.6), rng.uniform(0.4, 0.65)
    left = [(rng.uniform(0.05, 0.35), 0.0), (0.0, across)]
    bow = [(wide * 0.5, across - rng.uniform(0.0, 0.14)), (wide, across - rng.uniform(0.0, 0.1))]
    top = across - rng.uniform(0.02, 0.3)
    right = np.array([(wide + rng.uniform(0, 0.08), top), (wide + rng.uniform(-0.12, 0.05), 1.0)])
    joined = np.array([*left, *bow])
    return [curve(joined) if rng.random() < 0.5 else joined, right]


_FORMS = {4: _hooked_four, 9: _stemmed_nine}
