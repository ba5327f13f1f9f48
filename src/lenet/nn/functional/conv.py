"""Convolution and its transpose, of images [N, C, H, W] or [N, H, W, C]."""

from __future__ import annotations

from typing import Any

from lenet.autograd import tape
from lenet.autograd.tensor import Tensor
from lenet.messages import check
from lenet.nn import _window
from lenet.nn.functional.common import border

__all__ = ["conv2d", "conv2d_transpose"]


def conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    data_format: str = "NCHW",
    name: str | None = None,
) -> Tensor:
    """x [N, C, H, W] cross-correlated with weight [O, C/groups, kh, kw], plus bias [O]: [N, O, H', W'].

    data_format='NHWC': x is [N, H, W, C], and so is what comes out.

    stride, dilation: n or [h, w]. padding: see ``_window.parse_padding``. ValueError for what does not fit.
    """
    if _window.channels_last("conv2d", data_format):
        x = x.transpose([0, 3, 1, 2])
        return conv2d(x, weight, bias, stride, padding, dilation, groups).transpose([0, 2, 3, 1])
    attrs = conv_attrs("conv2d", stride, padding, dilation, groups)
    kernel = (weight.shape[2], weight.shape[3]) if isinstance(weight, Tensor) and len(weight.shape) == 4 else (1, 1)
    return tape.call("conv2d", x, weight, bias, **_window.resolved(attrs, _window.shape_of(x), kernel))


def padded(what: str, x: Tensor, sides: Any, mode: str) -> Tensor:
    """Images [N, C, H, W] with a border taken from themselves, for a convolution whose padding_mode isn't 'zeros'."""
    top, bottom, left, right = sides
    shape = _window.shape_of(x)
    if len(shape) != 4:
        raise check.ShapeError(check.message(what, f"images of shape {shape}", "4 dimensions, [N, C, H, W]"))
    return border(what, x, [(0, 0), (0, 0), (top, bottom), (left, right)], mode)


def conv2d_transpose(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    output_size: Any = None,
    data_format: str = "NCHW",
    name: str | None = None,
) -> Tensor:
    """The transpose of ``conv2d``: x [N, C, H, W] with weight [C, O/groups, kh, kw], plus bias [O]: [N, O, H', W'].

    H' = (H - 1) · stride - padding above and below + dilation · (kh - 1) + 1 + output_padding. output_size: [H', W']
    instead of output_padding. ValueError for what does not fit.
    """
    if _window.channels_last("conv2d_transpose", data_format):
        x = x.transpose([0, 3, 1, 2])
        made = conv2d_transpose(x, weight, bias, stride, padding, output_padding, dilation, groups, output_size)
        return made.transpose([0, 2, 3, 1])
    attrs = conv_attrs("conv2d_transpose", stride, padding, dilation, groups)
    if attrs["padding"] == "SAME":
        raise ValueError(check.message("conv2d_transpose(padding)", "'SAME'", "numbers, or 'VALID'"))
    more = _window.pair("conv2d_transpose(output_padding)", output_padding, least=0)
    if output_size is not None:
        more = _missing(_window.pair("conv2d_transpose(output_size)", output_size), x, weight, attrs)
    if any(m >= max(s, d) for m, s, d in zip(more, attrs["stride"], attrs["dilation"], strict=True)):
        expected = f"less than the stride {list(attrs['stride'])} or the dilation"
        raise ValueError(check.message("conv2d_transpose(output_padding)", list(more), expected))
    return tape.call("conv2d_transpose", x, weight, bias, output_padding=more, **attrs)


def _missing(wanted: tuple[int, int], x: Tensor, weight: Tensor, attrs: dict[str, Any]) -> tuple[int, int]:
    """How many rows and columns the wanted output size has more than the least."""
    sides, found = attrs["padding"], []
    for i, want in enumerate(wanted):
        step, spread = attrs["stride"][i], attrs["dilation"][i]
        least = (x.shape[2 + i] - 1) * step - sides[2 * i] - sides[2 * i + 1] + spread * (weight.shape[2 + i] - 1) + 1
        if not least <= want < least + step:
            expected = f"{least} to {least + step - 1} along axis {i}"
            raise ValueError(check.message("conv2d_transpose(output_size)", list(wanted), expected))
        found.append(want - least)
    return found[0], found[1]


def conv_attrs(what: str, stride: Any, padding: Any, dilation: Any, groups: int) -> dict[str, Any]:
    """The table's attributes of a convolution; its padding may be "SAME", which ``_window.resolved`` settles."""
    sides = _window.parse_padding(f"{what}(padding)", padding)
    spread = _window.pair(f"{what}(dilation)", dilation)
    return {
        "stride": _window.pair(f"{what}(stride)", stride),
        "padding": sides,
        "dilation": (1, 1) if sides == "SAME" else spread,  # Paddle's rule
        "groups": check.positive_int(f"{what}(groups)", groups),
    }
