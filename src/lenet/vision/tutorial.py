"""``LeNet``: the network of Paddle's MNIST tutorial, 61,706 parameters. (``lenet.vision.models.LeNet`` is Paddle's other one.)

Source: LeCun et al. 1998, with ReLU and max pooling. The rectifiers stand where the tutorial has them: before and after
the first pooling, none between the second convolution and its pooling. That is what makes the same seed give its losses.
"""

from __future__ import annotations

from lenet import nn
from lenet.autograd import tape
from lenet.autograd.tensor import Tensor
from lenet.nn import functional as F

__all__ = ["LeNet"]


class LeNet(nn.Layer):
    """Images float32 [N, 1, 28, 28] to logits [N, 10]: two convolutions with pooling, then three linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2D(in_channels=1, out_channels=6, kernel_size=5, stride=1, padding=2)
        self.max_pool1 = nn.MaxPool2D(kernel_size=2, stride=2)
        self.conv2 = nn.Conv2D(in_channels=6, out_channels=16, kernel_size=5, stride=1)
        self.max_pool2 = nn.MaxPool2D(kernel_size=2, stride=2)
        self.linear1 = nn.Linear(in_features=16 * 5 * 5, out_features=120)
        self.linear2 = nn.Linear(in_features=120, out_features=84)
        self.linear3 = nn.Linear(in_features=84, out_features=10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.max_pool1(F.relu(self.conv1(x))))  # [N, 6, 14, 14]
        x = self.max_pool2(self.conv2(x))  # [N, 16, 5, 5]
        x = tape.call("flatten", x, start=1, stop=-1)  # [N, 400]
        x = F.relu(self.linear1(x))
        x = F.relu(self.linear2(x))
        return self.linear3(x)
