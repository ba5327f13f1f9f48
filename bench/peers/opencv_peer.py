"""OpenCV's dnn module on the same ONNX graph. It only answers, it doesn't train."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from _graph import graph
from _serve import THREADS, accuracy, latency, mnist, normalised, serve

cv2.setNumThreads(THREADS)
images, labels = normalised(mnist("test")[0]), mnist("test")[1]
nets: dict[int, Any] = {}


def answer(batch: int) -> Any:
    """A network for one batch size: it plans its memory for the shape it first sees."""
    if batch not in nets:
        nets[batch] = cv2.dnn.readNetFromONNX(np.frombuffer(graph(batch), np.uint8))
    net = nets[batch]

    def call(x: np.ndarray) -> np.ndarray:
        net.setInput(x)
        return net.forward()

    return call


serve(
    {
        "evaluate": lambda: accuracy(answer(200), images, labels, 200),
        "image": lambda: latency(answer(1), images),
    },
    cv2.__version__,
)
