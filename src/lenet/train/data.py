"""The images that a recipe trains, holds out and tests on: loaded, brought to one polarity, and split.

Everything stays uint8; nothing here normalises, shuffles or augments. Which files make up a data set is
``vision.datasets``' knowledge.
"""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.data import fetch
from lenet.messages.check import describe, message
from lenet.vision.datasets import MNIST, ArrayDataset, FashionMNIST, load_folder

__all__ = ["DATASETS", "Data", "Part", "is_light", "load", "load_test", "split"]

DATASETS: dict[str, type[MNIST]] = {"mnist": MNIST, "fashion-mnist": FashionMNIST}

Pair = tuple[ArrayDataset, ArrayDataset]


class Part(NamedTuple):
    """Images uint8 [N, C, H, W], grey ones light on dark, and labels int64 [N]."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    source: fetch.Source


class Data(NamedTuple):
    """A data set to train and test on. name: ``mnist``, ``fashion-mnist``, a folder's full path, or "" for arrays."""

    name: str
    folder: str  # where the user said the IDX files are, or ""
    classes: list[str]
    train: Part
    test: Part
    inverted: bool  # the images were dark on light
    size: tuple[int, int] | None = None  # what a folder's images were brought to, if that was asked for

    @property
    def source(self) -> fetch.Source:
        """Where all of it came from."""
        return fetch.merge(self.train.source, self.test.source)

    @property
    def line(self) -> str:
        """Where it came from, for a person to read."""
        return _line(self.name, self.folder, self.source, self.inverted)


def load(
    dataset: str | os.PathLike[str] | Pair,
    folder: str | os.PathLike[str] | None = None,
    inverted: bool | None = None,
    size: tuple[int, int] | None = None,
    colour: bool = False,
) -> Data:
    """``"mnist"``, ``"fashion-mnist"``, a folder of class folders, or a pair of ArrayDatasets (train, test).

    folder: where the four IDX files of a named data set are; None looks in the usual places and may download. Data sets
    whose images are grey and have a light border are inverted: digits are light on dark ground for every network.
    inverted: whether to, as it was decided before, when a model was trained on them. size, colour: of a folder's images,
    (height, width), 28 x 28 unless given, and grey unless said.
    ValueError for an unknown name; else whatever the data set's own loading raises.
    """
    name = ""
    if (size is not None or colour) and (isinstance(dataset, (tuple, list)) or dataset in DATASETS):
        given = "--size or --colour" if isinstance(dataset, (str, os.PathLike)) else "size or colour"
        fix = "Leave them out, or name a folder of class folders"
        raise ValueError(message("dataset", f"{given} for images that have a size already", "a folder", fix))
    if isinstance(dataset, (tuple, list)):
        if len(dataset) != 2:
            raise TypeError(message("dataset", f"{len(dataset)} parts", "a pair of ArrayDatasets, train and test"))
        train, test = (_checked(part) for part in dataset)
        classes = list(train.classes) or [str(number) for number in range(int(train._targets.max(initial=-1)) + 1)]
    elif not isinstance(dataset, (str, os.PathLike)):
        _checked(dataset)
        raise TypeError(message("dataset", "one ArrayDataset", "a pair of them, train and test", "Type (train, test)"))
    elif dataset in DATASETS:
        name = str(dataset)
        files = {} if folder is None else fetch.given(folder)
        train, test = (_published(name, files, mode) for mode in ("train", "test"))
        classes = list(train.classes)
    else:
        name = _class_folders(dataset, folder)
        train, test, classes = load_folder(name, size or (28, 28), colour=colour)
    if train._pixels.ndim == 4:
        inverted = False  # what a light border means is known of drawings and writing alone
    inverted = is_light(train._pixels) if inverted is None else inverted
    parts = _part("train", train, inverted), _part("test", test, inverted)
    return Data(name, "" if folder is None else os.path.abspath(folder), classes, parts[0], parts[1], inverted, size)


def load_test(
    dataset: str | os.PathLike[str] | Pair,
    folder: str | os.PathLike[str] | None = None,
    inverted: bool | None = None,
    size: tuple[int, int] | None = None,
    colour: bool = False,
) -> tuple[list[str], Part, str]:
    """The classes, the test part and the line of ``load``, without reading a named set's training part."""
    if not isinstance(dataset, str) or dataset not in DATASETS:
        whole = load(dataset, folder, inverted, size, colour)
        return whole.classes, whole.test, whole.line
    name, files = str(dataset), {} if folder is None else fetch.given(folder)
    found = _published(name, files, "test")
    inverted = is_light(found._pixels) if inverted is None else inverted
    part = _part("test", found, inverted)
    given = "" if folder is None else os.path.abspath(folder)
    return list(found.classes), part, _line(name, given, part.source, inverted)


def _published(name: str, files: dict[str, str], mode: str) -> ArrayDataset:
    """One part of a named data set: from these files, or from the usual places."""
    return DATASETS[name](files.get(f"{mode}-images"), files.get(f"{mode}-labels"), mode)


def _line(name: str, folder: str, source: fetch.Source, inverted: bool) -> str:
    line = source.line
    if folder:
        asked, found = fetch.PUBLISHED[name].title, source.published
        line = f"{asked} from {folder}" + (f", which holds {found}" if found not in ("", asked) else "")
    return line + ("; inverted, as the images are dark on light" if inverted else "")


def _checked(part: object) -> ArrayDataset:
    if not isinstance(part, ArrayDataset):
        expected, fix = "a data set's name, a folder, or a pair of ArrayDatasets", ""
        if hasattr(part, "__array__") or isinstance(part, (tuple, list)):
            fix = "Type (ArrayDataset(images, labels), ArrayDataset(test_images, test_labels)), images uint8 [N, H, W]"
        raise TypeError(message("dataset", describe(part), expected, fix))
    if part.transform is not None:
        fix = "Leave it out: a recipe normalises and augments by itself"
        raise ValueError(message("dataset", "an ArrayDataset with a transform", "one without", fix))
    return part


def _class_folders(dataset: str | os.PathLike[str], folder: str | os.PathLike[str] | None) -> str:
    root = os.path.abspath(os.path.expanduser(os.fspath(dataset)))
    if not os.path.isdir(root):
        expected = f"{', '.join(DATASETS)} or a folder with a folder of images for each class"
        raise ValueError(message("dataset", repr(os.fspath(dataset)), expected))
    if folder is not None:
        fix = "Leave data (--data) out"
        raise ValueError(message("data", f"{os.fspath(folder)} beside the folder {root}", "only one of the two", fix))
    if any(name.startswith(tuple(fetch.FILES.values())) for name in os.listdir(root)):
        fix = "Name the data set and give the folder as its data: --dataset mnist --data FOLDER"
        raise ValueError(message("dataset", f"{root}, a folder of IDX files", "a folder of class folders", fix))
    return root


def _part(kind: str, ds: ArrayDataset, inverted: bool) -> Part:
    images, labels = _channels_first(ds._pixels), ds._targets
    source: fetch.Source | None = getattr(ds, "source", None)
    if source is None:
        hashes = {f"{kind}-images": fetch.sha256(ds._pixels), f"{kind}-labels": fetch.sha256(labels)}
        source = fetch.Source("arrays", "arrays in memory", {}, hashes)
    return Part(255 - images if inverted else images, labels, source)


def _channels_first(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A data set's images, [N, H, W] or [N, H, W, 3], as networks take them: [N, C, H, W]."""
    return pixels[:, None] if pixels.ndim == 3 else np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))


def _border(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The outermost pixels of each image [N, H, W]: uint8 [N, pixels]."""
    edges = [images[:, 0, :], images[:, -1, :], images[:, :, 0], images[:, :, -1]]
    return np.concatenate(edges, axis=1)


def is_light(images: NDArray[np.uint8]) -> bool:
    """Whether images [N, H, W] are dark on light, by the borders of up to a thousand of them."""
    some = images[:: max(1, len(images) // 1000)]
    return some.size > 0 and bool(np.median(_border(some)) > 127)


def split(labels: NDArray[np.int64], share: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which training images to train on and which to hold out, int64 indices in rising order.

    Held out are the last ``share`` of each class, in the order of the file: round(share * N) images in all, and the same
    for every seed. 1/12 of MNIST's are 5,000.
    """
    n, classes = len(labels), int(labels.max(initial=-1)) + 1
    by_class = np.argsort(labels, kind="stable")
    sizes = np.bincount(labels, minlength=classes)
    rank = np.empty(n, np.int64)  # the image's place among those of its class
    rank[by_class] = np.arange(n) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    from_end = (sizes[labels] - rank - 0.5) / sizes[labels]
    held = np.zeros(n, bool)
    held[np.argsort(from_end, kind="stable")[: round(share * n)]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)
