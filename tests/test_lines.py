"""Rows, reading order, separators and columns: boxes with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from lenet.reading.shapes.lines import (
    Row,
    column_gaps,
    find_rows,
    is_dusty,
    is_flat,
    joinable,
    outline,
    separator,
)
from lenet.reading.shapes.shape import Shape


def box(x0: int, y0: int, x1: int, y1: int) -> Shape:
    return Shape((x0, y0, x1, y1), np.full((y1 - y0 + 2, x1 - x0 + 2), 255, np.uint8), (x1 - x0) * (y1 - y0))


def row_of(*shapes: Shape, height: float = 40.0) -> Row:
    return Row(list(shapes), height, [s for s in shapes if s.height >= 0.6 * height])


def digits(y: float, n: int = 8, slope: float = 0.0, x: int = 50, step: int = 40) -> list[Shape]:
    """n digits of 24 x 40 in a row that falls by ``slope``."""
    found = []
    for i in range(n):
        top = round(y + slope * i * step)
        found.append(box(x + i * step, top, x + i * step + 24, top + 40))
    return found


def test_rows_from_top_to_bottom_and_left_to_right_whatever_the_order_given() -> None:
    shapes = digits(200) + digits(100) + digits(300)
    rng = np.random.default_rng(0)
    given = [shapes[i] for i in rng.permutation(len(shapes))]
    rows = find_rows(given)
    assert [r.shapes[0].box[1] for r in rows] == [100, 200, 300]
    for row in rows:
        assert [s.box[0] for s in row.shapes] == [50 + 40 * i for i in range(8)]
        assert row.height == 40


@pytest.mark.parametrize("degrees", [-2.0, -1.0, 1.0, 2.0])
def test_a_skew_that_is_left_leads_no_row_into_the_next(degrees: float) -> None:
    slope = float(np.tan(np.deg2rad(degrees)))
    rows = find_rows([s for y in (200, 264, 328) for s in digits(y, 24, slope)])  # at 2 degrees: 33 px down, pitch 64
    assert [len(r.shapes) for r in rows] == [24, 24, 24]
    assert all(abs(r.shapes[0].box[1] - y) < 40 for r, y in zip(rows, (200, 264, 328), strict=True))


def test_a_hands_jitter_keeps_a_row_together() -> None:
    rng = np.random.default_rng(1)
    shapes = [
        box(50 + 40 * i, 100 + int(rng.integers(-6, 7)), 75 + 40 * i, 140 + int(rng.integers(-6, 7))) for i in range(20)
    ]
    assert [len(r.shapes) for r in find_rows(shapes)] == [20]


def test_small_shapes_go_to_the_row_they_lie_in_and_distant_ones_to_none() -> None:
    point, far = box(75, 136, 81, 142), box(75, 400, 81, 406)
    rows = find_rows([*digits(100), *digits(180), point, far])
    assert [point in r.shapes for r in rows] == [True, False]
    assert all(far not in r.shapes for r in rows)
    assert rows[0].shapes[1] is point


def test_a_large_comma_makes_no_row_of_its_own() -> None:
    comma, leading = box(75, 134, 83, 155), box(36, 134, 44, 155)  # more than half as high as the digits
    rows = find_rows([*digits(100), *digits(180), comma, leading])
    assert [len(r.shapes) for r in rows] == [10, 8]
    assert [s for s in rows[0].shapes if s in (comma, leading)] == [leading, comma]
    assert [r.height for r in find_rows([*digits(100), box(75, 170, 83, 192)])] == [40, 22]  # far below: no comma


def test_pictures_and_remains_of_rules_are_left_out() -> None:
    picture, rule = box(500, 0, 900, 400), box(50, 145, 400, 148)
    rows = find_rows([*digits(100), picture, rule])
    assert [len(r.shapes) for r in rows] == [8]


def test_nothing_gives_no_rows() -> None:
    assert find_rows([]) == []


ROW = row_of(*digits(100, 3, step=60))  # 50..74, 110..134, 170..194; top 100, base 140


@pytest.mark.parametrize(
    ("shape", "sign"),
    [
        (box(88, 134, 94, 140), "."),
        (box(88, 132, 94, 148), ","),
        (box(84, 118, 102, 122), "-"),
        (box(84, 101, 102, 105), ""),  # the bar of a five
        (box(84, 131, 102, 135), "-"),  # a low one
        (box(84, 138, 102, 142), ""),  # an underline
        (box(88, 131, 98, 137), "."),  # a dot that is a short dash
        (box(88, 139, 94, 141), ""),  # what is left of a rule
        (box(88, 150, 98, 166), ""),  # the comma of the row above another
        (box(88, 102, 94, 108), ""),  # a speck above
        (box(86, 100, 96, 140), ""),  # a one
    ],
)
def test_separators_by_size_and_place(shape: Shape, sign: str) -> None:
    assert separator(shape, ROW) == sign


def test_flat_remains_and_dust() -> None:
    assert is_flat(box(0, 100, 20, 101), ROW)
    assert is_flat(box(0, 100, 9, 103), ROW)
    assert not is_flat(box(0, 100, 14, 103), ROW)  # the bar of a five
    assert not is_flat(box(0, 100, 6, 106), ROW)  # a dot
    dots = [box(80 + 10 * i, 104, 84 + 10 * i, 108) for i in range(3)]
    row = row_of(*digits(100, 3, step=60), *dots)
    assert not is_dusty(row, [*digits(100, 3, step=60), *dots])
    assert not is_dusty(row, [*digits(100, 3, step=60), *dots[:2]])
    assert is_dusty(row, digits(100, 3, step=60))


@pytest.mark.parametrize(
    ("a", "b", "together"),
    [
        (box(110, 108, 130, 140), box(116, 100, 138, 105), True),  # a five and its bar
        (box(110, 108, 128, 140), box(130, 100, 140, 105), True),  # the bar a little aside
        (box(110, 100, 120, 140), box(121, 100, 131, 140), True),  # a nought that broke above and below
        (box(110, 100, 134, 140), box(144, 100, 168, 140), False),  # neighbours
        (box(110, 100, 134, 140), box(138, 134, 144, 140), False),  # a digit and its point
        (box(110, 100, 134, 140), box(136, 100, 170, 140), False),  # too wide for one
        (box(110, 100, 134, 140), box(112, 141, 130, 142), False),  # a digit and what is left of a rule below it
    ],
)
def test_which_shapes_may_be_one_digit(a: Shape, b: Shape, together: bool) -> None:
    assert joinable(a, b, ROW, 4.0) is together
    assert joinable(b, a, ROW, 4.0) is together


def test_columns_are_apart_where_no_row_has_ink() -> None:
    rows = [(0, 0, 30, 40), (35, 0, 60, 40), (100, 0, 130, 40), (10, 60, 70, 100), (95, 60, 120, 100)]
    assert column_gaps(rows, 20.0) == [(0, 70), (95, 130)]
    assert column_gaps(rows, 40.0) == [(0, 130)]
    assert column_gaps([], 20.0) == []


def test_outline_is_the_box_around_boxes() -> None:
    assert outline([(5, 6, 7, 8), (1, 7, 6, 20)]) == (1, 6, 7, 20)
