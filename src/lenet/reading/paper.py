"""The paper of a picture: its colour at every place, under whatever light, and the corners of the sheet.

It says nothing of the ink. Read by ink.py alone.

Source: the surface is fitted by iteratively reweighted least squares, Holland and Welsch (1977).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["F32", "U8", "Paper", "enlarge", "page_paper", "quantile", "smooth_paper"]

# OpenCV's own annotations know of no element type, so these two tell it to the reader alone.
U8 = NDArray[Any]
F32 = NDArray[Any]

SMALL = 256  # the long side at which a page's paper is estimated


@dataclass(frozen=True)
class Paper:
    """The paper of a picture. colour: float32 [h', w', 3], at full or at a small size. smooth: one surface explains it.

    inside: uint8 [h', w'], 1 where the sheet is, None if it is everywhere. sheet: as in Ink.
    """

    colour: F32
    smooth: bool = True
    inside: U8 | None = None
    sheet: F32 | None = None


def smooth_paper(work: U8) -> F32:
    """The paper under a single small picture: float32 [h, w, 3], a constant or a plane of each colour."""
    h, w = work.shape[:2]
    pixels = work.reshape(-1, 3).astype(np.float32)
    start = _start_colour(work)
    away = np.abs(pixels - start).max(axis=1)
    if np.count_nonzero(away <= 4) >= 0.6 * len(away):
        return np.broadcast_to(start, (h, w, 3))
    return _surface(pixels, h, w, start, order=1)


def _start_colour(work: U8) -> F32:
    """The colour most of the paper has: of the border, unless the border is a frame around something else."""
    h, w = work.shape[:2]
    pixels = work.reshape(-1, 3)
    ring = np.concatenate([work[0], work[-1], work[:, 0], work[:, -1]])
    edge, whole = _median(ring), _median(pixels)
    if np.abs(edge - whole).max() <= 24 or min(h, w) < 12:
        return edge
    # Peel the rows and columns that wholly have the border's colour: a frame is thin, and beneath it is the paper.
    same = np.abs(work - edge).max(axis=2) <= 32
    thickest = max(1, int(0.18 * min(h, w)))
    rows, columns = same.mean(axis=1) > 0.9, same.mean(axis=0) > 0.9
    peel = [int(np.argmin(side)) for side in (rows, rows[::-1], columns, columns[::-1])]
    if 0 < max(peel) <= thickest:
        inner = work[peel[0] : h - peel[1], peel[2] : w - peel[3]]
        ring = np.concatenate([inner[0], inner[-1], inner[:, 0], inner[:, -1]])
        if np.count_nonzero(np.abs(ring - edge).max(axis=1) <= 32) < 0.5 * len(ring):
            return _median(ring)
    return edge


def _median(pixels: NDArray[np.generic]) -> F32:
    """The median of each colour of [n, 3]."""
    return np.array([quantile(column, 0.5) for column in pixels.T], np.float32)


def quantile(values: NDArray[np.generic], share: float) -> float:
    """The value below which ``share`` of [n] lie, judged by at most about 2048 of them.

    Sorted, not partitioned: numpy's partition is slow where most values are equal, as on clean paper.
    """
    values = np.sort(values[:: max(1, len(values) // 2048)])
    return float(values[int(share * (len(values) - 1))])


def _surface(pixels: F32, h: int, w: int, start: F32, order: int, on: NDArray[np.bool_] | None = None) -> F32:
    """A polynomial of each colour through most of the pixels [h*w, 3], or of those ``on``: float32 [h, w, 3].

    Reweighted least squares (weights of Cauchy), whose scale falls from the spread of everything to that of the paper.
    """
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) if n > 1 else np.zeros(1, np.float32) for n in (h, w))
    terms = [np.ones((h, w), np.float32), np.broadcast_to(x, (h, w)), np.broadcast_to(y[:, None], (h, w))]
    if order == 2:
        terms += [terms[1] ** 2, terms[2] ** 2, terms[1] * terms[2]]
    design = np.stack([t.ravel() for t in terms], axis=1)
    a, p = (design, pixels) if on is None else (design[on], pixels[on])
    step = max(1, len(p) // 4096)
    a, p = a[::step], p[::step]
    size = _size(p - start)
    ridge = np.eye(a.shape[1], dtype=np.float32) * 1e-3
    scale = max(quantile(size, 0.45), 2.0)
    least = 2.0
    fit = np.zeros((a.shape[1], 3), np.float32)
    for _ in range(6):
        weighted = a / (1 + (size / scale) ** 2)[:, None] ** 2
        fit = np.linalg.solve(weighted.T @ a + ridge, weighted.T @ p)
        size = _size(p - a @ fit)
        calm = max(quantile(size, 0.5) * 1.5, least)
        if scale <= calm:
            break
        scale = max(scale * 0.5, calm)
    return (design @ fit).reshape(h, w, 3)


def _size(difference: F32) -> F32:
    """The length of each row's vector, [n, 3] -> [n]."""
    size: F32 = np.sqrt(np.einsum("nc,nc->n", difference, difference))
    return size


def page_paper(work: U8, fine_lines: bool = False) -> Paper:
    """The paper of a page, estimated at a small size, to be enlarged bilinearly.

    fine_lines: the page may have a grid so fine that a mean would mix it with the paper; the sheet's edges are then less
    sharp.
    """
    import cv2

    h, w = work.shape[:2]
    ratio = SMALL / max(h, w)
    size = (max(4, round(w * ratio)), max(4, round(h * ratio)))
    lw, lh = size
    little = _without_lines(work, size) if fine_lines else cv2.resize(work, size, interpolation=cv2.INTER_AREA)
    inside, corners = _sheet(little)
    pixels = little.reshape(-1, 3).astype(np.float32)
    on = None if inside is None else cv2.erode(inside, np.ones((3, 3), np.uint8)).ravel() > 0
    coarse = _surface(pixels, lh, lw, _median(pixels if on is None else pixels[on]), order=2, on=on)
    if on is not None:
        pixels = np.where(on[:, None], pixels, coarse.reshape(-1, 3))
        little = np.clip(pixels.reshape(lh, lw, 3), 0, 255).astype(np.uint8)
    off = _size(pixels - coarse.reshape(-1, 3)).reshape(lh, lw)
    tolerance = max(12.0, 4 * quantile(off.ravel(), 0.4))
    # Whatever is off the surface and wider than any stroke is a shadow or another sheet: then the paper is local.
    wide = max(3, min(lh, lw) // 6)
    off_paper = (off > tolerance).astype(np.uint8)
    smooth = not cv2.morphologyEx(off_paper, cv2.MORPH_OPEN, np.ones((wide, wide), np.uint8)).any()
    if not smooth:
        window = max(3, min(lh, lw) // 4) | 1
        coarse = cv2.medianBlur(little, window).astype(np.float32)
    # The paper between the strokes, smoothed over a few strokes' width, where there is any; else the coarse surface.
    rest = little - coarse
    paper = coarse
    for _ in range(2):
        off = _size(rest.reshape(-1, 3)).reshape(lh, lw)
        tolerance = max(8.0, 3 * quantile(off.ravel(), 0.5))
        calm = np.exp(-((off / tolerance) ** 2)).astype(np.float32)
        share = cv2.GaussianBlur(calm, (0, 0), 5) + 0.05
        paper = paper + cv2.GaussianBlur(rest * calm[..., None], (0, 0), 5) / share[..., None]
        rest = little - paper
    sheet = None if corners is None else (corners + 0.5) * np.array([w / lw, h / lh], np.float32) - np.float32(0.5)
    return Paper(paper, smooth, inside, sheet)


def _without_lines(work: U8, size: tuple[int, int]) -> U8:
    """The picture at a small size without what is thin, by medians of some of its pixels."""
    import cv2

    sample = cv2.resize(work, (2 * size[0], 2 * size[1]), interpolation=cv2.INTER_NEAREST)
    return cv2.resize(cv2.medianBlur(sample, 11), size, interpolation=cv2.INTER_AREA)


def _sheet(little: U8) -> tuple[U8 | None, F32 | None]:
    """Where the sheet is in a small picture: (uint8 [h, w] of 0 and 1, its four corners).

    (None, None) where the sheet fills the picture; corners only of a sheet with four corners inside the picture. A shadow
    is no surrounding: it is not nearly black and has not four corners.
    """
    import cv2

    h, w = little.shape[:2]
    grey = cv2.cvtColor(little, cv2.COLOR_RGB2GRAY)
    calm = cv2.medianBlur(grey, 7)
    _, light = cv2.threshold(calm, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    centre = light[h // 4 : h - h // 4, w // 4 : w - w // 4]
    if np.count_nonzero(centre) < 0.5 * centre.size:
        light = 1 - light
    light = np.pad(cv2.morphologyEx(light, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)), 1)
    outlines, _ = cv2.findContours(light, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=(-1, -1))
    outline = max(outlines, key=cv2.contourArea, default=None)
    if outline is None or cv2.contourArea(outline) < 0.25 * h * w:
        return None, None
    inside = cv2.drawContours(np.zeros((h, w), np.uint8), [outline], -1, 1, cv2.FILLED)
    outside = inside == 0
    if np.count_nonzero(outside) < 0.003 * h * w:
        return None, None
    kernel = np.ones((5, 5), np.uint8)
    near, beyond = cv2.dilate(inside, kernel) - inside, inside - cv2.erode(inside, kernel, borderValue=1)
    here, there = (cv2.mean(grey, ring)[0] for ring in (beyond, near))
    if abs(here - there) < 30:
        return None, None
    hull = cv2.convexHull(outline)
    corners = cv2.approxPolyDP(hull, 0.03 * cv2.arcLength(hull, True), True).reshape(-1, 2).astype(np.float32)
    far = np.minimum(corners.min(axis=0), np.array([w, h]) - 1 - corners.max(axis=0)).min() if len(corners) else 0
    if len(corners) == 4 and far > 1 and cv2.contourArea(outline) > 0.93 * cv2.contourArea(hull):
        return inside, _fitted_corners(outline.reshape(-1, 2).astype(np.float32), corners)
    return (inside, None) if there < 0.3 * here else (None, None)


def _fitted_corners(outline: F32, corners: F32) -> F32:
    """The crossings of lines fitted to the four sides of an outline [n, 2], from the top left clockwise: [4, 2]."""
    import cv2

    middle = corners.mean(axis=0)
    corners = corners[np.argsort(np.arctan2(*(corners - middle).T[::-1]))]
    corners = np.roll(corners, -int(np.argmin(corners.sum(axis=1))), axis=0)
    lines = []
    for one, two in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = (two - one) / np.linalg.norm(two - one)
        offset = outline - one
        t, d = offset @ along, np.abs(offset @ np.array([-along[1], along[0]]))
        length = float(np.linalg.norm(two - one))
        side = outline[(d < 4) & (t > 0.1 * length) & (t < 0.9 * length)]
        if len(side) < 8:
            return corners
        vx, vy, x, y = cv2.fitLine(side, cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
        lines.append(np.array([-vy, vx, vy * x - vx * y]))
    crossings = np.array([np.cross(lines[i - 1], lines[i]) for i in range(4)])
    fitted: F32 = (crossings[:, :2] / crossings[:, 2:]).astype(np.float32)
    return fitted


def enlarge(paper: F32, h: int, w: int, top: int, count: int) -> F32:
    """Rows top .. top + count of the paper enlarged to [h, w]."""
    import cv2

    across, down = paper.shape[1] / w, paper.shape[0] / h
    # Pixel centres: small = (large + 1/2) * ratio - 1/2.
    move = np.array([[across, 0, across / 2 - 0.5], [0, down, (top + 0.5) * down - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(paper, move, (w, count), flags=flags, borderMode=cv2.BORDER_REPLICATE)
