"""Paddle's operators as rows, one function for each that is more than a row of the same name. Read by ``paddle_reader``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lenet.export.calls import At, Held, pair
from lenet.export.paddle_program import Program

__all__ = ["Operators"]

_ENDLESS = 1 << 30


class Operators(Program):
    """The rows of a program of Paddle's, put into a ``Building``."""

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
