"""Runs every peer side by side, interleaved, and stores and prints ratios.

    python -m bench                      training epochs: us, PyTorch, Paddle; into bench/results/speed.json
    python -m bench --rounds 7 --peers lenet,torch
    python -m bench --busy               the same with another process burning one core

Each peer lives in its own process (and, unless --python names one, its own virtual environment under build/bench) and runs
its work once on demand. A round runs each work once; a ratio is taken within a round, and the median over rounds is
what counts, so that a machine whose speed drifts does not favour anybody.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PEERS = Path(__file__).resolve().parent / "peers"
RESULTS = Path(__file__).resolve().parent / "results"
REQUIREMENTS = {"lenet": [str(ROOT)], "torch": ["torch==2.13.0", "numpy"], "paddle": ["paddlepaddle==3.3.1"]}
WORKS = [("lenet", "fit"), ("lenet", "loop"), ("lenet", "static"), ("torch", "loop"), ("paddle", "fit")]


class Peer:
    """A peer's process, ready to run its works."""

    def __init__(self, name: str, python: str, data: Path) -> None:
        env = os.environ | {"BENCH_DATA": str(data), "PYTHONWARNINGS": "ignore"}
        env.pop("OPENBLAS_CORETYPE", None)  # an old compiler's workaround would slow a current numpy
        self.name = name
        self.process = subprocess.Popen(
            [python, str(PEERS / f"{name}_peer.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
        )
        self.about = self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the peer {self.name} ended: see its message above")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def run(self, work: str) -> float:
        assert self.process.stdin is not None
        self.process.stdin.write(work + "\n")
        self.process.stdin.flush()
        return float(self._answer()["seconds"])

    def close(self) -> None:
        self.process.communicate()


def environment(name: str) -> str:
    """A virtual environment for one peer, made once; its Python."""
    folder = ROOT / "build" / "bench" / name
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"making an environment for {name} …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *REQUIREMENTS[name]], check=True)
    return str(python)


def cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def source_hash() -> str:
    """The commit this tree is at, with a + if it was changed since."""
    git = ["git", "-C", str(ROOT)]
    head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*git, "status", "--porcelain", "core", "src"], capture_output=True, text=True).stdout
    return head + ("+" if changed else "")


def measure(works: list[tuple[str, str]], peers: dict[str, Peer], rounds: int) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {f"{name}.{work}": [] for name, work in works}
    for name, work in works:
        if name != "paddle":  # a warm-up; Paddle's epoch is long enough not to need one
            peers[name].run(work)
    for turn in range(rounds):
        for name, work in works:
            took = peers[name].run(work)
            seconds[f"{name}.{work}"].append(took)
            print(f"round {turn + 1}/{rounds}  {name}.{work}  {took:.2f} s", file=sys.stderr)
    return seconds


def ratios(seconds: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """For each of our works, how many times longer each peer takes: median, lowest, highest of the rounds."""
    table: dict[str, dict[str, float]] = {}
    for ours in (k for k in seconds if k.startswith("lenet.")):
        for theirs in (k for k in seconds if not k.startswith("lenet.")):
            pairs = [b / a for a, b in zip(seconds[ours], seconds[theirs], strict=True)]
            table[f"{theirs} / {ours}"] = {"median": statistics.median(pairs), "min": min(pairs), "max": max(pairs)}
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--peers", default="lenet,torch,paddle")
    parser.add_argument("--data", type=Path, help="the folder of MNIST's plain IDX files; found or fetched if left out")
    parser.add_argument("--python", help="one interpreter that has every peer, instead of an environment each")
    parser.add_argument("--busy", action="store_true", help="measure us alone and beside a process that burns one core")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    wanted = options.peers.split(",")
    pythons = {name: options.python or environment(name) for name in wanted}
    data = options.data or find_data(pythons["lenet"])
    peers = {name: Peer(name, pythons[name], data) for name in wanted}
    about = {"machine": cpu(), "cores": len(os.sched_getaffinity(0)), "source": source_hash(), "rounds": options.rounds}
    about["versions"] = {name: peer.about["version"] for name, peer in peers.items()}
    about["date"] = time.strftime("%Y-%m-%d")
    if options.busy:
        result = {"about": about, **busy(peers["lenet"], options.rounds)}
    else:
        works = [(name, work) for name, work in WORKS if name in wanted]
        seconds = measure(works, peers, options.rounds)
        result = {"about": about, "seconds": seconds, "ratios": ratios(seconds)}
    for peer in peers.values():
        peer.close()
    out = options.out or RESULTS / ("busy.json" if options.busy else "speed.json")
    out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({k: v for k, v in result.items() if k != "seconds"}, indent=1))


def busy(peer: Peer, rounds: int) -> dict[str, Any]:
    """One epoch of Model.fit alone and beside a process that burns one core, in turn."""
    alone, beside = [], []
    peer.run("fit")
    for _ in range(rounds):
        alone.append(peer.run("fit"))
        burner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            time.sleep(0.3)
            beside.append(peer.run("fit"))
        finally:
            burner.kill()
            burner.wait()
    slower = [b / a for a, b in zip(alone, beside, strict=True)]
    return {
        "alone": alone,
        "beside": beside,
        "slowdown": {"median": statistics.median(slower), "min": min(slower), "max": max(slower)},
    }


def find_data(python: str) -> Path:
    code = "from lenet.vision.datasets import MNIST; print(MNIST(mode='train').image_path); MNIST(mode='test')"
    found = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout
    return Path(found.strip()).parent


if __name__ == "__main__":
    main()
