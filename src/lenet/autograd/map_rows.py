"""The engine's rows on maps: batch normalisation, and images enlarged by repeating their pixels. Read through the table.

Shapes: N samples of C channels, any axes behind; ``cells`` are a channel's numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lenet import _core
from lenet.autograd.table import LANES, TABLE, Attrs, Form, Grads, Inputs, Row, check_sizes
from lenet.autograd.tensor import Tensor, dense, in_lanes

if TYPE_CHECKING:
    from lenet.autograd.tape import Node

__all__: list[str] = []

# ---- batch_norm: x [N, C, …], w and b [C] or None, running mean and variance [C], all of one type -> as x -------------


class _Norm:
    """What backward needs, and where the running statistics were before."""

    __slots__ = ("before", "lanes", "mean", "scale", "var")

    def __init__(self, mean: NDArray[Any], var: NDArray[Any], scale: NDArray[Any]) -> None:
        self.mean, self.var, self.scale = mean, var, scale
        self.lanes: Any = None
        self.before: list[tuple[Tensor, NDArray[Any]]] = []


def _sizes(x: Tensor) -> tuple[int, int, int]:
    return x._shape[1], math.prod(x._shape[2:]), x._shape[0]


def _batch_norm(inputs: Inputs, attrs: Attrs, form: Form = LANES) -> tuple[Tensor, Any]:
    x, w, b, running_mean, running_var = inputs
    channels, cells, n = _sizes(x)
    kind = x._dtype.type
    before = []
    if attrs["batch"]:
        form = LANES
        mean, var = np.empty(channels, x._dtype), np.empty(channels, x._dtype)
        _core.norm_statistics(channels, cells, n, x.lanes(), mean, var)
        for running, own in ((running_mean, mean), (running_var, var)):
            old = running.data_array().copy()
            before.append((running, old))
            running._write(old * kind(attrs["momentum"]) + own * kind(1 - attrs["momentum"]))
    else:
        mean, var = running_mean.data_array().copy(), running_var.data_array().copy()
    scale = (1 if w is None else w.data_array()) / np.sqrt(var + kind(attrs["epsilon"]))
    shift = np.zeros(channels, x._dtype) if b is None else b.data_array()
    saved = _Norm(mean, var, scale)
    saved.before = before
    saved.lanes = numbers = form[0](x)
    y = _core.norm(channels, cells, n, numbers, mean, scale, shift)
    return form[1](y, x._shape, x._dtype), saved


def _batch_norm_backward(node: Node, dy: Tensor) -> Grads:
    x, w, b, *_ = node.inputs
    saved: _Norm = node.saved
    channels, cells, n = _sizes(x)
    dw, db = np.empty(channels, x._dtype), np.empty(channels, x._dtype)
    dx = _core.norm_backward(
        channels, cells, n, saved.lanes, dy.lanes(), saved.mean, saved.var, saved.scale, node.attrs["epsilon"],
        node.attrs["batch"], not x.stop_gradient, dw, db,
    )  # fmt: skip
    return (
        None if x.stop_gradient else in_lanes(dx, x._shape, x._dtype),
        None if w is None or w.stop_gradient else dense(dw),
        None if b is None or b.stop_gradient else dense(db),
        None,
        None,
    )


def _batch_norm_plan(node: Node, index: Callable[[Any], int]) -> tuple[Any, ...]:
    x, *parameters = node.inputs
    channels, cells, _ = _sizes(x)
    attrs = node.attrs
    return (
        "batch_norm", channels, cells, *(index(p) for p in parameters), attrs["epsilon"], attrs["momentum"],
        attrs["batch"],
    )  # fmt: skip


TABLE["batch_norm"] = Row("batch_norm", "core", _batch_norm, _batch_norm_backward, _batch_norm_plan, few=True)


# ---- upsample2d: x [N, C, H, W] -> [N, C, H · fh, W · fw], each pixel fh x fw times -----------------------------------


def _enlarged(x: Tensor, attrs: Attrs) -> tuple[int, int, int, int, int]:
    (_, channels, height, width), (fh, fw) = x._shape, attrs["factor"]
    return channels, height, width, fh, fw


def _upsample2d(inputs: Inputs, attrs: Attrs, form: Form = LANES) -> tuple[Tensor, Any]:
    (x,) = inputs
    channels, height, width, fh, fw = sizes = _enlarged(x, attrs)
    check_sizes("upsample2d", *sizes, math.prod(sizes))
    y = _core.upsample2d(*sizes, x._shape[0], form[0](x))
    return form[1](y, (x._shape[0], channels, height * fh, width * fw), x._dtype), None


def _upsample2d_backward(node: Node, dy: Tensor) -> Grads:
    x = node.inputs[0]
    sizes = _enlarged(x, node.attrs)
    return (in_lanes(_core.upsample2d_backward(*sizes, x._shape[0], dy.lanes()), x._shape, x._dtype),)


TABLE["upsample2d"] = Row(
    "upsample2d",
    "core",
    _upsample2d,
    _upsample2d_backward,
    lambda node, _: ("spread", *_enlarged(node.inputs[0], node.attrs)),
    few=True,
)
