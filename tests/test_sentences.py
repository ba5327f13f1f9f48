"""One short sentence for what is wrong, in our words, however long or strange what was given is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.command import run

import lenet
from lenet.data import fetch
from lenet.messages.check import MOST, brief, choice, describe, message, one_line, positive_int, without_home
from lenet.modelfile import serialization
from lenet.reading import Reader
from lenet.train import train
from lenet.vision.datasets import ArrayDataset

IMAGES, LABELS = np.zeros((20, 1, 28, 28), np.float32), np.zeros(20, np.int64)


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "given",
    ["x" * 5000, "a\nb\r\n\tc\x1b[31m\0", "é" * 5000, ["x" * 500] * 500, 10**5000, Hostile(), {"a": [[[[[[1]]]]]]}],
    ids=["long", "lines", "wide", "list", "number", "hostile", "deep"],
)
def test_a_message_is_one_short_line(given):
    for text in (
        message("what", brief(given, 4000), "something"),
        message("w" * 1000, brief(given, 4000), "e" * 1000, "f" * 1000),
        describe(given),
        brief(given),
    ):
        assert text.isprintable()
        assert len(text) <= MOST
    for call in (lambda: choice("what", given, ["a"]), lambda: positive_int("what", [given])):
        with pytest.raises((ValueError, TypeError)) as caught:
            call()
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) <= MOST


def test_what_is_short_stays_as_it_is():
    assert message("what", 3, "4", "Type 4") == "what: got 3, expected 4. Type 4"
    assert one_line("a  b") == "a  b"
    assert one_line("a\nb") == "a b"
    path = f"/home/{'x' * 400}/m.safetensors"
    assert message(path, "nothing", "a model", "Check the path").endswith(
        "/m.safetensors: got nothing, expected a model. Check the path"
    )


@pytest.mark.parametrize(
    ("home", "text", "shown"),
    [
        ("/home/ann", "MNIST from /home/ann/data", "MNIST from ~/data"),
        ("/home/ann", "/home/anna/data", "/home/anna/data"),
        ("/home/ann", "in '/home/ann'; and /home/ann", "in '~'; and ~"),
        ("/", "/data", "/data"),
        ("", "/data", "/data"),
    ],
)
def test_the_home_folders_name_stays_at_home(monkeypatch, home, text, shown):
    monkeypatch.setenv("HOME", home)
    assert without_home(text) == shown


def test_a_report_and_a_record_do_not_name_the_home_folder(small_mnist, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LENET_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(small_mnist)
    assert run("train", "--data", tmp_path / "data", "--epochs", 1, "--report").exit_code == 0
    assert run("evaluate", "--report", "r.html").exit_code == 0
    for path in (*Path("runs").rglob("*.*"), Path("r.html"), Path("lenet.safetensors")):
        if path.is_file():
            assert str(tmp_path).encode() not in path.read_bytes(), path


def prepared() -> lenet.Model:
    net = lenet.nn.Sequential(lenet.nn.Flatten(), lenet.nn.Linear(784, 10))
    found = lenet.Model(net)
    found.prepare(lenet.optimizer.Adam(parameters=net.parameters()), lenet.nn.CrossEntropyLoss())
    return found


@pytest.mark.parametrize("data", [(IMAGES, IMAGES, LABELS), IMAGES, lenet.to_tensor(IMAGES)])
def test_arrays_without_labels_in_place_of_a_data_set(data):
    for call in (prepared().fit, prepared().evaluate):
        with pytest.raises(
            TypeError, match=r"without a data set, expected a Dataset.* lenet\.io\.TensorDataset\(\[images"
        ):
            call(data, verbose=0)


def test_a_loader_of_pytorch_that_is_empty():
    kind = type("DataLoader", (), {"__module__": "torch.utils.data.dataloader", "__iter__": lambda self: iter(())})
    with pytest.raises(ValueError, match=r"train_data: got no batch, expected at least one in every pass"):
        prepared().fit(kind())


def test_a_list_of_batches_is_none(tmp_path):
    prepared().fit([[lenet.to_tensor(IMAGES), lenet.to_tensor(LABELS)]], epochs=1, verbose=0)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((IMAGES, LABELS), r"recipe: got ndarray of float32 .* Images come second: train\('fast', \(ArrayDataset"),
        (((IMAGES, LABELS),), "recipe: got tuple"),
        (("fast", (IMAGES, LABELS)), r"dataset: got ndarray of float32.* Type \(ArrayDataset\(images, labels\)"),
        (("fast", IMAGES), r"dataset: got ndarray of float32.* Type \(ArrayDataset"),
        (("fast", ArrayDataset(np.zeros((4, 28, 28), np.uint8), LABELS[:4])), "one ArrayDataset, expected a pair"),
        (("fast", [1, 2, 3]), "dataset: got 3 parts, expected a pair"),
        (("fast", 5), "dataset: got int 5"),
    ],
)
def test_arrays_in_place_of_a_recipe_or_a_pair(arguments, text):
    with pytest.raises(TypeError, match=text):
        train(*arguments)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["train", "--batch-size", "abc"], "got 'abc', expected a whole number"),
        (["train", "--epochs", "1.5"], "got '1.5', expected a whole number"),
        (["train", "--held-out", "x"], "got 'x', expected a number"),
        (["read", "x.png", "--min-confidence", "much"], "got 'much', expected a number"),
    ],
)
def test_options_that_are_no_numbers(arguments, text):
    result = run(*arguments)
    assert result.exit_code == 2
    assert text in " ".join(result.stderr.replace("│", " ").split())
    assert "Input should be" not in result.stderr


def test_lenet_data_names_a_file(tmp_path, monkeypatch):
    (tmp_path / "images.gz").touch()
    monkeypatch.setenv("LENET_DATA", str(tmp_path / "images.gz"))
    with pytest.raises(NotADirectoryError, match=f"images.gz, a file, expected a folder.*LENET_DATA={tmp_path}"):
        fetch.obtain("mnist", download=False)
    assert run("info").exit_code == 2


@pytest.mark.parametrize("threshold", [None, "0.5", [], True, 0, 1, -1, 2, float("1e300")])
def test_a_threshold_that_is_none(model_with_training, threshold):
    with pytest.raises(ValueError, match=r"threshold of .*: got .*, expected a share between 0 and 1"):
        Reader(model_with_training({"threshold": threshold}))


@pytest.mark.parametrize("training", [[1], "text", 3, None])
def test_a_record_that_is_none(model_with_training, training, digit):
    path = model_with_training(training)
    assert Reader(path).threshold == 0.5
    from PIL import Image

    picture = str(Path(path).with_name("digit.png"))
    Image.fromarray(digit[0]).save(picture)
    for command in (["info", path], ["predict", picture, "--model", path], ["read", picture, "--model", path]):
        result = run(*command)
        assert result.exit_code == 0, result.stderr


@pytest.fixture
def model_with_training(model: Path, tmp_path: Path) -> Any:
    def written(training: Any) -> str:
        arrays, meta = serialization.read_model(model)
        path = tmp_path / "changed.safetensors"
        serialization.write_model(path, arrays, meta | {"training": training})
        return str(path)

    return written


def test_what_is_left_out_of_the_install_is_named_as_it_can_be_had(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # type: ignore[arg-type]
    result = run("evaluate", "--report", "r.html")
    assert "Type pip install '.[plots]' in lenet's checkout, or pip install matplotlib" in result.stderr
