"""Schedules in phases: warm-ups, one cycle or many; and the one that goes by a metric. Read through ``lr``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lenet.messages.check import choice, describe, message, positive_int
from lenet.optimizer._decays import LRScheduler, checked_factor, checked_function, checked_number, checked_rate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "CosineAnnealingWarmRestarts", "CyclicLR", "LinearWarmup", "OneCycleLR", "ReduceOnPlateau", "WarmupDecay",
]  # fmt: skip


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
        self.factor = checked_factor("ReduceOnPlateau(factor)", factor)
        self.patience, self.threshold, self.cooldown = patience, threshold, cooldown
        self.min_lr, self.epsilon, self.verbose = min_lr, epsilon, verbose
        self.base_lr = self.last_lr = checked_rate("ReduceOnPlateau(learning_rate)", learning_rate)
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
            learning_rate = checked_number("LinearWarmup(learning_rate)", learning_rate, "a number or a scheduler")
        self.learning_rate = learning_rate
        self.warmup_steps = positive_int("LinearWarmup(warmup_steps)", warmup_steps)
        self.start_lr = checked_rate("LinearWarmup(start_lr)", start_lr)
        above = f"a rate above start_lr ({start_lr})"
        self.end_lr = checked_number("LinearWarmup(end_lr)", end_lr, above, lambda v: v > self.start_lr)
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


class WarmupDecay(LRScheduler):
    """Linearly up to ``max_lr`` in the first ``warmup`` (0 to 1) of ``total_steps``, then linearly down to 0; then 0.

    The schedule of the recipe ``fast``, under a name of ours. With r = warmup * total_steps, step t has the rate
    max_lr * (t + 1) / (r + 1) below r, then max_lr * (total_steps - t) / (total_steps - r). total_steps is batches times
    epochs. Source: Smith and Topin 2017, for the rise and fall.
    """

    def __init__(
        self, max_lr: float, total_steps: int, warmup: float = 0.2, last_epoch: int = -1, verbose: bool = False
    ) -> None:
        peak = checked_rate("WarmupDecay(max_lr)", max_lr)
        self.total_steps = positive_int("WarmupDecay(total_steps)", total_steps)
        self.warmup = checked_number("WarmupDecay(warmup)", warmup, "a share from 0 to 1", lambda v: 0 <= v <= 1)
        super().__init__(peak, last_epoch, verbose)

    def get_lr(self) -> float:
        t, rising = self.last_epoch, self.warmup * self.total_steps
        if t >= self.total_steps:
            return 0.0
        if t < rising:
            return self.base_lr * (t + 1) / (rising + 1)
        return self.base_lr * (self.total_steps - t) / (self.total_steps - rising)


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
        peak = checked_rate("OneCycleLR(max_learning_rate)", max_learning_rate)
        last = checked_rate("OneCycleLR(end_learning_rate)", end_learning_rate)
        first = peak / checked_number("OneCycleLR(divide_factor)", divide_factor, "a number above 0", lambda v: v > 0)
        self.total_steps = positive_int("OneCycleLR(total_steps)", total_steps)
        if not isinstance(phase_pct, float):
            raise TypeError(message("OneCycleLR(phase_pct)", describe(phase_pct), "a float from 0 to 1, such as 0.3"))
        bound = "a share below 0.5 when three_phase is on" if three_phase else "a share from 0 to 1"
        most = math.nextafter(0.5, 0) if three_phase else 1.0
        part = checked_number("OneCycleLR(phase_pct)", phase_pct, bound, lambda v: 0 <= v <= most)
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
        self.max_lr = checked_rate("CyclicLR(max_learning_rate)", max_learning_rate)
        self.amplitude = self.max_lr - checked_rate("CyclicLR(base_learning_rate)", base_learning_rate)
        self.gamma = gamma = checked_number("CyclicLR(exp_gamma)", exp_gamma)
        self.scale_mode = choice("CyclicLR(scale_mode)", scale_mode, ("cycle", "iterations"))
        self.mode = mode
        if scale_fn is not None:
            self.scale_fn = checked_function("CyclicLR(scale_fn)", scale_fn)
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
        self.eta_min = checked_number("CosineAnnealingWarmRestarts(eta_min)", eta_min)
        super().__init__(learning_rate, last_epoch, verbose)

    def step(self, epoch: float | None = None) -> None:
        """Go one step on, or to ``epoch``, a number of at least 0."""
        at = self.last_epoch + 1 if epoch is None else epoch
        self._at = checked_number(
            "CosineAnnealingWarmRestarts.step(epoch)", at, "a number of at least 0", lambda v: v >= 0
        )
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
