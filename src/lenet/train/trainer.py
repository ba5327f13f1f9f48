"""``train``: one call from a recipe's name to a model file. What ``lenet train`` does, the terminal aside.

The order of things: check the request, load the data, run the recipe in small steps, calibrate and measure on the held-out
images, measure once on the test images, write the model. Interrupted, it writes what there is and how to go on.
"""

from __future__ import annotations

import numbers
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NoReturn

from lenet.device import set_num_threads
from lenet.evaluation import Evaluation
from lenet.messages.check import brief, describe, message, positive_int
from lenet.messages.progress import say as say_to_stderr
from lenet.modelfile import serialization
from lenet.train import data as data_sets
from lenet.train import files, record
from lenet.train.budget import checked_seconds, within
from lenet.train.loop import Run
from lenet.train.networks import network_named
from lenet.train.recipes import Recipe, changed, recipe_named
from lenet.train.trained import Score, Trained

__all__ = ["Interrupted", "Result", "State", "train"]

Say = Callable[[str], None]

MOST_SIDE = 512  # pixels of an image's side
LEAST_OF_BEST = 3  # epochs of the recipe "best" that are worth more than the same time of "fast"


class State(NamedTuple):
    """How far a run is: what a progress display shows. Times in seconds, accuracy 0 to 1."""

    epoch: int  # the present one, from 1
    epochs: int
    step: int  # steps done in all
    steps: int
    loss: float  # means over this epoch so far
    accuracy: float
    images_per_second: float
    seconds_left: float
    epoch_ended: bool


class Result(NamedTuple):
    """A finished run. digest: SHA-256 of the weights. held_out: None if the recipe holds nothing out."""

    out: str
    digest: str
    test: Score
    held_out: Score | None
    seconds: float  # of training alone
    images_per_second: float
    record: dict[str, Any]  # what the file's metadata say about the training
    trained: Trained
    evaluation: Evaluation | None  # of the test images; None if there are none

    def as_json(self) -> dict[str, Any]:
        """The result as ``lenet train --json`` prints it."""
        return {
            "model": self.out,
            "weights": self.digest,
            "test": self.test.as_json(),
            "held_out": None if self.held_out is None else self.held_out.as_json(),
            "calibration": self.trained.calibration,
            "seconds": self.seconds,
            "images_per_second": self.images_per_second,
            "training": self.record,
        }


class Interrupted(Exception):
    """The run was asked to stop, and did: the model so far is in ``out``, the state to go on from in ``resume_file``."""

    def __init__(self, out: str, resume_file: str, where: str) -> None:
        super().__init__(
            f"stopped after {where}: the model so far is in {out}, the state to go on from in {resume_file}"
        )
        self.out, self.resume_file = out, resume_file


def train(
    recipe: str | Recipe | None = None,
    dataset: str | os.PathLike[str] | data_sets.Pair | None = None,
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
    begun: Callable[[Run], None] | None = None,
    say: Say = say_to_stderr,
    arrays: dict[str, Any] | None = None,
) -> Result:
    """Train a network by a recipe and write it to ``out``, a model file that describes itself.

    recipe: the name of one of ``RECIPES`` (``"fast"``, or ``"small"`` for images of another size or in colour), or a
    Recipe. dataset: ``"mnist"`` (the default), ``"fashion-mnist"``,
    a folder of class folders, or a pair of ArrayDatasets (train, test). data: the folder of a named data set's four IDX
    files. seed: 0 unless given; the process's random stream is started with it, as by ``lenet.seed``. epochs,
    batch_size, held_out: instead of the recipe's; the latter is the share of the training images kept aside, from 0 to
    0.5. network: instead of the recipe's: ``"lenet"``, ``"vgg_small"``, ``"resnet20"``, ``"resnet32"``, ``"FILE.py:NAME"``,
    or a class or function that makes one, given ``num_classes`` and ``channels`` if it takes them. size, colour: to what a
    folder's images are brought: pixels a side, or (height, width). settings: numbers of the recipe to
    change, such as {"rate": 1e-3, "augment.rotate": 5}. seconds: how long all may take, instead of epochs: as many are
    trained as fit, and where no recipe is named the better one for that time is taken. threads: for this process from now
    on; the weights' bits don't depend on it.

    stop is asked between steps, some hundred times a second: once it says True, the model so far and a state beside it
    are written and ``Interrupted`` is raised. With ``resume``, that run goes on to the very weights of an uninterrupted
    one; what is given then must be what it was begun with. progress is called about as often, and at each epoch's end;
    begun once before them, with the run whose curve grows.
    say gets the lines that a person should read. arrays: how arrays became the images, for the record (``Form.as_json``).

    The held-out images set the temperature (``Trained.calibrate``), by which the file's probabilities are as sure as they
    are right; a recipe that holds none out has none. The test images are looked at once, at the end. ValueError,
    TypeError or FileNotFoundError for a request that makes no sense; RuntimeError if the data are nowhere to be had;
    FloatingPointError if the loss becomes NaN, with the weights before that step in ``out``; OSError if ``out`` cannot be
    written.
    """
    began = time.perf_counter()
    target = files.check_out(out)
    if seconds is not None:
        seconds = checked_seconds(seconds)
        if epochs is not None or resume:
            other = "epochs" if epochs is not None else "resume, which goes on as the run was begun"
            raise ValueError(message("train", f"seconds and {other}", "one of the two"))
    if threads is not None:
        set_num_threads(positive_int("threads", threads))
    wanted = _Wanted(recipe, dataset, data, seed, epochs, batch_size, held_out, network, _size(size), colour or None)
    saved = files.read_resume(target) if resume else None
    if saved is not None:
        wanted = wanted.filled_from(saved[1], files.resume_path(target))
    kind = None if wanted.network is None else network_named(wanted.network)
    usual = "fast" if wanted.size in (None, (28, 28)) and not wanted.colour else "small"
    if settings and saved is not None:
        raise ValueError(message("resume, settings", brief(dict(settings)), "none: those it was begun with stand"))
    chosen = _altered(recipe_named(usual if wanted.recipe is None else wanted.recipe), wanted, settings)
    dataset = "mnist" if wanted.dataset is None else wanted.dataset
    loaded = data_sets.load(dataset, wanted.data, size=wanted.size, colour=bool(wanted.colour))
    start = 0 if wanted.seed is None else wanted.seed
    if seconds is not None:
        some = [(chosen, 1)]
        if wanted.recipe is None and usual == "fast":
            some.insert(0, (_altered(recipe_named("best"), wanted, settings), LEAST_OF_BEST))
        chosen = within(seconds - (time.perf_counter() - began), some, loaded, start, kind)
    run = Run(chosen, loaded, start, kind)
    say(loaded.line)
    say(_plan_line(run))
    replaceable = ""
    if saved is not None:
        replaceable = _go_on(run, *saved, files.resume_path(target), say)
    return _Training(run, target, replaceable, saved is not None, say, arrays).go(stop, progress, begun)


class _Wanted(NamedTuple):
    """What the caller asked for; None where it said nothing."""

    recipe: str | Recipe | None
    dataset: Any
    data: Any
    seed: int | None
    epochs: int | None
    batch_size: int | None
    held_out: float | None
    network: Any = None
    size: tuple[int, int] | None = None
    colour: bool | None = None

    def filled_from(self, about: dict[str, Any], path: str) -> _Wanted:
        """The same with an interrupted run's values where nothing was said; ValueError where it was begun otherwise."""
        try:
            before = Recipe.of_json(about["recipe"])
            dataset, folder, seed = about["dataset"], about["folder"], about["seed"]
            network, size, colour = about.get("network", "lenet"), about.get("size"), about.get("colour")
            size = None if size is None else tuple(size)
        except (KeyError, TypeError):
            raise ValueError(message(path, "a damaged state", "an interrupted run's state")) from None
        same_recipe = self.recipe is None or (
            self.recipe == before.name
            if isinstance(self.recipe, str)
            else self.recipe._replace(epochs=before.epochs, batch_size=before.batch_size, held_out=before.held_out)
            == before
        )
        for option, given, begun, same in (
            ("recipe", getattr(self.recipe, "name", self.recipe), before.name, same_recipe),
            ("seed", self.seed, seed, self.seed in (None, seed)),
            ("epochs", self.epochs, before.epochs, self.epochs in (None, before.epochs)),
            ("batch size", self.batch_size, before.batch_size, self.batch_size in (None, before.batch_size)),
            ("held out", self.held_out, before.held_out, self.held_out in (None, before.held_out)),
            ("network", _name_of(self.network), network, self.network is None or _name_of(self.network) == network),
            ("size", self.size, size, self.size in (None, size)),
            ("colour", self.colour, colour, self.colour in (None, colour)),
        ):
            if not same:
                fix = "Say nothing about it to go on, or leave --resume out to start anew"
                raise ValueError(message(f"resume, {option}", given, f"{begun}, as the run was begun", fix))
        if self.dataset is None and not dataset:
            raise ValueError(message("resume", "a run on arrays in memory", "the same arrays as dataset"))
        return _Wanted(
            before,
            dataset if self.dataset is None else self.dataset,
            folder if self.data is None and self.dataset is None and folder else self.data,
            seed,
            before.epochs,
            before.batch_size,
            before.held_out,
            network if self.network is None else self.network,
            size,
            colour,
        )


def _altered(recipe: Recipe, wanted: _Wanted, settings: Mapping[str, Any] | None) -> Recipe:
    """The recipe with what the caller asked for in place of its own."""
    recipe = recipe._replace(
        epochs=recipe.epochs if wanted.epochs is None else wanted.epochs,
        batch_size=recipe.batch_size if wanted.batch_size is None else wanted.batch_size,
        held_out=recipe.held_out if wanted.held_out is None else _share(wanted.held_out),
    )
    return changed(recipe, settings) if settings else recipe


def _name_of(network: Any) -> str | None:
    return None if network is None else network_named(network).name


def _size(value: Any) -> tuple[int, int] | None:
    """Pixels a side, or height and width, as a pair; TypeError or ValueError for anything else."""
    if value is None:
        return None
    sides = list(value) if isinstance(value, (tuple, list)) else [value, value]
    if len(sides) != 2:
        raise ValueError(message("size", value, "pixels a side, or (height, width)"))
    for side in sides:
        if positive_int("size", side) > MOST_SIDE:
            fix = "This library is for small images: bring yours to some dozens of pixels"
            raise ValueError(message("size", side, f"at most {MOST_SIDE} pixels", fix))
    return sides[0], sides[1]


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(message("held out", describe(value), "a number from 0 to 0.5"))
    share = float(value)
    if not 0 <= share <= 0.5:
        raise ValueError(message("held out", value, "a share from 0 to 0.5", "1/12 of MNIST's are 5,000 images"))
    return share


def _go_on(run: Run, arrays: files.Arrays, about: dict[str, Any], path: str, say: Say) -> str:
    """Set the run up where an interrupted one stopped; returns the digest of the model that it left."""
    if about.get("data") != run.data.source.digest:
        given = f"other images ({run.data.line})"
        raise ValueError(message("resume, dataset", given, "those that the run was begun with"))
    try:
        run.restore(arrays, about["position"])
        replaceable, before = str(about["weights"]), about["machine"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(message(path, f"a damaged state ({error})", "an interrupted run's state")) from None
    say(f"going on after {_where(run)}")
    now = record.machine()
    if isinstance(before, dict) and any(before.get(key) != now[key] for key in ("lenet", "level")):
        then = f"lenet {before.get('lenet')} at CPU level {before.get('level')}"
        say(f"begun with {then}, now lenet {now['lenet']} at {now['level']}: the weights may differ in their last bits")
    return replaceable


def _plan_line(run: Run) -> str:
    now, recipe = record.machine(), run.recipe
    threads = f"{now['threads']} thread{'s' if now['threads'] != 1 else ''}"
    epochs = f"{run.epochs} epoch{'s' if run.epochs != 1 else ''}"
    slow = f"; step by step in Python, because {run.plan_reason}" if run.plan_reason else ""
    which = "" if run.kind.name == "lenet" else f", network {run.kind.name}"
    held = f", {len(run.held):,} held out" if len(run.held) else ""
    return (
        f"recipe {recipe.name}{which}: {epochs} of {len(run.kept):,} images{held}, batches of {run.batch_size},"
        f" seed {run.seed}; {threads}, CPU level {now['level']}{slow}"
    )


def _where(run: Run) -> str:
    return f"epoch {run.epoch + 1}, step {run.step:,} of {run.steps_an_epoch:,}"


class _Training:
    """A run on its way to a file."""

    def __init__(
        self, run: Run, out: str, replaceable: str, resumed: bool, say: Say, arrays: dict[str, Any] | None = None
    ) -> None:
        self.arrays = arrays
        self.run, self.out, self.replaceable, self.resumed, self.say = run, out, replaceable, resumed, say

    def go(
        self,
        stop: Callable[[], bool] | None,
        progress: Callable[[State], None] | None,
        begun: Callable[[Run], None] | None,
    ) -> Result:
        run = self.run
        if begun is not None:
            begun(run)
        images_before, seconds_before = run.images_done, run.seconds
        while not run.done:
            if stop is not None and stop():
                self._interrupted()
            try:
                ended = run.advance()
            except FloatingPointError as error:
                self._store(None, None)
                raise FloatingPointError(f"{error} They are in {self.out}.") from None
            if progress is not None:
                speed = (run.images_done - images_before) / max(run.seconds - seconds_before, 1e-9)
                progress(_state(run, speed, ended))
        trained = run.trained()
        train_part, test_part = run.data.train, run.data.test
        held = None
        if len(run.held):
            held_part = train_part.images[run.held], train_part.labels[run.held]
            self.say(trained.calibrate(*held_part))
            held = trained.score(*held_part)
        else:
            self.say("not calibrated: no images are held out")
        found = trained.evaluate(test_part.images, test_part.labels) if len(test_part.labels) else None
        test = Score(0, 0, 0.0) if found is None else Score(found.images, found.correct, found.loss)
        digest, account = self._store(test, held, trained)
        if self.resumed:
            files.remove_resume(self.out, self.replaceable)
        if test.images and test.accuracy <= 2 / len(run.data.classes):
            self.say("this is hardly better than guessing: are the labels right?")
        speed = account["images_per_second"]
        return Result(self.out, digest, test, held, run.seconds, speed, account, trained, found)

    def _store(
        self, test: Score | None, held: Score | None, trained: Trained | None = None, *, to_go_on: bool = False
    ) -> tuple[str, dict[str, Any]]:
        """Write the model as it is, and the state ``to_go_on`` from; an earlier run's files are moved aside."""
        run = self.run
        account = _account(run, test, held)
        meta = record.model_meta(run.trained() if trained is None else trained, account)
        if self.arrays is not None:
            meta["input"]["arrays"] = self.arrays
        weights = run.weights()
        digest = files.store(
            self.out, weights, meta, self.say, replaceable=self.replaceable, goes_on=self.resumed,
            state=self._state_to_go_on(serialization.digest(weights)) if to_go_on else None,
        )  # fmt: skip
        return digest, account

    def _state_to_go_on(self, digest: str) -> tuple[files.Arrays, dict[str, Any]]:
        run = self.run
        arrays, position = run.state()
        about = {
            "recipe": run.recipe.as_json(),
            "seed": run.seed,
            "dataset": run.data.name,
            "folder": run.data.folder,
            "network": run.kind.name,
            "size": run.data.size,
            "colour": run.shape[0] == 3 or None,
            "data": run.data.source.digest,
            "weights": digest,
            "machine": record.machine(),
            "position": position,
        }
        return arrays, about

    def _interrupted(self) -> NoReturn:
        self._store(None, None, to_go_on=True)
        raise Interrupted(self.out, files.resume_path(self.out), _where(self.run))


def _state(run: Run, speed: float, ended: bool) -> State:
    loss, accuracy = run.epoch_so_far()
    left = (run.epochs * len(run.kept) - run.images_done) / max(speed, 1e-9)
    epoch = run.epoch if ended else run.epoch + 1
    return State(epoch, run.epochs, run.steps_done, run.steps, loss, accuracy, speed, left, ended)


def _account(run: Run, test: Score | None, held: Score | None) -> dict[str, Any]:
    """The record of a run: what it was, on what, how it went."""
    return {
        "recipe": run.recipe.as_json(),
        "network": run.kind.name,
        "seed": run.seed,
        "epochs": run.epochs,
        "batch_size": run.batch_size,
        "steps": run.steps,
        "steps_done": run.steps_done,
        "complete": run.done,
        "images": len(run.kept),
        "seconds": round(run.seconds, 3),
        "images_per_second": round(run.images_done / max(run.seconds, 1e-9), 1),
        "data": record.data_account(run.data),
        "machine": record.machine(),
        "curve": _columns(run.curve),
        "held_out_curve": _columns(run.held_curve),
        "held_out": None if held is None else held.as_json(),
        "test": None if test is None else test.as_json(),
    }


def _columns(points: list[list[float]]) -> dict[str, list[float]]:
    """A curve's points as the record has them, a list for each kind of number."""
    return {
        "steps": [int(step) for step, _, _ in points],
        "loss": [round(loss, 6) for _, loss, _ in points],
        "accuracy": [round(right, 6) for _, _, right in points],
    }
