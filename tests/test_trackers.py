"""TensorBoard and MLflow: their own readers find the numbers that ``fit`` reported, also after an exception and Ctrl-C."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lenet
from lenet import callbacks
from lenet.callbacks.runner import CallbackList

draw = np.random.default_rng(0)
IMAGES = draw.normal(size=(75, 1, 8, 8)).astype(np.float32)
LABELS = draw.integers(0, 3, (75, 1))
STEPS = 8  # of 10 images, the last of 5
EXACT = 1e-6  # relative: event files hold float32


def data(count: int = 75) -> Any:
    return lenet.io.TensorDataset([lenet.to_tensor(IMAGES[:count]), lenet.to_tensor(LABELS[:count])])


def prepared(rate: Any = 0.05) -> Any:
    lenet.seed(0)
    network = lenet.nn.Sequential(
        lenet.nn.Conv2D(1, 4, 3), lenet.nn.ReLU(), lenet.nn.MaxPool2D(2), lenet.nn.Flatten(), lenet.nn.Linear(36, 3)
    )
    model = lenet.Model(network)
    optimizer = lenet.optimizer.Momentum(rate, parameters=network.parameters())
    model.prepare(optimizer, lenet.nn.CrossEntropyLoss(), lenet.metric.Accuracy())
    return model


class Reported(callbacks.Callback):
    """All that ``fit`` reports, batch by batch."""

    def __init__(self) -> None:
        self.batches: list[dict[str, Any]] = []
        self.evaluations: list[dict[str, Any]] = []

    def on_train_batch_end(self, step: int, logs: Any = None) -> None:
        self.batches.append({**logs, "rate": self.model._optimizer.get_lr()})

    def on_eval_end(self, logs: Any = None) -> None:
        self.evaluations.append(logs)


class Fails(callbacks.Callback):
    """Raises at the end of a step, counted from 0 in all epochs."""

    def __init__(self, error: BaseException, at: int) -> None:
        self.error, self.left = error, at

    def on_train_batch_end(self, step: int, logs: Any = None) -> None:
        self.left -= 1
        if self.left < 0:
            raise self.error


def fails(given: list[Any]) -> None:
    """A ``fit`` that ends by its last callback's exception, which is then still held."""
    with pytest.raises((KeyboardInterrupt, ValueError)) as caught:
        prepared().fit(data(), batch_size=10, epochs=2, verbose=0, callbacks=given)
    assert caught.value is given[-1].error


def events(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Each tag's (step, value) as TensorBoard itself reads them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        found = EventAccumulator(str(folder))
        found.Reload()
    return {tag: [(e.step, e.value) for e in found.Scalars(tag)] for tag in found.Tags()["scalars"]}


def scheduled() -> Any:
    return lenet.optimizer.lr.StepDecay(0.05, step_size=3, gamma=0.5)


def expected(reported: Reported, at: list[int]) -> dict[str, list[tuple[int, float]]]:
    rows = [(n, reported.batches[n - 1]) for n in at]
    return {
        "train/loss": [(n, row["loss"][0]) for n, row in rows],
        "train/acc": [(n, row["acc"]) for n, row in rows],
        "train/learning_rate": [(n, row["rate"]) for n, row in rows],
        "eval/loss": [(n, row["loss"][0]) for n, row in enumerate(reported.evaluations, 1)],
        "eval/acc": [(n, row["acc"]) for n, row in enumerate(reported.evaluations, 1)],
    }


def assert_same(found: dict[str, list[tuple[int, float]]], wanted: dict[str, list[tuple[int, float]]]) -> None:
    assert set(found) == set(wanted)
    for tag, points in wanted.items():
        assert [n for n, _ in found[tag]] == [n for n, _ in points], tag
        np.testing.assert_allclose([v for _, v in found[tag]], [v for _, v in points], rtol=EXACT, err_msg=tag)


# ---- TensorBoard -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("watched", [True, False])
def test_tensorboard_reads_back_what_fit_reported(tmp_path: Path, watched: bool) -> None:
    """Without another callback that watches each batch, several batches run at once; the numbers are the same."""
    reported = Reported()
    prepared(scheduled()).fit(data(), data(20), batch_size=10, epochs=2, verbose=0, callbacks=reported)
    board = callbacks.TensorBoard(tmp_path / "made" / "here", log_freq=3)
    used = [board, Reported()] if watched else board
    prepared(scheduled()).fit(data(), data(20), batch_size=10, epochs=2, verbose=0, callbacks=used)
    assert len(reported.batches) == 2 * STEPS
    # every third batch of an epoch, and its last
    assert_same(events(tmp_path / "made" / "here"), expected(reported, [3, 6, 8, 11, 14, 16]))


def test_an_epochs_last_batch_is_written_once(tmp_path: Path) -> None:
    prepared().fit(data(), batch_size=10, epochs=2, verbose=0, callbacks=callbacks.TensorBoard(tmp_path, log_freq=4))
    assert [n for n, _ in events(tmp_path)["train/loss"]] == [4, 8, 12, 16]


def test_another_fit_goes_on_counting_and_evaluate_alone_is_written(tmp_path: Path) -> None:
    model, board = prepared(), callbacks.TensorBoard(str(tmp_path), log_freq=8)
    model.fit(data(), batch_size=10, verbose=0, callbacks=board)
    model.fit(data(), batch_size=10, verbose=0, callbacks=board)
    result = model.evaluate(data(), batch_size=10, verbose=0, callbacks=board)
    found = events(tmp_path)
    assert [n for n, _ in found["train/loss"]] == [8, 16]
    assert found["eval/acc"] == [(2, pytest.approx(result["acc"], rel=EXACT))]
    assert board._writer is None


@pytest.mark.parametrize("kind", [callbacks.TensorBoard, callbacks.MLflow])
def test_fit_still_runs_several_batches_at_once(kind: Callable[..., Any]) -> None:
    model = prepared()

    def calls(*given: Any) -> CallbackList:
        return CallbackList(list(given), model, verbose=0)

    tracker = kind("x", log_freq=10)
    assert [calls(tracker).unseen("train", step, 16) for step in (0, 4, 9, 10)] == [10, 6, 1, 10]
    assert calls(tracker).unseen("eval", 0, 16) == 16
    assert calls(tracker, Reported()).unseen("train", 0, 16) == 1
    mine = type("Mine", (kind,), {"on_train_batch_end": lambda self, step, logs=None: None})
    assert calls(mine("x")).unseen("train", 0, 16) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("mine")])
def test_the_event_file_is_complete_after_an_exception(tmp_path: Path, error: BaseException) -> None:
    board = callbacks.TensorBoard(tmp_path, log_freq=1)
    fails([board, Fails(error, at=10)])
    assert board._writer is None
    assert [n for n, _ in events(tmp_path)["train/loss"]] == list(range(1, 12))


# ---- MLflow ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"


@pytest.fixture
def client(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """MLflow's own reader of the store; artifacts go below the working folder."""
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs
        import mlflow

        return mlflow.MlflowClient(tracking_uri=store)


def tracker(store: str, **options: Any) -> Any:
    return callbacks.MLflow(experiment="digits", tracking_uri=store, **options)


def history(client: Any, run_id: str) -> dict[str, list[tuple[int, float]]]:
    names = client.get_run(run_id).data.metrics
    return {name: sorted((m.step, m.value) for m in client.get_metric_history(run_id, name)) for name in names}


def test_mlflow_reads_back_what_fit_reported(client: Any, store: str) -> None:
    reported = Reported()
    prepared(scheduled()).fit(data(), data(20), batch_size=10, epochs=2, verbose=0, callbacks=reported)
    run = tracker(store, run_name="first", log_freq=3)
    model = prepared(scheduled())
    model.fit(data(), data(20), batch_size=10, epochs=2, verbose=0, callbacks=run)
    assert_same(history(client, run.run_id), expected(reported, [3, 6, 8, 11, 14, 16]))

    found = client.get_run(run.run_id)
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "first"
    assert client.get_experiment(found.info.experiment_id).name == "digits"
    assert found.data.params == {
        "architecture": "Conv2D ReLU MaxPool2D Flatten Linear",
        "batch_size": "10",
        "epochs": "2",
        "learning_rate": "0.05",
        "loss": "CrossEntropyLoss",
        "network": "Sequential",
        "optimizer": "Momentum",
        "scheduler": "StepDecay",
        "weights": str(4 * 9 + 4 + 36 * 3 + 3),
    }
    assert [entry.path for entry in client.list_artifacts(run.run_id)] == ["model.safetensors"]
    other = prepared()
    other.load(os.path.join(found.info.artifact_uri.removeprefix("file://"), "model.safetensors"))
    np.testing.assert_array_equal(other.predict_batch([IMAGES])[0], model.predict_batch([IMAGES])[0])


def test_each_fit_is_a_run(client: Any, store: str) -> None:
    model, run = prepared(), tracker(store, log_freq=8)
    ids = []
    for _ in range(2):
        model.fit(data(), batch_size=10, verbose=0, callbacks=run)
        ids.append(run.run_id)
    assert ids[0] != ids[1]
    assert [[n for n, _ in history(client, i)["train/loss"]] for i in ids] == [[8], [8]]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("mine")])
def test_a_run_that_was_cut_off_is_failed_and_has_its_numbers(client: Any, store: str, error: BaseException) -> None:
    run = tracker(store, log_freq=1)
    fails([run, Fails(error, at=10)])
    found = client.get_run(run.run_id)
    assert found.info.status == "FAILED"
    assert found.info.end_time is not None
    assert [n for n, _ in history(client, run.run_id)["train/loss"]] == list(range(1, 12))
    assert client.list_artifacts(run.run_id) == []


def test_both_are_whole_when_an_exception_ends_the_program(client: Any, store: str, tmp_path: Path) -> None:
    program = f"""
import os, numpy as np, lenet
os.chdir({str(tmp_path)!r})
x, y = lenet.to_tensor(np.zeros((40, 4), "float32")), lenet.to_tensor(np.zeros((40, 1), "int64"))
model = lenet.Model(lenet.nn.Sequential(lenet.nn.Linear(4, 2)))
model.prepare(lenet.optimizer.SGD(0.1, model.parameters()), lenet.nn.CrossEntropyLoss())
class Stop(lenet.callbacks.Callback):
    def on_train_batch_end(self, step, logs=None):
        if step == 2:
            raise KeyboardInterrupt
board = lenet.callbacks.TensorBoard("board", log_freq=1)
run = lenet.callbacks.MLflow("cut off", tracking_uri={store!r}, log_freq=1)
model.fit(lenet.io.TensorDataset([x, y]), batch_size=10, verbose=0, callbacks=[board, run, Stop()])
"""
    command, root = [sys.executable, "-c", program], Path(__file__).parents[1]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=root)
    assert ran.returncode != 0
    assert ran.stderr.rstrip().endswith("KeyboardInterrupt"), ran.stderr
    assert [n for n, _ in events(tmp_path / "board")["train/loss"]] == [1, 2, 3]
    (found,) = client.search_runs([client.get_experiment_by_name("cut off").experiment_id])
    assert found.info.status == "FAILED"
    assert [n for n, _ in history(client, found.info.run_id)["train/loss"]] == [1, 2, 3]


def test_a_long_architecture_is_cut(client: Any, store: str) -> None:
    network = lenet.nn.Sequential(lenet.nn.Flatten(), *[lenet.nn.ReLU() for _ in range(200)], lenet.nn.Linear(64, 3))
    model, run = lenet.Model(network), tracker(store)
    model.prepare(lenet.optimizer.SGD(0.1, network.parameters()), lenet.nn.CrossEntropyLoss())
    model.fit(data(), batch_size=25, verbose=0, callbacks=run)
    shown = client.get_run(run.run_id).data.params["architecture"]
    assert len(shown) == 500
    assert shown.startswith("Flatten ReLU ReLU")
    assert shown.endswith("…")


# ---- what goes wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "package", "extra"),
    [
        (callbacks.TensorBoard("made"), "tensorboard", "tensorboard"),
        (callbacks.MLflow(), "mlflow", "mlflow"),
        (callbacks.MLflow(tracking_uri="sqlite:///made.db"), "sqlalchemy", "mlflow"),
    ],
)
def test_a_missing_package_is_named_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Any, package: str, extra: str
) -> None:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.chdir(tmp_path)

    class Absent:
        def find_spec(self, name: str, *_: Any) -> None:
            if name == package:
                raise ModuleNotFoundError(f"No module named {package!r}", name=package)

    if isinstance(made, callbacks.MLflow):
        importlib.import_module("mlflow")  # it looks around for what is installed, once
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Absent(), *sys.meta_path])
    model, reported = prepared(), Reported()
    text = rf"callbacks: got no package {package}, expected it installed\. Type pip install '\.\[{extra}\]' in lenet's"
    with pytest.raises(ImportError, match=text):
        model.fit(data(), batch_size=10, verbose=0, callbacks=[made, reported])
    assert reported.batches == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [callbacks.TensorBoard, callbacks.MLflow])
def test_log_freq_is_a_whole_number(kind: Any) -> None:
    with pytest.raises(ValueError, match=rf"{kind.__name__}\(log_freq\): got 0, expected a whole number of at least 1"):
        kind("x", log_freq=0)


def test_paddles_viewers_name_what_is_here_instead() -> None:
    with pytest.raises(NotImplementedError, match=r"got VisualDL, .*Type lenet.callbacks.TensorBoard\('logs'\)"):
        callbacks.VisualDL("logs")
    with pytest.raises(NotImplementedError, match=r"got WandbCallback, .*Type lenet.callbacks.MLflow\("):
        callbacks.WandbCallback(project="digits")
