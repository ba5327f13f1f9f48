"""``summary`` beside real Paddle, to the byte, and what it says to wrong sizes."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import lenet
from lenet import nn
from lenet.messages.check import ShapeError

# Layer numbers count through the whole process, so that both libraries run the same script in a process of their own.
SCRIPT = """
import sys, warnings
warnings.simplefilter("ignore")
if sys.argv[1] == "paddle":
    import paddle
else:
    import lenet as paddle
nn, F = paddle.nn, paddle.nn.functional

class LeNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2D(in_channels=1, out_channels=6, kernel_size=5, stride=1, padding=2)
        self.max_pool1 = nn.MaxPool2D(kernel_size=2, stride=2)
        self.conv2 = nn.Conv2D(in_channels=6, out_channels=16, kernel_size=5, stride=1)
        self.max_pool2 = nn.MaxPool2D(kernel_size=2, stride=2)
        self.linear1 = nn.Linear(in_features=16 * 5 * 5, out_features=120)
        self.linear2 = nn.Linear(in_features=120, out_features=84)
        self.linear3 = nn.Linear(in_features=84, out_features=10)

    def forward(self, x):
        x = self.max_pool1(F.relu(self.conv1(x)))
        x = self.max_pool2(F.relu(self.conv2(x)))
        x = paddle.flatten(x, start_axis=1, stop_axis=-1)
        return self.linear3(F.relu(self.linear2(F.relu(self.linear1(x)))))

class Block(nn.Layer):  # listed although it has layers; calls one of them twice
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2D(4, 4, 3, padding=1, bias_attr=False)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(self.act(self.conv(x)))

class Two(nn.Layer):  # two inputs, two outputs, one frozen parameter
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(5, 3), nn.Linear(7, 3)
        self.a.weight.stop_gradient = True

    def forward(self, x, y):
        return self.a(x), self.b(y)

def show(totals):
    print({name: int(value) for name, value in totals.items()})

paddle.seed(3)
show(paddle.summary(LeNet(), (1, 1, 28, 28)))
net = nn.Sequential(
    nn.Conv2D(1, 4, 3), nn.ReLU(), nn.Dropout(0.3), nn.Sequential(nn.MaxPool2D(2), Block()), nn.AvgPool2D(2), nn.Flatten(),
    nn.Linear(144, 10000), nn.Sigmoid(), nn.Linear(10000, 110), nn.Tanh(), nn.Linear(110, 10), nn.Softmax(),
)
show(paddle.summary(net, (None, 1, 28, 28)))
show(paddle.summary(net, (100000 // 100, 1, 28, 28)))
show(paddle.summary(net, input=paddle.ones([2, 1, 28, 28])))
show(paddle.summary(Two(), [(2, 5), (-1, 7)], dtypes=["float32", "float32"]))
show(paddle.summary(nn.Linear(3, 4), 3))
show(paddle.Model(Two()).summary([(2, 5), (2, 7)], "float32"))
print(net.training, net[2].training, net.eval().training)
show(paddle.summary(net, (1, 1, 28, 28)))
print(net.training, net[2].training)
print(LeNet().linear3.weight.numpy().tobytes().hex())  # summaries draw from the seed's stream: so many, no more
"""


def run(name: str) -> str:
    return subprocess.run([sys.executable, "-c", SCRIPT, name], capture_output=True, text=True, check=True).stdout


def test_the_table_is_paddles_to_the_byte() -> None:
    theirs, ours = run("paddle").split("\n"), run("lenet").split("\n")
    for got, expected in zip(ours, theirs, strict=False):
        assert got == expected
    assert len(ours) == len(theirs)
    assert ours.count("Total params: 61,706") == 1


def test_totals_are_plain_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    totals = lenet.summary(lenet.LeNet(), (1, 1, 28, 28))
    assert totals == {"total_params": 61706, "trainable_params": 61706}
    assert {type(value) for value in totals.values()} == {int}
    assert capsys.readouterr().out.startswith("-" * 75 + "\n Layer (type) ")


def test_every_layer_keeps_its_own_mode() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(4, 2))
    net[1].eval()
    lenet.summary(net, (1, 4))
    assert [layer.training for layer in [net, *net]] == [True, True, False, True]


def test_a_shape_that_does_not_fit_names_the_layer_and_leaves_no_trace() -> None:
    net = lenet.LeNet()
    with pytest.raises(ShapeError, match=r"in conv1 = Conv2D\(1, 6"):
        lenet.summary(net, (1, 3, 28, 28))
    with pytest.raises(ShapeError, match=r"in linear1 = Linear\(in_features=400"):
        lenet.summary(net, (1, 1, 32, 32))
    assert net.training
    assert not any(layer._hooked for layer in net.sublayers())


def test_other_ways_to_give_a_size(capsys: pytest.CaptureFixture[str]) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(6, 2))
    tables = []
    for size in [(1, 2, 3), [1, 2, 3], SimpleNamespace(shape=[None, 2, 3]), [SimpleNamespace(shape=(-1, 2, 3))]]:
        lenet.summary(net, size)
        tables.append(capsys.readouterr().out)
    assert "[[1, 2, 3]]" in tables[0]
    assert tables == tables[:1] * 4


def test_inputs_may_be_a_dict_or_a_list(capsys: pytest.CaptureFixture[str]) -> None:
    class FromDict(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(3, 2)

        def forward(self, x: Any) -> Any:
            return self.linear(x["a"] if isinstance(x, dict) else x[0])

    for given in ({"a": lenet.ones([5, 3])}, [lenet.ones([5, 3])]):
        lenet.summary(FromDict(), input=given)
        assert "[[5, 3]]" in capsys.readouterr().out


def test_integer_inputs_are_cast() -> None:
    seen = []

    class Look(nn.Layer):
        def forward(self, x: Any) -> Any:
            seen.append(x.dtype)
            return x

    lenet.summary(Look(), (2, 3), dtypes="int64")
    assert seen == [lenet.int64]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "neither input_size nor input"),
        ({"input_size": (None, None, 28, 28)}, "number of samples alone"),
        ({"input_size": (1, 0, 28, 28)}, "greater than zero"),
        ({"input_size": (1, 1.5)}, "whole numbers"),
        ({"input_size": "1,1,28,28"}, "a shape such as"),
        ({"input_size": ()}, "a shape such as"),
        ({"input": 5}, "a Tensor, or a list"),
        ({"input_size": (1, 4), "dtypes": ["float32", "float32"]}, "one for each input"),
    ],
)
def test_wrong_sizes(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        lenet.summary(nn.Flatten(), **arguments)


def test_what_is_no_layer() -> None:
    with pytest.raises(TypeError, match="a Layer"):
        lenet.summary(np.zeros(3), (1, 3))  # type: ignore[arg-type]
