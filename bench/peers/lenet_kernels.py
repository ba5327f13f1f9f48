"""What is left to win: GFLOP/s and share of time of each kernel of a training epoch, beside what the machine can do.

``python -m bench kernels`` starts it inside our environment, on one thread, where the engine's clock is exact; it prints
JSON. Multiply-adds are counted two operations each and dense, as the network's definition has them; additions, maxima and
Adam's arithmetic are not counted, so rows without multiply-adds show time alone.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
from _lenet_plan import MACS, SIZES, prepared

from lenet import _core

BATCH, IMAGES = 64, 60_000
ROWS = ["conv1 + relu + pool1 + relu", "conv2 + pool2", "linear1 + relu", "linear2 + relu", "linear3"]


def names_and_work(images: int) -> list[tuple[str, float]]:
    """For each place of the engine's clock its name and its floating-point operations for so many images."""
    forward = [(f"{row}, forward", 2.0 * macs * images) for row, macs in zip(ROWS, MACS, strict=True)]
    # Backward a convolution makes its weights' gradient, and its input's but for the first; a linear layer here only its
    # input's: its weights' come over all samples, in "gradients".
    twice = [1, 2, 1, 1, 1]
    backward = [(f"{row}, backward", 2.0 * m * k * images) for row, m, k in zip(ROWS, MACS, twice, strict=True)]
    rest = [("load", 0.0), ("loss", 0.0), ("gradients", 2.0 * sum(MACS[2:]) * images), ("update", 0.0)]
    return forward + backward + rest


def measure(epochs: int) -> dict[str, Any]:
    _core.set_num_threads(1)
    peak = _core.multiply_add_peak(0.3, 1)
    run, plan = prepared(SIZES, BATCH, IMAGES)
    run()
    alone = whole = 0.0
    clock = np.zeros(len(names_and_work(IMAGES)))
    for _ in range(epochs):  # without the clock and with it in turn, so that a drifting machine is the same for both
        start = time.perf_counter()
        run()
        alone += (time.perf_counter() - start) / epochs
        plan.profile(True)
        start = time.perf_counter()
        run()
        whole += (time.perf_counter() - start) / epochs
        clock += np.array(plan.clock) / epochs
        plan.profile(False)
    rows = [
        {"name": name, "seconds": float(s), "share": float(s / whole), "gflops": work / s / 1e9 if work else None}
        for (name, work), s in zip(names_and_work(IMAGES), clock, strict=True)
    ]
    work = sum(w for _, w in names_and_work(IMAGES))
    return {
        "rows": rows,
        "epoch": {"seconds": alone, "seconds_with_clock": whole, "gflops": work / alone / 1e9, "work": work / 1e9},
        "elsewhere": float(whole - clock.sum()),
        "peak": {"before": peak, "after": _core.multiply_add_peak(0.3, 1)},
        "copy": _core.copy_peak(0.3, 1),
        "level": _core.level(),
    }


print(json.dumps(measure(int(sys.argv[1]))))
