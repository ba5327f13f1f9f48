"""Pictures of what the line and page networks learn from, and of how the page network looks at a page. Read by ``pictures``.

Everything comes from the sources that are held out from training: other digits of MNIST, other writers' traces, other fonts.
"""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from bench.pages import everyday
from bench.pages.glyphs import Array
from lenet.reading import Reader, read
from lenet.reading.pages.network import LEAST, MOST, NONE
from lenet.reading.pages.scales import levels
from lenet.reading.world import layouts, lines, pages
from lenet.reading.world.hands import Sources
from lenet.reading.world.sources import load_sources

__all__ = ["finding_picture", "pages_picture", "strips_picture"]

SEED = 3
GAP = 6
PART = 420, 290  # pixels of a page's part
SIDE = 208  # pixels of a part of a page, as it is shown
KINDS = [kind for kind in layouts.KINDS if kind != "nothing"]


def _rows(pictures: list[list[Array]]) -> Image.Image:
    """Grey pictures side by side, in rows that are as wide as the widest."""
    rows = [
        np.concatenate([np.pad(one, ((0, 0), (0, GAP)), constant_values=255) for one in row], axis=1)
        for row in pictures
    ]
    wide = max(row.shape[1] for row in rows)
    rows = [np.pad(row, ((0, GAP), (0, wide - row.shape[1])), constant_values=255) for row in rows]
    return Image.fromarray(np.concatenate(rows, axis=0)[:-GAP, :-GAP])


def pages_picture(sources: Sources | None = None) -> Image.Image:
    """Parts of drawn pages as the page network gets them, two of each kind: dark ink is light."""
    sources = load_sources(held=True) if sources is None else sources
    some = []
    for number, kind in enumerate([*KINDS, *KINDS]):
        rng = np.random.default_rng([SEED, number])
        image = pages.photograph(pages.draw_sheet(sources, rng, kind), rng).image
        some.append(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    return _rows([some[k : k + 4] for k in (0, 4, 8)])


def strips_picture(sources: Sources | None = None) -> Image.Image:
    """Drawn lines as the line network gets them, three in a row, twice their size."""
    sources = load_sources(held=True) if sources is None else sources
    wide, rows = 280, []
    for row in range(6):
        some = []
        for column in range(3):
            rng = np.random.default_rng([SEED, row, column])
            image = lines.draw_strip(sources, rng).image[:, : wide // 2]
            image = np.pad(image, ((0, 0), (0, wide // 2 - image.shape[1])), constant_values=255)
            some.append(cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR))
        rows.append(some)
    return _rows(rows)


def finding_picture() -> Image.Image:
    """A drawn form's part; its levels; how sure the page network is of a digit at each place, in one size; what is read."""
    image = next(everyday.pages("forms", "validation", 1)).image
    finder = Reader(None).finder
    assert finder is not None
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    digits = [(digit.box, digit.printed) for digit in read(image).digits if not digit.rejected]
    boxes = np.array([box for box, _ in digits])
    scale = (LEAST * MOST) ** 0.5 / float(
        np.median(boxes[:, 3] - boxes[:, 1])
    )  # the size in which most digits are told
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    level = levels(np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=how), np.uint8))
    sure = cv2.resize(1 - finder.answers(level)[..., NONE], level.shape[::-1], interpolation=cv2.INTER_NEAREST)
    warm = cv2.applyColorMap(np.clip(255 * sure, 0, 255).astype(np.uint8), cv2.COLORMAP_MAGMA)[..., ::-1]
    found = image.copy()
    for (x0, y0, x1, y1), printed in digits:
        cv2.rectangle(found, (x0 - 2, y0 - 2), (x1 + 1, y1 + 1), (0, 114, 178) if printed else (213, 94, 0), 2)
    whole = [image, np.repeat(level[..., None], 3, axis=2), warm, found]
    middle, (w, h) = np.median((boxes[:, :2] + boxes[:, 2:]) / 2, axis=0), PART
    x, y = (
        int(np.clip(m - side / 2, 0, most - side)) for m, side, most in zip(middle, PART, grey.shape[::-1], strict=True)
    )
    parts = [cv2.resize(one, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)[y : y + h, x : x + w] for one in whole]
    across = [np.pad(one, ((0, GAP), (0, GAP), (0, 0)), constant_values=255) for one in parts]
    both = np.concatenate([np.concatenate(across[:2], axis=1), np.concatenate(across[2:], axis=1)], axis=0)
    return Image.fromarray(np.asarray(both[:-GAP, :-GAP], np.uint8))
