"""``bench.reliability`` itself: that it counts, that what goes wrong is counted as wrong, and a small share of its work."""

from __future__ import annotations

import importlib
import itertools
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1]))  # bench is not part of the installed package

from bench.reliability import PARTS, shapes, threads
from bench.reliability import __main__ as reliability

ROOT = Path(__file__).resolve().parents[1]


def test_threads_in_short() -> None:
    found = threads.run(0.003)
    assert found["wrong"] == 0, found
    assert {name for name, _, _ in threads.OBJECTS} == set(found["objects"])
    assert all(counts["answers"] and counts["trainings"] for counts in found["objects"].values())


def test_an_answer_that_changes_is_counted() -> None:
    trained, calls = threads.train(), itertools.count()
    assert threads.crowd(lambda k: b"same", 5, trained)["wrong"] == 0
    found = threads.crowd(lambda k: str(next(calls)).encode(), 5, trained)
    assert (found["answers"], found["wrong"], found["wrong trainings"]) == (40, 40, 0)


def test_a_thread_that_dies_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threading.excepthook", lambda _: None)
    seen: set[int] = set()

    def once(k: int) -> bytes:  # the first answer is the one that the others are compared with
        if k in seen and k == 3:
            raise RuntimeError("dead")
        seen.add(k)
        return b""

    assert threads.crowd(once, 5, threads.train())["wrong"] == 5


def test_a_training_that_differs_is_counted() -> None:
    found = threads.crowd(lambda k: b"same", 1, b"other weights")
    assert found["trainings"] == found["wrong trainings"] > 0


def test_shapes_in_short() -> None:
    found = shapes.run(0.02)
    assert found["networks"] > 0
    assert found["wrong"] == 0, found["first"]
    assert shapes.tried(random.Random(5)) == shapes.tried(random.Random(5))


def test_parts_keep_what_the_others_have_stored() -> None:
    stored = {"threads": {"wrong": 1}, "kills": {"wrong": 0}}
    assert reliability.merged(stored, {"threads": {"wrong": 0}}) == {"kills": {"wrong": 0}, "threads": {"wrong": 0}}


def test_every_part_has_a_table() -> None:
    for part in PARTS:
        module = importlib.import_module(f"bench.reliability.{part}")
        assert callable(module.run)
        assert callable(module.table)


def test_the_command_runs_parts_and_refuses_others() -> None:
    command = [sys.executable, "-m", "bench.reliability", "--dry", "--budget", "0.001"]
    done = subprocess.run([*command, "shapes"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.removeprefix("shapes: "))["wrong"] == 0
    done = subprocess.run([*command, "weather"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert f"got weather, expected parts of {', '.join(PARTS)}" in done.stderr
