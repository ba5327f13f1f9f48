"""What a row of a described network may say, and what shape it makes: one rule for each operation that a file may name.

The rows come from a file, so nothing in them is trusted: an attribute is checked before it is used, and a shape is computed
before anything of that size is made. A rule knows no file and no network. Read by ``architecture``.

Shapes here are whole ones. The number of images is ``BATCH``, which no other size can be; what doesn't depend on the images,
such as a weight, has no such axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lenet.autograd import core_rows
from lenet.messages.check import brief, message

__all__ = ["BATCH", "MAX_ACTIVATION", "MAX_NUMBER", "RULES", "Rule", "pair", "several", "whole", "wrong"]

Json = dict[str, Any]
Shape = tuple[int, ...]
Check = Callable[[str, Any], Any]

BATCH = (1 << 31) - 1  # a prime above every size that a row may have, so that it can be told from them
MAX_NUMBER = 4096  # the largest stride, kernel, padding or image side
MAX_ACTIVATION = 1 << 20  # floats a sample between two rows: 64 MiB for a group of sixteen


class Rule(NamedTuple):
    """One operation. operands: how many it takes, at least and at most. attrs: a check for each of its attributes.

    shape(what, attrs, shapes) -> the result's shape; ValueError where they don't fit. A shape of None is an operand left
    out. needed: so many operands can't be left out. frame(attrs, shape): how many numbers a sample it needs besides.
    """

    operands: tuple[int, int]
    attrs: dict[str, Check]
    shape: Callable[[str, Json, Sequence[Any]], Shape]
    needed: int = 1


# ---- what an attribute may be --------------------------------------------------------------------------------------------


def wrong(what: str, given: object, expected: str) -> ValueError:
    """The error for a row: what it says and what it may say."""
    return ValueError(message(what, brief(given, 80), expected))


def whole(low: int, high: int = MAX_NUMBER) -> Check:
    """A whole number from low to high."""

    def check(what: str, value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise wrong(what, value, f"a whole number from {low} to {high}")
        return value

    return check


def several(count: int, low: int) -> Check:
    """A list of so many whole numbers from low, as a tuple."""
    one = whole(low)

    def check(what: str, value: Any) -> Shape:
        if not isinstance(value, list) or len(value) != count:
            raise wrong(what, value, f"{count} whole numbers")
        return tuple(one(what, item) for item in value)

    return check


def _flag(what: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise wrong(what, value, "true or false")
    return value


def _optional(check: Check) -> Check:
    return lambda what, value: None if value is None else check(what, value)


def _sizes(what: str, value: Any) -> Shape:
    if not isinstance(value, list) or not 1 <= len(value) <= 6:
        raise wrong(what, value, "one to six sizes, the first -1 for the images")
    return tuple(
        size if size == -1 and k == 0 else whole(1, MAX_ACTIVATION)(what, size) for k, size in enumerate(value)
    )


def _number(what: str, value: Any) -> float:
    if type(value) not in (int, float) or not abs(value) < 1e30:
        raise wrong(what, value, "a finite number")
    return float(value)


def _share(what: str, value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise wrong(what, value, "a number from 0 to 1")
    return float(value)


def _one_of(*words: str) -> Check:
    def check(what: str, value: Any) -> str:
        if value not in words or not isinstance(value, str):
            raise wrong(what, value, " or ".join(map(repr, words)))
        return value

    return check


_axis = whole(-6, 5)


def _axes(what: str, value: Any) -> Any:
    """None, an axis or a list of them."""
    if value is None or type(value) is int:
        return None if value is None else _axis(what, value)
    if not isinstance(value, list) or not 1 <= len(value) <= 6:
        raise wrong(what, value, "one to six axes")
    return tuple(_axis(what, item) for item in value)


def _order(what: str, value: Any) -> Shape:
    if not isinstance(value, list) or len(value) > 6 or sorted(map(str, value)) != [str(k) for k in range(len(value))]:
        raise wrong(what, value, "each axis once")
    return tuple(int(item) for item in value)


def _pads(what: str, value: Any) -> tuple[Shape, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= 6:
        raise wrong(what, value, "a pair of numbers for each of one to six axes")
    return tuple(several(2, 0)(what, item) for item in value)


def _key(what: str, value: Any) -> tuple[Any, ...]:
    """An index: whole numbers, and slices as {"slice": [start, stop, step]}."""
    if not isinstance(value, list) or not 1 <= len(value) <= 6:
        raise wrong(what, value, "one to six indices")
    return tuple(_index(what, item) for item in value)


def _index(what: str, value: Any) -> Any:
    place = whole(-MAX_ACTIVATION, MAX_ACTIVATION)
    if not isinstance(value, dict):
        return place(what, value)
    parts = value.get("slice")
    if set(value) != {"slice"} or not isinstance(parts, list) or len(parts) != 3:
        raise wrong(what, value, 'a whole number or {"slice": [start, stop, step]}')
    start, stop, step = (_optional(place)(what, part) for part in parts)
    if step is not None and step < 1:
        raise wrong(what, step, "a step of at least 1")
    return slice(start, stop, step)


pair, _four = several(2, 1), several(4, 0)

# ---- the shapes they make ------------------------------------------------------------------------------------------------


def _size(what: str, shape: Sequence[int]) -> Shape:
    """The shape, if a sample of it isn't too large."""
    numbers = math.prod(shape) // (BATCH if BATCH in shape else 1)
    if numbers > MAX_ACTIVATION or len(shape) > 6:
        raise wrong(what, list(shape[1:] if BATCH in shape else shape), f"at most {MAX_ACTIVATION} numbers a sample")
    return tuple(shape)


def _same(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    return _size(what, shapes[0])


def _broadcast(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    try:
        return _size(what, np.broadcast_shapes(*shapes))
    except ValueError:
        raise wrong(what, [_plain(s) for s in shapes], "shapes that are equal, or 1, axis by axis") from None


def _plain(shape: Sequence[int]) -> list[Any]:
    return ["N" if size == BATCH else size for size in shape]


def _images(what: str, shape: Shape) -> Shape:
    if len(shape) != 4 or shape[0] != BATCH:
        raise wrong(what, _plain(shape), "[N, C, H, W]")
    return shape[1:]


def _framed(what: str, image: Shape, padding: Shape) -> None:
    top, bottom, left, right = padding
    if image[0] * (image[1] + top + bottom) * (image[2] + left + right) > MAX_ACTIVATION:
        given = f"{list(image)} padded to {image[1] + top + bottom} x {image[2] + left + right}"
        raise wrong(what, given, f"at most {MAX_ACTIVATION} numbers a sample")


def _conv2d(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    image, (kernel, bias) = _images(what, shapes[0]), shapes[1:]
    if kernel is None or len(kernel) != 4 or min(kernel) < 1 or max(kernel) > MAX_ACTIVATION:
        raise wrong(what, f"weights {kernel} on {list(image)}", "[K, C, kh, kw] on [C, H, W]")
    if bias not in (None, (kernel[0],)) or kernel[0] % attrs["groups"] or image[0] % attrs["groups"]:
        raise wrong(what, f"bias {bias}, {attrs['groups']} groups", f"a bias of {kernel[0]} and groups that divide")
    _framed(what, image, attrs["padding"])
    top, bottom, left, right = attrs["padding"]
    spans = [(side - 1) * step + 1 for side, step in zip(kernel[2:], attrs["dilation"], strict=True)]
    places = zip((image[1] + top + bottom, image[2] + left + right), spans, attrs["stride"], strict=True)
    _size(what, [BATCH, kernel[0], *(max(0, side - span) // step + 1 for side, span, step in places)])
    conv = core_rows._conv(image, kernel, attrs["stride"], attrs["padding"], attrs["dilation"], attrs["groups"])
    return BATCH, kernel[0], conv.OH, conv.OW


def _pool(name: str) -> Callable[[str, Json, Sequence[Any]], Shape]:
    def shape(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
        image = _images(what, shapes[0])
        _framed(what, image, attrs["padding"])
        exclusive, divisor = attrs.get("exclusive", True), attrs.get("divisor") or 0
        window = attrs["kernel"], attrs["stride"], attrs["padding"], attrs["ceil_mode"]
        pool = core_rows._pool(name, image, *window, exclusive, divisor)
        return BATCH, image[0], pool.OH, pool.OW

    return shape


def _linear(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    x, matrix, bias = shapes
    if matrix is None or len(matrix) != 2 or min(matrix) < 1 or x[1:] != matrix[:1] or bias not in (None, matrix[1:]):
        raise wrong(what, f"weights {matrix}, bias {bias} on {_plain(x[1:])}", "[I, O] and [O] on [I]")
    return _size(what, (x[0], matrix[1]))


def _matmul(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    a, b = shapes
    if len(a) < 1 or len(b) != 2 or a[-1] != b[0]:
        raise wrong(what, [_plain(s) for s in shapes], "[…, I] and [I, O]")
    return _size(what, (*a[:-1], b[1]))


def _flatten(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    x, rank = shapes[0], len(shapes[0])
    start, stop = (axis % rank if -rank <= axis < rank else -1 for axis in (attrs["start"], attrs["stop"]))
    if not (1 if BATCH in x else 0) <= start <= stop:
        raise wrong(what, f"flatten from {attrs['start']} to {attrs['stop']}", f"axes from 1 to {rank - 1}")
    return (*x[:start], math.prod(x[start : stop + 1]), *x[stop + 1 :])


def _reshape(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    x, new = shapes[0], attrs["shape"]
    found = (BATCH, *new[1:]) if new[0] == -1 else new
    if math.prod(found) != math.prod(x):
        raise wrong(what, f"reshape of {_plain(x)} to {_plain(found)}", "as many numbers as before")
    return found


def _softmax(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    _place(what, attrs["axis"], shapes[0])
    return _same(what, attrs, shapes)


def _place(what: str, axis: int, shape: Shape) -> int:
    """An axis as a number from 0; not that of the images, whose rows don't know of each other."""
    rank = len(shape)
    if not -rank <= axis < rank or shape[axis] == BATCH:
        raise wrong(what, f"axis {axis} of {_plain(shape)}", "another axis than the images'")
    return axis % rank


def _reduced(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    x, axis = shapes[0], attrs["axis"]
    given = tuple(range(len(x))) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    gone = {_place(what, one, x) for one in given}
    if attrs["keepdim"]:
        return tuple(1 if k in gone else size for k, size in enumerate(x))
    return tuple(size for k, size in enumerate(x) if k not in gone)


def _concat(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    first = shapes[0]
    at = _place(what, attrs["axis"], first)
    if any(len(s) != len(first) or s[:at] + s[at + 1 :] != first[:at] + first[at + 1 :] for s in shapes):
        raise wrong(what, [_plain(s) for s in shapes], f"shapes that differ in axis {at} alone")
    return _size(what, (*first[:at], sum(s[at] for s in shapes), *first[at + 1 :]))


def _transpose(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    x, order = shapes[0], attrs["perm"]
    if len(order) != len(x) or (BATCH in x and order[0] != 0):
        raise wrong(what, f"{list(order)} of {_plain(x)}", "each axis once, the images' first")
    return tuple(x[k] for k in order)


def _padded(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    x, pads = shapes[0], attrs["pads"]
    if len(pads) != len(x) or (BATCH in x and pads[0] != (0, 0)):
        raise wrong(what, f"{[list(p) for p in pads]} of {_plain(x)}", "a pair an axis, none for the images'")
    least = {"reflect": 1, "circular": 0, "replicate": 0, "constant": 0}[attrs["mode"]]
    if attrs["mode"] != "constant" and any(max(p) > s - least for p, s in zip(pads, x, strict=True)):
        raise wrong(what, f"{[list(p) for p in pads]} of {_plain(x)}", "less than the image has")
    return _size(what, [size + before + after for size, (before, after) in zip(x, pads, strict=True)])


def _getitem(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    x, key = shapes[0], attrs["key"]
    if len(key) > len(x) or (BATCH in x and key[0] != slice(None, None, None)):
        raise wrong(what, f"{len(key)} indices of {_plain(x)}", "one an axis at most, all of the images")
    found = [x[0]] if BATCH in x else []
    for size, one in list(zip(x, (*key, *[slice(None)] * (len(x) - len(key))), strict=True))[len(found) :]:
        if isinstance(one, int):
            if not -size <= one < size:
                raise wrong(what, f"index {one} of {_plain(x)}", f"an index below {size}")
        else:
            found.append(len(range(*one.indices(size))))
    if 0 in found:
        raise wrong(what, f"no number of {_plain(x)}", "at least one")
    return tuple(found)


def _batch_norm(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    x, *others = shapes
    if len(x) < 2 or x[0] != BATCH or any(s not in (None, x[1:2]) for s in others) or None in others[2:]:
        raise wrong(what, [s and _plain(s) for s in shapes], "[N, C, …] and four times [C]")
    return _size(what, x)


def _upsample2d(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    channels, height, width = _images(what, shapes[0])
    return _size(what, (BATCH, channels, height * attrs["factor"][0], width * attrs["factor"][1]))


def _normalised(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    x, *others = shapes
    if np.broadcast_shapes(*shapes) != x:
        raise wrong(what, [_plain(s) for s in others], f"shapes that fit {_plain(x)}")
    return _size(what, x)


# ---- the rules -----------------------------------------------------------------------------------------------------------

_POOL: dict[str, Check] = {"kernel": pair, "stride": pair, "padding": _four, "ceil_mode": _flag}
_CONV: dict[str, Check] = {"stride": pair, "padding": _four, "dilation": pair, "groups": whole(1)}
_OVER: dict[str, Check] = {"axis": _axes, "keepdim": _flag}

RULES: dict[str, Rule] = {
    "conv2d": Rule((3, 3), _CONV, _conv2d, 2),
    "linear": Rule((3, 3), {}, _linear, 2),
    "matmul": Rule((2, 2), {}, _matmul, 2),
    "max_pool2d": Rule((1, 1), _POOL, _pool("max_pool2d")),
    "avg_pool2d": Rule(
        (1, 1), _POOL | {"exclusive": _flag, "divisor": _optional(whole(1, MAX_NUMBER**2))}, _pool("avg_pool2d")
    ),
    "dropout": Rule((1, 1), {"p": _share, "mode": _one_of("upscale_in_train", "downscale_in_infer")}, _same),
    "softmax": Rule((1, 1), {"axis": _axis}, _softmax),
    "batch_norm": Rule((5, 5), {"momentum": _share, "epsilon": _number}, _batch_norm),
    "upsample2d": Rule((1, 1), {"factor": pair}, _upsample2d),
    "flatten": Rule((1, 1), {"start": _axis, "stop": _axis}, _flatten),
    "reshape": Rule((1, 1), {"shape": _sizes}, _reshape),
    "transpose": Rule((1, 1), {"perm": _order}, _transpose),
    "pad": Rule(
        (1, 1),
        {"pads": _pads, "mode": _one_of("constant", "reflect", "replicate", "circular"), "value": _number},
        _padded,
    ),
    "getitem": Rule((1, 1), {"key": _key}, _getitem),
    "concat": Rule((1, 64), {"axis": _axis}, _concat, 64),
    "clip": Rule((1, 1), {"low": _optional(_number), "high": _optional(_number)}, _same),
    "layer_norm": Rule((3, 3), {"over": whole(1, 5), "epsilon": _number}, _normalised, 3),
}
RULES |= {
    name: Rule((2, 2), {}, _broadcast, 2) for name in ("add", "subtract", "multiply", "divide", "maximum", "minimum")
}
RULES |= {name: Rule((1, 1), _OVER, _reduced) for name in ("sum", "mean", "max", "min")}
RULES |= {
    name: Rule((1, 1), dict.fromkeys(settings.split(), _number), _same)
    for name, settings in {
        "relu": "", "sigmoid": "", "tanh": "", "relu6": "", "silu": "", "mish": "", "hardswish": "", "softsign": "",
        "tanhshrink": "", "log_sigmoid": "", "exp": "", "log": "", "sqrt": "", "rsqrt": "", "square": "", "abs": "",
        "neg": "", "reciprocal": "", "sin": "", "cos": "", "erf": "", "elu": "alpha", "celu": "alpha",
        "selu": "scale alpha", "leaky_relu": "slope", "hardsigmoid": "slope offset", "hardtanh": "low high",
        "hardshrink": "threshold", "softshrink": "threshold", "softplus": "beta threshold",
    }.items()
}  # fmt: skip
RULES["gelu"] = Rule((1, 1), {"approximate": _flag}, _same)
