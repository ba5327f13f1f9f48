"""Where shapes stand by themselves: in a form's or a table's cells, at a rule of their own, in a column of a list.

What stands so is no part of a sentence, and is judged alone by ``belief``. All lengths are in working pixels. It knows no
digit. Read by ``_read``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.reading.shapes.lines import Row, outline
from lenet.reading.shapes.shape import Box, Shape, typical_height

__all__ = ["Grid", "Place", "find_grid", "has_cells", "places"]

SQUARE = 1.6  # width over height: of a box for one digit at most
SHARED = 0.7  # of the smaller side: so much of it neighbours share
ROOM = 1.1  # of the digits' height: a cell into which they are written is at least so high
MANY, MOSTLY_EMPTY = 200, 0.25  # more cells, fewer of them filled: the squares of the paper
GAPS = 9  # pixels: rules broken over so much still close a cell
MOST_AREA = 0.3  # of the page: a larger region between rules is no cell
WITHIN = 0.6  # of a shape's box, so much of it lies in its cell
SAME = 1 / 3  # of a cell's usual width, or height: cells that begin so near to each other are of one column, or row
MOST_SHAPES, MOST_ROWS = 8, 6  # of one row in a cell, and heights of its digits; more is a text in a frame
APART = 1.5  # heights: what is so far from all others of its row is no part of their words
FEW = 6  # shapes that stand together far from others; more is a sentence
NEAR_RULE, OVER_RULE = 1.2, 0.6  # heights from the shapes to a rule that runs over or under so much of their width
BODY = 0.45  # of the height of most: lower shapes are specks and signs
SEVERAL = 3  # cells: a page with so many is a form, a table or a sudoku
TOOTH, TEETH = 0.8, 4  # of the writing's height, so high are a comb's teeth at least, and so many of them there are
COLUMN = 3  # rows at least that have a lone group at the same place make a column


class Place(NamedTuple):
    """Where a shape stands.

    kind: "cell", "rule", "column", or "" for running text. group: shapes of one group of a row stand together. cell: the number
    of the cell of the grid that the shape is in, -1 for none. column: that of a list's or a table's column, -1 for none.
    """

    kind: str = ""
    group: int = 0
    cell: int = -1
    column: int = -1


class Grid:
    """The cells of a page. boxes: of their insides. labels: int32 [h, w], a cell's number plus 1 where it is, else 0."""

    def __init__(self, boxes: Sequence[Box], labels: NDArray[np.int32]) -> None:
        self.boxes, self.labels = list(boxes), labels

    def cell_of(self, box: Box) -> int:
        """The number of the cell in which most of a box lies; -1 for none."""
        x0, y0, x1, y1 = box
        inside = self.labels[y0:y1, x0:x1]
        counts = np.bincount(inside.ravel(), minlength=1)
        counts[0] = 0
        best = int(counts.argmax())
        return best - 1 if best and counts[best] > WITHIN * inside.size else -1

    def strips(self) -> list[int]:
        """For each cell the first of the strip of boxes for one digit each in which it stands, else itself.

        Such boxes are about as wide as high and stand side by side, with no other cells over or under them.
        """
        edges = np.array(self.boxes)
        x0, y0, x1, y1 = edges.T
        wide, high = x1 - x0, y1 - y0
        across = np.minimum(x1, x1[:, None]) - np.maximum(x0, x0[:, None]) > SHARED * np.minimum(wide, wide[:, None])
        down = np.minimum(y1, y1[:, None]) - np.maximum(y0, y0[:, None]) > SHARED * np.minimum(high, high[:, None])
        below = across & (np.abs(y0 - y1[:, None]) <= 2 * GAPS)
        single = (wide < SQUARE * high) & ~(below | below.T).any(axis=1)
        beside = down & (np.abs(x0 - x1[:, None]) <= 2 * GAPS) & single & single[:, None]
        first = list(range(len(edges)))
        for cell in np.argsort(x0, kind="stable").tolist():
            for after in np.flatnonzero(beside[cell]).tolist():
                first[after] = first[cell]
        return first

    def columns(self) -> list[int]:
        """For each cell the column of the page in which it begins, from 0 at the left."""
        return self._ranks(0)

    def rows(self) -> list[list[int]]:
        """The cells of each row, from top to bottom, each row from left to right."""
        rows: dict[int, list[int]] = {}
        for cell, row in enumerate(self._ranks(1)):
            rows.setdefault(row, []).append(cell)
        return [sorted(rows[row], key=lambda cell: self.boxes[cell][0]) for row in sorted(rows)]

    def _ranks(self, axis: int) -> list[int]:
        """For each cell the rank of where it begins along an axis; cells that begin at about the same place share one."""
        starts = np.array([box[axis] for box in self.boxes])
        usual = float(np.median([box[axis + 2] - box[axis] for box in self.boxes]))
        order = np.argsort(starts, kind="stable")
        ranks = np.empty(len(starts), np.int64)
        ranks[order] = np.cumsum(np.diff(starts[order], prepend=starts[order[0]]) > SAME * usual)
        return [int(rank) for rank in ranks]


def find_grid(rules: NDArray[np.uint8] | None) -> Grid | None:
    """The closed cells between rules uint8 [h, w], those that may hold a number by their size; None without any."""
    import cv2

    if rules is None or not rules.any():
        return None
    closed = cv2.morphologyEx(rules, cv2.MORPH_CLOSE, np.ones((GAPS, GAPS), np.uint8))
    _, found, stats, _ = cv2.connectedComponentsWithStats(1 - closed, connectivity=4, ltype=cv2.CV_32S)
    h, w = closed.shape
    x, y, wide, high, area = stats.T
    kept = (x > 0) & (y > 0) & (x + wide < w) & (y + high < h) & (area < MOST_AREA * h * w)
    kept &= np.minimum(wide, high) > GAPS
    kept[0] = False
    if not kept.any():
        return None
    number = np.zeros(len(kept), np.int32)
    number[kept] = 1 + np.arange(np.count_nonzero(kept))
    boxes = [(int(a), int(b), int(a + c), int(b + d)) for a, b, c, d, _ in stats[kept]]
    return Grid(boxes, number[found])


def has_cells(rules: NDArray[np.uint8] | None, shapes: Sequence[Shape]) -> bool:
    """Whether rules uint8 [h, w] part places to write into: cells, as on a form, or combs, whose boxes are open at the top.

    The squares of squared paper are none, and neither are lines to write on.
    """
    if rules is None:
        return False
    height, grid = typical_height(shapes), find_grid(rules)
    if grid is None or len(grid.boxes) < SEVERAL:
        return grid is None and _has_combs(rules, height)
    bodies = [shape for shape in shapes if shape.height >= BODY * height]
    return not _is_squared_paper(grid, [shape.height for shape in bodies], bodies)


def _has_combs(rules: NDArray[np.uint8], height: float) -> bool:
    """Whether many upright rules about as high as the writing stand on the page, and not many more that run across it."""
    import cv2

    upright = cv2.erode(rules, np.ones((max(5, int(TOOTH * height)), 1), np.uint8))
    across = cv2.erode(rules, np.ones((1, max(5, int(3 * height))), np.uint8))
    stats = cv2.connectedComponentsWithStats(cv2.dilate(upright, np.ones((3, 3), np.uint8)), connectivity=8)[2][1:]
    teeth = int(np.count_nonzero(stats[:, 3] >= 2 * stats[:, 2]))
    return teeth >= TEETH and teeth >= (cv2.connectedComponents(across)[0] - 1) / 3


def places(
    rows: Sequence[Row], shapes: Sequence[Sequence[Shape]], rules: NDArray[np.uint8] | None, grid: Grid | None
) -> list[list[Place]]:
    """For the shapes of each row that are no signs, from left to right, where each stands."""
    found = [[Place()] * len(some) for some in shapes]
    heights = [row.height for row, some in zip(rows, shapes, strict=True) for _ in some]
    if grid is not None and not _is_squared_paper(grid, heights, [shape for some in shapes for shape in some]):
        _in_cells(found, rows, shapes, grid)
    lone: dict[bool, list[tuple[int, int, int, Box]]] = {True: [], False: []}  # row, first, last + 1, box
    group = 1 + max((place.group for some in found for place in some), default=0)
    for r, (row, some) in enumerate(zip(rows, shapes, strict=True)):
        cells = Counter(place.cell for place in found[r])
        for first, last in _together([shape.box for shape in some], APART * row.height):
            own = found[r][first:last]
            inside = Counter(place.cell for place in own if place.cell >= 0)
            if last - first > FEW or own[0].kind:
                continue
            box = outline([shape.box for shape in some[first:last]])
            # A letter far from others of its cell is still of their words, unless it is one of a column.
            alone = all(cells[cell] == n for cell, n in inside.items())
            if alone and rules is not None and _at_rule(box, rules, row.height):
                found[r][first:last] = [place._replace(kind="rule", group=group) for place in own]
                group += 1
            else:
                lone[alone].append((r, first, last, box))
    first_free = 1 + max((place.column for some in found for place in some), default=-1)
    for column, members in enumerate(_in_columns(lone[True], rows) + _in_columns(lone[False], rows), first_free):
        for r, first, last, _ in members:
            own = found[r][first:last]
            found[r][first:last] = [place._replace(kind="column", group=group, column=column) for place in own]
            group += 1
    return found


def _is_squared_paper(grid: Grid, heights: Sequence[float], shapes: Sequence[Shape]) -> bool:
    """Whether cells are the paper's own squares: too low to write into, or very many and mostly empty.

    heights: of the digits in each shape's row.
    """
    high = float(np.median([box[3] - box[1] for box in grid.boxes]))
    if not heights or high < ROOM * float(np.median(heights)):
        return True
    filled = {grid.cell_of(shape.box) for shape in shapes}
    return len(grid.boxes) > MANY and len(filled) < MOSTLY_EMPTY * len(grid.boxes)


def _in_cells(found: list[list[Place]], rows: Sequence[Row], shapes: Sequence[Sequence[Shape]], grid: Grid) -> None:
    """Gives their cell to shapes, in place; of a row that has few of them in a low cell they stand by themselves."""
    own = [[grid.cell_of(shape.box) for shape in some] for some in shapes]
    strips, columns = grid.strips(), grid.columns()
    full = {column for column, n in Counter(columns).items() if n >= COLUMN}
    for r, (row, some) in enumerate(zip(rows, own, strict=True)):
        counts = Counter(some)
        for i, cell in enumerate(some):
            if cell < 0:
                continue
            _, y0, _, y1 = grid.boxes[cell]
            fits = counts[cell] <= MOST_SHAPES and y1 - y0 <= MOST_ROWS * row.height
            column = columns[cell] if columns[cell] in full else -1
            found[r][i] = Place("cell", strips[cell] + 1, cell, column) if fits else Place(cell=cell)


def _together(boxes: Sequence[Box], apart: float) -> list[tuple[int, int]]:
    """Runs (first, last + 1) of boxes with no gap of so many pixels."""
    if not boxes:
        return []
    ends = [i for i in range(1, len(boxes)) if boxes[i][0] - boxes[i - 1][2] >= apart]
    return list(zip([0, *ends], [*ends, len(boxes)], strict=True))


def _at_rule(box: Box, rules: NDArray[np.uint8], height: float) -> bool:
    """Whether a rule runs close over or under a box."""
    x0, y0, x1, y1 = box
    reach = int(NEAR_RULE * height)
    over, under = rules[max(y0 - reach, 0) : max(y0, 1), x0:x1], rules[min(y1, len(rules) - 1) : y1 + reach, x0:x1]
    return bool(max(over.any(axis=0).mean(), under.any(axis=0).mean()) > OVER_RULE)


def _in_columns(
    lone: Sequence[tuple[int, int, int, Box]], rows: Sequence[Row]
) -> list[list[tuple[int, int, int, Box]]]:
    """Of groups (row, first, last + 1, box) those that stand above one another in several rows."""
    columns: list[list[tuple[int, int, int, Box]]] = []
    for one in sorted(lone, key=lambda group: ((group[3][0] + group[3][2]) / 2, group[0])):
        middle, near = (one[3][0] + one[3][2]) / 2, rows[one[0]].height
        last = columns[-1][-1][3] if columns else (0, 0, 0, 0)
        if columns and middle - (last[0] + last[2]) / 2 < near:
            columns[-1].append(one)
        else:
            columns.append([one])
    return [column for column in columns if len({one[0] for one in column}) >= COLUMN]
