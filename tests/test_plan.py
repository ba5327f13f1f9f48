"""Plans beside the eager network: the same outputs, gradients and training; and who has to stay eager, and why."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lenet
from lenet import _random, nn, ops, plan
from lenet.nn import functional as F
from lenet.ops import TABLE
from lenet.tensor import Tensor, to_tensor

# The same kernels; only the order in which fused rows and whole batches are added differs.
SAME = 2e-6


def images(n: int, *shape: int, seed: int = 0) -> np.ndarray:
    return np.random.RandomState(seed).standard_normal((n, *shape)).astype(np.float32)


def distance(ours: Any, theirs: Any) -> float:
    a, b = np.asarray(ours, np.float64).ravel(), np.asarray(theirs, np.float64).ravel()
    assert a.shape == b.shape
    return float(np.linalg.norm(a - b) / max(float(np.linalg.norm(b)), 1e-30))


class Reshaping(nn.Layer):
    def forward(self, x: Tensor) -> Tensor:
        return x.reshape([0, -1])


NETWORKS: dict[str, tuple[tuple[int, ...], Callable[[], list[nn.Layer]]]] = {
    "tutorial": ((1, 28, 28), lambda: [lenet.LeNet()]),
    "fused pools": (
        (2, 8, 8),
        lambda: [
            nn.Conv2D(2, 7, 3),
            nn.ReLU(),
            nn.MaxPool2D(2, 2),
            nn.Conv2D(7, 5, 2),
            nn.ReLU(),
            nn.MaxPool2D(2, 2),
            nn.Flatten(),
        ],
    ),
    "no relu between convolution and pool": (
        (2, 8, 8),
        lambda: [
            nn.Conv2D(2, 7, 3),
            nn.MaxPool2D(2, 2),
            nn.ReLU(),
            nn.Conv2D(7, 5, 2),
            nn.MaxPool2D(2, 2),
            nn.Flatten(),
        ],
    ),
    "odd pool without relu": (
        (1, 9, 9),
        lambda: [nn.Conv2D(1, 3, 2), nn.MaxPool2D(2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(48, 4)],
    ),
    "odd pools": (
        (3, 7, 9),
        lambda: [nn.MaxPool2D(3, 2, padding=1), nn.AvgPool2D((2, 1), ceil_mode=True), nn.Flatten(), nn.Linear(30, 4)],
    ),
    "relu, but no fused pool": (
        (1, 9, 9),
        lambda: [nn.Conv2D(1, 3, 3), nn.ReLU(), nn.MaxPool2D(2, 2), nn.Flatten(), nn.Linear(27, 4)],
    ),
    "three convolutions": (  # enough work for few images to go side by side
        (1, 28, 28),
        lambda: [
            nn.Conv2D(1, 16, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2D(2, 2),
            nn.Conv2D(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2D(2, 2),
            nn.Conv2D(32, 10, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2D(2, 2),
            nn.Flatten(),
            nn.Linear(90, 4),
        ],
    ),
    "strides, dilation, groups": (
        (2, 11, 10),
        lambda: [
            nn.Conv2D(2, 4, 3, stride=2, padding=1),
            nn.Tanh(),
            nn.Conv2D(4, 6, 2, dilation=2, groups=2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(72, 3),
        ],
    ),
    "no biases": (
        (1, 6, 6),
        lambda: [nn.Conv2D(1, 3, 3, bias_attr=False), nn.ReLU(), nn.Flatten(), nn.Linear(48, 5, bias_attr=False)],
    ),
    "dense": ((7,), lambda: [nn.Linear(7, 20), nn.Sigmoid(), nn.Linear(20, 13), nn.ReLU(), nn.Linear(13, 3)]),
    "dropout": (
        (1, 6, 6),
        lambda: [
            nn.Dropout(0.2),
            nn.Conv2D(1, 3, 3),
            nn.ReLU(),
            nn.Dropout(0.5),
            Reshaping(),
            nn.Linear(48, 5),
            nn.Dropout(1.0),
        ],
    ),
    "dropout, downscaled": (
        (9,),
        lambda: [nn.Linear(9, 8), nn.Dropout(0.25, mode="downscale_in_infer"), nn.ReLU(), nn.Linear(8, 3)],
    ),
    "softmax": ((5,), lambda: [nn.Linear(5, 6), nn.Softmax(), nn.Linear(6, 4)]),
    "one relu": ((4,), lambda: [nn.ReLU()]),
}


def network(name: str, seed: int = 0) -> tuple[nn.Layer, tuple[int, ...]]:
    shape, layers = NETWORKS[name]
    lenet.seed(seed)
    return nn.Sequential(*layers()), shape


def chain_of(net: nn.Layer, x: np.ndarray) -> plan.Chain:
    found = plan.trace(net, to_tensor(x))
    assert isinstance(found, plan.Chain), found
    return found


def test_every_row_that_a_plan_can_run_is_run_here() -> None:
    seen = set()
    for name in NETWORKS:
        net, shape = network(name)
        with ops.Trace() as trace:
            net(to_tensor(images(3, *shape)))
        seen |= {node.row.name for node, _ in trace.nodes}
    assert {name for name, row in TABLE.items() if row.plan is not None} <= seen


# ---- the same numbers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("n", [1, 3, 8, 9, 17, 65])
def test_inference(name: str, n: int) -> None:
    net, shape = network(name)
    net.eval()
    x = images(n, *shape)
    eager = net(to_tensor(x)).numpy()
    chain = chain_of(net, x[:2])
    assert distance(chain.infer(x), eager) <= SAME
    order = np.random.RandomState(1).permutation(n).astype(np.int64)
    assert np.array_equal(chain.infer(x, None, order), chain.infer(x)[order])


def test_few_images_give_the_same_bits_alone_and_side_by_side() -> None:
    net, shape = network("three convolutions")
    x = images(8, *shape)
    chain = chain_of(net.eval(), x[:2])
    alone = np.concatenate([chain.infer(x[i : i + 1]) for i in range(8)])
    for threads in (1, 2):
        lenet.set_num_threads(threads)
        try:
            assert np.array_equal(chain.infer(x), alone)
        finally:
            lenet.set_num_threads(0)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("n", [1, 17, 65])
def test_forward_and_gradients(name: str, training: bool, n: int) -> None:
    net, shape = network(name)
    net.train() if training else net.eval()
    x, seed = images(n, *shape), 5
    lenet.seed(seed)
    logits = net(to_tensor(x))
    dy = np.random.RandomState(3).standard_normal(logits.shape).astype(np.float32)
    if not logits.stop_gradient:
        logits.backward(to_tensor(dy))
    after = _random.generator().get_state()

    chain = chain_of(net, x[:1])
    lenet.seed(seed)
    y = chain.core.forward(to_tensor(x).lanes(), n, training, _random.generator().core)
    assert _random.generator().get_state() == after  # dropout has drawn the same numbers
    out = np.empty(logits.shape, np.float32)
    lenet._core.from_lanes(y, n, out)
    assert distance(out, logits.numpy()) <= SAME
    chain.core.backward(to_tensor(dy).lanes())
    for p, grad in zip(chain.params, chain.grads, strict=True):
        assert distance(grad, p.grad.numpy()) <= 5e-6, p.name  # sums over the whole batch, cut elsewhere


def _optimizers() -> dict[str, Callable[[list[Any]], Any]]:
    o = lenet.optimizer
    return {
        "SGD": lambda p: o.SGD(0.1, p),
        "SGD, decay": lambda p: o.SGD(0.1, p, weight_decay=0.01),
        "Momentum": lambda p: o.Momentum(0.05, 0.9, p),
        "Nesterov, decay, by value": lambda p: o.Momentum(
            0.05, 0.9, p, use_nesterov=True, weight_decay=0.01, grad_clip=nn.ClipGradByValue(0.02)
        ),
        "Adam": lambda p: o.Adam(0.01, parameters=p),
        "Adam, decay, global norm": lambda p: o.Adam(
            0.01,
            0.8,
            0.99,
            1e-6,
            p,
            weight_decay=lenet.regularizer.L2Decay(0.01),
            grad_clip=nn.ClipGradByGlobalNorm(0.1),
        ),
        "AdamW, norm": lambda p: o.AdamW(
            0.01,
            parameters=p,
            weight_decay=0.1,
            grad_clip=nn.ClipGradByNorm(0.05),
            apply_decay_param_fun=lambda n: ".w" in n,
        ),
        "groups": lambda p: o.Adam(
            0.01,
            parameters=[{"params": p[:1], "learning_rate": 0.1}, {"params": p[1:], "weight_decay": 0.05}],
        ),
    }


def _train(
    name: str, make: Callable[[list[Any]], Any], loss: nn.CrossEntropyLoss, planned: bool, counts: list[int]
) -> tuple[list[np.ndarray], list[float], dict[str, Any], str]:
    net, shape = network(name)
    optimizer = make(net.parameters())
    x, rows = images(100, *shape, seed=2), np.random.RandomState(4).randint(0, 100, sum(counts)).astype(np.int64)
    classes = net(to_tensor(x[:1])).shape[1]
    y = np.random.RandomState(5).randint(0, classes, 100)
    lenet.seed(9)
    rates = [optimizer.get_lr() * (step + 1) for step in range(len(counts))]
    if planned:
        compiled = plan.compile(net, loss, optimizer, [to_tensor(x[:2])])
        assert isinstance(compiled, plan.Compiled), compiled
        losses = []
        half = len(counts) // 2  # in two calls: what the first leaves behind, the second takes up
        for part, start in ((slice(0, half), 0), (slice(half, None), sum(counts[:half]))):
            found, _ = compiled.train(x, None, y, rows[start : start + sum(counts[part])], counts[part], rates[part])
            losses += found.tolist()
    else:
        losses, at = [], 0
        for n, rate in zip(counts, rates, strict=True):
            batch = rows[at : at + n]
            at += n
            value = loss(net(to_tensor(x[batch])), to_tensor(y[batch]))
            value.backward()
            optimizer.set_lr(rate)
            optimizer.step()
            optimizer.clear_grad()
            losses.append(value.item())
    state = {k: v.numpy() for k, v in optimizer.state_dict().items()}
    return [p.numpy() for p in net.parameters()], losses, state, _random.generator().get_state()


@pytest.mark.parametrize("optimizer", _optimizers().values(), ids=_optimizers().keys())
@pytest.mark.parametrize("name", ["fused pools", "dropout", "dense"])
def test_training(name: str, optimizer: Callable[[list[Any]], Any]) -> None:
    counts = [33, 1, 16, 40]
    weights, losses, state, stream = _train(name, optimizer, nn.CrossEntropyLoss(), True, counts)
    eager_weights, eager_losses, eager_state, eager_stream = _train(
        name, optimizer, nn.CrossEntropyLoss(), False, counts
    )
    # Adam divides by the root of the mean square: where a gradient is nearly 0, a rounding becomes a step
    np.testing.assert_allclose(losses, eager_losses, rtol=1e-5, atol=0)
    for ours, theirs in zip(weights, eager_weights, strict=True):
        assert distance(ours, theirs) <= 1e-4
    assert len(state) == len(eager_state)
    for ours, theirs in zip(state.values(), eager_state.values(), strict=True):
        assert distance(ours, theirs) <= 1e-4
    assert stream == eager_stream


LOSSES: dict[str, Callable[[], nn.CrossEntropyLoss]] = {
    "smoothing": lambda: nn.CrossEntropyLoss(label_smoothing=0.1),
    "a class ignored": lambda: nn.CrossEntropyLoss(ignore_index=2),
    "weights": lambda: nn.CrossEntropyLoss(weight=to_tensor(np.array([0.5, 2.0, 1.0], np.float32))),
    "weights, a class ignored, smoothing": lambda: nn.CrossEntropyLoss(
        weight=to_tensor(np.array([0.5, 2.0, 1.0], np.float32)), ignore_index=1, label_smoothing=0.2
    ),
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
def test_forms_of_the_loss(loss: Callable[[], nn.CrossEntropyLoss]) -> None:
    def sgd(p: list[Any]) -> Any:
        return lenet.optimizer.SGD(0.1, p)

    counts = [33, 1, 16, 40]
    weights, losses, *_ = _train("dense", sgd, loss(), True, counts)
    eager_weights, eager_losses, *_ = _train("dense", sgd, loss(), False, counts)
    np.testing.assert_allclose(losses, eager_losses, rtol=1e-5, atol=1e-7)  # a step without a counted sample has loss 0
    for ours, theirs in zip(weights, eager_weights, strict=True):
        assert distance(ours, theirs) <= 1e-5


def compiled(
    name: str = "dense", optimizer: Any = None, **loss: Any
) -> tuple[nn.Layer, plan.Compiled, np.ndarray, np.ndarray]:
    net, shape = network(name)
    made = (optimizer or (lambda p: lenet.optimizer.SGD(0.1, p)))(net.parameters())
    x = images(40, *shape)
    found = plan.compile(net, nn.CrossEntropyLoss(**loss), made, [to_tensor(x[:2])])
    assert isinstance(found, plan.Compiled), found
    return net, found, x, np.arange(40) % 3


def test_a_mark_that_is_no_class_counts_in_the_mean_as_in_eager() -> None:
    net, found, x, y = compiled()
    y[::3] = -100
    eager = F.cross_entropy(net(to_tensor(x)), to_tensor(y)).item()
    losses, _ = found.train(x, None, y, np.arange(40), [40], [0.0])
    assert losses[0] == pytest.approx(eager, rel=1e-6)


def test_outputs_are_those_before_the_update() -> None:
    net, found, x, y = compiled()
    before = net(to_tensor(x)).numpy()
    _, logits = found.train(x, None, y, np.arange(40), [30, 10], [1.0, 1.0])
    assert distance(logits[:30], before[:30]) <= SAME
    assert distance(logits[30:], before[30:]) > 0.01


def test_bytes_through_a_table_train_as_their_floats_do() -> None:
    table = ((np.arange(256) - 127.5) / 127.5).astype(np.float32)
    raw = np.random.RandomState(0).randint(0, 256, (40, 1, 28, 28)).astype(np.uint8)
    results = []
    for source, lut in ((raw, table), (table[raw], None)):
        net, found, _, _ = compiled("tutorial")
        found.train(source, lut, np.arange(40) % 10, np.arange(40), [20, 20], [0.1, 0.1])
        results.append([p.numpy() for p in net.parameters()])
        results[-1].append(found.infer(source, lut))
        results[-1].append(found.infer(source[:3], lut))
    for a, b in zip(*results, strict=True):
        assert np.array_equal(a, b)


def test_shifts_while_a_batch_is_loaded() -> None:
    table = np.linspace(-1, 1, 256).astype(np.float32)
    raw = np.random.RandomState(0).randint(0, 256, (40, 1, 28, 28)).astype(np.uint8)
    shifts = np.random.RandomState(1).randint(-30, 31, (40, 2)).astype(np.int8)
    shifts[:4] = [[0, 0], [1, -1], [-2, 3], [0, 29]]
    moved = np.zeros_like(raw)  # byte 0 comes in from outside
    for i, (down, right) in enumerate(shifts.astype(int)):
        for row in range(28):
            for column in range(28):
                if 0 <= row - down < 28 and 0 <= column - right < 28:
                    moved[i, 0, row, column] = raw[i, 0, row - down, column - right]
    results = []
    warps = np.zeros((40, 2, 3), np.float32)
    warps[:, 0, 0] = warps[:, 1, 1] = 1
    warps[:, 0, 2], warps[:, 1, 2] = -shifts[:, 1], -shifts[:, 0]
    for source, moves in ((raw, warps), (moved, None)):
        net, found, _, _ = compiled("tutorial")
        found.train(source, table, np.arange(40) % 10, np.arange(40), [25, 15], [0.1, 0.1], moves)
        results.append([p.numpy() for p in net.parameters()])
    for a, b in zip(*results, strict=True):
        assert np.array_equal(a, b)


def test_warps_while_a_batch_is_loaded() -> None:
    """Any matrix: each output pixel is the bilinear mean of four input pixels, byte 0 outside."""
    random = np.random.RandomState(2)
    table = np.linspace(-1, 1, 256).astype(np.float32)
    raw = random.randint(0, 256, (40, 1, 28, 28)).astype(np.uint8)
    warps = (np.eye(2, 3) + random.uniform(-0.2, 0.2, (40, 2, 3)) * [1, 1, 30]).astype(np.float32)
    warps[0] = [[1e5, 0, -9e5], [0, 1, 0]]  # far outside: nothing but byte 0
    framed = np.pad(table[raw[:, 0]].astype(np.float64), ((0, 0), (40, 40), (40, 40)), constant_values=table[0])
    y, x = np.mgrid[:28, :28].astype(np.float64)
    moved = np.empty((40, 1, 28, 28), np.float32)
    for i, m in enumerate(warps.astype(np.float64)):
        sx, sy = (np.clip(r[0] * x + r[1] * y + r[2], -2, 29) for r in m)
        ix, iy = np.floor(sx).astype(int), np.floor(sy).astype(int)
        corner = [[framed[i, iy + 40 + b, ix + 40 + a] for a in (0, 1)] for b in (0, 1)]
        above, below = (c[0] + (sx - ix) * (c[1] - c[0]) for c in corner)
        moved[i, 0] = above + (sy - iy) * (below - above)
    results = []
    for source, lut, moves in ((raw, table, warps), (moved, None, None)):
        net, found, _, _ = compiled("tutorial")
        losses, logits = found.train(source, lut, np.arange(40) % 10, np.arange(40), [40], [0.0], moves)
        results.append(logits)
    # float32 coordinates: a pixel's place is 1e-5 off at most, its value that times the contrast between neighbours
    np.testing.assert_allclose(results[0], results[1], rtol=0, atol=1e-3)


def test_a_frozen_parameter_stays_and_the_others_train() -> None:
    net, shape = network("fused pools")
    net[0].weight.stop_gradient = True
    net[0].bias.stop_gradient = True
    first, later = net[0].weight.numpy(), net[3].weight.numpy()
    x = images(20, *shape)
    found = plan.compile(net, nn.CrossEntropyLoss(), lenet.optimizer.Adam(parameters=net.parameters()), [to_tensor(x)])
    assert isinstance(found, plan.Compiled), found
    found.train(x, None, np.zeros(20, np.int64), np.arange(20), [20], [0.1])
    assert np.array_equal(net[0].weight.numpy(), first)
    assert not np.array_equal(net[3].weight.numpy(), later)


def test_eager_and_plan_take_turns_on_one_optimizer() -> None:
    """Moments and powers are shared: three steps, the middle one eager, are the same as three of either kind."""

    def run(ways: str) -> list[np.ndarray]:
        net, _ = network("dense")
        adam = lenet.optimizer.Adam(0.01, parameters=net.parameters())
        x, y, rows = images(40, 7), np.arange(40) % 3, np.arange(20)
        for way in ways:
            if way == "p":
                found = plan.compile(net, nn.CrossEntropyLoss(), adam, [to_tensor(x[:2])])
                assert isinstance(found, plan.Compiled), found
                found.train(x, None, y, rows, [20], [0.01])
            else:
                F.cross_entropy(net(to_tensor(x[:20])), to_tensor(y[:20])).backward()
                adam.step()
                adam.clear_grad()
        return [p.numpy() for p in net.parameters()]

    for ways in ("pep", "eee"):
        for ours, theirs in zip(run(ways), run("ppp"), strict=True):
            assert distance(ours, theirs) <= 1e-5


# ---- nothing is written when a step would spoil the weights ------------------------------------------------------------


def test_a_nan_stops_before_it_is_written() -> None:
    net, found, x, y = compiled(optimizer=lambda p: lenet.optimizer.Adam(0.01, parameters=p))
    twin, good, _, _ = compiled(optimizer=lambda p: lenet.optimizer.Adam(0.01, parameters=p))
    x[35, 0] = np.nan
    with pytest.raises(plan.TrainingTrouble, match="the loss is NaN or infinite") as caught:
        found.train(x, None, y, np.arange(40), [15, 15, 10], [0.01] * 3)
    assert caught.value.what == "loss"
    assert caught.value.steps_done == 2
    good.train(x, None, y, np.arange(30), [15, 15], [0.01] * 2)
    for ours, wanted in zip(net.parameters(), twin.parameters(), strict=True):
        assert np.array_equal(ours.numpy(), wanted.numpy())
    found.train(x, None, y, np.arange(15), [15], [0.01])  # and it goes on from there
    good.train(x, None, y, np.arange(15), [15], [0.01])
    for ours, wanted in zip(net.parameters(), twin.parameters(), strict=True):
        assert np.array_equal(ours.numpy(), wanted.numpy())


def test_a_gradient_that_overflows_stops_before_it_is_written() -> None:
    net, found, x, y = compiled()
    before = [p.numpy() for p in net.parameters()]
    with lenet.no_grad():
        net[0].weight.set_value(net[0].weight.numpy() * np.float32(1e-35))
    before[0] = net[0].weight.numpy()
    x *= np.float32(1e30)
    with pytest.raises(plan.TrainingTrouble, match="the gradient is NaN or infinite") as caught:
        found.train(x, None, y, np.arange(40), [40], [0.1])
    assert caught.value.what == "gradient"
    assert caught.value.steps_done == 0
    for ours, wanted in zip(net.parameters(), before, strict=True):
        assert np.array_equal(ours.numpy(), wanted)


def test_a_label_that_is_no_class_is_refused_before_anything_runs() -> None:
    net, found, x, y = compiled()
    before = net[0].weight.numpy()
    y[7] = 3
    with pytest.raises(IndexError, match=r"label 3 \(sample 7\), expected 0 to 2.*has 3 outputs"):
        found.train(x, None, y, np.arange(5), [5], [0.1])
    assert np.array_equal(net[0].weight.numpy(), before)


def test_an_index_outside_the_images_is_refused() -> None:
    _, found, x, y = compiled()
    with pytest.raises(ValueError, match="outside the images"):
        found.train(x, None, y, np.array([40]), [1], [0.1])


# ---- who stays eager, and why ------------------------------------------------------------------------------------------


class Odd(nn.Layer):
    """A small network whose forward does one odd thing."""

    def __init__(self, odd: Callable[[Any, Tensor], Any]) -> None:
        super().__init__()
        self.first, self.second, self.odd, self.count = nn.Linear(6, 6), nn.Linear(6, 3), odd, 0

    def forward(self, x: Tensor) -> Any:
        return self.odd(self, x)


def _reads(self: Any, x: Tensor) -> Tensor:
    x = self.first(x)
    return self.second(x) if x.sum().item() > 0 else self.second(x * 2)


def _counts(self: Any, x: Tensor) -> Tensor:
    self.count += 1
    return self.second(self.first(x))


def _prints(self: Any, x: Tensor) -> Tensor:
    text = f"{self.first(x)}"
    return self.second(x) if text else x


def _after(draw: Callable[[], Any]) -> Callable[[Any, Tensor], Tensor]:
    def forward(self: Any, x: Tensor) -> Tensor:
        draw()
        return self.second(self.first(x))

    return forward


def _with_dropout(training: bool) -> Callable[[Any, Tensor], Tensor]:
    return lambda self, x: self.second(F.dropout(self.first(x), 0.5, training=training))


REASONS: dict[str, tuple[Callable[[Any, Tensor], Any], str]] = {
    "reads": (_reads, "forward reads a tensor's value"),
    "prints": (_prints, "forward reads a tensor's value"),
    "iterates": (lambda self, x: self.second(lenet.stack(list(x))), "forward reads a tensor's value"),
    "asarray": (lambda self, x: self.second(to_tensor(np.asarray(x))), "forward reads a tensor's value"),
    "assigns": (_counts, "forward assigns to the network"),
    "random": (_after(random.random), "forward draws from Python's random"),
    "numpy's random": (_after(np.random.rand), "forward draws from numpy's random"),
    "numpy's kept normal number": (_after(np.random.standard_normal), "forward draws from numpy's random"),
    "our random": (_after(lambda: lenet.rand([1])), "forward draws random numbers"),
    "array row": (lambda self, x: self.second(self.first(x).exp()), "forward uses exp, which is eager only"),
    "residual": (lambda self, x: self.second(x + self.first(x)), "forward uses add, which is eager only"),
    "branch": (
        lambda self, x: (self.first(x), self.second(x))[1],
        "forward is not a chain: linear takes something else",
    ),
    "left over": (
        lambda self, x: (self.second(x), self.first(x))[0],
        "forward is not a chain: linear takes something else",
    ),
    "dead end": (lambda self, x: (self.second(x), F.relu(x))[0], "forward is not a chain: relu takes something else"),
    "unused end": (lambda self, x: _unused_end(self, x), "forward is not a chain of operations"),
    "nothing": (lambda self, x: x, "forward is not a chain of operations"),
    "two results": (lambda self, x: (self.first(x), self.first(x)), "forward returns something else than one tensor"),
    "a number": (lambda self, x: 3, "forward returns something else than one tensor"),
    "three dimensions": (
        lambda self, x: self.first(x).reshape([0, 2, 3]),
        "forward returns something else than one tensor",
    ),
    "mixes samples": (
        lambda self, x: self.second(self.first(x).flatten().reshape([-1, 6])),
        "forward flatten mixes samples",
    ),
    "shared": (lambda self, x: self.second(self.first(self.first(x))), "forward uses a parameter twice"),
    "computed": (lambda self, x: F.linear(x, self.second.weight.detach()), "forward computes its weights"),
    "dropout always": (_with_dropout(True), "forward's dropout is in another mode than the network"),
    "3-D linear": (
        lambda self, x: self.second(x.reshape([0, 1, 6])).reshape([0, 3]),
        "forward linear runs on more than two",
    ),
    "softmax of samples": (
        lambda self, x: F.softmax(self.second(x), axis=0),
        "forward softmax runs along another axis",
    ),
}


def _unused_end(self: Any, x: Tensor) -> Tensor:
    y = self.second(x)
    F.relu(y)
    return y


@pytest.mark.parametrize(("odd", "reason"), REASONS.values(), ids=REASONS.keys())
def test_what_keeps_a_network_eager(odd: Callable[[Any, Tensor], Any], reason: str) -> None:
    np.random.standard_normal()  # of a pair, the second is kept: drawing it moves no other state
    net = Odd(odd)
    net.eval()
    found = plan.trace(net, to_tensor(images(4, 6)))
    assert isinstance(found, str)
    assert found.startswith(reason)


def test_dropout_that_is_off_while_the_network_trains() -> None:
    net = Odd(_with_dropout(False))
    assert plan.trace(net, to_tensor(images(4, 6))) == "forward's dropout is in another mode than the network"
    net.eval()
    assert isinstance(plan.trace(net, to_tensor(images(4, 6))), plan.Chain)


def test_hooks_keep_a_network_eager() -> None:
    net, shape = network("dense")
    x = to_tensor(images(3, *shape))
    handle = net[2].register_forward_post_hook(lambda layer, inputs, output: None)
    assert plan.trace(net, x) == "a layer has hooks"
    handle.remove()
    assert isinstance(plan.trace(net, x), plan.Chain)


@pytest.mark.parametrize("x", [to_tensor([1, 2]), to_tensor(np.zeros((2, 7))), to_tensor(np.zeros(7, np.float32))])
def test_inputs_that_no_plan_takes(x: Tensor) -> None:
    found = plan.trace(network("dense")[0], x)
    assert isinstance(found, str)
    assert found.startswith("its input is ")


class Mine(nn.CrossEntropyLoss):
    pass


class Slow(lenet.optimizer.SGD):
    pass


COMPILE_REASONS: dict[str, tuple[Callable[[], Any], Callable[[list[Any]], Any], str]] = {
    "a loss of one's own": (Mine, lambda p: lenet.optimizer.SGD(0.1, p), "the loss is not CrossEntropyLoss"),
    "a function": (lambda: F.cross_entropy, lambda p: lenet.optimizer.SGD(0.1, p), "the loss is not CrossEntropyLoss"),
    "a sum": (
        lambda: nn.CrossEntropyLoss(reduction="sum"),
        lambda p: lenet.optimizer.SGD(0.1, p),
        "the loss is a form of CrossEntropyLoss that is eager only",
    ),
    "soft labels": (
        lambda: nn.CrossEntropyLoss(soft_label=True),
        lambda p: lenet.optimizer.SGD(0.1, p),
        "the loss is a form of CrossEntropyLoss that is eager only",
    ),
    "an optimizer of one's own": (
        nn.CrossEntropyLoss,
        lambda p: Slow(0.1, p),
        "the optimizer is eager only because Slow",
    ),
    "L1": (
        nn.CrossEntropyLoss,
        lambda p: lenet.optimizer.SGD(0.1, p, weight_decay=lenet.regularizer.L1Decay(0.1)),
        "the optimizer is eager only because its weight decay is not L2",
    ),
    "rescaled": (
        nn.CrossEntropyLoss,
        lambda p: lenet.optimizer.Momentum(0.1, 0.9, p, rescale_grad=0.5),
        "the optimizer is eager only because it rescales its gradients",
    ),
    "groups": (
        nn.CrossEntropyLoss,
        lambda p: lenet.optimizer.Adam(0.1, parameters=[{"params": p[:2], "beta1": 0.5}, {"params": p[2:]}]),
        "the optimizer is eager only because its groups differ in more than learning rate",
    ),
    "not all": (
        nn.CrossEntropyLoss,
        lambda p: lenet.optimizer.SGD(0.1, p[:-1]),
        "the optimizer leaves out parameters that want a gradient",
    ),
    "others": (
        nn.CrossEntropyLoss,
        lambda p: lenet.optimizer.SGD(0.1, [*p, *nn.Linear(1, 1).parameters()]),
        "the optimizer has parameters that forward doesn't use",
    ),
}


@pytest.mark.parametrize(("loss", "optimizer", "reason"), COMPILE_REASONS.values(), ids=COMPILE_REASONS.keys())
def test_what_keeps_training_eager(loss: Callable[[], Any], optimizer: Callable[[list[Any]], Any], reason: str) -> None:
    net, shape = network("dense")
    found = plan.compile(net, loss(), optimizer(net.parameters()), [to_tensor(images(3, *shape))])
    assert isinstance(found, str)
    assert found.startswith(reason)


def test_several_inputs_keep_training_eager() -> None:
    net, shape = network("dense")
    x = to_tensor(images(3, *shape))
    assert plan.compile(net, nn.CrossEntropyLoss(), None, [x, x]) == "the network takes 2 inputs"


def test_parameters_with_different_pasts_keep_training_eager() -> None:
    net, shape = network("dense")
    adam = lenet.optimizer.Adam(parameters=net.parameters())
    net[0].weight.grad = to_tensor(np.ones((7, 20), np.float32))
    adam.step()  # of one parameter alone
    found = plan.compile(net, nn.CrossEntropyLoss(), adam, [to_tensor(images(3, *shape))])
    assert found == "the optimizer is eager only because its parameters have made different numbers of steps"


def test_a_plan_that_disagrees_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    net, shape = network("dense")
    monkeypatch.setitem(TABLE, "relu", TABLE["relu"]._replace(plan=lambda node, _: ("tanh", node.output_shape[1])))
    with pytest.warns(UserWarning, match="apart on the first batch: staying eager"):
        assert plan.trace(net, to_tensor(images(3, *shape))) == "plan and eager results differ"


# ---- watching leaves no trace ------------------------------------------------------------------------------------------


def test_a_watched_pass_leaves_every_random_stream_where_it_was() -> None:
    def draw_all() -> None:
        random.random()
        np.random.rand(3)
        lenet.rand([2])

    lenet.seed(1)
    states = random.getstate(), np.random.get_state()[1:], _random.generator().get_state()
    assert isinstance(plan.trace(Odd(_after(draw_all)), to_tensor(images(4, 6))), str)
    net, shape = network("dropout")
    lenet.seed(1)
    assert isinstance(plan.trace(net, to_tensor(images(4, *shape))), plan.Chain)
    now = random.getstate(), np.random.get_state()[1:], _random.generator().get_state()
    assert now[0] == states[0]
    assert np.array_equal(now[1][0], states[1][0])
    assert now[1][1:] == states[1][1:]
    assert now[2] == states[2]


CHANGES: dict[str, Callable[[Any], Any]] = {
    "another mode": lambda net: net.eval(),
    "an attribute": lambda net: setattr(net, "note", 1),
    "another layer": lambda net: setattr(net, "0", nn.Linear(7, 20)),
    "a hook": lambda net: net[0].register_forward_pre_hook(lambda layer, inputs: None),
    "a frozen parameter": lambda net: setattr(net[0].weight, "stop_gradient", True),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_network_makes_its_plan_stale(change: Callable[[Any], Any]) -> None:
    net, found, *_ = compiled()
    assert not found.stale()
    change(net)
    assert found.stale()


def test_new_values_do_not_make_a_plan_stale_and_are_used() -> None:
    net, found, x, _ = compiled()
    net.set_state_dict({name: p.numpy() * 2 for name, p in net.named_parameters()})
    assert not found.stale()
    net.eval()
    assert distance(found.infer(x), net(to_tensor(x)).numpy()) <= SAME


def test_the_core_refuses_rows_that_do_not_fit() -> None:
    from lenet import _core

    w = [np.zeros((4, 3), np.float32)]
    grads = [np.zeros((4, 3), np.float32)]
    for rows, text in (
        ([], "needs a row"),
        ([("linear", 4, 3, 0, -1), ("relu", 4)], "disagree about their size"),
        ([("linear", 3, 3, 0, -1)], "another size"),
        ([("linear", 4, 3, 5, -1)], "another size"),
        ([("swish", 4)], "no row named swish"),
    ):
        with pytest.raises(ValueError, match=text):
            _core.Plan(rows, w, [True], grads)


def test_averages_follow_the_weights() -> None:
    """Five steps at once keep the average that five steps one by one, and plain arithmetic, give."""
    images = np.random.RandomState(0).randint(0, 256, (40, 1, 28, 28)).astype(np.uint8)
    table = np.linspace(-1, 1, 256).astype(np.float32)
    labels, order, kept = np.arange(40) % 10, np.arange(40), [0.1, 0.5, 0.9, 1.0, 0.99]

    net, found, _, _ = compiled("tutorial")
    expected = [p.numpy().astype(np.float64) for p in found.chain.params]
    found.averages()
    for i, keep in enumerate(kept):
        at = order[8 * i : 8 * i + 8]
        found.train(images, table, labels, at, [8], [0.01], None, [keep])
        expected = [keep * e + (1 - keep) * p.numpy() for e, p in zip(expected, found.chain.params, strict=True)]
    one_by_one = found.averages()

    net, found, _, _ = compiled("tutorial")
    found.averages()
    found.train(images, table, labels, order, [8] * 5, [0.01] * 5, None, kept)
    for a, b, e in zip(found.averages(), one_by_one, expected, strict=True):
        assert np.array_equal(a, b)
        np.testing.assert_allclose(a, e, rtol=1e-5, atol=1e-7)  # float32 sums of five terms
