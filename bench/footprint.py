"""What a library weighs: on disk, in memory while it trains an epoch, and in seconds to import."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Any

from bench.environments import MODULES, Absent, install_size
from bench.runner import Peer

# The first is what a user imports to train; those without a work in the middle only answer.
WORKS = {"lenet": "fit", "torch": "loop", "jax": "loop", "keras": "fit", "tinygrad": "loop", "paddle": "fit"}


def import_seconds(python: str, module: str) -> float:
    """A whole process that imports a module, less nothing: what a user waits for."""
    start = time.perf_counter()
    ran = subprocess.run([python, "-W", "ignore", "-c", f"import {module}"], stderr=subprocess.DEVNULL)
    if ran.returncode:
        raise Absent(f"import {module} failed")
    return time.perf_counter() - start


def measure(
    pythons: dict[str, str], extra: dict[str, str], rounds: int, absent: dict[str, str], own: bool
) -> dict[str, Any]:
    """own: each peer has an environment of its own, so that its size on disk means something."""
    seconds: dict[str, list[float]] = {}
    modules = {name: MODULES.get(name, name) for name in pythons} | {"numpy": "numpy", "python": "sys"}
    interpreters = pythons | dict.fromkeys(("numpy", "python"), pythons["lenet"])
    for name, module in list(modules.items()):  # unmeasured: it fills the disk's cache
        try:
            import_seconds(interpreters[name], module)
        except Absent as reason:
            absent[name] = str(reason)
            del modules[name]
    for _ in range(rounds):
        for name, module in modules.items():
            seconds.setdefault(name, []).append(import_seconds(interpreters[name], module))
    print({name: round(statistics.median(each), 3) for name, each in seconds.items()}, file=sys.stderr)
    memory: dict[str, float] = {}
    for name in WORKS.keys() & pythons.keys() & modules.keys():
        try:
            with Peer(name, pythons[name], extra) as peer:
                memory[name] = peer.run(WORKS[name])["memory"]
        except Absent as reason:
            absent[f"{name}.{WORKS[name]}"] = str(reason)
    sizes = {name: install_size(name) for name in pythons if name in modules} if own else {}
    return {"import": seconds, "memory": memory, "size": sizes}
