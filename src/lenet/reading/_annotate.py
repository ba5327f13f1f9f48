"""A page with what was read drawn onto it: a box and a label for each shape, in a colour that says how sure it is.

It draws what a ``Page`` says and judges nothing. Colours after Okabe and Ito, which colour-blind people tell apart; the
lines are thicker the less sure, and dashed around what was rejected, so that a grey print tells too. Read by the command
line and by the documentation's pictures.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.reading.page import Digit, Number, Page
from lenet.reading.sources.pixels import check_colours

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

__all__ = ["annotate"]

Colour = tuple[int, int, int]


class _Style(NamedTuple):
    least: float  # confidence from which it is used
    colour: Colour
    on_dark: Colour  # the same where the page is dark
    weight: float  # line width, as a multiple of the thinnest
    meaning: str


_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_STYLES = (
    _Style(0.99, (0, 114, 178), (86, 180, 233), 1.0, "99 % sure or more"),
    _Style(0.90, (230, 159, 0), (240, 228, 66), 1.5, "90 % or more"),
    _Style(0.0, (213, 94, 0), (213, 94, 0), 2.0, "less sure"),
)
_REJECTED = _Style(0.0, (110, 110, 110), (190, 190, 190), 1.0, "rejected")

_LEAST_SIDE = 420  # pixels of the longer side: smaller pictures are enlarged, or nothing could be read on them
_LEAST_DIGIT = 26  # pixels of a digit's height, for the same reason
_MOST_PIXELS = 12_000_000  # an enlarged page has no more
_LEAST_TEXT = 11


def annotate(rgb: NDArray[np.uint8], page: Page, *, legend: bool = True) -> NDArray[np.uint8]:
    """A copy of ``rgb``, uint8 [H, W, 3], with ``page``'s digits drawn on it: uint8 [H', W', 3].

    rgb may be larger or smaller than the page says: boxes are scaled to it. Small pictures, and pages of small digits,
    are enlarged by a whole factor, and a page that lay on its side or stood on its head comes out upright, W' x H' pixels.
    legend: a strip below that says what the colours mean. ValueError for another shape or dtype of rgb.
    """
    from PIL import Image, ImageDraw

    check_colours("annotate", rgb)
    rgb, page = np.ascontiguousarray(np.rot90(rgb, page.turn // 90)), _upright(page)
    digits = page.digits
    across, down = rgb.shape[1] / page.width, rgb.shape[0] / page.height
    heights = [(d.box[3] - d.box[1]) * down for d in digits]
    typical = float(np.median(heights)) if heights else float(_LEAST_DIGIT)
    factor = _enlargement(rgb.shape[1], rgb.shape[0], typical)
    picture = Image.fromarray(rgb)
    if factor > 1:
        picture = picture.resize((rgb.shape[1] * factor, rgb.shape[0] * factor), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(picture)
    typical *= factor
    text = round(max(_LEAST_TEXT, min(0.5 * typical, 0.06 * max(picture.size))))
    line = max(1.0, text / 14)
    dark = float(rgb[:: 1 + rgb.shape[0] // 256, :: 1 + rgb.shape[1] // 256].mean()) < 128
    for digit in digits:
        x0, y0, x1, y1 = digit.box
        box = (x0 * across * factor, y0 * down * factor, x1 * across * factor, y1 * down * factor)
        _mark(draw, digit, box, line, text, dark)
    if legend:
        picture = _with_legend(picture, digits, dark)
    return np.array(picture)


def _upright(page: Page) -> Page:
    """The page as it was read, its digits' boxes and its size in pixels of the turned picture."""
    for _ in range(page.turn // 90):
        lines = tuple(replace(line, numbers=tuple(_turned(n, page.width) for n in line.numbers)) for line in page.lines)
        page = replace(page, lines=lines, width=page.height, height=page.width)
    return page


def _turned(number: Number, width: int) -> Number:
    """A number of a page so wide after a quarter turn counter-clockwise."""
    digits = []
    for digit in number.digits:
        x0, y0, x1, y1 = digit.box
        digits.append(replace(digit, box=(y0, width - x1, y1, width - x0)))
    return replace(number, digits=tuple(digits))


def _enlargement(width: int, height: int, digit: float) -> int:
    wanted = max(_LEAST_SIDE / max(width, height), _LEAST_DIGIT / max(digit, 1.0))
    allowed = (_MOST_PIXELS / (width * height)) ** 0.5
    return max(1, int(min(np.ceil(wanted), allowed)))


def _style(digit: Digit) -> _Style:
    if digit.rejected:
        return _REJECTED
    return next((style for style in _STYLES if digit.confidence >= style.least), _STYLES[-1])


def _mark(
    draw: ImageDraw, digit: Digit, box: tuple[float, float, float, float], line: float, text: int, dark: bool
) -> None:
    """One digit's box, around its pixels and not on them, and above it, or where there is room, its label."""
    from PIL import ImageFont

    style, size = _style(digit), draw.im.size
    colour = style.on_dark if dark else style.colour
    weight = max(1, round(line * style.weight))
    edge = weight + 1
    x0, y0, x1, y1 = round(box[0]) - edge, round(box[1]) - edge, round(box[2]) + edge, round(box[3]) + edge
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, size[0]) - 1, min(y1, size[1]) - 1
    x1, y1 = max(x1, x0), max(y1, y0)
    if digit.rejected:
        _dashed(draw, (x0, y0, x1, y1), weight, max(3, text // 3), colour)
    else:
        draw.rectangle((x0, y0, x1, y1), outline=colour, width=weight)
    font = ImageFont.load_default(text)
    left, top, right, bottom = font.getbbox(digit.text, anchor="ls")
    width, height = round(right - left) + max(4, text // 3), round(0.74 * text) + max(3, text // 4)
    at = max(0, min(x0, size[0] - width))
    if y0 >= height:
        foot = y0
    elif y1 + height < size[1]:
        foot = y1 + height + 1
    else:  # a digit that fills the picture
        foot = y0 + height
    draw.rectangle((at, foot - height, at + width - 1, foot - 1), fill=colour)
    ink = _BLACK if np.dot(colour, (0.299, 0.587, 0.114)) >= 128 else _WHITE
    draw.text((at + width / 2, foot - height / 2), digit.text, fill=ink, font=font, anchor="mm")


def _dashed(draw: ImageDraw, box: tuple[int, int, int, int], weight: int, dash: int, colour: Colour) -> None:
    """A rectangle of dashes on white or black, whichever it stands out from: grey alone is lost on grey paper."""
    x0, y0, x1, y1 = box
    draw.rectangle(box, outline=_WHITE if colour[0] < 128 else _BLACK, width=weight)
    inner = weight - 1
    for x in range(x0, x1 + 1, 2 * dash):
        end = min(x + dash - 1, x1)
        draw.rectangle((x, y0, end, min(y0 + inner, y1)), fill=colour)
        draw.rectangle((x, max(y1 - inner, y0), end, y1), fill=colour)
    for y in range(y0, y1 + 1, 2 * dash):
        end = min(y + dash - 1, y1)
        draw.rectangle((x0, y, min(x0 + inner, x1), end), fill=colour)
        draw.rectangle((max(x1 - inner, x0), y, x1, end), fill=colour)


def _with_legend(picture: Image, digits: tuple[Digit, ...], dark: bool) -> Image:
    """The picture with a strip below, as light or dark as the page: one entry for each style, and how many shapes have it."""
    from PIL import Image, ImageDraw, ImageFont

    text = max(_LEAST_TEXT, round(picture.size[0] / 70))
    font = ImageFont.load_default(text)
    drawn = [_style(digit) for digit in digits]
    entries = [(style, f"{style.meaning}: {drawn.count(style):,}") for style in (*_STYLES, _REJECTED)]
    patch, gap = round(1.2 * text), 2 * text
    wide = [patch + text // 2 + round(font.getlength(words)) + gap for _, words in entries]
    columns = next(c for c in (4, 2, 1) if c == 1 or max(wide) * c <= picture.size[0])
    pitch, rows = round(1.8 * text), -(-len(entries) // columns)
    paper, ink = (_BLACK, _WHITE) if dark else (_WHITE, _BLACK)
    strip = Image.new("RGB", (picture.size[0], rows * pitch + text // 2), paper)
    draw = ImageDraw.Draw(strip)
    for at, (style, words) in enumerate(entries):
        x = text // 2 + (at % columns) * max(wide)
        middle = text // 4 + pitch * (at // columns) + pitch // 2
        box = (x, middle - text // 2, x + patch, middle + text // 2)
        weight = max(1, round(text / 7 * style.weight))
        colour = style.on_dark if dark else style.colour
        if style is _REJECTED:
            _dashed(draw, box, weight, max(3, text // 3), colour)
        else:
            draw.rectangle(box, outline=colour, width=weight)
        draw.text((x + patch + text // 2, middle), words, fill=ink, font=font, anchor="lm")
    whole = Image.new("RGB", (picture.size[0], picture.size[1] + strip.size[1]), paper)
    whole.paste(picture, (0, 0))
    whole.paste(strip, (0, picture.size[1]))
    return whole
