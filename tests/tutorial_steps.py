"""The steps of Paddle's MNIST tutorial, both ways, as one script that runs under either library.

    python tests/tutorial_steps.py paddle|lenet DIR REPORT [IMAGES]

DIR holds MNIST's four gzipped files. What the tutorial prints goes to stdout; shapes, dtypes and the first losses go to the
JSON file REPORT. IMAGES (default: all) cuts both sets short: real Paddle needs a minute for all of them. Only the first
argument differs between the two runs, as only the import line does for a user. Read by test_tutorial.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import matplotlib
import numpy as np

if sys.argv[1] == "lenet":
    import lenet as paddle
else:
    import paddle

matplotlib.use("Agg")
import matplotlib.pyplot as plt

F = paddle.nn.functional
folder, report_path = sys.argv[2], sys.argv[3]
most = int(sys.argv[4]) if len(sys.argv) > 4 else None
report: dict[str, Any] = {}


def note(name: str, value: Any) -> None:
    """Shape, dtype and whether a gradient stops here, for the report."""
    report[name] = [list(value.shape), str(value.dtype), getattr(value, "stop_gradient", None)]


# ---- the data ----------------------------------------------------------------------------------------------------------

transform = paddle.vision.transforms.Compose(
    [paddle.vision.transforms.Normalize(mean=[127.5], std=[127.5], data_format="CHW")]
)
print("download training data and load training data")
sets = {}
for mode, stem in (("train", "train"), ("test", "t10k")):
    sets[mode] = paddle.vision.datasets.MNIST(
        image_path=f"{folder}/{stem}-images-idx3-ubyte.gz",
        label_path=f"{folder}/{stem}-labels-idx1-ubyte.gz",
        mode=mode,
        transform=transform,
    )
print("load finished")
report["samples"] = [len(sets["train"]), len(sets["test"])]

train_data0, train_label_0 = sets["train"][0][0], sets["train"][0][1]
note("image", train_data0)
note("label", train_label_0)
train_data0 = train_data0.reshape([28, 28])
plt.figure(figsize=(2, 2))
plt.imshow(train_data0, cmap=plt.cm.binary)
plt.savefig(f"{report_path}.png")
print("train_data0 label is: " + str(train_label_0))
report["pixels"] = [float(train_data0.sum()), float(train_data0.min()), float(train_data0.max())]

train_dataset, test_dataset = sets["train"], sets["test"]
if most:
    train_dataset = paddle.io.Subset(train_dataset, list(range(most)))
    test_dataset = paddle.io.Subset(test_dataset, list(range(most)))


# ---- the network -------------------------------------------------------------------------------------------------------


class LeNet(paddle.nn.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = paddle.nn.Conv2D(in_channels=1, out_channels=6, kernel_size=5, stride=1, padding=2)
        self.max_pool1 = paddle.nn.MaxPool2D(kernel_size=2, stride=2)
        self.conv2 = paddle.nn.Conv2D(in_channels=6, out_channels=16, kernel_size=5, stride=1)
        self.max_pool2 = paddle.nn.MaxPool2D(kernel_size=2, stride=2)
        self.linear1 = paddle.nn.Linear(in_features=16 * 5 * 5, out_features=120)
        self.linear2 = paddle.nn.Linear(in_features=120, out_features=84)
        self.linear3 = paddle.nn.Linear(in_features=84, out_features=10)

    def forward(self, x: Any) -> Any:
        x = self.conv1(x)
        x = F.relu(x)
        x = self.max_pool1(x)
        x = F.relu(x)
        x = self.conv2(x)
        x = self.max_pool2(x)
        x = paddle.flatten(x, start_axis=1, stop_axis=-1)
        x = self.linear1(x)
        x = F.relu(x)
        x = self.linear2(x)
        x = F.relu(x)
        x = self.linear3(x)
        return x


# ---- way 1: the high-level API -----------------------------------------------------------------------------------------


def prepared() -> Any:
    paddle.seed(0)
    model = paddle.Model(LeNet())
    optim = paddle.optimizer.Adam(learning_rate=0.001, parameters=model.parameters())
    model.prepare(optim, paddle.nn.CrossEntropyLoss(), paddle.metric.Accuracy())
    return model


class FirstLosses(paddle.callbacks.Callback):
    def on_train_batch_end(self, step: int, logs: Any = None) -> None:
        report.setdefault("way 1, first losses", []).append(float(np.asarray(logs["loss"]).reshape(-1)[0]))


model = prepared()
model.summary((1, 1, 28, 28))
model.fit(train_dataset, epochs=2, batch_size=64, verbose=1)
result = model.evaluate(test_dataset, batch_size=64, verbose=1)
report["evaluate"] = sorted(result)
answers = model.predict(test_dataset, batch_size=64, stack_outputs=True, verbose=1)
report["predict"] = [len(answers), list(answers[0].shape), str(answers[0].dtype)]

prepared().fit(train_dataset, epochs=1, batch_size=64, verbose=0, num_iters=5, callbacks=[FirstLosses()])


# ---- way 2: the base API -----------------------------------------------------------------------------------------------

np.random.seed(0)
train_loader = paddle.io.DataLoader(train_dataset, batch_size=64, shuffle=True)


def train(model: Any) -> None:
    model.train()
    epochs = 2
    optim = paddle.optimizer.Adam(learning_rate=0.001, parameters=model.parameters())
    for epoch in range(epochs):
        for batch_id, data in enumerate(train_loader()):
            x_data = data[0]
            y_data = data[1]
            predicts = model(x_data)
            loss = F.cross_entropy(predicts, y_data)
            acc = paddle.metric.accuracy(predicts, y_data)
            loss.backward()
            if epoch == 0 and batch_id == 0:
                for name, value in (("x", x_data), ("y", y_data), ("predicts", predicts), ("loss", loss), ("acc", acc)):
                    note(f"batch: {name}", value)
                for name, p in model.named_parameters():
                    note(f"parameter: {name}", p)
                    note(f"gradient: {name}", p.grad)
            if epoch == 0 and batch_id < 5:
                report.setdefault("way 2, first losses", []).append(float(loss.numpy()))
                report.setdefault("way 2, first accuracies", []).append(float(acc.numpy()))
            if batch_id % 3 == 0:
                print(f"epoch: {epoch}, batch_id: {batch_id}, loss is: {loss.numpy()}, acc is: {acc.numpy()}")
            optim.step()
            optim.clear_grad()


paddle.seed(0)
model = LeNet()
print(model)
train(model)

test_loader = paddle.io.DataLoader(test_dataset, places=paddle.CPUPlace(), batch_size=64)


def test(model: Any) -> None:
    model.eval()
    for batch_id, data in enumerate(test_loader()):
        x_data = data[0]
        y_data = data[1]
        predicts = model(x_data)
        loss = F.cross_entropy(predicts, y_data)
        acc = paddle.metric.accuracy(predicts, y_data)
        if batch_id % 2 == 0:
            print(f"batch_id: {batch_id}, loss is: {loss.numpy()}, acc is: {acc.numpy()}")


test(model)

with open(report_path, "w", encoding="utf-8") as file:
    json.dump(report, file)
