"""Tensors put side by side and cut apart, and what their shapes have in common."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lenet.autograd.array_rows.arranging import atleast_2d, atleast_3d
from lenet.autograd.array_rows.elementwise import clone
from lenet.autograd.array_rows.moved import picked
from lenet.autograd.array_rows.reductions import sum as _sum
from lenet.autograd.array_rows.row import tensor, tensors, whole
from lenet.autograd.array_rows.shapes import broadcast_to, concat, reshape
from lenet.autograd.table import check_axis
from lenet.autograd.tensor import Size, Tensor, dense
from lenet.messages.check import ShapeError, message

__all__ = [
    "broadcast_shape", "broadcast_shapes", "broadcast_tensors", "cat", "column_stack", "concatenate", "crop",
    "dsplit", "dstack", "hsplit", "hstack", "narrow", "reduce_as", "row_stack", "shard_index", "strided_slice",
    "tensor_split", "vsplit", "vstack",
]  # fmt: skip


# ---- joined --------------------------------------------------------------------------------------------------------------


def hstack(x: Sequence[Tensor], name: str | None = None) -> Tensor:
    """Tensors side by side: along the second axis, vectors along their only one."""
    parts = [reshape(t, [1]) if not t._shape else t for t in tensors("hstack", x)]
    return concat(parts, 0 if len(parts[0]._shape) == 1 else 1)


def vstack(x: Sequence[Tensor], name: str | None = None) -> Tensor:
    """Tensors below one another; vectors are rows."""
    found = atleast_2d(*tensors("vstack", x))
    return concat(found if isinstance(found, list) else [found], 0)


row_stack = vstack


def dstack(x: Sequence[Tensor], name: str | None = None) -> Tensor:
    """Tensors behind one another: along the third axis."""
    found = atleast_3d(*tensors("dstack", x))
    return concat(found if isinstance(found, list) else [found], 2)


def column_stack(x: Sequence[Tensor], name: str | None = None) -> Tensor:
    """Tensors side by side; vectors are columns."""
    return hstack([reshape(t, [-1, 1]) if len(t._shape) < 2 else t for t in tensors("column_stack", x)])


def cat(x: Sequence[Tensor], axis: Any = 0, name: str | None = None, *, out: None = None) -> Tensor:
    """Tensors joined along an axis that exists: ``concat``."""
    return concat(x, axis)


concatenate = cat


# ---- parted --------------------------------------------------------------------------------------------------------------


def tensor_split(x: Tensor, num_or_indices: Any, axis: Any = 0, name: str | None = None) -> list[Tensor]:
    """x cut along an axis into so many parts as equal as can be, or before each of these indices."""
    x = tensor("tensor_split", x)
    if not x._shape:
        raise ShapeError(message("tensor_split", "a 0-D tensor", "at least one axis"))
    at = check_axis("tensor_split", axis, x._shape)
    length = x._shape[at]
    if isinstance(num_or_indices, (list, tuple)):
        ends = [0, *(whole("tensor_split(num_or_indices)", i) for i in num_or_indices), length]
    else:
        parts = whole("tensor_split(num_or_indices)", num_or_indices)
        if parts < 1:
            raise ValueError(message("tensor_split(num_or_indices)", parts, "at least 1 part"))
        base, more = divmod(length, parts)
        ends = [0, *itertools.accumulate(base + (i < more) for i in range(parts))]
    before: tuple[Any, ...] = (slice(None),) * at
    return [x[before + (slice(a, b),)] for a, b in itertools.pairwise(ends)]  # noqa: RUF005 - Python 3.10


def _split_along(what: str, axis: int, rank: int, x: Tensor, how: Any) -> list[Tensor]:
    if len(tensor(what, x)._shape) < rank:
        raise ShapeError(message(what, f"a tensor of shape {list(x._shape)}", f"at least {rank} axes"))
    return tensor_split(x, how, axis)


def hsplit(x: Tensor, num_or_indices: Any, name: str | None = None) -> list[Tensor]:
    """``tensor_split`` along the second axis, of a vector along its only one."""
    return _split_along("hsplit", 1 if len(x._shape) > 1 else 0, 1, x, num_or_indices)


def vsplit(x: Tensor, num_or_indices: Any, name: str | None = None) -> list[Tensor]:
    """``tensor_split`` along the first axis of at least two."""
    return _split_along("vsplit", 0, 2, x, num_or_indices)


def dsplit(x: Tensor, num_or_indices: Any, name: str | None = None) -> list[Tensor]:
    """``tensor_split`` along the third axis."""
    return _split_along("dsplit", 2, 3, x, num_or_indices)


def narrow(input: Tensor, dim: Any, start: Any, length: Any) -> Tensor:
    """``length`` elements along an axis, from ``start`` on. ValueError beyond the axis."""
    at = check_axis("narrow", dim, input._shape)
    first, count, full = whole("narrow(start)", start), whole("narrow(length)", length), input._shape[at]
    first = first + full if first < 0 else first
    if count < 0 or not 0 <= first <= full or first + count > full:
        raise ValueError(message("narrow", f"{count} elements from {start} on", f"a part of an axis of {full}"))
    key: tuple[Any, ...] = (*(slice(None),) * at, slice(first, first + count))
    return input[key]


def strided_slice(
    x: Tensor, axes: Sequence[int], starts: Any, ends: Any, strides: Any, name: str | None = None
) -> Tensor:
    """x from starts to ends (not included) in steps of strides along each of axes, whole along the others."""
    x = tensor("strided_slice", x)
    key: list[Any] = [slice(None)] * len(x._shape)
    bounds = (v.tolist() if isinstance(v, Tensor) else v for v in (starts, ends, strides))
    for axis, first, last, step in zip(axes, *bounds, strict=True):
        at = check_axis("strided_slice", axis, x._shape)
        a, b, c = (whole("strided_slice", v) for v in (first, last, step))
        if c < 0 and b < -x._shape[at]:
            key[at] = slice(a, None, c)
        else:
            key[at] = slice(a, b, c)
    return picked(x, lambda places: places[tuple(key)])


def crop(x: Tensor, shape: Any = None, offsets: Any = None, name: str | None = None) -> Tensor:
    """The part of x of ``shape`` that begins at ``offsets`` (zeros if None); -1: up to the axis' end."""
    x = tensor("crop", x)
    rank = len(x._shape)

    def numbers(value: Any, usual: int) -> list[int]:
        if value is None:
            return [usual] * rank
        return value.tolist() if isinstance(value, Tensor) else [whole("crop", v) for v in value]

    first, lengths = numbers(offsets, 0), numbers(shape, -1)
    ends = [n if s == -1 else f + s for f, s, n in zip(first, lengths, x._shape, strict=True)]
    if any(not 0 <= f <= e <= n for f, e, n in zip(first, ends, x._shape, strict=True)):
        given = f"shape {lengths} at {first} of a tensor of shape {list(x._shape)}"
        raise ValueError(message("crop", given, "a part inside it"))
    return x[tuple(slice(f, e) for f, e in zip(first, ends, strict=True))]


# ---- shapes --------------------------------------------------------------------------------------------------------------


def broadcast_shapes(*shapes: Any) -> list[int]:
    """The shape that all of these broadcast to. ValueError where they don't."""
    try:
        return Size(np.broadcast_shapes(*(tuple(s) for s in shapes)))
    except ValueError:
        given = f"shapes {[list(s) for s in shapes]}"
        expected = "shapes that are equal, or 1, axis by axis from the right"
        raise ShapeError(message("broadcast_shape", given, expected)) from None


def broadcast_shape(x_shape: Any, y_shape: Any) -> list[int]:
    """The shape that these two broadcast to."""
    return broadcast_shapes(x_shape, y_shape)


def broadcast_tensors(input: Sequence[Tensor], name: str | None = None) -> list[Tensor]:
    """The tensors repeated to the shape that they broadcast to."""
    parts = tensors("broadcast_tensors", input)
    full = broadcast_shapes(*(t._shape for t in parts))
    return [broadcast_to(t, full) for t in parts]


def reduce_as(x: Tensor, target: Tensor, name: str | None = None) -> Tensor:
    """x summed over the axes that broadcasting target to its shape had added."""
    extra = len(x._shape) - len(target._shape)
    over = [i for i, n in enumerate(x._shape) if i < extra or (target._shape[i - extra] == 1 and n != 1)]
    found = _sum(x, over, keepdim=True) if over else clone(x)
    return reshape(found, list(target._shape))


def shard_index(input: Tensor, index_num: int, nshards: int, shard_id: int, ignore_value: int = -1) -> Tensor:
    """Numbers from 0 to index_num - 1 counted within shard shard_id of nshards; ignore_value for those of others."""
    x = tensor("shard_index", input)
    if not 0 <= shard_id < nshards:
        raise ValueError(message("shard_index(shard_id)", shard_id, f"0 to {nshards - 1}"))
    size = math.ceil(index_num / nshards)
    data = x.data_array()
    return dense(np.where(data // size == shard_id, data % size, ignore_value).astype(x._dtype))
