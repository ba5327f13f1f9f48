"""``Tensor``'s methods for another type, another memory, another shape in place: short ways to what is there already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lenet.autograd.array_rows.creation import empty, full, ones, zeros
from lenet.autograd.array_rows.row import cast, sizes
from lenet.autograd.array_rows.shapes import split, tile
from lenet.autograd.dtype import DType, dtype_of
from lenet.autograd.tensor import CPUPlace, Tensor, dense
from lenet.messages.check import describe, message

__all__: list[str] = []

_TYPES = {"byte": "uint8", "char": "int8", "short": "int16", "int": "int32", "long": "int64"}
_TYPES |= {"float": "float32", "double": "float64", "bool": "bool"}


def _to_type(name: str) -> Callable[[Tensor], Tensor]:
    def method(x: Tensor) -> Tensor:
        return cast(x, name)

    method.__doc__ = f"The tensor as {name}."
    return method


def _to(
    x: Tensor, *args: Any, device: Any = None, dtype: Any = None, blocking: Any = None, other: Any = None
) -> Tensor:
    """The tensor as another dtype, or as another tensor's. A place has to be the processor (ValueError)."""
    for given in (*args, device, dtype, other):
        if isinstance(given, Tensor):
            x = cast(x, given._dtype)
        elif isinstance(given, (DType, np.dtype, type)) or (isinstance(given, str) and given not in ("cpu", "CPU")):
            if isinstance(given, str) and given.split(":")[0] in ("gpu", "cuda", "xpu"):
                raise ValueError(message("to(device)", given, "'cpu', the only place there is"))
            x = cast(x, given)
        elif given is not None and not isinstance(given, (bool, str, CPUPlace)):
            raise TypeError(message("to()", describe(given), "a dtype, a tensor or 'cpu'"))
    return x


def _replace(x: Tensor, data: Any, node: Any = None, stop: bool | None = None) -> Tensor:
    x._data, x._shape, x._dtype = data, data.shape, data.dtype
    x._lanes = x._few = None
    x._node = node
    if stop is not None:
        x.stop_gradient = stop
    return x


def _copy_(x: Tensor, other: Tensor, blocking: bool = True) -> Tensor:
    """Another tensor's numbers written into this one, broadcast, in its own type."""
    x._write(np.broadcast_to(other.data_array(), x._shape).astype(x._dtype))
    return x


def _set_(x: Tensor, source: Tensor | None = None, shape: Any = None, stride: Any = None, offset: int = 0) -> Tensor:
    """Another tensor's numbers and shape (a copy) in the place of this one's; nothing at all for None."""
    data = np.zeros((0,), x._dtype) if source is None else source.data_array().copy()
    if shape is not None:
        data = data.reshape(-1)[: int(np.prod(shape))].reshape(shape)
    return _replace(x, data)


def _resize_(x: Tensor, shape: Any, fill_zero: bool = False) -> Tensor:
    """Another shape; surplus numbers go, missing ones are 0."""
    lengths = sizes("resize_(shape)", shape)
    flat = np.zeros(int(np.prod(lengths)), x._dtype)
    old = x.data_array().reshape(-1)[: flat.size]
    flat[: old.size] = old
    return _replace(x, flat.reshape(lengths))


def _detach_(x: Tensor) -> Tensor:
    """The tensor cut off from its graph."""
    x._node, x.stop_gradient = None, True
    return x


def _requires_grad_(x: Tensor, requires_grad: bool = True) -> Tensor:
    """Sets the opposite of stop_gradient."""
    x.stop_gradient = not requires_grad
    return x


def _apply(x: Tensor, func: Callable[[Tensor], Any]) -> Tensor:
    """func(tensor), as a tensor. ValueError where a gradient is wanted."""
    if not x.stop_gradient:
        fix = "Type func(x)"
        raise ValueError(message("apply()", "a tensor that wants a gradient", "one with stop_gradient=True", fix))
    found = func(x)
    return found if isinstance(found, Tensor) else dense(np.asarray(found, x._dtype))


def _apply_(x: Tensor, func: Callable[[Tensor], Any]) -> Tensor:
    """func(tensor) written into the tensor."""
    x._write(_apply(x, func).data_array())
    return x


def _repeat(x: Tensor, *repeats: Any) -> Tensor:
    """``tile``: ``x.repeat(2, 1)`` or ``x.repeat([2, 1])``."""
    return tile(x, repeats[0] if len(repeats) == 1 and isinstance(repeats[0], (list, tuple)) else list(repeats))


def _strides(x: Tensor, axis: int | None = None) -> Any:
    """How many elements apart neighbours along each axis lie."""
    found = [int(np.prod(x._shape[i + 1 :])) for i in range(len(x._shape))]
    return found if axis is None else found[axis]


def _of_shape(make: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def method(x: Tensor, *args: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        return make(*args, dtype=x._dtype if dtype is None else dtype_of(dtype).numpy)

    method.__doc__ = make.__doc__
    return method


METHODS: dict[str, Any] = {
    **{name: _to_type(kind) for name, kind in _TYPES.items()},
    "to": _to,
    "type_as": lambda x, other: cast(x, other._dtype),
    "copy_": _copy_,
    "set_": _set_,
    "resize_": _resize_,
    "detach_": _detach_,
    "requires_grad_": _requires_grad_,
    "apply": _apply,
    "apply_": _apply_,
    "repeat": _repeat,
    "contiguous": lambda x: x,
    "is_contiguous": lambda x: True,
    "pin_memory": lambda x: x,
    "value": lambda x: x,
    "stride": _strides,
    "get_strides": _strides,
    "strides": property(_strides),
    "element_size": lambda x: x._dtype.itemsize,
    "itemsize": property(lambda x: x._dtype.itemsize),
    "ndimension": lambda x: len(x._shape),
    "get_device": lambda x: -1,
    "is_dense": lambda x: True,
    "is_sparse": lambda x: False,
    "is_same_shape": lambda x, y: x._shape == y._shape,
    "split_with_sizes": lambda x, split_sizes, dim=0: split(x, list(split_sizes), dim),
    "new_zeros": _of_shape(zeros),
    "new_ones": _of_shape(ones),
    "new_full": _of_shape(full),
    "new_empty": _of_shape(empty),
}
