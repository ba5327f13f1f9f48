"""What the readers of watched programs share: rows out of calls whose arguments are values and plain numbers.

Read by ``torch_operators`` and ``paddle_operators``, which know the calls of their libraries.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from lenet.export.graph import Building
from lenet.messages.check import message

__all__ = ["At", "Calls", "Held", "pair", "source_line"]


class At(int):
    """The number of a row; other whole numbers are numbers of the program."""


class Held(str):
    """The name of a tensor that the network has already."""

    __slots__ = ()


class Calls:
    """Rows put into a ``Building``, each with its place."""

    def __init__(self, building: Building) -> None:
        self.b = building

    def place(self) -> str:
        """Where in the user's module the present call is: its layer and its line."""
        raise NotImplementedError

    def held(self, value: Any) -> tuple[str, NDArray[np.float32]]:
        """The name and the numbers of a tensor that the module has."""
        raise NotImplementedError

    def refuse(self, name: str) -> NoReturn:
        """ValueError for a call that no network here has."""
        raise ValueError(
            message(f"{self.b.what}, {self.place()}", f"the operation {name}", "one that a network here has")
        )

    def row(self, op: str, *inputs: Any, **attrs: Any) -> At:
        """A row of these, with its place."""
        return At(self.b.row(op, self.place(), *(self.operand(one) for one in inputs), **attrs))

    def operand(self, value: Any) -> Any:
        """What a row takes: a row's number, the name of a tensor, a constant or None."""
        if value is None:
            return None
        if isinstance(value, At):
            return int(value)
        if isinstance(value, Held):
            return str(value)
        if isinstance(value, (int, float, np.ndarray)):
            return np.asarray(value, np.float32)
        return self.b.name(*self.held(value))

    def shape(self, value: Any) -> tuple[int, ...]:
        """With 0 for N."""
        return self.b.shape(self.operand(value))

    def axis(self, axis: int, value: Any) -> int:
        """From 0."""
        return int(axis) % max(1, len(self.shape(value)))

    def log_softmax(self, x: Any, axis: int) -> At:
        """log(softmax(x)) in parts that don't overflow."""
        lower = self.row("subtract", x, self.row("max", x, axis=axis, keepdim=True))
        total = self.row("sum", self.row("exp", lower), axis=axis, keepdim=True)
        return self.row("subtract", lower, self.row("log", total))

    def window(self, op: str, x: Any, size: Any, **more: Any) -> At:
        """Pooling to a fixed size, where all its windows are alike."""
        sides, out = self.shape(x)[2:], pair(size)
        if len(sides) != 2 or any(side % n for side, n in zip(sides, out, strict=True)):
            self.refuse(f"adaptive pooling of {list(sides)} to {out}, whose windows differ")
        kernel = [side // n for side, n in zip(sides, out, strict=True)]
        return self.row(op, x, kernel=kernel, stride=kernel, padding=[0] * 4, ceil_mode=False, **more)


def pair(value: Any) -> list[int]:
    """One number or two as two."""
    found = [int(one) for one in (value if isinstance(value, (list, tuple)) else [value])]
    return found * 2 if len(found) == 1 else found


def source_line(frames: list[str], library: str) -> str:
    """The innermost line of a traceback's text that is not the library's: " (net.py:12)", or "" if there is none."""
    for frame in reversed(frames):
        file, _, rest = frame.strip().removeprefix('File "').partition('", line ')
        if rest and "site-packages" not in file and f"/{library}/" not in file.replace("\\", "/"):
            return f" ({file.replace(chr(92), '/').rpartition('/')[2]}:{rest.partition(',')[0]})"
    return ""
