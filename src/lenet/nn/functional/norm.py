"""Normalisation: by a batch's statistics, by a sample's own, by a vector's length."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lenet.autograd import array_rows, table, tape
from lenet.autograd.tensor import Tensor, dense
from lenet.messages import check

__all__ = [
    "batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "normalize",
]  # fmt: skip


def batch_norm(
    x: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.9,
    epsilon: float = 1e-5,
    data_format: str = "NCHW",
    use_global_stats: bool | None = None,
    name: str | None = None,
) -> Tensor:
    """(x - mean) / √(var + epsilon) · weight + bias, channel by channel, of x [N, C], [N, C, L] or [N, C, H, W].

    training: mean and (biased) variance are the batch's own, and the running ones become momentum · old + (1 - momentum) ·
    the batch's; otherwise, and with use_global_stats=True, they are the running ones. data_format: 'NCHW', 'NCL', 'NC',
    or with the channels last 'NHWC', 'NLC'. ValueError for another number of channels.
    """
    table.check_float("batch_norm", x)
    check.choice("batch_norm(data_format)", data_format, ("NCHW", "NCL", "NC", "NHWC", "NLC"))
    shape = list(x.shape)
    axis = len(shape) - 1 if data_format in ("NHWC", "NLC") else 1
    if len(shape) < 2 or shape[axis] != running_mean.size:
        expected = f"{running_mean.size} channels along axis {axis}"
        fix = f"Build the layer with num_features={shape[axis]}" if len(shape) >= 2 else ""
        raise check.ShapeError(check.message("batch_norm", f"x of shape {shape}", expected, fix))
    from_batch = training and not use_global_stats
    given = [t for t in (weight, bias, running_mean, running_var) if t is not None]
    if axis == 1 and 0 not in shape and all(t._shape == (shape[1],) and t._dtype == x._dtype for t in given):
        numbers = {"batch": from_batch, "momentum": momentum, "epsilon": epsilon}
        return tape.call("batch_norm", x, weight, bias, running_mean, running_var, **numbers)
    over = tuple(i for i in range(len(shape)) if i != axis)
    wide = [-1 if i == axis else 1 for i in range(len(shape))]
    if from_batch:
        values = x.data_array()
        mean = values.mean(axis=over)
        away = values - mean.reshape(wide)
        var = (away * away).mean(axis=over)
        if training:
            for running, own in ((running_mean, mean), (running_var, var)):
                old = running.data_array()
                running._write((old * old.dtype.type(momentum) + own * old.dtype.type(1 - momentum)).astype(old.dtype))
    else:
        mean, var = running_mean.data_array().copy(), running_var.data_array().copy()
    factor, shift = (_wide(t, fill, running_mean.size, x, wide) for t, fill in ((weight, 1), (bias, 0)))
    numbers = {"mean": mean.reshape(wide), "var": var.reshape(wide), "epsilon": epsilon}
    return tape.call("normalised", x, factor, shift, axes=over if from_batch else None, **numbers)


def _wide(t: Tensor | None, fill: float, size: int, x: Tensor, shape: list[int]) -> Tensor:
    if t is None:
        return dense(np.full(size, fill, x.dtype.numpy).reshape(shape))
    table.check_same_type("normalisation", x, t)
    return t.reshape(shape)


def layer_norm(
    x: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    epsilon: float = 1e-5,
    name: str | None = None,
) -> Tensor:
    """Each sample's last axes, of shape normalized_shape (a number or a list), shifted and scaled to mean 0 and variance 1.

    Then times weight plus bias, of that shape or flat. ValueError where x doesn't end in it.
    """
    table.check_float("layer_norm", x)
    last = [normalized_shape] if hasattr(normalized_shape, "__index__") else list(normalized_shape)
    if not last or list(x.shape[-len(last) :]) != last:
        raise check.ShapeError(check.message("layer_norm", f"x of shape {list(x.shape)}", f"last axes {last}"))
    shape = [1] * (len(x.shape) - len(last)) + last
    factor, shift = (_wide(t, fill, math.prod(last), x, shape) for t, fill in ((weight, 1), (bias, 0)))
    return tape.call("layer_norm", x, factor, shift, over=len(last), epsilon=epsilon)


def normalize(
    x: Tensor, p: float = 2, axis: int = 1, epsilon: float = 1e-12, out: None = None, name: str | None = None
) -> Tensor:
    """x divided by its p-norm along an axis, or by epsilon where that is larger."""
    axis = table.check_axis("normalize", axis if len(x.shape) > 1 or axis != 1 else 0, x.shape)
    return x / x.norm(p, axis, keepdim=True).clip(min=epsilon)


def group_norm(
    x: Tensor, num_groups: int, epsilon: float = 1e-5, weight: Tensor | None = None, bias: Tensor | None = None,
    data_format: str = "NCHW", name: str | None = None,
) -> Tensor:  # fmt: skip
    """Each sample's groups of channels brought to mean 0 and variance 1, then times weight [C] plus bias [C].

    x: [N, C, …], or with the channels last ('NHWC', 'NLC'). ValueError where the groups don't divide the channels.
    """
    table.check_float("group_norm", x)
    check.choice("group_norm(data_format)", data_format, ("NCHW", "NCL", "NCDHW", "NHWC", "NLC", "NDHWC"))
    if data_format[1] != "C":
        order = [0, len(x.shape) - 1, *range(1, len(x.shape) - 1)]
        back = [0, *range(2, len(x.shape)), 1]
        return group_norm(x.transpose(order), num_groups, epsilon, weight, bias).transpose(back)
    shape = list(x.shape)
    if len(shape) < 2 or num_groups < 1 or shape[1] % num_groups:
        given = f"{num_groups} groups for x of shape {shape}"
        raise check.ShapeError(check.message("group_norm", given, "a divisor of the channels"))
    parted = x.reshape([shape[0], num_groups, -1])
    found = _own(parted, (2,), epsilon).reshape(shape)
    wide = [1, shape[1], *[1] * (len(shape) - 2)]
    for t, function in ((weight, Tensor.multiply), (bias, Tensor.add)):
        if t is not None:
            found = function(found, t.reshape(wide))
    return found


def _own(x: Tensor, over: tuple[int, ...], epsilon: float) -> Tensor:
    """x brought to mean 0 and variance 1 over these axes."""
    values = x.data_array()
    mean = values.mean(axis=over, keepdims=True)
    var = ((values - mean) ** 2).mean(axis=over, keepdims=True)
    one = [1] * values.ndim
    factor, shift = (dense(np.full(one, fill, values.dtype)) for fill in (1, 0))
    return tape.call("normalised", x, factor, shift, axes=over, mean=mean, var=var, epsilon=epsilon)


def instance_norm(
    x: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None, weight: Tensor | None = None,
    bias: Tensor | None = None, use_input_stats: bool = True, momentum: float = 0.9, eps: float = 1e-5,
    data_format: str = "NCHW", name: str | None = None,
) -> Tensor:  # fmt: skip
    """Each channel of each sample [N, C, …] brought to mean 0 and variance 1, then times weight [C] plus bias [C].

    The running statistics, use_input_stats and momentum are Paddle's and change nothing there either.
    """
    if len(x.shape) < 3:
        raise check.ShapeError(check.message("instance_norm", f"x of shape {list(x.shape)}", "[N, C, …]"))
    return group_norm(x, x.shape[1], eps, weight, bias)


def local_response_norm(
    x: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0, data_format: str = "NCHW",
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """x / (k + alpha · the mean of x² over ``size`` neighbouring channels)^beta; x: [N, C, …], or with the channels last."""
    table.check_float("local_response_norm", x)
    count = check.positive_int("local_response_norm(size)", size)
    if len(x.shape) < 3:
        raise check.ShapeError(check.message("local_response_norm", f"x of shape {list(x.shape)}", "[N, C, …]"))
    axis = 1 if data_format[1] == "C" else len(x.shape) - 1
    pads = [(0, 0)] * len(x.shape)
    pads[axis] = (count // 2, (count - 1) // 2)
    squares = tape.call("pad", x.square(), pads=pads, mode="constant", value=0.0)
    windows = array_rows.unfold(squares, axis, count, 1).mean(-1)
    return x / (windows * alpha + k) ** float(beta)
