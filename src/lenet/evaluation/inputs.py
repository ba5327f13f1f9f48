"""The one check that everything here makes of what it is given: a row of probabilities for each label."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.messages.check import describe, message

__all__ = ["finite_rows", "labelled"]

_SUM = 1e-3  # how far from 1 a row of rounded probabilities may add up


def labelled(probabilities: Any, labels: Any) -> tuple[NDArray[np.floating[Any]], NDArray[np.int64]]:
    """Probabilities float [N, K], as they came, and labels int64 [N]; TypeError or ValueError for anything else."""
    scores, classes = finite_rows("probabilities", probabilities, labels)
    if scores.min() < 0 or scores.max() > 1 + _SUM or np.abs(scores.sum(axis=1, dtype=np.float64) - 1).max() > _SUM:
        given, fix = "rows that are no probabilities", "Are they logits? Take their softmax first"
        raise ValueError(message("probabilities", given, "numbers from 0 to 1 that add up to 1", fix))
    return scores, classes


def finite_rows(what: str, rows: Any, labels: Any) -> tuple[NDArray[np.floating[Any]], NDArray[np.int64]]:
    """Float [N, K] without NaN, N at least 1, and labels int64 [N] from 0 to K - 1."""
    scores, classes = np.asarray(rows), np.asarray(labels)
    if scores.dtype.kind != "f" or scores.ndim != 2 or scores.shape[1] < 2:
        raise ValueError(message(what, describe(rows), "an array of float [N, K], K at least 2"))
    if classes.shape != (len(scores),):
        given, expected = f"shape {list(classes.shape)}", f"one for each of {len(scores):,} images, [{len(scores)}]"
        raise ValueError(message("labels", given, expected))
    if not len(scores):
        raise ValueError(message("images", "none", "at least one image with its label"))
    if classes.dtype.kind not in "iu":
        raise TypeError(message("labels", describe(labels), "class numbers, int64", "Type labels.astype('int64')"))
    if classes.min() < 0 or classes.max() >= scores.shape[1]:
        given = f"labels from {classes.min()} to {classes.max()}"
        fix = "Is this the data set that the model was trained for?"
        raise ValueError(message("labels", given, f"0 to {scores.shape[1] - 1}", fix))
    bad = np.flatnonzero(~np.isfinite(scores).all(axis=1))
    if len(bad):
        given = f"NaN or infinity for {len(bad):,} of {len(scores):,} images, image {bad[0]} the first"
        raise ValueError(message(what, given, "finite numbers", "Do the model's weights hold NaN?"))
    return scores, classes.astype(np.int64, copy=False)
