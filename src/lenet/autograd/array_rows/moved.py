"""The two rules that most functions of places come down to: elements picked out of a tensor, and elements written into it.

*Places* are numbers of elements in the flat tensor. A function that only moves elements is a numpy function of
``arange`` in the tensor's shape; its row and its gradient are always the same. Read by ``arranging``, ``writing`` and
``statistics``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lenet.autograd.array_rows.row import Array, array_row
from lenet.autograd.table import Attrs
from lenet.autograd.tape import call
from lenet.autograd.tensor import Tensor

__all__ = ["picked", "places_of", "written"]

Places = Callable[[Array], Any]


def places_of(x: Tensor) -> Array:
    """The places of x in x's own shape."""
    return np.arange(math.prod(x._shape)).reshape(x._shape)


def _gathered(values: Array, places: Array, size: int) -> Array:
    """How much arrives at each of ``size`` places."""
    out = np.zeros(size, values.dtype)
    np.add.at(out, places.reshape(-1), values.reshape(-1))
    return out


array_row(
    "picked",
    lambda x, places: x.reshape(-1)[places],
    lambda dy, y, a, at: (_gathered(dy, at["places"], a[0].size).reshape(a[0].shape),),
)


def picked(x: Tensor, rule: Places) -> Tensor:
    """x's elements in the order that rule(places) says; rule is a numpy function that moves elements and no more."""
    return call("picked", x, places=np.ascontiguousarray(rule(places_of(x))).astype(np.intp))


# ---- written: v into x at places, of one shape; places=None means that nothing is written ------------------


def _combined(x: Array, v: Array, places: Array, how: str, include: bool) -> Array:
    out = x.reshape(-1).copy()
    at, new = places.reshape(-1), v.reshape(-1)
    if how == "assign":
        out[at] = new
        return out.reshape(x.shape)
    if not include:
        out[at] = {"add": 0, "mean": 0, "mul": 1, "amax": _lowest(x), "amin": _highest(x)}[how]
    ufunc: Any = {"add": np.add, "mean": np.add, "mul": np.multiply, "amax": np.maximum, "amin": np.minimum}[how]
    ufunc.at(out, at, new)
    if how == "mean":
        count = np.bincount(at, minlength=x.size) + (1 if include else 0)
        count = np.maximum(count, 1)
        out = out / count.astype(x.dtype) if x.dtype.kind == "f" else out // count
    return out.reshape(x.shape)


def _lowest(x: Array) -> Any:
    return -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min


def _highest(x: Array) -> Any:
    return np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).max


def _written_gradient(dy: Array, y: Array, xv: tuple[Array, Array], at: Attrs) -> tuple[Array, Array]:
    x, v = xv
    places, how, include = at["places"].reshape(-1), at["how"], at["include"]
    flat, result, old, new = dy.reshape(-1), y.reshape(-1), x.reshape(-1), v.reshape(-1)
    dx, dv = flat.copy(), flat[places]
    if how == "assign":
        dx[places] = 0
        last = np.zeros(x.size, np.intp)
        last[places] = np.arange(places.size)
        dv = dv * (last[places] == np.arange(places.size))  # of several for one place the last stands there
    elif how == "mul":
        if include:
            dx = np.where(old == 0, dx, dx * result / np.where(old == 0, 1, old))
        dv = dv * result[places] / np.where(new == 0, 1, new)
    elif how == "mean":
        count = np.maximum(np.bincount(places, minlength=x.size) + (1 if include else 0), 1).astype(x.dtype)
        dx, dv = dx / count, dv / count[places]
    elif how in ("amax", "amin"):
        hits = _gathered((new == result[places]).astype(x.dtype), places, x.size) + (old == result) * include
        share = flat / np.maximum(hits, 1)
        dx, dv = np.where((old == result) & include, share, 0), share[places] * (new == result[places])
    if how != "assign" and not include:
        untouched = np.ones(x.size, bool)
        untouched[places] = False
        dx = np.where(untouched, flat, 0)
    return dx.reshape(x.shape), dv.reshape(v.shape)


array_row(
    "written",
    lambda x, v, places, how, include: _combined(x, v, places, how, include),
    _written_gradient,
)


def written(x: Tensor, values: Tensor, places: Array, how: str = "assign", include: bool = True) -> Tensor:
    """x with values put in at places (of values' shape). how: 'assign', 'add', 'mul', 'mean', 'amax' or 'amin'.

    include: what stood there takes part, other than in 'assign'.
    """
    return call("written", x, values, places=np.ascontiguousarray(places, np.intp), how=how, include=include)
