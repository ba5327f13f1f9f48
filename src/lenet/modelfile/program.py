"""A network as a program on disk: ``jit.save`` watches its forward pass and writes calls and weights, ``jit.load`` runs them.

The file is one safetensors file: weights and constants by name, and a list of rows of the table of operations. What runs
are those rows alone, never code from the file. Lengths that follow the batch are found by watching two batches of
different size; what differs between them and isn't such a length was computed in Python, and is refused by its line.

Importing this completes ``lenet.jit``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import EllipsisType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet import jit
from lenet.autograd import random as _random
from lenet.autograd import tape
from lenet.autograd.dtype import dtype_of
from lenet.autograd.table import TABLE
from lenet.autograd.tensor import Parameter, Tensor, aligned, dense, to_tensor
from lenet.messages.check import describe, message
from lenet.modelfile.serialization import read_model, write_model
from lenet.nn.layer import Layer
from lenet.static import InputSpec

__all__ = ["TranslatedLayer", "load", "save"]

Json = Any
FORMAT = 1
SUFFIX = ".safetensors"
_BATCHES = (2, 3)  # a length that is 2k in one pass and 3k in the other is k times the batch
_REFUSED = {"plan"}  # rows that stand for others


# ---- watching --------------------------------------------------------------------------------------------------------------


class _Calls(list[Any]):
    """A trace's calls, and the line of the user's program that made each."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def append(self, call: Any) -> None:
        super().append(call)
        frame: Any = sys._getframe(1)
        inside = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        while frame is not None and frame.f_code.co_filename.startswith(inside):
            frame = frame.f_back
        known = frame is not None
        self.lines.append(f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}" if known else "")


class _Pass(NamedTuple):
    """One pass: its calls, its lines, its inputs, what came out."""

    calls: list[Any]
    lines: list[str]
    inputs: list[Tensor]
    result: Any


def _watch(forward: Callable[..., Any], specs: Sequence[InputSpec], batch: int) -> _Pass:
    drawn = np.random.RandomState(batch)
    inputs = []
    for spec in specs:
        shape = [batch if s == -1 else s for s in spec.shape]
        kind = spec.dtype.numpy
        values = drawn.uniform(0, 1, shape) if kind.kind == "f" else drawn.randint(0, 2, shape)
        inputs.append(dense(values.astype(kind), stop_gradient=kind.kind != "f"))  # wanting a gradient keeps plans away
    trace = tape.Trace()
    calls = _Calls()
    trace.nodes = calls
    state = _random.generator().get_state()
    with tape.enable_grad(), trace:
        result = forward(*inputs)
    _random.generator().set_state(state)
    return _Pass(list(calls), calls.lines, inputs, result)


class _Differs(Exception):
    """Two passes disagree in a way that isn't the batch's."""


def _merged(a: Any, b: Any) -> Json:
    """An attribute as JSON, from its values in the two passes."""
    if type(a) is not type(b):
        raise _Differs
    if isinstance(a, (tuple, list)):
        if len(a) != len(b):
            raise _Differs
        items = [_merged(x, y) for x, y in zip(a, b, strict=True)]
        return items if isinstance(a, list) else {"tuple": items}
    if isinstance(a, slice):
        return {"slice": [_merged(x, y) for x, y in zip(_ends(a), _ends(b), strict=True)]}
    if isinstance(a, EllipsisType):
        return {"ellipsis": True}
    if isinstance(a, np.ndarray):
        if a.shape != b.shape or a.dtype != b.dtype or not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
            raise _Differs
        return {"array": a.tolist(), "dtype": a.dtype.name}
    if isinstance(a, np.dtype):
        return {"dtype": a.name}
    if isinstance(a, np.generic):
        return _merged(a.item(), b.item())
    if a is None or isinstance(a, (bool, str, float)):
        if a != b and not (isinstance(a, float) and a != a):
            raise _Differs
        return {"float": repr(a)} if isinstance(a, float) and not np.isfinite(a) else a
    if isinstance(a, int):
        if a == b:
            return a
        if a % _BATCHES[0] == 0 and b == a // _BATCHES[0] * _BATCHES[1]:
            return {"batch": a // _BATCHES[0]}
    raise _Differs


def _ends(s: slice) -> tuple[Any, Any, Any]:
    return s.start, s.stop, s.step


def _restored(value: Json, batch: int) -> Any:
    """The attribute that ``_merged`` wrote, for a batch."""
    if isinstance(value, list):
        return [_restored(v, batch) for v in value]
    if isinstance(value, dict):
        if "array" in value:
            return np.array(value["array"], dtype_of(value["dtype"]).numpy)
        ((kind, inner),) = value.items()
        if kind == "tuple":
            return tuple(_restored(v, batch) for v in inner)
        if kind == "slice":
            return slice(*(_restored(v, batch) for v in inner))
        found: dict[str, Callable[[], Any]] = {
            "ellipsis": lambda: ...,
            "dtype": lambda: dtype_of(inner).numpy,
            "float": lambda: float(inner),
            "batch": lambda: int(inner) * batch,
        }
        return found[kind]()
    return value


# ---- writing ---------------------------------------------------------------------------------------------------------------


def _described(layer: Any, forward: Callable[..., Any], specs: Sequence[InputSpec]) -> tuple[Json, dict[str, Any]]:
    """The program, and the arrays it speaks of by name."""
    names = {id(p): name for name, p in layer.state_dict().items()} if isinstance(layer, Layer) else {}
    first, second = (_watch(forward, specs, batch) for batch in _BATCHES)
    if [n.row.name for n, _ in first.calls] != [n.row.name for n, _ in second.calls]:
        raise ValueError(message("jit.save", "a forward whose calls depend on the numbers", "the same calls each time"))
    places: dict[int, Json] = {id(t): {"input": i} for i, t in enumerate(first.inputs)}
    also: dict[int, Json] = {id(t): {"input": i} for i, t in enumerate(second.inputs)}
    arrays: dict[str, Any] = {}
    rows = []
    for k, ((node, output), (twin, other)) in enumerate(zip(first.calls, second.calls, strict=True)):
        where = f" in {first.lines[k]}" if first.lines[k] else ""
        attrs = {}
        for key, value in node.attrs.items():
            statistic = node.row.name == "normalised" and key in ("mean", "var") and node.attrs["axes"] is not None
            try:
                attrs[key] = None if statistic else _merged(value, twin.attrs[key])
            except _Differs:
                given = f"{node.row.name}{where}, whose {key} is computed from the numbers"
                raise _no_description(given) from None
        if node.row.name in _REFUSED:
            raise _no_description(f"{node.row.name}{where}")
        inputs = []
        for t, u in zip(node.inputs, twin.inputs, strict=True):
            place = _place(t, u, places, also, names, arrays)
            if place == "differs":
                raise _no_description(f"{node.row.name}{where}, one of whose operands Python computes")
            inputs.append(place)
        rows.append({"op": node.row.name, "attrs": attrs, "inputs": inputs})
        places[id(output)] = also[id(other)] = {"row": k}
    outputs = _outputs(first.result, second.result, places, also, names, arrays)
    shown = [{"shape": list(s.shape), "dtype": s.dtype.name, "name": s.name} for s in specs]
    return {"format": FORMAT, "program": rows, "inputs": shown, "outputs": outputs}, arrays


def _no_description(given: str) -> ValueError:
    fix = "Write it with tensors alone, or keep the class and use lenet.save(net.state_dict(), path)"
    return ValueError(message("jit.save", given, "operations of the table on tensors", fix))


def _place(
    t: Any, u: Any, places: dict[int, Json], also: dict[int, Json], names: dict[int, str], arrays: dict[str, Any]
) -> Json:
    """Where an operand comes from: an input, a row, a weight or a constant; None for none."""
    if t is None:
        return None
    if id(t) in places:
        return places[id(t)] if places[id(t)] == also.get(id(u)) else "differs"
    if id(t) in names:
        arrays[names[id(t)]] = t.data_array()
        return {"weight": names[id(t)], "frozen": bool(t.stop_gradient)}
    if t._shape != u._shape or not np.array_equal(t.data_array(), u.data_array(), equal_nan=t._dtype.kind == "f"):
        return "differs"
    name = f"constant:{sum(n.startswith('constant:') for n in arrays)}"
    arrays[name] = t.data_array()
    return {"constant": name}


def _outputs(a: Any, b: Any, places: Any, also: Any, names: Any, arrays: Any) -> Json:
    if isinstance(a, Tensor):
        place = _place(a, b, places, also, names, arrays)
        if place == "differs":
            raise _no_description("a result that Python computes")
        return place
    if isinstance(a, (list, tuple)):
        kind = "tuple" if isinstance(a, tuple) else "list"
        return {kind: [_outputs(x, y, places, also, names, arrays) for x, y in zip(a, b, strict=True)]}
    if isinstance(a, dict):
        return {"dict": [[str(k), _outputs(v, b[k], places, also, names, arrays)] for k, v in a.items()]}
    raise _no_description(f"a result of {describe(a)}")


def save(layer: Any, path: str | os.PathLike[str], input_spec: Any = None, **configs: Any) -> None:
    """Write a network, or a function of tensors, so that ``jit.load`` runs it without its class (``paddle.jit.save``).

    path: ``.safetensors`` is put behind it. input_spec: a list with an ``InputSpec``, or an example tensor, an input;
    None where ``to_static`` was given one. A length of None or -1 follows the batch. The network is watched in evaluation
    mode, and left in the mode it was in. ValueError for a forward that computes with Python or numpy in between, with the
    line. configs are Paddle's and change nothing.
    """
    forward = layer
    if not callable(layer):
        raise TypeError(message("jit.save", describe(layer), "a Layer or a function of tensors"))
    if input_spec is None:
        for holder in (layer, getattr(layer, "forward", None), type(layer).__dict__.get("forward")):
            input_spec = input_spec or getattr(holder, "_input_spec", None)
    if not input_spec:
        fix = "Type jit.save(net, path, input_spec=[lenet.static.InputSpec([None, 1, 28, 28])])"
        raise ValueError(message("jit.save(input_spec)", "none", "a list with one entry an input", fix))
    given = input_spec if isinstance(input_spec, (list, tuple)) else [input_spec]
    specs = [InputSpec.from_tensor(s) if isinstance(s, Tensor) else s for s in given]
    for spec in specs:
        if not isinstance(spec, InputSpec):
            raise TypeError(message("jit.save(input_spec)", describe(spec), "InputSpecs or tensors"))
    before = layer.training if isinstance(layer, Layer) else None
    if isinstance(layer, Layer):
        layer.eval()
    try:
        program, arrays = _described(layer, forward, specs)
    finally:
        if isinstance(layer, Layer) and before:
            layer.train()
    write_model(_file(path), arrays, program)


def _file(path: str | os.PathLike[str]) -> str:
    name = os.fspath(path)
    return name if name.endswith(SUFFIX) else name + SUFFIX


# ---- running ---------------------------------------------------------------------------------------------------------------


class TranslatedLayer(Layer):
    """A network that ``jit.load`` read: called, evaluated and trained like the one that was saved.

    In training mode dropout drops; batch normalisation keeps the statistics that it was saved with.
    """

    def __init__(self, program: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        super().__init__()
        self._program = program
        self._weights: dict[str, Tensor] = {}
        trained = {w["weight"] for w in _weights_of(program) if not w["frozen"]}
        for name, array in arrays.items():
            if array.dtype.kind != "f" or name.startswith("constant:"):
                self._weights[name] = to_tensor(array)
                continue
            block = aligned(array.shape, array.dtype)
            block[...] = array
            parameter = Parameter(block, name, name in trained)
            self._weights[name] = parameter
            self._parameters[name] = parameter
        self.eval()

    def forward(self, *inputs: Any) -> Any:
        specs = self._program["inputs"]
        if len(inputs) != len(specs):
            raise TypeError(message("this network", f"{len(inputs)} inputs", f"{len(specs)}"))
        given = [x if isinstance(x, Tensor) else to_tensor(x) for x in inputs]
        batch = 0
        for x, spec in zip(given, specs, strict=True):
            shape = spec["shape"]
            fits = len(shape) == len(x._shape) and all(s in (-1, n) for s, n in zip(shape, x._shape, strict=True))
            if not fits:
                raise ValueError(message("this network", f"an input of shape {list(x._shape)}", f"{shape}"))
            batch = next((n for s, n in zip(shape, x._shape, strict=True) if s == -1), batch)
        made: list[Tensor] = []

        def at(place: Any) -> Any:
            if place is None:
                return None
            if "input" in place:
                return given[place["input"]]
            return made[place["row"]] if "row" in place else self._weights[place.get("weight") or place["constant"]]

        for row in self._program["program"]:
            attrs = {key: _restored(value, batch) for key, value in row["attrs"].items()}
            operands = [at(place) for place in row["inputs"]]
            if row["op"] == "normalised" and attrs["axes"] is not None:
                values = operands[0].data_array()
                attrs["mean"] = values.mean(axis=attrs["axes"], keepdims=True)
                attrs["var"] = ((values - attrs["mean"]) ** 2).mean(axis=attrs["axes"], keepdims=True)
            if row["op"] == "dropout":
                attrs["training"] = self.training
            made.append(tape.call(row["op"], *operands, **attrs))

        def shown(place: Any) -> Any:
            for kind, build in (("list", list), ("tuple", tuple)):
                if kind in place:
                    return build(shown(p) for p in place[kind])
            return {k: shown(p) for k, p in place["dict"]} if "dict" in place else at(place)

        return shown(self._program["outputs"])


def _weights_of(program: Mapping[str, Any]) -> Iterator[Any]:
    for row in program["program"]:
        yield from (place for place in row["inputs"] if place and "weight" in place)


def load(path: str | os.PathLike[str], **configs: Any) -> TranslatedLayer:
    """The network that ``jit.save`` wrote, in evaluation mode (``paddle.jit.load``). configs are Paddle's and change nothing.

    FileNotFoundError, or ValueError for a file that isn't one of these, such as Paddle's own programs.
    """
    file = _file(path)
    if not os.path.exists(file) and any(os.path.exists(os.fspath(path) + end) for end in (".pdmodel", ".json")):
        fix = "Save it again here: lenet.jit.save(net, path, input_spec=[…])"
        raise ValueError(message("jit.load", f"{os.fspath(path)}, a program of Paddle's", f"one with {SUFFIX}", fix))
    arrays, program = read_model(file)
    try:
        _check(program, arrays)
        return TranslatedLayer(program, arrays)
    except (KeyError, TypeError, IndexError, AttributeError):
        raise ValueError(message("jit.load", file, "a file that jit.save wrote")) from None


def _check(program: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    if program["format"] != FORMAT:
        raise KeyError("format")
    for k, row in enumerate(program["program"]):
        if row["op"] not in TABLE or row["op"] in _REFUSED or not isinstance(row["attrs"], dict):
            raise KeyError(row["op"])
        for place in row["inputs"]:
            late = place and ("row" in place and not 0 <= place["row"] < k)
            name = place and (place.get("weight") or place.get("constant"))
            if late or (name and name not in arrays):
                raise KeyError("inputs")


for _name in __all__:
    setattr(jit, _name, globals()[_name])
