"""``LeNetClassifier`` and ``DigitReader`` among scikit-learn's own: its checks, pipelines, searches, pickles."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any
from unittest import SkipTest

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import lenet
from lenet import nn
from lenet.sklearn import DigitReader, LeNetClassifier
from lenet.sklearn.training import threads

# scikit-learn's own words for its SGDClassifier, LogisticRegression and others
WEIGHTS = "sample_weight is not equivalent to removing/repeating samples."


def expected(estimator: Any) -> dict[str, str]:
    return {"check_sample_weight_equivalence_on_dense_data": WEIGHTS}


@parametrize_with_checks([LeNetClassifier(random_state=0)], expected_failed_checks=expected)
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    try:
        check(estimator)
    except SkipTest as reason:  # of arrays of other libraries, which the estimators don't say they take
        assert "SCIPY_ARRAY_API" in str(reason)  # noqa: PT017


@pytest.fixture(scope="module")
def digits() -> tuple[Any, Any]:
    """600 of scikit-learn's own, 8 x 8 as rows of 64 numbers, of all its writers."""
    X, y = load_digits(return_X_y=True)
    some = np.random.RandomState(0).permutation(len(X))[:600]
    return X[some], y[some]


def quick(**settings: Any) -> LeNetClassifier:
    return LeNetClassifier(**{"max_iter": 8, "random_state": 0} | settings)


def test_it_learns_digits(digits: tuple[Any, Any]) -> None:
    X, y = digits
    found = quick(max_iter=20).fit(X[:400], y[:400])
    assert found.score(X[400:], y[400:]) > 0.9
    shares = found.predict_proba(X[400:])
    assert shares.dtype == np.float64
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-12)
    assert (found.n_iter_, len(found.loss_curve_), found.temperature_) == (20, 20, 1.0)


def test_labels_and_layouts_of_any_kind(digits: tuple[Any, Any]) -> None:
    X, y = digits
    words = np.array(["nought", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])[y]
    rows = quick().fit(X, words)
    assert list(rows.classes_) == sorted(set(words))
    images = X.reshape(-1, 8, 8)
    for other in (images, images[:, None], images[..., None]):
        found = quick().fit(other, words)
        np.testing.assert_array_equal(found.predict_proba(other), rows.predict_proba(X))
    colour = quick(max_iter=2).fit(np.repeat(images[..., None], 3, axis=-1), y)
    assert colour.network_.conv1.weight.shape == [16, 3, 3, 3]
    with pytest.raises(ValueError, match=r"X: got samples of shape \[1, 4, 16\], expected \[1, 8, 8\], as in fit"):
        quick(max_iter=1).fit(images[:, None], y).predict(X.reshape(-1, 1, 4, 16))


def test_the_same_number_of_random_state_is_the_same_weights_on_any_threads(digits: tuple[Any, Any]) -> None:
    X, y = digits
    before = lenet.get_rng_state()
    weights = [quick(max_iter=2, n_jobs=n).fit(X, y).network_.linear2.weight.numpy() for n in (None, 1, 2)]
    assert weights[0].tobytes() == weights[1].tobytes() == weights[2].tobytes()
    assert quick(max_iter=2, random_state=1).fit(X, y).network_.linear2.weight.numpy().tobytes() != weights[0].tobytes()
    assert lenet.get_rng_state() == before  # the process's own stream is nobody else's


def test_sample_weights(digits: tuple[Any, Any]) -> None:
    X, y = digits
    some = y < 5
    found = quick().fit(X, y, sample_weight=some.astype(float))
    assert set(found.predict(X)) <= set(range(5))  # the others count nothing
    only = quick()
    only.fit(X, y, sample_weight=np.where(some, 1.0, 1e-6))
    assert only.score(X[some], y[some]) > 0.95 > only.score(X[~some], y[~some])
    with pytest.raises(ValueError, match="Sample weights must contain at least one non-zero number"):
        quick().fit(X, y, sample_weight=np.zeros(len(X)))


def test_early_stopping_keeps_the_best_and_calibrates(digits: tuple[Any, Any]) -> None:
    X, y = digits
    found = quick(max_iter=60, early_stopping=True, validation_fraction=0.25, n_iter_no_change=3).fit(X, y)
    assert found.n_iter_ < 60
    assert found.best_validation_score_ == max(found.validation_scores_)
    assert found.temperature_ != 1.0


def test_warm_start_goes_on(digits: tuple[Any, Any]) -> None:
    X, y = digits
    found = quick(max_iter=3, warm_start=True).fit(X, y)
    first = found.loss_
    network = found.network_
    assert found.fit(X, y).loss_ < first
    assert found.network_ is network
    with pytest.raises(ValueError, match=r"warm_start: y: got the classes \[0, 1\], expected those of the fit before"):
        found.fit(X[:20], y[:20] % 2)


def test_partial_fit(digits: tuple[Any, Any]) -> None:
    X, y = digits
    found = quick()
    with pytest.raises(ValueError, match=r"partial_fit\(classes\): got None, expected all classes at the first call"):
        found.partial_fit(X, y)
    for _ in range(6):
        for k in range(0, 600, 200):
            found.partial_fit(X[k : k + 200], y[k : k + 200], classes=np.arange(10))
    assert found.n_iter_ == 18
    assert found.score(X, y) > 0.95
    with pytest.raises(ValueError, match="y: got the label 11"):
        found.partial_fit(X[:2], [11, 1])


def test_a_network_of_ones_own(digits: tuple[Any, Any]) -> None:
    class Own(nn.Layer):
        def __init__(self, num_classes: int) -> None:
            super().__init__()
            self.all = nn.Sequential(
                nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, num_classes)
            )

        def forward(self, x: Any) -> Any:
            return self.all(x) * lenet.to_tensor(1.0)  # which no plan runs

    X, y = digits
    assert quick(network=Own).fit(X, y).score(X, y) > 0.9
    with pytest.raises(
        ValueError, match=r"LeNetClassifier\(network\): got an output of shape \[1, 5\], expected \[N, 10\]"
    ):
        quick(network=lambda: Own(5)).fit(X, y)


def test_among_others(digits: tuple[Any, Any], tmp_path: Path) -> None:
    X, y = digits
    pipeline = make_pipeline(StandardScaler(), quick()).fit(X, y)
    assert pipeline.score(X, y) > 0.95
    assert cross_val_score(quick(max_iter=20), X, y, cv=3).min() > 0.9
    sure = CalibratedClassifierCV(quick(), cv=3).fit(X, y)
    np.testing.assert_allclose(sure.predict_proba(X).sum(axis=1), 1)
    found = pipeline[-1]
    shares = found.predict_proba(X)
    joblib.dump(found, tmp_path / "classifier.joblib")
    for copy in (pickle.loads(pickle.dumps(found)), joblib.load(tmp_path / "classifier.joblib")):
        np.testing.assert_array_equal(copy.predict_proba(X), shares)
    copy = clone(found)
    assert copy.get_params() == found.get_params()
    assert not hasattr(copy, "network_")
    continued = pickle.loads(pickle.dumps(quick().partial_fit(X, y, classes=range(10))))
    assert continued.partial_fit(X, y).n_iter_ == 2


def _threads_here() -> int:
    with threads(None):
        return lenet.get_num_threads()


def test_a_search_in_two_processes_shares_the_processors(digits: tuple[Any, Any]) -> None:
    X, y = digits
    search = GridSearchCV(quick(max_iter=3), {"learning_rate_init": [1e-3, 3e-3]}, cv=2, n_jobs=2).fit(X, y)
    assert search.best_score_ > 0.5
    found = joblib.Parallel(n_jobs=2, backend="loky")(joblib.delayed(_threads_here)() for _ in range(2))
    assert max(found) <= max(1, (os.cpu_count() or 1) // 2)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"max_iter": 0}, r"LeNetClassifier\(max_iter\): got 0, expected a whole number of at least 1"),
        ({"batch_size": "all"}, r"LeNetClassifier\(batch_size\): got 'all', expected a whole number of at least 1"),
        ({"learning_rate_init": -1}, r"LeNetClassifier\(learning_rate_init\): got -1, expected a number above 0"),
        (
            {"validation_fraction": 2},
            r"LeNetClassifier\(validation_fraction\): got 2, expected a share between 0 and 1",
        ),
        ({"tol": None}, r"LeNetClassifier\(tol\): got None, expected a number from 0"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], text: str, digits: tuple[Any, Any]) -> None:
    with pytest.raises(ValueError, match=text):
        quick(**settings).fit(*digits)


def test_a_loss_that_is_no_number_says_what_to_do(digits: tuple[Any, Any]) -> None:
    X, y = digits
    with pytest.raises(FloatingPointError, match="Lower learning_rate_init, or scale the features"):
        quick(learning_rate_init=1e30).fit(X, y)


# ---- files to numbers ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(pen: Any, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A page with two numbers, and one with none."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("files")
    Image.fromarray(pen("42 7")).save(folder / "two.png")
    Image.fromarray(np.full((100, 100), 255, np.uint8)).save(folder / "none.png")
    return [str(folder / "two.png"), str(folder / "none.png")]


def test_files_become_numbers(files: list[str]) -> None:
    found = DigitReader(numbers=2).fit(files).transform(files)
    np.testing.assert_array_equal(found, [[42, 7], [np.nan, np.nan]])
    np.testing.assert_array_equal(DigitReader().transform(np.array(files)[:, None]), [[42], [np.nan]])
    added = make_pipeline(DigitReader(numbers=2), FunctionTransformer(lambda x: np.nansum(x, axis=1)))
    np.testing.assert_array_equal(added.fit_transform(files), [49, 0])
    assert list(DigitReader(numbers=2).get_feature_names_out()) == ["number0", "number1"]


def test_what_is_no_list_of_files() -> None:
    with pytest.raises(TypeError, match=r"DigitReader: got str 'a.png', expected a list of file names"):
        DigitReader().fit("a.png")
    with pytest.raises(TypeError, match="DigitReader: got 3, expected the name of a file"):
        DigitReader().transform([3])
    with pytest.raises(FileNotFoundError, match=r"missing\.png"):
        DigitReader().transform(["missing.png"])
