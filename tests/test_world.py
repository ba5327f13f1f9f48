"""The drawn world: seeded lines of every kind, with what stands at each column, and windows out of them."""

from __future__ import annotations

import numpy as np
import pytest

from lenet.reading.lines.network import LABELS
from lenet.reading.lines.strip import COLUMNS, ROWS
from lenet.reading.weights.traces import Traces
from lenet.reading.world import hands, lines, scenes, training
from lenet.reading.world.writing import GAP, OTHER

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


@pytest.fixture(scope="module")
def sources():
    """Bars and rings for MNIST's digits, random traces, and one font."""
    face = hands.face_of(FONT, True)
    if face is None:  # pragma: no cover
        pytest.skip("fonts-dejavu-core")
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 4:24, 10:18] = 255
    image[0, 8:20, 13:15] = 0
    pens = Traces(np.random.default_rng(0).uniform(0, 1, (20, 8, 2)), np.arange(20) % 10)
    return hands.Sources((image,) * 10, pens, tuple(np.flatnonzero(pens.labels == d) for d in range(10)), (face,))


@pytest.mark.parametrize("kind", scenes.KINDS)
def test_every_kind_is_drawn_and_the_same_again(sources, kind):
    for seed in range(8):
        first, second = (lines.draw_strip(sources, np.random.default_rng(seed), kind) for _ in range(2))
        np.testing.assert_array_equal(first.image, second.image)
        assert first.marks == second.marks
        assert first.image.shape[0] == ROWS
        assert first.image.dtype == np.uint8


def test_each_digit_has_columns_of_its_own(sources):
    rng, digits, found = np.random.default_rng(1), 0, 0
    for _ in range(60):
        strip = lines.draw_strip(sources, rng, "numbers")
        labels = lines.labels_of(strip)
        wide = strip.image.shape[1]
        inside = [m for m in strip.marks if m.label < 10 and 2 < (m.box[0] + m.box[2]) / 2 < wide - 2]
        digits += len(inside)
        found += sum(labels[int((m.box[0] + m.box[2]) / 2)] == m.label for m in inside)
    assert found >= 0.97 * digits > 200  # what is written over another digit has none now and then


def test_nothing_has_no_digit(sources):
    rng = np.random.default_rng(2)
    for _ in range(20):
        labels = lines.labels_of(lines.draw_strip(sources, rng, "nothing"))
        assert set(labels.tolist()) <= {GAP, OTHER, -1}


def test_windows_are_cut_about_their_columns(sources):
    strip = lines.draw_strip(sources, np.random.default_rng(3), "amount")
    windows, labels = lines.windows_of(strip, np.random.default_rng(0))
    assert windows.shape == (len(labels), ROWS, COLUMNS)
    assert windows.dtype == np.uint8
    assert 0 <= labels.min() <= labels.max() < len(LABELS)


class Here:
    """A pool of one process, this one."""

    def starmap(self, function, arguments, chunksize):
        return [function(*each) for each in arguments]


@pytest.mark.parametrize(("of", "size"), [("lines", 40), ("pages", 8)])
def test_training_goes_on_where_it_was_stopped(sources, monkeypatch, of, size):
    monkeypatch.setattr(training, "_here", sources)
    made = training.draw(Here(), of, 0, 0, size)
    whole, part = training.Training(2, of=of), training.Training(2, of=of)
    for _ in range(2):
        whole.learn(whole.hard(made), 0, 1)
        whole.done += 1
    part.learn(made, 0, 1)
    part.done += 1
    arrays, about = part.state()
    again = training.Training(2, of=of)
    again.restore({name: array.copy() for name, array in arrays.items()}, about)
    again.learn(again.hard(made), 0, 1)
    for name, array in whole.weights().items():
        np.testing.assert_array_equal(again.weights()[name], array)
    with pytest.raises(ValueError, match="3 rounds"):
        training.Training(3, of=of).restore(arrays, about)
