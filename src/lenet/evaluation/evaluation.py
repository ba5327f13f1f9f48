"""``evaluate``: all that there is to say of one model's probabilities on labelled images, in one object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.evaluation import calibration
from lenet.evaluation.calibration import Reliability, binned, mean_loss
from lenet.evaluation.inputs import labelled
from lenet.evaluation.intervals import wilson
from lenet.evaluation.rejection import Rejection, from_confidence
from lenet.html import notebook
from lenet.messages.check import message

__all__ = ["Evaluation", "evaluate"]

_REJECTED = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5)  # of the curve, what JSON holds


@dataclass(frozen=True, repr=False)
class Evaluation:
    """How a model did on N images of K classes. Shares are 0 to 1; arrays over classes are [K].

    interval: the accuracy's 95 % interval (Wilson 1927). loss: the mean cross-entropy in nats, without smoothing. top2:
    the share whose label is among the two likeliest classes. confusion: int64 [K, K], rows the truth, columns the
    answers. precision: of the images answered so, the share that are; 0 for a class never answered. recall: of a class's
    images, the share answered so. f1: their harmonic mean. support: a class's images; without any, recall and f1 are NaN.
    macro_f1: the mean f1 of the classes that have images. ece: the expected calibration error in 15 bins of equally many
    images. reliability: those bins. rejection: accuracy after rejecting the least sure.
    """

    classes: list[str]
    images: int
    correct: int
    accuracy: float
    interval: tuple[float, float]
    loss: float
    top2: float
    confusion: NDArray[np.int64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    support: NDArray[np.int64]
    macro_f1: float
    ece: float
    reliability: Reliability
    rejection: Rejection

    def __repr__(self) -> str:
        low, high = (100 * share for share in self.interval)
        return (
            f"Evaluation({self.correct:,} of {self.images:,} images right: {100 * self.accuracy:.2f} %, 95 % interval "
            f"{low:.2f} to {high:.2f} %; loss {self.loss:.4f}, calibration error {100 * self.ece:.2f} %)"
        )

    def _repr_html_(self) -> str:
        head = ("class", "precision", "recall", "F1", "images")
        numbers = zip(self.classes, self.precision, self.recall, self.f1, self.support, strict=True)
        rows = ((name, *(f"{100 * share:.2f} %" for share in shares), f"{n:,}") for name, *shares, n in numbers)
        return notebook.line(repr(self)) + notebook.table(head, rows)

    def accuracy_at(self, rejected: float) -> float:
        """The accuracy of the rest after rejecting that share of the images (0 to below 1), the least sure first."""
        return float(self.rejection.accuracy[self.rejection.at(rejected)])

    def confusions(self) -> list[tuple[int, int, int]]:
        """(truth, answer, how many) of every kind of mistake, the most frequent first."""
        wrong = self.confusion.copy()
        np.fill_diagonal(wrong, 0)
        truth, answer = np.nonzero(wrong)
        order = np.argsort(-wrong[truth, answer], kind="stable")
        return [(int(t), int(a), int(wrong[t, a])) for t, a in zip(truth[order], answer[order], strict=True)]

    def as_json(self) -> dict[str, Any]:
        """Every number by name, in plain JSON: null for a NaN; of the rejection curve ten points."""
        places = [self.rejection.at(share) for share in _REJECTED]
        per_class = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        return {
            "images": self.images,
            "correct": self.correct,
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "loss": self.loss,
            "top2": self.top2,
            "macro_f1": self.macro_f1,
            "ece": self.ece,
            "classes": self.classes,
            "support": self.support.tolist(),
            **{key: [None if np.isnan(v) else v for v in values.tolist()] for key, values in per_class.items()},
            "confusion": self.confusion.tolist(),
            "reliability": {key: values.tolist() for key, values in vars(self.reliability).items()},
            "rejection": {key: values[places].tolist() for key, values in self.rejection._asdict().items()},
        }


def evaluate(probabilities: NDArray[Any], labels: NDArray[np.int64], classes: Sequence[str]) -> Evaluation:
    """probabilities: float [N, K], rows adding up to 1; labels: int64 [N], 0 to K - 1; classes: the K names.

    A class may have no images. ValueError for no images at all, for NaN or other rows that are no probabilities, for
    labels out of range, and for shapes that do not fit together.
    """
    scores, truth = labelled(probabilities, labels)
    n, k = scores.shape
    if len(classes) != k:
        raise ValueError(message("classes", f"{len(classes)} names", f"one for each of {k} columns of probabilities"))
    answer = scores.argmax(axis=1)
    right = answer == truth
    correct = int(right.sum())
    confusion = np.bincount(truth * k + answer, minlength=k * k).reshape(k, k)
    hits, support, answered = np.diagonal(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    seen = support > 0
    precision = np.divide(hits, answered, out=np.zeros(k), where=answered > 0)
    recall = np.divide(hits, support, out=np.full(k, np.nan), where=seen)
    f1 = np.divide(2 * hits, support + answered, out=np.full(k, np.nan), where=seen)
    confidence = scores.max(axis=1)
    bins = binned(confidence, right, calibration.BINS)
    return Evaluation(
        classes=list(classes),
        images=n,
        correct=correct,
        accuracy=correct / n,
        interval=wilson(correct, n),
        loss=mean_loss(scores, truth),
        top2=float(_among_two(scores, truth).mean()),
        confusion=confusion,
        precision=precision,
        recall=recall,
        f1=f1,
        support=support,
        macro_f1=float(f1[seen].mean()),
        ece=calibration.calibration_error(bins),
        reliability=bins,
        rejection=from_confidence(confidence, right),
    )


def _among_two(scores: NDArray[Any], truth: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether at most one class ranks before the label's; of equals the first ranks first."""
    own = scores[np.arange(len(truth)), truth][:, None]
    before = (scores > own) | ((scores == own) & (np.arange(scores.shape[1]) < truth[:, None]))
    return np.asarray(before.sum(axis=1) < 2)
