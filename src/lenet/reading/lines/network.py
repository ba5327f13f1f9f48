"""The line network: LeNet's plan on a window of a line, and the same weights slid along a whole one.

It learns from windows, one answer each, and reads strips: convolutions that look at nothing beyond a window's sides give the
same numbers however wide the picture is (LeCun, Bottou, Bengio and Haffner 1998, section VII: space-displacement networks).
Read by ``reader`` and ``training``.
"""

from __future__ import annotations

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


def slid(trained: nn.Layer) -> nn.Sequential:
    """A network of windows as one of strips: [N, 1, ROWS, w] to [N, len(LABELS) * answers], w = COLUMNS + STRIDE * (answers - 1).

    Its two last layers become convolutions with the same weights; answer k is of the window that begins at column STRIDE * k.
    """
    weights = [p.numpy() for p in trained.parameters()]  # of each layer the weight and the bias
    a, b, c, d = (int(weight.shape[0]) for weight in weights[:8:2])
    inputs, hidden = weights[8].shape
    high = ROWS // 8
    found = nn.Sequential(
        *_features((a, b, c, d)),
        nn.Conv2D(d, hidden, (high, inputs // (d * high))),
        nn.ReLU(),
        nn.Conv2D(hidden, len(LABELS), 1),
        nn.Flatten(),
    )
    for ours, theirs in zip(found.parameters(), weights, strict=True):
        ours.set_value((theirs.T if theirs.ndim == 2 else theirs).reshape(ours.shape))
    return found
