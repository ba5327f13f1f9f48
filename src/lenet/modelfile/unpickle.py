"""Reading pickles that nobody vouches for: plain values and arrays come out, and nothing in the file is run.

An ordinary unpickler calls whatever the file names. This one admits the few names below and gives each a stand-in that
makes an inert record; when the file has been read, arrays are made of the records whose sizes add up. Everything else
is refused by name. It knows pickle and numpy, not what the values mean. Read by ``serialization``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lenet.messages.check import message

if TYPE_CHECKING:
    from io import BytesIO

    from numpy.typing import NDArray

__all__ = ["NUMBERS", "unpickle"]

NUMBERS = "biufc"  # the numpy kinds that a file may hold: bool, int, uint, float, complex
_DEEPEST = 100  # levels of nesting
_MOST_ODD_KEYS = 2000


def unpickle(file: BytesIO, what: str) -> Any:
    """The value in the pickle of protocol 0 to 4 that begins where ``file`` stands, and ends where it stands then.

    Plain values are None, bool, int, float, complex, str, bytes, numpy arrays and scalars of numbers, and dicts,
    OrderedDicts, lists and tuples of them.

    what: the file's name, for errors. ValueError if the file is truncated or no pickle, and, naming the object, if it
    asks for any other object.
    """
    import pickle

    size = len(file.getbuffer()) - file.tell()

    # The unpickler written in Python: the one in C reserves gigabytes if one short instruction says so.
    class Unpickler(pickle._Unpickler):
        dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)
        for code in (pickle.EXT1, pickle.EXT2, pickle.EXT4):
            del dispatch[code[0]]  # names by number, from a registry that find_class does not see
        for code in (pickle.BYTEARRAY8, pickle.NEXT_BUFFER, pickle.READONLY_BUFFER):
            del dispatch[code[0]]  # of protocol 5; the first reserves whatever size it names

        def find_class(self, module: str, name: str) -> Any:
            found = _ADMITTED.get(f"{module}.{name}")
            if found is None:
                raise _Refused(f"{module}.{name}")
            return found

        def load_build(self) -> None:
            record, state = self.stack[-2:]  # type: ignore[attr-defined]
            if type(record) not in (_Dtype, _Array):
                raise _Refused(f"a state for a {_kind(record)}")
            record.set_state(state)
            del self.stack[-1]  # type: ignore[attr-defined]

        dispatch[pickle.BUILD[0]] = load_build

        def load_no_set(self) -> None:
            raise _Refused("a set")

        for code in (pickle.EMPTY_SET, pickle.ADDITEMS, pickle.FROZENSET):
            dispatch[code[0]] = load_no_set

        odd_keys = 0

        def _check_keys(self, keys: list[Any]) -> None:
            self.odd_keys += sum(_is_odd(key) for key in keys)
            if self.odd_keys > _MOST_ODD_KEYS:
                raise _Refused(f"dicts with more than {_MOST_ODD_KEYS:,} keys that are no text")

        def load_setitem(self) -> None:
            self._check_keys(self.stack[-2:-1])  # type: ignore[attr-defined]
            super().load_setitem()  # type: ignore[misc]

        def load_setitems(self) -> None:
            self._check_keys(self.stack[::2])  # type: ignore[attr-defined]
            super().load_setitems()  # type: ignore[misc]

        def load_dict(self) -> None:
            self._check_keys(self.stack[::2])  # type: ignore[attr-defined]
            super().load_dict()  # type: ignore[misc]

        dispatch[pickle.SETITEM[0]] = load_setitem
        dispatch[pickle.SETITEMS[0]] = load_setitems
        dispatch[pickle.DICT[0]] = load_dict

    try:
        return _Reader(size).plain(Unpickler(file).load(), 0)
    except _Refused as refused:
        fix = "Nothing was run. If you trust its author, ask for the file anew, saved as a dict of arrays"
        raise ValueError(message(what, f"a pickle that asks for {refused}", "plain values and arrays", fix)) from None
    except Exception as error:  # whatever the instructions of a damaged file lead to
        given = f"{size} bytes that cannot be read ({type(error).__name__}: {error})"
        fix = "It is truncated, damaged, or another kind of file"
        raise ValueError(message(what, given, "a .pdparams, .pdopt or .safetensors file", fix)) from None


class _Refused(Exception):
    """The file asks for something that is not admitted; the text says for what."""


def _is_odd(key: object) -> bool:
    """Whether a key may be one of many that were made to share one place in a dict, which would take for ever."""
    return not (key is None or type(key) in (str, bytes, bool) or (type(key) is int and key.bit_length() < 61))


def _kind(value: object) -> str:
    return type(value).__name__.strip("_").lower()


class _Name:
    """What an admitted name stands for. It can be called."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[..., Any]) -> None:
        self.make = make

    def __call__(self, *args: Any) -> Any:
        return self.make(*args)


class _Dtype:
    """A dtype in a file: a code such as f4, then a state with the byte order."""

    __slots__ = ("code", "order")

    def __init__(self, code: object, *flags: object) -> None:
        if not isinstance(code, str) or code[:1] not in NUMBERS or code[1:] not in ("1", "2", "4", "8", "16"):
            raise _Refused(f"the dtype {str(code)[:40]!r}")
        self.code, self.order = code, "="

    def set_state(self, state: Any) -> None:
        order, *structure = state[1:5]
        if order not in ("<", ">", "|", "=") or structure != [None, None, None]:
            raise _Refused("a structured dtype")
        self.order = order

    def numpy(self) -> np.dtype[Any]:
        return np.dtype(self.order + self.code)


class _Text:
    """Bytes in a file of protocol 2, which writes them as text."""

    __slots__ = ("text",)

    def __init__(self, text: str, encoding: str) -> None:
        if encoding != "latin1":
            raise _Refused(f"the encoding {encoding}")
        self.text = text


class _Array:
    """An array in a file: made empty, then given a state of (version, shape, dtype, is_fortran, bytes)."""

    __slots__ = ("is_scalar", "state")

    def __init__(self, kind: object, shape: object, code: object) -> None:
        if kind is not _NDARRAY or shape != (0,):
            raise _Refused("an array that is not built as numpy builds one")
        self.is_scalar = False

    def set_state(self, state: Any) -> None:
        self.state = state


def _scalar(dtype: object, raw: object) -> _Array:
    record = _Array(_NDARRAY, (0,), b"b")
    record.set_state((1, (), dtype, False, raw))
    record.is_scalar = True
    return record


def _tuple(items: object) -> object:
    if type(items) is not tuple:
        raise _Refused(f"a tuple of a {_kind(items)}")
    return items


def _no_call(*args: object) -> None:
    raise _Refused("a call of numpy.ndarray")


_NDARRAY = _Name(_no_call)
# What the files of Paddle 3.3.1 name. The arrays of every .pdparams and .pdopt need ndarray, dtype and _reconstruct. A
# scalar is in the .pdopt of a ReduceOnPlateau that was stepped with a numpy number; tuple and OrderedDict come with
# nested states, as in save({"model": net.state_dict(), "epoch": 3}); encode is how protocol 2 writes bytes.
_ADMITTED = {
    "numpy.ndarray": _NDARRAY,
    "numpy.dtype": _Name(_Dtype),
    "numpy.core.multiarray._reconstruct": _Name(_Array),
    "numpy._core.multiarray._reconstruct": _Name(_Array),
    "numpy.core.multiarray.scalar": _Name(_scalar),
    "numpy._core.multiarray.scalar": _Name(_scalar),
    "builtins.tuple": _Name(_tuple),
    "__builtin__.tuple": _Name(_tuple),
    "collections.OrderedDict": _Name(OrderedDict),
    "_codecs.encode": _Name(_Text),
}


class _Reader:
    """Makes plain values of what an unpickler left. ``left``: the bytes of arrays still to come, at most the file's."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.done: dict[int, Any] = {}  # results by the id of their source: what was shared stays shared

    def plain(self, value: Any, depth: int) -> Any:
        if value is None or type(value) in (bool, int, float, complex, str, bytes):
            return value
        if id(value) not in self.done:
            if depth > _DEEPEST:
                raise _Refused(f"values nested more than {_DEEPEST} deep")
            self.done[id(value)] = self._made(value, depth + 1)
        return self.done[id(value)]

    def _made(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is _Array:
            return self._array(value)
        if kind is _Text:
            return self._bytes(value)
        if kind in (dict, OrderedDict):
            return kind((self.plain(key, depth), self.plain(item, depth)) for key, item in value.items())
        if kind in (list, tuple):
            return kind(self.plain(item, depth) for item in value)
        raise _Refused(f"a {_kind(value)}")

    def _bytes(self, raw: Any) -> bytes:
        """The bytes, taken off what the file can hold: else a small file could ask for one block a million times."""
        content = raw.text.encode("latin1") if type(raw) is _Text else raw
        if type(content) is not bytes:
            raise ValueError("an array without bytes")
        self.left -= len(content)
        if self.left < 0:
            raise _Refused("more bytes than the file has")
        return content

    def _array(self, record: _Array) -> NDArray[Any] | np.generic:
        _, shape, dtype, is_fortran, raw = record.state
        if type(dtype) is not _Dtype or type(shape) is not tuple or any(type(n) is not int or n < 0 for n in shape):
            raise ValueError("an array without dtype or shape")
        content = self._bytes(raw)
        flat = np.frombuffer(content, dtype.numpy()) if content else np.empty(0, dtype.numpy())
        array = flat.reshape(shape, order="F" if is_fortran else "C")
        native = np.array(array, array.dtype.newbyteorder("="), order="C")
        return native[()] if record.is_scalar else native
