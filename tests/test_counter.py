"""The counter-based generator: a function of its key, evenly spread, and unlike for unlike keys."""

from __future__ import annotations

import numpy as np
import pytest

from lenet.data import counter as _counter

SAMPLES = np.arange(60_000)


def plain_splitmix(seed: int, epoch: int, sample: int, draw: int) -> int:
    """The same in Python's whole numbers, from the formula in the module's text."""
    mask, step = (1 << 64) - 1, 0x9E3779B97F4A7C15

    def mix(x: int) -> int:
        x &= mask
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
        return x ^ (x >> 31)

    key = 0
    for part in (seed, epoch, draw):
        key = mix(key + step * (part + 1))
    return mix(key + step * (sample + 1))


@pytest.mark.parametrize("seed", [0, 1, 2**63 + 5, 2**64 - 1])
def test_bits_are_the_formula(seed):
    samples = [0, 1, 17, 59_999, 2**40]
    got = _counter.bits(seed, 3, np.array(samples), 2)
    assert got.dtype == np.uint64
    assert got.tolist() == [plain_splitmix(seed, 3, sample, 2) for sample in samples]


def test_a_sample_s_number_depends_on_nothing_but_its_key():
    whole = _counter.integers(7, 1, SAMPLES, -2, 3)
    some = np.array([5, 59_999, 0, 5])
    np.testing.assert_array_equal(_counter.integers(7, 1, some, -2, 3), whole[some])
    assert SAMPLES[3] == 3  # the input is not written to


def test_splitmix64_s_published_sequence():
    # SplitMix64 started at 1234567 gives these (the test vector of its public implementations).
    x = np.array([(1234567 + 0x9E3779B97F4A7C15 * i) & (2**64 - 1) for i in (1, 2, 3)], np.uint64)
    assert _counter._mixed(x).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@pytest.mark.parametrize("change", [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_another_seed_epoch_or_draw_is_unrelated(change):
    a = _counter.uniform(0, 0, SAMPLES, 0)
    b = _counter.uniform(change[0], change[1], SAMPLES, change[2])
    # the correlation of 60,000 independent pairs has a standard deviation of 0.0041
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.02


def test_uniform_is_flat():
    values = _counter.uniform(0, 0, SAMPLES)
    assert values.min() >= 0
    assert values.max() < 1
    # 10 cells of 6,000 +- 73: five standard deviations
    np.testing.assert_allclose(np.histogram(values, 10, (0, 1))[0], 6000, atol=370)


def test_integers_reach_both_ends_equally():
    values = _counter.integers(3, 2, SAMPLES, -1, 2)
    assert set(values.tolist()) == {-1, 0, 1}
    # 20,000 +- 115 each: five standard deviations
    np.testing.assert_allclose(np.bincount(values + 1), 20_000, atol=580)


def test_permutation_holds_each_sample_once_and_differs_by_epoch():
    first, second = _counter.permutation(0, 0, 1000), _counter.permutation(0, 1, 1000)
    np.testing.assert_array_equal(np.sort(first), np.arange(1000))
    assert (first == second).mean() < 0.02
    np.testing.assert_array_equal(first, _counter.permutation(0, 0, 1000))
    assert _counter.permutation(0, 0, 0).tolist() == []
