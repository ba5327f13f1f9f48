"""Drawings of what people photograph: seeded, with a truth that scores full marks, in fonts of the split's own half."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.append(str(Path(__file__).resolve().parents[1]))  # bench is not part of the installed package

from bench.pages import __main__ as command
from bench.pages import everyday, fonts, generator, glyphs, real_tables, score, singles, words
from bench.pages.truth import carried

Truth = dict[str, object]


@pytest.fixture(scope="module", autouse=True)
def data(mnist_dir: Path) -> object:
    """MNIST where the generator looks for it; these levels are in fonts of Debian."""
    try:
        for half in fonts.HALVES:
            fonts.files(half)
            fonts.printed(half)
    except fonts.FontsMissing as missing:
        pytest.skip(str(missing))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LENET_DATA", str(mnist_dir))
        yield


def pieces_of(truth: score.Truth) -> list[score.Piece]:
    """Every handwritten digit a piece of its own, from the last to the first."""
    return [{"text": d["label"], "box": d["box"]} for line in truth["lines"] for d in line["digits"]][::-1]


@pytest.mark.parametrize("level", everyday.LEVELS)
def test_a_page_is_the_same_for_ever_and_its_truth_scores_full_marks(level: str) -> None:
    one, again = everyday.page(level, 1), everyday.page(level, 1)
    assert np.array_equal(one.image, again.image)
    assert one.truth == again.truth
    assert one.image.shape == (one.truth["height"], one.truth["width"], 3)
    assert one.image.dtype == np.uint8
    assert one.truth["digits"] > 0
    assert score.page(one.truth, pieces_of(one.truth)).edits == (one.truth["digits"], 0, 0, 0)
    for line in one.truth["lines"]:
        assert score.wanted(line["text"]) == "".join(digit["label"] for digit in line["digits"])
    boxes = np.array([digit["box"] for line in one.truth["lines"] for digit in line["digits"]])
    assert (boxes >= 0).all()
    assert (boxes[:, 2:] <= [one.truth["width"] + 1, one.truth["height"] + 1]).all()  # a corner may round upwards


@pytest.mark.parametrize("level", ["forms", "lists", "desk", "stains", "sideways"])
def test_boxes_hold_ink_that_differs_from_what_is_around(level: str) -> None:
    image, truth = everyday.page(level, 0)
    differs = []
    for line in truth["lines"]:
        for x0, y0, x1, y1 in (digit["box"] for digit in line["digits"]):
            part = image[y0:y1, x0:x1].reshape(-1, 3).astype(int)
            differs.append(
                np.abs(part - np.median(image[max(0, y0 - 4) : y1 + 4, max(0, x0 - 4) : x1 + 4], (0, 1))).max()
            )
    assert np.median(differs) > 60


@pytest.mark.parametrize("level", everyday.EMPTY)
def test_pages_with_nothing_to_read_count_every_digit_as_false(level: str) -> None:
    image, truth = everyday.page(level, 0)
    assert image.std() > 0
    assert truth["lines"] == []
    assert truth["digits"] == 0
    assert score.page(truth, [{"text": "4x2", "box": [0, 0, 30, 20]}]).edits == (0, 0, 0, 2)


def test_levels_are_told_apart_from_the_others_and_hold_as_many_digits_as_asked_for() -> None:
    assert not set(everyday.ALL) & set(generator.ALL)
    assert set(everyday.DRAWN) == set(everyday.ALL) == set(real_tables.ABOUT)
    found = list(everyday.pages("patterned", digits=30))
    assert 30 <= sum(page.truth["digits"] for page in found) < 37
    assert len(list(everyday.pages("pattern", n=3))) == 3
    with pytest.raises(ValueError, match="expected one of forms"):
        everyday.page("clean", 0)


def test_small_pictures_are_small() -> None:
    for number in range(6):
        height, width = everyday.page("patterned", number).image.shape[:2]
        assert 40 <= height <= 120
        assert 60 <= width <= 400


def test_a_turned_page_knows_where_its_digits_are() -> None:
    upright, turned = np.eye(3), []
    for number in (0, 3, 6):  # clean pages, turned by 90, 180 and 270 degrees
        truth = everyday.page("sideways", number).truth
        matrix = np.array(truth["matrix"])
        assert not np.allclose(matrix[:2, :2], upright[:2, :2])
        turned.append(np.arctan2(matrix[1, 0], matrix[0, 0]))
        for line in truth["lines"]:
            assert line["box"] == carried(line["straight"], matrix)
    assert np.rad2deg(turned) % 360 == pytest.approx([270, 180, 90])


def test_printed_numbers_may_be_read_or_not() -> None:
    truth = next(
        t for t in (everyday.page("lists", n).truth for n in range(12)) if t["lines"][0]["text"].startswith("(1)")
    )
    pieces = pieces_of(truth)
    right = score.page(truth, pieces)
    assert truth["optional"]
    numbered = next(line for line in truth["lines"] if line["digits"])
    y0, y1 = numbered["box"][1], numbered["box"][3]
    row = score.digits(numbered["text"])[: -len(numbered["digits"])]
    read = [*pieces, {"text": row, "box": [truth["optional"][0][0], y0, truth["optional"][0][2], y1]}]
    assert score.page(truth, read).edits == right.edits
    wrong = [*pieces, {"text": "7" * (len(row) + 1), "box": [truth["optional"][0][0], y0, truth["optional"][0][2], y1]}]
    assert score.page(truth, wrong).edits.extra >= 1
    box = truth["optional"][0]
    assert score.matched(truth, [{"label": "1", "confidence": 0.9, "box": box}]) == ([], [])


def test_signs_count_in_the_text_alone() -> None:
    line = {"text": "12/05", "straight": [0, 0, 80, 20], "digits": []}
    truth = {"lines": [line], "matrix": np.eye(3).tolist(), "size": 20.0, "signs": "-/"}
    without = score.page(truth, [{"text": "1205", "box": [0, 0, 80, 20]}])
    assert without.edits == (4, 0, 0, 0)
    assert (without.text_length, without.text_distance) == (5, 1)
    assert score.page(truth, [{"text": "12/05", "box": [0, 0, 80, 20]}]).text_distance == 0
    texts = " ".join(one["text"] for one in everyday.page("signs", 2).truth["lines"])
    assert "-" in texts
    assert "/" in texts


def test_halves_of_print_share_no_font_and_no_text_holds_a_digit() -> None:
    halves = [{name for names in half.values() for name in names} for half in fonts.PRINT.values()]
    assert not halves[0] & halves[1]
    for texts in (
        words.DATES,
        words.LABELS,
        words.NOTES,
        words.TITLES,
        words.COLUMNS,
        words.CHECKS,
        words.FIRST,
        words.LAST,
    ):
        assert len(set(texts)) == len(texts)
        assert score.digits("".join(texts)) == ""


@pytest.mark.parametrize("name", singles.LARGE)
def test_large_singles_are_the_same_for_ever_and_as_large_as_they_say(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(singles, "any_size", lambda rng, low=60, high=3000: int(rng.integers(100, 400)))  # sooner drawn
    images = glyphs.mnist("validation").images[:3]
    files = singles.single_sets(images, only=(name,))[name]
    assert files == singles.single_sets(images, only=(name,))[name]
    assert files[1:] == singles.single_sets(images[1:], only=(name,), first=1)[name]
    for file in files:
        image = np.asarray(Image.open(io.BytesIO(file)).convert("RGB"), np.float32)
        assert image.shape[0] == image.shape[1] >= 100
        assert np.abs(image - np.median(image, (0, 1))).max() > 50
    assert set(real_tables.LARGE) == set(singles.LARGE)


def test_sizes_reach_three_thousand_pixels() -> None:
    sizes = [singles.any_size(np.random.default_rng(i)) for i in range(200)]
    assert 60 <= min(sizes) < 120
    assert 2400 < max(sizes) <= 3000


def test_everyday_results_are_kept_apart() -> None:
    given = {"out": None, "pages": 0, "peers": command.READERS, "levels": [*everyday.ALL], "split": "test"}
    given |= {"singles": 1000, "speed": False, "keep": False}
    assert command.destination(command.argparse.Namespace(**given)) == command.RESULTS / "everyday.json"
    ours = given | {"peers": ["lenet"], "keep": True}
    assert command.destination(command.argparse.Namespace(**ours)) == command.RESULTS / "everyday.json"
    for change in ({"peers": ["lenet"]}, {"split": "validation"}, {"pages": 2}, {"levels": ["forms"]}, {"singles": 0}):
        where = command.destination(command.argparse.Namespace(**given | change))
        assert command.RESULTS not in where.parents
        assert where.name.startswith("everyday-")
