"""Array rows of linear algebra: ``matmul`` and its kin, which are it with a stricter shape rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from lenet.autograd.array_rows.arithmetic import multiply
from lenet.autograd.array_rows.reductions import sum as _sum
from lenet.autograd.array_rows.row import Array, array_row, cast, fit, matched, tensor
from lenet.autograd.array_rows.shapes import transpose, unsqueeze
from lenet.autograd.table import Attrs
from lenet.autograd.tape import call
from lenet.autograd.tensor import Tensor
from lenet.messages.check import ShapeError, message

__all__ = ["bmm", "dot", "matmul", "mm", "mv", "outer", "t"]


def _matmul_gradient(dy: Array, y: Array, ab: tuple[Array, Array], _: Attrs) -> tuple[Array, Array]:
    a, b = ab
    if a.ndim == 1 and b.ndim == 1:
        return dy * b, dy * a
    if a.ndim == 1:
        dy = np.expand_dims(dy, -2)
        da, db = dy @ np.swapaxes(b, -1, -2), a[:, None] * dy
        return fit(da, a[None]).reshape(a.shape), fit(db, b)
    if b.ndim == 1:
        return fit(dy[..., None] * b, a), fit((np.swapaxes(a, -1, -2) @ dy[..., None])[..., 0], b)
    return fit(dy @ np.swapaxes(b, -1, -2), a), fit(np.swapaxes(a, -1, -2) @ dy, b)


array_row("matmul", np.matmul, _matmul_gradient)


def matmul(x: Any, y: Any, transpose_x: bool = False, transpose_y: bool = False, name: str | None = None) -> Tensor:
    """The matrix product; transpose_x/y swap an operand's last two axes first. ValueError if the inner sizes differ."""
    a, b = matched("matmul", x, y)
    if transpose_x:
        a = _swap_last(a)
    if transpose_y:
        b = _swap_last(b)
    if not a._shape or not b._shape or a._shape[-1] != b._shape[-2 if len(b._shape) > 1 else -1]:
        given = f"shapes {list(a._shape)} and {list(b._shape)}"
        raise ShapeError(message("matmul", given, "[..., M, K] and [..., K, N]"))
    return call("matmul", a, b)


def _swap_last(x: Tensor) -> Tensor:
    axes = list(range(len(x._shape)))
    axes[-2:] = axes[-2:][::-1]
    return transpose(x, axes)


def _of_ranks(what: str, x: Any, y: Any, ranks: tuple[int, int], expected: str) -> tuple[Tensor, Tensor]:
    a, b = tensor(what, x), tensor(what, y)
    if (len(a._shape), len(b._shape)) != ranks:
        raise ShapeError(message(what, f"shapes {list(a._shape)} and {list(b._shape)}", expected))
    return a, b


def mm(input: Tensor, mat2: Tensor, name: str | None = None) -> Tensor:
    """The matrix product, ``matmul`` without its transposing."""
    return matmul(input, mat2)


def bmm(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    """The matrix product of each pair in two batches: [B, M, K] and [B, K, N] to [B, M, N]. ValueError for other shapes."""
    a, b = _of_ranks("bmm", x, y, (3, 3), "[B, M, K] and [B, K, N]")
    if a._shape[0] != b._shape[0]:
        given = f"shapes {list(a._shape)} and {list(b._shape)}"
        raise ShapeError(message("bmm", given, "batches of one size"))
    return matmul(a, b)


def mv(x: Tensor, vec: Tensor, name: str | None = None) -> Tensor:
    """A matrix times a vector: [M, N] and [N] to [M]. ValueError for other shapes."""
    return matmul(*_of_ranks("mv", x, vec, (2, 1), "[M, N] and [N]"))


def dot(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    """Σ x · y along the last axis of two vectors [N] or two batches of vectors [B, N] of one shape (ValueError)."""
    a, b = matched("dot", x, y)
    if a._shape != b._shape or len(a._shape) not in (1, 2):
        given = f"shapes {list(a._shape)} and {list(b._shape)}"
        raise ShapeError(message("dot", given, "two of shape [N] or two of shape [B, N]"))
    product = multiply(a, b)
    return cast(_sum(product, axis=-1), a._dtype)


def outer(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    """Every product of an element of x with one of y: [x.size, y.size]."""
    a, b = (call("reshape", tensor("outer", v), shape=(-1,)) for v in (x, y))
    return multiply(unsqueeze(a, 1), unsqueeze(b, 0))


def t(input: Tensor, name: str | None = None) -> Tensor:
    """The transpose of a matrix; a vector or a number as it is. ValueError for more than two axes."""
    x = tensor("t", input)
    if len(x._shape) > 2:
        fix = f"Type x.transpose({list(range(len(x._shape)))[::-1]})"
        raise ShapeError(message("t", f"a tensor of shape {list(x._shape)}", "at most two axes", fix))
    return transpose(x, [1, 0]) if len(x._shape) == 2 else x
