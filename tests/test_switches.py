"""The names around a program: static mode, readers, devices, gradient hooks, ``grad``; beside real Paddle for numbers."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import lenet
from lenet.static import InputSpec


def test_static_mode_is_not_there_and_says_so() -> None:
    lenet.disable_static()
    assert lenet.in_dynamic_mode()
    with pytest.warns(UserWarning, match=r"enable_static\(\): got a call for static programs.*jit.to_static\(net\)"):
        lenet.enable_static()
    assert not lenet.in_dynamic_mode()
    with pytest.raises(NotImplementedError, match=r"static.data: got a static program's part.*jit.to_static\(net\)"):
        lenet.static.data("x", [None, 3])
    assert not hasattr(lenet.static, "Executor")
    assert not hasattr(lenet.static, "nonsense")
    lenet.disable_static()
    assert lenet.in_dynamic_mode()


@pytest.mark.filterwarnings("ignore")
def test_switching_the_mode_frees_the_names(paddle: ModuleType) -> None:
    for p in (lenet, paddle):
        for _ in range(2):
            p.nn.Linear(2, 2, weight_attr=p.ParamAttr(name="a_name_twice"))
            p.enable_static()
            p.disable_static()
        p.nn.Linear(2, 2, weight_attr=p.ParamAttr(name="a_name_twice"))
        with pytest.raises(ValueError, match="a_name_twice"):
            p.nn.Linear(2, 2, weight_attr=p.ParamAttr(name="a_name_twice"))


def test_other_switches() -> None:
    lenet.disable_signal_handler()
    assert lenet.device.cuda.device_count() == 0
    assert lenet.framework.ParamAttr is lenet.ParamAttr


def test_an_input_spec(paddle: ModuleType) -> None:
    for p in (lenet, paddle):
        spec = p.static.InputSpec([None, 1, 28, 28], "float32", "image")
        assert tuple(spec.shape) == (-1, 1, 28, 28)
        assert str(spec.dtype) == "paddle.float32"
        assert tuple(p.static.InputSpec.from_tensor(p.ones([2, 3])).shape) == (2, 3)
    assert repr(spec).split("(")[0] == repr(InputSpec([1])).split("(")[0]
    model = lenet.Model(lenet.LeNet(), inputs=InputSpec([None, 1, 28, 28]), labels=InputSpec([None, 1], "int64"))
    assert model.predict_batch(np.zeros((2, 1, 28, 28), np.float32))[0].shape == (2, 10)
    assert InputSpec([3]).batch(8).shape == (8, 3)
    assert InputSpec([8, 3]).unbatch().shape == (3,)


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: InputSpec(3), TypeError, r"InputSpec\(shape\): got int 3, expected a list such as"),
        (lambda: InputSpec([-2]), ValueError, r"InputSpec\(shape\): got int -2"),
        (lambda: InputSpec([]).unbatch(), ValueError, "a shape without axes"),
        (lambda: lenet.batch([1], 2), TypeError, r"batch\(reader\): got list \[1\], expected a function"),
        (lambda: lenet.grad(lenet.ones([1]), [3]), TypeError, r"grad\(inputs\)"),
        (lambda: lenet.ones([1]).register_hook(print), RuntimeError, "stop_gradient=True, which gets no gradient"),
    ],
)
def test_a_mistake_is_named(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        call()


def test_readers(paddle: ModuleType) -> None:
    import random

    def numbers() -> Any:
        yield from range(7)

    for drop in (False, True):
        ours, theirs = (list(p.batch(numbers, 3, drop)()) for p in (lenet, paddle))
        assert ours == theirs
    found = []
    for p in (lenet, paddle):
        random.seed(3)
        found.append(list(p.reader.shuffle(numbers, 4)()))
    assert found[0] == found[1]


HOOKS = {
    "a leaf": "x.register_hook(lambda g: g * 2)",
    "twice": "x.register_hook(lambda g: g * 2); x.register_hook(lambda g: g + 1)",
    "inside": "y.register_hook(lambda g: g * 3)",
    "looking": "y.register_hook(lambda g: seen.append(g.numpy()))",
    "removed": "x.register_hook(lambda g: g * 2).remove()",
    "retained": "y.retain_grads()",
    "retained before a hook": "y.retain_grads(); y.register_hook(lambda g: g * 3)",
    "on the result": "z.register_hook(lambda g: g * 5)",
}


@pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)
def test_gradient_hooks(paddle: ModuleType, hook: str) -> None:
    found = []
    for p in (lenet, paddle):
        seen: list[Any] = []
        x = p.to_tensor([1.0, 2.0, 3.0], stop_gradient=False)
        y = x * x
        z = (y * x + y).sum()
        for line in hook.split("; "):
            exec(line, {"x": x, "y": y, "z": z, "seen": seen})
        z.backward()
        found.append([x.grad.numpy(), *seen, *([] if y.grad is None else [y.grad.numpy()])])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_a_parameter_with_a_hook_trains_eagerly() -> None:
    net = lenet.nn.Sequential(lenet.nn.Flatten(), lenet.nn.Linear(4, 2))
    told: list[int] = []
    net[1].weight.register_hook(lambda g: told.append(1))
    model = lenet.Model(net)
    model.prepare(lenet.optimizer.SGD(0.1, parameters=net.parameters()), lenet.nn.CrossEntropyLoss())
    data = lenet.io.TensorDataset([np.ones((6, 1, 2, 2), np.float32), np.zeros((6, 1), np.int64)])
    model.fit(data, batch_size=2, epochs=1, verbose=0)
    assert len(told) == 3


def test_grad(paddle: ModuleType) -> None:
    found = []
    for p in (lenet, paddle):
        x = p.to_tensor([1.0, 2.0], stop_gradient=False)
        y = x * x
        z = y * x
        inner = p.grad([z], [x, y], retain_graph=True)
        seeded = p.grad(z, x, grad_outputs=p.to_tensor([3.0, -1.0]))
        found.append([*(g.numpy() for g in inner), seeded[0].numpy()])
        assert x.grad is None
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    x, other = lenet.to_tensor([1.0], stop_gradient=False), lenet.to_tensor([1.0], stop_gradient=False)
    assert lenet.grad(x * 2, [other], allow_unused=True) == [None]
    with pytest.raises(ValueError, match="allow_unused=True"):
        lenet.grad(x * 2, other)
    with pytest.raises(NotImplementedError, match="first derivatives alone"):
        lenet.grad(x * 2, x, create_graph=True)
