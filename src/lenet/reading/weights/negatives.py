"""Negative samples that come from no font: scribbles, figures, signs, noise, blots, bits of rules, digits crossed out.

Each is coverage, uint8 [h, w], some ``height`` pixels high. Nothing here may be meant as a digit: no ring, no single
stroke. Read by ``samples``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lenet.reading.weights.strokes import Line, curve, cut, drawn, perturbed, resized

__all__ = ["NEGATIVES", "crossed_out", "part_of_word"]

Levels = NDArray[np.uint8]
Rng = np.random.Generator


def _lines(lines: list[Line], height: float, rng: Rng) -> Levels:
    """Lines of points of 0 to 1, drawn with one pen."""
    found = drawn(lines, rng, rng.uniform(0.03, 0.16))
    return resized(found, height) if found.size else found


def _scribble(height: float, rng: Rng) -> Levels:
    shape = np.array([rng.uniform(0.5, 1), rng.uniform(0.5, 1)])
    lines = [curve(rng.uniform(0, 1, (int(rng.integers(6, 15)), 2)) * shape) for _ in range(rng.integers(1, 4))]
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


def _sign(height: float, rng: Rng) -> Levels:
    """A tick, a cross, a plus, an equals sign, brackets, an arrow, loops of a pen, strokes side by side."""
    kind, wide = rng.integers(9), rng.uniform(0.6, 1.1)
    if kind == 0:
        corner = np.array([rng.uniform(0.2, 0.4), 1.0])
        lines = [np.stack([corner - [rng.uniform(0.15, 0.35), rng.uniform(0.2, 0.5)], corner, [wide, 0.0]])]
    elif kind == 1:
        lines = [np.array([[0.0, 0.0], [wide, 1.0]]), np.array([[wide, 0.0], [0.0, 1.0]])]
    elif kind == 2:
        x, y = wide * rng.uniform(0.4, 0.6), rng.uniform(0.4, 0.6)
        lines = [np.array([[0.0, y], [wide, y]]), np.array([[x, 0.0], [x, 1.0]])]
    elif kind == 3:
        lines = [np.array([[0.0, y], [1.0, y]]) for y in (0.0, rng.uniform(0.25, 0.5))]
    elif kind == 4:
        deep = rng.uniform(0.18, 0.4)
        brace = np.stack([np.zeros(7), [0.0, 0.1, 0.4, 0.5, 0.6, 0.9, 1.0]], axis=1)
        shapes = [
            curve(np.array([[deep, 0.0], [0.0, 0.5], [deep, 1.0]])),
            np.array([[deep, 0.0], [0.0, 0.0], [0.0, 1.0], [deep, 1.0]]),
            curve(deep * np.array([[1, 0], [0.5, 0], [0.5, 0], [0, 0], [0.5, 0], [0.5, 0], [1, 0]]) + brace),
            np.array([[wide * 0.7, 0.0], [0.0, 0.5], [wide * 0.7, 1.0]]),
        ]  # fmt: skip
        lines = [shapes[rng.integers(4)]]
        if rng.random() < 0.5:
            lines = [line * np.array([-1, 1]) for line in lines]
    elif kind == 5:
        tip, wing = np.array([1.0, 0.5]), rng.uniform(0.15, 0.35)
        lines = [np.stack([[0.0, 0.5], tip]), tip - wing * np.array([[1, 1], [0, 0], [1, -1]])]
    elif kind == 6:
        t = np.linspace(0, 2 * np.pi * rng.uniform(2.3, 4.5), 120)
        lines = [np.stack([t * rng.uniform(0.07, 0.14) + 0.3 * np.cos(t), 0.5 + 0.5 * np.sin(t)], axis=1)]
    elif kind == 7:
        lines = [np.array([[x, 0.0], [x - 0.15, 1.0]]) for x in rng.uniform(0.25, 0.45) * np.arange(rng.integers(2, 5))]
    else:
        t = np.linspace(0, 2 * np.pi, 60)
        side = rng.uniform(0.5, 0.75)
        lines = [np.stack([side * np.sin(t), 0.22 * np.sin(2 * t)], axis=1)]
    turn = rng.uniform(-0.25, 0.25)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return _lines(perturbed([line @ matrix for line in lines], rng, 0.8), height, rng)


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
    return cut(canvas)


def _bar(height: float, rng: Rng) -> Levels:
    """What is left of a rule or a box: a flat bar, a corner, a cross, two bars, a comb's teeth on its back."""
    tip = 0.5 + 0.08 * rng.uniform(-1, 1, (4, 2)) * np.array([[0, 1], [0, 1], [1, 0], [1, 0]])
    flat = np.array([[0.0, tip[0, 1]], [1.0, tip[1, 1]]])
    upright = np.array([[tip[2, 0], 0.0], [tip[3, 0], 1.0]])
    away = np.array([0.5, 0.0]) * rng.choice([-1, 1])
    high, teeth = rng.uniform(0.15, 0.9), np.linspace(0, 1, int(rng.integers(2, 5)))
    comb = [np.array([[0.0, 1.0], [1.0, 1.0]]), *(np.array([[x, 1.0], [x, 1 - high]]) for x in teeth)]
    kinds = [
        [flat],
        [flat, upright + away],
        [flat, upright],
        [flat, flat + np.array([0, 0.35])],
        [flat, upright + away, flat + np.array([0, 0.45])],
        comb,
        [line * np.array([1, -1]) for line in comb],
    ]
    return _lines(kinds[rng.integers(len(kinds))], height, rng)


def crossed_out(digit: Levels, rng: Rng) -> Levels:
    """A digit struck through several times, by strokes, a zigzag or a scribble: it is none any more."""
    import cv2

    h, w = digit.shape
    margin = round(0.25 * h)
    canvas = cv2.copyMakeBorder(digit, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
    size = np.array([w, h], np.float64)
    kind = rng.random()
    if kind < 0.5:  # strokes side by side, flat or slanted, beyond the digit on both sides
        turn = rng.uniform(-0.9, 0.9)
        along, aside = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        count = int(rng.integers(2, 6)) + (abs(turn) > 0.6)
        reach = 0.5 * (abs(along) @ size) + 0.1 * h
        spread = np.linspace(-0.32, 0.32, count) * h + rng.normal(0, 0.04 * h, count)
        lines = [np.stack([-reach * along + s * aside, reach * along + s * aside]) for s in spread]
        lines = [line + rng.normal(0, 0.05 * h, line.shape) for line in lines]
    elif kind < 0.8:  # one line to and fro
        turns = int(rng.integers(5, 10))
        x = np.where(np.arange(turns) % 2 == 0, -1.0, 1.0) * (0.5 * w + 0.1 * h)
        line = np.stack([x, np.linspace(-0.4, 0.4, turns) * h], axis=1) + rng.normal(0, 0.06 * h, (turns, 2))
        lines = [curve(line) if rng.random() < 0.5 else line]
    else:
        lines = [curve(rng.uniform(-0.55, 0.55, (int(rng.integers(9, 16)), 2)) * (size + 0.1 * h))]
    middle = np.array(canvas.shape[::-1]) / 2
    points = [np.round((line + middle) * 16).astype(np.int32)[:, None] for line in lines]
    cv2.polylines(canvas, points, False, 255, max(1, round(h * rng.uniform(0.03, 0.13))), cv2.LINE_AA, 4)
    return cut(np.asarray(canvas, np.uint8))


def part_of_word(word: Levels, rng: Rng) -> Levels:
    """A word as it is, or a piece cut out of it that holds parts of two letters at least, as a rule."""
    h, w = word.shape
    if rng.random() < 0.35 or w < 1.3 * h:
        return word
    wide = int(h * rng.uniform(0.8, 1.6))
    left = int(rng.integers(0, max(1, w - wide)))
    return cut(word[:, left : left + wide])


NEGATIVES: dict[str, Callable[[float, Rng], Levels]] = {
    "scribble": _scribble,
    "figure": _figure,
    "sign": _sign,
    "noise": _noise,
    "dot": _dot,
    "bar": _bar,
}
