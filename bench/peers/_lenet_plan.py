"""A LeNet of any width as the engine's plan with Adam, to time whole stretches of training without Python in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import lenet
from lenet import nn
from lenet.jit import plan

SIZES = (6, 16, 120, 84)  # the tutorial's: channels of the two convolutions, outputs of the first two linear layers


def macs(sizes: tuple[int, ...]) -> list[int]:
    """Multiply-adds an image, by layer."""
    a, b, c, d = sizes
    return [28 * 28 * a * 25, 10 * 10 * b * a * 25, 25 * b * c, c * d, d * 10]


MACS = macs(SIZES)


def network(sizes: tuple[int, ...]) -> nn.Layer:
    a, b, c, d = sizes
    return nn.Sequential(
        nn.Conv2D(1, a, 5, padding=2), nn.ReLU(), nn.MaxPool2D(2, 2), nn.ReLU(),
        nn.Conv2D(a, b, 5), nn.MaxPool2D(2, 2), nn.Flatten(),
        nn.Linear(25 * b, c), nn.ReLU(), nn.Linear(c, d), nn.ReLU(), nn.Linear(d, 10),
    )  # fmt: skip


def data(images: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bytes [N, 1, 28, 28] of no meaning, labels, and the table that normalises: time does not depend on what is seen."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (images, 1, 28, 28), np.uint8)
    return pixels, random.integers(0, 10, images), ((np.arange(256) - 127.5) / 127.5).astype(np.float32)


def prepared(sizes: tuple[int, ...], batch: int, images: int) -> tuple[Callable[[], None], Any]:
    """A function that trains on ``images`` once, in batches, and the engine's plan under it."""
    lenet.seed(0)
    net = network(sizes)
    net.train()
    adam = lenet.optimizer.Adam(learning_rate=0.001, parameters=net.parameters())
    pixels, labels, table = data(images)
    like = lenet.to_tensor(np.zeros((min(batch, images), 1, 28, 28), np.float32))
    compiled = plan.compile(net, nn.CrossEntropyLoss(), adam, [like])
    if not isinstance(compiled, plan.Compiled):
        raise SystemExit(f"no plan: {compiled}")
    counts = [min(batch, images - start) for start in range(0, images, batch)]
    order = np.random.RandomState(0).permutation(images).astype(np.int64)

    def run() -> None:
        compiled.train(pixels, table, labels, order, counts, [0.001] * len(counts))

    return run, compiled.chain.core
