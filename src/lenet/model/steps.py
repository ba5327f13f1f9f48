"""One batch: a training step, a forward pass for answers, losses and metrics; and what to say when a loss is no number.

These functions act on a ``Model``'s parts and know neither epochs, callbacks nor loaders. ``passes`` and ``Model`` call them.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.autograd import tape
from lenet.autograd.tensor import Tensor, dense
from lenet.messages.check import describe, message
from lenet.model.state import State, as_list
from lenet.model.turns import elsewhere
from lenet.nn.layer import Layer

__all__ = [
    "Trouble",
    "add_to_metrics",
    "answering",
    "explain",
    "forward",
    "losses_of",
    "numbers_of",
    "train_step",
]


class Trouble(FloatingPointError):
    """A loss or gradient that is NaN or infinite, found before anything was written. ``what`` says which."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def answering(model: State) -> Layer:
    """The network to ask for answers: a copy that shares its parameters and buffers where another thread trains it.

    So its mode stays the training's, and the answers are those of the weights as they are at the time.
    """
    network = model.network
    if not elsewhere(model):
        return network
    shared = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    return copy.deepcopy(network, shared)


def forward(model: State, inputs: list[Tensor]) -> list[Tensor]:
    """The network's outputs in evaluation mode, with nothing recorded for ``backward``."""
    with tape.no_grad():
        network = answering(model)
        if len(inputs) == 1 and inputs[0]._dtype == np.float32 and inputs[0]._shape:
            images = inputs[0].data_array()
            chain = model._answers.chain(network, images.shape[1:], lambda: images)
            if chain is not None:
                return [dense(chain.infer(images))]
        network.eval()
        outputs = as_list(network(*inputs))
    model._answers.network_ran()
    return outputs


def losses_of(model: State, outputs: list[Tensor], labels: list[Tensor]) -> list[Tensor]:
    """What the loss says, as a list; TypeError unless it is Tensors."""
    losses = as_list(model._loss(*outputs, *labels)) if model._loss is not None else []
    for loss in losses:
        if not isinstance(loss, Tensor):
            raise TypeError(message("loss", describe(loss), "a Tensor or a list of them", "Return it without .numpy()"))
    return losses


def numbers_of(losses: list[NDArray[Any]]) -> list[float]:
    """The losses as floats; ValueError for one that is no single number."""
    for loss in losses:
        if loss.size != 1:
            fix = "Use reduction='mean' in the loss, or return its mean"
            raise ValueError(message("loss", f"shape {list(loss.shape)}", "a single number", fix))
    return [float(loss.reshape(())) for loss in losses]


def train_step(
    model: State, inputs: list[Tensor], labels: list[Tensor], update: bool
) -> tuple[list[NDArray[Any]], list[Any]]:
    """Forward, loss, backward, update, gradients to zero, metrics; returns the losses and the metrics of this batch.

    With update=False the gradients stay, for a later step to add its own. ``Trouble`` if the loss or a gradient is no
    number: then the weights, the optimizer and the metrics are as they were, and the gradients are zero.
    """
    model.network.train()
    outputs = as_list(model.network(*inputs))
    losses = losses_of(model, outputs, labels)
    arrays = [loss.numpy() for loss in losses]
    if not all(np.isfinite(array).all() for array in arrays):
        _clear(model)
        raise Trouble("loss")
    total = losses[0]
    for loss in losses[1:]:
        total = total + loss
    total.backward()
    if update:
        apply_gradients(model)
    return arrays, add_to_metrics(model, outputs, labels)


def apply_gradients(model: State) -> None:
    """One update with the gradients that are there, which are zero then; ``Trouble`` if one of them is no number."""
    optimizer = model._optimizer
    if not all(np.isfinite(p._grad.data_array()).all() for p in optimizer._params if p._grad is not None):
        _clear(model)
        raise Trouble("gradient")
    optimizer.step()
    _clear(model)


def _clear(model: State) -> None:
    model._optimizer.clear_grad()
    model.network.clear_gradients()


def add_to_metrics(model: State, outputs: list[Tensor], labels: list[Tensor]) -> list[Any]:
    """Feed every metric; returns what each ``update`` returned: the metrics of this batch."""
    batch = []
    with tape.no_grad():
        for metric in model._metrics:
            found = as_list(metric.compute(*outputs, *labels))
            batch.append(metric.update(*[x.numpy() if isinstance(x, Tensor) else x for x in found]))
    return batch


def explain(where: str, what: str, model: State, batch: list[Tensor]) -> str:
    """The text of the error for a loss or gradient that is NaN or infinite: where, the likely cause, what is left."""
    given = f"a {what} that is NaN or infinite"
    kept = "Nothing of this step was written: the network and the optimizer are as after the step before"
    return message(where, given, "a finite number", f"Likely cause: {_cause(model, batch)}. {kept}.")


def _cause(model: State, batch: list[Tensor]) -> str:
    for name, parameter in model.network.named_parameters():
        if not np.isfinite(parameter.data_array()).all():
            return f"{name} held NaN or infinity before this step; load weights from an earlier time"
    for i, field in enumerate(batch):
        data = field.data_array()
        if data.dtype.kind == "f" and not np.isfinite(data).all():
            name = "images" if i == 0 else "labels" if i == len(batch) - 1 else f"field {i}"
            return f"the {name} of this batch hold NaN or infinity; look at the data set and its transform"
    images = batch[0].data_array() if batch else np.zeros(0)
    if images.dtype.kind == "f" and images.size and np.abs(images).max() > 20:
        fix = "transform=lenet.vision.transforms.Normalize([127.5], [127.5])"
        return f"the images are not normalised, their values reach {np.abs(images).max():.4g}; type {fix}"
    rate = model._optimizer.get_lr()
    return f"the learning rate, {rate:.4g}, is too high; try {rate / 10:.4g}"
