"""The page network: the same answers slid as window by window, digits found where they stand, and rows made of them."""

from __future__ import annotations

import pickle

import cv2
import numpy as np
import pytest

from lenet.autograd import random
from lenet.reading import read
from lenet.reading.pages import finder
from lenet.reading.pages.believe import believed
from lenet.reading.pages.finder import Finder, Spot
from lenet.reading.pages.network import LABELS, NONE, STRIDE, WINDOW, network
from lenet.reading.pages.reader import recognise_spots
from lenet.reading.pages.scales import PAPER, levels
from lenet.reading.shapes.cells import has_cells
from lenet.reading.shapes.form import NO_DIGIT
from lenet.reading.shapes.shape import MARGIN, Shape
from lenet.reading.weights.reader import Reader
from lenet.train.trained import Trained


@pytest.fixture(scope="module")
def untrained():
    """A network of random weights."""
    random.seed(3)
    made = network()
    made.eval()
    return Trained(made, (1, WINDOW, WINDOW), LABELS, finder.MEAN, finder.STD)


@pytest.fixture(scope="module")
def packaged():
    """The finder that comes with the package."""
    return Reader(None).finder


def page(texts, height=28, size=(300, 500), level=20, paper=230):
    """Grey paper with texts at places (x, base line), drawn in simple strokes about so high."""
    image = np.full(size, paper, np.uint8)
    for text, x, base in texts:
        cv2.putText(image, text, (x, base), cv2.FONT_HERSHEY_SIMPLEX, height / 22, level, 2, cv2.LINE_AA)
    return cv2.GaussianBlur(image, (0, 0), 0.7)


def test_slid_over_a_page_it_says_what_it_says_of_each_window(untrained):
    image = np.random.default_rng(0).integers(0, 256, (150, 220)).astype(np.uint8)
    answers = Finder(untrained).answers(image)
    assert answers.shape == (-(-150 // STRIDE), -(-220 // STRIDE), len(LABELS))
    framed = np.pad(image, WINDOW // 2, constant_values=PAPER)
    places = [(0, 0), (17, 30), (36, 53), (16, 16), (15, 47)]
    windows = np.stack([framed[STRIDE * i :, STRIDE * j :][:WINDOW, :WINDOW] for i, j in places])
    alone = untrained.probabilities(windows)
    for (i, j), one in zip(places, alone, strict=True):
        np.testing.assert_allclose(answers[i, j], one, atol=2e-4)


def test_blank_paper_is_not_looked_at(untrained):
    answers = Finder(untrained).answers(np.full((200, 200), PAPER, np.uint8))
    assert (answers[..., NONE] == 1).all()


def test_light_from_a_side_changes_little(untrained):
    flat = page([("314", 60, 120)])
    shaded = (flat * np.linspace(0.6, 1, flat.shape[1])).astype(np.uint8)
    off = np.abs(levels(flat).astype(int) - levels(shaded))
    assert np.mean(off) < 4


def test_each_digit_is_found_once_with_its_size(packaged):
    image = page([("27", 60, 90), ("5", 350, 90), ("83", 200, 220)])
    spots = [spot for spot in packaged(image) if spot.sureness > 0.9]
    assert len(spots) == 5
    assert all(18 < spot.height < 45 for spot in spots)
    assert sorted(round(spot.y / 10) for spot in spots) == pytest.approx([8, 8, 8, 21, 21], abs=1)


def test_nothing_is_found_on_blank_paper(packaged):
    noise = np.random.default_rng(1).normal(220, 3, (400, 300))
    assert [spot for spot in packaged(noise.astype(np.uint8)) if spot.sureness > 0.9] == []


def test_a_finder_can_be_pickled(untrained):
    image = page([("27", 60, 90)])
    again = pickle.loads(pickle.dumps(Finder(untrained)))
    np.testing.assert_array_equal(again.answers(image), Finder(untrained).answers(image))


def test_another_network_is_refused():
    with pytest.raises(ValueError, match="expected one from"):
        Finder(Trained(network(), (1, WINDOW, WINDOW), [*LABELS[:-1], "paper"], finder.MEAN, finder.STD))


def shape(x, y, w, h):
    """A full box of ink."""
    level = np.zeros((h + 2 * MARGIN, w + 2 * MARGIN), np.uint8)
    level[MARGIN:-MARGIN, MARGIN:-MARGIN] = 255
    return Shape((x, y, x + w, y + h), level, w * h)


def spot(label, x, y, height=20.0, sureness=0.99):
    """A surely seen digit."""
    p = np.full(10, (1 - sureness) / 10, np.float32)
    p[label] = sureness
    return Spot(x, y, height, p, 0 * p, sureness, 2)


def even(images):
    """A network that knows nothing: a digit is as likely as none."""
    answers = np.full((len(images), 11), 0.05, np.float32)
    answers[:, NO_DIGIT] = 0.5
    return answers


def test_rows_and_boxes_come_from_what_was_found():
    ink = [shape(10, 10, 12, 20), shape(30, 11, 12, 20), shape(10, 60, 32, 20), shape(200, 10, 14, 20)]
    spots = [spot(4, 16, 20), spot(2, 36, 21), spot(7, 18, 70), spot(1, 34, 70)]
    rows, glyphs = recognise_spots(spots, ink, even)
    said = [[int(glyph.probabilities.argmax()) for glyph in some] for some in glyphs]
    assert said == [[4, 2], [7, 1]]
    assert glyphs[0][0].shape.box == (10, 10, 22, 30)
    left, right = (glyph.shape.box for glyph in glyphs[1])  # two digits that touch: each has a part of the ink
    assert left[0] == 10
    assert left[2] <= right[2] == 42
    assert len(rows) == 2


def test_a_point_between_digits_stays_a_sign():
    ink = [shape(10, 10, 12, 20), shape(25, 27, 3, 3), shape(32, 10, 12, 20)]
    _, glyphs = recognise_spots([spot(4, 16, 20), spot(2, 38, 20)], ink, even)
    assert [glyph.sign for glyph in glyphs[0]] == ["", ".", ""]


def test_where_there_is_no_ink_only_what_is_very_sure_counts():
    spots, ink = row_of(6)
    doubtful = spot(4, 100, 80, sureness=0.98)
    assert kept_of([*spots, doubtful], [*ink, shape(94, 70, 12, 20)]) == [*spots, doubtful]
    assert kept_of([*spots, doubtful], ink) == spots
    assert len(kept_of([*spots, spot(4, 100, 80, sureness=0.9999)], ink)) == 7


@pytest.mark.parametrize("only", ["printed", "handwritten"])
def test_only_one_kind_of_digits_is_read(only):
    """Print and handwriting, as far as simple strokes are either: what is left says that it is of the kind asked for."""
    image = page([("27 350", 60, 90), ("83 196", 60, 190)])
    found = [d for line in read(image, only=only).lines for n in line.numbers for d in n.digits]
    assert all(digit.printed == (only == "printed") for digit in found)
    everything = [d for line in read(image, only=None).lines for n in line.numbers for d in n.digits]
    assert len(found) <= len(everything)


def test_only_asks_for_the_packaged_network_and_a_page():
    image = page([("27", 60, 90)])
    with pytest.raises(ValueError, match="only"):
        read(image, only="typed")
    with pytest.raises(ValueError, match="layout single"):
        read(image, only="printed", layout="single")
    with pytest.raises(ValueError, match="model of your own"):
        read(image, even, only="printed")


def kept_of(spots, ink, rules=None):
    """Which of some spots are believed, as they were."""
    places = {(s.x, s.y) for s in believed(spots, ink, even, rules)}
    return [s for s in spots if (s.x, s.y) in places]


def row_of(count, y=20, pitch=60):
    """Surely seen digits apart from each other, and their ink."""
    spots = [spot(k % 10, 20 + pitch * k, y) for k in range(count)]
    return spots, [shape(int(s.x) - 6, int(s.y) - 10, 12, 20) for s in spots]


def test_a_less_sure_digit_is_believed_among_sure_ones_of_its_size():
    spots, ink = row_of(6)
    doubtful, large = spot(3, 20, 80, sureness=0.9), spot(3, 200, 120, height=80, sureness=0.9)
    ink += [shape(14, 70, 12, 20), shape(180, 80, 40, 80)]
    kept = kept_of([*spots, doubtful, large], ink)
    assert kept == [*spots, doubtful]
    assert kept_of([doubtful], ink) == []


def test_what_stands_over_a_dot_is_a_question_mark():
    spots, ink = row_of(6)
    doubtful, ink = spot(7, 100, 80, sureness=0.98), [*ink, shape(94, 70, 12, 20)]
    assert doubtful in kept_of([*spots, doubtful], [*ink, shape(112, 88, 3, 3)])  # a point beside
    assert doubtful not in kept_of([*spots, doubtful], [*ink, shape(99, 94, 3, 3)])


def test_a_letter_among_letters_must_look_very_much_like_a_digit():
    spots, ink = row_of(6)
    doubtful = spot(5, 100, 80, sureness=0.9)
    word = [shape(94 + dx, 70, 12, 20) for dx in (-32, -16, 0, 16, 32)]
    assert kept_of([*spots, doubtful], [*ink, word[2]]) == [*spots, doubtful]
    assert kept_of([*spots, doubtful], [*ink, *word]) == spots


def test_the_more_letters_go_on_from_it_the_surer_must_it_be():
    spots, ink = row_of(6)
    first = spot(5, 100, 80, sureness=0.97)
    word = [shape(94 + 14 * k, 70, 12, 20) for k in range(6)]
    assert kept_of([*spots, first], [*ink, *word[:2]]) == [*spots, first]
    assert kept_of([*spots, first], [*ink, *word]) == spots


def test_a_stroke_in_line_with_a_rule_is_the_rule_s():
    spots, ink = row_of(6)
    one = spot(1, 100, 80, sureness=0.98)
    rules = np.zeros((200, 400), np.uint8)
    rules[95:180, 99:102] = 1  # it goes on below
    ink = [*ink, shape(99, 70, 3, 20)]
    assert kept_of([*spots, one], ink, np.roll(rules, 12, axis=1)) == [*spots, one]
    assert kept_of([*spots, one], ink, rules) == spots


def test_what_is_seen_twice_is_one_digit():
    spots, ink = row_of(6)
    wide, again = spot(2, 100, 80, height=24.0), spot(2, 110, 79, sureness=0.985)
    ink = [*ink, shape(84, 68, 40, 24)]
    assert again not in kept_of([*spots, wide, again], ink)
    assert wide in kept_of([*spots, wide, again], ink)


def test_a_comb_is_a_place_to_write_into_and_lined_paper_is_none():
    digits = [shape(20 + 40 * k, 60, 14, 24) for k in range(6)]
    comb = np.zeros((200, 400), np.uint8)
    comb[100:103, 10:260] = 1
    for k in range(7):
        comb[70:103, 10 + 40 * k : 12 + 40 * k] = 1
    lines = np.zeros_like(comb)
    lines[20::40, :] = 1
    lines[:, 30:32] = 1
    assert has_cells(comb, digits)
    assert not has_cells(lines, digits)


def test_the_more_other_shapes_a_page_has_the_surer_must_a_digit_be():
    spots, ink = row_of(6)
    doubtful = spot(5, 100, 80, sureness=0.9)
    ink += [shape(94, 70, 12, 20)]
    letters = [shape(10 + 40 * (k % 20), 300 + 40 * (k // 20), 14, 20) for k in range(400)]
    assert doubtful in kept_of([*spots, doubtful], ink)
    assert doubtful not in kept_of([*spots, doubtful], ink + letters)


def squares(pitch):
    """Rules that part squares of so many pixels."""
    rules = np.zeros((400, 400), np.uint8)
    rules[10:391:pitch, 10:391] = 1
    rules[10:391, 10:391:pitch] = 1
    return rules


def test_who_reads_a_page():
    marks = [shape(30 + 40 * (k % 6), 30 + 40 * (k // 6), 14, 20) for k in range(18)]
    assert not has_cells(None, marks)
    assert has_cells(squares(60), marks)
    assert not has_cells(squares(15), marks)  # squared paper
    assert not has_cells(squares(380), marks)  # a frame
