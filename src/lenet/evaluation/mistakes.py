"""Which images to look at: the answers that are most wrong, and the labels that are likely wrong themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.evaluation.inputs import labelled

__all__ = ["mistakes", "suspects"]


def mistakes(probabilities: NDArray[Any], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The images that the model gets wrong, int64: those first whose label it thought least likely."""
    scores, classes = labelled(probabilities, labels)
    wrong = np.flatnonzero(scores.argmax(axis=1) != classes)
    return wrong[np.argsort(scores[wrong, classes[wrong]], kind="stable")]


def suspects(probabilities: NDArray[Any], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The images whose label is likely wrong, int64, the likeliest first: confident learning.

    An image counts for a class if its probability reaches the mean that the images labelled so have; counting for
    another class than its label's (the likeliest, if for several) makes it a suspect. Order: how much the label's
    probability falls short of the likeliest other's. Northcutt, Jiang and Chuang, Confident Learning, 2021. The model
    should not have been trained on these images.
    """
    scores, classes = labelled(probabilities, labels)
    n, k = scores.shape
    rows = np.arange(n)
    own = scores[rows, classes]
    support = np.bincount(classes, minlength=k)
    sums = np.bincount(classes, own, k)
    threshold = np.divide(sums, support, out=np.full(k, np.inf), where=support > 0)
    reached = np.where(scores >= threshold, scores, -1.0)
    best = reached.argmax(axis=1)
    found = np.flatnonzero((reached[rows, best] >= 0) & (best != classes))
    others = scores[found].copy()
    others[np.arange(len(found)), classes[found]] = -1.0
    return found[np.argsort(own[found] - others.max(axis=1), kind="stable")]
