"""Training steps of a network that no plan can run: the same calls as ``plan.Compiled``'s, a step at a time in Python.

It is what a plan is compared with, and slower by what Python costs. Read by ``loop``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet.autograd.tensor import Parameter, dense
from lenet.data import augment
from lenet.jit.plan import TrainingTrouble
from lenet.nn import CrossEntropyLoss
from lenet.nn.layer import Layer
from lenet.optimizer import Adam

__all__ = ["Eager", "moved"]


class Eager:
    """A network, its loss and its optimizer. reason: why no plan runs it."""

    def __init__(self, network: Layer, loss: CrossEntropyLoss, optimizer: Adam, reason: str) -> None:
        self.network, self.reason = network, reason
        self._loss, self._optimizer = loss, optimizer
        self._averages: list[NDArray[np.float32]] = []

    @property
    def params(self) -> list[Parameter]:
        """The network's parameters, in the order of ``averages``."""
        return self.network.parameters()

    def train(
        self,
        images: NDArray[np.uint8],
        lut: NDArray[np.float32],
        labels: NDArray[np.int64],
        indices: NDArray[np.int64],
        counts: list[int],
        rates: list[float],
        warps: NDArray[np.float32] | None = None,
        averaging: list[float] | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """As ``plan.Compiled.train``: losses [k] and the outputs before each update [sum(counts), C]; TrainingTrouble."""
        losses: list[float] = []
        outputs: list[NDArray[np.float32]] = []
        start = 0
        for step, (count, rate) in enumerate(zip(counts, rates, strict=True)):
            chosen = indices[start : start + count]
            x = lut[images[chosen]]
            if warps is not None:
                x = moved(x, warps[start : start + count], float(lut[0]))
            out = self.network(dense(x))
            loss = self._loss(out, dense(labels[chosen]))
            loss.backward()
            trouble = self._trouble(float(loss))
            if trouble:
                self._optimizer.clear_grad()
                raise TrainingTrouble(trouble, np.array(losses, np.float32), _rows(outputs, out.shape[-1]))
            self._optimizer.set_lr(rate)
            self._optimizer.step()
            self._optimizer.clear_grad()
            losses.append(float(loss))
            outputs.append(out.numpy())
            if averaging is not None:
                self._average(averaging[step])
            start += count
        return np.array(losses, np.float32), _rows(outputs, 0)

    def averages(self) -> list[NDArray[np.float32]]:
        """The parameters' running averages; they start as the values of the first call and may be written."""
        if not self._averages:
            self._averages = [p.data_array().copy() for p in self.params]
        return self._averages

    def _average(self, kept: float) -> None:
        for average, p in zip(self.averages(), self.params, strict=True):
            average += np.float32(1 - kept) * (p.data_array() - average)

    def _trouble(self, loss: float) -> str:
        if not np.isfinite(loss):
            return "loss"
        grads = [p.grad for p in self.params if p.grad is not None]
        return "" if all(np.isfinite(g.data_array()).all() for g in grads) else "gradient"


def moved(images: NDArray[np.float32], m: NDArray[np.float32], outside: float) -> NDArray[np.float32]:
    """Images [n, C, H, W], all channels of one moved alike."""
    n, channels = images.shape[:2]
    flat = images.reshape(n * channels, *images.shape[2:])
    return augment.warped(flat, np.repeat(m, channels, axis=0), outside).reshape(images.shape)


def _rows(outputs: list[NDArray[np.float32]], classes: int) -> NDArray[np.float32]:
    return np.concatenate(outputs) if outputs else np.empty((0, classes), np.float32)
