"""``jit.save`` and ``jit.load``: networks as rows and weights in a file; what comes back gives the same numbers."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradient_cases import Case
from test_gradients import CASES, attrs_of

import lenet
from lenet import jit, nn
from lenet.autograd import tape
from lenet.autograd.table import TABLE
from lenet.autograd.tensor import Tensor
from lenet.modelfile import calls, watched
from lenet.modelfile.program import LIMITS
from lenet.modelfile.rules import RULES
from lenet.modelfile.serialization import read_model, write_model
from lenet.static import InputSpec

F = nn.functional


class Net(nn.Layer):
    """Convolution, both kinds of normalisation, dropout, a residual sum, a shape from the batch, two results."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2D(1, 4, 3, padding=1)
        self.same = nn.Conv2D(4, 4, 1)
        self.batch = nn.BatchNorm2D(4)
        self.group = nn.GroupNorm(2, 4)
        self.layer = nn.LayerNorm(5)
        self.fc = nn.Linear(64, 5)
        self.drop = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Any:
        y = F.relu(self.batch(self.conv(x)))
        y = self.group(y + self.same(y))
        y = F.max_pool2d(y, 2).reshape([y.shape[0], -1])
        y = self.layer(self.fc(self.drop(y)))
        return F.softmax(y), {"mean": y.mean(1), "first": [y[:, 0], y.clip(-1, 1)]}


SPEC = [InputSpec([None, 1, 8, 8], name="image")]


def trained() -> Net:
    lenet.seed(1)
    net = Net()
    for _ in range(3):
        net(lenet.randn([6, 1, 8, 8]))
    return net


def flat(result: Any) -> list[np.ndarray]:
    if isinstance(result, Tensor):
        return [result.numpy()]
    values = result.values() if isinstance(result, dict) else result
    return [array for value in values for array in flat(value)]


@pytest.mark.parametrize("compiled", [False, True])
def test_a_network_comes_back(tmp_path: Path, compiled: bool) -> None:
    net = jit.to_static(trained()) if compiled else trained()
    jit.save(net, tmp_path / "net", input_spec=SPEC)
    assert net.training
    assert os.listdir(tmp_path) == ["net.safetensors"]
    loaded = jit.load(tmp_path / "net")
    net.eval()
    for batch in (1, 2, 3, 7):
        x = lenet.randn([batch, 1, 8, 8])
        ours, theirs = loaded(x), net(x)
        assert isinstance(ours, tuple)
        assert list(ours[1]) == ["mean", "first"]
        for a, b in zip(flat(ours), flat(theirs), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    kept = {name: p.stop_gradient for name, p in net.named_parameters()}
    assert {name: p.stop_gradient for name, p in loaded.named_parameters()} == kept


def test_what_was_loaded_can_be_trained(tmp_path: Path) -> None:
    lenet.seed(0)
    net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 1))
    jit.save(net, str(tmp_path / "n"), [InputSpec([-1, 3])])
    loaded = jit.load(str(tmp_path / "n"))
    assert not loaded.training
    loaded.train()
    optimizer = lenet.optimizer.Adam(0.05, parameters=loaded.parameters())
    x = lenet.randn([64, 3])
    losses = []
    for _ in range(60):
        loss = (loaded(x) - x.sum(1, keepdim=True)).square().mean()
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 5


def test_a_function_a_spec_given_before_and_an_example(tmp_path: Path) -> None:
    @jit.to_static(input_spec=[InputSpec([None, 3])])
    def f(x: Tensor) -> Tensor:
        return lenet.tanh(x) * 3

    jit.save(f, tmp_path / "f")
    assert jit.load(tmp_path / "f")(lenet.ones([2, 3])).tolist() == f(lenet.ones([2, 3])).tolist()
    net = jit.to_static(nn.Linear(3, 2), input_spec=[InputSpec([None, 3])])
    jit.save(net, tmp_path / "g.safetensors")
    x = lenet.randn([4, 3])
    np.testing.assert_allclose(jit.load(tmp_path / "g")(x).numpy(), net(x).numpy(), rtol=1e-6)
    jit.save(net, tmp_path / "h", [x])
    with pytest.raises(ValueError, match=r"got an input of shape \[5, 3\], expected \[4, 3\]"):
        jit.load(tmp_path / "h")(lenet.ones([5, 3]))


def test_several_inputs(tmp_path: Path) -> None:
    class Two(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.both = nn.Bilinear(2, 3, 4)

        def forward(self, a: Tensor, b: Tensor) -> Tensor:
            return lenet.concat([self.both(a, b), a * 2], axis=1)

    net = Two()
    jit.save(net, tmp_path / "two", [InputSpec([None, 2]), InputSpec([None, 3])])
    a, b = lenet.randn([5, 2]), lenet.randn([5, 3])
    np.testing.assert_allclose(jit.load(tmp_path / "two")(a, b).numpy(), net(a, b).numpy(), rtol=1e-6)
    with pytest.raises(TypeError, match="got 1 inputs, expected 2"):
        jit.load(tmp_path / "two")(a)


class Reading(nn.Layer):
    def forward(self, x: Tensor) -> Tensor:
        return x * 2 + lenet.to_tensor(float(x.numpy().mean()))  # the line that is named


class Branching(nn.Layer):
    def forward(self, x: Tensor) -> Tensor:
        return x.exp() if x.shape[0] == 2 else x.tanh()


class Indexing(nn.Layer):
    def forward(self, x: Tensor) -> Tensor:
        return x[x.argmax(0)]


WORDS = "Write it with tensors alone"
SPEC3 = [InputSpec([None, 3])]
REFUSED = [
    (lambda p: jit.save(Reading(), p, SPEC3), r"a forward that reads a tensor's values \(test_program.py, line \d+\).*" + WORDS),
    (lambda p: jit.save(Branching(), p, SPEC3), "a forward that goes by the values or the number of what it is given"),
    (lambda p: jit.save(Indexing(), p, SPEC3), r"got getitem \(test_program.py, line \d+\), whose key is computed.*" + WORDS),
    (lambda p: jit.save(nn.ReLU(), p), r"input_spec\): got none, expected a list with one entry an input.*InputSpec"),
    (lambda p: jit.save(lambda x: x.numpy(), p, SPEC3), "reads a tensor's values"),
    (lambda p: jit.save(lambda x: x.shape, p, SPEC3), "got a result that is a int"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "text"), REFUSED)
def test_what_cant_be_described_is_named(tmp_path: Path, call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call(tmp_path / "x")
    assert os.listdir(tmp_path) == []


def test_files_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        jit.load(tmp_path / "nowhere")
    (tmp_path / "theirs.pdmodel").write_bytes(b"")
    with pytest.raises(ValueError, match=r"theirs, a program of Paddle's, expected one with .safetensors"):
        jit.load(tmp_path / "theirs")
    write_model(tmp_path / "other.safetensors", {"a": np.zeros(2)}, {"format": 1})
    with pytest.raises(ValueError, match=r"expected a file that jit\.save wrote"):
        jit.load(tmp_path / "other")


SLICE = {"slice": [None, None, None]}
HOSTILE = [
    ({"op": "os.system"}, "got 'os.system', expected an operation such as 'conv2d'"),
    ({"op": "plan"}, "got 'plan'"),
    ({"op": "linear", "inputs": [5, "weight", None]}, "row 5 as an input"),
    ({"op": "linear", "inputs": [-2, "weight", None]}, "row -2 as an input"),
    ({"op": "linear", "inputs": [-1, "none", None]}, "tensor none"),
    ({"op": "linear", "inputs": [-1, {"weight": 1}, None]}, "got {'weight': 1}"),
    ({"op": "linear", "attrs": {"x": 1}}, "exactly the attributes"),
    ({"op": "cast", "attrs": {"dtype": "object"}}, "got 'object'"),
    ({"op": "pad", "attrs": {"pads": [[0, 0], [0, 1 << 40]], "mode": "constant", "value": 0.0}}, "from 0 to 4096"),
    ({"op": "pad", "attrs": {"pads": [[4096, 4096]] * 2, "mode": "constant", "value": 0.0}}, "numbers a sample"),
    ({"op": "tile", "attrs": {"times": [4096, 4096, 4096]}}, "numbers a sample"),
    ({"op": "expand", "attrs": {"shape": [1 << 30, {"batch": 1}, 3]}}, "numbers a sample"),
    ({"op": "expand", "attrs": {"shape": [{"batch": 1 << 29}, {"batch": 1}, 3]}}, "numbers a sample"),
    ({"op": "expand", "attrs": {"shape": [{"batch": -1}]}}, "got {'batch': -1}"),
    ({"op": "getitem", "attrs": {"key": {"array": [[0.5] * 40] * 4, "dtype": "float32"}}}, "whole numbers"),
    ({"op": "getitem", "attrs": {"key": [SLICE, {"array": [7], "dtype": "int64"}]}}, "an index below 3"),
    ({"op": "getitem", "attrs": {"key": [0] * 9}}, "a list of 1 to 8"),
    ({"op": "einsum", "attrs": {"parts": ["ij"], "result": "k"}}, "letters of the operands"),
    ({"op": "diag", "attrs": {"k": 1 << 30, "fill": 0}, "inputs": ["bias"]}, "numbers a sample"),
    ({"op": "where", "attrs": {"mask": {"array": [1], "dtype": "int64"}}, "inputs": [-1, -1]}, "true and false"),
    ({"op": "take_along_axis", "attrs": {"index": {"array": [[9]], "dtype": "int64"}, "axis": 1}}, "indices from -3"),
    ({"op": "inv", "attrs": {}}, "square matrices"),
    ({"op": "matmul", "attrs": {}, "inputs": [-1, "bias"]}, "[…, I] and [I, O]"),
    ({"op": "add", "attrs": {}, "inputs": [-1, {"value": 1, "dtype": "object"}]}, "got 'object'"),
    ({"op": "add", "attrs": {}, "inputs": [-1, {"value": 300, "dtype": "uint8"}]}, "finite numbers"),
    ({"op": "relu", "attrs": {}, "inputs": ["whole"]}, "float32"),  # found when it is run once
]


@pytest.mark.parametrize(("row", "text"), HOSTILE)
def test_a_file_runs_nothing_but_rows_that_make_sense(tmp_path: Path, row: Any, text: str) -> None:
    arrays = {"weight": np.ones((3, 2), "f4"), "bias": np.ones(2, "f4"), "whole": np.ones(3, "i8")}
    spec = [{"shape": [-1, 3], "dtype": "float32", "name": None}]
    program = {"format": 1, "program": [{"attrs": {}} | row], "inputs": spec, "outputs": 0, "frozen": []}
    write_model(tmp_path / "bad.safetensors", arrays, program)
    with pytest.raises(ValueError, match=re.escape(text)) as caught:
        jit.load(tmp_path / "bad")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1200


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": None}, {"inputs": [3]}, {"inputs": [{"shape": [1 << 50], "dtype": "float32"}]}, {"outputs": 7},
        {"outputs": None}, {"outputs": {"list": 3}}, {"outputs": {"dict": [[1, 2]]}}, {"outputs": "none"},
        {"outputs": {"value": "x"}}, {"frozen": 3}, {"program": None}, {"program": {}},
        {"inputs": [{"shape": [-1, 3], "dtype": "complex64"}]}, {"inputs": [{"shape": [-1, 3.0], "dtype": "float32"}]},
    ],
)  # fmt: skip
def test_a_program_that_makes_no_sense(tmp_path: Path, change: Any) -> None:
    jit.save(nn.Linear(3, 2), tmp_path / "n", SPEC3)
    arrays, program = read_model(tmp_path / "n.safetensors")
    write_model(tmp_path / "bad.safetensors", arrays, program | change)
    with pytest.raises(ValueError, match=r"bad\.safetensors: .* got .*, expected "):
        jit.load(tmp_path / "bad")


def test_a_long_row_of_doublings_takes_no_memory(tmp_path: Path) -> None:
    rows = [{"op": "concat", "attrs": {"axis": 1}, "inputs": [k - 1, k - 1]} for k in range(60)]
    spec = [{"shape": [-1, 3], "dtype": "float32", "name": None}]
    program = {"format": 1, "program": rows, "inputs": spec, "outputs": 59, "frozen": []}
    write_model(tmp_path / "bad.safetensors", {}, program)
    with pytest.raises(ValueError, match="numbers a sample"):
        jit.load(tmp_path / "bad")


def test_every_row_has_a_rule() -> None:
    assert set(TABLE) - {"plan", "output"} == set(RULES)


def _is_described(case: Case) -> bool:
    """Networks are described in evaluation mode, and classes' weights in a loss aren't."""
    at = case.attrs
    return not at.get("training") and not at.get("batch") and (case.row != "cross_entropy" or at["weight"] is None)


@pytest.mark.parametrize("case", [c for c in CASES if _is_described(c)], ids=lambda c: f"{c.row}: {c.name}")
def test_every_row_comes_back(tmp_path: Path, case: Case) -> None:
    """What test_gradients calls, from a file: the shapes that the rule computes are the row's own, and so are the numbers."""
    inputs = [lenet.to_tensor(a) for a in case.arrays]
    names = [f"given.{i}" for i in range(len(inputs))]

    def f(x: Tensor) -> Tensor:
        return tape.call(case.row, *inputs, *case.rest, **attrs_of(case, case.arrays)) + 0 * x

    found = watched.described("test", f, [((1,), np.dtype("float64"))], dict(zip(names, inputs, strict=True)))
    program = json.loads(json.dumps(found.calls))
    made = calls.checked(program, [(1,)], found.arrays, LIMITS, 1)
    network = calls.Network(made, found.arrays).eval()
    results = network._run(network._calls, lenet.ones([1], "float64"))
    assert [call.shape for call in made] == [t._shape for t in results]
    np.testing.assert_array_equal(results[-1].numpy(), f(lenet.ones([1], "float64")).numpy())


def test_the_compilers_switches() -> None:
    jit.set_code_level(100)
    jit.set_verbosity(3)
    jit.ignore_module([os])
    assert jit.not_to_static(len) is len
    jit.enable_to_static(False)
    try:
        net = jit.to_static(nn.Linear(3, 2))
        assert not hasattr(net.forward, "plan_reason")
    finally:
        jit.enable_to_static(True)
    assert hasattr(jit.to_static(net).forward, "plan_reason")


def test_flops(capsys: pytest.CaptureFixture[str]) -> None:
    """By Paddle's rules, worked out by hand: its own function fails beside numpy 2.4."""
    layers = [nn.Conv2D(3, 4, 3), nn.BatchNorm2D(4), nn.LeakyReLU(), nn.AvgPool2D(2), nn.AdaptiveAvgPool2D(2)]
    net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(16, 2), nn.Sigmoid())

    def count(m: Any, x: Any, y: Any) -> None:
        m.total_ops += 1000

    maps = 2 * 4 * 8 * 8
    wanted = maps * (3 * 9 + 1) + 2 * maps + maps + maps // 4 + (2 * 2 + 1) * 2 * 4 * 2 * 2 + 16 * 2 * 2 + 1000
    assert lenet.flops(net, [2, 3, 10, 10], custom_ops={nn.Sigmoid: count}) == wanted
    assert net.training
    capsys.readouterr()
    lenet.flops(lenet.vision.models.LeNet(), [1, 1, 28, 28], print_detail=True)
    assert "Total Flops: 347560     Total Params: 61610" in capsys.readouterr().out
    with pytest.raises(TypeError, match=r"flops\(net\): got"):
        lenet.flops(3, [1])  # type: ignore[arg-type]
