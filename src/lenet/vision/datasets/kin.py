"""MNIST's kin: ``KMNIST``, ``QMNIST`` and ``EMNIST``, in the same form, with files of their own.

Finding and proving the files is ``data.archives``' work. Paddle has none of these three.
"""

from __future__ import annotations

import os
import string
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.data import archives, fetch, idx
from lenet.messages.check import choice, message
from lenet.vision.datasets.arrays import ArrayDataset
from lenet.vision.image import BACKENDS, get_image_backend

__all__ = ["EMNIST", "KMNIST", "QMNIST"]

Bytes = NDArray[np.uint8]


class _Kin(ArrayDataset):
    """``_content`` says which bytes are the images and which the labels."""

    NAME = ""

    def __init__(
        self,
        mode: str = "train",
        transform: Callable[[Any], Any] | None = None,
        download: bool = True,
        backend: str | None = None,
    ) -> None:
        self.mode = choice("mode", mode, ("train", "test"))
        backend = choice("backend", get_image_backend() if backend is None else backend, BACKENDS)
        self._files: dict[str, archives.File] = {}
        images, labels = self._load(download)
        title = archives.ARCHIVES[self.NAME].title
        lines = dict.fromkeys(file.line for file in self._files.values())
        hashes = {name: fetch.sha256(np.fromfile(file.path, np.uint8)) for name, file in self._files.items()}
        paths = {name: file.path for name, file in self._files.items()}
        self.source = fetch.Source(self.NAME, f"{title} from {' and '.join(lines)}", paths, hashes)
        super().__init__(images, labels, transform, backend)

    def _load(self, download: bool) -> tuple[NDArray[Any], NDArray[Any]]:
        raise NotImplementedError

    def _file(self, name: str, download: bool) -> archives.File:
        self._files[name] = archives.obtain(self.NAME, name, download=download)
        return self._files[name]


def _pair(images: Bytes, labels: Bytes, what: str, classes: int) -> tuple[NDArray[Any], NDArray[Any]]:
    found = idx.images(images, what), idx.labels(labels, what, classes)
    idx.same_count(len(found[0]), len(found[1]), what, what)
    return found


class KMNIST(_Kin):
    """Ten characters of old Japanese handwriting in MNIST's form: 60,000 to train and 10,000 to test.

    mode: 'train' or 'test'. transform, backend and what ``ds[i]`` is: as ``MNIST``. download: False takes only what is on
    this machine. RuntimeError naming the ways to bring the data. Data: Clanuwat et al. 2018.
    """

    NAME = "kmnist"
    classes = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")

    def _load(self, download: bool) -> tuple[NDArray[Any], NDArray[Any]]:
        stem = "train" if self.mode == "train" else "t10k"
        images, labels = (
            idx.read(self._file(f"{stem}-{kind}-ubyte.gz", download).path) for kind in ("images-idx3", "labels-idx1")
        )
        return _pair(images, labels, self.NAME, 10)


class QMNIST(_Kin):
    """MNIST made anew from its sources: 60,000 to train and 60,000 to test, of which the first 10,000 are MNIST's.

    Arguments as ``KMNIST``. Data: Yadav and Bottou 2019.
    """

    NAME = "qmnist"
    classes = tuple("0123456789")

    def _load(self, download: bool) -> tuple[NDArray[Any], NDArray[Any]]:
        stem = f"qmnist-{self.mode}"
        images = idx.read(self._file(f"{stem}-images-idx3-ubyte.gz", download).path)
        path = self._file(f"{stem}-labels-idx2-int.gz", download).path
        return idx.images(images, self.NAME), _first_column(path)


def _first_column(path: str) -> NDArray[np.int64]:
    """The classes of a gzipped table of whole numbers [N, 8], as QMNIST describes its digits."""
    import gzip

    with gzip.open(path, "rb") as file:
        content = file.read(1 << 28)
    magic, rows, columns = (int.from_bytes(content[i : i + 4], "big") for i in (0, 4, 8))
    if magic != 0x0C02 or len(content) != 12 + 4 * rows * columns:
        raise ValueError(message("data file", path, "a table of labels (magic number 3074)"))
    return np.frombuffer(content, ">i4", offset=12).reshape(rows, columns)[:, 0].astype(np.int64)


_DIGITS = string.digits
_ALIKE = set("cijklmopsuvwxyz")  # whose small letter looks like the capital
_MERGED = tuple(_DIGITS + string.ascii_uppercase + "".join(c for c in string.ascii_lowercase if c not in _ALIKE))
SPLITS = {
    "balanced": _MERGED,
    "bymerge": _MERGED,
    "byclass": tuple(_DIGITS + string.ascii_uppercase + string.ascii_lowercase),
    "letters": tuple(string.ascii_lowercase),
    "digits": tuple(_DIGITS),
    "mnist": tuple(_DIGITS),
}


class EMNIST(_Kin):
    """Handwritten letters and digits in MNIST's form. Data: Cohen, Afshar, Tapson and van Schaik 2017.

    split: 'balanced' (47 classes), 'bymerge' (47), 'byclass' (62), 'letters' (26, labels from 0), 'digits' or 'mnist'.
    The images come upright: the files hold them lying. The other arguments as ``KMNIST``; data_file: ``gzip.zip``.
    """

    NAME = "emnist"

    def __init__(
        self,
        split: str = "balanced",
        mode: str = "train",
        transform: Callable[[Any], Any] | None = None,
        download: bool = True,
        backend: str | None = None,
        data_file: str | os.PathLike[str] | None = None,
    ) -> None:
        self.split = choice("split", split, tuple(SPLITS))
        self.classes = SPLITS[split]
        self._named = data_file
        super().__init__(mode, transform, download, backend)

    def _load(self, download: bool) -> tuple[NDArray[Any], NDArray[Any]]:
        import zipfile  # slow to import, seldom needed

        (name,) = archives.ARCHIVES[self.NAME].md5
        if self._named:
            self._files[name] = archives.named(self._named)
        else:
            self._file(name, download)
        path = self._files[name].path
        contents = []
        try:
            with zipfile.ZipFile(path) as archive:
                for kind in ("images-idx3", "labels-idx1"):
                    wanted = f"emnist-{self.split}-{self.mode}-{kind}-ubyte.gz"
                    (member,) = [m for m in archive.namelist() if m.endswith(wanted)]
                    contents.append(idx.inflate(np.frombuffer(archive.read(member), np.uint8), wanted))
        except (zipfile.BadZipFile, ValueError) as error:
            raise ValueError(message("data file", f"{path} ({error})", "EMNIST's gzip.zip")) from None
        first = 1 if self.split == "letters" else 0
        images, labels = _pair(contents[0], contents[1], path, len(self.classes) + first)
        return np.ascontiguousarray(images.swapaxes(-1, -2)), labels.astype(np.int64) - first
