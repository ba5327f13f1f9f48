"""Networks as rows: what ``describe`` writes ``build`` makes again, and rows out of a hostile file are refused."""

from __future__ import annotations

import copy
import json
from pathlib import Path

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


class Block(nn.Layer):
    """What residual networks are made of, and what users write between layers."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2D(2, 4, 3, padding=1), nn.Conv2D(4, 4, 1)
        self.norm = nn.LayerNorm([4, 6, 5])
        self.scale = self.create_parameter([4, 1, 1])
        self.out = nn.Linear(8, 3)

    def forward(self, x):
        around = nn.functional.pad(x[:, :, ::1], [0, 0, 1, 1, 0, 0, 0, 0])
        y = self.norm(nn.functional.gelu(self.first(x))) * (2 * self.scale) + around
        y = nn.functional.leaky_relu(self.second(y) - 0.5).clip(-3, 3)
        both = lenet.concat([y, y.exp()], axis=1)
        return self.out(both.mean([2, 3])) + self.out(both.max(axis=2)[:, :, 0])


class Perceptron(nn.Layer):
    """Weights and arithmetic of one's own, as the first chapters have them."""

    def __init__(self):
        super().__init__()
        self.w = self.create_parameter([12, 4])
        self.b = self.create_parameter([4], is_bias=True)

    def forward(self, x):
        unused = x.sum(axis=-1)
        assert unused.shape[0] == len(x)
        return lenet.matmul(x.reshape([-1, 12]), self.w) + self.b


@pytest.mark.parametrize(("make", "shape"), [(Block, (2, 6, 5)), (Perceptron, (1, 3, 4))])
def test_networks_that_are_no_chain(make, shape):
    lenet.seed(1)
    network = make()
    rows = json.loads(json.dumps(architecture.describe(network, shape)))
    again = architecture.build(rows, shape, weights_of(network))
    x = lenet.to_tensor(np.random.RandomState(0).randn(4, *shape).astype(np.float32))
    np.testing.assert_array_equal(again(x).numpy(), network.eval()(x).numpy())
    assert architecture.describe(again, shape) == rows
    in_another_order = any("inputs" in row for row in rows)
    assert architecture.account(rows, shape, 0.0, 1.0, ["a"])["format"] == (2 if in_another_order else 1)


def test_a_chain_is_written_as_it_always_was():
    rows = architecture.describe(lenet.LeNet(), (1, 28, 28))
    assert not any("inputs" in row for row in rows)
    assert architecture.account(rows, (1, 28, 28), 0.0, 1.0, ["a"])["format"] == 1


def test_rows_that_lenet_0_1_wrote():
    """As they stand in its files; the same network is described by the same rows today."""
    rows = json.loads(
        """[
        {"attrs": {"dilation": [1, 1], "groups": 2, "padding": [1, 1, 1, 1], "stride": [1, 1]}, "op": "conv2d",
         "output": [4, 5, 6], "parameters": ["block.0.weight", null]},
        {"attrs": {}, "op": "tanh", "output": [4, 5, 6]},
        {"attrs": {"shape": [-1, 120]}, "op": "reshape", "output": [120]},
        {"attrs": {}, "op": "linear", "output": [3], "parameters": ["out.weight", "out.bias"]}]"""
    )
    network = Reshaping().eval()
    assert architecture.describe(network, (2, 5, 6)) == rows
    x = lenet.randn([4, 2, 5, 6])
    again = architecture.build(rows, (2, 5, 6), weights_of(network))
    np.testing.assert_array_equal(again(x).numpy(), network(x).numpy())


class Peeking(nn.Layer):
    def forward(self, x):
        x = lenet.flatten(x, 1)
        return x * float(x.max())


class Choosing(nn.Layer):
    def forward(self, x):
        x = lenet.flatten(x, 1)
        return x.exp() if x.shape[0] > 2 else x


class Mixing(nn.Layer):
    def forward(self, x):
        x = lenet.flatten(x, 1)
        return x - x.mean(axis=0)


class Sorting(nn.Layer):
    def forward(self, x):
        return lenet.sort(lenet.flatten(x, 1), axis=1)


@pytest.mark.parametrize(
    ("network", "text", "line"),
    [
        (Peeking(), "reads a tensor's values", "return x * float(x.max())"),
        (Choosing(), "goes by the values or the number", ""),
        (Mixing(), "got mean with a result [4]", "return x - x.mean(axis=0)"),
        (Sorting(), "whose index is computed from the numbers", "return lenet.sort(lenet.flatten(x, 1), axis=1)"),
    ],
)
def test_what_cant_be_described_says_where(network, text, line):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        architecture.describe(network, (1, 2, 2))
    assert text in str(caught.value)
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    if line:
        number = next(k for k, one in enumerate(lines, 1) if one.strip() == line)
        assert f"(test_architecture.py, line {number})" in str(caught.value)


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
        (lambda rows: [*rows, {"op": "softmax", "attrs": {"axis": 0}}], "expected another axis than the images'"),
        (lambda rows: [*rows, {"op": "reshape", "attrs": {"shape": [-1, 3]}}], "as many numbers as before"),
        (lambda rows: [*rows, {"op": "reshape", "attrs": {"shape": [10]}}], "as many numbers as before"),
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


@pytest.mark.parametrize("name", ["forward.weight", "train", "_held.weight", "_calls.weight"])
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
    weight = np.arange(16, dtype=np.float32).reshape(4, 4) / 8
    network = architecture.build(rows, (1, 2, 2), {"a.weight": weight})
    assert len(network.parameters()) == 1
    x = np.ones((1, 1, 2, 2), np.float32)
    np.testing.assert_allclose(network(lenet.to_tensor(x)).numpy(), x.reshape(1, 4) @ weight @ weight)


ADD = {"op": "add", "attrs": {}, "inputs": [0, 0]}


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (ADD | {"inputs": [0, 1]}, "expected a row from 0 to 0, or -1 for the images"),
        (ADD | {"inputs": [0, -2]}, "row -2 as an input"),
        (ADD | {"inputs": [0, None]}, "got None, expected a name such as"),
        (ADD | {"inputs": [0]}, "expected 2 to 2 inputs"),
        (ADD | {"inputs": "00"}, "expected 2 to 2 inputs"),
        (ADD | {"inputs": [0, True]}, "got True, expected a name such as"),
        (ADD | {"inputs": [0, {"value": "x"}]}, "a number or a list of numbers"),
        (ADD | {"inputs": [0, {"value": [[1], [1, 2]]}]}, "a number or a list of numbers"),
        (ADD | {"inputs": [0, {"value": [1e39]}]}, "expected finite numbers"),
        (ADD | {"inputs": [0, {"value": [[0] * 70] * 70}]}, "at most 4096 numbers"),
        (ADD | {"inputs": [0, {"value": [[[[[1]]]]]}]}, "at most 4096 numbers"),
        (ADD | {"inputs": [0, {"values": 1}]}, '{"value"'),
        (ADD | {"inputs": [0, {"value": [1, 2, 3]}]}, "shapes that are equal, or 1"),
        ({"op": "concat", "attrs": {"axis": 0}, "inputs": [0, 0]}, "another axis than the images'"),
        ({"op": "concat", "attrs": {"axis": 1}, "inputs": [0, -1]}, "shapes that differ in axis 1 alone"),
        ({"op": "getitem", "attrs": {"key": [0]}}, "all of the images"),
        ({"op": "getitem", "attrs": {"key": [{"slice": [None, None, None]}, 9]}}, "an index below 4"),
        ({"op": "getitem", "attrs": {"key": [{"slice": [None, None, None]}, {"slice": [3, 1, None]}]}}, "at least one"),
        ({"op": "getitem", "attrs": {"key": [{"slice": [None, None, 0]}]}}, "a step other than 0"),
        ({"op": "transpose", "attrs": {"perm": [1, 0]}}, "the images' first"),
        ({"op": "pad", "attrs": {"pads": [[1, 0], [0, 0]], "mode": "constant", "value": 0.0}}, "none for the images'"),
        (
            {"op": "pad", "attrs": {"pads": [[0, 0], [9, 0]], "mode": "reflect", "value": 0.0}},
            "less than the image has",
        ),
        ({"op": "mean", "attrs": {"axis": None, "keepdim": False}}, "another axis than the images'"),
        ({"op": "matmul", "attrs": {}, "inputs": [0, "a"]}, "[…, I] and [I, O]"),
        ({"op": "clip", "attrs": {"low": "0", "high": None}}, "a finite number"),
        ({"op": "layer_norm", "attrs": {"over": 1, "epsilon": 1e-5}, "inputs": [0, "a", None]}, "a name such as"),
    ],
)
def test_rows_with_inputs_that_make_no_sense(row, text):
    rows = [{"op": "flatten", "attrs": {"start": 1, "stop": -1}}, row]
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        architecture.build(rows, (1, 2, 2), {"a": np.ones((3, 2), np.float32)})
    assert text in str(caught.value)


def test_constants_that_grow_are_refused():
    """A hundred rows that each double what doesn't depend on the images."""
    rows = [{"op": "reshape", "attrs": {"shape": [2, 1]}, "inputs": ["a"]}]
    rows += [{"op": "concat", "attrs": {"axis": 0}, "inputs": [k, k]} for k in range(40)]
    with pytest.raises(ValueError, match="at most 1048576 numbers"):
        architecture.build(rows, (1, 2, 2), {"a": np.ones(2, np.float32)})


@pytest.mark.parametrize("value", [None, [28, 28], [1, 28, 28, 1], [1, 0, 28], [1, 28.0, 28], "128"])
def test_input_shapes_that_make_no_sense(value):
    with pytest.raises(ValueError, match="input shape"):
        architecture.input_shape(value)
