"""The line network: windows and whole strips give the same answers, columns become digits, and strips are read."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import lenet
from lenet.autograd.tensor import dense
from lenet.data import idx as _idx
from lenet.jit import plan
from lenet.reading import Reader, read
from lenet.reading.lines import decode
from lenet.reading.lines.columns import MEAN, PITCH, STD, Columns
from lenet.reading.lines.cut import cut_strip, dark_on_light
from lenet.reading.lines.network import LABELS, STRIDE, network, slid
from lenet.reading.lines.reader import is_strip
from lenet.reading.lines.strip import COLUMNS, PAPER, ROWS, levels
from lenet.reading.shapes.lines import Row
from lenet.reading.shapes.shape import Shape
from lenet.reading.weights import training
from lenet.reading.weights.reader import PACKAGED
from lenet.train.data import split
from lenet.train.trained import Trained, pixel_table

GAP = LABELS.index("gap")


@pytest.fixture(scope="module")
def fresh():
    """A network of random weights."""
    lenet.seed(1)
    return Trained(network(), (1, ROWS, COLUMNS), LABELS, MEAN, STD)


def chain(net, width):
    found = plan.compile(net.eval(), None, None, [dense(np.zeros((1, 1, ROWS, width), np.float32))])
    assert isinstance(found, plan.Chain)
    return found


def noise(width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (ROWS, width)).astype(np.uint8)


def log_probabilities(scores):
    return scores - np.log(np.exp(scores - scores.max()).sum()) - scores.max()


def test_slid_along_a_strip_it_answers_as_for_each_window(fresh):
    count, lut = 9, pixel_table(MEAN, STD)
    strip = noise(COLUMNS + STRIDE * (count - 1))
    windows = np.stack([strip[:, STRIDE * k : STRIDE * k + COLUMNS] for k in range(count)])[:, None]
    one_by_one = chain(fresh.network, COLUMNS).infer(np.ascontiguousarray(windows), lut)
    at_once = chain(slid(fresh.network), strip.shape[1]).infer(strip[None, None], lut)
    # The split convolution rounds by where a place lies in its tile, which differs between the two: scores reach 15.
    np.testing.assert_allclose(at_once.reshape(len(LABELS), count).T, one_by_one, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("width", [8, 63, 64, 65, 200])
def test_columns_are_those_of_windows_wherever_tiles_end(fresh, width):
    strip = noise(width, width)
    found, _ = Columns(fresh)([strip, noise(90)])
    assert found.shape == (-(-width // PITCH), len(LABELS))
    framed = np.pad(strip, ((0, 0), (COLUMNS // 2, COLUMNS)), constant_values=PAPER)
    for k in (0, len(found) // 2, len(found) - 1):
        window = framed[:, PITCH * k : PITCH * k + COLUMNS]
        scores = fresh.logits(np.ascontiguousarray(window)[None])[0]
        np.testing.assert_allclose(found[k], log_probabilities(scores), rtol=1e-4, atol=1e-4)


def test_no_strips_no_answers(fresh):
    assert Columns(fresh)([]) == []


def test_another_network_is_refused():
    with pytest.raises(ValueError, match="16 of lines"):
        Columns(Trained.load(PACKAGED))


def said(text, sure=0.9, runs=2):
    """Answers that say a text, ``_`` for a gap, each for so many columns."""
    rows = np.full((len(text) * runs, len(LABELS)), (1 - sure) / (len(LABELS) - 1), np.float32)
    for k, letter in enumerate(text):
        rows[k * runs : (k + 1) * runs, GAP if letter == "_" else LABELS.index(letter)] = sure
    return np.log(rows)


@pytest.mark.parametrize(
    ("columns", "text"), [("_1_1_", "11"), ("_11_", "1"), ("12", "12"), ("____", ""), ("_3._4-5", "345")]
)
def test_columns_become_digits(columns, text):
    found = decode.decode(said(columns))
    assert decode.text_of(found) == text
    assert [one.place for one in found] == sorted(one.place for one in found)
    for one in found:
        assert one.probabilities.shape == (11,)
        assert one.probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_a_digit_that_hardly_any_column_says_is_none():
    answers = said("____")
    answers[3] = np.log(np.full(len(LABELS), 0.3 / 14))
    answers[3, [7, GAP]] = np.log(0.4), np.log(0.3)
    assert decode.decode(answers) == []


def test_likelihoods_of_all_texts_add_up_to_one():
    rng = np.random.default_rng(0)
    answers = np.log(rng.dirichlet(np.ones(len(LABELS)), 3)).astype(np.float32)
    texts = ["".join(some) for n in range(4) for some in itertools.product("0123456789", repeat=n)]
    total = sum(np.exp(decode.likelihood(answers, text)) for text in texts if len(text) < 3 or len(set(text)) > 1)
    impossible = sum(np.exp(decode.likelihood(answers, 3 * digit)) for digit in "0123456789")
    assert total == pytest.approx(1, abs=1e-4)
    assert impossible == pytest.approx(0, abs=1e-6)  # three of one digit need two gaps, and there are three columns


def test_levels_forget_the_light():
    page = np.full((ROWS, 120), 200, np.uint8)
    page[8:24, 40:44] = 60
    shaded = (page * np.linspace(0.9, 0.5, 120) + 20).astype(np.uint8)
    one, two = levels(page), levels(shaded)
    assert one.dtype == np.uint8
    assert np.median(one) == pytest.approx(PAPER, abs=10)
    for each in (one, two):
        paper = np.delete(each, np.s_[38:46], axis=1)
        assert each[12:20, 41:43].min() > paper.max() + 60


def test_a_strip_is_low_and_wide():
    assert is_strip((40, 160))
    assert is_strip((128, 400))
    assert not is_strip((40, 44))
    assert not is_strip((12, 100))
    assert not is_strip((300, 1200))


@pytest.mark.parametrize("size", [0.85, 1.0, 1.4])
def test_a_place_on_a_strip_is_one_in_the_picture(size):
    grey = np.full((60, 200), 230, np.uint8)
    grey[20:40, 100:104] = 20
    cut = cut_strip(grey, size, 1.2)
    assert cut.level.shape[0] == ROWS
    assert cut.at(cut.column(77.0)) == pytest.approx(77.0)
    darkest = float(cut.level[ROWS // 2].astype(int).argmax())
    assert cut.at(darkest + 0.5) == pytest.approx(102, abs=2)


def test_a_row_is_as_high_as_the_network_likes_it():
    grey = np.full((120, 300), 230, np.uint8)
    grey[30:50, 100:110] = 20
    shape = Shape((100, 30, 110, 50), np.full((22, 12), 255, np.uint8), 200)
    cut = cut_strip(grey, 1.0, 1.0, Row([shape], 20.0, [shape]))
    inked = np.flatnonzero(cut.level.max(axis=1) > 150)
    assert len(inked) == pytest.approx(21, abs=2)
    assert (inked[0] + inked[-1]) / 2 == pytest.approx(ROWS / 2, abs=1)


def test_ink_is_always_dark():
    rgb = np.random.default_rng(0).integers(0, 256, (9, 7, 3)).astype(np.uint8)
    np.testing.assert_array_equal(dark_on_light(rgb, "light on dark"), 255 - dark_on_light(rgb, "dark on light"))


@pytest.fixture(scope="module")
def held(mnist_dir):
    """Every tenth of MNIST's training images that nothing is trained on."""
    images, labels = _idx.read_pair(mnist_dir / "train-images-idx3-ubyte", mnist_dir / "train-labels-idx1-ubyte")
    kept = split(labels.astype(np.int64), training.HELD)[1][::10]
    return images[kept], labels[kept]


def strip_of(images, apart):
    """Digits side by side, so many pixels of their frames over each other, dark on light: uint8 [48, w, 3]."""
    page = np.zeros((28, 28 + (28 - apart) * (len(images) - 1) + 8), np.uint8)
    for k, image in enumerate(images):
        x = 4 + k * (28 - apart)
        np.maximum(page[:, x : x + 28], image, out=page[:, x : x + 28])
    large = np.kron(255 - page, np.ones((2, 2), np.uint8))
    return np.repeat(large[..., None], 3, axis=2)


@pytest.mark.parametrize(("apart", "least"), [(4, 0.93), (11, 0.8)])
def test_strips_are_read_touching_or_not(held, apart, least):
    images, labels = held
    reader, right, count = Reader(), 0, 0
    for k in range(0, 200, 4):
        page = read(strip_of(images[k : k + 4], apart), reader)
        text = "".join(c for c in page.text if c.isdigit())
        right += sum(a == b for a, b in zip(text, map(str, labels[k : k + 4]), strict=False)) if len(text) == 4 else 0
        count += 4
        for digit in page.digits:
            x0, y0, x1, y1 = digit.box
            assert 0 <= x0 < x1 <= page.width
            assert 0 <= y0 < y1 <= page.height
    assert right >= least * count


def test_a_reader_of_ones_own_has_no_line_network():
    assert Reader(lambda images: np.full((len(images), 10), 0.1)).columns is None
    assert Reader().columns is not None
