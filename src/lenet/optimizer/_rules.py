"""Update rules in numpy, for values of any float type: those the engine has no kernel for, and all of them in float64.

Each takes one parameter's value, gradient and states, arrays it writes in place, and the numbers of the rule.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

__all__ = ["adadelta", "adagrad", "adam", "adamax", "momentum", "rmsprop", "sgd"]


def sgd(p: Array, g: Array, lr: float) -> None:
    """p -= lr · g"""
    p -= p.dtype.type(lr) * g


def momentum(p: Array, g: Array, v: Array, lr: float, mu: float, nesterov: bool) -> None:
    """v = mu · v + g; p -= lr · v, or lr · (g + mu · v)"""
    mu = p.dtype.type(mu)
    v[...] = mu * v + g
    p -= p.dtype.type(lr) * (g + mu * v if nesterov else v)


def adam(p: Array, g: Array, m: Array, v: Array, lr: float, o: dict[str, float], powers: Any, decay: float) -> None:
    """Adam, and with decay AdamW: see ``algorithms``"""
    kind = p.dtype.type
    p *= kind(1 - lr * decay)
    m[...] = kind(o["beta1"]) * m + kind(1 - o["beta1"]) * g
    v[...] = kind(o["beta2"]) * v + kind(1 - o["beta2"]) * g * g
    root = math.sqrt(1 - powers[1])
    p -= kind(lr * root / (1 - powers[0])) * m / (np.sqrt(v) + kind(o["epsilon"] * root))


def rmsprop(
    p: Array, g: Array, mom: Array, square: Array, mean: Array, lr: float, o: dict[str, float], centered: bool
) -> None:
    """RMSProp: see ``algorithms``"""
    kind = p.dtype.type
    rho = kind(o["rho"])
    square[...] = rho * square + (1 - rho) * g * g
    under = square + kind(o["epsilon"])
    if centered:
        mean[...] = rho * mean + (1 - rho) * g
        under = under - mean * mean
    mom[...] = kind(o["momentum"]) * mom + kind(lr) * g / np.sqrt(under)
    p -= mom


def adagrad(p: Array, g: Array, moment: Array, lr: float, epsilon: float) -> None:
    """Adagrad: see ``algorithms``"""
    moment += g * g
    p -= p.dtype.type(lr) * g / (np.sqrt(moment) + p.dtype.type(epsilon))


def adadelta(p: Array, g: Array, square: Array, moved: Array, lr: float, o: dict[str, float]) -> None:
    """Adadelta: see ``algorithms``"""
    kind = p.dtype.type
    rho, epsilon = kind(o["rho"]), kind(o["epsilon"])
    square[...] = rho * square + (1 - rho) * g * g
    step = -np.sqrt((moved + epsilon) / (square + epsilon)) * g
    moved[...] = rho * moved + (1 - rho) * step * step
    p += kind(lr) * step


def adamax(p: Array, g: Array, m: Array, largest: Array, lr: float, o: dict[str, float], power: float) -> None:
    """Adamax: see ``algorithms``"""
    kind = p.dtype.type
    m[...] = kind(o["beta1"]) * m + kind(1 - o["beta1"]) * g
    largest[...] = np.maximum(np.abs(g), kind(o["beta2"]) * largest + kind(o["epsilon"]))
    p -= kind(lr / (1 - power)) * m / largest
