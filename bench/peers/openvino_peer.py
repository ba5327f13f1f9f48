"""OpenVINO on the same ONNX graph, compiled for latency at one image and for throughput at many, in float32."""

from __future__ import annotations

from typing import Any

import numpy as np
import openvino
from _graph import graph
from _serve import THREADS, accuracy, latency, mnist, normalised, serve

images, labels = normalised(mnist("test")[0]), mnist("test")[1]
core = openvino.Core()
requests: dict[int, Any] = {}


def answer(batch: int) -> Any:
    if batch not in requests:
        options = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",  # it would take bfloat16 where the CPU has it
            "INFERENCE_NUM_THREADS": THREADS,
        }
        model = core.read_model(graph(batch), b"")
        requests[batch] = core.compile_model(model, "CPU", options).create_infer_request()
    request = requests[batch]

    def call(x: np.ndarray) -> np.ndarray:
        return request.infer([x], share_inputs=True, share_outputs=True)[0]

    return call


serve(
    {
        "evaluate": lambda: accuracy(answer(200), images, labels, 200),
        "image": lambda: latency(answer(1), images),
    },
    openvino.__version__,
)
