"""``lenet runs``: the histories that ``lenet train`` left, as a list, side by side, or as curves."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lenet.cli.shared import PICTURES, check_drawn, clean, exit_codes, percent, print_json, show
from lenet.messages.check import choice, message
from lenet.train import RunRecord, Runs
from lenet.train.recording import CONFIG
from lenet.train.runs import FOLDER

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["runs"]

_MOST_CURVES = 8  # of runs that nobody named
_TOGETHER = 2  # runs make a comparison

# How to sort: what by, the best or newest first. A run without the number comes last.
_SORTS: dict[str, Callable[[RunRecord], float | None]] = {
    "date": lambda run: 0.0,
    "accuracy": lambda run: -run.test["accuracy"] if run.test else None,
    "loss": lambda run: run.test["loss"] if run.test else None,
    "seconds": lambda run: run.seconds,
}

# What a config says besides settings, or says twice.
_NO_SETTINGS = (
    "begun",
    "steps",
    "out",
    "asked",
    "recipe about",
    "data folder",
    "data name",
    "data published",
    "data sha256",
)
_WIDEST = 40  # characters of a setting


def runs(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Runs to put side by side, each by its name or a part that only it has; or a folder of runs to list.",
            metavar="RUN|DIR",
            show_default=False,
        ),
    ] = None,
    sort: Annotated[str, typer.Option(help=f"Sort by {', '.join(_SORTS)}.", metavar="KEY")] = "date",
    curves: Annotated[
        str | None,
        typer.Option(help="Draw loss and accuracy over the steps, as .png, .svg or .pdf.", metavar="FILE"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as a single JSON object.")] = False,
) -> None:
    """List past runs of `lenet train`, or put some side by side.

    Side by side you see which settings differ and what came of it. Differences of a few images are mostly chance: run
    `lenet compare` on the two models to find out.

    Examples:

    - `lenet runs                    # every run in ./runs, newest first`

    - `lenet runs --sort accuracy    # best first`

    - `lenet runs 15-20-31 15-24-02 --curves both.png   # two of them`

    - `lenet runs old-runs/ --json`
    """
    with exit_codes():
        choice("sort", sort, _SORTS)
        if curves is not None:
            check_drawn("curves", curves, PICTURES)
        folder, wanted = _asked(names or [])
        if not wanted:
            found = _listed(folder, sort)
            if as_json:
                print_json({"folder": folder, "runs": [run.as_json() for run in found]})
            elif found:
                _print(_table(found))
        else:
            found = [Runs(folder).find(name) for name in wanted]
            settings, results = _side_by_side(found)
            if as_json:
                print_json({"runs": [run.as_json() for run in found], "differ": settings})
            else:
                _print(_columns(found, settings, results))
                if len(found) >= _TOGETHER and not settings:
                    show("they were asked for the same", aside=True)
        if curves is not None:
            _draw(curves, found, bool(wanted))


def _asked(names: list[str]) -> tuple[str, list[str]]:
    """The folder to look in and the runs that were named: a single name of a folder that is no run is the former."""
    if len(names) == 1 and (os.path.isabs(names[0]) or not os.path.isdir(os.path.join(FOLDER, names[0]))):
        path = names[0]
        if os.path.isdir(path) and not os.path.exists(os.path.join(path, CONFIG)):
            return path, []
        if path.endswith(os.sep) and not os.path.isdir(path):
            raise FileNotFoundError(errno.ENOENT, message("runs", f"{path}, which does not exist", "a folder of runs"))
    return FOLDER, names


def _listed(folder: str, sort: str) -> list[RunRecord]:
    """All runs, sorted; says what else is there, and what to type where there is nothing."""
    found, strange = Runs(folder).scan()
    for text in strange:
        show(f"left out: {text}", aside=True)
    if not found:
        where = f" --runs {folder}" if folder != FOLDER else ""
        show(f"no runs in {folder}: `lenet train{where}` leaves one", aside=True)
    key = _SORTS[sort]
    newest_first = list(reversed(found))
    return sorted(newest_first, key=lambda run: (key(run) is None, key(run) or 0.0))


# ---- tables ------------------------------------------------------------------------------------------------------------


def _accuracy(run: RunRecord) -> str:
    if run.test is None:
        return "-"
    low, high = run.test["interval"]
    return f"{percent(run.test['accuracy'])} ({100 * low:.2f}–{100 * high:.2f})"


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)


def _table(found: Sequence[RunRecord]) -> Table:
    table = _new_table(["run", "recipe", "seed", "epochs", "test accuracy (95 %)", "held out", "seconds", "status"])
    for run in found:
        held = "-" if run.held_out is None else percent(run.held_out)
        seconds = _number(run.seconds, "{:.1f}")
        cells = [run.name, run.recipe, str(run.seed), str(run.epochs), _accuracy(run), held, seconds, run.status]
        _add(table, cells)
    return table


def _side_by_side(found: Sequence[RunRecord]) -> tuple[dict[str, list[Any]], dict[str, list[str]]]:
    """The settings in which the runs differ, a value each (of a single run all of them), and their results in words."""
    flat = [_flat(run.config) for run in found]
    keys = list(dict.fromkeys(key for settings in flat for key in settings))
    rows = {key: [settings.get(key) for settings in flat] for key in keys}
    settings = {
        key: row for key, row in rows.items() if len(found) < _TOGETHER or any(value != row[0] for value in row)
    }
    tests = [run.test or {} for run in found]
    results = {
        "status": [run.status for run in found],
        "test accuracy (95 %)": [_accuracy(run) for run in found],
        "test loss": [_number(test.get("loss"), "{:.4f}") for test in tests],
        "calibration error": ["-" if "ece" not in test else percent(test["ece"]) for test in tests],
        "held out": ["-" if run.held_out is None else percent(run.held_out) for run in found],
        "seconds": [_number(run.seconds, "{:.1f}") for run in found],
        "weights": ["-" if run.report is None else str(run.report["weights"])[:16] for run in found],
    }
    return settings, results


def _flat(value: dict[str, Any], before: str = "") -> dict[str, Any]:
    """The settings, nested objects as one: ``{"recipe": {"rate": 1}}`` as ``{"recipe rate": 1}``."""
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        if before + key in _NO_SETTINGS:
            continue
        if isinstance(inner, dict):
            flat |= _flat(inner, f"{before}{key} ")
        else:
            flat[before + key] = inner
    return flat


def _columns(found: Sequence[RunRecord], settings: dict[str, list[Any]], results: dict[str, list[str]]) -> Table:
    table = _new_table(["", *(run.name for run in found)])
    for key, row in settings.items():
        _add(table, [key, *("-" if value is None else str(value)[:_WIDEST] for value in row)])
    if settings:
        table.add_section()
    for title, texts in results.items():
        _add(table, [title, *texts])
    return table


def _new_table(titles: list[str]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in titles:
        table.add_column(Text(clean(title)), overflow="fold")
    return table


def _add(table: Table, cells: list[str]) -> None:
    from rich.text import Text

    table.add_row(*(Text(clean(cell).replace("\n", " ")) for cell in cells))  # as text: names hold no markup


def _print(table: Table) -> None:
    """On a terminal as wide as that is; else each row on one line, for whatever reads it."""
    from rich.console import Console

    if sys.stdout.isatty():
        Console(highlight=False).print(table)
        return
    console = Console(width=100_000, highlight=False)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        if line.strip():
            show(line.rstrip())


# ---- curves ------------------------------------------------------------------------------------------------------------


def _draw(path: str, found: Sequence[RunRecord], named: bool) -> None:
    begun = [run for run in found if run.curve().steps]
    if not begun:
        raise ValueError(message("curves", f"{len(found)} runs without a step", "at least one run that has begun"))
    shown = begun if named else begun[:_MOST_CURVES]
    from lenet import plots

    lines, dots = [], []
    for run in shown:
        curve, held = run.curve(), run.held_curve()
        lines.append((f"{run.recipe} seed {run.seed} {run.begun[11:19]}", curve.steps, curve.loss, curve.accuracy))
        dots.append((held.steps, held.loss, held.accuracy) if held.steps else None)
    title = f"Training of {shown[0].name}" if len(shown) == 1 else f"Training of {len(shown)} runs"
    plots.save(plots.curves(lines, held_out=dots, title=title), path)
    some = (
        f"of the first {len(shown)} of {len(begun)} runs; name those that you want" if len(shown) < len(begun) else ""
    )
    show(f"curves{' ' + some if some else ''}: written to {path}", aside=True)
