"""Data types that print and compare as Paddle's do: ``lenet.float32`` prints ``paddle.float32`` and equals "float32".

Each is one object, made here; ``dtype_of`` turns whatever names a type (a string, a numpy dtype, one of these) into it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lenet.messages.check import describe, message

__all__ = ["DType", "dtype_of", "get_default_dtype", "set_default_dtype"]


class DType:
    """One data type. ``.numpy`` is the numpy dtype, ``.name`` its plain name."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.numpy: np.dtype[Any] = np.dtype(name)
        self._number = number

    def __repr__(self) -> str:
        return f"<DataType.{self.name.upper()}: {self._number}>"

    def __str__(self) -> str:
        return f"paddle.{self.name}"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DType):
            return self is other
        if isinstance(other, str):
            return other in (self.name, f"paddle.{self.name}")
        try:
            return bool(self.numpy == np.dtype(other))  # type: ignore[call-overload]
        except TypeError:
            return NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)


# The numbers are those Paddle shows in its repr.
bool_ = DType("bool", 1)
uint8 = DType("uint8", 2)
int8 = DType("int8", 3)
int16 = DType("int16", 5)
int32 = DType("int32", 7)
int64 = DType("int64", 9)
float32 = DType("float32", 10)
float64 = DType("float64", 11)

_BY_NUMPY = {d.numpy: d for d in (bool_, uint8, int8, int16, int32, int64, float32, float64)}
_default = float32


def dtype_of(value: Any) -> DType:
    """The DType named by a string, a numpy dtype or type, or a DType; TypeError otherwise."""
    if isinstance(value, DType):
        return value
    if isinstance(value, str) and value.startswith("paddle."):
        value = value[len("paddle.") :]
    try:
        return _BY_NUMPY[np.dtype(value)]
    except (TypeError, KeyError):
        names = ", ".join(repr(d.name) for d in _BY_NUMPY.values())
        raise TypeError(message("dtype", describe(value), f"one of {names}")) from None


def get_default_dtype() -> str:
    """The name of the type that Python floats become: 'float32' unless changed."""
    return _default.name


def set_default_dtype(d: Any) -> None:
    """Make Python floats become 'float32' or 'float64' in ``to_tensor``. TypeError for other types."""
    global _default
    chosen = dtype_of(d)
    if chosen not in (float32, float64):
        raise TypeError(message("set_default_dtype()", chosen.name, "'float32' or 'float64'"))
    _default = chosen
