"""``Tensor`` and ``Parameter``: an array, where it came from, and its gradient.

A tensor is *dense* (a C-contiguous numpy array of any dtype) or in *lanes* (float32 or float64, a core Buffer: groups of
16 samples, the sample innermost), or both, the second being a cache of the first. Core operations read and write lanes,
array operations dense numbers; each asks for the form it needs and the other is made once. A write in place drops the
cache. A third form is for *few* samples that no gradient is wanted of, where lanes would stay mostly empty: a core Buffer
of dense numbers. Views copy: no two tensors share memory.

What can be computed with tensors is not here: ``table`` holds the operations, ``array_rows`` the arithmetic that
becomes this class's methods. Names and behaviour are Paddle's.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lenet import _core
from lenet.autograd import dtype as _dtype
from lenet.autograd.dtype import DType, dtype_of
from lenet.autograd.tensor_types import Methods
from lenet.messages.check import describe, message

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lenet.autograd.tape import Node

__all__ = ["CPUPlace", "Parameter", "Size", "Tensor", "is_tensor", "to_tensor"]

Lanes = Any  # a _core.Buffer (float32) or _core.Buffer64; a tensor's dtype says which

_F32 = np.dtype(np.float32)
_F64 = np.dtype(np.float64)


class Size(list[int]):
    """A shape: a list of ints that also equals the tuple of them."""

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, (list, tuple)) else NotImplemented

    __hash__ = None

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __add__(self, other: Sequence[int]) -> Size:  # type: ignore[override]
        return Size(list(self) + list(other))

    def __radd__(self, other: Sequence[int]) -> Size:
        return Size(list(other) + list(self))

    def __repr__(self) -> str:
        return f"paddle.Size({list(self)!r})"

    def numel(self) -> int:
        """How many elements an array of this shape has."""
        return math.prod(self)


class CPUPlace:
    """The only place there is. Accepted wherever Paddle takes a place."""

    def __repr__(self) -> str:
        return "Place(cpu)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CPUPlace)

    def __hash__(self) -> int:
        return hash("cpu")


_CPU = CPUPlace()
_names = itertools.count()

# Set by a tracer (tape.Trace) while it watches a forward pass: told of every value read back into Python, in any thread.
on_read: list[Callable[[], None]] = []


def _tell() -> None:
    for told in tuple(on_read):  # another thread may end its trace meanwhile
        told()


class Tensor(Methods):
    """An n-dimensional array with an optional gradient (``paddle.Tensor``). Make one with ``to_tensor``."""

    __slots__ = (
        "__weakref__",
        "_data",
        "_dtype",
        "_few",
        "_grad",
        "_hooks",
        "_lanes",
        "_name",
        "_node",
        "_shape",
        "persistable",
        "stop_gradient",
    )

    _data: NDArray[Any] | None
    _lanes: Lanes | None
    _few: Lanes | None
    _shape: tuple[int, ...]
    _dtype: np.dtype[Any]
    _grad: Tensor | None
    _hooks: dict[int, Callable[[Tensor], Any]] | None  # of a leaf; another tensor's stand with its node
    _node: Node | None
    _name: str | None
    stop_gradient: bool
    persistable: bool
    __array_priority__ = 100  # ndarray + Tensor asks Tensor
    __array_ufunc__ = None

    def __init__(self, data: Any, stop_gradient: bool = True) -> None:
        array = np.array(data.data_array() if isinstance(data, Tensor) else data, order="C")
        self._fill(array, None, array.shape, array.dtype, stop_gradient)

    def _fill(
        self,
        data: NDArray[Any] | None,
        lanes: Lanes | None,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        stop_gradient: bool,
    ) -> None:
        self._data = data
        self._lanes = lanes
        self._few: Lanes | None = None
        self._shape = shape
        self._dtype = dtype
        self._grad = None
        self._hooks = None
        self._node = None
        self._name = None
        self.stop_gradient = stop_gradient
        self.persistable = False

    # ---- the three forms --------------------------------------------------------------------------------------------

    def data_array(self) -> NDArray[Any]:
        """The dense numbers without a copy. Read only: other code may hold the same array."""
        data = self._data
        if data is None:
            data = self._data = self._read()
        return data

    def _read(self) -> NDArray[Any]:
        """A new dense array out of the core's form."""
        data: NDArray[Any] = np.empty(self._shape, self._dtype)
        buffer: Any = self._lanes if self._few is None else self._few
        if data.size:
            _core.from_lanes(buffer, self._shape[0] if self._shape else 1, data)
        return data

    def lanes(self) -> Lanes:
        """The numbers in lanes, along the first axis. Core operations alone read them."""
        lanes = self._lanes
        if lanes is None:
            if 0 in self._shape:
                raise ValueError(
                    message(
                        "this operation", f"a tensor of shape {list(self._shape)}", "a batch of at least one sample"
                    )
                )
            lanes = _core.to_lanes(np.ascontiguousarray(self.data_array()), self._shape[0] if self._shape else 1)
            self._keep_lanes(lanes)
        return lanes

    def _keep_lanes(self, lanes: Lanes) -> None:
        self._lanes = lanes

    def _in_few(self) -> Lanes:
        """The float32 numbers of up to ``_core.FEW`` samples for core operations that no backward follows."""
        few = self._few
        return _core.to_few(self.data_array(), self._shape[0]) if few is None else few

    # ---- what it is -------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        """The lengths of its axes."""
        return Size(self._shape)

    @property
    def dtype(self) -> DType:
        """The type of its elements."""
        return dtype_of(self._dtype)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._shape)

    def dim(self) -> int:
        """The number of axes."""
        return len(self._shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self._shape)

    @property
    def requires_grad(self) -> bool:
        """The opposite of ``stop_gradient``."""
        return not self.stop_gradient

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.stop_gradient = not value

    @property
    def data(self) -> Tensor:
        """The tensor itself; what is assigned takes the place of its numbers."""
        return self

    @data.setter
    def data(self, value: Any) -> None:
        self.set_value(value)

    @property
    def place(self) -> CPUPlace:
        """Always the CPU."""
        return _CPU

    @property
    def name(self) -> str:
        """Its name; made up on first use."""
        if self._name is None:
            self._name = f"generated_tensor_{next(_names)}"
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = value

    @property
    def is_leaf(self) -> bool:
        """True if no recorded operation made it."""
        return self._node is None

    @property
    def grad(self) -> Tensor | None:
        """Its gradient after ``backward()``, or None."""
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None and not isinstance(value, Tensor):
            raise TypeError(message("grad", describe(value), "a Tensor or None"))
        if value is not None and value._shape != self._shape:
            raise ValueError(
                message("grad", f"shape {list(value._shape)}", f"the tensor's own shape {list(self._shape)}")
            )
        self._grad = value

    # ---- reading it back --------------------------------------------------------------------------------------------

    def numpy(self, blocking: bool = True) -> NDArray[Any]:
        """A writable copy as an ndarray. blocking is Paddle's and changes nothing."""
        if on_read:
            _tell()
        if self._data is None:
            return self._read()
        copy: NDArray[Any] = self._data.copy()
        return copy

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if on_read:
            _tell()
        data: NDArray[Any] = self.data_array()
        if dtype is not None and np.dtype(dtype) != data.dtype:
            return data.astype(dtype)
        if copy:
            return data.copy()
        view = data.view()
        view.flags.writeable = False
        return view

    def __dlpack__(self, **asked: Any) -> Any:
        """Its memory for another library, without a copy: ``torch.from_dlpack(t)``, ``np.from_dlpack(t)``. Read only, there:
        what is written behind a tensor's back it may not see."""
        if on_read:
            _tell()
        return self.data_array().__dlpack__(**{name: value for name, value in asked.items() if value is not None})

    def __dlpack_device__(self) -> tuple[int, int]:
        """The CPU."""
        return 1, 0

    def item(self, *index: int) -> Any:
        """The single element (or the one at a flat or full index) as a Python number; ValueError if there are several."""
        data = self.numpy()
        if not index and data.size != 1:
            raise ValueError(
                message("item()", f"a tensor of {data.size} elements", "a single element", "Give its index: t.item(0)")
            )
        return data.item(*index)

    def tolist(self) -> Any:
        """Nested lists of Python numbers."""
        return self.numpy().tolist()

    def _single(self, what: str) -> Any:
        if self.size != 1:
            raise ValueError(
                message(
                    what,
                    f"a tensor of shape {list(self._shape)}",
                    "a tensor of one element",
                    "Take one element, as in t[0], or use t.numpy()",
                )
            )
        return self.numpy().reshape(()).item()

    def __float__(self) -> float:
        return float(self._single("float()"))

    def __int__(self) -> int:
        return int(self._single("int()"))

    def __bool__(self) -> bool:
        return bool(self._single("bool()"))

    def __index__(self) -> int:
        value = self._single("an index")
        if isinstance(value, float):
            raise TypeError(message("an index", "a tensor of float", "a tensor of a whole number"))
        return int(value)

    def __len__(self) -> int:
        if not self._shape:
            raise TypeError(message("len()", "a 0-D tensor", "a tensor with an axis"))
        return self._shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if on_read:
            _tell()
        for i in range(len(self)):
            yield self[i]

    def __hash__(self) -> int:
        return id(self)

    def __format__(self, spec: str) -> str:
        if not self._shape or (spec and self.size == 1):
            return format(self.item(), spec)
        return format(str(self), spec)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        copy = to_tensor(self.data_array(), stop_gradient=self.stop_gradient)
        memo[id(self)] = copy
        return copy

    # ---- writing it -------------------------------------------------------------------------------------------------

    def set_value(self, value: Any) -> None:
        """Overwrite all elements with an array of the same shape; ValueError for another shape or dtype."""
        new = np.asarray(value.data_array() if isinstance(value, Tensor) else value)
        if new.shape != self._shape:
            raise ValueError(message("set_value()", f"shape {list(new.shape)}", f"shape {list(self._shape)}"))
        if new.dtype != self._dtype:
            raise ValueError(
                message(
                    "set_value()",
                    f"dtype {new.dtype}",
                    f"dtype {self._dtype}",
                    f"Convert it: value.astype('{self._dtype}')",
                )
            )
        self._write(new)

    def _write(self, new: NDArray[Any]) -> None:
        self._data = np.array(new, self._dtype, order="C")
        self._lanes = self._few = None

    def _check_writable(self) -> None:
        if not self.stop_gradient and self._node is None:
            raise ValueError(
                message(
                    "a write in place",
                    "a leaf tensor that wants a gradient",
                    "a tensor with stop_gradient=True",
                    "Write inside `with lenet.no_grad():` or use set_value()",
                )
            )

    # ---- gradient ---------------------------------------------------------------------------------------------------

    def gradient(self) -> NDArray[Any] | None:
        """Its gradient as an ndarray, a copy, or None."""
        return None if self._grad is None else self._grad.numpy()

    def detach(self) -> Tensor:
        """The same numbers, cut off from the graph, stop_gradient=True."""
        return to_tensor(self.data_array())

    def clear_gradient(self, set_to_zero: bool = True) -> None:
        """Set the gradient to zeros (or to None)."""
        if self._grad is None:
            return
        if set_to_zero:
            self._grad._write(np.zeros(self._shape, self._dtype))
        else:
            self._grad = None

    clear_grad = clear_gradient

    def cpu(self) -> Tensor:
        """Itself: everything is on the CPU."""
        return self


_ALIGNMENT = 64  # bytes: a cache line, and the widest SIMD register


def aligned(shape: Sequence[int], dtype: Any = np.float32) -> NDArray[Any]:
    """Zeros: a C-contiguous array of ``shape`` that starts on a 64-byte boundary and owns its memory alone."""
    size = np.dtype(dtype).itemsize * math.prod(shape)
    raw = np.zeros(size + _ALIGNMENT, np.uint8)
    start = -raw.__array_interface__["data"][0] % _ALIGNMENT
    return raw[start : start + size].view(dtype).reshape(shape)


class Parameter(Tensor):
    """A tensor that training changes. Its value is a block of memory of its own that never moves; plans point into it."""

    __slots__ = ("_trainable", "need_clip", "optimize_attr", "regularizer")

    def __init__(
        self, data: Any, name: str | None = None, trainable: bool = True, *, requires_grad: bool | None = None
    ) -> None:
        """A Tensor is copied; an ndarray is kept: C-contiguous and aligned to 64 bytes (``param.aligned``)."""
        trainable = trainable if requires_grad is None else requires_grad
        if isinstance(data, Tensor):
            block = aligned(data._shape, data._dtype)
            block[...] = data.data_array()
            data = block
        self._fill(data, None, data.shape, data.dtype, not trainable)
        self._name = name
        self.persistable = True
        self._trainable = trainable
        self.optimize_attr: dict[str, float] = {"learning_rate": 1.0}
        self.regularizer: Any = None
        self.need_clip = True

    def __setstate__(self, state: tuple[Any, dict[str, Any]]) -> None:
        for name, value in state[1].items():
            setattr(self, name, value)
        if self._data is not None:
            block = aligned(self._shape, self._dtype)  # where a pickle's arrays lie is chance
            block[...] = self._data
            self._data = block

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        block = aligned(self._shape, self._dtype)
        block[...] = self.data_array()
        copy = Parameter(block, None, self.trainable)
        copy.optimize_attr = dict(self.optimize_attr)
        copy.regularizer, copy.need_clip = self.regularizer, self.need_clip
        memo[id(self)] = copy
        return copy

    @property
    def trainable(self) -> bool:
        """False freezes it: the same as stop_gradient=True."""
        return not self.stop_gradient

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not isinstance(value, (bool, np.bool_)):
            raise ValueError(message("trainable", describe(value), "True or False"))
        self.stop_gradient = not value

    def _convert(self, dtype: np.dtype[Any]) -> None:
        """Another type, in a new block; its gradient is gone."""
        if dtype != self._dtype:
            block = aligned(self._shape, dtype)
            block[...] = self.data_array()
            self._data, self._dtype, self._grad = block, dtype, None

    def _keep_lanes(self, lanes: Lanes) -> None:
        """Optimizers write the value behind this class's back, so nothing is cached."""

    def _write(self, new: NDArray[Any]) -> None:
        self.data_array()[...] = new

    def clear_gradient(self, set_to_zero: bool = True) -> None:
        """Set the gradient to zeros (or to None)."""
        if self._grad is not None and set_to_zero:
            self._grad.data_array()[...] = 0
            self._grad._lanes = self._grad._few = None
        elif not set_to_zero:
            self._grad = None

    clear_grad = clear_gradient


def dense(data: NDArray[Any], stop_gradient: bool = True) -> Tensor:
    """A tensor around an ndarray that nobody else will write: no copy."""
    t = Tensor.__new__(Tensor)
    t._fill(data, None, data.shape, data.dtype, stop_gradient)
    return t


def in_lanes(lanes: Lanes, shape: tuple[int, ...], dtype: np.dtype[Any] = _F32) -> Tensor:
    """A tensor around a core Buffer of ``shape`` (samples first)."""
    t = Tensor.__new__(Tensor)
    t._fill(None, lanes, shape, dtype, True)
    return t


def in_few(few: Lanes, shape: tuple[int, ...], dtype: np.dtype[Any] = _F32) -> Tensor:
    """A tensor around a core Buffer of few samples of ``shape``. Written out: on one image every call counts."""
    t = Tensor.__new__(Tensor)
    t._data = t._lanes = t._grad = t._hooks = t._node = t._name = None
    t._few = few
    t._shape = shape
    t._dtype = dtype
    t.stop_gradient = True
    t.persistable = False
    return t


def is_tensor(x: object) -> bool:
    """True for a Tensor."""
    return isinstance(x, Tensor)


def to_tensor(data: Any, dtype: Any = None, place: Any = None, stop_gradient: bool = True) -> Tensor:
    """A Tensor with a copy of ``data`` (``paddle.to_tensor``).

    data: a number, nested lists of numbers, an ndarray, a Tensor, or a tensor of PyTorch or Paddle. Python ints become int64,
    floats the default dtype (float32), arrays and tensors keep their dtype. dtype: another one, as in "float32". place:
    accepted, there is only the CPU.
    TypeError for text, None, dicts; ValueError for ragged lists.
    """
    if type(data) is np.ndarray and dtype is None and data.dtype in _dtype._BY_NUMPY:
        return dense(data.copy(), stop_gradient)
    if isinstance(data, Tensor):
        array = data.data_array()
    elif isinstance(data, (np.ndarray, np.generic)):
        array = np.asarray(data)
    elif isinstance(data, (bool, int, float, list, tuple)):
        array = _from_python(data)
    elif _is_foreign_tensor(data):
        array = _foreign_array(data)
    elif hasattr(data, "__array__"):
        array = np.asarray(data)
    else:
        raise TypeError(
            message("to_tensor()", describe(data), "a number, a list of numbers, an ndarray or a lenet Tensor")
        )
    wanted = dtype_of(dtype).numpy if dtype is not None else array.dtype
    if wanted not in _dtype._BY_NUMPY:
        raise TypeError(
            message("to_tensor()", f"an array of {array.dtype}", "numbers", "Convert it: x.astype('float32')")
        )
    copy = np.array(array, wanted, order="C")
    return dense(copy, stop_gradient)


def _is_foreign_tensor(value: object) -> bool:
    return type(value).__module__.split(".")[0] in ("paddle", "torch", "tensorflow", "jax", "jaxlib")


def _foreign_array(value: Any) -> NDArray[Any]:
    """The numbers of another library's tensor, wherever it lies. TypeError for what numpy has no form of."""
    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu()
        return np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    except (TypeError, ValueError, RuntimeError):
        given = f"{type(value).__name__} of {getattr(value, 'dtype', 'no dtype')}"
        fix = "Convert it there: x.float() in PyTorch, x.astype('float32') in Paddle"
        raise TypeError(message("to_tensor()", given, "numbers that numpy has a form of", fix)) from None


def _from_python(data: Any) -> NDArray[Any]:
    def plain(item: Any) -> Any:
        if isinstance(item, Tensor):
            return item.data_array()
        return [plain(i) for i in item] if isinstance(item, (list, tuple)) else item

    try:
        array = np.array(plain(data))
    except ValueError:
        raise ValueError(
            message("to_tensor()", "lists of different lengths", "lists that form a full rectangle")
        ) from None
    if array.dtype.kind in "OUSV":
        raise TypeError(
            message("to_tensor()", describe(data), "a number, a list of numbers, an ndarray or a lenet Tensor")
        )
    if array.dtype == _F64 and not _holds_float64_tensors(data):
        array = array.astype(_dtype._default.numpy)
    return array


def _holds_float64_tensors(data: Any) -> bool:
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return isinstance(data, Tensor) and data._dtype == _F64
