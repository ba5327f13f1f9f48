"""Pooling layers (Paddle: ``paddle.nn.MaxPool2D`` and its like). They hold settings alone; the arithmetic is the table's."""

from __future__ import annotations

from typing import Any

from lenet.autograd.tensor import Tensor
from lenet.messages import check
from lenet.nn import _window, functional
from lenet.nn.functional import pooling
from lenet.nn.layer import Layer

__all__ = ["AdaptiveAvgPool2D", "AdaptiveMaxPool2D", "AvgPool2D", "MaxPool2D"]


class _Pool(Layer):
    def __init__(self, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, data_format: str) -> None:
        super().__init__()
        what = type(self).__name__
        self._last = _window.channels_last(what, data_format)
        self._attrs = pooling.pool_attrs(what, kernel_size, stride, padding, ceil_mode)
        self._shown = f"kernel_size={kernel_size}, stride={stride}, padding={padding}"

    def extra_repr(self) -> str:
        return self._shown


class MaxPool2D(_Pool):
    """The largest value of each window of images [N, C, H, W]; arguments as ``functional.max_pool2d``."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        return_mask: bool = False,
        ceil_mode: bool = False,
        data_format: str = "NCHW",
        name: str | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, data_format)
        self._return_mask = bool(return_mask)
        if self._last and return_mask:
            raise ValueError(check.message("MaxPool2D(return_mask)", True, "False with data_format='NHWC'"))

    def forward(self, x: Tensor) -> Any:
        if self._last:
            return pooling.run_max_pool(x.transpose([0, 3, 1, 2]), self._attrs, False).transpose([0, 2, 3, 1])
        return pooling.run_max_pool(x, self._attrs, self._return_mask)


class AvgPool2D(_Pool):
    """The mean of each window of images [N, C, H, W]; arguments as ``functional.avg_pool2d``."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        exclusive: bool = True,
        divisor_override: float | None = None,
        data_format: str = "NCHW",
        name: str | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, data_format)
        self._attrs |= pooling.avg_attrs("AvgPool2D", exclusive, divisor_override)

    def forward(self, x: Tensor) -> Tensor:
        if self._last:
            return pooling.run_avg_pool(x.transpose([0, 3, 1, 2]), self._attrs).transpose([0, 2, 3, 1])
        return pooling.run_avg_pool(x, self._attrs)


class AdaptiveAvgPool2D(Layer):
    """Mean pooling of images [N, C, H, W] to ``output_size`` (n or [h, w], None keeps a size)."""

    def __init__(self, output_size: Any, data_format: str = "NCHW", name: str | None = None) -> None:
        super().__init__()
        self._format = "NHWC" if _window.channels_last("AdaptiveAvgPool2D", data_format) else "NCHW"
        pooling.output_pair("AdaptiveAvgPool2D", output_size)
        self._output_size = output_size

    def forward(self, x: Tensor) -> Tensor:
        return functional.adaptive_avg_pool2d(x, self._output_size, self._format)

    def extra_repr(self) -> str:
        return f"output_size={self._output_size}"


class AdaptiveMaxPool2D(Layer):
    """Max pooling of images [N, C, H, W] to ``output_size``, as ``AdaptiveAvgPool2D``; return_mask as ``MaxPool2D``."""

    def __init__(self, output_size: Any, return_mask: bool = False, name: str | None = None) -> None:
        super().__init__()
        pooling.output_pair("AdaptiveMaxPool2D", output_size)
        self._output_size, self._return_mask = output_size, bool(return_mask)

    def forward(self, x: Tensor) -> Any:
        return functional.adaptive_max_pool2d(x, self._output_size, self._return_mask)

    def extra_repr(self) -> str:
        return f"output_size={self._output_size}, return_mask={self._return_mask}"
