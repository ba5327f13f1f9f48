"""Which networks and trainings no plan takes, and why; and that finding it out leaves no trace."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from plans import SAME, compiled, distance, images, network

import lenet
from lenet import nn
from lenet.autograd import random as _random
from lenet.autograd.table import TABLE
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.jit import plan
from lenet.nn import functional as F

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
    "subtracts": (lambda self, x: self.second(x - self.first(x)), "forward uses subtract, which is eager only"),
    "adds a constant": (lambda self, x: self.second(x + 1), "forward's add takes something that doesn't come from"),
    "adds a tensor of its own": (
        lambda self, x: self.second(x + lenet.ones([4, 6])),
        "forward's add takes something that doesn't come from the input",
    ),
    "broadcasts": (
        lambda self, x: self.second(x + self.first(x).reshape([0, 2, 3]).mean([1, 2], keepdim=True).reshape([0, 1])),
        "forward takes a mean over other axes than a map's",
    ),
    "joins samples": (
        lambda self, x: self.second(lenet.concat([x, x], axis=0))[:4],
        "forward joins tensors along another axis than the channels",
    ),
    "picks samples": (lambda self, x: self.second(x[:4]), "forward picks elements in a way that is eager only"),
    "pads rows": (lambda self, x: self.second(F.pad(x, [0, 1, 0, 0]))[:4], "forward pads something else than channels"),
    "dead dropout": (
        lambda self, x: (self.second(x), F.dropout(x))[0],
        "forward runs dropout, but its result doesn't depend on it",
    ),
    "nothing": (lambda self, x: x, "forward gives something that no operation has made of its input"),
    "its input too": (
        lambda self, x: (self.second(x), x),
        "forward gives something that no operation has made of its input",
    ),
    "a number": (lambda self, x: 3, "forward returns something else than tensors"),
    "nothing at all": (lambda self, x: [], "forward returns something else than tensors"),
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


@pytest.mark.parametrize(("odd", "reason"), REASONS.values(), ids=REASONS.keys())
def test_what_keeps_a_network_eager(odd: Callable[[Any, Tensor], Any], reason: str) -> None:
    np.random.standard_normal()  # of a pair, the second is kept: drawing it moves no other state
    net = Odd(odd)
    net.train("its result doesn't depend" in reason)
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
    monkeypatch.setitem(TABLE, "relu", TABLE["relu"]._replace(plan=lambda node, _: ("tanh", node.output_shape[1], 0.0)))
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
