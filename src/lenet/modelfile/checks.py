"""What an attribute of a described call may be: JSON out of a file in, what the table's row takes out.

The file is untrusted: every check returns a value of the right kind and size, or raises ValueError with one sentence. A check
knows no operation. Read by ``rules``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.messages.check import brief, message

__all__ = [
    "BATCH", "MAX_NUMBER", "array", "axes", "axis", "dtype", "flag", "indices", "key", "letters", "mask", "nothing",
    "number", "numbers_of", "one_of", "optional", "order", "pads", "pair", "several", "share", "signed", "sizes", "whole",
    "wrong",
]  # fmt: skip

Shape = tuple[int, ...]
Check = Callable[[str, Any], Any]

BATCH = (1 << 31) - 1  # a prime above every size that a call may have, so that it can be told from them
MAX_NUMBER = 4096  # the largest stride, kernel, padding or image side
_MOST_AXES = 8


def wrong(what: str, given: object, expected: str) -> ValueError:
    """The error for a call: what it says and what it may say."""
    return ValueError(message(what, brief(given, 80), expected))


def whole(low: int, high: int = MAX_NUMBER) -> Check:
    """A whole number from low to high."""

    def check(what: str, value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise wrong(what, value, f"a whole number from {low} to {high}")
        return value

    return check


def several(count: int, low: int) -> Check:
    """A list of so many whole numbers from low, as a tuple."""
    one = whole(low)

    def check(what: str, value: Any) -> Shape:
        if not isinstance(value, list) or len(value) != count:
            raise wrong(what, value, f"{count} whole numbers")
        return tuple(one(what, item) for item in value)

    return check


signed = whole(1 - BATCH, BATCH - 1)
axis = whole(-_MOST_AXES, _MOST_AXES - 1)
pair = several(2, 1)


def optional(check: Check) -> Check:
    """None, or what another check takes."""
    return lambda what, value: None if value is None else check(what, value)


def flag(what: str, value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise wrong(what, value, "true or false")
    return value


def number(what: str, value: Any) -> float:
    """A number within float32's range; the texts "inf" and "-inf" for the infinite ones."""
    if value in ("inf", "-inf") and isinstance(value, str):
        return float(value)
    if type(value) not in (int, float) or not abs(value) < 3.5e38:
        raise wrong(what, value, "a finite number")
    return value if type(value) is int else float(value)


def share(what: str, value: Any) -> float:
    """A number from 0 to 1."""
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise wrong(what, value, "a number from 0 to 1")
    return float(value)


def one_of(*words: str) -> Check:
    """One of these words."""

    def check(what: str, value: Any) -> str:
        if value not in words or not isinstance(value, str):
            raise wrong(what, value, " or ".join(map(repr, words)))
        return value

    return check


def letters(what: str, value: Any) -> str:
    """A letter an axis, as einsum has them; at most eight."""
    if not isinstance(value, str) or len(value) > _MOST_AXES or not all(c.isascii() and c.isalpha() for c in value):
        raise wrong(what, value, "a letter an axis")
    return value


def nothing(what: str, value: Any) -> None:
    """None."""
    if value is not None:
        raise wrong(what, value, "null")


def dtype(what: str, value: Any) -> np.dtype[Any]:
    """A type of numbers by its name."""
    names = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
    return np.dtype(one_of(*names)(what, value))


def sizes(what: str, value: Any) -> Shape:
    """A shape, in which one size may be -1: what remains."""
    if not isinstance(value, list) or len(value) > _MOST_AXES or value.count(-1) > 1:
        raise wrong(what, value, f"at most {_MOST_AXES} sizes, one of which may be -1")
    return tuple(size if size == -1 else whole(1, BATCH)(what, size) for size in value)


def axes(what: str, value: Any) -> Any:
    """None, an axis or a list of them."""
    if value is None or type(value) is int:
        return None if value is None else axis(what, value)
    return numbers_of(axis)(what, value)


def numbers_of(one: Check) -> Check:
    """A list of one to eight, each as ``one`` takes it, as a tuple."""

    def check(what: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or not 1 <= len(value) <= _MOST_AXES:
            raise wrong(what, value, f"a list of 1 to {_MOST_AXES}")
        return tuple(one(what, item) for item in value)

    return check


pads = numbers_of(several(2, 0))


def order(what: str, value: Any) -> Shape:
    """Each axis once."""
    if (
        not isinstance(value, list)
        or len(value) > _MOST_AXES
        or sorted(map(str, value)) != list(map(str, range(len(value))))
    ):
        raise wrong(what, value, "each axis once")
    return tuple(int(item) for item in value)


def array(what: str, value: Any) -> NDArray[Any]:
    """{"array": a number or lists of them, "dtype": a name}, as an array."""
    if not isinstance(value, dict) or set(value) != {"array", "dtype"}:
        raise wrong(what, value, '{"array": a list of numbers, "dtype": their type}')
    kind = dtype(what, value["dtype"])
    try:
        found = np.asarray(value["array"])
        if (
            found.ndim <= _MOST_AXES
            and found.dtype.kind in "biuf"
            and (found.dtype.kind == kind.kind or not found.size)
        ):
            return found.astype(kind)
    except (ValueError, OverflowError):
        pass
    raise wrong(what, value["array"], f"{kind} numbers in lists of equal lengths")


def _array_of(kinds: str, expected: str) -> Check:
    def check(what: str, value: Any) -> NDArray[Any]:
        found = array(what, value)
        if found.dtype.kind not in kinds:
            raise wrong(what, value, expected)
        return found

    return check


indices = _array_of("iu", "whole numbers")
mask = _array_of("b", "true and false")


def key(what: str, value: Any) -> Any:
    """An index, or a list of them: whole numbers, null for a new axis, "..." and {"slice": [start, stop, step]}, arrays."""
    if isinstance(value, list):
        return numbers_of(_index)(what, value)
    return _index(what, value)


def _index(what: str, value: Any) -> Any:
    if value is None or value == "...":
        return None if value is None else ...
    if not isinstance(value, dict):
        return signed(what, value)
    if "array" in value:
        return _array_of("biu", "whole numbers")(what, value)
    parts = value.get("slice")
    if set(value) != {"slice"} or not isinstance(parts, list) or len(parts) != 3:
        raise wrong(what, value, 'a whole number or {"slice": [start, stop, step]}')
    start, stop, step = (optional(signed)(what, part) for part in parts)
    if step == 0:
        raise wrong(what, step, "a step other than 0")
    return slice(start, stop, step)
