"""A network as rows of the table of operations: how a model file says what its weights belong to.

``describe`` watches a network's forward pass and writes down its rows as plain JSON; ``build`` makes a network of such
rows and of tensors by name. The rows come from a file, so nothing in them is trusted: ``build`` computes every shape from
them first (``rules``) and refuses what is too large before anything of that size is allocated. It knows no file, no recipe
and no image but its shape. Read by ``train``, which puts the rows into a model file, and by whoever reads one.

One row: ``{"op": "conv2d", "attrs": {"stride": [1, 1], …}, "parameters": ["conv1.weight", "conv1.bias"], "output":
[6, 28, 28]}``. The first row takes the images [N, C, H, W], every other the result before it and then its parameters;
``output`` leaves N out. A row that takes anything else says so in place of ``parameters``: ``"inputs": [3, 7]`` are the
results of rows 3 and 7, -1 the images, a text the tensor of that name, null nothing, {"value": 2.0} a number or a list.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.autograd import tape
from lenet.autograd.tape import Node, Trace
from lenet.autograd.tensor import Tensor, dense
from lenet.messages.check import message
from lenet.messages.version import version
from lenet.modelfile.rules import BATCH, MAX_ACTIVATION, RULES, several, wrong
from lenet.nn.initializer import Constant
from lenet.nn.layer import Layer

__all__ = [
    "FORMAT",
    "MAX_CLASSES",
    "MAX_NAME",
    "account",
    "build",
    "describe",
    "flattened_first",
    "input_shape",
    "version",
]

Json = dict[str, Any]
Shape = tuple[int, ...]

FORMAT = 2  # of a model file's account; 1 had chains alone, which are written as they were

MAX_ROWS = 1000
MAX_PARAMETERS = 1 << 26
MAX_IN_ALL = 1 << 23  # floats a sample of all rows together, with the frames that padding lays around images
MAX_PRODUCTS = 1 << 29  # multiplications or comparisons a sample: seconds for a group of sixteen in plain loops
MAX_CLASSES = 4096
MAX_NAME = 255  # characters of a class's name: more than a folder's can have
MAX_VALUE = 4096  # numbers of a constant
IMAGES = -1  # the row number that stands for them
_MODES = {"dropout": "training", "batch_norm": "batch"}  # the attribute that says whether the network is in training
_STATISTICS = {"batch_norm": (3, 4)}  # the inputs that are counted, not learned


def account(rows: list[Json], shape: Sequence[int], mean: float, std: float, labels: Sequence[str]) -> Json:
    """What a model file says of its network: the version, the rows, how a pixel enters, and the labels' names."""
    return {
        "format": FORMAT if any("inputs" in row for row in rows) else 1,
        "lenet": version(),
        "architecture": rows,
        "input": {"shape": list(shape), "mean": mean, "std": std, "ground": "dark"},
        "labels": list(labels),
    }


# ---- writing -------------------------------------------------------------------------------------------------------


def describe(network: Layer, shape: Sequence[int]) -> list[Json]:
    """The rows of ``network`` in evaluation mode for images [N, *shape].

    ValueError, with the line of the program where there is one, if its forward is more than operations of the table on
    the images, on its own parameters and on constants. Its mode is left as it was.
    """
    before = network.training
    network.eval()
    try:
        rows = _Watched(network, np.zeros((2, *shape), np.float32)).rows()
        noise = np.random.RandomState(0).standard_normal((3, *shape)).astype(np.float32)
        other = _Watched(network, noise)
        if other.rows() != rows:
            raise ValueError(message("network", "a forward that goes by the images' values or number", _EXPECTED))
    finally:
        network.train(before)
    return rows


_EXPECTED = "operations of the table, the same for all images"


def flattened_first(rows: list[Json], features: int) -> list[Json]:
    """Rows for vectors [N, features] as rows for images of as many pixels: flattened before all else."""
    first: Json = {"op": "flatten", "attrs": {"start": 1, "stop": -1}, "output": [features]}
    later = [
        row | {"inputs": [one + 1 if type(one) is int else one for one in row["inputs"]]} if "inputs" in row else row
        for row in rows
    ]
    return [first, *later]


class _Watched:
    """One forward pass: its operations, and what each of them took."""

    def __init__(self, network: Layer, images: NDArray[np.float32]) -> None:
        x = dense(images)
        with tape.no_grad(), Trace(lines=True) as seen:
            self.result = network(x)
        if seen.reads:
            raise ValueError(message("network", f"a forward that reads a tensor's values{seen.read_at}", _EXPECTED))
        self.nodes, self.lines, self.count = seen.nodes, seen.lines, len(images)
        self.names = {id(tensor): name for name, tensor in network.state_dict().items()}
        self.buffers = [(name, tensor.data_array()) for name, tensor in network.state_dict().items()]
        self.sources = {id(x): IMAGES} | {id(output): k for k, (_, output) in enumerate(self.nodes)}

    def rows(self) -> list[Json]:
        """ValueError for an operation that has no rule, mixes the images, or takes what was computed elsewhere."""
        if not isinstance(self.result, Tensor) or self.sources.get(id(self.result), IMAGES) == IMAGES:
            raise ValueError(message("network", "a forward that returns something else", "one tensor"))
        needed = self._needed()
        found: list[Json] = []
        places = {IMAGES: IMAGES} | {old: new for new, old in enumerate(needed)}
        for old in needed:
            found.append(self._row(old, places, len(found)))
        return found

    def _needed(self) -> list[int]:
        """The operations that the result comes from, in order."""
        wanted, todo = set(), [self.sources[id(self.result)]]
        while todo:
            number = todo.pop()
            if number not in wanted and number != IMAGES:
                wanted.add(number)
                todo += [self.sources[id(t)] for t in self.nodes[number][0].inputs if id(t) in self.sources]
        return sorted(wanted)

    def _row(self, old: int, places: Mapping[int, int], new: int) -> Json:
        node, output = self.nodes[old]
        name, rule = node.row.name, RULES.get(node.row.name)
        if rule is None:
            raise self._trouble(old, f"a forward with {name}")
        inputs = [self._input(old, t, places) for t in node.inputs]
        with_images = any(type(i) is int for i in inputs)
        if output.dtype.numpy != np.float32 or (with_images and list(output.shape[:1]) != [self.count]):
            raise self._trouble(old, f"{name} with a result {output.dtype.name} {list(output.shape)}")
        attrs = {key: self._attribute(old, key, node.attrs[key]) for key in rule.attrs}
        if name == "reshape":
            attrs["shape"] = [-1, *output.shape[1:]] if with_images else list(output.shape)
        row: Json = {"op": name, "attrs": attrs, "output": list(output.shape[1:] if with_images else output.shape)}
        if inputs[0] != new - 1 or any(isinstance(i, (int, dict)) for i in inputs[1:]):
            row["inputs"] = inputs
        elif inputs[1:]:
            row["parameters"] = inputs[1:]
        return row

    def _input(self, old: int, tensor: Any, places: Mapping[int, int]) -> Any:
        if tensor is None:
            return None
        if id(tensor) in self.sources:
            return places[self.sources[id(tensor)]]
        if id(tensor) in self.names:
            return self.names[id(tensor)]
        if tensor.size > MAX_VALUE or tensor.dtype.numpy != np.float32:
            raise self._trouble(old, f"{_name(self.nodes[old][0])} with weights that are computed")
        return {"value": tensor.numpy().tolist()}

    def _attribute(self, old: int, key: str, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            raise self._trouble(old, f"{_name(self.nodes[old][0])} with an array as its {key}")
        return _plain(value)

    def _trouble(self, old: int, given: str) -> ValueError:
        return ValueError(message("network", given + self.lines[old], _EXPECTED))


def _name(node: Node) -> str:
    return f"a {node.row.name}"


def _plain(value: Any) -> Any:
    """An attribute as JSON."""
    if isinstance(value, slice):
        return {"slice": [_plain(part) for part in (value.start, value.stop, value.step)]}
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    return value.item() if isinstance(value, np.generic) else value


# ---- reading -------------------------------------------------------------------------------------------------------


def input_shape(value: Any) -> tuple[int, int, int]:
    """A file's input shape as (C, H, W); ValueError unless it is three whole numbers of a reasonable size."""
    channels, height, width = several(3, 1)("input shape", value)
    if channels * height * width > MAX_ACTIVATION:
        raise wrong("input shape", value, f"at most {MAX_ACTIVATION} numbers an image")
    return channels, height, width


def build(rows: Any, shape: Shape, tensors: Mapping[str, NDArray[Any]]) -> Layer:
    """The network that ``rows`` describe for images [N, *shape], with its weights out of ``tensors``, in evaluation mode.

    ValueError for rows that make no sense, that are too large, or that ``tensors`` does not fit.
    """
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_ROWS:
        raise wrong("architecture", rows, f"a list of 1 to {MAX_ROWS} rows")
    checked: list[tuple[str, Json, list[Any]]] = []
    used: dict[str, NDArray[Any]] = {}
    shapes: list[Shape] = []
    floats = products = 0
    for number, row in enumerate(rows):
        what = f"architecture, row {number}"
        name, attrs, inputs = _checked_row(what, row, number)
        given = [_shape_of(what, one, (BATCH, *shape), shapes, tensors, used) for one in inputs]
        try:
            result = RULES[name].shape(what, attrs, given)
        except (IndexError, TypeError):
            raise wrong(what, [None if s is None else list(s) for s in given], f"what {name} takes") from None
        if math.prod(result) // (BATCH if BATCH in result else 1) > MAX_ACTIVATION or 0 in result:
            raise wrong(what, list(result), f"1 to {MAX_ACTIVATION} numbers a sample")
        shapes.append(result)
        floats += _numbers(result) + _frame(given[0], attrs)
        products += _numbers(result) * _products(attrs, given)
        if floats > MAX_IN_ALL:
            raise wrong(what, f"{floats} numbers a sample up to here", f"at most {MAX_IN_ALL}")
        if products > MAX_PRODUCTS:
            raise wrong(what, f"{products} multiplications a sample up to here", f"at most {MAX_PRODUCTS}")
        checked.append((name, attrs, inputs))
    total = sum(tensor.size for tensor in used.values())
    if total > MAX_PARAMETERS:
        raise wrong("architecture", f"{total} parameters", f"at most {MAX_PARAMETERS}")
    last = shapes[-1]
    if len(last) != 2 or last[0] != BATCH or not 1 <= last[1] <= MAX_CLASSES:
        given_shape = f"an output of shape {list(last[1:] if last[:1] == (BATCH,) else last)}"
        raise wrong("architecture", given_shape, f"one number a class, for 1 to {MAX_CLASSES}")
    return _FromRows(checked, used).eval()


def _checked_row(what: str, row: Any, number: int) -> tuple[str, Json, list[Any]]:
    """A row's operation, its attributes as the operation takes them, and what it takes."""
    if not isinstance(row, dict) or not isinstance(row.get("op"), str) or row["op"] not in RULES:
        raise wrong(what, row.get("op") if isinstance(row, dict) else row, f"one of {', '.join(RULES)}")
    name, given = row["op"], row.get("attrs", {})
    rule, what = RULES[name], f"{what}, {name}"
    if not isinstance(given, dict) or set(given) != set(rule.attrs):
        raise wrong(what, given, f"exactly the attributes {', '.join(rule.attrs) or '(none)'}")
    attrs = {key: check(f"{what}, {key}", given[key]) for key, check in rule.attrs.items()}
    parameters = row.get("parameters", [])
    inputs = row.get("inputs", [number - 1, *parameters] if isinstance(parameters, list) else None)
    least, most = rule.operands
    if not isinstance(inputs, list) or not least <= len(inputs) <= most:
        expected = f"{least - 1} parameters" if "inputs" not in row else f"{least} to {most} inputs"
        raise wrong(what, parameters if "inputs" not in row else inputs, expected)
    for place, one in enumerate(inputs):
        _check_input(what, one, number, place < rule.needed)
        if place in _STATISTICS.get(name, ()) and not isinstance(one, str):
            raise wrong(what, one, "the name of a tensor")
    return name, attrs, inputs


def _check_input(what: str, one: Any, number: int, needed: bool) -> None:
    if one is None and not needed:
        return
    if type(one) is int:
        if not IMAGES <= one < number:
            raise wrong(what, f"row {one} as an input", f"a row from 0 to {number - 1}, or -1 for the images")
    elif isinstance(one, dict):
        if set(one) != {"value"}:
            raise wrong(what, one, '{"value": a number or a list of numbers}')
    elif not isinstance(one, str) or not all(one.split(".")) or one.count(".") > 16:
        raise wrong(what, one, "a name such as conv1.weight")


def _shape_of(
    what: str, one: Any, images: Shape, shapes: list[Shape], tensors: Mapping[str, NDArray[Any]], used: Json
) -> Shape | None:
    """The shape of one thing that a row takes; ``used`` gets the tensor of a name."""
    if one is None:
        return None
    if type(one) is int:
        return images if one == IMAGES else shapes[one]
    if isinstance(one, dict):
        return _constant(what, one["value"]).shape
    tensor = tensors.get(one)
    if tensor is None or tensor.dtype != np.float32:
        raise wrong(what, f"no float32 tensor {one}", f"one of {', '.join(list(tensors)[:12])}")
    used[one] = tensor
    return tensor.shape


def _constant(what: str, value: Any) -> NDArray[np.float32]:
    """A row's {"value": …} as an array of at most four dimensions; ValueError for anything but finite numbers."""
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
    if found.dtype.kind not in "if" or not found.size:
        raise wrong(what, value, "a number or a list of numbers")
    if not (np.abs(found) <= np.finfo(np.float32).max).all():
        raise wrong(what, value, "finite numbers")
    return found.astype(np.float32)


def _numbers(shape: Shape) -> int:
    return math.prod(shape) // (BATCH if BATCH in shape else 1)


def _frame(shape: Shape | None, attrs: Json) -> int:
    """How many numbers a padded image has; 0 for a row without padding."""
    if shape is None or len(shape) != 4 or not any(attrs.get("padding", ())):
        return 0
    top, bottom, left, right = attrs["padding"]
    return int(shape[1] * (shape[2] + top + bottom) * (shape[3] + left + right))


def _products(attrs: Json, shapes: list[Shape | None]) -> int:
    """How many multiplications (of pooling, numbers looked at) an output takes."""
    weight = shapes[1] if len(shapes) > 1 else None
    if weight is not None and BATCH not in weight and len(weight) in (2, 4) and ("groups" in attrs or not attrs):
        return math.prod(weight[1:]) if len(weight) == 4 else weight[0]
    return math.prod(attrs.get("kernel", (1,)))


class _FromRows(Layer):
    """A network that runs rows; its tensors stand under their own names (``net.conv1.weight``)."""

    def __init__(self, rows: list[tuple[str, Json, list[Any]]], tensors: Mapping[str, NDArray[Any]]) -> None:
        super().__init__()
        self._rows: list[Any] = []  # first of all: no layer may take this name
        held: dict[str, Tensor] = {}
        counted = {inputs[k] for name, _, inputs in rows for k in _STATISTICS.get(name, ())}
        for name, array in tensors.items():
            *path, leaf = name.split(".")
            owner: Layer = self
            try:
                for step in path:
                    owner = owner._sub_layers.get(step) or _added(owner, step)
                parameter = owner.create_parameter(list(array.shape), Constant(0.0))  # draws no random number
                assert parameter is not None  # None is made for attr=False alone
                owner.add_parameter(leaf, parameter)
                held[name] = parameter
                parameter.set_value(array)
                parameter.stop_gradient = name in counted
            except KeyError as error:
                raise ValueError(error.args[0]) from None
        self._rows = [(name, [_held(one, held) for one in inputs], attrs) for name, attrs, inputs in rows]

    def forward(self, x: Tensor) -> Tensor:
        results: list[Tensor] = []
        for name, inputs, attrs in self._rows:
            if name in _MODES:
                attrs = attrs | {_MODES[name]: self.training}
            taken = [(x if one == IMAGES else results[one]) if type(one) is int else one for one in inputs]
            results.append(tape.call(name, *taken, **attrs))
        return results[-1]


def _held(one: Any, held: Mapping[str, Tensor]) -> Any:
    """What a row takes, ready to be used: a row's number, a tensor or None."""
    if isinstance(one, str):
        return held[one]
    return dense(_constant("value", one["value"])) if isinstance(one, dict) else one


def _added(owner: Layer, name: str) -> Layer:
    child = Layer()
    owner.add_sublayer(owner._check_new_name("layer", name, "_sub_layers"), child)
    return child
