"""A network of windows at work as one that slides: its plan for tiles of one size, its temperature, how a level enters it.

It knows no line and no page. Read by ``columns``, and by the pages' ``finder``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.autograd.tensor import dense
from lenet.jit import plan
from lenet.messages.check import message
from lenet.nn.layer import Layer
from lenet.train.trained import Trained

__all__ = ["Slid", "check_windows"]


def check_windows(trained: Trained, window: tuple[int, int], labels: list[str], kind: str) -> None:
    """ValueError unless a network takes such windows to such labels. kind: what they are of, for the message."""
    if trained.shape != (1, *window) or trained.labels != labels:
        given = f"one from {list(trained.shape)} to {len(trained.labels)} classes"
        raise ValueError(message("model", given, f"one from {[1, *window]} to the {len(labels)} of {kind}"))


class Slid:
    """What slides: ``scores`` takes tiles. Its users derive from it; a copy or pickle is made anew from what was trained."""

    def __init__(self, trained: Trained, network: Layer, tile: tuple[int, int]) -> None:
        """network: the trained one, made to slide. tile: height and width of what it is asked for at once."""
        self._trained = trained
        self._temperature = np.float32(trained.temperature)
        self._lut = trained.lut
        found = plan.compile(network.eval(), None, None, [dense(np.zeros((1, 1, *tile), np.float32))])
        assert isinstance(found, plan.Chain), found
        self._chain = found

    def __reduce__(self) -> tuple[type[Any], tuple[Trained]]:
        """A plan isn't copied or pickled: whoever gets this makes one anew."""
        return type(self), (self._trained,)

    def scores(self, tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Tiles uint8 [n, 1, h, w] to the network's scores, divided by its temperature."""
        found: NDArray[np.float32] = self._chain.infer(tiles, self._lut) / self._temperature
        return found
