"""How time grows with what is asked: batch, samples, width, threads. ``python -m bench growth`` starts it; it prints JSON.

Training and answering through the engine's plan, in microseconds per group of sixteen images, the engine's own unit of
work. Training, a group that isn't full costs what a full one does; answering, fewer images cost less. Best of three for
each point, points in turn.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from _lenet_plan import SIZES, data, macs, network, prepared

import lenet
from lenet import _core
from lenet.jit import plan

quick = "--quick" in sys.argv
BATCHES = [1, 4, 16, 256] if quick else [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096]
SAMPLES = [500, 1000] if quick else [1_000, 3_000, 10_000, 30_000, 60_000, 150_000, 300_000, 600_000]
WIDTHS = [1, 2] if quick else [1, 2, 3, 4, 6, 8]
THREADS = [1, 2] if quick else [1, 2, 3, 4, 6, 8]
LEAST = 0.02 if quick else 0.4  # seconds a point is run for, at least
PEAK = 0.05 if quick else 0.3  # seconds the peak is looked at
FEW, MANY = (64, 256) if quick else (512, 4096)  # images of a point, at least, in small batches and in large ones


def best(run: Callable[[], Any]) -> float:
    """Seconds of one run: the fastest of three stretches of at least ``LEAST`` seconds in all, after one unmeasured."""
    start = time.perf_counter()
    run()
    times = max(1, int(LEAST / 3 / max(time.perf_counter() - start, 1e-7)))
    took = []
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(times):
            run()
        took.append((time.perf_counter() - start) / times)
    return min(took)


def groups(images: int, batch: int) -> int:
    whole, rest = divmod(images, batch)
    return whole * -(-batch // 16) + -(-rest // 16)


def train(sizes: tuple[int, ...], batch: int, images: int) -> float:
    """Seconds for training on the images once."""
    return best(prepared(sizes, batch, images)[0])


def answer(batch: int, images: int) -> float:
    """Seconds for the answers to the images, a batch at a time."""
    net = network(SIZES)
    net.eval()
    pixels, _, table = data(images)
    chain = plan.compile(net, None, None, [lenet.to_tensor(np.zeros((batch, 1, 28, 28), np.float32))])
    if not isinstance(chain, plan.Chain):
        raise SystemExit(f"no plan: {chain}")
    order = np.arange(images)
    batches = [order[start : start + batch] for start in range(0, images, batch)]

    def run() -> None:
        for indices in batches:
            chain.infer(pixels, table, indices)

    return best(run)


def measure() -> dict[str, Any]:
    threads = lenet.get_num_threads()
    result: dict[str, Any] = {"level": _core.level(), "threads_used": threads}
    before = {n: _core.multiply_add_peak(PEAK, n) for n in (1, threads)}
    result["batch"] = []
    for batch in BATCHES:
        images = max(batch, FEW if batch < 64 else MANY)
        lenet.set_num_threads(
            1
        )  # a batch of one group is work for one thread, of two for two: here the work is asked for
        seconds = {"train": train(SIZES, batch, images), "answer": answer(batch, images)}
        lenet.set_num_threads(threads)
        seconds["train_all"] = train(SIZES, batch, images)
        each = {name: s / groups(images, batch) * 1e6 for name, s in seconds.items()}
        result["batch"].append({"batch": batch, **each})
    result["samples"] = [{"samples": n, "train": train(SIZES, 64, n) / groups(n, 64) * 1e6} for n in SAMPLES]
    result["width"] = []
    for width in WIDTHS:
        sizes = tuple(width * size for size in SIZES)
        images = max(256, 2 * MANY // width**2 // 64 * 64)
        layers = macs(sizes)
        work = 2 * images * (3 * sum(layers) - layers[0])
        seconds = train(sizes, 64, images)
        each = seconds / groups(images, 64) * 1e6
        result["width"].append({"width": width, "train": each, "gflops": work / seconds / 1e9})
    result["threads"] = []
    for count in THREADS:
        lenet.set_num_threads(count)
        result["threads"].append({"threads": count, "train": train(SIZES, 64, MANY) / groups(MANY, 64) * 1e6})
    lenet.set_num_threads(threads)
    result["peak"] = {"before": before, "after": {n: _core.multiply_add_peak(PEAK, n) for n in before}}
    return result


print(json.dumps(measure()))
