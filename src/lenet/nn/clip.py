"""Gradient clipping: by each value, by each tensor's norm, by the norm of all of them (Paddle: ``paddle.nn.ClipGradBy*``).

An optimizer calls ``clip_arrays`` on the gradients it is about to use; parameters made with ``ParamAttr(need_clip=False)``
are never handed in. The stored ``.grad`` is left as it is: clipping makes new arrays. Read by ``optimizer``, ``nn`` and ``plan``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from lenet.autograd.tensor import to_tensor
from lenet.messages import check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["ClipGradBase", "ClipGradByGlobalNorm", "ClipGradByNorm", "ClipGradByValue"]


def _number(what: str, value: object, *, positive: bool) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating, np.integer)):
        raise TypeError(check.message(what, check.describe(value), "a number such as 1.0"))
    number = float(value)
    if math.isnan(number) or (positive and number <= 0):
        raise ValueError(check.message(what, number, "a number above 0" if positive else "a number"))
    return number


def _square_sum(gradient: NDArray[np.float32]) -> float:
    """Σg² in float64, whose order of summation does not show in a float32 result."""
    wide = gradient.astype(np.float64).ravel()
    return float(np.sum(wide * wide))


def _scaled(gradient: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    with np.errstate(invalid="ignore"):  # an infinite gradient: 0 · inf = NaN, silently, as in the core
        return gradient * gradient.dtype.type(factor)


class ClipGradBase:
    """What an optimizer asks of a clip: ``clip_arrays``. Called with (parameter, gradient) pairs it returns them clipped."""

    def __call__(self, params_grads: Sequence[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
        """The pairs with clipped gradients, Tensors; where the gradient is None or need_clip False they stay as they are."""
        pairs = list(params_grads)
        which = [i for i, (p, g) in enumerate(pairs) if g is not None and getattr(p, "need_clip", True)]
        for i, clipped in zip(which, self.clip_arrays([pairs[i][1].data_array() for i in which]), strict=True):
            pairs[i] = (pairs[i][0], to_tensor(clipped))
        return pairs

    def clip_arrays(self, gradients: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """The clipped gradients, in the same order; inputs are not written to."""
        raise NotImplementedError


class ClipGradByValue(ClipGradBase):
    """Every entry is limited to ``[min, max]``; ``min`` defaults to ``-max``, which then has to be above 0."""

    def __init__(self, max: float, min: float | None = None) -> None:
        self.max = _number("ClipGradByValue(max)", max, positive=min is None)
        self.min = -self.max if min is None else _number("ClipGradByValue(min)", min, positive=False)
        if self.min > self.max:
            raise ValueError(check.message("ClipGradByValue", f"min={self.min}, max={self.max}", "min at most max"))

    def __str__(self) -> str:
        return f"Clip Gradient By Value, min = {self.min:f}, max={self.max:f}"

    def clip_arrays(self, gradients: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        return [np.clip(g, g.dtype.type(self.min), g.dtype.type(self.max)) for g in gradients]


class ClipGradByNorm(ClipGradBase):
    """Each gradient is scaled down, by itself, until its L2 norm is at most ``clip_norm`` (above 0)."""

    def __init__(self, clip_norm: float) -> None:
        self.clip_norm = _number("ClipGradByNorm(clip_norm)", clip_norm, positive=True)

    def __str__(self) -> str:
        return f"Gradient Clip By Norm, clip_norm={self.clip_norm:f}"

    def clip_arrays(self, gradients: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        clipped = []
        for g in gradients:
            norm = math.sqrt(_square_sum(g))
            clipped.append(_scaled(g, self.clip_norm / norm) if norm > self.clip_norm else g)
        return clipped


class ClipGradByGlobalNorm(ClipGradBase):
    """All gradients are scaled by one factor, clip_norm / max(norm, clip_norm), where norm = √Σ‖g‖² over all of them.

    ``group_name`` and ``auto_skip_clip`` are Paddle's and change no number here.
    """

    def __init__(self, clip_norm: float, group_name: str = "default_group", auto_skip_clip: bool = False) -> None:
        self.clip_norm = _number("ClipGradByGlobalNorm(clip_norm)", clip_norm, positive=True)
        self.group_name = group_name
        self.auto_skip_clip = auto_skip_clip

    def __str__(self) -> str:
        return f"Gradient Clip By GlobalNorm, global_norm={self.clip_norm:f}"

    def clip_arrays(self, gradients: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        norm = math.sqrt(sum(_square_sum(g) for g in gradients))
        if norm <= self.clip_norm:
            return list(gradients)
        # A NaN norm falls through: the NaN reaches every gradient, as it must, and is reported by whoever checks the step.
        return [_scaled(g, self.clip_norm / norm) for g in gradients]
