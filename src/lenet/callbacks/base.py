"""``Callback``: the hooks that ``Model.fit``, ``evaluate`` and ``predict`` call, all empty (Paddle: ``paddle.callbacks``).

The order: on_train_begin; then for each epoch on_epoch_begin, (on_train_batch_begin, on_train_batch_end) for each batch,
on_epoch_end and, where there is evaluation data, on_eval_begin, (on_eval_batch_begin, on_eval_batch_end), on_eval_end;
at last on_train_end. ``evaluate`` calls the eval hooks alone, ``predict`` the predict hooks. Nothing here trains.
"""

from __future__ import annotations

import sys
from typing import Any

from lenet.messages.progress import put

__all__ = ["Callback", "Logs", "tell"]

Logs = dict[str, Any]


def tell(text: str) -> None:
    """One line to standard output, where Paddle's callbacks speak."""
    put(f"{text}\n", sys.stdout)


class Callback:
    """A callback of one's own derives from this and defines the hooks it needs. ``self.model.stop_training = True`` stops.

    model: the ``Model``. params: {'batch_size': None, 'epochs', 'steps' (a pass's batches, None if unknown), 'verbose',
    'metrics': ['loss', 'acc', …]}. ``logs`` of a batch and of an epoch: {'loss': [float, …], 'acc': float, …, 'step',
    'batch_size'}, a dict of its own each time; metrics are those of the pass so far. Epochs and steps count from 0.

    A callback that defines a hook for training batches sees every single one, at its time; without, ``fit`` runs up to 16
    at once.
    """

    model: Any = None
    params: Logs = {}  # noqa: RUF012 - never written to: set_params replaces it

    def set_model(self, model: Any) -> None:
        """Called first, with the ``Model``."""
        self.model = model

    def set_params(self, params: Logs) -> None:
        """Called next, with what is known of the run."""
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """``fit`` begins."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """``fit`` ends; logs of the last training batch."""

    def on_eval_begin(self, logs: Logs | None = None) -> None:
        """An evaluation begins; logs: {'steps', 'metrics'}."""

    def on_eval_end(self, logs: Logs | None = None) -> None:
        """An evaluation ends; logs: the last batch's loss, the metrics over all batches."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """``predict`` begins; logs: {'steps'}."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """``predict`` ends; logs: {'step', 'batch_size'} of the last batch."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """An epoch begins."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """An epoch's training is done, its evaluation is not; logs of its last batch."""

    def on_train_batch_begin(self, step: int, logs: Logs | None = None) -> None:
        """A batch is read and about to be trained on; logs: {}."""

    def on_train_batch_end(self, step: int, logs: Logs | None = None) -> None:
        """The weights are updated, unless gradients are being accumulated."""

    def on_eval_batch_begin(self, step: int, logs: Logs | None = None) -> None:
        """A batch is read and about to be evaluated; logs: {}."""

    def on_eval_batch_end(self, step: int, logs: Logs | None = None) -> None:
        """A batch is evaluated."""

    def on_predict_batch_begin(self, step: int, logs: Logs | None = None) -> None:
        """A batch is read and about to be predicted; logs: {}."""

    def on_predict_batch_end(self, step: int, logs: Logs | None = None) -> None:
        """A batch is predicted; logs: {'step', 'batch_size'}."""
