"""How a parameter comes into being: ``ParamAttr``, ``create_parameter``, names, and the memory it lives in.

Each parameter's value is an aligned block of its own that never moves: plans hold pointers to it. Values are drawn in
creation order, which is what makes the same seed give the same network. Layers call ``make_parameter``, users
``create_parameter``.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from lenet.autograd.dtype import dtype_of, get_default_dtype
from lenet.autograd.tensor import Parameter, aligned
from lenet.messages import check
from lenet.nn.initializer import Constant, Initializer, XavierUniform, global_initializer
from lenet.regularizer import WeightDecayRegularizer

__all__ = ["ParamAttr", "aligned", "create_parameter", "make_parameter", "param_dtype", "switch_names", "unique_name"]

_counters: dict[str, itertools.count[int]] = {}
_taken: set[str] = set()
_prefix = ""


def unique_name(key: str) -> str:
    """``key_0``, ``key_1`` … : one process-wide counter a key, as Paddle names layers and parameters."""
    return f"{_prefix}{key}_{next(_counters.setdefault(key, itertools.count()))}"


def switch_names(state: dict[str, Any] | None = None) -> dict[str, Any]:
    """Count and forget names anew, or go on with an earlier state; the state until now comes back."""
    global _counters, _taken, _prefix
    before = {"counters": _counters, "taken": _taken, "prefix": _prefix}
    known = state or {}
    _counters, _taken = known.get("counters", {}), known.get("taken", set())
    _prefix = known.get("prefix", "")
    return before


class ParamAttr:
    """What to do with one parameter of a layer (``weight_attr=ParamAttr(…)``).

    name: its name instead of one like ``conv2d_0.w_0``. initializer: its first values. learning_rate: a factor on the
    optimizer's. regularizer: takes the place of the optimizer's weight decay. trainable: False freezes it.
    need_clip: False leaves it out of gradient clipping. ``do_model_average`` is stored and changes nothing.
    """

    def __init__(
        self,
        name: str | None = None,
        initializer: Initializer | None = None,
        learning_rate: float = 1.0,
        regularizer: WeightDecayRegularizer | None = None,
        trainable: bool = True,
        do_model_average: bool = True,
        need_clip: bool = True,
    ) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(check.message("ParamAttr(name)", check.describe(name), "a str or None"))
        if initializer is not None and not isinstance(initializer, Initializer):
            fix = "Type for example initializer=nn.initializer.Normal(0.0, 0.02)"
            raise TypeError(
                check.message("ParamAttr(initializer)", check.describe(initializer), "an Initializer or None", fix)
            )
        if regularizer is not None and not isinstance(regularizer, WeightDecayRegularizer):
            fix = "Type for example regularizer=lenet.regularizer.L2Decay(1e-4)"
            raise TypeError(
                check.message("ParamAttr(regularizer)", check.describe(regularizer), "L1Decay, L2Decay or None", fix)
            )
        if isinstance(learning_rate, bool) or not isinstance(learning_rate, (int, float, np.floating)):
            raise TypeError(
                check.message("ParamAttr(learning_rate)", check.describe(learning_rate), "a number such as 0.1")
            )
        self.name = name
        self.initializer = initializer
        self.learning_rate = float(learning_rate)
        self.regularizer = regularizer
        self.trainable = bool(trainable)
        self.do_model_average = bool(do_model_average)
        self.need_clip = bool(need_clip)

    @staticmethod
    def of(attr: Any) -> ParamAttr | None:
        """The ``ParamAttr`` meant by a layer's ``weight_attr``/``bias_attr``; None for False ("no such parameter").

        None or True: all defaults. A str is a name, an Initializer the first values, a regularizer the penalty. Anything
        else: TypeError.
        """
        if attr is None or attr is True:
            return ParamAttr()
        if attr is False:
            return None
        if isinstance(attr, ParamAttr):
            return attr
        if isinstance(attr, str):
            return ParamAttr(name=attr)
        if isinstance(attr, Initializer):
            return ParamAttr(initializer=attr)
        if isinstance(attr, WeightDecayRegularizer):
            return ParamAttr(regularizer=attr)
        expected = "None, False, a name, an Initializer, a regularizer or a ParamAttr"
        raise TypeError(check.message("weight_attr or bias_attr", check.describe(attr), expected))


def make_parameter(
    shape: Sequence[int],
    attr: Any = None,
    *,
    is_bias: bool = False,
    default_initializer: Initializer | None = None,
    owner: str = "create_parameter",
    dtype: Any = None,
) -> Parameter | None:
    """A new parameter of ``shape``, or None where ``attr`` is False; ``owner`` begins its name.

    dtype: float32 or float64; None: the default float type.

    Its values come from the first of these that is set: ``attr``'s initializer, ``set_global_initializer``'s,
    ``default_initializer``, and at last Constant(0) for a bias and XavierUniform for a weight.
    """
    wanted = ParamAttr.of(attr)
    if wanted is None:
        return None
    dims = [check.positive_int(f"{owner}: dimension {i} of the shape", n, least=0) for i, n in enumerate(shape)]
    name = wanted.name if wanted.name is not None else unique_name(f"{owner}.{'b' if is_bias else 'w'}")
    if name in _taken:
        raise ValueError(
            check.message("parameter name", repr(name), "a name no other parameter has", "Leave the name out")
        )
    fill = wanted.initializer or global_initializer(is_bias) or default_initializer
    parameter = Parameter(aligned(dims, param_dtype(owner, dtype)), name=name, trainable=wanted.trainable)
    parameter.optimize_attr = {"learning_rate": wanted.learning_rate}
    parameter.regularizer = wanted.regularizer
    parameter.need_clip = wanted.need_clip
    (fill or (Constant(0.0) if is_bias else XavierUniform()))(parameter)
    _taken.add(name)
    return parameter


def create_parameter(
    shape: Sequence[int],
    dtype: Any = "float32",
    name: str | None = None,
    attr: Any = None,
    is_bias: bool = False,
    default_initializer: Initializer | None = None,
) -> Parameter | None:
    """A parameter outside any layer (Paddle: ``paddle.create_parameter``): float32 or float64; None for ``attr=False``."""
    if name is not None:
        wanted = ParamAttr.of(attr)
        if wanted is None:
            return None
        attr = ParamAttr(
            name,
            wanted.initializer,
            wanted.learning_rate,
            wanted.regularizer,
            wanted.trainable,
            need_clip=wanted.need_clip,
        )
    return make_parameter(shape, attr, is_bias=is_bias, default_initializer=default_initializer, dtype=dtype)


def param_dtype(what: str, dtype: Any) -> np.dtype[Any]:
    """float32 or float64, from a str, ``lenet.float32``, a numpy dtype, or None for the default type; ValueError otherwise."""
    try:
        known = dtype_of(get_default_dtype() if dtype is None else dtype)
    except TypeError:
        known = None
    if known not in ("float32", "float64"):
        given = check.describe(dtype) if known is None else repr(known.name)
        raise ValueError(check.message(what, given, "'float32' or 'float64'"))
    return known.numpy
