"""Paddle's name for the place of tensors (``paddle.tensor``): the class, what makes one, and the functions a second time."""

from lenet.autograd import array_rows as _rows
from lenet.autograd.array_rows import *  # noqa: F403
from lenet.autograd.tensor import Parameter, Tensor, to_tensor

__all__ = ["Parameter", "Tensor", "to_tensor"]
__all__ += _rows.__all__
