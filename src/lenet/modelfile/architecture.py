"""A network as rows of the table of operations: how a model file says what its weights belong to.

``describe`` watches a network's forward pass and writes down its rows as plain JSON; ``build`` makes a network of such
rows and of weights by name. The rows come from a file, so nothing in them is trusted: ``build`` computes every shape from
them first and refuses what is too large before anything of that size is allocated. It knows no file, no recipe and no
image but its shape. Read by ``train``, which puts the rows into a model file, and by whoever reads one.

One row: ``{"op": "conv2d", "attrs": {"stride": [1, 1], …}, "parameters": ["conv1.weight", "conv1.bias"], "output":
[6, 28, 28]}``. The first row takes the images [N, C, H, W], every other the result before it; ``output`` leaves N out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.autograd import core_rows, tape
from lenet.autograd.tape import Trace
from lenet.autograd.tensor import Tensor, dense
from lenet.messages.check import brief, message
from lenet.messages.version import version
from lenet.nn.initializer import Constant
from lenet.nn.layer import Layer

__all__ = ["FORMAT", "MAX_CLASSES", "MAX_NAME", "account", "build", "describe", "input_shape", "version"]

Json = dict[str, Any]
Shape = tuple[int, ...]

FORMAT = 1  # of a model file's account

MAX_ROWS = 1000
MAX_NUMBER = 4096  # the largest stride, kernel, padding or image side
MAX_PARAMETERS = 1 << 26
MAX_ACTIVATION = 1 << 20  # floats a sample between two rows: 64 MiB for a group of sixteen
MAX_IN_ALL = 1 << 21  # of all rows together, with the frames that padding lays around images
MAX_PRODUCTS = 1 << 28  # multiplications or comparisons a sample: seconds for a group of sixteen in plain loops
MAX_CLASSES = 4096
MAX_NAME = 255  # characters of a class's name: more than a folder's can have

_PARAMETERS = {"conv2d": 2, "linear": 2}  # weight and bias; the other operations have none


def account(rows: list[Json], shape: Sequence[int], mean: float, std: float, labels: Sequence[str]) -> Json:
    """What a model file says of its network: the version, the rows, how a pixel enters, and the labels' names."""
    return {
        "format": FORMAT,
        "lenet": version(),
        "architecture": rows,
        "input": {"shape": list(shape), "mean": mean, "std": std, "ground": "dark"},
        "labels": list(labels),
    }


# ---- writing -------------------------------------------------------------------------------------------------------


def describe(network: Layer, shape: Sequence[int]) -> list[Json]:
    """The rows of ``network`` in evaluation mode for images [N, *shape].

    ValueError if it is no chain of core operations on parameters of its own. Its mode is left as it was.
    """
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    before = network.training
    network.eval()
    try:
        x = dense(np.zeros((2, *shape), np.float32))
        with tape.no_grad(), Trace() as seen:
            result = network(x)
    finally:
        network.train(before)
    rows, last = [], x
    for node, output in seen.nodes:
        name, parameters = node.row.name, node.inputs[1:]
        if name not in _ATTRS or node.inputs[0] is not last:
            raise ValueError(message("network", f"a forward with {name}", "a chain of operations of the table"))
        if any(p is not None and id(p) not in names for p in parameters):
            raise ValueError(message("network", f"a {name} whose weights are computed", "parameters of the network"))
        attrs = {key: _plain(node.attrs[key]) for key in _ATTRS[name]}
        if name == "reshape":
            attrs["shape"] = [-1, *node.output_shape[1:]]
        row: Json = {"op": name, "attrs": attrs, "output": list(node.output_shape[1:])}
        if parameters:
            row["parameters"] = [None if p is None else names[id(p)] for p in parameters]
        rows.append(row)
        last = output
    if last is not result or not rows:
        raise ValueError(message("network", "a forward that is no chain", "a chain of operations of the table"))
    return rows


def _plain(value: Any) -> Any:
    return [int(v) for v in value] if isinstance(value, (tuple, list)) else value


# ---- reading: what a row may say -----------------------------------------------------------------------------------


def _wrong(what: str, given: object, expected: str) -> ValueError:
    return ValueError(message(what, brief(given, 80), expected))


def _whole(low: int, high: int = MAX_NUMBER) -> Callable[[str, Any], int]:
    def check(what: str, value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise _wrong(what, value, f"a whole number from {low} to {high}")
        return value

    return check


def _several(count: int, low: int) -> Callable[[str, Any], Shape]:
    one = _whole(low)

    def check(what: str, value: Any) -> Shape:
        if not isinstance(value, list) or len(value) != count:
            raise _wrong(what, value, f"{count} whole numbers")
        return tuple(one(what, item) for item in value)

    return check


def _flag(what: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(what, value, "true or false")
    return value


def _optional_divisor(what: str, value: Any) -> int | None:
    return None if value is None else _whole(1, MAX_NUMBER**2)(what, value)


def _axis(what: str, value: Any) -> int:
    return _whole(-4, 3)(what, value)


def _sizes(what: str, value: Any) -> Shape:
    if not isinstance(value, list) or not 2 <= len(value) <= 5 or value[0] != -1:
        raise _wrong(what, value, "-1 and one to four sizes")
    return (-1, *(_whole(1, MAX_ACTIVATION)(what, size) for size in value[1:]))


def _share(what: str, value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise _wrong(what, value, "a number from 0 to 1")
    return float(value)


def _mode(what: str, value: Any) -> str:
    if value not in ("upscale_in_train", "downscale_in_infer"):
        raise _wrong(what, value, "'upscale_in_train' or 'downscale_in_infer'")
    return str(value)


_PAIR, _FOUR = _several(2, 1), _several(4, 0)
_POOL = {"kernel": _PAIR, "stride": _PAIR, "padding": _FOUR, "ceil_mode": _flag}
_ATTRS: dict[str, dict[str, Callable[[str, Any], Any]]] = {
    "conv2d": {"stride": _PAIR, "padding": _FOUR, "dilation": _PAIR, "groups": _whole(1)},
    "max_pool2d": _POOL,
    "avg_pool2d": _POOL | {"exclusive": _flag, "divisor": _optional_divisor},
    "relu": {},
    "sigmoid": {},
    "tanh": {},
    "flatten": {"start": _axis, "stop": _axis},
    "reshape": {"shape": _sizes},
    "linear": {},
    "dropout": {"p": _share, "mode": _mode},
    "softmax": {"axis": _axis},
}


def input_shape(value: Any) -> tuple[int, int, int]:
    """A file's input shape as (C, H, W); ValueError unless it is three whole numbers of a reasonable size."""
    channels, height, width = _several(3, 1)("input shape", value)
    if channels * height * width > MAX_ACTIVATION:
        raise _wrong("input shape", value, f"at most {MAX_ACTIVATION} numbers an image")
    return channels, height, width


def build(rows: Any, shape: Shape, tensors: Mapping[str, NDArray[Any]]) -> Layer:
    """The network that ``rows`` describe for images [N, *shape], with its weights out of ``tensors``, in evaluation mode.

    ValueError for rows that make no sense, that are too large, or that ``tensors`` does not fit.
    """
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_ROWS:
        raise _wrong("architecture", rows, f"a list of 1 to {MAX_ROWS} rows")
    checked, used, total = [], {}, 0
    floats, products = math.prod(shape), 0
    for number, row in enumerate(rows):
        what = f"architecture, row {number}"
        name, attrs, parameters = _checked_row(what, row)
        weights = [None if p is None else _tensor(what, p, tensors) for p in parameters]
        shapes = [None if w is None else w.shape for w in weights]
        frame = _frame(what, shape, attrs)
        shape = _output_shape(what, name, attrs, shapes, shape)
        if math.prod(shape) > MAX_ACTIVATION:
            raise _wrong(what, list(shape), f"at most {MAX_ACTIVATION} numbers a sample")
        floats += frame + math.prod(shape)
        products += math.prod(shape) * _products(attrs, shapes)
        if floats > MAX_IN_ALL:
            raise _wrong(what, f"{floats} numbers a sample up to here", f"at most {MAX_IN_ALL}")
        if products > MAX_PRODUCTS:
            raise _wrong(what, f"{products} multiplications a sample up to here", f"at most {MAX_PRODUCTS}")
        for parameter, weight in zip(parameters, weights, strict=True):
            if parameter is not None and weight is not None:
                if parameter in used:
                    raise _wrong(what, parameter, "each parameter once")
                used[parameter] = weight
                total += weight.size
        checked.append((name, attrs, parameters))
    if total > MAX_PARAMETERS:
        raise _wrong("architecture", f"{total} parameters", f"at most {MAX_PARAMETERS}")
    if len(shape) != 1 or not 1 <= shape[0] <= MAX_CLASSES:
        raise _wrong("architecture", f"an output of shape {list(shape)}", f"one number a class, for 1 to {MAX_CLASSES}")
    return _FromRows(checked, used).eval()


def _frame(what: str, shape: Shape, attrs: Json) -> int:
    """How many numbers a padded image has; 0 for a row without padding. ValueError for too many."""
    if len(shape) != 3 or not any(attrs.get("padding", ())):
        return 0
    top, bottom, left, right = attrs["padding"]
    frame = shape[0] * (shape[1] + top + bottom) * (shape[2] + left + right)
    if frame > MAX_ACTIVATION:
        given = f"{list(shape)} padded to {shape[1] + top + bottom} x {shape[2] + left + right}"
        raise _wrong(what, given, f"at most {MAX_ACTIVATION} numbers a sample")
    return frame


def _products(attrs: Json, weights: list[Shape | None]) -> int:
    """How many multiplications (of pooling, numbers looked at) an output takes."""
    if weights and weights[0] is not None:
        return math.prod(weights[0][1:]) if len(weights[0]) == 4 else weights[0][0]
    return math.prod(attrs.get("kernel", (1,)))


def _checked_row(what: str, row: Any) -> tuple[str, Json, list[str | None]]:
    if not isinstance(row, dict) or not isinstance(row.get("op"), str) or row["op"] not in _ATTRS:
        raise _wrong(what, row.get("op") if isinstance(row, dict) else row, f"one of {', '.join(_ATTRS)}")
    name, given, parameters = row["op"], row.get("attrs", {}), row.get("parameters", [])
    if not isinstance(given, dict) or set(given) != set(_ATTRS[name]):
        raise _wrong(f"{what}, {name}", given, f"exactly the attributes {', '.join(_ATTRS[name]) or '(none)'}")
    attrs = {key: check(f"{what}, {name}, {key}", given[key]) for key, check in _ATTRS[name].items()}
    if not isinstance(parameters, list) or len(parameters) != _PARAMETERS.get(name, 0):
        raise _wrong(f"{what}, {name}", parameters, f"{_PARAMETERS.get(name, 0)} parameters")
    for place, parameter in enumerate(parameters):
        if parameter is None and place == 1:
            continue  # no bias
        if not isinstance(parameter, str) or not all(parameter.split(".")) or parameter.count(".") > 16:
            raise _wrong(f"{what}, {name}", parameter, "a name such as conv1.weight")
    return name, attrs, parameters


def _tensor(what: str, name: str, tensors: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    tensor = tensors.get(name)
    if tensor is None or tensor.dtype != np.float32:
        raise _wrong(what, f"no float32 tensor {name}", f"one of {', '.join(list(tensors)[:12])}")
    return tensor


def _output_shape(what: str, name: str, attrs: Json, weights: list[Shape | None], shape: Shape) -> Shape:
    """The shape rule of a row: what [N, *shape] becomes, without N. ValueError where they don't fit."""
    if name == "conv2d":
        kernel, bias = weights
        if kernel is None or len(kernel) != 4 or min(kernel) < 1 or max(kernel) > MAX_ACTIVATION or len(shape) != 3:
            raise _wrong(what, f"weights {kernel} on {list(shape)}", "[K, C, kh, kw] on [C, H, W]")
        if bias not in (None, (kernel[0],)) or kernel[0] % attrs["groups"] or shape[0] % attrs["groups"]:
            raise _wrong(
                what, f"bias {bias}, {attrs['groups']} groups", f"a bias of {kernel[0]} and groups that divide"
            )
        top, bottom, left, right = attrs["padding"]
        spans = [(side - 1) * step + 1 for side, step in zip(kernel[2:], attrs["dilation"], strict=True)]
        places = zip((shape[1] + top + bottom, shape[2] + left + right), spans, attrs["stride"], strict=True)
        size = [kernel[0], *(max(0, side - span) // step + 1 for side, span, step in places)]
        if math.prod(size) > MAX_ACTIVATION:  # before the engine is asked for a frame of it
            raise _wrong(what, size, f"at most {MAX_ACTIVATION} numbers a sample")
        conv = core_rows._conv(shape, kernel, attrs["stride"], attrs["padding"], attrs["dilation"], attrs["groups"])
        return kernel[0], conv.OH, conv.OW
    if name in ("max_pool2d", "avg_pool2d"):
        if len(shape) != 3:
            raise _wrong(what, f"{name} on {list(shape)}", "[C, H, W]")
        exclusive, divisor = attrs.get("exclusive", True), attrs.get("divisor") or 0
        window = attrs["kernel"], attrs["stride"], attrs["padding"], attrs["ceil_mode"]
        pool = core_rows._pool(name, shape, *window, exclusive, divisor)
        return shape[0], pool.OH, pool.OW
    if name == "linear":
        matrix, bias = weights
        if (
            matrix is None
            or len(matrix) != 2
            or min(matrix) < 1
            or shape != matrix[:1]
            or bias not in (None, matrix[1:])
        ):
            raise _wrong(what, f"weights {matrix}, bias {bias} on {list(shape)}", "[I, O] and [O] on [I]")
        return matrix[1:]
    if name == "flatten":
        rank = len(shape) + 1
        start, stop = (axis % rank if -rank <= axis < rank else -1 for axis in (attrs["start"], attrs["stop"]))
        if not 1 <= start <= stop:
            raise _wrong(what, f"flatten from {attrs['start']} to {attrs['stop']}", f"axes from 1 to {rank - 1}")
        return (*shape[: start - 1], math.prod(shape[start - 1 : stop]), *shape[stop:])
    if name == "reshape":
        new: Shape = attrs["shape"][1:]
        if math.prod(new) != math.prod(shape):
            raise _wrong(what, f"reshape of {list(shape)} to {list(new)}", "as many numbers as before")
        return new
    if name == "softmax" and (len(shape) != 1 or attrs["axis"] not in (1, -1)):
        raise _wrong(what, f"softmax of {list(shape)} along {attrs['axis']}", "softmax over the classes of [N, C]")
    return shape


class _FromRows(Layer):
    """A network that runs rows; its parameters stand under their own names (``net.conv1.weight``)."""

    def __init__(self, rows: list[tuple[str, Json, list[str | None]]], tensors: Mapping[str, NDArray[Any]]) -> None:
        super().__init__()
        self._rows: list[Any] = []  # first of all: no layer may take this name
        parameters = {}
        for name, array in tensors.items():
            *path, leaf = name.split(".")
            owner: Layer = self
            try:
                for step in path:
                    owner = owner._sub_layers.get(step) or _added(owner, step)
                parameter = owner.create_parameter(list(array.shape), Constant(0.0))  # draws no random number
                parameters[name] = owner.add_parameter(leaf, parameter)
            except KeyError as error:
                raise ValueError(error.args[0]) from None
            if parameter is not None:
                parameter.set_value(array)
        self._rows = [
            (name, [None if p is None else parameters[p] for p in inputs], attrs) for name, attrs, inputs in rows
        ]

    def forward(self, x: Tensor) -> Tensor:
        for name, inputs, attrs in self._rows:
            if name == "dropout":
                attrs = attrs | {"training": self.training}
            x = tape.call(name, x, *inputs, **attrs)
        return x


def _added(owner: Layer, name: str) -> Layer:
    child = Layer()
    owner.add_sublayer(owner._check_new_name("layer", name, "_sub_layers"), child)
    return child
