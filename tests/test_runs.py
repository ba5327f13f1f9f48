"""Histories: what a run's folder holds, while it trains and after, and what ``lenet runs`` makes of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command import run

import lenet
from lenet.modelfile import serialization
from lenet.train import Interrupted, Recipe, Result, Runs, Trained, train
from lenet.train.data import load_test
from lenet.train.loop import Run
from lenet.train.recording import points

ENV = os.environ | {
    "PYTHONPATH": os.pathsep.join([str(Path(lenet.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
}
FILES = ["config.json", "curves.jsonl", "model.safetensors", "report.json"]


pytestmark = pytest.mark.usefixtures("command_line")


def quiet(text: str) -> None:
    pass


@pytest.fixture(scope="module")
def three(small_mnist, tmp_path_factory):
    """A folder with three complete runs of different worth: fast with seeds 0 and 1, and one short epoch of the tutorial."""
    folder = tmp_path_factory.mktemp("three")
    runs, out = Runs(folder / "runs"), folder / "m.safetensors"
    for recipe, seed, epochs in (("fast", 0, 6), ("fast", 1, 6), ("tutorial", 0, 1)):
        runs.train(recipe, data=small_mnist, seed=seed, epochs=epochs, out=out, say=quiet)
    return folder / "runs"


def only(folder: str = "runs") -> Path:
    (path,) = Path(folder).iterdir()
    return path


def halfway(at: int):
    """A ``stop`` that says so at its ``at``-th question."""
    asked = iter(range(1000000))
    return lambda: next(asked) >= at


# ---- a run's folder ------------------------------------------------------------------------------------------------------


def test_lenet_train_leaves_a_folder_with_all_of_it(small_mnist):
    result = run("train", "--data", small_mnist, "--seed", 3, "--epochs", 3)
    assert result.exit_code == 0
    folder = only()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_fast_seed3", folder.name)
    assert sorted(os.listdir(folder)) == FILES
    assert result.stderr.splitlines()[-1] == f"history: {Path('runs', folder.name)}"
    assert (folder / "model.safetensors").read_bytes() == Path("lenet.safetensors").read_bytes()

    training = serialization.read_model("lenet.safetensors")[1]["training"]
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config["asked"] == {"data": str(small_mnist), "seed": 3, "epochs": 3}
    for key in ("recipe", "seed", "steps", "data", "machine"):
        assert config[key] == training[key], key

    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    trained = Trained.load("lenet.safetensors")
    _, test, _ = load_test("mnist", small_mnist)
    assert report["test"] == json.loads(json.dumps(trained.evaluate(test.images, test.labels).as_json()))
    assert report["test"]["correct"] == training["test"]["correct"]
    assert report["held_out"] == training["held_out"]
    assert report["seconds"] == training["seconds"]
    assert report["calibration"] == trained.calibration
    assert report["weights"] == trained.digest


def test_the_curve_is_the_record_s(small_mnist):
    done = Runs().train("fast", data=small_mnist, epochs=3, say=quiet)
    curve, expected = Runs().list()[0].curve(), done.result.record["curve"]
    assert curve.steps == expected["steps"]
    assert curve.loss == expected["loss"]
    assert curve.accuracy == expected["accuracy"]
    assert curve.epochs == [-(-step // 35) for step in curve.steps]  # 2,200 images in batches of 64
    held, expected = Runs().list()[0].held_curve(), done.result.record["held_out_curve"]
    assert (held.steps, held.loss, held.accuracy) == (expected["steps"], expected["loss"], expected["accuracy"])
    assert (held.steps, held.epochs) == ([35, 70, 105], [1, 2, 3])
    assert held.accuracy[-1] == pytest.approx(done.result.held_out.accuracy, abs=1e-6)


def test_points_are_written_while_it_trains(small_mnist):
    seen = []

    def look(_: object) -> None:
        seen.append(points(str(only() / "curves.jsonl")))

    done = Runs().train("fast", data=small_mnist, epochs=2, progress=look, say=quiet)
    steps = [[point["step"] for point in now] for now in seen]
    whole = [16, 32, 35, 51, 67, 70]
    assert steps == [whole[: i + 1] for i in range(6)]
    for key, name in (("step", "steps"), ("loss", "loss"), ("accuracy", "accuracy")):
        assert [point[key] for point in seen[-1]] == done.result.record["curve"][name]


def test_a_killed_run_s_config_says_which_data(small_mnist):
    seen = []
    done = Runs().train(
        "fast", data=small_mnist, epochs=1, progress=lambda _: seen.append(Runs().list()[0].config), say=quiet
    )
    assert seen[0]["data"] == done.result.record["data"]


def test_a_small_data_set_s_epochs_are_one_point_each(small_mnist):
    seen = []
    done = Runs().train(
        "fast", data=small_mnist, epochs=2, batch_size=1100, say=quiet,
        progress=lambda _: seen.append(points(str(only() / "curves.jsonl"))),
    )  # fmt: skip
    assert [point["step"] for point in seen[-1]] == done.result.record["curve"]["steps"] == [2, 4]
    assert [point["loss"] for point in seen[-1]] == pytest.approx(done.result.record["curve"]["loss"], abs=2e-6)


def test_no_run_writes_nothing(small_mnist):
    result = run("train", "--data", small_mnist, "--epochs", 1, "--no-run", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["run"] is None
    assert os.listdir() == ["lenet.safetensors"]


def test_runs_chooses_the_folder_and_json_names_it(small_mnist):
    result = run("train", "--data", small_mnist, "--epochs", 1, "--runs", "a/b", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["run"] == str(only("a/b"))
    assert sorted(os.listdir()) == ["a", "lenet.safetensors"]


def test_two_of_the_same_second_get_a_folder_each(small_mnist, monkeypatch):
    monkeypatch.setattr(time, "strftime", lambda form: "2026-11-24T15:20:31+0100")
    for _ in range(3):
        Runs().train("fast", data=small_mnist, epochs=1, say=quiet)
    name = "2026-11-24_15-20-31_fast_seed0"
    assert sorted(os.listdir("runs")) == [name, f"{name}_2", f"{name}_3"]
    assert [record.name for record in Runs().list()] == [name, f"{name}_2", f"{name}_3"]


def test_a_recipe_s_name_that_is_no_folder_name(small_mnist):
    odd = Recipe("../a b\n", "", epochs=1, batch_size=512, rate=1e-3)
    done = Runs().train(odd, data=small_mnist, say=quiet)
    assert os.path.basename(done.folder).endswith("_..-a-b-_seed0")
    assert Runs().list()[0].recipe == "../a b\n"


def test_the_model_s_bits_do_not_depend_on_it(small_mnist):
    done = Runs().train("fast", data=small_mnist, epochs=1, out="a.safetensors", say=quiet)
    assert done.result.digest == train("fast", data=small_mnist, epochs=1, out="b.safetensors", say=quiet).digest


@pytest.mark.parametrize("arguments", [["--epochs", "0"], ["--recipe", "quick"], ["--data", "nowhere"]])
def test_a_request_that_fails_leaves_no_folder(small_mnist, arguments):
    given = arguments if "--data" in arguments else [*arguments, "--data", small_mnist]
    assert run("train", *given).exit_code == 2
    assert os.listdir() == []


# ---- interrupted, killed, failed -------------------------------------------------------------------------------------------


def test_an_interrupted_run_goes_on_in_its_folder(small_mnist, tmp_path):
    whole = Runs(tmp_path / "whole").train("fast", data=small_mnist, epochs=4, out="w.safetensors", say=quiet)
    with pytest.raises(Interrupted):
        Runs().train("fast", data=small_mnist, epochs=4, stop=halfway(4), say=quiet)
    before = Runs().list()[0]
    assert (before.status, before.report, before.held_out, before.seconds) == ("unfinished, 36 %", None, None, None)
    assert before.curve().steps == [16, 32, 35, 51]
    assert sorted(os.listdir(before.path)) == FILES[:3]
    assert Path(before.path, "model.safetensors").read_bytes() == Path("lenet.safetensors").read_bytes()

    done = Runs().train(resume=True, say=quiet)
    after = only()
    assert str(after) == before.path == done.folder
    assert sorted(os.listdir(after)) == FILES
    assert (after / "curves.jsonl").read_bytes() == Path(whole.folder, "curves.jsonl").read_bytes()
    assert Runs().list()[0].begun == before.begun
    assert Runs().list()[0].config["asked"] == {"recipe": "fast", "data": str(small_mnist), "epochs": 4}


def test_going_on_twice_from_the_same_place_repeats_no_point(small_mnist):
    with pytest.raises(Interrupted):
        Runs().train("fast", data=small_mnist, epochs=4, stop=halfway(4), say=quiet)
    seen = []

    class Killed(BaseException):
        pass

    def kill(state: object) -> None:
        seen.append(points(str(only() / "curves.jsonl")))
        if len(seen) == 4:
            raise Killed

    with pytest.raises(Killed):
        Runs().train(resume=True, progress=kill, say=quiet)
    steps = [[point["step"] for point in now] for now in seen]
    assert steps[0] == [16, 32, 35, 51, 67]
    assert steps[3] == [16, 32, 35, 51, 67, 70, 86, 102]
    seen.clear()
    Runs().train(resume=True, progress=lambda _: seen.append(points(str(only() / "curves.jsonl"))), say=quiet)
    assert [point["step"] for point in seen[0]] == [16, 32, 35, 51, 67]
    assert len(os.listdir("runs")) == 1


def test_going_on_without_the_folder_begins_a_new_one(small_mnist):
    with pytest.raises(Interrupted):
        train("fast", data=small_mnist, epochs=2, seed=5, stop=halfway(2), say=quiet)
    done = Runs().train(resume=True, say=quiet)
    record = Runs().list()[0]
    assert record.path == done.folder
    assert (record.recipe, record.seed, record.epochs, record.status) == ("fast", 5, 2, "complete")
    assert record.curve().steps == done.result.record["curve"]["steps"]


def test_another_model_s_unfinished_run_is_left_alone(small_mnist):
    for out in ("a.safetensors", "b.safetensors"):
        with pytest.raises(Interrupted):
            Runs().train("fast", data=small_mnist, epochs=2, stop=halfway(2), out=out, say=quiet)
    done = Runs().train(out="a.safetensors", resume=True, say=quiet)
    complete = [record.path for record in Runs().list() if record.report is not None]
    assert complete == [done.folder]
    assert Runs().list()[0].path == done.folder


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_killed_run_can_be_read(small_mnist, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "lenet.cli", "train", "--data", str(small_mnist), "--epochs", "200"],
        cwd=tmp_path, env=ENV, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    for line in process.stderr:
        if line.startswith("epoch 20/200"):  # most of it is still to come
            process.kill()
            break
    process.communicate()
    (record,) = Runs().list()
    steps = record.curve().steps
    assert steps[:3] == [16, 32, 35]
    assert 20 * 35 - 19 <= steps[-1] < 200 * 35
    assert record.status == f"unfinished, {100 * steps[-1] // 7000} %"
    assert sorted(os.listdir(record.path)) == FILES[:2]
    shown = run("runs")
    assert shown.exit_code == 0
    assert record.status in shown.stdout


def test_half_a_line_of_a_curve_is_left_out(three, tmp_path):
    folder = tmp_path / "torn"
    folder.mkdir()
    (folder / "curves.jsonl").write_text(
        '{"step": 1, "epoch": 1, "loss": 2.0, "accuracy": 0.5}\n[]\n{"step": 2}\n{"step": 3, "ep', encoding="utf-8"
    )
    assert [point["step"] for point in points(str(folder / "curves.jsonl"))] == [1]


def test_a_nan_leaves_an_unfinished_run_with_the_model_before_it(small_mnist, monkeypatch):
    advance, calls = Run.advance, []

    def ruined(self: Run) -> bool:
        calls.append(0)
        if len(calls) == 3:
            raise FloatingPointError("a loss that is NaN.")
        return advance(self)

    monkeypatch.setattr(Run, "advance", ruined)
    with pytest.raises(FloatingPointError):
        Runs().train("fast", data=small_mnist, say=quiet)
    assert Runs().list()[0].status == "unfinished, 45 %"
    assert (only() / "model.safetensors").read_bytes() == Path("lenet.safetensors").read_bytes()


def test_a_folder_that_can_t_be_written_costs_the_folder_alone(small_mnist, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lenet.train.recording._write", full)
    said = []
    done = Runs().train("fast", data=small_mnist, epochs=1, say=said.append)
    assert isinstance(done.result, Result)
    assert done.folder == ""
    assert len([text for text in said if "history is not complete" in text and "--no-run" in text]) == 1
    assert Path("lenet.safetensors").exists()


def test_a_file_in_the_folder_s_place(small_mnist):
    Path("runs").write_text("", encoding="utf-8")
    result = run("train", "--data", small_mnist)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "runs: got runs, a file, expected a folder for runs. Name another folder: --runs DIR" in result.stderr
    assert os.listdir() == ["runs"]


# ---- the report --------------------------------------------------------------------------------------------------------


def test_report_writes_the_page_into_the_folder(small_mnist):
    pytest.importorskip("matplotlib")
    result = run("train", "--data", small_mnist, "--epochs", 1, "--report")
    assert result.exit_code == 0, result.stderr
    assert sorted(os.listdir(only())) == sorted([*FILES, "report.html"])
    page = (only() / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "<h1>lenet.safetensors: " in page  # the file, whose account of its training is in the page
    assert "fast: 1 epoch, " in page
    assert result.stderr.splitlines()[-1] == f"report written to {only() / 'report.html'}"


def test_report_without_matplotlib_is_refused_before_the_training(small_mnist, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = run("train", "--data", small_mnist, "--report")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "pip install '.[plots]'" in result.stderr
    assert os.listdir() == []


@pytest.mark.parametrize(("options", "text"), [(["--report"], "--report FILE.html"), (["--runs", "r"], "--runs")])
def test_no_run_with_what_needs_one(small_mnist, options, text):
    result = run("train", "--data", small_mnist, "--no-run", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"got --no-run and {options[0]}, expected one of the two" in result.stderr
    assert text in result.stderr
    assert os.listdir() == []


# ---- lenet runs: the list ------------------------------------------------------------------------------------------------


def listed(*arguments: object) -> list[list[str]]:
    """The table's rows, split at two spaces or more."""
    result = run("runs", *arguments)
    assert result.exit_code == 0, result.stderr
    return [re.split(r"\s{2,}", line.strip()) for line in result.stdout.splitlines()[2:]]


def test_the_list_shows_what_the_folders_say(three):
    rows = listed(three)
    records = {record.name: record for record in Runs(three).list()}
    assert len(rows) == 3
    for name, recipe, seed, epochs, accuracy, held, seconds, status in rows:
        record = records[name]
        low, high = (100 * end for end in record.test["interval"])
        assert accuracy == f"{100 * record.test['accuracy']:.2f} % ({low:.2f}–{high:.2f})"
        assert held == ("-" if record.held_out is None else f"{100 * record.held_out:.2f} %")
        assert seconds == f"{record.seconds:.1f}"
        assert (recipe, seed, epochs, status) == (record.recipe, str(record.seed), str(record.epochs), "complete")


def test_sorting(three):
    newest_first = list(reversed(Runs(three).list()))
    by = {
        "accuracy": lambda record: -record.test["accuracy"],
        "loss": lambda record: record.test["loss"],
        "seconds": lambda record: record.seconds,
    }
    for key, value in by.items():
        names = [row[0] for row in listed(three, "--sort", key)]
        assert names == [record.name for record in sorted(newest_first, key=value)], key
    assert [row[0] for row in listed(three)] == [record.name for record in newest_first]
    wrong = run("runs", three, "--sort", "name")
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "expected one of 'date', 'accuracy', 'loss', 'seconds'" in wrong.stderr


def test_unfinished_runs_come_last(three, small_mnist):
    with pytest.raises(Interrupted):
        Runs().train("fast", data=small_mnist, stop=halfway(2), say=quiet)
    Runs().train("tutorial", data=small_mnist, epochs=1, say=quiet)
    assert [row[-1] for row in listed("--sort", "accuracy")] == ["complete", "unfinished, 45 %"]
    assert [row[4:7] for row in listed("--sort", "seconds")][1] == ["-", "-", "-"]


def test_list_as_json(three):
    result = run("runs", three, "--json")
    found = json.loads(result.stdout)
    assert found["folder"] == str(three)
    assert len(found["runs"]) == 3
    newest = Runs(three).list()[-1]
    assert found["runs"][0] == newest.as_json()
    assert found["runs"][0]["report"]["test"]["images"] == 500


def test_an_empty_folder_says_what_to_type():
    result = run("runs")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "no runs in runs: `lenet train` leaves one\n"
    Path("mine").mkdir()
    assert run("runs", "mine").stderr == "no runs in mine: `lenet train --runs mine` leaves one\n"
    assert json.loads(run("runs", "--json").stdout) == {"folder": "runs", "runs": []}


DAMAGED = {
    "foreign": (None, None, "a folder without config.json"),
    "cut": ("{", None, "a damaged file, expected a run's JSON object"),
    "list": ("[]", None, "a damaged file"),
    "bare": ("{}", None, "a damaged run (KeyError: 'begun')"),
    "steps": ('{"begun": "%s", "recipe": {"name": "a", "epochs": 1}, "seed": 0, "steps": 0}', None, "a damaged run"),
    "date": ('{"begun": "today", "recipe": {"name": "a", "epochs": 1}, "seed": 0, "steps": 1}', None, "a damaged run"),
    "recipe": ('{"begun": "%s", "recipe": [], "seed": 0, "steps": 1}', None, "a damaged run"),
    "report": ('{"begun": "%s", "recipe": {"name": "a", "epochs": 1}, "seed": 0, "steps": 1}', "{}", "a damaged run"),
    "score": (
        '{"begun": "%s", "recipe": {"name": "a", "epochs": 1}, "seed": 0, "steps": 1}',
        '{"test": {"accuracy": []}, "held_out": null, "seconds": 1}',
        "a damaged run",
    ),
    "binary": ("\x00\ufffd", None, "a damaged file"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_and_foreign_folders_are_named(three, name):
    config, report, text = DAMAGED[name]
    Path("runs", name).mkdir(parents=True)
    good = Runs(three).list()[0]
    Path("runs", good.name).symlink_to(good.path)
    Path("runs", ".hidden").mkdir()
    Path("runs", "notes.txt").write_text("a file is no folder", encoding="utf-8")
    for file, content in (("config.json", config), ("report.json", report)):
        if content is not None:
            Path("runs", name, file).write_text(content.replace("%s", good.begun), encoding="utf-8")
    result = run("runs")
    assert result.exit_code == 0
    assert good.name in result.stdout
    (line,) = result.stderr.splitlines()
    assert line.startswith("left out: ")
    assert str(Path("runs", name)) in line
    assert text in line
    named = run("runs", name)
    assert (named.exit_code, named.stdout) == (2, "")
    assert text in named.stderr


# ---- lenet runs: side by side, curves --------------------------------------------------------------------------------------


@pytest.fixture
def linked(three):
    Path("runs").symlink_to(three)
    return [record.name for record in Runs().list()]


def test_side_by_side_shows_what_differs(linked):
    result = run("runs", linked[0], "seed1")  # a part of a name will do
    assert result.exit_code == 0, result.stderr
    rows = {re.split(r"\s{2,}", line.strip())[0]: line.split() for line in result.stdout.splitlines()}
    assert rows[linked[0]] == [linked[0], linked[1]]
    assert rows["seed"] == ["seed", "0", "1"]
    assert not [key for key in rows if key.startswith(("recipe", "machine", "data"))]  # alike
    assert rows["status"] == ["status", "complete", "complete"]
    for record, shown in zip(Runs().list(), rows["test loss"][2:], strict=False):
        assert shown == f"{record.test['loss']:.4f}"
    as_json = json.loads(run("runs", linked[0], linked[1], "--json").stdout)
    assert as_json["differ"] == {"seed": [0, 1]}
    assert [found["name"] for found in as_json["runs"]] == linked[:2]


def test_recipes_differ_number_by_number(linked):
    result = run("runs", linked[0], linked[2], "--json")
    differ = json.loads(result.stdout)["differ"]
    assert differ["recipe name"] == ["fast", "tutorial"]
    assert differ["recipe rate"] == [5e-3, 1e-3]
    assert differ["recipe augment shift"][0] == 1
    assert "seed" not in differ
    assert "recipe batch_size" not in differ


def test_one_run_shows_all_its_settings(linked):
    result = run("runs", linked[2])
    assert result.exit_code == 0
    for text in ("recipe rate", "0.001", "machine cpu", "data digest", "test accuracy (95 %)"):
        assert text in result.stdout, text


def test_a_folder_that_happens_to_have_such_a_name_is_no_run(linked):
    Path("seed1").mkdir()
    assert run("runs", linked[0], "seed1").exit_code == 0
    Path("elsewhere").symlink_to(Path("runs", linked[1]))
    assert json.loads(run("runs", linked[0], "elsewhere", "--json").stdout)["differ"] == {"seed": [0, 1]}


def test_the_same_twice(linked):
    result = run("runs", linked[0], linked[0])
    assert result.exit_code == 0
    assert "they were asked for the same" in result.stderr


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nope", "run: got nope, which is not in runs, expected the name of a run"),
        ("fast", "run: got fast, which 2 runs have in their names"),
        ("nowhere/", "runs: got nowhere/, which does not exist, expected a folder of runs"),
    ],
)
def test_names_that_are_no_run(linked, name, text):
    result = run("runs", name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert text in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_curves_as_a_picture(linked):
    pytest.importorskip("matplotlib")
    result = run("runs", linked[0], linked[2], "--curves", "c.svg")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.splitlines()[-1] == "curves: written to c.svg"
    drawn = Path("c.svg").read_text(encoding="utf-8")
    assert "Training of 2 runs" in drawn
    assert "fast seed 0" in drawn
    assert "dots: held-out images" in drawn  # of the one; the tutorial holds nothing out
    assert run("runs", "--curves", "all.png").exit_code == 0
    assert Path("all.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("c.jpg", "expected a name that ends in .png or .svg or .pdf. Type c.png"),
        ("nowhere/c.png", "a folder that exists"),
        ("runs.png", "got the folder runs.png, expected a file name"),
    ],
)
def test_curves_that_can_t_be_written(linked, path, text):
    Path("runs.png").mkdir()
    result = run("runs", "--curves", path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert text in result.stderr


def test_curves_of_nothing():
    result = run("runs", "--curves", "c.png")
    assert result.exit_code == 2
    assert "expected at least one run that has begun" in result.stderr
    assert not Path("c.png").exists()
