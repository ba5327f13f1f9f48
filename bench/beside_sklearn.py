"""``LeNetClassifier`` beside scikit-learn's ``MLPClassifier`` and ``SVC``, on its digits and on MNIST: accuracy, seconds.

    python -m bench.beside_sklearn         stores bench/results/beside_sklearn.json; on a quiet machine

Each is measured over seeds as it comes, MLP and SVC with the scaling that their documentation asks for. The test parts are
read once a seed, for the score alone; no setting was chosen on them.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench import machine

OUT = Path(__file__).resolve().parent / "results" / "beside_sklearn.json"
SEEDS = 5
SVC_AT_MOST = 10_000  # its time grows with the square of the images
DATA = {"digits": "scikit-learn's digits, 8 x 8", "mnist": "MNIST, 28 x 28"}


def contenders(images: int) -> dict[str, Callable[[int], Any]]:
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler
    from sklearn.svm import SVC

    from lenet.sklearn import LeNetClassifier

    found: dict[str, Callable[[int], Any]] = {
        "LeNetClassifier": lambda seed: LeNetClassifier(random_state=seed),
        "LeNetClassifier, 5 epochs": lambda seed: LeNetClassifier(max_iter=5, random_state=seed),
        "MLPClassifier": lambda seed: make_pipeline(MinMaxScaler(), MLPClassifier(random_state=seed)),
        "SVC": lambda seed: make_pipeline(MinMaxScaler(), SVC(random_state=seed)),
    }
    if images > SVC_AT_MOST:
        del found["SVC"]
        found[f"SVC, of {SVC_AT_MOST:,} images"] = lambda seed: make_pipeline(MinMaxScaler(), SVC(random_state=seed))
    return found


def parts(name: str, seed: int) -> tuple[Any, Any, Any, Any]:
    """Training and test images as rows of numbers, and their labels."""
    if name == "digits":
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split

        X, y = load_digits(return_X_y=True)
        a, b, c, d = train_test_split(X, y, test_size=0.3, random_state=seed, stratify=y)
        return a, c, b, d
    from lenet.train.data import load

    data = load("mnist")
    train, test = ((part.images.reshape(len(part.images), -1), part.labels) for part in (data.train, data.test))
    return *train, *test


def measure() -> dict[str, Any]:
    import sklearn

    warnings.simplefilter("ignore")  # MLPClassifier's, which would like more epochs
    rows: dict[str, dict[str, list[dict[str, float]]]] = {}
    for name in DATA:
        for seed in range(SEEDS):
            X, y, test_X, test_y = parts(name, seed)
            for title, make in contenders(len(X)).items():
                some = slice(None)
                if title.startswith("SVC, of"):
                    some = np.random.RandomState(seed).permutation(len(X))[:SVC_AT_MOST]  # type: ignore[assignment]
                began = time.perf_counter()
                model = make(seed).fit(X[some], y[some])
                fitted = time.perf_counter()
                accuracy = float(model.score(test_X, test_y))
                times = {"fit": fitted - began, "score": time.perf_counter() - fitted}
                rows.setdefault(name, {}).setdefault(title, []).append({"accuracy": accuracy, **times})
                print(
                    f"{name}, seed {seed}, {title}: {accuracy:.4f}, {times['fit']:.1f} s", file=sys.stderr, flush=True
                )
    return {"rows": rows, "sklearn": sklearn.__version__, "machine": {"cpu": machine.cpu(), "cores": machine.cores()}}


def table(result: dict[str, Any]) -> str:
    """The Markdown table of a stored result."""
    lines = [
        "| data | classifier | accuracy, mean | worst | fit, seconds | answering, seconds |",
        "|---|---|---|---|---|---|",
    ]
    for name, found in result["rows"].items():
        for title, runs in found.items():
            right = [run["accuracy"] for run in runs]
            fit, score = (statistics.median(run[key] for run in runs) for key in ("fit", "score"))
            numbers = f"{100 * statistics.mean(right):.2f} % | {100 * min(right):.2f} % | {fit:.2f} | {score:.3f}"
            lines.append(
                f"| {DATA[name]} | `{title.partition(',')[0]}`{title[len(title.partition(',')[0]) :]} | {numbers} |"
            )
    seeds = len(next(iter(next(iter(result["rows"].values())).values())))
    return "\n".join([*lines, "", f"{seeds} seeds each; scikit-learn {result['sklearn']}."])


if __name__ == "__main__":
    if os.environ.pop("OPENBLAS_CORETYPE", None) is not None:  # an old library's workaround would slow a current numpy
        os.execv(sys.executable, [sys.executable, "-m", "bench.beside_sklearn"])
    OUT.write_text(json.dumps(measure(), indent=1) + "\n", encoding="utf-8")
