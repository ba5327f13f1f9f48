"""Networks as living layers of real Paddle, layers of Paddle as networks, and their files both ways."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import lenet
from lenet import export, nn
from lenet.export.graph import answers
from lenet.vision import models

IMAGES = np.random.RandomState(1).standard_normal((8, 1, 28, 28)).astype(np.float32)


def answer(paddle: ModuleType, layer: Any, x: Any = IMAGES) -> Any:
    with paddle.no_grad():
        return layer(paddle.to_tensor(x)).numpy()


def theirs_of(paddle: ModuleType) -> Any:
    """A network as somebody writes it in Paddle: sizes by shape, slices, numbers, a tensor of its own."""
    F = paddle.nn.functional

    class Net(paddle.nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.conv = paddle.nn.Conv2D(1, 8, 3, padding="same")
            self.norm = paddle.nn.BatchNorm2D(8)
            self.pool = paddle.nn.AdaptiveAvgPool2D(7)
            self.drop = paddle.nn.Dropout(0.3)
            self.fc = paddle.nn.Linear(4 * 49, 10)
            self.shift = paddle.to_tensor([0.5])

        def forward(self, x: Any) -> Any:
            x = F.relu(self.norm(self.conv(x))) * 2 - self.shift
            a, b = paddle.split(self.pool(x), 2, axis=1)
            x = paddle.concat([a[:, :2], F.gelu(b)[:, ::2]], axis=1)
            return F.log_softmax(self.fc(self.drop(x.reshape([x.shape[0], -1]))))

    return Net()


def test_a_layer_of_ones_own_comes_here(paddle: ModuleType) -> None:
    paddle.seed(0)
    theirs = theirs_of(paddle)
    ours = lenet.from_paddle(theirs)
    assert theirs.training
    assert not ours.training
    theirs.eval()
    np.testing.assert_allclose(answers(ours, IMAGES), answer(paddle, theirs), atol=1e-5)
    state = ours.state_dict()
    assert {name: t.numpy().tobytes() for name, t in state.items() if name != "shift"} == {
        name: t.numpy().tobytes() for name, t in theirs.state_dict().items()
    }


def test_state_dicts_and_files_go_both_ways(paddle: ModuleType, tmp_path: Path) -> None:
    ours = models.resnet20(10, 1).eval()
    layer = export.paddle(ours)
    lenet.save(ours.state_dict(), tmp_path / "ours.pdparams")
    other = export.paddle(models.resnet20(10, 1).eval())
    missing, unexpected = other.set_state_dict(paddle.load(str(tmp_path / "ours.pdparams")))
    assert (missing, unexpected) == ([], [])
    np.testing.assert_array_equal(answer(paddle, other), answer(paddle, layer))
    paddle.save(layer.state_dict(), str(tmp_path / "theirs.pdparams"))
    third = models.resnet20(10, 1).eval()
    third.set_state_dict(lenet.load(tmp_path / "theirs.pdparams"))
    np.testing.assert_array_equal(answers(third, IMAGES), answers(ours, IMAGES))


def test_an_optimizers_state_goes_both_ways(paddle: ModuleType, tmp_path: Path) -> None:
    """Two steps here and one there are three steps there: with what Momentum keeps out of the file."""
    y = np.arange(8) % 10

    def step_here(network: nn.Layer, optimizer: Any) -> None:
        nn.functional.cross_entropy(network(lenet.to_tensor(IMAGES)), lenet.to_tensor(y)).backward()
        optimizer.step()
        optimizer.clear_grad()

    def step_there(layer: Any, optimizer: Any) -> None:
        paddle.nn.functional.cross_entropy(layer(paddle.to_tensor(IMAGES)), paddle.to_tensor(y)).backward()
        optimizer.step()
        optimizer.clear_grad()

    ours = lenet.LeNet()
    optimizer = lenet.optimizer.Momentum(0.01, parameters=ours.parameters())
    for _ in range(2):
        step_here(ours, optimizer)
    layer = export.paddle(ours)
    theirs = paddle.optimizer.Momentum(0.01, parameters=layer.parameters())
    for mine, its in zip(
        ours.parameters(), (layer.state_dict()[name] for name, _ in ours.named_parameters()), strict=True
    ):
        its.name = mine.name
    lenet.save(optimizer.state_dict(), tmp_path / "ours.pdopt")
    theirs.set_state_dict(paddle.load(str(tmp_path / "ours.pdopt")))
    step_here(ours, optimizer)
    step_there(layer, theirs)
    for name, tensor in ours.state_dict().items():
        np.testing.assert_allclose(layer.state_dict()[name].numpy(), tensor.numpy(), atol=1e-6)
    paddle.save(theirs.state_dict(), str(tmp_path / "theirs.pdopt"))
    again = lenet.LeNet()
    again.set_state_dict({name: t.numpy() for name, t in layer.state_dict().items()})
    for mine, its in zip(ours.parameters(), again.parameters(), strict=True):
        its.name = mine.name
    other = lenet.optimizer.Momentum(0.01, parameters=again.parameters())
    other.set_state_dict(lenet.load(tmp_path / "theirs.pdopt"))
    step_there(layer, theirs)
    step_here(again, other)
    for name, tensor in again.state_dict().items():
        np.testing.assert_allclose(layer.state_dict()[name].numpy(), tensor.numpy(), atol=1e-6)


@pytest.mark.filterwarnings("ignore:When training, we now always track global mean")  # Paddle's, of its normalisation
def test_a_layer_lives_on(paddle: ModuleType) -> None:
    ours = nn.Sequential(
        nn.Conv2D(1, 4, 3), nn.BatchNorm2D(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2), nn.Linear(4 * 676, 10)
    )
    ours[0].weight.stop_gradient = True
    layer = export.paddle(ours)
    assert isinstance(layer.state_dict()["0.weight"], type(paddle.nn.Conv2D(1, 1, 1).weight))
    assert [name for name, t in layer.state_dict().items() if t.stop_gradient] == ["0.weight", "1._mean", "1._variance"]
    before = layer.state_dict()["1._mean"].numpy().copy()
    layer.train()
    optimizer = paddle.optimizer.Adam(0.01, parameters=layer.parameters())
    losses = []
    for _ in range(10):
        loss = paddle.nn.functional.cross_entropy(layer(paddle.to_tensor(IMAGES)), paddle.arange(8))
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        losses.append(float(loss))
    assert losses[-1] < losses[0]
    assert not np.array_equal(layer.state_dict()["1._mean"].numpy(), before)


def test_what_can_not_come_is_named_with_its_place(paddle: ModuleType) -> None:
    class Sorts(paddle.nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.fc = paddle.nn.Linear(784, 10)

        def forward(self, x: Any) -> Any:
            return self.fc(paddle.sort(x.flatten(1)))

    for layer, error, text in (
        (Sorts(), ValueError, r"from_paddle, .*\(test_paddle_layers.py:\d+\): got the operation pd_op.argsort"),
        (
            Sorts().to(dtype="float64"),
            ValueError,
            r"from_paddle, fc.weight: got paddle.float64, expected float32. Type layer.float\(\)",
        ),
        (Sorts, TypeError, r"from_paddle: got the type Sorts, expected a paddle.nn.Layer. from_paddle\(Net\(\)\)"),
        ({}, TypeError, r"net.set_state_dict\(lenet.load\(path\)\) takes weights"),
        (paddle.nn.Linear(9, 2), ValueError, r"fails on images \[1, 28, 28\].*Type shape="),
    ):
        with pytest.raises(error, match=text):
            lenet.from_paddle(layer)
