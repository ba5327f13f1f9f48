"""``lenet.export.onnx``: a network as one ONNX file that phones, servers and browsers run.

Around the network stand what a pixel goes through before it and the softmax after it, as nodes of the same graph. The file
is opset 17 and IR 8, which older runtimes read too; it is checked before it is written, and its answers are compared with
ours where ONNX Runtime is installed. Reading is ``onnx_reader``'s.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.data import fetch, idx
from lenet.disk.write import atomic_write
from lenet.evaluation import softmax
from lenet.export.graph import Graph, answers
from lenet.export.need import need
from lenet.export.onnx_rows import Nodes, network_nodes
from lenet.messages.check import choice, message
from lenet.messages.version import version
from lenet.modelfile.serialization import _to_json

__all__ = ["Written", "onnx"]

OPSET, IR = 17, 8
KINDS = ("uint8", "float32")
TOLERANCE = 1e-5  # of the difference to ONNX Runtime, of the largest answer where that is above 1
_COMPARED = 1000


class Written(NamedTuple):
    """What ``onnx`` wrote. compared: images that ONNX Runtime answered too, 0 where it isn't installed; of: which they
    were; difference: the largest one between its answers and ours."""

    path: str
    bytes: int
    compared: int
    of: str
    difference: float


def onnx(
    given: Any,
    path: str | os.PathLike[str],
    input: str | None = None,
    probabilities: bool = True,
    *,
    shape: Sequence[int] | None = None,
) -> Written:
    """Write a network to an ONNX file, with any number of images a call.

    given: a network, a ``Model``, a ``lenet.train.Trained`` or a model file's name. input: "uint8", the usual where mean
    and std are known: pixels of 0 to 255, [N, C, H, W], light on dark; "float32": the same pixels as floats, or, of a bare
    network, the numbers that it takes. probabilities: softmax of the logits over the calibration's temperature at the end,
    else the logits. shape: [C, H, W] of the images that a bare network takes.

    The file's metadata hold the labels, the weights' digest and the account of a model file. ImportError without the
    package onnx; ValueError for a network or a name that can't be; nothing is written then, nor if ONNX Runtime answers
    otherwise.
    """
    target = os.fspath(path)
    if not target.endswith(".onnx"):
        fix = f"Type {os.path.splitext(target)[0] or 'model'}.onnx"
        raise ValueError(message("export.onnx(path)", repr(target), "a name ending in .onnx", fix))
    graph = Graph.of(given, shape)
    kind = choice("export.onnx(input)", input or ("float32" if graph.mean is None else "uint8"), KINDS)
    if kind == "uint8" and graph.mean is None:
        fix = "Save the model with mean and std, or type input='float32'"
        raise ValueError(message("export.onnx(input)", "'uint8' for a network without mean and std", "both known", fix))
    content = model_of(graph, kind, probabilities).SerializeToString(deterministic=True)
    found = _compared(graph, content, kind, probabilities)
    atomic_write(target, content)
    return Written(target, len(content), *found)


def model_of(graph: Graph, kind: str, probabilities: bool) -> Any:
    """The checked ``onnx.ModelProto``."""
    need("export.onnx", "onnx", "onnx")
    from onnx import TensorProto, checker, helper, numpy_helper

    nodes = Nodes()
    images = "images"
    if kind == "uint8":
        images = nodes.add("Cast", images, to=TensorProto.FLOAT)
    if graph.mean is not None and graph.std is not None:
        images = nodes.add("Div", nodes.add("Sub", images, nodes.constant(graph.mean)), nodes.constant(graph.std))
    result = network_nodes(nodes, graph, images)
    result = _ended(nodes, graph, result, probabilities)
    name = "probabilities" if probabilities or graph.ends_in_softmax else "logits"
    nodes.add("Identity", result, name=name)
    entry = TensorProto.UINT8 if kind == "uint8" else TensorProto.FLOAT
    made = helper.make_graph(
        nodes.nodes,
        "lenet",
        [helper.make_tensor_value_info("images", entry, ["N", *graph.shape], doc_string=_entry_words(graph, kind))],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *graph.rows[-1].shape])],
        [numpy_helper.from_array(array, known) for known, array in nodes.initializers.items()],
    )
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(
        made, opset_imports=opset, ir_version=IR, producer_name="lenet", producer_version=version()
    )
    labels = list(graph.labels) or [str(k) for k in range(graph.rows[-1].shape[-1])]
    about = {"labels": _to_json({"labels": labels}), "digest": graph.digest, "lenet": _to_json(graph.about)}
    helper.set_model_props(model, about)
    checker.check_model(model, full_check=True)
    return model


def _ended(nodes: Nodes, graph: Graph, result: str, probabilities: bool) -> str:
    """What stands after the network."""
    if not probabilities or (graph.ends_in_softmax and graph.temperature == 1):
        return result
    if graph.ends_in_softmax:
        tiny = nodes.constant(np.finfo(np.float32).tiny)
        result = nodes.add("Log", nodes.add("Max", result, tiny))
    if graph.temperature != 1:
        result = nodes.add("Div", result, nodes.constant(graph.temperature))
    return nodes.add("Softmax", result, axis=-1)


def _entry_words(graph: Graph, kind: str) -> str:
    if graph.mean is None:
        return "what the network takes, as it was in training"
    return f"pixels of 0 to 255 as {kind}, light on dark"


# ---- beside ONNX Runtime ---------------------------------------------------------------------------------------------


def _compared(graph: Graph, content: bytes, kind: str, probabilities: bool) -> tuple[int, str, float]:
    """How many images ONNX Runtime answered, which, and the largest difference; ValueError if it is too large."""
    if importlib.util.find_spec("onnxruntime") is None:
        return 0, "ONNX Runtime is not installed", 0.0
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    images, what = digits(graph.shape)
    entry = images if kind == "uint8" else images.astype(np.float32)
    floats = images.astype(np.float32)
    if graph.mean is None:
        entry = floats = floats / np.float32(255)
    else:
        floats = (floats - np.float32(graph.mean)) / np.float32(graph.std)
    theirs = session.run(None, {"images": entry})[0]
    ours = answers(graph.network, floats)
    if probabilities and not (graph.ends_in_softmax and graph.temperature == 1):
        if graph.ends_in_softmax:
            ours = np.log(np.maximum(ours, np.finfo(np.float32).tiny))
        ours = softmax(ours, graph.temperature)
    largest = float(np.abs(theirs - ours).max(initial=0))
    if not largest <= TOLERANCE * max(1.0, float(np.abs(ours).max(initial=0))):
        given = f"answers that differ by {largest:.1e} on {len(images):,} {what}"
        raise ValueError(message("export.onnx, ONNX Runtime", given, f"the same within {TOLERANCE:.0e}"))
    return len(images), what, largest


def digits(shape: Sequence[int]) -> tuple[NDArray[np.uint8], str]:
    """Images [N, *shape] to compare answers on, and what they are: MNIST's where they are on this machine."""
    try:
        known = fetch.obtain("mnist", ["test-images"], download=False, say=lambda text: None)
        grey = idx.images(known.contents["test-images"], "test-images")[:_COMPARED]
    except (RuntimeError, OSError, ValueError):
        drawn = np.random.RandomState(0).randint(0, 256, (100, *shape))
        return drawn.astype(np.uint8), "images of noise"
    return fitted(grey, shape), "of MNIST's test images"


def fitted(grey: NDArray[np.uint8], shape: Sequence[int]) -> NDArray[np.uint8]:
    """Grey images [N, 28, 28] in another shape: laid into the middle or cut, the same in each channel."""
    channels, height, width = shape if len(shape) == 3 else (1, 1, int(np.prod(shape)))
    if len(shape) != 3:
        return np.resize(grey.reshape(len(grey), -1), (len(grey), width)).reshape(len(grey), *shape)
    sides = [(max(0, size - 28), max(0, 28 - size)) for size in (height, width)]
    more = [(0, 0), *((out // 2, out - out // 2) for out, _ in sides)]
    laid = np.pad(grey, more)[:, sides[0][1] // 2 :, sides[1][1] // 2 :][:, :height, :width]
    return np.ascontiguousarray(np.repeat(laid[:, None], channels, axis=1))
