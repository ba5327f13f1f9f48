"""The trained network as an ONNX graph, for the peers that only answer. Made from the same weights as everybody's."""

from __future__ import annotations

import numpy as np
from _serve import weights
from onnx import TensorProto, checker, helper, numpy_helper


def graph(batch: int | str = "N") -> bytes:
    """images float32 [batch, 1, 28, 28] to logits [batch, 10]."""
    stored = [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in weights().items()]
    pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
    nodes = [
        helper.make_node("Conv", ["images", "conv1.weight", "conv1.bias"], ["c1"], pads=[2, 2, 2, 2]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("MaxPool", ["r1"], ["p1"], **pool),
        helper.make_node("Relu", ["p1"], ["q1"]),
        helper.make_node("Conv", ["q1", "conv2.weight", "conv2.bias"], ["c2"]),
        helper.make_node("MaxPool", ["c2"], ["p2"], **pool),
        helper.make_node("Flatten", ["p2"], ["f"]),
        helper.make_node("Gemm", ["f", "linear1.weight", "linear1.bias"], ["l1"]),
        helper.make_node("Relu", ["l1"], ["h1"]),
        helper.make_node("Gemm", ["h1", "linear2.weight", "linear2.bias"], ["l2"]),
        helper.make_node("Relu", ["l2"], ["h2"]),
        helper.make_node("Gemm", ["h2", "linear3.weight", "linear3.bias"], ["logits"]),
    ]
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "lenet",
            [helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 1, 28, 28])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [batch, 10])],
            stored,
        ),
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=8,
    )
    checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content
