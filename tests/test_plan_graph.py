"""Plans that are more than chains: maps with a loss a cell, several outputs, batch normalisation; beside eager calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from plans import NETWORKS, SAME, Ladder, Residual, chain_of, distance, images, network, same_gradients

import lenet
from lenet import nn
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.jit import plan
from lenet.nn import functional as F


def _marks(n: int, classes: int, *cells: int) -> np.ndarray:
    return np.random.RandomState(7).randint(0, classes, (n, *cells)).astype(np.int64)


def _compiled(net: nn.Layer, losses: Any, x: np.ndarray, rate: float = 0.1) -> plan.Compiled:
    found = plan.compile(net, losses, lenet.optimizer.SGD(rate, net.parameters()), [to_tensor(x[:2])])
    assert isinstance(found, plan.Compiled), found
    return found


def _twins(make: Any) -> tuple[nn.Layer, nn.Layer]:
    made = []
    for _ in range(2):
        lenet.seed(3)
        made.append(make())
    return made[0], made[1]


def _same(ours: nn.Layer, theirs: nn.Layer, tolerance: float = 2e-5) -> None:
    """All parameters alike, running statistics among them."""
    for (name, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        error = np.linalg.norm(a.numpy() - b.numpy())
        assert error <= tolerance * max(1.0, np.linalg.norm(b.numpy())), name


# ---- a loss a cell -----------------------------------------------------------------------------------------------------

WEIGHTS = np.array([0.5, 2.0, 1.0, 1.5], np.float32)
FORMS: dict[str, dict[str, Any]] = {
    "plain": {},
    "ignored": {"ignore_index": -1},
    "a class ignored": {"ignore_index": 2},
    "weights, ignored": {"ignore_index": 255, "weight": to_tensor(WEIGHTS)},
    "smoothing": {"label_smoothing": 0.1},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_a_loss_a_cell_is_that_of_the_eager_call(form: dict[str, Any]) -> None:
    ours, theirs = _twins(Ladder)
    x, y = images(40, 2, 6, 4), _marks(40, 4, 6, 4)
    if form.get("ignore_index") in (-1, 255):
        y[::3, 2:] = form["ignore_index"]
    found = _compiled(ours, nn.CrossEntropyLoss(axis=1, **form), x)
    optimizer = lenet.optimizer.SGD(0.1, theirs.parameters())
    rows = np.random.RandomState(2).randint(0, 40, 70).astype(np.int64)
    losses, outputs = found.train(x, None, y, rows, [33, 1, 36], [0.1] * 3)
    at = 0
    for loss, n in zip(losses, (33, 1, 36), strict=True):
        batch = rows[at : at + n]
        logits = theirs(to_tensor(x[batch]))
        value = F.cross_entropy(logits, to_tensor(y[batch]), axis=1, **form)
        assert loss == pytest.approx(value.item(), rel=1e-5)
        assert outputs.shape == (70, 4, 6, 4)
        assert distance(outputs[at : at + n], logits.numpy()) <= 1e-5
        value.backward()
        optimizer.step()
        optimizer.clear_grad()
        at += n
    _same(ours, theirs)


def test_cells_have_weights_of_their_own() -> None:
    ours, theirs = _twins(Ladder)
    x, y = images(20, 2, 6, 4), _marks(20, 4, 6, 4)
    y[5] = -1
    weights = np.random.RandomState(1).uniform(0, 3, y.shape).astype(np.float32)
    weights[2, 3] = 0
    found = _compiled(ours, nn.CrossEntropyLoss(axis=1, ignore_index=-1), x)
    losses, outputs = found.train(x, None, y, np.arange(20), [20], [0.1], cell_weights=weights, outputs=False)
    assert outputs is None
    each = F.cross_entropy(theirs(to_tensor(x)), to_tensor(y), axis=1, ignore_index=-1, reduction="none")
    counted = np.where(y == -1, 0, weights)
    value = (each * to_tensor(counted.reshape(each.shape))).sum() / float(counted.sum(dtype=np.float64))
    assert losses[0] == pytest.approx(value.item(), rel=1e-5)
    value.backward()
    lenet.optimizer.SGD(0.1, theirs.parameters()).step()
    _same(ours, theirs)


def test_labels_that_do_not_fit_a_map() -> None:
    net, x = Ladder(), images(4, 2, 6, 4)
    found = _compiled(net, nn.CrossEntropyLoss(axis=1), x)
    with pytest.raises(ValueError, match=r"labels of shape \[4\] for outputs \[N, 4, 6, 4\], expected a class a cell"):
        found.train(x, None, np.zeros(4, np.int64), np.arange(4), [4], [0.1])
    y = np.zeros((4, 6, 4), np.int64)
    y[2, 1, 1] = 4
    with pytest.raises(IndexError, match=r"label 4 \(sample 2\), expected 0 to 3"):
        found.train(x, None, y, np.arange(4), [4], [0.1])
    axis = plan.compile(net, nn.CrossEntropyLoss(), lenet.optimizer.SGD(0.1, net.parameters()), [to_tensor(x)])
    assert axis == "the loss is a form of CrossEntropyLoss that is eager only"


# ---- several outputs ---------------------------------------------------------------------------------------------------


def test_two_outputs_train_with_a_loss_each() -> None:
    ours, theirs = _twins(lambda: Ladder(2))
    x, marks = images(20, 2, 6, 4), [_marks(20, 4, 6, 4), _marks(20, 3, 6, 4)]
    found = _compiled(ours, [nn.CrossEntropyLoss(axis=1), nn.CrossEntropyLoss(axis=1, ignore_index=1)], x)
    losses, outputs = found.train(x, None, marks, np.arange(20), [20], [0.1])
    both = theirs(to_tensor(x))
    assert isinstance(outputs, tuple)
    for mine, eager in zip(outputs, both, strict=True):
        assert distance(mine, eager.numpy()) <= 1e-5
    value = F.cross_entropy(both[0], to_tensor(marks[0]), axis=1)
    value = value + F.cross_entropy(both[1], to_tensor(marks[1]), axis=1, ignore_index=1)
    assert losses[0] == pytest.approx(value.item(), rel=1e-5)
    value.backward()
    lenet.optimizer.SGD(0.1, theirs.parameters()).step()
    _same(ours, theirs)
    one = plan.compile(ours, nn.CrossEntropyLoss(axis=1), lenet.optimizer.SGD(0.1, ours.parameters()), [to_tensor(x)])
    assert one == "the network has 2 outputs and 1 losses"


def test_two_outputs_through_to_static_take_any_loss() -> None:
    ours, theirs = _twins(lambda: Ladder(2))
    lenet.jit.to_static(ours)
    x = images(18, 2, 6, 4)
    for net in (ours, theirs):
        first, second = net(to_tensor(x))
        ((first * first).mean() + (second * 2 - 1).abs().mean()).backward()
    assert ours.forward.plan_reason == ""
    grads = [[p.grad.numpy() for p in net.parameters() if not p.stop_gradient] for net in (ours, theirs)]
    same_gradients(*grads, 1e-5)
    _same(ours, theirs)  # the running statistics have moved once
    for net in (ours, theirs):
        net.eval()
    with lenet.no_grad():
        for mine, eager in zip(ours(to_tensor(x)), theirs(to_tensor(x)), strict=True):
            assert distance(mine.numpy(), eager.numpy()) <= 1e-5


class Twice(nn.Layer):
    """Gives one tensor under two names, one of them in another shape, and in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 6)

    def forward(self, x: Tensor) -> list[Tensor]:
        y = self.layer(x)
        return [y, y.reshape([0, 2, 3])]


def test_one_value_given_twice() -> None:
    net, x = Twice(), images(20, 4)
    chain = chain_of(net.eval(), x)
    first, second = chain.infer(x)
    assert np.array_equal(first.reshape(20, 2, 3), second)
    lenet.jit.to_static(net)
    first, second = net(to_tensor(x))
    (first.sum() + second.sum()).backward()
    assert np.allclose(net.layer.bias.grad.numpy(), 40)
    assert net.forward.plan_reason == ""


# ---- batch normalisation -----------------------------------------------------------------------------------------------

NORMALISED = [name for name in NETWORKS if "normalised" in name] + ["map", "around without parameters"]


@pytest.mark.parametrize("name", NORMALISED)
def test_running_statistics_follow_as_in_eager_calls(name: str) -> None:
    ours, theirs = network(name)[0], network(name)[0]
    lenet.jit.to_static(ours)
    x = images(37, *NETWORKS[name][0])
    for start in (0, 20):
        for net in (ours, theirs):
            net(to_tensor(x[start : start + 20]))
    assert ours.forward.plan_reason == ""
    _same(ours, theirs, 1e-6)


@pytest.mark.parametrize("name", NORMALISED)
def test_watching_leaves_running_statistics_where_they_were(name: str) -> None:
    net, shape = network(name)
    before = [p.numpy() for p in net.parameters()]
    assert isinstance(plan.trace(net, to_tensor(images(5, *shape))), plan.Chain)
    for p, was in zip(net.parameters(), before, strict=True):
        assert np.array_equal(p.numpy(), was)


@pytest.mark.parametrize("name", NORMALISED)
def test_gradients_beside_double_precision(name: str) -> None:
    """Half of them nearer to the exact gradient than eager float32 is, or as near within a factor."""
    net, shape = network(name)
    x = images(33, *shape)
    dy = np.random.RandomState(4).standard_normal(net(to_tensor(x)).shape)
    chain = chain_of(net, x[:3])
    y, forward_pass = chain.core.forward(to_tensor(x).lanes(), 33, True, lenet.autograd.random.generator().core)
    grads = [np.zeros(p.shape, np.float32) for p in chain.params]
    chain.core.backward(to_tensor(dy.astype(np.float32)).lanes(), to_tensor(x).lanes(), forward_pass, grads)
    named = {id(p): i for i, p in enumerate(chain.params)}
    order = [named[id(p)] for p in net.parameters()]
    net.astype("float64")
    net(to_tensor(x.astype(np.float64))).backward(to_tensor(dy))
    largest = max(float(np.linalg.norm(p.grad.numpy())) for p in net.parameters() if not p.stop_gradient)
    for p, i in zip(net.parameters(), order, strict=True):
        if not p.stop_gradient:  # a bias before a normalisation has no gradient but rounding
            assert np.linalg.norm(grads[i] - p.grad.numpy()) <= 3e-6 * largest, p.name


@pytest.mark.parametrize("name", [*NORMALISED, "residual"])
def test_the_same_bits_at_any_number_of_threads(name: str) -> None:
    results = []
    for threads in (1, 2, 3):
        lenet.set_num_threads(threads)
        try:
            net, shape = network(name)
            x = images(70, *shape)
            outputs = net(to_tensor(x[:1])).shape
            y = _marks(70, outputs[1], *outputs[2:])
            found = _compiled(net, nn.CrossEntropyLoss(axis=1), x)
            losses, _ = found.train(x, None, y, np.arange(70), [40, 8, 22], [0.1] * 3)
            results.append([losses, *(p.numpy() for p in net.parameters()), found.infer(x[:5]), found.infer(x)])
        finally:
            lenet.set_num_threads(0)
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            assert np.array_equal(a, b)


def test_a_nan_moves_no_running_statistics() -> None:
    net, shape = network("normalised")
    x, y = images(40, *shape), np.arange(40) % 3
    found = _compiled(net, nn.CrossEntropyLoss(), x)
    found.train(x, None, y, np.arange(20), [20], [0.1])
    before = [p.numpy() for p in net.parameters()]
    x[30, 0, 2, 2] = np.nan
    with pytest.raises(plan.TrainingTrouble, match="the loss is NaN"):
        found.train(x, None, y, np.arange(20, 40), [20], [0.1])
    for p, was in zip(net.parameters(), before, strict=True):
        assert np.array_equal(p.numpy(), was)


def test_averages_follow_running_statistics_too() -> None:
    net, shape = network("normalised")
    x, y = images(40, *shape), np.arange(40) % 3
    found = _compiled(net, nn.CrossEntropyLoss(), x)
    expected = [p.numpy().astype(np.float64) for p in found.chain.params]
    found.averages()
    for start in (0, 20):
        found.train(x, None, y, np.arange(start, start + 20), [20], [0.1], averaging=[0.8])
        expected = [0.8 * e + 0.2 * p.numpy() for e, p in zip(expected, found.chain.params, strict=True)]
    for average, want in zip(found.averages(), expected, strict=True):
        np.testing.assert_allclose(average, want, rtol=1e-5, atol=1e-6)


def test_a_frozen_normalisation_passes_gradients_on() -> None:
    nets = _twins(lambda: network("normalised")[0])
    for net in nets:
        for parameter in (net[1].weight, net[1].bias):
            parameter.stop_gradient = True
    lenet.jit.to_static(nets[0])
    x = images(20, 1, 8, 8)
    for net in nets:
        net(to_tensor(x)).sum(axis=1).abs().mean().backward()
    assert nets[0].forward.plan_reason == ""
    assert distance(nets[0][0].weight.grad.numpy(), nets[1][0].weight.grad.numpy()) <= 1e-5


def test_what_changes_a_normalisation_is_seen_by_answers() -> None:
    """Few images and many, before and after running statistics, weights and biases change: packed anew each time."""
    net = nn.Sequential(Residual(3, True))
    net.eval()
    x = images(20, 3, 6, 8)
    chain = chain_of(net, x[:2])
    for round_ in range(3):
        for p in net.parameters():
            p.set_value((np.abs(p.numpy()) + 0.1 * round_).astype(np.float32))
        eager = net(to_tensor(x)).numpy()
        assert distance(chain.infer(x), eager) <= SAME
        assert distance(chain.infer(x[:3]), eager[:3]) <= SAME


# ---- large maps --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(2, 300, 268), (2, 130, 1028)])
def test_a_page_in_strips(shape: tuple[int, ...]) -> None:
    """One large image, cut into strips that threads share: the eager answer, and the same bits at any number of threads."""
    net = Ladder()
    net.eval()
    page = images(1, *shape)
    eager = net(to_tensor(page)).numpy()
    chain = chain_of(net, page)
    answers = []
    for threads in (1, 2, 3):
        lenet.set_num_threads(threads)
        try:
            answers.append(chain.infer(page))
        finally:
            lenet.set_num_threads(0)
    assert distance(answers[0], eager) <= SAME
    assert all(np.array_equal(answers[0], answer) for answer in answers)


# ---- a batch of one group, cut by channels -----------------------------------------------------------------------------


def _heavy() -> nn.Layer:
    """Over two million products a sample, in convolutions of all the ways that there are, and odd numbers of channels."""
    return nn.Sequential(
        nn.Conv2D(3, 17, 3, padding=1),
        nn.ReLU(),
        nn.Conv2D(17, 18, 3, padding=1, bias_attr=False),
        nn.BatchNorm2D(18),
        nn.ReLU(),
        Residual(18, True),
        nn.Conv2D(5, 9, 5, stride=2, padding=2),
        nn.GELU(),
        nn.MaxPool2D(2, 2),
        nn.Conv2D(9, 1, 1),
        nn.Conv2D(1, 8, 3),
        nn.MaxPool2D(2, 2),
        nn.Flatten(),
        nn.Linear(8, 3),
    )


def test_a_batch_of_one_group_cut_in_two_is_the_eager_one() -> None:
    ours, theirs = _twins(_heavy)
    x, y = images(60, 3, 32, 32), _marks(60, 3)
    found = _compiled(ours, nn.CrossEntropyLoss(), x, 0.02)
    optimizer = lenet.optimizer.SGD(0.02, theirs.parameters())
    counts, at = [16, 33, 5, 6], 0  # groups of sixteen and of eight, cut in two or not: packed anew in between
    losses, _ = found.train(x, None, y, np.arange(60), counts, [0.02] * 4)
    for loss, n in zip(losses, counts, strict=True):
        value = F.cross_entropy(theirs(to_tensor(x[at : at + n])), to_tensor(y[at : at + n]))
        assert loss == pytest.approx(value.item(), rel=1e-4)
        value.backward()
        optimizer.step()
        optimizer.clear_grad()
        at += n
    _same(ours, theirs, 1e-3)  # four steps: a difference of rounding in one is a difference of weights in the next


def test_a_batch_of_one_group_has_the_eager_gradients() -> None:
    ours, theirs = _twins(_heavy)
    lenet.jit.to_static(ours)
    x = images(13, 3, 32, 32)
    for net in (ours, theirs):
        (net(to_tensor(x)) ** 2).mean().backward()
    assert ours.forward.plan_reason == ""
    largest = max(float(np.linalg.norm(p.grad.numpy())) for p in theirs.parameters() if not p.stop_gradient)
    for (name, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        if not b.stop_gradient:
            assert np.linalg.norm(a.grad.numpy() - b.grad.numpy()) <= 1e-5 * largest, name


def _lenet() -> nn.Layer:
    return nn.Sequential(
        nn.Conv2D(3, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2D(2, 2), nn.Conv2D(6, 16, 5), nn.MaxPool2D(2, 2),
        nn.Dropout(0.3), nn.Flatten(), nn.Linear(16 * 36, 20), nn.ReLU(), nn.Linear(20, 3),
    )  # fmt: skip


@pytest.mark.parametrize("make", [_heavy, _lenet])
@pytest.mark.parametrize("level", [name for name, usable, _ in lenet._core.levels() if usable and name != "reference"])
def test_few_samples_have_the_eager_gradients_at_every_level(make: Callable[[], nn.Layer], level: str) -> None:
    """One, two, three and five groups of eight, or of sixteen: which of them depends on the level and the processor."""
    before = lenet._core.level()
    lenet._core.select_level(level)
    try:
        ours, theirs = _twins(make)
        lenet.jit.to_static(ours)
        for n in (5, 12, 19, 38):
            x = images(n, 3, 32, 32, seed=n)
            outputs = []
            for net in (ours, theirs):
                net.clear_gradients()
                lenet.seed(n)
                outputs.append(net(to_tensor(x)))
                (outputs[-1] ** 2).mean().backward()
            assert ours.forward.plan_reason == ""
            assert distance(outputs[0].numpy(), outputs[1].numpy()) <= 1e-5
            grads = [[p.grad.numpy() for p in net.parameters() if not p.stop_gradient] for net in (ours, theirs)]
            largest = max(float(np.linalg.norm(grad)) for grad in grads[1])
            for a, b in zip(*grads, strict=True):
                assert np.linalg.norm(a - b) <= 1e-5 * largest
    finally:
        lenet._core.select_level(before)


def test_batches_of_few_groups_have_the_same_bits_at_any_number_of_threads() -> None:
    results = []
    for threads in (1, 2, 3):
        lenet.set_num_threads(threads)
        try:
            lenet.seed(5)
            net, x, y = _heavy(), images(48, 3, 32, 32), _marks(48, 3)
            found = _compiled(net, nn.CrossEntropyLoss(), x, 0.02)
            losses, _ = found.train(x, None, y, np.arange(48), [8, 24, 16], [0.02] * 3)
            results.append([losses, *(p.numpy() for p in net.parameters())])
        finally:
            lenet.set_num_threads(0)
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            assert np.array_equal(a, b)
