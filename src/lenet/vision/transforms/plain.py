"""The transforms a data set calls with each image, as classes under Paddle's names.

Each takes a Pillow image, a numpy array [H, W] or [H, W, C], or a Tensor [..., C, H, W]; the work is in ``functional``.
The random ones stand in ``random_transforms``. Read by ``vision.datasets`` and by users.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lenet.autograd.tensor import Tensor, to_tensor
from lenet.messages.check import choice, describe, message
from lenet.vision.transforms import geometry as F

__all__ = [
    "BaseTransform",
    "CenterCrop",
    "Compose",
    "Grayscale",
    "Normalize",
    "Pad",
    "Resize",
    "ToTensor",
    "Transpose",
]


class Compose:
    """Several transforms, one after the other: ``Compose([Resize(28), ToTensor()])``.

    If one fails, its name, the error and the stack are printed and the error goes on to the caller.
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def __call__(self, data: Any) -> Any:
        """What the last transform makes of it all."""
        for step in self.transforms:
            try:
                data = step(data)
            except Exception as error:
                import traceback

                told = f"fail to perform transform [{step}] with error: {error} and stack:\n{traceback.format_exc()}"
                print(told)  # noqa: T201  (as Paddle does)
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

    def __repr__(self) -> str:
        own = {name: value for name, value in vars(self).items() if name not in ("keys", "params") and name[0] != "_"}
        shown = (f"{k}={v.tolist() if isinstance(v, np.ndarray) else v!r}" for k, v in own.items())
        return f"{type(self).__name__}({', '.join(shown)})"

    def __call__(self, inputs: Any) -> Any:
        """One image, or a tuple whose items are what ``keys`` says, transformed."""
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
        if not isinstance(size, numbers.Integral) and (
            isinstance(size, str) or not hasattr(size, "__len__") or len(size) != 2
        ):
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


class Grayscale(BaseTransform):
    """A grey image of one channel, or of three equal ones (``num_output_channels``)."""

    def __init__(self, num_output_channels: int = 1, keys: Sequence[str] | None = None) -> None:
        super().__init__(keys)
        self.num_output_channels = num_output_channels

    def _apply_image(self, image: Any) -> Any:
        return F.to_grayscale(image, self.num_output_channels)
