"""Products of matrices and vectors beyond ``matmul``, and distances: compositions of rows that are there."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from lenet.autograd.array_rows.arithmetic import add, multiply, subtract
from lenet.autograd.array_rows.linear_algebra import bmm, matmul, mm, outer
from lenet.autograd.array_rows.moved import picked
from lenet.autograd.array_rows.reductions import norm
from lenet.autograd.array_rows.reductions import sum as _sum
from lenet.autograd.array_rows.row import Array, array_row, fit, floating, matched, no_out, tensors
from lenet.autograd.array_rows.shapes import reshape, transpose, unsqueeze
from lenet.autograd.table import Attrs, check_axis
from lenet.autograd.tape import call
from lenet.autograd.tensor import Tensor
from lenet.messages.check import ShapeError, message

__all__ = [
    "addmm", "baddbmm", "cdist", "cross", "dist", "einsum", "ger", "inner", "kron", "pdist", "renorm", "tensordot", "vecdot",
]  # fmt: skip


def _plus(input: Tensor, product: Tensor, beta: float, alpha: float) -> Tensor:
    return add(multiply(input, beta), multiply(product, alpha))


def addmm(
    input: Tensor, x: Tensor, y: Tensor, beta: float = 1.0, alpha: float = 1.0, name: str | None = None
) -> Tensor:
    """beta · input + alpha · (x @ y) of matrices; input is broadcast."""
    if len(x._shape) != 2 or len(y._shape) != 2 or len(input._shape) > 2:
        given = f"shapes {[list(t._shape) for t in (input, x, y)]}"
        raise ShapeError(message("addmm", given, "matrices"))
    return _plus(input, mm(x, y), beta, alpha)


def baddbmm(
    input: Tensor, x: Tensor, y: Tensor, beta: float = 1.0, alpha: float = 1.0, name: str | None = None
) -> Tensor:
    """beta · input + alpha · (x @ y) of each pair in two batches of matrices; input is broadcast."""
    return _plus(input, bmm(x, y), beta, alpha)


def inner(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    """Σ along the last axes of every pair of an x's and a y's line: [x's other axes, y's other axes]."""
    a, b = matched("mul" if not x._shape or not y._shape else "matmul", x, y)
    if a.size == 1 or b.size == 1:
        return multiply(a, b)
    if a._shape[-1] != b._shape[-1]:
        given = f"shapes {list(a._shape)} and {list(b._shape)}"
        raise ShapeError(message("inner", given, "last axes of one length"))
    n = a._shape[-1]
    flat = matmul(reshape(a, [-1, n]), transpose(reshape(b, [-1, n]), [1, 0]))
    return reshape(flat, [*a._shape[:-1], *b._shape[:-1]])


def ger(x: Tensor, y: Tensor, name: str | None = None, *, out: None = None) -> Tensor:
    """Every product of an element of x with one of y: ``outer``."""
    no_out("ger", out)
    return outer(x, y)


def vecdot(x: Tensor, y: Tensor, axis: Any = -1, name: str | None = None) -> Tensor:
    """Σ x · y along an axis, broadcast."""
    return _sum(multiply(x, y), axis)


def kron(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    """Every element of x times y, put side by side: the Kronecker product; axes of the shorter shape are added in front."""
    a, b = matched("matmul", x, y)
    rank = max(len(a._shape), len(b._shape))
    one, two = ([1] * (rank - len(t._shape)) + list(t._shape) for t in (a, b))
    wide = reshape(a, [n for pair in zip(one, [1] * rank, strict=True) for n in pair])
    tall = reshape(b, [n for pair in zip([1] * rank, two, strict=True) for n in pair])
    return reshape(multiply(wide, tall), [m * n for m, n in zip(one, two, strict=True)])


def cross(x: Tensor, y: Tensor, axis: Any = 9, name: str | None = None) -> Tensor:
    """The cross product of vectors of 3 along an axis; 9, the default: the first axis of length 3."""
    a, b = matched("cross", x, y)
    if a._shape != b._shape:
        given = f"shapes {list(a._shape)} and {list(b._shape)}"
        raise ShapeError(message("cross", given, "one shape"))
    if axis == 9 or axis is None:
        if 3 not in a._shape:
            raise ShapeError(message("cross", f"shape {list(a._shape)}", "an axis of length 3"))
        at = a._shape.index(3)
    else:
        at = check_axis("cross", axis, a._shape)
    if a._shape[at] != 3:
        raise ShapeError(message("cross", f"an axis of length {a._shape[at]}", "3"))

    def turned(t: Tensor, by: int) -> Tensor:
        return picked(t, lambda places: np.roll(places, -by, at))

    return subtract(multiply(turned(a, 1), turned(b, 2)), multiply(turned(a, 2), turned(b, 1)))


# ---- sums over named axes ------------------------------------------------------------------------------------------------


def tensordot(x: Tensor, y: Tensor, axes: Any = 2, name: str | None = None) -> Tensor:
    """Σ over pairs of axes: the last so many of x with the first of y, or a list for both, or a list for each."""
    if isinstance(axes, Tensor):
        axes = axes.tolist()
    if hasattr(axes, "__index__"):
        n = int(axes)
        first, second = list(range(len(x._shape) - n, len(x._shape))), list(range(n))
    else:
        given = [v.tolist() if isinstance(v, Tensor) else v for v in axes]
        if given and all(hasattr(v, "__index__") for v in given):
            given = [given]
        first = [int(a) for a in given[0]] if given else []
        second = [int(a) for a in given[1]] if len(given) > 1 else list(first)
        longer = max(first, second, key=len)  # as Paddle: the shorter list goes on like the longer
        first += longer[len(first) :]
        second += longer[len(second) :]
    first = [check_axis("tensordot", a, x._shape) for a in first]
    second = [check_axis("tensordot", a, y._shape) for a in second]
    rest_x = [i for i in range(len(x._shape)) if i not in first]
    rest_y = [i for i in range(len(y._shape)) if i not in second]
    inner_size = math.prod(x._shape[a] for a in first)
    if [x._shape[a] for a in first] != [y._shape[a] for a in second]:
        given_text = f"axes of {[x._shape[a] for a in first]} and {[y._shape[a] for a in second]}"
        raise ShapeError(message("tensordot", given_text, "pairs of one length"))
    a = reshape(transpose(x, [*rest_x, *first]), [math.prod(x._shape[i] for i in rest_x), inner_size])
    b = reshape(transpose(y, [*second, *rest_y]), [inner_size, math.prod(y._shape[i] for i in rest_y)])
    return reshape(matmul(a, b), [*(x._shape[i] for i in rest_x), *(y._shape[i] for i in rest_y)])


def _einsum_gradient(dy: Array, y: Array, arrays: tuple[Array, ...], at: Attrs) -> tuple[Array, ...]:
    parts, result = at["parts"], at["result"]
    grads = []
    for i, (x, letters) in enumerate(zip(arrays, parts, strict=True)):
        others = [(p, a) for k, (p, a) in enumerate(zip(parts, arrays, strict=True)) if k != i]
        known = set(result).union(*(p for p, _ in others))
        unique = "".join(dict.fromkeys(letters))
        kept = "".join(c for c in unique if c in known)
        equation = ",".join([result, *(p for p, _ in others)]) + "->" + kept
        found = np.einsum(equation, dy, *(a for _, a in others))
        found = found.reshape([found.shape[kept.index(c)] if c in kept else 1 for c in unique])
        if len(unique) == len(letters):
            full = np.broadcast_to(found, np.broadcast_shapes(found.shape, x.shape))
            grads.append(fit(full, x))
        else:  # a letter twice: the gradient lies on that diagonal
            out = np.zeros_like(x)
            np.einsum(f"{letters}->{unique}", out)[...] = found
            grads.append(out)
    return tuple(grads)


array_row(
    "einsum",
    lambda *xs, parts, result: np.einsum(",".join(parts) + "->" + result, *xs),
    _einsum_gradient,
)


def einsum(equation: str, *operands: Any) -> Tensor:
    """Σ over the letters that stand on the left of '->' alone, as in 'ij,jk->ik'; '...' for the axes that aren't named."""
    parts = operands[0] if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else operands
    xs = tensors("einsum", list(parts))
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    labels = left.split(",")
    if len(labels) != len(xs):
        raise ValueError(message("einsum", f"{equation!r} for {len(xs)} tensors", f"{len(xs)} parts before '->'"))
    free = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in text]
    most = 0
    for label, x in zip(labels, xs, strict=True):
        if "..." in label:
            most = max(most, len(x._shape) - len(label.replace("...", "")))
    dots = "".join(free[:most])

    def named(label: str, x: Tensor) -> str:
        if "..." not in label:
            return label
        count = len(x._shape) - len(label.replace("...", ""))
        return label.replace("...", dots[most - count :] if count else "")

    full = [named(label, x) for label, x in zip(labels, xs, strict=True)]
    if any(len(label) != len(x._shape) for label, x in zip(full, xs, strict=True)):
        given = f"{equation!r} for shapes {[list(x._shape) for x in xs]}"
        raise ShapeError(message("einsum", given, "a letter an axis"))
    if arrow:
        result = right.replace("...", dots)
    else:
        joined = "".join(labels).replace("...", "")
        result = dots + "".join(sorted(c for c in set(joined) if joined.count(c) == 1))
    try:
        return call("einsum", *xs, parts=full, result=result)
    except ValueError as error:
        given = f"{equation!r} for shapes {[list(x._shape) for x in xs]}"
        raise ShapeError(message("einsum", given, "lengths that agree letter by letter", str(error))) from None


# ---- distances -----------------------------------------------------------------------------------------------------------


def dist(x: Tensor, y: Tensor, p: float = 2, name: str | None = None) -> Tensor:
    """The p-norm of x - y, broadcast, all elements as one vector: 0-D."""
    return norm(subtract(x, y), p=float(p))


def cdist(x: Tensor, y: Tensor, p: float = 2.0, compute_mode: str = "", name: str | None = None) -> Tensor:
    """The p-norm of every difference of a row of x [..., P, M] and one of y [..., R, M]: [..., P, R]. compute_mode: ignored."""
    if len(x._shape) < 2 or len(y._shape) < 2 or x._shape[-1] != y._shape[-1]:
        given = f"shapes {list(x._shape)} and {list(y._shape)}"
        raise ShapeError(message("cdist", given, "[..., P, M] and [..., R, M]"))
    if p < 0:
        raise ValueError(message("cdist(p)", p, "a number of at least 0"))
    return norm(subtract(unsqueeze(x, -2), unsqueeze(y, -3)), p=float(p), axis=-1)


def pdist(x: Tensor, p: float = 2.0, name: str | None = None) -> Tensor:
    """The p-norms of the differences of each pair of rows of x [N, M]: [N · (N - 1) / 2]."""
    if len(x._shape) != 2:
        raise ShapeError(message("pdist", f"a tensor of shape {list(x._shape)}", "a matrix [N, M]"))
    first, second = (np.array(v, np.intp) for v in zip(*itertools.combinations(range(x._shape[0]), 2), strict=True))
    gaps = subtract(call("getitem", x, key=first), call("getitem", x, key=second))
    return norm(gaps, p=float(p), axis=-1)


def renorm(x: Tensor, p: float, axis: Any, max_norm: float) -> Tensor:
    """x with each slice along an axis whose p-norm is above max_norm scaled down to it."""
    x = floating(x, "renorm")
    at = check_axis("renorm", axis, x._shape)
    rest = [i for i in range(len(x._shape)) if i != at]
    rows = reshape(transpose(x, [at, *rest]), [x._shape[at], -1])
    sizes = norm(rows, p=float(p), axis=1, keepdim=True)
    large = sizes.data_array() > max_norm
    scaled = multiply(multiply(rows, max_norm), (sizes + 1e-7) ** -1.0)
    chosen = call("where", scaled, rows, mask=large)
    back = reshape(chosen, [x._shape[at], *(x._shape[i] for i in rest)])
    return transpose(back, [int(k) for k in np.argsort([at, *rest])])
