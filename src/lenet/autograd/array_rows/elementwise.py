"""Array rows of one operand, element by element: a line each. Read by ``array_rows`` and, for activations, by ``nn``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lenet.autograd.array_rows.arithmetic import add, multiply
from lenet.autograd.array_rows.row import array_row, axes, cast, floating, tensor, unary
from lenet.autograd.tape import call
from lenet.autograd.tensor import Tensor, dense, to_tensor
from lenet.messages.check import describe, message

__all__ = [
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "assign",
    "atan",
    "atanh",
    "cast",
    "ceil",
    "clamp",
    "clip",
    "clone",
    "cos",
    "cosh",
    "erf",
    "exp",
    "expm1",
    "floor",
    "increment",
    "isfinite",
    "isinf",
    "isnan",
    "log",
    "log1p",
    "log2",
    "log10",
    "logical_not",
    "neg",
    "reciprocal",
    "round",
    "rsqrt",
    "scale",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
    "trunc",
]  # fmt: skip

# name, numpy function, vjp(dy, y, x), what it is

exp = unary("exp", np.exp, lambda dy, y, x: dy * y, "e to the power of x.")
expm1 = unary("expm1", np.expm1, lambda dy, y, x: dy * (y + 1), "e to the power of x, minus 1.")
log = unary("log", np.log, lambda dy, y, x: dy / x, "The natural logarithm of x.")
log2 = unary("log2", np.log2, lambda dy, y, x: dy / (x * math.log(2)), "The logarithm of x to base 2.")
log10 = unary("log10", np.log10, lambda dy, y, x: dy / (x * math.log(10)), "The logarithm of x to base 10.")
log1p = unary("log1p", np.log1p, lambda dy, y, x: dy / (1 + x), "The natural logarithm of 1 + x.")
sqrt = unary("sqrt", np.sqrt, lambda dy, y, x: dy / (2 * y), "The square root of x.")
rsqrt = unary("rsqrt", lambda x: 1 / np.sqrt(x), lambda dy, y, x: -dy * y / (2 * x), "1 over the square root of x.")
reciprocal = unary("reciprocal", np.reciprocal, lambda dy, y, x: -dy * y * y, "1 / x.")
sin = unary("sin", np.sin, lambda dy, y, x: dy * np.cos(x), "The sine of x, in radians.")
cos = unary("cos", np.cos, lambda dy, y, x: -dy * np.sin(x), "The cosine of x, in radians.")
tan = unary("tan", np.tan, lambda dy, y, x: dy * (1 + y * y), "The tangent of x, in radians.")
asin = unary("asin", np.arcsin, lambda dy, y, x: dy / np.sqrt(1 - x * x), "The arcsine of x, in radians.")
acos = unary("acos", np.arccos, lambda dy, y, x: -dy / np.sqrt(1 - x * x), "The arccosine of x, in radians.")
atan = unary("atan", np.arctan, lambda dy, y, x: dy / (1 + x * x), "The arctangent of x, in radians.")
sinh = unary("sinh", np.sinh, lambda dy, y, x: dy * np.cosh(x), "The hyperbolic sine of x.")
cosh = unary("cosh", np.cosh, lambda dy, y, x: dy * np.sinh(x), "The hyperbolic cosine of x.")
asinh = unary("asinh", np.arcsinh, lambda dy, y, x: dy / np.sqrt(x * x + 1), "The inverse of sinh.")
acosh = unary("acosh", np.arccosh, lambda dy, y, x: dy / np.sqrt(x * x - 1), "The inverse of cosh.")
atanh = unary("atanh", np.arctanh, lambda dy, y, x: dy / (1 - x * x), "The inverse of tanh.")
erf = unary(
    "erf",
    np.frompyfunc(math.erf, 1, 1),  # numpy has none; element by element, so not fast
    lambda dy, y, x: dy * (2 / math.sqrt(math.pi)) * np.exp(-x * x),
    "The error function of x.",
)
neg = unary("neg", np.negative, lambda dy, y, x: -dy, "-x.", whole="keep")
abs = unary("abs", np.abs, lambda dy, y, x: dy * np.sign(x), "The absolute value of x.", whole="keep")
square = unary("square", np.square, lambda dy, y, x: 2 * dy * x, "x · x.", whole="keep")
sign = unary("sign", np.sign, None, "-1, 0 or 1, as x is below, at or above 0. The gradient is 0.", whole="keep")
ceil = unary("ceil", np.ceil, None, "x rounded up. The gradient is 0.", whole="same")
floor = unary("floor", np.floor, None, "x rounded down. The gradient is 0.", whole="same")
trunc = unary("trunc", np.trunc, None, "x rounded towards 0. The gradient is 0.", whole="same")


def tanh(x: Tensor, name: str | None = None) -> Tensor:
    """The hyperbolic tangent of x; the engine's own row, so a plan can run it."""
    return call("tanh", floating(x))


array_row("round", lambda x, decimals: np.round(x, decimals), lambda dy, y, a, at: (np.zeros_like(a[0]),))


def round(x: Tensor, decimals: int = 0, name: str | None = None) -> Tensor:
    """x rounded to so many decimals, halves to the even digit. The gradient is 0."""
    x = tensor("round", x)
    return call("round", x, decimals=int(decimals)) if x._dtype.kind == "f" else x


array_row(
    "clip",
    lambda x, low, high: np.clip(x, low, high),
    lambda dy, y, a, at: (dy * ((a[0] >= at["low"]) & (a[0] <= at["high"])),),
)


def clip(x: Tensor, min: Any = None, max: Any = None, name: str | None = None) -> Tensor:
    """x held between min and max, numbers or tensors of one; None leaves a side open."""
    x = tensor("clip", x)
    low, high = (_bound(side, value, x) for side, value in (("min", min), ("max", max)))
    if x._dtype.kind in "iu":
        limits = np.iinfo(x._dtype)
        low, high = builtin_max(low, limits.min), builtin_min(high, limits.max)
        if low != int(low) or high != int(high):
            raise ValueError(message("clip", f"bounds {low} and {high} for {x._dtype}", "whole numbers"))
        low, high = int(low), int(high)
    return call("clip", x, low=low, high=high)


clamp = clip


def builtin_max(a: float, b: float) -> float:
    """The larger of two numbers; ``max`` is an argument's name where this is needed."""
    return a if a >= b else b


def builtin_min(a: float, b: float) -> float:
    """The smaller of two numbers."""
    return a if a <= b else b


def _bound(side: str, value: Any, x: Tensor) -> float:
    if value is None:
        return -math.inf if side == "min" else math.inf
    if isinstance(value, Tensor):
        value = value.data_array()
    if np.size(value) != 1 or isinstance(value, str):
        raise ValueError(message(f"clip({side})", describe(value), "a number, a tensor of one number or None"))
    found = np.reshape(value, ()).item()
    return float(found) if x._dtype.kind == "f" else found


def scale(
    x: Tensor,
    scale: Any = 1.0,
    bias: float = 0.0,
    bias_after_scale: bool = True,
    act: str | None = None,
    name: str | None = None,
) -> Tensor:
    """scale · x + bias, or scale · (x + bias) with bias_after_scale=False, in x's own type. act: None alone (ValueError)."""
    if act is not None:
        raise ValueError(message("scale(act)", repr(act), "None", f"Type nn.functional.{act}(lenet.scale(x, …))"))
    factor, shift = (
        cast(v, x._dtype) if isinstance(v, Tensor) else dense(np.array(v).astype(x._dtype)) for v in (scale, bias)
    )
    return add(multiply(x, factor), shift) if bias_after_scale else multiply(add(x, shift), factor)


def increment(x: Tensor, value: float = 1.0, name: str | None = None) -> Tensor:
    """x + value written into x, a tensor of one element (ValueError for more). Returns x."""
    if x.size != 1:
        raise ValueError(message("increment", f"a tensor of shape {list(x._shape)}", "a tensor of one element"))
    x._write(x.data_array() + np.array(value).astype(x._dtype))
    return x


def clone(x: Tensor, name: str | None = None) -> Tensor:
    """A copy of x that keeps its place in the graph: gradients flow through."""
    return multiply(x, 1)


def assign(x: Any, output: Tensor | None = None) -> Tensor:
    """A copy of x (a Tensor, ndarray, number or list), or x written into ``output`` of the same shape; gradients flow."""
    copy = clone(x) if isinstance(x, Tensor) and x._dtype != np.bool_ else to_tensor(x)
    if output is None:
        return copy
    output._check_writable()
    output._data, output._shape, output._dtype = copy.data_array(), copy._shape, copy._dtype
    output._lanes = output._few = None
    output._node, output.stop_gradient = copy._node, copy.stop_gradient
    return output


def test(name: str, forward: Any, doc: str) -> Any:
    def function(x: Tensor, name: str | None = None) -> Tensor:
        return dense(np.asarray(forward(tensor(what, x).data_array())))

    what = name
    function.__name__ = function.__qualname__ = name
    function.__module__, function.__doc__ = "lenet.autograd.array_rows", doc
    return function


isnan = test("isnan", np.isnan, "True where x is NaN: a bool tensor.")
isinf = test("isinf", np.isinf, "True where x is infinite: a bool tensor.")
isfinite = test("isfinite", np.isfinite, "True where x is neither infinite nor NaN: a bool tensor.")
logical_not = test("logical_not", np.logical_not, "True where x is 0 or False: a bool tensor.")


# ---- along an axis, shape kept -------------------------------------------------------------------------------------------

array_row(
    "cumsum",
    lambda x, axis: np.cumsum(x, axis, dtype=np.int64 if x.dtype.kind in "bi" else x.dtype),
    lambda dy, y, a, at: (np.flip(np.cumsum(np.flip(dy, at["axis"]), at["axis"]), at["axis"]),),
)


def cumsum(x: Tensor, axis: int | None = None, dtype: Any = None, name: str | None = None) -> Tensor:
    """The running sum along an axis, or of the flat tensor (None). dtype: convert x to this first."""
    x = tensor("cumsum", x) if dtype is None else cast(tensor("cumsum", x), dtype)
    if axis is None or not x._shape:
        x, axis = call("reshape", x, shape=(-1,)), 0
    return call("cumsum", x, axis=axes("cumsum", x, axis))


__all__ += ["cumsum"]
