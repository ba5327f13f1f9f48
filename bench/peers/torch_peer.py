"""PyTorch, eager, the data set in memory as one normalised float tensor, batches by slicing a permutation."""

from __future__ import annotations

import os

import torch
from _serve import BATCH, mnist, normalised, serve
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(int(os.environ.get("BENCH_THREADS", os.cpu_count() or 1)))
images, labels = (torch.from_numpy(a) for a in (normalised(mnist("train")[0]), mnist("train")[1]))
test_images, test_labels = (torch.from_numpy(a) for a in (normalised(mnist("test")[0]), mnist("test")[1]))


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


def loop() -> float:
    torch.manual_seed(0)
    net = LeNet()
    adam = torch.optim.Adam(net.parameters(), lr=0.001)
    order = torch.randperm(len(images))
    for start in range(0, len(images), BATCH):
        batch = order[start : start + BATCH]
        loss = F.cross_entropy(net(images[batch]), labels[batch])
        adam.zero_grad()
        loss.backward()
        adam.step()
    return float(loss)


trained = LeNet()


def evaluate() -> float:
    trained.eval()
    with torch.no_grad():
        right = sum(
            int((trained(test_images[i : i + 1000]).argmax(1) == test_labels[i : i + 1000]).sum())
            for i in range(0, len(test_images), 1000)
        )
    return right / len(test_images)


serve({"loop": loop, "evaluate": evaluate}, torch.__version__)
