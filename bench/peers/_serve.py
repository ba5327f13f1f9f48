"""What every peer shares: the line protocol, MNIST as arrays, one image timed. The standard library and numpy alone."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 64
THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
FILES = {"train": "train", "test": "t10k"}
IMAGES = 2000  # timed one after another for the latency of one, after a tenth as many unmeasured


def mnist(mode: str) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [N, 28, 28] and labels int64 [N] from the plain IDX files in $BENCH_DATA."""
    folder = Path(os.environ["BENCH_DATA"])
    images = np.fromfile(folder / f"{FILES[mode]}-images-idx3-ubyte", np.uint8)[16:].reshape(-1, 28, 28)
    labels = np.fromfile(folder / f"{FILES[mode]}-labels-idx1-ubyte", np.uint8)[8:].astype(np.int64)
    return images, labels


def normalised(images: np.ndarray) -> np.ndarray:
    """float32 [N, 1, 28, 28], from -1 to 1."""
    return (images[:, None].astype(np.float32) - 127.5) / 127.5


def weights() -> dict[str, np.ndarray]:
    """The trained network that every peer answers with: conv1, conv2 [O, C, 5, 5], linear1…3 [in, out], and biases."""
    with np.load(os.environ["BENCH_WEIGHTS"]) as stored:
        return dict(stored)


def accuracy(answer: Callable[[np.ndarray], np.ndarray], images: np.ndarray, labels: np.ndarray, batch: int) -> float:
    """The share of images [N, …] whose largest logit is at their label, ``batch`` of them at a time."""
    right = 0
    for start in range(0, len(images), batch):
        stop = start + batch
        right += int((answer(images[start:stop]).argmax(1) == labels[start:stop]).sum())
    return right / len(images)


def latency(answer: Callable[[np.ndarray], Any], images: np.ndarray) -> dict[str, float]:
    """Microseconds for one image, from a numpy array [1, …] to an answer that is there: median and 99th of a hundred."""
    count = min(IMAGES, int(os.environ.get("BENCH_IMAGES", IMAGES)))
    one = [np.ascontiguousarray(images[i : i + 1]) for i in range(100)]
    for i in range(count // 10 + 1):
        answer(one[i % 100])
    took = np.empty(count)
    for i in range(count):
        start = time.perf_counter()
        answer(one[i % 100])
        took[i] = time.perf_counter() - start
    return {"p50": float(np.percentile(took, 50)) * 1e6, "p99": float(np.percentile(took, 99)) * 1e6}


def memory() -> float:
    """The most memory this process has held, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


def serve(works: dict[str, Callable[[], Any]], version: str) -> None:
    """Answer each line (the name of a work) with a line of JSON: its seconds and what it returned, or what went wrong."""
    answers, sys.stdout = sys.stdout, sys.stderr  # what a library prints must not come between
    print(json.dumps({"ready": sorted(works), "version": version}), flush=True, file=answers)
    for line in sys.stdin:
        work = works[line.strip()]
        start = time.perf_counter()
        try:
            result = work()
        except Exception as error:  # one work that a library can't do here leaves the others standing
            reason = " ".join(str(error).split())[:200]
            print(json.dumps({"error": f"{type(error).__name__}: {reason}"}), flush=True, file=answers)
            continue
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "result": result, "memory": memory()}), flush=True, file=answers)
