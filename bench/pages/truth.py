"""A page and what stands on it. Read by whatever draws pages (``generator``, ``everyday``); scored by ``score``.

The truth is {"level", "width", "height", "size", "matrix", "lines": [{"text", "box", "straight", "digits": [{"label", "box"}]}],
"digits", "neighbours", "touching"}; boxes are x0, y0, x1, y1 in the picture's pixels, ``straight`` in those of the upright
sheet, ``matrix`` leads from the sheet to the picture, and ``size`` is a digit's height on the sheet. A page with print on it
also has "optional", the boxes of printed digits: in a line's text they stand in round brackets, may be read or not, and
belong to nobody's digits. One whose numbers have other signs than points, commas and minuses has "signs".
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bench.pages.glyphs import Array
from bench.pages.layout import Box, Sheet


class Page(NamedTuple):
    """image: uint8 [H, W, 3], RGB. truth: as the file's head says."""

    image: Array
    truth: dict[str, Any]


def made(level: str, image: Array, sheet: Sheet, matrix: Array | None = None) -> Page:
    """The page and its truth, boxes carried over by the matrix."""
    matrix = np.eye(3) if matrix is None else matrix
    lines = [
        {
            "text": line.text,
            "box": carried(line.box, matrix),
            "straight": list(line.box),
            "digits": [{"label": d["label"], "box": carried(d["box"], matrix)} for d in line.digits],
        }
        for line in sheet.lines
    ]
    height, width = image.shape[:2]
    truth = {"level": level, "width": width, "height": height, "size": round(sheet.size, 1), "matrix": matrix.tolist()}
    counts = {"digits": sheet.digits, "neighbours": sheet.neighbours, "touching": sheet.touching}
    return Page(image, {**truth, "lines": lines, **counts})


def carried(box: Box, matrix: Array) -> list[int]:
    """The upright box around a box that went through a 3 x 3 matrix."""
    x0, y0, x1, y1 = box
    corners = np.array([[x0, y0, 1], [x1, y0, 1], [x1, y1, 1], [x0, y1, 1]]) @ np.asarray(matrix).T
    points = corners[:, :2] / corners[:, 2:]
    low, high = np.floor(points.min(0) + 1e-6), np.ceil(points.max(0) - 1e-6)
    return [int(low[0]), int(low[1]), int(high[0]), int(high[1])]
