"""The networks for 32×32 images: their size, their shapes, the same numbers under real Paddle, and that they learn."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import numpy as np
import pytest

import lenet
from lenet.vision import models


@pytest.mark.parametrize(
    ("build", "trainable", "convolutions"),
    [(models.resnet20, 269_722, 19), (models.resnet32, 464_154, 31), (models.vgg_small, 288_746, 6)],
)
def test_sizes(build, trainable: int, convolutions: int) -> None:
    net = build()
    assert sum(p.size for p in net.parameters() if p.trainable) == trainable
    assert sum(isinstance(layer, lenet.nn.Conv2D) for layer in net.sublayers()) == convolutions
    assert build(47, channels=1)(lenet.zeros([2, 1, 32, 32])).shape == [2, 47]


@pytest.mark.parametrize(("build", "trainable"), [(models.lenet_wide, 117_066), (models.tiny, 7_706)])
def test_those_for_digits(build, trainable: int) -> None:
    net = build()
    assert sum(p.size for p in net.parameters() if p.trainable) == trainable
    assert net(lenet.zeros([2, 1, 28, 28])).shape == [2, 10]
    assert build(26, 3)(lenet.zeros([2, 3, 28, 28])).shape == [2, 26]


def test_tiny_takes_other_sizes() -> None:
    for side in (20, 32, 45):
        assert models.tiny()(lenet.zeros([1, 1, side, side])).shape == [1, 10]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["resnet20", "vgg_small"])
def test_the_same_network_under_paddle(paddle: ModuleType, name: str) -> None:
    ours = getattr(models, name)(5)
    spec = importlib.util.find_spec("lenet.vision.models")
    source = spec.loader.get_source("lenet.vision.models").replace(
        "from lenet import nn", "import paddle; nn = paddle.nn"
    )
    space: dict = {"__name__": "theirs"}
    exec(compile(source, "theirs", "exec"), space)
    theirs = space[name](5)
    theirs.set_state_dict({key: value.numpy() for key, value in ours.state_dict().items()})
    x = np.random.RandomState(0).standard_normal((4, 3, 32, 32)).astype("float32")
    found = []
    for p, net in ((lenet, ours), (paddle, theirs)):
        net.eval()
        y = net(p.to_tensor(x))
        y.square().sum().backward()
        found.append([y.numpy(), *(v.grad.numpy() for v in net.parameters() if v.grad is not None)])
    for a, b in zip(*found, strict=True):
        assert np.linalg.norm(a - b) <= 1e-4 * np.linalg.norm(b) + 1e-6  # twenty layers of sums in another order


def test_a_resnet_learns() -> None:
    lenet.seed(0)
    r = np.random.RandomState(0)
    y = np.arange(24) % 3
    x = (r.standard_normal((24, 3, 32, 32)) * 0.3 + np.eye(3)[y][:, :, None, None]).astype("float32")
    net = models.ResNet(1, 3)
    adam = lenet.optimizer.Adam(0.01, parameters=net.parameters())
    for _ in range(8):
        loss = lenet.nn.functional.cross_entropy(net(lenet.to_tensor(x)), lenet.to_tensor(y))
        loss.backward()
        adam.step()
        adam.clear_grad()
    assert (net(lenet.to_tensor(x)).argmax(1).numpy() == y).all()


def test_mistakes() -> None:
    with pytest.raises(ValueError, match=r"ResNet\(blocks\).*at least 1"):
        models.ResNet(0)
    with pytest.raises(ValueError, match="expected 3 for its weights"):
        models.resnet20()(lenet.zeros([1, 1, 32, 32]))
