"""Epochs of a classifier's training on float32 arrays: by a plan, a few steps a call, or step by step where none fits.

It knows a network, images and class numbers, and nothing of scikit-learn. Read by ``classifier``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from lenet import _core
from lenet.autograd import tape
from lenet.autograd.tensor import dense
from lenet.jit import plan
from lenet.jit.plan import TrainingTrouble
from lenet.messages.check import message
from lenet.nn import CrossEntropyLoss, Layer
from lenet.nn import functional as F
from lenet.optimizer import Adam

__all__ = ["Answers", "Training", "threads"]

Floats = NDArray[np.float32]

_AT_ONCE = 16  # steps a call into the engine: Ctrl-C waits for that long
_IMAGES = 512  # answered at once where no plan runs


class Answers:
    """What a network answers: by a plan where one runs it. Made once the weights are trained; it follows their changes."""

    def __init__(self, network: Layer, shape: tuple[int, ...]) -> None:
        self.network = network.eval()
        chain = plan.compile(network, None, None, [dense(np.zeros((1, *shape), np.float32))])
        self._chain = chain if isinstance(chain, plan.Chain) else None

    def __call__(self, images: Floats) -> Floats:
        """Logits [N, K] of images [N, C, H, W]."""
        if self._chain is not None:
            found: Floats = self._chain.infer(images)
            return found
        with tape.no_grad():
            parts = [self.network(dense(images[k : k + _IMAGES])).numpy() for k in range(0, len(images), _IMAGES)]
        return np.concatenate(parts)


class Training:
    """A network and its optimizer, ready for epochs on some images.

    images: float32 [N, C, H, W]; labels: int64 [N]; weights: float32 [N], or None where all count alike.
    """

    def __init__(
        self, network: Layer, optimizer: Adam, images: Floats, labels: NDArray[np.int64], weights: Floats | None
    ) -> None:
        self.network, self.optimizer = network.train(), optimizer
        self.images, self.labels, self.weights = images, labels, weights
        found = plan.compile(network, CrossEntropyLoss(), optimizer, [dense(images[:16])])
        self._plan = found if isinstance(found, plan.Compiled) else None

    def epoch(self, order: NDArray[np.int64], size: int, rates: list[float]) -> float:
        """One pass in this order, in batches of ``size`` at one learning rate each; returns the mean of their losses.

        FloatingPointError if a loss or gradient is NaN or infinite; the weights are as before that step.
        """
        starts, total = range(0, len(order), size), 0.0
        for first in range(0, len(starts), _AT_ONCE):
            some = starts[first : first + _AT_ONCE]
            chosen = order[some[0] : some[-1] + size]
            counts = [min(size, len(order) - start) for start in some]
            total += self._steps(chosen, counts, rates[first : first + len(some)])
        return total / len(starts)

    def _steps(self, chosen: NDArray[np.int64], counts: list[int], rates: list[float]) -> float:
        if self._plan is None:
            starts = np.cumsum([0, *counts])
            return sum(self._step(chosen[starts[k] : starts[k + 1]], rate) for k, rate in enumerate(rates))
        try:
            losses, _ = self._plan.train(
                self.images, None, self.labels, chosen, counts, rates, cell_weights=self.weights, outputs=False
            )
        except TrainingTrouble as error:
            raise _trouble(error.what, rates[error.steps_done]) from None
        return float(losses.sum(dtype=np.float64))

    def _step(self, chosen: NDArray[np.int64], rate: float) -> float:
        out = self.network(dense(self.images[chosen]))
        each = F.cross_entropy(out, dense(self.labels[chosen]), reduction="none")
        weights = np.ones(len(chosen), np.float32) if self.weights is None else self.weights[chosen]
        total = float(weights.sum(dtype=np.float64))
        loss = (each.reshape([-1]) * dense(weights / np.float32(total or 1))).sum()
        if not np.isfinite(float(loss)):
            raise _trouble("loss", rate)
        loss.backward()
        self.optimizer.set_lr(rate)
        self.optimizer.step()
        self.optimizer.clear_grad()
        return float(loss)


def _trouble(what: str, rate: float) -> FloatingPointError:
    fix = "Lower learning_rate_init, or scale the features: StandardScaler or MinMaxScaler"
    given = f"a {what} that is NaN or infinite at the learning rate {rate:.3g}"
    return FloatingPointError(message("LeNetClassifier.fit", given, "a finite number", fix))


@contextmanager
def threads(n_jobs: int | None) -> Iterator[None]:
    """Compute on so many threads until the end of the block; the weights' bits don't depend on it.

    n_jobs: as joblib takes it; None: as many as the process computes on, and no more than OMP_NUM_THREADS, by which joblib
    tells each of its processes what its share of the processors is.
    """
    before = _core.num_threads()
    if n_jobs is None:
        share = os.environ.get("OMP_NUM_THREADS", "")
        wanted = min(before, int(share)) if share.isdigit() and int(share) else before
    else:
        from joblib import effective_n_jobs

        wanted = effective_n_jobs(n_jobs)
    if wanted == before:
        yield
        return
    _core.set_num_threads(wanted)
    try:
        yield
    finally:
        _core.set_num_threads(before)
