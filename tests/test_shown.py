"""How objects print, and what a notebook shows of them."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image

import lenet
from lenet import reading
from lenet.evaluation import evaluate
from lenet.html import notebook
from lenet.io import DataLoader, Dataset, IterableDataset, Subset, TensorDataset
from lenet.train import Trained
from lenet.vision.datasets import ArrayDataset
from lenet.vision.transforms import Normalize

DATA = ArrayDataset(
    np.zeros((12, 28, 28), np.uint8), np.arange(12) % 3, Normalize([127.5], [127.5]), classes=list("abc")
)
DIGITS = list("0123456789")
PAIRS = np.zeros((3, 2), np.float32)
COLOUR = ArrayDataset(np.zeros((3, 8, 9, 3), np.uint8), [0, 1, 2])


class Own(Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, i):
        return i


class Unfinished(Dataset):
    pass


class Endless(IterableDataset):
    def __iter__(self):
        yield 1


def network():
    lenet.seed(0)
    return lenet.LeNet()


def prepared():
    model = lenet.Model(network())
    adam = lenet.optimizer.Adam(parameters=model.parameters())
    model.prepare(adam, lenet.nn.CrossEntropyLoss(), lenet.metric.Accuracy())
    return model


@pytest.mark.parametrize(
    ("thing", "text"),
    [
        (lambda: lenet.Model(network()), "Model(LeNet, 61,706 parameters, not prepared)"),
        (prepared, "Model(LeNet, 61,706 parameters, Adam, CrossEntropyLoss(), Accuracy)"),
        (lambda: DATA, "ArrayDataset(12 grey images of 28 x 28, 3 classes, transform=Normalize("),
        (lambda: COLOUR, "ArrayDataset(3 colour images of 8 x 9)"),
        (lambda: TensorDataset([PAIRS, np.zeros(3, int)]), "TensorDataset(3 samples of float32 [2], int64 [])"),
        (lambda: Subset(DATA, [0, 1]), "Subset(2 samples)"),
        (Own, "Own(4 samples)"),
        (Unfinished, "Unfinished()"),
        (Endless, "Endless()"),
        (lambda: DataLoader(COLOUR, batch_size=2), "DataLoader(ArrayDataset(3 colour images of 8 x 9), batch_size=2, 2 b"),
        (lambda: DataLoader(Endless(), batch_size=2), "DataLoader(Endless(), batch_size=2)"),
        (
            lambda: lenet.optimizer.Adam(0.01, parameters=lenet.nn.Linear(3, 2).parameters()),
            "Adam(learning_rate=0.01, 2 tensors of 8 parameters)",
        ),
        (
            lambda: lenet.optimizer.SGD(lenet.optimizer.lr.StepDecay(0.5, 3), lenet.nn.Linear(3, 2).parameters()),
            "SGD(learning_rate=StepDecay(0.5 at step 0, from 0.5), 2 tensors of 8 parameters)",
        ),
        (lenet.metric.Accuracy, "Accuracy(['acc']: 0.0)"),
        (lambda: Trained(network(), (1, 28, 28), DIGITS, 127.5, 127.5), "Trained(images of 1 x 28 x 28 to 10 classes, 61,706"),
    ],
)  # fmt: skip
def test_what_is_printed(thing, text):
    assert repr(thing()).startswith(text)


def test_a_model_in_a_notebook():
    page = prepared()._repr_html_()
    assert "<p>Model(LeNet" in page
    assert "Conv2D(1, 6" in page


def pictures(page):
    return [
        np.asarray(Image.open(io.BytesIO(__import__("base64").b64decode(found))))
        for found in re.findall(r"data:image/png;base64,([^\"]+)", page)
    ]


def test_a_data_set_shows_its_first_images():
    images = np.random.default_rng(0).integers(0, 256, (12, 5, 4)).astype(np.uint8)
    page = ArrayDataset(images, np.arange(12) % 3, classes=["a", "<b>", "c"])._repr_html_()
    np.testing.assert_array_equal(pictures(page), images[:10])
    assert "<figcaption>&lt;b&gt;</figcaption>" in page
    colours = np.random.default_rng(0).integers(0, 256, (3, 5, 4, 3)).astype(np.uint8)
    np.testing.assert_array_equal(pictures(ArrayDataset(colours, [0, 1, 1])._repr_html_()), colours)


def test_an_evaluation():
    found = evaluate(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), np.array([0, 1, 1]), ["cat", "dog"])
    assert repr(found).startswith("Evaluation(2 of 3 images right: 66.67 %, 95 % interval 20.77 to 93.85 %; loss ")
    page = found._repr_html_()
    assert "<th>recall</th>" in page
    assert "<td>dog</td><td>100.00 %</td><td>50.00 %</td>" in page


def test_a_page_with_boxes():
    digit = reading.Digit((10, 20, 30, 60), "7", 0.99, ("1", 0.01), False, np.zeros((28, 28), np.uint8))
    doubtful = reading.Digit((40, 20, 60, 60), "1", 0.5, ("7", 0.4), True, np.zeros((28, 28), np.uint8))
    number = reading.Number("7?", (digit, doubtful), (10, 20, 60, 60))
    page = reading.Page((reading.Line((number,), (10, 20, 60, 60)),), 100, 80, name="a.png")
    assert repr(page) == "<Page a.png: 2 shapes in 1 lines, 100 x 80 pixels>\n7?"
    shown = page._repr_html_()
    assert '<svg viewBox="0 0 100 80"' in shown
    assert shown.count("<rect") == 2
    assert '<rect x="10" y="20" width="20" height="40" fill="none" stroke="#0072b2"' in shown
    assert "<pre>7?</pre>" in shown


def test_tables_escape():
    assert notebook.table(["<a>"], [[1]]) == (
        "<table><thead><tr><th>&lt;a&gt;</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>"
    )
