"""Strokes, pens, the digits of many schools, what is no digit, and digits badly cut."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lenet.reading.weights import cuts, hands, negatives, strokes

BAR = [np.array([[0.5, 0.0], [0.5, 1.0]])]


def digits(images: int = 40) -> list[np.ndarray]:
    """Digits of every school, 40 pixels high."""
    rng = np.random.default_rng(5)
    return [strokes.resized(strokes.drawn(hands.schooled(i % 10, rng), rng), 40) for i in range(images)]


def parts(coverage: np.ndarray) -> int:
    return cv2.connectedComponents((coverage > 127).astype(np.uint8))[0] - 1


def test_a_curve_goes_through_its_points():
    points = np.array([[0.0, 0.0], [0.3, 1.0], [0.8, 0.2], [1.0, 1.0]])
    line = strokes.curve(points)
    nearest = [np.abs(line - point).sum(axis=1).min() for point in points]
    assert max(nearest) < 0.03  # it is sampled, so that it passes a point by a step at most


@pytest.mark.parametrize("width", [0.04, 0.1, 0.22])
def test_a_pen_is_as_wide_as_asked_for(width):
    found = [strokes.drawn(BAR, np.random.default_rng(seed), width) for seed in range(40)]
    wide = np.median([(image > 127).sum(axis=1).mean() for image in found])
    assert wide == pytest.approx(width * strokes.SIDE, rel=0.35, abs=2.5)  # an anti-aliased line is two pixels wider
    assert all(image.max() > 100 and image.dtype == np.uint8 for image in found)  # some pens are faint


def test_lines_are_drawn_the_same_for_the_same_seed():
    first, second = (strokes.drawn(hands.schooled(8, r), r) for r in (np.random.default_rng(3) for _ in range(2)))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("digit", range(10))
def test_every_school_writes_every_digit(digit):
    rng = np.random.default_rng(digit)
    for _ in range(30):
        lines = hands.schooled(digit, rng)
        low, high = np.concatenate(lines).min(axis=0), np.concatenate(lines).max(axis=0)
        assert 0.7 < (high - low)[1] < 1.4  # of a height of 1
        assert (high - low)[0] < 1.3
        image = strokes.drawn(lines, rng)
        assert 0.02 < (image > 127).mean() < 0.95
        assert parts(image) <= 3


def test_a_trace_keeps_its_way():
    points = np.array([[0.0, 1.0], [1.0, 1.0], [0.5, 0.5], [0.3, 0.0]])
    (line,) = hands.traced(points, 7, np.random.default_rng(0))
    assert line[0, 1] < 0.15 < 0.85 < line[-1, 1]  # y of a trace goes up, of a picture down
    assert abs(line[0, 0]) < 0.15


def test_a_glyph_is_drawn_anew_along_its_middle():
    ring = cv2.circle(np.zeros((28, 28), np.uint8), (14, 14), 8, 255, 3, cv2.LINE_AA)
    thin, fat = (strokes.redrawn(ring, np.random.default_rng(0), width) for width in (0.05, 0.2))
    assert parts(thin) == parts(fat) == 1
    assert 3 < (fat > 127).sum() / (thin > 127).sum() < 5  # four times the width
    for image in (thin, fat):
        assert image[image.shape[0] // 2, image.shape[1] // 2] == 0  # it is still a ring


def test_thinning_leaves_lines_of_one_pixel():
    ink = cv2.line(np.zeros((40, 40), np.uint8), (5, 5), (34, 30), 1, 7)
    thin = strokes._thinned(ink)
    assert 20 < thin.sum() < 40
    assert parts(thin * 255) == 1


def test_a_badly_cut_digit_is_still_there():
    rng, some = np.random.default_rng(0), digits()
    for i in range(200):
        digit, other = some[i % len(some)], some[int(rng.integers(len(some)))]
        found = cuts.badly_cut(digit, other, rng)
        assert found.dtype == np.uint8
        assert min(found.shape) > 2
        share = (found > 100).mean() * found.size / found.shape[0] ** 2
        assert share > 0.01
    assert any(not np.array_equal(cuts.badly_cut(d, d, rng), d) for d in some)


@pytest.mark.parametrize("fault", [cuts._cut_short, cuts._broken, cuts._ruled, cuts._rough, cuts._coarse])
def test_a_fault_leaves_most_of_a_digit(fault):
    rng = np.random.default_rng(1)
    for digit in digits(60):
        found = fault(digit, rng)
        ink = [(image > 127).sum() / max(image.shape) ** 2 for image in (digit, found)]
        assert 0.4 * ink[0] < ink[1] + 0.02


def test_little_of_a_neighbour_is_left_beside_a_digit():
    rng, some = np.random.default_rng(2), digits()
    for digit in some:
        found = cuts._with_neighbour(digit, some[int(rng.integers(len(some)))], rng)
        assert found.sum(dtype=float) <= (1 + 2.2 * cuts._MOST_LEFT) * digit.sum(dtype=float)
        assert found.shape[1] >= digit.shape[1]


@pytest.mark.parametrize("name", negatives.NEGATIVES)
def test_what_is_no_digit_is_drawn(name):
    rng = np.random.default_rng(0)
    found = [negatives.NEGATIVES[name](30.0, rng) for _ in range(40)]
    assert all(image.dtype == np.uint8 and min(image.shape) > 1 and image.max() > 60 for image in found)
    assert len({image.tobytes() for image in found}) == 40


def test_a_digit_crossed_out_has_much_more_ink():
    rng = np.random.default_rng(0)
    more = []
    for digit in digits():
        found = negatives.crossed_out(digit, rng)
        more.append(found.sum(dtype=float) / digit.sum(dtype=float))
        assert more[-1] >= 1
    assert np.median(more) > 1.4


def test_a_part_of_a_word_is_a_piece_of_it():
    rng = np.random.default_rng(0)
    word = np.concatenate([np.pad(d, ((0, 40 - d.shape[0]), (0, 3))) for d in digits(4)], axis=1)
    found = [negatives.part_of_word(word, rng) for _ in range(40)]
    assert {image.shape[1] == word.shape[1] for image in found} == {True, False}
    assert all(image.shape[1] <= word.shape[1] and image.shape[0] <= 40 for image in found)
