"""Layers that rearrange images (Paddle: ``paddle.nn.PixelShuffle`` and its like): ``functional``'s, with their settings fixed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lenet.autograd import array_rows
from lenet.autograd.tensor import Tensor
from lenet.messages import check
from lenet.nn import _window, functional
from lenet.nn.layer import Layer

__all__ = ["ChannelShuffle", "Fold", "PixelShuffle", "PixelUnshuffle", "Unflatten", "Unfold"]


class _Shuffle(Layer):
    """A whole number and a data format."""

    _function: Callable[..., Tensor]
    _setting: str

    def __init__(self, number: int, data_format: str) -> None:
        super().__init__()
        what = type(self).__name__
        self._number = check.positive_int(f"{what}({self._setting})", number)
        _window.channels_last(what, data_format)
        self._format = data_format

    def forward(self, x: Tensor) -> Tensor:
        return type(self)._function(x, self._number, self._format)

    def extra_repr(self) -> str:
        text = f"{self._setting}={self._number}"
        return text if self._format == "NCHW" else f"{text}, data_format={self._format}"


class PixelShuffle(_Shuffle):
    """[N, C·r², H, W] to [N, C, H·r, W·r]: ``functional.pixel_shuffle``."""

    _function = staticmethod(functional.pixel_shuffle)
    _setting = "upscale_factor"

    def __init__(self, upscale_factor: int, data_format: str = "NCHW", name: str | None = None) -> None:
        super().__init__(upscale_factor, data_format)


class PixelUnshuffle(_Shuffle):
    """[N, C, H·r, W·r] to [N, C·r², H, W]: ``functional.pixel_unshuffle``."""

    _function = staticmethod(functional.pixel_unshuffle)
    _setting = "downscale_factor"

    def __init__(self, downscale_factor: int, data_format: str = "NCHW", name: str | None = None) -> None:
        super().__init__(downscale_factor, data_format)


class ChannelShuffle(_Shuffle):
    """The channels dealt out anew, one of each group in turn: ``functional.channel_shuffle``."""

    _function = staticmethod(functional.channel_shuffle)
    _setting = "groups"

    def __init__(self, groups: int, data_format: str = "NCHW", name: str | None = None) -> None:
        super().__init__(groups, data_format)


class Unfold(Layer):
    """The patches of images as columns: ``functional.unfold``."""

    def __init__(
        self, kernel_sizes: Any, dilations: Any = 1, paddings: Any = 0, strides: Any = 1, name: str | None = None
    ) -> None:
        super().__init__()
        self._settings = (kernel_sizes, strides, paddings, dilations)

    def forward(self, input: Tensor) -> Tensor:
        return functional.unfold(input, *self._settings)

    def extra_repr(self) -> str:
        kernel, stride, padding, dilation = self._settings
        return f"kernel_size={kernel}, dilation={dilation}, padding={padding}, stride={stride}"


class Fold(Layer):
    """Patches as columns added up to images: ``functional.fold``."""

    def __init__(
        self, output_sizes: Any, kernel_sizes: Any, dilations: Any = 1, paddings: Any = 0, strides: Any = 1,
        name: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._size = output_sizes
        self._settings = (kernel_sizes, strides, paddings, dilations)

    def forward(self, input: Tensor) -> Tensor:
        return functional.fold(input, self._size, *self._settings)

    def extra_repr(self) -> str:
        kernel, stride, padding, dilation = self._settings
        return f"kernel_size={kernel}, dilation={dilation}, padding={padding}, stride={stride}"


class Unflatten(Layer):
    """One axis parted into several: ``lenet.unflatten``."""

    def __init__(self, axis: int, shape: Any, name: str | None = None) -> None:
        super().__init__()
        self._axis, self._shape = axis, shape

    def forward(self, input: Tensor) -> Tensor:
        return array_rows.unflatten(input, self._axis, self._shape)

    def extra_repr(self) -> str:
        return f"axis={self._axis}, shape={self._shape}"
