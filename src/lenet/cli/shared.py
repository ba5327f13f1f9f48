"""What the commands share: how an error becomes one line and an exit code, how text and JSON leave the program."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import typer

from lenet.cli import streams
from lenet.evaluation import wilson
from lenet.messages.check import MOST, message, one_line
from lenet.messages.progress import put, say
from lenet.train import Score, Trained
from lenet.train.data import DATASETS, Part, load, load_test
from lenet.vision.datasets.parts import parts_of

__all__ = [
    "DEFAULT_MODEL",
    "PICTURES",
    "check_drawn",
    "check_writable",
    "clean",
    "data_set",
    "exit_codes",
    "fitted",
    "load_model",
    "percent",
    "print_json",
    "score_text",
    "share_text",
    "show",
    "test_images",
    "write",
]

DEFAULT_MODEL = "lenet.safetensors"
PICTURES = (".png", ".svg", ".pdf")  # what ``plots.save`` writes

# What a person got wrong, as against what went wrong.
_WRONG_USE = (ValueError, TypeError, IndexError, FileNotFoundError, NotADirectoryError, IsADirectoryError)
_FAILED = (RuntimeError, OSError, ArithmeticError, MemoryError, ImportError)


@contextmanager
def exit_codes() -> Iterator[None]:
    """Around a command's body: an exception becomes a line on standard error and the exit code for its kind.

    With LENET_DEBUG=1 in the environment the traceback is printed too.
    """
    try:
        yield
        with streams.result():
            sys.stdout.flush()
    except typer.Exit:
        raise
    except KeyboardInterrupt:
        say("lenet: interrupted")
        raise typer.Exit(130) from None
    except BrokenPipeError:  # whoever read our output has gone: nobody is there to be told
        streams.give_up()
        raise typer.Exit(1) from None
    except Exception as error:
        if os.environ.get("LENET_DEBUG"):
            import traceback

            traceback.print_exc()
        expected = isinstance(error, (*_WRONG_USE, *_FAILED))
        hint = "" if expected else " (this should not happen: LENET_DEBUG=1 shows where)"
        say(f"lenet: {_text(error)}{hint}")
        raise typer.Exit(2 if isinstance(error, _WRONG_USE) else 1) from None


def _text(error: Exception) -> str:
    # our own OSErrors hold the whole sentence there
    text = error.strerror if isinstance(error, OSError) and error.strerror and not error.filename else str(error)
    if isinstance(error, RuntimeError):  # data that are nowhere to be had: a line for each way to bring them
        return clean(text) or type(error).__name__
    return one_line(text, MOST) or type(error).__name__


def clean(text: str) -> str:
    """The text without control characters but line breaks: names out of files may hold any."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def show(text: str, *, aside: bool = False) -> None:
    """A line to standard output, or ``aside`` to standard error."""
    if aside:
        put(f"{clean(text)}\n", sys.stderr)
    else:
        write(f"{clean(text)}\n")


def write(text: str) -> None:
    """A result, as it is, to standard output: OutputError where that can't be written."""
    with streams.result():
        sys.stdout.write(text)
        sys.stdout.flush()


def print_json(result: dict[str, Any]) -> None:
    """The result as the one JSON object on standard output."""
    text = json.dumps(result, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # a terminal without these characters, or a file name that is no UTF-8
        text = json.dumps(result)
    write(f"{text}\n")


def percent(share: float, digits: int = 2) -> str:
    """A share of 0 to 1 as ``99.21 %``."""
    return f"{100 * share:.{digits}f} %"


def score_text(score: Score) -> str:
    """``99.21 % (95 % interval 99.02 to 99.36 %, 10,000 images)``: the accuracy, and how far it may be from the truth."""
    return share_text(score.correct, score.images)


def share_text(correct: int, images: int) -> str:
    """A share of images with its interval by Wilson, which says how little a few images prove, all right ones too."""
    if not images:
        return "of no images"
    low, high = wilson(correct, images)
    return f"{percent(correct / images)} (95 % interval {100 * low:.2f} to {percent(high)}, {images:,} images)"


def load_model(path: str, command: str) -> Trained:
    """The model file; FileNotFoundError saying what to type if there is none."""
    if not os.path.exists(path):
        if path == DEFAULT_MODEL:
            fix = f"Type `lenet train` first, or name your model: {command}"
            raise FileNotFoundError(message("model", f"no {path} in this folder", "a model file", fix))
        raise FileNotFoundError(message("model", f"{path}, which does not exist", "a model file", "Check the path"))
    return Trained.load(path)


def check_drawn(option: str, path: str, endings: tuple[str, ...]) -> None:
    """ValueError, OSError or ImportError unless what an option asks for can be drawn and written: said before the work."""
    from lenet import plots

    check_writable(option, path, endings)
    plots.needed()


def check_writable(option: str, path: str, endings: tuple[str, ...]) -> None:
    """ValueError or OSError unless a file of one of these endings can be written: said before the work."""
    start, ending = os.path.splitext(path)
    if ending.lower() not in endings:
        fix = f"Type {start or option}{endings[0]}"
        raise ValueError(message(option, repr(path), f"a name that ends in {' or '.join(endings)}", fix))
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, message(option, f"the folder {path}", "a file name"))
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, message(option, path, f"a folder that exists, unlike {folder}"))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(message(option, path, f"a place to write to, unlike {folder}"))


def data_set(trained: Trained, dataset: str | None, folder: str | None) -> tuple[str, str | None]:
    """The data set to measure on: the one asked for, else the one in the model's record; ValueError if it names none."""
    if dataset is not None:
        return dataset, folder
    about = _data_of(trained)
    name, before = about.get("name"), about.get("folder")
    if not isinstance(name, str) or not name:
        fix = "Type for example --dataset mnist"
        raise ValueError(message("dataset", "a model that doesn't say what it was trained on", "a data set", fix))
    if folder is None and isinstance(before, str) and before and os.path.isdir(os.path.expanduser(before)):
        folder = os.path.expanduser(before)
    return os.path.expanduser(name), folder


def test_images(models: list[Trained], name: str, folder: str | None) -> tuple[list[str], Part, str]:
    """Classes, images and a line about them: the test part, or all of a plain folder on which none was trained.

    Images on which one was trained are inverted if they were then.
    """
    root = os.path.expanduser(name)
    before = next((trained.inverted for trained in models if _trained_on(trained, root)), None)
    shape = models[0].shape
    asked: dict[str, Any] = {} if name in DATASETS else {"size": shape[1:], "colour": shape[0] == 3}
    if name in DATASETS or (os.path.isdir(root) and parts_of(root) is not None):
        return load_test(name, folder, before, **asked)
    found = load(name, folder, before, **asked)
    for trained in models:
        if _data_of(trained).get("digest") == found.source.digest or _trained_on(trained, root):
            return found.classes, found.test, f"{found.line}: the {len(found.test.labels):,} held back from training"
    images, labels = (np.concatenate([a, b]) for a, b in zip(found.train[:2], found.test[:2], strict=True))
    return found.classes, Part(images, labels, found.source), f"{found.line}: all {len(labels):,}"


def _data_of(trained: Trained) -> dict[str, Any]:
    """What the model's file says of the images that it was trained on; empty if nothing."""
    training: Any = trained.meta.get("training")
    about: Any = training.get("data") if isinstance(training, dict) else None
    return about if isinstance(about, dict) else {}


def _trained_on(trained: Trained, root: str) -> bool:
    """Whether the model's record names that data set, or that folder."""
    name = str(_data_of(trained).get("name"))
    return name == root if root in DATASETS else os.path.realpath(os.path.expanduser(name)) == os.path.realpath(root)


def fitted(trained: Trained, classes: list[str], part: Part) -> Part:
    """The images with labels as the model counts them: by name where the model has all of these names, else by place.

    A folder may so lack a class of the model's. ValueError for another number of classes otherwise, and where no name is
    the model's: those are other things. A note where only some names differ.
    """
    if classes != trained.labels and set(classes) <= set(trained.labels):
        places = np.array([trained.labels.index(name) for name in classes], np.int64)
        return part._replace(labels=places[part.labels])
    given, known = (one_line(", ".join(names[:12]), 100) for names in (classes, trained.labels))
    if len(classes) != len(trained.labels) or not set(classes) & set(trained.labels):
        fix = "Name the data set that the model was trained for: --dataset"
        expected = f"the model's {len(trained.labels)}: {known}"
        raise ValueError(message("dataset", f"{len(classes)} classes: {given}", expected, fix))
    if classes != trained.labels:
        show(f"note: these images' classes are {given}; the model's are {known}", aside=True)
    return part
