"""``CallbackList``: all callbacks of one run, called in order; and which of them ``fit`` must serve batch by batch.

Read by ``Model`` alone. A user meets ``Callback``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lenet.callbacks.automatic import LRScheduler, ModelCheckpoint
from lenet.callbacks.base import Callback, Logs
from lenet.callbacks.ema import EMA
from lenet.callbacks.plateau import EarlyStopping
from lenet.callbacks.progbar import ProgBarLogger
from lenet.callbacks.trackers import MLflow, Tracker
from lenet.messages.check import describe, message

__all__ = ["CallbackList"]

_EXPECTED = (Callback, ProgBarLogger, LRScheduler, Tracker, MLflow)  # whose batch hooks ``unseen`` knows all about


class CallbackList:
    """The user's callbacks and those that are added: a ProgBarLogger in front, ModelCheckpoint and LRScheduler at the end."""

    def __init__(
        self,
        callbacks: Any,
        model: Any,
        *,
        verbose: int,
        log_freq: int = 2,
        save_freq: int = 1,
        save_dir: Any = None,
        epochs: int | None = None,
        steps: int | None = None,
        metrics: list[str] | None = None,
    ) -> None:
        given = [] if callbacks is None else list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
        for callback in given:
            if not isinstance(callback, Callback):
                fix = f"Type {callback.__name__}()" if isinstance(callback, type) else ""
                raise TypeError(message("callbacks", describe(callback), "objects of class Callback", fix))
        logger = ProgBarLogger(log_freq, verbose)  # made in any case: it checks the two numbers
        if logger.verbose and not any(isinstance(c, ProgBarLogger) for c in given):
            given.insert(0, logger)
        if not any(isinstance(c, ModelCheckpoint) for c in given):
            given.append(ModelCheckpoint(save_freq, save_dir))
        if not any(isinstance(c, LRScheduler) for c in given):
            given.append(LRScheduler())
        averages = [c for c in given if isinstance(c, EMA)]
        if len(averages) > 1:
            raise ValueError(message("callbacks", f"{len(averages)} objects of class EMA", "at most one"))
        self.average = averages[0] if averages else None
        self.callbacks: list[Callback] = given
        params = {"batch_size": None, "epochs": epochs, "steps": steps, "verbose": verbose, "metrics": metrics or []}
        for callback in given:
            if isinstance(callback, EarlyStopping):
                callback.save_dir = save_dir
            callback.set_model(model)
        for callback in given:
            callback.set_params(params)
        self._watched = {mode: any(_watches(c, mode) for c in given) for mode in ("train", "eval", "predict")}

    def has(self, kind: type[Callback]) -> bool:
        """Whether one of them is a ``kind``."""
        return any(isinstance(c, kind) for c in self.callbacks)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Inside, the network holds the weights' average, if there is an EMA."""
        if self.average is not None:
            self.average.apply()
        try:
            yield
        finally:
            if self.average is not None:
                self.average.restore()

    @property
    def scheduler_steps(self) -> int:
        """How often the learning rate's scheduler is stepped after a batch: 0 or 1, unless the user wants it otherwise."""
        return sum(isinstance(c, LRScheduler) and c.by_step for c in self.callbacks)

    def unseen(self, mode: str, step: int, most: int) -> int:
        """How many batches, from ``step`` on, may run before the last of them has to be shown to somebody: 1 to ``most``."""
        if self._watched[mode]:
            return 1
        for c in self.callbacks:
            if isinstance(c, ProgBarLogger) and c.verbose:
                most = min(most, 1 if c.verbose == 3 else c.log_freq - step % c.log_freq)
            elif isinstance(c, Tracker) and mode == "train":
                most = min(most, c.log_freq - step % c.log_freq)
        return most

    def _call(self, hook: str, *args: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(*args)

    def on_begin(self, mode: str, logs: Logs | None = None) -> None:
        """A run begins; mode: 'train', 'eval' or 'predict'."""
        self._call(f"on_{mode}_begin", logs)

    def on_end(self, mode: str, logs: Logs | None = None) -> None:
        """A run ends; a training with an EMA leaves the average in the network, and then calls the hooks."""
        if mode == "train" and self.average is not None:
            self.average.apply()
        self._call(f"on_{mode}_end", logs)

    def on_failure(self) -> None:
        """A training ends by an exception: no hook is called any more, but what is open outside is closed."""
        for callback in self.callbacks:
            if isinstance(callback, Tracker):
                callback._abandon()

    def on_epoch_begin(self, epoch: int) -> None:
        """An epoch begins."""
        self._call("on_epoch_begin", epoch, None)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """An epoch's training is done."""
        self._call("on_epoch_end", epoch, logs)

    def on_batch_begin(self, mode: str, step: int) -> None:
        """A batch begins."""
        self._call(f"on_{mode}_batch_begin", step, {})

    def on_batch_end(self, mode: str, step: int, logs: Logs) -> None:
        """A batch is done."""
        self._call(f"on_{mode}_batch_end", step, logs)


def _watches(callback: Callback, mode: str) -> bool:
    """Whether a callback has a batch hook of its own, one that ``unseen`` doesn't know all about."""
    for hook in (f"on_{mode}_batch_begin", f"on_{mode}_batch_end"):
        found = getattr(getattr(callback, hook), "__func__", None)
        if found not in [vars(kind).get(hook) for kind in _EXPECTED]:
            return True
    return False
