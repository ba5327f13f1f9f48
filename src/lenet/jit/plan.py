"""A network's plan with a loss and an optimizer: whole training steps without Python.

A plan gives the eager calls' results within rounding. ``compile`` decides whether a network may use one and says why not;
``Compiled`` is the plan with its optimizer; what the plan runs, ``trace`` has seen. Read by ``Model`` and ``jit``.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from lenet.autograd import random as _random
from lenet.autograd import tape
from lenet.autograd.tensor import Tensor
from lenet.jit.trace import Chain, trace
from lenet.messages.check import message
from lenet.nn.loss import CrossEntropyLoss
from lenet.nn.param import aligned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lenet.nn.layer import Layer
    from lenet.optimizer.optimizer import Optimizer, PlanSpec

__all__ = ["Chain", "Compiled", "TrainingTrouble", "compile", "trace"]

Arrays = Any  # an array, or a list of them: one an output


class TrainingTrouble(FloatingPointError):
    """A step whose loss or gradient is NaN or infinite: nothing of it was written. The steps before it are here."""

    def __init__(self, what: str, losses: NDArray[np.float32], logits: Any) -> None:
        super().__init__(f"the {what} is NaN or infinite")
        self.what = what
        self.losses = losses
        self.logits = logits
        self.steps_done = len(losses)


class Compiled:
    """A network's plan with a loss and an optimizer: whole training steps without Python."""

    def __init__(self, chain: Chain, losses: list[CrossEntropyLoss], optimizer: Optimizer, spec: PlanSpec) -> None:
        self.chain = chain
        self._optimizer = optimizer
        self._losses = losses
        self._lock = threading.Lock()
        self._averages: list[NDArray[np.float32]] = []
        self._checked: list[NDArray[np.int64]] = []
        place = {id(p): i for i, p in enumerate(spec.params)}
        at = [place.get(id(p)) for p in chain.params]
        chain.core.set_states(
            [[] if i is None else spec.states[i] for i in at],
            [1.0 if i is None else spec.lr[i] for i in at],
            [0.0 if i is None else spec.l2[i] for i in at],
            [True if i is None else spec.decays[i] for i in at],
            [True if i is None else spec.clips[i] for i in at],
        )
        self._update = dict(spec.update)
        self.done = 0  # updates the latest call of train() has made, even if it was interrupted

    def stale(self) -> bool:
        """True when the network has changed and must be compiled anew."""
        return self.chain.stale()

    def infer(
        self,
        images: NDArray[Any],
        lut: NDArray[np.float32] | None = None,
        indices: NDArray[np.int64] | None = None,
    ) -> Any:
        """See ``Chain.infer``."""
        return self.chain.infer(images, lut, indices)

    def train(
        self,
        images: NDArray[Any],
        lut: NDArray[np.float32] | None,
        labels: Arrays,
        indices: NDArray[np.int64],
        counts: list[int],
        rates: list[float],
        warps: NDArray[np.float32] | None = None,
        averaging: list[float] | None = None,
        cell_weights: Arrays = None,
        outputs: bool = True,
    ) -> tuple[NDArray[np.float32], Any]:
        """``len(counts)`` updates: step s takes the next ``counts[s]`` of ``indices`` at learning rate ``rates[s]``.

        images: uint8 [N, …] with lut float32 [256], or float32 [N, …] with lut None. labels: int64 [N], or of an output
        [N, C, H, W] a class a cell, [N, H, W]; the loss is that of ``F.cross_entropy(output, labels, axis=1)``.
        warps: float32 [sum(counts), 2, 3], for each sample of uint8 images the matrix that takes an output pixel (x, y, 1) to
        the input pixel it shows; bilinear, byte 0 outside. Made by ``data.augment``.
        averaging: for each step how much of the parameters' average stays, 0 to 1; see ``averages``.
        cell_weights: float32 of the labels' shape, how much each counts in the mean; None: all alike.
        Of a network with several outputs labels and cell_weights are lists, one an output; the losses are added.
        Returns each step's loss [k] and, unless ``outputs`` is False, the outputs before its update [sum(counts), C, …].
        TrainingTrouble if the next step would have spoilt the weights; RuntimeError if another thread trains this network.
        """
        marks = labels if isinstance(labels, (list, tuple)) else [labels]
        weights = cell_weights if isinstance(cell_weights, (list, tuple)) else [cell_weights] * len(marks)
        self._check_labels(list(marks))
        losses = np.full(len(counts), np.nan, np.float32)
        heads = [np.empty((len(indices), *shape), np.float32) if outputs else None for shape in self.chain.heads]
        loss = [
            (
                np.ascontiguousarray(own), one._attrs["label_smoothing"], one._attrs["ignore_index"],
                None if one.weight is None else one.weight.data_array().astype(np.float32),
                None if weight is None else np.ascontiguousarray(weight, np.float32),
            )
            for one, own, weight in zip(self._losses, marks, weights, strict=True)
        ]  # fmt: skip
        floats = None if lut is not None else images
        if not self._lock.acquire(blocking=False):
            raise RuntimeError(message("training", "the same network in two threads at once", "one thread a network"))
        try:
            trouble = self.chain.core.train(
                images if lut is not None else None, lut, floats, loss, indices, warps, counts, rates, averaging,
                self._update, _random.generator().core, losses, heads,
            )  # fmt: skip
        finally:
            # Also when Ctrl-C is raised on the way back from the engine: what it has done must be counted.
            self.done = int(np.isfinite(losses).sum())
            self._advance()
            self._lock.release()
        if trouble:
            made = sum(counts[: self.done])
            raise TrainingTrouble(
                trouble, losses[: self.done], self._given([h if h is None else h[:made] for h in heads])
            )
        return losses, self._given(heads)

    def _given(self, heads: list[Any]) -> Any:
        return self.chain.arranged(heads) if heads[0] is not None else None

    def averages(self) -> list[NDArray[np.float32]]:
        """The parameters' running averages, in ``chain.params``' order; they start as the values of the first call.

        They may be written, as when an interrupted run goes on. ``train`` moves them where it is given ``averaging``.
        """
        if not self._averages:
            self._averages = [aligned(p._shape) for p in self.chain.params]
            for average, p in zip(self._averages, self.chain.params, strict=True):
                average[...] = p.data_array()
            self.chain.core.set_averages(self._averages)
        return self._averages

    def _advance(self) -> None:
        for power, beta in (("beta1_pow", "beta1"), ("beta2_pow", "beta2")):
            value = np.float32(self._update[power])
            for _ in range(self.done):
                value *= np.float32(self._update[beta])
            self._update[power] = float(value)
        self._optimizer._advance(self.done)

    def _check_labels(self, labels: list[NDArray[np.int64]]) -> None:
        if len(labels) == len(self._checked) and all(a is b for a, b in zip(labels, self._checked, strict=True)):
            return
        if len(labels) != len(self._losses):
            given = f"labels for {len(labels)} outputs"
            raise ValueError(message("cross_entropy", given, f"those of {len(self._losses)}, one array each"))
        for own, loss, shape in zip(labels, self._losses, self.chain.heads, strict=True):
            n, cells = shape[0], shape[1:]
            if own.shape[1:] != cells:
                given = f"labels of shape {list(own.shape)} for outputs [N, {', '.join(map(str, shape))}]"
                raise ValueError(message("cross_entropy", given, f"a class a cell, {['N', *cells]}"))
            wrong = np.flatnonzero(((own < 0) | (own >= n)) & (own != loss._attrs["ignore_index"]))
            if wrong.size:
                fix = f"The network's last layer has {n} outputs: give it more, or renumber the labels from 0"
                at = wrong[0] // (own.size // len(own))
                raise IndexError(
                    message("cross_entropy", f"label {own.flat[wrong[0]]} (sample {at})", f"0 to {n - 1}", fix)
                )
        self._checked = labels


def compile(
    network: Layer, loss: Any, optimizer: Any, sample_inputs: list[Tensor], sample_labels: list[Tensor] | None = None
) -> Compiled | Chain | str:
    """A plan for ``network`` on inputs like the sample, or a text: the reason why it has to run eagerly.

    loss: a ``CrossEntropyLoss``, or a list of them for a network of several outputs. With loss and optimizer None, a
    ``Chain`` for evaluation alone; the network's mode decides what is traced.
    """
    if len(sample_inputs) != 1:
        return f"the network takes {len(sample_inputs)} inputs"
    if loss is None and optimizer is None:
        with tape.no_grad():
            return trace(network, sample_inputs[0])
    losses = list(loss) if isinstance(loss, (list, tuple)) else [loss]
    if any(type(one) is not CrossEntropyLoss for one in losses):
        return "the loss is not CrossEntropyLoss"
    for attrs in (one._attrs for one in losses):
        if attrs["soft_label"] or not attrs["use_softmax"] or attrs["reduction"] != "mean":
            return "the loss is a form of CrossEntropyLoss that is eager only"
    spec, reason = optimizer._plan_spec()
    if spec is None:
        return f"the optimizer is eager only because {reason}"
    chain = trace(network, sample_inputs[0])
    if isinstance(chain, str):
        return chain
    if len(chain.shapes) != len(losses) or len(chain.heads) != len(losses):
        return f"the network has {len(chain.shapes)} outputs and {len(losses)} losses"
    if any(one._attrs["axis"] not in (1, -len(shape)) for one, shape in zip(losses, chain.shapes, strict=True)):
        return "the loss is a form of CrossEntropyLoss that is eager only"
    known = {id(p) for p in chain.params}
    if any(p._hooks for p in chain.params):
        return "a parameter has a gradient hook"
    if any(id(p) not in known for p in spec.params):
        return "the optimizer has parameters that forward doesn't use"
    if {id(p) for p in spec.params} != {id(p) for p in chain.params if not p.stop_gradient}:
        return "the optimizer leaves out parameters that want a gradient"
    return Compiled(chain, losses, optimizer, spec)
