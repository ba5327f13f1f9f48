"""Data sets as readers, the way of Paddle's first versions (``paddle.dataset``): functions that return functions that yield samples."""

from lenet.dataset import cifar, mnist

__all__ = ["cifar", "mnist"]
