"""``lenet.as_paddle()``: from now on ``import paddle`` means lenet, in this process.

``import lenet as paddle`` serves a script that says ``paddle.nn``; it doesn't serve ``from paddle.nn import Linear`` or
``import paddle.nn.functional as F``, since those ask the import system. So every public module of lenet is entered there
under Paddle's name as well. The command ``python -m lenet.as_paddle script.py`` (``as_paddle.py``) does it for scripts.
"""

from __future__ import annotations

import sys
from types import ModuleType

from lenet.messages.check import message

__all__ = ["PATHS", "as_paddle", "lay_paths"]

# Modules that Paddle keeps elsewhere, and where they are here.
PATHS = {
    **{
        f"nn.layer.{name}": "nn"
        for name in [
            "activation",
            "common",
            "container",
            "conv",
            "distance",
            "layers",
            "loss",
            "norm",
            "pooling",
            "vision",
        ]
    },
    **{
        f"tensor.{name}": "tensor"
        for name in [
            "attribute",
            "creation",
            "linalg",
            "logic",
            "manipulation",
            "math",
            "ops",
            "random",
            "search",
            "stat",
        ]
    },
    "hapi": "model",
    "hapi.callbacks": "callbacks",
    "hapi.model": "model",
    "metric.metrics": "metric",
    "framework.random": "autograd.random",
    "vision.transforms.transforms": "vision.transforms",
}


def lay_paths() -> None:
    """Make those modules attributes of their parents, for programs that say ``paddle.nn.layer.loss.MSELoss``."""
    root = sys.modules["lenet"]
    for path, home in PATHS.items():
        parent: ModuleType = root
        *parts, last = path.split(".")
        for part in parts:
            parent = getattr(parent, part)
        if last not in vars(parent):
            setattr(parent, last, sys.modules[f"lenet.{home}"])


def as_paddle() -> None:
    """Make ``import paddle``, ``from paddle.x import y`` and ``import paddle.x.y`` mean lenet's modules.

    Call it before anything imports Paddle: RuntimeError if real Paddle is loaded already. Calling it again is harmless.
    What lenet doesn't have stays an ImportError: nothing of real Paddle is imported under these names any more.
    """
    ours = sys.modules["lenet"]
    loaded = sys.modules.get("paddle")
    if loaded is not None and loaded is not ours:
        given = f"real Paddle ({getattr(loaded, '__file__', None)}), loaded before"
        fix = "Call lenet.as_paddle() before anything imports paddle; in a notebook restart the kernel first"
        raise RuntimeError(message("as_paddle()", given, "a process without it", fix))
    for name, module in _public("paddle", ours, 0):
        sys.modules[name] = module
    for path, home in PATHS.items():
        sys.modules.setdefault(f"paddle.{path}", sys.modules[f"lenet.{home}"])


def _public(name: str, module: ModuleType, depth: int) -> list[tuple[str, ModuleType]]:
    """``module`` under ``name`` and, if it is a package, the modules that are its public attributes, to any depth.

    Attributes, not files: ``nn.initializer`` is a module kept elsewhere.
    """
    found = [(name, module)]
    if hasattr(module, "__path__") and depth < 4:
        for attribute, value in sorted(vars(module).items()):
            ours = isinstance(value, ModuleType) and value.__name__.startswith("lenet.")
            if ours and not attribute.startswith("_"):
                found += _public(f"{name}.{attribute}", value, depth + 1)
    return found
