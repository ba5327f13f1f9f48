"""Pages that lie on their side or stand on their head are turned, and said to be; others stay as they are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from pen import Pen

from lenet.reading import annotate, read
from lenet.reading.ink.find import find_ink
from lenet.reading.ink.straighten import turned

PRINT = (
    "Nobody speaks of the house",
    "by the river any more, but",
    "my sister keeps its key in",
    "a drawer under the stairs.",
    "When it rains she takes it",
    "out, looks at it and hums",
    "an old tune about sailors.",
    "Then she puts it back, and",
    "all of us go on with what",
    "we did before, as always.",
)
TEXT = "3471 925\n6034 8\n47 3952\n2743 86"


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_page_is_read_whichever_way_it_lies(pen: Pen, quarters: int) -> None:
    ink, boxes = pen.ink(TEXT)
    lying = np.rot90(255 - ink, quarters)
    page = read(lying)
    assert page.text == TEXT
    assert page.turn == 90 * (4 - quarters) % 360
    assert any("turned" in note for note in page.notes)
    assert (page.height, page.width) == lying.shape
    where = np.zeros(lying.shape, np.uint8)
    for digit in page.digits:
        x0, y0, x1, y1 = digit.box
        where[y0:y1, x0:x1] = 255
    written = np.zeros(ink.shape, np.uint8)
    for x0, y0, x1, y1 in boxes:
        written[y0:y1, x0:x1] = 255
    both = np.count_nonzero(where & np.rot90(written, quarters))
    assert both > 0.85 * max(np.count_nonzero(where), np.count_nonzero(written))


def test_an_upright_page_isnt_turned(pen: Pen) -> None:
    page = read(pen(TEXT))
    assert (page.turn, page.notes) == (0, ())
    assert abs(page.skew) < 0.5


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_page_of_print_isnt_turned(quarters: int) -> None:
    """Letters look like digits on their head more often than as they stand."""
    page = np.full((700, 900), 255, np.uint8)
    for k, text in enumerate(PRINT):
        cv2.putText(page, text, (40, 80 + 60 * k), cv2.FONT_HERSHEY_DUPLEX, 1.6, 0, 3, cv2.LINE_AA)
    found = read(np.ascontiguousarray(np.rot90(page, quarters)))
    assert len(found.digits) <= 3


def test_the_skew_of_a_turned_page_is_what_is_left(pen: Pen) -> None:
    ink = pen.ink(TEXT)[0]
    h, w = ink.shape
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), 5, 1)
    page = read(np.ascontiguousarray(np.rot90(255 - cv2.warpAffine(ink, matrix, (w, h)))))
    assert page.text == TEXT
    assert page.turn == 270
    assert page.skew == pytest.approx(5, abs=0.7)


def test_turned_ink_and_its_matrix(pen: Pen) -> None:
    ink = find_ink(cv2.cvtColor(pen("35\n7"), cv2.COLOR_GRAY2RGB))
    for quarters in range(4):
        other, matrix = turned(ink, quarters)
        assert np.array_equal(other.mask, np.rot90(ink.mask, quarters))
        y, x = np.argwhere(ink.mask)[0]
        u, v, _ = matrix @ (x + 0.5, y + 0.5, 1)
        assert other.mask[int(v), int(u)]
        assert other.level[int(v), int(u)] == ink.level[y, x]


def test_an_annotated_page_is_shown_upright(pen: Pen) -> None:
    lying = np.ascontiguousarray(np.rot90(cv2.cvtColor(pen(TEXT), cv2.COLOR_GRAY2RGB)))
    drawn = annotate(lying, read(lying), legend=False)
    assert (drawn.shape[0] < drawn.shape[1]) == (lying.shape[0] > lying.shape[1])
