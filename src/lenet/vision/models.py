"""Networks ready to train (Paddle: ``paddle.vision.models``). Only ``LeNet``: this engine is for networks of its class.

This LeNet differs from the tutorial's (``lenet.LeNet``): a 3×3 first convolution, and nothing between its linear layers.
"""

from __future__ import annotations

from lenet import nn
from lenet.autograd.tensor import Tensor
from lenet.messages import check

__all__ = ["LeNet"]


class LeNet(nn.Layer):
    """Images float32 [N, 1, 28, 28] to logits [N, num_classes]; with ``num_classes=0`` to features [N, 16, 5, 5]."""

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.num_classes = check.positive_int("LeNet(num_classes)", num_classes, least=0)
        self.features = nn.Sequential(
            nn.Conv2D(1, 6, 3, stride=1, padding=1),
            nn.ReLU(),
            nn.MaxPool2D(2, 2),
            nn.Conv2D(6, 16, 5, stride=1, padding=0),
            nn.ReLU(),
            nn.MaxPool2D(2, 2),
        )
        if self.num_classes > 0:
            self.fc = nn.Sequential(nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, self.num_classes))

    def forward(self, inputs: Tensor) -> Tensor:
        x: Tensor = self.features(inputs)
        return self.fc(x.flatten(1)) if self.num_classes > 0 else x
