"""Ctrl-C, SIGTERM and SIGHUP to ``lenet train``: it saves, says how to go on, and going on gives the bits of an unbroken run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import lenet
from lenet.cli.signals import Signals, Terminated
from lenet.modelfile import serialization
from lenet.train import train

SENT = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
EPOCHS = 40
ENV = os.environ | {
    "PYTHONPATH": os.pathsep.join([str(Path(lenet.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
}


def heard() -> None:
    """All signals do what they usually do: a test run in the background ignores SIGINT, one under nohup SIGHUP."""
    for number, _ in SENT:
        signal.signal(number, signal.SIG_DFL)


def start(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "lenet.cli", "train", *arguments],
        cwd=cwd,
        env=ENV,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heard,
    )


@pytest.fixture(scope="module")
def unbroken(small_mnist, tmp_path_factory):
    out = tmp_path_factory.mktemp("unbroken") / "m.safetensors"
    return train("fast", data=small_mnist, epochs=EPOCHS, out=out, say=lambda text: None).digest


@pytest.mark.parametrize(("number", "code"), SENT)
def test_a_signal_in_mid_epoch(small_mnist, tmp_path, unbroken, number, code):
    process = start("--data", str(small_mnist), "--epochs", str(EPOCHS), "--out", "m.safetensors", cwd=tmp_path)
    lines = []
    for line in process.stderr:
        lines.append(line)
        if line.startswith("epoch"):  # the first progress line: most of the run is still to come
            process.send_signal(number)
            process.send_signal(number)  # as a wrapper does that passes on what the terminal sent to both
            break
    out, rest = process.communicate(timeout=60)
    text = "".join(lines) + rest
    assert process.returncode == code, text
    assert out == ""
    assert "go on with: lenet train --resume --out m.safetensors" in text
    assert "Traceback" not in text
    training = serialization.read_model(tmp_path / "m.safetensors")[1]["training"]
    assert training["complete"] is False
    assert 0 < training["steps_done"] < training["steps"]

    again = start("--resume", "--json", "--out", "m.safetensors", cwd=tmp_path)
    out, text = again.communicate(timeout=60)
    assert again.returncode == 0, text
    result = json.loads(out)
    assert result["weights"] == unbroken
    assert sorted(os.listdir(tmp_path)) == ["m.safetensors", "runs"]
    assert len(os.listdir(tmp_path / "runs")) == 1  # it went on in the folder in which it was begun


@pytest.fixture
def default_handlers():
    """As in a terminal: a test run in the background starts with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("default_handlers")
@pytest.mark.parametrize(("number", "kind"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_before_the_first_step_a_signal_ends_the_program_at_once(number, kind):
    with pytest.raises(kind), Signals():
        os.kill(os.getpid(), number)


@pytest.mark.usefixtures("default_handlers")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_steps_are_made_a_signal_is_kept_for_the_next_question(number):
    other = {signal.SIGINT: signal.SIGTERM, signal.SIGTERM: signal.SIGINT}[number]
    before = signal.getsignal(signal.SIGTERM)
    with Signals() as signals:
        assert signals.stop() is False
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), other)
        assert signals.stop() is True
        assert signals.caught == number  # the first one says how the program ends
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.usefixtures("default_handlers")
def test_an_ignored_signal_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGINT)
        assert signals.stop() is False
