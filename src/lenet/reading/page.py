"""What was read: a page of lines, of numbers, of digits. Plain frozen data; nothing here looks at an image.

A box is (x0, y0, x1, y1) in whole pixels of the image as it was given (turned upright as its camera said, not reduced,
not straightened): x grows to the right, y downwards, x1 and y1 are the first column and row outside. Read by everything
that shows or stores a reading: ``annotate``, the command line, a server.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.html import notebook
from lenet.reading.value import decimal

__all__ = ["DOUBT", "REJECTED", "Box", "Digit", "Line", "Number", "Page"]

Box = tuple[int, int, int, int]

TAB = "\t"  # between the cells of a table
DOUBT = 0.9  # a digit less sure is one that a person should check
REJECTED = "?"  # stands in a text for a shape that is there and is no digit, or cannot be told


@dataclass(frozen=True)
class Digit:
    """One shape that was looked at.

    label: the likeliest digit, "0" to "9", even if rejected. confidence: its calibrated probability, 0 to 1. second: the
    runner-up and its probability. rejected: it is not to be taken for a digit. image: what the network saw, uint8
    [28, 28], light on dark. printed: whether it is print, not handwriting; None where that isn't told.
    """

    box: Box
    label: str
    confidence: float
    second: tuple[str, float]
    rejected: bool
    image: NDArray[np.uint8] = field(repr=False, compare=False)
    printed: bool | None = None

    @property
    def text(self) -> str:
        """The label, or ``?`` where rejected."""
        return REJECTED if self.rejected else self.label

    @property
    def doubtful(self) -> bool:
        """Whether a person should check it: it is rejected, or less sure than 0.9."""
        return self.rejected or self.confidence < DOUBT

    def as_json(self) -> dict[str, Any]:
        """All but the image, as JSON takes it."""
        second, its_confidence = self.second
        return {
            "box": [int(edge) for edge in self.box],
            "label": self.label,
            "confidence": round(float(self.confidence), 6),
            "second": second,
            "second_confidence": round(float(its_confidence), 6),
            "rejected": bool(self.rejected),
            "printed": self.printed,
        }


@dataclass(frozen=True)
class Number:
    """Digits that stand together, or an empty cell of a table.

    text: the digits with ``?`` where rejected, and the signs before and between them: ``-3.14``, ``1,0?5``, ``12-05-2024``,
    ``3/4``, ``12:30``. A blank parts what stands together in one cell.
    """

    text: str
    digits: tuple[Digit, ...]
    box: Box

    @property
    def value(self) -> Decimal | None:
        """The text as a decimal; None where it is none, such as a date, or may be two, such as ``1,234``."""
        return decimal(self.text)

    @property
    def confidence(self) -> float:
        """That of its least sure digit, 0 to 1; 1 for an empty cell."""
        return min((float(digit.confidence) for digit in self.digits), default=1.0)

    def as_json(self) -> dict[str, Any]:
        """The text, the box and the digits, as JSON takes them."""
        return {
            "text": self.text,
            "box": [int(edge) for edge in self.box],
            "digits": [digit.as_json() for digit in self.digits],
        }


@dataclass(frozen=True)
class Line:
    """Numbers beside each other, from left to right. between: what parts their texts, a blank, or in a table a tab."""

    numbers: tuple[Number, ...]
    box: Box
    between: str = " "

    @property
    def text(self) -> str:
        """The numbers' texts in a row; in a table with a tab for each column, so that empty cells keep their place."""
        return self.between.join(number.text for number in self.numbers)

    def as_json(self) -> dict[str, Any]:
        """The text, the box and the numbers, as JSON takes them."""
        return {
            "text": self.text,
            "box": [int(edge) for edge in self.box],
            "numbers": [number.as_json() for number in self.numbers],
        }


@dataclass(frozen=True, repr=False)
class Page:
    """One image's reading, lines from top to bottom.

    width, height: of the image as given, in pixels. polarity: "dark on light" or "light on dark". skew: by how many
    degrees the lines rose to the right before they were straightened; negative if they fell. turn: by how many degrees, 0, 90,
    180 or 270 counter-clockwise, the page was turned to stand upright; skew is what was left then. name: the file's name, ""
    for what has none. number: which page of the file, from 1. notes: what a person should know of how it was opened.
    """

    lines: tuple[Line, ...]
    width: int
    height: int
    polarity: str = "dark on light"
    skew: float = 0.0
    turn: int = 0
    name: str = ""
    number: int = 1
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        lines, digits = len(self.lines), len(self.digits)
        name = f"{self.name}: " if self.name else ""
        return (
            f"<Page {name}{digits} shapes in {lines} lines, {self.width} x {self.height} pixels>\n{self.text}".rstrip()
        )

    def _repr_html_(self) -> str:
        found = [(digit.box, digit.text, "#c24e00" if digit.doubtful else "#0072b2") for digit in self.digits]
        return notebook.boxes(self.width, self.height, found) + f"<pre>{escape(self.text)}</pre>"

    @property
    def text(self) -> str:
        """The lines' texts, one a line; "" for a page without digits."""
        return "\n".join(line.text for line in self.lines)

    @property
    def digits(self) -> tuple[Digit, ...]:
        """Every shape looked at, rejected ones too, in reading order."""
        return tuple(digit for line in self.lines for number in line.numbers for digit in number.digits)

    def as_json(self) -> dict[str, Any]:
        """The whole page, as JSON takes it: all but the images of the digits."""
        return {
            "name": self.name,
            "page": self.number,
            "width": int(self.width),
            "height": int(self.height),
            "polarity": self.polarity,
            "skew": float(self.skew),
            "turn": int(self.turn),
            "notes": list(self.notes),
            "text": self.text,
            "lines": [line.as_json() for line in self.lines],
        }
