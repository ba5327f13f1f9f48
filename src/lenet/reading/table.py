"""A ruled table's lines: a number a cell, empty cells kept, so that each number stays in its column.

It sees numbers and the cells they stand in. Read by ``_read``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lenet.reading.page import TAB, Box, Line, Number
from lenet.reading.shapes.cells import Grid
from lenet.reading.shapes.lines import outline

__all__ = ["table_lines"]


def table_lines(
    rows: Sequence[Sequence[tuple[Number, int]]], grid: Grid, on_page: Callable[[Box], Box]
) -> tuple[Line, ...]:
    """Rows of (number, its cell or -1) as lines from top to bottom: one for each row of cells that holds a number.

    on_page: a cell's box in pixels of the page. What stands in no cell makes lines of its own.
    """
    lines: list[tuple[float, Line]] = []
    inside: dict[int, list[Number]] = {}
    for row in rows:
        free = [number for number, cell in row if cell < 0]
        if free:
            box = outline([number.box for number in free])
            lines.append((_middle(box), Line(tuple(free), box, TAB)))
        for number, cell in row:
            if cell >= 0:
                inside.setdefault(cell, []).append(number)
    columns = grid.columns()
    for cells in grid.rows():
        if not any(cell in inside for cell in cells):
            continue
        box = outline([on_page(grid.boxes[cell]) for cell in cells])
        parts: list[list[int]] = [[] for _ in range(1 + max(columns))]
        for cell in cells:
            parts[columns[cell]].append(cell)
        line = [_cell(some, inside, grid, on_page) for some in parts]
        lines.append((_middle(box), Line(tuple(line), box, TAB)))
    return tuple(line for _, line in sorted(lines, key=lambda one: one[0]))


def _cell(cells: Sequence[int], inside: dict[int, list[Number]], grid: Grid, on_page: Callable[[Box], Box]) -> Number:
    """What stands in the cells that begin in one column of a row, mostly one: a number, several as one, or none."""
    numbers = [number for cell in cells for number in inside.get(cell, [])]
    if len(numbers) == 1:
        return numbers[0]
    boxes = [number.box for number in numbers] or [on_page(grid.boxes[cell]) for cell in cells]
    digits = tuple(digit for number in numbers for digit in number.digits)
    return Number(" ".join(number.text for number in numbers), digits, outline(boxes) if boxes else (0, 0, 0, 0))


def _middle(box: Box) -> float:
    return (box[1] + box[3]) / 2
