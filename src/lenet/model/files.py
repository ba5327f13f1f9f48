"""A ``Model``'s files: Paddle's pair ``x.pdparams`` and ``x.pdopt``, or one ``x.safetensors`` with everything in it.

Only what goes where is decided here; ``serialization`` reads and writes. In a safetensors file the weights stand under
their names in the network (``conv1.weight``), the optimizer's arrays under ``optimizer/conv1.weight/moment1``, and numbers
under ``optimizer`` in the metadata. Loading checks everything first, then writes: a file that doesn't fit changes nothing.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lenet.messages.check import MOST, message, one_line
from lenet.model.state import State
from lenet.modelfile import architecture, serialization

if TYPE_CHECKING:
    from lenet.autograd.tensor import Tensor

__all__ = ["account", "load", "save"]

_PAIR = (".pdparams", ".pdopt", ".pdmodel")  # suffixes that stand for the pair
_PREFIX = "optimizer/"

Arrays = dict[str, NDArray[Any]]


def save(
    model: State,
    path: str | os.PathLike[str],
    mean: float | None = None,
    std: float | None = None,
    labels: Sequence[str] | None = None,
) -> None:
    """Write the model: one file if ``path`` ends in .safetensors, else the pair."""
    stem, suffix = _parts(path)
    if suffix != ".safetensors" and any(one is not None for one in (mean, std, labels)):
        raise ValueError(
            message("save(path)", os.fspath(path), "a name ending in .safetensors for mean, std and labels")
        )
    if suffix == ".safetensors":
        arrays = {name: tensor.data_array() for name, tensor in model.network.state_dict().items()}
        serialization.write_model(
            stem + suffix, arrays | _optimizer_arrays(model), _model_meta(model, mean, std, labels)
        )
        return
    serialization.save(model.network.state_dict(), stem + ".pdparams")
    state = model._optimizer.state_dict() if model._optimizer is not None else {}
    if state:
        serialization.save(state, stem + ".pdopt")
    elif os.path.exists(stem + ".pdopt"):
        os.unlink(stem + ".pdopt")  # of an earlier model: it doesn't belong to these weights


def load(model: State, path: str | os.PathLike[str], skip_mismatch: bool, reset_optimizer: bool) -> None:
    """Read what ``save``, or real Paddle, wrote, into the model's network and optimizer."""
    stem, suffix = _parts(path)
    file = stem + (suffix if suffix == ".safetensors" else ".pdparams")
    if not os.path.isfile(file):
        raise ValueError(message("Model.load(path)", f"{os.fspath(path)}, but there is no {file}", "a saved model"))
    weights, state = _read_one(model, file) if suffix == ".safetensors" else _read_pair(stem)
    fitting, trouble = _fitting(model, weights, file)
    if trouble and not skip_mismatch:
        raise ValueError(one_line(trouble[0], MOST))
    for text in trouble:
        warnings.warn(f"Skip loading: {text}", stacklevel=3)
    _set_optimizer(model, None if reset_optimizer or trouble else state, reset_optimizer or bool(trouble))
    for tensor, value in fitting:
        tensor.set_value(value)


def _parts(path: str | os.PathLike[str]) -> tuple[str, str]:
    """``path`` without the suffix that says which kind of file, and that suffix; ValueError without a file name."""
    text = os.fspath(path)
    if not os.path.basename(text):
        raise ValueError(message("path of a model", repr(text), "a file name", "Type for example 'checkpoints/lenet'"))
    stem, suffix = os.path.splitext(text)
    return (stem, suffix) if suffix in (".safetensors", *_PAIR) and os.path.basename(stem) else (text, "")


def _read_pair(stem: str) -> tuple[Arrays, dict[str, Any] | None]:
    weights = serialization.load(stem + ".pdparams", return_numpy=True)
    if not isinstance(weights, dict):
        raise ValueError(message(stem + ".pdparams", f"a {type(weights).__name__}", "a dict of arrays"))
    state = None
    if os.path.isfile(stem + ".pdopt"):
        state = serialization.load(stem + ".pdopt", return_numpy=True)
        if not isinstance(state, dict):
            raise ValueError(message(stem + ".pdopt", f"a {type(state).__name__}", "a dict of arrays"))
    return weights, state


def _read_one(model: State, file: str) -> tuple[Arrays, dict[str, Any] | None]:
    arrays, meta = serialization.read_model(file)
    weights = {name: array for name, array in arrays.items() if not name.startswith(_PREFIX)}
    names = {path: parameter.name for path, parameter in model.network.named_parameters()}
    state: dict[str, Any] = {}
    for name in arrays.keys() - weights.keys():
        path, _, kind = name.removeprefix(_PREFIX).rpartition("/")
        state[f"{names.get(path, path)}_{kind}_0"] = arrays[name]
    about = meta.get("optimizer")
    if isinstance(about, dict) and "LR_Scheduler" in about:
        state["LR_Scheduler"] = about["LR_Scheduler"]
    return weights, state


def _fitting(model: State, weights: Arrays, file: str) -> tuple[list[tuple[Tensor, NDArray[Any]]], list[str]]:
    """The network's tensors with their new values, and for each that has none the reason."""
    fitting, trouble = [], []
    for name, tensor in model.network.state_dict().items():
        value = weights.get(name)
        if not isinstance(value, np.ndarray):
            trouble.append(f"{name} is not found in {file}, which has {', '.join(list(weights)[:6]) or 'nothing'}.")
        elif list(value.shape) != list(tensor.shape):
            shapes = f"a shape {list(value.shape)}, but the expected shape is {list(tensor.shape)}"
            turned = value.ndim == 2 and list(value.shape[::-1]) == list(tensor.shape)
            why = "looks like PyTorch's: its Linear weights are transposed" if turned else "is of another network"
            trouble.append(f"{name} receives {shapes}. The file {file} {why}.")
        elif value.dtype != tensor.dtype.numpy:
            trouble.append(f"{name} receives the dtype {value.dtype}, but the expected dtype is {tensor.dtype.name}.")
        else:
            fitting.append((tensor, value))
    return fitting, trouble


def _set_optimizer(model: State, state: dict[str, Any] | None, reset: bool) -> None:
    optimizer = model._optimizer
    if optimizer is not None and reset:
        optimizer._states.clear()
        optimizer._powers.clear()
    elif optimizer is not None and state:
        optimizer.set_state_dict(state)


def _optimizer_arrays(model: State) -> Arrays:
    """The optimizer's arrays, under the names they have in our file."""
    if model._optimizer is None:
        return {}
    state = model._optimizer.state_dict()
    kinds = [*model._optimizer.state_names, *(f"{name}_pow_acc" for name in model._optimizer.power_names)]
    found = {}
    for path, parameter in model.network.named_parameters():
        for kind in kinds:
            if f"{parameter.name}_{kind}_0" in state:
                found[f"{_PREFIX}{path}/{kind}"] = state[f"{parameter.name}_{kind}_0"].data_array()
    return found


def _model_meta(model: State, mean: float | None, std: float | None, labels: Sequence[str] | None) -> dict[str, Any]:
    """What the one file says beside the arrays: the network, where it can be described, so that ``lenet evaluate``,
    ``lenet.train.Trained`` and the like can use the file; the optimizer's kind and its scheduler's numbers."""
    meta = account(model, mean, std, labels)
    if model._optimizer is not None:
        state = model._optimizer.state_dict()
        about = {"kind": type(model._optimizer).__name__}
        meta["optimizer"] = about | {key: state[key] for key in ("LR_Scheduler",) if key in state}
    return meta


def account(
    model: State, mean: float | None = None, std: float | None = None, labels: Sequence[str] | None = None
) -> dict[str, Any]:
    """The account of the network; {} where a file would hold the weights alone. What is given comes first."""
    if std is not None and not std > 0:
        raise ValueError(message("std", std, "a number above 0"))
    pixels = (float(mean), float(std)) if mean is not None and std is not None else _pixels(model)
    shape = _image_shape(model)
    asked = mean is not None or std is not None or labels is not None
    if pixels is None or shape is None:
        if asked:
            given = "no mean and std" if pixels is None else "a model that has seen no image"
            fix = "Type model.save(path, mean=127.5, std=127.5) after a fit"
            raise ValueError(message("save", given, "all that the file must say of an image", fix))
        return {}
    try:
        vectors = shape
        rows, shape = _rows(model, shape)
    except ValueError:
        if asked:
            raise
        return {}
    if len(rows[-1]["output"]) != 1:  # a map, which no such file is for
        if asked:
            given = f"a network with outputs of shape {rows[-1]['output']}"
            fix = "Leave out mean, std and labels, or write it with lenet.jit.save"
            raise ValueError(message("save", given, "one number a class", fix))
        return {}
    outputs = rows[-1]["output"][0]
    seen = model._trained_on
    known = labels or model.classes or (seen.classes if seen is not None else ())
    if labels is not None and len(labels) != outputs:
        raise ValueError(message("save(labels)", f"{len(labels)} names", f"one for each of {outputs} outputs"))
    names = [str(name) for name in known] if len(known) == outputs else [str(i) for i in range(outputs)]
    found = architecture.account(rows, shape, *pixels, names)
    if model._form is not None:
        squares = {"side": shape[1]} if model._form.layout.side == 0 and len(vectors) == 1 else {}
        found["input"]["arrays"] = model._form.as_json() | squares
    return found


def _image_shape(model: State) -> tuple[int, ...] | None:
    """[C, H, W] or [F] of one image, as the network takes it; None if that is unknown."""
    if model._trained_on is not None:
        return model._trained_on.images.shape[1:]
    if len(model._seen_shapes) == 1:
        return model._seen_shapes[0][1:]
    return None


def _rows(model: State, shape: tuple[int, ...]) -> tuple[list[dict[str, Any]], tuple[int, ...]]:
    """The network's rows for images [C, H, W]; one that takes rows of F numbers gets them from squares."""
    rows = architecture.describe(model.network, shape)
    side = isqrt(shape[0]) if len(shape) == 1 else 0
    if side and side * side == shape[0]:
        return architecture.flattened_first(rows, shape[0]), (1, side, side)
    if len(shape) != 3:
        raise ValueError(message("save", f"a network for images of shape {list(shape)}", "[C, H, W]"))
    return rows, shape


def _pixels(model: State) -> tuple[float, float] | None:
    """Mean and std by which a byte became a number in the latest fit; None if that is unknown."""
    seen = model._trained_on
    if model._form is not None:
        return model._form.pixels
    if seen is None or seen.lut is None:
        return None
    scale = seen.lut[255] - seen.lut[0]
    std = float(255 / scale) if scale else 0.0
    mean = float(-seen.lut[0] * std)
    table = (np.arange(256, dtype=np.float32) - np.float32(mean)) / np.float32(std or 1)
    return (mean, std) if np.allclose(table, seen.lut, rtol=0, atol=1e-6) else None  # else no normalisation
