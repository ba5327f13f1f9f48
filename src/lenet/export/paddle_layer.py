"""``lenet.export.paddle``: a network as a layer of real Paddle with the same weights.

Convolutions, linear layers, normalisations and dropout are Paddle's own layers under the names they have here; everything
else is calls of Paddle's functions. Weights are laid out alike in both. Reading is ``paddle_reader``'s.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lenet.export.graph import Graph, Row, window_pads
from lenet.export.need import need
from lenet.export.tree import Tree
from lenet.messages.check import message

__all__ = ["paddle"]

Call = Callable[[Any, list[Any]], Any]  # of the images and the results so far


def paddle(given: Any, *, shape: Sequence[int] | None = None) -> Any:
    """A ``paddle.nn.Layer`` in evaluation mode that answers as the network does, and can be trained on.

    given: a network, a ``Model``, a ``Trained`` or a model file's name. shape: [C, H, W] of the images that a bare network
    takes. The layer takes what the network takes, float32 [N, C, H, W]; its ``state_dict()`` has the network's names and
    shapes, so ``.pdparams`` go both ways.

    ImportError without Paddle; ValueError for a network that isn't operations of the table, with the line.
    """
    need("export.paddle", "paddle")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Paddle's import tells of a compiler cache
        import paddle as library

    graph = Graph.of(given, shape)

    class Lenet(library.nn.Layer):
        """A network of lenet's, as calls one after the other."""

        def forward(self, images: Any) -> Any:
            results: list[Any] = []
            for call in calls.made:
                results.append(call(images, results))
            return results[-1]

    layer = Lenet()
    calls = _Calls(graph, library, layer)
    for row in graph.rows:
        calls.made.append(calls.of(row))
    own = layer.state_dict()
    if sorted(own) != sorted(graph.tensors):
        wrong = sorted(set(own) ^ set(graph.tensors))[0]
        raise ValueError(message("export.paddle", f"a network whose {wrong} finds no place", "tensors of the rows"))
    for name, array in graph.tensors.items():
        own[name].set_value(array.copy())
        own[name].stop_gradient = graph.network.state_dict()[name].stop_gradient
    layer.eval()
    return layer


class _Calls:
    """What is called for each row, and the layers that some of them are."""

    def __init__(self, graph: Graph, library: Any, root: Any) -> None:
        self.p, self.f, self.nn, self.root = library, library.nn.functional, library.nn, root
        self.graph, self.made = graph, list[Call]()
        self.tree = Tree(graph, {name: name for name in graph.tensors}, root, library.nn.Layer, "add_sublayer")

    def of(self, row: Row) -> Call:
        """The call of one row."""
        write = getattr(self, f"_{row.op}", None)
        return write(row) if write is not None else self._simple(row)

    def shape(self, one: Any) -> tuple[int, ...]:
        """Of what a row takes, with 0 for N."""
        if type(one) is int:
            row = self.graph.rows[one] if one >= 0 else Row("", {}, (), self.graph.shape)
            return (0, *row.shape) if row.batched else row.shape
        return self.graph.tensors[one].shape if isinstance(one, str) else np.shape(one)

    def take(self, one: Any) -> Call:
        """What a row takes, when it is called."""
        if type(one) is int:
            return (lambda images, results: images) if one < 0 else (lambda images, results: results[one])
        if one is None:
            return lambda images, results: None
        if isinstance(one, str):
            owner, leaf = self._held(one)
            return lambda images, results: getattr(owner, leaf)
        constant = self.p.to_tensor(one)
        return lambda images, results: constant

    def _held(self, name: str) -> tuple[Any, str]:
        """Where a tensor stands, made there if it is missing."""
        owner, leaf = self.tree.owner(name)
        if self.tree.child(owner, leaf) is None:
            array = self.graph.tensors[name]
            if name in self.graph.counted():
                owner.register_buffer(leaf, self.p.to_tensor(array.copy()))
            else:
                zeros = self.nn.initializer.Constant(0.0)
                owner.add_parameter(leaf, owner.create_parameter(list(array.shape), default_initializer=zeros))
        return owner, leaf

    def call(self, function: Any, row: Row, *settings: Any, **more: Any) -> Call:
        """A function of what the row takes."""
        takes = [self.take(one) for one in row.inputs]
        return lambda images, results: function(*(take(images, results) for take in takes), *settings, **more)

    def _layer(self, row: Row, layer: Any, **tensors: Any) -> Call | None:
        """A call of a real layer on the row's first input; None where its tensors don't stand so."""
        x = self.take(row.inputs[0])
        return (lambda images, results: layer(x(images, results))) if self.tree.place(layer, **tensors) else None

    # ---- layers ------------------------------------------------------------------------------------------------------

    def _conv2d(self, row: Row) -> Call:
        _, weight, bias = row.inputs
        outputs, per_group, *kernel = self.shape(weight)
        window = [list(row.attrs[key]) for key in ("stride", "padding", "dilation")]
        groups = row.attrs["groups"]
        layer = self.nn.Conv2D(
            per_group * groups, outputs, kernel, *window, groups, bias_attr=None if isinstance(bias, str) else False
        )
        found = self._layer(row, layer, weight=weight, bias=bias)
        return found or self.call(self.f.conv2d, row, *window, groups)

    def _linear(self, row: Row) -> Call:
        _, weight, bias = row.inputs
        layer = self.nn.Linear(*self.shape(weight), bias_attr=None if isinstance(bias, str) else False)
        return self._layer(row, layer, weight=weight, bias=bias) or self.call(self.f.linear, row)

    def _batch_norm(self, row: Row) -> Call:
        one, weight, bias, mean, var = row.inputs
        shape, epsilon, momentum = self.shape(one), row.attrs["epsilon"], row.attrs["momentum"]
        kinds = {2: self.nn.BatchNorm1D, 3: self.nn.BatchNorm1D, 4: self.nn.BatchNorm2D, 5: self.nn.BatchNorm3D}
        if len(shape) in kinds:
            learned = {"weight_attr": weight, "bias_attr": bias}
            attrs = {key: None if isinstance(name, str) else False for key, name in learned.items()}
            layer = kinds[len(shape)](shape[1], momentum=momentum, epsilon=epsilon, **attrs)
            found = self._layer(row, layer, weight=weight, bias=bias, _mean=mean, _variance=var)
            if found is not None:
                return found
        takes = [self.take(k) for k in (one, mean, var, weight, bias)]
        settings = {"epsilon": epsilon, "momentum": momentum}
        return lambda images, results: self.f.batch_norm(*(take(images, results) for take in takes), **settings)

    def _dropout(self, row: Row) -> Call:
        layer = self.nn.Dropout(row.attrs["p"], mode=row.attrs["mode"])
        self.root.add_sublayer(f"dropout_{len(self.made)}", layer)
        return self.call(layer, row)

    def _layer_norm(self, row: Row) -> Call:
        x, weight, bias = (self.take(one) for one in row.inputs)
        last = list(row.shape[-row.attrs["over"] :])

        def call(images: Any, results: list[Any]) -> Any:
            result = self.f.layer_norm(x(images, results), last, epsilon=row.attrs["epsilon"])
            result = result if row.inputs[1] is None else self.p.multiply(result, weight(images, results))
            return result if row.inputs[2] is None else self.p.add(result, bias(images, results))

        return call

    # ---- windows -----------------------------------------------------------------------------------------------------

    def _max_pool2d(self, row: Row) -> Call:
        pads = list(window_pads(row, self.shape(row.inputs[0])[1:]))
        return self.call(self.f.max_pool2d, row, list(row.attrs["kernel"]), list(row.attrs["stride"]), pads)

    def _avg_pool2d(self, row: Row) -> Call:
        attrs, pads = row.attrs, list(row.attrs["padding"])
        window = [list(attrs["kernel"]), list(attrs["stride"])]
        every = list(window_pads(row, self.shape(row.inputs[0])[1:]))
        if attrs["divisor"]:
            return self.call(self.f.avg_pool2d, row, *window, every, divisor_override=attrs["divisor"])
        if attrs["exclusive"] or not any(every):
            return self.call(self.f.avg_pool2d, row, *window, every, exclusive=True)
        x = self.take(row.inputs[0])
        top, bottom, left, right = pads
        rest = [a - b for a, b in zip(every, pads, strict=True)]

        def call(images: Any, results: list[Any]) -> Any:
            padded = self.f.pad(x(images, results), [left, right, top, bottom])
            return self.f.avg_pool2d(padded, *window, rest, exclusive=True)

        return call

    def _upsample2d(self, row: Row) -> Call:
        down, right = row.attrs["factor"]
        twice = lambda x: self.p.repeat_interleave(self.p.repeat_interleave(x, down, 2), right, 3)  # noqa: E731
        return self.call(twice, row)

    # ---- arranging ---------------------------------------------------------------------------------------------------

    def _reshape(self, row: Row) -> Call:
        return self.call(self.p.reshape, row, [*([-1] if row.batched else []), *row.shape])

    def _flatten(self, row: Row) -> Call:
        return self.call(self.p.flatten, row, row.attrs["start"], row.attrs["stop"])

    def _transpose(self, row: Row) -> Call:
        return self.call(self.p.transpose, row, list(row.attrs["perm"]))

    def _pad(self, row: Row) -> Call:
        pads, mode = row.attrs["pads"], row.attrs["mode"]
        if mode == "constant":
            flat = [side for pair in pads for side in pair]
            value = float(row.attrs["value"])
            return self.call(self.f.pad, row, flat, mode="constant", value=value, pad_from_left_axis=True)
        kinds: dict[str, Any] = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
        chosen = [
            (axis, self.p.to_tensor(np.pad(np.arange(size), tuple(pair), mode=kinds[mode])))
            for axis, (size, pair) in enumerate(zip(self.shape(row.inputs[0]), pads, strict=True))
            if any(pair)
        ]

        def laid(x: Any) -> Any:
            for axis, places in chosen:
                x = self.p.index_select(x, places, axis)
            return x

        return self.call(laid, row)

    def _getitem(self, row: Row) -> Call:
        key = tuple(slice(*one["slice"]) if isinstance(one, dict) else one for one in row.attrs["key"])
        return self.call(lambda x: x[key], row)

    def _concat(self, row: Row) -> Call:
        return self.call(lambda *parts: self.p.concat(list(parts), row.attrs["axis"]), row)

    # ---- reductions and activations ----------------------------------------------------------------------------------

    def _over(self, row: Row) -> Call:
        axis, rank = row.attrs["axis"], len(self.shape(row.inputs[0]))
        axes = list(range(rank)) if axis is None else list(axis) if isinstance(axis, (list, tuple)) else [axis]
        return self.call(getattr(self.p, row.op), row, axis=axes, keepdim=row.attrs["keepdim"])

    _sum = _mean = _max = _min = _over

    def _clip(self, row: Row) -> Call:
        return self.call(self.p.clip, row, row.attrs["low"], row.attrs["high"])

    def _simple(self, row: Row) -> Call:
        """One function of the same name and meaning, with the row's settings behind what it takes."""
        function = getattr(self.f, row.op, None) or getattr(self.p, row.op, None)
        if function is None:
            raise ValueError(message("export.paddle", f"the operation {row.op}", "one that Paddle has"))
        return self.call(function, row, *row.attrs.values())
