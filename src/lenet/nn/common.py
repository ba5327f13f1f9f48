"""Layers that fit no other file (Paddle: ``paddle.nn.Embedding``, ``Pad2D`` and their like)."""

from __future__ import annotations

from typing import Any

from lenet.autograd.tensor import Parameter, Tensor
from lenet.messages import check
from lenet.nn import _window, functional
from lenet.nn.functional.common import padding_of
from lenet.nn.initializer import XavierUniform
from lenet.nn.layer import Layer

__all__ = [
    "Bilinear", "CircularPad2D", "ConstantPad2D", "CosineSimilarity", "Embedding", "Pad2D", "ReflectionPad2D",
    "ReplicationPad2D", "Upsample", "UpsamplingBilinear2D", "UpsamplingNearest2D", "ZeroPad2D",
]  # fmt: skip


class Embedding(Layer):
    """Whole numbers [...] to the rows of ``weight`` [num_embeddings, embedding_dim] that they name: [..., embedding_dim].

    padding_idx: this row stays zeros. First values XavierUniform. sparse changes nothing; max_norm and scale_grad_by_freq
    aren't there (ValueError at the first call).
    """

    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        *,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        device: Any = None,
        dtype: Any = None,
        weight_attr: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(dtype=dtype)
        self.to(device)
        shape = [
            check.positive_int("Embedding(num_embeddings)", num_embeddings),
            check.positive_int("Embedding(embedding_dim)", embedding_dim),
        ]
        self._padding = padding_of("Embedding", padding_idx, num_embeddings)
        self._sparse = sparse
        self._refused = {"max_norm": max_norm, "scale_grad_by_freq": scale_grad_by_freq}
        self.weight = self.create_parameter(shape, weight_attr, default_initializer=XavierUniform())  # type: ignore[assignment]
        if self._padding is not None:
            values = self.weight.numpy()
            values[self._padding] = 0
            self.weight.set_value(values)

    def forward(self, x: Tensor) -> Tensor:
        return functional.embedding(x, self.weight, self._padding, **self._refused)  # type: ignore[arg-type]

    def extra_repr(self) -> str:
        text = f"{self.weight.shape[0]}, {self.weight.shape[1]}"
        text += "" if self._padding is None else f", padding_idx={self._padding}"
        return f"{text}, sparse={self._sparse}, scale_grad_by_freq={self._refused['scale_grad_by_freq']}"


class Pad2D(Layer):
    """Images with a border; padding: [left, right, top, bottom], or one number for all sides. The rest: ``functional.pad``."""

    def __init__(
        self,
        padding: Any,
        mode: str = "constant",
        value: float = 0.0,
        data_format: str = "NCHW",
        name: str | None = None,
    ) -> None:
        super().__init__()
        what = type(self).__name__
        check.choice(f"{what}(mode)", mode, ("constant", "reflect", "replicate", "circular"))
        _window.channels_last(what, data_format)
        sides = [padding] * 4 if hasattr(padding, "__index__") else list(padding)
        if len(sides) != 4:
            raise ValueError(
                check.message(f"{what}(padding)", f"{len(sides)} numbers", "1, or [left, right, top, bottom]")
            )
        self._settings: dict[str, Any] = {
            "pad": [int(n) for n in sides],
            "mode": mode,
            "value": value,
            "data_format": data_format,
        }

    def forward(self, x: Tensor) -> Tensor:
        return functional.pad(x, **self._settings)

    def extra_repr(self) -> str:
        s = self._settings
        return f"padding={s['pad']}, mode={s['mode']}, value={s['value']}, data_format={s['data_format']}"


class ZeroPad2D(Pad2D):
    """Images with a border of zeros: [left, right, top, bottom], or one number for all sides."""

    def __init__(self, padding: Any, data_format: str = "NCHW", name: str | None = None) -> None:
        super().__init__(padding, data_format=data_format)


class ConstantPad2D(Pad2D):
    """Images with a border of one value: [left, right, top, bottom], or one number for all sides."""

    def __init__(self, padding: Any, value: float, data_format: str = "NCHW", name: str | None = None) -> None:
        super().__init__(padding, value=value, data_format=data_format)


class ReflectionPad2D(Pad2D):
    """Images with a border that mirrors them: [left, right, top, bottom], or one number for all sides."""

    def __init__(self, padding: Any, data_format: str = "NCHW", name: str | None = None) -> None:
        super().__init__(padding, "reflect", data_format=data_format)


class ReplicationPad2D(Pad2D):
    """Images with a border that repeats their edge: [left, right, top, bottom], or one number for all sides."""

    def __init__(self, padding: Any, data_format: str = "NCHW", name: str | None = None) -> None:
        super().__init__(padding, "replicate", data_format=data_format)


class CircularPad2D(Pad2D):
    """Images with a border that goes on with the other side: [left, right, top, bottom], or one number for all sides."""

    def __init__(self, padding: Any, data_format: str = "NCHW", name: str | None = None) -> None:
        super().__init__(padding, "circular", data_format=data_format)


class Bilinear(Layer):
    """x1 [N, I] · ``weight`` [O, I, J] · x2 [N, J] + ``bias`` [1, O]: ``functional.bilinear``."""

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, weight_attr: Any = None, bias_attr: Any = None,
        name: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(dtype=None)
        self._sizes = {"in1_features": in1_features, "in2_features": in2_features, "out_features": out_features}
        for key, size in self._sizes.items():
            check.positive_int(f"Bilinear({key})", size)
        self.weight = self.create_parameter([out_features, in1_features, in2_features], weight_attr)  # type: ignore[assignment]
        self.bias = self.create_parameter([1, out_features], bias_attr, is_bias=True)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return functional.bilinear(x1, x2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return ", ".join(f"{key}={size}" for key, size in self._sizes.items()) + ", dtype=float32"


class Upsample(Layer):
    """Images in another size; arguments as ``functional.interpolate``."""

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool = False,
        align_mode: int = 0,
        data_format: str | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__()
        self._settings = (size, scale_factor, mode, align_corners, align_mode, data_format)

    def forward(self, x: Tensor) -> Tensor:
        return functional.interpolate(x, *self._settings)

    def extra_repr(self) -> str:
        size, factor, mode, corners, align, data_format = self._settings
        first = f"size={size}" if factor is None else f"scale_factor={factor}"
        return f"{first}, mode={mode}, align_corners={corners}, align_mode={align}, data_format={data_format}"


class _Upsampling(Upsample):
    def extra_repr(self) -> str:
        size, factor, *_, data_format = self._settings
        first = f"size={size}" if factor is None else f"scale_factor={factor}"
        return f"{first}, data_format={data_format}"


class UpsamplingNearest2D(_Upsampling):
    """Images in another size, each pixel the nearest old one: ``functional.interpolate``."""

    def __init__(
        self, size: Any = None, scale_factor: Any = None, data_format: str = "NCHW", name: str | None = None
    ) -> None:
        super().__init__(size, scale_factor, data_format=data_format)


class UpsamplingBilinear2D(_Upsampling):
    """Images in another size, each pixel between its old neighbours, the corners kept: ``functional.interpolate``."""

    def __init__(
        self, size: Any = None, scale_factor: Any = None, data_format: str = "NCHW", name: str | None = None
    ) -> None:
        super().__init__(size, scale_factor, "bilinear", True, data_format=data_format)


class CosineSimilarity(Layer):
    """The cosine of the angle between two tensors along an axis: ``functional.cosine_similarity``."""

    def __init__(self, axis: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self._axis, self._eps = axis, eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return functional.cosine_similarity(x1, x2, self._axis, self._eps)
