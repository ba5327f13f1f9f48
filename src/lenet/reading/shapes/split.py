"""Touching digits: where a shape could be cut, and the pieces that a cut makes.

A cut is a seam: a path from the shape's top to its bottom that crosses as little ink as it can. Seams follow the gaps
between slanted neighbours and the notches of the outline, which straight cuts don't. Nothing here knows the network:
``best_path`` takes the pieces' costs from whoever has read them. Read by ``glyphs``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lenet.reading.shapes.shape import MARGIN, Shape

__all__ = ["Cuts", "best_path", "find_cuts", "piece", "pieces"]

_ROWS = 40  # a shape's height while seams are sought
_SIDEWAYS = 1.0, 4.0  # what a seam pays for a step aside, in rows of full ink: the winding kind, and the straight
_FAINT = 0.004  # what it pays for a row without ink, so that it doesn't wander
_ENTERING = 16.0  # what it pays for going into ink: one long contact is likelier a joint than a loop crossed twice
_FEW = 6, 24, 0.06  # cuts, and again as many for each height of width; at most; apart by so much of the height at least
_MANY = 12, 48, 0.03
_LEAST_SHARE = 0.06  # of the ink: what must lie on each side of a cut


@dataclass(frozen=True, eq=False)
class Cuts:
    """A shape's possible cuts from left to right. seams: float32 [cuts + 2, h], x of each row of its level crop.

    The first and the last are the crop's own edges, so that piece (i, j) lies between seams i and j. ink: float [cuts + 2],
    what each cuts through, in heights. area: float [cuts + 2], the ink to the left of each, in squared heights.
    """

    shape: Shape
    seams: NDArray[np.float32]
    ink: NDArray[np.float64]
    area: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.seams)


def find_cuts(shapes: Sequence[Shape], heights: Sequence[float], many: bool = False) -> list[Cuts]:
    """The best cuts of each shape.

    heights: that of the digits in each shape's line, in pixels. many: twice as many, which makes four times as many pieces,
    and where digits do touch a fifth fewer mistakes.
    """
    import cv2

    each, most, closest = _MANY if many else _FEW
    small: list[NDArray[np.uint8]] = []
    for shape in shapes:
        h, w = shape.level.shape
        scale = _ROWS / h
        size = max(3, round(w * scale)), _ROWS
        small.append(np.asarray(cv2.resize(shape.level, size, interpolation=cv2.INTER_AREA), np.uint8))
    found: list[Cuts] = []
    kinds = [_seams(small, aside) for aside in _SIDEWAYS]
    for shape, height, ink, *seams in zip(shapes, heights, small, *kinds, strict=True):
        enough = min(most, each + round(each * shape.width / height))
        found.append(_choose(shape, height, ink, seams, enough, closest))
    return found


def pieces(cuts: Cuts, arcs: Sequence[tuple[int, int]]) -> list[Shape | None]:
    """For each (first, last) the ink between two seams as a shape; None where there is none."""
    if not len(arcs):
        return []
    x0, y0 = cuts.shape.box[:2]
    level = cuts.shape.level
    h, w = level.shape
    beyond = np.arange(w, dtype=np.float32) >= cuts.seams[:, :, None]
    at = np.array(arcs)
    within: NDArray[np.bool_] = beyond[at[:, 0]] & ~beyond[at[:, 1]]
    solid = within & (level >= 128)
    across, down = np.asarray(solid.any(axis=1)), np.asarray(solid.any(axis=2))
    left, right = np.maximum(across.argmax(axis=1), MARGIN), w - np.maximum(across[:, ::-1].argmax(axis=1), MARGIN)
    top, bottom = np.maximum(down.argmax(axis=1), MARGIN), h - np.maximum(down[:, ::-1].argmax(axis=1), MARGIN)
    areas = np.count_nonzero(solid, axis=(1, 2))
    found: list[Shape | None] = []
    for inside, x, y, end_x, end_y, area in zip(
        within, *(v.tolist() for v in (left, top, right, bottom, areas)), strict=True
    ):
        if not area or end_x <= x or end_y <= y:
            found.append(None)
            continue
        crop = slice(y - MARGIN, end_y + MARGIN), slice(x - MARGIN, end_x + MARGIN)
        box = (x0 + x - MARGIN, y0 + y - MARGIN, x0 + end_x - MARGIN, y0 + end_y - MARGIN)
        found.append(Shape(box, level[crop] * inside[crop], area))
    return found


def piece(cuts: Cuts, first: int, last: int) -> Shape | None:
    """The ink between two seams as a shape; None if there is none."""
    return pieces(cuts, [(first, last)])[0]


def best_path(nodes: int, costs: dict[tuple[int, int], float]) -> list[tuple[int, int]]:
    """The cheapest way from node 0 to node ``nodes`` - 1 along arcs (i, j), i < j; empty if there is none.

    Of equally cheap ways the one whose arcs reach further.
    """
    total = [np.inf] * nodes
    total[-1] = 0.0
    onward: list[int] = [-1] * nodes
    for (i, j), cost in sorted(costs.items(), reverse=True):
        if cost + total[j] < total[i]:
            total[i], onward[i] = cost + total[j], j
    path, at = [], 0
    while at != nodes - 1:
        if onward[at] < 0:
            return []
        path.append((at, onward[at]))
        at = onward[at]
    return path


def _seams(
    small: Sequence[NDArray[np.uint8]], sideways: float
) -> list[tuple[NDArray[np.float64], NDArray[np.float32]]]:
    """For each ink uint8 [_ROWS, w]: the cost of the cheapest seam through each column of the middle row, and the seams.

    Costs float64 [w], in rows of ink; seams float32 [w, _ROWS], the column in each row. All shapes at once, side by side,
    apart by columns that no seam enters.
    """
    if not small:
        return []
    apart = 2
    widths = [s.shape[1] for s in small]
    starts = np.cumsum([0] + [w + apart for w in widths])
    total = int(starts[-1])
    cost = np.full((_ROWS, total + apart), 1e6)
    for ink, start in zip(small, starts, strict=False):
        share = ink / 255.0
        share[1:] += _ENTERING * np.maximum(np.diff(share, axis=0), 0)
        cost[:, start : start + ink.shape[1]] = share + _FAINT
    middle = _ROWS // 2
    down, came_down = _cheapest(cost[: middle + 1], sideways)
    up, came_up = _cheapest(cost[: middle - 1 : -1], sideways)
    through = down + up - cost[middle]
    columns = np.arange(total + apart)
    paths = np.empty((_ROWS, total + apart), np.float32)
    paths[middle] = columns
    for rows, came in ((range(middle, 0, -1), came_down), (range(_ROWS - 1 - middle, 0, -1), came_up)):
        at = columns
        for row in rows:
            at = at + came[row, at]
            paths[row - 1 if came is came_down else _ROWS - row] = at
    return [
        (through[start : start + w], np.ascontiguousarray(paths[:, start : start + w].T) - np.float32(start))
        for start, w in zip(starts, widths, strict=False)
    ]


def _cheapest(cost: NDArray[np.float64], sideways: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """From the first row to each cell of the last: the cost of the cheapest way, and each cell's step to its former row."""
    came = np.zeros(cost.shape, np.int64)
    total = cost[0].copy()
    edge = np.array([1e9])
    for row in range(1, len(cost)):
        left, right = np.concatenate((edge, total[:-1])), np.concatenate((total[1:], edge))
        aside = np.minimum(left, right) + sideways
        came[row] = np.where(aside < total, np.where(left <= right, -1, 1), 0)
        total = np.minimum(total, aside) + cost[row]
    return total, came


def _choose(
    shape: Shape,
    height: float,
    ink: NDArray[np.uint8],
    kinds: Sequence[tuple[NDArray[np.float64], NDArray[np.float32]]],
    most: int,
    closest: float,
) -> Cuts:
    """Of each kind of seams the cheapest that lie apart and leave ink on both sides."""
    w = ink.shape[1]
    h_full, w_full = shape.level.shape
    unit = height * _ROWS / h_full  # a digit's height while small
    rows = np.arange(_ROWS)
    before = np.concatenate((np.zeros((_ROWS, 1)), np.cumsum(ink, axis=1, dtype=np.float64)), axis=1)
    chosen: list[NDArray[np.float32]] = []
    for (through, paths), enough in zip(kinds, (most * 2 // 3, most), strict=True):
        left = before[rows, paths.astype(np.int64)].sum(axis=1) / max(before[:, -1].sum(), 1.0)
        free = (left > _LEAST_SHARE) & (left < 1 - _LEAST_SHARE)
        for path in chosen:
            free &= np.abs(paths - path).mean(axis=1) >= closest * unit
        while len(chosen) < enough and free.any():
            best = int(np.argmin(np.where(free, through, np.inf)))
            chosen.append(paths[best])
            free &= np.abs(paths - paths[best]).mean(axis=1) >= closest * unit
    seams = np.empty((len(chosen) + 2, h_full), np.float32)
    cut, area = np.zeros(len(chosen) + 2), np.zeros(len(chosen) + 2)
    seams[0], seams[-1] = 0, w_full
    at = (np.arange(h_full) + 0.5) * _ROWS / h_full - 0.5
    chosen.sort(key=lambda path: float(before[rows, path.astype(np.int64)].sum()))
    for k, path in enumerate(chosen, 1):
        columns = path.astype(np.int64)
        seams[k] = np.interp(at, rows, path + 0.5) * (w_full / w)
        cut[k] = ink[rows, columns].sum() / 255 / unit
        area[k] = before[rows, columns].sum()
    area[-1] = before[:, -1].sum()
    return Cuts(shape, seams, cut, area / (255 * unit * unit))
