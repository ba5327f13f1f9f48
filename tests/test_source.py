"""Opening images: every kind of file and array, and one sentence for all that can be wrong with them."""

from __future__ import annotations

import io
import os
import struct
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lenet.reading.sources import decode
from lenet.reading.sources.pixels import to_eight_bits
from lenet.reading.sources.source import Source, open_pages

H, W = 40, 60  # of the sample picture


def sample() -> np.ndarray:
    """uint8 [H, W, 3]: smooth, so that lossy formats keep it, and no symmetry, so that turns show."""
    y, x = np.mgrid[:H, :W]
    return np.stack([255 * x // (W - 1), 255 * y // (H - 1), 120 + 0 * x], axis=2).astype(np.uint8)


def encoded(picture: Image.Image | np.ndarray, form: str, **more: object) -> bytes:
    stream = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(stream, form, **more)
    return stream.getvalue()


def one(source: object, **more: object) -> Source:
    (page,) = open_pages(source, **more)
    return page


def worst(found: np.ndarray, expected: np.ndarray) -> int:
    assert found.dtype == np.uint8
    assert found.shape == expected.shape
    return int(np.abs(found.astype(int) - expected).max())


# ---- formats -------------------------------------------------------------------------------------------------------------

# The tolerance is the format's own loss: none, or that of its coding at the quality asked for.
LOSSLESS = [("PNG", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("BMP", {}), ("PPM", {}), ("PCX", {})]
LOSSLESS += [("WEBP", {"lossless": True}), ("JPEG2000", {}), ("DIB", {})]
LOSSY = [("JPEG", {"quality": 95, "subsampling": 0}), ("WEBP", {"quality": 95})]


@pytest.mark.parametrize(("form", "more", "loss"), [(*f, 0) for f in LOSSLESS] + [(*f, 10) for f in LOSSY])
def test_formats(form, more, loss):
    page = one(encoded(sample(), form, **more))
    assert worst(page.rgb, sample()) <= loss
    assert (page.width, page.height, page.number, page.pages, page.scale) == (W, H, 1, 1, 1.0)
    assert page.notes == ()


def test_avif():
    if not __import__("PIL.features").features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    assert worst(one(encoded(sample(), "AVIF", quality=95)).rgb, sample()) <= 12


def test_heic():
    pillow_heif = pytest.importorskip("pillow_heif")
    stream = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(sample())).save(stream, quality=95)
    page = one(stream.getvalue())
    assert worst(page.rgb, sample()) <= 16  # its colours have half the resolution
    with pytest.raises(OSError, match="HEI"):
        one(stream.getvalue()[: len(stream.getvalue()) // 2])


def test_pdf_pages(tmp_path):
    pytest.importorskip("pypdfium2")
    white, black = Image.new("L", (200, 100), 255), Image.new("L", (100, 50), 0)
    white.save(tmp_path / "two.pdf", save_all=True, append_images=[black], resolution=72)
    first, second = open_pages(tmp_path / "two.pdf")
    assert (first.number, second.number, first.pages) == (1, 2, 2)
    assert first.rgb.shape == (278, 556, 3)  # 200 dots an inch
    assert (first.width, first.height) == (556, 278)
    assert first.rgb.min() == 255
    assert second.rgb[5:-5, 5:-5].max() == 0


def test_pdf_damaged_locked_and_huge():
    pytest.importorskip("pypdfium2")
    whole = encoded(Image.new("L", (200, 100), 255), "PDF")
    with pytest.raises(OSError, match="got a damaged PDF"):
        one(whole[:300])
    with pytest.raises(ValueError, match="got a PDF locked by a password, expected an open one"):
        one(LOCKED)
    large = encoded(Image.new("1", (6000, 6000), 1), "PDF", resolution=30)  # 200 inches
    assert 9e6 < one(large).rgb.size / 3 <= 12.1e6


# A page that says nothing, locked with RC4 under the user password "x".
LOCKED = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n4 0 obj<</Filter/Standard/V 1/R 2/P -4/O<"
    + b"11" * 32
    + b">/U<"
    + b"22" * 32
    + b">>>endobj\ntrailer<</Root 1 0 R/Encrypt 4 0 R/ID[<33><33>]>>\n%%EOF\n"
)


@pytest.mark.parametrize(
    ("package", "content", "extra"),
    [("pypdfium2", b"%PDF-1.7\n", "pdf"), ("pillow_heif", b"\0\0\0\x1cftypheic\0\0\0\0mif1heic", "heic")],
)
def test_a_missing_package_says_what_to_type(monkeypatch, package, content, extra):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"expected the package .* Type pip install \'\.\[{extra}\]\'") as caught:
        one(content)
    assert "\n" not in str(caught.value)


# ---- modes ---------------------------------------------------------------------------------------------------------------


def test_palette_cmyk_and_one_bit():
    palette = Image.fromarray(sample()).quantize(64)
    assert worst(one(encoded(palette, "PNG")).rgb, np.asarray(palette.convert("RGB"))) == 0
    cmyk = Image.fromarray(sample()).convert("CMYK")
    assert worst(one(encoded(cmyk, "TIFF")).rgb, sample()) <= 1
    assert worst(one(encoded(cmyk, "JPEG", quality=95, subsampling=0)).rgb, sample()) <= 12
    bits = sample()[..., 0] > 99
    for form in ("PNG", "TIFF", "BMP"):
        assert worst(one(encoded(Image.fromarray(bits), form)).rgb, np.repeat(bits[..., None] * 255, 3, 2)) == 0


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
@pytest.mark.parametrize(("bits", "loss"), [(16, 0), (12, 0), (10, 0), (8, 0)])
def test_16_bits_are_scaled_by_the_bits_in_use(form, bits, loss):
    grey = sample()[..., 0]
    deep = (grey.astype(np.uint32) * (2**bits - 1) + 127) // 255
    found = one(encoded(Image.fromarray(deep.astype(np.uint16)), form)).rgb
    assert worst(found, np.repeat(grey[..., None], 3, 2)) <= loss


@pytest.mark.parametrize("ending", [".png", ".tiff"])
@pytest.mark.parametrize("bits", [16, 12])
def test_16_bits_of_colour(ending, bits):
    import cv2

    deep = (sample().astype(np.uint32) * (2**bits - 1) // 255).astype(np.uint16)
    found = one(cv2.imencode(ending, np.ascontiguousarray(deep[..., ::-1]))[1].tobytes()).rgb
    assert worst(found, sample()) <= 1  # rounding


def test_a_narrow_range_is_stretched_and_a_blank_page_is_not():
    ramp = np.arange(30000, 30300, dtype=np.uint16)
    found = to_eight_bits(ramp)
    assert 15 <= int(found.max()) - int(found.min()) <= 20  # 16-fold, from 1
    wide = np.array([0, 1000, 3000], np.uint16)
    assert to_eight_bits(wide).tolist() == [0, 62, 187]  # 12 bits: 3000 / 4095
    for value in (0, 40000, 65535):
        assert to_eight_bits(np.full((2, 2), value, np.uint16)).tolist() == [[round(value / 257)] * 2] * 2
    narrow = to_eight_bits(np.array([65000, 65535], np.uint16))
    assert narrow[1] == 255
    assert narrow[0] < 225


def test_float_tiff():
    values = np.linspace(-3, 5, H * W, dtype=np.float32).reshape(H, W)
    found = one(encoded(Image.fromarray(values), "TIFF")).rgb[..., 0]
    assert (found.min(), found.max()) == (0, 255)
    assert worst(found, np.rint(255 * (values + 3) / 8)) <= 1  # rounding at .5
    values[3, 3] = np.nan
    with pytest.raises(OSError, match="NaN"):
        one(encoded(Image.fromarray(values), "TIFF"))


@pytest.mark.parametrize("ink", [(0, 0, 0), (255, 255, 255), (255, 220, 0), (0, 0, 160)])
@pytest.mark.parametrize("form", ["PNG", "WEBP", "array"])
def test_transparent_drawings_lie_on_what_their_ink_stands_out_from(ink, form):
    rgba = np.zeros((H, W, 4), np.uint8)
    rgba[10:30, 20:26] = (*ink, 255)
    source = rgba if form == "array" else encoded(rgba, form, lossless=True)
    found = one(source).rgb
    assert found[20, 22].tolist() == list(ink)
    ground = found[2, 2].tolist()
    assert ground == ([0, 0, 0] if sum(ink) > 380 else [255, 255, 255])


def test_a_sheet_with_transparent_corners_lies_on_its_own_brightness():
    rgba = np.full((H, W, 4), 255, np.uint8)
    rgba[10:30, 20:26, :3] = 0
    rgba[:8, :8, 3] = 0
    assert one(rgba).rgb[:8, :8].min() == 255
    rgba[..., :3] = 255 - rgba[..., :3]
    assert one(rgba).rgb[:8, :8].max() == 0


def test_transparency_of_palettes_and_half_transparent_ink():
    drawing = Image.new("P", (W, H), 0)
    drawing.putpalette([9, 9, 9, 0, 0, 0])
    drawing.paste(1, (20, 10, 26, 30))
    found = one(encoded(drawing, "PNG", transparency=0)).rgb
    assert found[2, 2].tolist() == [255, 255, 255]
    assert found[20, 22].tolist() == [0, 0, 0]
    half = np.zeros((H, W, 2), np.uint8)
    half[10:30, 20:26, 1] = 255
    half[10:30, 26, 1] = 128
    assert abs(int(one(half).rgb[20, 26, 0]) - 127) <= 1


# ---- turned --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(form, orientation):
    upright = sample()
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright),
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    more = {"quality": 95} if form in ("JPEG", "WEBP") else {}
    page = one(encoded(np.ascontiguousarray(stored), form, exif=exif, **more))
    assert worst(page.rgb, upright) <= (20 if more else 0)  # lossy, with colours at half the resolution
    assert (page.width, page.height) == (W, H)


def test_nonsense_in_exif_turns_nothing():
    exif = Image.Exif()
    exif[0x0112] = 99
    assert worst(one(encoded(sample(), "PNG", exif=exif)).rgb, sample()) == 0
    picture = Image.fromarray(sample())
    assert worst(one(encoded(picture, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff", quality=95)).rgb, sample()) <= 20


# ---- large ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "orientation"), [("JPEG", 1), ("JPEG", 6), ("PNG", 1)])
def test_large_pages_come_out_smaller(form, orientation):
    picture = Image.fromarray(sample()).resize((4000, 3000), Image.Resampling.BILINEAR)
    exif = Image.Exif()
    exif[0x0112] = orientation
    page = one(encoded(picture, form, exif=exif))
    assert page.rgb.shape == ((1500, 2000, 3) if orientation == 1 else (2000, 1500, 3))
    assert (page.width, page.height) == ((4000, 3000) if orientation == 1 else (3000, 4000))
    assert page.scale == 0.5
    upright = page.rgb if orientation == 1 else np.rot90(page.rgb)
    expected = np.asarray(picture.reduce(2))
    assert np.abs(upright.astype(int) - expected).mean() < 2  # JPEG's loss


@pytest.mark.parametrize(
    ("size", "factor"), [((3400, 3400), 1), ((3500, 3500), 2), ((9000, 9000), 4), ((14000, 14000), 8)]
)
def test_three_million_pixels_are_left(size, factor):
    assert decode._reduction(*size) == factor
    assert decode._reduction(28, 28) == 1


def test_large_arrays_come_out_smaller():
    page = one(np.zeros((3000, 4001), np.uint8))
    assert page.rgb.shape == (1500, 2001, 3)
    assert (page.width, page.height) == (4001, 3000)
    assert abs(page.scale - 0.5) < 1e-3  # the last column is half a pixel


# ---- many pages ----------------------------------------------------------------------------------------------------------


def pages_of(form: str, **more: object) -> bytes:
    shades = [Image.new("L", (W + 8 * i, H), 50 * i + 50) for i in range(3 if form == "TIFF" else 1)]
    shades += [] if form == "TIFF" else [Image.new("L", (W, H), 100), Image.new("L", (W, H), 150)]
    return encoded(shades[0], form, save_all=True, append_images=shades[1:], **more)


def test_tiff_pages():
    pages = open_pages(pages_of("TIFF"))
    assert len(pages) == 3
    found = list(pages)
    assert [(p.number, p.pages, p.width, int(p.rgb.max())) for p in found] == [
        (1, 3, 60, 50),
        (2, 3, 68, 100),
        (3, 3, 76, 150),
    ]


def test_a_bad_page_does_not_hide_the_next():
    content = bytearray(pages_of("TIFF", compression="tiff_deflate"))
    with Image.open(io.BytesIO(bytes(content))) as picture:
        picture.seek(1)
        start, length = picture.tag_v2[273][0], picture.tag_v2[279][0]
    content[start : start + length] = b"\xff" * length
    pages = open_pages(bytes(content))
    assert next(pages).number == 1
    with pytest.raises(OSError, match="image, page 2: got a damaged TIFF") as caught:
        next(pages)
    assert "\n" not in str(caught.value)
    assert next(pages).number == 3
    with pytest.raises(StopIteration):
        next(pages)


@pytest.mark.parametrize(("form", "more"), [("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {})])
def test_animations(form, more):
    content = pages_of(form, **more)
    page = one(content)
    assert page.notes == (f"animated {form}: the first of 3 frames is read",)
    assert int(page.rgb.max()) == 50
    frames = list(open_pages(content, animated="all"))
    assert [(f.number, int(f.rgb.max()), f.notes) for f in frames] == [(1, 50, ()), (2, 100, ()), (3, 150, ())]


def test_files_are_closed(tmp_path):
    (tmp_path / "a.tif").write_bytes(pages_of("TIFF"))
    pages = open_pages(tmp_path / "a.tif")
    next(pages)
    pages.close()
    assert list(pages) == []
    del pages  # an open file would be a ResourceWarning, which the suite takes for an error
    next(open_pages(tmp_path / "a.tif"))


# ---- from where ----------------------------------------------------------------------------------------------------------


def test_ways_in(tmp_path):
    content = encoded(sample(), "PNG")
    path = tmp_path / "ä b.png"
    path.write_bytes(content)
    for source in (str(path), path, os.fsencode(path) and path):
        page = one(source)
        assert worst(page.rgb, sample()) == 0
        assert page.name == str(path)
    with open(path, "rb") as file:
        assert one(file).name == str(path)
    for source in (content, bytearray(content), memoryview(content), io.BytesIO(content)):
        page = one(source)
        assert worst(page.rgb, sample()) == 0
        assert page.name == ""
    assert worst(one(Image.fromarray(sample())).rgb, sample()) == 0
    with Image.open(path) as picture:
        assert one(picture).name == str(path)
    assert one(page) is page


def test_arrays():
    grey = sample()[..., 0]
    three = np.repeat(grey[..., None], 3, 2)
    assert np.shares_memory(one(three).rgb, three)
    for array in (
        grey,
        grey[..., None],
        grey.astype(np.int64),
        grey / 255,
        (grey / 255).astype(np.float32),
        grey.astype(np.float64),  # 0 to 255
        np.asfortranarray(grey),
        three[:, ::-1][:, ::-1],
        three / 255,
    ):
        assert worst(one(array).rgb, three) == 0, (array.dtype, array.shape)
    assert set(np.unique(one(grey > 99).rgb)) == {0, 255}
    assert worst(one(np.full((H, W), 256, np.int64)).rgb, np.full((H, W, 3), 64)) <= 1  # 9 bits are scaled as 10


class _Wrapped:
    def __array__(self, dtype=None, copy=None):
        return sample()


def test_what_becomes_an_array():
    assert worst(one(_Wrapped()).rgb, sample()) == 0


@pytest.mark.parametrize(
    ("array", "kind", "text"),
    [
        (np.full((H, W), np.nan), ValueError, "image: got NaN or infinity in 2,400 of 2,400 values, expected finite"),
        (np.full((H, W), np.inf, np.float32), ValueError, "NaN or infinity"),
        (
            np.full((H, W), -1.0),
            ValueError,
            "got float values from -1 to -1, expected 0 to 1 (or 0 to 255). Type (image",
        ),
        (np.full((H, W), 256.0), ValueError, "got float values from 256 to 256"),
        (np.full((H, W), -1), ValueError, "got int64 values from -1 to -1, expected 0 to 255, or 0 to 65535"),
        (np.full((H, W), 65536), ValueError, "got int64 values from 65536"),
        (np.zeros((H, W), complex), TypeError, "got ndarray of complex128 [40, 60], expected numbers: uint8, uint16"),
        (np.zeros((H, W), object), TypeError, "expected numbers"),
        (np.zeros(9), ValueError, "got ndarray of float64 [9], expected an array of shape [height, width], or"),
        (np.zeros((3, H, W)), ValueError, "Type image.transpose(1, 2, 0)"),
        (np.zeros((2, H, W, 3)), ValueError, "Read one image after the other: image[0]"),
        (np.zeros((H, W, 5)), ValueError, "expected an array of shape"),
        (np.zeros((0, W)), ValueError, "without pixels, expected at least one pixel"),
        (np.zeros((1, 1), np.uint8), ValueError, "got 1 x 1 pixels, expected at least 5 pixels in width or height"),
    ],
)
def test_arrays_that_are_no_image(array, kind, text):
    with pytest.raises(kind) as caught:
        one(array)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("source", [None, 3, ["a.png"]])
def test_other_objects(source):
    with pytest.raises(TypeError, match="expected a path, bytes, a file object, a Pillow image or a numpy array"):
        open_pages(source)


def test_files_open_for_text():
    with pytest.raises(TypeError, match='expected one opened with "rb"'):
        open_pages(io.StringIO("x"))


def test_options_are_checked():
    with pytest.raises(ValueError, match="most_pixels: got 0"):
        open_pages(b"x", most_pixels=0)
    with pytest.raises(ValueError, match="animated: got 'last', expected one of 'first', 'all'"):
        open_pages(b"x", animated="last")


# ---- what is wrong with files --------------------------------------------------------------------------------------------


def huge_png(width: int, height: int) -> bytes:
    """A small file that says it is large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")


def cut(form: str, share: float) -> bytes:
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    content = encoded(noise, form)
    return content[: int(share * len(content))]


KINDS = "expected an image: PNG, JPEG, TIFF, WebP, BMP, GIF, PDF or HEIC"
BAD_FILES = [
    (b"", ValueError, f"bad.png: got an empty file (0 bytes), {KINDS}. Save or copy it once more"),
    (b"not an image\n", ValueError, f"bad.png: got a text file, {KINDS}. Open it in a viewer and save it as PNG"),
    (b"<!DOCTYPE html><html>", ValueError, "bad.png: got a web page, "),
    (b"<?xml version='1.0'?>\n<svg/>", ValueError, "bad.png: got an SVG drawing, "),
    (bytes(range(128, 256)), ValueError, "bad.png: got a file of no known kind, "),
    (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", ValueError, "bad.png: got a text file, "),  # runs nothing
    (cut("JPEG", 0.5), OSError, "bad.png: got a JPEG that ends early, expected a whole one. Copy the file or save"),
    (cut("JPEG", 0.99), OSError, "bad.png: got a JPEG that ends early"),
    (cut("JPEG", 0.002), OSError, "bad.png: got a "),
    (cut("PNG", 0.5), OSError, "bad.png: got a PNG that ends early"),
    (cut("BMP", 0.5), OSError, "bad.png: got a BMP that ends early"),
    (cut("GIF", 0.5), OSError, "bad.png: got a GIF that ends early"),
    (cut("WEBP", 0.5), (OSError, ValueError), "bad.png: got a "),
    (cut("TIFF", 0.5), (OSError, ValueError), "bad.png: got a "),
    (encoded(np.zeros((1, 1), np.uint8), "PNG"), ValueError, "bad.png: got 1 x 1 pixels, expected at least 5"),
]


@pytest.mark.parametrize(("content", "kind", "text"), BAD_FILES, ids=lambda v: v[10:28] if isinstance(v, str) else "")
def test_bad_files_are_one_sentence(tmp_path, monkeypatch, content, kind, text):
    monkeypatch.chdir(tmp_path)
    Path("bad.png").write_bytes(content)
    with pytest.raises(kind) as caught:
        one("bad.png")
    assert str(caught.value).startswith(text)
    assert "\n" not in str(caught.value)


def test_what_is_too_large_is_refused_before_it_is_decoded():
    with pytest.raises(ValueError, match="got 30,000 x 30,000 pixels, expected at most 100,000,000") as caught:
        one(huge_png(30_000, 30_000))
    assert "--max-pixels 900000000 (in Python: most_pixels=900000000)" in str(caught.value)
    with pytest.raises(ValueError, match="got 40 x 60 pixels"):
        one(sample().transpose(1, 0, 2), most_pixels=2000)
    with pytest.raises(ValueError, match="got 60 x 40 pixels"):
        one(Image.fromarray(sample()), most_pixels=2000)
    with pytest.raises(OSError, match="ends early"):  # allowed, and the file was a lie
        one(huge_png(11_000, 10_000), most_pixels=110_000_000)
    with pytest.raises(ValueError, match="pixels, expected at most 1,000"):
        one(encoded(sample(), "WEBP"), most_pixels=1000)


def test_pillow_s_own_settings_come_back():
    limit, filters = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    with pytest.raises(ValueError, match="30,000"):
        one(huge_png(30_000, 30_000))
    list(open_pages(pages_of("TIFF")))
    assert limit == Image.MAX_IMAGE_PIXELS
    assert filters == list(warnings.filters)


def test_paths_that_are_no_image_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"a.png: got no such file, expected an image file. Check the path"):
        open_pages("a.png")
    with pytest.raises(IsADirectoryError, match="got a folder, expected an image file"):
        open_pages(tmp_path)
    Path("file").touch()
    with pytest.raises(FileNotFoundError, match=r"file/a\.png: got no such file"):
        open_pages("file/a.png")
    with pytest.raises(OSError, match="a path that cannot be opened"):
        open_pages("a\0b")
    if hasattr(os, "mkfifo"):
        os.mkfifo("pipe.png")
        with pytest.raises(OSError, match="got a pipe or a device, expected an image file"):  # and does not wait
            open_pages("pipe.png")


def test_an_unreadable_file(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(encoded(sample(), "PNG"))

    def refuse(*_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("builtins.open", refuse)  # root may read everything
    with pytest.raises(PermissionError, match=r"a.png: got a file that may not be read, expected one you"):
        open_pages(path)
