"""The command line: what it prints where, its exit codes, and one line for every error."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command import run
from PIL import Image

import lenet
from lenet import _core
from lenet.cli.shared import clean, score_text
from lenet.data import fetch
from lenet.modelfile import serialization
from lenet.train import RECIPES, Recipe, Score

pytestmark = pytest.mark.usefixtures("command_line")


# ---- help --------------------------------------------------------------------------------------------------------------

COMMANDS = [
    "read",
    "predict",
    "train",
    "evaluate",
    "compare",
    "runs",
    "export",
    "show",
    "info",
    "data list",
    "data get",
    "data verify",
    "data where",
]


def test_help_teaches():
    result = run("--help")
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    for part in (
        "lenet read photo.jpg",
        "lenet train --help",
        "130 interrupted",
        "--version",
    ):
        assert part in text, part
    assert result.stdout.isprintable() is False  # it has lines
    assert run().exit_code == 2  # nothing asked: the same help, but as an error
    assert "lenet train" in run().output


def test_help_lists_each_command_once_in_a_group_and_on_one_line():
    lines = run("--help").stdout.splitlines()
    titles = [line.strip("╭─╮ ") for line in lines if line.startswith("╭")]
    assert titles == ["Options", "Read digits", "Train and measure", "Take it elsewhere", "Look around"]
    rows = [line.strip("│").rstrip() for line in lines if line.startswith("│ ") and not line.startswith("│ -")]
    assert [row.split()[0] for row in rows] == [
        "read",
        "predict",
        "train",
        "evaluate",
        "compare",
        "runs",
        "export",
        "show",
        "info",
        "data",
    ]
    assert all(row.endswith(".") for row in rows)  # cut nowhere


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_80_columns_and_names_no_python_types(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = run(*command.split(), "--help").stdout
    assert max(map(len, text.splitlines())) <= 80
    assert not re.search(r"<\w+|list\[|\b(?:bool|str|int|float|TEXT|INTEGER|FLOAT)\b", text)
    assert "{" not in text  # Typer's way to write what is required


@pytest.mark.parametrize("command", COMMANDS)
def test_an_example_is_one_line_to_be_copied(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    after = run(*command.split(), "--help").stdout.split("Examples:")[1].split("╭")[0].strip("\n ")
    for line in after.splitlines():
        assert line.lstrip().startswith("• lenet "), line


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
    result = run(*command.split(), "-h")
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
    assert " %, 500 images); held out " in first
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
    for name in fetch.FILES.values():
        (folder / name).write_bytes((small_mnist / name).read_bytes())
    images = folder / fetch.FILES["train-images"]
    images.write_bytes(images.read_bytes()[:-1])
    result = run("train", "--data", folder)
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert str(images) in result.stderr


def test_no_data_and_no_network_names_the_ways(monkeypatch):
    monkeypatch.setattr(fetch, "places", lambda *_: ())
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
    def pressed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lenet.train.trainer.data_sets.load", pressed)
    result = run("train", "--data", small_mnist)
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "lenet: interrupted\n")


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
    source = fetch.Source("mnist", "MNIST from somewhere", {"train-images": "/x"}, {})
    monkeypatch.setattr(fetch, "find", lambda name: source if name == "mnist" else None)
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
    assert fetch.cache_folder() in text


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


def test_predict_follows_the_records_ground_and_says_where_an_images_differs(digit):
    image, _ = digit
    for name in ("a", "b"):
        Path("mine", name).mkdir(parents=True)
        for number in range(12):
            turned = image if name == "b" else image.T
            Image.fromarray(255 - np.roll(turned, number % 3, axis=0)).save(f"mine/{name}/{number}.png")
    assert run("train", "--dataset", "mine", "--epochs", 20, "--held-out", 0, "--no-run").exit_code == 0
    paths = [f"mine/a/{number}.png" for number in range(3)]
    result = run("predict", *paths, "--json")
    assert result.stderr == ""
    as_trained = json.loads(result.stdout)["results"]
    assert all("light" not in answer for answer in as_trained)
    for path in paths:
        Image.fromarray(255 - np.array(Image.open(path))).save(path)
    result = run("predict", *paths)
    note = "note: 3 of 3 images have a dark border, and the training images had a light one."
    assert f"{note} Invert them if what they show is light on dark\n" == result.stderr


def test_few_images_prove_little():
    """All of four right is no 100 % ± 0: Wilson's interval says so, by the formula of 1927."""
    z, n = 1.959964, 4
    low = (1 + z * z / (2 * n) - z * (z * z / (4 * n * n)) ** 0.5) / (1 + z * z / n)
    score = Score(4, 4, 0.0)
    assert score_text(score) == f"100.00 % (95 % interval {100 * low:.2f} to 100.00 %, 4 images)"
    assert score.as_json()["interval"] == [pytest.approx(low), 1.0]
    assert Score(0, 0, 0.0).interval is None
    assert score_text(Score(0, 0, 0.0)) == "of no images"
