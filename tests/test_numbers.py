"""Where numbers start, and what a sign means by the gaps around it: boxes with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from lenet.reading.shapes.numbers import Mark, is_apart, number_breaks, printed_sign, widest_inside

# Rows stand from 0 to 40. Width, top and base of each sign.
SIZES = {"d": (24, 0, 40), "-": (18, 18, 22), ".": (6, 34, 40), ",": (6, 34, 48), "/": (16, -4, 44)}
SIZES |= {":": (6, 10, 34), "=": (18, 12, 28)}


def boxes(*gaps: int, width: int = 24) -> list[tuple[int, int, int, int]]:
    """Boxes 40 high with these gaps between."""
    found, x = [(0, 0, width, 40)], width
    for gap in gaps:
        found.append((x + gap, 0, x + gap + width, 40))
        x += gap + width
    return found


def printed(*row: str | int, dusty: bool = False) -> str:
    """What is printed of a row of digits ``d``, signs, and gaps in pixels; those left out are 6."""
    digits, marks, x = [], [[]], 0
    for one in row:
        if isinstance(one, int):
            x += one - 6
            continue
        for sign in one:
            wide, top, base = SIZES[sign]
            box = (x, top, x + wide, base)
            x += wide + 6
            if sign == "d":
                digits.append(box)
                marks.append([])
            else:
                marks[-1].append(Mark(sign, box))
    marks.pop()
    text = ""
    for i, start in enumerate(number_breaks(digits, 40.0, marks)):
        sign = printed_sign(marks[i], digits[i - 1] if i else None, digits[i], 40.0, start, dusty)
        text += " " * (start and i > 0) + sign + "d"
    return text


@pytest.mark.parametrize(
    ("gaps", "starts"),
    [
        ((), [0]),
        ((6, 8, 5), [0]),
        ((6, 45, 8), [0, 2]),
        ((40, 70, 52), [0, 1, 2, 3]),  # each on its own
        ((13, 14, 12), [0]),  # loosely written
        ((5, 5, 22, 6, 24, 4), [0, 3, 5]),  # narrow but clear gaps
        ((2, 11, 3, 12, 60, 4), [0, 5]),
        ((32, 36, 30, 34), [0]),  # a cell for each digit: middles 56 to 60 apart
        ((32, 36, 90, 34), [0, 3]),
    ],
)
def test_where_numbers_start(gaps: tuple[int, ...], starts: list[int]) -> None:
    assert [i for i, new in enumerate(number_breaks(boxes(*gaps), 40.0)) if new] == starts


def test_no_digits_no_numbers() -> None:
    assert number_breaks([], 40.0) == []


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (("-dd",), "-dd"),  # at the line's start
        (("dd", 40, "-dd"), "dd -dd"),  # after a wide gap
        (("dd", 17, "-dd"), "dd -dd"),  # after one that is wider than that behind it
        (("dd-dd-dddd",), "dd-dd-dddd"),  # a date
        (("dd", 12, "-", 10, "dd"), "dd-dd"),  # a hyphen with room about it
        (("dd", 4, "-", 20, "dd"), "dd-dd"),
        (("dd-", 40, "dd"), "dd dd"),  # at the end of a number: no minus of the next
        (("dd", 60, "-", 60, "dd"), "dd dd"),  # alone, as in an empty cell
        (("-", 30, "dd"), "-dd"),  # a minus with room behind it
    ],
)
def test_a_dash_is_a_minus_or_a_hyphen_or_nothing(row: tuple[str | int, ...], text: str) -> None:
    assert printed(*row) == text


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (("dd.d",), "dd.d"),
        (("dd,", 14, "d"), "dd,d"),
        (("dd", 13, ".", 13, "d"), "dd.d"),
        (("dd.", 60, "dd"), "dd dd"),  # the point after a number in a list
        ((".dd",), ".dd"),
        (("dd", 40, ",dd"), "dd ,dd"),
        (("-.dd",), "-.dd"),
        ((".", 20, "dd"), "dd"),  # too far off to be its point
        (("dd", 40, "-.d"), "dd -.d"),
        (("dd:dd",), "dd:dd"),
        ((":dd",), "dd"),
    ],
)
def test_points_inside_a_number_and_before_it(row: tuple[str | int, ...], text: str) -> None:
    assert printed(*row) == text


def test_where_there_are_specks_none_is_a_point_before_a_number() -> None:
    assert printed(".dd.d", dusty=True) == "dd.d"


def test_a_speck_is_no_point_before_a_number() -> None:
    digit = (20, 0, 44, 40)
    for box in ((10, 37, 13, 40), (10, 34, 16, 36), (10, 20, 16, 26), (16, 34, 22, 40), (0, 34, 4, 40)):
        assert printed_sign([Mark(".", box)], None, digit, 40.0, True) == ""
    assert printed_sign([Mark(".", (10, 34, 16, 40))], None, digit, 40.0, True) == "."


def test_slashes_are_inside_and_equals_signs_between() -> None:
    assert printed("dd/dd/dddd") == "dd/dd/dddd"
    assert printed("d=dd=-d") == "d dd -d"
    assert is_apart([Mark("=", (0, 0, 1, 1))])
    assert not is_apart([Mark("-", (0, 0, 1, 1))])


def test_the_widest_gap_inside_a_number_stays_in_its_limits() -> None:
    rng = np.random.default_rng(2)
    for _ in range(200):
        gaps = rng.uniform(-0.2, 3.0, int(rng.integers(0, 12))).tolist()
        assert 0.35 <= widest_inside(gaps) <= 0.8
