"""The tape: how a call runs a row of the table and records it, and how ``backward()`` replays what was recorded.

Recording is each thread's own, and off inside ``no_grad``. A ``Trace`` watches a pass, for plans and exporters.
"""

from __future__ import annotations

import functools
import itertools
import os
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, Literal

import numpy as np

from lenet import _core
from lenet.autograd.table import FEW, MOST_FEW, TABLE, Attrs, Grads, Inputs, Row, same_numbers
from lenet.autograd.tensor import _F32, Parameter, Tensor, dense, in_lanes, on_read
from lenet.messages.check import describe, message

__all__ = [
    "HookHandle",
    "Node",
    "Trace",
    "call",
    "enable_grad",
    "grad",
    "gradients",
    "is_grad_enabled",
    "no_grad",
    "set_grad_enabled",
]


Hook = Callable[[Tensor], Any]


class Node:
    """One recorded call: what ``backward()`` walks, and what a trace is made of.

    ``came``: the call that each input came from at that time, None for a leaf, False where no gradient was wanted; a write in
    place gives a tensor another one later.
    """

    __slots__ = ("attrs", "came", "hooks", "inputs", "order", "output_shape", "row", "saved")

    def __init__(self, row: Row, inputs: Inputs, attrs: Attrs, saved: Any, output_shape: tuple[int, ...]) -> None:
        self.row = row
        self.inputs = inputs
        self.attrs = attrs
        self.saved = saved
        self.output_shape = output_shape
        self.came: tuple[Node | Literal[False] | None, ...] = tuple(
            False if not isinstance(t, Tensor) or t.stop_gradient else t._node for t in inputs
        )
        self.hooks: dict[int, Hook] | None = None  # told of the output's gradient
        self.order = next(_orders)


_orders = itertools.count(1)
_traces: list[Trace] = []  # of all threads


class _Thread(threading.local):
    """What each thread has of its own. ``recording``: False inside no_grad."""

    recording = True


_here = _Thread()


class Trace:
    """Watches this thread's forward pass: every call in order, and whether a value was read back into Python.

    lines: also where in the user's program, as " (net.py, line 12)" or "": for each call, and for the first value read.
    """

    def __init__(self, lines: bool = False) -> None:
        self.nodes: list[tuple[Node, Tensor]] = []
        self.reads = 0
        self.lines: list[str] = []
        self.read_at = ""
        self.thread = threading.get_ident()
        self._wants_lines = lines

    def _read(self) -> None:
        if self.thread == threading.get_ident():
            self.reads += 1
            if self._wants_lines and not self.read_at:
                self.read_at = _line_outside()

    def _saw(self, node: Node, output: Tensor) -> None:
        if self.thread == threading.get_ident():
            self.nodes.append((node, output))
            if self._wants_lines:
                self.lines.append(_line_outside())

    def __enter__(self) -> Trace:
        _traces.append(self)
        on_read.append(self._read)
        return self

    def __exit__(self, *_: object) -> None:
        _traces.remove(self)
        on_read.remove(self._read)


_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def _line_outside() -> str:
    """Where the program is, outside this package: " (net.py, line 12)"; "" if it is nowhere else."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return "" if frame is None else f" ({os.path.basename(frame.f_code.co_filename)}, line {frame.f_lineno})"


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
            trace._saw(node, output)
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
        _add_to_leaf(root, _through(root._hooks, dy))
        return
    watched: dict[int, tuple[Tensor, Tensor]] = {}  # leaves with hooks: told once, of the sum
    for node, grads in gradients([(root._node, dy)], retain):
        for t, came, g in zip(node.inputs, node.came, grads, strict=True):
            if g is not None and came is None and not t.stop_gradient:
                if t._hooks:
                    watched[id(t)] = (t, _sum(watched[id(t)][1], g) if id(t) in watched else g)
                else:
                    _add_to_leaf(t, g)
    for t, g in watched.values():
        _add_to_leaf(t, _through(t._hooks, g))


setattr(Tensor, "backward", backward)  # noqa: B010 - a tensor knows no tape


def gradients(roots: Sequence[tuple[Node, Tensor]], retain: bool) -> list[tuple[Node, Grads]]:
    """Every node that led to the roots, latest first, with the gradients of its inputs. A root: a node, its output's gradient."""
    found: dict[int, Node] = {}
    stack = [node for node, _ in roots]
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
        stack += [came for came in node.came if came]
    pending: dict[int, Tensor] = {}
    for node, dy in roots:
        pending[node.order] = _sum(pending[node.order], dy) if node.order in pending else dy
    done = []
    for order in sorted(found, reverse=True):
        node = found[order]
        if order not in pending:
            continue
        grads = node.row.backward(node, _through(node.hooks, pending.pop(order)))
        if not retain:
            node.saved = _FREED
        done.append((node, grads))
        for came, g in zip(node.came, grads, strict=True):
            if g is not None and came:
                before = pending.get(came.order)
                pending[came.order] = g if before is None else _sum(before, g)
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


# ---- hooks -----------------------------------------------------------------------------------------------------------


class HookHandle:
    """What ``register_hook`` returns; ``remove()`` takes the hook away and says whether it was still there."""

    def __init__(self, hooks: dict[int, Hook], key: int) -> None:
        self._hooks, self._key = hooks, key

    def remove(self) -> bool:
        return self._hooks.pop(self._key, None) is not None


def _through(hooks: dict[int, Hook] | None, g: Tensor) -> Tensor:
    """A gradient after its hooks."""
    for hook in list((hooks or {}).values()):
        changed = hook(g)
        if changed is None:
            continue
        if not isinstance(changed, Tensor) or changed._shape != g._shape:
            given = f"shape {list(changed._shape)}" if isinstance(changed, Tensor) else describe(changed)
            raise ValueError(message("a gradient hook", given, f"None or a Tensor of shape {list(g._shape)}"))
        g = changed
    return g


def register_hook(self: Tensor, hook: Hook) -> HookHandle:
    """During ``backward`` call hook(gradient of this tensor); what it returns, unless None, takes the gradient's place.

    Several are called in their order. RuntimeError on a tensor with stop_gradient=True, TypeError for what is no function.
    """
    if self.stop_gradient:
        given = "a tensor with stop_gradient=True, which gets no gradient"
        raise RuntimeError(message("register_hook()", given, "one that does", "Set x.stop_gradient = False first"))
    if not callable(hook):
        raise TypeError(message("register_hook()", describe(hook), "a function of the gradient"))
    if self._node is None:
        hooks = self._hooks = {} if self._hooks is None else self._hooks
    else:
        hooks = self._node.hooks = {} if self._node.hooks is None else self._node.hooks
    key = max(hooks, default=-1) + 1
    hooks[key] = hook
    return HookHandle(hooks, key)


def retain_grads(self: Tensor) -> None:
    """Keep this tensor's gradient in ``.grad`` after ``backward``, though it is no leaf. Does nothing on leaves."""
    if self._node is None or self.stop_gradient:
        return
    kept = weakref.ref(self)

    def keep(g: Tensor) -> None:
        tensor = kept()
        if tensor is not None:
            tensor._grad = dense(np.array(g.data_array()), False)

    register_hook(self, keep)


setattr(Tensor, "register_hook", register_hook)  # noqa: B010
setattr(Tensor, "retain_grads", retain_grads)  # noqa: B010


def _listed(what: str, value: Any) -> list[Tensor]:
    found = list(value) if isinstance(value, (list, tuple)) else [value]
    if not found or not all(isinstance(t, Tensor) for t in found):
        raise TypeError(message(f"grad({what})", describe(value), "a Tensor or a list of them"))
    return found


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool = False,
    no_grad_vars: Any = None,
) -> list[Tensor | None]:
    """The gradients of outputs (a Tensor or several, summed) with respect to inputs, without touching any ``.grad``.

    grad_outputs: what flows into each output, ones where None. allow_unused: None for an input that outputs don't depend
    on, else ValueError. create_graph and no_grad_vars raise NotImplementedError: there are no second derivatives here.
    """
    if create_graph or no_grad_vars is not None:
        given = "create_graph=True" if create_graph else "no_grad_vars"
        raise NotImplementedError(message("grad()", given, "first derivatives alone, this engine's only ones"))
    ends, starts = _listed("outputs", outputs), _listed("inputs", inputs)
    seeds = list(grad_outputs) if isinstance(grad_outputs, (list, tuple)) else [grad_outputs] * len(ends)
    if len(seeds) != len(ends):
        raise ValueError(message("grad(grad_outputs)", f"{len(seeds)} of them", f"{len(ends)}, one an output"))
    found: dict[int, Tensor] = {}

    def add(t: Tensor, g: Tensor) -> None:
        found[id(t)] = _sum(found[id(t)], g) if id(t) in found else g

    roots = []
    for end, seed in zip(ends, seeds, strict=True):
        dy = dense(np.ones(end._shape, end._dtype)) if seed is None else seed
        if end._node is not None:
            roots.append((end._node, dy))
        elif any(end is start for start in starts) and not end.stop_gradient:
            add(end, dy)
    inner = [t for t in starts if t._node is not None]
    handles = [register_hook(t, lambda g, t=t: add(t, g)) for t in inner]  # type: ignore[misc]
    try:
        for node, grads in gradients(roots, bool(retain_graph)):
            for t, came, g in zip(node.inputs, node.came, grads, strict=True):
                if g is not None and came is None and any(t is start for start in starts):
                    add(t, g)
    finally:
        for handle in handles:
            handle.remove()
    unused = [t for t in starts if id(t) not in found]
    if unused and not allow_unused:
        fix = "Type allow_unused=True to get None for it"
        raise ValueError(message("grad(inputs)", f"'{unused[0].name}', which outputs don't depend on", "an input", fix))
    return [found.get(id(t)) for t in starts]
