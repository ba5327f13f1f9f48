"""One HTML page with all that a person should check: each doubtful number's picture, and what was read there.

The page is one file that needs nothing but a browser. Pages are taken in one by one, and only small pictures of them are
kept. What is doubtful is ``page.Digit``'s to say; what a number is, nobody's here. Read by the command line and by users.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterable
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.html.document import document, percent, text
from lenet.messages.check import describe, message, positive_int
from lenet.reading.page import DOUBT, REJECTED, Box, Digit, Number, Page
from lenet.reading.sources.pixels import check_colours
from lenet.reading.sources.source import Source

__all__ = ["MOST_NUMBERS", "CheckPage", "check_page"]

MOST_NUMBERS = 5_000  # shown: some 15 MB, which a phone still opens

_AROUND = 0.5  # heights of a number that its picture has around it
_HIGH, _WIDE = 56, 640  # pixels of a number's height and of a picture's width in the file, at most
_SHOWN = 48  # CSS pixels of a number's height on the page
_QUALITY = 70
_LINKED = 12  # files that the page's head links to, at most

_CSS = """
.files { display: flex; flex-wrap: wrap; gap: 0 1.5rem; }
.files > section { flex: 1 1 100%; min-width: 0; }
.files > .one { flex: 0 1 auto; min-width: min(17rem, 100%); max-width: 100%; }
.files h2 { font-size: 1.1rem; margin-top: 2rem; }
.files .one h2 { font-size: .9375rem; margin-top: 1rem; width: 0; min-width: 100%; }
.cards { display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; list-style: none; margin: .75rem 0 0; padding: 0; }
.cards > li {
  min-width: min(17rem, 100%); max-width: 100%; background: var(--card); border-radius: .5rem; padding: .75rem .9rem;
}
.cards figure { margin: 0; }
.seen { position: relative; display: inline-block; max-width: 100%; line-height: 0; }
.seen img { max-width: 100%; height: auto; border-radius: 3px; }
.seen i { position: absolute; border: 2px solid #d55e00; border-radius: 3px; box-shadow: 0 0 0 1px #fff; }
.read { display: block; margin-top: .4rem; font-size: 1.5rem; line-height: 1.3; font-weight: 600; white-space: pre-wrap; }
.read mark {
  background: none; color: var(--orange); text-decoration: underline .12em; text-underline-offset: .15em;
}
@media (max-width: 30rem) { .files > .one, .cards > li { flex: 1 1 100%; } }
.cards ul { list-style: none; margin: .15rem 0 0; padding: 0; font-size: .9375rem; }
"""


class _Group(NamedTuple):
    """A page's number and its cards, HTML."""

    page: int
    cards: list[str]


class CheckPage:
    """Takes readings in, one by one, and makes the page of them. most: numbers shown, in the order of their pages."""

    def __init__(self, most: int = MOST_NUMBERS) -> None:
        self.most = positive_int("most", most)
        self.digits = self.pages = 0  # to check, and those that hold any
        self._all_digits = self._all_pages = self._shown = self._left_out = 0
        self._files: list[tuple[str, list[_Group]]] = []

    def add(self, rgb: NDArray[np.uint8], page: Page) -> None:
        """Take in one page's reading. rgb: uint8 [H, W, 3], the page as it was given to ``read``, in any size.

        ValueError for another shape or dtype.
        """
        check_colours("check_page", rgb)
        doubtful = sum(digit.doubtful for digit in page.digits)
        self._all_pages += 1
        self._all_digits += len(page.digits)
        self.digits += doubtful
        self.pages += doubtful > 0
        cards = []
        for row, line in enumerate(page.lines, 1):
            for number in line.numbers:
                if not any(digit.doubtful for digit in number.digits):
                    continue
                if self._shown < self.most:
                    cards.append(_card(rgb, page, number, row))
                    self._shown += 1
                else:
                    self._left_out += 1
        if cards:
            if not self._files or self._files[-1][0] != page.name:
                self._files.append((page.name, []))
            self._files[-1][1].append(_Group(page.number, cards))

    def html(self) -> str:
        """The page."""
        title = _count(self.digits, "digit") + " to check" if self.digits else "Nothing to check"
        return document(title, self._header(title), self._body(), _CSS)

    def _header(self, title: str) -> str:
        limit, pages = percent(DOUBT, 0), _count(self._all_pages, "page")
        read = _count(self._all_digits, "digit")
        if not self.digits:
            return f"<h1>{title}</h1>\n<p>Of {read} on {pages} none is less than {limit} sure.</p>"
        lines = [
            f"<h1>{title}</h1>",
            f"<p>{self.digits:,} of {read}, on {self.pages:,} of {pages},"
            f" {'is' if self.digits == 1 else 'are'} less than {limit} sure, or could not be told: then <b>{REJECTED}</b>"
            " stands for it. Each is framed in its picture and underlined in what was read.</p>",
        ]
        if self._left_out:
            lines.append(
                f"<p><b>Shown are the first {_count(self._shown, 'number')}; {self._left_out:,} more"
                f" {'is' if self._left_out == 1 else 'are'} left out.</b> Read fewer files at once to see them all.</p>"
            )
        if 1 < len(self._files) <= _LINKED:
            names = self._names()
            links = "".join(f'<li><a href="#f{n}">{name}</a></li>' for n, name in enumerate(names, 1))
            lines.append(f'<nav aria-label="Files"><ul>{links}</ul></nav>')
        return "\n".join(lines)

    def _body(self) -> str:
        names = self._names()
        sections = [_section(n, names[n - 1], groups) for n, (_, groups) in enumerate(self._files, 1)]
        return '<div class="files">\n' + "\n".join(sections) + "\n</div>"

    def _names(self) -> list[str]:
        """The files' names for HTML, without the folder that all are in."""
        files = [file for file, _ in self._files]
        try:
            folder = os.path.commonpath([os.path.dirname(file) for file in files])
        except ValueError:  # in no folder together, or there are none
            folder = ""
        start = len(folder) if len(set(files)) > 1 else 0
        return [text(file[start:].lstrip("/\\"), 300) or "A picture without a name" for file in files]


def check_page(read: Iterable[tuple[Source | NDArray[np.uint8], Page]], *, most: int = MOST_NUMBERS) -> str:
    """One HTML page, as text, of all that a person should check in readings: digits rejected or less than 90 % sure.

    read: pairs of a page as it was given, a ``Source`` or uint8 [H, W, 3], and its ``Page``; they are gone through once, so
    a generator holds one picture at a time. Each doubtful number is shown as it was written, with what was read and what
    else it may be. most: numbers shown, in the order of the pages; the page says how many more there are.

        pages = ((source.rgb, read(source)) for source in open_pages("form.pdf"))
        Path("check.html").write_text(check_page(pages), encoding="utf-8")

    ValueError or TypeError for other things than these.
    """
    made = CheckPage(most)
    for one in read:
        if not isinstance(one, tuple) or len(one) != 2 or not isinstance(one[1], Page):
            raise TypeError(message("check_page", describe(one), "pairs (colours, Page)", "Type zip(images, pages)"))
        given, page = one
        made.add(given.rgb if isinstance(given, Source) else given, page)
    return made.html()


def _section(n: int, name: str, groups: list[_Group]) -> str:
    """A file's cards, by its pages."""
    parts = []
    for page, cards in groups:
        head = f"<h3>Page {page:,}</h3>" if len(groups) > 1 or page > 1 else ""
        parts.append(f'{head}<ul class="cards">{"".join(cards)}</ul>')
    kind = ' class="one"' if len(groups) == len(groups[0].cards) == 1 else ""
    title = f'<h2 id="f{n}t">{name}</h2>'
    return f'<section id="f{n}"{kind} aria-labelledby="f{n}t">{title}\n{"".join(parts)}</section>'


def _card(rgb: NDArray[np.uint8], page: Page, number: Number, row: int) -> str:
    """A doubtful number: its picture, what was read, and for each doubtful digit what else it may be."""
    doubtful = [(place, digit) for place, digit in enumerate(number.digits, 1) if digit.doubtful]
    picture = _picture(rgb, page, number, [digit for _, digit in doubtful])
    several = len(number.digits) > 1
    said = "".join(f"<li>{_said(digit, place if several else 0)}</li>" for place, digit in doubtful)
    words = f'<span class="read">{_marked(number)}</span><ul>{said}</ul><span class="soft">Line {row:,}</span>'
    return f"<li><figure>{picture}<figcaption>{words}</figcaption></figure></li>"


def _marked(number: Number) -> str:
    """A number's text, its doubtful digits marked."""
    digits, parts = iter(number.digits), []
    for char in number.text:
        digit = next(digits, None) if char == REJECTED or char.isdigit() else None
        parts.append(f"<mark>{text(char)}</mark>" if digit is not None and digit.doubtful else text(char))
    return "".join(parts)


def _said(digit: Digit, place: int) -> str:
    """``2nd digit: 9, 62 % sure; or 4, 35 %``. place: from 1, or 0 for the only digit."""
    which = f"{_ordinal(place)} digit: " if place else ""
    other, share = digit.second
    first, second = f"<b>{text(digit.label)}</b>", f"<b>{text(other)}</b>"
    if digit.rejected:
        return f"{which}not told; maybe {first}, {_share(digit.confidence)}, or {second}, {_share(share)}"
    return f"{which}{first}, {_share(digit.confidence)} sure; or {second}, {_share(share)}"


def _share(p: float) -> str:
    """A probability as a person reads it; never 0 % or 100 %."""
    return "&lt;\u00a01\u00a0%" if p < 0.005 else percent(min(p, 0.99), 0)


def _picture(rgb: NDArray[np.uint8], page: Page, number: Number, doubtful: list[Digit]) -> str:
    """A number cut out of its page with a little around it, upright, with frames around its doubtful digits."""
    from PIL import Image

    across, down = rgb.shape[1] / page.width, rgb.shape[0] / page.height
    quarters = page.turn // 90
    x0, y0, x1, y1 = number.box
    high = (x1 - x0) if quarters % 2 else (y1 - y0)
    room = max(round(_AROUND * high), 4)
    left, top = max(round((x0 - room) * across), 0), max(round((y0 - room) * down), 0)
    right, bottom = min(round((x1 + room) * across) + 1, rgb.shape[1]), min(round((y1 + room) * down) + 1, rgb.shape[0])
    cut = np.rot90(rgb[top:bottom, left:right], quarters)
    size = cut.shape[1], cut.shape[0]
    scaled = max(high * (across if quarters % 2 else down), 1.0)
    shrink = min(1.0, _HIGH / scaled, _WIDE / size[0])
    small = max(1, round(size[0] * shrink)), max(1, round(size[1] * shrink))
    picture = Image.fromarray(np.ascontiguousarray(cut))
    if small != size:
        picture = picture.resize(small, Image.Resampling.BOX if shrink < 0.5 else Image.Resampling.BICUBIC)
    buffer = BytesIO()
    picture.save(buffer, "WEBP", quality=_QUALITY)
    frames = "".join(
        _frame(_within(digit.box, across, down, (left, top, right, bottom), quarters)) for digit in doubtful
    )
    wide, high = (max(1, round(side * _SHOWN / scaled)) for side in size)
    address = f"data:image/webp;base64,{b64encode(buffer.getvalue()).decode()}"
    return (
        f'<span class="seen"><img width="{wide}" height="{high}" alt="The number read as {text(number.text)}"'
        f' src="{address}">{frames}</span>'
    )


def _within(box: Box, across: float, down: float, cut: Box, quarters: int) -> tuple[float, float, float, float]:
    """Where a box of the page is in a part cut out of its picture and turned: x0, y0, x1, y1 from 0 to 1.

    across, down: the picture's pixels for each of the page's; cut: in the picture's; quarters: turns counter-clockwise.
    """
    left, top, right, bottom = cut
    x0, x1 = ((x * across - left) / (right - left) for x in (box[0], box[2]))
    y0, y1 = ((y * down - top) / (bottom - top) for y in (box[1], box[3]))
    for _ in range(quarters % 4):
        x0, y0, x1, y1 = y0, 1 - x1, y1, 1 - x0
    return x0, y0, x1, y1


def _frame(place: tuple[float, float, float, float]) -> str:
    x0, y0, x1, y1 = (f"{100 * min(max(side, 0.0), 1.0):.1f}" for side in place)
    wide, high = float(x1) - float(x0), float(y1) - float(y0)
    return f'<i style="left:{x0}%;top:{y0}%;width:{wide:.1f}%;height:{high:.1f}%"></i>'


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def _ordinal(n: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th") if n % 100 not in (11, 12, 13) else "th"
    return f"{n}{ending}"
