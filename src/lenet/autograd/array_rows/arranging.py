"""More functions that only move elements: diagonals, turning, windows, splitting and joining. Most are ``moved.picked``."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lenet.autograd.array_rows.arithmetic import multiply
from lenet.autograd.array_rows.elementwise import clone
from lenet.autograd.array_rows.indexing import take_along_axis
from lenet.autograd.array_rows.moved import picked, places_of, written
from lenet.autograd.array_rows.reductions import sum as _sum
from lenet.autograd.array_rows.row import Array, tensor, tensors, whole
from lenet.autograd.array_rows.shapes import (
    broadcast_to,
    concat,
    diag,
    flatten,
    flip,
    reshape,
    stack,
    transpose,
)  # fmt: skip
from lenet.autograd.dtype import DType, dtype_of
from lenet.autograd.table import check_axis
from lenet.autograd.tape import call
from lenet.autograd.tensor import Size, Tensor, dense, to_tensor
from lenet.messages.check import ShapeError, choice, message

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "broadcast_shape", "broadcast_shapes",
    "broadcast_tensors", "cartesian_prod", "cat", "column_stack", "combinations", "concatenate", "crop", "diag_embed",
    "diagflat", "diagonal", "dsplit", "dstack", "hsplit", "hstack", "matrix_transpose", "multiplex", "narrow", "permute",
    "ravel", "reduce_as", "repeat_interleave", "reverse", "rot90", "row_stack", "shard_index", "strided_slice", "swapaxes",
    "swapdims", "take", "take_along_dim", "tensor_split", "tolist", "trace", "unflatten", "unfold", "vander", "view",
    "view_as", "vsplit", "vstack",
]  # fmt: skip


# ---- diagonals -----------------------------------------------------------------------------------------------------------


def diagonal(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1, name: str | None = None) -> Tensor:
    """The diagonal of the axes axis1 and axis2, as a last axis; offset: how far above the main one."""
    x = tensor("diagonal", x)
    first, second = (check_axis("diagonal", a, x._shape) for a in (axis1, axis2))
    if first == second:
        raise ValueError(message("diagonal", f"axes {axis1} and {axis2}", "two different axes"))
    return picked(x, lambda places: np.diagonal(places, whole("diagonal(offset)", offset), first, second))


def trace(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1, name: str | None = None) -> Tensor:
    """The sum of ``diagonal``."""
    return _sum(diagonal(x, offset, axis1, axis2), -1)


def diagflat(x: Tensor, offset: int = 0, name: str | None = None) -> Tensor:
    """x, flat, as a matrix's diagonal; offset: how far above the main one."""
    return diag(reshape(tensor("diagflat", x), [-1]), offset)


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """input's last axis as the diagonal of two axes, dim1 and dim2 of the result; zeros elsewhere."""
    x = tensor("diag_embed", input)
    n = x._shape[-1] + abs(offset)
    rank = len(x._shape) + 1
    first, second = (check_axis("diag_embed", d, (1,) * rank) for d in (dim1, dim2))
    if first == second:
        raise ValueError(message("diag_embed", f"axes {dim1} and {dim2}", "two different axes"))
    shape = list(x._shape[:-1])
    for at in sorted((first, second)):
        shape.insert(at, n)
    empty = dense(np.zeros(shape, x._dtype))
    return written(empty, x, np.diagonal(places_of(empty), offset, first, second))


def block_diag(inputs: Sequence[Tensor], name: str | None = None) -> Tensor:
    """Matrices (vectors as rows, numbers as 1×1) along the diagonal of one; zeros elsewhere."""
    parts = [reshape(t, [1, -1]) if len(t._shape) < 2 else t for t in tensors("block_diag", inputs)]
    if any(len(t._shape) > 2 for t in parts):
        raise ShapeError(message("block_diag", f"shapes {[list(t._shape) for t in parts]}", "at most two axes"))
    out = dense(np.zeros(np.sum([t._shape for t in parts], 0), np.result_type(*(t._dtype for t in parts))))
    row = column = 0
    for t in parts:
        height, width = t._shape
        out = written(out, t, places_of(out)[row : row + height, column : column + width])
        row, column = row + height, column + width
    return out


# ---- turned and swapped --------------------------------------------------------------------------------------------------


def rot90(x: Tensor, k: int = 1, axes: Sequence[int] = (0, 1), name: str | None = None) -> Tensor:
    """x turned k quarters from the first of axes towards the second."""
    x = tensor("rot90", x)
    if len(axes) != 2 or len(x._shape) < 2:
        given = f"axes {list(axes)} of a tensor of shape {list(x._shape)}"
        raise ValueError(message("rot90", given, "two axes"))
    first, second = (check_axis("rot90", a, x._shape) for a in axes)
    if first == second:
        raise ValueError(message("rot90", f"axes {list(axes)}", "two different axes"))
    return picked(x, lambda places: np.rot90(places, whole("rot90(k)", k), (first, second)))


def swapaxes(x: Tensor, axis0: Any, axis1: Any, name: str | None = None) -> Tensor:
    """x with two axes in each other's place."""
    first, second = (check_axis("swapaxes", a, x._shape) for a in (axis0, axis1))
    order = list(range(len(x._shape)))
    order[first], order[second] = second, first
    return transpose(x, order)


swapdims = swapaxes


def permute(input: Tensor, *dims: Any) -> Tensor:
    """The axes in another order, ``permute(x, [1, 0])`` or ``x.permute(1, 0)``."""
    return transpose(input, dims[0] if len(dims) == 1 and isinstance(dims[0], (list, tuple)) else dims)


def matrix_transpose(x: Tensor, name: str | None = None) -> Tensor:
    """x with its last two axes swapped."""
    if len(x._shape) < 2:
        raise ShapeError(message("matrix_transpose", f"a tensor of shape {list(x._shape)}", "[..., M, N]"))
    return swapaxes(x, -2, -1)


def reverse(x: Tensor, axis: Any, name: str | None = None) -> Tensor:
    """x in reverse order along an axis or several: ``flip``."""
    return flip(x, axis)


# ---- other shapes --------------------------------------------------------------------------------------------------------


def ravel(input: Tensor) -> Tensor:
    """The flat tensor."""
    return flatten(input) if tensor("ravel", input)._shape else reshape(input, [1])


def view(x: Tensor, *shape_or_dtype: Any, name: str | None = None) -> Tensor:
    """x in another shape, a copy; or its bytes as another dtype of the same width, or any for the last axis."""
    given = shape_or_dtype[0] if len(shape_or_dtype) == 1 else list(shape_or_dtype)
    if isinstance(given, (str, DType, np.dtype, type)):
        return dense(tensor("view", x).data_array().view(dtype_of(given).numpy).copy())
    return reshape(x, list(given) if isinstance(given, (list, tuple)) else given)


def view_as(x: Tensor, other: Tensor, name: str | None = None) -> Tensor:
    """x in other's shape."""
    return reshape(x, list(other._shape))


def unflatten(x: Tensor, axis: Any, shape: Any, name: str | None = None) -> Tensor:
    """x with one axis parted into several, of these lengths; -1 for one to work out."""
    at = check_axis("unflatten", axis, x._shape)
    lengths = shape.tolist() if isinstance(shape, Tensor) else [whole("unflatten(shape)", s) for s in shape]
    return reshape(x, [*x._shape[:at], *lengths, *x._shape[at + 1 :]])


def _at_least(what: str, count: int, inputs: tuple[Any, ...]) -> Any:
    given = inputs[0] if len(inputs) == 1 and isinstance(inputs[0], (list, tuple)) else inputs
    made = []
    for t in given:
        x = t if isinstance(t, Tensor) else to_tensor(t)
        shape = list(x._shape)
        if len(shape) < count:
            shape = [1] * (min(count, 2) - len(shape)) + shape if len(shape) < 2 else shape
            if count == 3:
                shape = [*shape, 1]
            x = reshape(x, shape)
        made.append(x)
    return made[0] if len(made) == 1 else made


def atleast_1d(*inputs: Any, name: str | None = None) -> Any:
    """Each tensor, a number as [1]."""
    return _at_least("atleast_1d", 1, inputs)


def atleast_2d(*inputs: Any, name: str | None = None) -> Any:
    """Each tensor, numbers and vectors as [1, N]."""
    return _at_least("atleast_2d", 2, inputs)


def atleast_3d(*inputs: Any, name: str | None = None) -> Any:
    """Each tensor, vectors as [1, N, 1] and matrices as [M, N, 1]."""
    return _at_least("atleast_3d", 3, inputs)


def tolist(x: Tensor) -> Any:
    """Nested lists of Python numbers."""
    return x.tolist()


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


# ---- repeated, windowed, picked ------------------------------------------------------------------------------------------


def repeat_interleave(
    x: Tensor, repeats: Any, axis: Any = None, name: str | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each element of the flat tensor (axis None), or each slice along an axis, so many times; repeats: a number or one each."""
    x = tensor("repeat_interleave", x)
    if axis is None:
        x, axis = reshape(x, [-1]), 0
    at = check_axis("repeat_interleave", axis, x._shape)
    times: Any = repeats.data_array() if isinstance(repeats, Tensor) else repeats
    if np.ndim(times) and np.size(times) not in (1, x._shape[at]):
        given = f"{np.size(times)} numbers for an axis of {x._shape[at]}"
        raise ValueError(message("repeat_interleave(repeats)", given, "one number, or one an element"))
    return picked(x, lambda places: np.repeat(places, times, at))


def unfold(x: Tensor, axis: Any, size: Any, step: Any, name: str | None = None) -> Tensor:
    """All windows of ``size`` elements along an axis, ``step`` apart; the window's elements are a last axis."""
    x = tensor("unfold", x)
    at = check_axis("unfold", axis, x._shape)
    length, by = whole("unfold(size)", size), whole("unfold(step)", step)
    if not x._shape or length > x._shape[at] or length < 0 or by < 1:
        given = f"windows of {length} every {by} of a tensor of shape {list(x._shape)}"
        raise ValueError(message("unfold", given, "windows that fit, and a step of at least 1"))

    def windows(places: Array) -> Array:
        found = np.lib.stride_tricks.sliding_window_view(places, length, axis=at)
        return found[(slice(None),) * at + (slice(None, None, by),)]

    return picked(x, windows)


def take(x: Tensor, index: Tensor, mode: str = "raise", name: str | None = None) -> Tensor:
    """Elements of the flat tensor in index's shape; mode: numbers beyond it 'raise', or 'wrap' around, or are 'clip'ped."""
    choice("take(mode)", mode, ("raise", "wrap", "clip"))
    x, numbers = tensor("take", x), tensor("take(index)", index).data_array()
    if numbers.dtype.kind not in "iu":
        raise TypeError(message("take(index)", f"a tensor of {numbers.dtype}", "whole numbers"))
    if mode == "raise" and numbers.size and not -x.size <= numbers.min() <= numbers.max() < x.size:
        raise ValueError(message("take(index)", f"{numbers.min()} to {numbers.max()}", f"{-x.size} to {x.size - 1}"))
    how: Any = mode if mode != "raise" else "wrap"
    return picked(x, lambda places: np.take(places.reshape(-1), numbers, mode=how))


def take_along_dim(arr: Tensor, indices: Tensor, axis: Any, broadcast: bool = True, *, out: None = None) -> Tensor:
    """``take_along_axis``."""
    return take_along_axis(arr, indices, axis, broadcast)


def multiplex(inputs: Sequence[Tensor], index: Tensor, name: str | None = None) -> Tensor:
    """Row i of the result is row i of the tensor that index[i] names; inputs have one shape [N, …]."""
    parts = tensors("multiplex", inputs)
    numbers = index.data_array().reshape(-1)
    if numbers.size and not 0 <= numbers.min() <= numbers.max() < len(parts):
        raise ValueError(message("multiplex(index)", numbers.max(), f"numbers from 0 to {len(parts) - 1}"))
    return call("getitem", stack(parts, 0), key=(numbers, np.arange(numbers.size)))


def cartesian_prod(x: Sequence[Tensor], name: str | None = None) -> Tensor:
    """Every combination of an element of each vector: [n1 · n2 · …, vectors]; of a single vector itself."""
    parts = tensors("cartesian_prod", x)
    if len(parts) == 1:
        return multiply(parts[0], 1)
    grids = np.meshgrid(*(np.arange(t.size) for t in parts), indexing="ij")
    return stack([call("getitem", t, key=g.reshape(-1)) for t, g in zip(parts, grids, strict=True)], 1)


def combinations(x: Tensor, r: int = 2, with_replacement: bool = False, name: str | None = None) -> Tensor:
    """Every choice of r elements of a vector, in order: [choices, r]; with_replacement: also of one twice."""
    x = tensor("combinations", x)
    if len(x._shape) != 1:
        raise ShapeError(message("combinations", f"a tensor of shape {list(x._shape)}", "a vector [n]"))
    count = whole("combinations(r)", r)
    if count < 0:
        raise ValueError(message("combinations(r)", count, "a whole number of at least 0"))
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    found = np.array(list(choose(range(x.size), count)), np.intp).reshape(-1, count)
    return picked(x, lambda _: found) if count else dense(np.zeros((0,), x._dtype))


def vander(x: Tensor, n: int | None = None, increasing: bool = False, name: str | None = None) -> Tensor:
    """The powers of a vector's elements as columns, from n - 1 down to 0, or up from 0; n: the vector's length if None."""
    x = tensor("vander", x)
    if len(x._shape) != 1:
        raise ShapeError(message("vander", f"a tensor of shape {list(x._shape)}", "a vector [n]"))
    count = x.size if n is None else whole("vander(n)", n)
    if count < 0:
        raise ValueError(message("vander(n)", count, "a whole number of at least 0"))
    powers = range(count) if increasing else range(count - 1, -1, -1)
    columns = [dense(np.ones(x._shape, x._dtype)) if p == 0 else x if p == 1 else x**p for p in powers]
    return stack(columns, 1) if columns else dense(np.zeros((x.size, 0), x._dtype))


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
