"""The IDX files that MNIST-class data comes in: read, checked and written.

An IDX file is a big-endian header (two zero bytes, a type code, the number of dimensions, then each dimension as a
32-bit count) followed by the values, last dimension fastest. Images have three dimensions, uint8 [N, H, W], magic
number 2051; labels have one, uint8 [N], magic number 2049. Files may be plain or gzipped: the content decides, never
the suffix.

This module knows files and numbers, no data set's name, hash or address. Read by ``_fetch`` and ``vision.datasets``.
"""

from __future__ import annotations

import math
import os
import time
import zlib
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from lenet._check import message

__all__ = ["images", "inflate", "labels", "read", "read_pair", "same_count", "sweep", "write", "write_bytes"]

Path = str | os.PathLike[str]
Bytes = NDArray[np.uint8]

_KINDS = {2051: "images (magic number 2051)", 2049: "labels (magic number 2049)"}
_GZIP = b"\x1f\x8b"
_STALE_SECONDS = 600.0  # a temp file as old as this belongs to a process that died: writing one takes seconds


def read(path: Path) -> Bytes:
    """The file's uncompressed content, uint8 [bytes]; FileNotFoundError if there is none, ValueError for bad gzip."""
    name = os.fspath(path)
    if os.path.isdir(name):
        raise IsADirectoryError(message("data file", f"the folder {name}", "one IDX file", "Name the file inside it."))
    try:
        content = np.fromfile(name, np.uint8)
    except FileNotFoundError:
        fix = "Check the path for a misspelling."
        raise FileNotFoundError(message("data file", f"{name}, which does not exist", "an IDX file", fix)) from None
    return inflate(content, name)


def inflate(content: Bytes, what: str, limit: int = 1 << 32) -> Bytes:
    """``content`` itself, or what it holds if it is gzipped: ``limit`` bytes at most, whatever hostile data claims."""
    if content[:2].tobytes() != _GZIP:
        return content
    rest, pieces, size = content.data, [], 0
    while rest[:2] == _GZIP:  # a gzip file may be several joined ones; zero padding after the last is allowed
        engine = zlib.decompressobj(31)
        try:
            piece = engine.decompress(rest, limit - size + 1)
        except zlib.error as error:
            raise ValueError(_broken_gzip(what, f"damaged gzip data ({error})")) from None
        size += len(piece)
        if size > limit:
            raise ValueError(_broken_gzip(what, f"gzip data of more than {limit} bytes"))
        if not engine.eof:
            raise ValueError(_broken_gzip(what, f"gzip data that stops after {size} bytes"))
        pieces.append(piece)
        rest = memoryview(engine.unused_data)
    return np.frombuffer(pieces[0] if len(pieces) == 1 else b"".join(pieces), np.uint8)


def _broken_gzip(what: str, given: str) -> str:
    return message(what, given, "a complete gzip file", "Delete it and fetch it again.")


def images(content: Bytes, what: str) -> Bytes:
    """The images in an uncompressed IDX file, uint8 [N, H, W], a view of ``content``."""
    return _parse(content, what, 2051)


def labels(content: Bytes, what: str, classes: int | None = None) -> Bytes:
    """The labels in an uncompressed IDX file, uint8 [N], a view of ``content``; all below ``classes`` if given."""
    found = _parse(content, what, 2049)
    if classes is not None and found.size and int(found.max()) >= classes:
        at = int(np.argmax(found >= classes))
        given = f"label {int(found[at])} at position {at}"
        raise ValueError(message(what, given, f"labels from 0 to {classes - 1}", "Is this the right label file?"))
    return found


def same_count(image_count: int, label_count: int, image_name: str, label_name: str) -> None:
    """ValueError unless there are as many images as labels."""
    if image_count != label_count:
        given = f"{image_count} images ({image_name}) and {label_count} labels ({label_name})"
        fix = "A training and a test file may be mixed: give both files of one set."
        raise ValueError(message("image and label file", given, "equal counts", fix))


def read_pair(image_path: Path, label_path: Path, classes: int | None = None) -> tuple[Bytes, Bytes]:
    """Both files of a set, checked against each other: uint8 [N, H, W] and uint8 [N].

    FileNotFoundError for a missing file; ValueError for one that is truncated, too long, swapped with the other, an
    HTML page, of another type, or whose count differs from the other's.
    """
    image_name, label_name = os.fspath(image_path), os.fspath(label_path)
    found = images(read(image_name), image_name)
    marks = labels(read(label_name), label_name, classes)
    same_count(len(found), len(marks), image_name, label_name)
    return found, marks


def _parse(content: Bytes, what: str, magic: int) -> Bytes:
    """The values behind a header with this magic number, in the shape that the header states."""
    axes = 3 if magic == 2051 else 1
    start = 4 + 4 * axes
    head = content[:start].tobytes()
    seen = int.from_bytes(head[:4], "big")
    expected = "an IDX file of " + _KINDS[magic]
    if len(head) < 4 or seen != magic:
        raise ValueError(message(what, *_foreign(head, seen, expected)))
    if len(head) < start:
        raise ValueError(message(what, f"{content.size} bytes", f"a header of {start} bytes", "The file is truncated."))
    shape = tuple(int.from_bytes(head[4 * i : 4 * i + 4], "big") for i in range(1, axes + 1))
    need = start + math.prod(shape)
    if content.size != need:
        given = f"{content.size} bytes"
        wanted = f"{need} bytes, as its header says ({' x '.join(map(str, shape))} values)"
        fix = "It is truncated: fetch it again." if content.size < need else "It has bytes too many: fetch it again."
        raise ValueError(message(what, given, wanted, fix))
    return content[start:].reshape(shape)


def _foreign(head: bytes, seen: int, expected: str) -> tuple[str, str, str]:
    """Given, expected and fix for a file that is not what it should be."""
    if not head:
        return "an empty file", expected, "Fetch it again."
    if head.lstrip()[:1] == b"<":
        return (
            "an HTML or XML page",
            expected,
            "A failed download was saved here: delete it, fetch it again.",
        )
    if seen in _KINDS:
        return _KINDS[seen], expected, "The image and the label file look swapped: exchange the two paths."
    return f"magic number {seen} (bytes {head[:4].hex(' ')})", expected, "This is another kind of file."


def write(path: Path, array: NDArray[np.uint8]) -> None:
    """Write uint8 [N, H, W] or [N] as a plain IDX file, whole or not at all."""
    if array.dtype != np.uint8 or not 1 <= array.ndim <= 3:
        given = f"{array.dtype} {list(array.shape)}"
        raise ValueError(message("IDX values", given, "uint8 of one to three dimensions", "Convert them first."))
    head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    write_bytes(path, head + array.tobytes())


def write_bytes(path: Path, content: bytes | Bytes) -> None:
    """Write a file by way of a temp file beside it and a rename: readers see all of it or nothing, whoever dies when.

    Makes the folder if there is none. Two processes may write the same file at once; the later rename stays.
    """
    folder, name = os.path.split(os.path.abspath(os.fspath(path)))
    os.makedirs(folder, exist_ok=True)
    sweep(folder)
    part = os.path.join(folder, f".{name}.{os.urandom(6).hex()}.part")
    try:
        with open(part, "xb") as file:
            file.write(content if isinstance(content, bytes) else content.data)
        os.replace(part, os.path.join(folder, name))
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise


def sweep(folder: str) -> None:
    """Remove what killed processes left in ``folder``: entries named ``*.part`` and untouched for ten minutes."""
    import shutil

    before = time.time() - _STALE_SECONDS
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".part") and entry.stat(follow_symlinks=False).st_mtime < before:
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    os.unlink(entry.path)
