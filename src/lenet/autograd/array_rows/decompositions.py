"""Array rows of square and other matrices, [..., M, N]: solving, determinants, decompositions. ``lenet.linalg`` shows them.

numpy computes; gradients are there where they are short (inverse, solve, determinant, Cholesky, eigenvalues and singular
values of distinct size, powers). The others' results stop the gradient.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lenet.autograd.array_rows.arranging import matrix_transpose
from lenet.autograd.array_rows.elementwise import abs as _abs
from lenet.autograd.array_rows.linear_algebra import matmul
from lenet.autograd.array_rows.reductions import norm
from lenet.autograd.array_rows.row import Array, array_row, fit, tensor, tensors, whole
from lenet.autograd.table import Attrs
from lenet.autograd.tape import call
from lenet.autograd.tensor import Tensor, dense
from lenet.messages.check import ShapeError, choice, message

__all__ = [
    "cholesky", "cholesky_inverse", "cholesky_solve", "cond", "det", "eigh", "eigvalsh", "inv", "lstsq", "matrix_exp",
    "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "pinv", "qr", "slogdet", "solve", "svd", "svdvals",
    "triangular_solve", "vector_norm",
]  # fmt: skip


def _t(x: Array) -> Array:
    return np.swapaxes(x, -1, -2)


def _matrices(what: str, x: Any, square: bool = False) -> Tensor:
    x = tensor(what, x)
    if x._dtype.kind != "f":
        raise TypeError(message(what, f"a tensor of {x._dtype}", "floats", "Type x.astype('float32')"))
    if len(x._shape) < 2 or (square and x._shape[-1] != x._shape[-2]):
        expected = "square matrices [..., N, N]" if square else "matrices [..., M, N]"
        raise ShapeError(message(what, f"a tensor of shape {list(x._shape)}", expected))
    return x


def _run(what: str, name: str, *inputs: Tensor, **attrs: Any) -> Tensor:
    try:
        return call(name, *inputs, **attrs)
    except np.linalg.LinAlgError as error:
        raise ValueError(message(what, f"matrices of which numpy says: {error}", "others")) from None


def _inverse_gradient(dy: Array, y: Array, a: tuple[Array], _: Attrs) -> tuple[Array]:
    return (-_t(y) @ dy @ _t(y),)


array_row("inv", np.linalg.inv, _inverse_gradient)


def inv(x: Tensor, name: str | None = None) -> Tensor:
    """The inverse of square matrices [..., N, N]. ValueError for a singular one."""
    return _run("inv", "inv", _matrices("inv", x, True))


array_row(
    "det",
    lambda x: np.asarray(np.linalg.det(x)),
    lambda dy, y, a, _: ((dy * y)[..., None, None] * _t(np.linalg.inv(a[0])),),
)


def det(x: Tensor, name: str | None = None) -> Tensor:
    """The determinant of square matrices [..., N, N]: [...]."""
    return _run("det", "det", _matrices("det", x, True))


def _slogdet(x: Array) -> Array:
    sign, size = np.linalg.slogdet(x)
    return np.stack([sign, size]).astype(x.dtype)


array_row("slogdet", _slogdet, lambda dy, y, a, _: (dy[1][..., None, None] * _t(np.linalg.inv(a[0])),))


def slogdet(x: Tensor, name: str | None = None) -> Tensor:
    """The determinant's sign and the logarithm of its size, one after the other: [2, ...]."""
    return _run("slogdet", "slogdet", _matrices("slogdet", x, True))


def _solve_gradient(dy: Array, y: Array, ab: tuple[Array, Array], _: Attrs) -> tuple[Array, Array]:
    a, b = ab
    vector = b.ndim == 1
    dy, y = (dy[..., None], y[..., None]) if vector else (dy, y)
    db = np.linalg.solve(_t(a), dy)
    da = -db @ _t(y)
    return fit(da, a), fit(db[..., 0] if vector else db, b)


array_row("solve", np.linalg.solve, _solve_gradient)


def solve(x: Tensor, y: Tensor, left: bool = True, name: str | None = None) -> Tensor:
    """What x must be multiplied with to give y: x @ result = y (left=False: result @ x = y). y: [..., N, K] or [N]."""
    a = _matrices("solve", x, True)
    if not left:
        return matrix_transpose(solve(matrix_transpose(a), matrix_transpose(y)))
    return _run("solve", "solve", a, tensor("solve", y))


def triangular_solve(
    x: Tensor,
    y: Tensor,
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
    name: str | None = None,
) -> Tensor:
    """``solve`` with the upper (or lower) triangle of x alone; unitriangular: with ones on its diagonal."""
    a = _matrices("triangular_solve", x, True)
    a = a.triu() if upper else a.tril()
    if unitriangular:
        eye = dense(np.eye(a._shape[-1], dtype=a._dtype))
        a = (a.triu(1) if upper else a.tril(-1)) + eye
    return solve(matrix_transpose(a) if transpose else a, y)


def _cholesky_gradient(dy: Array, y: Array, a: tuple[Array], at: Attrs) -> tuple[Array]:
    low, slope = (_t(y), _t(dy)) if at["upper"] else (y, dy)
    middle = np.tril(_t(low) @ slope)
    middle = middle - 0.5 * np.eye(low.shape[-1], dtype=low.dtype) * middle
    inverse = np.linalg.inv(low)
    found = _t(inverse) @ middle @ inverse
    return (0.5 * (found + _t(found)),)


array_row(
    "cholesky", lambda x, upper: _t(np.linalg.cholesky(x)) if upper else np.linalg.cholesky(x), _cholesky_gradient
)


def cholesky(x: Tensor, upper: bool = False, name: str | None = None) -> Tensor:
    """The lower triangle L with L @ Lᵀ = x (upper: its transpose) of symmetric matrices whose eigenvalues are above 0."""
    return _run("cholesky", "cholesky", _matrices("cholesky", x, True), upper=bool(upper))


def cholesky_solve(x: Tensor, y: Tensor, upper: bool = False, name: str | None = None) -> Tensor:
    """What A must be multiplied with to give x, y being A's ``cholesky``."""
    low = matrix_transpose(y) if upper else y
    return solve(matmul(low, matrix_transpose(low)), x)


def cholesky_inverse(x: Tensor, upper: bool = False, name: str | None = None) -> Tensor:
    """The inverse of A, x being A's ``cholesky``."""
    low = matrix_transpose(x) if upper else x
    return inv(matmul(low, matrix_transpose(low)))


# ---- decompositions ------------------------------------------------------------------------------------------------------


def _eigvalsh(x: Array, side: str) -> Array:
    kind: Any = side
    return np.linalg.eigvalsh(x, kind)


def _eigvalsh_gradient(dy: Array, y: Array, a: tuple[Array], at: Attrs) -> tuple[Array]:
    _, vectors = np.linalg.eigh(a[0], at["side"])
    return ((vectors * dy[..., None, :]) @ _t(vectors),)


array_row("eigvalsh", _eigvalsh, _eigvalsh_gradient)


def eigvalsh(x: Tensor, UPLO: str = "L", name: str | None = None) -> Tensor:
    """The eigenvalues of symmetric matrices in rising order, from the lower ('L') or upper ('U') triangle."""
    side = choice("eigvalsh(UPLO)", UPLO, ("L", "U"))
    return _run("eigvalsh", "eigvalsh", _matrices("eigvalsh", x, True), side=side)


def eigh(x: Tensor, UPLO: str = "L", name: str | None = None) -> tuple[Tensor, Tensor]:
    """The eigenvalues of symmetric matrices in rising order, and the eigenvectors as columns (these without a gradient)."""
    values = eigvalsh(x, UPLO)
    side: Any = UPLO
    _, vectors = np.linalg.eigh(x.data_array(), side)
    return values, dense(np.ascontiguousarray(vectors))


def svd(x: Tensor, full_matrices: bool = False, name: str | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """U, S and Vᴴ with U · diag(S) · Vᴴ = x; the singular values S carry the gradient, in falling order."""
    x = _matrices("svd", x)
    u, _, v = np.linalg.svd(x.data_array(), full_matrices)
    values = _run("svd", "singular_values", x)
    return dense(np.ascontiguousarray(u)), values, dense(np.ascontiguousarray(v))


def svdvals(x: Tensor, name: str | None = None) -> Tensor:
    """The singular values of matrices in falling order."""
    return _run("svdvals", "singular_values", _matrices("svdvals", x))


def qr(x: Tensor, mode: str = "reduced", name: str | None = None) -> Any:
    """Q, with columns of length 1 at right angles, and the triangle R with Q @ R = x; mode 'complete', or 'r' for R alone."""
    how: Any = choice("qr(mode)", mode, ("reduced", "complete", "r"))
    found: Any = np.linalg.qr(_matrices("qr", x).data_array(), how)
    if mode == "r":
        return dense(np.ascontiguousarray(found))
    return tuple(dense(np.ascontiguousarray(part)) for part in found)


def lstsq(
    x: Tensor, y: Tensor, rcond: float | None = None, driver: str | None = None, name: str | None = None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The least-squares solution of x @ result = y, the residuals, x's rank and its singular values. driver: ignored."""
    a, b = _matrices("lstsq", x).data_array(), _matrices("lstsq", y).data_array()
    if a.ndim > 2:
        raise ShapeError(message("lstsq", f"a tensor of shape {list(a.shape)}", "one matrix [M, N]"))
    found, residuals, rank, values = np.linalg.lstsq(a, b, rcond)
    parts = (found, residuals, np.array(rank, np.int32), values)
    answer, rest, number, sizes = (dense(np.ascontiguousarray(p)) for p in parts)
    return answer, rest, number, sizes


# ---- powers, ranks, norms ------------------------------------------------------------------------------------------------


def matrix_power(x: Tensor, n: int, name: str | None = None) -> Tensor:
    """Square matrices multiplied with themselves n times; the identity for 0, the inverse's power below 0."""
    x, times = _matrices("matrix_power", x, True), whole("matrix_power(n)", n)
    if times == 0:
        return dense(np.broadcast_to(np.eye(x._shape[-1], dtype=x._dtype), x._shape).copy())
    base = inv(x) if times < 0 else x
    found = base
    for _ in range(abs(times) - 1):
        found = matmul(found, base)
    return found


def matrix_exp(x: Tensor, name: str | None = None) -> Tensor:
    """e to the power of square matrices, by its series at x / 2^s, squared s times."""
    x = _matrices("matrix_exp", x, True)
    largest = float(np.abs(x.data_array()).sum(-1).max(initial=0))
    halvings = max(0, math.ceil(math.log2(largest)) + 1) if largest > 0.5 else 0
    small = x * (0.5**halvings)
    term = total = dense(np.broadcast_to(np.eye(x._shape[-1], dtype=x._dtype), x._shape).copy())
    for k in range(1, 19):
        term = matmul(term, small) * (1.0 / k)
        total = total + term
    for _ in range(halvings):
        total = matmul(total, total)
    return total


def multi_dot(x: Sequence[Tensor], name: str | None = None) -> Tensor:
    """The product of two or more matrices, in the given order; the first and the last may be vectors."""
    first, *others = tensors("multi_dot", x)
    if not others:
        raise ValueError(message("multi_dot", "one tensor", "at least two"))
    for t in others:
        first = matmul(first, t)
    return first


def matrix_rank(
    x: Tensor, tol: Any = None, hermitian: bool = False, atol: Any = None, rtol: Any = None, name: str | None = None
) -> Tensor:
    """How many singular values of matrices are above tol (None: the largest · max(M, N) · the type's step): int64."""
    x = _matrices("matrix_rank", x)
    values = (
        np.abs(np.linalg.eigvalsh(x.data_array())) if hermitian else np.linalg.svd(x.data_array(), compute_uv=False)
    )
    top = values.max(-1, keepdims=True)
    least, share = (
        None if v is None else np.asarray(v.data_array() if isinstance(v, Tensor) else v)[..., None]
        for v in (atol, rtol)
    )
    if tol is not None:
        bound: Any = np.asarray(tol.data_array() if isinstance(tol, Tensor) else tol)[..., None]
    elif least is not None or share is not None:
        bound = np.maximum(0 if least is None else least, 0 if share is None else share * top)
    else:
        bound = top * max(x._shape[-2:]) * np.finfo(x._dtype).eps
    return dense(np.asarray((values > bound).sum(-1), np.int64))


def pinv(x: Tensor, rcond: Any = 1e-15, hermitian: bool = False, name: str | None = None) -> Tensor:
    """The pseudo-inverse; singular values below rcond times the largest count as 0. Without a gradient."""
    x = _matrices("pinv", x)
    limit = rcond.data_array() if isinstance(rcond, Tensor) else max(float(rcond), float(np.finfo(x._dtype).eps))
    return dense(np.ascontiguousarray(np.linalg.pinv(x.data_array(), limit, hermitian)))


def cond(x: Tensor, p: Any = None, name: str | None = None) -> Tensor:
    """A matrix' norm times its inverse's, p as for ``matrix_norm``; of 2 (None) the ratio of the singular values' ends."""
    x = _matrices("cond", x)
    if p in (None, 2, -2):
        values = svdvals(x)
        ratio = values[..., 0] / values[..., -1]
        return ratio if p != -2 else ratio**-1.0
    return matrix_norm(x, p) * matrix_norm(inv(x), p)


def vector_norm(x: Tensor, p: float = 2.0, axis: Any = None, keepdim: bool = False, name: str | None = None) -> Tensor:
    """(Σ|x|^p)^(1/p) over an axis, several or all (None)."""
    return (
        norm(x, float(p), axis, keepdim)
        if axis is None or not isinstance(axis, (list, tuple))
        else _over(x, p, axis, keepdim)
    )


def _over(x: Tensor, p: float, axis: Sequence[int], keepdim: bool) -> Tensor:
    if p == 2:
        return norm(x, "fro", list(axis), keepdim)
    if p == 0:
        return (x != 0).astype(x._dtype).sum(list(axis), keepdim=keepdim)
    if math.isinf(p):
        return _abs(x).max(list(axis), keepdim) if p > 0 else _abs(x).min(list(axis), keepdim)
    return (_abs(x) ** float(p)).sum(list(axis), keepdim=keepdim) ** (1.0 / p)


def matrix_norm(
    x: Tensor, p: Any = "fro", axis: Sequence[int] = (-2, -1), keepdim: bool = False, name: str | None = None
) -> Tensor:
    """The norm of the matrices along two axes: 'fro', 'nuc', ±1, ±2, ±inf."""
    return norm(x, p, list(axis), keepdim)
