"""Ink on paper, photographed, and found again: what a drawing becomes on the way from a pen to the reader.

Drawings are coverage, uint8 [h, w]: 0 nothing, 255 full ink. Read by ``samples``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.reading.ink.find import find_ink
from lenet.reading.shapes.shape import MARGIN, Shape, find_shapes, union

__all__ = ["rescanned"]

Levels = NDArray[np.uint8]
Rng = np.random.Generator

_SHEET = 2000  # a sheet's sides are no longer, so that its ink is looked for at full size


def rescanned(coverages: Sequence[Levels], way: int, rng: Rng) -> list[Shape | None]:
    """Each coverage as a shape whose box counts from the coverage's upper left corner; None where it is lost.

    way: 0 without a sheet, 1 each on a sheet of its own, 2 together on few.
    """
    if way == 0:
        return [_soft(coverage, rng) for coverage in coverages]
    if way == 1:
        return [_read_back([coverage], rng)[0] for coverage in coverages]
    found: list[Shape | None] = []
    while len(found) < len(coverages):
        some = coverages[len(found) :]
        h, w = (max(coverage.shape[axis] for coverage in some) for axis in (0, 1))
        found += _read_back(some[: max(1, int(_SHEET // (1.5 * h + 8)) * int(_SHEET // (1.5 * w + 8)))], rng)
    return found


def _soft(coverage: Levels, rng: Rng) -> Shape:
    """Coverage as ink without a sheet, sometimes blurred or thresholded."""
    import cv2

    margin = MARGIN + 2
    crop = cv2.copyMakeBorder(coverage, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
    how = rng.random()
    if how < 0.4:
        crop = cv2.GaussianBlur(crop, (0, 0), rng.uniform(0.3, 0.04 * coverage.shape[0] + 0.4))
    elif how < 0.5:
        crop = cv2.threshold(crop, rng.uniform(80, 170), 255, cv2.THRESH_BINARY)[1]
    h, w = coverage.shape
    return Shape((-2, -2, w + 2, h + 2), np.asarray(crop, np.uint8), h * w)


def _read_back(coverages: Sequence[Levels], rng: Rng) -> list[Shape | None]:
    """Coverages laid on one sheet, photographed, and each found again; None where it is lost."""
    tall, wide = (max(coverage.shape[axis] for coverage in coverages) for axis in (0, 1))
    if len(coverages) == 1:
        side = max(max(tall, wide) + 6, round(max(tall, wide) * 1.4))
        pitch = side, side
    else:
        pitch = round(1.5 * tall) + 8, round(1.5 * wide) + 8
    columns = min(
        len(coverages),
        max(1, round((len(coverages) * pitch[0] / pitch[1]) ** 0.5), -(-len(coverages) * pitch[0] // _SHEET)),
    )
    rows = -(-len(coverages) // columns)
    ink = np.zeros((rows * pitch[0], columns * pitch[1]), np.uint8)
    corners = []
    for i, coverage in enumerate(coverages):
        h, w = coverage.shape
        y = i // columns * pitch[0] + int((pitch[0] - h) * rng.uniform(0.3, 0.7))
        x = i % columns * pitch[1] + int((pitch[1] - w) * rng.uniform(0.3, 0.7))
        corners.append((x, y))
        np.maximum(ink[y : y + h, x : x + w], coverage, out=ink[y : y + h, x : x + w])
    page = find_ink(_photo(ink, tall, rng))
    cells: list[list[Shape]] = [[] for _ in coverages]
    for shape in find_shapes(page.level, page.mask, page.stroke):
        x, y = (int(at / page.scale) for at in shape.middle)
        place = y // pitch[0] * columns + x // pitch[1]
        if place < len(cells):
            cells[place].append(shape)
    found: list[Shape | None] = []
    for parts, (x, y) in zip(cells, corners, strict=True):
        most = max((part.area for part in parts), default=0)
        kept = [part for part in parts if part.area >= 0.04 * most]
        whole = union(kept) if kept else None
        found.append(whole and replace(whole, box=tuple(b - c for b, c in zip(whole.box, (x, y, x, y), strict=True))))
    return found


def _photo(ink: Levels, height: int, rng: Rng) -> Levels:
    """Ink uint8 [H, W] on paper, as uint8 [H, W, 3]: of any colours apart from each other, unevenly lit, blurred, noisy."""
    import cv2

    h, w = ink.shape
    plain = rng.random() < 0.3
    while True:
        paper, pen = rng.uniform(0, 255, (2, 3)) if rng.random() < 0.4 else np.array([[235.0] * 3, [30.0] * 3])
        if not plain and rng.random() < 0.3:
            paper, pen = pen, paper
        paper, pen = (np.clip(c + rng.normal(0, 10, 3), 0, 255) for c in (paper, pen))
        if np.abs(paper - pen).max() > 90:
            break
    how = rng.random()
    if how < 0.4 and not plain:
        ink = np.asarray(cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.3, 0.35 + 0.035 * height)), np.uint8)
    page: Any = cv2.LUT(cv2.merge([ink] * 3), _mixes(paper, pen))
    if plain:
        return np.asarray(page, np.uint8)
    if rng.random() < 0.5:
        across, down = rng.uniform(-1, 1, 2)
        light = 1 - rng.uniform(0, 0.45) * np.clip(
            0.5 + 0.5 * (across * np.linspace(-1, 1, w) + down * np.linspace(-1, 1, h)[:, None]), 0, 1
        )
        page = cv2.multiply(page, cv2.merge([light.astype(np.float32)] * 3), dtype=cv2.CV_8U)
    if rng.random() < 0.5:
        strength = rng.uniform(2, 16) * min(1.0, height / 25)
        grain: Any = rng.integers(0, 256, (h, w, 3), dtype=np.uint8)  # sums of two of which are near enough to normal
        grain = cv2.addWeighted(grain, 0.5, np.roll(grain, 7, axis=1), 0.5, 0)
        page = cv2.addWeighted(page, 1, grain, strength / 52, -127.5 * strength / 52)
    if rng.random() < 0.4:
        quality = int(rng.integers(30, 95))
        page = cv2.imdecode(cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    if rng.random() < 0.08:
        grey = cv2.cvtColor(page, cv2.COLOR_RGB2GRAY)
        page = cv2.merge([cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)[1]] * 3)
    return np.asarray(page, np.uint8)


def _mixes(paper: NDArray[np.float64], pen: NDArray[np.float64]) -> Levels:
    """What each coverage 0 … 255 looks like: uint8 [1, 256, 3]."""
    share = np.linspace(0, 1, 256)[:, None]
    return np.round(paper * (1 - share) + pen * share).astype(np.uint8)[None]
