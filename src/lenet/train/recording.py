"""Writing a run's folder while it trains: the folder's files, and the recorder that follows a run.

Read by ``runs``, which says what the files are and reads them back. Whatever goes wrong here costs the folder, never the run.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO

from lenet.disk.write import atomic_write, sweep
from lenet.messages.check import without_home
from lenet.train.loop import Run
from lenet.train.record import data_account, machine
from lenet.train.trainer import Result

__all__ = ["CONFIG", "CURVES", "HELD_OUT", "MODEL", "REPORT", "Recorder", "points", "tilde"]

CONFIG, CURVES, MODEL, REPORT = "config.json", "curves.jsonl", "model.safetensors", "report.json"
HELD_OUT = "held_out_loss", "held_out_accuracy"  # what the last point of an epoch has besides

Json = dict[str, Any]
Say = Callable[[str], None]


class Recorder:
    """One run on its way into a folder, which is made when training has begun: a request that fails leaves none.

    path: the folder, "" as long as there is none.
    """

    def __init__(
        self,
        folder: str,
        asked: Json,
        out: str,
        earlier: Callable[[Json], tuple[str, Json] | None] | None,
        say: Say,
    ) -> None:
        """folder: of all runs. asked: what the caller said. earlier: for a run that goes on, where it was begun."""
        self._folder, self._asked, self._out, self._earlier = folder, asked, out, earlier
        self._say = say
        self.path = ""
        self._config: Json = {}
        self._lines: TextIO | None = None
        self._given_up = False
        self._run: Run | None = None
        self._written = 0  # points of its curve

    def begun(self, run: Run) -> None:
        """This is the run. Its folder comes with its first steps."""
        self._run, self._written = run, 0

    def update(self) -> None:
        """Write down how far the run is."""
        self._try(self._update)

    def keep_model(self) -> None:
        """Copy the model that stands at ``out``: the run ended early."""
        if self.path:
            self._try(lambda: _copy(self._out, os.path.join(self.path, MODEL)))

    def finish(self, result: Result) -> None:
        """The run is complete."""
        if self.path:
            self._try(lambda: self._finish(result))
        if self._given_up:
            self.path = ""

    def close(self) -> None:
        """Close the curve's file."""
        if self._lines is not None:
            with suppress(OSError):
                self._lines.close()
            self._lines = None

    def _try(self, act: Callable[[], None]) -> None:
        if self._given_up:
            return
        try:
            act()
        except (OSError, ValueError) as error:
            self._given_up = True
            self.close()
            self._say(f"this run's history is not complete ({error}). --runs DIR names another folder, --no-run none")

    def _update(self) -> None:
        if self._lines is None:
            self._begin()
        if self._lines is not None and self._run is not None:
            held = {int(step): (loss, right) for step, loss, right in self._run.held_curve}
            for step, loss, right in self._run.curve[self._written :]:
                self._lines.write(self._as_line(step, loss, right, held.get(int(step))))
            self._lines.flush()  # to the system: from there it is safe when the process is killed
            self._written = len(self._run.curve)

    def _begin(self) -> None:
        assert self._run is not None  # begun comes before any state
        found = None if self._earlier is None else self._earlier(_plain(self._run))
        if found is None:
            self._config = self._new_config(self._run)
            self.path = self._new_folder(self._config)
            _write(os.path.join(self.path, CONFIG), _text(self._config))
        else:
            self.path, self._config = found
        # anew: this run may have gone on from here before and been killed, and those steps come again
        self._lines = open(os.path.join(self.path, CURVES), "w", encoding="utf-8")  # noqa: SIM115  close() closes it

    def _new_config(self, run: Run) -> Json:
        return {
            "begun": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "asked": self._asked,
            "recipe": run.recipe.as_json(),
            "seed": run.seed,
            "steps": run.steps,
            "out": tilde(os.path.abspath(self._out)),
            "data": data_account(run.data),
            "machine": machine(),
        }

    def _new_folder(self, config: Json) -> str:
        begun = config["begun"][:19].replace("T", "_").replace(":", "-")
        plain = "".join(c if c.isalnum() or c in "-." else "-" for c in config["recipe"]["name"])[:40]
        name = f"{begun}_{plain}_seed{config['seed']}"
        os.makedirs(self._folder, exist_ok=True)
        _sweep(self._folder)
        number, path = 1, os.path.join(self._folder, name)
        while True:
            try:
                os.mkdir(path)
                return path
            except FileExistsError:  # begun in the same second
                number += 1
                path = os.path.join(self._folder, f"{name}_{number}")

    def _finish(self, result: Result) -> None:
        account, test = result.record, result.evaluation
        report = {
            "weights": result.digest,
            "seconds": account["seconds"],
            "images_per_second": account["images_per_second"],
            "held_out": account["held_out"],
            "calibration": result.trained.calibration,
            "test": None if test is None else test.as_json(),
        }
        _copy(self._out, os.path.join(self.path, MODEL))
        _write(os.path.join(self.path, REPORT), _text(report))

    def _as_line(self, step: float, loss: float, accuracy: float, held: tuple[float, float] | None) -> str:
        assert self._run is not None
        epoch = -(-int(step) // self._run.steps_an_epoch)  # an epoch's last step still belongs to it
        point = {"step": int(step), "epoch": epoch, "loss": round(loss, 6), "accuracy": round(accuracy, 6)}
        if held is not None:
            point |= {key: round(value, 6) for key, value in zip(HELD_OUT, held, strict=True)}
        return json.dumps(point) + "\n"


def _plain(run: Run) -> Json:
    """What tells an unfinished run from others, as its config says it."""
    return {"recipe": run.recipe.as_json(), "seed": run.seed}


# ---- files -------------------------------------------------------------------------------------------------------------


def points(path: str) -> list[Json]:
    """The lines of a curve that are points; none if there is no file. A killed process may leave half a line."""
    found = []
    with suppress(FileNotFoundError), open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            with suppress(ValueError, RecursionError):
                point = json.loads(line)
                keys = ("step", "epoch", "loss", "accuracy")
                whole = isinstance(point, dict) and all(_is_number(point.get(key)) for key in keys)
                if whole and all(_is_number(point[key]) for key in HELD_OUT if key in point):
                    found.append(point)
    return found


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e15  # NaN is none


def tilde(path: str | os.PathLike[str]) -> str:
    """A path as it is stored: without the home folder's name."""
    return without_home(os.fspath(path))


def _text(content: Json) -> str:
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    try:
        text.encode()
    except UnicodeEncodeError:  # a path that is no UTF-8: JSON has a way to write it that every reader understands
        return json.dumps(content, indent=2) + "\n"
    return text


def _write(path: str, text: str) -> None:
    """Whole or not at all if the process is killed; without the wait for the disk that a model is worth."""
    atomic_write(path, text.encode(), synced=False)


def _copy(source: str, target: str) -> None:
    with open(source, "rb") as file:
        atomic_write(target, file.read(), synced=False)


def _sweep(folder: str) -> None:
    """Remove what killed runs left half-written in their folders."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                sweep(entry.path)
