"""``to_static``: the plan for way 2. The network's forward and backward each become one call into the engine.

The user's loop stays as it is: ``net = lenet.jit.to_static(net)``, then forward, loss, backward, step. Where the network
is no chain of core operations it goes on running eagerly, and ``net.forward.plan_reason`` says why.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from lenet import _random, ops, plan
from lenet._check import describe, message
from lenet.nn.layer import Layer, mutations
from lenet.ops import Grads, Node, Row
from lenet.tensor import Tensor, dense, in_lanes

__all__ = ["to_static"]


class StaticForward:
    """A network's ``forward`` that runs as a plan; compiled anew for another mode, image size or a changed network."""

    def __init__(self, network: Layer, forward: Callable[..., Any]) -> None:
        self.network = network
        self.eager = forward
        self.plan_reason = ""
        self._chains: dict[tuple[bool, tuple[int, ...]], plan.Chain | str] = {}
        self._latest = 0  # which forward the plan's activations belong to
        self._tracing = False
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
        if self._tracing or not isinstance(x, Tensor) or not x.stop_gradient or len(x._shape) < 2 or not x._shape[0]:
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
            not ops.is_grad_enabled()
            and not (training and chain.has_dropout)
            and (x._data is not None or x._few is not None)
        ):
            return dense(chain.infer(x.data_array()))
        return ops.call("plan", x, *chain.params, static=self, chain=chain, training=training)

    def _chain(self, x: Tensor) -> plan.Chain | str:
        key = (self.network.training, x._shape[1:])
        chain = self._chains.get(key)
        if chain is None or (self._seen != mutations() if isinstance(chain, str) else chain.stale()):
            self._tracing = True
            try:
                chain = plan.trace(self.network, x)
            finally:
                self._tracing = False
            self._chains[key] = chain
        return chain

    def run(self, chain: plan.Chain, x: Tensor, training: bool) -> Tensor:
        """The plan's forward; its activations stay until the next one."""
        self._latest += 1
        lanes = chain.core.forward(x.lanes(), x._shape[0], training, _random.generator().core)
        return in_lanes(lanes, (x._shape[0], chain.outputs))


def _plan_forward(inputs: tuple[Any, ...], attrs: dict[str, Any]) -> tuple[Tensor, Any]:
    static, chain, training = attrs["static"], attrs["chain"], attrs["training"]
    state = _random.generator().get_state() if training and chain.has_dropout else None
    y = static.run(chain, inputs[0], training)
    return y, (static._latest, state)


def _plan_backward(node: Node, dy: Tensor) -> Grads:
    static, chain = node.attrs["static"], node.attrs["chain"]
    number, state = node.saved
    if static._latest != number:  # another forward came between: bring this one's activations back
        now = _random.generator().get_state()
        if state is not None:
            _random.generator().set_state(state)
        static.run(chain, node.inputs[0], node.attrs["training"])
        _random.generator().set_state(now)
    chain.core.backward(dy.lanes())
    grads = [
        dense(np.array(g)) if not p.stop_gradient else None for p, g in zip(chain.params, chain.grads, strict=True)
    ]
    return (None, *grads)


# The one row that isn't an operation of its own: a whole chain of them.
ops.TABLE["plan"] = Row("plan", "core", _plan_forward, _plan_backward)


def to_static(function: Any = None, input_spec: Any = None, **options: Any) -> Any:
    """Make a network run as a plan (``paddle.jit.to_static``): the same results, its forward and backward fused.

    function: a Layer; it is changed and returned. input_spec and other options are accepted and change nothing.
    Used as a decorator of ``forward``, or with anything else than a Layer, the function is returned as it is.
    """
    if function is None:
        return lambda f: to_static(f, input_spec, **options)
    if isinstance(function, Layer):
        if not isinstance(function.forward, StaticForward):
            object.__setattr__(function, "forward", StaticForward(function, function.forward))
        return function
    if callable(function):
        return function
    raise TypeError(message("to_static()", describe(function), "a Layer", "Type net = lenet.jit.to_static(net)"))
