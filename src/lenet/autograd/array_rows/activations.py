"""Array rows of activations with settings: a line each. ``nn.functional`` holds the functions that call them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lenet.autograd.array_rows.row import Array, array_row, floating
from lenet.autograd.tape import call
from lenet.autograd.tensor import Tensor

__all__ = ["activation"]

Rule = Callable[..., Any]


def _sigmoid(x: Array) -> Array:
    """Without overflow on either side."""
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1, small) / (1 + small), x.dtype)


def _softplus(x: Array) -> Array:
    """log(1 + e^x)"""
    return np.asarray(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), x.dtype)


def _gauss(x: Array) -> Array:
    """The standard normal distribution's cumulative share."""
    erf = np.frompyfunc(math.erf, 1, 1)
    return np.asarray(0.5 * (1 + np.asarray(erf(x / math.sqrt(2)), x.dtype)), x.dtype)


_ROOT = math.sqrt(2 / math.pi)


def _tanh_gelu(x: Array) -> Array:
    return np.tanh(_ROOT * (x + 0.044715 * x**3))


def _gelu(x: Array, approximate: bool) -> Array:
    return 0.5 * x * (1 + _tanh_gelu(x)) if approximate else x * _gauss(x)


def _gelu_slope(y: Array, x: Array, approximate: bool) -> Array:
    if approximate:
        t = _tanh_gelu(x)
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * _ROOT * (1 + 3 * 0.044715 * x * x)
    return _gauss(x) + x * np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def _mish_slope(y: Array, x: Array) -> Array:
    t = np.tanh(_softplus(x))
    return t + x * (1 - t * t) * _sigmoid(x)


def _negative(x: Array) -> Array:
    return np.minimum(x, 0)


# name: f(x, settings) and its slope(y, x, settings)
RULES: dict[str, tuple[Rule, Rule]] = {
    "elu": (
        lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(_negative(x))),
        lambda y, x, alpha: np.where(x > 0, 1, alpha * np.exp(_negative(x))),
    ),
    "celu": (
        lambda x, alpha: np.maximum(x, 0) + np.minimum(alpha * np.expm1(_negative(x / alpha)), 0),
        lambda y, x, alpha: np.where(x > 0, 1, np.exp(_negative(x / alpha))),
    ),
    "selu": (
        lambda x, scale, alpha: scale * np.where(x > 0, x, alpha * np.expm1(_negative(x))),
        lambda y, x, scale, alpha: scale * np.where(x > 0, 1, alpha * np.exp(_negative(x))),
    ),
    "gelu": (_gelu, _gelu_slope),
    "relu6": (lambda x: np.clip(x, 0, 6), lambda y, x: (x > 0) & (x < 6)),
    "leaky_relu": (
        lambda x, slope: np.where(x >= 0, x, slope * x),
        lambda y, x, slope: np.where(x >= 0, 1, slope),
    ),
    "silu": (
        lambda x: x * _sigmoid(x),
        lambda y, x: _sigmoid(x) + y * (1 - _sigmoid(x)),
    ),
    "mish": (lambda x: x * np.tanh(_softplus(x)), _mish_slope),
    "hardswish": (
        lambda x: x * np.clip(x + 3, 0, 6) / 6,
        lambda y, x: np.where(x <= -3, 0, np.where(x < 3, x / 3 + 0.5, 1)),
    ),
    "hardsigmoid": (
        lambda x, slope, offset: np.clip(slope * x + offset, 0, 1),
        lambda y, x, slope, offset: np.where((y > 0) & (y < 1), slope, 0),
    ),
    "hardtanh": (
        lambda x, low, high: np.clip(x, low, high),
        lambda y, x, low, high: (x > low) & (x < high),
    ),
    "hardshrink": (
        lambda x, threshold: np.where(np.abs(x) > threshold, x, 0),
        lambda y, x, threshold: np.abs(x) > threshold,
    ),
    "thresholded_relu": (
        lambda x, threshold, value: np.where(x > threshold, x, value),
        lambda y, x, threshold, value: x > threshold,
    ),
    "softshrink": (
        lambda x, threshold: np.sign(x) * np.maximum(np.abs(x) - threshold, 0),
        lambda y, x, threshold: np.abs(x) > threshold,
    ),
    "softplus": (
        lambda x, beta, threshold: np.where(x * beta > threshold, x, _softplus(x * beta) / beta),
        lambda y, x, beta, threshold: np.where(x * beta > threshold, 1, _sigmoid(x * beta)),
    ),
    "softsign": (lambda x: x / (1 + np.abs(x)), lambda y, x: 1 / (1 + np.abs(x)) ** 2),
    "tanhshrink": (lambda x: x - np.tanh(x), lambda y, x: np.tanh(x) ** 2),
    "log_sigmoid": (lambda x: -_softplus(-x), lambda y, x: _sigmoid(-x)),
}


def _row(name: str, value: Rule, slope: Rule) -> None:
    array_row(
        name,
        lambda x, **settings: np.asarray(value(x, **settings), x.dtype),
        lambda dy, y, a, settings: (dy * slope(y, a[0], **settings),),
    )


for _name, (_value, _slope) in RULES.items():
    _row(_name, _value, _slope)


def activation(name: str, x: Tensor, **settings: Any) -> Tensor:
    """One of the rows above on a tensor of floats."""
    return call(name, floating(x, name), **settings)
