"""Losses: how far predictions are from what was wanted."""

from __future__ import annotations

from typing import Any

import numpy as np

from lenet.autograd import table, tape
from lenet.autograd.array_rows import maximum, take_along_axis, where
from lenet.autograd.array_rows.activations import activation
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.messages import check

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "kl_div", "l1_loss", "log_loss",
    "margin_ranking_loss", "mse_loss", "nll_loss", "smooth_l1_loss", "softmax_with_cross_entropy", "square_error_cost",
]  # fmt: skip

_REDUCTIONS = ("mean", "sum", "none")


def cross_entropy(
    input: Tensor,
    label: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    soft_label: bool = False,
    axis: int = -1,
    use_softmax: bool = True,
    label_smoothing: float = 0.0,
    name: str | None = None,
) -> Tensor:
    """-log of the probability given to the right class. input: logits [N, C], or [.., C, ..] with ``axis`` naming C.

    label: class numbers [N] or [N, 1] (integers), or with soft_label probabilities of input's shape. weight: [C], a factor
    a class; the mean is then Σ w·l / Σ w. ignore_index: this label adds no loss. reduction: 'mean' and 'sum' give a 0-D
    tensor, 'none' one of the label's shape. use_softmax=False: input holds probabilities already. label_smoothing ε, 0 to 1: the
    target becomes (1 - ε)·label + ε/C.
    """
    attrs = loss_attrs("cross_entropy", ignore_index, reduction, soft_label, axis, use_softmax, label_smoothing)
    return run_cross_entropy(input, label, weight, attrs)


def loss_attrs(
    what: str,
    ignore_index: int,
    reduction: str,
    soft_label: bool,
    axis: int,
    use_softmax: bool,
    label_smoothing: float,
) -> dict[str, Any]:
    """The table's attributes of ``cross_entropy`` but for the class weights."""
    if not isinstance(label_smoothing, (int, float, np.floating)) or not 0 <= label_smoothing <= 1:
        given = check.describe(label_smoothing)
        raise ValueError(check.message(f"{what}(label_smoothing)", given, "a number from 0 to 1"))
    for name, number in (("ignore_index", ignore_index), ("axis", axis)):
        if isinstance(number, bool) or not hasattr(number, "__index__"):
            raise TypeError(check.message(f"{what}({name})", check.describe(number), "a whole number"))
    return {
        "ignore_index": int(ignore_index),
        "reduction": check.choice(f"{what}(reduction)", reduction, _REDUCTIONS),
        "soft_label": bool(soft_label),
        "axis": int(axis),
        "use_softmax": bool(use_softmax),
        "label_smoothing": float(label_smoothing),
    }


def check_loss_tensor(name: str, value: Any, optional: bool = False) -> None:
    """TypeError unless ``value`` is a Tensor, or None where that is allowed."""
    if not isinstance(value, Tensor) and not (optional and value is None):
        fix = f"Type lenet.to_tensor({name})"
        raise TypeError(check.message(f"cross_entropy({name})", check.describe(value), "a lenet Tensor", fix))


def run_cross_entropy(input: Tensor, label: Tensor, weight: Tensor | None, attrs: dict[str, Any]) -> Tensor:
    """``cross_entropy`` with attributes that are already in the table's form."""
    check_loss_tensor("label", label)
    check_loss_tensor("weight", weight, optional=True)
    if attrs["soft_label"] and attrs["label_smoothing"] and label.dtype.numpy.kind in "iu":
        attrs = attrs | {"soft_label": False}  # as in Paddle, where smoothing class numbers makes them soft
    return tape.call("cross_entropy", input, label, weight=weight, **attrs)


def softmax_with_cross_entropy(
    logits: Tensor,
    label: Tensor,
    soft_label: bool = False,
    ignore_index: int = -100,
    numeric_stable_mode: bool = True,
    return_softmax: bool = False,
    axis: int = -1,
) -> Any:
    """``cross_entropy`` with reduction 'none' and the classes' axis kept as 1: [N, 1]; return_softmax: a pair with
    softmax, which passes no gradient on.

    label: class numbers [N, 1], or with soft_label probabilities of logits' shape.
    """
    loss = cross_entropy(logits, label, None, ignore_index, "none", soft_label, axis)
    if len(loss.shape) < len(logits.shape):
        loss = loss.unsqueeze(axis)
    return (loss, tape.call("softmax", logits.detach(), axis=axis)) if return_softmax else loss


# ---- element by element --------------------------------------------------------------------------------------------------


def pair_of(what: str, input: Tensor, label: Tensor) -> None:
    """TypeError unless both are tensors, the first of floats; ShapeError for shapes that only broadcast by accident."""
    table.check_float(what, input)
    if not isinstance(label, Tensor):
        raise TypeError(
            check.message(f"{what}(label)", check.describe(label), "a lenet Tensor", "Type lenet.to_tensor(label)")
        )


def reduced(what: str, loss: Tensor, reduction: str) -> Tensor:
    check.choice(f"{what}(reduction)", reduction, _REDUCTIONS)
    return loss if reduction == "none" else loss.mean() if reduction == "mean" else loss.sum()


def square_error_cost(input: Tensor, label: Tensor) -> Tensor:
    """(input - label)², element by element, broadcast."""
    pair_of("square_error_cost", input, label)
    return (input - label).square()


def mse_loss(input: Tensor, label: Tensor, reduction: str = "mean", name: str | None = None) -> Tensor:
    """(input - label)², broadcast. reduction: 'mean' and 'sum' give a 0-D tensor, 'none' every element's."""
    return reduced("mse_loss", square_error_cost(input, label), reduction)


def l1_loss(input: Tensor, label: Tensor, reduction: str = "mean", name: str | None = None) -> Tensor:
    """|input - label|, broadcast. reduction as ``mse_loss``."""
    pair_of("l1_loss", input, label)
    return reduced("l1_loss", (input - label).abs(), reduction)


def smooth_l1_loss(
    input: Tensor,
    label: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    is_huber: bool = True,
    name: str | None = None,
) -> Tensor:
    """½ d² where d = |input - label| is below delta, delta · (d - ½ delta) elsewhere; divided by delta unless is_huber.

    reduction as ``mse_loss``. ValueError for a delta that isn't above 0.
    """
    pair_of("smooth_l1_loss", input, label)
    if delta <= 0:
        raise ValueError(check.message("smooth_l1_loss(delta)", delta, "a number above 0"))
    d = (input - label).abs()
    loss = where(d < delta, d.square() * 0.5, d * delta - 0.5 * delta * delta)
    return reduced("smooth_l1_loss", loss if is_huber else loss / delta, reduction)


def binary_cross_entropy(
    input: Tensor, label: Tensor, weight: Tensor | None = None, reduction: str = "mean", name: str | None = None
) -> Tensor:
    """-(label · log p + (1 - label) · log(1 - p)) of probabilities p = input, both of one shape (ValueError otherwise).

    weight: factors, broadcast. reduction as ``mse_loss``. Logarithms below -100 count as -100. ValueError outside 0 to 1.
    """
    pair_of("binary_cross_entropy", input, label)
    if input.shape != label.shape:
        given = f"shapes {list(input.shape)} and {list(label.shape)}"
        raise check.ShapeError(check.message("binary_cross_entropy", given, "labels of the predictions' shape"))
    values = input.data_array()
    if values.size and (values.min() < 0 or values.max() > 1):
        fix = "Put a sigmoid before it, or use binary_cross_entropy_with_logits"
        raise ValueError(
            check.message("binary_cross_entropy", f"{values.min()} to {values.max()}", "probabilities", fix)
        )
    loss = tape.call("binary_cross_entropy", input, label.astype(input.dtype))
    return reduced("binary_cross_entropy", loss if weight is None else loss * weight, reduction)


def binary_cross_entropy_with_logits(
    logit: Tensor,
    label: Tensor,
    weight: Tensor | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
    name: str | None = None,
) -> Tensor:
    """``binary_cross_entropy`` of sigmoid(logit), without its overflow. pos_weight: a factor on the labels of 1, broadcast."""
    what = "binary_cross_entropy_with_logits"
    pair_of(what, logit, label)
    if logit.shape != label.shape:
        given = f"shapes {list(logit.shape)} and {list(label.shape)}"
        raise check.ShapeError(check.message(what, given, "labels of the predictions' shape"))
    below = activation("log_sigmoid", logit)  # log p; log(1 - p) is this minus the logit
    loss = (1.0 - label) * logit - (below if pos_weight is None else ((pos_weight - 1.0) * label + 1.0) * below)
    return reduced(what, loss if weight is None else loss * weight, reduction)


def log_loss(input: Tensor, label: Tensor, epsilon: float = 1e-4, name: str | None = None) -> Tensor:
    """-(label · log(p + epsilon) + (1 - label) · log(1 - p + epsilon)) of probabilities p = input, element by element."""
    pair_of("log_loss", input, label)
    return -label * (input + epsilon).log() - (1.0 - label) * (1.0 - input + epsilon).log()


def kl_div(
    input: Tensor, label: Tensor, reduction: str = "mean", log_target: bool = False, name: str | None = None
) -> Tensor:
    """label · (log label - input): the divergence of probabilities from what input holds the logarithms of.

    reduction: 'mean' over all elements, 'batchmean' the sum over the first axis' length, 'sum', 'none'. log_target: label
    holds logarithms, too. Labels of 0 add nothing; the gradient goes to input alone.
    """
    pair_of("kl_div", input, label)
    check.choice("kl_div(reduction)", reduction, (*_REDUCTIONS, "batchmean"))
    target = label.data_array()
    if log_target:
        loss = to_tensor(np.exp(target)) * (to_tensor(target) - input)
    else:
        known = np.where(target > 0, target, 1)
        loss = to_tensor(np.maximum(target, 0)) * (to_tensor(np.log(known)) - input)
    if reduction == "batchmean":
        return loss.sum() / (float(input.shape[0]) if input.shape else 1.0)
    return reduced("kl_div", loss, reduction)


def nll_loss(
    input: Tensor,
    label: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    name: str | None = None,
) -> Tensor:
    """-input at each label: the loss of log-probabilities [N, C] or [N, C, d1, …]. label: class numbers [N] or [N, d1, …].

    weight: [C], a factor a class; the mean is then over the factors' sum. ignore_index: this label counts as nothing.
    reduction as ``mse_loss``. IndexError for a label that is no class.
    """
    pair_of("nll_loss", input, label)
    shape = list(input.shape)
    if len(shape) < 2 or list(label.shape) != shape[:1] + shape[2:]:
        expected = f"{shape[:1] + shape[2:]}" if len(shape) >= 2 else "predictions [N, C] and labels [N]"
        given = f"labels of shape {list(label.shape)} for predictions {shape}"
        raise check.ShapeError(check.message("nll_loss", given, expected))
    numbers = label.data_array()
    counts = numbers != ignore_index
    wrong = counts & ((numbers < 0) | (numbers >= shape[1]))
    if wrong.any():
        raise IndexError(check.message("nll_loss", f"label {numbers[wrong].flat[0]}", f"0 to {shape[1] - 1}"))
    at = np.where(counts, numbers, 0).astype(np.int64)
    factor = counts.astype(input.dtype.numpy)
    if weight is not None:
        factor = factor * weight.data_array()[at]
    picked = take_along_axis(input, to_tensor(np.expand_dims(at, 1)), 1, broadcast=False).squeeze(1)
    loss = -picked * to_tensor(factor)
    if check.choice("nll_loss(reduction)", reduction, _REDUCTIONS) == "mean":
        return loss.sum() / float(factor.sum())
    return reduced("nll_loss", loss, reduction)


def margin_ranking_loss(
    input: Tensor, other: Tensor, label: Tensor, margin: float = 0.0, reduction: str = "mean", name: str | None = None
) -> Tensor:
    """max(0, -label · (input - other) + margin); label is 1 where input should be the larger, -1 where other should."""
    pair_of("margin_ranking_loss", input, label)
    return reduced("margin_ranking_loss", maximum((other - input) * label + margin, 0.0), reduction)
