"""How good probabilities are, against labels: numbers alone, from numpy arrays. No model, no data set, no picture.

``evaluate`` gathers what there is to say of one model, ``compare`` of two on the same images. Throughout: N images, K
classes; probabilities float [N, K], each row adding up to 1; labels int64 [N]. A model's answer is its likeliest class,
the first of equals; its confidence is that class's probability.
"""

from __future__ import annotations

from lenet.evaluation.calibration import Reliability, expected_calibration_error, fit_temperature, reliability, softmax
from lenet.evaluation.comparison import Comparison, compare
from lenet.evaluation.evaluation import Evaluation, evaluate
from lenet.evaluation.intervals import bootstrap, paired_interval, wilson
from lenet.evaluation.mistakes import mistakes, suspects
from lenet.evaluation.rejection import Rejection, rejection

__all__ = [
    "Comparison",
    "Evaluation",
    "Rejection",
    "Reliability",
    "bootstrap",
    "compare",
    "evaluate",
    "expected_calibration_error",
    "fit_temperature",
    "mistakes",
    "paired_interval",
    "rejection",
    "reliability",
    "softmax",
    "suspects",
    "wilson",
]
