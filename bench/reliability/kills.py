"""Kills, races and interruptions: what is left of a training that ends by force, or beside others of the same name.

Three counts. Kills: trainings of one small data set, killed with -9 at random moments, half of them late, while they store;
a model must be loadable at ``--out`` each time. Rounds: three trainings with one ``--out`` at once; every model that was
said to be written must be there. Resumes: trainings stopped by SIGTERM, SIGHUP or SIGINT and gone on with; the weights must be
those of an unbroken run. After each a further run must leave no temp file. It measures nothing but that.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from lenet.data import fetch, idx
from lenet.modelfile import serialization

__all__ = ["run", "table"]

IMAGES, TEST = 640, 100
KILLS, ROUNDS, RESUMES = 300, 200, 30  # at budget 1
EPOCHS = 6  # of the runs that are killed: some tenths of a second
RESUMED_EPOCHS = 400  # of those that are interrupted after the first: two seconds, so that none is over before


def run(budget: float = 1.0, seed: int = 0) -> dict[str, Any]:
    """The three counts, ``{"kills": {"tried", "failed", …}, "races": …, "resumes": …, "wrong"}``: 35 minutes on two cores."""
    draw = random.Random(seed)
    kills, rounds, resumes = (max(1, round(budget * usual)) for usual in (KILLS, ROUNDS, RESUMES))
    with tempfile.TemporaryDirectory() as folder:
        data = _data(Path(folder) / "data")
        found: dict[str, Any] = {
            "kills": _kills(Path(folder), data, kills, draw),
            "races": _races(Path(folder), data, rounds),
            "resumes": _resumes(Path(folder), data, resumes, draw),
        }
    return found | {"wrong": sum(one["failed"] for one in found.values())}


def table(found: dict[str, Any]) -> str:
    """As docs/reliability.md shows it."""
    kills, races, resumes = found["kills"], found["races"], found["resumes"]
    late = f"killed with -9, {kills['late']:,} of them while storing: a loadable model at `--out`"
    rows = [
        "| runs | tried | failed |",
        "|---|---|---|",
        f"| {late} | {kills['tried']:,} | {kills['failed']:,} |",
        f"| temp files left after the next run | | {kills['temp files after the next run']:,} |",
        f"| three with one `--out` at once: no finished model lost | {races['tried']:,} | {races['failed']:,} |",
        f"| interrupted and gone on with: the same bits | {resumes['tried']:,} | {resumes['failed']:,} |",
    ]
    return "\n".join(rows)


def _data(folder: Path) -> Path:
    """Four IDX files of random strokes: what is learned doesn't matter here."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for part, count in (("train", IMAGES), ("test", TEST)):
        labels = (np.arange(count) % 10).astype(np.uint8)
        images = rng.integers(0, 40, (count, 28, 28), np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[2 + 2 * int(label) : 5 + 2 * int(label), 4:24] = 250
        idx.write(folder / fetch.FILES[f"{part}-images"], images)
        idx.write(folder / fetch.FILES[f"{part}-labels"], labels)
    return folder


def _start(cwd: Path, data: Path, *more: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lenet.cli", "train", "--data", str(data), "--threads", "1", *map(str, more)]
    return subprocess.Popen(command, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _digest(path: Path) -> str:
    """The digest of a model file's weights; "" if it isn't there or isn't whole."""
    try:
        return serialization.digest(serialization.read_model(path)[0])
    except (OSError, ValueError):
        return ""


def _parts(folder: Path) -> int:
    return sum(1 for _ in folder.rglob("*.part"))


def _kills(root: Path, data: Path, count: int, draw: random.Random) -> dict[str, Any]:
    work = root / "kills"
    work.mkdir()
    out = work / "m.safetensors"
    began = time.monotonic()
    _start(work, data, "--epochs", EPOCHS, "--out", out.name).communicate()
    usual = time.monotonic() - began
    failed, while_storing, left = 0, 0, 0
    for number in range(count):
        process = _start(work, data, "--epochs", EPOCHS, "--out", out.name, "--seed", number + 1)
        if number % 2:  # late: from the line before the model is stored on
            assert process.stderr is not None
            for line in process.stderr:
                if "calibrated" in line:
                    break
            time.sleep(draw.uniform(0, 0.03))
        else:
            time.sleep(draw.uniform(0, usual))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            while_storing += number % 2
        process.communicate()
        failed += not _digest(out)
        left = max(left, _parts(work))
    _start(work, data, "--epochs", 1, "--out", out.name).communicate()
    return {
        "tried": count, "failed": failed + _parts(work), "late": while_storing, "temp files at most": left,
        "temp files after the next run": _parts(work), "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip


def _races(root: Path, data: Path, rounds: int) -> dict[str, Any]:
    began, lost, failed = time.monotonic(), 0, 0
    for number in range(rounds):
        work = root / f"race{number}"
        work.mkdir()
        seeds = [3 * number + i for i in range(3)]
        three = [
            _start(work, data, "--epochs", 1, "--no-run", "--json", "--out", "m.safetensors", "--seed", seed)
            for seed in seeds
        ]
        said = [process.communicate()[0] for process in three]
        written = {m[1] for text in said if (m := re.search(r'"weights": "(\w+)"', text))}
        failed += len(three) - len(written)
        lost += len(written - {_digest(path) for path in work.glob("*.safetensors")}) + _parts(work)
    return {"tried": rounds, "failed": lost, "no result": failed, "seconds": round(time.monotonic() - began, 1)}


def _resumes(root: Path, data: Path, count: int, draw: random.Random) -> dict[str, Any]:
    work = root / "resumes"
    work.mkdir()
    began, failed, broken = time.monotonic(), 0, 0
    asked = ["--epochs", RESUMED_EPOCHS, "--no-run", "--seed", 1]
    _start(work, data, *asked, "--out", "whole.safetensors").communicate()
    whole = _digest(work / "whole.safetensors")
    for number in range(count):
        out = f"m{number}.safetensors"
        sent = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT][number % 3]
        process = _start(work, data, *asked, "--out", out)
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("epoch"):
                break
        time.sleep(draw.uniform(0, 0.1))
        process.send_signal(sent)
        process.communicate()
        if os.path.exists(work / f"{out}.resume.safetensors"):
            broken += 1
            _start(work, data, "--resume", "--no-run", "--out", out).communicate()
        failed += _digest(work / out) != whole or os.path.exists(work / f"{out}.resume.safetensors")
    return {
        "tried": count,
        "failed": failed + _parts(work),
        "interrupted": broken,
        "seconds": round(time.monotonic() - began, 1),
    }
