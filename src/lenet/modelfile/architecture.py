"""How a model file describes its network: the calls (``calls``) of one that takes images and gives a number a class.

``describe`` watches a network and writes its rows; ``build`` makes a network of rows out of a file, which are not trusted, and
of tensors by name. A row is a call with its ``output``, which leaves N out. It knows no file, no recipe and no image but its
shape. Read by ``train``, which puts the rows into a model file, and by whoever reads one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.autograd.tensor import Tensor
from lenet.messages.version import version
from lenet.modelfile.calls import CONSTANT, Limits, Network, checked
from lenet.modelfile.checks import BATCH, several, wrong
from lenet.modelfile.watched import described, refusal
from lenet.nn.layer import Layer

__all__ = [
    "FORMAT",
    "MAX_CLASSES",
    "MAX_NAME",
    "account",
    "build",
    "describe",
    "flattened_first",
    "input_shape",
    "version",
]

Json = dict[str, Any]
Shape = tuple[int, ...]

FORMAT = 2  # of a model file's account; 1 had chains alone, which are written as they were

MAX_ACTIVATION = 1 << 20  # floats a sample between two rows: 64 MiB for a group of sixteen
LIMITS = Limits(
    numbers=MAX_ACTIVATION,
    in_all=1 << 23,
    products=1 << 29,  # seconds for a group of sixteen in plain loops
    parameters=1 << 26,
)
MAX_CLASSES = 4096
MAX_NAME = 255  # characters of a class's name: more than a folder's can have


def account(rows: list[Json], shape: Sequence[int], mean: float, std: float, labels: Sequence[str]) -> Json:
    """What a model file says of its network: the version, the rows, how a pixel enters, and the labels' names."""
    return {
        "format": FORMAT if any("inputs" in row for row in rows) else 1,
        "lenet": version(),
        "architecture": rows,
        "input": {"shape": list(shape), "mean": mean, "std": std, "ground": "dark"},
        "labels": list(labels),
    }


def describe(network: Layer, shape: Sequence[int]) -> list[Json]:
    """The rows of ``network`` in evaluation mode for images [N, *shape].

    ValueError, with the line of the program where there is one, if its forward is more than operations of the table on
    the images, on its own parameters and on constants, or mixes the images. Its mode is left as it was.
    """
    before = network.training
    network.eval()
    try:
        found = described("network", network, [((-1, *shape), np.dtype(np.float32))], network.state_dict())
    finally:
        network.train(before)
    rows = found.calls
    if found.outputs != len(rows) - 1 or not rows:
        raise refusal("network", "a forward that returns something else than one tensor that it has made")
    follows: list[bool] = []
    for row, made, line in zip(rows, found.shapes, found.lines, strict=True):
        inputs = row.get("inputs", [len(follows) - 1, *row.get("parameters", [])])
        follows.append(any(type(i) is int and (i < 0 or follows[i]) for i in inputs))
        if any(
            (isinstance(i, str) and i.startswith(CONSTANT)) or (isinstance(i, dict) and "dtype" in i) for i in inputs
        ):
            raise refusal("network", f"a {row['op']} with weights that are computed{line}")
        if row["attrs"].get("dtype", "float32") != "float32":
            raise refusal("network", f"a {row['op']} to {row['attrs']['dtype']}{line}")
        alone = [size for size in made if isinstance(size, dict)]
        if (
            alone != ([{"batch": 1}] if follows[-1] else [])
            or made[:1] != (alone or made[:1])
            or _of_batch(row["attrs"])
        ):
            shown = ["N" if isinstance(size, dict) else size for size in made]
            raise refusal("network", f"{row['op']} with a result {shown}{line}, which mixes the images")
        row["output"] = made[1:] if follows[-1] else made
    return rows


def _of_batch(value: Any) -> bool:
    """Whether a length in an attribute follows the batch."""
    if isinstance(value, dict):
        return "batch" in value or any(map(_of_batch, value.values()))
    return isinstance(value, list) and any(map(_of_batch, value))


def flattened_first(rows: list[Json], features: int) -> list[Json]:
    """Rows for vectors [N, features] as rows for images of as many pixels: flattened before all else."""
    first: Json = {"op": "flatten", "attrs": {"start": 1, "stop": -1}, "output": [features]}
    later = [
        row | {"inputs": [one + 1 if type(one) is int else one for one in row["inputs"]]} if "inputs" in row else row
        for row in rows
    ]
    return [first, *later]


def input_shape(value: Any) -> tuple[int, int, int]:
    """A file's input shape as (C, H, W); ValueError unless it is three whole numbers of a reasonable size."""
    channels, height, width = several(3, 1)("input shape", value)
    if channels * height * width > MAX_ACTIVATION:
        raise wrong("input shape", value, f"at most {MAX_ACTIVATION} numbers an image")
    return channels, height, width


def build(rows: Any, shape: Shape, tensors: Mapping[str, NDArray[Any]]) -> Layer:
    """The network that ``rows`` describe for images [N, *shape], with its weights out of ``tensors``, in evaluation mode.

    ValueError for rows that make no sense, that are too large, or that ``tensors`` does not fit.
    """
    calls = checked(rows, [(BATCH, *shape)], tensors, LIMITS)
    last = calls[-1].shape
    if len(last) != 2 or last[0] != BATCH or not 1 <= last[1] <= MAX_CLASSES:
        given_shape = f"an output of shape {list(last[1:] if last[:1] == (BATCH,) else last)}"
        raise wrong("architecture", given_shape, f"one number a class, for 1 to {MAX_CLASSES}")
    return _FromRows(calls, tensors).eval()


class _FromRows(Network):
    """Images in, the last row's result out."""

    def forward(self, x: Tensor) -> Tensor:
        return self._run(self._calls, x)[-1]
