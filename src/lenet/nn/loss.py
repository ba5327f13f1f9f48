"""Losses as layers (Paddle: ``paddle.nn.CrossEntropyLoss`` and its like): ``functional``'s, with their settings fixed."""

from __future__ import annotations

from typing import Any

from lenet.autograd.tensor import Tensor
from lenet.messages import check
from lenet.nn import functional
from lenet.nn.functional import loss
from lenet.nn.layer import Layer

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "KLDivLoss", "L1Loss", "MSELoss", "MarginRankingLoss", "NLLLoss",
    "SmoothL1Loss",
]  # fmt: skip


class CrossEntropyLoss(Layer):
    """-log of the probability given to the right class; arguments as ``functional.cross_entropy``, checked at once.

    forward(input, label): input logits [N, C], label [N] or [N, 1] of class numbers; a 0-D Tensor for 'mean' and 'sum'.
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        soft_label: bool = False,
        axis: int = -1,
        use_softmax: bool = True,
        label_smoothing: float = 0.0,
        name: str | None = None,
    ) -> None:
        super().__init__()
        self._attrs = loss.loss_attrs(
            "CrossEntropyLoss", ignore_index, reduction, soft_label, axis, use_softmax, label_smoothing
        )
        loss.check_loss_tensor("weight", weight, optional=True)
        self.weight = weight

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return loss.run_cross_entropy(input, label, self.weight, self._attrs)


class LossLayer(Layer):
    """A loss of predictions and labels with its settings; ``reduction`` is checked at once."""

    _also: tuple[str, ...] = ()

    def __init__(self, reduction: str, **settings: Any) -> None:
        super().__init__()
        check.choice(f"{type(self).__name__}(reduction)", reduction, ("mean", "sum", "none", *self._also))
        self._settings = {"reduction": reduction, **settings}


class MSELoss(LossLayer):
    """(input - label)², by default its mean; reduction 'mean', 'sum' or 'none'."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return functional.mse_loss(input, label, **self._settings)


class L1Loss(LossLayer):
    """|input - label|, by default its mean; reduction 'mean', 'sum' or 'none'."""

    def __init__(self, reduction: str = "mean", name: str | None = None) -> None:
        super().__init__(reduction)

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return functional.l1_loss(input, label, **self._settings)


class SmoothL1Loss(LossLayer):
    """Quadratic up to ``delta`` and linear from there; arguments as ``functional.smooth_l1_loss``."""

    def __init__(
        self, reduction: str = "mean", delta: float = 1.0, is_huber: bool = True, name: str | None = None
    ) -> None:
        super().__init__(reduction, delta=delta, is_huber=is_huber)

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return functional.smooth_l1_loss(input, label, **self._settings)


class NLLLoss(LossLayer):
    """-input at each label, of log-probabilities; arguments as ``functional.nll_loss``."""

    def __init__(
        self, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean", name: str | None = None
    ) -> None:
        super().__init__(reduction, weight=weight, ignore_index=ignore_index)

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return functional.nll_loss(input, label, **self._settings)


class BCELoss(LossLayer):
    """Binary cross-entropy of probabilities; arguments as ``functional.binary_cross_entropy``."""

    def __init__(self, weight: Tensor | None = None, reduction: str = "mean", name: str | None = None) -> None:
        super().__init__(reduction, weight=weight)

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return functional.binary_cross_entropy(input, label, **self._settings)


class BCEWithLogitsLoss(LossLayer):
    """Binary cross-entropy of logits; arguments as ``functional.binary_cross_entropy_with_logits``."""

    def __init__(
        self,
        weight: Tensor | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, weight=weight, pos_weight=pos_weight)

    def forward(self, logit: Tensor, label: Tensor) -> Tensor:
        return functional.binary_cross_entropy_with_logits(logit, label, **self._settings)


class KLDivLoss(LossLayer):
    """The divergence of probabilities from log-probabilities; arguments as ``functional.kl_div``."""

    _also = ("batchmean",)

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction, log_target=log_target)

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return functional.kl_div(input, label, **self._settings)


class MarginRankingLoss(LossLayer):
    """max(0, -label · (input - other) + margin); arguments as ``functional.margin_ranking_loss``."""

    def __init__(self, margin: float = 0.0, reduction: str = "mean", name: str | None = None) -> None:
        super().__init__(reduction, margin=margin)

    def forward(self, input: Tensor, other: Tensor, label: Tensor) -> Tensor:
        return functional.margin_ranking_loss(input, other, label, **self._settings)
