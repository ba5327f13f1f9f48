"""Picks the batches that test_parity compares with real Paddle, and writes them to parity.json beside this file.

    python tests/seeds/make_seed_list.py DIR      DIR: MNIST's four files

Two correct float32 engines round differently. Where a number before a ReLU is nearly zero, or two numbers of a pooling
window are nearly equal, that decides which way the gradient goes, and in about 3 % of random batches two correct engines
then differ by more than 1e-5. So the batches are picked: those whose network, computed in double, has no such number
closer than GAP to the tie (relative to the root mean square of that layer; exact ties go to the first in both engines).
test_parity checks the gap again before it compares. Labels are random: on well-classified small batches 1 - p loses digits.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lenet import LeNet, _core, _idx, nn, ops, optimizer, plan, seed, to_tensor

LIST = Path(__file__).with_name("parity.json")
GAP = 2e-6
SIZES = (64, 1, 3, 17, 65)  # samples
PER_SIZE = 2
STEPS = 200  # of training before the state "trained"


class Batch(NamedTuple):
    """One comparison: the state of the weights, the seed of weights, images and labels, and how many samples."""

    state: str
    seed: int
    size: int


def mnist(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Training images float32 [60000, 1, 28, 28] as the tutorial normalises them, and labels int64 [60000]."""
    images, labels = _idx.read_pair(folder / "train-images-idx3-ubyte", folder / "train-labels-idx1-ubyte")
    return (images.reshape(-1, 1, 28, 28).astype(np.float32) - 127.5) / 127.5, labels.reshape(-1).astype(np.int64)


def batch_of(batch: Batch, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Images [n, 1, 28, 28] and random labels [n, 1] of one comparison."""
    random = np.random.RandomState(batch.seed)
    chosen = images[random.choice(len(images), batch.size, replace=False)]
    return chosen, random.randint(0, 10, (batch.size, 1)).astype(np.int64)


def initial(value: int) -> list[np.ndarray]:
    """The weights of a new network."""
    seed(value)
    return [p.numpy() for p in LeNet().parameters()]


def trained(images: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """The weights after STEPS steps of Adam from seed 0, at a level whose bits every x86-64 machine repeats."""
    before = _core.level()
    assert _core.select_level("v2") is None
    try:
        seed(0)
        net = LeNet()
        adam = optimizer.Adam(learning_rate=0.001, parameters=net.parameters())
        compiled = plan.compile(net, nn.CrossEntropyLoss(), adam, [to_tensor(images[:64])])
        assert isinstance(compiled, plan.Compiled), compiled
        order = np.random.RandomState(0).permutation(len(images))[: 64 * STEPS].astype(np.int64)
        compiled.train(images, None, labels, order, [64] * STEPS, [0.001] * STEPS)
        return [p.numpy() for p in net.parameters()]
    finally:
        _core.select_level(before)


def _layer_gap(z: np.ndarray, pooled: bool) -> float:
    """The smallest distance from a tie in one layer's numbers before its ReLU, relative to their root mean square."""
    scale = float(np.sqrt((z * z).mean()))
    distances = np.abs(z[z != 0])
    gap = float(distances.min())
    if pooled:
        n, c, h, w = z.shape
        cells = np.sort(z.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(-1, 4), axis=1)
        lead = (cells[:, 3] - cells[:, 2])[(cells[:, 3] > 0) & (cells[:, 3] != cells[:, 2])]
        gap = min(gap, float(lead.min()))
    return gap / scale


def gap(weights: list[np.ndarray], x: np.ndarray) -> float:
    """The smallest such distance in the whole network, computed in double by the plain loops."""
    w = [to_tensor(a.astype(np.float64)) for a in weights]
    gaps: list[float] = []

    def layer(row: str, t: Any, place: int, **attrs: Any) -> Any:
        z = ops.call(row, t, w[place], w[place + 1], **attrs)
        gaps.append(_layer_gap(z.numpy(), pooled=row == "conv2d"))
        return ops.call("relu", z)

    conv = {"stride": (1, 1), "dilation": (1, 1), "groups": 1}
    pool = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0, 0, 0), "ceil_mode": False}
    t = to_tensor(x.astype(np.float64))
    t = ops.call("max_pool2d", layer("conv2d", t, 0, padding=(2, 2, 2, 2), **conv), **pool)
    t = ops.call("max_pool2d", layer("conv2d", t, 2, padding=(0, 0, 0, 0), **conv), **pool)
    t = ops.call("flatten", t, start=1, stop=-1)
    layer("linear", layer("linear", t, 4), 6)
    return min(gaps)


def pick(images: np.ndarray, labels: np.ndarray) -> list[Batch]:
    """The first PER_SIZE seeds of each state and size whose gap is large enough."""
    after = trained(images, labels)
    found = []
    for state in ("initial", "trained"):
        for size in SIZES:
            value = 0
            left = PER_SIZE
            while left:
                batch = Batch(state, value, size)
                weights = after if state == "trained" else initial(value)
                if gap(weights, batch_of(batch, images)[0]) >= GAP:
                    found.append(batch)
                    left -= 1
                value += 1
    return found


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    batches = pick(*mnist(Path(sys.argv[1])))
    LIST.write_text(json.dumps([batch._asdict() for batch in batches], indent=1) + "\n")
    print(f"{len(batches)} batches written to {LIST}")
