"""From a network to a plan: watch one forward pass, check that it is a chain of core rows, and hand it to the engine.

A plan runs the whole training step without Python and gives the eager calls' results within rounding. ``compile`` decides
whether a network may use one and says why not; ``Compiled`` is the plan with its optimizer. Read by ``Model`` and ``jit``.
"""

from __future__ import annotations

import copy
import random
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from lenet import _core
from lenet.autograd import random as _random
from lenet.autograd import tape
from lenet.autograd.tape import Node, Trace
from lenet.autograd.tensor import Parameter, Tensor
from lenet.messages.check import message
from lenet.nn.layer import mutations, own_mutations
from lenet.nn.loss import CrossEntropyLoss
from lenet.nn.param import aligned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lenet.nn.layer import Layer
    from lenet.optimizer.optimizer import Optimizer, PlanSpec

__all__ = ["Chain", "Compiled", "TrainingTrouble", "compile", "trace"]

_AGREE = 1e-4  # largest difference between a plan's and the eager outputs, relative to the largest output


class TrainingTrouble(FloatingPointError):
    """A step whose loss or gradient is NaN or infinite: nothing of it was written. The steps before it are here."""

    def __init__(self, what: str, losses: NDArray[np.float32], logits: NDArray[np.float32]) -> None:
        super().__init__(f"the {what} is NaN or infinite")
        self.what = what
        self.losses = losses
        self.logits = logits
        self.steps_done = len(losses)


class Chain:
    """A network as the plan sees it: the engine's plan, its parameters in order, and when it stops being true."""

    def __init__(
        self, network: Layer, rows: list[tuple[Any, ...]], params: list[Parameter], outputs: int, seen: int
    ) -> None:
        self.params = params
        self.outputs = outputs
        self.has_dropout = any(row[0] == "dropout" for row in rows)
        self.takes_warps = rows[0][0] == "conv2d"  # the first row must say how the numbers lie as an image
        self.grads = [aligned(p._shape) for p in params]
        self.flags = [not p.stop_gradient for p in params]
        self.core = _core.Plan(rows, [p.data_array() for p in params], self.flags, self.grads)
        self._mutations = seen  # ``mutations()`` before the network was watched

    def stale(self) -> bool:
        """True once a layer was assigned to, changed its mode or hooks, or a parameter was frozen or thawed."""
        return self._mutations != mutations() or any(
            flag == p.stop_gradient for flag, p in zip(self.flags, self.params, strict=True)
        )

    def infer(
        self,
        images: NDArray[Any],
        lut: NDArray[np.float32] | None = None,
        indices: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float32]:
        """Outputs [n, C] for images uint8 [N, …] through ``lut``, or float32 [N, …]; ``indices`` picks and orders them."""
        n = len(images) if indices is None else len(indices)
        out = np.empty((n, self.outputs), np.float32)
        if n:
            floats = None if lut is not None else np.ascontiguousarray(images, np.float32)
            self.core.infer(images if lut is not None else None, lut, floats, indices, out)
        return out


class _Outside:
    """Everything a forward pass could touch without our seeing it as an operation, before and after.

    Of what other threads do meanwhile, only draws from Python's and numpy's random can be taken for the pass's own.
    """

    def __init__(self) -> None:
        self.mutations = mutations()
        self.own_mutations = own_mutations()
        self.python = random.getstate()
        self.numpy: Any = np.random.get_state()
        self.ours = _random.generator().get_state()
        self.draws = _random.generator().draws

    def complaint(self, dropouts: int) -> str:
        """What the forward pass did that a plan would leave out, or ''."""
        if own_mutations() != self.own_mutations:
            return "forward assigns to the network"
        if random.getstate() != self.python:
            return "forward draws from Python's random"
        if self._numpy_has_moved():
            return "forward draws from numpy's random"
        if _random.generator().draws != self.draws + dropouts:
            return "forward draws random numbers"
        return ""

    def _numpy_has_moved(self) -> bool:
        now: Any = np.random.get_state()
        return now[2:] != self.numpy[2:] or not np.array_equal(now[1], self.numpy[1])

    def rewind(self) -> None:
        """Give the random streams back what the watched pass has drawn; a stream it left alone isn't touched."""
        if random.getstate() != self.python:
            random.setstate(self.python)
        if self._numpy_has_moved():
            np.random.set_state(self.numpy)
        if _random.generator().draws != self.draws:
            _random.generator().set_state(self.ours)
            _random.generator().draws = self.draws

    def stream(self) -> _core.Generator:
        """Our random stream as it was before, to draw the same numbers once more."""
        copy = _core.Generator(0)
        copy.set_state(self.ours)
        return copy


def trace(network: Layer, x: Tensor) -> Chain | str:
    """The chain that ``network`` is in its present mode for images like x, or the reason why it isn't one."""
    if x._dtype != np.float32 or len(x._shape) < 2:
        return f"its input is {x._dtype} {list(x._shape)}, not float32 [N, …]"
    if any(layer._forward_pre_hooks or layer._forward_post_hooks for layer in network.sublayers(include_self=True)):
        return "a layer has hooks"
    chain, apart = _watched(network, x)
    # Another thread may have written the weights in between: a copy's are its own.
    if apart > _AGREE and _watched(copy.deepcopy(network), x)[1] > _AGREE:
        import warnings

        warnings.warn(
            f"the plan and the eager network are {apart:.1e} apart on the first batch: staying eager", stacklevel=2
        )
        return "plan and eager results differ"
    return chain


def _watched(network: Layer, x: Tensor) -> tuple[Chain | str, float]:
    """The chain that ``network`` is, or why it isn't one; and how far its outputs are from the eager ones (``_apart``)."""
    outside = _Outside()
    eager = getattr(network.forward, "eager", network.forward)  # what jit.to_static has put a plan before
    with Trace() as seen:
        result = network(x) if eager is network.forward else eager(x)
    dropouts = sum(n.row.name == "dropout" and n.attrs["training"] and n.attrs["p"] > 0 for n, _ in seen.nodes)
    complaint = outside.complaint(dropouts)
    outside.rewind()
    if seen.reads:
        complaint = "forward reads a tensor's value"
    chain = complaint or _chain(network, x, result, seen.nodes, outside)
    return chain, 0.0 if isinstance(chain, str) else _apart(chain, network, x, result, outside)


def _chain(network: Layer, x: Tensor, result: Any, nodes: list[tuple[Node, Tensor]], outside: _Outside) -> Chain | str:
    if not isinstance(result, Tensor) or len(result._shape) != 2 or result._shape[0] != x._shape[0]:
        return "forward returns something else than one tensor [N, C]"
    params: list[Parameter] = []
    index: dict[int, int] = {}

    def number(p: Any) -> int:
        if p is None:
            return -1
        if not isinstance(p, Parameter) or id(p) in index:
            raise ValueError("uses a parameter twice" if isinstance(p, Parameter) else "computes its weights")
        index[id(p)] = len(params)
        params.append(p)
        return index[id(p)]

    rows: list[tuple[Any, ...]] = []
    last = x
    for node, output in nodes:
        if node.row.plan is None:
            return f"forward uses {node.row.name}, which is eager only"
        if node.row.name == "dropout" and node.attrs["training"] != network.training:
            return "forward's dropout is in another mode than the network"
        if node.inputs[0] is not last:
            return f"forward is not a chain: {node.row.name} takes something else than the result before it"
        try:
            row = node.row.plan(node, number)
        except ValueError as error:
            return f"forward {error}"
        if row:
            rows.append(row)
        last = output
    if last is not result or not rows:
        return "forward is not a chain of operations"
    return Chain(network, rows, params, result._shape[1], outside.mutations)


def _apart(chain: Chain, network: Layer, x: Tensor, result: Tensor, outside: _Outside) -> float:
    """The largest difference between the plan's outputs and the eager ones, relative to the largest of these."""
    y, _ = chain.core.forward(x.lanes(), x._shape[0], network.training, outside.stream())
    outputs = np.empty(result._shape, np.float32)
    _core.from_lanes(y, x._shape[0], outputs)
    eager = result.data_array()
    scale = float(np.abs(eager[np.isfinite(eager)]).max(initial=1e-30))
    if np.allclose(outputs, eager, rtol=0, atol=_AGREE * scale, equal_nan=True):
        return 0.0
    with np.errstate(invalid="ignore"):
        return float(np.nan_to_num(np.abs(outputs - eager), nan=np.inf).max()) / scale


class Compiled:
    """A network's plan with a loss and an optimizer: whole training steps without Python."""

    def __init__(self, chain: Chain, loss: CrossEntropyLoss, optimizer: Optimizer, spec: PlanSpec) -> None:
        self.chain = chain
        self._optimizer = optimizer
        self._loss = loss
        self._lock = threading.Lock()
        self._averages: list[NDArray[np.float32]] = []
        self._checked: NDArray[np.int64] | None = None
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
    ) -> NDArray[np.float32]:
        """See ``Chain.infer``."""
        return self.chain.infer(images, lut, indices)

    def train(
        self,
        images: NDArray[Any],
        lut: NDArray[np.float32] | None,
        labels: NDArray[np.int64],
        indices: NDArray[np.int64],
        counts: list[int],
        rates: list[float],
        warps: NDArray[np.float32] | None = None,
        averaging: list[float] | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """``len(counts)`` updates: step s takes the next ``counts[s]`` of ``indices`` at learning rate ``rates[s]``.

        images: uint8 [N, …] with lut float32 [256], or float32 [N, …] with lut None. labels: int64 [N].
        warps: float32 [sum(counts), 2, 3], for each sample of uint8 images the matrix that takes an output pixel (x, y, 1) to
        the input pixel it shows; bilinear, byte 0 outside. Made by ``data.augment``.
        averaging: for each step how much of the parameters' average stays, 0 to 1; see ``averages``.
        Returns each step's loss [k] and the outputs before its update [sum(counts), C].
        TrainingTrouble if the next step would have spoilt the weights; RuntimeError if another thread trains this network.
        """
        self._check_labels(labels)
        losses = np.full(len(counts), np.nan, np.float32)
        logits = np.empty((len(indices), self.chain.outputs), np.float32)
        attrs, weight = self._loss._attrs, self._loss.weight
        floats = None if lut is not None else images
        if not self._lock.acquire(blocking=False):
            raise RuntimeError(message("training", "the same network in two threads at once", "one thread a network"))
        try:
            trouble = self.chain.core.train(
                images if lut is not None else None, lut, floats, labels, indices, warps, counts, rates, averaging,
                attrs["label_smoothing"], attrs["ignore_index"],
                None if weight is None else weight.data_array().astype(np.float32),
                self._update, _random.generator().core, losses, logits,
            )  # fmt: skip
        finally:
            # Also when Ctrl-C is raised on the way back from the engine: what it has done must be counted.
            self.done = int(np.isfinite(losses).sum())
            self._advance()
            self._lock.release()
        if trouble:
            raise TrainingTrouble(trouble, losses[: self.done], logits[: sum(counts[: self.done])])
        return losses, logits

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

    def _check_labels(self, labels: NDArray[np.int64]) -> None:
        if self._checked is labels:
            return
        wrong = np.flatnonzero((labels < 0) | (labels >= self.chain.outputs))
        wrong = wrong[labels[wrong] != self._loss._attrs["ignore_index"]]
        if wrong.size:
            n = self.chain.outputs
            fix = f"The network's last layer has {n} outputs: give it more, or renumber the labels from 0"
            raise IndexError(
                message("cross_entropy", f"label {labels[wrong[0]]} (sample {wrong[0]})", f"0 to {n - 1}", fix)
            )
        self._checked = labels


def compile(
    network: Layer, loss: Any, optimizer: Any, sample_inputs: list[Tensor], sample_labels: list[Tensor] | None = None
) -> Compiled | Chain | str:
    """A plan for ``network`` on inputs like the sample, or a text: the reason why it has to run eagerly.

    With loss and optimizer None, a ``Chain`` for evaluation alone; the network's mode decides what is traced.
    """
    if len(sample_inputs) != 1:
        return f"the network takes {len(sample_inputs)} inputs"
    if loss is None and optimizer is None:
        with tape.no_grad():
            return trace(network, sample_inputs[0])
    if type(loss) is not CrossEntropyLoss:
        return "the loss is not CrossEntropyLoss"
    attrs = loss._attrs
    if attrs["soft_label"] or not attrs["use_softmax"] or attrs["reduction"] != "mean" or attrs["axis"] not in (-1, 1):
        return "the loss is a form of CrossEntropyLoss that is eager only"
    spec, reason = optimizer._plan_spec()
    if spec is None:
        return f"the optimizer is eager only because {reason}"
    chain = trace(network, sample_inputs[0])
    if isinstance(chain, str):
        return chain
    known = {id(p) for p in chain.params}
    if any(p._hooks for p in chain.params):
        return "a parameter has a gradient hook"
    if any(id(p) not in known for p in spec.params):
        return "the optimizer has parameters that forward doesn't use"
    if {id(p) for p in spec.params} != {id(p) for p in chain.params if not p.stop_gradient}:
        return "the optimizer leaves out parameters that want a gradient"
    return Compiled(chain, loss, optimizer, spec)
