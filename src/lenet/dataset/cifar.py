"""CIFAR as readers: samples (image float32 [3072] from 0 to 1, red first, label int)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from lenet.vision.datasets import Cifar10, Cifar100

__all__ = ["test10", "test100", "train10", "train100"]

Reader = Callable[[], Iterator[tuple[NDArray[np.float32], int]]]


def _reader(kind: type[Cifar10], mode: str, cycle: bool) -> Reader:
    def samples() -> Iterator[tuple[NDArray[np.float32], int]]:
        data = kind(mode=mode).data
        while True:
            for image, label in data:
                yield image.astype(np.float32) / np.float32(255), label
            if not cycle:
                return

    return samples


def train10(cycle: bool = False) -> Reader:
    """A reader of CIFAR-10's 50,000 training samples; cycle: over and over."""
    return _reader(Cifar10, "train", cycle)


def test10(cycle: bool = False) -> Reader:  # noqa: PT028 - Paddle's name, no test
    """A reader of CIFAR-10's 10,000 test samples; cycle: over and over."""
    return _reader(Cifar10, "test", cycle)


def train100() -> Reader:
    """A reader of CIFAR-100's 50,000 training samples."""
    return _reader(Cifar100, "train", False)


def test100() -> Reader:
    """A reader of CIFAR-100's 10,000 test samples."""
    return _reader(Cifar100, "test", False)
