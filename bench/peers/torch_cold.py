"""PyTorch from a cold process to a saved LeNet of 99 %: eager, data in memory, the means of our own recipe where they pay.

    BENCH_DATA=DIR python torch_cold.py OUT SEED

Larger batches than ours, because a step costs PyTorch more than an image does; warm-up and decay, label smoothing, and one
random shift of a pixel for a whole batch, which is free. 5,000 images are held out, as ours are.
"""

from __future__ import annotations

import json
import sys

import torch
from _serve import THREADS, mnist
from torch import nn
from torch.nn import functional as F

EPOCHS, BATCH, RATE = 2, 128, 7e-3

torch.set_num_threads(THREADS)
torch.manual_seed(int(sys.argv[2]))
images, labels = (torch.from_numpy(a) for a in mnist("train"))
images, labels = (images[:55000, None].float() - 127.5) / 127.5, labels[:55000]
net = nn.Sequential(
    nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.MaxPool2d(2), nn.Flatten(),
    nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
)  # fmt: skip
steps = EPOCHS * -(-len(images) // BATCH)
adam = torch.optim.Adam(net.parameters(), lr=RATE, betas=(0.9, 0.99), fused=True)
rate = torch.optim.lr_scheduler.OneCycleLR(
    adam, RATE, total_steps=steps, pct_start=0.2, anneal_strategy="linear", cycle_momentum=False
)
for _ in range(EPOCHS):
    order = torch.randperm(len(images))
    for start in range(0, len(images), BATCH):
        batch = order[start : start + BATCH]
        down, right = torch.randint(-1, 2, (2,)).tolist()
        x = torch.roll(images[batch], (down, right), (2, 3))  # the margin is empty, so what wraps round is background
        loss = F.cross_entropy(net(x), labels[batch], label_smoothing=0.03)
        adam.zero_grad()
        loss.backward()
        adam.step()
        rate.step()
torch.save(net.state_dict(), sys.argv[1])
test_images, test_labels = (torch.from_numpy(a) for a in mnist("test"))
with torch.inference_mode():
    answers = torch.cat([net((x[:, None].float() - 127.5) / 127.5).argmax(1) for x in test_images.split(1000)])
print(json.dumps({"accuracy": float((answers == test_labels).float().mean()), "version": torch.__version__}))
