"""Images taken apart and put together: shuffled pixels, patches as columns and back, channels shifted, sampling at points."""

from __future__ import annotations

from typing import Any

import numpy as np

from lenet.autograd.array_rows import concat
from lenet.autograd.array_rows.moved import picked, places_of, written
from lenet.autograd.tensor import Tensor, dense, to_tensor
from lenet.messages import check
from lenet.nn import _window
from lenet.nn.functional.common import pad

__all__ = [
    "affine_grid", "channel_shuffle", "fold", "grid_sample", "pixel_shuffle", "pixel_unshuffle", "temporal_shift", "unfold",
    "zeropad2d",
]  # fmt: skip


def _images(what: str, x: Tensor) -> Tensor:
    if len(x.shape) != 4:
        raise check.ShapeError(check.message(what, f"images of shape {list(x.shape)}", "4 dimensions"))
    return x


def _first(what: str, x: Tensor, data_format: str) -> tuple[Tensor, bool]:
    """x as [N, C, H, W], and whether it came the other way round."""
    last = _window.channels_last(what, data_format)
    x = _images(what, x)
    return (x.transpose([0, 3, 1, 2]) if last else x), last


def _back(x: Tensor, last: bool) -> Tensor:
    return x.transpose([0, 2, 3, 1]) if last else x


def pixel_shuffle(x: Tensor, upscale_factor: int, data_format: str = "NCHW", name: str | None = None) -> Tensor:
    """[N, C·r², H, W] to [N, C, H·r, W·r]: groups of r² channels become squares of r × r pixels."""
    r = check.positive_int("pixel_shuffle(upscale_factor)", upscale_factor)
    last = _window.channels_last("pixel_shuffle", data_format)
    n, c, h, w = (_images("pixel_shuffle", x).shape[i] for i in ((0, 3, 1, 2) if last else (0, 1, 2, 3)))
    if c % (r * r):
        given = f"{c} channels for a factor of {r}"
        raise check.ShapeError(check.message("pixel_shuffle", given, f"a multiple of {r * r}"))
    if last:
        parted = x.reshape([n, h, w, c // r // r, r, r])
        return parted.transpose([0, 1, 4, 2, 5, 3]).reshape([n, h * r, w * r, c // r // r])
    parted = x.reshape([n, c // r // r, r, r, h, w])
    return parted.transpose([0, 1, 4, 2, 5, 3]).reshape([n, c // r // r, h * r, w * r])


def pixel_unshuffle(x: Tensor, downscale_factor: int, data_format: str = "NCHW", name: str | None = None) -> Tensor:
    """[N, C, H·r, W·r] to [N, C·r², H, W]: ``pixel_shuffle`` the other way."""
    r = check.positive_int("pixel_unshuffle(downscale_factor)", downscale_factor)
    x, last = _first("pixel_unshuffle", x, data_format)
    n, c, h, w = x.shape
    if h % r or w % r:
        given = f"images of {h}×{w} for a factor of {r}"
        raise check.ShapeError(check.message("pixel_unshuffle", given, f"multiples of {r}"))
    parted = x.reshape([n, c, h // r, r, w // r, r]).transpose([0, 1, 3, 5, 2, 4])
    return _back(parted.reshape([n, c * r * r, h // r, w // r]), last)


def channel_shuffle(x: Tensor, groups: int, data_format: str = "NCHW", name: str | None = None) -> Tensor:
    """The channels dealt out anew: the first of each group, then the second of each, and so on."""
    g = check.positive_int("channel_shuffle(groups)", groups)
    x, last = _first("channel_shuffle", x, data_format)
    n, c, h, w = x.shape
    if c % g:
        raise check.ShapeError(check.message("channel_shuffle", f"{c} channels", f"a multiple of {g}"))
    return _back(x.reshape([n, g, c // g, h, w]).transpose([0, 2, 1, 3, 4]).reshape([n, c, h, w]), last)


def temporal_shift(
    x: Tensor, seg_num: int, shift_ratio: float = 0.25, name: str | None = None, data_format: str = "NCHW"
) -> Tensor:
    """A share of the channels from the image before, another from the one after, of clips of seg_num images [N·T, C, H, W]."""
    steps = check.positive_int("temporal_shift(seg_num)", seg_num)
    x, last = _first("temporal_shift", x, data_format)
    n, c, h, w = x.shape
    first, second = int(c * shift_ratio), int(c * 2 * shift_ratio)
    clips = x.reshape([n // steps, steps, c, h, w])
    longer = pad(clips, [0, 0, 1, 1, 0, 0, 0, 0, 0, 0])
    parts = [longer[:, :steps, :first], longer[:, 2:, first:second], clips[:, :, second:]]
    return _back(concat(parts, 2).reshape([n, c, h, w]), last)


def zeropad2d(x: Tensor, padding: Any, data_format: str = "NCHW", name: str | None = None) -> Tensor:
    """Images with a border of zeros: [left, right, top, bottom], or one number for all sides."""
    return pad(x, padding, data_format=data_format)


# ---- patches ---------------------------------------------------------------------------------------------------------------


def _sides(what: str, paddings: Any) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) of n, [h, w] or [top, left, bottom, right]."""
    if isinstance(paddings, (list, tuple)) and len(paddings) == 4:
        top, left, bottom, right = (int(n) for n in paddings)
        return top, bottom, left, right
    rows, columns = _window.pair(what, paddings, least=0)
    return rows, rows, columns, columns


def _columns(
    what: str, shape: tuple[int, ...], kernel: Any, strides: Any, paddings: Any, dilations: Any
) -> tuple[tuple[int, int, int, int], Any]:
    """The padding, and a function from padded places [N, C, H, W] to those of the patches [N, C · kh · kw, patches]."""
    (kh, kw), (sh, sw), (dh, dw) = (
        _window.pair(f"{what}({name})", value)
        for name, value in (("kernel_sizes", kernel), ("strides", strides), ("dilations", dilations))
    )
    sides = _sides(f"{what}(paddings)", paddings)
    height, width = shape[2] + sides[0] + sides[1], shape[3] + sides[2] + sides[3]
    rows, columns = (height - dh * (kh - 1) - 1) // sh + 1, (width - dw * (kw - 1) - 1) // sw + 1
    if rows < 1 or columns < 1:
        given = f"patches of {kh}×{kw} of images of {height}×{width}"
        raise check.ShapeError(check.message(what, given, "patches that fit"))
    at_rows = (np.arange(kh) * dh)[:, None] + np.arange(rows) * sh
    at_columns = (np.arange(kw) * dw)[:, None] + np.arange(columns) * sw

    def rule(places: Any) -> Any:
        found = places[:, :, at_rows[:, None, :, None], at_columns[None, :, None, :]]  # [N, C, kh, kw, rows, columns]
        return found.reshape(places.shape[0], -1, rows * columns)

    return sides, rule


def unfold(
    x: Tensor, kernel_sizes: Any, strides: Any = 1, paddings: Any = 0, dilations: Any = 1, name: str | None = None
) -> Tensor:
    """The patches of images [N, C, H, W] as columns: [N, C · kh · kw, patches]. paddings: n, [h, w] or four."""
    _images("unfold", x)
    sides, rule = _columns("unfold", tuple(x.shape), kernel_sizes, strides, paddings, dilations)
    padded = pad(x, [sides[2], sides[3], sides[0], sides[1]]) if any(sides) else x
    return picked(padded, rule)


def fold(
    x: Tensor, output_sizes: Any, kernel_sizes: Any, strides: Any = 1, paddings: Any = 0, dilations: Any = 1,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Patches as columns [N, C · kh · kw, patches] added up to images [N, C, H, W] of output_sizes: ``unfold`` the other way."""
    height, width = _window.pair("fold(output_sizes)", output_sizes)
    kh, kw = _window.pair("fold(kernel_sizes)", kernel_sizes)
    if len(x.shape) != 3 or x.shape[1] % (kh * kw):
        given = f"columns of shape {list(x.shape)}"
        raise check.ShapeError(check.message("fold", given, f"[N, C · {kh * kw}, patches]"))
    n, c = x.shape[0], x.shape[1] // (kh * kw)
    sides, rule = _columns("fold", (n, c, height, width), kernel_sizes, strides, paddings, dilations)
    full = np.zeros((n, c, height + sides[0] + sides[1], width + sides[2] + sides[3]), x.dtype.numpy)
    empty = dense(full)
    places = rule(places_of(empty))
    if places.shape != tuple(x.shape):
        raise check.ShapeError(check.message("fold", f"{x.shape[2]} patches", f"{places.shape[2]}"))
    whole = written(empty, x, places, "add")
    return whole[:, :, sides[0] : sides[0] + height, sides[2] : sides[2] + width]


# ---- sampling at points ------------------------------------------------------------------------------------------------------


def affine_grid(theta: Tensor, out_shape: Any, align_corners: bool = True, name: str | None = None) -> Tensor:
    """The points (x, y) of images of out_shape [N, C, H, W] under maps theta [N, 2, 3]: [N, H, W, 2], the image from -1 to 1."""
    sizes = [int(n) for n in (out_shape.tolist() if isinstance(out_shape, Tensor) else out_shape)]
    if len(theta.shape) != 3 or list(theta.shape[1:]) != [2, 3] or len(sizes) != 4:
        given = f"maps of shape {list(theta.shape)} for {sizes}"
        raise check.ShapeError(check.message("affine_grid", given, "maps [N, 2, 3] and images [N, C, H, W]"))

    def line(n: int) -> Any:
        if align_corners:
            return np.linspace(-1, 1, n) if n > 1 else np.zeros(1)
        return (np.arange(n) * 2 + 1) / n - 1

    _, _, h, w = sizes
    points = np.stack([*np.meshgrid(line(w), line(h)), np.ones((h, w))], -1).reshape(-1, 3)
    found = to_tensor(points.astype(theta.dtype.numpy)).matmul(theta, transpose_y=True)
    return found.reshape([theta.shape[0], h, w, 2])


def grid_sample(
    x: Tensor, grid: Tensor, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool = True,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Images [N, C, H, W] at the points (x, y) of grid [N, H', W', 2], the image from -1 to 1: [N, C, H', W'].

    mode: 'bilinear' or 'nearest'. padding_mode, outside the image: 'zeros', 'border' or 'reflection'.
    """
    check.choice("grid_sample(mode)", mode, ("bilinear", "nearest"))
    check.choice("grid_sample(padding_mode)", padding_mode, ("zeros", "border", "reflection"))
    if len(_images("grid_sample", x).shape) != 4 or len(grid.shape) != 4 or grid.shape[3] != 2:
        given = f"points of shape {list(grid.shape)}"
        raise check.ShapeError(check.message("grid_sample", given, "[N, H', W', 2]"))
    n, c, h, w = x.shape
    at = []
    for k, length in ((1, h), (0, w)):
        u = grid[:, :, :, k]
        v = (u + 1) * ((length - 1) / 2) if align_corners else ((u + 1) * length - 1) * 0.5
        at.append(_inside(v, length, padding_mode, align_corners))
    rows, columns = at
    channel = np.arange(c)[None, :, None, None]
    image = np.arange(n)[:, None, None, None]

    def taken(r: Any, s: Any) -> Tensor:
        known = (r >= 0) & (r < h) & (s >= 0) & (s < w)
        r, s = np.clip(r, 0, h - 1)[:, None], np.clip(s, 0, w - 1)[:, None]
        found = picked(x, lambda places: places[image, channel, r, s])
        return found * to_tensor(known[:, None].astype(x.dtype.numpy))

    if mode == "nearest":
        return taken(*(np.rint(v.data_array()).astype(np.int64) for v in at))
    low_r, low_s = (np.floor(v.data_array()).astype(np.int64) for v in at)
    share_r, share_s = (
        (v - to_tensor(low.astype(x.dtype.numpy))).unsqueeze(1) for v, low in ((rows, low_r), (columns, low_s))
    )
    top = taken(low_r, low_s) * (1 - share_s) + taken(low_r, low_s + 1) * share_s
    below = taken(low_r + 1, low_s) * (1 - share_s) + taken(low_r + 1, low_s + 1) * share_s
    return top * (1 - share_r) + below * share_r


def _inside(v: Tensor, length: int, mode: str, corners: bool) -> Tensor:
    if mode == "zeros":
        return v
    if mode == "reflection":
        low, span = (0.0, float(length - 1)) if corners else (-0.5, float(length))
        if span <= 0:
            return v * 0
        values = v.data_array()
        turns = np.floor((values - low) / span)
        odd = np.mod(turns, 2) == 1
        sign = to_tensor(np.where(odd, -1, 1).astype(values.dtype))
        base = np.where(odd, low + (turns + 1) * span + low, -turns * span)
        v = v * sign + to_tensor(base.astype(values.dtype))
    return v.clip(0, length - 1)
