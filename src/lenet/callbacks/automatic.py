"""``ModelCheckpoint`` and ``LRScheduler``: the two callbacks that ``Model.fit`` adds where the user gives none of the kind."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lenet.callbacks.base import Callback, Logs, tell
from lenet.messages.check import message, positive_int
from lenet.optimizer import lr

if TYPE_CHECKING:
    from lenet.optimizer import Optimizer

__all__ = ["LRScheduler", "ModelCheckpoint"]


class ModelCheckpoint(Callback):
    """Saves ``<save_dir>/<epoch>`` after every epoch that ``save_freq`` divides, counted from 0, and ``<save_dir>/final``.

    Without a ``save_dir`` it does nothing. Each file is a pair, ``.pdparams`` and ``.pdopt``; see ``Model.save``.
    """

    def __init__(self, save_freq: int = 1, save_dir: str | os.PathLike[str] | None = None) -> None:
        self.save_freq = positive_int("ModelCheckpoint(save_freq)", save_freq)
        self.save_dir = save_dir

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if epoch % self.save_freq == 0:
            self._save(str(epoch))

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._save("final")

    def _save(self, name: str) -> None:
        if self.save_dir:
            path = os.path.join(self.save_dir, name)
            tell(f"save checkpoint at {os.path.abspath(path)}")
            self.model.save(path)


class LRScheduler(Callback):
    """Steps the optimizer's scheduler, if it has one: after every batch, or with ``by_epoch`` after every epoch.

    ``LRScheduler(by_step=False, by_epoch=True)`` for the latter; ValueError for both. As in Paddle it steps after every
    batch even where ``accumulate_grad_batches`` leaves the update out.
    """

    def __init__(self, by_step: bool = True, by_epoch: bool = False) -> None:
        if by_step and by_epoch:
            fix = "Type LRScheduler(by_step=False, by_epoch=True)"
            raise ValueError(message("LRScheduler", "by_step=True and by_epoch=True", "one of the two", fix))
        self.by_step = by_step
        self.by_epoch = by_epoch

    def on_train_begin(self, logs: Logs | None = None) -> None:
        if isinstance(_scheduler(self.model._optimizer), lr.ReduceOnPlateau) and (self.by_step or self.by_epoch):
            fix = "Use a float as learning_rate and callbacks=lenet.callbacks.ReduceLROnPlateau(…)"
            given = "a ReduceOnPlateau, which steps by a measured value"
            raise TypeError(message("fit: the optimizer's scheduler", given, "one that steps by itself", fix))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._step(self.by_epoch)

    def on_train_batch_end(self, step: int, logs: Logs | None = None) -> None:
        self._step(self.by_step)

    def _step(self, wanted: bool) -> None:
        scheduler = _scheduler(self.model._optimizer) if wanted else None
        if scheduler is not None:
            scheduler.step()


def _scheduler(optimizer: Optimizer | None) -> lr.LRScheduler | None:
    rate = optimizer._learning_rate if optimizer is not None else None
    return rate if isinstance(rate, lr.LRScheduler) else None
