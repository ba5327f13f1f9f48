"""Any network on any small images: trained, calibrated, reported, compared and used from the command line alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command import run
from PIL import Image

import lenet
from lenet import nn
from lenet.train import RECIPES, Trained, train
from lenet.train.loop import Run
from lenet.train.networks import network_named
from lenet.vision.datasets import ArrayDataset

pytestmark = pytest.mark.usefixtures("command_line")

NET = """
from lenet import nn

class Net(nn.Layer):
    '''A block with a way around, and a second class that doesn't fit.'''

    def __init__(self, num_classes, channels):
        super().__init__()
        self.conv, self.norm = nn.Conv2D(channels, 8, 3, padding=1), nn.BatchNorm2D(8)
        self.again, self.out = nn.Conv2D(8, 8, 3, padding=1), nn.Linear(8, num_classes)

    def forward(self, x):
        x = nn.functional.relu(self.norm(self.conv(x)))
        x = nn.functional.relu(self.again(x)) + x
        return self.out(x.mean([2, 3]))

class Peeking(Net):
    def forward(self, x):
        return super().forward(x) * float(x.mean())

class Narrow(Net):
    def __init__(self):
        super().__init__(7, 3)

class Demanding(Net):
    def __init__(self, width):
        super().__init__(width, 3)

number = 3
"""
COLOURS = {"amber": (250, 190, 10), "blue": (20, 40, 230), "green": (30, 200, 60)}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of three classes that only their colour tells apart, as bright as one another; 12 x 18 pixels."""
    root, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (root / name).mkdir()
        for i in range(60):
            image = rng.integers(0, 50, (12, 18, 3)).astype(np.uint8)
            image[3:9, 4:14] = np.clip(np.array(colour) + rng.integers(-20, 20, (6, 10, 3)), 0, 255)
            Image.fromarray(image).save(root / name / f"{i}.png")
    return root


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.py"
    path.write_text(NET)
    return path


def test_from_a_folder_of_colour_pictures_to_answers(pictures, net, tmp_path):
    out, more = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    asked = ["--dataset", pictures, "--size", "12x16", "--colour", "--network", f"{net}:Net"]
    done = run(
        "train", *asked, "--epochs", 30, "--batch-size", 16, "--held-out", 0.25, "--out", out, "--no-run", "--json"
    )
    assert done.exit_code == 0, done.stderr
    assert f"network {net}:Net" in done.stderr
    assert "step by step in Python" not in done.stderr
    found = json.loads(done.stdout)
    assert found["test"]["accuracy"] == 1
    assert found["training"]["network"] == f"{net}:Net"
    trained = Trained.load(out)
    assert trained.shape == (3, 12, 16)
    shown = run("evaluate", out, "--report", tmp_path / "r.html", "--json")
    assert shown.exit_code == 0, shown.stderr
    assert json.loads(shown.stdout)["test"]["accuracy"] == 1
    assert (tmp_path / "r.html").stat().st_size > 20_000
    answers = run("predict", pictures / "blue" / "3.png", pictures / "amber" / "3.png", "--model", out, "--json")
    assert [one["label"] for one in json.loads(answers.stdout)["results"]] == ["blue", "amber"]
    assert answers.stderr == ""
    run("train", *asked[:5], "--epochs", 1, "--out", more, "--no-run")  # the recipe's own network
    compared = run("compare", out, more)
    assert compared.exit_code == 0, compared.stderr
    assert str(out) in compared.stdout
    info = run("info", out).stdout
    assert f"recipe     small, network {net}:Net" in info
    assert "norm._variance [8]" in info


@pytest.mark.parametrize(
    ("network", "options", "text"),
    [
        ("Peeking", [], "reads a tensor's values (net.py, line 19), expected operations of the table"),
        ("Narrow", [], "an output of shape [1, 7], expected [N, 3], one a class"),
        ("Demanding", [], "one that needs width, expected a class or function that needs at most num_classes"),
        ("number", [], "got no number in"),
        ("Missing", [], "expected one of Net, Peeking, Narrow, Demanding"),
        ("Net", ["--size", "0"], "size: got 0"),
        ("Net", ["--size", "12x16x3"], "--size: got '12x16x3'"),
        ("Net", ["--size", "5000"], "size: got 5000, expected at most 512 pixels"),
    ],
)
def test_networks_and_sizes_that_cant_be(pictures, net, tmp_path, network, options, text):
    out = tmp_path / "m.safetensors"
    asked = ["--dataset", pictures, "--network", f"{net}:{network}", "--out", out, "--no-run"]
    done = run("train", *asked, "--size", "12x16", "--colour", *options)
    assert done.exit_code == 2
    assert text in done.stderr
    assert len(done.stderr.splitlines()[-1]) <= 320
    assert not out.exists()


@pytest.mark.parametrize(
    ("given", "kind", "text"),
    [
        (
            "lenet5",
            ValueError,
            "network: got 'lenet5', expected one of lenet, lenet_wide, tiny, vgg_small, resnet20, resnet32, or FILE.py:NAME",
        ),
        ("missing.py:Net", FileNotFoundError, "missing.py, which does not exist"),
        (3, TypeError, "network: got int 3"),
        (nn.Linear(2, 2), TypeError, "a Linear that is made already"),
    ],
)
def test_what_is_no_network(given, kind, text):
    with pytest.raises(kind) as caught:
        network_named(given)
    assert text in str(caught.value)


def test_a_file_that_fails_names_its_line(tmp_path):
    (tmp_path / "broken.py").write_text("x = 1\ny = x / 0\n")
    with pytest.raises(ValueError, match=r"broken\.py, where line 2 raises ZeroDivisionError: division by zero"):
        network_named(f"{tmp_path / 'broken.py'}:Net")
    (tmp_path / "odd.py").write_text("x = (\n")
    with pytest.raises(ValueError, match=r"odd\.py, where line 1 raises SyntaxError"):
        network_named(f"{tmp_path / 'odd.py'}:Net")


def test_size_and_colour_belong_to_folders(small_mnist):
    done = run("train", "--data", small_mnist, "--colour", "--no-run")
    assert done.exit_code == 2
    assert "--size or --colour for images that have a size already" in done.stderr


class Eagerly(nn.Layer):
    """Nothing that a plan has: a network trained step by step in Python."""

    def __init__(self, num_classes=10):
        super().__init__()
        self.out = nn.Linear(28 * 28, num_classes)

    def forward(self, x):
        return self.out(lenet.clip(x, -1, 1).flatten(1)) + 0


class Planned(Eagerly):
    """The same numbers, by operations that a plan has."""

    def forward(self, x):
        return self.out(x.flatten(1))


def arrays(count=64):
    rng = np.random.default_rng(1)
    labels = np.arange(count) % 10
    images = rng.integers(0, 60, (count, 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2 * label + 2 : 2 * label + 5, 4:24] = 250
    data = ArrayDataset(images, labels, classes=list("0123456789"))
    return data, ArrayDataset(images[:20], labels[:20], classes=list("0123456789"))


@pytest.mark.parametrize("recipe", ["fast", "best"])
def test_step_by_step_in_python_gives_what_a_plan_gives(recipe):
    """Augmented, with the rates of the schedule and averaged weights; the same within rounding."""
    chosen = RECIPES[recipe]._replace(epochs=3, batch_size=24)
    data = lenet.train.data.load(arrays())
    runs = [Run(chosen, data, 0, network_named(kind)) for kind in (Eagerly, Planned)]
    assert [run.plan_reason is None for run in runs] == [False, True]
    for run_ in runs:
        while not run_.done:
            run_.advance()
    eager, planned = (run_.weights() for run_ in runs)
    for name, values in planned.items():
        np.testing.assert_allclose(eager[name], values, rtol=2e-4, atol=2e-6)
    np.testing.assert_allclose(runs[0].curve, runs[1].curve, rtol=1e-4)


def test_an_interrupted_run_in_python_goes_on_to_the_same_bits(tmp_path):
    asked = {"network": Eagerly, "epochs": 3, "batch_size": 16, "say": lambda _: None}
    whole = train("best", arrays(), out=tmp_path / "whole.safetensors", **asked)
    calls = iter(range(1000))
    out = tmp_path / "m.safetensors"
    with pytest.raises(lenet.train.Interrupted):
        train("best", arrays(), out=out, stop=lambda: next(calls) == 2, **asked)
    again = train("best", arrays(), out=out, resume=True, network=Eagerly, say=lambda _: None)
    assert again.digest == whole.digest


def test_going_on_with_another_network_is_refused(tmp_path):
    out = tmp_path / "m.safetensors"
    with pytest.raises(lenet.train.Interrupted):
        train("fast", arrays(), out=out, network=Eagerly, stop=lambda: True, say=lambda _: None)
    with pytest.raises(ValueError, match="resume, network: got Planned, expected Eagerly, as the run was begun"):
        train("fast", arrays(), out=out, network=Planned, resume=True, say=lambda _: None)


def test_images_are_mirrored_for_a_share_of_samples():
    from lenet.data import augment

    m = augment.matrices(augment.Augmentation(mirror=0.5), (4, 6), 0, 0, np.arange(400))
    image = np.arange(24, dtype=np.float32).reshape(1, 4, 6)
    turned = [bool(np.array_equal(augment.warped(image, one[None], 0.0), image[:, :, ::-1])) for one in m]
    same = [bool(np.array_equal(augment.warped(image, one[None], 0.0), image)) for one in m]
    assert all(a != b for a, b in zip(turned, same, strict=True))
    assert 150 < sum(turned) < 250


def test_a_model_of_the_package_can_be_saved_and_read(tmp_path):
    lenet.seed(0)
    net = lenet.vision.models.resnet20(num_classes=3)
    trained = Trained(net, (3, 16, 16), ["a", "b", "c"], 127.5, 127.5)
    path: Path = tmp_path / "r.safetensors"
    trained.save(path)
    images = np.random.default_rng(0).integers(0, 256, (5, 3, 16, 16)).astype(np.uint8)
    np.testing.assert_array_equal(Trained.load(path).logits(images), trained.logits(images))


@pytest.mark.parametrize("network", [None, Eagerly])
def test_a_run_stopped_before_its_first_step_goes_on(tmp_path, network):
    asked = {"network": network, "epochs": 2, "batch_size": 16, "say": lambda _: None}
    whole = train("fast", arrays(), out=tmp_path / "whole.safetensors", **asked)
    out = tmp_path / "m.safetensors"
    with pytest.raises(lenet.train.Interrupted):
        train("fast", arrays(), out=out, stop=lambda: True, **asked)
    again = train("fast", arrays(), out=out, resume=True, network=network, say=lambda _: None)
    assert again.digest == whole.digest
