"""Random numbers without a state: each is a function of (seed, epoch, sample, draw) and of nothing else.

The recipes shuffle and augment with these, so that neither threads, nor batch size, nor a resumed run changes what a
sample looks like in an epoch. It is no part of ``lenet.seed``'s stream. ``draw`` tells apart the several numbers that
one sample needs in one epoch. Read by ``augment`` and ``train``.

Source: the output function of SplitMix64 (Steele, Lea and Flood 2014), applied to each part of the key in turn.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["bits", "integers", "permutation", "uniform"]

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15  # 2^64 / golden ratio, odd: the steps of a counter visit every number
_ORDER = _MASK  # the draw that orders an epoch, which no sample's own numbers use


def bits(seed: int, epoch: int, samples: NDArray[Any], draw: int = 0) -> NDArray[np.uint64]:
    """64 random bits a sample: uint64, in the shape of ``samples`` (whole numbers). seed, epoch, draw: at least 0."""
    key = 0
    for part in (seed, epoch, draw):
        key = int(_mixed(np.array([(key + _STEP * (part + 1)) & _MASK], np.uint64))[0])
    counters = np.asarray(samples).astype(np.uint64)
    counters += np.uint64(1)
    counters *= np.uint64(_STEP)
    counters += np.uint64(key)
    return _mixed(counters)


def uniform(seed: int, epoch: int, samples: NDArray[Any], draw: int = 0) -> NDArray[np.float64]:
    """A float64 in [0, 1) a sample: the upper 53 bits of ``bits``."""
    return (bits(seed, epoch, samples, draw) >> np.uint64(11)) * 2.0**-53


def integers(seed: int, epoch: int, samples: NDArray[Any], low: int, high: int, draw: int = 0) -> NDArray[np.int64]:
    """A whole number of [low, high) a sample, int64. The range may not exceed 2^32; its bias is below range / 2^32."""
    upper = bits(seed, epoch, samples, draw) >> np.uint64(32)
    return ((upper * np.uint64(high - low)) >> np.uint64(32)).astype(np.int64) + low


def permutation(seed: int, epoch: int, n: int) -> NDArray[np.int64]:
    """The samples 0 … n-1 in a random order, int64 [n]: sorted by ``bits``, equal ones by number."""
    return np.argsort(bits(seed, epoch, np.arange(n), _ORDER), kind="stable")


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's output function, in place: a bijection that spreads each bit over all."""
    x ^= x >> np.uint64(30)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return x
