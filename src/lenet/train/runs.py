"""Histories: a folder for each training run, written while it trains, and read back to be listed and compared.

A run's folder holds ``config.json`` (what was asked for and what it meant), ``curves.jsonl`` (a line a point, appended in
training, so that even a killed run leaves its curve), ``model.safetensors`` and, written last, ``report.json`` (the results):
a run with one is complete, a run without one is not. ``lenet.train.train`` itself writes no folder: ``Runs.train`` does.
Read by ``lenet train`` and ``lenet runs``.
"""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from lenet.messages.check import message
from lenet.messages.progress import say as say_to_stderr
from lenet.train.data import Pair, Part
from lenet.train.loop import Run
from lenet.train.networks import network_named
from lenet.train.recipes import Recipe
from lenet.train.recording import CONFIG, CURVES, HELD_OUT, REPORT, Recorder, points, tilde
from lenet.train.trainer import Interrupted, Result, State, train

__all__ = ["FOLDER", "Curve", "Recorded", "RunRecord", "Runs"]

FOLDER = "runs"

Json = dict[str, Any]
Say = Callable[[str], None]


class Curve(NamedTuple):
    """How a run went, a value a point: steps done, the epoch (from 1), and loss and share right since the point before."""

    steps: list[int]
    epochs: list[int]
    loss: list[float]
    accuracy: list[float]


class Recorded(NamedTuple):
    """A finished run. folder: "" if it could not be written. test: the images that it was tested on; line: which those are."""

    result: Result
    folder: str
    test: Part
    line: str


@dataclass(frozen=True)
class RunRecord:
    """A run's folder, read. config, report: its two JSON files; report is None while a run is not complete."""

    path: str
    config: Json
    report: Json | None

    @property
    def name(self) -> str:
        """The folder's own name."""
        return os.path.basename(self.path)

    @property
    def begun(self) -> str:
        """Date and time, as ISO 8601 with the offset from UTC."""
        return str(self.config["begun"])

    @property
    def recipe(self) -> str:
        """The recipe's name."""
        return str(self.config["recipe"]["name"])

    @property
    def seed(self) -> int:
        """Its seed."""
        return int(self.config["seed"])

    @property
    def epochs(self) -> int:
        """How many epochs it has, or was to have."""
        return int(self.config["recipe"]["epochs"])

    @property
    def test(self) -> Json | None:
        """``Evaluation.as_json()`` of the test images; None if there were none or the run is not complete."""
        return None if self.report is None else self.report["test"]

    @property
    def held_out(self) -> float | None:
        """The accuracy on the held-out images, if there were any."""
        found = None if self.report is None else self.report["held_out"]
        return None if found is None else float(found["accuracy"])

    @property
    def seconds(self) -> float | None:
        """Of training alone; None if the run is not complete."""
        return None if self.report is None else float(self.report["seconds"])

    @property
    def status(self) -> str:
        """``complete``, or how far it is: ``unfinished, 40 %``. A run that is training right now is unfinished too."""
        if self.report is not None:
            return "complete"
        steps = self.curve().steps
        return f"unfinished, {math.floor(100 * (steps[-1] if steps else 0) / self.config['steps'])} %"

    def curve(self) -> Curve:
        """Its points so far. Lines that are no points, such as the last one of a killed run, are left out."""
        found = points(os.path.join(self.path, CURVES))
        return Curve(*([point[key] for point in found] for key in ("step", "epoch", "loss", "accuracy")))

    def held_curve(self) -> Curve:
        """The held-out images' loss and share right after each epoch; empty without such images, and for old runs."""
        found = [point for point in points(os.path.join(self.path, CURVES)) if all(key in point for key in HELD_OUT)]
        return Curve(*([point[key] for point in found] for key in ("step", "epoch", *HELD_OUT)))

    def as_json(self) -> Json:
        """All that is known of it by name, the curve aside."""
        return {
            "name": self.name,
            "path": self.path,
            "status": self.status,
            "config": self.config,
            "report": self.report,
        }


_Records = list[RunRecord]  # within Runs, list is a method
_Lines = list[str]


class Runs:
    """The runs in one folder. It is made with the first run."""

    def __init__(self, folder: str | os.PathLike[str] = FOLDER) -> None:
        """NotADirectoryError if ``folder`` is something else."""
        self.folder = os.fspath(folder)
        if os.path.exists(self.folder) and not os.path.isdir(self.folder):
            given = f"{self.folder}, a file"
            fix = "Name another folder: --runs DIR"
            raise NotADirectoryError(errno.ENOTDIR, message("runs", given, "a folder for runs", fix))

    # ---- reading --------------------------------------------------------------------------------------------------------

    def list(self) -> _Records:
        """Every run that can be read, the oldest first."""
        return self.scan()[0]

    def scan(self) -> tuple[_Records, _Lines]:
        """Every run, the oldest first, and a line for each folder among them that is none."""
        found: _Records = []
        strange: _Lines = []
        names = sorted(os.listdir(self.folder)) if os.path.isdir(self.folder) else []
        for path in (os.path.join(self.folder, name) for name in names if not name.startswith(".")):
            if os.path.isdir(path):
                try:
                    found.append(read(path))
                except (OSError, ValueError) as error:
                    strange.append(str(error))
        return sorted(found, key=lambda run: (_moment(run.begun), run.name)), strange

    def find(self, name: str) -> RunRecord:
        """The run of that name, of that path, or whose name alone holds that text.

        FileNotFoundError if there is none, ValueError if there are several or its folder can't be read.
        """
        inside = os.path.join(self.folder, name)
        if os.path.isdir(inside):
            return read(inside)
        if os.path.exists(os.path.join(name, CONFIG)):
            return read(name)
        alike = [run for run in self.list() if name in run.name]
        if len(alike) == 1:
            return alike[0]
        if alike:
            given = f"{name}, which {len(alike)} runs have in their names: {', '.join(run.name for run in alike[:5])}"
            raise ValueError(message("run", given, "the name of one"))
        fix = "Type lenet runs for a list"
        given = f"{name}, which is not in {self.folder}"
        raise FileNotFoundError(errno.ENOENT, message("run", given, "the name of a run, or a part of it", fix))

    def _begun(self, out: str, about: Json) -> tuple[str, Json] | None:
        """The folder and config of the run whose interrupted state says ``about``: the latest unfinished one like it."""
        wanted = tilde(os.path.abspath(out)), _plain(about["recipe"]), about["seed"]
        for run in reversed(self.list()):
            found = run.config.get("out"), _plain(run.config["recipe"]), run.seed
            if run.report is None and found == wanted:
                return run.path, run.config
        return None

    # ---- writing --------------------------------------------------------------------------------------------------------

    def train(
        self,
        recipe: str | Recipe | None = None,
        dataset: str | os.PathLike[str] | Pair | None = None,
        *,
        data: str | os.PathLike[str] | None = None,
        seed: int | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        held_out: float | None = None,
        network: Any = None,
        size: Any = None,
        colour: bool = False,
        settings: Mapping[str, Any] | None = None,
        seconds: float | None = None,
        threads: int | None = None,
        out: str | os.PathLike[str] = "lenet.safetensors",
        resume: bool = False,
        stop: Callable[[], bool] | None = None,
        progress: Callable[[State], None] | None = None,
        say: Say = say_to_stderr,
    ) -> Recorded:
        """``lenet.train.train`` with the same arguments and errors, recorded in a folder of its own.

        With ``resume`` the run goes on in the folder in which it was begun. A folder that can't be written is said once and
        costs no more than the folder: the training goes on.
        """
        asked = {
            "recipe": recipe.name if isinstance(recipe, Recipe) else recipe,
            "dataset": "" if isinstance(dataset, tuple) else dataset and tilde(dataset),
            "data": data and tilde(data),
            "seed": seed,
            "epochs": epochs,
            "batch_size": batch_size,
            "held_out": held_out,
            "network": None if network is None else network_named(network).name,
            "size": size,
            "colour": colour or None,
            "settings": dict(settings) if settings else None,
            "seconds": seconds,
            "threads": threads,
        }
        kept = {key: value for key, value in asked.items() if value is not None}
        target = os.fspath(out)
        earlier = (lambda about: self._begun(target, about)) if resume else None
        recorder = Recorder(self.folder, kept, target, earlier, say)
        found: Run | None = None

        def begun(run: Run) -> None:
            nonlocal found
            found = run
            recorder.begun(run)

        def update(state: State) -> None:
            recorder.update()
            if progress is not None:
                progress(state)

        try:
            result = train(
                recipe, dataset, data=data, seed=seed, epochs=epochs, batch_size=batch_size, held_out=held_out,
                network=network, size=size, colour=colour, settings=settings, seconds=seconds, threads=threads, out=out,
                resume=resume, stop=stop, progress=update, begun=begun, say=say,
            )  # fmt: skip
        except (Interrupted, FloatingPointError):
            recorder.keep_model()
            raise
        finally:
            recorder.close()
        recorder.finish(result)
        assert found is not None  # train called begun
        return Recorded(result, recorder.path, found.data.test, found.data.line)


def read(path: str) -> RunRecord:
    """A run's folder. ValueError saying what is wrong with it if it is none."""
    expected = "a run's folder"
    if not os.path.exists(os.path.join(path, CONFIG)):
        raise ValueError(message(path, f"a folder without {CONFIG}", expected))
    config = _object(os.path.join(path, CONFIG))
    reported = os.path.join(path, REPORT)
    run = RunRecord(path, config, _object(reported) if os.path.exists(reported) else None)
    try:
        _ = _moment(run.begun), run.recipe, run.seed, run.epochs, run.held_out, run.seconds
        steps = config["steps"]
        if type(steps) is not int or not 1 <= steps < 1 << 50:
            raise ValueError("steps")
        if run.test is not None:
            low, high = run.test["interval"]
            _ = [float(number) for number in (run.test["accuracy"], run.test["loss"], run.test["ece"], low, high)]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(message(path, f"a damaged run ({type(error).__name__}: {error})", expected)) from None
    return run


def _object(path: str) -> Json:
    """A file's JSON object; ValueError if it holds anything else."""
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ValueError(message(path, "a damaged file", "a run's JSON object"))
    return found


def _moment(begun: str) -> float:
    """Seconds since 1970; ValueError for text that is no date."""
    from datetime import datetime

    return datetime.strptime(begun, "%Y-%m-%dT%H:%M:%S%z").timestamp()


def _plain(value: Any) -> str:
    """Equal for two values that are the same JSON."""
    return json.dumps(value, sort_keys=True)
