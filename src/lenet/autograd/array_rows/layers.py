"""Array rows of layers: normalisation, embedding, padding, binary cross-entropy. ``nn.functional`` holds the functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from lenet.autograd.array_rows.row import Array, array_row
from lenet.autograd.table import Attrs

__all__: list[str] = []


# ---- x normalised over axes, times w, plus b; w and b in x's number of axes --------------------------------


def _normalised(x: Array, w: Array, b: Array, mean: Array, var: Array, epsilon: float, **_: Any) -> Array:
    return np.asarray((x - mean) / np.sqrt(var + x.dtype.type(epsilon)) * w + b)


def _normalised_gradient(dy: Array, y: Array, xwb: tuple[Array, Array, Array], at: Attrs) -> tuple[Array, ...]:
    """at["axes"]: over which mean and var were taken from x itself; None if they are constants."""
    x, w, b = xwb
    inverse = 1 / np.sqrt(at["var"] + x.dtype.type(at["epsilon"]))
    hat = (x - at["mean"]) * inverse
    over_w = tuple(i for i, s in enumerate(w.shape) if s == 1)
    dw, db = ((g.sum(axis=over_w, keepdims=True)).reshape(w.shape) for g in (dy * hat, dy))
    dhat = dy * w
    axes = at["axes"]
    if axes is None:
        return dhat * inverse, dw, db
    less = dhat.mean(axis=axes, keepdims=True) + hat * (dhat * hat).mean(axis=axes, keepdims=True)
    return (dhat - less) * inverse, dw, db


array_row("normalised", _normalised, _normalised_gradient)


# ---- x normalised over its last axes, each sample by itself --------------------------------------------------


def _own_statistics(x: Array, over: int) -> dict[str, Any]:
    axes = tuple(range(x.ndim - over, x.ndim))
    mean = x.mean(axis=axes, keepdims=True)
    return {"mean": mean, "var": ((x - mean) ** 2).mean(axis=axes, keepdims=True), "axes": axes}


array_row(
    "layer_norm",
    lambda x, w, b, over, epsilon: _normalised(x, w, b, epsilon=epsilon, **_own_statistics(x, over)),
    lambda dy, y, xwb, at: _normalised_gradient(
        dy, y, xwb, {"epsilon": at["epsilon"]} | _own_statistics(xwb[0], at["over"])
    ),
)


# ---- embedding: w [V, D] -> [..., D] -----------------------------------------------------------------------


def _embedding(w: Array, index: Array, padding: int | None) -> Array:
    y = w[index]
    if padding is not None:
        y[index == padding] = 0
    return y


def _embedding_gradient(dy: Array, y: Array, a: tuple[Array], at: Attrs) -> tuple[Array]:
    out = np.zeros_like(a[0])
    np.add.at(out, at["index"], dy)
    if at["padding"] is not None:
        out[at["padding"]] = 0
    return (out,)


array_row("embedding", _embedding, _embedding_gradient)


# ---- padding: pads, one (before, after) an axis ------------------------------------------------------------


def _pad(x: Array, pads: Any, mode: str, value: float) -> Array:
    if mode == "constant":
        return np.pad(x, pads, constant_values=value)
    how: Any = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
    return np.pad(x, pads, how)


def _pad_gradient(dy: Array, y: Array, a: tuple[Array], at: Attrs) -> tuple[Array]:
    if at["mode"] == "constant":
        inside = tuple(slice(p, p + s) for (p, _), s in zip(at["pads"], a[0].shape, strict=True))
        return (dy[inside],)
    for axis, (pair, size) in enumerate(zip(at["pads"], a[0].shape, strict=True)):
        if pair != (0, 0):
            came_from = _pad(np.arange(size), [pair], at["mode"], 0)
            out = np.zeros((size, *np.delete(dy.shape, axis)), dy.dtype)
            np.add.at(out, came_from, np.moveaxis(dy, axis, 0))
            dy = np.moveaxis(out, 0, axis)
    return (dy,)


array_row("pad", _pad, _pad_gradient)


# ---- binary cross-entropy of probabilities; logarithms below -100 count as -100 ----------------------------


def _binary(p: Array, target: Array) -> Array:
    with np.errstate(divide="ignore"):
        yes, no = (np.maximum(np.log(v), -100) for v in (p, 1 - p))
    return np.asarray(-(target * yes + (1 - target) * no))


def _binary_gradient(dy: Array, y: Array, pt: tuple[Array, Array], _: Attrs) -> tuple[Array, None]:
    p, target = pt
    return dy * (p - target) / np.maximum((1 - p) * p, p.dtype.type(1e-12)), None


array_row("binary_cross_entropy", _binary, _binary_gradient)
