"""Where a sheet lies in a picture: the region that is paper, and the corners of a sheet that shows its sides.

It says nothing of the paper's colour nor of ink. Read by paper.py, which hands on the two array types.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["F32", "U8", "find_sheet", "fitted_corners"]

# OpenCV's own annotations know of no element type, so these two tell it to the reader alone.
U8 = NDArray[Any]
F32 = NDArray[Any]

STEP = 30.0  # grey levels: by so much a sheet's surroundings differ from it
BAYS = 1.15  # the area within a sheet's convex outline, of its own: more is no sheet seen whole
THRESHOLDS = 12  # between the darkest and the lightest, at which a sheet is looked for


def find_sheet(little: U8) -> tuple[U8 | None, F32 | None, bool]:
    """Where the sheet is in a small picture: (uint8 [h, w] of 0 and 1, its corners [4, 2], whether it is whole).

    None where the sheet fills the picture; corners only of a sheet with three sides or more within the picture, which is
    whole with four. A shadow is no surrounding: it is not nearly black and has not three straight sides.
    """
    import cv2

    grey = cv2.medianBlur(cv2.cvtColor(little, cv2.COLOR_RGB2GRAY), 7)
    darkest, lightest = np.quantile(grey, (0.01, 0.99))
    # In uneven light one threshold parts the sheet from its surroundings and the next does not: the sharpest edge is right.
    sharpest, best = (3, STEP), None
    for threshold in np.linspace(darkest, lightest, THRESHOLDS + 2)[1:-1]:
        found = _region((grey > threshold).astype(np.uint8))
        corners = None if found is None else _corners(found[1])
        if corners is None:
            continue
        free = _within(corners, grey.shape)
        sharp = int(np.count_nonzero(free)), min(_steps(grey, corners)[free], default=0.0)
        if sharp[1] > STEP and sharp > sharpest:
            sharpest, best = sharp, corners
    if best is not None:
        inside = cv2.fillConvexPoly(np.zeros(grey.shape, np.uint8), np.rint(best).astype(np.int32), 1)
        return inside, best, sharpest[0] == 4
    found = _region(cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1])
    if found is None:
        return None, None, False
    # Black blocks near the edge make bays in the outline, which are no desk.
    hull = cv2.convexHull(found[1]).astype(np.int32)
    is_full = cv2.contourArea(hull) <= BAYS * np.count_nonzero(found[0])
    inside = cv2.fillConvexPoly(np.zeros_like(found[0]), hull, 1) if is_full else found[0]
    if np.count_nonzero(inside) > 0.997 * inside.size:
        return None, None, False
    kernel = np.ones((5, 5), np.uint8)
    near, beyond = cv2.dilate(inside, kernel) - inside, inside - cv2.erode(inside, kernel, borderValue=1)
    here, there = (cv2.mean(grey, ring)[0] for ring in (beyond, near))
    return (inside if here - there >= STEP and there < 0.3 * here else None), None, False


def _region(light: U8) -> tuple[U8, F32] | None:
    """The largest region of what the middle of uint8 [h, w] of 0 and 1 mostly is, without holes, and its outline [n, 2].

    None if it is small or all there is.
    """
    import cv2

    h, w = light.shape
    centre = light[h // 4 : h - h // 4, w // 4 : w - w // 4]
    if np.count_nonzero(centre) < 0.5 * centre.size:
        light = 1 - light
    light = np.pad(cv2.morphologyEx(light, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)), 1)
    outlines, _ = cv2.findContours(light, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=(-1, -1))
    outline = max(outlines, key=cv2.contourArea, default=None)
    if outline is None or cv2.contourArea(outline) < 0.25 * h * w:
        return None
    inside = cv2.drawContours(np.zeros((h, w), np.uint8), [outline], -1, 1, cv2.FILLED)
    if np.count_nonzero(inside) > 0.997 * h * w:
        return None
    return inside, outline.reshape(-1, 2).astype(np.float32)


def _corners(outline: F32) -> F32 | None:
    """The four corners [4, 2] of an outline [n, 2] that is a quadrangle, from the top left clockwise."""
    import cv2

    hull = cv2.convexHull(outline)
    corners = cv2.approxPolyDP(hull, 0.03 * cv2.arcLength(hull, True), True).reshape(-1, 2)
    if len(corners) != 4 or cv2.contourArea(outline) <= 0.93 * cv2.contourArea(hull):
        return None
    corners = corners[np.argsort(np.arctan2(*(corners - corners.mean(axis=0)).T[::-1]))]
    return np.roll(corners, -int(np.argmin(corners.sum(axis=1))), axis=0)


def _within(corners: F32, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which sides of a quadrangle [4, 2] lie within a picture [h, w]: bool [4]; the others are the picture's own border."""
    middles = (corners + np.roll(corners, -1, axis=0)) / 2
    far = np.minimum(middles, np.array(shape[::-1]) - 1 - middles).min(axis=1)
    return np.asarray(far > 1)


def _steps(grey: U8, corners: F32) -> F32:
    """How far grey [h, w] differs on both sides of each side of a quadrangle [4, 2], three pixels from it: [4]."""
    steps = [np.abs(np.subtract(*_across(grey, one, two, np.array([-3.0, 3.0]))[0].T)) for one, two in _sides(corners)]
    return np.median(steps, axis=1)


def _sides(corners: F32) -> Iterable[tuple[F32, F32]]:
    return zip(corners, np.roll(corners, -1, axis=0), strict=True)


def _across(picture: U8, one: F32, two: F32, offsets: NDArray[np.float64]) -> tuple[F32, F32]:
    """The grey of a picture at places beside the line from ``one`` to ``two``, float32 [n, m], and these places [n, m, 2].

    n: along the line, less its ends; m: at these offsets in pixels, to the right of who walks it.
    """
    import cv2

    normal = np.array([one[1] - two[1], two[0] - one[0]]) / np.linalg.norm(two - one)
    along = np.linspace(0.05, 0.95, 91)[:, None, None]
    places = (one + along * (two - one) + offsets[:, None] * normal).astype(np.float32)
    x, y = (np.ascontiguousarray(places[..., k]) for k in (0, 1))
    found = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    return found if found.ndim == 2 else found.mean(axis=2), places


def fitted_corners(picture: U8, corners: F32, reach: float) -> F32:
    """Corners [4, 2] moved to where lines through the sharpest steps beside a quadrangle's sides cross.

    reach: how far from its sides, in pixels, these steps are looked for.
    """
    import cv2

    offsets = np.arange(-np.ceil(reach) - 1, np.ceil(reach) + 2)
    lines = []
    for one, two in _sides(corners):
        grey, places = _across(picture, one, two, offsets)
        change = np.diff(grey, axis=1)
        change *= np.sign(np.median(grey[:, -1] - grey[:, 0]))
        change = change[:, :-1] + change[:, 1:]  # over two pixels: an edge is seldom narrower, and noise is less
        at = np.argmax(change, axis=1)
        found = places[np.arange(len(at)), at + 1]
        vx, vy, x, y = cv2.fitLine(found, cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
        lines.append(np.array([-vy, vx, vy * x - vx * y]))
    crossings = np.array([np.cross(lines[i - 1], lines[i]) for i in range(4)])
    fitted: F32 = (crossings[:, :2] / crossings[:, 2:]).astype(np.float32)
    return fitted if np.abs(fitted - corners).max() < 3 * reach else corners
