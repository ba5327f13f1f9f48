"""Update rules and learning-rate schedules (Paddle: ``paddle.optimizer``)."""

from lenet.optimizer import lr
from lenet.optimizer.adaptive import Lamb, NAdam, RAdam, Rprop
from lenet.optimizer.algorithms import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Momentum, RMSProp
from lenet.optimizer.optimizer import Optimizer

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lamb",
    "Momentum",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSProp",
    "Rprop",
    "lr",
]
