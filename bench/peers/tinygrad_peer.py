"""tinygrad on its CPU backend, which compiles with clang: a TinyJit training step, the data in memory as one tensor."""

from __future__ import annotations

import importlib.metadata
from typing import Any

import numpy as np
from _serve import BATCH, accuracy, latency, mnist, normalised, serve, weights
from tinygrad import Context, Tensor, TinyJit, nn

images, labels = (Tensor(a).realize() for a in (normalised(mnist("train")[0]), mnist("train")[1].astype(np.int32)))
test_images, test_labels = normalised(mnist("test")[0]), mnist("test")[1]


class LeNet:
    def __init__(self) -> None:
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.linear1 = nn.Linear(400, 120)
        self.linear2 = nn.Linear(120, 84)
        self.linear3 = nn.Linear(84, 10)

    def __call__(self, x: Tensor) -> Tensor:
        x = self.conv1(x).relu().max_pool2d(2).relu()
        x = self.conv2(x).max_pool2d(2)
        x = self.linear1(x.flatten(1)).relu()
        return self.linear3(self.linear2(x).relu())


Tensor.manual_seed(0)
net = LeNet()
adam = nn.optim.Adam(nn.state.get_parameters(net), lr=0.001)


@TinyJit
@Context(TRAINING=1)
def step(batch: Tensor) -> Tensor:
    adam.zero_grad()
    loss = net(images[batch]).sparse_categorical_crossentropy(labels[batch]).backward()
    return loss.realize(*adam.schedule_step())


def loop() -> float:
    """One network for all epochs, so that its step is compiled once; the last, smaller batch is left out."""
    order = np.random.RandomState(0).permutation(images.shape[0])
    for start in range(0, len(order) - BATCH + 1, BATCH):
        loss = step(Tensor(order[start : start + BATCH].astype(np.int32)).realize())
    return float(loss.item())


def trained() -> Any:
    net = LeNet()
    for name, value in weights().items():
        layer, kind = name.split(".")
        turned = value.T if name.startswith("linear") and kind == "weight" else value
        getattr(getattr(net, layer), kind).assign(Tensor(np.ascontiguousarray(turned))).realize()
    forward = TinyJit(lambda x: net(x).realize())
    return lambda x: forward(Tensor(x).realize()).numpy()


answers: dict[str, Any] = {}


def answer(size: str) -> Any:
    """A forward jitted for one batch size."""
    if size not in answers:
        answers[size] = trained()
    return answers[size]


serve(
    {
        "loop": loop,
        "evaluate": lambda: accuracy(answer("many"), test_images, test_labels, 1000),
        "image": lambda: latency(answer("one"), test_images),
    },
    importlib.metadata.version("tinygrad"),
)
