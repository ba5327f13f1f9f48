"""PyTorch's operators as rows, one function for each that is more than a row of the same name. Read by ``torch_reader``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.export.calls import At, Held, pair
from lenet.export.torch_program import Program, here

__all__ = ["Operators"]


class Operators(Program):
    """The rows of an exported program, put into a ``Building``."""

    # ---- layers ------------------------------------------------------------------------------------------------------

    def _op_conv2d(self, given: dict[str, Any]) -> At:
        weight, padding, dilation = given["weight"], given["padding"], pair(given["dilation"])
        if isinstance(padding, str):
            kernel = self.shape(weight)[2:]
            total = [d * (k - 1) if padding == "same" else 0 for d, k in zip(dilation, kernel, strict=True)]
            sides = [side for t in total for side in (t // 2, t - t // 2)]
        else:
            sides = [side for p in pair(padding) for side in (p, p)]
        window = {"stride": pair(given["stride"]), "padding": sides, "dilation": dilation, "groups": given["groups"]}
        return self.row("conv2d", given["input"], weight, given["bias"], **window)

    def _op_convolution(self, given: dict[str, Any]) -> At:
        if given["transposed"]:
            self.refuse("a transposed convolution")
        return self._op_conv2d(given)

    def _turned(self, weight: Any) -> Held:
        """A linear weight's numbers as [I, O]."""
        name, tensor = self.given[weight]
        return Held(self.b.name(here(name), self._numbers(name, tensor).T))

    def _op_linear(self, given: dict[str, Any]) -> At:
        if given["weight"] not in self.given:
            self.refuse("a linear layer whose weight is computed")
        weight = self._turned(given["weight"])
        if len(self.shape(given["input"])) == 2:
            return self.row("linear", given["input"], weight, given["bias"])
        product = self.row("matmul", given["input"], weight)
        return product if given["bias"] is None else self.row("add", product, given["bias"])

    def _op_matmul(self, given: dict[str, Any]) -> At:
        return self.row("matmul", given["self"], given.get("other", given.get("mat2")))

    _op_mm = _op_matmul

    def _op_addmm(self, given: dict[str, Any]) -> At:
        product = self.row("matmul", given["mat1"], given["mat2"])
        return self.row("add", product, given["self"])

    def _op_t(self, given: dict[str, Any]) -> Any:
        return self._op_permute({**given, "dims": [1, 0]})

    def _op_batch_norm(self, given: dict[str, Any]) -> At:
        if given["training"]:
            self.refuse("batch_norm by the batch's own statistics")
        names = [given[key] for key in ("input", "weight", "bias", "running_mean", "running_var")]
        return self.row("batch_norm", *names, momentum=1 - float(given["momentum"]), epsilon=float(given["eps"]))

    def _op_layer_norm(self, given: dict[str, Any]) -> At:
        over = len(given["normalized_shape"])
        wide = [1] * (len(self.shape(given["input"])) - over) + list(given["normalized_shape"])
        operands: list[Any] = []
        for key, usual in (("weight", 1.0), ("bias", 0.0)):
            operands.append(np.full(wide, usual, np.float32))
            if given[key] is not None:
                operands[-1] = self.row("reshape", given[key], shape=wide)
        return self.row("layer_norm", given["input"], *operands, over=over, epsilon=float(given["eps"]))

    # ---- windows -----------------------------------------------------------------------------------------------------

    def _op_max_pool2d(self, given: dict[str, Any]) -> At:
        if pair(given["dilation"]) != [1, 1]:
            self.refuse("max_pool2d with a dilation")
        kernel = pair(given["kernel_size"])
        sides = [side for p in pair(given["padding"]) for side in (p, p)]
        stride = pair(given["stride"] or kernel)
        return self.row(
            "max_pool2d", given["self"], kernel=kernel, stride=stride, padding=sides, ceil_mode=given["ceil_mode"]
        )

    def _op_max_pool2d_with_indices(self, given: dict[str, Any]) -> list[At]:
        return [self._op_max_pool2d(given)]

    def _op_avg_pool2d(self, given: dict[str, Any]) -> At:
        kernel = pair(given["kernel_size"])
        sides = [side for p in pair(given["padding"]) for side in (p, p)]
        return self.row(
            "avg_pool2d", given["self"], kernel=kernel, stride=pair(given["stride"] or kernel), padding=sides,
            ceil_mode=given["ceil_mode"], exclusive=not given["count_include_pad"], divisor=given["divisor_override"],
        )  # fmt: skip

    def _op_adaptive_avg_pool2d(self, given: dict[str, Any]) -> At:
        return self.window("avg_pool2d", given["self"], given["output_size"], exclusive=True, divisor=None)

    def _op_adaptive_max_pool2d(self, given: dict[str, Any]) -> list[At]:
        return [self.window("max_pool2d", given["self"], given["output_size"])]

    def _op_upsample_nearest2d(self, given: dict[str, Any]) -> At:
        source = given.get("self", given.get("input"))
        sides = self.shape(source)[2:]
        size = given.get("output_size")
        factors = given.get("scale_factors") or [given.get("scales_h"), given.get("scales_w")]
        size = size or [round(side * factor) for side, factor in zip(sides, factors, strict=True)]
        if any(out % side for side, out in zip(sides, size, strict=True)):
            self.refuse(f"upsampling of {list(sides)} to {list(size)}, no whole number of times")
        return self.row("upsample2d", source, factor=[out // side for side, out in zip(sides, size, strict=True)])

    def _op_repeat_interleave(self, given: dict[str, Any]) -> At:
        axis = self.axis(given["dim"], given["self"])
        if axis not in (2, 3) or len(self.shape(given["self"])) != 4:
            self.refuse("repeat_interleave along another axis than an image's")
        factor = [given["repeats"] if side == axis else 1 for side in (2, 3)]
        return self.row("upsample2d", given["self"], factor=factor)

    # ---- arranging ---------------------------------------------------------------------------------------------------

    def _op_flatten(self, given: dict[str, Any]) -> At:
        return self.row("flatten", given["self"], start=given["start_dim"], stop=given["end_dim"])

    def _shaped(self, value: Any) -> At:
        """The row of a node whose shape PyTorch knows, by that shape."""
        sizes = list(self.node.meta["val"].shape)
        if self.b.batched(self.operand(value)):
            sizes[0] = -1
        return self.row("reshape", value, shape=[int(size) for size in sizes])

    def _op_view(self, given: dict[str, Any]) -> At:
        return self._shaped(given["self"])

    _op_reshape = _op_unsqueeze = _op_squeeze = _op_unflatten = _op__unsafe_view = _op_view

    def _op_permute(self, given: dict[str, Any]) -> At:
        return self.row("transpose", given["self"], perm=[self.axis(d, given["self"]) for d in given["dims"]])

    def _op_transpose(self, given: dict[str, Any]) -> At:
        order = list(range(len(self.shape(given["self"]))))
        a, b = self.axis(given["dim0"], given["self"]), self.axis(given["dim1"], given["self"])
        order[a], order[b] = order[b], order[a]
        return self.row("transpose", given["self"], perm=order)

    def _op_pad(self, given: dict[str, Any]) -> At:
        flat, rank = list(given["pad"]), len(self.shape(given["self"]))
        pads = [[0, 0] for _ in range(rank)]
        for k in range(len(flat) // 2):
            pads[rank - 1 - k] = flat[2 * k : 2 * k + 2]
        value = float(given["value"] or 0.0)
        if value == -math.inf:
            return self._padded_lowest(given["self"], pads)
        return self.row("pad", given["self"], pads=pads, mode=given["mode"], value=value)

    def _padded_lowest(self, value: Any, pads: list[list[int]]) -> At:
        """Padding below every number, as before a maximum: the largest finite one's opposite does as well."""
        return self.row("pad", value, pads=pads, mode="constant", value=-9e29)

    def _op_constant_pad_nd(self, given: dict[str, Any]) -> At:
        return self._op_pad({**given, "mode": "constant"})

    def _op_slice(self, given: dict[str, Any]) -> Any:
        axis, end = self.axis(given["dim"], given["self"]), given["end"]
        end = None if end is None or end >= 1 << 30 else end
        if (given["start"] or 0, end, given["step"]) == (0, None, 1):
            return given["self"]
        key = [slice(None)] * axis + [slice(given["start"], end, given["step"])]
        return self.row("getitem", given["self"], key=key)

    def _op_select(self, given: dict[str, Any]) -> At:
        axis = self.axis(given["dim"], given["self"])
        return self.row("getitem", given["self"], key=[*[slice(None)] * axis, int(given["index"])])

    def _op_index(self, given: dict[str, Any]) -> At:
        lists = [(axis, one) for axis, one in enumerate(given["indices"]) if one is not None]
        if len(lists) != 1 or lists[0][1] not in self.given:
            self.refuse("an index by several lists, or by what is computed")
        axis, one = lists[0]
        places = [int(k) for k in self.given[one][1].reshape(-1).tolist()]
        parts = [
            self.row("getitem", given["self"], key=[*[slice(None)] * axis, slice(k, k + 1, None)])
            for k in (p % self.shape(given["self"])[axis] for p in places)
        ]
        return self.row("concat", *parts, axis=axis)

    def _op_cat(self, given: dict[str, Any]) -> At:
        return self.row("concat", *given["tensors"], axis=self.axis(given["dim"], given["tensors"][0]))

    # ---- elementwise and reductions ----------------------------------------------------------------------------------

    def _binary(self, op: str, given: dict[str, Any]) -> At:
        if given.get("rounding_mode") is not None:
            self.refuse("a division with rounding")
        other, alpha = given["other"], given.get("alpha", 1)
        if alpha != 1:
            other = other * alpha if isinstance(other, float) else self.row("multiply", other, float(alpha))
        return self.row(op, given["self"], other)

    def _reduced(self, op: str, given: dict[str, Any]) -> At:
        axes = given.get("dim")
        if isinstance(axes, list) and not axes:
            axes = None
        return self.row(op, given["self"], axis=axes, keepdim=bool(given.get("keepdim", False)))

    def _op_mean(self, given: dict[str, Any]) -> At:
        return self._reduced("mean", given)

    def _op_sum(self, given: dict[str, Any]) -> At:
        return self._reduced("sum", given)

    def _op_amax(self, given: dict[str, Any]) -> At:
        return self._reduced("max", given)

    def _op_amin(self, given: dict[str, Any]) -> At:
        return self._reduced("min", given)

    def _op_max(self, given: dict[str, Any]) -> list[At]:
        return [self._reduced("max", given)]

    def _op_min(self, given: dict[str, Any]) -> list[At]:
        return [self._reduced("min", given)]

    def _op_softmax(self, given: dict[str, Any]) -> At:
        return self.row("softmax", given["self"], axis=given["dim"])

    _op__softmax = _op_softmax

    def _op_log_softmax(self, given: dict[str, Any]) -> At:
        return self.log_softmax(given["self"], given["dim"])

    def _op_pow(self, given: dict[str, Any]) -> At:
        if given["exponent"] != 2:
            self.refuse(f"the power {given['exponent']}")
        return self.row("square", given["self"])

    def _op_clamp(self, given: dict[str, Any]) -> At:
        low, high = (None if given[key] is None else float(given[key]) for key in ("min", "max"))
        return self.row("clip", given["self"], low=low, high=high)

    def _op_clamp_min(self, given: dict[str, Any]) -> At:
        return self.row("clip", given["self"], low=float(given["min"]), high=None)

    def _op_hardtanh(self, given: dict[str, Any]) -> At:
        low, high = float(given["min_val"]), float(given["max_val"])
        if (low, high) == (0.0, 6.0):
            return self.row("relu6", given["self"])
        return self.row("hardtanh", given["self"], low=low, high=high)

    def _op_leaky_relu(self, given: dict[str, Any]) -> At:
        return self.row("leaky_relu", given["self"], slope=float(given["negative_slope"]))

    def _op_elu(self, given: dict[str, Any]) -> At:
        alpha, scale = float(given["alpha"]), float(given["scale"])
        if float(given["input_scale"]) != 1:
            self.refuse("elu with an input_scale")
        if scale == 1:
            return self.row("elu", given["self"], alpha=alpha)
        return self.row("selu", given["self"], scale=scale, alpha=alpha)

    def _op_celu(self, given: dict[str, Any]) -> At:
        return self.row("celu", given["self"], alpha=float(given["alpha"]))

    def _op_selu(self, given: dict[str, Any]) -> At:
        alpha, scale = 1.6732632423543772, 1.0507009873554805
        return self.row("selu", given["self"], scale=scale, alpha=alpha)

    def _op_gelu(self, given: dict[str, Any]) -> At:
        return self.row("gelu", given["self"], approximate=given["approximate"] == "tanh")

    def _op_hardsigmoid(self, given: dict[str, Any]) -> At:
        return self.row("hardsigmoid", given["self"], slope=1 / 6, offset=0.5)

    def _op_hardshrink(self, given: dict[str, Any]) -> At:
        return self.row("hardshrink", given["self"], threshold=float(given["lambd"]))

    def _op_softshrink(self, given: dict[str, Any]) -> At:
        return self.row("softshrink", given["self"], threshold=float(given["lambd"]))

    def _op_softplus(self, given: dict[str, Any]) -> At:
        return self.row("softplus", given["self"], beta=float(given["beta"]), threshold=float(given["threshold"]))

    def _op_softsign(self, given: dict[str, Any]) -> At:
        return self.row("softsign", given["self"])

    def _op_log_sigmoid(self, given: dict[str, Any]) -> At:
        return self.row("log_sigmoid", given["self"])

    def _op_tanhshrink(self, given: dict[str, Any]) -> At:
        return self.row("tanhshrink", given["self"])

    def _op_ones_like(self, given: dict[str, Any]) -> At:
        """Ones in the shape of what has an axis of images: x · 0 + 1."""
        return self.row("add", self.row("multiply", given["self"], 0.0), 1.0)

    def _op_full(self, given: dict[str, Any]) -> NDArray[np.float32]:
        return np.full([int(size) for size in given["size"]], given["fill_value"], np.float32)

    def _op_sym_size(self, given: dict[str, Any]) -> int:
        return int(self.node.meta["val"])
