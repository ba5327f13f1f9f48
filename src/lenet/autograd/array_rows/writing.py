"""Functions that write elements into a tensor and give a new one: all of them ``moved.written`` with other places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lenet.autograd.array_rows.arithmetic import multiply
from lenet.autograd.array_rows.creation import zeros
from lenet.autograd.array_rows.indexing import inside, mask_of, numbers_of
from lenet.autograd.array_rows.moved import places_of, written
from lenet.autograd.array_rows.row import Array, cast, sizes, tensor, whole
from lenet.autograd.table import check_axis
from lenet.autograd.tape import call
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.messages.check import ShapeError, choice, message

__all__ = [
    "diagonal_scatter", "index_add", "index_fill", "index_put", "masked_fill", "masked_scatter", "put_along_axis", "scatter",
    "scatter_add", "scatter_nd", "scatter_nd_add", "scatter_reduce", "select_scatter", "slice_scatter",
]  # fmt: skip


def _put(what: str, x: Tensor, values: Any, places: Array, how: str = "assign", include: bool = True) -> Tensor:
    """values (a tensor, or a number for all places) of x's type, broadcast to places' shape, written there."""
    v = values if isinstance(values, Tensor) else to_tensor(values)
    v = cast(v, x._dtype)
    if v._shape != places.shape:
        try:
            np.broadcast_to(np.empty(v._shape, np.bool_), places.shape)
        except ValueError:
            given = f"values of shape {list(v._shape)}"
            raise ShapeError(message(what, given, f"one that fits {list(places.shape)}")) from None
        v = call("expand", v, shape=places.shape)
    return written(x, v, places, how, include)


def _along(x: Tensor, axis: int, index: Array) -> Array:
    """The places of the slices of x with these numbers along an axis."""
    return np.take(places_of(x), index, axis=axis)


def scatter(
    x: Tensor, index: Tensor, updates: Tensor, overwrite: bool = True, name: str | None = None, out: None = None
) -> Tensor:
    """x with the rows that index names replaced by those of updates; overwrite=False: by the sums of those for one row."""
    x, rows = tensor("scatter", x), numbers_of("scatter", index).reshape(-1)
    places = _along(x, 0, inside("scatter", rows, x._shape[0]))
    if overwrite:
        return _put("scatter", x, updates, places)
    return _put("scatter", _put("scatter", x, 0, places), updates, places, "add")


def scatter_nd_add(x: Tensor, index: Tensor, updates: Tensor, name: str | None = None) -> Tensor:
    """x plus updates at index [..., k], which names places in x's first k axes; several for one place add up."""
    x, at = tensor("scatter_nd_add", x), numbers_of("scatter_nd_add", index)
    if not at.shape or at.shape[-1] > len(x._shape):
        given = f"index {list(at.shape)} for a tensor of shape {list(x._shape)}"
        raise ShapeError(message("scatter_nd_add", given, f"a last axis of at most {len(x._shape)}"))
    for k, length in enumerate(x._shape[: at.shape[-1]]):
        inside("scatter_nd_add", at[..., k], length)
    if not at.shape[-1]:
        places = np.broadcast_to(places_of(x), (*at.shape[:-1], *x._shape))
    else:
        places = places_of(x)[tuple(np.moveaxis(at, -1, 0))]
    return _put("scatter_nd_add", x, updates, places, "add")


def scatter_nd(index: Tensor, updates: Tensor, shape: Any, name: str | None = None) -> Tensor:
    """Zeros of ``shape`` plus updates at index, as ``scatter_nd_add``."""
    updates = tensor("scatter_nd", updates)
    return scatter_nd_add(zeros(sizes("scatter_nd(shape)", shape), updates._dtype), index, updates)


_HOW = {"assign": "assign", "add": "add", "sum": "add", "mul": "mul", "multiply": "mul", "prod": "mul", "mean": "mean"}
_HOW |= {"amax": "amax", "amin": "amin"}


def put_along_axis(
    arr: Tensor, indices: Tensor, values: Any, axis: Any, reduce: str = "assign", include_self: bool = True,
    broadcast: bool = True, name: str | None = None,
) -> Tensor:  # fmt: skip
    """arr with values at the numbers in ``indices`` along an axis, line by line: ``take_along_axis`` the other way.

    reduce: 'assign', 'add', 'mul' ('multiply'), 'mean', 'amax', 'amin': what happens where several meet; include_self: what
    stood there takes part. broadcast: axes of indices may be 1 where arr's aren't.
    """
    x, found = tensor("put_along_axis", arr), numbers_of("put_along_axis", indices)
    how = _HOW[choice("put_along_axis(reduce)", reduce, tuple(_HOW))]
    at = check_axis("put_along_axis", axis, x._shape)
    if found.ndim != len(x._shape):
        given = f"indices {list(found.shape)} for a tensor of shape {list(x._shape)}"
        raise ShapeError(message("put_along_axis", given, f"{len(x._shape)} axes"))
    inside("put_along_axis", found, x._shape[at])
    if broadcast:
        found = np.broadcast_to(found, [found.shape[at] if i == at else n for i, n in enumerate(x._shape)])
    lines: list[Any] = list(np.indices(found.shape, sparse=True))
    lines[at] = found % max(x._shape[at], 1)
    places = places_of(x)[tuple(lines)]
    if isinstance(values, Tensor) and not broadcast and values._shape != found.shape:
        values = values[tuple(slice(0, n) for n in found.shape)] if values.size != 1 else values.reshape([])
    return _put("put_along_axis", x, values, places, how, include_self)


def scatter_add(input: Tensor, dim: Any, index: Tensor, src: Tensor) -> Tensor:
    """input plus src at the numbers in index along an axis, line by line."""
    return put_along_axis(input, index, src, dim, "add", True, False)


def scatter_reduce(
    input: Tensor, dim: Any, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """src combined into input along an axis, line by line; reduce: 'sum', 'prod', 'mean', 'amax' or 'amin'."""
    choice("scatter_reduce(reduce)", reduce, ("sum", "prod", "mean", "amax", "amin"))
    return put_along_axis(input, index, src, dim, reduce, include_self, False)


def index_add(
    x: Tensor, index: Tensor, axis: Any, value: Tensor, alpha: float = 1, name: str | None = None, *, out: None = None
) -> Tensor:
    """x plus alpha times the slices of value at the numbers in index along an axis; several for one add up."""
    x = tensor("index_add", x)
    at = check_axis("index_add", axis, x._shape)
    places = _along(x, at, inside("index_add", numbers_of("index_add", index), x._shape[at]))
    return _put("index_add", x, value if alpha == 1 else multiply(value, alpha), places, "add")


def index_fill(x: Tensor, index: Tensor, axis: Any, value: Any, name: str | None = None) -> Tensor:
    """x with one number (or a tensor of one) in the slices that index names along an axis."""
    x = tensor("index_fill", x)
    at = check_axis("index_fill", axis, x._shape)
    return _put(
        "index_fill", x, value, _along(x, at, inside("index_fill", numbers_of("index_fill", index), x._shape[at]))
    )


def index_put(
    x: Tensor, indices: Sequence[Tensor], value: Any, accumulate: bool = False, name: str | None = None
) -> Tensor:
    """x with value at x[indices], a tuple of whole numbers or bool masks; accumulate: added to what stands there."""
    x = tensor("index_put", x)
    key = tuple(tensor("index_put(indices)", i).data_array() for i in indices)
    try:
        places = places_of(x)[key]
    except IndexError:
        given = f"indices of shapes {[list(k.shape) for k in key]} for a tensor of shape {list(x._shape)}"
        raise IndexError(message("index_put", given, "indices inside the tensor")) from None
    return _put("index_put", x, value, places, "add" if accumulate else "assign")


def masked_fill(x: Tensor, mask: Tensor, value: Any, name: str | None = None) -> Tensor:
    """x with one number (or a tensor of one) where mask is True; mask: bool, broadcast with x."""
    x, hit = tensor("masked_fill", x), mask_of("masked_fill(mask)", mask)
    v = cast(value if isinstance(value, Tensor) else to_tensor(value), x._dtype)
    return call("where", v, x, mask=hit.data_array())


def masked_scatter(x: Tensor, mask: Tensor, value: Tensor, name: str | None = None) -> Tensor:
    """x with value's first elements, in order, where mask (bool, broadcast) is True. ValueError where value has too few."""
    x, hit = tensor("masked_scatter", x), mask_of("masked_scatter(mask)", mask).data_array()
    full = np.broadcast_shapes(x._shape, hit.shape)
    if x._shape != full:
        x = call("expand", x, shape=full)
    places = places_of(x)[np.broadcast_to(hit, full)]
    if value.size < places.size:
        raise ValueError(message("masked_scatter(value)", f"{value.size} elements", f"at least {places.size}"))
    return _put("masked_scatter", x, value.reshape([-1])[: places.size], places)


# ---- one slice, several, a diagonal --------------------------------------------------------------------------------------


def _in_part(what: str, x: Tensor, value: Tensor, key: tuple[Any, ...]) -> Tensor:
    return _put(what, tensor(what, x), value, places_of(x)[key])


def select_scatter(x: Tensor, values: Tensor, axis: Any, index: int, name: str | None = None) -> Tensor:
    """x with one slice along an axis replaced by values, of its shape."""
    at = check_axis("select_scatter", axis, x._shape)
    number = int(inside("select_scatter", np.array(whole("select_scatter(index)", index)), x._shape[at]))
    key = (*(slice(None),) * at, number)
    if list(values._shape) != list(x._shape[:at] + x._shape[at + 1 :]):
        expected = f"{list(x._shape[:at] + x._shape[at + 1 :])}"
        raise ShapeError(message("select_scatter(values)", f"shape {list(values._shape)}", expected))
    return _in_part("select_scatter", x, values, key)


def slice_scatter(
    x: Tensor, value: Tensor, axes: Sequence[int] | None = None, starts: Any = None, ends: Any = None,
    strides: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """x with value in the place of x[starts:ends:strides] along axes."""
    key: list[Any] = [slice(None)] * len(x._shape)
    for axis, *bounds in zip(axes or (), starts or (), ends or (), strides or (), strict=True):
        key[check_axis("slice_scatter", axis, x._shape)] = slice(*(whole("slice_scatter", b) for b in bounds))
    return _in_part("slice_scatter", x, value, tuple(key))


def diagonal_scatter(
    x: Tensor, y: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1, name: str | None = None
) -> Tensor:
    """x with y, of its shape, in the place of ``diagonal(x, offset, axis1, axis2)``."""
    places = np.diagonal(places_of(tensor("diagonal_scatter", x)), offset, axis1, axis2)
    if list(y._shape) != list(places.shape):
        raise ShapeError(message("diagonal_scatter(y)", f"shape {list(y._shape)}", f"{list(places.shape)}"))
    return _put("diagonal_scatter", x, y, places)


def fill_diagonal(x: Tensor, value: Any, offset: int = 0, wrap: bool = False) -> Tensor:
    """x with one number on its diagonal (all axes alike); wrap: in a tall matrix once more below. For ``fill_diagonal_``."""
    rows, columns = x._shape[0], x._shape[-1]
    step = sum(int(np.prod(x._shape[i + 1 :])) for i in range(len(x._shape)))
    end = None if wrap or rows <= columns or len(x._shape) > 2 else columns * columns
    flat = np.arange(x.size)[:end:step]
    if offset:
        inside_row = flat % columns + offset
        flat = (flat + offset)[(inside_row >= 0) & (inside_row < columns)]
    return _put("fill_diagonal", x, value, flat)


def fill_diagonal_tensor(
    x: Tensor, y: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1, name: str | None = None
) -> Tensor:
    """x with y on the diagonal of the axes dim1 and dim2: as ``diagonal_scatter``."""
    return diagonal_scatter(x, y, offset, dim1, dim2)
