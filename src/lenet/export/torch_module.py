"""``lenet.export.torch``: a network as a module of PyTorch with the same weights, which needs no lenet to run.

It is a ``torch.fx.GraphModule``: convolutions, linear layers, normalisations and dropout are PyTorch's own layers under the
names they have here, everything else is calls in between; ``module.code`` shows them. A linear weight is [I, O] here and
[O, I] there. Reading is ``torch_reader``'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lenet.export.graph import Graph, Row, window_pads
from lenet.export.need import need
from lenet.export.tree import Tree
from lenet.export.weights import torch_arrays, torch_names
from lenet.messages.check import message

__all__ = ["torch"]


def torch(given: Any, *, shape: Sequence[int] | None = None) -> Any:
    """A ``torch.nn.Module`` in evaluation mode that answers as the network does, and can be trained on.

    given: a network, a ``Model``, a ``Trained`` or a model file's name. shape: [C, H, W] of the images that a bare network
    takes. The module takes what the network takes, float32 [N, C, H, W]; its ``state_dict()`` has the network's names, with
    ``running_mean`` and ``running_var`` for ``_mean`` and ``_variance``, and linear weights transposed.

    ImportError without PyTorch; ValueError for a network that isn't operations of the table, with the line.
    """
    need("export.torch", "torch")
    import torch as library

    graph = Graph.of(given, shape)
    calls = _Calls(graph)
    for row in graph.rows:
        calls.add(row)
    calls.graph.output(calls.found[-1])
    module = library.fx.GraphModule(calls.root, calls.graph, "Lenet").eval()
    module._non_persistent_buffers_set.update(calls.constants)  # which GraphModule forgets
    state = {name: library.from_numpy(array.copy()) for name, array in torch_arrays(graph).items()}
    missing, unexpected = module.load_state_dict(state, strict=False)
    wrong = [name for name in (*missing, *unexpected) if not name.endswith("num_batches_tracked")]
    if wrong:
        raise ValueError(message("export.torch", f"a network whose {wrong[0]} finds no place", "tensors of the rows"))
    frozen = {names for name, names in torch_names(graph).items() if graph.network.state_dict()[name].stop_gradient}
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(name not in frozen)
    return module


class _Calls:
    """The calls of an fx graph, and the layers that some of them are."""

    def __init__(self, graph: Graph) -> None:
        import torch as library
        import torch.nn.functional

        self.t, self.f, self.nn = library, library.nn.functional, library.nn
        self.source = graph
        self.names = torch_names(graph)
        self.transposed = graph.linear_weights()
        self.root = library.nn.Module()
        self.graph = library.fx.Graph(self.root)
        self.images = self.graph.placeholder("images")
        self.found: list[Any] = []
        self.constants: set[str] = set()
        self.tree = Tree(graph, self.names, self.root, library.nn.Module, "add_module")

    def add(self, row: Row) -> None:
        """One row's calls."""
        write = getattr(self, f"_{row.op}", None)
        result = write(row) if write is not None else self._simple(row)
        self.found.append(result)

    def call(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        return self.graph.call_function(function, args, kwargs)

    def shape(self, one: Any) -> tuple[int, ...]:
        """Of what a row takes, with 0 for N."""
        if type(one) is int:
            row = self.source.rows[one] if one >= 0 else Row("", {}, (), self.source.shape)
            return (0, *row.shape) if row.batched else row.shape
        return self.source.tensors[one].shape if isinstance(one, str) else np.shape(one)

    def value(self, one: Any) -> Any:
        """What a row takes, as a node."""
        if type(one) is int:
            return self.found[one] if one >= 0 else self.images
        if one is None:
            return None
        if isinstance(one, str):
            self._hold(one)
            return self.graph.get_attr(self.names[one])
        if not np.ndim(one):
            return float(one)
        name = f"constant_{len(self.constants)}"
        self.constants.add(name)
        self.root.register_buffer(name, self.t.tensor(one), persistent=False)
        return self.graph.get_attr(name)

    def _hold(self, name: str) -> None:
        """A parameter, or a buffer for what is counted, under its own name."""
        owner, leaf = self.tree.owner(self.names[name])
        if self.tree.child(owner, leaf) is not None:
            return
        shape = self.source.tensors[name].shape
        empty = self.t.empty(shape[::-1] if name in self.transposed else shape)
        if name in self.source.counted():
            owner.register_buffer(leaf, empty)
        else:
            owner.register_parameter(leaf, self.nn.Parameter(empty))

    def _layer(self, layer: Any, x: Any, **tensors: str | None) -> Any | None:
        """A call of a real layer; None where its tensors don't stand so."""
        path = self.tree.place(layer, **tensors)
        return self.graph.call_module(path, (x,)) if path else None

    def _alone(self, prefix: str, layer: Any, x: Any) -> Any:
        """A call of a layer without tensors."""
        name = f"{prefix}_{len(self.found)}"
        self.root.add_module(name, layer)
        return self.graph.call_module(name, (x,))

    # ---- layers ------------------------------------------------------------------------------------------------------

    def _conv2d(self, row: Row) -> Any:
        one, weight, bias = row.inputs
        (top, bottom, left, right), x = row.attrs["padding"], self.value(one)
        even = (top, left) == (bottom, right)
        if not even:
            x = self.call(self.f.pad, x, (left, right, top, bottom))
        size = (top, left) if even else (0, 0)
        stride, dilation, groups = tuple(row.attrs["stride"]), tuple(row.attrs["dilation"]), row.attrs["groups"]
        if isinstance(weight, str) and (bias is None or isinstance(bias, str)):
            outputs, per_group, *kernel = self.shape(weight)
            layer = self.nn.Conv2d(
                per_group * groups, outputs, kernel, stride, size, dilation, groups, bias is not None
            )
            found = self._layer(layer, x, weight=weight, bias=bias)
            if found is not None:
                return found
        return self.call(self.f.conv2d, x, self.value(weight), self.value(bias), stride, size, dilation, groups)

    def _linear(self, row: Row) -> Any:
        one, weight, bias = row.inputs
        x = self.value(one)
        if isinstance(weight, str) and weight in self.transposed and (bias is None or isinstance(bias, str)):
            layer = self.nn.Linear(*self.shape(weight), bias is not None)
            found = self._layer(layer, x, weight=weight, bias=bias)
            if found is not None:
                return found
        matrix = self.value(weight)
        if not isinstance(weight, str) or weight not in self.transposed:
            matrix = self.call(self.t.t, matrix)
        return self.call(self.f.linear, x, matrix, self.value(bias))

    def _batch_norm(self, row: Row) -> Any:
        one, weight, bias, mean, var = row.inputs
        x, shape, epsilon = self.value(one), self.shape(one), float(row.attrs["epsilon"])
        kinds = {2: self.nn.BatchNorm1d, 3: self.nn.BatchNorm1d, 4: self.nn.BatchNorm2d, 5: self.nn.BatchNorm3d}
        momentum = 1 - row.attrs["momentum"]  # of the new batch there, of what was before here
        if (weight is None) == (bias is None) and len(shape) in kinds:
            layer = kinds[len(shape)](shape[1], epsilon, momentum, weight is not None)
            found = self._layer(layer, x, weight=weight, bias=bias, running_mean=mean, running_var=var)
            if found is not None:
                return found
        more = {"weight": self.value(weight), "bias": self.value(bias), "eps": epsilon}
        return self.call(self.f.batch_norm, x, self.value(mean), self.value(var), **more)

    def _dropout(self, row: Row) -> Any:
        p, x = row.attrs["p"], self.value(row.inputs[0])
        if row.attrs["mode"] == "upscale_in_train":
            return self._alone("dropout", self.nn.Dropout(p), x)
        return self.call(self.t.mul, x, 1 - p)

    def _layer_norm(self, row: Row) -> Any:
        x, weight, bias = (self.value(one) for one in row.inputs)
        result = self.call(self.f.layer_norm, x, row.shape[-row.attrs["over"] :], None, None, row.attrs["epsilon"])
        result = result if weight is None else self.call(self.t.mul, result, weight)
        return result if bias is None else self.call(self.t.add, result, bias)

    # ---- windows -----------------------------------------------------------------------------------------------------

    def _max_pool2d(self, row: Row) -> Any:
        x, kernel, stride = self.value(row.inputs[0]), tuple(row.attrs["kernel"]), tuple(row.attrs["stride"])
        top, bottom, left, right = window_pads(row, self.shape(row.inputs[0])[1:])
        if any((top, bottom, left, right)):
            if (top, left) == (bottom, right) and 2 * top <= kernel[0] and 2 * left <= kernel[1]:
                return self.call(self.f.max_pool2d, x, kernel, stride, (top, left))
            x = self.call(self.f.pad, x, (left, right, top, bottom), "constant", float("-inf"))
        return self.call(self.f.max_pool2d, x, kernel, stride)

    def _avg_pool2d(self, row: Row) -> Any:
        attrs, x = row.attrs, self.value(row.inputs[0])
        kernel, stride, pads = tuple(attrs["kernel"]), tuple(attrs["stride"]), tuple(attrs["padding"])
        every = window_pads(row, self.shape(row.inputs[0])[1:])
        mask = None
        if attrs["exclusive"] and any(every):
            mask = self.call(self.t.ones_like, x)
        elif not attrs["exclusive"] and every != pads:
            x = self._padded(x, pads)
            mask, every = self.call(self.t.ones_like, x), tuple(a - b for a, b in zip(every, pads, strict=True))
        if attrs["divisor"]:
            return self.call(
                self.f.avg_pool2d, self._padded(self.value(row.inputs[0]), window_pads(row, self.shape(row.inputs[0])[1:])),
                kernel, stride, divisor_override=attrs["divisor"],
            )  # fmt: skip
        mean = self.call(self.f.avg_pool2d, self._padded(x, every), kernel, stride)
        if mask is None:
            return mean
        return self.call(self.t.div, mean, self.call(self.f.avg_pool2d, self._padded(mask, every), kernel, stride))

    def _padded(self, x: Any, pads: Sequence[int]) -> Any:
        top, bottom, left, right = pads
        return self.call(self.f.pad, x, (left, right, top, bottom)) if any(pads) else x

    def _upsample2d(self, row: Row) -> Any:
        x = self.value(row.inputs[0])
        for axis, factor in zip((2, 3), row.attrs["factor"], strict=True):
            x = self.call(self.t.repeat_interleave, x, factor, dim=axis) if factor > 1 else x
        return x

    # ---- arranging ---------------------------------------------------------------------------------------------------

    def _reshape(self, row: Row) -> Any:
        return self.call(self.t.reshape, self.value(row.inputs[0]), (*([-1] if row.batched else []), *row.shape))

    def _flatten(self, row: Row) -> Any:
        start, stop = (axis % len(self.shape(row.inputs[0])) for axis in (row.attrs["start"], row.attrs["stop"]))
        return self.call(self.t.flatten, self.value(row.inputs[0]), start, stop)

    def _transpose(self, row: Row) -> Any:
        return self.call(self.t.permute, self.value(row.inputs[0]), tuple(row.attrs["perm"]))

    def _pad(self, row: Row) -> Any:
        import operator

        x, pads, mode = self.value(row.inputs[0]), row.attrs["pads"], row.attrs["mode"]
        if mode == "constant":
            flat = [side for pair in reversed(pads) for side in pair]
            return self.call(self.f.pad, x, tuple(flat), "constant", float(row.attrs["value"]))
        kinds: dict[str, Any] = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
        for axis, (size, (before, after)) in enumerate(zip(self.shape(row.inputs[0]), pads, strict=True)):
            if before or after:
                places = np.pad(np.arange(size), (before, after), mode=kinds[mode]).tolist()
                x = self.call(operator.getitem, x, (*[slice(None)] * axis, places))
        return x

    def _getitem(self, row: Row) -> Any:
        import operator

        key = tuple(slice(*one["slice"]) if isinstance(one, dict) else one for one in row.attrs["key"])
        return self.call(operator.getitem, self.value(row.inputs[0]), key)

    def _concat(self, row: Row) -> Any:
        return self.call(self.t.cat, [self.value(one) for one in row.inputs], row.attrs["axis"])

    # ---- reductions and activations ----------------------------------------------------------------------------------

    def _over(self, row: Row, function: Any) -> Any:
        axis, rank = row.attrs["axis"], len(self.shape(row.inputs[0]))
        axes = range(rank) if axis is None else axis if isinstance(axis, (list, tuple)) else [axis]
        return self.call(function, self.value(row.inputs[0]), tuple(axes), keepdim=row.attrs["keepdim"])

    def _sum(self, row: Row) -> Any:
        return self._over(row, self.t.sum)

    def _mean(self, row: Row) -> Any:
        return self._over(row, self.t.mean)

    def _max(self, row: Row) -> Any:
        return self._over(row, self.t.amax)

    def _min(self, row: Row) -> Any:
        return self._over(row, self.t.amin)

    def _softmax(self, row: Row) -> Any:
        return self.call(self.t.softmax, self.value(row.inputs[0]), row.attrs["axis"])

    def _clip(self, row: Row) -> Any:
        return self.call(self.t.clamp, self.value(row.inputs[0]), row.attrs["low"], row.attrs["high"])

    def _hardsigmoid(self, row: Row) -> Any:
        scaled = self.call(self.t.mul, self.value(row.inputs[0]), row.attrs["slope"])
        return self.call(self.t.clamp, self.call(self.t.add, scaled, row.attrs["offset"]), 0.0, 1.0)

    def _selu(self, row: Row) -> Any:
        bent = self.call(self.f.elu, self.value(row.inputs[0]), row.attrs["alpha"])
        return self.call(self.t.mul, bent, row.attrs["scale"])

    def _gelu(self, row: Row) -> Any:
        how = "tanh" if row.attrs["approximate"] else "none"
        return self.call(self.f.gelu, self.value(row.inputs[0]), approximate=how)

    def _simple(self, row: Row) -> Any:
        """One function of the same meaning, with the row's settings behind its inputs."""
        import operator

        signs = {"add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv}
        if row.op in signs:
            return self.call(signs[row.op], *(self.value(one) for one in row.inputs))
        name, settings = _SIMPLE.get(row.op, (row.op, ()))
        function = getattr(self.f, name, None) if name in _FUNCTIONAL else getattr(self.t, name, None)
        if function is None:
            raise ValueError(message("export.torch", f"the operation {row.op}", "one that PyTorch has"))
        inputs = [self.value(one) for one in row.inputs]
        if row.op in ("maximum", "minimum"):
            inputs = [self.call(self.t.full, (), one) if isinstance(one, float) else one for one in inputs]
        return self.call(function, *inputs, *(row.attrs[key] for key in settings))


_SIMPLE: dict[str, tuple[str, tuple[str, ...]]] = {
    "log_sigmoid": ("logsigmoid", ()),
    "elu": ("elu", ("alpha",)), "celu": ("celu", ("alpha",)), "leaky_relu": ("leaky_relu", ("slope",)),
    "hardtanh": ("hardtanh", ("low", "high")), "hardshrink": ("hardshrink", ("threshold",)),
    "softshrink": ("softshrink", ("threshold",)), "softplus": ("softplus", ("beta", "threshold")),
}  # fmt: skip
_FUNCTIONAL = (
    "relu", "relu6", "silu", "mish", "hardswish", "softsign", "tanhshrink", "logsigmoid", "elu", "celu", "leaky_relu",
    "hardtanh", "hardshrink", "softshrink", "softplus",
)  # fmt: skip
