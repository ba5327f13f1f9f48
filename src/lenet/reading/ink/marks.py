"""A highlighter's marks, taken off the page before its ink is looked for.

A mark is light, of another hue than the paper, wider than a stroke, and has writing in it. It dyes what it covers: each of its
colours is the paper's times a factor, and so is the writing's. Read by find.py.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet.reading.ink.paper import U8

__all__ = ["without_marks"]

LONGEST = 768  # the long side at which marks are looked for
HUE, UNEVEN = 16.0, 4.0  # of 255, and of what half of the page is from its own hue: so far from it is a mark
STRONG = 3.0  # times that is a mark's hue beside a tinted row's
HIGH = 0.1  # of the page's longer side: a mark is no higher, for it covers a line
WIDE = 7  # pixels at that size: a mark is at least so wide, which few strokes are
LIGHT, GLOW = (
    0.66,
    1.05,
)  # of the paper's brightness: a mark is no darker, and no lighter, which light ink on dark paper is
DARK, WRITING = 0.85, 0.03  # of a mark's brightness: darker is writing, and there is so much of it at least
FULL = 0.8  # of a mark is of its hue or writing, and of what a string around it holds: a wide stroke winds around paper
MOST = 0.5  # of the page: more is coloured paper
BRIGHTNESS = np.array([0.299, 0.587, 0.114], np.float32)


def without_marks(work: U8) -> U8:
    """A page uint8 [h, w, 3] as if nobody had marked it; itself where nobody has."""
    import cv2

    h, w = work.shape[:2]
    ratio = min(1.0, LONGEST / max(h, w))
    size = (max(1, round(w * ratio)), max(1, round(h * ratio)))
    little = cv2.resize(work, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    bright = little @ BRIGHTNESS
    hue = little[..., [0, 2]] - bright[..., None]
    away = np.linalg.norm(hue - np.median(hue.reshape(-1, 2), axis=0), axis=2)
    least = max(HUE, UNEVEN * float(np.median(away)))
    if not (away > least).any():
        return work
    out = work.copy()
    for strong in (
        least,
        STRONG * least,
    ):  # a mark that touches a faintly coloured row is a region of its own by the latter
        marked = cv2.morphologyEx((away > strong).astype(np.uint8), cv2.MORPH_OPEN, np.ones((WIDE, WIDE), np.uint8))
        marked = cv2.morphologyEx(
            marked, cv2.MORPH_CLOSE, np.ones((2 * WIDE + 1,) * 2, np.uint8)
        )  # writing parts a mark
        if not marked.any() or marked.mean() > MOST:
            continue
        count, labels, stats, _ = cv2.connectedComponentsWithStats(marked, connectivity=4, ltype=cv2.CV_32S)
        for n in range(1, count):
            x, y, wide, high, _ = (int(v) for v in stats[n])
            if high > HIGH * max(size) or wide < 2 * WIDE:
                continue
            around = slice(max(y - WIDE, 0), y + high + WIDE), slice(max(x - WIDE, 0), x + wide + WIDE)
            own = (labels[around] == n).astype(np.uint8)
            if strong > least:  # its soft edge is fainter
                own = cv2.dilate(own, np.ones((5, 5), np.uint8)) & (away[around] > least)
            if _take_off(out, little[around], bright[around], own, (around, size)):
                away[around][cv2.dilate(own, np.ones((WIDE, WIDE), np.uint8)) > 0] = 0
    return out


def _take_off(
    out: U8,
    little: NDArray[np.float32],
    bright: NDArray[np.float32],
    own: U8,
    at: tuple[tuple[slice, slice], tuple[int, int]],
) -> bool:
    """Takes one mark off a page in place, and says whether it is one.

    little, bright, own: its surroundings small, colours, brightness, and 1 where it is; at: where they are in the small
    page, and the size of that.
    """
    import cv2

    beside = (cv2.dilate(own, np.ones((WIDE + 2, WIDE + 2), np.uint8)) - cv2.dilate(own, np.ones((3, 3), np.uint8))) > 0
    if not beside.any():
        return False
    mark = np.median(little[own > 0], axis=0)
    light = bright[beside] >= np.median(bright[beside])
    paper = np.median(little[beside][light], axis=0)
    within = bright[own > 0]
    typical, lit = float(mark @ BRIGHTNESS), float(paper @ BRIGHTNESS)
    if not LIGHT * lit <= typical <= GLOW * lit or np.mean(within < DARK * typical) < WRITING:
        return False
    if not _is_full(little, own, mark, paper):
        return False
    (rows, columns), size = at
    down, across = out.shape[0] / size[1], out.shape[1] / size[0]
    part = out[
        round(rows.start * down) : round(rows.stop * down), round(columns.start * across) : round(columns.stop * across)
    ]
    cover = cv2.resize(own.astype(np.float32), part.shape[1::-1], interpolation=cv2.INTER_LINEAR)[..., None]
    factor = 1 + (paper / np.maximum(mark, 1) - 1) * np.minimum(2 * cover, 1)  # the edge of a mark is as good as within
    np.copyto(part, np.clip(part * factor, 0, np.maximum(part, paper)).astype(np.uint8))
    return True


def _is_full(little: NDArray[np.float32], own: U8, mark: NDArray[np.float32], paper: NDArray[np.float32]) -> bool:
    """Whether no paper shows within a region, and no bay of it goes in from its side."""
    import cv2

    away = mark - paper
    covered = (little[own > 0] - paper) @ away > 0.5 * float(away @ away)
    hull = cv2.convexHull(np.argwhere(own > 0).astype(np.int32))
    return bool(np.mean(covered) >= FULL and np.count_nonzero(own) >= FULL * cv2.contourArea(hull))
