"""Networks ready to train (Paddle: ``paddle.vision.models``): LeNets, and for 32×32 images a small VGG and two ResNets.

Paddle's ``LeNet`` differs from the tutorial's (``lenet.LeNet``): a 3×3 first convolution, and nothing between its linear layers.
``lenet_wide`` and ``tiny`` are for digits of 28×28: one is more accurate, the other smaller. The ResNets are the paper's for
CIFAR (He et al. 2015, section 4.2), the VGG is in the manner of Simonyan and Zisserman 2014; Paddle, whose networks are for
224×224, has neither.
"""

from __future__ import annotations

from collections.abc import Sequence

from lenet import nn
from lenet.autograd.tensor import Tensor
from lenet.messages import check

__all__ = ["VGG", "LeNet", "ResNet", "lenet_wide", "resnet20", "resnet32", "tiny", "vgg_small"]


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


class _Block(nn.Layer):
    """Two 3×3 convolutions with BatchNorm, added to what came in; a step of 2 halves the image.

    Where the channels grow, the way around takes every second pixel and zeros for the new channels: no parameters.
    """

    def __init__(self, channels: int, outputs: int, step: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2D(channels, outputs, 3, stride=step, padding=1, bias_attr=False)
        self.bn1 = nn.BatchNorm2D(outputs)
        self.conv2 = nn.Conv2D(outputs, outputs, 3, padding=1, bias_attr=False)
        self.bn2 = nn.BatchNorm2D(outputs)
        self._step, self._more = step, outputs - channels

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(nn.functional.relu(self.bn1(self.conv1(x)))))
        if self._step > 1 or self._more:
            x = x[:, :, :: self._step, :: self._step]
            before = self._more // 2
            x = nn.functional.pad(x, [0, 0, before, self._more - before, 0, 0, 0, 0])
        return nn.functional.relu(y + x)


class ResNet(nn.Layer):
    """Images float32 [N, channels, H, W], 32×32 as a rule, to logits [N, num_classes]: 6 · blocks + 2 layers with weights.

    blocks: how many pairs of convolutions at each of three sizes, with 16, 32 and 64 channels. channels: of the images.
    """

    def __init__(self, blocks: int = 3, num_classes: int = 10, channels: int = 3) -> None:
        super().__init__()
        blocks = check.positive_int("ResNet(blocks)", blocks)
        self.num_classes = check.positive_int("ResNet(num_classes)", num_classes)
        channels = check.positive_int("ResNet(channels)", channels)
        self.stem = nn.Sequential(nn.Conv2D(channels, 16, 3, padding=1, bias_attr=False), nn.BatchNorm2D(16), nn.ReLU())
        sizes = [(16, 16, 1)] * blocks + [(16, 32, 2)] + [(32, 32, 1)] * (blocks - 1)
        sizes += [(32, 64, 2)] + [(64, 64, 1)] * (blocks - 1)
        self.blocks = nn.Sequential(*(_Block(*size) for size in sizes))
        self.pool = nn.AdaptiveAvgPool2D(1)
        self.fc = nn.Linear(64, self.num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.pool(self.blocks(self.stem(x))).flatten(1))


def resnet20(num_classes: int = 10, channels: int = 3) -> ResNet:
    """The ``ResNet`` of 20 layers: 0.27 million parameters."""
    return ResNet(3, num_classes, channels)


def resnet32(num_classes: int = 10, channels: int = 3) -> ResNet:
    """The ``ResNet`` of 32 layers: 0.46 million parameters."""
    return ResNet(5, num_classes, channels)


class VGG(nn.Layer):
    """Images float32 [N, channels, H, W], 32×32 as a rule, to logits [N, num_classes]: pairs of 3×3 convolutions, each halved.

    widths: the channels of each pair. BatchNorm follows every convolution, dropout stands before the last layer.
    """

    def __init__(
        self, widths: Sequence[int] = (32, 64, 128), num_classes: int = 10, channels: int = 3, dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.num_classes = check.positive_int("VGG(num_classes)", num_classes)
        layers: list[nn.Layer] = []
        last = check.positive_int("VGG(channels)", channels)
        for width in widths:
            for _ in range(2):
                layers += [nn.Conv2D(last, width, 3, padding=1, bias_attr=False), nn.BatchNorm2D(width), nn.ReLU()]
                last = width
            layers.append(nn.MaxPool2D(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2D(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(last, self.num_classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


def vgg_small(num_classes: int = 10, channels: int = 3) -> VGG:
    """The ``VGG`` of six convolutions with 32, 64 and 128 channels: 0.29 million parameters."""
    return VGG((32, 64, 128), num_classes, channels)


def lenet_wide(num_classes: int = 10, channels: int = 1) -> nn.Sequential:
    """LeNet's plan with 16 and 32 filters of 5×5 for images of 28×28: 0.12 million parameters."""
    return nn.Sequential(
        nn.Conv2D(channels, 16, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2D(2, 2),
        nn.Conv2D(16, 32, 5),
        nn.ReLU(),
        nn.MaxPool2D(2, 2),
        nn.Flatten(),
        nn.Linear(800, 128),
        nn.ReLU(),
        nn.Linear(128, num_classes),
    )


def tiny(num_classes: int = 10, channels: int = 1) -> nn.Sequential:
    """Five convolutions with BatchNorm and a mean over what is left, for images of about 28×28: 7,706 parameters for digits.

    The mean takes maps of any size, so that images may be larger, and smaller down to 20×20.
    """
    layers: list[nn.Layer] = []
    for inputs, outputs, size, padding in (
        (channels, 8, 5, 2),
        (8, 12, 3, 1),
        (12, 16, 3, 1),
        (16, 16, 3, 0),
        (16, 16, 3, 0),
    ):
        layers += [
            nn.Conv2D(inputs, outputs, size, padding=padding, bias_attr=False),
            nn.BatchNorm2D(outputs),
            nn.ReLU(),
        ]
        if (inputs, outputs) in ((channels, 8), (12, 16)):
            layers.append(nn.MaxPool2D(2, 2))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2D(1), nn.Flatten(), nn.Linear(16, num_classes))
