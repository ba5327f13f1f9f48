"""Learning-rate schedules: a number for each step (Paddle: ``paddle.optimizer.lr``).

A scheduler counts calls of ``step()`` and holds the rate for the current count; ``s()`` reads it. It knows no
optimizer, no parameter and no epoch: what one "step" means is decided by whoever calls ``step()``. ``Model.fit`` calls
it after every batch; in a loop of one's own, one calls it oneself. The constructor makes the first step, so a new
scheduler stands at ``last_epoch == 0``. Read by ``optimizer``, ``plan``, ``callbacks`` and ``model``.

Every rate equals Paddle's to rounding, and the state dicts of the two can be exchanged.
"""

from __future__ import annotations

import math
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from lenet.messages.check import choice, describe, message, positive_int
from lenet.messages.progress import put

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "CosineAnnealingDecay",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LRScheduler",
    "LambdaDecay",
    "LinearLR",
    "LinearWarmup",
    "MultiStepDecay",
    "MultiplicativeDecay",
    "NaturalExpDecay",
    "NoamDecay",
    "OneCycleLR",
    "PiecewiseDecay",
    "PolynomialDecay",
    "ReduceOnPlateau",
    "StepDecay",
    "WarmupDecay",
]


def _number(what: str, value: object, expected: str = "a number", ok: Callable[[float], bool] | None = None) -> float:
    """``value`` as a float; TypeError unless it is a number, ValueError if it is NaN or not ``ok``."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(message(what, describe(value), expected))
    number = float(value)
    if math.isnan(number) or (ok is not None and not ok(number)):
        raise ValueError(message(what, number, expected))
    return number


def _rate(what: str, value: object) -> float:
    return _number(what, value, "a learning rate of at least 0", lambda v: v >= 0)


def _gamma(what: str, value: object) -> float:
    return _number(what, value, "a factor below 1", lambda v: v < 1)


def _function(what: str, value: Any) -> Any:
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
        self.base_lr = self.last_lr = _rate(f"{type(self).__name__}(learning_rate)", learning_rate)
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
        self.d_model = _number("NoamDecay(d_model)", d_model, "a number above 0", lambda v: v > 0)
        self.warmup_steps = _number("NoamDecay(warmup_steps)", warmup_steps, "a number above 0", lambda v: v > 0)
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
        self.gamma = _number("NaturalExpDecay(gamma)", gamma, "a number above 0", lambda v: v > 0)
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        return self.base_lr * math.exp(-self.gamma * self.last_epoch)


class InverseTimeDecay(LRScheduler):
    """lr / (1 + gamma · t)."""

    def __init__(self, learning_rate: float, gamma: float, last_epoch: int = -1, verbose: bool = False) -> None:
        self.gamma = _number("InverseTimeDecay(gamma)", gamma)
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
        self.end_lr = _number("PolynomialDecay(end_lr)", end_lr)
        self.power = _number("PolynomialDecay(power)", power, "a number above 0", lambda v: v > 0)
        self.cycle = cycle
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        t, span = self.last_epoch, self.decay_steps
        if self.cycle:
            span *= max(1, math.ceil(t / span))
        else:
            t = min(t, span)
        return float(self.end_lr + (self.base_lr - self.end_lr) * (1 - t / span) ** self.power)


class LinearWarmup(LRScheduler):
    """From ``start_lr`` to ``end_lr`` in ``warmup_steps`` equal steps, then ``learning_rate``: a number or a scheduler.

    A scheduler given here is stepped by this one and starts at its own step 0 when the warm-up ends.
    """

    def __init__(
        self,
        learning_rate: float | LRScheduler,
        warmup_steps: int,
        start_lr: float,
        end_lr: float,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        if isinstance(learning_rate, ReduceOnPlateau):
            # It steps on a metric, so the step number would be taken for one.
            expected = "a number or a schedule over steps"
            raise TypeError(message("LinearWarmup(learning_rate)", "ReduceOnPlateau", expected))
        if not isinstance(learning_rate, LRScheduler):
            learning_rate = _number("LinearWarmup(learning_rate)", learning_rate, "a number or a scheduler")
        self.learning_rate = learning_rate
        self.warmup_steps = positive_int("LinearWarmup(warmup_steps)", warmup_steps)
        self.start_lr = _rate("LinearWarmup(start_lr)", start_lr)
        above = f"a rate above start_lr ({start_lr})"
        self.end_lr = _number("LinearWarmup(end_lr)", end_lr, above, lambda v: v > self.start_lr)
        super().__init__(self.start_lr, last_epoch, verbose)

    def get_lr(self) -> float:
        if self.last_epoch < self.warmup_steps:
            return (self.end_lr - self.start_lr) * self.last_epoch / self.warmup_steps + self.start_lr
        if isinstance(self.learning_rate, LRScheduler):
            self.learning_rate.step(self.last_epoch - self.warmup_steps)
            return self.learning_rate()
        return self.learning_rate

    def state_dict(self) -> dict[str, Any]:
        """As in every scheduler; the inner scheduler's state, if there is one, is under ``LinearWarmup_LR``."""
        state = super().state_dict()
        if isinstance(self.learning_rate, LRScheduler):
            state["LinearWarmup_LR"] = self.learning_rate.state_dict()
        return state

    def set_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """As in every scheduler, the inner one included."""
        super().set_state_dict(state_dict)
        if isinstance(self.learning_rate, LRScheduler):
            if "LinearWarmup_LR" not in state_dict:
                expected = "LinearWarmup_LR, the inner scheduler's state"
                raise RuntimeError(message("state of LinearWarmup", f"keys {sorted(state_dict)}", expected))
            self.learning_rate.set_state_dict(state_dict["LinearWarmup_LR"])

    set_dict = set_state_dict


class ExponentialDecay(LRScheduler):
    """lr · gamma^t, gamma between 0 and 1."""

    def __init__(self, learning_rate: float, gamma: float, last_epoch: int = -1, verbose: bool = False) -> None:
        self.gamma = _number("ExponentialDecay(gamma)", gamma, "a factor between 0 and 1", lambda v: 0 < v < 1)
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
        self.gamma = _gamma("MultiStepDecay(gamma)", gamma)
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
        self.gamma = _gamma("StepDecay(gamma)", gamma)
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        return float(self.base_lr * self.gamma ** (self.last_epoch // self.step_size))


class LambdaDecay(LRScheduler):
    """lr · f(t)."""

    def __init__(
        self, learning_rate: float, lr_lambda: Callable[[int], float], last_epoch: int = -1, verbose: bool = False
    ) -> None:
        self.lr_lambda = _function("LambdaDecay(lr_lambda)", lr_lambda)
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        return float(self.base_lr * self.lr_lambda(self.last_epoch))


class MultiplicativeDecay(LRScheduler):
    """lr · f(1) · f(2) · … · f(t)."""

    def __init__(
        self, learning_rate: float, lr_lambda: Callable[[int], float], last_epoch: int = -1, verbose: bool = False
    ) -> None:
        self.lr_lambda = _function("MultiplicativeDecay(lr_lambda)", lr_lambda)
        self._known = (0, 1.0)  # (t, the product up to t), so that n steps cost n calls of f and not n²/2
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        start, product = self._known if self._known[0] <= self.last_epoch else (0, 1.0)
        for t in range(start + 1, self.last_epoch + 1):
            product *= self.lr_lambda(t)
        self._known = (max(0, self.last_epoch), product)
        return float(self.base_lr * product)


class ReduceOnPlateau(LRScheduler):
    """The rate times ``factor`` whenever a metric has not improved for more than ``patience`` steps.

    ``step(metric)`` takes the watched value. An improvement beats the best by more than ``threshold``: a share of the
    best (``threshold_mode="rel"``) or a difference (``"abs"``). After a reduction ``cooldown`` steps are not counted;
    the rate stays at or above ``min_lr`` and is left alone where the change would be at most ``epsilon``.
    """

    def __init__(
        self,
        learning_rate: float,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0,
        epsilon: float = 1e-8,
        verbose: bool = False,
    ) -> None:
        self.mode = choice("ReduceOnPlateau(mode)", str(mode).lower(), ("min", "max"))
        self.threshold_mode = choice("ReduceOnPlateau(threshold_mode)", str(threshold_mode).lower(), ("rel", "abs"))
        self.factor = _gamma("ReduceOnPlateau(factor)", factor)
        self.patience, self.threshold, self.cooldown = patience, threshold, cooldown
        self.min_lr, self.epsilon, self.verbose = min_lr, epsilon, verbose
        self.base_lr = self.last_lr = _rate("ReduceOnPlateau(learning_rate)", learning_rate)
        self.last_epoch = self.cooldown_counter = self.num_bad_epochs = 0
        self.best: float | None = None  # no base-class constructor: there is no metric yet to step on

    def state_keys(self) -> None:
        """As in every scheduler, with the best value and the two counters."""
        self.keys = ["cooldown_counter", "best", "num_bad_epochs", "last_epoch", "last_lr"]

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]  # Paddle's own signature
        """Take the watched value: a number, or an array or Tensor of one element."""
        size = getattr(metrics, "size", 1)
        if size != 1:
            fix = "Take their mean() first."
            raise ValueError(message("ReduceOnPlateau.step(metrics)", f"{size} values", "one", fix))
        if not hasattr(metrics, "__float__") and not hasattr(metrics, "item"):
            raise TypeError(message("ReduceOnPlateau.step(metrics)", describe(metrics), "a number, such as the loss"))
        value = float(metrics.item() if hasattr(metrics, "item") else metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            return
        if self.best is None or self._better(value, self.best):
            self.best, self.num_bad_epochs = value, 0
            return
        self.num_bad_epochs += 1
        if self.num_bad_epochs > self.patience:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
            reduced = max(self.last_lr * self.factor, self.min_lr)
            if self.last_lr - reduced > self.epsilon:
                self.last_lr = reduced
                self._say()

    def _better(self, value: float, best: float) -> bool:
        margin = best * self.threshold if self.threshold_mode == "rel" else self.threshold
        return value < best - margin if self.mode == "min" else value > best + margin


class CosineAnnealingDecay(LRScheduler):
    """eta_min + (lr - eta_min) · (1 + cos(π t / T_max)) / 2. After T_max it rises again: it is not clipped.

    ``step()`` derives a rate from the one before, as in Paddle; ``step(epoch)`` uses the formula.
    """

    def __init__(
        self, learning_rate: float, T_max: int, eta_min: float = 0, last_epoch: int = -1, verbose: bool = False
    ) -> None:
        self.T_max = positive_int("CosineAnnealingDecay(T_max)", T_max)
        self.eta_min = _number("CosineAnnealingDecay(eta_min)", eta_min)
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


class OneCycleLR(LRScheduler):
    """Up from max/divide_factor to ``max_learning_rate`` in ``phase_pct`` of the steps, down to ``end_learning_rate``.

    With ``three_phase`` it goes down to the first rate as fast as it went up, and only then to the last. Step
    ``total_steps`` is the last one allowed: the next raises ValueError (Smith & Topin, "Super-Convergence", 2017).
    """

    def __init__(
        self,
        max_learning_rate: float,
        total_steps: int,
        divide_factor: float = 25.0,
        end_learning_rate: float = 0.0001,
        phase_pct: float = 0.3,
        anneal_strategy: str = "cos",
        three_phase: bool = False,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        peak = _rate("OneCycleLR(max_learning_rate)", max_learning_rate)
        last = _rate("OneCycleLR(end_learning_rate)", end_learning_rate)
        first = peak / _number("OneCycleLR(divide_factor)", divide_factor, "a number above 0", lambda v: v > 0)
        self.total_steps = positive_int("OneCycleLR(total_steps)", total_steps)
        if not isinstance(phase_pct, float):
            raise TypeError(message("OneCycleLR(phase_pct)", describe(phase_pct), "a float from 0 to 1, such as 0.3"))
        bound = "a share below 0.5 when three_phase is on" if three_phase else "a share from 0 to 1"
        most = math.nextafter(0.5, 0) if three_phase else 1.0
        part = _number("OneCycleLR(phase_pct)", phase_pct, bound, lambda v: 0 <= v <= most)
        self._cosine = choice("OneCycleLR(anneal_strategy)", anneal_strategy, ("cos", "linear")) == "cos"
        up = part * total_steps
        ends = [up - 1, 2 * up - 2, total_steps - 1.0] if three_phase else [up - 1, total_steps - 1.0]
        rates = [peak, first, last] if three_phase else [peak, last]
        # One (start step, end step, start rate, end rate) for each phase.
        self._phases = list(zip([0.0, *ends], ends, [first, *rates], rates, strict=False))
        super().__init__(first, last_epoch, verbose)

    def get_lr(self) -> float:
        t = self.last_epoch
        if t > self.total_steps:
            fix = "Make total_steps batches x epochs."
            raise ValueError(message("OneCycleLR", f"step {t}", f"at most total_steps = {self.total_steps} steps", fix))
        start, end, low, high = next((phase for phase in self._phases if t <= phase[1]), self._phases[-1])
        share = (t - start) / (end - start) if end != start else 1.0
        if self._cosine:
            return high + (low - high) / 2 * (1 + math.cos(math.pi * share))
        return low + (high - low) * share


class CyclicLR(LRScheduler):
    """Up from ``base_learning_rate`` to ``max_learning_rate`` in ``step_size_up`` steps, down in ``step_size_down``, …

    Each triangle's height is scaled by 1 (``triangular``), by ½ more each cycle (``triangular2``), by exp_gamma^t
    (``exp_range``), or by ``scale_fn`` of the cycle's number (from 1) or of t (``scale_mode`` "cycle" or "iterations").
    Smith, "Cyclical Learning Rates for Training Neural Networks", 2017.
    """

    def __init__(
        self,
        base_learning_rate: float,
        max_learning_rate: float,
        step_size_up: int,
        step_size_down: int | None = None,
        mode: str = "triangular",
        exp_gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        up = positive_int("CyclicLR(step_size_up)", step_size_up)
        down = up if step_size_down is None else positive_int("CyclicLR(step_size_down)", step_size_down)
        self.cycle_size = float(up + down)
        self.step_up_pct = up / self.cycle_size
        self.max_lr = _rate("CyclicLR(max_learning_rate)", max_learning_rate)
        self.amplitude = self.max_lr - _rate("CyclicLR(base_learning_rate)", base_learning_rate)
        self.gamma = gamma = _number("CyclicLR(exp_gamma)", exp_gamma)
        self.scale_mode = choice("CyclicLR(scale_mode)", scale_mode, ("cycle", "iterations"))
        self.mode = mode
        if scale_fn is not None:
            self.scale_fn = _function("CyclicLR(scale_fn)", scale_fn)
        else:
            choice("CyclicLR(mode)", mode, ("triangular", "triangular2", "exp_range"))
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
            self.scale_fn = {
                "triangular": lambda cycle: 1.0,
                "triangular2": lambda cycle: 0.5 ** (cycle - 1),
                "exp_range": lambda t: gamma**t,
            }[mode]
        super().__init__(base_learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        t = self.last_epoch
        done = t // self.cycle_size
        within = 1.0 + t / self.cycle_size - (1 + done)
        rising = within <= self.step_up_pct
        height = within / self.step_up_pct if rising else (1 - within) / (1 - self.step_up_pct)
        scale = self.scale_fn(1 + done if self.scale_mode == "cycle" else t)
        return float(self.base_lr + self.amplitude * height * scale)


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
        self.start_factor = _number("LinearLR(start_factor)", start_factor, share, lambda v: 0 < v <= 1)
        self.end_factor = _number("LinearLR(end_factor)", end_factor, "a factor from 0 to 1", lambda v: 0 <= v <= 1)
        self.total_steps = positive_int("LinearLR(total_steps)", total_steps)
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        t, rise = self.last_epoch, self.end_factor - self.start_factor
        if t == 0:
            return self.base_lr * self.start_factor
        if t > self.total_steps:
            return self.last_lr
        return self.last_lr * (1.0 + rise / (self.total_steps * self.start_factor + (t - 1) * rise))


class CosineAnnealingWarmRestarts(LRScheduler):
    """Cosine from lr to ``eta_min`` in ``T_0`` steps, then again from lr, each time ``T_mult`` times longer.

    ``step(epoch)`` takes fractions. Loshchilov & Hutter, "SGDR", 2017.
    """

    def __init__(
        self,
        learning_rate: float,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        self.T_0 = positive_int("CosineAnnealingWarmRestarts(T_0)", T_0)
        self.T_mult = positive_int("CosineAnnealingWarmRestarts(T_mult)", T_mult)
        self.eta_min = _number("CosineAnnealingWarmRestarts(eta_min)", eta_min)
        super().__init__(learning_rate, last_epoch, verbose)

    def step(self, epoch: float | None = None) -> None:
        """Go one step on, or to ``epoch``, a number of at least 0."""
        at = self.last_epoch + 1 if epoch is None else epoch
        self._at = _number("CosineAnnealingWarmRestarts.step(epoch)", at, "a number of at least 0", lambda v: v >= 0)
        self.last_epoch = math.floor(self._at)
        self.last_lr = self.get_lr()
        self._say()

    def get_lr(self) -> float:
        within, span = self._at, self.T_0
        if self.T_mult == 1:
            within %= span
        while within >= span:
            within, span = within - span, span * self.T_mult
        return self.eta_min + (self.base_lr - self.eta_min) * (1 + math.cos(math.pi * within / span)) / 2


class WarmupDecay(LRScheduler):
    """Linearly up to ``max_lr`` in the first ``warmup`` (0 to 1) of ``total_steps``, then linearly down to 0; then 0.

    The schedule of the recipe ``fast``, under a name of ours. With r = warmup * total_steps, step t has the rate
    max_lr * (t + 1) / (r + 1) below r, then max_lr * (total_steps - t) / (total_steps - r). total_steps is batches times
    epochs. Source: Smith and Topin 2017, for the rise and fall.
    """

    def __init__(
        self, max_lr: float, total_steps: int, warmup: float = 0.2, last_epoch: int = -1, verbose: bool = False
    ) -> None:
        peak = _rate("WarmupDecay(max_lr)", max_lr)
        self.total_steps = positive_int("WarmupDecay(total_steps)", total_steps)
        self.warmup = _number("WarmupDecay(warmup)", warmup, "a share from 0 to 1", lambda v: 0 <= v <= 1)
        super().__init__(peak, last_epoch, verbose)

    def get_lr(self) -> float:
        t, rising = self.last_epoch, self.warmup * self.total_steps
        if t >= self.total_steps:
            return 0.0
        if t < rising:
            return self.base_lr * (t + 1) / (rising + 1)
        return self.base_lr * (self.total_steps - t) / (self.total_steps - rising)
