"""``lenet.train(x, y)``: two arrays in, a trained and calibrated model out.

Images of any usual layout become bytes as the recipes want them; how they became so is kept, so that later arrays are taken
the same way. Read by ``lenet.train`` itself, which may be called, by ``Trained`` and by ``folds``.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from numpy.typing import NDArray

from lenet.messages.check import describe, message
from lenet.messages.progress import say as say_to_stderr
from lenet.train.recipes import Recipe
from lenet.train.trained import Trained
from lenet.train.trainer import Say, train
from lenet.vision.datasets.arrays import ArrayDataset
from lenet.vision.datasets.as_bytes import Form
from lenet.vision.datasets.labelled import targets

__all__ = ["Train", "as_pair", "train_on"]


def as_pair(
    x: Any, y: Any, test: Any, classes: Sequence[str] | None, data_format: str | None
) -> tuple[tuple[ArrayDataset, ArrayDataset], Form]:
    """Training and test images as ``train`` takes them. test: (images, labels) or None."""
    form = Form.of("x", x, data_format)
    images = form.bytes_of("x", x)
    if images.shape[1] not in (1, 3):
        given = f"images of {images.shape[1]} channels"
        raise ValueError(
            message("x", given, "grey images or such of three colours", "Leave transparency out: x[..., :3]")
        )
    numbers, names = targets("y", y, classes)
    if not names:
        fix = "lenet.Model(net).fit(x, y) trains a network of your own on other numbers"
        raise ValueError(message("y", "numbers that name no class", "a class for each image", fix))
    _one_each("x and y", images, numbers)
    first = ArrayDataset(images, numbers, classes=names)
    if test is None:
        return (first, ArrayDataset(images[:0], numbers[:0], classes=names)), form
    if not isinstance(test, (tuple, list)) or len(test) != 2:
        raise TypeError(message("test", describe(test), "a pair (images, labels)"))
    more, more_numbers = form.bytes_of("test", test[0]), targets("test", test[1], names)[0]
    _one_each("test", more, more_numbers)
    if more.shape[1:] != images.shape[1:]:
        raise ValueError(
            message("test", f"images of {list(more.shape[1:])}", f"such of {list(images.shape[1:])}, as x")
        )
    return (first, ArrayDataset(more, more_numbers, classes=names)), form


def _one_each(what: str, images: NDArray[Any], labels: NDArray[Any]) -> None:
    if len(images) != len(labels):
        raise ValueError(message(what, f"{len(images)} images and {len(labels)} labels", "one label for each image"))


def usual_recipe(images: ArrayDataset) -> str:
    """The recipe where none is named: ``fast`` where its network fits, ``small`` otherwise."""
    return "fast" if images._pixels.shape[1:] == (28, 28) else "small"


def train_on(
    x: Any,
    y: Any,
    recipe: str | Recipe | None = None,
    *,
    test: Any = None,
    classes: Sequence[str] | None = None,
    data_format: str | None = None,
    network: Any = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    held_out: float | None = None,
    settings: Mapping[str, Any] | None = None,
    seconds: float | None = None,
    seed: int | None = None,
    threads: int | None = None,
    out: str | os.PathLike[str] | None = None,
    say: Say = say_to_stderr,
) -> Trained:
    """Train a network on images x and labels y; returns the model, calibrated on the images that were held out.

    x: [N, H, W], [N, C, H, W], [N, H, W, C] or [N, F] with F a square number; bytes or floats; a numpy array, Tensor, list or
    data frame. y: [N], labels of any kind, words too. classes: their names in order, where not all occur. test: (images,
    labels) to measure on once, at the end. data_format: "NCHW" or "NHWC", where the shape leaves it open. recipe, network,
    epochs, batch_size, held_out, settings, seconds, seed, threads: as ``lenet.train.train`` takes them; the recipe is
    ``fast`` for grey images of 28 x 28, ``small`` for others. out: a model file to write as well. say gets the lines that a
    person should read.

    ValueError or TypeError for arrays that don't fit together, before anything is trained.
    """
    pair, form = as_pair(x, y, test, classes, data_format)
    if form.said:
        say(form.said)
    if recipe is None and (usual := usual_recipe(pair[0])) != "fast":
        recipe = usual
    with tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "model.safetensors") if out is None else os.fspath(out)
        result = train(
            recipe, pair, network=network, epochs=epochs,
            batch_size=batch_size, held_out=held_out, settings=settings, seconds=seconds, seed=seed, threads=threads,
            out=target, say=say, arrays=form.as_json(),
        )  # fmt: skip
        trained = Trained.load(result.out)
    trained.path = "" if out is None else trained.path
    for score, kind in ((result.held_out, "held-out"), (result.test if test is not None else None, "test")):
        if score is not None and score.images:
            say(f"{kind} accuracy {100 * score.accuracy:.2f} % of {score.images:,} images")
    return trained


class Train(ModuleType):
    """``lenet.train``: the module of recipes, which may be called with two arrays."""

    __call__ = staticmethod(train_on)
