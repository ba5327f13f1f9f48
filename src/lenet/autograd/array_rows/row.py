"""What an array row is, and the makers that turn one line of a table into a row and the function that calls it.

A line gives a name, a numpy function, its vector-Jacobian product (vjp) and a sentence; ``unary``, ``binary`` and
``reduction`` add the checks and make the row. Read by the files beside this one, which hold the lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.autograd import dtype as _dtype
from lenet.autograd.table import TABLE, Attrs, Grads, Inputs, Row, check_axis
from lenet.autograd.tape import Node, call
from lenet.autograd.tensor import Tensor, dense, to_tensor
from lenet.messages.check import ShapeError, describe, message

Array = NDArray[Any]
Function = Callable[..., Tensor]


def array_row(name: str, forward: Callable[..., Any], gradient: Callable[..., tuple[Any, ...]]) -> None:
    """forward(*arrays, **attrs) -> array; gradient(dy, y, arrays, attrs) -> an array an input, of that input's shape."""

    def run(inputs: Inputs, attrs: Attrs) -> tuple[Tensor, Any]:
        arrays = tuple(t.data_array() for t in inputs)
        y = forward(*arrays, **attrs)
        y = np.ascontiguousarray(y).reshape(np.shape(y))
        return dense(y if y.base is None else y.copy()), (y, arrays)  # arrays: an input may be written over later

    def backward(node: Node, dy: Tensor) -> Grads:
        y, arrays = node.saved
        grads = gradient(dy.data_array(), y, arrays, node.attrs)
        return tuple(
            None if g is None or t.stop_gradient else dense(np.asarray(g, t._dtype, order="C"))
            for g, t in zip(grads, node.inputs, strict=True)
        )

    TABLE[name] = Row(name, "array", run, backward)


def _function(name: str, doc: str, body: Function) -> Function:
    body.__name__ = body.__qualname__ = name
    body.__module__ = "lenet.autograd.array_rows"  # where pickle finds it
    body.__doc__ = doc
    return body


def unary(name: str, forward: Callable[[Array], Any], vjp: Any, doc: str, *, whole: str = "float") -> Function:
    """A row of one operand: vjp(dy, y, x) -> dx, None for a gradient of zeros.

    whole: what happens to whole numbers: "float" converts them to the default float type first, "keep" computes with
    them, "same" returns them as they are.
    """
    array_row(
        name,
        lambda x: np.asarray(forward(x), x.dtype),
        lambda dy, y, a, _: (np.zeros_like(a[0]) if vjp is None else vjp(dy, y, a[0]),),
    )

    def function(x: Any, name: str | None = None) -> Tensor:
        x = tensor(what, x)
        if x._dtype.kind != "f" and whole == "same":
            return x
        return call(what, floating(x) if whole == "float" else x)

    what = name
    return _function(name, doc, function)


def binary(name: str, forward: Callable[[Array, Array], Any], vjp: Any, doc: str) -> Function:
    """A row of two operands, broadcast: vjp(dy, y, a, b) -> (da, db) before what broadcasting repeated is summed up."""

    def gradient(dy: Array, y: Array, ab: tuple[Array, Array], _: Attrs) -> tuple[Array, ...]:
        return tuple(fit(g, like) for g, like in zip(vjp(dy, y, *ab), ab, strict=True))

    array_row(name, forward, gradient)

    def function(x: Any, y: Any, name: str | None = None) -> Tensor:
        return call(what, *matched(what, x, y))

    what = name
    return _function(name, doc, function)


def compared(name: str, forward: Callable[[Array, Array], Any], doc: str) -> Function:
    """A function of two operands, broadcast, that gives a bool tensor and no gradient; no row of its own."""

    def function(x: Any, y: Any, name: str | None = None) -> Tensor:
        a = x if isinstance(x, Tensor) else to_tensor(x)
        b = operand(what, y, a)
        try:
            return dense(np.asarray(forward(a.data_array(), b.data_array())))
        except ValueError:
            raise apart(what, a, b) from None

    what = name
    return _function(name, doc, function)


def reduction(name: str, forward: Any, vjp: Any, doc: str, *, floats: bool = False) -> Function:
    """A row over an axis, several or all (None): forward(x, axis, keepdim), vjp(dy, y, x, axis).

    dy and y come with the reduced axes kept as 1, ready to broadcast against x. floats: whole numbers are converted first.
    """

    def gradient(dy: Array, y: Array, a: tuple[Array], at: Attrs) -> tuple[Array]:
        x, axis, keepdim = a[0], at["axis"], at["keepdim"]
        return (np.broadcast_to(vjp(kept(dy, x, axis, keepdim), kept(y, x, axis, keepdim), x, axis), x.shape),)

    array_row(name, lambda x, axis, keepdim: np.asarray(forward(x, axis, keepdim)), gradient)

    def function(
        x: Tensor, axis: Any = None, keepdim: bool = False, name: str | None = None, *, out: None = None
    ) -> Any:
        x = floating(x) if floats else tensor(what, x)
        no_out(what, out)
        return call(what, x, axis=axes(what, x, axis), keepdim=bool(keepdim))

    what = name
    return _function(name, doc, function)


def kept(g: Array, like: Array, axis: Any, keepdim: bool) -> Array:
    """A reduced array with its reduced axes back as axes of length 1."""
    if axis is None:
        return g.reshape((1,) * like.ndim)
    return g if keepdim else np.expand_dims(g, axis)


def fit(g: Any, like: Array) -> Any:
    """Sum a gradient over the axes that broadcasting had added."""
    if g is None or g.shape == like.shape:
        return g
    extra = g.ndim - like.ndim
    summed = tuple(range(extra)) + tuple(
        i + extra for i, s in enumerate(like.shape) if s == 1 and g.shape[i + extra] != 1
    )
    return g.sum(axis=summed).reshape(like.shape)


# ---- the checks ----------------------------------------------------------------------------------------------------------


def tensor(what: str, x: Any) -> Tensor:
    """A Tensor as it is, numbers and arrays as one; TypeError for text, None and other libraries' tensors."""
    if isinstance(x, Tensor):
        return x
    if isinstance(x, (bool, int, float, list, tuple, np.ndarray, np.generic)):
        return to_tensor(x)
    raise TypeError(message(what, describe(x), "a lenet Tensor", "Type lenet.to_tensor(x)"))


def floating(x: Any, what: str = "this operation") -> Tensor:
    """x as a tensor of floats: whole numbers and bools become the default float type."""
    x = tensor(what, x)
    return x if x._dtype.kind == "f" else cast(x, _dtype._default)


def no_out(what: str, out: Any) -> None:
    """numpy's own functions hand ``out=None`` to a tensor's methods; anything else is refused."""
    if out is not None:
        raise ValueError(message(f"{what}(out)", describe(out), "None", f"Type y = x.{what}()"))


def axes(what: str, x: Tensor, axis: Any) -> Any:
    """An axis, several, or None (all), from whole numbers, lists of them and tensors: None or numbers from 0."""
    if isinstance(axis, (Tensor, np.ndarray)):
        axis = (axis.data_array() if isinstance(axis, Tensor) else axis).tolist()
    if axis is None:
        return None
    if isinstance(axis, (list, tuple)):
        return tuple(check_axis(what, a, x._shape) for a in axis) or None
    return check_axis(what, axis, x._shape) if x._shape else None


def whole(what: str, value: Any) -> int:
    """A whole number, also out of a tensor of one; TypeError otherwise."""
    if isinstance(value, Tensor) and value.size == 1 and value._dtype.kind in "iu":
        return int(value.data_array().reshape(()))
    if isinstance(value, bool) or not hasattr(value, "__index__") or isinstance(value, Tensor):
        raise TypeError(message(what, describe(value), "a whole number"))
    return int(value)


def sizes(what: str, shape: Any) -> tuple[int, ...]:
    """A shape from a number, a list of numbers or tensors, or a tensor; ValueError for a negative size."""
    if isinstance(shape, Tensor):
        shape = shape.data_array().reshape(-1).tolist()
    found = [whole(what, s) for s in ([shape] if hasattr(shape, "__index__") else list(shape))]
    if any(s < 0 for s in found):
        raise ValueError(message(what, f"shape {found}", "sizes of at least 0"))
    return tuple(found)


def operand(what: str, x: Any, other: Tensor) -> Tensor:
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


def apart(what: str, x: Tensor, y: Tensor) -> ShapeError:
    """The error for two shapes that don't broadcast."""
    given = f"shapes {list(x._shape)} and {list(y._shape)}"
    return ShapeError(message(what, given, "shapes that are equal, or 1, axis by axis from the right"))


def matched(what: str, a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """Both operands as tensors of one type; TypeError for a mixture that Paddle refuses, ValueError for shapes that don't fit."""
    if not isinstance(a, Tensor) and not isinstance(b, Tensor):
        a = to_tensor(a)
    x = operand(what, a, b) if not isinstance(a, Tensor) else a
    y = operand(what, b, x)
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
            raise apart(what, x, y) from None
    return x, y


def tensors(what: str, x: Sequence[Tensor]) -> list[Tensor]:
    """At least one tensor in a list or tuple, or one tensor's rows; TypeError or ValueError otherwise."""
    found = list(x) if isinstance(x, (list, tuple, Tensor)) else None
    if not found or not all(isinstance(t, Tensor) for t in found):
        given = describe(x) if found is None else f"{len(found)} things that aren't all tensors" if found else "none"
        raise (ValueError if found == [] else TypeError)(message(what, given, "a list of at least one Tensor"))
    return found


# ---- another type --------------------------------------------------------------------------------------------------------

array_row("cast", lambda x, dtype: x.astype(dtype), lambda dy, y, a, _: (dy,))


def cast(x: Tensor, dtype: Any) -> Tensor:
    """x converted to another type; itself if it has it already."""
    wanted = dtype if isinstance(dtype, np.dtype) else _dtype.dtype_of(dtype).numpy
    return x if x._dtype == wanted else call("cast", x, dtype=wanted)
