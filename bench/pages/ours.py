"""``lenet.reading`` on the benchmark's pages and single images: what it read as the scorer takes it, and how long it took."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.pages import generator, rejects, score, singles
from bench.pages.glyphs import Array, mnist

BATCH = 500  # images that are read together
CHILD = """
import json, statistics, sys, time
import numpy as np
from lenet import reading

def once(image, layout):
    start = time.perf_counter()
    page = reading.read(image, layout=layout)
    return time.perf_counter() - start, len([digit for digit in page.digits if not digit.rejected])

times = [once(sys.argv[1], "lines") for _ in range(6)][1:]
with open("/proc/self/status") as status:  # getrusage would count what the parent once held
    mb = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
small = np.load(sys.argv[2])
singles = [once(image, "single")[0] for image in small[:300]]
start = time.perf_counter()
reading.read_singles(list(small))
batch = len(small) / (time.perf_counter() - start)
median = statistics.median(seconds for seconds, _ in times)
one = 1000 * statistics.median(singles)
print(json.dumps({"page_s": median, "digits": times[0][1], "mb": mb, "image_ms": one, "images_a_second": batch}))
"""


def read_folder(folder: Path, annotate: Path | None = None) -> dict[str, dict[str, Any]]:
    """For each PNG its pieces, one a number, its digits that aren't rejected, and seconds from the path to the page.

    annotate: a folder that gets each page with what was read drawn over it.
    """
    from PIL import Image

    from lenet import reading

    found = {}
    for path in sorted(folder.glob("*.png")):
        start = time.perf_counter()
        page = reading.read(str(path))
        seconds = time.perf_counter() - start
        pieces = [{"text": n.text, "box": list(n.box)} for line in page.lines for n in line.numbers]
        taken = [
            {"label": d.label, "confidence": float(d.confidence), "box": list(d.box)}
            for d in page.digits
            if not d.rejected
        ]
        found[path.name] = {"pieces": pieces, "digits": taken, "seconds": seconds}
        if annotate is not None:
            annotate.mkdir(parents=True, exist_ok=True)
            drawn = reading.annotate(np.asarray(Image.open(path).convert("RGB")), page)
            Image.fromarray(drawn).save(annotate / f"{folder.name}-{path.stem}.png")
    return found


def answers(images: Sequence[object]) -> tuple[list[str], Array]:
    """The label of each single image, ``?`` where rejected or nothing was found, and how sure it is a digit, float [N].

    The score is the digit's confidence even where it is rejected, and 0 where there is none.
    """
    from lenet import reading

    labels, scores = [], []
    for start in range(0, len(images), BATCH):
        for page in reading.read_singles(images[start : start + BATCH]):
            digit = max(page.digits, key=lambda d: d.confidence, default=None)
            labels.append("?" if digit is None else digit.text)
            scores.append(0.0 if digit is None else float(digit.confidence))
    return labels, np.array(scores)


def single_accuracy(
    split: str, n: int, seed: int = 0, sets: Sequence[str] = tuple(singles.SETS)
) -> dict[str, dict[str, float]]:
    """For each set the share of the split's first n images that are read right; a rejected one is wrong."""
    pool = mnist(split)
    images, truth = pool.images[:n], [str(label) for label in pool.labels[:n]]
    out = {}
    for name in sets:
        read: list[str] = []
        for start in range(0, n, BATCH):  # large pictures aren't all kept
            files = singles.single_sets(images[start : start + BATCH], seed, (name,), start)[name]
            read += answers(files)[0]
        right = float(np.mean([a == b for a, b in zip(read, truth, strict=True)]))
        out[name] = {"right": right, "se": (right * (1 - right) / len(truth)) ** 0.5, "n": len(truth)}
    return out


def rejection(split: str, n: int, seed: int = 0) -> dict[str, Any]:
    """AUROC of digits against each kind of what is none, n images of each, and the share of these that is called a digit.

    The digits are the split's first n, plain, so that whoever scores high must tell apart by shape.
    """
    digits, sure = answers([255 - image for image in mnist(split).images[:n]])
    out: dict[str, Any] = {"digits": {"n": len(digits), "rejected": digits.count("?") / len(digits)}}
    for kind, images in rejects.single(split, n, seed).items():
        labels, scores = answers(images)
        called = 1 - labels.count("?") / len(labels)
        out[kind] = {"n": len(labels), "auroc": score.auroc(sure, scores), "called_digits": called}
    return out


def speed(split: str) -> dict[str, float]:
    """In a process of its own: a 12-megapixel JPEG of 200 digits read from its file, seconds (median of five after one) and
    the process's largest memory in MB; one 28 x 28 array, ms (median of 300); single arrays a second, 2,000 together.
    """
    with tempfile.TemporaryDirectory() as folder:
        photo, small = Path(folder) / "photo.jpg", Path(folder) / "small.npy"
        photo.write_bytes(singles.file(generator.page(generator.SPEED, 0, split).image, "JPEG", quality=92))
        np.save(small, mnist(split).images[:2000])
        command = [sys.executable, "-c", CHILD, str(photo), str(small)]
        measured: dict[str, float] = json.loads(
            subprocess.run(command, capture_output=True, text=True, check=True).stdout
        )
    return measured
