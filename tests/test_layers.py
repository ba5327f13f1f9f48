"""Layers against real Paddle's: initial weights, names, printing, registration, state, hooks, containers, and every refusal."""

from __future__ import annotations

import copy
import inspect
import operator
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lenet import nn
from lenet.autograd import tape
from lenet.autograd.random import seed
from lenet.autograd.tensor import Parameter, Tensor, to_tensor
from lenet.messages.check import ShapeError
from lenet.nn.layer import mutations
from lenet.nn.param import ParamAttr, create_parameter
from lenet.regularizer import L2Decay
from lenet.vision.models import LeNet as OtherLeNet
from lenet.vision.tutorial import LeNet

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle

SEEDS = [0, 1, 7, 2024, 2**32 + 5]


def ones(module: Any, *shape: int) -> Any:
    """A tensor of ones in either library."""
    array = np.ones(shape, np.float32)
    return to_tensor(array) if module is nn else paddle.to_tensor(array)


def tutorial_net(module: Any) -> Any:
    """The tutorial's layers in order, in either library."""

    class LeNet(module.Layer):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = module.Conv2D(in_channels=1, out_channels=6, kernel_size=5, stride=1, padding=2)
            self.max_pool1 = module.MaxPool2D(kernel_size=2, stride=2)
            self.conv2 = module.Conv2D(in_channels=6, out_channels=16, kernel_size=5, stride=1)
            self.max_pool2 = module.MaxPool2D(kernel_size=2, stride=2)
            self.linear1 = module.Linear(in_features=400, out_features=120)
            self.linear2 = module.Linear(in_features=120, out_features=84)
            self.linear3 = module.Linear(in_features=84, out_features=10)

    return LeNet()


def small_net(module: Any) -> Any:
    """Every kind of entry: nested layers, a bare parameter, buffers of both kinds, a Tensor attribute."""

    class Block(module.Layer):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.first = module.Linear(2, 3)
            self.second = module.Sequential(module.ReLU(), module.Linear(3, 2, bias_attr=False))

        def forward(self, x: Any) -> Any:
            return self.second(self.first(x))

    class Net(module.Layer):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.block = Block()
            self.scale = self.create_parameter([2], default_initializer=module.initializer.Constant(2.0))
            self.register_buffer("kept", ones(module, 3))
            self.register_buffer("lost", ones(module, 2), persistable=False)
            self.plain = ones(module, 4)
            self.blocks = module.LayerList([module.Linear(1, 1), module.Tanh()])

        def forward(self, x: Any) -> Any:
            return self.block(x) * self.scale

    return Net()


# ---- initial weights ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", SEEDS)
def test_the_tutorials_initial_weights_are_paddles_bit_for_bit(value: int) -> None:
    paddle.seed(value)
    theirs = tutorial_net(paddle.nn).state_dict()
    seed(value)
    ours = LeNet().state_dict()
    assert list(ours) == list(theirs)
    for key, tensor in theirs.items():
        assert np.array_equal(ours[key].numpy(), tensor.numpy()), key


@pytest.mark.parametrize("value", SEEDS)
def test_the_other_lenets_initial_weights_are_paddles_bit_for_bit(value: int) -> None:
    paddle.seed(value)
    theirs = paddle.vision.models.LeNet().state_dict()
    seed(value)
    ours = OtherLeNet().state_dict()
    assert list(ours) == list(theirs)
    assert all(np.array_equal(ours[key].numpy(), tensor.numpy()) for key, tensor in theirs.items())


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_grouped_convolutions_start_like_paddles(groups: int) -> None:
    paddle.seed(3)
    theirs = paddle.nn.Conv2D(4, 8, [3, 2], groups=groups).weight.numpy()
    seed(3)
    assert np.array_equal(nn.Conv2D(4, 8, [3, 2], groups=groups).weight.numpy(), theirs)


# ---- the two LeNets ----------------------------------------------------------------------------------------------------


def test_lenet_has_the_tutorials_parameters_and_output() -> None:
    net = LeNet()
    assert sum(p.size for p in net.parameters()) == 61706
    assert net(ones(nn, 3, 1, 28, 28)).shape == [3, 10]


@pytest.mark.parametrize(("classes", "shape"), [(10, [2, 10]), (4, [2, 4]), (0, [2, 16, 5, 5])])
def test_the_other_lenet_gives_paddles_shapes_and_numbers(classes: int, shape: list[int]) -> None:
    theirs, ours = paddle.vision.models.LeNet(classes), OtherLeNet(classes)
    ours.set_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    x = np.random.default_rng(0).normal(size=(2, 1, 28, 28)).astype(np.float32)
    given, wanted = ours(to_tensor(x)).numpy(), theirs(paddle.to_tensor(x)).numpy()
    assert list(given.shape) == shape
    assert np.linalg.norm(given - wanted) <= 1e-5 * np.linalg.norm(wanted)  # float32 sums in another order


def test_lenet_refuses_a_negative_number_of_classes() -> None:
    with pytest.raises(ValueError, match=r"num_classes.*at least 0"):
        OtherLeNet(-1)


# ---- signatures ---------------------------------------------------------------------------------------------------------

SIGNATURES: list[str] = [
    *["Layer", "Conv2D", "Linear", "Flatten", "MaxPool2D", "AvgPool2D", "AdaptiveAvgPool2D", "AdaptiveMaxPool2D"],
    *["ReLU", "Sigmoid", "Tanh", "LeakyReLU", "Softmax", "LogSoftmax", "Dropout", "Dropout2D", "Identity"],
    *["Sequential", "LayerList", "CrossEntropyLoss", "ClipGradByGlobalNorm", "ClipGradByNorm", "ClipGradByValue"],
    *["Layer.parameters", "Layer.named_parameters", "Layer.named_sublayers", "Layer.sublayers", "Layer.named_buffers"],
    *["Layer.register_buffer", "Layer.add_parameter", "Layer.add_sublayer", "Layer.apply", "Layer.train", "Layer.eval"],
    *["Layer.set_state_dict", "Layer.clear_gradients", "Layer.full_name", "Layer.buffers", "Layer.extra_repr"],
    *[f"initializer.{name}" for name in ("Constant", "Assign", "Normal", "TruncatedNormal", "Uniform")],
    *[f"initializer.{name}" for name in ("XavierNormal", "XavierUniform", "KaimingNormal", "KaimingUniform")],
    *["initializer.set_global_initializer", "initializer.calculate_gain"],
    *[f"functional.{name}" for name in nn.functional.__all__],
]


@pytest.mark.parametrize("name", SIGNATURES)
def test_arguments_and_defaults_are_paddles(name: str) -> None:
    ours, theirs = (arguments(operator.attrgetter(name)(module)) for module in (nn, paddle.nn))
    assert ours == theirs


def arguments(thing: Any) -> list[tuple[str, Any]]:
    """Names and defaults of what can be given by place, and of what Conv2D takes by name alone."""
    every = inspect.signature(thing).parameters.values()
    return [(p.name, p.default) for p in every if p.kind is not p.KEYWORD_ONLY or p.name != "out"]


# ---- printing ----------------------------------------------------------------------------------------------------------

REPRS: list[Callable[[Any], Any]] = [
    lambda m: m.Conv2D(1, 6, 5),
    lambda m: m.Conv2D(1, 6, 5, stride=2, padding=2, dilation=2),
    lambda m: m.Conv2D(4, 8, [3, 5], stride=[1, 2], padding=[1, 2], groups=2),
    lambda m: m.Conv2D(4, 8, 3, padding="SAME"),
    lambda m: m.Conv2D(4, 8, 3, padding="valid", bias_attr=False),
    lambda m: m.Conv2D(4, 8, 3, padding=[1, 2, 3, 4]),
    lambda m: m.Conv2D(4, 8, 3, padding=[[0, 0], [0, 0], [1, 2], [3, 4]]),
    lambda m: m.Conv2D(4, 8, 3, padding=[0, 0]),
    lambda m: m.Linear(3, 4),
    lambda m: m.Linear(3, 4, name="foo"),
    lambda m: m.MaxPool2D(2),
    lambda m: m.MaxPool2D([2, 2], stride=1, padding="SAME", ceil_mode=True),
    lambda m: m.AvgPool2D(3, exclusive=False, divisor_override=2),
    lambda m: m.AdaptiveAvgPool2D(3),
    lambda m: m.AdaptiveAvgPool2D((3, None)),
    lambda m: m.AdaptiveMaxPool2D(3, return_mask=True),
    lambda m: m.ReLU(),
    lambda m: m.ReLU(name="x"),
    lambda m: m.Sigmoid("foo"),
    lambda m: m.Tanh(),
    lambda m: m.Identity(3, foo=3),
    lambda m: m.LeakyReLU(),
    lambda m: m.LeakyReLU(0.2, name="b"),
    lambda m: m.Softmax(),
    lambda m: m.Softmax(1, name="b"),
    lambda m: m.LogSoftmax(),
    lambda m: m.LogSoftmax(0, name="b"),
    lambda m: m.Flatten(0, 2),
    lambda m: m.Dropout(),
    lambda m: m.Dropout(0.3, axis=1, mode="downscale_in_infer", name="d"),
    lambda m: m.Dropout2D(0.2, name="d"),
    lambda m: m.Sequential(),
    lambda m: m.Sequential(m.ReLU(), m.Sequential(m.Tanh())),
    lambda m: m.Sequential(("a", m.ReLU()), ("b", m.Tanh())),
    lambda m: m.LayerList([m.ReLU(), m.Tanh()]),
    lambda m: m.CrossEntropyLoss(),
    lambda m: m.Layer(),
    lambda m: tutorial_net(m),
    lambda m: small_net(m),
]


@pytest.mark.parametrize("make", REPRS)
def test_layers_print_as_paddles(make: Callable[[Any], Any]) -> None:
    assert repr(make(nn)) == repr(make(paddle.nn))


def test_both_lenets_print_as_paddles() -> None:
    assert repr(LeNet()) == repr(tutorial_net(paddle.nn))
    assert repr(OtherLeNet(7)) == repr(paddle.vision.models.LeNet(7))


def test_an_extra_repr_of_several_lines_prints_as_paddles() -> None:
    def made(module: Any) -> Any:
        class Wordy(module.Layer):  # type: ignore[misc,name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.inner = module.ReLU()

            def extra_repr(self) -> str:
                return "a=1\nb=2"

        return Wordy()

    assert repr(made(nn)) == repr(made(paddle.nn))


# ---- names -------------------------------------------------------------------------------------------------------------


def without_counts(name: str) -> str:
    """``conv2d_12.w_0`` -> ``conv2d_#.w_0``: the counts belong to the whole process."""
    return re.sub(r"_\d+(?=$|\.)", "_#", name, count=1)


@pytest.mark.parametrize("make", [tutorial_net, small_net])
def test_names_are_paddles(make: Callable[[Any], Any]) -> None:
    ours, theirs = make(nn), make(paddle.nn)
    assert [without_counts(p.name) for p in ours.parameters()] == [without_counts(p.name) for p in theirs.parameters()]
    given = [without_counts(layer.full_name()) for layer in ours.sublayers(include_self=True)]
    assert given == [without_counts(layer.full_name()) for layer in theirs.sublayers(include_self=True)]


def test_layers_of_a_kind_are_counted() -> None:
    first, second = nn.Conv2D(1, 1, 1), nn.Conv2D(1, 1, 1)
    count = int(first.full_name().removeprefix("conv2d_"))
    assert second.full_name() == f"conv2d_{count + 1}"
    assert second.weight.name == f"conv2d_{count + 1}.w_0"
    assert second.bias is not None
    assert second.bias.name == f"conv2d_{count + 1}.b_0"


@pytest.mark.parametrize("name", ["MyNetA1", "ABc", "XMLParser", "Net2D", "lower", "CNNModel"])
def test_class_names_become_snake_case_as_paddles(name: str) -> None:
    ours, theirs = type(name, (nn.Layer,), {})(), type(name, (paddle.nn.Layer,), {})()
    assert ours.full_name().rpartition("_")[0] == theirs.full_name().rpartition("_")[0]


def test_name_scope_and_given_names() -> None:
    assert re.fullmatch(r"my_scope_\d+", nn.Layer("my_scope").full_name())
    layer = nn.Linear(2, 2, weight_attr="weight_by_name", bias_attr=ParamAttr(name="bias_by_name"))
    assert [p.name for p in layer.parameters()] == ["weight_by_name", "bias_by_name"]
    with pytest.raises(ValueError, match=r"'weight_by_name'.*no other parameter has"):
        nn.Linear(2, 2, weight_attr="weight_by_name")


# ---- walking -----------------------------------------------------------------------------------------------------------


def test_walks_give_paddles_names_in_paddles_order() -> None:
    ours, theirs = small_net(nn), small_net(paddle.nn)
    walks: list[Callable[[Any], Any]] = [
        lambda net: [name for name, _ in net.named_parameters()],
        lambda net: [name for name, _ in net.named_parameters(prefix="pre")],
        lambda net: [name for name, _ in net.named_parameters(include_sublayers=False)],
        lambda net: [name for name, _ in net.named_sublayers()],
        lambda net: [name for name, _ in net.named_sublayers(prefix="pre", include_self=True)],
        lambda net: [name for name, _ in net.named_children()],
        lambda net: [name for name, _ in net.named_buffers()],
        lambda net: list(net.state_dict()),
        lambda net: list(net.state_dict(include_sublayers=False)),
        lambda net: list(net.state_dict(structured_name_prefix="pre.")),
        lambda net: [type(layer).__name__ for layer in net.sublayers()],
        lambda net: [type(layer).__name__ for layer in net.children()],
        lambda net: [list(p.shape) for p in net.parameters()],
        lambda net: [list(b.shape) for b in net.buffers()],
        lambda net: [list(b.shape) for b in net.buffers(include_sublayers=False)],
        lambda net: [len(net.parameters(include_sublayers=False)), len(net.sublayers(include_self=True))],
    ]
    for walk in walks:
        assert walk(ours) == walk(theirs)


def test_a_layer_held_twice_comes_once_unless_asked_for() -> None:
    def names(module: Any) -> list[Any]:
        shared = module.Linear(1, 1)
        net = module.Sequential(shared, module.ReLU(), shared)
        return [
            [name for name, _ in net.named_parameters()],
            [name for name, _ in net.named_parameters(remove_duplicate=False)],
            [name for name, _ in net.named_sublayers()],
            [name for name, _ in net.named_children()],
            list(net.state_dict()),
        ]

    assert names(nn) == names(paddle.nn)


def test_apply_visits_children_first_and_returns_the_layer() -> None:
    def visited(module: Any) -> list[str]:
        net, seen = small_net(module), []
        assert net.apply(lambda layer: seen.append(type(layer).__name__)) is net
        return seen

    assert visited(nn) == visited(paddle.nn)


def test_train_and_eval_reach_every_layer_and_return_the_net() -> None:
    net = small_net(nn)
    assert net.eval() is net
    assert not any(layer.training for layer in net.sublayers(include_self=True))
    assert net.train() is net
    assert all(layer.training for layer in net.sublayers(include_self=True))
    assert net.train(False).training is False


# ---- registration ------------------------------------------------------------------------------------------------------


def test_assignment_registers_and_replaces() -> None:
    layer = nn.Layer()
    layer.thing = nn.ReLU()
    assert list(layer._sub_layers) == ["thing"]
    assert isinstance(layer.thing, nn.ReLU)
    layer.thing = create_parameter([2])
    assert not layer._sub_layers
    assert list(layer._parameters) == ["thing"]
    assert layer.thing is layer.parameters()[0]
    layer.thing = None
    assert layer.thing is None
    assert layer.parameters() == []
    assert list(layer._parameters) == ["thing"]
    layer.number = 3
    assert layer.number == 3
    assert "number" not in layer._parameters
    layer.tensor = ones(nn, 2)
    assert list(layer._buffers) == ["tensor"]
    assert "tensor" not in layer.state_dict()


def test_plain_lists_of_layers_are_not_seen() -> None:
    layer = nn.Layer()
    layer.layers = [nn.Linear(1, 1)]
    assert layer.parameters() == []


def test_deleting_an_attribute_unregisters_it() -> None:
    net = small_net(nn)
    for name in ("block", "scale", "kept", "plain", "blocks", "lost"):
        delattr(net, name)
        assert not hasattr(net, name)
    assert net.parameters() == []
    assert net.buffers() == []
    assert net.sublayers() == []
    assert not net.state_dict()
    with pytest.raises(AttributeError):
        del net.block


def test_a_property_of_the_class_keeps_its_setter() -> None:
    class WithProperty(nn.Layer):
        @property
        def inner(self) -> Any:
            return self.hidden

        @inner.setter
        def inner(self, value: Any) -> None:
            self.hidden = value

    layer = WithProperty()
    layer.inner = nn.ReLU()
    assert list(layer._sub_layers) == ["hidden"]


def test_a_none_sublayer_prints_and_saves_as_paddles() -> None:
    def made(module: Any) -> Any:
        net = module.Sequential(module.ReLU())
        net.add_sublayer("nothing", None)
        net.fc = module.Linear(1, 1)
        net.fc = None
        return net

    assert repr(made(nn)) == repr(made(paddle.nn))
    assert list(made(nn).state_dict()) == []


def test_parameter_attributes_reach_the_parameter() -> None:
    attr = ParamAttr(learning_rate=0.5, regularizer=L2Decay(0.1), trainable=False, need_clip=False)
    weight = nn.Linear(2, 3, weight_attr=attr).weight
    assert weight.optimize_attr == {"learning_rate": 0.5}
    assert weight.regularizer is attr.regularizer
    assert weight.stop_gradient
    assert not weight.trainable
    assert not weight.need_clip
    default = nn.Linear(2, 3).weight
    assert default.optimize_attr == {"learning_rate": 1.0}
    assert default.regularizer is None
    assert default.need_clip
    assert not default.stop_gradient


@pytest.mark.parametrize(
    "make",
    [
        lambda m: m.Linear(2, 3, bias_attr=False),
        lambda m: m.Conv2D(2, 3, 1, bias_attr=False),
        lambda m: m.Conv2D(2, 3, 1, bias=False),
    ],
)
def test_without_bias_there_is_none_in_the_state(make: Callable[[Any], Any]) -> None:
    layer = make(nn)
    assert layer.bias is None
    assert list(layer.state_dict()) == list(make(paddle.nn).state_dict()) == ["weight"]


def test_each_parameter_is_an_aligned_block_that_set_value_and_state_loading_keep() -> None:
    net = LeNet()
    addresses = [p.data_array().__array_interface__["data"][0] for p in net.parameters()]
    assert all(address % 64 == 0 for address in addresses)
    net.set_state_dict({key: value.numpy() + 1 for key, value in net.state_dict().items()})
    net.conv1.weight.set_value(np.zeros((6, 1, 5, 5), np.float32))
    assert [p.data_array().__array_interface__["data"][0] for p in net.parameters()] == addresses


def test_a_deep_copy_is_a_network_of_its_own() -> None:
    net = small_net(nn)
    twin = copy.deepcopy(net)
    assert list(twin.state_dict()) == list(net.state_dict())
    assert twin.block is not net.block
    assert all(isinstance(p, Parameter) for p in twin.parameters())
    assert len(twin.parameters()) == len(net.parameters())
    twin.scale.set_value(np.zeros(2, np.float32))
    assert net.scale.numpy().tolist() == [2.0, 2.0]
    assert twin.scale is twin._parameters["scale"]


# ---- state -------------------------------------------------------------------------------------------------------------


def test_state_dict_holds_the_live_tensors() -> None:
    net = small_net(nn)
    state = net.state_dict()
    assert type(state).__name__ == "OrderedDict"
    assert state["block.first.weight"] is net.block.first.weight
    into: Any = type(state)(extra=1)
    assert net.state_dict(into) is into
    assert next(iter(into)) == "extra"


def loaded(module: Any, state: dict[str, Any], **options: Any) -> tuple[Any, list[str]]:
    """What set_state_dict returns, and the warnings it gives, in either library."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = tutorial_net(module).set_state_dict(state, **options)
    return result, [str(w.message) for w in caught]


def test_set_state_dict_reports_what_paddle_reports() -> None:
    shapes = {"conv1.weight": (6, 1, 5, 5), "conv1.bias": (6,), "linear3.weight": (84, 9), "extra": (1,)}
    state = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    ours, theirs = loaded(nn, state), loaded(paddle.nn, state)
    assert ours[0] == theirs[0]
    assert ours[1] == theirs[1]
    assert len(ours[1]) == 8


def test_set_state_dict_copies_arrays_and_tensors_and_lists() -> None:
    source, target = small_net(nn), small_net(nn)
    state = dict(source.state_dict())
    state["scale"] = [5, 6]  # plain numbers convert
    state["kept"] = np.full(3, 4, np.float32)
    assert target.set_state_dict(state) == ([], [])
    assert target.scale.numpy().tolist() == [5.0, 6.0]
    assert target.kept.numpy().tolist() == [4.0] * 3
    assert np.array_equal(target.block.first.weight.numpy(), source.block.first.weight.numpy())
    assert target.block.first.weight is not source.block.first.weight


def test_set_state_dict_by_parameter_name() -> None:
    net = nn.Linear(2, 2)
    assert net.bias is not None
    state = {net.weight.name: np.ones((2, 2), np.float32), net.bias.name: np.ones(2, np.float32)}
    for load in (net.set_state_dict, net.set_dict, net.load_dict):
        net.weight.set_value(np.zeros((2, 2), np.float32))
        assert load(state, use_structured_name=False) == ([], [])
        assert net.weight.numpy().sum() == 4


def test_set_state_dict_refuses_another_dtype_before_writing_anything() -> None:
    net = nn.Linear(2, 2)
    before = net.weight.numpy()
    state = {"weight": np.zeros((2, 2), np.float32), "bias": np.zeros(2)}
    with pytest.raises(ValueError, match=r"bias: got dtype .*float64, expected dtype float32.*astype\('float32'\)"):
        net.set_state_dict(state)
    assert np.array_equal(net.weight.numpy(), before)
    with pytest.raises(AssertionError):  # Paddle's type for the same mistake
        paddle.nn.Linear(2, 2).set_state_dict(state)


def test_clear_gradients() -> None:
    net = nn.Linear(2, 2, bias_attr=ParamAttr(trainable=False))
    net(ones(nn, 1, 2)).sum().backward()
    net.clear_gradients()
    assert net.weight.grad is not None
    assert net.weight.grad.numpy().sum() == 0
    net.clear_gradients(set_to_zero=False)
    assert net.weight.grad is None


def test_to_astype_and_float_return_the_layer() -> None:
    net = nn.Linear(1, 1)
    assert net.to("cpu") is net
    assert net.to(dtype="float32") is net
    assert net.astype("float32") is net
    assert net.float() is net
    assert net.double() is net
    assert net.weight.dtype == net(to_tensor([[1.0]], "float64")).dtype == "float64"
    assert net.to(device=to_tensor(1.0).place) is net


# ---- calls and hooks ---------------------------------------------------------------------------------------------------


def test_hooks_run_in_order_and_may_replace_inputs_and_outputs() -> None:
    def story(module: Any) -> list[Any]:
        told: list[Any] = []

        class Double(module.Layer):  # type: ignore[misc,name-defined]
            def forward(self, x: int, y: int = 1) -> int:
                told.append(("forward", x, y))
                return x * 2

        layer = Double()
        first = layer.register_forward_pre_hook(lambda _, inputs: told.append(("pre1", inputs)))
        layer.register_forward_pre_hook(lambda _, inputs: (inputs[0] + 10, 7))
        bare = layer.register_forward_pre_hook(lambda _, inputs: inputs[0] if len(inputs) == 1 else None)
        layer.register_forward_post_hook(lambda _, inputs, output: told.append(("post1", inputs, output)))
        last = layer.register_forward_post_hook(lambda _, inputs, output: output + 100)
        told.append(layer(1))
        for handle in (first, bare, last, last):
            handle.remove()
        told.append(layer(2))
        return told

    assert story(nn) == story(paddle.nn)


def test_a_layer_without_hooks_again_is_unhooked() -> None:
    layer = nn.ReLU()
    assert not layer._hooked
    handle = layer.register_forward_post_hook(lambda *_: None)
    assert layer._hooked
    handle.remove()
    assert not layer._hooked


def test_forward_may_return_anything() -> None:
    class Odd(nn.Layer):
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            return None if not args else (args, kwargs)

    assert Odd()() is None
    assert Odd()(1, a=2) == ((1,), {"a": 2})


def test_hidden_state_of_a_layer_without_super_init_still_calls() -> None:
    class Bare(nn.Layer):
        def __init__(self) -> None:
            self.number = 3

        def forward(self, x: int) -> int:
            return x + self.number

    assert Bare()(1) == 4


def test_mutations_count_what_a_compiled_network_must_notice() -> None:
    net = small_net(nn)
    handle = net.register_forward_pre_hook(lambda *_: None)
    changes: list[Callable[[], Any]] = [
        lambda: setattr(net, "number", 1),
        lambda: setattr(net.block.first, "weight", create_parameter([2, 3])),
        lambda: net.eval(),
        lambda: net.train(),
        lambda: setattr(net, "training", False),
        handle.remove,
        lambda: net.register_forward_post_hook(lambda *_: None),
        lambda: net.add_sublayer("more", nn.ReLU()),
        lambda: delattr(net, "more"),
        lambda: net.register_buffer("buffer", ones(nn, 1)),
        lambda: net.add_parameter("parameter", create_parameter([1])),
    ]
    for change in changes:
        before = mutations()
        change()
        assert mutations() > before
    net.train()
    settled = mutations()
    net(ones(nn, 1, 2))
    net.train()  # it is in that mode already
    assert mutations() == settled


# ---- containers --------------------------------------------------------------------------------------------------------

CONTAINERS: list[Callable[[Any], Any]] = [
    lambda m: m.Sequential(m.ReLU(), m.Tanh())[0],
    lambda m: m.Sequential(m.ReLU(), m.Tanh())[-1],
    lambda m: m.Sequential(m.ReLU(), m.Tanh())["1"],
    lambda m: m.Sequential(m.ReLU(), m.Tanh(), m.Sigmoid())[1:],
    lambda m: m.Sequential(("a", m.ReLU()), ("b", m.Tanh()))["b"],
    lambda m: m.Sequential(("a", m.ReLU()), ("b", m.Tanh()))[1],
    lambda m: len(m.Sequential(m.ReLU(), m.Tanh())),
    lambda m: m.Sequential(m.ReLU()).append(m.Tanh()),
    lambda m: m.Sequential(m.ReLU()).extend([m.Tanh(), m.Sigmoid()]),
    lambda m: list(m.Sequential(m.ReLU(), m.Tanh())),
    lambda m: m.Sequential()(3),
    lambda m: m.LayerList([m.ReLU(), m.Tanh()])[-1],
    lambda m: m.LayerList([m.ReLU(), m.Tanh()])[0:1],
    lambda m: m.LayerList(m.Sequential(m.ReLU(), m.Tanh())),
    lambda m: m.LayerList([m.ReLU()]).append(m.Tanh()),
    lambda m: m.LayerList([m.ReLU()]).extend([m.Tanh()]),
    lambda m: [len(m.LayerList()), len(m.LayerList([m.ReLU()]))],
    lambda m: changed(m.LayerList([m.ReLU(), m.Tanh()]), lambda x: x.insert(1, m.Sigmoid())),
    lambda m: changed(m.LayerList([m.ReLU(), m.Tanh()]), lambda x: x.insert(-1, m.Sigmoid())),
    lambda m: changed(m.LayerList([m.ReLU(), m.Tanh()]), lambda x: x.insert(2, m.Sigmoid())),
    lambda m: changed(m.LayerList([m.ReLU(), m.Tanh()]), lambda x: x.__setitem__(0, m.Sigmoid())),
    lambda m: changed(m.LayerList([m.ReLU(), m.Tanh()]), lambda x: x.__delitem__(0)),
    lambda m: changed(m.Sequential(m.ReLU(), m.Tanh()), lambda x: x.__setitem__("0", m.Sigmoid())),
    lambda m: changed(m.Sequential(m.ReLU(), m.Tanh()), lambda x: x.__delitem__("0")),
]


def changed(container: Any, change: Callable[[Any], Any]) -> Any:
    change(container)
    return container


@pytest.mark.parametrize("use", CONTAINERS)
def test_containers_do_as_paddles(use: Callable[[Any], Any]) -> None:
    assert repr(use(nn)) == repr(use(paddle.nn))


def test_sequential_runs_its_layers_in_order() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.ReLU())
    x = ones(nn, 3, 2, 2)
    assert np.array_equal(net(x).numpy(), net[2](net[1](net[0](x))).numpy())


# ---- refusals --------------------------------------------------------------------------------------------------------

# what the user writes, our type and words, Paddle's type, or None where it accepts that or stumbles

REFUSALS: list[tuple[Callable[[Any], Any], type[Exception], str, type[Exception] | None]] = [
    (lambda m: m.Conv2D(4, 8, 3, padding=[[1, 2], [3, 4]]), ValueError, "padding.*'SAME' or 'VALID'", ValueError),
    (lambda m: m.Conv2D(4, 8, 3, padding=[1, 2, 3]), ValueError, "padding", ValueError),
    (lambda m: m.Conv2D(4, 8, 3, padding=-1), ValueError, "padding.*got -1", ValueError),
    (lambda m: m.Conv2D(4, 8, 3, padding="foo"), ValueError, "padding.*'foo'", ValueError),
    (lambda m: m.Conv2D(4, 8, 3, padding=1.5), ValueError, "padding.*1.5", ValueError),
    (lambda m: m.Conv2D(4, 8, 3.5), ValueError, "kernel_size.*3.5", ValueError),
    (lambda m: m.Conv2D(4, 8, [3, 3, 3]), ValueError, "kernel_size.*two of them", ValueError),
    (lambda m: m.Conv2D(4, 8, [3, "a"]), ValueError, "kernel_size", ValueError),
    (lambda m: m.Conv2D(4, 8, 0), ValueError, "kernel_size.*at least 1", None),
    (lambda m: m.Conv2D(4, 8, 3, stride=0), ValueError, "stride.*at least 1", None),
    (lambda m: m.Conv2D(4, 8, 3, dilation=0), ValueError, "dilation.*at least 1", None),
    (
        lambda m: m.Conv2D(4, 8, 3, groups=3),
        ValueError,
        "in_channels.*got 4, expected a multiple of groups, 3",
        ValueError,
    ),
    (lambda m: m.Conv2D(4, 7, 3, groups=2), ValueError, "out_channels.*got 7, expected a multiple of groups, 2", None),
    (lambda m: m.Conv2D(4, 8, 3, groups=0), ValueError, "groups.*at least 1", None),
    (lambda m: m.Conv2D(4, 8, 3, padding_mode="foo"), ValueError, "padding_mode.*'zeros'", ValueError),
    (lambda m: m.Conv2D(4, 8, 3, data_format="FOO"), ValueError, "data_format.*'NCHW'", ValueError),
    (lambda m: m.Conv2D(4, 8, 3, weight_attr=False), ValueError, "weight_attr.*needs its weight", AssertionError),
    (lambda m: m.Conv2D(4, 8, 3, weight_attr=3), TypeError, "weight_attr or bias_attr.*int 3", TypeError),
    (lambda m: m.Conv2D(0, 8, 3), ValueError, "in_channels.*at least 1", None),
    (lambda m: m.Conv2D(4.0, 8, 3), TypeError, "in_channels.*whole number", TypeError),
    (lambda m: m.Conv2D(4, 8, 3, 1, 0, 1, 1, "zeros"), TypeError, "positional arguments", TypeError),
    (lambda m: m.Conv2D(4, 8, 3, dtype="float16"), ValueError, "'float32' or 'float64'", None),
    (lambda m: m.Conv2D(4, 8, 3, device="gpu"), ValueError, "'cpu'", ValueError),
    (lambda m: m.Linear(0, 4), ValueError, "in_features.*at least 1", None),
    (lambda m: m.Linear(4, 2.5), TypeError, "out_features.*whole number", TypeError),
    (lambda m: m.Linear(3, 4, bias=False), TypeError, "bias", TypeError),
    (lambda m: m.Linear(3, 4, weight_attr=False), ValueError, "weight_attr.*needs its weight", None),
    (lambda m: m.MaxPool2D(2, padding=2), ValueError, "padding.*less than the kernel", None),
    (lambda m: m.MaxPool2D(0), ValueError, "kernel_size.*at least 1", None),
    (lambda m: m.MaxPool2D(2, stride=0), ValueError, "stride.*at least 1", None),
    (lambda m: m.MaxPool2D(2, padding="VALID", ceil_mode=True), ValueError, "ceil_mode", None),
    (lambda m: m.AvgPool2D(2, divisor_override=0), ValueError, "divisor_override", None),
    (lambda m: m.AdaptiveAvgPool2D([1, 2, 3]), ValueError, "output_size", None),
    (lambda m: m.AdaptiveAvgPool2D(1.5), TypeError, "output_size", None),
    (lambda m: m.Flatten("a"), ValueError, "start_axis", None),
    (lambda m: m.Softmax(0.5), TypeError, "axis", None),
    (lambda m: m.Dropout(2), ValueError, "p.*0 to 1", None),
    (lambda m: m.Dropout("a"), TypeError, "p.*0 to 1", None),
    (lambda m: m.Dropout(0.5, mode="foo"), ValueError, "mode.*'upscale_in_train'", None),
    (lambda m: m.Dropout2D(-0.1), ValueError, "p.*0 to 1", None),
    (lambda m: m.CrossEntropyLoss(reduction="foo"), ValueError, "reduction.*'mean', 'sum', 'none'", None),
    (lambda m: m.CrossEntropyLoss(label_smoothing=2.0), ValueError, "label_smoothing.*0 to 1", None),
    (lambda m: m.CrossEntropyLoss(ignore_index=1.5), TypeError, "ignore_index", None),
    (lambda m: m.CrossEntropyLoss(weight=[1.0, 2.0]), TypeError, r"to_tensor\(weight\)", None),
    (lambda m: m.Sequential([m.ReLU(), m.Tanh()]), ValueError, r"Sequential\(\*layers\)", None),
    (lambda m: m.Sequential([m.ReLU()]), ValueError, r"Sequential\(\*layers\)", ValueError),
    (lambda m: m.Sequential(m.ReLU(), 3), ValueError, "Sequential.*a Layer", AssertionError),
    (lambda m: m.Sequential(("a", 3)), ValueError, "Sequential.*a Layer", AssertionError),
    (lambda m: m.Sequential(m.ReLU()).append(3), ValueError, "Sequential.*a Layer", AssertionError),
    (lambda m: m.Sequential(m.ReLU())[5], IndexError, r"index.*got 5, expected .*\[-1, 1\)", IndexError),
    (lambda m: m.Sequential(m.ReLU())[1.5], TypeError, "index", None),
    (lambda m: m.LayerList([m.ReLU(), 3]), ValueError, "LayerList.*a Layer", AssertionError),
    (lambda m: m.LayerList([m.ReLU()])[3], IndexError, r"\[-1, 1\)", IndexError),
    (lambda m: m.LayerList([m.ReLU()]).insert(5, m.Tanh()), IndexError, r"\[-1, 2\)", AssertionError),
    (lambda m: m.LayerList([m.ReLU()])(3), NotImplementedError, "no forward", NotImplementedError),
    (lambda m: m.LayerList(3), TypeError, "not iterable", TypeError),
    (lambda m: m.Layer()(3), NotImplementedError, "Layer has no forward", NotImplementedError),
    (lambda m: m.Layer().foo, AttributeError, "'Layer' object has no attribute 'foo'", AttributeError),
    (lambda m: m.Layer(3), TypeError, "name_scope", TypeError),
    (lambda m: m.Layer(dtype="int64"), ValueError, "float32", None),
    (
        lambda m: setattr(tutorial_net(m), "conv1", 3),
        TypeError,
        "assignment to sublayer 'conv1'.*a Layer or None",
        TypeError,
    ),
    (lambda m: setattr(tutorial_net(m), "conv1", ones(m, 2)), TypeError, "sublayer 'conv1'", TypeError),
    (
        lambda m: setattr(m.Linear(1, 1), "weight", 3),
        TypeError,
        "parameter 'weight'.*a Parameter or None.*set_value",
        TypeError,
    ),
    (lambda m: setattr(m.Linear(1, 1), "weight", ones(m, 2)), TypeError, "parameter 'weight'", TypeError),
    (lambda m: setattr(small_net(m), "kept", 3), TypeError, "buffer 'kept'.*a Tensor or None", TypeError),
    (lambda m: m.Layer().register_buffer("b", 3), TypeError, "to_tensor", TypeError),
    (lambda m: m.Layer().register_buffer(3, ones(m, 1)), TypeError, "name of a buffer", TypeError),
    (lambda m: m.Layer().register_buffer("a.b", ones(m, 1)), KeyError, "without dots", KeyError),
    (lambda m: m.Layer().register_buffer("", ones(m, 1)), KeyError, "not empty", KeyError),
    (lambda m: tutorial_net(m).register_buffer("conv1", ones(m, 1)), KeyError, "already has", KeyError),
    (lambda m: m.Layer().add_parameter("p", 3), TypeError, "create_parameter", TypeError),
    (lambda m: m.Layer().add_parameter(3, None), TypeError, "name of a parameter", TypeError),
    (lambda m: m.Layer().add_parameter("a.b", None), KeyError, "without dots", KeyError),
    (lambda m: tutorial_net(m).add_parameter("conv1", None), KeyError, "already has", KeyError),
    (lambda m: m.Layer().add_sublayer("s", 3), ValueError, "a Layer", AssertionError),
    (lambda m: m.ReLU().register_forward_pre_hook(3), TypeError, "hook.*a function", None),
    (lambda m: m.Linear(1, 1).to("gpu"), ValueError, "'cpu'", ValueError),
    (lambda m: m.Linear(1, 1).to(device=3), ValueError, "'cpu'", ValueError),
    (lambda m: m.Linear(1, 1).astype("foo"), ValueError, "'float32'", ValueError),
    (lambda m: m.Linear(1, 1).to(dtype="int64"), ValueError, "'float32' or 'float64'", None),
    (lambda m: m.Layer().create_parameter([2, -1]), ValueError, "at least 0", AssertionError),
]


@pytest.mark.parametrize(("write", "kind", "words", "theirs"), REFUSALS)
def test_bad_layers_are_refused(
    write: Callable[[Any], Any], kind: type[Exception], words: str, theirs: type[Exception] | None
) -> None:
    with pytest.raises(kind, match=f"(?s){words}"):
        write(nn)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Paddle's own remarks
        if theirs is not None:
            with pytest.raises(theirs):
                write(paddle.nn)


def test_forgetting_super_init_is_named() -> None:
    def made(value: Any) -> type[nn.Layer]:
        class Forgetful(nn.Layer):
            def __init__(self) -> None:
                self.thing = value

        return Forgetful

    for value in (nn.ReLU(), ones(nn, 1), create_parameter([1])):
        with pytest.raises(ValueError, match=r"super\(\).__init__\(\) should be called first.*Forgetful"):
            made(value)()
    with pytest.raises(ValueError, match="should be called first"):
        made(3)().parameters()


# ---- shapes that do not fit name the layer -------------------------------------------------------------------------------


def message_of(call: Callable[[], Any]) -> str:
    with pytest.raises(ShapeError) as caught:
        call()
    return str(caught.value)


def test_a_wrong_number_of_channels_names_the_layer_both_shapes_and_the_fix() -> None:
    text = message_of(lambda: LeNet()(ones(nn, 4, 3, 28, 28)))
    assert text.startswith(
        "in conv1 = Conv2D(1, 6, kernel_size=[5, 5], padding=2, data_format=NCHW): conv2d: got images of 3 channels"
    )
    assert "[3, 28, 28]" in text
    assert "[6, 1, 5, 5]" in text
    assert "in_channels=3" in text


def test_a_wrong_image_size_names_the_linear_layer() -> None:
    text = message_of(lambda: LeNet()(ones(nn, 4, 1, 32, 32)))
    assert text.startswith("in linear1 = Linear(in_features=400")
    assert "576" in text
    assert "in_features=576" in text


def test_nested_layers_show_the_path_and_numbers_as_indices() -> None:
    net = OtherLeNet()
    assert message_of(lambda: net(ones(nn, 2, 3, 28, 28))).startswith("in features[0] = Conv2D(1, 6,")
    holder = nn.Sequential(("body", nn.Sequential(nn.Sequential(nn.Linear(3, 3)))))
    assert message_of(lambda: holder(ones(nn, 2, 4))).startswith("in body[0][0] = Linear(in_features=3")


def test_a_layer_without_a_parent_shows_itself_alone() -> None:
    assert message_of(lambda: nn.Linear(3, 3)(ones(nn, 2, 4))).startswith("in Linear(in_features=3")


def test_an_operation_in_a_nets_own_forward_names_that_forward() -> None:
    class Net(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.max_pool2d(x, 2)  # type: ignore[no-any-return]

    assert message_of(lambda: Net()(ones(nn, 2, 4))).startswith(
        "in Net.forward: max_pool2d: got images of shape [2, 4]"
    )
    outer = nn.Sequential(("net", Net()))
    assert message_of(lambda: outer(ones(nn, 2, 4))).startswith("in net = Net.forward: max_pool2d:")


def test_hooked_layers_are_named_too() -> None:
    net = LeNet()
    net.conv1.register_forward_pre_hook(lambda *_: None)
    assert message_of(lambda: net(ones(nn, 4, 3, 28, 28))).startswith("in conv1 = Conv2D(")


def test_other_errors_pass_through_unchanged() -> None:
    class Failing(nn.Layer):
        def forward(self, x: Any) -> Any:
            raise KeyError("mine")

    with pytest.raises(KeyError, match=r"^'mine'$"):
        nn.Sequential(Failing())(1)


def test_evaluation_mode_still_records_for_backward() -> None:
    net = LeNet().eval()
    net(ones(nn, 2, 1, 28, 28)).sum().backward()
    assert net.conv1.weight.grad is not None
    with tape.no_grad():
        assert net(ones(nn, 2, 1, 28, 28)).stop_gradient


@pytest.mark.parametrize("named", [True, False])
def test_weights_of_pytorch_are_refused_before_anything_is_written(named):
    net = nn.Sequential(nn.Conv2D(1, 2, 3), nn.Flatten(), nn.Linear(8, 8), nn.Linear(8, 3))
    before = {key: value.numpy() for key, value in net.state_dict().items()}
    theirs = {key: (value.T if value.ndim == 2 else value) + 1 for key, value in before.items()}
    if not named:
        theirs = {net.state_dict()[key].name: value for key, value in theirs.items()}
    with pytest.raises(
        ValueError, match=r"of shape \[3, 8\], expected \[8, 3\]. They look like PyTorch's.*value\.T for "
    ):
        net.set_state_dict(theirs, use_structured_name=named)
    for key, value in net.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[key])


def test_tensors_of_pytorch_are_refused():
    tensor = type("Tensor", (), {"__module__": "torch", "shape": (8, 3), "dtype": "torch.float32"})()
    with pytest.raises(
        ValueError,
        match=r"weight as a Tensor of PyTorch, expected .*Type lenet\.export\.load_torch_state\(net, state\)",
    ):
        nn.Linear(8, 3).set_state_dict({"weight": tensor})
