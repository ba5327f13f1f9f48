"""ONNX's layers as rows: convolutions, pooling, normalisations, products. Read by ``onnx_operators``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lenet.export.onnx_nodes import Nodes
from lenet.messages.check import brief

__all__ = ["Layers"]


class Layers(Nodes):
    """The operators with windows, weights or statistics."""

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
