"""How a ``fit`` went: loss above, metrics below, over the epochs; training data solid, evaluation data dashed.

And the loss at rising learning rates. Read by ``History.plot`` and ``RateSearch.plot``, and by users through ``lenet.plots``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from lenet.messages.check import message
from lenet.plots import _style
from lenet.plots._style import BLUE, GREEN, INK, ORANGE, PINK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["history", "rates"]

WIDE = 5.0  # inches, as the other charts
EVALUATED = "eval_"


def history(values: Mapping[str, Sequence[float | None]]) -> Figure:
    """One line for each name, over the epochs from 1; names that begin with eval_ dashed, in their partner's colour.

    values: numbers by name, all of one length, None for an epoch without one. ValueError for none or for other lengths.
    """
    lengths = {len(found) for found in values.values()}
    if len(lengths) != 1 or not max(lengths):
        raise ValueError(
            message("history", f"{len(values)} names of lengths {sorted(lengths)}", "one number each for every epoch")
        )
    plain = list(dict.fromkeys(name.removeprefix(EVALUATED) for name in values))
    losses, others = [n for n in plain if n == "loss"], [n for n in plain if n != "loss"]
    colours = dict(zip(plain, (BLUE, ORANGE, GREEN, PINK, INK) * len(plain), strict=False))
    with _style.look():
        groups = [group for group in (losses, others) if group]
        figure = _style.new(WIDE, 2.3 * len(groups))
        every = figure.subplots(len(groups), 1, sharex=True, squeeze=False)[:, 0]
        for axes, group in zip(every, groups, strict=True):
            for name in group:
                for key, dash in ((name, "-"), (EVALUATED + name, "--")):
                    if key in values:
                        numbers = np.array([np.nan if v is None else v for v in values[key]], float)
                        epochs = np.arange(1, len(numbers) + 1)
                        there = ~np.isnan(numbers)
                        axes.plot(
                            epochs[there], numbers[there], dash, color=colours[name], marker=".",
                            label=_style.name_text(key, 24),
                        )  # fmt: skip
            axes.grid()
            axes.legend(frameon=False)
        every[-1].set_xlabel("epoch")
        every[-1].xaxis.get_major_locator().set_params(integer=True)
        figure.align_ylabels()
    return figure


def rates(tried: ArrayLike, losses: ArrayLike, suggestion: float | None = None) -> Figure:
    """The loss at each learning rate, which stand on a logarithmic scale; a line marks the one that is suggested."""
    x, y = np.asarray(tried, float), np.asarray(losses, float)
    if x.shape != y.shape or x.ndim != 1 or len(x) < 2:
        given = f"rates of shape {list(x.shape)} and losses of shape {list(y.shape)}"
        raise ValueError(message("rates", given, "as many losses as rates, at least two"))
    with _style.look():
        figure = _style.new(WIDE, 2.6)
        axes = figure.subplots()
        axes.plot(x, y, color=BLUE)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda rate, _: f"{rate:.0e}")  # powers would need fonts for formulas
        axes.xaxis.set_minor_formatter(lambda *_: "")
        highest = float(y[: max(2, len(y) // 2)].max())
        axes.set_ylim(top=1.3 * highest)  # what follows the rise isn't worth the room
        if suggestion is not None:
            axes.axvline(suggestion, color=ORANGE, linestyle="--", label=f"falls fastest: {suggestion:.1e}")
            axes.legend(frameon=False)
        axes.set_xlabel("learning rate")
        axes.set_ylabel("loss")
        axes.grid()
    return figure
