"""A network watched and written down: the calls of its forward pass as plain JSON (``calls`` says what one looks like).

``described`` watches two passes, with other numbers and another batch, and writes what is the same in both. What differs
otherwise was computed in Python, and is refused by its line. Read by ``architecture`` and ``program``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import EllipsisType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.autograd import random as _random
from lenet.autograd import tape
from lenet.autograd.tape import Node, Trace
from lenet.autograd.tensor import Tensor, dense
from lenet.messages.check import message
from lenet.modelfile.calls import CONSTANT, GIVEN, MAX_VALUE
from lenet.modelfile.rules import RULES

__all__ = ["BATCHES", "Described", "described", "drawn", "refusal"]

Json = Any
Shape = tuple[int, ...]

BATCHES = (2, 3)  # a length that is 2k in one pass and 3k in the other is k times the batch


class Described(NamedTuple):
    """What ``described`` found. calls: as JSON. outputs: what came back, each tensor as an input is written. arrays:
    tensors and large constants by name. shapes, lines: of each call's result, with {"batch": k}, and where it stands."""

    calls: list[Json]
    outputs: Json
    arrays: dict[str, NDArray[Any]]
    shapes: list[list[Any]]
    lines: list[str]


class _Differs(Exception):
    """Two passes disagree in a way that isn't the batch's."""


def refusal(what: str, given: str) -> ValueError:
    """The error for a forward that can't be described."""
    fix = "Write it with tensors alone, or keep the class and save net.state_dict()"
    return ValueError(message(what, given, "operations of the table, whatever the numbers are", fix))


def drawn(shape: Sequence[int], kind: np.dtype[Any], batch: int) -> Tensor:
    """What a network is watched with: a length of -1 is the batch."""
    rng = np.random.RandomState(batch)
    lengths = [batch if s == -1 else s for s in shape]
    values = rng.uniform(0, 1, lengths) if kind.kind == "f" else rng.randint(0, 2, lengths)
    return dense(values.astype(kind), stop_gradient=kind.kind != "f")  # wanting a gradient keeps plans away


class _Pass:
    """One forward pass: its calls, and where each tensor came from."""

    def __init__(self, what: str, forward: Callable[..., Any], inputs: Sequence[Tensor]) -> None:
        state = _random.generator().get_state()
        with tape.enable_grad(), Trace(lines=True) as seen:
            self.result = forward(*inputs)
        _random.generator().set_state(state)
        if seen.reads:
            raise refusal(what, f"a forward that reads a tensor's values{seen.read_at}")
        self.calls, self.lines = seen.nodes, seen.lines
        self.places = {id(t): GIVEN - i for i, t in enumerate(inputs)}
        self.places |= {id(output): k for k, (_, output) in enumerate(self.calls)}
        self._kept = inputs  # an id is a tensor's own while it lives


def described(
    what: str, forward: Callable[..., Any], given: Sequence[tuple[Shape, np.dtype[Any]]], tensors: Mapping[str, Tensor]
) -> Described:
    """The calls of ``forward`` on tensors of these shapes and types; -1 is a length that follows the batch.

    ValueError, with the line of the program where there is one, if forward is more than operations of the table on what it
    is given, on the tensors and on constants. what: who asks.
    """
    passes = [_Pass(what, forward, [drawn(*one, batch) for one in given]) for batch in BATCHES]
    return _Writer(what, passes[0], passes[1], tensors).written()


class _Writer:
    """Two passes written down as one."""

    def __init__(self, what: str, first: _Pass, second: _Pass, tensors: Mapping[str, Tensor]) -> None:
        self.what, self.first, self.second = what, first, second
        self.names = {id(tensor): name for name, tensor in tensors.items()}
        self.arrays: dict[str, NDArray[Any]] = {}
        self.numbers: dict[int, int] = {}  # of the calls that are kept, by what they were in the pass

    def written(self) -> Described:
        if [n.row.name for n, _ in self.first.calls] != [n.row.name for n, _ in self.second.calls]:
            raise refusal(self.what, "a forward that goes by the values or the number of what it is given")
        kept = _needed(self.first)
        self.numbers = {old: new for new, old in enumerate(kept)}
        calls, shapes = [], []
        for old in kept:
            (node, output), (twin, other) = self.first.calls[old], self.second.calls[old]
            call, shape = self._call(old, node, twin, (output, other))
            calls.append(call)
            shapes.append(shape)
        outputs = self._outputs(self.first.result, self.second.result)
        return Described(calls, outputs, self.arrays, shapes, [self.first.lines[old] for old in kept])

    def _call(self, old: int, node: Node, twin: Node, made: tuple[Tensor, Tensor]) -> tuple[Json, list[Any]]:
        name, line = node.row.name, self.first.lines[old]
        rule = RULES.get(name)
        if rule is None:
            raise refusal(self.what, f"a forward with {name}{line}")
        try:
            shape = [_merged(a, b) for a, b in zip(made[0]._shape, made[1]._shape, strict=True)]
        except (_Differs, ValueError):
            raise refusal(self.what, f"{name}{line}, whose result has a shape that goes by the numbers") from None
        attrs = {}
        for key in rule.attrs:
            own = name == "normalised" and key in ("mean", "var") and node.attrs["axes"] is not None
            try:
                attrs[key] = None if own else _merged(node.attrs.get(key), twin.attrs.get(key))
            except _Differs:
                raise refusal(self.what, f"{name}{line}, whose {key} is computed from the numbers") from None
        if name == "reshape":
            follows = next((k for k, size in enumerate(shape) if isinstance(size, dict)), None)
            attrs["shape"] = [-1 if k == follows else size for k, size in enumerate(shape)]
        inputs = [self._place(t, u, f"{name}{line}, one of whose operands Python computes")
                  for t, u in zip(node.inputs, twin.inputs, strict=True)]  # fmt: skip
        call: Json = {"op": name, "attrs": attrs}
        if not inputs or inputs[0] != self.numbers[old] - 1 or any(isinstance(i, (int, dict)) for i in inputs[1:]):
            call["inputs"] = inputs
        elif inputs[1:]:
            call["parameters"] = inputs[1:]
        return call, shape

    def _place(self, t: Any, u: Any, trouble: str) -> Json:
        """Where an operand comes from; ``trouble`` says what is wrong where the passes disagree."""
        if t is None:
            return None
        found = self.first.places.get(id(t))
        if found is not None:
            if found != self.second.places.get(id(u)):
                raise refusal(self.what, trouble)
            return self.numbers.get(found, found)
        if id(t) in self.names:
            self.arrays[self.names[id(t)]] = t.data_array()
            return self.names[id(t)]
        values = t.data_array()
        if t._shape != u._shape or not np.array_equal(values, u.data_array(), equal_nan=values.dtype.kind == "f"):
            raise refusal(self.what, trouble)
        if values.size <= MAX_VALUE and np.isfinite(values).all():
            return {"value": values.tolist()} | ({} if values.dtype == np.float32 else {"dtype": values.dtype.name})
        name = f"{CONSTANT}{sum(n.startswith(CONSTANT) for n in self.arrays)}"
        self.arrays[name] = values
        return name

    def _outputs(self, a: Any, b: Any) -> Json:
        if isinstance(a, Tensor):
            return self._place(a, b, "a result that Python computes")
        if isinstance(a, (list, tuple)):
            kind = "tuple" if isinstance(a, tuple) else "list"
            return {kind: [self._outputs(x, y) for x, y in zip(a, b, strict=True)]}
        if isinstance(a, dict):
            return {"dict": [[str(k), self._outputs(v, b[k])] for k, v in a.items()]}
        raise refusal(self.what, f"a result that is a {type(a).__name__}")


def _needed(seen: _Pass) -> list[int]:
    """The calls that the result comes from, in order."""
    wanted: set[int] = set()
    todo: list[Any] = [seen.result]
    while todo:
        one = todo.pop()
        if isinstance(one, (list, tuple)):
            todo += one
        elif isinstance(one, dict):
            todo += one.values()
        elif isinstance(one, Tensor):
            place = seen.places.get(id(one), GIVEN)
            if place > GIVEN and place not in wanted:
                wanted.add(place)
                todo += seen.calls[place][0].inputs
    return sorted(wanted)


def _merged(a: Any, b: Any) -> Json:
    """An attribute as JSON, from its values in the two passes; _Differs where no file could say it."""
    if type(a) is not type(b):
        raise _Differs
    if isinstance(a, (tuple, list)):
        if len(a) != len(b):
            raise _Differs
        return [_merged(x, y) for x, y in zip(a, b, strict=True)]
    if isinstance(a, slice):
        return {"slice": [_merged(x, y) for x, y in ((a.start, b.start), (a.stop, b.stop), (a.step, b.step))]}
    if isinstance(a, EllipsisType):
        return "..."
    if isinstance(a, np.ndarray):
        if a.shape != b.shape or a.dtype != b.dtype or not np.array_equal(a, b):
            raise _Differs
        return {"array": a.tolist(), "dtype": a.dtype.name}
    if isinstance(a, np.generic):
        return _merged(a.item(), b.item())
    if type(a) is int and a != b and a % BATCHES[0] == 0 and b == a // BATCHES[0] * BATCHES[1]:
        return {"batch": a // BATCHES[0]}
    if a is None or isinstance(a, (bool, str, int, float, np.dtype)):
        if a != b:
            raise _Differs
        if isinstance(a, np.dtype):
            return a.name
        return a if not isinstance(a, float) or np.isfinite(a) else str(a)
    raise _Differs
