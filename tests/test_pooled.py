"""Convolution, relu and 2x2 maximum as one, in a plan, at every ISA level: outputs and all gradients beside the same network in
double on the plain loops. The kernels of such rows need fewer products than the definition has (core/winner.h, core/split.h);
what they make of numbers that aren't finite is in test_plan, each kernel alone in core/test.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from plans import chain_of, distance, images

import lenet
from lenet import _core, nn
from lenet.autograd import random as _random
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.nn import functional as F

LEVELS = [name for name, usable, _ in _core.levels() if usable]
ROUNDING = 2e-6  # float32 sums of up to 1,600 products in another order, two layers deep

# Input [C, H, W]; channels, kernel and padding of two convolutions, each with a 2x2 maximum behind. Together they take every
# way there is: split or dense forward, by winners or dense back, blocks with a rest of channels and of windows.
SHAPES: dict[str, tuple[tuple[int, int, int], tuple[int, Any, Any], tuple[int, Any, Any]]] = {
    "LeNet's": ((1, 28, 28), (6, 5, 2), (16, 5, 0)),
    "3x3, padded": ((3, 16, 12), (8, 3, 1), (7, 3, 1)),
    "5x5, padded unevenly": ((4, 15, 16), (9, 5, [2, 1, 3, 1]), (6, 5, [2, 3, 2, 2])),
    "3x3, then 5x5": ((3, 22, 18), (6, 3, 0), (5, 5, [1, 1, 0, 0])),
    "few channels": ((2, 12, 12), (3, 3, 1), (2, 5, 2)),
    "other kernels": ((3, 13, 12), (6, (2, 3), [0, 0, 1, 1]), (6, 1, 0)),
    "a wide image": ((3, 8, 40), (6, 3, 1), (6, 3, 1)),
}


@pytest.fixture(params=LEVELS)
def level(request: pytest.FixtureRequest) -> Iterator[str]:
    before = _core.level()
    assert _core.select_level(request.param) is None
    yield request.param
    _core.select_level(before)


def network(shape: str, cut: bool) -> nn.Sequential:
    (channels, _, _), *convolutions = SHAPES[shape]
    lenet.seed(1)
    layers: list[nn.Layer] = []
    for out, kernel, padding in convolutions:
        layers += [nn.Conv2D(channels, out, kernel, padding=padding), *([nn.ReLU()] if cut else []), nn.MaxPool2D(2, 2)]
        channels = out
    return nn.Sequential(*layers, nn.Flatten())


def plainly(net: nn.Sequential, x: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The network's outputs and its parameters' gradients in double."""
    parameters = [to_tensor(p.numpy().astype(np.float64)) for p in net.parameters()]
    for p in parameters:
        p.stop_gradient = False
    left = iter(parameters)
    y: Tensor = to_tensor(x.astype(np.float64))
    for layer in net:
        convolves = isinstance(layer, nn.Conv2D)
        y = F.conv2d(y, next(left), next(left), padding=layer._padding) if convolves else layer(y)
    y.backward(to_tensor(dy.astype(np.float64)))
    return y.numpy(), [np.asarray(p.grad) for p in parameters]


@pytest.mark.parametrize("cut", [True, False], ids=["relu", "no relu"])
@pytest.mark.parametrize("shape", SHAPES)
def test_outputs_and_gradients(shape: str, cut: bool, level: str) -> None:
    net = network(shape, cut)
    n = 19  # a group and a bit
    x = images(n, *SHAPES[shape][0])
    chain = chain_of(net, x[:1])
    assert chain.core.fused == 2
    entered = to_tensor(x).lanes()
    y, forward_pass = chain.core.forward(entered, n, True, _random.generator().core)
    out = np.empty((n, chain.core.n_out), np.float32)
    _core.from_lanes(y, n, out)
    dy = np.random.RandomState(3).standard_normal(out.shape).astype(np.float32)
    exact, gradients = plainly(net, x, dy)
    assert distance(out, exact) <= ROUNDING
    grads = [np.empty(p.shape, np.float32) for p in chain.params]
    chain.core.backward(to_tensor(dy).lanes(), entered, forward_pass, grads)
    for p, ours, theirs in zip(chain.params, grads, gradients, strict=True):
        assert distance(ours, theirs) <= ROUNDING, p.name
    assert distance(chain.infer(x), exact) <= ROUNDING
