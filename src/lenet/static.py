"""Static programs, of which there are none here: ``InputSpec`` and the switches (Paddle: ``paddle.static``)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from lenet.autograd.dtype import dtype_of
from lenet.messages.check import describe, message
from lenet.nn.param import switch_names

__all__ = ["InputSpec", "disable_static", "enable_static", "in_dynamic_mode"]


class InputSpec:
    """The shape and type of an input of a network, for ``Model(net, inputs=InputSpec(…))`` and ``jit.save``.

    shape: a list; None or -1 for a length that may vary. ValueError for other lengths below 0.
    """

    def __init__(
        self, shape: Sequence[int | None], dtype: Any = "float32", name: str | None = None, stop_gradient: bool = False
    ) -> None:
        if isinstance(shape, (str, bytes)) or not isinstance(shape, Sequence):
            raise TypeError(message("InputSpec(shape)", describe(shape), "a list such as [None, 1, 28, 28]"))
        lengths = [-1 if s is None else s for s in shape]
        for s in lengths:
            if isinstance(s, bool) or not isinstance(s, (int, np.integer)) or s < -1:
                raise ValueError(message("InputSpec(shape)", describe(s), "lengths of at least 0, None or -1"))
        self.shape = tuple(int(s) for s in lengths)
        self.dtype = dtype_of(dtype)
        self.name = name
        self.stop_gradient = stop_gradient

    def __repr__(self) -> str:
        return (
            f"InputSpec(shape={self.shape}, dtype={self.dtype}, name={self.name}, stop_gradient={self.stop_gradient})"
        )

    @classmethod
    def from_tensor(cls, tensor: Any, name: str | None = None) -> InputSpec:
        """The shape and type of a Tensor."""
        return cls(list(tensor.shape), tensor.dtype, name)

    @classmethod
    def from_numpy(cls, ndarray: Any, name: str | None = None) -> InputSpec:
        """The shape and type of an ndarray."""
        return cls(list(ndarray.shape), ndarray.dtype, name)

    def batch(self, batch_size: int) -> InputSpec:
        """Put a batch axis in front; returns self."""
        self.shape = (int(batch_size), *self.shape)
        return self

    def unbatch(self) -> InputSpec:
        """Take the first axis away; returns self. ValueError without one."""
        if not self.shape:
            raise ValueError(message("InputSpec.unbatch()", "a shape without axes", "at least one"))
        self.shape = self.shape[1:]
        return self


_enabled = False


def disable_static(place: Any = None) -> None:
    """Back from ``enable_static``, where that was called: as in Paddle, parameters' names are then free again."""
    global _enabled
    if _enabled:
        switch_names()
    _enabled = False


def enable_static() -> None:
    """There are no static programs here: a warning says what to do instead, and everything runs as it is written.

    What belongs to static programs, such as ``static.data``, isn't there: NotImplementedError that says the same.
    """
    global _enabled
    _enabled = True
    warnings.warn(message("enable_static()", "a call for static programs", "dynamic ones alone", _FIX), stacklevel=2)


def in_dynamic_mode() -> bool:
    """True, but after ``enable_static``."""
    return not _enabled


_FIX = "Leave the line out; for speed, net = lenet.jit.to_static(net) or Model.fit compile the network"
_STATIC = (
    "BuildStrategy CompiledProgram Executor ExponentialMovingAverage Print Program Variable WeightNormParamAttr append_backward "
    "create_global_var create_parameter data default_main_program default_startup_program device_guard global_scope gradients "
    "load load_inference_model name_scope nn normalize_program program_guard py_func save save_inference_model scope_guard "
    "serialize_program"
)


class _NoStaticProgram(AttributeError, NotImplementedError):
    """Both: ``hasattr`` says no, and a program that catches NotImplementedError sees one."""


def __getattr__(name: str) -> NoReturn:
    if name in _STATIC.split():
        raise _NoStaticProgram(message(f"static.{name}", "a static program's part", "dynamic programs alone", _FIX))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
