"""What paper, pen, light, camera and file make of a sheet: colours, shadows, a turned page, noise and JPEG's blocks.

Each function takes and gives plain arrays; ``generator`` says which level goes through which.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

Array = np.ndarray[Any, Any]
Colour = tuple[int, int, int]  # R, G, B

PENS: tuple[Colour, ...] = (
    (18, 18, 22), (28, 40, 120), (20, 60, 150), (40, 40, 44), (70, 70, 74), (140, 28, 32), (16, 90, 50), (80, 35, 110),
)  # fmt: skip
WHITES: tuple[Colour, ...] = ((255, 255, 255), (250, 250, 248), (245, 243, 236), (238, 240, 242))
PAPERS: tuple[Colour, ...] = (
    (205, 205, 203), (170, 170, 172), (250, 240, 160), (245, 205, 210), (190, 225, 190), (180, 210, 240), (205, 170, 125),
)  # fmt: skip
BOARDS: tuple[Colour, ...] = ((34, 48, 42), (22, 24, 60), (30, 30, 32), (70, 22, 34), (52, 60, 70))
CHALKS: tuple[Colour, ...] = ((240, 240, 235), (250, 225, 110), (245, 190, 205), (170, 215, 250))
RULES: tuple[Colour, ...] = ((150, 185, 220), (170, 170, 175), (120, 120, 125), (225, 150, 150), (130, 190, 160))


def lightness_apart(a: Colour, b: Colour) -> float:
    """The distance of two colours in CIE Lab: 100 from black to white."""
    pair = np.array([[a, b]], np.float32) / 255
    lab = cv2.cvtColor(pair, cv2.COLOR_RGB2LAB)[0]
    return float(np.linalg.norm(lab[0] - lab[1]))


def choose(rng: np.random.Generator, colours: tuple[Colour, ...]) -> Colour:
    return colours[int(rng.integers(len(colours)))]


def coloured(rng: np.random.Generator, dark: float = 0.25) -> tuple[Colour, Colour]:
    """A paper's and a pen's colour, at least 40 apart in Lab; a share of ``dark`` pages is written on with chalk."""
    papers, pens = (BOARDS, CHALKS) if rng.random() < dark else (PAPERS, PENS)
    while True:
        paper, pen = choose(rng, papers), choose(rng, pens)
        if lightness_apart(paper, pen) >= 40:
            return paper, pen


def laid(page: Array, cover: Array, colour: Colour, strength: float = 1.0) -> Array:
    """Ink of a colour on a page uint8 [H, W, 3], which is changed in place, where cover uint8 [H, W] says."""
    rows = np.flatnonzero(cover.any(axis=1))
    if not len(rows):
        return page
    part = slice(rows[0], rows[-1] + 1)
    much = cover[part].astype(np.float32)[..., None] * (strength / 255)
    under = page[part]
    under[:] = (under + (np.array(colour, np.float32) - under) * much + 0.5).astype(np.uint8)
    return page


def blank(shape: tuple[int, int], colour: Colour) -> Array:
    return np.full((*shape, 3), colour, np.uint8)


def grain(rng: np.random.Generator, page: Array, sigma: float, coarse: int = 3) -> Array:
    """Paper's own texture: soft grey clouds a few pixels wide, the same in all colours."""
    h, w = page.shape[:2]
    small = rng.normal(0, sigma, (h // coarse + 1, w // coarse + 1)).astype(np.float32)
    return added(page, cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR))


def added(page: Array, change: Array) -> Array:
    """page + change, kept within 0..255; change float [H, W] or [H, W, 3]."""
    if change.ndim == 2:
        change = change[..., None]
    return np.clip(page + change + 0.5, 0, 255).astype(np.uint8)


def light(rng: np.random.Generator, page: Array) -> Array:
    """A slope of light, a vignette and now and then a shadow's edge: from 0.4 to 1 of the light; a tint of its colour."""
    h, w = page.shape[:2]
    y, x = np.mgrid[-1:1:160j, -1:1:160j]
    angle = rng.uniform(0, 2 * np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    field = 1 - rng.uniform(0.1, 0.35) * (1 + along) / 1.4
    field = field * (1 - rng.uniform(0, 0.22) * (x**2 + y**2))
    if rng.random() < 0.5:  # a hand's or a phone's shadow
        angle = rng.uniform(0, 2 * np.pi)
        edge = (x * np.cos(angle) + y * np.sin(angle) - rng.uniform(-0.4, 0.6)) / rng.uniform(0.02, 0.3)
        field = field * (1 - rng.uniform(0.2, 0.45) / (1 + np.exp(-np.clip(edge, -30, 30))))
    field = np.clip(field, 0.35, 1)
    tint = 1 - rng.uniform(0, 0.12) * np.array([[0, 0.3, 1], [1, 0.3, 0]])[int(rng.integers(2))]
    whole = cv2.resize(field.astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
    out = np.empty_like(page)
    for c in range(3):
        out[..., c] = np.clip(page[..., c] * (whole * np.float32(tint[c])) + 0.5, 0, 255)
    return out


def turned(
    rng: np.random.Generator, page: Array, degrees: float, perspective: float, ground: Colour
) -> tuple[Array, Array]:
    """The page turned by up to ``degrees`` and seen a little from the side, on a ground that shows at the corners.

    perspective: how far a corner may move, as a share of the page's sides. Also the 3 x 3 matrix from the upright page to
    the picture. The picture is as large as the page, and all of the page is in it.
    """
    h, w = page.shape[:2]
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float64)
    angle = np.deg2rad(rng.uniform(-degrees, degrees))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (corners - [w / 2, h / 2]) @ turn.T + rng.uniform(-perspective, perspective, (4, 2)) * [w, h]
    low, high = moved.min(0), moved.max(0)
    moved = (moved - low) * min(w / (high - low)[0], h / (high - low)[1])
    moved += (np.array([w, h]) - moved.max(0)) / 2
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), moved.astype(np.float32))
    picture = cv2.warpPerspective(
        page, matrix, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=ground
    )
    return picture, matrix


def noise(rng: np.random.Generator, page: Array, sigma: float) -> Array:
    """A camera's noise in poor light: normal, a part of it the same in all colours."""
    h, w = page.shape[:2]
    grey = rng.standard_normal((h, w), np.float32) * np.float32(0.8 * sigma)
    colour = rng.standard_normal((h, w, 3), np.float32) * np.float32(0.6 * sigma)
    return added(page, colour + grey[..., None])


def dust(rng: np.random.Generator, page: Array, specks: int, largest: float) -> Array:
    """Specks of dirt of a pixel or a few."""
    h, w = page.shape[:2]
    cover = np.zeros((h, w), np.uint8)
    for x, y, r, much in zip(
        rng.integers(0, w, specks), rng.integers(0, h, specks), rng.uniform(0.4, largest, specks),
        rng.integers(60, 230, specks), strict=True,
    ):  # fmt: skip
        cv2.circle(cover, (int(x) * 16, int(y) * 16), int(r * 16), int(much), -1, cv2.LINE_AA, 4)
    return laid(page, cover, (60, 55, 50))


def jpeg(page: Array, quality: int) -> Array:
    """The page after it was a JPEG file of that quality."""
    done, packed = cv2.imencode(".jpg", page[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return cv2.imdecode(packed, cv2.IMREAD_COLOR)[..., ::-1]
