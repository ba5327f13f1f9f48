"""What ``Model`` does with losses that are no numbers, with Ctrl-C, and with every mistake a user can make."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lenet
from lenet import Model, nn
from lenet.callbacks import Callback
from lenet.io import BatchSampler, DataLoader, Dataset, TensorDataset
from lenet.metric import Accuracy, Metric
from lenet.optimizer import SGD, Adam

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle

STEP = 1e-5  # relative, of one step from the same state
N, CLASSES = 50, 3

draw = np.random.default_rng(0)
IMAGES = draw.normal(size=(N, 1, 8, 8)).astype(np.float32)
LABELS = draw.integers(0, CLASSES, (N, 1))


def network(lib: Any = lenet) -> Any:
    lib.seed(0)
    body = [lib.nn.Conv2D(1, 4, 3), lib.nn.ReLU(), lib.nn.MaxPool2D(2), lib.nn.Flatten(), lib.nn.Linear(36, CLASSES)]
    return lib.nn.Sequential(*body)


def eager_loss(outputs: Any, labels: Any) -> Any:
    """The usual loss, but as a function of one's own: no plan then."""
    return nn.functional.cross_entropy(outputs, labels)


def prepared(loss: Any = None, metrics: Any = ()) -> Any:
    model = Model(network())
    model.prepare(Adam(0.01, parameters=model.parameters()), loss or nn.CrossEntropyLoss(), metrics or Accuracy())
    return model


def rows(lib: Any = lenet) -> Any:
    return lib.io.TensorDataset([lib.to_tensor(IMAGES), lib.to_tensor(LABELS)])


class Samples(Dataset):
    """The samples of a data set, or of ``rows``, one by one."""

    def __init__(self, data: Any = None) -> None:
        self.data = rows() if data is None else data

    def __getitem__(self, i: int) -> Any:
        return self.data[i]

    def __len__(self) -> int:
        return len(self.data)


class Recorder(Callback):
    """Counts the training batches it was shown."""

    def __init__(self) -> None:
        self.batches = 0

    def on_train_batch_end(self, step: int, logs: Any = None) -> None:
        self.batches += 1


def weights(model: Any) -> list[np.ndarray[Any, Any]]:
    return [p.numpy() for p in model.network.parameters()]


def same_bits(a: Any, b: Any) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(weights(a), weights(b), strict=True))


def close(ours: Any, theirs: Any, tolerance: float) -> None:
    for a, b in zip(ours, theirs, strict=True):
        assert np.linalg.norm(a - b) <= tolerance * np.linalg.norm(b) + 1e-8


# ---- no number ---------------------------------------------------------------------------------------------------------


def spoiled_images(at: int) -> np.ndarray[Any, Any]:
    images = IMAGES.copy()
    images[at] = np.nan
    return images


@pytest.mark.parametrize("loss", [None, eager_loss])
@pytest.mark.parametrize("watched", [False, True])
def test_a_loss_that_is_no_number_stops_before_anything_is_written(loss: Any, watched: bool) -> None:
    data = TensorDataset([spoiled_images(23), LABELS])  # in batch 5 of 4 samples
    seen = Recorder()
    model = prepared(loss=loss)
    with pytest.raises(FloatingPointError) as error:
        model.fit(data, batch_size=4, shuffle=False, verbose=0, callbacks=[seen] if watched else [])
    text = str(error.value)
    assert text.startswith("fit: epoch 1, step 6: got a loss that is NaN or infinite")
    assert "the images of this batch hold NaN or infinity" in text
    assert "Nothing of this step was written" in text
    assert seen.batches == (5 if watched else 0)
    good = prepared(loss=loss)
    good.fit(TensorDataset([IMAGES[:20], LABELS[:20]]), batch_size=4, shuffle=False, verbose=0)
    assert same_bits(model, good)
    state, expected = model._optimizer.state_dict(), good._optimizer.state_dict()
    assert [v.numpy().tolist() for v in state.values()] == [v.numpy().tolist() for v in expected.values()]
    model.fit(rows(), batch_size=25, verbose=0)  # and it can go on
    assert all(np.isfinite(w).all() for w in weights(model))


@pytest.mark.parametrize("loss", [None, eager_loss])
@pytest.mark.parametrize(
    ("rate", "images", "cause"),
    [
        (1e30, IMAGES, r"the learning rate, 1e\+30, is too high; try 1e\+29"),
        (1e30, (IMAGES * 100), "the images are not normalised, their values reach"),
    ],
)
def test_the_likely_cause(loss: Any, rate: float, images: Any, cause: str) -> None:
    model = Model(network())
    model.prepare(SGD(rate, parameters=model.parameters()), loss or nn.CrossEntropyLoss())
    with pytest.raises(FloatingPointError, match=cause):
        model.fit(TensorDataset([images, LABELS]), batch_size=10, epochs=5, verbose=0)
    assert all(np.isfinite(w).all() for w in weights(model))


@pytest.mark.parametrize("loss", [None, eager_loss])
def test_weights_that_were_no_numbers_before(loss: Any) -> None:
    model = prepared(loss=loss)
    model.network[0].weight.set_value(np.full((4, 1, 3, 3), np.nan, np.float32))
    with pytest.raises(FloatingPointError, match=r"epoch 1, step 1: .*0\.weight held NaN or infinity before this step"):
        model.fit(rows(), batch_size=10, verbose=0)


def test_a_gradient_that_is_no_number() -> None:
    class Root(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(4, 1, weight_attr=nn.initializer.Constant(0.0))

        def forward(self, x: Any) -> Any:
            return self.linear(x).sqrt()  # 0, with an infinite slope

    model = Model(Root())
    model.prepare(SGD(0.1, parameters=model.parameters()), lambda out, label: out.mean())
    words = "train_batch: got a gradient that is NaN or infinite"
    with np.errstate(divide="ignore"), pytest.raises(FloatingPointError, match=words):
        model.train_batch([np.ones((2, 4), np.float32)], [LABELS[:2]])
    assert not weights(model)[0].any()
    assert all(not p.grad.numpy().any() for p in model.parameters())


def test_labels_that_are_no_numbers() -> None:
    model = prepared(loss=lambda out, label: (out - label).mean())
    with pytest.raises(FloatingPointError, match="the labels of this batch hold NaN"):
        model.train_batch([IMAGES[:2]], [np.full((2, 3), np.nan, np.float32)])


def test_ctrl_c_passes_through_and_the_model_goes_on() -> None:
    class Interrupt(Callback):
        def on_train_batch_end(self, step: int, logs: Any = None) -> None:
            if step == 2:
                raise KeyboardInterrupt

    for loss in (None, eager_loss):
        model = prepared(loss=loss)
        with pytest.raises(KeyboardInterrupt):
            model.fit(rows(), batch_size=5, verbose=0, callbacks=Interrupt())
        steps = model._optimizer.state_dict()
        model.fit(rows(), batch_size=25, verbose=0)
        assert model._optimizer.state_dict().keys() == steps.keys()
        assert all(np.isfinite(w).all() for w in weights(model))


def test_ctrl_c_in_the_middle_of_a_step_leaves_no_gradient_behind() -> None:
    def interrupted(outputs: Any, labels: Any) -> Any:
        raise KeyboardInterrupt

    model, untouched = prepared(loss=eager_loss), prepared(loss=eager_loss)
    model.train_batch([IMAGES], [LABELS], update=False)
    model._loss = interrupted
    with pytest.raises(KeyboardInterrupt):
        model.fit(rows(), verbose=0)
    model._loss = eager_loss
    for each in (model, untouched):
        each.fit(rows(), batch_size=25, verbose=0)
    assert same_bits(model, untouched)


# ---- mistakes ----------------------------------------------------------------------------------------------------------


class Odd(Metric):
    """Two values, one name."""

    def reset(self) -> None: ...
    def update(self, *args: Any) -> None: ...
    def accumulate(self) -> Any:
        return [1.0, 2.0]

    def name(self) -> str:
        return "odd"


FIT_MISTAKES: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "no data": ({"train_data": None}, ValueError, r"fit\(train_data\)"),
    "no batches": ({"train_data": []}, ValueError, "no batch at all"),
    "empty data set": ({"train_data": TensorDataset([IMAGES[:0], LABELS[:0]])}, ValueError, "an empty data set"),
    "all dropped": ({"batch_size": 64, "drop_last": True}, ValueError, "smaller batch_size or drop_last=False"),
    "epochs": ({"epochs": 0}, ValueError, r"fit\(epochs\)"),
    "epochs kind": ({"epochs": 1.5}, TypeError, r"fit\(epochs\)"),
    "batch_size": ({"batch_size": 0}, ValueError, "batch_size"),
    "batch_size kind": ({"batch_size": 6.4}, TypeError, "batch_size"),
    "batch_sizes": ({"batch_size": [1, 2, 3]}, ValueError, "or two"),
    "log_freq": ({"log_freq": 0}, ValueError, "log_freq"),
    "save_freq": ({"save_freq": 0}, ValueError, "save_freq"),
    "eval_freq": ({"eval_freq": 0}, ValueError, "eval_freq"),
    "verbose": ({"verbose": 4}, ValueError, "verbose"),
    "accumulate": ({"accumulate_grad_batches": 0}, ValueError, "accumulate_grad_batches"),
    "num_iters": ({"num_iters": 0}, ValueError, "num_iters"),
    "callback class": ({"callbacks": Callback}, TypeError, r"Type Callback\(\)"),
    "callback kind": ({"callbacks": [print]}, TypeError, "objects of class Callback"),
    "no iterable": ({"train_data": 5}, TypeError, "a Dataset, a DataLoader or a list of batches"),
    "samples": ({"train_data": [(IMAGES[0], 5)]}, TypeError, r"derive the class from lenet\.io\.Dataset"),
    "no labels": ({"train_data": [[]]}, ValueError, "0 fields"),
    "Paddle's data": ({"train_data": rows(paddle)}, TypeError, "real Paddle"),
    "derived from Paddle's": ({"train_data": type("Own", (paddle.io.Dataset,), {})()}, TypeError, "real Paddle"),
    "eval data": ({"eval_data": 7}, TypeError, "eval_data"),
}


@pytest.mark.parametrize("mistake", FIT_MISTAKES)
def test_mistakes_in_fit(mistake: str) -> None:
    given, kind, words = FIT_MISTAKES[mistake]
    model = prepared()
    before = weights(model)
    with pytest.raises(kind, match=words):
        model.fit(**({"train_data": rows(), "batch_size": 10, "verbose": 0} | given))
    assert all(np.array_equal(a, b) for a, b in zip(before, weights(model), strict=True))


PREPARE_MISTAKES: dict[str, tuple[Callable[[Any], dict[str, Any]], type[Exception], str]] = {
    "optimizer": (lambda p: {"optimizer": "adam"}, TypeError, "an optimizer of lenet"),
    "optimizer class": (lambda p: {"optimizer": Adam}, TypeError, r"Type Adam\("),
    "Paddle's": (
        lambda p: {"optimizer": paddle.optimizer.SGD(0.1, parameters=network(paddle).parameters())},
        TypeError,
        "an optimizer of lenet",
    ),
    "another network's": (
        lambda p: {"optimizer": SGD(0.1, network().parameters())},
        ValueError,
        "make the optimizer anew",
    ),
    "loss": (lambda p: {"loss": 3}, TypeError, r"prepare\(loss\)"),
    "loss class": (lambda p: {"loss": nn.CrossEntropyLoss}, TypeError, r"Type CrossEntropyLoss\(\)"),
    "metric": (lambda p: {"metrics": [3]}, ValueError, r"prepare\(metrics\)"),
    "metric class": (lambda p: {"metrics": Accuracy}, ValueError, r"Type Accuracy\(\)"),
    "amp": (lambda p: {"amp_configs": "O1"}, ValueError, "float32"),
}


@pytest.mark.parametrize("mistake", PREPARE_MISTAKES)
def test_mistakes_in_prepare(mistake: str) -> None:
    given, kind, words = PREPARE_MISTAKES[mistake]
    model = Model(network())
    with pytest.raises(kind, match=words):
        model.prepare(**given(model.parameters()))


def test_mistakes_in_the_order_of_calls() -> None:
    model = Model(network())
    for call in (lambda: model.fit(rows()), lambda: model.train_batch([IMAGES], [LABELS])):
        with pytest.raises(ValueError, match=r"isn't prepared.*model\.prepare\(optimizer, loss, metrics\)"):
            call()
    for call in (lambda: model.evaluate(rows()), lambda: model.eval_batch([IMAGES], [LABELS])):
        with pytest.raises(ValueError, match="isn't prepared"):
            call()
    model.prepare(loss=nn.CrossEntropyLoss())
    with pytest.raises(ValueError, match="no optimizer"):
        model.fit(rows())
    model.prepare(SGD(0.1, parameters=model.parameters()))
    with pytest.raises(ValueError, match="no loss"):
        model.fit(rows())


def test_mistakes_in_the_network() -> None:
    for given, words in (
        (lenet.LeNet, r"Type Model\(LeNet\(\)\)"),
        (5, "a Layer of lenet"),
        (network(paddle), "a Layer of lenet"),
    ):
        with pytest.raises(TypeError, match=words):
            Model(given)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"objects with a \.shape"):
        Model(network(), inputs=["image"])


def test_a_batch_with_too_few_fields() -> None:
    class Two(nn.Layer):
        def forward(self, a: Any, b: Any) -> Any:
            return a

    model = Model(Two())
    model.prepare(loss=eager_loss)
    with pytest.raises(ValueError, match=r"got 1 fields, expected at least 2, as Two\.forward takes"):
        model.evaluate([[IMAGES]], verbose=0)


def test_a_metric_with_more_values_than_names() -> None:
    with pytest.raises(ValueError, match=r"Odd\.accumulate.*2 values.*1, one for each of"):
        prepared(metrics=Odd()).fit(rows(), batch_size=25, verbose=0)


def test_a_loss_that_is_no_single_number() -> None:
    model = prepared(loss=nn.CrossEntropyLoss(reduction="none"))
    assert model.train_batch([IMAGES], [LABELS])[0][0].shape == (N, 1)
    with pytest.raises(ValueError, match=r"loss: got shape \[25, 1\].*reduction='mean'"):
        model.fit(rows(), batch_size=25, verbose=0)
    with pytest.raises(TypeError, match="a Tensor or a list of them"):
        prepared(loss=lambda out, label: 1.0).fit(rows(), batch_size=25, verbose=0)


@pytest.mark.parametrize("loss", [None, eager_loss])
@pytest.mark.parametrize("label", [CLASSES, -1])
def test_labels_out_of_range(loss: Any, label: int) -> None:
    labels = LABELS.copy()
    labels[30] = label
    data = TensorDataset([IMAGES, labels])
    model = prepared(loss=loss)
    with pytest.raises(IndexError, match=f"label {label}"):
        model.fit(data, batch_size=10, verbose=0)
    with pytest.raises(IndexError, match=f"label {label}"):  # in a batch whose loss nobody would have looked at
        model.evaluate(data, batch_size=10, verbose=0)


def test_ignored_labels_are_no_mistake() -> None:
    labels = LABELS.copy()
    labels[::5] = -100
    results = []
    for loss in (None, eager_loss):
        model = prepared(loss=loss)
        model.fit(TensorDataset([IMAGES, labels]), batch_size=10, verbose=0)
        results.append((weights(model), model.evaluate(TensorDataset([IMAGES, labels]), batch_size=9, verbose=0)))
    close(results[0][0], results[1][0], 10 * STEP)
    assert results[0][1]["loss"] == pytest.approx(results[1][1]["loss"], rel=1e-4)


@pytest.mark.parametrize("images", [IMAGES[:, :, :7], np.concatenate([IMAGES] * 3, axis=1)])
def test_images_of_another_size_name_the_layer(images: Any) -> None:
    for data in (TensorDataset([images, LABELS]), Samples(TensorDataset([images, LABELS]))):
        for call in ("fit", "evaluate", "predict"):
            with pytest.raises(ValueError, match=r"in \[[04]\] = (Linear|Conv2D)\("):
                getattr(prepared(), call)(data, batch_size=10, verbose=0)


@pytest.mark.parametrize("kind", ["uint8", "float64", "int64"])
def test_images_of_another_dtype(kind: str) -> None:
    images = (IMAGES * 10).astype(kind)
    for call in ("fit", "evaluate", "predict"):
        with pytest.raises((ValueError, TypeError, RuntimeError), match="float32"):
            getattr(prepared(), call)(TensorDataset([images, LABELS]), batch_size=10, verbose=0)


@pytest.mark.parametrize("data", [rows, Samples])
def test_a_batch_sampler_beyond_the_data(data: Callable[[], Any]) -> None:
    loader = DataLoader(data(), batch_sampler=[[0, 1], [2, N]])
    for call in ("fit", "evaluate", "predict"):
        with pytest.raises(IndexError):
            getattr(prepared(), call)(loader, verbose=0)
    with pytest.raises(TypeError, match="a list of indices a batch"):
        prepared().fit(DataLoader(data(), batch_sampler=[3, 4]), verbose=0)


def test_batch_samplers_of_all_kinds() -> None:
    for sampler in ([[0, -1, 5], [7]], BatchSampler(rows(), batch_size=20), [np.array([3, 4]), (5, 6)]):
        found = [prepared().predict(DataLoader(data(), batch_sampler=sampler), verbose=0) for data in (rows, Samples)]
        close(found[0][0], found[1][0], STEP)


def test_an_exception_of_the_data_set_arrives_as_itself() -> None:
    class Broken(Dataset):
        def __getitem__(self, i: int) -> Any:
            if i == 33:
                raise LookupError("sample 33 has no file")
            return IMAGES[i], LABELS[i]

        def __len__(self) -> int:
            return N

    for call in ("fit", "evaluate", "predict"):
        with pytest.raises(LookupError, match="sample 33 has no file"):
            getattr(prepared(), call)(Broken(), batch_size=10, verbose=0)


def test_an_iterator_that_is_used_up() -> None:
    model = prepared()
    with pytest.raises(ValueError, match=r"no batch.*An iterator gives its batches once"):
        model.fit(iter([[IMAGES, LABELS]]), epochs=2, verbose=0)


def test_inputs_of_no_known_kind() -> None:
    with pytest.raises(TypeError, match="a Tensor or ndarray"):
        prepared().predict_batch(["digit.png"])
    with pytest.raises(TypeError, match="a Tensor or ndarray"):
        prepared().train_batch([IMAGES], [[1, 2]])
