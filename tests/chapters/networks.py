"""Chapters on convolutional networks: LeNet by the high-level calls, colour pictures, image search, a pair of rivals."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

Numbers = dict[str, Any]


def lenet_by_fit(paddle: ModuleType) -> Numbers:
    """LeNet by ``Model``: prepare, fit, evaluate, predict."""
    rng = np.random.RandomState(0)
    images, labels = rng.rand(60, 1, 28, 28).astype("float32"), rng.randint(0, 10, (60, 1)).astype("int64")
    for image, label in zip(images, labels, strict=True):
        image[0, 2 * label[0] : 2 * label[0] + 4] += 1
    data = paddle.io.TensorDataset([paddle.to_tensor(images), paddle.to_tensor(labels)])
    paddle.seed(4)
    model = paddle.Model(paddle.vision.models.LeNet())
    adam = paddle.optimizer.Adam(learning_rate=0.002, parameters=model.parameters())
    model.prepare(adam, paddle.nn.CrossEntropyLoss(), paddle.metric.Accuracy(topk=(1, 2)))
    model.fit(data, epochs=2, batch_size=20, shuffle=False, verbose=0)
    found = model.evaluate(data, batch_size=20, verbose=0)
    answers = model.predict(data, batch_size=20, stack_outputs=True, verbose=0)[0]
    return {"loss": found["loss"], "top1": found["acc_top1"], "top2": found["acc_top2"], "answers": answers}


def colour_pictures(paddle: ModuleType) -> Numbers:
    """A convolutional network for small colour pictures, in a loop of one's own with validation after each epoch."""
    nn, F = paddle.nn, paddle.nn.functional

    class Net(nn.Layer):
        def __init__(self, classes: int) -> None:
            super().__init__()
            self.conv1, self.pool = nn.Conv2D(3, 8, (3, 3)), nn.MaxPool2D(2, 2)
            self.conv2, self.norm = nn.Conv2D(8, 12, (3, 3)), nn.BatchNorm2D(12)
            self.flatten = nn.Flatten()
            self.linear1, self.linear2 = nn.Linear(12 * 6 * 6, 16), nn.Linear(16, classes)

        def forward(self, x: Any) -> Any:
            x = self.pool(F.relu(self.conv1(x)))
            x = F.relu(self.norm(self.pool(self.conv2(x))))
            return self.linear2(F.relu(self.linear1(self.flatten(x))))

    rng = np.random.RandomState(1)
    images, labels = rng.rand(48, 3, 32, 32).astype("float32"), np.arange(48).reshape(48, 1) % 4
    images += (labels == np.arange(3)).astype("float32")[:, :, None, None]  # each kind has a colour, the last has none
    paddle.seed(5)
    net = Net(4)
    net.train()
    # Not Adam: before a normalisation a bias has no gradient but rounding, which Adam would make whole steps of.
    momentum = paddle.optimizer.Momentum(learning_rate=0.02, momentum=0.9, parameters=net.parameters())
    losses, accuracies = [], []
    for _ in range(2):
        for k in range(0, 48, 16):
            x, y = paddle.to_tensor(images[k : k + 16]), paddle.to_tensor(labels[k : k + 16].astype("int64"))
            loss = F.cross_entropy(net(x), y)
            losses.append(float(loss))
            loss.backward()
            momentum.step()
            momentum.clear_grad()
        net.eval()
        with paddle.no_grad():
            logits = net(paddle.to_tensor(images))
            accuracies.append(float(paddle.metric.accuracy(logits, paddle.to_tensor(labels.astype("int64")))))
        net.train()
    return {"losses": losses, "accuracies": accuracies, "running mean": net.norm._mean, "weights": net.linear2.weight}


def image_search(paddle: ModuleType) -> Numbers:
    """Metric learning: like pictures near each other on a sphere, then the nearest are looked up."""
    nn, F = paddle.nn, paddle.nn.functional

    class Net(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2D(3, 8, 3, stride=2), nn.Conv2D(8, 16, 3, stride=2)
            self.pool, self.out = nn.AdaptiveAvgPool2D(1), nn.Linear(16, 8)

        def forward(self, x: Any) -> Any:
            x = F.relu(self.conv2(F.relu(self.conv1(x))))
            x = self.out(paddle.flatten(self.pool(x), start_axis=1, stop_axis=-1))
            return x / paddle.norm(x, axis=1, keepdim=True)

    rng = np.random.RandomState(2)
    kinds = rng.rand(6, 3, 16, 16).astype("float32")
    pairs = (kinds[None] + 0.1 * rng.randn(2, 6, 3, 16, 16)).astype("float32")
    paddle.seed(6)
    net = Net()
    adam = paddle.optimizer.Adam(learning_rate=0.01, parameters=net.parameters())
    labels, losses = paddle.arange(0, 6, dtype="int64"), []
    for _ in range(6):
        anchors, positives = net(paddle.to_tensor(pairs[0])), net(paddle.to_tensor(pairs[1]))
        similarities = paddle.matmul(anchors, positives, transpose_y=True) * 5.0
        loss = F.cross_entropy(similarities, labels)
        losses.append(float(loss))
        loss.backward()
        adam.step()
        adam.clear_grad()
    net.eval()
    near = paddle.matmul(net(paddle.to_tensor(pairs[0])), net(paddle.to_tensor(kinds)), transpose_y=True)
    values, places = paddle.topk(near, k=2, axis=1)
    return {"losses": losses, "nearest": places, "how near": values}


def rivals(paddle: ModuleType) -> Numbers:
    """A network that draws digits and one that tells them from true ones, each with its own optimizer."""
    nn = paddle.nn
    paddle.seed(7)
    normal = paddle.ParamAttr(initializer=nn.initializer.Normal(mean=0.0, std=0.02))
    draws = nn.Sequential(
        nn.Conv2DTranspose(6, 8, 4, weight_attr=normal, bias_attr=False), nn.BatchNorm2D(8), nn.ReLU(),
        nn.Conv2DTranspose(8, 1, 4, 2, 1, weight_attr=normal, bias_attr=False), nn.Tanh(),
    )  # fmt: skip
    tells = nn.Sequential(
        nn.Conv2D(1, 8, 4, 2, 1, weight_attr=normal, bias_attr=False), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(128, 1),
        nn.Sigmoid(),
    )  # fmt: skip
    optimizers = [
        paddle.optimizer.Adam(2e-3, beta1=0.5, beta2=0.999, parameters=n.parameters()) for n in (draws, tells)
    ]
    loss, rng, losses = nn.BCELoss(), np.random.RandomState(3), []
    for _ in range(4):
        true = paddle.to_tensor(rng.uniform(-1, 1, (6, 1, 8, 8)).astype("float32"))
        noise = paddle.to_tensor(rng.randn(6, 6, 1, 1).astype("float32"))
        ones, zeros = paddle.full([6, 1], 1.0, dtype="float32"), paddle.full([6, 1], 0.0, dtype="float32")
        optimizers[1].clear_grad()
        fake = draws(noise)
        found = loss(tells(true), ones) + loss(tells(fake.detach()), zeros)
        found.backward()
        optimizers[1].step()
        optimizers[0].clear_grad()
        fooled = loss(tells(fake), ones)
        fooled.backward()
        optimizers[0].step()
        losses += [float(found), float(fooled)]
    return {"losses": losses, "drawn": draws(noise), "weights": tells[0].weight}
