"""The random transforms, under Paddle's names.

They draw from Python's ``random`` (``RandomErasing``'s sizes from numpy's global generator), in Paddle's order, so the
same seeds give Paddle's results. The work is in ``functional``. Read by ``vision.datasets`` and by users.
"""

from __future__ import annotations

import numbers
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from lenet.messages.check import choice, describe, message
from lenet.vision.transforms import geometry as F
from lenet.vision.transforms.plain import BaseTransform

__all__ = [
    "RandomAffine",
    "RandomCrop",
    "RandomErasing",
    "RandomHorizontalFlip",
    "RandomRotation",
    "RandomVerticalFlip",
]

_ATTEMPTS = 10  # how often RandomErasing looks for a rectangle that fits


class RandomHorizontalFlip(BaseTransform):
    """The image mirrored left to right with probability ``prob``. ValueError for one outside 0..1."""

    def __init__(self, prob: float = 0.5, keys: Sequence[str] | None = None) -> None:
        super().__init__(keys)
        self.prob = _share("prob", prob)

    def _apply_image(self, image: Any) -> Any:
        return F.hflip(image) if random.random() < self.prob else image


class RandomVerticalFlip(BaseTransform):
    """The image turned upside down with probability ``prob``. ValueError for one outside 0..1."""

    def __init__(self, prob: float = 0.5, keys: Sequence[str] | None = None) -> None:
        super().__init__(keys)
        self.prob = _share("prob", prob)

    def _apply_image(self, image: Any) -> Any:
        return F.vflip(image) if random.random() < self.prob else image


class RandomCrop(BaseTransform):
    """A window of ``size`` = (height, width) or one number, at a random place.

    padding: a border to put on first (``functional.pad``); pad_if_needed: one on both sides of an image that is too
    small. ValueError for an image that is too small without it.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        pad_if_needed: bool = False,
        fill: Any = 0,
        padding_mode: str = "constant",
        keys: Sequence[str] | None = None,
    ) -> None:
        super().__init__(keys)
        self.size = F.pair_of(size)
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode

    def _apply_image(self, image: Any) -> Any:
        high, wide = self.size
        if self.padding is not None:
            image = F.pad(image, self.padding, self.fill, self.padding_mode)
        width, height = F.size_of(image)
        if self.pad_if_needed and width < wide:
            image = F.pad(image, (wide - width, 0), self.fill, self.padding_mode)
        if self.pad_if_needed and height < high:
            image = F.pad(image, (0, high - height), self.fill, self.padding_mode)
        width, height = F.size_of(image)
        if (height, width) == (high, wide):
            return F.crop(image, 0, 0, high, wide)
        if height < high or width < wide:
            fix = "Write RandomCrop(..., pad_if_needed=True) or a smaller size."
            raise ValueError(message("image", f"{height} x {width} pixels", f"at least {high} x {wide}", fix))
        top = random.randint(0, height - high)
        left = random.randint(0, width - wide)
        return F.crop(image, top, left, high, wide)


class RandomRotation(BaseTransform):
    """The image turned by an angle drawn from ``degrees``: (least, most), or one number d for (-d, d).

    ``functional.rotate`` says what interpolation, expand, center and fill do. ValueError for a negative number or a
    sequence that isn't two long.
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        interpolation: str = "nearest",
        expand: bool = False,
        center: Sequence[float] | None = None,
        fill: Any = 0,
        keys: Sequence[str] | None = None,
    ) -> None:
        super().__init__(keys)
        self.degrees = _range_of("degrees", degrees, (2,))
        self.interpolation = interpolation
        self.expand = expand
        self.center = center
        self.fill = fill

    def _apply_image(self, image: Any) -> Any:
        angle = random.uniform(*self.degrees)
        return F.rotate(image, angle, self.interpolation, self.expand, self.center, self.fill)


class RandomAffine(BaseTransform):
    """The image rotated, moved, scaled and sheared at random, in that order of drawing.

    degrees: (least, most) or one number d for (-d, d). translate: the largest move right and down, as shares of width
    and height in 0..1, cut to whole pixels. scale: (least, most), both above 0. shear, in degrees: a number d for
    (-d, d) along x, (least, most) along x, or four numbers for x and y. interpolation: nearest, bilinear or bicubic.
    fill and center as in ``functional.affine``. TypeError or ValueError, naming the argument, for what does not fit.
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: float | Sequence[float] | None = None,
        interpolation: str = "nearest",
        fill: Any = 0,
        center: Sequence[float] | None = None,
        keys: Sequence[str] | None = None,
    ) -> None:
        super().__init__(keys)
        self.degrees = _range_of("degrees", degrees, (2,))
        self.interpolation = choice("interpolation", interpolation, ("nearest", "bilinear", "bicubic"))
        self.translate = None if translate is None else _numbers("translate", translate, (2,))
        if self.translate is not None and not all(0 <= part <= 1 for part in self.translate):
            raise ValueError(message("translate", translate, "two shares from 0 to 1"))
        self.scale = None if scale is None else _numbers("scale", scale, (2,))
        if self.scale is not None and min(self.scale) <= 0:
            raise ValueError(message("scale", scale, "two numbers above 0"))
        self.shear = None if shear is None else _range_of("shear", shear, (2, 4))
        if fill is not None and not isinstance(fill, (numbers.Number, Sequence)):
            raise TypeError(message("fill", describe(fill), "a number or one number a channel"))
        self.fill = 0 if fill is None else fill
        self.center = None if center is None else _numbers("center", center, (2,))

    def _apply_image(self, image: Any) -> Any:
        width, height = F.size_of(image)
        angle = random.uniform(*self.degrees)
        move = (0, 0)
        if self.translate is not None:
            across, down = float(self.translate[0] * width), float(self.translate[1] * height)
            move = (int(random.uniform(-across, across)), int(random.uniform(-down, down)))
        scale = 1.0 if self.scale is None else random.uniform(*self.scale)
        shear = [0.0, 0.0]
        if self.shear is not None:
            shear = [random.uniform(*self.shear[i : i + 2]) for i in range(0, len(self.shear), 2)]
            shear = [*shear, 0.0][:2]
        return F.affine(image, angle, move, scale, shear, self.interpolation, self.fill, self.center)


class RandomErasing(BaseTransform):
    """A random rectangle overwritten, with probability ``prob``.

    scale: (least, most) share of the image's area; ratio: (least, most) height to width. value: a number, one or three
    in a list, or ``"random"`` for noise (standard normal, times 255 except on Tensors). inplace: change an array or
    Tensor itself. Works on Tensors [C, H, W], arrays and Pillow images. ValueError or TypeError, naming the argument,
    for what does not fit.
    """

    def __init__(
        self,
        prob: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: float | Sequence[float] | str = 0,
        inplace: bool = False,
        keys: Sequence[str] | None = None,
    ) -> None:
        super().__init__(keys)
        self.prob = _share("prob", prob)
        self.scale = _numbers("scale", scale, (2,))
        if not 0 <= self.scale[0] <= self.scale[1] <= 1:
            raise ValueError(message("scale", scale, "(least, most) within 0..1"))
        self.ratio = _numbers("ratio", ratio, (2,))
        if not 0 < self.ratio[0] <= self.ratio[1]:
            raise ValueError(message("ratio", ratio, "(least, most), both above 0"))
        if not isinstance(value, (numbers.Number, str, tuple, list)):
            raise TypeError(message("value", describe(value), "a number, a list of one or three, or 'random'"))
        if isinstance(value, str):
            choice("value", value, ("random",))
        elif not isinstance(value, numbers.Number) and len(value) not in (1, 3):
            raise ValueError(message("value", f"{len(value)} numbers", "one or three"))
        self.value = value
        self.inplace = inplace

    def _apply_image(self, image: Any) -> Any:
        if random.random() >= self.prob:
            return image
        kind = F.kind_of(image)
        width, height = F.size_of(image)
        low, high = np.log(self.ratio)
        for _ in range(_ATTEMPTS):
            area = np.random.uniform(self.scale[0], self.scale[1]) * (height * width)
            ratio = np.exp(np.random.uniform(low, high))
            tall, wide = round(np.sqrt(area * ratio)), round(np.sqrt(area / ratio))
            if tall >= height or wide >= width:
                continue
            value = self._filling(image, kind, tall, wide)
            top = np.random.randint(0, height - tall + 1)
            left = np.random.randint(0, width - wide + 1)
            return F.erase(image, top, left, tall, wide, value, self.inplace)
        return image

    def _filling(self, image: Any, kind: str, tall: int, wide: int) -> Any:
        """What the rectangle is filled with: [C, 1, 1] or [C, h, w] for a Tensor, else [1, 1, C] or [h, w, C]."""
        if not isinstance(self.value, str):
            values = np.ravel(self.value)
            return values[:, None, None] if kind == "tensor" else values[None, None, :]
        if kind == "tensor":
            from lenet.autograd.random import generator

            count = image.shape[-3]
            return generator().normal(count * tall * wide, 0.0, 1.0).reshape(count, tall, wide)
        shape = np.asarray(image).shape
        return np.random.normal(size=[tall, wide, shape[2] if len(shape) == 3 else 1]) * 255


def _share(what: str, value: float) -> float:
    """``value`` if it is a probability."""
    if not 0 <= value <= 1:
        raise ValueError(message(what, value, "a number from 0 to 1"))
    return value


def _numbers(what: str, value: Any, lengths: tuple[int, ...]) -> tuple[float, ...]:
    """``value`` as a tuple of one of these lengths; TypeError for no sequence, ValueError for another length."""
    wanted = f"a list or tuple of {' or '.join(map(str, lengths))} numbers"
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise TypeError(message(what, describe(value), wanted))
    if len(value) not in lengths:
        raise ValueError(message(what, f"{len(value)} numbers", wanted))
    return tuple(value)


def _range_of(what: str, value: Any, lengths: tuple[int, ...]) -> tuple[float, ...]:
    """(-d, d) for a number d, or the given numbers."""
    if isinstance(value, numbers.Number):
        if value < 0:  # type: ignore[operator]
            raise ValueError(message(what, value, "0 or more, or (least, most)"))
        return (-float(value), float(value))  # type: ignore[arg-type]
    return tuple(float(number) for number in _numbers(what, value, lengths))
