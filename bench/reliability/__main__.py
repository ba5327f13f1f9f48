"""Runs the parts and keeps their counts: ``python -m bench.reliability [PART …] [--budget F] [--dry]``.

The budget multiplies what each part does by default; a part that isn't run keeps what is stored of it. Exit code 1 if
anything went wrong.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from bench import machine
from bench.reliability import PARTS

RESULT = Path(__file__).resolve().parents[1] / "results" / "reliability.json"


def merged(stored: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """What is stored, with the parts that have just been run in place of their earlier counts."""
    return dict(sorted((stored | new).items()))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.reliability", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all of them")
    parser.add_argument("--budget", type=float, default=1.0, help="how much of a part's usual work, such as 0.02")
    parser.add_argument("--dry", action="store_true", help="store nothing")
    options = parser.parse_args()
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown or options.budget <= 0:
        parser.error(
            f"got {', '.join(unknown) or options.budget}, expected parts of {', '.join(PARTS)}, a budget above 0"
        )
    new = {}
    for part in options.parts or PARTS:
        start = time.perf_counter()
        counts = importlib.import_module(f"bench.reliability.{part}").run(options.budget)
        about = {"seconds": round(time.perf_counter() - start, 1), "source": machine.source_hash(), "date": _today()}
        new[part] = counts | about
        print(f"{part}: {json.dumps(new[part])}", flush=True)
    if not options.dry:
        stored = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
        RESULT.write_text(json.dumps(merged(stored, new), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.exit(any(counts["wrong"] for counts in new.values()))


def _today() -> str:
    return time.strftime("%Y-%m-%d")


if __name__ == "__main__":
    main()
