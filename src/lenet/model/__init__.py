"""``Model``: train, evaluate and predict without writing the loop (Paddle: ``paddle.Model``)."""

from lenet.model.model import Model

__all__ = ["Model"]
