"""``lenet predict``: which digit (or whatever the labels are) each image file shows."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from lenet.cli.shared import DEFAULT_MODEL, exit_codes, load_model, percent, print_json, show
from lenet.train import Trained

__all__ = ["predict"]


def predict(
    images: Annotated[list[str], typer.Argument(help="Image files, one digit each.", metavar="IMAGE")],
    model: Annotated[str, typer.Option(help="The model file.", metavar="FILE")] = DEFAULT_MODEL,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Say what each image shows, and how sure the model is.

    An image becomes grey and is resized to the network's input; one with a light border is inverted. Crop the image to
    the digit with some border first. A file that cannot be read is named and the others go on; the exit code is then 1.

    A model trained with held-out images is calibrated: of its answers at 90 %, about nine in ten are right, on images
    like those it was trained on.

    Examples:

    - `lenet predict seven.png`

    - `lenet predict --model letters.safetensors scans/*.png --json`
    """
    with exit_codes():
        trained = load_model(model, "lenet predict --model MODEL IMAGE")
        results = []
        for path in images:
            results.append(_answer(trained, path))
            if not as_json or "error" in results[-1]:
                _show(results[-1])
        if as_json:
            print_json({"model": model, "weights": trained.digest, "results": results})
        if any("error" in result for result in results):
            raise typer.Exit(1)


def _answer(trained: Trained, path: str) -> dict[str, Any]:
    try:
        image = trained.read(path)
    except (OSError, ValueError) as error:
        return {"file": path, "error": str(error)}
    shares = trained.probabilities(image[None])[0]
    best = int(shares.argmax())
    return {
        "file": path,
        "label": trained.labels[best],
        "probability": float(shares[best]),
        "probabilities": {label: float(share) for label, share in zip(trained.labels, shares, strict=True)},
    }


def _show(result: dict[str, Any]) -> None:
    if "error" in result:
        show(f"{result['file']}: {result['error']}", aside=True)
    else:
        show(f"{result['file']}: {result['label']}  {percent(result['probability'], 1)}")
