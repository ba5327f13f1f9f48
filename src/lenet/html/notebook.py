"""Small pieces of HTML that a notebook shows for an object: tables, thumbnails, boxes on a page.

They are parts, without a style of their own but for what keeps them readable. Read by every ``_repr_html_``.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["boxes", "escape", "line", "table", "thumbnails"]


def escape(text: str) -> str:
    """Plain text, fit for HTML."""
    import html  # slow to import, and needed in notebooks alone

    return html.escape(text)


def line(text: str) -> str:
    """A paragraph of plain text."""
    return f"<p>{escape(text)}</p>"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table of texts and numbers."""
    first = "".join(f"<th>{escape(str(name))}</th>" for name in head)
    rest = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{first}</tr></thead><tbody>{rest}</tbody></table>"


def thumbnails(images: Iterable[NDArray[np.uint8]], labels: Iterable[str], side: int = 56) -> str:
    """Images uint8 [H, W] or [H, W, 3] in a row, each with its label below; ``side`` screen pixels high."""
    cells = []
    for image, label in zip(images, labels, strict=True):
        import base64

        from PIL import Image

        file = io.BytesIO()
        Image.fromarray(image).save(file, "PNG")
        source = base64.b64encode(file.getvalue()).decode()
        style = f"height:{side}px;image-rendering:pixelated"
        picture = f'<img alt="{escape(label)}" src="data:image/png;base64,{source}" style="{style}">'
        cells.append(
            f'<figure style="margin:0 6px 6px 0;text-align:center">{picture}<figcaption>{escape(label)}</figcaption></figure>'
        )
    return f'<div style="display:flex;flex-wrap:wrap">{"".join(cells)}</div>'


def boxes(width: int, height: int, found: Iterable[tuple[tuple[int, int, int, int], str, str]]) -> str:
    """Rectangles (x0, y0, x1, y1) of a page of width x height, each with a text and a colour; 600 screen pixels at most."""
    parts = []
    for (x0, y0, x1, y1), text, colour in found:
        size = max(y1 - y0, 1)
        parts.append(
            f'<rect x="{x0}" y="{y0}" width="{x1 - x0}" height="{y1 - y0}" fill="none" stroke="{colour}" '
            f'vector-effect="non-scaling-stroke"/><text x="{(x0 + x1) / 2}" y="{y1 - 0.15 * size}" font-size="{size}" '
            f'text-anchor="middle" fill="{colour}">{escape(text)}</text>'
        )
    style = f"width:100%;max-width:{min(width, 600)}px;border:1px solid #888"
    return f'<svg viewBox="0 0 {width} {height}" style="{style}" role="img">{"".join(parts)}</svg>'
