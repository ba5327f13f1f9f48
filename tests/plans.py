"""Networks that plans are tested on, and how far apart two answers are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import lenet
from lenet import _core, nn
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.jit import plan
from lenet.nn import functional as F

# Mostly the same kernels, only fused rows and whole batches are added in another order; before a 2x2 maximum a plan has
# kernels of its own, whose sums and gradients are of other products (core/split.h, core/winner.h).
SAME = 2e-6


def images(n: int, *shape: int, seed: int = 0) -> np.ndarray:
    return np.random.RandomState(seed).standard_normal((n, *shape)).astype(np.float32)


def distance(ours: Any, theirs: Any) -> float:
    a, b = np.asarray(ours, np.float64).ravel(), np.asarray(theirs, np.float64).ravel()
    assert a.shape == b.shape
    return float(np.linalg.norm(a - b) / max(float(np.linalg.norm(b)), 1e-30))


def same_gradients(ours: list[Any], theirs: list[Any], tolerance: float) -> None:
    """One that is 0 but for rounding, as of a bias before a normalisation, is compared with the largest of them."""
    largest = max((np.abs(grad).max() for grad in theirs), default=0.0)
    for mine, grad in zip(ours, theirs, strict=True):
        if np.abs(grad).max() < 1e-6 * largest:
            assert np.abs(mine).max() < 1e-6 * largest
        else:
            assert distance(mine, grad) <= tolerance


class Residual(nn.Layer):
    """Two blocks with something around them: the sum of what came in, or of what a convolution made of it."""

    def __init__(self, channels: int, norm: bool) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2D(channels, 6, 3, padding=1), nn.Conv2D(6, channels, 3, padding=1)
        self.around, self.last = nn.Conv2D(channels, 5, 1, stride=2), nn.Conv2D(channels, 5, 3, stride=2, padding=1)
        sizes = (6, channels, 5, 5) if norm else ()
        self.norms = nn.LayerList([nn.BatchNorm2D(n) for n in sizes])

    def forward(self, x: Tensor) -> Tensor:
        def norm(k: int, y: Tensor) -> Tensor:
            return self.norms[k](y) if len(self.norms) else y

        y = F.relu(x + norm(1, self.two(F.relu(norm(0, self.one(x))))))
        return F.relu(norm(2, self.last(y)) + norm(3, self.around(y)))


class Skipping(nn.Layer):
    """A way around a block without parameters: every second pixel, zeros for new channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2D(2, 5, 3, stride=2, padding=1), nn.BatchNorm2D(5)

    def forward(self, x: Tensor) -> Tensor:
        around = F.pad(x[:, :, ::2, ::2], [0, 0, 1, 2, 0, 0, 0, 0])
        return F.relu(self.norm(self.conv(x)) + around)


class Ladder(nn.Layer):
    """A map at two sizes, joined: one summed up, one beside the other. heads: what it gives."""

    def __init__(self, heads: int = 1) -> None:
        super().__init__()
        self.fine, self.coarse = nn.Conv2D(2, 6, 3, padding=1), nn.Conv2D(6, 8, 3, stride=2, padding=1)
        self.norm, self.up, self.out = nn.BatchNorm2D(6), nn.Conv2D(8, 6, 1), nn.Conv2D(14, 4, 1)
        self.other = nn.Conv2D(6, 3, 1) if heads > 1 else None

    def forward(self, x: Tensor) -> Any:
        fine = F.relu(self.norm(self.fine(x)))
        coarse = F.relu(self.coarse(fine))
        both = fine + F.interpolate(self.up(coarse), scale_factor=2)
        joined = lenet.concat([both, F.upsample(coarse, scale_factor=[2, 2])], axis=1)
        found = self.out(joined)
        return found if self.other is None else (found, self.other(fine))


class Mean(nn.Layer):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean([2, 3])


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
    "residual": ((3, 6, 8), lambda: [Residual(3, False), Mean(), nn.Linear(5, 3)]),
    "residual, normalised": ((3, 6, 8), lambda: [Residual(3, True), nn.AdaptiveAvgPool2D(1), nn.Flatten()]),
    "around without parameters": ((2, 7, 6), lambda: [Skipping(), nn.Flatten(), nn.Linear(60, 3)]),
    "map": ((2, 6, 4), lambda: [Ladder()]),
    "normalised": (
        (1, 8, 8),
        lambda: [
            nn.Conv2D(1, 6, 3, padding=1, bias_attr=False),
            nn.BatchNorm2D(6),
            nn.ReLU(),
            nn.MaxPool2D(2, 2),
            nn.Conv2D(6, 5, 3, bias_attr=False),  # before a normalisation a bias learns from nothing but rounding
            nn.BatchNorm2D(5, weight_attr=False, bias_attr=False, momentum=0.5, epsilon=1e-3),
            nn.Flatten(),
            nn.Linear(20, 7, bias_attr=False),
            nn.BatchNorm1D(7),
            nn.ReLU(),
            nn.Linear(7, 3),
        ],
    ),
    "normalised first": ((2, 5, 4), lambda: [nn.BatchNorm2D(2), nn.Conv2D(2, 3, 2), nn.Flatten()]),
    "always by running statistics": (
        (2, 6, 6),
        lambda: [
            nn.Conv2D(2, 3, 3),
            nn.BatchNorm2D(3, use_global_stats=True),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(48, 3),
        ],
    ),
    "activations": (
        (3, 5, 4),
        lambda: [
            nn.Conv2D(3, 6, 3, padding=1),
            nn.GELU(),
            nn.Conv2D(6, 5, 1),
            nn.Silu(),
            nn.Conv2D(5, 5, 1),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(100, 8),
            nn.GELU(True),
            nn.Linear(8, 6),
            nn.ReLU6(),
            nn.Linear(6, 3),
        ],
    ),
}


def network(name: str, seed: int = 0) -> tuple[nn.Layer, tuple[int, ...]]:
    shape, layers = NETWORKS[name]
    lenet.seed(seed)
    return nn.Sequential(*layers()), shape


def chained(
    n_in: int, n_out: int, rows: list[Any], values: list[np.ndarray], grads: list[np.ndarray] | None = None
) -> _core.Plan:
    """The engine's plan of rows one behind another, each given without the value it takes; all parameters are trained."""
    linked = [(row[0], [i], *row[1:]) for i, row in enumerate(rows)]
    grads = grads or [np.empty_like(v) for v in values]
    return _core.Plan(n_in, linked, [(len(rows), n_out, 1)], values, [True] * len(values), grads)


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
