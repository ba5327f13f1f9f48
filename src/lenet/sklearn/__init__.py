"""Estimators for scikit-learn: ``LeNetClassifier`` on images or rows of numbers, ``DigitReader`` on files of handwriting.

Needs scikit-learn (the extra ``sklearn``), from which both derive.
"""

from importlib.util import find_spec

from lenet.messages.check import installing, message

if find_spec("sklearn") is None:
    raise ImportError(
        message("lenet.sklearn", "a Python without scikit-learn", "it installed", installing("sklearn", "scikit-learn"))
    )

from lenet.sklearn.classifier import LeNetClassifier
from lenet.sklearn.digit_reader import DigitReader

__all__ = ["DigitReader", "LeNetClassifier"]
