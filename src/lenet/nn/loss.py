"""``CrossEntropyLoss`` (Paddle: ``paddle.nn.CrossEntropyLoss``): ``functional.cross_entropy`` with its settings fixed."""

from __future__ import annotations

from lenet.autograd.tensor import Tensor
from lenet.nn import functional
from lenet.nn.layer import Layer

__all__ = ["CrossEntropyLoss"]


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
        self._attrs = functional.loss_attrs(
            "CrossEntropyLoss", ignore_index, reduction, soft_label, axis, use_softmax, label_smoothing
        )
        functional.check_loss_tensor("weight", weight, optional=True)
        self.weight = weight

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return functional.run_cross_entropy(input, label, self.weight, self._attrs)
