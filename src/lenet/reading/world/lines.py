"""Drawn lines as the network gets them: a grey strip, and windows out of it with what stands in the middle of each.

A window is uint8 [ROWS, COLUMNS]. It is of a digit if that digit's middle is near its own; between digits it is a gap, and
over other writing it is that. Nothing here trains. Read by ``training``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.reading.lines.strip import COLUMNS, PAPER, ROWS, levels
from lenet.reading.world.hands import Sources
from lenet.reading.world.paper import photographed
from lenet.reading.world.scenes import write
from lenet.reading.world.writing import GAP, HIGH, INNER, MARGIN, OTHER, Mark

__all__ = ["Strip", "draw_strip", "windows_of"]

Levels = NDArray[np.uint8]
Rng = np.random.Generator

_NEAR, _LEAST, _MOST = 0.3, 1.5, 3.5  # of a digit's width, and pixels: so far from its middle a window still is of it
_APART = 0.38  # of the distance to the next one's middle at most
_UNCLEAR = 1.0  # pixels beyond, which belong to neither
_DIGITS, _GAPS, _OTHERS, _BLANKS = 9, 5, 8, 3  # windows of a strip, at most


class Strip(NamedTuple):
    """image: uint8 [ROWS, w], as ``levels`` makes it. marks: what stands where, in its pixels."""

    image: Levels
    marks: list[Mark]


def draw_strip(sources: Sources, rng: Rng, kind: str | None = None) -> Strip:
    """One line on paper, photographed."""
    import cv2

    line, wide = write(sources, rng, kind)
    lean = float(rng.normal(0.1, 0.22))
    room = int(abs(lean) * INNER / 2) + 1
    y, x = np.indices((INNER, wide + 2 * room), np.float32)
    bend = cv2.resize(
        rng.standard_normal((3, max(3, wide // 20), 2), np.float32), x.shape[::-1], interpolation=cv2.INTER_CUBIC
    ) * np.float32(rng.uniform(0, 1.5))
    across = x - np.float32(room) + np.float32(lean) * (y - INNER / 2) + bend[..., 0]
    down = y + MARGIN + np.float32(0.7) * bend[..., 1]
    ink = cv2.remap(line.ink[:, :wide], across, down, cv2.INTER_LINEAR)
    upright = np.float32(lean) * np.float32(rng.uniform(0, 0.3))  # what is printed leans less
    rules: Any = line.rules[:, :wide]
    if rules.any():
        rules = cv2.remap(rules, x - np.float32(room) + upright * (y - INNER / 2), y + MARGIN, cv2.INTER_LINEAR)
    else:
        rules = np.zeros_like(ink)
    stretch = float(rng.uniform(0.85, 1.3))
    image = photographed(np.asarray(ink), np.asarray(rules), ROWS, stretch, rng)
    scale = ROWS / INNER * stretch * image.shape[1] / max(round(x.shape[1] * ROWS / INNER * stretch), 1)
    marks = []
    for label, (x0, y0, x1, y1) in line.marks:
        shift = room - lean * ((y0 + y1) / 2 - HIGH / 2)
        high = ROWS / INNER
        box = ((x0 + shift) * scale, (y0 - MARGIN) * high, (x1 + shift) * scale, (y1 - MARGIN) * high)
        marks.append(Mark(label, box))
    return Strip(levels(image), marks)


def labels_of(strip: Strip) -> NDArray[np.int64]:
    """What stands in the middle of the window about each column: int64 [w], -1 where that isn't clear."""
    w = strip.image.shape[1]
    found = np.full(w, GAP, np.int64)
    columns = np.arange(w) + 0.5
    for mark in strip.marks:
        if mark.label == OTHER:
            found[(columns > mark.box[0]) & (columns < mark.box[2])] = OTHER
    told = [mark for mark in strip.marks if mark.label != OTHER]
    middles = np.array([(m.box[0] + m.box[2]) / 2 for m in told])
    for k, mark in enumerate(told):
        apart = np.abs(np.delete(middles, k) - middles[k]).min(initial=np.inf)
        reach = float(np.clip(_NEAR * (mark.box[2] - mark.box[0]), _LEAST, _MOST))
        reach = min(reach, _APART * apart)
        off = np.abs(columns - middles[k])
        unclear = (off <= reach + _UNCLEAR) & (off > reach) & (found >= 10)
        found[unclear] = -1
        found[off <= reach] = mark.label
    return found


def windows_of(strip: Strip, rng: Rng) -> tuple[Levels, NDArray[np.int64]]:
    """Some windows of a strip and what stands in their middles: uint8 [n, ROWS, COLUMNS], int64 [n]."""
    labels = labels_of(strip)
    near = np.zeros(len(labels), bool)
    for mark in strip.marks:
        if mark.label < 10:
            near[max(0, int(mark.box[0]) - 2) : int(mark.box[2]) + 3] = True
    places: list[int] = []
    for some, count in (
        (labels < OTHER, _DIGITS),
        ((labels == GAP) & near, _GAPS),
        (labels == OTHER, _OTHERS),
        ((labels == GAP) & ~near, _BLANKS),
    ):
        at = np.flatnonzero(some & (labels >= 0))
        places += rng.permutation(at)[:count].tolist()
    half = COLUMNS // 2
    framed = np.pad(strip.image, ((0, 0), (half, half)), constant_values=PAPER)
    windows = np.lib.stride_tricks.sliding_window_view(framed, COLUMNS, axis=1)  # [ROWS, w + 1, COLUMNS]
    return np.ascontiguousarray(windows[:, places].transpose(1, 0, 2)), labels[places]
