"""``Cifar10`` and ``Cifar100`` under Paddle's names: small photographs in colour, 32 × 32.

Finding and proving the archive is ``data.archives``' work. Its pickles are read by a reader that makes arrays, lists and
numbers and nothing else: what a file says is never run.
"""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lenet.autograd.dtype import get_default_dtype
from lenet.data import archives
from lenet.io import Dataset
from lenet.messages.check import choice, describe, message
from lenet.vision.image import BACKENDS, get_image_backend

__all__ = ["Cifar10", "Cifar100"]

_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


class _Reader(pickle.Unpickler):
    """Arrays, lists, dicts, bytes and numbers alone."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise ValueError(message("data file", f"a pickle that asks for {module}.{name}", "arrays and numbers"))
        return super().find_class("numpy._core.multiarray" if name == "_reconstruct" else module, name)


class Cifar10(Dataset):
    """Photographs of ten kinds of things in colour, 32 × 32: 50,000 to train and 10,000 to test.

    data_file: ``cifar-10-python.tar.gz``; None takes the published one from ``LENET_DATA``, our cache, Paddle's cache, or
    its authors' site, checked against the published MD5. mode: 'train' or 'test'. transform: called with each image.
    download: False takes only what is on this machine. backend: 'pil' hands out Pillow images of mode RGB, 'cv2' float32
    arrays [32, 32, 3] of 0 to 255, red first; None takes ``get_image_backend()``.

    ``ds[i]`` is ``(image, label)``: the label int64, 0-D, as in Paddle. ValueError for a wrong mode or backend and for a
    file of another kind; RuntimeError naming the ways to bring the data if it is nowhere to be had.
    """

    NAME = "cifar10"
    _parts: ClassVar[dict[str, str]] = {"train": "data_batch", "test": "test_batch"}
    _labels = b"labels"
    classes: tuple[str, ...] = (
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    )  # fmt: skip

    def __init__(
        self,
        data_file: str | os.PathLike[str] | None = None,
        mode: str = "train",
        transform: Callable[[Any], Any] | None = None,
        download: bool = True,
        backend: str | None = None,
    ) -> None:
        if not isinstance(mode, str):
            raise TypeError(message("mode", describe(mode), "'train' or 'test'"))
        self.mode = choice("mode", mode.lower(), ("train", "test"))
        self.backend = choice("backend", get_image_backend() if backend is None else backend, BACKENDS)
        (file,) = archives.ARCHIVES[self.NAME].md5
        found = archives.named(data_file) if data_file else archives.obtain(self.NAME, file, download=download)
        self.data_file, self.source_line = found
        self.transform = transform
        self.dtype = get_default_dtype()
        self._images, self._targets = self._read(found.path)

    def _read(self, path: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """[N, 32, 32, 3] and [N]."""
        import tarfile  # slow to import, seldom needed

        images, labels = [], []
        try:
            with tarfile.open(path) as archive:
                members = {m.name: m for m in archive.getmembers() if m.isfile() and self._parts[self.mode] in m.name}
                for name in sorted(members):
                    content = archive.extractfile(members[name])
                    batch = _Reader(io.BytesIO(b"" if content is None else content.read()), encoding="bytes").load()
                    images.append(np.asarray(batch[b"data"], np.uint8).reshape(-1, 3, 32, 32))
                    labels.append(np.asarray(batch[self._labels], np.int64).reshape(-1))
        except (tarfile.TarError, EOFError, KeyError, TypeError, IndexError, pickle.UnpicklingError, OSError) as error:
            raise ValueError(message("data file", f"{path} ({error})", f"an archive like {self.NAME}'s")) from None
        if not images or any(len(i) != len(n) for i, n in zip(images, labels, strict=True)):
            raise ValueError(message("data file", f"{path} without {self._parts[self.mode]}", f"{self.NAME}'s archive"))
        return np.ascontiguousarray(np.concatenate(images).transpose(0, 2, 3, 1)), np.concatenate(labels)

    @property
    def data(self) -> list[tuple[NDArray[np.uint8], int]]:
        """(image [3072], label) pairs, as Paddle keeps them: a copy."""
        flat = self._images.transpose(0, 3, 1, 2).reshape(len(self), -1)
        return list(zip(flat, self._targets.tolist(), strict=True))

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, idx: int) -> tuple[Any, NDArray[np.int64]]:
        image: Any = self._images[idx]
        if self.backend == "pil":
            from PIL import Image

            image = Image.fromarray(image)
        if self.transform is not None:
            image = self.transform(image)
        if self.backend == "cv2":
            image = image.astype(self.dtype)
        return image, np.array(self._targets[idx])


class Cifar100(Cifar10):
    """Photographs of a hundred kinds of things in colour, 32 × 32: 50,000 to train and 10,000 to test.

    Arguments, results and errors are ``Cifar10``'s; the file is ``cifar-100-python.tar.gz``, the labels the fine ones.
    """

    NAME = "cifar100"
    _parts: ClassVar[dict[str, str]] = {"train": "train", "test": "test"}
    _labels = b"fine_labels"
    classes = ()
