"""From a network to a graph: watch one forward pass, and hand its operations to the engine.

Nothing here knows a layer: what the tape records is what a plan runs, row by row of the table, however the network's
``forward`` is written. ``trace`` says why not where it can't. Read by ``plan`` and ``static``.
"""

from __future__ import annotations

import copy
import math
import random
from typing import TYPE_CHECKING, Any

import numpy as np

from lenet import _core
from lenet.autograd import random as _random
from lenet.autograd.tape import Node, Trace
from lenet.autograd.tensor import Parameter, Tensor
from lenet.nn.layer import mutations, own_mutations
from lenet.nn.param import aligned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lenet.nn.layer import Layer

__all__ = ["Chain", "trace"]

_AGREE = 1e-4  # largest difference between a plan's and the eager outputs, relative to the largest output


class Chain:
    """A network as the plan sees it: the engine's plan, its parameters in order, and when it stops being true.

    shapes: of each output without its first axis; channels of the first stand in ``outputs``. several: the network answers
    with a list or tuple of tensors.
    """

    def __init__(self, found: _Found, params: list[Parameter], seen: int) -> None:
        self.params = params
        self.shapes, self.several = found.shapes, found.several
        self.heads = [shape for i, shape in enumerate(self.shapes) if i == found.places.index(found.places[i])]
        self.outputs = self.shapes[0][0]
        self._places = found.places  # the head of each output
        self.varies = any(row[0] in ("dropout", "batch_norm") for row in found.rows)  # while the network trains
        self.grads = [aligned(p._shape) for p in params]
        self.flags = [not p.stop_gradient for p in params]
        heads = [(value, shape[0], math.prod(shape[1:])) for value, shape in zip(found.values, self.heads, strict=True)]
        values = [p.data_array() for p in params]
        self.core = _core.Plan(found.numbers, found.rows, heads, values, self.flags, self.grads)
        self.takes_warps = self.core.takes_warps
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
    ) -> Any:
        """Outputs [n, *shape] for images uint8 [N, …] through ``lut``, or float32 [N, …]; ``indices`` picks and orders them.

        An array, or a list of them where the network has several outputs.
        """
        n = len(images) if indices is None else len(indices)
        outs = [np.empty((n, *shape), np.float32) for shape in self.heads]
        if n:
            floats = None if lut is not None else np.ascontiguousarray(images, np.float32)
            self.core.infer(images if lut is not None else None, lut, floats, indices, outs)
        return self.arranged([out.reshape(n, *self.shapes[i]) for i, out in enumerate(self.each(outs))])

    def each(self, heads: list[Any]) -> list[Any]:
        """For every output the head it is: a network may give one twice."""
        return [heads[place] for place in self._places]

    def arranged(self, outputs: list[Any]) -> Any:
        """The outputs as the network gives them: one by itself, or several in a list or tuple."""
        return outputs[0] if self.several is None else self.several(outputs)


class _Found:
    """What was seen: the rows for the engine, and the values that are outputs.

    numbers: of one sample of the input. values: each head's; places: the head of each output; shapes: of each output.
    """

    def __init__(self, numbers: int) -> None:
        self.numbers = numbers
        self.rows: list[tuple[Any, ...]] = []
        self.values: list[int] = []
        self.places: list[int] = []
        self.shapes: list[tuple[int, ...]] = []
        self.several: Any = None


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
    """The plan that ``network`` is in its present mode for images like x, or the reason why it isn't one."""
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
    """The plan that ``network`` is, or why it isn't one; and how far its outputs are from the eager ones (``_apart``)."""
    outside = _Outside()
    eager = getattr(network.forward, "eager", network.forward)  # what jit.to_static has put a plan before
    with Trace() as seen:
        result = network(x) if eager is network.forward else eager(x)
    dropouts = sum(n.row.name == "dropout" and n.attrs["training"] and n.attrs["p"] > 0 for n, _ in seen.nodes)
    complaint = outside.complaint(dropouts)
    outside.rewind()
    for node, _ in reversed(seen.nodes):
        if node.row.name == "batch_norm":
            for running, before in node.saved.before:
                running._write(before)
    if seen.reads:
        complaint = "forward reads a tensor's value"
    chain = complaint or _chain(network, x, result, seen.nodes, outside)
    return chain, 0.0 if isinstance(chain, str) else _apart(chain, network, x, result, outside)


def _chain(network: Layer, x: Tensor, result: Any, nodes: list[tuple[Node, Tensor]], outside: _Outside) -> Chain | str:
    several = isinstance(result, (list, tuple))
    results = list(result) if several else [result]
    n = x._shape[0]
    if not results or any(not isinstance(t, Tensor) or len(t._shape) < 2 or t._shape[0] != n for t in results):
        return "forward returns something else than tensors [N, C, …]"
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

    found = _Found(math.prod(x._shape[1:]))
    values = {id(x): 0}  # by tensor: what the engine counts from the input on
    needed = _needed(nodes, results)
    for node, output in nodes:
        name = node.row.name
        if id(output) not in needed:
            if name in ("dropout", "batch_norm") and network.training:
                return f"forward runs {name}, but its result doesn't depend on it"
            continue
        if node.row.plan is None:
            return f"forward uses {name}, which is eager only"
        if node.attrs.get("training" if name == "dropout" else "batch", network.training) not in (
            (network.training,) if name == "dropout" else (network.training, False)
        ):
            return f"forward's {name} is in another mode than the network"
        taken = node.inputs[: node.row.takes or None]
        if any(id(t) not in values for t in taken):
            return f"forward's {name} takes something that doesn't come from the input"
        try:
            row = node.row.plan(node, number)
        except ValueError as error:
            return f"forward {error}"
        if row:
            found.rows.append((row[0], [values[id(t)] for t in taken], *row[1:]))
        values[id(output)] = len(found.rows) if row else values[id(taken[0])]
    if not found.rows or any(values.get(id(t), 0) == 0 for t in results):
        return "forward gives something that no operation has made of its input"
    found.several = type(result) if several else None
    for t in results:
        value = values[id(t)]
        if value not in found.values:
            found.values.append(value)
        found.places.append(found.values.index(value))
        found.shapes.append(t._shape[1:])
    return Chain(found, params, outside.mutations)


def _needed(nodes: list[tuple[Node, Tensor]], results: list[Tensor]) -> set[int]:
    """The tensors that the results depend on, by id."""
    needed = {id(t) for t in results}
    for node, output in reversed(nodes):
        if id(output) in needed:
            needed.update(id(t) for t in node.inputs[: node.row.takes or None])
    return needed


def _apart(chain: Chain, network: Layer, x: Tensor, result: Any, outside: _Outside) -> float:
    """The largest difference between the plan's outputs and the eager ones, relative to the largest of each."""
    results = list(result) if chain.several is not None else [result]
    outputs = _training_outputs(chain, x, outside) if network.training else chain.infer(x.data_array())
    ours = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    apart = 0.0
    for our, their in zip(ours, results, strict=True):
        eager = their.data_array()
        scale = float(np.abs(eager[np.isfinite(eager)]).max(initial=1e-30))
        if not np.allclose(our, eager, rtol=0, atol=_AGREE * scale, equal_nan=True):
            with np.errstate(invalid="ignore"):
                apart = max(apart, float(np.nan_to_num(np.abs(our - eager), nan=np.inf).max()) / scale)
    return apart


def _training_outputs(chain: Chain, x: Tensor, outside: _Outside) -> Any:
    """A training pass's outputs with the random numbers that the watched pass had; running statistics stay."""
    n = x._shape[0]
    y, _ = chain.core.forward(x.lanes(), n, True, outside.stream(), moves=False)
    flat = np.empty((n, chain.core.n_out), np.float32)
    _core.from_lanes(y, n, flat)
    ends = np.cumsum([math.prod(shape) for shape in chain.heads])
    heads = chain.each(np.split(flat, ends[:-1], axis=1))
    return chain.arranged([h.reshape(n, *shape) for h, shape in zip(heads, chain.shapes, strict=True)])
