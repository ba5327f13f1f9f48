"""Cross-validation: each image is answered once by a model that was not trained on it.

How good a recipe is on a set too small to set test images aside, and how much of that is luck. Read by users, as
``lenet.train.folds``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.evaluation import wilson
from lenet.messages.check import message, positive_int
from lenet.messages.progress import Progress
from lenet.messages.progress import say as say_to_stderr
from lenet.train.on_arrays import as_pair, train_on
from lenet.train.recipes import Recipe

__all__ = ["Folds", "folds"]


class Folds(NamedTuple):
    """What came of it. accuracies: float64 [seeds, k], of each fold's own images.

    probabilities: float32 [N, K] of each image by the models that didn't see it, the mean over the seeds; labels: int64 [N],
    the truth; classes: the K names.
    """

    accuracies: NDArray[np.float64]
    probabilities: NDArray[np.float32]
    labels: NDArray[np.int64]
    classes: list[str]

    @property
    def mean(self) -> float:
        """The mean accuracy, 0 to 1."""
        return float(self.accuracies.mean())

    @property
    def sd(self) -> float:
        """How far the folds lie apart: the standard deviation of all accuracies."""
        return float(self.accuracies.std(ddof=1))

    @property
    def sd_of_seeds(self) -> float:
        """How far the seeds lie apart, each over all its folds; 0 for one."""
        return float(self.accuracies.mean(axis=1).std(ddof=1)) if len(self.accuracies) > 1 else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval (Wilson 1927) of the share of images that the seeds together answer rightly."""
        right = int((self.probabilities.argmax(axis=1) == self.labels).sum())
        return wilson(right, len(self.labels))

    def as_json(self) -> dict[str, Any]:
        """The numbers by name, the probabilities aside."""
        return {
            "accuracies": self.accuracies.tolist(),
            "mean": self.mean,
            "sd": self.sd,
            "sd_of_seeds": self.sd_of_seeds,
            "interval": list(self.interval),
        }

    def __repr__(self) -> str:
        seeds, k = self.accuracies.shape
        low, high = (100 * share for share in self.interval)
        over = f", {seeds} seeds (sd {100 * self.sd_of_seeds:.2f})" if seeds > 1 else ""
        return (
            f"{k} folds{over}: accuracy {100 * self.mean:.2f} %, folds' sd {100 * self.sd:.2f}; "
            f"95 % interval {low:.2f} to {high:.2f} % of {len(self.labels):,} images"
        )


def folds(
    x: Any,
    y: Any,
    k: int = 5,
    seeds: int = 1,
    recipe: str | Recipe | None = None,
    *,
    classes: Sequence[str] | None = None,
    data_format: str | None = None,
    say: Callable[[str], None] = say_to_stderr,
    **options: Any,
) -> Folds:
    """Train ``k`` models, each on all but one part of the images, and let it answer that part; the same for each seed.

    x, y, recipe, classes, data_format, and options such as network, epochs, batch_size, held_out: as ``lenet.train`` takes
    them. The parts hold as many of each class as can be, the same for every seed. ValueError for k below 2, and for a class
    of fewer than k images.
    """
    positive_int("folds(k)", k, least=2)
    positive_int("folds(seeds)", seeds)
    (whole, _), form = as_pair(x, y, None, classes, data_format)
    labels, names = whole._targets, list(whole.classes)
    fewest = int(np.bincount(labels, minlength=len(names)).min())
    if fewest < k:
        name = names[int(np.bincount(labels, minlength=len(names)).argmin())]
        raise ValueError(message("folds(k)", f"{k}, and {fewest} images of class {name}", f"at most {fewest} folds"))
    part = _parts(labels, k)
    images = form.bytes_of("x", x)
    accuracies = np.zeros((seeds, k))
    total = np.zeros((len(labels), len(names)), np.float32)
    with Progress("folds", seeds * k, unit="models") as bar:
        for seed in range(seeds):
            for fold in range(k):
                there, here = part != fold, part == fold
                chosen = images[there], [names[n] for n in labels[there]]
                trained = train_on(*chosen, recipe, classes=names, seed=seed, say=lambda _: None, **options)
                answers = trained.predict_proba(images[here])
                total[here] += answers
                accuracies[seed, fold] = (answers.argmax(axis=1) == labels[here]).mean()
                bar.update(seed * k + fold + 1)
    found = Folds(accuracies, (total / seeds).astype(np.float32), labels, names)
    say(repr(found))
    return found


def _parts(labels: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """The part of each image, 0 to k - 1: of each class the same number, shuffled."""
    order = np.random.RandomState(0).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    part = np.empty(len(labels), np.int64)
    part[order] = np.arange(len(labels)) % k
    return part
