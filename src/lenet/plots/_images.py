"""Figures of images: grids of samples, of augmented pairs, of whatever has captions.

Images are shown as they are stored and as the network takes them, light on dark; each pixel becomes a whole number of
screen pixels. Read by users, ``lenet show`` and ``lenet compare``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lenet.data import augment, counter
from lenet.data.augment import Augmentation
from lenet.messages.check import describe, message, positive_int
from lenet.plots import _style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["augmented", "checked_labels", "drawn", "pictures", "planes", "samples", "warped"]

_TILE = 84  # an image's longer side, in pixels of a hundredth of an inch
_GAP = 14  # between two columns
_EDGE = 16  # around all
_LINE = 15  # a line of caption
_TITLE = 100  # letters of a title's line, at most
_STRIP = 1  # between an image and its augmented self, in the image's own pixels


def planes(images: Any) -> NDArray[np.uint8]:
    """Images uint8 [N, H, W], or [N, C, H, W] with C 1 or 3, as [N, H, W] or [N, H, W, 3]; Type- or ValueError else."""
    expected = "a uint8 array [N, H, W], or [N, C, H, W] with 1 or 3 channels"
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        raise TypeError(message("images", describe(images), expected))
    if images.ndim not in (3, 4) or 0 in images.shape[1:] or (images.ndim == 4 and images.shape[1] not in (1, 3)):
        raise ValueError(message("images", f"shape {list(images.shape)}", expected))
    if len(images) == 0:
        raise ValueError(message("images", "none", "at least one"))
    if images.ndim == 3:
        return images
    return images[:, 0] if images.shape[1] == 1 else np.moveaxis(images, 1, 3)


def checked_labels(labels: Any, classes: Sequence[str], images: int | None = None) -> NDArray[np.int64]:
    """Labels as int64 [N], each the number of one of ``classes``, as many as ``images``; ValueError otherwise."""
    found = np.asarray(labels)
    if found.ndim != 1 or found.dtype.kind not in "iu":
        raise ValueError(message("labels", describe(found), "whole numbers [N]"))
    if images is not None and len(found) != images:
        raise ValueError(message("labels", f"{len(found)} for {images} images", "one for each"))
    if len(found) and not 0 <= int(found.min()) <= int(found.max()) < len(classes):
        given = f"numbers from {found.min()} to {found.max()} for {len(classes)} classes"
        raise ValueError(message("labels", given, f"0 to {len(classes) - 1}"))
    return found.astype(np.int64)


def pictures(
    images: NDArray[np.uint8],
    captions: Sequence[str],
    *,
    columns: int | None = None,
    colours: Sequence[Sequence[str]] | None = None,
    title: str = "",
) -> Figure:
    """Images in a grid, each with its caption above it.

    images: uint8 [N, H, W], or [N, C, H, W] with C 1 or 3, N at least 1. captions: N texts, of one line or several, cut
    where they are wider than the image. columns: images a row; None chooses, at most 10. colours: for each image a
    matplotlib colour per line of its caption; None: all in the colour of text. title: lines above all. ValueError or
    TypeError for other shapes and kinds.
    """
    shown = planes(images)
    if len(captions) != len(shown):
        raise ValueError(message("captions", f"{len(captions)} for {len(shown)} images", "one for each"))
    across = _columns(len(shown)) if columns is None else positive_int("columns", columns)
    lines = [caption.split("\n") for caption in captions]
    if colours is not None and [len(own) for own in colours] != [len(own) for own in lines]:
        raise ValueError(message("colours", f"{sum(map(len, colours))} in all", "one for each line of each caption"))
    return _grid(shown, lines, across, _scale(shown), title, colours)


def samples(
    images: NDArray[np.uint8], labels: NDArray[np.int64], classes: Sequence[str], count: int = 40, *, seed: int = 0
) -> Figure:
    """A grid of ``count`` images with their classes' names, drawn at random without repeats, the same for a seed.

    images: uint8 [N, H, W] or [N, C, H, W]; labels: int [N], 0 to K - 1; classes: K names. Fewer than ``count``
    images are all shown, in their order. ValueError or TypeError for anything else.
    """
    shown = planes(images)
    numbers = checked_labels(labels, classes, len(shown))
    chosen = drawn(len(shown), positive_int("count", count), seed)
    return pictures(images[chosen], [classes[number] for number in numbers[chosen]])


def drawn(images: int, count: int, seed: int) -> NDArray[np.int64]:
    """Which ``count`` of so many images to show, in rising order: drawn without repeats, the same for a seed."""
    return np.sort(counter.permutation(seed, 0, images)[:count])


def augmented(images: NDArray[np.uint8], augmentation: Augmentation, seed: int = 0) -> Figure:
    """Each image as it is, and below it moved at random as in training, so as a network sees it.

    images: uint8 [N, H, W] or [N, 1, H, W]. augmentation: a recipe's ``augment``, or ``lenet.vision.transforms.Augment``'s
    numbers. ValueError for one that moves nothing, and for coloured images.
    """
    shown, moved = warped(images, augmentation, seed)
    strip = np.full((len(shown), _STRIP, shown.shape[2]), 255, np.uint8)
    pairs = np.concatenate([shown, strip, moved], axis=1)
    title = "Above: the image as it is. Below: as the network sees it."
    return _grid(pairs, [[] for _ in pairs], _columns(len(pairs)), _scale(shown), title)


def warped(
    images: NDArray[np.uint8], augmentation: Augmentation, seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Grey images as [N, H, W], and the same moved: what ``augmented`` draws."""
    shown = planes(images)
    if shown.ndim != 3:
        raise ValueError(message("images", f"shape {list(images.shape)}", "grey images, [N, H, W] or [N, 1, H, W]"))
    numbers = np.arange(len(shown), dtype=np.int64)
    how = augment.matrices(augmentation, (shown.shape[1], shown.shape[2]), seed, 0, numbers)
    if how is None:
        raise ValueError(message("augmentation", "one that moves nothing", "a shift, rotation, scale or shear"))
    return shown, np.rint(augment.warped(shown.astype(np.float32), how, 0.0)).astype(np.uint8)


def _scale(images: NDArray[np.uint8]) -> int:
    """How many screen pixels an image's pixel takes each way."""
    return max(1, round(_TILE / max(images.shape[1:3])))


def _columns(count: int) -> int:
    """Rows of ten, or fewer where that leaves the last row less empty."""
    rows = -(-count // 10)
    return -(-count // rows)


def _grid(
    images: NDArray[np.uint8], captions: Sequence[Sequence[str]], columns: int, scale: int, title: str = "",
    colours: Sequence[Sequence[str]] | None = None,
) -> Figure:  # fmt: skip
    """Images [N, H, W] or [N, H, W, 3] in rows; captions: the lines above each; colours: of each line."""
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    high, wide = images.shape[1] * scale, images.shape[2] * scale
    letters = max(wide // 6, 4)  # of a caption's line; a letter is about six pixels wide
    above = _LINE * max(len(lines) for lines in captions) + 4
    titles = [_style.name_text(line, _TITLE) for line in title.split("\n")] if title else []
    head = _LINE * len(titles) + 6 if title else 0
    width = max(2 * _EDGE + columns * (wide + _GAP) - _GAP, 2 * _EDGE + 7 * max(map(len, titles), default=0))
    height = 2 * _EDGE + head + rows * (above + high + _GAP) - _GAP
    with _style.look(8):
        figure = _style.new(width / 100, height / 100, laid_out=False)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
        axes.set_axis_off()
        if title:
            for at, line in enumerate(titles):
                axes.text(_EDGE, _EDGE + at * _LINE, line, va="top")
        for at, (image, lines) in enumerate(zip(images, captions, strict=True)):
            row, column = divmod(at, columns)
            left, top = _EDGE + column * (wide + _GAP), _EDGE + head + row * (above + high + _GAP) + above
            grey: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 255} if image.ndim == 2 else {}
            axes.imshow(image, extent=(left, left + wide, top + high, top), interpolation="nearest", **grey)
            for up, line in enumerate(reversed(lines)):
                text = _style.name_text(line, letters)
                colour = _style.INK if colours is None else colours[at][len(lines) - 1 - up]
                axes.text(left + wide / 2, top - 4 - up * _LINE, text, ha="center", va="bottom", color=colour)
        axes.set(xlim=(0, width), ylim=(height, 0))  # imshow has its own idea of them
    return figure
