"""From what is said of a strip's columns to the digits and signs on it, each with its place.

The cheapest way through the columns decides: a digit is said by one or more of them, and two of the same have a gap between
(Viterbi 1967; the rule for repeated ones is Graves, Fernandez, Gomez and Schmidhuber's, 2006). How likely all columns
together say one text, ``likelihood`` tells. Read by ``reader``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["GAP", "NONE", "OTHER", "Said", "decode", "likelihood", "surest", "text_of"]

Floats = NDArray[np.float32]

DIGITS, NONE, OTHER, GAP = 10, 10, 14, 15
CHANGE = 1.8  # nats for each digit or sign that is begun: columns of little conviction don't make one
_IMPOSSIBLE = -1e9


class Said(NamedTuple):
    """A digit or sign. label: its number among the network's. place: the column it is at, as a number of answers.

    probabilities: float32 [11], of the ten digits and of none, where it is surest.
    """

    label: int
    place: float
    probabilities: Floats


def decode(answers: Floats, change: float = CHANGE) -> list[Said]:
    """What stands on a strip, from left to right. answers: log-probabilities float32 [n, 16]."""
    n, kinds = answers.shape
    if not n:
        return []
    price = np.where(np.arange(kinds) < OTHER, np.float32(change), np.float32(0))  # of beginning each
    best = answers[0] - price
    came = np.empty((n, kinds), np.int64)
    own = np.arange(kinds)
    for k in range(1, n):
        first = int(best.argmax())
        begun = best[first] - price
        stays = best >= begun
        came[k] = np.where(stays, own, first)
        best = np.where(stays, best, begun) + answers[k]
    path = np.empty(n, np.int64)
    path[-1] = int(best.argmax())
    for k in range(n - 1, 0, -1):
        path[k - 1] = came[k, path[k]]
    found = []
    starts = np.flatnonzero(np.diff(path, prepend=-1))
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), n], strict=True):
        label = int(path[start])
        if label < OTHER:
            run = answers[start:end]
            own = np.exp(run[:, label])
            place = float((own * np.arange(start, end)).sum() / own.sum())
            found.append(Said(label, place, surest(run)))
    return found


def surest(run: Floats) -> Floats:
    """Of some columns' answers the probabilities of ten digits and of none, at the surest of them."""
    p = np.exp(run.astype(np.float64))
    each = np.concatenate([p[:, :DIGITS], p[:, DIGITS:].sum(axis=1, keepdims=True)], axis=1)
    most = each[each[:, NONE].argmin()]
    return np.asarray(most / most.sum(), np.float32)


def text_of(said: Sequence[Said]) -> str:
    """The digits alone."""
    return "".join(str(one.label) for one in said if one.label < DIGITS)


def likelihood(answers: Floats, text: str) -> float:
    """The logarithm of the probability that columns float32 [n, 16] say just these digits: over all ways of saying them."""
    columns = np.concatenate([answers[:, :DIGITS], np.logaddexp.reduce(answers[:, DIGITS:], axis=1)[:, None]], axis=1)
    ends = np.full(2 * len(text) + 1, NONE)
    ends[1::2] = [int(c) for c in text]
    skips = np.zeros(len(ends), bool)
    skips[2:] = (ends[2:] != NONE) & (ends[2:] != ends[:-2])
    state = np.full(len(ends), _IMPOSSIBLE)
    state[:2] = columns[0, ends[:2]]
    for column in columns[1:]:
        more = np.logaddexp(state[1:], state[:-1])
        state[2:] = np.where(skips[2:], np.logaddexp(more[1:], state[:-2]), more[1:])
        if len(ends) > 1:
            state[1] = more[0]
        state += column[ends]
    return float(np.logaddexp.reduce(state[-2:]))
