"""The rules that numpy runs, beside real Paddle, live: RMSProp, Adagrad, Adadelta, Adamax, NAdam and others, and every
rule on float64.

Also clips called by hand and ``nn.utils``. What the engine runs is in test_optimizers.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import lenet

RULES = [
    "RMSProp(0.01, {})",
    "RMSProp(0.01, rho=0.8, epsilon=1e-3, momentum=0.5, {})",
    "RMSProp(0.01, momentum=0.9, centered=True, {})",
    "Adagrad(0.1, {})",
    "Adagrad(0.1, epsilon=1e-3, initial_accumulator_value=0.2, {})",
    "Adadelta(0.5, {})",
    "Adadelta(0.5, epsilon=1e-3, rho=0.8, {})",
    "Adamax(0.01, {})",
    "Adamax(0.01, beta1=0.8, beta2=0.9, {})",
    "NAdam(0.01, {})",
    "NAdam(0.01, 0.8, 0.9, 1e-4, 0.1, {})",
    "RAdam(0.01, {})",
    "RAdam(0.01, 0.8, 0.7, {})",
    "Lamb(0.01, {})",
    "Lamb(0.01, 0.1, always_adapt=True, {})",
    "Rprop(0.01, {})",
    "Rprop(0.01, (0.005, 0.02), etas=(0.3, 1.5), {})",
    "SGD(0.1, {})",
    "Momentum(0.1, 0.8, use_nesterov=True, {})",
    "Momentum(0.1, 0.8, {})",
    "Adam(0.01, {})",
    "AdamW(0.01, {})",
]


def trained(p: Any, rule: str, dtype: str, **options: Any) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
    r = np.random.RandomState(3)
    net = p.nn.Linear(4, 3).to(dtype=dtype)
    for value in net.parameters():
        value.set_value(r.standard_normal(value.shape).astype(dtype))
    optimizer = eval(
        f"o.{rule.format('**options')}", {"o": p.optimizer, "options": {"parameters": net.parameters(), **options}}
    )
    for _ in range(6):
        loss = net(p.to_tensor(r.standard_normal((5, 4)).astype(dtype))).square().sum()
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
    state = {k.partition("_0_")[2]: v.numpy() for k, v in optimizer.state_dict().items() if hasattr(v, "numpy")}
    return [value.numpy() for value in net.parameters()], state


@pytest.mark.parametrize("decay", [None, 0.05])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rule", RULES)
def test_a_rule_takes_paddles_steps(paddle: ModuleType, rule: str, dtype: str, decay: float | None) -> None:
    if decay and rule.startswith(("Lamb", "Rprop")):
        return  # they have no such argument
    options = {} if decay is None else {"weight_decay": decay}
    (ours, our_state), (theirs, their_state) = (trained(p, rule, dtype, **options) for p in (lenet, paddle))
    # Paddle's learning rate is float32 in places, whatever the parameters are
    close = {"rtol": 2e-5, "atol": 1e-6} if dtype == "float32" else {"rtol": 1e-6, "atol": 1e-7}
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, **close)
    if dtype == "float32" and not rule.startswith(("NAdam", "RAdam")):  # which keep other numbers of the same meaning
        assert our_state.keys() == their_state.keys()
        for name, value in our_state.items():
            np.testing.assert_allclose(value, their_state[name], rtol=2e-5, atol=1e-5, err_msg=name)


CLIPS = ["ClipGradByNorm(0.5)", "ClipGradByGlobalNorm(0.5)", "ClipGradByValue(0.3)"]


@pytest.mark.parametrize("clip", CLIPS)
def test_a_clip_can_be_called(paddle: ModuleType, clip: str) -> None:
    found = []
    for p in (lenet, paddle):
        net = p.nn.Linear(4, 3, bias_attr=p.ParamAttr(need_clip=False))
        r = np.random.RandomState(0)
        pairs = [(v, p.to_tensor(r.standard_normal(v.shape).astype("float32"))) for v in net.parameters()]
        done = eval(f"nn.{clip}", {"nn": p.nn})([*pairs, (net.weight, None)])
        found.append([g.numpy() for _, g in done if g is not None])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def with_gradients(p: Any) -> Any:
    r = np.random.RandomState(1)
    net = p.nn.Linear(4, 3)
    for value in net.parameters():
        value.set_value(r.standard_normal(value.shape).astype("float32"))
    net(p.to_tensor(r.standard_normal((5, 4)).astype("float32"))).square().sum().backward()
    return net


@pytest.mark.parametrize("kind", [2.0, 1.0, float("inf")])
@pytest.mark.parametrize("most", [0.5, 1e6])
def test_clip_grad_norm(paddle: ModuleType, kind: float, most: float) -> None:
    found = []
    for p in (lenet, paddle):
        net = with_gradients(p)
        total = p.nn.utils.clip_grad_norm_(net.parameters(), most, kind)
        found.append([total.numpy(), *(v.grad.numpy() for v in net.parameters())])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)  # the gradients' own last bits


def test_clip_grad_value_and_vectors(paddle: ModuleType) -> None:
    found = []
    for p in (lenet, paddle):
        net = with_gradients(p)
        p.nn.utils.clip_grad_value_(net.parameters(), 0.4)
        vector = p.nn.utils.parameters_to_vector(net.parameters())
        p.nn.utils.vector_to_parameters(vector * 2, net.parameters())
        found.append([vector.numpy(), net.weight.numpy(), *(v.grad.numpy() for v in net.parameters())])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)  # the gradients' own last bits
    net = lenet.nn.Linear(2, 1)
    with pytest.raises(ValueError, match="vector_to_parameters: got 2 numbers, expected 3"):
        lenet.nn.utils.vector_to_parameters(lenet.ones([2]), net.parameters())
    with pytest.raises(ValueError, match=r"clip_grad_value_\(clip_value\): got -1"):
        lenet.nn.utils.clip_grad_value_(net.parameters(), -1)
    with pytest.raises(TypeError, match=r"clip_grad_norm_: got .* expected Tensors"):
        lenet.nn.utils.clip_grad_norm_([3], 1)


@pytest.mark.parametrize("rule", ["SGD(0.1, {})", "Momentum(0.1, 0.8, {})", "Adam(0.1, {})", "Rprop(0.1, {})"])
def test_a_plain_tensor_is_trained_in_place(paddle: ModuleType, rule: str) -> None:
    found = []
    for p in (lenet, paddle):
        w = p.to_tensor([[1.0, 2.0], [3.0, 4.0]], stop_gradient=False)
        b = p.zeros([2])
        b.stop_gradient = False
        options = {"parameters": [w, b], "grad_clip": p.nn.ClipGradByGlobalNorm(1.0)}
        optimizer = eval(f"o.{rule.format('**options')}", {"o": p.optimizer, "options": options})
        for step in range(3):
            (p.matmul(p.ones([3, 2]), w) + b).square().sum().backward()
            optimizer.step()
            optimizer.clear_grad()
            if step == 1:
                w.set_value(np.array([[0.5, 1.0], [1.5, 2.0]], "float32"))
        assert w.grad.tolist() == [[0, 0], [0, 0]]
        found.append([w.numpy(), b.numpy()])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    w = lenet.to_tensor([1.0], stop_gradient=False)
    with pytest.raises(TypeError, match="got the result of an operation, expected Parameters, or tensors"):
        lenet.optimizer.SGD(0.1, parameters=[w * 2])
    with pytest.raises(ValueError, match="twice"):
        lenet.optimizer.SGD(0.1, parameters=[w, w])


def test_state_of_the_numpy_rules_resumes() -> None:
    for kind in ("NAdam", "RAdam", "Lamb", "Rprop"):
        ends = []
        for parts in ([5], [2, 3]):
            w = lenet.nn.Parameter(lenet.to_tensor([1.0, -2.0, 3.0]))
            state: Any = None
            for steps in parts:
                optimizer = getattr(lenet.optimizer, kind)(0.05, parameters=[w])
                if state is not None:
                    optimizer.set_state_dict(state)
                for _ in range(steps):
                    (w * w).sum().backward()
                    optimizer.step()
                    optimizer.clear_grad()
                state = optimizer.state_dict()
            ends.append(w.numpy())
        np.testing.assert_allclose(*ends, rtol=1e-6, err_msg=kind)
