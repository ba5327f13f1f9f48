"""Every row of the table that has a gradient, against central finite differences of the same row in double precision.

Core rows run core/reference.cpp in double (float64 tensors), array rows numpy in double. So this shows that the
reference's gradients are right; test_kernels then holds every fast kernel to the reference. ``test_every_row_is_here``
proves the list complete: a new row without a case fails it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gradient_cases import COMPOSED, MORE, SQUARE, STEP, Case, apart, normal, positive

from lenet import jit, nn
from lenet.autograd import random, tape
from lenet.autograd.table import TABLE
from lenet.autograd.tensor import Tensor, to_tensor

TOLERANCE = 1e-7


def _conv(
    name: str, x: tuple[int, ...], w: tuple[int, ...], bias: bool = True, row: str = "conv2d", **attrs: Any
) -> Case:
    full = {"stride": (1, 1), "padding": (0, 0, 0, 0), "dilation": (1, 1), "groups": 1, **attrs}
    outputs = w[0] if row == "conv2d" else w[1] * full["groups"]
    arrays = [normal(1, *x), normal(2, *w), *([normal(3, outputs)] if bias else [])]
    return Case(row, name, arrays, [] if bias else [None], full)


def _pool(
    row: str, name: str, x: tuple[int, ...], kernel: tuple[int, int], stride: tuple[int, int], **attrs: Any
) -> Case:
    full = {"kernel": kernel, "stride": stride, "padding": (0, 0, 0, 0), "ceil_mode": False, **attrs}
    return Case(row, name, [apart(1, *x)], [], full)


def _loss(name: str, x: tuple[int, ...], label: np.ndarray, weight: np.ndarray | None = None, **attrs: Any) -> Case:
    full = {
        "weight": None if weight is None else to_tensor(weight),
        "ignore_index": -100,
        "reduction": "mean",
        "soft_label": False,
        "axis": -1,
        "use_softmax": True,
        "label_smoothing": 0.0,
        **attrs,
    }
    logits = normal(1, *x)
    if not full["use_softmax"]:
        logits = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    return Case("cross_entropy", name, [logits], [to_tensor(label)], full)


LABELS = np.array([0, 3, 2, 1, 3], np.int64)
SOFT = np.random.RandomState(5).dirichlet(np.ones(4), 5)

TARGETS = to_tensor(np.random.RandomState(2).uniform(0, 1, (3, 4)))
ACTIVATIONS: dict[str, dict[str, Any]] = {
    "elu": {"alpha": 0.7},
    "celu": {"alpha": 0.7},
    "selu": {"scale": 1.05, "alpha": 1.67},
    "gelu": {"approximate": False},
    "leaky_relu": {"slope": 0.1},
    "hardsigmoid": {"slope": 0.2, "offset": 0.5},
    "hardtanh": {"low": -1.0, "high": 0.52},
    "hardshrink": {"threshold": 0.52},
    "softshrink": {"threshold": 0.52},
    "thresholded_relu": {"threshold": 0.52, "value": 0.3},
    "softplus": {"beta": 2.0, "threshold": 4.1},
    **{name: {} for name in ["relu6", "silu", "mish", "hardswish", "softsign", "tanhshrink", "log_sigmoid"]},
}
NORMAL = {"axes": (0, 2), "epsilon": 1e-3}  # with x's own mean and var, see ``call``
CONSTANT = {"axes": None, "epsilon": 1e-3, "mean": normal(4, 1, 3), "var": positive(5, 1, 3)}
NORM = {"momentum": 1.0, "epsilon": 1e-3}  # running statistics stay where they are
RUNNING, RUNNING2 = ([to_tensor(normal(4, n)), to_tensor(positive(5, n))] for n in (3, 2))

CASES = [
    _conv("plain", (3, 2, 6, 5), (3, 2, 3, 2)),
    _conv("no bias", (1, 1, 4, 4), (2, 1, 1, 1), bias=False),
    _conv("stride and padding", (2, 3, 7, 6), (4, 3, 3, 3), stride=(2, 3), padding=(1, 0, 2, 1)),
    _conv("dilation", (2, 2, 7, 8), (3, 2, 2, 3), dilation=(3, 2), padding=(1, 1, 0, 0)),
    _conv("groups", (17, 4, 4, 4), (6, 2, 2, 2), groups=2),
    _conv("kernel as large as the image", (2, 2, 3, 3), (2, 2, 3, 3)),
    _pool("max_pool2d", "2x2", (3, 2, 6, 4), (2, 2), (2, 2)),
    _pool("max_pool2d", "overlapping", (2, 3, 5, 6), (3, 2), (1, 1)),
    _pool("max_pool2d", "padding, ceil_mode", (17, 1, 5, 6), (3, 3), (2, 2), padding=(1, 1, 0, 1), ceil_mode=True),
    _pool("avg_pool2d", "2x2", (3, 2, 6, 4), (2, 2), (2, 2), exclusive=True, divisor=None),
    _pool("avg_pool2d", "exclusive", (2, 2, 5, 5), (3, 3), (2, 2), padding=(1, 1, 1, 1), exclusive=True, divisor=None),
    _pool("avg_pool2d", "inclusive", (2, 2, 5, 5), (3, 3), (2, 2), padding=(1, 0, 0, 1), exclusive=False, divisor=None),
    _pool("avg_pool2d", "divisor", (17, 1, 4, 5), (2, 3), (1, 2), exclusive=True, divisor=5),
    Case("relu", "any shape", [apart(1, 3, 5, 2)]),
    Case("sigmoid", "any shape", [normal(1, 17, 3)]),
    Case("tanh", "any shape", [normal(1, 4, 5)]),
    Case("reshape", "samples stay", [normal(1, 3, 2, 4)], [], {"shape": (3, -1)}),
    Case("reshape", "samples mix", [normal(1, 3, 2, 4)], [], {"shape": (4, 6)}),
    Case("flatten", "from the channels on", [normal(1, 3, 2, 2, 2)], [], {"start": 1, "stop": -1}),
    Case("flatten", "all", [normal(1, 3, 2)], [], {"start": 0, "stop": -1}),
    Case("linear", "two dimensions", [normal(1, 17, 5), normal(2, 5, 3), normal(3, 3)]),
    Case("linear", "no bias", [normal(1, 3, 5), normal(2, 5, 1)], [None]),
    Case("linear", "three dimensions", [normal(1, 2, 3, 4), normal(2, 4, 5), normal(3, 5)]),
    Case("dropout", "training", [normal(1, 17, 6)], [], {"p": 0.4, "training": True, "mode": "upscale_in_train"}),
    Case("dropout", "downscale", [normal(1, 3, 6)], [], {"p": 0.4, "training": True, "mode": "downscale_in_infer"}),
    Case("dropout", "evaluation", [normal(1, 3, 6)], [], {"p": 0.4, "training": False, "mode": "downscale_in_infer"}),
    Case("softmax", "classes", [normal(1, 17, 4)], [], {"axis": -1}),
    Case("softmax", "another axis", [normal(1, 2, 3, 4)], [], {"axis": 1}),
    _loss("labels [N]", (5, 4), LABELS),
    _loss("labels [N, 1]", (5, 4), LABELS[:, None]),
    _loss("sum", (5, 4), LABELS, reduction="sum"),
    _loss("none", (5, 4), LABELS, reduction="none"),
    _loss("none, [N, 1]", (5, 4), LABELS[:, None], reduction="none"),
    _loss("weights", (5, 4), LABELS, weight=positive(6, 4)),
    _loss("weights, none", (5, 4), LABELS, weight=positive(6, 4), reduction="none"),
    _loss("ignored, a class", (5, 4), LABELS, ignore_index=3),
    _loss("ignored, no class", (5, 4), np.array([0, -100, 2, -100, 3], np.int64)),
    _loss("smoothing", (5, 4), LABELS, label_smoothing=0.1),
    _loss("soft", (5, 4), SOFT, soft_label=True),
    _loss("soft, smoothing, weights", (5, 4), SOFT, weight=positive(6, 4), soft_label=True, label_smoothing=0.2),
    _loss("probabilities", (5, 4), LABELS, use_softmax=False),
    _loss("images", (2, 4, 2, 3), np.random.RandomState(7).randint(0, 4, (2, 2, 3)), axis=1),
    Case("add", "both", [normal(1, 3, 4), normal(2, 3, 4)]),
    Case("add", "broadcast", [normal(1, 3, 4), normal(2, 4)]),
    Case("subtract", "broadcast", [normal(1, 3, 1), normal(2, 1, 4)]),
    Case("multiply", "broadcast", [normal(1, 2, 3, 4), normal(2, 3, 1)]),
    Case("divide", "broadcast", [normal(1, 3, 4), positive(2, 4)]),
    Case("pow", "both", [positive(1, 3, 4), normal(2, 3, 4)]),
    Case("pow", "number", [positive(1, 3, 4), np.array(2.0)]),
    Case("matmul", "matrices", [normal(1, 3, 4), normal(2, 4, 5)]),
    Case("matmul", "stacks", [normal(1, 2, 3, 4), normal(2, 4, 5)]),
    Case("matmul", "vectors", [normal(1, 4), normal(2, 4)]),
    Case("matmul", "vector and matrix", [normal(1, 4), normal(2, 4, 5)]),
    Case("matmul", "vector and stack", [normal(1, 4), normal(2, 2, 4, 5)]),
    Case("matmul", "matrix and vector", [normal(1, 3, 4), normal(2, 4)]),
    Case("matmul", "stack and vector", [normal(1, 2, 3, 4), normal(2, 4)]),
    Case("neg", "any shape", [normal(1, 3, 4)]),
    Case("exp", "any shape", [normal(1, 3, 4)]),
    Case("log", "any shape", [positive(1, 3, 4)]),
    Case("sqrt", "any shape", [positive(1, 3, 4)]),
    Case("abs", "any shape", [apart(1, 3, 4)]),
    # float32 holds these numbers and steps exactly, so that the rounding has a slope of exactly one
    Case("cast", "to float32", [np.arange(12.0).reshape(3, 4) / 8], [], {"dtype": np.dtype(np.float32)}, 0.5),
    Case("clip", "both sides", [apart(1, 5, 6)], [], {"low": -0.21, "high": 0.3}),
    Case("sum", "all", [normal(1, 3, 4)], [], {"axis": None, "keepdim": False}),
    Case("sum", "an axis", [normal(1, 3, 4, 2)], [], {"axis": 1, "keepdim": True}),
    Case("mean", "all", [normal(1, 3, 4)], [], {"axis": None, "keepdim": False}),
    Case("mean", "axes", [normal(1, 3, 4, 2)], [], {"axis": (0, 2), "keepdim": False}),
    Case("max", "all", [apart(1, 3, 4)], [], {"axis": None, "keepdim": False}),
    Case("max", "an axis", [apart(1, 3, 4)], [], {"axis": 1, "keepdim": False}),
    Case("min", "an axis", [apart(1, 3, 4)], [], {"axis": 0, "keepdim": True}),
    Case("transpose", "three axes", [normal(1, 2, 3, 4)], [], {"perm": (2, 0, 1)}),
    Case("concat", "three", [normal(1, 2, 3), normal(2, 2, 1), normal(3, 2, 2)], [], {"axis": 1}),
    Case("stack", "two", [normal(1, 2, 3), normal(2, 2, 3)], [], {"axis": 1}),
    Case("getitem", "slice", [normal(1, 4, 5)], [], {"key": (slice(1, 3), slice(None, None, 2))}),
    Case("getitem", "repeated rows", [normal(1, 4, 5)], [], {"key": np.array([1, 1, 3])}),
    Case("getitem", "mask", [normal(1, 4)], [], {"key": np.array([True, False, True, True])}),
    *(
        Case(row, "any shape", [normal(1, 3, 4)])
        for row in ["expm1", "sin", "cos", "sinh", "cosh", "asinh", "atan", "erf"]
    ),
    *(Case(row, "above 0", [positive(1, 3, 4)]) for row in ["log2", "log10", "log1p", "rsqrt", "reciprocal"]),
    *(Case(row, "within 1", [apart(1, 3, 4) * 0.9]) for row in ["tan", "asin", "acos", "atanh", "square"]),
    Case("acosh", "above 1", [1 + positive(1, 3, 4)]),
    *(Case(row, "between steps", [apart(1, 3, 4) * 5]) for row in ["sign", "ceil", "floor", "trunc"]),
    Case("round", "between steps", [apart(1, 3, 4) * 5], [], {"decimals": 0}),
    *(Case(row, "broadcast", [apart(1, 3, 4), apart(2, 4) * 1.1]) for row in ["maximum", "minimum", "atan2"]),
    Case("mod", "broadcast", [apart(1, 3, 4) * 5, positive(2, 4)]),
    Case("prod", "all", [normal(1, 3, 4)], [], {"axis": None, "keepdim": False}),
    Case("prod", "with zeros", [np.array([[0.0, 2, 3], [0, 0, 1], [1, 2, 3]])], [], {"axis": 1, "keepdim": False}),
    Case("prod", "axes", [normal(1, 3, 4, 2)], [], {"axis": (0, 2), "keepdim": True}),
    Case("logsumexp", "an axis", [normal(1, 3, 4)], [], {"axis": 1, "keepdim": False}),
    Case("logsumexp", "all", [normal(1, 3, 4)], [], {"axis": None, "keepdim": True}),
    Case("var", "axes", [normal(1, 3, 4, 2)], [], {"axis": (0, 2), "keepdim": False, "less": 1.0}),
    Case("var", "all", [normal(1, 3, 4)], [], {"axis": None, "keepdim": True, "less": 0.0}),
    *(
        Case("norm", f"p={p}", [apart(1, 3, 4)], [], {"p": p, "axis": axis, "keepdim": keepdim})
        for p, axis, keepdim in [
            (2.0, None, False),
            (1.0, 1, True),
            (3.0, (0, 1), False),
            (np.inf, 0, False),
            (0.0, 1, True),
        ]
    ),
    *(Case(row, "any shape", [apart(1, 5, 6) * 5], [], settings) for row, settings in ACTIVATIONS.items()),
    Case("normalised", "a batch's own", [normal(1, 5, 3, 2), positive(2, 1, 3, 1), normal(3, 1, 3, 1)], [], NORMAL),
    Case("normalised", "constants", [normal(1, 5, 3), positive(2, 1, 3), normal(3, 1, 3)], [], CONSTANT),
    Case(
        "layer_norm",
        "over two axes",
        [normal(1, 4, 3, 2), positive(2, 1, 3, 2), normal(3, 1, 3, 2)],
        [],
        {"over": 2, "epsilon": 1e-5},
    ),
    Case(
        "batch_norm",
        "a batch's own",
        [normal(1, 5, 3, 2), positive(2, 3), normal(3, 3)],
        RUNNING,
        NORM | {"batch": True},
    ),
    Case(
        "batch_norm", "lanes left", [normal(1, 18, 2), positive(2, 2), normal(3, 2)], RUNNING2, NORM | {"batch": True}
    ),
    Case(
        "batch_norm", "running", [normal(1, 5, 3, 2, 2), positive(2, 3), normal(3, 3)], RUNNING, NORM | {"batch": False}
    ),
    Case("upsample2d", "twice", [normal(1, 3, 2, 3, 2)], [], {"factor": (2, 2)}),
    Case("upsample2d", "sides", [normal(1, 17, 1, 2, 3)], [], {"factor": (1, 3)}),
    Case("embedding", "repeated", [normal(1, 4, 3)], [], {"index": np.array([[1, 1], [0, 3]]), "padding": None}),
    Case("embedding", "padding", [normal(1, 4, 3)], [], {"index": np.array([1, 0, 1, 3]), "padding": 1}),
    *(
        Case("pad", mode, [normal(1, 3, 4)], [], {"pads": [(1, 2), (0, 3)], "mode": mode, "value": 0.5})
        for mode in ("constant", "reflect", "replicate", "circular")
    ),
    Case("binary_cross_entropy", "probabilities", [np.random.RandomState(1).uniform(0.1, 0.9, (3, 4))], [TARGETS]),
    _conv("plain", (2, 3, 3, 4), (3, 2, 2, 3), row="conv2d_transpose", output_padding=(0, 0)),
    _conv(
        "all",
        (2, 4, 3, 2),
        (4, 3, 3, 2),
        row="conv2d_transpose",
        output_padding=(1, 0),
        stride=(2, 3),
        padding=(1, 0, 1, 1),
    ),
    _conv(
        "groups",
        (17, 4, 2, 2),
        (4, 3, 2, 2),
        False,
        row="conv2d_transpose",
        output_padding=(0, 0),
        groups=2,
        dilation=(2, 1),
    ),
    Case("fill", "any shape", [normal(1, 3, 4)], [], {"value": 2.0}),
    Case("setitem", "a column", [normal(1, 3, 4), normal(2, 3)], [], {"key": (slice(None), 1)}),
    Case("setitem", "a mask", [normal(1, 4), normal(2, 1)], [], {"key": np.array([True, False, True, True])}),
    Case("singular_values", "a stack", [normal(1, 2, 3, 4)]),
    Case("cumsum", "an axis", [normal(1, 3, 4)], [], {"axis": 1}),
    Case("expand", "axes", [normal(1, 3, 1)], [], {"shape": (2, 3, 4)}),
    Case("tile", "axes", [normal(1, 3, 2)], [], {"times": (2, 1, 3)}),
    Case("flip", "axes", [normal(1, 3, 2)], [], {"axis": (0, 1)}),
    Case("roll", "axes", [normal(1, 3, 4)], [], {"shifts": [1, -2], "axis": (0, 1)}),
    Case("tril", "a stack", [normal(1, 2, 3, 4)], [], {"k": 1}),
    Case("triu", "a matrix", [normal(1, 3, 4)], [], {"k": -1}),
    Case("diag", "a vector", [normal(1, 3)], [], {"k": -2, "fill": 0.5}),
    Case("diag", "a matrix", [normal(1, 3, 4)], [], {"k": 1, "fill": 0}),
    Case(
        "take_along_axis", "repeated", [normal(1, 3, 4)], [], {"index": np.array([[0, 0], [3, 1], [2, 2]]), "axis": 1}
    ),
    Case("where", "broadcast", [normal(1, 3, 4), normal(2, 4)], [], {"mask": normal(3, 3, 1) > 0}),
    *MORE,
]


def test_every_row_is_here() -> None:
    composed = {name.partition(",")[0] for name in COMPOSED}
    theirs = {"plan", "output"}  # the last tests of this file
    assert {case.row for case in CASES} | composed | theirs == set(TABLE)


def call(case: Case, arrays: list[np.ndarray], wants: bool = False) -> tuple[list[Tensor], Tensor]:
    """The row on float64 tensors; dropout draws the same mask each time."""
    random.seed(11)
    inputs = [to_tensor(a, stop_gradient=not wants) for a in arrays]
    return inputs, tape.call(case.row, *inputs, *case.rest, **attrs_of(case, arrays))


def attrs_of(case: Case, arrays: list[np.ndarray]) -> dict[str, Any]:
    """A normalisation's statistics are those of its input."""
    attrs = dict(case.attrs)
    if case.row == "normalised" and attrs["axes"]:
        attrs |= {name: getattr(arrays[0], name)(axis=attrs["axes"], keepdims=True) for name in ("mean", "var")}
    return attrs


def differences(f: Callable[[np.ndarray], float], x: np.ndarray, step: float) -> np.ndarray:
    """Central differences of a number with respect to every element of x."""
    out = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        moved = x.copy()
        moved[i] = x[i] + step
        above = f(moved)
        moved[i] = x[i] - step
        out[i] = (above - f(moved)) / (2 * step)
    return out


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.row}: {c.name}")
def test_gradient(case: Case) -> None:
    inputs, y = call(case, case.arrays, wants=True)
    seed = normal(9, *y.shape).astype(np.float32).astype(float)
    y.backward(to_tensor(seed.astype(y.numpy().dtype)))
    for place, (t, array) in enumerate(zip(inputs, case.arrays, strict=True)):

        def total(moved: np.ndarray, place: int = place) -> float:
            arrays = [moved if i == place else a for i, a in enumerate(case.arrays)]
            return float((call(case, arrays)[1].numpy() * seed).sum())

        assert t.grad is not None
        got, want = t.grad.numpy(), differences(total, array, case.step)
        assert got.shape == array.shape
        assert np.linalg.norm(got - want) <= TOLERANCE * max(float(np.linalg.norm(want)), 1.0), f"input {place}"


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.row}: {c.name}")
def test_an_input_that_wants_no_gradient_gets_none(case: Case) -> None:
    for frozen in range(len(case.arrays)):
        random.seed(11)
        inputs = [to_tensor(a, stop_gradient=i == frozen) for i, a in enumerate(case.arrays)]
        y = tape.call(case.row, *inputs, *case.rest, **attrs_of(case, case.arrays))
        assert y.stop_gradient == (len(inputs) == 1)
        y.backward()
        assert inputs[frozen].grad is None
        assert all(t.grad is not None for i, t in enumerate(inputs) if i != frozen)


@pytest.mark.parametrize("name", COMPOSED)
def test_gradient_of_a_composition(name: str) -> None:
    x = to_tensor(SQUARE, stop_gradient=False)
    y = COMPOSED[name](x)
    seed = normal(9, *y.shape)
    y.backward(to_tensor(seed))

    def total(moved: np.ndarray) -> float:
        return float((COMPOSED[name](to_tensor(moved)).numpy() * seed).sum())

    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), differences(total, SQUARE, STEP), rtol=1e-6, atol=1e-7)


class _Both(nn.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 2), nn.Linear(3, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.first(x), self.second(x)


def test_gradient_of_a_plan_s_outputs() -> None:
    """A linear layer's gradient is its input, each row times what flows into it."""
    net, x = _Both(), normal(1, 20, 3).astype(np.float32)
    jit.to_static(net)
    seeds = [normal(2, 20, 2).astype(np.float32), normal(3, 20, 4).astype(np.float32)]
    first, second = net(to_tensor(x))
    assert net.forward.plan_reason == ""
    ((first * to_tensor(seeds[0])).sum() + (second * to_tensor(seeds[1])).sum()).backward()
    for layer, seed in zip((net.first, net.second), seeds, strict=True):
        np.testing.assert_allclose(layer.weight.grad.numpy(), x.T @ seed, rtol=0, atol=1e-5)
        np.testing.assert_allclose(layer.bias.grad.numpy(), seed.sum(0), rtol=0, atol=1e-5)


def test_gradient_of_a_plan() -> None:
    """A network of smooth rows as a plan in float32, against differences of the same network in double."""
    random.seed(3)
    net = nn.Sequential(
        nn.Conv2D(2, 3, 3, padding=1),
        nn.Tanh(),
        nn.AvgPool2D(2),
        nn.Flatten(),
        nn.Linear(12, 5),
        nn.Sigmoid(),
        nn.Linear(5, 4),
    )
    x, seed = normal(1, 5, 2, 4, 4).astype(np.float32), normal(2, 5, 4)
    jit.to_static(net)
    y = net(to_tensor(x))
    assert net.forward.plan_reason == ""
    y.backward(to_tensor(seed.astype(np.float32)))
    weights = [p.numpy().astype(float) for p in net.parameters()]

    def output(w: list[np.ndarray]) -> np.ndarray:
        t = [to_tensor(a) for a in w]
        conv = {"stride": (1, 1), "padding": (1, 1, 1, 1), "dilation": (1, 1), "groups": 1}
        pool = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0, 0, 0), "ceil_mode": False, "exclusive": True}
        z = tape.call("tanh", tape.call("conv2d", to_tensor(x.astype(float)), t[0], t[1], **conv))
        z = tape.call("flatten", tape.call("avg_pool2d", z, divisor=None, **pool), start=1, stop=-1)
        z = tape.call("sigmoid", tape.call("linear", z, t[2], t[3]))
        return tape.call("linear", z, t[4], t[5]).numpy()

    for place, p in enumerate(net.parameters()):

        def total(moved: np.ndarray, place: int = place) -> float:
            return float((output([moved if i == place else w for i, w in enumerate(weights)]) * seed).sum())

        want = differences(total, weights[place], STEP)
        assert p.grad is not None
        # the plan rounds to float32: 6e-8 an operation, a few dozen of them in a row
        assert np.linalg.norm(p.grad.numpy() - want) <= 2e-6 * np.linalg.norm(want), p.name
