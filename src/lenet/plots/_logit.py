"""An axis on which 90, 99 and 99.9 % are about equally far apart: the logit of a share, with round percentages marked.

On an even scale all that a good model does lies on top of each other just below 100 %. Shares of 0 and 1 have no place on
this one: they are drawn a little beyond the outermost others. Read by ``_charts`` and ``_reliability``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["SUREST", "clipped", "fit"]

SUREST = 1 - 1e-7  # float32 knows no probability between this and 1
_BEYOND = 0.6  # how far beyond the others a share of 0 or 1 is drawn, in powers of ten of the odds
# Shares that an axis may mark, with their counterparts on the other side of one half: the first have precedence.
_TICKS = (0.5, 0.1, 0.01, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 0.2, 0.05, 0.02, 0.005, 0.002, 0.3, 0.4, 0.15, 0.25, 0.35, 0.45)
_LETTER, _LINE = 0.03, 0.08  # of the length of an axis: how wide a letter is, how high a line


def fit(
    axis: Any, shares: NDArray[np.float64], none: str = "0 %", all_: str = "100 %", line: float = _LINE
) -> tuple[float, float]:
    """Set a matplotlib axis to these shares, at least one of 0 to 1; returns the outermost places at which to draw.

    none, all_: what the axis says where shares of 0 and of 1 are drawn, if there are any. line: how high a line of text
    is, as a share of a vertical axis.
    """
    inner = shares[(shares > 0) & (shares < 1)]
    least, most = (_logit(float(value)) for value in (inner.min(), inner.max())) if len(inner) else (0.0, 0.0)
    low, high = bool((shares <= 0).any()), bool((shares >= 1).any())
    ends = least - _BEYOND * low, most + _BEYOND * high
    length = ends[1] - ends[0]
    room = max(0.04 * length, 0.05, (1 - length) / 2)  # never less than a factor of ten in all
    view = ends[0] - room, ends[1] + room
    getattr(axis.axes, f"set_{axis.axis_name}scale")("logit")
    getattr(axis.axes, f"set_{axis.axis_name}lim")(_share(view[0]), _share(view[1]))
    size: Callable[[str], float] = (lambda text: _LETTER * len(text)) if axis.axis_name == "x" else (lambda _: line)
    marked = ({ends[0]: none} if low else {}) | ({ends[1]: all_} if high else {})
    _mark(axis, view, (ends[0] if low else view[0], ends[1] if high else view[1]), marked, size)
    return _share(ends[0]), _share(ends[1])


def clipped(shares: Any, ends: tuple[float, float]) -> NDArray[np.float64]:
    """The shares where they are drawn: those of 0 and 1 at the ends that ``fit`` returned."""
    found = np.array(shares, np.float64)
    found[found <= 0], found[found >= 1] = ends
    return found


def _mark(
    axis: Any, view: tuple[float, float], inside: tuple[float, float], marked: dict[float, str],
    size: Callable[[str], float],
) -> None:  # fmt: skip
    """Round percentages where there is room for them, beside those ``marked`` already, by place.

    view: the axis's ends. inside: where percentages may stand. size: of a text along the axis, as a share of its length.
    """
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    for share in (s for below in _TICKS for s in dict.fromkeys((1 - below, below))):
        place, text = _logit(share), f"{round(100 * share, 6):.8g} %"
        apart = [abs(place - there) / (view[1] - view[0]) - (size(text) + size(t)) / 2 for there, t in marked.items()]
        if inside[0] <= place <= inside[1] and min(apart, default=1.0) > 0:
            marked[place] = text
    axis.set_major_locator(FixedLocator([_share(place) for place in marked]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FixedFormatter(list(marked.values())))


def _logit(share: float) -> float:
    """The logarithm of the odds, to the base of ten."""
    return float(np.log10(share / (1 - share)))


def _share(logit: float) -> float:
    return float(1 / (1 + 10.0**-logit))
