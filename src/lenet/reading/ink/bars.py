"""Upright bars that stand on a form's rules: the ticks of a comb and the thick sides of boxes, which else read as 1s.

It finds no rules: clean.py does, and is the only reader.
"""

from __future__ import annotations

import numpy as np

from lenet.reading.ink.paper import U8

__all__ = ["take_bars"]

HIGH = 1.8  # of its width: a bar is at least so high
FULL = 0.75  # of its box: so much of a bar is ink
THICK = 2.5  # of the rules' thickness, and two pixels: a bar is no wider
REACH = 4  # pixels: so near to a rule a bar stands on it
COMB = 3  # bars with one end on a rule are a comb if so many are alike in height, in width and in where they end
ALIKE_HIGH, ALIKE_WIDE = 0.12, 0.4  # of a bar's own: by so much those of a comb differ


def take_bars(mask: U8, line: U8, thickness: float, stroke: float) -> U8:
    """Clears bars from uint8 [h, w] in place, and says where they stood: uint8 [h, w] of 0 and 1.

    line: where rules ran, over 0; thickness: theirs; stroke: the ink's mean width, in pixels. A side of a box stands with both
    ends on rules, a tick with one; a lone bar with one end on a rule may be a 1 and stays.
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
    gone = top & foot
    for n in np.flatnonzero(top ^ foot):
        end = y if top[n] else y + h
        alike = (top == top[n]) & (foot == foot[n]) & (np.abs(end - end[n]) <= REACH)
        alike &= np.abs(h - h[n]) <= max(ALIKE_HIGH * h[n], 2)
        alike &= np.abs(w - w[n]) <= max(ALIKE_WIDE * w[n], 2)
        gone[n] |= np.count_nonzero(alike) >= COMB
    for n in np.flatnonzero(gone):
        part = slice(max(y[n] - REACH, 0), y[n] + h[n] + REACH), slice(max(x[n] - 1, 0), x[n] + w[n] + 1)
        taken[part] = 1
        mask[part] = 0
    return taken
