"""``to_static``: the user's own loop, with the network's forward and backward as a plan. The same results as eager."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lenet
from lenet import nn
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.jit import plan
from lenet.nn import functional as F

SAME = 5e-6  # the same kernels; sums over the batch are cut elsewhere


def images(n: int, seed: int = 0) -> Tensor:
    return to_tensor(np.random.RandomState(seed).standard_normal((n, 1, 12, 12)).astype(np.float32))


def labels(n: int) -> Tensor:
    return to_tensor(np.arange(n) % 4)


def network(dropout: float = 0.0, seed: int = 0) -> Any:
    lenet.seed(seed)
    layers = [nn.Conv2D(1, 5, 3, padding=1), nn.ReLU(), nn.MaxPool2D(2, 2), nn.Conv2D(5, 7, 3), nn.Tanh(), nn.Flatten()]
    return nn.Sequential(*layers, *([nn.Dropout(dropout)] if dropout else []), nn.Linear(112, 4))


def static(**options: Any) -> Any:
    return lenet.jit.to_static(network(**options))


def close(ours: Any, theirs: Any, tolerance: float = SAME) -> bool:
    a, b = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    return a.shape == b.shape and bool(np.linalg.norm((a - b).ravel()) <= tolerance * np.linalg.norm(b.ravel()))


def gradients(net: Any) -> list[np.ndarray]:
    return [p.grad.numpy() for p in net.parameters()]


def assert_same_gradients(ours: Any, theirs: Any) -> None:
    for a, b in zip(gradients(ours), gradients(theirs), strict=True):
        assert close(a, b)


# ---- the same results --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 3, 17, 65])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_forward_and_backward(n: int, training: bool, dropout: float) -> None:
    nets = network(dropout), static(dropout=dropout)
    outputs = []
    for net in nets:
        net.train() if training else net.eval()
        lenet.seed(3)
        y = net(images(n))
        F.cross_entropy(y, labels(n)).backward()
        outputs.append(y)
    assert nets[1].forward.plan_reason == ""
    assert outputs[1]._node.row.name == "plan"
    assert close(outputs[1], outputs[0])
    assert_same_gradients(nets[1], nets[0])


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_without_gradients(dropout: float) -> None:
    eager, net = network(dropout), static(dropout=dropout)
    for training in (True, False):
        eager.train() if training else eager.eval()
        net.train() if training else net.eval()
        results = []
        for one in (eager, net):
            lenet.seed(3)
            with lenet.no_grad():
                results.append([one(images(n)).numpy() for n in (1, 5, 9, 40)])
        for ours, theirs in zip(results[1], results[0], strict=True):
            assert close(ours, theirs)


def test_training() -> None:
    losses = []
    for net in (network(0.2), static(dropout=0.2)):
        lenet.seed(5)
        adam = lenet.optimizer.Adam(0.01, parameters=net.parameters())
        for step in range(4):
            loss = F.cross_entropy(net(images(33, step)), labels(33))
            loss.backward()
            adam.step()
            adam.clear_grad()
            losses.append(loss.item())
    np.testing.assert_allclose(losses[4:], losses[:4], rtol=1e-4, atol=0)  # four free steps of Adam


# ---- one plan, several graphs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_forwards_before_their_backwards(dropout: float, order: tuple[int, ...]) -> None:
    """The plan keeps one pass' activations: an earlier pass is repeated, with the masks it had."""
    nets = network(dropout), static(dropout=dropout)
    streams = []
    for net in nets:
        lenet.seed(7)
        losses = [F.cross_entropy(net(images(n, n)), labels(n)) for n in (5, 33, 18)]
        for i in order:
            losses[i].backward()
        streams.append(lenet.autograd.random.generator().get_state())
    assert_same_gradients(nets[1], nets[0])
    assert streams[0] == streams[1]


def test_a_forward_in_between_that_nobody_asks_a_gradient_of() -> None:
    nets = network(), static()
    for net in nets:
        loss = F.cross_entropy(net(images(20)), labels(20))
        with lenet.no_grad():
            net(images(9, 4))
            net(images(3, 4))
        net(images(50, 2))
        loss.backward()
    assert_same_gradients(nets[1], nets[0])


def test_one_loss_of_two_batches_of_different_sizes() -> None:
    nets = network(), static()
    for net in nets:
        (F.cross_entropy(net(images(20)), labels(20)) + F.cross_entropy(net(images(3, 1)), labels(3)) * 2).backward()
    assert_same_gradients(nets[1], nets[0])


def test_backward_twice() -> None:
    nets = network(), static()
    for net in nets:
        loss = F.cross_entropy(net(images(20)), labels(20))
        loss.backward(retain_graph=True)
        loss.backward()
        with pytest.raises(RuntimeError, match="retain_graph=True"):
            loss.backward()
    assert_same_gradients(nets[1], nets[0])


def test_two_static_networks_in_one_graph() -> None:
    results = []
    for make in (network, static):
        nets = make(seed=1), make(seed=2)
        y = nets[0](images(20)) * 2 + nets[1](images(20, 3))
        y.sum().backward()
        results.append(nets)
    for ours, theirs in zip(results[1], results[0], strict=True):
        assert_same_gradients(ours, theirs)


def test_both_modes_in_turn() -> None:
    nets = network(0.5), static(dropout=0.5)
    outputs: list[list[np.ndarray]] = [[], []]
    for net, out in zip(nets, outputs, strict=True):
        lenet.seed(1)
        for training in (True, False, True, False):
            net.train() if training else net.eval()
            out.append(net(images(17)).numpy())
    for ours, theirs in zip(outputs[1], outputs[0], strict=True):
        assert close(ours, theirs)


def test_another_image_size() -> None:
    net = static()
    net(images(3))
    with pytest.raises(ValueError, match=r"expected 112"):
        net(to_tensor(np.zeros((3, 1, 16, 16), np.float32)))
    assert close(net(images(3)), network()(images(3)))


def test_new_weights_are_used_at_once() -> None:
    nets = network(), static()
    outputs = []
    for net in nets:
        net(images(9))
        for p in net.parameters():
            p.set_value(p.numpy() * 2)
        with lenet.no_grad():
            outputs.append([net(images(n)).numpy() for n in (1, 9, 30)])
    for ours, theirs in zip(outputs[1], outputs[0], strict=True):
        assert close(ours, theirs)


def test_a_frozen_parameter_gets_no_gradient() -> None:
    net = static()
    net(images(3))
    net[0].weight.stop_gradient = True
    F.cross_entropy(net(images(20)), labels(20)).backward()
    assert net[0].weight.grad is None
    other = network()
    F.cross_entropy(other(images(20)), labels(20)).backward()
    assert close(net[0].bias.grad, other[0].bias.grad)


def test_when_all_is_frozen_nothing_is_recorded() -> None:
    net = static()
    for p in net.parameters():
        p.stop_gradient = True
    assert net(images(3)).stop_gradient


# ---- where it goes on eagerly ------------------------------------------------------------------------------------------


class Doubling(nn.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.linear, self.calls = nn.Linear(144, 4), 0

    def forward(self, x: Tensor, scale: float = 1.0) -> Tensor:
        self.calls += 1
        return self.linear(x.flatten(1)) * scale


def test_a_network_that_is_no_chain_runs_eagerly_and_says_why() -> None:
    net = lenet.jit.to_static(Doubling())
    y = net(images(3))
    assert net.forward.plan_reason == "forward assigns to the network"
    y.sum().backward()
    assert net.linear.weight.grad is not None
    before = net.calls
    net(images(3))
    assert net.calls == before + 1  # it isn't watched again and again


def test_a_call_of_another_form_runs_eagerly() -> None:
    net = lenet.jit.to_static(Doubling())
    x = images(3)
    assert close(net(x, scale=2.0), net(x, 1.0).numpy() * 2)


def test_an_input_that_wants_a_gradient_gets_it() -> None:
    nets = network(), static()
    found = []
    for net in nets:
        x = images(5)
        x.stop_gradient = False
        net(x).sum().backward()
        found.append(x.grad)
    assert close(found[1], found[0])


@pytest.mark.parametrize("changed", ["hook", "layer"])
def test_a_changed_network_is_looked_at_again(changed: str) -> None:
    net = static()
    before = net(images(3)).numpy()
    if changed == "hook":
        seen: list[int] = []
        handle = net[1].register_forward_post_hook(lambda layer, inputs, output: seen.append(1))
        assert close(net(images(3)), before)
        assert seen
        assert net.forward.plan_reason == "a layer has hooks"
        handle.remove()
        assert close(net(images(3)), before)
        assert net.forward.plan_reason == ""
        assert net(images(3))._node.row.name == "plan"
    else:
        net[1] = nn.Sigmoid()
        eager = network()
        eager[1] = nn.Sigmoid()
        assert close(net(images(3)), eager(images(3)))


def test_hooks_of_the_network_itself_run_around_the_plan() -> None:
    net, seen = static(), []
    net(images(3))
    net.register_forward_post_hook(lambda layer, inputs, output: seen.append(output.shape[0]))
    net(images(3))
    assert seen
    assert seen[-1] == 3


# ---- the function itself -----------------------------------------------------------------------------------------------


def test_what_it_returns() -> None:
    net = network()
    assert lenet.jit.to_static(net) is net
    forward = net.forward
    assert lenet.jit.to_static(net) is net
    assert net.forward is forward  # not wrapped twice

    def function(x: Tensor) -> Tensor:
        return x

    assert lenet.jit.to_static(function) is function
    assert lenet.jit.to_static(input_spec=None)(function) is function
    with pytest.raises(TypeError, match=r"to_static\(\): got int 3, expected a Layer"):
        lenet.jit.to_static(3)


def test_as_a_decorator_of_forward() -> None:
    class Net(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(4, 2)

        @lenet.jit.to_static
        def forward(self, x: Tensor) -> Tensor:
            return self.linear(x)

    assert Net()(to_tensor(np.zeros((3, 4), np.float32))).shape == [3, 2]


def test_a_static_network_keeps_its_names_and_state() -> None:
    eager, net = network(), static()
    net(images(3))
    assert [n for n, _ in net.named_parameters()] == [n for n, _ in eager.named_parameters()]
    assert list(net.state_dict()) == list(eager.state_dict())
    assert repr(net) == repr(eager)


def test_a_deep_copy_is_static_too_and_independent() -> None:
    net = static()
    before = net(images(3)).numpy()
    twin = copy.deepcopy(net)
    assert twin.forward.network is twin
    for p in twin.parameters():
        p.set_value(p.numpy() * 0)
    assert not twin(images(3)).numpy().any()
    assert twin(images(3))._node.row.name == "plan"
    assert close(net(images(3)), before)


@pytest.mark.parametrize("make", [network, static])
def test_a_plan_can_be_compiled_of_either(make: Callable[[], Any]) -> None:
    net = make()
    found = plan.compile(net, nn.CrossEntropyLoss(), lenet.optimizer.SGD(0.1, net.parameters()), [images(3)])
    assert isinstance(found, plan.Compiled), found
