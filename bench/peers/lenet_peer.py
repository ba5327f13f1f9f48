"""Us: ``Model.fit``, way 2, and way 2 through ``jit.to_static``; a DataLoader on the MNIST data set, as users have it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from _lenet_networks import WORKS
from _serve import BATCH, FILES, latency, mnist, normalised, serve

import lenet
from lenet import _core
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


def weights() -> None:
    """Train the network that every peer answers with, and write it to $BENCH_WEIGHTS."""
    model = prepared()
    model.fit(train, epochs=1, batch_size=BATCH, verbose=0)
    state = model.network.state_dict()
    np.savez(os.environ["BENCH_WEIGHTS"], **{name: value.numpy() for name, value in state.items()})


def trained() -> lenet.Model:
    model = prepared()
    with np.load(os.environ["BENCH_WEIGHTS"]) as stored:
        model.network.set_state_dict({name: lenet.to_tensor(stored[name]) for name in stored.files})
    return model


def evaluate() -> float:
    return float(ready().evaluate(test, batch_size=1000, verbose=0)["acc"])


kept: list[lenet.Model] = []


def ready() -> lenet.Model:
    """The trained model; read when it is first asked for, because ``weights`` may just have written it."""
    if not kept:
        kept.append(trained())
    return kept[0]


def image_batch() -> dict[str, float]:
    return latency(ready().predict_batch, normalised(mnist("test")[0][:100]))


def image_net(static: bool) -> dict[str, float]:
    net = trained().network
    net.eval()
    if static:
        net = lenet.jit.to_static(net)

    def answer(x: np.ndarray) -> np.ndarray:
        return net(lenet.to_tensor(x)).numpy()

    with lenet.no_grad():
        return latency(answer, normalised(mnist("test")[0][:100]))


def peak() -> dict[str, Any]:
    """What the machine can do right now: GFLOP/s of multiply-adds and GB/s of copying, on one thread and on all."""
    threads = sorted({1, lenet.get_num_threads()})
    return {
        "gflops": {n: _core.multiply_add_peak(0.3, n) for n in threads},
        "gigabytes": {n: _core.copy_peak(0.3, n) for n in threads},
        "level": _core.level(),
    }


serve(
    {
        "fit": fit,
        "loop": lambda: loop(False),
        "static": lambda: loop(True),
        "weights": weights,
        "evaluate": evaluate,
        "image_batch": image_batch,
        "image_static": lambda: image_net(True),
        "image_net": lambda: image_net(False),
        "peak": peak,
        **WORKS,
    },
    lenet.__version__,
)
