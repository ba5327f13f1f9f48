"""PyTorch: eager with the data in memory; as most write it, TensorDataset and DataLoader; and through ``torch.compile``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from _serve import BATCH, THREADS, accuracy, latency, mnist, normalised, serve, weights
from _torch_networks import WORKS
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(THREADS)
images, labels = (torch.from_numpy(a) for a in (normalised(mnist("train")[0]), mnist("train")[1]))
test_images, test_labels = normalised(mnist("test")[0]), mnist("test")[1]


class LeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.linear1 = nn.Linear(400, 120)
        self.linear2 = nn.Linear(120, 84)
        self.linear3 = nn.Linear(84, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(F.max_pool2d(F.relu(self.conv1(x)), 2))
        x = F.max_pool2d(self.conv2(x), 2)
        x = F.relu(self.linear1(x.flatten(1)))
        return self.linear3(F.relu(self.linear2(x)))


def slices() -> Iterable[tuple[torch.Tensor, torch.Tensor]]:
    order = torch.randperm(len(images))
    for start in range(0, len(images), BATCH):
        batch = order[start : start + BATCH]
        yield images[batch], labels[batch]


def epoch(net: nn.Module, batches: Iterable[Any], forward: Callable[[torch.Tensor], torch.Tensor]) -> float:
    adam = torch.optim.Adam(net.parameters(), lr=0.001)
    for x, y in batches:
        loss = F.cross_entropy(forward(x), y)
        adam.zero_grad()
        loss.backward()
        adam.step()
    return float(loss)


def loop() -> float:
    torch.manual_seed(0)
    net = LeNet()
    return epoch(net, slices(), net)


def loader() -> float:
    torch.manual_seed(0)
    net = LeNet()
    return epoch(net, DataLoader(TensorDataset(images, labels), batch_size=BATCH, shuffle=True), net)


compiled: list[Any] = []


def compile_() -> float:
    """One network compiled once, in the unmeasured first run; a later epoch goes on with it."""
    if not compiled:
        torch.manual_seed(0)
        net = LeNet()
        compiled.extend((net, torch.compile(net)))
    return epoch(compiled[0], slices(), compiled[1])


def trained() -> LeNet:
    state = {
        name: torch.from_numpy(np.ascontiguousarray(value.T if name.startswith("linear") else value))
        for name, value in weights().items()
    }
    net = LeNet()
    net.load_state_dict(state)
    return net.eval()


def evaluate() -> float:
    net = trained()
    with torch.inference_mode():
        return accuracy(lambda x: net(torch.from_numpy(x)).numpy(), test_images, test_labels, 1000)


def image() -> dict[str, float]:
    net = trained()
    with torch.inference_mode():
        return latency(lambda x: net(torch.from_numpy(x)).numpy(), test_images)


serve(
    {"loop": loop, "loader": loader, "compile": compile_, "evaluate": evaluate, "image": image, **WORKS},
    torch.__version__,
)
