"""What every peer shares: the line protocol, and MNIST as arrays. Imports nothing but the standard library and numpy."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 64
FILES = {"train": "train", "test": "t10k"}


def mnist(mode: str) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [N, 28, 28] and labels int64 [N] from the plain IDX files in $BENCH_DATA."""
    folder = Path(os.environ["BENCH_DATA"])
    images = np.fromfile(folder / f"{FILES[mode]}-images-idx3-ubyte", np.uint8)[16:].reshape(-1, 28, 28)
    labels = np.fromfile(folder / f"{FILES[mode]}-labels-idx1-ubyte", np.uint8)[8:].astype(np.int64)
    return images, labels


def normalised(images: np.ndarray) -> np.ndarray:
    """float32 [N, 1, 28, 28], from -1 to 1."""
    return (images[:, None].astype(np.float32) - 127.5) / 127.5


def serve(works: dict[str, Callable[[], Any]], version: str) -> None:
    """Answer each line (the name of a work) with a line of JSON: its seconds, and what it returned."""
    print(json.dumps({"ready": sorted(works), "version": version}), flush=True)
    for line in sys.stdin:
        work = works[line.strip()]
        start = time.perf_counter()
        result = work()
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "result": result}), flush=True)
