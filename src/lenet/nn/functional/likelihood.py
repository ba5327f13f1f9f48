"""Losses of likelihoods and overlaps: Poisson, normal with a variance of its own, focal, Dice."""

from __future__ import annotations

import math

import numpy as np

from lenet.autograd.tensor import Tensor, to_tensor
from lenet.messages import check
from lenet.nn.functional.activation import sigmoid
from lenet.nn.functional.common import one_hot
from lenet.nn.functional.loss import binary_cross_entropy_with_logits, pair_of, reduced

__all__ = ["dice_loss", "gaussian_nll_loss", "poisson_nll_loss", "sigmoid_focal_loss"]


def dice_loss(input: Tensor, label: Tensor, epsilon: float = 1e-5, name: str | None = None) -> Tensor:
    """1 - 2 · overlap / (sizes + epsilon), the mean over the samples. input: probabilities [N, …, C]; label: [N, …, 1]."""
    if len(input.shape) < 2 or list(label.shape) != [*input.shape[:-1], 1]:
        given = f"labels of shape {list(label.shape)} for {list(input.shape)}"
        raise check.ShapeError(check.message("dice_loss", given, "probabilities [N, …, C] and labels [N, …, 1]"))
    wanted = one_hot(label.squeeze(-1), input.shape[-1]).astype(input.dtype)
    over = list(range(1, len(input.shape)))
    both = (input * wanted).sum(over)
    return (1 - both * 2 / (input.sum(over) + wanted.sum(over) + epsilon)).mean()


def poisson_nll_loss(
    input: Tensor, label: Tensor, log_input: bool = True, full: bool = False, epsilon: float = 1e-8,
    reduction: str = "mean", name: str | None = None,
) -> Tensor:  # fmt: skip
    """e^input - label · input of logarithms of expected counts; log_input=False: input - label · log(input + epsilon).

    full: plus Stirling's approximation of log(label!) where label is above 1.
    """
    what = "poisson_nll_loss"
    pair_of(what, input, label)
    if epsilon <= 0:
        raise ValueError(check.message(f"{what}(epsilon)", epsilon, "a number above 0"))
    label = label.astype(input.dtype)
    loss = input.exp() - label * input if log_input else input - label * (input + epsilon).log()
    if full:
        counts = label.data_array()
        safe = np.where(counts > 1, counts, 1)
        extra = safe * np.log(safe) - safe + 0.5 * np.log(2 * math.pi * safe)
        loss = loss + to_tensor(np.where(counts > 1, extra, 0).astype(counts.dtype))
    return reduced(what, loss, reduction)


def gaussian_nll_loss(
    input: Tensor, label: Tensor, variance: Tensor, full: bool = False, epsilon: float = 1e-6, reduction: str = "mean",
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """½ (log v + (input - label)² / v), v being the variance, at least epsilon; of input's shape, or without its last axis.

    full: plus ½ log 2π. ValueError for a variance below 0.
    """
    what = "gaussian_nll_loss"
    pair_of(what, input, label)
    if list(variance.shape) == list(input.shape[:-1]) and len(input.shape):
        variance = variance.unsqueeze(-1)
    elif list(variance.shape) not in (list(input.shape), [*input.shape[:-1], 1]):
        given = f"shape {list(variance.shape)} for {list(input.shape)}"
        raise check.ShapeError(check.message(f"{what}(variance)", given, "the same shape, or a last axis of 1"))
    values = variance.data_array()
    if values.size and values.min() < 0:
        raise ValueError(check.message(f"{what}(variance)", values.min(), "numbers of at least 0"))
    held = variance + to_tensor(np.maximum(epsilon - values, 0).astype(values.dtype))  # its gradient stays variance's
    loss = 0.5 * (held.log() + (input - label).square() / held)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return reduced(what, loss, reduction)


def sigmoid_focal_loss(
    logit: Tensor, label: Tensor, normalizer: Tensor | None = None, alpha: float = 0.25, gamma: float = 2.0,
    reduction: str = "sum", name: str | None = None,
) -> Tensor:  # fmt: skip
    """Binary cross-entropy of logits times (1 - p)^gamma, p being the share given to what is right, and alpha (1 - alpha for 0).

    normalizer: a tensor of one number to divide by.
    """
    what = "sigmoid_focal_loss"
    pair_of(what, logit, label)
    if normalizer is not None and len(normalizer.shape) > 1:
        given = f"a tensor of shape {list(normalizer.shape)}"
        raise check.ShapeError(check.message(f"{what}(normalizer)", given, "one number"))
    label = label.astype(logit.dtype)
    share = sigmoid(logit)
    right = share * label + (1 - share) * (1 - label)
    loss = binary_cross_entropy_with_logits(logit, label, reduction="none")
    loss = (label * alpha + (1 - label) * (1 - alpha)) * loss * (1 - right) ** float(gamma)
    return reduced(what, loss if normalizer is None else loss / normalizer, reduction)
