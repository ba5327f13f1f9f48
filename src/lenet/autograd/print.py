"""How a tensor prints: Paddle's form, through numpy's own array printing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.autograd.tensor import Parameter, Tensor, _tell, on_read

__all__ = ["set_printoptions", "text"]

_options: dict[str, Any] = {"precision": 8, "threshold": 1000, "edgeitems": 3, "linewidth": 80, "sci_mode": False}


def set_printoptions(
    precision: int | None = None,
    threshold: int | None = None,
    edgeitems: int | None = None,
    sci_mode: bool | None = None,
    linewidth: int | None = None,
) -> None:
    """How tensors print from now on: decimals, elements before "...", elements kept at each edge, 1e5 notation, columns."""
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "sci_mode": sci_mode,
        "linewidth": linewidth,
    }
    _options.update({k: v for k, v in given.items() if v is not None})


def _formatter(kind: str) -> Callable[[Any], str]:
    """How one element of a numpy type's kind is written: whole numbers without decimals, as Paddle does."""
    if kind == "b":
        return lambda b: "True " if b else "False"
    if kind != "f":
        return str
    precision, scientific = _options["precision"], _options["sci_mode"]

    def number(x: Any) -> str:
        if scientific:
            return f"{x:.{precision}e}"
        return f"{x:.0f}." if np.ceil(x) == x else f"{x:.{precision}f}"

    return number


def text(t: Tensor) -> str:
    """``Tensor(shape=[2, 2], dtype=float32, place=Place(cpu), stop_gradient=True,`` and the numbers, indented."""
    data = t.data_array()
    indent = 7
    prefix = "Parameter containing:\n" if isinstance(t, Parameter) else ""
    head = f"Tensor(shape={list(t._shape)}, dtype={t.dtype.name}, place=Place(cpu), stop_gradient={t.stop_gradient},"
    return f"{prefix}{head}\n{' ' * indent}{_join(data, indent)})"


def _edges(data: NDArray[Any]) -> NDArray[Any]:
    edge = _options["edgeitems"]
    for axis, n in enumerate(data.shape):
        if n > 2 * edge:
            data = np.take(data, [*range(edge), *range(n - edge, n)], axis)
    return data


def _join(data: NDArray[Any], indent: int) -> str:
    """The elements in brackets, padded on the right to the width of the widest at the edges, as many on a line as fit."""
    sample = _edges(data)
    shown = sample if data.size > _options["threshold"] else data
    form = _formatter(data.dtype.kind)
    if not data.ndim:
        return form(data[()]).strip()
    width = max((len(form(x)) for x in sample.reshape(-1)), default=0)
    signed = bool(sample.size and sample.dtype.kind != "b" and (sample < 0).any())

    def piece(x: Any) -> str:
        written = form(x)
        gap = " " if signed and not x < 0 and len(written) < width else ""
        return f"{gap}{written}".ljust(width)

    padded = iter([piece(x) for x in shown.reshape(-1)])
    edge = _options["edgeitems"]

    def row(shape: tuple[int, ...], full: tuple[int, ...], depth: int) -> str:
        if not shape:
            return next(padded)
        items = [row(shape[1:], full[1:], depth + 1) for _ in range(shape[0])]
        if shape[0] != full[0]:
            items.insert(edge, "...")
        pad = " " * (indent + depth + 1)
        if len(shape) > 1:
            return "[" + f",{chr(10) * (len(shape) - 1)}{pad}".join(items) + "]"
        per_line = max((_options["linewidth"] - indent - depth) // (width + 2), 1)
        lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
        return "[" + f",\n{pad}".join(lines) + "]"

    return row(shown.shape, data.shape, 0)


def _repr(self: Tensor) -> str:
    if on_read:
        _tell()
    return text(self)


for _name in ("__repr__", "__str__"):
    setattr(Tensor, _name, _repr)
