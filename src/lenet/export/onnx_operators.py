"""ONNX's operators as rows, of opsets 7 to 25: one function for each operator that a network here has.

Those with weights stand in ``onnx_layers``; how a graph is read, in ``onnx_nodes``. Read by ``onnx_reader``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lenet.export.onnx_layers import Layers
from lenet.messages.check import brief

__all__ = ["Operators"]

_UNARY = {
    "Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Exp": "exp", "Log": "log", "Sqrt": "sqrt", "Abs": "abs",
    "Neg": "neg", "Reciprocal": "reciprocal", "Sin": "sin", "Cos": "cos", "Erf": "erf", "Softsign": "softsign",
    "HardSwish": "hardswish", "Mish": "mish",
}  # fmt: skip
_BINARY = {"Add": "add", "Sub": "subtract", "Mul": "multiply", "Div": "divide", "Max": "maximum", "Min": "minimum"}
_FOLDED: dict[str, Callable[..., Any]] = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply}  # of whole numbers
_BIG = 1 << 30


class Operators(Layers):
    """All operators."""

    simple = (*_UNARY, *_BINARY)

    # ---- elementwise -------------------------------------------------------------------------------------------------

    def elementwise(self, inputs: list[Any]) -> Any:
        kind = self.node.op_type
        if kind in _UNARY:
            return self.row(_UNARY[kind], inputs[0])
        known = [one for one in inputs if isinstance(one, np.ndarray)]
        if len(known) == len(inputs) and kind in _FOLDED and all(one.dtype.kind in "iu" for one in known):
            self._few(math.prod(np.broadcast_shapes(*(one.shape for one in known))))
            folded = known[0]
            for one in known[1:]:
                folded = _FOLDED[kind](folded, one)
            return self._held(folded)
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
            self._few(sum(one.size for one in inputs))
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
            self._few(indices.size * (x.size // max(1, x.shape[axis])))
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
