"""``lr_find``: the loss at rising learning rates, from which the rate to train with can be read off a picture.

Source: Smith 2017, "Cyclical learning rates for training neural networks", section 3.3. Read by users, as
``lenet.train.lr_find``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.jit.plan import TrainingTrouble
from lenet.messages.check import message, positive_int
from lenet.train import data as data_sets
from lenet.train.loop import Run
from lenet.train.networks import network_named
from lenet.train.on_arrays import as_pair, usual_recipe
from lenet.train.recipes import Recipe, recipe_named

__all__ = ["RateSearch", "lr_find"]

_KEPT = 0.95  # how much of the mean loss stays at a step
_RISEN = 3.0  # as many times the lowest mean loss: it ends there


class RateSearch(NamedTuple):
    """The learning rates that were tried, rising, and the mean loss at each: float64 [n]."""

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]

    @property
    def suggestion(self) -> float:
        """The rate at which the loss fell fastest, a common choice for the highest rate of a schedule."""
        skip = max(1, len(self.rates) // 10)  # the mean is still the first steps' there
        end = max(skip + 2, int(self.losses.argmin()) + 1)
        slope = np.gradient(self.losses, np.log(self.rates))
        return float(self.rates[skip + int(slope[skip:end].argmin())])

    def plot(self) -> Any:
        """The losses over the rates, the suggestion marked: a matplotlib Figure, which a notebook shows."""
        from lenet import plots

        return plots.rates(self.rates, self.losses, self.suggestion)

    def __repr__(self) -> str:
        low, high = self.rates[0], self.rates[-1]
        return f"{len(self.rates)} rates from {low:.1e} to {high:.1e}; the loss falls fastest at {self.suggestion:.1e}"


def lr_find(
    x: Any,
    y: Any,
    recipe: str | Recipe | None = None,
    *,
    network: Any = None,
    lowest: float = 1e-6,
    highest: float = 1.0,
    steps: int = 200,
    batch_size: int | None = None,
    seed: int = 0,
) -> RateSearch:
    """Train for ``steps`` steps at rates that rise from ``lowest`` to ``highest``, each by the same factor.

    It ends early once the loss has risen far above its lowest. The network is a new one each time, and nothing is kept of it.
    x, y, recipe, network, batch_size: as ``lenet.train`` takes them. ``.plot()`` draws what is returned.
    """
    if not 0 < lowest < highest:
        raise ValueError(message("lr_find(lowest, highest)", (lowest, highest), "two rising numbers above 0"))
    positive_int("lr_find(steps)", steps, least=10)
    pair, _ = as_pair(x, y, None, None, None)
    chosen = recipe_named(usual_recipe(pair[0]) if recipe is None else recipe)
    size = chosen.batch_size if batch_size is None else positive_int("batch_size", batch_size)
    chosen = chosen._replace(
        epochs=1 + steps * size // max(len(pair[0]), 1), batch_size=size, held_out=0.0, average=0.0
    )
    run = Run(chosen, data_sets.load(pair), seed, None if network is None else network_named(network))
    rates = np.geomspace(lowest, highest, steps)
    losses: list[float] = []
    mean = 0.0
    for step, rate in enumerate(rates):
        try:
            loss = run.step_at(float(rate))
        except TrainingTrouble:
            break
        mean = _KEPT * mean + (1 - _KEPT) * loss
        losses.append(mean / (1 - _KEPT ** (step + 1)))
        if step > 10 and losses[-1] > _RISEN * min(losses):
            break
    return RateSearch(rates[: len(losses)], np.array(losses))
