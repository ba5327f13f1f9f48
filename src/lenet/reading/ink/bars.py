"""A form's small parts, which else read as digits: boxes too small to have rules, ticks of a comb, thick sides of boxes.

It finds no rules: clean.py does, and is the only reader.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet.reading.ink.paper import U8

__all__ = ["take_bars", "take_boxes"]

I32 = NDArray[np.int32]

FRAMED = 0.95  # of each side of its outline: so much of a box is ink
SMALLEST = 8  # pixels: of a box's sides
BOXES, SAME = 3, 0.2  # boxes of about one height, which differs by so much, are a form's; fewer may be square 0s
HIGH = 1.8  # of its width: a bar is at least so high
FULL = 0.75  # of its box: so much of a bar is ink
THICK = 2.5  # of the rules' thickness, and two pixels: a bar is no wider
REACH = 4  # pixels: so near to a rule a bar stands on it
HIGHER = 1.15  # than most of the ink: a box's side is higher than what is written into it
SIDES, COMB = 2, 4  # so many bars alike in height, in width and in where they end are sides of boxes, or a comb
EVEN = 0.15  # of the distance from one tick to the next: by so much they stand unevenly
ALIKE_HIGH, ALIKE_WIDE = 0.12, 0.4  # of a bar's own: by so much those of a comb differ


def take_bars(mask: U8, line: U8, thickness: float, stroke: float) -> U8:
    """Clears bars from uint8 [h, w] in place, and says where they stood: uint8 [h, w] of 0 and 1.

    line: where rules ran, over 0; thickness: theirs; stroke: the ink's mean width, in pixels. A side of a box stands with both
    ends on rules, and another beside it. A tick stands with one, is nothing but a bar, and one of several at even distances;
    any other bar may be a 1, or the stem of a digit, and stays.
    """
    import cv2

    taken = np.zeros_like(mask)
    shortest = int(max(2.5 * stroke, 10))
    bars = cv2.morphologyEx(
        mask, cv2.MORPH_OPEN, np.ones((shortest, 1), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    _, _, stats, _ = cv2.connectedComponentsWithStats(bars, connectivity=4, ltype=cv2.CV_32S)
    x, y, w, h, area = stats[1:].T
    bar = np.flatnonzero((area > FULL * w * h) & (h > HIGH * w) & (w <= THICK * thickness + 2))
    x, y, w, h = x[bar], y[bar], w[bar], h[bar]

    def on_rule(column: int, wide: int, row: int) -> bool:
        near = line[max(row - REACH, 0) : row + REACH, max(column - 1, 0) : column + wide + 1]
        return bool(near.size) and bool((near > 0).any(axis=0).mean() >= 0.5)

    top = np.array([on_rule(*place) for place in zip(x, w, y, strict=True)], bool)
    foot = np.array([on_rule(*place) for place in zip(x, w, y + h, strict=True)], bool)
    alone, usual = _alone(mask, x, y, w, h)
    gone = np.zeros(len(x), bool)
    for n in np.flatnonzero(top | foot):
        end = y if top[n] else y + h
        alike = (top == top[n]) & (foot == foot[n]) & (np.abs(end - end[n]) <= REACH)
        alike &= np.abs(h - h[n]) <= max(ALIKE_HIGH * h[n], 2)
        alike &= np.abs(w - w[n]) <= max(ALIKE_WIDE * w[n], 2)
        if top[n] and foot[n]:
            gone[n] = h[n] >= HIGHER * usual and np.count_nonzero(alike) >= SIDES
        else:
            gone[n] = alone[n] and _is_comb(x[alike & alone])
    for n in np.flatnonzero(gone):
        part = slice(max(y[n] - REACH, 0), y[n] + h[n] + REACH), slice(max(x[n] - 1, 0), x[n] + w[n] + 1)
        taken[part] = 1
        mask[part] = 0
    return taken


def _alone(mask: U8, x: I32, y: I32, w: I32, h: I32) -> tuple[NDArray[np.bool_], float]:
    """Which bars are all of the ink that they are part of, and no stems of digits; and how high most of the ink is."""
    import cv2

    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
    own = stats[labels[y + h // 2, x + w // 2]]
    alone = np.asarray((own[:, 2] <= w + 4) & (own[:, 3] <= h + 2 * REACH))
    stats = stats[1:]
    order = np.argsort(stats[:, 3], kind="stable")
    total = np.cumsum(stats[order, 4])
    return alone, float(stats[order[np.searchsorted(total, total[-1] / 2)], 3]) if len(total) else 0.0


def _is_comb(x: I32) -> bool:
    """Whether bars at these places stand at even distances, but for gaps of several."""
    if len(x) < COMB:
        return False
    steps = np.diff(np.sort(x)).astype(np.float64)
    pitch = float(np.median(steps))
    off = np.abs(steps / max(pitch, 1.0) - np.maximum(np.rint(steps / max(pitch, 1.0)), 1))
    return bool((off <= EVEN).all())


def take_boxes(mask: U8, stroke: float) -> U8:
    """Clears boxes and strips of boxes from uint8 [h, w] in place, what stands in them left; gives where they ran, 0 or 1.

    A box is a piece of ink with four straight sides, whatever touches them within. stroke: the ink's mean width, in pixels.
    """
    import cv2

    taken = np.zeros_like(mask)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
    near = int(np.ceil(stroke)) + 1
    found = []
    for n in np.flatnonzero(np.minimum(stats[:, 2], stats[:, 3]) >= max(SMALLEST, 3 * near)):
        x, y, w, h, area = (int(v) for v in stats[n])
        if n == 0 or area > 0.6 * w * h:
            continue
        own = labels[y : y + h, x : x + w] == n
        sides = (own[:near].any(axis=0), own[-near:].any(axis=0), own[:, :near].any(axis=1), own[:, -near:].any(axis=1))
        if all(side.mean() >= FRAMED for side in sides):
            found.append((x, y, w, h, own))
    heights = np.array([box[3] for box in found])
    for x, y, w, h, own in found:
        if np.count_nonzero(np.abs(heights - h) <= SAME * h) < BOXES:
            continue
        frame = np.zeros((h, w), bool)
        frame[:near] = frame[-near:] = frame[:, :near] = frame[:, -near:] = True
        full = own.mean(axis=0) >= FRAMED  # what parts a strip's boxes
        frame |= cv2.dilate(full[None].astype(np.uint8), np.ones((1, 3), np.uint8))[0] > 0
        part = slice(y, y + h), slice(x, x + w)
        mask[part][frame & own] = 0
        taken[part][frame] = 1
    return taken
