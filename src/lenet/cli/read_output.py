"""What ``lenet read`` gives out: text, JSON or CSV on standard output, pages drawn over, and a page of what to check.

Text, JSON and CSV are each a class of ``page``, called for every page, ``error`` and ``end``. Read by ``read``.
"""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from lenet.cli import streams
from lenet.cli.read_files import File, many_pages
from lenet.cli.shared import check_writable, clean, print_json, show, write
from lenet.disk.write import atomic_write
from lenet.messages.check import message
from lenet.reading._annotate import annotate
from lenet.reading._check_page import CheckPage
from lenet.reading.page import Page
from lenet.reading.sources.source import Source

__all__ = ["Checking", "Csv", "Drawing", "Json", "Text"]

_WRITTEN = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF"}
_BOX: list[object] = ["x0", "y0", "x1", "y1"]
_NUMBER_COLUMNS: list[object] = ["file", "page", "line", "column", "text", "value", "confidence", *_BOX]
_DIGIT_COLUMNS: list[object] = ["file", "page", "line", "number", "digit", "label", "confidence"]
_DIGIT_COLUMNS += ["second", "second_confidence", "rejected", *_BOX]


class Text:
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
            write(f"{text}\n")  # tabs and all

    def _text(self, page: Page) -> str:
        if self.layout == "table":
            return "\n".join("\t".join(number.text for number in line.numbers) for line in page.lines)
        return page.text

    def error(self, file: str, error: str) -> None:
        pass

    def end(self, about: dict[str, Any]) -> None:
        pass


class Json:
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


class Csv:
    """A table in UTF-8, whatever the terminal's encoding: a row for each number, or each digit. Places count from 1.

    bom: begin with the mark by which spreadsheets know UTF-8.
    """

    def __init__(self, by_digit: bool, bom: bool) -> None:
        self._rows = _digit_rows if by_digit else _number_rows
        self._write([_DIGIT_COLUMNS if by_digit else _NUMBER_COLUMNS], "\ufeff" if bom else "")

    def page(self, file: str, page: Page, pages: int) -> None:
        self._write(self._rows(clean(file), page))

    def _write(self, rows: Iterable[list[object]], text: str = "") -> None:
        out = io.StringIO()
        out.write(text)
        csv.writer(out, lineterminator="\n").writerows(rows)
        binary = getattr(sys.stdout, "buffer", None)  # a notebook's output has none
        if binary is None:
            write(out.getvalue())
            return
        with streams.result():
            sys.stdout.flush()
            binary.write(out.getvalue().encode("utf-8", "replace"))
            binary.flush()

    def error(self, file: str, error: str) -> None:
        pass

    def end(self, about: dict[str, Any]) -> None:
        pass


def _number_rows(file: str, page: Page) -> Iterator[list[object]]:
    """A row for each number; empty cells have none, but count as columns."""
    for row, line in enumerate(page.lines, 1):
        for column, number in enumerate(line.numbers, 1):
            if number.digits:
                value = "" if number.value is None else f"{number.value:f}"
                said = [number.text, value, f"{number.confidence:.6g}"]
                yield [file, page.number, row, column, *said, *number.box]


def _digit_rows(file: str, page: Page) -> Iterator[list[object]]:
    """A row for each digit, rejected ones too."""
    for row, line in enumerate(page.lines, 1):
        for place, number in enumerate(line.numbers, 1):
            for at, digit in enumerate(number.digits, 1):
                second, its_confidence = digit.second
                sure, less = f"{digit.confidence:.6g}", f"{its_confidence:.6g}"
                rejected = "true" if digit.rejected else "false"
                where = [file, page.number, row, place, at]
                yield [*where, digit.label, sure, second, less, rejected, *digit.box]


class Checking:
    """Counts the digits to check, and writes the page that shows them to ``out`` unless that is None.

    ValueError or OSError, before anything is read, if that can't be written or is a file to read.
    """

    def __init__(self, out: str | None, files: list[File]) -> None:
        self.out = None if out is None else os.path.expanduser(out)
        self._shown = None if out is None else CheckPage()
        self._digits = self._pages = self._read = 0
        if self.out is None:
            return
        check_writable("check", self.out, (".html", ".htm"))
        if os.path.realpath(self.out) in {os.path.realpath(file.path) for file in files}:
            given = f"{out}, which is a file to read"
            raise ValueError(message("check", given, "a place of its own", "Type --check check.html"))

    def add(self, source: Source, page: Page) -> None:
        """Take in a page's reading."""
        doubtful = sum(digit.doubtful for digit in page.digits)
        self._digits += doubtful
        self._pages += doubtful > 0
        self._read += 1
        if self._shown is not None:
            self._shown.add(source.rgb, page)

    def end(self) -> None:
        """Write the page, if anything could be read, and say how much there is to check, if anything."""
        if self.out is not None and self._shown is not None and self._read:
            atomic_write(self.out, self._shown.html().encode("utf-8", "replace"))
        if self._digits:
            digits = f"{self._digits:,} {'digit' if self._digits == 1 else 'digits'}"
            pages = f"{self._pages:,} {'page' if self._pages == 1 else 'pages'}"
            fix = f"to see {'it' if self._digits == 1 else 'them'} type --check check.html"
            where = f"; {fix}" if self.out is None else f": see {self.out}"
            show(f"{digits} to check on {pages}{where}", aside=True)


class Drawing:
    """Where annotated pages go: ``out`` itself, an image file, for one page; else a folder, one .png for each page.

    In a folder ``scans/a.jpg`` becomes ``a.png``, its second page ``a-p2.png``; files of a folder that was given keep
    their place in it. ValueError, before anything is read, if a file that is read would be written to.
    """

    def __init__(self, out: str, files: list[File]) -> None:
        self.out = os.path.expanduser(out)
        ending = os.path.splitext(self.out)[1].lower()
        self.is_file = bool(ending) and not os.path.isdir(self.out) and not self.out.endswith(("/", os.sep))
        self.format = _WRITTEN.get(ending, "PNG")
        if self.is_file and ending not in _WRITTEN:
            expected = f"a folder, or a file that ends in {', '.join(_WRITTEN)}"
            raise ValueError(message("annotate", out, expected, f"Type --annotate {os.path.splitext(out)[0]}.png"))
        many = f"{len(files):,} files" if len(files) > 1 else many_pages(files) if self.is_file else ""
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

    def draw(self, file: File, source: Source, page: Page) -> None:
        """Write the page, whole or not at all."""
        from PIL import Image

        target = self._target(file)
        if source.number > 1:
            target = f"{target[:-4]}-p{source.number}.png"
            self._free(target)
        picture = Image.fromarray(annotate(source.rgb, page))
        more: dict[str, Any] = {"quality": 92} if self.format in ("JPEG", "WEBP") else {}
        if self.format == "PNG":
            more = {"compress_level": 3}
        atomic_write(target, lambda stream: picture.save(stream, format=self.format, **more))

    def _target(self, file: File) -> str:
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
