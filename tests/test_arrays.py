"""Arrays straight into ``fit``, ``evaluate`` and ``predict``: shapes, dtypes, labels of any kind; and what ``fit`` returns."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lenet
from lenet.vision.datasets.labelled import are_arrays, floats, labelled, layout_of, parted, targets

WORDS = np.array(["cat", "dog", "emu"])


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Three easily told kinds of 8 x 8: uint8 [90, 8, 8], number i of kind i % 3."""
    rng = np.random.default_rng(0)
    found = rng.integers(0, 60, (90, 8, 8)).astype(np.uint8)
    for i in range(90):
        found[i, :, (i % 3) * 3 : (i % 3) * 3 + 2] += 150
    return found


LABELS = np.arange(90) % 3


def model(network: Any = None, loss: Any = None) -> lenet.Model:
    lenet.seed(1)
    nn = lenet.nn
    network = network or nn.Sequential(nn.Conv2D(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 36, 3))
    found = lenet.Model(network)
    adam = lenet.optimizer.Adam(0.01, parameters=network.parameters())
    found.prepare(adam, loss or nn.CrossEntropyLoss(), lenet.metric.Accuracy() if loss is None else None)
    return found


def as_frame(array: np.ndarray) -> Any:
    """What a data frame is to us: a shape and to_numpy()."""
    return type(
        "DataFrame", (), {"shape": array.shape, "to_numpy": lambda self: array, "__len__": lambda self: len(array)}
    )()


@pytest.mark.parametrize(
    "made",
    [
        lambda x: x,
        lambda x: x[:, None],
        lambda x: x[..., None],
        lambda x: x.reshape(90, 64),
        lambda x: as_frame(x.reshape(90, 64)),
        lambda x: lenet.to_tensor(x),
        lambda x: (x / np.float32(255)).astype(np.float64),
        lambda x: x.astype(np.int64),
    ],
    ids=["NHW", "NCHW", "NHWC", "rows", "frame", "tensor", "float64", "int64"],
)
def test_images_of_any_usual_shape(images: np.ndarray, made: Any) -> None:
    found = model()
    history = found.fit(made(images), WORDS[LABELS], batch_size=16, epochs=8, verbose=0)
    assert found.classes == ("cat", "dog", "emu")
    assert history["acc"][-1] > 0.95
    answers = found.predict(made(images), batch_size=45, stack_outputs=True, verbose=0)[0].argmax(axis=1)
    assert np.mean(answers == LABELS) > 0.95
    assert found.evaluate((made(images), WORDS[LABELS]), batch_size=45, verbose=0)["acc"] > 0.95


def test_arrays_and_a_data_set_train_the_same_bits(images: np.ndarray) -> None:
    one, other = model(), model()
    one.fit(images, LABELS, batch_size=16, epochs=2, verbose=0)
    scaled = ((images[:, None].astype(np.float32) - 127.5) / 127.5).astype(np.float32)
    other.fit(lenet.io.TensorDataset([scaled, LABELS]), batch_size=16, epochs=2, verbose=0)
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert one.plan_reason is None


def test_colour(images: np.ndarray) -> None:
    colour = np.repeat(images[..., None], 3, axis=3)
    nn = lenet.nn
    found = model(nn.Sequential(nn.Conv2D(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3)))
    assert found.fit(colour, LABELS, batch_size=16, epochs=8, verbose=0)["acc"][-1] > 0.95
    assert found.plan_reason is None


def test_what_was_done_to_the_shape_is_said(images: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    model().fit(images.reshape(90, 64), LABELS, verbose=0, num_iters=1)
    assert capsys.readouterr().err == "each row is taken for an image of 8 x 8\n"
    model().fit(images[..., None], LABELS, verbose=0, num_iters=1)
    assert "data_format='NHWC'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "numbers", "names"),
    [
        ([0, 1, 2, 1], [0, 1, 2, 1], ("0", "1", "2")),
        (np.array([[0], [2], [1]]), [0, 2, 1], ("0", "1", "2")),
        ([10, 20, 10], [0, 1, 0], ("10", "20")),
        ([-1, 1, -1], [0, 1, 0], ("-1", "1")),
        ([0, 3], [0, 1], ("0", "3")),
        (["b", "a", "b"], [1, 0, 1], ("a", "b")),
        ([True, False], [1, 0], ("False", "True")),
        ([1.0, 2.0], [0, 1], ("1", "2")),
        (np.eye(3)[[2, 0]], [2, 0], ("0", "1", "2")),
    ],
)
def test_labels_of_any_kind(given: Any, numbers: list[int], names: tuple[str, ...]) -> None:
    found, classes = targets("y", given)
    assert (found.dtype, found.tolist(), classes) == (np.int64, numbers, names)


def test_classes_say_the_order() -> None:
    found, names = targets("y", ["b", "a"], ["b", "a", "c"])
    assert (found.tolist(), names) == ([0, 1], ("b", "a", "c"))
    assert targets("y", [2, 0], ["x", "y", "z"])[0].tolist() == [2, 0]
    assert targets("y", [7, 5], [5, 7])[0].tolist() == [1, 0]
    with pytest.raises(ValueError, match=r"y: got the label 'd', expected one of \['a', 'b'\]"):
        targets("y", ["d"], ["a", "b"])


def test_numbers_to_fit_stay_numbers() -> None:
    found, names = targets("y", [0.5, 1.25])
    assert (found.dtype, found.shape, names) == (np.float32, (2, 1), ())


def test_a_part_held_out(images: np.ndarray) -> None:
    data = labelled("x", images, LABELS, layout_of("x", images), LABELS)
    train, held = parted(data, 0.2, LABELS)
    assert (len(train), len(held)) == (72, 18)
    assert np.bincount([int(held[i][1][0]) for i in range(18)]).tolist() == [6, 6, 6]
    assert not set(train.indices) & set(held.indices)
    history = model().fit(images, LABELS, batch_size=16, epochs=3, validation_split=0.2, verbose=0)
    assert history.names == ["loss", "acc", "eval_loss", "eval_acc"]
    assert len(history) == 3
    assert len(history["eval_acc"]) == 3


def test_weights_of_classes(images: np.ndarray) -> None:
    few = np.r_[np.flatnonzero(LABELS == 0), np.flatnonzero(LABELS == 1)[:3], np.flatnonzero(LABELS == 2)[:3]]
    plain, even, none = (model() for _ in range(3))
    for one, weight in ((plain, None), (even, "balanced"), (none, {"1": 0, "2": 0})):
        one.fit(images[few], LABELS[few], batch_size=36, epochs=1, verbose=0, class_weight=weight)
    totals = [
        np.abs(m.predict(images[few], batch_size=36, stack_outputs=True, verbose=0)[0]) for m in (plain, even, none)
    ]
    assert not np.array_equal(totals[0], totals[1])
    assert not np.array_equal(totals[0], totals[2])
    assert even._loss.weight is None, "the loss is the user's own again"


def test_history_looks_like_a_table(tmp_path: Path) -> None:
    history = lenet.model.history.History()
    history.add({"loss": [0.5], "acc": 0.75, "step": 3, "batch_size": 4})
    history.add({"loss": [0.25], "acc": np.float64(0.875)})
    history.add({"loss": [0.125], "acc": 1.0}, evaluated=True)
    assert repr(history).splitlines()[1:] == [
        "    1  0.5000  0.7500                     ",
        "    2  0.2500  0.8750     0.1250    1.0000",
    ]
    assert history["eval_acc"] == [None, 1.0]
    assert history.rows()[1] == {"epoch": 2, "loss": 0.25, "acc": 0.875, "eval_loss": 0.125, "eval_acc": 1.0}
    assert history._repr_html_().count("<td>") == 10
    assert "acc" in history
    assert "auc" not in history
    with pytest.raises(KeyError, match="got 'auc', expected one of loss, acc"):
        history["auc"]
    history.plot(tmp_path / "h.png")
    assert (tmp_path / "h.png").stat().st_size > 1000
    assert pickle.loads(pickle.dumps(history)).rows() == copy.deepcopy(history).rows() == history.rows()


@pytest.mark.parametrize(
    ("x", "y", "options", "says"),
    [
        (np.zeros((3, 8, 8)), [0, 1], {}, "3 images and 2 labels"),
        (np.zeros((0, 8, 8)), np.zeros(0, int), {}, "arrays without a row"),
        (np.zeros(5), np.zeros(5, int), {}, r"shape \[5\]"),
        (np.zeros((2, 63)), [0, 1], {}, "rows of 63 numbers"),
        (np.full((2, 8, 8), np.nan), [0, 1], {}, "isn't finite in image 0"),
        (np.full((2, 8, 8), 300), [0, 1], {}, "whole numbers from 300 to 300"),
        (np.array([["a"] * 64] * 2), [0, 1], {}, "expected numbers of one shape"),
        (np.zeros((2, 8, 8)), [np.nan, 1], {}, "nan at position 0"),
        (np.zeros((2, 8, 8)), np.zeros((2, 3)), {"classes": ["a"]}, "got"),
        (np.zeros((2, 8, 8)), [0, 1], {"validation_split": 1.5}, "a share between 0 and 1"),
        (np.zeros((2, 8, 8)), [0, 1], {"validation_split": 0.1}, "some of 2 images on each side"),
        (np.zeros((2, 8, 8)), [0, 1], {"class_weight": {"9": 1}}, "the class '9'"),
        (np.zeros((2, 8, 8)), [0, 1], {"class_weight": {"1": -1}}, "the weight -1"),
        (np.zeros((2, 8, 8)), [0, 1], {"class_weight": 3}, "a dict of weights"),
        (np.zeros((2, 8, 8)), [0, 1], {"data_format": "CHW"}, "NCHW"),
    ],
)
def test_mistakes(x: Any, y: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says) as caught:
        model().fit(x, y, verbose=0, **options)
    assert len(str(caught.value)) <= 300
    assert "\n" not in str(caught.value)


def test_options_of_arrays_want_arrays(images: np.ndarray) -> None:
    data = lenet.io.TensorDataset([np.zeros((4, 1, 8, 8), np.float32), np.zeros(4, np.int64)])
    with pytest.raises(TypeError, match=r"validation_split.*arrays as train_data: fit\(x, y\). Split a data set with"):
        model().fit(data, validation_split=0.1)
    with pytest.raises(TypeError, match="class_weight"):
        model().fit(data, class_weight="balanced")
    found = model()
    found.fit(images, LABELS, verbose=0, num_iters=1)
    with pytest.raises(TypeError, match="got floats, expected bytes 0 to 255, as before"):
        found.predict(images / 255, verbose=0)


def test_two_batches_are_no_arrays() -> None:
    batch = np.zeros((4, 2), np.float32)
    assert not are_arrays([batch, batch])
    assert not are_arrays((batch, None))
    assert are_arrays((batch, [0] * 4))
    assert floats("x", batch, layout_of("x", batch)).dtype == np.float32
