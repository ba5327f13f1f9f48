"""Strokes and the pens that draw them: lines of points in, coverage out; and a drawn digit's own strokes, to draw it anew.

A line is float64 [n, 2] of x, y, to the right and down, in heights of a digit. Coverage is uint8 [h, w], 0 nothing and 255
full ink. What the lines mean is another's business. Read by ``hands``, ``negatives``, ``cuts`` and ``samples``.

Sources: the spline is Catmull and Rom's (1974), the thinning Zhang and Suen's (1984).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Line", "curve", "cut", "drawn", "perturbed", "redrawn", "resized"]

Levels = NDArray[np.uint8]
Line = NDArray[np.float64]
Rng = np.random.Generator

SIDE = 72  # pixels that a height is drawn with before it is brought to the height that is wanted
THINNEST, THICKEST = 0.035, 0.24  # of a pen, in heights


def cut(coverage: Levels, least: int = 40) -> Levels:
    """Without the empty rows and columns around it; [0, 0] if it is empty."""
    ink = coverage > least
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return np.zeros((0, 0), np.uint8)
    return np.ascontiguousarray(coverage[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def resized(image: Levels, height: float) -> Levels:
    """An image whose longer side becomes ``height``."""
    import cv2

    scale = height / max(image.shape)
    size = max(2, round(image.shape[1] * scale)), max(2, round(image.shape[0] * scale))
    return np.asarray(
        cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), np.uint8
    )


def curve(points: Line, steps: int = 24) -> Line:
    """A smooth line through points [n, 2], ``steps`` points for each of them."""
    p = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    at = np.linspace(0, len(points) - 1 - 1e-9, steps * len(points))
    k = at.astype(int)
    t = (at - k)[:, None]
    a, b, c, d = (p[k + i] for i in range(4))
    line: Line = b + t * ((c - a) + t * ((2 * a - 5 * b + 4 * c - d) + t * (3 * b - a - 3 * c + d))) / 2
    return line


def perturbed(lines: Sequence[Line], rng: Rng, much: float = 1.0) -> list[Line]:
    """Lines as another hand has them: trembling, and bent as a whole."""
    waves = rng.normal(0, 0.022 * much, (2, 2, 3))
    phases = rng.uniform(0, 2 * np.pi, (2, 2, 3))
    turns = 2 * np.pi * np.array([0.5, 1.0, 1.6])
    bent = []
    for line in lines:
        moved = line.copy()
        for axis in (0, 1):
            for along in (0, 1):
                moved[:, axis] += np.sin(line[:, along, None] * turns + phases[axis, along]) @ waves[axis, along]
        bent.append(moved)
    return bent


def drawn(lines: Sequence[Line], rng: Rng, width: float | None = None) -> Levels:
    """Lines drawn with one pen, some SIDE pixels for each height, cut to the ink.

    width: of the pen in heights; left out, of any pen from THINNEST to THICKEST. Half the pens are round; others have a
    broad nib, or press harder in one place than in another.
    """
    import cv2

    if width is None:
        width = float(np.exp(rng.uniform(np.log(THINNEST), np.log(THICKEST))))
    thick = max(1.0, width * SIDE)
    points = np.concatenate(lines)
    low, high = points.min(axis=0), points.max(axis=0)
    size = np.minimum(np.ceil((high - low) * SIDE + 2 * thick + 6), 6 * SIDE).astype(int)
    canvas = np.zeros((size[1], size[0]), np.uint8)
    placed = [(line - low) * SIDE + thick + 3 for line in lines]
    pen = rng.random()
    if pen < 0.25 and thick >= 3:
        _press(canvas, placed, thick, rng)
    else:
        nib = pen < 0.5 and thick >= 4
        fixed = [np.round(line * 16).astype(np.int32)[:, None] for line in placed]
        cv2.polylines(canvas, fixed, False, 255, 1 if nib else max(1, round(thick)), cv2.LINE_AA, 4)
        if nib:
            canvas = np.asarray(cv2.dilate(canvas, _nib(thick, rng)), np.uint8)
    return cut(canvas)


def _press(canvas: Levels, lines: Sequence[Line], thick: float, rng: Rng) -> None:
    """Draws, in place, with a pen whose width changes along each line."""
    import cv2

    for line in lines:
        step = max(1, len(line) // 24)
        some = np.round(np.concatenate([line[::step], line[-1:]]) * 16).astype(np.int32)
        start, end = rng.uniform(0.5, 1.3, 2)
        widths = (
            thick * np.linspace(start, end, len(some)) * (1 + 0.15 * np.sin(rng.uniform(2, 9) * np.arange(len(some))))
        )
        for a, b, wide in zip(some[:-1], some[1:], widths, strict=False):
            cv2.line(canvas, a.tolist(), b.tolist(), 255, max(1, round(float(wide))), cv2.LINE_AA, 4)


def _nib(thick: float, rng: Rng) -> Levels:
    """A structuring element: a broad nib, held at some angle."""
    import cv2

    side = round(thick) | 1
    nib = np.zeros((side, side), np.uint8)
    axes = side // 2, max(1, round(side * rng.uniform(0.15, 0.4)))
    cv2.ellipse(nib, (side // 2, side // 2), axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)
    return nib


# ---- a drawn digit's own strokes -------------------------------------------------------------------------------------


def redrawn(glyph: Levels, rng: Rng, width: float | None = None) -> Levels:
    """A glyph's middle lines drawn with a round pen, SIDE pixels for the longer side; the glyph itself if it has none.

    width: as in ``drawn``.
    """
    import cv2

    if width is None:
        width = float(np.exp(rng.uniform(np.log(THINNEST), np.log(THICKEST))))
    large = resized(cut(glyph), SIDE)
    large = np.asarray(cv2.GaussianBlur(large, (0, 0), 1.2), np.uint8)
    radius = width * SIDE / 2
    margin = int(radius) + 4
    framed = cv2.copyMakeBorder(large, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
    middle = _thinned((framed > 127).astype(np.uint8))
    if not middle.any():
        return glyph
    away: Any = cv2.GaussianBlur(cv2.distanceTransform(1 - middle, cv2.DIST_L2, 5), (0, 0), 1.0)
    return cut(np.clip(255 * (radius - away + 0.5), 0, 255).astype(np.uint8))


def _thinned(ink: Levels) -> Levels:
    """Ink, 0 or 1, uint8 [h, w], thinned to lines of one pixel."""
    import cv2

    ink = ink.copy()
    while True:
        before = int(ink.sum())
        for goes in _goes():
            around = cv2.filter2D(ink, cv2.CV_16S, _AROUND, borderType=cv2.BORDER_CONSTANT)
            ink[(ink > 0) & goes[around]] = 0
        if int(ink.sum()) == before:
            return ink


# A pixel's neighbours as a number: north 1, then clockwise.
_AROUND = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)


@functools.lru_cache(maxsize=1)
def _goes() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether a pixel with such neighbours goes, in the even and in the odd half of a round: bool [256] each."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    north, east, south, west = bits[:, 0], bits[:, 2], bits[:, 4], bits[:, 6]
    count = bits.sum(axis=1)
    begins = ((bits == 0) & (np.roll(bits, -1, axis=1) == 1)).sum(axis=1)
    outer = (count >= 2) & (count <= 6) & (begins == 1)
    even = outer & (north * east * south == 0) & (east * south * west == 0)
    odd = outer & (north * east * west == 0) & (north * south * west == 0)
    return even, odd
