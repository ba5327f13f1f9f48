"""Models, networks and readers go through pickle, copies and other processes at any time, and go on as if they had not."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lenet
from lenet.reading import Reader
from lenet.train import Trained, train

IMAGES = np.random.default_rng(0).random((64, 1, 28, 28)).astype(np.float32)
LABELS = np.arange(64) % 10


def pickled(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))


WAYS = pytest.mark.parametrize("way", [pickled, copy.deepcopy])


def prepared() -> lenet.Model:
    lenet.seed(0)
    net = lenet.LeNet()
    model = lenet.Model(net)
    schedule = lenet.optimizer.lr.StepDecay(0.01, step_size=3)
    adam = lenet.optimizer.Adam(schedule, parameters=net.parameters())
    model.prepare(adam, lenet.nn.CrossEntropyLoss(), lenet.metric.Accuracy())
    return model


def fit(model: lenet.Model) -> None:
    data = lenet.io.TensorDataset([lenet.to_tensor(IMAGES), lenet.to_tensor(LABELS)])
    model.fit(data, epochs=1, batch_size=16, verbose=0)


@WAYS
def test_a_model_in_training(way: Callable[[Any], Any]) -> None:
    model = prepared()
    assert (way(model).predict_batch(IMAGES)[0] == model.predict_batch(IMAGES)[0]).all()
    fit(model)
    other = way(model)
    fit(model)
    fit(other)
    for ours, theirs in zip(model.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    assert other.summary((1, 1, 28, 28)) == model.summary((1, 1, 28, 28))


def test_a_pickled_model_holds_no_images_and_is_saved_as_before(tmp_path, mnist_dir) -> None:
    from lenet.vision.datasets import ArrayDataset
    from lenet.vision.transforms import Normalize

    images = np.random.default_rng(0).integers(0, 256, (2_000, 28, 28), np.uint8)
    data = ArrayDataset(images, np.arange(2_000) % 10, Normalize([127.5], [127.5], "CHW"))
    model = prepared()
    model.fit(data, epochs=1, batch_size=64, verbose=0)
    assert len(pickle.dumps(model)) < images.nbytes
    model.save(tmp_path / "a.safetensors")
    pickled(model).save(tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


@WAYS
def test_a_network_that_runs_as_a_plan(way: Callable[[Any], Any]) -> None:
    net = lenet.jit.to_static(lenet.LeNet())
    x = lenet.to_tensor(IMAGES)
    for _ in range(2):  # before and after it was compiled
        other = way(net)
        np.testing.assert_array_equal(other(x).numpy(), net(x).numpy())
        assert other.forward.plan_reason == ""
        loss = lenet.nn.functional.cross_entropy(other(x), lenet.to_tensor(LABELS))
        loss.backward()
        assert other.parameters()[0].grad is not None
        assert net.parameters()[0].grad is None


@WAYS
def test_trained_models_and_readers(model, way: Callable[[Any], Any]) -> None:
    trained = Trained.load(model)
    images = (255 * IMAGES[:, 0]).astype(np.uint8)
    np.testing.assert_array_equal(way(trained).probabilities(images), trained.probabilities(images))
    for reader in (Reader(), Reader(trained)):
        np.testing.assert_array_equal(way(reader)(images), reader(images))


def test_a_result(small_mnist, tmp_path) -> None:
    result = train("fast", data=small_mnist, epochs=1, out=tmp_path / "m.safetensors", say=lambda _: None)
    assert pickled(result).digest == result.digest
    assert pickled(result).trained.labels == result.trained.labels


def answers(model: Any, images: Any) -> Any:
    return model.probabilities(images) if isinstance(model, Trained) else model(lenet.to_tensor(images)).numpy()


def test_another_process(model) -> None:
    trained, net = Trained.load(model), lenet.jit.to_static(lenet.LeNet())
    images = (255 * IMAGES[:, 0]).astype(np.uint8)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        np.testing.assert_array_equal(pool.apply(answers, (trained, images)), trained.probabilities(images))
        np.testing.assert_array_equal(pool.apply(answers, (net, IMAGES)), answers(net, IMAGES))


def test_schedules_are_found_where_every_version_looks() -> None:
    schedule = lenet.optimizer.lr.StepDecay(0.1, 2)
    assert b"lenet.optimizer.lr" in pickle.dumps(schedule)
    assert pickle.loads(pickle.dumps(schedule))() == 0.1
    assert {getattr(lenet.optimizer.lr, name).__module__ for name in lenet.optimizer.lr.__all__} == {
        "lenet.optimizer.lr"
    }
