"""Generates pages, has them read by lenet.reading and its peers, scores, stores and prints.

    python -m bench.pages                            validation pages, to build/bench/pages/validation.json
    python -m bench.pages --split test --singles 10000 --speed     once, at the end: stores bench/results/pages.json
    python -m bench.pages --everyday --split test --singles 1000   once, at the end: stores bench/results/everyday.json
    python -m bench.pages --everyday --split test --singles 1000 --peers lenet --keep      the same, peers as they are stored
    python -m bench.pages --levels clean,lit --pages 4 --peers lenet,tesseract
    python -m bench.pages --annotate FOLDER          also draws what lenet.reading read over each page
    python -m bench.pages --singles 1000             that many single images of each kind, and of what is no digit; 0: none
    python -m bench.pages --speed                    a 12-megapixel photo and single images, on an otherwise idle machine

tesseract's page mode is the one that does best on each level's validation pages. A level without a digit is scored by the
digits that were read all the same. --everyday takes ``everyday``'s levels instead of ``generator``'s; on these tesseract and
RapidOCR get their pages fitted to a size that they do well on, and RapidOCR runs at its best setting. All of it is drawn: how
real pictures are read, ``python -m bench.pages.real`` measures.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from bench import history, machine
from bench.environments import Absent
from bench.pages import everyday, generator, keep, ours, peers, score, singles, tables

RESULTS = Path(__file__).resolve().parents[1] / "results"
READERS = ("lenet", *peers.PEERS)
TRIED, TRIED_SMALL = 6, 40  # validation pages a level on which tesseract's page modes are compared


def drawn(folder: Path, level: str, split: str, n: int) -> dict[str, score.Truth]:
    """Writes a level's pages and gives their truths by file name."""
    shutil.rmtree(folder / level, ignore_errors=True)
    pages = (everyday if level in everyday.ALL else generator).pages(level, split, n)
    paths = generator.save(folder, level, pages)
    return {path.name: json.loads(path.with_suffix(".json").read_text(encoding="utf-8")) for path in paths}


def scored(truths: dict[str, score.Truth], read: peers.Reading) -> dict[str, Any]:
    return score.level([score.page(truth, read[name]) for name, truth in truths.items()])


def quality(found: dict[str, Any]) -> float:
    """What a page mode is chosen by: digits right, or the fewest false ones where there is nothing to read."""
    return float(found.get("right", -found["false"]))


def best_mode(level: str) -> dict[str, Any]:
    """tesseract's modes on a few validation pages: {"mode", "right": {mode: digits right}}."""
    folder = peers.FOLDER / "modes"
    truths = drawn(folder, level, "validation", TRIED_SMALL if level in ("patterned", "pattern") else TRIED)
    modes = peers.ALL_MODES if level in everyday.ALL else peers.MODES
    by_mode = {mode: quality(scored(truths, by_tesseract(folder / level, mode))) for mode in modes}
    return {"mode": max(by_mode, key=lambda mode: by_mode[mode]), "right": by_mode}


def by_tesseract(folder: Path, mode: int) -> peers.Reading:
    """On an everyday level each page is fitted first."""
    if folder.name in everyday.ALL:
        return peers.on_fitted(folder, lambda made: peers.tesseract(made, mode))
    return peers.tesseract(folder, mode)


def measure(given: argparse.Namespace) -> dict[str, Any]:
    absent: dict[str, str] = {}
    versions: dict[str, str] = {}
    for name in (name for name in given.peers if name != "lenet"):
        try:
            versions[name] = peers.version(name, given.rapidocr)
        except Absent as reason:
            absent[name] = str(reason)
            print(f"{name} is left out: {reason}", file=sys.stderr)
    readers = [name for name in given.peers if name not in absent]
    result: dict[str, Any] = {
        **machine.about(1, versions, absent), "split": given.split, "seed": generator.SEED, "readers": readers,
        "levels": {}, "seconds": {}, "risk": {}, "modes": {}, "touching": None,
    }  # fmt: skip
    folder = given.folder / given.split
    for level in given.levels:
        truths = drawn(folder, level, given.split, given.pages)
        result["levels"][level] = {}
        result["seconds"][level] = {}
        if level == "touching":
            pairs = [sum(t[key] for t in truths.values()) for key in ("touching", "neighbours")]
            result["touching"] = {"touching": pairs[0], "neighbours": pairs[1], "share": pairs[0] / pairs[1]}
        for name in readers:
            start = time.perf_counter()
            if name == "lenet":
                whole = ours.read_folder(folder / level, given.annotate)
                read = {file: one["pieces"] for file, one in whole.items()}
                if level in generator.LEVELS + everyday.LEVELS:
                    result["risk"][level] = risk(truths, whole)
            elif name == "tesseract":
                result["modes"][level] = best_mode(level)
                start = time.perf_counter()
                read = by_tesseract(folder / level, result["modes"][level]["mode"])
            elif name == "rapidocr":
                read = peers.rapidocr(folder / level, given.rapidocr, tuned=level in everyday.ALL)
            else:
                read = peers.opencv(folder / level)
            result["seconds"][level][name] = (time.perf_counter() - start) / len(truths)
            found = result["levels"][level][name] = scored(truths, read)
            right = f"{100 * found['right']:.1f} ± {100 * found['se']:.1f} % right, " if "right" in found else ""
            print(f"{level:9} {name:10} {right}{found['false']} false", file=sys.stderr, flush=True)
    if given.singles and "lenet" in readers:
        if given.everyday:
            result["singles"] = ours.single_accuracy(given.split, given.singles, sets=tuple(singles.LARGE))
        else:
            result["singles"] = ours.single_accuracy(given.split, given.singles)
            result["rejection"] = ours.rejection(given.split, given.singles)
    if given.speed and "lenet" in readers:
        result["speed"] = ours.speed(given.split)
    return result


def risk(truths: dict[str, score.Truth], whole: dict[str, dict[str, Any]]) -> dict[str, Any]:
    confidence: list[float] = []
    right: list[bool] = []
    for name, truth in truths.items():
        some, whether = score.matched(truth, whole[name]["digits"])
        confidence += some
        right += whether
    return score.risk_coverage(confidence, right)


def destination(given: argparse.Namespace) -> Path:
    """bench/results holds nothing but the whole test runs; any other goes to build/bench/pages."""
    if given.out is not None:
        return Path(given.out)
    levels = set(given.levels)
    whole = set(READERS) <= set(given.peers) or given.keep
    if given.split == "test" and not given.pages and given.singles and whole:
        if set(everyday.ALL) <= levels:
            return RESULTS / "everyday.json"
        if given.speed and set(generator.LEVELS + generator.EMPTY) <= levels:
            return RESULTS / "pages.json"
    return peers.FOLDER / f"{'everyday-' * (levels <= set(everyday.ALL))}{given.split}.json"


def names(known: tuple[str, ...]) -> Any:
    def parse(text: str) -> list[str]:
        wrong = [name for name in text.split(",") if name not in known]
        if wrong:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(wrong)}; known are {', '.join(known)}")
        return text.split(",")

    return parse


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.pages", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--everyday", action="store_true", help="the levels of what people photograph")
    parser.add_argument("--levels", type=names(generator.ALL + everyday.ALL), help="those of generator if left out")
    parser.add_argument("--pages", type=int, default=0, help="pages a level; left out, as many as hold 2,000 digits")
    parser.add_argument("--peers", type=names(READERS), default=list(READERS), help="who reads; all if left out")
    parser.add_argument("--singles", type=int, default=0, help="single images of each kind")
    parser.add_argument("--speed", action="store_true", help="also time a 12-megapixel photo and single images")
    parser.add_argument("--annotate", type=Path, help="a folder for pages with what lenet.reading read drawn over them")
    parser.add_argument("--folder", type=Path, default=peers.FOLDER / "drawn", help="where the pages are written")
    parser.add_argument("--rapidocr", metavar="PYTHON", help="an interpreter that has RapidOCR; else one is made")
    parser.add_argument("--out", type=Path, help="where the numbers go")
    parser.add_argument("--keep", action="store_true", help="readers left out keep the figures that are stored there")
    given = parser.parse_args()
    if given.levels is None:
        given.levels = list(everyday.ALL if given.everyday else generator.LEVELS + generator.EMPTY)
    result = measure(given)
    out = destination(given)
    out.parent.mkdir(parents=True, exist_ok=True)
    if given.keep:
        result = keep.with_stored(result, out, "levels")
    history.store(out, result)
    print(tables.pages(result))
    for key, table in (
        ("risk", tables.risk),
        ("singles", tables.singles),
        ("rejection", tables.rejection),
        ("speed", tables.speed),
    ):
        if result.get(key):
            print("\n" + table(result))
    print(f"\nStored in {out}.", file=sys.stderr)


if __name__ == "__main__":
    main()
