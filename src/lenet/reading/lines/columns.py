"""The line network at work: strips in, for every second column what stands there; all strips of a page at once.

Strips of any width are cut into tiles of one width that overlap by a window, so that one plan serves all and its sixteen
lanes are full. Read by ``reader``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lenet.reading.lines.network import LABELS, STRIDE, slid
from lenet.reading.lines.slid import Slid, check_windows
from lenet.reading.lines.strip import COLUMNS, PAPER, ROWS
from lenet.train.trained import Trained

__all__ = ["MEAN", "PITCH", "STD", "Columns"]

MEAN, STD = 96.0, 64.0  # a level x enters the network as (x - MEAN) / STD
PITCH = 2  # columns from one answer to the next: the network is slid twice, the second time a little later
_ANSWERS = 16  # of a tile
_AT_ONCE = 512  # tiles a call into the engine: bounds the memory


class Columns(Slid):
    """Strips uint8 [ROWS, w] to what stands at their columns 0, PITCH, 2 PITCH, …: log-probabilities float32 [n, 16]."""

    def __init__(self, trained: Trained) -> None:
        """trained: a network of windows, as ``network`` makes it. ValueError for another."""
        check_windows(trained, (ROWS, COLUMNS), LABELS, "lines")
        self._wide = COLUMNS + STRIDE * (_ANSWERS - 1)
        super().__init__(trained, slid(trained.network), (ROWS, self._wide))

    def __call__(self, strips: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        tiles, sizes = [], []
        step, shifts = STRIDE * _ANSWERS, STRIDE // PITCH
        for strip in strips:
            count = max(1, -(-strip.shape[1] // step))
            spare = (count - 1) * step + self._wide + STRIDE - strip.shape[1] - COLUMNS // 2
            framed = np.pad(strip, ((0, 0), (COLUMNS // 2, max(spare, 0))), constant_values=PAPER)
            for shift in range(shifts):
                tiles += [framed[:, k * step + shift * PITCH :][:, : self._wide] for k in range(count)]
            sizes.append((count, -(-strip.shape[1] // PITCH)))
        if not tiles:
            return []
        images = np.stack(tiles)[:, None]
        parts = [self.scores(images[k : k + _AT_ONCE]) for k in range(0, len(images), _AT_ONCE)]
        scores = np.concatenate(parts).reshape(len(images), len(LABELS), _ANSWERS)
        scores -= scores.max(axis=1, keepdims=True)
        scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
        found, at = [], 0
        for count, size in sizes:
            own = scores[at : at + shifts * count].reshape(shifts, count, len(LABELS), _ANSWERS)
            at += shifts * count
            found.append(np.ascontiguousarray(own.transpose(1, 3, 0, 2).reshape(-1, len(LABELS))[:size]))
        return found
