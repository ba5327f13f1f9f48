"""One progress display for whatever takes long: a rich bar on a terminal, a line that is replaced in a notebook, plain lines
in a log, silence when quick; and ``put``, by which all that is only said leaves the program.

Nothing is shown during the first second; work that is done by then leaves no trace. It knows neither downloads nor
training: callers say how far they are and may add a note. Read by ``data.fetch``, by training and by ``ProgBarLogger``.
"""

from __future__ import annotations

import codecs
import importlib
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from rich.progress import Progress as RichBar
    from rich.progress import TaskID

__all__ = ["PLAIN", "REDRAW_SECONDS", "NotebookLine", "Progress", "Said", "in_notebook", "on_terminal", "put", "say"]

REDRAW_SECONDS = 0.1  # what changes more often nobody can read


PLAIN = "lenet.plain"  # the codecs' name for: what an encoding lacks is written in ASCII, or as ?

_IN_ASCII = {"±": "+/-", "–": "-", "—": "-", "−": "-", "×": "x", "…": "...", "→": "->", "\u00a0": " "}
_IN_ASCII |= {"│": "|", "─": "-", "╭": "+", "╮": "+", "╰": "+", "╯": "+", "‘": "'", "’": "'", "“": '"', "”": '"'}


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_IN_ASCII.get(c, "?") for c in error.object[error.start : error.end]), error.end


codecs.register_error(PLAIN, _in_ascii)


def put(text: str, stream: TextIO | None) -> None:
    """Write what is only said, and flush. It never ends the work: a stream that is closed, full or gone gets nothing, and
    one that lacks a character a plainer one.
    """
    if stream is None:  # Python's own name for one that was closed before it started
        return
    with suppress(OSError, ValueError):
        try:
            stream.write(text)
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, PLAIN).decode(encoding))
        stream.flush()


class Said:
    """A stream whose ``write`` and ``flush`` never fail; all else is the given stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        put(text, self._stream)
        return len(text)

    def writelines(self, lines: Any) -> None:
        self.write("".join(lines))

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def say(text: str) -> None:
    """One line to standard error: what a person should know and a program that reads our output must not meet.

    In a notebook it goes to standard output: no program reads there, and standard error is shown as an alarm.
    """
    put(f"{text}\n", sys.stdout if in_notebook(sys.stderr) else sys.stderr)


def on_terminal(stream: TextIO | None) -> bool:
    """Whether ``stream`` is a terminal that can redraw a line."""
    try:
        return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
    except ValueError:  # it was closed
        return False


def in_notebook(stream: TextIO | None) -> bool:
    """Whether what is written to ``stream`` appears under a notebook's cell, and the cell can replace it."""
    return type(stream).__module__.split(".")[0] == "ipykernel"


class NotebookLine:
    """A line under a notebook's cell that each ``show`` replaces: no control characters, one output in the saved file."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, text: str) -> None:
        """Put ``text`` in place of what was there."""
        data = {"text/plain": text}
        if self._handle is None:
            self._handle = importlib.import_module("IPython.display").DisplayHandle()
            self._handle.display(data, raw=True)
        else:
            self._handle.update(data, raw=True)


class Progress:
    """``with Progress("MNIST", total=11e6, unit="MB", scale=1e6) as bar: bar.update(done, note)``.

    ``total`` and ``done`` are in the caller's unit (bytes, steps); shown they are divided by ``scale`` and followed by
    ``unit``. ``total`` may be None or set later. ``delay`` and ``every`` are seconds: before anything shows, and
    between two lines in a log. ``stream`` is standard error unless given.
    """

    def __init__(
        self,
        title: str,
        total: float | None = None,
        *,
        unit: str = "",
        scale: float = 1.0,
        stream: TextIO | None = None,
        delay: float = 1.0,
        every: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.title, self.total, self.unit, self.scale = title, total, unit, scale
        self._stream = sys.stderr if stream is None else stream
        self._line: NotebookLine | None = None
        self._every = REDRAW_SECONDS if on_terminal(self._stream) or in_notebook(self._stream) else every
        self._clock = clock
        self._began = clock()
        self._next = self._began + delay
        self._bar: RichBar | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def update(self, done: float, note: str = "") -> None:
        """Tell how much is done in all (not since the last call); shows it if it is time to."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + self._every
        if on_terminal(self._stream):
            self._draw(done, note)
        elif in_notebook(self._stream):
            self._line = self._line or NotebookLine()
            self._line.show(self.line(done, note))
        else:
            put(f"{self.line(done, note)}\n", self._stream)

    def line(self, done: float, note: str = "") -> str:
        """The plain line for a log: ``MNIST: 4.2 of 9.9 MB (42%), 7 s left, note``."""
        shown = f"{done / self.scale:.4g}"
        unit = f" {self.unit}" if self.unit else ""
        spent = self._clock() - self._began
        if self.total:
            text = f"{self.title}: {shown} of {self.total / self.scale:.4g}{unit} ({done / self.total:.0%})"
            if done > 0:
                text += f", {max(0.0, spent * (self.total / done - 1)):.0f} s left"
        else:
            text = f"{self.title}: {spent:.0f} s" if self.unit == "s" else f"{self.title}: {shown}{unit}, {spent:.0f} s"
        return f"{text}, {note}" if note else text

    def close(self) -> None:
        """Take the bar off the terminal, and of a notebook's line leave the time it took; what it showed is over."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        if self._line is not None:
            self._line.show(f"{self.title}: {self._clock() - self._began:.0f} s")
            self._line = None

    def _draw(self, done: float, note: str) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as RichBar

            # No refresh thread: it would compete with the training threads for the cores.
            self._bar = RichBar(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TextColumn("{task.fields[shown]}", markup=False),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}", markup=False),
                console=Console(file=cast("TextIO", Said(self._stream))),
                auto_refresh=False,
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(self.title, total=self.total, shown="", note="")
        assert self._task is not None  # set with the bar, above
        total = f" of {self.total / self.scale:.4g}" if self.total else ""
        shown = f"{done / self.scale:.4g}{total} {self.unit}".rstrip()
        self._bar.update(self._task, completed=done, total=self.total, shown=shown, note=note, refresh=True)
