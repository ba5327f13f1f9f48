"""What test_gradients' cases are made of, and the cases of the rows that were added last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from lenet import linalg
from lenet.autograd.array_rows import gammaincc
from lenet.autograd.tensor import to_tensor

# A step of 1e-6 leaves an error of about 1e-12 of the third derivative and 1e-16 / 1e-6 of the rounding.
STEP = 1e-6


class Case(NamedTuple):
    """One call: inputs with a gradient (arrays), the rest of them, attributes, and the step if another than STEP is due."""

    row: str
    name: str
    arrays: list[np.ndarray]
    rest: Sequence[Any] = ()
    attrs: Mapping[str, Any] = MappingProxyType({})
    step: float = STEP


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.RandomState(seed).standard_normal(shape)


def apart(seed: int, *shape: int) -> np.ndarray:
    """Numbers that all differ, from one another and from 0, by far more than a step: no kink is near."""
    n = int(np.prod(shape))
    return ((np.random.RandomState(seed).permutation(n) - n // 2 + 0.5) / n).reshape(shape)


def positive(seed: int, *shape: int) -> np.ndarray:
    return np.random.RandomState(seed).uniform(0.5, 2.0, shape)


PLACES = np.array([[0, 5, 5], [7, 2, 11]])
ONCE = np.array([[0, 5, 1], [7, 2, 11]])
SQUARE = np.eye(3) * 3 + normal(4, 3, 3) * 0.3
POSITIVE = SQUARE @ SQUARE.T
HALF = to_tensor(np.full((3, 3), 0.7))

# Rows that read one triangle of a symmetric matrix, or pass a gradient to one operand alone: as functions of x [3, 3].
COMPOSED = {
    "cholesky": lambda x: linalg.cholesky(x @ x.T),
    "cholesky, upper": lambda x: linalg.cholesky(x @ x.T, upper=True),
    "eigvalsh": lambda x: linalg.eigvalsh(x @ x.T),
    "gammaincc": lambda x: gammaincc(HALF, x * x + 0.5),
}


def _written(name: str, places: np.ndarray, how: str, include: bool = True) -> Case:
    attrs = {"places": places, "how": how, "include": include}
    return Case("written", name, [apart(1, 3, 4) + 2, apart(2, 2, 3) + 1.9], [], attrs)


MORE = [
    Case("picked", "repeated", [normal(1, 3, 4)], [], {"places": PLACES}),
    _written("assign", ONCE, "assign"),
    _written("assign, the last stands", PLACES, "assign"),
    *(_written(how, PLACES, how) for how in ("add", "mul", "mean", "amax", "amin")),
    *(
        _written(f"{how}, without what stood there", PLACES, how, False)
        for how in ("add", "mul", "mean", "amax", "amin")
    ),
    *(Case(row, "any shape", [normal(1, 3, 4)]) for row in ["deg2rad", "rad2deg", "sinc", "i0", "i0e", "i1", "i1e"]),
    *(Case(row, "above 0", [positive(1, 3, 4)]) for row in ["digamma", "lgamma"]),
    Case("frac", "between steps", [apart(1, 3, 4) * 5]),
    Case("erfinv", "within 1", [apart(1, 3, 4) * 0.9]),
    Case("polygamma", "the second", [positive(1, 3, 4)], [], {"n": 2}),
    Case("logit", "within 1", [positive(1, 3, 4) / 3], [], {"eps": 0.0}),
    Case("logit", "held", [apart(1, 3, 4) + 0.5], [], {"eps": 0.2}),
    Case("stanh", "any shape", [normal(1, 3, 4)], [], {"a": 0.67, "b": 1.7159}),
    Case("nan_to_num", "numbers", [normal(1, 3, 4)], [], {"nan": 0.0, "high": None, "low": None}),
    *(Case(row, "broadcast", [apart(1, 3, 4), apart(2, 4) * 1.1]) for row in ["fmax", "fmin", "hypot", "logaddexp"]),
    Case("copysign", "broadcast", [apart(1, 3, 4), apart(2, 4) * 1.1]),
    Case("heaviside", "broadcast", [apart(1, 3, 4), normal(2, 4)]),
    Case("lerp", "broadcast", [normal(1, 3, 4), normal(2, 4), normal(3, 3, 1)]),
    Case("cumprod", "an axis", [normal(1, 3, 4)], [], {"axis": 1}),
    Case("cumprod", "with zeros", [np.array([[0.0, 2, 3], [0, 0, 1], [1, 2, 3]])], [], {"axis": 1}),
    Case("logcumsumexp", "an axis", [normal(1, 3, 4)], [], {"axis": 0}),
    Case("einsum", "matrices", [normal(1, 3, 4), normal(2, 4, 5)], [], {"parts": ["ij", "jk"], "result": "ik"}),
    Case("einsum", "summed away", [normal(1, 3, 4), normal(2, 4)], [], {"parts": ["ij", "j"], "result": "j"}),
    Case("einsum", "a diagonal", [normal(1, 3, 3)], [], {"parts": ["ii"], "result": "i"}),
    Case("inv", "a matrix", [SQUARE]),
    Case("det", "a stack", [np.stack([SQUARE, POSITIVE])]),
    Case("slogdet", "a stack", [np.stack([SQUARE, POSITIVE])]),
    Case("solve", "a matrix", [SQUARE, normal(2, 3, 2)]),
    Case("solve", "a vector", [SQUARE, normal(2, 3)]),
]
