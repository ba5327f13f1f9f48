"""Single digits as people send them: inverted, shifted, large, small, turned, coloured, in every kind of file.

Every image is a real encoded file, made by Pillow. SETS are of MNIST's own pixels, LARGE is what cameras and drawing
programs send: any size up to 3,000 pixels, framed, coloured, thick strokes. The answer is the label of the MNIST image that
it was made from.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from bench.pages.glyphs import Array, cut, digit

Make = Callable[[np.random.Generator, Array], bytes]
TURNS = {3: 180, 6: 90, 8: 270}  # EXIF's orientations, and how many degrees to the left the stored picture is turned


def single_sets(images: Array, seed: int = 0, only: tuple[str, ...] = (), first: int = 0) -> dict[str, list[bytes]]:
    """Every set of SETS, or ``only`` those of SETS and LARGE, from images uint8 [N, 28, 28], light on dark: N files each.

    first: the number of the first image, which with the seed and the set decides on what is done to it.
    """
    every = {**SETS, **LARGE}
    return {
        name: [
            every[name](np.random.default_rng([seed, list(every).index(name), first + i]), image)
            for i, image in enumerate(images)
        ]
        for name in only or tuple(SETS)
    }


def file(image: Array | Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    memory = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(memory, kind, **options)
    return memory.getvalue()


def scaled(image: Array, scale: float) -> Array:
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))


def inked(cover: Array, paper: Array, ink: Array) -> Array:
    """Ink over paper, uint8 [h, w, 3]. cover: uint8 [h, w]; paper, ink: a colour or a colour for each pixel, 0 to 255."""
    much = cover[..., None] / 255.0
    return np.clip(paper + (ink - paper) * much + 0.5, 0, 255).astype(np.uint8)


def on_canvas(image: Array, side: int, top: int, left: int) -> Array:
    out = np.zeros((side, side), np.uint8)
    out[top : top + image.shape[0], left : left + image.shape[1]] = image
    return out


def shifted(rng: np.random.Generator, image: Array) -> bytes:
    """By up to 8 pixels each way, on 44 x 44."""
    top, left = rng.integers(0, 17, 2)
    return file(on_canvas(image, 44, int(top), int(left)))


def shifted_inside(rng: np.random.Generator, image: Array) -> bytes:
    """By up to 8 pixels each way on 28 x 28, no farther than the ink's own edge."""
    mark = cut(image)
    rows, columns = np.flatnonzero(image.max(1) > 40), np.flatnonzero(image.max(0) > 40)
    place = []
    for first, length in ((rows[0], mark.shape[0]), (columns[0], mark.shape[1])):
        place.append(int(np.clip(first + rng.integers(-8, 9), 0, 28 - length)))
    return file(on_canvas(mark, 28, *place))


def grey_paper(rng: np.random.Generator, image: Array) -> bytes:
    """Dark ink on grey paper that the light falls on from one side; JPEG."""
    cover = on_canvas(scaled(image, 3), 110, *(int(v) for v in rng.integers(6, 20, 2)))
    y, x = np.mgrid[-1:1:110j, -1:1:110j]
    angle = rng.uniform(0, 2 * np.pi)
    slope = 1 - rng.uniform(0.1, 0.3) * (1 + x * np.cos(angle) + y * np.sin(angle)) / 1.4
    paper = np.clip(rng.uniform(130, 220) * slope, 0, 255)[..., None]
    return file(inked(cover, paper, paper * rng.uniform(0.15, 0.4))[..., 0], "JPEG", quality=90)


def lab(colours: Array) -> Array:
    """CIE L*a*b* [n, 3] as 8-bit sRGB, float [n, 3]; nan where sRGB has no such colour. White is D65's."""
    light, a, b = np.moveaxis(np.asarray(colours, np.float64), -1, 0)
    f = np.stack([(light + 16) / 116 + a / 500, (light + 16) / 116, (light + 16) / 116 - b / 200], -1)
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * [0.95047, 1.0, 1.08883]
    to_rgb = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
    linear = xyz @ to_rgb.T
    ok = ((linear >= -1e-4) & (linear <= 1 + 1e-4)).all(-1, keepdims=True)
    linear = np.clip(linear, 0, 1)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.where(ok, 255 * srgb, np.nan)


def hues(rng: np.random.Generator, paper_light: float, ink_light: float, chroma: float) -> tuple[Array, Array]:
    """Paper and ink of those lightnesses and about opposite hues, both colours that sRGB has."""
    while True:
        hue = rng.uniform(0, 2 * np.pi)
        other = hue + np.pi + rng.uniform(-0.6, 0.6)
        wanted = [(p, chroma * np.cos(t), chroma * np.sin(t)) for p, t in ((paper_light, hue), (ink_light, other))]
        paper, ink = lab(np.array(wanted))
        if not np.isnan(paper + ink).any():
            return paper, ink


def coloured(rng: np.random.Generator, image: Array) -> bytes:
    """Coloured ink on coloured paper, dark on light or light on dark."""
    lights = (rng.uniform(65, 85), rng.uniform(25, 45))
    paper, ink = hues(rng, *(lights if rng.random() < 0.5 else lights[::-1]), chroma=22)
    return file(inked(scaled(image, 3), paper, ink))


def equal_lightness(rng: np.random.Generator, image: Array) -> bytes:
    """Ink and paper of the same L*: a grey copy of it is blank."""
    light = rng.uniform(50, 65)
    return file(inked(scaled(image, 3), *hues(rng, light, light, chroma=30)))


def dark_border(rng: np.random.Generator, image: Array) -> bytes:
    """A scan of white paper on a black ground: a dark frame of uneven width."""
    page = 255 - scaled(image, 3).astype(int) * 85 // 100
    widths = rng.integers(3, 14, 4)
    page = np.pad(page, ((widths[0], widths[1]), (widths[2], widths[3])), constant_values=int(rng.integers(0, 40)))
    return file(page.astype(np.uint8))


def alpha(value: int) -> Make:
    """A stroke of one grey whose alpha is the ink, on nothing; 3 x size."""

    def make(rng: np.random.Generator, image: Array) -> bytes:
        cover = scaled(image, 3)
        return file(np.dstack([np.full((*cover.shape, 3), value, np.uint8), cover]))

    return make


def sixteen(rng: np.random.Generator, image: Array) -> bytes:
    """A 16-bit grey PNG, dark on light."""
    return file(65535 - scaled(image, 2).astype(np.uint16) * 257)


def gif(rng: np.random.Generator, image: Array) -> bytes:
    """Sixteen colours of a palette."""
    colour = Image.fromarray(inked(scaled(image, 3), rng.uniform(220, 255, 3), rng.uniform(0, 90, 3)))
    return file(colour.quantize(16), "GIF")


def turned_jpeg(rng: np.random.Generator, image: Array) -> bytes:
    """Stored lying or upside down, with EXIF's word on how to turn it."""
    orientation = int(rng.choice(list(TURNS)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(255 - scaled(image, 3)).rotate(TURNS[orientation], expand=True)
    return file(stored, "JPEG", quality=90, exif=exif)


def rotated(rng: np.random.Generator, image: Array) -> bytes:
    wide = Image.fromarray(np.pad(image, 4))
    return file(wide.rotate(float(rng.uniform(-15, 15)), Image.Resampling.BICUBIC))


def resized(scale: float) -> Make:
    return lambda rng, image: file(scaled(image, scale))


def any_size(rng: np.random.Generator, low: float = 60, high: float = 3000) -> int:
    return round(float(np.exp(rng.uniform(np.log(low), np.log(high)))))


def on_paper(rng: np.random.Generator, side: int, image: Array, tight: float = 0.9) -> Array:
    """A digit somewhere on a square of ``side`` pixels, 0.3 to ``tight`` of it high; coverage."""
    mark = digit(image, side * rng.uniform(0.3, tight), rng.uniform(0.35, 0.55))
    whole = np.zeros((side, side), np.uint8)
    room = np.array(whole.shape) - mark.shape
    top, left = (max(0, int(v)) for v in room * rng.uniform(0.25, 0.75, 2))
    mark = mark[:side, :side]
    whole[top : top + mark.shape[0], left : left + mark.shape[1]] = mark
    return whole


def huge(rng: np.random.Generator, image: Array) -> bytes:
    """Black on white or white on black, of any size up to 3,000 pixels."""
    cover = on_paper(rng, any_size(rng), image)
    return file(cover if rng.random() < 0.5 else 255 - cover, "PNG", compress_level=1)


def photographed(rng: np.random.Generator, image: Array) -> bytes:
    """A pen on grey paper in uneven light, out of a camera: JPEG of any size up to 3,000 pixels."""
    side = any_size(rng)
    cover = on_paper(rng, side, image)
    small = np.linspace(-1, 1, 24)
    angle = rng.uniform(0, 2 * np.pi)
    slope = 1 - rng.uniform(0, 0.35) * (1 + np.cos(angle) * small[None] + np.sin(angle) * small[:, None]) / 2.4
    light = np.asarray(Image.fromarray(slope.astype(np.float32)).resize((side, side), Image.Resampling.BICUBIC))
    grain = rng.normal(0, rng.uniform(0, 4), (min(side, 400),) * 2).astype(np.float32)
    noise = np.asarray(Image.fromarray(grain).resize((side, side), Image.Resampling.BILINEAR))
    paper = np.float32(rng.uniform(120, 235)) * light + noise
    shown = paper * (1 - cover * np.float32(rng.uniform(0.55, 0.85) / 255))
    return file(np.clip(shown + np.float32(0.5), 0, 255).astype(np.uint8), "JPEG", quality=88)


def canvas(rng: np.random.Generator, image: Array) -> bytes:
    """A drawing program's canvas: 280 to 600 pixels, a round thick brush, no grey but at the edge."""
    side = int(rng.integers(280, 601))
    size = side * rng.uniform(0.45, 0.8)
    brush = max(2, round(size * rng.uniform(0.03, 0.09)))
    mark = np.asarray(
        Image.fromarray(np.pad(digit(image, size, 0.5), brush)).filter(ImageFilter.MaxFilter(2 * (brush // 2) + 1))
    )
    whole = Image.new("L", (side, side))
    whole.paste(
        Image.fromarray(mark),
        tuple(int(v) for v in (np.array([side, side]) - mark.shape[::-1]) * rng.uniform(0.3, 0.7, 2)),
    )
    cover = np.asarray(whole)
    papers = ((0, 255), (255, 0), (255, int(rng.integers(0, 120))))
    paper, ink = papers[int(rng.integers(3))]
    return file(inked(cover, np.full(3, float(paper)), np.full(3, float(ink)))[..., 0])


def framed(rng: np.random.Generator, image: Array) -> bytes:
    """A digit inside a drawn box or a form's cell, which may be coloured, 100 to 900 pixels."""
    side = any_size(rng, 100, 900)
    cover = on_paper(rng, side, image, 0.6)
    picture = Image.fromarray(inked(cover, rng.uniform(225, 255, 3), rng.uniform(0, 110, 3)))
    inset, wide = rng.uniform(0.02, 0.1) * side, max(1, round(side * rng.uniform(0.008, 0.03)))
    colour = tuple(int(v) for v in rng.uniform(0, 190, 3))
    ImageDraw.Draw(picture).rectangle((inset, inset, side - inset, side - inset), outline=colour, width=wide)
    return file(picture, "JPEG", quality=90)


def large_coloured(rng: np.random.Generator, image: Array) -> bytes:
    """Coloured ink on coloured paper, dark on light or light on dark, of any size up to 3,000 pixels; JPEG."""
    lights = (rng.uniform(65, 90), rng.uniform(20, 40))
    paper, ink = hues(rng, *(lights if rng.random() < 0.6 else lights[::-1]), chroma=20)
    cover = on_paper(rng, any_size(rng), image)
    return file(inked(np.arange(256)[None], paper, ink)[0][cover], "JPEG", quality=88)


LARGE: dict[str, Make] = {
    "huge": huge,
    "photographed": photographed,
    "canvas": canvas,
    "framed": framed,
    "large_coloured": large_coloured,
}
SETS: dict[str, Make] = {
    "plain": lambda rng, image: file(image),
    "inverted": lambda rng, image: file(255 - image),
    "shifted": shifted,
    "shifted_inside": shifted_inside,
    "half": resized(0.5),
    "twice": resized(2),
    "fivefold": resized(5),
    "third": resized(0.3),
    "filling": lambda rng, image: file(scaled(cut(image), 3)),
    "rotated": rotated,
    "grey_paper": grey_paper,
    "coloured": coloured,
    "equal_lightness": equal_lightness,
    "dark_border": dark_border,
    "alpha_dark": alpha(0),
    "alpha_light": alpha(255),
    "png16": sixteen,
    "gif": gif,
    "exif_jpeg": turned_jpeg,
}
