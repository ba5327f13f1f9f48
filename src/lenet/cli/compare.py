"""``lenet compare``: several models on the same test images, and whether chance alone explains how they differ."""

from __future__ import annotations

import os
import time
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray

from lenet import _core
from lenet.cli.shared import (
    PICTURES,
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
from lenet.evaluation import Comparison, Evaluation, evaluate
from lenet.evaluation import compare as compared
from lenet.messages.check import message
from lenet.train import Trained
from lenet.train.data import Part

__all__ = ["compare"]

_LIKELY = 0.05  # a p below this, shared among the comparisons, is called a difference
_PASSES, _TIMED = 5, 10_000  # how often each model is timed, on how many images at most
_PICTURES = 60  # at most


class _Measured(NamedTuple):
    """A model with its answers: probabilities float32 [N, K]."""

    path: str
    trained: Trained
    probabilities: NDArray[np.float32]
    found: Evaluation

    @property
    def parameters(self) -> int:
        """How many numbers it has learned."""
        return sum(int(np.prod(value.shape)) for value in self.trained.network.state_dict().values())


def compare(
    models: Annotated[
        list[str],
        typer.Argument(help="Two or more model files; the others are measured against the first.", metavar="MODEL"),
    ],
    dataset: Annotated[
        str | None,
        typer.Option(
            help="mnist, fashion-mnist, or a FOLDER of class folders. [default: what the models were trained on]",
            metavar="NAME",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="The folder with the data set's four IDX files. [default: found or downloaded]", metavar="DIR"
        ),
    ] = None,
    pictures: Annotated[
        str | None,
        typer.Option(help="Draw the images on which they disagree, as .png, .svg or .pdf.", metavar="FILE"),
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads to use. [default: all processors]", metavar="N")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as a single JSON object.")] = False,
) -> None:
    """Tell whether one model is better than another, or only luckier.

    All models answer the same test images. What separates two of them are the images that only one gets right. The
    command reports a difference if chance alone would produce one as large in fewer than 5 of 100 comparisons (McNemar's
    test; several comparisons share the 5). Speed is measured here and now, on this machine. Intervals are 95 %: Wilson's
    for an accuracy, Tango's for a difference.

    Examples:

    - `lenet compare old.safetensors new.safetensors`

    - `lenet compare a.safetensors b.safetensors --pictures differ.png   # where?`

    - `lenet compare tutorial.safetensors fast.safetensors best.safetensors --json`
    """
    with exit_codes():
        if len(models) < 2:
            fix = "Type lenet compare A.safetensors B.safetensors; `lenet evaluate` measures a single one"
            raise ValueError(message("compare", f"{len(models)} model", "at least two", fix))
        if pictures is not None:
            check_drawn("pictures", pictures, PICTURES)
        if threads is not None:
            set_num_threads(threads)
        loaded = [(path, load_model(path, "lenet compare A B")) for path in models]
        _check_alike(loaded)
        name, folder = _common_data(loaded, dataset, data)
        classes, part, line = test_images([trained for _, trained in loaded], name, folder)
        show(line, aside=True)
        part = fitted(loaded[0][1], classes, part)
        measured = []
        for path, trained in loaded:
            answers = trained.probabilities(part.images)
            measured.append(_Measured(path, trained, answers, evaluate(answers, part.labels, trained.labels)))
        speeds = _speeds(measured, part)
        against = [compared(measured[0].probabilities, other.probabilities, part.labels) for other in measured[1:]]
        verdicts = [
            _verdict(result, other.path, measured[0].path, len(against))
            for result, other in zip(against, measured[1:], strict=True)
        ]
        if as_json:
            print_json(_as_json(line, measured, speeds, against, verdicts))
        for text in _lines(measured, speeds, against, verdicts):
            show(text, aside=as_json)
        if pictures is not None:
            _draw(pictures, measured, part)


# ---- what can be compared ----------------------------------------------------------------------------------------------


def _check_alike(loaded: list[tuple[str, Trained]]) -> None:
    """ValueError unless all take images of one size and give the same classes."""
    first, base = loaded[0]
    for path, trained in loaded[1:]:
        if trained.shape != base.shape:
            given, expected = (f"images of {list(model.shape)}" for model in (trained, base))
            raise ValueError(message(path, f"a model for {given}", f"one for {expected}, as {first} is"))
        if trained.labels != base.labels:
            given, expected = (_some(model.labels) for model in (trained, base))
            raise ValueError(message(path, f"a model for the classes {given}", f"those of {first}: {expected}"))


def _some(names: list[str]) -> str:
    return ", ".join(names[:12]) + (f" … ({len(names)})" if len(names) > 12 else "")


def _common_data(loaded: list[tuple[str, Trained]], dataset: str | None, data: str | None) -> tuple[str, str | None]:
    """The data set to compare on: the one asked for, else the one that all were trained on; ValueError if that differs."""
    if dataset is None:
        (first, base), known = loaded[0], _trained_on(loaded[0][1])
        for path, trained in loaded[1:]:
            if _trained_on(trained)[1] != known[1]:
                given, expected = (_trained_on(model)[0] for model in (trained, base))
                fix = "Say on which to compare: --dataset NAME"
                raise ValueError(message("compare", f"{path}, trained on {given}", f"{expected}, as {first} was", fix))
    return data_set(loaded[0][1], dataset, data)


def _trained_on(trained: Trained) -> tuple[str, str]:
    """The data set in a model's record, in words and as its digest; ValueError if it has none."""
    data_set(trained, None, None)
    about: dict[str, Any] = trained.meta["training"]["data"]
    return str(about.get("line") or about["name"]), str(about.get("digest") or about["name"])


# ---- measuring ---------------------------------------------------------------------------------------------------------


def _speeds(measured: list[_Measured], part: Part) -> list[float]:
    """Images a second: the median of a few passes, the models taking turns, so that a busy moment hits all alike."""
    images = part.images[:_TIMED]
    seconds: list[list[float]] = [[] for _ in measured]
    for _ in range(_PASSES):
        for model, times in zip(measured, seconds, strict=True):
            began = time.perf_counter()
            model.trained.probabilities(images)
            times.append(time.perf_counter() - began)
    return [len(images) / float(np.median(times)) for times in seconds]


def _verdict(result: Comparison, other: str, base: str, comparisons: int) -> str:
    """The comparison in a sentence."""
    alone = result.only_a + result.only_b
    if not len(result.disagree):
        return f"{other} and {base} give the same answer to every image"
    if result.p >= _LIKELY / comparisons:
        return f"{other} and {base}: no difference that {result.images:,} images could show"
    better, wins = (other, result.only_b) if result.only_b > result.only_a else (base, result.only_a)
    return f"{better} is better: it is right on {wins:,} of the {alone:,} images that only one of the two gets right"


def _as_json(
    line: str, measured: list[_Measured], speeds: list[float], against: list[Comparison], verdicts: list[str]
) -> dict[str, Any]:
    models = []
    for at, model in enumerate(measured):
        models.append(
            {
                "model": model.path,
                "weights": model.trained.digest,
                "test": model.found.as_json(),
                "bytes": os.path.getsize(model.path),
                "parameters": model.parameters,
                "images_per_second": round(speeds[at], 1),
                "against_first": against[at - 1].as_json() | {"verdict": verdicts[at - 1]} if at else None,
            }
        )
    return {"data": line, "images": measured[0].found.images, "threads": _core.num_threads(), "models": models}


def _lines(measured: list[_Measured], speeds: list[float], against: list[Comparison], verdicts: list[str]) -> list[str]:
    lines = []
    for model, speed in zip(measured, speeds, strict=True):
        found, (low, high) = model.found, model.found.interval
        size = f"{os.path.getsize(model.path) / 1000:,.0f} kB, {model.parameters:,} parameters"
        lines += [
            f"{model.path}: accuracy {percent(found.accuracy)} ({100 * low:.2f} to {percent(high)}), "
            f"loss {found.loss:.4f}, calibration error {percent(found.ece)}",
            f"    {size}, {speed:,.0f} images/s (measured, {_threads()})",
        ]
    for result, other, verdict in zip(against, measured[1:], verdicts, strict=True):
        low, high = result.interval
        lines += [
            verdict,
            f"    {other.path} against {measured[0].path}: {_points(result.difference)} points"
            f" ({_points(low)} to {_points(high)}), p {_p(result.p)}; right alone: {result.only_b:,} and"
            f" {result.only_a:,}; {len(result.disagree):,} answers differ",
        ]
    return lines


def _threads() -> str:
    count = _core.num_threads()
    return f"{count} thread{'s' if count != 1 else ''}"


def _points(share: float) -> str:
    return f"{100 * share:+.2f}"


def _p(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"


# ---- pictures ----------------------------------------------------------------------------------------------------------


def _draw(path: str, measured: list[_Measured], part: Part) -> None:
    """The images to which not all give the same answer, the surest dispute first, each with its label and all answers.

    Answers are blue where they are right, orange where they are wrong.
    """
    answers = np.stack([model.probabilities.argmax(axis=1) for model in measured])
    apart = np.flatnonzero((answers != answers[0]).any(axis=0))
    if not len(apart):
        show("no picture written: all give the same answer to every image", aside=True)
        return
    from lenet import plots
    from lenet.plots._style import BLUE, INK, ORANGE

    least = np.min([model.probabilities[apart].max(axis=1) for model in measured], axis=0)
    chosen = apart[np.argsort(-least, kind="stable")[:_PICTURES]]
    names = measured[0].trained.labels
    captions, colours = [], []
    for at in chosen:
        given = [f"{chr(ord('A') + i)}: {names[answers[i, at]]}" for i in range(len(measured))]
        captions.append("\n".join([f"is {names[part.labels[at]]}", *given]))
        colours.append([INK, *(BLUE if answer == part.labels[at] else ORANGE for answer in answers[:, at])])
    legends = [f"{chr(ord('A') + i)}: {model.path}" for i, model in enumerate(measured)]
    title = "\n".join([*legends, "Blue answers are right, orange ones wrong."])
    plots.save(plots.pictures(part.images[chosen], captions, colours=colours, title=title), path)
    legend = ", ".join(f"{chr(ord('A') + i)} {model.path}" for i, model in enumerate(measured))
    some = f"{len(chosen)} of the " if len(chosen) < len(apart) else "the "
    show(f"{some}{len(apart)} images on which they disagree: written to {path} ({legend})", aside=True)
