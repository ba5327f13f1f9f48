"""What a result says of where it was measured: processor, cores, source, date, and the machine's own peak before and after.

A ratio is worth as much as the machine was steady: ``Peaks`` asks the engine for its multiply-add peak around a run, and
flags the result where the two are more than 5 % apart.
"""

from __future__ import annotations

import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
STEADY = 0.05  # how far the peak may move between before and after


def cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def cores() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def peak_megabytes() -> int:
    """The most memory this process has held. getrusage, asked elsewhere, counts what the parent once held too."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) >> 10
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def source_hash() -> str:
    """The commit this tree is at, with a + if it was changed since."""
    git = ["git", "-C", str(ROOT)]
    head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*git, "status", "--porcelain", "core", "src"], capture_output=True, text=True).stdout
    return head + ("+" if changed else "")


def about(rounds: int, versions: dict[str, str], absent: dict[str, str]) -> dict[str, Any]:
    """absent: why a peer, or one work of a peer, isn't there."""
    return {
        "machine": cpu(),
        "cores": cores(),
        "source": source_hash(),
        "rounds": rounds,
        "versions": versions,
        "absent": absent,
        "date": time.strftime("%Y-%m-%d"),
    }


def judged(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Both peaks, and whether the machine was steady: no thread count's GFLOP/s moved by more than 5 %."""
    moved = max(abs(after["gflops"][n] / before["gflops"][n] - 1) for n in before["gflops"])
    return {"before": before, "after": after, "moved": moved, "steady": moved <= STEADY}
