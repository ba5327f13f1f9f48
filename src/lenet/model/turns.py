"""Which thread has a model for itself. Training and evaluation write what the model holds: one thread at a time.

Predicting takes no turn. It asks whether another thread trains, because then the network's mode is not its own to change.
Kept beside the models, not in them: a copy or a saved model has nobody at work on it. Read by ``Model`` and ``steps``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lenet.messages.check import message
from lenet.model.state import State

__all__ = ["elsewhere", "turn"]

_threads: dict[int, int] = {}  # by the model's id(), while it is at work


@contextmanager
def turn(model: State, what: str) -> Iterator[None]:
    """The model is this thread's until the end of the block; RuntimeError if it is another one's. May be nested."""
    own = threading.get_ident()
    nested = _threads.get(id(model)) == own
    if _threads.setdefault(id(model), own) != own:
        fix = "Give each thread a Model around a copy of the network: copy.deepcopy(network)"
        raise RuntimeError(
            message(what, "a model that another thread trains or evaluates", "one thread at a time", fix)
        )
    try:
        yield
    finally:
        if not nested:
            _threads.pop(id(model), None)


def elsewhere(model: State) -> bool:
    """Whether another thread trains or evaluates this model."""
    if not _threads:
        return False
    own = threading.get_ident()
    return _threads.get(id(model), own) != own


def _forget_other_threads() -> None:
    own = threading.get_ident()
    for model, thread in list(_threads.items()):
        if thread != own:
            del _threads[model]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_other_threads)
