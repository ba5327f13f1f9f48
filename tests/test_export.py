"""Networks to ONNX, PyTorch and Paddle and back: the same bits of every weight, the same answers on real digits."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import drawn_networks
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import lenet
from lenet import export, nn
from lenet.export.graph import answers
from lenet.nn import functional as F
from lenet.vision import models

Digits = NDArray[np.float32]
TOLERANCE = (
    1e-5  # of the largest logit where that is above 1: float32 itself has 1.2e-7 of it, and sums have hundreds of terms
)

pytestmark = pytest.mark.usefixtures("paddle")  # whose import warns
WAYS = ("onnx", "torch", "paddle")


def pytorch() -> ModuleType:
    if importlib.util.find_spec("torch") is None:
        pytest.skip("no PyTorch: pip install torch")
    import torch

    return torch


@pytest.fixture(scope="module")
def digits(mnist_dir: Path) -> Digits:
    """A thousand of MNIST's test images as the networks take them, float32 [N, 1, 28, 28]."""
    images = lenet.vision.datasets.MNIST(image_path=str(mnist_dir / "t10k-images-idx3-ubyte"),
                                         label_path=str(mnist_dir / "t10k-labels-idx1-ubyte"))._pixels[:1000]  # fmt: skip
    return images.reshape(-1, 1, 28, 28).astype(np.float32) / 127.5 - 1


def there(way: str, network: nn.Layer, images: Digits, tmp_path: Path) -> tuple[Digits, Callable[[], nn.Layer]]:
    """What the network answers in the other library, and how it comes back."""
    shape = images.shape[1:]
    if way == "onnx":
        import onnxruntime

        file = tmp_path / "net.onnx"
        export.onnx(network, file, probabilities=False, shape=shape)
        onnxruntime.set_default_logger_severity(3)
        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        return session.run(None, {"images": images})[0], lambda: lenet.from_onnx(file)
    if way == "torch":
        torch = pytorch()
        module = export.torch(network, shape=shape)
        with torch.no_grad():
            return module(torch.from_numpy(images)).numpy(), lambda: lenet.from_torch(module, shape)
    import paddle

    layer = export.paddle(network, shape=shape)
    with paddle.no_grad():
        return layer(paddle.to_tensor(images)).numpy(), lambda: lenet.from_paddle(layer, shape)


def apart(a: Digits, b: Digits) -> float:
    return float(np.abs(a - b).max() / max(1.0, np.abs(b).max()))


def same_weights(a: nn.Layer, b: nn.Layer) -> bool:
    ours, theirs = a.state_dict(), b.state_dict()
    return sorted(ours) == sorted(theirs) and all(
        tensor.numpy().tobytes() == theirs[name].numpy().tobytes() for name, tensor in ours.items()
    )


def check(way: str, network: nn.Layer, images: Digits, tmp_path: Path) -> None:
    ours = answers(network, images)
    assert ours.std(axis=0).max() > 1e-3  # it tells images apart, so that there is something to compare
    theirs, back = there(way, network, images, tmp_path)
    assert apart(theirs, ours) <= TOLERANCE
    returned = back()
    assert same_weights(network, returned)
    assert apart(answers(returned, images), theirs) <= TOLERANCE


def named(name: str) -> nn.Layer:
    lenet.seed(0)
    network: nn.Layer = {"tutorial": lenet.LeNet, "paddle's": models.LeNet, "resnet": lambda: models.resnet20(10, 1)}[
        name
    ]()
    return drawn_networks.lived_in(network, 0)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["tutorial", "paddle's", "resnet"])
def test_there_and_back(name: str, way: str, digits: Digits, tmp_path: Path) -> None:
    few = 100 if name == "resnet" else 1000  # python -m bench elsewhere measures it on a thousand, too
    check(way, named(name), digits[:few], tmp_path)


@pytest.mark.parametrize("way", WAYS)
def test_drawn_networks(way: str, digits: Digits, tmp_path: Path) -> None:
    @settings(max_examples=3, deadline=None, database=None, derandomize=True)
    @given(drawn_networks.steps(), st.integers(0, 1000))
    def run(steps: Any, seed: int) -> None:
        check(way, drawn_networks.Drawn(steps, seed), digits[:100], tmp_path)

    run()


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_thirty_drawn_networks(way: str, digits: Digits, tmp_path: Path) -> None:
    @settings(max_examples=30, deadline=None, database=None, derandomize=True)
    @given(drawn_networks.steps(), st.integers(0, 1000))
    def run(steps: Any, seed: int) -> None:
        check(way, drawn_networks.Drawn(steps, seed), digits, tmp_path)

    run()


# ---- every operation that a model file may name ------------------------------------------------------------------------

ONE_EACH: dict[str, Callable[[Any], Any]] = {
    "max_pool2d": lambda x: F.max_pool2d(x, 3, 2, [1, 0, 0, 1], ceil_mode=True),
    "avg_pool2d": lambda x: F.avg_pool2d(x, [3, 2], 2, 1, exclusive=False, ceil_mode=True),
    "avg_pool2d, exclusive": lambda x: F.avg_pool2d(x, 3, 2, [1, 0, 1, 0], ceil_mode=True),
    "avg_pool2d, divisor": lambda x: F.avg_pool2d(x, 2, 2, divisor_override=3),
    "softmax": lambda x: F.softmax(x, axis=1),
    "upsample2d": lambda x: F.interpolate(x, scale_factor=[2, 3], mode="nearest"),
    "reshape": lambda x: x.reshape([-1, 4, 14, 28, 2]).flatten(3),
    "transpose": lambda x: x.transpose([0, 2, 3, 1]),
    "pad": lambda x: F.pad(x, [1, 2, 0, 3], value=0.5),
    "pad, reflect": lambda x: F.pad(x, [1, 2, 0, 3], mode="reflect"),
    "pad, replicate": lambda x: F.pad(x, [1, 2, 0, 3], mode="replicate"),
    "pad, circular": lambda x: F.pad(x, [1, 2, 0, 3], mode="circular"),
    "getitem": lambda x: x[:, 1:, ::2, 3:-1],
    "getitem, one": lambda x: x[:, 2],
    "concat": lambda x: lenet.concat([x, x * 2, F.relu(x)], axis=2),
    "clip": lambda x: x.clip(-0.2, 0.7),
    "clip, one side": lambda x: lenet.maximum(x, lenet.to_tensor(0.1)),
    "layer_norm": lambda x: F.layer_norm(x, x.shape[2:]),
    "arithmetic": lambda x: (x + 1) * 2 - x / 3,
    "minimum": lambda x: lenet.minimum(x, x[:, :, :1]),
    "sum": lambda x: x.sum([2, 3], keepdim=True) * x,
    "mean": lambda x: x.mean(1),
    "max": lambda x: x.max([1, 2]),
    "min": lambda x: x.min(3),
    "matmul": lambda x: lenet.matmul(x, lenet.ones([28, 5])),
    "exp": lambda x: x.exp() + x.abs().sqrt() + (x.abs() + 1).log() + (x.abs() + 1).rsqrt(),
    "square": lambda x: x.square() - x.neg() + (x.abs() + 1).reciprocal() + x.sin() + x.cos() + lenet.erf(x),
    "gelu, approximate": lambda x: F.gelu(x, approximate=True),
    "selu": F.selu,
    "celu": lambda x: F.celu(x, 0.7),
    "hardsigmoid": F.hardsigmoid,
    "hardtanh": lambda x: F.hardtanh(x, -0.5, 0.4),
    "hardshrink": F.hardshrink,
    "softshrink": lambda x: F.softshrink(x, 0.3),
    "softplus, beta": lambda x: F.softplus(x, 2),
    "softsign": F.softsign,
    "tanhshrink": F.tanhshrink,
    "log_sigmoid": F.log_sigmoid,
    **{name: getattr(F, name) for name in drawn_networks.ACTIVATIONS},
}  # fmt: skip
TOGETHER = 8  # operations in one network: watching one takes the other libraries seconds


class Several(nn.Layer):
    """A convolution, operations on its result, and a linear layer on all their results."""

    def __init__(self, operations: list[Callable[[Any], Any]]) -> None:
        super().__init__()
        lenet.seed(1)
        self.operations = operations
        self.conv = nn.Conv2D(1, 4, 3, padding=1)
        self.fc = nn.Linear(self._parts(self.conv(lenet.zeros([1, 1, 28, 28]))).shape[1], 10)
        self.eval()

    def _parts(self, x: Any) -> Any:
        return lenet.concat([operation(x).flatten(1) for operation in self.operations], axis=1)

    def forward(self, x: Any) -> Any:
        return self.fc(self._parts(self.conv(x)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("first", range(0, len(ONE_EACH), TOGETHER))
def test_each_operation(first: int, way: str, digits: Digits, tmp_path: Path) -> None:
    network, few = Several(list(ONE_EACH.values())[first : first + TOGETHER]), digits[:20]
    ours = answers(network, few)
    theirs, back = there(way, network, few, tmp_path)
    assert apart(theirs, ours) <= TOLERANCE
    returned = back()
    assert apart(answers(returned, few), ours) <= TOLERANCE
    for key in ("conv.weight", "fc.weight", "fc.bias"):
        assert returned.state_dict()[key].numpy().tobytes() == network.state_dict()[key].numpy().tobytes()


def test_what_only_onnx_has_is_written_and_not_read(digits: Digits, tmp_path: Path) -> None:
    network = Several([lambda x: F.softplus(x, 2, 1)])  # below float32's own limit, so in parts that no row has
    theirs, back = there("onnx", network, digits[:20], tmp_path)
    assert apart(theirs, answers(network, digits[:20])) <= TOLERANCE
    with pytest.raises(
        ValueError, match=r"node \d+ node_\d+_Greater, Greater: got the operator 'Greater', expected one that"
    ):
        back()


# ---- without the other library -------------------------------------------------------------------------------------------


def test_a_library_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    network = lenet.LeNet()
    for call, text in (
        (
            lambda: export.onnx(network, tmp_path / "a.onnx"),
            r"export.onnx: got a Python without the package onnx.*'\.\[onnx\]'",
        ),
        (lambda: lenet.from_onnx(tmp_path / "a.onnx"), r"from_onnx: got a Python without the package onnx"),
        (
            lambda: export.torch(network),
            r"export.torch: got a Python without the package torch.*Type pip install torch",
        ),
        (lambda: export.torch_state(network), r"export.torch_state: got .* package torch"),
        (lambda: lenet.from_torch(None), r"from_torch: got .* package torch"),
        (lambda: export.paddle(network), r"export.paddle: got .*Type pip install paddlepaddle"),
        (lambda: lenet.from_paddle(None), r"from_paddle: got .*Type pip install paddlepaddle"),
    ):
        with pytest.raises(ImportError, match=text):
            call()
    with pytest.raises(ImportError, match="got a Python without scikit-learn"):
        importlib.reload(lenet.sklearn)
