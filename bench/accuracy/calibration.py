"""How well ``fast`` knows how sure it is, and what rejecting its least sure answers gains. Stores calibration.json.

    python -m bench.accuracy.calibration [--seeds 5] [--data FOLDER]

Each seed trains the recipe as it stands, which fits the temperature to its 5,000 held-out images; the test images are
looked at once. Intervals are 95 %, by resampling the test images (1,000 times); that of a mean resamples the images for
all seeds at once. A resampled calibration error is larger than the measured one on average, so its interval leans upward.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from bench import history

from lenet.evaluation import bootstrap, rejection, softmax
from lenet.evaluation.calibration import BINS, binned, calibration_error, mean_loss
from lenet.evaluation.rejection import from_confidence
from lenet.train import RECIPES, train
from lenet.train.data import load_test
from lenet.train.record import machine

RESULT = Path(__file__).resolve().parents[1] / "results" / "calibration.json"
REJECTED = (0.02, 0.03)

Array = np.ndarray[Any, Any]


def ece(confidence: Array, right: Array) -> float:
    """The mean calibration error of S models: confidences and whether right, [N, S]."""
    return statistics.mean(
        calibration_error(binned(confidence[:, s], right[:, s], BINS)) for s in range(right.shape[1])
    )


def accuracy_at(share: float, confidence: Array, right: Array) -> float:
    """The mean accuracy of S models after rejecting that share."""
    curves = (from_confidence(confidence[:, s], right[:, s]) for s in range(right.shape[1]))
    return statistics.mean(float(curve.accuracy[curve.at(share)]) for curve in curves)


def measured(before: Array, after: Array, right: Array) -> dict[str, Any]:
    """The numbers and their intervals of S models, from confidences [N, S]."""
    found: dict[str, Any] = {}
    for name, confidence in (("ece_before", before), ("ece_after", after)):
        found[name] = {"value": ece(confidence, right), "interval": bootstrap(ece, confidence, right)}
    for share in REJECTED:

        def accuracy(confidence: Array, right: Array, share: float = share) -> float:
            return accuracy_at(share, confidence, right)

        found[f"accuracy_at_{share:g}"] = {
            "value": accuracy(after, right),
            "interval": bootstrap(accuracy, after, right),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data", help="the folder of MNIST's four IDX files, instead of looking for them")
    options = parser.parse_args()
    _, test, _ = load_test("mnist", options.data)
    runs, columns = [], []
    for seed in range(options.seeds):
        with tempfile.TemporaryDirectory() as place:
            result = train("fast", data=options.data, seed=seed, out=f"{place}/m.safetensors", say=lambda text: None)
        logits = result.trained.logits(test.images)
        before, after = softmax(logits), softmax(logits, result.trained.temperature)
        right = after.argmax(axis=1) == test.labels
        column = [array[:, None] for array in (before.max(axis=1), after.max(axis=1), right)]
        columns.append(column)
        run = {
            "seed": seed,
            "weights": result.digest,
            "accuracy": result.test.accuracy,
            "held_out": result.trained.calibration,
            "loss_before": mean_loss(before, test.labels),
            "loss_after": mean_loss(after, test.labels),
            **measured(*column),
        }
        curve = rejection(after, test.labels)
        run["rejected_for_99.8"] = float(curve.rejected[np.flatnonzero(curve.accuracy >= 0.998)[0]])
        runs.append(run)
        print({key: value for key, value in run.items() if key not in ("weights", "held_out")}, flush=True)
    together = measured(*(np.concatenate(arrays, axis=1) for arrays in zip(*columns, strict=True)))
    summary = {
        "machine": machine(),
        "script_sha256": hashlib.sha256(Path(__file__).read_bytes()).hexdigest(),
        "what": f"10,000 test images, {BINS} bins of equally many; before and after temperature scaling on held-out images",
        "recipe": RECIPES["fast"].as_json(),
        "n": len(runs),
        "mean": together,
        "mean_rejected_for_99.8": statistics.mean(run["rejected_for_99.8"] for run in runs),
        "loss_never_higher_after": all(run["loss_after"] <= run["loss_before"] for run in runs),
        "runs": runs,
    }
    history.store(RESULT, summary)
    print(together)


if __name__ == "__main__":
    main()
