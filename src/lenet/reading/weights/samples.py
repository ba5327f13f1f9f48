"""What the packaged reader learns from: digits, and what is none, drawn in many ways and read back by the real code.

A sample begins as coverage (uint8 [h, w], 0 nothing, 255 full ink): an MNIST glyph or a font's, enlarged, turned and
slanted, its stroke thinned or thickened; or one of the things that are no digit. Four in ten are then laid on a sheet of
some colour under some light, blurred, made noisy, packed as JPEG, and found again by ``ink`` and ``shapes`` as on any
page (``sheets``); the others go straight to ``form``. More than a fifth are pieces of touching digits (``touching``).
Labels: 0 to 9, and 10 for no digit. The same numbers come out for the same seed, however many processes share the work.
Nothing here trains. Read by ``training``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.reading.shapes.form import NO_DIGIT, digit_forms
from lenet.reading.weights.sheets import found_again
from lenet.reading.weights.touching import Run, draw_run, true_pieces

__all__ = ["KINDS", "LETTERS", "NO_DIGIT", "Sources", "glyphs_of", "make_samples"]

Levels = NDArray[np.uint8]
Rng = np.random.Generator

LETTERS = "ACDEFGHJKLMNPQRTUVWXYacdefhijkmnprtuvwxy"  # no digit looks like them; O I S Z B b g l o q s z are left out
MARKS = "?!&@#%+*=$§~^"
FONT_PIXELS = 96  # the size at which font glyphs are kept
HEIGHTS = 5.5, 100.0  # of a sample on its sheet, in pixels

# Of a hundred samples how many are of each kind: digits, then what is none. Pieces are both, and fewer than stands here, for
# not every run gives as many as are wanted.
KINDS = {
    "digit": 40.0,
    "font digit": 4.0,
    "letter": 12.0,
    "mark": 1.0,
    "scribble": 3.0,
    "figure": 1.5,
    "half": 2.0,
    "fashion": 2.5,
    "noise": 1.0,
    "dot": 1.0,
    "bar": 1.0,
    "piece": 31.0,
}
_GROUP = 120  # samples that come to be in one way, on one sheet or on none
_PIECES = 4  # that a run of digits gives, about
_DIRECT = 0.6  # the share that no sheet is drawn for
_ALONE = 0.15  # the share that have a sheet to themselves, as single images do
_SEEN = 100  # a form without a pixel of so much ink is none


class Sources(NamedTuple):
    """What samples are drawn from. digits uint8 [N, 28, 28] and labels int64 [N]: MNIST's; fashion: likewise, no labels.

    letters, marks: coverage of font glyphs; font_digits: (coverage, label).
    """

    digits: Levels
    labels: NDArray[np.int64]
    fashion: Levels
    letters: Sequence[Levels]
    marks: Sequence[Levels]
    font_digits: Sequence[tuple[Levels, int]]


def glyphs_of(path: str, characters: str) -> dict[str, Levels]:
    """A font's own glyphs for these characters, as coverage some 96 pixels high; those it lacks are left out."""
    from PIL import ImageFont

    font = ImageFont.truetype(path, FONT_PIXELS)
    missing = bytes(font.getmask("\uffff"))
    found = {}
    for character in characters:
        mask = font.getmask(character, mode="L")
        if mask.getbbox() is not None and bytes(font.getmask(character)) != missing:
            found[character] = _cut(np.array(mask, np.uint8).reshape(mask.size[1], mask.size[0]))
    return found


def make_samples(
    sources: Sources, count: int, seed: int, part: int = 0, kinds: dict[str, float] = KINDS
) -> tuple[Levels, NDArray[np.int64], NDArray[np.int64]]:
    """Some ``count`` samples (a few are lost on their sheets): uint8 [N, 28, 28], labels and kinds' numbers int64 [N].

    (seed, part) is what they depend on beside the sources. Digits are taken in turn, so that each is used as often.
    """
    rng = np.random.default_rng([seed, part])
    order = rng.permutation(len(sources.digits))
    drawn = 0

    def take() -> int:
        nonlocal drawn
        drawn += 1
        return int(order[(drawn - 1) % len(order)])

    whole = {kind: share for kind, share in kinds.items() if kind != "piece"}
    names, pieces = list(kinds), kinds.get("piece", 0.0) / sum(kinds.values())
    made: list[tuple[Levels, int, str]] = []
    while len(made) < count:
        made += _pieces(sources, take, rng) if rng.random() < pieces else _singles(sources, whole, take, rng)
    forms = digit_forms([crop for crop, _, _ in made])
    seen = forms.reshape(len(forms), -1).max(axis=1) >= _SEEN
    labels, used = (
        np.array(numbers, np.int64) for numbers in ([m[1] for m in made], [names.index(m[2]) for m in made])
    )
    return forms[seen], labels[seen], used[seen]


def _singles(
    sources: Sources, kinds: dict[str, float], take: Callable[[], int], rng: Rng
) -> list[tuple[Levels, int, str]]:
    """A group of things that are each alone: crop, label and kind."""
    way = int(rng.choice(3, p=(_DIRECT, _ALONE, 1 - _DIRECT - _ALONE)))
    names, shares = list(kinds), np.array(list(kinds.values()))
    group: list[tuple[Levels, int, str]] = []
    for height in _heights(way == 1, rng):
        kind = names[rng.choice(len(names), p=shares / shares.sum())]
        coverage, label = _draw(kind, sources, take(), float(height), rng)
        if min(coverage.shape) and coverage.max() >= 60:
            group.append((coverage, label, kind))
    shapes = found_again([coverage for coverage, _, _ in group], way, rng)
    return [(s.level, label, kind) for (_, label, kind), s in zip(group, shapes, strict=True) if s is not None]


def _pieces(sources: Sources, take: Callable[[], int], rng: Rng) -> list[tuple[Levels, int, str]]:
    """Pieces of runs of touching digits: crop, label and kind."""
    way = int(rng.choice(3, p=(_DIRECT, 0, 1 - _DIRECT)))
    labels: list[list[int]] = []
    runs: list[Run] = []
    for height in _heights(False, rng)[: _GROUP // _PIECES]:
        numbers = [take() for _ in range(2 + (rng.random() < 0.3))]
        digits = [_pen(sources.digits[i], float(height) / 20, rng) for i in numbers]
        if all(min(digit.shape) > 1 and digit.max() > 128 for digit in digits):
            labels.append([*sources.labels[numbers].tolist(), NO_DIGIT])  # the last one is number -1
            runs.append(draw_run(digits, float(height), rng))
    made: list[tuple[Levels, int, str]] = []
    for some, run, shape in zip(labels, runs, found_again([run.coverage for run in runs], way, rng), strict=True):
        if shape is not None:
            made += [(crop, some[which], "piece") for crop, which in true_pieces(shape, run, rng)]
    return made


def _heights(alone: bool, rng: Rng) -> NDArray[np.float64]:
    """How high the samples of a group are: much the same on one sheet, as a hand writes."""
    low, high = (float(np.log(height)) for height in HEIGHTS)
    if alone:
        heights: NDArray[np.float64] = np.exp(rng.uniform(low, high, _GROUP))
    else:
        heights = np.maximum(HEIGHTS[0], np.exp(rng.uniform(low, high)) * rng.uniform(0.8, 1.25, _GROUP))
    return heights


# ---- drawing -------------------------------------------------------------------------------------------------------


def _draw(kind: str, sources: Sources, number: int, height: float, rng: Rng) -> tuple[Levels, int]:
    """One sample's coverage, cut to its ink, and its label. number: which of MNIST's digits, where one is wanted."""

    def digit(i: int) -> Levels:
        return _pen(sources.digits[i], height / 20, rng, grey=rng.random() < 0.3)

    def another() -> int:
        return int(rng.integers(len(sources.digits)))

    label = int(sources.labels[number])
    if kind == "digit":
        return digit(number), label
    if kind == "font digit":
        coverage, label = sources.font_digits[int(rng.integers(len(sources.font_digits)))]
        return _pen(_another_font(coverage, rng, 0.4), height / max(coverage.shape), rng), label
    if kind == "half":
        while label == 1:  # half a one is a one
            number = another()
            label = int(sources.labels[number])
        return _half(digit(number), rng), NO_DIGIT
    if kind in ("letter", "mark"):
        drawn = sources.letters if kind == "letter" else sources.marks
        coverage = _another_font(drawn[int(rng.integers(len(drawn)))], rng)
        return _pen(coverage, height / max(coverage.shape), rng), NO_DIGIT
    if kind == "fashion":
        return _resized(sources.fashion[rng.integers(len(sources.fashion))], max(height, 12.0)), NO_DIGIT
    return _NOTHINGS[kind](max(height, 10.0), rng), NO_DIGIT


def _cut(coverage: Levels, least: int = 40) -> Levels:
    """Without the empty rows and columns around it; [0, 0] if it is empty."""
    ink = coverage > least
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return np.zeros((0, 0), np.uint8)
    return np.ascontiguousarray(coverage[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _resized(image: Levels, height: float) -> Levels:
    import cv2

    scale = height / max(image.shape)
    size = max(2, round(image.shape[1] * scale)), max(2, round(image.shape[0] * scale))
    return np.asarray(
        cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), np.uint8
    )


def _pen(glyph: Levels, scale: float, rng: Rng, grey: bool = False) -> Levels:
    """A glyph ``scale`` times as large, turned by up to 15 degrees, slanted and stretched; unless grey, as a pen draws it:
    with strokes thinner or thicker than they were and edges of about a pixel."""
    import cv2

    angle = np.deg2rad(rng.uniform(-15, 15) if rng.random() < 0.5 else rng.normal(0, 4))
    slant, stretch = rng.uniform(-0.2, 0.2), np.exp(rng.normal(0, 0.1))
    size = max(glyph.shape)
    large = max(scale, 20 / size)  # small ones are drawn large and then made small, as a camera would
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = large * turn @ np.array([[stretch, slant], [0, 1]])
    side = int(np.ceil(1.35 * large * size)) + 6
    middle = (np.array(glyph.shape[::-1]) - 1) / 2
    start = (side - 1) / 2 - matrix @ middle
    framed = cv2.copyMakeBorder(glyph, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    start -= matrix @ np.ones(2)
    affine = np.concatenate([matrix, start[:, None]], axis=1)
    flags = cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_LINEAR
    drawn: Any = cv2.warpAffine(framed, affine, (side, side), flags=flags)
    if not grey:
        unit = large * size / 20
        drawn = cv2.GaussianBlur(drawn, (0, 0), max(0.3, unit * rng.uniform(0.25, 0.55)))
        edge, sharp = 255 * rng.uniform(0.25, 0.68), rng.uniform(0.6, 1.4) * max(1.0, unit)
        drawn = cv2.convertScaleAbs(cv2.subtract(drawn, max(0.0, edge - 127.5 / sharp)), alpha=sharp)
    if scale < large:
        small = max(3, round(side * scale / large))
        drawn = cv2.resize(drawn, (small, small), interpolation=cv2.INTER_AREA)
    return _cut(np.asarray(drawn, np.uint8))


def _another_font(glyph: Levels, rng: Rng, much: float = 1.0) -> Levels:
    """A font's glyph as another hand might have it: bent, slanted, stretched, its strokes thinned or thickened."""
    import cv2

    margin = 24
    framed = cv2.copyMakeBorder(glyph, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
    h, w = framed.shape
    bend = rng.normal(0, 0.045 * much * FONT_PIXELS, (2, 4, 4)) if rng.random() < 0.7 else np.zeros((2, 4, 4))
    x, y = (cv2.resize(field.astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC) for field in bend)
    rows, columns = np.indices((h, w), dtype=np.float32)
    slant, stretch = much * rng.uniform(-0.4, 0.4), np.exp(much * rng.normal(0, 0.2))
    x += w / 2 + (columns - w / 2) / np.float32(stretch) + np.float32(slant) * (rows - h / 2)
    bent: Any = cv2.remap(framed, x, y + rows, cv2.INTER_LINEAR)
    radius = int(rng.integers(1, 5))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    how = rng.random()
    if how < 0.3:
        bent = cv2.dilate(bent, disc)
    elif how < 0.5:
        thin = cv2.erode(bent, disc)
        bent = thin if thin.sum() > 0.4 * bent.sum() else bent  # less would be crumbs
    return _cut(np.asarray(bent, np.uint8))


def _half(digit: Levels, rng: Rng) -> Levels:
    """A part of a digit to one side of a slanted cut near its middle; nothing if it is so narrow that it may be a one."""
    if not digit.size:
        return digit
    h, w = digit.shape
    at = w * rng.uniform(0.35, 0.65) + rng.uniform(-0.3, 0.3) * (np.arange(h) - h / 2)
    left = np.arange(w) < at[:, None]
    part = _cut(np.where(left if rng.random() < 0.5 else ~left, digit, np.uint8(0)))
    return part if part.size and part.shape[1] > 0.3 * part.shape[0] else np.zeros((0, 0), np.uint8)


def _lines(lines: list[NDArray[np.float64]], height: float, rng: Rng) -> Levels:
    """Curves through points [n, 2] of 0 to 1, drawn with one pen."""
    import cv2

    side = max(height, 24.0)
    canvas = np.zeros((round(side) + 16,) * 2, np.uint8)
    points = [np.round((line * side + 8) * 16).astype(np.int32)[:, None] for line in lines]
    cv2.polylines(canvas, points, False, 255, max(1, round(side * rng.uniform(0.03, 0.16))), cv2.LINE_AA, 4)
    drawn = _cut(canvas)
    return _resized(drawn, height) if height < side and drawn.size else drawn


def _curve(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A smooth line through points [n, 2]: Catmull and Rom 1974."""
    p = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    at = np.linspace(0, len(points) - 1 - 1e-9, 24 * len(points))
    k = at.astype(int)
    t = (at - k)[:, None]
    a, b, c, d = (p[k + i] for i in range(4))
    line: NDArray[np.float64] = b + t * ((c - a) + t * ((2 * a - 5 * b + 4 * c - d) + t * (3 * b - a - 3 * c + d))) / 2
    return line


def _scribble(height: float, rng: Rng) -> Levels:
    shape = np.array([rng.uniform(0.5, 1), rng.uniform(0.5, 1)])
    lines = [_curve(rng.uniform(0, 1, (int(rng.integers(6, 15)), 2)) * shape) for _ in range(rng.integers(1, 4))]
    return _lines(lines, height, rng)


def _figure(height: float, rng: Rng) -> Levels:
    """A polygon, a spiral, a star, a zigzag, a grid or a flower."""
    t = np.linspace(0, 2 * np.pi, 120)
    around = np.stack([np.cos(t), np.sin(t)], axis=1)
    corners = int(rng.integers(3, 7))
    start = rng.uniform(0, 2 * np.pi)
    kind = rng.integers(6)
    if kind == 0:
        turn = start + 2 * np.pi * np.arange(corners + 1) / corners
        lines = [np.stack([np.cos(turn), np.sin(turn)], axis=1)] + ([0.5 * around] if rng.random() < 0.4 else [])
    elif kind == 1:
        turns = t * rng.uniform(2.5, 5)
        lines = [(t / t[-1])[:, None] * np.stack([np.cos(turns), np.sin(turns)], axis=1)]
    elif kind == 2:
        turn = start + 4 * np.pi * np.arange(6) / 5
        lines = [np.stack([np.cos(turn), np.sin(turn)], axis=1)]
    elif kind == 3:
        x = np.linspace(-1, 1, int(rng.integers(5, 12)))
        lines = [np.stack([x, rng.uniform(0.2, 0.8) * (-1.0) ** np.arange(len(x))], axis=1)]
    elif kind == 4:
        at = np.linspace(-1, 1, int(rng.integers(2, 5)))
        lines = [np.array([[x, -1.0], [x, 1.0]]) for x in at] + [np.array([[-1.0, y], [1.0, y]]) for y in at]
    else:
        lines = [np.cos(corners * t)[:, None] * around]
    wobble = [line + rng.normal(0, 0.02, line.shape) if len(line) < 20 else line for line in lines]
    return _lines([0.5 + 0.5 * line for line in wobble], height, rng)


def _noise(height: float, rng: Rng) -> Levels:
    """Random pixels: fine or coarse, of two values or many."""
    import cv2

    side = round(min(height, 60.0))
    cells = max(3, round(side / rng.choice([1, 1, 2, 4, 8])))
    small = rng.integers(0, 256, (cells, cells)).astype(np.uint8)
    if rng.random() < 0.5:
        small = np.where(small > 255 * rng.uniform(0.3, 0.9), 255, 0).astype(np.uint8)
    how = cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(small, (side, side), interpolation=how), np.uint8)


def _dot(height: float, rng: Rng) -> Levels:
    """A full stop, a comma's drop, a blot."""
    import cv2

    side = max(4, round(height * rng.uniform(0.2, 1)))
    canvas = np.zeros((3 * side, 3 * side), np.uint8)
    axes = max(1, round(side * rng.uniform(0.4, 1))), max(1, round(side * rng.uniform(0.4, 1)))
    cv2.ellipse(canvas, (side * 3 // 2,) * 2, axes, float(rng.uniform(0, 180)), 0, 360, 255, -1, cv2.LINE_AA)
    return _cut(canvas)


def _bar(height: float, rng: Rng) -> Levels:
    """What is left of a rule or a box: a flat bar, a corner, a cross, two bars."""
    tip = 0.5 + 0.08 * rng.uniform(-1, 1, (4, 2)) * np.array([[0, 1], [0, 1], [1, 0], [1, 0]])
    flat = np.array([[0.0, tip[0, 1]], [1.0, tip[1, 1]]])
    upright = np.array([[tip[2, 0], 0.0], [tip[3, 0], 1.0]])
    away = np.array([0.5, 0.0]) * rng.choice([-1, 1])
    kinds = [
        [flat],
        [flat, upright + away],
        [flat, upright],
        [flat, flat + np.array([0, 0.35])],
        [flat, upright + away, flat + np.array([0, 0.45])],
    ]
    return _lines(kinds[rng.integers(len(kinds))], height, rng)


_NOTHINGS: dict[str, Callable[[float, Rng], Levels]] = {
    "scribble": _scribble,
    "figure": _figure,
    "noise": _noise,
    "dot": _dot,
    "bar": _bar,
}
