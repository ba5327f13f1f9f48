"""What of a page is numbers, and what words or a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from lenet.reading.belief import in_company, is_numbers, paper_share, recurring, without_words
from lenet.reading.page import Digit, Line, Number

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


def answer(digit: float, other: float = 0.0) -> list[float]:
    """Of a shape that is a 3, an 8 or none."""
    return [0, 0, 0, digit, 0, 0, 0, 0, other, 0, 1 - digit - other]


def test_a_shape_is_judged_by_its_company() -> None:
    doubtful, digit, letter = answer(0.4, 0.1), answer(0.999), answer(0.001)

    def among(others: list[float]) -> np.ndarray:
        rows = np.array([others, doubtful, others], np.float32)
        return in_company(rows, [True, False, False])[1]

    alone = in_company(np.array([doubtful], np.float32), [True])[0]
    np.testing.assert_allclose(alone, doubtful, atol=1e-6)
    for found in (among(digit), among(letter)):
        assert found.sum() == pytest.approx(1, abs=1e-6)
        assert found[3] / found[8] == pytest.approx(4, rel=1e-5)  # which digit it is doesn't depend on its company
    assert among(letter)[-1] > alone[-1] > among(digit)[-1]


def test_a_number_counts_more_than_the_rest_of_its_row() -> None:
    rows = np.array([answer(0.999)] * 2 + [answer(0.5)] + [answer(0.001)] * 3, np.float32)
    with_digits = in_company(rows, [True, False, False, True, False, False])[2]
    with_letters = in_company(rows, [True, False, True, False, False, False])[2]
    assert with_digits[3] > 0.6 > 0.4 > with_letters[3]


def test_numbers_stay_with_their_doubtful_digits() -> None:
    assert texts([row("12 3?5"), row("6789")]) == [["12", "3?5"], ["6789"]]


def test_words_between_numbers_are_left_out() -> None:
    assert texts([row("??? 123 1?"), row("456 ?? 78"), row("9012")]) == [["123"], ["456", "78"], ["9012"]]


def test_unsure_numbers_are_left_out_only_where_words_stand() -> None:
    unsure = number("42", 0.5)
    assert texts([[*row("123 456 78"), unsure]]) == [["123", "456", "78", "42"]]
    assert texts([[*row("123 ???? 456 78"), unsure]]) == [["123", "456", "78"]]


def test_words_in_a_row_or_elsewhere_on_the_page() -> None:
    """Doubtful numbers stand where no words do; unsure ones in a row with words, if the page has no others."""
    clean, wordy = row("1234567 3?5"), row("??? ???? 12345")
    assert texts([clean])[0] == ["1234567", "3?5"]
    assert texts([clean, wordy])[0] == ["1234567"]
    unsure = [*row("???"), number("42", 0.5)]
    assert texts([*(5 * [clean]), unsure])[-1] == ["42"]
    assert texts([clean, wordy, unsure])[-1] == []


PROSE = ["???? ??1 ????? 1 ????", "?? ?????? 11 ???? ????", "????? ???? ?????"]


def among_prose(*lines: str, confidence: float = 0.99) -> list[list[str]]:
    """What is left of lines below thirteen of prose, of which nothing must be left."""
    words = [row(line) for line in [*PROSE, *(4 * PROSE[:2]), *PROSE[2:], PROSE[2]]]
    found = texts([*words, *([number(word, confidence) for word in line.split()] for line in lines)])
    assert found[: len(words)] == [[]] * len(words)
    return found[len(words) :]


def test_a_page_of_prose_has_no_numbers_but_what_hardly_is_a_word() -> None:
    assert among_prose() == []
    assert among_prose("???? 1984 ???", "??? 3726 ??") == [["1984"], ["3726"]]
    assert among_prose("?? 726 ??") == [["726"]]
    assert among_prose("?? 52 ??", "6 ???") == [[], []]
    assert among_prose("?? 1984 ??", confidence=0.7) == [[]]
    assert among_prose("?? 19?? ??") == [[]]


def test_a_digit_may_be_doubtful_in_a_long_number_among_prose() -> None:
    assert among_prose("?? 73?2658 ???") == [["73?2658"]]
    page = [row("?1?? ????? ???? 6?? ???? ????? ?0??? ????") for _ in range(3)]
    assert texts([*page, row("??? 726 ???"), row("??? 7?26 ???")])[-2:] == [["726"], []]


def test_short_numbers_in_a_row_stand_together_among_prose() -> None:
    assert among_prose("??? 26 34 58 79 ??") == [["26", "34", "58", "79"]]
    assert among_prose("??? 26 ??? 34 ??") == [[]]


def test_strokes_and_loops_are_no_numbers_among_prose() -> None:
    """As those below a line are, or the parts of an m."""
    assert among_prose("0 8 0 8 8 0 8 8", "11100111", "?? 1111111") == [[], [], []]
    assert among_prose("?? 5533 ???") == [["5533"]]


def test_on_a_page_where_letters_often_look_like_digits_more_is_asked_of_a_number() -> None:
    few, many = ["??? ?? ????", "???? ??? ??"], ["?1? 6? ?5?0", "0??? 1?? ?8"]
    assert texts([*map(row, 6 * few), row("??? 726")])[-1] == ["726"]
    assert texts([*map(row, 6 * many), row("??? 726")])[-1] == []
    assert texts([*map(row, 6 * many), row("??? 7264358")])[-1] == ["7264358"]


def test_a_word_that_comes_again_and_again_is_a_word() -> None:
    """As a number it would be seen once or twice."""
    page = [row("?1??? 6??? ????? ?0??? 1?? ????") for _ in range(4)]
    assert texts([*page, row("4226")])[-1] == ["4226"]
    assert texts([*page, *[row("4226")] * 8])[-8:] == [[]] * 8


def test_large_writing_with_few_numbers() -> None:
    assert texts([row("?????"), row("???? ???"), row("????? ???"), row("???? 199")]) == [[], [], [], ["199"]]
    page = [row("???"), row("99615 1??? ???"), row("??1? ??1? ???"), row("???? 543 ????"), row("?1?1 ???? ?????")]
    assert texts(page) == [[], ["99615"], [], ["543"], []]


def test_a_page_is_prose_if_more_letters_look_like_digits_than_stand_in_numbers() -> None:
    """Short words read as numbers then: as a third of these pages' shapes does."""
    alike = [row("?1?15 01 ?5?10 11 61?5? 17 7"), row("1?0?5 6?5?1 10 70 17 ?1?56 1")]
    assert texts(4 * alike) == [[]] * 8
    others = [row("????? 41 ????? 57 ????? 92 8"), row("????? ????? 32 96 14 ????? 7")]
    assert texts(4 * others)[:2] == [["41", "57", "92", "8"], ["32", "96", "14", "7"]]


def test_a_page_of_numbers_that_is_read_badly_is_no_prose() -> None:
    page = 4 * [row("12?4? 56 789 3?5?1 42")]
    assert texts(page) == [["56", "789", "42"]] * 4


def test_a_doubtful_number_stands_where_letters_never_look_like_digits() -> None:
    page = 3 * [row("??? 12345678 ???? 901234"), row("???? 567 ??? 89 ???? 12345")]
    assert texts([*page, row("????? 9?09")]) == [*(3 * [["12345678", "901234"], ["567", "89", "12345"]]), ["9?09"]]
    assert texts([*page, row("????? 9??9")])[-1] == []
    assert texts([*page, row("????? 1234 5? ???")])[-1] == ["1234"]


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


def test_a_lone_digit_that_comes_again_among_words_is_a_letter() -> None:
    words = row("????? ?????? ???? 9 ???? ????? 9 ???? ?????? 9 ???? 4 ????")
    assert recurring(words) == {"9"}
    assert recurring(row("12 9 345 9 27 9 4")) == set()  # a page of numbers
    assert recurring(row("????? 9 ????? 4 ????? 2 ????")) == set()
