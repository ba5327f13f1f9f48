"""Parts of the package that are imported when they are first asked for, which most programs never do."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["on_demand"]


def on_demand(package: str, parts: tuple[str, ...], functions: Mapping[str, str] | None = None) -> Callable[[str], Any]:
    """A module's ``__getattr__`` that imports these submodules of ``package``; AttributeError for other names.

    functions: names that stand in a submodule and are the package's, too.
    """
    homes = dict(functions or {})

    def look_up(name: str) -> Any:
        if name in homes:
            return getattr(importlib.import_module(f"{package}.{homes[name]}"), name)
        if name not in parts:
            raise AttributeError(name)
        return importlib.import_module(f"{package}.{name}")

    return look_up
