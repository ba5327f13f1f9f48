"""Images from anywhere to pages of 8-bit colour: files, bytes, arrays; of every usual format, many pages, any depth.

It says what can be opened and hands out the pages; ``decode`` knows the decoders. Nothing here looks for ink. Read by
``read`` and by the command line.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from lenet.messages.check import choice, describe, message, positive_int
from lenet.reading.sources import decode

__all__ = ["MOST_PIXELS", "Pages", "Source", "open_pages"]

MOST_PIXELS = 100_000_000


@dataclass(frozen=True)
class Source:
    """One decoded page.

    rgb: uint8 [H, W, 3], upright; it may be the caller's own memory, so nobody writes to it. name: the file's name, ""
    for what has none. number, pages: which page of how many, from 1. width, height: of the page as given, upright, in
    pixels, which rgb may have fewer of. notes: what a person should know, such as that a GIF has more frames.
    """

    rgb: NDArray[np.uint8] = field(repr=False, compare=False)
    name: str
    number: int
    pages: int
    width: int
    height: int
    notes: tuple[str, ...] = ()

    @property
    def scale(self) -> float:
        """Pixels of rgb for each pixel of the page as given: 1, or close to 1/2, 1/4 or 1/8."""
        return self.rgb.shape[1] / self.width


class Pages:
    """The pages of one file, decoded one by one: an iterator with a length.

    A page that cannot be decoded raises OSError or ValueError where it stands; ``next`` then gives the page after it. The
    file is closed after the last page, by ``close`` or with the iterator.
    """

    def __init__(self, count: int, load: Callable[[int], Source], close: Callable[[], None] | None = None) -> None:
        self._count, self._at = count, 0
        self._load, self._close = load, close

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Pages:
        return self

    def __next__(self) -> Source:
        if self._at >= self._count:
            raise StopIteration
        self._at += 1
        try:
            return self._load(self._at)
        finally:
            if self._at == self._count:
                self.close()

    def close(self) -> None:
        """Close the file; there are no further pages then."""
        self._at = self._count
        if self._close is not None:
            self._close()
            self._close = None

    def __del__(self) -> None:
        self.close()


def open_pages(source: object, *, most_pixels: int = MOST_PIXELS, animated: str = "first") -> Pages:
    """The pages of a path, bytes, a binary file object, a Pillow image or a numpy array, each as a ``Source``.

    Files: PNG, JPEG, TIFF, WebP, BMP, GIF and their like; PDF with pypdfium2 installed, HEIC with pillow-heif. Arrays: as
    ``pixels.picture_of`` takes them, channels last. most_pixels: larger pages are refused before they are decoded.
    animated: "first" takes an animation's first frame, "all" each of them. A page of 12 million pixels or more comes out
    at half its width, a quarter or an eighth, as long as 3 million are left. A ``Source`` comes out as it went in.

    FileNotFoundError, IsADirectoryError, PermissionError, OSError (damaged), ValueError (nothing to read in it),
    TypeError (another kind of object), ImportError (a package is missing): each one sentence.
    """
    positive_int("most_pixels", most_pixels)
    choice("animated", animated, ("first", "all"))
    if isinstance(source, Source):
        return Pages(1, lambda _: source)
    if isinstance(source, (str, os.PathLike)):
        name = os.fspath(source)
        name = name if isinstance(name, str) else os.fsdecode(name)
        return _from_file(_opened(name), name, most_pixels, animated)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _from_file(BytesIO(source), "", most_pixels, animated)
    if hasattr(source, "read"):
        content = source.read()
        if not isinstance(content, bytes):
            raise TypeError(message("image", f"a file opened for text: {describe(source)}", 'one opened with "rb"'))
        name = getattr(source, "name", "")
        return _from_file(BytesIO(content), name if isinstance(name, str) else "", most_pixels, animated)
    pillow = sys.modules.get("PIL.Image")  # without Pillow loaded, nobody has one of its images
    if pillow is not None and isinstance(source, pillow.Image):
        return _from_picture(source, most_pixels)
    if hasattr(source, "__array__"):
        return _from_array(np.asarray(source), most_pixels)
    raise TypeError(message("image", describe(source), "a path, bytes, a file object, a Pillow image or a numpy array"))


# ---- from where ---------------------------------------------------------------------------------------------------------


def _opened(path: str) -> IO[bytes]:
    """The file, open; an OSError of one sentence if it is not there, a folder, a pipe or not readable."""
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            fix = "Name the files in it, or type `lenet read FOLDER`"
            raise IsADirectoryError(message(path, "a folder", "an image file", fix))
        if not stat.S_ISREG(mode):  # reading a pipe that nobody writes to would wait for ever
            raise OSError(message(path, "a pipe or a device", "an image file"))
        return open(path, "rb")
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(message(path, "no such file", "an image file", "Check the path")) from None
    except PermissionError:
        raise PermissionError(message(path, "a file that may not be read", "one you have the right to read")) from None
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is None:  # the sentences above
            raise
        raise OSError(message(path, f"a path that cannot be opened ({error})", "an image file")) from None


def _from_file(file: IO[bytes], name: str, most_pixels: int, animated: str) -> Pages:
    try:
        found = decode.opened(file, name or "image", most_pixels, animated)
    except BaseException:
        file.close()
        raise

    def load(number: int) -> Source:
        rgb, width, height = found.page(number)
        return Source(rgb, name, number, found.pages, width, height, found.notes)

    def close() -> None:
        found.close()
        file.close()

    return Pages(found.pages, load, close)


def _from_picture(picture: Any, most_pixels: int) -> Pages:
    """A Pillow image: the frame it is at."""
    name = getattr(picture, "filename", "")
    name = name if isinstance(name, str) else ""
    rgb, width, height = decode.picture_page(picture, name or "image", most_pixels)
    return Pages(1, lambda _: Source(rgb, name, 1, 1, width, height))


def _from_array(array: NDArray[Any], most_pixels: int) -> Pages:
    rgb, width, height = decode.array_page(array, "image", most_pixels)
    return Pages(1, lambda _: Source(rgb, "", 1, 1, width, height))
