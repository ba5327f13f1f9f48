"""Folders that are parts of a data set, not classes: ``train`` and ``test`` as they come from elsewhere, under many names.

It looks at names and at where images lie, and opens none. Read by ``folder`` and by the command line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from lenet.messages.check import message

__all__ = ["IMG_EXTENSIONS", "Parts", "files_below", "parts_of", "visible_folders"]

IMG_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")

_WORDS = {
    "train": {"train", "training", "trn"},
    "val": {"val", "valid", "validation", "validate", "dev"},
    "test": {"test", "testing", "tst", "eval", "evaluation"},
}
_KINDS = {word: kind for kind, words in _WORDS.items() for word in words}
_ENDS = re.compile(r"(set|sets|data|images|imgs|split|part|folder|dir)$")
_SHOWN = 8  # names in a sentence


class Parts(NamedTuple):
    """Folders of class folders, full paths. train: to train on, one or two. test: to test on."""

    train: list[str]
    test: str

    @property
    def line(self) -> str:
        """Which they are, for a person to read."""
        return f"trained on {' and '.join(map(os.path.basename, self.train))}, tested on {os.path.basename(self.test)}"


def visible_folders(root: str) -> list[str]:
    """The names of the folders in ``root``, in order; without hidden ones and those that archives of macOS bring."""
    with os.scandir(root) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and _is_visible(entry.name))


def _is_visible(name: str) -> bool:
    return not name.startswith(".") and name != "__MACOSX"


def files_below(folder: str) -> Iterator[str]:
    """The files below ``folder`` that are not hidden, whatever they are, ordered by folder name and then file name.

    Links to folders are followed, but each folder is entered once.
    """
    seen: set[str] = set()
    places = []
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        folders[:] = [] if real in seen else list(filter(_is_visible, folders))
        if real not in seen:
            seen.add(real)
            places.append((place, names))
    for place, names in sorted(places):
        for name in sorted(names):
            if _is_visible(name):
                yield os.path.join(place, name)


def parts_of(root: str) -> Parts | None:
    """The parts that the folder ``root`` comes in; None if its folders are classes.

    A part is a folder that is called train, training, val, valid, test or the like, in any case, and has class folders. With
    train and test there may be a third, whose images are trained on too: the recipes hold out their own. With two, the
    other one is the test part. ValueError where that is not clear: two of one kind, none or only one to train on,
    images without class folders, or other folders with images beside them.
    """
    names = visible_folders(root)
    found: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for name in names:
        if _kind(name) and _has_class_folders(os.path.join(root, name)):
            found[_kind(name)].append(name)
    parts = [name for kind in found.values() for name in kind]
    rest = [name for name in names if name not in parts]
    flat = [name for name in rest if _kind(name) and _has_images(os.path.join(root, name))]
    if not parts and "train" not in map(_kind, flat):
        _check_no_parts_in_classes(root, names)
        return None
    others = [name for name in rest if not _kind(name) and _has_images(os.path.join(root, name))]
    if not parts:
        if not others and len(flat) > 1:
            given = f"images in {_listed(flat)} themselves"
            raise ValueError(message(root, given, "a folder for each class in them, as in root/train/7/image.png"))
        return None
    expected = "one part to train on and one to test on, each with a folder for each class"
    train = f"Give {os.path.join(root, found['train'][0])} to train on it alone" if found["train"] else ""
    if others or flat:
        given = f"{_listed(parts)} with class folders beside {_listed(flat + others)} without"
        raise ValueError(message(root, given, expected, train))
    if len(found["train"]) != 1 or max(map(len, found.values())) > 1 or len(parts) == 1:
        raise ValueError(message(root, _listed(parts), expected, train))
    *train_on, test_on = (os.path.join(root, name) for name in parts)
    return Parts(train_on, test_on)


def _check_no_parts_in_classes(root: str, classes: list[str]) -> None:
    """ValueError if class folders have parts in them: taken whole, what is to be tested on would be trained on."""
    for name in classes:
        inside = visible_folders(os.path.join(root, name))
        kinds = {_kind(part) for part in inside}
        if "train" in kinds and len(kinds) > 1 and "" not in kinds:
            given, part = f"{_listed(inside)} in the class {name}", inside[-1]
            expected = "parts around the classes, as in root/train/7 and root/test/7"
            raise ValueError(
                message(root, given, expected, f"Move {name}/{part} to {part}/{name}, and the others likewise")
            )


def _kind(name: str) -> str:
    """train, val or test, if the name says one of them; else ""."""
    words = re.findall(r"[a-z]+", name.lower())
    kinds = {_KINDS.get(word) or _KINDS.get(_ENDS.sub("", word)) for word in words} - {None}
    return str(kinds.pop()) if len(kinds) == 1 else ""


def _is_image(name: str) -> bool:
    return _is_visible(name) and name.lower().endswith(IMG_EXTENSIONS)


def _has_images(folder: str) -> bool:
    return any(_is_image(os.path.basename(path)) for path in files_below(folder))


def _has_class_folders(folder: str) -> bool:
    """Whether the images below lie in folders of it, not in itself."""
    with os.scandir(folder) as entries:
        if any(_is_image(entry.name) and entry.is_file() for entry in entries):
            return False
    return any(_has_images(os.path.join(folder, name)) for name in visible_folders(folder))


def _listed(names: list[str]) -> str:
    some = ", ".join(names[:_SHOWN])
    return f"{some} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else some
