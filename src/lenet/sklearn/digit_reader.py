"""``DigitReader``: files of handwriting to the numbers on them, as a scikit-learn transformer."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from lenet.messages.check import brief, describe, message, positive_int
from lenet.reading import read

__all__ = ["DigitReader"]


class DigitReader(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Names of image files to the numbers read on each, [n, numbers]; there is nothing to learn.

    numbers: how many of each file's numbers, in reading order, become a row. A row has NaN where a file has fewer, or where
    what is written is no decimal or may be two (``1,234``). model, layout, min_confidence, only: as ``lenet.reading.read``
    takes them.
    """

    def __init__(
        self,
        numbers: int = 1,
        *,
        model: Any = None,
        layout: str = "lines",
        min_confidence: float | None = None,
        only: str | None = None,
    ) -> None:
        self.numbers = numbers
        self.model = model
        self.layout = layout
        self.min_confidence = min_confidence
        self.only = only

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.no_validation = True
        tags.input_tags.one_d_array, tags.input_tags.two_d_array, tags.input_tags.string = True, False, True
        return tags

    def fit(self, X: Any, y: Any = None) -> DigitReader:
        """Check the names; returns itself."""
        _names(X)
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """The numbers of each file, float64 [n, numbers].

        X: file names, [n] or [n, 1]. OSError naming a file that can't be read; TypeError for anything but names.
        """
        count = positive_int("DigitReader(numbers)", self.numbers)
        names = _names(X)
        found = np.full((len(names), count), np.nan)
        for row, name in zip(found, names, strict=True):
            page = read(name, self.model, layout=self.layout, min_confidence=self.min_confidence, only=self.only)
            values = [number.value for line in page.lines for number in line.numbers if number.text][:count]
            row[: len(values)] = [np.nan if value is None else float(value) for value in values]
        return found

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """The columns' names: number0, number1, …"""
        return np.array([f"number{k}" for k in range(self.numbers)], object)


def _names(X: Any) -> list[str]:
    """File names as text."""
    if isinstance(X, (str, bytes, os.PathLike)):
        raise TypeError(message("DigitReader", describe(X), "a list of file names", "Type transform([name])"))
    given = X.to_numpy() if hasattr(X, "to_numpy") else X
    flat = given.reshape(-1).tolist() if isinstance(given, np.ndarray) else list(given)
    flat = [one[0] if isinstance(one, (list, tuple)) and len(one) == 1 else one for one in flat]
    for one in flat:
        if not isinstance(one, (str, os.PathLike)):
            raise TypeError(message("DigitReader", brief(one), "the name of a file"))
    return [os.fspath(one) for one in flat]
