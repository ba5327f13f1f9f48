"""The process's random stream: the one ``lenet.seed`` governs. Initial weights, ``randperm`` and dropout draw from it.

The numbers are those of Paddle's CPU generator, bit for bit (see core/rng.h). Shuffling in ``DataLoader`` (global numpy)
and in ``Model.fit`` (``RandomState(epoch)``) has other sources, as in Paddle. Read by initialisers, rows and vision.
"""

from __future__ import annotations

import operator
import os
import threading

import numpy as np
from numpy.typing import NDArray

from lenet import _core
from lenet.messages.check import describe, message

__all__ = ["Generator", "generator", "get_rng_state", "seed", "set_rng_state"]


class _Thread(threading.local):
    draws = 0


class Generator:
    """A stream of random numbers that repeats for a seed; only the low 32 bits of the seed matter, as in Paddle."""

    def __init__(self, value: int) -> None:
        self.core = _core.Generator(value & 0xFFFFFFFFFFFFFFFF)
        self._here = _Thread()
        self._seed = value

    @property
    def draws(self) -> int:
        """How often this thread has asked for numbers: tracing compares before and after."""
        return self._here.draws

    @draws.setter
    def draws(self, value: int) -> None:
        self._here.draws = value

    def manual_seed(self, value: int) -> Generator:
        """Start the stream anew."""
        self.core.seed(value & 0xFFFFFFFFFFFFFFFF)
        self._seed = value
        return self

    def initial_seed(self) -> int:
        """The seed the stream was last started with."""
        return self._seed

    def uniform(self, n: int, low: float, high: float) -> NDArray[np.float32]:
        """``n`` float32 numbers, uniform in [low, high)."""
        out = np.empty(n, np.float32)
        self.draws += 1
        self.core.uniform(low, high, out)
        return out

    def normal(self, n: int, mean: float, std: float) -> NDArray[np.float32]:
        """``n`` float32 numbers, normally distributed."""
        out = np.empty(n, np.float32)
        self.draws += 1
        self.core.normal(mean, std, out)
        return out

    def randperm(self, n: int) -> NDArray[np.int64]:
        """A permutation of 0 … n-1, int64."""
        out = np.empty(n, np.int64)
        self.draws += 1
        self.core.permutation(out)
        return out

    def randint(self, low: int, high: int, n: int) -> NDArray[np.int64]:
        """``n`` whole numbers in [low, high), int64."""
        out = np.empty(n, np.int64)
        self.draws += 1
        self.core.integers(low, high, out)
        return out

    def get_state(self) -> str:
        """The stream's position, as text."""
        return self.core.get_state()

    def set_state(self, state: str) -> None:
        """Go back to a position from ``get_state``; ValueError if it isn't one."""
        self.core.set_state(state)


_generator = Generator(int.from_bytes(os.urandom(4), "little"))


def generator() -> Generator:
    """The process's generator."""
    return _generator


def seed(seed: int) -> Generator:
    """Start the process's random stream anew (``paddle.seed``). The same seed gives the same initial weights.

    seed: a whole number of at least 0 (floats are cut to one). Returns the generator. TypeError for anything else.
    """
    try:
        value = int(seed) if isinstance(seed, (float, np.floating)) else operator.index(seed)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(
            message("seed()", describe(seed), "a whole number such as 0", "Type for example lenet.seed(0)")
        ) from None
    if value < 0:
        raise TypeError(message("seed()", value, "a whole number of at least 0", "Type for example lenet.seed(0)"))
    return _generator.manual_seed(value)


def get_rng_state(device: str | None = None) -> list[str]:
    """The stream's position, for ``set_rng_state``: a list of one entry, as there is one device."""
    return [_generator.get_state()]


def set_rng_state(state_list: list[str], device: str | None = None) -> None:
    """Go back to a position from ``get_rng_state``. ValueError for anything else."""
    if not isinstance(state_list, (list, tuple)) or len(state_list) != 1 or not isinstance(state_list[0], str):
        raise ValueError(message("set_rng_state()", describe(state_list), "what get_rng_state() gave"))
    _generator.set_state(state_list[0])
