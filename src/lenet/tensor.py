"""The tensor functions a second time, as Paddle keeps them in ``paddle.tensor``."""

from lenet.autograd import array_rows as _rows
from lenet.autograd.array_rows import *  # noqa: F403
from lenet.autograd.tensor import to_tensor

__all__ = ["to_tensor"]
__all__ += _rows.__all__
