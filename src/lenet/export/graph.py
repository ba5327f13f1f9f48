"""A network as plain rows and arrays, and back: the one place where this folder meets ``modelfile.architecture``.

Whatever is exported comes in (a network, a ``Model``, a ``Trained``, a model file), its rows go out; readers hand over rows
and arrays and get a network. It knows no other library. Read by every writer and reader here.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.autograd import tape
from lenet.autograd.tensor import dense
from lenet.jit import plan
from lenet.messages.check import MOST, brief, describe, message, one_line
from lenet.model import Model
from lenet.model.files import account
from lenet.modelfile import architecture, serialization
from lenet.modelfile.calls import MAX_CALLS
from lenet.modelfile.checks import BATCH
from lenet.modelfile.rules import RULES
from lenet.nn import Conv2D, Layer
from lenet.train.trained import Trained

__all__ = ["IMAGES", "Building", "Graph", "Row", "answers", "window_pads"]

IMAGES = -1  # the row number that stands for them
_STATISTICS = {"batch_norm": (3, 4)}  # the inputs that are counted, not learned
_AT_ONCE = 256


class Row(NamedTuple):
    """One operation. inputs: numbers of rows (-1 the images), names of tensors, constants (float32 arrays), or None.

    shape: of its result without N where it has one (``batched``), else whole.
    """

    op: str
    attrs: dict[str, Any]
    inputs: tuple[Any, ...]
    shape: tuple[int, ...]
    batched: bool = True


class Graph(NamedTuple):
    """A network's rows, its float32 tensors by name and the images [C, H, W] it takes.

    mean, std: a pixel x of 0 to 255 enters as (x - mean) / std; None where that is unknown. labels: the classes' names.
    temperature: what logits are divided by before softmax. about: the account that goes along, as a model file has it.
    """

    rows: tuple[Row, ...]
    tensors: dict[str, NDArray[np.float32]]
    shape: tuple[int, ...]
    network: Layer
    mean: float | None = None
    std: float | None = None
    labels: tuple[str, ...] = ()
    temperature: float = 1.0
    about: Mapping[str, Any] = {}  # never written

    @classmethod
    def of(cls, given: Any, shape: Sequence[int] | None = None) -> Graph:
        """The graph of a network, a ``Model``, a ``Trained`` or a model file's path.

        shape: [C, H, W] of the images that a bare network takes; where it is left out, 28 x 28 in the first convolution's
        channels. TypeError for anything else; ValueError for a network that isn't operations of the table, with the line.
        """
        if isinstance(given, (str, os.PathLike)):
            given = Trained.load(given)
        if isinstance(given, Trained):
            about = {**given.meta, **architecture.account(given.rows, given.shape, given.mean, given.std, given.labels)}
            if given.calibration is not None:
                about["calibration"] = given.calibration
            found = cls._made(given.network, given.rows, given.shape)
            return found._replace(
                mean=given.mean, std=given.std, labels=tuple(given.labels), temperature=given.temperature, about=about
            )
        if isinstance(given, Model):
            about = account(given)
            if about:
                pixels, network = about["input"], given.network
                if (
                    given._trained_on is not None and given._trained_on.images.ndim == 2
                ):  # of rows, and the file is of squares
                    state = {name: tensor.data_array() for name, tensor in network.state_dict().items()}
                    network = architecture.build(about["architecture"], tuple(pixels["shape"]), state)
                found = cls._made(network, about["architecture"], pixels["shape"])
                labels = tuple(about["labels"])
                return found._replace(mean=pixels["mean"], std=pixels["std"], labels=labels, about=about)
            seen = given._seen_shapes
            given, shape = given.network, shape or (seen[0][1:] if len(seen) == 1 else None)
        if not isinstance(given, Layer):
            raise TypeError(
                message("export", describe(given), "a network, a Model, a Trained or the name of a model file")
            )
        if shape is not None:
            size = tuple(int(side) for side in shape)
            return cls._made(given, architecture.describe(given, size), size)
        troubles = []
        for size in _likely_shapes(given):
            try:
                return cls._made(given, architecture.describe(given, size), size)
            except ValueError as error:
                troubles.append(f"{error} (images of {list(size)} were tried; type shape=(C, H, W) for others)")
        raise ValueError(one_line(troubles[0], MOST))

    @classmethod
    def _made(cls, network: Layer, rows: Sequence[Mapping[str, Any]], shape: Sequence[int]) -> Graph:
        state = {name: tensor.data_array() for name, tensor in network.state_dict().items()}
        found: list[Row] = []
        for number, row in enumerate(rows):
            inputs = row.get("inputs", [number - 1, *row.get("parameters", [])])
            taken = tuple(np.asarray(one["value"], np.float32) if isinstance(one, dict) else one for one in inputs)
            batched = any(type(one) is int and (one == IMAGES or found[one].batched) for one in taken)
            found.append(Row(row["op"], dict(row.get("attrs", {})), taken, tuple(row["output"]), batched))
        used = {one for row in found for one in row.inputs if isinstance(one, str)}
        return cls(tuple(found), {name: state[name] for name in state if name in used}, tuple(shape), network)

    @property
    def digest(self) -> str:
        """SHA-256 of the weights, as a model file's."""
        return serialization.digest(self.tensors)

    @property
    def ends_in_softmax(self) -> bool:
        """Whether the network answers with probabilities by itself."""
        return self.rows[-1].op == "softmax"

    def counted(self) -> set[str]:
        """Names of the tensors that are counted and not learned: the statistics of normalisations."""
        return {
            str(row.inputs[k]) for row in self.rows for k in _STATISTICS.get(row.op, ()) if type(row.inputs[k]) is str
        }

    def linear_weights(self) -> set[str]:
        """Names of the tensors that are linear weights and nothing else: [I, O] here, [O, I] in PyTorch."""
        linear: set[str] = set()
        other: set[str] = set()
        for row in self.rows:
            for place, one in enumerate(row.inputs):
                if isinstance(one, str):
                    (linear if (row.op, place) == ("linear", 1) else other).add(one)
        return linear - other

    def __hash__(self) -> int:
        return id(self)


def answers(network: Layer, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a network in evaluation mode answers to float32 images [N, C, H, W]: [N, K]."""
    before = network.training
    network.eval()
    try:
        chain = plan.compile(network, None, None, [dense(np.zeros((1, *images.shape[1:]), np.float32))])
        if isinstance(chain, plan.Chain) and chain.several is None:
            found: NDArray[np.float32] = chain.infer(images)
            return found
        with tape.no_grad():
            parts = [
                network(dense(np.ascontiguousarray(images[k : k + _AT_ONCE]))).numpy()
                for k in range(0, len(images), _AT_ONCE)
            ]
    finally:
        network.train(before)
    return np.concatenate(parts)


def window_pads(row: Row, image: Sequence[int]) -> tuple[int, int, int, int]:
    """A pooling's padding (top, bottom, left, right) by which plain windows are those of ``ceil_mode``, too.

    image: [C, H, W] that it takes.
    """
    pads = list(row.attrs["padding"])
    for axis in (0, 1):
        step, kernel = row.attrs["stride"][axis], row.attrs["kernel"][axis]
        needed = (row.shape[1 + axis] - 1) * step + kernel - pads[2 * axis] - image[1 + axis]
        pads[2 * axis + 1] = max(pads[2 * axis + 1], needed)
    return pads[0], pads[1], pads[2], pads[3]


class Building:
    """A network in the making out of another library's: rows, where each came from, and arrays by name.

    what: the reader's name, in front of its errors. shape: of the images, without N.
    """

    def __init__(self, what: str, shape: Sequence[int]) -> None:
        self.what, self.image = what, tuple(shape)
        self.tensors: dict[str, NDArray[np.float32]] = {}
        self._numbers = 0
        self._rows: list[dict[str, Any]] = []
        self._shapes: list[tuple[int, ...]] = []
        self._places: list[str] = []

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, op: str, place: str, *inputs: Any, **attrs: Any) -> int:
        """One more row; returns its number. inputs: as ``Row.inputs``. ValueError with the place for what doesn't fit."""
        if len(self._rows) >= MAX_CALLS:
            raise ValueError(message(self.what, f"more than {MAX_CALLS} operations", "a small network"))
        plain = {key: _as_json(value) for key, value in attrs.items()}
        given = [_as_json(one) for one in inputs]
        where = f"{self.what}, {place}"
        checked = {key: RULES[op].attrs[key](f"{where}, {key}", value) for key, value in plain.items()}
        shapes = [None if one is None else self._whole(one) for one in inputs]
        try:
            shape = RULES[op].shape(where, checked, shapes)
        except (IndexError, TypeError, AttributeError):
            raise ValueError(message(where, [s and self._shown(s) for s in shapes], f"what {op} takes")) from None
        if math.prod(shape) // (BATCH if BATCH in shape else 1) > architecture.LIMITS.numbers:
            expected = f"at most {architecture.LIMITS.numbers} numbers a sample"
            raise ValueError(message(where, list(self._shown(shape)), expected))
        self._rows.append({"op": op, "attrs": plain, "inputs": given})
        self._shapes.append(shape)
        self._places.append(where)
        return len(self._rows) - 1

    def shape(self, one: Any) -> tuple[int, ...]:
        """The shape of what a row may take, with 0 for N."""
        return self._shown(self._whole(one))

    def batched(self, one: Any) -> bool:
        """Whether it has an axis of images."""
        return self.shape(one)[:1] == (0,)

    def name(self, wanted: str, array: NDArray[Any]) -> str:
        """A tensor's name: the wanted one, in letters that a layer may have, or one like it. The array's numbers are kept."""
        array = np.ascontiguousarray(array)
        parts = ["".join(c if c.isalnum() or c == "_" else "_" for c in part) for part in wanted.split(".")]
        plain = base = ".".join(part or "_" for part in parts)
        count = 1
        while plain in self.tensors and not _same(self.tensors[plain], array):
            plain, count = f"{base}_{count}", count + 1
        if plain not in self.tensors:
            self._numbers += array.size
        if self._numbers > architecture.LIMITS.parameters:
            given = f"more than {architecture.LIMITS.parameters} numbers up to {brief(wanted)}"
            raise ValueError(message(self.what, given, "a small network"))
        self.tensors[plain] = array
        return plain

    def end(self, last: int) -> None:
        """Make the result of this row the network's: the last one."""
        if last != len(self._rows) - 1:  # whose later rows nobody needs
            self.row("reshape", "the output", last, shape=[-1, *self.shape(last)[1:]])

    def give(self, row: int, place: int, name: str, shape: Sequence[int], op: str = "") -> bool:
        """Let a row without a bias take this tensor as its bias; False where the row has one or isn't ``op``."""
        here = self._rows[row]
        if here["op"] != op or here["inputs"][place] is not None or self.tensors[name].shape != tuple(shape):
            return False
        here["inputs"][place] = name
        return True

    def op(self, row: int) -> str:
        """A row's operation."""
        return str(self._rows[row]["op"]) if row >= 0 else ""

    def network(self) -> Layer:
        """The network of these rows, in evaluation mode; ValueError for one that is too large or answers with no [N, K]."""
        try:
            return architecture.build(self._rows, self.image, self.tensors)
        except ValueError as error:
            raise ValueError(self._placed(str(error))) from None

    def _whole(self, one: Any) -> tuple[int, ...]:
        if type(one) is int:
            return (BATCH, *self.image) if one == IMAGES else self._shapes[one]
        return self.tensors[one].shape if isinstance(one, str) else np.shape(one)

    @staticmethod
    def _shown(shape: Sequence[int]) -> tuple[int, ...]:
        return tuple(0 if size == BATCH else size for size in shape)

    def _placed(self, text: str) -> str:
        """An error about row 3 as one about the place that the row came from."""
        start, found, rest = text.partition("architecture, row ")
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        if not found or not digits or int(digits) >= len(self._places):
            return f"{self.what}: {text}"
        return start + self._places[int(digits)] + rest[len(digits) :]


def _same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """The same bits; both are C-contiguous."""
    alike = a is b or (a.dtype == b.dtype and a.shape == b.shape)
    return alike and (a is b or bool((a.reshape(-1).view(np.uint8) == b.reshape(-1).view(np.uint8)).all()))


def _as_json(value: Any) -> Any:
    """What a row takes, or an attribute, as the JSON of a model file."""
    if isinstance(value, np.ndarray):
        return {"value": value.tolist()}
    if isinstance(value, slice):
        return {"slice": [value.start, value.stop, value.step]}
    return [_as_json(one) for one in value] if isinstance(value, (tuple, list)) else value


def _likely_shapes(network: Layer) -> list[tuple[int, ...]]:
    """28 x 28 in the channels of the first convolution, grey, in three colours."""
    first = [layer._in_channels for layer in network.sublayers(include_self=True) if isinstance(layer, Conv2D)][:1]
    return [(channels, 28, 28) for channels in dict.fromkeys([*first, 1, 3])]
