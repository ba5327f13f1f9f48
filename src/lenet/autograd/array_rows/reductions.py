"""Array rows that reduce an axis, several or all of them: a line each, and what is composed of them."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from lenet.autograd.array_rows.elementwise import sqrt
from lenet.autograd.array_rows.row import Array, axes, cast, floating, kept, no_out, reduction, tensor
from lenet.autograd.array_rows.row import array_row as _array_row
from lenet.autograd.table import Attrs
from lenet.autograd.tape import call
from lenet.autograd.tensor import Tensor, dense
from lenet.messages.check import describe, message

__all__ = ["all", "amax", "amin", "any", "logsumexp", "max", "mean", "min", "norm", "prod", "std", "sum", "var"]


def _shared(dy: Array, y: Array, x: Array, axis: Any) -> Array:
    hit = x == y
    return dy * hit / hit.sum(axis=axis, keepdims=True)


def _others(dy: Array, y: Array, x: Array, axis: Any) -> Array:
    """dy times the product of all the other elements, right with zeros among them."""
    over = tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else axis
    rest = tuple(i for i in range(x.ndim) if i not in over)
    flat = np.transpose(x, (*rest, *over)).reshape(*(x.shape[i] for i in rest), -1)
    ones = np.ones_like(flat[..., :1])
    before = np.cumprod(np.concatenate([ones, flat[..., :-1]], -1), -1)
    after = np.flip(np.cumprod(np.concatenate([ones, np.flip(flat, -1)[..., :-1]], -1), -1), -1)
    product = (before * after).reshape([x.shape[i] for i in (*rest, *over)])
    return dy * np.transpose(product, np.argsort((*rest, *over)))


def _safe_log_sum(x: Array, axis: Any, keepdim: bool) -> Array:
    top = x.max(axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0).astype(x.dtype)
    total = np.log(np.exp(x - top).sum(axis=axis, keepdims=True)) + top
    return total if keepdim else total.reshape(x.sum(axis=axis).shape)


_LONG = ("bool", "int32", "int64")  # what sums to int64; the others, as in Paddle, stay what they are

# name, forward(x, axis, keepdim), vjp(dy, y, x, axis) with dy and y ready to broadcast, what it is

_sum = reduction(
    "sum",
    lambda x, axis, keepdim: x.sum(axis=axis, keepdims=keepdim, dtype=np.int64 if x.dtype.name in _LONG else x.dtype),
    lambda dy, y, x, axis: dy,
    "",
)
_mean = reduction(
    "mean",
    lambda x, axis, keepdim: x.mean(axis=axis, keepdims=keepdim),
    lambda dy, y, x, axis: dy * (y.size / x.size),
    "",
    floats=True,
)
max = reduction(
    "max",
    lambda x, axis, keepdim: x.max(axis=axis, keepdims=keepdim),
    _shared,
    "The largest element over an axis, several, or all (None). Equal ones share the gradient.",
)
min = reduction(
    "min",
    lambda x, axis, keepdim: x.min(axis=axis, keepdims=keepdim),
    _shared,
    "The smallest element over an axis, several, or all (None). Equal ones share the gradient.",
)
amax, amin = max, min
_prod = reduction(
    "prod",
    lambda x, axis, keepdim: x.prod(axis=axis, keepdims=keepdim, dtype=np.int64 if x.dtype == np.bool_ else x.dtype),
    _others,
    "",
)
logsumexp = reduction(
    "logsumexp",
    _safe_log_sum,
    lambda dy, y, x, axis: dy * np.exp(x - y),
    "log Σ e^x over an axis, several, or all (None), without overflow.",
    floats=True,
)


def sum(
    x: Tensor, axis: Any = None, dtype: Any = None, keepdim: bool = False, name: str | None = None, *, out: None = None
) -> Tensor:
    """The sum over an axis, several, or all (None). int32, int64 and bools sum to int64; dtype: convert x to this first."""
    return _sum(x if dtype is None else cast(tensor("sum", x), dtype), axis, keepdim, out=out)


def mean(
    x: Tensor, axis: Any = None, keepdim: bool = False, name: str | None = None, *, dtype: Any = None, out: None = None
) -> Tensor:
    """The mean over an axis, several, or all (None). Whole numbers become the default float type first."""
    return _mean(x if dtype is None else cast(tensor("mean", x), dtype), axis, keepdim, out=out)


def prod(
    x: Tensor, axis: Any = None, keepdim: bool = False, dtype: Any = None, out: None = None, name: str | None = None
) -> Tensor:
    """The product over an axis, several, or all (None). dtype: convert x to this first."""
    return _prod(x if dtype is None else cast(tensor("prod", x), dtype), axis, keepdim, out=out)


def _truth(what: str, forward: Any, x: Tensor, axis: Any, keepdim: bool, out: None) -> Tensor:
    x = tensor(what, x)
    no_out(what, out)
    return dense(np.asarray(forward(x.data_array(), axis=axes(what, x, axis), keepdims=builtins.bool(keepdim))))


def all(x: Tensor, axis: Any = None, keepdim: bool = False, name: str | None = None, *, out: None = None) -> Tensor:
    """Whether all elements are True (not 0), over an axis, several, or all (None): a bool tensor."""
    return _truth("all", np.all, x, axis, keepdim, out)


def any(x: Tensor, axis: Any = None, keepdim: bool = False, name: str | None = None, *, out: None = None) -> Tensor:
    """Whether any element is True (not 0), over an axis, several, or all (None): a bool tensor."""
    return _truth("any", np.any, x, axis, keepdim, out)


# ---- spread --------------------------------------------------------------------------------------------------------------


def _count(x: Array, axis: Any) -> int:
    over = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return math.prod(x.shape[i] for i in over)


def _var(x: Array, axis: Any, keepdim: bool, less: float) -> Array:
    away = x - x.mean(axis=axis, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((away * away).sum(axis=axis, keepdims=keepdim) / x.dtype.type(_count(x, axis) - less))


def _var_gradient(dy: Array, y: Array, a: tuple[Array], at: Attrs) -> tuple[Array]:
    x, axis = a[0], at["axis"]
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = 2 / x.dtype.type(_count(x, axis) - at["less"])
        return (kept(dy, x, axis, at["keepdim"]) * (x - x.mean(axis=axis, keepdims=True)) * factor,)


_array_row("var", _var, _var_gradient)


def var(
    x: Tensor, axis: Any = None, unbiased: bool | None = None, keepdim: bool = False, name: str | None = None,
    *, correction: float = 1,
) -> Tensor:  # fmt: skip
    """The variance over an axis, several, or all (None): Σ(x - mean)² / (n - 1), or / n with unbiased=False.

    correction: what is taken from n instead of 1. NaN where nothing is left to divide by, as for one element.
    """
    x = floating(x, "var")
    less = correction if unbiased is None else float(unbiased)
    return call("var", x, axis=axes("var", x, axis), keepdim=builtins.bool(keepdim), less=float(less))


def std(x: Tensor, axis: Any = None, unbiased: bool = True, keepdim: bool = False, name: str | None = None) -> Tensor:
    """The standard deviation over an axis, several, or all (None): the root of ``var``."""
    return sqrt(var(x, axis, unbiased, keepdim))


# ---- norms ---------------------------------------------------------------------------------------------------------------


def _norm(x: Array, p: float, axis: Any, keepdim: bool) -> Array:
    size = np.abs(x)
    if math.isinf(p):
        return np.asarray((np.max if p > 0 else np.min)(size, axis=axis, keepdims=keepdim))
    if p == 0:
        return np.asarray((x != 0).sum(axis=axis, keepdims=keepdim).astype(x.dtype))
    if p == 2:
        return np.asarray(np.sqrt((x * x).sum(axis=axis, keepdims=keepdim)))
    return np.asarray((size**p).sum(axis=axis, keepdims=keepdim) ** x.dtype.type(1 / p))


def _norm_gradient(dy: Array, y: Array, a: tuple[Array], at: Attrs) -> tuple[Array]:
    x, p = a[0], at["p"]
    dy, y = (kept(g, x, at["axis"], at["keepdim"]) for g in (dy, y))
    if p == 0:
        return (np.zeros_like(x),)
    if math.isinf(p):
        return (dy * np.sign(x) * (np.abs(x) == y),)
    safe = np.where(y == 0, 1, y)  # at 0 the gradient is 0
    if p == 2:
        return (dy * x / safe,)
    size = np.where(x == 0, 1, np.abs(x))
    return (dy * np.sign(x) * size ** (p - 1) * safe ** (1 - p) * (y != 0),)


_array_row("norm", _norm, _norm_gradient)


def _singular_gradient(dy: Array, y: Array, a: tuple[Array], _: Attrs) -> tuple[Array]:
    u, _s, v = np.linalg.svd(a[0], full_matrices=False)
    return ((u * dy[..., None, :]) @ v,)


_array_row("singular_values", lambda x: np.linalg.svd(x, compute_uv=False), _singular_gradient)


def _matrix_norm(x: Tensor, p: float | str, rows: int, columns: int, keepdim: bool) -> Tensor:
    rest = [i for i in range(len(x._shape)) if i not in (rows, columns)]
    x = call("transpose", x, perm=(*rest, rows, columns))
    found: Tensor
    if p == "nuc" or builtins.abs(float(p)) == 2:
        values = call("singular_values", x)
        found = sum(values, -1) if p == "nuc" else (max if float(p) > 0 else min)(values, -1)
    else:  # 1: the largest sum of a column; infinity: of a row
        total = sum(call("abs", x), -2 if builtins.abs(float(p)) == 1 else -1)
        found = (max if float(p) > 0 else min)(total, -1)
    if keepdim:
        lengths = list(found._shape)
        for at in sorted((rows, columns)):
            lengths.insert(at, 1)
        found = call("reshape", found, shape=tuple(lengths))
    return found


def norm(
    x: Tensor, p: Any = None, axis: Any = None, keepdim: bool = False, out: None = None, dtype: Any = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """(Σ|x|^p)^(1/p) of the vectors along an axis, or of all elements as one vector (axis None).

    p: a number, infinities included (then max|x| or min|x|; 0 counts what isn't 0); None and 'fro' mean 2, over any axes.
    With two axes and a number, or 'nuc', the norm of matrices: ±1 of column sums, ±inf of row sums, ±2 of singular
    values, 'nuc' their sum (ValueError for another). dtype: convert x to this first.
    """
    x = floating(x if dtype is None else cast(tensor("norm", x), dtype), "norm")
    no_out("norm", out)
    over, keepdim = axes("norm", x, axis), builtins.bool(keepdim)
    if p is None or p == "fro":
        return call("norm", x, p=2.0, axis=over, keepdim=keepdim)
    of_matrices = isinstance(over, tuple) and len(over) == 2
    if of_matrices and p in ("nuc", 1, -1, 2, -2, math.inf, -math.inf):
        return _matrix_norm(x, p, over[0], over[1], keepdim)
    if of_matrices or isinstance(p, (str, builtins.bool)) or not isinstance(p, (int, float, np.floating, np.integer)):
        given = repr(p) if isinstance(p, str) else describe(p)
        expected = "1, -1, 2, -2, inf, -inf, 'fro' or 'nuc' for matrices" if of_matrices else "a number, 'fro' or None"
        raise ValueError(message("norm(p)", given, expected))
    return call("norm", x, p=float(p), axis=over, keepdim=keepdim)
