"""``Layer``: the base of every network (Paddle: ``paddle.nn.Layer``). It keeps parameters, sublayers and buffers by name.

It computes nothing itself, and it knows no optimizer, loader or model. Its three registries (``_parameters``, ``_sub_layers``,
``_buffers``) are for reading; writing goes through attribute assignment, ``add_*`` and ``register_buffer`` alone, because
each entry also stands in ``__dict__``: that makes ``self.conv1`` an ordinary attribute look-up, the fastest Python has.

Whoever compiles a network (``plan``, ``jit``) reads ``mutations()``: it grows with every assignment to a layer, every change
of mode and every hook, so a number unlike the one seen at compile time means "look again". ``Layer._hooked`` says whether
hooks stand in the way.
"""

from __future__ import annotations

import re
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from lenet.autograd.tensor import Parameter, Tensor
from lenet.messages import check
from lenet.names.elsewhere import elsewhere
from lenet.nn.param import make_parameter, param_dtype, unique_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lenet.nn.initializer import Initializer

__all__ = ["HookRemoveHelper", "Layer", "mutations", "own_mutations"]

Self = TypeVar("Self", bound="Layer")
Hook = Callable[..., Any]

_REGISTRIES = ("_parameters", "_sub_layers", "_buffers")
_KINDS = {"_parameters": "parameter", "_sub_layers": "sublayer", "_buffers": "buffer"}
_TYPES = {"_parameters": "Parameter", "_sub_layers": "Layer", "_buffers": "Tensor"}

_mutations = 0


def mutations() -> int:
    """How often any layer of this process was assigned to, changed its mode or its hooks (see the top of this file)."""
    return _mutations


class _Thread(threading.local):
    mutations = 0


_here = _Thread()


def own_mutations() -> int:
    """The same, of this thread alone: what a forward pass that is being watched here does to the network."""
    return _here.mutations


def _mutated() -> None:
    global _mutations
    _mutations += 1
    _here.mutations += 1


def _snake(name: str) -> str:
    """``LeNet`` -> ``le_net``, ``Conv2D`` -> ``conv2d``: the first part of Paddle's layer names."""
    return re.sub(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", name).lower()


class HookRemoveHelper:
    """What ``register_forward_*_hook`` returns; ``remove()`` takes the hook away again, once or more often."""

    def __init__(self, layer: Layer, hooks: dict[int, Hook], key: int) -> None:
        self._layer, self._hooks, self._key = layer, hooks, key

    def remove(self) -> None:
        if self._hooks.pop(self._key, None) is not None:
            self._layer._hooks_changed()


class Layer:
    """A network, or a piece of one: subclass it, call ``super().__init__()``, assign layers, define ``forward``.

    name_scope: the start of ``full_name()`` instead of the class name in snake case. dtype: of its
    parameters, float32 or float64 (ValueError); None: ``get_default_dtype()``.
    Assigning a Parameter, a Layer or a Tensor to ``self`` registers it; a plain list of Layers is not seen: use ``LayerList``.
    """

    training: bool = True
    _hooked: bool = False
    _attribute: str = ""  # the name under which a parent holds this layer; errors show it
    _full_name: str
    _dtype: str
    _parameters: dict[str, Parameter | None]
    _sub_layers: dict[str, Layer | None]
    _buffers: dict[str, Tensor | None]
    _unsaved_buffers: set[str]
    _forward_pre_hooks: dict[int, Hook]
    _forward_post_hooks: dict[int, Hook]

    def __init__(self, name_scope: str | None = None, dtype: Any = "float32") -> None:
        kind = param_dtype(f"{type(self).__name__}(dtype)", dtype)
        if name_scope is not None and not isinstance(name_scope, str):
            raise TypeError(check.message("Layer(name_scope)", check.describe(name_scope), "a str or None"))
        self.__dict__.update(
            training=True,
            _hooked=False,
            _full_name=unique_name(name_scope or _snake(type(self).__name__)),
            _dtype=kind.name,
            _parameters={},
            _sub_layers={},
            _buffers={},
            _unsaved_buffers=set(),
            _forward_pre_hooks={},
            _forward_post_hooks={},
        )

    # ---- calling -------------------------------------------------------------------------------------------------------

    def __call__(self, *inputs: Any, **kwargs: Any) -> Tensor:
        """Pre-hooks, ``forward``, post-hooks. A shape that does not fit is reported with the name of the layer it met."""
        try:
            if self._hooked:
                return self._call_with_hooks(inputs, kwargs)
            return self.forward(*inputs, **kwargs)
        except check.ShapeError as error:
            _name_layer(error, self)
            raise

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """The computation; every subclass defines its own."""
        name = type(self).__name__
        raise NotImplementedError(f"{name} has no forward: write `def forward(self, x): …` in class {name}")

    def _call_with_hooks(self, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        for hook in list(self._forward_pre_hooks.values()):
            changed = hook(self, inputs)
            if changed is not None:
                inputs = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*inputs, **kwargs)
        for hook in list(self._forward_post_hooks.values()):
            changed = hook(self, inputs, output)
            if changed is not None:
                output = changed
        return output

    def register_forward_pre_hook(self, hook: Hook) -> HookRemoveHelper:
        """Before each forward run ``hook(layer, inputs)``; what it returns, unless None, replaces the inputs (a tuple)."""
        return self._add_hook(self._forward_pre_hooks, hook)

    def register_forward_post_hook(self, hook: Hook) -> HookRemoveHelper:
        """After each forward run ``hook(layer, inputs, output)``; what it returns, unless None, replaces the output."""
        return self._add_hook(self._forward_post_hooks, hook)

    def _add_hook(self, hooks: dict[int, Hook], hook: Hook) -> HookRemoveHelper:
        if not callable(hook):
            raise TypeError(check.message("hook", check.describe(hook), "a function"))
        key = max(hooks, default=-1) + 1
        hooks[key] = hook
        self._hooks_changed()
        return HookRemoveHelper(self, hooks, key)

    def _hooks_changed(self) -> None:
        self.__dict__["_hooked"] = bool(self._forward_pre_hooks or self._forward_post_hooks)
        _mutated()

    # ---- registration --------------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:  # only reached when the ordinary look-up found nothing
        if name in _REGISTRIES:
            raise ValueError(self._no_init())
        kind = type(self).__name__
        raise AttributeError(elsewhere("Layer", kind, name) or f"'{kind}' object has no attribute '{name}'")

    def _no_init(self) -> str:
        return f"super().__init__() should be called first: put it in the first line of {type(self).__name__}.__init__"

    def __setattr__(self, name: str, value: Any) -> None:
        _mutated()
        fields = self.__dict__
        if isinstance(value, Parameter):
            registry = "_parameters"
        elif isinstance(value, Layer):
            registry = "_sub_layers"
        elif isinstance(value, Tensor):
            registry = "_buffers"
        else:
            held = next((r for r in _REGISTRIES if name in fields.get(r, ())), None)
            if held is None:
                object.__setattr__(self, name, value)
                return
            if value is not None:
                given, wanted = type(value).__name__, _TYPES[held]
                fix = f"Use self.{name}.set_value(…) to change its numbers" if held != "_sub_layers" else ""
                raise TypeError(
                    check.message(f"assignment to {_KINDS[held]} '{name}'", given, f"a {wanted} or None", fix)
                )
            registry = held
        if isinstance(getattr(type(self), name, None), property):
            object.__setattr__(self, name, value)
            return
        if registry not in fields:
            raise ValueError(self._no_init())
        if registry == "_buffers":
            if name in fields["_parameters"]:
                expected = "a Parameter or None"
                raise TypeError(check.message(f"assignment to parameter '{name}'", type(value).__name__, expected))
            if name in fields["_sub_layers"]:
                raise TypeError(
                    check.message(f"assignment to sublayer '{name}'", type(value).__name__, "a Layer or None")
                )
            if name not in fields["_buffers"]:
                fields["_unsaved_buffers"].add(name)
        self._register(registry, name, value)

    def _register(self, registry: str, name: str, value: Any) -> None:
        for other in _REGISTRIES:
            if other != registry:
                self.__dict__[other].pop(name, None)
        self.__dict__[registry][name] = value
        self.__dict__[name] = value
        if registry == "_sub_layers" and value is not None:
            value.__dict__["_attribute"] = name

    def __delattr__(self, name: str) -> None:
        _mutated()
        object.__delattr__(self, name)
        for registry in _REGISTRIES:
            self.__dict__[registry].pop(name, None)
        self.__dict__["_unsaved_buffers"].discard(name)

    def _check_new_name(self, kind: str, name: object, registry: str) -> str:
        """``name``, fit for a new entry of ``registry``: TypeError for no str, KeyError for one that is unusable or taken."""
        if not isinstance(name, str):
            raise TypeError(check.message(f"the name of a {kind}", check.describe(name), "a str"))
        if not name or "." in name:
            raise KeyError(check.message(f"the name of a {kind}", repr(name), "a name without dots, not empty"))
        if hasattr(self, name) and name not in self.__dict__[registry]:
            raise KeyError(
                check.message(f"the name of a {kind}", f"'{name}', which this layer already has", "a new name")
            )
        return name

    def add_parameter(self, name: str, parameter: Parameter | None) -> Parameter | None:
        """Register ``parameter`` as ``self.<name>`` and return it; None reserves the name."""
        name = self._check_new_name("parameter", name, "_parameters")
        if parameter is not None and not isinstance(parameter, Parameter):
            fix = "Make one with self.create_parameter(shape)"
            raise TypeError(check.message("add_parameter", check.describe(parameter), "a Parameter or None", fix))
        _mutated()
        self._register("_parameters", name, parameter)
        return parameter

    def add_sublayer(self, name: str, sublayer: Layer | None) -> Layer | None:
        """Register ``sublayer`` as ``self.<name>`` and return it; the name may be a number (as text or int)."""
        name = str(name)
        if sublayer is not None and not isinstance(sublayer, Layer):
            raise ValueError(check.message("add_sublayer", check.describe(sublayer), "a Layer"))
        _mutated()
        self._register("_sub_layers", name, sublayer)
        return sublayer

    def register_buffer(self, name: str, tensor: Tensor | None, persistable: bool = True) -> None:
        """Register ``tensor`` as ``self.<name>``: state that no optimizer moves, saved with the layer if ``persistable``."""
        name = self._check_new_name("buffer", name, "_buffers")
        if tensor is not None and not isinstance(tensor, Tensor):
            fix = "Type lenet.to_tensor(…) around it"
            raise TypeError(check.message("register_buffer", check.describe(tensor), "a Tensor or None", fix))
        _mutated()
        (self._unsaved_buffers.discard if persistable else self._unsaved_buffers.add)(name)
        self._register("_buffers", name, tensor)

    def create_parameter(
        self,
        shape: Sequence[int],
        attr: Any = None,
        dtype: Any = None,
        is_bias: bool = False,
        default_initializer: Initializer | None = None,
    ) -> Parameter | None:
        """A new parameter of the layer's type, or of ``dtype`` (assign it to ``self``); None where ``attr`` is False."""
        owner, kind = self._full_name, self._dtype if dtype is None else dtype
        return make_parameter(
            shape, attr, is_bias=is_bias, default_initializer=default_initializer, owner=owner, dtype=kind
        )

    # ---- walking -------------------------------------------------------------------------------------------------------

    def full_name(self) -> str:
        """``conv2d_0``, ``le_net_0`` …: class name and a process-wide count."""
        return self._full_name

    def named_children(self) -> Iterator[tuple[str, Layer]]:
        """``(attribute name, layer)`` of the layers held directly, each layer once."""
        seen: set[int] = set()
        for name, layer in self._sub_layers.items():
            if layer is not None and id(layer) not in seen:
                seen.add(id(layer))
                yield name, layer

    def children(self) -> Iterator[Layer]:
        """The layers held directly."""
        for _, layer in self.named_children():
            yield layer

    def named_sublayers(
        self,
        prefix: str = "",
        include_self: bool = False,
        layers_set: set[Layer] | None = None,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Layer]]:
        """``(dotted path, layer)`` of all layers below, depth first; a layer held twice comes once, unless told otherwise.

        ``layers_set`` holds layers to leave out, and is added to.
        """
        seen: set[Layer] = set() if layers_set is None else layers_set
        if remove_duplicate and self in seen:
            return
        seen.add(self)
        if include_self:
            yield prefix, self
        for name, layer in self._sub_layers.items():
            if layer is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from layer.named_sublayers(path, True, seen, remove_duplicate)

    def sublayers(self, include_self: bool = False) -> list[Layer]:
        """All layers below, depth first."""
        return [layer for _, layer in self.named_sublayers(include_self=include_self)]

    def _named_entries(
        self, registry: str, prefix: str, include_sublayers: bool, once: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        layers: Iterable[tuple[str, Layer]] = [(prefix, self)]
        if include_sublayers:
            layers = self.named_sublayers(prefix, include_self=True, remove_duplicate=once)
        for path, layer in layers:
            for name, entry in getattr(layer, registry).items():
                if entry is not None and not (once and id(entry) in seen):
                    seen.add(id(entry))
                    yield (f"{path}.{name}" if path else name), entry

    def named_parameters(
        self, prefix: str = "", include_sublayers: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """``("conv1.weight", parameter)`` …: this layer's own first, then those of the layers below, depth first."""
        return self._named_entries("_parameters", prefix, include_sublayers, remove_duplicate)

    def parameters(self, include_sublayers: bool = True) -> list[Parameter]:
        """All parameters, in the order of ``named_parameters``."""
        return [parameter for _, parameter in self.named_parameters(include_sublayers=include_sublayers)]

    def named_buffers(
        self, prefix: str = "", include_sublayers: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Buffers, named and ordered as ``named_parameters`` does."""
        return self._named_entries("_buffers", prefix, include_sublayers, remove_duplicate)

    def buffers(self, include_sublayers: bool = True) -> list[Tensor]:
        """All buffers."""
        return [buffer for _, buffer in self.named_buffers(include_sublayers=include_sublayers)]

    def apply(self: Self, fn: Callable[[Layer], Any]) -> Self:
        """Call ``fn(layer)`` on every layer below and then on this one; returns self."""
        for layer in self.children():
            layer.apply(fn)
        fn(self)
        return self

    # ---- mode, dtype, gradients ----------------------------------------------------------------------------------------

    def train(self: Self, mode: bool = True) -> Self:
        """Training mode (or, with False, evaluation mode) here and in all layers below; returns self."""
        mode = bool(mode)
        for layer in self.sublayers(include_self=True):
            if layer.training is not mode:
                layer.__dict__["training"] = mode
                _mutated()
        return self

    def eval(self: Self) -> Self:
        """Evaluation mode: dropout passes everything on. Recording for ``backward`` goes on; ``no_grad`` stops it."""
        return self.train(False)

    def to(self: Self, device: Any = None, dtype: Any = None, blocking: bool | None = None) -> Self:
        """Parameters and float buffers in another dtype, float32 or float64; returns self. The only device is the CPU.

        Do it before making an optimizer: gradients and an optimizer's state are not carried over. ValueError for another.
        """
        if device is not None and str(device) not in ("cpu", "Place(cpu)"):
            fix = "Leave device out: this engine runs on the CPU"
            raise ValueError(check.message("Layer.to(device)", check.describe(device), "'cpu'", fix))
        if dtype is None:
            return self
        kind = param_dtype("Layer.to(dtype)", dtype)
        for layer in self.sublayers(include_self=True):
            layer.__dict__["_dtype"] = kind.name
        for parameter in self.parameters():
            parameter._convert(kind)
        for buffer in self.buffers():
            if buffer._dtype.kind == "f" and buffer._dtype != kind:
                buffer._data, buffer._dtype = buffer.data_array().astype(kind), kind
                buffer._lanes = buffer._few = None
        _mutated()
        return self

    def astype(self: Self, dtype: Any = None) -> Self:
        """As ``to(dtype=dtype)``."""
        return self.to(dtype=dtype)

    def float(self: Self) -> Self:
        """As ``to(dtype="float32")``."""
        return self.to(dtype="float32")

    def double(self: Self) -> Self:
        """As ``to(dtype="float64")``."""
        return self.to(dtype="float64")

    def clear_gradients(self, set_to_zero: bool = True) -> None:
        """Set every trainable parameter's gradient to zeros, or to None with ``set_to_zero=False``."""
        for parameter in self.parameters():
            if parameter.trainable:
                parameter.clear_gradient(set_to_zero)

    # ---- state ---------------------------------------------------------------------------------------------------------

    def state_dict(
        self,
        destination: OrderedDict[str, Tensor] | None = None,
        include_sublayers: bool = True,
        structured_name_prefix: str = "",
        use_hook: bool = True,
    ) -> OrderedDict[str, Tensor]:
        """``{"conv1.weight": tensor, …}``: parameters and persistable buffers, the LIVE objects, not copies."""
        state: OrderedDict[str, Tensor] = OrderedDict() if destination is None else destination
        for registry in ("_parameters", "_buffers"):
            for name, tensor in getattr(self, registry).items():
                if tensor is not None and name not in self._unsaved_buffers:
                    state[structured_name_prefix + name] = tensor
        if include_sublayers:
            for name, layer in self._sub_layers.items():
                if layer is not None:
                    layer.state_dict(state, True, f"{structured_name_prefix}{name}.")
        return state

    def set_state_dict(
        self, state_dict: Mapping[str, Any], use_structured_name: bool = True
    ) -> tuple[list[str], list[str]]:
        """Copy values (Tensors or ndarrays, by name) into this layer's parameters and buffers.

        Returns ``(missing, unexpected)`` names. A name that is missing, or whose shape differs (then it is in both lists), is
        skipped with a UserWarning. ``use_structured_name=False`` matches parameter names such as ``conv2d_0.w_0``.
        A dtype other than the tensor's raises ValueError, before anything is written; so do PyTorch's weights, whose
        linear ones are transposed, as half of them would fit.
        """
        _refuse_pytorch(self, state_dict, use_structured_name)
        missing: list[str] = []
        fitting: dict[str, tuple[Tensor, Any]] = {}
        for path, tensor in self.state_dict().items():
            key = path if use_structured_name else tensor.name
            trouble = ""
            if key not in state_dict:
                trouble = f"{key} is not found in the provided dict."
            else:
                value = state_dict[key]
                given = list(value.shape) if hasattr(value, "shape") else list(np.shape(value))
                if given != list(tensor.shape):
                    trouble = f"{key} receives a shape {given}, but the expected shape is {list(tensor.shape)}."
                else:
                    _check_dtype(key, value, tensor)
                    fitting[key] = (tensor, value)
            if trouble:
                missing.append(key)
                warnings.warn(f"Skip loading for {path}. {trouble}", UserWarning, stacklevel=2)
        for tensor, value in fitting.values():
            tensor.set_value(value if hasattr(value, "dtype") else np.asarray(value, tensor.dtype.numpy))
        return missing, [key for key in state_dict if key not in fitting]

    set_dict = set_state_dict
    load_dict = set_state_dict

    # ---- printing ------------------------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands between the parentheses of ``repr``; layers with settings override it."""
        return ""

    def __repr__(self) -> str:
        children = [f"({name}): {layer!r}".replace("\n", "\n  ") for name, layer in self._sub_layers.items()]
        extra = self.extra_repr()
        if "\n" in extra:
            extra = "\n  " + extra.replace("\n", "\n  ") + "\n"
        body = "\n  " + "\n  ".join(children) + "\n" if children else ""
        return f"{type(self).__name__}({extra}{body})"


def _refuse_pytorch(layer: Layer, state_dict: Mapping[str, Any], structured: bool) -> None:
    """ValueError if the values look like PyTorch's: its Tensors, or matrices that fit the other way round."""
    what, expected = "set_state_dict", "Tensors or arrays of this network's shapes"
    for key, value in state_dict.items():
        if type(value).__module__.partition(".")[0] == "torch":
            fix = "Type lenet.export.load_torch_state(net, state), which turns the weights of Linear"
            raise ValueError(check.message(what, f"{key} as a Tensor of PyTorch", expected, fix))
    turned = []
    for path, tensor in layer.state_dict().items():
        key, shape = path if structured else tensor.name, list(tensor.shape)
        given = list(np.shape(state_dict[key])) if key in state_dict else []
        if len(shape) == 2 and given == shape[::-1] != shape:
            turned.append((key, given, shape))
    if turned:
        key, given, shape = turned[0]
        fix = f"They look like PyTorch's, whose Linear weights are transposed: give value.T for {', '.join(t[0] for t in turned)}"
        raise ValueError(check.message(what, f"{key} of shape {given}", f"{shape}", fix))


def _check_dtype(key: str, value: Any, tensor: Tensor) -> None:
    """ValueError unless ``value`` (a Tensor, an ndarray, or plain numbers, which convert) has ``tensor``'s dtype."""
    given = getattr(value, "dtype", tensor.dtype)
    if tensor.dtype != given:
        fix = f"Convert it: value.astype('{tensor.dtype.name}')"
        raise ValueError(check.message(f"value for {key}", f"dtype {given}", f"dtype {tensor.dtype.name}", fix))


def _name_layer(error: check.ShapeError, layer: Layer) -> None:
    """Put ``layer`` into ``error``'s text: the innermost one with its repr, then the names on the path that leads there.

    The result reads "in features[0] = Conv2D(1, 6, …): got …", which is also how to reach that layer.
    """
    name = f"[{layer._attribute}]" if layer._attribute.isdigit() else layer._attribute
    text = str(error)
    if not error.layer_named:
        error.layer_named = True
        # A container's repr would fill the screen; its own forward is where to look.
        shown = f"{type(layer).__name__}.forward" if layer._sub_layers else repr(layer)
        error.args = (f"in {name} = {shown}: {text}" if name else f"in {shown}: {text}",)
    elif name and " = " in text.partition("(")[0]:
        error.args = (f"in {name}{'' if text[3] == '[' else '.'}{text[3:]}",)
