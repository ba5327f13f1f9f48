"""The form of few samples: every core row without a gradient on 1 to 8 images, next to the same row in lanes.

Lanes are chosen by recording (some input wants a gradient); the lanes way itself is held to the plain loops in
test_kernels, and the kernels of one image in core/test. Here: that both forms say the same, at every ISA level, and that
hooks, prints, writes and mixtures of forms work as in lanes.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import lenet
from lenet import _core, nn
from lenet.autograd import tape
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.nn import functional as F

LEVELS = [name for name, usable, _ in _core.levels() if usable]
COUNTS = (1, 2, 3, 7, 8)
ROUNDING = 1e-5  # float32 sums of up to 250 products in two orders, next to the largest result


@pytest.fixture(params=LEVELS)
def level(request: pytest.FixtureRequest) -> Iterator[str]:
    before = _core.level()
    assert _core.select_level(request.param) is None
    yield request.param
    _core.select_level(before)


def normal(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


def both(name: str, x: np.ndarray[Any, Any], *parameters: Any, **attrs: Any) -> tuple[Tensor, Tensor]:
    """A row's output in the form of few and in lanes."""
    rest = [None if p is None else to_tensor(p) for p in parameters]
    few = tape.call(name, to_tensor(x), *rest, **attrs)
    lanes = tape.call(name, to_tensor(x, stop_gradient=False), *rest, **attrs)
    assert few._few is not None
    assert few.stop_gradient
    assert lanes._few is None
    assert lanes._lanes is not None
    assert few.shape == lanes.shape
    return few, lanes


def assert_close(few: Tensor, lanes: Tensor) -> None:
    ours, exact = few.numpy(), lanes.numpy()
    np.testing.assert_allclose(ours, exact, rtol=ROUNDING, atol=ROUNDING * float(np.abs(exact).max()))


# ---- rows, both ways ---------------------------------------------------------------------------------------------------

CONVS = [  # C, H, W, K, kernel, stride, padding, dilation, groups
    (1, 28, 28, 6, (5, 5), (1, 1), (2, 2, 2, 2), (1, 1), 1),
    (6, 14, 14, 16, (5, 5), (1, 1), (0, 0, 0, 0), (1, 1), 1),
    (3, 7, 9, 5, (3, 2), (2, 1), (1, 0, 0, 1), (1, 1), 1),
    (2, 11, 13, 17, (3, 3), (2, 3), (1, 2, 0, 1), (1, 1), 1),
    (2, 5, 33, 3, (1, 1), (1, 1), (0, 0, 0, 0), (1, 1), 1),
    (5, 9, 12, 10, (3, 4), (1, 1), (0, 1, 2, 0), (1, 1), 1),
    (4, 9, 8, 6, (3, 3), (1, 2), (1, 1, 1, 1), (2, 1), 2),
]


@pytest.mark.parametrize("n", COUNTS)
@pytest.mark.parametrize("shape", CONVS, ids=str)
def test_conv2d(level: str, shape: tuple[Any, ...], n: int) -> None:
    C, H, W, K, kernel, stride, padding, dilation, groups = shape
    attrs = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    w = normal(K, C // groups, *kernel, seed=1)
    assert_close(*both("conv2d", normal(n, C, H, W), w, normal(K, seed=2), **attrs))
    assert_close(*both("conv2d", normal(n, C, H, W), w, None, **attrs))


POOLS = [  # C, H, W, kernel, stride, padding, ceil_mode
    (6, 28, 28, (2, 2), (2, 2), (0, 0, 0, 0), False),
    (3, 7, 35, (2, 2), (2, 2), (0, 0, 0, 0), True),
    (3, 9, 40, (3, 3), (2, 2), (1, 1, 1, 1), False),
    (2, 8, 7, (3, 2), (1, 1), (0, 1, 1, 0), False),
    (2, 10, 23, (2, 3), (3, 4), (1, 0, 2, 2), True),
    (4, 6, 5, (6, 5), (6, 5), (0, 0, 0, 0), False),
]


@pytest.mark.parametrize("n", COUNTS)
@pytest.mark.parametrize("shape", POOLS, ids=str)
def test_pooling(level: str, shape: tuple[Any, ...], n: int) -> None:
    C, H, W, kernel, stride, padding, ceil = shape
    window = {"kernel": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil}
    x = np.round(normal(n, C, H, W) * 2) / 2
    x[0, 0, 0, 0] = np.nan
    few, lanes = both("max_pool2d", x, **window)
    assert np.isnan(few.numpy()).any()
    np.testing.assert_array_equal(few.numpy(), lanes.numpy())
    x[0, 0, 0, 0] = 0
    for exclusive, divisor in ((True, None), (False, None), (True, 3)):
        assert_close(*both("avg_pool2d", x, **window, exclusive=exclusive, divisor=divisor))


@pytest.mark.parametrize("n", COUNTS)
@pytest.mark.parametrize("shape", [(400, 120), (84, 10), (1, 1), (47, 13), (5, 200), (256, 600)], ids=str)
def test_linear(level: str, shape: tuple[int, int], n: int) -> None:
    """256 x 600: so many weights that from five images on they are read once for all of them."""
    w, b = normal(*shape, seed=1), normal(shape[1], seed=2)
    assert_close(*both("linear", normal(n, shape[0]), w, b))
    assert_close(*both("linear", normal(n, shape[0]), w, None))


@pytest.mark.parametrize("n", COUNTS)
@pytest.mark.parametrize("shape", [(1,), (10,), (37,), (3, 5, 7)], ids=str)
def test_elementwise(level: str, shape: tuple[int, ...], n: int) -> None:
    x = 4 * normal(n, *shape)
    x.flat[0] = np.nan
    for name in ("relu", "sigmoid", "tanh"):
        few, lanes = both(name, x)
        np.testing.assert_array_equal(few.numpy(), lanes.numpy())  # the same instructions on each number
    few, lanes = both("dropout", x, p=0.25, training=False, mode="downscale_in_infer")
    np.testing.assert_array_equal(few.numpy(), lanes.numpy())


@pytest.mark.parametrize("n", COUNTS)
@pytest.mark.parametrize("classes", [1, 2, 10, 16, 65])
def test_softmax(level: str, classes: int, n: int) -> None:
    few, lanes = both("softmax", 20 * normal(n, classes), axis=-1)
    np.testing.assert_allclose(few.numpy(), lanes.numpy(), rtol=ROUNDING)  # each on its own: down to e^-64
    np.testing.assert_allclose(few.numpy().sum(1), 1, rtol=ROUNDING)


def test_softmax_of_nan_is_nan_in_its_own_sample() -> None:
    x = normal(3, 17)
    x[1, 16] = np.nan
    for y in both("softmax", x, axis=1):
        assert np.isnan(y.numpy()).all(axis=1).tolist() == [False, True, False]


def test_a_residual_connection_stays_in_its_form() -> None:
    x = normal(2, 3, 4, 4)
    few, lanes = both("relu", x)
    assert (few + few)._few is not None
    np.testing.assert_array_equal((few + few).numpy(), (lanes + lanes).numpy())
    np.testing.assert_array_equal((few + to_tensor(x)).numpy(), np.maximum(x, 0) + x)
    np.testing.assert_array_equal((few + lanes).numpy(), 2 * np.maximum(x, 0))


# ---- which form, and the way between them ------------------------------------------------------------------------------


def test_recording_many_samples_and_float64_stay_in_lanes() -> None:
    x = normal(8, 4)
    assert tape.call("relu", to_tensor(x))._few is not None
    assert tape.call("relu", to_tensor(normal(9, 4)))._few is None
    assert tape.call("relu", to_tensor(x.astype(np.float64)))._few is None
    wants = to_tensor(x, stop_gradient=False)
    assert tape.call("relu", wants)._few is None
    with lenet.no_grad():
        assert tape.call("relu", wants)._few is not None


def test_the_form_is_no_matter_of_what_happened_to_a_tensor_before() -> None:
    x, w = to_tensor(normal(3, 50)), to_tensor(normal(50, 7, seed=1))
    first = tape.call("linear", x, w, None).numpy()
    x.lanes()
    x.numpy()
    np.testing.assert_array_equal(tape.call("linear", x, w, None).numpy(), first)


def test_few_samples_can_be_recorded_later() -> None:
    w = to_tensor(normal(4, 3, seed=1), stop_gradient=False)
    x = tape.call("relu", to_tensor(normal(2, 4)))
    x.stop_gradient = False
    tape.call("linear", x, w, None).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.tile(w.numpy().sum(1), (2, 1)), rtol=ROUNDING)
    np.testing.assert_allclose(w.grad.numpy(), np.tile(x.numpy().sum(0)[:, None], (1, 3)), rtol=ROUNDING)


def test_flatten_and_reshape_of_few_samples_are_free_while_the_samples_stay_in_front() -> None:
    x = tape.call("relu", to_tensor(normal(2, 3, 4)))
    assert F.relu(x.flatten(1)).shape == [2, 12]
    assert tape.call("flatten", x, start=1, stop=-1)._few is x._few
    assert tape.call("reshape", x, shape=(2, 4, -1))._few is x._few
    assert tape.call("reshape", x, shape=(4, -1))._few is None
    np.testing.assert_array_equal(tape.call("reshape", x, shape=(4, -1)).numpy(), x.numpy().reshape(4, -1))


def test_reading_writing_and_copying_few_samples() -> None:
    values = np.maximum(normal(2, 5), 0)
    x = tape.call("relu", to_tensor(normal(2, 5)))
    read = x.numpy()
    read[:] = 7  # a copy
    np.testing.assert_array_equal(x.numpy(), values)
    np.testing.assert_array_equal(np.asarray(x), values)
    np.testing.assert_array_equal(copy.deepcopy(x).numpy(), values)
    x = tape.call("relu", to_tensor(normal(2, 5)))
    x[0] = -1.0
    np.testing.assert_array_equal(tape.call("relu", x).numpy(), [np.zeros(5), values[1]])
    x = tape.call("relu", to_tensor(normal(2, 5)))
    x.set_value(-values)
    np.testing.assert_array_equal(tape.call("relu", x).numpy(), np.zeros((2, 5)))


@pytest.mark.parametrize("n", [2, 20])
def test_weights_may_be_computed(n: int) -> None:
    """The weight of one operation is the output of another, few samples or in lanes."""
    w = normal(4, 3)
    x = normal(n, 4, seed=1)
    y = F.linear(to_tensor(x), F.relu(to_tensor(w)))
    np.testing.assert_allclose(y.numpy(), x @ np.maximum(w, 0), rtol=ROUNDING, atol=ROUNDING)
    recorded = F.linear(to_tensor(x), F.relu(to_tensor(w, stop_gradient=False)))
    np.testing.assert_allclose(recorded.numpy(), y.numpy(), rtol=ROUNDING, atol=ROUNDING)


def test_a_gradient_that_is_cleared_keeps_no_other_form() -> None:
    p = nn.Linear(4, 3).weight
    p.grad = tape.call("relu", to_tensor(normal(4, 3)))
    p.clear_gradient()
    np.testing.assert_array_equal(tape.call("sigmoid", p.grad).numpy(), np.full((4, 3), 0.5, np.float32))


def test_the_core_refuses_few_samples_where_a_backward_pass_needs_lanes() -> None:
    x = _core.to_few(normal(2, 4), 2)
    with pytest.raises(ValueError, match="takes lanes"):
        _core.softmax_backward(4, 2, x, x)
    with pytest.raises(ValueError, match="size doesn't match"):
        _core.softmax(4, 3, x)
    with pytest.raises(ValueError, match="differ"):
        _core.add(x, _core.to_lanes(normal(8, 4), 8))
    with pytest.raises(ValueError, match="too many"):
        _core.to_few(normal(9, 4), 9)


# ---- networks ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def net() -> nn.Layer:
    lenet.seed(3)
    made: nn.Layer = lenet.LeNet()
    made.eval()
    return made


@pytest.mark.parametrize("n", range(1, 9))
def test_an_image_gets_the_same_logits_alone_among_few_and_among_many(net: nn.Layer, n: int) -> None:
    images = normal(20, 1, 28, 28)
    with lenet.no_grad():
        many = net(to_tensor(images)).numpy()
        few = net(to_tensor(images[:n])).numpy()
        alone = np.concatenate([net(to_tensor(images[i : i + 1])).numpy() for i in range(n)])
    scale = float(np.abs(many).max())
    np.testing.assert_allclose(few, many[:n], rtol=ROUNDING, atol=ROUNDING * scale)
    np.testing.assert_array_equal(few, alone)  # one after another with the same kernels
    recorded = net(to_tensor(images[:n]))
    assert not recorded.stop_gradient
    np.testing.assert_allclose(few, recorded.numpy(), rtol=ROUNDING, atol=ROUNDING * scale)


def test_hooks_see_and_replace_what_passes(net: nn.Layer) -> None:
    seen: list[list[int]] = []
    image = to_tensor(normal(1, 1, 28, 28))

    def look(layer: nn.Layer, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        seen.append([*inputs[0].shape, *output.shape])
        assert repr(output).startswith("Tensor(")

    def silence(layer: nn.Layer, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return output * 0.0

    with lenet.no_grad():
        plain = net(image).numpy()
        hook = net.conv2.register_forward_post_hook(look)
        np.testing.assert_array_equal(net(image).numpy(), plain)
        hook.remove()
        hook = net.linear2.register_forward_post_hook(silence)
        np.testing.assert_allclose(net(image).numpy()[0], net.linear3.bias.numpy(), rtol=ROUNDING)
        hook.remove()
    assert seen == [[1, 6, 14, 14, 1, 16, 10, 10]]


def test_new_weights_count_from_the_next_image_on(net: nn.Layer) -> None:
    image = to_tensor(normal(1, 1, 28, 28))
    other = copy.deepcopy(net)
    with lenet.no_grad():
        before = other(image).numpy()
        other.conv2.weight.set_value(2 * other.conv2.weight.numpy())
        changed = other(image).numpy()
        many = other(to_tensor(normal(1, 1, 28, 28).repeat(9, 0))).numpy()
    assert not np.allclose(before, changed)
    np.testing.assert_allclose(changed[0], many[0], rtol=ROUNDING, atol=ROUNDING * float(np.abs(many).max()))
