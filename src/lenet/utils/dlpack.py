"""Tensors to and from other libraries without a copy (Paddle: ``paddle.utils.dlpack``), by the DLPack protocol.

t = lenet.utils.dlpack.from_dlpack(torch_tensor)
x = torch.from_dlpack(t)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lenet.autograd.dtype import dtype_of
from lenet.autograd.tensor import Tensor, dense
from lenet.messages.check import describe, message

__all__ = ["from_dlpack", "to_dlpack"]


def to_dlpack(x: Tensor) -> Any:
    """A DLPack capsule of a tensor's own memory, for one reader. It keeps the memory alive."""
    if not isinstance(x, Tensor):
        raise TypeError(message("to_dlpack(x)", describe(x), "a lenet Tensor"))
    return x.__dlpack__()


def from_dlpack(x: Any) -> Tensor:
    """A Tensor on another library's memory: no copy of what is dense and aligned, a copy of all else.

    x: whatever has ``__dlpack__``, such as a tensor of PyTorch or Paddle or an ndarray. lenet never writes there; what
    somebody else writes may be seen or not. TypeError for other objects and for numbers there is no Tensor of.
    """
    if not hasattr(x, "__dlpack__"):
        raise TypeError(message("from_dlpack(x)", describe(x), "an object with __dlpack__"))
    source = x.detach() if hasattr(x, "detach") else x
    try:
        array = np.from_dlpack(source)
    except (BufferError, TypeError, RuntimeError, ValueError) as error:
        raise TypeError(message("from_dlpack(x)", f"{describe(x)} ({error})", "numbers on the CPU")) from None
    dtype_of(array.dtype)
    return dense(np.ascontiguousarray(array))
