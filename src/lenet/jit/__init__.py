"""A network's calls, watched once and compiled into one plan for the engine (Paddle: ``paddle.jit``).

A ``Layer`` comes in, a graph of rows of the table or the reason why there is none goes out. It stands above ``nn``, whose
changes it watches. ``save`` and ``load`` are put here by ``modelfile.program``, which stands above it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lenet.jit.static import to_static
from lenet.jit.switches import enable_to_static, ignore_module, not_to_static, set_code_level, set_verbosity

if TYPE_CHECKING:
    from lenet.modelfile.program import TranslatedLayer, load, save

__all__ = [
    "TranslatedLayer", "enable_to_static", "ignore_module", "load", "not_to_static", "save", "set_code_level", "set_verbosity",
    "to_static",
]  # fmt: skip
