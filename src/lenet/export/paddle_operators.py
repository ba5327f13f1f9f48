"""Paddle's operators as rows: what its ``jit`` saw of a forward pass, one call after the other.

Read by ``paddle_reader``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.export.calls import At, Calls, Held, pair, source_line
from lenet.export.graph import IMAGES, Building
from lenet.messages.check import message, one_line

__all__ = ["Operators"]

_UNARY = {
    "relu": "relu", "sigmoid": "sigmoid", "tanh": "tanh", "silu": "silu", "mish": "mish", "relu6": "relu6", "exp": "exp",
    "log": "log", "sqrt": "sqrt", "rsqrt": "rsqrt", "square": "square", "abs": "abs", "reciprocal": "reciprocal",
    "sin": "sin", "cos": "cos", "erf": "erf", "hardswish": "hardswish", "softsign": "softsign",
    "tanh_shrink": "tanhshrink", "tanhshrink": "tanhshrink", "logsigmoid": "log_sigmoid",
}  # fmt: skip
_BINARY = ("add", "subtract", "multiply", "divide", "maximum", "minimum")
_NOTHING = ("assign", "assign_out_", "share_data_", "cast", "memcpy_h2d")
_ENDLESS = 1 << 30
_FEW = 4096  # numbers of a constant


class Operators(Calls):
    """The rows of a program of Paddle's, put into a ``Building``."""

    def __init__(self, building: Building, program: Any, layer: Any) -> None:
        super().__init__(building)
        self.program = program
        own = {**layer.state_dict(), **dict(layer.named_buffers())}
        self.given = {tensor.name: (name, tensor) for name, tensor in own.items()}
        self.used = {tensor.name: tensor for tensor in program.parameters[0]}
        self.values: dict[int, Any] = {}  # by a value's id
        self._laid: dict[str, tuple[int, ...]] = {}  # biases that were laid beside a map: name -> [1, C, 1, 1]
        self.op: Any = None
        self.attrs: dict[str, Any] = {}

    def run(self) -> None:
        """All operators in order. ValueError naming the operator and its place for one that has no rows."""
        images = 0
        for op in self.program.main_program.global_block().ops:
            self.op, name = op, op.name().rpartition(".")[2]
            self.attrs = op.attrs()
            results = op.results()
            if name == "parameter":
                found: Any = self._parameter(str(self.attrs["parameter_name"]))
            elif name == "data":
                found, images = At(IMAGES), images + 1
            elif name == "combine":
                found = [self.value(one) for one in op.operands_source()]
            elif name in ("split", "builtin.split", "split_with_num"):
                found = self._split(name)
            else:
                found = self._call(name, [self.value(one) for one in op.operands_source()])
            for place, result in enumerate(results):
                several = isinstance(found, list) and len(results) > 1
                self.values[result.id] = found[place] if several and place < len(found) else found
        outputs = self.program.outputs
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        if images != 1 or len(outputs) != 1:
            given = f"a layer of {images} inputs and {len(outputs)} outputs"
            raise ValueError(message("from_paddle", given, "one of each"))
        last = self.value(outputs[0])
        if not isinstance(last, At) or last == IMAGES:
            raise ValueError(message("from_paddle", "a layer that computes nothing of its input", "a network"))
        self.b.end(int(last))

    def _parameter(self, name: str) -> Any:
        """The layer's own by its name; a tensor that the layer merely uses as its numbers."""
        if name in self.given:
            return name
        array = np.asarray(self.used[name].numpy())
        return array if array.size <= _FEW else Held(self.b.name("constant", array.astype(np.float32)))

    def value(self, source: Any) -> Any:
        """What an operator takes: a row, an array, a parameter's name, or None."""
        try:
            return self.values.get(source.id)
        except Exception:  # Paddle's null value has no id
            return None

    def place(self) -> str:
        """Where in the user's layer the present operator is: its layer and its line."""
        line = source_line([str(one) for one in self.attrs.get("op_callstack") or []], "paddle")
        path = str(self.attrs.get("struct_name", "")).strip("/").rpartition("/")[2]
        return one_line(f"{path or self.op.name()}{line}", 120)

    def held(self, value: Any) -> tuple[str, NDArray[np.float32]]:
        """The name and the numbers of one of the layer's tensors."""
        name, tensor = self.given[value]
        return name, np.asarray(tensor.numpy(), np.float32)

    # ---- a call ------------------------------------------------------------------------------------------------------

    def _call(self, name: str, ins: list[Any]) -> Any:
        plain = name[:-1] if name.endswith("_") else name
        if plain in _NOTHING or name in _NOTHING:
            return ins[0]
        if plain in _UNARY:
            return self.row(_UNARY[plain], ins[0])
        if plain in _BINARY:
            return self._binary(plain, ins)
        write = getattr(self, f"_op_{plain}", None)
        if write is None:
            self.refuse(self.op.name())
        return write(ins)

    def _binary(self, op: str, ins: list[Any]) -> Any:
        a, b = ins
        if all(isinstance(one, np.ndarray) for one in ins):
            return {"add": np.add, "subtract": np.subtract, "multiply": np.multiply}[op](a, b)
        if op == "add" and isinstance(a, At) and isinstance(b, (Held, str)) and self._joined(a, b):
            return a
        return self.row(op, a, b)

    def _joined(self, row: At, bias: str) -> bool:
        """Whether a bias that Paddle adds behind a convolution or a product became that row's own."""
        op = self.b.op(row)
        if op not in ("conv2d", "linear") or row != len(self.b) - 1 or not self._once(0):
            return False
        features = self.shape(row)[1 if op == "conv2d" else -1]
        if isinstance(bias, Held):
            name = str(bias)
            lying = self._laid.get(name) == (1, features, 1, 1) if op == "conv2d" else False
        else:
            name, array = self.held(bias)
            lying = op == "linear" and array.shape == (features,)
            name = self.b.name(name, array) if lying else name
        return lying and self.b.give(int(row), 2, name, (features,), op)

    def _once(self, place: int) -> bool:
        """Whether nobody else takes what the present operator takes there."""
        return bool(self.op.operands_source()[place].has_one_use())

    def _op_full(self, ins: list[Any]) -> Any:
        value = self.attrs["value"]
        whole = "INT" in str(self.attrs["dtype"])
        return np.full(self.attrs["shape"], value, np.int64 if whole else np.float32)

    def _op_full_int_array(self, ins: list[Any]) -> Any:
        return np.array(self.attrs["value"], np.int64)

    def _op_assign_value(self, ins: list[Any]) -> Any:
        whole = "INT" in str(self.attrs["dtype"])
        kind = np.int64 if whole else np.float32
        return np.array(self.attrs["values"], kind).reshape(self.attrs["shape"])

    def whole(self, value: Any) -> list[int]:
        """Known whole numbers as a list; of the images' number -1."""
        parts = value if isinstance(value, list) else [value]
        if any(isinstance(part, At) or not isinstance(part, np.ndarray) for part in parts):
            self.refuse(f"{self.op.name()} by what is computed of the images,")
        return [int(one) for part in parts for one in np.asarray(part).reshape(-1)]

    def _op_shape(self, ins: list[Any]) -> Any:
        return np.array([size or -1 for size in self.shape(ins[0])], np.int64)

    _op_shape64 = _op_shape

    # ---- layers ------------------------------------------------------------------------------------------------------

    def _op_conv2d(self, ins: list[Any]) -> At:
        x, weight = ins
        at = self.attrs
        if at["data_format"] not in ("NCHW", "AnyLayout"):
            self.refuse(f"conv2d with data_format {at['data_format']}")
        dilation, stride = pair(at["dilations"]), pair(at["strides"])
        sides = self._sides(x, self.shape(weight)[2:], stride, dilation)
        groups = int(at["groups"])
        return self.row("conv2d", x, weight, None, stride=stride, padding=sides, dilation=dilation, groups=groups)

    _op_depthwise_conv2d = _op_conv2d

    def _sides(self, x: Any, kernel: Any, stride: list[int], dilation: list[int]) -> list[int]:
        """Padding as top, bottom, left, right."""
        how, given = self.attrs["padding_algorithm"], [int(one) for one in self.attrs["paddings"]]
        if how == "VALID":
            return [0] * 4
        if how == "SAME":
            sides = []
            for size, k, step, apart in zip(self.shape(x)[2:], kernel, stride, dilation, strict=True):
                total = max(0, (-(-size // step) - 1) * step + (k - 1) * apart + 1 - size)
                sides += [total // 2, total - total // 2]
            return sides
        return given if len(given) == 4 else [side for one in pair(given) for side in (one, one)]

    def _op_matmul(self, ins: list[Any]) -> At:
        x, weight = ins
        if self.attrs["transpose_x"] or self.attrs["transpose_y"]:
            self.refuse("matmul of transposed matrices")
        if isinstance(x, At) and isinstance(weight, str) and len(self.shape(weight)) == len(self.shape(x)) == 2:
            return self.row("linear", x, weight, None)
        return self.row("matmul", x, weight)

    def _op_batch_norm(self, ins: list[Any]) -> list[Any]:
        x, mean, var, weight, bias = ins
        if not (self.attrs["is_test"] or self.attrs["use_global_stats"]):
            self.refuse("batch_norm by the batch's own statistics")
        momentum, epsilon = float(self.attrs["momentum"]), float(self.attrs["epsilon"])
        row = self.row("batch_norm", x, weight, bias, mean, var, momentum=momentum, epsilon=epsilon)
        return [row, *[None] * 5]

    def _op_layer_norm(self, ins: list[Any]) -> list[Any]:
        x, weight, bias = ins
        sizes = self.shape(x)
        over = len(sizes) - int(self.attrs["begin_norm_axis"])
        wide = [1] * (len(sizes) - over) + list(sizes[-over:])
        operands: list[Any] = []
        for one, usual in ((weight, 1.0), (bias, 0.0)):
            operands.append(np.full(wide, usual) if one is None else self.row("reshape", one, shape=wide))
        row = self.row("layer_norm", x, *operands, over=over, epsilon=float(self.attrs["epsilon"]))
        return [row, None, None]

    def _op_pool2d(self, ins: list[Any]) -> At:
        x, at = ins[0], self.attrs
        op = "max_pool2d" if at["pooling_type"] == "max" else "avg_pool2d"
        more: dict[str, Any] = {} if op == "max_pool2d" else {"exclusive": bool(at["exclusive"]), "divisor": None}
        kernel = pair(self.whole(ins[1]))
        if at["adaptive"]:
            return self.window(op, x, kernel, **more)
        if at["global_pooling"]:
            kernel = list(self.shape(x)[2:])
        stride = pair(at["strides"])
        sides = self._sides(x, kernel, stride, [1, 1])
        return self.row(op, x, kernel=kernel, stride=stride, padding=sides, ceil_mode=bool(at["ceil_mode"]), **more)

    def _op_max_pool2d_with_index(self, ins: list[Any]) -> list[Any]:
        at = self.attrs
        if at.get("adaptive"):
            return [self.window("max_pool2d", ins[0], list(at["kernel_size"])), None]
        sides = [side for one in pair(at["paddings"]) for side in (one, one)]
        window = {"kernel": pair(at["kernel_size"]), "stride": pair(at["strides"]), "padding": sides}
        return [self.row("max_pool2d", ins[0], **window, ceil_mode=bool(at.get("ceil_mode", False))), None]

    def _op_dropout(self, ins: list[Any]) -> list[Any]:
        p = float(np.asarray(ins[2]).reshape(())) if len(ins) > 2 else 0.5
        return [self.row("dropout", ins[0], p=p, mode=str(self.attrs["mode"])), None]

    def _op_nearest_interp(self, ins: list[Any]) -> At:
        sides = self.shape(ins[0])[2:]
        size = [self.attrs["out_h"], self.attrs["out_w"]]
        if self.attrs["scale"]:
            size = [round(side * factor) for side, factor in zip(sides, self.attrs["scale"], strict=True)]
        if self.attrs["align_corners"] or any(n < 1 or n % side for side, n in zip(sides, size, strict=True)):
            self.refuse(f"upsampling of {list(sides)} to {size}, no whole number of times")
        return self.row("upsample2d", ins[0], factor=[n // side for side, n in zip(sides, size, strict=True)])

    def _op_repeat_interleave(self, ins: list[Any]) -> Any:
        axis, times = self.axis(self.attrs["axis"], ins[0]), int(self.attrs["repeats"])
        if axis not in (2, 3) or len(self.shape(ins[0])) != 4:
            self.refuse("repeat_interleave along another axis than an image's")
        return self.row("upsample2d", ins[0], factor=[times if side == axis else 1 for side in (2, 3)])

    # ---- arranging ---------------------------------------------------------------------------------------------------

    def _shaped(self, value: Any, sizes: list[int]) -> Any:
        """A reshaped value; sizes with at most one -1."""
        if isinstance(value, np.ndarray):
            return value.reshape(sizes)
        if isinstance(value, str):
            name, array = (str(value), self.b.tensors[str(value)]) if isinstance(value, Held) else self.held(value)
            laid = array.reshape(sizes).shape
            if max(laid, default=1) == array.size:  # a bias, laid beside a map
                held = Held(self.b.name(name, array))
                self._laid[str(held)] = laid
                return held
            return self.row("reshape", value, shape=list(laid))
        before = self.shape(value)
        sizes = [before[k] or -1 if size == 0 else size for k, size in enumerate(sizes)]
        rest, numbers = sizes[1:], math.prod(before[1:])
        known = math.prod(size for size in rest if size != -1)
        rest = [numbers // max(1, known) if size == -1 else size for size in rest]
        return self.row("reshape", value, shape=[-1, *rest])

    def _op_reshape(self, ins: list[Any]) -> Any:
        return self._shaped(ins[0], self.whole(ins[1]))

    def _op_flatten(self, ins: list[Any]) -> At:
        start, stop = (self.axis(self.attrs[key], ins[0]) for key in ("start_axis", "stop_axis"))
        return self.row("flatten", ins[0], start=start, stop=stop)

    def _op_squeeze(self, ins: list[Any]) -> Any:
        if isinstance(ins[0], np.ndarray):
            return ins[0].reshape(-1)
        axes = {self.axis(axis, ins[0]) for axis in self.whole(ins[1])}
        return self._shaped(ins[0], [n or -1 for k, n in enumerate(self.shape(ins[0])) if k not in axes])

    def _op_unsqueeze(self, ins: list[Any]) -> Any:
        sizes, axes = [n or -1 for n in self.shape(ins[0])], self.whole(ins[1])
        rank = len(sizes) + len(axes)
        for axis in sorted(axis % rank for axis in axes):
            sizes.insert(axis, 1)
        return self._shaped(ins[0], sizes)

    def _op_transpose(self, ins: list[Any]) -> At:
        return self.row("transpose", ins[0], perm=[self.axis(axis, ins[0]) for axis in self.attrs["perm"]])

    def _op_slice(self, ins: list[Any]) -> Any:
        axes = [self.axis(axis, ins[0]) for axis in self.attrs["axes"]]
        key: list[Any] = [slice(None)] * (max(axes) + 1)
        gone = {int(axis) for axis in self.attrs["decrease_axis"]}
        for axis, start, end in zip(axes, self.whole(ins[1]), self.whole(ins[2]), strict=True):
            key[axis] = start if axis in gone else slice(start or None, None if end >= _ENDLESS else end, None)
        if isinstance(ins[0], np.ndarray):
            return np.asarray(ins[0][tuple(key)])
        return self.row("getitem", ins[0], key=key)

    def _op_strided_slice(self, ins: list[Any]) -> Any:
        axes = [self.axis(axis, ins[0]) for axis in self.attrs["axes"]]
        key: list[Any] = [slice(None)] * (max(axes) + 1)
        numbers = [self.whole(one) for one in ins[1:4]]
        for axis, start, end, step in zip(axes, *numbers, strict=True):
            key[axis] = slice(start or None, None if end >= _ENDLESS else end, step)
        return self.row("getitem", ins[0], key=key)

    def _split(self, name: str) -> Any:
        """What ``builtin.split`` hands out, and Paddle's own split."""
        ins = [self.value(one) for one in self.op.operands_source()]
        if isinstance(ins[0], list):
            return ins[0]
        axis = self.axis(int(np.asarray(ins[-1]).reshape(())), ins[0])
        size = self.shape(ins[0])[axis]
        sizes = self.whole(ins[1]) if name == "split" else [size // int(self.attrs["num"])] * int(self.attrs["num"])
        sizes = [size - sum(n for n in sizes if n > 0) if n < 0 else n for n in sizes]
        starts = [sum(sizes[:k]) for k in range(len(sizes))]
        keys = [[*[slice(None)] * axis, slice(at, at + n, None)] for at, n in zip(starts, sizes, strict=True)]
        return [self.row("getitem", ins[0], key=key) for key in keys]

    def _op_concat(self, ins: list[Any]) -> Any:
        axis = int(np.asarray(ins[1]).reshape(()))
        if all(isinstance(one, np.ndarray) for one in ins[0]):
            return np.concatenate(ins[0], axis)
        return self.row("concat", *ins[0], axis=self.axis(axis, ins[0][0]))

    def _op_stack(self, ins: list[Any]) -> Any:
        if not all(isinstance(one, np.ndarray) for one in ins[0]):
            self.refuse("stack of results")
        return np.stack([np.asarray(one).reshape(()) for one in ins[0]])

    def _op_pad(self, ins: list[Any]) -> At:
        flat = [int(one) for one in self.attrs["paddings"]]
        pads = [flat[2 * k : 2 * k + 2] for k in range(len(flat) // 2)]
        value = float(np.asarray(ins[1]).reshape(())) if len(ins) > 1 else float(self.attrs.get("pad_value", 0))
        return self.row("pad", ins[0], pads=pads, mode="constant", value=value)

    def _op_pad3d(self, ins: list[Any]) -> At:
        flat = self.whole(ins[1])
        if self.attrs["data_format"] != "NCDHW":
            self.refuse(f"padding with data_format {self.attrs['data_format']}")
        rank = len(self.shape(ins[0]))
        pads = [[0, 0] for _ in range(rank)]
        for k in range(len(flat) // 2):
            pads[rank - 1 - k] = flat[2 * k : 2 * k + 2]
        return self.row("pad", ins[0], pads=pads, mode=str(self.attrs["mode"]), value=float(self.attrs["pad_value"]))

    def _op_index_select(self, ins: list[Any]) -> At:
        axis = self.axis(self.attrs["axis"], ins[0])
        if not isinstance(ins[1], np.ndarray):
            self.refuse("index_select by what is computed")
        key = [slice(None)] * axis
        parts = [self.row("getitem", ins[0], key=[*key, slice(k, k + 1, None)]) for k in self.whole(ins[1])]
        return self.row("concat", *parts, axis=axis)

    # ---- elementwise and reductions ----------------------------------------------------------------------------------

    def _op_scale(self, ins: list[Any]) -> Any:
        factor, bias = float(np.asarray(ins[1]).reshape(())), float(self.attrs["bias"])
        if isinstance(ins[0], np.ndarray):
            return ins[0] * factor + bias if self.attrs["bias_after_scale"] else (ins[0] + bias) * factor
        result = ins[0]
        steps = [("multiply", factor, 1.0), ("add", bias, 0.0)]
        for op, number, nothing in steps if self.attrs["bias_after_scale"] else reversed(steps):
            if number != nothing:
                result = self.row("neg", result) if (op, number) == ("multiply", -1.0) else self.row(op, result, number)
        return result

    def _reduced(self, op: str, ins: list[Any]) -> At:
        axes = self.whole(ins[1]) if len(ins) > 1 else [int(axis) for axis in self.attrs["axis"]]
        return self.row(op, ins[0], axis=axes or None, keepdim=bool(self.attrs["keepdim"]))

    def _op_mean(self, ins: list[Any]) -> At:
        return self._reduced("mean", ins)

    def _op_sum(self, ins: list[Any]) -> At:
        return self._reduced("sum", ins)

    def _op_max(self, ins: list[Any]) -> At:
        return self._reduced("max", ins)

    def _op_min(self, ins: list[Any]) -> At:
        return self._reduced("min", ins)

    _op_amax, _op_amin = _op_max, _op_min

    def _op_softmax(self, ins: list[Any]) -> At:
        return self.row("softmax", ins[0], axis=int(self.attrs["axis"]))

    def _op_log_softmax(self, ins: list[Any]) -> At:
        return self.log_softmax(ins[0], int(self.attrs["axis"]))

    def _op_clip(self, ins: list[Any]) -> At:
        low, high = (float(np.asarray(one).reshape(())) for one in ins[1:3])
        limits = [None if abs(one) > 1e30 else one for one in (low, high)]
        return self.row("clip", ins[0], low=limits[0], high=limits[1])

    def _op_pow(self, ins: list[Any]) -> At:
        if float(self.attrs["y"]) != 2:
            self.refuse(f"the power {self.attrs['y']}")
        return self.row("square", ins[0])

    def _settled(self, op: str, x: Any, **names: str) -> At:
        """An activation whose settings stand in the operator's attributes under these names."""
        return self.row(op, x, **{ours: float(self.attrs[theirs]) for ours, theirs in names.items()})

    def _op_leaky_relu(self, ins: list[Any]) -> At:
        return self._settled("leaky_relu", ins[0], slope="negative_slope")

    def _op_elu(self, ins: list[Any]) -> At:
        return self._settled("elu", ins[0], alpha="alpha")

    def _op_celu(self, ins: list[Any]) -> At:
        return self._settled("celu", ins[0], alpha="alpha")

    def _op_selu(self, ins: list[Any]) -> At:
        return self._settled("selu", ins[0], scale="scale", alpha="alpha")

    def _op_gelu(self, ins: list[Any]) -> At:
        return self.row("gelu", ins[0], approximate=bool(self.attrs["approximate"]))

    def _op_hardsigmoid(self, ins: list[Any]) -> At:
        return self._settled("hardsigmoid", ins[0], slope="slope", offset="offset")

    def _op_hardtanh(self, ins: list[Any]) -> At:
        return self._settled("hardtanh", ins[0], low="t_min", high="t_max")

    def _op_hardshrink(self, ins: list[Any]) -> At:
        return self._settled("hardshrink", ins[0], threshold="threshold")

    def _op_softshrink(self, ins: list[Any]) -> At:
        return self._settled("softshrink", ins[0], threshold="threshold")

    def _op_softplus(self, ins: list[Any]) -> At:
        return self._settled("softplus", ins[0], beta="beta", threshold="threshold")
