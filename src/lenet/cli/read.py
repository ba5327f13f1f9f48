"""``lenet read``: the digits on photos, scans and PDFs, line by line, as text, JSON or CSV, and drawn onto the pages."""

from __future__ import annotations

import csv
import glob
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NamedTuple

import typer

from lenet._check import choice, message, positive_int
from lenet.cli.shared import clean, exit_codes, load_model, print_json, show
from lenet.device import set_num_threads
from lenet.progress import Progress
from lenet.reading._annotate import annotate as annotated
from lenet.reading._read import LAYOUTS, read_singles
from lenet.reading._read import read as read_page
from lenet.reading.page import Page
from lenet.reading.reader import Reader
from lenet.reading.source import MOST_PIXELS, Source, open_pages
from lenet.serialization import atomic_write

__all__ = ["read"]

# What is looked for in folders; a file that is named is opened whatever its name.
_ENDINGS = {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".webp", ".bmp", ".dib", ".gif", ".ppm", ".pgm"}
_ENDINGS |= {".pbm", ".pnm", ".avif", ".jp2", ".pcx", ".heic", ".heif", ".pdf"}
_WRITTEN = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF"}
_COLUMNS = ["file", "page", "line", "number", "digit", "label", "confidence", "second", "second_confidence", "rejected"]
_COLUMNS += ["x0", "y0", "x1", "y1"]
_TOGETHER, _TOGETHER_PIXELS = 512, 4_000_000  # single images that the network is shown at once
_NAMED = 5  # files that the last line names


def read(
    files: Annotated[
        list[str],
        typer.Argument(help="Images, PDFs, folders of them, or patterns such as 'scans/*.png'.", metavar="FILE"),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a row for each digit, with its box.")] = False,
    annotate: Annotated[
        str | None,
        typer.Option(
            help="Draw what was read onto the page: to this image file, or for many into this folder.", metavar="OUT"
        ),
    ] = None,
    layout: Annotated[
        str,
        typer.Option(
            help="lines: numbers in lines. table: each cell is a number. single: the whole image is one digit.",
            metavar="LAYOUT",
        ),
    ] = "lines",
    min_confidence: Annotated[
        float | None,
        typer.Option(help="Reject digits less sure than this, 0 to 1. [a rule that also rejects prose]", metavar="P"),
    ] = None,
    max_pixels: Annotated[int, typer.Option(help="Refuse larger images.", metavar="N")] = MOST_PIXELS,
    model: Annotated[
        str | None, typer.Option(help="A model file of your own. [the one that comes with lenet]", metavar="FILE")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads to compute on. [all processors]", metavar="N")] = None,
) -> None:
    """Read handwritten digits from photos and scans.

    Prints what it read line by line, with `?` for what is no digit or cannot be told. Photos may be turned, lit unevenly,
    dark on light or light on dark, on ruled or squared paper. PNG, JPEG, TIFF and PDF of many pages, WebP, BMP, GIF, HEIC.

    A folder stands for every image in it and in its folders, in the order of their names. A file that cannot be read is
    named and the others go on; the exit code is then 1.

    On annotated pages the colour of a box says how sure the reader is, and a legend what it means; what was rejected is
    dashed. Files that are read are never written to.

    Examples:

    - `lenet read photo.jpg`

    - `lenet read scans/ --csv > digits.csv`

    - `lenet read form.pdf --layout table --annotate checked/`

    - `lenet read digits/*.png --layout single --json`
    """
    with exit_codes():
        if as_json and as_csv:
            raise ValueError(message("lenet read", "--json and --csv", "one of the two"))
        choice("layout", layout, LAYOUTS)
        if min_confidence is not None and not 0 <= min_confidence <= 1:
            raise ValueError(message("min-confidence", min_confidence, "a number from 0 to 1", "90 % is 0.9"))
        positive_int("max-pixels", max_pixels)
        _use_opencv(threads)
        found = list(_found(files, annotate))
        drawing = None if annotate is None else _Drawing(annotate, found)
        trained = None if model is None else load_model(model, "lenet read --model MODEL FILE")
        job = _Job(Reader(trained), layout, min_confidence, max_pixels)
        several = len(found) > 1
        output = _Json() if as_json else _Csv() if as_csv else _Text(layout, several)
        failed = _work(found, job, output, drawing)
        output.end({"model": model, "layout": layout, "min_confidence": min_confidence})
        if failed:
            if several:
                named = ", ".join(failed[:_NAMED]) + (", …" if len(failed) > _NAMED else "")
                show(f"{len(failed):,} of {len(found):,} files failed: {named}", aside=True)
            raise typer.Exit(1)


def _use_opencv(threads: int | None) -> None:
    """ImportError saying what to type if OpenCV is missing; it and the engine get as many threads."""
    try:
        import cv2
    except ImportError:
        given, fix = "no OpenCV on this machine", "Type pip install opencv-python-headless"
        raise ImportError(message("lenet read", given, "the package opencv-python-headless", fix)) from None
    if threads is not None:
        set_num_threads(threads)
        cv2.setNumThreads(threads)


# ---- which files --------------------------------------------------------------------------------------------------------


class _File(NamedTuple):
    """A file to read. place: its name within the folder that was given. error: why there is none."""

    path: str
    place: str
    error: str = ""


def _found(arguments: list[str], out: str | None) -> Iterator[_File]:
    """The files that the arguments stand for, in their order; folders' and patterns' files by name."""
    for argument in arguments:
        path = os.path.expanduser(argument)
        if os.path.isdir(path):
            yield from _in_folder(path, out)
        elif os.path.lexists(path) or not glob.has_magic(path):
            yield _File(path, os.path.basename(path))
        else:
            matching = sorted(glob.glob(path, recursive=True))
            if not matching:
                yield _File(
                    path, "", message(path, "a pattern that no file matches", "an image file", "Check the path")
                )
            for match in matching:
                if os.path.isdir(match):
                    yield from _in_folder(match, out)
                else:
                    yield _File(match, os.path.basename(match))


def _in_folder(folder: str, out: str | None) -> Iterator[_File]:
    """Its images and its folders' images but hidden ones, and but those drawn into ``out`` before."""
    none = True
    for here, folders, names in os.walk(folder):
        drawn = [n for n in folders if out is not None and _same(os.path.join(here, n), out)]
        folders[:] = sorted(n for n in folders if not n.startswith(".") and n not in drawn)
        for name in sorted(names):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in _ENDINGS:
                none = False
                path = os.path.join(here, name)
                yield _File(path, os.path.relpath(path, folder))
    if none:
        expected = "at least one file that ends in .png, .jpg, .tif, .pdf or the like"
        yield _File(folder, "", message(folder, "a folder without images", expected))


def _same(a: str, b: str) -> bool:
    return os.path.realpath(a) == os.path.realpath(b)


# ---- the work -----------------------------------------------------------------------------------------------------------


class _Job(NamedTuple):
    """How to read."""

    reader: Reader
    layout: str
    min_confidence: float | None
    max_pixels: int

    def pages(self, sources: list[Source]) -> list[Page]:
        """What is written on each."""
        if self.layout == "single":
            return read_singles(sources, self.reader, min_confidence=self.min_confidence)
        return [
            read_page(source, self.reader, layout=self.layout, min_confidence=self.min_confidence) for source in sources
        ]


def _work(files: list[_File], job: _Job, output: _Text | _Json | _Csv, drawing: _Drawing | None) -> list[str]:
    """Read the files and give what is found to ``output`` and ``drawing``; the names of those that failed."""
    failed: list[str] = []
    waiting: list[tuple[_File, Source]] = []
    with Progress("reading", total=len(files), unit="files" if len(files) > 1 else "file") as bar:

        def fail(file: _File, error: object) -> None:
            bar.close()
            text = getattr(error, "strerror", None) or str(error)  # ours hold the whole sentence there
            show(text, aside=True)
            output.error(file.path, text)
            if file.path not in failed:
                failed.append(file.path)

        def flush() -> None:
            pages = job.pages([source for _, source in waiting])
            for (file, source), page in zip(waiting, pages, strict=True):
                bar.close()
                output.page(file.path, page, source.pages)
                if drawing is not None:
                    try:
                        drawing.draw(file, source, page)
                    except (OSError, ValueError) as error:
                        fail(file, error)
            waiting.clear()

        for done, file in enumerate(files):
            bar.update(done, clean(file.path))
            for source in _sources(file, job.max_pixels, fail):
                for note in source.notes:
                    bar.close()
                    show(f"{file.path}: {note}", aside=True)
                waiting.append((file, source))
                held = sum(source.rgb.size for _, source in waiting) // 3
                if job.layout != "single" or len(waiting) == _TOGETHER or held >= _TOGETHER_PIXELS:
                    flush()
        flush()
    return failed


def _sources(file: _File, max_pixels: int, fail: Any) -> Iterator[Source]:
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


# ---- what comes out -----------------------------------------------------------------------------------------------------


class _Text:
    """Lines as they stand on the page; with several pages each under its name, with single digits one line a file."""

    def __init__(self, layout: str, several: bool) -> None:
        self.layout, self.several = layout, several
        self._first = True

    def page(self, file: str, page: Page, pages: int) -> None:
        place = clean(f"{file}, page {page.number}" if pages > 1 else file)
        text = self._text(page)
        if self.several or pages > 1:
            if self.layout == "single":
                text = f"{place}: {text or 'nothing found'}"
            else:
                gap = "" if self._first else "\n"
                text = f"{gap}{place}:\n{text or '(no digits)'}"
        elif not text:
            show(f"{place}: no digits found", aside=True)
        self._first = False
        if text:
            sys.stdout.write(f"{text}\n")  # tabs and all
            sys.stdout.flush()

    def _text(self, page: Page) -> str:
        if self.layout == "table":
            return "\n".join("\t".join(number.text for number in line.numbers) for line in page.lines)
        return page.text

    def error(self, file: str, error: str) -> None:
        pass

    def end(self, about: dict[str, Any]) -> None:
        pass


class _Json:
    """One object with all pages and all errors, at the end."""

    def __init__(self) -> None:
        self.pages: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []

    def page(self, file: str, page: Page, pages: int) -> None:
        self.pages.append({"file": file} | {k: v for k, v in page.as_json().items() if k != "name"})

    def error(self, file: str, error: str) -> None:
        self.errors.append({"file": file, "error": error})

    def end(self, about: dict[str, Any]) -> None:
        print_json(about | {"pages": self.pages, "errors": self.errors})


class _Csv:
    """A row for each digit, rejected ones too; places on the page count from 1."""

    def __init__(self) -> None:
        self._rows = csv.writer(sys.stdout, lineterminator="\n")
        self._rows.writerow(_COLUMNS)

    def page(self, file: str, page: Page, pages: int) -> None:
        for row, line in enumerate(page.lines, 1):
            for place, number in enumerate(line.numbers, 1):
                for at, digit in enumerate(number.digits, 1):
                    second, its_confidence = digit.second
                    sure, less = f"{digit.confidence:.6g}", f"{its_confidence:.6g}"
                    rejected = "true" if digit.rejected else "false"
                    where = [clean(file), page.number, row, place, at]
                    self._rows.writerow([*where, digit.label, sure, second, less, rejected, *digit.box])

    def error(self, file: str, error: str) -> None:
        pass

    def end(self, about: dict[str, Any]) -> None:
        sys.stdout.flush()


class _Drawing:
    """Where annotated pages go: ``out`` itself, an image file, for one page; else a folder, one .png for each page.

    In a folder ``scans/a.jpg`` becomes ``a.png``, its second page ``a-p2.png``; files of a folder that was given keep
    their place in it. ValueError, before anything is read, if a file that is read would be written to.
    """

    def __init__(self, out: str, files: list[_File]) -> None:
        self.out = os.path.expanduser(out)
        ending = os.path.splitext(self.out)[1].lower()
        self.is_file = bool(ending) and not os.path.isdir(self.out) and not self.out.endswith(("/", os.sep))
        self.format = _WRITTEN.get(ending, "PNG")
        if self.is_file and ending not in _WRITTEN:
            expected = f"a folder, or a file that ends in {', '.join(_WRITTEN)}"
            raise ValueError(message("annotate", out, expected, f"Type --annotate {os.path.splitext(out)[0]}.png"))
        many = f"{len(files):,} files" if len(files) > 1 else _many_pages(files) if self.is_file else ""
        if self.is_file and many:
            fix = f"Type --annotate {os.path.splitext(out)[0]}/"
            raise ValueError(message("annotate", f"the one file {out} for {many}", "a folder", fix))
        if not self.is_file and os.path.lexists(self.out) and not os.path.isdir(self.out):
            raise ValueError(message("annotate", f"{out}, a file without an ending", "a folder or an image file"))
        self._inputs = {os.path.realpath(file.path) for file in files}
        self._targets: dict[str, str] = {}
        self._taken: set[str] = set()
        for file in files:
            if not file.error:
                self._free(self._target(file))

    def draw(self, file: _File, source: Source, page: Page) -> None:
        """Write the page, whole or not at all."""
        from PIL import Image

        target = self._target(file)
        if source.number > 1:
            target = f"{target[:-4]}-p{source.number}.png"
            self._free(target)
        picture = Image.fromarray(annotated(source.rgb, page))
        more: dict[str, Any] = {"quality": 92} if self.format in ("JPEG", "WEBP") else {}
        if self.format == "PNG":
            more = {"compress_level": 3}
        atomic_write(target, lambda stream: picture.save(stream, format=self.format, **more))

    def _target(self, file: _File) -> str:
        if self.is_file:
            return self.out
        known = self._targets.get(file.path)
        if known is None:
            stem = os.path.join(self.out, os.path.splitext(file.place)[0])
            known, again = f"{stem}.png", 2
            while known in self._taken:
                known, again = f"{stem}-{again}.png", again + 1
            self._targets[file.path] = known
            self._taken.add(known)
        return known

    def _free(self, target: str) -> None:
        if os.path.realpath(target) in self._inputs:
            given = f"{self.out}, where {target} is a file to read"
            raise ValueError(message("annotate", given, "a place of its own", "Type --annotate annotated/"))


def _many_pages(files: list[_File]) -> str:
    """``12 pages`` if the one file has several; "" else, and if it cannot be opened, which is told later."""
    try:
        with _silent_decoders():
            pages = open_pages(files[0].path)
            pages.close()
            return f"{len(pages):,} pages" if len(pages) > 1 else ""
    except (OSError, ValueError, ImportError):
        return ""
