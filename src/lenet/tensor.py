"""Paddle's name for the place of tensors (``paddle.tensor``): the class, and what makes one. All else is in ``autograd``."""

from lenet.autograd.tensor import Parameter, Tensor, to_tensor

__all__ = ["Parameter", "Tensor", "to_tensor"]
