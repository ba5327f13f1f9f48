"""Kernel sizes, strides and paddings: from the many forms Paddle accepts to the one the table of operations takes.

Pure arithmetic on ints, no arrays. Read by ``functional``, ``conv`` and ``pooling``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lenet.messages import check

__all__ = ["Padding", "channels_last", "pair", "parse_padding", "resolved", "shape_of"]

Pair = tuple[int, int]
Sides = tuple[int, int, int, int]  # top, bottom, left, right
Padding = Sides | str  # or "SAME", which depends on the image and is resolved at each call


def channels_last(what: str, data_format: str) -> bool:
    """Whether images are [N, H, W, C] and not [N, C, H, W]; ValueError for any other format."""
    return check.choice(f"{what}(data_format)", data_format, ("NCHW", "NHWC")) == "NHWC"


def shape_of(x: Any) -> list[int]:
    """x's shape as a plain list; empty for what has none (the table then says what was wrong)."""
    return list(getattr(x, "shape", ()))


def pair(what: str, value: Any, *, least: int = 1) -> Pair:
    """``n`` or ``[h, w]`` as ``(h, w)``, each at least ``least``; ValueError otherwise."""
    if isinstance(value, bool) or not (
        hasattr(value, "__index__") or (isinstance(value, Sequence) and len(value) == 2)
    ):
        raise ValueError(check.message(what, check.describe(value), "a whole number or two of them, [height, width]"))
    both = list(value) if isinstance(value, Sequence) else [value, value]
    try:
        height, width = (check.positive_int(what, n, least=least) for n in both)
    except TypeError as error:
        raise ValueError(str(error)) from None
    return height, width


def _flat(value: Any) -> list[Any] | None:
    """``[[0, 0], [0, 0], [t, b], [l, r]]`` as ``[t, b, l, r]``; None if ``value`` has another form."""
    pairs = [list(v) if isinstance(v, Sequence) and not isinstance(v, str) and len(v) == 2 else None for v in value]
    if len(pairs) != 4 or pairs[0] != [0, 0] or pairs[1] != [0, 0] or pairs[2] is None or pairs[3] is None:
        return None
    return pairs[2] + pairs[3]


def parse_padding(what: str, value: Any) -> Padding:
    """A padding as ``(top, bottom, left, right)`` or ``"SAME"``; ValueError for what is none of the forms below.

    n · [h, w] · [top, bottom, left, right] · [[0, 0], [0, 0], [top, bottom], [left, right]] · 'SAME' · 'VALID'
    """
    expected = (
        "n, [h, w], [top, bottom, left, right], [[0, 0], [0, 0], [top, bottom], [left, right]], 'SAME' or 'VALID'"
    )
    if isinstance(value, str):
        if value.upper() not in ("SAME", "VALID"):
            raise ValueError(check.message(what, repr(value), expected))
        return "SAME" if value.upper() == "SAME" else (0, 0, 0, 0)
    if hasattr(value, "__index__") and not isinstance(value, bool):
        value = [value]
    given = value
    if isinstance(value, Sequence) and any(isinstance(v, Sequence) for v in value):
        value = _flat(value)
    if not isinstance(value, Sequence) or len(value) not in (1, 2, 4):
        raise ValueError(check.message(what, check.describe(given), expected))
    try:
        sides = [check.positive_int(what, n, least=0) for n in value]
    except TypeError:
        raise ValueError(check.message(what, check.describe(given), expected)) from None
    if len(sides) == 4:
        return sides[0], sides[1], sides[2], sides[3]
    return sides[0], sides[0], sides[-1], sides[-1]


def resolved(attrs: dict[str, Any], shape: Sequence[int], kernel: Pair) -> dict[str, Any]:
    """``attrs`` with its "SAME" padding, if it is that, as four numbers for images of ``shape`` [N, C, H, W].

    "SAME" makes the output ⌈size / stride⌉; of an odd number of cells the larger half goes below and to the right.
    """
    if (
        attrs["padding"] != "SAME" or len(shape) != 4
    ):  # another rank: the operation's own shape rule has the words for it
        return attrs
    sides: list[int] = []
    for size, window, step in zip(shape[2:], kernel, attrs["stride"], strict=True):
        total = max((-(-size // step) - 1) * step + window - size, 0)
        sides += [total // 2, total - total // 2]
    return attrs | {"padding": tuple(sides)}
