"""``lenet show``: what it draws where, and one line for every wrong use."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from lenet.cli import show as command
from lenet.cli.app import app
from lenet.data import idx


@pytest.fixture(autouse=True)
def _without_a_display(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "COLORTERM", "MPLBACKEND", "LENET_DEBUG"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments: object):
    return CliRunner().invoke(app, ["show", *map(str, arguments)], prog_name="lenet")


def test_without_a_display_a_picture_is_written_and_no_earlier_one_is_lost(small_mnist, tmp_path):
    first, second = run("--data", small_mnist), run("--data", small_mnist, "--mode", "test", "--count", 3)
    assert first.stdout == "40 of 2,400 training images: written to lenet-show.png\n"
    assert second.stdout == "3 of 500 test images: written to lenet-show-2.png\n"
    assert "MNIST from" in first.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lenet-show-2.png", "lenet-show.png"]
    with Image.open("lenet-show.png") as one, Image.open("lenet-show-2.png") as two:
        assert one.width > two.width


def test_out_replaces_and_says_so(small_mnist, tmp_path):
    arguments = ("--data", small_mnist, "--counts", "--out", "c.svg")
    assert run(*arguments).stdout == "2,400 training images by class: written to c.svg\n"
    assert run(*arguments).stdout.endswith("written to c.svg, replacing the file that was there\n")
    assert b"<svg" in (tmp_path / "c.svg").read_bytes()


def test_augmented(small_mnist):
    result = run("--data", small_mnist, "--augment", "best", "--out", "a.png")
    assert result.stdout == "20 of 2,400 training images, augmented as by best: written to a.png\n"


def test_the_terminal_shows_the_very_pixels(small_mnist):
    result = run("--data", small_mnist, "--terminal", "--count", 1)
    name, *drawn = result.stdout.rstrip("\n").split("\n")
    labels = idx.labels(idx.read(small_mnist / "train-labels-idx1-ubyte"), "labels")
    images = idx.images(idx.read(small_mnist / "train-images-idx3-ubyte"), "images")
    at = int(command._images.drawn(2400, 1, 0)[0])
    assert name == str(labels[at])
    expected = command.plots.terminal(images[at], colour=False).split("\n")
    assert [line.rstrip() for line in drawn] == [line.rstrip() for line in expected][: len(drawn)]
    assert all(not line.strip() for line in expected[len(drawn) :])


def test_the_terminal_fits_as_many_side_by_side_as_it_is_wide(small_mnist):
    lines = run("--data", small_mnist, "--terminal").stdout.split("\n")
    assert len(lines[0].split()) == 3  # 28 + 2 + 28 + 2 + 28 of 100 columns
    assert max(map(len, lines)) <= 100
    assert sum(line.strip().replace(" ", "").isdigit() for line in lines) == 2  # two rows
    above, below = (
        run("--data", small_mnist, "--terminal", "--count", 1, *more).stdout for more in ((), ("--augment", "best"))
    )
    assert below.startswith(above.rstrip("\n"))
    assert below.count("\n") > above.count("\n")


def test_counts_in_the_terminal(small_mnist):
    labels = idx.labels(idx.read(small_mnist / "train-labels-idx1-ubyte"), "labels")
    rows = [line.split() for line in run("--data", small_mnist, "--terminal", "--counts").stdout.splitlines()]
    assert [(row[0], int(row[1])) for row in rows] == [(str(c), n) for c, n in enumerate(np.bincount(labels))]
    assert max(len(row[2]) for row in rows) == 100 - 1 - 3 - 4


def test_with_a_display_a_window_opens_with_the_figure(small_mnist, monkeypatch, tmp_path):
    from matplotlib import pyplot

    shown = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(pyplot, "show", lambda block: shown.append(pyplot.gcf()))
    pyplot.switch_backend("agg")
    monkeypatch.setattr("matplotlib.backend_bases.FigureCanvasBase.required_interactive_framework", "test")
    result = run("--data", small_mnist, "--count", 3)
    pyplot.close("all")
    assert (result.exit_code, result.stdout) == (0, "")
    assert len(shown[0].axes[0].get_images()) == 3
    assert not list(tmp_path.iterdir())


def test_a_display_that_opens_no_window_leads_to_a_file(small_mnist, monkeypatch):
    from matplotlib import pyplot

    pyplot.switch_backend("agg")
    monkeypatch.setenv("DISPLAY", ":0")
    assert run("--data", small_mnist, "--count", 3).stdout.endswith("written to lenet-show.png\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "dataset: got 'nothing'"),
        (["--mode", "both"], "mode: got 'both', expected one of 'train', 'test'"),
        (["--count", "0"], "count: got 0"),
        (["--seed", "-1"], "seed: got -1"),
        (["--augment", "slow"], "recipe: got 'slow'"),
        (["--augment", "tutorial"], "a recipe that moves no image, expected fast or best"),
        (["--counts", "--augment", "best"], "--counts and --augment, expected one of the two"),
        (["--terminal", "--out", "a.png"], "--terminal and --out, expected one of the two"),
        (["--out", "a.gif"], "one that ends in .png, .svg or .pdf. Type a.png"),
        (["--data", "nowhere"], "nowhere"),
    ],
)
def test_wrong_use_is_one_line_and_two(arguments, words, small_mnist, tmp_path):
    known = [] if "nothing" in arguments or "--data" in arguments else ["--data", small_mnist]
    result = run(*arguments, *known)
    assert (result.exit_code, result.stdout) == (2, "")
    last = result.stderr.splitlines()[-1]
    assert last.startswith("lenet: ")
    assert words in last
    assert not list(tmp_path.iterdir())


def test_without_matplotlib(small_mnist, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = run("--data", small_mnist)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].endswith(
        "Type pip install '.[plots]' in lenet's checkout, or pip install matplotlib"
    )
    assert run("--data", small_mnist, "--terminal").exit_code == 0  # that needs none
