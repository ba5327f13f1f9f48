"""A run that is stopped goes on to the bits of one that wasn't; and refuses to go on as something else."""

from __future__ import annotations

import os

import numpy as np
import pytest

import lenet
from lenet.data.augment import Augmentation
from lenet.modelfile import serialization
from lenet.train import RECIPES, Interrupted, Trained, train
from lenet.train import files as train_files
from lenet.vision.datasets import ArrayDataset

OPTIONS = {"recipe": "fast", "epochs": 3, "seed": 4}


@pytest.fixture(autouse=True)
def _as_before():
    threads = lenet.get_num_threads()
    yield
    lenet.set_num_threads(threads)


def quiet(_text: str) -> None:
    pass


def after(polls: int):
    """A ``stop`` that says yes when asked for the (polls + 1)th time: each time is up to sixteen steps later."""
    asked = iter(range(polls))
    return lambda: next(asked, None) is None


def run(folder, out, **options):
    return train(**({"data": folder, "out": out, "say": quiet} | OPTIONS | options))


def interrupted(folder, out, polls, **options):
    with pytest.raises(Interrupted) as caught:
        run(folder, out, stop=after(polls), **options)
    return caught.value


@pytest.fixture(scope="module")
def whole(small_mnist, tmp_path_factory):
    """The same run without a break."""
    return run(small_mnist, tmp_path_factory.mktemp("whole") / "m.safetensors")


# An epoch has 35 steps, so three polls: stopped in the middle of an epoch, at its end, and in the last one.
@pytest.mark.parametrize("polls", [1, 2, 3, 5, 8])
def test_going_on_gives_the_same_bits_and_the_same_record(small_mnist, tmp_path, whole, polls):
    out = tmp_path / "m.safetensors"
    stopped = interrupted(small_mnist, out, polls)
    assert (stopped.out, stopped.resume_file) == (str(out), f"{out}.resume.safetensors")
    assert sorted(os.listdir(tmp_path)) == ["m.safetensors", "m.safetensors.resume.safetensors"]
    lenet.seed(99)  # whatever happens in between
    lenet.rand([3])
    said: list[str] = []
    result = train(data=small_mnist, out=out, resume=True, say=said.append)
    assert result.digest == whole.digest
    assert os.listdir(tmp_path) == ["m.safetensors"]
    assert result.record["curve"] == whole.record["curve"]
    assert result.record["held_out_curve"] == whole.record["held_out_curve"]
    for key in ("recipe", "seed", "epochs", "batch_size", "steps", "steps_done", "complete", "test", "held_out"):
        assert result.record[key] == whole.record[key], key
    assert any(line.startswith(f"going on after epoch {polls // 3 + 1}, step {polls % 3 * 16} of 35") for line in said)
    assert not any("earlier model" in line for line in said)


def test_the_model_so_far_can_be_used(small_mnist, tmp_path):
    out = tmp_path / "m.safetensors"
    interrupted(small_mnist, out, 4)
    model = Trained.load(out)
    training = model.meta["training"]
    assert (training["complete"], training["steps_done"], training["test"]) == (False, 35 + 16, None)
    weights = {n: a for n, a in serialization.read_model(f"{out}.resume.safetensors")[0].items() if "/" not in n}
    assert serialization.digest(weights) == model.digest
    with pytest.raises(ValueError, match="the state of an interrupted run, expected a model"):
        Trained.load(f"{out}.resume.safetensors")


def test_stopped_twice_with_other_threads(small_mnist, tmp_path, whole):
    out = tmp_path / "m.safetensors"
    interrupted(small_mnist, out, 2, threads=1)
    interrupted(small_mnist, out, 3, threads=2, resume=True)
    result = run(small_mnist, out, resume=True, threads=1)
    assert result.digest == whole.digest
    assert result.record["curve"] == whole.record["curve"]
    assert result.record["held_out_curve"] == whole.record["held_out_curve"]


def test_the_tutorial_goes_on_too(small_mnist, tmp_path):
    straight = run(small_mnist, tmp_path / "a.safetensors", recipe="tutorial")
    interrupted(small_mnist, tmp_path / "b.safetensors", 4, recipe="tutorial")
    assert run(small_mnist, tmp_path / "b.safetensors", recipe="tutorial", resume=True).digest == straight.digest


def test_an_average_goes_on_too(small_mnist, tmp_path):
    """Warps and a running average of the weights, stopped in the second epoch; other threads each time."""
    recipe = RECIPES["fast"]._replace(augment=Augmentation(1, 10, 0.1, 0.1), average=0.99)
    straight = run(small_mnist, tmp_path / "a.safetensors", recipe=recipe, threads=1)
    interrupted(small_mnist, tmp_path / "b.safetensors", 4, recipe=recipe, threads=2)
    result = run(small_mnist, tmp_path / "b.safetensors", recipe=recipe, resume=True, threads=1)
    assert result.digest == straight.digest
    plain = run(small_mnist, tmp_path / "c.safetensors", recipe=recipe._replace(average=0.0))
    assert plain.digest != straight.digest


def test_arrays_go_on_when_given_again(tmp_path):
    rng = np.random.RandomState(0)
    images, labels = rng.randint(0, 256, (300, 28, 28)).astype(np.uint8), rng.randint(0, 10, 300)
    images[:, 0] = images[:, -1] = images[:, :, 0] = images[:, :, -1] = 0
    pair = (ArrayDataset(images, labels), ArrayDataset(images[:50], labels[:50]))
    out = tmp_path / "m.safetensors"
    straight = train("fast", pair, out=tmp_path / "a.safetensors", epochs=8, say=quiet)
    with pytest.raises(Interrupted):
        train("fast", pair, out=out, epochs=8, stop=after(2), say=quiet)
    with pytest.raises(ValueError, match="expected the same arrays as dataset"):
        train(out=out, resume=True, say=quiet)
    assert train(dataset=pair, out=out, resume=True, say=quiet).digest == straight.digest


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"recipe": "tutorial"}, "resume, recipe: got tutorial, expected fast, as the run was begun"),
        ({"recipe": RECIPES["fast"]._replace(rate=0.1)}, "resume, recipe: got fast"),
        ({"seed": 5}, "resume, seed: got 5, expected 4"),
        ({"epochs": 4}, "resume, epochs: got 4, expected 3"),
        ({"batch_size": 32}, "resume, batch size: got 32, expected 64"),
        ({"held_out": 0.25}, "resume, held out: got 0.25, expected 0.08"),
    ],
)
def test_another_request_is_refused(small_mnist, tmp_path, options, text):
    out = tmp_path / "m.safetensors"
    interrupted(small_mnist, out, 1)
    before = {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        run(small_mnist, out, resume=True, **options)
    assert text in str(caught.value)
    assert {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)} == before


def test_other_images_are_refused(small_mnist, mnist_dir, tmp_path):
    out = tmp_path / "m.safetensors"
    interrupted(small_mnist, out, 1)
    with pytest.raises(ValueError, match="resume, dataset: got other images"):
        train(dataset="mnist", data=mnist_dir, out=out, resume=True, say=quiet)


def test_nothing_to_go_on_from(tmp_path):
    with pytest.raises(FileNotFoundError, match="Leave --resume out to start anew"):
        train(out=tmp_path / "m.safetensors", resume=True, say=quiet)


def test_damaged_states(small_mnist, tmp_path):
    out = tmp_path / "m.safetensors"
    stopped = interrupted(small_mnist, out, 1)
    arrays, meta = serialization.read_model(stopped.resume_file)
    about = meta["resume"]

    def refused(arrays, about, text):
        serialization.write_model(stopped.resume_file, arrays, {"resume": about} if about is not None else {})
        with pytest.raises(ValueError, match=text):
            train(data=small_mnist, out=out, resume=True, say=quiet)

    refused(arrays, None, "a file without a run's state")
    refused(arrays, {key: value for key, value in about.items() if key != "seed"}, "a damaged state")
    refused(arrays, about | {"recipe": {"name": "fast"}}, "a damaged state")
    refused(arrays, about | {"position": about["position"] | {"epoch": 7}}, "epoch 7, step 16")
    refused(arrays, about | {"position": about["position"] | {"random": "x"}}, "a damaged state")
    lacking = {name: array for name, array in arrays.items() if name != "conv1.bias"}
    refused(lacking, about, "a damaged state .*conv1.bias")


def test_another_machine_is_mentioned(small_mnist, tmp_path, monkeypatch):
    from lenet.train import record

    out = tmp_path / "m.safetensors"
    interrupted(small_mnist, out, 1)
    now = record.machine()
    monkeypatch.setattr(record, "machine", lambda: now | {"level": "neon"})
    said: list[str] = []
    run(small_mnist, out, resume=True, say=said.append)
    assert any("the weights may differ in their last bits" in line for line in said)


def test_starting_anew_moves_an_interrupted_run_aside(small_mnist, tmp_path, whole):
    out = tmp_path / "m.safetensors"
    interrupted(small_mnist, out, 4)
    digest = serialization.digest(serialization.read_model(out)[0])
    said: list[str] = []
    run(small_mnist, out, epochs=1, say=said.append)
    aside = tmp_path / f"m.{digest[:8]}.safetensors"
    assert sorted(os.listdir(tmp_path)) == sorted([out.name, aside.name, aside.name + ".resume.safetensors"])
    assert sum(str(aside) in line for line in said) == 2
    assert run(small_mnist, aside, resume=True).digest == whole.digest
    assert sorted(os.listdir(tmp_path)) == sorted([out.name, aside.name])


def test_a_damaged_state_is_moved_aside_as_well(small_mnist, tmp_path):
    out = tmp_path / "m.safetensors"
    path = train_files.resume_path(str(out))
    with open(path, "w") as file:
        file.write("not a state")
    run(small_mnist, out, epochs=1)
    assert sorted(os.listdir(tmp_path)) == ["m.damaged.safetensors.resume.safetensors", "m.safetensors"]
