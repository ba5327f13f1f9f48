"""Update rules and learning-rate schedules (Paddle: ``paddle.optimizer``)."""

from lenet.optimizer import lr
from lenet.optimizer.algorithms import SGD, Adam, AdamW, Momentum
from lenet.optimizer.optimizer import Optimizer

__all__ = ["SGD", "Adam", "AdamW", "Momentum", "Optimizer", "lr"]
