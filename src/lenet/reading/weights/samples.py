"""What the packaged reader learns from: digits, and what is none, drawn in many ways and read back by the real code.

A sample begins as coverage (uint8 [h, w], 0 nothing, 255 full ink): a digit of MNIST, of a pen's trace, of a school or of a
font (``hands``, ``strokes``), enlarged, turned and slanted, its stroke thinned or thickened, some badly cut (``cuts``); or
one of the things that are no digit (``negatives``). Four in ten are then laid on a sheet of some colour under some light,
blurred, made noisy, packed as JPEG, and found again by ``ink`` and ``shapes`` as on any page (``sheets``); the others go
straight to ``form``. About a quarter are pieces of touching digits (``touching``). Labels: 0 to 9, and 10 for no digit. The
same numbers come out for the same seed, however many processes share the work. Nothing here trains. Read by ``training``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.reading.shapes.form import NO_DIGIT, digit_forms
from lenet.reading.weights.cuts import badly_cut
from lenet.reading.weights.hands import schooled, traced
from lenet.reading.weights.negatives import NEGATIVES, crossed_out, part_of_word
from lenet.reading.weights.sheets import rescanned
from lenet.reading.weights.strokes import cut, drawn, redrawn, resized
from lenet.reading.weights.touching import Run, draw_run, true_pieces
from lenet.reading.weights.traces import Traces

__all__ = ["DIGITS", "KINDS", "LETTERS", "NO_DIGIT", "PLAIN", "Sources", "glyphs_of", "make_samples", "words_of"]

Levels = NDArray[np.uint8]
Rng = np.random.Generator

LETTERS = "ACDEFGHJKLMNPQRTUVWXYacdefhijkmnprtuvwxy"  # no digit looks like them; O I S Z B b g l o q s z are left out
MARKS = "?!&@#%+*=$§~^"
FONT_PIXELS = 96  # the size at which font glyphs are kept
HEIGHTS = 5.5, 100.0  # of a sample on its sheet, in pixels

# Of a hundred samples how many are of each kind: digits, then what is none. Pieces are both, and fewer than stands here, for
# not every run gives as many as are wanted.
KINDS = {
    "digit": 28.0,
    "trace": 8.0,
    "school": 5.0,
    "font digit": 3.0,
    "cut": 7.0,
    "letter": 8.0,
    "word": 3.0,
    "mark": 1.0,
    "sign": 2.0,
    "crossed out": 1.5,
    "scribble": 2.0,
    "figure": 1.0,
    "half": 1.5,
    "fashion": 1.5,
    "noise": 0.8,
    "dot": 0.7,
    "bar": 1.5,
    "piece": 24.5,
}
# Most of what is read is written as MNIST's digits are, and most of what isn't digits is letters: so a part of the samples
# is of these alone.
PLAIN = {"digit": 50.0, "piece": 34.0, "letter": 14.0, "word": 2.0}
DIGITS = "digit", "trace", "school", "font digit", "cut"  # the kinds that are digits, whole ones
_GROUP = 120  # samples that come to be in one way, on one sheet or on none
_PIECES = 4  # that a run of digits gives, about
_DIRECT = 0.6  # the share that no sheet is drawn for
_ALONE = 0.15  # the share that have a sheet to themselves, as single images do
_LOW, _LOWEST = 0.1, 16.0  # the share of groups that are so low at most
_OTHER_HANDS = 0.25  # the share of digits of pens and schools where MNIST's and theirs are mixed
_REDRAWN, _BARRED = (
    0.12,
    0.25,
)  # the share of MNIST's digits that another pen draws anew, and of its sevens that get a bar
_SEEN = 100  # a form without a pixel of so much ink is none


class Sources(NamedTuple):
    """What samples are drawn from. digits uint8 [N, 28, 28] and labels int64 [N]: MNIST's; fashion: likewise, no labels.

    letters, marks, words: coverage of font glyphs; font_digits: (coverage, label); traces: of pens.
    """

    digits: Levels
    labels: NDArray[np.int64]
    fashion: Levels
    letters: Sequence[Levels]
    marks: Sequence[Levels]
    font_digits: Sequence[tuple[Levels, int]]
    words: Sequence[Levels]
    traces: Traces


def glyphs_of(path: str, characters: str) -> dict[str, Levels]:
    """A font's own glyphs for these characters, as coverage some 96 pixels high; those it lacks are left out."""
    from PIL import ImageFont

    font = ImageFont.truetype(path, FONT_PIXELS)
    missing = bytes(font.getmask("\uffff"))
    found = {}
    for character in characters:
        mask = font.getmask(character, mode="L")
        if mask.getbbox() is not None and bytes(font.getmask(character)) != missing:
            found[character] = cut(np.array(mask, np.uint8).reshape(mask.size[1], mask.size[0]))
    return found


def words_of(path: str, characters: str, count: int, rng: Rng) -> list[Levels]:
    """``count`` words of two to four of these characters in a font, as coverage; fewer if it lacks some."""
    from PIL import ImageFont

    font = ImageFont.truetype(path, FONT_PIXELS)
    known = "".join(glyphs_of(path, characters))
    found = []
    for _ in range(count if known else 0):
        mask = font.getmask("".join(rng.choice(list(known), int(rng.integers(2, 5)))), mode="L")
        found.append(cut(np.array(mask, np.uint8).reshape(mask.size[1], mask.size[0])))
    return [word for word in found if word.size]


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
    shapes = rescanned([coverage for coverage, _, _ in group], way, rng)
    return [(s.level, label, kind) for (_, label, kind), s in zip(group, shapes, strict=True) if s is not None]


def _pieces(sources: Sources, take: Callable[[], int], rng: Rng) -> list[tuple[Levels, int, str]]:
    """Pieces of runs of touching digits: crop, label and kind."""
    way = int(rng.choice(3, p=(_DIRECT, 0, 1 - _DIRECT)))
    labels: list[list[int]] = []
    runs: list[Run] = []
    for height in _heights(False, rng)[: _GROUP // _PIECES]:
        own = rng.random() < _OTHER_HANDS
        some = [_any_digit(sources, take(), float(height), rng, own) for _ in range(2 + (rng.random() < 0.3))]
        if all(min(digit.shape) > 1 and digit.max() > 128 for digit, _ in some):
            labels.append([*(label for _, label in some), NO_DIGIT])  # the last one is number -1
            runs.append(draw_run([digit for digit, _ in some], float(height), rng))
    made: list[tuple[Levels, int, str]] = []
    for known, run, shape in zip(labels, runs, rescanned([run.coverage for run in runs], way, rng), strict=True):
        if shape is not None:
            made += [(crop, known[which], "piece") for crop, which in true_pieces(shape, run, rng)]
    return made


def _heights(alone: bool, rng: Rng) -> NDArray[np.float64]:
    """How high the samples of a group are: much the same on one sheet, as a hand writes."""
    low, high = (float(np.log(height)) for height in HEIGHTS)
    if alone:
        heights: NDArray[np.float64] = np.exp(rng.uniform(low, high, _GROUP))
    else:
        high = float(np.log(_LOWEST)) if rng.random() < _LOW else high
        heights = np.maximum(HEIGHTS[0], np.exp(rng.uniform(low, high)) * rng.uniform(0.8, 1.25, _GROUP))
    return heights


# ---- drawing -------------------------------------------------------------------------------------------------------


def _draw(kind: str, sources: Sources, number: int, height: float, rng: Rng) -> tuple[Levels, int]:
    """One sample's coverage, cut to its ink, and its label. number: which of MNIST's digits, where one is wanted."""
    if kind == "digit":
        return _mnist_digit(sources, number, height, rng), int(sources.labels[number])
    if kind in ("trace", "school"):
        return _other_digit(sources, height, rng, kind == "trace")
    if kind == "font digit":
        coverage, label = sources.font_digits[int(rng.integers(len(sources.font_digits)))]
        return _sized(_another_font(coverage, rng, 0.4), height, rng), label
    if kind == "cut":
        digit, label = _any_digit(sources, number, max(height, 20.0), rng)
        other, _ = _any_digit(sources, int(rng.integers(len(sources.digits))), max(height, 20.0), rng)
        return badly_cut(digit, other, rng) if min(*digit.shape, *other.shape) > 2 else digit, label
    if kind == "crossed out":
        digit, _ = _any_digit(sources, number, max(height, 16.0), rng)
        return crossed_out(digit, rng) if min(digit.shape) > 2 else digit, NO_DIGIT
    if kind == "half":
        label = int(sources.labels[number])
        while label == 1:  # half a one is a one
            number = int(rng.integers(len(sources.digits)))
            label = int(sources.labels[number])
        return _half(_mnist_digit(sources, number, height, rng), rng), NO_DIGIT
    if kind in ("letter", "mark"):
        kept = sources.letters if kind == "letter" else sources.marks
        return _sized(_another_font(kept[int(rng.integers(len(kept)))], rng), height, rng), NO_DIGIT
    if kind == "word":
        word = part_of_word(sources.words[int(rng.integers(len(sources.words)))], rng)
        return _sized(_another_font(word, rng, 0.5), height, rng) if word.size else word, NO_DIGIT
    if kind == "fashion":
        return resized(sources.fashion[rng.integers(len(sources.fashion))], max(height, 12.0)), NO_DIGIT
    return NEGATIVES[kind](max(height, 10.0), rng), NO_DIGIT


def _mnist_digit(sources: Sources, number: int, height: float, rng: Rng) -> Levels:
    """One of MNIST's, in the grey it has, as a pen may have drawn it, or drawn anew along its middle by any pen."""
    glyph = sources.digits[number]
    if sources.labels[number] == 7 and rng.random() < _BARRED:
        glyph = _barred(glyph, rng)
    if rng.random() < _REDRAWN:
        return _sized(redrawn(glyph, rng), height, rng)
    return _pen(glyph, height / 20, rng, grey=rng.random() < 0.3)


def _other_digit(sources: Sources, height: float, rng: Rng, trace: bool) -> tuple[Levels, int]:
    """A digit of a pen's trace, or as it is taught somewhere; and its label."""
    if trace:
        k = int(rng.integers(len(sources.traces.labels)))
        label = int(sources.traces.labels[k])
        lines = traced(sources.traces.points[k], label, rng)
    else:
        label = int(rng.integers(10))
        lines = schooled(label, rng)
    return _sized(drawn(lines, rng), height, rng), label


def _any_digit(sources: Sources, number: int, height: float, rng: Rng, own: bool | None = None) -> tuple[Levels, int]:
    """A digit of any hand, and its label. own: whether of another than MNIST's; left out, by chance."""
    if rng.random() < _OTHER_HANDS if own is None else own:
        return _other_digit(sources, height, rng, rng.random() < 0.6)
    return _mnist_digit(sources, number, height, rng), int(sources.labels[number])


def _sized(coverage: Levels, height: float, rng: Rng) -> Levels:
    """``_pen`` on a drawing whose longer side is to become about ``height``."""
    return _pen(coverage, height / max(coverage.shape), rng) if coverage.size else coverage


def _barred(glyph: Levels, rng: Rng) -> Levels:
    """A seven of MNIST with a short stroke through its stem."""
    import cv2

    rows = np.flatnonzero(glyph.max(axis=1) > 128)
    y = rows[0] + (rows[-1] - rows[0]) * rng.uniform(0.42, 0.65)
    columns = np.flatnonzero(glyph[round(float(y))] > 100)
    if not len(columns):
        return glyph
    x, (left, right), rise = columns.mean(), rng.uniform(2.5, 6, 2), rng.uniform(-1.5, 1)
    ends = [np.round(np.array(end) * 16).astype(int).tolist() for end in ((x - left, y - rise), (x + right, y + rise))]
    out = glyph.copy()
    cv2.line(out, ends[0], ends[1], 255, int(rng.integers(1, 4)), cv2.LINE_AA, 4)
    return out


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
    return cut(np.asarray(drawn, np.uint8))


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
    return cut(np.asarray(bent, np.uint8))


def _half(digit: Levels, rng: Rng) -> Levels:
    """A part of a digit to one side of a slanted cut near its middle; nothing if it is so narrow that it may be a one."""
    if not digit.size:
        return digit
    h, w = digit.shape
    at = w * rng.uniform(0.35, 0.65) + rng.uniform(-0.3, 0.3) * (np.arange(h) - h / 2)
    left = np.arange(w) < at[:, None]
    part = cut(np.where(left if rng.random() < 0.5 else ~left, digit, np.uint8(0)))
    return part if part.size and part.shape[1] > 0.3 * part.shape[0] else np.zeros((0, 0), np.uint8)
