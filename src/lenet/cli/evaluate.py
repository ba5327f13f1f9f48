"""``lenet evaluate``: a model's accuracy on a data set's test images."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from lenet._check import message
from lenet.cli.shared import DEFAULT_MODEL, exit_codes, load_model, print_json, score_text, show
from lenet.device import set_num_threads
from lenet.train import Trained
from lenet.train.data import load

__all__ = ["evaluate"]


def evaluate(
    model: Annotated[str, typer.Argument(help="The model file.", metavar="MODEL")] = DEFAULT_MODEL,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="mnist, fashion-mnist, or a FOLDER of class folders. [what it was trained on]", metavar="NAME"
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(help="The folder of the data set's four IDX files, instead of looking for them.", metavar="DIR"),
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads to compute on. [all processors]", metavar="N")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Measure a model on test images, which it has not been trained on.

    Examples:

    - `lenet evaluate`

    - `lenet evaluate fashion.safetensors --json`
    """
    with exit_codes():
        if threads is not None:
            set_num_threads(threads)
        trained = load_model(model, "lenet evaluate MODEL")
        found = load(*_data_set(trained, dataset, data))
        show(found.line, aside=True)
        if found.classes != trained.labels:
            given, known = ", ".join(found.classes[:12]), ", ".join(trained.labels[:12])
            show(f"note: these images' classes are {given}; the model's are {known}", aside=True)
        score = trained.score(found.test.images, found.test.labels)
        if as_json:
            print_json({"model": model, "weights": trained.digest, "data": found.line, "test": score.as_json()})
        wrong = score.images - score.correct
        show(f"test accuracy {score_text(score)}, {wrong:,} wrong, loss {score.loss:.4f}", aside=as_json)


def _data_set(trained: Trained, dataset: str | None, folder: str | None) -> tuple[str, str | None]:
    """The data set to measure on: the one asked for, else the one in the model's record."""
    if dataset is not None:
        return dataset, folder
    training: Any = trained.meta.get("training")
    about: Any = training.get("data") if isinstance(training, dict) else None
    name, before = (about.get(key) if isinstance(about, dict) else None for key in ("name", "folder"))
    if not isinstance(name, str) or not name:
        fix = "Type for example --dataset mnist"
        raise ValueError(message("dataset", "a model that doesn't say what it was trained on", "a data set", fix))
    if folder is None and isinstance(before, str) and before and os.path.isdir(os.path.expanduser(before)):
        folder = os.path.expanduser(before)
    return os.path.expanduser(name), folder
