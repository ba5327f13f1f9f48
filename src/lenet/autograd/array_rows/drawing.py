"""More random tensors, and lists of indices.

Uniform and normal draws come from ``lenet.seed``'s stream; the others' draws
are made of its uniform ones, so they repeat with a seed, but aren't Paddle's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lenet.autograd import dtype as _dtype
from lenet.autograd import random as _random
from lenet.autograd.array_rows.creation import gaussian, linspace, normal, rand, randint, randn, uniform
from lenet.autograd.array_rows.row import Array, floating, sizes, tensor, whole
from lenet.autograd.tensor import Tensor, dense, to_tensor
from lenet.messages.check import message

__all__ = [
    "as_tensor", "asarray", "binomial", "from_numpy", "is_complex", "is_empty", "is_floating_point", "is_integer",
    "log_normal", "logspace", "poisson", "rand_like", "randint_like", "randn_like", "range", "standard_gamma",
    "tril_indices", "triu_indices",
]  # fmt: skip


def _generator() -> np.random.Generator:
    """numpy's generator, seeded by a draw from ``lenet.seed``'s stream."""
    drawn: Any = _random.generator().randint(0, 2**31 - 1, 1)
    return np.random.default_rng(int(drawn[0]))


def rand_like(input: Tensor, name: str | None = None, *, dtype: Any = None) -> Tensor:
    """Uniform numbers in [0, 1) in the shape (and type) of a tensor."""
    return rand(list(input._shape), input._dtype if dtype is None else dtype)


def randn_like(x: Tensor, dtype: Any = None, name: str | None = None) -> Tensor:
    """Normally distributed numbers in the shape (and type) of a tensor."""
    return randn(list(x._shape), x._dtype if dtype is None else dtype)


def randint_like(x: Tensor, low: Any = 0, high: Any = None, dtype: Any = None, name: str | None = None) -> Tensor:
    """Whole numbers in [low, high), with one bound in [0, low), in the shape and type of a tensor."""
    drawn = randint(low, high, list(x._shape)).data_array()
    return dense(drawn.astype(x._dtype if dtype is None else _dtype.dtype_of(dtype).numpy))


def log_normal(mean: Any = 1.0, std: Any = 2.0, shape: Any = None, name: str | None = None) -> Tensor:
    """e to the power of ``normal``."""
    return normal(mean, std, shape).exp()


def poisson(x: Tensor, name: str | None = None) -> Tensor:
    """Numbers of events, element by element, x of which are to be expected. ValueError for negative ones."""
    x = floating(x, "poisson")
    return dense(_generator().poisson(_at_least_zero("poisson", x)).astype(x._dtype))


def standard_gamma(x: Tensor, name: str | None = None) -> Tensor:
    """Numbers from the gamma distribution of shape x and scale 1."""
    x = floating(x, "standard_gamma")
    return dense(_generator().standard_gamma(_at_least_zero("standard_gamma", x)).astype(x._dtype))


def binomial(count: Tensor, prob: Tensor, name: str | None = None) -> Tensor:
    """How many of ``count`` attempts succeed, each with probability ``prob``, broadcast: int64."""
    n, p = tensor("binomial", count), tensor("binomial", prob)
    return dense(np.asarray(_generator().binomial(n.data_array().astype(np.int64), p.data_array()), np.int64))


def _at_least_zero(what: str, x: Tensor) -> Array:
    data = x.data_array()
    if data.size and not data.min() >= 0:
        raise ValueError(message(what, f"the number {data.min()}", "numbers of at least 0"))
    return data


# ---- ranges and indices --------------------------------------------------------------------------------------------------


def logspace(start: Any, stop: Any, num: Any, base: Any = 10.0, dtype: Any = None, name: str | None = None) -> Tensor:
    """base to the powers of num evenly spaced numbers from start to stop, both included."""
    root = float(base.data_array().reshape(())) if isinstance(base, Tensor) else float(base)
    powers = linspace(start, stop, num, "float64").data_array()
    kind = (_dtype._default if dtype is None else _dtype.dtype_of(dtype)).numpy
    return dense(np.power(root, powers).astype(kind))


def range(start: Any = 0, end: Any = None, step: Any = 1, dtype: Any = None, name: str | None = None) -> Tensor:
    """start, start + step, … up to end, which is included: floats unless dtype says otherwise; ``arange`` leaves end out."""
    first, last = (0, start) if end is None else (start, end)
    values = [float(v.data_array().reshape(())) if isinstance(v, Tensor) else float(v) for v in (first, last, step)]
    if not values[2]:
        raise ValueError(message("range(step)", step, "a number other than 0"))
    count = max(0, math.floor((values[1] - values[0]) / values[2]) + 1)
    kind = (_dtype._default if dtype is None else _dtype.dtype_of(dtype)).numpy
    return dense((values[0] + values[2] * np.arange(count)).astype(kind))


def _triangle(what: str, rows: Any, columns: Any, offset: Any, dtype: Any, lower: bool) -> Tensor:
    (m,), (n,) = sizes(f"{what}(row)", rows), sizes(f"{what}(col)", rows if columns is None else columns)
    found = (np.tril_indices if lower else np.triu_indices)(m, whole(f"{what}(offset)", offset), n)
    return dense(np.stack(found).astype(_dtype.dtype_of(dtype).numpy))


def tril_indices(row: Any, col: Any = None, offset: Any = 0, dtype: Any = "int64") -> Tensor:
    """The rows and columns of a [row, col] matrix' lower triangle: [2, elements]."""
    return _triangle("tril_indices", row, col, offset, dtype, True)


def triu_indices(row: Any, col: Any = None, offset: Any = 0, dtype: Any = "int64") -> Tensor:
    """The rows and columns of a [row, col] matrix' upper triangle: [2, elements]."""
    return _triangle("triu_indices", row, col, offset, dtype, False)


# ---- tensors from elsewhere, and what they are ---------------------------------------------------------------------------


def as_tensor(data: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """``to_tensor``; requires_grad is the opposite of its stop_gradient."""
    return to_tensor(data, dtype, stop_gradient=not requires_grad)


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """``to_tensor``, always a copy; requires_grad is the opposite of its stop_gradient."""
    return to_tensor(obj, dtype, stop_gradient=not requires_grad)


def from_numpy(ndarray: Any) -> Tensor:
    """A tensor with a copy of an ndarray. TypeError for anything else."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(message("from_numpy", type(ndarray).__name__, "an ndarray", "Type lenet.to_tensor(x)"))
    return to_tensor(ndarray)


def is_empty(x: Tensor, name: str | None = None) -> Tensor:
    """Whether a tensor has no elements: bool, 0-D."""
    return dense(np.array(tensor("is_empty", x).size == 0))


def is_floating_point(x: Tensor) -> bool:
    """Whether a tensor holds floats."""
    return tensor("is_floating_point", x)._dtype.kind == "f"


def is_complex(x: Tensor) -> bool:
    """False: there are no complex tensors here."""
    tensor("is_complex", x)
    return False


def is_integer(x: Tensor) -> bool:
    """Whether a tensor holds whole numbers."""
    return tensor("is_integer", x)._dtype.kind in "iu"


# ---- draws written into a tensor: the methods that end in an underscore --------------------------------------------------


def _uniform_draw(x: Tensor, min: float = -1.0, max: float = 1.0, seed: int = 0, name: str | None = None) -> Tensor:
    """Uniform numbers in [min, max)."""
    return uniform(list(x._shape), x._dtype, min, max, seed)


def _normal_draw(x: Tensor, mean: float = 0.0, std: float = 1.0, name: str | None = None) -> Tensor:
    """Normally distributed numbers."""
    return gaussian(list(x._shape), mean, std, dtype=x._dtype)


def _log_normal_draw(x: Tensor, mean: float = 1.0, std: float = 2.0, name: str | None = None) -> Tensor:
    """e to the power of normally distributed numbers."""
    return gaussian(list(x._shape), mean, std, dtype=x._dtype).exp()


def _share(x: Tensor) -> Array:
    drawn: Any = _random.generator().uniform(x.size, 0.0, 1.0)
    return np.asarray(drawn, np.float64).reshape(x._shape)


def _exponential_draw(x: Tensor, lam: float = 1.0, name: str | None = None) -> Tensor:
    """Waiting times between events of which lam are to be expected in a unit."""
    return dense((-np.log1p(-_share(x)) / lam).astype(x._dtype))


def _bernoulli_draw(x: Tensor, p: Any = 0.5, name: str | None = None) -> Tensor:
    """1 with probability p, else 0."""
    share = p.data_array() if isinstance(p, Tensor) else p
    return dense((_share(x) < share).astype(x._dtype))


def _geometric_draw(x: Tensor, probs: float, name: str | None = None) -> Tensor:
    """How many attempts the first success takes, each succeeding with probability probs."""
    return dense((np.floor(np.log1p(-_share(x)) / math.log1p(-probs)) + 1).astype(x._dtype))


def _cauchy_draw(x: Tensor, loc: float = 0, scale: float = 1, name: str | None = None) -> Tensor:
    """Numbers from the Cauchy distribution."""
    return dense((loc + scale * np.tan(math.pi * (_share(x) - 0.5))).astype(x._dtype))


def _random_draw(x: Tensor, from_: int = 0, to: int | None = None) -> Tensor:
    """Whole numbers in [from_, to)."""
    last = to if to is not None else 2**24 if x._dtype.kind == "f" else min(np.iinfo(x._dtype).max, 2**31 - 1)
    return dense(randint(from_, last, list(x._shape)).data_array().astype(x._dtype))


DRAWS: dict[str, Callable[..., Tensor]] = {
    "bernoulli": _bernoulli_draw,
    "cauchy": _cauchy_draw,
    "exponential": _exponential_draw,
    "geometric": _geometric_draw,
    "log_normal": _log_normal_draw,
    "normal": _normal_draw,
    "random": _random_draw,
    "uniform": _uniform_draw,
}
