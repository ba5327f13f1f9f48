"""Two models on the same images: how they differ, and whether chance alone explains it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.evaluation.inputs import labelled
from lenet.evaluation.intervals import mcnemar, paired_interval
from lenet.messages.check import message

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True)
class Comparison:
    """Model b beside model a. Shares are 0 to 1.

    difference: accuracy of b less that of a. interval: its 95 % interval, that of Tango 1998 for paired shares. only_a,
    only_b: how many images one alone gets right. p: McNemar's test, exact and two-sided. disagree: the images to which
    they give different answers, int64 in rising order.
    """

    images: int
    accuracy: tuple[float, float]
    difference: float
    interval: tuple[float, float]
    only_a: int
    only_b: int
    p: float
    disagree: NDArray[np.int64]

    def as_json(self) -> dict[str, Any]:
        """The numbers by name, in plain JSON."""
        return {
            "images": self.images,
            "accuracy": list(self.accuracy),
            "difference": self.difference,
            "interval": list(self.interval),
            "only_a": self.only_a,
            "only_b": self.only_b,
            "mcnemar_p": self.p,
            "disagree": self.disagree.tolist(),
        }


def compare(a: NDArray[Any], b: NDArray[Any], labels: NDArray[np.int64]) -> Comparison:
    """a, b: the two models' probabilities float [N, K] for the same images in the same order; labels: int64 [N].

    ValueError if they are of different images or classes, which their shapes show.
    """
    if np.shape(a) != np.shape(b):
        given = f"probabilities {list(np.shape(a))} and {list(np.shape(b))}"
        fix = "Run both models on the same images; both must know the same classes"
        raise ValueError(message("compare", given, "two of one shape [N, K]", fix))
    (first, classes), (second, _) = labelled(a, labels), labelled(b, labels)
    answers = first.argmax(axis=1), second.argmax(axis=1)
    right = [answer == classes for answer in answers]
    only_a, only_b = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    n = len(classes)
    return Comparison(
        images=n,
        accuracy=(int(right[0].sum()) / n, int(right[1].sum()) / n),
        difference=(only_b - only_a) / n,
        interval=paired_interval(only_a, only_b, n),
        only_a=only_a,
        only_b=only_b,
        p=mcnemar(only_a, only_b),
        disagree=np.flatnonzero(answers[0] != answers[1]),
    )
