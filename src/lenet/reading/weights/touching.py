"""Touching digits to learn from: drawn side by side, cut by the reader's own splitter, each piece with what it truly is.

A piece that is nearly all of one digit and hardly anything else is that digit; half a digit and two of them are none. What
lies between is left out, and so is a part of a digit that is one straight stroke: nobody could tell it from a one. Read by
``samples``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.reading.shapes.shape import MARGIN, Shape
from lenet.reading.shapes.split import find_cuts, piece

__all__ = ["Run", "draw_run", "true_pieces"]

Levels = NDArray[np.uint8]

_OWN, _WHOLE = 0.9, 0.88  # of a piece's ink: one digit's; of that digit's ink: what the piece has
_HALF, _OTHER = 0.7, 0.2  # less of any digit is no digit; so is a piece of which more is another digit's
_STRAIGHT = 0.03  # a piece's spread across over that along: of a line whose width is a third of its length 0.11
_RIGHT, _WRONG = 4, 2  # pieces taken of a run, at most
_TRIES = 60
_FAINT = 64  # of 255: what the network is shown as ink, for form raises faint strokes
_APART = 0.15  # of the neighbours: they don't quite touch


class Run(NamedTuple):
    """coverage: uint8 [h, w] of digits side by side. owners: each one's own on the same canvas. height: of a digit."""

    coverage: Levels
    owners: Sequence[Levels]
    height: float


def draw_run(digits: Sequence[Levels], height: float, rng: np.random.Generator) -> Run:
    """Digits uint8 [h, w], cut to their ink, one after the other, each pushed into the one before until they touch."""
    tall = max(digit.shape[0] for digit in digits)
    canvas = np.zeros((tall + 2 * (1 + round(0.12 * tall)), sum(digit.shape[1] + 12 for digit in digits)), np.uint8)
    owners: list[Levels] = []
    x = before = 0
    ends = np.zeros(len(canvas), np.int64)
    for digit in digits:
        h, w = digit.shape
        spare = len(canvas) - h
        top = int(np.clip(round(spare / 2 + rng.normal(0, 0.04) * tall), 0, spare))
        ink = digit > 128
        if owners:
            meet = ink.any(axis=1) & (ends[top : top + h] > 0)
            reach = (ends[top : top + h] - ink.argmax(axis=1))[meet]
            touch = int(reach.max()) if len(reach) else x
            if rng.random() < _APART:
                touch += 1 + round(rng.uniform(0, 0.2) * tall)
            else:
                touch -= 1 + round(rng.uniform(0, 0.09) * tall)
            x = max(touch, before + round(0.5 * (x - before)))
        own = np.zeros_like(canvas)
        own[top : top + h, x : x + w] = digit
        owners.append(own)
        inked = own > 128
        ends = np.where(inked.any(axis=1), inked.shape[1] - inked[:, ::-1].argmax(axis=1), 0)
        before, x = x, x + w
    whole = np.max(owners, axis=0)
    columns = np.flatnonzero(whole.any(axis=0))
    rows = np.flatnonzero(whole.any(axis=1))
    frame = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return Run(whole[frame], [own[frame] for own in owners], height)


def true_pieces(shape: Shape, run: Run, rng: np.random.Generator) -> list[tuple[Levels, int]]:
    """Some pieces of a run, and for each which of its digits it is, or -1 for none.

    shape: the run as it was found again; its box counts from the run's own upper left corner.
    """
    cuts = find_cuts([shape], [run.height], many=True)[0]
    arcs = [(i, j) for i in range(len(cuts) - 1) for j in range(i + 1, len(cuts))]
    found: list[tuple[Levels, int]] = []
    kinds = [0, 0]
    for k in rng.permutation(len(arcs))[:_TRIES]:
        part = piece(cuts, *arcs[k])
        if part is None or part.height < 0.5 * run.height or part.width > 1.6 * run.height:
            continue
        which = _what(part, run)
        if which is None or kinds[which < 0] >= (_WRONG if which < 0 else _RIGHT):
            continue
        kinds[which < 0] += 1
        found.append((part.level, which))
    return found


def _what(part: Shape, run: Run) -> int | None:
    """Which of a run's digits a piece is; -1 if none, None if that is hard to say."""
    ink = part.level[MARGIN:-MARGIN, MARGIN:-MARGIN] >= _FAINT
    x0, y0 = part.box[:2]
    h, w = run.coverage.shape
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x0 + ink.shape[1], w), min(y0 + ink.shape[0], h)
    if right <= left or bottom <= top:
        return None
    here = ink[top - y0 : bottom - y0, left - x0 : right - x0]
    inside = max(int((here & (run.coverage[top:bottom, left:right] >= _FAINT)).sum()), 1)  # blur makes it wider
    both = [int((here & (own[top:bottom, left:right] >= _FAINT)).sum()) for own in run.owners]
    held = [n / max(int((own >= _FAINT).sum()), 1) for n, own in zip(both, run.owners, strict=True)]
    best = int(np.argmax(both))
    own, other = both[best] / inside, max(n for i, n in enumerate([*both, 0]) if i != best) / inside
    if own >= _OWN and held[best] >= _WHOLE:
        return best
    if max(held) < _HALF or other > _OTHER:
        return None if _is_stroke(ink) else -1
    return None


def _is_stroke(ink: NDArray[np.bool_]) -> bool:
    """Whether ink is about one straight line."""
    y, x = np.nonzero(ink)
    if len(x) < 3:
        return True
    low, high = np.linalg.eigvalsh(np.cov(np.stack([x, y]).astype(np.float64)))
    return bool(low < _STRAIGHT * high)
