"""More functions that only move elements: diagonals, turning, windows, other shapes. Most are ``moved.picked``."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from lenet.autograd.array_rows.arithmetic import multiply
from lenet.autograd.array_rows.indexing import take_along_axis
from lenet.autograd.array_rows.moved import picked, places_of, written
from lenet.autograd.array_rows.reductions import sum as _sum
from lenet.autograd.array_rows.row import Array, cast, tensor, tensors, whole
from lenet.autograd.array_rows.shapes import (
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
from lenet.autograd.tensor import Tensor, dense, to_tensor
from lenet.messages.check import ShapeError, choice, message

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "cartesian_prod", "combinations", "diag_embed",
    "diagflat", "diagonal", "matrix_transpose", "multiplex", "permute", "ravel", "repeat_interleave", "reverse",
    "rot90", "swapaxes", "swapdims", "take", "take_along_dim", "tolist", "trace", "unflatten", "unfold", "vander",
    "view", "view_as",
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
    return cast(_sum(diagonal(x, offset, axis1, axis2), -1), tensor("trace", x)._dtype)


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
