"""Networks to and from other libraries: ONNX, PyTorch, Paddle. Both ways keep the bits of every weight.

``onnx``, ``torch`` and ``paddle`` write; ``lenet.from_onnx``, ``from_torch`` and ``from_paddle`` read.
"""

from lenet.export.onnx_file import Written, onnx
from lenet.export.onnx_reader import from_onnx
from lenet.export.paddle_layer import paddle
from lenet.export.paddle_reader import from_paddle
from lenet.export.torch_module import torch
from lenet.export.torch_reader import from_torch
from lenet.export.weights import load_torch_state, save_torch_state, torch_state

__all__ = [
    "Written",
    "from_onnx",
    "from_paddle",
    "from_torch",
    "load_torch_state",
    "onnx",
    "paddle",
    "save_torch_state",
    "torch",
    "torch_state",
]
