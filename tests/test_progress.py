"""The progress display: silent when quick, lines in a log, a bar on a terminal."""

from __future__ import annotations

import io
import sys
import types
from typing import ClassVar

import pytest

from lenet.messages.progress import Progress, in_notebook, on_terminal, say


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(stream: io.StringIO, seconds: list[float], total: float | None = 50.0, note: str = "") -> str:
    """What is shown when updates come at these times, with a tenth of the seconds done in MB."""
    clock = Clock()
    with Progress("MNIST", total and total * 1e6, unit="MB", scale=1e6, stream=stream, clock=clock) as bar:
        for second in seconds:
            clock.now = 100.0 + second
            bar.update(second * 1e6, note)
    return stream.getvalue()


def test_quick_work_is_silent():
    assert run(io.StringIO(), [0.1, 0.5, 0.99]) == ""
    assert run(Terminal(), [0.1, 0.5, 0.99]) == ""


def test_a_log_gets_a_line_after_a_second_and_then_every_ten():
    lines = run(io.StringIO(), [0.5, 1, 2, 10, 11, 12, 25], note="loss 0.31").splitlines()
    assert lines == [
        "MNIST: 1 of 50 MB (2%), 49 s left, loss 0.31",
        "MNIST: 11 of 50 MB (22%), 39 s left, loss 0.31",
        "MNIST: 25 of 50 MB (50%), 25 s left, loss 0.31",
    ]


def test_an_unknown_total():
    assert run(io.StringIO(), [3.5], total=None) == "MNIST: 3.5 MB, 4 s\n"


def test_nothing_done_yet_has_no_time_left():
    clock = Clock()
    bar = Progress("x", 10, clock=clock)
    clock.now += 5
    assert bar.line(0) == "x: 0 of 10 (0%)"


def test_a_terminal_gets_a_bar_that_goes_away(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    shown = run(Terminal(), [1, 2, 25], note="[bold]not markup")
    assert "25 of 50 MB" in shown
    assert "[bold]not markup" in shown
    assert shown.rstrip("\n").endswith("\x1b[2K")  # the last thing done is to clear the line


@pytest.mark.parametrize(
    ("stream", "term", "expected"),
    [(Terminal, "xterm", True), (Terminal, "dumb", False), (io.StringIO, "xterm", False)],
)
def test_what_counts_as_a_terminal(monkeypatch, stream, term, expected):
    monkeypatch.setenv("TERM", term)
    assert on_terminal(stream()) is expected


def test_say_speaks_on_standard_error(capsys):
    say("hello")
    assert capsys.readouterr() == ("", "hello\n")


class Cell(io.StringIO):
    """A notebook's stream, as far as anybody asks."""


Cell.__module__ = "ipykernel.iostream"


class Handle:
    """Stands for IPython's DisplayHandle and keeps all it was given."""

    given: ClassVar[list[tuple[str, str]]] = []

    def display(self, data: dict[str, str], raw: bool) -> None:
        assert raw
        self.given.append(("new", data["text/plain"]))

    def update(self, data: dict[str, str], raw: bool) -> None:
        assert raw
        self.given.append(("replace", data["text/plain"]))


@pytest.fixture
def handle(monkeypatch):
    module = types.ModuleType("IPython.display")
    module.DisplayHandle = Handle
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    monkeypatch.setattr(Handle, "given", [])
    return Handle


def test_a_notebook_has_one_line_that_is_replaced(handle):
    assert run(Cell(), [0.5, 1, 1.05, 2, 25], note="loss 0.31") == ""
    assert handle.given == [
        ("new", "MNIST: 1 of 50 MB (2%), 49 s left, loss 0.31"),
        ("replace", "MNIST: 2 of 50 MB (4%), 48 s left, loss 0.31"),  # 1.05 came too soon after 1
        ("replace", "MNIST: 25 of 50 MB (50%), 25 s left, loss 0.31"),
        ("replace", "MNIST: 25 s"),
    ]


def test_quick_work_is_silent_in_a_notebook_too(handle):
    assert run(Cell(), [0.1, 0.99]) == ""
    assert handle.given == []


def test_what_counts_as_a_notebook():
    assert in_notebook(Cell())
    assert not in_notebook(io.StringIO())
    assert not in_notebook(sys.stderr)


def test_say_raises_no_alarm_in_a_notebook(monkeypatch):
    out, err = Cell(), Cell()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    say("hello")
    assert (out.getvalue(), err.getvalue()) == ("hello\n", "")
