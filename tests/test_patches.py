"""Bands, stripes, highlighters and logos are paper of another colour: what is written on and beside them is read."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from pen import Pen

from lenet.reading import read
from lenet.reading.ink.marks import without_marks
from lenet.reading.ink.paper import page_paper

TEXT = "3471 925\n60348 12\n4739 52\n2743 86"


def sheet(pen: Pen, part: tuple[int, int, int, int], colour: tuple[float, ...], noise: float = 2.0) -> np.ndarray:
    """TEXT on a page whose part x0, y0, x1, y1 has another colour, shares of white: uint8 [h, w, 3]."""
    ink = pen.ink(TEXT, (560, 760))[0]
    page = np.full((*ink.shape, 3), 248.0)
    x0, y0, x1, y1 = part
    page[y0:y1, x0:x1] *= np.array(colour)
    page *= 1 - 0.9 * ink[..., None] / 255
    return np.clip(page + np.random.default_rng(3).normal(0, noise, page.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("colour", [(0.9,) * 3, (0.75,) * 3, (0.7, 0.82, 1.0), (1.0, 1.0, 0.4)])
@pytest.mark.parametrize(
    "part",
    [(0, 28, 760, 92), (20, 20, 700, 100), (30, 190, 760, 250), (30, 104, 330, 172)],
    ids=["head", "wide", "row", "marker"],
)
def test_numbers_on_and_beside_a_band(pen: Pen, part: tuple[int, int, int, int], colour: tuple[float, ...]) -> None:
    assert read(sheet(pen, part, colour)).text == TEXT


@pytest.mark.parametrize("size", [(60, 60), (120, 60), (180, 100), (230, 120)])
@pytest.mark.parametrize("colour", [(0.2, 0.3, 0.9), (0.1, 0.1, 0.1)])
def test_a_block_is_passed_over(pen: Pen, size: tuple[int, int], colour: tuple[float, ...]) -> None:
    w, h = size
    assert read(sheet(pen, (500, 400, 500 + w, 400 + h), colour)).text == TEXT


def test_stripes(pen: Pen) -> None:
    page = sheet(pen, (0, 0, 0, 0), (1.0,) * 3).astype(float)
    for y in range(28, 560, 160):
        page[y : y + 80] *= 0.88
    assert read(page.astype(np.uint8)).text == TEXT


def test_a_shadow_and_a_thick_stroke_are_no_patches() -> None:
    """A shadow's edge is soft; a marker's stroke is ink, however thick."""
    across = np.clip((np.arange(700) - 300) / 120, 0, 1)
    lit = (150 + 90 * across[None, :, None] * np.ones((500, 1, 3))).astype(np.uint8)
    assert page_paper(lit).inside is None
    page = np.full((700, 900, 3), 245, np.uint8)
    cv2.putText(page, "385", (60, 480), cv2.FONT_HERSHEY_SIMPLEX, 13, (20, 20, 40), 40, cv2.LINE_AA)
    paper = page_paper(page)
    small = cv2.resize(page, paper.colour.shape[1::-1], interpolation=cv2.INTER_AREA)
    ink = small.min(axis=2) < 100
    assert (paper.colour[ink] > 200).all()
    assert read(page).text == "385"


def test_lines_of_print_are_no_patches() -> None:
    """From afar a line of small print is grey."""
    page = np.full((900, 700, 3), 250, np.uint8)
    text = "the quick brown fox jumps over the lazy dog " * 2
    for y in range(100, 800, 60):
        for dy in (0, 14):
            cv2.putText(page, text, (40, y + dy), 0, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    assert page_paper(page).colour.min() > 200


@pytest.mark.parametrize(
    "colour", [(1.0, 1.0, 0.45), (0.6, 0.95, 1.0), (1.0, 0.75, 0.85)], ids=["yellow", "cyan", "pink"]
)
def test_a_highlighters_marks_are_taken_off(pen: Pen, colour: tuple[float, ...]) -> None:
    page = sheet(pen, (0, 0, 0, 0), (1.0,) * 3).astype(np.float64)
    for y, x0, x1 in ((24, 40, 160), (104, 210, 300), (264, 30, 250)):
        mark = np.zeros(page.shape[:2], np.uint8)
        cv2.line(mark, (x0, y + 34), (x1, y + 38), 255, 44, cv2.LINE_AA)
        page *= 1 - (1 - np.array(colour)) * mark[..., None] / 255
    assert read(page.astype(np.uint8)).text == TEXT


def test_a_coloured_pen_is_no_highlighter(pen: Pen) -> None:
    ink = pen.ink(TEXT, (560, 760))[0]
    thick = cv2.dilate(ink, np.ones((3, 3), np.uint8))[..., None] / 255.0
    page = (245 * (1 - thick) + np.array([225.0, 40.0, 60.0]) * thick).astype(np.uint8)
    assert np.array_equal(without_marks(page), page)
    assert read(page).text == TEXT


def test_a_mark_beside_a_tinted_row(pen: Pen) -> None:
    """Each has its own colour: neither is taken for the other."""
    page = sheet(pen, (0, 0, 760, 26), (0.82, 0.84, 0.92)).astype(np.float64)
    mark = np.zeros(page.shape[:2], np.uint8)
    cv2.line(mark, (40, 58), (160, 60), 255, 72, cv2.LINE_AA)
    page *= 1 - (1 - np.array((0.6, 0.95, 1.0))) * mark[..., None] / 255
    assert read(page.astype(np.uint8)).text == TEXT


def test_light_ink_on_coloured_paper_is_no_mark(pen: Pen) -> None:
    ink = cv2.dilate(pen.ink(TEXT, (560, 760))[0], np.ones((5, 5), np.uint8))[..., None] / 255.0
    page = np.array([62.0, 18.0, 30.0]) * (1 - ink) + np.array([150.0, 150.0, 155.0]) * ink
    page += np.random.default_rng(5).normal(0, 4, page.shape)
    page = np.clip(page, 0, 255).astype(np.uint8)
    assert np.array_equal(without_marks(page), page)


def test_a_wide_faint_pen_with_specks_in_it_is_no_mark(pen: Pen) -> None:
    ink = cv2.dilate(pen.ink(TEXT, (560, 760))[0], np.ones((7, 7), np.uint8))[..., None] / 255.0
    page = np.array([245.0, 243.0, 237.0]) * (1 - ink) + np.array([205.0, 150.0, 150.0]) * ink
    chance = np.random.default_rng(6)
    page[chance.random(page.shape[:2]) < 0.05] = 90
    page = np.clip(page, 0, 255).astype(np.uint8)
    assert np.array_equal(without_marks(page), page)
