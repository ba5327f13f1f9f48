"""The base of all schedules, and those by a formula of the step number: the decays.

A scheduler counts calls of ``step()`` and holds the rate for the current count; ``s()`` reads it. It knows no
optimizer, no parameter and no epoch: what one "step" means is decided by whoever calls ``step()``. ``Model.fit`` calls
it after every batch; in a loop of one's own, one calls it oneself. The constructor makes the first step, so a new
scheduler stands at ``last_epoch == 0``. Read through ``lr``.
"""

from __future__ import annotations

import math
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from lenet.messages.check import describe, message, positive_int
from lenet.messages.progress import put

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "CosineAnnealingDecay",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LRScheduler",
    "LambdaDecay",
    "LinearLR",
    "MultiStepDecay",
    "MultiplicativeDecay",
    "NaturalExpDecay",
    "NoamDecay",
    "PiecewiseDecay",
    "PolynomialDecay",
    "StepDecay",
    "checked_factor",
    "checked_function",
    "checked_number",
    "checked_rate",
]  # fmt: skip


def checked_number(
    what: str, value: object, expected: str = "a number", ok: Callable[[float], bool] | None = None
) -> float:
    """``value`` as a float; TypeError unless it is a number, ValueError if it is NaN or not ``ok``."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(message(what, describe(value), expected))
    number = float(value)
    if math.isnan(number) or (ok is not None and not ok(number)):
        raise ValueError(message(what, number, expected))
    return number


def checked_rate(what: str, value: object) -> float:
    """``value`` as a learning rate."""
    return checked_number(what, value, "a learning rate of at least 0", lambda v: v >= 0)


def checked_factor(what: str, value: object) -> float:
    """``value`` as the factor between two rates."""
    return checked_number(what, value, "a factor below 1", lambda v: v < 1)


def checked_function(what: str, value: Any) -> Any:
    """``value``, if it can be called."""
    if not callable(value):
        raise TypeError(message(what, describe(value), "a function of the step number, such as lambda t: 0.95 ** t"))
    return value


class LRScheduler:
    """Base of all schedules. A subclass sets what it needs, then calls ``super().__init__``, and defines ``get_lr``.

    ``last_epoch`` is the number of steps made (0 in a new one), ``last_lr`` the rate now, ``base_lr`` the rate given.
    ``last_epoch=5`` in the constructor starts at 6. ``verbose`` prints each change.
    """

    keys: list[str]

    def __init__(self, learning_rate: float = 0.1, last_epoch: int = -1, verbose: bool = False) -> None:
        self.base_lr = self.last_lr = checked_rate(f"{type(self).__name__}(learning_rate)", learning_rate)
        self.last_epoch = last_epoch
        self.verbose = verbose
        self.step()

    def __call__(self) -> float:
        """The learning rate now."""
        return self.last_lr

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.last_lr:g} at step {self.last_epoch}, from {self.base_lr:g})"

    def get_lr(self) -> float:
        """The rate for ``self.last_epoch``; the one thing that a schedule of one's own has to define."""
        raise NotImplementedError(f"{type(self).__name__} must define get_lr(self), the rate for self.last_epoch")

    def step(self, epoch: int | None = None) -> None:
        """Go one step on, or to step ``epoch``."""
        if epoch is None:
            self.last_epoch += 1
            self.last_lr = self.get_lr()
        else:
            self.last_epoch = epoch
            self.last_lr = self._lr_at_once()
        self._say()

    def _lr_at_once(self) -> float:
        """The rate for ``last_epoch`` when the step before was another one; rates built on the last one override it."""
        return self.get_lr()

    def _say(self) -> None:
        if self.verbose:
            put(f"Epoch {self.last_epoch}: {type(self).__name__} set learning rate to {self.last_lr}.\n", sys.stdout)

    def state_keys(self) -> None:
        """Set ``self.keys``, the names of the attributes that a state dict holds; a subclass may name more."""
        self.keys = ["last_epoch", "last_lr"]

    def state_dict(self) -> dict[str, Any]:
        """The attributes named by ``state_keys``, as plain numbers."""
        self.state_keys()
        state = {}
        for key in self.keys:
            if key in self.__dict__:
                value = self.__dict__[key]
                state[key] = float(value) if hasattr(value, "shape") else value
        return state

    def set_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from another scheduler's state. RuntimeError if a key is missing; a key too many is a warning."""
        self.state_keys()
        missing = [key for key in self.keys if key not in state_dict]
        if missing:
            what = f"state of {type(self).__name__}"
            fix = "It was saved by another kind of scheduler: use that one."
            raise RuntimeError(message(what, f"keys {sorted(state_dict)}", f"the keys {self.keys}", fix))
        for key in self.keys:
            setattr(self, key, state_dict[key])
        unused = sorted(set(state_dict) - set(self.keys) - {"LinearWarmup_LR"})
        if unused:
            text = f"{type(self).__name__} does not use the state's {unused}; another scheduler saved it"
            warnings.warn(text, stacklevel=2)

    set_dict = set_state_dict


class NoamDecay(LRScheduler):
    """lr · d_model^-½ · min(t^-½, t · warmup_steps^-1½), 0 at step 0 ("Attention Is All You Need", 2017)."""

    def __init__(
        self, d_model: int, warmup_steps: int, learning_rate: float = 1.0, last_epoch: int = -1, verbose: bool = False
    ) -> None:
        self.d_model = checked_number("NoamDecay(d_model)", d_model, "a number above 0", lambda v: v > 0)
        self.warmup_steps = checked_number("NoamDecay(warmup_steps)", warmup_steps, "a number above 0", lambda v: v > 0)
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        t = self.last_epoch
        falling = t**-0.5 if t else 1.0
        return float(self.base_lr * self.d_model**-0.5 * min(falling, t * self.warmup_steps**-1.5))


class PiecewiseDecay(LRScheduler):
    """values[i] for the first boundary with t < boundaries[i], the last value after all of them."""

    def __init__(
        self, boundaries: Sequence[int], values: Sequence[float], last_epoch: int = -1, verbose: bool = False
    ) -> None:
        if len(boundaries) == 0:
            raise ValueError(message("PiecewiseDecay(boundaries)", "none", "at least one step number, such as [1000]"))
        if len(values) <= len(boundaries):
            given = f"{len(values)} values for {len(boundaries)} boundaries"
            raise ValueError(message("PiecewiseDecay", given, "one value more than boundaries"))
        self.boundaries, self.values = boundaries, values
        super().__init__(last_epoch=last_epoch, verbose=verbose)

    def get_lr(self) -> float:
        for boundary, value in zip(self.boundaries, self.values, strict=False):
            if self.last_epoch < boundary:
                return value
        return self.values[-1]


class NaturalExpDecay(LRScheduler):
    """lr · e^(-gamma · t), gamma above 0."""

    def __init__(self, learning_rate: float, gamma: float, last_epoch: int = -1, verbose: bool = False) -> None:
        self.gamma = checked_number("NaturalExpDecay(gamma)", gamma, "a number above 0", lambda v: v > 0)
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        return self.base_lr * math.exp(-self.gamma * self.last_epoch)


class InverseTimeDecay(LRScheduler):
    """lr / (1 + gamma · t)."""

    def __init__(self, learning_rate: float, gamma: float, last_epoch: int = -1, verbose: bool = False) -> None:
        self.gamma = checked_number("InverseTimeDecay(gamma)", gamma)
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        return self.base_lr / (1 + self.gamma * self.last_epoch)


class PolynomialDecay(LRScheduler):
    """end_lr + (lr - end_lr) · (1 - t/decay_steps)^power; then ``end_lr``, or ever longer cycles with ``cycle``."""

    def __init__(
        self,
        learning_rate: float,
        decay_steps: int,
        end_lr: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        self.decay_steps = positive_int("PolynomialDecay(decay_steps)", decay_steps)
        self.end_lr = checked_number("PolynomialDecay(end_lr)", end_lr)
        self.power = checked_number("PolynomialDecay(power)", power, "a number above 0", lambda v: v > 0)
        self.cycle = cycle
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        t, span = self.last_epoch, self.decay_steps
        if self.cycle:
            span *= max(1, math.ceil(t / span))
        else:
            t = min(t, span)
        return float(self.end_lr + (self.base_lr - self.end_lr) * (1 - t / span) ** self.power)


class ExponentialDecay(LRScheduler):
    """lr · gamma^t, gamma between 0 and 1."""

    def __init__(self, learning_rate: float, gamma: float, last_epoch: int = -1, verbose: bool = False) -> None:
        self.gamma = checked_number("ExponentialDecay(gamma)", gamma, "a factor between 0 and 1", lambda v: 0 < v < 1)
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        return float(self.base_lr * self.gamma**self.last_epoch)


class MultiStepDecay(LRScheduler):
    """lr · gamma^(number of milestones reached); ``milestones`` is a list or tuple of rising step numbers."""

    def __init__(
        self,
        learning_rate: float,
        milestones: Sequence[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        if not isinstance(milestones, (tuple, list)):
            raise TypeError(message("MultiStepDecay(milestones)", describe(milestones), "a list such as [30, 60]"))
        if list(milestones) != sorted(set(milestones)):
            raise ValueError(message("MultiStepDecay(milestones)", milestones, "rising step numbers such as [30, 60]"))
        self.milestones = milestones
        self.gamma = checked_factor("MultiStepDecay(gamma)", gamma)
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        reached = sum(self.last_epoch >= milestone for milestone in self.milestones)
        return float(self.base_lr * self.gamma**reached)


class StepDecay(LRScheduler):
    """lr · gamma^⌊t / step_size⌋."""

    def __init__(
        self, learning_rate: float, step_size: int, gamma: float = 0.1, last_epoch: int = -1, verbose: bool = False
    ) -> None:
        self.step_size = positive_int("StepDecay(step_size)", step_size)
        self.gamma = checked_factor("StepDecay(gamma)", gamma)
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        return float(self.base_lr * self.gamma ** (self.last_epoch // self.step_size))


class LambdaDecay(LRScheduler):
    """lr · f(t)."""

    def __init__(
        self, learning_rate: float, lr_lambda: Callable[[int], float], last_epoch: int = -1, verbose: bool = False
    ) -> None:
        self.lr_lambda = checked_function("LambdaDecay(lr_lambda)", lr_lambda)
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        return float(self.base_lr * self.lr_lambda(self.last_epoch))


class MultiplicativeDecay(LRScheduler):
    """lr · f(1) · f(2) · … · f(t)."""

    def __init__(
        self, learning_rate: float, lr_lambda: Callable[[int], float], last_epoch: int = -1, verbose: bool = False
    ) -> None:
        self.lr_lambda = checked_function("MultiplicativeDecay(lr_lambda)", lr_lambda)
        self._known = (0, 1.0)  # (t, the product up to t), so that n steps cost n calls of f and not n²/2
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        start, product = self._known if self._known[0] <= self.last_epoch else (0, 1.0)
        for t in range(start + 1, self.last_epoch + 1):
            product *= self.lr_lambda(t)
        self._known = (max(0, self.last_epoch), product)
        return float(self.base_lr * product)


class CosineAnnealingDecay(LRScheduler):
    """eta_min + (lr - eta_min) · (1 + cos(π t / T_max)) / 2. After T_max it rises again: it is not clipped.

    ``step()`` derives a rate from the one before, as in Paddle; ``step(epoch)`` uses the formula.
    """

    def __init__(
        self, learning_rate: float, T_max: int, eta_min: float = 0, last_epoch: int = -1, verbose: bool = False
    ) -> None:
        self.T_max = positive_int("CosineAnnealingDecay(T_max)", T_max)
        self.eta_min = checked_number("CosineAnnealingDecay(eta_min)", eta_min)
        super().__init__(learning_rate, last_epoch, verbose)

    def _height(self, t: int) -> float:
        return 1 + math.cos(math.pi * t / self.T_max)

    def get_lr(self) -> float:
        t = self.last_epoch
        if t == 0:
            return self.base_lr
        if t % (2 * self.T_max) == (self.T_max + 1) % (2 * self.T_max):  # the step before stood at the bottom: height 0
            return self.last_lr + (self.base_lr - self.eta_min) * (1 - math.cos(math.pi / self.T_max)) / 2
        return self.eta_min + (self.last_lr - self.eta_min) * self._height(t) / self._height(t - 1)

    def _lr_at_once(self) -> float:
        return self.eta_min + (self.base_lr - self.eta_min) * self._height(self.last_epoch) / 2


class LinearLR(LRScheduler):
    """lr times a factor that goes from ``start_factor`` to ``end_factor`` in ``total_steps`` equal steps, then stays.

    Each rate is derived from the one before, as in Paddle.
    """

    def __init__(
        self,
        learning_rate: float,
        total_steps: int,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        share = "a factor above 0 and at most 1"
        self.start_factor = checked_number("LinearLR(start_factor)", start_factor, share, lambda v: 0 < v <= 1)
        self.end_factor = checked_number(
            "LinearLR(end_factor)", end_factor, "a factor from 0 to 1", lambda v: 0 <= v <= 1
        )
        self.total_steps = positive_int("LinearLR(total_steps)", total_steps)
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        t, rise = self.last_epoch, self.end_factor - self.start_factor
        if t == 0:
            return self.base_lr * self.start_factor
        if t > self.total_steps:
            return self.last_lr
        return self.last_lr * (1.0 + rise / (self.total_steps * self.start_factor + (t - 1) * rise))
