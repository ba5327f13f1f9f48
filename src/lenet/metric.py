"""Metrics: what is counted over the batches of an epoch (Paddle: ``paddle.metric``).

A metric is fed batch by batch, ``metric.update(metric.compute(pred, label))``, and read with ``accumulate()``. It
computes with numpy on Tensors or arrays, records nothing for ``backward``, and knows no model. N samples, C classes.

Ranking, everywhere here: the highest score first, equal scores in the order of their classes, NaN before all numbers.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lenet.autograd.tensor import Tensor, dense
from lenet.messages.check import choice, describe, message, positive_int

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Accuracy", "Auc", "Metric", "Precision", "Recall", "accuracy"]


class Metric(abc.ABC):
    """A metric of one's own derives from this and defines reset, update, accumulate, name and, if need be, compute."""

    def __repr__(self) -> str:
        try:
            values = self.accumulate()
        except Exception:  # one's own may need a batch first
            values = "nothing yet"
        return f"{type(self).__name__}({self.name()}: {values})"

    @abc.abstractmethod
    def reset(self) -> None:
        """Forget everything: a new epoch begins."""

    @abc.abstractmethod
    def update(self, *args: Any) -> Any:
        """Take what ``compute`` returned for a batch, as ndarrays or Tensors."""

    @abc.abstractmethod
    def accumulate(self) -> Any:
        """The metric over all batches since ``reset``: a number, or a list of them."""

    @abc.abstractmethod
    def name(self) -> Any:
        """Its name, or one name for each number."""

    def compute(self, *args: Any) -> Any:
        """From (pred, label) of a batch to what ``update`` takes; unless redefined, what it was given."""
        return args


class Accuracy(Metric):
    """The share of samples whose label is among the ``topk`` highest-ranked classes, one number for each k.

    name: replaces "acc" in ``name()``, which is a list: ["acc"], or ["acc_top1", "acc_top5"] where a k is above 1.
    """

    def __init__(self, topk: Sequence[int] = (1,), name: str | None = None) -> None:
        if not isinstance(topk, (list, tuple)):
            fix = f"Type topk=({topk},)" if isinstance(topk, int) else ""
            raise TypeError(message("Accuracy(topk)", describe(topk), "a tuple such as (1, 5)", fix))
        if not topk:
            raise ValueError(message("Accuracy(topk)", "no k", "a tuple such as (1, 5)"))
        self.topk = [positive_int("Accuracy(topk)", k) for k in topk]
        self.maxk = max(self.topk)
        base = name or "acc"
        self._name = [base] if self.maxk == 1 else [f"{base}_top{k}" for k in self.topk]
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.total = [0.0] * len(self.topk)  # samples found, for each k
        self.count = [0] * len(self.topk)  # samples seen, for each k

    def compute(self, pred: Any, label: Any, *args: Any) -> Tensor:
        """pred: scores [N, C]; label: classes [N] or [N, 1], or one-hot [N, C] -> float32 [N, min(max(topk), C)].

        Column j is 1 where the label's class ranks j-th. pred may also be a map, [N, C, ...] with label [N, ...] a class for
        each place: each place then counts. ValueError if there are not as many labels as rows of scores.
        """
        scores = _array(pred)
        if scores.ndim < 2:
            raise ValueError(message("Accuracy.compute(pred)", f"shape {list(scores.shape)}", "scores [N, C]"))
        if _is_map(_array(label), scores):
            scores = np.moveaxis(scores, 1, -1)
        classes = _classes(_array(label), scores)
        if self.maxk == 1:
            return dense(_within(scores, classes, 1)[..., None].astype(np.float32))
        places = np.arange(min(self.maxk, scores.shape[-1]))
        return dense((_rank(scores, classes)[..., None] == places).astype(np.float32))

    def update(self, correct: Any, *args: Any) -> float | list[float]:
        """Add a batch, float [N, K] as ``compute`` returns it. Returns this batch's accuracy, a list for several k."""
        found = _array(correct)
        if found.ndim == 0:
            raise ValueError(message("Accuracy.update(correct)", "a single number", "what compute() returned, [N, K]"))
        samples = found.size // found.shape[-1] if found.size else 0
        return self._add([float(found[..., :k].sum(dtype=np.float64)) for k in self.topk], samples)

    def _update_logits(self, logits: NDArray[Any], labels: NDArray[Any]) -> float | list[float]:
        """``update(compute(…))`` for each of S batches at once: logits [S, N, C] or [N, C], labels [S, N] or [N].

        Labels may have a last axis of 1. Returns what the last batch's ``update`` would.
        """
        steps = logits[None] if logits.ndim == 2 else logits
        classes = labels.reshape(steps.shape[:-1])
        found = [_within(steps, classes, k).sum(axis=1).tolist() for k in self.topk]  # for each k, a number a batch
        batch: float | list[float] = 0.0
        for counts in zip(*found, strict=True):
            batch = self._add([float(n) for n in counts], steps.shape[1])
        return batch

    def _add(self, found: list[float], samples: int) -> float | list[float]:
        for i, n in enumerate(found):
            self.total[i] += n
            self.count[i] += samples
        return _shares(found, [samples] * len(found))

    def accumulate(self) -> float | list[float]:
        """The accuracy since ``reset``, 0.0 if nothing was seen; a list for several k."""
        return _shares(self.total, self.count)

    def name(self) -> list[str]:
        """A list of one name for each k."""
        return self._name


class _Binary(Metric):
    """Counts of right and wrong among two classes: preds are probabilities of class 1, [N] or [N, 1], labels 0 or 1."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.reset()

    @staticmethod
    def _pair(what: str, preds: Any, labels: Any) -> tuple[NDArray[Any], NDArray[Any]]:
        for part, value in (("preds", preds), ("labels", labels)):
            if not isinstance(value, (Tensor, np.ndarray, np.generic)):
                # Paddle's type for a wrong kind here, too
                raise ValueError(message(f"{what}.update({part})", describe(value), "an ndarray or a Tensor"))
        p, t = _array(preds), _array(labels)
        if p.size != t.size:
            given = f"{list(p.shape)} and {list(t.shape)}"
            raise ValueError(message(f"{what}.update(preds, labels)", given, "one probability for each label"))
        return p.reshape(-1), t.reshape(-1)

    def name(self) -> str:
        """Its name."""
        return self._name


class Precision(_Binary):
    """Of the samples called positive (probability of at least ½), the share that is: tp / (tp + fp)."""

    def __init__(self, name: str = "precision") -> None:
        super().__init__(name)

    def reset(self) -> None:
        """Forget everything."""
        self.tp = self.fp = 0

    def update(self, preds: Any, labels: Any) -> None:
        """preds: probabilities of class 1, [N] or [N, 1]; labels: 0 or 1, as many."""
        p, t = self._pair("Precision", preds, labels)
        called = np.floor(p + 0.5) == 1
        right = int((called & (t == 1)).sum())
        self.tp += right
        self.fp += int(called.sum()) - right

    def accumulate(self) -> float:
        """The precision since ``reset``, 0.0 if nothing was called positive."""
        return _share(self.tp, self.tp + self.fp)


class Recall(_Binary):
    """Of the positive samples, the share called so (probability above ½): tp / (tp + fn)."""

    def __init__(self, name: str = "recall") -> None:
        super().__init__(name)

    def reset(self) -> None:
        """Forget everything."""
        self.tp = self.fn = 0

    def update(self, preds: Any, labels: Any) -> None:
        """preds: probabilities of class 1, [N] or [N, 1]; labels: 0 or 1, as many."""
        p, t = self._pair("Recall", preds, labels)
        positive = t == 1
        right = int((positive & (np.rint(p) == 1)).sum())
        self.tp += right
        self.fn += int(positive.sum()) - right

    def accumulate(self) -> float:
        """The recall since ``reset``, 0.0 if there was no positive sample."""
        return _share(self.tp, self.tp + self.fn)


class Auc(Metric):
    """The area under the ROC curve, from histograms of ``num_thresholds + 1`` bins of the probability of class 1.

    curve: "ROC" or "PR"; as in Paddle, the area is that of the ROC curve with either.
    """

    def __init__(self, curve: str = "ROC", num_thresholds: int = 4095, name: str = "auc") -> None:
        self._curve = choice("Auc(curve)", curve, ("ROC", "PR"))
        self._bins = positive_int("Auc(num_thresholds)", num_thresholds)
        self._name = name
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._positive = np.zeros(self._bins + 1, np.int64)
        self._negative = np.zeros(self._bins + 1, np.int64)

    def update(self, preds: Any, labels: Any) -> None:
        """preds: probabilities [N, 2], of which column 1 counts; labels: 0 or 1, [N] or [N, 1]."""
        for part, value in (("preds", preds), ("labels", labels)):
            if not isinstance(value, (Tensor, np.ndarray)):
                raise ValueError(message(f"Auc.update({part})", describe(value), "an ndarray or a Tensor"))
        p, t = _array(preds), _array(labels).reshape(-1)
        if p.ndim != 2 or p.shape != (t.size, 2):
            given = f"{list(p.shape)} for {t.size} labels"
            raise ValueError(message("Auc.update(preds)", given, f"probabilities [{t.size}, 2]"))
        score = p[:, 1]
        if not ((score >= 0) & (score <= 1)).all():
            fix = "Apply softmax to the logits first"
            raise ValueError(message("Auc.update(preds)", "values outside [0, 1]", "probabilities", fix))
        bins = (score * self._bins).astype(np.int64)
        self._positive += np.bincount(bins[t != 0], minlength=self._bins + 1)
        self._negative += np.bincount(bins[t == 0], minlength=self._bins + 1)

    def accumulate(self) -> float:
        """The area since ``reset``, 0.0 unless both classes were seen."""
        above = np.cumsum(self._positive[::-1])  # positives at or above each threshold, from the highest down
        positives, negatives = int(above[-1]), int(self._negative.sum())
        if not positives or not negatives:
            return 0.0
        # Twice the area of all trapezoids, in whole numbers: exact.
        doubled = int((self._negative[::-1] * (2 * above - self._positive[::-1])).sum())
        return doubled / 2.0 / positives / negatives

    def name(self) -> str:
        """Its name."""
        return self._name


def accuracy(
    input: Any,
    label: Any,
    k: int = 1,
    correct: Tensor | None = None,
    total: Tensor | None = None,
    name: str | None = None,
) -> Tensor:
    """The share of samples whose label is among the ``k`` highest-ranked classes, a float32 Tensor of no axis (0-D).

    input: scores [N, C]; label: integer classes [N, 1] or [N]. correct and total, if given, are int32 or int64 Tensors
    of one element that receive the numbers of samples found and seen. name is accepted. ValueError for float labels,
    one-hot labels, and k above C.
    """
    scores, classes = _array(input), _array(label)
    if scores.ndim != 2 or not len(scores):
        raise ValueError(message("accuracy(input)", f"shape {list(scores.shape)}", "scores [N, C], N at least 1"))
    n, c = scores.shape
    if classes.dtype.kind not in "iu":
        fix = "Convert them: label.astype('int64')"
        raise ValueError(message("accuracy(label)", f"dtype {classes.dtype}", "int64 or int32 classes", fix))
    if classes.shape not in ((n, 1), (n,)):
        fix = "Turn one-hot labels into classes: label.argmax(axis=-1)" if classes.shape == (n, c) else ""
        raise ValueError(message("accuracy(label)", f"shape {list(classes.shape)}", f"[{n}, 1] or [{n}]", fix))
    if positive_int("accuracy(k)", k) > c:
        raise ValueError(message("accuracy(k)", k, f"at most the number of classes, {c}"))
    found = int(_within(scores, classes.reshape(-1), k).sum())
    for out, value in ((correct, found), (total, n)):
        if out is not None:
            out.set_value(np.full(out.shape, value, out.dtype.numpy))
    return dense(np.array(found / n, np.float32))


def _array(value: Any) -> NDArray[Any]:
    return value.data_array() if isinstance(value, Tensor) else np.asarray(value)


def _classes(label: NDArray[Any], scores: NDArray[Any]) -> NDArray[Any]:
    """The labels as whole numbers, one for each row of scores [..., C]; a one-hot row becomes its maximum's place."""
    rows = scores.shape[:-1]
    if label.shape in (rows, (*rows, 1), (rows[0], 1, *rows[1:])):
        return label.reshape(rows).astype(np.int64)
    if label.shape[:-1] == rows and label.shape[-1] != 1:
        return np.asarray(label.argmax(axis=-1))
    expected = f"{[*rows, 1]}, {list(rows)} or one-hot {list(scores.shape)}"
    raise ValueError(message("Accuracy.compute(label)", f"shape {list(label.shape)}", expected))


def _is_map(label: NDArray[Any], scores: NDArray[Any]) -> bool:
    """Whether the classes are axis 1, with a label for each place behind it, [N, ...]; by default they are the last axis."""
    rows, cells = scores.shape[:-1], (scores.shape[0], *scores.shape[2:])
    return (
        scores.ndim > 2 and label.shape in (cells, (cells[0], 1, *cells[1:])) and label.shape not in (rows, (*rows, 1))
    )


def _within(scores: NDArray[Any], classes: NDArray[Any], k: int) -> NDArray[Any]:
    """Whether the label's class ranks among the first k, for each row of scores [..., C]."""
    if k == 1:  # ten times faster than ranking; argmax, too, takes the first of equals and NaN before numbers
        return np.asarray(scores.argmax(axis=-1) == classes)
    return np.asarray(_rank(scores, classes) < k)


def _rank(scores: NDArray[Any], classes: NDArray[Any]) -> NDArray[Any]:
    """How many classes rank before the label's, for each row of scores [..., C]; C for a label that is no class."""
    count = scores.shape[-1]
    known = (classes >= 0) & (classes < count)
    at = np.where(known, classes, 0)[..., None]
    own = np.take_along_axis(scores, at, axis=-1)
    before = (scores > own) | ((scores == own) & (np.arange(count) < at))
    lost, own_lost = np.isnan(scores), np.isnan(own)
    if lost.any():
        before = np.where(own_lost, lost & (np.arange(count) < at), before | lost)
    rank: NDArray[Any] = np.where(known, before.sum(axis=-1), count)
    return rank


def _share(part: float, whole: int) -> float:
    return float(part) / whole if whole else 0.0


def _shares(parts: list[float], wholes: list[int]) -> float | list[float]:
    shares = [_share(part, whole) for part, whole in zip(parts, wholes, strict=True)]
    return shares[0] if len(shares) == 1 else shares
