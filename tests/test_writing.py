"""What of a page is numbers, and what words or a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from lenet.reading.page import Digit, Line, Number
from lenet.reading.writing import is_numbers, paper_share, without_words

BLANK = np.zeros((28, 28), np.uint8)


def number(text: str, confidence: float = 0.99, x: int = 100, y: int = 100) -> Number:
    """``?`` stands for a rejected shape."""
    digits = tuple(
        Digit((x + 20 * k, y, x + 20 * k + 15, y + 20), "7" if c == "?" else c, confidence, ("1", 0.0), c == "?", BLANK)
        for k, c in enumerate(text)
    )
    return Number(text, digits, (x, y, x + 20 * len(text), y + 20))


def texts(rows: Sequence[Sequence[Number]]) -> list[list[str]]:
    return [[n.text for n in row] for row in without_words(rows)]


def row(text: str) -> list[Number]:
    return [number(word) for word in text.split()]


def test_numbers_stay_with_their_doubtful_digits() -> None:
    assert texts([row("12 3?5"), row("6789")]) == [["12", "3?5"], ["6789"]]


def test_words_between_numbers_are_left_out() -> None:
    assert texts([row("??? 123 1?"), row("456 ?? 78"), row("9012")]) == [["123"], ["456", "78"], ["9012"]]


def test_unsure_numbers_are_left_out_only_where_words_stand() -> None:
    unsure = number("42", 0.5)
    assert texts([[*row("123 456 78"), unsure]]) == [["123", "456", "78", "42"]]
    assert texts([[*row("123 ???? 456 78"), unsure]]) == [["123", "456", "78"]]


def test_a_page_of_prose_has_no_numbers_but_a_line_of_them() -> None:
    words = [row("???? ??1 ????? 1 ????"), row("?? ?????? 11 ???? ????"), row("????? ???? ?????")]
    assert texts(words) == [[], [], []]
    assert texts([*words, row("1998 2024")])[-1] == ["1998", "2024"]


def test_no_rows() -> None:
    assert without_words([]) == []
    assert without_words([[]]) == [[]]


def test_paper_has_one_colour_in_uneven_light() -> None:
    light = np.linspace(60, 250, 300)[:, None, None]
    paper = (light * np.array([1.0, 0.95, 0.85]) * np.ones((1, 200, 1))).astype(np.uint8)
    assert paper_share(paper) > 0.95
    half = paper.copy()
    half[:, :100, 0] //= 2
    assert paper_share(half) == pytest.approx(0.5, abs=0.05)
    assert paper_share(paper[:1, :1]) == 1.0


def test_what_proves_that_digits_on_a_picture_are_some() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8).repeat(40, axis=0).repeat(40, axis=1)

    def found(*numbers: Number) -> bool:
        return is_numbers([Line(numbers, (0, 0, 320, 320))], rgb)

    assert not found(number("1"), number("0", x=20), number("11", y=200))
    assert not found(number("111"))
    assert not found(number("19?8"))
    assert not found(number("1998", 0.6))
    assert found(number("1998"))
    assert found(number("2"), number("3", x=20), number("5", y=200))
    assert found(number("7", 0.98))
    assert not found(number("7", 0.9))
    assert not found(number("1", 0.999))
    assert not found(number("?", 0.98))
    assert not found(number("7", 0.98), number("?", 0.98, x=200))
    assert is_numbers([Line((number("1"),), (0, 0, 320, 320))], np.full_like(rgb, 200))
    assert is_numbers([], rgb)
