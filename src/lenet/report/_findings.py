"""What a report tells, and how it writes names and numbers; no HTML structure here.

Read by ``_page`` and ``_sections``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lenet import evaluation
from lenet.evaluation import Evaluation, softmax
from lenet.html.document import text
from lenet.messages.check import without_home
from lenet.plots._images import planes

if TYPE_CHECKING:
    from lenet.train import Trained

__all__ = ["Findings", "find", "number"]


@dataclass(frozen=True)
class Findings:
    """A model and its answers to N images of K classes."""

    name: str  # the model file's, without its folder
    trained: Trained
    line: str  # where the images come from
    images: NDArray[np.uint8]  # [N, H, W] or [N, H, W, 3]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float32]  # [N, K], calibrated if the model is
    found: Evaluation
    before: Evaluation | None  # without the calibration; None if the model has none
    mistakes: NDArray[np.int64]  # images, the worst first
    suspects: NDArray[np.int64]  # images, the likeliest first

    @property
    def training(self) -> dict[str, Any]:
        """The model file's account of its training; empty if it has none."""
        about = self.trained.meta.get("training")
        return about if isinstance(about, dict) else {}

    def class_name(self, number: int) -> str:
        """A class's name, fit for HTML."""
        return text(self.found.classes[number])


def find(trained: Trained, images: NDArray[np.uint8], labels: NDArray[np.int64], line: str) -> Findings:
    """Run the model on the images and measure it; the errors of ``Trained.logits`` and ``evaluation.evaluate``."""
    logits = trained.logits(images)
    probabilities = softmax(logits, trained.temperature)
    found = evaluation.evaluate(probabilities, labels, trained.labels)
    before = evaluation.evaluate(softmax(logits), labels, trained.labels) if trained.calibration is not None else None
    return Findings(
        os.path.basename(trained.path) or "a model in memory",
        trained,
        without_home(line),
        planes(images),
        np.asarray(labels),
        probabilities,
        found,
        before,
        evaluation.mistakes(probabilities, labels),
        evaluation.suspects(probabilities, labels),
    )


def number(value: object) -> str:
    """A number out of a file with separators for thousands; anything else as text."""
    return f"{value:,}" if isinstance(value, (int, float)) and not isinstance(value, bool) else text(value)
