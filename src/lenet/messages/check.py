"""The wording of every error a user can meet, and the checks that more than one module makes.

Every message has three parts in this order: what was given, what was expected, what to type instead. It knows no array
library and no layer: callers hand it text and plain numbers. However long, strange or many-lined what a user gave is, the
message is one line of at most 300 characters: this is the one place that sees to it. Nothing here decides the exception's
type but by name: wrong value -> ValueError, wrong kind of object -> TypeError, exactly as Paddle's users expect.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = [
    "MOST",
    "ShapeError",
    "brief",
    "choice",
    "describe",
    "installing",
    "message",
    "one_line",
    "positive_int",
    "without_home",
]

MOST = 300  # characters of a message
_ROOM = 70  # of what was given, or what it is about, in a message that would be longer


class ShapeError(ValueError):
    """An array whose shape does not fit the layer it entered; ``Layer.__call__`` puts the layer's name in front once."""

    layer_named = False


def message(what: str, given: object, expected: str, fix: str = "") -> str:
    """One error text: ``what: got given, expected expected. fix``."""
    parts = [one_line(str(part)) for part in (what, given, expected, fix)]
    for place in (1, 0, 2, 3):  # what is quoted gives way first
        over = sum(map(len, parts)) + len(": got , expected . .") - MOST
        if over > 0:
            parts[place] = _cut(parts[place], max(_ROOM, len(parts[place]) - over))
    what, given, expected, fix = parts
    text = f"{what}: got {given}, expected {expected}"
    return f"{text}. {fix}" if fix else f"{text}."


def one_line(text: str, most: int = 0) -> str:
    """The text without line breaks and other control characters; shortened in the middle if longer than ``most``."""
    line = text if text.isprintable() else " ".join("".join(c if c.isprintable() else _blank(c) for c in text).split())
    return _cut(line, most) if most else line


def _blank(c: str) -> str:
    return " " if c.isspace() else "?"


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    end = (most - 3) // 2
    return f"{text[: most - 3 - end]}...{text[len(text) - end :]}"


def installing(extra: str, package: str) -> str:
    """What to type for a package that the install leaves out."""
    return f"Type pip install '.[{extra}]' in lenet's checkout, or pip install {package}"


def without_home(text: str) -> str:
    """Text with ``~`` where the home folder's name stands: for what is shown or stored, and may be passed on."""
    import os
    import re

    home = os.path.expanduser("~")
    if len(home) < 2 or not os.path.isabs(home):
        return text
    return re.sub(rf"{re.escape(home)}(?![^/\\\s;:,.)'\"])", "~", text)


def brief(value: object, most: int = 60) -> str:
    """What an object looks like, in one line of at most ``most`` characters, whatever its own ``repr`` does."""
    import reprlib

    short = reprlib.Repr()
    short.maxlevel, short.maxtuple, short.maxlist, short.maxdict, short.maxstring, short.maxother = (
        4,
        30,
        30,
        30,
        200,
        200,
    )
    try:
        text = short.repr(value)
    except Exception:  # a whole number of 5,000 digits, an object whose own code fails
        text = f"<{type(value).__name__}>"
    line = one_line(text)
    return line if len(line) <= most else line[: most - 3] + "..."


def describe(value: object) -> str:
    """A short account of an object for an error: its type, and for arrays their dtype and shape."""
    if isinstance(value, type):
        return f"the type {value.__name__}"
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is not None and dtype is not None:
        name = getattr(dtype, "name", None) or str(dtype)
        return f"{type(value).__name__} of {name} {list(shape)}"
    return f"{type(value).__name__} {brief(value)}"


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
    if not isinstance(value, str) or value not in names:
        raise ValueError(message(what, brief(value), "one of " + ", ".join(repr(n) for n in names)))
    return str(value)
