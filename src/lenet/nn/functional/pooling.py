"""Pooling of images [N, C, H, W] or [N, H, W, C]: the largest or the mean of each window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lenet.autograd import table, tape
from lenet.autograd.array_rows import matmul, take_along_axis
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.messages import check
from lenet.nn import _window

__all__ = ["adaptive_avg_pool2d", "adaptive_max_pool2d", "avg_pool2d", "max_pool2d"]


def max_pool2d(
    x: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    return_mask: bool = False,
    ceil_mode: bool = False,
    data_format: str = "NCHW",
    name: str | None = None,
) -> Any:
    """The largest value of each window of x [N, C, H, W]; padded cells never win, NaN always does.

    kernel_size, stride (None: the kernel), padding: n or [h, w]; padding also as in ``conv2d``, and smaller than the kernel.
    With return_mask a pair: the result and, int32, each winner's place in its H·W image (the first of equals).
    """
    if _window.channels_last("max_pool2d", data_format):
        if return_mask:
            raise ValueError(check.message("max_pool2d(return_mask)", True, "False with data_format='NHWC'"))
        x = x.transpose([0, 3, 1, 2])
        return max_pool2d(x, kernel_size, stride, padding, False, ceil_mode).transpose([0, 2, 3, 1])
    return run_max_pool(x, pool_attrs("max_pool2d", kernel_size, stride, padding, ceil_mode), return_mask)


def avg_pool2d(
    x: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    exclusive: bool = True,
    divisor_override: float | None = None,
    data_format: str = "NCHW",
    name: str | None = None,
) -> Tensor:
    """The mean of each window of x [N, C, H, W]; windows as in ``max_pool2d``.

    exclusive: divide by the number of real cells, else by the kernel's. divisor_override: divide by this whole number instead.
    """
    if _window.channels_last("avg_pool2d", data_format):
        x = x.transpose([0, 3, 1, 2])
        pooled = avg_pool2d(x, kernel_size, stride, padding, ceil_mode, exclusive, divisor_override)
        return pooled.transpose([0, 2, 3, 1])
    attrs = pool_attrs("avg_pool2d", kernel_size, stride, padding, ceil_mode)
    return run_avg_pool(x, attrs | avg_attrs("avg_pool2d", exclusive, divisor_override))


def pool_attrs(what: str, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool) -> dict[str, Any]:
    """The attributes that both poolings share; the padding may be "SAME", which ``_window.resolved`` settles."""
    kernel = _window.pair(f"{what}(kernel_size)", kernel_size)
    sides = _window.parse_padding(f"{what}(padding)", padding)
    if isinstance(padding, str) and ceil_mode and padding.upper() == "VALID":
        raise ValueError(check.message(what, "padding='VALID' with ceil_mode=True", "only one of the two"))
    if not isinstance(sides, str) and (max(sides[:2]) >= kernel[0] or max(sides[2:]) >= kernel[1]):
        # A window that sees padding alone would have nothing to take the maximum or mean of.
        raise ValueError(check.message(f"{what}(padding)", padding, f"less than the kernel, {list(kernel)}"))
    return {
        "kernel": kernel,
        "stride": kernel if stride is None else _window.pair(f"{what}(stride)", stride),
        "padding": sides,
        "ceil_mode": bool(ceil_mode),
    }


def avg_attrs(what: str, exclusive: bool, divisor_override: float | None) -> dict[str, Any]:
    """The two attributes that only average pooling has."""
    if divisor_override is not None and (divisor_override < 1 or divisor_override != int(divisor_override)):
        expected = "a whole number of at least 1, or None"
        raise ValueError(check.message(f"{what}(divisor_override)", divisor_override, expected))
    return {"exclusive": bool(exclusive), "divisor": None if divisor_override is None else int(divisor_override)}


def run_max_pool(x: Tensor, attrs: dict[str, Any], return_mask: bool) -> Any:
    """``max_pool2d`` with attributes that are already in the table's form."""
    if attrs["padding"] == "SAME":
        attrs = _window.resolved(attrs, _window.shape_of(x), attrs["kernel"])
    pooled = tape.call("max_pool2d", x, **attrs)
    return (pooled, to_tensor(_winners(x.data_array(), pooled.shape[2:], attrs))) if return_mask else pooled


def run_avg_pool(x: Tensor, attrs: dict[str, Any]) -> Tensor:
    """``avg_pool2d`` with attributes that are already in the table's form."""
    if attrs["padding"] == "SAME":
        attrs = _window.resolved(attrs, _window.shape_of(x), attrs["kernel"])
    return tape.call("avg_pool2d", x, **attrs)


def _winners(images: np.ndarray[Any, Any], out: Sequence[int], attrs: dict[str, Any]) -> np.ndarray[Any, Any]:
    """For images [N, C, H, W] the flat H·W index (int32) of each pooling window's first maximum: [N, C, *out]."""
    (kh, kw), (sh, sw), (top, _, left, _) = attrs["kernel"], attrs["stride"], attrs["padding"]
    n, c, height, width = images.shape
    rows, cols = (out[0] - 1) * sh + kh, (out[1] - 1) * sw + kw
    inside = images[:, :, : max(rows - top, 0), : max(cols - left, 0)]
    field = np.full((n, c, rows, cols), -np.inf, images.dtype)
    field[:, :, top : top + inside.shape[2], left : left + inside.shape[3]] = inside
    windows = np.lib.stride_tricks.sliding_window_view(field, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    first = windows.reshape(n, c, *out, kh * kw).argmax(axis=-1)
    row = first // kw + np.arange(out[0])[:, None] * sh - top
    col = first % kw + np.arange(out[1]) * sw - left
    return (row * width + col).astype(np.int32)


def adaptive_avg_pool2d(x: Tensor, output_size: Any, data_format: str = "NCHW", name: str | None = None) -> Tensor:
    """Mean pooling of x [N, C, H, W] to [N, C, *output_size].

    output_size: n or [h, w]; None in the list keeps that size. Where it doesn't divide the image's, windows overlap: the
    i-th of n over a length L reaches from ⌊i·L/n⌋ to ⌈(i + 1)·L/n⌉.
    """
    if _window.channels_last("adaptive_avg_pool2d", data_format):
        return adaptive_avg_pool2d(x.transpose([0, 3, 1, 2]), output_size).transpose([0, 2, 3, 1])
    wanted = _adaptive_size("adaptive_avg_pool2d", x, output_size)
    height, width = x.shape[2:]
    if height % wanted[0] == 0 and width % wanted[1] == 0:
        return run_avg_pool(x, _dividing("adaptive_avg_pool2d", x, wanted) | avg_attrs("", True, None))
    table.check_float("adaptive_avg_pool2d", x)
    down, across = (_means(size, n, x.dtype.numpy) for size, n in zip((height, width), wanted, strict=True))
    return matmul(matmul(down, x), across, transpose_y=True)


def adaptive_max_pool2d(x: Tensor, output_size: Any, return_mask: bool = False, name: str | None = None) -> Any:
    """Max pooling of x [N, C, H, W] to [N, C, *output_size], as ``adaptive_avg_pool2d``; return_mask as ``max_pool2d``."""
    wanted = _adaptive_size("adaptive_max_pool2d", x, output_size)
    height, width = x.shape[2:]
    if height % wanted[0] == 0 and width % wanted[1] == 0:
        return run_max_pool(x, _dividing("adaptive_max_pool2d", x, wanted), return_mask)
    table.check_float("adaptive_max_pool2d", x)
    place = _places(x.data_array(), wanted)
    flat = take_along_axis(x.flatten(2), to_tensor(place.reshape(*x.shape[:2], -1)), 2)
    pooled = flat.reshape([*x.shape[:2], *wanted])
    return (pooled, to_tensor(place.astype(np.int32))) if return_mask else pooled


def _edges(size: int, n: int) -> list[tuple[int, int]]:
    return [(i * size // n, -(-(i + 1) * size // n)) for i in range(n)]


def _means(size: int, n: int, dtype: np.dtype[Any]) -> Tensor:
    """[n, size]: the matrix that takes the means of the n windows."""
    made = np.zeros((n, size), dtype)
    for row, (first, last) in zip(made, _edges(size, n), strict=True):
        row[first:last] = 1 / (last - first)
    return to_tensor(made)


def _places(images: np.ndarray[Any, Any], wanted: tuple[int, int]) -> np.ndarray[Any, Any]:
    """[N, C, *wanted]: the flat place of the first maximum in each window."""
    width = images.shape[3]
    found = np.empty((*images.shape[:2], *wanted), np.int64)
    for i, (top, bottom) in enumerate(_edges(images.shape[2], wanted[0])):
        for j, (left, right) in enumerate(_edges(width, wanted[1])):
            window = images[:, :, top:bottom, left:right]
            first = window.reshape(*images.shape[:2], -1).argmax(axis=-1)
            row, column = np.divmod(first, right - left)
            found[:, :, i, j] = (top + row) * width + left + column
    return found


def output_pair(what: str, output_size: Any) -> tuple[int | None, int | None]:
    """An adaptive pooling's output size as (height, width), each at least 1 or None; TypeError, ValueError otherwise."""
    both = (
        list(output_size)
        if isinstance(output_size, Sequence) and not isinstance(output_size, str)
        else [output_size] * 2
    )
    if len(both) != 2:
        raise ValueError(check.message(f"{what}(output_size)", output_size, "a whole number or [height, width]"))
    height, width = (None if n is None else check.positive_int(f"{what}(output_size)", n) for n in both)
    return height, width


def _adaptive_size(what: str, x: Tensor, output_size: Any) -> tuple[int, int]:
    """The output's height and width; ShapeError unless x is [N, C, H, W]."""
    height, width = output_pair(what, output_size)
    shape = _window.shape_of(x)
    if len(shape) != 4:
        raise check.ShapeError(check.message(what, f"images of shape {shape}", "4 dimensions, [N, C, H, W]"))
    return height or shape[2], width or shape[3]


def _dividing(what: str, x: Tensor, wanted: tuple[int, int]) -> dict[str, Any]:
    """The ordinary pooling that brings x [N, C, H, W] to a size that divides its own."""
    return pool_attrs(what, [size // out for size, out in zip(x.shape[2:], wanted, strict=True)], None, 0, False)
