"""Several seeds: what is said of them together, which one is kept, and that nothing finished is lost."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
from command import run

import lenet
from lenet.modelfile import serialization
from lenet.train import Result, Runs, Score, train, train_seeds
from lenet.train.seeds import SeedsInterrupted, Spread, median, seed_file

ENV = os.environ | {
    "PYTHONPATH": os.pathsep.join([str(Path(lenet.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
}


pytestmark = pytest.mark.usefixtures("command_line")


def quiet(text: str) -> None:
    pass


def result(test: int, held: int | None) -> Result:
    """A result of so many right of 100."""
    held_out = None if held is None else Score(100, held, 0.0)
    return Result("m.safetensors", "", Score(100, test, 0.0), held_out, 1.0, 1.0, {"seed": 0}, None, None)  # type: ignore[arg-type]


# ---- which one is kept -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "kept"),
    [
        ([(90, 10), (91, 30), (92, 20), (93, 50), (94, 40)], 1),  # by held-out, whatever the test says
        ([(90, None), (99, None), (95, None)], 2),  # by test only where nothing is held out
        ([(0, 20), (0, 10), (0, 40), (0, 30)], 0),  # of an even number the lower middle
        ([(0, 20), (0, 20), (0, 20)], 1),  # equals in their order
        ([(0, 7), (0, 9)], 0),
    ],
)
def test_the_median(scores, kept):
    assert median([result(test, held) for test, held in scores]) == kept


def test_the_test_images_never_choose_where_anything_is_held_out():
    held = [30, 10, 50, 20, 40]
    for tests in ([1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [3, 3, 3, 3, 3]):
        assert median([result(t, h) for t, h in zip(tests, held, strict=True)]) == 0


def test_spread():
    values = [0.991, 0.993, 0.989, 0.9925]
    found = Spread.of(values)
    assert found.mean == pytest.approx(statistics.mean(values), rel=1e-15)
    assert found.sd == pytest.approx(statistics.stdev(values), rel=1e-12)
    assert (found.worst, found.best) == (0.989, 0.993)
    assert Spread.of([0.5]).sd == 0.0


# ---- train_seeds ---------------------------------------------------------------------------------------------------------


def test_each_seed_is_that_of_a_single_run(small_mnist):
    seen, told = [], []
    found = train_seeds(
        3, "fast", data=small_mnist, seed=4, epochs=2, say=told.append, progress=lambda seed, _: seen.append(seed),
    )  # fmt: skip
    singles = [
        train("fast", data=small_mnist, seed=seed, epochs=2, out="one.safetensors", say=quiet) for seed in (4, 5, 6)
    ]
    assert [one.digest for one in found.results] == [one.digest for one in singles]
    assert [one.test for one in found.results] == [one.test for one in singles]
    assert sorted(set(seen)) == [4, 5, 6]
    assert found.test == Spread.of([one.test.accuracy for one in singles])
    assert found.held_out == Spread.of([one.held_out.accuracy for one in singles])
    kept = singles[median(singles)]
    assert found.results[found.kept].out == found.out == "lenet.safetensors"
    tensors, meta = serialization.read_model("lenet.safetensors")
    assert serialization.digest(tensors) == kept.digest
    assert meta["training"]["seed"] == kept.record["seed"]
    assert not [name for name in os.listdir() if ".seed" in name]
    assert [one.out for one in found.results if one is not found.results[found.kept]] == ["", ""]
    assert told.count(f"MNIST from {small_mnist}") == 1


def test_each_seed_has_its_run(small_mnist):
    each = []
    found = train_seeds(
        2, "fast", data=small_mnist, epochs=1, runs=Runs("r"), say=quiet,
        each=lambda done, folder, test: each.append((done.digest, folder, test)),
    )  # fmt: skip
    records = Runs("r").list()
    assert [record.seed for record in records] == [0, 1]
    assert [record.path for record in records] == found.folders == [folder for _, folder, _ in each]
    assert [record.report["weights"] for record in records] == [digest for digest, _, _ in each]
    assert len(each[0][2][0].labels) == 500
    assert each[0][2][1] == f"MNIST from {small_mnist}"
    other = found.results[1 - found.kept]
    assert serialization.digest(serialization.read_model(other.out)[0]) == other.digest  # in its folder


def test_an_earlier_model_is_renamed(small_mnist):
    before = train("tutorial", data=small_mnist, epochs=1, say=quiet).digest
    told = []
    train_seeds(2, "fast", data=small_mnist, epochs=1, say=told.append)
    aside = f"lenet.{before[:8]}.safetensors"
    assert serialization.digest(serialization.read_model(aside)[0]) == before
    assert f"lenet.safetensors was there already: the earlier model is now {aside}" in told


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"seeds": 1}, ValueError, "seeds: got 1, expected a whole number of at least 2"),
        ({"seeds": 2.0}, TypeError, "seeds: got float 2.0"),
        ({"seed": -1}, ValueError, "seed: got -1"),
        ({"out": "m.pt"}, ValueError, "Type m.pt.safetensors"),
    ],
)
def test_bad_requests(small_mnist, options, error, text):
    with pytest.raises(error, match=text):
        train_seeds(**{"data": small_mnist, "epochs": 1, "say": quiet} | options)
    assert os.listdir() == []


def test_stopped_between_two_seeds(small_mnist):
    finished = []
    with pytest.raises(SeedsInterrupted) as caught:
        train_seeds(
            3, "fast", data=small_mnist, epochs=1, say=quiet, stop=lambda: bool(finished),
            each=lambda *about: finished.append(about),
        )  # fmt: skip
    assert caught.value.stopped is None
    assert len(caught.value.done.results) == 1
    assert os.listdir() == [seed_file("lenet.safetensors", 0)]


def test_stopped_in_the_first_seed(small_mnist):
    with pytest.raises(SeedsInterrupted) as caught:
        train_seeds(2, "fast", data=small_mnist, epochs=1, say=quiet, stop=lambda: True)
    assert caught.value.done is None
    assert caught.value.stopped.out == "lenet.seed0.safetensors"
    assert sorted(os.listdir()) == ["lenet.seed0.safetensors", "lenet.seed0.safetensors.resume.safetensors"]


# ---- lenet train --seeds -------------------------------------------------------------------------------------------------


def test_the_command_says_each_and_all(small_mnist):
    done = run("train", "--data", small_mnist, "--seeds", 3, "--epochs", 2)
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == ["seed 0", "seed 1", "seed 2"]
    records = Runs().list()
    accuracies = [100 * record.test["accuracy"] for record in records]
    for line, record, accuracy in zip(lines, records, accuracies, strict=False):
        assert line.startswith(f"seed {record.seed}: test accuracy {accuracy:.2f} % (95 % interval ")
        assert line.endswith(f"; history: {record.path}")
    assert lines[3] == (
        f"test accuracy of 3 seeds: mean {statistics.mean(accuracies):.2f} %, standard deviation"
        f" {statistics.stdev(accuracies):.2f} points, worst {min(accuracies):.2f} %, best {max(accuracies):.2f} %"
    )
    assert lines[4].startswith("held out of 3 seeds: mean ")
    kept = serialization.read_model("lenet.safetensors")[1]["training"]["seed"]
    assert lines[5] == f"kept seed {kept}, the median by held-out accuracy; written to lenet.safetensors"
    assert [line[:9] for line in done.stderr.splitlines() if line.startswith("epoch")] == ["epoch 1/2", "epoch 2/2"] * 3


def test_where_nothing_is_held_out_it_says_what_chose(small_mnist):
    done = run("train", "--data", small_mnist, "--seeds", 2, "--epochs", 1, "--recipe", "tutorial", "--no-run")
    last = done.stdout.splitlines()[-1]
    assert "the median by test accuracy, as nothing is held out: no independent measure of this model" in last
    assert "held out of" not in done.stdout
    assert os.listdir() == ["lenet.safetensors"]


def test_json_has_all(small_mnist):
    done = run("train", "--data", small_mnist, "--seeds", 2, "--seed", 7, "--epochs", 1, "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["complete"] is True
    assert [one["training"]["seed"] for one in found["seeds"]] == [7, 8]
    assert found["kept"] in (7, 8)
    assert found["median_by"] == "held_out"
    assert found["test"]["mean"] == pytest.approx(statistics.mean(one["test"]["accuracy"] for one in found["seeds"]))
    assert {one["run"] for one in found["seeds"]} == {record.path for record in Runs().list()}
    assert [Path(one["model"]).exists() for one in found["seeds"]] == [True, True]


def test_on_a_terminal_each_seed_has_its_bar(small_mnist, monkeypatch):
    titles = []

    class Bar:
        def __init__(self, title, total, **_):
            titles.append((title, total))

        def update(self, done, note):
            pass

        def close(self):
            pass

    monkeypatch.setattr("lenet.cli.train.progress.on_terminal", lambda stream: True)
    monkeypatch.setattr("lenet.cli.train.progress.Progress", Bar)
    assert run("train", "--data", small_mnist, "--seeds", 2, "--epochs", 1).exit_code == 0
    assert titles == [("seed 0", 35), ("seed 1", 35)]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--seeds", 2, "--resume"], "train: got --seeds and --resume, expected one of the two"),
        (["--seeds", 1], "seeds: got 1, expected a whole number of at least 2"),
        (["--seeds", 2, "--out", "m.pt"], "Type m.pt.safetensors"),
    ],
)
def test_the_command_refuses(small_mnist, options, text):
    done = run("train", "--data", small_mnist, *options)
    assert (done.exit_code, done.stdout) == (2, "")
    assert text in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert os.listdir() == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_reports_what_is_done(small_mnist, tmp_path, number, code):
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "lenet.cli", "train", "--data", str(small_mnist), "--seeds", "4",
         "--epochs", "10"],
        cwd=tmp_path, env=ENV, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("seed 1"):
            process.send_signal(number)
            break
    out, text = process.communicate(timeout=60)
    assert process.returncode == code, text
    assert "Traceback" not in text
    (spread, *_) = [line for line in (out.splitlines()) if line.startswith("test accuracy of")]
    assert spread.startswith("test accuracy of 2 seeds: mean ")
    assert "finished: lenet.seed0.safetensors, lenet.seed1.safetensors" in text
    names = os.listdir(tmp_path)
    assert {"lenet.seed0.safetensors", "lenet.seed1.safetensors", "runs"} <= set(names)
    assert "lenet.safetensors" not in names
    if "lenet.seed2.safetensors.resume.safetensors" in names:  # it came in seed 2, not between the two
        assert "go on with that seed: lenet train --resume --out lenet.seed2.safetensors" in text
        again = run("train", "--resume", "--out", "lenet.seed2.safetensors")
        assert again.exit_code == 0
        assert [record.status for record in Runs().list()] == ["complete"] * 3


def test_interrupted_json_says_so(small_mnist, monkeypatch):
    def stopped(*_: object, **__: object) -> None:
        raise SeedsInterrupted(None, None)

    monkeypatch.setattr("lenet.cli.train.train_seeds", stopped)
    done = run("train", "--data", small_mnist, "--seeds", 2, "--json")
    assert json.loads(done.stdout) == {"seeds": [], "complete": False, "kept": None, "model": None}
    assert "stopped between two seeds" in done.stderr
