"""Truth that leaves a choice, and how a reading is scored against it. Read by ``score`` for drawn pages and by ``real``.

A truth's text holds digits, and between them whatever it likes, with three marks: ``[49]`` is a 4 or a 9 and ``.`` is any
digit, where nobody can tell which was meant; ``(12)`` are digits that may be read or left out at no cost, such as printed
row numbers. Of a reading the digits 0 to 9 count alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

ANY = frozenset("0123456789")
PIECE = re.compile(r"\[(?P<some>\d+)\]|(?P<any>\.)|(?P<one>[0-9])|(?P<bracket>[()])|(?P<open>\[)|.", re.DOTALL)


class Wanted(NamedTuple):
    """One place of a truth: the digits that are right there, and whether it may be left out."""

    allowed: frozenset[str]
    optional: bool


class Alignment(NamedTuple):
    """How a truth becomes what was read: hits, wrong, missing and false digits. Optional digits are none of these."""

    hits: int
    wrong: int
    missing: int
    false: int

    @property
    def distance(self) -> int:
        return self.wrong + self.missing + self.false


def parsed(text: str) -> list[Wanted]:
    """A truth's places in their order; ValueError where a bracket isn't closed."""
    places: list[Wanted] = []
    optional = False
    for found in PIECE.finditer(text):
        if bracket := found["bracket"]:
            if optional == (bracket == "("):
                raise ValueError(f"truth {text!r}: a round bracket too many, expected pairs such as (12)")
            optional = bracket == "("
        elif found["open"]:
            raise ValueError(f"truth {text!r}: [ without its digits, expected a choice such as [49]")
        elif allowed := (ANY if found["any"] else frozenset(found["some"] or found["one"] or "")):
            places.append(Wanted(allowed, optional))
    if optional:
        raise ValueError(f"truth {text!r}: ( without its ), expected pairs such as (12)")
    return places


def digits(text: str) -> str:
    """The digits 0 to 9 of a text."""
    return "".join(c for c in text if c in ANY)


def required(places: Sequence[Wanted]) -> int:
    """How many digits must be read."""
    return sum(not place.optional for place in places)


def aligned(places: Sequence[Wanted], read: str) -> Alignment:
    """The cheapest way from a truth to the digits read; among several the one that changes rather than drops and adds,
    and then the one with most hits.

    An entry of a row is (distance, how many were dropped or added, -hits, wrong, missing, false).
    """
    row = [(j, j, 0, 0, 0, j) for j in range(len(read) + 1)]
    for place in places:
        above, cost = row, 0 if place.optional else 1
        d, g, h, w, m, f = above[0]
        row = [(d + cost, g + cost, h, w, m + cost, f)]
        for j, seen in enumerate(read, 1):
            ways = []
            d, g, h, w, m, f = above[j]
            ways.append((d + cost, g + cost, h, w, m + cost, f))
            d, g, h, w, m, f = row[j - 1]
            ways.append((d + 1, g + 1, h, w, m, f + 1))
            d, g, h, w, m, f = above[j - 1]
            if seen in place.allowed:
                ways.append((d, g, h - cost, w, m, f))
            else:  # a wrong digit instead of one that may be left out is a false digit
                ways.append((d + 1, g, h, w + cost, m, f + 1 - cost))
            row.append(min(ways))
    _, _, hits, wrong, missing, false = row[-1]
    return Alignment(-hits, wrong, missing, false)


def in_any_order(places: Sequence[Wanted], read: str) -> int:
    """How many of the digits that must be read are among the digits read, wherever they stand."""
    left = Counter(read)
    found = 0
    for place in sorted((p for p in places if not p.optional), key=lambda p: (len(p.allowed), sorted(p.allowed))):
        label = next((c for c in sorted(place.allowed) if left[c]), None)
        if label is not None:
            left[label] -= 1
            found += 1
    return found


class PictureScore(NamedTuple):
    """One picture: digits and numbers that must be read, the alignment of all lines joined, digits found in any order, and
    how many numbers (the truth's lines with at least one digit that must be read) some line of the answer has exactly."""

    digits: int
    edits: Alignment
    any_order: int
    numbers: int
    exact: int


def picture(truth: Sequence[str], answer: Sequence[str]) -> PictureScore:
    """truth: its lines, from top to bottom. answer: the lines read; each may stand for one line of the truth."""
    lines = [parsed(line) for line in truth]
    places = [place for line in lines for place in line]
    read = [text for text in (digits(line) for line in answer) if text]
    joined = "".join(read)
    numbers = [line for line in lines if required(line)]
    exact = 0
    for line in numbers:
        same = next((i for i, text in enumerate(read) if aligned(line, text).distance == 0), None)
        if same is not None:
            del read[same]
            exact += 1
    return PictureScore(required(places), aligned(places, joined), in_any_order(places, joined), len(numbers), exact)
