"""The table: what an operation is. Its name, its shape rule, its forward and backward kernel, and how a plan sees it.

All else reads this table: the eager call and the tape (``tape``), the compiled plan, exporters, ``summary``. The rows stand
in ``core_rows`` (the native engine, on lanes), ``loss_row`` and ``array_rows`` (numpy, eager only). A new operation is one
row, one kernel in core/, one plain loop in core/reference.cpp and one tolerance in the tests.

Where no gradient is wanted and the samples are few, a core row takes and returns them in another *form* (``tensor``): the
same shape rule, the same call into the core, and a kernel whose lanes aren't samples. The results agree within rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lenet import _core
from lenet.autograd.tensor import Parameter, Tensor, _is_foreign_tensor, dense, in_few, in_lanes
from lenet.messages.check import describe, message

if TYPE_CHECKING:
    from lenet.autograd.tape import Node

__all__ = [
    "FEW",
    "LANES",
    "TABLE",
    "Row",
    "check_axis",
    "check_float",
    "check_same_type",
    "check_sizes",
    "classes_back",
    "classes_last",
    "same_numbers",
]

Inputs = tuple[Any, ...]
Attrs = dict[str, Any]
Grads = tuple["Tensor | None", ...]
Form = tuple[Callable[[Tensor], Any], Callable[..., Tensor]]  # a tensor's core Buffer, and a tensor around one

LANES: Form = (Tensor.lanes, in_lanes)
FEW: Form = (Tensor._in_few, in_few)
MOST_FEW = _core.FEW


class Row(NamedTuple):
    """One operation. forward(inputs, attrs) -> (output, what backward needs); backward(node, dy) -> a gradient an input.

    plan(node, index) -> the row a plan runs (a tuple for ``_core.Plan``, but for the values it takes), () for nothing to
    do, where index numbers a parameter; plan None means "eager only". takes: how many of the inputs, from the first on, are
    values and no parameters; 0 for all. kind: "core" or "array". few: forward has a third argument, the form that core
    numbers come and go in; lanes unless told otherwise.
    """

    name: str
    kind: str
    forward: Callable[..., tuple[Tensor, Any]]
    backward: Callable[[Node, Tensor], Grads]
    plan: Callable[[Node, Callable[[Any], int]], tuple[Any, ...]] | None = None
    few: bool = False
    takes: int = 1


TABLE: dict[str, Row] = {}


# ---- what several rows share ---------------------------------------------------------------------------------------


def check_float(what: str, x: Any) -> None:
    """TypeError unless x is a Tensor of float32 or float64."""
    if not isinstance(x, Tensor):
        kind = "a tensor of another library" if _is_foreign_tensor(x) else describe(x)
        raise TypeError(message(what, kind, "a lenet Tensor", "Type lenet.to_tensor(x)"))
    if x._dtype.kind != "f":
        fix = "Convert it: x.astype('float32'), or normalise the images with vision.transforms.Normalize or ToTensor"
        raise TypeError(message(what, f"a tensor of {x._dtype} {list(x._shape)}", "float32", fix))


def check_same_type(what: str, x: Tensor, w: Tensor) -> None:
    """ValueError unless a tensor and the weights it meets have one dtype."""
    if x._dtype != w._dtype:
        fix = f"Convert it: x.astype('{w._dtype}')"
        raise ValueError(message(what, f"a tensor of {x._dtype} {list(x._shape)}", f"{w._dtype} like the weights", fix))


def check_sizes(what: str, *sizes: int) -> None:
    """ValueError for a number that the core doesn't count with. It checks their products by itself."""
    if max(sizes) > _core.MOST_NUMBERS:
        raise ValueError(
            message(what, f"a size of {max(sizes)}", f"at most {_core.MOST_NUMBERS}", "Use a smaller padding or step")
        )


def same_numbers(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The same numbers in another shape, in whatever form they are; a parameter's are copied."""
    if x._lanes is not None and shape and shape[0] == x._shape[0]:
        return in_lanes(x._lanes, shape, x._dtype)
    if x._few is not None and shape and shape[0] == x._shape[0]:
        return in_few(x._few, shape, x._dtype)
    data = x.data_array().reshape(shape)
    return dense(data.copy() if isinstance(x, Parameter) else data)


def classes_last(x: Tensor, axis: int) -> Tensor:
    """x as [M, C], C being ``axis``: itself where it has that form already."""
    if len(x._shape) == 2 and axis == 1:
        return x
    return dense(np.ascontiguousarray(np.moveaxis(x.data_array(), axis, -1)).reshape(-1, x._shape[axis]))


def classes_back(y: Tensor, shape: tuple[int, ...], axis: int) -> Tensor:
    """The inverse of ``classes_last`` for a tensor of ``shape``."""
    if len(shape) == 2 and axis == 1:
        return y
    moved = shape[:axis] + shape[axis + 1 :] + (shape[axis],)
    return dense(np.ascontiguousarray(np.moveaxis(y.data_array().reshape(moved), -1, axis)))


def check_axis(what: str, axis: Any, shape: Sequence[int]) -> int:
    """``axis`` as a number from 0 to rank - 1; ValueError otherwise."""
    rank = len(shape)
    if isinstance(axis, (Tensor, np.ndarray)) and axis.size == 1:
        axis = (axis.data_array() if isinstance(axis, Tensor) else axis).reshape(())[()]
    if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)) or not -rank <= axis < max(rank, 1):
        raise ValueError(
            message(
                what,
                f"axis {axis if isinstance(axis, (int, np.integer)) else describe(axis)} of a tensor with {rank} dimensions",
                f"a whole number from {-rank} to {rank - 1}",
            )
        )
    return int(axis) % rank if rank else 0
