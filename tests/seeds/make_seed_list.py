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

import lenet
from lenet import _core, nn, optimizer, seed, to_tensor
from lenet.autograd import tape
from lenet.data import idx
from lenet.jit import plan

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


def network(paddle: Any) -> Any:
    """The tutorial's network in either library, to the letter: a second ReLU behind the first pool, none before the other."""
    nn, F = paddle.nn, paddle.nn.functional

    class LeNet(nn.Layer):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2D(in_channels=1, out_channels=6, kernel_size=5, stride=1, padding=2)
            self.max_pool1 = nn.MaxPool2D(kernel_size=2, stride=2)
            self.conv2 = nn.Conv2D(in_channels=6, out_channels=16, kernel_size=5, stride=1)
            self.max_pool2 = nn.MaxPool2D(kernel_size=2, stride=2)
            self.linear1 = nn.Linear(in_features=16 * 5 * 5, out_features=120)
            self.linear2 = nn.Linear(in_features=120, out_features=84)
            self.linear3 = nn.Linear(in_features=84, out_features=10)

        def forward(self, x: Any) -> Any:
            x = F.relu(self.max_pool1(F.relu(self.conv1(x))))
            x = self.max_pool2(self.conv2(x))
            x = paddle.flatten(x, start_axis=1, stop_axis=-1)
            x = F.relu(self.linear1(x))
            x = F.relu(self.linear2(x))
            return self.linear3(x)

    return LeNet()


def mnist(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Training images float32 [60000, 1, 28, 28] as the tutorial normalises them, and labels int64 [60000]."""
    images, labels = idx.read_pair(folder / "train-images-idx3-ubyte", folder / "train-labels-idx1-ubyte")
    return (images.reshape(-1, 1, 28, 28).astype(np.float32) - 127.5) / 127.5, labels.reshape(-1).astype(np.int64)


def batch_of(batch: Batch, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Images [n, 1, 28, 28] and random labels [n, 1] of one comparison."""
    random = np.random.RandomState(batch.seed)
    chosen = images[random.choice(len(images), batch.size, replace=False)]
    return chosen, random.randint(0, 10, (batch.size, 1)).astype(np.int64)


def initial(value: int) -> list[np.ndarray]:
    """The weights of a new network."""
    seed(value)
    return [p.numpy() for p in network(lenet).parameters()]


def trained(images: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """The weights after STEPS steps of Adam from seed 0, at a level whose bits every x86-64 machine repeats."""
    before = _core.level()
    assert _core.select_level("v2") is None
    try:
        seed(0)
        net = network(lenet)
        adam = optimizer.Adam(learning_rate=0.001, parameters=net.parameters())
        compiled = plan.compile(net, nn.CrossEntropyLoss(), adam, [to_tensor(images[:64])])
        assert isinstance(compiled, plan.Compiled), compiled
        order = np.random.RandomState(0).permutation(len(images))[: 64 * STEPS].astype(np.int64)
        compiled.train(images, None, labels, order, [64] * STEPS, [0.001] * STEPS)
        return [p.numpy() for p in net.parameters()]
    finally:
        _core.select_level(before)


def _relu_gap(z: np.ndarray) -> float:
    """The smallest distance from 0 of numbers before a ReLU, relative to their root mean square."""
    return float(np.abs(z[z != 0]).min() / np.sqrt((z * z).mean()))


def _pool_gap(z: np.ndarray, cut: bool) -> float:
    """The smallest lead of a 2x2 window's largest number over the next one; where a ReLU cuts, windows below 0 don't count."""
    n, c, h, w = z.shape
    cells = np.sort(z.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(-1, 4), axis=1)
    lead = cells[:, 3] - cells[:, 2]
    return float(lead[((cells[:, 3] > 0) | (not cut)) & (lead != 0)].min() / np.sqrt((z * z).mean()))


def gap(weights: list[np.ndarray], x: np.ndarray) -> float:
    """The smallest distance from a tie in the whole network, computed in double by the plain loops."""
    w = [to_tensor(a.astype(np.float64)) for a in weights]
    conv = {"stride": (1, 1), "dilation": (1, 1), "groups": 1}
    pool = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0, 0, 0), "ceil_mode": False}
    z1 = tape.call("conv2d", to_tensor(x.astype(np.float64)), w[0], w[1], padding=(2, 2, 2, 2), **conv)
    z2 = tape.call("max_pool2d", tape.call("relu", z1), **pool)
    z2 = tape.call("conv2d", z2, w[2], w[3], padding=(0, 0, 0, 0), **conv)
    z3 = tape.call("flatten", tape.call("max_pool2d", z2, **pool), start=1, stop=-1)
    z3 = tape.call("linear", z3, w[4], w[5])
    z4 = tape.call("linear", tape.call("relu", z3), w[6], w[7])
    pools = _pool_gap(z1.numpy(), cut=True), _pool_gap(z2.numpy(), cut=False)
    return min(*pools, *(_relu_gap(z.numpy()) for z in (z1, z3, z4)))


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
