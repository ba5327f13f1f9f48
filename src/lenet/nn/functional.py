"""The operations as plain functions, without parameters of their own (Paddle: ``paddle.nn.functional``, usually ``F``).

Each is one call into the table of operations (``autograd.table``), or a short composition where the table has no such row; the
latter always runs eagerly. Only what needs no look at the numbers is checked here; shapes are the table's business.
Images are float32 [N, C, H, W]. ``name`` is Paddle's and changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lenet.autograd import random, table, tape
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.messages import check
from lenet.nn import _window

__all__ = [
    "adaptive_avg_pool2d",
    "adaptive_max_pool2d",
    "avg_pool2d",
    "conv2d",
    "cross_entropy",
    "dropout",
    "dropout2d",
    "leaky_relu",
    "linear",
    "log_softmax",
    "max_pool2d",
    "relu",
    "sigmoid",
    "softmax",
    "tanh",
]

_REDUCTIONS = ("mean", "sum", "none")
_LOWEST = -64.0  # Paddle's bound on x - max(x) in softmax
DROPOUT_MODES = ("upscale_in_train", "downscale_in_infer")


# ---- activations -------------------------------------------------------------------------------------------------------


def relu(x: Tensor, name: str | None = None) -> Tensor:
    """max(x, 0), any shape. NaN stays NaN; the gradient at 0 is 0."""
    return tape.call("relu", x)


def leaky_relu(x: Tensor, negative_slope: float = 0.01, name: str | None = None) -> Tensor:
    """negative_slope · x where x < 0, x elsewhere, any shape; the gradient at 0 is 1, as in Paddle."""
    table.check_float("leaky_relu", x)
    return x * to_tensor(np.where(x.data_array() < 0, negative_slope, 1.0).astype(x.dtype.numpy))


def sigmoid(x: Tensor, name: str | None = None) -> Tensor:
    """1 / (1 + e^-x), any shape."""
    return tape.call("sigmoid", x)


def tanh(x: Tensor, name: str | None = None) -> Tensor:
    """Hyperbolic tangent, any shape."""
    return tape.call("tanh", x)


# ---- windows -----------------------------------------------------------------------------------------------------------


def conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    data_format: str = "NCHW",
    name: str | None = None,
) -> Tensor:
    """Cross-correlation of x [N, C, H, W] with weight [O, C/groups, kh, kw], plus bias [O]: [N, O, H', W'].

    stride, dilation: n or [h, w]. padding: see ``_window.parse_padding``. ValueError for what does not fit.
    """
    _window.only_nchw("conv2d", data_format)
    attrs = conv_attrs("conv2d", stride, padding, dilation, groups)
    kernel = (weight.shape[2], weight.shape[3]) if isinstance(weight, Tensor) and len(weight.shape) == 4 else (1, 1)
    return tape.call("conv2d", x, weight, bias, **_window.resolved(attrs, _shape(x), kernel))


def conv_attrs(what: str, stride: Any, padding: Any, dilation: Any, groups: int) -> dict[str, Any]:
    """The table's attributes of a convolution; its padding may be "SAME", which ``_window.resolved`` settles."""
    sides = _window.parse_padding(f"{what}(padding)", padding)
    spread = _window.pair(f"{what}(dilation)", dilation)
    return {
        "stride": _window.pair(f"{what}(stride)", stride),
        "padding": sides,
        "dilation": (1, 1) if sides == "SAME" else spread,  # Paddle's rule
        "groups": check.positive_int(f"{what}(groups)", groups),
    }


def max_pool2d(
    x: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    return_mask: bool = False,
    ceil_mode: bool = False,
    data_format: str = "NCHW",
    name: str | None = None,
) -> Any:
    """The largest value of each window of x [N, C, H, W]; padded cells never win, NaN always does.

    kernel_size, stride (None: the kernel), padding: n or [h, w]; padding also as in ``conv2d``, and smaller than the kernel.
    With return_mask a pair: the result and, int32, each winner's place in its H·W image (the first of equals).
    """
    _window.only_nchw("max_pool2d", data_format)
    return run_max_pool(x, pool_attrs("max_pool2d", kernel_size, stride, padding, ceil_mode), return_mask)


def avg_pool2d(
    x: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    exclusive: bool = True,
    divisor_override: float | None = None,
    data_format: str = "NCHW",
    name: str | None = None,
) -> Tensor:
    """The mean of each window of x [N, C, H, W]; windows as in ``max_pool2d``.

    exclusive: divide by the number of real cells, else by the kernel's. divisor_override: divide by this whole number instead.
    """
    _window.only_nchw("avg_pool2d", data_format)
    attrs = pool_attrs("avg_pool2d", kernel_size, stride, padding, ceil_mode)
    return run_avg_pool(x, attrs | avg_attrs("avg_pool2d", exclusive, divisor_override))


def pool_attrs(what: str, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool) -> dict[str, Any]:
    """The attributes that both poolings share; the padding may be "SAME", which ``_window.resolved`` settles."""
    kernel = _window.pair(f"{what}(kernel_size)", kernel_size)
    sides = _window.parse_padding(f"{what}(padding)", padding)
    if isinstance(padding, str) and ceil_mode and padding.upper() == "VALID":
        raise ValueError(check.message(what, "padding='VALID' with ceil_mode=True", "only one of the two"))
    if not isinstance(sides, str) and (max(sides[:2]) >= kernel[0] or max(sides[2:]) >= kernel[1]):
        # A window that sees padding alone would have nothing to take the maximum or mean of.
        raise ValueError(check.message(f"{what}(padding)", padding, f"less than the kernel, {list(kernel)}"))
    return {
        "kernel": kernel,
        "stride": kernel if stride is None else _window.pair(f"{what}(stride)", stride),
        "padding": sides,
        "ceil_mode": bool(ceil_mode),
    }


def avg_attrs(what: str, exclusive: bool, divisor_override: float | None) -> dict[str, Any]:
    """The two attributes that only average pooling has."""
    if divisor_override is not None and (divisor_override < 1 or divisor_override != int(divisor_override)):
        expected = "a whole number of at least 1, or None"
        raise ValueError(check.message(f"{what}(divisor_override)", divisor_override, expected))
    return {"exclusive": bool(exclusive), "divisor": None if divisor_override is None else int(divisor_override)}


def run_max_pool(x: Tensor, attrs: dict[str, Any], return_mask: bool) -> Any:
    """``max_pool2d`` with attributes that are already in the table's form."""
    if attrs["padding"] == "SAME":
        attrs = _window.resolved(attrs, _shape(x), attrs["kernel"])
    pooled = tape.call("max_pool2d", x, **attrs)
    return (pooled, to_tensor(_winners(x.data_array(), pooled.shape[2:], attrs))) if return_mask else pooled


def run_avg_pool(x: Tensor, attrs: dict[str, Any]) -> Tensor:
    """``avg_pool2d`` with attributes that are already in the table's form."""
    if attrs["padding"] == "SAME":
        attrs = _window.resolved(attrs, _shape(x), attrs["kernel"])
    return tape.call("avg_pool2d", x, **attrs)


def _winners(images: np.ndarray[Any, Any], out: Sequence[int], attrs: dict[str, Any]) -> np.ndarray[Any, Any]:
    """For images [N, C, H, W] the flat H·W index (int32) of each pooling window's first maximum: [N, C, *out]."""
    (kh, kw), (sh, sw), (top, _, left, _) = attrs["kernel"], attrs["stride"], attrs["padding"]
    n, c, height, width = images.shape
    rows, cols = (out[0] - 1) * sh + kh, (out[1] - 1) * sw + kw
    inside = images[:, :, : max(rows - top, 0), : max(cols - left, 0)]
    field = np.full((n, c, rows, cols), -np.inf, images.dtype)
    field[:, :, top : top + inside.shape[2], left : left + inside.shape[3]] = inside
    windows = np.lib.stride_tricks.sliding_window_view(field, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    first = windows.reshape(n, c, *out, kh * kw).argmax(axis=-1)
    row = first // kw + np.arange(out[0])[:, None] * sh - top
    col = first % kw + np.arange(out[1]) * sw - left
    return (row * width + col).astype(np.int32)


def adaptive_avg_pool2d(x: Tensor, output_size: Any, data_format: str = "NCHW", name: str | None = None) -> Tensor:
    """Mean pooling of x [N, C, H, W] to [N, C, *output_size]; each output size has to divide the image's (ValueError).

    output_size: n or [h, w]; None in the list keeps that size.
    """
    _window.only_nchw("adaptive_avg_pool2d", data_format)
    return run_avg_pool(x, adaptive_attrs("adaptive_avg_pool2d", x, output_size) | avg_attrs("", True, None))


def adaptive_max_pool2d(x: Tensor, output_size: Any, return_mask: bool = False, name: str | None = None) -> Any:
    """Max pooling of x [N, C, H, W] to [N, C, *output_size], as ``adaptive_avg_pool2d``; return_mask as ``max_pool2d``."""
    return run_max_pool(x, adaptive_attrs("adaptive_max_pool2d", x, output_size), return_mask)


def output_pair(what: str, output_size: Any) -> tuple[int | None, int | None]:
    """An adaptive pooling's output size as (height, width), each at least 1 or None; TypeError, ValueError otherwise."""
    both = (
        list(output_size)
        if isinstance(output_size, Sequence) and not isinstance(output_size, str)
        else [output_size] * 2
    )
    if len(both) != 2:
        raise ValueError(check.message(f"{what}(output_size)", output_size, "a whole number or [height, width]"))
    height, width = (None if n is None else check.positive_int(f"{what}(output_size)", n) for n in both)
    return height, width


def adaptive_attrs(what: str, x: Tensor, output_size: Any) -> dict[str, Any]:
    """The ordinary pooling that brings x [N, C, H, W] to ``output_size``."""
    wanted, shape = output_pair(what, output_size), _shape(x)
    if len(shape) != 4:
        raise check.ShapeError(check.message(what, f"images of shape {shape}", "4 dimensions, [N, C, H, W]"))
    window: list[int] = []
    for size, out in zip(shape[2:], wanted, strict=True):
        if out is not None and (out > size or size % out):
            fix = "Choose an output size that divides the image's"
            raise check.ShapeError(
                check.message(what, f"output {list(wanted)} of images {shape[2:]}", "a divisor", fix)
            )
        window.append(size // (out or size))
    return pool_attrs(what, window, None, 0, False)


# ---- linear, dropout ---------------------------------------------------------------------------------------------------


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, name: str | None = None) -> Tensor:
    """x [..., I] @ weight [I, O] + bias [O]: [..., O]. The weight stands as [in, out]."""
    return tape.call("linear", x, weight, bias)


def dropout(
    x: Tensor,
    p: float = 0.5,
    axis: int | Sequence[int] | None = None,
    training: bool = True,
    inplace: bool = False,
    mode: str = "upscale_in_train",
    name: str | None = None,
) -> Tensor:
    """x with each entry zeroed with probability p (0 to 1) while training; draws from ``lenet.seed``'s stream.

    axis: draw one number for each index along these axes instead of one an entry. mode: 'upscale_in_train' divides what is
    kept by 1 - p and leaves evaluation alone; 'downscale_in_infer' multiplies by 1 - p in evaluation. inplace: ignored.
    """
    p = drop_probability("dropout", p)
    check.choice("dropout(mode)", mode, DROPOUT_MODES)
    if p == 0.0:
        return x
    if axis is None or not training:
        return tape.call("dropout", x, p=p, training=bool(training), mode=mode)
    shape = _mask_shape(_shape(x), axis)
    keep = random.generator().uniform(math.prod(shape), 0.0, 1.0).reshape(shape) >= np.float32(p)
    scale = 1.0 if mode == "downscale_in_infer" else 0.0 if p == 1.0 else 1.0 / (1.0 - p)
    return x * to_tensor(keep.astype(np.float32) * np.float32(scale))


def dropout2d(
    x: Tensor, p: float = 0.5, training: bool = True, data_format: str = "NCHW", name: str | None = None
) -> Tensor:
    """Dropout of whole channels of x [N, C, H, W]: what is zeroed is zero over the whole image."""
    _window.only_nchw("dropout2d", data_format)
    if len(_shape(x)) != 4:
        raise check.ShapeError(check.message("dropout2d", f"images of shape {_shape(x)}", "4 dimensions, [N, C, H, W]"))
    return dropout(x, p, axis=[0, 1], training=training)


def _mask_shape(shape: list[int], axis: int | Sequence[int]) -> list[int]:
    """``shape`` with 1 for every dimension that is not in ``axis``; TypeError, ValueError for axes that x has not."""
    axes = list(axis) if isinstance(axis, Sequence) else [axis]
    if isinstance(axis, str) or not all(hasattr(a, "__index__") for a in axes):
        raise TypeError(check.message("dropout(axis)", check.describe(axis), "a whole number or a list of them"))
    if not axes or not all(0 <= a < len(shape) for a in axes):
        expected = f"numbers from 0 to {len(shape) - 1}"
        raise ValueError(check.message("dropout(axis)", axis, expected, f"x has {len(shape)} dimensions"))
    return [n if i in axes else 1 for i, n in enumerate(shape)]


def drop_probability(what: str, p: Any) -> float:
    """``p`` as a float from 0 to 1; TypeError, ValueError otherwise."""
    if not isinstance(p, (int, float, np.floating)):
        raise TypeError(check.message(f"{what}(p)", check.describe(p), "a number from 0 to 1"))
    if not 0 <= p <= 1:
        raise ValueError(check.message(f"{what}(p)", p, "a number from 0 to 1"))
    return float(p)


# ---- softmax and the loss ----------------------------------------------------------------------------------------------


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


def cross_entropy(
    input: Tensor,
    label: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    soft_label: bool = False,
    axis: int = -1,
    use_softmax: bool = True,
    label_smoothing: float = 0.0,
    name: str | None = None,
) -> Tensor:
    """-log of the probability given to the right class. input: logits [N, C], or [.., C, ..] with ``axis`` naming C.

    label: class numbers [N] or [N, 1] (integers), or with soft_label probabilities of input's shape. weight: [C], a factor
    a class; the mean is then Σ w·l / Σ w. ignore_index: this label adds no loss. reduction: 'mean' and 'sum' give a 0-D
    tensor, 'none' one of the label's shape. use_softmax=False: input holds probabilities already. label_smoothing ε, 0 to 1: the
    target becomes (1 - ε)·label + ε/C.
    """
    attrs = loss_attrs("cross_entropy", ignore_index, reduction, soft_label, axis, use_softmax, label_smoothing)
    return run_cross_entropy(input, label, weight, attrs)


def loss_attrs(
    what: str,
    ignore_index: int,
    reduction: str,
    soft_label: bool,
    axis: int,
    use_softmax: bool,
    label_smoothing: float,
) -> dict[str, Any]:
    """The table's attributes of ``cross_entropy`` but for the class weights."""
    if not isinstance(label_smoothing, (int, float, np.floating)) or not 0 <= label_smoothing <= 1:
        given = check.describe(label_smoothing)
        raise ValueError(check.message(f"{what}(label_smoothing)", given, "a number from 0 to 1"))
    for name, number in (("ignore_index", ignore_index), ("axis", axis)):
        if isinstance(number, bool) or not hasattr(number, "__index__"):
            raise TypeError(check.message(f"{what}({name})", check.describe(number), "a whole number"))
    return {
        "ignore_index": int(ignore_index),
        "reduction": check.choice(f"{what}(reduction)", reduction, _REDUCTIONS),
        "soft_label": bool(soft_label),
        "axis": int(axis),
        "use_softmax": bool(use_softmax),
        "label_smoothing": float(label_smoothing),
    }


def check_loss_tensor(name: str, value: Any, optional: bool = False) -> None:
    """TypeError unless ``value`` is a Tensor, or None where that is allowed."""
    if not isinstance(value, Tensor) and not (optional and value is None):
        fix = f"Type lenet.to_tensor({name})"
        raise TypeError(check.message(f"cross_entropy({name})", check.describe(value), "a lenet Tensor", fix))


def run_cross_entropy(input: Tensor, label: Tensor, weight: Tensor | None, attrs: dict[str, Any]) -> Tensor:
    """``cross_entropy`` with attributes that are already in the table's form."""
    check_loss_tensor("label", label)
    check_loss_tensor("weight", weight, optional=True)
    return tape.call("cross_entropy", input, label, weight=weight, **attrs)


def _shape(x: Any) -> list[int]:
    """x's shape as a plain list; empty for what has none (the table then says what was wrong)."""
    return list(getattr(x, "shape", ()))
