"""Chapters on what surrounds a network: data, transforms, layers and metrics of one's own, files, compiled forms, logs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image

Numbers = dict[str, Any]


def data_loading(paddle: ModuleType) -> Numbers:
    """A data set of one's own, samplers and loaders, also with a way of joining of one's own."""

    class Squares(paddle.io.Dataset):  # type: ignore[misc, name-defined]
        def __getitem__(self, i: int) -> Any:
            return np.array([i, i * i], "float32"), np.array([i % 3], "int64")

        def __len__(self) -> int:
            return 11

    class Stream(paddle.io.IterableDataset):  # type: ignore[misc, name-defined]
        def __iter__(self) -> Any:
            yield from (np.float32(i) / 4 for i in range(5))

    data = Squares()
    loader = paddle.io.DataLoader(data, batch_size=4, shuffle=False, drop_last=True)
    np.random.seed(0)
    shuffled = [y.numpy().ravel().tolist() for _, y in paddle.io.DataLoader(data, batch_size=4, shuffle=True)]
    sampler = paddle.io.BatchSampler(sampler=paddle.io.SequenceSampler(data), batch_size=3)
    joined = paddle.io.DataLoader(
        data, batch_size=5, collate_fn=lambda samples: [np.stack([x for x, _ in samples]).sum(axis=0)]
    )
    parts = paddle.io.Subset(data, [2, 5, 7])
    both = paddle.io.ConcatDataset([parts, data])
    return {
        "lengths": [len(data), len(loader), len(sampler), len(parts), len(both)],
        "batches": [x.numpy() for x, _ in loader],
        "labels": [y.numpy() for _, y in loader],
        "shuffled": np.sort(np.concatenate(shuffled)),
        "sampled": [list(batch) for batch in sampler],
        "joined": [batch[0].numpy() for batch in joined],
        "stream": [x.numpy() for x in paddle.io.DataLoader(Stream(), batch_size=2)],
        "concatenated": [both[k][0] for k in range(5)],
    }


def transforms(paddle: ModuleType) -> Numbers:
    """Pictures resized, cropped, padded, turned and normalised, one after another and composed."""
    T, F = paddle.vision.transforms, paddle.vision.transforms.functional
    image = np.random.RandomState(0).randint(0, 256, (12, 16, 3)).astype("uint8")
    steps = T.Compose([T.Resize((8, 8)), T.ToTensor(), T.Normalize([0.5] * 3, [0.25] * 3, data_format="CHW")])
    return {
        "composed": steps(Image.fromarray(image)),
        "centre": F.center_crop(image, 6),
        "padded": F.pad(image, (1, 2), fill=(7, 7, 7)),
        "mirrored": F.hflip(image),
        "upside down": F.vflip(image),
        "bright": F.adjust_brightness(image, 1.3),
        "grey": F.to_grayscale(image),
        "cut": F.crop(image, 2, 3, 5, 6),
        "transposed": T.Transpose()(image),
    }


def layers(paddle: ModuleType) -> Numbers:
    """Layers of one's own: parameters, buffers, sublayers, hooks, names, freezing."""
    nn = paddle.nn

    class Scaled(nn.Layer):
        def __init__(self, size: int) -> None:
            super().__init__()
            self.weight = self.create_parameter([size], default_initializer=nn.initializer.Constant(2.0))
            self.register_buffer("calls", paddle.zeros([1]))

        def forward(self, x: Any) -> Any:
            self.calls = self.calls + 1
            return x * self.weight

    class Net(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(("first", nn.Linear(4, 3)), ("scaled", Scaled(3)))
            self.heads = nn.LayerList([nn.Linear(3, 2) for _ in range(2)])

        def forward(self, x: Any) -> Any:
            x = self.body(x)
            return paddle.concat([head(x) for head in self.heads], axis=-1)

    paddle.seed(8)
    net, seen = Net(), []
    handle = net.body.register_forward_post_hook(lambda layer, given, result: seen.append(float(result.sum())))
    x = paddle.to_tensor(np.random.RandomState(1).randn(5, 4).astype("float32"))
    first = net(x)
    handle.remove()
    net.body.first.weight.stop_gradient = True
    (net(x) ** 2).sum().backward()
    return {
        "names": "|".join(name for name, _ in net.named_parameters()),
        "sublayers": "|".join(name for name, _ in net.named_sublayers()),
        "state": "|".join(net.state_dict()),
        "answers": first,
        "seen": seen,
        "calls": net.body.scaled.calls,
        "frozen": [p.grad is None for p in net.parameters()],
        "gradients": [p.grad.numpy() for p in net.parameters() if p.grad is not None],
    }


def callbacks_and_metrics(paddle: ModuleType) -> Numbers:
    """A metric and a callback of one's own in ``fit``, a schedule, early stopping."""

    class Hits(paddle.metric.Metric):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.reset()

        def compute(self, answers: Any, labels: Any) -> Any:
            return (answers.argmax(axis=1) == labels.reshape([-1])).astype("int64")

        def update(self, right: Any) -> int:
            self.count += int(np.asarray(right).sum())
            return self.count

        def accumulate(self) -> int:
            return self.count

        def reset(self) -> None:
            self.count = 0

        def name(self) -> str:
            return "hits"

    class Notes(paddle.callbacks.Callback):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.lines: list[float] = []

        def on_train_batch_end(self, step: int, logs: Any = None) -> None:
            self.lines.append(float(np.ravel(logs["loss"])[0]))

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.lines += [float(epoch), float(logs["hits"])]

    rng = np.random.RandomState(2)
    x, y = rng.randn(24, 6).astype("float32"), rng.randint(0, 3, (24, 1))
    data = paddle.io.TensorDataset([paddle.to_tensor(x), paddle.to_tensor(y)])
    paddle.seed(9)
    model, notes = paddle.Model(paddle.nn.Linear(6, 3)), Notes()
    schedule = paddle.optimizer.lr.StepDecay(0.1, step_size=2, gamma=0.5)
    sgd = paddle.optimizer.SGD(schedule, parameters=model.parameters())
    model.prepare(sgd, paddle.nn.CrossEntropyLoss(), Hits())
    steps = paddle.callbacks.LRScheduler(by_step=False, by_epoch=True)
    model.fit(data, batch_size=8, epochs=5, shuffle=False, verbose=0, callbacks=[notes, steps])
    return {"notes": notes.lines, "weights": model.network.weight, "evaluated": model.evaluate(data, verbose=0)["hits"]}


def files(paddle: ModuleType) -> Numbers:
    """Weights and an optimizer's state written, read, and gone on with; a whole object too."""

    def train() -> list[float]:
        losses = []
        for _ in range(3):
            loss = paddle.nn.functional.mse_loss(net(x), y)
            loss.backward()
            optimizer.step()
            optimizer.clear_grad()
            losses.append(float(loss))
        return losses

    rng = np.random.RandomState(3)
    x, y = (paddle.to_tensor(rng.randn(7, n).astype("float32")) for n in (4, 2))
    paddle.seed(10)
    net = paddle.nn.Sequential(paddle.nn.Linear(4, 5), paddle.nn.Tanh(), paddle.nn.Linear(5, 2))
    optimizer = paddle.optimizer.Adam(0.05, parameters=net.parameters())
    before = train()
    with tempfile.TemporaryDirectory() as folder:
        place = str(Path(folder) / "net")
        paddle.save(net.state_dict(), place + ".pdparams")
        paddle.save(optimizer.state_dict(), place + ".pdopt")
        paddle.save({"epoch": 3, "loss": before, "x": x}, place + ".note")
        on = train()
        net.set_state_dict(paddle.load(place + ".pdparams"))
        optimizer.set_state_dict(paddle.load(place + ".pdopt"))
        note = paddle.load(place + ".note")
    return {"before": before, "on": on, "again": train(), "note": note["x"], "weights": net[0].weight}


def compiled(paddle: ModuleType) -> Numbers:
    """A network made static, written with its input's form, read back without its class, and fine-tuned."""
    paddle.seed(11)
    net = paddle.nn.Sequential(
        paddle.nn.Conv2D(1, 4, 3),
        paddle.nn.ReLU(),
        paddle.nn.MaxPool2D(2),
        paddle.nn.Flatten(),
        paddle.nn.Linear(36, 3),
    )
    x = paddle.to_tensor(np.random.RandomState(4).randn(5, 1, 8, 8).astype("float32"))
    spec = paddle.static.InputSpec(shape=[None, 1, 8, 8], dtype="float32", name="x")
    static = paddle.jit.to_static(net, input_spec=[spec], full_graph=True)
    answers = static(x).numpy()
    static.eval()
    with tempfile.TemporaryDirectory() as folder:
        paddle.jit.save(static, str(Path(folder) / "net"))
        loaded = paddle.jit.load(str(Path(folder) / "net"))
    loaded.eval()
    read = loaded(x).numpy()
    return {"answers": answers, "read": read, "one": loaded(x[:1])}


def logged(paddle: ModuleType) -> Numbers:
    """What a page of training logs would show: scalars by step, and histograms of the weights, from ``fit``'s callbacks."""
    scalars: dict[str, list[float]] = {"train": [], "eval": []}
    histograms: list[Any] = []

    class Writer(paddle.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_train_batch_end(self, step: int, logs: Any = None) -> None:
            scalars["train"].append(float(np.ravel(logs["loss"])[0]))

        def on_eval_end(self, logs: Any = None) -> None:
            scalars["eval"].append(float(np.ravel(logs["acc"])[0]))

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            for parameter in self.model.network.parameters():
                histograms.append(np.histogram(parameter.numpy(), 4, (-1, 1))[0])

    rng = np.random.RandomState(5)
    x, y = rng.randn(20, 4).astype("float32"), rng.randint(0, 2, (20, 1))
    data = paddle.io.TensorDataset([paddle.to_tensor(x), paddle.to_tensor(y)])
    paddle.seed(12)
    model = paddle.Model(paddle.nn.Sequential(paddle.nn.Linear(4, 6), paddle.nn.ReLU(), paddle.nn.Linear(6, 2)))
    rmsprop = paddle.optimizer.RMSProp(0.01, parameters=model.parameters())
    model.prepare(rmsprop, paddle.nn.CrossEntropyLoss(), paddle.metric.Accuracy())
    model.fit(data, data, batch_size=5, epochs=3, shuffle=False, verbose=0, callbacks=Writer())
    return {**scalars, "histograms": histograms}
