"""Networks as rows: what ``describe`` writes ``build`` makes again, and rows out of a hostile file are refused."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

import lenet
from lenet import nn
from lenet.modelfile import architecture


def weights_of(network):
    return {name: tensor.numpy() for name, tensor in network.state_dict().items()}


class Reshaping(nn.Layer):
    def __init__(self):
        super().__init__()
        self.block = nn.Sequential(nn.Conv2D(2, 4, 3, padding=1, groups=2, bias_attr=False), nn.Tanh())
        self.out = nn.Linear(4 * 5 * 6, 3)

    def forward(self, x):
        x = self.block(x)
        return self.out(x.reshape([x.shape[0], -1]))


NETWORKS = {
    "LeNet": (lenet.LeNet, (1, 28, 28)),
    "Paddle's other LeNet": (lenet.vision.models.LeNet, (1, 28, 28)),
    "reshape, groups, no bias": (Reshaping, (2, 5, 6)),
    "all else": (
        lambda: nn.Sequential(
            nn.Conv2D(3, 4, (2, 3), stride=(2, 1), padding=(1, 0), dilation=(1, 2)),
            nn.Sigmoid(),
            nn.AvgPool2D(2, stride=1, padding=1, exclusive=False),
            nn.MaxPool2D(3, stride=2, ceil_mode=True),
            nn.Dropout(0.3),
            nn.Flatten(),
            nn.Linear(4 * 3 * 3, 5),
            nn.Softmax(),
        ),
        (3, 8, 9),
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_built_again_it_is_the_same_network(name):
    make, shape = NETWORKS[name]
    lenet.seed(1)
    network = make()
    rows = architecture.describe(network, shape)
    assert network.training  # as it was
    again = architecture.build(json.loads(json.dumps(rows)), shape, weights_of(network))
    assert not again.training
    assert weights_of(again).keys() == weights_of(network).keys()
    x = lenet.to_tensor(np.random.RandomState(0).randn(5, *shape).astype(np.float32))
    np.testing.assert_array_equal(again(x).numpy(), network.eval()(x).numpy())
    assert architecture.describe(again, shape) == rows


def test_outputs_are_written_down():
    rows = architecture.describe(lenet.LeNet(), (1, 28, 28))
    outputs = [row["output"] for row in rows]
    assert outputs[0] == [6, 28, 28]
    assert outputs[2] == [6, 14, 14]
    assert outputs[-1] == [10]
    assert rows[0]["parameters"] == ["conv1.weight", "conv1.bias"]


def test_building_draws_no_random_number():
    network = lenet.LeNet()
    rows, weights = architecture.describe(network, (1, 28, 28)), weights_of(network)
    lenet.seed(0)
    expected = lenet.rand([4]).numpy()
    lenet.seed(0)
    architecture.build(rows, (1, 28, 28), weights)
    np.testing.assert_array_equal(lenet.rand([4]).numpy(), expected)


class Branching(nn.Layer):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(4, 2)

    def forward(self, x):
        x = lenet.flatten(x, 1)
        return self.one(x) + self.one(x)


def test_a_network_that_is_no_chain_is_refused():
    with pytest.raises(ValueError, match="a chain of operations of the table"):
        architecture.describe(Branching(), (1, 2, 2))


HUGE = 300


def changed(number, **parts):
    def change(rows):
        rows[number] = rows[number] | parts
        return rows

    return change


def attrs(number, **parts):
    return lambda rows: changed(number, attrs=rows[number]["attrs"] | parts)(rows)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda rows: {"rows": rows}, "architecture: got"),
        (lambda rows: [], "expected a list of 1 to 1000 rows"),
        (lambda rows: rows * 100, "a list of 1 to 1000 rows"),
        (lambda rows: [None, *rows], "architecture, row 0: got None"),
        (changed(0, op="system"), "got 'system'"),
        (changed(0, op=["conv2d"]), "got ['conv2d']"),
        (changed(0, attrs=None), "exactly the attributes stride, padding"),
        (attrs(0, extra=1), "exactly the attributes"),
        (attrs(0, stride=[0, 1]), "row 0, conv2d, stride: got 0"),
        (attrs(0, stride=[1.5, 1]), "stride: got 1.5"),
        (attrs(0, stride=[True, 1]), "stride: got True"),
        (attrs(0, stride="11"), "stride: got '11'"),
        (attrs(0, padding=[HUGE] * 4), "at most 1048576 numbers a sample"),
        (attrs(0, padding=[10**12] * 4), "padding: got 1000000000000"),
        (attrs(0, groups=2), "groups that divide"),
        (attrs(0, dilation=[HUGE, HUGE]), "at least the kernel's"),
        (attrs(2, kernel=[HUGE, 1]), "at least the window's"),
        (attrs(2, ceil_mode=1), "ceil_mode: got 1"),
        (attrs(6, start=0), "flatten from 0 to -1"),
        (attrs(6, stop=9), "stop: got 9"),
        (changed(0, parameters=["conv1.weight"]), "expected 2 parameters"),
        (changed(0, parameters=[None, None]), "got None, expected a name such as conv1.weight"),
        (changed(0, parameters=["conv1..weight", None]), "a name such as conv1.weight"),
        (changed(0, parameters=["nowhere", None]), "no float32 tensor nowhere"),
        (changed(0, parameters=["linear1.weight", None]), "[K, C, kh, kw]"),
        (changed(0, parameters=["conv1.weight", "linear1.bias"]), "a bias of 6"),
        (changed(9, parameters=["linear1.weight", "linear1.bias"]), "[I, O] and [O] on [I]"),
        (lambda rows: rows[:6], "one number a class"),
        (lambda rows: rows[7:], "[I, O] and [O] on [I]"),
        (lambda rows: [*rows, {"op": "softmax", "attrs": {"axis": 0}}], "softmax over the classes"),
        (lambda rows: [*rows, {"op": "reshape", "attrs": {"shape": [-1, 3]}}], "as many numbers as before"),
        (lambda rows: [*rows, {"op": "reshape", "attrs": {"shape": [10]}}], "-1 and one to four sizes"),
        (lambda rows: [*rows, {"op": "dropout", "attrs": {"p": 2, "mode": "upscale_in_train"}}], "from 0 to 1"),
        (lambda rows: [*rows, {"op": "dropout", "attrs": {"p": 0.5, "mode": "x"}}], "'upscale_in_train' or"),
    ],
)
def test_rows_that_make_no_sense(change, text):
    network = lenet.LeNet()
    rows = change(copy.deepcopy(architecture.describe(network, (1, 28, 28))))
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        architecture.build(rows, (1, 28, 28), weights_of(network))
    assert text in str(caught.value)


@pytest.mark.parametrize("name", ["forward.weight", "train", "_rows.weight"])
def test_names_that_would_replace_what_a_layer_has(name):
    rows = [
        {"op": "flatten", "attrs": {"start": 1, "stop": -1}},
        {"op": "linear", "attrs": {}, "parameters": [name, None]},
    ]
    tensors = {name: np.ones((4, 2), np.float32)}
    with pytest.raises(ValueError, match="which this layer already has"):
        architecture.build(rows, (1, 2, 2), tensors)


def test_a_tensor_of_another_dtype():
    network = lenet.LeNet()
    tensors = weights_of(network) | {"conv1.bias": np.zeros(6, np.float64)}
    with pytest.raises(ValueError, match=r"no float32 tensor conv1\.bias"):
        architecture.build(architecture.describe(network, (1, 28, 28)), (1, 28, 28), tensors)


def test_a_parameter_used_twice():
    rows = [
        {"op": "flatten", "attrs": {"start": 1, "stop": -1}},
        {"op": "linear", "attrs": {}, "parameters": ["a.weight", None]},
        {"op": "linear", "attrs": {}, "parameters": ["a.weight", None]},
    ]
    with pytest.raises(ValueError, match="each parameter once"):
        architecture.build(rows, (1, 2, 2), {"a.weight": np.ones((4, 4), np.float32)})


@pytest.mark.parametrize("value", [None, [28, 28], [1, 28, 28, 1], [1, 0, 28], [1, 28.0, 28], "128"])
def test_input_shapes_that_make_no_sense(value):
    with pytest.raises(ValueError, match="input shape"):
        architecture.input_shape(value)
