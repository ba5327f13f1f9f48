"""The pictures of docs/reading.md and the words beside them: ``python -m bench.pages.pictures``, then ``python -m bench.tables``.

    --out FOLDER       where the pictures go, docs/images if left out
    --pages N          pages a level whose mistakes are counted and shown

Everything shown is drawn from MNIST's 5,000 VALIDATION images and the development half of the fonts: what the benchmark's
test run looks at is seen here by nobody. Where a picture shows how well it reads, a rule at its function decides on the
page, the part and the mistakes, not a hand; those of the steps and of MNIST's form were made to explain. The one real
photograph, OpenCV's sudoku.png, is read and counted but not stored: it shows a newspaper. The same source, weights and kind
of processor give the same pictures.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bench import report
from bench.pages import everyday, generator, glyphs, layout, looks, score, singles, worlds
from bench.pages.glyphs import Array
from bench.pages.mistakes import KINDS, Mistake, kind_of, mistakes, sudoku, told
from lenet import reading
from lenet.reading.ink.clean import clean
from lenet.reading.ink.find import find_ink
from lenet.reading.ink.straighten import straighten
from lenet.reading.shapes.shape import find_shapes, union

ROOT = Path(__file__).resolve().parents[2]
IMAGES, RESULT = ROOT / "docs" / "images", ROOT / "bench" / "results" / "pictures.json"

WIDTH = 860  # of a picture on the page
GAP = 10
PAPER, INK, MARK = (255, 255, 255), (30, 30, 30), (213, 94, 0)  # the last after Okabe and Ito
Box = tuple[int, int, int, int]


# ------------------------------------------------------------------------------------------------------------- drawing


def stored(picture: Array | Image.Image, path: Path, quality: int = 70) -> None:
    """As WebP, or as JPEG if the name says so."""
    image = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    if path.suffix == ".jpg":
        image.save(path, "JPEG", quality=quality)
    else:
        image.save(path, "WEBP", quality=quality, method=6)


def fitted(picture: Array, width: int, height: int, soft: bool = True) -> Image.Image:
    """Scaled into a box, its aspect kept, and laid into the middle of it."""
    image = Image.fromarray(picture).convert("RGB")
    scale = min(width / image.width, height / image.height)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    small = image.resize(size, Image.Resampling.LANCZOS if soft else Image.Resampling.NEAREST)
    whole = Image.new("RGB", (width, height), PAPER)
    whole.paste(small, ((width - size[0]) // 2, (height - size[1]) // 2))
    return whole


def grid(rows: list[list[tuple[Image.Image, str]]], heads: list[str] | None = None, text: int = 14) -> Image.Image:
    """Pictures of one size in rows, a caption of one or several lines below each, a head above each row."""
    font, line = ImageFont.load_default(text), round(1.3 * text)
    width, height = rows[0][0][0].size
    below = [GAP + line * max(caption.count("\n") + 1 if caption else 0 for _, caption in row) for row in rows]
    above = line + GAP if heads else 0
    across = max(GAP + (width + GAP) * max(map(len, rows)), WIDTH if heads else 0)
    whole = Image.new("RGB", (across, GAP + sum(above + height + one for one in below)), PAPER)
    draw, y = ImageDraw.Draw(whole), GAP
    for i, row in enumerate(rows):
        if heads:
            draw.text((GAP, y + line // 2), heads[i], fill=INK, font=font, anchor="lm")
            y += above
        for j, (picture, caption) in enumerate(row):
            x = GAP + j * (width + GAP)
            whole.paste(picture, (x, y))
            draw.rectangle((x, y, x + width - 1, y + height - 1), outline=(200, 200, 200))
            for k, words in enumerate(caption.split("\n")):
                middle = x + width / 2, y + height + 4 + line * k + line // 2
                draw.text(middle, words, fill=INK, font=font, anchor="mm")
        y += height + below[i]
    return whole


def window(boxes: list[Box], shape: tuple[int, ...], width: int, heights: range, label: int = 24) -> Box:
    """The part of a page with most boxes whole, less those it cuts, labels above them included; the first from the top.

    One of these heights, or the whole page's if that is less.
    """
    edges = np.array(boxes, np.int64).reshape(-1, 4) - [0, label, 0, 0]
    width = min(width, shape[1])
    best, found = -np.inf, (0, 0, width, min(heights[0], shape[0]))
    for high in heights:
        for top in range(0, max(1, shape[0] - high), 8):
            for left in range(0, max(1, shape[1] - width + 1), 20):
                place = np.array([left, top, left + width, top + high])
                touched = ((edges[:, :2] < place[2:]) & (edges[:, 2:] > place[:2])).all(axis=1)
                whole = ((edges[:, :2] >= place[:2] + 3) & (edges[:, 2:] <= place[2:] - 3)).all(axis=1)
                if (value := 2 * int(whole.sum()) - int(touched.sum())) > best:
                    best, found = value, (left, top, left + width, min(top + high, shape[0]))
    return found


# -------------------------------------------------------------------------------------------------------------- levels


def level_picture(level: str) -> tuple[Array, dict[str, Any]]:
    """Page 0 of a level as ``annotate`` draws it, its fullest part; and how much of the whole page was read right."""
    page = generator.page(level, 0)
    read = reading.read(page.image)
    drawn = reading.annotate(page.image, read, legend=False)
    factor = drawn.shape[1] // page.image.shape[1]
    boxes: list[Box] = [tuple(factor * v for v in digit.box) for digit in read.digits]
    x0, y0, x1, y1 = window(boxes, drawn.shape, WIDTH, range(230, 311, 20))
    scored = score.page(page.truth, [{"text": n.text, "box": list(n.box)} for line in read.lines for n in line.numbers])
    return drawn[y0:y1, x0:x1], {"digits": scored.length, "edits": scored.edits.distance}


# ------------------------------------------------------------------------------------------------------ a page's steps


def small_sheet(seed: int, height: int, width: int, size: float) -> layout.Writer:
    """A sheet of its own, smaller than the benchmark's."""
    rng = np.random.default_rng([generator.SEED, 100, seed])
    sheet = layout.Sheet(np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8), size)
    pool = glyphs.mnist("validation")
    return layout.Writer(rng, sheet, pool, rng.permutation(len(pool.labels)), [], 0.45)


def way_picture() -> Image.Image:
    """One sheet's way, an example that goes well: ruled paper, turned, in uneven light; its ink; straight; read."""
    writer = small_sheet(8, 840, 1140, 70)
    rng, sheet = writer.rng, writer.sheet
    for base in range(120, 840, 120):
        layout.rule(sheet, (0, base), (1140, base), 2)
        line, x = layout.Line(), 75.0
        for digits in (3, 1, 4, 2):
            end = writer.number(line, digits, x, float(base) - 6, 1080)
            x = end + 70 if end > x else x
        sheet.lines.append(line)
    image = looks.grain(rng, looks.blank((840, 1140), (247, 245, 238)), 1.5)
    image = looks.laid(looks.laid(image, sheet.rules, (150, 185, 220)), sheet.ink, (28, 40, 120), 0.95)
    image = looks.turned(rng, image, 9, 0.03, (92, 64, 44))[0]
    image = looks.jpeg(looks.noise(rng, looks.light(rng, image), 3), 88)
    ink = find_ink(image)
    straight = clean(straighten(ink)[0])
    drawn = reading.annotate(image, reading.read(image), legend=False)
    panels = [
        (image, "1. the picture"),
        (255 - ink.level, "2. its ink, whatever the colours and the light"),
        (255 - straight.level, "3. straightened, rules taken out"),
        (drawn, "4. shapes, lines, numbers, digits"),
    ]
    cells = [(fitted(picture, (WIDTH - 3 * GAP) // 2, 305), words) for picture, words in panels]
    return grid([cells[:2], cells[2:]], text=15)


# --------------------------------------------------------------------------------------------------------- MNIST's form


def written(label: int, height: float, threshold: float, thicker: int = 0) -> Array:
    """Coverage uint8 [120, 120]: the first validation digit of that label; thicker: its edges moved outward, pixels."""
    pool = glyphs.mnist("validation")
    mark = glyphs.digit(pool.images[int(np.flatnonzero(pool.labels == label)[0])], height, threshold)
    if thicker:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * thicker + 1, 2 * thicker + 1))
        mark = cv2.dilate(np.pad(mark, thicker), kernel)
    cover = np.zeros((120, 120), np.uint8)
    top, left = (120 - mark.shape[0]) // 2, (120 - mark.shape[1]) // 2
    cover[top : top + mark.shape[0], left : left + mark.shape[1]] = mark
    return cover


def pens() -> list[tuple[str, Array]]:
    """One digit each, as different pens, papers and cameras give it; RGB uint8 [h, w, 3]."""
    rng = np.random.default_rng([generator.SEED, 101])

    def on(paper: looks.Colour, pen: looks.Colour, cover: Array) -> Array:
        image = looks.grain(rng, looks.blank((120, 120), paper), 1.5)
        return looks.noise(rng, looks.laid(image, cover, pen), 1.5)

    white = (250, 250, 248)
    equal = singles.hues(rng, 60, 60, chroma=30)
    alike = singles.inked(written(3, 80, 0.45), *equal)
    lit = looks.light(np.random.default_rng([generator.SEED, 102]), on(white, (28, 40, 120), written(4, 80, 0.45)))
    framed = np.pad(on(white, (20, 20, 24), written(5, 80, 0.45)), ((12, 4), (9, 14), (0, 0)))
    small = cv2.resize(on(white, (20, 20, 24), written(6, 80, 0.45)), (14, 14), interpolation=cv2.INTER_AREA)
    return [
        ("ballpoint", on(white, (28, 40, 120), written(0, 80, 0.5))),
        ("marker", on(white, (140, 28, 32), written(8, 80, 0.35, 4))),
        ("thin pencil", on(white, (110, 110, 114), written(2, 80, 0.68))),
        ("ink as light\nas the paper", alike),
        ("chalk", on((34, 48, 42), (240, 240, 235), written(7, 80, 0.45))),
        ("in shadow", lit),
        ("scan with a\nblack border", framed),
        ("14 pixels", small),
    ]


def forms_picture() -> tuple[Image.Image, list[str]]:
    """Each of ``pens`` as given, its ink, its shape, and the 28 x 28 pixels that the network sees; and what it said."""
    side = (WIDTH - 9 * GAP) // 8
    rows: list[list[tuple[Image.Image, str]]] = [[], [], [], []]
    said = []
    for name, image in pens():
        ink = find_ink(image)
        kept = clean(ink)
        shape = union(find_shapes(kept.level, kept.mask, kept.stroke))
        digit = reading.read(image, layout="single").digits[0]
        said.append(digit.text)
        rows[0].append((fitted(image, side, side, soft=False), name))
        rows[1].append((fitted(255 - ink.level, side, side, soft=False), ""))
        rows[2].append((fitted(255 - shape.level, side, side, soft=False), ""))
        rows[3].append((fitted(digit.image, side, side, soft=False), f"{digit.text}, {100 * digit.confidence:.1f} %"))
    heads = ["as given", "its ink", "its shape, cut out", "in MNIST's form, 28 by 28 pixels: all that the network sees"]
    return grid(rows, heads), said


# ------------------------------------------------------------------------------------------------------------- mistakes


def seen(page: Array, mistake: Mistake, side: int) -> Image.Image:
    """A square around a mistake, the place itself framed."""
    x0, y0, x1, y1 = mistake.box
    reach = round(0.5 * max(x1 - x0, y1 - y0) * 1.9) + 2
    x, y = (x0 + x1) // 2, (y0 + y1) // 2
    padded = cv2.copyMakeBorder(page, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    picture = Image.fromarray(padded[y : y + 2 * reach, x : x + 2 * reach]).resize(
        (side, side), Image.Resampling.BICUBIC
    )
    scale = side / (2 * reach)
    corners = [(v - c + reach) * scale for v, c in ((x0, x), (y0, y), (x1, x), (y1, y))]
    frame = corners[0] - 2, corners[1] - 2, corners[2] + 1, corners[3] + 1
    ImageDraw.Draw(picture).rectangle(frame, outline=MARK, width=2)
    return picture


def failures_picture(levels: Sequence[str], pages: int, shown: int = 8) -> tuple[Image.Image, dict[str, Any]]:
    """The ``shown`` surest wrong answers on a level's first pages, a row a level, then digits not read; and the counts."""
    side = (WIDTH - (shown + 1) * GAP) // shown
    rows, heads, counts = [], [], {}
    for level in levels:
        found: list[tuple[Mistake, Array]] = []
        digits = 0
        for number in range(pages):
            page = generator.page(level, number)
            digits += page.truth["digits"]
            found += [(one, page.image) for one in mistakes(page.truth, reading.read(page.image))]
        found.sort(key=lambda one: -one[0].confidence)
        kinds = [kind_of(one) for one, _ in found]
        counts[level] = {"pages": pages, "digits": digits} | {kind: kinds.count(kind) for kind in KINDS}
        heads.append(
            f"{level}: " + ", ".join(f"{kinds.count(kind)} {kind}" for kind in KINDS) + f" of {digits:,} digits"
        )
        cells = [(seen(image, one, side), told(one)) for one, image in found[:shown]]
        rows.append(cells or [(Image.new("RGB", (side, side), PAPER), "none")])
    return grid(rows, heads, 13), counts


# ------------------------------------------------------------------------------------------------------------- everyday


def everyday_picture(across: int = 4) -> Image.Image:
    """The first page of each level of what people photograph, nothing read on it; of cheque amounts the first six."""
    width, cells = (WIDTH - (across + 1) * GAP) // across, []
    for level in everyday.LEVELS:
        if level == "patterned":
            small = [fitted(everyday.page(level, number).image, width, 42) for number in range(6)]
            page = np.vstack([np.asarray(image) for image in small])
        else:
            page = everyday.page(level, 0).image
        cells.append((fitted(page, width, 270), level))
    return grid([cells[i : i + across] for i in range(0, len(cells), across)])


# -------------------------------------------------------------------------------------------------------------- nothing


def nothing_picture(each: int) -> tuple[Image.Image, dict[str, Any]]:
    """The first pages of prose and the first photographs, with what was read drawn on them: nothing, if all is well."""
    rows, counts = [], {}
    for level in ("prose", "photo"):
        row = []
        counts[level] = {"pages": each, "read": 0}
        for number in range(each):
            image = generator.page(level, number).image
            read = reading.read(image)
            digits = [digit for digit in read.digits if not digit.rejected]
            counts[level]["read"] += len(digits)
            drawn = reading.annotate(image, read, legend=False)
            cell = fitted(drawn, (WIDTH - (each + 1) * GAP) // each, 230)
            row.append((cell, f"{len(digits) or 'no'} digit{'s' * (len(digits) != 1)} read"))
        rows.append(row)
    return grid(rows), counts


# -------------------------------------------------------------------------------------------------------------- example


def note() -> tuple[Array, str]:
    """The example that docs/reading.md begins with, and what is written on it: a minus, a comma, a digit crossed out."""
    writer = small_sheet(6, 330, 640, 50)
    rng, sheet = writer.rng, writer.sheet
    first, second, third = layout.Line(), layout.Line(), layout.Line()
    x = writer.number(first, 3, 60, 100, 600)
    x = writer.number(first, 1, x + 60, 100, 600)
    writer.number(first, 4, x + 60, 100, 600)
    writer.put(np.full((6, 24), 255, np.uint8), 60, 165)
    second.text = "-"
    x = writer.number(second, 2, 94, 192, 600)
    writer.put(comma(), x + 8, 184)
    x = writer.number(second, 1, x + 26, 192, 600)
    writer.number(second, 5, x + 80, 192, 600)
    x = writer.number(third, 2, 60, 284, 600)
    box = writer.put(glyphs.scribble(rng, 44, 4), x + 10, 284 - 47)
    writer.number(third, 2, (box[2] if box else x) + 10, 284, 600)
    image = looks.grain(rng, looks.blank((330, 640), (246, 243, 234)), 1.5)
    image = looks.laid(image, sheet.ink, (20, 60, 150), 0.95)
    image = looks.turned(rng, image, 4, 0.02, (120, 90, 60))[0]
    minus, tens, one, rest = second.text.split(" ")
    texts = first.text, f"{minus}{tens},{one} {rest}", third.text.replace(" ", "?")
    return looks.noise(rng, looks.light(rng, image), 2), "\n".join(texts)


def comma() -> Array:
    mark = np.zeros((18, 11), np.uint8)
    cv2.circle(mark, (6, 4), 3, 255, -1, cv2.LINE_AA)
    cv2.line(mark, (8, 5), (3, 15), 255, 3, cv2.LINE_AA)
    return mark


def example(folder: Path) -> dict[str, Any]:
    """The note as a JPEG file, what ``lenet read`` prints of that file, and the page that it draws."""
    path = folder / "reading-example.jpg"
    image, text = note()
    stored(image, path, 88)

    def ran(*options: str) -> str:
        command = [sys.executable, "-m", "lenet.cli", "read", path.name, *options]
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder).stdout

    printed, whole = ran("--annotate", "reading-example-read.webp"), json.loads(ran("--json"))
    return {"written": text, "printed": printed, "json": whole}


# ------------------------------------------------------------------------------------------------------------------ all


def draw(folder: Path, pages: int, levels: Sequence[str] = generator.LEVELS, each: int = 4) -> dict[str, Any]:
    """Writes every picture into a folder and gives what docs/reading.md says of them. each: pages of prose, photographs."""
    folder.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {"split": "validation", "seed": generator.SEED, "example": example(folder), "levels": {}}
    for level in levels:
        picture, result["levels"][level] = level_picture(level)
        stored(picture, folder / f"reading-{level}.webp")
    stored(everyday_picture(), folder / "reading-everyday.webp", 60)
    stored(way_picture(), folder / "reading-way.webp")
    stored(worlds.finding_picture(), folder / "reading-found.webp")
    stored(worlds.strips_picture(), folder / "reading-strips.webp", 55)
    stored(worlds.pages_picture(), folder / "reading-parts.webp", 50)
    picture_of_forms, result["forms"] = forms_picture()
    stored(picture_of_forms, folder / "reading-forms.webp")
    picture_of_failures, result["failures"] = failures_picture(levels, pages)
    stored(picture_of_failures, folder / "reading-failures.webp", 55)
    picture_of_nothing, result["nothing"] = nothing_picture(each)
    stored(picture_of_nothing, folder / "reading-nothing.webp")
    result["sudoku"] = sudoku()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.pages.pictures", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=IMAGES)
    parser.add_argument("--pages", type=int, default=8)
    given = parser.parse_args()
    result = draw(given.out, given.pages)
    file = RESULT if given.out == IMAGES else given.out / RESULT.name
    report.write(file, result)
    print(f"Drawn into {given.out}; what was read is in {file}.")


if __name__ == "__main__":
    main()
