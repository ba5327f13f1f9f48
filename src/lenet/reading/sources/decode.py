"""The decoders behind ``source``: Pillow, pillow-heif and pypdfium2, and how their failures become one sentence.

A page comes out as uint8 [H, W, 3], upright, and smaller by a whole factor where it was big. What is too large is refused
before it is decoded. No decoder's own exception, warning or limit gets past this file.
"""

from __future__ import annotations

import os
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.data.pixels import weighed
from lenet.messages.check import installing, message
from lenet.reading.sources.depth import eight_bits, is_dim, low_bytes, smaller
from lenet.reading.sources.pixels import picture_of, rgb_of

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Opened", "array_page", "opened", "picture_page"]

_ENOUGH = 2_900_000  # pixels that a page keeps at least when it is made smaller
_MOST_REDUCED = 8
_SMALLEST = 5  # pixels of the longer side: no digit is smaller
_PDF_SCALE = 200 / 72  # a PDF's points are 1/72 inch: rendered at 200 dots an inch
_PDF_PIXELS = 12_000_000  # of a larger sheet, fewer dots an inch
_NO_LIMIT = 1 << 62
_DEEP_BYTES = 9.0  # a pixel, of 16-bit colours beside what Pillow made of them

# No vector formats, which run other programs, and none that only games and satellites write.
_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "PPM", "DIB", "AVIF", "JPEG2000", "PCX")
_KINDS = "an image: PNG, JPEG, TIFF, WebP, BMP, GIF, PDF or HEIC"
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AGAIN = "Copy the file or save the image once more"
_SEVERAL = ("TIFF", "GIF", "WEBP", "PNG", "AVIF")  # a telephone's MPO or HEIC holds one photo, and previews of it

# What EXIF's orientation asks for, as Pillow's numbers for Image.transpose; from 5 on width and height change places.
_TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}

Page = tuple[NDArray[np.uint8], int, int]  # colours [H, W, 3]; width and height as given, upright


class Opened(NamedTuple):
    """A file whose head was understood. pages: how many. notes: what was left out. page: number, from 1, to pixels."""

    pages: int
    notes: tuple[str, ...]
    page: Callable[[int], Page]
    close: Callable[[], None]


def opened(file: IO[bytes], what: str, most_pixels: int, animated: str) -> Opened:
    """The pages of an open file at its start. ``what`` names it in errors; the caller closes it."""
    head = file.read(1024)
    if not head:
        raise ValueError(message(what, "an empty file (0 bytes)", _KINDS, "Save or copy it once more"))
    file.seek(0)
    if b"%PDF-" in head:
        return _pdf(file, what, most_pixels)
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS and b"avif" not in head[:64]:
        picture = _heic(file, what, most_pixels)
    else:
        picture = _pillow(file, head, what, most_pixels)
    count, notes = _frames(picture, animated, most_pixels)

    def page(number: int) -> Page:
        try:
            with _quiet(most_pixels):
                if number > 1:
                    picture.seek(number - 1)
        except Exception as error:
            raise OSError(_damage(what, str(picture.format), error, number)) from None
        return _page(picture, file, number, what, most_pixels, number if count > 1 else 0)

    return Opened(count, notes, page, picture.close)


def picture_page(picture: Image, what: str, most_pixels: int) -> Page:
    """A Pillow image's page: the frame it is at."""
    return _page(picture, None, 1, what, most_pixels, 0)


def array_page(array: NDArray[Any], what: str, most_pixels: int) -> Page:
    """An array's page; the array's own memory where it is colours of 8 bits already."""
    factor = 1
    if array.ndim >= 2:
        _check_size(array.shape[1], array.shape[0], what, most_pixels)
        factor = _reduction(array.shape[1], array.shape[0])
    if factor == 1 and array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] == 3:
        return np.ascontiguousarray(array), array.shape[1], array.shape[0]
    if factor == 1 and array.dtype == np.uint8 and array.ndim == 2:
        return np.repeat(array[..., None], 3, axis=2), array.shape[1], array.shape[0]
    picture = picture_of(array, what)
    return rgb_of(smaller(picture, factor)), *picture.size


# ---- Pillow -------------------------------------------------------------------------------------------------------------


def _pillow(file: IO[bytes], head: bytes, what: str, most_pixels: int) -> Image:
    from PIL import Image, UnidentifiedImageError

    bounded = head[:4] == b"RIFF"  # opening a WebP takes memory for all its pixels; of the others it reads the head
    try:
        with _quiet(most_pixels if bounded else _NO_LIMIT):
            return Image.open(file, formats=_FORMATS)
    except Image.DecompressionBombError as error:
        pixels = int(next(iter(re.findall(r"\d+", str(error))), 2 * most_pixels))
        raise _too_large(what, f"{pixels:,} pixels", most_pixels, pixels) from None
    except UnidentifiedImageError:
        fix = "Open it in a viewer and save it as PNG"
        raise ValueError(message(what, _looks_like(head), _KINDS, fix)) from None
    except Exception as error:
        raise OSError(_damage(what, "picture", error)) from None


def _heic(file: IO[bytes], what: str, most_pixels: int) -> Image:
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise _missing(what, "a HEIC image", "pillow-heif", "heic") from None
    try:
        with _quiet(most_pixels):
            factory: Any = HeifImageFile
            picture: Image = factory(file)
            return picture
    except Exception as error:
        raise OSError(_damage(what, "HEIC", error)) from None


def _frames(picture: Image, animated: str, most_pixels: int) -> tuple[int, tuple[str, ...]]:
    """How many pages an open image has, and what to say of those left out."""
    kind = str(picture.format)
    if kind not in _SEVERAL:
        return 1, ()
    try:
        with _quiet(most_pixels):
            count = int(getattr(picture, "n_frames", 1))
    except Exception:  # a chain of pages that breaks off: the first can still be read
        return 1, (f"damaged {kind}: only the first page is read",)
    if kind == "TIFF" or animated == "all" or count == 1:
        return count, ()
    return 1, (f"animated {kind}: the first of {count} frames is read",)


def _page(picture: Image, file: IO[bytes] | None, number: int, what: str, most_pixels: int, place: int) -> Page:
    """The page that ``picture`` is at. place: its number in errors, or 0."""
    _check_size(*picture.size, what, most_pixels)
    _check_weight(picture, what, most_pixels)
    try:
        with _quiet(most_pixels):
            return _decoded(picture, file, number, what, most_pixels)
    except (MemoryError, _TooLarge):
        raise
    except Exception as error:  # decoders raise anything on damaged data
        raise OSError(_damage(what, str(picture.format or "picture"), error, place)) from None


def _decoded(picture: Image, file: IO[bytes] | None, number: int, what: str, most_pixels: int) -> Page:
    width, height = picture.size
    factor = _reduction(width, height)
    is_jpeg = file is not None and picture.format in ("JPEG", "MPO")
    if factor > 1 and is_jpeg:
        picture.draft(None, (width // factor, height // factor))
    deep = file is not None and any(";16" in str(tile.args) for tile in getattr(picture, "tile", ()))
    picture.load()
    width, height = (width, height) if is_jpeg else picture.size  # TIFF and HEIC turn themselves
    turn = picture.getexif().get(0x0112)
    if picture.size != (width, height):  # the JPEG decoder has made it smaller already
        factor = 1
    eight = None
    if file is not None and deep and is_dim(picture):
        _check_weight(picture, what, most_pixels, _DEEP_BYTES)
        eight = low_bytes(file, number, factor)
    eight = eight_bits(picture, factor) if eight is None else eight
    if isinstance(turn, int) and turn in _TURNS:
        method: Any = _TURNS[turn]
        eight = eight.transpose(method)
        if turn >= 5:
            width, height = height, width
    return rgb_of(eight), width, height


def _reduction(width: int, height: int) -> int:
    """By what a page is divided: the largest of 1, 2, 4 and 8 that leaves enough pixels."""
    factor = 1
    while factor < _MOST_REDUCED and width * height >= _ENOUGH * (2 * factor) ** 2:
        factor *= 2
    return factor


# ---- PDF ----------------------------------------------------------------------------------------------------------------

_PDFIUM = threading.Lock()  # the library allows one call at a time


def _pdf(file: IO[bytes], what: str, most_pixels: int) -> Opened:
    try:
        import pypdfium2
    except ImportError:
        raise _missing(what, "a PDF", "pypdfium2", "pdf") from None
    with _PDFIUM:
        try:
            document = pypdfium2.PdfDocument(file.read())
            document.init_forms()
            count = len(document)
        except Exception as error:
            if "password" in str(error).lower():
                fix = "Open it in a viewer and print it to a new PDF"
                raise ValueError(message(what, "a PDF locked by a password", "an open one", fix)) from None
            raise OSError(_damage(what, "PDF", error)) from None
        if not count:
            document.close()
            raise ValueError(message(what, "a PDF without pages", "at least one page"))

    def page(number: int) -> Page:
        with _PDFIUM:
            try:
                sheet = document[number - 1]
                width, height = sheet.get_size()
                scale = min(_PDF_SCALE, (min(_PDF_PIXELS, most_pixels) / (width * height)) ** 0.5)
                rgb = sheet.render(scale=scale, rev_byteorder=True, prefer_bgrx=False).to_numpy()
                rgb = np.array(rgb[..., :3] if rgb.ndim == 3 else np.repeat(rgb[..., None], 3, 2))
            except Exception as error:
                raise OSError(_damage(what, "PDF", error, number if count > 1 else 0)) from None
        _check_size(rgb.shape[1], rgb.shape[0], what, 2 * _PDF_PIXELS)
        return np.ascontiguousarray(rgb), rgb.shape[1], rgb.shape[0]

    def close() -> None:
        with _PDFIUM:
            document.close()

    return Opened(count, (), page, close)


# ---- limits and wording -------------------------------------------------------------------------------------------------


def _check_size(width: int, height: int, what: str, most_pixels: int) -> None:
    if width * height > most_pixels:
        raise _too_large(what, f"{width:,} x {height:,} pixels", most_pixels, width * height)
    if not min(width, height):
        raise ValueError(message(what, f"an image of {width} x {height}, without pixels", "at least one pixel"))
    if max(width, height) < _SMALLEST:
        expected = f"at least {_SMALLEST} pixels in width or height"
        raise ValueError(message(what, f"{width} x {height} pixels", expected, "A digit takes about 8, better 20"))


def _check_weight(picture: Image, what: str, most_pixels: int, beside: float = 0.0) -> None:
    """``_check_size`` for decoders that take more memory than others."""
    weight = weighed(picture, beside)
    if weight > most_pixels:
        pixels = picture.width * picture.height
        given = (
            f"{picture.width:,} x {picture.height:,} pixels of a kind that takes {weight / pixels:.1f} times the memory"
        )
        raise _too_large(what, given, most_pixels, weight)


class _TooLarge(ValueError):
    """An image that would take too much memory."""


def _too_large(what: str, given: str, most_pixels: int, needed: int) -> ValueError:
    fix = f"To read it all the same type --max-pixels {needed} (in Python: most_pixels={needed})"
    return _TooLarge(message(what, given, f"at most {most_pixels:,}", fix))


def _missing(what: str, given: str, package: str, extra: str) -> ImportError:
    return ImportError(message(what, given, f"the package {package} to read it with", installing(extra, package)))


def _damage(what: str, kind: str, error: Exception, page: int = 0) -> str:
    """The sentence for a file that breaks in the decoder's hands."""
    words = " ".join(str(error).split())
    early = any(word in words.lower() for word in ("truncated", "eof", "not enough", "end of"))
    given = f"a {kind} that ends early" if early else f"a damaged {kind}{f' ({words[:100]})' if words else ''}"
    return message(f"{what}, page {page}" if page else what, given, "a whole one", _AGAIN)


def _looks_like(head: bytes) -> str:
    """What a file is that is no image, from its first bytes."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start:
        return "an SVG drawing"
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        text = head[: error.start].decode("utf-8") if error.start > len(head) - 4 else "\0"
    return "a text file" if all(c.isprintable() or c in "\t\r\n\f" for c in text) else "a file of no known kind"


_lock = threading.Lock()
_inside = 0
_before: Any = None


@contextmanager
def _quiet(most_pixels: int) -> Iterator[None]:
    """Pillow without warnings, and with our limit in place of its own.

    Both are settings of the whole process: the first thread in puts them up, the last one out takes them down.
    """
    global _inside, _before
    from PIL import Image

    with _lock:
        if not _inside:
            _before = warnings.catch_warnings(), Image.MAX_IMAGE_PIXELS
            _before[0].__enter__()
            warnings.simplefilter("ignore")
            Image.MAX_IMAGE_PIXELS = most_pixels
        Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS or 0, most_pixels)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _before[0].__exit__(None, None, None)
                Image.MAX_IMAGE_PIXELS = _before[1]


def _forked() -> None:
    """In a forked child nobody else reads: locks that another thread held would stay held for ever."""
    global _lock, _PDFIUM, _inside
    _lock, _PDFIUM = threading.Lock(), threading.Lock()
    if _inside:
        from PIL import Image

        _before[0].__exit__(None, None, None)
        Image.MAX_IMAGE_PIXELS, _inside = _before[1], 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
