"""The IDX files that MNIST-class data comes in: read, checked and written.

An IDX file is a big-endian header (two zero bytes, a type code, the number of dimensions, then each dimension as a
32-bit count) followed by the values, last dimension fastest. Images have three dimensions, uint8 [N, H, W], magic
number 2051; labels have one, uint8 [N], magic number 2049. Files may be plain or gzipped: the content decides, never
the suffix.

This module knows files and numbers, no data set's name, hash or address. Read by ``fetch`` and ``vision.datasets``.
"""

from __future__ import annotations

import math
import os
import stat
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lenet.disk.write import atomic_write
from lenet.messages.check import message

__all__ = ["images", "inflate", "labels", "read", "read_pair", "same_count", "write"]

Path = str | os.PathLike[str]
Bytes = NDArray[np.uint8]

_KINDS = {2051: "images (magic number 2051)", 2049: "labels (magic number 2049)"}
_GZIP = b"\x1f\x8b"
_HEAD = 4096  # bytes that tell what a file is
_START = 16  # bytes of a header
_UNKNOWN = 16 << 20  # bytes that are inflated of what is no IDX file
_PIECE = 1 << 16  # bytes that are inflated at once
_LARGE, _MOST_FOLD = 100 << 20, 200  # more bytes than this, out of so many times fewer: MNIST's are five times fewer


def read(path: Path) -> Bytes:
    """The file's uncompressed content, uint8 [bytes]; FileNotFoundError if there is none, ValueError for bad gzip.

    The header comes first: of a file that is none of these, no more than its beginning is read, and of one that is longer
    than its header says, nothing else. No file takes more memory than its header asks for.
    """
    name = os.fspath(path)
    try:
        about = os.stat(name)
        if stat.S_ISDIR(about.st_mode):
            text = message("data file", f"the folder {name}", "one IDX file", "Name the file inside it.")
            raise IsADirectoryError(text)
        if not stat.S_ISREG(about.st_mode):  # one may wait at a pipe, and read from a device, for ever
            raise ValueError(message("data file", f"{name}, a pipe or a device", "an IDX file"))
        head = np.fromfile(name, np.uint8, _HEAD)
        if head[:2].tobytes() == _GZIP:
            return inflate(np.fromfile(name, np.uint8), name)
        need = _need(head.tobytes())
        if need is None and about.st_size > _HEAD:
            return head  # whoever looks at it says what it is not
        if need is not None and about.st_size > max(need, _HEAD):
            raise ValueError(_wrong_size(name, about.st_size, need, head.tobytes()))
        return np.fromfile(name, np.uint8)
    except FileNotFoundError:
        fix = "Check the path for a misspelling."
        raise FileNotFoundError(message("data file", f"{name}, which does not exist", "an IDX file", fix)) from None


def inflate(content: Bytes, what: str, limit: int = 1 << 32) -> Bytes:
    """``content`` itself, or what it holds if it is gzipped: ``limit`` bytes at most, whatever hostile data claims.

    Of an IDX file that is as many as its header says, of another one its beginning. ValueError for damaged data, for
    data without end, and for a file of very many bytes in very few, which is hardly a data set.
    """
    if content[:2].tobytes() != _GZIP:
        return content
    found, need = bytearray(), None
    for piece in _inflated(content, what):
        found += piece
        if len(found) >= _START and need is None:
            need = _need(found)
            if need is not None and need > _LARGE and need > _MOST_FOLD * content.size:
                given = f"{content.size:,} bytes of gzip data for {need:,}"
                raise ValueError(message(what, given, "data that are worth it", "If they are, unpack them: gunzip"))
        if need is None and len(found) > _UNKNOWN:
            return np.frombuffer(found[:_HEAD], np.uint8)
        if len(found) > min(limit, limit if need is None else need):
            raise ValueError(_broken_gzip(what, f"gzip data of more than {min(limit, need or limit)} bytes"))
    return np.frombuffer(found, np.uint8)


def _inflated(content: Bytes, what: str) -> Iterator[bytes]:
    """What gzip data hold, in pieces of at most 1 MiB. A file may be several joined ones, and zeros may follow them."""
    rest, at = memoryview(content.data), 0
    while rest[at : at + 2] == _GZIP:
        engine = zlib.decompressobj(31)
        size = 0
        while not engine.eof:
            part = rest[at : at + _PIECE]
            try:
                piece = engine.decompress(part, 1 << 20)
            except zlib.error as error:
                raise ValueError(_broken_gzip(what, f"damaged gzip data ({error})")) from None
            at += len(part) - len(engine.unconsumed_tail) - len(engine.unused_data)
            size += len(piece)
            if not piece and not engine.eof and at >= len(rest):
                raise ValueError(_broken_gzip(what, f"gzip data that stops after {size} bytes"))
            yield piece


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
    need = _need(head)
    assert need is not None  # its magic number was looked at
    if content.size != need:
        raise ValueError(_wrong_size(what, content.size, need, head))
    return content[start:].reshape(_shape(head))


def _shape(head: bytes | bytearray) -> tuple[int, ...]:
    axes = 3 if head[3] == 3 else 1
    return tuple(int.from_bytes(head[4 * i : 4 * i + 4], "big") for i in range(1, axes + 1))


def _need(head: bytes | bytearray) -> int | None:
    """How many bytes a file has that begins so, by its own account; None if it is no IDX file of the two kinds."""
    if int.from_bytes(head[:4], "big") not in _KINDS or len(head) < (16 if head[3] == 3 else 8):
        return None
    shape = _shape(head)
    return 4 + 4 * len(shape) + math.prod(shape)


def _wrong_size(what: str, size: int, need: int, head: bytes) -> str:
    wanted = f"{need} bytes, as its header says ({' x '.join(map(str, _shape(head)))} values)"
    fix = "It is truncated: fetch it again." if size < need else "It has bytes too many: fetch it again."
    return message(what, f"{size} bytes", wanted, fix)


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
    atomic_write(path, head + array.tobytes())
