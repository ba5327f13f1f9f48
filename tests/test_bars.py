"""A comb's ticks and thick sides of boxes are taken; 1s and the stems of digits stay."""

from __future__ import annotations

import cv2
import numpy as np
from pen import HEIGHT, Pen

from lenet.reading import read
from lenet.reading.ink.bars import take_bars, take_boxes


def test_ticks_go_and_ones_stay() -> None:
    mask, line = np.zeros((120, 600), np.uint8), np.zeros((120, 600), np.uint8)
    line[100:102] = 1
    for x in range(40, 600, 60):
        mask[80:100, x : x + 3] = 1
    mask[60:100, 70:73] = 1  # a 1 on the line
    mask[55:100, 310:313] = mask[55:58, 310:340] = 1  # the stem of a 7
    before = mask.copy()
    taken = take_bars(mask, line, 2.0, 3.0)
    assert not mask[80:100, 40:43].any()
    assert taken[80:100, 40:43].all()
    assert np.array_equal(mask[:, 65:80], before[:, 65:80])
    assert np.array_equal(mask[:, 305:338], before[:, 305:338])


def test_ones_on_a_line_are_no_comb() -> None:
    mask, line = np.zeros((120, 600), np.uint8), np.zeros((120, 600), np.uint8)
    line[100:102] = 1
    for x, top in ((40, 60), (75, 58), (130, 62), (200, 60), (222, 61)):  # as a hand spaces them
        mask[top:100, x : x + 3] = 1
    before = mask.copy()
    take_bars(mask, line, 2.0, 3.0)
    assert np.array_equal(mask, before)


def test_digits_on_a_comb(pen: Pen) -> None:
    """A base line with ticks between the digits, and no other side."""
    page = np.full((500, 800), 255, np.uint8)
    texts = ["3520719", "864", "27945"]
    for k, text in enumerate(texts):
        base = 110 + 130 * k
        cv2.line(page, (60, base), (60 + 8 * 80, base), 0, 2)
        for i in range(9):
            cv2.line(page, (60 + i * 80, base - 20), (60 + i * 80, base), 0, 2)
        for i, char in enumerate(text):
            ink, [(x0, y0, x1, y1)] = pen.ink(char)
            part = page[base - 8 - HEIGHT : base - 8, 60 + i * 80 + 20 :]
            part[HEIGHT - (y1 - y0) :, : x1 - x0] = np.minimum(
                part[HEIGHT - (y1 - y0) :, : x1 - x0], 255 - ink[y0:y1, x0:x1]
            )
    found = "".join(digit.text for digit in read(page).digits)
    assert found == "".join(texts)


def test_boxes_go_and_what_stands_in_them_stays() -> None:
    mask = np.zeros((120, 400), np.uint8)
    for x in (20, 80, 140):
        cv2.rectangle(mask, (x, 30), (x + 40, 70), 1, 2)
    cv2.line(mask, (100, 31), (100, 60), 1, 3)  # a 1 that touches its box
    cv2.ellipse(mask, (300, 50), (18, 20), 0, 0, 360, 1, 2)  # a 0
    taken = take_boxes(mask, 2.0)
    assert not mask[:, 20:78].any()
    assert mask[40:58, 99:102].all()
    assert np.count_nonzero(mask[:, 270:]) > 100
    assert taken[30:71, 20:22].all()


def test_a_strip_of_boxes_goes_whole() -> None:
    mask = np.zeros((200, 300), np.uint8)
    for y in (20, 80, 140):
        for k in range(5):
            cv2.rectangle(mask, (30 + 30 * k, y), (60 + 30 * k, y + 34), 1, 2)
    take_boxes(mask, 2.0)
    assert not mask.any()


def test_a_square_zero_is_no_box() -> None:
    mask = np.zeros((120, 400), np.uint8)
    cv2.rectangle(mask, (20, 30), (50, 75), 1, 3)
    cv2.rectangle(mask, (80, 30), (104, 72), 1, 3)
    before = mask.copy()
    take_boxes(mask, 3.0)
    assert np.array_equal(mask, before)
