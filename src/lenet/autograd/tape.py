"""The tape: how a call runs a row of the table and records it, and how ``backward()`` replays what was recorded.

Recording is each thread's own, and off inside ``no_grad``. A ``Trace`` watches a pass, for plans and exporters.
"""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from lenet import _core
from lenet.autograd.table import FEW, MOST_FEW, TABLE, Attrs, Grads, Inputs, Row, same_numbers
from lenet.autograd.tensor import _F32, Parameter, Tensor, dense, in_lanes, on_read
from lenet.messages.check import describe, message

__all__ = [
    "Node",
    "Trace",
    "call",
    "enable_grad",
    "gradients",
    "is_grad_enabled",
    "no_grad",
    "set_grad_enabled",
]


class Node:
    """One recorded call: what ``backward()`` walks, and what a trace is made of."""

    __slots__ = ("attrs", "inputs", "order", "output_shape", "row", "saved")

    def __init__(self, row: Row, inputs: Inputs, attrs: Attrs, saved: Any, output_shape: tuple[int, ...]) -> None:
        self.row = row
        self.inputs = inputs
        self.attrs = attrs
        self.saved = saved
        self.output_shape = output_shape
        self.order = next(_orders)


_orders = itertools.count(1)
_traces: list[Trace] = []  # of all threads


class _Thread(threading.local):
    """What each thread has of its own. ``recording``: False inside no_grad."""

    recording = True


_here = _Thread()


class Trace:
    """Watches this thread's forward pass: every call in order, and whether a value was read back into Python."""

    def __init__(self) -> None:
        self.nodes: list[tuple[Node, Tensor]] = []
        self.reads = 0
        self.thread = threading.get_ident()

    def _read(self) -> None:
        self.reads += self.thread == threading.get_ident()

    def __enter__(self) -> Trace:
        _traces.append(self)
        on_read.append(self._read)
        return self

    def __exit__(self, *_: object) -> None:
        _traces.remove(self)
        on_read.remove(self._read)


def call(name: str, *inputs: Any, **attrs: Any) -> Tensor:
    """Run a row of the table on tensors and record it, unless nothing asks for a gradient."""
    row = TABLE[name]
    wanted = False
    if _here.recording:
        for t in inputs:
            if isinstance(t, Tensor) and not t.stop_gradient:
                wanted = True
                break
    if row.few and not wanted and type(inputs[0]) is Tensor and (inputs[0]._few is not None or _fits_few(inputs[0])):
        output, saved = row.forward(inputs, attrs, FEW)
    else:
        output, saved = row.forward(inputs, attrs)
    if wanted:
        output._node = Node(row, inputs, attrs, saved, output._shape)
        output.stop_gradient = False
    if _traces:
        node = output._node or Node(row, inputs, attrs, saved, output._shape)
        for trace in tuple(_traces):
            if trace.thread == threading.get_ident():
                trace.nodes.append((node, output))
    return output


def _fits_few(x: Tensor) -> bool:
    """A function of what x is alone, never of what happened to it: the same call gives the same bits."""
    shape = x._shape
    return x._dtype is _F32 and len(shape) > 0 and shape[0] <= MOST_FEW and 0 not in shape


# ---- gradients on and off --------------------------------------------------------------------------------------------


def is_grad_enabled() -> bool:
    """True unless inside ``no_grad``; each thread has its own."""
    return _here.recording


class set_grad_enabled:  # noqa: N801 - Paddle's name
    """Record operations for backward(), or don't: at once, and until the end of a ``with`` block."""

    def __init__(self, mode: bool) -> None:
        self._before = _here.recording
        _here.recording = bool(mode)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        _here.recording = self._before


class _Switch:
    _mode = True
    _before: list[bool]

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        self = object.__new__(cls)
        self._before = []
        return self if function is None else self(function)

    def __enter__(self) -> None:
        self._before.append(_here.recording)
        _here.recording = self._mode

    def __exit__(self, *_: object) -> None:
        _here.recording = self._before.pop()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with type(self)():
                return function(*args, **kwargs)

        return wrapped


class no_grad(_Switch):  # noqa: N801 - Paddle's name
    """``with no_grad():`` or ``@no_grad()``: nothing inside is recorded for backward()."""

    _mode = False


class enable_grad(_Switch):  # noqa: N801 - Paddle's name
    """``with enable_grad():`` or ``@enable_grad()``: recording is on inside, even within no_grad."""


# ---- the tape --------------------------------------------------------------------------------------------------------


def backward(self: Tensor, grad_tensor: Tensor | None = None, retain_graph: bool = False) -> None:
    """Compute the gradient of this tensor with respect to every leaf it came from, and add it to their ``.grad``.

    grad_tensor: the gradient of something with respect to this tensor, same shape; ones if None.
    Does nothing on a tensor with stop_gradient=True. RuntimeError on a second call without retain_graph=True.
    """
    root, seed, retain = self, grad_tensor, retain_graph
    if root.stop_gradient:
        return
    if seed is None:
        dy = dense(np.ones(root._shape, root._dtype))
    elif not isinstance(seed, Tensor):
        raise TypeError(message("backward(grad_tensor)", describe(seed), "a Tensor or None"))
    elif seed._shape != root._shape:
        raise ValueError(
            message(
                "backward(grad_tensor)", f"shape {list(seed._shape)}", f"the tensor's own shape {list(root._shape)}"
            )
        )
    else:
        dy = seed
    if root._node is None:
        _add_to_leaf(root, dy)
        return
    for node, grads in gradients(root._node, dy, retain):
        for t, g in zip(node.inputs, grads, strict=True):
            if g is not None and t._node is None and not t.stop_gradient:
                _add_to_leaf(t, g)


setattr(Tensor, "backward", backward)  # noqa: B010 - a tensor knows no tape


def gradients(last: Node, dy: Tensor, retain: bool) -> list[tuple[Node, Grads]]:
    """Every node that led to ``last``, latest first, with the gradients of its inputs."""
    found: dict[int, Node] = {}
    stack = [last]
    while stack:
        node = stack.pop()
        if node.order in found:
            continue
        if node.saved is _FREED:
            fix = "Call backward(retain_graph=True) the first time, or compute the loss anew"
            raise RuntimeError(
                message("backward()", "a graph that an earlier backward() has used up", "a fresh one", fix)
            )
        found[node.order] = node
        for t in node.inputs:
            if t is not None and t._node is not None:
                stack.append(t._node)
    pending: dict[int, Tensor] = {last.order: dy}
    done = []
    for order in sorted(found, reverse=True):
        node = found[order]
        if order not in pending:
            continue
        grads = node.row.backward(node, pending.pop(order))
        if not retain:
            node.saved = _FREED
        done.append((node, grads))
        for t, g in zip(node.inputs, grads, strict=True):
            if g is not None and t._node is not None:
                before = pending.get(t._node.order)
                pending[t._node.order] = g if before is None else _sum(before, g)
    return done


_FREED = object()


def _sum(a: Tensor, b: Tensor) -> Tensor:
    if a._lanes is not None and b._lanes is not None:
        return in_lanes(_core.add(a._lanes, b._lanes), a._shape, a._dtype)
    return dense(a.data_array() + b.data_array())


def _add_to_leaf(t: Tensor, g: Tensor) -> None:
    """The leaf's own tensor each time: g may also be the caller's seed, or another leaf's gradient (both sides of an add)."""
    if t._grad is None:
        t._grad = dense(np.array(g.data_array())) if isinstance(t, Parameter) else same_numbers(g, g._shape)
    elif isinstance(t, Parameter):
        t._grad.data_array().__iadd__(g.data_array())
        t._grad._lanes = t._grad._few = None
    else:
        t._grad = _sum(t._grad, g)
    t._grad.stop_gradient = False  # as Paddle has it
