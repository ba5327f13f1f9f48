"""Names that no other has, and counting them anew (Paddle: ``paddle.utils.unique_name``): layers' and parameters' among them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lenet.nn import param

__all__ = ["generate", "guard", "switch"]


def generate(key: str) -> str:
    """``key_0``, then ``key_1``, and so on."""
    return param.unique_name(key)


def switch(new_generator: Any = None) -> Any:
    """Count anew, or go on with what an earlier call gave back: the counts and names so far."""
    return param.switch_names(new_generator)


@contextmanager
def guard(new_generator: Any = None) -> Iterator[None]:
    """``with guard():`` counts anew inside; a text as argument begins every name."""
    before = switch({"prefix": new_generator} if isinstance(new_generator, str) else new_generator)
    try:
        yield
    finally:
        switch(before)
