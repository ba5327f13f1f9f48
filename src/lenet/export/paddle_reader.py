"""``lenet.from_paddle``: a layer of real Paddle as a network with the same weights.

Paddle's own ``jit`` watches the layer's forward pass; each of its operators becomes rows (``paddle_operators``). At the end
both answer the same images, and a network that answers otherwise is refused. Writing is ``paddle_layer``'s.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from lenet.export.graph import Building, answers
from lenet.export.need import need
from lenet.export.paddle_operators import Operators
from lenet.export.torch_reader import agree
from lenet.messages.check import MOST, describe, message, one_line
from lenet.nn import Layer

__all__ = ["from_paddle"]


def from_paddle(layer: Any, shape: Sequence[int] = (1, 28, 28)) -> Layer:
    """A network, in evaluation mode, that answers as a layer of real Paddle in evaluation mode does.

    layer: a ``paddle.nn.Layer`` that takes float32 [N, *shape] to [N, K]. Its parameters keep names, shapes and bits. The
    layer is left as it was.

    ImportError without Paddle; TypeError for anything but a layer; ValueError for a layer with an operation that a network
    here hasn't, which is named with its line, for a forward that can't be watched, and for parameters that aren't float32.
    """
    need("from_paddle", "paddle")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Paddle's import tells of a compiler cache
        import paddle

    if not isinstance(layer, paddle.nn.Layer):
        fix = "from_paddle(Net())" if isinstance(layer, type) else "net.set_state_dict(lenet.load(path)) takes weights"
        raise TypeError(message("from_paddle", describe(layer), "a paddle.nn.Layer", fix))
    size = tuple(int(side) for side in shape)
    for name, tensor in layer.state_dict().items():
        if tensor.dtype != paddle.float32:
            raise ValueError(message(f"from_paddle, {name}", f"{tensor.dtype}", "float32", "Type layer.float()"))
    modes = {one: one.training for one in layer.sublayers(include_self=True)}
    layer.eval()
    try:
        program = _watched(paddle, layer, size)
        building = Building("from_paddle", size)
        Operators(building, program, layer).run()
        network = building.network()
        images = np.random.RandomState(1).uniform(0, 1, (5, *size)).astype(np.float32)
        with paddle.no_grad():
            theirs = layer(paddle.to_tensor(images)).numpy()
        agree("from_paddle", theirs, answers(network, images))
    finally:
        for one, mode in modes.items():
            one.training = mode
    return network


def _watched(paddle: Any, layer: Any, size: tuple[int, ...]) -> Any:
    """The program that Paddle makes of the layer's forward pass."""

    def run(images: Any) -> Any:
        return layer(images)

    spec = paddle.static.InputSpec([None, *size], "float32", "images")
    try:
        with warnings.catch_warnings(), paddle.no_grad():
            warnings.simplefilter("ignore")
            static = paddle.jit.to_static(run, input_spec=[spec], full_graph=True)
            return static.get_concrete_program(spec)[0]
    except Exception as error:  # whatever the layer's own code or the tracer raises
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        fix = "Type shape=(C, H, W) if its images have another one"
        given = f"a forward that fails on images {list(size)} ({one_line(lines[-1] if lines else '', 120)})"
        raise ValueError(one_line(message("from_paddle", given, "operations on tensors alone", fix), MOST)) from None
