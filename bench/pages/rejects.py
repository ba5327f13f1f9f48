"""What holds no digit: letters, clothes, noise and scribbles as single images, and pages that look like photographs.

Nothing is downloaded for it: photographs are drawn, or pasted together from Fashion-MNIST.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np

from bench.pages import fonts, glyphs
from bench.pages.glyphs import Array
from lenet.train.data import load, load_test


@functools.lru_cache(maxsize=2)
def clothes(split: str) -> Array:
    """Fashion-MNIST uint8 [N, 28, 28]: its test images for ``test``, its last 5,000 training images for ``validation``."""
    if split == "test":
        return load_test("fashion-mnist")[1].images[:, 0]
    return load("fashion-mnist").train.images[-5000:, 0]


def single(split: str, n: int, seed: int = 0) -> dict[str, list[Array]]:
    """n images of each kind, uint8 grey of 28 x 28 to 96 x 96, half of them dark on light: letters, clothes, noise, scribbles."""
    rng = np.random.default_rng([seed, 3, split == "test"])
    faces = fonts.files(split)
    made: dict[str, list[Array]] = {"letters": [], "clothes": [], "noise": [], "scribbles": []}
    able = [(face, letter) for face in faces for letter in fonts.LETTERS if fonts.draws(face)(letter)]
    images = clothes(split)
    for i in range(n):
        side = int(rng.integers(28, 97))
        face, letter = able[int(rng.integers(len(able)))]
        made["letters"].append(placed(rng, glyphs.word(letter, face, side * rng.uniform(0.5, 0.8))[0], side))
        one = images[int(rng.integers(len(images)))]
        made["clothes"].append(cv2.resize(one, (side, side), interpolation=cv2.INTER_CUBIC) if i % 2 else one)
        made["noise"].append(static(rng, side))
        mark = glyphs.scribble(rng, int(side * rng.uniform(0.5, 0.85)), side * rng.uniform(0.04, 0.11))
        made["scribbles"].append(placed(rng, mark, side))
    flip = rng.random((4, n)) < 0.5
    return {
        kind: [255 - image if flip[k, i] else image for i, image in enumerate(ones)]
        for k, (kind, ones) in enumerate(made.items())
    }


def placed(rng: np.random.Generator, mark: Array, side: int) -> Array:
    """A mark near the middle of a black square; made smaller if it doesn't fit."""
    longest = max(mark.shape)
    if longest > 0.9 * side:
        scale = 0.9 * side / longest
        size = max(1, round(mark.shape[1] * scale)), max(1, round(mark.shape[0] * scale))
        mark = cv2.resize(mark, size, interpolation=cv2.INTER_AREA)
    out = np.zeros((side, side), np.uint8)
    room = np.array([side, side]) - mark.shape
    top, left = np.clip(room / 2 + rng.normal(0, 0.04 * side, 2), 0, room).astype(int)
    out[top : top + mark.shape[0], left : left + mark.shape[1]] = mark
    return out


def static(rng: np.random.Generator, side: int) -> Array:
    """Noise: of single pixels, of clouds, or sparse."""
    kind = rng.integers(3)
    if kind == 0:
        return rng.integers(0, 256, (side, side), dtype=np.uint8)
    if kind == 1:
        clouds = cv2.GaussianBlur(
            rng.standard_normal((side, side)).astype(np.float32), (0, 0), side * rng.uniform(0.03, 0.1)
        )
        return cv2.normalize(clouds, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    return np.where(rng.random((side, side)) < 0.08, 255, 0).astype(np.uint8)


def photo(rng: np.random.Generator, shape: tuple[int, int], split: str) -> Array:
    """Something like a photograph, uint8 [H, W, 3]: a view of hills, things on a table, or clothes side by side."""
    h, w = shape
    kind = rng.integers(3)
    if kind == 0:
        image = hills(rng, h, w)
    elif kind == 1:
        image = things(rng, h, w)
    else:
        image = wardrobe(rng, h, w, split)
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.6, 1.6))
    grain = rng.normal(0, rng.uniform(2, 8), (h, w, 3)).astype(np.float32)
    return np.clip(image + grain, 0, 255).astype(np.uint8)


def clouds(rng: np.random.Generator, h: int, w: int) -> Array:
    """Noise of many scales, float [h, w], about 0 with deviation about 1: texture."""
    out = np.zeros((h, w), np.float32)
    for octave in range(2, 8):
        cells = 2**octave
        small = rng.standard_normal((cells, cells)).astype(np.float32) / 1.6 ** (octave - 2)
        out += cv2.resize(small, (w, h), interpolation=cv2.INTER_CUBIC)
    return out / max(1e-6, float(out.std()))


def hills(rng: np.random.Generator, h: int, w: int) -> Array:
    """Sky, and ranges of hills one before the other, each with its texture; some trees."""
    top, bottom = rng.uniform(80, 230, 3), rng.uniform(150, 255, 3)
    slope = np.linspace(0, 1, h, dtype=np.float32)[:, None, None]
    image = np.broadcast_to(top + (bottom - top) * slope, (h, w, 3)).astype(np.float32)
    image = image + 12 * clouds(rng, h, w)[..., None]
    x = np.arange(w)
    for k in range(int(rng.integers(2, 6))):
        turns = rng.uniform(0.5, 3, 4) * 2 * np.pi / w
        crest = h * (0.35 + 0.13 * k) + sum(
            h * 0.03 * np.sin(f * x + p) for f, p in zip(turns, rng.uniform(0, 6, 4), strict=True)
        )
        below = np.arange(h)[:, None] > crest
        colour = rng.uniform(20, 160, 3) + 18 * clouds(rng, h, w)[..., None]
        image = np.where(below[..., None], colour, image)
        for _ in range(int(rng.integers(0, 12))):
            at = int(rng.integers(0, w))
            base = (at, int(min(h - 1, crest[at] + rng.uniform(0, 60))))
            tall = int(rng.integers(20, 140))
            image = np.ascontiguousarray(image, dtype=np.float32)
            cv2.line(image, base, (at, base[1] - tall), (40, 30, 25), max(1, tall // 12))
            cv2.circle(image, (at, base[1] - tall), tall // 3, tuple(rng.uniform(20, 120, 3).tolist()), -1)
    return np.clip(image, 0, 255).astype(np.uint8)


def things(rng: np.random.Generator, h: int, w: int) -> Array:
    """A textured table with plates, boxes and books lying on it, shaded."""
    grainy = cv2.resize(clouds(rng, 256, 256), (w, h * 3), interpolation=cv2.INTER_LINEAR)[:h]  # stretched: wood
    image = np.clip(rng.uniform(60, 200, 3) + 14 * grainy[..., None], 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(5, 25))):
        centre = int(rng.integers(0, w)), int(rng.integers(0, h))
        colour, edge = (tuple((rng.integers(0, 140) + rng.integers(0, 110, 3)).tolist()) for _ in range(2))
        size = rng.uniform(0.03, 0.2, 2) * min(h, w)
        angle = float(rng.uniform(0, 180))
        if rng.random() < 0.5:
            axes = int(size[0]), int(size[1])
            cv2.ellipse(image, centre, axes, angle, 0, 360, colour, -1, cv2.LINE_AA)
            cv2.ellipse(image, centre, axes, angle, 0, 360, edge, int(rng.integers(1, 8)), cv2.LINE_AA)
        else:
            corners = cv2.boxPoints((centre, (2 * size[0], 2 * size[1]), angle)).astype(np.int32)
            cv2.fillPoly(image, [corners], colour, cv2.LINE_AA)
            cv2.polylines(image, [corners], True, edge, int(rng.integers(1, 8)), cv2.LINE_AA)
    shade = 1 + 0.12 * clouds(rng, h // 8, w // 8)
    shade = cv2.GaussianBlur(cv2.resize(shade, (w, h)), (0, 0), 25)
    return np.clip(image * shade[..., None], 0, 255).astype(np.uint8)


def wardrobe(rng: np.random.Generator, h: int, w: int, split: str) -> Array:
    """Fashion-MNIST's clothes, enlarged and tinted, scattered over a plain ground."""
    light = rng.random() < 0.7
    image = np.full((h, w, 3), rng.uniform(200, 255, 3) if light else rng.uniform(0, 60, 3), np.uint8)
    images = clothes(split)
    side = int(rng.integers(60, 220))
    for top in range(side // 6, h - side, side + side // 5):
        for left in range(side // 6, w - side, side + side // 5):
            one = cv2.resize(images[int(rng.integers(len(images)))], (side, side), interpolation=cv2.INTER_CUBIC)
            much = np.clip(one.astype(np.float32) * 6, 0, 255)[..., None] / 255  # where there is cloth
            colour = rng.uniform(0.2, 1, 3) * one[..., None]
            under = image[top : top + side, left : left + side]
            under[:] = (under * (1 - much) + colour * much).astype(np.uint8)
    return image
