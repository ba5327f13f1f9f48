"""Normalising layers (Paddle: ``paddle.nn.BatchNorm2D`` and its like). Sources: Ioffe and Szegedy 2015; Ba et al. 2016."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lenet.autograd.tensor import Parameter, Tensor, to_tensor
from lenet.messages import check
from lenet.nn import functional
from lenet.nn.initializer import Constant, Normal
from lenet.nn.layer import Layer
from lenet.nn.param import ParamAttr

__all__ = [
    "BatchNorm", "BatchNorm1D", "BatchNorm2D", "GroupNorm", "InstanceNorm1D", "InstanceNorm2D", "LayerNorm",
    "LocalResponseNorm", "SpectralNorm", "SyncBatchNorm",
]  # fmt: skip


class _BatchNorm(Layer):
    """``weight`` and ``bias`` [C], first 1 and 0 (None with weight_attr or bias_attr False); ``_mean`` and ``_variance`` [C].

    The latter, first 0 and 1, are parameters that no optimizer moves: in training each batch brings them nearer to its own
    mean and biased variance, by 1 - momentum. Evaluation normalises with them.
    """

    weight: Parameter | None
    bias: Parameter | None
    _mean: Parameter
    _variance: Parameter
    _ranks: tuple[int, ...] = (4,)
    _images = "[N, C, H, W]"

    def __init__(
        self,
        num_features: int,
        momentum: float,
        epsilon: float,
        weight_attr: Any,
        bias_attr: Any,
        data_format: str,
        use_global_stats: bool | None,
        names: tuple[str | None, str | None] = (None, None),
    ) -> None:
        super().__init__(dtype=None)
        what = type(self).__name__
        shape = [check.positive_int(f"{what}(num_features)", num_features)]
        self._settings: dict[str, Any] = {
            "momentum": _share(f"{what}(momentum)", momentum),
            "epsilon": _above_zero(f"{what}(epsilon)", epsilon),
            "data_format": data_format,
            "use_global_stats": use_global_stats,
        }
        self.weight = self.create_parameter(shape, weight_attr, default_initializer=Constant(1.0))
        self.bias = self.create_parameter(shape, bias_attr, is_bias=True)
        mean, variance = (
            ParamAttr(name, Constant(start), trainable=False) for name, start in zip(names, (0.0, 1.0), strict=True)
        )
        self._mean = self.create_parameter(shape, mean)  # type: ignore[assignment]
        self._variance = self.create_parameter(shape, variance)  # type: ignore[assignment]

    def forward(self, x: Tensor) -> Tensor:
        if len(x.shape) not in self._ranks:
            given = f"x of shape {list(x.shape)}"
            raise check.ShapeError(check.message(type(self).__name__, given, self._images))
        running = (self._mean, self._variance)
        return functional.batch_norm(x, *running, self.weight, self.bias, self.training, **self._settings)

    def extra_repr(self) -> str:
        text = f"num_features={self._mean.shape[0]}, momentum={self._settings['momentum']}"
        text += f", epsilon={self._settings['epsilon']}"
        shown = self._settings["data_format"]
        return text if shown == "NCHW" else f"{text}, data_format={shown}"


class BatchNorm2D(_BatchNorm):
    """Images [N, C, H, W] (or [N, H, W, C] with data_format='NHWC') normalised channel by channel: ``functional.batch_norm``.

    momentum: how much of the running statistics a batch leaves as it was. use_global_stats: True uses these in training, too.
    """

    def __init__(
        self,
        num_features: int,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        weight_attr: Any = None,
        bias_attr: Any = None,
        data_format: str = "NCHW",
        use_global_stats: bool | None = None,
        name: str | None = None,
    ) -> None:
        check.choice("BatchNorm2D(data_format)", data_format, ("NCHW", "NHWC"))
        super().__init__(num_features, momentum, epsilon, weight_attr, bias_attr, data_format, use_global_stats)


class BatchNorm1D(_BatchNorm):
    """Vectors [N, C] or sequences [N, C, L] normalised channel by channel; arguments as ``BatchNorm2D``."""

    _ranks = (2, 3)
    _images = "[N, C] or [N, C, L]"

    def __init__(
        self,
        num_features: int,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        weight_attr: Any = None,
        bias_attr: Any = None,
        data_format: str = "NCL",
        use_global_stats: bool | None = None,
        name: str | None = None,
    ) -> None:
        check.choice("BatchNorm1D(data_format)", data_format, ("NCL", "NC", "NLC"))
        super().__init__(num_features, momentum, epsilon, weight_attr, bias_attr, data_format, use_global_stats)


class BatchNorm(_BatchNorm):
    """The older form: any number of axes, and an activation (``act``, the name of one in ``functional``) at the end.

    is_test: always use the running statistics. The arguments it has beyond ``BatchNorm2D`` are accepted and change nothing.
    """

    _ranks = (2, 3, 4)
    _images = "[N, C], [N, C, L] or [N, C, H, W]"

    def __init__(
        self,
        num_channels: int,
        act: str | None = None,
        is_test: bool = False,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        param_attr: Any = None,
        bias_attr: Any = None,
        dtype: Any = "float32",
        data_layout: str = "NCHW",
        in_place: bool = False,
        moving_mean_name: str | None = None,
        moving_variance_name: str | None = None,
        do_model_average_for_mean_and_var: bool = True,
        use_global_stats: bool = False,
        trainable_statistics: bool = False,
    ) -> None:
        check.choice("BatchNorm(data_layout)", data_layout, ("NCHW", "NHWC"))
        if act is not None:
            check.choice("BatchNorm(act)", act, functional.activation.__all__)
        names = (moving_mean_name, moving_variance_name)
        frozen = use_global_stats or is_test or None
        super().__init__(num_channels, momentum, epsilon, param_attr, bias_attr, data_layout, frozen, names)
        self._act = act

    def extra_repr(self) -> str:
        return ""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y if self._act is None else getattr(functional, self._act)(y)


class LayerNorm(Layer):
    """Each sample's last axes, of shape normalized_shape, brought to mean 0 and variance 1, times weight plus bias.

    ``weight`` and ``bias`` are flat, as many numbers as that shape has, first 1 and 0; None with weight_attr or bias_attr
    (or bias) False, and both with elementwise_affine False.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: Any,
        epsilon: float = 1e-5,
        *,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
        weight_attr: Any = None,
        bias_attr: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(dtype=dtype)
        self.to(device)
        shape = [normalized_shape] if hasattr(normalized_shape, "__index__") else list(normalized_shape)
        self._shape = [check.positive_int("LayerNorm(normalized_shape)", n) for n in shape]
        self._epsilon = _above_zero("LayerNorm(epsilon)", epsilon)
        first, flat = Constant(1.0), [math.prod(self._shape)]
        weight_attr = weight_attr if elementwise_affine else False
        self.weight = self.create_parameter(flat, weight_attr, default_initializer=first)
        self.bias = self.create_parameter(flat, bias_attr if elementwise_affine and bias else False, is_bias=True)

    def forward(self, x: Tensor) -> Tensor:
        return functional.layer_norm(x, self._shape, self.weight, self.bias, self._epsilon)

    def extra_repr(self) -> str:
        return f"normalized_shape={self._shape}, epsilon={self._epsilon}"


class SyncBatchNorm(BatchNorm2D):
    """``BatchNorm2D``: there is one machine, whose batch is the whole batch."""

    @classmethod
    def convert_sync_batchnorm(cls, layer: Layer) -> Layer:
        """The network as it is."""
        return layer


class GroupNorm(Layer):
    """Each sample's num_groups groups of channels brought to mean 0 and variance 1, times ``weight`` plus ``bias`` [C]."""

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        epsilon: float = 1e-5,
        *,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        weight_attr: Any = None,
        bias_attr: Any = None,
        data_format: str = "NCHW",
        name: str | None = None,
    ) -> None:
        super().__init__(dtype=dtype)
        self.to(device)
        self._groups = check.positive_int("GroupNorm(num_groups)", num_groups)
        self._channels = check.positive_int("GroupNorm(num_channels)", num_channels)
        self._epsilon, self._format = _above_zero("GroupNorm(epsilon)", epsilon), data_format
        shape, first = [self._channels], Constant(1.0)
        self.weight = self.create_parameter(shape, weight_attr if affine else False, default_initializer=first)
        self.bias = self.create_parameter(shape, bias_attr if affine else False, is_bias=True)

    def forward(self, x: Tensor) -> Tensor:
        return functional.group_norm(x, self._groups, self._epsilon, self.weight, self.bias, self._format)

    def extra_repr(self) -> str:
        return f"num_groups={self._groups}, num_channels={self._channels}, epsilon={self._epsilon}"


class InstanceNorm2D(Layer):
    """Each channel of each sample brought to mean 0 and variance 1, times ``scale`` plus ``bias`` [C]; momentum does nothing."""

    scale: Parameter | None
    bias: Parameter | None
    _rank = 4

    def __init__(
        self,
        num_features: int,
        epsilon: float = 1e-5,
        momentum: float = 0.9,
        weight_attr: Any = None,
        bias_attr: Any = None,
        data_format: str = "NCHW",
        name: str | None = None,
    ) -> None:
        super().__init__(dtype=None)
        what = type(self).__name__
        shape = [check.positive_int(f"{what}(num_features)", num_features)]
        self._epsilon = _above_zero(f"{what}(epsilon)", epsilon)
        has_both = weight_attr is not False and bias_attr is not False
        self.scale = self.create_parameter(shape, weight_attr if has_both else False, default_initializer=Constant(1.0))
        self.bias = self.create_parameter(shape, bias_attr if has_both else False, is_bias=True)
        self._features = num_features

    def forward(self, x: Tensor) -> Tensor:
        if len(x.shape) != self._rank:
            given = f"x of shape {list(x.shape)}"
            raise check.ShapeError(check.message(type(self).__name__, given, f"{self._rank} dimensions"))
        return functional.instance_norm(x, weight=self.scale, bias=self.bias, eps=self._epsilon)

    def extra_repr(self) -> str:
        return f"num_features={self._features}, epsilon={self._epsilon}"


class InstanceNorm1D(InstanceNorm2D):
    """``InstanceNorm2D`` of sequences [N, C, L]."""

    _rank = 3

    def __init__(
        self,
        num_features: int,
        epsilon: float = 1e-5,
        momentum: float = 0.9,
        weight_attr: Any = None,
        bias_attr: Any = None,
        data_format: str = "NCL",
        name: str | None = None,
    ) -> None:
        super().__init__(num_features, epsilon, momentum, weight_attr, bias_attr)


class LocalResponseNorm(Layer):
    """Each element divided by what its neighbours in ``size`` channels are like: ``functional.local_response_norm``."""

    def __init__(
        self,
        size: int,
        alpha: float = 1e-4,
        beta: float = 0.75,
        k: float = 1.0,
        data_format: str = "NCHW",
        name: str | None = None,
    ) -> None:
        super().__init__()
        self._settings: dict[str, Any] = {"size": size, "alpha": alpha, "beta": beta, "k": k}
        self._format = data_format

    def forward(self, input: Tensor) -> Tensor:
        return functional.local_response_norm(input, **self._settings, data_format=self._format)

    def extra_repr(self) -> str:
        text = ", ".join(f"{key}={value}" for key, value in self._settings.items())
        return text if self._format == "NCHW" else f"{text}, data_format={self._format}"


class SpectralNorm(Layer):
    """A weight divided by its largest singular value, taken as a matrix of ``dim`` times the rest (Miyato et al. 2018).

    The value comes from power_iters steps of power iteration from two vectors that are drawn once; its gradient takes the
    vectors that it ends with for constants.
    """

    weight_u: Parameter
    weight_v: Parameter

    def __init__(
        self, weight_shape: Any, dim: int = 0, power_iters: int = 1, eps: float = 1e-12, dtype: Any = "float32"
    ) -> None:
        super().__init__(dtype=dtype)
        self._dim, self._steps, self._eps = dim, power_iters, eps
        shape = [check.positive_int("SpectralNorm(weight_shape)", n) for n in weight_shape]
        rows, columns = shape[dim], math.prod(shape) // shape[dim]
        for name, length in (("weight_u", rows), ("weight_v", columns)):
            drawn = self.create_parameter([length], default_initializer=Normal(0.0, 1.0))
            drawn.stop_gradient = True  # type: ignore[union-attr]
            setattr(self, name, drawn)

    def forward(self, x: Tensor) -> Tensor:
        order = [self._dim, *(i for i in range(len(x.shape)) if i != self._dim)]
        matrix = x.transpose(order).reshape([x.shape[self._dim], -1])
        values = matrix.data_array()
        u, v = self.weight_u.numpy(), self.weight_v.numpy()
        for _ in range(self._steps):
            v = values.T @ u
            v = v / (np.linalg.norm(v) + self._eps)
            u = values @ v
            u = u / (np.linalg.norm(u) + self._eps)
        sigma = to_tensor(u).matmul(matrix).matmul(to_tensor(v))
        return x / sigma


def _share(what: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(check.message(what, check.describe(value), "a number from 0 to 1"))
    return value


def _above_zero(what: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise ValueError(check.message(what, check.describe(value), "a number of at least 0, such as 1e-5"))
    return value
