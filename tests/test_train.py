"""``lenet.train``: recipes, the split, what a run leaves behind, and every way in which it may refuse."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lenet
from lenet.data import counter, fetch, idx
from lenet.data.augment import Augmentation
from lenet.modelfile import serialization
from lenet.train import RECIPES, Recipe, Trained, train
from lenet.train import data as data_sets
from lenet.train import files as train_files
from lenet.train.loop import Run
from lenet.vision.datasets import ArrayDataset
from lenet.vision.transforms import Normalize

FAST, TUTORIAL = RECIPES["fast"], RECIPES["tutorial"]


@pytest.fixture(scope="module")
def arrays(small_mnist):
    """1,200 training and 300 test images, as arrays."""
    found = []
    for stem, n in (("train", 1200), ("t10k", 300)):
        names = small_mnist / f"{stem}-images-idx3-ubyte", small_mnist / f"{stem}-labels-idx1-ubyte"
        images, labels = idx.read_pair(*names)
        found.append((images[:n].copy(), labels[:n].astype(np.int64)))
    return found


@pytest.fixture
def pair(arrays):
    return tuple(ArrayDataset(images.copy(), labels.copy(), classes=list("0123456789")) for images, labels in arrays)


@pytest.fixture(autouse=True)
def _as_before():
    """``train`` sets the process's threads and random stream."""
    threads = lenet.get_num_threads()
    yield
    lenet.set_num_threads(threads)


def quiet(_text: str) -> None:
    pass


def weights_of(path: Path) -> dict[str, np.ndarray]:
    return serialization.read_model(path)[0]


# ---- recipes ---------------------------------------------------------------------------------------------------------


def test_the_tutorial_s_rate_never_changes():
    assert {TUTORIAL.rate_at(step, 1876) for step in range(1876)} == {0.001}


def test_fast_s_rate_rises_over_a_fifth_and_falls_to_nothing():
    steps = 1720
    rates = np.array([FAST.rate_at(step, steps) for step in range(steps)])
    top = int(rates.argmax())
    assert top == round(FAST.warmup * steps)
    assert rates[top] == pytest.approx(FAST.rate, rel=1e-12)
    assert (np.diff(rates[: top + 1]) > 0).all()
    assert (np.diff(rates[top:]) < 0).all()
    np.testing.assert_allclose(np.diff(rates[top:]), -FAST.rate / (steps - top), rtol=1e-9)  # a straight line
    assert 0 < rates[-1] < 2 * FAST.rate / steps
    assert rates[0] == pytest.approx(FAST.rate / (top + 1), rel=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_short_runs_have_rates_above_zero(steps):
    assert all(0 < FAST.rate_at(step, steps) <= FAST.rate for step in range(steps))


@pytest.mark.parametrize(
    ("name", "seeds", "mean", "worst"),
    [("fast", 10, 0.991, 0.9895), ("best", 10, 0.9955, 0.9948), ("tiny", 10, 0.994, 0.993)],
)
def test_the_stored_accuracy_is_that_of_the_recipe_as_it_stands(name, seeds, mean, worst):
    """Whoever changes a recipe's number runs bench/accuracy/recipes.py again; what it stored keeps the promise."""
    results, recipe = Path(__file__).parents[1] / "bench" / "results", RECIPES[name]
    stored = json.loads((results / f"recipe_{name}.json").read_text())
    as_it_was = Recipe.of_json(stored["recipe"])  # what didn't exist then is at its default
    assert as_it_was._replace(about="") == recipe._replace(about="")
    assert stored["n"] >= seeds
    assert stored["mean"] >= mean
    assert stored["worst"] >= worst
    search = json.loads((results / f"recipe_search_{'fast' if name == 'fast' else 'best'}.json").read_text())
    chosen = Recipe.of_json({**search["base"], **search["chosen"]})
    if name != "fast":  # found for LeNet, and taken over
        chosen = chosen._replace(name=name, network=recipe.network, epochs=recipe.epochs)
    if name == "tiny":
        chosen = chosen._replace(rate=recipe.rate)
    assert chosen._replace(about="") == recipe._replace(about="")


# ---- the split -------------------------------------------------------------------------------------------------------


def test_of_mnist_the_last_twelfth_of_each_class_is_held_out(mnist_dir):
    labels = idx.labels(idx.read(mnist_dir / fetch.FILES["train-labels"]), "labels").astype(np.int64)
    kept, held = data_sets.split(labels, FAST.held_out)
    assert (len(kept), len(held)) == (55_000, 5_000)
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, held])), np.arange(60_000))
    for digit in range(10):
        mine = np.flatnonzero(labels == digit)
        out = held[labels[held] == digit]
        np.testing.assert_array_equal(out, mine[len(mine) - len(out) :])
        assert abs(len(out) - len(mine) / 12) <= 1


def test_the_share_held_out_may_be_another(small_mnist, tmp_path):
    for share, images in ((0, 2400), (0.25, 1800)):
        result = train(data=small_mnist, epochs=1, held_out=share, out=tmp_path / "m.safetensors", say=quiet)
        assert result.record["images"] == images
        assert (result.held_out is None) == (share == 0)
        assert (result.trained.calibration is None) == (share == 0)


def test_the_split_of_few_and_of_none():
    kept, held = data_sets.split(np.array([0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]), 1 / 12)
    assert (len(kept), held.tolist()) == (11, [10])
    kept, held = data_sets.split(np.array([3, 3, 1]), 0.0)
    assert (kept.tolist(), held.tolist()) == ([0, 1, 2], [])
    kept, held = data_sets.split(np.zeros(0, np.int64), 0.5)
    assert (kept.tolist(), held.tolist()) == ([], [])


# ---- bits ------------------------------------------------------------------------------------------------------------


def test_tutorial_is_model_fit_to_the_bit(small_mnist, tmp_path):
    result = train("tutorial", data=small_mnist, seed=3, out=tmp_path / "a.safetensors", say=quiet)
    lenet.seed(3)
    model = lenet.Model(lenet.LeNet())
    adam = lenet.optimizer.Adam(learning_rate=0.001, parameters=model.parameters())
    model.prepare(adam, lenet.nn.CrossEntropyLoss(), lenet.metric.Accuracy())
    normalise = Normalize(mean=[127.5], std=[127.5], data_format="CHW")
    files = fetch.given(small_mnist)
    images = lenet.vision.datasets.MNIST(files["train-images"], files["train-labels"], transform=normalise)
    model.fit(images, epochs=2, batch_size=64, verbose=0)
    own = {name: tensor.numpy() for name, tensor in model.network.state_dict().items()}
    assert result.digest == serialization.digest(own)
    assert result.held_out is None
    assert result.record["images"] == 2400


def test_threads_change_no_bit_and_the_seed_does(pair, tmp_path):
    digests = [
        train("fast", pair, threads=threads, out=tmp_path / f"{threads}.safetensors", say=quiet).digest
        for threads in (1, 2, 3, 8)
    ]
    assert len(set(digests)) == 1
    assert train("fast", pair, seed=1, out=tmp_path / "s.safetensors", say=quiet).digest != digests[0]


def test_held_out_and_test_images_leave_no_trace_in_the_weights(pair, tmp_path):
    plain = train("fast", pair, out=tmp_path / "a.safetensors", say=quiet)
    _, held = data_sets.split(pair[0]._targets, FAST.held_out)
    pair[0]._pixels[held] = 255 - pair[0]._pixels[held]
    pair[1]._pixels[:] = 255 - pair[1]._pixels
    spoilt = train("fast", pair, out=tmp_path / "b.safetensors", say=quiet)
    assert spoilt.digest == plain.digest
    assert spoilt.test.accuracy < plain.test.accuracy
    assert spoilt.held_out.accuracy < plain.held_out.accuracy


def test_shifts_are_the_counter_s_and_move_the_image(pair):
    run = Run(FAST._replace(augment=Augmentation(shift=2)), data_sets.load(pair), 5)
    samples = np.array([7, 0, 1100])
    warps = run._warps(samples)
    np.testing.assert_array_equal(-warps[:, 1, 2], counter.integers(5, 0, samples, -2, 3, 0))
    np.testing.assert_array_equal(-warps[:, 0, 2], counter.integers(5, 0, samples, -2, 3, 1))

    # One step on shifted images is one step on images that were shifted before.
    def one_step(shift: int, images: np.ndarray) -> str:
        ds = ArrayDataset(images, pair[0]._targets, classes=list("0123456789"))
        recipe = FAST._replace(epochs=1, batch_size=1200, augment=Augmentation(shift=shift), held_out=0.0)
        run = Run(recipe, data_sets.load((ds, pair[1])), 5)
        run.advance()
        return serialization.digest(run.weights())

    every = np.arange(1200)
    down, right = (counter.integers(5, 0, every, -2, 3, draw) for draw in (0, 1))
    moved = np.zeros_like(pair[0]._pixels)
    for i, image in enumerate(pair[0]._pixels):
        dy, dx = down[i], right[i]
        source = image[max(0, -dy) : 28 - max(0, dy), max(0, -dx) : 28 - max(0, dx)]
        moved[i, max(0, dy) : 28 - max(0, -dy), max(0, dx) : 28 - max(0, -dx)] = source
    assert one_step(2, pair[0]._pixels) == one_step(0, moved)
    assert one_step(2, pair[0]._pixels) != one_step(0, pair[0]._pixels)


def test_fan_in_start(pair):
    run = Run(FAST, data_sets.load(pair), 0)
    for name, fan_in in (("conv1", 25), ("conv2", 150), ("linear1", 400), ("linear2", 120), ("linear3", 84)):
        for kind in ("weight", "bias"):
            values = np.abs(run.weights()[f"{name}.{kind}"])
            assert values.max() <= 1 / np.sqrt(fan_in)
            assert values.max() > 0.4 / np.sqrt(fan_in)
    paddle_like = Run(TUTORIAL, data_sets.load(pair), 0).weights()
    assert not paddle_like["conv1.bias"].any()


# ---- what a run leaves behind ------------------------------------------------------------------------------------------


def test_the_file_describes_itself(small_mnist, tmp_path):
    seen = []
    out = tmp_path / "sub" / "m.safetensors"
    result = train("fast", data=small_mnist, epochs=3, out=out, say=quiet, progress=seen.append)
    tensors, meta = serialization.read_model(out)
    assert set(tensors) == set(lenet.LeNet().state_dict())
    assert serialization.digest(tensors) == result.digest
    training = meta["training"]
    assert training == json.loads(json.dumps(result.record))
    assert training["complete"] is True
    assert (training["epochs"], training["batch_size"], training["seed"], training["images"]) == (3, 64, 0, 2200)
    assert training["recipe"]["smoothing"] == FAST.smoothing
    assert set(training["machine"]) == {"lenet", "python", "numpy", "system", "cpu", "level", "threads"}
    assert training["data"]["sha256"]["train-images"] == fetch.sha256(
        idx.read(small_mnist / fetch.FILES["train-images"])
    )
    curve = training["curve"]
    assert curve["steps"][-1] == training["steps"] == 3 * 35
    assert (np.diff(curve["steps"]) > 0).all()
    assert len(curve["steps"]) == len(curve["loss"]) == len(curve["accuracy"])
    assert curve["loss"][-1] < curve["loss"][0]
    assert 0.6 < result.test.accuracy <= 1
    assert training["test"]["correct"] == result.test.correct
    assert training["test"]["standard_error"] == pytest.approx(
        np.sqrt(result.test.accuracy * (1 - result.test.accuracy) / 500), rel=1e-12
    )
    assert training["held_out"]["images"] == 200
    assert training["held_out_curve"]["steps"] == [35, 70, 105]
    assert training["held_out_curve"]["accuracy"][-1] == pytest.approx(result.held_out.accuracy, abs=1e-6)

    ends = [state for state in seen if state.epoch_ended]
    assert [state.epoch for state in ends] == [1, 2, 3]
    assert [state.step for state in ends] == [35, 70, 105]
    assert ends[-1].seconds_left == 0

    again = Trained.load(out)
    files = fetch.given(small_mnist)
    images, labels = idx.read_pair(files["test-images"], files["test-labels"])
    assert again.score(images, labels.astype(np.int64)) == result.test
    net = lenet.LeNet()
    assert net.set_state_dict(tensors) == ([], [])
    net.eval()
    logits = net(lenet.to_tensor((images[:64, None].astype(np.float32) - 127.5) / 127.5)).numpy()
    logits /= meta["calibration"]["temperature"]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(again.probabilities(images[:64]), shares, atol=2e-6)  # float32, plan beside eager


def test_a_curve_has_at_most_64_points_an_epoch(pair):
    run = Run(FAST._replace(epochs=1, batch_size=1), data_sets.load(pair), 0)
    while not run.done:
        run.advance()
    assert run.steps_an_epoch == 1100
    assert 30 <= len(run.curve) <= 64
    assert run.curve[-1][0] == 1100


def test_an_earlier_model_is_renamed_and_that_is_said(pair, tmp_path):
    out = tmp_path / "m.safetensors"
    said: list[str] = []
    first = train("fast", pair, epochs=1, out=out, say=said.append)
    same = train("fast", pair, epochs=1, out=out, say=said.append)
    assert same.digest == first.digest
    assert os.listdir(tmp_path) == ["m.safetensors"]  # the same weights are no earlier model
    second = train("fast", pair, epochs=1, seed=1, out=out, say=said.append)
    kept = tmp_path / f"m.{first.digest[:8]}.safetensors"
    assert serialization.digest(weights_of(kept)) == first.digest
    assert serialization.digest(weights_of(out)) == second.digest
    assert [line for line in said if "earlier model" in line] == [
        f"{out} was there already: the earlier model is now {kept}"
    ]


def test_a_file_that_is_no_model_is_kept_too(pair, tmp_path):
    out = tmp_path / "m.safetensors"
    out.write_text("my notes")
    train("fast", pair, epochs=1, out=out, say=quiet)
    (kept,) = (path for path in tmp_path.iterdir() if path != out)
    assert kept.read_text() == "my notes"


def test_a_failed_write_leaves_the_earlier_model_in_place(pair, tmp_path, monkeypatch):
    out = tmp_path / "m.safetensors"
    first = train("fast", pair, epochs=1, out=out, say=quiet)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(serialization, "write_model", full)
    with pytest.raises(OSError, match="No space left"):
        train("fast", pair, epochs=1, seed=1, out=out, say=quiet)
    assert os.listdir(tmp_path) == ["m.safetensors"]
    assert serialization.digest(weights_of(out)) == first.digest


# ---- NaN -------------------------------------------------------------------------------------------------------------


def test_a_nan_names_the_step_and_leaves_the_last_good_weights(pair, tmp_path):
    wild = Recipe("wild", "", epochs=3, batch_size=64, rate=1e18)
    out = tmp_path / "m.safetensors"
    text = r"training, epoch \d, step \d+ of 19: got a (loss|gradient) that is NaN or infinite.*learning rate, 1e\+18"
    with pytest.raises(FloatingPointError, match=text) as caught:
        train(wild, pair, out=out, say=quiet)
    assert str(out) in str(caught.value)
    tensors, meta = serialization.read_model(out)
    training = meta["training"]
    assert training["complete"] is False
    assert training["test"] is None
    failed = training["steps_done"] + 1
    assert f"epoch {(failed - 1) // 19 + 1}, step {(failed - 1) % 19 + 1} of" in str(caught.value)
    assert all(np.isfinite(array).all() for array in tensors.values())
    assert not os.path.exists(train_files.resume_path(str(out)))

    # They are the weights of that many steps: run as many and no more.
    run = Run(wild, data_sets.load(pair), 0)

    def to_the_end() -> None:
        while True:
            run.advance()

    with pytest.raises(FloatingPointError):
        to_the_end()
    assert run.steps_done == training["steps_done"]
    assert serialization.digest(run.weights()) == serialization.digest(tensors)


# ---- data sets of one's own --------------------------------------------------------------------------------------------


def test_light_images_are_inverted(pair, tmp_path):
    dark = train("fast", pair, epochs=1, out=tmp_path / "a.safetensors", say=quiet)
    light = tuple(ArrayDataset(255 - ds._pixels, ds._targets, classes=list("0123456789")) for ds in pair)
    said: list[str] = []
    other = train("fast", light, epochs=1, out=tmp_path / "b.safetensors", say=said.append)
    assert other.digest == dark.digest
    assert other.test == dark.test
    assert other.record["data"]["inverted"] is True
    assert dark.record["data"]["inverted"] is False
    assert "inverted" in said[0]


@pytest.fixture
def class_folders(arrays, tmp_path):
    """Three digits as dark ink on white paper, 20 images each, in folders of their names."""
    root = tmp_path / "mine"
    images, labels = arrays[0]
    for digit, name in ((0, "zero"), (1, "one"), (7, "seven")):
        (root / name).mkdir(parents=True)
        for number, image in enumerate(images[labels == digit][:20]):
            Image.fromarray(255 - image).save(root / name / f"{number:02}.png")
    return root


def test_a_folder_of_class_folders(class_folders, tmp_path):
    out = tmp_path / "m.safetensors"
    result = train("fast", class_folders, epochs=60, batch_size=8, out=out, say=quiet)
    model = Trained.load(out)
    assert model.labels == ["one", "seven", "zero"]
    assert weights_of(out)["linear3.weight"].shape == (84, 3)
    assert result.test.images == 6
    assert result.test.accuracy == 1.0
    image = model.read(class_folders / "seven" / "00.png")
    assert image[0, 0] == 0  # light on dark, as the network saw it
    assert model.labels[model.probabilities(image[None])[0].argmax()] == "seven"


@pytest.mark.parametrize("light", [True, False])
def test_a_model_sees_each_image_as_its_training_images_were(class_folders, tmp_path, light):
    """Whatever an image's own border says: what one file alone looks like decides nothing."""
    for number, path in enumerate(sorted(class_folders.rglob("*.png"))):
        image = np.array(Image.open(path))
        if not light:
            image = 255 - image
        if number % 5 == 0:  # of some the border is as in the others the ink
            image[[0, -1]] = image[:, [0, -1]] = 0 if light else 255
        Image.fromarray(image).save(path)
    out = tmp_path / "m.safetensors"
    train("fast", class_folders, epochs=1, out=out, say=quiet)
    model = Trained.load(out)
    assert model.inverted is light
    data = data_sets.load(class_folders)
    seen = {image.tobytes() for part in (data.train, data.test) for image in part.images[:, 0]}
    assert seen == {model.read(path).tobytes() for path in class_folders.rglob("*.png")}
    del model.meta["training"]["data"]["inverted"]  # as in a file that doesn't say
    assert model.inverted is None
    assert seen != {model.read(path).tobytes() for path in class_folders.rglob("*.png")}


@pytest.mark.parametrize("kind", ["idx", "arrays", "light arrays", "class folders"])
def test_the_test_part_alone_is_that_of_the_whole(small_mnist, pair, class_folders, kind):
    light = tuple(ArrayDataset(255 - ds._pixels, ds._targets, classes=list("0123456789")) for ds in pair)
    asked = {
        "idx": ("mnist", small_mnist),
        "arrays": (pair,),
        "light arrays": (light,),
        "class folders": (class_folders,),
    }[kind]
    classes, part, line = data_sets.load_test(*asked)
    whole = data_sets.load(*asked)
    assert (classes, line) == (whole.classes, whole.line)
    np.testing.assert_array_equal(part.images, whole.test.images)
    np.testing.assert_array_equal(part.labels, whole.test.labels)
    assert part.source.sha256 == whole.test.source.sha256


# ---- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"recipe": "quick"}, ValueError, "recipe: got 'quick', expected one of 'tutorial', 'fast'"),
        ({"epochs": 0}, ValueError, "epochs: got 0, expected a whole number of at least 1"),
        ({"epochs": 1.5}, TypeError, "epochs: got float 1.5"),
        ({"batch_size": -3}, ValueError, "batch size: got -3"),
        ({"held_out": 0.6}, ValueError, "held out: got 0.6, expected a share from 0 to 0.5"),
        ({"held_out": "some"}, TypeError, "held out: got str 'some'"),
        ({"seed": -1}, ValueError, "seed: got -1"),
        ({"threads": 0}, ValueError, "threads: got 0"),
        ({"out": "m.pt"}, ValueError, "out: got 'm.pt', expected a name ending in .safetensors. Type m.pt.safetensors"),
        ({"out": ".safetensors"}, ValueError, "out: got '.safetensors'"),
        ({"out": "a.safetensors.resume.safetensors"}, ValueError, "Type a.safetensors"),
    ],
)
def test_wrong_requests(pair, tmp_path, monkeypatch, options, kind, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind) as caught:
        train(**({"recipe": "fast", "dataset": pair, "say": quiet} | options))
    assert text in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_out_is_a_folder(pair, tmp_path):
    (tmp_path / "d.safetensors").mkdir()
    with pytest.raises(IsADirectoryError, match="expected a file name"):
        train("fast", pair, out=tmp_path / "d.safetensors", say=quiet)


def test_out_below_a_file(pair, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PermissionError, match="a place to write to"):
        train("fast", pair, out=tmp_path / "file" / "m.safetensors", say=quiet)


@pytest.mark.parametrize(
    ("dataset", "folder", "kind", "text"),
    [
        ("mnits", None, ValueError, "dataset: got 'mnits', expected mnist, fashion-mnist or a folder"),
        ("IDX", None, ValueError, "--dataset mnist --data FOLDER"),
        ("IDX", "IDX", ValueError, "only one of the two"),
        ("mnist", "nowhere", FileNotFoundError, "all four IDX files"),
        ((1, 2), None, TypeError, "dataset: got int 1"),
    ],
)
def test_wrong_data_sets(small_mnist, tmp_path, dataset, folder, kind, text):
    places = {"IDX": str(small_mnist), "nowhere": str(tmp_path)}
    with pytest.raises(kind) as caught:
        data_sets.load(places.get(dataset, dataset), places.get(folder, folder))
    assert text in str(caught.value)


def test_a_transform_is_refused(pair):
    pair[0].transform = Normalize(mean=[127.5], std=[127.5])
    with pytest.raises(ValueError, match="a recipe normalises and augments by itself"):
        data_sets.load(pair)


def test_images_of_another_size_name_the_layer(arrays, tmp_path):
    images, labels = arrays[0]
    small = ArrayDataset(np.ascontiguousarray(images[:, 4:24, 4:24]), labels)
    with pytest.raises(
        ValueError, match=r"lenet: on images of 1 x 20 x 20: in linear1 = Linear.*got 144 features.*expected 400"
    ):
        train("fast", (small, small), out=tmp_path / "m.safetensors", say=quiet)


def test_one_class_and_no_images(tmp_path):
    images = np.zeros((4, 28, 28), np.uint8)
    one = ArrayDataset(images, [0, 0, 0, 0])
    with pytest.raises(ValueError, match="got 4 images of 1 classes"):
        train("fast", (one, one), out=tmp_path / "m.safetensors", say=quiet)
    none = ArrayDataset(images[:0], np.zeros(0, np.int64), classes=["a", "b"])
    with pytest.raises(ValueError, match="got 0 images of 2 classes"):
        train("fast", (none, none), out=tmp_path / "m.safetensors", say=quiet)


def test_other_data_is_named_by_its_content(mnist_dir, tmp_path):
    """The files of one set under another's name: the line says what they hold."""
    data = data_sets.load("fashion-mnist", mnist_dir)
    assert data.line == f"Fashion-MNIST from {mnist_dir}, which holds MNIST"


# ---- Trained -----------------------------------------------------------------------------------------------------------


def test_a_network_that_ends_in_softmax_answers_in_probabilities():
    lenet.seed(0)
    net = lenet.nn.Sequential(lenet.nn.Flatten(), lenet.nn.Linear(784, 3))
    both = [Trained(n, (1, 28, 28), "abc", 127.5, 127.5) for n in (net, lenet.nn.Sequential(net, lenet.nn.Softmax()))]
    images = np.random.RandomState(0).randint(0, 256, (5, 28, 28)).astype(np.uint8)
    first, second = (model.probabilities(images) for model in both)
    np.testing.assert_allclose(first, second, atol=1e-6)  # two float32 softmaxes
    np.testing.assert_allclose(first.sum(axis=1), 1, atol=1e-6)


def test_a_score_counts_right_answers_and_averages_the_loss():
    net = lenet.nn.Sequential(lenet.nn.Flatten(), lenet.nn.Linear(4, 2))
    net[1].weight.set_value(np.zeros((4, 2), np.float32))
    net[1].bias.set_value(np.log(np.array([0.25, 0.75], np.float32)))
    model = Trained(net, (1, 2, 2), ["no", "yes"], 0.0, 1.0)
    score = model.score(np.zeros((4, 2, 2), np.uint8), np.array([1, 1, 0, 1]))
    assert (score.images, score.correct, score.accuracy) == (4, 3, 0.75)
    assert score.error == pytest.approx(np.sqrt(0.75 * 0.25 / 4), rel=1e-12)
    assert score.loss == pytest.approx(-(3 * np.log(0.75) + np.log(0.25)) / 4, rel=1e-6)
    none = model.score(np.zeros((0, 2, 2), np.uint8), np.zeros(0, np.int64))
    assert (none.accuracy, none.error, none.loss) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("images", "kind", "text"),
    [
        (
            np.zeros((2, 28, 28), np.float32),
            TypeError,
            "got ndarray of float32 [2, 28, 28], expected a numpy array of uint8",
        ),
        (np.zeros((2, 20, 20), np.uint8), ValueError, "images of shape [2, 20, 20], expected [N, 1, 28, 28]"),
        (np.zeros((2, 3, 28, 28), np.uint8), ValueError, "images of shape [2, 3, 28, 28]"),
    ],
)
def test_wrong_images(images, kind, text):
    model = Trained(lenet.LeNet(), (1, 28, 28), "0123456789", 127.5, 127.5)
    with pytest.raises(kind) as caught:
        model.probabilities(images)
    assert text in str(caught.value)


def test_labels_beyond_the_classes():
    model = Trained(lenet.LeNet(), (1, 28, 28), "0123456789", 127.5, 127.5)
    with pytest.raises(ValueError, match="labels: got labels from 0 to 10, expected 0 to 9"):
        model.score(np.zeros((2, 28, 28), np.uint8), np.array([0, 10]))


def test_label_names_must_match_the_outputs():
    with pytest.raises(ValueError, match="labels: got 3 names, expected one for each of 10 outputs"):
        Trained(lenet.LeNet(), (1, 28, 28), "abc", 127.5, 127.5)


def test_files_that_are_no_model(tmp_path, small_mnist):
    path = tmp_path / "m.safetensors"
    with pytest.raises(FileNotFoundError):
        Trained.load(path)
    model = lenet.Model(lenet.LeNet())
    model.save(str(path))
    with pytest.raises(ValueError, match=r"If Model.save\(\)"):
        Trained.load(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match="truncated"):
        Trained.load(path)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"input": {"shape": [1, 28, 28], "mean": 127.5, "std": 0}}, "std: got 0"),
        ({"input": {"shape": [1, 28, 28], "mean": "x", "std": 1}}, "mean: got 'x'"),
        ({"input": {"shape": [1, 28, 10**9], "mean": 0, "std": 1}}, "input shape: got"),
        ({"input": {"shape": [1, 4096, 4096], "mean": 0, "std": 1}}, "input shape: got"),
        ({"labels": [0] * 10}, "labels: got"),
        ({"labels": ["a"]}, "labels: got 1 names"),
        ({"architecture": []}, "architecture: got []"),
        ({"architecture": [{"op": "eval"}]}, "architecture, row 0: got 'eval'"),
    ],
)
def test_hostile_metadata(pair, tmp_path, change, text):
    path = tmp_path / "m.safetensors"
    train("fast", pair, epochs=1, batch_size=600, out=path, say=quiet)
    tensors, meta = serialization.read_model(path)
    serialization.write_model(path, tensors, meta | change)
    with pytest.raises(ValueError, match=r"m\.safetensors: ") as caught:
        Trained.load(path)
    assert text in str(caught.value)
