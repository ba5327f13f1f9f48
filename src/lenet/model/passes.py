"""One pass over the data: a training epoch, an evaluation, a prediction, with the callbacks called as each batch asks.

Each pass goes one of two ways. Where the samples are rows in memory and the network has a plan, the engine gets several
batches at once, up to the next one that a callback has to see. Otherwise each batch is read, run and shown by itself.
Callbacks, printed lines and results are the same either way.
"""

from __future__ import annotations

import copy
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lenet.autograd.tensor import Tensor, dense
from lenet.jit import plan
from lenet.messages.check import message
from lenet.metric import Accuracy
from lenet.model.state import State, as_list
from lenet.model.steps import (
    Trouble,
    add_to_metrics,
    answering,
    apply_gradients,
    explain,
    forward,
    losses_of,
    numbers_of,
    train_step,
)
from lenet.model.turns import elsewhere
from lenet.nn import CrossEntropyLoss
from lenet.optimizer.lr import LRScheduler

if TYPE_CHECKING:
    from lenet.callbacks.base import Logs
    from lenet.callbacks.runner import CallbackList
    from lenet.model.feed import Feed, Rows

__all__ = ["Evaluation", "Prediction", "TrainingEpoch"]

_AT_ONCE = 16  # batches in one call into the engine, at most: Ctrl-C waits for that long

Numbers = NDArray[np.int64]


class _Pass:
    """What the three have in common. most: batches at most. ``step``: batches done; ``logs``: the last batch's."""

    mode = ""  # in the callbacks' names
    model_mode = ""  # in ``Model.mode``

    def __init__(self, model: State, feed: Feed, calls: CallbackList, most: int | None = None) -> None:
        self.model, self.feed, self.calls, self.most = model, feed, calls, most
        self.step = 0
        self.logs: Logs = {}

    def run(self) -> Logs:
        """Go through the data; returns the logs of the last batch. ValueError if there is no batch."""
        self._reset_metrics()
        rows = self._rows()
        if isinstance(rows, str):
            for batch in islice(self.feed, self.most):
                self._begin()
                self._eager(batch)
        else:
            numbers = islice(self.feed.numbers(), self.most)
            while chunk := list(islice(numbers, self.calls.unseen(self.mode, self.step, _AT_ONCE))):
                self._chunk(rows, chunk)
        if self.step == 0:
            fix = "An iterator gives its batches once: pass a DataLoader or a list"
            raise ValueError(message(self.feed.what, "no batch", "at least one in every pass", fix))
        self._finish()
        self._reset_metrics()
        return dict(self.logs)

    def _reset_metrics(self) -> None:
        if not elsewhere(self.model):  # a prediction beside a training leaves that one's metrics alone
            self.model._reset_metrics()

    def _rows(self) -> Rows | str:
        """The samples for the engine, or why it can't have them."""
        one = self.model._count_inputs(2, self.mode != "predict") == 1
        return self.feed.rows() if one else "the network takes several inputs"

    def _begin(self) -> None:
        self.calls.on_batch_begin(self.mode, self.step)
        self.model.mode = self.model_mode

    def _end(self, size: int, losses: list[float], shown: bool = True) -> None:
        """A batch of ``size`` is done; ``shown``: a callback may look at its logs, so that they have to be complete."""
        values: Logs = {}
        if self.mode != "predict":
            values = {"loss": losses} if self.model._loss is not None else {}
            values |= self.model._metric_values() if shown else {}
        self.logs = {**values, "step": self.step, "batch_size": size}
        self.calls.on_batch_end(self.mode, self.step, self.logs)
        self.step += 1

    def _eager(self, batch: list[Tensor]) -> None:
        """Run one batch by itself, and end it."""
        raise NotImplementedError

    def _chunk(self, rows: Rows, chunk: list[Numbers]) -> None:
        """Begin, run and end several batches; only the last is shown."""
        raise NotImplementedError

    def _eager_chunk(self, chunk: list[Numbers]) -> None:
        """The same, one by one; the first has begun already."""
        for i, numbers in enumerate(chunk):
            if i:
                self._begin()
            self._eager(self.feed.gather(numbers))

    def _finish(self) -> None:
        """After the last batch."""

    def _answers(self, rows: Rows, chunk: list[Numbers], places: Numbers) -> NDArray[np.float32] | None:
        """The evaluation plan's outputs [n, C] for the samples of several batches; None if there is no plan."""
        model, shape = self.model, rows.images.shape[1:]
        chain = model._answers.chain(answering(model), shape, lambda: self.feed.gather(chunk[0])[0].data_array())
        if chain is None:
            return None
        if rows.augment is not None:
            return chain.infer(rows.moved(places).images)
        return chain.infer(rows.images, rows.lut, places)


class TrainingEpoch(_Pass):
    """One epoch of ``fit``. epoch: its number, from 0. FloatingPointError for a loss that is no number."""

    mode = model_mode = "train"

    def __init__(
        self, model: State, feed: Feed, calls: CallbackList, epoch: int, accumulate: int, most: int | None
    ) -> None:
        super().__init__(model, feed, calls, most)
        self.epoch, self.accumulate = epoch, accumulate
        self._plan: plan.Compiled | None = None
        self._warps = True  # the plan can move images by itself
        self._pending = False  # gradients that no update has used yet

    def _rows(self) -> Rows | str:
        rows = super()._rows() if self.accumulate == 1 else f"accumulate_grad_batches is {self.accumulate}"
        if isinstance(rows, str):
            self.model.plan_reason = rows
        return rows

    def _where(self) -> str:
        return f"fit: epoch {self.epoch + 1}, step {self.step + 1}"

    def _eager(self, batch: list[Tensor]) -> None:
        inputs, labels = self.model._split(batch, True)
        number = self.step + 1
        update = number % self.accumulate == 0 or number in (self.feed.steps, self.most)
        try:
            losses, _ = train_step(self.model, inputs, labels, update)
        except Trouble as trouble:
            raise FloatingPointError(explain(self._where(), trouble.what, self.model, batch)) from None
        self._updated(update)
        self._end(batch[0].shape[0], numbers_of(losses))

    def _finish(self) -> None:
        if self._pending:  # nobody knew that the last batch was the last
            try:
                apply_gradients(self.model)
            except Trouble as trouble:
                text = explain(f"fit: epoch {self.epoch + 1}, step {self.step}", trouble.what, self.model, [])
                raise FloatingPointError(text) from None
            self._updated(True)

    def _updated(self, update: bool) -> None:
        """An eager step is done, and the weights have changed unless gradients are being gathered."""
        self._pending = not update
        if update and self.calls.average is not None:
            self.calls.average._follow()

    def _chunk(self, rows: Rows, chunk: list[Numbers]) -> None:
        while chunk:
            rates = self._rates(len(chunk))
            self._some(rows, chunk[: len(rates)], rates)
            chunk = chunk[len(rates) :]

    def _some(self, rows: Rows, chunk: list[Numbers], rates: list[float]) -> None:
        self._begin()  # before all else: a callback may change the network or the learning rate
        compiled = self._compiled(rows, chunk[0])
        if compiled is None:
            self._eager_chunk(chunk)
            return
        if len(chunk) == 1:
            rates = [self.model._optimizer.get_lr()]
        self.model._trained_on = rows
        places = self.feed.places(rows, np.concatenate(chunk))
        counts = [len(numbers) for numbers in chunk]
        data, at, warps = rows, places, rows.warps(places)
        if warps is not None and not self._warps:
            data, at, warps = rows.moved(places), np.arange(len(places)), None
        ema, trouble = self.calls.average, None
        try:
            kept = None if ema is None else ema._kept(len(counts))
            losses, logits = compiled.train(data.images, data.lut, data.labels, at, counts, rates, warps, kept)
        except plan.TrainingTrouble as error:
            losses, logits, trouble = error.losses, error.logits, error
        finally:
            if ema is not None:
                ema.steps += compiled.done
        done = len(losses)
        _add_to_metrics(self.model, rows, logits, places, counts[:done])
        for i in range(done):
            if i:
                self._begin()
            self._end(counts[i], [float(losses[i])], shown=i == done - 1)
        if trouble is not None:
            text = explain(self._where(), trouble.what, self.model, self.feed.gather(chunk[done]))
            raise FloatingPointError(text) from None

    def _compiled(self, rows: Rows, numbers: Numbers) -> plan.Compiled | None:
        """The plan: made at the first batch, and again when the network has changed. None: there is none, go on eagerly."""
        model = self.model
        if model.plan_reason is None and (self._plan is None or self._plan.stale()):
            model.network.train()
            inputs, labels = model._split(self.feed.gather(numbers), True)
            found = plan.compile(model.network, model._loss, model._optimizer, inputs, labels)
            if isinstance(found, plan.Compiled):
                self._plan, self._warps = found, rows.augment is not None and found.chain.takes_warps
                if self.calls.average is not None:
                    self.calls.average._join(found.chain.params, found.averages())
            else:
                model.plan_reason = str(found)
        return self._plan if model.plan_reason is None else None

    def _rates(self, count: int) -> list[float]:
        """The learning rates of the next ``count`` steps, or of as many as can be known beforehand."""
        optimizer, steps = self.model._optimizer, self.calls.scheduler_steps
        scheduler, rates = optimizer._learning_rate, [optimizer.get_lr()]
        if not isinstance(scheduler, LRScheduler) or not steps:
            return rates * count
        if count == 1 or not _foreseeable(scheduler):
            return rates
        ahead = copy.deepcopy(scheduler)
        try:
            while len(rates) < count:
                for _ in range(steps):
                    ahead.step()
                rates.append(float(ahead()))
        except Exception:  # the scheduler itself will raise it, at its step
            return rates
        return rates


class Evaluation(_Pass):
    """One evaluation, of ``fit`` or ``evaluate``."""

    mode = model_mode = "eval"
    _safe: bool | None = None

    def _eager(self, batch: list[Tensor]) -> None:
        inputs, labels = self.model._split(batch, True)
        outputs = forward(self.model, inputs)
        losses = losses_of(self.model, outputs, labels)
        add_to_metrics(self.model, outputs, labels)
        self._end(batch[0].shape[0], numbers_of([loss.numpy() for loss in losses]))

    def _chunk(self, rows: Rows, chunk: list[Numbers]) -> None:
        self._begin()
        places = self.feed.places(rows, np.concatenate(chunk))
        logits = self._answers(rows, chunk, places)
        if logits is None:
            self._eager_chunk(chunk)
            return
        counts = [len(numbers) for numbers in chunk]
        _add_to_metrics(self.model, rows, logits, places, counts)
        start = 0
        for i, count in enumerate(counts):
            if i:
                self._begin()
            part, last = slice(start, start + count), i == len(counts) - 1
            losses = []
            if last or not self._loss_is_safe(rows, logits.shape[1]):
                outputs, labels = dense(logits[part]), dense(rows.labels_at(places[part]))
                losses = numbers_of([loss.numpy() for loss in losses_of(self.model, [outputs], [labels])])
            self._end(count, losses, shown=last)
            start += count

    def _loss_is_safe(self, rows: Rows, classes: int) -> bool:
        """Whether nobody misses the loss of a batch that isn't shown: it could neither fail nor do anything else."""
        if self._safe is None:
            if type(self.model._loss) is CrossEntropyLoss:
                self._safe = bool(rows.labels.min() >= 0 and rows.labels.max() < classes)
            else:
                self._safe = self.model._loss is None
        return self._safe


class Prediction(_Pass):
    """One ``predict``. ``outputs``: for each batch a list of arrays, one an output of the network."""

    mode, model_mode = "predict", "test"

    def __init__(self, model: State, feed: Feed, calls: CallbackList) -> None:
        super().__init__(model, feed, calls)
        self.outputs: list[list[NDArray[Any]]] = []

    def _eager(self, batch: list[Tensor]) -> None:
        inputs, _ = self.model._split(batch, False)
        self.outputs.append([output.numpy() for output in forward(self.model, inputs)])
        self._end(batch[0].shape[0], [])

    def _chunk(self, rows: Rows, chunk: list[Numbers]) -> None:
        self._begin()
        logits = self._answers(rows, chunk, self.feed.places(rows, np.concatenate(chunk)))
        if logits is None:
            self._eager_chunk(chunk)
            return
        start = 0
        for i, count in enumerate(len(numbers) for numbers in chunk):
            if i:
                self._begin()
            self.outputs.append([logits[start : start + count].copy()])
            self._end(count, [])
            start += count


def _add_to_metrics(model: State, rows: Rows, logits: NDArray[np.float32], places: Numbers, counts: list[int]) -> None:
    """Feed every metric with batches of ``counts`` samples: Accuracy with all at once, since it only counts."""
    start = 0
    for metric in model._metrics if counts else ():
        if type(metric) is Accuracy and logits.ndim == 2:
            metric._update_logits(logits, rows.labels[places[: len(logits)]])
    others = [metric for metric in model._metrics if type(metric) is not Accuracy or logits.ndim > 2]
    for count in counts if others else ():
        part = slice(start, start + count)
        outputs, labels = dense(logits[part].copy()), dense(rows.labels_at(places[part]))
        for metric in others:
            found = as_list(metric.compute(outputs, labels))
            metric.update(*[x.numpy() if isinstance(x, Tensor) else x for x in found])
        start += count


def _foreseeable(scheduler: LRScheduler) -> bool:
    """Whether stepping a copy shows what stepping the scheduler will do, and does nothing else."""
    if type(scheduler).__module__ != LRScheduler.__module__ or scheduler.verbose:
        return False
    inner = [value for value in vars(scheduler).values() if callable(value)]
    return all(isinstance(value, LRScheduler) and _foreseeable(value) for value in inner)
