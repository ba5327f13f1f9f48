"""Array rows of two operands, broadcast, and comparisons: a line each. ``add`` alone stays in the core's forms.

Operands are tensors, ndarrays or numbers. TypeError for a float tensor beside one of whole numbers, as in Paddle;
ValueError for shapes that don't broadcast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lenet import _core
from lenet.autograd import dtype as _dtype
from lenet.autograd.array_rows.row import Array, binary, cast, compared, fit, matched, tensors
from lenet.autograd.table import TABLE, Attrs, Grads, Inputs, Row
from lenet.autograd.tape import Node, call
from lenet.autograd.tensor import Tensor, dense, in_few, in_lanes
from lenet.messages.check import ShapeError, choice, message

__all__ = [
    "add", "add_n", "allclose", "atan2", "divide", "equal", "equal_all", "floor_divide", "floor_mod", "greater_equal",
    "greater_than", "isclose", "less_equal", "less_than", "logical_and", "logical_or", "logical_xor", "maximum", "minimum",
    "mod", "multiply", "not_equal", "pow", "remainder", "subtract",
]  # fmt: skip

# name, numpy function, vjp(dy, y, a, b), what it is

_subtract = binary("subtract", np.subtract, lambda dy, y, a, b: (dy, -dy), "")
multiply = binary("multiply", np.multiply, lambda dy, y, a, b: (dy * b, dy * a), "x * y, broadcast.")
pow = binary(
    "pow",
    np.power,
    lambda dy, y, a, b: (dy * b * np.power(a, b - 1), dy * y * np.log(np.where(a > 0, a, 1))),
    "x to the power of y, broadcast.",
)
mod = binary(
    "mod",
    np.mod,
    lambda dy, y, a, b: (dy, -dy * np.floor(a / b)),
    "What is left of x divided by y, rounded down, broadcast; its sign is y's.",
)


def _larger(dy: Array, a: Array, b: Array) -> Array:
    """The part of a gradient that goes to a, where a > b; equals share it."""
    return dy * np.where(a == b, dy.dtype.type(0.5), a > b)


maximum = binary(
    "maximum",
    np.maximum,
    lambda dy, y, a, b: (_larger(dy, a, b), _larger(dy, b, a)),
    "The larger of x and y, broadcast. Equals share the gradient.",
)
minimum = binary(
    "minimum",
    np.minimum,
    lambda dy, y, a, b: (_larger(dy, b, a), _larger(dy, a, b)),
    "The smaller of x and y, broadcast. Equals share the gradient.",
)
atan2 = binary(
    "atan2",
    lambda a, b: np.arctan2(a, b, dtype=a.dtype if a.dtype.kind == "f" else np.float64),
    lambda dy, y, a, b: (dy * b / (a * a + b * b), -dy * a / (a * a + b * b)),
    "The angle of the point (y, x) in radians, broadcast: the arctangent of x / y in the right quadrant.",
)
remainder = floor_mod = mod

equal = compared("equal", np.equal, "True where x equals y: a bool tensor, broadcast.")
not_equal = compared("not_equal", np.not_equal, "True where x differs from y: a bool tensor, broadcast.")
less_than = compared("less_than", np.less, "True where x < y: a bool tensor, broadcast.")
less_equal = compared("less_equal", np.less_equal, "True where x <= y: a bool tensor, broadcast.")
greater_than = compared("greater_than", np.greater, "True where x > y: a bool tensor, broadcast.")
greater_equal = compared("greater_equal", np.greater_equal, "True where x >= y: a bool tensor, broadcast.")
logical_and = compared("logical_and", np.logical_and, "True where x and y both are (not 0): a bool tensor, broadcast.")
logical_or = compared("logical_or", np.logical_or, "True where x or y is (not 0): a bool tensor, broadcast.")
logical_xor = compared("logical_xor", np.logical_xor, "True where just one of x and y is: a bool tensor, broadcast.")

_divide = binary("divide", np.true_divide, lambda dy, y, a, b: (dy / b, -dy * a / (b * b)), "")


def subtract(x: Any, y: Any, name: str | None = None, *, alpha: float = 1) -> Tensor:
    """x - alpha · y, broadcast."""
    return _subtract(x, y if alpha == 1 else multiply(y, alpha))


def divide(x: Any, y: Any, name: str | None = None, *, rounding_mode: str | None = None) -> Tensor:
    """x / y, broadcast; whole numbers become the default float type first.

    rounding_mode: 'trunc' (towards 0) or 'floor' (down) keep the type, and have no gradient.
    """
    a, b = matched("divide", x, y)
    if rounding_mode is not None:
        choice("divide(rounding_mode)", rounding_mode, ("trunc", "floor"))
        if rounding_mode == "floor":
            return floor_divide(a, b)
        return dense(np.asarray(np.trunc(a.data_array() / b.data_array()), a._dtype))
    if a._dtype.kind != "f":
        a, b = cast(a, _dtype._default), cast(b, _dtype._default)
    return call("divide", a, b)


def floor_divide(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x // y, rounded down; no gradient."""
    a, b = matched("floor_divide", x, y)
    return dense(np.asarray(a.data_array() // b.data_array()))


# ---- add, which the core knows, too --------------------------------------------------------------------------------------


def _add(inputs: Inputs, attrs: Attrs) -> tuple[Tensor, Any]:
    a, b = inputs
    if a._lanes is not None and b._lanes is not None and a._shape == b._shape and a._dtype == b._dtype:
        return in_lanes(_core.add(a._lanes, b._lanes), a._shape, a._dtype), None
    if a._few is not None and b._few is not None and a._shape == b._shape:
        return in_few(_core.add(a._few, b._few), a._shape), None
    return dense(np.asarray(a.data_array() + b.data_array(), order="C")), None


def _add_backward(node: Node, dy: Tensor) -> Grads:
    def part(t: Tensor) -> Tensor | None:
        if t.stop_gradient:
            return None
        if t._shape == dy._shape and t._dtype == dy._dtype:
            return dy
        return dense(np.asarray(fit(dy.data_array(), t.data_array()), t._dtype, order="C"))

    return part(node.inputs[0]), part(node.inputs[1])


# "core" where both are in one of its forms, as in a residual connection
TABLE["add"] = Row("add", "core", _add, _add_backward)


def add(x: Any, y: Any, name: str | None = None, *, alpha: float = 1) -> Tensor:
    """x + alpha · y, broadcast."""
    return call("add", *matched("add", x, y if alpha == 1 else multiply(y, alpha)))


def add_n(inputs: Tensor | Sequence[Tensor], name: str | None = None) -> Tensor:
    """The sum of tensors of one shape (ValueError for several); a single tensor is returned as a copy."""
    if isinstance(inputs, Tensor):
        return multiply(inputs, 1)
    first, *others = tensors("add_n", inputs)
    for t in others:
        if t._shape != first._shape:
            given = f"shapes {list(first._shape)} and {list(t._shape)}"
            raise ShapeError(message("add_n", given, "tensors of one shape"))
    total = multiply(first, 1) if not others else first
    for t in others:
        total = add(total, t)
    return total


# ---- whether all agree ---------------------------------------------------------------------------------------------------


def equal_all(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    """Whether x and y have the same shape and the same elements: a bool tensor of one element, 0-D."""
    same = x._shape == y._shape and bool(np.array_equal(x.data_array(), y.data_array()))
    return dense(np.array(same))


def isclose(
    x: Tensor, y: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False, name: str | None = None
) -> Tensor:
    """True where |x - y| <= atol + rtol · |y|: a bool tensor, broadcast."""
    a, b = matched("isclose", x, y)
    return dense(np.asarray(np.isclose(a.data_array(), b.data_array(), rtol, atol, equal_nan)))


def allclose(
    x: Tensor, y: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False, name: str | None = None
) -> Tensor:
    """Whether |x - y| <= atol + rtol · |y| everywhere: a bool tensor of one element, 0-D."""
    return dense(np.array(isclose(x, y, rtol, atol, equal_nan).data_array().all()))
