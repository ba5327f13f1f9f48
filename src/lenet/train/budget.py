"""How far a number of seconds goes: the recipe and the epochs that fill them on this machine.

A recipe's speed is measured by a few of its own steps, which are thrown away. Read by ``trainer``.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence

from lenet.messages.check import describe, message
from lenet.train.data import Data
from lenet.train.loop import Run
from lenet.train.networks import Network
from lenet.train.recipes import Recipe

__all__ = ["checked_seconds", "within"]

WARM, MEASURED = 1, 3  # calls into the engine before and during the measurement
ANSWERS = 3.0  # times as many images a second are answered as are trained on, at least
MOST = 1e6  # seconds
WRITING = 0.2  # seconds for what comes after the last image


def checked_seconds(seconds: object) -> float:
    """A time to train in; TypeError or ValueError for anything else."""
    if isinstance(seconds, bool) or not isinstance(seconds, numbers.Real):
        raise TypeError(message("seconds", describe(seconds), "a number of seconds"))
    if not 0 < float(seconds) < MOST:
        raise ValueError(message("seconds", seconds, f"a number of seconds up to {MOST:,.0f}"))
    return float(seconds)


def within(
    seconds: float, recipes: Sequence[tuple[Recipe, int]], data: Data, seed: int, network: Network | None
) -> Recipe:
    """The first of the recipes of which so many epochs fit into the seconds, with as many epochs as fit: one at least.

    The last one is taken whatever fits. seconds: for training, measuring and writing the model.
    """
    for recipe, least in recipes:
        speed, trained_on, answered = _speed(recipe, data, seed, network)
        left = seconds - WRITING - (answered + len(data.test.labels)) / (ANSWERS * speed)
        each = (trained_on + answered / ANSWERS) / speed  # the held-out images are answered after each epoch
        epochs = int(left / each)
        if epochs >= least:
            break
    return recipe._replace(epochs=max(1, epochs))


def _speed(recipe: Recipe, data: Data, seed: int, network: Network | None) -> tuple[float, int, int]:
    """Images a second in training, and how many are trained on and held out."""
    run = Run(recipe, data, seed, network)
    images, began = 0, 0.0
    for call in range(WARM + MEASURED):
        if call == WARM:
            images, began = run.images_done, run.seconds
        if not run.done:
            run.advance()
    if run.seconds == began:  # so few images that the first call was all
        images, began = 0, 0.0
    return (run.images_done - images) / max(run.seconds - began, 1e-6), len(run.kept), len(run.held)
