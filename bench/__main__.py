"""Measures us beside other libraries, interleaved, and stores what it found in bench/results.

    python -m bench                        everything below, one after another
    python -m bench speed                  one training epoch
    python -m bench evaluate               10,000 images
    python -m bench image                  one image, p50 and p99
    python -m bench networks               VGGs, a ResNet, an MLP, a net for whole pages: training and answering
    python -m bench cold                   from a process's start to a saved model of 99 %
    python -m bench footprint              import time, size on disk, memory
    python -m bench busy                   us alone and beside a process that burns one core
    python -m bench kernels                kernel by kernel: operations needed and done, share of the machine's peak
    python -m bench growth                 our time against batch, samples, width and threads, and its picture
    python -m bench speed --rounds 7 --peers lenet,torch --out elsewhere/

Each peer lives in its own virtual environment under build/bench, made when first needed, unless --python names one
interpreter that has every peer. ``python -m bench.tables`` then writes the pages' tables from the stored results.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench import cold, footprint, history, machine, report, works
from bench.environments import FOLDER, REQUIREMENTS, Absent, environment
from bench.runner import PEERS, Peer, measure

RESULTS = Path(__file__).resolve().parent / "results"
ALONE = ("busy", "kernels", "growth")  # these measure us alone
EVERYTHING = (*works.SUITES, "cold", "footprint", *ALONE)


class Bench:
    """What all suites share: whose Pythons, where the data and the common weights are, and who is absent why."""

    def __init__(self, names: list[str], python: str | None, data: Path | None, rounds: int) -> None:
        self.rounds = rounds
        self.own = python is None
        self.absent: dict[str, str] = {}
        self.pythons: dict[str, str] = {}
        for name in names:
            try:
                self.pythons[name] = python or environment(name)
            except Absent as reason:
                self.absent[name] = str(reason)
                print(f"{name} is left out: {reason}", file=sys.stderr)
        if "lenet" not in self.pythons:
            raise SystemExit(f"lenet itself is needed: {self.absent.get('lenet', 'name it in --peers')}")
        self.data = data or find_data(self.pythons["lenet"])
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.extra = {"BENCH_DATA": str(self.data), "BENCH_WEIGHTS": str(FOLDER / "weights.npz")}
        self.versions: dict[str, str] = {}

    def start(self, stack: ExitStack, names: list[str]) -> dict[str, Peer]:
        """The peers' processes; the ones that don't start are absent."""
        peers: dict[str, Peer] = {}
        for name in names:
            try:
                peers[name] = stack.enter_context(Peer(name, self.pythons[name], self.extra))
                self.versions[name] = peers[name].version
            except Absent as reason:
                self.absent[name] = str(reason)
        return peers

    def suite(self, suite: str) -> dict[str, Any]:
        """A suite's result. Beside it what the machine could do before and after."""
        absent = dict(self.absent)
        with ExitStack() as stack:
            started = self.start(stack, ["lenet"])
            if "lenet" not in started:
                raise SystemExit(f"lenet itself is needed: {self.absent['lenet']}")
            us = started["lenet"]
            us.run("weights")
            before = us.run("peak")["result"]
            if suite in works.SUITES:
                wanted = [(name, work) for name, work in works.SUITES[suite] if name in self.pythons]
                others = sorted({name for name, _ in wanted} - {"lenet"})
                peers = {"lenet": us} | self.start(stack, others)
                absent |= self.absent
                result = works.kept(suite, measure(wanted, peers, self.rounds, absent))
            elif suite == "cold":
                result = cold.measure(self.pythons, self.data, self.rounds, absent, self.versions)
            elif suite == "footprint":
                result = footprint.measure(self.pythons, self.extra, self.rounds, absent, self.own)
            else:
                result = busy(us, self.rounds)
            peak = machine.judged(before, us.run("peak")["result"])
        if not peak["steady"]:
            print(f"{suite}: the machine's peak moved by {peak['moved']:.0%} meanwhile: measure again", file=sys.stderr)
        return {"about": machine.about(self.rounds, self.versions, absent), "peak": peak, **result}

    def script(self, suite: str, *arguments: str) -> dict[str, Any]:
        """What one of our scripts prints, run inside our environment."""
        command = [self.pythons["lenet"], str(PEERS / f"lenet_{suite}.py"), *arguments]
        ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | self.extra)
        result: dict[str, Any] = json.loads(ran.stdout)
        ends = result["peak"]
        wrapped = {end: {"gflops": value if isinstance(value, dict) else {"1": value}} for end, value in ends.items()}
        judged = machine.judged(wrapped["before"], wrapped["after"])
        return {"about": machine.about(self.rounds, {}, {}), **result, "peak": judged}


def busy(peer: Peer, rounds: int) -> dict[str, Any]:
    """One epoch of Model.fit alone and beside a process that burns one core, in turn."""
    alone, beside = [], []
    peer.run("fit")
    for _ in range(rounds):
        alone.append(peer.run("fit")["seconds"])
        burner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            time.sleep(0.3)
            beside.append(peer.run("fit")["seconds"])
        finally:
            burner.kill()
            burner.wait()
    return {"alone": alone, "beside": beside, "slowdown": works.slowdown(alone, beside)}


def find_data(python: str) -> Path:
    code = "from lenet.vision.datasets import MNIST; print(MNIST(mode='train').image_path); MNIST(mode='test')"
    found = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout
    return Path(found.strip()).parent


def destination(out: Path | None, quick: bool) -> Path:
    """The folder of the results. What --quick finds is no measurement: it never lands among the stored ones unasked."""
    return out or (FOLDER / "quick" if quick else RESULTS)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"{', '.join(EVERYTHING)}; all if left out")
    parser.add_argument("--rounds", type=int, default=7, help="7 if left out")
    parser.add_argument("--peers", default=",".join(REQUIREMENTS), help="names with commas between; all if left out")
    parser.add_argument("--data", type=Path, help="the folder of MNIST's plain IDX files; found or fetched if left out")
    parser.add_argument("--python", help="one interpreter that has every peer, instead of an environment each")
    parser.add_argument(
        "--quick", action="store_true", help="one round, and few points of growth, to see that it works"
    )
    parser.add_argument(
        "--out", type=Path, help="the folder of the results; left out: bench/results, or build/bench/quick"
    )
    options = parser.parse_args()
    suites = options.suites or list(EVERYTHING)
    names = options.peers.split(",")
    for given, known in ((suites, EVERYTHING), (names, tuple(REQUIREMENTS))):
        if unknown := set(given) - set(known):
            parser.error(f"{', '.join(sorted(unknown))}: not one of {', '.join(known)}")
    if options.rounds < 1:
        parser.error(f"--rounds {options.rounds}: at least 1")
    if not set(suites) - set(ALONE):
        names = ["lenet"]
    bench = Bench(names, options.python, options.data, 1 if options.quick else options.rounds)
    out = destination(options.out, options.quick)
    out.mkdir(parents=True, exist_ok=True)
    for suite in suites:
        if suite == "kernels":
            result = bench.script(suite, str(bench.rounds))
        elif suite == "growth":
            result = bench.script(suite, *(["--quick"] if options.quick else []))
        else:
            result = bench.suite(suite)
        file = out / f"{suite}.json"
        history.store(file, result)
        if suite == "growth":
            pictures = machine.ROOT / "docs" / "images" if out == RESULTS else out
            report.picture(result, pictures / "growth.svg")
        print(f"\n{report.TABLES[suite](result)}\n\nstored in {file}")


if __name__ == "__main__":
    main()
