"""Which network a classifier trains: the user's, or one that fits the size of the images; and how it starts.

It knows shapes and classes alone. Read by ``classifier``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lenet import nn
from lenet.autograd import tape
from lenet.autograd.tensor import Tensor, dense
from lenet.messages.check import message
from lenet.nn import functional as F
from lenet.nn.initializer import fans
from lenet.train.networks import network_named

__all__ = ["make", "started"]

_LARGE = 16  # pixels a side from which the usual network is that of the recipe ``small``


class Small(nn.Layer):
    """Images [N, C, H, W] of a few pixels a side to logits [N, K]: two convolutions, pooled while there is room."""

    def __init__(self, channels: int, sides: tuple[int, int], classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2D(channels, 16, 3, padding=1)
        self.conv2 = nn.Conv2D(16, 32, 3, padding=1)
        self._pooled = [min(sides) >= 8, min(sides) >= 4]
        height, width = (side >> sum(self._pooled) for side in sides)
        self.linear1 = nn.Linear(32 * height * width, 64)
        self.linear2 = nn.Linear(64, classes)

    def forward(self, x: Tensor) -> Tensor:
        for convolution, pooled in zip((self.conv1, self.conv2), self._pooled, strict=True):
            x = F.relu(convolution(x))
            x = F.max_pool2d(x, 2, 2) if pooled else x
        return self.linear2(F.relu(self.linear1(tape.call("flatten", x, start=1, stop=-1))))


def make(wanted: Any, shape: tuple[int, int, int], classes: int) -> nn.Layer:
    """A new network for images [C, H, W].

    wanted: None, or what ``lenet.train`` takes as a network: a name, ``FILE.py:NAME``, a class or a function. ValueError for
    one that doesn't fit the images and classes.
    """
    channels, height, width = shape
    if wanted is None:
        if min(height, width) < _LARGE:
            return Small(channels, (height, width), classes)
        wanted = "lenet" if shape == (1, 28, 28) else "vgg_small"
    network = network_named(wanted).make(classes, channels)
    network.eval()
    with tape.no_grad():
        given = list(network(dense(np.zeros((1, *shape), np.float32))).shape)
    if given != [1, classes]:
        expected = f"[N, {classes}], one a class"
        raise ValueError(message("LeNetClassifier(network)", f"an output of shape {given}", expected))
    return network


def started(network: nn.Layer, random: np.random.RandomState) -> nn.Layer:
    """The network with every weight and bias drawn from U(+-1/sqrt(fan_in)); normalisations start as they are."""
    for layer in network.sublayers(include_self=True):
        weight = layer._parameters.get("weight")
        if weight is None or len(weight.shape) < 2:
            continue
        limit = 1 / np.sqrt(fans(weight.shape)[0])
        for parameter in layer._parameters.values():
            if parameter is not None:
                parameter.set_value(random.uniform(-limit, limit, parameter.shape).astype(np.float32))
    return network
