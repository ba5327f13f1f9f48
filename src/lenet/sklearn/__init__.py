"""Estimators for scikit-learn: ``LeNetClassifier`` on images or rows of numbers, ``DigitReader`` on files of handwriting.

Needs scikit-learn (the extra ``sklearn``), from which both derive.
"""

from lenet.sklearn.classifier import LeNetClassifier
from lenet.sklearn.digit_reader import DigitReader

__all__ = ["DigitReader", "LeNetClassifier"]
