"""``jit.save`` and ``jit.load``: a network, or a function of tensors, in one safetensors file (Paddle: ``paddle.jit``).

The file holds tensors by name and the network's calls (``calls``), with what they are given and what comes back. What runs are
those calls alone, never code from the file. Importing this completes ``lenet.jit``.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet import jit
from lenet.autograd import tape
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.messages.check import MOST, describe, message, one_line
from lenet.modelfile import calls, checks, watched
from lenet.modelfile.serialization import read_model, write_model
from lenet.nn.layer import Layer
from lenet.static import InputSpec

__all__ = ["TranslatedLayer", "load", "save"]

Json = Any
FORMAT = 1
SUFFIX = ".safetensors"
_KEPT = 16  # shapes of inputs for which the checked calls are kept
LIMITS = calls.Limits(numbers=1 << 25, in_all=1 << 26, products=1 << 33, parameters=1 << 28)


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
    tensors = layer.state_dict() if isinstance(layer, Layer) else {}
    if isinstance(layer, Layer):
        layer.eval()
    try:
        found = watched.described("jit.save", forward, [(spec.shape, spec.dtype.numpy) for spec in specs], tensors)
    finally:
        if isinstance(layer, Layer) and before:
            layer.train()
    shown = [{"shape": list(s.shape), "dtype": s.dtype.name, "name": s.name} for s in specs]
    frozen = [name for name in found.arrays if name in tensors and tensors[name].stop_gradient]
    program = {"format": FORMAT, "program": found.calls, "inputs": shown, "outputs": found.outputs, "frozen": frozen}
    TranslatedLayer(program, found.arrays)  # or it could not be loaded
    write_model(_file(path), found.arrays, program)


def _file(path: str | os.PathLike[str]) -> str:
    name = os.fspath(path)
    return name if name.endswith(SUFFIX) else name + SUFFIX


class TranslatedLayer(calls.Network):
    """A network that ``jit.load`` read: called, evaluated and trained like the one that was saved.

    In training mode dropout drops, and batch normalisation moves its statistics. ValueError for a program that makes no
    sense, is too large, or doesn't fit the arrays.
    """

    _program: Any = None
    _specs: Any = None
    _arrays: Any = None
    _ready: Any = None  # taken: no layer of a file may have these names

    def __init__(self, program: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        specs = [_spec(one) for one in _list("inputs", program)]
        lengths = [tuple(watched.BATCHES[0] if s == -1 else s for s in shape) for shape, _ in specs]
        found = _checked(program, lengths, arrays, watched.BATCHES[0])
        names = {one for one in _leaves(program.get("outputs"), len(found), len(specs)) if isinstance(one, str)}
        if not names <= arrays.keys():
            raise checks.wrong("outputs", min(names - arrays.keys()), f"one of {', '.join(list(arrays)[:12])}")
        super().__init__(found, arrays, [name for name in _list("frozen", program) if isinstance(name, str)], names)
        self._program: Any = program
        self._specs: Any = specs
        self._arrays: Any = dict(arrays)
        self._ready: Any = {}  # the calls for inputs of these shapes
        self.eval()

    def forward(self, *inputs: Any) -> Any:
        if len(inputs) != len(self._specs):
            raise TypeError(message("this network", f"{len(inputs)} inputs", f"{len(self._specs)}"))
        given = [x if isinstance(x, Tensor) else to_tensor(x) for x in inputs]
        batch = 0
        for x, (shape, _) in zip(given, self._specs, strict=True):
            fits = len(shape) == len(x._shape) and all(s in (-1, n) for s, n in zip(shape, x._shape, strict=True))
            if not fits:
                raise ValueError(message("this network", f"an input of shape {list(x._shape)}", f"{list(shape)}"))
            batch = next((n for s, n in zip(shape, x._shape, strict=True) if s == -1), batch)
        shapes = tuple(x._shape for x in given)
        if shapes not in self._ready:
            ready = self._bound(_checked(self._program, shapes, self._arrays, batch))
            self._ready = dict([*self._ready.items(), (shapes, ready)][-_KEPT:])
        made = self._run(self._ready[shapes], *given)

        def shown(place: Any) -> Any:
            for kind, build in (("list", list), ("tuple", tuple)):
                if isinstance(place, dict) and kind in place:
                    return build(shown(p) for p in place[kind])
            if isinstance(place, dict) and "dict" in place:
                return {k: shown(p) for k, p in place["dict"]}
            place = self._held_as(place)
            return place if not isinstance(place, int) else made[place] if place >= 0 else given[calls.GIVEN - place]

        return shown(self._program["outputs"])


def _list(key: str, program: Mapping[str, Any]) -> list[Any]:
    found = program.get(key)
    if not isinstance(found, list) or len(found) > calls.MAX_CALLS:
        raise checks.wrong(key, found, f"a list of at most {calls.MAX_CALLS}")
    return found


def _spec(one: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """An input's shape and type out of a file."""
    shape = one.get("shape") if isinstance(one, dict) else None
    if not isinstance(shape, list) or len(shape) > 8:
        raise checks.wrong("inputs", one, "a shape of at most 8 lengths and a dtype")
    lengths = tuple(checks.whole(-1, LIMITS.numbers)("inputs, shape", s) for s in shape)
    if math.prod(max(s, 1) for s in lengths) > LIMITS.numbers:
        raise checks.wrong("inputs, shape", shape, f"at most {LIMITS.numbers} numbers a sample")
    return lengths, checks.dtype("inputs, dtype", one.get("dtype"))


def _checked(
    program: Mapping[str, Any], shapes: Sequence[tuple[int, ...]], arrays: Mapping[str, NDArray[Any]], batch: int
) -> list[calls.Call]:
    rows = program.get("program")
    return [] if rows == [] else calls.checked(rows, shapes, arrays, LIMITS, batch, "program")


def _leaves(place: Any, made: int, given: int) -> Iterator[Any]:
    """What stands in a program's outputs, each checked."""
    if isinstance(place, dict) and len(place) == 1 and place.keys() & {"list", "tuple", "dict"}:
        ((kind, inner),) = place.items()
        if not isinstance(inner, list) or (kind == "dict" and not all(_is_pair(p) for p in inner)):
            raise checks.wrong("outputs", place, "a list")
        for one in inner:
            yield from _leaves(one[1] if kind == "dict" else one, made, given)
        return
    calls.check_input("outputs", place, made, given)
    if isinstance(place, dict):
        calls.constant("outputs", place)
    yield place


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)


def load(path: str | os.PathLike[str], **configs: Any) -> TranslatedLayer:
    """The network that ``jit.save`` wrote, in evaluation mode (``paddle.jit.load``). configs are Paddle's and change nothing.

    FileNotFoundError, or ValueError for a file that isn't one of these, such as Paddle's own programs.
    """
    file = _file(path)
    if not os.path.exists(file) and any(os.path.exists(os.fspath(path) + end) for end in (".pdmodel", ".json")):
        fix = "Save it again here: lenet.jit.save(net, path, input_spec=[…])"
        raise ValueError(message("jit.load", f"{os.fspath(path)}, a program of Paddle's", f"one with {SUFFIX}", fix))
    arrays, program = read_model(file)
    if program.get("format") != FORMAT or "program" not in program:
        raise ValueError(message("jit.load", file, "a file that jit.save wrote"))
    try:
        network = TranslatedLayer(program, arrays)
        with tape.no_grad(), np.errstate(all="ignore"):  # once, as it was watched: the types fit too
            network(*(watched.drawn(shape, kind, watched.BATCHES[0]) for shape, kind in network._specs))
    except (ValueError, TypeError, IndexError, ZeroDivisionError, OverflowError) as error:
        raise ValueError(one_line(f"{file}: {error}", MOST)) from None
    return network


for _name in __all__:
    setattr(jit, _name, globals()[_name])
