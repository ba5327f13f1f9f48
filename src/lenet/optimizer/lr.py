"""Learning-rate schedules: a number for each step (Paddle: ``paddle.optimizer.lr``).

The base of all and the decays stand in ``_decays``; those in phases, and the one by a metric, in ``_cycles``. Every rate equals
Paddle's to rounding, and the state dicts of the two can be exchanged. Read by ``optimizer``, ``plan``, ``callbacks`` and
``model``.
"""

from lenet.optimizer._cycles import (
    CosineAnnealingWarmRestarts,
    CyclicLR,
    LinearWarmup,
    OneCycleLR,
    ReduceOnPlateau,
    WarmupDecay,
)
from lenet.optimizer._decays import (
    CosineAnnealingDecay,
    ExponentialDecay,
    InverseTimeDecay,
    LambdaDecay,
    LinearLR,
    LRScheduler,
    MultiplicativeDecay,
    MultiStepDecay,
    NaturalExpDecay,
    NoamDecay,
    PiecewiseDecay,
    PolynomialDecay,
    StepDecay,
)

__all__ = [
    "CosineAnnealingDecay",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LRScheduler",
    "LambdaDecay",
    "LinearLR",
    "LinearWarmup",
    "MultiStepDecay",
    "MultiplicativeDecay",
    "NaturalExpDecay",
    "NoamDecay",
    "OneCycleLR",
    "PiecewiseDecay",
    "PolynomialDecay",
    "ReduceOnPlateau",
    "StepDecay",
    "WarmupDecay",
]

for _name in __all__:
    globals()[_name].__module__ = __name__  # where pickle finds it, in files of every version
