"""Networks drawn by hypothesis, for images [1, 28, 28]: convolutions, normalisations, pooling, activations, ways around.

Each is a list of plain steps, so that a failing one prints as what it is. ``Drawn(steps, seed)`` makes it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import lenet
from lenet import nn
from lenet.nn import functional as F

Step = tuple[Any, ...]

ACTIVATIONS = ("relu", "tanh", "sigmoid", "gelu", "silu", "leaky_relu", "elu", "hardswish", "relu6", "softplus", "mish")


@st.composite
def steps(draw: st.DrawFn) -> list[Step]:
    """Two to six steps on maps, then the way to [N, 10]."""
    found: list[Step] = []
    for _ in range(draw(st.integers(2, 6))):
        kind = draw(st.sampled_from(["conv", "conv", "norm", "max", "avg", "act", "around", "join", "drop"]))
        if kind == "conv":
            depthwise = draw(st.booleans())
            found.append(
                ("conv", 4 if depthwise else draw(st.integers(1, 8)), draw(st.sampled_from([(1, 1), (3, 3), (5, 2)])),
                 draw(st.integers(1, 2)), draw(st.sampled_from([0, 1, [1, 2, 0, 1]])), draw(st.booleans()), depthwise)
            )  # fmt: skip
        elif kind in ("max", "avg"):
            found.append((kind, draw(st.integers(2, 3)), draw(st.integers(1, 3)), draw(st.integers(0, 1)),
                          draw(st.booleans()), draw(st.booleans())))  # fmt: skip
        elif kind == "act":
            found.append(("act", draw(st.sampled_from(ACTIVATIONS))))
        else:
            found.append((kind,))
    found.append((draw(st.sampled_from(["flat", "mean"])), draw(st.integers(3, 20)), draw(st.booleans())))
    return found


def lived_in(network: nn.Layer, seed: int) -> nn.Layer:
    """The network in evaluation mode, its statistics no longer those of a new one, and no rectifier dead for that."""
    draw = np.random.RandomState(seed)
    for name, tensor in network.state_dict().items():
        if name.endswith("_mean"):
            tensor.set_value(draw.normal(0, 0.1, tensor.shape).astype(np.float32))
        if name.endswith("_variance"):
            tensor.set_value(draw.uniform(0.5, 1.5, tensor.shape).astype(np.float32))
    return network.eval()


class Drawn(nn.Layer):
    """The network of these steps, with weights and statistics of that seed."""

    def __init__(self, steps: list[Step], seed: int) -> None:
        super().__init__()
        lenet.seed(seed)
        self.steps = steps
        x = lenet.zeros([1, 1, 28, 28])
        for k, (kind, *settings) in enumerate(steps):
            channels = x.shape[1]
            if kind == "conv":
                outputs, kernel, stride, padding, bias, depthwise = settings
                groups = channels if depthwise else 1
                outputs = channels * 2 if depthwise else outputs
                if min(x.shape[2:]) < 5:
                    stride, padding = 1, [2, 2, 1, 1]
                layer = nn.Conv2D(
                    channels, outputs, kernel, stride, padding, groups=groups, bias_attr=None if bias else False
                )
                self.add_sublayer(f"conv{k}", layer)
            elif kind in ("norm", "around"):
                self.add_sublayer(f"norm{k}", nn.BatchNorm2D(channels))
            elif kind == "drop":
                self.add_sublayer(f"drop{k}", nn.Dropout(0.4))
            elif kind in ("flat", "mean"):
                features = channels * (x.shape[2] * x.shape[3] if kind == "flat" else 1)
                self.hidden = nn.Linear(features, settings[0], bias_attr=None if settings[1] else False)
                self.last = nn.Linear(settings[0], 10)
            x = self._step(k, x)
        lived_in(self, seed)

    def _step(self, k: int, x: Any) -> Any:
        kind, *settings = self.steps[k]
        if kind == "conv":
            return getattr(self, f"conv{k}")(x)
        if kind == "norm":
            return getattr(self, f"norm{k}")(x)
        if kind == "around":
            return F.relu(x + getattr(self, f"norm{k}")(x))
        if kind == "join":
            return lenet.concat([x, F.relu(x)], 1)
        if kind == "drop":
            return getattr(self, f"drop{k}")(x)
        if kind in ("max", "avg"):
            kernel, stride, padding, ceil, exclusive = settings
            if min(x.shape[2:]) < 4:
                return x
            if kind == "max":
                return F.max_pool2d(x, kernel, stride, padding, ceil_mode=ceil)
            return F.avg_pool2d(x, kernel, stride, padding, ceil_mode=ceil, exclusive=exclusive)
        if kind == "act":
            return getattr(F, settings[0])(x)
        x = x.flatten(1) if kind == "flat" else x.mean([2, 3])
        return self.last(F.tanh(self.hidden(x)))

    def forward(self, x: Any) -> Any:
        for k in range(len(self.steps)):
            x = self._step(k, x)
        return x
