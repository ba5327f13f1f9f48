"""The tutorial's accuracy, seed by seed: real Paddle's and ours, same data, same batch order. Stores a JSON file.

    python -m bench.accuracy.tutorial paddle --seeds 20 --data DIR   -> bench/results/tutorial_accuracy_paddle.json
    python -m bench.accuracy.tutorial lenet  --seeds 20 --data DIR   -> bench/results/tutorial_accuracy_lenet.json

The recipe is the tutorial's to the letter: Adam 1e-3, batch 64, two epochs through Model.fit (which shuffles with
RandomState(epoch)), all 60,000 training images, tested once on the 10,000 test images. Paddle's run takes about 15 minutes.
DIR holds the four gzipped files of MNIST. A run that was cut off goes on where it stopped.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import statistics
import time
from pathlib import Path
from typing import Any

from bench import history

RESULTS = Path(__file__).resolve().parents[1] / "results"


def network(paddle: Any) -> Any:
    nn = paddle.nn

    class LeNet(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2D(1, 6, 5, stride=1, padding=2)
            self.pool1 = nn.MaxPool2D(2, 2)
            self.conv2 = nn.Conv2D(6, 16, 5, stride=1)
            self.pool2 = nn.MaxPool2D(2, 2)
            self.linear1 = nn.Linear(400, 120)
            self.linear2 = nn.Linear(120, 84)
            self.linear3 = nn.Linear(84, 10)

        def forward(self, x: Any) -> Any:
            x = nn.functional.relu(self.pool1(nn.functional.relu(self.conv1(x))))  # as the tutorial has it:
            x = self.pool2(self.conv2(x))  # twice around the first pooling, not at all at the second
            x = paddle.flatten(x, start_axis=1, stop_axis=-1)
            x = nn.functional.relu(self.linear1(x))
            x = nn.functional.relu(self.linear2(x))
            return self.linear3(x)

    return LeNet()


def datasets(paddle: Any, folder: Path) -> list[Any]:
    transforms = importlib.import_module(f"{paddle.__name__}.vision.transforms")
    normalise = transforms.Compose([transforms.Normalize(mean=[127.5], std=[127.5], data_format="CHW")])
    files = {"train": "train", "test": "t10k"}
    return [
        paddle.vision.datasets.MNIST(
            image_path=str(folder / f"{stem}-images-idx3-ubyte.gz"),
            label_path=str(folder / f"{stem}-labels-idx1-ubyte.gz"),
            mode=mode,
            transform=normalise,
        )
        for mode, stem in files.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", choices=["paddle", "lenet"])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    paddle = importlib.import_module(options.library)
    train, test = datasets(paddle, options.data)
    out = RESULTS / f"tutorial_accuracy_{options.library}.json"
    runs: list[dict[str, Any]] = json.loads(out.read_text())["runs"] if out.exists() else []
    for seed in range(len(runs), options.seeds):
        paddle.seed(seed)
        model = paddle.Model(network(paddle))
        adam = paddle.optimizer.Adam(learning_rate=0.001, parameters=model.parameters())
        model.prepare(adam, paddle.nn.CrossEntropyLoss(), paddle.metric.Accuracy())
        start = time.perf_counter()
        model.fit(train, epochs=2, batch_size=64, verbose=0)
        seconds = time.perf_counter() - start
        accuracy = float(model.evaluate(test, batch_size=64, verbose=0)["acc"])
        runs.append({"seed": seed, "accuracy": accuracy, "seconds": round(seconds, 2)})
        print(runs[-1], flush=True)
        store(out, paddle, runs)
    if not out.exists() or len(runs) >= options.seeds:
        store(out, paddle, runs)
    history.append(out.stem, json.loads(out.read_text()))


def store(out: Path, paddle: Any, runs: list[dict[str, Any]]) -> None:
    accuracies = [run["accuracy"] for run in runs]
    summary = {
        "library": paddle.__name__,
        "version": paddle.__version__,
        "recipe": "tutorial: Adam 1e-3, batch 64, 2 epochs, Model.fit, 60,000 images",
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "n": len(runs),
        "mean": statistics.mean(accuracies),
        "sd": statistics.stdev(accuracies) if len(runs) > 1 else None,
        "worst": min(accuracies),
        "runs": runs,
    }
    out.write_text(json.dumps(summary, indent=1) + "\n")


if __name__ == "__main__":
    main()
