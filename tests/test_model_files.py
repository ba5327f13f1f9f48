"""``Model.save`` and ``load``: Paddle's pair both ways, optimizer state included; our one file; files that do not fit."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lenet
from lenet import Model
from lenet.modelfile import serialization

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle

STEP = 1e-5  # relative: a few steps from the same state, in two engines

draw = np.random.default_rng(0)
X, Y = draw.normal(size=(40, 1, 8, 8)).astype(np.float32), draw.integers(0, 3, (40, 1))

OPTIMIZERS: dict[str, Callable[[Any, Any], Any]] = {
    "Adam": lambda lib, p: lib.optimizer.Adam(0.01, parameters=p),
    "AdamW": lambda lib, p: lib.optimizer.AdamW(0.01, parameters=p),
    "Momentum": lambda lib, p: lib.optimizer.Momentum(0.05, 0.9, parameters=p),
    "SGD": lambda lib, p: lib.optimizer.SGD(0.05, parameters=p),
    "schedule": lambda lib, p: lib.optimizer.Adam(lib.optimizer.lr.StepDecay(0.01, 2), parameters=p),
    "warm-up": lambda lib, p: lib.optimizer.Adam(
        lib.optimizer.lr.LinearWarmup(lib.optimizer.lr.CosineAnnealingDecay(0.1, 9), 2, 0.0, 0.1), parameters=p
    ),
}


def prepared(lib: Any = lenet, optimizer: str = "Adam", seed: int = 0, classes: int = 3) -> Any:
    lib.seed(seed)
    net = lib.nn.Sequential(
        lib.nn.Conv2D(1, 4, 3), lib.nn.ReLU(), lib.nn.MaxPool2D(2), lib.nn.Flatten(), lib.nn.Linear(36, classes)
    )
    model = lib.Model(net)
    model.prepare(OPTIMIZERS[optimizer](lib, net.parameters()), lib.nn.CrossEntropyLoss())
    return model


def train(model: Any, steps: int) -> list[float]:
    losses = []
    for _ in range(steps):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            losses.append(float(model.train_batch([X], [Y])[0]))
        scheduler = model._optimizer._learning_rate
        if hasattr(scheduler, "step"):
            scheduler.step()
    return losses


def weights(model: Any) -> dict[str, np.ndarray[Any, Any]]:
    return {name: p.numpy() for name, p in model.network.named_parameters()}


def close(ours: Any, theirs: Any) -> None:
    for name, value in weights(ours).items():
        expected = weights(theirs)[name]
        assert np.linalg.norm(value - expected) <= STEP * np.linalg.norm(expected) + 1e-8, name


def equal(a: Any, b: Any) -> bool:
    return all(np.array_equal(value, weights(b)[name]) for name, value in weights(a).items())


# ---- going on where it stopped -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_paddles_pair_goes_on_here(optimizer: str, tmp_path: Path) -> None:
    theirs = prepared(paddle, optimizer)
    train(theirs, 3)
    theirs.save(str(tmp_path / "m"))
    model = prepared(optimizer=optimizer, seed=1)  # other weights, and layers of other names
    model.load(tmp_path / "m")
    assert equal(model, theirs)
    assert train(model, 3) == pytest.approx(train(theirs, 3), rel=STEP)
    close(model, theirs)
    assert model._optimizer.get_lr() == pytest.approx(theirs._optimizer.get_lr())


def both_go_on(folder: Path) -> dict[str, Any]:
    """Train three steps here, save; three more here, and three in Paddle from the files. Losses, and how far they are apart."""
    found = {}
    for name in OPTIMIZERS:
        model = prepared(optimizer=name)
        train(model, 3)
        model.save(folder / name)
        theirs = prepared(paddle, name, seed=1)
        theirs.load(str(folder / name))
        losses, their_losses = train(model, 3), train(theirs, 3)
        apart = [
            float(np.linalg.norm(value - weights(theirs)[path]) / np.linalg.norm(weights(theirs)[path]))
            for path, value in weights(model).items()
        ]
        found[name] = [losses, their_losses, max(apart)]
    return found


def test_our_pair_goes_on_in_paddle(tmp_path: Path) -> None:
    """In a process of its own: Paddle finds an optimizer's state by names that count layers from the process's start."""
    folder, name = Path(__file__).parent, Path(__file__).stem
    script = f"import sys, json, pathlib; sys.path.insert(0, {str(folder)!r}); import {name} as here\n"
    script += f"print(json.dumps(here.both_go_on(pathlib.Path({str(tmp_path)!r}))))"
    output = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    found = json.loads(output)
    assert list(found) == list(OPTIMIZERS)
    for losses, their_losses, apart in found.values():
        assert losses == pytest.approx(their_losses, rel=STEP)
        assert apart <= STEP


@pytest.mark.parametrize("suffix", ["", ".safetensors"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_our_files_go_on_to_the_same_bits(optimizer: str, suffix: str, tmp_path: Path) -> None:
    model = prepared(optimizer=optimizer)
    train(model, 3)
    path = tmp_path / "new" / f"model{suffix}"
    model.save(path)
    other = prepared(optimizer=optimizer, seed=1)
    train(other, 1)
    other.load(path)
    assert equal(model, other)
    assert train(model, 4) == train(other, 4)
    assert equal(model, other)
    assert model._optimizer.get_lr() == other._optimizer.get_lr()


def test_a_plan_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    data = lenet.io.TensorDataset([X, Y])
    fit = {"batch_size": 8, "shuffle": False, "verbose": 0}
    whole, first, second = (prepared() for _ in range(3))
    whole.fit(data, epochs=2, **fit)
    first.fit(data, epochs=1, **fit)
    first.save(tmp_path / "half")
    second.load(tmp_path / "half")
    second.fit(data, epochs=1, **fit)
    assert whole.plan_reason is second.plan_reason is None
    assert equal(whole, second)


# ---- what is written ---------------------------------------------------------------------------------------------------


def test_what_the_one_file_holds(tmp_path: Path) -> None:
    model = prepared(optimizer="schedule")
    train(model, 3)
    model.save(tmp_path / "m.safetensors")
    assert [p.name for p in tmp_path.iterdir()] == ["m.safetensors"]
    arrays, meta = serialization.read_model(tmp_path / "m.safetensors")
    names = ["0.weight", "0.bias", "4.weight", "4.bias"]
    kinds = ["moment1", "moment2", "beta1_pow_acc", "beta2_pow_acc"]
    assert set(arrays) == {*names, *(f"optimizer/{name}/{kind}" for name in names for kind in kinds)}
    assert meta["optimizer"]["kind"] == "Adam"
    assert meta["optimizer"]["LR_Scheduler"]["last_epoch"] == 3
    again = prepared(optimizer="schedule", seed=1)
    again.load(tmp_path / "m.safetensors")
    again.save(tmp_path / "again.safetensors")
    assert (tmp_path / "m.safetensors").read_bytes() == (tmp_path / "again.safetensors").read_bytes()


def test_weights_alone_are_a_model_too(tmp_path: Path) -> None:
    model = prepared()
    train(model, 2)
    serialization.write_model(tmp_path / "w.safetensors", weights(model), {})
    serialization.save(model.network.state_dict(), tmp_path / "w.pdparams")
    for path in ("w.safetensors", "w"):
        other = prepared(seed=1)
        train(other, 1)
        other.load(tmp_path / path)
        assert equal(model, other)
    bare = Model(prepared(seed=2).network)  # not prepared: weights are all it can take
    model.save(tmp_path / "all.safetensors")
    bare.load(tmp_path / "all.safetensors")
    assert equal(model, bare)
    bare.save(tmp_path / "bare.safetensors")
    assert serialization.read_model(tmp_path / "bare.safetensors")[1] == {}


def test_an_optimizer_without_state_leaves_no_file_of_an_earlier_one(tmp_path: Path) -> None:
    earlier, later = prepared(), prepared(optimizer="SGD")
    train(earlier, 1)
    earlier.save(tmp_path / "m")
    assert (tmp_path / "m.pdopt").exists()
    later.save(tmp_path / "m")
    assert not (tmp_path / "m.pdopt").exists()


@pytest.mark.parametrize("name", ["m", "m.pdparams", "m.pdopt"])
def test_the_pairs_name_with_and_without_suffix(name: str, tmp_path: Path) -> None:
    model, other = prepared(), prepared(seed=1)
    train(model, 1)
    model.save(tmp_path / name)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.pdopt", "m.pdparams"]
    other.load(tmp_path / name)
    assert equal(model, other)


def test_a_dot_in_the_name_is_no_suffix(tmp_path: Path) -> None:
    model, other = prepared(), prepared(seed=1)
    model.save(tmp_path / "v1.2")
    other.load(tmp_path / "v1.2")
    assert equal(model, other)


# ---- what does not fit -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["", ".safetensors"])
def test_a_file_of_another_network_changes_nothing(suffix: str, tmp_path: Path) -> None:
    model, other = prepared(classes=5), prepared()
    train(model, 2)
    train(other, 1)
    model.save(tmp_path / f"m{suffix}")
    before, state = weights(other), {k: v.numpy() for k, v in other._optimizer.state_dict().items()}
    shapes = r"4\.weight receives a shape \[36, 5\], but the expected shape is \[36, 3\]"
    with pytest.raises(ValueError, match=shapes):
        other.load(tmp_path / f"m{suffix}")
    after = {k: v.numpy() for k, v in other._optimizer.state_dict().items()}
    assert all(np.array_equal(before[k], v) for k, v in weights(other).items())
    assert all(np.array_equal(state[k], v) for k, v in after.items())
    with pytest.warns(UserWarning, match="Skip loading: 4") as caught:
        other.load(tmp_path / f"m{suffix}", skip_mismatch=True)
    assert len(caught) == 2
    assert np.array_equal(weights(other)["0.weight"], weights(model)["0.weight"])
    assert np.array_equal(weights(other)["4.weight"], before["4.weight"])
    assert not other._optimizer.state_dict()  # it starts afresh


def test_a_parameter_that_is_missing(tmp_path: Path) -> None:
    model = prepared()
    state = weights(model)
    del state["4.bias"]
    serialization.write_model(tmp_path / "m.safetensors", state, {})
    with pytest.raises(ValueError, match=r"4\.bias is not found in .*m\.safetensors, which has 0"):
        model.load(tmp_path / "m.safetensors")


def test_a_parameter_of_another_dtype(tmp_path: Path) -> None:
    model = prepared()
    state = {name: value.astype(np.float64) for name, value in weights(model).items()}
    serialization.write_model(tmp_path / "m.safetensors", state, {})
    with pytest.raises(ValueError, match="dtype float64, but the expected dtype is float32"):
        model.load(tmp_path / "m.safetensors")


@pytest.mark.parametrize("suffix", ["", ".safetensors"])
def test_an_optimizer_of_another_kind(suffix: str, tmp_path: Path) -> None:
    model, other = prepared(), prepared(optimizer="Momentum", seed=1)
    train(model, 1)
    model.save(tmp_path / f"m{suffix}")
    before = weights(other)
    with pytest.raises(ValueError, match="optimizer"):
        other.load(tmp_path / f"m{suffix}")
    assert all(np.array_equal(before[name], value) for name, value in weights(other).items())
    other.load(tmp_path / f"m{suffix}", reset_optimizer=True)
    assert equal(model, other)


def test_reset_optimizer_starts_afresh(tmp_path: Path) -> None:
    model, fresh = prepared(), prepared()
    model.save(tmp_path / "start")
    train(model, 3)
    model.load(tmp_path / "start", reset_optimizer=True)
    assert train(model, 3) == train(fresh, 3)


@pytest.mark.parametrize("path", ["nothing", "nothing.pdparams", "nothing.safetensors"])
def test_a_file_that_is_not_there(path: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"Model.load.*{path}"):
        prepared().load(tmp_path / path)


@pytest.mark.parametrize("path", ["", "folder/"])
def test_a_path_without_a_name(path: str) -> None:
    for call in (prepared().save, prepared().load):
        with pytest.raises(ValueError, match="expected a file name"):
            call(path)


def test_files_that_hold_something_else(tmp_path: Path) -> None:
    serialization.save([1, 2], tmp_path / "m.pdparams")
    with pytest.raises(ValueError, match=r"m\.pdparams: got a list"):
        prepared().load(tmp_path / "m")
    prepared().save(tmp_path / "n")
    serialization.save(3, tmp_path / "n.pdopt")
    with pytest.raises(ValueError, match=r"n\.pdopt: got a int"):
        prepared().load(tmp_path / "n")
    (tmp_path / "html.safetensors").write_text("<html>404</html>")
    with pytest.raises(ValueError, match="HTML"):
        prepared().load(tmp_path / "html.safetensors")


def test_saving_without_training_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="safetensors"):
        prepared().save("m", training=False)


def test_a_frozen_parameter_is_saved_too(tmp_path: Path) -> None:
    model, other = prepared(), prepared(seed=1)
    for each in (model, other):
        each.network[0].weight.stop_gradient = True
    train(model, 2)
    model.save(tmp_path / "m.safetensors")
    other.load(tmp_path / "m.safetensors")
    assert train(model, 2) == train(other, 2)
    assert equal(model, other)


def test_a_saved_model_describes_its_network(tmp_path):
    from lenet.train.trained import Trained

    images = np.random.RandomState(0).randint(0, 256, (64, 28, 28)).astype(np.uint8)
    data = lenet.vision.datasets.arrays.ArrayDataset(
        images, np.arange(64) % 10, lenet.vision.transforms.Normalize(mean=[127.5], std=[127.5])
    )
    model = lenet.Model(lenet.LeNet())
    adam = lenet.optimizer.Adam(parameters=model.parameters())
    model.prepare(adam, lenet.nn.CrossEntropyLoss(), lenet.metric.Accuracy())
    model.fit(data, batch_size=16, verbose=0)
    model.save(str(tmp_path / "x.safetensors"))
    trained = Trained.load(tmp_path / "x.safetensors")
    logits = model.predict_batch([data._batch(range(64))[0]])[0]
    np.testing.assert_array_equal(trained.probabilities(images).argmax(1), logits.argmax(1))
    assert (trained.mean, trained.std, trained.labels) == (127.5, 127.5, [str(i) for i in range(10)])


def fitted(network, data, **more):
    model = lenet.Model(network)
    adam = lenet.optimizer.Adam(parameters=model.parameters())
    model.prepare(adam, lenet.nn.CrossEntropyLoss(), lenet.metric.Accuracy())
    model.fit(*data, batch_size=8, verbose=0, **more)
    return model


class Around(lenet.nn.Layer):
    """No chain: what comes in goes around the first half."""

    def __init__(self):
        super().__init__()
        self.a, self.b = lenet.nn.Linear(16, 16), lenet.nn.Linear(16, 3)
        self.norm = lenet.nn.BatchNorm1D(16)

    def forward(self, x):
        return self.b(self.norm(self.a(x)).exp() + x)


class Peeking(Around):
    def forward(self, x):
        return super().forward(x) * float(x.mean())


VECTORS = np.random.default_rng(0).uniform(-1, 1, (32, 16)).astype(np.float32)
KINDS = np.array(["cat", "dog", "emu"])[np.arange(32) % 3]


def test_a_network_for_vectors_answers_to_images_out_of_its_file(tmp_path):
    from lenet.train.trained import Trained

    model = fitted(Around(), (VECTORS, KINDS))
    model.save(tmp_path / "x.safetensors")
    trained = Trained.load(tmp_path / "x.safetensors")
    assert (trained.shape, trained.labels) == ((1, 4, 4), ["cat", "dog", "emu"])
    images = trained.images(VECTORS)  # floats as bytes: to a 255th of their range
    again = (images.astype(np.float32).reshape(32, 16) - trained.mean) / trained.std
    np.testing.assert_allclose(again, VECTORS, atol=0.004)
    expected = model.predict(again, stack_outputs=True, verbose=0)[0]
    np.testing.assert_allclose(trained.logits(images), expected, rtol=1e-4, atol=1e-5)
    model.load(tmp_path / "x.safetensors")


def test_how_a_pixel_enters_can_be_said(tmp_path):
    from lenet.train.trained import Trained

    images = np.random.default_rng(0).uniform(0, 1, (32, 3, 4, 4)).astype(np.float32)
    network = lenet.nn.Sequential(lenet.nn.Conv2D(3, 4, 3), lenet.nn.ReLU(), lenet.nn.Flatten(), lenet.nn.Linear(16, 3))
    batches = [(lenet.to_tensor(images[k : k + 8]), lenet.to_tensor(np.arange(8) % 3)) for k in range(0, 32, 8)]
    model = fitted(network, (batches,))
    model.save(tmp_path / "weights.safetensors")
    with pytest.raises(ValueError, match=r"type model\.save\(path, mean=127\.5"):
        Trained.load(tmp_path / "weights.safetensors")
    model.save(tmp_path / "m.safetensors", mean=0, std=255, labels=["a", "b", "c"])
    trained = Trained.load(tmp_path / "m.safetensors")
    pixels = np.rint(images * 255).astype(np.uint8)
    expected = model.predict(pixels.astype(np.float32) / 255, stack_outputs=True, verbose=0)[0]
    np.testing.assert_allclose(trained.logits(pixels), expected, rtol=1e-4, atol=1e-5)
    assert trained.labels == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("network", "more", "text"),
    [
        (Peeking, {"mean": 0, "std": 1}, r"reads a tensor's values \(test_model_files\.py, line \d+\)"),
        (Around, {"labels": ["a"]}, r"save\(labels\): got 1 names, expected one for each of 3 outputs"),
        (Around, {"mean": 0, "std": 0}, r"std: got 0, expected a number above 0"),
    ],
)
def test_what_a_file_cant_say_is_an_error_where_it_was_asked_for(tmp_path, network, more, text):
    model = fitted(network(), (VECTORS, KINDS))
    with pytest.raises(ValueError, match=text):
        model.save(tmp_path / "m.safetensors", **more)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match=r"a name ending in \.safetensors for mean, std and labels"):
        model.save(tmp_path / "m", **more)
    model.save(tmp_path / "m.safetensors")


def test_a_model_that_has_seen_nothing_says_so(tmp_path):
    model = lenet.Model(Around())
    with pytest.raises(ValueError, match="save: got a model that has seen no image"):
        model.save(tmp_path / "m.safetensors", mean=0, std=1)
