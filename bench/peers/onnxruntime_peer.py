"""ONNX Runtime, on one thread and on two; all its graph optimisations on. It only answers, it doesn't train."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from _graph import graph
from _networks import works
from _onnx_networks import graph as network
from _serve import THREADS, accuracy, latency, mnist, normalised, serve

images, labels = normalised(mnist("test")[0]), mnist("test")[1]
sessions: dict[int, Any] = {}


def session_of(model: bytes, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def answer(threads: int) -> Any:
    if threads not in sessions:
        sessions[threads] = session_of(graph(), threads)
    session = sessions[threads]

    def call(x: np.ndarray) -> np.ndarray:
        return session.run(None, {"images": x})[0]

    return call


def answer_of(name: str) -> Any:
    session = session_of(network(name), THREADS)
    return lambda x: session.run(None, {"images": x})[0]


serve(
    {
        "evaluate1": lambda: accuracy(answer(1), images, labels, 200),
        "evaluate2": lambda: accuracy(answer(2), images, labels, 200),
        "image1": lambda: latency(answer(1), images),
        "image2": lambda: latency(answer(2), images),
        **works(None, answer_of),
    },
    onnxruntime.__version__,
)
