"""A digit as it comes out of imperfect cutting: with a bit of its neighbour or of a rule, cut short, broken, on patterned paper.

Such are single digits cut out of forms and cheques. It stays the digit it was. Coverage in and out, uint8 [h, w]. Read by
``samples``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet.reading.weights.strokes import cut, resized

__all__ = ["badly_cut"]

Levels = NDArray[np.uint8]
Rng = np.random.Generator

_MOST_CUT, _MOST_LEFT = 0.1, 0.14  # of a side that is cut off; of the digit's ink that stands beside it
_SMALL, _LARGE = 8.0, 44.0  # such images are as high, in pixels


def badly_cut(digit: Levels, other: Levels, rng: Rng) -> Levels:
    """One to three faults. other: a digit of about the same height, of which a bit may stand at a side."""
    faults = [_cut_short, _broken, _ruled, _patterned, _rough, _coarse, _with_neighbour]
    chosen = rng.permutation(len(faults))[: int(rng.integers(1, 4))]
    for k in sorted(chosen.tolist()):  # first what befalls the digit, last what stands beside it
        found = _with_neighbour(digit, other, rng) if faults[k] is _with_neighbour else faults[k](digit, rng)
        digit = found if min(found.shape, default=0) > 2 else digit
    return digit


def _cut_short(digit: Levels, rng: Rng) -> Levels:
    """A side or two cut off, straight."""
    h, w = digit.shape
    top, bottom, left, right = (rng.uniform(0, _MOST_CUT, 4) * (rng.random(4) < 0.4) * [h, h, w, w]).astype(int)
    return cut(digit[top : h - bottom, left : w - right])


def _broken(digit: Levels, rng: Rng) -> Levels:
    """Gaps across its strokes."""
    import cv2

    h = max(digit.shape)
    out = digit.copy()
    y, x = np.nonzero(digit > 128)
    for _ in range(int(rng.integers(1, 4)) if len(x) else 0):
        k = int(rng.integers(len(x)))
        at, turn = np.array([x[k], y[k]]), rng.uniform(0, np.pi)
        way = 0.18 * h * np.array([np.cos(turn), np.sin(turn)])
        ends = [np.round((at + side * way) * 16).astype(int).tolist() for side in (-1, 1)]
        cv2.line(out, ends[0], ends[1], 0, max(1, round(h * rng.uniform(0.02, 0.07))), cv2.LINE_AA, 4)
    return out if out.sum() > 0.7 * digit.sum() else digit


def _ruled(digit: Levels, rng: Rng) -> Levels:
    """A bit of a rule under it, above it or beside it, touching it or through its end."""
    h, w = digit.shape
    thick = max(1, round(max(h, w) * rng.uniform(0.02, 0.07)))
    sideways = rng.random() < 0.35
    work = digit.T if sideways else digit
    long = work.shape[1]
    start, end = (0, long) if rng.random() < 0.6 else sorted(rng.integers(0, long + 1, 2).tolist())
    beyond = rng.integers(-3 * thick, round(0.12 * max(h, w)) + 1)  # of its edge
    framed = np.pad(work, ((0, max(0, int(beyond) + thick)), (0, 0)))
    at = work.shape[0] + int(beyond)
    framed[max(at, 0) : at + thick, start:end] = 255
    framed = framed if rng.random() < 0.75 else _flipped(work, framed, at, thick, start, end)
    return np.ascontiguousarray(framed.T if sideways else framed)


def _flipped(work: Levels, framed: Levels, at: int, thick: int, start: int, end: int) -> Levels:
    """The same rule at the opposite side."""
    ruled = np.pad(work, ((framed.shape[0] - work.shape[0], 0), (0, 0)))
    top = len(ruled) - at - thick
    ruled[max(top, 0) : top + thick, start:end] = 255
    return ruled


def _patterned(digit: Levels, rng: Rng) -> Levels:
    """Specks, or the rests of a fine pattern, around it and over it."""
    import cv2

    side = max(digit.shape)
    margin = round(0.1 * side)
    framed = np.pad(digit, margin)
    h, w = framed.shape
    cells = max(8, round(side / rng.uniform(1, 3)))
    if rng.random() < 0.6:
        small = rng.random((cells, cells)) < rng.uniform(0.01, 0.08)
    else:
        y, x = np.indices((cells, cells))
        turn, apart = rng.uniform(0, np.pi), rng.uniform(3, 8)
        wave = np.sin(2 * np.pi * (x * np.cos(turn) + y * np.sin(turn)) / apart)
        small = (wave > rng.uniform(0.6, 0.9)) & (rng.random((cells, cells)) < rng.uniform(0.2, 0.7))
    much = 255 if rng.random() < 0.4 else int(rng.integers(60, 200))
    specks = np.where(small, much, 0).astype(np.uint8)
    how = cv2.INTER_NEAREST if rng.random() < 0.5 else cv2.INTER_LINEAR
    return np.maximum(framed, np.asarray(cv2.resize(specks, (w, h), interpolation=how), np.uint8))


def _rough(digit: Levels, rng: Rng) -> Levels:
    """Of black and white alone, at a size at which the outline is ragged."""
    import cv2

    small = resized(digit, rng.uniform(16, _LARGE)) if max(digit.shape) > 16 else digit
    framed = np.pad(small, 2).astype(np.float32)
    noise = cv2.GaussianBlur(rng.normal(0, 1, framed.shape).astype(np.float32), (0, 0), rng.uniform(0.4, 1.2))
    noise = noise * (rng.uniform(10, 60) / max(float(noise.std()), 1e-6))
    edge = rng.uniform(70, 180)
    return cut(np.where(framed + noise * (framed > 0) > edge, 255, 0).astype(np.uint8))


def _coarse(digit: Levels, rng: Rng) -> Levels:
    """Of few pixels."""
    high = rng.uniform(_SMALL, 15.0)
    return cut(resized(digit, high)) if max(digit.shape) > high else digit


def _with_neighbour(digit: Levels, other: Levels, rng: Rng) -> Levels:
    """The near edge of a neighbour at one side, or at both."""
    h, w = digit.shape
    out = digit
    for side in (-1, 1) if rng.random() < 0.3 else (rng.choice([-1, 1]),):
        scale = h * rng.uniform(0.8, 1.2) / max(other.shape)
        near = resized(other, max(3.0, scale * max(other.shape)))
        wide = max(1, round(near.shape[1] * rng.uniform(0.06, 0.4)))
        bit = near[:, :wide] if side > 0 else near[:, -wide:]
        columns = bit.sum(axis=0, dtype=np.float64)
        nearest = np.cumsum(columns if side > 0 else columns[::-1])
        kept = int(np.searchsorted(nearest, _MOST_LEFT * digit.sum(dtype=np.float64)))
        bit = bit[:, :kept] if side > 0 else bit[:, len(columns) - kept :]
        if not bit.size:
            continue
        gap = round(h * rng.uniform(-0.03, 0.15))
        tall = max(out.shape[0], bit.shape[0])
        total = np.zeros((tall + round(0.1 * h), max(out.shape[1], out.shape[1] + gap + bit.shape[1])), np.uint8)
        at = 0 if side > 0 else total.shape[1] - out.shape[1]
        down = (len(total) - out.shape[0]) // 2
        total[down : down + out.shape[0], at : at + out.shape[1]] = out
        x = out.shape[1] + gap if side > 0 else total.shape[1] - out.shape[1] - gap - bit.shape[1]
        y = int(rng.integers(0, len(total) - bit.shape[0] + 1))
        x = int(np.clip(x, 0, total.shape[1] - bit.shape[1]))
        part = total[y : y + bit.shape[0], x : x + bit.shape[1]]
        np.maximum(part, bit, out=part)
        out = cut(total)
    return out
