"""What a ``Model`` holds: the network, how it is trained and measured, and what was found out on the way.

``steps``, ``passes`` and ``files`` work on this and don't know ``Model``, which is the face. Nothing here runs the network.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lenet.autograd.tensor import Tensor
from lenet.messages.check import message
from lenet.metric import Metric
from lenet.model.answers import Answers
from lenet.model.feed import Rows
from lenet.nn import Layer
from lenet.vision.datasets.as_bytes import Form
from lenet.vision.datasets.labelled import Layout

__all__ = ["State", "as_list"]


def as_list(value: Any) -> list[Any]:
    """None -> [], a list or tuple -> a list, anything else -> a list of it."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


class State:
    """The parts of a ``Model``, and which of a batch's fields are inputs."""

    def __init__(self, network: Layer, inputs: list[Any], labels: list[Any]) -> None:
        self.network = network
        self.mode = "train"
        self.stop_training = False
        self.plan_reason: str | None = None
        self.classes: tuple[str, ...] = ()  # of the arrays that were given to fit
        self._layout: Layout | None = None  # of these
        self._form: Form | None = None  # how bytes would have become the numbers of the latest fit's arrays
        self._inputs, self._labels = inputs, labels
        self._optimizer: Any = None  # an Optimizer once it is prepared for training
        self._loss: Any = None
        self._metrics: list[Metric] = []
        self._prepared = False
        self._answers = Answers()
        self._labelled: int | None = None  # the number of inputs in batches that had a label
        self._seen_shapes: list[tuple[int, ...]] = []
        self._trained_on: Rows | None = None  # the images of the latest fit, if they are in memory
        self._arity: tuple[Any, tuple[int, int]] = (None, (0, 0))  # of forward, as last looked up

    def __getstate__(self) -> dict[str, Any]:
        """All but what is made anew when it is needed: plans, and the images of the latest fit."""
        state = self.__dict__ | {"_answers": None}
        if self._trained_on is not None:
            rows = self._trained_on
            state["_trained_on"] = rows._replace(
                images=rows.images[:0], labels=rows.labels[:0], chosen=None, augment=None
            )
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._answers = Answers()

    def _count_inputs(self, fields: int, labelled: bool) -> int:
        """How many of a batch's fields ``forward`` takes; ``labelled``: with a loss, one is left for it if possible."""
        if self._inputs:
            return len(self._inputs)
        if self._arity[0] != self.network.forward:
            self._arity = (self.network.forward, _arguments(self.network.forward))
        least, most = self._arity[1]
        if labelled:
            self._labelled = max(least, min(most, fields - 1 if self._loss is not None else fields))
            return self._labelled
        return min(most, fields) if self._labelled is None else self._labelled

    def _split(self, batch: list[Tensor], labelled: bool) -> tuple[list[Tensor], list[Tensor]]:
        """The batch's inputs and its labels."""
        count = self._count_inputs(len(batch), labelled)
        if len(batch) < count or not batch:
            name = f"{type(self.network).__name__}.forward"
            raise ValueError(message("a batch", f"{len(batch)} fields", f"at least {count}, as {name} takes"))
        inputs = batch[:count]
        self._seen_shapes = [tuple(tensor.shape) for tensor in inputs]
        return inputs, batch[count:]

    def _metric_names(self) -> list[str]:
        return [*(["loss"] if self._loss is not None else []), *(n for m in self._metrics for n in as_list(m.name()))]

    def _metric_values(self) -> dict[str, Any]:
        """Each metric's value so far by name, numpy's floats as Python's."""
        values: dict[str, Any] = {}
        for metric in self._metrics:
            names, found = as_list(metric.name()), as_list(metric.accumulate())
            if len(names) != len(found):
                what = f"{type(metric).__name__}.accumulate()"
                raise ValueError(message(what, f"{len(found)} values", f"{len(names)}, one for each of {names}"))
            for name, value in zip(names, found, strict=True):
                values[name] = float(value) if isinstance(value, np.floating) else value
        return values

    def _reset_metrics(self) -> None:
        for metric in self._metrics:
            metric.reset()


def _arguments(function: Any) -> tuple[int, int]:
    """The least and the largest number of positional arguments that ``function`` takes."""
    import inspect

    parameters = list(inspect.signature(getattr(function, "eager", function)).parameters.values())
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    least = sum(p.default is p.empty for p in places)
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return max(least, 1), 1 << 30
    return least, len(places)
