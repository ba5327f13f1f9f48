"""Activations as layers (Paddle: ``paddle.nn.ReLU`` and its like), for ``Sequential``. Any shape; only PReLU has a parameter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lenet.autograd import tape
from lenet.autograd.tensor import Tensor
from lenet.messages import check
from lenet.nn import functional
from lenet.nn.initializer import Constant
from lenet.nn.layer import Layer

__all__ = [
    "CELU", "ELU", "GELU", "GLU", "SELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU", "LogSigmoid",
    "LogSoftmax", "Maxout", "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "Sigmoid", "Silu", "Softmax", "Softmax2D", "Softplus",
    "Softshrink", "Softsign", "Swish", "Tanh", "Tanhshrink", "ThresholdedReLU",
]  # fmt: skip


class _Activation(Layer):
    """``settings`` is what the layer prints between its parentheses, before its name if it has one."""

    def __init__(self, settings: str, name: str | None) -> None:
        super().__init__(dtype=None)
        self._shown = ", ".join(part for part in (settings, f"name={name}" if name else "") if part)

    def extra_repr(self) -> str:
        return self._shown


class _Setting(_Activation):
    """A function of ``functional`` and its settings."""

    _function: Callable[..., Tensor]

    def __init__(self, name: str | None, **settings: Any) -> None:
        super().__init__(", ".join(f"{key}={value}" for key, value in settings.items()), name)
        self._settings = settings

    def forward(self, x: Tensor) -> Tensor:
        return type(self)._function(x, **self._settings)


class ReLU(_Activation):
    """max(x, 0)."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__("", name)

    def forward(self, x: Tensor) -> Tensor:
        return tape.call("relu", x)


class Sigmoid(_Activation):
    """1 / (1 + e^-x)."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__("", name)

    def forward(self, x: Tensor) -> Tensor:
        return tape.call("sigmoid", x)


class Tanh(_Activation):
    """Hyperbolic tangent."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__("", name)

    def forward(self, x: Tensor) -> Tensor:
        return tape.call("tanh", x)


class LeakyReLU(_Activation):
    """negative_slope · x where x < 0, x elsewhere."""

    def __init__(self, negative_slope: float = 0.01, name: str | None = None) -> None:
        super().__init__(f"negative_slope={negative_slope}", name)
        self._slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        return functional.leaky_relu(x, self._slope)


class Softmax(_Activation):
    """e^x / Σ e^x along ``axis``."""

    def __init__(self, axis: int = -1, name: str | None = None) -> None:
        super().__init__(f"axis={axis}", name)
        self._axis = _axis("Softmax", axis)

    def forward(self, x: Tensor) -> Tensor:
        return tape.call("softmax", x, axis=self._axis)


class LogSoftmax(_Activation):
    """The logarithm of softmax along ``axis``."""

    def __init__(self, axis: int = -1, name: str | None = None) -> None:
        super().__init__(f"axis={axis}", name)
        self._axis = _axis("LogSoftmax", axis)

    def forward(self, x: Tensor) -> Tensor:
        return functional.log_softmax(x, self._axis)


def _axis(what: str, axis: Any) -> int:
    if isinstance(axis, bool) or not hasattr(axis, "__index__"):
        raise TypeError(check.message(f"{what}(axis)", check.describe(axis), "a whole number"))
    return int(axis)


class ELU(_Setting):
    """x where x > 0, alpha · (e^x - 1) elsewhere."""

    _function = staticmethod(functional.elu)

    def __init__(self, alpha: float = 1.0, name: str | None = None) -> None:
        super().__init__(name, alpha=alpha)


class CELU(_Setting):
    """x where x > 0, alpha · (e^(x / alpha) - 1) elsewhere."""

    _function = staticmethod(functional.celu)

    def __init__(self, alpha: float = 1.0, name: str | None = None) -> None:
        super().__init__(name, alpha=alpha)


class SELU(_Setting):
    """scale · x where x > 0, scale · alpha · (e^x - 1) elsewhere."""

    _function = staticmethod(functional.selu)

    def __init__(
        self, scale: float = 1.0507009873554805, alpha: float = 1.6732632423543772, name: str | None = None
    ) -> None:
        super().__init__(name, scale=scale, alpha=alpha)


class GELU(_Setting):
    """x times the normal distribution's share below x; approximate: by a tanh."""

    _function = staticmethod(functional.gelu)

    def __init__(self, approximate: bool | str = False, name: str | None = None) -> None:
        super().__init__(name, approximate=approximate)


class ReLU6(_Setting):
    """x held between 0 and 6."""

    _function = staticmethod(functional.relu6)

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)


class Silu(_Setting):
    """x · sigmoid(x). inplace changes nothing."""

    _function = staticmethod(functional.silu)

    def __init__(self, inplace: bool = False, name: str | None = None) -> None:
        super().__init__(name, inplace=inplace)


class Swish(_Setting):
    """x · sigmoid(x)."""

    _function = staticmethod(functional.swish)

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)


class Mish(_Setting):
    """x · tanh(log(1 + e^x))."""

    _function = staticmethod(functional.mish)

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)


class Hardswish(_Setting):
    """x · (x + 3, held between 0 and 6) / 6."""

    _function = staticmethod(functional.hardswish)

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)


class Hardsigmoid(_Setting):
    """x / 6 + ½, held between 0 and 1."""

    _function = staticmethod(functional.hardsigmoid)

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)


class Hardtanh(_Setting):
    """x held between min and max."""

    _function = staticmethod(functional.hardtanh)

    def __init__(self, min: float = -1.0, max: float = 1.0, name: str | None = None) -> None:
        super().__init__(name, min=min, max=max)


class Softplus(_Setting):
    """log(1 + e^(beta · x)) / beta; x itself where beta · x > threshold."""

    _function = staticmethod(functional.softplus)

    def __init__(self, beta: float = 1, threshold: float = 20, name: str | None = None) -> None:
        super().__init__(name, beta=beta, threshold=threshold)


class Softsign(_Setting):
    """x / (1 + |x|)."""

    _function = staticmethod(functional.softsign)

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)


class Tanhshrink(_Setting):
    """x - tanh(x)."""

    _function = staticmethod(functional.tanhshrink)

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)


class LogSigmoid(_Setting):
    """log(1 / (1 + e^-x))."""

    _function = staticmethod(functional.log_sigmoid)

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)


class PReLU(_Activation):
    """weight · x where x < 0, x elsewhere; ``_weight`` [num_parameters] is learnt, from ``init`` on: one, or one a channel."""

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        weight_attr: Any = None,
        data_format: str = "NCHW",
        name: str | None = None,
    ) -> None:
        count = check.positive_int("PReLU(num_parameters)", num_parameters)
        super().__init__(
            f"num_parameters={num_parameters}, data_format={data_format}, init={init}, dtype=float32", name
        )
        self._format = data_format
        self._weight = self.create_parameter([count], weight_attr, default_initializer=Constant(init))

    def forward(self, x: Tensor) -> Tensor:
        return functional.prelu(x, self._weight, self._format)  # type: ignore[arg-type]


class Hardshrink(_Setting):
    """x where |x| > threshold, 0 elsewhere."""

    _function = staticmethod(functional.hardshrink)

    def __init__(self, threshold: float = 0.5, name: str | None = None) -> None:
        super().__init__(name, threshold=threshold)


class Softshrink(_Setting):
    """x drawn towards 0 by threshold, 0 where it would cross."""

    _function = staticmethod(functional.softshrink)

    def __init__(self, threshold: float = 0.5, name: str | None = None) -> None:
        super().__init__(name, threshold=threshold)


class ThresholdedReLU(_Setting):
    """x where x > threshold, value elsewhere."""

    _function = staticmethod(functional.thresholded_relu)

    def __init__(self, threshold: float = 1.0, value: float = 0.0, name: str | None = None) -> None:
        super().__init__(name, threshold=threshold, value=value)


class GLU(_Setting):
    """The first half of x along an axis times the sigmoid of the second half."""

    _function = staticmethod(functional.glu)

    def __init__(self, axis: int = -1, name: str | None = None) -> None:
        super().__init__(name, axis=axis)


class Maxout(_Setting):
    """The largest of each ``groups`` neighbouring channels."""

    _function = staticmethod(functional.maxout)

    def __init__(self, groups: int, axis: int = 1, name: str | None = None) -> None:
        super().__init__(name, groups=groups, axis=axis)


class Softmax2D(_Setting):
    """softmax over the channels of images [N, C, H, W] or [C, H, W]."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)

    def forward(self, x: Tensor) -> Tensor:
        if len(x.shape) not in (3, 4):
            given = f"x of shape {list(x.shape)}"
            raise check.ShapeError(check.message("Softmax2D", given, "[N, C, H, W] or [C, H, W]"))
        return functional.softmax(x, axis=-3)


class RReLU(_Activation):
    """x where x >= 0, a · x elsewhere; in training a is drawn between lower and upper, else it is their mean."""

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, name: str | None = None) -> None:
        super().__init__("", name)
        self._lower, self._upper = lower, upper

    def forward(self, x: Tensor) -> Tensor:
        return functional.rrelu(x, self._lower, self._upper, self.training)

    def extra_repr(self) -> str:
        return f"lower={self._lower}, upper={self._upper}, training={self.training}, dtype=float32"
