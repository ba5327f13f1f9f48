"""Array rows that pick elements: ``x[...]``, gather, where, masks, sorting and searching.

Indices are whole numbers and have no gradient; what they pick has.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lenet.autograd import dtype as _dtype
from lenet.autograd.array_rows.arithmetic import add, multiply
from lenet.autograd.array_rows.row import Array, array_row, axes, cast, fit, floating, operand, tensor, whole
from lenet.autograd.array_rows.shapes import reshape, squeeze
from lenet.autograd.table import Attrs, check_axis
from lenet.autograd.tape import call
from lenet.autograd.tensor import Tensor, dense, to_tensor
from lenet.messages.check import ShapeError, choice, message

__all__ = [
    "argmax", "argmin", "argsort", "gather", "gather_nd", "index_sample", "index_select", "masked_select", "median",
    "nonzero", "sort", "take_along_axis", "topk", "unique", "where",
]  # fmt: skip


# ---- x[...] --------------------------------------------------------------------------------------------------------------


def _getitem_gradient(dy: Array, y: Array, a: tuple[Array], at: Attrs) -> tuple[Array]:
    out, key = np.zeros_like(a[0]), at["key"]
    if all(isinstance(k, (int, slice, type(None), type(...))) for k in (key if isinstance(key, tuple) else (key,))):
        out[key] = dy  # no element twice
    else:
        np.add.at(out, key, dy)
    return (out,)


array_row("getitem", lambda x, key: np.asarray(x[key]), _getitem_gradient)


def _plain(key: Any) -> Any:
    if isinstance(key, tuple):
        return tuple(_plain(k) for k in key)
    if isinstance(key, slice):
        return slice(*(_plain(k) for k in (key.start, key.stop, key.step)))
    if isinstance(key, Tensor):
        array = key.data_array()
        return int(array) if not array.shape and array.dtype.kind in "iu" else array
    return key


def getitem(x: Tensor, key: Any) -> Tensor:
    """``x[key]``; IndexError for an index outside the tensor."""
    try:
        return call("getitem", x, key=_plain(key))
    except IndexError:
        given = f"index {key!r} of a tensor of shape {list(x._shape)}"
        raise IndexError(message("tensor[...]", given, "an index inside the tensor")) from None


def _with(x: Array, value: Array, key: Any) -> Array:
    new = x.copy()
    new[key] = value
    return new


def _with_gradient(dy: Array, y: Array, xv: tuple[Array, Array], at: Attrs) -> tuple[Array, Array]:
    dx = dy.copy()
    dx[at["key"]] = 0
    return dx, fit(dy[at["key"]], xv[1])


array_row("setitem", _with, _with_gradient)


def with_item(x: Tensor, key: Any, value: Any) -> Tensor:
    """A tensor like x in which ``value`` stands at ``key``: what ``x[key] = value`` writes into x."""
    plain = _plain(key)
    new = value if isinstance(value, Tensor) else to_tensor(value)
    try:
        return call("setitem", x, cast(new, x._dtype), key=plain)
    except IndexError:
        given = f"index {key!r} of a tensor of shape {list(x._shape)}"
        raise IndexError(message("tensor[...] = value", given, "an index inside the tensor")) from None
    except ValueError:
        given = f"a value of shape {list(new._shape)}"
        expected = f"one that fits {list(x.data_array()[plain].shape)}"
        raise ShapeError(message("tensor[...] = value", given, expected)) from None


def numbers_of(what: str, index: Any) -> Array:
    found = tensor(what, index).data_array()
    if found.dtype.kind not in "iu":
        raise TypeError(message(f"{what}(index)", f"a tensor of {found.dtype}", "whole numbers"))
    return found


def inside(what: str, index: Array, length: int) -> Array:
    if index.size and (index.min() < -length or index.max() >= length):
        wrong = index[(index < -length) | (index >= length)].flat[0]
        raise IndexError(message(f"{what}(index)", wrong, f"numbers from {-length} to {length - 1}"))
    return index


def gather(x: Tensor, index: Tensor, axis: Any = None, name: str | None = None) -> Tensor:
    """The slices of x with these numbers along an axis (0 if None). index: whole numbers [n], or one, which drops the axis."""
    x = tensor("gather", x)
    at = check_axis("gather", 0 if axis is None else axis, x._shape)
    found = inside("gather", numbers_of("gather", index), x._shape[at])
    if found.ndim > 1:
        found = found.reshape(-1)
    return call("getitem", x, key=(*(slice(None),) * at, found))


def index_select(x: Tensor, index: Tensor, axis: Any = 0, name: str | None = None) -> Tensor:
    """The slices of x with these numbers along an axis. index: whole numbers [n]."""
    if len(tensor("index_select", index)._shape) != 1:
        raise ShapeError(message("index_select(index)", f"shape {list(index._shape)}", "[n]"))
    return gather(x, index, axis)


def gather_nd(x: Tensor, index: Tensor, name: str | None = None) -> Tensor:
    """What stands at each index: index [..., k] names places in the first k axes of x. The result is [..., rest of x]."""
    found = numbers_of("gather_nd", index)
    if not found.shape or found.shape[-1] > len(x._shape):
        given = f"index {list(found.shape)} for a tensor of shape {list(x._shape)}"
        raise ShapeError(message("gather_nd", given, f"a last axis of at most {len(x._shape)}"))
    for k, length in enumerate(x._shape[: found.shape[-1]]):
        inside("gather_nd", found[..., k], length)
    return call("getitem", x, key=tuple(np.moveaxis(found, -1, 0)))


def _take_gradient(dy: Array, y: Array, a: tuple[Array], at: Attrs) -> tuple[Array]:
    out = np.zeros_like(a[0])
    places = list(np.indices(at["index"].shape, sparse=True))
    places[at["axis"]] = at["index"]
    np.add.at(out, tuple(places), dy)
    return (out,)


array_row("take_along_axis", lambda x, index, axis: np.take_along_axis(x, index, axis), _take_gradient)


def take_along_axis(arr: Tensor, indices: Tensor, axis: int, broadcast: bool = True) -> Tensor:
    """From each line of arr along an axis the elements with the numbers in indices, a tensor of as many axes.

    broadcast: the other axes of indices may be 1 where arr's aren't, and the other way round.
    """
    x, found = tensor("take_along_axis", arr), numbers_of("take_along_axis", indices)
    at = check_axis("take_along_axis", axis, x._shape)
    if found.ndim != len(x._shape):
        given = f"indices {list(found.shape)} for a tensor of shape {list(x._shape)}"
        raise ShapeError(message("take_along_axis", given, f"{len(x._shape)} axes"))
    inside("take_along_axis", found, x._shape[at])
    if broadcast:
        lengths = [s if i != at else found.shape[at] for i, s in enumerate(x._shape)]
        found = np.broadcast_to(found, lengths)
    return call("take_along_axis", x, index=np.ascontiguousarray(found), axis=at)


def index_sample(x: Tensor, index: Tensor) -> Tensor:
    """Row by row the elements of x [N, M] with the numbers in index [N, K]: [N, K]."""
    return take_along_axis(x, index, 1, broadcast=False)


# ---- masks ---------------------------------------------------------------------------------------------------------------


def mask_of(what: str, mask: Any) -> Tensor:
    found = tensor(what, mask)
    if found._dtype != np.bool_:
        fix = "Compare to get one, as in x > 0"
        raise TypeError(message(what, f"a tensor of {found._dtype}", "a bool tensor", fix))
    return found


def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
    """The elements of x where mask is True, in order, as a vector. mask: bool, broadcast with x."""
    x, mask = tensor("masked_select", x), mask_of("masked_select(mask)", mask)
    full = np.broadcast_shapes(x._shape, mask._shape)
    if x._shape != full:
        x = call("expand", x, shape=full)
    return call("getitem", x, key=np.broadcast_to(mask.data_array(), full))


array_row(
    "where",
    lambda a, b, mask: np.where(mask, a, b),
    lambda dy, y, ab, at: (fit(dy * at["mask"], ab[0]), fit(dy * ~at["mask"], ab[1])),
)


def where(condition: Tensor, x: Any = None, y: Any = None, name: str | None = None) -> Any:
    """x where condition (bool) is True, y elsewhere, broadcast; with condition alone ``nonzero(condition, as_tuple=True)``."""
    if x is None and y is None:
        return nonzero(condition, as_tuple=True)
    if x is None or y is None:
        raise ValueError(message("where", "only one of x and y", "both, or neither"))
    mask = mask_of("where(condition)", condition).data_array()
    a = x if isinstance(x, Tensor) else operand("where", x, y if isinstance(y, Tensor) else dense(np.zeros((), "f4")))
    b = operand("where", y, a)
    if a._dtype != b._dtype:
        wide = np.promote_types(a._dtype, b._dtype)
        a, b = cast(a, wide), cast(b, wide)
    try:
        np.broadcast_shapes(mask.shape, a._shape, b._shape)
    except ValueError:
        given = f"shapes {list(mask.shape)}, {list(a._shape)} and {list(b._shape)}"
        raise ShapeError(message("where", given, "shapes that are equal, or 1, axis by axis from the right")) from None
    return call("where", a, b, mask=mask)


def nonzero(x: Tensor, as_tuple: bool = False) -> Any:
    """The places of what isn't 0: int64 [n, axes], or with as_tuple an int64 vector [n] an axis."""
    found = np.nonzero(tensor("nonzero", x).data_array())
    if as_tuple:
        return tuple(dense(np.ascontiguousarray(f, np.int64)) for f in found)
    return dense(np.ascontiguousarray(np.stack(found, 1) if found else np.zeros((0, 0)), np.int64))


# ---- order ---------------------------------------------------------------------------------------------------------------


def argmax(x: Tensor, axis: Any = None, keepdim: bool = False, dtype: Any = "int64", name: str | None = None) -> Tensor:
    """Where the largest element is (the first of equals), along an axis or in the flat tensor (None)."""
    return _arg(np.argmax, "argmax", x, axis, keepdim, dtype)


def argmin(x: Tensor, axis: Any = None, keepdim: bool = False, dtype: Any = "int64", name: str | None = None) -> Tensor:
    """Where the smallest element is (the first of equals), along an axis or in the flat tensor (None)."""
    return _arg(np.argmin, "argmin", x, axis, keepdim, dtype)


def _arg(f: Any, what: str, x: Tensor, axis: Any, keepdim: bool, dtype: Any) -> Tensor:
    at = None if axis is None else check_axis(what, axis, x._shape)
    found = f(x.data_array(), axis=at, keepdims=keepdim)
    return dense(np.asarray(found, _dtype.dtype_of(dtype).numpy))


def argsort(
    x: Tensor, axis: int = -1, descending: bool = False, stable: bool = False, name: str | None = None
) -> Tensor:
    """The order that sorts x along an axis, int64; equals keep their order."""
    data = x.data_array()
    if not x._shape:
        return dense(np.zeros((), np.int64))
    at = check_axis("argsort", axis, x._shape)
    if descending and data.dtype.kind in "bu":
        data = data.astype(np.int64)
    order = np.argsort(-data if descending else data, axis=at if data.ndim else None, kind="stable")
    return dense(np.ascontiguousarray(order, np.int64).reshape(x._shape))


def sort(x: Tensor, axis: int = -1, descending: bool = False, stable: bool = False, name: str | None = None) -> Tensor:
    """x sorted along an axis; gradients follow the elements."""
    if not x._shape:
        return multiply(x, 1)
    at = check_axis("sort", axis, x._shape)
    return call("take_along_axis", x, index=argsort(x, at, descending).data_array(), axis=at)


class TopK(NamedTuple):
    """What ``topk`` gives: the elements, and where they were."""

    values: Tensor
    indices: Tensor


def topk(
    x: Tensor, k: Any, axis: int | None = None, largest: bool = True, sorted: bool = True, name: str | None = None
) -> TopK:
    """The k largest (or smallest) elements along an axis (the last if None) and where they were, int64."""
    if not x._shape:
        return TopK(multiply(x, 1), dense(np.zeros((), np.int64)))
    at = check_axis("topk", -1 if axis is None else axis, x._shape)
    if isinstance(k, Tensor):
        k = whole("topk(k)", k)
    if not isinstance(k, (int, np.integer)) or not 1 <= k <= x._shape[at]:
        raise ValueError(message("topk(k)", k, f"a whole number from 1 to the axis' length {x._shape[at]}"))
    order = np.ascontiguousarray(np.take(argsort(x, at, descending=largest).data_array(), range(k), axis=at))
    return TopK(call("take_along_axis", x, index=order, axis=at), dense(order))


def median(x: Tensor, axis: Any = None, keepdim: bool = False, mode: str = "avg", name: str | None = None) -> Any:
    """The middle of the sorted elements along an axis, or of all (None).

    mode: of an even number 'avg' takes the mean of the two in the middle, 'min' the lower one. With 'min' and an axis a
    pair comes back: the median and where it was, int64. NaN if there is one among them.
    """
    choice("median(mode)", mode, ("avg", "min"))
    x = floating(x, "median") if mode == "avg" else tensor("median", x)
    if not x.size:
        raise ValueError(message("median", f"a tensor of shape {list(x._shape)}", "at least one element"))
    flat = axis is None
    line = reshape(x, [-1]) if flat else x
    at = check_axis("median", 0 if flat else axis, line._shape)
    length, order = line._shape[at], argsort(line, at).data_array()
    nan = np.isnan(line.data_array()).any(axis=at, keepdims=True) if line._dtype.kind == "f" else None

    def ranked(k: int) -> Array:
        place = np.take(order, [k], axis=at)
        if nan is not None and nan.any():  # NaNs are sorted to the end: the first of them
            first = np.argmax(np.isnan(line.data_array()), axis=at, keepdims=True)
            place = np.where(nan, first, place)
        return np.ascontiguousarray(place)

    low = ranked((length - 1) // 2)
    found = call("take_along_axis", line, index=low, axis=at)
    if mode == "avg" and length % 2 == 0:
        other = call("take_along_axis", line, index=ranked(length // 2), axis=at)
        found = multiply(add(found, other), 0.5)
    if flat:
        found = reshape(found, [1] * len(x._shape) if keepdim else [])
    elif not keepdim:
        found = squeeze(found, at)
    if mode == "avg" or flat:
        return found
    return found, dense(low if keepdim else np.ascontiguousarray(low.squeeze(at)))


def unique(
    x: Tensor, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
    axis: Any = None, dtype: Any = "int64", sorted: bool = True, name: str | None = None,
) -> Any:  # fmt: skip
    """The different elements of x in order, or its different slices along an axis; no gradient.

    Asked for, and in this order: where each first stood, which of them each element is, how often each is there.
    """
    x = tensor("unique", x)
    at = axes("unique", x, axis)
    numpy_unique: Any = np.unique
    found = numpy_unique(x.data_array(), return_index, return_inverse, return_counts, axis=at)
    if not isinstance(found, tuple):
        return dense(np.ascontiguousarray(found))
    kind = _dtype.dtype_of(dtype).numpy
    return (dense(np.ascontiguousarray(found[0])), *(dense(np.asarray(f, kind).reshape(-1)) for f in found[1:]))


def one_hot(x: Tensor, num_classes: Any) -> Tensor:
    """For ``nn.functional.one_hot``: float, one axis more; ValueError for a number that is no class."""
    found, classes = numbers_of("one_hot", x), whole("one_hot(num_classes)", num_classes)
    if classes < 1:
        raise ValueError(message("one_hot(num_classes)", classes, "a whole number of at least 1"))
    if found.size and not 0 <= found.min() <= found.max() < classes:
        wrong = found[(found < 0) | (found >= classes)].flat[0]
        raise ValueError(message("one_hot", f"the number {wrong}", f"numbers from 0 to {classes - 1}"))
    return dense((found[..., None] == np.arange(classes)).astype(_dtype._default.numpy))
