"""A time to train in: the recipe and the epochs that fill it."""

import pytest

from lenet.train import RECIPES, budget, train, train_seeds
from lenet.train.data import load
from lenet.train.trainer import LEAST_OF_BEST


def quiet(_text):
    """Nothing is shown."""


@pytest.fixture(scope="module")
def data(small_mnist):
    return load("mnist", small_mnist)  # 2,200 images to train on, 200 held out, 500 to test


@pytest.fixture
def speeds(monkeypatch):
    """Says how many images a second a recipe trains on, in place of measuring it."""
    images = {"fast": 2_200.0, "best": 550.0}
    monkeypatch.setattr(budget, "_speed", lambda recipe, *_: (images[recipe.name], 2_200, 200))
    return images


CANDIDATES = [(RECIPES["best"], LEAST_OF_BEST), (RECIPES["fast"], 1)]


def test_as_many_epochs_as_fit(data, speeds):
    # an epoch of fast takes 1 s and, with its held-out images, 1.03; the end 0.2 s and 0.106 s
    assert budget.within(10.6, [CANDIDATES[1]], data, 0, None).epochs == 9
    assert budget.within(10.7, [CANDIDATES[1]], data, 0, None).epochs == 10


def test_the_better_recipe_is_taken_once_it_has_some_epochs(data, speeds):
    short, long = (budget.within(s, CANDIDATES, data, 0, None) for s in (9.0, 30.0))
    assert (short.name, short.epochs) == ("fast", 8)
    assert (long.name, long.epochs) == ("best", 7)


def test_one_epoch_is_trained_whatever_the_time(data, speeds):
    assert budget.within(0.01, CANDIDATES, data, 0, None).epochs == 1


def test_speed_is_measured_by_steps_that_leave_no_trace(data):
    speed, kept, held = budget._speed(RECIPES["fast"], data, 0, None)
    assert speed > 0
    assert (kept, held) == (2_200, 200)


def test_the_result_is_that_of_as_many_epochs(small_mnist, tmp_path, speeds):
    speeds["best"] = 1.0
    timed = train(data=small_mnist, seconds=5.0, out=tmp_path / "a.safetensors", say=quiet)
    same = train("fast", data=small_mnist, epochs=timed.record["epochs"], out=tmp_path / "b.safetensors", say=quiet)
    assert 1 < timed.record["epochs"] <= 4
    assert timed.digest == same.digest


def test_each_seed_gets_what_fits_for_the_first(small_mnist, tmp_path, speeds, monkeypatch):
    spoken = iter([2_200.0, 22_000.0])
    monkeypatch.setattr(budget, "_speed", lambda *_: (next(spoken), 2_200, 200))
    done = train_seeds(2, "fast", data=small_mnist, seconds=3.4, out=tmp_path / "a.safetensors", say=quiet)
    first, second = (result.record["epochs"] for result in done.results)
    assert first == second
    assert next(spoken) == 22_000.0  # nobody asked for it


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"seconds": 0}, ValueError, "seconds: got 0, expected a number of seconds up to 1,000,000"),
        ({"seconds": float("nan")}, ValueError, "seconds: got nan"),
        ({"seconds": "ten"}, TypeError, "seconds: got str 'ten'"),
        ({"seconds": 5, "epochs": 2}, ValueError, "seconds and epochs"),
        ({"seconds": 5, "resume": True}, ValueError, "seconds and resume"),
    ],
)
def test_wrong_requests(small_mnist, tmp_path, options, kind, text):
    with pytest.raises(kind, match=text.replace("(", "\\(")):
        train(data=small_mnist, out=tmp_path / "a.safetensors", say=quiet, **options)
