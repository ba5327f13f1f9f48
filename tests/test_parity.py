"""The engine beside real Paddle, live: initial weights bit for bit, one step from identical states, every operation on odd
shapes, and the first losses of the golden run.

Optimizers' updates are compared in test_optimizers, layers and losses' rarer cases in test_layers, transforms in test_transforms.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import platform
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import lenet
from lenet.nn import functional as F

SEEDS = Path(__file__).parent / "seeds"


def _seed_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_seed_list", SEEDS / "make_seed_list.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make_seed_list = _seed_script()
BATCHES = [make_seed_list.Batch(**entry) for entry in json.loads((SEEDS / "parity.json").read_text())]


tutorial_net = make_seed_list.network


@pytest.fixture(scope="module")
def images(mnist_dir: Path) -> tuple[np.ndarray, np.ndarray]:
    """All training images, normalised, and their labels."""
    return make_seed_list.mnist(mnist_dir)


@functools.cache
def _trained(folder: Path) -> list[np.ndarray]:
    return make_seed_list.trained(*make_seed_list.mnist(folder))


def assert_close(ours: Any, theirs: Any, what: str, relative: float = 1e-5, absolute: float = 1e-8) -> None:
    """‖ours - theirs‖ <= relative · ‖theirs‖ + absolute."""
    a, b = np.asarray(ours.numpy(), np.float64), np.asarray(theirs.numpy(), np.float64)
    assert a.shape == b.shape, what
    apart, size = float(np.linalg.norm((a - b).ravel())), float(np.linalg.norm(b.ravel()))
    assert apart <= relative * size + absolute, f"{what}: {apart:.2e} apart at a size of {size:.2e}"


# ---- the same numbers to begin with ------------------------------------------------------------------------------------


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="Paddle's own stream is pinned on x86-64 only"
)
@pytest.mark.parametrize("value", [0, 1, 7, 2024, 2**32 + 5, 2**40 + 3])
def test_a_seed_gives_the_same_initial_weights_bit_for_bit(paddle: ModuleType, value: int) -> None:
    paddle.seed(value)
    theirs = tutorial_net(paddle)
    for build in (lenet.LeNet, lambda: tutorial_net(lenet)):
        lenet.seed(value)
        ours = build()
        for (name, a), (their_name, b) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
            assert name == their_name
            assert np.array_equal(a.numpy(), b.numpy()), name


def test_the_random_stream_is_paddles(paddle: ModuleType) -> None:
    def draws(module: Any) -> list[np.ndarray]:
        module.seed(7)
        drawn = [module.rand([4]), module.randn([3]), module.randperm(8), module.randint(0, 10, [6]), module.randn([5])]
        return [d.numpy() for d in [*drawn, module.uniform([3], min=-2.0, max=5.0), module.randperm(1001)]]

    for ours, theirs in zip(draws(lenet), draws(paddle), strict=True):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 1.0])
def test_dropout_draws_paddles_mask(paddle: ModuleType, p: float) -> None:
    x = np.random.RandomState(0).standard_normal((17, 3, 5, 4)).astype(np.float32)
    kept = []
    for module in (lenet, paddle):
        module.seed(5)
        kept.append(module.nn.functional.dropout(module.to_tensor(x), p).numpy())
    assert np.array_equal(kept[0] == 0, kept[1] == 0)
    # 1 / (1 - p) rounded once or twice: a unit in the last place
    np.testing.assert_allclose(kept[0], kept[1], rtol=1.2e-7, atol=0)


# ---- one step from identical states ------------------------------------------------------------------------------------


def _step(paddle: Any, weights: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> list[tuple[str, Any]]:
    net = tutorial_net(paddle)
    for p, value in zip(net.parameters(), weights, strict=True):
        p.set_value(value)
    logits = net(paddle.to_tensor(x))
    loss = paddle.nn.functional.cross_entropy(logits, paddle.to_tensor(y))
    loss.backward()
    return [("logits", logits), ("loss", loss), *((f"d {name}", p.grad) for name, p in net.named_parameters())]


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the trained state's bits are x86-64's")
@pytest.mark.parametrize("batch", BATCHES, ids=lambda b: f"{b.state}-{b.seed}-{b.size}")
def test_one_step(paddle: ModuleType, images: tuple[np.ndarray, np.ndarray], mnist_dir: Path, batch: Any) -> None:
    weights = _trained(mnist_dir) if batch.state == "trained" else make_seed_list.initial(batch.seed)
    x, y = make_seed_list.batch_of(batch, images[0])
    assert make_seed_list.gap(weights, x) >= make_seed_list.GAP, "the list is stale: run tests/seeds/make_seed_list.py"
    for (what, ours), (_, theirs) in zip(_step(lenet, weights, x, y), _step(paddle, weights, x, y), strict=True):
        assert_close(ours, theirs, what)


def test_our_lenet_is_the_tutorials_network(paddle: ModuleType, images: tuple[np.ndarray, np.ndarray]) -> None:
    x, ours, theirs = images[0][:32], lenet.LeNet(), tutorial_net(paddle)
    assert [name for name, _ in ours.named_parameters()] == [name for name, _ in theirs.named_parameters()]
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        b.set_value(a.numpy())
    assert_close(ours(lenet.to_tensor(x)), theirs(paddle.to_tensor(x)), "logits")


def test_the_seed_list_holds_every_state_and_size() -> None:
    assert {(b.state, b.size) for b in BATCHES} == {(s, n) for s in ("initial", "trained") for n in (64, 1, 3, 17, 65)}


def test_first_losses_of_the_golden_run(paddle: ModuleType, images: tuple[np.ndarray, np.ndarray]) -> None:
    """paddle.seed(0), Adam 1e-3, batch 64, Model.fit's order: five free-running steps, eager and as a plan."""
    x, y = images
    order = list(range(len(x)))
    np.random.RandomState(0).shuffle(order)
    golden = [4.550225, 3.225356, 2.278336, 2.243962, 2.143538]  # Paddle 3.3.1's, stored

    def losses(module: Any, static: bool = False) -> list[float]:
        module.seed(0)
        net = tutorial_net(module)
        if static:
            module.jit.to_static(net)
        adam = module.optimizer.Adam(learning_rate=0.001, parameters=net.parameters())
        out = []
        for step in range(5):
            rows = order[step * 64 : step * 64 + 64]
            loss = module.nn.functional.cross_entropy(
                net(module.to_tensor(x[rows])), module.to_tensor(y[rows][:, None])
            )
            loss.backward()
            adam.step()
            adam.clear_grad()
            out.append(float(loss.numpy()))
        return out

    live = losses(paddle)
    for ours in (losses(lenet), losses(lenet, static=True)):
        np.testing.assert_allclose(ours, live, rtol=1e-4, atol=0)  # training is chaotic: five steps stay within this
        np.testing.assert_allclose(ours, golden, rtol=1e-4, atol=0)


# ---- operation by operation, from identical inputs ---------------------------------------------------------------------

Function = Callable[..., Any]


def compare(paddle: Any, function: Function, *arrays: np.ndarray, relative: float = 1e-5) -> None:
    """function(module, *tensors) in both libraries: output and the gradient of every float input."""
    results = []
    for module in (lenet, paddle):
        tensors = [module.to_tensor(a, stop_gradient=a.dtype.kind != "f") for a in arrays]
        y = function(module, *tensors)
        seed = np.random.RandomState(99).standard_normal(y.shape).astype(np.float32)
        (y * module.to_tensor(seed)).sum().backward()
        results.append(
            [("output", y), *((f"gradient {i}", t.grad) for i, t in enumerate(tensors) if not t.stop_gradient)]
        )
    for (what, ours), (_, theirs) in zip(*results, strict=True):
        assert_close(ours, theirs, what, relative)


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


CONVS: list[dict[str, Any]] = [
    {"n": n, "c": c, "k": k, "kernel": (kh, kw)}
    for i, n in enumerate([1, 3, 17, 65])
    for j, (c, k) in enumerate([(1, 5), (5, 7), (7, 1)])
    for kh, kw in [((1, 2, 3, 5, 7)[(i + j) % 5], (1, 2, 3, 5, 7)[(i + 2 * j + 1) % 5])]
] + [
    {"n": 17, "c": 5, "k": 7, "kernel": (3, 3), "stride": 2},
    {"n": 3, "c": 7, "k": 5, "kernel": (5, 2), "stride": (3, 1), "padding": (2, 1)},
    {"n": 1, "c": 1, "k": 7, "kernel": (7, 7), "padding": 3},
    {"n": 65, "c": 5, "k": 1, "kernel": (2, 3), "padding": (1, 0, 2, 1)},
    {"n": 3, "c": 7, "k": 5, "kernel": (2, 2), "stride": (1, 3), "padding": "SAME"},
    {"n": 17, "c": 5, "k": 7, "kernel": (3, 2), "dilation": (2, 3)},
    {"n": 3, "c": 6, "k": 9, "kernel": (3, 3), "groups": 3, "padding": 1},
]


@pytest.mark.parametrize("case", CONVS, ids=lambda c: "-".join(f"{k}={v}" for k, v in c.items()))
@pytest.mark.parametrize("bias", [True, False])
def test_conv2d(paddle: ModuleType, case: dict[str, Any], bias: bool) -> None:
    attrs = dict(case)
    n, c, k, kernel = (attrs.pop(name) for name in ("n", "c", "k", "kernel"))
    x, w = normal(1, n, c, 11, 10), normal(2, k, c // attrs.get("groups", 1), *kernel)
    arrays = [x, w, normal(3, k)] if bias else [x, w]
    compare(paddle, lambda module, *t: module.nn.functional.conv2d(*t, **attrs), *arrays)


POOLS: list[dict[str, Any]] = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 1},
    {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)},
    {"kernel_size": 5, "stride": 3, "padding": 2},
    {"kernel_size": (2, 3), "stride": (3, 4)},
    {"kernel_size": 1, "stride": 2},
    {"kernel_size": 7},
    {"kernel_size": 2, "ceil_mode": True},
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
]


@pytest.mark.parametrize("case", POOLS, ids=lambda c: "-".join(f"{k}={v}" for k, v in c.items()))
@pytest.mark.parametrize("shape", [(1, 1, 7, 7), (3, 5, 9, 8), (17, 7, 7, 10), (65, 1, 8, 7)])
def test_pooling(paddle: ModuleType, case: dict[str, Any], shape: tuple[int, ...]) -> None:
    x = normal(1, *shape)
    compare(paddle, lambda module, t: module.nn.functional.max_pool2d(t, **case), x)
    compare(paddle, lambda module, t: module.nn.functional.avg_pool2d(t, **case), x)
    compare(paddle, lambda module, t: module.nn.functional.avg_pool2d(t, exclusive=False, **case), x)


def test_the_first_of_equals_wins_as_in_paddle(paddle: ModuleType) -> None:
    x = np.round(normal(1, 17, 3, 8, 8))
    for attrs in ({"kernel_size": 2}, {"kernel_size": 3, "stride": 1}, {"kernel_size": 3, "stride": 2, "padding": 1}):
        compare(paddle, lambda module, t, a=attrs: module.nn.functional.max_pool2d(t, **a), x)


@pytest.mark.parametrize("n", [1, 3, 17, 65])
@pytest.mark.parametrize(("inputs", "outputs"), [(400, 120), (1, 7), (47, 1), (5, 10)])
def test_linear(paddle: ModuleType, n: int, inputs: int, outputs: int) -> None:
    compare(
        paddle,
        lambda module, *t: module.nn.functional.linear(*t),
        normal(1, n, inputs),
        normal(2, inputs, outputs),
        normal(3, outputs),
    )


@pytest.mark.parametrize("shape", [(1, 3), (17, 5), (65, 1), (3, 2, 4, 5)])
@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh", "softmax", "log_softmax", "leaky_relu"])
def test_activations(paddle: ModuleType, name: str, shape: tuple[int, ...]) -> None:
    x = normal(1, *shape) * 3
    if shape[-1] == 1 and "softmax" in name:
        shape = x.shape[:1]  # one class has a gradient of exactly nothing: only the output is compared
        ours = getattr(F, name)(lenet.to_tensor(x)).numpy()
        assert np.array_equal(ours, getattr(paddle.nn.functional, name)(paddle.to_tensor(x)).numpy())
        return
    compare(paddle, lambda module, t: getattr(module.nn.functional, name)(t), x)


def test_the_clamp_of_softmax_is_paddles(paddle: ModuleType) -> None:
    x = np.array([[0, 100, -1000], [3, 2, -70]], np.float32)
    compare(paddle, lambda module, t: module.nn.functional.softmax(t), x)
    compare(paddle, lambda module, t: module.nn.functional.cross_entropy(t, module.to_tensor([0, 2])), x)


LOSSES: list[dict[str, Any]] = [
    {},
    {"reduction": "sum"},
    {"reduction": "none"},
    {"ignore_index": 3},
    {"ignore_index": -1},
    {"weight": True},
    {"weight": True, "reduction": "none"},
    {"weight": True, "ignore_index": 3},
    {"use_softmax": False},
    {"label_smoothing": 0.1},
]


@pytest.mark.parametrize("case", LOSSES, ids=str)
@pytest.mark.parametrize(("n", "classes"), [(1, 7), (3, 10), (17, 5), (65, 10)])
def test_cross_entropy(paddle: ModuleType, case: dict[str, Any], n: int, classes: int) -> None:
    labels = np.random.RandomState(3).randint(0, classes, n)
    if case.get("ignore_index") == -1:
        labels[::2] = -1
    x = normal(1, n, classes)
    if case.get("use_softmax") is False:
        x = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    weight = np.random.RandomState(4).uniform(0.5, 2, classes).astype(np.float32)

    def loss(module: Any, logits: Any, label: Any) -> Any:
        attrs = dict(case)
        if attrs.pop("weight", False):
            attrs["weight"] = module.to_tensor(weight)
        return module.nn.functional.cross_entropy(logits, label, **attrs)

    compare(paddle, loss, x, labels)
    if "label_smoothing" not in case:  # Paddle refuses [N, 1] labels with smoothing
        compare(paddle, loss, x, labels[:, None])


def test_soft_labels(paddle: ModuleType) -> None:
    soft = np.random.RandomState(3).dirichlet(np.ones(5), 17).astype(np.float32)

    def loss(module: Any, logits: Any, **attrs: Any) -> Any:
        return module.nn.functional.cross_entropy(logits, module.to_tensor(soft), soft_label=True, **attrs)

    compare(paddle, loss, normal(1, 17, 5))
    compare(paddle, functools.partial(loss, label_smoothing=0.2), normal(1, 17, 5))
    compare(paddle, functools.partial(loss, reduction="none"), normal(1, 17, 5))


def test_classes_along_another_axis(paddle: ModuleType) -> None:
    labels = np.random.RandomState(3).randint(0, 4, (3, 5, 6))
    compare(paddle, lambda m, t, y: m.nn.functional.cross_entropy(t, y, axis=1), normal(1, 3, 4, 5, 6), labels)
    compare(paddle, lambda m, t: m.nn.functional.softmax(t, axis=1), normal(1, 3, 4, 5, 6))
