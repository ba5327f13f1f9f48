"""ONNX's nodes for each row of a network, in operators of opset 17.

A row and the names of what it takes come in, nodes go into ``Nodes``, and the name of the result goes out. It knows no file
and no preprocessing. Read by ``onnx_file``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.export.graph import Graph, Row, window_pads
from lenet.messages.check import message

__all__ = ["Nodes", "network_nodes"]

_END = (1 << 63) - 1  # of a slice without an end


class Nodes:
    """The nodes and initializers of an ONNX graph in the making."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.initializers: dict[str, NDArray[Any]] = {}

    def add(self, op: str, *inputs: str, name: str = "", **attrs: Any) -> str:
        """One node with one result; returns the result's name. An input of "" is left out."""
        from onnx import helper

        result = name or f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [result], name=f"node_{len(self.nodes)}_{op}", **attrs))
        return result

    def constant(self, value: Any, dtype: Any = np.float32, name: str = "") -> str:
        """An initializer with these numbers; returns its name."""
        array = np.asarray(value, dtype)
        if not name:
            for known, other in self.initializers.items():
                alike = other.dtype == array.dtype and other.shape == array.shape
                if known.startswith("constant_") and alike and np.array_equal(other, array):
                    return known
            name = f"constant_{len(self.initializers)}"
        self.initializers[name] = array
        return name

    def whole(self, *numbers: int) -> str:
        """An initializer of whole numbers, int64 [n]."""
        return self.constant(numbers, np.int64)


Write = Callable[[Nodes, Row, list[str], list[tuple[int, ...]]], str]


def network_nodes(nodes: Nodes, graph: Graph, images: str) -> str:
    """All of a network's rows; images: the name of what enters. Returns the result's name.

    ValueError naming the row for an operation that ONNX has no form for.
    """
    for name, array in graph.tensors.items():
        nodes.constant(array, name=name)
    found: list[str] = []

    def shape_of(one: Any) -> tuple[int, ...]:
        """With 0 for N; () for what is left out."""
        if type(one) is int:
            row = graph.rows[one] if one >= 0 else Row("", {}, (), graph.shape)
            return (0, *row.shape) if row.batched else row.shape
        return graph.tensors[one].shape if isinstance(one, str) else () if one is None else one.shape

    def name_of(one: Any) -> str:
        if type(one) is int:
            return images if one < 0 else found[one]
        return "" if one is None else one if isinstance(one, str) else nodes.constant(one)

    for number, row in enumerate(graph.rows):
        write = _WRITERS.get(row.op)
        if write is None:
            raise ValueError(
                message(f"export.onnx, row {number}", f"the operation {row.op}", "one that ONNX's opset 17 has")
            )
        found.append(write(nodes, row, [name_of(one) for one in row.inputs], [shape_of(one) for one in row.inputs]))
    return found[-1]


# ---- windows ---------------------------------------------------------------------------------------------------------


def _conv2d(nodes: Nodes, row: Row, ins: list[str], shapes: list[tuple[int, ...]]) -> str:
    attrs = row.attrs
    top, bottom, left, right = attrs["padding"]
    return nodes.add(
        "Conv", *(ins if ins[2] else ins[:2]), kernel_shape=list(shapes[1][2:]), strides=list(attrs["stride"]),
        pads=[top, left, bottom, right], dilations=list(attrs["dilation"]), group=attrs["groups"],
    )  # fmt: skip


def _window(row: Row, image: tuple[int, ...]) -> dict[str, Any]:
    """A pooling's attributes. What ``ceil_mode`` adds is padding at the end here, which all runtimes take alike."""
    top, bottom, left, right = window_pads(row, image)
    given = {"kernel_shape": list(row.attrs["kernel"]), "strides": list(row.attrs["stride"])}
    return given | {"pads": [top, left, bottom, right]}


def _max_pool2d(nodes: Nodes, row: Row, ins: list[str], shapes: list[tuple[int, ...]]) -> str:
    return nodes.add("MaxPool", *ins, **_window(row, shapes[0][1:]))


def _avg_pool2d(nodes: Nodes, row: Row, ins: list[str], shapes: list[tuple[int, ...]]) -> str:
    top, bottom, left, right = row.attrs["padding"]
    divisor, window = row.attrs["divisor"], _window(row, shapes[0][1:])
    if divisor:
        mean = nodes.add("AveragePool", *ins, count_include_pad=1, **window)
        return nodes.add("Mul", mean, nodes.constant(math.prod(row.attrs["kernel"]) / divisor))
    if row.attrs["exclusive"] or not any((top, bottom, left, right)):
        return nodes.add("AveragePool", *ins, **window)
    begin = nodes.whole(0, 0, top, left, 0, 0, bottom, right)
    padded = nodes.add("Pad", *ins, begin, nodes.constant(0.0))
    ends = [max(0, window["pads"][2] - bottom), max(0, window["pads"][3] - right)]
    return nodes.add("AveragePool", padded, **window | {"pads": [0, 0, *ends]})


def _upsample2d(nodes: Nodes, row: Row, ins: list[str], shapes: list[tuple[int, ...]]) -> str:
    scales = nodes.constant([1, 1, *row.attrs["factor"]])
    form = {"coordinate_transformation_mode": "asymmetric", "mode": "nearest", "nearest_mode": "floor"}
    return nodes.add("Resize", *ins, "", scales, **form)


def _batch_norm(nodes: Nodes, row: Row, ins: list[str], shapes: list[tuple[int, ...]]) -> str:
    x, weight, bias, mean, var = ins
    channels = shapes[3]
    weight, bias = weight or nodes.constant(np.ones(channels)), bias or nodes.constant(np.zeros(channels))
    return nodes.add("BatchNormalization", x, weight, bias, mean, var, **_normal(row))


def _normal(row: Row) -> dict[str, Any]:
    return {key: float(row.attrs[key]) for key in ("epsilon", "momentum")}


def _layer_norm(nodes: Nodes, row: Row, ins: list[str], shapes: list[tuple[int, ...]]) -> str:
    over = row.attrs["over"]
    scale = ins[1] or nodes.constant(np.ones(row.shape[-over:]))
    normal = {"axis": -over, "epsilon": float(row.attrs["epsilon"])}
    if len(shapes[1]) <= over:
        return nodes.add("LayerNormalization", ins[0], scale, *ins[2:], **normal)
    plain = nodes.add("LayerNormalization", ins[0], nodes.constant(np.ones(row.shape[-over:])), **normal)
    scaled = nodes.add("Mul", plain, scale)
    return nodes.add("Add", scaled, ins[2]) if ins[2] else scaled


# ---- products and sums -----------------------------------------------------------------------------------------------


def _linear(nodes: Nodes, row: Row, ins: list[str], shapes: list[tuple[int, ...]]) -> str:
    if len(shapes[0]) == 2:
        return nodes.add("Gemm", *(ins if ins[2] else ins[:2]))
    product = nodes.add("MatMul", *ins[:2])
    return nodes.add("Add", product, ins[2]) if ins[2] else product


def _reduction(op: str) -> Write:
    def write(nodes: Nodes, row: Row, ins: list[str], shapes: list[tuple[int, ...]]) -> str:
        axis = row.attrs["axis"]
        axes = (
            list(range(len(shapes[0]))) if axis is None else list(axis) if isinstance(axis, (list, tuple)) else [axis]
        )
        keep = int(row.attrs["keepdim"])
        if op == "ReduceSum":  # the one of them whose axes are an input in opset 17
            return nodes.add(op, *ins, nodes.whole(*axes), keepdims=keep)
        return nodes.add(op, *ins, axes=axes, keepdims=keep)

    return write


# ---- arranging -------------------------------------------------------------------------------------------------------


def _reshape(nodes: Nodes, row: Row, ins: list[str], shapes: list[tuple[int, ...]]) -> str:
    if row.op == "flatten" and row.batched and len(row.shape) == 1:
        return nodes.add("Flatten", *ins, axis=1)
    return nodes.add("Reshape", *ins, nodes.whole(*([-1] if row.batched else []), *row.shape))


def _transpose(nodes: Nodes, row: Row, ins: list[str], shapes: list[tuple[int, ...]]) -> str:
    return nodes.add("Transpose", *ins, perm=list(row.attrs["perm"]))


def _pad(nodes: Nodes, row: Row, ins: list[str], shapes: list[tuple[int, ...]]) -> str:
    pads, mode = row.attrs["pads"], row.attrs["mode"]
    if mode == "circular":  # a mode of later opsets
        result = ins[0]
        for axis, (before, after) in enumerate(pads):
            size = shapes[0][axis]
            parts = [_slice(nodes, result, axis, size - before, size)] if before else []
            parts += [result, *([_slice(nodes, result, axis, 0, after)] if after else [])]
            result = nodes.add("Concat", *parts, axis=axis) if len(parts) > 1 else result
        return result
    ends = nodes.whole(*(pair[0] for pair in pads), *(pair[1] for pair in pads))
    if mode == "constant":
        return nodes.add("Pad", *ins, ends, nodes.constant(row.attrs["value"]), mode="constant")
    return nodes.add("Pad", *ins, ends, mode={"reflect": "reflect", "replicate": "edge"}[mode])


def _slice(nodes: Nodes, x: str, axis: int, start: int, stop: int, step: int = 1) -> str:
    return nodes.add("Slice", x, *(nodes.whole(n) for n in (start, stop, axis, step)))


def _getitem(nodes: Nodes, row: Row, ins: list[str], shapes: list[tuple[int, ...]]) -> str:
    key = [slice(*one["slice"]) if isinstance(one, dict) else one for one in row.attrs["key"]]
    result = ins[0]
    for axis, one in enumerate(key):
        if isinstance(one, slice) and one != slice(None, None, None):
            stop = _END if one.stop is None else one.stop
            result = _slice(nodes, result, axis, one.start or 0, stop, one.step or 1)
    for axis, one in reversed(list(enumerate(key))):
        if not isinstance(one, slice):
            result = nodes.add("Gather", result, nodes.constant(one, np.int64), axis=axis)
    return nodes.add("Identity", result) if result == ins[0] else result


def _concat(nodes: Nodes, row: Row, ins: list[str], shapes: list[tuple[int, ...]]) -> str:
    return nodes.add("Concat", *ins, axis=row.attrs["axis"])


# ---- elementwise -----------------------------------------------------------------------------------------------------


def _plain(op: str, **renamed: str) -> Write:
    """An operator of the same meaning. renamed: its attributes, by the row's."""

    def write(nodes: Nodes, row: Row, ins: list[str], shapes: list[tuple[int, ...]]) -> str:
        settings: dict[str, Any] = {theirs: float(row.attrs[ours]) for ours, theirs in renamed.items()}
        return nodes.add(op, *ins, **settings)

    return write


def _clip(nodes: Nodes, row: Row, ins: list[str], shapes: list[tuple[int, ...]]) -> str:
    low, high = (0.0, 6.0) if row.op == "relu6" else (row.attrs["low"], row.attrs["high"])
    limits = ["" if limit is None else nodes.constant(limit) for limit in (low, high)]
    return nodes.add("Clip", *ins, *(limits if limits[1] else limits[:1]))


def _shrink(nodes: Nodes, row: Row, ins: list[str], shapes: list[tuple[int, ...]]) -> str:
    threshold = float(row.attrs["threshold"])
    return nodes.add("Shrink", *ins, lambd=threshold, bias=threshold if row.op == "softshrink" else 0.0)


def _softplus(nodes: Nodes, row: Row, ins: list[str], shapes: list[tuple[int, ...]]) -> str:
    beta, threshold = row.attrs["beta"], row.attrs["threshold"]
    scaled = nodes.add("Mul", *ins, nodes.constant(beta)) if beta != 1 else ins[0]
    soft = nodes.add("Softplus", scaled)
    soft = nodes.add("Div", soft, nodes.constant(beta)) if beta != 1 else soft
    if threshold >= 16:  # from there on float32 can't tell log(1 + exp(x)) from x
        return soft
    return nodes.add("Where", nodes.add("Greater", scaled, nodes.constant(threshold)), *ins, soft)


def _gelu(nodes: Nodes, row: Row, ins: list[str], shapes: list[tuple[int, ...]]) -> str:
    (x,), half, one = ins, nodes.constant(0.5), nodes.constant(1.0)
    if row.attrs["approximate"]:
        cube = nodes.add("Mul", nodes.add("Mul", x, x), x)
        inner = nodes.add("Add", x, nodes.add("Mul", cube, nodes.constant(0.044715)))
        bent = nodes.add("Tanh", nodes.add("Mul", inner, nodes.constant(math.sqrt(2 / math.pi))))
    else:
        bent = nodes.add("Erf", nodes.add("Mul", x, nodes.constant(math.sqrt(0.5))))
    return nodes.add("Mul", nodes.add("Mul", x, half), nodes.add("Add", bent, one))


def _composed(nodes: Nodes, row: Row, ins: list[str], shapes: list[tuple[int, ...]]) -> str:
    """Activations that opset 17 has in parts."""
    (x,) = ins
    if row.op == "silu":
        return nodes.add("Mul", x, nodes.add("Sigmoid", x))
    if row.op == "mish":
        return nodes.add("Mul", x, nodes.add("Tanh", nodes.add("Softplus", x)))
    if row.op == "tanhshrink":
        return nodes.add("Sub", x, nodes.add("Tanh", x))
    if row.op == "log_sigmoid":
        return nodes.add("Neg", nodes.add("Softplus", nodes.add("Neg", x)))
    if row.op == "rsqrt":
        return nodes.add("Reciprocal", nodes.add("Sqrt", x))
    return nodes.add("Mul", x, x)  # square


def _dropout(nodes: Nodes, row: Row, ins: list[str], shapes: list[tuple[int, ...]]) -> str:
    if row.attrs["mode"] == "upscale_in_train":
        return nodes.add("Identity", *ins)
    return nodes.add("Mul", *ins, nodes.constant(1 - row.attrs["p"]))


def _softmax(nodes: Nodes, row: Row, ins: list[str], shapes: list[tuple[int, ...]]) -> str:
    return nodes.add("Softmax", *ins, axis=row.attrs["axis"])


_WRITERS: dict[str, Write] = {
    "conv2d": _conv2d, "linear": _linear, "max_pool2d": _max_pool2d, "avg_pool2d": _avg_pool2d, "dropout": _dropout,
    "softmax": _softmax, "batch_norm": _batch_norm, "upsample2d": _upsample2d, "flatten": _reshape, "reshape": _reshape,
    "transpose": _transpose, "pad": _pad, "getitem": _getitem, "concat": _concat, "clip": _clip, "layer_norm": _layer_norm,
    "relu6": _clip, "hardtanh": _clip, "hardshrink": _shrink, "softshrink": _shrink, "softplus": _softplus, "gelu": _gelu,
    "elu": _plain("Elu", alpha="alpha"), "celu": _plain("Celu", alpha="alpha"),
    "selu": _plain("Selu", alpha="alpha", scale="gamma"), "leaky_relu": _plain("LeakyRelu", slope="alpha"),
    "hardsigmoid": _plain("HardSigmoid", slope="alpha", offset="beta"),
}  # fmt: skip
_WRITERS |= dict.fromkeys(("silu", "mish", "tanhshrink", "log_sigmoid", "rsqrt", "square"), _composed)
_WRITERS |= {name: _reduction(f"Reduce{name.title()}") for name in ("sum", "mean", "max", "min")}
_WRITERS |= {
    ours: _plain(theirs)
    for ours, theirs in {
        "matmul": "MatMul", "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "maximum": "Max",
        "minimum": "Min", "relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "hardswish": "HardSwish",
        "softsign": "Softsign", "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "abs": "Abs", "neg": "Neg",
        "reciprocal": "Reciprocal", "sin": "Sin", "cos": "Cos", "erf": "Erf",
    }.items()
}  # fmt: skip
