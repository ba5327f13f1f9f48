"""Losses of margins and likelihoods as layers: ``functional``'s (``ranking``, ``likelihood``), with their settings fixed."""

from __future__ import annotations

from typing import Any

from lenet.autograd.tensor import Tensor
from lenet.nn import functional
from lenet.nn.layer import Layer
from lenet.nn.loss import LossLayer

__all__ = [
    "CosineEmbeddingLoss",
    "GaussianNLLLoss",
    "HingeEmbeddingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "PairwiseDistance",
    "PoissonNLLLoss",
    "SoftMarginLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


class PairwiseDistance(Layer):
    """The p-norm of x - y + epsilon along the last axis: ``functional.pairwise_distance``."""

    def __init__(self, p: float = 2.0, epsilon: float = 1e-6, keepdim: bool = False, name: str | None = None) -> None:
        super().__init__()
        self._settings: dict[str, Any] = {"p": p, "epsilon": epsilon, "keepdim": keepdim}

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return functional.pairwise_distance(x, y, **self._settings)

    def extra_repr(self) -> str:
        s = self._settings
        text = f"p={s['p']}"
        text += f", epsilon={s['epsilon']}" if s["epsilon"] != 1e-6 else ""
        return f"{text}, keepdim={s['keepdim']}" if s["keepdim"] else text


class CosineEmbeddingLoss(LossLayer):
    """1 - cos of pairs with label 1, max(0, cos - margin) with -1; arguments as ``functional.cosine_embedding_loss``."""

    def __init__(self, margin: float = 0, reduction: str = "mean", name: str | None = None) -> None:
        super().__init__(reduction, margin=margin)

    def forward(self, input1: Tensor, input2: Tensor, label: Tensor) -> Tensor:
        return functional.cosine_embedding_loss(input1, input2, label, **self._settings)


class HingeEmbeddingLoss(LossLayer):
    """The distance where label is 1, max(0, margin - distance) at -1; arguments as ``functional.hinge_embedding_loss``."""

    def __init__(self, margin: float = 1.0, reduction: str = "mean", name: str | None = None) -> None:
        super().__init__(reduction, margin=margin)

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return functional.hinge_embedding_loss(input, label, **self._settings)


class TripletMarginLoss(LossLayer):
    """max(0, distance to positive - distance to negative + margin); arguments as ``functional.triplet_margin_loss``."""

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        epsilon: float = 1e-6,
        swap: bool = False,
        reduction: str = "mean",
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, margin=margin, p=p, epsilon=epsilon, swap=swap)

    def forward(self, input: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return functional.triplet_margin_loss(input, positive, negative, **self._settings)


class TripletMarginWithDistanceLoss(LossLayer):
    """``TripletMarginLoss`` with a distance of your own; arguments as ``functional.triplet_margin_with_distance_loss``."""

    def __init__(
        self,
        distance_function: Any = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, distance_function=distance_function, margin=margin, swap=swap)

    def forward(self, input: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return functional.triplet_margin_with_distance_loss(input, positive, negative, **self._settings)


class SoftMarginLoss(LossLayer):
    """log(1 + e^(-label · input)); arguments as ``functional.soft_margin_loss``."""

    def __init__(self, reduction: str = "mean", name: str | None = None) -> None:
        super().__init__(reduction)

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return functional.soft_margin_loss(input, label, **self._settings)


class MultiLabelSoftMarginLoss(LossLayer):
    """Binary cross-entropy of logits, each class by itself; arguments as ``functional.multi_label_soft_margin_loss``."""

    def __init__(self, weight: Tensor | None = None, reduction: str = "mean", name: str | None = None) -> None:
        super().__init__(reduction, weight=weight)

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return functional.multi_label_soft_margin_loss(input, label, **self._settings)


class MultiMarginLoss(LossLayer):
    """The mean over the classes of max(0, margin - right + other)^p; arguments as ``functional.multi_margin_loss``."""

    def __init__(
        self,
        p: float = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        reduction: str = "mean",
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, p=p, margin=margin, weight=weight)

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return functional.multi_margin_loss(input, label, **self._settings)


class MultiLabelMarginLoss(LossLayer):
    """max(0, 1 - right + other) over right and other classes; arguments as ``functional.multi_label_margin_loss``."""

    def __init__(self, reduction: str = "mean", name: str | None = None) -> None:
        super().__init__(reduction)

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return functional.multi_label_margin_loss(input, label, **self._settings)


class PoissonNLLLoss(LossLayer):
    """How unlikely counts are under expected ones; arguments as ``functional.poisson_nll_loss``."""

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        epsilon: float = 1e-8,
        reduction: str = "mean",
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, log_input=log_input, full=full, epsilon=epsilon)

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return functional.poisson_nll_loss(input, label, **self._settings)


class GaussianNLLLoss(LossLayer):
    """How unlikely labels are under normal distributions; arguments as ``functional.gaussian_nll_loss``."""

    def __init__(
        self, full: bool = False, epsilon: float = 1e-6, reduction: str = "mean", name: str | None = None
    ) -> None:
        super().__init__(reduction, full=full, epsilon=epsilon)

    def forward(self, input: Tensor, label: Tensor, variance: Tensor) -> Tensor:
        return functional.gaussian_nll_loss(input, label, variance, **self._settings)
