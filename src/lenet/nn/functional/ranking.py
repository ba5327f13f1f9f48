"""Losses of margins and distances: what should be near is pulled together, what shouldn't is held apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lenet.autograd.array_rows import equal, maximum, minimum, norm, where
from lenet.autograd.array_rows.activations import activation
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.messages import check
from lenet.nn.functional.loss import pair_of, reduced, softmax_with_cross_entropy

__all__ = [
    "cosine_embedding_loss", "hinge_embedding_loss", "multi_label_margin_loss", "multi_label_soft_margin_loss",
    "multi_margin_loss", "npair_loss", "pairwise_distance", "soft_margin_loss", "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]  # fmt: skip


def _same_shape(what: str, a: Tensor, b: Tensor, expected: str = "one shape") -> None:
    if list(a.shape) != list(b.shape):
        given = f"shapes {list(a.shape)} and {list(b.shape)}"
        raise check.ShapeError(check.message(what, given, expected))


def pairwise_distance(
    x: Tensor, y: Tensor, p: float = 2.0, epsilon: float = 1e-6, keepdim: bool = False, name: str | None = None
) -> Tensor:
    """The p-norm of x - y + epsilon along the last axis."""
    return norm(x - y + epsilon, p=float(p), axis=-1, keepdim=keepdim)


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, label: Tensor, margin: float = 0, reduction: str = "mean", name: str | None = None
) -> Tensor:
    """1 - cos of pairs with label 1, max(0, cos - margin) of those with label -1. inputs: [N, M] or [M]; label: [N] or []."""
    what = "cosine_embedding_loss"
    _same_shape(what, input1, input2)
    if len(label.shape) != len(input1.shape) - 1:
        given = f"labels of shape {list(label.shape)} for {list(input1.shape)}"
        raise check.ShapeError(check.message(what, given, "one axis less"))
    if not -1 <= margin <= 1:
        raise ValueError(check.message(f"{what}(margin)", margin, "a number from -1 to 1"))
    tiny = 1e-11
    sizes = ((input1 * input1).sum(-1) + tiny) * ((input2 * input2).sum(-1) + tiny)
    cosine = (input1 * input2).sum(-1) / sizes.sqrt()
    zero = cosine * 0
    near = where(label == 1, 1 - cosine, zero)
    far = where(label == -1, maximum(cosine - margin, 0.0), zero)
    return reduced(what, near + far, reduction)


def hinge_embedding_loss(
    input: Tensor, label: Tensor, margin: float = 1.0, reduction: str = "mean", name: str | None = None
) -> Tensor:
    """The distance itself where label is 1, max(0, margin - distance) where it is -1."""
    what = "hinge_embedding_loss"
    pair_of(what, input, label)
    zero = input * 0
    near = where(label == 1, input, zero)
    far = where(label == -1, maximum(margin - input, 0.0), zero)
    return reduced(what, near + far, reduction)


def triplet_margin_loss(
    input: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2, epsilon: float = 1e-6,
    swap: bool = False, reduction: str = "mean", name: str | None = None,
) -> Tensor:  # fmt: skip
    """max(0, d(input, positive) - d(input, negative) + margin), d being ``pairwise_distance``.

    swap: the negative's distance is the smaller of those to input and to positive. ValueError for a margin below 0.
    """
    what = "triplet_margin_loss"
    if p <= 0:
        raise ValueError(check.message(f"{what}(p)", p, "a number above 0"))

    def distance(a: Tensor, b: Tensor) -> Tensor:
        return pairwise_distance(a, b, p, epsilon)

    return _triplet(what, input, positive, negative, distance, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    input: Tensor, positive: Tensor, negative: Tensor, distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0, swap: bool = False, reduction: str = "mean", name: str | None = None,
) -> Tensor:  # fmt: skip
    """``triplet_margin_loss`` with a distance of your own: a function of two tensors (None: ``pairwise_distance``)."""
    what = "triplet_margin_with_distance_loss"

    def usual(a: Tensor, b: Tensor) -> Tensor:
        return pairwise_distance(a, b)

    return _triplet(what, input, positive, negative, distance_function or usual, margin, swap, reduction)


def _triplet(
    what: str, input: Tensor, positive: Tensor, negative: Tensor, distance: Any, margin: float, swap: bool, reduction: str
) -> Tensor:  # fmt: skip
    if margin < 0:
        raise ValueError(check.message(f"{what}(margin)", margin, "a number of at least 0"))
    _same_shape(what, input, positive)
    _same_shape(what, input, negative)
    near, far = distance(input, positive), distance(input, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced(what, maximum(near - far + margin, 0.0), reduction)


def soft_margin_loss(input: Tensor, label: Tensor, reduction: str = "mean", name: str | None = None) -> Tensor:
    """log(1 + e^(-label · input)); labels are 1 and -1."""
    what = "soft_margin_loss"
    pair_of(what, input, label)
    _same_shape(what, input, label)
    return reduced(what, -activation("log_sigmoid", input * label.astype(input.dtype)), reduction)


def multi_label_soft_margin_loss(
    input: Tensor, label: Tensor, weight: Tensor | None = None, reduction: str = "mean", name: str | None = None
) -> Tensor:
    """Binary cross-entropy of logits [N, C], each class by itself, its mean over the classes. weight: a factor a class."""
    what = "multi_label_soft_margin_loss"
    pair_of(what, input, label)
    _same_shape(what, input, label)
    loss = -(label * activation("log_sigmoid", input) + (1 - label) * activation("log_sigmoid", -input))
    return reduced(what, (loss if weight is None else loss * weight).mean(-1), reduction)


def multi_margin_loss(
    input: Tensor, label: Tensor, p: float = 1, margin: float = 1.0, weight: Tensor | None = None, reduction: str = "mean",
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """The mean over the classes of max(0, margin - right + other)^p. input: [N, C]; label: [N]; weight: a factor a class."""
    what = "multi_margin_loss"
    pair_of(what, input, label)
    if len(input.shape) != 2 or label.size != input.shape[0]:
        given = f"labels of shape {list(label.shape)} for {list(input.shape)}"
        raise check.ShapeError(check.message(what, given, "predictions [N, C] and labels [N]"))
    classes = input.shape[1]
    numbers = label.reshape([-1, 1])
    right = input.take_along_axis(numbers, 1)
    gaps = maximum(margin - right + input, 0.0) ** float(p)
    own = margin**p / classes
    if weight is None:
        return reduced(what, gaps.mean(1) - own, reduction)
    factor = weight.gather(numbers.reshape([-1])).reshape([-1, 1])
    return reduced(what, (factor * gaps).mean(1) - (factor * own).squeeze(1), reduction)


def multi_label_margin_loss(input: Tensor, label: Tensor, reduction: str = "mean", name: str | None = None) -> Tensor:
    """Σ max(0, 1 - right + other) / C over each sample's right classes and its others.

    label: [N, C], the right classes' numbers first, then -1, after which nothing counts.
    """
    what = "multi_label_margin_loss"
    pair_of(what, input, label)
    _same_shape(what, input, label)
    numbers = label.data_array()
    classes = input.shape[1]
    counts = (numbers >= 0).cumprod(1).astype(bool)
    is_right = np.zeros(numbers.shape, np.bool_)
    rows = numbers * 0 + np.arange(numbers.shape[0])[:, None]
    is_right[rows[counts], numbers[counts]] = True
    safe = to_tensor(numbers * counts)
    right = input.take_along_axis(safe, 1, broadcast=False)
    gaps = maximum(1.0 - right.unsqueeze(2) + input.unsqueeze(1), 0.0)
    mask = to_tensor((counts[:, :, None] & ~is_right[:, None, :]).astype(input.dtype.numpy))
    return reduced(what, (gaps * mask).sum([1, 2]) / float(classes), reduction)


def npair_loss(anchor: Tensor, positive: Tensor, labels: Tensor, l2_reg: float = 0.002) -> Tensor:
    """Cross-entropy of anchor · positiveᵀ [N, N] against equal labels, plus l2_reg / 4 times the vectors' mean squares."""
    n = labels.shape[0]
    column = labels.reshape([n, 1])
    same = equal(column, column.transpose([1, 0])).astype(anchor.dtype)
    shares = same / same.sum(1, keepdim=True)
    size = (anchor.square().sum(1).mean() + positive.square().sum(1).mean()) * (0.25 * l2_reg)
    loss = softmax_with_cross_entropy(anchor.matmul(positive, transpose_y=True), shares, soft_label=True)
    return size + (shares * loss).sum(0).mean()
