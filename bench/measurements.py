"""What in a stored result is a measurement of ours: a name, how many units were measured, their mean and their spread.

A unit is what was drawn anew each time: a round of a benchmark, a seed, a page, a picture. The spread is the standard
deviation between units, so that the mean's standard error is spread / sqrt(n), also where the share of a page's digits is
weighed by how many it has. What other libraries measured is here only as a ratio to ours. Read by ``bench.history``.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

Result = dict[str, Any]


class Measured(NamedTuple):
    """unit: of the mean. by: what n counts. values: one for each, where they are few; else none."""

    what: str
    unit: str
    by: str
    n: int
    mean: float
    spread: float | None
    values: list[float]


def measurements(name: str, result: Result) -> list[Measured]:
    """Those of the stored result ``name``; none of a result that holds none, such as a search."""
    start = name.rpartition("_")[0] if name.startswith(("recipe_", "tutorial_accuracy_")) else name
    found = RULES.get("seeds" if start in ("recipe", "tutorial_accuracy") else name)
    return list(found(name, result)) if found else []


def _of(what: str, unit: str, by: str, values: Sequence[float]) -> Measured:
    spread = statistics.stdev(values) if len(values) > 1 else None
    return Measured(what, unit, by, len(values), statistics.mean(values), spread, list(values))


def _share(what: str, by: str, n: int, share: float, error: float) -> Measured:
    """error: the standard error of the share."""
    return Measured(what, "share", by, n, share, error * math.sqrt(n), [])


def _rounds(name: str, values: dict[str, list[float]], unit: str, what: str = "") -> Iterator[Measured]:
    """Ours in their unit, and the others' as ratios to the first of ours, taken within each round."""
    ours = [key for key in values if key.startswith("lenet.")]
    for key in ours:
        yield _of(f"{name} {key}{what}", unit, "round", values[key])
    for key in values:
        if key not in ours and len(values[key]) == len(values[ours[0]]):
            ratios = [theirs / own for theirs, own in zip(values[key], values[ours[0]], strict=True)]
            yield _of(f"{name} {key}{what} / {ours[0]}{what}", "×", "round", ratios)


def _seconds(name: str, result: Result) -> Iterator[Measured]:
    yield from _rounds(name, result["seconds"], "s")


def _image(name: str, result: Result) -> Iterator[Measured]:
    for part in ("p50", "p99"):
        yield from _rounds(name, result[part], "µs", f" {part}")


def _footprint(name: str, result: Result) -> Iterator[Measured]:
    yield _of(f"{name} import", "s", "round", result["import"]["lenet"])
    yield _of(f"{name} memory", "MB", "round", [result["memory"]["lenet"]])


def _busy(name: str, result: Result) -> Iterator[Measured]:
    for part in ("alone", "beside"):
        yield _of(f"{name} {part}", "s", "round", result[part])


def _kernels(name: str, result: Result) -> Iterator[Measured]:
    yield _of(f"{name} epoch", "GFLOP/s", "round", [result["epoch"]["gflops"]])


def _seeds(name: str, result: Result) -> Iterator[Measured]:
    yield _of(f"{name} accuracy", "share", "seed", [run["accuracy"] for run in result["runs"]])


def _calibration(name: str, result: Result) -> Iterator[Measured]:
    for part in ("ece_before", "ece_after"):
        yield _of(f"{name} {part}", "share", "seed", [run[part]["value"] for run in result["runs"]])


def _pages(name: str, result: Result) -> Iterator[Measured]:
    for level, readers in result["levels"].items():
        ours = readers.get("lenet", {})
        if "right" in ours:
            yield _share(f"{name} {level} right", "page", ours["pages"], ours["right"], ours["se"])
    for kind, one in (result.get("singles") or {}).items():
        yield _share(f"{name} single {kind} right", "image", one["n"], one["right"], one["se"])


def _real(name: str, result: Result) -> Iterator[Measured]:
    for reader in ("lenet", "lenet turned"):
        for kind, one in result["kinds"].get(reader, {}).items():
            if "right" in one:
                turned = reader.removeprefix("lenet")
                yield _share(f"{name} {kind}{turned} right", "page", one["pictures"], one["right"], one["se"])


def _hands(name: str, result: Result) -> Iterator[Measured]:
    for kind, one in result["sets"].items():
        yield _share(f"{name} {kind} right", "image", one["n"], one["right"], one["se"])


RULES = {
    "speed": _seconds,
    "evaluate": _seconds,
    "cold": _seconds,
    "image": _image,
    "footprint": _footprint,
    "busy": _busy,
    "kernels": _kernels,
    "seeds": _seeds,
    "calibration": _calibration,
    "pages": _pages,
    "everyday": _pages,
    "real": _real,
    "hands": _hands,
}
