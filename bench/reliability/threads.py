"""Eight threads ask one object a thousand times each, while a ninth trains another network: the bits of each alone.

Asked are a ``Model``, a ``to_static`` net (recording, with its backward, and not), a ``Reader``, a page read with one, and
an eager net. A training counts as wrong if its weights differ from those of the same training alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lenet
from lenet import nn
from lenet.reading import read
from lenet.reading.weights.reader import Reader

THREADS = 8
CALLS = 1000

Answer = bytes
Question = Callable[[int], Answer]  # the thread's number -> what it gets, which differs from one thread to the next


def images(n: int, seed: int) -> NDArray[np.float32]:
    return np.random.RandomState(seed).standard_normal((n, 1, 28, 28)).astype(np.float32)


def network(seed: int) -> Any:
    lenet.seed(seed)
    return lenet.LeNet()


def ask_model() -> Question:
    model = lenet.Model(network(0))
    batches = [images(1 + 5 * k, k) for k in range(THREADS)]  # 1 to 36 images: few and many
    return lambda k: bytes(model.predict_batch([batches[k]])[0].tobytes())


def ask_static() -> Question:
    """Every other thread records, and runs its backward at once: its gradients are of its own pass."""
    net = lenet.jit.to_static(network(1))
    batches = [lenet.to_tensor(images(1 + 9 * k, k)) for k in range(THREADS)]

    def ask(k: int) -> Answer:
        if k % 2:
            with lenet.no_grad():
                return bytes(net(batches[k]).numpy().tobytes())
        y = net(batches[k])
        x = y._node.row.backward(y._node, lenet.ones(y.shape))
        return bytes(y.numpy().tobytes()) + b"".join(g.numpy().tobytes() for g in x if g is not None)

    return ask


def ask_eager() -> Question:
    net = network(2).eval()
    batches = [lenet.to_tensor(images(1 + 3 * k, k)) for k in range(THREADS)]

    def ask(k: int) -> Answer:
        if k % 2:
            return bytes(net(batches[k]).numpy().tobytes())
        with lenet.no_grad():
            return bytes(net(batches[k]).numpy().tobytes())

    return ask


def ask_reader() -> Question:
    reader = Reader()
    glyphs = [np.random.RandomState(k).randint(0, 256, (1 + 3 * k, 28, 28)).astype(np.uint8) for k in range(THREADS)]
    return lambda k: bytes(reader(glyphs[k]).tobytes() + reader.glance(glyphs[k]).tobytes())


def ask_page() -> Question:
    """Digits of strokes, drawn here; what is read need not be what was meant, but the same each time."""
    from PIL import Image, ImageDraw

    reader, pages = Reader(), []
    for k in range(THREADS):
        page = Image.new("L", (200, 70), 255)
        ImageDraw.Draw(page).text((20, 10), str(1000 + 417 * k), fill=0, font_size=36)
        pages.append(np.asarray(page))
    return lambda k: repr(read(pages[k], reader)).encode()


# What is asked, how, and the calls of each thread at budget 1; a page takes a hundred times as long as an image.
OBJECTS: tuple[tuple[str, Callable[[], Question], int], ...] = (
    ("`Model.predict_batch`", ask_model, CALLS),
    ("a `to_static` net, forward and backward", ask_static, CALLS),
    ("an eager net", ask_eager, CALLS),
    ("a `Reader`", ask_reader, CALLS),
    ("`reading.read` with one `Reader`", ask_page, CALLS // 10),
)


def train() -> Answer:
    """A short training from a seed, its weights."""
    net = nn.Sequential(nn.Conv2D(1, 4, 5), nn.ReLU(), nn.MaxPool2D(2, 2), nn.Flatten(), nn.Linear(576, 10))
    for i, p in enumerate(net.parameters()):  # the process's stream is everybody's
        p.set_value((np.random.RandomState(i).standard_normal(p.shape) * 0.05).astype(np.float32))
    labels = np.random.RandomState(1).randint(0, 10, (256, 1))
    data = lenet.io.TensorDataset([lenet.to_tensor(images(256, 3)), lenet.to_tensor(labels)])
    model = lenet.Model(net)
    model.prepare(
        lenet.optimizer.Adam(0.01, parameters=net.parameters()), nn.CrossEntropyLoss(), lenet.metric.Accuracy()
    )
    model.fit(data, eval_data=data, batch_size=64, epochs=2, verbose=0)
    return b"".join(p.numpy().tobytes() for p in net.parameters())


def crowd(ask: Question, calls: int, trained: Answer) -> dict[str, int]:
    """THREADS threads ask ``calls`` times each beside one that trains: how many answers there were, and how many wrong."""
    wanted = [ask(k) for k in range(THREADS)]
    wrong = [calls] * THREADS  # until it has got through
    trainings = [0, 0]
    asked = threading.Event()

    def one(k: int) -> None:
        wrong[k] = sum(ask(k) != wanted[k] for _ in range(calls))

    def ninth() -> None:
        while not asked.is_set():
            trainings[1] += 1  # wrong until it is right
            trainings[1] -= train() == trained
            trainings[0] += 1

    threads = [threading.Thread(target=one, args=(k,)) for k in range(THREADS)]
    trainer = threading.Thread(target=ninth)
    for thread in (trainer, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    asked.set()
    trainer.join()
    return {"answers": calls * THREADS, "wrong": sum(wrong), "trainings": trainings[0], "wrong trainings": trainings[1]}


def run(budget: float = 1.0) -> dict[str, Any]:
    """Counts by object: {"objects": {name: {"answers", "wrong", "trainings", "wrong trainings"}}, "threads", "wrong"}."""
    trained = train()
    objects = {name: crowd(make(), max(1, round(calls * budget)), trained) for name, make, calls in OBJECTS}
    wrong = sum(found["wrong"] + found["wrong trainings"] for found in objects.values())
    return {"threads": THREADS, "objects": objects, "wrong": wrong}


def table(found: dict[str, Any]) -> str:
    """As docs/reliability.md shows it."""
    rows = [
        f"| asked by {found['threads']} threads at once | answers | wrong | runs beside | wrong |",
        "|---|---|---|---|---|",
    ]
    for name, counts in found["objects"].items():
        numbers = (counts[key] for key in ("answers", "wrong", "trainings", "wrong trainings"))
        rows.append(f"| {name} | {' | '.join(f'{n:,}' for n in numbers)} |")
    return "\n".join(rows)
