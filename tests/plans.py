"""Networks that plans are tested on, and how far apart two answers are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import lenet
from lenet import nn
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.jit import plan

# Mostly the same kernels, only fused rows and whole batches are added in another order; before a 2x2 maximum a plan has
# kernels of its own, whose sums and gradients are of other products (core/split.h, core/winner.h).
SAME = 2e-6


def images(n: int, *shape: int, seed: int = 0) -> np.ndarray:
    return np.random.RandomState(seed).standard_normal((n, *shape)).astype(np.float32)


def distance(ours: Any, theirs: Any) -> float:
    a, b = np.asarray(ours, np.float64).ravel(), np.asarray(theirs, np.float64).ravel()
    assert a.shape == b.shape
    return float(np.linalg.norm(a - b) / max(float(np.linalg.norm(b)), 1e-30))


class Reshaping(nn.Layer):
    def forward(self, x: Tensor) -> Tensor:
        return x.reshape([0, -1])


NETWORKS: dict[str, tuple[tuple[int, ...], Callable[[], list[nn.Layer]]]] = {
    "tutorial": ((1, 28, 28), lambda: [lenet.LeNet()]),
    "fused pools": (
        (2, 8, 8),
        lambda: [
            nn.Conv2D(2, 7, 3),
            nn.ReLU(),
            nn.MaxPool2D(2, 2),
            nn.Conv2D(7, 5, 2),
            nn.ReLU(),
            nn.MaxPool2D(2, 2),
            nn.Flatten(),
        ],
    ),
    "no relu between convolution and pool": (
        (2, 8, 8),
        lambda: [
            nn.Conv2D(2, 7, 3),
            nn.MaxPool2D(2, 2),
            nn.ReLU(),
            nn.Conv2D(7, 5, 2),
            nn.MaxPool2D(2, 2),
            nn.Flatten(),
        ],
    ),
    "odd pool without relu": (
        (1, 9, 9),
        lambda: [nn.Conv2D(1, 3, 2), nn.MaxPool2D(2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(48, 4)],
    ),
    "odd pools": (
        (3, 7, 9),
        lambda: [nn.MaxPool2D(3, 2, padding=1), nn.AvgPool2D((2, 1), ceil_mode=True), nn.Flatten(), nn.Linear(30, 4)],
    ),
    "relu, but no fused pool": (
        (1, 9, 9),
        lambda: [nn.Conv2D(1, 3, 3), nn.ReLU(), nn.MaxPool2D(2, 2), nn.Flatten(), nn.Linear(27, 4)],
    ),
    "three convolutions": (  # enough work for few images to go side by side
        (1, 28, 28),
        lambda: [
            nn.Conv2D(1, 16, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2D(2, 2),
            nn.Conv2D(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2D(2, 2),
            nn.Conv2D(32, 10, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2D(2, 2),
            nn.Flatten(),
            nn.Linear(90, 4),
        ],
    ),
    "strides, dilation, groups": (
        (2, 11, 10),
        lambda: [
            nn.Conv2D(2, 4, 3, stride=2, padding=1),
            nn.Tanh(),
            nn.Conv2D(4, 6, 2, dilation=2, groups=2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(72, 3),
        ],
    ),
    "no biases": (
        (1, 6, 6),
        lambda: [nn.Conv2D(1, 3, 3, bias_attr=False), nn.ReLU(), nn.Flatten(), nn.Linear(48, 5, bias_attr=False)],
    ),
    "dense": ((7,), lambda: [nn.Linear(7, 20), nn.Sigmoid(), nn.Linear(20, 13), nn.ReLU(), nn.Linear(13, 3)]),
    "dropout": (
        (1, 6, 6),
        lambda: [
            nn.Dropout(0.2),
            nn.Conv2D(1, 3, 3),
            nn.ReLU(),
            nn.Dropout(0.5),
            Reshaping(),
            nn.Linear(48, 5),
            nn.Dropout(1.0),
        ],
    ),
    "dropout, downscaled": (
        (9,),
        lambda: [nn.Linear(9, 8), nn.Dropout(0.25, mode="downscale_in_infer"), nn.ReLU(), nn.Linear(8, 3)],
    ),
    "softmax": ((5,), lambda: [nn.Linear(5, 6), nn.Softmax(), nn.Linear(6, 4)]),
    "one relu": ((4,), lambda: [nn.ReLU()]),
}


def network(name: str, seed: int = 0) -> tuple[nn.Layer, tuple[int, ...]]:
    shape, layers = NETWORKS[name]
    lenet.seed(seed)
    return nn.Sequential(*layers()), shape


def chain_of(net: nn.Layer, x: np.ndarray) -> plan.Chain:
    found = plan.trace(net, to_tensor(x))
    assert isinstance(found, plan.Chain), found
    return found


def compiled(
    name: str = "dense", optimizer: Any = None, **loss: Any
) -> tuple[nn.Layer, plan.Compiled, np.ndarray, np.ndarray]:
    net, shape = network(name)
    made = (optimizer or (lambda p: lenet.optimizer.SGD(0.1, p)))(net.parameters())
    x = images(40, *shape)
    found = plan.compile(net, nn.CrossEntropyLoss(**loss), made, [to_tensor(x[:2])])
    assert isinstance(found, plan.Compiled), found
    return net, found, x, np.arange(40) % 3
