"""``Conv2D``: a convolution layer with its weight and bias (Paddle: ``paddle.nn.Conv2D``). The arithmetic is the table's."""

from __future__ import annotations

from typing import Any

from lenet.autograd import tape
from lenet.autograd.tensor import Parameter, Tensor
from lenet.messages import check
from lenet.nn import _window
from lenet.nn.functional import conv_attrs
from lenet.nn.initializer import Normal
from lenet.nn.layer import Layer
from lenet.nn.param import check_float32

__all__ = ["Conv2D"]


class Conv2D(Layer):
    """Images [N, in_channels, H, W] to [N, out_channels, H', W']: cross-correlation with ``weight``, plus ``bias``.

    weight: [out_channels, in_channels / groups, kh, kw], first values N(0, √(2 / (in_channels·kh·kw))). bias: [out_channels],
    zeros; None with ``bias_attr=False`` or ``bias=False``. kernel_size, stride, dilation: n or [h, w].
    padding: n, [h, w], [top, bottom, left, right], [[0, 0], [0, 0], [top, bottom], [left, right]], 'SAME' or 'VALID'.
    padding_mode 'zeros' and data_format 'NCHW' are the only ones (ValueError), and so are float32 and the CPU.
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
        super().__init__()
        check_float32("Conv2D(dtype)", dtype)
        _window.only_nchw("Conv2D", data_format)
        if padding_mode != "zeros":
            raise ValueError(check.message("Conv2D(padding_mode)", repr(padding_mode), "'zeros'"))
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
        attrs = self._attrs
        if attrs["padding"] == "SAME":
            attrs = _window.resolved(attrs, x.shape, self._kernel)
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
        return f"{text}, data_format=NCHW"
