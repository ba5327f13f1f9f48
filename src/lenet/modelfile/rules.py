"""What each row of the table may say in a description, and the shape that it makes: one rule an operation.

The calls come from a file, so nothing in them is trusted: an attribute is checked before it is used (``checks``), and a shape
is computed before anything of that size is made (``shapes``). A rule knows no file and no network. Read by ``calls``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from lenet.modelfile import checks
from lenet.modelfile import shapes as shapes_of
from lenet.modelfile.checks import Check

__all__ = ["RULES", "Rule"]

Json = dict[str, Any]


class Rule(NamedTuple):
    """One operation. operands: how many it takes, at least and at most. attrs: a check for each of its attributes.

    shape(what, attrs, shapes) -> the result's shape; ValueError where they don't fit. A shape of None is an operand left
    out. needed: so many operands can't be left out. work(attrs, shapes): how many multiplications (of pooling, numbers
    looked at) one number of the result takes.
    """

    operands: tuple[int, int]
    attrs: dict[str, Check]
    shape: shapes_of.ShapeRule
    needed: int = 1
    work: Callable[[Json, Sequence[Any]], int] = lambda attrs, shapes: 1


# ---- the rules -----------------------------------------------------------------------------------------------------------


def _over_weights(attrs: Json, shapes: Sequence[Any]) -> int:
    return math.prod(shapes[1][1:])


def _inner(attrs: Json, shapes: Sequence[Any]) -> int:
    return int(shapes[0][-1])


def _window(attrs: Json, shapes: Sequence[Any]) -> int:
    return math.prod(attrs["kernel"])


def _summed(attrs: Json, shapes: Sequence[Any]) -> int:
    found = shapes_of.letters("einsum", attrs, shapes)
    return math.prod(size for letter, size in found.items() if letter not in attrs["result"])


_four, _array, _number, _flag = checks.several(4, 0), checks.array, checks.number, checks.flag
_POOL: dict[str, Check] = {"kernel": checks.pair, "stride": checks.pair, "padding": _four, "ceil_mode": _flag}
_CONV: dict[str, Check] = {"stride": checks.pair, "padding": _four, "dilation": checks.pair, "groups": checks.whole(1)}
_OVER: dict[str, Check] = {"axis": checks.axes, "keepdim": _flag}
_MODES = ("constant", "reflect", "replicate", "circular")
_DIVISOR = checks.optional(checks.whole(1, checks.MAX_NUMBER**2))

RULES: dict[str, Rule] = {
    "conv2d": Rule((3, 3), _CONV, shapes_of.conv2d, 2, _over_weights),
    "conv2d_transpose": Rule(
        (3, 3), _CONV | {"output_padding": checks.several(2, 0)}, shapes_of.conv2d_transpose, 2, _over_weights
    ),
    "linear": Rule((3, 3), {}, shapes_of.linear, 2, _inner),
    "matmul": Rule((2, 2), {}, shapes_of.matmul, 2, _inner),
    "solve": Rule((2, 2), {}, shapes_of.solve, 2, _inner),
    "max_pool2d": Rule((1, 1), _POOL, shapes_of.pool("max_pool2d"), 1, _window),
    "avg_pool2d": Rule(
        (1, 1), _POOL | {"exclusive": _flag, "divisor": _DIVISOR}, shapes_of.pool("avg_pool2d"), 1, _window
    ),
    "dropout": Rule(
        (1, 1), {"p": checks.share, "mode": checks.one_of("upscale_in_train", "downscale_in_infer")}, shapes_of.same
    ),
    "softmax": Rule((1, 1), {"axis": checks.axis}, shapes_of.along),
    "batch_norm": Rule((5, 5), {"momentum": checks.share, "epsilon": _number}, shapes_of.batch_norm),
    "upsample2d": Rule((1, 1), {"factor": checks.pair}, shapes_of.upsample2d),
    "flatten": Rule((1, 1), {"start": checks.axis, "stop": checks.axis}, shapes_of.flatten),
    "reshape": Rule((1, 1), {"shape": checks.sizes}, shapes_of.reshape),
    "transpose": Rule((1, 1), {"perm": checks.order}, shapes_of.transpose),
    "pad": Rule((1, 1), {"pads": checks.pads, "mode": checks.one_of(*_MODES), "value": _number}, shapes_of.padded),
    "getitem": Rule((1, 1), {"key": checks.key}, shapes_of.getitem),
    "setitem": Rule((2, 2), {"key": checks.key}, shapes_of.with_item, 2),
    "take_along_axis": Rule((1, 1), {"index": checks.indices, "axis": checks.axis}, shapes_of.taken),
    "picked": Rule((1, 1), {"places": checks.indices}, shapes_of.picked),
    "written": Rule(
        (2, 2),
        {
            "places": checks.indices,
            "how": checks.one_of("assign", "add", "mul", "mean", "amax", "amin"),
            "include": _flag,
        },
        shapes_of.written,
        2,
    ),
    "embedding": Rule(
        (1, 1), {"index": checks.indices, "padding": checks.optional(checks.signed)}, shapes_of.embedding
    ),
    "where": Rule((2, 2), {"mask": checks.mask}, shapes_of.broadcast, 2),
    "concat": Rule((1, 64), {"axis": checks.axis}, shapes_of.concat, 64),
    "stack": Rule((1, 64), {"axis": checks.axis}, shapes_of.stack, 64),
    "expand": Rule((1, 1), {"shape": checks.sizes}, shapes_of.expand),
    "tile": Rule((1, 1), {"times": checks.numbers_of(checks.whole(1))}, shapes_of.tile),
    "roll": Rule((1, 1), {"shifts": checks.numbers_of(checks.signed), "axis": checks.axes}, shapes_of.along),
    "diag": Rule((1, 1), {"k": checks.signed, "fill": _number}, shapes_of.diag),
    "clip": Rule((1, 1), {"low": checks.optional(_number), "high": checks.optional(_number)}, shapes_of.same),
    "layer_norm": Rule((3, 3), {"over": checks.whole(1, 5), "epsilon": _number}, shapes_of.like_first, 3),
    "normalised": Rule(
        (3, 3),
        {"axes": checks.axes, "mean": checks.optional(_array), "var": checks.optional(_array), "epsilon": _number},
        shapes_of.normalised,
        3,
    ),
    "einsum": Rule(
        (1, 64), {"parts": checks.numbers_of(checks.letters), "result": checks.letters}, shapes_of.einsum, 64, _summed
    ),
    "inv": Rule((1, 1), {}, lambda what, attrs, shapes: shapes_of.square(what, shapes[0]), 1, _inner),
    "cholesky": Rule(
        (1, 1), {"upper": _flag}, lambda what, attrs, shapes: shapes_of.square(what, shapes[0]), 1, _inner
    ),
    "det": Rule((1, 1), {}, lambda what, attrs, shapes: shapes_of.square(what, shapes[0])[:-2], 1, _inner),
    "slogdet": Rule((1, 1), {}, lambda what, attrs, shapes: (2, *shapes_of.square(what, shapes[0])[:-2]), 1, _inner),
    "eigvalsh": Rule(
        (1, 1),
        {"side": checks.one_of("L", "U")},
        lambda what, attrs, shapes: shapes_of.square(what, shapes[0])[:-1],
        1,
        _inner,
    ),
    "singular_values": Rule(
        (1, 1),
        {},
        lambda what, attrs, shapes: (*shapes_of.triangle(what, attrs, shapes)[:-2], min(shapes[0][-2:])),
        1,
        _inner,
    ),
    "var": Rule((1, 1), _OVER | {"less": _number}, shapes_of.reduced),
    "norm": Rule((1, 1), _OVER | {"p": _number}, shapes_of.reduced),
    "gelu": Rule((1, 1), {"approximate": _flag}, shapes_of.same),
    "cast": Rule((1, 1), {"dtype": checks.dtype}, shapes_of.same),
    "polygamma": Rule((1, 1), {"n": checks.whole(0)}, shapes_of.same),
    "round": Rule((1, 1), {"decimals": checks.whole(-300, 300)}, shapes_of.same),
    "nan_to_num": Rule(
        (1, 1), {"nan": _number, "high": checks.optional(_number), "low": checks.optional(_number)}, shapes_of.same
    ),
    "cross_entropy": Rule(
        (2, 2),
        {
            "weight": checks.nothing,
            "soft_label": _flag,
            "ignore_index": checks.signed,
            "axis": checks.axis,
            "use_softmax": _flag,
            "label_smoothing": checks.share,
            "reduction": checks.one_of("none", "mean", "sum"),
        },
        shapes_of.cross_entropy,
        2,
    ),
}
RULES |= {
    name: Rule((count, count), {}, shapes_of.broadcast, count)
    for count, names in {
        2: "add subtract multiply divide maximum minimum pow mod atan2 fmax fmin heaviside hypot copysign logaddexp "
        "gammaincc binary_cross_entropy",
        3: "lerp",
    }.items()
    for name in names.split()
}
RULES |= {name: Rule((1, 1), _OVER, shapes_of.reduced) for name in ("sum", "mean", "max", "min", "prod", "logsumexp")}
RULES |= {
    name: Rule((1, 1), {"axis": checks.axes}, shapes_of.along) for name in ("flip", "cumsum", "cumprod", "logcumsumexp")
}
RULES |= {name: Rule((1, 1), {"k": checks.signed}, shapes_of.triangle) for name in ("tril", "triu")}
_PLAIN = """relu sigmoid tanh relu6 silu mish hardswish softsign tanhshrink log_sigmoid exp expm1 log log2 log10 log1p sqrt
    rsqrt square abs neg reciprocal sin cos tan asin acos atan sinh cosh asinh acosh atanh erf erfinv sign ceil floor trunc
    digamma lgamma i0 i0e i1 i1e deg2rad rad2deg sinc frac"""
_WITH_NUMBERS = {
    "elu": "alpha", "celu": "alpha", "selu": "scale alpha", "leaky_relu": "slope", "hardsigmoid": "slope offset",
    "hardtanh": "low high", "hardshrink": "threshold", "softshrink": "threshold", "softplus": "beta threshold",
    "thresholded_relu": "threshold value", "stanh": "a b", "logit": "eps", "fill": "value",
}  # fmt: skip
RULES |= {
    name: Rule((1, 1), dict.fromkeys(settings.split(), _number), shapes_of.same)
    for name, settings in (dict.fromkeys(_PLAIN.split(), "") | _WITH_NUMBERS).items()
}
