"""A glyph normalised to MNIST's *form*: in, a crop of ink as it lies on the page; out, 28 x 28 as the network knows it.

MNIST's own recipe (LeCun, Cortes and Burges): the ink's box is scaled to 20 pixels on its longer side, its aspect kept,
and laid into 28 x 28 with its centre of mass in the middle. Here strokes far thinner or thicker than MNIST's are brought
nearer to them too, and faint ones to full ink. It judges nothing: a letter, a dot or half a digit gets the same
treatment. Read by ``_read`` and by ``training``, which shows the network nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lenet.messages.check import describe, message

__all__ = ["BOX", "NO_DIGIT", "SIZE", "digit_form", "digit_forms"]

SIZE, BOX = 28, 20  # of MNIST's images, and of the ink's box in them
NO_DIGIT = 10  # the network's answer, beside the digits, to a form that is none
INK = 40  # of 255: fainter pixels at a glyph's edge do not widen its box

_FINE = 2  # strokes are measured and changed at twice MNIST's resolution
_SIDE = BOX * _FINE
_MARGIN = 4  # around the box at that resolution: what is measured there must end in paper
# The strokes left alone, in pixels of MNIST, where they have 2.57 on average and a standard deviation of 0.61.
_THIN, _THICK = 2.0, 3.2
_THICKEN, _THINNER = 0.8, 0.5  # a stroke's edges move by so much at most, in MNIST's pixels
_GENTLY = 0.6  # the share of a thick stroke's excess that is taken off
_MIDDLE = SIZE / 2 + 0.5  # where MNIST has the centre of mass: the middle of pixel 14, counted from 0
_RIDGE, _GAIN = 245.0, 4.0  # the ink along the middle of MNIST's strokes; a faint glyph's is raised by so much at most

_AT_ONCE = 64  # glyphs measured together: their floats stay in the cache

Levels = NDArray[np.uint8]


def digit_form(level: Levels) -> Levels:
    """One crop of ink uint8 [h, w] (0 paper, 255 full ink, of any size and margin) as uint8 [28, 28]; paper gives zeros."""
    return digit_forms([level])[0]


def digit_forms(levels: Sequence[Levels]) -> Levels:
    """N crops, each as ``digit_form`` takes it, as uint8 [N, 28, 28]. TypeError or ValueError for other arrays."""
    parts = [_some_forms(levels[start : start + _AT_ONCE]) for start in range(0, len(levels), _AT_ONCE)]
    return np.concatenate(parts) if parts else np.zeros((0, SIZE, SIZE), np.uint8)


def _some_forms(levels: Sequence[Levels]) -> Levels:
    import cv2

    glyphs = [_inked(level) for level in levels]
    forms = np.zeros((len(glyphs), SIZE * _FINE, SIZE * _FINE), np.uint8)
    fine = np.zeros((len(glyphs), _SIDE + 2 * _MARGIN, _SIDE + 2 * _MARGIN), np.uint8)
    for place, glyph in zip(fine, glyphs, strict=True):
        if glyph is not None:
            _lay(place, _scaled(glyph, _SIDE))
    gain, width = _ink_and_width(_halved(fine))
    move = _moves(width)
    for i, glyph in enumerate(glyphs):
        if glyph is None:
            continue
        if move[i]:  # anew from the page, so much smaller or larger that the changed strokes fill the box
            fine[i] = 0
            _lay(fine[i], _scaled(glyph, _SIDE - 2 * move[i]))
        if gain[i] > 1:
            cv2.convertScaleAbs(fine[i], dst=fine[i], alpha=float(gain[i]))
        if move[i]:
            fine[i] = _moved(fine[i], move[i])
        _centre(forms[i], fine[i])
    return _halved(forms)


def _halved(images: Levels) -> Levels:
    """Images [N, 2 H, 2 W] as [N, H, W], each pixel the mean of four; N > 0."""
    import cv2

    n, h, w = images.shape
    small = cv2.resize(images.reshape(n * h, w), (w // _FINE, n * h // _FINE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8).reshape(n, h // _FINE, w // _FINE)


def _inked(level: Levels) -> Levels | None:
    """The box around a crop's ink; None where there is none."""
    import cv2

    if not isinstance(level, np.ndarray) or level.dtype != np.uint8 or level.ndim != 2:
        raise TypeError(message("crop", describe(level), "an array of uint8 [h, w], 0 for paper and 255 for ink"))
    if not level.size:
        return None
    most = int(level.max())
    if most < INK:
        return None
    x, y, w, h = cv2.boundingRect(cv2.threshold(level, min(INK, most // 3), 255, cv2.THRESH_BINARY)[1])
    return level[y : y + h, x : x + w]


def _scaled(glyph: Levels, side: float) -> Levels:
    """Resized to ``side`` pixels on the longer side: areas averaged on the way down, smooth on the way up."""
    import cv2

    h, w = glyph.shape
    scale = side / max(h, w)
    size = max(1, round(w * scale)), max(1, round(h * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(glyph, size, interpolation=how), np.uint8)


def _lay(place: Levels, glyph: Levels) -> None:
    """Copy a glyph into the middle of a larger square."""
    h, w = glyph.shape
    y, x = (place.shape[0] - h) // 2, (place.shape[1] - w) // 2
    place[y : y + h, x : x + w] = glyph


def _ink_and_width(glyphs: Levels) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """For glyphs [N, H, W] that end in paper: by what to multiply each for full ink, and its strokes' width in pixels.

    A stroke of length L and width w has area L w and two edges of length L; edges of any softness are measured by the
    total variation, so w is twice the area over that. Both [N]; of an empty image 1 and 0.
    """
    x = glyphs.astype(np.float32)
    down, across = x[:, 1:, 1:] - x[:, :-1, :-1], x[:, 1:, :-1] - x[:, :-1, 1:]
    down *= down
    across *= across
    down += across
    area, edges = x.sum(axis=(1, 2)), np.sqrt(down, out=down).sum(axis=(1, 2)) * np.float32(0.5**0.5)
    inner = x[:, 1:-1, 1:-1]
    highest = np.maximum(x[:, :-2, 1:-1], x[:, 2:, 1:-1])  # of a pixel and its neighbours: the ridge beside an edge
    for other in (inner, x[:, 1:-1, :-2], x[:, 1:-1, 2:]):
        np.maximum(highest, other, out=highest)
    ridge = np.einsum("nhw,nhw->n", highest, inner) / np.maximum(area, 1)
    return np.clip(_RIDGE / np.maximum(ridge, 1), 1, _GAIN), 2 * area / np.maximum(edges, 1)


def _moves(width: NDArray[np.float32]) -> NDArray[np.float32]:
    """By how many fine pixels the strokes' edges are to move outward (negative: inward): 0 within MNIST's usual widths."""
    thicker = np.clip((_THIN - width) / 2, 0, _THICKEN)
    thinner = np.clip(_GENTLY * (width - _THICK) / 2, 0, _THINNER)
    moves: NDArray[np.float32] = _FINE * np.where(width < _THIN, thicker, -thinner)
    return moves


def _moved(fine: Levels, by: float) -> Levels:
    """A glyph's edges moved outward by a fraction of a pixel or a few: two whole steps mixed."""
    import cv2

    change = cv2.dilate if by > 0 else cv2.erode
    whole, part = divmod(abs(by), 1.0)

    def step(radius: int) -> Levels:
        return np.asarray(change(fine, _DISCS[radius]), np.uint8) if radius else fine

    mixed = cv2.addWeighted(step(int(whole)), 1 - part, step(int(whole) + 1), part, 0)
    return np.asarray(mixed, np.uint8)


def _disc(radius: int) -> Levels:
    """A structuring element."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return (x * x + y * y <= (radius + 0.5) ** 2).astype(np.uint8)


_DISCS = [_disc(radius) for radius in range(4)]


def _centre(form: Levels, fine: Levels) -> None:
    """Lay a glyph so that its centre of mass is the middle, as far as it then still fits; in whole pixels of MNIST's."""
    import cv2

    x, y, w, h = cv2.boundingRect(fine)
    if not w:
        return
    glyph = fine[y : y + h, x : x + w]
    found = cv2.moments(glyph)
    middle = _MIDDLE * _FINE

    def start(centre: float, length: int) -> int:
        whole = round((middle - centre) / _FINE) * _FINE
        return min(max(whole, 0), SIZE * _FINE - length)

    left, top = (start(found[m] / found["m00"] + 0.5, n) for m, n in (("m10", w), ("m01", h)))
    form[top : top + h, left : left + w] = glyph
