"""Samplers: in which order a data set is read (``Sampler``), and which indices make a batch (``BatchSampler``).

They know a data set's length and nothing else of it. Where the randomness comes from is Paddle's choice, kept here so
that the same seed gives the same order: ``RandomSampler`` and ``WeightedRandomSampler`` draw from numpy's global
generator (``np.random.seed``), ``SubsetRandomSampler`` from ``lenet.seed``, ``DistributedBatchSampler`` from its epoch
number. Random orders are drawn when iteration starts.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any

import numpy as np

from lenet.autograd import random as _random
from lenet.autograd.tensor import Tensor
from lenet.io.dataset import IterableDataset
from lenet.messages.check import describe, message, positive_int

__all__ = [
    "BatchSampler",
    "DistributedBatchSampler",
    "RandomSampler",
    "Sampler",
    "SequenceSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]


class Sampler:
    """A sampler of one's own derives from this and defines ``__iter__`` over indices, and ``__len__`` if it can."""

    def __init__(self, data_source: Any = None) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"'__iter__' not implemented in class {type(self).__name__}")


class SequenceSampler(Sampler):
    """0, 1, …, len(data_source) - 1."""

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler):
    """All indices in random order; or ``num_samples`` of them, with repetition if ``replacement``.

    generator: an iterator of indices that is used instead of a random order (not a random generator). Where it ends
    early, so does the sampler. Source of randomness: numpy's global generator.
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Iterator[int] | None = None,
    ) -> None:
        super().__init__(data_source)
        self.replacement = _boolean("RandomSampler(replacement)", replacement)
        self._num_samples = num_samples
        if generator is not None and not hasattr(generator, "__next__"):
            raise TypeError(message("RandomSampler(generator)", describe(generator), "an iterator of indices or None"))
        self.generator = generator
        if len(data_source) == 0:
            raise ValueError(message("RandomSampler(data_source)", "an empty data set", "at least one sample"))
        positive_int("RandomSampler(num_samples)", self.num_samples)
        if not replacement and self.num_samples > len(data_source):
            given = f"{num_samples} of {len(data_source)} samples"
            fix = "Pass replacement=True to draw samples more than once"
            raise ValueError(message("RandomSampler(num_samples)", given, "at most all samples", fix))

    @property
    def num_samples(self) -> int:
        """How many indices one pass gives."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        if self.generator is not None:
            return (index for _, index in zip(range(self.num_samples), self.generator, strict=False))
        # choice() of an array and not of a number: the same call as Paddle's, hence the same draws.
        indices = np.arange(len(self.data_source))
        return iter(np.random.choice(indices, self.num_samples, replace=self.replacement).tolist())

    def __len__(self) -> int:
        return self.num_samples


class WeightedRandomSampler(Sampler):
    """``num_samples`` indices, index i with a probability in proportion to ``weights[i]`` (2-D: each row by itself).

    Source of randomness: numpy's global generator. ValueError for negative, infinite or NaN weights, for rows without a
    positive weight, and without ``replacement`` for fewer positive weights than samples.
    """

    def __init__(self, weights: Any, num_samples: int, replacement: bool = True) -> None:
        super().__init__()
        self.weights = weights
        self.num_samples = positive_int("WeightedRandomSampler(num_samples)", num_samples)
        self.replacement = _boolean("WeightedRandomSampler(replacement)", replacement)
        rows = np.asarray(weights.data_array() if isinstance(weights, Tensor) else weights)
        if rows.dtype.kind not in "biuf":
            raise TypeError(message("WeightedRandomSampler(weights)", describe(weights), "numbers"))
        if rows.ndim not in (1, 2) or rows.size == 0:
            given = f"shape {list(rows.shape)}"
            raise ValueError(message("WeightedRandomSampler(weights)", given, "one weight a sample, or rows of them"))
        self._rows = np.atleast_2d(rows)
        if not np.isfinite(self._rows).all() or (self._rows < 0).any():
            given = "negative, infinite or NaN weights"
            raise ValueError(message("WeightedRandomSampler(weights)", given, "finite numbers of at least 0"))
        least = 1 if replacement else num_samples
        if ((self._rows > 0).sum(axis=1) < least).any():
            expected = f"at least {least} positive weight(s) in each row"
            fix = "" if replacement else "Pass replacement=True to draw samples more than once"
            raise ValueError(message("WeightedRandomSampler(weights)", "fewer positive weights", expected, fix))

    def __iter__(self) -> Iterator[int]:
        share = self._rows / self._rows.sum(axis=1, keepdims=True)
        drawn = [np.random.choice(len(row), self.num_samples, self.replacement, row) for row in share]
        return iter(np.concatenate(drawn).tolist())

    def __len__(self) -> int:
        return self.num_samples * len(self._rows)


class SubsetRandomSampler(Sampler):
    """The given ``indices`` in random order. Source of randomness: ``lenet.seed``."""

    def __init__(self, indices: Sequence[int]) -> None:
        super().__init__()
        if len(indices) == 0:
            raise ValueError(message("SubsetRandomSampler(indices)", "no index", "at least one"))
        self.indices = indices

    def __iter__(self) -> Iterator[int]:
        return iter([self.indices[i] for i in _random.generator().randperm(len(self.indices)).tolist()])

    def __len__(self) -> int:
        return len(self.indices)


class BatchSampler(Sampler):
    """Lists of ``batch_size`` indices, out of a data set (in order or shuffled) or out of another sampler.

    The last list may be shorter; ``drop_last`` leaves it out. Give a dataset or a sampler, not both.
    """

    def __init__(
        self,
        dataset: Any = None,
        sampler: Iterable[int] | None = None,
        shuffle: bool = False,
        batch_size: int = 1,
        drop_last: bool = False,
    ) -> None:
        super().__init__(dataset)
        self.shuffle = _boolean("BatchSampler(shuffle)", shuffle)
        if (dataset is None) == (sampler is None):
            given = "neither" if dataset is None else "both"
            raise ValueError(message("BatchSampler", f"{given} of dataset and sampler", "one of the two"))
        self.sampler: Iterable[int]
        if sampler is not None:
            if not hasattr(sampler, "__iter__"):
                raise TypeError(message("BatchSampler(sampler)", describe(sampler), "something that yields indices"))
            if shuffle:
                fix = "Use sampler=RandomSampler(dataset), or give the dataset itself"
                raise ValueError(message("BatchSampler(shuffle)", "True with a sampler", "False", fix))
            self.sampler = sampler
        else:
            if isinstance(dataset, IterableDataset) or not hasattr(dataset, "__len__"):
                raise TypeError(message("BatchSampler(dataset)", describe(dataset), "a data set with a length"))
            self.sampler = RandomSampler(dataset) if shuffle else SequenceSampler(dataset)
        self.batch_size = positive_int("BatchSampler(batch_size)", batch_size)
        self.drop_last = _boolean("BatchSampler(drop_last)", drop_last)

    def __iter__(self) -> Iterator[list[int]]:
        return _groups(iter(self.sampler), self.batch_size, self.drop_last)

    def __len__(self) -> int:
        return _group_count(len(self.sampler), self.batch_size, self.drop_last)  # type: ignore[arg-type]


class DistributedBatchSampler(BatchSampler):
    """The batches of process ``rank`` out of ``num_replicas``, which share a data set batch by batch.

    The data set is padded with its first samples until all get the same number. Without ``num_replicas`` and ``rank``
    there is one process. Shuffled by the epoch number: ``set_epoch``, or one more for each pass.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = False,
        drop_last: bool = False,
    ) -> None:
        super().__init__(dataset, batch_size=batch_size, drop_last=drop_last)
        self.dataset = dataset
        self.shuffle = _boolean("DistributedBatchSampler(shuffle)", shuffle)
        self.nranks = positive_int("DistributedBatchSampler(num_replicas)", 1 if num_replicas is None else num_replicas)
        self.local_rank = positive_int("DistributedBatchSampler(rank)", 0 if rank is None else rank, least=0)
        if self.local_rank >= self.nranks:
            expected = f"a rank below num_replicas = {self.nranks}"
            raise ValueError(message("DistributedBatchSampler(rank)", rank, expected))
        if len(dataset) == 0:
            raise ValueError(message("DistributedBatchSampler(dataset)", "an empty data set", "at least one sample"))
        self.epoch = 0
        self.num_samples = math.ceil(len(dataset) / self.nranks)
        self.total_size = self.num_samples * self.nranks

    def set_epoch(self, epoch: int) -> None:
        """The number that decides the next pass's order."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[list[int]]:
        indices = np.resize(np.arange(len(self.dataset)), self.total_size).tolist()
        if self.shuffle:
            np.random.RandomState(self.epoch).shuffle(indices)
            self.epoch += 1
        # Whole rounds of one batch a process, then what is left over in equal runs.
        whole = self.total_size - self.total_size % (self.batch_size * self.nranks)
        mine: list[int] = []
        for start in range(self.local_rank * self.batch_size, whole, self.batch_size * self.nranks):
            mine += indices[start : start + self.batch_size]
        run = (self.total_size - whole) // self.nranks
        start = whole + self.local_rank * run
        mine += indices[start : start + run]
        return _groups(iter(mine), self.batch_size, self.drop_last)

    def __len__(self) -> int:
        return _group_count(self.num_samples, self.batch_size, self.drop_last)


def _groups(items: Iterator[Any], size: int, drop_last: bool) -> Iterator[list[Any]]:
    """Lists of ``size`` items; the last may be shorter unless ``drop_last``."""
    items = iter(items)
    while group := list(itertools.islice(items, size)):
        if len(group) == size or not drop_last:
            yield group


def _group_count(n: int, size: int, drop_last: bool) -> int:
    return n // size if drop_last else -(-n // size)


def _boolean(what: str, value: object) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(message(what, describe(value), "True or False"))
    return bool(value)
