"""Who reads a page: the ink, cut into shapes, or the network that finds digits on it. The one place where that is decided.

Read by ``_read``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from lenet.reading.shapes.cells import find_grid, is_squared_paper
from lenet.reading.shapes.form import NO_DIGIT, digit_forms
from lenet.reading.shapes.glyphs import recognise
from lenet.reading.shapes.lines import find_rows
from lenet.reading.shapes.shape import Shape

__all__ = ["is_for_ink"]

Read = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

# So sure must so many of a page's shapes be digits for its ink to be read: as they are, or once what touches is cut.
SURELY, MOSTLY, NEARLY = 0.9, 0.6, 0.8
SAMPLE, PARTS = 150, (0.2, 0.5, 0.8)  # so many shapes tell, from these parts of a page's height
SEVERAL = 10  # shapes: fewer don't tell
CELLS = 6  # to write into: a page with so many is a form, a table or a sudoku


def is_for_ink(shapes: Sequence[Shape], rules: NDArray[np.uint8] | None, stroke: float, glance: Read) -> bool:
    """Whether a page is read by its ink: it has no cells, and most of its shapes are sure digits as they are, or nearly all
    when cut, or it has few.

    On such pages the ink does better, on forms, tables, sudokus and pages with words the page network (docs/decisions.md).
    Parts of the page stand for all its shapes. rules: uint8 [h, w]. stroke: the ink's width. glance: uint8 [N, 28, 28] to
    float32 [N, 11].
    """
    if _has_cells(shapes, rules):
        return False
    by_height = sorted(shapes, key=lambda shape: (shape.middle[1], shape.box))
    if len(by_height) > SAMPLE:
        each = SAMPLE // len(PARTS)
        starts = [round(part * len(by_height)) - each // 2 for part in PARTS]
        rows = [row for start in starts for row in find_rows(by_height[start : start + each])]
    else:
        rows = find_rows(shapes)
    levels = [shape.level for row in rows for shape in row.bodies]
    if len(levels) < SEVERAL or _sure(glance(digit_forms(levels))) >= MOSTLY:
        return True
    glyphs = recognise(rows, glance, stroke)
    answers = [glyph.probabilities for one in glyphs for glyph in one if glyph.probabilities is not None]
    return bool(answers) and _sure(np.stack(answers)) >= NEARLY


def _has_cells(shapes: Sequence[Shape], rules: NDArray[np.uint8] | None) -> bool:
    """Whether rules part several cells to write into; the squares of squared paper are none."""
    grid = find_grid(rules)
    if grid is None or len(grid.boxes) < CELLS:
        return False
    rows = find_rows(shapes)
    return not is_squared_paper(grid, rows, [row.bodies for row in rows])


def _sure(answers: NDArray[np.float32]) -> float:
    """The share of shapes [n, 11] that are sure digits."""
    return float((answers[:, :NO_DIGIT].max(axis=1) > SURELY).mean())
