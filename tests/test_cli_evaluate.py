"""``lenet evaluate``: what it prints and writes, what it takes for the test images, and what it refuses."""

from __future__ import annotations

import json
import os
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from command import run
from PIL import Image

from lenet import evaluation
from lenet.cli.evaluate import _table
from lenet.data import fetch, idx
from lenet.modelfile import serialization
from lenet.train import Trained, train

pytestmark = pytest.mark.usefixtures("command_line")


def test_evaluate_takes_the_data_that_the_model_was_trained_on(model, small_mnist):
    meta = serialization.read_model(model)[1]
    result = run("evaluate", model, "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 0
    assert result.stderr.splitlines()[0] == f"MNIST from {small_mnist}"
    expected = meta["training"]["test"]
    assert {key: found["test"][key] for key in ("images", "correct", "accuracy")} == {
        key: expected[key] for key in ("images", "correct", "accuracy")
    }
    assert found["test"]["loss"] == pytest.approx(expected["loss"], rel=1e-12)
    assert found["calibration"] == meta["calibration"]
    files = fetch.given(small_mnist)
    images, labels = idx.read_pair(files["test-images"], files["test-labels"])
    labels, shares = labels.astype(np.int64), Trained.load(model).probabilities(images)
    assert found["test"] == json.loads(json.dumps(evaluation.evaluate(shares, labels, list("0123456789")).as_json()))
    assert found["mistakes"] == evaluation.mistakes(shares, labels).tolist()
    assert found["suspects"] == evaluation.suspects(shares, labels).tolist()


def test_evaluate_prints_what_a_person_wants_to_know(model):
    found = json.loads(run("evaluate", model, "--json").stdout)
    result = run("evaluate", model, "--threads", 1)
    lines = result.stdout.splitlines()
    test = found["test"]
    low, high = (f"{100 * end:.2f}" for end in test["interval"])
    wrong = 500 - test["correct"]
    accuracy = f"{100 * test['accuracy']:.2f}"
    assert lines[0] == f"test accuracy {accuracy} %, 95 % interval {low} to {high} % (500 images, {wrong} wrong)"
    temperature = f"(temperature {found['calibration']['temperature']:.3f})"
    numbers = f"loss {test['loss']:.4f}, top-2 {100 * test['top2']:.2f} %, calibration error {100 * test['ece']:.2f} %"
    assert lines[1] == f"{numbers} {temperature}"
    at_two, at_three = (test["rejection"]["accuracy"][test["rejection"]["rejected"].index(s)] for s in (0.02, 0.03))
    rest = f"2 % {100 * at_two:.2f} %, 3 % {100 * at_three:.2f} %"
    assert lines[2] == f"right among the rest, with the least sure rejected: {rest}"
    assert lines[3].split() == ["class", "precision", "recall", "F1", "support"]
    for digit in range(10):
        shares = [f"{100 * test[key][digit]:.2f} %" for key in ("precision", "recall", "f1")]
        assert lines[4 + digit].split() == [str(digit), *" ".join(shares).split(), str(test["support"][digit])]
    counts = np.array(test["confusion"]) - np.diag(np.diag(test["confusion"]))
    truth, answer = np.unravel_index(counts.argmax(), counts.shape)
    assert lines[14].startswith(f"most often mistaken: {truth} as {answer} ({counts.max()})")
    assert lines[15:] == [f"suspected label errors: {len(found['suspects'])}"]


def test_of_very_many_classes_the_table_shows_the_worst():
    draw = np.random.RandomState(0)
    shares = draw.rand(4000, 40)
    labels = np.where(draw.rand(4000) < 0.8, shares.argmax(axis=1), draw.randint(0, 40, 4000))
    names = [f"a rather long name for class {number}" for number in range(40)]
    found = evaluation.evaluate(shares / shares.sum(axis=1, keepdims=True), labels, names)
    title, head, *rows = _table(found)
    assert title == "the 30 of 40 classes with the lowest F1:"
    assert len(rows) == 30
    assert {len(row) for row in [head, *rows]} == {24 + 38}
    assert rows[0].startswith("a rather long name for …  ")
    assert [row.split()[-3] for row in rows] == [f"{100 * f1:.2f}" for f1 in np.sort(found.f1)[:30]]


def write_data(folder: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Four IDX files of these images, training and test part alike."""
    folder.mkdir()
    for part, name in fetch.FILES.items():
        idx.write(folder / name, images if part.endswith("images") else labels)


def test_evaluate_says_that_a_class_is_missing(model, small_mnist, tmp_path):
    files = fetch.given(small_mnist)
    images, labels = idx.read_pair(files["test-images"], files["test-labels"])
    write_data(tmp_path / "d", images[labels != 7], labels[labels != 7])
    result = run("evaluate", model, "--dataset", "mnist", "--data", "d")
    assert result.exit_code == 0
    assert "note: no test image is of class 7" in result.stderr
    row = result.stdout.splitlines()[4 + 7].split()
    assert (row[0], row[-3:]) == ("7", ["-", "-", "0"])
    found = json.loads(run("evaluate", model, "--dataset", "mnist", "--data", "d", "--json").stdout)
    assert found["test"]["recall"][7] is None


def test_evaluate_refuses_other_sizes_and_other_numbers_of_classes(model, small_mnist, tmp_path):
    files = fetch.given(small_mnist)
    images, labels = idx.read_pair(files["test-images"], files["test-labels"])
    write_data(tmp_path / "d", np.ascontiguousarray(images[:, 4:24, 4:24]), labels)
    result = run("evaluate", model, "--dataset", "mnist", "--data", "d")
    assert (result.exit_code, result.stdout) == (2, "")
    last = "lenet: network: got images of shape [500, 1, 20, 20], expected [N, 1, 28, 28]. Resize the images"
    assert result.stderr.splitlines()[-1].startswith(last)
    for name in "ab":
        Path("mine", name).mkdir(parents=True)
        for number in range(3):
            Image.fromarray(images[number]).save(f"mine/{name}/{number}.png")
    result = run("evaluate", model, "--dataset", "mine")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].startswith(
        "lenet: dataset: got 2 classes: a, b, expected the model's 10: 0, 1,"
    )


def test_classes_of_the_model_s_names_are_found_by_name(model, small_mnist):
    files = fetch.given(small_mnist)
    images, labels = idx.read_pair(files["test-images"], files["test-labels"])
    chosen = np.flatnonzero(np.isin(labels, [3, 7]))
    for at in chosen:
        Path("mine", str(labels[at])).mkdir(parents=True, exist_ok=True)
        Image.fromarray(images[at]).save(f"mine/{labels[at]}/{at}.png")
    result = run("evaluate", model, "--dataset", "mine", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)["test"]
    answers = Trained.load(model).probabilities(images[chosen]).argmax(axis=1)
    assert found["support"] == np.bincount(labels[chosen], minlength=10).tolist()
    assert found["correct"] == int((answers == labels[chosen]).sum())
    assert f"all {len(chosen)}" in result.stderr


def test_of_a_folder_it_was_trained_on_only_what_was_held_back_counts(small_mnist):
    files = fetch.given(small_mnist)
    images, labels = idx.read_pair(files["test-images"], files["test-labels"])
    for number in range(60):
        Path("mine", str(number % 3)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(images[number]).save(f"mine/{number % 3}/{number}.png")
    train("fast", "mine", epochs=1, out="mine.safetensors", say=lambda text: None)
    for asked in ([], ["--dataset", "mine"]):
        result = run("evaluate", "mine.safetensors", "--json", *asked)
        assert json.loads(result.stdout)["test"]["images"] == 6
        assert "the 6 held back from training" in result.stderr
    os.rename("mine", "moved")  # the same images
    found = run("evaluate", "mine.safetensors", "--json", "--dataset", "moved")
    assert json.loads(found.stdout)["test"]["images"] == 6


def test_evaluate_refuses_no_images_and_missing_labels(model, small_mnist, tmp_path):
    files = fetch.given(small_mnist)
    images, labels = idx.read_pair(files["test-images"], files["test-labels"])
    write_data(tmp_path / "none", images[:0], labels[:0])
    result = run("evaluate", model, "--dataset", "mnist", "--data", "none")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "images" in result.stderr.splitlines()[-1]
    write_data(tmp_path / "unlabelled", images, labels)
    os.unlink(tmp_path / "unlabelled" / fetch.FILES["test-labels"])
    result = run("evaluate", model, "--dataset", "mnist", "--data", "unlabelled")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"without {fetch.FILES['test-labels']}" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_evaluate_refuses_weights_that_hold_nan(model):
    tensors, meta = serialization.read_model(model)
    tensors["linear3.bias"][3] = np.nan
    serialization.write_model("m.safetensors", tensors, meta)
    result = run("evaluate", "m.safetensors")
    assert (result.exit_code, result.stdout) == (2, "")
    expected = "lenet: logits of m.safetensors: got NaN or infinity for 500 of 500 images, expected finite numbers. The"
    assert result.stderr.splitlines()[-1].startswith(expected)
    Image.fromarray(np.zeros((28, 28), np.uint8)).save("black.png")
    result = run("predict", "black.png", "--model", "m.safetensors")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "got NaN or infinity for 1 of 1 images" in result.stderr


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("r.pdf", "report: got 'r.pdf', expected a name that ends in .html or .htm. Type r.html"),
        ("folder.html", "report: got the folder folder.html, expected a file name"),
        ("nowhere/r.html", "report: got nowhere/r.html, expected a folder that exists, unlike "),
        ("closed/r.html", "report: got closed/r.html, expected a place to write to, unlike "),
    ],
)
def test_an_unwritable_report_is_refused_before_the_work(model, monkeypatch, path, text):
    Path("folder.html").mkdir()
    Path("closed").mkdir()
    access = os.access  # root may write anywhere, so the folder is closed by hand
    monkeypatch.setattr(os, "access", lambda p, mode, **rest: not str(p).endswith("closed") and access(p, mode, **rest))
    monkeypatch.setattr("lenet.cli.evaluate.load_model", lambda *_: pytest.fail("the work began"))
    result = run("evaluate", model, "--report", path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert text in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_evaluate_hands_the_report_what_it_measured(model, small_mnist, monkeypatch):
    written = []
    report = types.ModuleType("lenet.report")
    report.write = lambda *given, **named: written.append((given, named))
    monkeypatch.setitem(sys.modules, "lenet.report", report)
    result = run("evaluate", model, "--report", "r.html")
    assert result.exit_code == 0
    (((path, trained, images, labels), named),) = written
    assert (path, trained.digest, named["line"]) == ("r.html", Trained.load(model).digest, f"MNIST from {small_mnist}")
    assert (images.shape, labels.shape) == ((500, 1, 28, 28), (500,))
    assert result.stderr.splitlines()[-1] == "report written to r.html"


def test_evaluate_reads_no_training_images(model, small_mnist, monkeypatch):
    read = []
    monkeypatch.setattr(idx, "read", lambda path, own=idx.read: read.append(os.path.basename(path)) or own(path))
    assert run("evaluate", model).exit_code == 0
    assert sorted(read) == sorted(fetch.FILES[part] for part in ("test-images", "test-labels"))


@pytest.mark.parametrize("command", [("evaluate",), ("compare",)])
def test_images_of_other_things_are_refused(model, small_mnist, command):
    models = [model] * (2 if command == ("compare",) else 1)
    result = run(*command, *models, "--dataset", "fashion-mnist", "--data", small_mnist)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "got 10 classes: T-shirt/top" in result.stderr
    assert "expected the model's 10: 0, 1, 2" in result.stderr


def test_evaluate_on_classes_of_partly_other_names_says_so(model, tmp_path):
    for name in ("0", *"abcdefghi"):
        for i in range(2):
            path = tmp_path / "digits" / name / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((28, 28), 10 * i, np.uint8)).save(path)
    result = run("evaluate", model, "--dataset", tmp_path / "digits")
    assert result.exit_code == 0, result.stderr
    assert "note: these images' classes are 0, a, b" in result.stderr


def test_evaluate_without_a_model_says_what_to_type():
    result = run("evaluate")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no lenet.safetensors in this folder" in result.stderr
    assert "Type `lenet train` first" in result.stderr
    other = run("evaluate", "other.safetensors")
    assert other.exit_code == 2
    assert "other.safetensors, which does not exist" in other.stderr


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"", "truncated, damaged"), (b"\x80\x04\x95abcdefgh.", "a pickle"), (b"<html>404</html>", "an HTML or XML page")],
)
def test_evaluate_of_files_that_are_no_model(content, text):
    Path("m.safetensors").write_bytes(content)
    result = run("evaluate", "m.safetensors")
    assert (result.exit_code, result.stdout) == (2, "")
    assert text in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_evaluate_a_model_that_doesn_t_say_its_data(model):
    tensors, meta = serialization.read_model(model)
    serialization.write_model("m.safetensors", tensors, meta | {"training": {"data": []}})
    result = run("evaluate", "m.safetensors")
    assert result.exit_code == 2
    assert "Type for example --dataset mnist" in result.stderr
