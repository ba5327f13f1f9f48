"""The text of a number as a decimal, where there is one way to take it; it guesses nothing. Read by ``page``."""

from __future__ import annotations

import re
from decimal import Decimal

__all__ = ["decimal"]

_PLAIN = re.compile(r"(\d*)(?:([.,])(\d+))?")
_GROUPS = re.compile(r"(\d{1,3})((?:([.,])\d{3})(?:\3\d{3})*)(?:([.,])(\d+))?")


def decimal(text: str) -> Decimal | None:
    """A number's text, such as ``-3,14``, as a decimal; None for what is none, and for what may be two.

    A point is taken as it stands; a comma is a decimal comma. Both together: the last is the decimal one, the others part
    thousands, and so do several of one kind. A single comma with three digits behind it may be either: None, unless what
    is before it can't be thousands: ``0,125``, ``,125``, ``1234,567``. None too for ``?``, and for dates and the like.
    """
    sign, plain = ("-", text[1:]) if text.startswith("-") else ("", text)
    found = _PLAIN.fullmatch(plain)
    if found is not None:
        whole, point, rest = found.groups()
        if not (whole or rest):
            return None
        if point == "," and len(rest) == 3 and 0 < len(whole) < 4 and not whole.startswith("0"):
            return None
        return Decimal(f"{sign}{whole or '0'}{'.' if rest else ''}{rest or ''}")
    found = _GROUPS.fullmatch(plain)
    if found is None:
        return None
    first, groups, between, point, rest = found.groups()
    if first.startswith("0") or between == point:
        return None
    whole = first + groups.replace(between, "")
    return Decimal(f"{sign}{whole}{'.' if rest else ''}{rest or ''}")
