"""``flops``: how many multiplications (and what counts with them) a network makes for an input (Paddle: ``paddle.flops``).

The counts are Paddle's: of convolutions and linear layers a multiplication with its addition counts once, of normalisation
and pooling the layers say; activations count as nothing.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from lenet import nn
from lenet.autograd import array_rows, tape
from lenet.messages.check import describe, message

__all__ = ["flops"]

Counter = Callable[[Any, Any, Any], Any]


def _size(t: Any) -> int:
    return math.prod(t.shape)


def _conv(m: Any, x: Any, y: Any) -> float:
    window = math.prod(m.weight.shape[2:])
    return _size(y) * (x[0].shape[1] / m._attrs["groups"] * window + (m.bias is not None))


def _pooled(m: Any, x: Any, y: Any) -> float:
    window = np.array(x[0].shape[2:]) // np.array(y.shape[2:])
    return float((np.prod(window) + 1) * _size(y))


COUNTS: dict[type, Callable[[Any, Any, Any], float]] = {
    nn.Conv2D: _conv,
    nn.Conv2DTranspose: _conv,
    nn.BatchNorm2D: lambda m, x, y: 2 * _size(x[0]),
    nn.BatchNorm: lambda m, x, y: 2 * _size(x[0]),
    nn.ReLU: lambda m, x, y: 0,
    nn.ReLU6: lambda m, x, y: 0,
    nn.LeakyReLU: lambda m, x, y: _size(x[0]),
    nn.Linear: lambda m, x, y: m.weight.shape[0] * _size(y),
    nn.Dropout: lambda m, x, y: 0,
    nn.AvgPool2D: lambda m, x, y: _size(y),
    nn.AdaptiveAvgPool2D: _pooled,
}


def flops(
    net: nn.Layer, input_size: Any, custom_ops: dict[type, Counter] | None = None, print_detail: bool = False
) -> int:
    """How many operations the network makes for random inputs of input_size, such as [1, 1, 28, 28], as Paddle counts them.

    custom_ops: functions (layer, inputs, output) by class, which add to ``layer.total_ops``. Classes without a count are
    named and count as nothing. print_detail: a line a layer. The network is run in evaluation mode, without gradients.
    """
    if not isinstance(net, nn.Layer):
        raise TypeError(message("flops(net)", describe(net), "a Layer"))
    own, seen, rows = custom_ops or {}, set(), []
    handles = []

    def watch(layer: Any, x: Any, y: Any) -> None:
        kind = type(layer)
        total = 0
        if kind in own:
            object.__setattr__(layer, "total_ops", 0)
            own[kind](layer, x, y)
            total = int(layer.total_ops)
            object.__delattr__(layer, "total_ops")
        elif kind in COUNTS:
            total = int(abs(COUNTS[kind](layer, x, y)))
        shapes = [list(v.shape) for v in (x[0], y[0] if isinstance(y, (list, tuple)) else y)]
        rows.append((layer.full_name(), *shapes, sum(p.size for p in layer.parameters()), total))

    for layer in net.sublayers(include_self=True):
        if list(layer.children()):
            continue
        handles.append(layer.register_forward_post_hook(watch))
        kind = type(layer)
        if kind not in seen and kind not in COUNTS and kind not in own:
            sys.stdout.write(f"Cannot find suitable count function for {kind}. Treat it as zero FLOPs.\n")
        seen.add(kind)
    before = net.training
    net.eval()
    try:
        with tape.no_grad():
            net(array_rows.randn(input_size))
    finally:
        for handle in handles:
            handle.remove()
        if before:
            net.train()
    total, weights = sum(row[4] for row in rows), sum(row[3] for row in rows)
    if print_detail:
        for name, given, made, parameters, count in rows:
            sys.stdout.write(f"{name:<20} {given!s:>20} {made!s:>20} {parameters:>10} {count:>12}\n")
    sys.stdout.write(f"Total Flops: {total}     Total Params: {weights}\n")
    return total
