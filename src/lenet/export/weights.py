"""A network's weights as PyTorch has them, and back: a linear weight [I, O] is [O, I] there, ``_mean`` is ``running_mean``.

Names and arrays alone; which weights are linear ones, the network's rows say, so that square ones are turned, too. Read by
``torch_module`` and by whoever wants a state dict or a safetensors file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.export.graph import Graph
from lenet.export.need import need
from lenet.messages.check import brief, describe, message
from lenet.modelfile.serialization import read_model, write_model

__all__ = ["as_array", "load_torch_state", "save_torch_state", "torch_arrays", "torch_names", "torch_state"]

_THERE = {"_mean": "running_mean", "_variance": "running_var"}
_COUNT = "num_batches_tracked"  # which no layer here has


def torch_names(graph: Graph) -> dict[str, str]:
    """For each tensor's name the one that PyTorch's layers give it."""
    counted = graph.counted()
    found = {}
    for name in graph.tensors:
        path, dot, leaf = name.rpartition(".")
        found[name] = path + dot + _THERE.get(leaf, leaf) if name in counted else name
    return found


def torch_arrays(graph: Graph) -> dict[str, NDArray[np.float32]]:
    """The tensors under PyTorch's names, linear weights as [O, I], C-contiguous; not copied where they stay."""
    linear, names = graph.linear_weights(), torch_names(graph)
    return {
        names[name]: np.ascontiguousarray(array.T if name in linear else array) for name, array in graph.tensors.items()
    }


def torch_state(given: Any, *, shape: Sequence[int] | None = None) -> dict[str, Any]:
    """A state dict for the same network written in PyTorch: names to ``torch.Tensor``s, copies.

    given, shape: as ``export.torch`` takes them. ImportError without PyTorch.
    """
    need("export.torch_state", "torch")
    import torch

    return {name: torch.from_numpy(array.copy()) for name, array in torch_arrays(Graph.of(given, shape)).items()}


def save_torch_state(given: Any, path: str | os.PathLike[str], *, shape: Sequence[int] | None = None) -> None:
    """Write that state dict to a safetensors file, which ``safetensors.torch.load_file`` reads. Needs no PyTorch."""
    target = os.fspath(path)
    if not target.endswith(".safetensors"):
        fix = f"Type {os.path.splitext(target)[0] or 'model'}.safetensors"
        raise ValueError(message("save_torch_state(path)", repr(target), "a name ending in .safetensors", fix))
    write_model(target, torch_arrays(Graph.of(given, shape)), {})


def load_torch_state(given: Any, state: Any, *, shape: Sequence[int] | None = None) -> None:
    """Put a PyTorch state dict, or a safetensors file of one, into a network or ``Model`` of the same build.

    Linear weights are turned, square ones too. ValueError for a name that is missing or left over, and for another shape or
    dtype; then nothing is changed.
    """
    graph = Graph.of(given, shape)
    if isinstance(state, (str, os.PathLike)):
        state = read_model(state)[0]
    if not isinstance(state, Mapping):
        raise TypeError(message("load_torch_state(state)", describe(state), "a state dict, or a safetensors file"))
    what, linear, names = "load_torch_state", graph.linear_weights(), torch_names(graph)
    own = graph.network.state_dict()
    new = {}
    for name, theirs in names.items():
        if theirs not in state:
            raise ValueError(message(what, f"no {theirs}", f"it, beside {brief(list(state))}"))
        array = as_array(f"{what}, {theirs}", state[theirs])
        expected = graph.tensors[name].shape[::-1] if name in linear else graph.tensors[name].shape
        if array.shape != expected:
            fix = "It is turned already: PyTorch's linear weights are [O, I]" if array.shape == expected[::-1] else ""
            raise ValueError(message(f"{what}, {theirs}", f"shape {list(array.shape)}", f"{list(expected)}", fix))
        new[name] = array.T if name in linear else array
    left = [key for key in state if key not in names.values() and not str(key).endswith(_COUNT)]
    if left:
        raise ValueError(message(what, f"{left[0]}, which the network has not", f"{brief(list(names.values()))}"))
    for name, array in new.items():
        own[name].set_value(np.ascontiguousarray(array))


def as_array(what: str, value: Any) -> NDArray[np.float32]:
    """A tensor of any library as a float32 array; ValueError for another dtype, with what to type."""
    kind = str(getattr(value, "dtype", "")).rpartition(".")[2]
    if kind != "float32":
        raise ValueError(message(what, describe(value), "float32", "Convert it: x.float() in PyTorch"))
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    return np.asarray(value.numpy() if hasattr(value, "numpy") else value)
