"""PyTorch's data sets and loaders as ours: what they yield becomes arrays, what they are stays theirs.

Batches are asked of the loader, so its order, its workers and its collate function are as they were. Read by ``feed``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lenet.autograd.tensor import to_tensor
from lenet.io import Dataset, IterableDataset, TensorDataset

__all__ = ["adopted", "is_torch", "plain"]


def is_torch(value: object) -> bool:
    """Whether something is PyTorch's, or of a class derived from one of PyTorch's."""
    return any(kind.__module__.partition(".")[0] in ("torch", "torchvision") for kind in type(value).__mro__)


def adopted(data: Any) -> Any:
    """A data set of ours for one of PyTorch's; a loader, and all else, as it is."""
    names = {kind.__name__ for kind in type(data).__mro__ if kind.__module__.partition(".")[0] == "torch"}
    if "DataLoader" in names or "Dataset" not in names:
        return data
    if "TensorDataset" in names and type(data).__module__.partition(".")[0] == "torch":
        return TensorDataset([plain(tensor) for tensor in data.tensors])
    return _Stream(data) if "IterableDataset" in names else _Samples(data)


def plain(value: Any) -> Any:
    """PyTorch's tensors as arrays, in lists and dicts too; all else as it is."""
    if is_torch(value) and hasattr(value, "detach"):
        return to_tensor(value).numpy()
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return {key: plain(one) for key, one in value.items()} if isinstance(value, Mapping) else value


class _Samples(Dataset):
    """A data set with a length."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def __getitem__(self, index: int) -> Any:
        return _fields(self._data[int(index)])

    def __len__(self) -> int:
        return len(self._data)


class _Stream(IterableDataset):
    """A data set without one."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def __iter__(self) -> Iterator[Any]:
        return (_fields(sample) for sample in self._data)


def _fields(sample: Any) -> Any:
    """A sample's fields; a label that is a plain number is one of int64 or float32."""
    found = plain(sample)
    if not isinstance(found, list):
        return found
    return [np.asarray(one, np.float32) if isinstance(one, float) else one for one in found]
