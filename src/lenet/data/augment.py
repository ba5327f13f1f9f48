"""Augmentation as geometry: for each sample the matrix that moves, turns, sizes, slants and mirrors its image.

The engine applies the matrices while it loads a batch (``plan.Compiled.train``), so an augmented epoch costs little more
than a plain one; ``warped`` is the same rule in numpy. The numbers come from ``counter``, keyed by seed, epoch and sample:
the same at any batch size, thread count and after any interruption. Read by ``train`` and ``vision``.
Source: Simard, Steinkraus and Platt 2003, for affine distortions of digits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet.data import counter

__all__ = ["Augmentation", "matrices", "warped"]

_DOWN, _RIGHT, _ANGLE, _HEIGHT, _WIDTH, _SLANT, _MIRROR = range(7)  # the draws of a sample


class Augmentation(NamedTuple):
    """How far an image may go, each way, uniformly. Nothing moves at the defaults."""

    shift: float = 0.0  # pixels; whole pixels where nothing else is asked for
    rotate: float = 0.0  # degrees
    scale: float = 0.0  # of height and width, each on its own: 0.1 is 90 % to 110 %
    shear: float = 0.0  # columns a row
    mirror: float = 0.0  # the share of images that are turned left to right

    @property
    def whole(self) -> bool:
        """Whether images move by whole pixels alone: no value is interpolated."""
        return not (self.rotate or self.scale or self.shear)


def matrices(
    how: Augmentation, size: tuple[int, int], seed: int, epoch: int, samples: NDArray[np.int64]
) -> NDArray[np.float32] | None:
    """float32 [n, 2, 3]: from an output pixel (x, y, 1) to the input pixel it shows, about the image's middle; None for
    nothing to do. size: the images' height and width. samples: their numbers in the data set."""
    if how == Augmentation():
        return None
    key = seed, epoch, samples
    out = np.zeros((len(samples), 2, 3), np.float64)
    if how.whole:
        most = int(how.shift)
        out[:, 0, 0] = out[:, 1, 1] = 1
        out[:, 0, 2] = -counter.integers(*key, -most, most + 1, _RIGHT)
        out[:, 1, 2] = -counter.integers(*key, -most, most + 1, _DOWN)
        return _mirrored(out, how.mirror, size[1], key).astype(np.float32)

    def drawn(most: float, draw: int) -> NDArray[np.float64]:
        return (2 * counter.uniform(*key, draw) - 1) * most

    angle = np.deg2rad(drawn(how.rotate, _ANGLE))
    wide, high, slant = 1 + drawn(how.scale, _WIDTH), 1 + drawn(how.scale, _HEIGHT), drawn(how.shear, _SLANT)
    cos, sin = np.cos(angle), np.sin(angle)
    # The inverse of: slant, then size, then turn. Its rows: 1/wide, 1/high; the slant takes from x what y has given.
    out[:, 0, 0], out[:, 0, 1] = cos / wide, sin / wide
    out[:, 1, 0], out[:, 1, 1] = -sin / high, cos / high
    out[:, 0, :2] -= slant[:, None] * out[:, 1, :2]
    middle = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
    moved = np.stack([drawn(how.shift, _RIGHT), drawn(how.shift, _DOWN)], axis=1)
    out[:, :, 2] = middle - np.einsum("nij,nj->ni", out[:, :, :2], middle + moved)
    return _mirrored(out, how.mirror, size[1], key).astype(np.float32)


def _mirrored(
    matrices: NDArray[np.float64], share: float, width: int, key: tuple[int, int, NDArray[np.int64]]
) -> NDArray[np.float64]:
    """The same, some showing the input's column width - 1 - x where they would show x."""
    if share:
        turned = counter.uniform(*key, _MIRROR) < share
        matrices[turned, 0] *= -1
        matrices[turned, 0, 2] += width - 1
    return matrices


def warped(images: NDArray[np.float32], m: NDArray[np.float32], outside: float) -> NDArray[np.float32]:
    """Images float32 [n, H, W] moved by their matrices m [n, 2, 3]: bilinear, ``outside`` beyond the edges.

    The engine's operations in the engine's order, so that the two agree.
    """
    n, height, width = images.shape
    framed = np.pad(images, ((0, 0), (2, 3), (2, 3)), constant_values=outside)
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]

    def source(row: int, most: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Where each output pixel lies along one axis of the input: whole part and fraction, [n, H, W]."""
        to_x, to_y, start = (m[:, row, i, None, None] for i in range(3))
        at = np.clip(to_x * x + (to_y * y + start), np.float32(-2), np.float32(most + 1))
        whole = np.floor(at)
        return whole.astype(np.intp) + 2, at - whole

    (ix, fx), (iy, fy) = source(0, width), source(1, height)
    image = np.arange(n)[:, None, None]
    a, b = framed[image, iy, ix], framed[image, iy, ix + 1]
    c, d = framed[image, iy + 1, ix], framed[image, iy + 1, ix + 1]
    above, below = a + fx * (b - a), c + fx * (d - c)
    result: NDArray[np.float32] = above + fy * (below - above)
    return result
