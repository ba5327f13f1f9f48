"""One training run, step by step: a recipe acting on a network and its data, a few steps a call into the engine.

A ``Run`` knows where it is (epoch, step) and what it has seen (the curves); it can be taken down to arrays and plain
JSON between any two calls and set up again to the same bits. It writes no file and shows nothing.
"""

from __future__ import annotations

import copy
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.autograd import random, tape
from lenet.autograd.tensor import dense
from lenet.callbacks.ema import kept
from lenet.data import augment, counter
from lenet.jit import plan
from lenet.jit.plan import TrainingTrouble
from lenet.messages.check import MOST, brief, message, one_line, positive_int
from lenet.modelfile import architecture
from lenet.nn import CrossEntropyLoss
from lenet.nn.initializer import FanIn, fans
from lenet.nn.layer import Layer
from lenet.optimizer import Adam
from lenet.train.data import Data, split
from lenet.train.eager import Eager, moved
from lenet.train.networks import Network, network_named
from lenet.train.recipes import Recipe
from lenet.train.trained import Trained, pixel_table

__all__ = ["MEAN", "STD", "Run"]

_AVERAGE = "average/"  # before a parameter's name in an interrupted run's arrays
SIDE = 28  # of the images that a recipe's shifts are pixels of; of larger ones they are as much larger
MEAN = STD = 127.5  # pixels of 0 to 255 enter as -1 to 1, as in the tutorial
STEPS_AT_ONCE, IMAGES_AT_ONCE = 16, 4096  # a call into the engine, some ten milliseconds: how soon Ctrl-C is heard
POINTS_AN_EPOCH = 64  # of the curves, at most

Arrays = dict[str, NDArray[np.float32]]
Json = dict[str, Any]


class Run:
    """A network in training.

    epoch, step: how many whole epochs, and steps of the present one, are done. curve: ``[steps done, mean loss, share
    right]`` since the entry before, both as measured in training (before each step's update, with smoothing and shifts).
    held_curve: ``[steps done, mean loss, share right]`` of the held-out images after each epoch, as they are and without
    smoothing; empty if none are held out.
    """

    def __init__(self, recipe: Recipe, data: Data, seed: int, network: Network | None = None) -> None:
        """``lenet.seed(seed)``, a new network with an output a class, and its optimizer. Seeds the process's stream.

        network: in place of the recipe's. ValueError for one that doesn't fit the images and classes.
        """
        self.recipe, self.data = recipe, data
        self.seed = positive_int("seed", seed, least=0)
        self.epochs = positive_int("epochs", recipe.epochs)
        self.batch_size = positive_int("batch size", recipe.batch_size)
        if len(data.classes) < 2 or not len(data.train.images):
            given = f"{len(data.train.images)} images of {len(data.classes)} classes"
            raise ValueError(message("dataset", given, "images of at least two classes"))
        self.kept, self.held = split(data.train.labels, recipe.held_out)
        self.steps_an_epoch = -(-len(self.kept) // self.batch_size)
        self.epoch = self.step = 0
        self.seconds = 0.0
        self.curve: list[list[float]] = []
        self.held_curve: list[list[float]] = []
        self._open = [0, 0.0, 0, 0]  # of the next point: steps, sum of losses, right answers, images
        self._epoch_sums = [0, 0.0, 0, 0]
        self._order: NDArray[np.int64] | None = None
        self._lut = pixel_table(MEAN, STD)

        random.seed(seed)
        self.kind = network_named(recipe.network) if network is None else network
        self.shape: tuple[int, int, int] = data.train.images.shape[1:]
        self.network: Layer = self.kind.make(len(data.classes), self.shape[0])
        self._check_fit()
        if recipe.fan_in_start:
            start_from_fan_in(self.network)
        self.network.train()
        self._optimizer = Adam(recipe.rate, beta2=recipe.beta2, parameters=self.network.parameters())
        self._compiled: plan.Compiled | Eager | None = None

    def _check_fit(self) -> None:
        """ValueError unless the network takes such images and has an output a class."""
        x, classes = dense(np.zeros((1, *self.shape), np.float32)), len(self.data.classes)
        self.network.eval()
        try:
            with tape.no_grad():
                given = list(self.network(x).shape)
        except Exception as error:  # a user's forward may fail in any way
            size = " x ".join(map(str, self.shape))
            text = f"network {self.kind.name}: on images of {size}: {error}"
            raise ValueError(one_line(text, MOST)) from None
        if given != [1, classes]:
            fix = "Let it take num_classes" if given[:1] == [1] and len(given) == 2 else ""
            raise ValueError(
                message(f"network {self.kind.name}", f"an output of shape {given}", f"[N, {classes}], one a class", fix)
            )
        architecture.describe(self.network, self.shape)  # a model file could not be written in the end

    @property
    def plan_reason(self) -> str | None:
        """Why the network is trained step by step in Python; None if it isn't."""
        if self._compiled is None:
            self._compiled = self._compile()
        return self._compiled.reason if isinstance(self._compiled, Eager) else None

    @property
    def steps(self) -> int:
        """How many steps the whole run has."""
        return self.epochs * self.steps_an_epoch

    @property
    def steps_done(self) -> int:
        """How many of them are done."""
        return self.epoch * self.steps_an_epoch + self.step

    @property
    def done(self) -> bool:
        """Whether the last step is."""
        return self.epoch >= self.epochs

    @property
    def images_done(self) -> int:
        """How many images have been trained on, each counted once an epoch."""
        return self.epoch * len(self.kept) + min(self.step * self.batch_size, len(self.kept))

    def epoch_so_far(self) -> tuple[float, float]:
        """Mean loss and share of right answers since the (last) epoch began."""
        steps, loss, right, images = self._epoch_sums
        return (loss / steps, right / images) if steps else (0.0, 0.0)

    def advance(self) -> bool:
        """Up to STEPS_AT_ONCE more steps; True if they end an epoch.

        FloatingPointError if a loss or gradient is NaN or infinite: the network is then as before that step.
        """
        began = time.perf_counter()
        if self._compiled is None:
            self._compiled = self._compile()
        if self.step == 0:
            self._epoch_sums = [0, 0.0, 0, 0]
        size, first = self.batch_size, self.step
        count = min(STEPS_AT_ONCE, max(1, IMAGES_AT_ONCE // size), self.steps_an_epoch - first)
        samples = self._epoch_order()[first * size : (first + count) * size]
        counts = [size] * (count - 1) + [len(samples) - size * (count - 1)]
        at = self.steps_done
        rates = [self.recipe.rate_at(at + i, self.steps) for i in range(count)]
        trouble = None
        try:
            losses, logits = self._steps(self._compiled, samples, counts, rates, self._averaging(at, count))
        except TrainingTrouble as error:
            trouble, losses, logits = error, error.losses, error.logits
        self._count(losses, logits.argmax(axis=1) == self.data.train.labels[samples[: len(logits)]], counts)
        self.seconds += time.perf_counter() - began
        if trouble is not None:
            raise FloatingPointError(self._explain(trouble.what, rates[trouble.steps_done])) from None
        if self.step < self.steps_an_epoch:
            return False
        self._close_point()
        self.epoch, self.step, self._order = self.epoch + 1, 0, None
        self._measure_held_out()
        return True

    def step_at(self, rate: float) -> float:
        """One step at this rate, whatever the recipe says; returns its loss. TrainingTrouble as a plan raises it."""
        if self._compiled is None:
            self._compiled = self._compile()
        first = self.step * self.batch_size
        samples = self._epoch_order()[first : first + self.batch_size]
        losses, _ = self._steps(self._compiled, samples, [len(samples)], [rate], None)
        self.step += 1
        if self.step == self.steps_an_epoch:
            self.epoch, self.step, self._order = self.epoch + 1, 0, None
        return float(losses[0])

    def _steps(
        self, steps: plan.Compiled | Eager, samples: NDArray[np.int64], counts: list[int], rates: list[float],
        averaging: list[float] | None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:  # fmt: skip
        """Some updates: the plan moves the images itself where a convolution comes first, else they come to it moved."""
        images, labels, warps = self.data.train.images, self.data.train.labels, self._warps(samples)
        if warps is None or isinstance(steps, Eager) or steps.chain.takes_warps:
            return steps.train(images, self._lut, labels, samples, counts, rates, warps, averaging)
        there = moved(self._lut[images[samples]], warps, float(self._lut[0]))
        places = np.arange(len(samples))
        return steps.train(there, None, labels[samples], places, counts, rates, None, averaging)

    def _measure_held_out(self) -> None:
        """The next point of ``held_curve``. It changes nothing of the training, nor does it count in ``seconds``."""
        if len(self.held):
            part = self.data.train
            found = self.trained().score(part.images[self.held], part.labels[self.held])
            self.held_curve.append([self.steps_done, found.loss, found.accuracy])

    def _compile(self) -> plan.Compiled | Eager:
        x = dense(self._lut[self.data.train.images[:16]])
        loss = CrossEntropyLoss(label_smoothing=self.recipe.smoothing)
        compiled = plan.compile(self.network, loss, self._optimizer, [x])
        steps = compiled if isinstance(compiled, plan.Compiled) else self._eager(loss, compiled)
        if self.recipe.average:
            steps.averages()
        return steps

    def _eager(self, loss: CrossEntropyLoss, why: object) -> Eager:
        return Eager(self.network, loss, self._optimizer, str(why))

    def _averaging(self, at: int, count: int) -> list[float] | None:
        """How much of the average stays at each step, if the recipe keeps one."""
        most = self.recipe.average
        return [kept(most, t) for t in range(at, at + count)] if most else None

    def _epoch_order(self) -> NDArray[np.int64]:
        """The epoch's training samples in their order: indices into all training images."""
        if self._order is None:
            n = len(self.kept)
            if self.recipe.paddle_order:
                order = np.arange(n)
                np.random.RandomState(self.epoch).shuffle(order)
            else:
                order = counter.permutation(self.seed, self.epoch, n)
            self._order = self.kept[order]
        return self._order

    def _warps(self, samples: NDArray[np.int64]) -> NDArray[np.float32] | None:
        height, width = self.shape[1:]
        how = self.recipe.augment
        how = how._replace(shift=how.shift * min(height, width) / SIDE)
        return augment.matrices(how, (height, width), self.seed, self.epoch, samples)

    def _count(self, losses: NDArray[np.float32], right: NDArray[np.bool_], counts: list[int]) -> None:
        self.step += len(losses)
        found = len(losses), float(losses.sum(dtype=np.float64)), int(right.sum()), len(right)
        for sums in (self._open, self._epoch_sums):
            for i, value in enumerate(found):
                sums[i] += value
        if self._open[0] >= self.steps_an_epoch / POINTS_AN_EPOCH:
            self._close_point()

    def _close_point(self) -> None:
        steps, loss, right, images = self._open
        if steps:
            self.curve.append([self.steps_done, loss / steps, right / images])
        self._open = [0, 0.0, 0, 0]

    def _explain(self, what: str, rate: float) -> str:
        where = f"training, epoch {self.epoch + 1}, step {self.step + 1} of {self.steps_an_epoch}"
        fix = (
            f"Likely cause: the learning rate, {rate:.4g}, is too high for batches of {self.batch_size}: take larger"
            " batches (--batch-size) or the recipe 'tutorial'. The weights are as before this step"
        )
        return message(where, f"a {what} that is NaN or infinite", "a finite number", fix)

    def trained(self) -> Trained:
        """The network as it is now, ready to answer; training can go on afterwards."""
        network, weights = copy.deepcopy(self.network), self.weights()
        for name, tensor in network.state_dict().items():
            tensor.set_value(weights[name])
        return Trained(network, self.shape, self.data.classes, MEAN, STD)

    # ---- taking a run down and setting it up again ------------------------------------------------------------------

    def weights(self) -> Arrays:
        """The result by name, not copied: the network's tensors, averaged where the recipe keeps an average."""
        if not self.recipe.average:
            return self._values()
        if self._compiled is None:
            self._compiled = self._compile()
        names = {id(p): name for name, p in self.network.named_parameters()}
        compiled = self._compiled
        params = compiled.params if isinstance(compiled, Eager) else compiled.chain.params
        averaged = {names[id(p)]: average for p, average in zip(params, compiled.averages(), strict=True)}
        return self._values() | averaged

    def _values(self) -> Arrays:
        return {name: tensor.data_array() for name, tensor in self.network.state_dict().items()}

    def state(self) -> tuple[Arrays, Json]:
        """All that the steps to come depend on, and all that the record will say: arrays and JSON."""
        arrays, state = self._values(), self._optimizer.state_dict()
        if self.recipe.average:
            arrays |= {_AVERAGE + name: average for name, average in self.weights().items()}
        for ours, theirs in self._optimizer_names() if self.steps_done else ():  # else it has nothing to say yet
            if theirs in state:
                arrays[ours] = state[theirs].data_array()
        position: Json = {
            "epoch": self.epoch,
            "step": self.step,
            "seconds": self.seconds,
            "curve": self.curve,
            "held_curve": self.held_curve,
            "open": self._open,
            "epoch_sums": self._epoch_sums,
            "random": random.generator().get_state(),
        }
        return arrays, position

    def restore(self, arrays: Arrays, position: Json) -> None:
        """Go to where ``state`` was taken. ValueError or KeyError if it is no state of a run like this one."""
        epoch, step = int(position["epoch"]), int(position["step"])
        if not (0 <= epoch < self.epochs and 0 <= step < self.steps_an_epoch):
            raise ValueError(message("state", f"epoch {epoch}, step {step}", "a place in this run"))
        for name, tensor in self.network.state_dict().items():
            tensor.set_value(arrays[name])
        moments = {theirs: arrays[ours] for ours, theirs in self._optimizer_names() if ours in arrays}
        if moments:
            self._optimizer.set_state_dict(moments)
        self.epoch, self.step, self.seconds = epoch, step, float(position["seconds"])
        self.curve = [_numbers(point, 3) for point in position["curve"]]
        self.held_curve = [_numbers(point, 3) for point in position.get("held_curve", [])]  # earlier versions have none
        self._open, self._epoch_sums = _numbers(position["open"], 4), _numbers(position["epoch_sums"], 4)
        random.generator().set_state(position["random"])
        self._order = self._compiled = None
        if self.recipe.average:
            own = {name for name, _ in self.network.named_parameters()}
            for name, average in self.weights().items():
                if name in own:
                    average[...] = arrays[_AVERAGE + name]

    def _optimizer_names(self) -> list[tuple[str, str]]:
        """The optimizer's arrays: their names in a file (those of ``Model.save``) and in its own state."""
        kinds = [*self._optimizer.state_names, *(f"{name}_pow_acc" for name in self._optimizer.power_names)]
        pairs = [(name, p.name) for name, p in self.network.named_parameters()]
        return [(f"optimizer/{name}/{kind}", f"{own}_{kind}_0") for name, own in pairs for kind in kinds]


def _numbers(value: Any, count: int) -> list[Any]:
    """A list of so many numbers out of a file; ValueError for anything else."""
    if not isinstance(value, list) or len(value) != count or any(type(n) not in (int, float) for n in value):
        raise ValueError(message("state", brief(value), f"{count} numbers"))
    return list(value)


def start_from_fan_in(network: Layer) -> None:
    """Draw every weight and bias anew, from U(+-1/sqrt(fan_in)) with the fan_in of the layer's weight."""
    for layer in network.sublayers(include_self=True):
        weight = layer._parameters.get("weight")
        if weight is not None and len(weight.shape) > 1:  # those of a normalisation start as they are
            fan_in = fans(weight.shape)[0]
            for parameter in layer._parameters.values():
                if parameter is not None:
                    FanIn(fan_in)(parameter)
