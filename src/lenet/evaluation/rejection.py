"""What a model gains by not answering: accuracy among the images of which it is surest (risk and coverage).

El-Yaniv and Wiener 2010; the confidence is the likeliest class's probability.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.evaluation.inputs import labelled
from lenet.messages.check import message

__all__ = ["Rejection", "rejection"]


class Rejection(NamedTuple):
    """For 0, 1, … N - 1 images rejected, the least sure first; float64 [N] each.

    rejected: their share. accuracy: that of the rest. threshold: the least confidence in the rest.
    """

    rejected: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    threshold: NDArray[np.float64]

    def at(self, rejected: float) -> int:
        """The place in the arrays where round(rejected * N) images are rejected; ValueError for a share of 1 or more."""
        if not 0 <= rejected < 1:
            raise ValueError(message("rejected", rejected, "a share from 0 to below 1, such as 0.02"))
        return min(round(rejected * len(self.rejected)), len(self.rejected) - 1)


def rejection(probabilities: NDArray[Any], labels: NDArray[np.int64]) -> Rejection:
    """The whole curve. Of images of one confidence the later are rejected first."""
    scores, classes = labelled(probabilities, labels)
    return from_confidence(scores.max(axis=1), scores.argmax(axis=1) == classes)


def from_confidence(confidence: NDArray[Any], right: NDArray[np.bool_]) -> Rejection:
    """The same from confidences float [N] and whether each answer is right, bool [N]."""
    n = len(confidence)
    surest_first = np.argsort(-confidence, kind="stable")
    kept = np.arange(1, n + 1)
    accuracy = np.cumsum(right[surest_first]) / kept
    threshold = confidence[surest_first].astype(np.float64)
    return Rejection((n - kept)[::-1] / n, accuracy[::-1], threshold[::-1])
