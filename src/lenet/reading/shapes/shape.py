"""Ink to shapes: the connected components of a page's ink, each with its own pixels and no other's.

A shape may be a digit, a part of one, several that touch, a separator or no writing at all: ``lines`` puts shapes in
order, ``split`` finds out which of them make a digit. Nothing here knows the network. All lengths are in working pixels,
those of the ink's arrays. Read by ``lines``, ``split`` and ``_read``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Shape", "find_shapes", "is_large", "is_line", "typical_height", "union"]

Box = tuple[int, int, int, int]

MARGIN = 1  # pixels of anti-aliased edge that a shape keeps around its box
_MOST = 4000  # shapes a page: more is a photograph or noise, of which the tallest are looked at
_SPECK = 0.5  # of a square of the stroke's width: smaller ink is a speck


@dataclass(frozen=True, eq=False)
class Shape:
    """A piece of ink. box: x0, y0, x1, y1 of its mask, ends exclusive. level: its own ink, uint8, 1 px wider on each side.

    area: the mask's pixels.
    """

    box: Box
    level: NDArray[np.uint8]
    area: int

    @property
    def width(self) -> int:
        """Columns of the box."""
        return self.box[2] - self.box[0]

    @property
    def height(self) -> int:
        """Rows of the box."""
        return self.box[3] - self.box[1]

    @property
    def middle(self) -> tuple[float, float]:
        """The box's centre, x and y."""
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


def find_shapes(level: NDArray[np.uint8], mask: NDArray[np.bool_], stroke: float) -> list[Shape]:
    """The 8-connected components of ``mask`` [h, w] as shapes, from left to right, without specks.

    level: the ink, uint8 [h, w], 255 = full. stroke: its typical width in pixels. At most 4,000 shapes: beyond, the tallest.
    """
    import cv2

    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    least = max(2.0, _SPECK * stroke * stroke)
    kept = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= least)
    kept = kept[kept > 0]
    if len(kept) > _MOST:
        tallest = np.argsort(-stats[kept, cv2.CC_STAT_HEIGHT], kind="stable")[:_MOST]
        kept = kept[np.sort(tallest)]
    order = np.lexsort((stats[kept, cv2.CC_STAT_TOP], stats[kept, cv2.CC_STAT_LEFT]))
    labels = cv2.copyMakeBorder(labels, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_CONSTANT, value=0)
    padded = cv2.copyMakeBorder(level, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_CONSTANT, value=0)
    around = np.ones((2 * MARGIN + 1, 2 * MARGIN + 1), np.uint8)
    shapes = []
    for i in kept[order].tolist():
        x, y, w, h, area = stats[i].tolist()
        here = labels[y : y + h + 2 * MARGIN, x : x + w + 2 * MARGIN]
        own = here == i
        near = cv2.dilate(own.view(np.uint8), around)
        near[(here != 0) & ~own] = 0
        crop = np.where(near != 0, padded[y : y + h + 2 * MARGIN, x : x + w + 2 * MARGIN], np.uint8(0))
        shapes.append(Shape((x, y, x + w, y + h), crop, area))
    return shapes


def union(parts: Sequence[Shape]) -> Shape:
    """One shape of several."""
    if len(parts) == 1:
        return parts[0]
    x0, y0 = min(p.box[0] for p in parts), min(p.box[1] for p in parts)
    x1, y1 = max(p.box[2] for p in parts), max(p.box[3] for p in parts)
    level = np.zeros((y1 - y0 + 2 * MARGIN, x1 - x0 + 2 * MARGIN), np.uint8)
    for part in parts:
        x, y = part.box[0] - x0, part.box[1] - y0
        h, w = part.level.shape
        np.maximum(level[y : y + h, x : x + w], part.level, out=level[y : y + h, x : x + w])
    return Shape((x0, y0, x1, y1), level, sum(p.area for p in parts))


def typical_height(shapes: Sequence[Shape]) -> float:
    """The height of writing: the median of the shapes' heights, each weighted by its height, so that specks don't count.

    No shape weighs more than a tenth of all, or its even share of fewer: one picture doesn't outweigh a line of digits. 0
    without shapes.
    """
    if not shapes:
        return 0.0
    heights = np.sort(np.array([s.height for s in shapes], np.float64))
    weight = np.cumsum(np.minimum(heights, heights.sum() * max(0.1, 1 / len(heights))))
    return float(heights[np.searchsorted(weight, weight[-1] / 2)])


def is_large(shape: Shape, height: float) -> bool:
    """Whether a shape is far too large to be writing of this height: a picture, a frame, a shadow's edge."""
    return shape.height > 3.0 * height or shape.width > 8.0 * height


def is_line(shape: Shape, height: float) -> bool:
    """Whether a shape is what is left of a rule or a border: long and thin, beyond any minus sign or one."""
    flat = shape.width > 1.6 * height and shape.height < 0.2 * height
    upright = shape.height > 1.8 * height and shape.width < 0.15 * height
    return flat or upright
