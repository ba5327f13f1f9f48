"""Convolutions, poolings, linear layers and whole plans of random shapes, ordinary and absurd, until the time is over.

Each runs one image by itself, a few and a group, and must say the same each way within rounding, or refuse in one
sentence. What this is for is a core built with -fsanitize=address,undefined (``make sanitize``); without it a wrong
address may go unseen.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import lenet
from lenet import nn

SECONDS = 60.0  # at budget 1
SENTENCE = 300  # characters, at most
ROUNDING = 2e-4  # relative to the largest number: float32 sums of up to some thousand products in two orders

ABSURD = (0, -1, 29, 97, 1000, 2**22, 2**27 - 1, 2**27, 2**29 - 14, 2**31 - 1, 2**31, 2**32 + 1, 2**62, 2**64)


def some(rng: random.Random, *usual: int) -> int:
    """Mostly one of the usual sizes, sometimes one that nobody means."""
    return rng.choice(ABSURD) if rng.random() < 0.03 else rng.choice(usual)


def layer(rng: random.Random, channels: int) -> tuple[str, Callable[[], Any]]:
    """A layer's description and how to make it; making it may raise."""
    kernel = [some(rng, 1, 2, 3, 4, 5), some(rng, 1, 2, 3, 5)]
    stride = [some(rng, 1, 1, 2, 3), some(rng, 1, 1, 2)]
    padding = [some(rng, 0, 0, 1, 2) for _ in range(4)]
    if rng.random() < 0.5:
        groups = channels if rng.random() < 0.1 else 1
        options = {
            "stride": stride, "padding": padding, "dilation": some(rng, 1, 1, 1, 2), "groups": groups,
        }  # fmt: skip
        small, out = (
            [min(k, 5) for k in kernel],
            rng.choice([1, 3, 6, 16, 17]) * groups,
        )  # more is more work, and lawful
        return f"Conv2D({channels}, {out}, {small}, {options})", lambda: nn.Conv2D(channels, out, small, **options)
    pool = rng.choice([nn.MaxPool2D, nn.AvgPool2D])
    options = {"stride": stride, "padding": padding, "ceil_mode": rng.random() < 0.5}
    return f"{pool.__name__}({kernel}, {options})", lambda: pool(kernel, **options)


def network(rng: random.Random) -> tuple[str, Any, list[int]]:
    """A random chain with a linear layer behind, for images of a random size; raises where a layer refuses."""
    shape = [rng.choice([1, 2, 3, 7]), rng.randint(1, 33), rng.randint(1, 33)]
    layers: list[Any] = []
    text: list[str] = []
    x = image = lenet.zeros([1, *shape])
    try:
        for _ in range(rng.randint(1, 3)):
            said, make = layer(rng, x.shape[1])
            text.append(said)
            layers += [make(), *([nn.ReLU()] if rng.random() < 0.5 else [])]
            x = nn.Sequential(*layers)(image)
    except Exception as error:
        error.args = (*error.args[:1], f"{shape} {text}")
        raise
    features = x.size
    if features > 100_000:
        raise ValueError("too large to go on with")
    layers += [nn.Flatten(), nn.Linear(features, rng.randint(1, 20))]
    return f"{shape} {text}", nn.Sequential(*layers).eval(), shape


def close(a: Any, b: Any) -> bool:
    return bool(np.abs(a - b).max() <= ROUNDING * max(float(np.abs(b).max()), 1e-6))


def tried(rng: random.Random) -> str:
    """One network: "agreed", "refused", or what was wrong with it."""
    lenet.seed(rng.randrange(2**31))
    try:
        said, net, shape = network(rng)
    except (ValueError, TypeError, MemoryError) as error:
        text = str(error.args[0]) if error.args else ""
        plain = len(text) <= SENTENCE and "\n" not in text and "incompatible function" not in text
        return "refused" if plain else f"{error.args}: {text}"
    x = np.random.RandomState(rng.randrange(2**31)).standard_normal((20, *shape)).astype(np.float32)
    with lenet.no_grad():
        lanes = net(lenet.to_tensor(x)).numpy()
        few = np.concatenate([net(lenet.to_tensor(x[a:b])).numpy() for a, b in ((0, 1), (1, 9))])
    static = lenet.jit.to_static(net)
    with lenet.no_grad():
        planned = static(lenet.to_tensor(x)).numpy()
        one = np.concatenate([static(lenet.to_tensor(x[a:b])).numpy() for a, b in ((0, 1), (1, 9))])
    loss = (static(lenet.to_tensor(x)) ** 2).sum()
    loss.backward()
    fine = close(few, lanes[:9]) and close(planned, lanes) and close(one, lanes[:9])
    return "agreed" if fine and all(np.isfinite(p.grad.numpy()).all() for p in net.parameters()) else said


def run(budget: float = 1.0, seed: int = 0) -> dict[str, Any]:
    """{"networks", "refused", "wrong", "first": the first few that were wrong}."""
    rng = random.Random(seed)
    until = time.monotonic() + SECONDS * budget
    counts = {"networks": 0, "refused": 0, "wrong": 0}
    first: list[str] = []
    while time.monotonic() < until:
        said = tried(rng)
        counts["networks"] += 1
        if said == "refused":
            counts["refused"] += 1
        elif said != "agreed":
            counts["wrong"] += 1
            first = [*first, said][:5]
    return counts | {"first": first}


def table(found: dict[str, Any]) -> str:
    """As docs/reliability.md shows it."""
    return (
        f"{found['networks']:,} random networks, of which {found['refused']:,} were refused in a sentence; "
        f"{found['wrong']:,} answered wrongly."
    )
