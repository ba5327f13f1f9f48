"""MNIST as readers: samples (image float32 [784] from -1 to 1, label int)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from lenet.vision.datasets import MNIST

__all__ = ["test", "train"]

Reader = Callable[[], Iterator[tuple[NDArray[np.float32], int]]]


def _reader(mode: str) -> Reader:
    def samples() -> Iterator[tuple[NDArray[np.float32], int]]:
        data = MNIST(mode=mode)
        for image, label in zip(data.images, data.labels, strict=True):
            yield image / np.float32(255) * np.float32(2) - np.float32(1), int(label[0])

    return samples


def train() -> Reader:
    """A reader of the 60,000 training samples. The files are found, or fetched, when it is first called."""
    return _reader("train")


def test() -> Reader:
    """A reader of the 10,000 test samples."""
    return _reader("test")
