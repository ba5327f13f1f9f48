"""``Tensor``'s methods and operators, and the functions that write in place: the rows' functions under other names.

Importing this completes ``Tensor``; the types of what is put there stand in ``autograd/tensor_types``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lenet.autograd.array_rows import arithmetic, creation, elementwise, indexing, linear_algebra, reductions, shapes
from lenet.autograd.array_rows.row import array_row, cast, matched
from lenet.autograd.tape import call, is_grad_enabled
from lenet.autograd.tensor import Tensor, dense

__all__ = ["reshape_", "squeeze_", "tanh_", "unsqueeze_"]

_NO_METHODS = {  # they don't take a tensor first
    *creation.__all__,
    *("add_n", "assign", "concat", "meshgrid", "rank", "shape", "stack", "where"),
} - {"bernoulli", "multinomial"}

IN_PLACE = (
    "abs add ceil clip cos divide erf exp flatten floor multiply pow reciprocal remainder reshape round rsqrt scale sin "
    "sqrt square squeeze subtract tanh transpose tril triu trunc unsqueeze"
)


def _in_place(function: Callable[..., Tensor], shown: str) -> Callable[..., Tensor]:
    def method(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if is_grad_enabled():
            x._check_writable()
        before = dense(x.data_array(), x.stop_gradient)  # x as it was: what the recorded operation had as its input
        before._node, before._lanes, before._few = x._node, x._lanes, x._few
        result = function(before, *args, **kwargs)
        if result._dtype != x._dtype:
            result = cast(result, x._dtype)
        if result._shape == x._shape and result._node is None:
            x._write(result.data_array())
        else:
            x._data, x._shape, x._lanes, x._few = result.data_array(), result._shape, None, None
            x._node, x.stop_gradient = result._node, result.stop_gradient
        return x

    method.__name__ = method.__qualname__ = shown
    method.__module__ = "lenet.autograd.array_rows"
    method.__doc__ = f"``{shown.rstrip('_')}``, its result written into the tensor itself, which is returned."
    return method


array_row("fill", lambda x, value: np.full_like(x, value), lambda dy, y, a, at: (np.zeros_like(a[0]),))


def fill(x: Tensor, value: float) -> Tensor:
    """Every element ``value``"""
    return call("fill", x, value=value)


def _set(x: Tensor, key: Any, value: Any) -> None:
    if x.stop_gradient and not (isinstance(value, Tensor) and not value.stop_gradient):
        x._write(indexing.with_item(x, key, value).data_array())
    else:
        _in_place(indexing.with_item, "__setitem__")(x, key, value)


def _equal_or_false(compare: Callable[[Any, Any], Tensor], otherwise: bool) -> Callable[[Tensor, Any], Any]:
    def method(x: Tensor, y: Any) -> Any:
        known = isinstance(y, (Tensor, np.ndarray, np.generic, bool, int, float))
        return compare(x, y) if known else otherwise

    return method


def _swapped(function: Callable[[Any, Any], Tensor]) -> Callable[[Any, Any], Tensor]:
    return lambda x, y: function(y, x)


def _complete_tensor() -> None:
    a = arithmetic
    methods: dict[str, Any] = {}
    for module in (arithmetic, creation, elementwise, indexing, linear_algebra, reductions, shapes):
        methods |= {name: vars(module)[name] for name in module.__all__ if name not in _NO_METHODS}
    methods |= {f"{name}_": _in_place(methods[name], f"{name}_") for name in IN_PLACE.split()}
    methods |= {
        "astype": cast,
        "fill_": _in_place(fill, "fill_"),
        "zero_": _in_place(lambda x: fill(x, 0), "zero_"),
        "T": property(lambda x: shapes.transpose(x, range(len(x._shape))[::-1])),
        "__neg__": lambda x: call("neg", x),
        "__abs__": elementwise.abs,
        "__invert__": lambda x: dense(~x.data_array()),
        "__getitem__": indexing.getitem,
        "__setitem__": _set,
        "__eq__": _equal_or_false(a.equal, False),
        "__ne__": _equal_or_false(a.not_equal, True),
        "__lt__": a.less_than,
        "__le__": a.less_equal,
        "__gt__": a.greater_than,
        "__ge__": a.greater_equal,
    }
    operators: dict[str, Callable[[Any, Any], Tensor]] = {
        "add": a.add,
        "sub": a.subtract,
        "mul": a.multiply,
        "truediv": a.divide,
        "floordiv": a.floor_divide,
        "mod": a.mod,
        "pow": a.pow,
        "matmul": linear_algebra.matmul,
    }
    for operator, function in operators.items():
        methods |= {f"__{operator}__": function, f"__r{operator}__": _swapped(function)}
    for operator, function in {"and": a.logical_and, "or": a.logical_or, "xor": a.logical_xor}.items():
        methods |= {f"__{operator}__": _bits(function, operator)}
    for name, function in methods.items():
        setattr(Tensor, name, function)


def _bits(logical: Callable[[Any, Any], Tensor], operator: str) -> Callable[[Tensor, Any], Tensor]:
    """``&``, ``|`` and ``^``: of bools the logical one, of whole numbers bit by bit."""
    bitwise = {"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor}[operator]

    def method(x: Tensor, y: Any) -> Tensor:
        if x._dtype == np.bool_:
            return logical(x, y)
        p, q = matched(f"__{operator}__", x, y)
        return dense(np.asarray(bitwise(p.data_array(), q.data_array())))

    return method


_complete_tensor()

reshape_: Callable[..., Tensor] = vars(Tensor)["reshape_"]
squeeze_: Callable[..., Tensor] = vars(Tensor)["squeeze_"]
tanh_: Callable[..., Tensor] = vars(Tensor)["tanh_"]
unsqueeze_: Callable[..., Tensor] = vars(Tensor)["unsqueeze_"]
