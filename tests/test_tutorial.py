"""Paddle's MNIST tutorial under real Paddle and under lenet, each in a process of its own behind a terminal of 100 columns.

Compared are shapes and dtypes, the first losses of both ways, and every line that is left on the terminal, with numbers and
times replaced by their format. ``tutorial_steps.py`` is the script; it runs in full under both libraries here, on the first
640 images.
"""

from __future__ import annotations

import difflib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

SCRIPT = Path(__file__).parent / "tutorial_steps.py"
COLUMNS = 100
IMAGES = 640


class Run(NamedTuple):
    """What one library left behind."""

    lines: list[str]
    report: dict[str, Any]
    picture: bytes


def on_a_terminal(command: list[str], errors: Path) -> tuple[int, str]:
    """Exit status and output of a command whose stdout is a terminal of COLUMNS columns; stderr goes to a file."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")} | {"TERM": "xterm"}
    with open(errors, "wb") as file:
        process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=file, env=environment)
    os.close(slave)
    output = bytearray()
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # the other side is gone
            break
        if not piece:
            break
        output += piece
    os.close(master)
    return process.wait(), output.decode()


def left_on_screen(output: str) -> list[str]:
    """The lines as one sees them in the end: what a carriage return or backspaces have overwritten is gone."""
    lines = []
    for line in output.replace("\r\n", "\n").split("\n"):
        lines.append(line.split("\r")[-1].replace("\b", "").rstrip())
    return lines


def form(line: str) -> str:
    """A line with its numbers and times replaced: what must be equal whatever was measured."""
    line = re.sub(r"\d+(us|ms|s)/(step|sample)", r"TIME/\2", line)
    return re.sub(r"(?<![A-Za-z])\d+\.\d+", "NUMBER", line)


@pytest.fixture(scope="module")
def runs(mnist_gz_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    found = {}
    for library in ("lenet", "paddle"):
        folder = tmp_path_factory.mktemp(library)
        report = folder / "report.json"
        command = [sys.executable, "-W", "ignore", str(SCRIPT), library, str(mnist_gz_dir), str(report), str(IMAGES)]
        status, output = on_a_terminal(command, folder / "errors")
        assert status == 0, f"{library}: {(folder / 'errors').read_text()[-3000:]}\n{output[-2000:]}"
        picture = Path(f"{report}.png").read_bytes()
        found[library] = Run(left_on_screen(output), json.loads(report.read_text()), picture)
    return found


def test_every_line_on_the_terminal_has_paddles_form(runs: dict[str, Run]) -> None:
    ours, theirs = ([form(line) for line in runs[library].lines] for library in ("lenet", "paddle"))
    assert ours == theirs, "\n".join(difflib.unified_diff(theirs, ours, "paddle", "lenet", lineterm=""))
    assert sum("loss: NUMBER - acc: NUMBER - TIME/step" in line for line in ours) == 3  # two epochs and an evaluation
    assert "train_data0 label is: [5]" in ours


def test_shapes_dtypes_and_names(runs: dict[str, Run]) -> None:
    ours, theirs = runs["lenet"].report, runs["paddle"].report
    assert ours.keys() == theirs.keys()
    assert len(ours) > 25
    for name, value in theirs.items():
        if "losses" not in name:
            assert ours[name] == value, name


@pytest.mark.parametrize("way", ["way 1", "way 2"])
def test_the_first_five_losses(runs: dict[str, Run], way: str) -> None:
    ours, theirs = (runs[library].report[f"{way}, first losses"] for library in ("lenet", "paddle"))
    assert len(ours) == 5
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=0)  # training is chaotic: five steps stay within this


def test_the_sample_is_plotted_alike(runs: dict[str, Run]) -> None:
    assert runs["lenet"].picture == runs["paddle"].picture
    assert len(runs["lenet"].picture) > 1000


def test_what_is_left_of_a_line() -> None:
    screen = left_on_screen("step 1/3\rstep 2/3 \b\b\rstep 3/3 - done   \r\nnext\n")
    assert screen == ["step 3/3 - done", "next", ""]
    assert form("step 10/10 - loss: 1.7053 - 22ms/step") == "step 10/10 - loss: NUMBER - TIME/step"
    assert form("step 10/10 - loss: 0.1 - 812us/step") == "step 10/10 - loss: NUMBER - TIME/step"
