"""``lenet predict``: which digit (or whatever the labels are) each image file shows."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from lenet.cli.shared import DEFAULT_MODEL, exit_codes, load_model, percent, print_json, show
from lenet.messages.check import one_line, positive_int
from lenet.reading._read import read_singles
from lenet.reading.sources.source import MOST_PIXELS, open_pages
from lenet.reading.weights.reader import Reader
from lenet.train import Trained
from lenet.train.data import is_light

__all__ = ["predict"]

_DIGITS = [str(digit) for digit in range(10)]


def predict(
    images: Annotated[
        list[str], typer.Argument(help="Image files, each of one digit or other object.", metavar="IMAGE")
    ],
    model: Annotated[str, typer.Option(help="The model file to use.", metavar="FILE")] = DEFAULT_MODEL,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as a single JSON object.")] = False,
    max_pixels: Annotated[
        int,
        typer.Option(
            help=f"Refuse larger images of digits. [default: {MOST_PIXELS:,} pixels]", metavar="N", show_default=False
        ),
    ] = MOST_PIXELS,
) -> None:
    """Say which digit, or other class, each image shows.

    If the model was trained on MNIST, it finds the digit on its paper and normalises it as `lenet read` does: any size,
    anywhere, dark on light or light on dark. A `?` after an answer means reject it: probably not a digit.

    For any other model (Fashion-MNIST, your own folders) an image is resized to the network's input; for a grey network
    it is turned to grey, and inverted if the training images were. Crop it first the way those were cropped.

    If a file cannot be read, the command names it, goes on, and exits with 1. A model trained with held-out images is
    calibrated: about nine in ten of its answers at 90 % are right, on images like those it was trained on.

    Examples:

    - `lenet predict seven.png`

    - `lenet predict digits/*.png --json > answers.json`

    - `lenet predict --model fashion.safetensors boot.png   # any model of yours`
    """
    with exit_codes():
        positive_int("max-pixels", max_pixels)
        trained = load_model(model, "lenet predict --model MODEL IMAGE")
        reader = Reader(trained) if _knows_digits(trained) else None
        results = []
        for path in images:
            results.append(_answer(trained, reader, path, max_pixels))
            if not as_json or "error" in results[-1]:
                _show(results[-1])
        if reader is None:
            _note_ground(trained, [result.pop("light", None) for result in results])
        if as_json:
            print_json({"model": model, "weights": trained.digest, "results": results})
        if any("error" in result for result in results):
            raise typer.Exit(1)


def _knows_digits(trained: Trained) -> bool:
    """Whether the model's images had MNIST's form: digits of 28 x 28, and the account names MNIST.

    Digits from other folders are taken as those were: nobody knows their form.
    """
    training: Any = trained.meta.get("training")
    data: Any = training.get("data") if isinstance(training, dict) else None
    name = data.get("name") if isinstance(data, dict) else None
    return name == "mnist" and trained.shape == (1, 28, 28) and trained.labels == _DIGITS


def _answer(trained: Trained, reader: Reader | None, path: str, max_pixels: int) -> dict[str, Any]:
    try:
        image, rejected = (trained.read(path), None) if reader is None else _formed(reader, path, max_pixels)
    except (OSError, ValueError, ImportError) as error:
        return {"file": path, "error": str(error)}
    light = (
        {} if reader is not None or image.ndim == 3 else {"light": is_light(image[None]) != bool(trained.inverted)}
    )  # as it came
    shares = trained.probabilities(image[None])[0]
    best = int(shares.argmax())
    return {
        "file": path,
        "label": trained.labels[best],
        "probability": float(shares[best]),
        **({} if rejected is None else {"rejected": rejected}),
        "probabilities": {label: float(share) for label, share in zip(trained.labels, shares, strict=True)},
        **light,
    }


def _note_ground(trained: Trained, light: list[bool | None]) -> None:
    """Say so if most images' ground is not that of the training images, as whoever sends a photo may not think of it."""
    known = [found for found in light if found is not None]
    other = sum(found != trained.inverted for found in known)
    if trained.inverted is not None and 2 * other > len(known):
        here, there = ("dark", "light") if trained.inverted else ("light", "dark")
        given = f"{other} of {len(known)} images have a {here} border, and the training images had a {there} one"
        show(f"note: {given}. Invert them if what they show is {there} on {here}", aside=True)


def _formed(reader: Reader, path: str, max_pixels: int) -> tuple[NDArray[np.uint8], bool]:
    """The digit in MNIST's form, uint8 [28, 28], and whether it is to be rejected; of a blank image nothing, rejected."""
    pages = open_pages(path, most_pixels=max_pixels)
    try:
        digits = read_singles([next(pages)], reader)[0].digits
    finally:
        pages.close()
    return (digits[0].image, digits[0].rejected) if digits else (np.zeros((28, 28), np.uint8), True)


def _show(result: dict[str, Any]) -> None:
    file = result["file"]
    if "error" in result:
        error = result["error"]
        show(error if error.startswith(file) else f"{file}: {error}", aside=True)
    else:
        doubt = "  ?" if result.get("rejected") else ""
        show(f"{file}: {one_line(result['label'])}  {percent(result['probability'], 1)}{doubt}")
