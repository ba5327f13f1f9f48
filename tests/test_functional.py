"""nn.functional against real Paddle: values and gradients from identical inputs, operation by operation, and every refusal."""

from __future__ import annotations

import functools
import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lenet import nn
from lenet.autograd.random import generator, seed
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.messages.check import ShapeError
from lenet.nn import functional

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle

Array = np.ndarray[Any, Any]

CLOSE = 1e-5  # ‖ours − theirs‖ / ‖theirs‖: float32 sums in another order
TINY = 1e-7  # below this, absolute: a norm of 0 has no relative error


class Ours:
    """lenet under the names that paddle has."""

    to_tensor = staticmethod(to_tensor)
    nn = nn


def numbers(shape: tuple[int, ...], value: int = 0) -> Array:
    return np.random.default_rng(value).normal(size=shape).astype(np.float32)


def outcome(module: Any, call: Callable[..., Any], inputs: list[Array | None], wanted: int = 9) -> list[Array]:
    """The result of ``call(functional, *tensors)`` and its random projection's gradients, of the first ``wanted`` inputs."""
    tensors = [None if x is None else module.to_tensor(x, stop_gradient=i >= wanted) for i, x in enumerate(inputs)]
    y = call(module.nn.functional, *tensors)
    direction = np.random.default_rng(99).normal(size=tuple(y.shape)).astype(np.float32)
    (y * module.to_tensor(direction)).sum().backward()
    return [y.numpy(), *(t.grad.numpy() for t in tensors if t is not None and not t.stop_gradient)]


def same(call: Callable[..., Any], *inputs: Array | None, wanted: int = 9) -> None:
    """Values and gradients agree, tensor by tensor."""
    ours, theirs = outcome(Ours, call, list(inputs), wanted), outcome(paddle, call, list(inputs), wanted)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        assert np.linalg.norm(a - b) <= CLOSE * np.linalg.norm(b) + TINY


# ---- activations -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1,), (3, 7), (17, 5, 3, 2), (65, 10)])
@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh", "leaky_relu"])
def test_activations(name: str, shape: tuple[int, ...]) -> None:
    same(lambda f, x: getattr(f, name)(x), numbers(shape) * 3)


def test_leaky_relu_at_its_corner_and_with_its_slope() -> None:
    same(lambda f, x: f.leaky_relu(x, 0.2), np.array([-2.0, 0.0, 3.0], np.float32))


def test_nan_goes_through_where_paddle_swallows_it() -> None:
    x = to_tensor(np.array([np.nan, -1.0], np.float32))
    for name in ("relu", "sigmoid", "tanh", "leaky_relu", "log_softmax"):
        assert np.isnan(getattr(functional, name)(x).numpy()[0])


@pytest.mark.parametrize(("shape", "axis"), [((3, 10), -1), ((3, 10), 0), ((2, 5, 3, 4), 1), ((7,), 0), ((17, 9), 1)])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_along_any_axis(name: str, shape: tuple[int, ...], axis: int) -> None:
    same(lambda f, x: getattr(f, name)(x, axis=axis), numbers(shape) * 4)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_holds_far_logits_at_paddles_bound(name: str) -> None:
    same(lambda f, x: getattr(f, name)(x), np.array([[0.0, 100.0, -1000.0], [1.0, 2.0, 3.0]], np.float32))


def test_softmax_of_another_dtype_and_of_a_single_number() -> None:
    for name in ("softmax", "log_softmax"):
        given = getattr(functional, name)(to_tensor(numbers((2, 3))), dtype="float64")
        wanted = getattr(paddle.nn.functional, name)(paddle.to_tensor(numbers((2, 3))), dtype="float64")
        assert given.dtype == "float64"
        np.testing.assert_allclose(given.numpy(), wanted.numpy(), rtol=1e-12)  # float64 on both sides
        single = getattr(functional, name)(to_tensor(3.0))
        assert single.shape == []
        assert float(single) == float(getattr(paddle.nn.functional, name)(paddle.to_tensor(3.0)))


# ---- convolution and linear ----------------------------------------------------------------------------------------------

CONVOLUTIONS: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((1, 1, 28, 28), (6, 1, 5, 5), {"padding": 2}),
    ((3, 5, 9, 8), (7, 5, 3, 3), {}),
    ((17, 1, 7, 7), (5, 1, 7, 7), {}),
    ((65, 7, 5, 6), (1, 7, 2, 2), {"stride": 2}),
    ((2, 5, 11, 13), (4, 5, 3, 2), {"stride": [2, 3], "padding": [1, 0]}),
    ((2, 3, 8, 8), (4, 3, 3, 3), {"padding": [0, 1, 2, 1]}),
    ((2, 3, 8, 8), (4, 3, 3, 3), {"padding": [[0, 0], [0, 0], [0, 1], [2, 1]]}),
    ((2, 3, 8, 9), (4, 3, 3, 4), {"padding": "SAME"}),
    ((2, 3, 8, 9), (4, 3, 3, 4), {"padding": "same", "stride": 2}),
    ((2, 3, 8, 9), (4, 3, 3, 4), {"padding": "VALID"}),
    ((2, 3, 9, 9), (4, 3, 3, 3), {"dilation": 2}),
    ((2, 3, 9, 9), (4, 3, 3, 3), {"dilation": [2, 1], "padding": "SAME"}),
    ((2, 4, 6, 6), (6, 2, 3, 3), {"groups": 2, "padding": 1}),
    ((3, 4, 6, 6), (4, 1, 1, 1), {"groups": 4}),
]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("image", "kernel", "options"), CONVOLUTIONS)
def test_conv2d(image: tuple[int, ...], kernel: tuple[int, ...], options: dict[str, Any], bias: bool) -> None:
    b = numbers((kernel[0],), 2) if bias else None
    same(lambda f, x, w, b: f.conv2d(x, w, b, **options), numbers(image), numbers(kernel, 1), b)


@pytest.mark.parametrize(("image", "kernel", "options"), CONVOLUTIONS)
def test_the_convolution_layer_is_the_function(
    image: tuple[int, ...], kernel: tuple[int, ...], options: dict[str, Any]
) -> None:
    layer = nn.Conv2D(image[1], kernel[0], list(kernel[2:]), **options)
    x = to_tensor(numbers(image))
    wanted = functional.conv2d(x, layer.weight, layer.bias, **options)
    assert np.array_equal(layer(x).numpy(), wanted.numpy())


@pytest.mark.parametrize("shape", [(1, 4), (17, 4), (65, 4), (2, 3, 4), (4,)])
def test_linear(shape: tuple[int, ...]) -> None:
    same(lambda f, x, w, b: f.linear(x, w, b), numbers(shape), numbers((4, 7), 1), numbers((7,), 2))
    same(lambda f, x, w: f.linear(x, w), numbers(shape), numbers((4, 7), 1))


# ---- pooling -------------------------------------------------------------------------------------------------------------

POOLS: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((1, 1, 4, 4), {"kernel_size": 2}),
    ((3, 5, 7, 8), {"kernel_size": 2, "stride": 2}),
    ((17, 2, 7, 7), {"kernel_size": 3, "stride": 1}),
    ((2, 3, 7, 9), {"kernel_size": [2, 3], "stride": [1, 2]}),
    ((2, 3, 7, 7), {"kernel_size": 3, "stride": 2, "padding": 1}),
    ((2, 3, 7, 7), {"kernel_size": 2, "ceil_mode": True}),
    ((2, 3, 8, 7), {"kernel_size": 3, "stride": 2, "ceil_mode": True, "padding": [1, 0]}),
    ((2, 3, 7, 7), {"kernel_size": 3, "padding": [1, 0, 2, 1]}),
    ((2, 3, 7, 7), {"kernel_size": 3, "padding": "SAME"}),
    ((2, 3, 8, 7), {"kernel_size": [3, 2], "stride": 1, "padding": "SAME"}),
    ((2, 3, 8, 7), {"kernel_size": 3, "padding": "VALID"}),
]


@pytest.mark.parametrize(("image", "options"), POOLS)
def test_max_pool2d(image: tuple[int, ...], options: dict[str, Any]) -> None:
    same(lambda f, x: f.max_pool2d(x, **options), numbers(image))


@pytest.mark.parametrize(("image", "options"), POOLS)
def test_max_pool2d_says_where_the_winners_were(image: tuple[int, ...], options: dict[str, Any]) -> None:
    x = np.round(numbers(image))  # many ties: the first of equals wins
    pooled, mask = functional.max_pool2d(to_tensor(x), return_mask=True, **options)
    assert mask.dtype == "int32"
    assert mask.shape == pooled.shape
    taken = np.take_along_axis(x.reshape(*image[:2], -1), mask.numpy().reshape(*image[:2], -1), axis=-1)
    assert np.array_equal(taken.reshape(pooled.shape), pooled.numpy())
    if options.get("padding") not in ("SAME", "VALID") and len(np.shape(options.get("padding", 0))) == 0:
        theirs = paddle.nn.functional.max_pool2d(paddle.to_tensor(x), return_mask=True, **options)[1]
        assert np.array_equal(mask.numpy(), theirs.numpy())


@pytest.mark.parametrize("extra", [{}, {"exclusive": False}])
@pytest.mark.parametrize(("image", "options"), POOLS)
def test_avg_pool2d(image: tuple[int, ...], options: dict[str, Any], extra: dict[str, Any]) -> None:
    if options == POOLS[9][1]:
        extra = {}  # of an uneven 'SAME' padding Paddle counts the top and left cells alone
    same(lambda f, x: f.avg_pool2d(x, **options, **extra), numbers(image))


@pytest.mark.parametrize(("image", "options"), POOLS)
def test_avg_pool2d_with_a_divisor_of_ones_own(image: tuple[int, ...], options: dict[str, Any]) -> None:
    x = numbers(image)
    if "padding" not in options and "ceil_mode" not in options:  # at a border Paddle scales the mean of the real cells
        same(lambda f, x: f.avg_pool2d(x, divisor_override=3, **options), x)
    each = functional.avg_pool2d(to_tensor(x), divisor_override=1, **options).numpy()
    np.testing.assert_allclose(
        functional.avg_pool2d(to_tensor(x), divisor_override=4, **options).numpy(), each / 4, rtol=1e-6
    )
    ones = functional.avg_pool2d(to_tensor(np.ones_like(x)), divisor_override=1, **options).numpy()
    assert np.array_equal(ones, np.round(ones))
    assert ones.max() <= np.prod(np.broadcast_to(options["kernel_size"], 2))


@pytest.mark.parametrize("output", [1, 2, [3, 2], [None, 4], [2, None], 12])
@pytest.mark.parametrize("name", ["adaptive_avg_pool2d", "adaptive_max_pool2d"])
def test_adaptive_pooling_to_a_divisor(name: str, output: Any) -> None:
    same(lambda f, x: getattr(f, name)(x, output), numbers((3, 2, 12, 12)))


def test_adaptive_max_pooling_says_where_the_winners_were() -> None:
    x = numbers((2, 3, 6, 6))
    mask = nn.AdaptiveMaxPool2D(2, return_mask=True)(to_tensor(x))[1]
    assert np.array_equal(
        mask.numpy(), paddle.nn.AdaptiveMaxPool2D(2, return_mask=True)(paddle.to_tensor(x))[1].numpy()
    )


@pytest.mark.parametrize(("image", "options"), POOLS)
def test_the_pooling_layers_are_the_functions(image: tuple[int, ...], options: dict[str, Any]) -> None:
    x = to_tensor(numbers(image))
    assert np.array_equal(nn.MaxPool2D(**options)(x).numpy(), functional.max_pool2d(x, **options).numpy())
    layer = nn.AvgPool2D(**options, exclusive=False)
    assert np.array_equal(layer(x).numpy(), functional.avg_pool2d(x, **options, exclusive=False).numpy())
    assert np.array_equal(nn.MaxPool2D(**options, return_mask=True)(x)[0].numpy(), nn.MaxPool2D(**options)(x).numpy())


# ---- dropout -------------------------------------------------------------------------------------------------------------


def dropped(f: Any, x: Any, **options: Any) -> Any:
    return f.dropout(x, **options)


@pytest.mark.parametrize("mode", ["upscale_in_train", "downscale_in_infer"])
@pytest.mark.parametrize("p", [0.0, 0.3, 1, 1.0])
@pytest.mark.parametrize("axis", [None, 0, 1, [0, 1], [1, 3]])
def test_dropout_drops_what_paddle_drops(axis: Any, p: float, mode: str) -> None:
    x = numbers((3, 5, 4, 2))
    for training in (True, False):
        call = functools.partial(dropped, p=p, axis=axis, training=training, mode=mode)
        paddle.seed(8)
        theirs = outcome(paddle, call, [x])
        seed(8)
        ours = outcome(Ours, call, [x])
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-7)  # one float32 product: within an ulp


def test_dropout2d_drops_whole_channels_as_paddle() -> None:
    x = numbers((4, 6, 3, 3))
    paddle.seed(5)
    theirs = paddle.nn.functional.dropout2d(paddle.to_tensor(x), 0.5).numpy()
    seed(5)
    ours = functional.dropout2d(to_tensor(x), 0.5).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=2e-7)  # one float32 product: within an ulp
    dropped = (ours == 0).reshape(4, 6, -1)
    assert dropped.any()
    assert np.array_equal(dropped.any(axis=2), dropped.all(axis=2))


def test_dropout_layers_work_in_training_alone() -> None:
    x = to_tensor(numbers((4, 6, 3, 3)))
    for layer in (nn.Dropout(0.5), nn.Dropout(0.5, axis=1), nn.Dropout2D(0.5)):
        assert (layer(x).numpy() == 0).any()
        before = generator().draws
        assert np.array_equal(layer.eval()(x).numpy(), x.numpy())
        assert generator().draws == before


# ---- cross-entropy ---------------------------------------------------------------------------------------------------------

N, C = 9, 7
LABELS = np.array([0, 3, 6, 1, 1, 5, 2, 4, 3])
SOFT = np.random.default_rng(3).dirichlet(np.ones(C), N).astype(np.float32)
WEIGHT = np.linspace(0.5, 2.0, C).astype(np.float32)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("column", [False, True])
@pytest.mark.parametrize("kind", ["int64", "int32"])
def test_cross_entropy_of_class_numbers(kind: str, column: bool, weight: Array | None, reduction: str) -> None:
    label = LABELS.astype(kind).reshape((N, 1) if column else (N,))
    same(loss(weight=weight, reduction=reduction), numbers((N, C)) * 3, label, wanted=1)


def loss(weight: Array | None = None, **options: Any) -> Callable[..., Any]:
    """``cross_entropy`` with fixed options, in whichever library's functional comes in."""

    def call(f: Any, x: Any, label: Any) -> Any:
        module = Ours if f is functional else paddle
        return f.cross_entropy(x, label, weight=None if weight is None else module.to_tensor(weight), **options)

    return call


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_of_soft_labels(smoothing: float, weight: Array | None, reduction: str) -> None:
    same(
        loss(weight, soft_label=True, label_smoothing=smoothing, reduction=reduction),
        numbers((N, C)) * 3,
        SOFT,
        wanted=1,
    )


@pytest.mark.parametrize(("weight", "reduction"), list(itertools.product([None, WEIGHT], ["mean", "sum", "none"])))
@pytest.mark.parametrize("ignore", [3, 0, -100, -1])
def test_cross_entropy_ignores_what_it_is_told_to(ignore: int, weight: Array | None, reduction: str) -> None:
    label = LABELS.copy()
    label[[1, 4]] = ignore
    if weight is not None and ignore < 0:
        label[[1, 4]] = 2  # with class weights Paddle looks an ignored negative label up, and fails
    same(loss(weight, ignore_index=ignore, reduction=reduction), numbers((N, C)) * 3, label, wanted=1)


def test_cross_entropy_of_ignored_labels_alone_is_zero() -> None:
    same(loss(ignore_index=2), numbers((3, C)), np.full(3, 2), wanted=1)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.1, 0.5, 1.0])
def test_label_smoothing_of_class_numbers(smoothing: float, reduction: str) -> None:
    call = loss(label_smoothing=smoothing, reduction=reduction)
    if reduction != "none":  # there Paddle gives [N] labels an [N, 1] result; ours has the labels' shape
        same(call, numbers((N, C)) * 3, LABELS, wanted=1)
    # [N, 1] labels, which MNIST gives and Paddle refuses here, mean the same
    flat = outcome(Ours, call, [numbers((N, C)), LABELS], 1)
    column = outcome(Ours, call, [numbers((N, C)), LABELS.reshape(N, 1)], 1)
    if reduction != "none":
        assert all(np.array_equal(a, b) for a, b in zip(flat, column, strict=True))
    else:
        assert column[0].shape == (N, 1)
        assert np.array_equal(flat[0], column[0][:, 0])


def test_cross_entropy_of_probabilities() -> None:
    call = loss(use_softmax=False)
    same(call, SOFT, LABELS, wanted=1)
    same(call, SOFT, LABELS.reshape(N, 1), wanted=1)


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_cross_entropy_along_an_inner_axis(reduction: str) -> None:
    label = np.random.default_rng(4).integers(0, 5, (2, 3, 4))
    same(loss(axis=1, reduction=reduction), numbers((2, 5, 3, 4)) * 3, label, wanted=1)


def test_cross_entropy_has_paddles_bound() -> None:
    x = np.array([[0.0, 100.0, -1000.0]], np.float32)
    same(loss(), x, np.array([0]), wanted=1)
    assert float(functional.cross_entropy(to_tensor(x), to_tensor([0]))) == 64.0


def test_the_loss_layer_is_the_function() -> None:
    x, label = to_tensor(numbers((N, C))), to_tensor(LABELS.reshape(N, 1))
    weight = to_tensor(WEIGHT)
    layer = nn.CrossEntropyLoss(weight, ignore_index=1, reduction="sum", label_smoothing=0.2)
    wanted = functional.cross_entropy(x, label, weight, ignore_index=1, reduction="sum", label_smoothing=0.2)
    assert float(layer(x, label)) == float(wanted)
    assert nn.CrossEntropyLoss()(x, label).shape == []


# ---- flatten ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axes", [(), (0,), (1, 2), (-2, -1), (2, 2)])
def test_the_flatten_layer(axes: tuple[int, ...]) -> None:
    x = numbers((2, 3, 4, 5))
    assert np.array_equal(
        nn.Flatten(*axes)(to_tensor(x)).numpy(), paddle.nn.Flatten(*axes)(paddle.to_tensor(x)).numpy()
    )


# ---- refusals ----------------------------------------------------------------------------------------------------------------

X4, X2, W = numbers((2, 3, 7, 7)), numbers((4, 10)), numbers((4, 3, 3, 3))

# (what the user writes with F, tensor(x), our type, our words, Paddle's type or None where it accepts that or stumbles)
REFUSALS: list[tuple[Callable[[Any, Callable[[Any], Any]], Any], type[Exception], str, type[Exception] | None]] = [
    (lambda f, t: f.relu(np.ones(3, np.float32)), TypeError, r"to_tensor\(x\)", None),
    (lambda f, t: f.relu(3), TypeError, "a lenet Tensor", None),
    (lambda f, t: f.relu(t(np.ones(3, np.int64))), TypeError, r"astype\('float32'\)", RuntimeError),
    (lambda f, t: f.leaky_relu(t(np.ones(3, np.int64))), TypeError, r"astype\('float32'\)", RuntimeError),
    (lambda f, t: f.log_softmax(3), TypeError, "a lenet Tensor", None),
    (lambda f, t: f.softmax(t(X2), axis=2), ValueError, "axis 2", ValueError),
    (lambda f, t: f.log_softmax(t(X2), axis=5), ValueError, "axis 5", ValueError),
    (
        lambda f, t: f.conv2d(t(X4), t(numbers((4, 2, 3, 3)))),
        ValueError,
        r"3 channels.*\[3, 7, 7\].*\[4, 2, 3, 3\]",
        ValueError,
    ),
    (lambda f, t: f.conv2d(t(X2), t(W)), ValueError, r"\[N, C, H, W\]", ValueError),
    (lambda f, t: f.conv2d(t(X4), t(W), stride=0), ValueError, "stride.*at least 1", ValueError),
    (lambda f, t: f.conv2d(t(X4), t(W), dilation=0), ValueError, "dilation.*at least 1", ValueError),
    (lambda f, t: f.conv2d(t(X4), t(W), padding=-1), ValueError, "padding", ValueError),
    (lambda f, t: f.conv2d(t(X4), t(W), padding=[1, 2, 3]), ValueError, "padding.*'SAME'", ValueError),
    (lambda f, t: f.conv2d(t(X4), t(W), padding=None), ValueError, "padding", ValueError),
    (lambda f, t: f.conv2d(t(X4), t(W), padding=[[1, 1], [0, 0], [1, 2], [3, 4]]), ValueError, "padding", ValueError),
    (lambda f, t: f.conv2d(t(X4), t(W), data_format="NHWC"), ValueError, "images of 7 channels", ValueError),
    (lambda f, t: f.conv2d(t(X4), t(W), groups=0), ValueError, "groups.*at least 1", None),
    (lambda f, t: f.conv2d(t(X4), t(numbers((4, 3, 9, 9)))), ValueError, "kernel's 9x9", None),
    (lambda f, t: f.linear(t(X2), t(numbers((9, 3)))), ValueError, r"10 features.*\[9, 3\]", ValueError),
    (lambda f, t: f.max_pool2d(t(X2), 2), ValueError, r"\[N, C, H, W\]", ValueError),
    (lambda f, t: f.max_pool2d(t(X4), 2.5), ValueError, "kernel_size.*2.5", ValueError),
    (lambda f, t: f.max_pool2d(t(X4), [2, 2, 2]), ValueError, "kernel_size", ValueError),
    (lambda f, t: f.max_pool2d(t(X4), 2, 0), ValueError, "stride.*at least 1", ValueError),
    (lambda f, t: f.max_pool2d(t(X4), 2, padding="foo"), ValueError, "'SAME' or 'VALID'", ValueError),
    (lambda f, t: f.max_pool2d(t(X4), 2, padding=[[1, 1], [1, 1]]), ValueError, "padding", ValueError),
    (lambda f, t: f.max_pool2d(t(X4), 2, padding=2), ValueError, "less than the kernel", None),
    (lambda f, t: f.max_pool2d(t(X4), 2, padding="VALID", ceil_mode=True), ValueError, "ceil_mode", ValueError),
    (lambda f, t: f.max_pool2d(t(X4), 2, data_format="FOO"), ValueError, "'NCHW'", ValueError),
    (lambda f, t: f.max_pool2d(t(X4), 8), ValueError, "window's 8x8", None),
    (lambda f, t: f.avg_pool2d(t(X4), 2, divisor_override=0), ValueError, "divisor_override.*at least 1", None),
    (lambda f, t: f.avg_pool2d(t(X4), 2, divisor_override=1.5), ValueError, "divisor_override.*whole", None),
    (lambda f, t: f.adaptive_avg_pool2d(t(X4), 0), ValueError, "output_size.*at least 1", None),
    (lambda f, t: f.adaptive_avg_pool2d(t(X4), 1.5), TypeError, "output_size", TypeError),
    (lambda f, t: f.adaptive_avg_pool2d(t(X4), 1, data_format="FOO"), ValueError, "'NCHW'", ValueError),
    (lambda f, t: f.adaptive_max_pool2d(t(X2), 1), ValueError, r"\[N, C, H, W\]", None),
    (lambda f, t: f.dropout(t(X4), 2), ValueError, "0 to 1", ValueError),
    (lambda f, t: f.dropout(t(X4), -0.1), ValueError, "0 to 1", ValueError),
    (lambda f, t: f.dropout(t(X4), "a"), TypeError, "0 to 1", TypeError),
    (lambda f, t: f.dropout(t(X4), 0.5, mode="foo"), ValueError, "'upscale_in_train'", ValueError),
    (lambda f, t: f.dropout(t(X4), 0.5, axis=7), ValueError, "numbers from 0 to 3", ValueError),
    (lambda f, t: f.dropout(t(X4), 0.5, axis="a"), TypeError, "axis", TypeError),
    (lambda f, t: f.dropout2d(t(X2), 0.5), ValueError, r"\[N, C, H, W\]", ValueError),
    (lambda f, t: f.dropout2d(t(X4), 0.5, data_format="foo"), ValueError, "'NCHW'", ValueError),
    (
        lambda f, t: f.cross_entropy(t(X2), t([1, 2, 3, 4]), reduction="foo"),
        ValueError,
        "'mean', 'sum', 'none'",
        ValueError,
    ),
    (lambda f, t: f.cross_entropy(t(X2), t([1, 2, 3, 4]), label_smoothing=2.0), ValueError, "0 to 1", ValueError),
    (lambda f, t: f.cross_entropy(t(X2), t([1, 2, 3, 4]), label_smoothing="a"), ValueError, "0 to 1", None),
    (lambda f, t: f.cross_entropy(t(X2), t([1, 2, 3, 4]), ignore_index=1.5), TypeError, "ignore_index", TypeError),
    (lambda f, t: f.cross_entropy(t(X2), t([1, 2, 3, 4]), axis=5), ValueError, "axis 5", ValueError),
    (
        lambda f, t: f.cross_entropy(t(X2), t([1, 2, 3, 4]), weight=t(np.ones(9, np.float32))),
        ValueError,
        r"\[10\]",
        ValueError,
    ),
    (lambda f, t: f.cross_entropy(t(X2), t([1, 2, 3, 4]), weight=np.ones(10)), TypeError, r"to_tensor\(weight\)", None),
    (lambda f, t: f.cross_entropy(t(X2), np.array([1, 2, 3, 4])), TypeError, r"to_tensor\(label\)", None),
    (lambda f, t: f.cross_entropy(t(X2), [1, 2, 3, 4]), TypeError, r"to_tensor\(label\)", None),
    (lambda f, t: f.cross_entropy(X2, t([1, 2, 3, 4])), TypeError, "a lenet Tensor", None),
    (lambda f, t: f.cross_entropy(t(X2), t([1, 2, 3])), ValueError, r"\[3\].*\[4, 10\]", ValueError),
    (lambda f, t: f.cross_entropy(t(X2), t(np.eye(10, dtype=np.int64)[:4])), ValueError, "soft_label=True", ValueError),
    (
        lambda f, t: f.cross_entropy(t(X2), t(X2.astype(np.float64)), soft_label=True),
        ValueError,
        r"astype\('float32'\)",
        ValueError,
    ),
    (lambda f, t: f.cross_entropy(t(X2), t([1, 2, 3, 10])), IndexError, r"label 10.*0 to 9", IndexError),
    (lambda f, t: f.cross_entropy(t(X2), t([1, 2, -3, 1])), IndexError, r"label -3.*0 to 9", IndexError),
]


@pytest.mark.parametrize(("write", "kind", "words", "theirs"), REFUSALS)
def test_bad_calls_are_refused(
    write: Callable[[Any, Callable[[Any], Any]], Any], kind: type[Exception], words: str, theirs: type[Exception] | None
) -> None:
    with pytest.raises(kind, match=words):
        write(functional, to_tensor)
    if theirs is not None:
        with pytest.raises(theirs):
            write(paddle.nn.functional, paddle.to_tensor)


def test_class_numbers_may_be_smoothed_as_soft_labels() -> None:
    x, y = np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]], np.float32), np.array([1, 2])
    same(lambda f, t: f.cross_entropy(t, labels(f, y), soft_label=True, label_smoothing=0.1), x)


def labels(f: Any, y: np.ndarray) -> Any:
    return (to_tensor if f is functional else paddle.to_tensor)(y)


def test_wrong_shapes_are_shape_errors_so_that_a_layer_can_name_itself() -> None:
    calls: list[Callable[[], Tensor]] = [
        lambda: functional.adaptive_avg_pool2d(to_tensor(X2), 1),
        lambda: functional.dropout2d(to_tensor(X2)),
        lambda: functional.conv2d(to_tensor(X2), to_tensor(W), padding="SAME"),
    ]
    for call in calls:
        with pytest.raises(ShapeError):
            call()
    with pytest.raises(ShapeError, match=r"^in pool = AdaptiveAvgPool2D\(output_size=3\): adaptive_avg_pool2d"):
        nn.Sequential(("pool", nn.AdaptiveAvgPool2D(3)))(to_tensor(X2))
