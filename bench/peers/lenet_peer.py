"""Us: ``Model.fit``, way 2, and way 2 through ``jit.to_static``; a DataLoader on the MNIST data set, as users have it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from _serve import BATCH, FILES, serve

import lenet
from lenet.nn import functional as F

folder = Path(os.environ["BENCH_DATA"])
normalise = lenet.vision.transforms.Normalize(mean=[127.5], std=[127.5], data_format="CHW")
train, test = (
    lenet.vision.datasets.MNIST(
        folder / f"{stem}-images-idx3-ubyte", folder / f"{stem}-labels-idx1-ubyte", mode, normalise
    )
    for mode, stem in FILES.items()
)


def prepared() -> lenet.Model:
    lenet.seed(0)
    model = lenet.Model(lenet.LeNet())
    adam = lenet.optimizer.Adam(learning_rate=0.001, parameters=model.parameters())
    model.prepare(adam, lenet.nn.CrossEntropyLoss(), lenet.metric.Accuracy())
    return model


def fit() -> None:
    prepared().fit(train, epochs=1, batch_size=BATCH, verbose=0)


def loop(static: bool) -> float:
    lenet.seed(0)
    np.random.seed(0)
    net = lenet.LeNet()
    if static:
        net = lenet.jit.to_static(net)
    net.train()
    adam = lenet.optimizer.Adam(learning_rate=0.001, parameters=net.parameters())
    for x, y in lenet.io.DataLoader(train, batch_size=BATCH, shuffle=True)():
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        adam.step()
        adam.clear_grad()
    return float(loss)


trained = prepared()


def evaluate() -> float:
    return float(trained.evaluate(test, batch_size=1000, verbose=0)["acc"])


serve({"fit": fit, "loop": lambda: loop(False), "static": lambda: loop(True), "evaluate": evaluate}, lenet.__version__)
