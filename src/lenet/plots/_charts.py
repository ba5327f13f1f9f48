"""Charts: how many images a class has, how a training went, where a model errs and what rejecting gains.

The numbers come from ``lenet.evaluation``; nothing is computed here but what a drawing needs. Each figure is five inches
wide, so that its text can be read on a phone. Read by users, ``report`` and the command line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lenet.evaluation import Evaluation
from lenet.messages.check import message
from lenet.plots import _logit, _style
from lenet.plots._images import checked_labels
from lenet.plots._style import BLUE, GREEN, INK, ORANGE, PINK, SOFT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["class_counts", "confusion", "curves", "rejection"]

_WIDE = 5.0  # inches
_MOST_BARS = 60
_MOST_ROWS = 40  # of a confusion matrix
_MOST_NUMBERED = 15  # with a number in each cell


def class_counts(labels: NDArray[np.int64], classes: Sequence[str]) -> Figure:
    """A bar for each class: how many images it has. Of more than 60 classes, the 60 with the fewest images.

    labels: int [N], 0 to K - 1. classes: K names, at least one. ValueError for other labels.
    """
    if not classes:
        raise ValueError(message("classes", "none", "a name for each class"))
    counts = np.bincount(checked_labels(labels, classes), minlength=len(classes))
    shown = np.arange(len(classes))
    if len(classes) > _MOST_BARS:
        shown = np.sort(np.argsort(counts, kind="stable")[:_MOST_BARS])
    with _style.look():
        figure = _style.new(_WIDE, 0.7 + 0.28 * len(shown))
        axes = figure.add_subplot()
        bars = axes.barh(np.arange(len(shown)), counts[shown], color=BLUE, height=0.72)
        axes.bar_label(bars, [f"{count:,}" for count in counts[shown]], padding=4)
        axes.set_yticks(np.arange(len(shown)), [_style.name_text(classes[at]) for at in shown.tolist()])
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_xlim(0, max(1, counts[shown].max()) * 1.15)  # room for the numbers
        axes.tick_params(left=False, bottom=False, labelbottom=False)
        axes.spines[:].set_visible(False)
        fewest = f"the {len(shown)} smallest of {len(classes)} classes, of " if len(shown) < len(classes) else ""
        axes.set_title(f"Images a class: {fewest}{counts.sum():,} in all", loc="left")
    return figure


def confusion(evaluation: Evaluation) -> Figure:
    """The confusion matrix: rows are the truth, columns the answers; blue is right, orange wrong, each by its share of the row.

    With more than 40 classes, the 40 that take part in the most mistakes; numbers stand in the cells up to 15.
    """
    counts = evaluation.confusion
    wrong = counts - np.diag(np.diag(counts))
    shown = np.arange(len(counts))
    if len(shown) > _MOST_ROWS:
        shown = np.sort(np.argsort(-(wrong.sum(axis=0) + wrong.sum(axis=1)), kind="stable")[:_MOST_ROWS])
    names = [_style.name_text(evaluation.classes[at], 12) for at in shown]
    share = counts[np.ix_(shown, shown)] / np.maximum(counts[shown].sum(axis=1, keepdims=True), 1)
    size, numbered = len(shown), len(shown) <= _MOST_NUMBERED
    with _style.look(11 if numbered else 7):
        from matplotlib.collections import PatchCollection
        from matplotlib.patches import Rectangle

        figure = _style.new(_WIDE, _WIDE)
        axes = figure.add_subplot(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5), aspect="equal")
        for colour, cells in ((BLUE, np.eye(size, dtype=bool)), (ORANGE, ~np.eye(size, dtype=bool))):
            at = np.argwhere(cells & (share > 0))
            if not len(at):
                continue
            patches = [Rectangle((x - 0.47, y - 0.47), 0.94, 0.94) for y, x in at]
            alphas = [_strength(share[y, x], colour == BLUE) for y, x in at]
            axes.add_collection(PatchCollection(patches, facecolor=colour, alpha=alphas, linewidth=0))
        if numbered:
            digits = max(len(str(counts.max())), 3)
            for y, x in np.argwhere(share > 0):
                number = counts[shown[y], shown[x]]
                axes.text(x, y, str(number), ha="center", va="center", fontsize=min(10.0, 260 / size / digits / 0.75))
        upright = max(map(len, names)) > 2
        axes.set_xticks(range(size), names, rotation=90 if upright else 0)
        axes.set_yticks(range(size), names)
        axes.tick_params(length=0)
        axes.spines[:].set(visible=True, color=SOFT, linewidth=0.6)
        axes.set(xlabel="the model's answer", ylabel="the truth")
    return figure


def _strength(share: float, right: bool) -> float:
    """How strong a cell's colour is: of mistakes the root counts, so that a few in a thousand show; numbers stay legible."""
    return 0.1 + 0.3 * share if right else min(0.55, 0.1 + float(np.sqrt(share)))


def rejection(evaluation: Evaluation) -> Figure:
    """The risk-coverage curve: how often the model is right on the rest, once the least sure answers are set aside.

    The dots are at 1, 2, 3 and 5 % set aside. Shown as far as the rest is 99.95 % right, but 10 % at least.
    """
    curve = evaluation.rejection
    enough = np.flatnonzero(curve.accuracy >= 0.9995)
    most = float(np.clip(curve.rejected[enough[0]] * 1.1 if len(enough) else 1.0, 0.1, 1.0))
    inside = np.flatnonzero(curve.rejected <= most)
    inside = inside[np.unique(np.linspace(0, len(inside) - 1, 400).astype(int))]
    with _style.look():
        figure = _style.new(_WIDE, 3.6)
        axes = figure.add_subplot()
        axes.plot(curve.rejected[inside], curve.accuracy[inside], color=BLUE)
        for share in (0.01, 0.02, 0.03, 0.05):
            axes.plot(share, evaluation.accuracy_at(share), "o", color=ORANGE, markersize=5, zorder=3)
        axes.set_xlim(-0.01 * most, most)
        axes.set(xlabel="answers set aside, the least sure first", ylabel="right among the rest")
        _percent(axes.xaxis)
        _percent(axes.yaxis)
        axes.grid()
    return figure


def curves(
    runs: Iterable[tuple[str, Sequence[float], Sequence[float], Sequence[float]]],
    *,
    held_out: Sequence[tuple[Sequence[float], Sequence[float], Sequence[float]] | None] = (),
    title: str = "",
) -> Figure:
    """How training went: loss above, accuracy below, over the steps; a line on the training images, dots on those held out.

    Accuracy is on a logit scale, which keeps 98, 99 and 99.9 % apart.
    runs: (name, steps [P], loss [P], accuracy [P] of 0 to 1) each. held_out: none, or for each run (steps [E], loss [E],
    accuracy [E]), or None for a run without. title: stands above all. ValueError for no run or for other lengths.
    """
    shown = [(name, np.asarray(steps), np.asarray(loss), np.asarray(right)) for name, steps, loss, right in runs]
    if not shown or any(len(steps) == 0 for _, steps, _, _ in shown):
        raise ValueError(message("curves", "none, or one without steps", "at least one step of one run"))
    if len(held_out) not in (0, len(shown)):
        raise ValueError(message("held out", f"{len(held_out)} for {len(shown)} runs", "one for each, or none"))
    held = [None if one is None else [np.asarray(values) for values in one] for one in held_out] or [None] * len(shown)
    for (name, *line), dots in zip(shown, held, strict=True):
        for steps, loss, right in [line] if dots is None else [line, dots]:
            if not len(steps) == len(loss) == len(right):
                given = f"{len(steps)} steps, {len(loss)} losses, {len(right)} accuracies of {name}"
                raise ValueError(message("curves", given, "one of each for every point"))
    losses = [loss for _, _, loss, _ in shown] + [dots[1] for dots in held if dots is not None]
    rights = [right for _, _, _, right in shown] + [dots[2] for dots in held if dots is not None]
    with _style.look():
        from matplotlib.lines import Line2D

        rows = -(-(len(shown) + 1) // 2)  # of the legend
        figure = _style.new(_WIDE, 4.2 + 0.2 * rows + (0.3 if title else 0))
        upper, lower = figure.subplots(2, 1, sharex=True)
        ends = _logit.fit(lower.yaxis, np.concatenate(rights), line=0.15)
        styles = [(dash, colour) for dash in ("-", "--", ":", "-.") for colour in (BLUE, ORANGE, GREEN, PINK, INK)]
        several = len(shown) > 1
        handles = []
        for at, ((name, steps, loss, right), dots) in enumerate(zip(shown, held, strict=True)):
            dash, colour = styles[at % len(styles)]
            label = _style.name_text(name, 24) if several else "training images"
            handles += upper.plot(steps, loss, dash, color=colour, label=label)
            lower.plot(steps, _logit.clipped(right, ends), dash, color=colour)
            if dots is not None:
                own: dict[str, Any] = {"color": colour if several else ORANGE, "markersize": 5, "zorder": 3}
                upper.plot(dots[0], dots[1], "o", **own)
                lower.plot(dots[0], _logit.clipped(dots[2], ends), "o", **own)
        if any(dots is not None and len(dots[0]) for dots in held):
            grey: dict[str, Any] = {"marker": "o", "markersize": 5, "linestyle": "none"}
            label = "held-out images" if not several else "dots: held-out images"
            handles.append(Line2D([], [], color=SOFT if several else ORANGE, label=label, **grey))
        if min((values.min() for values in losses if len(values)), default=0) > 0:
            upper.set_yscale("log")
            from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

            upper.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=9))
            upper.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            upper.yaxis.set_minor_formatter(NullFormatter())
        upper.set_ylabel("loss")
        lower.set(ylabel="accuracy", xlabel="steps")
        for axes in (upper, lower):
            axes.grid()
        head = {"title": _style.name_text(title, 60), "title_fontproperties": {"weight": "bold"}} if title else {}
        figure.legend(handles=handles, loc="outside upper left", ncols=2, alignment="left", **head)
        figure.align_ylabels()
    return figure


def _percent(axis: Any) -> None:
    """Shares on an axis as percentages, at most seven, with as many digits as each needs."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{round(100 * share, 6):g} %"))
