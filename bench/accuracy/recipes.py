"""How the numbers of the recipes ``fast`` and ``best`` were chosen, and how accurate they are. Stores JSON in bench/results.

    python -m bench.accuracy.recipes search fast        -> recipe_search_fast.json: settings, judged on the held-out images
    python -m bench.accuracy.recipes search best        -> recipe_search_best.json
    python -m bench.accuracy.recipes seeds fast         -> recipe_fast.json: ten seeds, each tested once
    python -m bench.accuracy.recipes time fast --seeds 3   trains three of them again on a quiet machine, for their seconds

The search trains on 55,000 images and looks at the 5,000 held-out ones; it never opens the test images. First each
number of a space's base is changed alone (stage 1), then pairs of the better changes are tried together (stage 2), then
the best settings get more seeds (stage 3). The winner meets the base once more on seeds that had no part in choosing it
(stage 4), and replaces it only if its mean accuracy is higher by two standard errors of the difference. ``best`` is dear
to run and its base came from a coarser look at the same held-out images: its search has neither pairs nor a last meeting. It
was for LeNet; the wider network took its numbers over, and so did ``tiny``, but for the rate.
``seeds`` measures the recipe as it stands in ``lenet.train.recipes`` on the test images. A run that was cut off goes on
where it stopped.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from bench import history

import lenet.train.data as data_sets
from lenet.data.augment import Augmentation
from lenet.train import RECIPES, Recipe, train
from lenet.train.loop import Run
from lenet.train.record import machine

RESULTS = Path(__file__).resolve().parents[1] / "results"


class Space(NamedTuple):
    """Where to look: a recipe, what each of its numbers might be instead, and how many seeds that may cost."""

    base: Recipe
    changes: dict[str, list[Any]]
    seeds: tuple[int, int, int]  # a setting, by stage
    kept: int  # changes that stage 2 pairs, settings that stage 3 repeats
    pairs: bool = True
    fresh: range = range(0)  # the seeds of stage 4


SPACES = {
    "fast": Space(
        Recipe(
            "fast", "", 2, 64, rate=5e-3, warmup=0.2, decay=True, beta2=0.99, smoothing=0.03, fan_in_start=True,
            augment=Augmentation(shift=1),
            held_out=1 / 12,
        ),
        {
            "rate": [3e-3, 4e-3, 7e-3],
            "warmup": [0.1, 0.3],
            "beta2": [0.98, 0.995, 0.999],
            "smoothing": [0.0, 0.06, 0.1],
            "augment": [{"shift": 0}, {"shift": 2}],
            "fan_in_start": [False],
        },
        seeds=(4, 4, 16),
        kept=4,
        fresh=range(16, 48),
    ),
    "best": Space(
        Recipe(  # for LeNet, before the recipe took a wider one
            "best", "", 40, 64, rate=2e-3, warmup=0.1, decay=True, beta2=0.99, smoothing=0.03, fan_in_start=True,
            augment=Augmentation(shift=2, rotate=10, scale=0.1, shear=0.1),
            average=0.998,
            held_out=1 / 12,
        ),
        {
            "rate": [1e-3, 3e-3],
            "beta2": [0.999],
            "smoothing": [0.0, 0.06],
            "augment": [
                {"shift": 1, "rotate": 8, "scale": 0.08, "shear": 0.08},
                {"shift": 2, "rotate": 15, "scale": 0.15, "shear": 0.15},
            ],
            "average": [0.0, 0.9995],
            "batch_size": [128],
        },
        seeds=(2, 2, 5),
        kept=3,
        pairs=False,
    ),
}  # fmt: skip

Setting = tuple[tuple[str, Any], ...]


def as_setting(stored: list[list[Any]]) -> Setting:
    """From JSON's lists; an augmentation's numbers stay a tuple of pairs, so that a setting can be a key."""
    return tuple((knob, tuple(map(tuple, value)) if isinstance(value, list) else value) for knob, value in stored)


def changed(base: Recipe, setting: Setting) -> Recipe:
    """``base`` with a setting's numbers."""
    values = dict(setting)
    if "augment" in values:
        values["augment"] = Augmentation(**dict(values["augment"]))
    return base._replace(**values)


class Search:
    """Settings and their runs, kept in a file."""

    def __init__(self, space: Space, folder: str | None) -> None:
        self.space = space
        self.path = RESULTS / f"recipe_search_{space.base.name}.json"
        found = json.loads(self.path.read_text())["runs"] if self.path.exists() else []
        self.runs = {(as_setting(run["setting"]), run["seed"]): run for run in found}
        self.folder = folder
        self.data: data_sets.Data | None = None

    def run(self, setting: Setting, seed: int) -> None:
        if (setting, seed) in self.runs:
            return
        if self.data is None:
            self.data = data_sets.load("mnist", self.folder)
        run = Run(changed(self.space.base, setting), self.data, seed)
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
        """``setting`` against the base on fresh seeds: the difference of their mean accuracies and its error."""
        for other, seed in itertools.product((setting, ()), self.space.fresh):
            self.run(other, seed)
        pairs = [(self.runs[setting, seed]["accuracy"], self.runs[(), seed]["accuracy"]) for seed in self.space.fresh]
        differences = [a - b for a, b in pairs]
        difference, error = statistics.mean(differences), statistics.stdev(differences) / len(differences) ** 0.5
        return {
            "setting": dict(setting),
            "n": len(pairs),
            "difference": difference,
            "standard_error": error,
            "better": difference > 2 * error,
        }

    def store(self, chosen: Setting | None = None, duel: dict[str, Any] | None = None) -> None:
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
                "what": "accuracy on the 5,000 held-out images after training on 55,000; settings are changes to base",
                "base": self.space.base.as_json(),
                "best_beside_base": duel,
                "chosen": None if chosen is None else dict(chosen),
                "table": sorted(table, key=lambda row: -row["mean"]),
                "runs": list(self.runs.values()),
            },
        )


def search(space: Space, folder: str | None) -> None:
    found = Search(space, folder)
    first, second, third = space.seeds
    frozen = {
        knob: [tuple(value.items()) if isinstance(value, dict) else value for value in values]
        for knob, values in space.changes.items()
    }
    alone: list[Setting] = [((knob, value),) for knob, values in frozen.items() for value in values]
    better = found.best([(), *alone], first, space.kept + 1)
    if space.pairs:
        pairs = [a + b for a, b in itertools.combinations([s for s in better if s], 2) if a[0][0] != b[0][0]]
        better = found.best([*better, *pairs], second, space.kept + 1)
    if not space.fresh:
        (chosen,) = found.best(list(dict.fromkeys([(), *better])), third, 1)
        found.store(chosen)
        print(dict(chosen))
        return
    (winner,) = found.best([setting for setting in better if setting][: space.kept], third, 1)
    duel = found.duel(winner)
    found.store(winner if duel["better"] else (), duel)
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


def retime(name: str, count: int, folder: str | None) -> None:
    """Train the first seeds of a recipe again on a quiet machine: their seconds count, and their weights must be the same."""
    path = RESULTS / f"recipe_{name}.json"
    stored = json.loads(path.read_text())
    for run in stored["runs"]:
        run["seconds"] = None
    for run in stored["runs"][:count]:
        with tempfile.TemporaryDirectory() as place:
            result = train(
                RECIPES[name], data=folder, seed=run["seed"], out=f"{place}/m.safetensors", say=lambda text: None
            )
        if result.digest != run["weights"]:
            raise SystemExit(f"seed {run['seed']}: other weights than stored: run `seeds {name}` anew")
        run["seconds"] = round(result.seconds, 2)
        print(run, flush=True)
    write(path, stored)
    history.append(path.stem, stored)


def write(path: Path, result: dict[str, Any]) -> None:
    script = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    text = json.dumps({"machine": machine(), "script_sha256": script} | result, indent=1)
    path.write_text(text + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["search", "seeds", "time"])
    parser.add_argument("recipe", nargs="?", choices=list(RECIPES), default="fast")
    parser.add_argument("--seeds", type=int, default=10, help="for seeds, and for time")
    parser.add_argument("--data", help="the folder of MNIST's four IDX files, instead of looking for them")
    options = parser.parse_args()
    if options.what == "search" and options.recipe not in SPACES:
        parser.error(f"the recipe {options.recipe} has nothing to search: it is Paddle's")
    if options.what == "search":
        search(SPACES[options.recipe], options.data)
    else:
        {"seeds": seeds, "time": retime}[options.what](options.recipe, options.seeds, options.data)


if __name__ == "__main__":
    main()
