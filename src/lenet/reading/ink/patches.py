"""Patches of other paper on a page: a table's grey head row, stripes, a highlighter's mark, a logo.

What is written on a patch is ink on that patch's colour, and the patch itself is neither ink nor a shadow. It is told from a
thick stroke by its shape: long and straight across the page, or solid and much larger than a stroke is wide. Read by
paper.py alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet.reading.ink.sheet_edges import F32, U8

__all__ = ["find_patches", "is_sharp", "patch_edges"]

LEAST = 5  # pixels of the small picture: a patch is at least so wide, which few strokes are
LONG, TALL = 0.3, 0.8  # of the page's width, and of its height: so long is a stripe across, and one down
TABS = 0.1  # of the page's width: less is no part of a stripe across
THIN = 0.2  # of the page: a longer side across a stripe makes it a sheet or a shadow
LARGE = 0.1  # of the page's shorter side: a block is at least so large both ways
LARGER, FEW = 2.0, 6  # than most pieces of ink, of which there are so many: less is a digit, blacked out
WIDEST = 0.2  # of the page's area: more is a sheet or a shadow
SOLID = 0.7  # of half its shorter side: so far from its edge is the middle of a block; of a digit, a stroke's half
SHARP = 0.6  # of the difference to the paper around, so much lies at a patch's edge
NEAR, EVEN = 24.0, 0.5  # grey levels from a patch's colour, and how much of it is so near
SPOTS = ((0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75))  # of each small pixel, where the page is looked at
EDGE = 2  # pixels of the small picture on both sides of a patch's edge, in which colours are mixed


def find_patches(work: U8, little: U8, off: U8, colour: F32) -> tuple[F32, U8]:
    """The paper's colour float32 [h, w, 3] with each patch's own where it lies, and where they are: uint8 [h, w], a number each.

    work: the page, uint8 [H, W, 3]; little: the same at its small size [h, w, 3]. off: 1 where it is off the paper's colour.
    colour: the paper's, [h, w, 3].
    """
    import cv2

    h, w = off.shape
    found = np.zeros((h, w), np.uint8)
    # Writing on a patch makes holes in it.
    whole = cv2.morphologyEx(off, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    whole = cv2.morphologyEx(whole, cv2.MORPH_OPEN, np.ones((LEAST, LEAST), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(whole, connectivity=4, ltype=cv2.CV_32S)
    least = max(LARGE * min(h, w), LARGER * _usual(off))
    out, number = colour.copy(), 0
    for n in range(1, count):
        x, y, wide, high, area = (int(v) for v in stats[n])
        own = (labels[y : y + high, x : x + wide] == n).astype(np.uint8)
        if number == 255 or area > WIDEST * h * w:
            continue
        if not _has_shape(own, h, w, least):
            own = _without_tabs(own, w)
            if not _has_shape(_framed(own), h, w, least):
                continue
            labels[y : y + high, x : x + wide][(labels[y : y + high, x : x + wide] == n) & (own == 0)] = 0
        part = slice(max(y - 3, 0), y + high + 3), slice(max(x - 3, 0), x + wide + 3)
        region, median = (labels[part] == n).astype(np.uint8), np.median(little[labels == n], axis=0)
        if not (is_sharp(region, little[part], median) and _is_even(labels == n, work, median)):
            continue
        number += 1
        # Its soft edge is the patch's too, as far as it is off the paper.
        grown = cv2.dilate(region, np.ones((3, 3), np.uint8)) & off[part]
        out[part][grown > 0] = median
        found[part][grown > 0] = number
    return out, found


def _without_tabs(own: U8, w: int) -> U8:
    """A region uint8 [high, wide] of a page so wide, without what hangs on a stripe: writing that touches it."""
    import cv2

    return cv2.morphologyEx(own, cv2.MORPH_OPEN, np.ones((3, max(3, int(TABS * w))), np.uint8))


def _framed(own: U8) -> U8:
    """A region as far as it reaches."""
    y, x = np.nonzero(own)
    return own[y.min() : y.max() + 1, x.min() : x.max() + 1] if len(y) else own[:0, :0]


def is_sharp(region: U8, little: U8, median: F32) -> bool:
    """Whether a region has an edge: beside it the colours change by much of the difference, which in a shadow they don't."""
    import cv2

    kernel = np.ones((3, 3), np.uint8)
    inner = region - cv2.erode(region, np.ones((5, 5), np.uint8), borderValue=1)
    outer = cv2.dilate(region, np.ones((7, 7), np.uint8)) - cv2.dilate(region, kernel)
    if not (inner.any() and outer.any()):
        return False
    within, beyond = (np.median(little[ring > 0], axis=0) for ring in (inner, outer))
    return bool(np.linalg.norm(within - beyond) >= SHARP * np.linalg.norm(median - beyond))


def _is_even(region: NDArray[np.bool_], work: U8, median: F32) -> bool:
    """Whether most of a region has one colour on the page itself: lines of print are grey only from afar."""
    y, x = np.nonzero(region)
    down, across = work.shape[0] / region.shape[0], work.shape[1] / region.shape[1]
    places = [(((y + dy) * down).astype(np.int64), ((x + dx) * across).astype(np.int64)) for dy, dx in SPOTS]
    near = [np.abs(work[place] - median).max(axis=1) <= NEAR for place in places]
    return bool(np.mean(near) >= EVEN)


def _usual(off: U8) -> float:
    """How high most of what is off the paper is, in pixels, by its pieces; 0 where there are too few to tell."""
    import cv2

    heights = np.sort(cv2.connectedComponentsWithStats(off, connectivity=8)[2][1:, 3])
    total = np.cumsum(heights)
    return float(heights[np.searchsorted(total, total[-1] / 2)]) if len(heights) >= FEW else 0.0


def _has_shape(own: U8, h: int, w: int, least: float) -> bool:
    """Whether a region uint8 [high, wide] of 0 and 1 of a page [h, w] has a patch's shape; least: a block's shorter side."""
    import cv2

    high, wide = own.shape
    if not own.size:
        return False
    depth = float(cv2.distanceTransform(np.pad(own, 1), cv2.DIST_L2, 3).max())
    solid = depth >= SOLID * min(high, wide) / 2 and own.mean() >= SOLID
    across, down = wide >= LONG * w and high <= THIN * h, high >= TALL * h and wide <= THIN * w
    return solid and (across or down or min(high, wide) >= least)


def patch_edges(patches: U8, colour: F32, size: tuple[int, int]) -> tuple[F32, U8] | None:
    """What lies along the edges of patches: the patches' colours, reaching beyond them, float32 [h, w, 3], and where that
    is, uint8 [size] of 0 and 1; None without patches.

    There a small picture's colours, enlarged, are neither the patch's nor the paper's, and a pixel is ink only if it
    is on both.
    """
    import cv2

    if not patches.any():
        return None
    kernel = np.ones((2 * EDGE + 1,) * 2, np.uint8)
    grown = cv2.dilate(patches, kernel)  # where patches are close the later one: edges of both are passed over
    edge = (grown > 0) & (cv2.erode((patches > 0).astype(np.uint8), kernel, borderValue=1) == 0)
    reaching = colour.copy()
    for number in range(1, int(patches.max()) + 1):
        reaching[(grown == number) & (patches == 0)] = np.median(colour[patches == number], axis=0)
    return reaching, cv2.resize(edge.astype(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST)
