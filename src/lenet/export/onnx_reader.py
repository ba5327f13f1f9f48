"""``lenet.from_onnx``: an ONNX file of our operations as a network with the same weights.

The file is untrusted: its size is limited before it is read, nothing in it is run, no other file is opened for it, and every
shape is computed before anything of that size is made. Its nodes become rows one by one (``onnx_operators``). Writing is
``onnx_file``'s.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from lenet.export.graph import IMAGES, Building
from lenet.export.need import need
from lenet.export.onnx_nodes import array_of
from lenet.export.onnx_operators import Operators
from lenet.messages.check import brief, message
from lenet.nn import Layer

__all__ = ["from_onnx"]

MOST_BYTES = 300 << 20
MOST_NODES = 20_000
OPSETS = range(7, 26)


def from_onnx(path: str | os.PathLike[str], shape: Sequence[int] | None = None) -> Layer:
    """The network, in evaluation mode, of an ONNX file: what the file computes, of float32 images [N, C, H, W].

    Initializers keep their names and bits as the network's tensors; a matrix that the file has as [O, I] becomes [I, O].
    A batch of a fixed size becomes any number. A file that takes bytes becomes a network that takes the same numbers as
    floats. shape: [C, H, W], where the file leaves it open.

    ImportError without the package onnx; FileNotFoundError if there is no file; ValueError, with the node, for an operator
    that a network here hasn't, and for a file that is damaged, too large, of another opset, or keeps its weights elsewhere.
    """
    need("from_onnx", "onnx", "onnx")
    file = os.fspath(path)
    what = f"from_onnx, {os.path.basename(file)}"
    model = _parsed(file, what)
    graph = model.graph
    versions = {opset.domain: opset.version for opset in model.opset_import}
    opset = versions.get("", versions.get("ai.onnx", 0))
    if opset not in OPSETS:
        expected = f"one of {OPSETS.start} to {OPSETS.stop - 1}"
        raise ValueError(message(what, f"opset {opset}", expected))
    if len(graph.node) > MOST_NODES or model.functions or graph.sparse_initializer:
        given = "functions or sparse tensors" if len(graph.node) <= MOST_NODES else f"{len(graph.node)} nodes"
        raise ValueError(message(what, given, f"at most {MOST_NODES} nodes on plain tensors"))
    constants = {tensor.name: array_of(what, tensor.name, tensor) for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    if len(inputs) != 1 or len(graph.output) != 1:
        given = f"{len(inputs)} inputs and {len(graph.output)} outputs"
        raise ValueError(message(what, given, "one of each: images in, a number a class out"))
    size, batch = _image(what, inputs[0], shape)
    building = Building(what, size)
    operators = Operators(building, opset, batch, constants, model.producer_name == "lenet")
    operators.values[inputs[0].name] = IMAGES
    operators.run(graph.node, graph.output[0].name)
    return building.network()


def _parsed(file: str, what: str) -> Any:
    """The file's ``onnx.ModelProto``."""
    import onnx
    from google.protobuf.message import DecodeError

    if not os.path.isfile(file):
        raise FileNotFoundError(message(what, "no such file", "an ONNX file", "Check the path"))
    with open(file, "rb") as opened:
        size = os.fstat(opened.fileno()).st_size
        if size > MOST_BYTES:
            raise ValueError(message(what, f"{size} bytes", f"at most {MOST_BYTES}"))
        content = opened.read(size)
    model = onnx.ModelProto()
    fix = "It is truncated, damaged, or another kind of file"
    try:
        model.ParseFromString(content)
    except (DecodeError, ValueError, RecursionError):
        raise ValueError(message(what, f"{len(content)} bytes", "an ONNX file", fix)) from None
    if any(isinstance(text, bytes) for text in _texts(model)):
        raise ValueError(message(what, "names that are no text", "an ONNX file", fix))
    if not model.ir_version or not model.graph.node:
        raise ValueError(message(what, f"{len(content)} bytes without a graph", "an ONNX file", fix))
    return model


def _texts(model: Any) -> Iterator[Any]:
    """Every name in a file: bytes where what stands there is no UTF-8."""
    graph = model.graph
    yield model.producer_name
    yield from (opset.domain for opset in model.opset_import)
    for node in graph.node:
        yield from (node.op_type, node.name, node.domain, *node.input, *node.output)
        yield from (one.name for one in node.attribute)
    for things in (graph.initializer, graph.input, graph.output):
        yield from (one.name for one in things)


def _image(what: str, entry: Any, shape: Sequence[int] | None) -> tuple[tuple[int, ...], int]:
    """[C, H, W] of one image, and the file's number of images, 0 where it is open. ValueError where it can't be known."""
    from onnx import TensorProto

    kind = entry.type.tensor_type.elem_type
    if kind not in (TensorProto.FLOAT, TensorProto.UINT8):
        given = "nothing known" if not kind else TensorProto.DataType.Name(kind).lower()
        raise ValueError(message(f"{what}, input {brief(entry.name)}", given, "float32 or uint8"))
    sizes = [int(side.dim_value) for side in entry.type.tensor_type.shape.dim]  # 0 where it is open
    if len(sizes) < 2:
        raise ValueError(message(f"{what}, input {brief(entry.name)}", f"shape {sizes}", "[N, C, H, W] or [N, F]"))
    size = tuple(sizes[1:]) if shape is None else tuple(int(side) for side in shape)
    fits = len(size) == len(sizes) - 1 and all(a in (0, b) for a, b in zip(sizes[1:], size, strict=True))
    if not fits or min(size) < 1 or max(size) > 4096:
        fix = "Type shape=(C, H, W)" if shape is None else ""
        given = f"shape {['N', *(side or 'open' for side in sizes[1:])]}"
        raise ValueError(message(f"{what}, input {brief(entry.name)}", given, "known sizes of one image", fix))
    return size, max(0, sizes[0])
