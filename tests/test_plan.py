"""Plans beside the eager network: the same outputs, gradients and training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from plans import NETWORKS, SAME, chain_of, compiled, distance, images, network, same_gradients

import lenet
from lenet import _core, nn
from lenet.autograd import random as _random
from lenet.autograd import tape
from lenet.autograd.table import TABLE
from lenet.autograd.tensor import to_tensor
from lenet.jit import plan
from lenet.nn import functional as F


def test_every_row_that_a_plan_can_run_is_run_here() -> None:
    seen = set()
    for name in NETWORKS:
        net, shape = network(name)
        with tape.Trace() as trace:
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
    x = images(6, *shape)
    chain = chain_of(net.eval(), x[:2])
    alone = np.concatenate([chain.infer(x[i : i + 1]) for i in range(6)])
    for threads in (1, 2):
        lenet.set_num_threads(threads)
        try:
            assert np.array_equal(chain.infer(x), alone)
        finally:
            lenet.set_num_threads(0)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("n", [1, 17, 32, 65])  # of groups: 1 of 8; 3 of 8 (v4: on some CPUs); 2 and 5 of 16
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
    entered = to_tensor(x).lanes()
    y, forward_pass = chain.core.forward(entered, n, training, _random.generator().core)
    assert _random.generator().get_state() == after  # dropout has drawn the same numbers
    out = np.empty(logits.shape, np.float32)
    lenet._core.from_lanes(y, n, out)
    assert distance(out, logits.numpy()) <= SAME
    grads = [np.empty(p.shape, np.float32) for p in chain.params]
    chain.core.backward(to_tensor(dy).lanes(), entered, forward_pass, grads)
    trained = [(grad, p.grad.numpy()) for p, grad in zip(chain.params, grads, strict=True) if not p.stop_gradient]
    same_gradients(*map(list, zip(*trained, strict=True)) if trained else ([], []), 5e-6)  # sums cut elsewhere


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
@pytest.mark.parametrize("name", ["fused pools", "dropout", "dense", "normalised"])
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


@pytest.mark.parametrize("level", [name for name, usable, _ in _core.levels() if usable])
@pytest.mark.parametrize("name", ["tutorial", "three convolutions"])
def test_what_is_not_finite_is_found_behind_a_pool(name: str, level: str) -> None:
    """Behind a 2x2 maximum gradients meet x only where it won (core/winner.h). A NaN always wins, so the loss is NaN; where
    the sample doesn't count for the loss, the gradient is. An infinite pixel makes a NaN or an infinity that wins too."""
    before = _core.level()
    assert _core.select_level(level) is None
    try:
        for bad, where, ignored, what in (
            (np.nan, (3, 0, 0, 0), False, "loss"),
            (np.nan, (3, 0, 13, 14), False, "loss"),
            (np.nan, (39, 0, 27, 27), True, "gradient"),
            (np.inf, (3, 0, 13, 14), False, "loss"),
        ):
            net, found, x, y = compiled(name, ignore_index=3)
            y = np.where(y == 3, 0, y)
            weights = [p.numpy() for p in net.parameters()]
            x[where] = bad
            if ignored:
                y[where[0]] = 3
            with pytest.raises(plan.TrainingTrouble) as caught:
                found.train(x, None, y, np.arange(40), [40], [0.1])
            assert caught.value.what == what
            for ours, wanted in zip(net.parameters(), weights, strict=True):
                assert np.array_equal(ours.numpy(), wanted)
    finally:
        _core.select_level(before)


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


def test_the_core_refuses_rows_that_do_not_fit() -> None:
    w = [np.zeros((4, 3), np.float32)]
    grads = [np.zeros((4, 3), np.float32)]
    for rows, text in (
        ([], "needs a row"),
        ([("linear", [0], 4, 3, 0, -1), ("relu", [1], 4, 0.0)], "disagree about their size"),
        ([("linear", [0], 3, 3, 0, -1)], "disagree about their size"),
        ([("relu", [0], 4, 0.0), ("linear", [1], 4, 2, 0, -1)], "another size"),
        ([("linear", [0], 4, 3, 5, -1)], "another size"),
        ([("swish", [0], 4)], "no row named swish"),
        ([("relu", [1], 4, 0.0)], "values that aren't there"),
        ([("relu", [0, 0], 4, 0.0)], "values that aren't there, or too many"),
        ([("add", [0], 4)], "values that aren't there, or too many"),
        ([("join", [0, 0], [0, 2], 8)], "disagree about their size"),
        ([("join", [0, 0], [0, 5], 8)], "disagree about their size"),
        ([("batch_norm", [0], 2, 2, -1, -1, 0, 0, 1e-5, 0.9, True)], "another size"),
        ([("relu", [0], 4, 0.0)], "a plan's outputs"),
    ):
        with pytest.raises(ValueError, match=text):
            _core.Plan(4, rows, [(1, 3, 1)], w, [True], grads)


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
