"""Writes the tables of README and docs from the stored results: ``python -m bench.tables``; --check only compares.

A table stands between ``<!-- table:NAME -->`` and ``<!-- /table -->``. Nothing between them is written by hand. In a folder
named after a language, such as docs/zh, it is translated (translations.py).
"""

from __future__ import annotations

import argparse
import functools
import importlib
import json
import re
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import beside_sklearn, elsewhere, report
from bench.pages import real, real_tables
from bench.pages import tables as page_tables
from bench.reliability import PARTS
from bench.translations import LANGUAGES, translated

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).resolve().parent / "results"


def stored(name: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return result


def measured(name: str) -> str:
    """A suite's table, or how to come by it."""
    if not (RESULTS / f"{name}.json").exists():
        return f"Not measured yet: run `python -m bench {name}`, then `python -m bench.tables`."
    return report.TABLES[name](stored(name))


def of_module(module: Any) -> str:
    """The table of a module that stores a result of its own name."""
    name = module.__name__.rpartition(".")[2]
    if not (RESULTS / f"{name}.json").exists():
        return f"Not measured yet: run `python -m bench.{name}`, then `python -m bench.tables`."
    table: str = module.table(stored(name))
    return table


def growth() -> str:
    """The picture, which is drawn when the result is stored, and its numbers folded away."""
    table = measured("growth")
    if not (RESULTS / "growth.json").exists():
        return table
    return (
        "![Time against batch, images, width and threads](images/growth.svg)\n\n"
        f"<details><summary>The numbers</summary>\n\n{table}\n\n</details>"
    )


def ladder() -> str:
    """Test accuracy and time over seeds, by recipe; a recipe that isn't measured yet is left out."""
    rows = [
        "| recipe | epochs | mean | sd | worst | seeds | training, seconds a run |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, title in (
        ("tutorial_accuracy_paddle", "the tutorial, real Paddle {version}"),
        ("tutorial_accuracy_lenet", "`tutorial`"),
        ("recipe_fast", "`fast` (the default)"),
        ("recipe_best", "`best`"),
        ("recipe_tiny", "`tiny`"),
    ):
        if not (RESULTS / f"{name}.json").exists():
            continue
        r = stored(name)
        epochs = r["recipe"]["epochs"] if isinstance(r["recipe"], dict) else re.findall(r"(\d+) epochs", r["recipe"])[0]
        sd = "–" if r["sd"] is None else f"{100 * r['sd']:.2f}"
        accuracy = f"{100 * r['mean']:.2f} % | {sd} | {100 * r['worst']:.2f} %"
        seconds = statistics.median(run["seconds"] for run in r["runs"] if run["seconds"] is not None)
        rows.append(f"| {title.format(**r)} | {epochs} | {accuracy} | {r['n']} | {seconds:.1f} |")
    return "\n".join(rows)


def setting(changes: dict[str, Any]) -> str:
    """``{"rate": 0.003, "augment": [["shift", 2]]}`` in words: rate 0.003, shift 2."""
    flat: list[tuple[str, Any]] = []
    for name, value in changes.items():
        parts = dict(value) if isinstance(value, (dict, list)) else {name: value}
        flat += parts.items()
    return ", ".join(f"{name} {value}" for name, value in flat) or "**nothing**"


def tried(recipe: str) -> str:
    """What a recipe's search tried, the best mean on the held-out images first; a search under way says nothing yet."""
    file = f"recipe_search_{recipe}"
    if not (RESULTS / f"{file}.json").exists() or stored(file)["chosen"] is None:
        return (
            f"Not measured yet: run `python -m bench.accuracy.recipes search {recipe}`, then `python -m bench.tables`."
        )
    found = stored(file)
    rows = ["| changed from where the search began | seeds | mean | worst |", "|---|---|---|---|"]
    for row in sorted(found["table"], key=lambda row: (-row["mean"], setting(row["setting"]))):
        rows.append(
            f"| {setting(row['setting'])} | {row['n']} | {100 * row['mean']:.2f} % | {100 * row['worst']:.2f} % |"
        )
    text = "Accuracy on the 5,000 held-out images."
    if duel := found.get("best_beside_base"):
        what = "replaced the recipe's numbers" if duel["better"] else "stayed out"
        text += (
            f" On {duel['n']} fresh seeds the best change ({setting(duel['setting'])}) was {100 * duel['difference']:+.3f} "
            f"points from the recipe, with a standard error of {100 * duel['standard_error']:.3f}: it {what}."
        )
    else:
        text += f" Chosen: {setting(found['chosen'])}."
    return "\n".join([*rows, "", text])


def knobs() -> str:
    """Every number of every recipe, as ``lenet.train`` has it."""
    from lenet.train import RECIPES

    columns = []
    for recipe in RECIPES.values():
        numbers = recipe.as_json()
        columns.append(numbers | numbers.pop("augment"))
    rows = [f"| | {' | '.join(f'`{name}`' for name in RECIPES)} |", "|---|" + "---|" * len(RECIPES)]
    for knob in columns[0]:
        if knob not in ("name", "about"):
            values = (numbers[knob] for numbers in columns)
            shown = ("yes" if v is True else "–" if not v else v if isinstance(v, str) else f"{v:.4g}" for v in values)
            rows.append(f"| `{knob}` | {' | '.join(shown)} |")
    return "\n".join(rows)


def calibration() -> str:
    """How honest ``fast``'s probabilities are before and after calibration, and what rejecting gains."""
    found = stored("calibration")
    rows = [
        "| recipe `fast`, MNIST's test images | mean of {n} seeds | 95 % interval |".format(**found),
        "|---|---|---|",
    ]
    for key, title, digits in (
        ("ece_before", "expected calibration error before", 2),
        ("ece_after", "expected calibration error after", 2),
        ("accuracy_at_0.02", "right among the rest, 2 % rejected", 2),
        ("accuracy_at_0.03", "right among the rest, 3 % rejected", 2),
    ):
        value, (low, high) = found["mean"][key]["value"], found["mean"][key]["interval"]
        rows.append(f"| {title} | {100 * value:.{digits}f} % | {100 * low:.{digits}f}–{100 * high:.{digits}f} |")
    return "\n".join(rows)


def reading(table: Callable[[dict[str, Any]], str], key: str = "levels") -> str:
    """A table of the page benchmark, whose one run on the test split may have left a part out."""
    if not (RESULTS / "pages.json").exists() or key not in stored("pages"):
        command = "python -m bench.pages --split test --singles 10000 --speed"
        return f"Not measured yet: run `{command}`, then `python -m bench.tables`."
    return table(stored("pages"))


def kept(name: str) -> dict[str, Any] | None:
    """A stored result, or None."""
    return stored(name) if (RESULTS / f"{name}.json").exists() else None


def reading_summary() -> str:
    return real_tables.summary(kept("pages"), kept("everyday"), kept("real"))


def reading_real() -> str:
    """Real pictures by kind, beside the drawn levels that are most like them."""
    found = kept("real")
    if found is None:
        return "Not measured yet: run `python -m bench.pages.real FOLDER` on copies of them, then `python -m bench.tables`."
    levels = {k: one for name in ("pages", "everyday") for k, one in (kept(name) or {"levels": {}})["levels"].items()}
    return real_tables.real_pictures(found, kept("real_before"), levels)


def reading_everyday(table: Callable[[dict[str, Any], dict[str, Any] | None], str], key: str) -> str:
    """A table of what people photograph, drawn."""
    found = kept("everyday")
    if found is None or key not in found:
        command = "python -m bench.pages --everyday --split test --singles 1000"
        return f"Not measured yet: run `{command}`, then `python -m bench.tables`."
    return table(found, kept("everyday_before"))


def reading_sources() -> str:
    return real_tables.sources(real.facts())


def reading_hands() -> str:
    """Hands that aren't MNIST's."""
    if not (RESULTS / "hands.json").exists():
        return "Not measured yet: run `python -m bench.pages.hands --test`, then `python -m bench.tables`."
    return page_tables.hands(stored("hands"))


def shown(table: Callable[[dict[str, Any]], str]) -> str:
    """What was read in docs/reading.md's pictures."""
    if not (RESULTS / "pictures.json").exists():
        return "Not drawn yet: run `python -m bench.pages.pictures`, then `python -m bench.tables`."
    return table(stored("pictures"))


def reading_weights() -> str:
    """How the packaged reader was made, as its own file says."""
    from lenet.reading.weights.reader import PACKAGED
    from lenet.train import Trained

    return page_tables.weights(Trained.load(PACKAGED).meta["training"], Path(PACKAGED).stat().st_size)


def reliability(part: str) -> str:
    """What was tried to break it, one part of it."""
    found = kept("reliability") or {}
    if part not in found:
        return f"Not tried yet: run `python -m bench.reliability {part}`, then `python -m bench.tables`."
    shown: str = importlib.import_module(f"bench.reliability.{part}").table(found[part])
    return shown


TABLES: dict[str, Callable[[], str]] = {
    **{name: functools.partial(measured, name) for name in report.TABLES},
    "growth": growth,
    "ladder": ladder,
    "knobs": knobs,
    "tried": functools.partial(tried, "best"),
    "tried_fast": functools.partial(tried, "fast"),
    "calibration": calibration,
    "reading": reading_summary,
    "reading_real": reading_real,
    "reading_sources": reading_sources,
    "reading_everyday": functools.partial(reading_everyday, real_tables.drawn_pages, "levels"),
    "reading_large": functools.partial(reading_everyday, real_tables.large_singles, "singles"),
    "reading_pages": functools.partial(reading, page_tables.measured),
    "reading_singles": functools.partial(reading, page_tables.singles, "singles"),
    "reading_rejection": functools.partial(reading, page_tables.rejection, "rejection"),
    "reading_risk": functools.partial(reading, page_tables.risk, "risk"),
    "reading_speed": functools.partial(reading, page_tables.speed, "speed"),
    "reading_example": functools.partial(shown, page_tables.example),
    "reading_printed": functools.partial(shown, page_tables.printed),
    "reading_failures": functools.partial(shown, page_tables.failures),
    "reading_sudoku": functools.partial(shown, page_tables.sudoku),
    "reading_hands": reading_hands,
    "reading_weights": reading_weights,
    "elsewhere": functools.partial(of_module, elsewhere),
    "beside_sklearn": functools.partial(of_module, beside_sklearn),
    **{f"reliability_{part}": functools.partial(reliability, part) for part in PARTS},
}
MARK = re.compile(r"(<!-- table:(\w+) -->\n).*?(<!-- /table -->)", re.DOTALL)


def pages() -> list[Path]:
    """Every page that may hold tables."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def filled(text: str, language: str = "") -> str:
    """A page's text with its tables as the stored results have them.

    KeyError for the name of no table, and for words that ``language`` has no translation of.
    """

    def table(name: str) -> str:
        return translated(TABLES[name](), language) if language else TABLES[name]()

    return MARK.sub(lambda m: f"{m[1]}{table(m[2])}\n{m[3]}", text)


def language_of(page: Path) -> str:
    return page.parent.name if page.parent.name in LANGUAGES else ""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.tables", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a page would change")
    options = parser.parse_args()
    wrong = []
    for page in pages():
        before = page.read_text(encoding="utf-8")
        after = filled(before, language_of(page))
        if after != before:
            wrong.append(str(page.relative_to(ROOT)))
            if not options.check:
                page.write_text(after, encoding="utf-8")
    if wrong and options.check:
        sys.exit(f"not what the stored results say: {', '.join(wrong)}. Run python -m bench.tables")


if __name__ == "__main__":
    main()
