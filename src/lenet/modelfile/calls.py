"""A network as calls of the table of operations, as our files hold it: checked, and run.

This is the one description of a network that there is: ``architecture`` puts it into model files, ``program`` behind
``jit.save`` and ``jit.load``, and ``watched`` writes it. ``checked`` computes every shape of calls that come from a file, and
refuses what is too large before anything of that size is made (``rules``); ``Network`` runs what was checked. It knows no file.

One call: ``{"op": "conv2d", "attrs": {"stride": [1, 1], …}, "inputs": [0, "conv1.weight", null]}``. An input is the number
of an earlier call, -1 for the first of what the network is given, -2 for the second, the name of a tensor, null for none, or
{"value": 2.0, "dtype": "int64"}, float32 where no type is told. Of a chain it may be left out: a call without ``inputs``
takes the call before it and then its ``parameters``. Where a length follows the batch, {"batch": 2} is twice its size.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.autograd import tape
from lenet.autograd.tensor import Tensor, dense, to_tensor
from lenet.modelfile import checks
from lenet.modelfile.checks import BATCH, wrong
from lenet.modelfile.rules import RULES
from lenet.modelfile.shapes import plain
from lenet.nn.initializer import Constant
from lenet.nn.layer import Layer

__all__ = [
    "CONSTANT", "GIVEN", "MAX_CALLS", "MAX_VALUE", "Call", "Limits", "Network", "check_input", "checked", "constant",
]  # fmt: skip

Json = Any
Shape = tuple[int, ...]

GIVEN = -1  # the number that stands for the first thing a network is given
MAX_CALLS = 1000
MAX_VALUE = 4096  # numbers of a constant that stands in the call itself
CONSTANT = "constant:"  # and one that doesn't has a name of this kind
_MODES = {"dropout": "training", "batch_norm": "batch"}  # the attribute that says whether the network is in training
_STATISTICS = {"batch_norm": (3, 4)}  # the inputs that are counted, not learned


# ---- checking ------------------------------------------------------------------------------------------------------


class Limits(NamedTuple):
    """What calls may need, a sample. numbers: of one result. in_all: of all of them with the frames that padding lays around
    images. products: multiplications or comparisons. parameters: numbers of all tensors."""

    numbers: int
    in_all: int
    products: int
    parameters: int


class Call(NamedTuple):
    """A checked call: the row's name, its attributes as the row takes them, its inputs, the result's shape."""

    name: str
    attrs: dict[str, Any]
    inputs: list[Any]
    shape: Shape


def checked(
    calls: Any,
    given: Sequence[Shape],
    tensors: Mapping[str, NDArray[Any]],
    limits: Limits,
    batch: int = BATCH,
    what: str = "architecture",
) -> list[Call]:
    """Calls out of a file, for tensors of these shapes and this batch. With BATCH for it, calls may not mix the samples.

    ValueError for what makes no sense, is too large, or doesn't fit the tensors; in a file for images those are float32.
    """
    if not isinstance(calls, list) or not 1 <= len(calls) <= MAX_CALLS:
        raise wrong(what, calls, f"a list of 1 to {MAX_CALLS} rows")
    found: list[Call] = []
    floats = products = 0
    samples = max(batch, 1)
    for number, call in enumerate(calls):
        where = f"{what}, row {number}"
        name, attrs, inputs = _checked_call(where, call, number, len(given), batch)
        if batch == BATCH and (kinds := {_kind(value) for value in attrs.values()} - {None, "float32"}):
            raise wrong(where, f"{name} with {kinds.pop()} numbers", "float32")
        shapes = [_shape_of(where, one, given, found, tensors, batch == BATCH) for one in inputs]
        rule = RULES[name]
        try:
            result = tuple(rule.shape(where, attrs, shapes))
        except (IndexError, TypeError):
            raise wrong(where, [None if s is None else plain(s) for s in shapes], f"what {name} takes") from None
        frame = _frame(shapes[0], attrs)
        if (
            min(result, default=1) < 1
            or len(result) > 8
            or max(math.prod(result), frame) > limits.numbers * (samples if BATCH in result or batch != BATCH else 1)
        ):
            shown = plain(result[1:] if BATCH in result else result)
            raise wrong(where, shown, f"at most {limits.numbers} numbers a sample")
        if batch == BATCH and any(BATCH in s for s in shapes if s) and (result[:1] != (BATCH,) or BATCH in result[1:]):
            raise wrong(where, plain(result), "another axis than the images'")
        count = _a_sample(result, batch)
        floats += count + _a_sample((frame,), batch)
        products += count * rule.work(attrs, shapes)
        if floats > limits.in_all:
            raise wrong(where, f"{floats} numbers a sample up to here", f"at most {limits.in_all}")
        if products > limits.products:
            raise wrong(where, f"{products} multiplications a sample up to here", f"at most {limits.products}")
        found.append(Call(name, attrs, inputs, result))
    total = sum(tensors[name].size for name in names_in(found))
    if total > limits.parameters:
        raise wrong(what, f"{total} parameters", f"at most {limits.parameters}")
    return found


def _kind(value: Any) -> str | None:
    """The type of numbers that an attribute brings into the results."""
    if isinstance(value, np.dtype):
        return value.name
    return value.dtype.name if isinstance(value, np.ndarray) and value.dtype.kind == "f" else None


def names_in(calls: Sequence[Call]) -> list[str]:
    """The tensors that calls take, each once."""
    return list(dict.fromkeys(one for call in calls for one in call.inputs if isinstance(one, str)))


def _a_sample(shape: Shape, batch: int) -> int:
    """How many numbers of this shape there are a sample."""
    numbers = math.prod(shape)
    return numbers if batch == BATCH and BATCH not in shape and numbers % BATCH else -(-numbers // max(batch, 1))


def _checked_call(what: str, call: Any, number: int, given: int, batch: int) -> tuple[str, dict[str, Any], list[Any]]:
    """A call's operation, its attributes as the operation takes them, and what it takes."""
    if not isinstance(call, dict) or not isinstance(call.get("op"), str) or call["op"] not in RULES:
        raise wrong(what, call.get("op") if isinstance(call, dict) else call, "an operation such as 'conv2d'")
    name, told = call["op"], call.get("attrs", {})
    rule, what = RULES[name], f"{what}, {name}"
    if not isinstance(told, dict) or set(told) != set(rule.attrs):
        raise wrong(what, told, f"exactly the attributes {', '.join(rule.attrs) or '(none)'}")
    attrs = {key: check(f"{what}, {key}", _resolved(told[key], batch)) for key, check in rule.attrs.items()}
    parameters = call.get("parameters", [])
    inputs = call.get("inputs", [number - 1, *parameters] if isinstance(parameters, list) else None)
    least, most = rule.operands
    if not isinstance(inputs, list) or not least <= len(inputs) <= most:
        expected = f"{least - 1} parameters" if "inputs" not in call else f"{least} to {most} inputs"
        raise wrong(what, parameters if "inputs" not in call else inputs, expected)
    for place, one in enumerate(inputs):
        if one is not None or place < rule.needed:
            check_input(what, one, number, given)
        if place in _STATISTICS.get(name, ()) and type(one) is int:
            raise wrong(what, one, "the name of a tensor")
    return name, attrs, inputs


def _resolved(value: Any, batch: int) -> Any:
    """JSON with its {"batch": k} as numbers; left as they are, and so refused, in a file for any number of images."""
    if isinstance(value, list):
        return [_resolved(v, batch) for v in value]
    if isinstance(value, dict) and batch != BATCH:
        if set(value) == {"batch"} and type(value["batch"]) is int and 0 < value["batch"] < BATCH:
            return value["batch"] * batch
        return {k: _resolved(v, batch) for k, v in value.items()} if "array" not in value else value
    return value


def check_input(what: str, one: Any, calls: int, given: int) -> None:
    """ValueError unless one is an input of the call after so many others, in a network that is given so many tensors."""
    if type(one) is int:
        if not -given <= one < calls:
            raise wrong(what, f"row {one} as an input", f"a row from 0 to {calls - 1}, or -1 for the images")
    elif isinstance(one, dict):
        if not {"value"} <= set(one) <= {"value", "dtype"}:
            raise wrong(what, one, '{"value": a number or a list of numbers}')
    elif not isinstance(one, str) or not all(one.split(".")) or one.count(".") > 16:
        raise wrong(what, one, "a name such as conv1.weight")


def _shape_of(
    what: str, one: Any, given: Sequence[Shape], calls: list[Call], tensors: Mapping[str, NDArray[Any]], floats: bool
) -> Shape | None:
    """The shape of one thing that a call takes. floats: nothing but float32 will do."""
    if one is None:
        return None
    if type(one) is int:
        return given[GIVEN - one] if one < 0 else calls[one].shape
    if isinstance(one, dict):
        return constant(what, one, floats).shape
    tensor = tensors.get(one)
    if tensor is None or (floats and tensor.dtype != np.float32):
        raise wrong(what, f"no float32 tensor {one}", f"one of {', '.join(list(tensors)[:12])}")
    return tensor.shape


def constant(what: str, one: Mapping[str, Any], floats: bool = False) -> NDArray[Any]:
    """A {"value": …} as an array of at most four dimensions; ValueError for anything but finite numbers."""
    value = one["value"]
    sizes: list[int] = []
    level = value
    while isinstance(level, list) and level and len(sizes) < 5:
        sizes.append(len(level))
        level = level[0]
    if len(sizes) > 4 or math.prod(sizes) > MAX_VALUE:
        raise wrong(what, f"a value of shape {sizes}", f"at most {MAX_VALUE} numbers")
    try:
        found = np.asarray(value)
    except ValueError:
        found = np.empty(0)
    if found.dtype.kind not in "biuf" or not found.size:
        raise wrong(what, value, "a number or a list of numbers")
    kind = checks.dtype(what, one.get("dtype", "float32"))
    if (floats and kind != np.float32) or (found.dtype.kind == "b") != (kind.kind == "b"):
        raise wrong(what, value, "float32 numbers" if floats else f"numbers of {kind}")
    limits: Any = np.finfo(kind) if kind.kind == "f" else np.iinfo(kind) if kind.kind in "iu" else None
    if limits is not None and not ((limits.min <= found) & (found <= limits.max)).all():
        raise wrong(what, value, "finite numbers")
    return found.astype(kind)


def _frame(shape: Shape | None, attrs: Mapping[str, Any]) -> int:
    """How many numbers padded images have; 0 for a call without padding."""
    if shape is None or len(shape) != 4 or not any(attrs.get("padding", ())):
        return 0
    top, bottom, left, right = attrs["padding"]
    return int(shape[0] * shape[1] * (shape[2] + top + bottom) * (shape[3] + left + right))


# ---- running -------------------------------------------------------------------------------------------------------


class Network(Layer):
    """A network that runs checked calls; its tensors stand under their own names (``net.conv1.weight``).

    frozen: the tensors that training leaves alone, besides those that are counted and those that aren't floats. also: tensors
    to hold that no call takes.
    """

    def __init__(
        self,
        calls: Sequence[Call],
        tensors: Mapping[str, NDArray[Any]],
        frozen: Collection[str] = (),
        also: Collection[str] = (),
    ) -> None:
        super().__init__()
        self._held: dict[str, Tensor] = {}  # first of all: no layer may take these names
        self._calls: list[Any] = []
        counted = [call.inputs[k] for call in calls for k in _STATISTICS.get(call.name, ())]
        fixed = {one for one in counted if isinstance(one, str)} | set(frozen)
        for name in dict.fromkeys([*names_in(calls), *sorted(also)]):  # in the order of use
            if tensors[name].dtype.kind != "f" or name.startswith(CONSTANT):
                self._held[name] = to_tensor(tensors[name])
                continue
            *path, leaf = name.split(".")
            owner: Layer = self
            try:
                for step in path:
                    owner = owner._sub_layers.get(step) or _added(owner, step)
                shape, kind = list(tensors[name].shape), tensors[name].dtype.name
                parameter = owner.create_parameter(shape, Constant(0.0), kind)  # draws no random number
                assert parameter is not None  # None is made for attr=False alone
                owner.add_parameter(leaf, parameter)
            except KeyError as error:
                raise ValueError(error.args[0]) from None
            self._held[name] = parameter
            parameter.set_value(tensors[name])
            parameter.stop_gradient = name in fixed
        self._calls = self._bound(calls)

    def _bound(self, calls: Sequence[Call]) -> list[Any]:
        return [(call.name, [self._held_as(one) for one in call.inputs], call.attrs) for call in calls]

    def _held_as(self, one: Any) -> Any:
        """What a call takes, ready to be used: a number, a tensor or None."""
        if isinstance(one, str):
            return self._held[one]
        return dense(constant("value", one)) if isinstance(one, dict) else one

    def _run(self, calls: Sequence[Any], *given: Tensor) -> list[Tensor]:
        """What each call gives."""
        results: list[Tensor] = []
        for name, inputs, attrs in calls:
            if name in _MODES:
                attrs = attrs | {_MODES[name]: self.training}
            taken = [(results[one] if one >= 0 else given[GIVEN - one]) if type(one) is int else one for one in inputs]
            if name == "normalised" and attrs["axes"] is not None:
                values = taken[0].data_array()
                mean = values.mean(axis=attrs["axes"], keepdims=True)
                attrs = attrs | {"mean": mean, "var": ((values - mean) ** 2).mean(axis=attrs["axes"], keepdims=True)}
            results.append(tape.call(name, *taken, **attrs))
        return results


def _added(owner: Layer, name: str) -> Layer:
    child = Layer()
    owner.add_sublayer(owner._check_new_name("layer", name, "_sub_layers"), child)
    return child
