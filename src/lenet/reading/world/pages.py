"""Drawn pages as the page network gets them: a grey part of a page, and windows out of it with what stands in their middles.

A window is uint8 [WINDOW, WINDOW]. It is of a digit if one of the right size has its middle near the window's. Nothing here
trains. Read by ``page_training``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.reading.pages.network import LEAST, MOST, NONE, WINDOW
from lenet.reading.pages.scales import levels
from lenet.reading.world.hands import Sources
from lenet.reading.world.layouts import lay_out
from lenet.reading.world.paper import pattern, shot
from lenet.reading.world.sheet import OTHER, SIDE, UNCLEAR, Sheet, Thing

__all__ = ["Part", "draw_sheet", "draw_windows", "labels_of", "photograph", "windows_of"]

Levels = NDArray[np.uint8]
Rng = np.random.Generator

CANVAS, SEEN = 400, 288  # pixels of the canvas that are photographed, and of the picture
SMALL, LARGE = 9.0, 40.0  # pixels: heights of most digits of a picture; of most pictures they are such as are told
HUGE = 40.0, 180.0  # the same of some pictures: strokes and loops of large writing are no digits
TURNED = 0.07  # of pictures lie on their side or stand on their head
LIKE_ITSELF, LYING = (0, 1, 6, 8, 9, 2, 5), (0, 8)  # digits that may still be digits on their head, and on their side
VIEWS = 3  # photographs of a sheet
NEAR, CLEAR = 0.16, 0.36  # heights from a digit's middle: so near a window is of it, and so far it is of none
UNSURE = 0.83, 1.22  # of LEAST and MOST: a digit of such a height may be told or not
DIGITS, OTHERS, BESIDE, INK, BLANK = 24, 44, 30, 30, 10  # windows of a picture, at most


class Part(NamedTuple):
    """image: uint8 [SEEN, SEEN] levels. things: what stands where, in its pixels."""

    image: Levels
    things: list[Thing]


def draw_sheet(sources: Sources, rng: Rng, kind: str | None = None) -> Sheet:
    """A part of a page, laid out: most digits on it are such as the network tells."""
    how = rng.random()
    low, high = (SMALL, LARGE) if how < 0.2 else HUGE if how < 0.28 else (LEAST, MOST)
    sheet = Sheet(sources, rng, float(np.exp(rng.uniform(np.log(low), np.log(high)))) * CANVAS / SEEN)
    lay_out(sheet, kind)
    return sheet


def photograph(sheet: Sheet, rng: Rng) -> Part:
    """A sheet bent, turned a little, laid on paper, lit and photographed."""
    import cv2

    scale = SEEN / CANVAS
    turn, room = rng.normal(0, 3.0) * np.pi / 180, (SIDE - CANVAS) / 2
    lean, narrow = rng.normal(0, 0.04), float(np.exp(rng.normal(0, 0.05)))
    inner = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    inner = float(np.exp(rng.uniform(-0.08, 0.25))) * inner @ np.array([[narrow, lean], [0, 1]])
    grown = scale * float(np.linalg.det(inner)) ** 0.5
    middle = np.full(2, SIDE / 2)
    affine = np.concatenate([inner, (middle - room - inner @ middle)[:, None]], axis=1)
    size = (CANVAS, CANVAS)
    bend = rng.normal(0, 1, (3, 3, 2)).astype(np.float32) * np.float32(rng.uniform(0, 2.0))
    back = cv2.invertAffineTransform(affine)
    y, x = np.indices(size, np.float32)
    wave: Any = cv2.resize(bend, size, interpolation=cv2.INTER_CUBIC)
    across = np.float32(back[0, 0]) * x + np.float32(back[0, 1]) * y + np.float32(back[0, 2]) + wave[..., 0]
    down = np.float32(back[1, 0]) * x + np.float32(back[1, 1]) * y + np.float32(back[1, 2]) + wave[..., 1]
    pen = np.asarray(cv2.remap(sheet.pen, across, down, cv2.INTER_LINEAR), np.uint8)
    printed = np.asarray(cv2.remap(sheet.print, across, down, cv2.INTER_LINEAR), np.uint8)
    image, hidden = _photographed(pen, printed, rng)
    things = []
    for thing in sheet.things:
        x0, y0, x1, y1 = thing.box
        centre = affine @ np.array([(x0 + x1) / 2, (y0 + y1) / 2, 1])
        cx, cy = centre * scale
        half = np.array([x1 - x0, y1 - y0]) / 2 * grown
        if hidden is not None and _at(hidden, cx, cy):
            continue
        things.append(Thing(thing.label, (cx - half[0], cy - half[1], cx + half[0], cy + half[1])))
    part = Part(levels(image), things)
    return _turned(part, int(rng.integers(1, 4))) if rng.random() < TURNED else part


def _turned(part: Part, quarters: int) -> Part:
    """The same picture turned counter-clockwise by so many quarters, where hardly a digit is one."""
    things = []
    for label, (x0, y0, x1, y1) in part.things:
        for _ in range(quarters):
            x0, y0, x1, y1 = y0, SEEN - x1, y1, SEEN - x0
        alike = label % 10 in (LIKE_ITSELF if quarters == 2 else LYING) and label < OTHER
        things.append(Thing(UNCLEAR if alike or label == UNCLEAR else OTHER, (x0, y0, x1, y1)))
    return Part(np.ascontiguousarray(np.rot90(part.image, quarters)), things)


def _at(hidden: NDArray[np.bool_], x: float, y: float) -> bool:
    return bool(hidden[int(np.clip(y, 0, SEEN - 1)), int(np.clip(x, 0, SEEN - 1))])


def _photographed(pen: Levels, printed: Levels, rng: Rng) -> tuple[Levels, NDArray[np.bool_] | None]:
    """Coverage by pen and by print [CANVAS, CANVAS] as a grey picture uint8 [SEEN, SEEN], and what lies beyond the paper."""
    import cv2

    h, w = pen.shape
    paper = rng.uniform(130, 255) if rng.random() < 0.85 else rng.uniform(70, 140)
    page: Any = np.full((h, w), paper, np.float32)
    contrast = paper * rng.uniform(0.3, 0.95)
    if rng.random() < 0.3:
        page -= pattern(h, w, contrast * rng.uniform(0.3, 0.9), rng)
    if rng.random() < 0.5:
        cells = h // int(rng.integers(1, 6)), w // int(rng.integers(1, 6))
        page += cv2.resize(rng.standard_normal(cells, np.float32), (w, h)) * np.float32(rng.uniform(1, 7))
    if rng.random() < 0.15:  # a shaded row or column, a marker's band
        for _ in range(int(rng.integers(1, 4))):
            a, b = sorted(rng.integers(0, h, 2).tolist())
            some = page[a : min(b, a + 140)] if rng.random() < 0.7 else page[:, a : min(b, a + 140)]
            some *= np.float32(rng.uniform(0.6, 0.93))
    for coverage, least in ((printed, 0.35), (pen, 0.5)):
        strong = (
            contrast * rng.uniform(least, 1) if least < 0.5 or rng.random() < 0.8 else contrast * rng.uniform(0.35, 0.6)
        )
        ink = np.float32(max(paper - strong, 4.0))
        cover = coverage.astype(np.float32) * np.float32(rng.uniform(0.8, 1) / 255)
        page += cover * np.minimum(ink - page, 0)
    if rng.random() < 0.6:  # light from a side, shadows
        light = cv2.resize(
            rng.standard_normal((int(rng.integers(2, 5)),) * 2, np.float32), (w, h), interpolation=cv2.INTER_CUBIC
        )
        page *= np.clip(1 + light * np.float32(rng.uniform(0, 0.14)), 0.25, 1.3)
    hidden = None
    if rng.random() < 0.12:  # the desk beyond the sheet's edge
        y, x = np.indices((h, w), np.float32)
        way = rng.uniform(0, 2 * np.pi)
        desk = (x - w / 2) * np.float32(np.cos(way)) + (y - h / 2) * np.float32(np.sin(way)) > np.float32(
            rng.uniform(40, 180)
        )
        page[desk] = np.float32(rng.uniform(10, 120)) + rng.normal(0, rng.uniform(1, 12), int(desk.sum())).astype(
            np.float32
        )
        hidden = cv2.resize(desk.astype(np.uint8), (SEEN, SEEN)) > 0
    if rng.random() < 0.5:
        page = cv2.GaussianBlur(page, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.25:  # from few pixels, or out of focus
        few = SEEN * rng.uniform(0.45, 0.9)
        page = shot(cv2.resize(page, (round(few),) * 2, interpolation=cv2.INTER_AREA), contrast, rng)
        page = cv2.resize(page, (SEEN, SEEN), interpolation=cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_LINEAR)
    else:
        page = shot(cv2.resize(page, (SEEN, SEEN), interpolation=cv2.INTER_AREA), contrast, rng)
    if rng.random() < 0.1:
        page = np.where(page > cv2.blur(np.asarray(page, np.float32), (31, 31)) - 12, 235.0, 25.0)
    return np.clip(page, 0, 255).astype(np.uint8), hidden


def labels_of(part: Part) -> NDArray[np.int64]:
    """What stands in the middle of the window about each pixel: int64 [SEEN, SEEN], -1 where that isn't clear."""
    found = np.full((SEEN, SEEN), NONE, np.int64)
    digits = [thing for thing in part.things if thing.label != OTHER]
    middles = np.array([((t.box[0] + t.box[2]) / 2, (t.box[1] + t.box[3]) / 2) for t in digits]).reshape(-1, 2)
    for clear in (False, True):
        for k, thing in enumerate(digits):
            high, (x, y) = max(thing.box[3] - thing.box[1], 0.7 * (thing.box[2] - thing.box[0])), middles[k]
            label = _told(thing.label, high)
            apart = np.hypot(*(np.delete(middles, k, axis=0) - middles[k]).T).min(initial=np.inf)
            reach = min((NEAR if clear else CLEAR) * high, (0.3 if clear else 0.5) * apart)
            if label < 0 and clear:
                reach = min(CLEAR * high, 0.5 * apart)
            a, b = _span(y - reach, y + reach), _span(x - reach, x + reach)
            rows, columns = np.ogrid[a, b]
            inside = (rows + 0.5 - y) ** 2 + (columns + 0.5 - x) ** 2 <= max(reach, 1.5) ** 2
            found[a, b][inside] = label if clear else -1
    return found


def _told(label: int, height: float) -> int:
    """What a digit of a height counts as: -1 what may be told or not, NONE what is too small or too large."""
    if label == UNCLEAR:
        return -1
    if not UNSURE[0] * LEAST <= height <= UNSURE[1] * MOST:
        return NONE
    return label if LEAST <= height <= MOST else -1


def _span(first: float, last: float) -> slice:
    return slice(int(np.clip(np.floor(first), 0, SEEN)), int(np.clip(np.ceil(last), 0, SEEN)))


def windows_of(part: Part, rng: Rng) -> tuple[Levels, NDArray[np.int64]]:
    """Some windows of a picture and what stands in their middles: uint8 [n, WINDOW, WINDOW], int64 [n]."""
    import cv2

    labels, half = labels_of(part), WINDOW // 2
    inner = np.zeros_like(labels, bool)
    inner[half:-half, half:-half] = True
    beside = np.zeros_like(inner)
    for thing in part.things:
        if thing.label < OTHER:
            x0, y0, x1, y1 = thing.box
            room = 0.3 * (y1 - y0)
            beside[_span(y0 - room, y1 + room), _span(x0 - room, x1 + room)] = True
    rough = np.asarray(cv2.blur(np.abs(part.image.astype(np.float32) - cv2.blur(part.image, (15, 15))), (9, 9)))
    inked, none = rough > 14, labels == NONE
    other = np.zeros_like(inner)
    for thing in part.things:
        if thing.label == OTHER:
            x0, y0, x1, y1 = thing.box
            inset = 0.2 * (y1 - y0)
            other[_span(y0 + inset, y1 - inset), _span(x0, x1)] = True
    places: list[int] = []
    digits = np.flatnonzero((labels >= 0) & (labels < NONE) & inner)
    if len(digits):  # one or two places of each
        block = (digits // SEEN // 8) * SEEN + digits % SEEN // 8
        order = rng.permutation(len(digits))
        first = np.unique(block[order], return_index=True)[1]
        places += digits[order][rng.permutation(first)][:DIGITS].tolist()
    for some, count in (
        (none & other & inner, OTHERS),
        (none & beside & inner, BESIDE),
        (none & inked & ~beside & ~other & inner, INK),
        (none & ~inked & inner, BLANK),
    ):
        at = np.flatnonzero(some)
        places += at[rng.integers(len(at), size=count)].tolist() if len(at) else []
    ys, xs = np.divmod(np.array(places, np.int64), SEEN)
    windows = np.lib.stride_tricks.sliding_window_view(part.image, (WINDOW, WINDOW))
    return windows[ys - half, xs - half].reshape(-1, WINDOW, WINDOW), labels.ravel()[places]


def draw_windows(sources: Sources, rng: Rng) -> tuple[Levels, NDArray[np.int64]]:
    """Windows of some photographs of one sheet, as ``windows_of`` gives them."""
    sheet = draw_sheet(sources, rng)
    made = [windows_of(photograph(sheet, rng), rng) for _ in range(VIEWS)]
    return np.concatenate([windows for windows, _ in made]), np.concatenate([labels for _, labels in made])
