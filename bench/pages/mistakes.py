"""What ``lenet.reading`` got wrong: each mistake on a page whose truth is known, and how it does on one real photograph.

Nothing is drawn here. Read by ``pictures``; the benchmark's figures come from ``score``.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from bench.pages import score
from bench.pages.layout import Box
from lenet import reading

SUDOKU = Path("/usr/share/doc/opencv-doc/examples/data/sudoku.png")
KINDS = ("misread", "rejected", "missed", "extra")


class Mistake(NamedTuple):
    """wanted: the digit that stands there, "" if none does. got: what was read, "?" if rejected, "" if nothing."""

    box: Box
    wanted: str
    got: str
    confidence: float


def mistakes(truth: score.Truth, read: reading.Page) -> list[Mistake]:
    """What was read wrong, what was missed and what isn't there, on one page.

    A digit read belongs to the true digit whose box holds its centre, the nearest if several do; a true digit that has
    several goes with the surest, the others are read where nothing stands.
    """
    wanted = [digit for line in truth["lines"] for digit in line["digits"]]
    boxes = np.array([digit["box"] for digit in wanted], np.float64).reshape(-1, 4)
    answers: dict[int, reading.Digit] = {}
    wrong = []
    for digit in sorted(read.digits, key=lambda d: (d.rejected, -d.confidence)):
        middle = (np.array(digit.box[:2]) + digit.box[2:]) / 2
        inside = np.flatnonzero(((boxes[:, :2] <= middle) & (middle <= boxes[:, 2:])).all(axis=1))
        far = [float(np.linalg.norm((boxes[i, :2] + boxes[i, 2:]) / 2 - middle)) for i in inside]
        at = int(inside[int(np.argmin(far))]) if len(inside) else -1
        if at >= 0 and at not in answers:
            answers[at] = digit
        elif not digit.rejected:
            wrong.append(Mistake(digit.box, "", digit.label, digit.confidence))
    for i, one in enumerate(wanted):
        answer = answers.get(i)
        if answer is None:
            wrong.append(Mistake(tuple(one["box"]), one["label"], "", 0.0))
        elif answer.text != one["label"]:
            sure = 0.0 if answer.rejected else answer.confidence
            wrong.append(Mistake(tuple(one["box"]), one["label"], answer.text, sure))
    return wrong


def kind_of(one: Mistake) -> str:
    return "extra" if not one.wanted else "missed" if not one.got else "rejected" if one.got == "?" else "misread"


def told(one: Mistake) -> str:
    sure = f"{100 * one.confidence:.0f} %"
    return {
        "misread": f"{one.wanted} read as {one.got}\n{sure} sure",
        "rejected": f"{one.wanted} rejected",
        "missed": f"{one.wanted} not seen",
        "extra": f"extra: {one.got}\n{sure} sure",
    }[kind_of(one)]


# What stands in the picture's cells, and where the grid's corners lie in it, from top left clockwise.
CELLS = "...6.47..7.6.....9.....5.8..7..2..938.......543..1..7..5.2.....3.....2.8..23.1..."
CORNERS = ((74, 86), (491, 70), (520, 515), (36, 516))


def sudoku() -> dict[str, int] | None:
    """Printed digits in a real photograph: how many of its cells were read right; None if Debian's opencv-doc is missing."""
    if not SUDOKU.exists():
        return None
    read = reading.read(str(SUDOKU))
    matrix = cv2.getPerspectiveTransform(
        np.array(CORNERS, np.float32), np.array([[0, 0], [9, 0], [9, 9], [0, 9]], np.float32)
    )
    cells: dict[int, str] = {}
    outside = twice = 0
    for digit in (digit for digit in read.digits if not digit.rejected):
        x0, y0, x1, y1 = digit.box
        x, y = cv2.perspectiveTransform(np.array([[[(x0 + x1) / 2, (y0 + y1) / 2]]], np.float32), matrix)[0, 0].tolist()
        if not (0 <= x < 9 and 0 <= y < 9):
            outside += 1
        elif 9 * int(y) + int(x) in cells:
            twice += 1
        else:
            cells[9 * int(y) + int(x)] = digit.label
    right = sum(CELLS[i] == label for i, label in cells.items())
    empty = sum(CELLS[i] == "." for i in cells) + twice
    return {
        "digits": len(CELLS.replace(".", "")),
        "right": right,
        "wrong": len(cells) + twice - right - empty,
        "empty": empty,
        "outside": outside,
    }
