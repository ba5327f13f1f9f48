"""The networks of ``_networks`` in PyTorch: eager, and through ``torch.compile``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from _networks import NETWORKS, data, works
from torch import nn
from torch.nn import functional as F


class _Ops:
    relu = staticmethod(F.relu)

    def __init__(self, layers: Any) -> None:
        self._layers, self._at = layers, 0

    def _layer(self, make: Callable[[], nn.Module]) -> Any:
        if self._at == len(self._layers):
            self._layers.append(make())
        self._at += 1
        return self._layers[self._at - 1]

    def conv(self, x: Any, inputs: int, outputs: int, kernel: int, step: int, bias: bool) -> Any:
        return self._layer(lambda: nn.Conv2d(inputs, outputs, kernel, step, kernel // 2, bias=bias))(x)

    def norm(self, x: Any, channels: int) -> Any:
        return self._layer(lambda: nn.BatchNorm2d(channels))(x)

    def linear(self, x: Any, inputs: int, outputs: int) -> Any:
        return self._layer(lambda: nn.Linear(inputs, outputs))(x)

    def half(self, x: Any) -> Any:
        return F.max_pool2d(x, 2)

    def twice(self, x: Any) -> Any:
        return F.interpolate(x, scale_factor=2, mode="nearest")

    def add(self, a: Any, b: Any) -> Any:
        return a + b

    def around(self, x: Any, more: int) -> Any:
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, more // 2, more - more // 2))

    def mean(self, x: Any) -> Any:
        return x.mean((2, 3))

    def flat(self, x: Any) -> Any:
        return x.flatten(1)


class Network(nn.Module):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.layers, self.run = nn.ModuleList(), NETWORKS[name][0]
        self.eval()(torch.from_numpy(data(name)[0][:1]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.run(_Ops(self.layers), x)


def _works(compiled: bool) -> dict[str, Callable[[], Any]]:
    def forward(net: nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
        return torch.compile(net) if compiled else net

    def train(name: str) -> Callable[[], Any]:
        torch.manual_seed(0)
        net = Network(name).train()
        run, sgd = forward(net), torch.optim.SGD(net.parameters(), 0.001, momentum=0.9)
        images, labels = (torch.from_numpy(a) for a in data(name))

        def step() -> None:
            loss = F.cross_entropy(run(images), labels)
            sgd.zero_grad()
            loss.backward()
            sgd.step()

        return step

    def answer(name: str) -> Callable[[np.ndarray], Any]:
        torch.manual_seed(0)
        run = forward(Network(name).eval())

        def call(images: np.ndarray) -> np.ndarray:
            with torch.inference_mode():
                return run(torch.from_numpy(images)).numpy()

        return call

    return works(train, answer, "_compiled" if compiled else "")


WORKS = _works(False) | _works(True)
