"""A user's own images in folders: ``DatasetFolder`` and ``ImageFolder`` under Paddle's names, and ``load_folder``.

The first two read each file when it is asked for and hand out colour. ``load_folder`` is for training on small images: it
brings everything to one size once, grey or in colour, keeps it in memory, and sets a test part aside.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from lenet.autograd.dtype import get_default_dtype
from lenet.data import fetch
from lenet.io import Dataset
from lenet.messages.check import describe, message, positive_int
from lenet.messages.progress import Progress
from lenet.vision.datasets.arrays import ArrayDataset
from lenet.vision.datasets.parts import IMG_EXTENSIONS, files_below, parts_of, visible_folders
from lenet.vision.image import get_image_backend, open_image

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["IMG_EXTENSIONS", "DatasetFolder", "ImageFolder", "load_folder", "small_image"]

_TINT = 40  # levels between an image's channels: JPEG leaves up to some thirty of them at the edges of what is grey

StrPath = str | os.PathLike[str]


class DatasetFolder(Dataset):
    """Labelled images: one folder per class, ``root/class_name/…/image.png``.

    root: the folder of class folders. loader: path -> image; None reads RGB, as a Pillow image or, with the backend
    ``"cv2"``, as uint8 [H, W, 3]. extensions: file names that count, in any case; None takes ``IMG_EXTENSIONS``.
    transform: called with each image. is_valid_file: path -> bool, in place of extensions.

    ``ds[i]`` is ``(image, class number)``. ``classes`` are the folders' names in order, ``class_to_idx`` their numbers,
    ``samples`` the (path, number) pairs, ``targets`` the numbers. Hidden folders and files (``.ipynb_checkpoints``,
    ``._7.png``) are passed over, unlike in Paddle. FileNotFoundError for a missing root, RuntimeError
    for one without images, ValueError for both extensions and is_valid_file, OSError naming a file that is no image.

    Paddle: ``paddle.vision.datasets.DatasetFolder``.
    """

    def __init__(
        self,
        root: StrPath,
        loader: Callable[[str], Any] | None = None,
        extensions: Sequence[str] | None = None,
        transform: Callable[[Any], Any] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
    ) -> None:
        self.root = _existing(root)
        self.loader = _default_loader if loader is None else loader
        self.transform = transform
        self.extensions, valid = _filter(extensions, is_valid_file)
        self.classes = visible_folders(self.root)
        self.class_to_idx = {name: number for number, name in enumerate(self.classes)}
        self.samples = [
            (path, number)
            for name, number in self.class_to_idx.items()
            for path in files_below(os.path.join(self.root, name))
            if valid(path)
        ]
        if not self.samples:
            _nothing(self.root, self.extensions, "class folders with images, as in root/7/image.png")
        self.targets = [number for _, number in self.samples]
        self.dtype = get_default_dtype()

    def __getitem__(self, index: int) -> tuple[Any, int]:
        path, target = self.samples[index]
        sample = self.loader(path)
        return (sample if self.transform is None else self.transform(sample)), target

    def __len__(self) -> int:
        return len(self.samples)


class ImageFolder(Dataset):
    """Images without labels: every image below ``root``, in the order of folder and file names.

    Arguments and errors are ``DatasetFolder``'s. ``ds[i]`` is ``[image]``, a list of one; ``samples`` are the paths.
    For labelled images take ``DatasetFolder``.

    Paddle: ``paddle.vision.datasets.ImageFolder``.
    """

    def __init__(
        self,
        root: StrPath,
        loader: Callable[[str], Any] | None = None,
        extensions: Sequence[str] | None = None,
        transform: Callable[[Any], Any] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
    ) -> None:
        self.root = _existing(root)
        self.loader = _default_loader if loader is None else loader
        self.transform = transform
        self.extensions, valid = _filter(extensions, is_valid_file)
        self.samples = list(filter(valid, files_below(self.root)))
        if not self.samples:
            _nothing(self.root, self.extensions, "image files in it or below")

    def __getitem__(self, index: int) -> list[Any]:
        sample = self.loader(self.samples[index])
        return [sample if self.transform is None else self.transform(sample)]

    def __len__(self) -> int:
        return len(self.samples)


def load_folder(
    path: StrPath,
    size: tuple[int, int] = (28, 28),
    transform: Callable[[Any], Any] | None = None,
    holdout: float = 0.1,
    colour: bool = False,
) -> tuple[ArrayDataset, ArrayDataset, list[str]]:
    """A folder of labelled images, ready to train on: ``(train, test, class names)``.

    path holds one folder per class, or parts that do: ``train`` and ``test``, ``training`` and ``testing``, ``Train`` and
    ``Valid`` and so on; of three the third is trained on too. Each image is turned as its camera said, laid on white
    where it is transparent, made grey unless ``colour`` says otherwise, and resized to ``size`` (height, width) without
    keeping its proportions; how many that changed stands in ``train.source.line``. Without parts, ``holdout`` of each
    class (at least one image) becomes the test part: those whose names hash lowest, so the choice is the same on every
    machine and a new file moves few others. Hidden folders and files are passed over.

    FileNotFoundError for a missing folder; ValueError for one without images, for fewer than two classes, for a class
    with a single image, for a test class that train lacks, for parts that are not clear, and for a ``holdout`` outside
    0..1; OSError naming a file that is no image.
    """
    height, width = (positive_int("size", side) for side in size)
    if not 0 < holdout < 1:
        raise ValueError(message("holdout", holdout, "a share between 0 and 1, such as 0.1"))
    root = _existing(path)
    split = parts_of(root)
    if split is not None:
        first, *more, test_part = (_dataset(folder) for folder in (*split.train, split.test))
        classes = first.classes
        parts = [[s for part in (first, *more) for s in _numbered(part, first)], _numbered(test_part, first)]
    else:
        whole = _dataset(root)
        classes, parts = whole.classes, _split(whole, holdout)
    if len(classes) < 2:
        inside = os.path.join(root, classes[0])
        fix = f"Give {inside}, if the class folders are in it" if split is None and visible_folders(inside) else ""
        raise ValueError(message(root, f"one class, {classes[0]!r}", "at least two class folders", fix))
    _every_class_has(parts[0], classes, root)
    count = sum(map(len, parts))
    _check_memory(root, count, height * width * (3 if colour else 1))
    made = _Made(colour)
    with Progress(f"reading {root}", count, unit="images") as bar:
        train_arrays = _read_all(parts[0], (height, width), bar, made)
        test_arrays = _read_all(parts[1], (height, width), bar, made)
    train, test = (ArrayDataset(*arrays, transform, "pil", classes) for arrays in (train_arrays, test_arrays))
    line = f"images of {len(classes)} classes from {root}{'' if split is None else f' ({split.line})'}"
    for name, part in (("train", train), ("test", test)):
        part.source = _account(name, part, root, line + made.line((height, width)))
    return train, test, classes


class _Made:
    """What was made of the images, counted: nothing of that happens without a word."""

    def __init__(self, colour: bool = False) -> None:
        self.colour = colour
        self.read = self.coloured = self.clear = self.resized = self.squeezed = 0

    def line(self, size: tuple[int, int]) -> str:
        """``; made grey (3 of 60 were in colour), resized to 28 x 28 (all 60)``; "" if they came as they are used."""
        steps = []
        if self.clear:
            steps.append(f"laid on white ({self._share(self.clear)} were transparent)")
        if self.coloured and not self.colour:
            steps.append(f"made grey ({self._share(self.coloured)} were in colour)")
        if self.resized:
            squeezed = f", {self._share(self.squeezed)} squeezed" if self.squeezed else ""
            steps.append(f"resized to {size[0]} x {size[1]} ({self._share(self.resized)}{squeezed})")
        return f"; {', '.join(steps)}" if steps else ""

    def _share(self, count: int) -> str:
        return f"all {count:,}" if count == self.read else f"{count:,} of {self.read:,}"


def _numbered(part: DatasetFolder, first: DatasetFolder) -> list[tuple[str, int]]:
    """A part's samples with the class numbers of the first part; ValueError for a class that this lacks."""
    unknown = [name for name in part.classes if name not in first.class_to_idx]
    if unknown:
        raise ValueError(message(part.root, f"classes {unknown}", f"only those of {first.root}: {first.classes}"))
    return [(file, first.class_to_idx[part.classes[number]]) for file, number in part.samples]


def _dataset(root: str) -> DatasetFolder:
    try:
        return DatasetFolder(root)
    except RuntimeError as error:  # Paddle's kind for a folder without images
        raise ValueError(str(error)) from None


def _account(name: str, part: ArrayDataset, root: str, line: str) -> fetch.Source:
    """Where this part came from; the hashes are those of its arrays, uint8 [N, H, W] and int64 [N]."""
    hashes = {f"{name}-images": fetch.sha256(part._pixels), f"{name}-labels": fetch.sha256(part._targets)}
    return fetch.Source("folder", line, dict.fromkeys(hashes, root), hashes)


def _split(whole: DatasetFolder, holdout: float) -> list[list[tuple[str, int]]]:
    """Training and test samples, both in the order of names; ``holdout`` of each class is the test part."""
    from hashlib import sha256

    def rank(sample: tuple[str, int]) -> bytes:
        return sha256(
            os.path.relpath(sample[0], whole.root).replace(os.sep, "/").encode("utf-8", "surrogateescape")
        ).digest()

    held: set[tuple[str, int]] = set()
    for number, name in enumerate(whole.classes):
        members = [sample for sample in whole.samples if sample[1] == number]
        if len(members) == 1:
            fix = f"Add images to {os.path.join(whole.root, name)} or remove it."
            raise ValueError(message(f"class {name!r}", "one image", "at least two, one to train and one to test", fix))
        held.update(sorted(members, key=rank)[: max(1, round(len(members) * holdout))])
    return [[s for s in whole.samples if s not in held], [s for s in whole.samples if s in held]]


def _every_class_has(samples: Sequence[tuple[str, int]], classes: Sequence[str], root: str) -> None:
    """ValueError unless each class has an image to train on."""
    seen = {number for _, number in samples}
    empty = [name for number, name in enumerate(classes) if number not in seen]
    if empty:
        given = f"no image in the class {' and '.join(map(repr, empty))}"
        raise ValueError(message(root, given, "images in every class folder", "Remove the folders without images."))


def _read_all(
    samples: Sequence[tuple[str, int]], size: tuple[int, int], bar: Progress, made: _Made
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images uint8 [N, H, W], or [N, H, W, 3] of colour, and class numbers int64 [N]."""
    images = np.empty((len(samples), *size, *([3] if made.colour else [])), np.uint8)
    for i, (path, _) in enumerate(samples):
        images[i] = small_image(path, size, made.colour, made)
        bar.update(made.read)
    return images, np.array([number for _, number in samples], np.int64)


_MOST_BYTES = 1 << 33  # of all images of a folder


def _check_memory(root: str, count: int, pixels: int) -> None:
    """ValueError for more than fits a usual machine's memory, before any of it is taken."""
    if count * pixels > _MOST_BYTES:
        given = f"{count:,} images of {pixels:,} bytes each"
        raise ValueError(message(root, given, f"at most {_MOST_BYTES >> 30} GiB in all", "Use a smaller size"))


def small_image(path: str, size: tuple[int, int], colour: bool = False, made: _Made | None = None) -> NDArray[np.uint8]:
    """One image file as uint8 [H, W], or [H, W, 3] of colour, as ``load_folder`` makes it."""
    from PIL import Image, ImageOps

    made = _Made() if made is None else made
    image = ImageOps.exif_transpose(open_image(path))
    if image.mode.startswith("I;16") or image.mode == "I":  # sixteen bits, which convert("L") would clip
        image = Image.fromarray((np.asarray(image, np.uint32) >> 8).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        made.clear += image.getchannel("A").getextrema()[0] != 255
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    made.read += 1
    made.coloured += _is_coloured(image)
    made.resized += image.size != size[::-1]
    made.squeezed += abs(image.width * size[0] - image.height * size[1]) > 0.05 * image.height * size[1]
    small = image.convert("RGB" if colour else "L").resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return np.asarray(small, np.uint8)


def _is_coloured(image: Image) -> bool:
    """Whether more than the noise of a compressed grey image is in its colours; looked at in some of its pixels."""
    if image.mode in ("1", "L", "LA", "La", "F"):
        return False
    some = image.convert("RGB").resize((32, 32), 0)  # NEAREST: colours as they are
    return bool(np.ptp(np.asarray(some, np.int16), axis=2).max() > _TINT)


def _existing(root: StrPath) -> str:
    """The folder as text with ``~`` resolved; FileNotFoundError if it isn't there."""
    folder = os.path.expanduser(os.fspath(root))
    if not os.path.isdir(folder):
        raise FileNotFoundError(message("root", f"{folder}, which is not there", "a folder that exists"))
    return folder


def _filter(
    extensions: Sequence[str] | None, is_valid_file: Callable[[str], bool] | None
) -> tuple[Sequence[str] | None, Callable[[str], bool]]:
    """The extensions in use (None if a function decides) and the function that decides."""
    if is_valid_file is not None:
        if extensions is not None:
            raise ValueError(message("extensions", "both extensions and is_valid_file", "one of the two"))
        return None, is_valid_file
    if extensions is None:
        extensions = IMG_EXTENSIONS
    if not isinstance(extensions, (list, tuple)):
        fix = "Write ('.png',) with a comma." if isinstance(extensions, str) else ""
        raise ValueError(message("extensions", describe(extensions), "a list or tuple", fix))
    endings = tuple(ending.lower() for ending in extensions)
    return extensions, lambda path: path.lower().endswith(endings)


def _nothing(root: str, extensions: Sequence[str] | None, expected: str) -> NoReturn:
    kinds = f"Files ending in {', '.join(extensions)} count." if extensions else "is_valid_file refused every file."
    raise RuntimeError(message(root, "a folder without images", expected, kinds))


def _default_loader(path: str) -> Any:
    image = open_image(path).convert("RGB")
    return image if get_image_backend() == "pil" else np.array(image)
