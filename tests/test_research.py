"""What researchers add: learning-rate search, cross-validation, changed recipes, mixup."""

from __future__ import annotations

import numpy as np
import pytest
from command import run

import lenet
from lenet.io import DataLoader, MixUp, TensorDataset
from lenet.train import RECIPES, folds, lr_find
from lenet.train.rate_search import RateSearch
from lenet.train.recipes import changed

pytestmark = pytest.mark.usefixtures("command_line")


def bars(count=90, side=12):
    """Three easily told kinds of grey images, number i of kind i % 3, and some noise."""
    rng = np.random.default_rng(0)
    found = rng.integers(0, 120, (count, side, side)).astype(np.uint8)
    for i in range(count):
        at = (i % 3) * side // 3
        found[i, :, at : at + 3] += 100
    return found, np.arange(count) % 3


class Net(lenet.nn.Layer):
    def __init__(self, num_classes=3):
        super().__init__()
        self.out = lenet.nn.Linear(144, num_classes)

    def forward(self, x):
        return self.out(x.flatten(1))


# ---- the rate ----------------------------------------------------------------------------------------------------------


def test_the_loss_falls_rises_and_the_suggestion_lies_between():
    found = lr_find(*bars(), network=Net, steps=80, batch_size=16, lowest=1e-5, highest=100.0)
    assert len(found.rates) == len(found.losses) <= 80
    lowest = found.rates[found.losses.argmin()]
    assert 1e-5 < found.suggestion < lowest < found.rates[-1]
    assert found.losses.min() < 0.5 * found.losses[0]
    assert "the loss falls fastest at" in repr(found)
    again = lr_find(*bars(), network=Net, steps=80, batch_size=16, lowest=1e-5, highest=100.0)
    np.testing.assert_array_equal(again.losses, found.losses)


def test_the_suggestion_is_where_the_slope_is_steepest():
    rates = np.geomspace(1e-5, 1, 101)
    losses = 2 - 1 / (1 + np.exp(-4 * (np.log10(rates) + 3)))  # falls fastest at 1e-3
    losses[90:] += np.linspace(0, 5, 11)
    assert RateSearch(rates, losses).suggestion == pytest.approx(1e-3, rel=0.1)


def test_the_picture_marks_it():
    figure = RateSearch(np.geomspace(1e-5, 1, 50), np.linspace(2, 1, 50)).plot()
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    assert axes.get_legend().get_texts()[0].get_text().startswith("falls fastest: ")
    with pytest.raises(ValueError, match="as many losses as rates"):
        lenet.plots.rates([1, 2, 3], [1, 2])


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"lowest": 0}, "two rising numbers above 0"),
        ({"lowest": 1, "highest": 0.1}, "two rising"),
        ({"steps": 3}, "steps"),
    ],
)
def test_rates_that_cant_be(more, text):
    with pytest.raises(ValueError, match=text):
        lr_find(*bars(), network=Net, **more)


# ---- folds -------------------------------------------------------------------------------------------------------------


def test_each_image_is_answered_by_models_that_did_not_see_it(monkeypatch):
    x, y = bars(45)
    seen = []
    train_on = lenet.train.on_arrays.train_on

    def watched(images, labels, *arguments, **options):
        seen.append((images, options["seed"]))
        return train_on(images, labels, *arguments, **options)

    monkeypatch.setattr("lenet.train.cross_validation.train_on", watched)
    lines = []
    found = folds(x, np.array(["cat", "dog", "emu"])[y], 3, 2, network=Net, epochs=8, batch_size=8, say=lines.append)
    assert found.accuracies.shape == (2, 3)
    assert found.mean == found.accuracies.mean() > 0.9
    assert lines == [repr(found)]
    assert found.classes == ["cat", "dog", "emu"]
    np.testing.assert_array_equal(found.labels, y)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, rtol=1e-5)
    assert [seed for _, seed in seen] == [0, 0, 0, 1, 1, 1]
    trained_on = [sum(any(np.array_equal(one, image[0]) for image in images) for one in x) for images, _ in seen]
    assert trained_on == [30] * 6  # two thirds, and so each image is left out by one model a seed
    counts = [sum(any(np.array_equal(one, image[0]) for image in images) for images, _ in seen[:3]) for one in x]
    assert counts == [2] * 45
    low, high = found.interval
    assert low < found.mean <= high
    assert found.as_json()["mean"] == found.mean


def test_folds_that_cant_be():
    x, y = bars(9)
    with pytest.raises(ValueError, match=r"folds\(k\): got 4, and 3 images of class 0, expected at most 3 folds"):
        folds(x, y, 4, network=Net)
    with pytest.raises(ValueError, match=r"folds\(k\): got 1"):
        folds(x, y, 1)


# ---- changed recipes ---------------------------------------------------------------------------------------------------


def test_numbers_of_a_recipe_are_changed():
    fast = RECIPES["fast"]
    found = changed(fast, {"rate": "1e-3", "decay": "False", "augment.rotate": 5, "epochs": "3", "network": "resnet20"})
    expected = fast._replace(rate=1e-3, decay=False, epochs=3, network="resnet20")
    assert found == expected._replace(augment=fast.augment._replace(rotate=5.0))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"speed": 1}, "setting: got 'speed', expected one of 'epochs'"),
        ({"name": "x"}, "setting: got 'name'"),
        ({"rate": "fast"}, "rate: got 'fast', expected a number from 0 to 1000"),
        ({"rate": True}, "rate: got True"),
        ({"rate": float("nan")}, "rate: got nan"),
        ({"epochs": 0}, "epochs: got 0, expected a whole number from 1"),
        ({"decay": 2}, "decay: got '2', expected one of 'true', 'false'"),
        ({"augment.scale": 1.5}, "augment.scale: got 1.5, expected a number from 0 to 0.9"),
    ],
)
def test_numbers_that_no_recipe_has(given, text):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        changed(RECIPES["fast"], given)
    assert text in str(caught.value)


def test_the_command_line_changes_them_and_the_file_says_so(small_mnist, tmp_path):
    out = tmp_path / "m.safetensors"
    asked = ["--data", small_mnist, "--epochs", 1, "--out", out, "--no-run", "--json"]
    done = run("train", *asked, "--rate", "0.002", "--set", "smoothing=0,augment.shift=0", "--set", "decay=false")
    assert done.exit_code == 0, done.stderr
    recipe = lenet.train.Trained.load(out).meta["training"]["recipe"]
    assert (recipe["rate"], recipe["smoothing"], recipe["augment"]["shift"], recipe["decay"]) == (0.002, 0, 0, False)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--set", "rate"], "--set: got 'rate', expected KEY=VALUE"),
        (["--set", "rate=1,rate=2"], "--set: got rate twice"),
        (["--rate", "1", "--set", "rate=2"], "--set: got rate twice"),
    ],
)
def test_settings_that_cant_be(small_mnist, options, text):
    done = run("train", "--data", small_mnist, "--no-run", *options)
    assert done.exit_code == 2
    assert text in done.stderr


# ---- mixup -------------------------------------------------------------------------------------------------------------


def test_images_and_labels_are_mixed_alike():
    images, labels = np.eye(4, dtype=np.float32).reshape(4, 1, 2, 2), np.arange(4)
    data = TensorDataset([images, labels])
    ((x, y),) = list(DataLoader(data, batch_size=4, collate_fn=MixUp(4, alpha=1.0, seed=3)))
    np.testing.assert_allclose(x.numpy().reshape(4, 4), y.numpy(), rtol=1e-6)  # image k is the label k as a picture
    np.testing.assert_allclose(y.numpy().sum(axis=1), 1, rtol=1e-6)
    assert ((y.numpy() > 0).sum(axis=1) == 2).any()


def test_a_model_learns_from_mixed_batches():
    x, y = bars()
    data = TensorDataset([(x[:, None] / 127.5 - 1).astype(np.float32), y])
    net = Net()
    model = lenet.Model(net)
    model.prepare(lenet.optimizer.Adam(0.01, parameters=net.parameters()), lenet.nn.CrossEntropyLoss(soft_label=True))
    model.fit(DataLoader(data, batch_size=15, shuffle=True, collate_fn=MixUp(3)), epochs=10, verbose=0)
    answers = model.predict(data, batch_size=90, stack_outputs=True, verbose=0)[0]
    assert (answers.argmax(axis=1) == y).mean() > 0.9


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        (lambda: MixUp(1), ValueError, r"MixUp\(classes\): got 1"),
        (lambda: MixUp(3, alpha=0), ValueError, r"MixUp\(alpha\): got"),
        (lambda: MixUp(3)([(np.zeros(2, np.float32), 3)]), ValueError, "label 3, expected labels from 0 to 2"),
        (lambda: MixUp(3)([(np.zeros(2, np.uint8), 1)]), TypeError, "samples of uint8 and int64"),
        (lambda: MixUp(3)([np.zeros(2, np.float32)]), TypeError, "expected samples"),
    ],
)
def test_what_cant_be_mixed(make, kind, text):
    with pytest.raises(kind, match=text):
        make()
