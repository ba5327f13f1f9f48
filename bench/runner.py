"""Peers as processes, and measuring them interleaved: a round runs every work once, a ratio is taken within a round.

The median over rounds is what counts, so that a machine whose speed drifts does not favour anybody.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.environments import Absent

PEERS = Path(__file__).resolve().parent / "peers"


class Peer:
    """A peer's process, ready to run its works; it ends with the ``with`` block."""

    def __init__(self, name: str, python: str, extra: dict[str, str]) -> None:
        env = os.environ | {"PYTHONWARNINGS": "ignore"} | extra
        env.pop("OPENBLAS_CORETYPE", None)  # an old compiler's workaround would slow a current numpy
        self.name = name
        self.process = subprocess.Popen(
            [python, str(PEERS / f"{name}_peer.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if name in ("keras", "jax", "openvino") else None,  # they chatter
            text=True,
            env=env,
        )
        try:
            self.version = str(self._answer()["version"])
        except Absent:
            self.process.communicate()
            raise

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise Absent(f"its process ended with exit code {self.process.wait()}")
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            raise Absent(f"it printed {line.strip()[:80]!r} between its answers") from None
        return answer

    def run(self, work: str) -> dict[str, Any]:
        """{"seconds", "result", "memory"}; Absent if the peer could not do it."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(work + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Absent("its process has ended") from None
        answer = self._answer()
        if "error" in answer:
            raise Absent(answer["error"])
        return answer


def measure(
    works: list[tuple[str, str]], peers: dict[str, Peer], rounds: int, absent: dict[str, str]
) -> dict[str, list[dict[str, Any]]]:
    """The answers of each ``peer.work``, one a round. A work that fails is left out, its reason put into ``absent``."""
    answers: dict[str, list[dict[str, Any]]] = {}
    for name, work in works:  # unmeasured: it compiles, and fills caches
        if name not in peers:
            continue
        try:
            peers[name].run(work)
            answers[f"{name}.{work}"] = []
        except Absent as reason:
            absent[f"{name}.{work}"] = str(reason)
    for turn in range(rounds):
        for key in list(answers):
            name, work = key.split(".")
            try:
                answer = peers[name].run(work)
            except Absent as reason:
                absent[key] = str(reason)
                del answers[key]
                continue
            answers[key].append(answer)
            print(f"round {turn + 1}/{rounds}  {key}  {answer['seconds']:.3f} s", file=sys.stderr)
    return answers


def spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def ratios(values: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """For each of our works, how many times more each peer takes: median, lowest, highest of the rounds."""
    table: dict[str, dict[str, float]] = {}
    for ours in (k for k in values if k.startswith("lenet.")):
        for theirs in (k for k in values if not k.startswith("lenet.")):
            pairs = [b / a for a, b in zip(values[ours], values[theirs], strict=True)]
            table[f"{theirs} / {ours}"] = spread(pairs)
    return table
