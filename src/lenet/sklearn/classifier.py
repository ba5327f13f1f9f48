"""``LeNetClassifier``: a small convolutional network as a scikit-learn classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from lenet.autograd import random as stream
from lenet.evaluation import fit_temperature
from lenet.messages.check import brief, message
from lenet.nn import Layer
from lenet.optimizer import Adam
from lenet.sklearn.networks import make, started
from lenet.sklearn.training import Answers, Floats, Training, threads

__all__ = ["LeNetClassifier"]

_WARM = 0.2  # of all steps: the learning rate rises for so long, then falls linearly to 0
_FEWEST = 100  # held-out samples that a temperature is fitted to
_SMALLEST, _LARGEST, _STEPS = 4, 64, 16  # batches of "auto": at least so many steps an epoch
_CHANNELS = (1, 3, 4)  # that a last axis of images may be taken for


class LeNetClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A small convolutional network for images, or for rows of numbers, which are laid into a square.

    X: [n, features] of any number, padded to a square; images [n, H, W], [n, C, H, W] or [n, H, W, C]. y: labels of any kind.
    The numbers are brought to mean 0 and deviation 1, all by the same two numbers, as an image's pixels are alike; features
    of different scales want a ``StandardScaler`` before.

    network: None for one that fits the images' size (for grey ones of 28 x 28 LeNet), or what ``lenet.train`` takes: a name,
    a class, a function. max_iter: epochs. batch_size: samples a step, or "auto". learning_rate_init: Adam's highest rate; it
    rises for a fifth of the steps and falls to 0. early_stopping: hold ``validation_fraction`` of the samples out, stop after
    ``n_iter_no_change`` epochs that don't raise their accuracy by ``tol``, keep the best epoch's weights, and calibrate the
    probabilities on them. random_state: the same number, the same weights. warm_start: ``fit`` goes on from the weights there
    are. n_jobs: threads; None for lenet's own number, within joblib's processes for their share.

    After ``fit``: ``classes_``, ``n_features_in_``, ``network_`` (a ``lenet.nn.Layer``), ``n_iter_``, ``loss_``,
    ``loss_curve_``; with early stopping ``validation_scores_``, ``best_validation_score_``; ``temperature_``, by which logits
    are divided before softmax.
    """

    def __init__(
        self,
        network: Any = None,
        *,
        max_iter: int = 30,
        batch_size: int | str = "auto",
        learning_rate_init: float = 0.006,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        tol: float = 1e-4,
        warm_start: bool = False,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.network = network
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs

    # ---- scikit-learn's ways -----------------------------------------------------------------------------------------

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.non_deterministic = False
        return tags

    def __getstate__(self) -> Any:
        state = dict(super().__getstate__())
        state.pop("_answers", None)  # a plan, which is made anew
        return state

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        if hasattr(self, "network_"):
            self._answers = Answers(self.network_, self._shape)

    # ---- fitting -----------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LeNetClassifier:
        """Train on samples X with labels y; sample_weight: how much each counts, [n] from 0. Returns itself."""
        self._check_settings()
        known = self.warm_start and hasattr(self, "network_")
        X, y = validate_data(self, X, y, allow_nd=True, dtype=np.float32, reset=not known)
        check_classification_targets(y)
        classes, labels = np.unique(y, return_inverse=True)
        random = check_random_state(self.random_state)
        if known:
            if not np.array_equal(classes, self.classes_):
                expected = f"those of the fit before, {brief(self.classes_.tolist())}"
                raise ValueError(message("warm_start: y", f"the classes {brief(classes.tolist())}", expected))
        else:
            self._begin(X, classes, random)
        images, weights = self._images(X), _weights(sample_weight, X)
        labels = labels.reshape(-1).astype(np.int64)
        if weights is not None:
            kept = weights > 0
            images, labels, weights = images[kept], labels[kept], weights[kept]
        with threads(self.n_jobs), _own_stream(random):
            self._train(images, labels, weights, random)
        self._answers = Answers(self.network_, self._shape)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> LeNetClassifier:
        """One pass over some samples, at ``learning_rate_init``. classes: all labels there will be, at the first call."""
        self._check_settings()
        first = not hasattr(self, "network_")
        if first and classes is None:
            fix = "Type partial_fit(X, y, classes=np.unique(all_labels))"
            raise ValueError(message("partial_fit(classes)", None, "all classes at the first call", fix))
        X, y = validate_data(self, X, y, allow_nd=True, dtype=np.float32, reset=first)
        check_classification_targets(y)
        random = check_random_state(self.random_state)
        if first:
            self._begin(X, np.unique(np.asarray(classes)), random)
        elif classes is not None and not np.array_equal(np.unique(np.asarray(classes)), self.classes_):
            given = brief(np.unique(np.asarray(classes)).tolist())
            expected = f"those of the first call, {brief(self.classes_.tolist())}"
            raise ValueError(message("partial_fit(classes)", given, expected))
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(
                message("y", f"the label {brief(unknown[0].item())}", f"one of {brief(self.classes_.tolist())}")
            )
        labels = np.searchsorted(self.classes_, y).astype(np.int64)
        images, weights = self._images(X), _weights(sample_weight, X)
        with threads(self.n_jobs), _own_stream(random):
            training = Training(self.network_, self._adam(), images, labels, weights)
            size = self._batch(len(images))
            steps = -(-len(images) // size)
            order = random.permutation(len(images))
            self.loss_ = training.epoch(order, size, [float(self.learning_rate_init)] * steps)
        self.loss_curve_.append(self.loss_)
        self.n_iter_ += 1
        self._answers = Answers(self.network_, self._shape)
        return self

    def _begin(self, X: NDArray[Any], classes: NDArray[Any], random: Any) -> None:
        """A new network for such samples and classes."""
        self.classes_ = classes
        self._sample_shape, self._shape, self._last = _layout(X)
        self._mean, spread = float(X.mean(dtype=np.float64)), float(X.std(dtype=np.float64))
        self._std = spread if spread > 0 else 1.0
        with _own_stream(random):
            self.network_: Layer = started(make(self.network, self._shape, len(classes)), random)
        self._optimizer: Adam | None = None
        self.temperature_, self.n_iter_ = 1.0, 0
        self.loss_, self.loss_curve_ = np.inf, list[float]()

    def _adam(self) -> Adam:
        """The optimizer, which goes on from one ``partial_fit`` to the next."""
        if self._optimizer is None:
            self._optimizer = Adam(float(self.learning_rate_init), parameters=self.network_.parameters())
        return self._optimizer

    def _train(self, images: Floats, labels: NDArray[np.int64], weights: Floats | None, random: Any) -> None:
        kept = np.arange(len(images))
        held = kept[:0]
        if self.early_stopping:
            counts = np.bincount(labels)
            stratify = labels if counts[counts > 0].min() > 1 else None
            kept, held = train_test_split(
                kept, test_size=self.validation_fraction, random_state=random, stratify=stratify
            )
        self._optimizer = None
        training = Training(self.network_, self._adam(), images, labels, weights)
        size, without = self._batch(len(kept)), 0
        best = -np.inf
        steps = -(-len(kept) // size)
        values = {name: tensor.numpy() for name, tensor in self.network_.state_dict().items()}
        self.loss_curve_, self.validation_scores_ = [], list[float]()
        for epoch in range(self.max_iter):
            rates = [self._rate(epoch * steps + k, self.max_iter * steps) for k in range(steps)]
            self.loss_curve_.append(training.epoch(random.permutation(kept), size, rates))
            if not self.early_stopping:
                continue
            right = Answers(self.network_, self._shape)(images[held]).argmax(axis=1) == labels[held]
            self.network_.train()
            self.validation_scores_.append(float(np.average(right, weights=None if weights is None else weights[held])))
            without = 0 if self.validation_scores_[-1] > best + self.tol else without + 1
            if self.validation_scores_[-1] > best:
                best = self.validation_scores_[-1]
                values = {name: tensor.numpy() for name, tensor in self.network_.state_dict().items()}
            if without >= self.n_iter_no_change:
                break
        if self.early_stopping:
            for name, tensor in self.network_.state_dict().items():
                tensor.set_value(values[name])
            self.best_validation_score_ = best
            if len(held) >= _FEWEST:
                logits = Answers(self.network_, self._shape)(images[held])
                self.temperature_ = float(fit_temperature(logits, labels[held]))
        else:
            del self.validation_scores_
        self.n_iter_, self.loss_ = len(self.loss_curve_), self.loss_curve_[-1]

    def _rate(self, step: int, steps: int) -> float:
        rising = _WARM * steps
        if step < rising:
            return float(self.learning_rate_init * (step + 1) / (rising + 1))
        return float(self.learning_rate_init * (steps - step) / (steps - rising))

    def _batch(self, samples: int) -> int:
        if self.batch_size == "auto":
            return min(samples, max(_SMALLEST, min(_LARGEST, samples // _STEPS)))
        return min(samples, int(self.batch_size))

    def _check_settings(self) -> None:
        """ValueError for a setting that makes no sense."""
        whole: dict[str, Any] = {"max_iter": self.max_iter, "n_iter_no_change": self.n_iter_no_change}
        if self.batch_size != "auto":
            whole["batch_size"] = self.batch_size
        for name, value in whole.items():
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
                raise ValueError(message(f"LeNetClassifier({name})", brief(value), "a whole number of at least 1"))
        rate, share = self.learning_rate_init, self.validation_fraction
        for name, value, expected, fits in (
            ("learning_rate_init", rate, "a number above 0", _number(rate) and 0 < rate < np.inf),
            ("validation_fraction", share, "a share between 0 and 1", _number(share) and 0 < share < 1),
            ("tol", self.tol, "a number from 0", _number(self.tol) and 0 <= self.tol < np.inf),
        ):
            if not fits:
                raise ValueError(message(f"LeNetClassifier({name})", brief(value), expected))

    # ---- answering ---------------------------------------------------------------------------------------------------

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities [n, classes] in the order of ``classes_``, float64, each row adding up to 1."""
        check_is_fitted(self)
        X = validate_data(self, X, allow_nd=True, dtype=np.float32, reset=False)
        with threads(self.n_jobs):
            logits = self._answers(self._images(X)).astype(np.float64) / self.temperature_
        logits -= logits.max(axis=1, keepdims=True)
        shares = np.exp(logits)
        found: NDArray[np.float64] = shares / shares.sum(axis=1, keepdims=True)
        return found

    def predict(self, X: Any) -> NDArray[Any]:
        """The likeliest label of each sample, [n]."""
        places = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_)[places]

    def _images(self, X: NDArray[np.float32]) -> Floats:
        """Samples as the network takes them, [n, C, H, W]."""
        if X.shape[1:] != self._sample_shape:
            raise ValueError(
                message("X", f"samples of shape {list(X.shape[1:])}", f"{list(self._sample_shape)}, as in fit")
            )
        x = (X - np.float32(self._mean)) / np.float32(self._std)
        channels, height, width = self._shape
        if x.ndim == 2:
            laid = np.zeros((len(x), height * width), np.float32)  # what is padded is the mean
            laid[:, : x.shape[1]] = x
            x = laid
        elif self._last:
            x = x.transpose(0, 3, 1, 2)
        return np.ascontiguousarray(x.reshape(len(x), channels, height, width))


def _layout(X: NDArray[Any]) -> tuple[tuple[int, ...], tuple[int, int, int], bool]:
    """The shape of a sample, [C, H, W] of its image, and whether the channels are the last axis."""
    sizes = X.shape[1:]
    if len(sizes) == 1:
        side = max(1, int(np.ceil(np.sqrt(sizes[0]))))
        return sizes, (1, side, side), False
    if len(sizes) == 2:
        return sizes, (1, *sizes), False
    if len(sizes) != 3:
        expected = "[n, features], [n, H, W], [n, C, H, W] or [n, H, W, C]"
        raise ValueError(message("X", f"shape {list(X.shape)}", expected))
    last = sizes[-1] in _CHANNELS and sizes[0] not in _CHANNELS
    return sizes, ((sizes[2], *sizes[:2]) if last else sizes), last


def _weights(given: Any, X: NDArray[Any]) -> Floats | None:
    if given is None:
        return None
    found: Floats = _check_sample_weight(given, X, dtype=np.float32, ensure_non_negative=True)
    return found


def _number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


class _own_stream:  # noqa: N801  a block, not a thing
    """Draw what networks draw (dropout) from a stream of the classifier's own; the process's goes on as if untouched."""

    def __init__(self, random: np.random.RandomState) -> None:
        self._seed = int(random.randint(1 << 31))

    def __enter__(self) -> None:
        self._before = stream.generator().get_state()
        stream.generator().manual_seed(self._seed)

    def __exit__(self, *error: object) -> None:
        stream.generator().set_state(self._before)
