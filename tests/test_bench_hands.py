"""The benchmark of other hands: what its sets hold, how an answer is counted, and its table."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[1]))  # bench is not part of the installed package

from bench.pages import hands, tables
from bench.pages.glyphs import Glyphs

from lenet.reading.shapes import singles
from lenet.reading.weights.reader import NO_DIGIT, Reader


@pytest.fixture
def pool(small_mnist: Path, monkeypatch: pytest.MonkeyPatch) -> Glyphs:
    """A hundred digits instead of the held-out ones."""
    from lenet.data import idx

    names = small_mnist / "train-images-idx3-ubyte", small_mnist / "train-labels-idx1-ubyte"
    images, labels = idx.read_pair(*names)
    some = Glyphs(images[:100], labels[:100].astype(np.int64))
    monkeypatch.setattr(hands, "mnist", lambda part: some)
    return some


@pytest.mark.parametrize("side", [8, 16])
def test_blocks_fill_their_side(pool: Glyphs, side: int) -> None:
    images, labels = hands.blocks(side)()
    assert labels is pool.labels
    assert all(image.shape == (side, side) and image.dtype == np.uint8 for image in images)
    for image in images:
        rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        assert max(rows[-1] - rows[0], columns[-1] - columns[0]) == side - 1
        assert set(np.unique(image % (256 // (32 // side) ** 2))) <= {0, 255 % (256 // (32 // side) ** 2)}


def test_sets_come_again(pool: Glyphs) -> None:
    for make in (hands.cuts, lambda: hands.schools(20)):
        first, second = make(), make()
        assert len(first[0]) == len(first[1])
        for a, b in zip(first[0], second[0], strict=True):
            np.testing.assert_array_equal(a, b)


def test_answers_are_counted() -> None:
    """A reader that is 80 % sure of a 7 in anything."""

    def sevens(images: np.ndarray) -> np.ndarray:
        answer = np.zeros((len(images), NO_DIGIT + 1), np.float32)
        answer[:, 7], answer[:, 1], answer[:, NO_DIGIT] = 0.8, 0.1, 0.1
        return answer

    images, labels = hands.schools(40)
    found = hands.measured(images, labels, Reader(sevens))
    share = float((labels == 7).mean())
    assert found["n"] == 40
    assert found["right"] == found["likeliest"] == pytest.approx(share)
    assert found["rejected"] == 0
    assert found["ece"] == pytest.approx(abs(0.8 - share), abs=1e-6)
    assert found["by_digit"][7] == 1


def test_a_former_reader_takes_tiny_images_as_others(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = []
    monkeypatch.setattr(hands, "all_sets", lambda reader, test: limits.append(singles.AS_IT_IS) or {})
    usual = singles.AS_IT_IS
    hands.formerly(hands.PACKAGED, False)
    assert limits == [0]
    assert usual == singles.AS_IT_IS


def test_the_table() -> None:
    one = {"n": 1797, "right": 0.9755, "se": 0.0036, "ece": 0.012}
    result = {"sets": {"optdigits": one, "fonts": one}, "before": {"optdigits": one | {"right": 0.951, "ece": 0.03}}}
    text = tables.hands(result)
    assert "| **optdigits' test part**, 8 × 8 (UCI) | 1,797 | 97.55 ± 0.36 | 95.10 | 1.2 | 3.0 |" in text
    assert "| digits of two held-out fonts | 1,797 | 97.55 ± 0.36 | – | 1.2 | – |" in text
