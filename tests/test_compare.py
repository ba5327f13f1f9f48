"""``lenet compare``: the numbers of ``lenet.evaluation`` on the same images, the sentences, and one line for each mistake."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import lenet
from lenet.cli import compare as command
from lenet.cli.app import app
from lenet.data import fetch
from lenet.evaluation import Comparison
from lenet.evaluation import compare as compared
from lenet.modelfile import serialization
from lenet.plots import _style
from lenet.train import Trained, train
from lenet.train.data import load_test
from lenet.train.record import model_meta

pytestmark = pytest.mark.usefixtures("command_line")


def run(*arguments: object):
    return CliRunner().invoke(app, ["compare", *(str(argument) for argument in arguments)], prog_name="lenet")


@pytest.fixture(scope="module")
def models(small_mnist, tmp_path_factory):
    """One of a short epoch, two that differ by their seeds."""
    folder = tmp_path_factory.mktemp("models")
    paths = {}
    for name, recipe, seed, epochs in (("weak", "tutorial", 0, 1), ("good", "fast", 0, 8), ("other", "fast", 1, 8)):
        paths[name] = folder / f"{name}.safetensors"
        train(recipe, data=small_mnist, seed=seed, epochs=epochs, out=paths[name], say=lambda text: None)
    return paths


@pytest.fixture(scope="module")
def answers(models, small_mnist):
    """Each model's probabilities for the test images, and their labels."""
    _, test, _ = load_test("mnist", small_mnist)
    return {name: Trained.load(path).probabilities(test.images) for name, path in models.items()}, test.labels


# ---- numbers -----------------------------------------------------------------------------------------------------------


def test_json_is_evaluation_s_numbers(models, answers, small_mnist):
    result = run(models["weak"], models["good"], models["other"], "--json", "--threads", 1)
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    probabilities, labels = answers
    assert found["data"] == f"MNIST from {small_mnist}"
    assert (found["images"], found["threads"]) == (500, 1)
    for name, model in zip(models, found["models"], strict=True):
        trained = Trained.load(models[name])
        assert model["model"] == str(models[name])
        assert model["weights"] == trained.digest
        _, test, _ = load_test("mnist", small_mnist)
        assert model["test"] == json.loads(json.dumps(trained.evaluate(test.images, labels).as_json()))
        assert model["bytes"] == models[name].stat().st_size
        assert model["parameters"] == 61706
        assert model["images_per_second"] > 0
        if name == "weak":
            assert model["against_first"] is None
            continue
        expected = compared(probabilities["weak"], probabilities[name], labels)
        against = model["against_first"]
        assert {key: value for key, value in against.items() if key != "verdict"} == expected.as_json()
        # by hand: who is right where, and the coin of McNemar's test
        right = [probabilities[which].argmax(axis=1) == labels for which in ("weak", name)]
        only_a, only_b = (right[0] & ~right[1]).sum(), (right[1] & ~right[0]).sum()
        assert (against["only_a"], against["only_b"]) == (only_a, only_b)
        n, few = only_a + only_b, min(only_a, only_b)
        coin = 2 * sum(math.comb(int(n), k) for k in range(int(few) + 1)) / 2 ** int(n)
        assert against["mcnemar_p"] == pytest.approx(min(1.0, coin), rel=1e-12)
        assert against["difference"] == pytest.approx((right[1].sum() - right[0].sum()) / 500, abs=1e-15)
        assert against["interval"][0] <= against["difference"] <= against["interval"][1]


def test_the_lines_say_it(models, answers):
    result = run(models["weak"], models["good"])
    assert result.exit_code == 0, result.stderr
    probabilities, labels = answers
    expected = compared(probabilities["weak"], probabilities["good"], labels)
    weak, good = models["weak"], models["good"]
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{weak}: accuracy {100 * expected.accuracy[0]:.2f} % (")
    assert "61,706 parameters" in lines[1]
    assert "images/s (measured, " in lines[1]
    assert lines[2].startswith(f"{good}: accuracy {100 * expected.accuracy[1]:.2f} % (")
    alone = expected.only_a + expected.only_b
    assert lines[4] == (
        f"{good} is better: it is right on {expected.only_b} of the {alone} images that only one of the two gets right"
    )
    low, high = (100 * end for end in expected.interval)
    assert f"{100 * expected.difference:+.2f} points ({low:+.2f} to {high:+.2f}), p " in lines[5]
    assert f"right alone: {expected.only_b} and {expected.only_a}; {len(expected.disagree)} answers differ" in lines[5]
    turned = run(good, weak).stdout.splitlines()[4]
    assert turned == lines[4]  # whoever comes first, the better one is better


def comparison(only_a: int, only_b: int, p: float, disagree: int = 1) -> Comparison:
    apart = np.arange(disagree)
    return Comparison(10000, (0.9, 0.9), 0.0, (-0.1, 0.1), only_a, only_b, p, apart)


@pytest.mark.parametrize(
    ("result", "comparisons", "text"),
    [
        (comparison(8, 9, 1.0), 1, "b and a: no difference that 10,000 images could show"),
        (comparison(30, 10, 0.04), 1, "a is better: it is right on 30 of the 40 images that only one of the two"),
        (comparison(10, 30, 0.04), 1, "b is better: it is right on 30 of the 40 images that only one of the two"),
        (comparison(10, 30, 0.04), 2, "b and a: no difference"),  # two comparisons share the 5 %
        (comparison(10, 30, 0.02), 2, "b is better"),
        (comparison(0, 0, 1.0, 0), 1, "b and a give the same answer to every image"),
        (comparison(0, 0, 1.0, 5), 1, "b and a: no difference"),  # each wrong in its own way
    ],
)
def test_the_sentence(result, comparisons, text):
    assert command._verdict(result, "b", "a", comparisons).startswith(text)


def test_the_same_model_twice(models):
    result = run(models["good"], models["good"], "--pictures", "p.png")
    assert result.exit_code == 0, result.stderr
    assert "give the same answer to every image" in result.stdout
    assert "+0.00 points" in result.stdout
    assert "no picture written" in result.stderr
    assert os.listdir() == []


# ---- pictures ------------------------------------------------------------------------------------------------------------


def test_pictures_of_what_they_disagree_on(models, answers, monkeypatch):
    pytest.importorskip("matplotlib")
    drawn = {}
    real = lenet.plots.pictures

    def pictures(images, captions, **options):
        drawn.update(images=images, captions=captions, **options)
        return real(images, captions, **options)

    monkeypatch.setattr("lenet.plots.pictures", pictures)
    result = run(models["weak"], models["good"], "--pictures", "p.svg")
    assert result.exit_code == 0, result.stderr
    assert Path("p.svg").read_bytes().startswith(b"<?xml")
    probabilities, labels = answers
    given = {name: shares.argmax(axis=1) for name, shares in probabilities.items()}
    apart = np.flatnonzero(given["weak"] != given["good"])
    shown = min(len(apart), 60)
    assert len(drawn["images"]) == len(drawn["captions"]) == shown
    expected = {f"is {labels[at]}\nA: {given['weak'][at]}\nB: {given['good'][at]}" for at in apart}
    assert set(drawn["captions"]) <= expected
    for caption, (of_truth, *of_answers) in zip(drawn["captions"], drawn["colours"], strict=True):
        truth, *said = (line.split()[1] for line in caption.split("\n"))
        assert of_truth == _style.INK
        assert of_answers == [_style.BLUE if answer == truth else _style.ORANGE for answer in said]
    assert drawn["title"].splitlines()[:2] == [f"A: {models['weak']}", f"B: {models['good']}"]
    assert f"images on which they disagree: written to p.svg (A {models['weak']}, B {models['good']})" in result.stderr


# ---- bad input -------------------------------------------------------------------------------------------------------------


def refused(*arguments: object) -> str:
    """The one line of a comparison that is refused, exit code 2."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    return line


def altered(source: Path, target: str, **changes: object) -> str:
    """A model's file with another account."""
    tensors, meta = serialization.read_model(source)
    serialization.write_model(target, tensors, meta | changes)
    return target


def test_one_model_alone(models):
    assert "compare: got 1 model, expected at least two. Type lenet compare A.safetensors B" in refused(models["good"])


def test_no_model_at_all():
    result = run()
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_missing_file(models):
    assert "model: got nowhere.safetensors, which does not exist" in refused(models["good"], "nowhere.safetensors")


def test_a_file_that_is_no_model(models):
    Path("m.safetensors").write_bytes(b"<html>404</html>")
    assert "an HTML or XML page" in refused(models["good"], "m.safetensors")


def test_other_labels(models):
    other = altered(models["good"], "other.safetensors", labels=list("abcdefghij"))
    line = refused(models["good"], other)
    assert "other.safetensors: got a model for the classes a, b, c" in line
    assert f"expected those of {models['good']}: 0, 1, 2" in line


def test_other_sizes(models):
    network = lenet.nn.Sequential(lenet.nn.Flatten(), lenet.nn.Linear(32 * 32, 10))
    wide = Trained(network, (1, 32, 32), [str(digit) for digit in range(10)], 127.5, 127.5)
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    serialization.write_model("wide.safetensors", weights, model_meta(wide, {}))
    line = refused(models["good"], "wide.safetensors")
    assert "wide.safetensors: got a model for images of [1, 32, 32], expected one for images of [1, 28, 28]" in line


def test_models_trained_on_different_data(models, small_mnist):
    _, meta = serialization.read_model(models["good"])
    data = meta["training"]["data"] | {"name": "fashion-mnist", "line": "Fashion-MNIST", "digest": "f" * 64}
    other = altered(models["good"], "other.safetensors", training=meta["training"] | {"data": data})
    line = refused(models["good"], other)
    assert "compare: got other.safetensors, trained on Fashion-MNIST, expected MNIST from" in line
    assert "Say on which to compare: --dataset NAME" in line
    assert run(models["good"], other, "--dataset", "mnist", "--data", small_mnist).exit_code == 0


def test_a_model_that_does_not_say_its_data(models):
    other = altered(models["good"], "other.safetensors", training={})
    for pair in ((other, models["good"]), (models["good"], other)):
        assert "Type for example --dataset mnist" in refused(*pair)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("p.jpg", "pictures: got 'p.jpg', expected a name that ends in .png or .svg or .pdf. Type p.png"),
        ("nowhere/p.png", "expected a folder that exists"),
        ("folder.png", "got the folder folder.png, expected a file name"),
    ],
)
def test_pictures_that_can_t_be_written(models, path, text):
    Path("folder.png").mkdir()
    assert text in refused(models["weak"], models["good"], "--pictures", path)


def test_pictures_in_a_folder_that_takes_none(models, monkeypatch):
    monkeypatch.setattr("lenet.cli.compare.os.access", lambda *_: False)  # to root every folder is open
    assert "a place to write to, unlike" in refused(models["weak"], models["good"], "--pictures", "p.png")


def test_a_full_disk_is_one_line(models, monkeypatch):
    pytest.importorskip("matplotlib")

    def full(*_: object) -> None:
        raise OSError(28, "writing p.png: got a full disk, expected a place to write to. Free some space")

    monkeypatch.setattr("lenet.plots.save", full)
    result = run(models["weak"], models["good"], "--pictures", "p.png")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("lenet: writing p.png: got a full disk")


def test_damaged_data(models, small_mnist):
    shutil.copytree(small_mnist, "data")
    images = Path("data", fetch.FILES["test-images"])
    images.write_bytes(images.read_bytes()[:-1])
    line = refused(models["weak"], models["good"], "--data", "data")
    assert str(images) in line


def test_without_matplotlib_nothing_is_begun(models, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    compare = ["compare", models["weak"], models["good"], "--pictures", "p.png"]
    for arguments in (compare, ["evaluate", models["good"], "--report", "r.html"]):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert (result.exit_code, result.stdout, os.listdir()) == (1, "", [])
        assert result.stderr.endswith("Type pip install '.[plots]' in lenet's checkout, or pip install matplotlib\n")
