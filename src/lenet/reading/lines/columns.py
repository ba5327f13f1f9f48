"""The line network at work: strips in, for every second column what stands there; all strips of a page at once.

Strips of any width are cut into tiles of one width that overlap by a window, so that one plan serves all and its sixteen
lanes are full. Read by ``reader``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lenet.autograd.tensor import dense
from lenet.jit import plan
from lenet.messages.check import message
from lenet.reading.lines.network import LABELS, STRIDE, slid
from lenet.reading.lines.strip import COLUMNS, PAPER, ROWS
from lenet.train.trained import Trained

__all__ = ["MEAN", "PITCH", "STD", "Columns"]

MEAN, STD = 96.0, 64.0  # a level x enters the network as (x - MEAN) / STD
PITCH = 2  # columns from one answer to the next: the network is slid twice, the second time a little later
_ANSWERS = 16  # of a tile
_AT_ONCE = 512  # tiles a call into the engine: bounds the memory


class Columns:
    """Strips uint8 [ROWS, w] to what stands at their columns 0, PITCH, 2 PITCH, …: log-probabilities float32 [n, 16]."""

    def __init__(self, trained: Trained) -> None:
        """trained: a network of windows, as ``network`` makes it. ValueError for another."""
        if trained.shape != (1, ROWS, COLUMNS) or trained.labels != LABELS:
            given = f"one from {list(trained.shape)} to {len(trained.labels)} classes"
            raise ValueError(message("model", given, f"one from [1, {ROWS}, {COLUMNS}] to the {len(LABELS)} of lines"))
        self._trained = trained
        network = slid(trained.network)
        network.eval()
        self._temperature = np.float32(trained.temperature)
        self._wide = COLUMNS + STRIDE * (_ANSWERS - 1)
        self._lut = trained.lut
        found = plan.compile(network, None, None, [dense(np.zeros((1, 1, ROWS, self._wide), np.float32))])
        assert isinstance(found, plan.Chain), found
        self._chain = found

    def __reduce__(self) -> tuple[type[Columns], tuple[Trained]]:
        """A plan isn't copied or pickled: whoever gets this makes one anew."""
        return Columns, (self._trained,)

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
        parts = [self._chain.infer(images[k : k + _AT_ONCE], self._lut) for k in range(0, len(images), _AT_ONCE)]
        scores = np.concatenate(parts).reshape(len(images), len(LABELS), _ANSWERS) / self._temperature
        scores -= scores.max(axis=1, keepdims=True)
        scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
        found, at = [], 0
        for count, size in sizes:
            own = scores[at : at + shifts * count].reshape(shifts, count, len(LABELS), _ANSWERS)
            at += shifts * count
            found.append(np.ascontiguousarray(own.transpose(1, 3, 0, 2).reshape(-1, len(LABELS))[:size]))
        return found
