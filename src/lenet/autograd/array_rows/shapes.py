"""Array rows that move elements without computing: axes, joining, parting, repeating. Shapes only; indexing is next door."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lenet.autograd.array_rows.row import Array, array_row, axes, fit, sizes, tensor, tensors, whole
from lenet.autograd.table import Attrs, check_axis
from lenet.autograd.tape import call
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.messages.check import ShapeError, describe, message

__all__ = [
    "broadcast_to", "chunk", "concat", "diag", "expand", "expand_as", "flatten", "flip", "meshgrid", "moveaxis", "numel",
    "rank", "reshape", "roll", "shape", "slice", "split", "squeeze", "stack", "tile", "transpose", "tril", "triu",
    "unbind", "unsqueeze", "unstack",
]  # fmt: skip

builtin_slice = slice


# ---- one tensor, other axes ----------------------------------------------------------------------------------------------

array_row(
    "transpose", lambda x, perm: np.transpose(x, perm), lambda dy, y, a, at: (np.transpose(dy, np.argsort(at["perm"])),)
)


def reshape(x: Tensor, *lengths: Any, shape: Any = None, name: str | None = None) -> Tensor:
    """x in another shape, ``reshape(x, [2, -1])`` or ``x.reshape(2, -1)``; -1 for one size to work out, 0 to keep an axis."""
    wanted = lengths if shape is None else (shape,)
    if len(wanted) == 1 and isinstance(wanted[0], Tensor) and wanted[0]._shape:
        wanted = (wanted[0].data_array().tolist(),)
    if len(wanted) == 1 and isinstance(wanted[0], (list, tuple)):
        wanted = tuple(wanted[0])
    return call("reshape", tensor("reshape", x), shape=tuple(whole("reshape(shape)", s) for s in wanted))


def flatten(x: Tensor, start_axis: int = 0, stop_axis: int = -1, name: str | None = None) -> Tensor:
    """The axes from start_axis to stop_axis joined into one. Note the default start 0; the layer ``Flatten`` starts at 1."""
    if not isinstance(x, Tensor):
        raise TypeError(message("flatten", describe(x), "a lenet Tensor", "Type lenet.to_tensor(x)"))
    return call("flatten", x, start=start_axis, stop=stop_axis)


def transpose(x: Tensor, perm: Sequence[int], name: str | None = None) -> Tensor:
    """x with its axes in the order of perm."""
    order = tuple(int(p) % len(x._shape) if -len(x._shape) <= int(p) < len(x._shape) else -1 for p in perm)
    if sorted(order) != list(range(len(x._shape))):
        raise ValueError(message("transpose(perm)", list(perm), f"each of 0 to {len(x._shape) - 1} once"))
    return call("transpose", x, perm=order)


def moveaxis(x: Tensor, source: Any, destination: Any, name: str | None = None) -> Tensor:
    """x with the axes ``source`` (a number or several) moved to the places ``destination``; the others keep their order."""
    start, end = (
        [check_axis("moveaxis", a, x._shape) for a in (v if isinstance(v, (list, tuple)) else [v])]
        for v in (source, destination)
    )
    if len(start) != len(end) or len(set(start)) != len(start) or len(set(end)) != len(end):
        raise ValueError(message("moveaxis", f"axes {source} to {destination}", "as many places as axes, each once"))
    order = [a for a in range(len(x._shape)) if a not in start]
    for place, axis in sorted(zip(end, start, strict=True)):
        order.insert(place, axis)
    return transpose(x, order)


def unsqueeze(x: Tensor, axis: Any, name: str | None = None) -> Tensor:
    """x with an axis of length 1 put in before ``axis`` (or several)."""
    lengths = list(x._shape)
    if isinstance(axis, Tensor):
        axis = axis.data_array().reshape(-1).tolist()
    for a in [axis] if isinstance(axis, (int, np.integer)) else axis:
        at = whole("unsqueeze(axis)", a)
        if not -len(lengths) - 1 <= at <= len(lengths):
            raise ValueError(
                message("unsqueeze(axis)", at, f"a whole number from {-len(lengths) - 1} to {len(lengths)}")
            )
        lengths.insert(at % (len(lengths) + 1), 1)
    return reshape(x, lengths) if 0 not in lengths else _emptily(x, lengths)


def squeeze(x: Tensor, axis: Any = None, name: str | None = None) -> Tensor:
    """x without its axes of length 1, or without those named."""
    chosen = axes("squeeze", x, axis)
    drop = range(len(x._shape)) if chosen is None else [chosen] if isinstance(chosen, int) else chosen
    lengths = [s for i, s in enumerate(x._shape) if i not in drop or s != 1]
    return reshape(x, lengths) if 0 not in lengths else _emptily(x, lengths)


def _emptily(x: Tensor, lengths: list[int]) -> Tensor:
    """A tensor without elements in another shape: in ``reshape`` a 0 means another thing."""
    return to_tensor(x.data_array().reshape(lengths))


# ---- several tensors -----------------------------------------------------------------------------------------------------

array_row(
    "concat",
    lambda *xs, axis: np.concatenate(xs, axis),
    lambda dy, y, xs, at: tuple(np.split(dy, np.cumsum([x.shape[at["axis"]] for x in xs])[:-1], at["axis"])),
)
array_row(
    "stack",
    lambda *xs, axis: np.stack(xs, axis),
    lambda dy, y, xs, at: tuple(np.take(dy, i, at["axis"]) for i in range(len(xs))),
)


def concat(x: Sequence[Tensor], axis: Any = 0, name: str | None = None) -> Tensor:
    """Tensors joined along an axis that exists; ValueError if the other axes differ."""
    x = tensors("concat", x)
    at = check_axis("concat", axis, x[0]._shape)
    if any(t._shape[:at] + t._shape[at + 1 :] != x[0]._shape[:at] + x[0]._shape[at + 1 :] for t in x):
        raise ShapeError(
            message("concat", f"shapes {[list(t._shape) for t in x]}", f"shapes that differ only along axis {at}")
        )
    return call("concat", *x, axis=at)


def stack(x: Sequence[Tensor], axis: Any = 0, name: str | None = None) -> Tensor:
    """Tensors of one shape joined along a new axis; ValueError if the shapes differ."""
    x = tensors("stack", x)
    if any(t._shape != x[0]._shape for t in x):
        raise ShapeError(message("stack", f"shapes {[list(t._shape) for t in x]}", "one shape"))
    return call("stack", *x, axis=check_axis("stack", axis, (*x[0]._shape, 1)))


def meshgrid(*args: Any, name: str | None = None) -> list[Tensor]:
    """From k vectors (or a list of them) k tensors [n1, …, nk], the i-th varying along axis i alone."""
    given = args[0] if len(args) == 1 and isinstance(args[0], (list, tuple)) else args
    vectors = tensors("meshgrid", list(given))
    if any(len(v._shape) > 1 for v in vectors):
        raise ShapeError(message("meshgrid", f"shapes {[list(v._shape) for v in vectors]}", "vectors [n]"))
    full = [v.size for v in vectors]
    return [expand(reshape(v, [-1 if k == i else 1 for k in range(len(full))]), full) for i, v in enumerate(vectors)]


# ---- parting -------------------------------------------------------------------------------------------------------------


def split(x: Tensor, num_or_sections: Any, axis: Any = 0, name: str | None = None) -> list[Tensor]:
    """x cut along an axis: into so many equal parts, or into parts of these lengths, one of which may be -1 for the rest.

    ValueError where the lengths don't add up.
    """
    x = tensor("split", x)
    at = check_axis("split", axis, x._shape)
    length = x._shape[at]
    if isinstance(num_or_sections, (list, tuple)):
        lengths = [whole("split(num_or_sections)", n) for n in num_or_sections]
        if lengths.count(-1) == 1:
            lengths[lengths.index(-1)] = length - sum(n for n in lengths if n != -1)
        if sum(lengths) != length or min(lengths, default=0) < 0:
            given = f"parts {list(num_or_sections)} of an axis of {length}"
            raise ValueError(message("split", given, f"lengths that add up to {length}"))
    else:
        parts = whole("split(num_or_sections)", num_or_sections)
        if parts < 1 or length % parts:
            raise ValueError(message("split", f"{parts} equal parts of an axis of {length}", f"a divisor of {length}"))
        lengths = [length // parts] * parts
    ends = np.cumsum([0, *lengths]).tolist()
    before: tuple[Any, ...] = (builtin_slice(None),) * at
    return [x[before + (builtin_slice(a, b),)] for a, b in itertools.pairwise(ends)]  # noqa: RUF005 - Python 3.10


def chunk(x: Tensor, chunks: int, axis: Any = 0, name: str | None = None) -> list[Tensor]:
    """x cut along an axis into so many equal parts (ValueError where it doesn't go)."""
    return split(x, chunks, axis)


def unbind(input: Tensor, axis: Any = 0) -> list[Tensor]:
    """The slices of a tensor along an axis, without that axis."""
    x = tensor("unbind", input)
    at = check_axis("unbind", axis, x._shape)
    before: tuple[Any, ...] = (builtin_slice(None),) * at
    return [x[before + (i,)] for i in range(x._shape[at])]  # noqa: RUF005


def unstack(x: Tensor, axis: Any = 0, num: int | None = None) -> list[Tensor]:
    """The slices of x along an axis, without that axis. num: how many there are, checked (ValueError)."""
    found = unbind(x, axis)
    if num is not None and num != len(found):
        raise ValueError(message("unstack(num)", num, f"the axis' length {len(found)}"))
    return found


def slice(input: Tensor, axes: Sequence[int], starts: Any, ends: Any) -> Tensor:
    """input from starts to ends (not included) along each of axes, whole along the others. Bounds beyond it are cut."""
    x = tensor("slice", input)
    firsts, lasts = (v.data_array().tolist() if isinstance(v, Tensor) else list(v) for v in (starts, ends))
    if not len(axes) == len(firsts) == len(lasts):
        given = f"{len(axes)} axes, {len(firsts)} starts and {len(lasts)} ends"
        raise ValueError(message("slice", given, "one start and one end an axis"))
    key: list[Any] = [builtin_slice(None)] * len(x._shape)
    for axis, first, last in zip(axes, firsts, lasts, strict=True):
        at = check_axis("slice", axis, x._shape)
        key[at] = builtin_slice(whole("slice(starts)", first), whole("slice(ends)", last))
    return x[tuple(key)]


# ---- repeating -----------------------------------------------------------------------------------------------------------

array_row("expand", lambda x, shape: np.broadcast_to(x, shape), lambda dy, y, a, at: (fit(dy, a[0]),))


def expand(x: Tensor, shape: Any, name: str | None = None) -> Tensor:
    """x repeated along its axes of length 1, and along new axes in front, to ``shape``; -1 keeps an axis."""
    x = tensor("expand", x)
    if isinstance(shape, Tensor):
        shape = shape.data_array().reshape(-1).tolist()
    wanted = [whole("expand(shape)", s) for s in shape]
    extra = len(wanted) - len(x._shape)
    full = [x._shape[i - extra] if s == -1 and i >= extra else s for i, s in enumerate(wanted)]
    fits = extra >= 0 and min(full, default=0) >= 0
    if not fits or any(s not in (1, n) for s, n in zip(x._shape, full[extra:], strict=True)):
        given = f"shape {wanted} for a tensor of shape {list(x._shape)}"
        raise ShapeError(message("expand", given, "the same lengths, or any where the tensor has 1"))
    return call("expand", x, shape=tuple(full))


def broadcast_to(x: Tensor, shape: Any, name: str | None = None) -> Tensor:
    """x repeated along its axes of length 1, and along new axes in front, to ``shape``; -1 keeps an axis."""
    return expand(x, shape)


def expand_as(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    """x repeated to the shape of y, as ``expand``."""
    return expand(x, list(y._shape))


def _tile_gradient(dy: Array, y: Array, a: tuple[Array], at: Attrs) -> tuple[Array]:
    x, times = a[0], at["times"]
    lengths = (1,) * (len(times) - x.ndim) + x.shape
    parted = dy.reshape([n for pair in zip(times, lengths, strict=True) for n in pair])
    return (parted.sum(axis=tuple(range(0, 2 * len(times), 2))).reshape(x.shape),)


array_row("tile", lambda x, times: np.tile(x, times), _tile_gradient)


def tile(x: Tensor, repeat_times: Any, name: str | None = None) -> Tensor:
    """x put side by side with itself so many times along each axis; the numbers go with the last axes."""
    x = tensor("tile", x)
    times = sizes("tile(repeat_times)", repeat_times)
    return call("tile", x, times=(1,) * (len(x._shape) - len(times)) + times)


# ---- turning -------------------------------------------------------------------------------------------------------------

array_row("flip", lambda x, axis: np.flip(x, axis), lambda dy, y, a, at: (np.flip(dy, at["axis"]),))
array_row(
    "roll",
    lambda x, shifts, axis: np.roll(x, shifts, axis),
    lambda dy, y, a, at: (np.roll(dy, [-s for s in at["shifts"]], at["axis"]),),
)


def flip(x: Tensor, axis: Any, name: str | None = None) -> Tensor:
    """x in reverse order along an axis or several."""
    return call("flip", x, axis=axes("flip", x, axis))


def roll(x: Tensor, shifts: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """x shifted by so many places along an axis (or several, with as many shifts); what leaves enters at the other end.

    axis None: the flat tensor is shifted and put back into shape.
    """
    by = [whole("roll(shifts)", s) for s in (shifts if isinstance(shifts, (list, tuple)) else [shifts])]
    at = axes("roll", x, axis)
    if at is None:
        return reshape(call("roll", reshape(x, [-1]), shifts=by, axis=(0,)), list(x._shape)) if x._shape else x
    at = (at,) if isinstance(at, int) else at
    if len(by) != len(at):
        raise ValueError(message("roll", f"{len(by)} shifts along {len(at)} axes", "one shift an axis"))
    return call("roll", x, shifts=by, axis=at)


# ---- triangles and diagonals ---------------------------------------------------------------------------------------------

array_row("tril", lambda x, k: np.tril(x, k), lambda dy, y, a, at: (np.tril(dy, at["k"]),))
array_row("triu", lambda x, k: np.triu(x, k), lambda dy, y, a, at: (np.triu(dy, at["k"]),))


def _matrices(what: str, x: Tensor) -> Tensor:
    x = tensor(what, x)
    if len(x._shape) < 2:
        raise ShapeError(message(what, f"a tensor of shape {list(x._shape)}", "[..., M, N]"))
    return x


def tril(x: Tensor, diagonal: int = 0, name: str | None = None) -> Tensor:
    """The last two axes' lower triangle, zeros above; diagonal: how far above the main one it reaches."""
    return call("tril", _matrices("tril", x), k=whole("tril(diagonal)", diagonal))


def triu(x: Tensor, diagonal: int = 0, name: str | None = None) -> Tensor:
    """The last two axes' upper triangle, zeros below; diagonal: how far above the main one it begins."""
    return call("triu", _matrices("triu", x), k=whole("triu(diagonal)", diagonal))


def _diag(x: Array, k: int, fill: float) -> Array:
    if x.ndim == 2:
        return np.diagonal(x, k)
    made = np.full((x.size + abs(k),) * 2, fill, x.dtype)
    made[_places(x.size, k)] = x
    return made


def _places(n: int, k: int) -> tuple[Array, Array]:
    at = np.arange(n)
    return at - min(k, 0), at + max(k, 0)


def _diag_gradient(dy: Array, y: Array, a: tuple[Array], at: Attrs) -> tuple[Array]:
    if a[0].ndim == 1:
        return (dy[_places(a[0].size, at["k"])],)
    out = np.zeros_like(a[0])
    out[_places(dy.size, at["k"])] = dy
    return (out,)


array_row("diag", _diag, _diag_gradient)


def diag(x: Tensor, offset: int = 0, padding_value: float = 0, name: str | None = None) -> Tensor:
    """A vector as a matrix's diagonal, padding_value elsewhere; or a matrix's diagonal as a vector. offset: how far above."""
    x = tensor("diag", x)
    if not x._shape:
        x = call("reshape", x, shape=(1,))
    if len(x._shape) not in (1, 2):
        raise ShapeError(message("diag", f"a tensor of shape {list(x._shape)}", "a vector or a matrix"))
    return call("diag", x, k=whole("diag(offset)", offset), fill=padding_value)


# ---- sizes as tensors ----------------------------------------------------------------------------------------------------


def shape(input: Tensor) -> Tensor:
    """The lengths of a tensor's axes as an int64 tensor; ``x.shape`` is the list of them."""
    return to_tensor(np.array(tensor("shape", input)._shape, np.int64))


def numel(x: Tensor, name: str | None = None) -> Tensor:
    """How many elements x has: int64, 0-D."""
    return to_tensor(math.prod(tensor("numel", x)._shape))


def rank(input: Tensor) -> Tensor:
    """How many axes a tensor has: int32, 0-D."""
    return to_tensor(np.array(len(tensor("rank", input)._shape), np.int32))
