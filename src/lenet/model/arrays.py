"""Arrays straight into ``fit``, ``evaluate`` and ``predict``: what the model remembers of how they were laid out.

The first ``fit`` decides the layout and the classes, by the arrays and by whether a convolution comes first; all later arrays
are taken the same way. Read by ``Model`` alone.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.autograd.tensor import to_tensor
from lenet.io import Dataset, TensorDataset
from lenet.messages.check import brief, describe, message
from lenet.messages.progress import say
from lenet.model.state import State
from lenet.nn import Conv2D, CrossEntropyLoss, Layer
from lenet.vision.datasets.as_bytes import Form
from lenet.vision.datasets.labelled import are_arrays, floats, is_array, labelled, layout_of, parted, targets

__all__ = ["for_evaluation", "for_prediction", "for_training", "weighted"]


def for_training(
    model: State,
    train_data: Any,
    eval_data: Any,
    validation_split: float | None,
    classes: Sequence[str] | None,
    data_format: str | None,
) -> tuple[Any, Any, NDArray[Any] | None]:
    """Data sets in place of arrays, for training and for evaluation, and the labels as numbers; else as they were given.

    ``fit(x, y)`` is ``fit((x, y))``. TypeError and ValueError as ``labelled`` has them, and for options that only arrays have.
    """
    if is_array(train_data) and not isinstance(train_data, Dataset) and _is_labels(eval_data, train_data):
        train_data, eval_data = (train_data, eval_data), None
    model._form = None
    if not are_arrays(train_data):
        given = {"validation_split": validation_split, "classes": classes, "data_format": data_format}
        for name, value in given.items():
            if value is not None:
                fix = "Split a data set with lenet.io.random_split" if name == "validation_split" else ""
                raise TypeError(message(f"fit({name})", brief(value), "arrays as train_data: fit(x, y)", fix))
        return train_data, for_evaluation(model, eval_data), None
    images, labels = train_data
    layout = layout_of("train_data", images, data_format, squares=_starts_with_convolution(model.network))
    for line in layout.said():
        say(line)
    found, names = targets("train_data", labels, classes)
    model._layout, model.classes = layout, names
    model._form = Form.of("train_data", images, layout=layout)
    data: Dataset = labelled("train_data", images, labels, layout, found)
    if validation_split is None:
        return data, for_evaluation(model, eval_data), found
    if eval_data is not None:
        raise ValueError(message("fit(validation_split)", "eval_data too", "one of them"))
    return (*parted(data, validation_split, found), found)


def for_evaluation(model: State, data: Any) -> Any:
    """A data set in place of (images, labels), taken as ``fit`` took its arrays; else as it was given."""
    if not are_arrays(data):
        return data
    images, labels = data
    layout = model._layout or layout_of("eval_data", images, squares=_starts_with_convolution(model.network))
    found, _ = targets("eval_data", labels, model.classes or None)
    return labelled("eval_data", images, labels, layout, found)


def for_prediction(model: State, data: Any) -> Any:
    """A data set in place of an array of images, or of images and labels; else as it was given."""
    if are_arrays(data):
        data = data[0]
    if not is_array(data) or isinstance(data, Dataset):
        return data
    layout = model._layout or layout_of("test_data", data, squares=_starts_with_convolution(model.network))
    return TensorDataset([floats("test_data", data, layout)])


@contextmanager
def weighted(model: State, class_weight: Any, labels: NDArray[Any] | None) -> Iterator[None]:
    """The model's loss with a weight for each class until the end of the block.

    class_weight: weights by class number or name, classes left out weigh 1; or "balanced": each class counts as much as any
    other. TypeError unless the loss is a CrossEntropyLoss and the labels are known.
    """
    if class_weight is None:
        yield
        return
    loss = model._loss
    if type(loss) is not CrossEntropyLoss or labels is None or labels.dtype != np.int64 or labels.ndim > 1:
        given = type(loss).__name__ if labels is not None else "a data set"
        raise TypeError(message("fit(class_weight)", given, "CrossEntropyLoss, and arrays: fit(x, y)"))
    counts = np.bincount(labels, minlength=len(model.classes))
    weights = np.ones(len(counts), np.float32)
    if class_weight == "balanced":
        weights = (len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))).astype(np.float32)
    elif isinstance(class_weight, Mapping):
        for key, value in class_weight.items():
            weights[_place(model, key)] = _weight(value)
    else:
        raise TypeError(
            message("fit(class_weight)", describe(class_weight), "a dict of weights by class, or 'balanced'")
        )
    model._loss = copy.copy(loss)
    model._loss.weight = to_tensor(weights)
    try:
        yield
    finally:
        model._loss = loss


def _place(model: State, key: Any) -> int:
    if str(key) in model.classes:
        return model.classes.index(str(key))
    raise ValueError(message("fit(class_weight)", f"the class {brief(key)}", f"one of {brief(list(model.classes))}"))


def _weight(value: Any) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float, np.floating, np.integer))
        or not 0 <= value < np.inf
    ):
        raise ValueError(message("fit(class_weight)", f"the weight {brief(value)}", "a number from 0"))
    return float(value)


def _is_labels(value: Any, images: Any) -> bool:
    """Whether this is labels for those images, and no data set of its own."""
    if isinstance(value, Dataset) or value is None or not hasattr(value, "__len__"):
        return False
    if isinstance(value, (list, tuple)):
        return bool(value) and not any(is_array(field) for field in value)
    return is_array(value)


def _starts_with_convolution(network: Layer) -> bool:
    """Whether the first of a network's layers that has weights is a convolution."""
    for layer in network.sublayers(include_self=True):
        if layer.parameters(include_sublayers=False):
            return isinstance(layer, Conv2D)
    return False
