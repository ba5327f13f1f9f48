"""Array rows along an axis that keep its length or nearly so: running products, maxima and sums of exponentials, differences."""

from __future__ import annotations

from typing import Any

import numpy as np

from lenet.autograd import dtype as _dtype
from lenet.autograd.array_rows.arithmetic import multiply, subtract
from lenet.autograd.array_rows.elementwise import cumsum
from lenet.autograd.array_rows.reductions import sum as _sum
from lenet.autograd.array_rows.row import Array, array_row, cast, floating, no_out, tensor, whole
from lenet.autograd.array_rows.shapes import concat, reshape
from lenet.autograd.table import Attrs, check_axis
from lenet.autograd.tape import call
from lenet.autograd.tensor import Tensor, dense
from lenet.messages.check import message

__all__ = ["cummax", "cummin", "cumprod", "cumulative_trapezoid", "diff", "logcumsumexp", "trapezoid"]


def _tail_sums(x: Array, axis: int) -> Array:
    return np.flip(np.cumsum(np.flip(x, axis), axis), axis)


def _cumprod_gradient(dy: Array, y: Array, a: tuple[Array], at: Attrs) -> tuple[Array]:
    """Σ over j ≥ i of dy_j · the product of the first j without the i-th, right with zeros among them."""
    axis = at["axis"]
    x = a[0]
    if not (x == 0).any():
        return (_tail_sums(dy * y, axis) / x,)
    line, slope = (np.moveaxis(v, axis, -1) for v in (x, dy))
    out = np.zeros_like(line)
    before = np.ones_like(line[..., 0])
    for i in range(line.shape[-1]):
        after = np.cumprod(np.concatenate([np.ones_like(line[..., :1]), line[..., i + 1 :]], -1), -1)
        out[..., i] = before * (after * slope[..., i:]).sum(-1)
        before = before * line[..., i]
    return (np.moveaxis(out, -1, axis),)


array_row("cumprod", lambda x, axis: np.cumprod(x, axis, dtype=x.dtype), _cumprod_gradient)


def cumprod(x: Tensor, dim: Any = None, *, dtype: Any = None, out: None = None, name: str | None = None) -> Tensor:
    """The running product along an axis, or of the flat tensor (None). dtype: convert x to this first."""
    no_out("cumprod", out)
    x = tensor("cumprod", x) if dtype is None else cast(tensor("cumprod", x), dtype)
    if dim is None or not x._shape:
        x, dim = (reshape(x, [-1]) if dim is None else x), 0
        if not x._shape:
            return multiply(x, 1)
    return call("cumprod", x, axis=check_axis("cumprod(dim)", dim, x._shape))


def _logcumsumexp(x: Array, axis: int) -> Array:
    return np.asarray(np.logaddexp.accumulate(x, axis, dtype=x.dtype))


def _logcumsumexp_gradient(dy: Array, y: Array, a: tuple[Array], at: Attrs) -> tuple[Array]:
    x, axis = np.moveaxis(a[0], at["axis"], -1), at["axis"]
    top, slope = np.moveaxis(y, axis, -1), np.moveaxis(dy, axis, -1)
    out = np.zeros_like(x)
    for j in range(x.shape[-1]):
        out[..., : j + 1] += slope[..., j : j + 1] * np.exp(x[..., : j + 1] - top[..., j : j + 1])
    return (np.moveaxis(out, -1, axis),)


array_row("logcumsumexp", _logcumsumexp, _logcumsumexp_gradient)


def logcumsumexp(x: Tensor, axis: Any = None, dtype: Any = None, name: str | None = None) -> Tensor:
    """log of the running sum of e^x along an axis, or of the flat tensor (None), without overflow."""
    x = floating(x if dtype is None else cast(tensor("logcumsumexp", x), dtype))
    if axis is None:
        x, axis = reshape(x, [-1]), 0
    if not x._shape:
        return multiply(x, 1)
    return call("logcumsumexp", x, axis=check_axis("logcumsumexp", axis, x._shape))


def _running(what: str, x: Tensor, axis: Any, dtype: Any, largest: bool) -> tuple[Tensor, Tensor]:
    x, kind = tensor(what, x), _dtype.dtype_of(dtype).numpy
    if axis is None:
        x, axis = reshape(x, [-1]), 0
    if not x._shape:
        return multiply(x, 1), dense(np.zeros((), kind))
    at = check_axis(what, axis, x._shape)
    data = x.data_array()
    best = (np.maximum if largest else np.minimum).accumulate(data, at)
    numbers = np.arange(data.shape[at]).reshape([-1 if i == at else 1 for i in range(data.ndim)])
    hit = (data == best) | np.isnan(data) if data.dtype.kind == "f" else data == best
    where = np.maximum.accumulate(np.where(hit, numbers, 0), at)  # of equals the latest
    return call("take_along_axis", x, index=where, axis=at), dense(np.ascontiguousarray(where, kind))


def cummax(x: Tensor, axis: Any = None, dtype: Any = "int64", name: str | None = None) -> tuple[Tensor, Tensor]:
    """The largest element so far along an axis, or of the flat tensor (None), and where it stood (the latest of equals)."""
    return _running("cummax", x, axis, dtype, True)


def cummin(x: Tensor, axis: Any = None, dtype: Any = "int64", name: str | None = None) -> tuple[Tensor, Tensor]:
    """The smallest element so far along an axis, or of the flat tensor (None), and where it stood (the latest of equals)."""
    return _running("cummin", x, axis, dtype, False)


def _part(x: Tensor, axis: int, first: int | None, last: int | None) -> Tensor:
    key: tuple[Any, ...] = (*(slice(None),) * axis, slice(first, last))
    return x[key]


def diff(
    x: Tensor, n: int = 1, axis: Any = -1, prepend: Tensor | None = None, append: Tensor | None = None,
    name: str | None = None, *, out: None = None,
) -> Tensor:  # fmt: skip
    """Each element along an axis minus the one before it, n times over. prepend, append: put in front and behind first."""
    no_out("diff", out)
    times = whole("diff(n)", n)
    if times < 1:
        raise ValueError(message("diff(n)", times, "a whole number of at least 1"))
    x = tensor("diff", x)
    at = check_axis("diff", axis, x._shape)
    parts = [t for t in (prepend, x, append) if t is not None]
    x = concat(parts, at) if len(parts) > 1 else x
    for _ in range(times):
        later, earlier = _part(x, at, 1, None), _part(x, at, None, -1)
        x = dense(later.data_array() ^ earlier.data_array()) if x._dtype == np.bool_ else subtract(later, earlier)
    return x


def _areas(what: str, y: Tensor, x: Tensor | None, dx: Any, axis: Any) -> tuple[Tensor, int]:
    y = tensor(what, y)
    at = check_axis(what, axis, y._shape)
    if x is not None and dx is not None:
        raise ValueError(message(what, "both x and dx", "one of them, or neither"))
    pairs = _part(y, at, 1, None) + _part(y, at, None, -1)
    if x is None:
        width: Any = 1.0 if dx is None else dx
    else:
        x = tensor(what, x)
        if len(x._shape) == 1:
            step = diff(x)
            width = reshape(step, [-1 if i == at else 1 for i in range(len(y._shape))])
        else:
            width = diff(x, axis=at)
    return multiply(multiply(width, pairs) if isinstance(width, Tensor) else multiply(pairs, width), 0.5), at


def trapezoid(y: Tensor, x: Tensor | None = None, dx: Any = None, axis: Any = -1, name: str | None = None) -> Tensor:
    """The area under y along an axis by trapezoids: of width dx (1 if None), or between the points x."""
    areas, at = _areas("trapezoid", y, x, dx, axis)
    return _sum(areas, at)


def cumulative_trapezoid(
    y: Tensor, x: Tensor | None = None, dx: Any = None, axis: Any = -1, name: str | None = None
) -> Tensor:
    """The running area under y along an axis by trapezoids, one element shorter; arguments as ``trapezoid``."""
    areas, at = _areas("cumulative_trapezoid", y, x, dx, axis)
    return cumsum(areas, at)
