"""Standard output and error that are closed, full, gone or of another encoding: the work is done all the same."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lenet
from lenet.messages import progress
from lenet.train import Runs

ENV = os.environ | {
    "PYTHONPATH": os.pathsep.join([str(Path(lenet.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
}


def shell(line: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A line for the shell, in which LENET is the command."""
    line = line.replace("LENET", f"'{sys.executable}' -m lenet.cli")
    return subprocess.run(["bash", "-c", line], cwd=cwd, env=ENV | environment, capture_output=True, check=False)


@pytest.mark.parametrize(
    "redirected",
    ["2>&-", "2>/dev/full", "2>&1 | head -1", ">&- 2>&-", ">/dev/full", "--report >&-", "--seeds 2 | head -1"],
)
def test_a_training_ends_with_its_model_whoever_listens(small_mnist, tmp_path, redirected):
    done = shell(f"LENET train --data '{small_mnist}' --epochs 1 {redirected}", tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "lenet.safetensors").exists()
    found = Runs(tmp_path / "runs").list()
    assert found
    assert all(run.status == "complete" for run in found)
    assert b"Traceback" not in done.stderr


def test_what_c_code_says_lands_in_no_file(small_mnist, tmp_path):
    """With standard error closed, the first file that is opened would get its number."""
    script = """
import os, sys
sys.argv[1:] = ["train", "--data", os.environ["DATA"], "--epochs", "1", "--no-run"]
from lenet.cli import main
try:
    main()
finally:
    os.write(2, b"the complaint of a decoder")
"""
    done = shell(f"'{sys.executable}' -c '{script}' 2>&-", tmp_path, DATA=str(small_mnist))
    assert done.returncode == 0
    assert b"complaint" not in (tmp_path / "lenet.safetensors").read_bytes()


@pytest.mark.parametrize("command", ["info", "--help", "train --help", "--version", "info --json"])
def test_a_result_that_cannot_be_written_is_an_error_in_one_line(tmp_path, command):
    done = shell(f"LENET {command} >/dev/full", tmp_path)
    text = "lenet: standard output: got No space left on device, expected a place to write to.\n"
    assert (done.returncode, done.stderr.decode()) == (1, text)
    done = shell(f"LENET {command} >&-", tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    done = shell(f"LENET {command} | true", tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")


def test_json_of_a_training_is_its_result(small_mnist, tmp_path):
    done = shell(f"LENET train --data '{small_mnist}' --epochs 1 --no-run --json >/dev/full", tmp_path)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1].startswith("lenet: standard output: got No space left")
    assert (tmp_path / "lenet.safetensors").exists()


@pytest.mark.parametrize("encoding", ["ascii", "latin1", "cp437"])
def test_every_encoding_is_spoken(small_mnist, tmp_path, encoding):
    for command in (
        f"train --data '{small_mnist}' --epochs 1 --held-out 0.2", "info lenet.safetensors", "train --help", "runs",
        f"evaluate --data '{small_mnist}'", f"show --terminal --count 2 --data '{small_mnist}'",
    ):  # fmt: skip
        done = shell(f"LENET {command}", tmp_path, PYTHONIOENCODING=encoding)
        assert done.returncode == 0, done.stderr
        done.stdout.decode(encoding)
        assert b"Error" not in done.stderr


def test_paths_that_are_no_utf_8(small_mnist, tmp_path):
    inside = os.fsdecode(os.path.join(os.fsencode(tmp_path), b"caf\xe9"))
    os.mkdir(inside)
    asked = f"--data '{small_mnist}' --epochs 1 --out $'m\\xff.safetensors' --runs $'r\\xe9' --report"
    done = shell(f"LENET train {asked}", Path(inside))
    assert done.returncode == 0, done.stderr
    assert os.path.exists(os.path.join(inside, os.fsdecode(b"m\xff.safetensors")))
    (run,) = Runs(os.path.join(inside, os.fsdecode(b"r\xe9"))).list()
    assert run.status == "complete"
    assert run.config["out"].endswith("caf\udce9/m\udcff.safetensors")  # as it is, to be found again by --resume
    done = shell("LENET info $'m\\xff.safetensors' --json", Path(inside))
    assert json.loads(done.stdout)["file"] == "m\udcff.safetensors"
    assert shell("LENET evaluate $'m\\xff.safetensors' --report $'p\\xe9.html'", Path(inside)).returncode == 0


class Broken(io.StringIO):
    """A stream that takes nothing. error: what it raises; None for one that is closed."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__()
        self.error = error
        if error is None:
            self.close()

    def write(self, text: str) -> int:
        if self.error is not None:
            raise self.error
        return super().write(text)

    def isatty(self) -> bool:
        return super().isatty() or self.error is not None


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), BrokenPipeError(), None])
def test_what_is_only_said_never_ends_the_work_of_a_program(monkeypatch, error):
    stream = Broken(error)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("TERM", "xterm")
    progress.say("hello")
    with progress.Progress("work", 3, delay=0) as bar:
        bar.update(1)
        bar.update(2)
    net = lenet.nn.Sequential(lenet.nn.Flatten(), lenet.nn.Linear(784, 10))
    model = lenet.Model(net)
    schedule = lenet.optimizer.lr.StepDecay(0.1, step_size=1, verbose=True)
    model.prepare(lenet.optimizer.SGD(schedule, parameters=net.parameters()), lenet.nn.CrossEntropyLoss())
    data = lenet.io.TensorDataset([lenet.zeros([8, 1, 28, 28]), lenet.zeros([8], dtype="int64")])
    model.fit(data, data, epochs=2, batch_size=4, verbose=1)


def test_no_stream_at_all(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    monkeypatch.setattr(sys, "stdout", None)
    progress.say("hello")
    with progress.Progress("work", 3, delay=0) as bar:
        bar.update(1)


def test_a_plainer_character_where_an_encoding_lacks_one():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "ascii")
    progress.put("99 % ± 1, 28 × 28 …\udce9", stream)
    assert raw.getvalue() == b"99 % +/- 1, 28 x 28 ...?"
