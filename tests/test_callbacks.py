"""Callbacks: the order of hooks and what the ready-made ones decide, beside real Paddle; and what ours do better."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import lenet
from lenet import callbacks as ours
from lenet.callbacks.runner import CallbackList

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle

draw = np.random.default_rng(0)
IMAGES = draw.normal(size=(25, 6)).astype(np.float32)
LABELS = draw.integers(0, 3, (25, 1))
HOOKS = [name for name in dir(ours.Callback) if name.startswith("on_")]


def prepared(lib: Any = lenet, rate: Any = 0.01) -> Any:
    lib.seed(0)
    model = lib.Model(lib.nn.Sequential(lib.nn.Linear(6, 3)))
    model.prepare(lib.optimizer.SGD(rate, model.parameters()), lib.nn.CrossEntropyLoss(), lib.metric.Accuracy())
    return model


def data(lib: Any = lenet) -> Any:
    return lib.io.TensorDataset([lib.to_tensor(IMAGES), lib.to_tensor(LABELS)])


def quiet(call: Callable[[], Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call()


def diary(lib: Any) -> Any:
    """A callback that writes down every hook with its number, and what it was told at the start."""
    calls: list[Any] = []

    def hook(name: str) -> Callable[..., None]:
        def write(self: Any, *args: Any) -> None:
            numbers = [a for a in args if isinstance(a, int)]
            logs = {k: v for k, v in (args[-1] or {}).items() if k in ("steps", "metrics")} if "begin" in name else {}
            calls.append((name, *numbers, logs))

        return write

    def set_params(self: Any, params: Any) -> None:
        calls.append(("set_params", dict(params)))

    def set_model(self: Any, model: Any) -> None:
        calls.append(("set_model", type(model).__name__))

    body = {name: hook(name) for name in HOOKS} | {"set_params": set_params, "set_model": set_model}
    made = type("Diary", (lib.callbacks.Callback,), body)()
    made.calls = calls
    return made


def test_hooks_come_in_paddles_order() -> None:
    diaries = []
    for lib in (lenet, paddle):
        notes, model = diary(lib), prepared(lib)

        def run(lib: Any = lib, notes: Any = notes, model: Any = model) -> None:
            model.fit(data(lib), data(lib), batch_size=[10, 20], epochs=3, eval_freq=2, verbose=0, callbacks=notes)
            model.evaluate(data(lib), batch_size=10, verbose=0, callbacks=[notes])
            model.predict(data(lib), batch_size=10, verbose=0, callbacks=(notes,))

        quiet(run)
        diaries.append([call for call in notes.calls if call[0] != "on_predict_begin"])
    assert diaries[0] == diaries[1]
    assert len({call[0] for call in diaries[0]}) == len(HOOKS) - 1 + 2


def test_the_names_are_those_of_paddle() -> None:
    for name in set(ours.__all__) - {"EMA", "MLflow", "TensorBoard"}:  # names of our own
        assert hasattr(paddle.callbacks, name)
    for name in paddle.callbacks.__all__:
        assert hasattr(ours, name)
    theirs = [name for name in dir(paddle.callbacks.Callback) if name.startswith("on_")]
    assert theirs == HOOKS


def test_a_callback_needs_no_init() -> None:
    class Bare(ours.Callback):
        def __init__(self) -> None:
            pass

        def on_train_begin(self, logs: Any = None) -> None:
            assert self.model is not None
            assert self.params["epochs"] == 1

    prepared().fit(data(), verbose=0, callbacks=Bare())
    assert ours.Callback.params == {}


# ---- EarlyStopping and ReduceLROnPlateau, told values ------------------------------------------------------------------

FALLING_THEN_FLAT = [3.0, 2.0, 2.0, 1.9, 1.95, 1.95, 2.5, 1.0]
RISING = [0.1, 0.5, 0.5, 0.49, 0.7, 0.7, 0.7, 0.7, 0.9]


def stops(lib: Any, values: list[float], **options: Any) -> tuple[list[bool], float, int]:
    """After each evaluation whether the training is stopped; the best value; the count of bad ones."""
    watcher = lib.callbacks.EarlyStopping(verbose=0, save_best_model=False, **options)
    model = SimpleNamespace(stop_training=False)
    watcher.set_model(model)
    watcher.on_train_begin()
    stopped = []
    for epoch, value in enumerate(values):
        watcher.on_epoch_begin(epoch)
        watcher.on_eval_end({options.get("monitor", "loss"): [value]})
        stopped.append(model.stop_training)
    return stopped, float(watcher.best_value), watcher.wait_epoch


@pytest.mark.parametrize(
    ("values", "options"),
    [
        (FALLING_THEN_FLAT, {"patience": 1}),
        (FALLING_THEN_FLAT, {"patience": 2}),
        (FALLING_THEN_FLAT, {"patience": 3}),
        (FALLING_THEN_FLAT, {"patience": 2, "min_delta": 0.2}),
        (FALLING_THEN_FLAT, {"patience": 2, "min_delta": -0.2}),
        (FALLING_THEN_FLAT, {"patience": 2, "baseline": 1.5}),
        (FALLING_THEN_FLAT, {"patience": 2, "mode": "max"}),
        (RISING, {"patience": 3, "monitor": "acc"}),
        (RISING, {"patience": 3, "monitor": "acc", "min_delta": 0.1}),
        (RISING, {"patience": 2, "monitor": "acc", "mode": "min"}),
        ([1.0, float("nan"), 2.0, 0.5], {"patience": 2}),
    ],
)
def test_early_stopping_decides_as_paddle(values: list[float], options: dict[str, Any]) -> None:
    assert stops(lenet, values, **options) == stops(paddle, values, **options)


def test_patience_0_stops_at_the_first_evaluation_that_is_no_better() -> None:
    stopped = stops(lenet, [3.0, 2.0, 2.5, 1.0], patience=0)[0]
    assert stopped == [False, False, True, True]  # Paddle's stop after the first, whatever it shows
    assert stops(lenet, [3.0, 2.0, 2.5, 1.0], patience=1)[0] == stopped


def rates(lib: Any, values: list[float], **options: Any) -> list[float]:
    watcher = lib.callbacks.ReduceLROnPlateau(verbose=0, **options)
    model = prepared(lib, 1.0)
    watcher.set_model(model)
    watcher.on_train_begin()
    seen = []
    for epoch, value in enumerate(values):
        watcher.on_epoch_begin(epoch)
        watcher.on_eval_end({options.get("monitor", "loss"): value})
        seen.append(model._optimizer.get_lr())
    return seen


@pytest.mark.parametrize(
    ("values", "options"),
    [
        (FALLING_THEN_FLAT, {"patience": 1}),
        (FALLING_THEN_FLAT, {"patience": 2, "factor": 0.5}),
        (FALLING_THEN_FLAT * 2, {"patience": 1, "factor": 0.5, "cooldown": 2}),
        (FALLING_THEN_FLAT, {"patience": 1, "factor": 0.5, "min_delta": 0.5}),
        ([1.0] * 9, {"patience": 1, "factor": 0.1, "min_lr": 0.005}),
        (RISING, {"patience": 2, "monitor": "acc"}),
        (RISING, {"patience": 2, "monitor": "acc", "mode": "min"}),
    ],
)
def test_plateaus_are_paddles(values: list[float], options: dict[str, Any]) -> None:
    found = rates(lenet, values, **options)
    assert found == pytest.approx(rates(paddle, values, **options))
    assert len(set(found)) > 1


@pytest.mark.parametrize("function_of_ones_own", [False, True])
def test_the_reduced_rate_reaches_the_weights(function_of_ones_own: bool, capsys: pytest.CaptureFixture[str]) -> None:
    class Moved(ours.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.before = self.model.parameters()[0].numpy()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            moved.append(float(np.abs(self.model.parameters()[0].numpy() - self.before).max()))

    moved: list[float] = []
    model = prepared(rate=0.1)
    if function_of_ones_own:
        model.prepare(model._optimizer, lambda out, label: lenet.nn.functional.cross_entropy(out, label))
    watcher = ours.ReduceLROnPlateau("loss", factor=1e-6, patience=1, min_delta=100)
    model.fit(data(), data(), batch_size=25, epochs=3, verbose=0, callbacks=[watcher, Moved()])
    assert moved[0] > 1e-4
    assert moved[2] < 1e-7  # in Paddle it goes on as before
    assert capsys.readouterr().out == (
        f"\nEpoch 2: ReduceLROnPlateau reducing learning rate to {0.1 * 1e-6}.\n"
        f"\nEpoch 3: ReduceLROnPlateau reducing learning rate to {0.1 * 1e-6 * 1e-6}.\n"
    )


def test_a_plateau_with_a_scheduler_warns_and_does_nothing() -> None:
    model = prepared(rate=lenet.optimizer.lr.StepDecay(0.1, 100))
    with pytest.warns(UserWarning, match="a StepDecay that sets the rate"):
        model.fit(data(), data(), verbose=0, callbacks=ours.ReduceLROnPlateau("acc", patience=1, min_delta=10))
    assert model._optimizer.get_lr() == 0.1
    only_measuring = lenet.Model(lenet.nn.Linear(6, 3))
    only_measuring.prepare(metrics=lenet.metric.Accuracy())
    with pytest.warns(UserWarning, match="no optimizer"):
        only_measuring.evaluate(data(), verbose=0, callbacks=ours.ReduceLROnPlateau("acc"))


@pytest.mark.parametrize("kind", [ours.EarlyStopping, ours.ReduceLROnPlateau])
def test_a_number_that_is_not_measured_is_a_warning(kind: Any) -> None:
    with pytest.warns(UserWarning, match=rf"{kind.__name__}\(monitor\): got no number 'f1'.*\['loss', 'acc'\]"):
        prepared().fit(data(), data(), verbose=0, callbacks=kind("f1"))


@pytest.mark.parametrize("kind", [ours.EarlyStopping, ours.ReduceLROnPlateau])
def test_an_unknown_mode_is_a_warning(kind: Any) -> None:
    with pytest.warns(UserWarning, match="'auto' is used"):
        assert kind("acc", mode="most").mode == "auto"


def test_a_factor_that_reduces_nothing() -> None:
    with pytest.raises(ValueError, match=r"ReduceLROnPlateau\(factor\)"):
        ours.ReduceLROnPlateau(factor=1.0)


def test_early_stopping_in_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Count(ours.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            epochs.append(epoch)

    epochs: list[int] = []
    watcher = ours.EarlyStopping("acc", patience=2, min_delta=10)
    fit = {"epochs": 9, "eval_freq": 2, "verbose": 0, "save_dir": tmp_path, "save_freq": 100}
    model = prepared()
    model.fit(data(), data(), callbacks=[watcher, Count()], **fit)
    assert epochs == [0, 1, 2, 3, 4]
    assert (watcher.wait_epoch, watcher.stopped_epoch) == (2, 5)
    text = capsys.readouterr().out
    assert "Epoch 5: Early stopping.\nBest checkpoint has been saved at " in text
    assert f"{tmp_path}{os.sep}best_model" in text
    best = prepared()
    best.load(tmp_path / "best_model")
    final = prepared()
    final.load(tmp_path / "final")
    assert not np.array_equal(best.parameters()[0].numpy(), final.parameters()[0].numpy())
    epochs.clear()
    model.fit(data(), data(), callbacks=[watcher, Count()], **fit)  # counts from zero again
    assert epochs == [0, 1, 2, 3, 4]


def test_early_stopping_without_evaluation_is_a_warning() -> None:
    with pytest.warns(UserWarning, match="EarlyStopping needs validation data"):
        prepared().fit(data(), verbose=0, callbacks=ours.EarlyStopping())


def test_early_stopping_beside_evaluate_alone(capsys: pytest.CaptureFixture[str]) -> None:
    model = prepared()
    model.evaluate(data(), verbose=0, callbacks=ours.EarlyStopping("acc"))
    assert not model.stop_training
    assert capsys.readouterr().out == ""


# ---- checkpoints and schedules -----------------------------------------------------------------------------------------


def test_checkpoints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepared().fit(data(), epochs=4, save_dir=str(tmp_path / "a"), save_freq=3, verbose=0)
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["0.pdparams", "3.pdparams", "final.pdparams"]
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"save checkpoint at {tmp_path / 'a' / name}" for name in ("0", "3", "final")]
    prepared().fit(data(), verbose=0, callbacks=ours.ModelCheckpoint(save_dir=tmp_path / "b"))
    assert sorted(p.name for p in (tmp_path / "b").iterdir()) == ["0.pdparams", "final.pdparams"]
    prepared().fit(data(), verbose=0, save_dir=tmp_path / "c", callbacks=ours.ModelCheckpoint())
    assert not (tmp_path / "c").exists()  # one's own checkpoint callback stands for all


@pytest.mark.parametrize(
    ("options", "steps"), [({}, 6), ({"by_step": False, "by_epoch": True}, 2), ({"by_step": False}, 0)]
)
def test_the_scheduler_is_stepped_as_in_paddle(options: dict[str, Any], steps: int) -> None:
    found = []
    for lib in (lenet, paddle):
        scheduler = lib.optimizer.lr.StepDecay(0.1, 2)
        calls = [lib.callbacks.LRScheduler(**options)] if options else None
        quiet(
            lambda lib=lib, scheduler=scheduler, calls=calls: prepared(lib, scheduler).fit(
                data(lib), batch_size=10, epochs=2, verbose=0, callbacks=calls
            )
        )
        found.append((scheduler.last_epoch, scheduler.last_lr))
    assert found[0] == found[1]
    assert found[0][0] == steps


def test_two_ways_to_step_are_one_too_many() -> None:
    with pytest.raises(ValueError, match="by_step=False, by_epoch=True"):
        ours.LRScheduler(True, True)


def test_a_schedule_that_needs_a_value() -> None:
    model = prepared(rate=lenet.optimizer.lr.ReduceOnPlateau(0.1))
    with pytest.raises(TypeError, match=r"callbacks=lenet\.callbacks\.ReduceLROnPlateau"):
        model.fit(data(), verbose=0)
    model.fit(data(), verbose=0, callbacks=ours.LRScheduler(by_step=False))  # who steps it himself may have it


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: ours.ProgBarLogger(0), ValueError, r"ProgBarLogger\(log_freq\)"),
        (lambda: ours.ProgBarLogger(verbose=4), ValueError, "verbose"),
        (lambda: ours.ModelCheckpoint(save_freq=0), ValueError, r"ModelCheckpoint\(save_freq\)"),
        (lambda: ours.ModelCheckpoint(save_freq=0.5), TypeError, r"ModelCheckpoint\(save_freq\)"),
    ],
)
def test_wrong_settings(make: Callable[[], Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        make()


# ---- how many batches may run unseen -----------------------------------------------------------------------------------


class Watches(ours.Callback):
    def on_train_batch_end(self, step: int, logs: Any = None) -> None: ...


class OwnLogger(ours.ProgBarLogger):
    def on_train_batch_end(self, step: int, logs: Any = None) -> None: ...


class OwnName(ours.ProgBarLogger):
    """A logger of another name that changes nothing."""


def unseen(callbacks: Any, step: int = 0, mode: str = "train", **options: Any) -> int:
    options = {"verbose": 0, "log_freq": 10} | options
    return CallbackList(callbacks, SimpleNamespace(), **options).unseen(mode, step, 16)


def test_batches_run_together_until_somebody_looks() -> None:
    assert unseen(None) == 16
    assert unseen([ours.EarlyStopping(), ours.ModelCheckpoint(), ours.LRScheduler()]) == 16
    assert [unseen(None, step, verbose=2) for step in (0, 7, 9, 10)] == [10, 3, 1, 10]
    assert unseen(None, verbose=1, log_freq=100) == 16
    assert unseen(None, 95, verbose=1, log_freq=100) == 5
    assert unseen(None, verbose=3) == 1  # it shows how long reading and computing a batch take
    assert unseen(Watches()) == 1
    assert unseen(Watches(), mode="eval") == 16
    assert unseen(OwnLogger()) == 1
    assert unseen(OwnName(4)) == 4
    assigned = ours.Callback()
    assigned.on_train_batch_end = lambda step, logs=None: None  # type: ignore[method-assign]
    assert unseen(assigned) == 1


# ---- EMA, which Paddle has not -----------------------------------------------------------------------------------------


def weights_of(model: Any) -> list[np.ndarray]:
    return [p.numpy() for p in model.parameters()]


class Weights(ours.Callback):
    """Writes down the weights after each step and around each evaluation."""

    def __init__(self) -> None:
        self.steps: list[list[np.ndarray]] = []
        self.evaluated: list[list[np.ndarray]] = []
        self.epochs: list[list[np.ndarray]] = []

    def on_train_batch_end(self, step: int, logs: Any = None) -> None:
        self.steps.append(weights_of(self.model))

    def on_eval_begin(self, logs: Any = None) -> None:
        self.evaluated.append(weights_of(self.model))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epochs.append(weights_of(self.model))


def average_of(first: list[np.ndarray], steps: list[list[np.ndarray]], decay: float) -> list[np.ndarray]:
    """The definition, in float64."""
    found = [w.astype(np.float64) for w in first]
    for t, weights in enumerate(steps):
        kept = min(decay, (1 + t) / (10 + t))
        found = [kept * a + (1 - kept) * w for a, w in zip(found, weights, strict=True)]
    return found


def same(a: list[np.ndarray], b: list[np.ndarray], atol: float = 0.0) -> None:
    for one, other in zip(a, b, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=atol)


# An average of up to 21 float32 weights below 1: their roundings, 6e-8 each, hardly add up.
ROUNDINGS = 5e-7


@pytest.mark.parametrize("accumulate", [1, 2])
def test_ema_is_the_average_of_the_weights_after_each_update(accumulate: int) -> None:
    """In the plan at accumulate 1, eagerly at 2, where only every second batch is an update."""
    model, seen, ema = prepared(rate=0.3), Weights(), ours.EMA(0.6)
    first = weights_of(model)
    fit = {"batch_size": 4, "epochs": 3, "verbose": 0, "accumulate_grad_batches": accumulate}
    model.fit(data(), callbacks=[seen, ema], **fit)
    assert (model.plan_reason is None) == (accumulate == 1)
    updates = [w for i, w in enumerate(seen.steps) if accumulate == 1 or i % 7 in (1, 3, 5, 6)]
    assert ema.steps == len(updates) == {1: 21, 2: 12}[accumulate]
    same(weights_of(model), average_of(first, updates, 0.6), ROUNDINGS)
    assert np.abs(weights_of(model)[0] - seen.steps[-1][0]).max() > 1e-3
    ema.restore()
    same(weights_of(model), seen.steps[-1])
    ema.restore()
    same(weights_of(model), seen.steps[-1])
    ema.apply()
    same(weights_of(model), average_of(first, updates, 0.6), ROUNDINGS)


def test_ema_in_the_plan_and_step_by_step_agree_and_do_not_touch_the_training() -> None:
    def loss(outputs: Any, labels: Any) -> Any:
        return lenet.nn.functional.cross_entropy(outputs, labels)

    results = []
    for criterion, watch in ((None, []), (None, [Weights()]), (loss, [])):
        model, ema = prepared(rate=0.3), ours.EMA(0.9)
        if criterion is not None:
            model._loss = criterion
        model.fit(data(), batch_size=4, epochs=2, verbose=0, callbacks=[*watch, ema])
        assert (model.plan_reason is None) == (criterion is None)
        averaged = weights_of(model)
        ema.restore()
        results.append((averaged, weights_of(model)))
    plain = prepared(rate=0.3)
    plain.fit(data(), batch_size=4, epochs=2, verbose=0)
    same(results[0][1], weights_of(plain))  # the raw weights are those of a training without it
    same(results[0][0], results[1][0])  # many steps at once or one: the same bits
    same(results[0][0], results[2][0], 1e-5)  # two float32 trainings of 14 steps


def test_ema_lets_fit_run_many_batches_at_once() -> None:
    assert CallbackList([ours.EMA()], prepared(), verbose=0).unseen("train", 0, 16) == 16


def test_ema_evaluates_the_average_and_trains_on_with_the_weights(tmp_path: Path) -> None:
    model, seen, ema = prepared(rate=0.3), Weights(), ours.EMA(0.9)
    first = weights_of(model)
    stopper = ours.EarlyStopping("acc", patience=9, verbose=0)
    fit = {"batch_size": 4, "epochs": 3, "verbose": 0, "save_dir": tmp_path}
    quiet(lambda: model.fit(data(), data(), callbacks=[stopper, seen, ema], **fit))
    averages = [average_of(first, seen.steps[: 7 * (e + 1)], 0.9) for e in range(3)]
    for e in range(3):
        same(seen.evaluated[e], averages[e], ROUNDINGS)
        same(seen.epochs[e], first if e == 0 else seen.steps[7 * e - 1])
    for name, weights in (("0", seen.steps[6]), ("2", seen.steps[-1]), ("final", averages[2])):
        other = prepared()
        other.load(tmp_path / name)
        same(weights_of(other), weights, ROUNDINGS)
    best = prepared()
    best.load(tmp_path / "best_model")
    assert any(all(np.array_equal(a, b) for a, b in zip(weights_of(best), w, strict=True)) for w in seen.evaluated)


def test_ema_begins_anew_with_each_fit() -> None:
    model, ema = prepared(rate=0.3), ours.EMA(0.9)
    for _ in range(2):
        first, seen = weights_of(model), Weights()
        model.fit(data(), batch_size=5, verbose=0, callbacks=[ema, seen])
        assert ema.steps == 5
        same(weights_of(model), average_of(first, seen.steps, 0.9), ROUNDINGS)


def test_ema_leaves_the_weights_when_an_evaluation_fails() -> None:
    class Fails(Weights):
        def on_eval_begin(self, logs: Any = None) -> None:
            raise RuntimeError("no evaluation today")

    model, seen = prepared(rate=0.3), Fails()
    with pytest.raises(RuntimeError, match="no evaluation today"):
        model.fit(data(), data(), batch_size=5, verbose=0, callbacks=[ours.EMA(), seen])
    same(weights_of(model), seen.steps[-1])


def test_ema_counts_only_the_steps_that_were_made() -> None:
    images = IMAGES.copy()
    images[20] = np.nan
    bad = lenet.io.TensorDataset([lenet.to_tensor(images), lenet.to_tensor(LABELS)])
    model, ema = prepared(), ours.EMA()
    with pytest.raises(FloatingPointError):
        model.fit(bad, batch_size=5, shuffle=False, verbose=0, callbacks=ema)
    assert ema.steps == 4
    ema.apply()
    assert all(np.isfinite(w).all() for w in weights_of(model))


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: ours.EMA(1), ValueError, r"EMA\(decay\): got 1, expected a number from 0 to below 1"),
        (lambda: ours.EMA(-0.1), ValueError, "got -0.1"),
        (lambda: ours.EMA(float("nan")), ValueError, "got nan"),
        (lambda: ours.EMA("0.9"), TypeError, "got str '0.9'"),
        (lambda: ours.EMA().apply(), ValueError, "no average yet"),
        (lambda: CallbackList([ours.EMA(), ours.EMA()], None, verbose=0), ValueError, "2 objects of class EMA"),
    ],
)
def test_ema_mistakes(call: Callable[[], Any], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        call()
