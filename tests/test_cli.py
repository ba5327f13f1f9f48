"""The command line: what it prints where, its exit codes, and one line for every error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import lenet
from lenet import _core, _fetch, _idx, evaluation, serialization
from lenet.cli.app import app
from lenet.cli.evaluate import _table
from lenet.cli.shared import clean
from lenet.train import RECIPES, Recipe, Trained, train

pytestmark = pytest.mark.usefixtures("command_line")


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="lenet")


@pytest.fixture(scope="module")
def model(small_mnist, tmp_path_factory):
    """A model that knows its small test set fairly well."""
    out = tmp_path_factory.mktemp("model") / "digits.safetensors"
    train("fast", data=small_mnist, epochs=8, out=out, say=lambda text: None)
    return out


@pytest.fixture(scope="module")
def digit(model, small_mnist):
    """A test image, uint8 [28, 28], that the model reads right, and its label."""
    files = _fetch.given(small_mnist)
    images, labels = _idx.read_pair(files["test-images"], files["test-labels"])
    shares = Trained.load(model).probabilities(images[:50])
    at = int(np.argmax(shares[np.arange(50), labels[:50]]))
    assert shares[at].argmax() == labels[at]
    return images[at], str(labels[at])


# ---- help --------------------------------------------------------------------------------------------------------------


def test_help_teaches():
    result = run("--help")
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    for part in (
        "lenet train",
        "lenet predict seven.png",
        "lenet evaluate",
        "lenet show",
        "lenet compare",
        "lenet runs",
        "lenet info",
        "130 interrupted",
        "--version",
    ):
        assert part in text, part
    assert result.stdout.isprintable() is False  # it has lines
    assert run().exit_code == 2  # nothing asked: the same help, but as an error
    assert "lenet train" in run().output


OPTIONS = {
    "train": "--dataset --data --recipe --epochs --batch-size --held-out --seed --seeds --threads --out --resume --runs"
    " --no-run --json",
    "evaluate": "MODEL --dataset --data --report --threads --json",
    "predict": "IMAGE --model --json --max-pixels",
    "compare": "MODEL --dataset --data --pictures --threads --json",
    "runs": "DIR --sort --curves --json",
    "show": "DATASET --data --mode --count --augment --counts --seed --out --terminal",
    "info": "FILE --json",
}


@pytest.mark.parametrize("command", OPTIONS)
def test_each_command_explains_its_options_with_examples(command):
    result = run(command, "-h")
    assert result.exit_code == 0
    for option in OPTIONS[command].split():
        assert option in result.stdout
    assert f"lenet {command}" in result.stdout.split("Examples:")[1]


def test_train_s_help_describes_every_recipe():
    text = "".join(c for c in run("train", "--help").stdout if c not in "│\n ")
    for recipe in RECIPES.values():
        assert f"{recipe.name}:{recipe.about}".replace(" ", "") in text


def test_version():
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"lenet {lenet.__version__}\n")


@pytest.mark.parametrize("arguments", [["fly"], ["train", "--epochs", "many"], ["predict"], ["info", "--nothing"]])
def test_wrong_use_is_two(arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


# ---- train -------------------------------------------------------------------------------------------------------------


def test_train_prints_its_result_and_tells_the_rest_aside(small_mnist, tmp_path):
    result = run("train", "--data", small_mnist, "--threads", 1)
    assert result.exit_code == 0
    first, second = result.stdout.splitlines()
    assert first.startswith("test accuracy ")
    assert "(500 images); held out " in first
    assert second.endswith("; written to lenet.safetensors")
    lines = result.stderr.splitlines()
    assert lines[0] == f"MNIST from {small_mnist}"
    assert lines[1].startswith("recipe fast: 2 epochs of 2,200 images, 200 held out, batches of 64, seed 0; 1 thread")
    assert [line.split("  ")[0] for line in lines[2:4]] == ["epoch 1/2", "epoch 2/2"]
    assert "images/s" in lines[2]
    assert lines[4].startswith("calibrated on 200 held-out images: temperature 0.")
    assert lines[5].startswith(f"history: runs{os.sep}")
    assert len(lines) == 6
    assert sorted(os.listdir(tmp_path)) == ["lenet.safetensors", "runs"]


def test_train_json_is_one_object(small_mnist):
    result = run(
        "train", "--data", small_mnist, "--json", "--recipe", "tutorial", "--seed", 7, "--out", "a.safetensors"
    )
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["model"] == "a.safetensors"
    assert found["held_out"] is None
    assert found["calibration"] is None
    assert found["test"]["images"] == 500
    assert found["training"]["recipe"]["name"] == "tutorial"
    assert found["training"]["seed"] == 7
    tensors, meta = serialization.read_model("a.safetensors")
    assert found["weights"] == serialization.digest(tensors)
    assert found["training"] == meta["training"]
    assert "test accuracy" in result.stderr


def test_a_long_run_logs_about_ten_lines(small_mnist):
    result = run("train", "--data", small_mnist, "--epochs", 23, "--batch-size", 2200)
    epochs = [int(line.split("/")[0].split()[1]) for line in result.stderr.splitlines() if line.startswith("epoch")]
    assert epochs == [3, 6, 9, 12, 15, 18, 21, 23]


def test_on_a_terminal_a_bar_makes_way_for_each_line(small_mnist, monkeypatch):
    events = []

    class Bar:
        def __init__(self, title, total, **_):
            events.append(("new", title, total))

        def update(self, done, note):
            events.append(("update", done, note))

        def close(self):
            events.append(("close",))

    monkeypatch.setattr("lenet.cli.train.progress.on_terminal", lambda stream: True)
    monkeypatch.setattr("lenet.cli.train.progress.Progress", Bar)
    result = run("train", "--data", small_mnist)
    assert result.exit_code == 0
    assert events[0] == ("new", "training", 70)
    updates = [event for event in events if event[0] == "update"]
    assert [done for _, done, _ in updates] == [16, 32, 35, 51, 67, 70]
    assert all("loss" in note and "accuracy" in note and "images/s" in note for _, _, note in updates)
    assert events[-1] == ("close",)
    assert [line[:9] for line in result.stderr.splitlines()[2:]] == ["epoch 1/2", "epoch 2/2", "calibrate", "history: "]


def test_train_on_a_folder_with_names_that_play_tricks(digit):
    image, _ = digit
    for name in ("a\x1b[31m", "b"):
        Path("mine", name).mkdir(parents=True)
        for number in range(12):
            turned = image if name == "b" else image.T
            Image.fromarray(np.roll(turned, number % 3, axis=0)).save(f"mine/{name}/{number}.png")
    result = run("train", "--dataset", "mine", "--epochs", 1)
    assert result.exit_code == 0
    shown = run("info", "lenet.safetensors")
    assert "a?[31m, b" in shown.stdout
    assert "\x1b" not in shown.stdout
    measured = run("evaluate", "--json")  # on the same folder: the model says which
    assert json.loads(measured.stdout)["test"]["images"] == 2


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--recipe", "quick"], 2, "recipe: got 'quick', expected one of 'tutorial', 'fast'"),
        (["--dataset", "nowhere"], 2, "dataset: got 'nowhere'"),
        (["--data", "nowhere"], 2, "nowhere without train-images-idx3-ubyte"),
        (["--epochs", "0"], 2, "epochs: got 0"),
        (["--out", "x.pt"], 2, "Type x.pt.safetensors"),
        (["--resume"], 2, "resume: got lenet.safetensors.resume.safetensors, which does not exist"),
    ],
)
def test_train_refuses(small_mnist, arguments, code, text):
    given = arguments if "--data" in arguments or "--dataset" in arguments else [*arguments, "--data", small_mnist]
    result = run("train", *given)
    assert result.exit_code == code
    assert result.stdout == ""
    assert text in result.stderr
    assert "Traceback" not in result.stderr
    assert os.listdir() == []


def test_truncated_data(small_mnist, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    for name in _fetch.FILES.values():
        (folder / name).write_bytes((small_mnist / name).read_bytes())
    images = folder / _fetch.FILES["train-images"]
    images.write_bytes(images.read_bytes()[:-1])
    result = run("train", "--data", folder)
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert str(images) in result.stderr


def test_no_data_and_no_network_names_the_ways(monkeypatch):
    monkeypatch.setattr(_fetch, "places", lambda *_: ())
    result = run("train")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "MNIST is not on this machine" in result.stderr
    for way in ("--data FOLDER", "LENET_DATA", "put these files into", "npm pack"):
        assert way in result.stderr
    assert os.listdir() == []


def test_a_nan_fails_with_one_line(small_mnist, monkeypatch):
    monkeypatch.setitem(RECIPES, "fast", Recipe("fast", "", 3, 64, rate=1e18))
    result = run("train", "--data", small_mnist, "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    last = result.stderr.splitlines()[-1]
    assert last.startswith("lenet: training, epoch ")
    assert "is NaN or infinite" in last
    assert "They are in lenet.safetensors." in last
    assert run("info", "lenet.safetensors").exit_code == 0


def test_a_full_disk(small_mnist, monkeypatch):
    def full(path: str, *_: object) -> None:
        raise OSError(28, f"writing {path}: got a full disk, expected a place to write to. Free some space")

    monkeypatch.setattr(serialization, "write_model", full)
    result = run("train", "--data", small_mnist)
    assert result.exit_code == 1
    assert "lenet: writing lenet.safetensors: got a full disk" in result.stderr.splitlines()[-1]


def test_lenet_debug_shows_where(small_mnist, monkeypatch):
    monkeypatch.setenv("LENET_DEBUG", "1")
    result = run("train", "--data", small_mnist, "--recipe", "quick")
    assert result.exit_code == 2
    assert "Traceback" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("lenet: recipe: got 'quick'")


def test_an_unexpected_error_is_one_line_too(small_mnist, monkeypatch):
    def broken(*_: object) -> None:
        raise KeyError("lost")

    monkeypatch.setattr(serialization, "write_model", broken)
    result = run("train", "--data", small_mnist)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "lenet: 'lost' (this should not happen: LENET_DEBUG=1 shows where)"


def test_ctrl_c_before_training_is_130(small_mnist, monkeypatch):
    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lenet.train.trainer.data_sets.load", pressed)
    result = run("train", "--data", small_mnist)
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "lenet: interrupted\n")


# ---- evaluate ------------------------------------------------------------------------------------------------------------


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
    files = _fetch.given(small_mnist)
    images, labels = _idx.read_pair(files["test-images"], files["test-labels"])
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
    for part, name in _fetch.FILES.items():
        _idx.write(folder / name, images if part.endswith("images") else labels)


def test_evaluate_says_that_a_class_is_missing(model, small_mnist, tmp_path):
    files = _fetch.given(small_mnist)
    images, labels = _idx.read_pair(files["test-images"], files["test-labels"])
    write_data(tmp_path / "d", images[labels != 7], labels[labels != 7])
    result = run("evaluate", model, "--dataset", "mnist", "--data", "d")
    assert result.exit_code == 0
    assert "note: no test image is of class 7" in result.stderr
    row = result.stdout.splitlines()[4 + 7].split()
    assert (row[0], row[-3:]) == ("7", ["-", "-", "0"])
    found = json.loads(run("evaluate", model, "--dataset", "mnist", "--data", "d", "--json").stdout)
    assert found["test"]["recall"][7] is None


def test_evaluate_refuses_other_sizes_and_other_numbers_of_classes(model, small_mnist, tmp_path):
    files = _fetch.given(small_mnist)
    images, labels = _idx.read_pair(files["test-images"], files["test-labels"])
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
    files = _fetch.given(small_mnist)
    images, labels = _idx.read_pair(files["test-images"], files["test-labels"])
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
    files = _fetch.given(small_mnist)
    images, labels = _idx.read_pair(files["test-images"], files["test-labels"])
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
    files = _fetch.given(small_mnist)
    images, labels = _idx.read_pair(files["test-images"], files["test-labels"])
    write_data(tmp_path / "none", images[:0], labels[:0])
    result = run("evaluate", model, "--dataset", "mnist", "--data", "none")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "images" in result.stderr.splitlines()[-1]
    write_data(tmp_path / "unlabelled", images, labels)
    os.unlink(tmp_path / "unlabelled" / _fetch.FILES["test-labels"])
    result = run("evaluate", model, "--dataset", "mnist", "--data", "unlabelled")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"without {_fetch.FILES['test-labels']}" in result.stderr
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
    monkeypatch.setattr(_idx, "read", lambda path, own=_idx.read: read.append(os.path.basename(path)) or own(path))
    assert run("evaluate", model).exit_code == 0
    assert sorted(read) == sorted(_fetch.FILES[part] for part in ("test-images", "test-labels"))


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


# ---- predict -------------------------------------------------------------------------------------------------------------


def drawn(image: np.ndarray) -> dict[str, Image.Image]:
    """The same digit in the forms in which people's files come."""
    large = Image.fromarray(image).resize((112, 112), Image.Resampling.BICUBIC)
    ink = Image.new("RGBA", large.size, (0, 0, 0, 0))
    ink.putalpha(large)
    turned = large.transpose(Image.Transpose.ROTATE_90)  # as a camera held sideways stores it
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn by 90 degrees clockwise to view"
    turned.info["exif"] = exif.tobytes()
    paper = Image.fromarray(255 - np.asarray(large))
    return {
        "plain": Image.fromarray(image),
        "large": large,
        "dark on light": paper,
        "colour": paper.convert("RGB"),
        "palette": paper.convert("P"),
        "sixteen bits": Image.fromarray(np.asarray(large).astype(np.uint16) * 257),
        "transparent": ink,
        "sideways": turned,
    }


def test_predict_reads_a_digit_in_every_form(model, digit):
    image, label = digit
    forms = drawn(image)
    for name, form in forms.items():
        form.save(f"{name}.png", exif=form.info.get("exif", b""))
    result = run("predict", "--model", model, *(f"{name}.png" for name in forms))
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    for name, line in zip(forms, result.stdout.splitlines(), strict=True):
        file, answer = line.split(": ")
        assert file == f"{name}.png"
        assert answer.split("  ")[0] == label, name
        assert answer.endswith(" %")


def test_predict_names_bad_files_and_goes_on(model, digit):
    image, label = digit
    Image.fromarray(image).save("good.png")
    Path("bad.png").write_text("no image")
    Path("folder.png").mkdir()
    result = run("predict", "bad.png", "missing.png", "folder.png", "good.png", "--model", model)
    assert result.exit_code == 1
    assert result.stdout.startswith(f"good.png: {label}  ")
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["bad.png", "missing.png", "folder.png"]

    as_json = run("predict", "bad.png", "good.png", "--model", model, "--json")
    assert as_json.exit_code == 1
    bad, good = json.loads(as_json.stdout)["results"]
    assert set(bad) == {"file", "error"}
    assert good["label"] == label
    assert good["probability"] == max(good["probabilities"].values())
    assert sum(good["probabilities"].values()) == pytest.approx(1, abs=1e-5)  # ten float32


def test_predict_refuses_large_images_unless_told_otherwise(model, digit):
    image, label = digit
    Image.fromarray(image).save("good.png")
    refused = run("predict", "good.png", "--model", model, "--max-pixels", 700)
    assert refused.exit_code == 1
    assert refused.stdout == ""
    assert refused.stderr.startswith("good.png: ")
    assert "784" in refused.stderr
    assert run("predict", "good.png", "--model", model, "--max-pixels", 784).stdout.startswith(f"good.png: {label}")
    assert run("predict", "good.png", "--model", model, "--max-pixels", 0).exit_code == 2


def test_predict_without_a_model(digit):
    Image.fromarray(digit[0]).save("good.png")
    result = run("predict", "good.png")
    assert result.exit_code == 2
    assert "Type `lenet train` first" in result.stderr


# ---- info ----------------------------------------------------------------------------------------------------------------


def test_info_of_the_machine(small_mnist, monkeypatch):
    source = _fetch.Source("mnist", "MNIST from somewhere", {"train-images": "/x"}, {})
    monkeypatch.setattr(_fetch, "find", lambda name: source if name == "mnist" else None)
    found = json.loads(run("info", "--json").stdout)
    assert found["lenet"] == lenet.__version__
    assert found["level"] == _core.level()
    assert _core.level() not in found["other_levels"]
    assert "reference" in [found["level"], *found["other_levels"]]
    assert found["threads"] == lenet.get_num_threads()
    assert found["data"]["mnist"] == {
        "title": "MNIST",
        "found": True,
        "line": "MNIST from somewhere",
        "paths": {"train-images": "/x"},
    }
    assert found["data"]["fashion-mnist"]["found"] is False
    text = run("info").stdout
    assert "MNIST from somewhere" in text
    assert "`lenet train --dataset fashion-mnist` looks for it elsewhere" in text
    assert _fetch.cache_folder() in text


def test_info_of_a_model(model):
    tensors, meta = serialization.read_model(model)
    text = run("info", model).stdout
    for part in (
        "61,706 parameters",
        serialization.digest(tensors),
        "1 x 28 x 28, light on dark",
        "conv1.weight [6, 1, 5, 5]",
        "recipe     fast: 8 epochs of 2,200 images, batches of 64, seed 0",
        "test       accuracy ",
    ):
        assert part in text, part
    found = json.loads(run("info", model, "--json").stdout)
    assert found["weights"] == serialization.digest(tensors)
    assert found["architecture"] == meta["architecture"]
    assert found["training"] == meta["training"]


def test_info_of_other_safetensors_files(model):
    lenet.Model(lenet.LeNet()).save("plain.safetensors")
    text = run("info", "plain.safetensors").stdout
    assert "conv1.weight  float32 [6, 1, 5, 5]" in text
    tensors, meta = serialization.read_model(model)
    serialization.write_model("odd.safetensors", tensors, meta | {"training": "by hand"})
    odd = run("info", "odd.safetensors")
    assert odd.exit_code == 0
    assert "an account that this version of lenet can't read" in odd.stdout
    serialization.write_model("bad.safetensors", tensors, meta | {"architecture": [{"op": "system"}]})
    bad = run("info", "bad.safetensors")
    assert (bad.exit_code, bad.stdout) == (2, "")
    assert run("info", "nowhere.safetensors").exit_code == 2


def test_info_of_an_interrupted_run(model):
    tensors, _ = serialization.read_model(model)
    about = {"recipe": {"name": "fast", "epochs": 2}, "seed": 3, "position": {"epoch": 1, "step": 1000}}
    serialization.write_model("m.resume.safetensors", tensors, {"resume": about})
    text = run("info", "m.resume.safetensors").stdout
    assert "of an interrupted run: recipe fast, seed 3, stopped after epoch 2 of 2, step 1,000" in text


def test_names_out_of_files_cannot_steer_the_terminal():
    assert clean("a\x1b[2Jb\r\nc\u202ed") == "a?[2Jb?\nc?d"


# ---- the program as a whole ------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_memory_and_silence_of_a_whole_run(mnist_dir, tmp_path):
    """``lenet train`` on all of MNIST stays below 250 MB and warns of nothing."""
    # getrusage would count the tests' own memory, which a child inherits as its first peak.
    code = (
        "import sys\nsys.argv[0] = 'lenet'\nfrom lenet.cli import main\n"
        "try:\n main()\nfinally:\n sys.stderr.write(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
    )
    arguments = ["train", "--data", str(mnist_dir), "--epochs", "1", "--json"]
    root = str(Path(lenet.__file__).parents[1])
    env = os.environ | {"PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["test"]["accuracy"] > 0.98
    assert int(done.stderr.splitlines()[-1]) * 1024 < 250 * 1024 * 1024


def test_a_reader_that_goes_away_is_no_error(model, digit, tmp_path):
    Image.fromarray(digit[0]).save("good.png")
    root = str(Path(lenet.__file__).parents[1])
    env = os.environ | {"PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "lenet.cli", "predict", "--model", str(model), "good.png"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, cwd=tmp_path)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1
