"""The networks of ``_networks`` as plans: whole training steps, and answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from _networks import NETWORKS, data, works

import lenet
from lenet import nn
from lenet.jit import plan
from lenet.nn import functional as F


class _Ops:
    """Layers in their order: made on the first pass, taken again on every later one."""

    relu = staticmethod(F.relu)

    def __init__(self, layers: Any) -> None:
        self._layers, self._at = layers, 0

    def _layer(self, make: Callable[[], nn.Layer]) -> Any:
        if self._at == len(self._layers):
            self._layers.append(make())
        self._at += 1
        return self._layers[self._at - 1]

    def conv(self, x: Any, inputs: int, outputs: int, kernel: int, step: int, bias: bool) -> Any:
        own = None if bias else False
        return self._layer(lambda: nn.Conv2D(inputs, outputs, kernel, step, kernel // 2, bias_attr=own))(x)

    def norm(self, x: Any, channels: int) -> Any:
        return self._layer(lambda: nn.BatchNorm2D(channels))(x)

    def linear(self, x: Any, inputs: int, outputs: int) -> Any:
        return self._layer(lambda: nn.Linear(inputs, outputs))(x)

    def half(self, x: Any) -> Any:
        return F.max_pool2d(x, 2)

    def twice(self, x: Any) -> Any:
        return F.interpolate(x, scale_factor=2)

    def add(self, a: Any, b: Any) -> Any:
        return a + b

    def around(self, x: Any, more: int) -> Any:
        return F.pad(x[:, :, ::2, ::2], [0, 0, more // 2, more - more // 2, 0, 0, 0, 0])

    def mean(self, x: Any) -> Any:
        return F.adaptive_avg_pool2d(x, 1).flatten(1)

    def flat(self, x: Any) -> Any:
        return x.flatten(1)


class Network(nn.Layer):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.layers, self.run = nn.LayerList(), NETWORKS[name][0]
        self(lenet.to_tensor(data(name)[0][:1]))

    def forward(self, x: Any) -> Any:
        return self.run(_Ops(self.layers), x)


def _planned(found: Any) -> Any:
    if isinstance(found, str):
        raise RuntimeError(f"no plan: {found}")
    return found


def trained(name: str) -> tuple[Callable[[], Any], Any]:
    """A function that trains on one batch, and the engine's plan under it."""
    lenet.seed(0)
    net = Network(name)
    momentum = lenet.optimizer.Momentum(0.001, 0.9, net.parameters())
    images, labels = data(name)
    found = plan.compile(net, nn.CrossEntropyLoss(axis=1), momentum, [lenet.to_tensor(images[:2])])
    order, count = np.arange(len(images)), [len(images)]
    compiled = _planned(found)
    return lambda: compiled.train(images, None, labels, order, count, [0.001], outputs=False), compiled.chain.core


def train(name: str) -> Callable[[], Any]:
    return trained(name)[0]


def answer(name: str) -> Callable[[np.ndarray], Any]:
    lenet.seed(0)
    net, chains = Network(name).eval(), {}

    def call(images: np.ndarray) -> Any:
        if images.shape not in chains:
            chains[images.shape] = _planned(plan.compile(net, None, None, [lenet.to_tensor(images[:1])]))
        return chains[images.shape].infer(images)

    return call


WORKS = works(train, answer)
