"""The table of operations: what a row is, what a call records, what a trace sees, and every shape rule's refusal.

Numbers are elsewhere: kernels in test_kernels, gradients in test_gradients, Paddle's side of it in test_parity.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lenet
from lenet.autograd import random, tape
from lenet.autograd.table import TABLE
from lenet.autograd.tape import Trace
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.messages.check import ShapeError
from lenet.nn import functional as F

CONV = {"stride": (1, 1), "padding": (0, 0, 0, 0), "dilation": (1, 1), "groups": 1}
POOL = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0, 0, 0), "ceil_mode": False}


def normal(*shape: int, seed: int = 0, wants: bool = False) -> Tensor:
    values = np.random.RandomState(seed).standard_normal(shape).astype(np.float32)
    return to_tensor(values, stop_gradient=not wants)


# ---- rows --------------------------------------------------------------------------------------------------------------


def test_a_row_is_found_under_its_own_name_and_is_of_one_of_two_kinds() -> None:
    for name, row in TABLE.items():
        assert row.name == name
        assert row.kind in ("core", "array")


def test_every_row_says_whether_a_plan_can_run_it() -> None:
    """Of the core's rows all but the loss, which ends a plan, and a plan itself and its outputs; of the arrays' a few."""
    assert {name for name, row in TABLE.items() if row.kind == "core" and row.plan is None} == {
        "cross_entropy",
        "output",
        "plan",
    }
    assert {name for name, row in TABLE.items() if row.kind == "array" and row.plan is not None} == {
        "concat", "gelu", "getitem", "leaky_relu", "mean", "pad", "relu6", "silu",
    }  # fmt: skip


# ---- what a call records -----------------------------------------------------------------------------------------------


def test_only_a_call_that_somebody_wants_a_gradient_of_is_recorded() -> None:
    x, w = normal(3, 4), normal(4, 2, wants=True)
    assert tape.call("relu", x).stop_gradient
    y = tape.call("linear", x, w, None)
    assert not y.stop_gradient
    assert not y.is_leaf
    assert tape.call("relu", y)._node.inputs[0] is y
    with tape.no_grad():
        assert tape.call("linear", x, w, None).is_leaf


def test_a_missing_bias_is_none_everywhere() -> None:
    x, w = normal(2, 1, 4, 4), normal(3, 1, 2, 2, seed=1, wants=True)
    y = tape.call("conv2d", x, w, None, **CONV)
    y.backward()
    assert w.grad.shape == [3, 1, 2, 2]


def test_flatten_and_reshape_are_free_while_the_samples_stay_in_front() -> None:
    x = tape.call("relu", normal(17, 2, 3, 3))
    assert tape.call("flatten", x, start=1, stop=-1)._lanes is x._lanes
    assert tape.call("reshape", x, shape=(17, 3, -1))._lanes is x._lanes
    assert tape.call("reshape", x, shape=(-1, 2))._lanes is None
    assert np.array_equal(tape.call("reshape", x, shape=(-1, 2)).numpy(), x.numpy().reshape(-1, 2))


def test_gradients_of_a_tensor_used_by_two_operations_add_up() -> None:
    x = normal(17, 4, wants=True)
    y = tape.call("tanh", x)
    (tape.call("sigmoid", y) + tape.call("relu", y)).sum().backward()
    t = np.tanh(x.numpy().astype(float))
    s = 1 / (1 + np.exp(-t))
    np.testing.assert_allclose(
        x.grad.numpy(), (s * (1 - s) + (t > 0)) * (1 - t * t), rtol=0, atol=1e-6
    )  # a few roundings


def test_only_what_led_to_the_result_is_walked() -> None:
    x, other = normal(3, 4, wants=True), normal(3, 4, seed=1, wants=True)
    tape.call("relu", other)
    tape.call("relu", x).sum().backward()
    assert other.grad is None


# ---- traces ------------------------------------------------------------------------------------------------------------


def test_a_trace_holds_the_calls_in_order_even_without_gradients() -> None:
    x = normal(3, 4)
    with Trace() as seen, tape.no_grad():
        y = tape.call("relu", tape.call("tanh", x))
    assert [node.row.name for node, _ in seen.nodes] == ["tanh", "relu"]
    assert seen.nodes[1][0].inputs[0] is seen.nodes[0][1]
    assert seen.nodes[1][1] is y
    tape.call("relu", x)
    assert len(seen.nodes) == 2


READS = [
    "x.numpy()",
    "x.tolist()",
    "np.asarray(x)",
    "x[0, 0].item()",
    "float(x[0, 0])",
    "bool(x[0, 0])",
    "int(x[0, 0])",
    "list(x)",
]
READS += ["f'{x[0, 0]:.2f}'", "[0, 1, 2][to_tensor(1)]", "str(x)"]


@pytest.mark.parametrize("read", READS)
def test_a_trace_notices_that_a_value_is_read(read: str) -> None:
    with Trace() as seen:
        eval(read, {"x": normal(3, 4), "np": np, "to_tensor": to_tensor})
    assert seen.reads > 0


@pytest.mark.parametrize(
    "look", ["x.shape", "len(x)", "x.dtype", "x.ndim", "x.size", "x.stop_gradient", "x.relu if False else 0"]
)
def test_a_trace_lets_shapes_be_looked_at(look: str) -> None:
    with Trace() as seen:
        eval(look, {"x": normal(3, 4)})
    assert seen.reads == 0


# ---- shape rules: given, expected, what to type instead ----------------------------------------------------------------

IMAGES = normal(2, 3, 8, 8)
MISTAKES: list[tuple[str, list[Any], dict[str, Any], type[Exception], str]] = [
    (
        "conv2d",
        [IMAGES, normal(6, 1, 5, 5), None],
        CONV,
        ShapeError,
        r"images of 3 channels.*expected 1 for its weights.*Grayscale",
    ),
    ("conv2d", [normal(2, 8, 8, 1), normal(6, 1, 5, 5), None], CONV, ShapeError, r"transpose\(\[0, 3, 1, 2\]\)"),
    ("conv2d", [IMAGES, normal(6, 5, 5, 5), None], CONV, ShapeError, r"in_channels=3, or give it images of 5 channels"),
    (
        "conv2d",
        [normal(2, 8, 8), normal(6, 1, 5, 5), None],
        CONV,
        ShapeError,
        r"shape \[2, 8, 8\], expected 4 dimensions.*unsqueeze\(1\)",
    ),
    ("conv2d", [normal(2, 64), normal(6, 1, 5, 5), None], CONV, ShapeError, r"reshape\(\[-1, 1, 28, 28\]\)"),
    (
        "conv2d",
        [normal(2, 1, 4, 4), normal(6, 1, 5, 5), None],
        CONV,
        ShapeError,
        r"images of 4x4, expected at least the kernel's 5x5",
    ),
    (
        "conv2d",
        [normal(2, 1, 4, 4), normal(6, 1, 3, 3), None],
        {**CONV, "dilation": (3, 3), "padding": (1, 1, 0, 0)},
        ShapeError,
        r"images of 4x4 \(padded 6x4\), expected at least the kernel's 7x7",
    ),
    (
        "conv2d",
        [IMAGES.astype("float64"), normal(6, 3, 5, 5), None],
        CONV,
        ValueError,
        r"float64.*expected float32 like the weights",
    ),
    (
        "conv2d",
        [IMAGES.astype("uint8"), normal(6, 3, 5, 5), None],
        CONV,
        TypeError,
        r"uint8.*expected float32.*Normalize or ToTensor",
    ),
    (
        "conv2d",
        [np.zeros((2, 1, 8, 8)), normal(6, 1, 5, 5), None],
        CONV,
        TypeError,
        r"ndarray of float64.*lenet.to_tensor\(x\)",
    ),
    ("max_pool2d", [normal(2, 1, 1, 1)], POOL, ShapeError, r"images of 1x1, expected at least the window's 2x2"),
    ("avg_pool2d", [normal(2, 5, 5)], POOL, ShapeError, r"4 dimensions.*unsqueeze\(1\)"),
    (
        "max_pool2d",
        [IMAGES],
        {**POOL, "padding": (2, 0, 0, 0)},
        ValueError,
        r"padding \[2, 0, 0, 0\], expected less than the window",
    ),
    ("max_pool2d", [IMAGES.astype("int64")], POOL, TypeError, r"int64"),
    (
        "linear",
        [normal(2, 576), normal(400, 120), None],
        {},
        ShapeError,
        r"576 features.*expected 400.*in_features=576",
    ),
    (
        "linear",
        [normal(2, 16, 5, 5), normal(400, 120), None],
        {},
        ShapeError,
        r"Flatten the images first: lenet.flatten\(x, 1\)",
    ),
    ("linear", [to_tensor(1.0), normal(4, 2), None], {}, ShapeError, r"0 features"),
    ("linear", [normal(2, 4).astype("float64"), normal(4, 2), None], {}, ValueError, r"astype\('float32'\)"),
    ("relu", [to_tensor([1, 2])], {}, TypeError, r"relu: got a tensor of int64"),
    ("dropout", [to_tensor([1, 2])], {"p": 0.5, "training": True, "mode": "upscale_in_train"}, TypeError, r"dropout"),
    ("softmax", [normal(2, 3)], {"axis": 2}, ValueError, r"axis 2 of a tensor with 2 dimensions"),
]


@pytest.mark.parametrize(("row", "inputs", "attrs", "error", "text"), MISTAKES)
def test_a_mistake_is_named(
    row: str, inputs: list[Any], attrs: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text) as caught:
        tape.call(row, *inputs, **attrs)
    assert str(caught.value).startswith(row)
    assert isinstance(caught.value, (ValueError, TypeError))


# ---- dropout -----------------------------------------------------------------------------------------------------------


def _dropped(x: Tensor, **attrs: Any) -> np.ndarray:
    random.seed(3)
    return tape.call("dropout", x, **{"p": 0.5, "training": True, "mode": "upscale_in_train", **attrs}).numpy()


def test_dropout_draws_one_number_an_element_in_nchw_order() -> None:
    x = normal(17, 2, 3, 4)
    random.seed(3)
    keep = random.generator().uniform(x.size, 0.0, 1.0).reshape(17, 2, 3, 4) >= np.float32(0.3)
    # 1 / 0.7 is rounded once in the mask
    np.testing.assert_allclose(_dropped(x, p=0.3), x.numpy() * keep / 0.7, rtol=2e-7, atol=0)
    assert np.array_equal(_dropped(x, p=0.3, mode="downscale_in_infer"), x.numpy() * keep)


def test_dropout_in_evaluation_draws_nothing() -> None:
    x = normal(5, 4)
    random.seed(3)
    before = random.generator().get_state()
    same = tape.call("dropout", x, p=0.3, training=False, mode="upscale_in_train")
    scaled = tape.call("dropout", x, p=0.3, training=False, mode="downscale_in_infer")
    assert random.generator().get_state() == before
    assert np.array_equal(same.numpy(), x.numpy())
    np.testing.assert_allclose(scaled.numpy(), x.numpy() * 0.7, rtol=2e-7, atol=0)  # 0.7 rounded to float32


def test_dropout_of_everything_and_of_nothing() -> None:
    x = normal(5, 4)
    assert not _dropped(x, p=1.0).any()
    assert np.array_equal(_dropped(x, p=0.0), x.numpy())


def test_the_gradient_passes_the_same_mask() -> None:
    x = normal(17, 6, wants=True)
    random.seed(3)
    y = tape.call("dropout", x, p=0.5, training=True, mode="upscale_in_train")
    y.sum().backward()
    assert np.array_equal(x.grad.numpy() == 0, y.numpy() == 0)
    assert set(x.grad.numpy().ravel()) == {0.0, 2.0}


# ---- cross_entropy: the cases that Paddle refuses or gets wrong, and the mistakes ---------------------------------------

LOGITS = normal(5, 4, seed=2)
LABELS = np.array([0, 3, 2, 1, 3])


def _log_p() -> np.ndarray:
    x = LOGITS.numpy().astype(float)
    return x - np.log(np.exp(x).sum(1, keepdims=True))


def _close(loss: Tensor, wanted: Any) -> None:
    np.testing.assert_allclose(loss.numpy(), wanted, rtol=1e-6, atol=0)  # a dozen roundings to float32


@pytest.mark.parametrize("shape", [(5,), (5, 1)])
def test_label_smoothing_takes_labels_of_either_shape(shape: tuple[int, ...]) -> None:
    target = 0.8 * np.eye(4)[LABELS] + 0.2 / 4
    loss = F.cross_entropy(LOGITS, to_tensor(LABELS.reshape(shape)), label_smoothing=0.2)
    _close(loss, -(target * _log_p()).sum(1).mean())


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.int64, np.float32, np.float64])
def test_labels_of_any_type_that_holds_whole_numbers(kind: type) -> None:
    loss = F.cross_entropy(LOGITS, to_tensor(LABELS.astype(kind)))
    _close(loss, -_log_p()[range(5), LABELS].mean())


def test_an_ignored_class_leaves_the_mean_and_an_ignored_mark_does_not() -> None:
    rows = [0, 2, 3]
    _close(F.cross_entropy(LOGITS, to_tensor(LABELS), ignore_index=3), -_log_p()[rows, LABELS[rows]].mean())
    marked = np.array([0, -100, 2, 1, -100])
    _close(F.cross_entropy(LOGITS, to_tensor(marked)), -_log_p()[rows, LABELS[rows]].sum() / 5)  # as Paddle: N stays 5
    _close(F.cross_entropy(LOGITS, to_tensor(marked), reduction="sum"), -_log_p()[rows, LABELS[rows]].sum())


def test_when_all_samples_are_ignored_the_loss_is_zero() -> None:
    x = normal(5, 4, seed=2, wants=True)
    loss = F.cross_entropy(x, to_tensor(np.full(5, 3)), ignore_index=3)
    loss.backward()
    assert loss.item() == 0
    assert not x.grad.numpy().any()


def test_a_nan_among_the_logits_reaches_the_loss() -> None:
    x = LOGITS.numpy()
    x[1, 2] = np.nan
    assert np.isnan(F.cross_entropy(to_tensor(x), to_tensor(LABELS)).item())
    each = F.cross_entropy(to_tensor(x), to_tensor(LABELS), reduction="none").numpy()
    assert np.isnan(each).tolist() == [False, True, False, False, False]


def test_the_gradient_of_a_mean_over_64_is_an_exact_64th() -> None:
    x = normal(64, 10, wants=True)
    labels = to_tensor(np.arange(64) % 10)
    F.cross_entropy(x, labels, reduction="sum").backward()
    total = x.grad.numpy()
    x.clear_gradient(False)
    F.cross_entropy(x, labels).backward()
    assert np.array_equal(x.grad.numpy(), total / 64)


CROSS_ENTROPY_MISTAKES: list[tuple[Any, Any, dict[str, Any], type[Exception], str]] = [
    (LOGITS, to_tensor([0, 4, 1, 1, 1]), {}, IndexError, r"label 4 \(sample 1 of 5\), expected 0 to 3.*has 4 outputs"),
    (LOGITS, to_tensor([0, 1, -1, 1, 1]), {}, IndexError, r"label -1 \(sample 2 of 5\)"),
    (
        LOGITS,
        to_tensor([0, 1, 2]),
        {},
        ValueError,
        r"labels of shape \[3\] for predictions \[5, 4\], expected \[5\] or \[5, 1\]",
    ),
    (LOGITS, to_tensor(np.eye(4)[LABELS]), {}, ValueError, r"soft_label=True.*argmax\(-1\)"),
    (LOGITS, to_tensor([0.5, 1, 1, 1, 1]), {}, ValueError, r"with fractions"),
    (LOGITS, LABELS, {}, TypeError, r"cross_entropy\(label\): got ndarray"),
    (LOGITS, to_tensor(LABELS), {"weight": to_tensor([1.0])}, ValueError, r"shape \[1\], expected \[4\]"),
    (LOGITS, to_tensor(LABELS), {"soft_label": True}, ValueError, r"soft labels of shape \[5\]"),
    (
        LOGITS,
        to_tensor(np.ones((5, 4)) / 4),
        {"soft_label": True},
        ValueError,
        r"soft labels of float64.*astype\('float32'\)",
    ),
    (LOGITS[0], to_tensor(0), {}, ValueError, r"expected \[N, C\].*unsqueeze\(0\)"),
    (LOGITS.astype("int64"), to_tensor(LABELS), {}, TypeError, r"int64"),
    (LOGITS, to_tensor(LABELS), {"axis": 2}, ValueError, r"axis 2"),
    (LOGITS, to_tensor(LABELS), {"reduction": "avg"}, ValueError, r"one of 'mean', 'sum', 'none'|one of"),
]


@pytest.mark.parametrize(("x", "label", "attrs", "error", "text"), CROSS_ENTROPY_MISTAKES)
def test_a_mistake_in_a_loss_is_named(
    x: Any, label: Any, attrs: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text) as caught:
        F.cross_entropy(x, label, **attrs)
    assert str(caught.value).startswith("cross_entropy")


def test_a_layer_puts_its_name_in_front_once() -> None:
    net = lenet.LeNet()
    with pytest.raises(ValueError, match=r"^[^:]*conv1[^:]*: conv2d: got images of 3 channels") as caught:
        net(normal(2, 3, 28, 28))
    assert str(caught.value).count("conv1") == 1
    with pytest.raises(ValueError, match=r"linear1.*576 features.*expected 400"):
        net(normal(2, 1, 32, 32))
