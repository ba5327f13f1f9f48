"""``lenet.reading.weights.reader``: the packaged weights, what they know, and every way in which a model may not fit.

The weights' account of their making is derived anew here from the code and the data; making them takes minutes, and
only samples are made here.
"""

from __future__ import annotations

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from lenet.data import fetch, idx
from lenet.evaluation import softmax
from lenet.modelfile import serialization
from lenet.reading.shapes.form import digit_forms
from lenet.reading.shapes.shape import Shape
from lenet.reading.weights import samples, touching, training
from lenet.reading.weights.reader import NO_DIGIT, PACKAGED, Reader, with_no_digit
from lenet.reading.weights.traces import Traces
from lenet.train.data import split
from lenet.train.loop import Run
from lenet.train.recipes import Recipe
from lenet.train.trained import Trained


@pytest.fixture(scope="module")
def packaged():
    return Trained.load(PACKAGED)


@pytest.fixture(scope="module")
def digits(mnist_dir):
    """Every tenth of the 5,000 of MNIST's training images that no recipe trains on."""
    images, labels = idx.read_pair(mnist_dir / "train-images-idx3-ubyte", mnist_dir / "train-labels-idx1-ubyte")
    held = split(labels.astype(np.int64), training.HELD)[1][::10]
    return images[held], labels[held]


@pytest.fixture(scope="module")
def few(small_mnist):
    """Something to draw samples from that needs neither fonts nor Fashion-MNIST."""
    names = small_mnist / "train-images-idx3-ubyte", small_mnist / "train-labels-idx1-ubyte"
    images, labels = idx.read_pair(*names)
    letters, printed = [enlarged(images[0]), enlarged(images[1])], [(enlarged(images[2]), int(labels[2]))]
    words = [np.concatenate(letters, axis=1)]
    pens = Traces(np.random.default_rng(0).uniform(0, 1, (20, 8, 2)), np.arange(20) % 10)
    return samples.Sources(images, labels.astype(np.int64), images[:50], letters, letters, printed, words, pens)


def enlarged(image: np.ndarray) -> np.ndarray:
    """As high as fonts' glyphs are kept."""
    return cv2.resize(image, (samples.FONT_PIXELS, samples.FONT_PIXELS))


# ---- the file --------------------------------------------------------------------------------------------------------


def test_the_file_is_small_and_of_eleven_outputs(packaged):
    assert os.path.getsize(PACKAGED) <= 600_000
    assert packaged.shape == (1, 28, 28)
    assert packaged.labels == [*"0123456789", "no digit"]
    assert packaged.calibration is not None


def test_its_account_is_what_the_code_would_write_again(packaged):
    told = packaged.meta["training"]
    assert Recipe.of_json(told["recipe"]) == training.RECIPE
    assert told["seed"] == training.SEED
    assert told["samples"] == {
        "generator": training.GENERATOR,
        "count": training.SAMPLES,
        "kinds": samples.KINDS,
        "mixed": training.MIXED,
        "plain": samples.PLAIN,
        "others_met": training.OTHERS,
        "others_alone": training.NOT_ONE,
        "letters": samples.LETTERS,
        "marks": samples.MARKS,
    }
    fonts = [*training.FONTS.values(), *training.HELD_FONTS.values()]
    assert set(told["fonts"]) == {os.path.basename(name) for names in fonts for name in names}
    for name, parts in told["data"].items():
        assert parts == {part: fetch.PUBLISHED[name].sha256[part] for part in ("train-images", "train-labels")}


def test_its_fonts_are_those_installed(packaged):
    try:
        found = training.font_hashes()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    assert packaged.meta["training"]["fonts"] == found


def test_its_weights_are_those_it_names(packaged):
    tensors, meta = serialization.read_model(PACKAGED)
    assert serialization.digest(tensors) == meta["training"]["weights"] == packaged.digest
    assert 0 < meta["training"]["threshold"] < 1


# ---- what it knows ---------------------------------------------------------------------------------------------------


def test_it_reads_digits(digits):
    images, labels = digits
    reader = Reader()
    found = reader(digit_forms(list(images)))
    assert found.dtype == np.float32
    assert found.shape == (len(images), 11)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)  # float32 sums of eleven
    assert (found.argmax(axis=1) == labels).mean() > 0.98  # 500 images; MNIST's test images: bench/results/pages.json
    assert reader.rejects(found).mean() < 0.02


def test_it_rejects_what_is_no_digit(digits, few):
    reader = Reader()
    kinds = dict.fromkeys(("scribble", "figure", "noise", "dot", "bar"), 1.0)
    forms, labels, _ = samples.make_samples(few, 1500, 7, kinds=kinds)
    assert (labels == NO_DIGIT).all()
    others, own = reader(forms), reader(digit_forms(list(digits[0])))
    assert reader.rejects(others).mean() > 0.88  # a tenth are so tiny that a blot might be anything
    assert np.quantile(reader.score(own), 0.05) > np.quantile(reader.score(others), 0.95)


@pytest.mark.parametrize(
    "model", [None, lambda images: np.full((len(images), 11), 1 / 11)], ids=["packaged", "function"]
)
def test_a_blank_is_no_digit(model, digits):
    found = Reader(model)(np.stack([np.zeros((28, 28), np.uint8), digits[0][0]]))
    assert found[0, NO_DIGIT] == 1
    assert found[1, NO_DIGIT] < 0.5


def test_an_answer_does_not_depend_on_its_neighbours(digits):
    images, reader = digits[0][:100], Reader()
    together = reader(images)
    alone = np.concatenate([reader(image[None]) for image in images[::20]])
    np.testing.assert_allclose(together[::20], alone, rtol=1e-4, atol=1e-6)  # other sums in the engine


def test_the_packaged_network_looks_three_times(packaged, digits):
    images = digits[0][:50]
    moved = [np.zeros_like(images), np.zeros_like(images)]
    moved[0][:, :-1, 1:], moved[1][:, 1:, :-1] = images[:, 1:, :-1], images[:, :-1, 1:]
    logits = np.mean([packaged.logits(look) for look in (images, *moved)], axis=0)
    np.testing.assert_allclose(Reader()(images), softmax(logits, packaged.temperature), rtol=1e-4, atol=1e-6)
    once = softmax(packaged.logits(images), packaged.meta["training"]["glance_temperature"])
    np.testing.assert_allclose(Reader().glance(images), once, rtol=1e-4, atol=1e-6)
    other = Reader(packaged)  # one that isn't the package's own takes one look
    np.testing.assert_array_equal(other(images), other.glance(images))


def test_no_images_no_answers():
    assert Reader()(np.zeros((0, 28, 28), np.uint8)).shape == (0, 11)


def test_a_score_ranks_where_probabilities_are_all_one():
    rows = np.zeros((3, 11), np.float32)
    rows[:, 3] = 1
    rows[:, NO_DIGIT] = [1e-9, 1e-12, 0]
    assert (np.diff(Reader.score(rows)) > 0).all()


def test_an_image_said_to_show_one_digit_is_doubted_less(packaged):
    reader = Reader()
    rows = np.zeros((3, 11), np.float32)
    rows[:, NO_DIGIT] = [0.01, reader.threshold, 0.99]
    rows[:, 4], rows[:, 9] = 0.75 * (1 - rows[:, NO_DIGIT]), 0.25 * (1 - rows[:, NO_DIGIT])
    found = reader.alone(rows)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert found[1, NO_DIGIT] == pytest.approx(0.5, abs=1e-6)
    assert ((found[:, NO_DIGIT] > 0.5) == reader.rejects(rows))[[0, 2]].all()
    np.testing.assert_allclose(found[:, 4] / found[:, 9], 3, rtol=1e-4)


# ---- other models ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def of_ten(tmp_path_factory, small_mnist):
    """A model file of ten outputs, hardly trained."""
    from lenet.train import train

    out = tmp_path_factory.mktemp("model") / "ten.safetensors"
    train("fast", data=small_mnist, epochs=1, out=out, say=lambda text: None)
    return out


def test_a_network_of_ten_outputs_gets_an_eleventh(of_ten, digits):
    trained = Trained.load(of_ten)
    plain = trained.probabilities(digits[0])
    for model in (of_ten, str(of_ten), trained, trained.probabilities):
        found = Reader(model)(digits[0])
        np.testing.assert_allclose(found, with_no_digit(plain), rtol=1e-6)
    np.testing.assert_array_equal(found[:, :10].argmax(axis=1), plain.argmax(axis=1))
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)


def test_the_rule_for_ten_outputs_goes_by_the_likeliest():
    rows = np.full((3, 10), 0.0, np.float32)
    for row, best in zip(rows, (0.999999, 0.9, 0.3), strict=True):
        row[:] = (1 - best) / 9
        row[4] = best
    none = with_no_digit(rows)[:, NO_DIGIT]
    assert none[0] < 0.1 < none[1] < none[2]
    assert none[2] > 0.6
    sure = np.eye(10, dtype=np.float32)[:1]
    assert np.isfinite(with_no_digit(sure)).all()


def test_a_function_of_eleven_is_taken_as_it_is():
    answer = np.full((2, 11), 1 / 11)
    np.testing.assert_allclose(Reader(lambda images: answer)(np.ones((2, 28, 28), np.uint8)), answer, rtol=1e-6)


def test_a_wrong_answer_is_refused():
    images = np.zeros((2, 28, 28), np.uint8)
    with pytest.raises(ValueError, match=r"model: got an answer of shape \[2, 26\], expected \[2, 10\] or \[2, 11\]"):
        Reader(lambda images: np.zeros((2, 26)))(images)


@pytest.mark.parametrize(
    "images", [np.zeros((2, 28, 28)), np.zeros((28, 28), np.uint8), np.zeros((1, 32, 32), np.uint8)]
)
def test_other_images_are_refused(images):
    with pytest.raises(ValueError, match=r"images: got .*, expected an array of uint8 \[N, 28, 28\]"):
        Reader()(images)


def test_a_network_of_other_classes_is_refused(small_mnist):
    names = small_mnist / "train-images-idx3-ubyte", small_mnist / "train-labels-idx1-ubyte"
    images, labels = idx.read_pair(*names)
    few_labels = (labels[:64] % 3).astype(np.int64)
    made = training.Made(images[:64], few_labels, few_labels)
    run = training.run_of(made)
    assert isinstance(run, Run)
    trained = run.trained()
    trained.labels = list("abc")
    with pytest.raises(ValueError, match=r"model: got one from \[1, 28, 28\] to 3 classes"):
        Reader(trained)


def test_a_thing_that_is_no_model_is_refused():
    with pytest.raises(TypeError, match="model: got int 7, expected None, a Trained"):
        Reader(7)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        Reader(tmp_path / "absent.safetensors")


# ---- samples -----------------------------------------------------------------------------------------------------------


def test_samples_come_again(few):
    first, second = (samples.make_samples(few, 300, 5, 2) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(samples.make_samples(few, 300, 5, 3)[0][:50], first[0][:50])


@pytest.mark.parametrize("kind", samples.KINDS)
def test_every_kind_of_sample(few, kind):
    images, labels, kinds = samples.make_samples(few, 120, 1, kinds={kind: 1.0})
    assert len(images) == len(labels) == len(kinds) > 40
    assert images.dtype == np.uint8
    assert images.shape[1:] == (28, 28)
    possible = {"piece": np.arange(11)} | dict.fromkeys(samples.DIGITS, np.arange(10))
    assert np.isin(labels, possible.get(kind, [NO_DIGIT])).all()
    assert kind != "piece" or 0.2 < (labels == NO_DIGIT).mean() < 0.8
    assert (images.max(axis=(1, 2)) >= 100).all()


def test_a_half_is_less(few):
    rng = np.random.default_rng(0)
    pen = samples._pen(few.digits[0], 2, rng)
    for _ in range(20):
        half = samples._half(pen, rng)
        assert not half.size or 0.02 < (half.sum() / pen.sum()) < 0.98


def drawn_run(few: samples.Sources, seed: int) -> tuple[touching.Run, list[np.ndarray], np.random.Generator]:
    rng = np.random.default_rng(seed)
    pens = [samples._pen(image, 2, rng) for image in few.digits[seed : seed + 3]]
    return touching.draw_run(pens, 40.0, rng), pens, rng


def test_a_run_is_its_digits_side_by_side(few):
    joined = 0
    for seed in range(20):
        run, pens, _ = drawn_run(few, seed)
        np.testing.assert_array_equal(run.coverage, np.max(run.owners, axis=0))
        assert [int(own.sum()) for own in run.owners] == [int(pen.sum()) for pen in pens]
        starts = [int(np.flatnonzero(own.any(axis=0))[0]) for own in run.owners]
        assert starts == sorted(starts)
        joined += cv2.connectedComponents((run.coverage > 128).astype(np.uint8))[0] == 2  # the ground is one of them
    assert joined > 8  # of 20; a digit may have two parts of its own, and some neighbours don't quite touch


def test_pieces_are_what_they_are_said_to_be(few):
    right = wrong = 0
    for seed in range(20):
        run, _, rng = drawn_run(few, seed)
        level = cv2.copyMakeBorder(run.coverage, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        h, w = run.coverage.shape
        for crop, which in touching.true_pieces(Shape((0, 0, w, h), level, h * w), run, rng):
            ink, owners = float(crop.sum()), [float(own.sum()) for own in run.owners]
            if which < 0:
                wrong += 1
            else:
                right += 1
                assert 0.8 * owners[which] < ink < 1.35 * owners[which]  # a bit more or less, and shared edges
    assert right > 20
    assert wrong > 20


def test_a_stroke_is_told_from_a_bow():
    line = cv2.line(np.zeros((40, 30), np.uint8), (5, 35), (20, 4), 1, 4) > 0
    bow = cv2.ellipse(np.zeros((40, 30), np.uint8), (15, 20), (12, 15), 0, 90, 270, 1, 4) > 0
    assert touching._is_stroke(line)
    assert not touching._is_stroke(bow)


def test_another_font_has_much_the_same_ink(few):
    rng = np.random.default_rng(1)
    glyph = few.letters[0]
    for _ in range(20):
        other = samples._another_font(glyph, rng)
        assert 0.3 < other.sum() / glyph.sum() < 3
        assert not np.array_equal(other, glyph)


def test_missing_fonts_name_their_packages(monkeypatch):
    monkeypatch.setattr(training, "FONTS", {"fonts-nowhere": ["truetype/nowhere.ttf"]})
    with pytest.raises(FileNotFoundError, match="apt install fonts-nowhere"):
        training.font_paths(training.FONTS)


def made_of(labels: np.ndarray, images: np.ndarray) -> training.Made:
    kinds = np.where(labels < NO_DIGIT, 0, list(samples.KINDS).index("letter"))
    return training.Made(images, labels.astype(np.int64), kinds)


def test_answers_turn_to_the_share_of_others_that_is_met(digits):
    labels = np.where(np.arange(len(digits[1])) % 2 == 0, NO_DIGIT, digits[1])
    run = training.run_of(made_of(labels, digits[0]), training.RECIPE._replace(average=0.0))
    before = run.trained().logits(digits[0])
    training.train_with_fewer_negatives(run)
    moved = run.trained().logits(digits[0]) - before
    expected = np.zeros(11)
    expected[NO_DIGIT] = np.log(training.OTHERS / (1 - training.OTHERS))  # the samples' odds are 1
    np.testing.assert_allclose(moved, np.tile(expected, (len(moved), 1)), atol=1e-5)  # float32
    met = training.with_fewer_negatives(made_of(labels, digits[0]))
    assert (met.labels == NO_DIGIT).mean() == pytest.approx(training.OTHERS, abs=0.003)  # whole images


def test_the_threshold_makes_the_fewest_mistakes(packaged, digits, few):
    forms, labels, _ = samples.make_samples(few, 300, 7, kinds={"scribble": 1.0})
    images = np.concatenate([digit_forms(list(digits[0])), forms])
    held = made_of(np.concatenate([digits[1], labels]), images)
    none = packaged.probabilities(images)[:, NO_DIGIT]
    digit = held.labels < NO_DIGIT

    def mistakes(threshold: float) -> float:
        lost, let_pass = (none[digit] > threshold).mean(), (none[~digit] <= threshold).mean()
        return (1 - training.NOT_ONE) * lost + training.NOT_ONE / 8 * let_pass  # there is one of eight kinds

    found = training.threshold_of(packaged, held)
    assert 0 < found < 1
    assert mistakes(found) <= min(mistakes(t) for t in np.linspace(0.001, 0.999, 400)) + 1e-12


def test_the_reader_is_light():
    """Loading the weights takes nothing that reads images or trains."""
    code = (
        "import sys, lenet.reading.weights.reader as r; r.Reader(); "
        "print([m for m in ('cv2', 'PIL', 'matplotlib', 'typer', 'lenet.reading.weights.training') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
