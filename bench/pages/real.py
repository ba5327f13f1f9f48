"""How real photographs and scans are read: ``python -m bench.pages.real FOLDER`` on a copy of them in FOLDER.

    --peers lenet,tesseract,rapidocr     who reads; all if left out
    --rapidocr PYTHON                    an interpreter that has RapidOCR; else an environment is made
    --each                               also a line for each picture
    --out FILE                           where the numbers go
    --keep                               readers left out keep the figures that are stored there

The pictures are other people's, most of them without a licence, and are not part of this project. ``real.json`` states the
facts alone: for each picture its repository and licence as stated there, its file's name and SHA-256, its kind, what stands
on it line by line (marks as in ``choices``), how far it must be turned, and whether names on it were made unreadable before
the hash was taken. A file in FOLDER is known by its hash, whatever it is called; what is missing is named.

Pictures are read as they lie. Six lie on their side; "turned" is the same reader on pictures that were put upright by the
truth. Pictures said to show one digit are read by lenet as such. Peers get each picture fitted to a size they do well on, and
RapidOCR runs at its best setting (``peers``); its strings less than 60 % of which are digits are dropped. tesseract may look
for digits alone, and answers in the page mode that does best on each kind of these very pictures. Boxes become lines by their
middles.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from bench import history, machine
from bench.environments import Absent
from bench.pages import choices, keep, peers
from bench.pages.peers import FOLDER, Reading

FACTS = Path(__file__).with_name("real.json")
RESULT = Path(__file__).resolve().parents[1] / "results" / "real.json"
READERS = ("lenet", "tesseract", "rapidocr")
LEAST = 0.6  # of a string that are digits, else RapidOCR's string is dropped
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")

Fact = dict[str, Any]
Answers = dict[str, list[str]]  # SHA-256 -> lines read


def facts() -> list[Fact]:
    """What is known of each picture, in one order."""
    known: list[Fact] = json.loads(FACTS.read_text(encoding="utf-8"))
    return known


def copies(folder: Path) -> dict[str, Path]:
    """The pictures anywhere under a folder by their SHA-256."""
    paths = (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES and path.is_file())
    return {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in paths}


def opened(path: Path, turn: int = 0) -> Image.Image:
    """As its camera says, then turned to the left by so many degrees."""
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    return upright.rotate(turn, expand=True) if turn else upright


def in_rows(pieces: Sequence[dict[str, Any]]) -> list[str]:
    """Pieces as lines from top to bottom, each from left to right.

    A piece belongs to the line above where its middle is less than half its own height below that of the line's first piece.
    """
    places = sorted(
        ((p["box"][1] + p["box"][3]) / 2, p["box"][0], p["box"][3] - p["box"][1], p["text"]) for p in pieces
    )
    rows: list[list[tuple[float, float, float, str]]] = []
    for place in places:
        if rows and place[0] - rows[-1][0][0] < place[2] / 2:
            rows[-1].append(place)
        else:
            rows.append([place])
    return [" ".join(text for _, _, _, text in sorted(row, key=lambda place: place[1])) for row in rows]


def mostly_digits(pieces: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pieces at least 60 % of whose characters are digits, with nothing but these."""
    kept = []
    for piece in pieces:
        found, length = choices.digits(piece["text"]), len(piece["text"].replace(" ", ""))
        if found and len(found) >= LEAST * length:
            kept.append({**piece, "text": found})
    return kept


def by_lenet(images: dict[str, Image.Image], known: dict[str, Fact]) -> tuple[Answers, dict[str, float]]:
    """The lines read, and the processor's seconds for each picture."""
    from lenet.reading import Reader, read

    reader, answers, seconds = Reader(None), {}, {}
    for key, image in images.items():
        start = time.process_time()
        page = read(image, reader, layout="single" if known[key]["kind"] == "single" else "lines")
        seconds[key] = time.process_time() - start
        answers[key] = page.text.split("\n")
    return answers, seconds


def by_peer(images: dict[str, Image.Image], ask: Callable[[Path], Reading]) -> Answers:
    """A peer's lines: it gets a folder of PNG files that is gone afterwards."""
    with tempfile.TemporaryDirectory() as made:
        for key, image in images.items():
            image.save(Path(made) / f"{key}.png", compress_level=1)
        found = ask(Path(made))
    return {name.removesuffix(".png"): in_rows(pieces) for name, pieces in found.items()}


def by_rapidocr(images: dict[str, Image.Image], python: str | None) -> Answers:
    def ask(folder: Path) -> Reading:
        found = peers.rapidocr(folder, python, tuned=True)
        return {name: mostly_digits(pieces) for name, pieces in found.items()}

    return by_peer(images, ask)


def by_tesseract(images: dict[str, Image.Image], known: dict[str, Fact]) -> tuple[Answers, dict[str, int]]:
    """In the page mode with the fewest edits on each kind; and which that was."""
    tried = {
        mode: by_peer(images, lambda folder, m=mode: peers.on_fitted(folder, lambda made: peers.tesseract(made, m)))
        for mode in peers.ALL_MODES
    }
    answers: Answers = {}
    chosen = {}
    for kind in dict.fromkeys(known[key]["kind"] for key in images):
        keys = [key for key in images if known[key]["kind"] == kind]
        edits = {m: sum(scored(known[key], tried[m][key]).edits.distance for key in keys) for m in peers.ALL_MODES}
        chosen[kind] = min(peers.ALL_MODES, key=edits.__getitem__)
        answers |= {key: tried[chosen[kind]][key] for key in keys}
    return answers, chosen


def scored(fact: Fact, answer: Sequence[str]) -> choices.PictureScore:
    return choices.picture(fact["lines"], answer)


def summed(scores: Sequence[choices.PictureScore], seed: int = 0) -> dict[str, float]:
    """Pictures of one kind together; the standard error is that of 1,000 resamples of pictures."""
    lengths = np.array([s.digits for s in scores], np.float64)
    wrong = np.array([s.edits.distance for s in scores], np.float64)
    out: dict[str, float] = {
        "pictures": len(scores),
        "digits": int(lengths.sum()),
        "missing": sum(s.edits.missing for s in scores),
        "false": sum(s.edits.false for s in scores),
        "wrong": sum(s.edits.wrong for s in scores),
        "numbers": sum(s.numbers for s in scores),
        "exact": sum(s.exact for s in scores),
    }
    if lengths.sum():
        drawn = np.random.default_rng(seed).integers(0, len(scores), (1000, len(scores)))
        samples = 1 - wrong[drawn].sum(1) / np.maximum(1, lengths[drawn].sum(1))
        out["right"] = float(1 - wrong.sum() / lengths.sum())
        out["se"] = float(samples.std(ddof=1))
        out["any_order"] = sum(s.any_order for s in scores) / float(lengths.sum())
    return out


def by_kind(answers: Answers, known: dict[str, Fact]) -> dict[str, dict[str, float]]:
    """``summed`` for each kind in the facts' order, and for ``all``."""
    scores = {key: scored(known[key], lines) for key, lines in answers.items()}
    kinds = dict.fromkeys(known[key]["kind"] for key in scores)
    out = {kind: summed([s for key, s in scores.items() if known[key]["kind"] == kind]) for kind in kinds}
    return {**out, "all": summed(list(scores.values()))}


def measure(given: argparse.Namespace) -> dict[str, Any]:
    every = {fact["sha256"]: fact for fact in facts()}
    there = copies(given.folder)
    known = {key: fact for key, fact in every.items() if key in there}
    missing = [fact["file"] for key, fact in every.items() if key not in there]
    if missing:
        some = ", ".join(missing[:8]) + (" …" if len(missing) > 8 else "")
        print(f"{len(missing)} of {len(every)} pictures aren't in {given.folder}: {some}", file=sys.stderr)
    if not known:
        sys.exit(f"none of the {len(every)} pictures of {FACTS.name} is in {given.folder}; it lists their repositories")
    lying = {key: opened(there[key]) for key in known}
    turned = {key: opened(there[key], known[key]["turn"]) for key in known if known[key]["turn"]}
    absent: dict[str, str] = {}
    versions: dict[str, str] = {}
    results: dict[str, Any] = {}
    modes: dict[str, int] = {}
    seconds: dict[str, float] = {}
    for name in given.peers:
        try:
            if name != "lenet":
                versions[name] = peers.version(name, given.rapidocr)
            if name == "lenet":
                answers, each = by_lenet(lying, known)
                upright, _ = by_lenet(turned, known)
                seconds = {
                    kind: float(np.mean([s for key, s in each.items() if kind in (known[key]["kind"], "all")]))
                    for kind in (*dict.fromkeys(fact["kind"] for fact in known.values()), "all")
                }
            elif name == "rapidocr":
                answers, upright = (by_rapidocr(some, given.rapidocr) for some in (lying, turned))
            else:
                answers, modes = by_tesseract(lying, known)
                upright, _ = by_tesseract(turned, known)
        except Absent as reason:
            absent[name] = str(reason)
            print(f"{name} is left out: {reason}", file=sys.stderr)
            continue
        results[name] = by_kind(answers, known)
        results[f"{name} turned"] = by_kind({key: upright.get(key, answers[key]) for key in answers}, known)
        if given.each:
            for key, lines in answers.items():
                told = scored(known[key], lines)
                print(f"{name} {known[key]['file']}: {told.digits - told.edits.distance} of {told.digits}: {lines}")
    return {
        **machine.about(1, versions, absent),
        "missing": missing,
        "modes": modes,
        "seconds": seconds,
        "kinds": results,
    }


def table(result: dict[str, Any]) -> str:
    """What was measured, for the terminal."""
    rows = []
    for name, kinds in result["kinds"].items():
        for kind, one in kinds.items():
            right = f"{100 * one['right']:5.1f} ± {100 * one['se']:.1f} %" if "right" in one else ""
            rows.append(
                f"{name:17} {kind:15} {one['pictures']:4} pictures {one['digits']:5} digits {right:14} right  lines "
                f"{one['exact']:3} of {one['numbers']:3}  missing {one['missing']} false {one['false']} wrong {one['wrong']}"
            )
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.pages.real", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where copies of the pictures lie, at any depth")
    parser.add_argument("--peers", type=lambda text: text.split(","), default=list(READERS), help="who reads")
    parser.add_argument("--rapidocr", metavar="PYTHON", help="an interpreter that has RapidOCR; else one is made")
    parser.add_argument("--each", action="store_true", help="also a line for each picture")
    parser.add_argument("--out", type=Path, help="where the numbers go")
    parser.add_argument("--keep", action="store_true", help="readers left out keep the figures that are stored there")
    given = parser.parse_args()
    if unknown := [name for name in given.peers if name not in READERS]:
        parser.error(f"argument --peers: unknown: {', '.join(unknown)}; known are {', '.join(READERS)}")
    if not given.folder.is_dir():
        parser.error(f"{given.folder} is no folder; expected one with copies of the pictures that {FACTS.name} lists")
    result = measure(given)
    whole = not result["missing"] and (given.keep or set(given.peers) == set(READERS)) and not result["absent"]
    out = given.out or (RESULT if whole else FOLDER / "real.json")
    if given.keep:
        result = keep.with_stored(result, out, "kinds")
    history.store(out, result)
    print(table(result))
    print(f"\nStored in {out}.", file=sys.stderr)


if __name__ == "__main__":
    main()
