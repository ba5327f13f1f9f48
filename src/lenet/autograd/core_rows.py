"""The engine's rows of the table: convolution, pooling, activations, reshaping, linear, dropout, softmax.

Shapes: N samples, C/H/W input, K/OH/OW output. A gradient is ``d`` and the name.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from lenet import _core
from lenet.autograd import random
from lenet.autograd.table import (
    FEW,
    LANES,
    TABLE,
    Attrs,
    Form,
    Grads,
    Inputs,
    Row,
    check_axis,
    check_float,
    check_same_type,
    check_sizes,
    classes_back,
    classes_last,
    same_numbers,
)
from lenet.autograd.tensor import _F32, Tensor, dense, in_lanes
from lenet.messages.check import ShapeError, message

if TYPE_CHECKING:
    from lenet.autograd.tape import Node

__all__: list[str] = []

# ---- conv2d: x [N, C, H, W], w [K, C/groups, kh, kw], b [K] or None -> [N, K, OH, OW] ---------------------------------


@functools.lru_cache(maxsize=1024)
def _conv(
    image: tuple[int, ...], kernel: tuple[int, ...], stride: Any, padding: Any, dilation: Any, groups: int
) -> _core.Conv:
    C, H, W = image
    K, per_group, kh, kw = kernel
    top, bottom, left, right = padding
    check_sizes("conv2d", *image, *kernel, *stride, *padding, *dilation, groups)
    if per_group * groups != C:
        wanted = per_group * groups
        fix = f"Build the layer with in_channels={C}, or give it images of {wanted} channel{'s' if wanted > 1 else ''}"
        if wanted == 1 and C == 3:
            fix += " (vision.transforms.Grayscale() makes colour images grey)"
        if wanted == 1 and W == 1:
            fix += " (the channel axis comes first: x.transpose([0, 3, 1, 2]))"
        raise ShapeError(
            message(
                "conv2d",
                f"images of {C} channels, [C, H, W] = {[C, H, W]}",
                f"{wanted} for its weights {list(kernel)}",
                fix,
            )
        )
    span_h, span_w = (kh - 1) * dilation[0] + 1, (kw - 1) * dilation[1] + 1
    if span_h > H + top + bottom or span_w > W + left + right:
        given = f"images of {H}x{W}" + (f" (padded {H + top + bottom}x{W + left + right})" if any(padding) else "")
        raise ShapeError(
            message(
                "conv2d",
                given,
                f"at least the kernel's {span_h}x{span_w}",
                "Use a smaller kernel, more padding or larger images",
            )
        )
    (sh, sw), (dh, dw) = stride, dilation
    return _core.Conv(C, H, W, K, kh, kw, sh, sw, top, bottom, left, right, dh, dw, groups)


@functools.lru_cache(maxsize=1024)
def _conv_of(
    shape: tuple[int, ...], kernel: tuple[int, ...], stride: Any, padding: Any, dilation: Any, groups: int
) -> tuple[_core.Conv, tuple[int, ...]]:
    if len(shape) != 4:
        fix = "Add the channel axis: x.unsqueeze(1)" if len(shape) == 3 else "Reshape them: x.reshape([-1, 1, 28, 28])"
        raise ShapeError(message("conv2d", f"images of shape {list(shape)}", "4 dimensions, [N, C, H, W]", fix))
    conv = _conv(shape[1:], kernel, stride, padding, dilation, groups)
    return conv, (shape[0], kernel[0], conv.OH, conv.OW)


def _conv2d(inputs: Inputs, attrs: Attrs, form: Form = LANES) -> tuple[Tensor, Any]:
    x, w, b = inputs
    if form is not FEW or w._dtype is not _F32:
        check_float("conv2d", x)
        check_same_type("conv2d", x, w)
    conv, shape = _conv_of(x._shape, w._shape, attrs["stride"], attrs["padding"], attrs["dilation"], attrs["groups"])
    y = _core.conv2d(conv, shape[0], form[0](x), w.data_array(), None if b is None else b.data_array())
    return form[1](y, shape, x._dtype), conv


def _conv2d_backward(node: Node, dy: Tensor) -> Grads:
    x, w, b = node.inputs
    dw = None if w.stop_gradient else np.empty(w._shape, w._dtype)
    db = None if b is None or b.stop_gradient else np.empty(b._shape, b._dtype)
    need_dx = not x.stop_gradient
    dx = _core.conv2d_backward(node.saved, x._shape[0], x.lanes(), w._data, dy.lanes(), need_dx, dw, db)
    return (
        in_lanes(dx, x._shape, x._dtype) if need_dx else None,
        None if dw is None else dense(dw),
        None if db is None else dense(db),
    )


def _conv2d_plan(node: Node, index: Callable[[Any], int]) -> tuple[Any, ...]:
    return ("conv2d", node.saved, index(node.inputs[1]), index(node.inputs[2]))


TABLE["conv2d"] = Row("conv2d", "core", _conv2d, _conv2d_backward, _conv2d_plan, few=True)


# ---- pooling: x [N, C, H, W] -> [N, C, OH, OW] ------------------------------------------------------------------------


@functools.lru_cache(maxsize=1024)
def _pool(
    what: str, image: tuple[int, ...], kernel: Any, stride: Any, padding: Any, ceil: bool, exclusive: bool, divisor: int
) -> _core.Pool:
    C, H, W = image
    top, bottom, left, right = padding
    check_sizes(what, *image, *kernel, *stride, *padding, divisor)
    if kernel[0] > H + top + bottom or kernel[1] > W + left + right:
        expected = f"at least the window's {kernel[0]}x{kernel[1]}"
        raise ShapeError(message(what, f"images of {H}x{W}", expected, "Use a smaller window, or fewer pooling layers"))
    if top >= kernel[0] or bottom >= kernel[0] or left >= kernel[1] or right >= kernel[1]:
        raise ValueError(message(what, f"padding {list(padding)}", f"less than the window {list(kernel)}"))
    (kh, kw), (sh, sw) = kernel, stride
    return _core.Pool(C, H, W, kh, kw, sh, sw, top, bottom, left, right, ceil, exclusive, divisor)


@functools.lru_cache(maxsize=1024)
def _pool_of(
    what: str,
    shape: tuple[int, ...],
    kernel: Any,
    stride: Any,
    padding: Any,
    ceil: bool,
    exclusive: bool = True,
    divisor: int | None = None,
) -> tuple[_core.Pool, tuple[int, ...]]:
    if len(shape) != 4:
        fix = "Add the channel axis: x.unsqueeze(1)" if len(shape) == 3 else ""
        raise ShapeError(message(what, f"images of shape {list(shape)}", "4 dimensions, [N, C, H, W]", fix))
    pool = _pool(what, shape[1:], kernel, stride, padding, ceil, exclusive, divisor or 0)
    return pool, (*shape[:2], pool.OH, pool.OW)


def _max_pool2d(inputs: Inputs, attrs: Attrs, form: Form = LANES) -> tuple[Tensor, Any]:
    (x,) = inputs
    if form is not FEW:
        check_float("max_pool2d", x)
    pool, shape = _pool_of(
        "max_pool2d", x._shape, attrs["kernel"], attrs["stride"], attrs["padding"], attrs["ceil_mode"]
    )
    y, winner = _core.max_pool2d(pool, shape[0], form[0](x))
    return form[1](y, shape, x._dtype), (pool, winner)


def _max_pool2d_backward(node: Node, dy: Tensor) -> Grads:
    x, (pool, winner) = node.inputs[0], node.saved
    return (in_lanes(_core.max_pool2d_backward(pool, x._shape[0], dy.lanes(), winner), x._shape, x._dtype),)


def _avg_pool2d(inputs: Inputs, attrs: Attrs, form: Form = LANES) -> tuple[Tensor, Any]:
    (x,) = inputs
    check_float("avg_pool2d", x)
    window = attrs["kernel"], attrs["stride"], attrs["padding"], attrs["ceil_mode"]
    pool, shape = _pool_of("avg_pool2d", x._shape, *window, attrs.get("exclusive", True), attrs.get("divisor"))
    y = _core.avg_pool2d(pool, shape[0], form[0](x))
    return form[1](y, shape, x._dtype), (pool,)


def _avg_pool2d_backward(node: Node, dy: Tensor) -> Grads:
    x = node.inputs[0]
    return (in_lanes(_core.avg_pool2d_backward(node.saved[0], x._shape[0], dy.lanes()), x._shape, x._dtype),)


TABLE["max_pool2d"] = Row(
    "max_pool2d", "core", _max_pool2d, _max_pool2d_backward, lambda node, _: ("max_pool2d", node.saved[0]), few=True
)
TABLE["avg_pool2d"] = Row(
    "avg_pool2d", "core", _avg_pool2d, _avg_pool2d_backward, lambda node, _: ("avg_pool2d", node.saved[0]), few=True
)


# ---- elementwise: any shape -------------------------------------------------------------------------------------------


def _elementwise(name: str, kernel: Callable[[Any], Any], kernel_backward: Callable[[Any, Any], Any]) -> Row:
    def forward(inputs: Inputs, attrs: Attrs, form: Form = LANES) -> tuple[Tensor, Any]:
        (x,) = inputs
        if form is not FEW:
            check_float(name, x)
        y = kernel(form[0](x))
        return form[1](y, x._shape, x._dtype), y

    def backward(node: Node, dy: Tensor) -> Grads:
        x = node.inputs[0]
        return (in_lanes(kernel_backward(node.saved, dy.lanes()), x._shape, x._dtype),)

    return Row(name, "core", forward, backward, lambda node, _: (name, math.prod(node.output_shape[1:]), 0.0), few=True)


TABLE["relu"] = _elementwise("relu", _core.relu, _core.relu_backward)
TABLE["sigmoid"] = _elementwise("sigmoid", _core.sigmoid, _core.sigmoid_backward)
TABLE["tanh"] = _elementwise("tanh", _core.tanh, _core.tanh_backward)


# ---- flatten, reshape: free while the samples stay the first axis -----------------------------------------------------


def _reshape(inputs: Inputs, attrs: Attrs) -> tuple[Tensor, Any]:
    (x,) = inputs
    wanted = [int(s) for s in attrs["shape"]]
    given = list(x._shape)
    if any(s == 0 and i >= len(given) for i, s in enumerate(wanted)):
        raise ValueError(message("reshape", wanted, f"a 0 only where the tensor {given} has an axis to copy"))
    sizes = [given[i] if s == 0 else s for i, s in enumerate(wanted)]  # 0 keeps an axis, as in Paddle
    known = math.prod(s for s in sizes if s != -1)
    total = x.size
    if sizes.count(-1) > 1 or any(s < -1 for s in sizes):
        raise ValueError(message("reshape", wanted, "whole numbers with at most one -1"))
    if -1 in sizes and known:
        sizes[sizes.index(-1)] = total // known
    if math.prod(sizes) != total:
        raise ValueError(
            message("reshape", f"shape {wanted} for a tensor of shape {given}", f"a shape of {total} elements")
        )
    return same_numbers(x, tuple(sizes)), None


def _reshape_backward(node: Node, dy: Tensor) -> Grads:
    return (same_numbers(dy, node.inputs[0]._shape),)


def _flatten(inputs: Inputs, attrs: Attrs) -> tuple[Tensor, Any]:
    (x,) = inputs
    start, stop = attrs["start"], attrs["stop"]
    # What merely equals a whole number, or can't be looked up, must not meet the cache.
    flat = _flat_shape if type(start) is int and type(stop) is int else _flat_shape.__wrapped__
    return same_numbers(x, flat(x._shape, start, stop)), None


@functools.lru_cache(maxsize=1024)
def _flat_shape(shape: tuple[int, ...], start: Any, stop: Any) -> tuple[int, ...]:
    if not shape:
        return (1,)
    rank = len(shape)
    if any(not isinstance(a, (int, np.integer)) or not -rank <= a < rank for a in (start, stop)):
        raise ValueError(
            message(
                "flatten",
                f"axes {(start, stop)} of a tensor with {rank} dimensions",
                f"whole numbers from {-rank} to {rank - 1}",
            )
        )
    start, stop = int(start) % rank, int(stop) % rank
    if start > stop:
        raise ValueError(message("flatten", f"start_axis {start} behind stop_axis {stop}", "start_axis first"))
    return (*shape[:start], math.prod(shape[start : stop + 1]), *shape[stop + 1 :])


def _no_change_plan(node: Node, _: Callable[[Any], int]) -> tuple[Any, ...]:
    if node.output_shape[:1] != node.inputs[0]._shape[:1]:
        raise ValueError(f"{node.row.name} mixes samples")
    return ()


TABLE["reshape"] = Row("reshape", "core", _reshape, _reshape_backward, _no_change_plan)
TABLE["flatten"] = Row("flatten", "core", _flatten, _reshape_backward, _no_change_plan)


# ---- linear: x [..., I], w [I, O], b [O] or None -> [..., O] ----------------------------------------------------------


def _linear(inputs: Inputs, attrs: Attrs, form: Form = LANES) -> tuple[Tensor, Any]:
    x, w, b = inputs
    if form is not FEW or w._dtype is not _F32:
        check_float("linear", x)
        check_same_type("linear", x, w)
    n_in, n_out = w._shape
    shape = x._shape
    if not shape or shape[-1] != n_in:
        features = shape[-1] if shape else 0
        fix = f"Build the layer with in_features={features}, or change the image size or the layers before it"
        if len(shape) == 4:
            fix = "Flatten the images first: lenet.flatten(x, 1)"
        raise ShapeError(
            message(
                "linear",
                f"{features} features, x of shape {list(shape)}",
                f"{n_in} for its weights {list(w._shape)}",
                fix,
            )
        )
    bias = None if b is None else b.data_array()
    if len(shape) == 2:
        numbers = form[0](x)
        y = _core.linear(n_in, n_out, shape[0], numbers, w.data_array(), bias)
        return form[1](y, (shape[0], n_out), x._dtype), numbers
    rows = math.prod(shape[:-1])
    lanes = _core.to_lanes(x.data_array(), rows)
    y = _core.linear(n_in, n_out, rows, lanes, w.data_array(), bias)
    return dense(in_lanes(y, (rows, n_out), x._dtype).data_array().reshape(*shape[:-1], n_out)), lanes


def _linear_backward(node: Node, dy: Tensor) -> Grads:
    x, w, b = node.inputs
    n_in, n_out = w._shape
    rows = math.prod(x._shape[:-1])
    dw = None if w.stop_gradient else np.empty(w._shape, w._dtype)
    db = None if b is None or b.stop_gradient else np.empty(b._shape, b._dtype)
    need_dx = not x.stop_gradient
    dy_lanes = dy.lanes() if len(x._shape) == 2 else _core.to_lanes(dy.data_array(), rows)
    lanes = _core.linear_backward(n_in, n_out, rows, node.saved, w._data, dy_lanes, need_dx, dw, db)
    dx = None
    if need_dx:
        dx = in_lanes(lanes, (rows, n_in), x._dtype)
        dx = dx if len(x._shape) == 2 else dense(dx.data_array().reshape(x._shape))
    return dx, None if dw is None else dense(dw), None if db is None else dense(db)


def _linear_plan(node: Node, index: Callable[[Any], int]) -> tuple[Any, ...]:
    x, w, b = node.inputs
    if len(x._shape) != 2:
        raise ValueError("linear runs on more than two dimensions")
    return ("linear", *w._shape, index(w), index(b))


TABLE["linear"] = Row("linear", "core", _linear, _linear_backward, _linear_plan, few=True)


# ---- dropout: any shape; masks come from lenet.seed's stream in NCHW order --------------------------------------------


def _dropout(inputs: Inputs, attrs: Attrs, form: Form = LANES) -> tuple[Tensor, Any]:
    (x,) = inputs
    check_float("dropout", x)
    p, upscale = attrs["p"], attrs["mode"] == "upscale_in_train"
    if not attrs["training"]:
        factor = 1.0 if upscale else 1.0 - p
        return form[1](_core.scale(form[0](x), factor), x._shape, x._dtype), factor
    kept = (0.0 if p == 1.0 else 1.0 / (1.0 - p)) if upscale else 1.0
    keep = random.generator().uniform(x.size, 0.0, 1.0) >= np.float32(p) if p > 0 else np.ones(x.size, bool)
    mask = dense((keep * np.float32(kept)).astype(x._dtype).reshape(x._shape)).lanes()
    return in_lanes(_core.mul(x.lanes(), mask), x._shape, x._dtype), mask


def _dropout_backward(node: Node, dy: Tensor) -> Grads:
    lanes = _core.scale(dy.lanes(), node.saved) if isinstance(node.saved, float) else _core.mul(dy.lanes(), node.saved)
    return (in_lanes(lanes, dy._shape, dy._dtype),)


def _dropout_plan(node: Node, _: Callable[[Any], int]) -> tuple[Any, ...]:
    upscale = node.attrs["mode"] == "upscale_in_train"
    return ("dropout", math.prod(node.output_shape[1:]), node.attrs["p"], upscale)


TABLE["dropout"] = Row("dropout", "core", _dropout, _dropout_backward, _dropout_plan, few=True)


# ---- softmax along an axis --------------------------------------------------------------------------------------------


def _softmax(inputs: Inputs, attrs: Attrs, form: Form = LANES) -> tuple[Tensor, Any]:
    (x,) = inputs
    check_float("softmax", x)
    if not x._shape:
        return dense(np.ones((), x._dtype)), None
    axis = check_axis("softmax", attrs["axis"], x._shape)
    rows = classes_last(x, axis)
    take, made = form if rows is x else LANES
    y = made(_core.softmax(rows._shape[1], rows._shape[0], take(rows)), rows._shape, x._dtype)
    return classes_back(y, x._shape, axis), (y, axis)


def _softmax_backward(node: Node, dy: Tensor) -> Grads:
    if node.saved is None:
        return (dense(np.zeros((), dy._dtype)),)
    y, axis = node.saved
    rows = classes_last(dy, axis)
    dx = in_lanes(_core.softmax_backward(y._shape[1], y._shape[0], y.lanes(), rows.lanes()), y._shape, dy._dtype)
    return (classes_back(dx, dy._shape, axis),)


def _softmax_plan(node: Node, _: Callable[[Any], int]) -> tuple[Any, ...]:
    if len(node.output_shape) != 2 or node.saved[1] != 1:
        raise ValueError("softmax runs along another axis than the classes of [N, C]")
    return ("softmax", node.output_shape[1])


TABLE["softmax"] = Row("softmax", "core", _softmax, _softmax_backward, _softmax_plan, few=True)
