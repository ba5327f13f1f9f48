"""What a 28 x 28 image says: the probabilities of ten digits and, last, of no digit at all.

The packaged network has an output for "no digit"; a network of ten outputs gets one by a rule on how sure it is. Images
come in MNIST's form (``form``). It knows no page. Read by ``_read``, which decides what is believed.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.evaluation import softmax
from lenet.messages.check import brief, describe, message
from lenet.reading.lines.columns import Columns
from lenet.reading.pages.finder import Finder
from lenet.reading.shapes.form import NO_DIGIT
from lenet.train.trained import Trained

__all__ = ["NO_DIGIT", "PACKAGED", "Reader", "Steady", "with_no_digit"]

PACKAGED = os.path.join(os.path.dirname(__file__), "reader.safetensors")
PACKAGED_LINES = os.path.join(os.path.dirname(__file__), "lines.safetensors")
PACKAGED_PAGES = os.path.join(os.path.dirname(__file__), "pages.safetensors")
THRESHOLD = 0.5  # for networks whose file names none

# P(no digit) of a network that knows digits only: logistic in the logarithm of the odds of its likeliest class. Fitted to
# the recipe ``fast`` by ``python -m bench.accuracy.no_digit_rule``.
_SLOPE, _MIDDLE = 1.45, 4.32

Model = Callable[[NDArray[np.uint8]], Any]


class Reader:
    """uint8 [N, 28, 28] (light on dark, MNIST's form) to float32 [N, 11], each row adding up to 1; one call of the network.

    model: None for the packaged network; a ``Trained`` or the path of a model file; or any function from such images to
    probabilities [N, 10] or [N, 11]. threshold: the probability of no digit above which an image is rejected. columns: the
    line network that comes with the packaged one, finder: the page network, both None beside any other.
    Raises what ``Trained.load`` does; ValueError for a network of other images or of another number of outputs.
    """

    def __init__(self, model: Model | Trained | str | os.PathLike[str] | None = None) -> None:
        self.threshold = THRESHOLD
        self._model: Model
        self._glance: Model | None = None
        self.columns: Columns | None = None
        self.finder: Finder | None = None
        if model is None:
            model, self.columns, self.finder = _packaged(), _packaged_columns(), _packaged_finder()
        elif isinstance(model, (str, os.PathLike)):
            model = Trained.load(model)
        if isinstance(model, Trained):
            if model.shape != (1, 28, 28) or len(model.labels) not in (10, 11):
                given = f"one from {list(model.shape)} to {len(model.labels)} classes"
                raise ValueError(
                    message("model", given, "a network from [1, 28, 28] to 10 digits, or 11 with no digit")
                )
            self._model = model.probabilities
            if isinstance(model, Steady):
                self._glance = model.glance
            self.threshold = _threshold(model)
        elif callable(model):
            self._model = model
        else:
            expected = "None, a Trained, a model file's path, or a function from images to probabilities"
            raise TypeError(message("model", describe(model), expected))

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._answers(self._model, images)

    def glance(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The same in one pass, without test-time augmentation: for all candidates, before it is known which are digits."""
        return self._answers(self._glance or self._model, images)

    @staticmethod
    def _answers(model: Model, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.shape[1:] != (28, 28):
            raise ValueError(message("images", describe(images), "an array of uint8 [N, 28, 28]"))
        if not len(images):
            return np.zeros((0, NO_DIGIT + 1), np.float32)
        found = np.asarray(model(images), np.float32)
        if found.shape not in ((len(images), 10), (len(images), 11)):
            given, expected = f"an answer of shape {list(found.shape)}", f"[{len(images)}, 10] or [{len(images)}, 11]"
            raise ValueError(message("model", given, expected))
        if found.shape[1] != NO_DIGIT + 1:
            found = with_no_digit(found)
        blank: NDArray[np.bool_] = images.reshape(len(images), -1).max(axis=1) == 0
        if blank.any():  # no network need have seen one
            found = np.where(blank[:, None], np.eye(NO_DIGIT + 1, dtype=np.float32)[NO_DIGIT], found)
        return found

    def rejects(self, probabilities: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which rows [N, 11] of answers are to be called no digit: bool [N]."""
        rejected: NDArray[np.bool_] = probabilities[:, NO_DIGIT] > self.threshold
        return rejected

    def alone(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """Answers [N, 11] for images that are said to show one digit each: no digit is rarer there than on a page.

        Its odds fall so far that what is at the threshold is as likely a digit as none.
        """
        turned = probabilities.astype(np.float64)
        turned[:, NO_DIGIT] *= (1 - self.threshold) / self.threshold
        return (turned / turned.sum(axis=1, keepdims=True)).astype(np.float32)

    @staticmethod
    def score(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """How much each row [N, 11] speaks for a digit: the logarithm of the odds, float32 [N]; to rank by."""
        least = np.finfo(np.float32).tiny
        digit = np.maximum(probabilities[:, :NO_DIGIT].sum(axis=1), least)
        return np.log(digit) - np.log(np.maximum(probabilities[:, NO_DIGIT], least))


class Steady(Trained):
    """A network with test-time augmentation: the mean of the scores of each image and of two copies, moved along a diagonal.

    On single digits it makes a fifth fewer mistakes than in one pass (on validation images), for three times the work.
    """

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """For images as ``Trained.logits`` takes them: the mean of three scores, float32 [N, K]."""
        views = np.zeros((3, *images.shape), images.dtype)
        views[0] = images
        views[1, ..., :-1, 1:] = images[..., 1:, :-1]
        views[2, ..., 1:, :-1] = images[..., :-1, 1:]
        each = super().logits(views.reshape(-1, *images.shape[1:]))
        mean: NDArray[np.float32] = each.reshape(3, len(images), each.shape[1]).mean(axis=0)
        return mean

    def glance(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """``probabilities`` in one pass, at the temperature of the pieces that are mostly classified so, if the file names it."""
        temperature = self.meta.get("training", {}).get("glance_temperature", self.temperature)
        return softmax(super().logits(images), float(temperature))


def with_no_digit(digits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities [N, 10] of a network that knows digits alone, with an eleventh column: [N, 11], rows adding up to 1.

    The less sure of its likeliest class, the more probably it saw no digit (Hendrycks and Gimpel 2017).
    """
    best = np.clip(digits.max(axis=1), 1e-7, 1 - 1e-7).astype(np.float64)
    odds = np.log(best) - np.log1p(-best)
    none = 1 / (1 + np.exp(_SLOPE * (odds - _MIDDLE)))
    return np.concatenate([digits * (1 - none)[:, None], none[:, None]], axis=1).astype(np.float32)


@functools.lru_cache(maxsize=1)
def _packaged_columns() -> Columns:
    """The line network that comes with the package, loaded once a process."""
    return Columns(Trained.load(PACKAGED_LINES))


@functools.lru_cache(maxsize=1)
def _packaged_finder() -> Finder:
    """The page network that comes with the package, loaded once a process."""
    return Finder(Trained.load(PACKAGED_PAGES))


@functools.lru_cache(maxsize=1)
def _packaged() -> Steady:
    """The network that comes with the package, loaded once a process."""
    return Steady.load(PACKAGED)


def _threshold(model: Trained) -> float:
    """That of the file's record; the packaged network's where there is none. ValueError for what is no share."""
    training = model.meta.get("training")
    value = training.get("threshold", THRESHOLD) if isinstance(training, dict) else THRESHOLD
    if type(value) not in (int, float) or not 0 < value < 1:
        what = f"threshold of {model.path or 'the model'}"
        raise ValueError(message(what, brief(value), "a share between 0 and 1", "Train it again"))
    return float(value)
