"""What ``Model`` reads batches from: a data set, a loader, or anything else that yields batches again and again.

A ``Feed`` yields batches as lists of Tensors. Where every sample is a row of an array in memory and the loader stacks them
in the ordinary way, ``rows()`` gives that array, and a batch is a list of row numbers: the engine then fetches the rows
itself. This file neither computes nor knows the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.autograd.tensor import Tensor, to_tensor
from lenet.io import DataLoader, Dataset, DistributedBatchSampler, IterableDataset, Subset, TensorDataset
from lenet.io.dataset import changing
from lenet.messages.check import describe, message, positive_int
from lenet.model.foreign import adopted, is_torch
from lenet.vision.datasets.arrays import ArrayDataset
from lenet.vision.transforms import Augment

__all__ = ["Feed", "Rows"]


class Rows(NamedTuple):
    """Samples in memory: number i is images[i], through ``lut`` and moved by ``augment`` if there are, and labels[i]."""

    images: NDArray[Any]  # uint8 with a lut, or float32: [N, C, H, W] or [N, F]
    lut: NDArray[np.float32] | None  # [256]
    labels: NDArray[np.int64]  # [N], or of maps [N, H, W]
    label_shape: tuple[int, ...]  # of one sample: (), (1,), (H, W) or (1, H, W)
    chosen: NDArray[np.int64] | None  # a Subset's samples, as rows of the arrays above
    classes: Sequence[str] = ()  # the labels' names, if known
    augment: Augment | None = None  # only of uint8 images [N, 1, H, W]

    def labels_at(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """The labels of these rows as a batch has them, [n, *label_shape]."""
        return self.labels[places].reshape(-1, *self.label_shape)

    def warps(self, places: NDArray[np.int64]) -> NDArray[np.float32] | None:
        """The matrices by which the images of these rows are moved in this epoch, float32 [n, 2, 3]; None: they aren't."""
        return None if self.augment is None else self.augment._matrices(places, self.images.shape[2:])

    def moved(self, places: NDArray[np.int64]) -> Rows:
        """These rows alone, their images moved and float32."""
        if self.augment is None or self.lut is None:
            raise ValueError(message("Rows.moved", "rows without an Augment", "rows with one"))
        images = self.augment._moved(self.lut[self.images[places, 0]], places, float(self.lut[0]))
        return self._replace(images=images[:, None], lut=None, labels=self.labels[places], chosen=None, augment=None)


class Feed:
    """The batches of one ``fit``, ``evaluate`` or ``predict``; each iteration is a new pass.

    data: a Dataset (batch_size, shuffle and drop_last apply; the order of pass e is ``RandomState(e)``'s), a DataLoader or
    any iterable of batches, taken as it is; PyTorch's data sets and loaders alike. what: its name in errors. TypeError for
    other objects, ValueError if empty.
    """

    def __init__(
        self, what: str, data: Any, batch_size: int = 1, shuffle: bool = False, drop_last: bool = False
    ) -> None:
        self.what = what
        if any(kind.__module__.partition(".")[0] == "paddle" for kind in type(data).__mro__):
            fix = "Import Dataset and DataLoader from lenet, too"
            raise TypeError(message(what, f"an object of real Paddle, {describe(data)}", "one of lenet", fix))
        data = adopted(data)
        _check_no_arrays(what, data)
        self._source = self._loader(data, positive_int("batch_size", batch_size), bool(shuffle), bool(drop_last))
        if not hasattr(self._source, "__iter__") and not hasattr(self._source, "__getitem__"):
            raise TypeError(message(what, describe(data), "a Dataset, a DataLoader or a list of batches"))
        try:
            self.steps: int | None = len(self._source)
        except (TypeError, NotImplementedError):
            self.steps = None
        if self.steps == 0:
            fix = "Use a smaller batch_size or drop_last=False" if drop_last else "Check what it was built from"
            raise ValueError(message(what, "no batch at all", "at least one batch", fix))

    def _loader(self, data: Any, batch_size: int, shuffle: bool, drop_last: bool) -> Any:
        if isinstance(data, IterableDataset):
            return DataLoader(data, batch_size=batch_size, drop_last=drop_last)
        if not isinstance(data, Dataset):
            return data
        if len(data) == 0:
            raise ValueError(
                message(self.what, "an empty data set", "at least one sample", "Check what it was built from")
            )
        sampler = DistributedBatchSampler(data, batch_size, shuffle=shuffle, drop_last=drop_last)
        return DataLoader(data, batch_sampler=sampler)

    def set_epoch(self, epoch: int) -> None:
        """The epoch of the next pass, for transforms that change from one to the next."""
        for transform in changing(self._source):
            transform.set_epoch(epoch)

    def __iter__(self) -> Iterator[list[Tensor]]:
        for batch in self._source:
            yield self._tensors(batch)

    def _tensors(self, batch: Any) -> list[Tensor]:
        """The batch's fields, however nested, as one list of Tensors."""
        if isinstance(batch, Tensor):
            return [batch]
        if isinstance(batch, np.ndarray):
            return [to_tensor(batch)]
        if is_torch(batch) and hasattr(batch, "detach"):
            return [to_tensor(batch)]
        if isinstance(batch, (list, tuple)):
            return [tensor for field in batch for tensor in self._tensors(field)]
        if isinstance(batch, Mapping):
            return [tensor for key in sorted(batch) for tensor in self._tensors(batch[key])]
        fix = "If these are samples and not batches, derive the class from lenet.io.Dataset"
        raise TypeError(message(f"{self.what}: a batch", f"with {describe(batch)}", "Tensors or ndarrays alone", fix))

    # ---- by row number -------------------------------------------------------------------------------------------------

    def rows(self) -> Rows | str:
        """The samples as rows of arrays, or a text: why they are no such thing."""
        source = self._source
        if type(source) is not DataLoader:
            return f"{self.what} is a {type(source).__name__}, not a data set or a DataLoader"
        if source.collate_fn is not None:
            return f"{self.what} has a collate_fn"
        if source.batch_sampler is None:
            return f"{self.what} has no batch sampler"
        found = _rows(source.dataset)
        return (
            found
            or f"{self.what} gives its samples one by one: they are no rows of an array, or a transform is in the way"
        )

    def numbers(self) -> Iterator[NDArray[np.int64]]:
        """A new pass: for each batch the numbers of its samples. Only where ``rows()`` are rows."""
        for transform in changing(self._source):
            transform._new_pass()
        for batch in self._source.batch_sampler:
            numbers = np.asarray(list(batch) if hasattr(batch, "__iter__") else batch)
            if (
                numbers.ndim != 1 or numbers.dtype.kind not in "iu"
            ):  # not a batch: the loader says what is wrong with it
                next(self._source._read_batches(iter([batch])))
            yield numbers.astype(np.int64)

    def gather(self, numbers: NDArray[np.int64]) -> list[Tensor]:
        """The batch of the samples with these numbers, as iteration would give it."""
        return self._tensors(next(self._source._read_batches(iter([numbers.tolist()]))))

    def places(self, rows: Rows, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """The samples' rows in ``rows``; IndexError for numbers beyond the data set."""
        count = len(rows.labels) if rows.chosen is None else len(rows.chosen)
        low, high = (int(numbers.min()), int(numbers.max())) if len(numbers) else (0, 0)
        if low < -count or high >= count:
            wrong = high if high >= count else low
            raise IndexError(
                message(f"{self.what}: sample number", wrong, f"a number below {count}, the data set's length")
            )
        if low < 0:
            numbers = numbers % count
        return numbers if rows.chosen is None else rows.chosen[numbers]


def _rows(dataset: Any) -> Rows | None:
    if type(dataset) is Subset:
        return _subset(dataset)
    if type(dataset) is TensorDataset:
        return _tensor_rows(dataset.tensors)
    table = dataset._table() if isinstance(dataset, ArrayDataset) else None
    if table is None:
        return None
    return Rows(table.images, table.lut, table.labels, (1,), None, dataset.classes, table.augment)


def _subset(subset: Subset) -> Rows | None:
    whole = _rows(subset.dataset)
    if whole is None:
        return None
    chosen = np.asarray(subset.indices)
    count = len(subset.dataset)
    if (
        chosen.dtype.kind not in "iu"
        or chosen.ndim != 1
        or (len(chosen) and not -count <= chosen.min() <= chosen.max() < count)
    ):
        return None  # the ordinary way says what is wrong with it
    chosen = chosen.astype(np.int64) % count
    index = chosen if whole.chosen is None else whole.chosen[chosen]
    labels = np.zeros_like(whole.labels)  # the labels of samples that were left out are nobody's concern
    labels[index] = whole.labels[index]
    return whole._replace(labels=labels, chosen=index)


def _tensor_rows(tensors: list[Any]) -> Rows | None:
    arrays = [t.data_array() if isinstance(t, Tensor) else t for t in tensors]
    if len(arrays) != 2:
        return None
    images, labels = arrays
    one = labels.shape[1:]
    cells = one[1:] if len(one) == images.ndim - 1 and one[:1] == (1,) else one  # of a map; its own axis may be there
    is_map = images.ndim > 3 and len(cells) == images.ndim - 2
    if images.dtype != np.float32 or images.ndim < 2 or labels.dtype != np.int64 or not (one in ((), (1,)) or is_map):
        return None
    flat = labels.reshape(-1, *(cells if is_map else ()))
    return Rows(np.ascontiguousarray(images), None, flat, one, None)


def _check_no_arrays(what: str, data: Any) -> None:
    """TypeError for arrays in place of a data set: images alone, or images and labels."""
    fields = list(data) if isinstance(data, (list, tuple)) else [data]
    arrays = [hasattr(field, "shape") and hasattr(field, "dtype") for field in fields]
    if not fields or not all(arrays):
        return
    if isinstance(data, (list, tuple)) and (
        len(fields) < 2 or len({len(field) for field in fields if field.shape}) != 1
    ):
        return  # a list of batches
    if isinstance(data, list) and len({tuple(field.shape) for field in fields}) == 1:
        return
    given = f"{', '.join(describe(field) for field in fields[:3])} without a data set"
    fix = f"Type lenet.io.TensorDataset([{', '.join(['images', 'labels', '...'][: len(fields)])}])"
    raise TypeError(message(what, given, "a Dataset, a DataLoader or a list of batches", fix))
