"""Switches of Paddle's compiler that programs turn: accepted, and explained where they would mean something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lenet.jit import static

__all__ = ["enable_to_static", "ignore_module", "not_to_static", "set_code_level", "set_verbosity"]


def enable_to_static(enable_to_static_bool: bool) -> None:
    """False: ``to_static`` from now on returns networks as they are; True: it compiles them again."""
    static.enabled = bool(enable_to_static_bool)


def not_to_static(func: Callable[..., Any] | None = None) -> Any:
    """The function as it is: what isn't a chain of operations runs eagerly by itself."""
    return (lambda f: f) if func is None else func


def ignore_module(modules: list[Any]) -> None:
    """Does nothing: no module's source is translated here."""


def set_code_level(level: int = 100, also_to_stdout: bool = False) -> None:
    """Does nothing: there is no translated code to show."""


def set_verbosity(level: int = 0, also_to_stdout: bool = False) -> None:
    """Does nothing: ``net.forward.plan_reason`` says why a network runs eagerly."""
