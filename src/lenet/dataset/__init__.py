"""Data sets as readers, the way of Paddle's first versions (``paddle.dataset``): what they return yields samples."""

from lenet.dataset import cifar, mnist

__all__ = ["cifar", "mnist"]
