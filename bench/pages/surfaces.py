"""What isn't the sheet but is in the picture: desks to lie on, patterns printed all over a paper, stains, folds and shadows.

Plain arrays in and out, as in ``looks``; colours are R, G, B. Read by ``amounts`` and ``everyday``.
"""

from __future__ import annotations

import cv2
import numpy as np

from bench.pages.looks import Array, Colour, added
from bench.pages.rejects import clouds

WOODS: tuple[Colour, ...] = ((150, 105, 66), (92, 60, 38), (196, 158, 112), (62, 42, 32), (176, 128, 84))
LEATHERS: tuple[Colour, ...] = ((32, 30, 30), (70, 40, 30), (20, 24, 34), (110, 66, 40))
CLOTHS: tuple[Colour, ...] = ((70, 90, 130), (150, 140, 125), (120, 40, 44), (210, 205, 195), (60, 84, 66))
PLAINS: tuple[Colour, ...] = (
    (24, 24, 26),
    (232, 230, 226),
    (60, 62, 66),
    (40, 66, 52),
    (148, 150, 154),
    (205, 190, 170),
)


# ---- desks


def desk(rng: np.random.Generator, h: int, w: int) -> Array:
    """A surface to photograph a sheet on, uint8 [h, w, 3]: wood, leather, cloth, or something plain."""
    return (wood, leather, cloth, plain)[int(rng.choice(4, p=[0.4, 0.2, 0.15, 0.25]))](rng, h, w)


def pick(rng: np.random.Generator, colours: tuple[Colour, ...]) -> Array:
    """One of these, a little changed."""
    return np.clip(np.array(colours[int(rng.integers(len(colours)))]) + rng.normal(0, 6, 3), 4, 250)


def wood(rng: np.random.Generator, h: int, w: int) -> Array:
    """Bent growth lines, streaks along them, and now and then the joints of boards."""
    across = rng.random() < 0.5
    rows, columns = (w, h) if across else (h, w)
    y = np.arange(rows, dtype=np.float32)[:, None]
    warp = cv2.resize(rng.standard_normal((5, 4)).astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC)
    period = max(9.0, rows / rng.uniform(14, 40))
    rings = np.sin(2 * np.pi * (y + 1.4 * period * warp) / period + 1.5 * np.sin(y / rng.uniform(40, 120)))
    thin = rng.standard_normal((rows, max(2, columns // 60))).astype(np.float32)
    streaks = cv2.GaussianBlur(cv2.resize(thin, (columns, rows), interpolation=cv2.INTER_LINEAR), (0, 0), 0.8)
    grey = rng.uniform(4, 11) * rings + rng.uniform(4, 9) * streaks
    if rng.random() < 0.5:  # boards side by side
        board = int(rows / rng.uniform(2.2, 5))
        for top in range(int(rng.integers(0, board)), rows, board):
            grey[top : top + board] += rng.normal(0, 9)
            grey[top : top + max(1, rows // 400)] -= 45
    grey = np.ascontiguousarray(grey.T) if across else grey
    tint = pick(rng, WOODS)
    return np.clip(tint + grey[..., None] * (0.6 + 0.4 * tint / tint.max()), 0, 255).astype(np.uint8)


def leather(rng: np.random.Generator, h: int, w: int) -> Array:
    """Small bumps lit from one side."""
    scale = rng.uniform(1.6, 4.5)
    bumps = cv2.GaussianBlur(rng.standard_normal((h, w)).astype(np.float32), (0, 0), scale)
    lit = np.diff(bumps, axis=0, prepend=bumps[:1]) + np.diff(bumps, axis=1, prepend=bumps[:, :1])
    lit /= max(1e-6, float(lit.std()))
    grey = rng.uniform(4, 9) * lit + 6 * cv2.resize(clouds(rng, 128, 128), (w, h))
    return np.clip(pick(rng, LEATHERS) + grey[..., None], 0, 255).astype(np.uint8)


def cloth(rng: np.random.Generator, h: int, w: int) -> Array:
    """A weave, and soft folds."""
    y, x = np.mgrid[:h, :w].astype(np.float32)
    period = rng.uniform(3.0, 8.0)
    weave = np.sin(2 * np.pi * x / period) * np.sin(2 * np.pi * y / period * rng.uniform(0.8, 1.2))
    folds = cv2.GaussianBlur(cv2.resize(clouds(rng, 64, 64), (w, h), interpolation=cv2.INTER_CUBIC), (0, 0), 8)
    grey = rng.uniform(5, 12) * weave + rng.uniform(4, 12) * folds + rng.normal(0, 4, (h, w)).astype(np.float32)
    return np.clip(pick(rng, CLOTHS) + grey[..., None], 0, 255).astype(np.uint8)


def plain(rng: np.random.Generator, h: int, w: int) -> Array:
    """Painted or glass: nearly even, with some shine."""
    y, x = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j].astype(np.float32)
    at, wide = rng.uniform(-1, 1, 2), rng.uniform(0.3, 1.2)
    shine = rng.uniform(0, 40) * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / wide**2)
    grey = shine + rng.uniform(0.5, 3) * cv2.resize(clouds(rng, 256, 256), (w, h))
    return np.clip(pick(rng, PLAINS) + grey[..., None], 0, 255).astype(np.uint8)


# ---- patterns printed all over a paper


def pattern(rng: np.random.Generator, h: int, w: int) -> Array:
    """Fine print against forgery, float32 [h, w], 0 to 1: wavy lines, crossing waves, dots, hatching, large faint letters."""
    y, x = np.mgrid[:h, :w].astype(np.float32)
    period = rng.uniform(3.2, 9.0)
    kind = int(rng.integers(6))
    out = np.zeros((h, w), np.float32)
    if kind in (0, 1):  # one or two families of wavy lines
        for _ in range(kind + 1):
            angle = rng.uniform(0, np.pi)
            along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
            bend = rng.uniform(1, 7) * np.sin(2 * np.pi * along / rng.uniform(18, 90) + rng.uniform(0, 6))
            out = np.maximum(out, lines(across + bend, period))
    elif kind == 2:  # circles that cross
        for _ in range(2):
            far = np.hypot(x - rng.uniform(-0.5, 1.5) * w, y - rng.uniform(-2, 3) * h)
            out = np.maximum(out, lines(far, period))
    elif kind == 3:  # dots
        angle = rng.uniform(0, np.pi / 2)
        a, b = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        out = np.clip(2.2 * (np.cos(2 * np.pi * a / period) * np.cos(2 * np.pi * b / period) - 0.3), 0, 1)
    elif kind == 4:  # hatching
        for angle in rng.uniform(0, np.pi, int(rng.integers(1, 3))):
            out = np.maximum(out, lines(x * np.cos(angle) + y * np.sin(angle), period))
    else:  # broken lines, so close that they are a tone
        phase = np.floor(y / period)
        out = lines(y, period) * (np.sin(2 * np.pi * (x / (3 * period) + 0.37 * phase)) > -0.3)
    if rng.random() < 0.3:  # a watermark
        mark = np.zeros((h, w), np.uint8)
        text = "".join(rng.choice(list("ABEKMRTW"), 3))
        tall = h / 22 * rng.uniform(0.5, 0.9)
        place = int(rng.uniform(-0.1, 0.6) * w), int(rng.uniform(0.5, 1.1) * h)
        cv2.putText(mark, text, place, cv2.FONT_HERSHEY_DUPLEX, tall, 255, max(1, round(2 * tall)), cv2.LINE_AA)
        out = np.clip(out * 0.7 + mark.astype(np.float32) / 255 * rng.uniform(0.3, 0.8), 0, 1)
    return cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 0.8)).astype(np.float32)


def lines(across: Array, period: float) -> Array:
    """Soft lines about a pixel wide, one a period."""
    return np.clip(1.6 - np.abs((across / period) % 1 - 0.5) * period / 0.7, 0, 1).astype(np.float32)


def emblems(rng: np.random.Generator, page: Array) -> Array:
    """A pale emblem all over a sheet, rings and letters, as on forms that shall not be copied."""
    h, w = page.shape[:2]
    mask = np.zeros((h, w), np.uint8)
    step, text = int(w / rng.uniform(3, 6)), "".join(rng.choice(list("ACEHKMRTVW"), 4))
    for k, y in enumerate(range(step // 2, h + step, step)):
        for x in range(step // 2 - (k % 2) * step // 2, w + step, step):
            cv2.circle(mask, (x, y), int(0.42 * step), 255, max(2, step // 22), cv2.LINE_AA)
            cv2.ellipse(
                mask, (x, y), (int(0.25 * step), int(0.32 * step)), 20, 0, 360, 160, max(2, step // 16), cv2.LINE_AA
            )
            scale = step / 150
            cv2.putText(
                mask, text, (x - int(0.26 * step), y + step // 12), 4, scale, 255, max(1, int(3 * scale)), cv2.LINE_AA
            )
    much = mask.astype(np.float32)[..., None] / 255 * rng.uniform(0.06, 0.2)
    return np.clip(page * (1 - much), 0, 255).astype(np.uint8)


# ---- what happens to a sheet


def ring(rng: np.random.Generator, page: Array) -> Array:
    """What a cup left: a brown ring with an uneven edge, sometimes broken, and drops around it."""
    h, w = page.shape[:2]
    y, x = np.mgrid[:h, :w].astype(np.float32)
    centre, radius = rng.uniform(0.1, 0.9, 2) * [w, h], min(h, w) * rng.uniform(0.09, 0.2)
    angle = np.arctan2(y - centre[1], x - centre[0])
    uneven = 1 + 0.02 * np.sin(3 * angle + rng.uniform(0, 6)) + 0.012 * np.sin(7 * angle + rng.uniform(0, 6))
    off = np.hypot(x - centre[0], y - centre[1]) / uneven - radius
    wide = radius * rng.uniform(0.03, 0.09)
    much = np.exp(-((off / wide) ** 2)) * np.clip(0.75 + 0.5 * np.sin(angle + rng.uniform(0, 6)), 0, 1)
    much += 0.22 * (off < 0)
    for _ in range(int(rng.integers(0, 5))):
        far, size, turn = radius * rng.uniform(1.1, 1.7), radius * rng.uniform(0.02, 0.08), rng.uniform(0, 6.28)
        drop = np.hypot(x - centre[0] - far * np.cos(turn), y - centre[1] - far * np.sin(turn)) - size
        much = np.maximum(much, np.clip(-drop / 2, 0, 1) * 0.7)
    taken = 1 - np.array([60, 105, 150], np.float32) / 255 * rng.uniform(0.4, 0.9)
    return np.clip(page * (1 - np.clip(much, 0, 1)[..., None] * (1 - taken)), 0, 255).astype(np.uint8)


def blots(rng: np.random.Generator, page: Array, free: Array, size: float, pen: Colour) -> Array:
    """Drops of ink where ``free`` bool [h, w] says that nothing is written."""
    h, w = page.shape[:2]
    out = page.astype(np.float32)
    for _ in range(int(rng.integers(2, 9))):
        radius = size * rng.uniform(0.12, 0.55)
        x, y = rng.uniform(0, w), rng.uniform(0, h)
        y0, y1, x0, x1 = (
            int(v) for v in (max(0, y - 2 * radius), y + 2 * radius, max(0, x - 2 * radius), x + 2 * radius)
        )
        if not free[y0:y1, x0:x1].all() or not free[y0:y1, x0:x1].size:
            continue
        yy, xx = np.mgrid[y0 : min(h, y1), x0 : min(w, x1)].astype(np.float32)
        angle = np.arctan2(yy - y, xx - x)
        edge = radius * (1 + 0.12 * np.sin(3 * angle + x) + 0.08 * np.sin(5 * angle + y))
        much = np.clip((edge - np.hypot(xx - x, yy - y)) / 1.5, 0, 1)[..., None] * rng.uniform(0.7, 1)
        part = out[y0:y1, x0:x1]
        part += (np.array(pen, np.float32) - part) * much
    return np.clip(out, 0, 255).astype(np.uint8)


def folded(rng: np.random.Generator, page: Array) -> Array:
    """Creases: along each the paper's light changes, and the edge itself is a light and a dark line."""
    h, w = page.shape[:2]
    y, x = np.mgrid[:h, :w].astype(np.float32)
    change = np.zeros((h, w), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        angle = rng.choice([0, np.pi / 2]) + rng.normal(0, 0.02)
        middle = rng.choice([1 / 3, 1 / 2, 2 / 3])
        off = (x - middle * w) * np.cos(angle) + (y - middle * h) * np.sin(angle) + rng.normal(0, 2)
        wide = rng.uniform(0.8, 2.2)
        change += rng.uniform(5, 16) * np.tanh(off / (12 * wide)) * np.exp(-np.abs(off) / (0.35 * min(h, w)))
        change -= rng.uniform(15, 60) * np.exp(-((off / wide) ** 2))
        change += rng.uniform(5, 20) * np.exp(-(((off - 2.5 * wide) / wide) ** 2))
    return added(page, change)


def crumpled(rng: np.random.Generator, page: Array) -> Array:
    """Paper that was a ball: many short sharp folds, on whose two sides the light differs."""
    h, w = page.shape[:2]
    small = 400
    y, x = np.mgrid[:small, :small].astype(np.float32)
    shade = 3 * cv2.resize(clouds(rng, 128, 128), (small, small), interpolation=cv2.INTER_CUBIC)
    for _ in range(int(rng.integers(90, 200))):
        middle, angle, length = rng.uniform(0, small, 2), rng.uniform(0, np.pi), small * rng.uniform(0.03, 0.2)
        bend = rng.normal(0, 0.2) * length
        along = (x - middle[0]) * np.cos(angle) + (y - middle[1]) * np.sin(angle)
        across = (y - middle[1]) * np.cos(angle) - (x - middle[0]) * np.sin(angle) - bend * (along / length) ** 2
        near = np.exp(-((along / length) ** 2)) * np.exp(-np.abs(across) / (0.16 * length))
        shade += rng.normal(0, 9) * np.tanh(across / 0.8) * near
    whole = cv2.resize(shade, (w, h), interpolation=cv2.INTER_CUBIC)
    return added(page, rng.uniform(0.7, 1.6) * whole)


def punched(rng: np.random.Generator, page: Array, ground: Colour) -> Array:
    """Two or four holes near the left edge, through which the ground shows."""
    h, w = page.shape[:2]
    out, n = page.copy(), int(rng.choice([2, 4]))
    radius, x = max(4, round(0.012 * max(h, w))), 0.03 * w
    for k in range(n):
        y = h * (0.5 + (k - (n - 1) / 2) * (0.27 if n == 2 else 0.2))
        cv2.circle(out, (round(x), round(y)), radius, ground, -1, cv2.LINE_AA)
        cv2.ellipse(
            out,
            (round(x), round(y)),
            (radius, radius),
            0,
            180,
            330,
            tuple(int(0.6 * c) for c in ground),
            1,
            cv2.LINE_AA,
        )
    return out


def through(rng: np.random.Generator, page: Array, back: Array, pen: Colour) -> Array:
    """What is written on the other side, mirrored, soft and faint. back: coverage uint8 [h, w]."""
    soft = cv2.GaussianBlur(back[:, ::-1], (0, 0), rng.uniform(1.0, 2.2)).astype(np.float32)[..., None] / 255
    much = soft * rng.uniform(0.07, 0.22)
    return np.clip(page + (np.array(pen, np.float32) - page) * much, 0, 255).astype(np.uint8)


# ---- the photograph


def shadow(rng: np.random.Generator, picture: Array) -> Array:
    """The shadow of a hand or of the telephone that takes the picture, from an edge of it."""
    h, w = picture.shape[:2]
    mask = np.zeros((240, 240), np.uint8)
    at, angle = rng.uniform(40, 200), rng.uniform(-25, 25)
    if rng.random() < 0.5:  # a hand: a palm, an arm and fingers
        cv2.ellipse(mask, ((at, 238), (78, 96), angle), 255, -1)
        for k in range(4):
            lean = np.deg2rad(angle + 9 * (k - 1.5))
            tip = at + 17 * (k - 1.5) + 62 * np.sin(lean), 205 - (62 + 9 * (k in (1, 2))) * np.cos(lean)
            cv2.line(mask, (round(at + 17 * (k - 1.5)), 205), (round(tip[0]), round(tip[1])), 255, 13)
    else:
        cv2.fillPoly(mask, [np.round(cv2.boxPoints(((at, 236), (80, 190), angle))).astype(np.int32)], 255)
    mask = np.ascontiguousarray(np.rot90(mask, int(rng.integers(4))))
    soft = cv2.GaussianBlur(mask, (0, 0), rng.uniform(2.5, 9)).astype(np.float32) / 255
    whole = cv2.resize(soft, (w, h), interpolation=cv2.INTER_CUBIC)[..., None]
    return np.clip(picture * (1 - rng.uniform(0.25, 0.5) * whole), 0, 255).astype(np.uint8)


def quad(corners: Array, h: int, w: int) -> Array:
    """A filled four-cornered shape, float32 [h, w], 0 to 1."""
    mask = np.zeros((h, w), np.uint8)
    cv2.fillConvexPoly(mask, np.round(corners * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


def lying(rng: np.random.Generator, sheet: Array, ground: Array, share: float) -> tuple[Array, Array]:
    """A sheet photographed where it lies, with its rim and the shadow under it, and the 3 x 3 matrix from sheet to picture.

    sheet, ground: uint8 [.., .., 3]; the picture is the ground's size. share: of the ground's sides that the sheet may fill.
    """
    (h, w), (high, wide) = sheet.shape[:2], ground.shape[:2]
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float64)
    angle = np.deg2rad(rng.normal(0, 5))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (corners - [w / 2, h / 2]) @ turn.T
    moved[[0, 1], 0] *= 1 - rng.uniform(0, 0.14)  # the far edge is shorter
    moved += rng.uniform(-0.025, 0.025, (4, 2)) * [w, h]
    extent = moved.max(0) - moved.min(0)
    moved = (moved - moved.min(0)) * share * min(wide / extent[0], high / extent[1])
    room = np.array([wide, high]) - moved.max(0)
    moved += room * rng.uniform(0.2, 0.8, 2)
    picture = ground.astype(np.float32)
    fall = quad(moved + rng.uniform(-0.008, 0.012, 2) * wide, high, wide)
    picture *= 1 - 0.5 * cv2.GaussianBlur(fall, (0, 0), max(2.0, 0.006 * wide))[..., None]
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), moved.astype(np.float32))
    warped = cv2.warpPerspective(sheet, matrix, (wide, high), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    mask = quad(moved, high, wide)[..., None]
    picture += (warped - picture) * mask
    rim = np.clip(mask - cv2.erode(mask, np.ones((3, 3)))[..., None], 0, 1)
    picture += rim * rng.uniform(-60, 25)
    return np.clip(picture, 0, 255).astype(np.uint8), matrix
