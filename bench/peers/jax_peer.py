"""JAX: a jitted training step with a hand-written Adam, the data on the device.

Tried and slower on a CPU: a whole epoch as one ``lax.scan`` (twice the time), channels last, pooling by ``reduce_window``.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from _jax_networks import WORKS
from _serve import BATCH, accuracy, latency, mnist, normalised, serve, weights
from jax import lax

jax.config.update("jax_platforms", "cpu")
images, labels = (jnp.asarray(a) for a in (normalised(mnist("train")[0]), mnist("train")[1].astype(np.int32)))
test_images, test_labels = normalised(mnist("test")[0]), mnist("test")[1]
SHAPES = {
    "conv1": (6, 1, 5, 5), "conv2": (16, 6, 5, 5), "linear1": (400, 120), "linear2": (120, 84), "linear3": (84, 10),
}  # fmt: skip


def initial() -> dict[str, Any]:
    keys = jax.random.split(jax.random.key(0), len(SHAPES))
    params = {}
    for key, (name, shape) in zip(keys, SHAPES.items(), strict=True):
        inputs = shape[0] if len(shape) == 2 else shape[1] * 25
        params[f"{name}.weight"] = jax.random.uniform(key, shape, jnp.float32, -1, 1) / np.sqrt(inputs)
        params[f"{name}.bias"] = jnp.zeros(shape[1] if len(shape) == 2 else shape[0])
    return params


def conv(p: dict[str, Any], name: str, x: Any, padding: int) -> Any:
    y = lax.conv(x, p[f"{name}.weight"], (1, 1), "VALID" if not padding else "SAME")
    return y + p[f"{name}.bias"][None, :, None, None]


def pool(x: Any) -> Any:
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).max((3, 5))


def logits(p: dict[str, Any], x: Any) -> Any:
    x = jax.nn.relu(pool(jax.nn.relu(conv(p, "conv1", x, 2))))
    x = pool(conv(p, "conv2", x, 0)).reshape(len(x), -1)
    x = jax.nn.relu(x @ p["linear1.weight"] + p["linear1.bias"])
    x = jax.nn.relu(x @ p["linear2.weight"] + p["linear2.bias"])
    return x @ p["linear3.weight"] + p["linear3.bias"]


def loss(p: dict[str, Any], x: Any, y: Any) -> Any:
    return -jnp.take_along_axis(jax.nn.log_softmax(logits(p, x)), y[:, None], 1).mean()


def update(state: tuple[Any, Any, Any, Any], batch: Any) -> tuple[Any, Any]:
    params, m, v, step = state
    value, g = jax.value_and_grad(loss)(params, images[batch], labels[batch])
    step = step + 1
    m = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, m, g)
    v = jax.tree.map(lambda a, b: 0.999 * a + 0.001 * b * b, v, g)
    rate = 0.001 * jnp.sqrt(1 - 0.999**step) / (1 - 0.9**step)
    params = jax.tree.map(lambda p, a, b: p - rate * a / (jnp.sqrt(b) + 1e-8), params, m, v)
    return (params, m, v, step), value


step = jax.jit(update, donate_argnums=0)


def start() -> tuple[Any, ...]:
    params = initial()
    return params, jax.tree.map(jnp.zeros_like, params), jax.tree.map(jnp.zeros_like, params), jnp.zeros(())


def loop() -> float:
    order = np.random.RandomState(0).permutation(len(images))
    state = start()
    for at in range(0, len(images), BATCH):
        state, value = step(state, order[at : at + BATCH])
    return float(value)


forward = jax.jit(logits)


def answer() -> Any:
    params = {name: jnp.asarray(value) for name, value in weights().items()}
    return lambda x: np.asarray(forward(params, x))


serve(
    {
        "loop": loop,
        "evaluate": lambda: accuracy(answer(), test_images, test_labels, 1000),
        "image": lambda: latency(answer(), test_images),
        **WORKS,
    },
    jax.__version__,
)
