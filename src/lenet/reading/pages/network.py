"""The page network: LeNet's plan on a window of a page, and the same weights slid over a whole one.

It learns from windows, one answer each, and reads pages: convolutions that look at nothing beyond a window's sides give the
same numbers however large the picture is (LeCun, Bottou, Bengio and Haffner 1998, section VII: space-displacement networks).
Read by ``finder`` and ``world``.
"""

from __future__ import annotations

from lenet import nn

__all__ = ["LABELS", "LEAST", "MOST", "NONE", "STRIDE", "WINDOW", "network", "slid"]

WINDOW = 48
STRIDE = 4  # pixels between two answers of ``slid``
LEAST, MOST = 13.0, 24.0  # pixels: heights of the digits that it tells
LABELS = [*"0123456789", *(f"printed {digit}" for digit in range(10)), "none"]
NONE = 20  # no digit, or none of the right size, or not in the middle
FILTERS, HIDDEN = (8, 24, 40, 48, 64, 64), 96


def network(filters: tuple[int, ...] = FILTERS, hidden: int = HIDDEN) -> nn.Sequential:
    """From a window [N, 1, WINDOW, WINDOW] to a score for each of LABELS."""
    return nn.Sequential(
        *_features(filters), nn.Flatten(), nn.Linear(4 * filters[-1], hidden), nn.ReLU(), nn.Linear(hidden, len(LABELS))
    )


def _features(filters: tuple[int, ...]) -> list[nn.Layer]:
    """48 pixels to 44, 22, 20, 10, and by threes to 2."""
    a, b, *rest = filters
    layers: list[nn.Layer] = [
        nn.Conv2D(1, a, 5),
        nn.ReLU(),
        nn.MaxPool2D(2, 2),
        nn.Conv2D(a, b, 3),
        nn.ReLU(),
        nn.MaxPool2D(2, 2),
    ]
    before = b
    for count in rest:
        layers += [nn.Conv2D(before, count, 3), nn.ReLU()]
        before = count
    return layers


def slid(trained: nn.Layer) -> nn.Sequential:
    """A network of windows as one of pages: [N, 1, h, w] to [N, len(LABELS) * rows * columns], h = WINDOW + STRIDE * (rows - 1).

    Its two last layers become convolutions with the same weights.
    """
    weights = [p.numpy() for p in trained.parameters()]  # of each layer the weight and the bias
    filters = tuple(int(weight.shape[0]) for weight in weights[:-4:2])
    hidden = weights[-4].shape[1]
    found = nn.Sequential(
        *_features(filters),
        nn.Conv2D(filters[-1], hidden, 2),
        nn.ReLU(),
        nn.Conv2D(hidden, len(LABELS), 1),
        nn.Flatten(),
    )
    for ours, theirs in zip(found.parameters(), weights, strict=True):
        ours.set_value((theirs.T if theirs.ndim == 2 else theirs).reshape(ours.shape))
    return found
