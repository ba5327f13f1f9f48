"""The paper of a picture: its colour at every place, under whatever light, and the corners of the sheet.

It says nothing of the ink. Read by ink.py alone.

Source: the surface is fitted by iteratively reweighted least squares, Holland and Welsch (1977).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.reading.ink.patches import find_patches, patch_edges
from lenet.reading.ink.sheet_edges import F32, U8, find_sheet, fitted_corners

__all__ = ["F32", "U8", "Paper", "enlarge", "page_paper", "quantile", "smooth_paper"]

SMALL = 256  # the long side at which a page's paper is estimated
AROUND = 15  # working pixels: so near everywhere is some paper between fine lines
RIM = 3  # working pixels along a sheet's edge that are no longer paper, and not yet what lies beyond


class Along(NamedTuple):
    """The edges of patches of other paper. plain, patch: float32 [h', w', 3], the colours on either side; where: uint8 [h, w]."""

    plain: F32
    patch: F32
    where: U8


@dataclass(frozen=True)
class Paper:
    """The paper of a picture. colour: float32 [h', w', 3], at full or at a small size. smooth: one surface explains it.

    inside: uint8 [h, w], 1 where the sheet is, less its very edge; None if it is everywhere. sheet: as in Ink. along: the
    edges of patches, None without any.
    """

    colour: F32
    smooth: bool = True
    inside: U8 | None = None
    sheet: F32 | None = None
    along: Along | None = None


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
    inside, corners, whole = find_sheet(little)
    on = None if inside is None else cv2.erode(inside, np.ones((3, 3), np.uint8))
    if on is not None:
        little = _spread_out(little, on)
    pixels = little.reshape(-1, 3).astype(np.float32)
    paper_only = None if on is None else on.ravel() > 0
    start = _median(pixels if paper_only is None else pixels[paper_only])
    coarse = _surface(pixels, lh, lw, start, order=2, on=paper_only)
    off = _size(pixels - coarse.reshape(-1, 3)).reshape(lh, lw)
    tolerance = max(12.0, 4 * quantile(off.ravel(), 0.4))
    # Whatever is off the surface and wider than any stroke is a shadow or another sheet: then the paper is local.
    wide = max(3, min(lh, lw) // 6)
    off_paper = (off > tolerance).astype(np.uint8)
    plain = coarse
    coarse, patches = find_patches(work, little, off_paper, coarse)
    off_paper[patches > 0] = 0
    smooth = not cv2.morphologyEx(off_paper, cv2.MORPH_OPEN, np.ones((wide, wide), np.uint8)).any()
    if not smooth:
        window = max(3, min(lh, lw) // 4) | 1
        coarse = np.where(patches[..., None] > 0, coarse, cv2.medianBlur(little, window).astype(np.float32))
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
    edges = patch_edges(patches, coarse, (h, w))
    along = None if edges is None else Along(plain, *edges)
    if inside is None:
        return Paper(paper, smooth, along=along)
    if corners is None:
        inner = cv2.erode(inside, np.ones((3, 3), np.uint8), borderValue=1) * np.uint8(255)
        return Paper(paper, smooth, cv2.threshold(cv2.resize(inner, (w, h)), 127, 1, cv2.THRESH_BINARY)[1], along=along)
    scale = np.array([w / lw, h / lh], np.float32)
    corners = (corners + 0.5) * scale - np.float32(0.5)
    for reach in (2.5, 1.0):
        corners = fitted_corners(work, corners, reach * float(scale.max()))
    # All between the corners: writing near an edge makes bays in the outline.
    inside = cv2.fillConvexPoly(np.zeros((h, w), np.uint8), np.rint(corners * 16).astype(np.int32), 1, shift=4)
    inside = cv2.erode(inside, np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8), borderValue=0)
    return Paper(paper, smooth, inside, corners if whole else None, along)


def _spread_out(little: U8, on: U8) -> U8:
    """The picture [h, w, 3] with the nearest colour of where ``on`` is 1 everywhere else: a shadow goes on beyond the sheet."""
    import cv2

    labels = cv2.distanceTransformWithLabels(1 - on, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)[1]
    colours = np.zeros((int(labels.max()) + 1, 3), np.uint8)
    colours[labels[on > 0]] = little[on > 0]
    return colours[labels]


def _without_lines(work: U8, size: tuple[int, int]) -> U8:
    """The picture at a small size without what is thin: the mean of what is far from it, which is either the lightest or
    the darkest around, whichever is more of the picture."""
    import cv2

    grey = cv2.blur(cv2.cvtColor(work, cv2.COLOR_RGB2GRAY), (3, 3))
    around = np.ones((AROUND, AROUND), np.uint8)
    light, dark = cv2.dilate(grey, around), cv2.erode(grey, around)
    paper = cv2.compare(grey, cv2.addWeighted(light, 0.75, dark, 0.25, 0), cv2.CMP_GE)
    lines = cv2.compare(grey, cv2.addWeighted(light, 0.25, dark, 0.75, 0), cv2.CMP_LE)
    if cv2.countNonZero(lines) > cv2.countNonZero(paper):
        paper = lines
    share = cv2.resize(paper, size, interpolation=cv2.INTER_AREA).astype(np.float32)[..., None] / 255
    sums = cv2.resize(cv2.bitwise_and(work, work, mask=paper), size, interpolation=cv2.INTER_AREA)
    plain = cv2.resize(work, size, interpolation=cv2.INTER_AREA)
    return np.where(share > 0.1, np.minimum(sums / np.maximum(share, 0.1), 255), plain).astype(np.uint8)


def enlarge(paper: F32, h: int, w: int, top: int, count: int) -> F32:
    """Rows top .. top + count of the paper enlarged to [h, w]."""
    import cv2

    across, down = paper.shape[1] / w, paper.shape[0] / h
    # Pixel centres: small = (large + 1/2) * ratio - 1/2.
    move = np.array([[across, 0, across / 2 - 0.5], [0, down, (top + 0.5) * down - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(paper, move, (w, count), flags=flags, borderMode=cv2.BORDER_REPLICATE)
