"""One recipe with several seeds: how far apart its results lie, and the median run as the model to keep.

A single run may have been lucky; mean, spread and worst of several say what the recipe is worth. The one to keep is chosen
by the held-out images, never by the test images where anything is held out: its test accuracy stays an honest measure.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from lenet.messages.check import positive_int
from lenet.messages.progress import say as say_to_stderr
from lenet.modelfile import serialization
from lenet.train import files
from lenet.train.data import Pair, Part
from lenet.train.recipes import Recipe
from lenet.train.recording import MODEL
from lenet.train.runs import Runs
from lenet.train.trainer import Interrupted, Result, State, train

__all__ = ["Seeds", "SeedsInterrupted", "Spread", "median", "seed_file", "train_seeds"]


class Spread(NamedTuple):
    """Several runs' accuracies, 0 to 1. sd: the standard deviation of a sample (n - 1); 0 for a single run."""

    mean: float
    sd: float
    worst: float
    best: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        sd = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        return cls(float(np.mean(values)), sd, min(values), max(values))


class Seeds(NamedTuple):
    """Several seeds' runs, in their order. folders: where each was recorded, "" for nowhere.

    Once all are done the median's model stands in ``out``; each result's ``out`` then says where its model is, "" for
    nowhere.
    """

    results: list[Result]
    folders: list[str]
    out: str

    @property
    def by(self) -> str:
        """What the median is by: ``held_out``, or ``test`` where nothing is held out."""
        return "test" if any(result.held_out is None for result in self.results) else "held_out"

    @property
    def kept(self) -> int:
        """The median run's place among the results."""
        return median(self.results)

    @property
    def test(self) -> Spread:
        """Of the accuracies on the test images."""
        return Spread.of([result.test.accuracy for result in self.results])

    @property
    def held_out(self) -> Spread | None:
        """Of the accuracies on the held-out images, if there are any."""
        found = [result.held_out.accuracy for result in self.results if result.held_out is not None]
        return Spread.of(found) if self.by == "held_out" else None

    def as_json(self) -> dict[str, Any]:
        """Every run as ``lenet train --json`` prints it, and what they say together."""
        runs = [
            result.as_json() | {"run": folder or None}
            for result, folder in zip(self.results, self.folders, strict=True)
        ]
        return {
            "model": self.out,
            "kept": self.results[self.kept].record["seed"],
            "median_by": self.by,
            "test": self.test._asdict(),
            "held_out": None if self.held_out is None else self.held_out._asdict(),
            "seeds": runs,
        }


class SeedsInterrupted(Exception):
    """Asked to stop, it did. done: the seeds that were finished, or None; each one's model is in its own file.

    stopped: where the seed stopped that was being trained, or None if it was between two.
    """

    def __init__(self, done: Seeds | None, stopped: Interrupted | None) -> None:
        super().__init__("stopped between two seeds" if stopped is None else str(stopped))
        self.done, self.stopped = done, stopped


def median(results: Sequence[Result]) -> int:
    """The place of the median run: by right answers to the held-out images, by the test images only where none are held out.

    Of an even number the lower of the two in the middle; of equals the earlier seed first.
    """
    held = [result.held_out for result in results]
    scores = [result.test for result in results] if None in held else [score for score in held if score is not None]
    order = sorted(range(len(results)), key=lambda at: scores[at].accuracy)
    return order[(len(order) - 1) // 2]


def seed_file(out: str, seed: int) -> str:
    """Where a seed's model stands until all are done: ``NAME.seed3.safetensors`` for ``NAME.safetensors``."""
    return f"{out[: -len(files.SUFFIX)]}.seed{seed}{files.SUFFIX}"


def train_seeds(
    seeds: int = 5,
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
    runs: Runs | None = None,
    stop: Callable[[], bool] | None = None,
    progress: Callable[[int, State], None] | None = None,
    each: Callable[[Result, str, tuple[Part, str] | None], None] | None = None,
    say: Callable[[str], None] = say_to_stderr,
) -> Seeds:
    """Train the seeds ``seed``, ``seed`` + 1, … (0 unless given; at least 2 of them), and keep the median one as ``out``.

    The arguments not named here are those of ``lenet.train.train``, and so are the errors. runs: where each is recorded;
    None for nowhere. progress gets the seed, too. each is called after each seed: its result, its run's folder or "", and of
    a recorded run the test images with the line that says which they are.

    Until all are done each seed's model stands beside ``out`` as NAME.seed3.safetensors, and there it stays if ``stop`` says
    True and ``SeedsInterrupted`` is raised. An earlier model at ``out`` is renamed, and that is said.
    """
    target, number = files.check_out(out), positive_int("seeds", seeds, least=2)
    first = 0 if seed is None else positive_int("seed", seed, least=0)
    results: list[Result] = []
    folders: list[str] = []
    said: set[str] = set()

    def say_once(text: str) -> None:
        if text not in said:  # the data's line is every seed's
            said.add(text)
            say(text)

    for now in range(first, first + number):
        done = Seeds(results, folders, target) if results else None
        if stop is not None and results and stop():
            raise SeedsInterrupted(done, None)

        def update(state: State, now: int = now) -> None:
            if progress is not None:
                progress(now, state)

        method = train if runs is None else runs.train
        try:
            found = method(
                recipe, dataset, data=data, seed=now, epochs=epochs, batch_size=batch_size, held_out=held_out,
                network=network, size=size, colour=colour, settings=settings, seconds=seconds,
                threads=threads, out=seed_file(target, now), stop=stop, progress=update, say=say_once,
            )  # fmt: skip
        except Interrupted as stopped:
            raise SeedsInterrupted(done, stopped) from None
        result, folder, test = (
            (found, "", None) if isinstance(found, Result) else (found.result, found.folder, found[2:])
        )
        if seconds is not None:  # what fits for the first seed is every seed's
            recipe, epochs, seconds = Recipe.of_json(result.record["recipe"]), result.record["epochs"], None
        results.append(result)
        folders.append(folder)
        if each is not None:
            each(result, folder, test)
    return _keep(Seeds(results, folders, target), say)


def _keep(seeds: Seeds, say: Callable[[str], None]) -> Seeds:
    """The median's file becomes ``out``, as ``train`` would have written it; the others' go."""
    kept = seeds.kept
    files.store(seeds.out, *serialization.read_model(seeds.results[kept].out), say)
    for result in seeds.results:
        with suppress(FileNotFoundError):
            os.unlink(result.out)
    places = [os.path.join(folder, MODEL) if folder else "" for folder in seeds.folders]
    places[kept] = seeds.out
    return seeds._replace(
        results=[result._replace(out=place) for result, place in zip(seeds.results, places, strict=True)]
    )
