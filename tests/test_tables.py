"""Cells, strips of boxes, columns of lists: what stands in them is a number of its own, and empty cells keep their place."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from pen import HEIGHT, Pen

from lenet.reading import read
from lenet.reading.shapes.cells import Grid, find_grid

CELL = 64


def grid(pen: Pen, rows: list[list[str]], wide: int = 2 * CELL, thickness: int = 2) -> np.ndarray:
    """A ruled table on white, uint8 [h, w]."""
    page = np.full((120 + CELL * len(rows), 120 + wide * len(rows[0])), 255, np.uint8)
    for k in range(len(rows) + 1):
        cv2.line(page, (60, 60 + k * CELL), (60 + wide * len(rows[0]), 60 + k * CELL), 0, thickness)
    for k in range(len(rows[0]) + 1):
        cv2.line(page, (60 + k * wide, 60), (60 + k * wide, 60 + CELL * len(rows)), 0, thickness)
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            if text:
                write(page, pen, text, 60 + c * wide + 12, 60 + r * CELL + 10)
    return page


def write(page: np.ndarray, pen: Pen, text: str, x: int, y: int) -> None:
    ink, boxes = pen.ink(text)
    left, top, right, bottom = boxes[0][0], min(b[1] for b in boxes), boxes[-1][2], max(b[3] for b in boxes)
    there = page[y : y + bottom - top, x : x + right - left]
    np.minimum(there, 255 - ink[top:bottom, left:right], out=there)


@pytest.mark.parametrize(
    "rows",
    [
        [["12", "", "3"], ["", "45", ""], ["6", "7", "89"]],
        [["", "3", "", "58"], ["71", "", "", "2"]],
        [["4", "", ""], ["", "", "9"], ["", "8", ""], ["35", "2", "70"]],
    ],
)
def test_a_table_keeps_its_empty_cells(pen: Pen, rows: list[list[str]]) -> None:
    page = read(grid(pen, rows), layout="table")
    assert page.text == "\n".join("\t".join(row) for row in rows)
    assert all(len(line.numbers) == len(rows[0]) for line in page.lines)
    empty = [n for line in page.lines for n in line.numbers if not n.digits]
    assert empty
    assert all(x1 > x0 and y1 > y0 for x0, y0, x1, y1 in (n.box for n in empty))


def test_a_cell_is_a_number(pen: Pen) -> None:
    """In lines too, however near the next cell's digits are and however far apart its own."""
    rows = [["3", "2", "1"], ["7", "4", "9"], ["5", "8", "6"]]
    assert read(grid(pen, rows, wide=CELL)).text == "3 2 1\n7 4 9\n5 8 6"
    assert read(grid(pen, rows, wide=CELL), layout="table").text == "3\t2\t1\n7\t4\t9\n5\t8\t6"


def test_a_strip_of_boxes_is_one_number(pen: Pen) -> None:
    page = np.full((400, 640), 255, np.uint8)
    texts = ["20319", "4871"]
    for k, text in enumerate(texts):
        for i in range(len(text) + 1):
            cv2.line(page, (60 + i * CELL, 60 + 160 * k), (60 + i * CELL, 60 + CELL + 160 * k), 0, 2)
        for y in (60 + 160 * k, 60 + CELL + 160 * k):
            cv2.line(page, (60, y), (60 + len(text) * CELL, y), 0, 2)
        for i, char in enumerate(text):
            write(page, pen, char, 60 + i * CELL + 16, 72 + 160 * k)
    assert read(page).text == "20319\n4871"


def test_a_list_of_names_and_marks(pen: Pen) -> None:
    """Marks of one to three digits beside printed names: nothing is left of the names, and no mark is lost."""
    names = [
        "Miller Anna",
        "Okafor James",
        "Silva Bea",
        "Moreau Luc",
        "Tanaka Yui",
        "Novak Petr",
        "Kaya Elif",
        "Ross Ian",
    ]
    marks = ["17", "9", "120", "34", "8", "76", "53", "92"]
    page = np.full((90 * len(names) + 80, 900), 255, np.uint8)
    for k, (name, mark) in enumerate(zip(names, marks, strict=True)):
        cv2.putText(page, name, (60, 110 + 90 * k), cv2.FONT_HERSHEY_DUPLEX, 1.4, 0, 2, cv2.LINE_AA)
        write(page, pen, mark, 640, 110 + 90 * k - HEIGHT)
    found = read(page)
    assert found.text.split() == marks
    assert any("left out as words" in note for note in found.notes)


def test_few_shapes_in_one_line_are_no_prose(pen: Pen) -> None:
    ink = pen.ink("8  3")[0]
    x = int(np.flatnonzero(ink.max(axis=0))[0]) + 62
    cv2.line(ink, (x, 60), (x + 24, 60), 255, 4, cv2.LINE_AA)
    cv2.line(ink, (x + 12, 48), (x + 12, 72), 255, 4, cv2.LINE_AA)
    digits = [digit.text for digit in read(255 - ink).digits if not digit.rejected]
    assert digits == ["8", "3"]


@pytest.mark.parametrize("length", [2, 3, 4, 5])
def test_a_number_with_one_digit_crossed_out_keeps_its_place(pen: Pen, length: int) -> None:
    rows = ["3472916"[k : k + length] for k in range(3)] + ["862", "951"]
    ink, boxes = pen.ink("\n".join(rows))
    x0, y0, x1, y1 = boxes[1]
    for one, two in (((x0, y0), (x1, y1)), ((x0, y1), (x1, y0))):
        cv2.line(ink, one, two, 255, 5, cv2.LINE_AA)
    lines = read(255 - ink).text.split("\n")
    assert lines[1:] == rows[1:]
    assert lines[0] == rows[0][0] + "?" + rows[0][2:]


def test_the_cells_of_a_grid() -> None:
    rules = np.zeros((300, 400), np.uint8)
    for y in (50, 100, 150):
        rules[y : y + 2, 50:303] = 1
    for x in (50, 150, 250, 301):
        rules[50:152, x : x + 2] = 1
    found = find_grid(rules)
    assert found is not None
    assert found.rows() == [[0, 1, 2], [3, 4, 5]]
    assert found.columns() == [0, 1, 2, 0, 1, 2]
    assert found.cell_of((60, 60, 90, 90)) == 0
    assert found.cell_of((260, 110, 290, 140)) == 5
    assert found.cell_of((10, 10, 30, 30)) == -1
    assert found.strips() == [0, 1, 2, 3, 4, 5]
    assert find_grid(np.zeros((300, 400), np.uint8)) is None
    assert find_grid(None) is None


def test_strips_of_boxes() -> None:
    boxes = [(0, 0, 40, 40), (44, 0, 84, 40), (88, 1, 128, 41), (200, 0, 240, 40), (0, 100, 40, 140), (0, 144, 40, 184)]
    found = Grid(boxes, np.zeros((200, 300), np.int32))
    assert found.strips() == [0, 0, 0, 3, 4, 5]
