"""Which network a run trains: a recipe's own, one of ``vision.models`` by name, or a user's class out of a file.

A network is made anew for each run, after the seed is set, for so many classes and so many channels. Read by ``loop`` and
``trainer``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable
from typing import Any

from lenet.messages.check import describe, message, one_line
from lenet.nn import Linear
from lenet.nn.layer import Layer
from lenet.vision import models
from lenet.vision.tutorial import LeNet

__all__ = ["NETWORKS", "Network", "network_named"]

Make = Callable[..., Layer]


def _lenet(num_classes: int = 10, channels: int = 1) -> Layer:
    """The tutorial's, for another number of classes too."""
    if channels != 1:
        fix = "Take --network vgg_small, or leave --colour out"
        raise ValueError(message("network lenet", f"images of {channels} channels", "grey images", fix))
    network: Layer = LeNet()
    if num_classes != 10:
        network.linear3 = Linear(network.linear3.weight.shape[0], num_classes)
    return network


NETWORKS: dict[str, Make] = {
    "lenet": _lenet,
    "lenet_wide": models.lenet_wide,
    "tiny": models.tiny,
    "vgg_small": models.vgg_small,
    "resnet20": models.resnet20,
    "resnet32": models.resnet32,
}


class Network:
    """A way to make a network. name: as a record has it, "lenet" or "net.py:Net"; ``make(classes, channels)`` makes one."""

    def __init__(self, name: str, function: Make) -> None:
        self.name, self._function = name, function

    def make(self, classes: int, channels: int) -> Layer:
        """A new network. The function gets ``num_classes`` and ``channels`` if it takes arguments of these names.

        TypeError for a function that needs other arguments, or returns no Layer.
        """
        offered = {"num_classes": classes, "channels": channels}
        try:
            known = inspect.signature(self._function).parameters
        except (TypeError, ValueError):
            known = {}  # type: ignore[assignment]
        needed = [
            name
            for name, p in known.items()
            if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and name not in offered
        ]
        if needed:
            expected = "a class or function that needs at most num_classes and channels"
            raise TypeError(message(f"network {self.name}", f"one that needs {', '.join(needed)}", expected))
        network = self._function(**{name: value for name, value in offered.items() if name in known})
        if not isinstance(network, Layer):
            raise TypeError(message(f"network {self.name}", describe(network), "a lenet.nn.Layer"))
        return network


def network_named(given: Any) -> Network:
    """A name of ``NETWORKS``, ``FILE.py:NAME``, or a class or function that makes a network.

    ValueError for an unknown name, FileNotFoundError for a missing file; what running the file raises is named with its line.
    """
    if isinstance(given, Network):
        return given
    if isinstance(given, Layer):
        fix = f"Type network={type(given).__name__}, without the brackets: each run makes its own"
        raise TypeError(
            message("network", f"a {type(given).__name__} that is made already", "a class or function", fix)
        )
    if callable(given):
        return Network(getattr(given, "__qualname__", type(given).__name__), given)
    if not isinstance(given, str):
        raise TypeError(message("network", describe(given), f"one of {', '.join(NETWORKS)}, FILE.py:NAME or a class"))
    if given in NETWORKS:
        return Network(given, NETWORKS[given])
    file, colon, name = given.rpartition(":")
    if not colon or not file.endswith(".py"):
        raise ValueError(message("network", repr(given), f"one of {', '.join(NETWORKS)}, or FILE.py:NAME"))
    return Network(given, _out_of(os.path.expanduser(file), name))


def _out_of(file: str, name: str) -> Make:
    """The class or function of that name in a Python file, which is run."""
    if not os.path.isfile(file):
        raise FileNotFoundError(message("network", f"{file}, which does not exist", "a Python file", "Check the path"))
    path = os.path.abspath(file)
    title = "lenet_network_" + hashlib.sha256(path.encode()).hexdigest()[:12]
    spec = importlib.util.spec_from_file_location(title, path)
    assert spec is not None
    assert spec.loader is not None  # it ends in .py
    module = importlib.util.module_from_spec(spec)
    sys.modules[title] = module
    sys.path.insert(0, os.path.dirname(path))  # what it imports lies beside it
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ValueError(message("network", f"{file}, where {_where(error, path)}", "a file that runs")) from None
    finally:
        sys.path.remove(os.path.dirname(path))
    found = getattr(module, name, None)
    if callable(found):
        return found
    names = [n for n, thing in vars(module).items() if isinstance(thing, type) and issubclass(thing, Layer)]
    own = [n for n in names if vars(module)[n].__module__ == title]
    expected = f"one of {', '.join(own or names)}" if names else "a class of lenet.nn.Layer in it"
    raise ValueError(message("network", f"no {name} in {file}", expected))


def _where(error: Exception, path: str) -> str:
    line, trace = getattr(error, "lineno", None), error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    place = f"line {line} raises " if line else ""
    return f"{place}{type(error).__name__}: {one_line(str(error), 120)}"
