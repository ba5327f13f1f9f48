"""Readers, the data pipelines of Paddle's first versions: functions that return iterators (``paddle.reader``)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from lenet.messages.check import describe, message, positive_int

__all__ = ["batch", "shuffle"]

Reader = Callable[[], Iterator[Any]]


def _checked(what: str, reader: Any) -> Reader:
    if not callable(reader):
        fix = "Type a function without arguments that yields samples, such as paddle.dataset.mnist.train()"
        raise TypeError(message(f"{what}(reader)", describe(reader), "a function", fix))
    return reader


def batch(reader: Reader, batch_size: int, drop_last: bool = False) -> Reader:
    """A reader of lists of batch_size samples from a reader of samples; drop_last leaves out a shorter last one."""
    _checked("batch", reader)
    size = positive_int("batch(batch_size)", batch_size)

    def batches() -> Iterator[list[Any]]:
        held: list[Any] = []
        for sample in reader():
            held.append(sample)
            if len(held) == size:
                yield held
                held = []
        if held and not drop_last:
            yield held

    return batches


def shuffle(reader: Reader, buf_size: int) -> Reader:
    """A reader of the same samples, mixed within stretches of buf_size by Python's ``random``."""
    _checked("shuffle", reader)
    size = positive_int("shuffle(buf_size)", buf_size)

    def mixed() -> Iterator[Any]:
        held: list[Any] = []
        for sample in reader():
            held.append(sample)
            if len(held) >= size:
                random.shuffle(held)
                yield from held
                held = []
        random.shuffle(held)
        yield from held

    return mixed
