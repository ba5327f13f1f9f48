"""``Conv2D`` and its transpose: layers with a weight and a bias (Paddle: ``paddle.nn.Conv2D``). The table does the work."""

from __future__ import annotations

from typing import Any

from lenet.autograd import tape
from lenet.autograd.tensor import Parameter, Tensor
from lenet.messages import check
from lenet.nn import _window, functional
from lenet.nn.functional.conv import conv_attrs, padded
from lenet.nn.initializer import Normal, XavierUniform
from lenet.nn.layer import Layer

__all__ = ["Conv2D", "Conv2DTranspose"]


class Conv2D(Layer):
    """Images [N, in_channels, H, W] to [N, out_channels, H', W']: cross-correlation with ``weight``, plus ``bias``.

    weight: [out_channels, in_channels / groups, kh, kw], first values N(0, √(2 / (in_channels·kh·kw))). bias: [out_channels],
    zeros; None with ``bias_attr=False`` or ``bias=False``. kernel_size, stride, dilation: n or [h, w].
    padding: n, [h, w], [top, bottom, left, right], [[0, 0], [0, 0], [top, bottom], [left, right]], 'SAME' or 'VALID'.
    padding_mode: what stands beyond the image: 'zeros', 'reflect', 'replicate' or 'circular'. data_format: 'NCHW', or 'NHWC'
    for images [N, H, W, C]. dtype: float32 or float64. The only device is the CPU (ValueError).
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        *,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
        weight_attr: Any = None,
        bias_attr: Any = None,
        data_format: str = "NCHW",
    ) -> None:
        super().__init__(dtype=dtype)
        self._last = _window.channels_last("Conv2D", data_format)
        modes = ("zeros", "reflect", "replicate", "circular")
        self._mode = check.choice("Conv2D(padding_mode)", padding_mode, modes)
        if weight_attr is False:
            raise ValueError(
                check.message("Conv2D(weight_attr)", False, "None or a ParamAttr: a convolution needs its weight")
            )
        self.to(device)
        self._in_channels = check.positive_int("Conv2D(in_channels)", in_channels)
        self._out_channels = check.positive_int("Conv2D(out_channels)", out_channels)
        self._kernel = _window.pair("Conv2D(kernel_size)", kernel_size)
        self._attrs = conv_attrs("Conv2D", stride, padding, dilation, groups)
        self._padding, self._dilation = padding, _window.pair("Conv2D(dilation)", dilation)
        groups = self._attrs["groups"]
        for what, channels in (("in_channels", self._in_channels), ("out_channels", self._out_channels)):
            if channels % groups:
                raise ValueError(check.message(f"Conv2D({what})", channels, f"a multiple of groups, {groups}"))
        fan_in = self._in_channels * self._kernel[0] * self._kernel[1]
        shape = [self._out_channels, self._in_channels // groups, *self._kernel]
        first = Normal(0.0, (2.0 / fan_in) ** 0.5)
        self.weight = self.create_parameter(shape, weight_attr, default_initializer=first)  # type: ignore[assignment]
        self.bias = self.create_parameter([self._out_channels], bias_attr if bias else False, is_bias=True)

    def forward(self, x: Tensor) -> Tensor:
        if self._last:
            return self._plain(x.transpose([0, 3, 1, 2])).transpose([0, 2, 3, 1])
        return self._plain(x)

    def _plain(self, x: Tensor) -> Tensor:
        """Of images [N, C, H, W]."""
        attrs = self._attrs
        if attrs["padding"] == "SAME":
            attrs = _window.resolved(attrs, x.shape, self._kernel)
        if self._mode != "zeros":
            x, attrs = padded("Conv2D", x, attrs["padding"], self._mode), attrs | {"padding": (0, 0, 0, 0)}
        return tape.call("conv2d", x, self.weight, self.bias, **attrs)

    def extra_repr(self) -> str:
        text = f"{self._in_channels}, {self._out_channels}, kernel_size={list(self._kernel)}"
        if self._attrs["stride"] != (1, 1):
            text += f", stride={list(self._attrs['stride'])}"
        if self._padding != 0:
            text += f", padding={self._padding}"
        if self._dilation != (1, 1):
            text += f", dilation={list(self._dilation)}"
        if self._attrs["groups"] != 1:
            text += f", groups={self._attrs['groups']}"
        if self._mode != "zeros":
            text += f", padding_mode={self._mode}"
        return f"{text}, data_format={'NHWC' if self._last else 'NCHW'}"


class Conv2DTranspose(Layer):
    """Images [N, in_channels, H, W] to larger ones [N, out_channels, H', W'] by the transpose of a convolution.

    weight: [in_channels, out_channels / groups, kh, kw], first values XavierUniform. bias: [out_channels], zeros; None with
    ``bias_attr=False``. The other arguments and the output's size: ``functional.conv2d_transpose``.
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        weight_attr: Any = None,
        bias_attr: Any = None,
        data_format: str = "NCHW",
    ) -> None:
        super().__init__(dtype=None)
        self._in_channels = check.positive_int("Conv2DTranspose(in_channels)", in_channels)
        self._out_channels = check.positive_int("Conv2DTranspose(out_channels)", out_channels)
        self._kernel = _window.pair("Conv2DTranspose(kernel_size)", kernel_size)
        self._format = "NHWC" if _window.channels_last("Conv2DTranspose", data_format) else "NCHW"
        conv_attrs("Conv2DTranspose", stride, padding, dilation, groups)
        self._settings = (stride, padding, output_padding, dilation, groups)
        for what, channels in (("in_channels", self._in_channels), ("out_channels", self._out_channels)):
            if channels % groups:
                raise ValueError(check.message(f"Conv2DTranspose({what})", channels, f"a multiple of groups, {groups}"))
        shape = [self._in_channels, self._out_channels // groups, *self._kernel]
        self.weight = self.create_parameter(shape, weight_attr, default_initializer=XavierUniform())  # type: ignore[assignment]
        self.bias = self.create_parameter([self._out_channels], bias_attr, is_bias=True)

    def forward(self, x: Tensor, output_size: Any = None) -> Tensor:
        stride, padding, more, dilation, groups = self._settings
        more = 0 if output_size is not None else more
        return functional.conv2d_transpose(
            x, self.weight, self.bias, stride, padding, more, dilation, groups, output_size, self._format
        )

    def extra_repr(self) -> str:
        stride, padding, more, dilation, groups = self._settings
        text = f"{self._in_channels}, {self._out_channels}, kernel_size={list(self._kernel)}"
        pairs = (("stride", _window.pair("", stride)), ("padding", padding), ("output_padding", more))
        for name, value in (*pairs, ("dilation", _window.pair("", dilation)), ("groups", groups)):
            if value not in (0, (0, 0)) and not (value in (1, (1, 1)) and name in ("stride", "dilation", "groups")):
                text += f", {name}={list(value) if isinstance(value, tuple) else value}"
        return f"{text}, data_format={self._format}"
