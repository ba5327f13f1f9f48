"""The figures: that they draw the numbers they were given, that their text can be read, and that they leave no trace."""

from __future__ import annotations

import itertools
import pickle
import re
import subprocess
import sys
import warnings

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from lenet import evaluation, plots
from lenet.data import augment
from lenet.data.augment import Augmentation
from lenet.plots import _images, _style
from lenet.train import RECIPES
from lenet.vision.datasets import MNIST

NASTY = ["$x$", "a_b^c", "数字", "b\x07ell\nline", "<script>", "#0072b2", "", "w" * 300, "\udcff", "\\alpha$"]


def answers(classes: int, n: int = 600, seed: int = 0, sharpness: float = 3.0):
    """Probabilities float64 [n, K] that are right more often than not, and labels int64 [n]."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), rng.integers(0, classes, n)])
    logits = rng.normal(size=(len(labels), classes))
    logits[np.arange(len(labels)), labels] += 2
    return evaluation.softmax(logits, 1 / sharpness), labels


def measured(classes: int | list[str], **settings):
    names = [str(at) for at in range(classes)] if isinstance(classes, int) else classes
    return evaluation.evaluate(*answers(len(names), **settings), names)


def texts(figure):
    """The visible texts of a drawn figure with their boxes in pixels."""
    canvas = FigureCanvasAgg(figure)
    with _style.look():
        canvas.draw()
    found = []
    for text in figure.findobj(matplotlib.text.Text):
        box = text.get_window_extent(canvas.get_renderer())
        if text.get_visible() and text.get_text().strip() and box.width > 0:
            found.append((text.get_text(), box))
    return found


def readable(figure) -> None:
    """No text leaves the figure, and no two overlap."""
    # ticks beyond the axes' ends exist, undrawn: outside their axes they are not looked at
    drawn = texts(figure)
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in itertools.chain(axis.get_major_ticks(), axis.get_minor_ticks()):
                if not low - 1e-9 <= tick.get_loc() <= high + 1e-9:
                    box = tick.label1.get_window_extent()
                    drawn = [(t, b) for t, b in drawn if t != tick.label1.get_text() or not np.allclose(b, box)]
    width, height = figure.bbox.width, figure.bbox.height
    for text, box in drawn:
        assert box.x0 >= -1, (text, box)
        assert box.y0 >= -1, (text, box)
        assert box.x1 <= width + 1, (text, box)
        assert box.y1 <= height + 1, (text, box)
    for (one, a), (two, b) in itertools.combinations(drawn, 2):
        across, down = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across < 1.5 or down < 1.5, f"{one!r} overlaps {two!r}"


@pytest.fixture(scope="module")
def digits():
    """600 random 28 x 28 images and labels, of ten classes."""
    rng = np.random.default_rng(5)
    return rng.integers(0, 256, (600, 1, 28, 28), np.uint8), rng.integers(0, 10, 600)


# ---- grids -------------------------------------------------------------------------------------------------------------


def drawn_images(figure):
    return [np.asarray(image.get_array()) for image in figure.axes[0].get_images()]


def test_samples_shows_the_images_with_their_own_labels(digits):
    images, labels = digits
    classes = [f"class {at}" for at in range(10)]
    figure = plots.samples(images, labels, classes, 25, seed=3)
    shown = drawn_images(figure)
    assert len(shown) == 25
    at = [int(np.flatnonzero((images[:, 0] == image).all(axis=(1, 2)))[0]) for image in shown]
    assert len(set(at)) == 25
    assert at == sorted(at)
    assert [text for text, _ in texts(figure)] == [classes[labels[i]] for i in at]
    readable(figure)
    again = drawn_images(plots.samples(images, labels, classes, 25, seed=3))
    assert all((a == b).all() for a, b in zip(shown, again, strict=True))
    other = drawn_images(plots.samples(images, labels, classes, 25, seed=4))
    assert not all((a == b).all() for a, b in zip(shown, other, strict=True))


def test_fewer_images_than_asked_for_are_all_shown(digits):
    shown = drawn_images(plots.samples(digits[0][:7], digits[1][:7], list("0123456789"), 40))
    assert (np.stack(shown) == digits[0][:7, 0]).all()


def test_every_pixel_takes_the_same_number_of_screen_pixels(digits):
    figure = plots.pictures(digits[0][:3], ["", "", ""])
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    screen = np.asarray(canvas.buffer_rgba())[:, :, 0]
    left, right, bottom, top = (round(v) for v in figure.axes[0].get_images()[1].get_extent())
    shown = screen[top:bottom, left:right].astype(int)
    assert shown.shape == (3 * 28, 3 * 28)
    # by one grey level at most: matplotlib takes greys through float32 and a table of 256
    assert abs(shown - np.kron(digits[0][1, 0], np.ones((3, 3), int))).max() <= 1


def test_coloured_images_and_captions_of_several_lines():
    images = np.random.default_rng(0).integers(0, 256, (12, 3, 20, 32), np.uint8)
    figure = plots.pictures(images, [f"one\ntwo {at}" for at in range(12)])
    assert (drawn_images(figure)[11] == images[11].transpose(1, 2, 0)).all()
    readable(figure)


def test_captions_may_have_a_colour_a_line_and_the_grid_a_title(digits):
    figure = plots.pictures(digits[0][:2], ["is 1\nA: 7", "is 2"], colours=[["k", "r"], ["b"]], title="one\n$two$")
    found = {text.get_text(): text.get_color() for text in figure.axes[0].texts}
    assert found == {"one": _style.INK, "$two$": _style.INK, "is 1": "k", "A: 7": "r", "is 2": "b"}
    readable(figure)


def test_captions_wider_than_the_image_are_cut(digits):
    readable(plots.pictures(digits[0][:10], NASTY))
    assert max(len(text) for text, _ in texts(plots.pictures(digits[0][:10], NASTY))) <= 14


@pytest.mark.parametrize("how", [Augmentation(shift=2), RECIPES["best"].augment])
def test_augmented_shows_each_image_above_what_the_engine_makes_of_it(digits, how):
    images = digits[0][:13]
    figure = plots.augmented(images, how, seed=7)
    m = augment.matrices(how, (28, 28), 7, 0, np.arange(13))
    expected = np.rint(augment.warped(images[:, 0].astype(np.float32), m, 0.0))
    for pair, image, moved in zip(drawn_images(figure), images[:, 0], expected, strict=True):
        assert (pair[:28] == image).all()
        assert (pair[-28:] == moved).all()
    readable(figure)


# ---- charts ------------------------------------------------------------------------------------------------------------


def test_class_counts_are_the_bars():
    labels = np.array([0, 2, 2, 2, 4])
    figure = plots.class_counts(labels, list("abcde"))
    assert [bar.get_width() for bar in figure.axes[0].patches] == [1, 0, 3, 0, 1]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == list("abcde")
    readable(figure)


def test_of_many_classes_the_smallest_are_shown():
    labels = np.repeat(np.arange(100), np.arange(100, 0, -1))
    figure = plots.class_counts(labels, [str(at) for at in range(100)])
    assert sorted(bar.get_width() for bar in figure.axes[0].patches) == list(range(1, 61))
    assert "the 60 smallest of 100" in figure.axes[0].get_title("left")


def test_confusion_has_each_count_at_its_place():
    found = measured(10)
    axes = plots.confusion(found).axes[0]
    written = np.zeros((10, 10), int)
    for text in axes.texts:
        x, y = text.get_position()
        written[int(y), int(x)] = int(text.get_text())
    assert (written == found.confusion).all()
    assert axes.get_ylim() == (9.5, -0.5)  # the first class on top


def test_of_many_classes_the_confusion_shows_those_with_the_most_mistakes():
    classes = [f"c{at}" for at in range(70)]
    labels = np.arange(140) % 70
    answer = np.where(labels < 30, (labels + 1) % 30, labels)
    found = evaluation.evaluate(np.eye(70)[answer], labels, classes)
    names = [label.get_text() for label in plots.confusion(found).axes[0].get_yticklabels()]
    assert names[:30] == classes[:30]
    assert len(names) == 40


def test_reliability_draws_the_bins_with_their_intervals():
    after, before = measured(10), measured(10, sharpness=0.5)
    axes = plots.reliability(after, before).axes[0]
    bars = {c.get_label(): c for c in axes.containers}
    assert set(bars) == {"before", "after calibration"}
    hollow = {line.get_color(): line for line in axes.lines if line.get_markerfacecolor() == _style.PAPER}
    for name, found in (("before", before), ("after calibration", after)):
        line, _, (reach,) = bars[name].lines
        inner = (found.reliability.accuracy > 0) & (found.reliability.accuracy < 1)
        assert line.get_markevery() == np.flatnonzero(inner).tolist()
        expected = np.stack([found.reliability.confidence, found.reliability.accuracy], 1)
        assert (line.get_xydata()[inner] == expected[inner]).all()
        assert (hollow[line.get_color()].get_xdata() == found.reliability.confidence[~inner]).all()
        at = 4
        low, high = evaluation.wilson(
            round(found.reliability.accuracy[at] * found.reliability.count[at]), int(found.reliability.count[at])
        )
        assert np.allclose(reach.get_segments()[at][:, 1], [low, high], atol=1e-12)  # sums in another order
    assert axes.get_xlim()[0] <= min(before.reliability.confidence.min(), after.reliability.confidence.min())


def test_the_dots_of_a_good_model_lie_apart_and_those_without_a_mistake_on_the_edge():
    rng = np.random.default_rng(3)
    sure = 1 - 10.0 ** -rng.uniform(1, 6, 10_000)  # from 90 to 99.9999 %
    wrong = rng.random(10_000) > sure
    shares = np.stack([sure, 1 - sure], 1)
    found = evaluation.evaluate(shares, wrong.astype(np.int64), ["a", "b"])
    figure = plots.reliability(found)
    drawn = texts(figure)
    axes = figure.axes[0]
    ((line, _, _),) = [c.lines for c in axes.containers]
    across = axes.transData.transform(line.get_xydata())[:, 0]
    assert (np.diff(across) >= 8).all()  # a dot is seven pixels wide
    none_wrong = line.get_ydata()[found.reliability.accuracy == 1]
    assert len(none_wrong) > 5
    assert len(set(none_wrong)) == 1
    assert none_wrong[0] > line.get_ydata()[found.reliability.accuracy < 1].max()
    assert {"all", "90 %", "99 %", "99.9 %"} <= {text for text, _ in drawn}


def test_rejection_draws_the_curve_with_a_dot_at_each_share():
    found = measured(10, n=3000)
    line, *dots = plots.rejection(found).axes[0].lines
    drawn = line.get_xydata()
    index = np.rint(drawn[:, 0] * found.images).astype(int)
    assert (drawn[:, 1] == found.rejection.accuracy[index]).all()
    assert index[0] == 0
    assert [tuple(dot.get_xydata()[0]) for dot in dots] == [(s, found.accuracy_at(s)) for s in (0.01, 0.02, 0.03, 0.05)]


def test_curves_draws_what_it_gets():
    runs = [(f"seed {at}", [10, 20, 30], [2.0, 1.0, 0.5 + at / 10], [0.1, 0.6, 0.9]) for at in range(7)]
    figure = plots.curves(runs)
    upper, lower = figure.axes
    for (name, steps, loss, right), above, below in zip(runs, upper.lines, lower.lines, strict=True):
        assert above.get_label() == name
        assert above.get_xydata().tolist() == [list(pair) for pair in zip(steps, loss, strict=True)]
        assert below.get_ydata().tolist() == right
    assert len({(line.get_color(), line.get_linestyle()) for line in upper.lines}) == 7
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [name for name, *_ in runs]
    plots.curves([("a loss of 0", [1, 2], [0.0, 0.0], [1.0, 1.0])])  # no logarithm of it


def test_curves_have_dots_for_held_out_images_a_title_and_a_legend():
    runs = [("a", [1, 2], [2.0, 1.0], [0.5, 0.9]), ("b", [1, 2], [2.0, 1.0], [0.5, 1.0])]
    figure = plots.curves(runs, held_out=[([2], [0.5], [0.95]), None], title="Two $runs$")
    upper, lower = figure.axes
    line, dots, other = upper.lines
    assert dots.get_color() == line.get_color() != other.get_color()
    assert dots.get_xydata().tolist() == [[2, 0.5]]
    assert lower.lines[1].get_xydata().tolist() == [[2, 0.95]]
    assert lower.lines[2].get_ydata()[1] > 0.95  # 100 % has no place on the scale: beyond the others
    legend = figure.legends[0]
    assert legend.get_title().get_text() == "Two $runs$"
    assert [text.get_text() for text in legend.get_texts()] == ["a", "b", "dots: held-out images"]
    readable(figure)
    alone = plots.curves(runs[:1], held_out=[([2], [0.5], [0.95])])
    assert [text.get_text() for text in alone.legends[0].get_texts()] == ["training images", "held-out images"]
    readable(alone)


@pytest.mark.parametrize("classes", [2, 10, 15, 26, NASTY], ids=["2", "10", "15", "26", "nasty"])
def test_text_lies_within_the_figure_and_overlaps_no_other(classes):
    found = measured(classes)
    for figure in (
        plots.confusion(found),
        plots.reliability(found, found),
        plots.rejection(found),
        plots.class_counts(np.repeat(np.arange(len(found.classes)), 12345), found.classes),
        plots.curves([(name, [1, 500, 1000], [2.3, 0.4, 0.05], [0.1, 0.9, 0.99]) for name in found.classes[:3]]),
    ):
        readable(figure)


def test_the_best_and_the_smallest_results_can_be_drawn():
    for found in (
        evaluation.evaluate(np.eye(3)[[0, 1, 2, 0]], np.array([0, 1, 2, 0]), list("abc")),  # all right, all sure
        evaluation.evaluate(np.eye(3)[[1, 2]], np.array([0, 0]), list("abc")),  # all wrong, two classes missing
        evaluation.evaluate(np.full((1, 2), 0.5), np.array([0]), list("ab")),
    ):
        for figure in (plots.confusion(found), plots.reliability(found), plots.rejection(found)):
            readable(figure)


# ---- files -------------------------------------------------------------------------------------------------------------

STARTS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.mark.parametrize("ending", STARTS)
def test_save_writes_the_kind_that_the_name_ends_in_and_the_same_bytes_again(ending, tmp_path):
    figure = plots.confusion(measured(NASTY))
    one, two = tmp_path / f"one.{ending}", tmp_path / f"two.{ending.upper()}"
    plots.save(figure, one)
    plots.save(plots.confusion(measured(NASTY)), two)
    assert one.read_bytes().startswith(STARTS[ending])
    assert one.read_bytes() == two.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [one.name, two.name]


def test_save_says_what_is_wrong(tmp_path):
    figure = plots.class_counts(np.array([0]), ["a"])
    with pytest.raises(ValueError, match=re.escape("one that ends in .png, .svg or .pdf. Type picture.png")):
        plots.save(figure, "picture.gif")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(IsADirectoryError, match=re.escape("folder.png, expected a file name")):
        plots.save(figure, tmp_path / "folder.png")


def test_drawing_leaves_no_global_state_behind():
    before = dict(matplotlib.rcParams)
    _style.rendered(plots.confusion(measured(3)), "svg")
    assert dict(matplotlib.rcParams) == before
    code = (
        "import sys, numpy as np\nfrom lenet import plots\nassert 'matplotlib' not in sys.modules\n"
        "_style = plots.class_counts(np.array([0, 1]), ['a', 'b'])\nassert 'matplotlib.pyplot' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr == ""


def test_a_notebook_shows_a_figure_where_pyplot_isnt_loaded():
    code = (
        "import sys, numpy as np\nfrom IPython.core.formatters import DisplayFormatter\nfrom lenet import plots\n"
        "data, _ = DisplayFormatter().format(plots.class_counts(np.array([0, 1]), ['a', 'b']))\n"
        "assert data['image/png'].startswith(b'\\x89PNG')\nassert 'matplotlib.pyplot' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr == ""
    assert pickle.loads(pickle.dumps(plots.class_counts(np.array([0, 1]), ["a", "b"])))._repr_png_()


def test_without_matplotlib_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        ModuleNotFoundError,
        match=re.escape("Type pip install '.[plots]'"),
    ):
        plots.class_counts(np.array([0]), ["a"])


def test_colours_stand_out_from_white():
    for name in ("INK", "SOFT", "BLUE", "ORANGE", "GREEN", "PINK"):
        assert contrast(getattr(_style, name), "#ffffff") >= 4.5, name


def contrast(one: str, two: str) -> float:
    """WCAG's contrast of two colours #rrggbb."""

    def light(colour: str) -> float:
        parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted((light(one), light(two)))
    return (high + 0.05) / (low + 0.05)


# ---- bad input ---------------------------------------------------------------------------------------------------------

ZEROS = np.zeros((2, 28, 28), np.uint8)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: plots.pictures(ZEROS.astype(np.float32), ["", ""]), TypeError, "ndarray of float32"),
        (lambda: plots.pictures(ZEROS[0], [""]), ValueError, r"shape \[28, 28\]"),
        (lambda: plots.pictures(ZEROS[:, None].repeat(2, axis=1), ["", ""]), ValueError, "1 or 3 channels"),
        (lambda: plots.pictures(ZEROS[:0], []), ValueError, "images: got none"),
        (lambda: plots.pictures(ZEROS, [""]), ValueError, "captions: got 1 for 2 images"),
        (lambda: plots.pictures(ZEROS, ["", ""], columns=0), ValueError, "columns: got 0"),
        (lambda: plots.samples(ZEROS, np.array([0, 1]), ["a"]), ValueError, "numbers from 0 to 1 for 1 classes"),
        (lambda: plots.samples(ZEROS, np.array([0]), ["a"]), ValueError, "1 for 2 images"),
        (lambda: plots.samples(ZEROS, np.array([0.0, 0.0]), ["a"]), ValueError, "whole numbers"),
        (lambda: plots.samples(ZEROS, np.array([0, 0]), ["a"], 0), ValueError, "count: got 0"),
        (lambda: plots.augmented(ZEROS, Augmentation()), ValueError, "moves nothing"),
        (lambda: plots.augmented(np.zeros((1, 3, 8, 8), np.uint8), Augmentation(1)), ValueError, "grey images"),
        (lambda: plots.class_counts(np.array([], int), []), ValueError, "classes: got none"),
        (lambda: plots.class_counts(np.array([3]), ["a"]), ValueError, "numbers from 3 to 3"),
        (lambda: plots.curves([]), ValueError, "at least one step"),
        (lambda: plots.curves([("a", [], [], [])]), ValueError, "at least one step"),
        (
            lambda: plots.pictures(ZEROS, ["a", "b"], colours=[["k"], []]),
            ValueError,
            "one for each line of each caption",
        ),
        (lambda: plots.curves([("a", [1], [1], [1])], held_out=[None, None]), ValueError, "2 for 1 runs"),
        (lambda: plots.curves([("a", [1], [1], [1])], held_out=[([1], [1], [])]), ValueError, "0 accuracies of a"),
        (lambda: plots.curves([("a", [1], [1, 2], [1])]), ValueError, "1 steps, 2 losses, 1 accuracies of a"),
        (lambda: plots.terminal(ZEROS), ValueError, r"\[N, C, H, W\]"),
        (lambda: plots.terminal([[0]]), TypeError, "images: got list"),
        (lambda: plots.terminal(ZEROS[0], width=0), ValueError, "width: got 0"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


# ---- the terminal ------------------------------------------------------------------------------------------------------


def read_back(text: str) -> np.ndarray:
    """The greys that coloured half blocks show, [H, W]."""
    rows = []
    for line in text.split("\n"):
        upper, lower = [], []
        for high, low, blocks in re.findall(r"\x1b\[38;2;(\d+);\1;\1;48;2;(\d+);\2;\2m(▀+)", line):
            upper += [int(high)] * len(blocks)
            lower += [int(low)] * len(blocks)
        rows += [upper, lower]
    return np.array(rows)


def test_half_blocks_show_every_pixel():
    image = np.random.default_rng(1).integers(0, 4, (27, 30), np.uint8) * 80
    text = plots.terminal(image)
    shown = read_back(text)
    assert (shown[:27] == image).all()
    assert (shown[27:] == 0).all()  # the odd last row has nothing below it
    assert all(line.endswith("\x1b[0m") for line in text.split("\n"))
    assert (read_back(plots.terminal(image[None])) == shown).all()


def test_a_wide_image_becomes_smaller_by_a_whole_factor():
    image = np.random.default_rng(1).integers(0, 256, (60, 90), np.uint8)
    shown = read_back(plots.terminal(image, width=40))
    assert shown.shape == (20, 30)
    assert np.abs(shown - image.reshape(20, 3, 30, 3).mean(axis=(1, 3))).max() <= 0.5
    assert max(map(len, plots.terminal(image, width=7, colour=False).split("\n"))) <= 7


@pytest.mark.parametrize(("ascii_only", "shades"), [(False, " ░▒▓█"), (True, " .:-=+*#%@")])
def test_shades_follow_the_brightness(ascii_only, shades):
    image = np.arange(256, dtype=np.uint8)[None].repeat(4, axis=0)
    lines = plots.terminal(image, width=256, colour=False, ascii_only=ascii_only).split("\n")
    assert lines[0] == lines[1]
    assert len(lines) == 2
    assert "".join(letter for letter, _ in itertools.groupby(lines[0])) == shades
    assert not ascii_only or lines[0].isascii()


def test_coloured_images_become_grey():
    red = np.zeros((3, 2, 2), np.uint8)
    red[0] = 255
    assert (read_back(plots.terminal(red)) == round(255 * 0.299)).all()


# ---- the tutorial's own cell -------------------------------------------------------------------------------------------


def test_the_tutorial_s_cell_draws_the_first_training_image(small_mnist, tmp_path):
    images, labels = (str(small_mnist / f"train-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1"))
    code = f"""
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
from lenet.vision.datasets import MNIST
from lenet.vision.transforms import Compose, Normalize
transform = Compose([Normalize(mean=[127.5], std=[127.5], data_format="CHW")])
train_dataset = MNIST({images!r}, {labels!r}, mode="train", transform=transform)
train_data0, train_label_0 = train_dataset[0][0], train_dataset[0][1]
train_data0 = train_data0.reshape([28, 28])
plt.figure(figsize=(2, 2))
plt.imshow(train_data0, cmap=plt.cm.binary)
print("train_data0 label is: " + str(train_label_0))
plt.savefig({str(tmp_path / "cell.png")!r})
import numpy as np
shown = plt.gca().get_images()[0]
np.save({str(tmp_path / "shown.npy")!r}, np.asarray(shown.get_array()))
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "train_data0 label is: [5]\n"), done.stderr
    pixels = MNIST(images, labels)._pixels[0]
    assert np.allclose(np.load(tmp_path / "shown.npy"), (pixels - 127.5) / 127.5, atol=1e-6)  # one float32 rounding
    with Image.open(tmp_path / "cell.png") as picture:
        assert picture.size == (200, 200)


def test_no_warning_comes_of_names_that_no_font_has():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _style.rendered(plots.pictures(ZEROS, ["\U00013000", "数"]), "png")


def test_the_chosen_images_are_drawn_without_repeats():
    chosen = _images.drawn(50, 20, 1)
    assert len(set(chosen.tolist())) == 20
    assert (np.diff(chosen) > 0).all()
    assert _images.drawn(5, 20, 1).tolist() == [0, 1, 2, 3, 4]
