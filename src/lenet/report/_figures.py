"""Figures and pictures as parts of an HTML page: SVG that follows the page's theme, PNG inside the address.

It knows neither what a figure shows nor where it goes. Read by ``_page`` and ``_sections``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lenet.html.document import text as html_text
from lenet.plots import _style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["picture", "svg"]

_VARIABLES = {
    _style.INK: "var(--ink)",
    _style.PAPER: "var(--paper)",
    _style.SOFT: "var(--soft)",
    _style.LINE: "var(--line)",
    _style.BLUE: "var(--blue)",
    _style.ORANGE: "var(--orange)",
}
_DROPPED = re.compile(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", re.DOTALL)
_OPENING = re.compile(r'<svg[^>]*viewBox="([^"]*)"[^>]*>')
_TILE, _PHONE = 112, 84  # a picture's longer side on the page, in CSS pixels: three of the latter fit across a phone
_MOST = 112  # pixels of a picture's longer side in the file


def svg(figure: Figure, name: str, text: str) -> str:
    """A figure as an <svg> element in the page's colours. name: no other figure's of the page; text: the alternative."""
    drawn = _DROPPED.sub("", _style.rendered(figure, "svg", facecolor="none").decode())
    opening = _OPENING.search(drawn)
    assert opening is not None  # matplotlib's own form
    head = f'<svg role="img" aria-label="{html_text(text, 1000)}" viewBox="{opening[1]}">'
    # Inside the tags alone: a class may be called #0072b2 or id="x".
    body = re.sub(r"<[^>]*>", lambda tag: _themed(tag[0], name), drawn[opening.end() :])
    return head + re.sub(r">\s+<", "><", body).strip()


def _themed(tag: str, name: str) -> str:
    tag = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", tag)
    return re.sub(r"#[0-9a-f]{6}", lambda colour: _VARIABLES.get(colour[0], colour[0]), tag)


def picture(image: NDArray[np.uint8], text: str) -> str:
    """One image, uint8 [H, W] or [H, W, 3], as an <img> whose pixels stay pixels. text: what stands in for it."""
    from base64 import b64encode
    from io import BytesIO

    from PIL import Image

    shown = Image.fromarray(image)
    if max(shown.size) > _MOST:
        shown.thumbnail((_MOST, _MOST))
    buffer = BytesIO()
    shown.save(buffer, "PNG", optimize=True)
    scale, small = (
        max(1, round(side / max(shown.size))) for side in (_TILE, _PHONE)
    )  # whole: all pixels equally large
    wide, high = shown.width * scale, shown.height * scale
    address = f"data:image/png;base64,{b64encode(buffer.getvalue()).decode()}"
    style = f"--small: {shown.width * small}px"
    return f'<img width="{wide}" height="{high}" style="{style}" alt="{html_text(text, 1000)}" src="{address}">'
