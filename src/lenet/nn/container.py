"""Layers that hold layers: ``Sequential`` runs them in a row, ``LayerList`` only keeps them (Paddle: ``paddle.nn``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lenet.autograd.tensor import Parameter
from lenet.messages import check
from lenet.nn.layer import Layer

__all__ = ["LayerDict", "LayerList", "ParameterDict", "ParameterList", "Sequential"]


class _Numbered(Layer):
    """What both containers share: reaching, replacing and adding layers by their place."""

    def __len__(self) -> int:
        return len(self._sub_layers)

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._sub_layers.values()))

    def _place(self, index: int, end: int) -> int:
        """``index``, which may count from the end, as a place from 0 to ``end`` - 1; IndexError otherwise."""
        if isinstance(index, bool) or not hasattr(index, "__index__"):
            raise TypeError(
                check.message(f"{type(self).__name__} index", check.describe(index), "a whole number or a slice")
            )
        if not -len(self) <= index < end:
            expected = f"a whole number in [{-len(self)}, {end})"
            raise IndexError(check.message(f"{type(self).__name__} index", index, expected))
        return index % len(self) if index < 0 else int(index)

    def _replace_all(self, layers: Iterable[Layer]) -> None:
        """Number ``layers`` from 0 anew."""
        kept = list(layers)
        for name in list(self._sub_layers):
            delattr(self, name)
        for place, layer in enumerate(kept):
            self.add_sublayer(str(place), layer)

    def append(self, sublayer: Layer) -> Any:
        """Add ``sublayer`` at the end; returns self."""
        self.add_sublayer(str(len(self)), _layer(type(self).__name__, sublayer))
        return self

    def extend(self, sublayers: Iterable[Layer]) -> Any:
        """Add every one of ``sublayers`` at the end; returns self."""
        for layer in list(sublayers):
            self.append(layer)
        return self


def _layer(what: str, value: Any) -> Layer:
    if not isinstance(value, Layer):
        raise ValueError(
            check.message(what, check.describe(value), "a Layer", "Make functions into a Layer with a forward")
        )
    return value


class Sequential(_Numbered):
    """Runs its layers in order, each on the output of the one before: ``Sequential(Flatten(), Linear(784, 10))``.

    layers: Layers (named '0', '1', …), or ('name', Layer) pairs. Index by place (negative, slices too) or by name.
    """

    def __init__(self, *layers: Any) -> None:
        super().__init__()
        if len(layers) == 1 and isinstance(layers[0], list):
            fix = "Put a star before the list: Sequential(*layers)"
            raise ValueError(check.message("Sequential", "a list of layers", "the layers themselves", fix))
        for place, entry in enumerate(layers):
            name, layer = (str(place), entry) if isinstance(entry, Layer) else self._named(entry)
            self.add_sublayer(name, layer)

    @staticmethod
    def _named(entry: Any) -> tuple[str, Layer]:
        if not (isinstance(entry, (tuple, list)) and len(entry) == 2 and isinstance(entry[0], str)):
            raise ValueError(check.message("Sequential", check.describe(entry), "a Layer or a ('name', Layer) pair"))
        return entry[0], _layer("Sequential", entry[1])

    def forward(self, input: Any) -> Any:
        for layer in self:
            input = layer(input)
        return input

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Sequential(*list(self)[index])
        if isinstance(index, str):
            return self._sub_layers[index]
        return list(self)[self._place(index, len(self))]

    def __setitem__(self, index: Any, layer: Layer) -> None:
        name = index if isinstance(index, str) else list(self._sub_layers)[self._place(index, len(self))]
        setattr(self, name, _layer("Sequential", layer))

    def __delitem__(self, index: Any) -> None:
        name = index if isinstance(index, str) else list(self._sub_layers)[self._place(index, len(self))]
        delattr(self, name)


class LayerList(_Numbered):
    """A list whose layers count as part of the network, named '0', '1', …; it has no forward: loop over it in yours."""

    def __init__(self, sublayers: Iterable[Layer] | None = None) -> None:
        super().__init__()
        self.extend(() if sublayers is None else sublayers)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return LayerList(list(self)[index])
        return list(self)[self._place(index, len(self))]

    def __setitem__(self, index: int, layer: Layer) -> None:
        self.add_sublayer(str(self._place(index, len(self))), _layer("LayerList", layer))

    def __delitem__(self, index: Any) -> None:
        kept = list(self)
        del kept[index if isinstance(index, slice) else self._place(index, len(self))]
        self._replace_all(kept)

    def insert(self, index: int, sublayer: Layer) -> None:
        """Put ``sublayer`` before place ``index`` (the length is allowed: at the end)."""
        kept = list(self)
        kept.insert(self._place(index, len(self) + 1), _layer("LayerList", sublayer))
        self._replace_all(kept)


class LayerDict(Layer):
    """A dict whose layers count as part of the network; it has no forward. sublayers: a dict, or (name, Layer) pairs."""

    def __init__(self, sublayers: Any = None) -> None:
        super().__init__()
        self.update({} if sublayers is None else sublayers)

    def __getitem__(self, key: str) -> Layer:
        if key not in self._sub_layers:
            raise KeyError(check.message("LayerDict", repr(key), f"one of {', '.join(self._sub_layers) or 'none'}"))
        return self._sub_layers[key]  # type: ignore[return-value]

    def __setitem__(self, key: str, layer: Layer) -> None:
        self.add_sublayer(key, _layer("LayerDict", layer))

    def __delitem__(self, key: str) -> None:
        self[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._sub_layers)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._sub_layers))

    def __contains__(self, key: object) -> bool:
        return key in self._sub_layers

    def keys(self) -> Iterable[str]:
        """The names."""
        return list(self._sub_layers)

    def values(self) -> Iterable[Any]:
        """The layers."""
        return list(self._sub_layers.values())

    def items(self) -> Iterable[tuple[str, Any]]:
        """(name, layer) pairs."""
        return list(self._sub_layers.items())

    def pop(self, key: str) -> Layer:
        """Take a layer out and return it; KeyError for a name that isn't there."""
        layer = self[key]
        del self[key]
        return layer

    def clear(self) -> None:
        """Take all layers out."""
        for key in self:
            del self[key]

    def update(self, sublayers: Any) -> None:
        """Add layers, from a dict or (name, Layer) pairs; a name that is there already gets the new one."""
        pairs = sublayers.items() if hasattr(sublayers, "items") else sublayers
        for key, layer in pairs:
            self[key] = layer


class ParameterList(Layer):
    """A list whose parameters count as part of the network, named '0', '1', …; it has no forward."""

    def __init__(self, parameters: Iterable[Parameter] | None = None) -> None:
        super().__init__()
        for parameter in () if parameters is None else parameters:
            self.append(parameter)

    def append(self, parameter: Parameter) -> ParameterList:
        """Add a parameter at the end; returns self."""
        self.add_parameter(str(len(self)), parameter)
        return self

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._parameters.values()))

    def __getitem__(self, index: int) -> Any:
        return list(self._parameters.values())[index]

    def __setitem__(self, index: int, parameter: Parameter) -> None:
        setattr(self, list(self._parameters)[index], parameter)


class ParameterDict(Layer):
    """A dict whose parameters count as part of the network; it has no forward. parameters: a dict, or (name, parameter) pairs."""

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self.update({} if parameters is None else parameters)

    def update(self, parameters: Any) -> None:
        """Add parameters, from a dict or (name, parameter) pairs."""
        for key, parameter in parameters.items() if hasattr(parameters, "items") else parameters:
            self[key] = parameter

    def __getitem__(self, key: str) -> Any:
        if key not in self._parameters:
            names = ", ".join(self._parameters) or "none"
            raise KeyError(check.message("ParameterDict", repr(key), f"one of {names}"))
        return self._parameters[key]

    def __setitem__(self, key: str, parameter: Parameter) -> None:
        self.add_parameter(key, parameter)

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._parameters))
