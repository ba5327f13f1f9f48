"""ONNX Runtime, on one thread and on two; all its graph optimisations on. It only answers, it doesn't train."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from _graph import graph
from _serve import accuracy, latency, mnist, normalised, serve

images, labels = normalised(mnist("test")[0]), mnist("test")[1]
sessions: dict[int, Any] = {}


def answer(threads: int) -> Any:
    if threads not in sessions:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        sessions[threads] = onnxruntime.InferenceSession(graph(), options, providers=["CPUExecutionProvider"])
    session = sessions[threads]

    def call(x: np.ndarray) -> np.ndarray:
        return session.run(None, {"images": x})[0]

    return call


serve(
    {
        "evaluate1": lambda: accuracy(answer(1), images, labels, 200),
        "evaluate2": lambda: accuracy(answer(2), images, labels, 200),
        "image1": lambda: latency(answer(1), images),
        "image2": lambda: latency(answer(2), images),
    },
    onnxruntime.__version__,
)
