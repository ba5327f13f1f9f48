"""``lenet read``: the digits on photos, scans and PDFs, line by line, as text, JSON or CSV, and drawn onto the pages."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import typer

from lenet.cli.read_files import File, find_files, sources
from lenet.cli.read_output import Checking, Csv, Drawing, Json, Text
from lenet.cli.shared import clean, exit_codes, load_model, show
from lenet.device import set_num_threads
from lenet.messages.check import choice, message, positive_int
from lenet.messages.progress import Progress
from lenet.reading._read import LAYOUTS, ONLY, read_singles
from lenet.reading._read import read as read_page
from lenet.reading.page import Page
from lenet.reading.sources.source import MOST_PIXELS, Source
from lenet.reading.weights.reader import Reader

__all__ = ["read"]

_TOGETHER, _TOGETHER_PIXELS = 512, 4_000_000  # single images that the network is shown at once
_NAMED = 5  # files that the last line names


def read(
    files: Annotated[
        list[str],
        typer.Argument(help="Images, PDFs, folders of them, or patterns such as 'scans/*.png'.", metavar="FILE"),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as a single JSON object.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print one row per number, for a spreadsheet.")] = False,
    csv_digits: Annotated[bool, typer.Option("--csv-digits", help="Print one row per digit, with its box.")] = False,
    bom: Annotated[bool, typer.Option("--bom", help="Start the CSV with the mark by which Excel knows UTF-8.")] = False,
    check: Annotated[
        str | None,
        typer.Option(
            help="Write a page that shows each digit to check: rejected, or less than 90 % sure.", metavar="OUT.html"
        ),
    ] = None,
    annotate: Annotated[
        str | None,
        typer.Option(
            help="Draw the result onto the page: an image file, or a folder for several pages.", metavar="OUT"
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
        typer.Option(
            help="Reject digits less sure than this, 0 to 1. [default: a rule that also rejects prose]", metavar="P"
        ),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(help="handwritten or printed: read only such digits. [default: both]", metavar="KIND"),
    ] = None,
    max_pixels: Annotated[
        int,
        typer.Option(help=f"Refuse larger images. [default: {MOST_PIXELS:,} pixels]", metavar="N", show_default=False),
    ] = MOST_PIXELS,
    model: Annotated[
        str | None,
        typer.Option(help="A model file of your own. [default: the one that comes with lenet]", metavar="FILE"),
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads to use. [default: all processors]", metavar="N")] = None,
) -> None:
    """Read handwritten digits from photos, scans and PDFs.

    Prints the digits line by line, with `?` for a mark that is not a digit or cannot be told. Photos may be rotated,
    unevenly lit, dark on light or light on dark, on ruled or squared paper. Reads PNG, JPEG, multi-page TIFF and
    PDF, WebP, BMP, GIF and HEIC, and never writes to the files it reads.

    A folder stands for every image in it and its subfolders, sorted by name. If a file cannot be read, the command names
    it, goes on, and exits with 1.

    The last line counts the digits to check: those rejected and those less than 90 % sure. --check writes a page that
    shows each of them. On annotated pages the colour of a box says how sure the reader is, as a legend explains; what was
    rejected has a dashed box.

    Examples:

    - `lenet read photo.jpg`

    - `lenet read scans/ --csv --check check.html > numbers.csv   # a whole folder`

    - `lenet read form.pdf --layout table --annotate out/   # the cells of a form`

    - `lenet read digits/*.png --layout single --json   # one per file`
    """
    with exit_codes():
        forms = [name for name, on in (("--json", as_json), ("--csv", as_csv), ("--csv-digits", csv_digits)) if on]
        if len(forms) > 1:
            raise ValueError(message("lenet read", " and ".join(forms), "one of them alone"))
        if bom and not (as_csv or csv_digits):
            raise ValueError(message("lenet read", "--bom without CSV", "--csv or --csv-digits with it"))
        choice("layout", layout, LAYOUTS)
        if min_confidence is not None and not 0 <= min_confidence <= 1:
            raise ValueError(message("min-confidence", min_confidence, "a number from 0 to 1", "90 % is 0.9"))
        if only is not None:
            choice("only", only, ONLY)
        positive_int("max-pixels", max_pixels)
        _use_opencv(threads)
        found = list(find_files(files, annotate))
        drawing = None if annotate is None else Drawing(annotate, found)
        checking = Checking(check, found)
        trained = None if model is None else load_model(model, "lenet read --model MODEL FILE")
        job = _Job(Reader(trained), layout, min_confidence, only, max_pixels)
        several = len(found) > 1
        csv = Csv(csv_digits, bom) if as_csv or csv_digits else None
        output = csv or (Json() if as_json else Text(layout, several))
        failed = _work(found, job, output, drawing, checking)
        output.end({"model": model, "layout": layout, "min_confidence": min_confidence, "only": only})
        checking.end()
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


class _Job(NamedTuple):
    """How to read."""

    reader: Reader
    layout: str
    min_confidence: float | None
    only: str | None
    max_pixels: int

    def pages(self, sources: list[Source]) -> list[Page]:
        """What is written on each."""
        if self.layout == "single":
            return read_singles(sources, self.reader, min_confidence=self.min_confidence)
        return [
            read_page(source, self.reader, layout=self.layout, min_confidence=self.min_confidence, only=self.only)
            for source in sources
        ]


def _work(
    files: list[File], job: _Job, output: Text | Json | Csv, drawing: Drawing | None, checking: Checking
) -> list[str]:
    """Read the files and give what is found to those three; the names of those that failed."""
    failed: list[str] = []
    waiting: list[tuple[File, Source]] = []
    held = 0  # pixels waiting
    with Progress("reading", total=len(files), unit="files" if len(files) > 1 else "file") as bar:

        def fail(file: File, error: object) -> None:
            bar.close()
            text = getattr(error, "strerror", None) or str(error)  # ours hold the whole sentence there
            show(text, aside=True)
            output.error(file.path, text)
            if file.path not in failed:
                failed.append(file.path)

        def flush() -> None:
            nonlocal held
            pages = job.pages([source for _, source in waiting])
            for (file, source), page in zip(waiting, pages, strict=True):
                bar.close()
                place = f"{file.path}, page {page.number}" if source.pages > 1 else file.path
                for note in page.notes:
                    show(f"{place}: {note}", aside=True)
                output.page(file.path, page, source.pages)
                checking.add(source, page)
                if drawing is not None:
                    try:
                        drawing.draw(file, source, page)
                    except (OSError, ValueError) as error:
                        fail(file, error)
            waiting.clear()
            held = 0

        for done, file in enumerate(files):
            bar.update(done, clean(file.path))
            for source in sources(file, job.max_pixels, fail):
                waiting.append((file, source))
                held += source.rgb.size // 3
                if job.layout != "single" or len(waiting) == _TOGETHER or held >= _TOGETHER_PIXELS:
                    flush()
        flush()
    return failed
