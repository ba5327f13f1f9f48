"""Digits as hands of many schools write them, each as strokes: a 1 with a flag and a foot, a barred 7, an open 4.

MNIST's writers went to American schools; what others learned is drawn here, with all that differs from one writer to the
next left to chance. And traces of pens (``traces``), which lost their width: they get one again. What a pen makes of the
lines is ``strokes``' business. Read by ``samples``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lenet.reading.weights.strokes import Line, curve, perturbed

__all__ = ["schooled", "traced"]

Rng = np.random.Generator
Drawn = list[Line]

_TREMBLE = 0.018  # of a point, in heights


def schooled(digit: int, rng: Rng) -> Drawn:
    """One digit's strokes, some unit high, in one of the forms that are taught."""
    return perturbed(_FORMS[digit](rng), rng)


def traced(points: NDArray[np.float64], digit: int, rng: Rng) -> Drawn:
    """A trace [n, 2] in a square, x to the right and y up, 0 to 1, as a stroke of a width that such a digit may have."""
    narrowest, widest = (0.15, 0.8) if digit == 1 else (0.4, 1.05)
    wide = np.exp(rng.uniform(np.log(narrowest), np.log(widest)))
    line = np.stack([wide * points[:, 0], 1 - points[:, 1]], axis=1)
    line += rng.normal(0, 0.012, line.shape)
    return perturbed([curve(line) if rng.random() < 0.85 else line], rng, 0.7)


def _points(rng: Rng, *xy: tuple[float, float]) -> Line:
    return np.array(xy, np.float64) + rng.normal(0, _TREMBLE, (len(xy), 2))


def _line(rng: Rng, *xy: tuple[float, float]) -> Line:
    return _points(rng, *xy)


def _bow(rng: Rng, *xy: tuple[float, float]) -> Line:
    return curve(_points(rng, *xy))


def _oval(x: float, y: float, across: float, down: float, start: float, turn: float, lean: float = 0.0) -> Line:
    """A part of an ellipse about x, y: from the angle ``start``, clockwise on paper, ``turn`` of a whole one."""
    t = 2 * np.pi * (start + turn * np.linspace(0, 1, 60))
    points: Line = np.stack([x + across * np.cos(t), y + down * np.sin(t)], axis=1)
    points[:, 0] -= lean * (points[:, 1] - y)
    return points


def _zero(rng: Rng) -> Drawn:
    """With its ends apart, or one across the other; sometimes the one far inside."""
    wide = rng.uniform(0.16, 0.4)
    turn = rng.choice([-1.0, 1.0]) * rng.uniform(0.88, 1.12)
    line = _oval(wide, 0.5, wide, 0.5, rng.uniform(0.55, 0.95), turn, rng.uniform(-0.1, 0.25))
    inward = rng.uniform(-0.05, 0.2) * np.clip(np.linspace(-1.5, 1, len(line)), 0, 1)[:, None]
    return [line + inward * (np.array([wide, 0.5]) - line)]


def _one(rng: Rng) -> Drawn:
    """A bar; with a flag, short or half as long as the bar; on a foot."""
    lean = rng.uniform(-0.15, 0.25)
    bar = _line(rng, (lean, 0), (0, 1))
    bar = bar if rng.random() < 0.7 else curve(np.insert(bar, 1, bar.mean(axis=0) + rng.normal(0, 0.03, 2), axis=0))
    lines = [bar]
    if rng.random() < 0.8:
        long, steep = rng.uniform(0.12, 0.5), rng.uniform(0.45, 1.7)
        tip = bar[0] + np.array([-long, long * steep])
        tip[1] = min(tip[1], rng.uniform(0.3, 0.68))
        middle = (tip + bar[0]) / 2 + rng.normal(0, 0.025, 2)
        lines = [np.concatenate([curve(np.stack([tip, middle, bar[0]])), bar])]
    if rng.random() < 0.4:
        left, right = rng.uniform(0.08, 0.35, 2)
        lines.append(_line(rng, (bar[-1, 0] - left, bar[-1, 1]), (bar[-1, 0] + right, bar[-1, 1])))
    return lines


def _two(rng: Rng) -> Drawn:
    """With a corner at its foot, or a loop, small or large."""
    wide = rng.uniform(0.45, 0.7)
    top = [(0.02, rng.uniform(0.12, 0.32)), (wide * 0.45, 0.0), (wide * 0.95, 0.22), (wide * 0.68, 0.56)]
    if rng.random() < 0.65:
        high = rng.uniform(0.08, 0.22)
        foot = [
            (0.12, 0.95),
            (-0.02, 0.93),
            (0.02, 1 - high),
            (0.16, 0.98 - high * 0.6),
            (wide, rng.uniform(0.9, 1.05)),
        ]
        return [_bow(rng, *top, *foot)]
    down = _bow(rng, *top, (0.0, 1.0))
    return [np.concatenate([down, _bow(rng, (0.0, 1.0), (wide * 0.5, rng.uniform(0.92, 1.02)), (wide, 0.98))])]


def _three(rng: Rng) -> Drawn:
    """Of two bows, or flat above."""
    waist = rng.uniform(0.1, 0.3)
    lower = [(waist, 0.43), (0.5, 0.62), (0.42, 0.92), (0.18, 1.0), (0.0, rng.uniform(0.78, 0.95))]
    if rng.random() < 0.45:
        flat = _line(rng, (0.02, 0.03), (0.5, 0.0), (waist, 0.42))
        return [np.concatenate([flat, _bow(rng, *lower)])]
    return [_bow(rng, (0.0, rng.uniform(0.08, 0.2)), (0.22, 0.0), (0.45, 0.17), *lower)]


def _four(rng: Rng) -> Drawn:
    """Open above: of an angle or a bowl and a bar through it; or closed."""
    across, wide = rng.uniform(0.5, 0.75), rng.uniform(0.5, 0.8)
    at = wide * rng.uniform(0.55, 0.85)
    kind = rng.random()
    if kind < 0.5:  # down, to the right, and a bar
        top = rng.uniform(0.0, 0.2)
        left = _line(rng, (rng.uniform(0.05, 0.3), top), (0.0, across), (wide, across + rng.uniform(-0.1, 0.04)))
        bar = _line(
            rng, (at + rng.uniform(0, 0.12), rng.uniform(0.0, across - 0.12)), (at + rng.uniform(-0.12, 0.05), 1.0)
        )
        return [left, bar]
    if kind < 0.8:  # a bowl, like a u with a long right side
        x = rng.uniform(0.35, 0.5)
        bowl = _bow(rng, (0.04, rng.uniform(0, 0.15)), (0.0, 0.35), (0.12, 0.53), (x, 0.48))
        return [
            bowl,
            _line(rng, (x + rng.uniform(0, 0.08), rng.uniform(0.0, 0.2)), (x - rng.uniform(-0.02, 0.12), 1.0)),
        ]
    return [_line(rng, (at, 0.0), (0.0, across), (wide, across)), _line(rng, (at, 0.0), (at, 1.0))]


def _five(rng: Rng) -> Drawn:
    """Its bar at the top joined, apart from it, or left to a bow."""
    low = rng.uniform(0.35, 0.47)
    bowl = [(0.06, low + 0.03), (0.28, low - 0.05), (0.48, 0.65), (0.38, 0.94), (0.14, 1.0), (-0.02, 0.9)]
    kind = rng.random()
    if kind < 0.3:
        start = _line(rng, (0.5, rng.uniform(-0.04, 0.06)), (0.1, 0.02), (0.05, low))
        return [np.concatenate([start, _bow(rng, *bowl)])]
    if kind < 0.75:
        apart = rng.uniform(-0.05, 0.12)
        stem = np.concatenate([_line(rng, (0.09, 0.03), (0.05, low)), _bow(rng, *bowl)])
        return [stem, _line(rng, (0.08 + apart, rng.uniform(-0.06, 0.05)), (0.5 + apart, rng.uniform(-0.1, 0.03)))]
    return [_bow(rng, (0.5, 0.05), (0.25, 0.0), (0.1, 0.15), (0.2, 0.4), *bowl[2:])]


def _six(rng: Rng) -> Drawn:
    """Its loop small or large, closed, open or run over; its back bent or straight."""
    high, wide = rng.uniform(0.36, 0.62), rng.uniform(0.36, 0.6)
    top = (rng.uniform(0.15, 0.55), 0.0)
    end = [(wide * 0.5, 1 - high), (rng.uniform(0.0, 0.18), 1 - high * rng.uniform(0.3, 0.75))]
    loop = [(0.0, 0.72), (wide * 0.4, 1.0), (wide, 1 - high * 0.5), *end]
    back = [(top[0] * 0.5, 0.22), (0.05, 0.48)] if rng.random() < 0.7 else [(top[0] * 0.5 + 0.02, 0.36)]
    return [_bow(rng, top, *back, *loop)]


def _seven(rng: Rng) -> Drawn:
    """With a bar through it mostly; its foot bent or straight; a tick down at its start."""
    wide, foot = rng.uniform(0.4, 0.65), rng.uniform(0.02, 0.35)
    start = [(0.02, rng.uniform(0.1, 0.25))] if rng.random() < 0.35 else []
    corner = (wide, rng.uniform(-0.03, 0.05))
    head = _line(rng, *start, (0.0, 0.04), corner)
    bent = rng.uniform(-0.12, 0.02)
    down = curve(np.stack([head[-1], _points(rng, ((wide + foot) / 2 + bent, 0.5))[0], np.array([foot, 1.0])]))
    lines = [np.concatenate([head, down])]
    if rng.random() < 0.75:
        y = rng.uniform(0.4, 0.62)
        x = float(down[np.abs(down[:, 1] - y).argmin(), 0])
        left, right = rng.uniform(0.1, 0.3, 2)
        lines.append(_line(rng, (x - left, y + rng.uniform(-0.04, 0.1)), (x + right, y + rng.uniform(-0.1, 0.03))))
    return lines


def _eight(rng: Rng) -> Drawn:
    """In one go, open at the top or not; or of two rings."""
    upper, lower = rng.uniform(0.16, 0.26), rng.uniform(0.2, 0.3)
    if rng.random() < 0.35:
        waist = rng.uniform(0.4, 0.5)
        ring = _oval(0.3, waist / 2, upper, waist / 2, rng.uniform(0, 1), rng.uniform(0.95, 1.1))
        return [ring, _oval(0.3, (1 + waist) / 2, lower, (1 - waist) / 2, rng.uniform(0, 1), rng.uniform(0.95, 1.1))]
    left, right, gap = 0.3 - upper, 0.3 + upper, rng.uniform(-0.08, 0.1)
    down = [(right - 0.03, 0.1 + max(gap, 0)), (0.3, 0.0), (left, 0.2), (0.3, 0.47), (0.3 + lower, 0.74), (0.3, 1.0)]
    up = [(0.3 - lower, 0.76), (0.28, 0.5), (right, 0.24), (right - 0.04 - gap, 0.08)]
    line = _bow(rng, *down, *up)
    return [line * np.array([-1, 1]) if rng.random() < 0.1 else line]


def _nine(rng: Rng) -> Drawn:
    """Its tail straight, bent or hooked, its loop closed, open or run over."""
    high, wide = rng.uniform(0.36, 0.56), rng.uniform(0.36, 0.56)
    begin = (wide * rng.uniform(0.8, 1.0), high * rng.uniform(0.1, 0.35))
    loop = [
        begin,
        (wide * 0.5, 0.0),
        (0.0, high * 0.5),
        (wide * 0.42, high),
        (wide * 0.92, high * rng.uniform(0.3, 0.6)),
    ]
    kind = rng.random()
    if kind < 0.45:
        x = wide * rng.uniform(0.6, 1.05)
        return [np.concatenate([_bow(rng, *loop, (wide, begin[1])), _line(rng, (wide, begin[1]), (x, 1.0))])]
    if kind < 0.75:
        hook = [(wide * 0.85, 0.9), (wide * 0.45, 1.0), (0.02, rng.uniform(0.82, 0.95))]
        return [_bow(rng, *loop, (wide * 1.02, 0.5), *hook)]
    return [_bow(rng, *loop, (wide * 1.0, 0.45), (wide * rng.uniform(0.3, 0.9), 1.0))]


_FORMS: dict[int, Callable[[Rng], Drawn]] = dict(
    enumerate((_zero, _one, _two, _three, _four, _five, _six, _seven, _eight, _nine))
)
