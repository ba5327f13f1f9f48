"""What is left to win, kernel by kernel: operations needed and done, and how they and the time relate to the machine's peak.

``python -m bench kernels`` starts it inside our environment, on one thread, where the engine's clock is exact; it prints
JSON. LeNet's epoch comes first, then a step of each network of ``_networks``. Multiply-adds count as two operations each.
"Needed" is what the network's definition has; "done" is what the engine's ways compute, as the engine says itself.
Additions, choices, maxima and Adam's arithmetic aren't counted, so rows without multiply-adds show time alone.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from _lenet_networks import trained
from _lenet_plan import SIZES, prepared
from _networks import NETWORKS

from lenet import _core

BATCH, IMAGES = 64, 60_000
REST = ("load", "loss", "gradients", "update")


def places(plan: Any, images: int) -> list[tuple[str, float, float]]:
    """For each place of the engine's clock its name and its operations for so many images: needed and done."""
    names = [f"{name}, {way}" for way in ("forward", "backward") for name in plan.names] + list(REST)
    return [(name, 2 * images * need, 2 * images * done) for name, (need, done) in zip(names, plan.work, strict=True)]


def measure(run: Callable[[], Any], plan: Any, images: int, times: int) -> dict[str, Any]:
    """``run`` trains on so many images once."""
    run()
    alone = whole = 0.0
    rows = places(plan, images)
    clock = np.zeros(len(rows))
    for _ in range(times):  # without the clock and with it in turn, so that a drifting machine is the same for both
        start = time.perf_counter()
        run()
        alone += (time.perf_counter() - start) / times
        plan.profile(True)
        start = time.perf_counter()
        run()
        whole += (time.perf_counter() - start) / times
        clock += np.array(plan.clock) / times
        plan.profile(False)
    needed, done = (sum(row[i] for row in rows) for i in (1, 2))
    return {
        "rows": [
            {
                "name": name,
                "seconds": float(s),
                "share": float(s / whole),
                "needed": need / 1e9,
                "done": did / 1e9,
                "gflops": need / s / 1e9 if need else None,
            }
            for (name, need, did), s in zip(rows, clock, strict=True)
        ],
        "epoch": {
            "seconds": alone,
            "seconds_with_clock": whole,
            "gflops": needed / alone / 1e9,
            "work": needed / 1e9,
            "done": done / 1e9,
        },
        "elsewhere": float(whole - clock.sum()),
    }


def main(times: int) -> dict[str, Any]:
    _core.set_num_threads(1)
    peak = _core.multiply_add_peak(0.3, 1)
    run, plan = prepared(SIZES, BATCH, IMAGES)
    result = measure(run, plan, IMAGES, times)
    result["networks"] = {}
    for name, (_, _, batch, _) in NETWORKS.items():
        run, plan = trained(name)
        result["networks"][name] = measure(run, plan, batch, times)
    after = _core.multiply_add_peak(0.3, 1)
    return {**result, "peak": {"before": peak, "after": after}, "copy": _core.copy_peak(0.3, 1), "level": _core.level()}


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
