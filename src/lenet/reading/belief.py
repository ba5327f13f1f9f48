"""What of all that was read is believed: which shapes are digits, which numbers are words, which page is a picture.

A shape is judged by what the network says of it and by its company; a number by how much of it reads as digits, and by
whether it stands in running text or by itself, in a cell or a column. It sees digits and their confidence, and of the page
no more than its colours. Read by ``_read``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import comb

import numpy as np
from numpy.typing import NDArray

from lenet.reading.page import Line, Number
from lenet.reading.shapes.cells import Place
from lenet.reading.shapes.form import NO_DIGIT
from lenet.reading.shapes.lines import outline
from lenet.reading.weights.reader import Reader

__all__ = ["TOLD", "TOLD_ALONE", "believed", "in_company", "is_numbers", "paper_share", "recurring", "without_words"]

NEIGHBOURS, ROW = 0.5, 0.25  # how much the company in a number, and in its row, counts beside what a shape looks like
FIRM = 3.0  # log odds beyond which a shape is simply sure to be a digit, or none
TOLD = 0.35  # a shape whose likeliest digit is less likely can't be told, whatever the company
TOLD_ALONE = 0.45  # the same where a picture shows one digit
ALONE, LEAST = 0.9, 0.5  # so sure on average, and each so sure, is what is believed where it stands by itself
CERTAIN = 0.98  # each shape so sure, what stands by itself is believed wherever it stands
LISTED = 0.55  # so sure on average, what stands in a column of numbers
COLUMN = 0.6  # of a list's column: if so much of what stands in it reads as numbers, it is a column of numbers
FEW_SHAPES = 12  # in a single line say nothing of prose
LOW = 0.5  # of the highest number on a small picture: what is lower there isn't written
MOSTLY = 0.5  # a number less of which is read is a word
NEARLY, LIKELY = 0.8, 0.8  # so much of a number must be read, and so surely, on a page with words on it
WORDS, ROW_WORDS = 0.15, 0.25  # a page, or a row, more of which is rejected has words on it
PROSE, FEW = 0.3, 0.08  # a page, or a row, of which a smaller share is whole numbers is prose
RECURS = 3  # so often on a page, and as most of all, the same lone digit is a letter
LOOKS = 0.8  # so sure must the network be of a letter that is said to look like a digit
LONG = 4  # sure digits of a number, most of which is read, are no word's on a page without words
PARTLY = 0.7  # so much of a number must look like digits to weigh what that says
LETTERS = 20, 4  # of letters to which those of a page are added, and how many of these look like digits
MOST_PROSE = 0.4  # however many letters look like digits, a page with a larger share of whole numbers isn't prose
CHANCE = 0.08  # so likely may it be that a word of a page reads as a number that is believed
PAPER = 0.8  # where less around the numbers has one colour they may stand in a picture
SURE, PROOF = 0.9, 3  # so many different digits so sure, in one number if 0 and 1 count, show that they don't
RINGS_AND_BARS = frozenset({"0", "1"})  # which are in any picture
LONE = 0.95  # so sure must the only thing on a picture be to be a digit
HUE = 0.15  # the difference in the logarithms of red to green, or blue to green, that is one colour in uneven light


def in_company(answers: NDArray[np.float32], starts: Sequence[bool]) -> NDArray[np.float32]:
    """Answers [n, 11] of a row's shapes, from left to right, turned by the company that each keeps: float32 [n, 11].

    Among digits a shape is likelier to be one than the same shape in a word: its odds of being none move, those between the
    digits don't. starts: whether a number starts with it, n times.
    """
    if not len(answers):
        return answers
    firm = np.clip(Reader.score(answers), -FIRM, FIRM).astype(np.float64)
    number = np.cumsum(starts) - 1
    totals, counts = np.bincount(number, firm), np.bincount(number)
    company = (totals[number] - firm) / np.maximum(counts[number] - 1, 1)
    row = (firm.sum() - firm) / max(len(firm) - 1, 1)
    turned = answers.astype(np.float64)
    turned[:, NO_DIGIT] *= np.exp(-NEIGHBOURS * company - ROW * row)
    return (turned / turned.sum(axis=1, keepdims=True)).astype(np.float32)


def believed(rows: Sequence[Sequence[Number]], places: Sequence[Sequence[Place]], is_small: bool) -> list[list[Number]]:
    """The rows less what is words: what stands by itself is judged by itself, all else as ``without_words`` does.

    places: where each number stands. is_small: the picture is a small one, which holds no prose: there each number as high as
    others speaks for itself, and so it does in the only line of a page of few shapes.
    """
    numbers = [number for row in rows for number in row]
    shapes = sum(len(number.digits) for number in numbers)
    if is_small or (shapes <= FEW_SHAPES and sum(map(bool, rows)) == 1):
        tall = max((number.box[3] - number.box[1] for number in numbers), default=0)
        return [[n for n in row if n.box[3] - n.box[1] >= LOW * tall and _share(n) > MOSTLY] for row in rows]
    listed: dict[int, list[bool]] = {}
    for number, place in zip(numbers, (place for some in places for place in some), strict=True):
        listed.setdefault(place.column, []).append(_is_value(number))
    of_numbers = {column for column, values in listed.items() if sum(values) >= COLUMN * len(values)} | {-1}
    letters = recurring(numbers)
    by_itself = [
        {
            id(number)
            for number, place in zip(row, some, strict=True)
            if place.kind
            and (
                (place.column in of_numbers and (_is_value(number, place.column >= 0) or _is_partly(number)))
                or (_is_certain(number) and number.text not in letters)
            )
        }
        for row, some in zip(rows, places, strict=True)
    ]
    running = [[n for n in row if id(n) not in some] for row, some in zip(rows, by_itself, strict=True)]
    stands = [{id(n) for n in row} for row in without_words(running)]
    if not any(place.kind == "cell" for some in places for place in some):
        # Without cells nothing shows that what is left over is of another kind than the numbers.
        stands = [own | {id(n) for n in row} for own, row in zip(stands, without_words(rows), strict=True)]
    return [
        [n for n in row if id(n) in some or id(n) in rest]
        for row, some, rest in zip(rows, by_itself, stands, strict=True)
    ]


def _is_value(number: Number, is_listed: bool = False) -> bool:
    """Whether all of a number's shapes are digits, and sure ones; less sure will do in a column of numbers."""
    sure = [digit.confidence for digit in number.digits if not digit.rejected]
    least = LISTED if is_listed else ALONE
    return len(sure) == len(number.digits) and sum(sure) >= least * len(sure) and min(sure) >= LEAST


def recurring(numbers: Sequence[Number]) -> set[str]:
    """What a letter is taken for: on a page of words, the lone sure digit that most lone sure digits are."""
    lone = Counter(number.text for number in numbers if len(number.digits) == 1 and _is_certain(number))
    if _shares(numbers)[1] >= PROSE:
        return set()
    return {text for text, times in lone.items() if times >= RECURS and times > MOSTLY * lone.total()}


def _is_certain(number: Number) -> bool:
    """Whether each of a number's shapes is as sure a digit as can be, and not all are rings and bars."""
    digits = number.digits
    return min(d.confidence for d in digits) >= CERTAIN and not {d.label for d in digits} <= RINGS_AND_BARS


def _is_partly(number: Number) -> bool:
    """Whether a number of several shapes has some that can't be told among sure digits."""
    sure = [digit.confidence for digit in number.digits if not digit.rejected]
    unclear = len(number.digits) - len(sure)
    return bool(sure) and (unclear == 1 or _share(number) >= PARTLY) and sum(sure) >= ALONE * len(sure)


def _share(number: Number) -> float:
    """How much of a number was read."""
    return sum(not digit.rejected for digit in number.digits) / len(number.digits)


def without_words(rows: Sequence[Sequence[Number]]) -> list[list[Number]]:
    """The rows less what is words: numbers that are mostly rejected, and among words all that may be words by chance.

    Letters such as O, S and I look like digits, but hardly ever do all of a word's: how many of a page's letters do says
    how soon a word of so many reads as a number. On a page of prose only what so is hardly a word counts, on other pages
    with words on them also what is read nearly whole and surely. A page is prose of which few shapes are in whole
    numbers, or fewer than a letter looks like a digit.
    """
    numbers = [number for row in rows for number in row]
    taken, whole, digits = _shares(numbers)
    rate = _alike(numbers)
    words = taken < 1 - WORDS
    if words:  # of which rings and bars may be letters
        whole -= sum(map(_is_ring_or_bar, numbers)) / max(sum(len(number.digits) for number in numbers), 1)
    is_prose = whole < min(max(PROSE, rate), MOST_PROSE) or (digits < 4 and whole <= MOSTLY)
    runs = [_runs(row) for row in rows]
    standing = _standing(runs, rate)
    kept: list[list[Number]] = []
    for row, some, stand in zip(rows, runs, standing, strict=True):
        taken, whole, _ = _shares(row)
        unclear = sum(digit.rejected for number in row for digit in number.digits)
        # One unclear shape is no word, however short its row.
        if not is_prose and not words and (taken >= 1 - ROW_WORDS or (unclear == 1 and taken > 0)):
            kept.append([n for n in row if _share(n) >= MOSTLY])
            continue
        prose = is_prose or whole < FEW
        kept.append([])
        for run, stands in zip(some, stand, strict=True):
            kept[-1] += [
                n
                for n in run
                if stands
                or (not prose and _is_read(n, LIKELY if words else 0.0))
                or (not words and not is_prose and len(_sure(n, MOSTLY)) >= LONG)
            ]
    return _without_letters(kept) if words else kept


def _is_ring_or_bar(number: Number) -> bool:
    """Whether a number is a lone ring or bar, which letters and doodles are too."""
    return len(number.digits) == 1 and not number.digits[0].rejected and number.digits[0].label in RINGS_AND_BARS


def _without_letters(rows: list[list[Number]]) -> list[list[Number]]:
    """The rows without lone rings and bars, if on a page with words these are most of what is left: letters on their side."""
    lone = {id(n) for row in rows for n in row if _is_ring_or_bar(n)}
    if len(lone) <= MOSTLY * sum(map(len, rows)):
        return rows
    return [[number for number in row if id(number) not in lone] for row in rows]


def _is_read(number: Number, sureness: float) -> bool:
    """Whether a number is read nearly whole, and its digits are so sure on average."""
    return _share(number) >= NEARLY and _sureness(number) >= sureness


def _sure(number: Number, share: float) -> list[str]:
    """What a number's sure digits say; nothing, if these are a smaller share of its shapes."""
    sure = [d.label for d in number.digits if not d.rejected and d.confidence >= LOOKS]
    return sure if len(sure) >= share * len(number.digits) else []


def _alike(numbers: Sequence[Number]) -> float:
    """How many of a page's letters look like digits, 0 to 1: those of the words that don't read as numbers nearly whole."""
    words = [number for number in numbers if not _sure(number, NEARLY)]
    count, alike = LETTERS
    alike += sum(len(_sure(word, 0.0)) for word in words)
    return alike / (count + sum(len(word.digits) for word in words))


def _runs(row: Sequence[Number]) -> list[list[Number]]:
    """A row's words, and its numbers that follow on one another, as those of a telephone number do, together."""
    runs: list[list[Number]] = []
    before = False
    for number in row:
        is_sure = bool(_sure(number, PARTLY))
        if before and is_sure:
            runs[-1].append(number)
        else:
            runs.append([number])
        before = is_sure
    return runs


def _chance(run: Sequence[Number], rate: float) -> float:
    """How likely words read as this run, if a letter looks like a digit at this rate; 1 if the run isn't read.

    A letter that comes again looks the same again. So in a run of several, and of rings and bars anywhere, each digit
    counts once: loops below a line, or strokes, come in rows.
    """
    read = [_sure(number, PARTLY) for number in run]
    if not all(read):
        return 1.0
    labels = [label for one in read for label in one]
    once = set(labels) if len(run) > 1 else set(labels) & RINGS_AND_BARS
    proofs = len(once) + sum(label not in once for label in labels)
    return float(comb(sum(len(number.digits) for number in run), len(labels)) * rate**proofs)


def _standing(rows: Sequence[Sequence[list[Number]]], rate: float) -> list[list[bool]]:
    """Of the runs of each row, which are no words: that any word of the page reads so by chance has at most CHANCE.

    So a page of many words asks more of a number than one of few (Bonferroni's correction). Words come again more often
    than numbers do: each time that a run is seen counts as a chance more.
    """
    said = [[" ".join(number.text for number in run) for run in row] for row in rows]
    times = Counter(text for row in said for text in row)
    most = CHANCE / max(times.total(), 1)
    return [
        [times[text] * _chance(run, rate) <= most for run, text in zip(row, texts, strict=True)]
        for row, texts in zip(rows, said, strict=True)
    ]


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
