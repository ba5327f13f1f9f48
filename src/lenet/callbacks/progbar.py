"""``ProgBarLogger``: what ``fit``, ``evaluate`` and ``predict`` print, in Paddle's form, to standard output.

On a terminal that is Paddle's output to the byte; under a notebook's cell the bar is one line that is replaced (in a kernel
that can't, redrawn with ``\\r`` alone); anywhere else (a file, a pipe) there are plain lines and no control characters. What
happens when is decided in ``Model``, not here.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from lenet.callbacks.base import Callback, Logs, tell
from lenet.messages.check import message, positive_int
from lenet.messages.progress import REDRAW_SECONDS, NotebookLine, in_notebook, on_terminal, put

__all__ = ["ProgBarLogger"]

_WIDTH = 30  # characters between the bar's brackets, on a terminal of 80 columns or more


def _per_step(seconds: float) -> str:
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/step"
    return f"{seconds * 1e3:.0f}ms/step" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us/step"


def _time_left(seconds: float) -> str:
    s = int(seconds)
    if s > 3600:
        return f"{s // 3600}:{s % 3600 // 60:02}:{s % 60:02}"
    return f"{s // 60}:{s % 60:02}" if s > 60 else f"{s}s"


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind == "f":
        value = value.item()
    if isinstance(value, (float, np.float32)):
        return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"
    return str(value)


def _listed(values: Iterable[tuple[str, Any]]) -> str:
    pairs = ((name, value if isinstance(value, list) else [value]) for name, value in values)
    return "".join(f" - {name}: " + " ".join(_shown(v) for v in value) for name, value in pairs)


class _Bar:
    """The display of one pass over ``total`` batches (None: unknown). verbose=1 draws a bar, 2 and 3 write lines."""

    def __init__(self, total: int | None, verbose: int) -> None:
        import shutil

        self._total = total
        notebook = in_notebook(sys.stdout)
        self._drawn = verbose == 1 and (notebook or on_terminal(sys.stdout))
        self._line = NotebookLine() if self._drawn and notebook else None
        self._next_redraw = 0.0  # of a notebook's line
        self._sparse = verbose == 1 and not self._drawn and total is not None
        self._tenths = 0
        self._last_width = 0
        self._start = time.perf_counter()
        columns = shutil.get_terminal_size().columns
        self._width = max(0, min(_WIDTH, int(columns * 0.6), columns - 50))

    def update(self, step: int, values: list[tuple[str, Any]]) -> None:
        """Show that ``step`` batches are done."""
        per_step = (time.perf_counter() - self._start) / step if step else 0.0
        if self._drawn:
            self._draw(step, values, per_step)
            return
        if self._sparse:
            # A bar in a log: a line for every tenth of the way is enough.
            tenths = 10 * step // self._total  # type: ignore[operator]
            if tenths == self._tenths:
                return
            self._tenths = tenths
        put(f"{self._count(step)}{_listed(values)} - {_per_step(per_step)}\n", sys.stdout)

    def _count(self, step: int) -> str:
        return f"step {step:3}" if self._total is None else f"step {step:{len(str(self._total))}}/{self._total}"

    def _draw(self, step: int, values: list[tuple[str, Any]], per_step: float) -> None:
        total, text = self._total, self._count(step)
        if total is not None:
            full = int(self._width * (step / total))
            head = "=" * (full - 1) + (">" if step < total else "=") if full else ""
            text += f" [{head}{'.' * (self._width - full)}]"
        text += _listed(values)
        if total is not None and step < total:
            text += f" - ETA: {_time_left(per_step * (total - step))}"
        text += f" - {_per_step(per_step)}"
        if self._line is not None:
            now = time.perf_counter()
            if now >= self._next_redraw or total is None or step >= total:
                self._next_redraw = now + REDRAW_SECONDS
                self._line.show(text)
            return
        back = "\b" * self._last_width
        end = "\n" if total is None or step >= total else ""
        put(f"{back}\r{text:{self._last_width}}{end}", sys.stdout)
        self._last_width = len(text)


class _Pass:
    """One epoch, evaluation or prediction as it goes on: batches and samples done, and where the time went."""

    def __init__(self, steps: int | None, metrics: list[str], verbose: int) -> None:
        self.steps = steps
        self.step = self.samples = 0
        self._metrics = metrics
        self._verbose = verbose
        self._bar = _Bar(steps, verbose)
        self._forget()
        self._mark = time.perf_counter()

    def _forget(self) -> None:
        self._reading = self._computing = 0.0
        self._batches = self._new_samples = 0

    def begin(self) -> None:
        now = time.perf_counter()
        self._reading += now - self._mark
        self._mark = now

    def end(self, samples: int) -> None:
        now = time.perf_counter()
        self._computing += now - self._mark
        self._mark = now
        self.step += 1
        self.samples += samples
        self._batches += 1
        self._new_samples += samples

    def show(self, logs: Logs) -> None:
        values = [(name, logs[name]) for name in self._metrics if name in logs]
        if self._verbose == 3:
            batches, seconds = max(self._batches, 1), self._reading + self._computing
            values += [
                ("avg_reader_cost", f"{self._reading / batches:.5f} sec"),
                ("avg_batch_cost", f"{self._computing / batches:.5f} sec"),
                ("ips", f"{self._new_samples / seconds if seconds else 0.0:.5f} samples/sec"),
            ]
            self._forget()
        self._bar.update(self.step, values)


class ProgBarLogger(Callback):
    """Prints loss and metrics every ``log_freq`` batches and at the end of each epoch.

    verbose: 0 prints nothing, 1 draws a bar, 2 writes a line each time, 3 adds the time for reading and for computing a
    batch. ``fit``, ``evaluate`` and ``predict`` add one by themselves unless verbose is 0.
    """

    def __init__(self, log_freq: int = 1, verbose: int = 2) -> None:
        self.log_freq = positive_int("ProgBarLogger(log_freq)", log_freq)
        if verbose not in (0, 1, 2, 3):
            raise ValueError(
                message("verbose", repr(verbose), "0 (silent), 1 (a bar), 2 (lines) or 3 (lines with times)")
            )
        self.verbose = int(verbose)
        self._passes: dict[str, _Pass] = {}

    def _start(self, mode: str, steps: int | None, metrics: list[str]) -> None:
        self._passes[mode] = _Pass(steps, metrics, self.verbose)

    def _batch_end(self, mode: str, logs: Logs | None) -> None:
        now = self._passes[mode]
        now.end((logs or {}).get("batch_size", 1))
        if self.verbose and now.step % self.log_freq == 0 and (now.steps is None or now.step < now.steps):
            now.show(logs or {})

    def on_train_begin(self, logs: Logs | None = None) -> None:
        if self.verbose:
            tell(
                "The loss value printed in the log is the current step, and the metric is the average value of previous steps."
            )

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        epochs = self.params.get("epochs")
        if self.verbose and epochs:
            tell(f"Epoch {epoch + 1}/{epochs}")
        self._start("train", self.params.get("steps"), self.params.get("metrics", []))

    def on_train_batch_begin(self, step: int, logs: Logs | None = None) -> None:
        self._passes["train"].begin()

    def on_train_batch_end(self, step: int, logs: Logs | None = None) -> None:
        self._batch_end("train", logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        now = self._passes["train"]
        if self.verbose and now.steps is not None:
            now.show(logs or {})

    def on_eval_begin(self, logs: Logs | None = None) -> None:
        if self.verbose:
            tell("Eval begin...")
        self._start("eval", (logs or {}).get("steps"), (logs or {}).get("metrics", []))

    def on_eval_batch_begin(self, step: int, logs: Logs | None = None) -> None:
        self._passes["eval"].begin()

    def on_eval_batch_end(self, step: int, logs: Logs | None = None) -> None:
        self._batch_end("eval", logs)

    def on_eval_end(self, logs: Logs | None = None) -> None:
        now = self._passes["eval"]
        if self.verbose and now.steps is not None:
            now.show(logs or {})
            tell(f"Eval samples: {now.samples}")

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        if self.verbose:
            tell("Predict begin...")
        self._start("predict", (logs or {}).get("steps"), [])

    def on_predict_batch_begin(self, step: int, logs: Logs | None = None) -> None:
        self._passes["predict"].begin()

    def on_predict_batch_end(self, step: int, logs: Logs | None = None) -> None:
        self._batch_end("predict", logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        now = self._passes["predict"]
        if self.verbose:
            if now.step % self.log_freq != 0 or self.verbose == 1:
                now.show(logs or {})
            tell(f"Predict samples: {now.samples}")
