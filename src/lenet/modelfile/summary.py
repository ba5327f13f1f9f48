"""``summary``: run a network once on random input and print what each layer took, gave and holds (``paddle.summary``).

The table is Paddle's to the byte. It reads shapes and counts parameters, nothing more; whether a network runs as a plan is
``Model``'s to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from lenet.autograd import tape
from lenet.autograd.random import generator
from lenet.autograd.tensor import Tensor, to_tensor
from lenet.messages.check import describe, message
from lenet.nn import Layer, LayerList, Sequential
from lenet.nn.layer import HookRemoveHelper

__all__ = ["summary"]

_HEADER = ("Layer (type)", "Input Shape", "Output Shape", "Param #")
_WIDTHS = (15, 20, 20, 15)  # of the columns, at least
_TABLE_WIDTH = 75  # at least
_MB = 1024.0**2


class _Row(NamedTuple):
    input_shape: Any
    output_shape: Any
    params: int
    trainable: int


def summary(net: Layer, input_size: Any = None, dtypes: Any = None, input: Any = None) -> dict[str, int]:
    """Print the layers of ``net`` with their shapes and numbers of parameters, then the totals.

    input_size: the shape of a batch, such as (1, 1, 28, 28) with None or -1 for any number of samples, or a list of shapes
    for several inputs; objects with a ``.shape`` will do. dtypes: of the inputs, float32 unless given. input: what to pass
    to ``net`` instead. The network runs in evaluation mode and is left in the mode it was in. The random input is drawn
    from the stream of ``lenet.seed``, as in Paddle.

    Returns {'total_params': int, 'trainable_params': int}. ValueError for an impossible size, ShapeError, naming the
    layer, for one that the network can't take.
    """
    if not isinstance(net, Layer):
        raise TypeError(message("summary(net)", describe(net), "a Layer"))
    if input_size is None and input is None:
        raise ValueError(
            message("summary", "neither input_size nor input", "one of them", "Type summary(net, (1, 1, 28, 28))")
        )
    sizes = _sizes(_shapes_of(input) if input_size is None else input_size)
    rows = _watch(net, (input,) if input is not None else _random_inputs(sizes, dtypes))
    text, totals = _table(rows, sum(math.prod(size) for size in sizes))
    print(text)  # noqa: T201
    return totals


# ---- the input ---------------------------------------------------------------------------------------------------------


def _shapes_of(value: Any) -> Any:
    if isinstance(value, Tensor):
        return tuple(value.shape)
    if isinstance(value, (list, tuple, Mapping)):
        return [tuple(x.shape) for x in (value.values() if isinstance(value, Mapping) else value)]
    raise ValueError(message("summary(input)", describe(value), "a Tensor, or a list, tuple or dict of them"))


def _sizes(given: Any) -> list[tuple[int, ...]]:
    """One shape or several, as a list of shapes without unknowns."""
    if hasattr(given, "shape"):
        given = tuple(given.shape)
    if isinstance(given, int):
        given = (given,)
    if not isinstance(given, (list, tuple)) or not given:
        raise ValueError(message("summary(input_size)", describe(given), "a shape such as (1, 1, 28, 28)"))
    if any(isinstance(item, (list, tuple)) or hasattr(item, "shape") for item in given):
        return [size for item in given for size in _sizes(item)]
    unknown = [place for place, n in enumerate(given) if n is None or n == -1]
    if len(unknown) > 1:
        expected = "a shape in which the number of samples alone is None or -1"
        raise ValueError(message("summary(input_size)", given, expected, "Type for example (None, 1, 28, 28)"))
    size = tuple(1 if n is None or n == -1 else n for n in given)
    for n in size:
        if isinstance(n, bool) or not hasattr(n, "__index__") or n <= 0:
            raise ValueError(message("summary(input_size)", f"{n!r} in {given}", "whole numbers greater than zero"))
    return [size]


def _random_inputs(sizes: list[tuple[int, ...]], dtypes: Any) -> tuple[Tensor, ...]:
    wanted = list(dtypes) if isinstance(dtypes, (list, tuple)) else [dtypes or "float32"] * len(sizes)
    if len(wanted) != len(sizes):
        raise ValueError(message("summary(dtypes)", f"{len(wanted)} dtypes", f"{len(sizes)}, one for each input"))
    draw = generator().uniform
    return tuple(
        to_tensor(draw(math.prod(size), 0.0, 1.0).reshape(size), dtype=dtype)
        for size, dtype in zip(sizes, wanted, strict=True)
    )


# ---- watching the layers -----------------------------------------------------------------------------------------------


def _watch(net: Layer, inputs: tuple[Any, ...]) -> dict[str, _Row]:
    """Call the network and note, for each layer that isn't a mere container, what went through it."""
    rows: dict[str, _Row] = {}
    layers = net.sublayers()
    shown = [x for x in layers if not isinstance(x, (Sequential, LayerList))] if layers else [net]
    modes = [(layer, layer.training) for layer in [net, *layers]]
    hooks: list[HookRemoveHelper] = []
    net.eval()
    try:
        hooks = [layer.register_forward_post_hook(_noting(rows)) for layer in shown]
        with tape.no_grad():
            net(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
        for layer, training in modes:
            layer.__dict__["training"] = training
    return rows


def _noting(rows: dict[str, _Row]) -> Callable[[Layer, Any, Any], None]:
    def note(layer: Layer, inputs: Any, output: Any) -> None:
        number = layer.full_name().rpartition("_")[2]
        count = int(number) if number.isdigit() else len(rows)
        sizes = [(math.prod(p.shape), p.trainable) for p in layer._parameters.values() if p is not None]
        rows[f"{type(layer).__name__}-{count + 1}"] = _Row(
            _shape(inputs), _shape(output) or [], sum(n for n, _ in sizes), sum(n for n, free in sizes if free)
        )

    return note


def _shape(value: Any) -> Any:
    """A Tensor's shape as a list, a list of them for several, None for anything else."""
    if isinstance(value, (list, tuple)):
        return [_shape(item) for item in value]
    return list(value.shape) if hasattr(value, "shape") else None


# ---- printing ----------------------------------------------------------------------------------------------------------


def _elements(shape: Any) -> int:
    """The number of elements of an output, or of several."""
    if any(isinstance(item, list) for item in shape):
        return sum(_elements(item) for item in shape if item is not None)
    return math.prod(n for n in shape if n is not None)


def _table(rows: dict[str, _Row], input_elements: int) -> tuple[str, dict[str, int]]:
    cells = [(name, str(r.input_shape), str(r.output_shape), f"{r.params:,}") for name, r in rows.items()]
    widths = list(_WIDTHS)
    for column in range(3):
        widths[column] = max(widths[column], *(len(row[column]) for row in cells))
    widths[3] = max(widths[3], *(len(str(r.params)) for r in rows.values()))
    width = max(_TABLE_WIDTH, sum(widths) + 5)

    def line(row: tuple[str, ...]) -> str:
        return " ".join(f"{cell:^{w}}" for cell, w in zip(row, widths, strict=True))

    total, trainable = sum(r.params for r in rows.values()), sum(r.trainable for r in rows.values())
    sizes = [
        input_elements * 4.0 / _MB,
        2.0 * sum(_elements(r.output_shape) for r in rows.values()) * 4.0 / _MB,  # twice: values and gradients
        total * 4.0 / _MB,
    ]
    lines = [
        "-" * width,
        line(_HEADER),
        "=" * width,
        *(line(row) for row in cells),
        "=" * width,
        f"Total params: {total:,}",
        f"Trainable params: {trainable:,}",
        f"Non-trainable params: {total - trainable:,}",
        "-" * width,
        f"Input size (MB): {sizes[0]:0.2f}",
        f"Forward/backward pass size (MB): {sizes[1]:0.2f}",
        f"Params size (MB): {sizes[2]:0.2f}",
        f"Estimated Total Size (MB): {sum(sizes):0.2f}",
        "-" * width,
        "",
    ]
    return "\n".join(lines), {"total_params": total, "trainable_params": trainable}
