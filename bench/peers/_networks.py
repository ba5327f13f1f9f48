"""Networks beside LeNet, each written once: small VGGs, a ResNet of 20 layers, an MLP, a net that reads whole pages.

``ops`` is what a library brings: conv, norm, relu, half (2x2 maximum), twice (each pixel 2x2 times), add, around (every second
pixel, zeros for new channels), mean (over a map), flat, linear. Weights are random: speed is compared, not accuracy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def _block(ops: Any, x: Any, inputs: int, outputs: int, kernel: int = 3, step: int = 1) -> Any:
    return ops.relu(ops.norm(ops.conv(x, inputs, outputs, kernel, step, bias=False), outputs))


def _vgg(ops: Any, x: Any, norm: bool) -> Any:
    last = 3
    for outputs, halved in ((32, False), (32, True), (64, False), (64, True), (128, True)):
        x = _block(ops, x, last, outputs) if norm else ops.relu(ops.conv(x, last, outputs, 3, 1, bias=True))
        x, last = (ops.half(x) if halved else x), outputs
    return ops.linear(ops.flat(x), 128 * 16, 10)


def _resnet(ops: Any, x: Any) -> Any:
    x, last = _block(ops, x, 3, 16), 16
    for outputs, step in [(16, 1)] * 3 + [(32, 2)] + [(32, 1)] * 2 + [(64, 2)] + [(64, 1)] * 2:
        y = ops.conv(_block(ops, x, last, outputs, 3, step), outputs, outputs, 3, 1, bias=False)
        y = ops.norm(y, outputs)
        x, last = ops.relu(ops.add(y, ops.around(x, outputs - last) if step > 1 else x)), outputs
    return ops.linear(ops.mean(x), 64, 10)


def _mlp(ops: Any, x: Any) -> Any:
    return ops.linear(ops.relu(ops.linear(ops.flat(x), 784, 256)), 256, 10)


def _page(ops: Any, x: Any) -> Any:
    """A map of 15 numbers a cell at a quarter of the size, 146,000 parameters."""
    a, b, c, d = 16, 32, 48, 64
    x = _block(ops, _block(ops, _block(ops, _block(ops, x, 1, a, 5, 2), a, b, 3, 2), b, b), b, b)
    y = _block(ops, x, b, c, 3, 2)
    for _ in range(4):
        y = _block(ops, y, c, c)
    x = ops.add(x, ops.twice(_block(ops, y, c, b, 1)))
    return ops.conv(_block(ops, _block(ops, x, b, d), d, d, 1), d, 15, 1, 1, bias=True)


# name: the network, its images, the batch, steps of one measurement
NETWORKS: dict[str, tuple[Callable[[Any, Any], Any], tuple[int, ...], int, int]] = {
    "vgg": (lambda ops, x: _vgg(ops, x, False), (3, 32, 32), 64, 8),
    "vgg_norm": (lambda ops, x: _vgg(ops, x, True), (3, 32, 32), 64, 8),
    "resnet": (_resnet, (3, 32, 32), 64, 4),
    "resnet_8": (_resnet, (3, 32, 32), 8, 16),
    "mlp": (_mlp, (1, 28, 28), 64, 400),
    "page": (_page, (1, 256, 256), 32, 1),
}
WHOLE_PAGE = (1, 1856, 1344)  # 2.5 megapixels, answered one by one


def data(name: str) -> tuple[np.ndarray, np.ndarray]:
    """A batch: images float32 [batch, *shape] and labels int64, one a sample, or of the page net one a cell."""
    _, shape, batch, _ = NETWORKS[name]
    random = np.random.RandomState(0)
    cells = (shape[1] // 4, shape[2] // 4) if name == "page" else ()
    images = random.uniform(-1, 1, (batch, *shape)).astype(np.float32)
    return images, random.randint(0, 10, (batch, *cells)).astype(np.int64)


def whole_page() -> np.ndarray:
    return np.random.RandomState(0).uniform(-1, 1, (1, *WHOLE_PAGE)).astype(np.float32)


def works(
    train: Callable[[str], Callable[[], Any]] | None,
    answer: Callable[[str], Callable[[np.ndarray], Any]],
    suffix: str = "",
) -> dict[str, Callable[[], Any]]:
    """A peer's works, by network. train(name): one step. answer(name): images to outputs. Both are made when first asked for."""
    made: dict[str, Any] = {}

    def kept(key: str, make: Callable[[], Any]) -> Any:
        if key not in made:
            made[key] = make()
        return made[key]

    def training(name: str) -> None:
        step = kept(f"{name} train", lambda: train(name))  # type: ignore[misc]
        for _ in range(NETWORKS[name][3]):
            step()

    def answering(name: str, page: bool = False) -> None:
        call = kept(f"{name} answer {page}", lambda: answer(name))
        images = kept(f"{name} images {page}", whole_page if page else lambda: data(name)[0])
        for _ in range(1 if page else NETWORKS[name][3]):
            call(images)

    found: dict[str, Callable[[], Any]] = {}
    for name in NETWORKS:
        if train is not None:
            found[f"{name}_train{suffix}"] = lambda name=name: training(name)  # type: ignore[misc]
        found[f"{name}_answer{suffix}"] = lambda name=name: answering(name)  # type: ignore[misc]
    found[f"page_whole{suffix}"] = lambda: answering("page", True)
    return found
