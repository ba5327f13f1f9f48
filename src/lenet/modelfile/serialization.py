"""Files: our model file, and Paddle's ``.pdparams`` and ``.pdopt``.

- ``write_model`` and ``read_model``: one safetensors file, tensors by name and a JSON object about them.
- ``save`` and ``load`` (``paddle.save``, ``paddle.load``): pickles that Paddle reads, and reading those it wrote.
  What a file says is never run (``unpickle``).
- ``keep_previous``: an earlier model's second name, before another takes its first. How a file is written: ``write``.

What the tensors and the JSON mean is not known here: ``model`` and ``train`` decide that. A model file is untrusted, so
whoever reads its JSON, which is limited in size here, checks what it says.
"""

from __future__ import annotations

import errno
import os
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lenet.autograd.tensor import Tensor, to_tensor
from lenet.disk.write import atomic_write, link_or_copy
from lenet.messages.check import describe, message
from lenet.modelfile.unpickle import NUMBERS, unpickle

if TYPE_CHECKING:
    from io import BytesIO
    from pathlib import Path

    from numpy.typing import NDArray

    PathLike = str | os.PathLike[str]

__all__ = ["atomic_write", "digest", "keep_previous", "load", "read_model", "save", "write_model"]

META_KEY = "lenet"  # the one metadata key: several would come out in random order, and the file would not repeat
META_LIMIT = (
    2 << 20
)  # bytes of JSON; a training record takes kilobytes. As objects of Python they are twenty times that
HEADER_LIMIT = 3 * META_LIMIT  # bytes of JSON within JSON, and of tensors' names and shapes
DEEPEST = 50  # levels of lists and objects in each other
_TABLE = "StructuredToParameterName@@"  # Paddle's table from structured names to parameter names


# ---- our model file -------------------------------------------------------------------------------------------------


def write_model(path: PathLike, tensors: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> None:
    """Write a safetensors file: arrays by name (any shape; bool, int, uint, float of 2 to 8 bytes) and ``meta``.

    meta: a JSON object, stored under the one key ``lenet`` as canonical JSON (sorted keys, no spaces, no NaN), so that
    the same tensors and the same meta give the same bytes. TypeError or ValueError if something cannot be stored.
    """
    from safetensors.numpy import save as to_bytes

    arrays = {name: _storable(name, array) for name, array in tensors.items()}
    atomic_write(path, to_bytes(arrays, metadata={META_KEY: _to_json(meta)}))


def read_model(path: PathLike) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The tensors, sorted by name, and the meta of a safetensors file; meta is {} where another program wrote it.

    FileNotFoundError if there is none; ValueError if it is truncated, damaged or another kind of file.
    """
    return _parse_model(_read(path), os.fspath(path))


def digest(tensors: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256, in hex, over name, dtype, shape and bytes of each tensor, in the order of their names."""
    import hashlib

    total = hashlib.sha256()
    for name in sorted(tensors):
        array = _storable(name, tensors[name])
        total.update(f"{name}\0{array.dtype.str}\0{list(array.shape)}\0".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def keep_previous(path: PathLike) -> tuple[Path, bool] | None:
    """Give an existing model file NAME.safetensors a second name, NAME.<first 8 digits of its digest>.safetensors.

    Under its first name it stays until something else replaces it there: at no moment is there none. Returns the second
    name and whether no file had it before, or None if there is no file. A file of that name with the same weights is
    replaced; one with other weights is left alone and more digits are used.
    """
    from pathlib import Path

    old = Path(path)
    if not old.is_file():
        return None
    tag = _tag(old)
    for digits in (8, 16, len(tag)):
        new = old.with_name(f"{old.stem}.{tag[:digits]}{old.suffix}")
        is_new = not new.exists()
        if is_new or _tag(new) == tag:
            break
    link_or_copy(old, new)
    return new, is_new


def _tag(path: Path) -> str:
    """The digest of a model file's weights, or of its bytes if it is none."""
    import hashlib

    try:
        return digest(read_model(path)[0])
    except ValueError:
        return hashlib.sha256(path.read_bytes()).hexdigest()


def _storable(name: object, array: object) -> NDArray[Any]:
    if not isinstance(name, str):
        raise TypeError(message("name of a tensor", describe(name), "text"))
    if not isinstance(array, np.ndarray):
        raise TypeError(message(f"tensor {name!r}", describe(array), "an ndarray"))
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        fix = "Convert it: x.astype('float32')"
        raise TypeError(message(f"tensor {name!r}", f"dtype {array.dtype}", "bool, int, uint or float", fix))
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")


def _to_json(meta: Mapping[str, Any]) -> str:
    import json

    try:
        text = json.dumps(dict(meta), sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        fix = "Convert arrays with .tolist() and numpy numbers with float()"
        what, expected = "metadata of a model file", "text, finite numbers, lists and dicts with text keys"
        raise type(error)(message(what, str(error), expected, fix)) from None
    if len(text) > META_LIMIT:
        raise ValueError(message("metadata of a model file", f"{len(text)} bytes of JSON", f"at most {META_LIMIT}"))
    return text


def _parse_model(data: bytes, what: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    import json

    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    expected = "a safetensors model file"
    if data[:1] == b"<":
        fix = "A failed download was saved under this name: fetch it again"
        raise ValueError(message(what, "an HTML or XML page", expected, fix))
    if data[:1] == b"\x80" and data[8:9] != b"{":
        raise ValueError(message(what, "a pickle", expected, "Read .pdparams and .pdopt files with lenet.load()"))
    size = int.from_bytes(data[:8], "little")
    if HEADER_LIMIT < size <= len(data):
        raise ValueError(message(what, f"{size} bytes of header", f"at most {HEADER_LIMIT}"))
    try:
        tensors = from_bytes(data)
        header = json.loads(data[8 : 8 + size])
    except (SafetensorError, ValueError, TypeError, KeyError, RecursionError) as error:
        fix = "It is truncated, damaged, or another kind of file: copy or train it again"
        raise ValueError(message(what, f"{len(data)} bytes ({error})", expected, fix)) from None
    texts = header.get("__metadata__")
    text = texts.get(META_KEY, "{}") if isinstance(texts, dict) else "{}"
    if not isinstance(text, str):
        raise ValueError(message(what, f"metadata that is a {type(text).__name__}", "text with a JSON object"))
    if len(text) > META_LIMIT:
        raise ValueError(message(what, f"{len(text)} bytes of metadata", f"at most {META_LIMIT}"))
    try:
        meta = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(message(what, f"metadata that is no JSON ({error})", "a JSON object")) from None
    if not isinstance(meta, dict):
        raise ValueError(message(what, f"metadata that is a {type(meta).__name__}", "a JSON object"))
    if _is_deeper(meta, DEEPEST):
        raise ValueError(message(what, f"metadata of more than {DEEPEST} levels", "a JSON object as lenet writes it"))
    return {name: np.array(tensors[name]) for name in sorted(tensors)}, meta  # they come in random order


def _is_deeper(value: Any, levels: int) -> bool:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(levels == 0 or _is_deeper(item, levels - 1) for item in items)


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is not JSON")


def _read(path: PathLike) -> bytes:
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, message("file to read", f"the folder {os.fspath(path)}", "a file"))
    with open(path, "rb") as file:
        return file.read()


# ---- Paddle's files -------------------------------------------------------------------------------------------------


def save(obj: Any, path: PathLike | BytesIO, protocol: int = 4, **configs: Any) -> None:
    """Write Tensors, arrays and plain values, nested in dicts, lists and tuples, so that ``paddle.load`` reads them.

    obj: usually ``net.state_dict()`` (by custom to "x.pdparams") or ``optimizer.state_dict()`` ("x.pdopt").
    path: a file, whose folders are made, or a BytesIO. protocol: of the pickle, 2 to 4. A path that ends in
    ``.safetensors`` takes a dict of Tensors or arrays and becomes such a file. ValueError for a Layer or an empty name,
    TypeError for objects that ``load`` would refuse. pickle_protocol is protocol's older name; use_binary_format has to be
    False.
    """
    import io

    protocol = configs.pop("pickle_protocol", protocol)
    if configs.pop("use_binary_format", False):
        raise ValueError(message("save(use_binary_format)", True, "False", "Leave it out: load reads what save writes"))
    if configs:
        raise TypeError(f"save() got an unexpected keyword argument {next(iter(configs))!r}")

    if isinstance(protocol, bool) or not isinstance(protocol, int) or not 2 <= protocol <= 4:
        raise ValueError(message("save(protocol)", describe(protocol), "2, 3 or 4"))
    if isinstance(path, io.BytesIO):
        path.write(_pickled(obj, protocol))
        return
    if not isinstance(path, (str, os.PathLike)):
        raise ValueError(message("save(path)", describe(path), "a file name or a BytesIO"))
    if not os.path.basename(path):
        raise ValueError(message("save(path)", repr(os.fspath(path)), "a file name after the folder", "Add one"))
    if os.fspath(path).endswith(".safetensors"):
        if not isinstance(obj, Mapping):
            fix = "Choose another suffix, such as .pdparams"
            raise TypeError(message("save() to a .safetensors file", describe(obj), "a dict of Tensors or arrays", fix))
        arrays = {name: value.data_array() if isinstance(value, Tensor) else value for name, value in obj.items()}
        write_model(path, arrays, {})
    else:
        atomic_write(path, _pickled(obj, protocol))


def load(path: PathLike | BytesIO, return_numpy: bool = False) -> Any:
    """What ``save``, or Paddle's ``save``, wrote: with Tensors (stop_gradient True), or ndarrays if ``return_numpy``.

    Reads safetensors files too, as a dict. Of several objects in a BytesIO it reads the one where it stands, and stands at
    the next one then. Nothing in the file is run. ValueError if there is no such file, if it is
    truncated or of another kind, and, with its name, if it holds any object but arrays and plain values.
    """
    import io

    what = "BytesIO" if isinstance(path, io.BytesIO) else os.fspath(path)
    if isinstance(path, io.BytesIO):
        start = path.tell()
        data = path.read()
    elif os.path.isfile(path):
        data = _read(path)
    else:
        full = [what + suffix for suffix in (".pdparams", ".pdopt", ".safetensors") if os.path.isfile(what + suffix)]
        fix = f"Give the full name: {' or '.join(full)}" if full else "Check the path for a misspelling"
        raise ValueError(message("load(path)", f"{what}, which is no file", "a file that save() wrote", fix))
    if data[8:9] == b"{" and int.from_bytes(data[:8], "little") < len(data):
        tensors = _parse_model(data, what)[0]
        return tensors if return_numpy else {name: to_tensor(array) for name, array in tensors.items()}
    file = io.BytesIO(data)
    found = unpickle(file, what)
    if isinstance(path, io.BytesIO):
        path.seek(start + file.tell())
    if not (isinstance(found, dict) and _TABLE in found):
        return _Loaded(found, return_numpy).result
    table = found.pop(_TABLE)
    for key, name in table.items() if isinstance(table, dict) else ():
        if isinstance(found.get(key), np.ndarray) and not return_numpy:
            found[key] = _tensor(found[key], str(name))
    return found


def _pickled(obj: Any, protocol: int) -> bytes:
    import pickle

    if _is_state_dict(obj):
        tensors = {key: value for key, value in obj.items() if isinstance(value, Tensor)}
        obj = {**obj, **{key: tensor.data_array() for key, tensor in tensors.items()}}
        obj[_TABLE] = {key: tensor.name for key, tensor in tensors.items()}
    return pickle.dumps(_to_pickle(obj, {}, 0), protocol)


def _is_state_dict(obj: Any) -> bool:
    """Paddle's rule for a flat file with a table of names: a dict of Tensors, and of dicts without any Tensor."""
    return isinstance(obj, dict) and all(
        isinstance(value, Tensor) or (isinstance(value, dict) and not any(_any_tensor(v) for v in value.values()))
        for value in obj.values()
    )


def _any_tensor(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(_any_tensor(item) for item in value)
    if isinstance(value, dict):
        return any(_any_tensor(item) for item in value.values())
    return isinstance(value, Tensor)


class _Named:
    """A Tensor outside of a state dict: a pickle holds (name, array) in its place, as Paddle's do."""

    def __init__(self, tensor: Tensor) -> None:
        self.pair = (tensor.name, tensor.data_array())

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (self.pair,)


def _to_pickle(value: Any, done: dict[int, Any], depth: int) -> Any:
    """The value as ``load`` can read it; TypeError for what it would refuse. ``done``: results by id, for sharing."""
    from lenet.nn import Layer

    if value is None or type(value) in (bool, int, float, complex, str, bytes):
        return value
    if type(value) is np.ndarray or isinstance(value, np.generic):
        if value.dtype.kind in NUMBERS:
            return value
    elif id(value) in done:
        return done[id(value)]
    elif depth > 100:
        raise ValueError(message("save()", "values nested more than 100 deep", "fewer levels"))
    elif isinstance(value, Layer):
        given = f"a {type(value).__name__}, which is a Layer"
        raise ValueError(message("save()", given, "its state", "Save net.state_dict()"))
    elif isinstance(value, Tensor):
        done[id(value)] = _Named(value)
        return done[id(value)]
    elif isinstance(value, dict):
        pairs = ((_to_pickle(k, done, depth + 1), _to_pickle(v, done, depth + 1)) for k, v in value.items())
        done[id(value)] = OrderedDict(pairs) if isinstance(value, OrderedDict) else dict(pairs)
        return done[id(value)]
    elif isinstance(value, (list, tuple)):
        items = [_to_pickle(item, done, depth + 1) for item in value]
        done[id(value)] = tuple(items) if isinstance(value, tuple) else items
        return done[id(value)]
    expected = "Tensors, arrays of numbers, text, numbers, None, and dicts, lists and tuples of them"
    raise TypeError(message("save()", describe(value), expected))


class _Loaded:
    """Puts Tensors into what a pickle held outside of a state dict, as Paddle's ``load`` does.

    Each (name, array) becomes a Tensor if there are such pairs, otherwise each array does. Results are kept by id, so
    that what is shared stays shared, and a file of a few bytes cannot unfold into millions of items.
    """

    def __init__(self, found: Any, return_numpy: bool) -> None:
        self.return_numpy = return_numpy
        self.seen: dict[int, Any] = {}
        self.named = self._any_named(found)
        self.seen.clear()
        self.result = self._with_tensors(found)

    @staticmethod
    def _is_named(value: Any) -> bool:
        pair = isinstance(value, tuple) and len(value) == 2
        return pair and isinstance(value[0], str) and isinstance(value[1], np.ndarray)

    def _any_named(self, value: Any) -> bool:
        if id(value) not in self.seen:
            items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
            self.seen[id(value)] = self._is_named(value) or any(self._any_named(item) for item in items)
        return bool(self.seen[id(value)])

    def _with_tensors(self, value: Any) -> Any:
        if id(value) not in self.seen:
            self.seen[id(value)] = self._converted(value)
        return self.seen[id(value)]

    def _converted(self, value: Any) -> Any:
        if self._is_named(value):
            return value[1] if self.return_numpy else _tensor(value[1], value[0])
        if isinstance(value, dict):
            return type(value)((key, self._with_tensors(item)) for key, item in value.items())
        if isinstance(value, (list, tuple)):
            return type(value)(self._with_tensors(item) for item in value)
        is_tensor = isinstance(value, np.ndarray) and not self.named and not self.return_numpy
        return to_tensor(value) if is_tensor else value


def _tensor(array: NDArray[Any], name: str) -> Tensor:
    tensor = to_tensor(array)
    tensor.name = name
    return tensor
