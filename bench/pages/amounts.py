"""Small pictures cut around one number, as a cheque's amount: patterned paper, marks before and behind, digits that touch.

The picture is as small as such cuts are: 40 to 120 pixels high, 60 to 400 wide. Read by ``everyday``.
"""

from __future__ import annotations

import cv2
import numpy as np

from bench.pages import layout, looks, surfaces
from bench.pages.glyphs import Array, Glyphs
from bench.pages.layout import Line, Sheet, Writer
from bench.pages.truth import Page, made

PAPERS: tuple[looks.Colour, ...] = (
    (238, 238, 238), (222, 222, 222), (200, 200, 200), (176, 176, 176), (222, 236, 222), (236, 226, 214), (214, 226, 240),
)  # fmt: skip
ENDS = ("", "", "", ".-", ",-", "=", "-", "#", "//", "*")  # what is put behind an amount, so that nobody adds a digit
STARTS = ("", "", "", "", "=", "*", "#", "$")


def mark(kind: str, size: float) -> list[Array]:
    """A sign's strokes, each points [n, 2] in pixels from the number's base line upwards, x from 0."""
    t = np.linspace(0, 1, 24)
    strokes = {
        "=": [[(0, 0.35), (0.5, 0.38)], [(0, 0.6), (0.5, 0.64)]],
        "-": [[(0, 0.42), (0.75, 0.46)]],
        "#": [
            [(0.15, 0.1), (0.3, 0.85)],
            [(0.45, 0.1), (0.6, 0.85)],
            [(0, 0.36), (0.75, 0.42)],
            [(0, 0.62), (0.75, 0.68)],
        ],
        "//": [[(0, -0.14), (0.44, 1.06)], [(0.2, -0.14), (0.64, 1.06)]],  # longer and more slanted than any 11
        "*": [[(0.25, 0.3), (0.25, 0.8)], [(0, 0.42), (0.5, 0.68)], [(0.5, 0.42), (0, 0.68)]],
    }.get(kind)
    if strokes is None:  # a dollar sign
        s = np.stack([0.3 + 0.26 * np.sin(5.2 * (t - 0.5) * 1.1 + np.pi), 0.12 + 0.68 * t], axis=1)
        strokes = [s.tolist(), [(0.3, 0.0), (0.33, 0.95)]]
    return [np.array(stroke) * size * [1, -1] for stroke in strokes]


def sign(writer: Writer, kind: str, x: float, base: float, pen: float) -> float:
    """Draws a sign at x; where it ends."""
    strokes = mark(kind, writer.sheet.size)
    start = np.array([x, base]) + writer.rng.normal(0, 0.02, 2) * writer.sheet.size
    for stroke in strokes:
        points = np.round((stroke + start) * 16).astype(np.int32)
        cv2.polylines(writer.sheet.ink, [points[:, None]], False, 235, max(1, round(pen)), cv2.LINE_AA, 4)
    return x + max(float(stroke[:, 0].max()) for stroke in strokes)


def dot(writer: Writer, kind: str, x: float, base: float, pen: float) -> float:
    """A point or a comma on the base line; where it ends."""
    radius = max(1.0, 0.65 * pen)
    centre = round((x + radius) * 16), round((base - 0.6 * radius) * 16)
    cv2.circle(writer.sheet.ink, centre, round(radius * 16), 235, -1, cv2.LINE_AA, 4)
    if kind == ",":
        end = round((x + 0.1 * radius) * 16), round((base + 2.8 * radius) * 16)
        cv2.line(writer.sheet.ink, centre, end, 235, max(1, round(0.8 * pen)), cv2.LINE_AA, 4)
    return x + 2 * radius


def number(writer: Writer, line: Line, n: int, x: float, base: float, pen: float) -> float:
    """n digits in groups of three, with a point, a comma or nothing between; where they end, x if they don't fit."""
    rng, size = writer.rng, writer.sheet.size
    between = str(rng.choice([".", "", "", ","], p=[0.42, 0.25, 0.25, 0.08]))
    groups = [n % 3] * bool(n % 3) + [3] * (n // 3) if between else [n]
    touch = rng.random() < 0.4
    for k, count in enumerate(groups):
        if k:
            x = dot(writer, between, x + 0.08 * size, base, pen) + 0.1 * size
        fresh = Line()
        end = writer.number(fresh, count, x, base, writer.width - 2, touch and rng.random() < 0.8)
        if end == x:
            return x
        line.text += between * bool(k) + fresh.text
        line.digits += fresh.digits
        x = end
    return x


def amount(rng: np.random.Generator, level: str, pool: Glyphs, order: Array, fill: bool = True) -> Page:
    """One picture with its truth. pool, order: as for ``Writer``. fill: whether anything is written on it."""
    high = float(np.exp(rng.uniform(np.log(40), np.log(120))))
    size = high * rng.uniform(0.5, 0.72)
    shape = round(high), max(60, min(400, round(high * 9)))
    sheet = Sheet(np.zeros(shape, np.uint8), np.zeros(shape, np.uint8), size)
    writer = Writer(rng, sheet, pool, order, [], rng.uniform(0.32, 0.58))
    pen, base = 0.09 * size, (high + size) / 2 + rng.uniform(-0.08, 0.06) * high
    line, right = Line(), float(rng.uniform(2.5, 5)) * high
    if fill:
        x = 0.1 * size + 2
        start, end = (str(kinds[int(rng.integers(len(kinds)))]) for kinds in (STARTS, ENDS))
        if start:
            x = sign(writer, start, x, base, pen) + 0.2 * size
        at = x
        for n in (int(rng.choice([2, 3, 4, 5, 6], p=[0.06, 0.14, 0.3, 0.36, 0.14])), 2, 1):
            x = number(writer, line, n, at, base, pen)
            if line.digits:
                break
        if end.startswith((".", ",")):
            x = dot(writer, end[0], x + 0.08 * size, base, pen)
            end = end[1:]
        if end:
            x = sign(writer, end, x + rng.uniform(0.15, 0.4) * size, base, pen)
        right = x + rng.uniform(0.1, 0.5) * size + 2
        sheet.lines.append(line)
    width = int(min(shape[1], max(60, right)))
    frame(rng, sheet, width, base)
    return dressed(rng, level, sheet, width)


def frame(rng: np.random.Generator, sheet: Sheet, width: int, base: float) -> None:
    """A line to write on, or parts of the box around the amount."""
    kind, high, size = rng.random(), sheet.ink.shape[0], sheet.size
    thick = int(rng.integers(1, max(2, round(0.07 * size))))
    low = min(high - 2, base + rng.uniform(0.0, 0.16) * size)
    if kind < 0.35:
        layout.rule(sheet, (0, low), (width, low), thick)
    elif kind < 0.55:
        layout.rule(sheet, (0, high - 1 - thick), (width, high - 1 - thick), thick)
        layout.rule(sheet, (0, thick), (width, thick), thick)
        if rng.random() < 0.5:
            layout.rule(sheet, (width - 1 - thick, 0), (width - 1 - thick, high), thick)


def dressed(rng: np.random.Generator, level: str, sheet: Sheet, width: int) -> Page:
    """Paper, its pattern, pen and file."""
    paper = looks.choose(rng, PAPERS)
    pens: tuple[looks.Colour, ...] = ((28, 28, 30), (20, 20, 24), (30, 44, 120), (60, 60, 64), (84, 84, 88))
    pen = looks.choose(rng, pens)
    high = sheet.ink.shape[0]
    image = looks.blank((high, width), paper).astype(np.float32)
    apart = float(np.mean(paper)) - float(np.mean(pen))
    strong = rng.uniform(0.08, 0.5) * apart  # of the ink's own contrast
    tint = np.array([[1, 1, 1], [1, 0.8, 0.6], [0.5, 1, 0.9], [0.8, 0.8, 1]])[int(rng.integers(4))]
    for _ in range(1 + int(rng.random() < 0.3)):
        image -= strong * surfaces.pattern(rng, high, width)[..., None] * tint
        strong *= 0.5
    if rng.random() < 0.15:  # the pattern ends where another begins
        at = int(rng.uniform(0.2, 0.8) * width)
        image[:, at:] -= strong * surfaces.pattern(rng, high, width - at)[..., None]
    page = np.clip(image, 0, 255).astype(np.uint8)
    page = looks.laid(page, sheet.rules[:, :width], (50, 50, 54) if rng.random() < 0.6 else (120, 120, 124))
    page = looks.laid(page, sheet.ink[:, :width], pen, rng.uniform(0.75, 1))
    page = cv2.GaussianBlur(page, (0, 0), rng.uniform(0.3, 0.75))
    if rng.random() < 0.65:
        page = cv2.cvtColor(cv2.cvtColor(page, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    page = looks.jpeg(looks.noise(rng, page, rng.uniform(0.5, 5)), int(rng.integers(55, 96)))
    return made(level, page, sheet)
