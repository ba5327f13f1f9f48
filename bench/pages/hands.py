"""Hands that aren't MNIST's, read as single images: how many digits are right, and how far confidence can be trusted.

    python -m bench.pages.hands                    held-out sets, to build/bench/pages/hands.json
    python -m bench.pages.hands --test             optdigits' test part too, once, at the end: stores bench/results/hands.json
    python -m bench.pages.hands --before FILE      beside it a former reader, that takes tiny images as it takes others
    python -m bench.pages.hands --model FILE       another reader than the packaged one

Held out: pen traces of fourteen writers, drawn with many pens; MNIST's 5,000 held-out digits as pictures of 8 x 8 and
16 x 16 pixels, each the mean of a block of black and white; the same badly cut; digits of fonts that nothing was learned
from. Schools' forms are drawn by the code that drew samples, with other chances: what they show is that they were learned,
not more. Temperature and threshold were chosen on the held-out traces, digits and fonts, among others.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench import history, machine
from bench.pages import peers
from bench.pages.glyphs import Array, cut, mnist
from lenet.evaluation.calibration import BINS, binned, calibration_error
from lenet.reading import read_singles
from lenet.reading.shapes import singles as shapes
from lenet.reading.weights import samples, training
from lenet.reading.weights.cuts import badly_cut
from lenet.reading.weights.hands import schooled, traced
from lenet.reading.weights.reader import PACKAGED, Reader, Steady
from lenet.reading.weights.strokes import drawn, resized
from lenet.reading.weights.traces import load_traces

RESULTS = Path(__file__).resolve().parents[1] / "results" / "hands.json"
SMALLEST, LARGEST = 14.0, 80.0  # a drawn digit's height in pixels
Set = tuple[list[Array], Array]  # images uint8 [h, w], light on dark or dark on light, and labels int64 [N]


def height(rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST))))


def on_paper(coverage: Array, rng: np.random.Generator) -> Array:
    """Ink with a margin, dark on light or light on dark."""
    framed = np.pad(coverage, max(4, round(0.2 * max(coverage.shape))))
    return 255 - framed if rng.random() < 0.5 else framed


def traces() -> Set:
    """The held-out writers' traces, each by a pen, bent and 14 to 80 pixels high."""
    rng = np.random.default_rng(1)
    held = load_traces(held=True)
    images = []
    for points, label in zip(held.points, held.labels.tolist(), strict=True):
        coverage = drawn(traced(points, label, rng), rng)
        images.append(on_paper(resized(coverage, height(rng)), rng))
    return images, held.labels


def schools(count: int = 3000) -> Set:
    """Regional forms."""
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 10, count)
    images = []
    for label in labels.tolist():
        coverage = drawn(schooled(label, rng), rng)
        images.append(on_paper(resized(coverage, height(rng)), rng))
    return images, labels


def blocks(side: int) -> Callable[[], Set]:
    """MNIST's held-out digits in black and white, 32 pixels high, as ``side`` x ``side`` means of blocks; no margin."""

    def make() -> Set:
        pool = mnist("validation")
        images = []
        for image in pool.images:
            inked = cut(image)
            large = cv2.resize(inked, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
            mark = cut(np.where(cv2.GaussianBlur(large, (0, 0), 1.8) > 115, 255, 0).astype(np.uint8))
            scale = 32 / max(mark.shape)
            size = max(1, round(mark.shape[1] * scale)), max(1, round(mark.shape[0] * scale))
            small = cv2.resize(mark, size, interpolation=cv2.INTER_AREA) > 127
            page = np.zeros((32, 32), np.float32)
            top, left = (32 - size[1]) // 2, (32 - size[0]) // 2
            page[top : top + size[1], left : left + size[0]] = small
            step = 32 // side
            counts = page.reshape(side, step, side, step).sum(axis=(1, 3))
            images.append(np.minimum(counts * (256 / step**2), 255).astype(np.uint8))
        return images, pool.labels

    return make


def cuts() -> Set:
    """MNIST's held-out digits as imperfect cutting leaves them."""
    pool, rng = mnist("validation"), np.random.default_rng(3)
    marks = [resized(cut(image), float(rng.uniform(20, 40))) for image in pool.images]
    bad = [badly_cut(mark, marks[int(rng.integers(len(marks)))], rng) for mark in marks]
    return [on_paper(mark, rng) for mark in bad], pool.labels


def fonts(count: int = 1000) -> Set:
    """Digits of handwriting fonts that are held out, bent a little."""
    rng = np.random.default_rng(4)
    glyphs = [
        (glyph, int(name))
        for path in training.font_paths(training.HELD_FONTS)
        for name, glyph in samples.glyphs_of(path, "0123456789").items()
    ]
    chosen = [glyphs[int(rng.integers(len(glyphs)))] for _ in range(count)]
    images = [on_paper(resized(samples._another_font(g, rng, 0.4), height(rng)), rng) for g, _ in chosen]
    return images, np.array([label for _, label in chosen])


def optdigits() -> Set:
    """UCI's optdigits, its test part as scikit-learn carries it: 1,797 images of 8 x 8, 0 to 16. A test set."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return list(np.minimum(found.images * 16, 255).astype(np.uint8)), found.target.astype(np.int64)


SETS: dict[str, Callable[[], Set]] = {
    "traces": traces,
    "schools": schools,
    "blocks16": blocks(16),
    "blocks8": blocks(8),
    "cuts": cuts,
    "fonts": fonts,
}
TESTS: dict[str, Callable[[], Set]] = {"optdigits": optdigits}


def measured(images: list[Array], labels: Array, reader: Reader) -> dict[str, Any]:
    """Shares: right (a rejected one is wrong), rejected, likeliest (right, rejected or not); ece of the likeliest digit."""
    texts, likeliest, confidence = [], [], []
    for start in range(0, len(images), 500):
        for page in read_singles(images[start : start + 500], reader):
            digit = max(page.digits, key=lambda d: d.confidence, default=None)
            texts.append("?" if digit is None else digit.text)
            likeliest.append(-1 if digit is None else int(digit.label))
            confidence.append(0.0 if digit is None else float(digit.confidence))
    right = np.array([text == str(label) for text, label in zip(texts, labels.tolist(), strict=True)])
    good = np.array(likeliest) == labels
    share = float(right.mean())
    return {
        "n": len(labels),
        "right": share,
        "se": (share * (1 - share) / len(labels)) ** 0.5,
        "rejected": texts.count("?") / len(texts),
        "likeliest": float(good.mean()),
        "ece": calibration_error(binned(np.array(confidence), good, BINS)),
        "confidence": float(np.mean(confidence)),
        "by_digit": [float(right[labels == d].mean()) for d in range(10)],
    }


def all_sets(reader: Reader, test: bool) -> dict[str, dict[str, Any]]:
    """Every set read, or the held-out ones alone; each said on the way."""
    found = {}
    for name, make in {**SETS, **(TESTS if test else {})}.items():
        one = found[name] = measured(*make(), reader)
        print(
            f"{name:10} {100 * one['right']:.2f} ± {100 * one['se']:.2f} % right, {100 * one['rejected']:.1f} % rejected, "
            f"likeliest {100 * one['likeliest']:.2f}, sure {100 * one['confidence']:.2f}, ECE {100 * one['ece']:.2f} %",
            file=sys.stderr, flush=True,
        )  # fmt: skip
    return found


def formerly(path: str, test: bool) -> dict[str, dict[str, Any]]:
    """The same by former weights, and with tiny images taken as all others are."""
    now, shapes.AS_IT_IS = shapes.AS_IT_IS, 0
    try:
        return all_sets(Reader(Steady.load(path)), test)
    finally:
        shapes.AS_IT_IS = now


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.pages.hands", description=__doc__.split("\n\n")[0])
    parser.add_argument("--test", action="store_true", help="read optdigits' test part too, and store the result")
    parser.add_argument("--model", default=PACKAGED, help="a reader's file")
    parser.add_argument("--before", help="a former reader's file, to read the same with")
    parser.add_argument("--out", type=Path, help="where the numbers go")
    given = parser.parse_args()
    result: dict[str, Any] = machine.about(1, {}, {})
    result["sets"] = all_sets(Reader(Steady.load(given.model)), given.test)
    result["before"] = formerly(given.before, given.test) if given.before else {}
    out = given.out or (RESULTS if given.test else peers.FOLDER / "hands.json")
    out.parent.mkdir(parents=True, exist_ok=True)
    history.store(out, result)
    print(f"Stored in {out}.", file=sys.stderr)


if __name__ == "__main__":
    main()
