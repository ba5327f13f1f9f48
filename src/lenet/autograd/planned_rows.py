"""How a plan sees rows that run in numpy when they are called by themselves: the same operations, in the engine.

Each function answers as ``Row.plan`` does: the engine's row, or ValueError with what a plan can't do. Read through the table.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lenet import _core
from lenet.autograd.table import TABLE
from lenet.autograd.tensor import Tensor

if TYPE_CHECKING:
    from lenet.autograd.tape import Node

__all__: list[str] = []

Index = Callable[[Any], int]
_NOT_THAT = "picks elements in a way that is eager only"


def _numbers(node: Node) -> int:
    return math.prod(node.output_shape[1:])


def _activation(node: Node, _: Index) -> tuple[Any, ...]:
    name = node.row.name
    if name == "gelu" and node.attrs["approximate"]:
        name = "gelu_tanh"
    return (name, _numbers(node), node.attrs.get("slope", 0.0))


for _name in ("relu6", "leaky_relu", "gelu", "silu"):
    TABLE[_name] = TABLE[_name]._replace(plan=_activation)


# ---- several values ------------------------------------------------------------------------------------------------------


def _add(node: Node, _: Index) -> tuple[Any, ...]:
    a, b = node.inputs
    if not isinstance(a, Tensor) or not isinstance(b, Tensor) or a._shape != b._shape:
        raise ValueError("adds tensors of different shapes")
    return ("add", _numbers(node))


def _concat(node: Node, _: Index) -> tuple[Any, ...]:
    if node.attrs["axis"] != 1:
        raise ValueError("joins tensors along another axis than the channels")
    at, total = [], 0
    for t in node.inputs:
        at.append(total)
        total += math.prod(t._shape[1:])
    return ("join", at, total)


TABLE["add"] = TABLE["add"]._replace(plan=_add, takes=2)
TABLE["concat"] = TABLE["concat"]._replace(plan=_concat, takes=0)


# ---- a way around a block without parameters: every n-th pixel, zeros for further channels --------------------------------


def _getitem(node: Node, _: Index) -> tuple[Any, ...]:
    shape, key = node.inputs[0]._shape, node.attrs["key"]
    whole = slice(None)
    if len(shape) != 4 or not isinstance(key, tuple) or len(key) != 4 or any(not isinstance(k, slice) for k in key):
        raise ValueError(_NOT_THAT)
    steps = [1 if k.step is None else k.step for k in key]
    if key[:2] != (whole, whole) or any(k.start not in (None, 0) or k.stop is not None for k in key) or min(steps) < 1:
        raise ValueError(_NOT_THAT)
    (_, channels, height, width), (down, right) = shape, steps[2:]
    return ("avg_pool2d", _core.Pool(channels, height, width, 1, 1, down, right, 0, 0, 0, 0, False, True, 0))


def _pad(node: Node, _: Index) -> tuple[Any, ...]:
    shape, attrs = node.inputs[0]._shape, node.attrs
    pads = [tuple(pair) for pair in attrs["pads"]]
    apart = [pair for axis, pair in enumerate(pads) if axis != 1 and pair != (0, 0)]
    if attrs["mode"] != "constant" or attrs["value"] != 0 or apart or len(shape) < 2:
        raise ValueError("pads something else than channels with zeros")
    return ("join", [pads[1][0] * math.prod(shape[2:])], _numbers(node))


TABLE["getitem"] = TABLE["getitem"]._replace(plan=_getitem)
TABLE["pad"] = TABLE["pad"]._replace(plan=_pad)


# ---- the mean over a map ---------------------------------------------------------------------------------------------------


def _mean(node: Node, _: Index) -> tuple[Any, ...]:
    shape, axis = node.inputs[0]._shape, node.attrs["axis"]
    if len(shape) != 4 or not isinstance(axis, tuple) or tuple(sorted(axis)) != (2, 3):
        raise ValueError("takes a mean over other axes than a map's")
    _, channels, height, width = shape
    return ("avg_pool2d", _core.Pool(channels, height, width, height, width, 1, 1, 0, 0, 0, 0, False, True, 0))


TABLE["mean"] = TABLE["mean"]._replace(plan=_mean)
