"""Callbacks that watch one number of the evaluation: ``EarlyStopping`` and ``ReduceLROnPlateau``.

Both act at the end of each evaluation. As in Paddle, 'loss' there is the loss of the last batch, a noisy number: 'acc' is
the better one to watch.
"""

from __future__ import annotations

import math
import numbers
import os
import warnings

from lenet.callbacks.base import Callback, Logs, tell
from lenet.messages.check import message
from lenet.optimizer.lr import LRScheduler

__all__ = ["EarlyStopping", "ReduceLROnPlateau"]


class _Watcher(Callback):
    """What the two have in common: the number they watch, and whether it got better."""

    def __init__(self, monitor: str, mode: str, min_delta: float) -> None:
        kind = type(self).__name__
        if mode not in ("auto", "min", "max"):
            warnings.warn(f"{kind}: mode {mode!r} is none of 'auto', 'min', 'max'; 'auto' is used", stacklevel=3)
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(min_delta)
        self._rising = mode == "max" or (mode == "auto" and "acc" in monitor)
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch

    def _worst(self) -> float:
        return -math.inf if self._rising else math.inf

    def _better(self, value: float, best: float) -> bool:
        """Whether ``value`` beats ``best`` by more than ``min_delta``."""
        return value - self.min_delta > best if self._rising else value + self.min_delta < best

    def _value(self, logs: Logs | None) -> float | None:
        """The watched number; None, with a warning, if the evaluation has no such number."""
        value = (logs or {}).get(self.monitor)
        first = value[0] if isinstance(value, (list, tuple)) and value else value
        if isinstance(first, numbers.Real):
            return float(first)
        names = [name for name in logs or {} if name not in ("step", "batch_size")]
        given = f"no number {self.monitor!r} in the evaluation"
        text = message(f"{type(self).__name__}(monitor)", given, f"'loss' or the name of a metric, here one of {names}")
        warnings.warn(text, stacklevel=2)
        return None


class EarlyStopping(_Watcher):
    """Stops the training when ``monitor`` has not become better in ``patience`` evaluations in a row.

    monitor: 'loss' or the name of a metric. mode: 'max' or 'min' is better; 'auto' means 'max' for names with "acc".
    patience: 0 and 1 both stop at the first evaluation that is no better. (With 0, Paddle stops at the first whatever it
    shows.) min_delta: a smaller change is none. baseline: what the first evaluation has to beat. save_best_model: with
    ``fit(save_dir=…)`` the best model so far is kept as ``<save_dir>/best_model``. verbose=0 prints nothing.
    """

    def __init__(
        self,
        monitor: str = "loss",
        mode: str = "auto",
        patience: int = 0,
        verbose: int = 1,
        min_delta: float = 0,
        baseline: float | None = None,
        save_best_model: bool = True,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.save_best_model = save_best_model
        self.save_dir: str | os.PathLike[str] | None = None  # set by ``fit``
        self.stopped_epoch = 0
        self._restart()

    def _restart(self) -> None:
        self.wait_epoch = 0
        self.best_value = self._worst() if self.baseline is None else self.baseline

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._restart()

    def on_eval_end(self, logs: Logs | None = None) -> None:
        value = self._value(logs)
        if value is None:
            return
        path = os.path.join(self.save_dir, "best_model") if self.save_best_model and self.save_dir is not None else None
        if self._better(value, self.best_value):
            self.best_value = value
            self.wait_epoch = 0
            if path:
                self.model.save(path)
        else:
            self.wait_epoch += 1
            if self.wait_epoch >= self.patience:
                self.model.stop_training = True
                if self.verbose > 0:
                    tell(f"Epoch {self._epoch + 1}: Early stopping.")
                    if path:
                        tell(f"Best checkpoint has been saved at {os.path.abspath(path)}")
        self.stopped_epoch = self._epoch + 1


class ReduceLROnPlateau(_Watcher):
    """Multiplies the learning rate by ``factor`` when ``monitor`` has not become better in ``patience`` evaluations.

    monitor, mode, min_delta: as for EarlyStopping. cooldown: evaluations to wait after a change before counting again.
    min_lr: the lowest rate. verbose=0 prints nothing. The optimizer must have a float as its rate: with a scheduler it
    warns and does nothing. ValueError for a factor of 1 or more.
    """

    def __init__(
        self,
        monitor: str = "loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 1,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if factor >= 1.0:
            raise ValueError(message("ReduceLROnPlateau(factor)", factor, "a number below 1"))
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._restart()

    def _restart(self) -> None:
        self.wait = 0
        self.cooldown_counter = 0
        self.best = self._worst()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._restart()

    def in_cooldown(self) -> bool:
        """Whether a change is so recent that evaluations don't count yet."""
        return self.cooldown_counter > 0

    def on_eval_end(self, logs: Logs | None = None) -> None:
        value = self._value(logs)
        if value is None or not self._can_change():
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._better(value, self.best):
            self.best = value
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce()

    def _can_change(self) -> bool:
        optimizer = self.model._optimizer
        if optimizer is not None and not isinstance(optimizer._learning_rate, LRScheduler):
            return True
        given = (
            "no optimizer" if optimizer is None else f"a {type(optimizer._learning_rate).__name__} that sets the rate"
        )
        warnings.warn(
            message("ReduceLROnPlateau", given, "an optimizer with a float as its learning_rate"), stacklevel=3
        )
        return False

    def _reduce(self) -> None:
        optimizer = self.model._optimizer
        old = optimizer.get_lr()
        if old <= self.min_lr:
            return
        new = max(old * self.factor, float(self.min_lr))
        optimizer.set_lr(new)
        if self.verbose > 0:
            tell(f"\nEpoch {self._epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")
        self.cooldown_counter = self.cooldown
        self.wait = 0
