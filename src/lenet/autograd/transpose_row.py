"""The table's row ``conv2d_transpose``: the convolution's backward pass run forward, on the engine's kernels. Eager only.

x [N, C, H, W], w [C, O/groups, kh, kw], b [O] or None -> [N, O, OH, OW]. The convolution it transposes takes the output's
images [O, OH, OW] to the input's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lenet import _core
from lenet.autograd.table import TABLE, Attrs, Grads, Inputs, Row, check_float, check_same_type, check_sizes
from lenet.autograd.tensor import Tensor, dense, in_lanes
from lenet.messages.check import ShapeError, message

if TYPE_CHECKING:
    from lenet.autograd.tape import Node

__all__: list[str] = []


def _geometry(x: Tensor, w: Tensor, attrs: Attrs) -> tuple[_core.Conv, tuple[int, ...]]:
    if len(x._shape) != 4:
        raise ShapeError(message("conv2d_transpose", f"images of shape {list(x._shape)}", "4 dimensions, [N, C, H, W]"))
    n, c, height, width = x._shape
    if w._shape[0] != c:
        given = f"images of {c} channels"
        raise ShapeError(message("conv2d_transpose", given, f"{w._shape[0]} for its weights {list(w._shape)}"))
    (sh, sw), (top, bottom, left, right), (dh, dw) = attrs["stride"], attrs["padding"], attrs["dilation"]
    more_h, more_w = attrs["output_padding"]
    kh, kw = w._shape[2:]
    out_h = (height - 1) * sh - top - bottom + dh * (kh - 1) + 1 + more_h
    out_w = (width - 1) * sw - left - right + dw * (kw - 1) + 1 + more_w
    if min(out_h, out_w) < 1:
        given = f"images of {height}x{width}, which give {out_h}x{out_w}"
        raise ShapeError(message("conv2d_transpose", given, "at least one pixel", "Use less padding"))
    channels, groups = w._shape[1] * attrs["groups"], attrs["groups"]
    numbers = (channels, out_h, out_w, c, kh, kw, sh, sw, top, bottom, left, right, dh, dw, groups)
    check_sizes("conv2d_transpose", *numbers)
    return _core.Conv(*numbers), (n, channels, out_h, out_w)


def _forward(inputs: Inputs, attrs: Attrs) -> tuple[Tensor, Any]:
    x, w, b = inputs
    check_float("conv2d_transpose", x)
    check_same_type("conv2d_transpose", x, w)
    conv, shape = _geometry(x, w, attrs)
    nothing = dense(np.zeros(shape, x._dtype))
    y = _core.conv2d_backward(conv, shape[0], nothing.lanes(), w.data_array(), x.lanes(), True, None, None)
    result = in_lanes(y, shape, x._dtype)
    if b is not None:
        result = dense(result.data_array() + b.data_array()[:, None, None])
    return result, conv


def _backward(node: Node, dy: Tensor) -> Grads:
    x, w, b = node.inputs
    conv = node.saved
    dx = None
    if not x.stop_gradient:
        dx = in_lanes(_core.conv2d(conv, x._shape[0], dy.lanes(), w.data_array(), None), x._shape, x._dtype)
    dw = None
    if not w.stop_gradient:
        dw = np.empty(w._shape, w._dtype)
        _core.conv2d_backward(conv, x._shape[0], dy.lanes(), w.data_array(), x.lanes(), False, dw, None)
    db = None if b is None or b.stop_gradient else dy.data_array().sum(axis=(0, 2, 3))
    return dx, None if dw is None else dense(dw), None if db is None else dense(db)


TABLE["conv2d_transpose"] = Row("conv2d_transpose", "array", _forward, _backward)
