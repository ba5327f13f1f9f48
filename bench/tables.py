"""Writes the tables of README and docs from the stored results: ``python -m bench.tables``; --check only compares.

A table stands between ``<!-- table:NAME -->`` and ``<!-- /table -->``. Nothing between them is written by hand.
"""

from __future__ import annotations

import argparse
import functools
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import report

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).resolve().parent / "results"


def stored(name: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return result


def measured(name: str) -> str:
    """A suite's table, or how to come by it."""
    if not (RESULTS / f"{name}.json").exists():
        return f"Not measured yet: run `python -m bench {name}`, then `python -m bench.tables`."
    return report.TABLES[name](stored(name))


def accuracy() -> str:
    """Test accuracy over seeds, by recipe."""
    rows = ["| recipe | seeds | mean | sd | worst |", "|---|---|---|---|---|"]
    for name, title in (
        ("tutorial_accuracy_paddle", "the tutorial, real Paddle 3.3.1"),
        ("tutorial_accuracy_lenet", "`tutorial`"),
        ("recipe_fast", "`fast` (the default)"),
    ):
        r = stored(name)
        rows.append(
            f"| {title} | {r['n']} | {100 * r['mean']:.2f} % | {100 * r['sd']:.2f} | {100 * r['worst']:.2f} % |"
        )
    return "\n".join(rows)


TABLES: dict[str, Callable[[], str]] = {"accuracy": accuracy} | {
    name: functools.partial(measured, name) for name in report.TABLES
}
MARK = re.compile(r"(<!-- table:(\w+) -->\n).*?(<!-- /table -->)", re.DOTALL)


def filled(text: str) -> str:
    return MARK.sub(lambda m: f"{m[1]}{TABLES[m[2]]()}\n{m[3]}", text)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.tables", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a page would change")
    options = parser.parse_args()
    wrong = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        before = page.read_text(encoding="utf-8")
        after = filled(before)
        if after != before:
            wrong.append(page.name)
            if not options.check:
                page.write_text(after, encoding="utf-8")
    if wrong and options.check:
        sys.exit(f"not what the stored results say: {', '.join(wrong)}. Run python -m bench.tables")


if __name__ == "__main__":
    main()
