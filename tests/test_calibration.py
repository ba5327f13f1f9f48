"""The temperature: how it is fitted, what ``train`` does with it, and that a file's is not believed blindly."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import lenet
from lenet.cli.app import app
from lenet.data import fetch, idx
from lenet.evaluation import expected_calibration_error, fit_temperature, softmax
from lenet.evaluation.calibration import TEMPERATURES, mean_loss
from lenet.modelfile import serialization
from lenet.train import RECIPES, Interrupted, Recipe, Trained, train

with warnings.catch_warnings():  # their own imports warn of each other's old ways
    warnings.simplefilter("ignore")
    import scipy.optimize
    import scipy.special
    from sklearn.metrics import log_loss


@pytest.fixture(autouse=True)
def _as_before():
    threads = lenet.get_num_threads()
    yield
    lenet.set_num_threads(threads)


def quiet(_text: str) -> None:
    pass


def drawn(seed: int, temperature: float, n: int = 3000, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Logits float32 [n, k], and labels drawn from softmax(logits / temperature): its true temperature."""
    draw = np.random.RandomState(seed)
    logits = (3 * draw.randn(n, k)).astype(np.float32)
    shares = scipy.special.softmax(logits.astype(np.float64) / temperature, axis=1)
    labels = (shares.cumsum(axis=1) < draw.rand(n, 1)).sum(axis=1).clip(0, k - 1)
    return logits, labels


# ---- fitting -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.3, 0.7, 1.0, 2.5])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_temperature_is_the_one_that_scipy_finds(seed, temperature):
    logits, labels = drawn(seed, temperature)

    def loss(log_temperature: float) -> float:
        """scikit-learn's, with half an image beside the 3,000 whose label might be any of the ten."""
        shares = scipy.special.softmax(logits.astype(np.float64) / np.exp(log_temperature), axis=1)
        of_any = scipy.special.log_softmax(logits.astype(np.float64) / np.exp(log_temperature), axis=1).mean()
        return log_loss(labels, shares, labels=range(10)) * (1 - 0.5 / 3000) - 0.5 / 3000 * of_any

    best = scipy.optimize.minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded", options={"xatol": 1e-9})
    found = fit_temperature(logits, labels)
    # the minimum is flat: SciPy's place is good to half its digits
    assert found == pytest.approx(np.exp(best.x), rel=1e-5)
    assert found == pytest.approx(temperature, rel=0.1)  # 3,000 labels


def test_what_knows_nothing_ends_at_the_upper_end():
    logits, labels = drawn(0, 1.0)
    assert fit_temperature(logits, logits.argmin(axis=1)) == TEMPERATURES[1]
    assert fit_temperature(1e4 * logits, labels) == TEMPERATURES[1]
    assert fit_temperature(1e-4 * logits, labels) == TEMPERATURES[0]


def test_few_images_without_a_mistake_do_not_ask_for_certainty():
    """100 right answers say less than 1,000."""
    logits, _ = drawn(0, 1.0)
    few, many = (fit_temperature(logits[:n], logits[:n].argmax(axis=1)) for n in (100, 1000))
    assert TEMPERATURES[0] < many < few < 1


def test_logits_of_any_size_do_no_harm():
    logits, labels = drawn(0, 1.0)
    shifted = fit_temperature(logits.astype(np.float64) + 1e3, labels)
    assert shifted == pytest.approx(fit_temperature(logits, labels), rel=1e-9)


def test_softmax_is_scipy_s_and_keeps_float32():
    logits, _ = drawn(0, 1.0, n=50)
    found = softmax(logits, 0.7)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, scipy.special.softmax(logits.astype(np.float64) / 0.7, axis=1), rtol=1e-5)


@pytest.mark.parametrize(
    ("logits", "labels", "text"),
    [
        (np.zeros((0, 3)), np.zeros(0, np.int64), "images: got none"),
        (np.full((2, 3), np.nan), np.array([0, 1]), "logits: got NaN or infinity for 2 of 2 images"),
        (np.zeros((2, 3)), np.array([0, 3]), "labels: got labels from 0 to 3"),
    ],
)
def test_what_no_temperature_fits(logits, labels, text):
    with pytest.raises(ValueError, match=r".") as caught:
        fit_temperature(logits, labels)
    assert text in str(caught.value)


# ---- in a run ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(small_mnist, tmp_path_factory):
    """A run of ``fast`` on 2,400 images, of which it holds 200 out: its file, its result and what it said."""
    out, said = tmp_path_factory.mktemp("model") / "m.safetensors", []
    result = train("fast", data=small_mnist, epochs=4, out=out, say=said.append)
    return out, result, said


@pytest.fixture(scope="module")
def test_images(small_mnist):
    files = fetch.given(small_mnist)
    return idx.read_pair(files["test-images"], files["test-labels"])


def test_train_fits_it_to_the_held_out_images_and_stores_it(model, small_mnist, test_images):
    out, result, said = model
    meta = serialization.read_model(out)[1]
    found = meta["calibration"]
    assert found == result.trained.calibration
    again = Trained.load(out)
    assert again.calibration == found
    assert again.temperature == found["temperature"] != 1

    from lenet.train import data as data_sets

    loaded = data_sets.load("mnist", small_mnist)
    _, held = data_sets.split(loaded.train.labels, RECIPES["fast"].held_out)
    images, labels = loaded.train.images[held], loaded.train.labels[held]
    logits = again.logits(images)
    assert found["images"] == len(held) == 200
    assert found["temperature"] == fit_temperature(logits, labels)
    both = softmax(logits), softmax(logits, found["temperature"])
    assert found["ece"] == [expected_calibration_error(p, labels) for p in both]
    assert found["loss"] == [mean_loss(p, labels) for p in both]
    assert found["loss"][1] < found["loss"][0]
    assert meta["training"]["held_out"]["loss"] == found["loss"][1]
    line = f"calibrated on 200 held-out images: temperature {found['temperature']:.3f}, calibration error "
    assert [text for text in said if text.startswith(line)]
    assert len(said) == 3  # the data, the plan, the temperature

    np.testing.assert_array_equal(
        again.probabilities(test_images[0]), softmax(again.logits(test_images[0]), again.temperature)
    )


def test_logits_are_the_network_s(model, test_images):
    trained = Trained.load(model[0])
    x = lenet.to_tensor((test_images[0][:32, None].astype(np.float32) - 127.5) / 127.5)
    np.testing.assert_allclose(
        trained.logits(test_images[0][:32]), trained.network(x).numpy(), atol=2e-5
    )  # plan, eager
    assert trained.logits(test_images[0][:0]).shape == (0, 10)


def test_answers_and_weights_do_not_depend_on_it(model, test_images, tmp_path):
    tensors, meta = serialization.read_model(model[0])
    bare = {key: value for key, value in meta.items() if key != "calibration"}
    serialization.write_model(tmp_path / "old.safetensors", tensors, bare)  # as files were before there was any
    old, new = Trained.load(tmp_path / "old.safetensors"), Trained.load(model[0])
    assert old.calibration is None
    assert old.temperature == 1.0
    assert old.digest == new.digest == model[1].digest
    images = test_images[0]
    np.testing.assert_array_equal(old.probabilities(images), softmax(old.logits(images)))
    np.testing.assert_array_equal(old.probabilities(images).argmax(axis=1), new.probabilities(images).argmax(axis=1))
    assert not np.allclose(old.probabilities(images), new.probabilities(images), atol=1e-3)


def test_predict_says_the_calibrated_probability(model, test_images, tmp_path):
    from PIL import Image

    trained = Trained.load(model[0])
    trained.meta["training"]["data"]["name"] = "mine"  # so predict doesn't look for digits on a page first
    other = tmp_path / "other.safetensors"
    serialization.write_model(other, serialization.read_model(model[0])[0], trained.meta)
    image = test_images[0][0]
    path = tmp_path / "digit.png"
    Image.fromarray(image).save(path)
    done = CliRunner().invoke(app, ["predict", str(path), "--model", str(other), "--json"], prog_name="lenet")
    (found,) = json.loads(done.stdout)["results"]
    raw, calibrated = (softmax(trained.logits(image[None]), t).max() for t in (1.0, trained.temperature))
    assert found["probability"] == pytest.approx(calibrated, rel=1e-6)
    assert found["probability"] != pytest.approx(raw, rel=1e-4)


def test_tutorial_holds_nothing_out_and_is_not_calibrated(small_mnist, tmp_path):
    said: list[str] = []
    out = tmp_path / "m.safetensors"
    result = train("tutorial", data=small_mnist, epochs=1, out=out, say=said.append)
    assert result.trained.calibration is None
    assert "calibration" not in serialization.read_model(out)[1]
    assert Trained.load(out).temperature == 1.0
    assert "not calibrated: no images are held out" in said


def test_an_interrupted_run_stores_none(small_mnist, tmp_path):
    out = tmp_path / "m.safetensors"
    with pytest.raises(Interrupted):
        train("fast", data=small_mnist, out=out, say=quiet, stop=iter([False, True]).__next__)
    assert "calibration" not in serialization.read_model(out)[1]
    assert Trained.load(out).temperature == 1.0
    train("fast", data=small_mnist, out=out, say=quiet, resume=True)
    assert serialization.read_model(out)[1]["calibration"]["images"] == 200


def test_few_images_cannot_say(model, test_images):
    images, labels = test_images[0], test_images[1].astype(np.int64)
    trained = Trained.load(model[0])
    before = dict(trained.calibration)
    assert trained.calibrate(images[:99], labels[:99]).startswith("not calibrated: that takes 100 held-out images")
    assert trained.calibration == before
    assert trained.calibrate(images, labels).startswith("calibrated on 500 held-out images")
    assert trained.calibration != before


def test_evaluate_is_the_evaluation_of_its_probabilities(model, test_images):
    trained = Trained.load(model[0])
    images, labels = test_images[0], test_images[1].astype(np.int64)
    found = trained.evaluate(images, labels)
    assert found.classes == trained.labels
    assert found.ece == expected_calibration_error(trained.probabilities(images), labels)
    assert found.loss == trained.score(images, labels).loss
    assert found.correct == model[1].test.correct


GOOD = {"temperature": 0.7, "images": 5000, "ece": [0.03, 0.002], "loss": [0.05, 0.02]}


@pytest.mark.parametrize(
    ("calibration", "text"),
    [
        ("hot", "calibration: got 'hot', expected an object with a temperature"),
        ({}, "temperature: got None, expected a number from 0.05 to 20"),
        (GOOD | {"temperature": 0}, "temperature: got 0,"),
        (GOOD | {"temperature": 0.049}, "temperature: got 0.049"),
        (GOOD | {"temperature": 20.5}, "temperature: got 20.5"),
        (GOOD | {"temperature": -1.0}, "temperature: got -1.0"),
        (GOOD | {"temperature": "1"}, "temperature: got '1'"),
        (GOOD | {"temperature": True}, "temperature: got True"),
        (GOOD | {"temperature": [1.0]}, "temperature: got [1.0]"),
        (GOOD | {"images": "all"}, "calibration: got "),
        (GOOD | {"ece": [0.03]}, "expected images, and ece and loss, each before and after"),
        (GOOD | {"loss": ["a", "b"]}, "expected images, and ece and loss, each before and after"),
    ],
)
def test_a_file_s_calibration_is_checked(model, tmp_path, calibration, text):
    tensors, meta = serialization.read_model(model[0])
    path = tmp_path / "m.safetensors"
    serialization.write_model(path, tensors, meta | {"calibration": calibration})
    with pytest.raises(ValueError, match=r"m\.safetensors: ") as caught:
        Trained.load(path)
    assert text in str(caught.value)


# ---- what the README may say ---------------------------------------------------------------------------------------------


def test_the_stored_measurement_is_that_of_fast_as_it_stands_and_keeps_the_promise():
    """Whoever changes a number of ``fast`` runs bench/accuracy/calibration.py again."""
    stored = json.loads((Path(__file__).parents[1] / "bench" / "results" / "calibration.json").read_text())
    measured = Recipe.of_json(stored["recipe"])  # what didn't exist then is at its default
    assert measured._replace(about="") == RECIPES["fast"]._replace(about="")
    assert stored["n"] == len(stored["runs"]) >= 5
    assert stored["mean"]["ece_after"]["value"] <= 0.003
    assert stored["mean"]["accuracy_at_0.03"]["value"] >= 0.998
    assert all(run["loss_after"] <= run["loss_before"] for run in stored["runs"])
