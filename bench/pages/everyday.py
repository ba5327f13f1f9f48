"""What people photograph: forms, class lists, cheques, sheets on a desk, stains, pages that lie on their side.

    python -m bench.pages.everyday FOLDER [--split validation] [--levels forms,desk] [--pages 2]

Seeded, with the truth beside each page, like ``generator``'s; kept apart from its levels so that these stay comparable. Print
fonts and handwriting fonts are of the split's half.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from bench.pages import (
    amounts,
    fonts,
    forms,
    generator,
    glyphs,
    layout,
    lists,
    looks,
    prints,
    surfaces,
    words,
)
from bench.pages.glyphs import Array
from bench.pages.layout import Line, Sheet, Writer
from bench.pages.prints import Paper, Printer
from bench.pages.truth import Page, carried, made

LEVELS = ("forms", "lists", "bands", "patterned", "desk", "stains", "sideways", "signs")
EMPTY = ("unfilled", "printed", "surface", "pattern")  # nothing is to be read on these
ALL = (*LEVELS, *EMPTY)
FIRST = 40  # these levels' numbers in the seeds begin here, behind generator's
MOST = 110  # digits a page, about
SHEETS = ((1754, 1240), (1400, 1000), (1000, 1400), (1280, 906), (1100, 800))  # height, width
PAPERS: tuple[looks.Colour, ...] = ((255, 255, 255), (250, 250, 248), (245, 243, 236), (252, 248, 230), (240, 244, 248))
PRINTS: tuple[looks.Colour, ...] = (
    (20, 20, 22),
    (20, 20, 22),
    (60, 60, 64),
    (30, 60, 120),
    (150, 40, 40),
    (30, 100, 60),
)


class Draw:
    """All that one page needs: its own chance, its glyphs and its fonts."""

    def __init__(self, level: str, number: int, split: str, seed: int) -> None:
        index = FIRST + ALL.index(level)
        self.level, self.number, self.split, self.seed = level, number, split, seed
        self.rng = np.random.default_rng([seed, index, number, split == "test"])
        self.pool = glyphs.mnist(split)
        order = np.random.default_rng([seed, index, 7]).permutation(len(self.pool.labels))
        self.order = np.roll(order, -number * (12 if level == "patterned" else 2 * MOST))
        place = (0.5 + number * 0.6180339887498949) % 1  # sizes spread evenly over however many pages there are
        self.place = place

    def size(self, low: float, high: float) -> float:
        return float(low * (high / low) ** self.place)

    def writer(self, sheet: Sheet, hands: bool = False) -> Writer:
        faces = fonts.files(self.split) if hands else []
        return Writer(self.rng, sheet, self.pool, self.order, faces, self.rng.uniform(0.35, 0.55))

    def printer(self, sheet: Paper, numbers: bool = True) -> Printer:
        return Printer(self.rng, sheet, fonts.printed(self.split), numbers)

    def shape(self) -> tuple[int, int]:
        return SHEETS[int(self.rng.integers(len(SHEETS)))]

    def numbers(self, shape: tuple[int, int], size: float, most: int = MOST) -> Sheet:
        """A sheet with handwritten numbers, ruled or not."""
        sheet = Sheet(np.zeros(shape, np.uint8), np.zeros(shape, np.uint8), size)
        writer = self.writer(sheet)
        if self.rng.random() < 0.4:
            layout.ruled(writer, most)
        else:
            layout.plain(writer, most, separators=self.rng.random() < 0.5)
        return sheet


# ---- levels


def forms_page(draw: Draw) -> Page:
    sheet = prints.paper(draw.shape(), draw.size(18, 62))
    forms.form(draw.writer(sheet, hands=True), draw.printer(sheet), MOST)
    return camera(draw, sheet)


def unfilled(draw: Draw) -> Page:
    sheet = prints.paper(draw.shape(), draw.size(18, 62))
    forms.form(draw.writer(sheet), draw.printer(sheet, numbers=False), MOST, fill=False)
    return camera(draw, sheet)


def lists_page(draw: Draw) -> Page:
    shape = SHEETS[int(draw.rng.choice([0, 1, 3, 4]))]
    sheet = prints.paper(shape, shape[0] / 38 * draw.size(0.62, 0.95))
    lists.class_list(draw.writer(sheet), draw.printer(sheet))
    return camera(draw, sheet)


def bands_page(draw: Draw) -> Page:
    sheet = prints.paper(draw.shape(), draw.size(18, 60))
    lists.banded(draw.writer(sheet), draw.printer(sheet), MOST)
    return camera(draw, sheet)


def patterned(draw: Draw) -> Page:
    return amounts.amount(draw.rng, draw.level, draw.pool, draw.order)


def pattern(draw: Draw) -> Page:
    return amounts.amount(draw.rng, draw.level, draw.pool, draw.order, fill=False)


def desk(draw: Draw) -> Page:
    """A sheet or a slip of paper where it lies, in the light that there is."""
    rng = draw.rng
    picture = ((1280, 960), (960, 1280), (1600, 1200), (1200, 1600))[int(rng.integers(4))]
    shape = ((1400, 1000), (1000, 1400), (700, 1000), (500, 900), (900, 900))[int(rng.integers(5))]
    sheet = draw.numbers(shape, draw.size(26, 90), MOST if min(shape) > 800 else 40)
    paper, pen = looks.choose(rng, PAPERS), looks.choose(rng, looks.PENS[:6])
    page = looks.grain(rng, looks.blank(shape, paper), 1.5)
    page = looks.laid(page, sheet.rules, looks.choose(rng, looks.RULES))
    page = looks.laid(page, sheet.ink, pen, rng.uniform(0.85, 1))
    ground = surfaces.desk(rng, *picture)
    if rng.random() < 0.4:
        other = looks.blank((600, 450), looks.choose(rng, (*PAPERS, *looks.PAPERS)))
        ground = peeking(rng, ground, other)
    image, matrix = surfaces.lying(rng, page, ground, rng.uniform(0.6, 0.95))
    image = looks.light(rng, image)
    if rng.random() < 0.5:
        image = surfaces.shadow(rng, image)
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 0.9))
    return made(
        draw.level, looks.jpeg(looks.noise(rng, image, rng.uniform(1, 5)), int(rng.integers(70, 95))), sheet, matrix
    )


def peeking(rng: np.random.Generator, ground: Array, other: Array) -> Array:
    """Another sheet that reaches into the picture from an edge, with lines of writing too soft to be read or none."""
    for y in range(60, 540, 40) if rng.random() < 0.6 else ():
        cv2.line(other, (40, y), (int(rng.integers(200, 420)), y), tuple(int(0.72 * c) for c in other[0, 0]), 7)
    h, w = ground.shape[:2]
    angle = np.deg2rad(rng.uniform(0, 360))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = (np.array([[0, 0], [450, 0], [450, 600], [0, 600]]) - [225, 300]) @ turn.T * rng.uniform(0.8, 1.4)
    edge = np.array([[0, rng.uniform(0, h)], [w, rng.uniform(0, h)], [rng.uniform(0, w), h]])[int(rng.integers(3))]
    corners += edge
    mask = surfaces.quad(corners, h, w)[..., None]
    matrix = cv2.getPerspectiveTransform(
        np.array([[0, 0], [450, 0], [450, 600], [0, 600]], np.float32), corners.astype(np.float32)
    )
    warped = cv2.warpPerspective(cv2.GaussianBlur(other, (0, 0), 3), matrix, (w, h))
    return np.clip(ground + (warped.astype(np.float32) - ground) * mask, 0, 255).astype(np.uint8)


def stains(draw: Draw) -> Page:
    """Numbers on a sheet that has been through something."""
    rng, size = draw.rng, draw.size(18, 70)
    shape = draw.shape()
    sheet = draw.numbers(shape, size)
    paper, pen = looks.choose(rng, PAPERS), looks.choose(rng, looks.PENS[:6])
    page = looks.grain(rng, looks.blank(shape, paper), 1.8)
    what = set(rng.choice(["ring", "blots", "folds", "ball", "holes", "back"], int(rng.integers(1, 4)), replace=False))
    if "back" in what:
        page = surfaces.through(rng, page, draw.numbers(shape, size * rng.uniform(0.8, 1.2)).ink, pen)
    page = looks.laid(page, sheet.rules, looks.choose(rng, looks.RULES))
    page = looks.laid(page, sheet.ink, pen, rng.uniform(0.85, 1))
    if "ring" in what:
        page = surfaces.ring(rng, page)
    if "blots" in what:
        near = cv2.dilate(sheet.ink, np.ones((round(0.5 * size), round(0.5 * size)), np.uint8))
        page = surfaces.blots(rng, page, near == 0, size, pen)
    if "holes" in what:
        page = surfaces.punched(rng, page, looks.choose(rng, surfaces.PLAINS))
    if "folds" in what:
        page = surfaces.folded(rng, page)
    if "ball" in what:
        page = surfaces.crumpled(rng, page)
    image, matrix = looks.turned(rng, page, 3.0, 0.012, tuple(int(v) for v in surfaces.pick(rng, surfaces.PLAINS)))
    if rng.random() < 0.6:
        image = looks.light(rng, image)
    return made(
        draw.level, looks.jpeg(looks.noise(rng, image, rng.uniform(1, 4)), int(rng.integers(75, 95))), sheet, matrix
    )


def sideways(draw: Draw) -> Page:
    """A clean, a lit or a ruled page that lies on its side or on its head, and no file says so."""
    kind = ("clean", "lit", "ruled")[draw.number % 3]
    shape = generator.PAPERS[int(draw.rng.integers(len(generator.PAPERS)))]
    sheet = Sheet(np.zeros(shape, np.uint8), np.zeros(shape, np.uint8), draw.size(*generator.SIZES))
    writer = draw.writer(sheet)
    if kind == "ruled":
        layout.ruled(writer, MOST)
    else:
        layout.plain(writer, MOST, separators=kind == "clean")
    page = generator.dressed(kind, draw.rng, sheet)
    turns = 1 + draw.number // 3 % 3
    h, w = page.image.shape[:2]
    quarter = {
        1: [[0, 1, 0], [-1, 0, w], [0, 0, 1]],
        2: [[-1, 0, w], [0, -1, h], [0, 0, 1]],
        3: [[0, -1, h], [1, 0, 0], [0, 0, 1]],
    }
    matrix = np.array(quarter[turns], np.float64)
    return made(draw.level, np.ascontiguousarray(np.rot90(page.image, turns)), sheet, matrix)


def signs(draw: Draw) -> Page:
    """Dates, telephone numbers and fractions with hyphens, slashes and points in them, and numbers without."""
    rng = draw.rng
    sheet = Sheet(np.zeros((0, 0), np.uint8), np.zeros((0, 0), np.uint8), draw.size(18, 70))
    shape = draw.shape()
    sheet.ink, sheet.rules = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    writer, size = draw.writer(sheet), sheet.size
    pen = 0.1 * size
    for base in layout.evenly(rng, layout.baselines(rng, sheet, size * rng.uniform(1.7, 2.4)), 18):
        left, right = layout.margins(rng, sheet)
        line, x = Line(), left
        while sheet.digits + len(line.digits) < MOST:
            parts, between = groups(rng)
            if x + size * (0.95 * sum(parts) + 0.7 * len(parts)) > right:
                break
            fresh, at = Line(), x
            for k, n in enumerate(parts):
                if k:
                    at = separator(writer, between, at, base, pen)
                one = Line()
                at = writer.number(one, n, at, base, right)
                fresh.text += between * bool(k) + one.text
                fresh.digits += one.digits
            if len(fresh.digits) == sum(parts):
                line.text = f"{line.text} {fresh.text}".strip()
                line.digits += fresh.digits
            x = at + size * rng.uniform(1.2, 2.2)
        if line.digits:
            sheet.lines.append(line)
    page = generator.dressed("lit" if rng.random() < 0.4 else "ruled", rng, sheet)
    page.truth["level"] = draw.level
    page.truth["signs"] = "-/"
    return page


def groups(rng: np.random.Generator) -> tuple[list[int], str]:
    """How many digits stand between how many signs, and which sign."""
    kind = rng.random()
    if kind < 0.45:
        return [2, 2, 4 if rng.random() < 0.6 else 2], str(rng.choice(["-", "/", "."]))
    if kind < 0.75:
        return [int(rng.integers(3, 5)), *(int(v) for v in rng.integers(2, 5, int(rng.integers(1, 3))))], "-"
    if kind < 0.9:
        return [int(rng.integers(1, 3)), int(rng.integers(1, 3))], "/"
    return [int(rng.integers(1, 6))], ""


def separator(writer: Writer, kind: str, x: float, base: float, pen: float) -> float:
    """A sign between two digits; where the next digit begins."""
    rng, size, ink = writer.rng, writer.sheet.size, writer.sheet.ink
    if kind == ".":
        return amounts.dot(writer, ".", x + 0.1 * size, base, 1.2 * pen) + 0.14 * size
    x += 0.16 * size
    if kind == "-":
        y, length = base - size * rng.uniform(0.4, 0.55), size * rng.uniform(0.28, 0.45)
        ends = (x, y), (x + length, y + rng.normal(0, 0.02) * size)
    else:
        length = size * rng.uniform(0.25, 0.5)
        ends = (x, base + size * rng.uniform(0, 0.15)), (x + length, base - size * rng.uniform(0.95, 1.15))
    a, b = ((round(16 * p[0]), round(16 * p[1])) for p in ends)
    cv2.line(ink, a, b, 240, max(1, round(pen)), cv2.LINE_AA, 4)
    return x + length + 0.16 * size


def printed(draw: Draw) -> Page:
    sheet = prints.paper(draw.shape(), 0.0)
    printer = draw.printer(sheet, numbers=False)
    headed = draw.rng.random() < 0.4
    if headed:
        lists.logo(printer, draw.size(14, 40))
    prints.text_page(printer, draw.size(9, 30), words.PROSE, title=not headed)
    return camera(draw, sheet)


def surface(draw: Draw) -> Page:
    """A desk with nothing on it, or with an empty sheet."""
    rng = draw.rng
    shape = ((1280, 960), (960, 1280), (900, 900))[int(rng.integers(3))]
    image = surfaces.desk(rng, *shape)
    if rng.random() < 0.5:
        blank = looks.grain(rng, looks.blank((1000, 700), looks.choose(rng, PAPERS)), 1.5)
        image, _ = surfaces.lying(rng, blank, image, rng.uniform(0.4, 0.9))
    image = surfaces.shadow(rng, image) if rng.random() < 0.4 else image
    image = looks.jpeg(looks.noise(rng, looks.light(rng, image), rng.uniform(1, 6)), int(rng.integers(60, 95)))
    return made(draw.level, image, Sheet(np.zeros(shape, np.uint8), np.zeros((1, 1), np.uint8), 0))


def camera(draw: Draw, sheet: Paper) -> Page:
    """A printed sheet as a scan of it or as a photograph."""
    rng = draw.rng
    pen = looks.choose(rng, looks.PENS[:4])
    page = looks.grain(rng, looks.blank(sheet.ink.shape, looks.choose(rng, PAPERS)), 1.2)
    if draw.level in ("forms", "unfilled") and rng.random() < 0.25:
        page = surfaces.emblems(rng, page)
    for (x0, y0, x1, y1), colour in sheet.fills:
        page[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = colour
    ink = looks.choose(rng, PRINTS)
    page = looks.laid(page, sheet.printed, ink, rng.uniform(0.85, 1))
    page = looks.laid(page, sheet.light, (250, 250, 248))
    page = looks.laid(page, sheet.rules, ink if rng.random() < 0.6 else looks.choose(rng, looks.RULES))
    page = looks.laid(page, sheet.ink, pen, rng.uniform(0.85, 1))
    page = prints.marked(page, sheet)
    if rng.random() < 0.5:  # a scan
        page, matrix = looks.turned(rng, page, 0.8, 0.0, (250, 250, 250))
        page = looks.jpeg(looks.noise(rng, page, rng.uniform(0.5, 2)), int(rng.integers(70, 96)))
        return withheld(made(draw.level, page, sheet, matrix), sheet)
    if rng.random() < 0.4:
        h, w = page.shape[:2]
        page, matrix = surfaces.lying(rng, page, surfaces.desk(rng, h, w), rng.uniform(0.86, 0.98))
    else:
        page, matrix = looks.turned(rng, page, 3.0, 0.015, tuple(int(v) for v in surfaces.pick(rng, surfaces.PLAINS)))
    page = looks.light(rng, page)
    page = looks.jpeg(looks.noise(rng, page, rng.uniform(1, 4)), int(rng.integers(75, 95)))
    return withheld(made(draw.level, page, sheet, matrix), sheet)


def withheld(page: Page, sheet: Paper) -> Page:
    """The page whose truth knows where printed digits stand that may be left out."""
    matrix = np.array(page.truth["matrix"])
    page.truth["optional"] = [carried(box, matrix) for box in sheet.optional]
    return page


DRAWN: dict[str, Any] = {
    "forms": forms_page, "lists": lists_page, "bands": bands_page, "patterned": patterned, "desk": desk,
    "stains": stains, "sideways": sideways, "signs": signs, "unfilled": unfilled, "printed": printed,
    "surface": surface, "pattern": pattern,
}  # fmt: skip


def page(level: str, number: int, split: str = "validation", seed: int = generator.SEED) -> Page:
    """One page. level: one of ALL; split: ``validation`` or ``test``, of glyphs and of fonts alike."""
    if level not in ALL:
        raise ValueError(f"level: {level!r}, expected one of {', '.join(ALL)}")
    drawn: Page = DRAWN[level](Draw(level, number, split, seed))
    return drawn


def pages(
    level: str, split: str = "validation", n: int = 0, digits: int = 2000, seed: int = generator.SEED
) -> Iterator[Page]:
    """The first n pages of a level; with n = 0 as many as hold so many digits, or twenty of a level without any."""
    return generator.counted(
        lambda number: page(level, number, split, seed), n or (20 if level in EMPTY else 0), digits
    )


def main() -> None:
    generator.command(__doc__ or "", ALL, pages)


if __name__ == "__main__":
    main()
