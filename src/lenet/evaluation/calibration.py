"""Whether "95 % sure" is right 95 times in 100: the reliability of confidences, and a temperature that mends them.

Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks, 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.evaluation.inputs import finite_rows, labelled
from lenet.messages.check import message, positive_int

__all__ = [
    "BINS",
    "TEMPERATURES",
    "Reliability",
    "binned",
    "calibration_error",
    "checked_temperature",
    "expected_calibration_error",
    "fit_temperature",
    "mean_loss",
    "reliability",
    "softmax",
]

BINS = 15
TEMPERATURES = 0.05, 20.0  # the range in which one is sought, and believed
_PRIOR = 0.5  # images of no class in particular that count beside those a temperature is fitted to


@dataclass(frozen=True)
class Reliability:
    """Images in bins from the least to the most sure: mean confidence, share of right answers, number of images."""

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    count: NDArray[np.int64]


def softmax(logits: NDArray[Any], temperature: float = 1.0) -> NDArray[Any]:
    """softmax(logits / temperature) along the last axis, in the logits' own dtype."""
    shares: NDArray[Any] = logits - logits.max(axis=-1, keepdims=True)
    shares /= temperature
    np.exp(shares, out=shares)
    shares /= shares.sum(axis=-1, keepdims=True)
    return shares


def reliability(probabilities: NDArray[Any], labels: NDArray[np.int64], bins: int = BINS) -> Reliability:
    """Confidence against accuracy in ``bins`` bins of equally many images.

    Images of one confidence share a bin, so that the order of images changes nothing; some bins are then larger and
    others missing. These are the bins of scikit-learn's ``calibration_curve(strategy="quantile")``.
    """
    scores, classes = labelled(probabilities, labels)
    return binned(scores.max(axis=1), scores.argmax(axis=1) == classes, bins)


def binned(confidence: NDArray[Any], right: NDArray[np.bool_], bins: int) -> Reliability:
    """The same from confidences float [N] and whether each answer is right, bool [N]."""
    n, positive = len(confidence), positive_int("bins", bins)
    edges = np.sort(confidence)[(n - 1) * np.arange(1, positive) // positive]
    place = np.searchsorted(edges, confidence)
    count = np.bincount(place, minlength=positive)
    used = count > 0
    means = [np.bincount(place, values, positive)[used] / count[used] for values in (confidence, right)]
    return Reliability(means[0], means[1], count[used])


def calibration_error(found: Reliability) -> float:
    """The mean distance between confidence and accuracy, each bin weighed by its images; 0 to 1."""
    return float(np.abs(found.accuracy - found.confidence) @ found.count / found.count.sum())


def expected_calibration_error(probabilities: NDArray[Any], labels: NDArray[np.int64], bins: int = BINS) -> float:
    """How far confidences are from the shares of right answers, on average: 0 to 1, best 0.

    In bins of equally many images (``reliability``). Naeini, Cooper and Hauskrecht 2015, there with bins of equal width.
    """
    return calibration_error(reliability(probabilities, labels, bins))


def mean_loss(probabilities: NDArray[Any], labels: NDArray[np.int64]) -> float:
    """The mean cross-entropy of labels int64 [N], in nats; a probability of 0 counts as the smallest float32."""
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(own, np.finfo(np.float32).tiny)).mean())


def fit_temperature(logits: NDArray[Any], labels: NDArray[np.int64]) -> float:
    """The T, 0.05 to 20, for which softmax(logits / T) has the least mean cross-entropy on these images.

    logits: float [N, K], of images that the model was not trained on. One number cannot change an answer, only how sure
    it is: above 1 the model was too sure, below 1 not sure enough. Guo et al. 2017. Beside the N labels counts half an
    image whose label might be any: without it, few images and no mistake would ask for infinite sureness. Platt 1999
    softens his targets to that end.
    """
    scores, classes = finite_rows("logits", logits, labels)
    z = scores - scores.max(axis=1, keepdims=True).astype(np.float64)
    soft = _PRIOR / len(classes)
    wanted = (1 - soft) * float(z[np.arange(len(classes)), classes].mean()) + soft * float(z.mean())

    def slope(inverse: float) -> tuple[float, float]:
        """The loss's first two derivatives by 1/T, in which it is convex."""
        shares = softmax(z * inverse)
        mean = (shares * z).sum(axis=1)
        return float(mean.mean()) - wanted, float(((shares * z * z).sum(axis=1) - mean * mean).mean())

    low, high = 1 / TEMPERATURES[1], 1 / TEMPERATURES[0]
    if slope(low)[0] >= 0:
        return TEMPERATURES[1]
    if slope(high)[0] <= 0:
        return TEMPERATURES[0]
    inverse = 1.0
    for _ in range(100):  # Newton's method, kept between the ends by halving
        first, second = slope(inverse)
        low, high = (inverse, high) if first < 0 else (low, inverse)
        step = first / second if second > 0 else np.inf
        following = inverse - step if low < inverse - step < high else (low + high) / 2
        if abs(following - inverse) <= 1e-9 * inverse:
            break
        inverse = following
    return 1 / inverse


def checked_temperature(value: Any) -> float:
    """A temperature out of a file; ValueError if it is no number from 0.05 to 20."""
    low, high = TEMPERATURES
    if type(value) not in (int, float) or not low <= value <= high:
        raise ValueError(message("temperature", repr(value)[:80], f"a number from {low} to {high:g}"))
    return float(value)
