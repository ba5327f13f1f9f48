"""``Model`` with a network that answers with a map, [N, C, H, W]: a class for each pixel, through the plan and without it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lenet
from lenet import nn
from lenet.io import Subset, TensorDataset
from lenet.metric import Accuracy

X = np.random.RandomState(0).rand(96, 1, 8, 10).astype(np.float32)
Y = np.digitize(X[:, 0], [0.33, 0.66]).astype(np.int64)


class Segmenter(nn.Layer):
    def __init__(self) -> None:
        super().__init__()
        # No bias before the norm: its gradient is rounding alone, of which Adam makes steps.
        self.first = nn.Conv2D(1, 8, 3, padding=1, bias_attr=False)
        self.norm, self.last = nn.BatchNorm2D(8), nn.Conv2D(8, 3, 1)

    def forward(self, x: Any) -> Any:
        return self.last(nn.functional.relu(self.norm(self.first(x))))


class OneByOne(lenet.io.Dataset):  # no rows of an array: no plan
    def __init__(self, y: Any = Y) -> None:
        self.y = y

    def __getitem__(self, i: int) -> Any:
        return X[i], self.y[i]

    def __len__(self) -> int:
        return len(X)


def prepared(**loss: Any) -> lenet.Model:
    lenet.seed(3)
    model = lenet.Model(Segmenter())
    optimizer = lenet.optimizer.Adam(0.02, parameters=model.parameters())
    model.prepare(optimizer, nn.CrossEntropyLoss(**({"axis": 1} | loss)), Accuracy())
    return model


@pytest.mark.parametrize("own_axis", [False, True])
def test_the_plan_and_single_steps_agree(own_axis: bool) -> None:
    y = Y[:, None] if own_axis else Y
    runs = {}
    for name, data in {"plan": TensorDataset([X, y]), "steps": OneByOne(y)}.items():
        model = prepared()
        history = model.fit(data, batch_size=16, epochs=4, shuffle=False, verbose=0)
        assert (model.plan_reason is None) == (name == "plan")
        found = model.evaluate(data, batch_size=32, verbose=0)
        answers = np.concatenate(model.predict(data, batch_size=32, verbose=0)[0])
        assert answers.shape == (96, 3, 8, 10)
        assert found["acc"] == pytest.approx((answers.argmax(1) == Y).mean())
        runs[name] = history["loss"], history["acc"], found["acc"]
    assert runs["plan"][2] > 0.6
    for a, b in zip(runs["plan"], runs["steps"], strict=True):
        np.testing.assert_allclose(a, b, rtol=0.01)


def test_arrays_a_split_and_a_subset() -> None:
    model = prepared()
    history = model.fit(X, Y, epochs=2, verbose=0, validation_split=0.25)
    assert len(history["eval_acc"]) == 2
    assert model.plan_reason is None
    assert model.evaluate((X, Y), verbose=0)["acc"] == pytest.approx(
        (model.predict_batch([X])[0].argmax(1) == Y).mean()
    )
    half = Subset(TensorDataset([X, Y]), range(48))
    assert prepared().fit(half, batch_size=16, epochs=1, verbose=0)["acc"][0] > 0.2


def test_several_k_and_labels_that_are_ignored() -> None:
    scores = np.random.RandomState(1).rand(2, 4, 3, 5)
    label = scores.argmax(1)
    metric = Accuracy(topk=(1, 2))
    metric.update(metric.compute(lenet.to_tensor(scores), lenet.to_tensor(label)))
    assert metric.accumulate() == [1.0, 1.0]
    metric.reset()
    metric.update(metric.compute(scores, np.argsort(scores, 1)[:, -2][:, None]))
    assert metric.accumulate() == [0.0, 1.0]
    model = prepared(ignore_index=-100)
    hidden = np.where(X[:, 0] < 0.1, -100, Y)
    model.fit(TensorDataset([X, hidden]), batch_size=32, epochs=1, verbose=0)
    assert model.plan_reason is None


@pytest.mark.parametrize(
    ("labels", "loss", "kind", "text"),
    [
        (Y, {"axis": -1}, ValueError, r"The classes are the second axis: type axis=1"),
        (Y[:, :6], {}, ValueError, r"got labels of shape \[96, 6, 10\].*expected a class a cell, \['N', 8, 10\]"),
        (Y[:, 0, 0], {}, ValueError, r"expected a class a cell"),
        (Y + 5, {}, IndexError, r"got label [567] .*expected 0 to 2"),
    ],
)
def test_labels_that_do_not_fit(labels: Any, loss: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        prepared(**loss).fit(TensorDataset([X, labels]), batch_size=16, epochs=1, verbose=0)


def test_no_model_file_says_that_it_classifies(tmp_path: Any) -> None:
    model = prepared()
    model.fit(TensorDataset([X, Y]), batch_size=48, epochs=1, verbose=0)
    with pytest.raises(
        ValueError, match=r"got a network with outputs of shape \[3, 8, 10\], expected one number a class"
    ):
        model.save(tmp_path / "m.safetensors", mean=0.0, std=1.0)
    model.save(tmp_path / "m.safetensors")
    other = prepared()
    other.load(tmp_path / "m.safetensors")
    np.testing.assert_allclose(other.predict_batch([X[:4]])[0], model.predict_batch([X[:4]])[0], rtol=1e-5)
