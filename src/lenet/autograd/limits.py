"""Numbers and types by name: constants, what a type can hold, and tensors made by naming their type (``lenet.FloatTensor``)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lenet.autograd.dtype import dtype_of
from lenet.autograd.tensor import Tensor, dense, to_tensor
from lenet.messages.check import message

__all__ = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "IntTensor", "LongTensor", "ShortTensor", "e",
    "finfo", "iinfo", "inf", "nan", "newaxis", "pi",
]  # fmt: skip

e, pi, inf, nan, newaxis = math.e, math.pi, math.inf, math.nan, None


class finfo:  # noqa: N801 - Paddle's name
    """What a float type can hold: min, max, eps, resolution, smallest_normal, tiny, bits, dtype. TypeError for another type."""

    def __init__(self, dtype: Any) -> None:
        kind = dtype_of(dtype)
        if kind.numpy.kind != "f":
            raise TypeError(message("finfo()", kind.name, "a float type, such as 'float32'", "Type lenet.iinfo"))
        found = np.finfo(kind.numpy)
        self.min, self.max, self.eps = float(found.min), float(found.max), float(found.eps)
        self.resolution, self.bits, self.dtype = float(found.resolution), int(found.bits), kind.name
        self.smallest_normal = self.tiny = float(found.tiny)

    def __repr__(self) -> str:
        names = ("min", "max", "eps", "resolution", "smallest_normal", "tiny")
        shown = ", ".join(f"{name}={getattr(self, name):.6g}" for name in names)
        return f"paddle.finfo({shown}, bits={self.bits}, dtype={self.dtype})"


class iinfo:  # noqa: N801 - Paddle's name
    """What a type of whole numbers can hold: min, max, bits, dtype. TypeError for another type."""

    def __init__(self, dtype: Any) -> None:
        kind = dtype_of(dtype)
        if kind.numpy.kind not in "iu":
            raise TypeError(
                message("iinfo()", kind.name, "a type of whole numbers, such as 'int64'", "Type lenet.finfo")
            )
        found = np.iinfo(kind.numpy)
        self.min, self.max, self.bits, self.dtype = int(found.min), int(found.max), int(found.bits), kind.name

    def __repr__(self) -> str:
        return f"paddle.iinfo(min={self.min}, max={self.max}, bits={self.bits}, dtype={self.dtype})"


def _maker(kind: str) -> Callable[..., Tensor]:
    def make(*args: Any, device: Any = None) -> Tensor:
        if args and all(isinstance(a, int) and not isinstance(a, bool) for a in args):
            return dense(np.zeros(args, kind))
        return to_tensor(args[0] if args else np.zeros((0,)), kind)

    make.__doc__ = f"A tensor of {kind} from numbers, a list or an array; or from lengths, of zeros."
    return make


FloatTensor, DoubleTensor, IntTensor, LongTensor = map(_maker, ("float32", "float64", "int32", "int64"))
ShortTensor, CharTensor, ByteTensor, BoolTensor = map(_maker, ("int16", "int8", "uint8", "bool"))
