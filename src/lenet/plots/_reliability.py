"""The reliability diagram: how sure a model was against how often it was right, on a scale that keeps the dots apart.

A good model is more than 99 % sure of most images, so that on an even scale those dots would lie on top of each other.
The numbers come from ``lenet.evaluation``. Read by users and ``report``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lenet.evaluation import Evaluation, wilson
from lenet.plots import _logit, _style
from lenet.plots._style import BLUE, ORANGE, PAPER, SOFT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["reliability"]


def reliability(evaluation: Evaluation, before: Evaluation | None = None) -> Figure:
    """How sure the model was against how often it was right, over bins of equally many images, on logit scales.

    Bars are 95 % intervals (Wilson). A hollow dot on the edge stands for a bin of which all answers, or none, are right:
    their share has no place on this scale. before: the same without calibration, drawn beside it.
    """
    series = [("the model" if before is None else "after calibration", evaluation, BLUE, "o")]
    if before is not None:
        series.insert(0, ("before", before, ORANGE, "s"))
    found = [(name, colour, marker, *_measured(one)) for name, one, colour, marker in series]
    with _style.look():
        figure = _style.new(5.0, 4.6)
        axes = figure.add_subplot()
        across = _logit.fit(axes.xaxis, np.concatenate([sure for *_, sure, _, _ in found]))
        up = _logit.fit(axes.yaxis, np.concatenate([ends.ravel() for *_, ends in found]), "none", "all")
        even = 1 / (1 + 10.0 ** -np.linspace(-8, 8, 100))
        axes.plot(even, even, color=SOFT, linewidth=1, linestyle=(0, (4, 3)), label="perfect")
        for name, colour, marker, sure, share, ends in found:
            x, y = _logit.clipped(sure, across), _logit.clipped(share, up)
            reach = np.abs(_logit.clipped(ends, up).T - y)
            style: dict[str, Any] = {"color": colour, "fmt": marker, "markersize": 5, "elinewidth": 1}
            bars = axes.errorbar(x, y, reach, label=name, **style, zorder=3)
            edge = (share <= 0) | (share >= 1)
            bars.lines[0].set_markevery(np.flatnonzero(~edge).tolist())
            hollow: dict[str, Any] = {"color": colour, "markerfacecolor": PAPER, "markersize": 5, "zorder": 4}
            axes.plot(x[edge], y[edge], marker, **hollow)
        axes.set(xlabel="how sure the model was", ylabel="how often it was right")
        axes.grid()
        figure.legend(loc="outside upper left", ncols=3)
    return figure


def _measured(one: Evaluation) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Of each bin: mean confidence [B], share right [B], and its interval [B, 2]."""
    bins = one.reliability
    kept = bins.count > 0
    share, count = bins.accuracy[kept], bins.count[kept]
    ends = np.array([wilson(round(part * n), int(n)) for part, n in zip(share, count, strict=True)])
    # an interval holds its share, but by the last bits of a division
    ends = np.stack([np.minimum(ends[:, 0], share), np.maximum(ends[:, 1], share)], axis=1)
    return np.clip(bins.confidence[kept], 1 - _logit.SUREST, _logit.SUREST), share, ends
