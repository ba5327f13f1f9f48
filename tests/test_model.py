"""``Model`` beside real Paddle, plan beside eager, and every mistake a user can make with it. Files: test_model_files.py."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import lenet
from lenet import Model, nn
from lenet.callbacks import Callback
from lenet.io import DataLoader, Dataset, IterableDataset, Subset, TensorDataset
from lenet.metric import Accuracy, Metric
from lenet.optimizer import SGD, lr
from lenet.vision.datasets.arrays import ArrayDataset
from lenet.vision.transforms import Normalize

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle

FREE = 1e-4  # relative, of free-running losses: two correct engines drift apart that fast in five steps
STEP = 1e-5  # relative, of one step from the same state
N, CLASSES = 50, 3

draw = np.random.default_rng(0)
IMAGES = draw.normal(size=(N, 1, 8, 8)).astype(np.float32)
LABELS = draw.integers(0, CLASSES, (N, 1))
PIXELS = draw.integers(0, 256, (N, 8, 8), dtype=np.uint8)


def network(lib: Any = lenet, seed: int = 0, dropout: float = 0.0) -> Any:
    """8×8 images to three classes, with the same weights in either library."""
    lib.seed(seed)
    last = [lib.nn.Dropout(dropout)] if dropout else []
    return lib.nn.Sequential(
        lib.nn.Conv2D(1, 4, 3), lib.nn.ReLU(), lib.nn.MaxPool2D(2), lib.nn.Flatten(), *last, lib.nn.Linear(36, CLASSES)
    )


def prepared(lib: Any = lenet, rate: Any = 0.01, loss: Any = None, metrics: Any = (), **options: Any) -> Any:
    net = network(lib, **options)
    model = lib.Model(net)
    found = [lib.metric.Accuracy()] if metrics == () else metrics
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.prepare(lib.optimizer.Adam(rate, parameters=net.parameters()), loss or lib.nn.CrossEntropyLoss(), found)
    return model


def rows(lib: Any = lenet) -> Any:
    return lib.io.TensorDataset([lib.to_tensor(IMAGES), lib.to_tensor(LABELS)])


def samples(lib: Any = lenet) -> Any:
    """The same samples, one by one, from a Dataset of one's own; ``asked`` notes the order."""

    class Samples(lib.io.Dataset):
        def __init__(self) -> None:
            self.asked: list[int] = []

        def __getitem__(self, i: int) -> Any:
            self.asked.append(i)
            return IMAGES[i], LABELS[i]

        def __len__(self) -> int:
            return N

    return Samples()


def eager_loss(outputs: Any, labels: Any) -> Any:
    """The same loss, but as a function of one's own: no plan then."""
    return nn.functional.cross_entropy(outputs, labels)


def recorder(lib: Any = lenet) -> Any:
    """A callback that keeps the logs of every training batch and epoch."""

    class Recorder(lib.callbacks.Callback):
        def __init__(self) -> None:
            self.batches: list[dict[str, Any]] = []
            self.epochs: list[dict[str, Any]] = []
            self.evals: list[dict[str, Any]] = []

        def on_train_batch_end(self, step: int, logs: Any = None) -> None:
            self.batches.append(dict(logs))

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.epochs.append(dict(logs))

        def on_eval_end(self, logs: Any = None) -> None:
            self.evals.append(dict(logs))

    return Recorder()


def quiet(call: Callable[[], Any]) -> Any:
    """Run real Paddle without its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call()


def weights(model: Any) -> list[np.ndarray[Any, Any]]:
    return [p.numpy() for p in model.network.parameters()]


def same_bits(a: Any, b: Any) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(weights(a), weights(b), strict=True))


def close(ours: Any, theirs: Any, tolerance: float) -> None:
    for a, b in zip(ours, theirs, strict=True):
        assert np.linalg.norm(a - b) <= tolerance * np.linalg.norm(b) + 1e-8


# ---- beside Paddle -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["plan", "eager", "samples", "dropout"])
def test_fit_follows_paddle(way: str) -> None:
    dropout = 0.3 if way == "dropout" else 0.0
    theirs, seen = prepared(paddle, dropout=dropout), recorder(paddle)
    quiet(lambda: theirs.fit(rows(paddle), rows(paddle), batch_size=[12, 20], epochs=2, verbose=0, callbacks=seen))
    model, ours = prepared(loss=eager_loss if way == "eager" else None, dropout=dropout), recorder()
    model.fit(
        samples() if way == "samples" else rows(), rows(), batch_size=[12, 20], epochs=2, verbose=0, callbacks=ours
    )
    assert (model.plan_reason is None) == (way in ("plan", "dropout"))
    assert len(ours.batches) == len(seen.batches) == 2 * 5
    assert [log["batch_size"] for log in ours.batches] == [12, 12, 12, 12, 2] * 2
    for got, expected in zip(ours.batches[:5], seen.batches, strict=False):
        assert got["loss"] == pytest.approx(expected["loss"], rel=FREE)
        assert got["acc"] == pytest.approx(expected["acc"], abs=1 / N)  # a near-tie may fall the other way
        assert list(got) == ["loss", "acc", "step", "batch_size"]
        assert type(got["acc"]) is float
    assert ours.epochs[1]["loss"] == pytest.approx(seen.epochs[1]["loss"], rel=1e-2)  # ten steps, drifting
    assert ours.evals[1]["loss"] == pytest.approx(seen.evals[1]["loss"], rel=1e-2)
    assert ours.evals[1]["batch_size"] == seen.evals[1]["batch_size"] == 10


@pytest.mark.parametrize(("shuffle", "drop_last"), [(True, False), (True, True), (False, True)])
def test_the_order_of_samples_is_paddles(shuffle: bool, drop_last: bool) -> None:
    asked = []
    for lib in (lenet, paddle):
        data = samples(lib)
        model = prepared(lib)
        fit = {"batch_size": 12, "epochs": 2, "verbose": 0, "shuffle": shuffle, "drop_last": drop_last}
        quiet(lambda model=model, data=data, fit=fit: [model.fit(data, **fit) for _ in range(2)])
        asked.append(data.asked)
    assert asked[0] == asked[1]
    assert len(asked[0]) == 4 * (48 if drop_last else 50)


def test_accumulated_gradients_are_summed_as_in_paddle() -> None:
    results = []
    for lib in (lenet, paddle):
        model = lib.Model(network(lib))
        sgd = lib.optimizer.SGD(0.1, parameters=model.parameters())
        quiet(lambda model=model, sgd=sgd, lib=lib: model.prepare(sgd, lib.nn.CrossEntropyLoss()))
        quiet(lambda model=model, lib=lib: model.fit(rows(lib), batch_size=12, verbose=0, accumulate_grad_batches=2))
        results.append(weights(model))
    close(results[0], results[1], 10 * STEP)  # three updates


def test_gradients_left_over_at_an_unknown_end_are_used() -> None:
    class Stream:
        def __iter__(self) -> Iterator[Any]:
            return iter([[IMAGES[:10], LABELS[:10]], [IMAGES[10:20], LABELS[10:20]], [IMAGES[20:30], LABELS[20:30]]])

    known, unknown = prepared(), prepared()
    known.fit(list(Stream()), verbose=0, accumulate_grad_batches=2)
    unknown.fit(Stream(), verbose=0, accumulate_grad_batches=2)
    assert same_bits(known, unknown)
    assert known.plan_reason == "accumulate_grad_batches is 2"


def test_one_batch_follows_paddle() -> None:
    results = []
    for lib in (lenet, paddle):
        model = prepared(lib)
        x, y = lib.to_tensor(IMAGES[:17]), lib.to_tensor(LABELS[:17])

        def steps(model: Any = model, x: Any = x, y: Any = y) -> list[Any]:
            first = model.train_batch([x], [y], update=False)
            return [first, model.train_batch([x], [y]), model.eval_batch([IMAGES[17:40]], [LABELS[17:40]]), model.mode]

        got = quiet(steps)
        results.append((got, model.predict_batch([x]), model.mode, weights(model)))
    (ours, ours_out, mode, ours_weights), (theirs, theirs_out, their_mode, their_weights) = results
    for (loss, acc), (their_loss, their_acc) in zip(ours[:3], theirs[:3], strict=True):
        assert [(type(x), x.dtype, x.shape) for x in loss] == [(type(x), x.dtype, x.shape) for x in their_loss]
        assert loss[0] == pytest.approx(their_loss[0], rel=STEP)
        assert acc == pytest.approx([float(a) for a in their_acc])
    assert (ours[3], mode) == (theirs[3], their_mode) == ("eval", "test")
    close(ours_weights, their_weights, STEP)
    close(ours_out, theirs_out, STEP)


@pytest.mark.parametrize("way", ["plan", "eager"])
def test_evaluate_and_predict_are_paddles(way: str) -> None:
    data = rows if way == "plan" else samples
    results, outputs = [], []
    for lib in (lenet, paddle):
        model = prepared(lib)
        results.append(quiet(lambda model=model, lib=lib: model.evaluate(data(lib), batch_size=7, verbose=0)))
        outputs.append(quiet(lambda model=model, lib=lib: model.predict(data(lib), batch_size=7, verbose=0)))
    assert results[0] == {
        "loss": [pytest.approx(results[1]["loss"][0], rel=STEP)],
        "acc": pytest.approx(results[1]["acc"]),
    }
    assert type(results[0]["acc"]) is float
    assert [type(field) for field in outputs[0]] == [type(field) for field in outputs[1]] == [tuple]
    close(outputs[0][0], outputs[1][0], STEP)
    stacked = prepared().predict(data(), batch_size=7, verbose=0, stack_outputs=True)
    assert np.array_equal(stacked[0], np.concatenate(outputs[0][0]))


# ---- plan and eager, many at once and one at a time --------------------------------------------------------------------


def lines_of(text: str) -> list[str]:
    return re.sub(r"\d+(ms|us|s)/step", "PACE", re.sub(r"\d\.\d{4}(e-\d\d)?", "0.0000", text)).split("\n")


def test_plan_and_eager_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    printed, results = [], []
    for loss in (None, eager_loss):
        model = prepared(loss=loss, metrics=[Accuracy(), Accuracy((1, 2))])
        model.fit(rows(), rows(), batch_size=7, epochs=2, log_freq=3, verbose=2)
        result = model.evaluate(rows(), batch_size=7, log_freq=3)
        outputs = model.predict(rows(), batch_size=7, verbose=2)
        printed.append(lines_of(capsys.readouterr().out))
        results.append((model, result, outputs))
    (plan, result, outputs), (eager, their_result, their_outputs) = results
    assert plan.plan_reason is None
    assert eager.plan_reason == "the loss is not CrossEntropyLoss"
    assert printed[0] == printed[1]
    assert result["loss"] == pytest.approx(their_result["loss"], rel=1e-3)  # after sixteen free steps
    assert list(result) == list(their_result) == ["loss", "acc", "acc_top1", "acc_top2"]
    close(weights(plan), weights(eager), 1e-3)
    close(outputs[0], their_outputs[0], 1e-3)


SCHEDULES: dict[str, Callable[[], Any]] = {
    "a number": lambda: 0.01,
    "StepDecay": lambda: lr.StepDecay(0.1, 3),
    "warm-up": lambda: lr.LinearWarmup(lr.CosineAnnealingDecay(0.1, 20), 5, 0.0, 0.1),
    "OneCycleLR": lambda: lr.OneCycleLR(0.1, 40),
    "WarmupDecay": lambda: lr.WarmupDecay(0.1, 40),
    "LambdaDecay": lambda: lr.LambdaDecay(0.1, lambda t: 0.9**t),
    "CyclicLR": lambda: lr.CyclicLR(0.01, 0.1, 3),
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_several_steps_at_once_are_the_same_steps(schedule: str) -> None:
    class Watching(Callback):
        def on_train_batch_end(self, step: int, logs: Any = None) -> None:
            rates.append(self.model._optimizer.get_lr())

    rates: list[float] = []
    models = []
    for callbacks in ([], [Watching()]):
        model = prepared(rate=SCHEDULES[schedule](), metrics=[Accuracy(), Top()])
        model.fit(rows(), batch_size=3, epochs=2, verbose=0, callbacks=callbacks)
        assert model.plan_reason is None
        models.append(model)
    assert same_bits(*models)
    assert models[0]._optimizer.get_lr() == models[1]._optimizer.get_lr()
    states = [model._optimizer.state_dict() for model in models]
    schedule_states = [state.pop("LR_Scheduler", None) for state in states]
    assert schedule_states[0] == schedule_states[1]
    assert [v.numpy().tolist() for v in states[0].values()] == [v.numpy().tolist() for v in states[1].values()]
    assert len(set(rates)) > 5 or schedule == "a number"


class Top(Metric):
    """A metric of one's own: the mean of the largest output."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.found: list[float] = []

    def compute(self, outputs: Any, labels: Any) -> Any:
        assert list(labels.shape) == [outputs.shape[0], 1]
        return outputs.max(axis=1)

    def update(self, largest: Any) -> float:
        self.found += largest.tolist()
        return float(largest.mean())

    def accumulate(self) -> Any:
        return np.float32(np.mean(self.found)) if self.found else 0.0

    def name(self) -> str:
        return "top"


def test_metrics_of_ones_own_see_the_same_on_both_ways() -> None:
    results = []
    for loss in (None, eager_loss):
        seen = recorder()
        model = prepared(loss=loss, metrics=Top())
        model.fit(rows(), batch_size=12, verbose=0, callbacks=seen)
        results.append([log["top"] for log in seen.batches])
        found = model.evaluate(rows(), batch_size=12, verbose=0)
        assert list(found) == ["loss", "top"]
        assert type(found["top"]) is float
    assert results[0] == pytest.approx(results[1], rel=FREE)
    assert len(set(results[0])) == 5


def test_a_scheduler_that_ends_ends_the_training_at_its_step() -> None:
    model = prepared(rate=lr.OneCycleLR(0.1, 6))
    with pytest.raises(ValueError, match="6"):
        model.fit(rows(), batch_size=4, verbose=0)
    assert model._optimizer.state_dict()["LR_Scheduler"]["last_epoch"] >= 6


def test_uint8_images_through_a_table() -> None:
    data = ArrayDataset(PIXELS, LABELS, Normalize([127.5], [127.5]))
    one_by_one = SimpleSamples(data)
    results = []
    for source in (data, one_by_one, DataLoader(data, batch_size=12), Subset(data, range(N))):
        model = prepared()
        model.fit(source, batch_size=12, verbose=0, shuffle=False)
        assert (model.plan_reason is None) == (source is not one_by_one)
        results.append((weights(model), model.predict(source, batch_size=9, verbose=0, stack_outputs=True)[0]))
    for found, outputs in results[1:]:
        close(found, results[0][0], 10 * STEP)  # five steps
        close([outputs], [results[0][1]], 10 * STEP)


class SimpleSamples(Dataset):
    """Another data set, sample by sample."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def __getitem__(self, i: int) -> Any:
        return self.data[i]

    def __len__(self) -> int:
        return len(self.data)


def test_a_loaders_shuffle_is_numpys_on_both_ways() -> None:
    results = []
    for data in (rows(), samples()):
        np.random.seed(5)
        model = prepared()
        model.fit(DataLoader(data, batch_size=12, shuffle=True), epochs=2, verbose=0)
        results.append((weights(model), np.random.rand()))
    close(results[0][0], results[1][0], 1e-3)  # ten free steps
    assert results[0][1] == results[1][1]


def test_subsets_leave_out_what_they_leave_out() -> None:
    labels = LABELS.copy()
    labels[40:] = -1  # not labelled; not in the subset either
    whole = TensorDataset([IMAGES, labels])
    part = Subset(Subset(whole, list(range(45))), [-6 - i for i in range(30)])
    chosen = [39 - i for i in range(30)]
    plan, eager = prepared(), prepared(loss=eager_loss)
    plan.fit(part, batch_size=8, verbose=0)
    eager.fit(part, batch_size=8, verbose=0)
    assert plan.plan_reason is None
    close(weights(plan), weights(eager), 10 * STEP)
    outputs = plan.predict(part, batch_size=8, verbose=0, stack_outputs=True)[0]
    close([outputs], plan.predict_batch([IMAGES[chosen]]), STEP)


def test_a_network_without_a_plan_is_watched_once_a_fit() -> None:
    class Branch(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.body = network()

        def forward(self, x: Any) -> Any:
            calls.append(x.shape[0])
            return self.body(x) if float(x.mean()) < 100 else x

    calls: list[int] = []
    model = Model(Branch())
    model.prepare(SGD(0.1, parameters=model.parameters()), nn.CrossEntropyLoss())
    model.fit(rows(), batch_size=25, epochs=3, verbose=0)
    assert model.plan_reason == "forward reads a tensor's value"
    assert len(calls) == 1 + 3 * 2
    model.prepare(SGD(0.1, parameters=model.parameters()), eager_loss)
    model.fit(rows(), batch_size=25, verbose=0)
    assert model.plan_reason == "the loss is not CrossEntropyLoss"


def test_a_network_that_changes_during_fit() -> None:
    class Freeze(Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.model.network[0].weight.stop_gradient = epoch == 1
            self.before = weights(self.model)[0]

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            moved.append(not np.array_equal(self.before, weights(self.model)[0]))

    moved: list[bool] = []
    model = prepared()
    model.fit(rows(), batch_size=10, epochs=3, verbose=0, callbacks=Freeze())
    assert moved == [True, False, True]


def test_a_callback_may_change_the_network_between_two_batches() -> None:
    class Swap(Callback):
        def on_train_batch_begin(self, step: int, logs: Any = None) -> None:
            if step == 2:
                self.model.network[1] = nn.Tanh()

    models = []
    for loss in (None, eager_loss):
        model = prepared(loss=loss)
        model.fit(rows(), batch_size=10, verbose=0, callbacks=Swap())
        models.append(model)
    close(weights(models[0]), weights(models[1]), 10 * STEP)


def test_a_callback_sets_the_rate_of_the_step_it_begins() -> None:
    class Rate(Callback):
        def on_train_batch_begin(self, step: int, logs: Any = None) -> None:
            self.model._optimizer.set_lr(0.0 if step else 0.1)
            self.before = weights(self.model)[0]

        def on_train_batch_end(self, step: int, logs: Any = None) -> None:
            moved.append(not np.array_equal(self.before, weights(self.model)[0]))

    for loss in (None, eager_loss):
        moved: list[bool] = []
        prepared(loss=loss).fit(rows(), batch_size=20, verbose=0, callbacks=Rate())
        assert moved == [True, False, False]


def test_evaluating_in_the_middle_of_an_epoch_does_no_harm() -> None:
    class Look(Callback):
        def on_train_batch_end(self, step: int, logs: Any = None) -> None:
            self.model.evaluate(rows(), batch_size=25, num_iters=1, verbose=0)

    watched = prepared(dropout=0.5)
    watched.fit(rows(), batch_size=10, verbose=0, callbacks=Look())
    alone = prepared(dropout=0.5)
    alone.fit(rows(), batch_size=10, verbose=0)
    assert same_bits(watched, alone)  # dropout went on, and drew the same masks


# ---- what Paddle gets wrong --------------------------------------------------------------------------------------------


def test_fit_starts_anew_each_time() -> None:
    class Stop(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = stopping
            epochs.append(epoch)

    epochs: list[int] = []
    stopping, model = True, prepared()
    model.fit(rows(), batch_size=25, epochs=3, verbose=0, callbacks=Stop())
    assert model.stop_training
    stopping = False
    model.fit(rows(), batch_size=25, epochs=3, verbose=0, callbacks=Stop())
    assert epochs == [0, 0, 1, 2]


def test_metrics_start_at_zero() -> None:
    model = prepared()
    clean = model.evaluate(rows(), batch_size=10, verbose=0)
    model.eval_batch([IMAGES], [(LABELS + 1) % CLASSES])
    assert model.evaluate(rows(), batch_size=10, verbose=0) == clean


def test_each_log_is_a_dict_of_its_own() -> None:
    class Keep(Callback):
        def on_train_batch_end(self, step: int, logs: Any = None) -> None:
            kept.append(logs)

        def on_train_end(self, logs: Any = None) -> None:
            kept.append(logs)

        def on_predict_end(self, logs: Any = None) -> None:
            kept.append(logs)

    kept: list[Any] = []
    model = prepared()
    model.fit(rows(), rows(), batch_size=[25, 50], verbose=0, callbacks=Keep())
    model.predict(rows(), batch_size=50, verbose=0, callbacks=Keep())
    assert len({id(log) for log in kept}) == 4
    assert [log["step"] for log in kept] == [0, 1, 1, 0]
    assert kept[2] == kept[1]  # training's numbers, not those of the evaluation after it
    assert kept[3] == {"step": 0, "batch_size": 50}


def test_num_iters_counts_training_batches_alone() -> None:
    seen = recorder()
    model = prepared()
    model.fit(rows(), rows(), batch_size=10, num_iters=7, verbose=0, callbacks=seen)
    assert len(seen.batches) == 7
    assert model.stop_training
    assert [log["step"] for log in seen.evals] == [4, 4]
    model.stop_training = False
    model.evaluate(rows(), num_iters=2, verbose=0)
    assert not model.stop_training


@pytest.mark.parametrize("data", [rows, samples])
def test_a_default_argument_of_forward_does_not_swallow_the_label(data: Callable[[], Any]) -> None:
    class Masked(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.body = network()

        def forward(self, x: Any, mask: Any = None) -> Any:
            assert mask is None
            return self.body(x)

    model = Model(Masked())
    model.prepare(SGD(0.1, parameters=model.parameters()), nn.CrossEntropyLoss(), Accuracy())
    model.fit(data(), batch_size=25, verbose=0)
    assert set(model.evaluate(data(), batch_size=25, verbose=0)) == {"loss", "acc"}
    assert model.predict(data(), batch_size=50, verbose=0)[0][0].shape == (N, CLASSES)


def test_several_inputs_outputs_and_losses() -> None:
    class Pair(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(4, 3), nn.Linear(5, 3)

        def forward(self, x: Any, y: Any) -> Any:
            return self.a(x), self.b(y)

    def losses(a: Any, b: Any, label: Any) -> Any:
        return [eager_loss(a, label), eager_loss(b, label)]

    data = TensorDataset([IMAGES.reshape(N, -1)[:, :4], IMAGES.reshape(N, -1)[:, :5], LABELS])
    model = Model(Pair())
    model.prepare(SGD(0.1, parameters=model.parameters()), losses)
    seen = recorder()
    model.fit(data, batch_size=25, epochs=20, verbose=0, callbacks=seen)
    assert [len(log["loss"]) for log in (seen.batches[0], seen.batches[-1])] == [2, 2]
    assert all(last < first for first, last in zip(seen.batches[0]["loss"], seen.batches[-1]["loss"], strict=True))
    assert model.plan_reason == "the network takes several inputs"
    outputs = model.predict(data, batch_size=20, verbose=0, stack_outputs=True)
    assert [o.shape for o in outputs] == [(N, 3), (N, 3)]
    assert len(model.evaluate(data, batch_size=25, verbose=0)["loss"]) == 2


def test_a_forward_that_takes_any_number_leaves_one_field_for_the_label() -> None:
    class Any2(nn.Layer):
        def forward(self, *images: Any) -> Any:
            return sum(images)

    model = Model(Any2())
    model.prepare(loss=lambda out, label: (out - label).mean())
    one = np.ones((4, 2), np.float32)
    assert model.evaluate([[one, 2 * one, 5 * one]], verbose=0) == {"loss": [-2.0]}
    assert model.predict([[one, 2 * one, 5 * one]], verbose=0)[0][0].tolist() == (3 * one).tolist()


def test_batches_in_other_shapes() -> None:
    x, y = IMAGES[:10], LABELS[:10]
    nested = [([x], [y]), {"0 image": x, "1 label": y}, (lenet.to_tensor(x), lenet.to_tensor(y))]
    models = []
    for batch in nested:
        model = prepared()
        model.fit([batch], verbose=0)
        models.append(model)
    assert same_bits(models[0], models[1])
    assert same_bits(models[0], models[2])


def test_an_iterable_dataset_is_cut_into_batches() -> None:
    class Stream(IterableDataset):
        def __iter__(self) -> Iterator[Any]:
            return iter(zip(IMAGES, LABELS, strict=True))

    model, same = prepared(), prepared()
    model.fit(Stream(), batch_size=12, epochs=2, verbose=0)
    same.fit(samples(), batch_size=12, epochs=2, verbose=0, shuffle=False)
    assert same_bits(model, same)


def test_predict_needs_no_prepare() -> None:
    model = Model(network())
    assert model.predict(rows(), batch_size=20, verbose=0)[0][0].shape == (20, CLASSES)
    assert model.predict_batch(IMAGES[0:1])[0].shape == (1, CLASSES)
    assert model.predict_batch(lenet.to_tensor(IMAGES[0:3]))[0].shape == (3, CLASSES)


def test_predicting_follows_a_network_that_changes() -> None:
    model = Model(network())
    before = model.predict_batch(IMAGES)[0]
    model.network[-1].weight.set_value(np.zeros((36, CLASSES), np.float32))
    assert not model.predict_batch(IMAGES)[0].any()
    model.network[-1] = network(seed=1)[-1]
    after = model.predict_batch(IMAGES)[0]
    assert after.any()
    assert not np.allclose(before, after)
    model.network.train()
    assert np.array_equal(model.predict_batch(IMAGES)[0], after)
    assert model.predict_batch(IMAGES[:3])[0].shape == (3, CLASSES)


def test_what_train_batch_and_eval_batch_return() -> None:
    with_metric, without = prepared(), prepared(metrics=None)
    bare = with_metric.train_batch(IMAGES, LABELS)  # single arrays, where Paddle wants lists
    assert len(bare) == 2
    assert bare[0][0].shape == ()
    assert [type(x) for x in without.train_batch([IMAGES], [LABELS])] == [np.ndarray]
    assert [type(x) for x in without.eval_batch([IMAGES], [LABELS])] == [np.ndarray]
    only_metric = Model(network())
    only_metric.prepare(metrics=Accuracy())
    assert [type(x) for x in only_metric.eval_batch([IMAGES], [LABELS])] == [float]
    assert only_metric.evaluate(rows(), verbose=0).keys() == {"acc"}


def test_summary_says_why_there_was_no_plan(capsys: pytest.CaptureFixture[str]) -> None:
    model = prepared(loss=eager_loss)
    model.fit(rows(), batch_size=25, verbose=0)
    model.summary()  # the sizes it was run on
    text = capsys.readouterr().out
    assert "[[25, 1, 8, 8]]" in text
    assert text.endswith("fit ran step by step in Python, because the loss is not CrossEntropyLoss.\n")
    planned = prepared()
    planned.fit(rows(), batch_size=25, verbose=0)
    planned.summary((1, 1, 8, 8))
    assert "because" not in capsys.readouterr().out
    specified = Model(network(), inputs=[SimpleNamespace(shape=[None, 1, 8, 8])])
    assert specified.summary()["total_params"] == 151
    with pytest.raises(ValueError, match=r"summary\(\(1, 1, 28, 28\)\)"):
        Model(network()).summary()
