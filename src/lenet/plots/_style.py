"""What all figures share: colours, type, how a figure comes to be and how it is written. No chart is drawn here.

Everything is set for one figure at a time: a user's own matplotlib settings stay as they are. Read by the other files of
this package, and by ``report``, which puts its themes' colours in the place of these.
"""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lenet.disk.write import atomic_write
from lenet.messages.check import installing, message

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "BLUE",
    "GREEN",
    "INK",
    "LINE",
    "ORANGE",
    "PAPER",
    "PINK",
    "SOFT",
    "look",
    "name_text",
    "new",
    "rendered",
    "save",
]

# Okabe and Ito's colours, told apart by colour-blind people; orange and pink darkened to be read on white.
INK, SOFT, LINE, PAPER = "#1b1f24", "#57606a", "#d0d7de", "#ffffff"
BLUE, ORANGE, GREEN, PINK = "#0072b2", "#c24e00", "#00795a", "#a8497f"

_FORMATS = (".png", ".svg", ".pdf")
# Class names may be in any script: the first of these that a machine has draws what DejaVu Sans lacks.
_OTHER_SCRIPTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans",
    "Noto Sans",
)


def needed() -> Any:
    """matplotlib; ImportError that says what to type if it isn't there. Ask before the work that a picture crowns."""
    try:
        import matplotlib
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        text = message("pictures", "no matplotlib", "matplotlib 3.8 or later", installing("plots", "matplotlib"))
        raise ModuleNotFoundError(text, name="matplotlib") from None
    return matplotlib


@contextmanager
def look(size: float = 11.0) -> Iterator[None]:
    """Within it figures are made, and written, in our style. size: of text, in points."""
    matplotlib = needed()
    from matplotlib import font_manager

    known = {font.name for font in font_manager.fontManager.ttflist}
    settings = {
        "font.family": ["DejaVu Sans", *[name for name in _OTHER_SCRIPTS if name in known][:1]],
        "font.size": size,
        "axes.titlesize": size,
        "axes.labelsize": size,
        "axes.labelcolor": INK,
        "axes.edgecolor": SOFT,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.facecolor": "none",
        "axes.unicode_minus": True,
        "axes.formatter.useoffset": False,
        "grid.color": LINE,
        "grid.linewidth": 0.6,
        "figure.constrained_layout.h_pad": 0.08,
        "figure.constrained_layout.w_pad": 0.08,
        "figure.facecolor": PAPER,
        "legend.frameon": False,
        "legend.fontsize": size,
        "lines.linewidth": 1.6,
        "text.color": INK,
        "text.parse_math": False,  # a class may be called $a$
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.labelsize": size,
        "ytick.labelsize": size,
        "svg.fonttype": "none",
        "svg.hashsalt": "lenet",  # the same figure, the same bytes
    }
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from", category=UserWarning)
        yield


def new(width: float, height: float, *, laid_out: bool = True) -> Figure:
    """An empty figure, in inches; ``laid_out``: labels get the room they need. Call it within ``look``."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, layout="constrained" if laid_out else None)
    # matplotlib shows figures in a notebook once pyplot is loaded, which none of ours needs.
    figure._repr_png_ = functools.partial(rendered, figure, "png")  # type: ignore[attr-defined]
    return figure


def name_text(name: str, most: int = 16) -> str:
    """A name as a figure shows it: one line of printable characters, at most so many."""
    plain = "".join(c if c.isprintable() else " " for c in name)
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def rendered(figure: Figure, kind: str, **settings: Any) -> bytes:
    """The figure as a file's content; kind: ``png``, ``svg`` or ``pdf``. The same figure gives the same bytes."""
    from io import BytesIO

    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[kind]
    buffer = BytesIO()
    with look():
        figure.savefig(buffer, format=kind, metadata=metadata, **settings)
    return buffer.getvalue()


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure as PNG, SVG or PDF, whichever the name ends in; whole or not at all, replacing what was there.

    ValueError for another ending; OSError saying what stands in the way of writing.
    """
    name = os.fspath(path)
    ending = os.path.splitext(name)[1].lower()
    if ending not in _FORMATS:
        fix = f"Type {os.path.splitext(name)[0] or 'picture'}.png"
        raise ValueError(message("picture's name", repr(name), "one that ends in .png, .svg or .pdf", fix))
    atomic_write(name, rendered(figure, ending[1:], **({"dpi": 200} if ending == ".png" else {})))
