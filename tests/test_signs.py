"""Equals signs, colons and slashes: strokes with known places, and MNIST's leaning 1s, which are none of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lenet.reading import read
from lenet.reading.shapes.lines import Row
from lenet.reading.shapes.shape import Shape, find_shapes
from lenet.reading.shapes.signs import find_slashes, lean_of, stacked


def box(x0: int, y0: int, x1: int, y1: int) -> Shape:
    return Shape((x0, y0, x1, y1), np.full((y1 - y0 + 2, x1 - x0 + 2), 255, np.uint8), (x1 - x0) * (y1 - y0))


DIGITS = [box(x, 100, x + 24, 140) for x in (50, 110)]
ROW = Row(DIGITS, 40.0, DIGITS)


@pytest.mark.parametrize(
    ("a", "b", "sign"),
    [
        (box(82, 112, 100, 116), box(83, 124, 101, 128), "="),
        (box(83, 124, 101, 128), box(82, 112, 100, 116), "="),  # whichever comes first
        (box(88, 112, 94, 118), box(88, 130, 94, 136), ":"),
        (box(82, 101, 100, 105), box(83, 135, 101, 139), ""),  # too far apart
        (box(82, 112, 100, 116), box(96, 124, 120, 128), ""),  # beside one another
        (box(82, 112, 100, 116), box(88, 130, 94, 136), ""),  # a dash over a dot
        (box(88, 112, 94, 118), box(96, 130, 102, 136), ""),
        (box(88, 100, 94, 120), box(88, 124, 94, 140), ""),  # a 1 that broke
    ],
)
def test_signs_of_two_shapes_above_one_another(a: Shape, b: Shape, sign: str) -> None:
    assert stacked(a, b, ROW) == sign


def stroke(x0: float, y0: float, x1: float, y1: float, thick: int = 4) -> Shape:
    page = np.zeros((240, 400), np.uint8)
    cv2.line(page, (round(x0), round(y0)), (round(x1), round(y1)), 255, thick, cv2.LINE_AA)
    (shape,) = find_shapes(page, page > 127, 4.0)
    return shape


@pytest.mark.parametrize("lean", [-30.0, 0.0, 15.0, 45.0])
def test_how_far_a_stroke_leans(lean: float) -> None:
    found = lean_of(stroke(100, 200, 100 + 100 * np.tan(np.deg2rad(lean)), 100))
    assert found == pytest.approx(lean, abs=1.0)


def test_what_is_bent_or_thick_or_lies_is_no_stroke() -> None:
    page = np.zeros((240, 240), np.uint8)
    cv2.ellipse(page, (100, 100), (40, 60), 0, 90, 270, 255, 4, cv2.LINE_AA)
    (arc,) = find_shapes(page, page > 127, 4.0)
    assert lean_of(arc) is None
    assert lean_of(stroke(100, 200, 130, 100, thick=30)) is None
    assert lean_of(stroke(100, 200, 250, 180)) is None
    assert lean_of(box(0, 0, 24, 40)) is None


def slashes(text: str, lean: float = 25.0, out: float = 0.15) -> str:
    """A row of blocks ``d``, strokes ``/`` that stand out by so many heights above and below, 1s that lean alike, and gaps;
    what is found to be a slash, as ``/``, all else as it was."""
    shapes, x = [], 20.0
    for char in text:
        if char == " ":
            x += 30
        elif char == "d":
            shapes.append(box(round(x), 100, round(x) + 24, 140))
            x += 30
        else:
            over = 40 * out if char == "/" else 0
            wide = (40 + 2 * over) * np.tan(np.deg2rad(lean))
            shapes.append(stroke(x + 2, 138 + over, x + 2 + wide, 102 - over))
            x += wide + 10
    found = iter(find_slashes(shapes, [True] * len(shapes), 40.0))
    return "".join(c if c == " " else "/" if next(found) else c.replace("/", "1") for c in text)


@pytest.mark.parametrize("text", ["d/d", "dd/dd/dddd", "d/d/dd", "dddd/dd/dd", "ddd/dd", "dd d/d d"])
def test_slashes_between_digits(text: str) -> None:
    assert slashes(text) == text


def test_a_slash_stands_out_or_leans_much_but_for_the_two_of_a_date() -> None:
    assert slashes("ddd/ddd", lean=25, out=0.0) == "ddd1ddd"
    assert slashes("ddd/ddd", lean=25, out=0.05) == "ddd1ddd"
    assert slashes("ddd/ddd", lean=45, out=0.04) == "ddd/ddd"
    assert slashes("dd/dd/dddd", lean=33, out=0.0) == "dd/dd/dddd"
    assert slashes("dd/dd/ddd", lean=33, out=0.0) == "dd1dd1ddd"
    assert slashes("dd/dd", lean=20, out=0.075) == "dd/dd"
    assert slashes("ddd/ddd", lean=20, out=0.075) == "ddd1ddd"  # in longer numbers it takes more
    assert slashes("dd/dd", lean=5, out=0.3) == "dd1dd"


def test_a_slash_has_digits_close_at_both_sides() -> None:
    assert slashes("/dd d/ /d") == "1dd d1 1d"
    assert slashes("d//d") == "d11d"


def test_a_1_beside_1s_is_one() -> None:
    assert slashes("d11d", lean=40) == "d11d"
    assert slashes("1/1d", lean=40, out=0.05) == "111d"
    assert slashes("1/1d", lean=40, out=0.2) == "1/1d"


def test_of_leaning_ones_hardly_any_is_taken_for_a_slash(held: tuple[np.ndarray, np.ndarray]) -> None:
    """All of MNIST's held-out 1s, each between two digits of its height: at most three in a thousand."""
    images, labels = held
    ones = images[labels == 1]
    taken = 0
    for image in ones:
        y, x = np.nonzero(image > 40)
        cut = image[y.min() : y.max() + 1, x.min() : x.max() + 1]
        size = max(2, round(cut.shape[1] * 40 / cut.shape[0])), 40
        page = np.zeros((80, 200), np.uint8)
        page[20:60, 80 : 80 + size[0]] = cv2.resize(cut, size, interpolation=cv2.INTER_CUBIC)
        shapes = find_shapes(page, page > 127, 4.0)
        if len(shapes) == 1:
            left, right = box(50, 20, 74, 60), box(88 + size[0], 20, 112 + size[0], 60)
            taken += find_slashes([left, shapes[0], right], [True] * 3, 40.0)[1]
    assert len(ones) > 400
    assert taken <= 0.003 * len(ones)


@pytest.mark.parametrize(
    "text", ["12-05-2024", "555-0123", "12/05/2024", "3/4 5", "12:30", ".5 ,25\n-.5", "-7 -12", "2024-05-12"]
)
def test_read_from_a_page(pen, text: str) -> None:
    assert read(pen(text)).text == text


def test_an_equals_sign_is_not_printed(pen) -> None:
    assert read(pen("3-5=-2\n7=7")).text == "3-5 -2\n7 7"
