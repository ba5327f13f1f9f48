"""Two arrays as a data set: images of the usual shapes and dtypes, labels of any kind.

An array of images and one of labels come in, as numpy arrays, Tensors, lists or data frames; a data set that the engine reads
by row number goes out, with the classes' names and what was done to the numbers. Read by ``Model`` and ``train``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.autograd.tensor import Tensor
from lenet.io import Dataset, Subset, TensorDataset
from lenet.messages.check import brief, choice, describe, message
from lenet.vision.datasets.arrays import ArrayDataset
from lenet.vision.transforms import Normalize

__all__ = ["Layout", "are_arrays", "images_of", "is_array", "labelled", "layout_of", "parted", "targets"]

CHANNELS = (1, 3, 4)  # that a last axis of images may be taken for
FORMATS = ("NCHW", "NHWC")
GREY = Normalize(mean=[127.5], std=[127.5], data_format="CHW")
HALF = np.float32(127.5)


@dataclass(frozen=True)
class Layout:
    """How arrays of images are laid out, so that later ones are taken the same way.

    scaled: bytes 0 to 255 become -1 to 1. last: the channels are the last axis. side: rows of numbers are squares of so many
    pixels a side; 0: they are not.
    """

    scaled: bool
    last: bool = False
    side: int = 0

    def said(self) -> tuple[str, ...]:
        """What a person should know of it."""
        parts = []
        if self.last:
            parts.append("the last axis of the images is taken for their channels (data_format='NHWC')")
        if self.side:
            parts.append(f"each row is taken for an image of {self.side} x {self.side}")
        return tuple(parts)


def is_array(value: object) -> bool:
    """Whether something is an array, a Tensor or a data frame: it has a shape and holds numbers."""
    return hasattr(value, "shape") and (hasattr(value, "dtype") or hasattr(value, "to_numpy"))


def are_arrays(data: object) -> bool:
    """Whether this is a pair of images and labels: (x, y), of which x is an array and y is one or a list."""
    if not isinstance(data, (tuple, list)) or len(data) != 2 or not is_array(data[0]):
        return False
    x, y = data
    if isinstance(data, list) and is_array(y) and np.shape(x) == np.shape(y):
        return False  # a list of two batches
    return is_array(y) or (isinstance(y, (list, tuple)) and not any(map(is_array, y)))


def layout_of(what: str, images: Any, data_format: str | None = None, squares: bool = False) -> Layout:
    """How images are laid out. squares: rows of numbers are to be images, since a convolution comes first.

    ValueError for a shape that can't be; TypeError for what holds no numbers.
    """
    x = _numbers(what, images)
    if data_format is not None:
        choice("data_format", data_format, FORMATS)
    last = data_format == "NHWC"
    if data_format is None and x.ndim == 4:
        last = x.shape[-1] in CHANNELS and x.shape[1] not in CHANNELS
    side = isqrt(x.shape[1]) if squares and x.ndim == 2 else 0
    if side * side != (x.shape[1] if side else 0):
        fix = "Reshape them: x.reshape(len(x), channels, height, width)"
        raise ValueError(
            message(what, f"rows of {x.shape[1]} numbers", "images [N, C, H, W], or rows that are squares", fix)
        )
    return Layout(x.dtype.kind in "iu", last and x.ndim == 4, side)


def labelled(what: str, images: Any, labels: Any, layout: Layout, targets: NDArray[Any] | None = None) -> Dataset:
    """A data set of (image, label); images [N, C, H, W], [N, H, W] or [N, F] as ``layout`` says.

    targets: the labels as numbers, if they are known. Grey bytes stay bytes; all else becomes float32.
    """
    x = images_of(what, images, layout)
    y = _array(f"{what}: the labels", labels) if targets is None else targets
    if len(x) != len(y):
        raise ValueError(message(what, f"{len(x)} images and {len(y)} labels", "one label for each image"))
    if not len(x):
        raise ValueError(message(what, "arrays without a row", "at least one image"))
    grey = x.ndim == 4 and x.shape[1] == 1 and x.dtype == np.uint8 and layout.scaled
    if grey and y.dtype == np.int64 and y.ndim == 1:
        return ArrayDataset(np.ascontiguousarray(x), y, GREY, backend="cv2")
    return TensorDataset([_floats(what, x, layout.scaled), y])


def images_of(what: str, images: Any, layout: Layout) -> NDArray[Any]:
    """Images alone as an array [N, …], laid out as ``layout`` says; bytes stay bytes. TypeError for the other of the two."""
    x = _laid_out(_numbers(what, images), layout)
    if layout.scaled != (x.dtype.kind in "iu"):
        given = "floats" if layout.scaled else "whole numbers"
        raise TypeError(message(what, given, "bytes 0 to 255, as before" if layout.scaled else "floats, as before"))
    return x


def floats(what: str, images: Any, layout: Layout) -> NDArray[np.float32]:
    """Images alone, as ``labelled`` would hand them to the network: float32 [N, …]."""
    return _floats(what, images_of(what, images, layout), layout.scaled)


def targets(what: str, labels: Any, classes: Sequence[str] | None = None) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Labels as the loss takes them, and the names of the classes they stand for.

    Words, truth values and whole numbers that don't run from 0 become class numbers int64 [N], in the order of ``classes``
    or else sorted; rows of one 1 become the place of the 1. Whole numbers from 0 stay, and their names are themselves.
    Other numbers stay float32, [N, 1] if they were [N], and have no classes. Maps of whole numbers, [N, H, W] with a class for
    each pixel, stay as they are: int64.
    """
    y = _array(what, labels)
    if y.ndim == 2 and y.shape[1] == 1 and y.dtype.kind != "f":
        y = y[:, 0]
    if y.ndim in (3, 4) and y.dtype.kind in "iu":
        return y.astype(np.int64), tuple(map(str, classes or range(int(y.max(initial=0)) + 1)))
    if y.ndim == 2 and y.shape[1] > 1 and np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all():
        y = y.argmax(axis=1).astype(np.int64)
        return _named(what, y, classes or [str(k) for k in range(int(y.max(initial=0)) + 1)])
    if y.dtype.kind == "f":
        if not np.isfinite(y).all():
            raise ValueError(
                message(what, f"{y[~np.isfinite(y)][0]} at position {int(np.argmin(np.isfinite(y)))}", "finite numbers")
            )
        if classes is None and (y.ndim > 1 or (y != np.rint(y)).any()):
            return (y if y.ndim > 1 else y[:, None]).astype(np.float32), ()
        if (y != np.rint(y)).any() or y.ndim > 1:
            raise ValueError(message(what, f"numbers such as {y.ravel()[0]}", "one label of `classes` for each image"))
        y = y.astype(np.int64)
    if y.ndim != 1:
        raise ValueError(
            message(what, f"shape {list(y.shape)}", "[N], one label for each image, or [N, K] with one 1 a row")
        )
    if y.dtype.kind in "iu" and classes is None and len(y) and y.min() >= 0 and len(np.unique(y)) > y.max():
        return y.astype(np.int64), tuple(str(k) for k in range(int(y.max()) + 1))
    if y.dtype.kind in "iu" and classes is not None and not set(np.unique(y).tolist()) <= set(_as_numbers(classes)):
        return _named(what, y.astype(np.int64), classes)
    words = np.array([str(label) for label in y.tolist()])
    names = list(map(str, classes)) if classes is not None else _sorted(y)
    place = {name: k for k, name in enumerate(names)}
    unknown = sorted(set(words.tolist()) - set(place))
    if unknown:
        raise ValueError(message(what, f"the label {brief(unknown[0])}", f"one of {brief(names)}"))
    return np.array([place[word] for word in words.tolist()], np.int64), tuple(names)


def parted(data: Dataset, share: float, labels: NDArray[Any], seed: int = 0) -> tuple[Dataset, Dataset]:
    """A data set in two, ``share`` of it held out: of each class alike, and the same images each time.

    ValueError for a share that leaves either side without an image.
    """
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share < 1:
        raise ValueError(message("validation_split", brief(share), "a share between 0 and 1, such as 0.1"))
    order = np.random.RandomState(seed).permutation(len(labels))
    if labels.ndim == 1:  # of each class the first in this order
        order = order[np.argsort(labels[order], kind="stable")]
    steps = np.floor(np.arange(len(order) + 1) * share)
    held = np.zeros(len(order), bool)
    held[order[np.diff(steps) > 0]] = True
    if held.all() or not held.any():
        raise ValueError(
            message("validation_split", share, f"a share that leaves some of {len(labels)} images on each side")
        )
    return Subset(data, np.flatnonzero(~held).tolist()), Subset(data, np.flatnonzero(held).tolist())


def _array(what: str, value: Any) -> NDArray[Any]:
    if isinstance(value, Tensor):
        return value.data_array()
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    try:
        found = np.asarray(value)
    except ValueError:
        raise ValueError(message(what, "rows of unequal lengths", "one shape for all")) from None
    if found.ndim == 0:
        raise TypeError(message(what, describe(value), "an array or a list"))
    return found


def _numbers(what: str, images: Any) -> NDArray[Any]:
    """Images as an array of numbers, [N, …]."""
    x = _array(what, images)
    if x.dtype.kind == "O":
        try:
            x = np.stack([np.asarray(row) for row in x]) if x.ndim == 1 else x.astype(np.float64)
        except (ValueError, TypeError):
            x = np.zeros(0, object)
    if x.dtype.kind not in "buif":
        fix = "Images of different sizes: bring them to one size first" if x.dtype.kind == "O" else ""
        raise TypeError(message(what, describe(images), "numbers of one shape for all images", fix))
    if not 2 <= x.ndim <= 4:
        raise ValueError(message(what, f"shape {list(x.shape)}", "[N, C, H, W], [N, H, W] or [N, F]"))
    if x.dtype.kind in "iu" and x.size and not 0 <= int(x.min()) <= int(x.max()) <= 255:
        fix = "Convert other numbers to floats and scale them yourself"
        raise ValueError(message(what, f"whole numbers from {x.min()} to {x.max()}", "bytes, 0 to 255, or floats", fix))
    return x


def _laid_out(x: NDArray[Any], layout: Layout) -> NDArray[Any]:
    if x.ndim == 4 and layout.last:
        x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    if x.ndim == 3:
        x = x[:, None]
    if x.ndim == 2 and layout.side:
        x = x.reshape(len(x), 1, layout.side, layout.side)
    return x.astype(np.uint8) if x.dtype.kind in "iu" else x


def _floats(what: str, x: NDArray[Any], scaled: bool) -> NDArray[np.float32]:
    found = x.astype(np.float32)
    if scaled:
        found = (found - HALF) / HALF
    if not np.isfinite(found).all():
        at = int(np.argmin(np.isfinite(found).reshape(len(found), -1).all(axis=1)))
        raise ValueError(message(what, f"a number that isn't finite in image {at}", "finite numbers"))
    return np.ascontiguousarray(found)


def _named(what: str, y: NDArray[np.int64], classes: Sequence[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Class numbers with their names."""
    if len(y) and not 0 <= y.min() <= y.max() < len(classes):
        wrong = y[(y < 0) | (y >= len(classes))][0]
        raise ValueError(
            message(
                what, f"the label {wrong}", f"numbers from 0 to {len(classes) - 1}, or one of {brief(list(classes))}"
            )
        )
    return y, tuple(map(str, classes))


def _as_numbers(classes: Sequence[str]) -> list[int]:
    return [int(name) for name in map(str, classes) if name.lstrip("-").isdigit()]


def _sorted(y: NDArray[Any]) -> list[str]:
    """The names of what occurs, numbers in their order."""
    if y.dtype.kind in "biu":
        return [str(label) for label in np.unique(y).tolist()]
    return sorted({str(label) for label in y.tolist()})
