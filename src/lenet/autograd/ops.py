"""The table of operations, how a call runs a row of it, and the tape that ``backward()`` replays.

ONE table says for each operation its name, its shape rule, its forward and backward kernel, and how a plan sees it. All
else reads that table: the eager call, the tape, the compiled plan, exporters, ``summary``. Two kinds of row: *core* rows
run in the native engine on lanes; *array* rows are numpy, eager only (see ``array_ops``). A new operation is one row here,
one kernel in core/, one plain loop in core/reference.cpp and one tolerance in the tests.

Where no gradient is wanted and the samples are few, a core row takes and returns them in another *form* (``tensor``): the
same shape rule, the same call into the core, and a kernel whose lanes aren't samples. The results agree within rounding.

Shapes: N samples, C/H/W input, K/OH/OW output. A gradient is ``d`` and the name.
"""

from __future__ import annotations

import functools
import itertools
import math
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lenet import _core
from lenet.autograd import random
from lenet.autograd.tensor import _F32, Parameter, Tensor, _is_foreign_tensor, dense, in_few, in_lanes, on_read
from lenet.messages.check import ShapeError, describe, message

__all__ = [
    "TABLE",
    "Node",
    "Row",
    "Trace",
    "call",
    "enable_grad",
    "is_grad_enabled",
    "no_grad",
    "run_backward",
    "set_grad_enabled",
]

Inputs = tuple[Any, ...]
Attrs = dict[str, Any]
Grads = tuple["Tensor | None", ...]
Form = tuple[Callable[[Tensor], Any], Callable[..., Tensor]]  # a tensor's core Buffer, and a tensor around one

_LANES: Form = (Tensor.lanes, in_lanes)
_FEW: Form = (Tensor._in_few, in_few)
_MOST_FEW = _core.FEW


class Row(NamedTuple):
    """One operation. forward(inputs, attrs) -> (output, what backward needs); backward(node, dy) -> a gradient an input.

    plan(node, index) -> the row a plan runs (a tuple for ``_core.Plan``), () for nothing to do, where index numbers a
    parameter; plan None means "eager only". kind: "core" or "array". few: forward has a third argument, the form that
    core numbers come and go in; lanes unless told otherwise.
    """

    name: str
    kind: str
    forward: Callable[..., tuple[Tensor, Any]]
    backward: Callable[[Node, Tensor], Grads]
    plan: Callable[[Node, Callable[[Any], int]], tuple[Any, ...]] | None = None
    few: bool = False


TABLE: dict[str, Row] = {}


class Node:
    """One recorded call: what ``backward()`` walks, and what a trace is made of."""

    __slots__ = ("attrs", "inputs", "order", "output_shape", "row", "saved")

    def __init__(self, row: Row, inputs: Inputs, attrs: Attrs, saved: Any, output_shape: tuple[int, ...]) -> None:
        self.row = row
        self.inputs = inputs
        self.attrs = attrs
        self.saved = saved
        self.output_shape = output_shape
        self.order = next(_orders)


_orders = itertools.count(1)
_traces: list[Trace] = []  # of all threads


class _Thread(threading.local):
    """What each thread has of its own. ``recording``: False inside no_grad."""

    recording = True


_here = _Thread()


class Trace:
    """Watches this thread's forward pass: every call in order, and whether a value was read back into Python."""

    def __init__(self) -> None:
        self.nodes: list[tuple[Node, Tensor]] = []
        self.reads = 0
        self.thread = threading.get_ident()

    def _read(self) -> None:
        self.reads += self.thread == threading.get_ident()

    def __enter__(self) -> Trace:
        _traces.append(self)
        on_read.append(self._read)
        return self

    def __exit__(self, *_: object) -> None:
        _traces.remove(self)
        on_read.remove(self._read)


def call(name: str, *inputs: Any, **attrs: Any) -> Tensor:
    """Run a row of the table on tensors and record it, unless nothing asks for a gradient."""
    row = TABLE[name]
    wanted = False
    if _here.recording:
        for t in inputs:
            if isinstance(t, Tensor) and not t.stop_gradient:
                wanted = True
                break
    if row.few and not wanted and type(inputs[0]) is Tensor and (inputs[0]._few is not None or _fits_few(inputs[0])):
        output, saved = row.forward(inputs, attrs, _FEW)
    else:
        output, saved = row.forward(inputs, attrs)
    if wanted:
        output._node = Node(row, inputs, attrs, saved, output._shape)
        output.stop_gradient = False
    if _traces:
        node = output._node or Node(row, inputs, attrs, saved, output._shape)
        for trace in tuple(_traces):
            if trace.thread == threading.get_ident():
                trace.nodes.append((node, output))
    return output


def _fits_few(x: Tensor) -> bool:
    """A function of what x is alone, never of what happened to it: the same call gives the same bits."""
    shape = x._shape
    return x._dtype is _F32 and len(shape) > 0 and shape[0] <= _MOST_FEW and 0 not in shape


# ---- gradients on and off --------------------------------------------------------------------------------------------


def is_grad_enabled() -> bool:
    """True unless inside ``no_grad``; each thread has its own."""
    return _here.recording


class set_grad_enabled:  # noqa: N801 - Paddle's name
    """Record operations for backward(), or don't: at once, and until the end of a ``with`` block."""

    def __init__(self, mode: bool) -> None:
        self._before = _here.recording
        _here.recording = bool(mode)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        _here.recording = self._before


class _Switch:
    _mode = True
    _before: list[bool]

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        self = object.__new__(cls)
        self._before = []
        return self if function is None else self(function)

    def __enter__(self) -> None:
        self._before.append(_here.recording)
        _here.recording = self._mode

    def __exit__(self, *_: object) -> None:
        _here.recording = self._before.pop()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with type(self)():
                return function(*args, **kwargs)

        return wrapped


class no_grad(_Switch):  # noqa: N801 - Paddle's name
    """``with no_grad():`` or ``@no_grad()``: nothing inside is recorded for backward()."""

    _mode = False


class enable_grad(_Switch):  # noqa: N801 - Paddle's name
    """``with enable_grad():`` or ``@enable_grad()``: recording is on inside, even within no_grad."""


# ---- the tape --------------------------------------------------------------------------------------------------------


def run_backward(root: Tensor, seed: Tensor | None, retain: bool) -> None:
    """See ``Tensor.backward``."""
    if root.stop_gradient:
        return
    if seed is None:
        dy = dense(np.ones(root._shape, root._dtype))
    elif not isinstance(seed, Tensor):
        raise TypeError(message("backward(grad_tensor)", describe(seed), "a Tensor or None"))
    elif seed._shape != root._shape:
        raise ValueError(
            message(
                "backward(grad_tensor)", f"shape {list(seed._shape)}", f"the tensor's own shape {list(root._shape)}"
            )
        )
    else:
        dy = seed
    if root._node is None:
        _add_to_leaf(root, dy)
        return
    for node, grads in gradients(root._node, dy, retain):
        for t, g in zip(node.inputs, grads, strict=True):
            if g is not None and t._node is None and not t.stop_gradient:
                _add_to_leaf(t, g)


def gradients(last: Node, dy: Tensor, retain: bool) -> list[tuple[Node, Grads]]:
    """Every node that led to ``last``, latest first, with the gradients of its inputs."""
    found: dict[int, Node] = {}
    stack = [last]
    while stack:
        node = stack.pop()
        if node.order in found:
            continue
        if node.saved is _FREED:
            fix = "Call backward(retain_graph=True) the first time, or compute the loss anew"
            raise RuntimeError(
                message("backward()", "a graph that an earlier backward() has used up", "a fresh one", fix)
            )
        found[node.order] = node
        for t in node.inputs:
            if t is not None and t._node is not None:
                stack.append(t._node)
    pending: dict[int, Tensor] = {last.order: dy}
    done = []
    for order in sorted(found, reverse=True):
        node = found[order]
        if order not in pending:
            continue
        grads = node.row.backward(node, pending.pop(order))
        if not retain:
            node.saved = _FREED
        done.append((node, grads))
        for t, g in zip(node.inputs, grads, strict=True):
            if g is not None and t._node is not None:
                before = pending.get(t._node.order)
                pending[t._node.order] = g if before is None else _sum(before, g)
    return done


_FREED = object()


def _sum(a: Tensor, b: Tensor) -> Tensor:
    if a._lanes is not None and b._lanes is not None:
        return in_lanes(_core.add(a._lanes, b._lanes), a._shape, a._dtype)
    return dense(a.data_array() + b.data_array())


def _add_to_leaf(t: Tensor, g: Tensor) -> None:
    """The leaf's own tensor each time: g may also be the caller's seed, or another leaf's gradient (both sides of an add)."""
    if t._grad is None:
        t._grad = dense(np.array(g.data_array())) if isinstance(t, Parameter) else _same_numbers(g, g._shape)
    elif isinstance(t, Parameter):
        t._grad.data_array().__iadd__(g.data_array())
        t._grad._lanes = t._grad._few = None
    else:
        t._grad = _sum(t._grad, g)
    t._grad.stop_gradient = False  # as Paddle has it


# ---- checks shared by the rows ---------------------------------------------------------------------------------------


def check_float(what: str, x: Any) -> None:
    """TypeError unless x is a Tensor of float32 or float64."""
    if not isinstance(x, Tensor):
        kind = "a tensor of another library" if _is_foreign_tensor(x) else describe(x)
        fix = "Type lenet.to_tensor(x.numpy())" if _is_foreign_tensor(x) else "Type lenet.to_tensor(x)"
        raise TypeError(message(what, kind, "a lenet Tensor", fix))
    if x._dtype.kind != "f":
        fix = "Convert it: x.astype('float32'), or normalise the images with vision.transforms.Normalize or ToTensor"
        raise TypeError(message(what, f"a tensor of {x._dtype} {list(x._shape)}", "float32", fix))


def _check_same_type(what: str, x: Tensor, w: Tensor) -> None:
    if x._dtype != w._dtype:
        fix = f"Convert it: x.astype('{w._dtype}')"
        raise ValueError(message(what, f"a tensor of {x._dtype} {list(x._shape)}", f"{w._dtype} like the weights", fix))


def _check_sizes(what: str, *sizes: int) -> None:
    """ValueError for a number that the core doesn't count with. It checks their products by itself."""
    if max(sizes) > _core.MOST_NUMBERS:
        raise ValueError(
            message(what, f"a size of {max(sizes)}", f"at most {_core.MOST_NUMBERS}", "Use a smaller padding or step")
        )


# ---- conv2d: x [N, C, H, W], w [K, C/groups, kh, kw], b [K] or None -> [N, K, OH, OW] ---------------------------------


@functools.lru_cache(maxsize=1024)
def _conv(
    image: tuple[int, ...], kernel: tuple[int, ...], stride: Any, padding: Any, dilation: Any, groups: int
) -> _core.Conv:
    C, H, W = image
    K, per_group, kh, kw = kernel
    top, bottom, left, right = padding
    _check_sizes("conv2d", *image, *kernel, *stride, *padding, *dilation, groups)
    if per_group * groups != C:
        wanted = per_group * groups
        fix = f"Build the layer with in_channels={C}, or give it images of {wanted} channel{'s' if wanted > 1 else ''}"
        if wanted == 1 and C == 3:
            fix += " (vision.transforms.Grayscale() makes colour images grey)"
        if wanted == 1 and W == 1:
            fix += " (the channel axis comes first: x.transpose([0, 3, 1, 2]))"
        raise ShapeError(
            message(
                "conv2d",
                f"images of {C} channels, [C, H, W] = {[C, H, W]}",
                f"{wanted} for its weights {list(kernel)}",
                fix,
            )
        )
    span_h, span_w = (kh - 1) * dilation[0] + 1, (kw - 1) * dilation[1] + 1
    if span_h > H + top + bottom or span_w > W + left + right:
        given = f"images of {H}x{W}" + (f" (padded {H + top + bottom}x{W + left + right})" if any(padding) else "")
        raise ShapeError(
            message(
                "conv2d",
                given,
                f"at least the kernel's {span_h}x{span_w}",
                "Use a smaller kernel, more padding or larger images",
            )
        )
    (sh, sw), (dh, dw) = stride, dilation
    return _core.Conv(C, H, W, K, kh, kw, sh, sw, top, bottom, left, right, dh, dw, groups)


@functools.lru_cache(maxsize=1024)
def _conv_of(
    shape: tuple[int, ...], kernel: tuple[int, ...], stride: Any, padding: Any, dilation: Any, groups: int
) -> tuple[_core.Conv, tuple[int, ...]]:
    if len(shape) != 4:
        fix = "Add the channel axis: x.unsqueeze(1)" if len(shape) == 3 else "Reshape them: x.reshape([-1, 1, 28, 28])"
        raise ShapeError(message("conv2d", f"images of shape {list(shape)}", "4 dimensions, [N, C, H, W]", fix))
    conv = _conv(shape[1:], kernel, stride, padding, dilation, groups)
    return conv, (shape[0], kernel[0], conv.OH, conv.OW)


def _conv2d(inputs: Inputs, attrs: Attrs, form: Form = _LANES) -> tuple[Tensor, Any]:
    x, w, b = inputs
    if form is not _FEW or w._dtype is not _F32:
        check_float("conv2d", x)
        _check_same_type("conv2d", x, w)
    conv, shape = _conv_of(x._shape, w._shape, attrs["stride"], attrs["padding"], attrs["dilation"], attrs["groups"])
    y = _core.conv2d(conv, shape[0], form[0](x), w.data_array(), None if b is None else b.data_array())
    return form[1](y, shape, x._dtype), conv


def _conv2d_backward(node: Node, dy: Tensor) -> Grads:
    x, w, b = node.inputs
    dw = None if w.stop_gradient else np.empty(w._shape, w._dtype)
    db = None if b is None or b.stop_gradient else np.empty(b._shape, b._dtype)
    need_dx = not x.stop_gradient
    dx = _core.conv2d_backward(node.saved, x._shape[0], x.lanes(), w._data, dy.lanes(), need_dx, dw, db)
    return (
        in_lanes(dx, x._shape, x._dtype) if need_dx else None,
        None if dw is None else dense(dw),
        None if db is None else dense(db),
    )


def _conv2d_plan(node: Node, index: Callable[[Any], int]) -> tuple[Any, ...]:
    return ("conv2d", node.saved, index(node.inputs[1]), index(node.inputs[2]))


TABLE["conv2d"] = Row("conv2d", "core", _conv2d, _conv2d_backward, _conv2d_plan, few=True)


# ---- pooling: x [N, C, H, W] -> [N, C, OH, OW] ------------------------------------------------------------------------


@functools.lru_cache(maxsize=1024)
def _pool(
    what: str, image: tuple[int, ...], kernel: Any, stride: Any, padding: Any, ceil: bool, exclusive: bool, divisor: int
) -> _core.Pool:
    C, H, W = image
    top, bottom, left, right = padding
    _check_sizes(what, *image, *kernel, *stride, *padding, divisor)
    if kernel[0] > H + top + bottom or kernel[1] > W + left + right:
        expected = f"at least the window's {kernel[0]}x{kernel[1]}"
        raise ShapeError(message(what, f"images of {H}x{W}", expected, "Use a smaller window, or fewer pooling layers"))
    if top >= kernel[0] or bottom >= kernel[0] or left >= kernel[1] or right >= kernel[1]:
        raise ValueError(message(what, f"padding {list(padding)}", f"less than the window {list(kernel)}"))
    (kh, kw), (sh, sw) = kernel, stride
    return _core.Pool(C, H, W, kh, kw, sh, sw, top, bottom, left, right, ceil, exclusive, divisor)


@functools.lru_cache(maxsize=1024)
def _pool_of(
    what: str,
    shape: tuple[int, ...],
    kernel: Any,
    stride: Any,
    padding: Any,
    ceil: bool,
    exclusive: bool = True,
    divisor: int | None = None,
) -> tuple[_core.Pool, tuple[int, ...]]:
    if len(shape) != 4:
        fix = "Add the channel axis: x.unsqueeze(1)" if len(shape) == 3 else ""
        raise ShapeError(message(what, f"images of shape {list(shape)}", "4 dimensions, [N, C, H, W]", fix))
    pool = _pool(what, shape[1:], kernel, stride, padding, ceil, exclusive, divisor or 0)
    return pool, (*shape[:2], pool.OH, pool.OW)


def _max_pool2d(inputs: Inputs, attrs: Attrs, form: Form = _LANES) -> tuple[Tensor, Any]:
    (x,) = inputs
    if form is not _FEW:
        check_float("max_pool2d", x)
    pool, shape = _pool_of(
        "max_pool2d", x._shape, attrs["kernel"], attrs["stride"], attrs["padding"], attrs["ceil_mode"]
    )
    y, winner = _core.max_pool2d(pool, shape[0], form[0](x))
    return form[1](y, shape, x._dtype), (pool, winner)


def _max_pool2d_backward(node: Node, dy: Tensor) -> Grads:
    x, (pool, winner) = node.inputs[0], node.saved
    return (in_lanes(_core.max_pool2d_backward(pool, x._shape[0], dy.lanes(), winner), x._shape, x._dtype),)


def _avg_pool2d(inputs: Inputs, attrs: Attrs, form: Form = _LANES) -> tuple[Tensor, Any]:
    (x,) = inputs
    check_float("avg_pool2d", x)
    window = attrs["kernel"], attrs["stride"], attrs["padding"], attrs["ceil_mode"]
    pool, shape = _pool_of("avg_pool2d", x._shape, *window, attrs.get("exclusive", True), attrs.get("divisor"))
    y = _core.avg_pool2d(pool, shape[0], form[0](x))
    return form[1](y, shape, x._dtype), (pool,)


def _avg_pool2d_backward(node: Node, dy: Tensor) -> Grads:
    x = node.inputs[0]
    return (in_lanes(_core.avg_pool2d_backward(node.saved[0], x._shape[0], dy.lanes()), x._shape, x._dtype),)


TABLE["max_pool2d"] = Row(
    "max_pool2d", "core", _max_pool2d, _max_pool2d_backward, lambda node, _: ("max_pool2d", node.saved[0]), few=True
)
TABLE["avg_pool2d"] = Row(
    "avg_pool2d", "core", _avg_pool2d, _avg_pool2d_backward, lambda node, _: ("avg_pool2d", node.saved[0]), few=True
)


# ---- elementwise: any shape -------------------------------------------------------------------------------------------


def _elementwise(name: str, kernel: Callable[[Any], Any], kernel_backward: Callable[[Any, Any], Any]) -> Row:
    def forward(inputs: Inputs, attrs: Attrs, form: Form = _LANES) -> tuple[Tensor, Any]:
        (x,) = inputs
        if form is not _FEW:
            check_float(name, x)
        y = kernel(form[0](x))
        return form[1](y, x._shape, x._dtype), y

    def backward(node: Node, dy: Tensor) -> Grads:
        x = node.inputs[0]
        return (in_lanes(kernel_backward(node.saved, dy.lanes()), x._shape, x._dtype),)

    return Row(name, "core", forward, backward, lambda node, _: (name, math.prod(node.output_shape[1:])), few=True)


TABLE["relu"] = _elementwise("relu", _core.relu, _core.relu_backward)
TABLE["sigmoid"] = _elementwise("sigmoid", _core.sigmoid, _core.sigmoid_backward)
TABLE["tanh"] = _elementwise("tanh", _core.tanh, _core.tanh_backward)


# ---- flatten, reshape: free while the samples stay the first axis -----------------------------------------------------


def _same_numbers(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    if x._lanes is not None and shape and shape[0] == x._shape[0]:
        return in_lanes(x._lanes, shape, x._dtype)
    if x._few is not None and shape and shape[0] == x._shape[0]:
        return in_few(x._few, shape, x._dtype)
    data = x.data_array().reshape(shape)
    return dense(data.copy() if isinstance(x, Parameter) else data)


def _reshape(inputs: Inputs, attrs: Attrs) -> tuple[Tensor, Any]:
    (x,) = inputs
    wanted = [int(s) for s in attrs["shape"]]
    given = list(x._shape)
    if any(s == 0 and i >= len(given) for i, s in enumerate(wanted)):
        raise ValueError(message("reshape", wanted, f"a 0 only where the tensor {given} has an axis to copy"))
    sizes = [given[i] if s == 0 else s for i, s in enumerate(wanted)]  # 0 keeps an axis, as in Paddle
    known = math.prod(s for s in sizes if s != -1)
    total = x.size
    if sizes.count(-1) > 1 or any(s < -1 for s in sizes):
        raise ValueError(message("reshape", wanted, "whole numbers with at most one -1"))
    if -1 in sizes and known:
        sizes[sizes.index(-1)] = total // known
    if math.prod(sizes) != total:
        raise ValueError(
            message("reshape", f"shape {wanted} for a tensor of shape {given}", f"a shape of {total} elements")
        )
    return _same_numbers(x, tuple(sizes)), None


def _reshape_backward(node: Node, dy: Tensor) -> Grads:
    return (_same_numbers(dy, node.inputs[0]._shape),)


def _flatten(inputs: Inputs, attrs: Attrs) -> tuple[Tensor, Any]:
    (x,) = inputs
    start, stop = attrs["start"], attrs["stop"]
    # What merely equals a whole number, or can't be looked up, must not meet the cache.
    flat = _flat_shape if type(start) is int and type(stop) is int else _flat_shape.__wrapped__
    return _same_numbers(x, flat(x._shape, start, stop)), None


@functools.lru_cache(maxsize=1024)
def _flat_shape(shape: tuple[int, ...], start: Any, stop: Any) -> tuple[int, ...]:
    if not shape:
        return (1,)
    rank = len(shape)
    if any(not isinstance(a, (int, np.integer)) or not -rank <= a < rank for a in (start, stop)):
        raise ValueError(
            message(
                "flatten",
                f"axes {(start, stop)} of a tensor with {rank} dimensions",
                f"whole numbers from {-rank} to {rank - 1}",
            )
        )
    start, stop = int(start) % rank, int(stop) % rank
    if start > stop:
        raise ValueError(message("flatten", f"start_axis {start} behind stop_axis {stop}", "start_axis first"))
    return (*shape[:start], math.prod(shape[start : stop + 1]), *shape[stop + 1 :])


def _no_change_plan(node: Node, _: Callable[[Any], int]) -> tuple[Any, ...]:
    if node.output_shape[:1] != node.inputs[0]._shape[:1]:
        raise ValueError(f"{node.row.name} mixes samples")
    return ()


TABLE["reshape"] = Row("reshape", "core", _reshape, _reshape_backward, _no_change_plan)
TABLE["flatten"] = Row("flatten", "core", _flatten, _reshape_backward, _no_change_plan)


# ---- linear: x [..., I], w [I, O], b [O] or None -> [..., O] ----------------------------------------------------------


def _linear(inputs: Inputs, attrs: Attrs, form: Form = _LANES) -> tuple[Tensor, Any]:
    x, w, b = inputs
    if form is not _FEW or w._dtype is not _F32:
        check_float("linear", x)
        _check_same_type("linear", x, w)
    n_in, n_out = w._shape
    shape = x._shape
    if not shape or shape[-1] != n_in:
        features = shape[-1] if shape else 0
        fix = f"Build the layer with in_features={features}, or change the image size or the layers before it"
        if len(shape) == 4:
            fix = "Flatten the images first: lenet.flatten(x, 1)"
        raise ShapeError(
            message(
                "linear",
                f"{features} features, x of shape {list(shape)}",
                f"{n_in} for its weights {list(w._shape)}",
                fix,
            )
        )
    bias = None if b is None else b.data_array()
    if len(shape) == 2:
        numbers = form[0](x)
        y = _core.linear(n_in, n_out, shape[0], numbers, w.data_array(), bias)
        return form[1](y, (shape[0], n_out), x._dtype), numbers
    rows = math.prod(shape[:-1])
    lanes = _core.to_lanes(x.data_array(), rows)
    y = _core.linear(n_in, n_out, rows, lanes, w.data_array(), bias)
    return dense(in_lanes(y, (rows, n_out), x._dtype).data_array().reshape(*shape[:-1], n_out)), lanes


def _linear_backward(node: Node, dy: Tensor) -> Grads:
    x, w, b = node.inputs
    n_in, n_out = w._shape
    rows = math.prod(x._shape[:-1])
    dw = None if w.stop_gradient else np.empty(w._shape, w._dtype)
    db = None if b is None or b.stop_gradient else np.empty(b._shape, b._dtype)
    need_dx = not x.stop_gradient
    dy_lanes = dy.lanes() if len(x._shape) == 2 else _core.to_lanes(dy.data_array(), rows)
    lanes = _core.linear_backward(n_in, n_out, rows, node.saved, w._data, dy_lanes, need_dx, dw, db)
    dx = None
    if need_dx:
        dx = in_lanes(lanes, (rows, n_in), x._dtype)
        dx = dx if len(x._shape) == 2 else dense(dx.data_array().reshape(x._shape))
    return dx, None if dw is None else dense(dw), None if db is None else dense(db)


def _linear_plan(node: Node, index: Callable[[Any], int]) -> tuple[Any, ...]:
    x, w, b = node.inputs
    if len(x._shape) != 2:
        raise ValueError("linear runs on more than two dimensions")
    return ("linear", *w._shape, index(w), index(b))


TABLE["linear"] = Row("linear", "core", _linear, _linear_backward, _linear_plan, few=True)


# ---- dropout: any shape; masks come from lenet.seed's stream in NCHW order --------------------------------------------


def _dropout(inputs: Inputs, attrs: Attrs, form: Form = _LANES) -> tuple[Tensor, Any]:
    (x,) = inputs
    check_float("dropout", x)
    p, upscale = attrs["p"], attrs["mode"] == "upscale_in_train"
    if not attrs["training"]:
        factor = 1.0 if upscale else 1.0 - p
        return form[1](_core.scale(form[0](x), factor), x._shape, x._dtype), factor
    kept = (0.0 if p == 1.0 else 1.0 / (1.0 - p)) if upscale else 1.0
    keep = random.generator().uniform(x.size, 0.0, 1.0) >= np.float32(p) if p > 0 else np.ones(x.size, bool)
    mask = dense((keep * np.float32(kept)).astype(x._dtype).reshape(x._shape)).lanes()
    return in_lanes(_core.mul(x.lanes(), mask), x._shape, x._dtype), mask


def _dropout_backward(node: Node, dy: Tensor) -> Grads:
    lanes = _core.scale(dy.lanes(), node.saved) if isinstance(node.saved, float) else _core.mul(dy.lanes(), node.saved)
    return (in_lanes(lanes, dy._shape, dy._dtype),)


def _dropout_plan(node: Node, _: Callable[[Any], int]) -> tuple[Any, ...]:
    upscale = node.attrs["mode"] == "upscale_in_train"
    return ("dropout", math.prod(node.output_shape[1:]), node.attrs["p"], upscale)


TABLE["dropout"] = Row("dropout", "core", _dropout, _dropout_backward, _dropout_plan, few=True)


# ---- softmax along an axis --------------------------------------------------------------------------------------------


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
    if not isinstance(axis, (int, np.integer)) or not -rank <= axis < max(rank, 1):
        raise ValueError(
            message(
                what, f"axis {axis} of a tensor with {rank} dimensions", f"a whole number from {-rank} to {rank - 1}"
            )
        )
    return int(axis) % rank if rank else 0


def _softmax(inputs: Inputs, attrs: Attrs, form: Form = _LANES) -> tuple[Tensor, Any]:
    (x,) = inputs
    check_float("softmax", x)
    if not x._shape:
        return dense(np.ones((), x._dtype)), None
    axis = check_axis("softmax", attrs["axis"], x._shape)
    rows = classes_last(x, axis)
    take, made = form if rows is x else _LANES
    y = made(_core.softmax(rows._shape[1], rows._shape[0], take(rows)), rows._shape, x._dtype)
    return classes_back(y, x._shape, axis), (y, axis)


def _softmax_backward(node: Node, dy: Tensor) -> Grads:
    if node.saved is None:
        return (dense(np.zeros((), dy._dtype)),)
    y, axis = node.saved
    rows = classes_last(dy, axis)
    dx = in_lanes(_core.softmax_backward(y._shape[1], y._shape[0], y.lanes(), rows.lanes()), y._shape, dy._dtype)
    return (classes_back(dx, dy._shape, axis),)


def _softmax_plan(node: Node, _: Callable[[Any], int]) -> tuple[Any, ...]:
    if len(node.output_shape) != 2 or node.saved[1] != 1:
        raise ValueError("softmax runs along another axis than the classes of [N, C]")
    return ("softmax", node.output_shape[1])


TABLE["softmax"] = Row("softmax", "core", _softmax, _softmax_backward, _softmax_plan, few=True)
