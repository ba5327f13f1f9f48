"""Which files ``lenet read`` reads: those named, those of folders and of patterns, and how each is opened. Read by ``read``."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from lenet.messages.check import message
from lenet.reading.sources.source import Source, open_pages

__all__ = ["File", "find_files", "many_pages", "sources"]

# What is looked for in folders; a file that is named is opened whatever its name.
_ENDINGS = {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".webp", ".bmp", ".dib", ".gif", ".ppm", ".pgm"}
_ENDINGS |= {".pbm", ".pnm", ".avif", ".jp2", ".pcx", ".heic", ".heif", ".pdf"}


class File(NamedTuple):
    """A file to read. place: its name within the folder that was given. error: why there is none."""

    path: str
    place: str
    error: str = ""


def find_files(arguments: list[str], out: str | None) -> Iterator[File]:
    """The files that the arguments stand for, in their order; folders' and patterns' files by name."""
    for argument in arguments:
        path = os.path.expanduser(argument)
        if os.path.isdir(path):
            yield from _in_folder(path, out)
        elif os.path.lexists(path) or not glob.has_magic(path):
            yield File(path, os.path.basename(path))
        else:
            matching = sorted(glob.glob(path, recursive=True))
            if not matching:
                yield File(path, "", message(path, "a pattern that no file matches", "an image file", "Check the path"))
            for match in matching:
                if os.path.isdir(match):
                    yield from _in_folder(match, out)
                else:
                    yield File(match, os.path.basename(match))


def _in_folder(folder: str, out: str | None) -> Iterator[File]:
    """Its images and its folders' images but hidden ones, and but those drawn into ``out`` before."""
    none = True
    for here, folders, names in os.walk(folder):
        drawn = [n for n in folders if out is not None and _same(os.path.join(here, n), out)]
        folders[:] = sorted(n for n in folders if not n.startswith(".") and n not in drawn)
        for name in sorted(names):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in _ENDINGS:
                none = False
                path = os.path.join(here, name)
                yield File(path, os.path.relpath(path, folder))
    if none:
        expected = "at least one file that ends in .png, .jpg, .tif, .pdf or the like"
        yield File(folder, "", message(folder, "a folder without images", expected))


def _same(a: str, b: str) -> bool:
    return os.path.realpath(a) == os.path.realpath(b)


def sources(file: File, max_pixels: int, fail: Callable[[File, object], None]) -> Iterator[Source]:
    """A file's pages that can be decoded; each that cannot goes to ``fail`` with its error."""
    if file.error:
        fail(file, file.error)
        return
    try:
        with _silent_decoders():
            pages = open_pages(file.path, most_pixels=max_pixels)
    except (OSError, ValueError, ImportError) as error:
        fail(file, error)
        return
    for _ in range(len(pages)):
        try:
            with _silent_decoders():
                source = next(pages)
        except (OSError, ValueError) as error:
            fail(file, error)
        else:
            yield source


@contextmanager
def _silent_decoders() -> Iterator[None]:
    """libtiff, in C, writes its complaints to the process's standard error; ours says it better."""
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # there is none
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def many_pages(files: list[File]) -> str:
    """``12 pages`` if the one file has several; "" else, and if it cannot be opened, which is told later."""
    try:
        with _silent_decoders():
            pages = open_pages(files[0].path)
            pages.close()
            return f"{len(pages):,} pages" if len(pages) > 1 else ""
    except (OSError, ValueError, ImportError):
        return ""
