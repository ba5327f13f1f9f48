"""Activations as layers (Paddle: ``paddle.nn.ReLU`` and its like), for ``Sequential``. No parameters; any shape."""

from __future__ import annotations

from typing import Any

from lenet.autograd import tape
from lenet.autograd.tensor import Tensor
from lenet.messages import check
from lenet.nn import functional
from lenet.nn.layer import Layer

__all__ = ["LeakyReLU", "LogSoftmax", "ReLU", "Sigmoid", "Softmax", "Tanh"]


class _Activation(Layer):
    """``settings`` is what the layer prints between its parentheses, before its name if it has one."""

    def __init__(self, settings: str, name: str | None) -> None:
        super().__init__()
        self._shown = ", ".join(part for part in (settings, f"name={name}" if name else "") if part)

    def extra_repr(self) -> str:
        return self._shown


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
