"""``DataLoader``: batches of a data set as Tensors, in order or shuffled (Paddle: ``paddle.io.DataLoader``).

Samples are read in the thread that asks for the batch: there are no worker processes and no reader thread, so an
exception in a data set, a transform or a collate function arrives as itself, at once, where the batch was asked for.
Options that steer workers and buffers are accepted and have no effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from lenet.autograd.tensor import CPUPlace
from lenet.io.collate import as_tensors, default_collate, fresh
from lenet.io.dataset import IterableDataset, NoLength, changing, hook
from lenet.io.sampler import BatchSampler, RandomSampler
from lenet.messages.check import describe, message, positive_int

__all__ = ["DataLoader", "get_worker_info"]


def get_worker_info() -> None:
    """None: a data set is always read in the main process."""
    return None


class DataLoader:
    """Batches of ``dataset``, an object with ``__getitem__`` and ``__len__`` (a list too) or an IterableDataset.

    Each iteration is a new pass, with a new order if ``shuffle``; ``loader()`` is the same as ``iter(loader)``. A batch
    is a list with one Tensor a field of the samples: MNIST gives [float32 [N, 1, 28, 28], int64 [N, 1]]. Samples that
    are a single array give a single Tensor, dicts a dict. Python floats become float32, not Paddle's float64, which no
    layer takes. ``collate_fn(samples)`` replaces the stacking; arrays in what it returns become Tensors.

    batch_size: samples a batch, the last one may have fewer unless ``drop_last``; None gives single samples, unstacked.
    batch_sampler: decides the batches instead of batch_size, shuffle and drop_last. shuffle draws from numpy's global
    generator: ``np.random.seed(0)`` before the loop repeats it. places: ``CPUPlace()`` or "cpu", the only place there
    is. Accepted without effect: feed_list, return_list, num_workers, use_buffer_reader, reader_buffer_size,
    prefetch_factor, use_shared_memory, timeout, worker_init_fn, persistent_workers.
    """

    def __init__(
        self,
        dataset: Any,
        feed_list: Any = None,
        places: Any = None,
        return_list: bool = True,
        batch_sampler: Iterable[Any] | None = None,
        batch_size: int | None = 1,
        shuffle: bool = False,
        drop_last: bool = False,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        num_workers: int = 0,
        use_buffer_reader: bool = True,
        reader_buffer_size: int = 2,
        prefetch_factor: int = 2,
        use_shared_memory: bool = True,
        timeout: int = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        persistent_workers: bool = False,
    ) -> None:
        if isinstance(feed_list, int):
            fix = f"Type batch_size={feed_list}: the second place is feed_list, as in Paddle"
            raise TypeError(message("DataLoader(feed_list)", feed_list, "None or a list", fix))
        if collate_fn is not None and not callable(collate_fn):
            raise TypeError(message("DataLoader(collate_fn)", describe(collate_fn), "a function of a list of samples"))
        positive_int("DataLoader(num_workers)", num_workers, least=0)
        positive_int("DataLoader(prefetch_factor)", prefetch_factor)
        if timeout < 0:
            raise ValueError(message("DataLoader(timeout)", timeout, "at least 0"))
        self.dataset = dataset
        self.feed_list = feed_list
        self.places = _places(places)
        self.return_list = return_list
        self.collate_fn = collate_fn
        self.num_workers = num_workers
        self.drop_last = drop_last
        self.batch_size: int | None = None
        self.batch_sampler: Iterable[Any] | None = None
        self._iterable = isinstance(dataset, IterableDataset)
        self._single_sampler: Iterable[int] | None = None
        self._check_dataset(shuffle, batch_sampler)
        if batch_sampler is not None:
            if not hasattr(batch_sampler, "__iter__"):
                raise TypeError(message("DataLoader(batch_sampler)", describe(batch_sampler), "a BatchSampler"))
            if batch_size != 1 or shuffle or drop_last:
                given = "a batch_sampler and one of batch_size, shuffle, drop_last"
                raise ValueError(message("DataLoader", given, "one or the other", "Give them to the batch_sampler"))
            self.batch_sampler = batch_sampler
        elif batch_size is not None:
            self.batch_size = positive_int("DataLoader(batch_size)", batch_size)
            if not self._iterable:
                self.batch_sampler = BatchSampler(dataset, None, shuffle, self.batch_size, drop_last)
        elif not self._iterable:
            self._single_sampler = RandomSampler(dataset) if shuffle else range(len(dataset))

    def _check_dataset(self, shuffle: bool, batch_sampler: object) -> None:
        dataset = self.dataset
        if self._iterable:
            if shuffle:
                fix = "Shuffle inside its __iter__"
                raise ValueError(message("DataLoader(shuffle)", "True with an IterableDataset", "False", fix))
            if batch_sampler is not None:
                given = "one for an IterableDataset, which has no indices"
                raise ValueError(message("DataLoader(batch_sampler)", given, "None", "Pass batch_size"))
        elif not (hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")):
            fix = "Derive from lenet.io.IterableDataset to read it from start to end"
            raise TypeError(message("DataLoader(dataset)", describe(dataset), "an object with [i] and len()", fix))
        elif len(dataset) == 0:
            fix = "Check what it was built from: the path, the mode, the filter"
            raise ValueError(message("DataLoader(dataset)", "an empty data set", "at least one sample", fix))

    def __repr__(self) -> str:
        size = "" if self.batch_size is None else f", batch_size={self.batch_size}"
        try:
            steps = f", {len(self):,} batches"
        except Exception:  # it has no length, or what it reads from has none
            steps = ""
        return f"DataLoader({self.dataset!r}{size}{steps})"

    def __len__(self) -> int:
        """The number of batches of a pass."""
        if self._iterable:
            raise NoLength(message("DataLoader", "len()", "iteration: an IterableDataset has no length"))
        if self._single_sampler is not None:
            return len(self.dataset)
        return len(self.batch_sampler)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        return _Pass(self, self._batches())

    def __call__(self) -> Iterator[Any]:
        """A new pass, as ``iter(loader)``."""
        return iter(self)

    def _batches(self) -> Iterator[Any]:
        """Start a pass: the random order is drawn here, the samples are read as the batches are asked for."""
        for transform in changing(self.dataset):
            transform._new_pass()
        if self._iterable:
            return self._read_on(iter(self.dataset))
        if self._single_sampler is not None:
            return self._read_single(iter(self._single_sampler))
        return self._read_batches(iter(self.batch_sampler))  # type: ignore[arg-type]

    def _read_batches(self, batches: Iterator[list[int]]) -> Iterator[Any]:
        whole = hook(self.dataset, "_batch") if self.collate_fn is None else None
        several = hook(self.dataset, "__getitems__")
        for given in batches:
            if not hasattr(given, "__iter__"):
                raise TypeError(message("DataLoader(batch_sampler)", describe(given), "a list of indices a batch"))
            indices = list(given)
            batch = None if whole is None else whole(indices)
            if batch is not None:
                yield [fresh(field) for field in batch]
            elif several is not None:
                samples = list(several(indices))
                if len(samples) != len(indices):
                    what = f"{type(self.dataset).__name__}.__getitems__"
                    counts = f"{len(samples)} samples for {len(indices)} indices"
                    raise ValueError(message(what, counts, "one sample an index"))
                yield self._collate(samples)
            else:
                yield self._collate([self.dataset[i] for i in indices])

    def _read_on(self, samples: Iterator[Any]) -> Iterator[Any]:
        """An IterableDataset's samples, one by one or in batches."""
        if self.batch_size is None:
            for sample in samples:
                yield self._convert(sample)
            return
        while group := list(islice(samples, self.batch_size)):
            if len(group) == self.batch_size or not self.drop_last:
                yield self._collate(group)

    def _read_single(self, indices: Iterator[int]) -> Iterator[Any]:
        for i in indices:
            yield self._convert(self.dataset[i])

    def _collate(self, samples: list[Any]) -> Any:
        return default_collate(samples) if self.collate_fn is None else as_tensors(self.collate_fn(samples))

    def _convert(self, sample: Any) -> Any:
        return as_tensors(sample if self.collate_fn is None else self.collate_fn(sample))


class _Pass:
    """The batches of one pass. ``len()`` is the loader's."""

    def __init__(self, loader: DataLoader, batches: Iterator[Any]) -> None:
        self._loader = loader
        self._batches = batches

    def __iter__(self) -> _Pass:
        return self

    def __next__(self) -> Any:
        return next(self._batches)

    def __len__(self) -> int:
        return len(self._loader)


def _places(places: Any) -> list[CPUPlace]:
    named = list(places) if isinstance(places, (list, tuple)) else [places]
    for place in named:
        if place is not None and place != "cpu" and not isinstance(place, CPUPlace):
            kind = ValueError if isinstance(place, str) else TypeError
            raise kind(message("DataLoader(places)", describe(place), "lenet.CPUPlace() or 'cpu'", "Leave it out"))
    return [CPUPlace() for _ in named]
