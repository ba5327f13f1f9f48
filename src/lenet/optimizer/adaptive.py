"""Update rules met less often (Paddle: ``paddle.optimizer.NAdam`` and its like), in numpy; no network is planned with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.autograd.tensor import Parameter
from lenet.messages import check
from lenet.nn.clip import ClipGradBase
from lenet.optimizer.lr import LRScheduler
from lenet.optimizer.optimizer import Batch, Optimizer
from lenet.regularizer import WeightDecayRegularizer

__all__ = ["Lamb", "NAdam", "RAdam", "Rprop"]

Array = NDArray[Any]


class _TwoMoments(Optimizer):
    """m = β1·m + (1-β1)·g and v = β2·v + (1-β2)·g², as Adam keeps them; ``_step_of`` makes the change of p of them."""

    state_names = ("moment1", "moment2")
    power_names = ("beta1", "beta2")

    def _update(self, batch: Batch) -> None:
        o, pow2 = batch.options, batch.powers[1]
        steps = 1 if o["beta2"] == 0 else round(math.log(pow2) / math.log(o["beta2"]))

        def rule(p: Array, g: Array, m: Array, v: Array) -> None:
            kind = p.dtype.type
            m[...] = kind(o["beta1"]) * m + kind(1 - o["beta1"]) * g
            v[...] = kind(o["beta2"]) * v + kind(1 - o["beta2"]) * g * g
            p -= (batch.lr * self._step_of(p, g, m, v, batch, steps)).astype(p.dtype)

        batch.each(rule)

    def _step_of(self, p: Array, g: Array, m: Array, v: Array, batch: Batch, steps: int) -> Array:
        raise NotImplementedError


class NAdam(_TwoMoments):
    """Adam with Nesterov's look ahead, whose weight grows with the steps: μₜ = β1 · (1 - ½ · 0.96^(t · momentum_decay)).

    p -= lr · (μₜ₊₁ · m / (1 - Π μ₁…μₜ₊₁) + (1 - μₜ) · g / (1 - Π μ₁…μₜ)) / (√v̂ + epsilon). Source: Dozat 2016.
    """

    def __init__(
        self,
        learning_rate: float | LRScheduler = 0.002,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        momentum_decay: float = 0.004,
        parameters: Any = None,
        weight_decay: float | WeightDecayRegularizer | None = None,
        grad_clip: ClipGradBase | None = None,
        name: str | None = None,
    ) -> None:
        options = {"beta1": beta1, "beta2": beta2, "epsilon": epsilon, "momentum_decay": momentum_decay}
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name, options=options)

    def _step_of(self, p: Array, g: Array, m: Array, v: Array, batch: Batch, steps: int) -> Array:
        o = batch.options
        mus = o["beta1"] * (1 - 0.5 * 0.96 ** (np.arange(1, steps + 2) * o["momentum_decay"]))
        before, after = float(np.prod(mus[:-1])), float(np.prod(mus))
        first = mus[-1] * m / (1 - after) + (1 - mus[-2]) * g / (1 - before)
        return np.asarray(first / (np.sqrt(v / (1 - batch.powers[1])) + o["epsilon"]))


class RAdam(_TwoMoments):
    """Adam whose step is scaled by how well v is known, and is lr · m̂ while it hardly is. Source: Liu et al. 2020."""

    def __init__(
        self,
        learning_rate: float | LRScheduler = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        parameters: Any = None,
        weight_decay: float | WeightDecayRegularizer | None = None,
        grad_clip: ClipGradBase | None = None,
        name: str | None = None,
    ) -> None:
        options = {"beta1": beta1, "beta2": beta2, "epsilon": epsilon}
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name, options=options)

    def _step_of(self, p: Array, g: Array, m: Array, v: Array, batch: Batch, steps: int) -> Array:
        o, (pow1, pow2) = batch.options, batch.powers
        most = 2 / (1 - o["beta2"]) - 1
        now = most - 2 * steps * pow2 / (1 - pow2)
        mean = m / (1 - pow1)
        if now <= 5:
            return np.asarray(mean)
        scale = math.sqrt((now - 4) * (now - 2) * most / ((most - 4) * (most - 2) * now))
        return np.asarray(mean * scale * math.sqrt(1 - pow2) / (np.sqrt(v) + o["epsilon"]))


class Lamb(_TwoMoments):
    """Adam's step plus lamb_weight_decay · p, brought to p's own length: p -= lr · ‖p‖ / ‖d‖ · d. Source: You et al. 2020.

    exclude_from_weight_decay_fn(parameter) -> bool: True leaves that one undecayed.
    """

    def __init__(
        self,
        learning_rate: float | LRScheduler = 0.001,
        lamb_weight_decay: float = 0.01,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-6,
        parameters: Any = None,
        grad_clip: ClipGradBase | None = None,
        exclude_from_weight_decay_fn: Callable[[Parameter], bool] | None = None,
        multi_precision: bool = False,
        always_adapt: bool = False,
        name: str | None = None,
    ) -> None:
        options = {"beta1": beta1, "beta2": beta2, "epsilon": epsilon, "lamb_weight_decay": lamb_weight_decay}
        super().__init__(learning_rate, parameters, None, grad_clip, name, options=options)
        self._exclude, self._always = exclude_from_weight_decay_fn, always_adapt

    def _decay(self, group: Any, p: Parameter) -> float:
        excluded = self._exclude is not None and self._exclude(p)
        return 0.0 if excluded else float(group.options["lamb_weight_decay"])

    def _step_of(self, p: Array, g: Array, m: Array, v: Array, batch: Batch, steps: int) -> Array:
        o, (pow1, pow2) = batch.options, batch.powers
        step = (m / (1 - pow1)) / (np.sqrt(v / (1 - pow2)) + o["epsilon"]) + batch.decay * p
        if not batch.decay and not self._always:
            return np.asarray(step)
        own, length = float(np.linalg.norm(p)), float(np.linalg.norm(step))
        return np.asarray(step * (own / length if own > 0 and length > 0 else 1.0))


class Rprop(Optimizer):
    """Each element has a rate of its own, times etas[1] while its gradient keeps its sign, times etas[0] where that turns.

    p -= rate · sign(g); where the sign turned, nothing moves. Rates stay within learning_rate_range. For whole data sets,
    not for batches. Source: Riedmiller and Braun 1993.
    """

    state_names = ("prevs", "learning_rates")

    def __init__(
        self,
        learning_rate: float | LRScheduler = 0.001,
        learning_rate_range: Sequence[float] = (1e-5, 50),
        parameters: Any = None,
        etas: Sequence[float] = (0.5, 1.2),
        grad_clip: ClipGradBase | None = None,
        multi_precision: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, parameters, None, grad_clip, name)
        low, high = (float(v) for v in learning_rate_range)
        less, more = (float(v) for v in etas)
        if not 0 < low <= self.get_lr() <= high:
            given = f"{[low, high]} around the rate {self.get_lr()}"
            raise ValueError(check.message("Rprop(learning_rate_range)", given, "[low, high] with the rate between"))
        if not 0 < less < 1 < more:
            raise ValueError(check.message("Rprop(etas)", [less, more], "[below 1, above 1], both above 0"))
        self._range, self._etas = (low, high), (less, more)

    def _state_of(self, p: Parameter) -> list[Any]:
        new = id(p) not in self._states
        states = super()._state_of(p)
        if new:
            states[1][...] = self.get_lr()
        return states

    def _update(self, batch: Batch) -> None:
        def rule(p: Array, g: Array, before: Array, rates: Array) -> None:
            kind = p.dtype.type
            turned = before * g
            factor = np.where(turned > 0, kind(self._etas[1]), np.where(turned < 0, kind(self._etas[0]), kind(1)))
            moved = np.where(turned < 0, kind(0), g)
            rates[...] = np.clip(rates * factor, kind(self._range[0]), kind(self._range[1]))
            p -= np.sign(moved) * rates
            before[...] = moved

        batch.each(rule)
