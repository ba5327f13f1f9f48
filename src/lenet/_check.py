"""The wording of every error a user can meet, and the checks that more than one module makes.

Every message has three parts in this order: what was given, what was expected, what to type instead. It knows no array
library and no layer: callers hand it text and plain numbers. Nothing here decides the exception's type but by name:
wrong value -> ValueError, wrong kind of object -> TypeError, exactly as Paddle's users expect.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["ShapeError", "choice", "describe", "message", "positive_int"]


class ShapeError(ValueError):
    """An array whose shape does not fit the layer it entered; ``Layer.__call__`` puts the layer's name in front once."""

    layer_named = False


def message(what: str, given: object, expected: str, fix: str = "") -> str:
    """One error text: ``what: got given, expected expected. fix``."""
    text = f"{what}: got {given}, expected {expected}"
    return f"{text}. {fix}" if fix else f"{text}."


def describe(value: object) -> str:
    """A short account of an object for an error: its type, and for arrays their dtype and shape."""
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is not None and dtype is not None:
        name = getattr(dtype, "name", None) or str(dtype)
        return f"{type(value).__name__} of {name} {list(shape)}"
    text = repr(value)
    kind = type(value).__name__
    return f"{kind} {text}" if len(text) <= 60 else f"{kind} {text[:57]}..."


def positive_int(what: str, value: object, *, least: int = 1) -> int:
    """``value`` as an int of at least ``least``; TypeError for other kinds, ValueError for smaller ones."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(message(what, describe(value), f"a whole number of at least {least}"))
    number = int(value.__index__())
    if number < least:
        raise ValueError(message(what, number, f"a whole number of at least {least}"))
    return number


def choice(what: str, value: object, allowed: Iterable[str]) -> str:
    """``value`` if it is one of ``allowed``; ValueError naming them all otherwise."""
    names = list(allowed)
    if value not in names:
        raise ValueError(message(what, repr(value), "one of " + ", ".join(repr(n) for n in names)))
    return str(value)
