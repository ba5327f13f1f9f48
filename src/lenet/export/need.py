"""Whether another library is there. Read by every writer and reader here."""

from __future__ import annotations

import importlib.util

from lenet.messages.check import installing, message

__all__ = ["need"]


def need(what: str, package: str, extra: str = "") -> None:
    """ImportError that says what to type, unless the package is installed."""
    if importlib.util.find_spec(package) is None:
        name = {"paddle": "paddlepaddle"}.get(package, package)
        fix = installing(extra, name) if extra else f"Type pip install {name}"
        raise ImportError(message(what, f"a Python without the package {package}", "it installed", fix))
