"""Array rows of two operands that beginners meet less often, bit by bit arithmetic, and Paddle's second names. A line each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lenet.autograd.array_rows import arithmetic as _a
from lenet.autograd.array_rows.row import Array, array_row, binary, fit, floating, matched, no_out, operand, tensor
from lenet.autograd.tape import call
from lenet.autograd.tensor import Tensor, dense
from lenet.messages.check import message

__all__ = [
    "bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "copysign", "div", "eq", "fmax", "fmin", "gcd", "ge", "greater", "gt", "heaviside", "hypot", "lcm",
    "le", "lerp", "less", "logaddexp", "lt", "mul", "ne", "nextafter", "sub", "true_divide",
]  # fmt: skip

# Paddle's second names for the same functions
eq, ne, ge, gt, le, lt = _a.equal, _a.not_equal, _a.greater_equal, _a.greater_than, _a.less_equal, _a.less_than
greater, less, mul, sub = _a.greater_than, _a.less_than, _a.multiply, _a.subtract
div = true_divide = _a.divide


def _first(a: Array, b: Array, chosen: Array) -> Array:
    """Whether the gradient goes to a: where it was chosen, or the other is NaN."""
    return np.asarray((chosen | np.isnan(b)) & ~(np.isnan(a) & ~np.isnan(b)))


def _fgradient(chosen: Callable[[Array, Array], Array]) -> Callable[..., tuple[Array, Array]]:
    def gradient(dy: Array, y: Array, a: Array, b: Array) -> tuple[Array, Array]:
        goes = _first(a, b, chosen(a, b))
        return dy * goes, dy * ~goes

    return gradient


fmax = binary(
    "fmax", np.fmax, _fgradient(np.greater_equal), "The larger of x and y, broadcast; a number wins over NaN."
)
fmin = binary("fmin", np.fmin, _fgradient(np.less_equal), "The smaller of x and y, broadcast; a number wins over NaN.")
heaviside = binary(
    "heaviside",
    lambda a, b: np.asarray(np.heaviside(a, b), a.dtype),
    lambda dy, y, a, b: (np.zeros_like(dy), dy * (a == 0)),
    "0 where x < 0, y where x is 0, 1 where x > 0, broadcast.",
)
_hypot = binary("hypot", np.hypot, lambda dy, y, a, b: (dy * a / y, dy * b / y), "")
copysign = binary(
    "copysign",
    lambda a, b: np.asarray(np.copysign(a, b), a.dtype),
    lambda dy, y, a, b: (dy * np.where(a == 0, 0, np.sign(y) * np.sign(a)), np.zeros_like(dy)),
    "|x| with the sign of y, broadcast.",
)
_logaddexp = binary(
    "logaddexp",
    np.logaddexp,
    lambda dy, y, a, b: (dy * np.exp(a - y), dy * np.exp(b - y)),
    "",
)


def hypot(x: Any, y: Any, name: str | None = None) -> Tensor:
    """√(x² + y²), broadcast, without overflow."""
    a, b = matched("hypot", x, y)
    return _hypot(floating(a), floating(b))


def logaddexp(x: Any, y: Any, name: str | None = None) -> Tensor:
    """log(e^x + e^y), broadcast, without overflow."""
    a, b = matched("logaddexp", x, y)
    return _logaddexp(floating(a), floating(b))


def nextafter(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The next number of the type from x towards y, broadcast; no gradient."""
    a, b = matched("nextafter", x, y)
    return dense(np.asarray(np.nextafter(a.data_array(), b.data_array())))


array_row(
    "lerp",
    lambda x, y, w: np.asarray(x + w * (y - x), x.dtype),
    lambda dy, out, a, at: (fit(dy * (1 - a[2]), a[0]), fit(dy * a[2], a[1]), fit(dy * (a[1] - a[0]), a[2])),
)


def lerp(x: Tensor, y: Tensor, weight: Any, name: str | None = None) -> Tensor:
    """x + weight · (y - x), broadcast: x at weight 0, y at 1."""
    a, b = matched("lerp", x, y)
    return call("lerp", a, b, operand("lerp", weight, a))


# ---- whole numbers -------------------------------------------------------------------------------------------------------


def _of_whole_numbers(name: str, forward: Callable[..., Any], doc: str, bools: bool = False) -> Callable[..., Tensor]:
    """A function of whole numbers (and bools), broadcast, without a gradient. TypeError for floats."""

    def function(x: Any, y: Any, out: None = None, name: str | None = None) -> Tensor:
        no_out(what, out)
        a, b = matched(what, x, y)
        if a._dtype.kind not in ("biu" if bools else "iu"):
            expected = "whole numbers or bools" if bools else "whole numbers"
            raise TypeError(message(what, f"tensors of {a._dtype}", expected, "Type x.astype('int64')"))
        return dense(np.asarray(forward(a.data_array(), b.data_array()), a._dtype))

    what = name
    function.__name__ = function.__qualname__ = name
    function.__module__, function.__doc__ = "lenet.autograd.array_rows", doc
    return function


def _whole_two(name: str, forward: Callable[..., Any], doc: str) -> Callable[..., Tensor]:
    made = _of_whole_numbers(name, forward, doc)

    def function(x: Any, y: Any, name: str | None = None) -> Tensor:
        return made(x, y)

    function.__name__ = function.__qualname__ = name
    function.__module__, function.__doc__ = "lenet.autograd.array_rows", doc
    return function


bitwise_and = _of_whole_numbers("bitwise_and", np.bitwise_and, "x & y bit by bit, broadcast.", True)
bitwise_or = _of_whole_numbers("bitwise_or", np.bitwise_or, "x | y bit by bit, broadcast.", True)
bitwise_xor = _of_whole_numbers("bitwise_xor", np.bitwise_xor, "x ^ y bit by bit, broadcast.", True)
gcd = _whole_two("gcd", np.gcd, "The greatest common divisor, broadcast.")
lcm = _whole_two("lcm", np.lcm, "The least common multiple, broadcast.")
_left = _of_whole_numbers("bitwise_left_shift", np.left_shift, "")
_right = _of_whole_numbers("bitwise_right_shift", np.right_shift, "")


def bitwise_left_shift(x: Any, y: Any, is_arithmetic: bool = True, out: None = None, name: str | None = None) -> Tensor:
    """x's bits moved y places to the left, broadcast; zeros come in."""
    return _left(x, y, out)


def bitwise_right_shift(
    x: Any, y: Any, is_arithmetic: bool = True, out: None = None, name: str | None = None
) -> Tensor:
    """x's bits moved y places to the right, broadcast; what comes in is the sign, or zeros with is_arithmetic=False."""
    if is_arithmetic:
        return _right(x, y, out)
    a, b = matched("bitwise_right_shift", x, y)
    plain = np.dtype(f"u{a._dtype.itemsize}")
    moved = np.right_shift(a.data_array().view(plain), b.data_array().astype(plain))
    return dense(np.asarray(moved).view(a._dtype))


def bitwise_not(x: Tensor, out: None = None, name: str | None = None) -> Tensor:
    """Every bit of x turned over; of a bool tensor the opposite. TypeError for floats."""
    no_out("bitwise_not", out)
    x = tensor("bitwise_not", x)
    if x._dtype.kind == "f":
        raise TypeError(message("bitwise_not", f"a tensor of {x._dtype}", "whole numbers or bools"))
    return dense(np.asarray(np.invert(x.data_array())))


bitwise_invert = bitwise_not
