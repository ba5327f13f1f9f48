"""docs/reliability.md's tables out of the stored counts, one function a part. Read by ``bench.tables``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["TABLES"]


def threads(found: dict[str, Any]) -> str:
    rows = [
        f"| asked by {found['threads']} threads at once | answers | wrong | trainings beside | wrong |",
        "|---|---|---|---|---|",
    ]
    for name, counts in found["objects"].items():
        numbers = (counts[key] for key in ("answers", "wrong", "trainings", "wrong trainings"))
        rows.append(f"| {name} | {' | '.join(f'{n:,}' for n in numbers)} |")
    return "\n".join(rows)


def shapes(found: dict[str, Any]) -> str:
    return (
        f"{found['networks']:,} random networks, of which {found['refused']:,} were refused in a sentence; "
        f"{found['wrong']:,} answered wrongly."
    )


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {"threads": threads, "shapes": shapes}
