"""Labelled images in memory: one uint8 array, presented image by image or, where possible, a batch at a time.

``ArrayDataset`` is what ``MNIST`` and ``load_folder`` are made of. Beside Paddle's ``ds[i]`` it offers the loader a
shortcut: where the transform maps each pixel by itself, the whole of it is a table of 256 floats (``_table``), and a
batch is a look-up (``_batch``), whose images an ``Augment`` may move. It reads no file and knows no data set's name.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, SupportsIndex, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lenet import _core
from lenet.autograd.dtype import get_default_dtype
from lenet.autograd.tensor import Tensor, dense, in_lanes, to_tensor
from lenet.data.fetch import Source
from lenet.html import notebook
from lenet.io import Dataset
from lenet.io.dataset import changing
from lenet.messages.check import choice, describe, message
from lenet.vision.image import BACKENDS, get_image_backend
from lenet.vision.transforms import Augment, Compose, Normalize, ToTensor

__all__ = ["ArrayDataset", "Rows", "Table"]


class Table(NamedTuple):
    """A data set whose samples are table look-ups: sample i is ``lut[images[i]]``, moved by ``augment``, and ``labels[i]``."""

    images: NDArray[np.uint8]  # [N, C, H, W]
    labels: NDArray[np.int64]  # [N]
    lut: NDArray[np.float32]  # [256]
    shape: tuple[int, int, int]  # C, H, W
    augment: Augment | None


class Rows(Sequence[NDArray[Any]]):
    """A list of arrays as Paddle's data sets keep, made on demand: item i is row i of one store, flattened and cast.

    Items are read-only, since a change to one would be lost; ``rows[i] = values`` changes the data set.
    """

    def __init__(self, store: NDArray[Any], dtype: type[np.generic]) -> None:
        self._store, self._dtype = store, np.dtype(dtype)

    def __len__(self) -> int:
        return len(self._store)

    @overload
    def __getitem__(self, index: SupportsIndex) -> NDArray[Any]: ...
    @overload
    def __getitem__(self, index: slice) -> Rows: ...
    def __getitem__(self, index: SupportsIndex | slice) -> NDArray[Any] | Rows:
        if isinstance(index, slice):
            return Rows(self._store[index], self._dtype.type)
        row: NDArray[Any] = self._store[operator.index(index)].reshape(-1).astype(self._dtype)
        row.flags.writeable = False
        return row

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (self[i] for i in range(len(self)))

    def __setitem__(self, index: SupportsIndex, value: ArrayLike) -> None:
        row = self._store[operator.index(index)]
        self._store[operator.index(index)] = _exactly(value, self._store.dtype, "item").reshape(row.shape)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All rows at once, [N, values a row]."""
        return self._store.reshape(len(self), -1).astype(self._dtype if dtype is None else dtype)

    def __repr__(self) -> str:
        return f"Rows({len(self)} arrays of {self._dtype} [{self._store[:1].size or 1}])"


class ArrayDataset(Dataset):
    """Grey or colour images and their labels from arrays.

    images: uint8 [N, H, W] or [N, 1, H, W], or of colour [N, H, W, 3] or [N, 3, H, W], 0 to 255. labels: integers [N] or
    [N, 1], from 0. transform: called with each image. backend: ``"pil"`` hands out Pillow images, ``"cv2"`` float32 arrays
    [H, W] or [H, W, 3] of 0 to 255; None
    takes ``get_image_backend()``. classes: the labels' names, in order.

    ``ds[i]`` is ``(image, label)`` with label int64 [1]. TypeError for images or labels of another dtype, ValueError
    for shapes that do not fit, for unequal counts and for labels beyond ``classes``.
    """

    classes: Sequence[str] = ()
    source: Source | None = None  # where the data came from, if whoever made the data set knows

    def __init__(
        self,
        images: NDArray[np.uint8],
        labels: ArrayLike,
        transform: Callable[[Any], Any] | None = None,
        backend: str | None = None,
        classes: Sequence[str] | None = None,
    ) -> None:
        if classes is not None:
            self.classes = list(classes)
        self.backend = get_image_backend() if backend is None else choice("backend", backend, BACKENDS)
        self.transform = transform
        self.dtype = get_default_dtype()  # what the cv2 backend casts its images to
        self._pixels = _checked_images(images)
        self._targets = _checked_labels(labels, len(self.classes))
        if len(self._pixels) != len(self._targets):
            given = f"{len(self._pixels)} images and {len(self._targets)} labels"
            raise ValueError(message("images and labels", given, "one label an image"))
        self._cached: tuple[object, NDArray[np.float32] | None] = (None, None)

    @property
    def images(self) -> Rows:
        """The images as Paddle keeps them: a list of float32 arrays [H * W], 0 to 255. May be assigned."""
        return Rows(self._pixels, np.float32)

    @images.setter
    def images(self, value: ArrayLike) -> None:
        pixels = _exactly(value, np.dtype(np.uint8), "images")
        self._pixels = _checked_images(pixels.reshape(-1, *self._pixels.shape[1:]))

    @property
    def labels(self) -> Rows:
        """The labels as Paddle keeps them: a list of int64 arrays [1]. May be assigned."""
        return Rows(self._targets, np.int64)

    @labels.setter
    def labels(self, value: ArrayLike) -> None:
        self._targets = _checked_labels(np.asarray(value), len(self.classes))

    def __len__(self) -> int:
        return len(self._targets)

    def __repr__(self) -> str:
        height, width, *colour = self._pixels.shape[1:]
        kind = "colour" if colour else "grey"
        classes = f", {len(self.classes)} classes" if len(self.classes) else ""
        changes = "" if self.transform is None else f", transform={self.transform!r}"
        return f"{type(self).__name__}({len(self):,} {kind} images of {height} x {width}{classes}{changes})"

    def _repr_html_(self) -> str:
        some = range(min(10, len(self)))
        names = [str(n) for n in self._targets[: len(some)]]
        if len(self.classes):
            names = [str(self.classes[n]) for n in self._targets[: len(some)]]
        return notebook.line(repr(self)) + notebook.thumbnails((self._pixels[k] for k in some), names)

    def __getitem__(self, index: SupportsIndex) -> tuple[Any, NDArray[np.int64]]:
        if isinstance(index, slice):
            fix = f"For a part of the data write lenet.io.Subset(ds, range({index.start or 0}, {index.stop}))."
            raise ValueError(message("index", f"the slice {index}", "one whole number", fix))
        at, count = operator.index(index), len(self._targets)
        if not -count <= at < count:
            raise IndexError(message("index", at, f"a number from {-count} to {count - 1}"))
        return self._image(at % count), self._targets[at : at + 1 or None].copy()

    def _image(self, sample: int) -> Any:
        """The image as ``ds[sample]`` hands it out."""
        augment, rest = _parted(self.transform)
        table = None if augment is None else self._table()
        if augment is None or table is None:
            for step in changing(self.transform):
                step._sample = sample
            return self._present(self._pixels[sample], self.transform)
        # As in a batch: moved last, since values between pixels are no bytes.
        plain = self._present(self._pixels[sample], rest)
        moved = augment._moved(np.asarray(plain), np.array([sample]), float(table.lut[0]))
        return to_tensor(moved) if isinstance(plain, Tensor) else moved

    def _present(self, pixels: NDArray[np.uint8], transform: Callable[[Any], Any] | None) -> Any:
        """One image, uint8 [H, W] or [H, W, 3], in the backend's kind and transformed."""
        image: Any
        if self.backend == "pil":
            from PIL import Image

            image = Image.fromarray(pixels)
        else:
            image = pixels.astype(np.float32)
        if transform is not None:
            image = transform(image)
        return image if self.backend == "pil" else image.astype(self.dtype)

    def _table(self) -> Table | None:
        """This data set as a look-up table; None unless each float of a sample depends on one pixel alone.

        That is known only of Normalize, ToTensor and their Compose, and only of these very classes: a subclass may do
        anything. The table is what the transform itself makes of the values 0 to 255, so it agrees to the bit. An Augment
        at the front is left to whoever reads the table.
        """
        own = type(self)
        if self._pixels.ndim == 4:  # of colour: a transform may mix the channels
            return None
        if own.__getitem__ is not ArrayDataset.__getitem__ or own._present is not ArrayDataset._present:
            return None
        if own.__len__ is not ArrayDataset.__len__ or len(self._pixels) != len(self._targets):
            return None
        augment, rest = _parted(self.transform)
        signature = _signature(rest)
        if signature is None:
            return None
        key = signature, self.backend, self.dtype
        if self._cached[0] != key:
            self._cached = key, self._lut(rest)
        lut = self._cached[1]
        if lut is None:
            return None
        _, height, width = self._pixels.shape
        return Table(self._pixels[:, None], self._targets, lut, (1, height, width), augment)

    def _lut(self, transform: Callable[[Any], Any]) -> NDArray[np.float32] | None:
        """The transform's value for each pixel value, float32 [256]; None if it is no such thing."""
        values = np.arange(256, dtype=np.uint8).reshape(8, 32)
        scrambled = values * np.uint8(77) + np.uint8(13)  # every value again, elsewhere: 77 is odd
        with np.errstate(all="ignore"):
            straight, check = (np.asarray(self._present(image, transform)) for image in (values, scrambled))
        if straight.shape != (1, 8, 32) or straight.dtype != np.float32 or not np.isfinite(straight).all():
            return None
        lut = straight.reshape(256).copy()
        moves_pixels = not np.array_equal(lut[scrambled], check[0])
        return None if moves_pixels else lut

    def _batch(self, indices: Sequence[int] | NDArray[np.int64]) -> tuple[Tensor, NDArray[np.int64]] | None:
        """Samples as the default collation would stack them: float32 [n, C, H, W], in lanes where possible, and int64 [n, 1].

        None where ``_table()`` is.
        """
        table = self._table()
        if table is None or not len(indices):
            return None
        at = np.array(indices, np.int64)
        at[at < 0] += len(table.labels)
        if table.augment is not None:
            moved = table.augment._moved(table.lut[self._pixels[at]], at, float(table.lut[0]))
            return dense(moved[:, None]), table.labels[at, None]
        lanes = _core.gather(table.images, math.prod(table.shape), at, table.lut)
        return in_lanes(lanes, (len(at), *table.shape)), table.labels[at, None]


def _parted(transform: Any) -> tuple[Augment | None, Any]:
    """The Augment that a transform begins with, and the rest of it."""
    if type(transform) is Augment:
        return transform, None
    if type(transform) is Compose and isinstance(transform.transforms, (list, tuple)):
        steps = list(transform.transforms)
        if steps and type(steps[0]) is Augment:
            return steps[0], Compose(steps[1:])
    return None, transform


def _signature(transform: Any) -> tuple[Any, ...] | None:
    """What decides a transform's values, if it is made of the three known classes alone and cannot fail; else None."""
    kind = type(transform)
    if kind is Compose:
        steps = [_signature(step) for step in transform.transforms]
        return None if None in steps else ("Compose", *steps)
    if kind not in (Normalize, ToTensor) or tuple(transform.keys) != ("image",):
        return None
    if transform.data_format not in ("CHW", "HWC"):
        return None
    if kind is ToTensor:
        return ("ToTensor", transform.data_format)
    mean, std = np.ravel(transform.mean), np.ravel(transform.std)
    if len(mean) != 1 or len(std) != 1 or not {mean.dtype.kind, std.dtype.kind} <= set("iuf"):
        return None
    return ("Normalize", float(mean[0]), float(std[0]), transform.data_format, transform.to_rgb)


def _checked_images(images: Any) -> NDArray[np.uint8]:
    """``images`` as uint8 [N, H, W] or [N, H, W, 3], or an error that says what it should be."""
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        fix = "Convert with (x * 255).round().astype('uint8') if x is 0..1, else with x.astype('uint8')."
        raise TypeError(message("images", describe(images), "a numpy array of uint8", fix))
    if images.ndim == 4 and images.shape[1] == 1:
        images = images[:, 0]
    elif images.ndim == 4 and images.shape[1] == 3 and images.shape[3] != 3:
        images = images.transpose(0, 2, 3, 1)
    if images.ndim != 3 and (images.ndim != 4 or images.shape[3] != 3):
        raise ValueError(message("images", f"shape {list(images.shape)}", "[N, H, W], or of colour [N, H, W, 3]"))
    return np.require(images, requirements=["C", "W"])  # writable, so that ds.images[i] = x works


def _checked_labels(labels: Any, classes: int) -> NDArray[np.int64]:
    """``labels`` as int64 [N], or an error; below ``classes`` unless that is 0."""
    found = np.asarray(labels)
    if found.dtype.kind not in "iu" and found.size:
        fix = "Convert with y.astype('int64'); one-hot rows with y.argmax(axis=1)."
        raise TypeError(message("labels", describe(found), "whole numbers", fix))
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim != 1:
        raise ValueError(message("labels", f"shape {list(found.shape)}", "[N] or [N, 1]"))
    wrong = (found < 0) | (found >= classes) if classes else found < 0
    if wrong.any():
        at = int(np.argmax(wrong))
        expected = f"numbers from 0 to {classes - 1}" if classes else "numbers from 0"
        raise ValueError(message("labels", f"{found[at]} at position {at}", expected))
    return found.astype(np.int64)


def _exactly(value: ArrayLike, dtype: np.dtype[Any], what: str) -> NDArray[Any]:
    """``value`` in ``dtype``, or a ValueError if a number in it does not survive."""
    given = np.asarray(value)
    kept = given.astype(dtype)
    if not np.array_equal(kept, given):
        raise ValueError(message(what, describe(given), f"values that {dtype} holds exactly"))
    return kept
