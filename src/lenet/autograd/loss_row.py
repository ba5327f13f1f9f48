"""The table's row ``cross_entropy``: every case of the loss that Paddle knows, on one kernel.

Hard labels, smoothing, soft labels and ignored samples all become a target distribution and a weight a sample; the kernel
computes weight * -sum(target * log softmax(x)) and its gradient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lenet import _core
from lenet.autograd.table import TABLE, Attrs, Grads, Inputs, Row, check_axis, check_float, classes_back, classes_last
from lenet.autograd.tensor import _F64, Tensor, dense, in_lanes
from lenet.messages.check import ShapeError, message

if TYPE_CHECKING:
    from lenet.autograd.tape import Node

__all__ = ["hard_labels"]


def hard_labels(x_shape: tuple[int, ...], axis: int, label: Tensor, ignore: int) -> NDArray[np.int64]:
    """Class numbers as int64 [M], checked against x's shape and number of classes.

    ValueError for another shape or kind, IndexError for a number that is no class and not ``ignore``.
    """
    classes = x_shape[axis]
    rest = x_shape[:axis] + x_shape[axis + 1 :]
    shape = label._shape
    if shape not in (rest, (*x_shape[:axis], 1, *x_shape[axis + 1 :])):
        given = f"labels of shape {list(shape)} for predictions {list(x_shape)}"
        if shape == x_shape:
            fix = "For one-hot labels type soft_label=True, or give class numbers: label.argmax(-1)"
        elif shape == (x_shape[0], *x_shape[2:]) and axis != 1:
            fix = "The classes are the second axis: type axis=1, as in CrossEntropyLoss(axis=1)"
        else:
            fix = "Give one class number a sample"
        raise ShapeError(message("cross_entropy", given, f"{list(rest)} or {[*rest, 1]}", fix))
    values = label.data_array()
    if values.dtype.kind not in "iub":
        whole = values.astype(np.int64)
        if not np.array_equal(whole, values):
            fix = "Give class numbers, or type soft_label=True for probabilities"
            raise ValueError(
                message("cross_entropy", f"labels of {values.dtype} with fractions", "whole class numbers", fix)
            )
        values = whole
    flat = np.ascontiguousarray(values.reshape(-1), np.int64)
    if flat.size and (flat.max() >= classes or flat.min() < 0):
        wrong = np.flatnonzero(((flat < 0) | (flat >= classes)) & (flat != ignore))
        if wrong.size:
            fix = f"The network's last layer has {classes} outputs: give it more, or renumber the labels from 0"
            given = f"label {flat[wrong[0]]} (sample {wrong[0]} of {flat.size})"
            raise IndexError(message("cross_entropy", given, f"0 to {classes - 1}", fix))
    return flat


def _class_weights(weight: Any, classes: int) -> NDArray[Any] | None:
    if weight is None:
        return None
    values: NDArray[Any] = weight.data_array()
    if values.shape != (classes,):
        raise ValueError(
            message("cross_entropy(weight)", f"shape {list(values.shape)}", f"[{classes}], one factor a class")
        )
    return values


def _soft_target(x: Tensor, label: Tensor, axis: int, smoothing: float) -> Tensor:
    if label._shape != x._shape:
        given = f"soft labels of shape {list(label._shape)}"
        raise ShapeError(message("cross_entropy", given, f"the predictions' shape {list(x._shape)}"))
    if label._dtype != x._dtype:
        fix = f"Convert them: label.astype('{x._dtype}')"
        raise ValueError(
            message("cross_entropy", f"soft labels of {label._dtype}", f"{x._dtype} like the predictions", fix)
        )
    target = classes_last(label, axis)
    if smoothing:
        even = smoothing / x._shape[axis]
        target = dense((target.data_array() * (1.0 - smoothing) + even).astype(x._dtype))
    return target


class _Saved:
    """What backward needs: the gradient of each sample's own loss, and how the losses were joined."""

    __slots__ = ("axis", "denominator", "dx", "reduction")

    def __init__(self, dx: Tensor, axis: int, reduction: str, denominator: float) -> None:
        self.dx = dx
        self.axis = axis
        self.reduction = reduction
        self.denominator = denominator


def _cross_entropy(inputs: Inputs, attrs: Attrs) -> tuple[Tensor, Any]:
    x, label = inputs
    check_float("cross_entropy", x)
    if len(x._shape) < 2:
        raise ShapeError(
            message(
                "cross_entropy",
                f"predictions of shape {list(x._shape)}",
                "[N, C]",
                "Add the batch axis: x.unsqueeze(0)",
            )
        )
    axis = check_axis("cross_entropy", attrs["axis"], x._shape)
    logits = classes_last(x, axis)
    m, classes = logits._shape
    class_weight = _class_weights(attrs["weight"], classes)
    smoothing, ignore = attrs["label_smoothing"], attrs["ignore_index"]
    weights: NDArray[Any] | None = None  # a factor a sample
    counted = float(m)
    if attrs["soft_label"]:
        target = _soft_target(x, label, axis, smoothing)
        if class_weight is not None:
            weights = target.data_array() @ class_weight
            counted = float(weights.sum())
    else:
        labels = hard_labels(x._shape, axis, label, ignore)
        target = in_lanes(_core.class_targets(classes, m, labels, smoothing, logits.lanes()), (m, classes), x._dtype)
        ignored = labels == ignore
        if class_weight is not None:
            weights = class_weight[np.where(ignored, 0, labels)] * ~ignored
            counted = float(weights.sum())
        elif ignored.any():
            weights = ~ignored
            # Paddle leaves ignored samples out of the mean's denominator only if ignore_index is a possible class.
            counted = float(weights.sum()) if ignore >= 0 else float(m)
    factors = np.ones(m, x._dtype) if weights is None else weights.astype(x._dtype)
    if attrs["use_softmax"]:
        loss, dx = _core.softmax_loss(classes, m, logits.lanes(), target.lanes(), dense(factors).lanes())
        gradient = in_lanes(dx, (m, classes), x._dtype)
    else:
        loss, gradient = _of_probabilities(logits, target, factors)
    reduction = attrs["reduction"]
    saved = _Saved(gradient, axis, reduction, counted if reduction == "mean" else 1.0)
    if reduction == "none":
        each = in_lanes(loss, (m,), x._dtype).data_array()
        kept = (*x._shape[:axis], 1, *x._shape[axis + 1 :])
        return dense(each.reshape(kept if attrs["soft_label"] else label._shape)), saved
    total = _core.total(loss, m)
    if reduction == "mean":
        total = total / counted if counted else 0.0
    return dense(np.array(total, x._dtype)), saved


def _of_probabilities(p: Tensor, target: Tensor, factors: NDArray[Any]) -> tuple[Any, Tensor]:
    """The loss of probabilities (use_softmax=False): -sum(target * log p), and its gradient -target / p."""
    probabilities, wanted = p.data_array(), target.data_array()
    with np.errstate(divide="ignore", invalid="ignore"):
        loss = np.where(wanted != 0, -wanted * np.log(probabilities), 0).sum(axis=1) * factors
        gradient = np.where(wanted != 0, -wanted / probabilities, 0) * factors[:, None]
    return dense(loss.astype(p._dtype)).lanes(), dense(gradient.astype(p._dtype))


def _cross_entropy_backward(node: Node, dy: Tensor) -> Grads:
    x = node.inputs[0]
    saved: _Saved = node.saved
    dx = saved.dx
    if saved.reduction == "none":
        scaled = dx.data_array() * dy.data_array().reshape(-1, 1)
        return classes_back(dense(scaled), x._shape, saved.axis), None
    factor = float(dy.data_array().reshape(())) / saved.denominator if saved.denominator else 0.0
    # in float32 like the kernel's own numbers, so that a mean over 64 samples is the exact 1/64
    factor = float(np.asarray(factor, np.float64 if x._dtype == _F64 else np.float32))
    return classes_back(in_lanes(_core.scale(dx.lanes(), factor), dx._shape, x._dtype), x._shape, saved.axis), None


TABLE["cross_entropy"] = Row("cross_entropy", "core", _cross_entropy, _cross_entropy_backward)
