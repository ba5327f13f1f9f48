"""Data sets: things with ``len(ds)`` and ``ds[i]``, or things to iterate over; and ways to combine and split them.

A data set neither shuffles nor stacks: ``sampler`` picks indices, ``collate`` makes a batch of samples. Any object
with ``__getitem__`` and ``__len__`` will do, a list too; deriving from ``Dataset`` is a courtesy to readers.

Two optional methods make a data set fast. ``__getitems__(indices)`` answers a list of samples (PyTorch's meaning of the
name). ``_batch(indices)`` answers a whole batch, a tuple of arrays or Tensors that nobody else holds, or None for "not
now"; it must equal what stacking the samples gives. ``hook`` finds them.
"""

from __future__ import annotations

import bisect
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from lenet.autograd import random as _random
from lenet.autograd.tensor import Tensor
from lenet.messages.check import describe, message

__all__ = [
    "ChainDataset",
    "ComposeDataset",
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "NoLength",
    "Subset",
    "TensorDataset",
    "hook",
    "random_split",
]


class NoLength(TypeError, ValueError, RuntimeError):
    """``len()`` of what has no length. A TypeError, so that ``list(x)`` works; the other two are Paddle's kinds."""


class Dataset:
    """A data set of one's own derives from this and defines ``__getitem__(self, i)`` and ``__len__(self)``."""

    def __getitem__(self, idx: int) -> Any:
        raise NotImplementedError(f"'__getitem__' not implemented in class {type(self).__name__}")

    def __len__(self) -> int:
        raise NotImplementedError(f"'__len__' not implemented in class {type(self).__name__}")

    def __repr__(self) -> str:
        try:
            return f"{type(self).__name__}({len(self):,} samples)"
        except Exception:  # one's own may not know its length yet
            return f"{type(self).__name__}()"


class IterableDataset(Dataset):
    """A data set that is read from start to end: define ``__iter__(self)``. It has no length and no index."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"'__iter__' not implemented in class {type(self).__name__}")

    def __getitem__(self, idx: int) -> Any:
        fix = "Iterate over it, or derive from Dataset"
        raise RuntimeError(message(type(self).__name__, "an index", "iteration: it is an IterableDataset", fix))

    def __len__(self) -> int:
        raise NoLength(message(type(self).__name__, "len()", "iteration: an IterableDataset has no length"))


def hook(dataset: Any, name: str) -> Callable[[list[int]], Any] | None:
    """The method ``name`` (``_batch`` or ``__getitems__``) of a data set, if it speaks for the data set's samples.

    A class that redefines ``__getitem__`` below the one that wrote the fast method gives other samples than that method
    does, so then the answer is None.
    """
    for cls in type(dataset).__mro__:
        if name in vars(cls):
            found: Callable[[list[int]], Any] = getattr(dataset, name)
            return found
        if "__getitem__" in vars(cls):
            return None
    return None


def changing(data: Any) -> list[Any]:
    """The transforms in ``data`` that change from pass to pass (``vision.transforms.Augment``), each once.

    data: a data set, a transform or a loader; what is found stands in attributes called transform, transforms, dataset
    and datasets, as in the classes here.
    """
    seen: dict[int, Any] = {}

    def look(value: Any) -> None:
        if id(value) in seen:
            return
        seen[id(value)] = value
        inner = getattr(value, "__dict__", {})
        for name in ("transform", "dataset"):
            if inner.get(name) is not None:
                look(inner[name])
        for name in ("transforms", "datasets"):
            for one in inner[name] if isinstance(inner.get(name), (list, tuple)) else ():
                look(one)

    look(data)
    return [value for value in seen.values() if hasattr(type(value), "_new_pass")]


class TensorDataset(Dataset):
    """Samples are the rows of equally long Tensors or arrays: ``ds[i]`` is the tuple of their i-th rows."""

    def __init__(self, tensors: Sequence[Any]) -> None:
        if isinstance(tensors, (Tensor, np.ndarray)):
            fix = "Put it in a list: TensorDataset([x])"
            raise TypeError(message("TensorDataset(tensors)", describe(tensors), "a list of Tensors or arrays", fix))
        self.tensors = list(tensors)
        if not self.tensors:
            raise ValueError(message("TensorDataset(tensors)", "an empty list", "at least one Tensor or array"))
        for tensor in self.tensors:
            if not isinstance(tensor, (Tensor, np.ndarray)):
                raise TypeError(message("TensorDataset(tensors)", describe(tensor), "Tensors or arrays"))
            if tensor.ndim == 0:
                raise ValueError(message("TensorDataset(tensors)", "one number (0-D)", "rows along a first axis"))
        lengths = [int(tensor.shape[0]) for tensor in self.tensors]
        if len(set(lengths)) != 1:
            raise ValueError(message("TensorDataset(tensors)", f"first axes of {lengths}", "equal lengths"))

    def __repr__(self) -> str:
        rows = ", ".join(f"{getattr(t.dtype, 'name', t.dtype)} {list(t.shape[1:])}" for t in self.tensors)
        return f"TensorDataset({len(self):,} samples of {rows})"

    def __getitem__(self, idx: int) -> tuple[Any, ...]:
        return tuple(tensor[idx] for tensor in self.tensors)

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])

    def _batch(self, indices: list[int]) -> tuple[Any, ...]:
        arrays = (t.data_array() if isinstance(t, Tensor) else t for t in self.tensors)
        return tuple(array[indices] for array in arrays)


class ComposeDataset(Dataset):
    """Samples that join the fields of several data sets of the same length: ``(*a[i], *b[i], …)``."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = _not_empty("ComposeDataset", datasets)
        for dataset in self.datasets:
            _refuse_iterable("ComposeDataset", dataset)
        lengths = [len(dataset) for dataset in self.datasets]
        if len(set(lengths)) != 1:
            raise ValueError(message("ComposeDataset(datasets)", f"lengths {lengths}", "equal lengths"))

    def __len__(self) -> int:
        return len(self.datasets[0])

    def __getitem__(self, idx: int) -> tuple[Any, ...]:
        fields: list[Any] = []
        for dataset in self.datasets:
            sample = dataset[idx]
            fields.extend(sample if isinstance(sample, (list, tuple)) else [sample])
        return tuple(fields)


class ChainDataset(IterableDataset):
    """The samples of several IterableDatasets, one data set after the other."""

    def __init__(self, datasets: Iterable[IterableDataset]) -> None:
        self.datasets = _not_empty("ChainDataset", datasets)
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                fix = "Join data sets that have an index with ConcatDataset"
                raise TypeError(message("ChainDataset(datasets)", describe(dataset), "IterableDatasets", fix))

    def __iter__(self) -> Iterator[Any]:
        for dataset in self.datasets:
            yield from dataset


class ConcatDataset(Dataset):
    """The samples of several data sets, one data set after the other, with an index over all of them."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = _not_empty("ConcatDataset", datasets)
        self.cumulative_sizes: list[int] = []
        for dataset in self.datasets:
            _refuse_iterable("ConcatDataset", dataset)
            self.cumulative_sizes.append(len(dataset) + (self.cumulative_sizes or [0])[-1])

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, idx: int) -> Any:
        n = len(self)
        if not -n <= idx < n:
            raise IndexError(message("ConcatDataset", f"index {idx}", f"an index below its length {n}"))
        at = idx % n
        part = bisect.bisect_right(self.cumulative_sizes, at)
        return self.datasets[part][at - (self.cumulative_sizes[part - 1] if part else 0)]


class Subset(Dataset):
    """The samples of ``dataset`` at ``indices``, in that order."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, idx: int) -> Any:
        return self.dataset[self.indices[idx]]

    def __len__(self) -> int:
        return len(self.indices)

    def _batch(self, indices: list[int]) -> Any:
        inner = hook(self.dataset, "_batch")
        return None if inner is None else inner([self.indices[i] for i in indices])


def random_split(dataset: Any, lengths: Sequence[float], generator: Any = None) -> list[Subset]:
    """Cut ``dataset`` into Subsets at random, without overlap.

    lengths: whole numbers that sum to ``len(dataset)``, or shares that sum to 1: each part then gets its share rounded
    down, and what is left is dealt out one by one from the first part. The order comes from ``lenet.seed``;
    ``generator`` is accepted and unused, as in Paddle. ValueError if the lengths do not fit.
    """
    n, given = len(dataset), list(lengths)
    total = sum(given)
    if (math.isclose(total, 1) and n != 1) or any(isinstance(share, float) for share in given):
        if not math.isclose(total, 1) or any(not 0 <= share <= 1 for share in given):
            expected = "shares from 0 to 1 that sum to 1, or whole numbers"
            raise ValueError(message("random_split(lengths)", given, expected))
        counts = [math.floor(n * share) for share in given]
        for i in range(n - sum(counts)):
            counts[i % len(counts)] += 1
        for i, count in enumerate(counts):
            if count == 0:
                warnings.warn(f"random_split: part {i} gets no sample of the {n} there are", stacklevel=2)
    else:
        counts = [int(count) for count in given]
        if total != n or any(count < 0 for count in counts):
            expected = f"whole numbers that sum to the data set's length {n}"
            raise ValueError(message("random_split(lengths)", f"{given} (sum {total})", expected))
    order = _random.generator().randperm(n).tolist()
    parts, start = [], 0
    for count in counts:
        parts.append(Subset(dataset, order[start : start + count]))
        start += count
    return parts


def _not_empty(what: str, datasets: Iterable[Any]) -> list[Any]:
    found = list(datasets)
    if not found:
        raise ValueError(message(f"{what}(datasets)", "an empty list", "at least one data set"))
    return found


def _refuse_iterable(what: str, dataset: Any) -> None:
    if isinstance(dataset, IterableDataset) or not (hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")):
        raise TypeError(message(f"{what}(datasets)", describe(dataset), "data sets with an index and a length"))
