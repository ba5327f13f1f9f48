"""From the start of a process to a saved model: imports, loading, training and testing, all in one clock.

We are ``lenet train`` as a user types it. A peer is a script of its own, tuned as well as we knew: peers/NAME_cold.py. A run
counts whose accuracy on the 10,000 test images, which no training has seen, is at least 99.0 %.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.environments import Absent
from bench.runner import PEERS, ratios

ENOUGH = 0.99
WORKS = [("lenet", "train"), ("torch", "cold")]


def command(name: str, python: str, data: Path, out: Path, seed: int) -> list[str]:
    if name == "lenet":
        return [
            python,
            "-m",
            "lenet.cli",
            "train",
            "--data",
            str(data),
            "--out",
            str(out),
            "--seed",
            str(seed),
            "--json",
        ]
    return [python, str(PEERS / f"{name}_cold.py"), str(out), str(seed)]


def once(name: str, python: str, data: Path, seed: int) -> tuple[float, dict[str, Any]]:
    """Seconds, and what the process reported in its last line."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model.safetensors"
        arguments = command(name, os.path.abspath(python), data.resolve(), out, seed)
        start = time.perf_counter()
        # in the folder: `lenet train` leaves runs/ where it stands
        ran = subprocess.run(
            arguments, capture_output=True, text=True, cwd=folder, env=os.environ | {"BENCH_DATA": str(data.resolve())}
        )
        seconds = time.perf_counter() - start
        if ran.returncode or not out.exists():
            raise Absent(ran.stderr.strip()[-200:] or f"exit code {ran.returncode}, no model")
    answer: dict[str, Any] = json.loads(ran.stdout.strip().splitlines()[-1])
    return seconds, answer


def accuracy(answer: dict[str, Any]) -> float:
    """Of a peer's last line, or of what ``lenet train --json`` prints."""
    return float(answer.get("test", answer)["accuracy"])


def measure(
    pythons: dict[str, str], data: Path, rounds: int, absent: dict[str, str], versions: dict[str, str]
) -> dict[str, Any]:
    """Interleaved, a seed a round. What a process reported of itself goes into ``versions``."""
    seconds: dict[str, list[float]] = {}
    accuracies: dict[str, list[float]] = {}
    for turn in range(rounds):
        for name, work in WORKS:
            key = f"{name}.{work}"
            if name not in pythons or key in absent:
                continue
            try:
                took, answer = once(name, pythons[name], data, turn)
            except Absent as reason:
                absent[key] = str(reason)
                seconds.pop(key, None)
                accuracies.pop(key, None)
                continue
            right = accuracy(answer)
            if "version" in answer:
                versions[name] = str(answer["version"])
            seconds.setdefault(key, []).append(took)
            accuracies.setdefault(key, []).append(right)
            print(f"round {turn + 1}/{rounds}  {key}  {took:.2f} s  {100 * right:.2f} %", file=sys.stderr)
    enough = {key: sum(a >= ENOUGH for a in each) for key, each in accuracies.items()}
    return {"seconds": seconds, "accuracy": accuracies, "enough": enough, "ratios": ratios(seconds)}
