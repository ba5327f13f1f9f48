"""Puts what was measured now of some readers beside what is stored of others: pages are seeded and pictures known by hash.

So a changed reader is measured anew without its peers, who haven't changed. Read by the commands of ``bench.pages`` and
``bench.pages.real``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Result = dict[str, Any]
WHERE = ("machine", "cores", "source", "date")  # said of our own reader's run
PARTS = ("singles", "rejection", "risk", "speed", "touching", "seconds")


def beside(new: Result, stored: Result, readers: str) -> Result:
    """``new`` with the stored figures of the readers that it hasn't measured.

    readers: the key that holds them, ``levels`` (level -> reader -> figures) or ``kinds`` (reader -> kind -> figures). The
    stored ones must be of the same pages: ValueError if split, seed, a level's digits or missing pictures differ.
    """
    for key in ("split", "seed", "missing"):
        if new.get(key) != stored.get(key):
            raise ValueError(
                f"{key} is {new.get(key)!r} and was {stored.get(key)!r}: measure all readers anew, without --keep"
            )
    out = {**stored, **new}
    if readers == "kinds":
        out["kinds"] = {**stored["kinds"], **new["kinds"]}
        ours = "lenet" in new["kinds"]
    else:
        out["levels"] = {**stored["levels"]}
        for level, found in new["levels"].items():
            before = stored["levels"].get(level, {})
            if {one["digits"] for one in before.values()} - {one["digits"] for one in found.values()}:
                raise ValueError(f"{level} has other pages than those stored: measure all readers anew, without --keep")
            out["levels"][level] = {**before, **found}
        out["readers"] = [*stored["readers"], *(name for name in new["readers"] if name not in stored["readers"])]
        ours = "lenet" in new["readers"]
    for key in ("versions", "modes", "risk"):
        out[key] = {**stored.get(key, {}), **new.get(key, {})}
    for key in PARTS:
        if not new.get(key) and stored.get(key):
            out[key] = stored[key]
    if not ours:
        out.update({key: stored[key] for key in WHERE})
    return out


def with_stored(new: Result, file: Path, readers: str) -> Result:
    """``beside`` what a file holds; ``new`` alone if there is none yet."""
    return beside(new, json.loads(file.read_text(encoding="utf-8")), readers) if file.exists() else new
