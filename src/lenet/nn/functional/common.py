"""What fits no other file: linear, dropout, padding, resizing, one-hot numbers, embeddings, similarity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lenet.autograd import random, table, tape
from lenet.autograd.array_rows import einsum, indexing, matmul
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.messages import check
from lenet.nn import _window

__all__ = [
    "alpha_dropout", "bilinear", "cosine_similarity", "dropout", "dropout2d", "embedding", "feature_alpha_dropout",
    "interpolate", "label_smooth", "linear", "one_hot", "pad", "sequence_mask", "upsample",
]  # fmt: skip


DROPOUT_MODES = ("upscale_in_train", "downscale_in_infer")


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, name: str | None = None) -> Tensor:
    """x [..., I] @ weight [I, O] + bias [O]: [..., O]. The weight stands as [in, out]."""
    return tape.call("linear", x, weight, bias)


def dropout(
    x: Tensor,
    p: float = 0.5,
    axis: int | Sequence[int] | None = None,
    training: bool = True,
    inplace: bool = False,
    mode: str = "upscale_in_train",
    name: str | None = None,
) -> Tensor:
    """x with each entry zeroed with probability p (0 to 1) while training; draws from ``lenet.seed``'s stream.

    axis: draw one number for each index along these axes instead of one an entry. mode: 'upscale_in_train' divides what is
    kept by 1 - p and leaves evaluation alone; 'downscale_in_infer' multiplies by 1 - p in evaluation. inplace: ignored.
    """
    p = drop_probability("dropout", p)
    check.choice("dropout(mode)", mode, DROPOUT_MODES)
    if p == 0.0:
        return x
    if axis is None or not training:
        return tape.call("dropout", x, p=p, training=bool(training), mode=mode)
    shape = _mask_shape(_window.shape_of(x), axis)
    keep = random.generator().uniform(math.prod(shape), 0.0, 1.0).reshape(shape) >= np.float32(p)
    scale = 1.0 if mode == "downscale_in_infer" else 0.0 if p == 1.0 else 1.0 / (1.0 - p)
    return x * to_tensor(keep.astype(np.float32) * np.float32(scale))


def dropout2d(
    x: Tensor, p: float = 0.5, training: bool = True, data_format: str = "NCHW", name: str | None = None
) -> Tensor:
    """Dropout of whole channels of x [N, C, H, W]: what is zeroed is zero over the whole image."""
    last = _window.channels_last("dropout2d", data_format)
    if len(_window.shape_of(x)) != 4:
        raise check.ShapeError(
            check.message("dropout2d", f"images of shape {_window.shape_of(x)}", "4 dimensions, [N, C, H, W]")
        )
    return dropout(x, p, axis=[0, 3] if last else [0, 1], training=training)


def _mask_shape(shape: list[int], axis: int | Sequence[int]) -> list[int]:
    """``shape`` with 1 for every dimension that is not in ``axis``; TypeError, ValueError for axes that x has not."""
    axes = list(axis) if isinstance(axis, Sequence) else [axis]
    if isinstance(axis, str) or not all(hasattr(a, "__index__") for a in axes):
        raise TypeError(check.message("dropout(axis)", check.describe(axis), "a whole number or a list of them"))
    if not axes or not all(0 <= a < len(shape) for a in axes):
        expected = f"numbers from 0 to {len(shape) - 1}"
        raise ValueError(check.message("dropout(axis)", axis, expected, f"x has {len(shape)} dimensions"))
    return [n if i in axes else 1 for i, n in enumerate(shape)]


def drop_probability(what: str, p: Any) -> float:
    """``p`` as a float from 0 to 1; TypeError, ValueError otherwise."""
    if isinstance(p, Tensor) and p.size == 1:
        p = p.item()
    if not isinstance(p, (int, float, np.floating)):
        raise TypeError(check.message(f"{what}(p)", check.describe(p), "a number from 0 to 1"))
    if not 0 <= p <= 1:
        raise ValueError(check.message(f"{what}(p)", p, "a number from 0 to 1"))
    return float(p)


# ---- borders and sizes -------------------------------------------------------------------------------------------------


def border(what: str, x: Tensor, pads: list[tuple[int, int]], mode: str, value: float = 0.0) -> Tensor:
    """x with (before, after) more elements along each axis; negative numbers cut. ValueError for what mode can't fill."""
    cut = tuple(slice(max(-a, 0), s - max(-b, 0)) for (a, b), s in zip(pads, x.shape, strict=True))
    if any(n < 0 for pair in pads for n in pair):
        x = x[cut]
    grown = [(max(a, 0), max(b, 0)) for a, b in pads]
    for (a, b), size in zip(grown, x.shape, strict=True):
        most = {"reflect": size - 1, "circular": size}.get(mode)
        if most is not None and max(a, b) > most:
            raise ValueError(check.message(what, f"a border of {max(a, b)} by '{mode}'", f"at most {most}"))
    return tape.call("pad", x, pads=grown, mode=mode, value=value)


def pad(
    x: Tensor,
    pad: Any,
    mode: str = "constant",
    value: float = 0.0,
    data_format: str | None = None,
    pad_from_left_axis: bool = True,
    name: str | None = None,
) -> Tensor:
    """x with a border. pad: [left, right, top, bottom] of images, or two numbers for every axis of x, from the first on.

    A number stands for all sides of images. mode: 'constant' (``value``), 'reflect', 'replicate' or 'circular'.
    data_format: 'NCHW' or 'NHWC'. pad_from_left_axis=False: two numbers for every axis, from the last on.
    """
    check.choice("pad(mode)", mode, ("constant", "reflect", "replicate", "circular"))
    rank = len(x.shape)
    numbers = pad.tolist() if isinstance(pad, Tensor) else pad
    numbers = [int(numbers)] * (2 * max(rank - 2, 1)) if hasattr(numbers, "__index__") else [int(n) for n in numbers]
    pairs = list(zip(numbers[::2], numbers[1::2], strict=False))
    if len(numbers) % 2 or len(pairs) not in (rank, rank - 2):
        expected = f"{2 * (rank - 2)} numbers for the sides, or {2 * rank}, two an axis"
        raise ValueError(check.message("pad", f"{len(numbers)} numbers for a tensor {list(x.shape)}", expected))
    if len(pairs) == rank:
        pairs = pairs if pad_from_left_axis else pairs[::-1]
    else:
        last = data_format is not None and data_format[-1] == "C"
        pairs = [(0, 0), *pairs[::-1], (0, 0)] if last else [(0, 0), (0, 0), *pairs[::-1]]
    return border("pad", x, pairs, mode, value)


def interpolate(
    x: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool = False,
    align_mode: int = 0,
    data_format: str | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
    name: str | None = None,
) -> Tensor:
    """Images [N, C, H, W] in another size: ``size`` ([h, w]) or ``scale_factor`` times theirs (a number or two).

    mode: 'nearest', 'bilinear', 'bicubic', or 'area', the mean of what each new pixel covers. align_corners: the outermost
    pixels' centres stay where they are. align_mode 0 takes pixels for squares, 1 for points. data_format: 'NCHW' or 'NHWC'.
    antialias has to be False.
    """
    check.choice("interpolate(mode)", mode, ("nearest", "bilinear", "bicubic", "area"))
    if antialias:
        raise ValueError(check.message("interpolate(antialias)", True, "False"))
    if (size is None) == (scale_factor is None):
        given = "both" if size is not None else "neither"
        raise ValueError(check.message("interpolate", f"{given} of size and scale_factor", "one of them"))
    if _window.channels_last("interpolate", data_format or "NCHW"):
        x = x.transpose([0, 3, 1, 2])
        made = interpolate(x, size, scale_factor, mode, align_corners, align_mode)
        return made.transpose([0, 2, 3, 1])
    if len(x.shape) != 4:
        raise check.ShapeError(
            check.message("interpolate", f"images of shape {list(x.shape)}", "4 dimensions, [N, C, H, W]")
        )
    both = size if size is not None else scale_factor
    both = both.tolist() if isinstance(both, Tensor) else both
    both = list(both) if isinstance(both, Sequence) else [both, both]
    wanted = [b / s if size is not None else b for b, s in zip(both, x.shape[2:], strict=True)]
    if mode == "nearest" and not align_corners and x.size and all(w >= 1 and w == int(w) for w in wanted):
        table.check_float("interpolate", x)
        return tape.call("upsample2d", x, factor=tuple(int(w) for w in wanted))
    for length, wanted, axis in zip(x.shape[2:], both, (2, 3), strict=True):
        out = int(wanted) if size is not None else int(length * wanted)
        if out < 1:
            raise ValueError(check.message("interpolate", f"an output of {out}", "at least one pixel"))
        step = (length - 1) / (out - 1) if align_corners and out > 1 else 0.0 if align_corners else length / out
        if size is None and not align_corners:
            step = 1 / wanted
        x = _resized(x, axis, _weights(length, out, step, mode, align_corners, align_mode, x.dtype.numpy))
    return x


def upsample(
    x: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool = False,
    align_mode: int = 0,
    data_format: str | None = None,
    name: str | None = None,
) -> Tensor:
    """``interpolate`` under its older name."""
    return interpolate(x, size, scale_factor, mode, align_corners, align_mode, data_format)


def _weights(
    length: int, out: int, step: float, mode: str, corners: bool, align_mode: int, dtype: np.dtype[Any]
) -> np.ndarray[Any, Any]:
    """[out, length]: how much of each pixel goes into each new one."""
    at = np.arange(out)
    made = np.zeros((out, length))
    if mode == "nearest":
        source = np.floor(np.float32(step) * at + (0.5 if corners else 0)).astype(np.int64)
        made[at, np.minimum(source, length - 1)] = 1
        return made.astype(dtype)
    if mode == "area":  # windows that may overlap, as adaptive pooling's
        for i in at:
            first, last = i * length // out, -(-(i + 1) * length // out)
            made[i, first:last] = 1 / (last - first)
        return made.astype(dtype)
    if mode == "bicubic":
        place = step * at if corners else step * (at + 0.5) - 0.5
        base = np.floor(place).astype(np.int64)
        for tap in (-1, 0, 1, 2):
            np.add.at(made, (at, np.clip(base + tap, 0, length - 1)), _cubic(place - base - tap))
        return made.astype(dtype)
    place = step * at if corners or align_mode == 1 else np.maximum(step * (at + 0.5) - 0.5, 0)
    low = np.minimum(place.astype(np.int64), length - 1)
    share = np.clip(place - low, 0, 1)
    np.add.at(made, (at, low), 1 - share)
    np.add.at(made, (at, np.minimum(low + 1, length - 1)), share)
    return made.astype(dtype)


def _cubic(distance: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Keys' cubic convolution kernel (1981), its slope at 1 being -0.75."""
    x, a = np.abs(distance), -0.75
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, near, far)


def _resized(x: Tensor, axis: int, weights: np.ndarray[Any, Any]) -> Tensor:
    mixing = to_tensor(weights)
    return matmul(mixing, x) if axis == 2 else matmul(x, mixing, transpose_y=True)


# ---- numbers as vectors, likeness ----------------------------------------------------------------------------------------


def one_hot(x: Tensor, num_classes: Any = -1, name: str | None = None) -> Tensor:
    """Whole numbers [...] as rows of zeros with a one in their place, [..., num_classes], in the default float type.

    num_classes -1: one more than the largest number. ValueError for a number that is no class.
    """
    if num_classes == -1:
        num_classes = int(x.data_array().max(initial=0)) + 1
    return indexing.one_hot(x, num_classes)


def embedding(
    x: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    sparse: bool = False,
    scale_grad_by_freq: bool = False,
    name: str | None = None,
) -> Tensor:
    """The rows of weight [V, D] with the numbers in x: [..., D]. The row padding_idx counts as zeros and gets no gradient.

    sparse changes nothing. max_norm and scale_grad_by_freq aren't there (ValueError). IndexError for a number beyond V.
    """
    if max_norm is not None or scale_grad_by_freq:
        given = "max_norm" if max_norm is not None else "scale_grad_by_freq"
        raise ValueError(check.message("embedding", given, "neither: this engine has none"))
    rows = weight.shape[0]
    found = x.data_array()
    if found.dtype.kind not in "iu":
        raise TypeError(
            check.message("embedding", f"a tensor of {found.dtype}", "whole numbers", "Type x.astype('int64')")
        )
    if found.size and (found.min() < 0 or found.max() >= rows):
        wrong = found[(found < 0) | (found >= rows)].flat[0]
        raise IndexError(check.message("embedding", f"the number {wrong}", f"numbers from 0 to {rows - 1}"))
    return tape.call("embedding", weight, index=found, padding=padding_of("embedding", padding_idx, rows))


def padding_of(what: str, padding_idx: int | None, rows: int) -> int | None:
    """A row's number counted from 0, from one that may be negative; ValueError beyond the table."""
    if padding_idx is None:
        return None
    if not -rows <= padding_idx < rows:
        raise ValueError(check.message(f"{what}(padding_idx)", padding_idx, f"a number from {-rows} to {rows - 1}"))
    return padding_idx % rows


def cosine_similarity(x1: Tensor, x2: Tensor, axis: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between x1 and x2 along an axis, broadcast: Σ x1·x2 / max(‖x1‖·‖x2‖, eps)."""
    square = (x1 * x1).sum(axis) * (x2 * x2).sum(axis)
    return (x1 * x2).sum(axis) / square.clip(min=eps * eps).sqrt()


def label_smooth(
    label: Tensor, prior_dist: Tensor | None = None, epsilon: float = 0.1, name: str | None = None
) -> Tensor:
    """(1 - epsilon) · label + epsilon · prior_dist; an even distribution over label's last axis where that is None."""
    if not 0 <= epsilon <= 1:
        raise ValueError(check.message("label_smooth(epsilon)", epsilon, "a number from 0 to 1"))
    even = 1.0 / label.shape[-1] if prior_dist is None else prior_dist
    return label * (1.0 - epsilon) + even * epsilon


_SATURATED = -1.0507009873554805 * 1.6732632423543772  # where SELU ends


def _alpha(what: str, x: Tensor, p: float, training: bool, shape: list[int]) -> Tensor:
    p = drop_probability(what, p)
    if not training or p == 0:
        return x
    if p == 1:
        return x * 0.0
    drawn: Any = random.generator().uniform(math.prod(shape), 0.0, 1.0)
    keep = (drawn.reshape(shape) >= np.float32(p)).astype(x.dtype.numpy)
    a = ((1 - p) * (1 + p * _SATURATED**2)) ** -0.5
    mask = to_tensor(keep)
    return (x * mask + (1.0 - mask) * _SATURATED) * a + (-a * _SATURATED * p)


def alpha_dropout(x: Tensor, p: float = 0.5, training: bool = True, name: str | None = None) -> Tensor:
    """Dropout for SELU: entries become its lowest value with probability p, and mean and variance stay as they were."""
    return _alpha("alpha_dropout", x, p, training, list(x.shape))


def feature_alpha_dropout(x: Tensor, p: float = 0.5, training: bool = True, name: str | None = None) -> Tensor:
    """``alpha_dropout`` of whole channels of x [N, C, …]."""
    shape = [*x.shape[:2], *[1] * (len(x.shape) - 2)]
    return _alpha("feature_alpha_dropout", x, p, training, shape)


def bilinear(x1: Tensor, x2: Tensor, weight: Tensor, bias: Tensor | None = None, name: str | None = None) -> Tensor:
    """x1 [N, I] · weight [O, I, J] · x2 [N, J], plus bias [1, O]: [N, O]."""
    found = einsum("ni,oij,nj->no", x1, weight, x2)
    return found if bias is None else found + bias


def sequence_mask(x: Tensor, maxlen: Any = None, dtype: Any = "int64", name: str | None = None) -> Tensor:
    """1 for each place below a length, 0 from it on: x [...] to [..., maxlen]; maxlen None: the largest length."""
    lengths = x.data_array()
    most = int(lengths.max(initial=0)) if maxlen is None else int(maxlen)
    return to_tensor(np.arange(most) < lengths[..., None]).astype(dtype)
