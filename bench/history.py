"""What was measured when: a line for each measurement in bench/results/history.jsonl, and what has changed since the last.

    python -m bench.history              the newest of each measurement, and its change since the one before
    python -m bench.history speed        every line of those whose name holds "speed", the oldest first

A change is called one if chance alone would show as much in fewer than one of 100 cases; else it is "no difference". By
seeds that is a paired t test, by single images Fisher's exact test, and else Welch's t test. Times are compared on one kind
of machine only. Rounds of a session share whatever that day was like, and many lines make many tests: a small change
deserves a second measurement. Results are stored by ``store``; the pages show the newest.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bench import machine, report
from bench.measurements import Measured, measurements

RESULTS = Path(__file__).resolve().parent / "results"
NAME = "history.jsonl"
P = 0.01
_ON_ONE_MACHINE = ("s", "µs", "×", "GFLOP/s")

Line = dict[str, Any]


def store(file: Path, result: dict[str, Any]) -> None:
    """Write a result, whole or not at all; if it is one of bench/results, its measurements become lines of the history."""
    report.write(file, result)
    if file.resolve().parent == RESULTS:
        append(file.stem, result)


def append(name: str, result: dict[str, Any], since: dict[str, str] | None = None) -> int:
    """Add the lines of the result ``name``, those that are not there yet, and say how many.

    since: date and source, for a result that doesn't say them itself; today and this tree if left out.
    """
    there = {_key(line) for line in read()}
    added = [line for line in lines(name, result, since) if _key(line) not in there]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in added)
    with (RESULTS / NAME).open("a", encoding="utf-8") as file:
        file.write(text)
    return len(added)


def lines(name: str, result: dict[str, Any], since: dict[str, str] | None = None) -> list[Line]:
    """A result's measurements as lines."""
    about = result.get("about", result)
    if not {"date", "source"} <= about.keys():
        about = (since or {"date": time.strftime("%Y-%m-%d"), "source": machine.source_hash()}) | {
            "machine": result.get("machine")
        }
    return [_line(about, one) for one in measurements(name, result)]


def _line(about: dict[str, Any], one: Measured) -> Line:
    kind = about["machine"]
    where = kind["cpu"] if isinstance(kind, dict) else kind
    cores = about.get("cores") or (kind.get("threads") if isinstance(kind, dict) else None)
    return {
        "date": about["date"],
        "source": about["source"],
        "machine": f"{where}, {cores} cores" if cores else where,
        "what": one.what,
        "unit": one.unit,
        "by": one.by,
        "n": one.n,
        "mean": _short(one.mean),
        "spread": None if one.spread is None else _short(one.spread),
        "values": [_short(value) for value in one.values],
    }


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def _key(line: Line) -> tuple[Any, ...]:
    return tuple(line[key] for key in ("what", "date", "source", "machine", "n", "mean"))


def read() -> list[Line]:
    """Every line, the oldest first."""
    file = RESULTS / NAME
    found = [json.loads(text) for text in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    return sorted(found, key=lambda line: str(line["date"]))  # stable: of one day as they were added


# ---- what has changed --------------------------------------------------------------------------------------------------


def p_value(before: Line, after: Line) -> float | None:
    """How often chance alone would show as much of a change; None where the two cannot tell."""
    from scipy import stats

    if before["by"] != after["by"] or before["unit"] != after["unit"]:
        return None
    if after["by"] == "image":
        counts = [[round(one["mean"] * one["n"]), one["n"]] for one in (before, after)]
        return float(stats.fisher_exact([[k, n - k] for k, n in counts]).pvalue)
    if min(before["n"], after["n"]) < 2 or None in (before["spread"], after["spread"]):
        return None
    if after["by"] == "seed" and len(before["values"]) == len(after["values"]) == after["n"]:
        apart = [new - old for old, new in zip(before["values"], after["values"], strict=True)]
        if len(set(apart)) == 1:
            return 1.0 if apart[0] == 0 else None
        return float(stats.ttest_1samp(apart, 0.0).pvalue)
    if after["by"] == "page" and 0 in (before["spread"], after["spread"]):
        return None  # every page alike: too few to know how they vary
    if before["spread"] == after["spread"] == 0:
        return 1.0 if before["mean"] == after["mean"] else None
    first, second = ((one["mean"], one["spread"], one["n"]) for one in (before, after))
    return float(stats.ttest_ind_from_stats(*first, *second, equal_var=False).pvalue)


def change(before: Line | None, after: Line) -> str:
    """What became of a measurement since the one before, in words."""
    if before is None:
        return "first"
    if after["unit"] in _ON_ONE_MACHINE and before["machine"] != after["machine"]:
        return f"not compared: measured on {before['machine']}"
    p = p_value(before, after)
    if p is None:
        return "no difference shown: too few values"
    if not p < P:
        return f"no difference (p {p:.2g})"
    by = after["mean"] - before["mean"]
    amount = f"{100 * abs(by):.2f} points" if after["unit"] == "share" else f"{abs(by) / before['mean']:.1%}"
    return f"{'higher' if by > 0 else 'lower'} by {amount} (p {p:.1g})"


# ---- showing it --------------------------------------------------------------------------------------------------------


def shown(found: Sequence[Line], every: bool) -> str:
    """A table of lines: the newest of each measurement, or every one."""
    last: dict[str, Line] = {}
    rows: dict[str, list[tuple[str, ...]]] = {}
    for line in found:
        row = (line["date"], line["source"], str(line["n"]), figures(line), change(last.get(line["what"]), line))
        rows[line["what"]] = [*(rows.get(line["what"], []) if every else []), row]
        last[line["what"]] = line
    head = ("what", "date", "source", "n", "mean ± its error", "since the last")
    cells = [head, *((what, *row) for what, some in rows.items() for row in some)]
    return "\n".join(_aligned(cells))


def figures(line: Line) -> str:
    """The mean and its standard error, with two digits of the latter."""
    scale, unit = (100, "%") if line["unit"] == "share" else (1, line["unit"])
    mean, error = scale * line["mean"], scale * (line["spread"] or 0.0) / math.sqrt(line["n"])
    power = int(f"{error or mean:.1e}".partition("e")[2])  # of ten, of the first digit as it is rounded
    digits = min(4, max(0, (1 if error else 2) - power))
    return f"{mean:.{digits}f}{f' ± {error:.{digits}f}' if error else ''} {unit}"


def _aligned(cells: Iterable[tuple[str, ...]]) -> Iterable[str]:
    rows = list(cells)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.history", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="?", default="", metavar="WHAT", help="a part of the measurements' names")
    options = parser.parse_args()
    found = [line for line in read() if options.what in line["what"]]
    if not found:
        names = sorted({line["what"].split()[0] for line in read()})
        parser.error(
            f"got {options.what!r}, expected a part of a measurement's name; they begin with {', '.join(names)}"
        )
    try:
        print(shown(found, bool(options.what)), flush=True)
    except BrokenPipeError:  # `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
