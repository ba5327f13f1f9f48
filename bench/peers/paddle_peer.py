"""Paddle: the tutorial's own ``Model.fit`` on its MNIST data set."""

from __future__ import annotations

import gzip
import os
import tempfile
from pathlib import Path
from typing import Any

import paddle
from _serve import BATCH, FILES, serve
from paddle import nn
from paddle.nn import functional as F

folder = Path(os.environ["BENCH_DATA"])
normalise = paddle.vision.transforms.Normalize(mean=[127.5], std=[127.5], data_format="CHW")


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


def dataset(mode: str, work: Path) -> Any:
    paths = []
    for kind in ("images-idx3", "labels-idx1"):  # Paddle reads gzip alone
        source = folder / f"{FILES[mode]}-{kind}-ubyte"
        path = work / f"{source.name}.gz"
        path.write_bytes(gzip.compress(source.read_bytes(), 1))
        paths.append(str(path))
    return paddle.vision.datasets.MNIST(*paths, mode=mode, transform=normalise)


with tempfile.TemporaryDirectory() as work:
    train, test = (dataset(mode, Path(work)) for mode in FILES)


def prepared() -> Any:
    paddle.seed(0)
    model = paddle.Model(LeNet())
    adam = paddle.optimizer.Adam(learning_rate=0.001, parameters=model.parameters())
    model.prepare(adam, nn.CrossEntropyLoss(), paddle.metric.Accuracy())
    return model


def fit() -> None:
    prepared().fit(train, epochs=1, batch_size=BATCH, verbose=0)


trained = prepared()


def evaluate() -> float:
    return float(trained.evaluate(test, batch_size=1000, verbose=0)["acc"])


serve({"fit": fit, "evaluate": evaluate}, paddle.__version__)
