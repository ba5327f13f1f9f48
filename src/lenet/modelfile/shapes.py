"""The shape that each call of a description makes: a function for each kind of operation, told its attributes and shapes.

A shape is computed before anything of that size is made; ValueError where shapes and attributes don't fit. Nothing here knows a
file or a network. Read by ``rules``.

Shapes are whole ones. Where any number of images must do, their number is ``BATCH``, which no other size can be, and a
function refuses what mixes them; what doesn't depend on the images, such as a weight, has no such axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lenet.autograd import core_rows
from lenet.modelfile.checks import BATCH, wrong

__all__ = [
    "ShapeRule", "along", "batch_norm", "broadcast", "concat", "conv2d", "conv2d_transpose", "cross_entropy", "diag",
    "einsum", "embedding", "expand", "flatten", "getitem", "letters", "like_first", "linear", "matmul", "normalised",
    "padded", "picked", "plain", "pool", "reduced", "reshape", "same", "solve", "square", "stack", "taken", "tile",
    "transpose", "triangle", "upsample2d", "with_item", "written",
]  # fmt: skip

Json = dict[str, Any]
Shape = tuple[int, ...]
ShapeRule = Callable[[str, Json, Sequence[Any]], Shape]


def plain(shape: Sequence[int]) -> list[Any]:
    """A shape to be shown."""
    return ["N" if size == BATCH else size for size in shape]


# ---- elementwise and reductions ------------------------------------------------------------------------------------------


def same(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """As the first operand."""
    return tuple(shapes[0])


def broadcast(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """All operands, and arrays among the attributes, broadcast."""
    arrays = [value.shape for value in attrs.values() if isinstance(value, np.ndarray)]
    try:
        return np.broadcast_shapes(*shapes, *arrays)
    except ValueError:
        raise wrong(what, [plain(s) for s in (*shapes, *arrays)], "shapes that are equal, or 1, axis by axis") from None


def like_first(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """As the first operand, which the others fit."""
    x, *others = shapes
    if broadcast(what, attrs, shapes) != x:
        raise wrong(what, [plain(s) for s in others], f"shapes that fit {plain(x)}")
    return tuple(x)


def _place(what: str, axis: int, shape: Shape) -> int:
    """An axis as a number from 0; not that of the images, which don't know of each other."""
    rank = len(shape)
    if not -rank <= axis < rank or shape[axis] == BATCH:
        raise wrong(what, f"axis {axis} of {plain(shape)}", "another axis than the images'")
    return axis % rank


def _places(what: str, axis: Any, shape: Shape) -> set[int]:
    given = tuple(range(len(shape))) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return {_place(what, one, shape) for one in given}


def along(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """As the operand; the axes in ``axis`` are no images."""
    _places(what, attrs["axis"], shapes[0])
    return tuple(shapes[0])


def reduced(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """The operand without the axes in ``axis``, or with 1 in their places."""
    x = shapes[0]
    gone = _places(what, attrs["axis"], x)
    if attrs["keepdim"]:
        return tuple(1 if k in gone else size for k, size in enumerate(x))
    return tuple(size for k, size in enumerate(x) if k not in gone)


def normalised(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """As x, which w, b and statistics fit."""
    if attrs["axes"] is None:
        return like_first(what, attrs, shapes)
    _places(what, attrs["axes"], shapes[0])
    return like_first(what, {}, shapes)


# ---- images --------------------------------------------------------------------------------------------------------------


def _images(what: str, shape: Shape) -> Shape:
    if len(shape) != 4 or BATCH in shape[1:]:
        raise wrong(what, plain(shape), "[N, C, H, W]")
    return shape[1:]


def conv2d(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """x [N, C, H, W], w [K, C/groups, kh, kw], b [K] or None -> [N, K, OH, OW]."""
    image, (kernel, bias) = _images(what, shapes[0]), shapes[1:]
    if kernel is None or len(kernel) != 4 or min(kernel) < 1 or BATCH in kernel:
        raise wrong(what, f"weights {kernel} on {list(image)}", "[K, C, kh, kw] on [C, H, W]")
    if bias not in (None, (kernel[0],)) or kernel[0] % attrs["groups"] or image[0] % attrs["groups"]:
        raise wrong(what, f"bias {bias}, {attrs['groups']} groups", f"a bias of {kernel[0]} and groups that divide")
    conv = core_rows._conv(image, kernel, attrs["stride"], attrs["padding"], attrs["dilation"], attrs["groups"])
    return shapes[0][0], kernel[0], conv.OH, conv.OW


def conv2d_transpose(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """x [N, C, H, W], w [C, K/groups, kh, kw], b [K] or None -> [N, K, OH, OW]."""
    (channels, *sides), (kernel, bias) = _images(what, shapes[0]), shapes[1:]
    if kernel is None or len(kernel) != 4 or kernel[0] != channels or min(kernel) < 1 or channels % attrs["groups"]:
        raise wrong(what, f"weights {kernel} on {[channels, *sides]}", "[C, K, kh, kw] on [C, H, W]")
    made = kernel[1] * attrs["groups"]
    if bias not in (None, (made,)):
        raise wrong(what, f"bias {bias}", f"a bias of {made}")
    top, bottom, left, right = attrs["padding"]
    each = zip(sides, attrs["stride"], (top + bottom, left + right), attrs["dilation"], kernel[2:], attrs["output_padding"],
               strict=True)  # fmt: skip
    sides = [(side - 1) * step - cut + gap * (span - 1) + 1 + more for side, step, cut, gap, span, more in each]
    return shapes[0][0], made, *sides


def pool(name: str) -> ShapeRule:
    """x [N, C, H, W] -> [N, C, OH, OW]."""

    def shape(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
        image = _images(what, shapes[0])
        exclusive, divisor = attrs.get("exclusive", True), attrs.get("divisor") or 0
        window = attrs["kernel"], attrs["stride"], attrs["padding"], attrs["ceil_mode"]
        pool = core_rows._pool(name, image, *window, exclusive, divisor)
        return shapes[0][0], image[0], pool.OH, pool.OW

    return shape


def upsample2d(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """x [N, C, H, W] -> [N, C, H · fh, W · fw]."""
    channels, height, width = _images(what, shapes[0])
    return shapes[0][0], channels, height * attrs["factor"][0], width * attrs["factor"][1]


def batch_norm(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """As x [N, C, …], with four times [C] or None."""
    x, *others = shapes
    if len(x) < 2 or BATCH in x[1:] or any(s not in (None, x[1:2]) for s in others) or None in others[2:]:
        raise wrong(what, [s and plain(s) for s in shapes], "[N, C, …] and four times [C]")
    return tuple(x)


# ---- matrices ------------------------------------------------------------------------------------------------------------


def linear(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """x [..., I], w [I, O], b [O] or None -> [..., O]."""
    x, matrix, bias = shapes
    fits = matrix is not None and len(matrix) == 2 and min(matrix) > 0 and BATCH not in matrix
    if not fits or len(x) < 2 or x[-1:] != matrix[:1] or bias not in (None, matrix[1:]):
        raise wrong(what, f"weights {matrix}, bias {bias} on {plain(x[1:])}", "[I, O] and [O] on [I]")
    return *x[:-1], matrix[1]


def matmul(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """As numpy has it, vectors and stacks of matrices."""
    a, b = shapes
    left, right = (1, *a) if len(a) == 1 else a, (*b, 1) if len(b) == 1 else b
    if not a or not b or left[-1] != right[-2] or BATCH in (left[-1], right[-1]):
        raise wrong(what, [plain(s) for s in shapes], "[…, I] and [I, O]")
    lead = broadcast(what, {}, (left[:-2], right[:-2]))
    return *lead, *(left[-2:-1] if len(a) > 1 else ()), *(right[-1:] if len(b) > 1 else ())


def square(what: str, x: Shape) -> Shape:
    """x, if it is square matrices [..., N, N]."""
    if len(x) < 2 or x[-1] != x[-2] or BATCH in x[-2:]:
        raise wrong(what, plain(x), "square matrices [..., N, N]")
    return x


def solve(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """a [..., N, N], b [..., N, K] or [N]."""
    a, b = square(what, shapes[0]), shapes[1]
    if b[-min(len(b), 2)] != a[-1]:
        raise wrong(what, [plain(s) for s in shapes], "[..., N, N] and [..., N, K]")
    return (*a[:-2], *b) if len(b) == 1 else (*broadcast(what, {}, (a[:-2], b[:-2])), *b[-2:])


def triangle(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """x, if it is matrices [..., N, M]."""
    if len(shapes[0]) < 2 or BATCH in shapes[0][-2:]:
        raise wrong(what, plain(shapes[0]), "matrices [..., N, M]")
    return tuple(shapes[0])


def diag(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """A vector as a matrix, or a matrix's diagonal."""
    x, k = shapes[0], attrs["k"]
    if len(x) not in (1, 2) or BATCH in x:
        raise wrong(what, plain(x), "a vector or a matrix")
    if len(x) == 1:
        return (x[0] + abs(k),) * 2
    return (max(0, min(x[0] + min(k, 0), x[1] - max(k, 0))),)


def letters(what: str, attrs: Json, shapes: Sequence[Any]) -> dict[str, int]:
    """How long the axis of each letter of an einsum is."""
    parts = attrs["parts"]
    found: dict[str, int] = {}
    if [len(p) for p in parts] != [len(s) for s in shapes]:
        raise wrong(what, [parts, *[plain(s) for s in shapes]], "a letter an axis")
    for part, shape in zip(parts, shapes, strict=True):
        for letter, size in zip(part, shape, strict=True):
            if found.setdefault(letter, size) == 1:
                found[letter] = size
            elif size not in (1, found[letter]):
                raise wrong(what, [parts, *[plain(s) for s in shapes]], "lengths that agree letter by letter")
    return found


def einsum(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """The letters of the result."""
    found, result = letters(what, attrs, shapes), attrs["result"]
    if not set(result) <= set(found) or len(set(result)) != len(result):
        raise wrong(what, result, "letters of the operands, each once")
    return tuple(found[c] for c in result)


# ---- shapes and places ---------------------------------------------------------------------------------------------------


def flatten(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """The axes from start to stop as one."""
    x, rank = shapes[0], len(shapes[0])
    start, stop = (axis % rank if -rank <= axis < rank else -1 for axis in (attrs["start"], attrs["stop"]))
    if not (1 if BATCH in x else 0) <= start <= stop:
        raise wrong(what, f"flatten from {attrs['start']} to {attrs['stop']}", f"axes from 1 to {rank - 1}")
    return (*x[:start], math.prod(x[start : stop + 1]), *x[stop + 1 :])


def reshape(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """The shape told, with -1 filled in."""
    x, new = shapes[0], attrs["shape"]
    numbers, known = math.prod(x), math.prod(size for size in new if size != -1)
    found = tuple(numbers // max(known, 1) if size == -1 else size for size in new)
    if math.prod(found) != numbers:
        raise wrong(what, f"reshape of {plain(x)} to {plain(found)}", "as many numbers as before")
    return found


def transpose(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """The axes in the order ``perm``."""
    x, order = shapes[0], attrs["perm"]
    if len(order) != len(x) or (BATCH in x and order[0] != 0):
        raise wrong(what, f"{list(order)} of {plain(x)}", "each axis once, the images' first")
    return tuple(x[k] for k in order)


def concat(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """Joined along an axis that exists."""
    first = shapes[0]
    at = _place(what, attrs["axis"], first)
    if any(len(s) != len(first) or s[:at] + s[at + 1 :] != first[:at] + first[at + 1 :] for s in shapes):
        raise wrong(what, [plain(s) for s in shapes], f"shapes that differ in axis {at} alone")
    return (*first[:at], sum(s[at] for s in shapes), *first[at + 1 :])


def stack(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """Joined along a new axis."""
    first, at = shapes[0], attrs["axis"]
    if any(s != first for s in shapes) or not -len(first) - 1 <= at <= len(first):
        raise wrong(what, [plain(s) for s in shapes], "equal shapes, and an axis of theirs")
    at %= len(first) + 1
    return (*first[:at], len(shapes), *first[at:])


def expand(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """The shape told, which axes of 1 grow to."""
    wanted: Shape = attrs["shape"]
    if -1 in wanted or broadcast(what, {}, (shapes[0], wanted)) != wanted:
        raise wrong(what, [plain(shapes[0]), plain(wanted)], "a shape that each axis of 1 can grow to")
    return wanted


def tile(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """Each axis so many times."""
    rank = max(len(shapes[0]), len(attrs["times"]))
    x, times = ((1,) * (rank - len(s)) + tuple(s) for s in (shapes[0], attrs["times"]))
    return tuple(size * n for size, n in zip(x, times, strict=True))


def padded(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """Each axis longer by its pair."""
    x, pads = shapes[0], attrs["pads"]
    if len(pads) != len(x) or (BATCH in x and pads[0] != (0, 0)):
        raise wrong(what, f"{[list(p) for p in pads]} of {plain(x)}", "a pair an axis, none for the images'")
    least = 1 if attrs["mode"] == "reflect" else 0
    if attrs["mode"] != "constant" and any(max(p) > s - least for p, s in zip(pads, x, strict=True)):
        raise wrong(what, f"{[list(p) for p in pads]} of {plain(x)}", "less than the image has")
    return tuple(size + before + after for size, (before, after) in zip(x, pads, strict=True))


def getitem(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """What numpy's indexing gives."""
    x, key = shapes[0], attrs["key"]
    keys = key if isinstance(key, tuple) else (key,)
    if sum(max(k.ndim, 1) if isinstance(k, np.ndarray) and k.dtype == bool else k not in (None, ...)
           if not isinstance(k, np.ndarray) else 1 for k in keys) > len(x):  # fmt: skip
        raise wrong(what, f"{len(keys)} indices of {plain(x)}", "one an axis at most")
    if BATCH in x and keys[0] != slice(None) and keys[0] is not ...:
        raise wrong(what, f"{len(keys)} indices of {plain(x)}", "one an axis at most, all of the images")
    try:
        found = np.empty((*x, 0), bool)[key].shape[:-1]  # the empty axis keeps it from taking memory
    except (IndexError, ValueError):
        raise wrong(
            what, f"index {keys!r} of {plain(x)}", f"an index below {max((n for n in x if n != BATCH), default=0)}"
        ) from None
    if 0 in found:
        raise wrong(what, f"no number of {plain(x)}", "at least one")
    return found


def taken(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """take_along_axis: as the indices, other axes broadcast."""
    x, index = shapes[0], attrs["index"].shape
    at = _place(what, attrs["axis"], x)
    if len(index) != len(x):
        raise wrong(what, f"indices {list(index)} of {plain(x)}", "as many axes")
    _inside(what, attrs["index"], x[at])
    return tuple(n if k == at else max(n, size) for k, (n, size) in enumerate(zip(index, x, strict=True)))


def _alone(what: str, shape: Shape) -> None:
    if BATCH in shape:
        raise wrong(what, plain(shape), "something that doesn't depend on the images")


def _inside(what: str, index: Any, length: int) -> None:
    if index.size and not -length <= index.min() <= index.max() < length:
        raise wrong(what, f"indices from {index.min()} to {index.max()}", f"indices from {-length} to {length - 1}")


def picked(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """As the places."""
    _alone(what, shapes[0])
    _inside(what, attrs["places"], math.prod(shapes[0]))
    return tuple(attrs["places"].shape)


def written(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """As x; the places are inside."""
    _alone(what, shapes[0])
    _inside(what, attrs["places"], math.prod(shapes[0]))
    return tuple(shapes[0])


def with_item(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """As x; the value fits what stands at the key."""
    found = getitem(what, attrs, shapes)
    if broadcast(what, {}, (found, shapes[1])) != found:
        raise wrong(what, [plain(s) for s in shapes], f"a value that fits {plain(found)}")
    return tuple(shapes[0])


def embedding(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """w [V, D], index [...] -> [..., D]."""
    _alone(what, shapes[0])
    _inside(what, attrs["index"], shapes[0][0])
    return (*attrs["index"].shape, *shapes[0][1:])


def cross_entropy(what: str, attrs: Json, shapes: Sequence[Any]) -> Shape:
    """[] or, without a reduction, a loss for each label."""
    x, label = shapes
    at = _place(what, attrs["axis"], x)
    if attrs["reduction"] != "none":
        _alone(what, x)
        return ()
    return (*x[:at], 1, *x[at + 1 :]) if attrs["soft_label"] else tuple(label)
