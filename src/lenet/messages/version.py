"""Which lenet it is, for whatever says so: model files, records of runs, pages, the command line."""

from __future__ import annotations

import sys

__all__ = ["version"]


def version() -> str:
    """This package's version."""
    return str(sys.modules["lenet"].__version__)
