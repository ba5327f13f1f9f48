"""What ``fit`` returns: loss and metrics of each epoch, of the training data and of the held-out or evaluation data.

To be looked at (a table, a picture, HTML in a notebook) and to be computed with (``history["acc"]``). It knows no network.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from lenet.html import notebook
from lenet.messages.check import brief, message

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["History"]

EVALUATED = "eval_"  # before the names of what was measured on evaluation data


class History:
    """Values by name, one for each epoch: ``history["loss"]``, ``history["eval_acc"]``; None where an epoch has none.

    ``names`` in the order they first came, ``len(history)`` epochs, ``rows()`` for a data frame.
    """

    def __init__(self) -> None:
        self._epochs: list[dict[str, float]] = []

    def add(self, logs: dict[str, Any], evaluated: bool = False) -> None:
        """An epoch's numbers; of the evaluation after it if ``evaluated``."""
        found = {}
        for name, value in logs.items():
            number = _number(value)
            if number is not None and name not in ("step", "batch_size"):
                found[(EVALUATED if evaluated else "") + name] = number
        if evaluated and self._epochs:
            self._epochs[-1] |= found
        else:
            self._epochs.append(found)

    @property
    def names(self) -> list[str]:
        """What there is, such as loss, acc, eval_loss, eval_acc."""
        return list(dict.fromkeys(name for epoch in self._epochs for name in epoch))

    def __len__(self) -> int:
        return len(self._epochs)

    def __getitem__(self, name: str) -> list[float | None]:
        if name not in self.names:
            raise KeyError(message("history[...]", brief(name), f"one of {', '.join(self.names) or 'nothing yet'}"))
        return [epoch.get(name) for epoch in self._epochs]

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def rows(self) -> list[dict[str, float]]:
        """One dict for each epoch, counted from 1: what a data frame takes."""
        return [{"epoch": k, **epoch} for k, epoch in enumerate(self._epochs, 1)]

    def __repr__(self) -> str:
        names = self.names
        lines = [["epoch", *names]]
        lines += [[str(k), *(_shown(epoch.get(name)) for name in names)] for k, epoch in enumerate(self._epochs, 1)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join("  ".join(cell.rjust(w) for cell, w in zip(line, widths, strict=True)) for line in lines)

    def _repr_html_(self) -> str:
        names = self.names
        rows = ([k, *(_shown(epoch.get(name)) for name in names)] for k, epoch in enumerate(self._epochs, 1))
        return notebook.table(["epoch", *names], rows)

    def plot(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """A picture of it, loss above and the metrics below; written to ``path`` too if there is one. Needs matplotlib."""
        from lenet.plots import history, save

        figure = history({name: self[name] for name in self.names})
        if path is not None:
            save(figure, path)
        return figure


def _number(value: Any) -> float | None:
    if isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]
    if isinstance(value, (bool, str)) or not isinstance(value, (int, float, np.floating, np.integer)):
        return None
    return float(value)


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
