"""The networks of ``_networks`` in JAX: a jitted step with donated state, and jitted answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from _networks import NETWORKS, data, works
from jax import lax


class _Ops:
    """Functions of parameters in their order; the running statistics of a training pass are left in ``moved``."""

    relu = staticmethod(jax.nn.relu)

    def __init__(self, params: list[Any], statistics: list[Any], training: bool) -> None:
        self._params, self._statistics, self._training = params, statistics, training
        self._at = self._norms = 0
        self.moved: list[Any] = []

    def _next(self, *shape: int, fill: float | None = None) -> Any:
        if self._at == len(self._params):
            random = np.random.RandomState(self._at)
            scale = 1 / np.sqrt(np.prod(shape[1:]) if len(shape) > 1 else 1)
            new = random.standard_normal(shape) * scale if fill is None else np.full(shape, fill)
            self._params.append(jnp.asarray(new, jnp.float32))
        self._at += 1
        return self._params[self._at - 1]

    def conv(self, x: Any, inputs: int, outputs: int, kernel: int, step: int, bias: bool) -> Any:
        edge = (kernel // 2, kernel // 2)
        y = lax.conv(x, self._next(outputs, inputs, kernel, kernel), (step, step), [edge, edge])
        return y + self._next(outputs)[None, :, None, None] if bias else y

    def norm(self, x: Any, channels: int) -> Any:
        w, b = self._next(channels, fill=1), self._next(channels, fill=0)
        if self._norms == len(self._statistics):
            self._statistics.append((jnp.zeros(channels), jnp.ones(channels)))
        mean, var = self._statistics[self._norms]
        self._norms += 1
        if self._training:
            own = x.mean((0, 2, 3)), x.var((0, 2, 3))
            self.moved.append((0.9 * mean + 0.1 * own[0], 0.9 * var + 0.1 * own[1]))
            mean, var = own
        scale = w * lax.rsqrt(var + 1e-5)
        return (x - mean[None, :, None, None]) * scale[None, :, None, None] + b[None, :, None, None]

    def linear(self, x: Any, inputs: int, outputs: int) -> Any:
        return x @ self._next(inputs, outputs) + self._next(outputs)

    def half(self, x: Any) -> Any:
        n, c, h, w = x.shape
        return x.reshape(n, c, h // 2, 2, w // 2, 2).max((3, 5))

    def twice(self, x: Any) -> Any:
        return x.repeat(2, 2).repeat(2, 3)

    def add(self, a: Any, b: Any) -> Any:
        return a + b

    def around(self, x: Any, more: int) -> Any:
        return jnp.pad(x[:, :, ::2, ::2], ((0, 0), (more // 2, more - more // 2), (0, 0), (0, 0)))

    def mean(self, x: Any) -> Any:
        return x.mean((2, 3))

    def flat(self, x: Any) -> Any:
        return x.reshape(len(x), -1)


def _start(name: str) -> tuple[list[Any], list[Any]]:
    params: list[Any] = []
    statistics: list[Any] = []
    NETWORKS[name][0](_Ops(params, statistics, False), jnp.asarray(data(name)[0][:1]))
    return params, statistics


def train(name: str) -> Callable[[], Any]:
    images, labels = (jnp.asarray(a) for a in data(name))

    def loss(params: Any, statistics: Any) -> Any:
        ops = _Ops(params, statistics, True)
        logits = jax.nn.log_softmax(NETWORKS[name][0](ops, images), 1)
        return -jnp.take_along_axis(logits, labels[:, None], 1).mean(), ops.moved

    def update(state: Any) -> Any:
        params, velocity, statistics = state
        (_, moved), grads = jax.value_and_grad(loss, has_aux=True)(params, statistics)
        velocity = jax.tree.map(lambda v, g: 0.9 * v + g, velocity, grads)
        return jax.tree.map(lambda p, v: p - 0.001 * v, params, velocity), velocity, moved

    run = jax.jit(update, donate_argnums=0)
    params, statistics = _start(name)
    kept = [(params, jax.tree.map(jnp.zeros_like, params), statistics)]

    def step() -> None:
        kept[0] = jax.block_until_ready(run(kept[0]))

    return step


def answer(name: str) -> Callable[[np.ndarray], Any]:
    params, statistics = _start(name)
    run = jax.jit(lambda x: NETWORKS[name][0](_Ops(params, statistics, False), x))
    return lambda images: np.asarray(run(images))


WORKS = works(train, answer)
