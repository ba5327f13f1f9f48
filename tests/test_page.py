"""What was read, as plain data: texts, order, JSON."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal

import numpy as np
import pytest

from lenet.reading.page import Digit, Line, Number, Page


def digit(label, *, rejected=False, box=(1, 2, 3, 4)):
    image = np.zeros((28, 28), np.uint8)
    return Digit(box, label, np.float32(0.75), ("9", np.float32(0.125)), rejected, image)


@pytest.fixture
def page():
    first = Number("-3.1", (digit("3"), digit("1")), (0, 0, 9, 9))
    second = Number("4?", (digit("4"), digit("7", rejected=True)), (10, 0, 19, 9))
    third = Number("5", (digit("5"),), (0, 10, 9, 19))
    lines = (Line((first, second), (0, 0, 19, 9)), Line((third,), (0, 10, 9, 19)))
    return Page(lines, 30, 20, name="a.png", number=2, notes=("a note",))


def test_texts(page):
    assert page.text == "-3.1 4?\n5"
    assert page.lines[0].text == "-3.1 4?"
    assert [d.text for d in page.digits] == ["3", "1", "4", "?", "5"]
    assert [d.label for d in page.digits] == ["3", "1", "4", "7", "5"]
    assert Page((), 5, 5).text == ""
    assert Page((), 5, 5).digits == ()


def test_values_and_what_to_check(page):
    first, second = page.lines[0].numbers
    assert (first.value, second.value) == (Decimal("-3.1"), None)
    assert first.confidence == 0.75
    sure = dataclasses.replace(digit("3"), confidence=0.95)
    assert Number("33", (sure, digit("3")), (0, 0, 9, 9)).confidence == 0.75
    assert Number("", (), (0, 0, 9, 9)).value is None
    assert Number("", (), (0, 0, 9, 9)).confidence == 1
    assert [d.doubtful for d in (sure, dataclasses.replace(sure, rejected=True), digit("3"))] == [False, True, True]


def test_json_holds_everything_but_the_images(page):
    found = json.loads(json.dumps(page.as_json()))  # numpy's numbers would not pass
    lines = found.pop("lines")
    assert found == {
        "name": "a.png",
        "page": 2,
        "width": 30,
        "height": 20,
        "polarity": "dark on light",
        "skew": 0.0,
        "turn": 0,
        "notes": ["a note"],
        "text": "-3.1 4?\n5",
    }
    assert [line["text"] for line in lines] == ["-3.1 4?", "5"]
    assert lines[0]["numbers"][1]["box"] == [10, 0, 19, 9]
    assert lines[0]["numbers"][1]["digits"][1] == {
        "box": [1, 2, 3, 4],
        "label": "7",
        "confidence": 0.75,
        "second": "9",
        "second_confidence": 0.125,
        "rejected": True,
        "printed": None,
    }


def test_pages_cannot_be_changed_and_compare_without_the_images(page):
    with pytest.raises(dataclasses.FrozenInstanceError):
        page.width = 3
    other = dataclasses.replace(digit("3"), image=np.ones((28, 28), np.uint8))
    assert other == digit("3")
    assert other != digit("4")
