"""The table's array rows: arithmetic, reductions and indexing in numpy, eager only, and ``Tensor``'s methods and operators.

A row is a numpy function and its gradient. A network that uses one of them in ``forward`` runs eagerly; ``summary()`` says
so. Importing this module completes ``Tensor``. Names and behaviour are Paddle's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet import _core
from lenet.autograd import dtype as _dtype
from lenet.autograd import random as _random
from lenet.autograd.table import TABLE, Attrs, Grads, Inputs, Row, check_axis
from lenet.autograd.tape import Node, call, is_grad_enabled
from lenet.autograd.tensor import Tensor, dense, in_few, in_lanes, to_tensor
from lenet.messages.check import ShapeError, describe, message

Array = NDArray[Any]


def _array_row(name: str, forward: Callable[..., Array], gradient: Callable[..., tuple[Array | None, ...]]) -> None:
    """forward(*arrays, **attrs) -> array; gradient(dy, y, arrays, attrs) -> an array an input, of that input's shape."""

    def run(inputs: Inputs, attrs: Attrs) -> tuple[Tensor, Any]:
        y = forward(*(t.data_array() for t in inputs), **attrs)
        y = np.ascontiguousarray(y).reshape(np.shape(y))
        return dense(y if y.base is None else y.copy()), y

    def backward(node: Node, dy: Tensor) -> Grads:
        arrays = tuple(t.data_array() for t in node.inputs)
        grads = gradient(dy.data_array(), node.saved, arrays, node.attrs)
        return tuple(
            None if g is None or t.stop_gradient else dense(np.asarray(g, t._dtype, order="C"))
            for g, t in zip(grads, node.inputs, strict=True)
        )

    TABLE[name] = Row(name, "array", run, backward)


def _fit(g: Array, like: Array) -> Array:
    """Sum a gradient over the axes that broadcasting had added."""
    if g.shape == like.shape:
        return g
    summed: Array
    extra = g.ndim - like.ndim
    axes = tuple(range(extra)) + tuple(
        i + extra for i, s in enumerate(like.shape) if s == 1 and g.shape[i + extra] != 1
    )
    summed = g.sum(axis=axes).reshape(like.shape)
    return summed


# ---- two operands ------------------------------------------------------------------------------------------------------

_array_row("subtract", np.subtract, lambda dy, y, ab, _: (_fit(dy, ab[0]), _fit(-dy, ab[1])))
_array_row("multiply", np.multiply, lambda dy, y, ab, _: (_fit(dy * ab[1], ab[0]), _fit(dy * ab[0], ab[1])))
_array_row(
    "divide", np.true_divide, lambda dy, y, ab, _: (_fit(dy / ab[1], ab[0]), _fit(-dy * ab[0] / (ab[1] * ab[1]), ab[1]))
)
_array_row(
    "pow",
    np.power,
    lambda dy, y, ab, _: (
        _fit(dy * ab[1] * np.power(ab[0], ab[1] - 1), ab[0]),
        _fit(dy * y * np.log(np.where(ab[0] > 0, ab[0], 1)), ab[1]),
    ),
)


def _matmul_gradient(dy: Array, y: Array, ab: tuple[Array, Array], _: Attrs) -> tuple[Array, Array]:
    a, b = ab
    if a.ndim == 1 and b.ndim == 1:
        return dy * b, dy * a
    if a.ndim == 1:
        dy = np.expand_dims(dy, -2)
        da, db = dy @ np.swapaxes(b, -1, -2), a[:, None] * dy
        return _fit(da, a[None]).reshape(a.shape), _fit(db, b)
    if b.ndim == 1:
        return _fit(dy[..., None] * b, a), _fit((np.swapaxes(a, -1, -2) @ dy[..., None])[..., 0], b)
    return _fit(dy @ np.swapaxes(b, -1, -2), a), _fit(np.swapaxes(a, -1, -2) @ dy, b)


_array_row("matmul", np.matmul, _matmul_gradient)


def _add(inputs: Inputs, attrs: Attrs) -> tuple[Tensor, Any]:
    a, b = inputs
    if a._lanes is not None and b._lanes is not None and a._shape == b._shape and a._dtype == b._dtype:
        return in_lanes(_core.add(a._lanes, b._lanes), a._shape, a._dtype), None
    if a._few is not None and b._few is not None and a._shape == b._shape:
        return in_few(_core.add(a._few, b._few), a._shape), None
    return dense(np.asarray(a.data_array() + b.data_array(), order="C")), None


def _add_backward(node: Node, dy: Tensor) -> Grads:
    def part(t: Tensor) -> Tensor | None:
        if t.stop_gradient:
            return None
        return (
            dy
            if t._shape == dy._shape and t._dtype == dy._dtype
            else dense(np.asarray(_fit(dy.data_array(), t.data_array()), t._dtype, order="C"))
        )

    return part(node.inputs[0]), part(node.inputs[1])


TABLE["add"] = Row(
    "add", "core", _add, _add_backward
)  # core where both are in one of its forms, as in a residual connection


def _operand(what: str, x: Any, other: Tensor) -> Tensor:
    """A number or ndarray beside a tensor; a Python number takes the tensor's type unless that would lose its fraction."""
    if isinstance(x, Tensor):
        return x
    if isinstance(x, (bool, int, float, np.generic)):
        kind = other._dtype
        if isinstance(x, (float, np.floating)) and kind.kind != "f":
            kind = _dtype._default.numpy
        return dense(np.array(x, kind))
    if isinstance(x, np.ndarray):
        return to_tensor(x)
    raise TypeError(message(what, describe(x), "a Tensor, an ndarray or a number"))


def _matched(what: str, a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """Both operands as tensors of one type; TypeError for a mixture that Paddle refuses, ValueError for shapes that don't fit."""
    if not isinstance(a, Tensor) and not isinstance(b, Tensor):
        a = to_tensor(a)
    x = _operand(what, a, b) if not isinstance(a, Tensor) else a
    y = _operand(what, b, x)
    if x._dtype != y._dtype:
        kinds = x._dtype.kind + y._dtype.kind
        if kinds == "ff":
            wide = np.promote_types(x._dtype, y._dtype)
        elif x._shape and y._shape and what != "matmul" and "f" in kinds:
            fix = f"Convert one: x.astype('{(x if x._dtype.kind == 'f' else y)._dtype}')"
            raise TypeError(message(what, f"tensors of {x._dtype} and {y._dtype}", "two of one type", fix))
        elif "f" in kinds:
            wide = (x if x._dtype.kind == "f" else y)._dtype
        else:
            wide = np.promote_types(x._dtype, y._dtype)
        x, y = cast(x, wide), cast(y, wide)
    if what != "matmul":
        try:
            np.broadcast_shapes(x._shape, y._shape)
        except ValueError:
            given = f"shapes {list(x._shape)} and {list(y._shape)}"
            raise ShapeError(message(what, given, "shapes that are equal, or 1, axis by axis from the right")) from None
    return x, y


def add(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x + y, broadcast."""
    return call("add", *_matched("add", x, y))


def subtract(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x - y, broadcast."""
    return call("subtract", *_matched("subtract", x, y))


def multiply(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x * y, broadcast."""
    return call("multiply", *_matched("multiply", x, y))


def divide(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y, broadcast; whole numbers become the default float type first."""
    a, b = _matched("divide", x, y)
    if a._dtype.kind != "f":
        a, b = cast(a, _dtype._default), cast(b, _dtype._default)
    return call("divide", a, b)


def pow(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x to the power of y, broadcast."""
    return call("pow", *_matched("pow", x, y))


def matmul(x: Any, y: Any, transpose_x: bool = False, transpose_y: bool = False, name: str | None = None) -> Tensor:
    """The matrix product; transpose_x/y swap an operand's last two axes first. ValueError if the inner sizes differ."""
    a, b = _matched("matmul", x, y)
    if transpose_x:
        a = _swap_last(a)
    if transpose_y:
        b = _swap_last(b)
    if not a._shape or not b._shape or a._shape[-1] != b._shape[-2 if len(b._shape) > 1 else -1]:
        given = f"shapes {list(a._shape)} and {list(b._shape)}"
        raise ShapeError(message("matmul", given, "[..., M, K] and [..., K, N]"))
    return call("matmul", a, b)


def _swap_last(x: Tensor) -> Tensor:
    axes = list(range(len(x._shape)))
    axes[-2:] = axes[-2:][::-1]
    return transpose(x, axes)


def floor_divide(x: Any, y: Any) -> Tensor:
    """x // y, rounded down; no gradient."""
    a, b = _matched("floor_divide", x, y)
    return dense(np.asarray(a.data_array() // b.data_array()))


def _comparison(what: str, f: Callable[[Array, Array], Array]) -> Callable[[Any, Any], Tensor]:
    def compare(x: Any, y: Any, name: str | None = None) -> Tensor:
        a = x if isinstance(x, Tensor) else to_tensor(x)
        b = _operand(what, y, a)
        try:
            return dense(np.asarray(f(a.data_array(), b.data_array())))
        except ValueError:
            given = f"shapes {list(a._shape)} and {list(b._shape)}"
            raise ShapeError(message(what, given, "shapes that are equal, or 1, axis by axis from the right")) from None

    compare.__name__ = what
    compare.__doc__ = f"Elementwise ``{what}``: a bool tensor, broadcast."
    return compare


equal = _comparison("equal", np.equal)
not_equal = _comparison("not_equal", np.not_equal)
less_than = _comparison("less_than", np.less)
less_equal = _comparison("less_equal", np.less_equal)
greater_than = _comparison("greater_than", np.greater)
greater_equal = _comparison("greater_equal", np.greater_equal)


# ---- one operand -------------------------------------------------------------------------------------------------------

_array_row("neg", np.negative, lambda dy, y, a, _: (-dy,))
_array_row("exp", np.exp, lambda dy, y, a, _: (dy * y,))
_array_row("log", np.log, lambda dy, y, a, _: (dy / a[0],))
_array_row("sqrt", np.sqrt, lambda dy, y, a, _: (dy / (2 * y),))
_array_row("abs", np.abs, lambda dy, y, a, _: (dy * np.sign(a[0]),))
_array_row("cast", lambda x, dtype: x.astype(dtype), lambda dy, y, a, _: (dy,))
_array_row(
    "clip",
    lambda x, low, high: np.clip(x, low, high),
    lambda dy, y, a, at: (dy * ((a[0] >= at["low"]) & (a[0] <= at["high"])),),
)


def _floating(x: Any) -> Tensor:
    x = x if isinstance(x, Tensor) else to_tensor(x)
    return x if x._dtype.kind == "f" else cast(x, _dtype._default)


def exp(x: Any, name: str | None = None) -> Tensor:
    """e to the power of x."""
    return call("exp", _floating(x))


def log(x: Any, name: str | None = None) -> Tensor:
    """The natural logarithm of x."""
    return call("log", _floating(x))


def sqrt(x: Any, name: str | None = None) -> Tensor:
    """The square root of x."""
    return call("sqrt", _floating(x))


def abs(x: Tensor, name: str | None = None) -> Tensor:
    """The absolute value of x."""
    return call("abs", x)


def clip(x: Tensor, min: float | None = None, max: float | None = None, name: str | None = None) -> Tensor:
    """x held between min and max; None leaves a side open."""
    return call("clip", x, low=-math.inf if min is None else min, high=math.inf if max is None else max)


def cast(x: Tensor, dtype: Any) -> Tensor:
    """x converted to another type; itself if it has it already."""
    wanted = dtype if isinstance(dtype, np.dtype) else _dtype.dtype_of(dtype).numpy
    return x if x._dtype == wanted else call("cast", x, dtype=wanted)


# ---- reductions --------------------------------------------------------------------------------------------------------


def _spread(g: Array, like: Array, axis: Any, keepdim: bool) -> Array:
    """Bring a reduced gradient back to the shape it was reduced from."""
    if axis is None:
        return np.broadcast_to(g.reshape((1,) * like.ndim), like.shape)
    return np.broadcast_to(g if keepdim else np.expand_dims(g, axis), like.shape)


def _extreme_gradient(dy: Array, y: Array, a: tuple[Array], at: Attrs) -> tuple[Array]:
    hit = a[0] == _spread(y, a[0], at["axis"], at["keepdim"])
    count = hit.sum(axis=at["axis"], keepdims=True)
    return (_spread(dy, a[0], at["axis"], at["keepdim"]) * hit / count,)


_array_row(
    "sum",
    lambda x, axis, keepdim: np.asarray(
        x.sum(axis=axis, keepdims=keepdim, dtype=np.int64 if x.dtype.kind in "bi" else None)
    ),
    lambda dy, y, a, at: (_spread(dy, a[0], at["axis"], at["keepdim"]),),
)
_array_row(
    "mean",
    lambda x, axis, keepdim: np.asarray(x.mean(axis=axis, keepdims=keepdim)),
    lambda dy, y, a, at: (_spread(dy, a[0], at["axis"], at["keepdim"]) * (y.size / a[0].size),),
)
_array_row("max", lambda x, axis, keepdim: np.asarray(x.max(axis=axis, keepdims=keepdim)), _extreme_gradient)
_array_row("min", lambda x, axis, keepdim: np.asarray(x.min(axis=axis, keepdims=keepdim)), _extreme_gradient)


def _axes(what: str, x: Tensor, axis: Any) -> Any:
    if axis is None:
        return None
    if isinstance(axis, (list, tuple)):
        return tuple(check_axis(what, a, x._shape) for a in axis) or None
    return check_axis(what, axis, x._shape) if x._shape else None


def sum(x: Tensor, axis: Any = None, dtype: Any = None, keepdim: bool = False, name: str | None = None) -> Tensor:
    """The sum over an axis, several, or all (None)."""
    x = x if dtype is None else cast(x, dtype)
    return call("sum", x, axis=_axes("sum", x, axis), keepdim=keepdim)


def mean(x: Tensor, axis: Any = None, keepdim: bool = False, name: str | None = None) -> Tensor:
    """The mean over an axis, several, or all (None)."""
    x = _floating(x)
    return call("mean", x, axis=_axes("mean", x, axis), keepdim=keepdim)


def max(x: Tensor, axis: Any = None, keepdim: bool = False, name: str | None = None) -> Tensor:
    """The largest element over an axis, several, or all (None). Equal ones share the gradient."""
    return call("max", x, axis=_axes("max", x, axis), keepdim=keepdim)


def min(x: Tensor, axis: Any = None, keepdim: bool = False, name: str | None = None) -> Tensor:
    """The smallest element over an axis, several, or all (None). Equal ones share the gradient."""
    return call("min", x, axis=_axes("min", x, axis), keepdim=keepdim)


def argmax(
    x: Tensor, axis: int | None = None, keepdim: bool = False, dtype: Any = "int64", name: str | None = None
) -> Tensor:
    """Where the largest element is (the first of equals), along an axis or in the flat tensor (None)."""
    return _arg(np.argmax, "argmax", x, axis, keepdim, dtype)


def argmin(
    x: Tensor, axis: int | None = None, keepdim: bool = False, dtype: Any = "int64", name: str | None = None
) -> Tensor:
    """Where the smallest element is (the first of equals), along an axis or in the flat tensor (None)."""
    return _arg(np.argmin, "argmin", x, axis, keepdim, dtype)


def _arg(f: Callable[..., Any], what: str, x: Tensor, axis: int | None, keepdim: bool, dtype: Any) -> Tensor:
    at = None if axis is None else check_axis(what, axis, x._shape)
    found = f(x.data_array(), axis=at, keepdims=keepdim)
    return dense(np.asarray(found, _dtype.dtype_of(dtype).numpy))


def argsort(
    x: Tensor, axis: int = -1, descending: bool = False, stable: bool = False, name: str | None = None
) -> Tensor:
    """The order that sorts x along an axis, int64; equals keep their order."""
    data = x.data_array()
    at = check_axis("argsort", axis, x._shape)
    order = np.argsort(-data if descending else data, axis=at, kind="stable")
    return dense(np.ascontiguousarray(order, np.int64))


def topk(
    x: Tensor, k: int, axis: int | None = None, largest: bool = True, sorted: bool = True, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """The k largest (or smallest) elements along an axis (the last if None) and where they were, int64. No gradient."""
    at = check_axis("topk", -1 if axis is None else axis, x._shape)
    if not isinstance(k, (int, np.integer)) or not 1 <= k <= x._shape[at]:
        raise ValueError(message("topk(k)", k, f"a whole number from 1 to the axis' length {x._shape[at]}"))
    order = np.take(argsort(x, at, descending=largest).data_array(), range(k), axis=at)
    return dense(np.take_along_axis(x.data_array(), order, at)), dense(order)


# ---- shape -------------------------------------------------------------------------------------------------------------

_array_row(
    "transpose", lambda x, perm: np.transpose(x, perm), lambda dy, y, a, at: (np.transpose(dy, np.argsort(at["perm"])),)
)
_array_row(
    "concat",
    lambda *xs, axis: np.concatenate(xs, axis),
    lambda dy, y, xs, at: tuple(np.split(dy, np.cumsum([x.shape[at["axis"]] for x in xs])[:-1], at["axis"])),
)
_array_row(
    "stack",
    lambda *xs, axis: np.stack(xs, axis),
    lambda dy, y, xs, at: tuple(np.take(dy, i, at["axis"]) for i in range(len(xs))),
)


def _getitem_gradient(dy: Array, y: Array, a: tuple[Array], at: Attrs) -> tuple[Array]:
    out = np.zeros_like(a[0])
    np.add.at(out, at["key"], dy)
    return (out,)


_array_row("getitem", lambda x, key: np.asarray(x[key]), _getitem_gradient)


def reshape(x: Tensor, *sizes: Any, shape: Any = None, name: str | None = None) -> Tensor:
    """x in another shape, ``reshape(x, [2, -1])`` or ``x.reshape(2, -1)``; -1 for one size to work out, 0 to keep an axis."""
    wanted = sizes if shape is None else (shape,)
    if len(wanted) == 1 and isinstance(wanted[0], (list, tuple)):
        wanted = tuple(wanted[0])
    return call("reshape", x, shape=wanted)


def flatten(x: Tensor, start_axis: int = 0, stop_axis: int = -1, name: str | None = None) -> Tensor:
    """The axes from start_axis to stop_axis joined into one. Note the default start 0; the layer ``Flatten`` starts at 1."""
    if not isinstance(x, Tensor):
        raise TypeError(message("flatten", describe(x), "a lenet Tensor", "Type lenet.to_tensor(x)"))
    return call("flatten", x, start=start_axis, stop=stop_axis)


def transpose(x: Tensor, perm: Sequence[int], name: str | None = None) -> Tensor:
    """x with its axes in the order of perm."""
    axes = tuple(int(p) % len(x._shape) if -len(x._shape) <= int(p) < len(x._shape) else -1 for p in perm)
    if sorted(axes) != list(range(len(x._shape))):
        raise ValueError(message("transpose(perm)", list(perm), f"each of 0 to {len(x._shape) - 1} once"))
    return call("transpose", x, perm=axes)


def unsqueeze(x: Tensor, axis: int | Sequence[int], name: str | None = None) -> Tensor:
    """x with an axis of length 1 put in before ``axis`` (or several)."""
    shape = list(x._shape)
    for a in [axis] if isinstance(axis, (int, np.integer)) else axis:
        if not -len(shape) - 1 <= a <= len(shape):
            raise ValueError(message("unsqueeze(axis)", a, f"a whole number from {-len(shape) - 1} to {len(shape)}"))
        shape.insert(a % (len(shape) + 1), 1)
    return reshape(x, shape)


def squeeze(x: Tensor, axis: int | Sequence[int] | None = None, name: str | None = None) -> Tensor:
    """x without its axes of length 1, or without those named."""
    chosen = range(len(x._shape)) if axis is None else [axis] if isinstance(axis, (int, np.integer)) else axis
    drop = {check_axis("squeeze", a, x._shape) for a in chosen}
    return reshape(x, [s for i, s in enumerate(x._shape) if i not in drop or s != 1])


def concat(x: Sequence[Tensor], axis: int = 0, name: str | None = None) -> Tensor:
    """Tensors joined along an axis that exists; ValueError if the other axes differ."""
    at = check_axis("concat", axis, x[0]._shape)
    if any(t._shape[:at] + t._shape[at + 1 :] != x[0]._shape[:at] + x[0]._shape[at + 1 :] for t in x):
        raise ShapeError(
            message("concat", f"shapes {[list(t._shape) for t in x]}", f"shapes that differ only along axis {at}")
        )
    return call("concat", *x, axis=at)


def stack(x: Sequence[Tensor], axis: int = 0, name: str | None = None) -> Tensor:
    """Tensors of one shape joined along a new axis; ValueError if the shapes differ."""
    if any(t._shape != x[0]._shape for t in x):
        raise ShapeError(message("stack", f"shapes {[list(t._shape) for t in x]}", "one shape"))
    return call("stack", *x, axis=check_axis("stack", axis, (*x[0]._shape, 1)))


def _getitem(x: Tensor, key: Any) -> Tensor:
    def plain(k: Any) -> Any:
        return k.data_array() if isinstance(k, Tensor) else k

    found = tuple(plain(k) for k in key) if isinstance(key, tuple) else plain(key)
    try:
        return call("getitem", x, key=found)
    except IndexError:
        given = f"index {key!r} of a tensor of shape {list(x._shape)}"
        raise IndexError(message("tensor[...]", given, "an index inside the tensor")) from None


def _setitem(x: Tensor, key: Any, value: Any) -> None:
    if is_grad_enabled():
        x._check_writable()
    found = tuple(k.data_array() if isinstance(k, Tensor) else k for k in key) if isinstance(key, tuple) else key
    found = found.data_array() if isinstance(found, Tensor) else found
    new = x.data_array().copy()
    new[found] = value.data_array() if isinstance(value, Tensor) else value
    x._write(new)


# ---- Tensor's methods and operators ------------------------------------------------------------------------------------


def _complete_tensor() -> None:
    under_own_name = [
        *(add, subtract, multiply, divide, pow, matmul, floor_divide, exp, log, sqrt, abs, clip, cast),
        *(equal, not_equal, less_than, less_equal, greater_than, greater_equal),
        *(sum, mean, max, min, argmax, argmin, argsort, topk),
        *(reshape, flatten, transpose, unsqueeze, squeeze),
    ]
    methods: dict[str, Any] = {function.__name__: function for function in under_own_name}
    methods |= {
        "astype": cast,
        "clone": lambda x: multiply(x, 1),
        "numel": lambda x: to_tensor(x.size),
        "any": lambda x: dense(np.asarray(x.data_array().any())),
        "all": lambda x: dense(np.asarray(x.data_array().all())),
        "T": property(lambda x: transpose(x, range(len(x._shape))[::-1])),
        "__add__": add,
        "__radd__": lambda x, y: add(y, x),
        "__sub__": subtract,
        "__rsub__": lambda x, y: subtract(y, x),
        "__mul__": multiply,
        "__rmul__": lambda x, y: multiply(y, x),
        "__truediv__": divide,
        "__rtruediv__": lambda x, y: divide(y, x),
        "__floordiv__": floor_divide,
        "__pow__": pow,
        "__rpow__": lambda x, y: pow(y, x),
        "__matmul__": matmul,
        "__neg__": lambda x: call("neg", x),
        "__abs__": abs,
        "__eq__": _equal_or_false(equal, False),
        "__ne__": _equal_or_false(not_equal, True),
        "__lt__": less_than,
        "__le__": less_equal,
        "__gt__": greater_than,
        "__ge__": greater_equal,
        "__invert__": lambda x: dense(~x.data_array()),
        "__getitem__": _getitem,
        "__setitem__": _setitem,
    }
    for name, function in methods.items():
        setattr(Tensor, name, function)


def _equal_or_false(compare: Callable[[Any, Any], Tensor], otherwise: bool) -> Callable[[Tensor, Any], Any]:
    def method(x: Tensor, y: Any) -> Any:
        known = isinstance(y, (Tensor, np.ndarray, np.generic, bool, int, float))
        return compare(x, y) if known else otherwise

    return method


_complete_tensor()


# ---- making tensors ----------------------------------------------------------------------------------------------------


def _sizes(what: str, shape: Any) -> tuple[int, ...]:
    shape = [shape] if isinstance(shape, (int, np.integer)) else list(shape)
    if any(int(s) < 0 for s in shape):
        raise ValueError(message(what, f"shape {shape}", "sizes of at least 0"))
    return tuple(int(s) for s in shape)


def _type(dtype: Any) -> np.dtype[Any]:
    return (_dtype._default if dtype is None else _dtype.dtype_of(dtype)).numpy


def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """A tensor of zeros."""
    return dense(np.zeros(_sizes("zeros", shape), _type(dtype)))


def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """A tensor of ones."""
    return dense(np.ones(_sizes("ones", shape), _type(dtype)))


def full(shape: Any, fill_value: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """A tensor of one number."""
    return dense(np.full(_sizes("full", shape), fill_value, _type(dtype)))


def zeros_like(x: Tensor, dtype: Any = None, name: str | None = None) -> Tensor:
    """Zeros in the shape (and type) of x."""
    return zeros(x._shape, x._dtype if dtype is None else dtype)


def ones_like(x: Tensor, dtype: Any = None, name: str | None = None) -> Tensor:
    """Ones in the shape (and type) of x."""
    return ones(x._shape, x._dtype if dtype is None else dtype)


def arange(start: Any = 0, end: Any = None, step: Any = 1, dtype: Any = None, name: str | None = None) -> Tensor:
    """start, start + step, … below end; int64 if all three are whole numbers."""
    first, last = (0, start) if end is None else (start, end)
    whole = all(isinstance(v, (int, np.integer)) for v in (first, last, step))
    return dense(np.arange(first, last, step, dtype=np.dtype(np.int64) if dtype is None and whole else _type(dtype)))


def rand(shape: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Uniform numbers in [0, 1) from ``lenet.seed``'s stream."""
    return uniform(shape, dtype, 0.0, 1.0)


def uniform(
    shape: Any, dtype: Any = None, min: float = -1.0, max: float = 1.0, seed: int = 0, name: str | None = None
) -> Tensor:
    """Uniform numbers in [min, max) from ``lenet.seed``'s stream; seed other than 0: from a stream of its own."""
    sizes = _sizes("uniform", shape)
    source = _random.generator() if not seed else _random.Generator(seed)
    return dense(source.uniform(math.prod(sizes), min, max).reshape(sizes).astype(_type(dtype)))


def randn(shape: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Normally distributed numbers (mean 0, deviation 1) from ``lenet.seed``'s stream."""
    sizes = _sizes("randn", shape)
    return dense(_random.generator().normal(math.prod(sizes), 0.0, 1.0).reshape(sizes).astype(_type(dtype)))


def randint(
    low: int = 0, high: int | None = None, shape: Any = (1,), dtype: Any = None, name: str | None = None
) -> Tensor:
    """Whole numbers in [low, high) from ``lenet.seed``'s stream; with one bound, in [0, low)."""
    first, last = (0, low) if high is None else (low, high)
    if last <= first:
        raise ValueError(message("randint", f"bounds {first} and {last}", "low below high"))
    sizes = _sizes("randint", shape)
    drawn = _random.generator().randint(first, last, math.prod(sizes)).reshape(sizes)
    return dense(drawn.astype(np.dtype(np.int64) if dtype is None else _type(dtype)))


def randperm(n: int, dtype: Any = "int64", name: str | None = None) -> Tensor:
    """0 … n-1 in random order, from ``lenet.seed``'s stream."""
    return dense(_random.generator().randperm(n).astype(_type(dtype)))
