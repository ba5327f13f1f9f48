"""Components as shapes: boxes, own pixels alone, specks, and what is no writing."""

from __future__ import annotations

import numpy as np
import pytest

from lenet.reading.shapes.shape import MARGIN, Shape, find_shapes, is_large, is_line, typical_height, union


def page(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (60, 80)) -> tuple[np.ndarray, np.ndarray]:
    """Filled rectangles x0, y0, x1, y1 as level and mask."""
    level = np.zeros(size, np.uint8)
    for x0, y0, x1, y1 in boxes:
        level[y0:y1, x0:x1] = 255
    return level, level >= 96


def box(x0: int, y0: int, x1: int, y1: int) -> Shape:
    level = np.full((y1 - y0 + 2, x1 - x0 + 2), 0, np.uint8)
    level[1:-1, 1:-1] = 255
    return Shape((x0, y0, x1, y1), level, (x1 - x0) * (y1 - y0))


def test_boxes_areas_and_order_from_left_to_right() -> None:
    found = find_shapes(*page((50, 5, 60, 35), (10, 20, 13, 50)), 3.0)
    assert [s.box for s in found] == [(10, 20, 13, 50), (50, 5, 60, 35)]
    assert [s.area for s in found] == [90, 300]
    assert (found[0].width, found[0].height, found[0].middle) == (3, 30, (11.5, 35.0))


def test_pixels_that_meet_at_a_corner_are_one_shape() -> None:
    assert [s.box for s in find_shapes(*page((10, 10, 20, 20), (20, 20, 30, 30)), 3.0)] == [(10, 10, 30, 30)]


def test_a_neighbour_inside_the_box_does_not_leak_in() -> None:
    level, mask = page((10, 10, 12, 40), (10, 38, 40, 40), (20, 12, 30, 30))  # an L and a block in its corner
    corner, block = find_shapes(level, mask, 2.0)
    assert corner.box == (10, 10, 40, 40)
    assert corner.level[MARGIN:, MARGIN:][2:20, 10:20].max() == 0
    assert block.level[MARGIN:-MARGIN, MARGIN:-MARGIN].min() == 255


def test_the_soft_edge_belongs_to_the_shape_and_the_margin_stays_within_the_page() -> None:
    level, _ = page((0, 0, 10, 20))
    level[0:20, 10] = 60  # below the mask's edge
    shape = find_shapes(level, level >= 96, 3.0)[0]
    assert shape.box == (0, 0, 10, 20)
    assert shape.level.shape == (22, 12)
    assert (shape.level[1:21, 11] == 60).all()
    assert shape.level[0].max() == 0


def test_specks_are_dropped_by_the_strokes_width() -> None:
    level, mask = page((10, 10, 20, 40), (40, 40, 42, 42), (60, 40, 64, 44))
    assert len(find_shapes(level, mask, 5.0)) == 2  # 4 px are less than a quarter of 25, 16 px are not
    assert len(find_shapes(level, mask, 2.0)) == 3


def test_a_blank_page_has_no_shapes() -> None:
    assert find_shapes(np.zeros((30, 40), np.uint8), np.zeros((30, 40), bool), 0.0) == []
    assert typical_height([]) == 0.0


def test_of_very_many_shapes_the_tallest_are_kept() -> None:
    level = np.zeros((300, 300), np.uint8)
    level[::4, ::4] = level[1::4, ::4] = 255  # 5,625 pieces, 2 px high
    level[100:130, 101:103] = 255
    found = find_shapes(level, level > 0, 1.0)
    assert len(found) == 4000
    assert max(s.height for s in found) >= 30


def test_union_lays_shapes_on_one_another() -> None:
    a, b = box(10, 10, 14, 30), box(12, 5, 20, 9)
    both = union([a, b])
    assert both.box == (10, 5, 20, 30)
    assert both.area == a.area + b.area
    solid = both.level[MARGIN:-MARGIN, MARGIN:-MARGIN] == 255
    assert solid.sum() == both.area
    assert solid[0:4, 2:10].all()
    assert solid[5:25, 0:4].all()
    assert union([a]) is a


def test_typical_height_is_that_of_most_ink_not_of_most_pieces() -> None:
    specks = [box(i, 0, i + 2, 2) for i in range(50)]
    digits = [box(100 + 30 * i, 0, 120 + 30 * i, 40) for i in range(8)]
    assert typical_height(specks + digits) == 40


@pytest.mark.parametrize(
    ("shape", "large", "line"),
    [
        (box(0, 0, 20, 30), False, False),  # a digit
        (box(0, 0, 4, 30), False, False),  # a one
        (box(0, 0, 15, 4), False, False),  # a minus
        (box(0, 0, 90, 30), False, False),  # four that touch
        (box(0, 0, 300, 200), True, False),  # a picture
        (box(0, 0, 120, 3), False, True),  # what is left of a rule
        (box(0, 0, 3, 80), False, True),  # and of an upright one
    ],
)
def test_what_is_no_writing(shape: Shape, large: bool, line: bool) -> None:
    assert is_large(shape, 30.0) is large
    assert is_line(shape, 30.0) is line
