"""Which of the places that the page network found are digits: a sum of logarithms of odds for each.

The network says how likely a place is a digit's; the rest is what it can't see in its window: how many of the page's shapes are
digits at all, what size these are, and whether letters stand beside. Read by ``reader``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from lenet.reading.pages.claim import claim
from lenet.reading.pages.finder import Spot
from lenet.reading.shapes.form import NO_DIGIT, digit_forms
from lenet.reading.shapes.shape import Shape

__all__ = ["believed"]

Read = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

LEAST = -0.5  # the odds' logarithm from which on a place is a digit's
SEED, FEW = 0.99, 3  # so sure places show what digits of the page are like; fewer of them show nothing
ALONE = 4.0  # the odds' logarithm of these few
COMMON = 1.0  # the weight of how common digits are among shapes of about their size
RARE = 0.25  # there are at most four times as many digits as such other shapes
SAME, LIKE = 1.3, 1.7  # times the usual height, or smaller by as much
OTHER_SIZE, ODD_SIZE = 2.5, 5.0  # taken off for a size further off than each
ONCE = 2.0  # for what was found in one size alone
BARE = 6.0  # for what stands on no ink
TWIN = 8.0  # for what stands so close to a surer place that it may be one digit seen twice
APART = 0.5, 0.4  # heights of the larger one, across and down
LETTER, WORD = 1.5, 0.75  # for each side on which ink stands close that is no digit's, and for each letter more
LONG = 5  # letters on a side, at most
ALONG, FAR, THIN = 8.0, 2.0, 0.45  # for a thin stroke in line with a rule within so many heights of it
DOTTED = 9.0  # for what stands over a dot, as the hook of a question mark does
INK, FIRM = 1.0, 4.0  # the weight of what the ink alone says, and its odds' logarithm at most
CLOSE, TALL = 0.4, 0.45  # heights to that ink at most, and its own at least
BODY, LETTER_WIDE = 0.35, 0.7  # heights from a digit's middle to its sides, and that a joined letter takes
SOFT = 2.0  # odds' logarithms are divided by it to tell how sure a digit is
MOST = 7.5  # whoever is so sure is believed whatever speaks against it


def believed(
    spots: Sequence[Spot], shapes: Sequence[Shape], read: Read, rules: NDArray[np.uint8] | None = None
) -> list[Spot]:
    """Of places that may be digits those that are, surest first. shapes: of the page's ink, without its rules uint8 [h, w].

    read: uint8 [N, 28, 28] to float32 [N, 11], a network that sees the ink alone.
    """
    if not spots:
        return []
    height = np.array([spot.height for spot in spots])
    sure = np.clip(np.array([spot.sureness for spot in spots], np.float64), 1e-6, 1 - 1e-6)
    odds = np.log(sure) - np.log1p(-sure)
    looks = np.array([spot.looks for spot in spots])
    seeds = (sure >= SEED) & (looks > 1)
    bodies, claimed = claim(spots, shapes)
    inked = np.array([shape.area > 0 for shape in bodies])
    none = read(digit_forms([shape.level for shape in bodies]))[:, NO_DIGIT].astype(np.float64).clip(1e-4, 1 - 1e-4)
    ink = np.clip(np.log(none) - np.log1p(-none), -FIRM, FIRM)
    against = np.where(looks > 1, 0.0, ONCE) + np.where(inked, INK * ink, BARE)
    against += np.where(_over_dots(spots, shapes), DOTTED, 0.0) + np.where(_seen_twice(spots), TWIN, 0.0)
    if rules is not None:
        against += np.where([_along(shape, rules) for shape in bodies], ALONG, 0.0)
    if np.count_nonzero(seeds) < FEW:
        kept = seeds & (odds - against >= ALONE)
        return [spot for spot, one in zip(spots, kept, strict=True) if one]
    usual = _usual(height[seeds], sure[seeds])
    off = np.maximum(height / usual, usual / height)
    against += np.where(off < SAME, 0.0, np.where(off < LIKE, OTHER_SIZE, ODD_SIZE))
    sizes = np.array([max(shape.height, 0.7 * shape.width) for shape in shapes])
    about = np.count_nonzero((sizes > 0.5 * usual) & (sizes < 2 * usual))
    digits = np.count_nonzero(seeds & (off < LIKE))
    against -= COMMON * np.log(digits / max(about - digits, RARE * digits))
    against += _beside(spots, odds - against >= LEAST, shapes, claimed)
    kept = odds >= np.minimum(LEAST + against, MOST)
    sureness = 1 / (1 + np.exp(-(odds - np.maximum(against, 0.0)) / SOFT))
    return [
        spot._replace(sureness=float(min(one, spot.sureness)))
        for spot, one, stays in zip(spots, sureness, kept, strict=True)
        if stays
    ]


def _usual(height: NDArray[np.float64], sure: NDArray[np.float64]) -> float:
    """The height of most digits: the middle one, the surer the more it counts."""
    order = np.argsort(height, kind="stable")
    weight = np.cumsum(sure[order] ** 8)
    return float(height[order][np.searchsorted(weight, weight[-1] / 2)])


def _seen_twice(spots: Sequence[Spot]) -> NDArray[np.bool_]:
    """For each place, the surest first, whether a surer one stands so close that both may be one digit."""
    x, y, high = np.array([(spot.x, spot.y, spot.height) for spot in spots]).T
    tall = np.maximum(high, high[:, None])
    near = (np.abs(x - x[:, None]) < APART[0] * tall) & (np.abs(y - y[:, None]) < APART[1] * tall)
    return np.asarray(np.tril(near, -1).any(axis=1))


def _over_dots(spots: Sequence[Spot], shapes: Sequence[Shape]) -> NDArray[np.bool_]:
    """For each place whether a dot stands right under its middle: a decimal point stands beside."""
    if not shapes:
        return np.zeros(len(spots), bool)
    x, y, high = np.array([(spot.x, spot.y, spot.height) for spot in spots]).T[..., None]
    x0, y0, x1, y1 = np.array([shape.box for shape in shapes], np.float64).T
    is_dot = np.maximum(x1 - x0, y1 - y0) < 0.28 * high
    under = (np.abs((x0 + x1) / 2 - x) < 0.25 * high) & ((y0 + y1) / 2 > y + 0.35 * high)
    near = (y0 + y1) / 2 < y + 1.0 * high
    return np.asarray((is_dot & under & near).any(axis=1))


def _along(shape: Shape, rules: NDArray[np.uint8]) -> bool:
    """Whether a shape is thin and an upright rule goes on over or under it: then it is the rule's, not a one."""
    x0, y0, x1, y1 = shape.box
    if x1 - x0 > THIN * (y1 - y0):
        return False
    far, columns = int(FAR * (y1 - y0)), slice(max(x0 - 1, 0), x1 + 1)
    over, under = rules[max(y0 - far, 0) : y0, columns], rules[y1 : y1 + far, columns]
    return any(bool(part.any(axis=1).mean() > 0.5) for part in (over, under) if part.size)


def _beside(
    spots: Sequence[Spot], kept: NDArray[np.bool_], shapes: Sequence[Shape], claimed: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """What ink that no digit claims and that goes on from each place on either side, as a word does, speaks against it."""
    free = np.array([s.box for s, taken in zip(shapes, claimed, strict=True) if not taken], np.float64).reshape(-1, 4)
    doubtful = [spot for spot, one in zip(spots, kept, strict=True) if not one]
    bodies = [
        (s.x - 0.3 * s.height, s.y - 0.5 * s.height, s.x + 0.3 * s.height, s.y + 0.5 * s.height) for s in doubtful
    ]
    free = np.concatenate([free, np.array(bodies, np.float64).reshape(-1, 4)])
    tall, (x0, _, x1, _) = free[:, 3] - free[:, 1], free.T
    against = np.zeros(len(spots))
    for k, spot in enumerate(spots):
        h = spot.height
        overlap = np.minimum(free[:, 3], spot.y + h / 2) - np.maximum(free[:, 1], spot.y - h / 2)
        level = (overlap > 0.5 * np.minimum(tall, h)) & (tall > TALL * h) & (tall < 2 * h)
        right = np.stack([x0 - spot.x, x1 - spot.x], axis=1)[level] / h
        against[k] = _of_word(right) + _of_word(-right[:, ::-1])
    return against


def _of_word(ends: NDArray[np.float64]) -> float:
    """What letters on one side of a place speak against it. ends: heights from its middle to theirs, the near and the far."""
    end, letters = BODY, 0
    for near, far in ends[np.argsort(ends[:, 0])].tolist():
        if near > end + CLOSE or letters >= LONG:
            break
        if (near + far) / 2 > 0.25 and far > end + 0.1:
            letters += max(1, round((far - max(near, end)) / LETTER_WIDE))
            end = far
    return LETTER + WORD * min(letters - 1, LONG) if letters else 0.0
