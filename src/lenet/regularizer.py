"""Penalties on large weights: ``L1Decay`` and ``L2Decay`` (Paddle: ``paddle.regularizer``).

An optimizer adds the penalty's gradient to each parameter's gradient, after clipping. Nothing here knows a layer or an
optimizer: a regularizer is a coefficient and one formula. Read by ``param`` (``ParamAttr(regularizer=…)``) and ``optimizer``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lenet.messages import check

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["L1Decay", "L2Decay", "WeightDecayRegularizer"]


class WeightDecayRegularizer:
    """What ``L1Decay`` and ``L2Decay`` share: a coefficient, at least 0 and finite (ValueError, TypeError otherwise)."""

    def __init__(self, coeff: float = 0.0) -> None:
        if isinstance(coeff, bool) or not isinstance(coeff, (int, float, np.floating, np.integer)):
            raise TypeError(
                check.message(f"{type(self).__name__}(coeff)", check.describe(coeff), "a number such as 1e-4")
            )
        if not math.isfinite(coeff) or coeff < 0:
            raise ValueError(check.message(f"{type(self).__name__}(coeff)", coeff, "a finite number of at least 0"))
        self.coeff = float(coeff)

    def __str__(self) -> str:
        return f"{type(self).__name__}, coeff={self.coeff:f}"

    def penalty_gradient(self, value: NDArray[np.float32]) -> NDArray[np.float32]:
        """The penalty's gradient at ``value``: float32, of the same shape."""
        raise NotImplementedError


class L1Decay(WeightDecayRegularizer):
    """coeff · Σ|w|: adds coeff · sign(w) to the gradient, which drives weights to exactly 0."""

    def penalty_gradient(self, value: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.sign(value) * value.dtype.type(self.coeff)


class L2Decay(WeightDecayRegularizer):
    """½ · coeff · Σw²: adds coeff · w to the gradient, which shrinks every weight."""

    def penalty_gradient(self, value: NDArray[np.float32]) -> NDArray[np.float32]:
        return value * value.dtype.type(self.coeff)
