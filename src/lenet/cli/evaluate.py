"""``lenet evaluate``: how good a model is on a data set's test images, in numbers, and on request as one HTML page."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import typer

from lenet.cli.shared import (
    DEFAULT_MODEL,
    check_drawn,
    data_set,
    exit_codes,
    fitted,
    load_model,
    percent,
    print_json,
    show,
    test_images,
)
from lenet.device import set_num_threads
from lenet.evaluation import Evaluation, mistakes, suspects
from lenet.evaluation import evaluate as evaluated
from lenet.messages.check import one_line
from lenet.train import Trained

__all__ = ["evaluate"]

_CONFUSIONS = 5  # kinds of mistake that are named
_ROWS = 30  # classes in the table, at most
_WIDTH = 24  # characters of a class's name


def evaluate(
    model: Annotated[str, typer.Argument(help="The model file.", metavar="MODEL")] = DEFAULT_MODEL,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="mnist, fashion-mnist, or a FOLDER of class folders. [default: what the model was trained on]",
            metavar="NAME",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="The folder with the data set's four IDX files. [default: found or downloaded]", metavar="DIR"
        ),
    ] = None,
    report: Annotated[
        str | None, typer.Option(help="Write a report with pictures, as one HTML page.", metavar="FILE.html")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads to use. [default: all processors]", metavar="N")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as a single JSON object.")] = False,
) -> None:
    """Measure a model on test images that it was not trained on.

    If you name a FOLDER of class folders, all its images count, or, if the model was trained on that folder, the tenth
    that was held out.

    Accuracy comes with its 95 % interval. The calibration error says how far "97 % sure" is from being right 97 times in
    100. Rejecting means not answering where the model is least sure. Suspected label errors are images whose label
    disagrees with the model more than chance explains; --json lists them, and the mistakes, by index in the data set.

    Examples:

    - `lenet evaluate                         # lenet.safetensors on its test set`

    - `lenet evaluate --report report.html    # the same, as a page with pictures`

    - `lenet evaluate fashion.safetensors --json > result.json`
    """
    with exit_codes():
        if report is not None:
            check_drawn("report", report, (".html", ".htm"))
        if threads is not None:
            set_num_threads(threads)
        trained = load_model(model, "lenet evaluate MODEL")
        classes, part, line = test_images([trained], *data_set(trained, dataset, data))
        show(line, aside=True)
        part = fitted(trained, classes, part)
        probabilities = trained.probabilities(part.images)
        found = evaluated(probabilities, part.labels, trained.labels)
        missing = [name for name, n in zip(found.classes, found.support, strict=True) if not n]
        if missing:
            show(f"note: no test image is of class {', '.join(missing[:12])}", aside=True)
        doubted = suspects(probabilities, part.labels)
        if as_json:
            result = {"model": model, "weights": trained.digest, "data": line, "calibration": trained.calibration}
            result["test"] = found.as_json()
            result["mistakes"] = mistakes(probabilities, part.labels).tolist()
            result["suspects"] = doubted.tolist()
            print_json(result)
        for text in _summary(found, trained, len(doubted)):
            show(text, aside=as_json)
        if report is not None:
            from lenet.report import write

            write(report, trained, part.images, part.labels, line=line)
            show(f"report written to {report}", aside=True)


def _summary(found: Evaluation, trained: Trained, doubted: int) -> list[str]:
    low, high = found.interval
    wrong = found.images - found.correct
    rest = ", ".join(f"{percent(share, 0)} {percent(found.accuracy_at(share))}" for share in (0.02, 0.03))
    calibrated = f"temperature {trained.temperature:.3f}" if trained.calibration is not None else "not calibrated"
    lines = [
        f"test accuracy {percent(found.accuracy)}, 95 % interval {100 * low:.2f} to {percent(high)}"
        f" ({found.images:,} images, {wrong:,} wrong)",
        f"loss {found.loss:.4f}, top-2 {percent(found.top2)}, calibration error {percent(found.ece)} ({calibrated})",
        f"right among the rest, with the least sure rejected: {rest}",
        *_table(found),
    ]
    worst = found.confusions()[:_CONFUSIONS]
    if worst:
        classes = [one_line(name, 60) for name in found.classes]
        named = [f"{classes[truth]} as {classes[answer]} ({n})" for truth, answer, n in worst]
        lines.append(f"most often mistaken: {', '.join(named)}")
    return [*lines, f"suspected label errors: {doubted:,}"]


def _table(found: Evaluation) -> list[str]:
    """A line a class; of very many classes those with the lowest F1."""
    rows = np.arange(len(found.classes))
    lines = []
    if len(rows) > _ROWS:
        rows = np.argsort(found.f1, kind="stable")[:_ROWS]
        lines = [f"the {_ROWS} of {len(found.classes)} classes with the lowest F1:"]
    names = [name if len(name) <= _WIDTH else f"{name[: _WIDTH - 1]}…" for name in map(one_line, found.classes)]
    width = max(5, *(len(names[i]) for i in rows))
    lines.append(f"{'class':<{width}}  precision   recall       F1  support")
    for i in rows:
        shares = [found.precision[i], found.recall[i], found.f1[i]]
        precision, recall, f1 = ("-" if np.isnan(share) else percent(share) for share in shares)
        lines.append(f"{names[i]:<{width}}  {precision:>9} {recall:>8} {f1:>8} {found.support[i]:>8,}")
    return lines
