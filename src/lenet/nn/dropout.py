"""Dropout as layers (Paddle: ``paddle.nn.Dropout``, ``Dropout2D``), active in training mode alone.

Source: Srivastava et al. 2014.
"""

from __future__ import annotations

from collections.abc import Sequence

from lenet.autograd.tensor import Tensor
from lenet.messages import check
from lenet.nn import _window, functional
from lenet.nn.functional import common
from lenet.nn.layer import Layer

__all__ = ["AlphaDropout", "Dropout", "Dropout2D", "FeatureAlphaDropout"]


class Dropout(Layer):
    """Zeroes each entry with probability ``p`` (0 to 1) in training; arguments as ``functional.dropout``."""

    def __init__(
        self,
        p: float = 0.5,
        inplace: bool = False,
        axis: int | Sequence[int] | None = None,
        mode: str = "upscale_in_train",
        name: str | None = None,
    ) -> None:
        super().__init__()
        p = common.drop_probability("Dropout", p) if isinstance(p, Tensor) else p
        common.drop_probability("Dropout", p)
        self._mode = check.choice("Dropout(mode)", mode, common.DROPOUT_MODES)
        self._p, self._inplace, self._axis, self._name = p, inplace, axis, name

    def forward(self, x: Tensor) -> Tensor:
        return functional.dropout(x, self._p, self._axis, self.training, mode=self._mode)

    def extra_repr(self) -> str:
        name = f", name={self._name}" if self._name else ""
        return f"p={self._p}, axis={self._axis}, mode={self._mode}{name}, inplace={self._inplace}"


class Dropout2D(Layer):
    """Zeroes whole channels of images [N, C, H, W] with probability ``p`` in training."""

    def __init__(self, p: float = 0.5, data_format: str = "NCHW", name: str | None = None) -> None:
        super().__init__()
        common.drop_probability("Dropout2D", p)
        self._format = "NHWC" if _window.channels_last("Dropout2D", data_format) else "NCHW"
        self._p, self._name = p, name

    def forward(self, x: Tensor) -> Tensor:
        return functional.dropout2d(x, self._p, self.training, self._format)

    def extra_repr(self) -> str:
        name = f", name={self._name}" if self._name else ""
        return f"p={self._p}, data_format=NCHW{name}"


class AlphaDropout(Layer):
    """Dropout for SELU, with probability ``p`` in training: ``functional.alpha_dropout``."""

    def __init__(self, p: float = 0.5, name: str | None = None) -> None:
        super().__init__()
        common.drop_probability(type(self).__name__, p)
        self._p, self._name = p, name

    def forward(self, x: Tensor) -> Tensor:
        return functional.alpha_dropout(x, self._p, self.training)

    def extra_repr(self) -> str:
        return f"p={self._p}, name={self._name}" if self._name else f"p={self._p}"


class FeatureAlphaDropout(AlphaDropout):
    """``AlphaDropout`` of whole channels: ``functional.feature_alpha_dropout``."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.feature_alpha_dropout(x, self._p, self.training)
