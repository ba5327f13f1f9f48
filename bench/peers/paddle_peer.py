"""Paddle: the tutorial's own ``Model.fit`` on its MNIST data set, and a loop of our hand on tensors in memory."""

from __future__ import annotations

import gzip
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import paddle
from _serve import BATCH, FILES, accuracy, latency, mnist, normalised, serve, weights
from paddle import nn
from paddle.nn import functional as F

folder = Path(os.environ["BENCH_DATA"])
normalise = paddle.vision.transforms.Normalize(mean=[127.5], std=[127.5], data_format="CHW")
test_images, test_labels = normalised(mnist("test")[0]), mnist("test")[1]


class LeNet(nn.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2D(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2D(6, 16, 5)
        self.pool = nn.MaxPool2D(2, 2)
        self.linear1 = nn.Linear(400, 120)
        self.linear2 = nn.Linear(120, 84)
        self.linear3 = nn.Linear(84, 10)

    def forward(self, x: Any) -> Any:
        x = F.relu(self.pool(F.relu(self.conv1(x))))
        x = self.pool(self.conv2(x))
        x = F.relu(self.linear1(paddle.flatten(x, 1)))
        return self.linear3(F.relu(self.linear2(x)))


def dataset(work: Path) -> Any:
    paths = []
    for kind in ("images-idx3", "labels-idx1"):  # Paddle reads gzip alone
        source = folder / f"{FILES['train']}-{kind}-ubyte"
        path = work / f"{source.name}.gz"
        path.write_bytes(gzip.compress(source.read_bytes(), 1))
        paths.append(str(path))
    return paddle.vision.datasets.MNIST(*paths, mode="train", transform=normalise)


with tempfile.TemporaryDirectory() as work:
    train = dataset(Path(work))


def fit() -> None:
    paddle.seed(0)
    model = paddle.Model(LeNet())
    adam = paddle.optimizer.Adam(learning_rate=0.001, parameters=model.parameters())
    model.prepare(adam, nn.CrossEntropyLoss(), paddle.metric.Accuracy())
    model.fit(train, epochs=1, batch_size=BATCH, verbose=0)


memory: list[Any] = []


def loop() -> float:
    paddle.seed(0)
    if not memory:
        images, labels = mnist("train")
        memory.extend((paddle.to_tensor(normalised(images)), paddle.to_tensor(labels[:, None])))
    images, labels = memory
    net = LeNet()
    adam = paddle.optimizer.Adam(learning_rate=0.001, parameters=net.parameters())
    order = paddle.randperm(len(images))
    for start in range(0, len(images), BATCH):
        batch = order[start : start + BATCH]
        loss = F.cross_entropy(net(paddle.gather(images, batch)), paddle.gather(labels, batch))
        loss.backward()
        adam.step()
        adam.clear_grad()
    return float(loss)


def trained() -> LeNet:
    net = LeNet()
    net.set_state_dict(weights())
    net.eval()
    return net


def answer(net: LeNet) -> Any:
    def call(x: np.ndarray) -> np.ndarray:
        return net(paddle.to_tensor(x)).numpy()

    return call


def evaluate() -> float:
    with paddle.no_grad():
        return accuracy(answer(trained()), test_images, test_labels, 1000)


def image() -> dict[str, float]:
    with paddle.no_grad():
        return latency(answer(trained()), test_images)


serve({"fit": fit, "loop": loop, "evaluate": evaluate, "image": image}, paddle.__version__)
