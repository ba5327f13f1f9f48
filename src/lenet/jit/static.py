"""``to_static``: the plan for way 2. The network's forward and backward each become one call into the engine.

The user's loop stays as it is: ``net = lenet.jit.to_static(net)``, then forward, loss, backward, step. Where the network
is no graph of core operations it goes on running eagerly, and ``net.forward.plan_reason`` says why.
"""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from lenet import _core
from lenet.autograd import random, table, tape
from lenet.autograd.table import Grads, Row
from lenet.autograd.tape import Node
from lenet.autograd.tensor import Tensor, dense, in_lanes
from lenet.jit.trace import Chain, trace
from lenet.messages.check import describe, message
from lenet.nn.layer import Layer, mutations

__all__ = ["to_static"]

enabled = True  # by ``enable_to_static``


class StaticForward:
    """A network's ``forward`` that runs as a plan; compiled anew for another mode, image size or a changed network.

    Several threads may call it: each call's plan, and what its ``backward`` needs, are its own.
    """

    def __init__(self, network: Layer, forward: Callable[..., Any]) -> None:
        self.network = network
        self.eager = forward
        self.plan_reason = ""
        self._chains: dict[tuple[bool, tuple[int, ...]], Chain | str] = {}
        self._tracing: set[int] = set()  # threads that watch the network just now
        self._seen = -1  # the network's changes that the latest eager pass has left behind

    def __getstate__(self) -> dict[str, Any]:
        """The network and its own ``forward``; plans are compiled anew where they are needed."""
        own = getattr(self.eager, "__func__", None)
        is_own = own is not None and own is getattr(type(self.network), "forward", None)
        return {"network": self.network, "eager": None if is_own else self.eager}

    def __setstate__(self, state: dict[str, Any]) -> None:
        network, eager = state["network"], state["eager"]
        self.__init__(network, type(network).forward.__get__(network) if eager is None else eager)  # type: ignore[misc]

    def __deepcopy__(self, memo: dict[int, Any]) -> StaticForward:
        return StaticForward(copy.deepcopy(self.network, memo), copy.deepcopy(self.eager, memo))

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        x = inputs[0] if len(inputs) == 1 and not options else None
        if not isinstance(x, Tensor) or not x.stop_gradient or len(x._shape) < 2 or not x._shape[0]:
            return self.eager(*inputs, **options)
        if self._tracing and threading.get_ident() in self._tracing:
            return self.eager(*inputs, **options)
        chain = self._chain(x)
        if isinstance(chain, str):
            self.plan_reason = chain
            try:
                return self.eager(x)
            finally:
                self._seen = mutations()  # what forward itself has just assigned is no news
        self.plan_reason = ""
        training = self.network.training
        if (
            not tape.is_grad_enabled()
            and not (training and chain.varies)
            and (x._data is not None or x._few is not None)
        ):
            found = chain.infer(x.data_array())
            return dense(found) if chain.several is None else chain.several(map(dense, found))
        whole = tape.call("plan", x, *chain.params, chain=chain, training=training)
        if len(chain.heads) == 1:
            outputs = [whole]
        else:
            outputs, start = [], 0
            for shape in chain.heads:
                outputs.append(tape.call("output", whole, start=start, shape=shape))
                start += math.prod(shape)
        given = zip(chain.each(outputs), chain.shapes, strict=True)
        return chain.arranged([t if t._shape[1:] == shape else t.reshape([0, *shape]) for t, shape in given])

    def _chain(self, x: Tensor) -> Chain | str:
        key = (self.network.training, x._shape[1:])
        chain = self._chains.get(key)
        if chain is None or (self._seen != mutations() if isinstance(chain, str) else chain.stale()):
            self._tracing.add(threading.get_ident())
            try:
                chain = trace(self.network, x)
            finally:
                self._tracing.discard(threading.get_ident())
            self._chains[key] = chain
        return chain


def _plan_forward(inputs: tuple[Any, ...], attrs: dict[str, Any]) -> tuple[Tensor, Any]:
    x, chain = inputs[0], attrs["chain"]
    lanes = x.lanes()
    y, forward_pass = chain.core.forward(lanes, x._shape[0], attrs["training"], random.generator().core)
    shape = chain.heads[0] if len(chain.heads) == 1 else (chain.core.n_out,)
    return in_lanes(y, (x._shape[0], *shape)), (lanes, forward_pass)


def _plan_backward(node: Node, dy: Tensor) -> Grads:
    """The plan keeps the activations of its latest pass; of an earlier one it makes them anew, with the same masks."""
    chain = node.attrs["chain"]
    grads = [None if p.stop_gradient else np.empty(p._shape, np.float32) for p in chain.params]
    chain.core.backward(dy.lanes(), *node.saved, grads)
    return (None, *(None if g is None else dense(g) for g in grads))


def _output_forward(inputs: tuple[Any, ...], attrs: dict[str, Any]) -> tuple[Tensor, Any]:
    (whole,) = inputs
    n, total = whole._shape
    lanes = _core.part_of(whole.lanes(), n, total, attrs["start"], math.prod(attrs["shape"]))
    return in_lanes(lanes, (n, *attrs["shape"])), None


def _output_backward(node: Node, dy: Tensor) -> Grads:
    n, total = node.inputs[0]._shape
    lanes = _core.part_into(dy.lanes(), n, total, node.attrs["start"], math.prod(node.attrs["shape"]))
    return (in_lanes(lanes, (n, total)),)


# The rows that aren't operations of their own: a whole graph of them, and one of its several outputs.
table.TABLE["plan"] = Row("plan", "core", _plan_forward, _plan_backward)
table.TABLE["output"] = Row("output", "core", _output_forward, _output_backward)


def to_static(function: Any = None, input_spec: Any = None, **options: Any) -> Any:
    """Make a network run as a plan (``paddle.jit.to_static``): the same results, its forward and backward fused.

    function: a Layer; it is changed and returned. input_spec is kept for ``jit.save``; other options change nothing.
    Used as a decorator of ``forward``, or with anything else than a Layer, the function is returned as it is.
    """
    if function is None:
        return lambda f: to_static(f, input_spec, **options)
    if input_spec is not None and isinstance(function, (Layer, FunctionType)):
        object.__setattr__(function, "_input_spec", input_spec)
    if isinstance(function, Layer):
        if enabled and not isinstance(function.forward, StaticForward):
            object.__setattr__(function, "forward", StaticForward(function, function.forward))
        return function
    if callable(function):
        return function
    raise TypeError(message("to_static()", describe(function), "a Layer", "Type net = lenet.jit.to_static(net)"))
