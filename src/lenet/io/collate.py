"""From a list of samples to a batch: numbers and arrays are stacked, structures are kept (Paddle's default collate).

Nothing is fetched here and nothing is converted in type, but for one kindness: a Python float becomes the default dtype
(float32) and not, as in Paddle, float64, which no layer would accept. Read by ``dataloader``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lenet.autograd.dtype import dtype_of, get_default_dtype
from lenet.autograd.tensor import Tensor, dense, to_tensor
from lenet.messages.check import describe, message

__all__ = ["as_tensors", "default_collate", "fresh"]


def default_collate(samples: list[Any]) -> Any:
    """One batch of N samples.

    ndarray or Tensor [...] -> Tensor [N, ...], same dtype; int -> int64 [N]; bool -> bool [N]; Python float -> float32
    [N]; numpy scalar -> its dtype [N]; str and bytes -> a list; dict -> a dict of batches; tuple or list -> a list of
    batches. ValueError for arrays of unequal shapes, RuntimeError for unequal numbers of fields, TypeError for other
    objects.
    """
    if not samples:
        raise ValueError(message("batch", "no sample", "at least one", "Check what the batch_sampler yields"))
    first = samples[0]
    if isinstance(first, (np.ndarray, Tensor)):
        return fresh(_stack([_array(sample) for sample in samples]))
    if isinstance(first, (bool, int, float, np.number, np.bool_)):
        array = _numbers(samples)
        if array.dtype == np.float64 and not any(isinstance(sample, np.float64) for sample in samples):
            array = array.astype(get_default_dtype())
        return fresh(array)
    if isinstance(first, (str, bytes)):
        return samples
    if isinstance(first, Mapping):
        return {key: default_collate([sample[key] for sample in samples]) for key in first}
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in samples):
            counts = sorted({len(sample) for sample in samples})
            raise RuntimeError(message("batch", f"samples of {counts} fields", "as many fields in each sample"))
        return [default_collate(list(field)) for field in zip(*samples, strict=True)]
    fix = "Convert it in the data set, or pass a collate_fn"
    if "PIL" in type(first).__module__:
        fix = "Give the data set a transform: transform=lenet.vision.transforms.ToTensor()"
    raise TypeError(message("batch", describe(first), "arrays, Tensors, numbers, text, or lists or dicts of them", fix))


def as_tensors(value: Any) -> Any:
    """The same structure with every ndarray as a Tensor (a copy); tuples become lists, all else stays as it is."""
    if isinstance(value, np.ndarray):
        return to_tensor(value)
    if isinstance(value, Mapping):
        return {key: as_tensors(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_tensors(item) for item in value]
    return value


def fresh(value: Any) -> Tensor:
    """A Tensor around an array that nobody else holds, without a copy where possible; a Tensor stays what it is."""
    if isinstance(value, Tensor):
        return value
    dtype_of(value.dtype)
    return dense(np.asarray(value, order="C"))


def _array(sample: Any) -> np.ndarray[Any, Any]:
    return sample.data_array() if isinstance(sample, Tensor) else np.asarray(sample)


def _stack(arrays: list[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    for i, array in enumerate(arrays):
        if array.shape != arrays[0].shape:
            given = f"shape {list(array.shape)} in sample {i} and {list(arrays[0].shape)} in sample 0"
            fix = "Bring them to one size in the data set's transform, for example Resize(28)"
            raise ValueError(message("batch", given, "samples of one shape", fix))
    return np.stack(arrays)


def _numbers(samples: list[Any]) -> np.ndarray[Any, Any]:
    for i, sample in enumerate(samples):
        if not isinstance(sample, (bool, int, float, np.number, np.bool_)):
            raise TypeError(message("batch", f"{describe(sample)} in sample {i}", "numbers, as in sample 0"))
    return np.array(samples)
