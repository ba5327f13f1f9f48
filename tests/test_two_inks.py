"""Where a rule and a pen of different colours cross, each pixel goes to the one whose colour it has."""

from __future__ import annotations

import numpy as np
import pytest

from lenet.reading.ink.find import Ink
from lenet.reading.ink.two_inks import part_inks

PAPER, RULE, BLUE = (250, 250, 248), (130, 190, 160), (28, 60, 150)
H, W = 60, 200
ROWS = slice(20, 23)  # the rule's
PEN = slice(90, 111)  # the columns of a stroke across it
DOUBTED = slice(80, 121)  # the columns in which something seemed to cross the rule


def crossing(pen: tuple[int, int, int], edges: bool) -> tuple[Ink, np.ndarray, np.ndarray]:
    """A rule with a stroke across it, its mask less the rule, and where the rule ran. edges: much of it has soft edges."""
    picture = np.full((H, W, 3), PAPER, np.uint8)
    picture[ROWS] = RULE
    if edges:  # mostly the rule's colour, more pixels than the pen's
        picture[24:44, :70] = np.float32(PAPER) + 0.85 * (np.float32(RULE) - np.float32(PAPER))
    picture[10:45, PEN] = pen
    mask = (picture != PAPER).any(axis=2).astype(np.uint8)
    level = mask * np.uint8(255)
    line = np.zeros((H, W), np.uint8)
    line[ROWS] = 1
    line[ROWS, DOUBTED] = 2
    paper = np.full((4, 4, 3), PAPER, np.float32)
    ink = Ink(level, mask > 0, "dark on light", 3.0, 1.0, None, picture, paper)
    mask[line == 1] = 0
    return ink, mask, line


@pytest.mark.parametrize("edges", [False, True])
def test_only_the_stroke_stays_where_it_crosses_a_rule_of_another_colour(edges: bool) -> None:
    ink, mask, line = crossing(BLUE, edges)
    level = part_inks(ink, mask, line, 3.0, (0, 0))
    assert mask[ROWS, PEN].all()
    assert not mask[ROWS, 80:90].any()
    assert not mask[ROWS, 111:121].any()
    assert level[ROWS, 91:110].min() > 200
    assert not level[ROWS, 80:89].any()


def test_nothing_changes_where_rule_and_pen_have_one_colour() -> None:
    ink, mask, line = crossing(RULE, False)
    before = mask.copy()
    assert part_inks(ink, mask, line, 3.0, (0, 0)) is ink.level
    assert np.array_equal(mask, before)
