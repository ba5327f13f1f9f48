"""What on a page is numbers, and what is words or a picture: decided by how much of it reads as digits.

It sees digits and their confidence, and of the page no more than its colours. Read by ``_read``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lenet.reading.lines import outline
from lenet.reading.page import Line, Number

__all__ = ["is_numbers", "paper_share", "without_words"]

MOSTLY = 0.5  # a number less of which is read is a word
NEARLY, LIKELY = 0.8, 0.7  # so much of a number must be read, and so surely, on a page with words on it
WORDS, ROW_WORDS = 0.15, 0.25  # a page, or a row, more of which is rejected has words on it
PROSE, FEW = 0.3, 0.08  # a page, or a row, of which a smaller share is whole numbers is prose
PAPER = 0.8  # where less around the numbers has one colour they may stand in a picture
SURE, PROOF = 0.9, 3  # so many different digits so sure, in one number if 0 and 1 count, show that they don't
RINGS_AND_BARS = frozenset({"0", "1"})  # which are in any picture
LONE = 0.95  # so sure must the only thing on a picture be to be a digit
HUE = 0.15  # the difference in the logarithms of red to green, or blue to green, that is one colour in uneven light


def without_words(rows: Sequence[Sequence[Number]]) -> list[list[Number]]:
    """The rows less what is words: numbers that are mostly rejected, and on a page with words on it all that aren't read
    nearly whole and surely.

    Letters such as O, S and I look like digits, but hardly ever do all of a word's. A page on which next to nothing stands
    as a number of its own is prose: on it only rows most of which is numbers count.
    """
    taken, whole, digits = _shares([number for row in rows for number in row])
    is_prose = whole < PROSE or (digits < 4 and whole <= MOSTLY)
    words = taken < 1 - WORDS
    kept: list[list[Number]] = []
    for row in rows:
        taken, whole, digits = _shares(row)
        if (whole <= MOSTLY or digits < 3) if is_prose else whole < FEW:
            kept.append([])
        elif words or taken < 1 - ROW_WORDS:
            kept.append([n for n in row if _shares([n])[0] >= NEARLY and (not words or _sureness(n) >= LIKELY)])
        else:
            kept.append([n for n in row if _shares([n])[0] >= MOSTLY])
    return kept


def _shares(numbers: Sequence[Number]) -> tuple[float, float, int]:
    """Of all shapes, those that were read, and those in numbers read nearly whole; and how many the latter are."""
    read_each = [[not digit.rejected for digit in number.digits] for number in numbers]
    count = max(sum(map(len, read_each)), 1)
    whole = sum(len(each) for each in read_each if sum(each) >= NEARLY * len(each))
    return sum(map(sum, read_each)) / count, whole / count, whole


def _sureness(number: Number) -> float:
    """The mean confidence of a number's digits that were read."""
    sure = [digit.confidence for digit in number.digits if not digit.rejected]
    return sum(sure) / max(len(sure), 1)


def paper_share(rgb: NDArray[np.uint8]) -> float:
    """How much of an image [H, W, 3] has about the commonest colour, whatever the light on it: 0 to 1. Paper has one colour."""
    import cv2

    step = max(1, min(rgb.shape[:2]) // 300)
    small = np.asarray(rgb[::step, ::step])
    scale = 96 / max(small.shape[:2])
    if scale < 1:
        size = max(1, round(small.shape[1] * scale)), max(1, round(small.shape[0] * scale))
        small = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_AREA))
    red, green, blue = np.log(small.reshape(-1, 3).astype(np.float32) + 16).T
    cells = np.rint(np.stack([red - green, blue - green], axis=1) / (HUE / 2)).astype(np.int64)
    cells -= cells.min(axis=0) - 1
    counts = np.zeros(cells.max(axis=0) + 2)
    np.add.at(counts, (cells[:, 0], cells[:, 1]), 1)
    near = sum(counts[i : i + len(counts) - 2, j : j + counts.shape[1] - 2] for i in range(3) for j in range(3))
    return float(np.max(near)) / len(cells)


def is_numbers(lines: Sequence[Line], rgb: NDArray[np.uint8]) -> bool:
    """Whether what was read on an image [H, W, 3] stands on paper, or else is more than the rings and bars in any picture.

    One digit that is alone on it, and sure, is more than that too: a marker's on a card of two colours.
    """
    numbers = [number for line in lines for number in line.numbers]
    if not numbers or paper_share(_around(numbers, rgb)) >= PAPER:
        return True
    seen = [digit for number in numbers for digit in number.digits]
    if len(seen) == 1 and not seen[0].rejected and seen[0].confidence >= LONE and seen[0].label not in RINGS_AND_BARS:
        return True
    sure = [[d.label for d in n.digits if not d.rejected and d.confidence >= SURE] for n in numbers]
    if len({label for labels in sure for label in labels} - RINGS_AND_BARS) >= PROOF:
        return True
    return any(
        len(set(labels)) >= PROOF and len(labels) == len(n.digits) for labels, n in zip(sure, numbers, strict=True)
    )


def _around(numbers: Sequence[Number], rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The part of an image on which numbers stand, with the surroundings of each."""
    x0, y0, x1, y1 = outline([number.box for number in numbers])
    room = max(number.box[3] - number.box[1] for number in numbers)
    return rgb[max(y0 - room, 0) : y1 + room, max(x0 - room, 0) : x1 + room]
