"""Initialisers and parameters against real Paddle's, bit for bit, and what is our own: FanIn, alignment, refusals."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from lenet import nn
from lenet.autograd.random import generator, seed
from lenet.autograd.tensor import Parameter, to_tensor
from lenet.nn import initializer
from lenet.nn.param import ParamAttr, aligned, create_parameter, unique_name
from lenet.regularizer import L1Decay, L2Decay

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle

SHAPES = [[6, 1, 5, 5], [40, 12], [7], [1], [3, 2, 4]]

# What both libraries can be asked for, as a function of their initializer module.
EXACT: dict[str, Callable[[Any], Any]] = {
    "Constant": lambda i: i.Constant(),
    "Constant-0.7": lambda i: i.Constant(0.7),
    "Normal": lambda i: i.Normal(),
    "Normal-0.1-0.3": lambda i: i.Normal(0.1, 0.3),
    "Normal-std-0": lambda i: i.Normal(0.1, 0.0),
    "Uniform": lambda i: i.Uniform(),
    "Uniform-narrow": lambda i: i.Uniform(-0.3, 0.7),
    "XavierUniform": lambda i: i.XavierUniform(),
    "XavierUniform-fans": lambda i: i.XavierUniform(3, 5, 2.0),
    "XavierNormal": lambda i: i.XavierNormal(),
    "XavierNormal-out": lambda i: i.XavierNormal(fan_out=11, gain=0.5),
    "KaimingUniform": lambda i: i.KaimingUniform(),
    "KaimingUniform-leaky-out": lambda i: i.KaimingUniform(None, 0.1, "leaky_relu", "fan_out"),
    "KaimingNormal": lambda i: i.KaimingNormal(),
    "KaimingNormal-fan": lambda i: i.KaimingNormal(7.0),
    "KaimingNormal-tanh-out": lambda i: i.KaimingNormal(None, 0.0, "tanh", "fan_out"),
}


def theirs(init: Any, shape: Sequence[int], value: int) -> Any:
    paddle.seed(value)
    return paddle.create_parameter(list(shape), "float32", default_initializer=init).numpy()


def ours(init: Any, shape: Sequence[int], value: int) -> Any:
    seed(value)
    made = create_parameter(shape, default_initializer=init)
    assert made is not None
    return made.numpy()


@pytest.fixture
def no_global_initializer() -> Iterator[None]:
    yield
    nn.initializer.set_global_initializer(None)
    paddle.nn.initializer.set_global_initializer(None)


@pytest.mark.parametrize("name", EXACT)
def test_values_are_paddles_bit_for_bit(name: str) -> None:
    make = EXACT[name]
    for value, shape in enumerate(SHAPES):
        wanted = theirs(make(paddle.nn.initializer), shape, value)
        given = ours(make(nn.initializer), shape, value)
        assert given.dtype == np.float32
        assert np.array_equal(given, wanted), shape


@pytest.mark.parametrize("arguments", [(), (0.1, 0.5, -0.3, 1.2), (0.0, 1.0, -6.0, 6.0), (0.0, 1.0, 1.0, 3.0)])
def test_truncated_normal_takes_paddles_draws(arguments: tuple[float, ...]) -> None:
    wanted = theirs(paddle.nn.initializer.TruncatedNormal(*arguments), [50, 40], 5)
    given = ours(nn.initializer.TruncatedNormal(*arguments), [50, 40], 5)
    # Paddle inverts the normal distribution with a float32 approximation, good to a few 1e-7 of std.
    assert np.abs(given - wanted).max() <= 2e-6
    low, high = arguments[2:] or (-2.0, 2.0)
    assert given.min() >= np.float32(low)
    assert given.max() <= np.float32(high)


def test_truncated_normal_has_the_spread_of_its_distribution() -> None:
    values = ours(nn.initializer.TruncatedNormal(), [200, 200], 0)
    # std of a normal cut at ±2: 0.8796; 40,000 draws leave a standard error of about 0.003.
    assert abs(values.std() - 0.8796) < 0.012
    assert abs(values.mean()) < 0.018
    assert np.array_equal(ours(nn.initializer.TruncatedNormal(3.0, 0.0, -1.0, 1.0), [4], 0), np.ones(4, np.float32))


def test_the_stream_goes_on_from_one_parameter_to_the_next() -> None:
    paddle.seed(11)
    wanted = [paddle.nn.Linear(5, 3).weight.numpy() for _ in range(3)]
    seed(11)
    given = [nn.Linear(5, 3).weight.numpy() for _ in range(3)]
    assert all(np.array_equal(a, b) for a, b in zip(given, wanted, strict=True))


def test_constants_draw_nothing() -> None:
    before = generator().draws
    create_parameter([100], is_bias=True)
    create_parameter([100], default_initializer=nn.initializer.Constant(3))
    create_parameter([2], default_initializer=nn.initializer.Assign([1, 2]))
    assert generator().draws == before


def test_an_initializer_refills_an_existing_parameter() -> None:
    layer, other = nn.Linear(4, 3), paddle.nn.Linear(4, 3)
    seed(2)
    nn.initializer.KaimingNormal()(layer.weight)
    paddle.seed(2)
    paddle.nn.initializer.KaimingNormal()(other.weight)
    assert np.array_equal(layer.weight.numpy(), other.weight.numpy())


@pytest.mark.parametrize(
    "value", [np.arange(6.0).reshape(2, 3), [[1, 2, 3], [4, 5, 6]], to_tensor(np.ones((2, 3), np.float32))]
)
def test_assign_copies_its_value(value: Any) -> None:
    weight = nn.Linear(2, 3, weight_attr=nn.initializer.Assign(value)).weight
    assert np.array_equal(weight.numpy(), np.asarray(value, np.float32))


def test_assign_keeps_its_own_copy() -> None:
    value = np.ones(3)
    init = nn.initializer.Assign(value)
    value[:] = 5
    assert ours(init, [3], 0).tolist() == [1.0, 1.0, 1.0]


def test_calculate_gain_is_paddles() -> None:
    for name in (
        "sigmoid",
        "linear",
        "conv1d",
        "conv2d",
        "conv3d",
        "conv2d_transpose",
        "conv_transpose2d",
        "tanh",
        "relu",
        "selu",
    ):
        assert nn.initializer.calculate_gain(name) == paddle.nn.initializer.calculate_gain(name)
    for slope in (None, 0.2, 1.0):
        wanted = paddle.nn.initializer.calculate_gain("leaky_relu", slope)
        assert nn.initializer.calculate_gain("leaky_relu", slope) == wanted


def test_the_global_initializer_stands_between_a_parameters_own_and_the_layers(no_global_initializer: None) -> None:
    def made(module: Any) -> list[Any]:
        init = module.initializer
        init.set_global_initializer(init.Constant(3.0), init.Constant(4.0))
        layers = [module.Conv2D(1, 2, 1), module.Linear(2, 2, weight_attr=init.Constant(5.0))]
        init.set_global_initializer(init.Uniform())
        layers.append(module.Linear(1, 2))
        init.set_global_initializer(None)
        return [p.numpy() for layer in layers for p in layer.parameters()]

    paddle.seed(0)
    wanted = made(paddle.nn)
    seed(0)
    given = made(nn)
    assert all(np.array_equal(a, b) for a, b in zip(given, wanted, strict=True))
    assert given[0].max() == 3.0


def test_an_initializer_of_ones_own() -> None:
    class Diagonal(nn.initializer.Initializer):
        def draw(self, shape: Sequence[int]) -> Any:
            return np.eye(*shape, dtype=np.float32)

    class Filled(nn.initializer.Initializer):
        def forward(self, var: Any, block: object = None) -> None:
            var.set_value(np.full(var.shape, 2.0, np.float32))

    layer = nn.Linear(3, 3, weight_attr=Diagonal(), bias_attr=Filled())
    assert layer.bias is not None
    assert np.array_equal(layer.weight.numpy(), np.eye(3))
    assert layer.bias.numpy().tolist() == [2.0] * 3
    with pytest.raises(NotImplementedError, match="Initializer must define draw"):
        nn.initializer.Initializer()(layer.weight)


# ---- FanIn, for our own recipes ------------------------------------------------------------------------------------------


def test_fan_in_is_flat_within_one_over_the_root_of_fan_in() -> None:
    limit = 1 / math.sqrt(6 * 25)
    values = ours(nn.initializer.FanIn(), [16, 6, 5, 5], 0)
    assert np.abs(values).max() <= limit
    assert np.abs(values).max() > 0.99 * limit
    # 2,400 draws: the std of a flat distribution is limit/√3, with a standard error of about 1 %.
    assert abs(values.std() - limit / math.sqrt(3)) < 0.04 * limit
    assert np.array_equal(values, ours(nn.initializer.Uniform(-limit, limit), [16, 6, 5, 5], 0))


def test_fan_in_gives_a_bias_the_fan_of_its_weight() -> None:
    layer = nn.Linear(400, 120, weight_attr=nn.initializer.FanIn(), bias_attr=nn.initializer.FanIn(fan_in=400))
    assert layer.bias is not None
    assert 0.03 < np.abs(layer.bias.numpy()).max() <= 0.05
    assert np.abs(layer.weight.numpy()).max() <= 0.05


# ---- parameters ----------------------------------------------------------------------------------------------------------


def test_create_parameter_defaults_are_paddles() -> None:
    paddle.seed(1)
    wanted = [
        paddle.create_parameter([4, 3], "float32").numpy(),
        paddle.create_parameter([4], "float32", is_bias=True).numpy(),
    ]
    seed(1)
    given = [create_parameter([4, 3], "float32"), create_parameter([4], "float32", is_bias=True)]
    for ours_, theirs_ in zip(given, wanted, strict=True):
        assert isinstance(ours_, Parameter)
        assert np.array_equal(ours_.numpy(), theirs_)
        assert not ours_.stop_gradient


def test_create_parameter_takes_a_name_and_an_attr() -> None:
    made = create_parameter(
        [2], name="by_hand", attr=ParamAttr(learning_rate=0.5, initializer=nn.initializer.Constant(2.0))
    )
    assert made is not None
    assert made.name == "by_hand"
    assert made.optimize_attr == {"learning_rate": 0.5}
    assert made.numpy().tolist() == [2.0, 2.0]
    assert create_parameter([2], attr=False) is None
    assert create_parameter([2], name="unused", attr=False) is None
    unnamed = create_parameter([2])
    assert (unnamed is not None and unnamed.name.startswith("create_parameter_")) or ".w_" in unnamed.name  # type: ignore[union-attr]


@pytest.mark.parametrize("shape", [[], [0], [1], [5, 3], [2, 0, 3]])
def test_empty_and_scalar_parameters_start_like_paddles(shape: list[int]) -> None:
    for make in ("XavierUniform", "KaimingNormal", "XavierNormal"):
        wanted = (
            theirs(getattr(paddle.nn.initializer, make)(), shape, 4) if 0 not in shape else np.zeros(shape, np.float32)
        )
        given = ours(getattr(nn.initializer, make)(), shape, 4)
        assert given.shape == tuple(shape)
        assert np.array_equal(given, wanted)


@pytest.mark.parametrize("shape", [[], [1], [17], [6, 1, 5, 5], [0, 3]])
def test_aligned_blocks(shape: list[int]) -> None:
    blocks = [aligned(shape) for _ in range(5)]
    for block in blocks:
        assert block.shape == tuple(shape)
        assert block.dtype == np.float32
        assert block.flags.c_contiguous
        assert block.flags.writeable
        assert block.size == 0 or block.__array_interface__["data"][0] % 64 == 0
        assert not block.any()
    if blocks[0].size:
        blocks[0][...] = 1
        assert not blocks[1].any()


def test_unique_names_count_by_key() -> None:
    assert [unique_name("test_key"), unique_name("test_key"), unique_name("other_key")] == [
        "test_key_0",
        "test_key_1",
        "other_key_0",
    ]


def test_what_a_layer_takes_for_an_attr() -> None:
    attr = ParamAttr(name="kept")
    assert ParamAttr.of(attr) is attr
    assert ParamAttr.of(False) is None
    for nothing in (None, True):
        made = ParamAttr.of(nothing)
        assert made is not None
        assert (made.name, made.initializer, made.learning_rate, made.trainable) == (
            None,
            None,
            1.0,
            True,
        )
    init, penalty = nn.initializer.Constant(1.0), L1Decay(0.1)
    assert ParamAttr.of("w").name == "w"  # type: ignore[union-attr]
    assert ParamAttr.of(init).initializer is init  # type: ignore[union-attr]
    assert ParamAttr.of(penalty).regularizer is penalty  # type: ignore[union-attr]


def test_regularizers_print_as_paddles() -> None:
    for ours_, theirs_ in ((L1Decay, paddle.regularizer.L1Decay), (L2Decay, paddle.regularizer.L2Decay)):
        assert str(ours_(0.1)) == str(theirs_(0.1))
        assert ours_().coeff == 0.0


REFUSALS: list[tuple[Callable[[Any], Any], type[Exception], str, type[Exception] | None]] = [
    (lambda i: i.Constant("a"), TypeError, "Constant.*a number", None),
    (lambda i: i.Constant(math.inf), ValueError, "finite", None),
    (lambda i: i.Normal("a"), TypeError, "Normal.mean", None),
    (lambda i: i.Normal(None), TypeError, "Normal.mean", None),
    (lambda i: i.Normal(0.0, -1.0), ValueError, "Normal.std.*at least 0", None),
    (lambda i: i.Uniform(1, 0), ValueError, "low at most high", AssertionError),
    (lambda i: i.TruncatedNormal(0.0, 1.0, 2.0, -2.0), ValueError, "a at most b", None),
    (lambda i: i.XavierUniform(gain="a"), TypeError, "gain", None),
    (lambda i: i.XavierUniform(fan_in=-3), ValueError, "fan_in.*at least 0", None),
    (lambda i: i.KaimingNormal(nonlinearity="foo"), ValueError, "nonlinearity.*'relu'", None),
    (lambda i: i.KaimingNormal(mode="foo"), ValueError, "mode.*'fan_in', 'fan_out'", ValueError),
    (lambda i: i.KaimingUniform(fan_in=3, mode="fan_out"), ValueError, "only one of the two", ValueError),
    (lambda i: i.calculate_gain("foo"), ValueError, "'foo'", ValueError),
    (lambda i: i.Assign(3), TypeError, "Assign.*an array", AssertionError),
    (lambda i: i.Assign(["a"]), TypeError, "Assign.*an array", None),
    (lambda i: i.Assign([[1], [2, 3]]), TypeError, "Assign.*an array", None),
    (lambda i: i.set_global_initializer(3), TypeError, "an Initializer object or None", None),
]


@pytest.mark.parametrize(("write", "kind", "words", "theirs_"), REFUSALS)
def test_bad_initializers_are_refused(
    write: Callable[[Any], Any], kind: type[Exception], words: str, theirs_: type[Exception] | None
) -> None:
    with pytest.raises(kind, match=words):
        write(initializer)
    if theirs_ is not None:
        with pytest.raises(theirs_):
            write(paddle.nn.initializer)


OWN_REFUSALS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (
        lambda: create_parameter([2], default_initializer=nn.initializer.Assign([1, 2, 3])),
        ValueError,
        r"\[3\], expected \[2\].*of that shape",
    ),
    (
        lambda: create_parameter([1, 2], default_initializer=nn.initializer.Assign([1, 2])),
        ValueError,
        "Reshape the value",
    ),
    (lambda: create_parameter([2], "int64"), ValueError, "'float32'"),
    (lambda: create_parameter([2], "foo"), ValueError, "'float32'"),
    (lambda: create_parameter([-1]), ValueError, "dimension 0.*at least 0"),
    (lambda: create_parameter([1.5]), TypeError, "dimension 0.*whole number"),
    (lambda: ParamAttr(name=3), TypeError, "name"),
    (lambda: ParamAttr(initializer=3), TypeError, r"initializer.*nn\.initializer\.Normal"),
    (lambda: ParamAttr(initializer=nn.initializer.Normal), TypeError, "initializer"),
    (lambda: ParamAttr(regularizer=0.1), TypeError, "regularizer.*L2Decay"),
    (lambda: ParamAttr(learning_rate="fast"), TypeError, "learning_rate"),
    (lambda: ParamAttr.of(3), TypeError, "ParamAttr.*int 3|int 3.*ParamAttr"),
    (lambda: L2Decay("a"), TypeError, "L2Decay.*1e-4"),
    (lambda: L1Decay(-0.1), ValueError, "L1Decay.*at least 0"),
    (lambda: nn.initializer.FanIn("a"), TypeError, "FanIn"),
]


@pytest.mark.parametrize(("write", "kind", "words"), OWN_REFUSALS)
def test_bad_parameters_are_refused(write: Callable[[], Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        write()
