"""Seeded pages of handwritten digits in levels of difficulty, with the truth beside each.

    python -m bench.pages.generator FOLDER [--split validation] [--levels clean,lit] [--pages 2]

writes FOLDER/LEVEL/NN.png and NN.json, whose truth is as ``truth`` says. A page depends on its seed, split, level and number
alone. These are numbers on paper, with one difficulty a level; ``everyday`` draws what people photograph.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from bench.pages import fonts, glyphs, layout, looks, rejects
from bench.pages.glyphs import Array
from bench.pages.layout import Sheet, Writer
from bench.pages.truth import Page, made

SEED = 20
LEVELS = ("clean", "skewed", "lit", "ruled", "noisy", "touching", "mixed")  # scored by edit distance
EMPTY = ("prose", "photo", "blank")  # there is nothing to read on these
SPEED = "large"  # 3000 x 4000 pixels with 200 digits
ALL = (*LEVELS, *EMPTY, SPEED)
SIZES = 14.0, 90.0  # how high digits are, pixels
PAPERS = ((1400, 1000), (1000, 1400), (1754, 1240), (1440, 1080), (960, 1280), (900, 900))  # height, width
MOST = 130  # digits a page


def page(level: str, number: int, split: str = "validation", seed: int = SEED) -> Page:
    """One page. level: one of ALL; split: ``validation`` or ``test``, of glyphs and of fonts alike."""
    if level not in ALL:
        raise ValueError(f"level: {level!r}, expected one of {', '.join(ALL)}")
    rng = np.random.default_rng([seed, ALL.index(level), number, split == "test"])
    large = level == SPEED
    low, high = (50.0, 110.0) if large else SIZES
    place = (0.5 + number * 0.6180339887498949) % 1  # sizes spread evenly over however many pages there are
    size = low * (high / low) ** place
    shape = (4000, 3000) if large else PAPERS[int(rng.integers(len(PAPERS)))]
    if level == "photo":
        return made(level, rejects.photo(rng, shape, split), Sheet(np.zeros(shape, np.uint8), np.zeros((1, 1)), 0))
    sheet = Sheet(np.zeros(shape, np.uint8), np.zeros(shape, np.uint8), size)
    if level != "blank":
        write(level, number, split, seed, rng, sheet)
    elif rng.random() < 0.4:
        for y in range(int(rng.integers(30, 90)), shape[0], int(rng.integers(30, 90))):
            layout.rule(sheet, (0, y), (shape[1], y), 1)
    return dressed(level, rng, sheet)


def write(level: str, number: int, split: str, seed: int, rng: np.random.Generator, sheet: Sheet) -> None:
    """Puts the level's ink on a sheet."""
    pool = glyphs.mnist(split)
    order = np.random.default_rng([seed, ALL.index(level), 7]).permutation(len(pool.labels))
    faces = fonts.files(split) if level in ("mixed", "prose") else []
    writer = Writer(rng, sheet, pool, np.roll(order, -number * 2 * MOST), faces, rng.uniform(0.35, 0.55))
    if level == "ruled":
        layout.ruled(writer, MOST)
    elif level == "mixed":
        layout.mixed(writer, MOST)
    elif level == "prose":
        layout.prose(writer)
    else:
        layout.plain(writer, 200 if level == SPEED else MOST, separators=level == "clean", touch=level == "touching")


def dressed(level: str, rng: np.random.Generator, sheet: Sheet) -> Page:
    """The sheet as a picture: the level's paper, pen, light, camera and file."""
    paper, pen = looks.choose(rng, looks.WHITES), looks.choose(rng, looks.PENS[:6])
    if level == "lit" or (level == "blank" and rng.random() < 0.6):
        paper, pen = looks.coloured(rng)
    image = looks.blank(sheet.ink.shape, paper)
    if level != "clean":
        image = looks.grain(rng, image, 1.5)
    line = (40, 40, 44) if sheet.form and rng.random() < 0.5 else looks.choose(rng, looks.RULES)
    image = looks.laid(image, sheet.rules, line)
    strength = rng.uniform(0.5, 0.9) if level == "noisy" else rng.uniform(0.85, 1)
    image = looks.laid(image, sheet.ink, pen, strength)
    matrix = np.eye(3)
    if level in ("skewed", SPEED):
        ground = paper if rng.random() < 0.6 else ((92, 64, 44), (60, 62, 66), (120, 90, 60))[int(rng.integers(3))]
        much = (8.0, 0.035) if level == "skewed" else (2.0, 0.01)
        image, matrix = looks.turned(rng, image, *much, ground)
    if level in ("lit", SPEED) or (level in ("blank", "skewed") and rng.random() < 0.5):
        image = looks.light(rng, image)
    if level == "noisy":
        image = noisy(rng, image, sheet.size)
    elif level != "clean" and rng.random() < 0.7:
        image = looks.jpeg(looks.noise(rng, image, rng.uniform(1, 4)), int(rng.integers(80, 96)))
    return made(level, image, sheet, matrix)


def noisy(rng: np.random.Generator, image: Array, size: float) -> Array:
    """Out of focus, then noise and dust, then a small JPEG file: each more or less."""
    blur = rng.uniform(0.3, 0.3 + 0.045 * size)
    image = cv2.GaussianBlur(image, (0, 0), blur)
    image = looks.dust(rng, image, int(rng.integers(50, 400)), max(0.8, 0.04 * size))
    image = looks.noise(rng, image, rng.uniform(4, 9 + 0.2 * size))
    return looks.jpeg(image, int(rng.integers(25, 70)))


def pages(level: str, split: str = "validation", n: int = 0, digits: int = 2000, seed: int = SEED) -> Iterator[Page]:
    """The first n pages of a level; with n = 0 as many as hold so many digits, or ten of a level without any."""
    if level in EMPTY or level == SPEED:
        n = n or (10 if level in EMPTY else 1)
    return counted(lambda number: page(level, number, split, seed), n, digits)


def counted(draw: Callable[[int], Page], n: int, digits: int) -> Iterator[Page]:
    """Pages 0, 1, … n - 1, or for n = 0 as many as hold so many digits."""
    found = 0
    for number in range(n) if n else iter(range(10**6)):
        if not n and found >= digits:
            return
        one = draw(number)
        found += one.truth["digits"]
        yield one


def save(folder: Path, level: str, all_pages: Iterator[Page]) -> list[Path]:
    """Writes pages as NN.png with NN.json into FOLDER/LEVEL."""
    where = folder / level
    where.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, (image, truth) in enumerate(all_pages):
        path = where / f"{number:02d}.png"
        if not cv2.imwrite(str(path), image[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1]):
            raise OSError(f"{path} can't be written")
        path.with_suffix(".json").write_text(json.dumps(truth), encoding="utf-8")
        paths.append(path)
    return paths


def command(about: str, levels: tuple[str, ...], draw: Callable[[str, str, int], Iterator[Page]]) -> None:
    """The command line of a module that draws such levels: writes their pages into a folder."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--levels", default=",".join(levels))
    parser.add_argument("--pages", type=int, default=2)
    given = parser.parse_args()
    for level in given.levels.split(","):
        paths = save(given.folder, level, draw(level, given.split, given.pages))
        truths = [json.loads(path.with_suffix(".json").read_text(encoding="utf-8")) for path in paths]
        print(f"{level}: {len(paths)} pages, {sum(t['digits'] for t in truths)} digits")


def main() -> None:
    command(__doc__ or "", ALL, pages)


if __name__ == "__main__":
    main()
