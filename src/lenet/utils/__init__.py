"""What Paddle's programs use of ``paddle.utils``: a check of the installation, versions, unique names."""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

from lenet.messages.check import message
from lenet.messages.progress import say
from lenet.utils import dlpack, unique_name

__all__ = ["deprecated", "dlpack", "require_version", "run_check", "try_import", "unique_name"]


def run_check() -> None:
    """Train a small layer for one step and say that it worked."""
    from lenet.autograd import array_rows
    from lenet.nn import Linear

    net = Linear(2, 3)
    net(array_rows.ones([4, 2])).sum().backward()
    say("lenet works on this machine's processor.")


def try_import(module_name: str, err_msg: str | None = None) -> ModuleType:
    """The module of this name; ImportError that says what to install."""
    try:
        return importlib.import_module(module_name)
    except ImportError:
        given = f"no module {module_name}"
        fix = err_msg or f"Type pip install {module_name}"
        raise ImportError(message("try_import", given, "an installed one", fix)) from None


def require_version(min_version: str, max_version: str | None = None) -> None:
    """Does nothing: the versions asked for are Paddle's, whose names of 3.3 are the ones here."""


def deprecated(update_to: str = "", since: str = "", reason: str = "", level: int = 0) -> Any:
    """A decorator that warns of an old function (level 1), or refuses it (level 2: RuntimeError)."""

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        text = f"{function.__name__} is old{f' since {since}' if since else ''}."
        text += f" Type {update_to}." if update_to else ""
        text += f" {reason}" if reason else ""

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if level == 2:
                raise RuntimeError(text)
            if level == 1:
                warnings.warn(text, DeprecationWarning, stacklevel=2)
            return function(*args, **kwargs)

        return call

    return wrap
