"""Activations of tensors of any shape; the arithmetic is the table's."""

from __future__ import annotations

from typing import Any

import numpy as np

from lenet.autograd import random, table, tape
from lenet.autograd.array_rows import minimum
from lenet.autograd.array_rows.activations import activation
from lenet.autograd.array_rows.methods import in_place
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.messages import check

__all__ = [
    "celu", "elu", "elu_", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh",
    "hardtanh_", "leaky_relu", "leaky_relu_", "log_sigmoid", "log_softmax", "logsigmoid", "maxout", "mish", "prelu", "relu",
    "relu6", "relu_", "rrelu", "selu", "sigmoid", "silu", "softmax", "softmax_", "softplus", "softshrink", "softsign",
    "swiglu", "swish", "tanh", "tanh_", "tanhshrink", "thresholded_relu", "thresholded_relu_",
]  # fmt: skip

_LOWEST = -64.0  # Paddle's bound on x - max(x) in softmax


def relu(x: Tensor, name: str | None = None) -> Tensor:
    """max(x, 0), any shape. NaN stays NaN; the gradient at 0 is 0."""
    return tape.call("relu", x)


def leaky_relu(x: Tensor, negative_slope: float = 0.01, name: str | None = None) -> Tensor:
    """negative_slope · x where x < 0, x elsewhere, any shape; the gradient at 0 is 1, as in Paddle."""
    table.check_float("leaky_relu", x)
    return activation("leaky_relu", x, slope=negative_slope)


def sigmoid(x: Tensor, name: str | None = None) -> Tensor:
    """1 / (1 + e^-x), any shape."""
    return tape.call("sigmoid", x)


def tanh(x: Tensor, name: str | None = None) -> Tensor:
    """Hyperbolic tangent, any shape."""
    return tape.call("tanh", x)


def elu(x: Tensor, alpha: float = 1.0, name: str | None = None) -> Tensor:
    """x where x > 0, alpha · (e^x - 1) elsewhere."""
    return activation("elu", x, alpha=alpha)


def celu(x: Tensor, alpha: float = 1.0, name: str | None = None) -> Tensor:
    """x where x > 0, alpha · (e^(x / alpha) - 1) elsewhere."""
    return activation("celu", x, alpha=alpha)


def selu(
    x: Tensor, scale: float = 1.0507009873554805, alpha: float = 1.6732632423543772, name: str | None = None
) -> Tensor:
    """scale · x where x > 0, scale · alpha · (e^x - 1) elsewhere."""
    return activation("selu", x, scale=scale, alpha=alpha)


def relu6(x: Tensor, name: str | None = None) -> Tensor:
    """x held between 0 and 6."""
    return activation("relu6", x)


def silu(x: Tensor, inplace: bool = False, name: str | None = None) -> Tensor:
    """x · sigmoid(x). inplace is Paddle's and changes nothing."""
    return activation("silu", x)


def swish(x: Tensor, name: str | None = None) -> Tensor:
    """x · sigmoid(x), which is ``silu``."""
    return activation("silu", x)


def mish(x: Tensor, name: str | None = None) -> Tensor:
    """x · tanh(log(1 + e^x))."""
    return activation("mish", x)


def hardswish(x: Tensor, name: str | None = None) -> Tensor:
    """x · (x + 3, held between 0 and 6) / 6."""
    return activation("hardswish", x)


def hardsigmoid(x: Tensor, slope: float = 0.1666667, offset: float = 0.5, name: str | None = None) -> Tensor:
    """slope · x + offset, held between 0 and 1."""
    return activation("hardsigmoid", x, slope=slope, offset=offset)


def hardtanh(x: Tensor, min: float = -1.0, max: float = 1.0, name: str | None = None) -> Tensor:
    """x held between min and max."""
    return activation("hardtanh", x, low=min, high=max)


def hardshrink(x: Tensor, threshold: float = 0.5, name: str | None = None) -> Tensor:
    """x where |x| > threshold, 0 elsewhere."""
    return activation("hardshrink", x, threshold=threshold)


def softshrink(x: Tensor, threshold: float = 0.5, name: str | None = None) -> Tensor:
    """x drawn towards 0 by threshold, 0 where it would cross."""
    return activation("softshrink", x, threshold=threshold)


def softplus(x: Tensor, beta: float = 1, threshold: float = 20, name: str | None = None) -> Tensor:
    """log(1 + e^(beta · x)) / beta; x itself where beta · x > threshold."""
    return activation("softplus", x, beta=beta, threshold=threshold)


def softsign(x: Tensor, name: str | None = None) -> Tensor:
    """x / (1 + |x|)."""
    return activation("softsign", x)


def tanhshrink(x: Tensor, name: str | None = None) -> Tensor:
    """x - tanh(x)."""
    return activation("tanhshrink", x)


def log_sigmoid(x: Tensor, name: str | None = None) -> Tensor:
    """log(1 / (1 + e^-x)), without overflow."""
    return activation("log_sigmoid", x)


def gelu(x: Tensor, approximate: bool | str = False, name: str | None = None) -> Tensor:
    """x times the normal distribution's cumulative share at x; approximate (True or 'tanh'): by a tanh, which is faster."""
    if isinstance(approximate, str):
        approximate = check.choice("gelu(approximate)", approximate, ("tanh", "none")) == "tanh"
    return activation("gelu", x, approximate=bool(approximate))


def prelu(x: Tensor, weight: Tensor, data_format: str = "NCHW", name: str | None = None) -> Tensor:
    """weight · x where x < 0, x elsewhere. weight: [1], or one a channel, [C] (data_format says which axis that is)."""
    channels = weight.size
    axis = len(x.shape) - 1 if data_format[-1] == "C" else 1
    if channels != 1 and (len(x.shape) < 2 or x.shape[axis] != channels):
        expected = f"1, or one a channel of x {list(x.shape)}"
        raise check.ShapeError(check.message("prelu(weight)", f"{channels} weights", expected))
    shape = [channels if i == axis and channels != 1 else 1 for i in range(len(x.shape))]
    return relu(x) + weight.reshape(shape if shape else [1]) * minimum(x, 0.0)


def glu(x: Tensor, axis: int = -1, name: str | None = None) -> Tensor:
    """The first half of x along an axis times the sigmoid of the second half."""
    first, second = x.split(2, axis)
    return first * sigmoid(second)


def softmax(x: Tensor, axis: int = -1, dtype: Any = None, name: str | None = None) -> Tensor:
    """e^x / Σ e^x along ``axis``; dtype: convert x to this first. As in Paddle, x - max(x) is held at -64 or above."""
    return tape.call("softmax", x if dtype is None else x.astype(dtype), axis=axis)


def log_softmax(x: Tensor, axis: int = -1, dtype: Any = None, name: str | None = None) -> Tensor:
    """log(softmax(x)) along ``axis``, computed without dividing; dtype and the bound of -64 as in ``softmax``."""
    x = x if dtype is None else x.astype(dtype)
    table.check_float("log_softmax", x)
    if not x.shape:
        return x - x.detach()
    axis = table.check_axis("log_softmax", axis, x.shape)
    values = x.data_array()
    with np.errstate(invalid="ignore"):
        top = values.max(axis=axis, keepdims=True, initial=-np.inf)
        lift = np.maximum(_LOWEST - (values - top), 0.0)
    # Subtracting a constant and lifting what lies below the bound change no gradient: the one cancels, the other is constant.
    shifted = x - to_tensor((top - np.where(np.isfinite(lift), lift, 0.0)).astype(values.dtype))
    return shifted - shifted.exp().sum(axis=axis, keepdim=True).log()


def thresholded_relu(x: Tensor, threshold: float = 1.0, value: float = 0.0, name: str | None = None) -> Tensor:
    """x where x > threshold, value elsewhere."""
    return activation("thresholded_relu", x, threshold=threshold, value=value)


def maxout(x: Tensor, groups: int, axis: int = 1, name: str | None = None) -> Tensor:
    """The largest of each ``groups`` neighbouring channels: the axis becomes so many times shorter."""
    at = table.check_axis("maxout", axis, x.shape)
    if groups < 1 or x.shape[at] % groups:
        given = f"{groups} groups of an axis of {x.shape[at]}"
        raise check.ShapeError(check.message("maxout", given, "a divisor"))
    parted = x.reshape([*x.shape[:at], x.shape[at] // groups, groups, *x.shape[at + 1 :]])
    return parted.take_along_axis(parted.argmax(at + 1, keepdim=True), at + 1, broadcast=False).squeeze(at + 1)


def rrelu(
    x: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = True, name: str | None = None
) -> Tensor:
    """x where x >= 0, a · x elsewhere; in training a is drawn between lower and upper, else it is their mean."""
    if not 0 <= lower <= upper <= 1:
        expected = "0 <= lower <= upper <= 1"
        raise ValueError(check.message("rrelu", f"lower {lower} and upper {upper}", expected))
    table.check_float("rrelu", x)
    if not training:
        return activation("leaky_relu", x, slope=(lower + upper) / 2)
    values = x.data_array()
    drawn: Any = random.generator().uniform(x.size, lower, upper)
    return x * to_tensor(np.where(values >= 0, 1, drawn.reshape(values.shape)).astype(values.dtype))


def gumbel_softmax(
    x: Tensor, temperature: float = 1.0, hard: bool = False, axis: int = -1, name: str | None = None
) -> Tensor:
    """softmax((x + Gumbel noise) / temperature); hard: the largest becomes 1, the others 0, with the soft one's gradient."""
    values = x.data_array()
    drawn: Any = random.generator().uniform(x.size, 0.0, 1.0)
    noise = -np.log(-np.log(np.clip(drawn.astype(np.float64), 1e-12, 1 - 1e-12)))
    soft = softmax((x + to_tensor(noise.reshape(values.shape).astype(values.dtype))) / temperature, axis)
    if not hard:
        return soft
    numbers = soft.data_array()
    ones = (numbers == numbers.max(axis=axis, keepdims=True)).astype(values.dtype)
    return soft + to_tensor(ones - numbers)


def swiglu(x: Tensor, y: Tensor | None = None, name: str | None = None) -> Tensor:
    """silu(x) · y; without y, the halves of x along its last axis."""
    first, second = (x, y) if y is not None else x.chunk(2, -1)
    return silu(first) * second


logsigmoid = log_sigmoid
elu_ = in_place(elu, "elu_")
hardtanh_ = in_place(hardtanh, "hardtanh_")
leaky_relu_ = in_place(leaky_relu, "leaky_relu_")
relu_ = in_place(relu, "relu_")
softmax_ = in_place(softmax, "softmax_")
tanh_ = in_place(tanh, "tanh_")
thresholded_relu_ = in_place(thresholded_relu, "thresholded_relu_")
