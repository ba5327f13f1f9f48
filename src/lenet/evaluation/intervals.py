"""How far a measured share may be from the truth: confidence intervals, each the standard one for its case."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.messages.check import message, positive_int

__all__ = ["bootstrap", "mcnemar", "normal_quantile", "paired_interval", "wilson"]


def wilson(correct: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval of a share ``correct / n``, both ends 0 to 1. Wilson 1927.

    Unlike "± two standard errors" it is right near 100 %, too. ValueError unless 0 <= correct <= n and n >= 1.
    """
    positive_int("n", n)
    if not 0 <= correct <= n:
        raise ValueError(message("correct", correct, f"0 to n, {n}"))
    z = normal_quantile(confidence)
    share, spread = correct / n, z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half = math.sqrt(share * (1 - share) * spread + spread * spread / 4) / (1 + spread)
    # the ends are exact where the count is at an end: rounding must not move them
    return (max(0.0, centre - half) if correct else 0.0), (min(1.0, centre + half) if correct < n else 1.0)


def paired_interval(only_a: int, only_b: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval of the difference (only_b - only_a) / n of two shares on the same n images. Tango 1998.

    only_a, only_b: images that one alone got right. It holds the differences that a score test at this confidence does
    not reject, and it leaves out 0 exactly when McNemar's test without correction rejects.
    """
    positive_int("n", n)
    if min(only_a, only_b) < 0 or only_a + only_b > n:
        raise ValueError(message("only_a, only_b", f"{only_a} and {only_b}", f"counts of together at most {n}"))
    z = normal_quantile(confidence)
    found = (only_b - only_a) / n

    def score(difference: float) -> float:
        """How many standard errors lie between the measured difference and ``difference``."""
        # q: the likeliest share of "a alone" if the difference were this, the larger root of 2n q^2 + linear q + last
        linear = -only_a - only_b + (2 * n - only_b + only_a) * difference
        last = -only_a * difference * (1 - difference)
        q = (math.sqrt(max(0.0, linear * linear - 8 * n * last)) - linear) / (4 * n)
        variance = n * (2 * q + difference * (1 - difference))
        away = only_b - only_a - n * difference
        return away / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, away) if away else 0.0

    def crossing(outside: float, sign: float) -> float:
        inside = found
        for _ in range(60):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if sign * score(middle) < z else (inside, middle)
        return inside

    return crossing(-1.0, 1.0), crossing(1.0, -1.0)


def mcnemar(only_a: int, only_b: int) -> float:
    """The two-sided p of McNemar's test, exact: would a fair coin be as one-sided as this? McNemar 1947."""
    n = only_a + only_b
    term = total = 1
    for k in range(min(only_a, only_b)):
        term = term * (n - k) // (k + 1)
        total += term
    return min(1.0, 2 * total / (1 << n))


def bootstrap(
    statistic: Callable[..., float], *arrays: NDArray[Any], repeats: int = 1000, seed: int = 0, confidence: float = 0.95
) -> tuple[float, float]:
    """The percentile interval of ``statistic(*arrays)``, their first axes drawn anew, together. Efron 1979.

    For what has no formula, such as the calibration error. The same seed gives the same interval.
    """
    n = len(arrays[0])
    if not n or any(len(array) != n for array in arrays):
        raise ValueError(message("arrays", f"lengths {[len(array) for array in arrays]}", "one length of at least 1"))
    draw = np.random.default_rng(seed)
    found = np.empty(positive_int("repeats", repeats))
    for i in range(repeats):
        chosen = draw.integers(0, n, n)
        found[i] = statistic(*(array[chosen] for array in arrays))
    low, high = np.quantile(found, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def normal_quantile(confidence: float) -> float:
    """How many standard deviations either way hold that share of a normal distribution: 1.96 for 0.95."""
    if not 0 < confidence < 1:
        raise ValueError(message("confidence", confidence, "a share between 0 and 1, such as 0.95"))
    z = 0.0
    while True:  # Newton's method, which climbs to the root from below: erf is concave here
        density = math.sqrt(2 / math.pi) * math.exp(-z * z / 2)
        step = (confidence - math.erf(z / math.sqrt(2))) / density
        z += step
        if step <= 1e-15 * z:
            return z
