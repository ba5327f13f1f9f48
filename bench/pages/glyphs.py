"""What is drawn in ink: MNIST's digits at any size, words in handwriting fonts, doodles and scribbles.

Everything is coverage, uint8 [h, w]: 0 nothing, 255 full ink. Where it goes is ``layout``'s business.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from bench.pages import fonts
from lenet.train.data import load, load_test, split

Array = np.ndarray[Any, Any]
HELD = 1 / 12  # the share of MNIST's training images that every recipe holds out: 5,000
BOX = 20  # MNIST's digits fill a box of this many pixels


class Glyphs(NamedTuple):
    """Images uint8 [N, 28, 28], light on dark, and labels int64 [N]."""

    images: Array
    labels: Array


@functools.lru_cache(maxsize=4)
def mnist(part: str) -> Glyphs:
    """``validation``: the 5,000 held-out training images; ``test``: the 10,000 test images. No page is made of others."""
    if part == "test":
        test = load_test("mnist")[1]
        return Glyphs(test.images[:, 0], test.labels)
    if part != "validation":
        raise ValueError(f"part: {part!r}, expected validation or test")
    train = load("mnist").train
    held = split(train.labels, HELD)[1]
    return Glyphs(train.images[held, 0], train.labels[held])


def cut(image: Array) -> Array:
    """The image's inked rectangle; all of it if there is no ink."""
    rows, columns = np.flatnonzero(image.max(axis=1) > 40), np.flatnonzero(image.max(axis=0) > 40)
    if not len(rows):
        return image
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def digit(image: Array, height: float, threshold: float = 0.45) -> Array:
    """A glyph as a pen would have drawn it where MNIST's box of 20 pixels is ``height`` pixels high, cut to its ink.

    threshold: which grey of the enlarged glyph is its edge; the higher, the thinner the stroke. 0.3 to 0.6.
    """
    inked = np.pad(cut(image), 2)
    scale = height / BOX
    size = max(3, round(inked.shape[1] * scale)), max(3, round(inked.shape[0] * scale))
    if scale <= 1:
        return cut(cv2.resize(inked, size, interpolation=cv2.INTER_AREA))
    large = cv2.resize(inked, size, interpolation=cv2.INTER_CUBIC).astype(np.float32) / 255
    large = cv2.GaussianBlur(large, (0, 0), 0.45 * scale)  # takes the steps of MNIST's own pixels out
    edge = np.clip((large - threshold) * max(1.0, 1.2 * scale) + 0.5, 0, 1)  # about a pixel wide at every size
    return cut((255 * edge).astype(np.uint8))


def word(text: str, file: Path, height: float) -> tuple[Array, int]:
    """A word whose capitals are about ``height`` pixels high, cut to its ink, and how much of it is above the base line."""
    face = fonts.font(file, round(height))
    mask, (_, top) = face.getmask2(text, mode="L", anchor="ls")
    whole = np.asarray(mask, np.uint8).reshape(mask.size[1], mask.size[0])
    rows = np.flatnonzero(whole.max(axis=1, initial=0) > 40)
    return cut(whole), -top - (int(rows[0]) if len(rows) else 0)


def strokes(lines: list[Array], side: int, thickness: float) -> Array:
    """Curves through points float [n, 2] in 0..1, drawn in a square of ``side`` pixels; cut to its ink."""
    canvas = np.zeros((side + 8, side + 8), np.uint8)
    points = [np.round((line * side + 4) * 16).astype(np.int32)[:, None] for line in lines]
    cv2.polylines(canvas, points, False, 255, max(1, round(thickness)), cv2.LINE_AA, 4)
    return cut(canvas)


def curve(points: Array, steps: int = 200) -> Array:
    """A smooth line through points [n, 2]: Catmull and Rom's spline."""
    ends = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    at = np.linspace(0, len(points) - 1 - 1e-9, steps)
    k = at.astype(int)
    t = (at - k)[:, None]
    a, b, c, d = (ends[k + i] for i in range(4))
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)


def scribble(rng: np.random.Generator, side: int, thickness: float) -> Array:
    """A pen moved to and fro: one to three curves of many turns."""
    lines = [curve(rng.uniform(0, 1, (int(rng.integers(7, 15)), 2))) for _ in range(rng.integers(1, 4))]
    return strokes(lines, side, thickness)


def doodle(rng: np.random.Generator, side: int, thickness: float) -> Array:
    """One of the things that people draw in margins; none that could be meant as a digit."""
    t = np.linspace(0, 1, 240)[:, None]
    turn = 2 * np.pi * t
    around = np.concatenate([np.cos(turn), np.sin(turn)], axis=1)
    kind = rng.integers(8)
    if kind == 0:  # a spiral of several turns
        spiral = np.concatenate([np.cos(turn * 4), np.sin(turn * 4)], axis=1)
        lines = [0.5 + 0.5 * t * spiral]
    elif kind == 1:  # a star in one line
        corners = np.arange(6) * 4 * np.pi / 5 + rng.uniform(0, 1)
        lines = [0.5 + 0.5 * np.stack([np.sin(corners), -np.cos(corners)], axis=1)]
    elif kind == 2:  # a flower
        lines = [0.5 + 0.5 * np.cos(turn * 5) * around, 0.5 + 0.12 * around]
    elif kind == 3:  # a zigzag
        x = np.linspace(0, 1, int(rng.integers(7, 12)))
        lines = [np.stack([x, 0.35 + 0.3 * (np.arange(len(x)) % 2)], axis=1)]
    elif kind == 4:  # a house
        wall = [[0.15, 0.45], [0.15, 1], [0.85, 1], [0.85, 0.45], [0.5, 0.05], [0.15, 0.45], [0.85, 0.45]]
        lines = [np.array(wall), np.array([[0.4, 1], [0.4, 0.65], [0.6, 0.65], [0.6, 1]])]
    elif kind == 5:  # a smiling face
        mouth = 0.5 + 0.28 * np.stack([np.cos(np.pi * t[:, 0]), np.sin(np.pi * t[:, 0])], axis=1)
        eyes = [np.array([[x, 0.32], [x, 0.42]]) for x in (0.35, 0.65)]
        lines = [0.5 + 0.5 * around, mouth, *eyes]
    elif kind == 6:  # an arrow
        lines = [np.array([[0, 0.5], [1, 0.5]]), np.array([[0.75, 0.3], [1, 0.5], [0.75, 0.7]])]
    else:
        return scribble(rng, side, thickness)
    angle = rng.uniform(-0.3, 0.3)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    wobble = [rng.normal(0, 0.012, line.shape) if len(line) < 20 else 0 for line in lines]
    return strokes([(line - 0.5 + w) @ matrix + 0.5 for line, w in zip(lines, wobble, strict=True)], side, thickness)
