"""Turns a page's ink upright: skew of up to 15 degrees, and the mild perspective of a photo taken at an angle.

What speaks for the skew, best first: a sheet's four corners, printed rules, the rows of the written digits. Nothing is
turned that speaks too softly: one digit has no skew, and a handful in a row must lean more than their jitter explains. It
does not turn pages by quarters, and it straightens no curved pages. Read by read.py, before clean.py: upright rules are
easier to take out.

Sources: Hartley and Zisserman, "Multiple View Geometry" (2nd ed. 2003), 2.7, for the vanishing line; Grompone von Gioi and
others, "LSD" (2010), finds the segments; the projection of centres along many angles is Postl's (1986).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.reading.ink.find import EDGE, NARROW, SINGLE, Ink, stroke_width
from lenet.reading.ink.paper import U8

__all__ = ["straighten", "turned"]

F64 = NDArray[np.float64]

STEEPEST = np.deg2rad(15.5)
LEAST = np.deg2rad(0.3)  # a smaller skew harms no reader, and turning blurs
STROKES = 1.5  # heights of writing: what is shorter is a straight stroke, and no rule
SHORTEST = 8  # pixels at the size looked at, of the edges that speak for squares
SQUARES = (
    4.0  # times the long side of the page: from there that many level edges, and as many upright ones, are squares
)
AGREE = np.deg2rad(1.0)  # edges of squares differ so much in direction
LOOK = 1000  # the long side at which lines and rows are looked for


def straighten(ink: Ink) -> tuple[Ink, F64]:
    """The ink upright, and the 3 x 3 matrix that takes a point x, y, 1 of ``ink`` to the one returned.

    Coordinates are those of boxes: pixel (0, 0) covers 0..1. The canvas grows so that no ink leaves it. Where there is
    nothing to straighten the ink itself comes back, with the identity.
    """
    unit = np.eye(3)
    if max(ink.mask.shape) <= SINGLE or min(ink.mask.shape) < NARROW or not ink.mask.any():
        return ink, unit
    matrix = unit if ink.sheet is None else _from_sheet(ink.sheet.astype(np.float64) + 0.5)
    level, shrink = _small(ink.level)
    centres, height = _centres(level)
    segments = _segments(level)
    long = _lengths(segments) >= max(0.05 * max(level.shape), STROKES * height)
    segments = _moved(matrix, segments / shrink)
    across, down = _families(segments[long], max(ink.mask.shape))
    if ink.sheet is None and len(across) and len(down):
        upright = _from_rules(across, down, ink.mask.shape)
        matrix, segments, across = upright @ matrix, _moved(upright, segments), _moved(upright, across)
    skew = _of_squares(segments, max(ink.mask.shape))
    if skew is None:
        skew = _of_rules(across, ink.mask.shape[1])
    if skew is None:
        skew = _of_rows(_apply(matrix, centres / shrink), height / shrink)
    if abs(skew) >= LEAST:
        matrix = _rotation(-skew, ink.mask.shape) @ matrix
    if np.array_equal(matrix, unit):
        return ink, unit
    return _warped(ink, matrix)


def turned(ink: Ink, quarters: int) -> tuple[Ink, F64]:
    """The ink turned counter-clockwise by so many quarters, and the 3 x 3 matrix as ``straighten`` gives it."""
    matrix = np.eye(3)
    for _ in range(quarters % 4):
        matrix = np.array([[0, 1, 0], [-1, 0, ink.mask.shape[1]], [0, 0, 1]], np.float64) @ matrix
        ink = replace(
            ink,
            level=np.ascontiguousarray(np.rot90(ink.level)),
            mask=np.ascontiguousarray(np.rot90(ink.mask)),
            sheet=None if ink.sheet is None else _turned_sheet(ink.sheet, ink.mask.shape[1]),
            picture=None if ink.picture is None else np.ascontiguousarray(np.rot90(ink.picture)),
            paper=None if ink.paper is None else np.ascontiguousarray(np.rot90(ink.paper)),
        )
    return ink, matrix


def _turned_sheet(corners: NDArray[Any], width: int) -> NDArray[Any]:
    """A sheet's corners after a quarter turn counter-clockwise, again from the top left clockwise."""
    x, y = corners.T
    return np.roll(np.stack([y, width - 1 - x], axis=1), -1, axis=0).astype(np.float32)


def _small(level: U8) -> tuple[U8, float]:
    import cv2

    h, w = level.shape
    factor = -(-max(h, w) // LOOK)
    if factor == 1:
        return level, 1.0
    cut = level[: h // factor * factor, : w // factor * factor]
    return cv2.resize(cut, (w // factor, h // factor), interpolation=cv2.INTER_AREA), 1 / factor


def _apply(matrix: F64, points: F64) -> F64:
    """Points [n, 2] through a 3 x 3 matrix."""
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    flat: F64 = moved[:, :2] / moved[:, 2:]
    return flat


def _moved(matrix: F64, segments: F64) -> F64:
    """Segments [n, 2, 2] through a 3 x 3 matrix."""
    return _apply(matrix, segments.reshape(-1, 2)).reshape(-1, 2, 2)


def _rotation(angle: float, shape: tuple[int, ...]) -> F64:
    """Turns about the middle: x' = c x - s y."""
    c, s = np.cos(angle), np.sin(angle)
    x, y = shape[1] / 2, shape[0] / 2
    return np.array([[c, -s, x - c * x + s * y], [s, c, y - s * x - c * y], [0, 0, 1]])


def _from_sheet(corners: F64) -> F64:
    """Takes a sheet's corners [4, 2] to the upright rectangle of their mean sides."""
    import cv2

    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    w, h = (sides[0] + sides[2]) / 2, (sides[1] + sides[3]) / 2
    target = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    return cv2.getPerspectiveTransform(corners.astype(np.float32), target).astype(np.float64)


# --- Rules -------------------------------------------------------------------------------------------------------------


def _segments(level: U8) -> F64:
    """Straight edges [n, 2, 2] (ends, x and y) of at least SHORTEST pixels."""
    import cv2

    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_NONE).detect(level)[0]
    if found is None:
        return np.zeros((0, 2, 2))
    segments = found.reshape(-1, 2, 2).astype(np.float64) + 0.5
    return segments[_lengths(segments) >= SHORTEST]


def _lengths(segments: F64) -> F64:
    step = segments[:, 1] - segments[:, 0]
    return np.hypot(step[:, 0], step[:, 1])


def _families(segments: F64, longest: int) -> tuple[F64, F64]:
    """Segments near the horizontal and near the vertical; none where they are too few to be rules.

    Upright strokes of large digits lean all ways, rules agree: kept are those within 4 degrees of their family's median.
    """
    step = segments[:, 1] - segments[:, 0]
    length = np.hypot(step[:, 0], step[:, 1])
    families = []
    for angle in (np.arctan(step[:, 1] / np.where(step[:, 0] == 0, 1e-9, step[:, 0])),
                  np.arctan(-step[:, 0] / np.where(step[:, 1] == 0, 1e-9, step[:, 1]))):  # fmt: skip
        near = np.flatnonzero(np.abs(angle) <= STEEPEST)
        if len(near):
            middle = _median(angle[near], length[near])
            agree = near[np.abs(angle[near] - middle) < np.deg2rad(4)]
            if length[agree].sum() < max(0.7 * length[near].sum(), 0.6 * longest):
                agree = agree[:0]
            near = agree
        families.append(segments[near])
    return families[0], families[1]


def _median(values: F64, weights: F64) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def _of_rules(across: F64, width: int) -> float | None:
    """The skew in radians that level rules show; None without rules."""
    if not len(across):
        return None
    step = across[:, 1] - across[:, 0]
    length = np.hypot(step[:, 0], step[:, 1])
    angle = np.arctan(step[:, 1] / step[:, 0])
    return _median(angle, length) if length.sum() > 0.6 * width else None


def _of_squares(segments: F64, longest: int) -> float | None:
    """The skew in radians that squares show, whose rules are cut short by one another; None without squares.

    Strokes of writing are straight and level here and there. Squares are so many times as long in all, and both ways.
    """
    step, length = segments[:, 1] - segments[:, 0], _lengths(segments)
    slopes = []
    for along, aside in ((step[:, 0], step[:, 1]), (step[:, 1], -step[:, 0])):
        angle = np.arctan(aside / np.where(along == 0, 1e-9, along))
        near = np.abs(angle) <= STEEPEST + AGREE
        if length[near].sum() < SQUARES * longest:
            return None
        bins = np.rint((angle[near] + STEEPEST + AGREE) / (AGREE / 2)).astype(np.int64)
        totals = np.convolve(np.bincount(bins, length[near]), np.ones(5), "same")
        if totals.max() < SQUARES * longest:
            return None
        middle = int(totals.argmax()) * (AGREE / 2) - STEEPEST - AGREE
        agree = np.abs(angle - middle) <= AGREE
        slopes.append((_median(angle[agree], length[agree]), agree))
    (skew, level), (other, _) = slopes
    if abs(skew - other) > 3 * AGREE:
        return None
    # Each edge alone is too short to tell its direction well: seen along the true one all fall into the fewest rows.
    tries = skew + np.linspace(-AGREE, AGREE, 41)
    x, y = segments[level].mean(axis=1).T
    rows = np.rint(y * np.cos(tries)[:, None] - x * np.sin(tries)[:, None]).astype(np.int64)
    crowded = [np.square(np.bincount(row - row.min(), length[level])).sum() for row in rows]
    return float(tries[int(np.argmax(crowded))])


def _from_rules(across: F64, down: F64, shape: tuple[int, ...]) -> F64:
    """What takes two families of rules to families of parallels, crossing at right angles; the identity if they are so already.

    Each family meets in a vanishing point; the line through both is sent to infinity, and what is left is affine.
    """
    unit = np.eye(3)
    size = float(max(shape))
    centre = np.array([[1 / size, 0, -shape[1] / 2 / size], [0, 1 / size, -shape[0] / 2 / size], [0, 0, 1]])
    points, before = [], 0.0
    for family, axis in ((across, 1), (down, 0)):
        ends = _apply(centre, family.reshape(-1, 2)).reshape(-1, 2, 2)
        if np.ptp(ends.mean(axis=1)[:, axis]) < 0.25:  # all near one line: they say nothing about vanishing
            return unit
        homogeneous = np.concatenate([ends, np.ones((len(ends), 2, 1))], axis=2)
        lines = np.cross(homogeneous[:, 0], homogeneous[:, 1])
        lines /= np.linalg.norm(lines[:, :2], axis=1, keepdims=True)
        weight = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
        for _ in range(3):  # without the segments that do not meet the others
            point = np.linalg.svd(lines * weight[:, None], full_matrices=False)[2][-1]
            miss = np.abs(lines @ point) / np.linalg.norm(point[:2])
            weight = weight / (1 + (miss / max(float(np.median(miss)) * 3, 1e-4)) ** 2)
        points.append(point)
        before = max(before, abs(point[2]) / float(np.linalg.norm(point[:2])))
    if not 0.01 < before < 0.8:  # parallel already, or no mild perspective
        return unit
    horizon = np.cross(points[0], points[1])
    if abs(horizon[2]) < 1e-9:
        return unit
    project = np.array([[1, 0, 0], [0, 1, 0], horizon / horizon[2]])
    right, downward = ((project @ p)[:2] for p in points)
    right, downward = right / np.linalg.norm(right), downward / np.linalg.norm(downward)
    right, downward = right * np.sign(right[0]), downward * np.sign(downward[1])
    affine = np.eye(3)
    affine[:2, :2] = np.linalg.inv(np.stack([right, downward], axis=1))
    matrix: F64 = np.linalg.inv(centre) @ affine @ project @ centre
    return matrix


# --- Rows of digits ------------------------------------------------------------------------------------------------------


def _centres(level: U8) -> tuple[F64, float]:
    """The middles [n, 2] of the pieces of ink that are about as large as most, and their height."""
    import cv2

    _, _, stats, _ = cv2.connectedComponentsWithStats((level >= EDGE // 2).view(np.uint8), connectivity=8)
    stats = stats[1:].astype(np.float64)
    stats = stats[(stats[:, 3] >= 4) & (stats[:, 2] < 0.2 * level.shape[1])]
    if not len(stats):
        return np.zeros((0, 2)), 1.0
    height = _median(stats[:, 3], stats[:, 4])
    stats = stats[(np.abs(np.log2(stats[:, 3] / height)) < 0.8) & (stats[:, 2] < 2.5 * height)]
    return stats[:, :2] + stats[:, 2:4] / 2, height


def _of_rows(centres: F64, height: float) -> float:
    """The skew in radians of rows of centres [n, 2]; 0 where they do not show one."""
    if len(centres) < 6:
        return 0.0
    angles = np.deg2rad(np.arange(-15, 15.25, 0.25))
    x, y = centres[:, 0] - centres[:, 0].mean(), centres[:, 1] - centres[:, 1].mean()
    across = y[None] * np.cos(angles)[:, None] - x[None] * np.sin(angles)[:, None]
    bins = np.floor((across - across.min()) / (height / 4)).astype(np.int64)
    count = int(bins.max()) + 1
    counts = np.bincount((bins + np.arange(len(angles))[:, None] * count).ravel(), minlength=len(angles) * count)
    tally: F64 = counts.reshape(len(angles), count).astype(np.float64)
    tally[:, 1:-1] += 0.5 * (tally[:, :-2] + tally[:, 2:])
    score = (tally**2).sum(axis=1)
    score *= 1 - 0.2 * np.abs(angles) / STEEPEST  # of two ways to see rows, the level one
    start = slope = float(np.tan(angles[int(np.argmax(score))]))
    spread = 0.0
    for _ in range(4):
        rest = y - slope * x
        order = np.argsort(rest)
        row = np.empty(len(x), np.int64)
        row[order] = np.cumsum(np.diff(rest[order], prepend=rest[order[0]]) > 0.35 * height)
        size = np.bincount(row)
        dx, dy = (v - (np.bincount(row, v) / size)[row] for v in (x, rest))
        good = (size[row] >= 4) & (np.abs(dy) < 0.6 * height)
        rows = len(np.unique(row[good]))
        free = int(np.count_nonzero(good)) - rows - 1
        if free < 3:
            return 0.0
        xx = float(dx[good] @ dx[good])
        change = float(dx[good] @ dy[good]) / xx
        slope += change
        off = dy[good] - change * dx[good]
        spread = float(np.sqrt(off @ off / free / xx))
    angle = float(np.arctan(slope))
    sure = abs(slope) > 3 * spread and abs(slope - start) < 0.03 + 3 * spread and abs(angle) <= STEEPEST
    return angle if sure else 0.0


# --- Turning -------------------------------------------------------------------------------------------------------------


def _warped(ink: Ink, matrix: F64) -> tuple[Ink, F64]:
    """The ink through the matrix, moved so that it starts at 0, 0 and nothing of the page is lost."""
    import cv2

    h, w = ink.mask.shape
    page = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float64)
    corners = _apply(matrix, page if ink.sheet is None else ink.sheet + 0.5)
    low, high = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
    out_w, out_h = (int(n) for n in high - low)
    if not (0 < out_w <= 3 * w and 0 < out_h <= 3 * h):
        return ink, np.eye(3)
    matrix = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]]) @ matrix
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    pixels = np.linalg.inv(half) @ matrix @ half  # OpenCV counts from the middle of the first pixel
    level = _through(ink.level, pixels, (out_w, out_h))
    mask = level >= EDGE
    picture, paper = ink.picture, ink.paper
    if picture is not None and paper is not None:
        picture = _through(picture, pixels, (out_w, out_h), cv2.BORDER_REPLICATE)
        little = np.diag([w / paper.shape[1], h / paper.shape[0], 1.0])
        moved = np.linalg.inv(half) @ np.linalg.inv(little) @ matrix @ little @ half
        size = (-(-out_w * paper.shape[1] // w), -(-out_h * paper.shape[0] // h))
        paper = _through(paper, moved, size, cv2.BORDER_REPLICATE)
    stroke = stroke_width(level, mask)
    return replace(ink, level=level, mask=mask, stroke=stroke, sheet=None, picture=picture, paper=paper), matrix


def _through(picture: NDArray[Any], matrix: F64, size: tuple[int, int], beyond: int = 0) -> NDArray[Any]:
    """A picture through a matrix of pixel middles, to width and height ``size``. beyond: OpenCV's border, 0 for nothing."""
    import cv2

    if np.abs(matrix[2, :2]).max() < 1e-12:
        return cv2.warpAffine(picture, matrix[:2], size, flags=cv2.INTER_LINEAR, borderMode=beyond)
    return cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=beyond)
