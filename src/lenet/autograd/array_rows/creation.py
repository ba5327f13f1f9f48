"""Making tensors: of one number, of a range, of random numbers. No rows: nothing here has a gradient to pass on.

Random numbers come from ``lenet.seed``'s stream, whose draws are Paddle's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lenet.autograd import dtype as _dtype
from lenet.autograd import random as _random
from lenet.autograd.array_rows.arithmetic import add, multiply
from lenet.autograd.array_rows.row import sizes, tensor, whole
from lenet.autograd.tensor import Tensor, dense
from lenet.messages.check import ShapeError, describe, message

__all__ = [
    "arange", "bernoulli", "empty", "empty_like", "eye", "full", "full_like", "gaussian", "linspace", "multinomial",
    "normal", "ones", "ones_like", "rand", "randint", "randn", "randperm", "standard_normal", "uniform", "zeros",
    "zeros_like",
]  # fmt: skip


def _type(dtype: Any) -> np.dtype[Any]:
    return (_dtype._default if dtype is None else _dtype.dtype_of(dtype)).numpy


def _number(what: str, value: Any) -> Any:
    """A number, also out of a tensor or array of one."""
    if isinstance(value, Tensor):
        value = value.data_array()
    if np.size(value) != 1 or isinstance(value, (str, bytes)) or value is None:
        raise TypeError(message(what, describe(value), "a number or a tensor of one number"))
    return np.reshape(value, ()).item()


def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """A tensor of zeros."""
    return dense(np.zeros(sizes("zeros", shape), _type(dtype)))


def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """A tensor of ones."""
    return dense(np.ones(sizes("ones", shape), _type(dtype)))


def full(shape: Any, fill_value: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """A tensor of one number. dtype None: the default float type; for a bool bool, as in Paddle."""
    value = _number("full(fill_value)", fill_value)
    kind = np.dtype(np.bool_) if dtype is None and isinstance(value, bool) else _type(dtype)
    return dense(np.full(sizes("full", shape), value, kind))


def empty(shape: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """A tensor to be written into. It holds zeros: what memory happens to hold makes a bad surprise."""
    return dense(np.zeros(sizes("empty", shape), _type(dtype)))


def zeros_like(x: Tensor, dtype: Any = None, name: str | None = None) -> Tensor:
    """Zeros in the shape (and type) of x."""
    return zeros(x._shape, x._dtype if dtype is None else dtype)


def ones_like(x: Tensor, dtype: Any = None, name: str | None = None) -> Tensor:
    """Ones in the shape (and type) of x."""
    return ones(x._shape, x._dtype if dtype is None else dtype)


def full_like(x: Tensor, fill_value: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """One number in the shape (and type) of x."""
    return full(x._shape, fill_value, x._dtype if dtype is None else dtype)


def empty_like(x: Tensor, dtype: Any = None, name: str | None = None) -> Tensor:
    """A tensor to be written into, in the shape (and type) of x; it holds zeros."""
    return zeros_like(x, dtype)


def arange(start: Any = 0, end: Any = None, step: Any = 1, dtype: Any = None, name: str | None = None) -> Tensor:
    """start, start + step, … below end; int64 if all three are whole numbers."""
    first, last = (0, start) if end is None else (start, end)
    first, last, step = (_number("arange", v) for v in (first, last, step))
    if not step:
        raise ValueError(message("arange(step)", step, "a number other than 0"))
    all_whole = all(isinstance(v, int) for v in (first, last, step))
    return dense(
        np.arange(first, last, step, dtype=np.dtype(np.int64) if dtype is None and all_whole else _type(dtype))
    )


def linspace(start: Any, stop: Any, num: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """num numbers from start to stop, both included, evenly spaced (ValueError for less than one)."""
    count = whole("linspace(num)", num)
    if count < 1:
        raise ValueError(message("linspace(num)", count, "a whole number of at least 1"))
    first, last = (_number(f"linspace({side})", v) for side, v in (("start", start), ("stop", stop)))
    kind = _type(dtype)
    made = np.linspace(first, last, count)
    return dense(np.trunc(made).astype(kind) if kind.kind in "iu" else made.astype(kind))


def eye(num_rows: Any, num_columns: Any = None, dtype: Any = None, name: str | None = None) -> Tensor:
    """A matrix of zeros with ones on its diagonal; square unless num_columns says otherwise."""
    (rows,) = sizes("eye(num_rows)", num_rows)
    (columns,) = (rows,) if num_columns is None else sizes("eye(num_columns)", num_columns)
    return dense(np.eye(rows, columns, dtype=_type(dtype)))


# ---- random numbers ------------------------------------------------------------------------------------------------------


def rand(shape: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Uniform numbers in [0, 1) from ``lenet.seed``'s stream."""
    return uniform(shape, dtype, 0.0, 1.0)


def _source(seed: int) -> _random.Generator:
    return _random.generator() if not seed else _random.Generator(seed)


def uniform(
    shape: Any, dtype: Any = None, min: float = -1.0, max: float = 1.0, seed: int = 0, name: str | None = None
) -> Tensor:
    """Uniform numbers in [min, max) from ``lenet.seed``'s stream; seed other than 0: from a stream of its own."""
    lengths = sizes("uniform", shape)
    return dense(_source(seed).uniform(math.prod(lengths), min, max).reshape(lengths).astype(_type(dtype)))


def gaussian(
    shape: Any, mean: float = 0.0, std: float = 1.0, seed: int = 0, dtype: Any = None, name: str | None = None
) -> Tensor:
    """Normally distributed numbers from ``lenet.seed``'s stream; seed other than 0: from a stream of its own."""
    lengths = sizes("gaussian", shape)
    return dense(_source(seed).normal(math.prod(lengths), mean, std).reshape(lengths).astype(_type(dtype)))


def randn(shape: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Normally distributed numbers (mean 0, deviation 1) from ``lenet.seed``'s stream."""
    return gaussian(shape, dtype=dtype)


def standard_normal(shape: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Normally distributed numbers (mean 0, deviation 1) from ``lenet.seed``'s stream."""
    return gaussian(shape, dtype=dtype)


def normal(mean: Any = 0.0, std: Any = 1.0, shape: Any = None, name: str | None = None) -> Tensor:
    """Normally distributed numbers from ``lenet.seed``'s stream.

    mean, std: numbers, or tensors, one element a result; ``shape`` then comes from them and is left out. Two numbers
    without a shape give one number, [1].
    """
    if not isinstance(mean, Tensor) and not isinstance(std, Tensor):
        return gaussian([1] if shape is None else shape, _number("normal(mean)", mean), _number("normal(std)", std))
    if shape is not None and isinstance(mean, Tensor) and isinstance(std, Tensor):
        raise ValueError(message("normal(shape)", shape, "None: mean and std have a shape already"))
    like = mean if isinstance(mean, Tensor) else std
    return add(multiply(standard_normal(list(like._shape), like._dtype), std), mean)


def bernoulli(x: Tensor, p: float | None = None, name: str | None = None) -> Tensor:
    """1 with probability x, element by element, else 0; p: one probability for all. ValueError outside 0 to 1."""
    x = tensor("bernoulli", x)
    share = x.data_array() if p is None else np.full(x._shape, p, x._dtype)
    if share.dtype.kind != "f" or (share.size and not (share.min() >= 0 and share.max() <= 1)):
        given = f"a tensor of {share.dtype}" if share.dtype.kind != "f" else f"{share.min()} to {share.max()}"
        raise ValueError(message("bernoulli", given, "probabilities, floats from 0 to 1"))
    drawn: Any = _random.generator().uniform(x.size, 0.0, 1.0).reshape(x._shape)
    return dense((drawn < share).astype(x._dtype))


def multinomial(x: Tensor, num_samples: int = 1, replacement: bool = False, name: str | None = None) -> Tensor:
    """Numbers of classes drawn in proportion to x, [C] or [N, C]: int64 [num_samples] or [N, num_samples].

    replacement: a class may come up again; without it ValueError where fewer classes than samples have a share above 0.
    The draws come from ``lenet.seed``'s stream and aren't Paddle's.
    """
    x = tensor("multinomial", x)
    if len(x._shape) not in (1, 2):
        raise ShapeError(message("multinomial", f"a tensor of shape {list(x._shape)}", "[C] or [N, C]"))
    count = whole("multinomial(num_samples)", num_samples)
    rows = np.atleast_2d(x.data_array()).astype(np.float64)
    usable = (rows > 0).sum(axis=1).min(initial=rows.shape[1])
    if count < 1 or (rows < 0).any() or not usable or (not replacement and count > usable):
        expected = (
            f"1 to {usable}, the classes whose share is above 0" if usable else "shares of at least 0, some above"
        )
        raise ValueError(message("multinomial", f"{count} samples", expected))
    drawn: Any
    if replacement:
        drawn = _random.generator().uniform(len(rows) * count, 0.0, 1.0).reshape(len(rows), count)
        edges = np.cumsum(rows, axis=1) / rows.sum(axis=1, keepdims=True)
        found = np.stack([np.searchsorted(e, d, side="right") for e, d in zip(edges, drawn, strict=True)])
        found = np.minimum(found, rows.shape[1] - 1)
    else:  # the k latest of races whose speeds are the shares
        drawn = _random.generator().uniform(rows.size, 0.0, 1.0).reshape(rows.shape).astype(np.float64)
        with np.errstate(divide="ignore"):
            found = np.argsort(-np.log1p(-drawn) / rows, axis=1, kind="stable")[:, :count]
    return dense(np.ascontiguousarray(found, np.int64).reshape((*x._shape[:-1], count)))


def randint(low: Any = 0, high: Any = None, shape: Any = (1,), dtype: Any = None, name: str | None = None) -> Tensor:
    """Whole numbers in [low, high) from ``lenet.seed``'s stream; with one bound, in [0, low)."""
    first, last = (0, low) if high is None else (low, high)
    if last <= first:
        raise ValueError(message("randint", f"bounds {first} and {last}", "low below high"))
    lengths = sizes("randint", shape)
    drawn = _random.generator().randint(first, last, math.prod(lengths)).reshape(lengths)
    return dense(drawn.astype(np.dtype(np.int64) if dtype is None else _type(dtype)))


def randperm(n: int, dtype: Any = "int64", name: str | None = None) -> Tensor:
    """0 … n-1 in random order, from ``lenet.seed``'s stream."""
    return dense(_random.generator().randperm(n).astype(_type(dtype)))
