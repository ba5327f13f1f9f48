"""The transforms a data set calls with each image, as classes under Paddle's names.

Each takes a Pillow image, a numpy array [H, W] or [H, W, C], or a Tensor [..., C, H, W]; the work is in ``functional``.
Random ones draw from Python's ``random`` (``RandomErasing``'s sizes from numpy's global generator), in Paddle's order,
so the same seeds give Paddle's results. Read by ``vision.datasets`` and by users.
"""

from __future__ import annotations

import numbers
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lenet._check import choice, describe, message
from lenet.tensor import Tensor, to_tensor
from lenet.vision.transforms import functional as F  # noqa: N812  (Paddle's users know it by this letter)

__all__ = [
    "BaseTransform",
    "CenterCrop",
    "Compose",
    "Grayscale",
    "Normalize",
    "Pad",
    "RandomAffine",
    "RandomCrop",
    "RandomErasing",
    "RandomHorizontalFlip",
    "RandomRotation",
    "RandomVerticalFlip",
    "Resize",
    "ToTensor",
    "Transpose",
]

_ATTEMPTS = 10  # how often RandomErasing looks for a rectangle that fits


class Compose:
    """Several transforms, one after the other: ``Compose([Resize(28), ToTensor()])``.

    If one fails, its name, the error and the stack are printed and the error goes on to the caller.
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def __call__(self, data: Any) -> Any:
        for step in self.transforms:
            try:
                data = step(data)
            except Exception as error:
                import traceback

                print(f"fail to perform transform [{step}] with error: {error} and stack:\n{traceback.format_exc()}")
                raise
        return data

    def __repr__(self) -> str:
        lines = "".join(f"\n    {step}" for step in self.transforms)
        return f"{type(self).__name__}({lines}\n)"


class BaseTransform:
    """What a transform of one's own derives from: override ``_apply_image(img)``, and ``_get_params(inputs)`` if the
    same random choice must serve several inputs (it is called once a call and its result stands in ``self.params``).

    keys: what the items of a tuple are, each handled by the method ``_apply_<key>``; None means ``("image",)``. Called
    with a tuple, the transform handles as many items as there are keys, passes the rest on, and returns a tuple (one
    item alone comes out bare). ValueError for keys that are no sequence, NotImplementedError for a key without method.
    """

    keys: Sequence[str]
    params: Any

    def __init__(self, keys: Sequence[str] | None = None) -> None:
        if keys is None:
            keys = ("image",)
        if not isinstance(keys, Sequence) or isinstance(keys, str):
            raise ValueError(message("keys", describe(keys), "a list or tuple of names such as ('image',)"))
        for key in keys:
            if self._get_apply(key) is None:
                known = [name[7:] for name in dir(self) if name.startswith("_apply_")]
                fix = f"For another kind define _apply_{key} in a subclass."
                raise NotImplementedError(message("keys", repr(key), f"one of {known}", fix))
        self.keys = keys
        self.params = None

    def __call__(self, inputs: Any) -> Any:
        items = inputs if isinstance(inputs, tuple) else (inputs,)
        self.params = self._get_params(items)
        done = []
        for key, item in zip(self.keys, items, strict=False):  # the shorter of the two ends it
            apply = self._get_apply(key)
            done.append(item if apply is None else apply(item))
        done.extend(items[len(self.keys) :])
        return done[0] if len(done) == 1 else tuple(done)

    def _get_apply(self, key: str) -> Callable[[Any], Any] | None:
        return getattr(self, f"_apply_{key}", None)

    def _get_params(self, inputs: tuple[Any, ...]) -> Any:
        return None

    def _apply_image(self, image: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define _apply_image(self, image)")

    def _apply_boxes(self, boxes: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define _apply_boxes(self, boxes)")

    def _apply_mask(self, mask: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define _apply_mask(self, mask)")

    def _apply_coords(self, coords: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define _apply_coords(self, coords)")


class ToTensor(BaseTransform):
    """An image as a Tensor [C, H, W] (or [H, W, C] with ``data_format="HWC"``); uint8 becomes float32 of 0..1.

    Other dtypes keep their values, so ``MNIST(backend="cv2")``, which holds float32, stays 0..255. A Tensor passes.
    """

    def __init__(self, data_format: str = "CHW", keys: Sequence[str] | None = None) -> None:
        super().__init__(keys)
        self.data_format = data_format

    def _apply_image(self, image: Any) -> Tensor:
        return F.to_tensor(image, self.data_format)


class Normalize(BaseTransform):
    """``(image - mean) / std`` with one mean and std a channel; the tutorial's is ``Normalize([127.5], [127.5])``.

    Write the numbers of a grey image in a list: a bare number counts as three equal ones, as in Paddle, and makes three
    channels of a grey image. ``functional.normalize`` says what comes out for which image, data_format and to_rgb.
    """

    def __init__(
        self,
        mean: float | Sequence[float] = 0.0,
        std: float | Sequence[float] = 1.0,
        data_format: str = "CHW",
        to_rgb: bool = False,
        keys: Sequence[str] | None = None,
    ) -> None:
        super().__init__(keys)
        self.mean = [mean] * 3 if isinstance(mean, numbers.Number) else mean
        self.std = [std] * 3 if isinstance(std, numbers.Number) else std
        self.data_format = data_format
        self.to_rgb = to_rgb

    def _apply_image(self, image: Any) -> Any:
        return F.normalize(image, self.mean, self.std, self.data_format, self.to_rgb)  # type: ignore[arg-type]


class Transpose(BaseTransform):
    """The axes in another order, [H, W, C] to [C, H, W] by default; a Pillow image becomes an array, dtype kept.

    A grey image has its channel axis added at the end first. ValueError for an order that does not fit.
    """

    def __init__(self, order: Sequence[int] = (2, 0, 1), keys: Sequence[str] | None = None) -> None:
        super().__init__(keys)
        self.order = order

    def _apply_image(self, image: Any) -> Any:
        kind = F.kind_of(image)
        array = np.asarray(image)
        if array.ndim == 2 and kind != "tensor":
            array = array[..., np.newaxis]
        if sorted(axis % array.ndim for axis in self.order) != list(range(array.ndim)):
            raise ValueError(message("order", tuple(self.order), f"each axis of {list(array.shape)} once"))
        array = array.transpose(self.order)
        return to_tensor(array) if kind == "tensor" else array


class Resize(BaseTransform):
    """The image at another size: (height, width), or one number for the shorter side with the proportions kept.

    ``functional.resize`` lists the interpolations. ValueError for another kind of size.
    """

    def __init__(
        self, size: int | Sequence[int], interpolation: str = "bilinear", keys: Sequence[str] | None = None
    ) -> None:
        super().__init__(keys)
        if not isinstance(size, numbers.Integral) and (isinstance(size, str) or len_of(size) != 2):
            raise ValueError(message("size", describe(size), "one whole number or (height, width)"))
        self.size = size
        self.interpolation = interpolation

    def _apply_image(self, image: Any) -> Any:
        return F.resize(image, self.size, self.interpolation)


class CenterCrop(BaseTransform):
    """The middle of the image, ``size`` = (height, width) or one number; a smaller image gets a border of 0."""

    def __init__(self, size: int | Sequence[int], keys: Sequence[str] | None = None) -> None:
        super().__init__(keys)
        self.size = F.pair_of(size)

    def _apply_image(self, image: Any) -> Any:
        return F.center_crop(image, self.size)


class RandomHorizontalFlip(BaseTransform):
    """The image mirrored left to right with probability ``prob``. ValueError for one outside 0..1."""

    def __init__(self, prob: float = 0.5, keys: Sequence[str] | None = None) -> None:
        super().__init__(keys)
        self.prob = share("prob", prob)

    def _apply_image(self, image: Any) -> Any:
        return F.hflip(image) if random.random() < self.prob else image


class RandomVerticalFlip(BaseTransform):
    """The image turned upside down with probability ``prob``. ValueError for one outside 0..1."""

    def __init__(self, prob: float = 0.5, keys: Sequence[str] | None = None) -> None:
        super().__init__(keys)
        self.prob = share("prob", prob)

    def _apply_image(self, image: Any) -> Any:
        return F.vflip(image) if random.random() < self.prob else image


class Pad(BaseTransform):
    """A border around the image; ``functional.pad`` says how padding, fill and padding_mode work.

    TypeError or ValueError, naming the argument, for what does not fit.
    """

    def __init__(
        self,
        padding: int | Sequence[int],
        fill: Any = 0,
        padding_mode: str = "constant",
        keys: Sequence[str] | None = None,
    ) -> None:
        super().__init__(keys)
        F.sides_of(padding)
        self.padding = padding
        self.fill = fill
        self.padding_mode = choice("padding_mode", padding_mode, F.PADDING_MODES)

    def _apply_image(self, image: Any) -> Any:
        return F.pad(image, self.padding, self.fill, self.padding_mode)


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
        self.prob = share("prob", prob)
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
            raise ValueError(message("value", f"{len_of(value)} numbers", "one or three"))
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
            from lenet._random import generator

            count = image.shape[-3]
            return generator().normal(count * tall * wide, 0.0, 1.0).reshape(count, tall, wide)
        shape = np.asarray(image).shape
        return np.random.normal(size=[tall, wide, shape[2] if len(shape) == 3 else 1]) * 255


class Grayscale(BaseTransform):
    """A grey image of one channel, or of three equal ones (``num_output_channels``)."""

    def __init__(self, num_output_channels: int = 1, keys: Sequence[str] | None = None) -> None:
        super().__init__(keys)
        self.num_output_channels = num_output_channels

    def _apply_image(self, image: Any) -> Any:
        return F.to_grayscale(image, self.num_output_channels)


def len_of(value: Any) -> int:
    """The length of a sequence; -1 for what has none."""
    return len(value) if hasattr(value, "__len__") else -1


def share(what: str, value: float) -> float:
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
