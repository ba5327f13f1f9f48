"""``EMA``: a running average of the weights beside the training, for a better result at no cost (a name of ours).

Late in a training the weights wander about a good place; their average lies nearer to it. Source: Polyak and Juditsky 1992.
The average is kept by the engine's plan where ``fit`` has one, else here in numpy, by the same operations. Read by users
and, for the right moments, by ``runner`` and ``Model``.
"""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lenet.callbacks.base import Callback, Logs
from lenet.messages.check import describe, message

if TYPE_CHECKING:
    from lenet.autograd.tensor import Parameter

__all__ = ["EMA", "kept"]


def kept(decay: float, t: int) -> float:
    """How much of an average stays at update t, from 0: little at first, so that it soon forgets where it began."""
    return min(decay, (1 + t) / (10 + t))


class EMA(Callback):
    """Keeps an exponential moving average of the weights: average = kept * average + (1 - kept) * weights after each update.

    decay: ``kept`` in the long run, from 0 to below 1; at update t, from 0, it is min(decay, (1 + t) / (10 + t)). The
    average begins anew with each ``fit``, at the weights of that moment.

    Evaluations inside ``fit`` use the average, and so does what ``EarlyStopping`` saves as the best model; checkpoints of
    epochs hold the raw weights, to go on from. When ``fit`` has ended, before the callbacks' ``on_train_end``, the network
    holds the average: ``restore()`` gives the raw weights back, ``apply()`` the average again. If ``fit`` ends by an
    exception, the network holds the raw weights. ``fit`` runs as many batches at once as without it.
    ``steps`` counts the updates averaged. At most one EMA a ``fit``.
    """

    def __init__(self, decay: float = 0.999) -> None:
        expected = "a number from 0 to below 1, such as 0.999"
        if isinstance(decay, bool) or not isinstance(decay, numbers.Real):
            raise TypeError(message("EMA(decay)", describe(decay), expected))
        if not 0 <= float(decay) < 1:
            raise ValueError(message("EMA(decay)", decay, expected))
        self.decay: float = float(decay)
        self.steps: int = 0
        self._averages: dict[int, tuple[Parameter, NDArray[np.float32]]] = {}  # by the parameter's id
        self._raw: list[tuple[Parameter, NDArray[np.float32]]] | None = None  # while the average is in the network

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.steps = 0
        self._raw, self._averages = None, {}
        for parameter in self.model.network.parameters():
            self._average_of(parameter)

    def apply(self) -> None:
        """Put the average into the network, if it isn't there; ValueError before the first ``fit``."""
        if not self._averages:
            raise ValueError(message("EMA.apply", "no average yet", "a fit before", "Type model.fit(…, callbacks=ema)"))
        if self._raw is None:
            self._raw = [(p, p.numpy()) for p, _ in self._averages.values()]
            for p, average in self._averages.values():
                p.set_value(average)

    def restore(self) -> None:
        """Put the raw weights back, as they were when the average replaced them; nothing if they are there."""
        for p, value in self._raw or ():
            p.set_value(value)
        self._raw = None

    # ---- what ``Model`` calls ------------------------------------------------------------------------------------------

    def _kept(self, count: int) -> list[float]:
        """How much of the average stays at each of the next ``count`` updates."""
        return [kept(self.decay, t) for t in range(self.steps, self.steps + count)]

    def _join(self, params: list[Parameter], averages: list[NDArray[np.float32]]) -> None:
        """From now on these arrays, which a plan writes to, are the averages of ``params``."""
        for p, array in zip(params, averages, strict=True):
            array[...] = self._average_of(p)
            self._averages[id(p)] = p, array

    def _follow(self) -> None:
        """An update was made eagerly: move the average, as the engine would."""
        share = np.float32(1.0 - self._kept(1)[0])
        for p in self.model.network.parameters():
            average = self._average_of(p)
            average += share * (p.data_array() - average)
        self.steps += 1

    def _average_of(self, parameter: Any) -> NDArray[np.float32]:
        """The parameter's average; one that is new to the network begins with its value."""
        if id(parameter) not in self._averages:
            self._averages[id(parameter)] = parameter, parameter.numpy()
        return self._averages[id(parameter)][1]
