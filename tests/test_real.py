"""How real pictures are scored and found: hand-made truths with choices, made-up copies, and the facts that are stored."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.append(str(Path(__file__).resolve().parents[1]))  # bench is not part of the installed package

from bench import tables
from bench.pages import choices, keep, peers, real, real_tables

ROOT = Path(__file__).resolve().parents[1]


# ---- scores


@pytest.mark.parametrize(
    ("truth", "read", "expected"),
    [  # hits, wrong, missing, false
        ("123", "123", (3, 0, 0, 0)),
        ("123", "13", (2, 0, 1, 0)),
        ("13", "123", (2, 0, 0, 1)),
        ("12", "21", (0, 2, 0, 0)),  # changed sooner than dropped and added
        ("3[49]5", "345", (3, 0, 0, 0)),
        ("3[49]5", "395", (3, 0, 0, 0)),
        ("3[49]5", "365", (2, 1, 0, 0)),
        ("3.5", "385", (3, 0, 0, 0)),
        ("3.5", "35", (2, 0, 1, 0)),
        ("(12) 7", "7", (1, 0, 0, 0)),
        ("(12) 7", "127", (1, 0, 0, 0)),
        ("(12) 7", "17", (1, 0, 0, 0)),  # each of them may be left out
        ("(12) 7", "1297", (1, 0, 0, 1)),
        ("(12) 7", "937", (1, 0, 0, 2)),  # a wrong digit instead of one that may be left out is a false one
        ("(..)5", "885", (1, 0, 0, 0)),
        ("(1[49])5", "145", (1, 0, 0, 0)),
        ("", "55", (0, 0, 0, 2)),
        ("4 7", "", (0, 0, 2, 0)),
    ],
)
def test_alignments_of_known_texts(truth: str, read: str, expected: tuple[int, ...]) -> None:
    found = choices.aligned(choices.parsed(truth), read)
    assert found == expected
    assert found.distance == sum(expected[1:])


@pytest.mark.parametrize("text", ["(12", "12)", "((1))", "3[45"])
def test_a_truth_whose_brackets_are_not_closed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        choices.parsed(text)


def test_a_picture_is_scored_as_a_whole_and_by_line() -> None:
    found = choices.picture(["(1) 12", "34 56", "(7)", "9"], ["112", "3457", "?"])
    assert (found.digits, found.numbers) == (7, 3)
    assert found.edits == (5, 1, 1, 0)
    assert found.exact == 1  # the first, with its printed 1
    assert found.any_order == 5
    swapped = choices.picture(["12", "34"], ["34", "12"])
    assert swapped.exact == 2
    assert swapped.any_order == 4
    assert swapped.edits.distance == 4
    assert choices.picture([], ["5"]).edits.false == 1
    assert choices.picture(["12", "12"], ["12"]).exact == 1  # an answer stands for one line


def test_in_any_order_a_digit_answers_once() -> None:
    places = choices.parsed("4[49]9(3)")
    assert choices.in_any_order(places, "94") == 2
    assert choices.in_any_order(places, "449") == 3
    assert choices.in_any_order(places, "3333") == 0


def test_kinds_are_summed() -> None:
    scores = [choices.picture(["12345"], [text]) for text in ("12345", "1234", "99")]
    found = real.summed(scores)
    assert found["right"] == pytest.approx(1 - (0 + 1 + 5) / 15)
    assert (found["pictures"], found["digits"], found["exact"], found["missing"]) == (3, 15, 1, 4)
    assert 0.1 < found["se"] < 0.4  # of three pictures, from all right to none
    assert "right" not in real.summed([choices.picture([], ["3"])])


# ---- boxes


def test_pieces_become_lines_by_their_middles() -> None:
    pieces = [
        {"text": "34", "box": [50, 12, 80, 32]},
        {"text": "12", "box": [0, 10, 30, 30]},
        {"text": "56", "box": [0, 40, 30, 60]},
    ]
    assert real.in_rows(pieces) == ["12 34", "56"]
    assert real.in_rows([]) == []


def test_strings_of_letters_are_dropped() -> None:
    kept = real.mostly_digits([{"text": "Page 1", "box": []}, {"text": "12 34.", "box": []}, {"text": "-", "box": []}])
    assert [piece["text"] for piece in kept] == ["1234"]


@pytest.mark.parametrize(
    ("shape", "size"), [((50, 100), (192, 256)), ((1000, 500), (1064, 564)), ((3072, 1024), (1600, 576))]
)
def test_pictures_are_fitted_and_boxes_come_back(shape: tuple[int, int], size: tuple[int, int], tmp_path: Path) -> None:
    image = np.full((*shape, 3), 200, np.uint8)
    made, scale, margin = peers.fitted(image)
    assert made.shape[:2] == size
    assert made[0, 0].tolist() == [200, 200, 200]
    Image.fromarray(image).save(tmp_path / "a.png")
    place = [margin + 10 * scale, margin + 20 * scale, margin + 30 * scale, margin + 40 * scale]
    found = peers.on_fitted(
        tmp_path, lambda folder: {path.name: [{"text": "1", "box": place}] for path in folder.iterdir()}
    )
    assert found["a.png"][0]["box"] == pytest.approx([10, 20, 30, 40])


# ---- facts and copies


def test_the_facts_are_whole_and_every_truth_can_be_read() -> None:
    facts = real.facts()
    assert len(facts) == len({fact["sha256"] for fact in facts}) == len({fact["file"] for fact in facts})
    for fact in facts:
        assert set(fact) == {"file", "sha256", "kind", "lines", "turn", "printed", "source", "licence", "altered"}
        assert len(bytes.fromhex(fact["sha256"])) == 32
        assert fact["kind"] in real_tables.KINDS
        assert fact["turn"] in (0, 90, 180, 270)
        for line in fact["lines"]:
            choices.parsed(line)
        assert (fact["kind"] == "nothing") <= (choices.picture(fact["lines"], []).digits == 0)


def test_no_picture_is_in_the_project() -> None:
    """By their hashes: whoever adds one of them is told."""
    hashes = {fact["sha256"] for fact in real.facts()}
    for folder in ("bench/pages", "docs", "tests", "src"):
        assert not hashes & set(real.copies(ROOT / folder))


def known(file: Path, kind: str, lines: list[str], turn: int = 0) -> dict[str, object]:
    (sha256,) = real.copies(file.parent).keys()
    return {
        "file": "another name.png", "sha256": sha256, "kind": kind, "lines": lines, "turn": turn, "printed": False,
        "source": "a/b", "licence": "MIT", "altered": False,
    }  # fmt: skip


def test_copies_are_known_by_their_hash_and_what_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "deep").mkdir()
    image = Image.new("L", (40, 30), 255)
    image.save(tmp_path / "deep" / "mine.png")
    facts = [known(tmp_path / "deep" / "mine.png", "nothing", [])]
    facts.append({**facts[0], "file": "gone.jpg", "sha256": "00" * 32})
    monkeypatch.setattr(real, "facts", lambda: facts)
    out = tmp_path / "out.json"
    monkeypatch.setattr(sys, "argv", ["real", str(tmp_path), "--peers", "lenet", "--out", str(out)])
    real.main()
    said = capsys.readouterr()
    assert "1 of 2 pictures aren't in" in said.err
    assert "gone.jpg" in said.err
    result = json.loads(out.read_text())
    assert result["missing"] == ["gone.jpg"]
    assert result["kinds"]["lenet"]["all"]["pictures"] == 1
    assert result["kinds"]["lenet turned"]["nothing"]["false"] == 0
    monkeypatch.setattr(sys, "argv", ["real", str(tmp_path / "deep" / "none")])
    with pytest.raises(SystemExit):
        real.main()
    assert "is no folder; expected one with copies" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(sys, "argv", ["real", str(tmp_path / "empty")])
    with pytest.raises(SystemExit, match="none of the 2 pictures"):
        real.main()


def test_a_picture_is_turned_to_the_left(tmp_path: Path) -> None:
    image = Image.new("L", (40, 30), 255)
    image.putpixel((39, 0), 0)  # top right goes to the top left
    image.save(tmp_path / "a.png")
    assert real.opened(tmp_path / "a.png").size == (40, 30)
    turned = real.opened(tmp_path / "a.png", 90)
    assert turned.size == (30, 40)
    assert turned.getpixel((0, 0)) == (0, 0, 0)


# ---- what is stored of other readers


def test_figures_of_readers_that_were_not_measured_are_kept() -> None:
    old = ABOUT | {"split": "test", "seed": 20, "readers": ["lenet", "opencv"], "modes": {}, "singles": {"huge": 1}}
    old["levels"] = {"desk": {"lenet": {"digits": 9, "right": 0.1}, "opencv": {"digits": 9, "right": 0.2}}, "lists": {}}
    new = old | {"readers": ["lenet"], "source": "1", "singles": None, "versions": {}}
    new["levels"] = {"desk": {"lenet": {"digits": 9, "right": 0.5}}}
    both = keep.beside(new, old, "levels")
    assert both["levels"]["desk"] == {"lenet": {"digits": 9, "right": 0.5}, "opencv": {"digits": 9, "right": 0.2}}
    assert (both["readers"], both["source"], both["singles"]) == (["lenet", "opencv"], "1", {"huge": 1})
    assert both["versions"] == {"rapidocr": "3"}
    assert keep.beside(new | {"readers": ["opencv"]}, old, "levels")["source"] == "0"  # said of our own reader's run
    with pytest.raises(ValueError, match="desk has other pages"):
        keep.beside(new | {"levels": {"desk": {"lenet": {"digits": 8}}}}, old, "levels")
    with pytest.raises(ValueError, match="seed is 21 and was 20"):
        keep.beside(new | {"seed": 21}, old, "levels")
    kinds = keep.beside(result() | {"kinds": {"lenet": {"all": 2}}}, result(), "kinds")["kinds"]
    assert kinds["lenet"] == {"all": 2}
    assert kinds["rapidocr"] == result()["kinds"]["rapidocr"]


# ---- tables

ONE = {
    "pictures": 2, "digits": 20, "missing": 3, "false": 1, "wrong": 1, "numbers": 4, "exact": 2, "right": 0.75, "se": 0.1,
    "any_order": 0.8,
}  # fmt: skip
NONE = {"pictures": 1, "digits": 0, "missing": 0, "false": 2, "wrong": 0, "numbers": 0, "exact": 0}
ABOUT = {
    "machine": "A CPU",
    "cores": 2,
    "source": "0",
    "date": "2026-01-01",
    "versions": {"rapidocr": "3"},
    "absent": {},
}


def result() -> dict[str, object]:
    kinds = {"amount": ONE, "nothing": NONE, "all": ONE}
    every = dict.fromkeys(("lenet", "rapidocr", "lenet turned", "rapidocr turned"), kinds)
    return ABOUT | {"kinds": every, "missing": [], "modes": {}, "seconds": {"all": 0.1}}


def test_real_and_drawn_stand_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    assert tables.TABLES["reading_real"]().startswith("Not measured yet: run `python -m bench.pages.real FOLDER`")
    assert "--everyday" in tables.TABLES["reading_everyday"]()
    level = {"pages": 3, "digits": 30, "right": 0.9, "se": 0.02, "false": 1, "text_right": 0.7}
    drawn = ABOUT | {
        "split": "test", "seed": 20, "readers": ["lenet"], "levels": {"patterned": {"lenet": level}, "signs": {"lenet": level}},
        "singles": {"huge": {"right": 0.95, "se": 0.01, "n": 1000}},
    }  # fmt: skip
    before = {"source": "a", "levels": {"patterned": {"lenet": level | {"right": 0.2}}}}
    for name, one in (("real", result()), ("everyday", drawn), ("everyday_before", before)):
        (tmp_path / f"{name}.json").write_text(json.dumps(one))
    text = tables.TABLES["reading_real"]()
    row = "| amounts of cheques, on patterned paper | 2 | 20 | 75.0 ± 10.0 | 75.0 ± 10.0 | patterned | 90.0 ± 2.0 |"
    assert row in text
    assert "| nothing to read | 1 | 0 | 2 false | 2 false | surface |  |" in text
    assert "turned upright by hand: lenet.reading 75.0 ± 10.0, RapidOCR 75.0 ± 10.0" in text
    text = tables.TABLES["reading_everyday"]()
    assert "| 30 | 20.0 ± 0.0 | 90.0 ± 2.0 |".replace("0.0 |", "2.0 |", 1) in text
    assert "70.0 % of `signs` is right" in text
    assert "95.00 ± 1.00" in tables.TABLES["reading_large"]()
    assert "| **lenet.reading** | 75.0 ± 10.0 | – | – |" in tables.TABLES["reading"]()


def test_sources_are_all_named() -> None:
    text = tables.TABLES["reading_sources"]()
    for fact in real.facts():
        assert f"https://github.com/{fact['source']}" in text
    assert f"{len(real.facts())} pictures." in text
