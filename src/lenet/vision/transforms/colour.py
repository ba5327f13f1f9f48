"""Brightness, contrast, saturation and hue changed, and a random window resized, under Paddle's names.

The functions take a Pillow image, a uint8 array [H, W] or [H, W, C], or a float Tensor [C, H, W] of 0 to 1, and return the
same. The random ones draw from Python's ``random`` (RandomResizedCrop's sizes from numpy's global generator), in Paddle's
order, so the same seeds give Paddle's results. Read by ``vision.transforms``.
"""

from __future__ import annotations

import math
import numbers
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from lenet.autograd.tensor import to_tensor as _tensor
from lenet.messages.check import describe, message
from lenet.vision.transforms import geometry as F
from lenet.vision.transforms._planes import GREY
from lenet.vision.transforms.plain import BaseTransform, Compose

__all__ = [
    "BrightnessTransform", "ColorJitter", "ContrastTransform", "HueTransform", "RandomResizedCrop", "SaturationTransform",
    "adjust_brightness", "adjust_contrast", "adjust_hue", "adjust_saturation",
]  # fmt: skip

_ATTEMPTS = 10  # how often RandomResizedCrop looks for a window that fits


# ---- what is done ------------------------------------------------------------------------------------------------------


def _factor(what: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating)) or value < 0:
        raise ValueError(message(what, describe(value), "a number of at least 0; 1 changes nothing"))
    return float(value)


def _enhanced(img: Any, name: str, factor: float) -> Any:
    """By Pillow's enhancer of that name: the image blended with black, with its mean grey, or with itself in grey."""
    if F.kind_of(img) == "tensor":
        return _blended(img, name, factor)
    from PIL import Image, ImageEnhance

    if isinstance(img, np.ndarray):
        if img.dtype != np.uint8:
            raise TypeError(message(f"adjust_{name}", describe(img), "an array of uint8", "Type ToTensor()(x) first"))
        flat = img[..., 0] if img.ndim == 3 and img.shape[2] == 1 else img
        return np.asarray(_enhanced(Image.fromarray(flat), name, factor)).reshape(img.shape)
    kind = {"brightness": "Brightness", "contrast": "Contrast", "saturation": "Color"}[name]
    return getattr(ImageEnhance, kind)(img).enhance(factor)


def _blended(img: Any, name: str, factor: float) -> Any:
    """A Tensor [..., C, H, W] of 0 to 1, without rounding."""
    values = np.asarray(img)
    grey = values
    if values.shape[-3] == 3:
        grey = (values * np.array(GREY, values.dtype).reshape(3, 1, 1)).sum(axis=-3, keepdims=True)
    other: Any = 0.0
    if name == "contrast":
        other = grey.mean(axis=(-3, -2, -1), keepdims=True)
    elif name == "saturation":
        other = grey
    return _tensor(np.clip(values * factor + other * (1 - factor), 0, 1).astype(values.dtype))


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """The image brightness_factor times as bright: 0 is black, 1 the image itself. ValueError below 0."""
    factor = _factor("adjust_brightness(brightness_factor)", brightness_factor)
    if isinstance(img, np.ndarray) and img.dtype == np.uint8:  # as Paddle's, whose rounding isn't Pillow's
        return (np.arange(256) * factor).clip(0, 255).astype(np.uint8)[img]
    return _enhanced(img, "brightness", factor)


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """The image blended with its mean grey: 0 is that grey, 1 the image itself. ValueError below 0."""
    return _enhanced(img, "contrast", _factor("adjust_contrast(contrast_factor)", contrast_factor))


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """The image blended with itself in grey: 0 is grey, 1 the image itself. ValueError below 0."""
    return _enhanced(img, "saturation", _factor("adjust_saturation(saturation_factor)", saturation_factor))


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """All colours turned by hue_factor of the circle, -0.5 to 0.5 (ValueError beyond); a grey image as it is.

    A Tensor or array of three channels passes through Pillow's 8-bit HSV.
    """
    if isinstance(hue_factor, bool) or not isinstance(hue_factor, (int, float)) or not -0.5 <= hue_factor <= 0.5:
        raise ValueError(message("adjust_hue(hue_factor)", describe(hue_factor), "a number from -0.5 to 0.5"))
    from PIL import Image

    kind = F.kind_of(img)
    if kind == "tensor":
        values = np.asarray(img)
        if values.shape[-3:-2] != (3,) or values.ndim != 3:
            return img
        bytes_ = (values.transpose(1, 2, 0) * 255).round().astype(np.uint8)
        turned = np.asarray(adjust_hue(Image.fromarray(bytes_), hue_factor))
        return _tensor((turned.transpose(2, 0, 1) / 255).astype(values.dtype))
    if kind == "array":
        if img.ndim != 3 or img.shape[2] != 3:
            return img
        return np.asarray(adjust_hue(Image.fromarray(img), hue_factor))
    if img.mode in ("L", "1", "I", "F"):
        return img
    hue, saturation, value = img.convert("HSV").split()
    turned = (np.asarray(hue).astype(np.int16) + int(hue_factor * 255)) % 256
    return Image.merge("HSV", (Image.fromarray(turned.astype(np.uint8)), saturation, value)).convert(img.mode)


# ---- at random -----------------------------------------------------------------------------------------------------------


def _range(what: str, value: Any, center: float, low: float, high: float) -> tuple[float, float] | None:
    """(least, most) of a factor, from a number around the centre or from two; None where nothing would change."""
    if isinstance(value, numbers.Real):
        if value < 0:
            raise ValueError(message(what, value, "a number of at least 0, or (least, most)"))
        pair = (center - float(value), center + float(value))
        pair = (max(pair[0], 0.0), pair[1]) if low == 0 else pair
    elif isinstance(value, (list, tuple)) and len(value) == 2:
        pair = (float(value[0]), float(value[1]))
    else:
        raise TypeError(message(what, describe(value), "a number, or (least, most)"))
    if not low <= pair[0] <= pair[1] <= high:
        raise ValueError(message(what, value, f"(least, most) from {low:g} to {high:g}"))
    return None if pair[0] == pair[1] == center else pair


class _Adjusting(BaseTransform):
    """One of the four changes by a factor drawn from a range."""

    _name = "brightness"

    def __init__(self, value: Any, keys: Sequence[str] | None = None) -> None:
        super().__init__(keys)
        around = (0.0, -0.5, 0.5) if self._name == "hue" else (1.0, 0.0, math.inf)
        self.value = _range(f"{type(self).__name__}({self._name})", value, *around)

    def _apply_image(self, image: Any) -> Any:
        if self.value is None:
            return image
        return globals()[f"adjust_{self._name}"](image, random.uniform(*self.value))


class BrightnessTransform(_Adjusting):
    """``adjust_brightness`` by a factor from value = (least, most), or from 1 - value to 1 + value, at least 0."""


class ContrastTransform(_Adjusting):
    """``adjust_contrast`` by a factor from value = (least, most), or from 1 - value to 1 + value, at least 0."""

    _name = "contrast"


class SaturationTransform(_Adjusting):
    """``adjust_saturation`` by a factor from value = (least, most), or from 1 - value to 1 + value, at least 0."""

    _name = "saturation"


class HueTransform(_Adjusting):
    """``adjust_hue`` by a part of the circle from value = (least, most), or from -value to value, within ±0.5."""

    _name = "hue"


class ColorJitter(BaseTransform):
    """Brightness, contrast, saturation and hue changed at random, in a random order; each argument as the transform's."""

    def __init__(
        self,
        brightness: Any = 0,
        contrast: Any = 0,
        saturation: Any = 0,
        hue: Any = 0,
        keys: Sequence[str] | None = None,
    ) -> None:
        super().__init__(keys)
        self.brightness, self.contrast, self.saturation, self.hue = brightness, contrast, saturation, hue
        self._steps = (
            BrightnessTransform(brightness),
            ContrastTransform(contrast),
            SaturationTransform(saturation),
            HueTransform(hue),
        )

    def _apply_image(self, image: Any) -> Any:
        steps = list(self._steps)
        random.shuffle(steps)
        return Compose(steps)(image)


class RandomResizedCrop(BaseTransform):
    """A random window of the image, resized to ``size`` = (height, width) or a square.

    scale: (least, most) share of the image's area; ratio: (least, most) width to height. Where no window fits in ten tries
    the middle of the image is taken. ValueError for a range that doesn't rise.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3.0 / 4, 4.0 / 3),
        interpolation: str = "bilinear",
        keys: Sequence[str] | None = None,
    ) -> None:
        super().__init__(keys)
        self.size = F.pair_of(size)
        for what, pair in (("scale", scale), ("ratio", ratio)):
            if len(pair) != 2 or not 0 < pair[0] <= pair[1]:
                raise ValueError(message(f"RandomResizedCrop({what})", pair, "(least, most), both above 0"))
        self.scale, self.ratio, self.interpolation = scale, ratio, interpolation

    def _apply_image(self, image: Any) -> Any:
        return F.resize(F.crop(image, *self._window(*F.size_of(image))), self.size, self.interpolation)

    def _window(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Top, left, height, width."""
        low, high = (math.log(r) for r in self.ratio)
        for _ in range(_ATTEMPTS):
            area = np.random.uniform(self.scale[0], self.scale[1]) * (height * width)
            ratio = math.exp(np.random.uniform(low, high))
            wide, tall = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < wide <= width and 0 < tall <= height:
                top = random.randint(0, height - tall)
                return top, random.randint(0, width - wide), tall, wide
        wide, tall = width, height
        if width / height < min(self.ratio):
            tall = round(width / min(self.ratio))
        elif width / height > max(self.ratio):
            wide = round(height * max(self.ratio))
        return (height - tall) // 2, (width - wide) // 2, tall, wide
