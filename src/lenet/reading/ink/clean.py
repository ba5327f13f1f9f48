"""Takes out of a page's ink what nobody wrote: rules, grids, boxes, frames and specks.

A rule is a long thin straight run of ink along the page's axes (straighten.py comes first), or a shorter one both of whose
ends stand on others: the side of a box. What crosses a rule stays: only runs no thicker than the rule are taken. Doodles
and letters are ink like any other; the reader rejects those. Read by read.py and by training.

Source: openings with straight elements, Serra, "Image Analysis and Mathematical Morphology" (1982).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lenet.reading.ink.bars import take_bars, take_boxes
from lenet.reading.ink.find import SINGLE, Ink, stroke_width
from lenet.reading.ink.paper import U8
from lenet.reading.ink.two_inks import part_inks

__all__ = ["clean"]

I32 = NDArray[np.int32]

LONG = 0.25  # a straight run over this share of the page is a rule by itself
PALE = 170  # the level that no piece of a rule reaches which is much paler than the writing beside it
CROSSING = 4.0  # of the shortest run looked at: from there what crosses two rules is one
LONGER = 1.6  # than most of the writing is high, is a rule
STRIP, BASE = 1.3, 0.7  # a small picture so much wider than high may have a base line, over so much of its width
MOST_RUNS = 3000  # with more straight runs than this the picture is no form, and only long ones are rules


def clean(ink: Ink) -> Ink:
    """The same ink without rules, boxes, frames and specks; level is 0 where they were. A copy where any went.

    Strokes that cross or touch a rule stay whole; one that lies along a rule, no thicker than it, goes with it.
    """
    import cv2

    if not ink.mask.any():
        return ink
    mask = ink.mask.astype(np.uint8)
    small = max(mask.shape) <= SINGLE
    if small:
        _frame(mask)
    x, y, w, h = cv2.boundingRect(mask)
    inked = mask[y : y + h, x : x + w]
    if inked.size:  # a small picture's frame may have been all of it
        line, thickness = _rules(inked, ink.stroke, mask.shape)
        rules = np.zeros(mask.shape, np.uint8)
        ran = rules[y : y + h, x : x + w]
        if line is not None:
            ran[line > 0] = 1
        if not small:
            ran |= take_boxes(inked, ink.stroke)
            if line is not None:
                ran |= take_bars(inked, line, thickness, ink.stroke)
        if ran.any():
            ink = replace(ink, rules=rules)
        if line is not None and ink.picture is not None and ink.paper is not None:
            ink = replace(ink, level=part_inks(ink, mask, line, thickness, (y, x)))
        if line is not None and not small:
            _remains(inked, ink.level[y : y + h, x : x + w], thickness)
        _pieces(inked, _stroke(ink.level, mask), small)
    if ink.rules is None and np.array_equal(mask, ink.mask.view(np.uint8)):
        return ink
    level = _level_of(ink.level, mask)
    return replace(ink, level=level, mask=mask.view(bool), stroke=stroke_width(level, mask.view(bool)))


def _level_of(level: U8, mask: U8) -> U8:
    """The level on the mask and one pixel around it: the soft edges of what is left."""
    import cv2

    return cv2.multiply(level, cv2.dilate(mask, np.ones((3, 3), np.uint8)))


def _stroke(level: U8, mask: U8) -> float:
    import cv2

    return stroke_width(cv2.multiply(level, mask), mask.view(bool))


# --- The frame of a small picture --------------------------------------------------------------------------------------


def _frame(mask: U8) -> None:
    """Clears the rows and columns at the border that are all ink, up to a fifth of the picture on each side."""
    h, w = mask.shape
    most = max(1, int(0.2 * min(h, w)))
    if np.count_nonzero(mask[0]) > 0.9 * w:
        mask[: _full(mask, most)] = 0
    if np.count_nonzero(mask[-1]) > 0.9 * w:
        mask[h - _full(mask[::-1], most) :] = 0
    for side in (mask.T, mask.T[::-1]):
        if np.count_nonzero(side[0]) > 0.75 * h:  # the corners may have gone with the rows
            side[: _full(side, most, 0.75)] = 0


def _full(mask: U8, most: int, share: float = 0.9) -> int:
    """How many of the first rows are all ink; 0 if more than ``most``: then it is no frame."""
    full = mask[: most + 1].mean(axis=1) > share
    count = int(np.argmin(full)) if not full.all() else len(full)
    return count if count <= most else 0


# --- Rules and boxes -------------------------------------------------------------------------------------------------------


@dataclass
class _Runs:
    """Straight runs of ink along one axis. labels: int32 [h, w], 0 none; box: int32 [n, 4], x0 y0 x1 y1 of each.

    thick: float [n], their mean thickness; kept: bool [n].
    """

    labels: I32
    box: I32
    thick: NDArray[np.float64]
    kept: NDArray[np.bool_]

    def turned(self) -> _Runs:
        """The same with x and y exchanged."""
        return _Runs(self.labels.T, self.box[:, [1, 0, 3, 2]], self.thick, self.kept)

    def thickness(self) -> float:
        """The median thickness of those kept; 0 if none is."""
        return float(np.median(self.thick[self.kept])) if self.kept.any() else 0.0


def _rules(mask: U8, stroke: float, page: tuple[int, ...]) -> tuple[U8 | None, float]:
    """Clears rules and boxes in place, on the inked part of a page of that shape. Gives where they ran, None if nowhere:
    1 where nothing crossed them, 2 where something did; and how thick they are."""
    import cv2

    h, w = page
    small = max(h, w) <= SINGLE
    # The shortest run looked at: longer than a digit's straight strokes, shorter than the side of a box around it.
    shortest = int(max(0.55 * min(h, w) if small else max(h, w) / 50, 4 * stroke, 12))
    across, down = _opened(mask, shortest), _opened(mask.T, shortest)
    is_strip = small and w > STRIP * h
    if not (across.any() and down.any()) and small and not is_strip:
        return None, 0.0  # in a small picture nothing goes but closed frames, and in a strip the line it was written on
    runs_across = _runs(across, w, stroke)
    runs_down = _runs(down, h, stroke).turned()
    if not small:
        _drop_strokes((runs_across, runs_down), mask, stroke, page)
        _keep_crossing(runs_across, runs_down, CROSSING * shortest)
        _keep_in_line(runs_across, 0)
        _keep_in_line(runs_down, 1)
    _keep_joined(runs_across, runs_down, small)
    if is_strip:
        runs_across.kept |= np.isfinite(runs_across.thick) & (runs_across.box[:, 2] - runs_across.box[:, 0] >= BASE * w)
    if not (runs_across.kept.any() or runs_down.kept.any()):
        return None, 0.0
    line_across, taken_across = _taken(mask, runs_across)
    line_down, taken_down = (part.T for part in _taken(mask.T, runs_down.turned()))
    line: U8 = 2 * (line_across | line_down)
    line[(taken_across | taken_down) > 0] = 1
    mask -= line & 1
    # Where rules cross, each looked like a stroke through the other: such a patch stays only if a stroke is there too.
    patch = line_across & line_down & mask
    if patch.any():
        rest = mask - patch
        reach = 2 * int(max(runs_across.thickness(), runs_down.thickness())) + 1
        mask[:] = rest | (patch & cv2.dilate(rest, np.ones((reach, reach), np.uint8)))
    return line, max(runs_across.thickness(), runs_down.thickness())


def _remains(mask: U8, level: U8, thickness: float) -> None:
    """Clears in place what is left of pale rules beside dark writing: ink no thicker than they, away from all full ink.

    There a rule is ink here and paper there, as its pixels lie, and no run of it is long.
    """
    import cv2

    side = int(thickness) + 2
    full = _open(mask, np.ones((side, side), np.uint8))
    full[(mask > 0) & (level >= PALE)] = 1
    mask[cv2.dilate(full, np.ones((5, 5), np.uint8)) == 0] = 0


def _open(mask: U8, kernel: U8) -> U8:
    """The opening, with paper beyond the edge: OpenCV's own default takes a run that touches it for endless."""
    import cv2

    return cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)


def _opened(mask: U8, shortest: int) -> U8:
    """Runs along x of at least ``shortest``; those of three times that by themselves, cut loose from the digits they touch."""
    import cv2

    mask = np.ascontiguousarray(mask)
    runs = _open(mask, np.ones((1, shortest), np.uint8))
    if not runs.any():
        return runs
    long = _open(runs, np.ones((1, 3 * shortest), np.uint8))
    return cv2.bitwise_or(long, cv2.subtract(runs, cv2.dilate(long, np.ones((3, 1), np.uint8))))


def _taken(mask: U8, runs: _Runs) -> tuple[U8, U8]:
    """The ink on kept runs along x, a pixel wider than they, and the part of it that no stroke crosses."""
    import cv2

    mask = np.ascontiguousarray(mask)
    if not runs.kept.any():
        return np.zeros_like(mask), np.zeros_like(mask)
    line, taken = np.zeros_like(mask), np.zeros_like(mask)
    # A form's bold rules are no strokes across its fine ones.
    through = np.where(runs.kept, 1.5 * np.maximum(runs.thick, runs.thickness()) + 3, 0).astype(np.int32)
    for length in np.unique(through[runs.kept]):
        some = cv2.dilate(_selected(runs, through == length), np.ones((3, 1), np.uint8)) & mask
        line |= some
        taken |= cv2.subtract(some, _open(mask, np.ones((length, 1), np.uint8)))
    for n in np.flatnonzero(runs.kept):
        # A run that is mostly crossed is a slice of something thick: the straight side of a large digit.
        x0, y0, x1, y1 = runs.box[n]
        part = slice(y0, y1), slice(x0, x1)
        own = runs.labels[part] == n
        if np.count_nonzero(taken[part][own]) < 0.4 * np.count_nonzero(own):
            around = slice(max(y0 - 1, 0), y1 + 1), part[1]
            taken[around] = line[around] = 0
            runs.kept[n] = False
    return line, taken


def _runs(opened: U8, length: int, stroke: float) -> _Runs:
    """The runs along x in an opened mask [h, w], pieces on one line joined over short gaps; kept are those that are long."""
    import cv2

    if not opened.any():
        return _Runs(np.zeros(opened.shape, np.int32), np.zeros((0, 4), np.int32), np.zeros(0), np.zeros(0, bool))
    joined = cv2.morphologyEx(np.ascontiguousarray(opened), cv2.MORPH_CLOSE, np.ones((1, 9), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8, ltype=cv2.CV_32S)
    x, y, w, h, area = stats.T
    box = np.stack([x, y, x + w, y + h], axis=1)
    thick = area / np.maximum(w, 1)
    thin = (thick < np.maximum(1.6 * stroke + 2, 4)) & (thick < 0.15 * w)
    kept = thin & (w >= LONG * length)
    box[0], thick[0], kept[0] = 0, np.inf, False
    return _Runs(np.asarray(labels, np.int32), box, np.where(thin, thick, np.inf), kept)


def _drop_strokes(families: tuple[_Runs, _Runs], mask: U8, stroke: float, page: tuple[int, ...]) -> None:
    """Keeps no longer what is long for a small page, but not for the writing on it: the stems of large digits."""
    import cv2

    lengths = [(runs.box[:, 2 + i] - runs.box[:, i]) * runs.kept for i, runs in enumerate(families)]
    if not any(((length > 0) & (length < 0.75 * page[1 - i])).any() for i, length in enumerate(lengths)):
        return
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
    w, h, area = stats[1:, 2:].T
    shapes = np.flatnonzero((h > 2 * stroke) & (h < 0.75 * page[0]) & (w < 0.75 * page[1]))
    if not len(shapes):
        return
    order = shapes[np.argsort(h[shapes])]
    total = np.cumsum(area[order])
    height = h[order[np.searchsorted(total, total[-1] / 2)]]
    for runs, length in zip(families, lengths, strict=True):
        runs.kept &= length >= LONGER * height


def _keep_crossing(across: _Runs, down: _Runs, least: float) -> None:
    """Also keeps the runs at least so long that cross two kept ones, about as thin, of the other axis: pieces of a broken or bent
    rule."""
    found = []
    for i, (runs, other) in enumerate(((across, down), (down, across))):
        x0, y0, x1, y1 = (runs.box[:, None, k] for k in range(4))
        left, top, right, bottom = other.box[other.kept].T
        crossed = (x0 < right) & (left < x1) & (y0 < bottom) & (top < y1)
        crossed &= runs.thick[:, None] <= 1.5 * other.thick[other.kept] + 1.5
        long = runs.box[:, 2 + i] - runs.box[:, i] >= least
        found.append(np.isfinite(runs.thick) & long & (crossed.sum(axis=1) > 1))
    across.kept |= found[0]
    down.kept |= found[1]


def _keep_in_line(runs: _Runs, axis: int) -> None:
    """Also keeps the runs in line with kept ones of the same axis, about as thin: ends of broken rules."""
    low, high = runs.box[:, 1 - axis], runs.box[:, 3 - axis]
    middle = (low + high)[:, None] / 2
    in_line = (middle > low[runs.kept] - 1) & (middle < high[runs.kept] + 1)
    in_line &= runs.thick[:, None] <= 1.5 * runs.thick[runs.kept] + 1
    runs.kept |= in_line.any(axis=1)


def _keep_joined(across: _Runs, down: _Runs, small: bool) -> None:
    """Also keeps the shorter thin runs that stand with both ends on kept ones of the other axis: sides of boxes and cells.

    All thin runs are supposed kept; those with a loose end fall, until none does. In a small picture, where a digit's own
    strokes are long, nothing is kept but such closed frames.
    """
    families = (across, down)
    long = [runs.kept.copy() for runs in families]
    if sum(len(runs.box) for runs in families) > MOST_RUNS:
        return
    if small:
        long = [np.zeros_like(some) for some in long]
    ends: list[list[tuple[NDArray[np.int32], NDArray[np.int32]]]] = []
    for i, runs in enumerate(families):
        runs.kept = np.isfinite(runs.thick)
        other = families[1 - i]
        ends.append([_ends(box, thick, other, i) if ok else _NOTHING
                     for box, thick, ok in zip(runs.box, runs.thick, runs.kept, strict=True)])  # fmt: skip
    falling = True
    while falling:
        falling = False
        for i, runs in enumerate(families):
            other = families[1 - i]
            for n in np.flatnonzero(runs.kept & ~long[i]):
                one, two = ends[i][n]
                if not (other.kept[one].any() and other.kept[two].any()):
                    runs.kept[n] = False
                    falling = True


_NOTHING = (np.zeros(0, np.int32), np.zeros(0, np.int32))


def _ends(box: I32, thick: float, other: _Runs, axis: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The labels of the other axis' runs, about as thin, at both ends of a run."""
    x0, y0, x1, y1 = (int(n) for n in box)
    reach = int(thick) + 3
    if axis == 0:
        places = ((y0 - reach, y1 + reach, x0 - reach, x0 + reach), (y0 - reach, y1 + reach, x1 - reach, x1 + reach))
    else:
        places = ((y0 - reach, y0 + reach, x0 - reach, x1 + reach), (y1 - reach, y1 + reach, x0 - reach, x1 + reach))
    found = []
    for top, bottom, left, right in places:
        labels = np.unique(other.labels[max(top, 0) : bottom, max(left, 0) : right])
        labels = labels[labels > 0]
        found.append(labels[thick <= 1.5 * other.thick[labels] + 1.5])
    return found[0], found[1]


def _selected(runs: _Runs, which: NDArray[np.bool_]) -> U8:
    """Where some of the runs are: uint8 [h, w] of 0 and 1."""
    out = np.zeros(runs.labels.shape, np.uint8)
    for n in np.flatnonzero(which):
        x0, y0, x1, y1 = runs.box[n]
        out[y0:y1, x0:x1] |= runs.labels[y0:y1, x0:x1] == n
    return out


# --- Pieces --------------------------------------------------------------------------------------------------------------------


def _pieces(mask: U8, stroke: float, small: bool) -> None:
    """Clears specks in place: pieces with less area than half a dot as wide as a stroke, and dots far from any writing."""
    import cv2

    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
    x, y, w, h, area = stats[1:].T
    square = stroke * stroke
    drop = area < (max(0.3 * square, 2) if small else max(0.5 * square, 6))
    if not small:
        near = np.zeros_like(mask)
        reach = int(5 * stroke)
        for n in np.flatnonzero(area >= 4 * square):
            near[max(y[n] - reach, 0) : y[n] + h[n] + reach, max(x[n] - reach, 0) : x[n] + w[n] + reach] = 1
        drop |= (area < 2 * square) & (near[y + h // 2, x + w // 2] == 0)
    if not drop.any() or (small and drop.all()):  # a tiny digit is no speck where it is all there is
        return
    mask *= np.concatenate([[0], ~drop]).astype(np.uint8)[labels]
