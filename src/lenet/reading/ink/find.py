"""From a picture to its ink: how much ink each pixel carries, whatever the colours of pen and paper and the light on them.

The one idea: ink is what differs in COLOUR from the paper around it. Dark on light, light on dark and two colours of equal
lightness are then the same case, and shadows go away with the paper. It knows no digits, removes no rules (clean.py) and
turns nothing (straighten.py). Read by clean, straighten, shapes, and by training, which needs the very same artefacts.

Sources: the local contrast threshold goes back to Bernsen (1986) and Sauvola and Pietikäinen, "Adaptive document image
binarization" (2000), here on colour distance and relative to the strength of the ink nearby; Otsu,
"A threshold selection method from gray-level histograms" (1979), is what it replaces: it fails where ink is one pixel in
a hundred.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lenet.messages.check import describe, message
from lenet.reading.ink.local import EDGE, local_level
from lenet.reading.ink.marks import without_marks
from lenet.reading.ink.paper import F32, U8, Paper, enlarge, page_paper, quantile, smooth_paper

__all__ = ["EDGE", "Ink", "find_ink", "stroke_width"]

LONGEST = 2200  # the long side of the largest picture worked on, in pixels
SINGLE = 256  # up to this long side the paper is one smooth surface, fitted at full size
NARROW = 32  # nothing shorter on one side is a page
PROBE = 400  # the long side of the sample that decides on noise, strength and direction
FLOOR = 10.0  # the least colour difference, of 255, that is ever ink
SIGMAS = 5.0  # how far ink must stand out of the noise
STRIP = 0.06  # of a page's side: so far inward what lies beyond its edge may be seen along the border
GRAINY = 4.0  # grey levels of noise from which a page is smoothed
FINE = 0.15  # of the noise, so much is between neighbouring pixels
SMOOTH = 1.3  # pixels, the Gaussian's sigma by which a page is smoothed before it is called empty
CALM = 0.25  # the least share of the variance that is left in means of 3 x 3 pixels: of noise a ninth is
PATTERNED = 0.125  # a small picture whose paper is so much of its ink's strength away from one colour has a pattern
QUANTILE = (
    0.35,
    0.454,
)  # this quantile of a half-normal spread lies at so many sigmas; up to 40 % of ink doesn't move it much
CALMEST = 0.15, 0.189  # the same, where fine lines and their soft edges are more of the page than paper
# Rows: brightness and two colour differences of R, G, B (as in ITU-R BT.601, so that grey has none).
OPPONENT = np.array([[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]], np.float32)


@dataclass(frozen=True)
class Ink:
    """The ink of one picture, at working size [h, w].

    level: uint8 [h, w], 0 paper .. 255 full ink, soft at the edges; 0 away from ``mask``.
    mask: bool [h, w], ``level >= EDGE``, less what clean.py took out.
    polarity: ``"dark on light"`` or ``"light on dark"``. stroke: the mean width of the strokes in working pixels, 0 if none.
    scale: working pixels per pixel of the picture given. sheet: float32 [4, 2], the corners x, y of a sheet that lies whole
    within the picture, from top left clockwise; None if there is no such sheet to see. picture: uint8 [h, w, 3], the colours
    that the ink was found in, and paper: float32 [h', w', 3], those of the paper alone, at any size; None for one digit.
    rules: uint8 [h, w], 1 where rules and boxes ran that clean.py took out; None before, and where there were none.
    """

    level: U8
    mask: NDArray[np.bool_]
    polarity: str
    stroke: float
    scale: float
    sheet: F32 | None = None
    picture: U8 | None = field(default=None, repr=False)
    paper: F32 | None = field(default=None, repr=False)
    rules: U8 | None = field(default=None, repr=False)


def find_ink(rgb: U8) -> Ink:
    """The ink of a picture: uint8 [H, W, 3], or [H, W] for grey, at least 1 x 1.

    Pictures longer than 2200 pixels are worked on at a reduced size. A blank page, and one of noise alone, has an empty
    mask. TypeError for other dtypes, ValueError for other shapes.
    """
    import cv2

    given = np.asarray(rgb)
    if given.dtype != np.uint8:
        raise TypeError(message("find_ink", describe(rgb), "uint8", "Open the picture with lenet.reading.open_pages."))
    if not ((given.ndim == 3 and given.shape[2] == 3) or given.ndim == 2) or given.size == 0:
        raise ValueError(message("find_ink", describe(rgb), "[H, W, 3] or [H, W], not empty"))
    work, scale = _working_size(given)
    h, w = work.shape[:2]
    small = max(h, w) <= SINGLE or min(h, w) < NARROW
    if work.ndim == 2:
        work = cv2.cvtColor(work, cv2.COLOR_GRAY2RGB)
    if not small:
        work = without_marks(work)
    page = Paper(smooth_paper(work)) if small else page_paper(work)
    view = _view(work, page)
    fine_lines = False
    if not small and (view is None or view.grains > GRAINY):
        squared = page_paper(work, fine_lines=True)
        other = _view(work, squared, CALMEST)
        if other is not None and (view is None or other.grains < 0.5 * view.grains):
            page, view, fine_lines = squared, _view(work, squared, CALMEST, _grain(work)), True
    one_pen = view is not None and page.smooth and view.rows.shape[1] == 1 and not (small or fine_lines)
    if view is not None and one_pen and view.grains > GRAINY and _grain(work) > FINE * view.grains:
        # Even paper and one pen: these are grains, and no photograph's grass; nor a watermark, which neighbours share.
        work = cv2.GaussianBlur(work, (0, 0), 0.9 if view.grains < 2 * GRAINY else 1.3)
        view = _view(work, page)
    may_be_patterned = small and min(h, w) >= NARROW  # less is one digit, cut out
    if view is None and may_be_patterned and (spread := _pattern(work)) > FLOOR:
        # A pattern as strong as the ink: only a threshold of each place's own may part them.
        view = _View(OPPONENT.T, 1.0, spread, FLOOR, 4 * spread, "dark on light")
    if view is None:
        # Faint strokes are lost in noise that is a pixel wide, and stand out of it once neighbours are averaged.
        smoother = cv2.GaussianBlur(work, (0, 0), SMOOTH)
        page = Paper(smooth_paper(smoother)) if small else page_paper(smoother)
        view = _view(smoother, page)
        if view is not None:
            work = smoother
    if view is None:
        return Ink(np.zeros((h, w), np.uint8), np.zeros((h, w), bool), "dark on light", 0.0, scale, page.sheet)
    if may_be_patterned and view.noise > PATTERNED * view.strength:
        level, mask = local_level(work, view.polarity)
        return Ink(level, mask, view.polarity, stroke_width(level, mask), scale)
    contrast = _contrast(work, page, view)
    if not small:
        if page.inside is not None:
            contrast = cv2.multiply(contrast, page.inside)
        if not page.smooth:
            contrast = _without_shadows(contrast, view)
    # Beside a shadow's edge, which is itself faint ink to look at, no ink may be much fainter than the rest.
    level, mask = _level(contrast, view, small, 0.0 if page.smooth else 0.65 * view.strength)
    colours = (None, None) if small else (work, page.colour)
    return Ink(level, mask, view.polarity, stroke_width(level, mask), scale, page.sheet, *colours)


def stroke_width(level: U8, mask: NDArray[np.bool_]) -> float:
    """The mean width of the strokes in pixels: twice their area over the length of their outline; 0 without ink.

    The outline is counted in pixel edges, which over all directions are 4/pi times as long as the curve they follow.
    """
    edges = np.count_nonzero(mask[:, 1:] != mask[:, :-1]) + np.count_nonzero(mask[1:] != mask[:-1])
    edges += sum(int(np.count_nonzero(side)) for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))
    if not edges:
        return 0.0
    import cv2

    area = cv2.mean(level)[0] * level.size / 255.0
    return float(max(2.0 * area * 4.0 / (np.pi * edges), 1.0))


def _pattern(work: U8) -> float:
    """How much a picture's grey varies, in grey levels; 0 for noise, little of which is left in means of 3 x 3 pixels."""
    import cv2

    grey = work if work.ndim == 2 else cv2.cvtColor(work, cv2.COLOR_RGB2GRAY)
    spread, calm = float(grey.std()), float(cv2.blur(grey, (3, 3)).std())
    return spread if calm * calm >= CALM * spread * spread else 0.0


def _working_size(given: U8) -> tuple[U8, float]:
    """The picture at most LONGEST long, and its scale. Whole factors are averaged: that is fast and never aliases."""
    import cv2

    h, w = given.shape[:2]
    ratio = max(h, w) / LONGEST
    if ratio <= 1:
        return np.ascontiguousarray(given), 1.0
    size = (max(1, round(w / ratio)), max(1, round(h / ratio)))
    if ratio < 1.6:
        return cv2.resize(given, size, interpolation=cv2.INTER_LINEAR), 1 / ratio
    factor = int(np.ceil(ratio))
    if min(h, w) < factor:
        return cv2.resize(given, size, interpolation=cv2.INTER_AREA), 1 / ratio
    given = given[: h // factor * factor, : w // factor * factor]
    size = (given.shape[1] // factor, given.shape[0] // factor)
    return cv2.resize(given, size, interpolation=cv2.INTER_AREA), 1 / factor


def _without_shadows(contrast: U8, view: _View) -> U8:
    """The contrast without what is much wider than the strokes (a top hat, at half the size): edges of shadows, photographs."""
    import cv2

    half = cv2.resize(contrast, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    strokes = half > max(view.floor, 0.4 * view.strength)
    width = stroke_width(strokes.view(np.uint8) * np.uint8(255), strokes)
    wide = 2 * int(2 * width + 1) + 1
    opened = cv2.morphologyEx(half, cv2.MORPH_OPEN, np.ones((wide, wide), np.uint8))
    return cv2.subtract(contrast, cv2.resize(opened, contrast.shape[::-1], interpolation=cv2.INTER_LINEAR))


# --- Colour difference -> one number -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _View:
    """How colour difference becomes contrast.

    rows: float32 [3, k]: k = 1 projects the difference onto the ink's own colour direction (noise then averages out, and
    the bright halo of a sharpened dark stroke is no ink); k = 3 takes its length, where inks of several colours meet.
    gain: contrast is stretched by it before it is rounded. noise, floor, strength: in stretched units.
    """

    rows: F32
    gain: float
    noise: float
    floor: float
    strength: float
    polarity: str

    @property
    def grains(self) -> float:
        """The noise in grey levels."""
        return self.noise / self.gain


def _view(work: U8, page: Paper, share: tuple[float, float] = QUANTILE, most_noise: float = np.inf) -> _View | None:
    """Looks at a sample of the picture; None if nothing stands out of the noise, which is at most so much."""
    import cv2

    sample, paper = work, page.colour
    if paper.shape != work.shape:
        step = max(1, -(-max(work.shape[:2]) // PROBE))
        sample = work[step // 2 :: step, step // 2 :: step]
        paper = cv2.resize(paper, sample.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    pixels = (sample - paper).reshape(-1, 3)
    if page.inside is not None:
        inside = cv2.resize(page.inside, sample.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        pixels = pixels[inside.ravel() > 0]
    difference = OPPONENT @ pixels.T
    spread = np.array([_spread(np.abs(row), share) for row in difference], np.float32)
    weights = np.ones(3, np.float32)
    weights[1:] = ((spread[0] + 1) / (spread[1:] + 1)).clip(0.4, 1.3)
    difference *= weights[:, None]
    size = np.sqrt(np.einsum("cn,cn->n", difference, difference))
    noise = min(_spread(size, share), most_noise)
    floor = max(FLOOR, SIGMAS * noise)
    outside = np.flatnonzero(size > floor)
    if not len(outside):
        return None
    strong, ink = size[outside], difference[:, outside]
    strength = float(strong @ strong / strong.sum())
    mean = ink[:, strong > min(0.6 * strength, strong.max() * 0.99)].mean(axis=1)
    polarity = "dark on light" if mean[0] <= 0 else "light on dark"
    rows = OPPONENT.T * weights
    length = float(np.sqrt(mean @ mean))
    if length > 0:
        direction = mean / np.float32(length)
        along = (direction @ ink) / strong
        # The halo of a sharpened stroke points the other way: it speaks neither for one ink nor against it.
        loyal, halo = np.count_nonzero(along > 0.7), np.count_nonzero(along < -0.5)
        if loyal + min(halo, 0.1 * loyal) >= 0.97 * len(along):
            rows = rows @ direction[:, None]
            noise = min(noise, _spread(np.abs(direction @ difference), share))
            floor = max(FLOOR, SIGMAS * noise)
    gain = min(12.0, 220 / max(strength, 1.0))
    return _View(rows * np.float32(gain), gain, noise * gain, floor * gain, strength * gain, polarity)


def _spread(size: F32, share: tuple[float, float]) -> float:
    """Sigma of non-negative sizes [n], judged by a quantile below which most are paper's."""
    return quantile(size, share[0]) / share[1]


def _grain(work: U8) -> float:
    """The noise of a picture in grey levels by how far neighbours differ where they differ least."""
    change = np.diff(work[::7].astype(np.float32) @ OPPONENT[0], axis=1)
    return _spread(np.abs(change).ravel(), CALMEST) / 2**0.5


def _contrast(work: U8, page: Paper, view: _View) -> U8:
    """How far each pixel is from its paper, uint8 [h, w] in stretched units; in strips, so that no large float array lives."""
    h, w = work.shape[:2]
    out = np.empty((h, w), np.uint8)
    full = page.colour.shape[:2] == (h, w)
    strip = h if full else 256
    for top in range(0, h, strip):
        part = work[top : top + strip]
        rows = slice(top, top + len(part))
        local = page.colour if full else enlarge(page.colour, h, w, top, len(part))
        out[rows] = _away(part, local, view)
        if page.along is not None and page.along.where[rows].any():
            sides = (enlarge(side, h, w, top, len(part)) for side in (page.along.plain, page.along.patch))
            least = np.minimum(*(_away(part, side, view) for side in sides))
            out[rows] = np.where(page.along.where[rows] > 0, least, out[rows])
    return out


def _away(part: U8, paper: F32, view: _View) -> F32:
    """How far pixels [h, w, 3] are from paper of the same shape: float32 [h, w], whole numbers of 0 to 255."""
    import cv2

    difference = cv2.transform(part.astype(np.float32) - paper, np.ascontiguousarray(view.rows.T))
    if difference.ndim == 3:
        # Brighter paper beside a shadow is no dark ink, nor the other way round.
        bright = difference[..., 0]
        (np.minimum if view.polarity == "dark on light" else np.maximum)(bright, 0, out=bright)
        difference = np.sqrt(np.einsum("hwc,hwc->hw", difference, difference))
    np.clip(difference, 0, 255, out=difference)
    return np.asarray(np.rint(difference, out=difference))


# --- Contrast -> level ---------------------------------------------------------------------------------------------------


def _level(contrast: U8, view: _View, small: bool, least: float) -> tuple[U8, NDArray[np.bool_]]:
    """Contrast relative to that of the full ink nearby: level uint8 [h, w] and mask bool [h, w]."""
    import cv2

    low = min(1.5 * view.noise, 0.3 * view.strength)
    if small:
        strength = max(view.strength, view.floor)
        gain = 255 / (strength - low)
        level = cv2.convertScaleAbs(np.maximum(contrast, np.uint8(low)), alpha=gain, beta=-low * gain)
        mask = level >= EDGE
        if view.floor > low + EDGE / gain:
            mask &= contrast >= view.floor
        keep = cv2.dilate(mask.view(np.uint8), np.ones((3, 3), np.uint8))
        return cv2.multiply(level, keep), mask
    h, w = contrast.shape
    around = cv2.resize(_strength(contrast, view, least), (w, h), interpolation=cv2.INTER_LINEAR)
    low8 = np.uint8(low)
    level = cv2.divide(cv2.subtract(contrast, low8.item()), cv2.subtract(around, low8.item()), scale=255)
    mask = level >= EDGE
    mask &= contrast >= view.floor
    _clear_margins(mask.view(np.uint8))
    keep = cv2.dilate(mask.view(np.uint8), np.ones((3, 3), np.uint8))
    return cv2.multiply(level, keep), mask


def _clear_margins(mask: U8) -> None:
    """Clears, in place, what runs along the border of a page: the dark edge of a scan, a neighbouring sheet.

    It touches the border over a tenth of a side, and nearly all of it is near the border, which no digit's strokes are.
    This comes before any turning, which moves the border into the picture.
    """
    import cv2

    h, w = mask.shape
    near = [mask[:3].any(axis=0), mask[-3:].any(axis=0), mask[:, :3].any(axis=1), mask[:, -3:].any(axis=1)]
    if all(np.mean(side) < 0.1 for side in near):
        return
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
    x, y, wide, high, area = stats.T
    ends = (y < 3, y + high > h - 3, x < 3, x + wide > w - 3)
    # Crumbs of what lies beyond the page's edge, a carpet or a desk: all of the strip along the border in which they are.
    depths = [
        _strip(side) if side[:3].any(axis=0).mean() >= 0.1 else 0 for side in (mask, mask[::-1], mask.T, mask.T[::-1])
    ]
    crumbs = (y + high <= depths[0]) | (y >= h - depths[1]) | (x + wide <= depths[2]) | (x >= w - depths[3])
    if crumbs[1:].any():
        mask[(crumbs & (np.arange(len(crumbs)) > 0))[labels]] = 0
    long = ((ends[0] | ends[1]) & (wide >= 0.1 * w)) | ((ends[2] | ends[3]) & (high >= 0.1 * h))
    for n in np.flatnonzero(long[1:]) + 1:
        part = slice(y[n], y[n] + high[n]), slice(x[n], x[n] + wide[n])
        own = labels[part] == n
        top, left = max(int(0.15 * h) - y[n], 0), max(int(0.15 * w) - x[n], 0)
        bottom, right = max(int(0.85 * h) - y[n], 0), max(int(0.85 * w) - x[n], 0)
        if np.count_nonzero(own[top:bottom, left:right]) <= 0.1 * area[n]:
            mask[part][own] = 0


def _strip(mask: U8) -> int:
    """How many of the first rows hold ink, up to STRIP of all; where the ink ends within these, else 0."""
    most = int(STRIP * len(mask))
    inked = mask[: most + 1].mean(axis=1) > 0.02
    return 0 if inked.all() else int(np.argmin(inked))


def _strength(contrast: U8, view: _View, least: float) -> U8:
    """The contrast of full ink around each place, uint8 at a reduced size: the mean of what is over the floor, weighted by
    itself, near by; and further away where there is no ink near by; never below ``least``."""
    import cv2

    over = contrast[::2, ::2].astype(np.float32)
    over *= over >= view.floor
    ratio = min(1.0, 256 / max(over.shape))
    size = (max(1, round(over.shape[1] * ratio)), max(1, round(over.shape[0] * ratio)))
    bottom = cv2.resize(over, size, interpolation=cv2.INTER_AREA)
    top = cv2.resize(cv2.multiply(over, over), size, interpolation=cv2.INTER_AREA)
    value = np.full(size[::-1], view.strength, np.float32)
    trust = np.float32(0.02)
    for wide in (31, 9):
        window, edge = (wide, wide), cv2.BORDER_REFLECT
        value = (cv2.blur(top, window, borderType=edge) + trust * value) / (
            cv2.blur(bottom, window, borderType=edge) + trust
        )
    value = cv2.blur(value, (7, 7), borderType=cv2.BORDER_REFLECT)
    return np.clip(value, max(view.floor, least), 255).astype(np.uint8)
