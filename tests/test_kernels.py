"""Every kernel, at every ISA level this machine has, against the plain loops in double precision, on odd shapes.

Float calls of ``_core`` run the level that the ``level`` fixture has chosen; the same calls on ``Buffer64`` run
core/reference.cpp in double, the oracle. That the oracle itself is right is shown here for a few shapes by numpy loops, in
test_gradients by finite differences and in test_parity by real Paddle. Fused kernels have no call of their own: they
run inside a plan.
"""

from __future__ import annotations

import functools
import math
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import chained

from lenet import _core

L = _core.LANES
LEVELS = [name for name, usable, _ in _core.levels() if usable]

# Sums of up to 640 products in float32, in whatever order a level adds them: the worst of all cases here is 3e-7.
SUMS = 2e-6
# A weight gradient sums up to 65 x 784 products, and the plain loops do so one by one: their worst is 1.9e-6.
WEIGHT_SUMS = 4e-6
# A bias gradient sums up to 65 x 400 numbers of either sign, which mostly cancel.
LONG_SUMS = 1e-5
# One operation an element, or a handful: half a unit in the last place each.
FEW = 3e-7


def use(name: str) -> None:
    """Choose a level; fail unless it is the one that runs from now on."""
    assert _core.select_level(name) is None
    assert _core.level() == name


@pytest.fixture(params=LEVELS)
def level(request: pytest.FixtureRequest) -> Any:
    before = _core.level()
    use(request.param)
    yield request.param
    ran = _core.level()
    use(before)
    assert ran == request.param, "the test ran on another level"


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


def lanes(array: np.ndarray, kind: type = np.float32) -> Any:
    return _core.to_lanes(np.ascontiguousarray(array, kind), len(array))


def dense(buffer: Any, *shape: int) -> np.ndarray:
    out = np.empty(shape, np.float64 if isinstance(buffer, _core.Buffer64) else np.float32)
    _core.from_lanes(buffer, shape[0], out)
    return out


def distance(ours: np.ndarray, exact: np.ndarray) -> float:
    """‖ours - exact‖ / ‖exact‖."""
    assert ours.shape == exact.shape
    return float(np.linalg.norm((ours - exact).ravel()) / max(float(np.linalg.norm(exact.ravel())), 1e-30))


def assert_near(ours: dict[str, np.ndarray], exact: dict[str, np.ndarray], tolerance: dict[str, float]) -> None:
    for name, values in ours.items():
        assert np.isfinite(values).all(), name
        assert distance(values, exact[name]) <= tolerance.get(name, SUMS), name


# ---- levels ------------------------------------------------------------------------------------------------------------


def test_the_reference_and_at_least_one_fast_level_are_compiled_in() -> None:
    names = [name for name, _, _ in _core.levels()]
    assert names[-1] == "reference"
    assert len(names) > 1


def test_a_level_that_is_missing_is_refused_with_the_reason() -> None:
    before = _core.level()
    assert "no such level" in _core.select_level("sse9")
    for name, usable, _ in _core.levels():
        if not usable:
            assert "lacks" in _core.select_level(name)
    assert _core.level() == before


@pytest.mark.parametrize("name", LEVELS)
def test_lenet_isa_forces_a_level(name: str) -> None:
    code = "from lenet import _core; print(_core.level())"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "LENET_ISA": name}, capture_output=True, text=True
    )
    assert done.stdout.strip() == name, done.stderr


def test_lenet_isa_with_an_unknown_level_says_which_there_are() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import lenet"], env={**os.environ, "LENET_ISA": "v9"}, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert f"LENET_ISA: got 'v9' (no such level is compiled in), expected one of {', '.join(LEVELS)}" in done.stderr


# ---- layout ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 3, 16, 17, 65])
@pytest.mark.parametrize("features", [1, 7, 84])
def test_lanes_and_back(n: int, features: int) -> None:
    x = normal(n, n, features)
    buffer = lanes(x)
    assert buffer.size == math.ceil(n / L) * features * L
    assert np.array_equal(dense(buffer, n, features), x)
    raw = np.empty(buffer.size, np.float32)
    buffer.copy_to(raw)
    raw = raw.reshape(-1, features, L)
    for i in range(n):
        assert np.array_equal(raw[i // L, :, i % L], x[i])
    assert not raw[-1, :, n - L * (len(raw) - 1) :].any()  # pad lanes are zero


def test_gather_looks_bytes_up_in_a_table() -> None:
    images = np.random.RandomState(0).randint(0, 256, (20, 9)).astype(np.uint8)
    table = normal(1, 256)
    rows = np.array([19, 0, 7, 7, 3] * 4, np.int64)
    assert np.array_equal(dense(_core.gather(images, 9, rows, table), 20, 9), table[images[rows]])


def test_gather_refuses_an_index_outside() -> None:
    images, table = np.zeros((3, 4), np.uint8), np.zeros(256, np.float32)
    with pytest.raises(ValueError, match="outside the images"):
        _core.gather(images, 4, np.array([3], np.int64), table)


# ---- convolution -------------------------------------------------------------------------------------------------------

BATCHES, CHANNELS, SIZES = [1, 3, 16, 17, 65], [1, 5, 6, 7, 13], [1, 2, 3, 5, 7]


def _conv_cases() -> list[tuple[int, ...]]:
    """N, C, H, W, K, kh, kw, sh, sw, top, bottom, left, right, dh, dw, groups: every pair of sizes meets once."""
    cases = []
    for i in range(5):
        for j in range(5):
            kh, kw = SIZES[(i + j) % 5], SIZES[(i + 3 * j) % 5]
            cases.append(
                (BATCHES[i], CHANNELS[j], kh + 4, kw + 6, CHANNELS[(2 * i + j) % 5], kh, kw, 1, 1, 0, 0, 0, 0, 1, 1, 1)
            )
    plain = (1, 1, 1)
    cases += [
        (64, 1, 28, 28, 6, 5, 5, 1, 1, 2, 2, 2, 2, *plain),  # the tutorial's
        (17, 6, 14, 14, 16, 5, 5, 1, 1, 0, 0, 0, 0, *plain),
        (3, 1, 28, 28, 6, 3, 3, 1, 1, 1, 1, 1, 1, *plain),  # Paddle's other LeNet
        (17, 5, 9, 11, 7, 3, 5, 2, 1, 0, 0, 0, 0, *plain),  # strides
        (3, 7, 10, 8, 5, 5, 2, 3, 2, 0, 0, 0, 0, *plain),
        (16, 6, 9, 9, 13, 2, 2, 4, 4, 1, 1, 1, 1, *plain),  # stride larger than the kernel
        (1, 1, 7, 7, 1, 3, 3, 1, 1, 2, 2, 2, 2, *plain),  # paddings
        (17, 13, 5, 6, 6, 3, 3, 1, 1, 0, 1, 2, 0, *plain),
        (3, 5, 4, 4, 7, 7, 7, 1, 1, 3, 3, 3, 3, *plain),  # kernel larger than the image
        (3, 2, 3, 3, 3, 2, 2, 1, 1, 4, 4, 5, 5, *plain),  # windows that see nothing but padding
        (17, 6, 8, 7, 5, 3, 3, 2, 2, 1, 0, 0, 1, *plain),
        (16, 5, 1, 1, 12, 1, 1, 1, 1, 0, 0, 0, 0, *plain),  # one position
        (3, 3, 1, 40, 2, 1, 5, 1, 1, 0, 0, 0, 0, *plain),  # one row, one column
        (3, 3, 40, 1, 2, 5, 1, 1, 1, 0, 0, 0, 0, *plain),
        (17, 5, 11, 9, 6, 3, 2, 1, 1, 0, 0, 0, 0, 2, 3, 1),  # dilation
        (3, 1, 12, 12, 7, 3, 3, 2, 1, 2, 2, 1, 1, 2, 2, 1),
        (17, 6, 7, 7, 6, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 2),  # groups
        (3, 6, 6, 5, 12, 2, 3, 1, 2, 0, 0, 1, 1, 1, 1, 6),
        (3, 4, 9, 9, 2, 3, 3, 1, 1, 1, 1, 1, 1, 2, 2, 2),
    ]
    return cases


def _convolve(case: tuple[int, ...], kind: type, absolute: bool = False) -> dict[str, np.ndarray]:
    """Output and gradients of one convolution in float (the level in use) or double (the plain loops).

    absolute: of the numbers' magnitudes, which gives the sums of all products without their signs.
    """
    n, c, h, w, k, kh, kw = case[:7]
    groups = case[-1]
    conv = _core.Conv(*case[1:])
    x, weight, bias = normal(1, n, c, h, w), normal(2, k, c // groups, kh, kw), normal(3, k)
    dy = normal(4, n, k, conv.OH, conv.OW)
    if absolute:
        x, weight, bias, dy = np.abs(x), np.abs(weight), np.abs(bias), np.abs(dy)
    weight, bias = weight.astype(kind), bias.astype(kind)
    y = _core.conv2d(conv, n, lanes(x, kind), weight, bias)
    dw, db = np.empty_like(weight), np.empty_like(bias)
    dx = _core.conv2d_backward(conv, n, lanes(x, kind), weight, lanes(dy, kind), True, dw, db)
    unbiased = _core.conv2d(conv, n, lanes(x, kind), weight, None)
    shape = (n, k, conv.OH, conv.OW)
    return {"y": dense(y, *shape), "unbiased": dense(unbiased, *shape), "dw": dw, "db": db, "dx": dense(dx, n, c, h, w)}


@functools.cache
def _exact_convolution(case: tuple[int, ...]) -> dict[str, np.ndarray]:
    return _convolve(case, np.float64)


@pytest.mark.parametrize("case", _conv_cases(), ids=lambda c: "-".join(map(str, c)))
def test_convolution(level: str, case: tuple[int, ...]) -> None:
    assert_near(_convolve(case, np.float32), _exact_convolution(case), {"dw": WEIGHT_SUMS, "db": LONG_SUMS})


@st.composite
def conv_shapes(draw: st.DrawFn) -> tuple[int, ...]:
    kh, kw = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    dh, dw, groups = draw(st.sampled_from([(1, 1, 1)] * 4 + [(2, 1, 1), (1, 2, 2), (1, 1, 3)]))
    top, bottom, left, right = (draw(st.integers(0, 3)) for _ in range(4))
    h = draw(st.integers(max((kh - 1) * dh + 1 - top - bottom, 1), 14))
    w = draw(st.integers(max((kw - 1) * dw + 1 - left - right, 1), 14))
    c, k = groups * draw(st.integers(1, 7)), groups * draw(st.integers(1, 9))
    strides = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return draw(st.integers(1, 35)), c, h, w, k, kh, kw, *strides, top, bottom, left, right, dh, dw, groups


@settings(max_examples=60, deadline=None, derandomize=True)
@given(case=conv_shapes())
def test_convolution_of_any_shape(case: tuple[int, ...]) -> None:
    exact, magnitudes = _convolve(case, np.float64), _convolve(case, np.float64, absolute=True)
    before = _core.level()
    try:
        for name in LEVELS:
            use(name)
            for what, ours in _convolve(case, np.float32).items():
                # single numbers whose products nearly cancel occur here: the error belongs to the products' own size
                assert np.abs(ours - exact[what]).max() <= 1e-6 * magnitudes[what].max(), what
    finally:
        use(before)


def test_the_plain_convolution_is_the_textbook_sum() -> None:
    n, c, h, w, k, kh, kw = 2, 4, 7, 6, 6, 3, 2
    stride, (top, bottom, left, right), dilation, groups = (2, 1), (1, 0, 2, 1), (1, 2), 2
    conv = _core.Conv(c, h, w, k, kh, kw, *stride, top, bottom, left, right, *dilation, groups)
    x, weight, bias = normal(1, n, c, h, w), normal(2, k, c // groups, kh, kw), normal(3, k)
    padded = np.pad(x.astype(float), ((0, 0), (0, 0), (top, bottom), (left, right)))
    want = np.empty((n, k, conv.OH, conv.OW))
    for o in range(k):
        first = o // (k // groups) * (c // groups)
        for row in range(conv.OH):
            for column in range(conv.OW):
                rows = row * stride[0] + dilation[0] * np.arange(kh)
                columns = column * stride[1] + dilation[1] * np.arange(kw)
                window = padded[:, first : first + c // groups][:, :, rows][:, :, :, columns]
                want[:, o, row, column] = (window * weight[o]).sum((1, 2, 3)) + bias[o]
    got = dense(_core.conv2d(conv, n, lanes(x, np.float64), weight.astype(float), bias.astype(float)), *want.shape)
    assert distance(got, want) < 1e-14  # both in double


def test_gradients_can_be_asked_for_one_by_one(level: str) -> None:
    case = (17, 5, 7, 8, 6, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1)
    conv, n = _core.Conv(*case[1:]), case[0]
    x, w, dy = lanes(normal(1, n, 5, 7, 8)), normal(2, 6, 5, 3, 3), lanes(normal(4, n, 6, 7, 8))
    exact = _exact_convolution(case)
    dw, db = np.empty((6, 5, 3, 3), np.float32), np.empty(6, np.float32)
    assert _core.conv2d_backward(conv, n, x, w, dy, False, dw, None) is None
    assert _core.conv2d_backward(conv, n, x, w, dy, False, None, db) is None
    dx = _core.conv2d_backward(conv, n, x, w, dy, True, None, None)
    assert_near({"dw": dw, "db": db, "dx": dense(dx, n, 5, 7, 8)}, exact, {"dw": WEIGHT_SUMS, "db": LONG_SUMS})


# ---- pooling -----------------------------------------------------------------------------------------------------------

# N, C, H, W, kh, kw, sh, sw, top, bottom, left, right, ceil_mode, exclusive, divisor
POOLS: list[tuple[Any, ...]] = [
    (64, 6, 28, 28, 2, 2, 2, 2, 0, 0, 0, 0, False, True, 0),
    (17, 16, 10, 10, 2, 2, 2, 2, 0, 0, 0, 0, False, True, 0),
    (1, 1, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, False, True, 0),
    (3, 5, 7, 9, 2, 2, 2, 2, 0, 0, 0, 0, False, True, 0),  # odd sizes: the last row and column take no part
    (3, 5, 7, 9, 2, 2, 2, 2, 0, 0, 0, 0, True, True, 0),  # … or do, with ceil_mode
    (3, 5, 7, 9, 2, 2, 2, 2, 0, 0, 0, 0, True, False, 0),
    (16, 7, 8, 8, 3, 3, 1, 1, 0, 0, 0, 0, False, True, 0),  # overlapping
    (65, 1, 9, 7, 3, 2, 2, 1, 1, 1, 1, 1, False, True, 0),  # padded
    (17, 13, 6, 6, 3, 3, 2, 2, 1, 1, 1, 1, False, False, 0),
    (3, 2, 5, 8, 3, 4, 2, 3, 0, 2, 1, 3, True, True, 0),
    (3, 2, 5, 8, 3, 4, 2, 3, 2, 0, 3, 1, True, False, 0),
    (17, 6, 7, 7, 7, 7, 1, 1, 0, 0, 0, 0, False, True, 0),  # global
    (3, 6, 5, 5, 1, 1, 2, 2, 0, 0, 0, 0, False, True, 0),  # windows with gaps between
    (3, 6, 9, 9, 2, 3, 4, 5, 1, 0, 0, 2, True, True, 0),
    (16, 5, 6, 6, 5, 5, 3, 3, 2, 2, 2, 2, False, True, 7),  # a divisor of one's own
]


def _pool(case: tuple[Any, ...], kind: type, x: np.ndarray) -> dict[str, np.ndarray]:
    n, c = case[:2]
    pool = _core.Pool(*case[1:])
    shape = (n, c, pool.OH, pool.OW)
    dy = lanes(normal(2, *shape), kind)
    y, winner = _core.max_pool2d(pool, n, lanes(x, kind))
    return {
        "max": dense(y, *shape),
        "max dx": dense(_core.max_pool2d_backward(pool, n, dy, winner), *x.shape),
        "avg": dense(_core.avg_pool2d(pool, n, lanes(x, kind)), *shape),
        "avg dx": dense(_core.avg_pool2d_backward(pool, n, dy), *x.shape),
    }


@pytest.mark.parametrize("case", POOLS, ids=lambda c: "-".join(str(int(v)) for v in c))
@pytest.mark.parametrize("ties", [False, True])
def test_pooling(level: str, case: tuple[Any, ...], ties: bool) -> None:
    x = normal(1, *case[:4])
    if ties:
        x = np.round(x * 2) / 2
    ours, exact = _pool(case, np.float32, x), _pool(case, np.float64, x)
    assert np.array_equal(ours.pop("max"), exact["max"])  # a maximum rounds nothing
    assert_near(ours, exact, {"max dx": FEW, "avg": FEW, "avg dx": FEW})  # sums of at most 49 numbers


@st.composite
def pool_shapes(draw: st.DrawFn) -> tuple[Any, ...]:
    kh, kw = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    top, bottom = draw(st.integers(0, kh - 1)), draw(st.integers(0, kh - 1))
    left, right = draw(st.integers(0, kw - 1)), draw(st.integers(0, kw - 1))
    h = draw(st.integers(max(kh - top - bottom, 1), 11))
    w = draw(st.integers(max(kw - left - right, 1), 11))
    n, c, sh, sw = draw(st.integers(1, 35)), draw(st.integers(1, 5)), draw(st.integers(1, 4)), draw(st.integers(1, 4))
    return (
        n,
        c,
        h,
        w,
        kh,
        kw,
        sh,
        sw,
        top,
        bottom,
        left,
        right,
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.integers(0, 3)),
    )


@settings(max_examples=80, deadline=None, derandomize=True)
@given(case=pool_shapes())
def test_pooling_of_any_shape(case: tuple[Any, ...]) -> None:
    x = np.round(normal(1, *case[:4]) * 3) / 3
    exact = _pool(case, np.float64, x)
    before = _core.level()
    try:
        for name in LEVELS:
            use(name)
            assert_near(_pool(case, np.float32, x), exact, dict.fromkeys(exact, FEW))
    finally:
        use(before)


def test_the_plain_pooling_is_the_textbook_one() -> None:
    n, c, h, w = 2, 3, 6, 7
    case = (c, h, w, 3, 2, 2, 2, 1, 1, 0, 1, False, True, 0)
    pool = _core.Pool(*case)
    x = normal(1, n, c, h, w).astype(float)
    y, _ = _core.max_pool2d(pool, n, lanes(x, np.float64))
    mean = _core.avg_pool2d(pool, n, lanes(x, np.float64))
    most, average = np.empty((n, c, pool.OH, pool.OW)), np.empty((n, c, pool.OH, pool.OW))
    for row in range(pool.OH):
        for column in range(pool.OW):
            window = x[:, :, max(row * 2 - 1, 0) : row * 2 + 2, column * 2 : column * 2 + 2]
            most[:, :, row, column], average[:, :, row, column] = window.max((2, 3)), window.mean((2, 3))
    assert np.array_equal(dense(y, *most.shape), most)
    assert distance(dense(mean, *most.shape), average) < 1e-14  # both in double


def test_the_first_of_equals_gets_the_whole_gradient(level: str) -> None:
    pool = _core.Pool(1, 3, 3, 2, 2, 1, 1, 0, 0, 0, 0, False, True, 0)  # four overlapping windows
    x, dy = np.ones((3, 1, 3, 3), np.float32), np.arange(1, 13, dtype=np.float32).reshape(3, 1, 2, 2)
    y, winner = _core.max_pool2d(pool, 3, lanes(x))
    want = np.zeros((3, 1, 3, 3), np.float32)
    want[:, :, :2, :2] = dy
    assert np.array_equal(dense(_core.max_pool2d_backward(pool, 3, lanes(dy), winner), 3, 1, 3, 3), want)


def test_padding_never_wins(level: str) -> None:
    pool = _core.Pool(1, 2, 2, 3, 3, 1, 1, 1, 1, 1, 1, False, True, 0)
    y, _ = _core.max_pool2d(pool, 1, lanes(np.full((1, 1, 2, 2), -5.0)))
    assert np.array_equal(dense(y, 1, 1, 2, 2), np.full((1, 1, 2, 2), -5.0))


# ---- elementwise -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 16, 17, 400, 40000])
def test_elementwise(level: str, size: int) -> None:
    a, b = normal(1, 1, size) * 3, normal(2, 1, size)

    def all_of(kind: type) -> dict[str, np.ndarray]:
        x, y = lanes(a, kind), lanes(b, kind)
        bounded = lanes(np.tanh(a) * np.float32(0.9), kind)  # 1 - y² loses digits where y is nearly 1
        out = {
            "relu": _core.relu(x),
            "relu dx": _core.relu_backward(x, y),
            "sigmoid": _core.sigmoid(x),
            "sigmoid dx": _core.sigmoid_backward(bounded, y),
            "tanh": _core.tanh(x),
            "tanh dx": _core.tanh_backward(bounded, y),
            "add": _core.add(x, y),
            "mul": _core.mul(x, y),
            "scale": _core.scale(x, 0.75),
        }
        return {name: dense(buffer, 1, size) for name, buffer in out.items()}

    ours, exact = all_of(np.float32), all_of(np.float64)
    for name in ("relu", "relu dx", "scale"):
        assert np.array_equal(ours[name], exact[name].astype(np.float32)), name
    assert np.array_equal(ours["add"], a + b)
    assert np.array_equal(ours["mul"], a * b)
    assert_near(ours, exact, dict.fromkeys(exact, FEW))


def test_relu_at_zero_has_no_slope(level: str) -> None:
    y = lanes(np.array([[0.0, -0.0, 1e-45, 2.0]]))
    dy = lanes(np.ones((1, 4)))
    assert np.array_equal(dense(_core.relu_backward(y, dy), 1, 4), [[0, 0, 1, 1]])


def test_relu_and_pooling_let_nan_through(level: str) -> None:
    x = np.zeros((17, 1, 2, 2), np.float32)
    x[3, 0, 1, 0] = x[16, 0, 0, 0] = np.nan
    hit = np.isnan(x).any((1, 2, 3))
    assert np.array_equal(np.isnan(dense(_core.relu(lanes(x)), *x.shape)), np.isnan(x))
    pool = _core.Pool(1, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, False, True, 0)
    for y in (_core.max_pool2d(pool, 17, lanes(x))[0], _core.avg_pool2d(pool, 17, lanes(x))):
        assert np.array_equal(np.isnan(dense(y, 17, 1, 1, 1)).ravel(), hit)
    assert np.array_equal(np.isnan(dense(_core.sigmoid(lanes(x)), *x.shape)), np.isnan(x))
    assert np.array_equal(np.isnan(dense(_core.tanh(lanes(x)), *x.shape)), np.isnan(x))
    logits = x.reshape(17, 4)
    assert np.array_equal(np.isnan(dense(_core.softmax(4, 17, lanes(logits)), 17, 4)).any(1), hit)


def ulps(ours: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """The error in units of the last place of the exact result (of the smallest normal number for tiny ones)."""
    size = np.maximum(np.abs(exact), np.finfo(np.float32).tiny)
    return np.abs(ours - exact) / np.exp2(np.floor(np.log2(size)) - 23)


def extremes() -> np.ndarray:
    dense_range = np.linspace(-95, 95, 1 << 17)
    tiny = np.geomspace(1e-38, 1, 1 << 14)
    special = [0.0, -0.0, 1e-45, 3e38, -3e38, np.inf, -np.inf, 88.7, -87.3, -87.4, 0.25, -0.25]
    return np.concatenate([dense_range, tiny, -tiny, special]).astype(np.float32)[None]


def test_sigmoid_to_the_last_places(level: str) -> None:
    x = extremes()
    with np.errstate(over="ignore"):
        exact = 1 / (1 + np.exp(-x.astype(np.float64)))
    got = dense(_core.sigmoid(lanes(x)), *x.shape)
    # below -87.3 the result is 0 instead of a number of at most e^-87.3 = 1.22e-38, hardly a normal one
    normal_range = x >= -87
    assert ulps(got, exact)[normal_range].max() <= 3
    assert np.abs(got - exact)[~normal_range].max() <= 1.22e-38
    assert got[0, np.flatnonzero(x[0] == np.inf)] == 1


def test_tanh_to_the_last_places(level: str) -> None:
    x = extremes()
    exact = np.tanh(x.astype(np.float64))
    got = dense(_core.tanh(lanes(x)), *x.shape)
    assert ulps(got, exact).max() <= 4
    assert np.array_equal(np.abs(got[0, np.isinf(x[0])]), [1, 1])


def test_exp_and_log_to_the_last_places(level: str) -> None:
    """Two classes: p = e^z / (1 + e^z) and loss = log(1 + e^z), for z from the clamp to 0."""
    z = np.linspace(-64, 0, 20001).astype(np.float32)
    n = len(z)
    x = lanes(np.stack([z, np.zeros_like(z)], 1))
    e = np.exp(z.astype(np.float64))
    p = dense(_core.softmax(2, n, x), n, 2)
    assert ulps(p[:, 0], e / (1 + e)).max() <= 3
    assert ulps(p[:, 1], 1 / (1 + e)).max() <= 2
    target = lanes(np.tile([0.0, 1.0], (n, 1)))
    loss, _ = _core.softmax_loss(2, n, x, target, lanes(np.ones((n, 1))))
    # 1 + e^z is rounded before the logarithm: half a unit in the last place of 1
    assert np.abs(dense(loss, n, 1)[:, 0] - np.log1p(e)).max() <= 1.5e-7


# ---- linear ------------------------------------------------------------------------------------------------------------

# The last two are beyond kCached weights, with rows and outputs left over by every block size.
LINEARS = [
    (1, 1),
    (400, 120),
    (120, 84),
    (84, 10),
    (10, 47),
    (47, 120),
    (5, 13),
    (121, 1),
    (3, 65),
    (701, 143),
    (330, 399),
]


@pytest.mark.parametrize("n", BATCHES)
@pytest.mark.parametrize(("inputs", "outputs"), LINEARS)
def test_linear(level: str, n: int, inputs: int, outputs: int) -> None:
    x, w, b, dy = normal(1, n, inputs), normal(2, inputs, outputs), normal(3, outputs), normal(4, n, outputs)

    def all_of(kind: type) -> dict[str, np.ndarray]:
        weight, bias = w.astype(kind), b.astype(kind)
        dw, db = np.empty_like(weight), np.empty_like(bias)
        y = _core.linear(inputs, outputs, n, lanes(x, kind), weight, bias)
        unbiased = _core.linear(inputs, outputs, n, lanes(x, kind), weight, None)
        dx = _core.linear_backward(inputs, outputs, n, lanes(x, kind), weight, lanes(dy, kind), True, dw, db)
        shape = (n, outputs)
        return {
            "y": dense(y, *shape),
            "unbiased": dense(unbiased, *shape),
            "dx": dense(dx, n, inputs),
            "dw": dw,
            "db": db,
        }

    exact = all_of(np.float64)
    assert distance(exact["y"], x.astype(float) @ w.astype(float) + b) < 1e-14  # both in double
    assert distance(exact["dw"], x.T.astype(float) @ dy.astype(float)) < 1e-14
    assert distance(exact["dx"], dy.astype(float) @ w.T.astype(float)) < 1e-14
    assert_near(all_of(np.float32), exact, {"dw": WEIGHT_SUMS, "db": LONG_SUMS})


# ---- softmax and its loss ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 17, 65])
@pytest.mark.parametrize("classes", [1, 2, 10, 47, 120])
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_softmax_and_loss(level: str, n: int, classes: int, scale: float) -> None:
    x = normal(1, n, classes) * np.float32(scale)
    target = np.random.RandomState(2).dirichlet(np.ones(classes), n).astype(np.float32)
    weight, dy = np.abs(normal(3, n, 1)), normal(4, n, classes)

    def all_of(kind: type) -> dict[str, np.ndarray]:
        y = _core.softmax(classes, n, lanes(x, kind))
        dx = _core.softmax_backward(
            classes, n, lanes(target, kind), lanes(dy, kind)
        )  # at a distribution that isn't saturated
        loss, dloss = _core.softmax_loss(classes, n, lanes(x, kind), lanes(target, kind), lanes(weight, kind))
        wide = (n, classes)
        return {"y": dense(y, *wide), "dx": dense(dx, *wide), "loss": dense(loss, n, 1), "dloss": dense(dloss, *wide)}

    ours, exact = all_of(np.float32), all_of(np.float64)
    z = np.maximum(x - x.max(1, keepdims=True).astype(float), -64)
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    assert distance(exact["y"], p) < 1e-13  # both in double
    if classes == 1:  # one class is certain: nothing to learn
        assert not ours["loss"].any()
        assert np.abs(ours["dloss"]).max() <= 1.2e-7 * weight.max()  # 1 - 1, one of them a rounded sum
        assert np.abs(ours["dx"]).max() <= 1e-6
        return
    want = -weight * (target * np.log(p)).sum(1, keepdims=True)
    assert distance(exact["loss"], want) < 1e-12
    assert_near(ours, exact, {})


def test_logits_are_clamped_64_below_the_largest(level: str) -> None:
    x = np.array([[0, 100, -1000]], np.float32)
    one_hot = np.array([[1, 0, 0]], np.float32)
    loss, dx = _core.softmax_loss(3, 1, lanes(x), lanes(one_hot), lanes(np.ones((1, 1))))
    assert dense(loss, 1, 1) == 64.0
    smallest = np.exp(-64.0)  # 1.6e-28
    assert np.allclose(
        dense(dx, 1, 3), [[smallest - 1, 1, smallest]], rtol=1e-6, atol=0
    )  # a few units in the last place
    assert np.allclose(dense(_core.softmax(3, 1, lanes(x)), 1, 3), [[smallest, 1, smallest]], rtol=1e-6, atol=0)


def test_an_ignored_sample_adds_nothing_even_if_it_is_nan(level: str) -> None:
    x = normal(1, 3, 4)
    x[1] = np.nan
    target = np.eye(4, dtype=np.float32)[[0, 1, 2]]
    loss, dx = _core.softmax_loss(4, 3, lanes(x), lanes(target), lanes(np.array([[1.0], [0.0], [1.0]])))
    assert dense(loss, 3, 1)[1] == 0
    assert not dense(dx, 3, 4)[1].any()
    assert np.isfinite(dense(loss, 3, 1)).all()


def test_class_targets_spread_the_smoothing() -> None:
    labels = np.array([2, 0, -100], np.int64)
    got = dense(_core.class_targets(4, 3, labels, 0.2, lanes(np.zeros((3, 4)), np.float64)), 3, 4)
    assert np.allclose(got, [[0.05, 0.05, 0.85, 0.05], [0.85, 0.05, 0.05, 0.05], [0.05] * 4], rtol=1e-15, atol=0)


def test_total_leaves_the_pad_lanes_out() -> None:
    buffer = lanes(np.arange(1, 18, dtype=np.float32)[:, None])
    assert _core.total(buffer, 17) == 17 * 18 / 2


# ---- optimizers --------------------------------------------------------------------------------------------------------

LENGTHS = [1, 7, 15, 16, 17, 100, 8191, 8192, 8193, 20001]  # tails of every width, and around the chunk of 8,192


def _optimize(rule: str, n: int, l2: float, steps: int = 3) -> tuple[np.ndarray, list[np.ndarray]]:
    p, states = normal(1, n).copy(), [np.zeros(n, np.float32), np.zeros(n, np.float32)]
    for step in range(steps):
        g = normal(10 + step, n)
        if rule == "sgd":
            _core.sgd([p], [g], 0.1, l2)
        elif rule == "adam":
            powers = float(np.float32(0.9) ** (step + 1)), float(np.float32(0.999) ** (step + 1))
            _core.adam([p], [g], [states[0]], [states[1]], 0.01, 0.9, 0.999, 1e-8, *powers, l2, 0.1)
        else:
            _core.momentum([p], [g], [states[0]], 0.1, 0.9, rule == "nesterov", l2)
    return p, states


def _optimize_exactly(rule: str, n: int, l2: float, steps: int = 3) -> tuple[np.ndarray, list[np.ndarray]]:
    p, (m, v) = normal(1, n).astype(float), np.zeros((2, n))
    for step in range(steps):
        g = normal(10 + step, n) + l2 * p
        if rule == "sgd":
            p = p - 0.1 * g
        elif rule == "adam":
            p = p * (1 - 0.01 * 0.1)
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            p = p - 0.01 * (m / (1 - 0.9 ** (step + 1))) / (np.sqrt(v / (1 - 0.999 ** (step + 1))) + 1e-8)
        else:
            m = 0.9 * m + g
            p = p - 0.1 * (g + 0.9 * m if rule == "nesterov" else m)
    return p, [m, v]


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("rule", ["sgd", "momentum", "nesterov", "adam"])
@pytest.mark.parametrize("l2", [0.0, 0.01])
def test_optimizers(level: str, rule: str, n: int, l2: float) -> None:
    p, states = _optimize(rule, n, l2)
    exact, exact_states = _optimize_exactly(rule, n, l2)
    # 1 - 0.999^t is formed in float32, as Paddle does it: 6e-8 / 0.001 of Adam's first steps, each 0.01 long
    assert distance(p, exact) <= 2e-6
    for ours, theirs in zip(states, exact_states, strict=True):
        # 1 - 0.999 in float32 is off by 5e-5 of itself at most; a moment is never more exact than its factor
        assert distance(ours, theirs) <= 5e-5


@pytest.mark.parametrize("rule", ["sgd", "momentum", "nesterov", "adam"])
@pytest.mark.parametrize("n", [17, 8193])
def test_optimizers_round_alike_at_every_level(rule: str, n: int) -> None:
    before = _core.level()
    results = []
    for name in LEVELS:
        use(name)
        p, states = _optimize(rule, n, 0.01)
        results.append(np.concatenate([p, *states]))
    use(before)
    for other in results[1:]:
        assert np.array_equal(other, results[0])


# ---- fused kernels, through a plan -------------------------------------------------------------------------------------


FUSIONS: dict[str, list[str]] = {
    "conv, relu, pool": ["relu", "max_pool2d"],
    "conv, pool": ["max_pool2d"],
    "conv, relu, pool, relu": ["relu", "max_pool2d", "relu"],
    "conv, pool, relu": ["max_pool2d", "relu"],
}


@pytest.mark.parametrize("between", FUSIONS.values(), ids=FUSIONS.keys())
@pytest.mark.parametrize(
    ("n", "c", "size", "k", "kernel", "padding"),
    [(1, 1, 8, 6, 5, 2), (17, 6, 10, 16, 3, 0), (3, 5, 7, 7, 2, 0), (65, 1, 28, 13, 5, 2), (16, 7, 4, 1, 1, 0)],
)
def test_convolution_relu_and_pooling_in_one_pass(
    level: str, n: int, c: int, size: int, k: int, kernel: int, padding: int, between: list[str]
) -> None:
    """Twice a convolution, the first with a 2x2 maximum in the same pass, against the single steps in double."""
    first = _core.Conv(c, size, size, k, kernel, kernel, 1, 1, *[padding] * 4, 1, 1, 1)
    pool = _core.Pool(k, first.OH, first.OW, 2, 2, 2, 2, 0, 0, 0, 0, False, True, 0)
    second = _core.Conv(k, pool.OH, pool.OW, 5, 1, 1, 1, 1, *[0] * 4, 1, 1, 1)
    x, dy = normal(1, n, c, size, size), normal(2, n, 5, pool.OH, pool.OW)
    values = [normal(3, k, c, kernel, kernel), normal(4, k) * 0.1, normal(5, 5, k, 1, 1), normal(6, 5) * 0.1]
    rows: list[Any] = [("conv2d", first, 0, 1)]
    area = k * first.OH * first.OW
    for name in between:
        rows.append(("max_pool2d", pool) if name == "max_pool2d" else ("relu", area, 0.0))
        area = area // 4 if name == "max_pool2d" else area
    rows += [("conv2d", second, 2, 3), ("relu", 5 * pool.OH * pool.OW, 0.0)]
    grads = [np.empty_like(v) for v in values]
    plan = chained(c * size * size, 5 * pool.OH * pool.OW, rows, values, grads)
    assert plan.fused == 2  # one pass for all up to the maximum and its relu, one for the last two rows
    entered = lanes(x)
    y, forward_pass = plan.forward(entered, n, True, _core.Generator(0))
    plan.backward(lanes(dy), entered, forward_pass, [None] * len(grads))
    few = np.empty((min(n, 8), 5 * pool.OH * pool.OW), np.float32)
    plan.infer(None, None, np.ascontiguousarray(x[:8]), None, [few])

    w1, b1, w2, b2 = (v.astype(float) for v in values)
    xl = lanes(x, np.float64)
    steps: list[tuple[str, Any]] = []
    z = _core.conv2d(first, n, xl, w1, b1)
    for name in between:
        if name == "relu":
            z = _core.relu(z)
            steps.append((name, z))
        else:
            z, winner = _core.max_pool2d(pool, n, z)
            steps.append((name, winner))
    exact = _core.relu(_core.conv2d(second, n, z, w2, b2))
    want = [np.empty_like(v) for v in (w1, b1, w2, b2)]
    dz = _core.relu_backward(exact, lanes(dy, np.float64))
    dz = _core.conv2d_backward(second, n, z, w2, dz, True, want[2], want[3])
    for name, saved in reversed(steps):
        dz = _core.relu_backward(saved, dz) if name == "relu" else _core.max_pool2d_backward(pool, n, dz, saved)
    _core.conv2d_backward(first, n, xl, w1, dz, False, want[0], want[1])
    shape = (n, 5, pool.OH, pool.OW)
    assert distance(dense(y, *shape), dense(exact, *shape)) <= SUMS
    assert distance(few, dense(exact, *shape)[:8].reshape(few.shape)) <= SUMS
    for got, wanted in zip(grads, want, strict=True):
        assert distance(got, wanted) <= LONG_SUMS  # the longest sums here, over all positions of all samples


def test_of_a_fused_window_of_equals_the_first_wins(level: str) -> None:
    """Weights of zero: all four cells of each window are the bias. The gradient must reach the first alone."""
    conv = _core.Conv(1, 4, 4, 2, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1)
    pool = _core.Pool(2, 4, 4, 2, 2, 2, 2, 0, 0, 0, 0, False, True, 0)
    x = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    values = [np.zeros((2, 1, 1, 1), np.float32), np.array([1.0, 0.0], np.float32)]  # the second is cut off by relu
    grads = [np.empty_like(v) for v in values]
    plan = chained(16, 8, [("conv2d", conv, 0, 1), ("relu", 32, 0.0), ("max_pool2d", pool)], values, grads)
    entered = lanes(x)
    _, forward_pass = plan.forward(entered, 1, True, _core.Generator(0))
    plan.backward(lanes(np.ones((1, 2, 2, 2))), entered, forward_pass, [None] * len(grads))
    assert grads[0].ravel().tolist() == [0 + 2 + 8 + 10, 0]  # the top left cell of each window
    assert grads[1].tolist() == [4, 0]


# ---- one image at a time: kernels whose lanes aren't samples, through a plan's inference of up to eight images ---------


def _infer(n_out: int, rows: list[Any], values: list[np.ndarray], x: np.ndarray) -> np.ndarray:
    out = np.empty((len(x), n_out), np.float32)
    chained(x[0].size, n_out, rows, values).infer(None, None, np.ascontiguousarray(x), None, [out])
    return out


def assert_near_products(ours: np.ndarray, exact: np.ndarray, magnitude: np.ndarray) -> None:
    """Single outputs may be sums that nearly cancel: the error belongs to the products' own size."""
    assert np.abs(ours - exact).max() <= 1e-6 * magnitude.max()


ONES = [case for case in _conv_cases() if case[-3:] == (1, 1, 1)]
ONES += [(2, c, 9, 21, k, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1) for c in (1, 7) for k in (8, 9, 16, 17, 33)]


@pytest.mark.parametrize("case", ONES, ids=lambda c: "-".join(map(str, c)))
@pytest.mark.parametrize("relu", [False, True])
def test_convolution_of_one_image(level: str, case: tuple[int, ...], relu: bool) -> None:
    case = (min(case[0], 3), *case[1:])
    conv, n, features = _core.Conv(*case[1:]), case[0], case[4]
    w, b = normal(2, features, case[1], *case[5:7]), normal(3, features)
    size = features * conv.OH * conv.OW
    x = normal(1, n, *case[1:4])
    rows: list[Any] = [("conv2d", conv, 0, 1), *([("relu", size, 0.0)] if relu else [])]
    exact = _convolve(case, np.float64)["y"].reshape(n, size)
    magnitude = _convolve(case, np.float64, absolute=True)["y"]
    assert_near_products(_infer(size, rows, [w, b], x), np.maximum(exact, 0) if relu else exact, magnitude)


@pytest.mark.parametrize(
    ("c", "h", "w", "k", "kernel", "padding"),
    [
        (1, 28, 28, 6, 5, 2),
        (6, 14, 14, 16, 5, 0),
        (1, 8, 6, 1, 3, 1),
        (5, 6, 40, 9, 3, 1),
        (3, 2, 2, 33, 1, 0),
        (2, 4, 34, 7, 3, 1),
    ],
)
def test_convolution_relu_and_pooling_of_one_image(
    level: str, c: int, h: int, w: int, k: int, kernel: int, padding: int
) -> None:
    case = (3, c, h, w, k, kernel, kernel, 1, 1, *[padding] * 4, 1, 1, 1)
    conv = _core.Conv(*case[1:])
    pool = _core.Pool(k, conv.OH, conv.OW, 2, 2, 2, 2, 0, 0, 0, 0, False, True, 0)
    rows = [("conv2d", conv, 0, 1), ("relu", k * conv.OH * conv.OW, 0.0), ("max_pool2d", pool)]
    exact = np.maximum(_convolve(case, np.float64)["y"], 0)
    exact = exact.reshape(3, k, conv.OH // 2, 2, conv.OW // 2, 2).max((3, 5)).reshape(3, -1)
    magnitude = _convolve(case, np.float64, absolute=True)["y"]
    got = _infer(k * pool.OH * pool.OW, rows, [normal(2, k, c, kernel, kernel), normal(3, k)], normal(1, 3, c, h, w))
    assert_near_products(got, exact, magnitude)


@pytest.mark.parametrize(("inputs", "outputs"), LINEARS)
@pytest.mark.parametrize("relu", [False, True])
def test_linear_of_one_image(level: str, inputs: int, outputs: int, relu: bool) -> None:
    x, w, b = normal(1, 3, inputs), normal(2, inputs, outputs), normal(3, outputs)
    rows: list[Any] = [("linear", inputs, outputs, 0, 1), *([("relu", outputs, 0.0)] if relu else [])]
    exact = x.astype(float) @ w + b
    magnitude = np.abs(x).astype(float) @ np.abs(w) + np.abs(b)
    assert_near_products(_infer(outputs, rows, [w, b], x), np.maximum(exact, 0) if relu else exact, magnitude)


def test_one_image_lets_nan_through(level: str) -> None:
    conv = _core.Conv(1, 4, 4, 2, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1)
    pool = _core.Pool(2, 4, 4, 2, 2, 2, 2, 0, 0, 0, 0, False, True, 0)
    x = normal(1, 2, 1, 4, 4)
    x[1, 0, 0, 0] = np.nan
    rows = [("conv2d", conv, 0, 1), ("relu", 32, 0.0), ("max_pool2d", pool)]
    out = _infer(8, rows, [normal(2, 2, 1, 3, 3), normal(3, 2)], x)
    assert np.isfinite(out[0]).all()
    assert np.isnan(out[1].reshape(2, 2, 2)).tolist() == [[[True, False], [False, False]]] * 2


def test_one_image_sees_weights_that_have_changed(level: str) -> None:
    conv = _core.Conv(1, 4, 4, 2, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1)
    values, x = [normal(2, 2, 1, 3, 3), normal(3, 2)], normal(1, 2, 1, 4, 4)
    plan = chained(16, 32, [("conv2d", conv, 0, 1)], values)
    out = np.empty((2, 32), np.float32)
    for _ in range(2):
        plan.infer(None, None, x, None, [out])
        assert np.array_equal(out, _infer(32, [("conv2d", conv, 0, 1)], values, x))
        values[0] *= -2
        values[1] += 1


# ---- wrong calls are refused before a kernel runs ----------------------------------------------------------------------


def test_shapes_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="makes no sense"):
        _core.Conv(3, 5, 5, 4, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 2)
    with pytest.raises(ValueError, match="kernel is larger"):
        _core.Conv(1, 5, 5, 4, 6, 3, 1, 1, 0, 0, 0, 0, 1, 1, 1)
    with pytest.raises(ValueError, match="padding must be smaller"):
        _core.Pool(1, 5, 5, 2, 2, 1, 1, 2, 0, 0, 0, False, True, 0)
    with pytest.raises(ValueError, match="window is larger"):
        _core.Pool(1, 5, 5, 6, 6, 1, 1, 0, 0, 0, 0, False, True, 0)


def test_buffers_of_another_size_are_refused() -> None:
    conv = _core.Conv(1, 5, 5, 2, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 1)
    x, w = lanes(np.zeros((3, 25))), np.zeros((2, 1, 3, 3), np.float32)
    with pytest.raises(ValueError, match="doesn't match the batch"):
        _core.conv2d(conv, 17, x, w, None)
    with pytest.raises(ValueError, match="weight or bias size"):
        _core.conv2d(conv, 3, x, w[:1], None)
    with pytest.raises(ValueError, match="differ in size"):
        _core.add(x, lanes(np.zeros((3, 24))))
    with pytest.raises(ValueError, match="differ in size"):
        _core.sgd([np.zeros(3, np.float32)], [np.zeros(4, np.float32)], 0.1, 0.0)
    with pytest.raises(TypeError):
        _core.relu(np.zeros(16, np.float32))  # an array isn't a buffer
