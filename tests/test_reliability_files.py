"""A small share of what ``bench.reliability`` counts of files and kills, and that its counts see what is wrong."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1]))  # bench is not part of the installed package

from bench.reliability import fuzz, kills


@pytest.mark.parametrize("name", fuzz.FORMATS)
def test_damaged_files_end_in_one_short_sentence(name: str) -> None:
    found = fuzz.child(name, 1, 0, 60)
    assert found["wrong"] == 0, found["examples"]
    assert 0 < found["refused"] < 60


@pytest.mark.parametrize(
    "error", [KeyError("x"), ValueError("a\nb"), ValueError("x" * 301), ValueError(""), TypeError("int()")]
)
def test_what_is_wrong_is_counted(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fails(path: str) -> None:
        raise error

    monkeypatch.setitem(fuzz.FORMATS, "IDX", (fuzz.idx_files, fails))
    assert fuzz.child("IDX", 1, 0, 3)["wrong"] == 3


def test_the_same_inputs_come_again() -> None:
    make, _ = fuzz.FORMATS["pictures"]
    first, again = (fuzz.mutated(make(random.Random(3)), random.Random(4)) for _ in range(2))
    assert first == again


def test_kills_races_and_resumes(tmp_path: Path) -> None:
    found = kills.run(0.004)
    assert found["wrong"] == 0, found
    assert "| three with one `--out` at once: no finished model lost | 1 | 0 |" in kills.table(found)


def test_a_lost_model_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kills, "_digest", lambda path: "")
    found: dict[str, Any] = kills._races(tmp_path, kills._data(tmp_path / "data"), 1)
    assert found["failed"] > 0
