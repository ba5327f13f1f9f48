"""``Linear``, ``Flatten`` and ``Identity``: the plain layers after the images (Paddle: ``paddle.nn.Linear`` and its like)."""

from __future__ import annotations

from typing import Any

from lenet.autograd import tape
from lenet.autograd.tensor import Parameter, Tensor
from lenet.messages import check
from lenet.nn.layer import Layer

__all__ = ["Flatten", "Identity", "Linear"]


class Linear(Layer):
    """x [..., in_features] @ ``weight`` [in_features, out_features] + ``bias`` [out_features].

    First values: weight XavierUniform, bias zeros (None with ``bias_attr=False``). The weight is the transpose of PyTorch's.
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        weight_attr: Any = None,
        bias_attr: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(dtype=None)
        if weight_attr is False:
            raise ValueError(
                check.message("Linear(weight_attr)", False, "None or a ParamAttr: a linear layer needs its weight")
            )
        self._in = check.positive_int("Linear(in_features)", in_features)
        self._out = check.positive_int("Linear(out_features)", out_features)
        self._name = name
        self.weight = self.create_parameter([self._in, self._out], weight_attr)  # type: ignore[assignment]
        self.bias = self.create_parameter([self._out], bias_attr, is_bias=True)

    def forward(self, x: Tensor) -> Tensor:
        return tape.call("linear", x, self.weight, self.bias)

    def extra_repr(self) -> str:
        name = f", name={self._name}" if self._name else ""
        return f"in_features={self._in}, out_features={self._out}, dtype=float32{name}"


class Flatten(Layer):
    """Merges the dimensions from ``start_axis`` to ``stop_axis`` (both kept, negative ones count from the end) into one."""

    def __init__(self, start_axis: int = 1, stop_axis: int = -1) -> None:
        super().__init__()
        for what, axis in (("start_axis", start_axis), ("stop_axis", stop_axis)):
            if isinstance(axis, bool) or not hasattr(axis, "__index__"):
                raise ValueError(check.message(f"Flatten({what})", check.describe(axis), "a whole number"))
        self._start, self._stop = int(start_axis), int(stop_axis)

    def forward(self, x: Tensor) -> Tensor:
        return tape.call("flatten", x, start=self._start, stop=self._stop)


class Identity(Layer):
    """Hands its input on. Arguments are accepted and ignored, so that it can stand in for any layer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, x: Any) -> Any:
        return x
