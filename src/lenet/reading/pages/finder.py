"""The page network at work: a grey page in, the digits on it out, each with its place, its size and what it may be.

The page is looked at in sizes a step of the square root of two apart, in tiles of one size that overlap by a window. What is
found in several sizes at one place is one digit. Read by ``_read``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.reading.lines.slid import Slid, check_windows
from lenet.reading.pages.network import LABELS, LEAST, MOST, NONE, STRIDE, WINDOW, slid
from lenet.reading.pages.scales import PAPER, levels
from lenet.train.trained import Trained

__all__ = ["MEAN", "STD", "Finder", "Spot"]

MEAN, STD = 96.0, 64.0  # a level x enters the network as (x - MEAN) / STD
STEP = 2**0.5
USUAL = (LEAST * MOST) ** 0.5  # pixels: a digit's height where it is surest
ANSWERS = 16  # of a tile, along each side
AT_ONCE = 128  # tiles a call into the engine: bounds the memory
MOST_PIXELS = 1.5e6  # of the largest size that is looked at
SMALL = 2.5e5  # pixels: smaller pages are enlarged by a step
INK = 45  # levels beyond the paper's that any ink has somewhere: tiles without are blank
FAINT = 0.3  # so sure must a place be of being a digit's to be looked at
ALIKE = 1.3  # heights: looks at one digit differ by less, as a rule
BESIDE, ABOVE = 0.36, 0.5  # of the height: the middles of two digits of one size lie further apart
WITHIN = 0.45, 0.52  # the same of the larger of two that differ: a part of a digit is none
SHARP = 3  # looks count by this power of how sure they are

Floats = NDArray[np.float32]


class Spot(NamedTuple):
    """A digit. x, y: its middle; height: its own, all in pixels of the page. written, printed: float [10], its probabilities.

    looks: by how many sizes it was found.
    """

    x: float
    y: float
    height: float
    written: Floats
    printed: Floats
    sureness: float
    looks: int

    @property
    def is_printed(self) -> bool:
        """Whether it is print rather than handwriting."""
        return bool(self.printed.sum() > self.written.sum())


class Finder(Slid):
    """Pages uint8 [h, w] to the digits on them."""

    def __init__(self, trained: Trained) -> None:
        """trained: a network of windows, as ``network`` makes it. ValueError for another."""
        check_windows(trained, (WINDOW, WINDOW), LABELS, "pages")
        self._side = WINDOW + STRIDE * (ANSWERS - 1)
        super().__init__(trained, slid(trained.network), (self._side, self._side))

    def answers(self, level: NDArray[np.uint8]) -> Floats:
        """What stands about every STRIDEth pixel of levels uint8 [h, w]: probabilities float32 [rows, columns, labels]."""
        h, w = level.shape
        rows, columns = -(-h // STRIDE), -(-w // STRIDE)
        down, across = -(-rows // ANSWERS), -(-columns // ANSWERS)
        step, half = STRIDE * ANSWERS, WINDOW // 2
        below = (down - 1) * step + self._side - h - half
        right = (across - 1) * step + self._side - w - half
        framed = np.pad(level, ((half, max(below, 0)), (half, max(right, 0))), constant_values=PAPER)
        found = np.zeros((down * ANSWERS, across * ANSWERS, len(LABELS)), np.float32)
        found[..., NONE] = 1
        places = [(i, j) for i in range(down) for j in range(across)]
        tiles = [framed[i * step : i * step + self._side, j * step : j * step + self._side] for i, j in places]
        inked = [k for k, tile in enumerate(tiles) if int(tile.max()) >= PAPER + INK]
        for first in range(0, len(inked), AT_ONCE):
            some = inked[first : first + AT_ONCE]
            scores = self.scores(np.stack([tiles[k] for k in some])[:, None]).reshape(
                len(some), len(LABELS), ANSWERS, ANSWERS
            )
            scores = np.exp(scores - scores.max(axis=1, keepdims=True))
            scores /= scores.sum(axis=1, keepdims=True)
            for k, own in zip(some, scores, strict=True):
                i, j = places[k]
                found[i * ANSWERS : (i + 1) * ANSWERS, j * ANSWERS : (j + 1) * ANSWERS] = own.transpose(1, 2, 0)
        return found[:rows, :columns]

    def __call__(self, grey: NDArray[np.uint8]) -> list[Spot]:
        """What may be a digit of a page, surest first. grey: dark ink on light paper."""
        return _merged(self.looks(grey))

    def looks(self, grey: NDArray[np.uint8]) -> Floats:
        """Where digits are likeliest in each size: x, y, height, sureness, and 20 probabilities each, float32 [n, 24]."""
        import cv2

        h, w = grey.shape
        scale = min((MOST_PIXELS / (h * w)) ** 0.5, 1.0 if h * w > SMALL else STEP)
        peaks = []
        while True:
            size = max(8, round(w * scale)), max(8, round(h * scale))
            how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            image = np.asarray(cv2.resize(grey, size, interpolation=how), np.uint8) if size != (w, h) else grey
            peaks.append(_peaks(self.answers(levels(image)), scale))
            scale /= STEP
            if max(h, w) * scale < WINDOW:
                break
        return np.concatenate(peaks)


def _peaks(answers: Floats, scale: float) -> Floats:
    """Where digits are likeliest: x, y, height, sureness, and 20 probabilities each."""
    import cv2

    sure = 1 - answers[..., NONE]
    most = cv2.dilate(np.ascontiguousarray(sure), np.ones((3, 3), np.uint8))
    ys, xs = np.nonzero((sure >= most) & (sure > FAINT))
    framed = np.pad(sure, 1)
    near = np.stack([framed[ys + i, xs + j] for i in range(3) for j in range(3)], axis=1) ** 2
    total = near.sum(axis=1)
    dx = near @ np.array([-1, 0, 1] * 3, np.float32) / total
    dy = near @ np.array([-1, -1, -1, 0, 0, 0, 1, 1, 1], np.float32) / total
    found = np.empty((len(xs), 24), np.float32)
    found[:, 0], found[:, 1] = (STRIDE * (xs + dx) + 0.5) / scale, (STRIDE * (ys + dy) + 0.5) / scale
    found[:, 2], found[:, 3], found[:, 4:] = USUAL / scale, sure[ys, xs], answers[ys, xs, :20]
    return found


def _merged(peaks: Floats) -> list[Spot]:
    """Peaks of all sizes as digits: the surest first, and those close to it are looks at the same."""
    order = np.argsort(-peaks[:, 3], kind="stable")
    peaks, spots = peaks[order], []
    free = np.ones(len(peaks), bool)
    for k in range(len(peaks)):
        if not free[k]:
            continue
        x, y, height = peaks[k, :3]
        dx, dy = np.abs(peaks[:, 0] - x), np.abs(peaks[:, 1] - y)
        least, most = np.minimum(height, peaks[:, 2]), np.maximum(height, peaks[:, 2])
        alike = most < ALIKE * least
        same = free & np.where(
            alike, (dx < BESIDE * least) & (dy < ABOVE * least), (dx < WITHIN[0] * most) & (dy < WITHIN[1] * most)
        )
        same[k] = True
        free &= ~same
        some = peaks[same]
        near = some[np.abs(np.log(some[:, 2] / height)) < 0.8]
        weight = near[:, 3:4] ** SHARP
        mean = (near[:, 4:] * weight).sum(axis=0) / weight.sum()
        mean *= peaks[k, 3] / mean.sum()
        high = float(np.exp((np.log(near[:, 2:3]) * weight**2).sum() / (weight**2).sum()))
        spots.append(Spot(float(x), float(y), high, mean[:10], mean[10:], float(peaks[k, 3]), len(near)))
    return spots
