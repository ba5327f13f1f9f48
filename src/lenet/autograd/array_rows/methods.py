"""``Tensor``'s methods and operators, and the functions that write in place: the rows' functions under other names.

Importing this completes ``Tensor``; the types of what is put there stand in ``autograd/tensor_types``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lenet.autograd.array_rows import (
    arithmetic,
    arranging,
    conversions,
    creation,
    decompositions,
    drawing,
    elementwise,
    indexing,
    joining,
    linear_algebra,
    pairs,
    products,
    reductions,
    running,
    shapes,
    special,
    statistics,
    writing,
)  # fmt: skip
from lenet.autograd.array_rows.row import array_row, cast, matched
from lenet.autograd.tape import call, is_grad_enabled
from lenet.autograd.tensor import Tensor, dense
from lenet.messages.check import ShapeError, message

FILES = (
    arithmetic, arranging, creation, decompositions, drawing, elementwise, indexing, joining, linear_algebra, pairs, products,
    reductions, running, shapes, special, statistics, writing,
)  # fmt: skip

_NO_METHODS = {  # they don't take a tensor first
    *creation.__all__,
    *drawing.__all__,
    *(
        "add_n",
        "assign",
        "block_diag",
        "broadcast_shape",
        "broadcast_shapes",
        "broadcast_tensors",
        "cartesian_prod",
        "cat",
    ),
    *(
        "column_stack",
        "concat",
        "concatenate",
        "dstack",
        "einsum",
        "hstack",
        "meshgrid",
        "multi_dot",
        "multiplex",
        "rank",
    ),
    *("row_stack", "scatter_nd", "shape", "stack", "tolist", "vstack", "where", "matrix_exp", "svdvals", "vector_norm"),
} - {"bernoulli", "is_complex", "is_empty", "is_floating_point", "is_integer", "multinomial"}

# Functions that are there a second time with an underscore behind, and write their result into the tensor: as functions
# and methods, and as methods alone.
IN_PLACE = [
    "abs",
    "acos",
    "acosh",
    "addmm",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "baddbmm",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "cast",
    "copysign",
    "cos",
    "cosh",
    "cumprod",
    "cumsum",
    "digamma",
    "div",
    "divide",
    "equal",
    "erf",
    "expm1",
    "flatten",
    "floor_divide",
    "floor_mod",
    "frac",
    "gammainc",
    "gammaincc",
    "gammaln",
    "gcd",
    "greater_equal",
    "greater_than",
    "hypot",
    "i0",
    "index_add",
    "index_fill",
    "index_put",
    "lcm",
    "ldexp",
    "less",
    "less_equal",
    "less_than",
    "lgamma",
    "log",
    "log10",
    "log2",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logit",
    "masked_fill",
    "masked_scatter",
    "mod",
    "multigammaln",
    "multiply",
    "nan_to_num",
    "neg",
    "not_equal",
    "polygamma",
    "pow",
    "remainder",
    "renorm",
    "reshape",
    "scatter",
    "scatter_add",
    "sin",
    "sinc",
    "sinh",
    "square",
    "squeeze",
    "sub",
    "subtract",
    "t",
    "tan",
    "tanh",
    "transpose",
    "tril",
    "triu",
    "trunc",
    "unsqueeze",
]
IN_PLACE_METHODS = [
    "add",
    "ceil",
    "clamp",
    "clip",
    "erfinv",
    "exp",
    "floor",
    "lerp",
    "log1p",
    "mul",
    "put_along_axis",
    "reciprocal",
    "round",
    "rsqrt",
    "scale",
    "sigmoid",
    "sqrt",
]
OTHER_SHAPE = {"flatten", "reshape", "squeeze", "t", "transpose", "unsqueeze", "cumsum", "cumprod"}

__all__ = [*(f"{name}_" for name in IN_PLACE), "where_"]
__all__ += [f"{name}_" for name in ("bernoulli", "cauchy", "geometric", "log_normal", "normal")]


def in_place(function: Callable[..., Tensor], shown: str) -> Callable[..., Tensor]:
    def method(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if is_grad_enabled():
            x._check_writable()
        before = dense(x.data_array(), x.stop_gradient)  # x as it was: what the recorded operation had as its input
        before._node, before._lanes, before._few = x._node, x._lanes, x._few
        result = function(before, *args, **kwargs)
        if result._shape != x._shape and shown.rstrip("_") not in OTHER_SHAPE:
            given = f"a result of shape {list(result._shape)}"
            raise ShapeError(message(shown, given, f"the tensor's own, {list(x._shape)}"))
        if result._shape == x._shape and result._dtype == x._dtype and result._node is None:
            x._write(result.data_array())
        else:
            x._data, x._shape, x._lanes, x._few = result.data_array(), result._shape, None, None
            x._dtype = result._dtype
            x._node, x.stop_gradient = result._node, result.stop_gradient
        return x

    method.__name__ = method.__qualname__ = shown
    home = function.__module__
    method.__module__ = home if home.startswith("lenet.nn") else "lenet.autograd.array_rows"  # where pickle finds it
    setattr(method, "__wrapped__", function)  # noqa: B010 - its arguments are the ones to be shown
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
        in_place(indexing.with_item, "__setitem__")(x, key, value)


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
    for module in FILES:
        methods |= {name: vars(module)[name] for name in module.__all__ if name not in _NO_METHODS}
    methods |= {
        "inverse": decompositions.inv,
        "cov": statistics.cov,
        "corrcoef": statistics.corrcoef,
        "sigmoid": special.sigmoid,
    }
    methods |= {f"{name}_": in_place(methods[name], f"{name}_") for name in (*IN_PLACE, *IN_PLACE_METHODS)}
    methods |= {f"{name}_": in_place(draw, f"{name}_") for name, draw in drawing.DRAWS.items()}
    methods |= conversions.METHODS
    methods |= {
        "astype": cast,
        "fill_": in_place(fill, "fill_"),
        "zero_": in_place(lambda x: fill(x, 0), "zero_"),
        "fill_diagonal_": in_place(writing.fill_diagonal, "fill_diagonal_"),
        "fill_diagonal_tensor": writing.fill_diagonal_tensor,
        "fill_diagonal_tensor_": in_place(writing.fill_diagonal_tensor, "fill_diagonal_tensor_"),
        "mT": property(arranging.matrix_transpose),
        "softmax": lambda x, axis=-1: call("softmax", x, axis=axis),
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


def where_(condition: Tensor, x: Tensor, y: Any = None, name: str | None = None) -> Tensor:
    """``where``, its result written into x, which is returned."""
    return in_place(lambda before: indexing.where(condition, before, y), "where_")(x)


globals().update({name: vars(Tensor)[name] for name in __all__ if name != "where_"})
setattr(Tensor, "where_", lambda x, y, condition: where_(condition, x, y))  # noqa: B010 - as the others
