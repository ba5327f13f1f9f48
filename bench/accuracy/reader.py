"""How well the packaged reader tells single digits, however they were photographed, and what is none. Stores reader.json.

    python -m bench.accuracy.reader [--split validation|test] [--images N] [--rule FAST.safetensors]

Every image goes through ``lenet.reading.read_singles``, as ``lenet predict`` reads it. validation: the 5,000 held-out
images and the development fonts, by which knobs are chosen; test: MNIST's test images and the other fonts, for the last
word, and the only split that is stored. ``--rule`` fits what ``reader.with_no_digit`` does for networks of ten outputs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bench.pages import rejects
from bench.pages.glyphs import mnist
from bench.pages.singles import SETS, single_sets

from lenet.reading._read import read_singles
from lenet.reading.reader import PACKAGED, Reader
from lenet.train import Trained
from lenet.train.record import machine

RESULT = Path(__file__).resolve().parents[1] / "results" / "reader.json"
AT_ONCE = 500

Array = np.ndarray[Any, Any]


def answers(images: Sequence[Array | bytes], reader: Reader) -> tuple[Array, Array]:
    """Probabilities [N, 11] and whether each was rejected; what has no ink is no digit for certain."""
    found, rejected = np.zeros((len(images), 11), np.float32), np.ones(len(images), bool)
    found[:, 10] = 1
    for start in range(0, len(images), AT_ONCE):
        for i, page in enumerate(read_singles(images[start : start + AT_ONCE], reader), start):
            for digit in page.digits:
                found[i], rejected[i] = reader(digit.image[None])[0], digit.rejected
    return found, rejected


def auroc(digits: Array, others: Array) -> float:
    """The chance that a digit's score is above another's, ties counting half."""
    _, place, count = np.unique(np.concatenate([digits, others]), return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place[: len(digits)]]
    return float((rank.sum() - len(digits) * (len(digits) + 1) / 2) / (len(digits) * len(others)))


def fit_rule(model: str, images: Array, others: Sequence[Array]) -> None:
    """Print the slope and the middle of a logistic rule: by Newton's method, digits and others weighing the same."""
    network = Trained.load(model)
    seen = [(page, i >= len(images)) for i, page in enumerate(read_singles([*images, *others])) if page.digits]
    forms, none = [page.digits[0].image for page, _ in seen], np.array([other for _, other in seen])
    best = np.clip(network.probabilities(np.stack(forms)).max(axis=1), 1e-7, 1 - 1e-7).astype(np.float64)
    x = np.stack([np.ones(len(best)), np.log(best) - np.log1p(-best)], axis=1)
    weight = np.where(none, 0.5 / none.sum(), 0.5 / (~none).sum())
    at = np.zeros(2)
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ at))
        at += np.linalg.solve((x * (weight * p * (1 - p))[:, None]).T @ x, x.T @ (weight * (none - p)))
    print(
        f"slope {-at[1]:.3f}, middle {-at[0] / at[1]:.3f}; {len(images) + len(others) - len(seen)} images without ink"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--images", type=int, default=10_000, help="digits at most, and rejects of each kind")
    parser.add_argument("--only", nargs="*", choices=list(SETS), help="these sets alone")
    parser.add_argument("--model", help="another model than the packaged one")
    parser.add_argument(
        "--rule", metavar="MODEL", help="fit the rule for networks of ten outputs to this one, and stop"
    )
    options = parser.parse_args()
    glyphs = mnist(options.split)
    order = np.random.default_rng(0).permutation(len(glyphs.labels))[: options.images]
    images, labels = glyphs.images[order], glyphs.labels[order]
    others = rejects.single(options.split, min(options.images, 2000))
    if options.rule:
        fit_rule(options.rule, images, [image for some in others.values() for image in some])
        return
    reader = Reader(options.model)
    shown: dict[str, Any] = {}
    plain = None
    for name in options.only or SETS:
        found, rejected = answers(single_sets(images, only=(name,))[name], reader)
        right = found[:, :10].argmax(axis=1) == labels
        share = float(right.mean())
        shown[name] = {
            "right": share,
            "standard_error": float(np.sqrt(share * (1 - share) / len(right))),
            "rejected": float(rejected.mean()),
            "wrong_and_not_rejected": float((~right & ~rejected).mean()),
        }
        plain = reader.score(found) if name == "plain" else plain
        print(f"{name:18s} {100 * share:6.2f} % right, {100 * rejected.mean():5.2f} % rejected", flush=True)
    kinds: dict[str, Any] = {}
    for kind, some in others.items():
        found, rejected = answers(some, reader)
        if plain is not None:
            area = auroc(plain, reader.score(found))
            kinds[kind] = {"auroc": area, "rejected": float(rejected.mean()), "images": len(some)}
            print(f"{kind:18s} AUROC {area:.4f}, {100 * rejected.mean():.2f} % rejected", flush=True)
    if options.split == "test" and not options.only and not options.model:
        summary = {
            "machine": machine(),
            "script_sha256": hashlib.sha256(Path(__file__).read_bytes()).hexdigest(),
            "what": "single images of MNIST's test digits in many forms, and images of no digit (fonts of the test half)",
            "weights": Trained.load(PACKAGED).digest,
            "images": len(labels),
            "digits": shown,
            "no_digits": kinds,
        }
        RESULT.write_text(json.dumps(summary, indent=1) + "\n")


if __name__ == "__main__":
    main()
