"""The line network: LeNet's plan on a window of a line, and the same weights slid along a whole one.

It learns from windows, one answer each, and reads strips: convolutions that look at nothing beyond a window's sides give the
same numbers however wide the picture is (LeCun, Bottou, Bengio and Haffner 1998, section VII: space-displacement networks).
Read by ``reader`` and ``training``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet import nn
from lenet.reading.lines.strip import COLUMNS, ROWS

__all__ = ["LABELS", "STRIDE", "network", "slid"]

LABELS = [*"0123456789", ".", ",", "-", "/", "other", "gap"]
STRIDE = 4  # columns between two answers of ``slid``: two halvings
FILTERS, HIDDEN = (12, 32, 64, 80), 128


def network(filters: tuple[int, int, int, int] = FILTERS, hidden: int = HIDDEN) -> nn.Sequential:
    """From a window [N, 1, ROWS, COLUMNS] to a score for each of LABELS. Heights are padded, widths are not."""
    high, wide = ROWS // 8, ((COLUMNS - 4) // 2 - 2) // 2 - 4
    return nn.Sequential(
        *_features(filters),
        nn.Flatten(),
        nn.Linear(filters[3] * high * wide, hidden),
        nn.ReLU(),
        nn.Linear(hidden, len(LABELS)),
    )


def _features(filters: tuple[int, int, int, int]) -> list[nn.Layer]:
    a, b, c, d = filters
    return [
        nn.Conv2D(1, a, 5, padding=(2, 0)),
        nn.ReLU(),
        nn.MaxPool2D(2, 2),
        nn.Conv2D(a, b, 3, padding=(1, 0)),
        nn.ReLU(),
        nn.MaxPool2D(2, 2),
        nn.Conv2D(b, c, 3, padding=(1, 0)),
        nn.ReLU(),
        nn.MaxPool2D((2, 1), (2, 1)),
        nn.Conv2D(c, d, 3, padding=(1, 0)),
        nn.ReLU(),
    ]


def slid(trained: nn.Sequential) -> nn.Sequential:
    """A network of windows as one of strips: [N, 1, ROWS, w] to [N, len(LABELS) * answers], w = COLUMNS + STRIDE * (answers - 1).

    Its two last layers become convolutions with the same weights; answer k is of the window that begins at column STRIDE * k.
    """
    layers = list(trained)
    first, last = (layer for layer in layers if isinstance(layer, nn.Linear))
    filters = [layer.weight.shape[0] for layer in layers if isinstance(layer, nn.Conv2D)]
    a, b, c, d = filters
    hidden = int(first.weight.shape[1])
    high = ROWS // 8
    whole, answers = (
        nn.Conv2D(d, hidden, (high, int(first.weight.shape[0]) // (d * high))),
        nn.Conv2D(hidden, len(LABELS), 1),
    )
    for conv, linear in ((whole, first), (answers, last)):
        _give(conv, linear.weight.numpy().T.reshape(conv.weight.shape), linear)
    found = nn.Sequential(*_features((a, b, c, d)), whole, nn.ReLU(), answers, nn.Flatten())
    for ours, theirs in zip(found, layers, strict=False):
        if isinstance(ours, nn.Conv2D) and isinstance(theirs, nn.Conv2D):
            _give(ours, theirs.weight.numpy(), theirs)
    return found


def _give(ours: nn.Conv2D, weight: NDArray[np.float32], theirs: nn.Layer) -> None:
    """A layer's weight and bias to another, in the other's form."""
    assert ours.bias is not None
    ours.weight.set_value(weight)
    ours.bias.set_value(theirs.bias.numpy())
