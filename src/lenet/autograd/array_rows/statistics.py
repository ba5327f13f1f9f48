"""Functions that count, rank and summarise: quantiles, histograms, modes, searching in sorted numbers, NaN left out."""

from __future__ import annotations

from typing import Any

import numpy as np

from lenet.autograd import dtype as _dtype
from lenet.autograd.array_rows.arithmetic import divide, multiply, subtract
from lenet.autograd.array_rows.indexing import argsort, nonzero, sort, where
from lenet.autograd.array_rows.linear_algebra import matmul
from lenet.autograd.array_rows.moved import picked
from lenet.autograd.array_rows.reductions import mean
from lenet.autograd.array_rows.reductions import sum as _sum
from lenet.autograd.array_rows.row import Array, axes, cast, floating, no_out, tensor, whole
from lenet.autograd.array_rows.shapes import reshape, stack, transpose
from lenet.autograd.table import check_axis
from lenet.autograd.tape import call
from lenet.autograd.tensor import Tensor, dense
from lenet.messages.check import ShapeError, choice, describe, message

__all__ = [
    "argwhere", "bincount", "bucketize", "count_nonzero", "histogram", "histogram_bin_edges",
    "histogramdd", "isin", "kthvalue", "mode", "msort", "nanmean", "nanmedian", "nanquantile", "nansum", "quantile",
    "searchsorted", "unique_consecutive",
]  # fmt: skip


# ---- ranks ---------------------------------------------------------------------------------------------------------------

_INTERPOLATIONS = ("linear", "lower", "higher", "nearest", "midpoint")


def _lines(what: str, x: Tensor, axis: Any) -> tuple[Tensor, tuple[int, ...]]:
    """x with the axes to be summarised joined into a last one, and which they were."""
    rank = len(x._shape)
    chosen = axes(what, x, axis)
    over = tuple(range(rank)) if chosen is None else (chosen,) if isinstance(chosen, int) else chosen
    rest = [i for i in range(rank) if i not in over]
    moved = transpose(x, [*rest, *over]) if rank else x
    return reshape(moved, [*(x._shape[i] for i in rest), -1]), over


def _shown(found: Tensor, x: Tensor, over: tuple[int, ...], keepdim: bool) -> Tensor:
    return reshape(found, [1 if i in over else n for i, n in enumerate(x._shape)]) if keepdim else found


def _ranked(what: str, x: Tensor, q: Any, axis: Any, keepdim: bool, how: str, skip: bool) -> Tensor:
    choice(f"{what}(interpolation)", how, _INTERPOLATIONS)
    x = floating(x, what)
    shares = [float(v) for v in np.atleast_1d(q.data_array() if isinstance(q, Tensor) else np.array(q, np.float64))]
    if not shares or not all(0 <= v <= 1 for v in shares):
        raise ValueError(message(f"{what}(q)", describe(q), "a number from 0 to 1, or a list of them"))
    lines, over = _lines(what, x, axis)
    data = lines.data_array()
    missing = np.isnan(data)
    counts = (~missing).sum(-1, keepdims=True) if skip else np.full((*data.shape[:-1], 1), data.shape[-1])
    spoiled = (counts == 0) if skip else missing.any(-1, keepdims=True)
    order = np.argsort(data, axis=-1, kind="stable")
    results = []
    for share in shares:
        place = share * np.maximum(counts - 1, 0)
        low, high = np.floor(place).astype(np.intp), np.ceil(place).astype(np.intp)
        weight = place - low
        if how == "lower":
            high, weight = low, weight * 0
        elif how == "higher":
            low, weight = high, weight * 0
        elif how == "nearest":
            low = high = np.rint(place).astype(np.intp)
            weight = weight * 0
        elif how == "midpoint":
            weight = np.full_like(weight, 0.5)
        ends = []
        for end in (low, high):
            at = np.take_along_axis(order, end, -1)
            at = np.where(spoiled, np.argmax(missing, -1, keepdims=True), at)
            ends.append(call("take_along_axis", lines, index=np.ascontiguousarray(at), axis=len(data.shape) - 1))
        part = call("lerp", ends[0], ends[1], dense(weight.astype(x._dtype)))
        results.append(_shown(reshape(part, part.shape[:-1]), x, over, keepdim))
    return stack(results, 0) if len(results) > 1 else results[0]


def quantile(
    x: Tensor, q: Any, axis: Any = None, keepdim: bool = False, interpolation: str = "linear", name: str | None = None,
    *, out: None = None,
) -> Tensor:  # fmt: skip
    """The element below which a share q of them lies, over an axis, several or all (None); NaN if there is one among them.

    q: from 0 to 1, or a list, for a first axis more. interpolation between two: 'linear', 'lower', 'higher', 'nearest' or
    'midpoint'.
    """
    no_out("quantile", out)
    return _ranked("quantile", x, q, axis, keepdim, interpolation, False)


def nanquantile(x: Tensor, q: Any, axis: Any = None, keepdim: bool = False, interpolation: str = "linear") -> Tensor:
    """``quantile`` of what isn't NaN; NaN where nothing is left."""
    return _ranked("nanquantile", x, q, axis, keepdim, interpolation, True)


def nanmedian(x: Tensor, axis: Any = None, keepdim: bool = False, mode: str = "avg", name: str | None = None) -> Any:
    """The middle of what isn't NaN, over an axis, several or all (None).

    mode: of an even number 'avg' takes the mean of the two in the middle, 'min' the lower one; with 'min' and one axis a
    pair comes back: the median and where it was, int64.
    """
    choice("nanmedian(mode)", mode, ("avg", "min"))
    x = tensor("nanmedian", x)
    given = x._dtype
    found = _ranked("nanmedian", x, 0.5, axis, keepdim, "midpoint" if mode == "avg" else "lower", True)
    if mode == "avg":
        return found
    found = cast(found, given)
    if axis is None or isinstance(axis, (list, tuple)):
        return found
    lines, over = _lines("nanmedian", floating(x), axis)
    data = lines.data_array()
    order = np.argsort(data, axis=-1, kind="stable")
    counts = (~np.isnan(data)).sum(-1, keepdims=True)
    place = np.take_along_axis(order, np.maximum(counts - 1, 0) // 2, -1)[..., 0]
    where_ = dense(np.ascontiguousarray(np.where(counts[..., 0] == 0, 0, place), np.int64))
    return found, _shown(where_, x, over, keepdim)


def kthvalue(
    x: Tensor, k: Any, axis: Any = None, keepdim: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """The k-th smallest element (counted from 1) along an axis (the last if None), and where it stood, int64."""
    x = tensor("kthvalue", x)
    at = check_axis("kthvalue", -1 if axis is None else axis, x._shape) if x._shape else 0
    number, length = whole("kthvalue(k)", k), x._shape[at] if x._shape else 1
    if not 1 <= number <= length:
        raise ValueError(message("kthvalue(k)", number, f"a whole number from 1 to the axis' length {length}"))
    if not x._shape:
        return multiply(x, 1), dense(np.zeros((), np.int64))
    place = np.take(argsort(x, at).data_array(), [number - 1], axis=at)
    return _with_places(x, place, at, keepdim)


def _with_places(x: Tensor, place: Array, at: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    place = np.ascontiguousarray(place)
    found = call("take_along_axis", x, index=place, axis=at)
    if keepdim:
        return found, dense(place.astype(np.int64))
    return reshape(found, x._shape[:at] + x._shape[at + 1 :]), dense(place.squeeze(at).astype(np.int64))


def mode(x: Tensor, axis: Any = -1, keepdim: bool = False, name: str | None = None) -> tuple[Tensor, Tensor]:
    """The most frequent element along an axis (the smallest of equally frequent ones), and where it last stood, int64."""
    x = tensor("mode", x)
    if not x._shape:
        return multiply(x, 1), dense(np.zeros((), np.int64))
    at = check_axis("mode", axis, x._shape)
    lines = np.moveaxis(x.data_array(), at, -1)
    place = np.empty(lines.shape[:-1], np.int64)
    for index in np.ndindex(place.shape):
        values, counts = np.unique(lines[index], return_counts=True)
        best = values[counts == counts.max()].min()
        place[index] = np.flatnonzero(lines[index] == best)[-1]
    return _with_places(x, np.expand_dims(place, at), at, keepdim)


def msort(input: Tensor, *, out: None = None) -> Tensor:
    """input sorted along its first axis."""
    no_out("msort", out)
    return sort(input, 0)


# ---- NaN left out --------------------------------------------------------------------------------------------------------


def nansum(x: Tensor, axis: Any = None, dtype: Any = None, keepdim: bool = False, name: str | None = None) -> Tensor:
    """The sum of what isn't NaN, over an axis, several, or all (None)."""
    x = tensor("nansum", x)
    if x._dtype.kind == "f":
        x = where(dense(~np.isnan(x.data_array())), x, dense(np.zeros((), x._dtype)))
    return _sum(x, axis, dtype, keepdim)


def nanmean(x: Tensor, axis: Any = None, keepdim: bool = False, name: str | None = None) -> Tensor:
    """The mean of what isn't NaN, over an axis, several, or all (None)."""
    x = floating(x, "nanmean")
    count = _sum(dense((~np.isnan(x.data_array())).astype(x._dtype)), axis, keepdim=keepdim)
    return divide(nansum(x, axis, keepdim=keepdim), count)


# ---- counting ------------------------------------------------------------------------------------------------------------


def count_nonzero(x: Tensor, axis: Any = None, keepdim: bool = False, name: str | None = None) -> Tensor:
    """How many elements aren't 0, over an axis, several, or all (None): int64."""
    x = tensor("count_nonzero", x)
    found = np.count_nonzero(x.data_array(), axis=axes("count_nonzero", x, axis), keepdims=bool(keepdim))
    return dense(np.asarray(found, np.int64))


def bincount(x: Tensor, weights: Tensor | None = None, minlength: Any = 0, name: str | None = None) -> Tensor:
    """How often each whole number from 0 on stands in the vector x, or the sum of its weights; minlength: at least so many."""
    x = tensor("bincount", x)
    if x._dtype.kind not in "iu" or len(x._shape) != 1:
        given = f"a tensor of {x._dtype} {list(x._shape)}"
        raise (TypeError if x._dtype.kind not in "iu" else ShapeError)(
            message("bincount", given, "a vector [n] of whole numbers")
        )
    least = whole("bincount(minlength)", minlength)
    if least < 0 or (x.size and x.data_array().min() < 0):
        raise ValueError(message("bincount", "a negative number", "whole numbers of at least 0"))
    if weights is None:
        return dense(np.bincount(x.data_array(), minlength=least).astype(np.int64))
    if weights._shape != x._shape:
        raise ShapeError(message("bincount(weights)", f"shape {list(weights._shape)}", f"{list(x._shape)}"))
    kind = weights._dtype if weights._dtype == np.float32 else np.dtype(np.float64)
    return dense(np.bincount(x.data_array(), weights.data_array(), least).astype(kind))


def _range(what: str, data: Array, low: Any, high: Any) -> tuple[float, float]:
    first, last = (float(v.data_array()) if isinstance(v, Tensor) else float(v) for v in (low, high))
    if first == last == 0 and data.size:
        first, last = float(data.min()), float(data.max())
    if not (np.isfinite(first) and np.isfinite(last) and first <= last):
        raise ValueError(message(what, f"a range from {first} to {last}", "finite bounds, min below max"))
    return (first - 1, last + 1) if first == last else (first, last)


def histogram(
    input: Tensor, bins: int = 100, min: float = 0.0, max: float = 0.0, weight: Tensor | None = None,
    density: bool = False, name: str | None = None,
) -> Tensor:  # fmt: skip
    """How many elements lie in each of ``bins`` equal parts from min to max (both 0: input's own); int64.

    weight: sums of these instead. density: shares divided by the parts' width. Both give floats.
    """
    x, count = tensor("histogram", input), whole("histogram(bins)", bins)
    if count < 1:
        raise ValueError(message("histogram(bins)", count, "a whole number of at least 1"))
    data = x.data_array()
    bounds = _range("histogram", data, min, max)
    shares = None if weight is None else weight.data_array().reshape(-1)
    found, _ = np.histogram(data.reshape(-1), count, bounds, weights=shares, density=density)
    kind = np.dtype(np.int64 if weight is None and not density else np.float32)
    return dense(found.astype(kind))


def histogram_bin_edges(
    input: Tensor, bins: int = 100, min: float = 0.0, max: float = 0.0, name: str | None = None
) -> Tensor:
    """The bins + 1 bounds of ``histogram``'s parts."""
    x, count = tensor("histogram_bin_edges", input), whole("histogram_bin_edges(bins)", bins)
    first, last = _range("histogram_bin_edges", x.data_array(), min, max)
    return dense(np.linspace(first, last, count + 1).astype(np.float32))


def histogramdd(
    x: Tensor, bins: Any = 10, ranges: Any = None, density: bool = False, weights: Tensor | None = None,
    name: str | None = None,
) -> tuple[Tensor, list[Tensor]]:  # fmt: skip
    """The histogram of points x [..., D] in D dimensions, and each dimension's bounds; bins: a number, D, or the bounds."""
    x = tensor("histogramdd", x)
    points = x.data_array().reshape(-1, x._shape[-1])
    if isinstance(bins, (list, tuple)) and any(isinstance(b, Tensor) for b in bins):
        bins = [b.data_array() for b in bins]
    pairs = None if ranges is None else list(zip(ranges[::2], ranges[1::2], strict=True))
    shares = None if weights is None else weights.data_array().reshape(-1)
    found, edges = np.histogramdd(points, bins, pairs, density, shares)
    return dense(found.astype(x._dtype)), [dense(np.asarray(e, x._dtype)) for e in edges]


# ---- searching -----------------------------------------------------------------------------------------------------------


def searchsorted(
    sorted_sequence: Tensor, values: Any, out_int32: bool = False, right: bool = False, name: str | None = None,
    *, side: str | None = None, out: None = None, sorter: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Where each value would go in a sorted vector, or line by line in a sorted tensor of values' other axes.

    right (or side='right'): behind equals instead of in front. int64, or int32 with out_int32.
    """
    no_out("searchsorted", out)
    s, v = tensor("searchsorted", sorted_sequence), tensor("searchsorted", values)
    behind = right if side is None else choice("searchsorted(side)", side, ("left", "right")) == "right"
    line, wanted = s.data_array(), v.data_array()
    if sorter is not None:
        line = np.take_along_axis(line, sorter.data_array(), -1)
    if line.ndim != 1 and line.shape[:-1] != wanted.shape[:-1]:
        given = f"sequences {list(line.shape)} and values {list(wanted.shape)}"
        raise ShapeError(message("searchsorted", given, "one sequence, or the same axes but for the last"))
    how: Any = "right" if behind else "left"
    if line.ndim == 1:
        found = np.searchsorted(line, wanted, how)
    else:
        rows, wants = line.reshape(-1, line.shape[-1]), wanted.reshape(-1, wanted.shape[-1])
        found = np.stack([np.searchsorted(r, w, how) for r, w in zip(rows, wants, strict=True)]).reshape(wanted.shape)
    return dense(np.asarray(found, np.int32 if out_int32 else np.int64))


def bucketize(
    x: Any, sorted_sequence: Tensor, out_int32: bool = False, right: bool = False, name: str | None = None,
    *, out: None = None,
) -> Tensor:  # fmt: skip
    """Where each element of x would go in a sorted vector: ``searchsorted`` the other way round."""
    no_out("bucketize", out)
    if len(tensor("bucketize", sorted_sequence)._shape) != 1:
        raise ShapeError(message("bucketize(sorted_sequence)", f"shape {list(sorted_sequence._shape)}", "a vector [n]"))
    return searchsorted(sorted_sequence, x, out_int32, right)


def isin(
    x: Tensor, test_x: Tensor, assume_unique: bool = False, invert: bool = False, name: str | None = None
) -> Tensor:
    """True where an element of x is one of test_x (or none, with invert): a bool tensor. assume_unique changes nothing."""
    found = np.isin(tensor("isin", x).data_array(), tensor("isin", test_x).data_array(), invert=invert)
    return dense(np.asarray(found))


def argwhere(input: Tensor) -> Tensor:
    """The places of what isn't 0: int64 [n, axes]."""
    return nonzero(input)


def unique_consecutive(
    x: Tensor, return_inverse: bool = False, return_counts: bool = False, axis: Any = None, dtype: Any = "int64",
    name: str | None = None,
) -> Any:  # fmt: skip
    """x's elements (or slices along an axis) without those equal to the one before.

    Asked for, and in this order: which of them each element is, how many there are in a row.
    """
    x = tensor("unique_consecutive", x)
    flat = axis is None
    data = (
        x.data_array().reshape(-1)
        if flat
        else np.moveaxis(x.data_array(), check_axis("unique_consecutive", axis, x._shape), 0)
    )
    fresh = np.ones(len(data), np.bool_)
    if len(data) > 1:
        fresh[1:] = (data[1:] != data[:-1]).reshape(len(data) - 1, -1).any(1)
    kept = data[fresh]
    results = [kept if flat else np.moveaxis(kept, 0, axis)]
    kind = _dtype.dtype_of(dtype).numpy
    if return_inverse:
        results.append((np.cumsum(fresh) - 1).astype(kind))
    if return_counts:
        results.append(np.diff(np.append(np.flatnonzero(fresh), len(data))).astype(kind))
    made = tuple(dense(np.ascontiguousarray(r)) for r in results)
    return made if len(made) > 1 else made[0]


# ---- spread of several ---------------------------------------------------------------------------------------------------


def cov(
    x: Tensor, rowvar: bool = True, ddof: bool = True, fweights: Tensor | None = None, aweights: Tensor | None = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """The covariances of the rows of x [N, M] (of its columns with rowvar=False): [N, N]. A vector's variance is 0-D.

    ddof: divide by M - 1, else by M. fweights: how often each observation counts (whole numbers); aweights: its weight.
    """
    x = floating(x, "cov")
    if len(x._shape) > 2 or not x._shape:
        raise ShapeError(message("cov", f"a tensor of shape {list(x._shape)}", "a vector or a matrix"))
    rows = reshape(x, [1, -1]) if len(x._shape) == 1 else x if rowvar else transpose(x, [1, 0])
    count = rows._shape[1]
    weights: Array | None = None
    for w in (fweights, aweights):
        if w is not None:
            part = w.data_array().astype(x._dtype)
            weights = part if weights is None else weights * part
    if weights is None:
        total, less = float(count), float(ddof)
        average = mean(rows, 1, keepdim=True)
    else:
        total = float(weights.sum())
        average = divide(_sum(multiply(rows, dense(weights)), 1, keepdim=True), total)
        less = 0.0 if not ddof else 1.0
        if ddof and aweights is not None:
            less = float((weights * aweights.data_array()).sum() / total)
    away = subtract(rows, average)
    spread = matmul(away if weights is None else multiply(away, dense(weights)), transpose(away, [1, 0]))
    found = divide(spread, max(total - less, 0.0) or float("nan"))
    return reshape(found, []) if found.size == 1 and len(x._shape) == 1 else found


def corrcoef(x: Tensor, rowvar: bool = True, name: str | None = None) -> Tensor:
    """The correlation of the rows of x [N, M] (of its columns with rowvar=False): [N, N], from -1 to 1."""
    spread = cov(x, rowvar)
    if not spread._shape:
        return divide(spread, spread)
    n = spread._shape[0]
    scale = picked(spread, np.diagonal).sqrt()
    found = divide(divide(spread, reshape(scale, [n, 1])), reshape(scale, [1, n]))
    return found.clip(-1, 1)
