"""How the numbers of the recipe ``fast`` were chosen, and how accurate it is. Stores JSON files in bench/results.

    python bench/accuracy/recipes.py search             -> recipe_search.json: settings, judged on the held-out images
    python bench/accuracy/recipes.py seeds fast         -> recipe_fast.json: ten seeds, each tested once

The search trains on 55,000 images and looks at the 5,000 held-out ones; it never opens the test images. First each
number of ``BASE`` is changed alone (stage 1), then pairs of the better changes are tried together (stage 2), then the
best settings get more seeds (stage 3). The winner meets ``BASE`` once more on seeds that had no part in choosing it
(stage 4), and replaces it only if its mean accuracy is higher by two standard errors of the difference. ``seeds``
measures the recipe as it stands in ``lenet.train.recipes`` on the test images. A run that was cut off goes on where it
stopped.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import lenet.train.data as data_sets
from lenet._augment import Augmentation
from lenet.train import RECIPES, Recipe, train
from lenet.train.loop import Run
from lenet.train.record import machine

RESULTS = Path(__file__).resolve().parents[1] / "results"

BASE = Recipe(
    "fast", "", 2, 64, rate=5e-3, warmup=0.2, decay=True, beta2=0.99, smoothing=0.03, fan_in_start=True,
    augment=Augmentation(shift=1),
    held_out=1 / 12,
)  # fmt: skip
CHANGES: dict[str, list[Any]] = {
    "rate": [3e-3, 4e-3, 7e-3],
    "warmup": [0.1, 0.3],
    "beta2": [0.98, 0.995, 0.999],
    "smoothing": [0.0, 0.06, 0.1],
    "shift": [0, 2],
    "fan_in_start": [False],
}
SEEDS = (4, 4, 16)  # a setting, by stage
FRESH = range(16, 48)  # the seeds of stage 4
KEPT = 4  # changes that stage 2 pairs, settings that stage 3 repeats

Setting = tuple[tuple[str, Any], ...]


def changed(setting: Setting) -> Recipe:
    """``BASE`` with a setting's numbers."""
    values = dict(setting)
    if "shift" in values:
        values["augment"] = Augmentation(shift=values.pop("shift"))
    return BASE._replace(**values)


class Search:
    """Settings and their runs, kept in a file."""

    def __init__(self, folder: str | None) -> None:
        self.path = RESULTS / "recipe_search.json"
        found = json.loads(self.path.read_text())["runs"] if self.path.exists() else []
        self.runs = {(tuple(map(tuple, run["setting"])), run["seed"]): run for run in found}
        self.folder = folder
        self.data: data_sets.Data | None = None

    def run(self, setting: Setting, seed: int) -> None:
        if (setting, seed) in self.runs:
            return
        if self.data is None:
            self.data = data_sets.load("mnist", self.folder)
        run = Run(changed(setting), self.data, seed)
        while not run.done:
            run.advance()
        images, labels = self.data.train.images[run.held], self.data.train.labels[run.held]
        score = run.trained().score(images, labels)
        seconds = round(run.seconds, 2)
        found = {"setting": setting, "seed": seed, "accuracy": score.accuracy, "loss": score.loss, "seconds": seconds}
        self.runs[setting, seed] = found
        print(found, flush=True)
        self.store()

    def mean(self, setting: Setting, seeds: int) -> tuple[float, float]:
        """Mean accuracy, then mean loss with its sign turned: larger is better."""
        runs = [self.runs[setting, seed] for seed in range(seeds)]
        return statistics.mean(run["accuracy"] for run in runs), -statistics.mean(run["loss"] for run in runs)

    def best(self, settings: list[Setting], seeds: int, count: int) -> list[Setting]:
        for setting, seed in itertools.product(settings, range(seeds)):
            self.run(setting, seed)
        return sorted(settings, key=lambda setting: self.mean(setting, seeds), reverse=True)[:count]

    def duel(self, setting: Setting) -> dict[str, Any]:
        """``setting`` against ``BASE`` on fresh seeds: the difference of their mean accuracies and its error."""
        for other, seed in itertools.product((setting, ()), FRESH):
            self.run(other, seed)
        pairs = [(self.runs[setting, seed]["accuracy"], self.runs[(), seed]["accuracy"]) for seed in FRESH]
        differences = [a - b for a, b in pairs]
        difference, error = statistics.mean(differences), statistics.stdev(differences) / len(differences) ** 0.5
        return {
            "setting": dict(setting),
            "n": len(pairs),
            "difference": difference,
            "standard_error": error,
            "better": difference > 2 * error,
        }

    def store(self, duel: dict[str, Any] | None = None) -> None:
        settings = dict.fromkeys(setting for setting, _ in self.runs)
        table = []
        for setting in settings:
            runs = [run for (other, _), run in self.runs.items() if other == setting]
            accuracies = [run["accuracy"] for run in runs]
            table.append(
                {
                    "setting": dict(setting),
                    "n": len(runs),
                    "mean": statistics.mean(accuracies),
                    "sd": statistics.stdev(accuracies) if len(runs) > 1 else None,
                    "worst": min(accuracies),
                    "loss": statistics.mean(run["loss"] for run in runs),
                }
            )
        write(
            self.path,
            {
                "what": "accuracy on the 5,000 held-out images after two epochs on 55,000; settings are changes to base",
                "base": BASE.as_json(),
                "best_beside_base": duel,
                "chosen": None
                if duel is None
                else changed(tuple(duel["setting"].items())).as_json()
                if duel["better"]
                else {},
                "table": sorted(table, key=lambda row: -row["mean"]),
                "runs": list(self.runs.values()),
            },
        )


def search(folder: str | None) -> None:
    found = Search(folder)
    alone: list[Setting] = [((knob, value),) for knob, values in CHANGES.items() for value in values]
    better = found.best([(), *alone], SEEDS[0], KEPT + 1)
    pairs = [a + b for a, b in itertools.combinations([s for s in better if s], 2) if a[0][0] != b[0][0]]
    again = [setting for setting in found.best([*better, *pairs], SEEDS[1], KEPT + 1) if setting][:KEPT]
    (winner,) = found.best(again, SEEDS[2], 1)
    duel = found.duel(winner)
    found.store(duel)
    print(duel)


def seeds(name: str, count: int, folder: str | None) -> None:
    path = RESULTS / f"recipe_{name}.json"
    stored = json.loads(path.read_text()) if path.exists() else {}
    recipe = RECIPES[name]
    runs = stored["runs"] if stored.get("recipe") == recipe.as_json() else []
    for seed in range(len(runs), count):
        with tempfile.TemporaryDirectory() as place:
            result = train(recipe, data=folder, seed=seed, out=f"{place}/m.safetensors", say=lambda text: None)
        run = {"seed": seed, "accuracy": result.test.accuracy, "loss": result.test.loss}
        if result.held_out is not None:
            run["held_out"] = result.held_out.accuracy
        runs.append(run | {"seconds": round(result.seconds, 2), "weights": result.digest})
        print(runs[-1], flush=True)
        accuracies = [run["accuracy"] for run in runs]
        summary = {
            "what": "accuracy on the 10,000 test images, one look a seed",
            "recipe": recipe.as_json(),
            "n": len(runs),
            "mean": statistics.mean(accuracies),
            "sd": statistics.stdev(accuracies) if len(runs) > 1 else None,
            "worst": min(accuracies),
            "runs": runs,
        }
        write(path, summary)
    print({key: value for key, value in json.loads(path.read_text()).items() if key in ("n", "mean", "sd", "worst")})


def write(path: Path, result: dict[str, Any]) -> None:
    script = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    text = json.dumps({"machine": machine(), "script_sha256": script} | result, indent=1)
    path.write_text(text + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["search", "seeds"])
    parser.add_argument("recipe", nargs="?", choices=list(RECIPES), default="fast", help="for seeds")
    parser.add_argument("--seeds", type=int, default=10, help="for seeds")
    parser.add_argument("--data", help="the folder of MNIST's four IDX files, instead of looking for them")
    options = parser.parse_args()
    if options.what == "search":
        search(options.data)
    else:
        seeds(options.recipe, options.seeds, options.data)


if __name__ == "__main__":
    main()
