"""The networks of ``_networks`` as ONNX graphs with random weights, for peers that only answer."""

from __future__ import annotations

from typing import Any

import numpy as np
from _networks import NETWORKS
from onnx import TensorProto, checker, helper, numpy_helper


class _Ops:
    """Writes nodes; a value is its name."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.stored: list[Any] = []
        self._random = np.random.RandomState(0)

    def _keep(self, array: np.ndarray) -> str:
        self.stored.append(numpy_helper.from_array(array, f"w{len(self.stored)}"))
        return self.stored[-1].name

    def _weights(self, *shape: int) -> str:
        scale = 1 / np.sqrt(np.prod(shape[1:]) if len(shape) > 1 else 1)
        return self._keep((self._random.standard_normal(shape) * scale).astype(np.float32))

    def _node(self, op: str, *inputs: str, **attributes: Any) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], **attributes))
        return name

    def conv(self, x: str, inputs: int, outputs: int, kernel: int, step: int, bias: bool) -> str:
        parameters = [self._weights(outputs, inputs, kernel, kernel), *([self._weights(outputs)] if bias else [])]
        return self._node("Conv", x, *parameters, pads=[kernel // 2] * 4, strides=[step] * 2)

    def norm(self, x: str, channels: int) -> str:
        one, zero = np.ones(channels, np.float32), np.zeros(channels, np.float32)
        return self._node("BatchNormalization", x, *map(self._keep, (one, zero, zero, one)))

    def relu(self, x: str) -> str:
        return self._node("Relu", x)

    def linear(self, x: str, inputs: int, outputs: int) -> str:
        return self._node("Gemm", x, self._weights(outputs, inputs), self._weights(outputs), transB=1)

    def half(self, x: str) -> str:
        return self._node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])

    def twice(self, x: str) -> str:
        scales = self._keep(np.array([1, 1, 2, 2], np.float32))
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self._node("Resize", x, "", scales, **how)

    def add(self, a: str, b: str) -> str:
        return self._node("Add", a, b)

    def around(self, x: str, more: int) -> str:
        numbers = ([0, 0], [2**31 - 1] * 2, [2, 3], [2, 2])
        x = self._node("Slice", x, *(self._keep(np.array(n, np.int64)) for n in numbers))
        return self._node(
            "Pad", x, self._keep(np.array([0, more // 2, 0, 0, 0, more - more // 2, 0, 0], np.int64)), mode="constant"
        )

    def mean(self, x: str) -> str:
        return self.flat(self._node("GlobalAveragePool", x))

    def flat(self, x: str) -> str:
        return self._node("Flatten", x)


def graph(name: str) -> bytes:
    """images float32 [N, C, H, W] to the network's output."""
    ops, (run, shape, _, _) = _Ops(), NETWORKS[name]
    last = run(ops, "images")
    sizes = ["N", shape[0], "H", "W"] if name == "page" else ["N", *shape]
    given = [helper.make_tensor_value_info("images", TensorProto.FLOAT, sizes)]
    outputs = ["N", 15, "OH", "OW"] if name == "page" else ["N", 10]
    made = [helper.make_tensor_value_info(last, TensorProto.FLOAT, outputs)]
    model = helper.make_model(
        helper.make_graph(ops.nodes, name, given, made, ops.stored),
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=8,
    )
    checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content
