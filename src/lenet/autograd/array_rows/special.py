"""Array rows of one operand that beginners meet less often: special functions, angles, signs. A line each.

numpy has no gamma functions: they are made here of series, in double precision, and rounded to the tensor's type.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lenet.autograd.array_rows.arithmetic import add, multiply, pow
from lenet.autograd.array_rows.elementwise import neg, sign, test
from lenet.autograd.array_rows.row import Array, array_row, cast, floating, matched, tensor, unary, whole
from lenet.autograd.tape import call
from lenet.autograd.tensor import Tensor, dense
from lenet.messages.check import message

__all__ = [
    "deg2rad", "digamma", "erfinv", "frac", "frexp", "gammainc", "gammaincc", "gammaln", "i0", "i0e", "i1", "i1e",
    "isneginf", "isposinf", "isreal", "ldexp", "lgamma", "logit", "multigammaln", "nan_to_num", "negative", "polygamma",
    "positive", "rad2deg", "sgn", "signbit", "sinc", "stanh",
]  # fmt: skip

_HIGHEST_TERM = 12.0  # from here on the asymptotic series of digamma and polygamma hold to double precision


def _digamma(x: Array) -> Array:
    """By ψ(x + 1) = ψ(x) + 1/x up to where the asymptotic series holds, by reflection below 0."""
    x = np.asarray(x, np.float64)
    with np.errstate(all="ignore"):
        low = x <= 0
        z = np.where(low, 1 - x, x)
        total = np.zeros_like(z)
        for _ in range(int(_HIGHEST_TERM)):
            small = z < _HIGHEST_TERM
            total -= np.where(small, 1 / z, 0)
            z = np.where(small, z + 1, z)
        w = 1 / (z * z)
        series = w * (1 / 12 - w * (1 / 120 - w * (1 / 252 - w * (1 / 240 - w * (1 / 132 - w * 691 / 32760)))))
        found = total + np.log(z) - 0.5 / z - series
        found = np.where(low, found - np.pi / np.tan(np.pi * x), found)
        return np.where(low & (x == np.floor(x)), np.nan, found)


def _polygamma(x: Array, n: int) -> Array:
    """ψ⁽ⁿ⁾(x) for n ≥ 1 and x > 0: (-1)ⁿ⁺¹ n! ζ(n + 1, x), ζ by Euler and Maclaurin."""
    z, s = np.asarray(x, np.float64), n + 1
    with np.errstate(all="ignore"):
        total = np.zeros_like(z)
        for k in range(int(_HIGHEST_TERM)):
            total = total + (z + k) ** -s
        z = z + _HIGHEST_TERM
        total = total + z ** (1 - s) / (s - 1) + 0.5 * z**-s
        factor = s * z ** -(s + 1)
        for k, bernoulli in enumerate((1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160)):
            total = total + bernoulli * factor
            factor = factor * (s + 2 * k + 1) * (s + 2 * k + 2) / (z * z)
    return (-1.0) ** (n + 1) * math.factorial(n) * total


def _lgamma(x: Array) -> Array:
    def one(v: float) -> float:
        if v <= 0 and v == math.floor(v):
            return math.inf
        return math.lgamma(v) if math.isfinite(v) else (math.inf if v == v else math.nan)

    return np.asarray(np.frompyfunc(one, 1, 1)(x), np.float64)


_erf: Any = np.frompyfunc(math.erf, 1, 1)


def _erfinv(x: Array) -> Array:
    """A first guess, then Newton's steps on erf; ±inf at ±1, NaN beyond."""
    z = np.asarray(x, np.float64)
    with np.errstate(all="ignore"):
        a, inner = 0.147, np.log(np.maximum(1 - z * z, 1e-300))
        b = 2 / (np.pi * a) + inner / 2
        y = np.sign(z) * np.sqrt(np.sqrt(b * b - inner / a) - b)
        for _ in range(4):
            slope = 2 / math.sqrt(np.pi) * np.exp(-y * y)
            y = y - np.where(np.abs(z) < 1, (np.asarray(_erf(y), np.float64) - z) / np.maximum(slope, 1e-300), 0)
        return np.where(np.abs(z) == 1, np.sign(z) * np.inf, np.where(np.abs(z) > 1, np.nan, y))


def _bessel(order: int, scaled: bool) -> Any:
    """I₀ or I₁ as a mean over the circle of exp(x cos θ) cos(order θ), which converges faster than any power."""
    angles = (np.arange(512) + 0.5) * (np.pi / 512)
    turns, weights = np.cos(angles), np.cos(order * angles) / 512

    def function(x: Array) -> Array:
        z = np.asarray(x, np.float64)
        size = np.abs(z)
        mean = (np.exp(size[..., None] * (turns - 1)) * weights).sum(-1)
        if order:
            mean = mean * np.sign(z)
        return mean if scaled else mean * np.exp(size)

    return function


_i0, _i0e, _i1, _i1e = (_bessel(order, scaled) for order in (0, 1) for scaled in (False, True))


def _i1_slope(y: Array, x: Array, zero: Any) -> Array:
    with np.errstate(all="ignore"):
        return np.where(x == 0, 0.5, zero(x) - y / np.where(x == 0, 1, x))


digamma = unary(
    "digamma",
    _digamma,
    lambda dy, y, x: dy * _polygamma(x, 1),
    "The logarithmic derivative of the gamma function at x.",
)
lgamma = unary("lgamma", _lgamma, lambda dy, y, x: dy * _digamma(x), "log |Γ(x)|.")
gammaln = lgamma
erfinv = unary(
    "erfinv",
    _erfinv,
    lambda dy, y, x: dy * (math.sqrt(math.pi) / 2) * np.exp(y * y),
    "The inverse of the error function.",
)
i0 = unary("i0", _i0, lambda dy, y, x: dy * _i1(x), "The modified Bessel function of the first kind, order 0.")
i0e = unary("i0e", _i0e, lambda dy, y, x: dy * (_i1e(x) - np.sign(x) * y), "e^-|x| · i0(x).")
i1 = unary(
    "i1", _i1, lambda dy, y, x: dy * _i1_slope(y, x, _i0), "The modified Bessel function of the first kind, order 1."
)
i1e = unary("i1e", _i1e, lambda dy, y, x: dy * (_i1_slope(y, x, _i0e) - np.sign(x) * y), "e^-|x| · i1(x).")
deg2rad = unary("deg2rad", np.deg2rad, lambda dy, y, x: dy * (math.pi / 180), "Degrees to radians.")
rad2deg = unary("rad2deg", np.rad2deg, lambda dy, y, x: dy * (180 / math.pi), "Radians to degrees.")


def _sinc_slope(x: Array) -> Array:
    z = np.where(x == 0, 1, np.pi * x)
    return np.where(x == 0, 0, np.pi * (z * np.cos(z) - np.sin(z)) / (z * z))


sinc = unary("sinc", np.sinc, lambda dy, y, x: dy * _sinc_slope(x), "sin(πx) / (πx), 1 at 0.")

frac = unary(
    "frac",
    lambda x: x - np.trunc(x),
    lambda dy, y, x: dy,
    "What stands behind the point; its sign is x's.",
    whole="keep",
)
negative, sgn = neg, sign


def positive(x: Tensor) -> Tensor:
    """x itself. TypeError for a bool tensor."""
    x = tensor("positive", x)
    if x._dtype == np.bool_:
        raise TypeError(message("positive", "a bool tensor", "numbers"))
    return multiply(x, 1)


def sigmoid(x: Tensor, name: str | None = None) -> Tensor:
    """1 / (1 + e^-x), any shape; the engine's own row, so a plan can run it."""
    return call("sigmoid", floating(x))


array_row(
    "stanh",
    lambda x, a, b: np.asarray(b * np.tanh(a * x), x.dtype),
    lambda dy, y, x, at: (dy * at["a"] * (at["b"] - y * y / at["b"]),),
)


def stanh(x: Tensor, scale_a: float = 0.67, scale_b: float = 1.7159, name: str | None = None) -> Tensor:
    """scale_b · tanh(scale_a · x)."""
    return call("stanh", floating(x), a=scale_a, b=scale_b)


def _logit(x: Array, eps: float) -> Array:
    z = np.clip(x, eps, 1 - eps) if eps else x
    with np.errstate(all="ignore"):
        return np.asarray(np.where((z < 0) | (z > 1), np.nan, np.log(z / (1 - z))), x.dtype)


def _logit_gradient(dy: Array, y: Array, a: tuple[Array], at: Any) -> tuple[Array]:
    x, eps = a[0], at["eps"]
    with np.errstate(all="ignore"):
        inside = (x >= eps) & (x <= 1 - eps)
        return (np.where(inside, dy / (x * (1 - x)), 0 if eps else np.nan),)


array_row("logit", _logit, _logit_gradient)


def logit(x: Tensor, eps: float | None = None, name: str | None = None) -> Tensor:
    """log(x / (1 - x)), the inverse of the sigmoid; eps holds x between eps and 1 - eps first. NaN outside 0 to 1."""
    return call("logit", floating(x), eps=float(eps or 0))


array_row(
    "polygamma",
    lambda x, n: np.asarray(_polygamma(x, n), x.dtype),
    lambda dy, y, a, at: (dy * _polygamma(a[0], at["n"] + 1),),
)


def polygamma(x: Tensor, n: int, name: str | None = None) -> Tensor:
    """The n-th derivative of ``digamma``. ValueError for a negative n."""
    order = whole("polygamma(n)", n)
    if order < 0:
        raise ValueError(message("polygamma(n)", order, "a whole number of at least 0"))
    return digamma(x) if order == 0 else call("polygamma", floating(x), n=order)


def multigammaln(x: Tensor, p: int, name: str | None = None) -> Tensor:
    """The logarithm of the multivariate gamma function of dimension p: Σ lgamma(x - i / 2), i below p, plus a constant."""
    order = whole("multigammaln(p)", p)
    if order < 1:
        raise ValueError(message("multigammaln(p)", order, "a whole number of at least 1"))
    x = floating(x)
    total = lgamma(x)
    for i in range(1, order):
        total = add(total, lgamma(add(x, -i / 2)))
    return add(total, order * (order - 1) / 4 * math.log(math.pi))


def _lower_gamma(a: float, x: float) -> float:
    """P(a, x): its series below a + 1, else one minus the continued fraction of Q(a, x)."""
    if not (a > 0 and x >= 0):
        return 1.0 if a == 0 and x > 0 else math.nan
    if x == 0 or math.isinf(x):
        return 0.0 if x == 0 else 1.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        for k in range(1, 2000):
            term *= x / (a + k)
            total += term
            if term < total * 1e-17:
                break
        return total * front
    tiny = 1e-300
    b = x + 1 - a
    c, d = 1 / tiny, 1 / b
    h = d
    for k in range(1, 2000):
        step = -k * (k - a)
        b += 2
        d = step * d + b
        d = 1 / (d if abs_(d) > tiny else tiny)
        c = b + step / c
        c = c if abs_(c) > tiny else tiny
        h *= c * d
        if abs_(c * d - 1) < 1e-16:
            break
    return 1 - h * front


def abs_(x: float) -> float:
    """|x| of a plain number; ``abs`` here is the tensors'."""
    return -x if x < 0 else x


_gamma_p: Any = np.frompyfunc(_lower_gamma, 2, 1)


def _density(dy: Array, a: Array, x: Array) -> Array:
    """The slope of P(a, x) in x."""
    with np.errstate(all="ignore"):
        return dy * np.exp((a - 1) * np.log(x) - x - _lgamma(a))


array_row(
    "gammaincc",
    lambda a, x: np.asarray(1 - np.asarray(_gamma_p(a, x), np.float64), a.dtype),
    lambda dy, y, ax, at: (None, -_density(dy, *ax)),
)


def gammaincc(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    """The upper regularised incomplete gamma function Q(x, y); the gradient goes to y alone."""
    a, b = matched("gammaincc", floating(x), floating(y))
    if a._shape != b._shape:
        full = np.broadcast_shapes(a._shape, b._shape)
        a, b = (call("expand", t, shape=full) for t in (a, b))
    return call("gammaincc", a, b)


def gammainc(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    """The lower regularised incomplete gamma function P(x, y); the gradient goes to y alone."""
    return add(neg(gammaincc(x, y)), 1)


# ---- signs, parts, and what isn't a number -------------------------------------------------------------------------------

isneginf = test("isneginf", np.isneginf, "True where x is minus infinity: a bool tensor.")
isposinf = test("isposinf", np.isposinf, "True where x is plus infinity: a bool tensor.")
signbit = test(
    "signbit", lambda x: np.signbit(x) if x.dtype.kind == "f" else x < 0, "True where x's sign is minus: a bool tensor."
)
isreal = test("isreal", lambda x: np.ones(x.shape, np.bool_), "True everywhere: there are no complex tensors here.")


array_row(
    "nan_to_num",
    lambda x, nan, high, low: np.nan_to_num(x, nan=nan, posinf=high, neginf=low),
    lambda dy, y, a, at: (dy * np.isfinite(a[0]),),
)


def nan_to_num(
    x: Tensor, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None, name: str | None = None
) -> Tensor:
    """x with other numbers in the place of NaN and of the infinities; None: the largest and smallest of x's type."""
    return call("nan_to_num", floating(x), nan=nan, high=posinf, low=neginf)


def frexp(x: Tensor, name: str | None = None) -> tuple[Tensor, Tensor]:
    """x as mantissa · 2^exponent, the mantissa's size from ½ to 1; both in x's type."""
    x = floating(x)
    mantissa, exponent = np.frexp(x.data_array())
    return dense(np.asarray(mantissa)), dense(np.asarray(exponent, x._dtype))


def ldexp(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    """x · 2^y, broadcast; float64 where one of both is, float32 otherwise."""
    a, b = tensor("ldexp", x), tensor("ldexp", y)
    kind = np.dtype(np.float64 if np.float64 in (a._dtype, b._dtype) else np.float32)
    return multiply(cast(a, kind), pow(dense(np.array(2, kind)), cast(b, kind)))
