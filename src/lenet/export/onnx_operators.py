"""ONNX's operators as rows, of opsets 7 to 25: one function for each operator that a network here has.

What is known without an image (weights, shapes, axes) is an array and is computed here; all else is a row's number. Read by
``onnx_reader``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from lenet.export.graph import Building
from lenet.messages.check import brief, message, one_line

__all__ = ["Operators", "array_of"]

_UNARY = {
    "Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Exp": "exp", "Log": "log", "Sqrt": "sqrt", "Abs": "abs",
    "Neg": "neg", "Reciprocal": "reciprocal", "Sin": "sin", "Cos": "cos", "Erf": "erf", "Softsign": "softsign",
    "HardSwish": "hardswish", "Mish": "mish",
}  # fmt: skip
_BINARY = {"Add": "add", "Sub": "subtract", "Mul": "multiply", "Div": "divide", "Max": "maximum", "Min": "minimum"}
_FOLDED: dict[str, Callable[..., Any]] = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply}  # of whole numbers
_BIG = 1 << 30
_FEW = 4096  # numbers of a constant that is no weight


class Operators:
    """The rows of an ONNX graph, put into a ``Building``.

    batch: the file's fixed number of images, 0 where it is open. own: the file is lenet's, whose constants are no weights.
    """

    def __init__(
        self, building: Building, opset: int, batch: int, constants: dict[str, NDArray[Any]], own: bool
    ) -> None:
        self.b, self.opset, self.batch, self.own = building, opset, batch, own
        self.values: dict[str, Any] = dict(constants)  # arrays, and numbers of rows
        self.names = {id(array): name for name, array in constants.items()}
        self.node: Any = None
        self.attrs: dict[str, Any] = {}
        self.uses: Counter[str] = Counter()

    def run(self, nodes: Sequence[Any], output: str) -> None:
        """All nodes in order. ValueError naming the node for an operator that has no rows here."""
        self.uses = Counter([name for node in nodes for name in node.input] + [output])
        for number, node in enumerate(nodes):
            self.node, self.number = node, number
            if node.domain not in ("", "ai.onnx"):
                self.refuse(f"{node.op_type} of {brief(node.domain)}")
            write = getattr(self, f"_op_{node.op_type}", None) if node.op_type.isidentifier() else None
            if write is None and node.op_type not in (*_UNARY, *_BINARY):
                self.refuse(brief(node.op_type))
            self.attrs = {one.name: self._attribute(one) for one in node.attribute}
            inputs = [self._input(name) for name in node.input]
            try:
                results = write(*inputs) if write is not None else self._elementwise(inputs)
            except (IndexError, KeyError, TypeError, OverflowError):
                raise self.trouble(
                    f"{node.op_type} with other inputs or attributes", "what ONNX says it takes"
                ) from None
            if not isinstance(results, list):
                results = [results]
            for name, result in zip(node.output, results, strict=False):
                self.values[name] = result
        last = self.values.get(output)
        if not isinstance(last, int) or last < 0 or not self.b.batched(last):
            raise ValueError(message(self.b.what, f"an output {brief(output)} that no node makes of images", "one"))
        self.b.end(last)

    # ---- what nodes say ----------------------------------------------------------------------------------------------

    def place(self) -> str:
        """Where the present node is."""
        name = f" {one_line(self.node.name, 60)}" if self.node.name else ""
        return f"node {self.number}{name}, {one_line(self.node.op_type, 40)}"

    def trouble(self, given: str, expected: str) -> ValueError:
        """The error for the present node."""
        return ValueError(message(f"{self.b.what}, {self.place()}", given, expected))

    def refuse(self, given: str) -> NoReturn:
        """ValueError for what no network here has."""
        raise self.trouble(f"the operator {given}", "one that a network here has")

    def _attribute(self, one: Any) -> Any:
        from onnx import AttributeProto, helper

        if one.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS, AttributeProto.SPARSE_TENSOR):
            self.refuse(f"{self.node.op_type} with a graph in it")
        if one.type == AttributeProto.TENSOR:
            return array_of(self.b.what, self.place(), one.t)
        try:
            value = helper.get_attribute_value(one)
        except ValueError:
            raise self.trouble(f"a damaged attribute {brief(one.name)}", "numbers or text") from None
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value

    def _input(self, name: str) -> Any:
        if not name:
            return None
        if name not in self.values:
            raise self.trouble(f"{brief(name)}, which no node before it makes", "results of earlier nodes")
        return self.values[name]

    # ---- rows --------------------------------------------------------------------------------------------------------

    def row(self, op: str, *inputs: Any, **attrs: Any) -> int:
        """A row of these."""
        return self.b.row(op, self.place(), *(self.operand(one) for one in inputs), **attrs)

    def operand(self, value: Any) -> Any:
        """What a row takes. Few numbers without a name of their own are constants, all others weights."""
        if value is None or isinstance(value, (int, str)):
            return value
        if value.dtype != np.float32:
            raise self.trouble(f"numbers of {value.dtype}", "float32")
        name = self.names.get(id(value), "")
        if value.size <= _FEW and (not name or value.ndim == 0 or (self.own and name.startswith("constant_"))):
            return value
        return self.b.name(name or "constant", value)

    def weight(self, value: Any, turned: bool = False) -> str:
        """A weight's name; turned: its numbers are [O, I] in the file."""
        if not isinstance(value, np.ndarray) or value.dtype != np.float32:
            raise self.trouble("a weight that isn't float32 in the file", "one")
        return self.b.name(self.names.get(id(value), "weight"), value.T if turned else value)

    def shape(self, value: Any) -> tuple[int, ...]:
        """With 0 for N."""
        return self.b.shape(value) if isinstance(value, int) else np.shape(value)

    def whole(self, value: Any) -> list[int]:
        """Known whole numbers as a list."""
        if value is None or isinstance(value, int) or value.dtype.kind not in "iu":
            raise self.trouble("sizes or axes that are computed of the images", "known whole numbers")
        return [int(one) for one in value.reshape(-1)]

    def setting(self, name: str, inputs: Sequence[Any], place: int, since: int) -> list[int] | None:
        """What was an attribute before opset ``since`` and is an input from then on; None where it is left out."""
        if self.opset < since:
            found = self.attrs.get(name)
            return None if found is None else [int(one) for one in found]
        return self.whole(inputs[place]) if len(inputs) > place and inputs[place] is not None else None

    def axis(self, axis: int, value: Any) -> int:
        """From 0; ValueError beyond the value's axes."""
        rank = len(self.shape(value))
        if not -rank <= axis < rank:
            raise self.trouble(f"axis {axis} of {rank}", "one of them")
        return axis % rank

    # ---- elementwise -------------------------------------------------------------------------------------------------

    def _elementwise(self, inputs: list[Any]) -> Any:
        kind = self.node.op_type
        if kind in _UNARY:
            return self.row(_UNARY[kind], inputs[0])
        known = [one for one in inputs if isinstance(one, np.ndarray)]
        if len(known) == len(inputs) and kind in _FOLDED and all(one.dtype.kind in "iu" for one in known):
            return self._held(_FOLDED[kind](*known))
        result = inputs[0]
        for other in inputs[1:]:
            joined = self._joined(result, other) if kind == "Add" else None
            result = self.row(_BINARY[kind], result, other) if joined is None else joined
        return result

    def _joined(self, a: Any, b: Any) -> int | None:
        """A bias that the file adds behind a convolution or a product, as that row's own; None if it is another sum."""
        row, bias = (a, b) if isinstance(a, int) else (b, a)
        if not isinstance(row, int) or not isinstance(bias, np.ndarray) or bias.dtype != np.float32:
            return None
        sources = [name for name, value in self.values.items() if type(value) is int and value == row]
        op, shape = self.b.op(row), self.shape(row)
        features = shape[1] if op == "conv2d" else shape[-1]
        lying = (features, 1, 1) if op == "conv2d" else (features,)
        if (
            len(sources) != 1
            or self.uses[sources[0]] != 1
            or op not in ("conv2d", "linear")
            or bias.shape[-len(lying) :] != lying
        ):
            return None
        if bias.size != features or id(bias) not in self.names:
            return None
        name = self.b.name(self.names[id(bias)], bias.reshape(-1))
        return row if self.b.give(row, 2, name, (features,), op) else None

    def _op_Identity(self, x: Any) -> Any:
        return x

    def _op_Dropout(self, x: Any, *rest: Any) -> Any:
        return x

    def _op_Sum(self, *inputs: Any) -> Any:
        result = inputs[0]
        for other in inputs[1:]:
            result = self.row("add", result, other)
        return result

    def _op_Cast(self, x: Any) -> Any:
        from onnx import TensorProto, helper

        kind = self.attrs["to"]
        if isinstance(x, np.ndarray):
            return self._held(x.astype(helper.tensor_dtype_to_np_dtype(kind)))
        if kind != TensorProto.FLOAT:
            self.refuse("Cast to another type than float32")
        return x

    def _op_Constant(self) -> Any:
        if "value" in self.attrs:
            array = self.attrs["value"]
        else:
            name, value = next(iter(self.attrs.items()))
            array = np.asarray(value, np.float32 if name.startswith("value_float") else np.int64)
        self.names[id(array)] = self.node.output[0]
        return self._held(array)

    def _held(self, value: Any) -> NDArray[Any]:
        """A computed array, if it isn't too large; it is kept, as its name goes by its identity."""
        array = np.asarray(value)
        if array.size > _BIG >> 6:
            raise self.trouble(f"{array.size} numbers", "fewer")
        self.values[f"\0held {len(self.values)}"] = array
        return array

    def _op_LeakyRelu(self, x: Any) -> int:
        return self.row("leaky_relu", x, slope=float(self.attrs.get("alpha", 0.01)))

    def _op_Elu(self, x: Any) -> int:
        return self.row("elu", x, alpha=float(self.attrs.get("alpha", 1.0)))

    def _op_Celu(self, x: Any) -> int:
        return self.row("celu", x, alpha=float(self.attrs.get("alpha", 1.0)))

    def _op_Selu(self, x: Any) -> int:
        alpha, gamma = self.attrs.get("alpha", 1.6732631921768188), self.attrs.get("gamma", 1.0507010221481323)
        return self.row("selu", x, scale=float(gamma), alpha=float(alpha))

    def _op_HardSigmoid(self, x: Any) -> int:
        slope, offset = self.attrs.get("alpha", 0.2), self.attrs.get("beta", 0.5)
        return self.row("hardsigmoid", x, slope=float(slope), offset=float(offset))

    def _op_Softplus(self, x: Any) -> int:
        return self.row("softplus", x, beta=1.0, threshold=20.0)

    def _op_Gelu(self, x: Any) -> int:
        return self.row("gelu", x, approximate=self.attrs.get("approximate", "none") == "tanh")

    def _op_Shrink(self, x: Any) -> int:
        threshold, bias = float(self.attrs.get("lambd", 0.5)), float(self.attrs.get("bias", 0.0))
        if bias not in (0.0, threshold):
            self.refuse(f"Shrink with a bias of {bias} at {threshold}")
        return self.row("softshrink" if bias else "hardshrink", x, threshold=threshold)

    def _op_PRelu(self, x: Any, slope: Any) -> int:
        zero = np.zeros((), np.float32)
        below = self.row("multiply", self.row("minimum", x, zero), slope)
        return self.row("add", self.row("maximum", x, zero), below)

    def _op_Clip(self, x: Any, low: Any = None, high: Any = None) -> int:
        if self.opset < 11:
            limits = [self.attrs.get("min"), self.attrs.get("max")]
        else:
            if isinstance(low, int) or isinstance(high, int):
                self.refuse("Clip by what is computed")
            limits = [None if one is None else float(one.reshape(())) for one in (low, high)]
        limits = [None if one is None or abs(one) > 3e38 else float(one) for one in limits]
        return self.row("relu6", x) if limits == [0.0, 6.0] else self.row("clip", x, low=limits[0], high=limits[1])

    def _op_Pow(self, x: Any, exponent: Any) -> int:
        power = float(exponent.reshape(())) if isinstance(exponent, np.ndarray) and exponent.size == 1 else math.nan
        if power not in (0.5, 1.0, 2.0):
            self.refuse(f"Pow with the exponent {power}")
        return int(x) if power == 1 else self.row("square" if power == 2 else "sqrt", x)

    def _op_Softmax(self, x: Any) -> int:
        return self.row("softmax", x, axis=self._class_axis(x))

    def _class_axis(self, x: Any) -> int:
        axis, rank = self.axis(int(self.attrs.get("axis", -1 if self.opset >= 13 else 1)), x), len(self.shape(x))
        if self.opset < 13 and axis != rank - 1:
            self.refuse("Softmax over several axes at once")
        return axis

    def _op_LogSoftmax(self, x: Any) -> int:
        axis = self._class_axis(x)
        lower = self.row("subtract", x, self.row("max", x, axis=axis, keepdim=True))
        total = self.row("sum", self.row("exp", lower), axis=axis, keepdim=True)
        return self.row("subtract", lower, self.row("log", total))

    # ---- layers ------------------------------------------------------------------------------------------------------

    def _sides(self, x: Any, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> list[int]:
        """Padding as top, bottom, left, right."""
        auto = self.attrs.get("auto_pad", "NOTSET")
        if auto == "NOTSET":
            top, left, bottom, right = (int(one) for one in self.attrs.get("pads", [0] * 4))
            return [top, bottom, left, right]
        if auto == "VALID":
            return [0] * 4
        if auto not in ("SAME_UPPER", "SAME_LOWER"):
            self.refuse(f"{self.node.op_type} with auto_pad {brief(auto)}")
        sides = []
        for size, k, step, apart in zip(self.shape(x)[2:], kernel, stride, dilation, strict=True):
            total = max(0, (-(-size // step) - 1) * step + (k - 1) * apart + 1 - size)
            less, more = total // 2, total - total // 2
            sides += [less, more] if auto == "SAME_UPPER" else [more, less]
        return sides

    def _numbers(self, name: str, usual: list[int]) -> list[int]:
        return [int(one) for one in self.attrs.get(name, usual)]

    def _op_Conv(self, x: Any, weight: Any, bias: Any = None) -> int:
        held = self.weight(weight)
        kernel = list(weight.shape[2:])
        if len(kernel) != 2 or self._numbers("kernel_shape", kernel) != kernel:
            self.refuse(f"Conv with weights of shape {list(weight.shape)}")
        stride, dilation = self._numbers("strides", [1, 1]), self._numbers("dilations", [1, 1])
        return self.row(
            "conv2d", x, held, None if bias is None else self.weight(bias), stride=stride,
            padding=self._sides(x, kernel, stride, dilation), dilation=dilation, groups=int(self.attrs.get("group", 1)),
        )  # fmt: skip

    def _window(self, x: Any) -> dict[str, Any]:
        kernel = self._numbers("kernel_shape", [])
        stride = self._numbers("strides", [1, 1])
        if len(kernel) != 2 or self._numbers("dilations", [1, 1]) != [1, 1]:
            self.refuse(f"{self.node.op_type} with a window {kernel}, or with dilations")
        sides = self._sides(x, kernel, stride, [1, 1])
        return {"kernel": kernel, "stride": stride, "padding": sides, "ceil_mode": bool(self.attrs.get("ceil_mode", 0))}

    def _op_MaxPool(self, x: Any) -> int:
        if self.attrs.get("storage_order", 0) or len(self.node.output) > 1:
            self.refuse("MaxPool with places of the maxima")
        return self.row("max_pool2d", x, **self._window(x))

    def _op_AveragePool(self, x: Any) -> int:
        every = bool(self.attrs.get("count_include_pad", 0))
        return self.row("avg_pool2d", x, **self._window(x), exclusive=not every, divisor=None)

    def _op_GlobalAveragePool(self, x: Any) -> int:
        return self.row("mean", x, axis=list(range(2, len(self.shape(x)))), keepdim=True)

    def _op_GlobalMaxPool(self, x: Any) -> int:
        return self.row("max", x, axis=list(range(2, len(self.shape(x)))), keepdim=True)

    def _op_BatchNormalization(self, x: Any, scale: Any, bias: Any, mean: Any, var: Any) -> int:
        if self.attrs.get("training_mode", 0):
            self.refuse("BatchNormalization by the batch's own statistics")
        momentum, epsilon = float(self.attrs.get("momentum", 0.9)), float(self.attrs.get("epsilon", 1e-5))
        names = [self.weight(one) for one in (mean, var)]
        return self.row("batch_norm", x, scale, bias, *names, momentum=momentum, epsilon=epsilon)

    def _op_LayerNormalization(self, x: Any, scale: Any, bias: Any = None) -> int:
        rank = len(self.shape(x))
        over = rank - self.axis(int(self.attrs.get("axis", -1)), x)
        wide = [1] * (rank - over) + list(self.shape(x)[rank - over :])
        operands = [
            np.full(wide, usual, np.float32) if one is None else self.row("reshape", one, shape=wide)
            for one, usual in ((scale, 1), (bias, 0))
        ]
        return self.row("layer_norm", x, *operands, over=over, epsilon=float(self.attrs.get("epsilon", 1e-5)))

    def _op_Gemm(self, x: Any, weight: Any, bias: Any = None) -> int:
        plain = not self.attrs.get("transA", 0) and self.attrs.get("alpha", 1.0) == self.attrs.get("beta", 1.0) == 1.0
        if not plain or not isinstance(x, int):
            self.refuse("Gemm with factors, or of a transposed image")
        held = self.weight(weight, turned=bool(self.attrs.get("transB", 0)))
        outputs = self.b.tensors[held].shape[-1]
        if bias is None or (isinstance(bias, np.ndarray) and bias.shape == (outputs,)):
            return self.row("linear", x, held, None if bias is None else self.weight(bias))
        product = self.row("linear", x, held, None)
        return self.row("add", product, bias)

    def _op_MatMul(self, x: Any, weight: Any) -> int:
        if len(self.shape(x)) == np.ndim(weight) == 2 and isinstance(x, int) and id(weight) in self.names:
            return self.row("linear", x, self.weight(weight), None)
        return self.row("matmul", x, weight)

    def _op_Resize(self, x: Any, *rest: Any) -> int:
        how = self.attrs.get("coordinate_transformation_mode", "half_pixel")
        near = self.attrs.get("nearest_mode", "round_prefer_floor")
        pairs = (("asymmetric", "floor"), ("half_pixel", "round_prefer_floor"))
        if self.attrs.get("mode", "nearest") != "nearest" or (how, near) not in pairs or self.opset < 11:
            self.refuse(f"Resize by {brief(self.attrs.get('mode', 'nearest'))}, {brief(how)}, {brief(near)}")
        scales, sizes = (rest[k] if len(rest) > k else None for k in (1, 2))
        sides = self.shape(x)
        if sizes is not None:
            factors = [out / side if side else 1 for out, side in zip(self.whole(sizes), sides, strict=True)]
        elif isinstance(scales, np.ndarray):
            factors = [float(one) for one in scales]
        else:
            self.refuse("Resize by what is computed")
        if len(factors) != 4 or factors[:2] != [1, 1] or any(f != int(f) or f < 1 for f in factors):
            self.refuse(f"Resize by {brief(factors)}, no whole numbers of an image's sides")
        return self.row("upsample2d", x, factor=[int(f) for f in factors[2:]])

    # ---- arranging ---------------------------------------------------------------------------------------------------

    def _op_Shape(self, x: Any) -> Any:
        sizes = [-1 if size == 0 else size for size in self.shape(x)]  # -1 for N, as Reshape takes it
        first, end = int(self.attrs.get("start", 0)), self.attrs.get("end")
        return self._held(np.array(sizes[first : None if end is None else int(end)], np.int64))

    def _reshaped(self, x: Any, wanted: Sequence[int]) -> Any:
        if isinstance(x, np.ndarray):
            array = x.reshape(list(wanted))
            self.names[id(array)] = self.names.get(id(x), "")
            return self._held(array)
        before = self.shape(x)
        sizes = [before[k] if size == 0 and k < len(before) and before[k] else size for k, size in enumerate(wanted)]
        if self.b.batched(x):
            first = sizes[0] if sizes else 1
            if first not in (-1, 0) and first != self.batch:
                self.refuse(f"Reshape to {brief(list(wanted))}, which mixes images")
            rest, numbers = sizes[1:], math.prod(before[1:])
            known = math.prod(size for size in rest if size != -1)
            if -1 in rest:
                rest = [numbers // max(1, known) if size == -1 else size for size in rest]
            sizes = [-1, *rest]
        elif -1 in sizes:
            known = math.prod(size for size in sizes if size != -1)
            sizes = [math.prod(before) // max(1, known) if size == -1 else size for size in sizes]
        return self.row("reshape", x, shape=sizes)

    def _op_Reshape(self, x: Any, shape: Any = None) -> Any:
        return self._reshaped(x, self.whole(shape) if shape is not None else self._numbers("shape", []))

    def _op_Flatten(self, x: Any) -> Any:
        if int(self.attrs.get("axis", 1)) != 1 or not isinstance(x, int):
            self.refuse("Flatten from another axis than 1")
        return self.row("flatten", x, start=1, stop=-1) if len(self.shape(x)) > 1 else self._reshaped(x, [0, 1])

    def _op_Squeeze(self, x: Any, *rest: Any) -> Any:
        axes = self.setting("axes", [x, *rest], 1, 13)
        shape = self.shape(x)
        gone = {self.axis(axis, x) for axis in axes} if axes is not None else {k for k, s in enumerate(shape) if s == 1}
        if isinstance(x, int) and self.b.batched(x) and 0 in gone:
            self.refuse("Squeeze of the images' axis")
        left = [-1 if size == 0 else size for k, size in enumerate(shape) if k not in gone]
        return self._reshaped(x, left)

    def _op_Unsqueeze(self, x: Any, *rest: Any) -> Any:
        axes = self.setting("axes", [x, *rest], 1, 13) or []
        sizes = [-1 if size == 0 else size for size in self.shape(x)]
        if isinstance(x, np.ndarray):
            return self._held(np.expand_dims(x, tuple(axes)))
        rank = len(sizes) + len(axes)
        for axis in sorted(axis % rank for axis in axes):
            sizes.insert(axis, 1)
        return self._reshaped(x, sizes)

    def _op_Transpose(self, x: Any) -> Any:
        order = self._numbers("perm", list(range(len(self.shape(x))))[::-1])
        if isinstance(x, np.ndarray):
            array = x.transpose(order)
            self.names[id(array)] = self.names.get(id(x), "")
            return self._held(array)
        return self.row("transpose", x, perm=order)

    def _op_Concat(self, *inputs: Any) -> Any:
        if all(isinstance(one, np.ndarray) for one in inputs):
            return self._held(np.concatenate(inputs, int(self.attrs["axis"])))
        row = next(one for one in inputs if isinstance(one, int))
        return self.row("concat", *inputs, axis=self.axis(int(self.attrs["axis"]), row))

    def _op_Slice(self, x: Any, *rest: Any) -> Any:
        given = [x, *rest]
        starts, ends = self.setting("starts", given, 1, 10), self.setting("ends", given, 2, 10)
        if starts is None or ends is None:
            self.refuse("Slice without starts and ends")
        axes = self.setting("axes", given, 3, 10)
        axes = list(range(len(starts))) if axes is None else [self.axis(axis, x) for axis in axes]
        steps = (self.setting("steps", given, 4, 10) if self.opset >= 10 else None) or [1] * len(starts)
        key = [slice(None)] * (max(axes, default=0) + 1)
        for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
            key[axis] = slice(start or None, None if end >= _BIG else end, None if step == 1 else step)
        if isinstance(x, np.ndarray):
            return self._held(x[tuple(key)])
        return x if all(one == slice(None) for one in key) else self.row("getitem", x, key=key)

    def _op_Gather(self, x: Any, indices: Any) -> Any:
        axis = self.axis(int(self.attrs.get("axis", 0)), x)
        if isinstance(x, np.ndarray) and isinstance(indices, np.ndarray):
            return self._held(np.take(x, indices, axis))
        if not isinstance(x, int) or np.ndim(indices) != 0 or isinstance(indices, int):
            self.refuse("Gather by several places")
        return self.row("getitem", x, key=[*[slice(None)] * axis, int(indices)])

    def _op_Split(self, x: Any, *rest: Any) -> list[Any]:
        axis = self.axis(int(self.attrs.get("axis", 0)), x)
        size, parts = self.shape(x)[axis], len(self.node.output)
        sizes = self.setting("split", [x, *rest], 1, 13) or [-(-size // parts)] * parts
        found, start = [], 0
        for length in sizes[:parts]:
            key = [*[slice(None)] * axis, slice(start, min(size, start + length), None)]
            found.append(self.row("getitem", x, key=key))
            start += length
        return found

    def _op_Pad(self, x: Any, *rest: Any) -> int:
        pads = self.setting("pads", [x, *rest], 1, 11)
        if pads is None or (len(rest) > 2 and rest[2] is not None):
            self.refuse("Pad of some axes")
        value = self.attrs.get("value", 0.0) if self.opset < 11 else rest[1] if len(rest) > 1 else None
        mode = self.attrs.get("mode", "constant")
        kinds = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}
        if mode not in kinds or min(pads, default=0) < 0:
            self.refuse(f"Pad by {brief(mode)} {brief(pads)}")
        number = 0.0 if value is None else float(np.asarray(value).reshape(()))
        pairs = [list(pair) for pair in zip(pads[: len(pads) // 2], pads[len(pads) // 2 :], strict=True)]
        return self.row("pad", x, pads=pairs, mode=kinds[mode], value=max(-9e29, min(9e29, number)))

    # ---- reductions --------------------------------------------------------------------------------------------------

    def _reduced(self, op: str, since: int, inputs: Sequence[Any]) -> int:
        axes = self.setting("axes", inputs, 1, since)
        if axes is None and self.attrs.get("noop_with_empty_axes", 0):
            return int(inputs[0])
        return self.row(op, inputs[0], axis=axes, keepdim=bool(self.attrs.get("keepdims", 1)))

    def _op_ReduceSum(self, *inputs: Any) -> int:
        return self._reduced("sum", 13, inputs)

    def _op_ReduceMean(self, *inputs: Any) -> int:
        return self._reduced("mean", 18, inputs)

    def _op_ReduceMax(self, *inputs: Any) -> int:
        return self._reduced("max", 18, inputs)

    def _op_ReduceMin(self, *inputs: Any) -> int:
        return self._reduced("min", 18, inputs)


def array_of(what: str, name: str, tensor: Any) -> NDArray[Any]:
    """A tensor of the file as an array; ValueError for one that lies elsewhere, is damaged, or holds no numbers."""
    from onnx import TensorProto, numpy_helper

    where = f"{what}, {brief(name)}"
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        fix = "Write one file: onnx.save(model, path) without save_as_external_data"
        raise ValueError(message(where, "numbers in another file", "numbers in this one", fix))
    if tensor.data_type in (TensorProto.STRING, TensorProto.UNDEFINED) or min(tensor.dims, default=1) < 0:
        raise ValueError(message(where, "a tensor of text or of no known kind", "numbers"))
    try:
        array = numpy_helper.to_array(tensor)
    except Exception as error:  # of a damaged file: whatever onnx makes of it
        raise ValueError(message(where, f"a damaged tensor ({one_line(str(error), 80)})", "its numbers")) from None
    if array.dtype.kind not in "iufb":
        raise ValueError(message(where, f"numbers of {array.dtype}", "float32 or whole numbers"))
    return array
