"""Rules of another colour than the pen's: which ink is whose where they meet, so that no stroke goes with a rule.

It finds no rules; where they ran is told by clean.py, which alone reads it. Where rule and pen have one colour, nothing is
changed; nor is it where what would be left is so little of the page's writing that it can't be the pen: then a dark margin,
a sheet's rim or a coloured block was taken for one of the two.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet.reading.ink.find import Ink
from lenet.reading.ink.paper import F32, U8

__all__ = ["part_inks"]

LEAST_APART = 40.0  # so far apart in colour, of 200 for black on white, are a rule and a pen that are told apart by it
UNLIKE = 0.35  # of what is least like a rule in colour, a tenth left out: from there ink is the pen's
CELLS, WIPED = (
    8,
    0.35,
)  # the page in so many cells each way; a pen left in a smaller share of those with writing is none
SURELY = 10.0  # in the same units, by so much nearer to a rule's colour than to a pen's is what belongs to the rule


def part_inks(ink: Ink, mask: U8, line: U8, thickness: float, at: tuple[int, int]) -> U8:
    """The level, and in place the mask, where rules of another colour than the pen's ran; as they are if it is the same.

    There ink is what is nearer to the pen's colour than to any mixture of the rules' colour with paper. line: as clean.py
    finds it, 1 where nothing crossed them, 2 where something did, its corner ``at`` y, x of the page. thickness: theirs.
    """
    import cv2

    h, w = line.shape
    part = slice(at[0], at[0] + h), slice(at[1], at[1] + w)
    level, found = ink.level[part], mask[part]
    wide = cv2.dilate(line, np.ones((3, 3), np.uint8))
    rest = found & (wide == 0)
    strong = level >= 200
    places = [np.nonzero(some) for some in ((line == 1) & strong, (rest > 0) & strong)]
    if min(len(y) for y, _ in places) < 50:
        return ink.level
    lines, other = (_difference(ink, y + at[0], x + at[1]) for y, x in (_some(place) for place in places))
    # A thin rule's pixels are mixtures with paper: its colour is that of the strongest.
    strength = np.linalg.norm(lines, axis=1)
    rule = _middle(lines[strength >= np.quantile(strength, 0.7)])
    # Between close lines much is their soft edges: the pen's colour is that of what is least like theirs.
    unlike = _from_mixture(other, rule[0])
    pen = _middle(other[unlike >= UNLIKE * np.quantile(unlike, 0.9)])
    apart = float(np.linalg.norm(rule[0] - pen[0]))
    between = _from_mixture(pen[0][None], rule[0])[0]
    if between < max(LEAST_APART, 2 * (rule[1] + pen[1])) or apart == 0:
        return ink.level
    before = found.copy()
    y, x = np.nonzero(wide)
    colour = _difference(ink, y + at[0], x + at[1])
    to_pen, to_rule = np.linalg.norm(colour - pen[0], axis=1), _from_mixture(colour, rule[0])
    share = to_rule / np.maximum(to_rule + to_pen, 1e-3)
    soft = np.clip(255 * (2 * share - 0.5), 0, 255).astype(np.uint8)
    out = ink.level.copy()
    out[part][y, x] = soft
    found[y, x] = soft >= 128
    # Remains of broken rules: pieces that are mostly nearer to mixtures of the rules' colour with paper than to the pen's.
    labels = cv2.connectedComponents(found, connectivity=8, ltype=cv2.CV_32S)[1]
    y, x = np.nonzero(found)
    colour, piece = _difference(ink, y + at[0], x + at[1]), labels[y, x]
    alike = _from_mixture(colour, pen[0]) > _from_mixture(colour, rule[0]) + SURELY
    weight = np.einsum("nc,nc->n", colour, colour)  # the soft edges of a piece say little of its colour
    of_rule = np.bincount(piece, weight * alike) > 0.5 * np.bincount(piece, weight)
    # Paler rules of the pen's own hue: pieces as thin as they, and hardly a pixel of which has the pen's strength.
    strong = np.linalg.norm(colour - pen[0], axis=1) < _from_mixture(colour, rule[0])
    solid = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((int(thickness) + 2,) * 2, np.uint8))[y, x]
    of_rule |= (np.bincount(piece, strong) < 0.05 * np.bincount(piece)) & (np.bincount(piece, solid) == 0)
    if of_rule.any():
        found[of_rule[labels]] = 0
    if _wipes(before, found, wide, thickness):
        found[:] = before
        return ink.level
    return out


def _wipes(before: U8, after: U8, wide: U8, thickness: float) -> bool:
    """Whether most of the writing away from the rules would go: what is left isn't spread over the page as writing was."""
    import cv2

    rest = ((before > 0) & (wide == 0)).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(rest, connectivity=8, ltype=cv2.CV_32S)
    w, h = stats[:, 2], stats[:, 3]
    written = (np.maximum(w, h) >= max(4 * thickness, 12)) & (np.minimum(w, h) > 1.5 * thickness)
    written &= (h < 0.15 * rest.shape[0]) & (w < 0.15 * rest.shape[1])
    written[0] = False
    writing = written[labels]

    def in_cells(some: NDArray[np.bool_]) -> NDArray[np.int64]:
        rows = np.array_split(some, CELLS)
        return np.array([np.count_nonzero(part) for row in rows for part in np.array_split(row, CELLS, axis=1)])

    had, has = in_cells(writing), in_cells(writing & (after > 0))
    there = had >= max(20.0, 4 * thickness * thickness)
    return bool(np.count_nonzero(there & (has >= 0.3 * had)) < WIPED * np.count_nonzero(there))


def _some(place: tuple[NDArray[np.intp], ...]) -> tuple[NDArray[np.intp], ...]:
    step = max(1, len(place[0]) // 4000)
    return tuple(part[::step] for part in place)


def _difference(ink: Ink, y: NDArray[np.intp], x: NDArray[np.intp]) -> F32:
    """How the colours at some places differ from the paper's, float32 [n, 3], as under an even light."""
    assert ink.picture is not None
    assert ink.paper is not None
    h, w = ink.mask.shape
    paper = ink.paper[y * ink.paper.shape[0] // h, x * ink.paper.shape[1] // w]
    difference: F32 = (ink.picture[y, x] - paper) * (200 / np.maximum(paper.mean(axis=1, keepdims=True), 50))
    return difference


def _middle(colours: F32) -> tuple[F32, float]:
    """The median of colours [n, 3], and how far most are from it."""
    middle = np.median(colours, axis=0)
    return middle, float(np.median(np.linalg.norm(colours - middle, axis=1)))


def _from_mixture(colours: F32, rule: F32) -> F32:
    """How far colours [n, 3] are from the nearest mixture of a rule's with paper, which is 0: [n]."""
    share = np.clip(colours @ rule / max(float(rule @ rule), 1e-6), 0, 1)
    distance: F32 = np.linalg.norm(colours - share[:, None] * rule, axis=1)
    return distance
